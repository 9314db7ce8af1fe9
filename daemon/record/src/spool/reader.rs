//! The reading side of the spool; there may be any number of readers, in any process, at any time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Segment, gaps_between, list, segment_path};

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The offset of the first byte; later than asked for if there is a gap.
    pub offset: u64,
    /// Empty at the end of the spool.
    pub bytes: Vec<u8>,
    /// The bytes asked for first that are not there any more, or never reached the disk.
    pub gap: Option<(u64, u64)>,
}

/// Where a read into a buffer of the caller's found its bytes; see [`Chunk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAt {
    pub offset: u64,
    pub gap: Option<(u64, u64)>,
}

/// Reads a spool that may be growing.
#[derive(Debug, Clone)]
pub struct SpoolReader {
    folder: PathBuf,
}

impl SpoolReader {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The oldest offset that is there and the one behind the newest byte; both 0 if there is no spool.
    pub fn range(&self) -> io::Result<(u64, u64)> {
        let segments = self.segments()?;
        match (segments.first(), segments.last()) {
            (Some(first), Some(last)) => Ok((first.start, last.end())),
            _ => Ok((0, 0)),
        }
    }

    /// The holes within [`range`](Self::range).
    pub fn gaps(&self) -> io::Result<Vec<(u64, u64)>> {
        Ok(gaps_between(&self.segments()?))
    }

    /// Up to `max` bytes from `offset` on. Fewer do not mean the end; none do.
    pub fn read_from(&self, offset: u64, max: usize) -> io::Result<Chunk> {
        let mut bytes = Vec::new();
        let ReadAt { offset, gap } = self.read_into(offset, max, &mut bytes)?;
        Ok(Chunk { offset, bytes, gap })
    }

    /// As [`read_from`](Self::read_from), into a buffer that is emptied first.
    pub fn read_into(&self, offset: u64, max: usize, bytes: &mut Vec<u8>) -> io::Result<ReadAt> {
        loop {
            bytes.clear();
            let segments = self.segments()?;
            let Some(segment) = segments.iter().find(|s| s.len > 0 && s.end() > offset) else {
                return Ok(ReadAt { offset, gap: None });
            };
            let from = offset.max(segment.start);
            match read_segment(&self.folder, *segment, from, max, bytes) {
                Ok(()) => return Ok(ReadAt { offset: from, gap: (from > offset).then_some((offset, from)) }),
                // The writer dropped it in between: look again, the oldest offset is a later one now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The last `max` bytes, or all that are there.
    pub fn tail(&self, max: u64) -> io::Result<Chunk> {
        let (start, end) = self.range()?;
        let mut at = start.max(end.saturating_sub(max));
        let first = at;
        let mut whole = Chunk { offset: at, bytes: Vec::new(), gap: None };
        let mut piece = Vec::new();
        while at < end {
            let found = self.read_into(at, 1 << 20, &mut piece)?;
            if piece.is_empty() {
                break;
            }
            if let Some((from, to)) = found.gap {
                // A tail is a contiguous piece; what lies before a hole in it is not part of the tail.
                whole = Chunk { offset: to, bytes: Vec::new(), gap: Some((from.min(first), to)) };
            }
            whole.bytes.extend_from_slice(&piece);
            at = found.offset + piece.len() as u64;
        }
        Ok(whole)
    }

    fn segments(&self) -> io::Result<Vec<Segment>> {
        match list(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other,
        }
    }
}

fn read_segment(folder: &Path, segment: Segment, from: u64, max: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut file = File::open(segment_path(folder, segment.start))?;
    file.seek(SeekFrom::Start(from - segment.start))?;
    let length = (segment.end() - from).min(max as u64);
    file.take(length).read_to_end(bytes)?;
    Ok(())
}
