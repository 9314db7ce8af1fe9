//! Compiled plugins on disk: `PU_HOME/cache/<key>.cwasm`, and beside it `<key>.seal`, which only this user's key makes.
//!
//! Invariant: machine code is loaded only if this host's own compiler wrote it. A compiled component never comes from
//! outside; the folder is the user's alone (0700, files 0600); an entry whose seal does not fit, or is missing, counts
//! as none and is made anew.
//!
//! A component that the compiler gave up on, or that the pool has no room for, is noted in `<key>.refused`, so that the
//! next daemon does not try it again.

use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pu_record::atomic;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::compile::{CompilerCommand, compile};
use super::failure::{FailureCode, PluginFailure};
use super::limits::CompileLimits;
use super::seal::SealKey;

/// The version of wasmtime is part of the compatibility hash too; this one is for people who look into the folder.
const RUNTIME: &str = "wasmtime-48";

#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    key: SealKey,
    /// What entries of this engine, and of no other, can be loaded by.
    compatibility: String,
}

/// Entries of other engines are kept for so long, for a user who goes back to an older release.
const OTHERS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The pool has no room for a component that begins larger than it allows.
const TOO_LARGE_AT_START: &str = "it wants more memory or larger tables at its start than a plugin gets";

/// The files of an entry.
struct Entry {
    /// What the files are called, without their endings.
    name: String,
    code: PathBuf,
    seal: PathBuf,
    refused: PathBuf,
}

impl Cache {
    pub(super) fn open(folder: &Path, engine: &Engine) -> Result<Self, PluginFailure> {
        atomic::create_private_folder(folder).map_err(|error| cache_failed(error.to_string()))?;
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let compatibility = hex(&hasher.0.finalize())[..16].to_owned();
        // Beside the folder: whoever brings a folder of entries along does not bring the key.
        let key = SealKey::open(&folder.with_extension("key"))?;
        let cache = Self { folder: folder.to_owned(), key, compatibility };
        cache.tidy();
        Ok(cache)
    }

    /// Removes what killed daemons left half made, and what engines of long ago left. One daemon has this folder.
    fn tidy(&self) {
        let ours = format!("-{RUNTIME}-{}.", self.compatibility);
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let age = entry.metadata().ok().and_then(|found| found.modified().ok()?.elapsed().ok());
            if name.starts_with('.') || (!name.contains(&ours) && age.is_some_and(|age| age > OTHERS_KEPT)) {
                // What cannot be removed takes room and does no other harm.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Why the compiler gave up on this component, or the pool has no room for it, if that was noted.
    pub(super) fn refused(&self, digest: &str) -> Option<PluginFailure> {
        let message = std::fs::read_to_string(self.entry(digest).refused).ok()?;
        let code = if message == TOO_LARGE_AT_START { FailureCode::MemoryLimit } else { FailureCode::CompileLimit };
        Some(PluginFailure::new(code, message))
    }

    /// Notes why this component is not to be compiled. Without the note it would be tried again.
    pub(super) fn refuse(&self, digest: &str, failure: &PluginFailure) {
        let noted = self.entry(digest).refused;
        if let Err(error) = atomic::write_volatile(&noted, failure.message.as_bytes(), atomic::PRIVATE_FILE) {
            tracing::warn!(%error, "that a plugin cannot be compiled could not be noted");
        }
    }

    /// The compiled component, if a sound entry for it exists.
    pub(super) fn get(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let entry = self.entry(digest);
        let seal = std::fs::read_to_string(&entry.seal).ok()?;
        let code = std::fs::read(&entry.code).ok()?;
        if self.key.seal(&entry.name, &code) != seal.trim() {
            tracing::warn!(path = %entry.code.display(), "a compiled plugin is not what was written: compiling it anew");
            return None;
        }
        match load(engine, &code) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %entry.code.display(), %error, "a compiled plugin cannot be loaded: compiling it anew");
                None
            }
        }
    }

    /// Compiles the component in the child process, keeps the outcome, and loads it.
    pub(super) fn make(
        &self,
        engine: &Engine,
        digest: &str,
        component: &[u8],
        command: &CompilerCommand,
        limits: CompileLimits,
    ) -> Result<Component, PluginFailure> {
        let entry = self.entry(digest);
        let source = self.unique(digest, "wasm");
        let fresh = self.unique(digest, "new");
        let written = |error: pu_record::RecordError| cache_failed(error.to_string());
        atomic::write_volatile(&source, component, atomic::PRIVATE_FILE).map_err(written)?;
        let compiled = compile(command, limits, &source, &fresh);
        let code = compiled.and_then(|()| {
            std::fs::read(&fresh).map_err(|error| cache_failed(format!("cannot read {}: {error}", fresh.display())))
        });
        let _ = atomic::remove_file(&source);
        let _ = atomic::remove_file(&fresh);
        let code = code?;
        // A compiler of another release, put in place under a running daemon, makes what this one cannot load.
        let loaded = load(engine, &code).map_err(|error| not_loaded(&format!("{error:#}")))?;
        let seal = self.key.seal(&entry.name, &code);
        // Code first: a seal without its code is no entry, and neither is code with another's seal.
        atomic::write_volatile(&entry.code, &code, atomic::PRIVATE_FILE).map_err(written)?;
        atomic::write_volatile(&entry.seal, seal.as_bytes(), atomic::PRIVATE_FILE).map_err(written)?;
        Ok(loaded)
    }

    fn entry(&self, digest: &str) -> Entry {
        let name = format!("{digest}-{RUNTIME}-{}", self.compatibility);
        let file = |ending: &str| self.folder.join(format!("{name}.{ending}"));
        Entry { code: file("cwasm"), seal: file("seal"), refused: file("refused"), name }
    }

    /// A file of this process alone.
    fn unique(&self, digest: &str, ending: &str) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!(".{digest}.{}-{number}.{ending}", std::process::id()))
    }
}

#[expect(unsafe_code, reason = "the one place where machine code is loaded")]
fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is what our own compiler's child wrote into a folder that only this user can write to: either
    // it was read back this moment from the child's file, or it bears the seal that was made of it when it was.
    unsafe { Component::deserialize(engine, code) }
}

/// Why what the compiler made cannot be loaded: the plugin's doing, or this machine's.
fn not_loaded(error: &str) -> PluginFailure {
    // The runtime has no type for this; each of its complaints about the pool's limits has these words.
    if error.contains("pooling allocator") {
        return PluginFailure::new(FailureCode::MemoryLimit, TOO_LARGE_AT_START);
    }
    cache_failed(format!("what the compiler made cannot be loaded: {error}"))
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn cache_failed(message: String) -> PluginFailure {
    PluginFailure::new(FailureCode::CacheFailed, message)
}

/// The standard hasher is neither stable between releases nor long enough for a name on disk.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::limits::{HostLimits, compiling_engine, running_engine};

    #[test]
    fn a_component_that_begins_larger_than_the_pool_allows_is_told_so() {
        let wat = "(component (core module $m (memory 2000)) (core instance (instantiate $m)))";
        let code = compiling_engine().unwrap().precompile_component(&wat::parse_str(wat).unwrap()).unwrap();
        let error = load(&running_engine(&HostLimits::default()).unwrap(), &code).map(|_| ()).unwrap_err();
        assert_eq!(not_loaded(&format!("{error:#}")).code, FailureCode::MemoryLimit, "{error:#}");
        assert_eq!(not_loaded("another version").code, FailureCode::CacheFailed);
    }
}
