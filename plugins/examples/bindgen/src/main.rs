//! `wit-bindgen c WIT --world WORLD --out-dir DIR`: what `pu plugin build` calls for a plugin in C, and nothing else of it.
//!
//! The generator is wit-bindgen's own. Its command line brings generators for seven more languages and a test runner with a
//! WebAssembly engine along, which takes minutes to compile; CI has seconds.

use std::error::Error;
use std::path::Path;
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ["c", wit, "--world", world, "--out-dir", out] = args[..] else {
        return Err("usage: wit-bindgen c WIT --world WORLD --out-dir DIR".into());
    };
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    std::fs::create_dir_all(out)?;
    for (name, bytes) in files.iter() {
        std::fs::write(Path::new(out).join(name), bytes)?;
    }
    Ok(())
}
