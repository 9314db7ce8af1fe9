//! Seals what the compiler made, so that machine code from anywhere else is known as that, even with a digest that fits:
//! in a folder that was restored from a backup or came from another machine, or in the place of another plugin's code.
//!
//! The key lies beside the folder, not in it, and is this user's alone. It is no defence against those who can read it:
//! they can run programs as the user anyway.

use std::fmt;
use std::path::Path;

use pu_record::atomic;
use sha2::{Digest, Sha256};

use super::cache::hex;
use super::failure::{FailureCode, PluginFailure};

const KEY: usize = 32;
/// What SHA-256 takes in at a time, in bytes.
const BLOCK: usize = 64;

pub(super) struct SealKey([u8; KEY]);

impl SealKey {
    /// The key at `path`. Where there is none, or something that is no key, a new one: what was sealed before then counts
    /// as damaged.
    pub(super) fn open(path: &Path) -> Result<Self, PluginFailure> {
        let cannot = |why: String| PluginFailure::new(FailureCode::CacheFailed, why);
        if let Some(key) = std::fs::read(path).ok().and_then(|bytes| bytes.try_into().ok()) {
            return Ok(Self(key));
        }
        let mut key = [0; KEY];
        getrandom::fill(&mut key).map_err(|e| cannot(format!("the system gives no random numbers: {e}")))?;
        atomic::write_atomic(path, &key, atomic::PRIVATE_FILE).map_err(|error| cannot(error.to_string()))?;
        Ok(Self(key))
    }

    /// The seal of these bytes under this name, in hexadecimal.
    pub(super) fn seal(&self, name: &str, bytes: &[u8]) -> String {
        // No name has a NUL in it.
        self.hmac(&[name.as_bytes(), &[0], bytes])
    }

    /// HMAC with SHA-256, as RFC 2104 has it, of the parts one after the other.
    fn hmac(&self, parts: &[&[u8]]) -> String {
        let padded = |with: u8| {
            let mut block = [with; BLOCK];
            block.iter_mut().zip(&self.0).for_each(|(byte, key)| *byte ^= key);
            Sha256::new_with_prefix(block)
        };
        let mut inner = padded(0x36);
        parts.iter().for_each(|part| inner.update(part));
        let mut outer = padded(0x5c);
        outer.update(inner.finalize());
        hex(&outer.finalize())
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_the_standard_s_hmac() {
        // The first case of RFC 4231; a shorter key counts as if it ended in zeros.
        let mut key = [0; KEY];
        key[..20].fill(0x0b);
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(SealKey(key).hmac(&[b"Hi ", b"There"]), expected);
    }

    #[test]
    fn a_seal_holds_for_one_name_one_content_and_one_key() {
        let key = SealKey([7; KEY]);
        let seal = key.seal("a", b"code");
        assert_eq!(key.seal("a", b"code"), seal);
        for other in [key.seal("b", b"code"), key.seal("a", b"core"), SealKey([8; KEY]).seal("a", b"code")] {
            assert_ne!(other, seal);
        }
    }

    #[test]
    fn the_key_is_made_once_and_is_the_user_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.key");
        let first = SealKey::open(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SealKey::open(&path).unwrap().0, first.0);
        assert_ne!(first.0, [0; KEY]);
        atomic::write_volatile(&path, b"short", atomic::PRIVATE_FILE).unwrap();
        assert_ne!(SealKey::open(&path).unwrap().0, first.0, "what is no key is replaced");
        assert_eq!(format!("{first:?}"), "SealKey");
    }
}
