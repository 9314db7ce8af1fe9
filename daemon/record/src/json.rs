//! Records as JSON files: read with an error that tells missing from unreadable from damaged, written through
//! [`crate::atomic`], and set aside, never erased, when they are damaged.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{RecordError, atomic, timestamp};

/// The largest record that is read, in bytes: far more than any of ours, far less than a machine's memory.
const RECORD_MAX: u64 = 64 * 1024 * 1024;

/// Reads the record at `path`: a regular file of at most 64 MiB. A repository may bring anything under the name of one of
/// our files; a pipe or a device is refused, not waited for.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, RecordError> {
    let mut options = OpenOptions::new();
    // So that a named pipe without a writer does not hold the reader up.
    options.read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => RecordError::Missing { path: path.to_owned() },
        _ => RecordError::io("read", path)(source),
    })?;
    read_open(file, path)
}

/// As [`read`], of a file that was opened already.
pub fn read_open<T: DeserializeOwned>(file: File, path: &Path) -> Result<T, RecordError> {
    let bytes = bytes_of(file).map_err(RecordError::io("read", path))?;
    serde_json::from_slice(&bytes).map_err(|source| RecordError::Damaged { path: path.to_owned(), source })
}

fn bytes_of(file: File) -> io::Result<Vec<u8>> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    if found.len() > RECORD_MAX {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it is over {RECORD_MAX} bytes long")));
    }
    let mut bytes = Vec::new();
    file.take(RECORD_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As [`read`], with a missing file as `None`.
pub fn read_if_present<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RecordError> {
    match read(path) {
        Ok(record) => Ok(Some(record)),
        Err(RecordError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes `record` to `path`, atomically and durably, readable by its owner only.
pub fn write<T: Serialize>(path: &Path, record: &T) -> Result<(), RecordError> {
    atomic::write_atomic(path, &encode(path, record)?, atomic::PRIVATE_FILE)
}

/// As [`write`], for what is only true while this boot lasts.
pub fn write_volatile<T: Serialize>(path: &Path, record: &T) -> Result<(), RecordError> {
    atomic::write_volatile(path, &encode(path, record)?, atomic::PRIVATE_FILE)
}

fn encode<T: Serialize>(path: &Path, record: &T) -> Result<Vec<u8>, RecordError> {
    let mut bytes =
        serde_json::to_vec_pretty(record).map_err(|source| RecordError::Encode { path: path.to_owned(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Moves a damaged file out of the way, to `<name>.damaged-<date>` beside it, and says where it is now.
pub fn set_aside(path: &Path) -> Result<PathBuf, RecordError> {
    set_aside_at(path, &timestamp::for_file_name())
}

/// As [`set_aside`], with the date given.
pub fn set_aside_at(path: &Path, date: &str) -> Result<PathBuf, RecordError> {
    for attempt in 0..1000_u32 {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".damaged-{date}"));
        if attempt > 0 {
            name.push(format!("-{attempt}"));
        }
        let aside = path.with_file_name(name);
        // hard_link fails where rename would silently erase what was set aside in the same second.
        match std::fs::hard_link(path, &aside) {
            Ok(()) => {
                std::fs::remove_file(path).map_err(RecordError::io("remove the set-aside", path))?;
                return Ok(aside);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(RecordError::io("set aside", path)(error)),
        }
    }
    Err(RecordError::io("set aside", path)(ErrorKind::AlreadyExists.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_or_too_large_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let sparse = folder.path().join("sparse");
        File::create(&sparse).unwrap().set_len(RECORD_MAX + 1).unwrap();
        let device = folder.path().join("device");
        std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
        for path in [sparse.as_path(), device.as_path(), folder.path()] {
            let error = read::<serde_json::Value>(path).unwrap_err();
            assert!(matches!(error, RecordError::Io { .. }), "{error}");
        }
    }

    #[test]
    fn missing_unreadable_and_damaged_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        assert!(read::<Vec<u8>>(&path).unwrap_err().is_missing());
        assert_eq!(read_if_present::<Vec<u8>>(&path).unwrap(), None);

        write(&path, &vec![1_u8, 2]).unwrap();
        assert_eq!(read::<Vec<u8>>(&path).unwrap(), [1, 2]);

        atomic::write_atomic(&path, b"[1, 2", 0o600).unwrap();
        assert!(read_if_present::<Vec<u8>>(&path).unwrap_err().is_damaged());

        let error = read::<Vec<u8>>(folder.path()).unwrap_err();
        assert!(!error.is_missing() && !error.is_damaged(), "{error}");
    }

    #[test]
    fn setting_aside_never_erases_what_was_set_aside_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        let mut places = Vec::new();
        for content in [b"one", b"two"] {
            atomic::write_atomic(&path, content, 0o600).unwrap();
            places.push((set_aside_at(&path, "20261123T130501Z").unwrap(), content));
            assert!(!path.exists());
        }
        assert_eq!(places[0].0.file_name().unwrap(), "manifest.json.damaged-20261123T130501Z");
        for (place, content) in places {
            assert_eq!(std::fs::read(place).unwrap(), content);
        }
    }
}
