//! The output spool: everything an agent wrote, in a folder of append-only segment files, addressed by an offset that
//! only ever grows.
//!
//! A segment's name is the offset of its first byte, in 20 digits. Where a segment begins later than the one before
//! it ends, the bytes between were lost (a full disk, say), and a reader is told so. The oldest segments are dropped
//! whole, and only while what stays is at least the limit.
//!
//! The spool holds bytes. It knows nothing of terminals, and it never waits for a reader.

mod reader;
mod writer;

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::atomic;

pub use reader::{Chunk, ReadAt, SpoolReader};
pub use writer::SpoolWriter;

/// What is kept at the very least, whatever a limit says.
pub const LIMIT_MIN: u64 = 1024 * 1024;

/// One file of the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    start: u64,
    len: u64,
}

impl Segment {
    fn end(&self) -> u64 {
        // A name is what somebody may have damaged.
        self.start.saturating_add(self.len)
    }
}

fn segment_path(folder: &Path, start: u64) -> PathBuf {
    folder.join(format!("{start:020}"))
}

/// The segments in `folder`, oldest first. Files with other names are not the spool's and are passed over.
fn list(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let start = name.to_str().filter(|n| n.len() == 20 && n.bytes().all(|b| b.is_ascii_digit()));
        let Some(start) = start.and_then(|n| n.parse().ok()) else { continue };
        match entry.metadata() {
            Ok(metadata) => segments.push(Segment { start, len: metadata.len() }),
            // Dropped by the writer between the listing and the look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    segments.sort_unstable_by_key(|s| s.start);
    Ok(segments)
}

/// How many bytes of a spool are kept.
pub fn kept(folder: &Path) -> io::Result<u64> {
    match list(folder) {
        Ok(segments) => Ok(segments.iter().map(|segment| segment.len).sum()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// When the bytes that are kept of a spool were written, the last of them; `None` where none are. An empty segment that only
/// says where a spool ended tells when it was dropped, and does not count.
pub fn last_written(folder: &Path) -> io::Result<Option<SystemTime>> {
    let segments = match list(folder) {
        Ok(segments) => segments,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut last = None;
    for segment in segments.iter().filter(|segment| segment.len > 0) {
        last = last.max(Some(fs::metadata(segment_path(folder, segment.start))?.modified()?));
    }
    Ok(last)
}

/// Drops all that is kept of a spool that nobody writes to any more, but for where it ended: whoever asks for its bytes is
/// told how many are gone. Answers how many went.
pub fn drop_kept(folder: &Path) -> io::Result<u64> {
    let segments = list(folder)?;
    let Some(last) = segments.last() else { return Ok(0) };
    // First of all, so that the end is known whatever comes in between.
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(atomic::PRIVATE_FILE);
    options.open(segment_path(folder, last.end()))?;
    let mut dropped = 0;
    for segment in segments.iter().filter(|segment| segment.len > 0) {
        fs::remove_file(segment_path(folder, segment.start))?;
        dropped += segment.len;
    }
    Ok(dropped)
}

/// The holes between segments.
fn gaps_between(segments: &[Segment]) -> Vec<(u64, u64)> {
    segments.windows(2).filter(|w| w[0].end() < w[1].start).map(|w| (w[0].end(), w[1].start)).collect()
}

#[cfg(test)]
mod tests;
