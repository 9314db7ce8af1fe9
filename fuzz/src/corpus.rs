//! Makes components: random ones, and damaged ones of those that there are.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arbitrary::Unstructured;
use fastrand::Rng;
use pu_engine::plugins::bundled;
use pu_plugin_hostile::{BuildError, Hostile};
use wasm_smith::{Component, Config, Module};

use crate::mutation::mutate;
use crate::section::{component_of, export, manifest};
use crate::trial::SPEC;

/// Core modules; functions, types, components and instances.
const SORTS: [&[u8]; 5] = [CORE_MODULES, &[1], &[3], &[4], &[5]];
const CORE_MODULES: &[u8] = &[0, 0x11];

/// The plugins that mutations start from.
#[derive(Debug)]
pub struct Corpus {
    bundled: Vec<Vec<u8>>,
    hostile: Vec<Vec<u8>>,
}

impl Corpus {
    pub fn new() -> Result<Self, BuildError> {
        let bundled = bundled().iter().map(|plugin| plugin.bytes.to_vec()).collect();
        let hostile = Hostile::ALL.iter().map(|hostile| hostile.component(SPEC));
        let mut hostile = hostile.collect::<Result<Vec<_>, _>>()?;
        // Those whose size is all that is wrong with them would take the time of many others.
        hostile.retain(|bytes| bytes.len() < 1 << 20);
        Ok(Self { bundled, hostile })
    }

    /// Any component, and in one word how it was made.
    pub fn component(&self, dice: &mut Rng) -> (&'static str, Vec<u8>) {
        match dice.u8(..8) {
            0 => ("random", dressed(random(dice), SORTS[dice.usize(..SORTS.len())], dice)),
            1 => ("random code", dressed(component_of(&random_module(dice)), CORE_MODULES, dice)),
            2 => {
                let mut bytes = dressed(random(dice), CORE_MODULES, dice);
                mutate(&mut bytes, self.any(dice), dice);
                ("random, mutated", bytes)
            }
            _ => {
                let mut bytes = self.any(dice).to_vec();
                mutate(&mut bytes, self.any(dice), dice);
                // The last manifest counts: the damage may have hit the first.
                if dice.bool() {
                    bytes.extend(manifest());
                }
                ("mutated", bytes)
            }
        }
    }

    /// The bundled ones are a hundred times as large, and take the compiler as much longer.
    fn any(&self, dice: &mut Rng) -> &[u8] {
        let among = if dice.u8(..4) == 0 { &self.bundled } else { &self.hostile };
        &among[dice.usize(..among.len())]
    }
}

/// A component of `wasm-smith`, valid but no plugin.
fn random(dice: &mut Rng) -> Vec<u8> {
    let config = config(dice);
    made(dice, |noise| Component::new(config.clone(), noise).map(|made| made.to_bytes()))
}

/// A core module of `wasm-smith`.
fn random_module(dice: &mut Rng) -> Vec<u8> {
    let config = config(dice);
    made(dice, |noise| Module::new(config.clone(), noise).map(|made| made.to_bytes()))
}

/// Mostly without what would end at the first look: imports that nobody knows, features that the compiler refuses.
fn config(dice: &mut Rng) -> Config {
    let all = dice.u8(..8) == 0;
    Config {
        max_imports: if all { 100 } else { 0 },
        gc_enabled: all,
        reference_types_enabled: all,
        exceptions_enabled: all,
        threads_enabled: all,
        ..Config::default()
    }
}

/// What is made of noise. Where `wasm-smith` fails, or panics, it gets other noise.
fn made(dice: &mut Rng, make: impl Fn(&mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>>) -> Vec<u8> {
    loop {
        let mut noise = vec![0; dice.usize(64..16 * 1024)];
        dice.fill(&mut noise);
        let made = catch_unwind(AssertUnwindSafe(|| make(&mut Unstructured::new(&noise))));
        if let Ok(Ok(bytes)) = made {
            return bytes;
        }
    }
}

/// With what makes the host take it for a plugin, mostly: so that the compiler, too, sees it.
fn dressed(mut bytes: Vec<u8>, exported: &[u8], dice: &mut Rng) -> Vec<u8> {
    if dice.u8(..8) > 0 {
        bytes.extend(export(exported));
    }
    if dice.u8(..8) > 0 {
        bytes.extend(manifest());
    }
    bytes
}
