//! Reads one spec file, and only that: a regular file inside of the project, not larger than the limit.
//!
//! What is checked is the opened file, not its name, so that nothing can be put in its place between check and read. The
//! open never waits, not even on a FIFO.

use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::stamp::Stamp;
use crate::beneath;

/// A spec file's content as it was at `read_at`.
#[derive(Debug)]
pub(super) struct SpecFile {
    pub text: String,
    /// Bytes that are not UTF-8 were replaced.
    pub lossy: bool,
    /// SHA-256 of the bytes.
    pub revision: String,
    pub bytes: u64,
    pub stamp: Stamp,
    pub read_at: SystemTime,
}

/// Reads `path`, which is relative to the canonical `root`; the error says why it cannot be read, in words for the user.
pub(super) fn read(root: &Path, path: &str, max_bytes: u64) -> Result<SpecFile, String> {
    let read_at = SystemTime::now();
    let file = beneath::open(root, Path::new(path)).map_err(|refusal| refusal.to_string())?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(max_bytes)).unwrap_or(0) + 1);
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > max_bytes {
        return Err(format!("{} bytes is more than the limit of {max_bytes}", metadata.len()));
    }
    let revision = super::hex(&Sha256::digest(&bytes));
    let length = bytes.len() as u64;
    let (text, lossy) = match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
    };
    Ok(SpecFile { text, lossy, revision, bytes: length, stamp: Stamp::of(&metadata), read_at })
}

/// Reads a range of the bytes of `path` if the file is still the one that `stamp` is of, and trusted; `None` for whatever
/// else it may be. So nothing need be hashed to know the revision, and nothing read but the range.
pub(super) fn read_untouched(root: &Path, path: &str, stamp: Stamp, range: &Range<u64>) -> Option<String> {
    let file = beneath::open(root, Path::new(path)).ok()?;
    let untouched = || file.metadata().is_ok_and(|metadata| Stamp::of(&metadata) == stamp);
    if !untouched() {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(range.end.checked_sub(range.start)?).ok()?];
    file.read_exact_at(&mut bytes, range.start).ok()?;
    // Looked at again after reading, so that a write meanwhile is not missed.
    String::from_utf8(bytes).ok().filter(|_| untouched())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_range_is_read_of_an_untouched_file_in_the_project_and_of_nothing_else() {
        let world = tempfile::tempdir().unwrap();
        let folder = world.path().canonicalize().unwrap();
        let root = folder.join("project");
        fs::create_dir(&root).unwrap();
        let write = |text: &str| File::create(root.join("a.md")).unwrap().write_all(text.as_bytes()).unwrap();
        write("größe");
        let stamp = Stamp::of(&fs::metadata(root.join("a.md")).unwrap());
        let read = |stamp: Stamp, range: Range<u64>| read_untouched(&root, "a.md", stamp, &range);
        assert_eq!(read(stamp, 0..7).as_deref(), Some("größe"));
        assert_eq!(read(stamp, 2..6).as_deref(), Some("öß"));
        assert_eq!(read(stamp, 0..3), None, "half a character");
        assert_eq!(read(stamp, 0..8), None, "more than there is");
        assert_eq!(read(Stamp::default(), 0..7), None, "a stamp that was not trusted");
        fs::rename(root.join("a.md"), folder.join("b.md")).unwrap();
        symlink(folder.join("b.md"), root.join("a.md")).unwrap();
        assert_eq!(read(stamp, 0..7), None, "it leads outside");
        fs::remove_file(root.join("a.md")).unwrap();
        write("größer");
        assert_eq!(read(stamp, 0..7), None, "another file");
    }
}
