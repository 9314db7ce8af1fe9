//! The lines of a file, one at a time, whatever a repository brings under its name: a line that is too long is passed over
//! and counted, of a file that is too long only a part is read, and what is no regular file is refused.
//!
//! Knows nothing of what stands in a line, and never holds more than one.

use crate::beneath;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Take};
use std::path::Path;

/// The longest line that is read, in bytes. A spawn's report holds a request, its context and what was left out of it.
const LONGEST: usize = 4 * pu_protocol::LINE_MAX;

pub(super) struct Lines {
    reader: BufReader<Take<File>>,
    line: Vec<u8>,
    too_long: u64,
}

impl Lines {
    /// Those that stand within the first bytes of a file.
    pub(super) fn beginning(path: &Path, at_most: u64) -> io::Result<Self> {
        let (file, _) = open(path)?;
        Ok(Self::of(file, at_most))
    }

    /// Those that stand within the last bytes of a file, without the line that they begin within.
    pub(super) fn end(path: &Path, at_most: u64) -> io::Result<Self> {
        let (mut file, length) = open(path)?;
        let start = length.saturating_sub(at_most);
        if start == 0 {
            return Ok(Self::of(file, at_most));
        }
        // The byte before tells whether a line begins here.
        file.seek(SeekFrom::Start(start - 1))?;
        let mut lines = Self::of(file, at_most + 1);
        lines.read()?;
        lines.too_long = 0;
        Ok(lines)
    }

    fn of(file: File, at_most: u64) -> Self {
        Self { reader: BufReader::new(file.take(at_most)), line: Vec::new(), too_long: 0 }
    }

    /// The next one, without its line break.
    pub(super) fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            match self.read()? {
                Found::Line => return Ok(Some(self.line.as_slice())),
                Found::TooLong => self.too_long += 1,
                Found::Nothing => return Ok(None),
            }
        }
    }

    /// How many were passed over until now.
    pub(super) fn too_long(&self) -> u64 {
        self.too_long
    }

    fn read(&mut self) -> io::Result<Found> {
        self.line.clear();
        let mut found = Found::Nothing;
        loop {
            let part = match self.reader.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                outcome => outcome?,
            };
            if part.is_empty() {
                return Ok(found);
            }
            let end = part.iter().position(|byte| *byte == b'\n');
            let text = &part[..end.unwrap_or(part.len())];
            if self.line.len() + text.len() > LONGEST {
                found = Found::TooLong;
            }
            if found != Found::TooLong {
                found = Found::Line;
                self.line.extend_from_slice(text);
            }
            let used = end.map_or(part.len(), |at| at + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(found);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Line,
    TooLong,
    Nothing,
}

/// A pipe or a device is refused, not waited for, and so is a link that leads out of the project.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = beneath::open_own(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut lines: Lines) -> (Vec<String>, u64) {
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push(String::from_utf8_lossy(line).into_owned());
        }
        (found, lines.too_long())
    }

    #[test]
    fn the_lines_of_a_part_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        pu_record::atomic::write_volatile(&path, b"one\n\ntwo\nthree", 0o600).unwrap();
        let end = |at_most| all(Lines::end(&path, at_most).unwrap()).0;
        assert_eq!(end(100), ["one", "", "two", "three"]);
        assert_eq!(end(14), ["one", "", "two", "three"]);
        assert_eq!(end(9), ["two", "three"]);
        assert_eq!(end(8), ["three"]);
        assert_eq!(end(0), Vec::<String>::new());
        assert_eq!(all(Lines::beginning(&path, 6).unwrap()).0, ["one", "", "t"]);
    }

    #[test]
    fn what_is_too_long_is_passed_over_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let text = format!("one\n{}\n{}\ntwo\n", "x".repeat(LONGEST + 1), "y".repeat(LONGEST));
        pu_record::atomic::write_volatile(&path, text.as_bytes(), 0o600).unwrap();
        let (found, too_long) = all(Lines::end(&path, u64::MAX - 1).unwrap());
        assert_eq!((found.len(), found[0].as_str(), found[2].as_str(), too_long), (3, "one", "two", 1));
    }

    #[test]
    fn a_device_a_folder_and_an_endless_file_hold_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("device");
        std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
        assert!(Lines::end(&device, 10).is_err() && Lines::beginning(folder.path(), 10).is_err());
        let sparse = folder.path().join("sparse");
        File::create(&sparse).unwrap().set_len(1 << 34).unwrap();
        let mut lines = Lines::end(&sparse, 16 * 1024 * 1024).unwrap();
        assert!(lines.next_line().unwrap().is_none() && lines.line.capacity() <= 2 * LONGEST);
    }
}
