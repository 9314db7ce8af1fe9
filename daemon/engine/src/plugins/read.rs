//! Reads a plugin's file: a regular one, and no more of it than a plugin may have.
//!
//! A repository may bring anything under the name of a plugin: a pipe or a device is refused, never waited for. What the
//! bytes are is not looked at here.

use std::io::Read as _;
use std::path::Path;

use super::component::{COMPONENT_MAX, check_size};
use super::failure::{FailureCode, PluginFailure};
use crate::beneath::{self, Refusal};

/// The bytes of the file at a path whose links are resolved: what it was judged by is what is read. One that is too large
/// is not read; one that becomes it meanwhile gives one byte more than a plugin may have, so that it is told as that.
pub(super) fn read_plugin(path: &Path) -> Result<Vec<u8>, PluginFailure> {
    let cannot = |error: std::io::Error| unreadable(format!("cannot read {}: {error}", path.display()));
    let file = beneath::open_resolved(path).map_err(|refusal| match refusal {
        Refusal::NotRegular => unreadable(format!("{} is no regular file", path.display())),
        other => unreadable(format!("cannot read {}: {other}", path.display())),
    })?;
    let metadata = file.metadata().map_err(cannot)?;
    check_size(metadata.len())?;
    let mut bytes = Vec::new();
    file.take(COMPONENT_MAX as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

pub(super) fn unreadable(message: String) -> PluginFailure {
    PluginFailure::new(FailureCode::Unreadable, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_file_that_is_too_large_is_told_with_its_size_and_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("x.wasm");
        let file = File::create(&path).unwrap();
        file.set_len(COMPONENT_MAX as u64).unwrap();
        assert_eq!(read_plugin(&path).unwrap().len(), COMPONENT_MAX);
        // More than there is memory for.
        file.set_len(1 << 40).unwrap();
        let failure = read_plugin(&path).unwrap_err();
        assert_eq!(failure.code, FailureCode::TooLarge);
        assert!(failure.message.contains("1099511627776 bytes"), "{failure}");
    }
}
