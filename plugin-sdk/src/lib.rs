//! Write a PurePoint context plugin: implement [`Assembler`], name it in [`export_assembler!`], and that is all.
//!
//! ```
//! use pu_plugin_sdk::{Assembler, Assembly, Failure, Pick, Query, Specs, Task};
//!
//! /// Everyone who touches billing should know the ledger's invariants.
//! struct Ledger;
//!
//! impl Assembler for Ledger {
//!     type Config = pu_plugin_sdk::NoConfig;
//!
//!     fn new(_: Self::Config) -> Result<Self, Failure> {
//!         Ok(Self)
//!     }
//!
//!     fn assemble(&self, task: &Task, specs: &dyn Specs) -> Result<Assembly, Failure> {
//!         if !task.prompt.contains("billing") {
//!             return Ok(Assembly::default());
//!         }
//!         let hits = specs.search(&Query::new("ledger invariants").limit(1))?;
//!         Ok(hits.iter().map(|hit| Pick::of(hit, 0.9, "the task touches billing")).collect())
//!     }
//! }
//!
//! pu_plugin_sdk::export_assembler!(Ledger);
//! ```
//!
//! Built for `wasm32-unknown-unknown` this is a plugin; built for any other target it is an ordinary library, which
//! plain `cargo test` runs against [`MockSpecs`]. `README.md` is the author's guide.
//!
//! The SDK gives a plugin no clock, no files and no network, on no target: what a plugin can do is what the contract
//! (`wit/context.wit`) says. [`state`] and [`history`] are for plugins that the user grants them to; one that calls neither
//! asks for neither.

mod assembler;
pub mod history;
pub mod log;
mod mock;
mod specs;
pub mod state;
mod types;

pub use assembler::{Assembler, NoConfig, run};
pub use mock::MockSpecs;
#[cfg(not(target_arch = "wasm32"))]
pub use mock::{history::MockHistory, state::MockState};
pub use specs::{Chunk, FieldWeight, Listing, Page, Query, Specs};
pub use types::{Assembly, Attr, ChangedFile, Failure, Hit, Label, Pick, SpecMeta, Task};

/// What [`export_assembler!`] expands to. Not for plugins: it may change in any release.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[path = "guest/mod.rs"]
pub mod __guest;

/// Makes a type that implements [`Assembler`] the plugin that this crate is. Once a crate.
///
/// Expands to nothing on targets other than `wasm32`.
#[macro_export]
macro_rules! export_assembler {
    ($assembler:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            struct Exported;

            impl $crate::__guest::Guest for Exported {
                fn assemble(
                    task: $crate::__guest::WireTask,
                ) -> ::core::result::Result<$crate::__guest::WireAssembly, $crate::__guest::WireFailure> {
                    $crate::__guest::assemble::<$assembler>(task)
                }
            }

    $crate::__guest::export!(Exported with_types_in $crate::__guest::bindings);
        };
    };
}
