//! Compiled plugins for new worlds: those that come with the program are compiled once for all tests, not once in each.
//!
//! They are kept beside the programs under test, by the time at which the daemon's program was built. What a daemon makes of
//! them is its own affair: it checks them as it checks its own.

use crate::{programs, world::World};
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

const KEY: &str = "cache.key";
const CACHE: &str = "cache";

/// Puts compiled plugins into a `PU_HOME`.
pub(crate) fn seed(home: &Path) {
    let made = made();
    private_folder(&home.join(CACHE));
    copy(&made, home, KEY);
    for entry in std::fs::read_dir(made.join(CACHE)).expect("compiled plugins").flatten() {
        copy(&made.join(CACHE), &home.join(CACHE), &entry.file_name().to_string_lossy());
    }
}

/// The folder with the compiled plugins, which whoever comes first makes.
fn made() -> PathBuf {
    let program = std::fs::metadata(programs::folder().join("pu-engine")).expect("the daemon's program");
    let all = programs::folder().join("e2e-plugins");
    let of_program = all.join(format!("{}.{}-{}", program.mtime(), program.mtime_nsec(), program.size()));
    if of_program.exists() {
        return of_program;
    }
    std::fs::create_dir_all(&all).expect("a folder for compiled plugins");
    let lock = File::create(programs::folder().join("e2e-plugins.lock")).expect("a lock");
    lock.lock().expect("the lock");
    if !of_program.exists() {
        // Those of older programs: nobody runs these any more.
        std::fs::remove_dir_all(&all).expect("the folder is ours");
        std::fs::create_dir_all(&all).expect("a folder for compiled plugins");
        make(&all, &of_program);
    }
    of_program
}

fn make(all: &Path, of_program: &Path) {
    let world = World::cold();
    world.project(&[]).plugins_are_ready();
    world.pu(["daemon", "stop"]).output().ok();
    let new = tempfile::tempdir_in(all).expect("a folder");
    let home = world.home();
    private_folder(&new.path().join(CACHE));
    copy(home.root(), new.path(), KEY);
    for entry in std::fs::read_dir(home.cache()).expect("the cache").flatten() {
        copy(&home.cache(), &new.path().join(CACHE), &entry.file_name().to_string_lossy());
    }
    std::fs::rename(new.keep(), of_program).expect("a new folder");
}

fn private_folder(path: &Path) {
    std::fs::DirBuilder::new().mode(0o700).create(path).expect("a new folder");
}

fn copy(from: &Path, to: &Path, name: &str) {
    std::fs::copy(from.join(name), to.join(name)).expect("a copy");
}
