//! The wasm side: generated bindings, and the way from them to the plain types and back.
//!
//! Nothing here is for plugins to name; `export_assembler!` does.

mod convert;
mod granted;

#[allow(unsafe_code, unreachable_pub, unused_qualifications, clippy::all, clippy::restriction, missing_docs)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "assembler-with-memory",
        pub_export_macro: true,
        default_bindings_module: "pu_plugin_sdk::__guest::bindings",
    });
}

pub use bindings::purepoint::context::types::{Assembly as WireAssembly, Failure as WireFailure, Task as WireTask};
pub use bindings::{Guest, export};
pub(crate) use granted::{recent, state};

use crate::{Assembler, Chunk, Failure, Hit, Listing, Page, Query, SpecMeta, Specs, run};
use bindings::purepoint::context::{config, log, specs};

/// One call from the host.
pub fn assemble<A: Assembler>(task: WireTask) -> Result<WireAssembly, WireFailure> {
    tell_the_host_of_panics();
    run::<A>(&config::get(), &task.into(), &HostSpecs).map(Into::into).map_err(Into::into)
}

pub(crate) fn write_log(level: &str, message: &str) {
    log::write(level, message);
}

/// A panic ends in a bare trap, which says neither what nor where: say it before.
fn tell_the_host_of_panics() {
    std::panic::set_hook(Box::new(|panic| log::write("panic", &panic.to_string())));
}

/// The specs that the host offers.
struct HostSpecs;

impl Specs for HostSpecs {
    fn search(&self, query: &Query) -> Result<Vec<Hit>, Failure> {
        let hits = specs::search(&query.into())?;
        Ok(hits.into_iter().map(Into::into).collect())
    }

    fn list(&self, listing: &Listing) -> Result<Page, Failure> {
        Ok(specs::list(&listing.into())?.into())
    }

    fn get(&self, id: &str) -> Result<SpecMeta, Failure> {
        Ok(specs::get(id)?.into())
    }

    fn read(&self, id: &str, section: Option<&str>) -> Result<String, Failure> {
        Ok(specs::read(id, section)?)
    }

    fn read_range(&self, id: &str, offset: u64, length: u32) -> Result<Chunk, Failure> {
        Ok(specs::read_range(id, offset, length)?.into())
    }
}
