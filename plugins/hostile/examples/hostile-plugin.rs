//! Writes a plugin that misbehaves to a file: for shows and for trying by hand.
//!
//!     hostile-plugin                       lists them, each with the code with which the host skips it
//!     hostile-plugin NAME FILE [SPEC]      writes one; SPEC is the id of a spec that exists
//!     hostile-plugin flip NUMBER FROM FILE writes another plugin with a few bits turned over; NUMBER says which

use pu_plugin_hostile::{Hostile, Remembering, flipped};
use std::error::Error;
use std::fs::File;
use std::io::Write as _;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [] => list(),
        [flip, number, from, file] if flip == "flip" => put(file, &flipped(&std::fs::read(from)?, number.parse()?)),
        [name, file] => put(file, &made(name, "")?),
        [name, file, spec] => put(file, &made(name, spec)?),
        _ => Err("usage: hostile-plugin [NAME FILE [SPEC] | flip NUMBER FROM FILE]".into()),
    }
}

fn list() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for hostile in Hostile::ALL {
        writeln!(out, "{} {}", hostile.name(), hostile.code().unwrap_or("-"))?;
    }
    Ok(())
}

fn made(name: &str, spec: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    if let Some(hostile) = Hostile::ALL.into_iter().find(|hostile| hostile.name() == name) {
        return Ok(hostile.component(spec)?);
    }
    // Those that need a grant are written too, and not listed: by their file alone they do not run.
    let remembering = Remembering::ALL.into_iter().find(|remembering| remembering.name() == name);
    Ok(remembering.ok_or_else(|| format!("no hostile plugin is called {name}"))?.component(spec)?)
}

fn put(file: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    File::create(file).and_then(|mut out| out.write_all(bytes)).map_err(|e| format!("cannot write {file}: {e}").into())
}
