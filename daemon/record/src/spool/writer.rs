//! The writing side of the spool; there is one writer, the agent's shim.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{LIMIT_MIN, Segment, list, segment_path};
use crate::atomic::{PRIVATE_FILE, create_private_folder};
use crate::fault;

/// Appends an agent's output.
///
/// Invariant: the offset counts every byte that was handed in, whether the disk took it or not. What the disk did not
/// take lies between two segments.
#[derive(Debug)]
pub struct SpoolWriter {
    folder: PathBuf,
    limit: u64,
    segment_limit: u64,
    /// Oldest first.
    segments: VecDeque<Segment>,
    /// The newest segment's file; none while nothing could be written at the present offset.
    file: Option<File>,
    end: u64,
    /// What lies before this offset has been synced, or was there when the spool was opened.
    synced: u64,
    /// The disk refused the last bytes.
    failing: bool,
    lost: u64,
}

impl SpoolWriter {
    /// Opens the spool in `folder`, which is made if need be, and goes on where an earlier writer stopped.
    pub fn open(folder: &Path, limit: u64) -> io::Result<Self> {
        create_private_folder(folder).map_err(io::Error::other)?;
        let segments: VecDeque<Segment> = list(folder)?.into();
        let limit = limit.max(LIMIT_MIN);
        let end = segments.back().map_or(0, Segment::end);
        Ok(Self {
            folder: folder.to_owned(),
            limit,
            segment_limit: (limit / 8).max(LIMIT_MIN / 4),
            end,
            synced: end,
            segments,
            file: None,
            failing: false,
            lost: 0,
        })
    }

    /// The oldest offset that is still there.
    pub fn start(&self) -> u64 {
        self.segments.front().map_or(self.end, |s| s.start)
    }

    /// The offset behind the last byte handed in.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Whether the disk refused the last bytes.
    pub fn is_failing(&self) -> bool {
        self.failing
    }

    /// How many bytes the disk refused in all.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What [`start`](Self::start) would be after `more` bytes: for one who must not let a reader fall out of the
    /// spool.
    pub fn start_after(&self, more: u64) -> u64 {
        let end = self.end + more;
        let mut kept = self.segments.iter().map(|s| s.start).take_while(|start| end - start >= self.limit);
        kept.by_ref().last().unwrap_or_else(|| self.start())
    }

    /// Appends `bytes`. The first failure of a row is reported; later ones only show in [`is_failing`] and the gap, so
    /// that a full disk is one message and not one per write. When the disk takes bytes again, the spool goes on.
    ///
    /// [`is_failing`]: Self::is_failing
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let before = self.end;
        let result = self.write(bytes);
        self.end = before + bytes.len() as u64;
        match result {
            Ok(()) => {
                self.failing = false;
                self.drop_oldest();
                Ok(())
            }
            Err(error) => {
                self.lost += self.end - self.segments.back().map_or(before, |s| s.end().max(before));
                let first = !std::mem::replace(&mut self.failing, true);
                if first { Err(error) } else { Ok(()) }
            }
        }
    }

    /// Makes what was appended so far outlive a power failure. An error is the first one; the other segments are synced
    /// all the same.
    pub fn sync(&mut self) -> io::Result<()> {
        let mut result = Ok(());
        for segment in self.segments.iter().filter(|s| s.end() > self.synced) {
            let opened = fault::io("sync:spool").and_then(|()| File::open(segment_path(&self.folder, segment.start)));
            let synced = opened.and_then(|file| file.sync_data());
            result = result.and(synced);
        }
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        result = result.and(folder);
        if result.is_ok() {
            self.synced = self.end;
        }
        result
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let at = self.end + (bytes.len() - rest.len()) as u64;
            let file = self.file_at(at)?;
            match fault::io("write:spool").and_then(|()| file.write(rest)) {
                Ok(0) => return self.give_up(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = &rest[written..];
                    if let Some(segment) = self.segments.back_mut() {
                        segment.len += written as u64;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.give_up(error),
            }
        }
        Ok(())
    }

    /// The file that takes the byte at offset `at`: the newest segment, or a new one if that is full or ends elsewhere.
    fn file_at(&mut self, at: u64) -> io::Result<&mut File> {
        let fits = self.segments.back().is_some_and(|s| s.end() == at && s.len < self.segment_limit);
        if fits && self.file.is_some() {
            return self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into());
        }
        let mut options = OpenOptions::new();
        options.append(true).mode(PRIVATE_FILE);
        fault::io("open:spool")?;
        let file = if fits {
            let start = self.segments.back().map_or(at, |s| s.start);
            options.open(segment_path(&self.folder, start))?
        } else {
            let file = options.create(true).open(segment_path(&self.folder, at))?;
            self.segments.push_back(Segment { start: at, len: 0 });
            file
        };
        Ok(self.file.insert(file))
    }

    /// Closes the newest segment after a failure, and removes it if it holds nothing.
    fn give_up(&mut self, error: io::Error) -> io::Result<()> {
        self.file = None;
        if let Some(empty) = self.segments.pop_back_if(|s| s.len == 0) {
            // An empty segment that stays is no harm: it holds no byte.
            let _ = fs::remove_file(segment_path(&self.folder, empty.start));
        }
        Err(error)
    }

    /// Drops segments as long as what stays is at least the limit.
    fn drop_oldest(&mut self) {
        while self.segments.len() > 1 {
            let kept: u64 = self.segments.iter().skip(1).map(|s| s.len).sum();
            if kept < self.limit {
                break;
            }
            let Some(oldest) = self.segments.pop_front() else { break };
            // One that cannot be removed costs space, not bytes; a reader still finds it.
            let _ = fs::remove_file(segment_path(&self.folder, oldest.start));
        }
    }
}
