//! Writes a plugin that misbehaves to a file: for shows and for trying by hand.
//!
//!     hostile-plugin                       lists them, each with the code with which the host skips it
//!     hostile-plugin NAME FILE [SPEC]      writes one; SPEC is the id of a spec that exists

use pu_plugin_hostile::Hostile;
use std::error::Error;
use std::fs::File;
use std::io::Write as _;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [] => list(),
        [name, file] => write(name, file, ""),
        [name, file, spec] => write(name, file, spec),
        _ => Err("usage: hostile-plugin [NAME FILE [SPEC]]".into()),
    }
}

fn list() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for hostile in Hostile::ALL {
        writeln!(out, "{} {}", hostile.name(), hostile.code().unwrap_or("-"))?;
    }
    Ok(())
}

fn write(name: &str, file: &str, spec: &str) -> Result<(), Box<dyn Error>> {
    let hostile = Hostile::ALL.into_iter().find(|hostile| hostile.name() == name);
    let bytes = hostile.ok_or_else(|| format!("no hostile plugin is called {name}"))?.component(spec)?;
    File::create(file).and_then(|mut out| out.write_all(&bytes)).map_err(|e| format!("cannot write {file}: {e}").into())
}
