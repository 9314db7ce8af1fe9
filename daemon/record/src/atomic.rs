//! The one seam through which state reaches the disk: a reader sees the old file or the new one, never half of one.
//!
//! It knows nothing of what it writes, and it never retries: whether a full disk is worth waiting for is the caller's
//! to judge.

use std::fs::{DirBuilder, DirEntry, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::process::ProcessIdentity;
use crate::{RecordError, fault};

/// Files that only their owner reads and writes.
pub const PRIVATE_FILE: u32 = 0o600;
/// Folders that only their owner enters.
pub const PRIVATE_FOLDER: u32 = 0o700;

/// How long a line waits for the one that somebody else is just writing.
const LINE_LIMIT: Duration = Duration::from_secs(2);
const LINE_PAUSE: Duration = Duration::from_millis(1);

/// How much a write must outlive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// A power failure.
    Disk,
    /// The end of the process that wrote it.
    Boot,
}

/// Makes `path` hold exactly `bytes`, with the permissions `mode`, even if the power fails right after.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<(), RecordError> {
    replace(path, bytes, mode, Durability::Disk)
}

/// As [`write_atomic`], without the two fsyncs: for what is only true while this boot lasts.
pub fn write_volatile(path: &Path, bytes: &[u8], mode: u32) -> Result<(), RecordError> {
    replace(path, bytes, mode, Durability::Boot)
}

/// Makes durable what [`write_volatile`] wrote: for a record that must be readable at once and safe a little later.
pub fn make_durable(path: &Path) -> Result<(), RecordError> {
    let file = File::open(path).map_err(RecordError::io("open", path))?;
    fault::file("sync", path).and_then(|()| file.sync_all()).map_err(RecordError::io("sync", path))?;
    sync_folder_of(path)
}

fn replace(path: &Path, bytes: &[u8], mode: u32, durability: Durability) -> Result<(), RecordError> {
    let temporary = temporary_beside(path);
    let result = fill(path, &temporary, bytes, mode, durability).and_then(|()| {
        let renamed = fault::file("rename", path).and_then(|()| std::fs::rename(&temporary, path));
        renamed.map_err(RecordError::io("move the finished file to", path))?;
        fault::reach_file("renamed", path);
        match durability {
            Durability::Disk => sync_folder_of(path),
            Durability::Boot => Ok(()),
        }
    });
    if result.is_err() {
        // The error that is reported is the first one; a temporary file that cannot be removed either is harmless.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

/// Fills the file that is going to be `target`.
fn fill(target: &Path, temporary: &Path, bytes: &[u8], mode: u32, durability: Durability) -> Result<(), RecordError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let created = fault::file("create", target).and_then(|()| options.open(temporary));
    let mut file = created.map_err(RecordError::io("create", temporary))?;
    fault::write_all(&mut file, target, bytes).map_err(RecordError::io("write", temporary))?;
    // The mode given to open is cut by the umask.
    file.set_permissions(Permissions::from_mode(mode)).map_err(RecordError::io("set the permissions of", temporary))?;
    match durability {
        Durability::Disk => {
            fault::file("sync", target).and_then(|()| file.sync_all()).map_err(RecordError::io("sync", temporary))
        }
        Durability::Boot => Ok(()),
    }
}

/// A name in the same folder that no other writer, thread or process, uses at the same time.
fn temporary_beside(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

fn sync_folder_of(path: &Path) -> Result<(), RecordError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let handle = File::open(folder).map_err(RecordError::io("open the folder", folder))?;
    fault::file("sync-folder", path)
        .and_then(|()| handle.sync_all())
        .map_err(RecordError::io("sync the folder", folder))
}

/// Removes from `folder` the files that a writer left unfinished when it died. Those of a process that lives are its own.
pub fn remove_unfinished(folder: &Path) {
    for entry in left_by_the_dead(folder).filter(|entry| entry.file_type().is_ok_and(|t| t.is_file())) {
        // It harms nobody if it stays: no reader looks for it.
        let _ = std::fs::remove_file(entry.path());
    }
}

/// Removes from `folder` the folders that somebody who died was about to remove, see [`remove_folder`].
pub fn remove_unfinished_folders(folder: &Path) {
    for entry in left_by_the_dead(folder).filter(|entry| entry.file_type().is_ok_and(|t| t.is_dir())) {
        let _ = std::fs::remove_dir_all(entry.path());
    }
}

fn left_by_the_dead(folder: &Path) -> impl Iterator<Item = DirEntry> {
    let is_gone = |pid| ProcessIdentity::of(pid).is_none_or(|writer| !writer.is_alive());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(move |entry| entry.file_name().to_str().and_then(writer_of).is_some_and(is_gone))
}

/// Removes a folder with all that is in it; that it is not there is fine. It loses its name first: whoever looks finds it
/// whole or not at all, also where its remover dies in the middle.
pub fn remove_folder(path: &Path) -> Result<(), RecordError> {
    let leaving = temporary_beside(path);
    match std::fs::rename(path, &leaving) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        renamed => renamed.map_err(RecordError::io("remove", path))?,
    }
    std::fs::remove_dir_all(&leaving).map_err(|error| {
        // What is left of it is told of under its name.
        let _ = std::fs::rename(&leaving, path);
        RecordError::io("remove", path)(error)
    })
}

/// The process that a name of [`temporary_beside`] is of.
fn writer_of(name: &str) -> Option<i32> {
    let (_, writer) = name.strip_prefix('.')?.strip_suffix(".tmp")?.rsplit_once('.')?;
    let (pid, number) = writer.split_once('-')?;
    number.parse::<u64>().ok()?;
    pid.parse().ok()
}

/// Makes sure that `path` is a folder which only its owner can enter. Parents that are missing are made as private.
pub fn create_private_folder(path: &Path) -> Result<(), RecordError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(PRIVATE_FOLDER);
    let made = fault::io("create-folder").and_then(|()| builder.create(path));
    made.map_err(RecordError::io("create the folder", path))?;
    let mode = std::fs::metadata(path).map_err(RecordError::io("look at", path))?.permissions().mode();
    if mode & 0o777 == PRIVATE_FOLDER {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(PRIVATE_FOLDER))
        .map_err(RecordError::io("set the permissions of", path))
}

/// Appends `line` and a line break, durably, in one write: lines of concurrent writers never mix.
pub fn append_line(path: &Path, line: &str) -> Result<(), RecordError> {
    let mut file = open_to_append(path)?;
    write_line(&mut file, path, line)?;
    fault::file("sync", path).and_then(|()| file.sync_data()).map_err(RecordError::io("sync", path))
}

/// As [`append_line`], without the fsync: for logs.
pub fn append_line_volatile(path: &Path, line: &str) -> Result<(), RecordError> {
    let mut file = open_to_append(path)?;
    write_line(&mut file, path, line)
}

fn open_to_append(path: &Path) -> Result<File, RecordError> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(PRIVATE_FILE);
    let opened = fault::file("open", path).and_then(|()| open_regular(&mut options, path));
    opened.map_err(RecordError::io("open for appending", path))
}

/// Opens one of our files, to write to it or to lock it. A repository may bring anything under its name: a link is not
/// followed, a pipe or a device is refused and not waited for.
pub fn open_regular(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let refused = || io::Error::new(ErrorKind::InvalidInput, "it is a link or no regular file");
    match options.open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Ok(_) => Err(refused()),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Err(refused()),
        Err(error) => Err(error),
    }
}

fn write_line(file: &mut File, path: &Path, line: &str) -> Result<(), RecordError> {
    // A line that somebody is just writing would look like one that was cut off. Where there are no locks, and where
    // somebody keeps one, the worst that comes of it is an empty line.
    let locked = lock_in_time(file);
    let written = write_whole_line(file, path, line);
    if locked {
        // Closing the file would do it too, after the wait for the disk.
        let _ = file.unlock();
    }
    written
}

fn lock_in_time(file: &File) -> bool {
    let deadline = Instant::now() + LINE_LIMIT;
    loop {
        match file.try_lock() {
            Ok(()) => return true,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::park_timeout(LINE_PAUSE),
            Err(_) => return false,
        }
    }
}

fn write_whole_line(file: &mut File, path: &Path, line: &str) -> Result<(), RecordError> {
    let mut bytes = Vec::with_capacity(line.len() + 2);
    // A disk that was full has cut the last line off: this one must not be glued to it.
    if ends_within_a_line(file).map_err(RecordError::io("read the end of", path))? {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    fault::write_all(file, path, &bytes).map_err(RecordError::io("append to", path))
}

fn ends_within_a_line(file: &File) -> io::Result<bool> {
    let Some(last) = file.metadata()?.len().checked_sub(1) else { return Ok(false) };
    let mut byte = [0];
    let read = file.read_at(&mut byte, last)?;
    Ok(read == 1 && byte != [b'\n'])
}

/// Removes a file; that it is not there is fine.
pub fn remove_file(path: &Path) -> Result<(), RecordError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(RecordError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_write_replaces_the_whole_and_leaves_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        for (write, text) in [(write_atomic as fn(&Path, &[u8], u32) -> _, "long first text"), (write_volatile, "2nd")]
        {
            write(&path, text.as_bytes(), PRIVATE_FILE).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            assert_eq!(mode_of(&path), 0o600);
        }
        assert_eq!(names_in(folder.path()), ["a.json"]);
    }

    #[test]
    fn a_write_that_fails_names_the_path_and_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        let error = write_atomic(&taken, b"x", PRIVATE_FILE).unwrap_err().to_string();
        assert!(error.contains("taken") && error.contains("move"), "{error}");
        assert_eq!(names_in(folder.path()), ["taken"]);

        let nowhere = folder.path().join("no/such/folder/file");
        let error = write_atomic(&nowhere, b"x", PRIVATE_FILE).unwrap_err().to_string();
        assert!(error.contains("create") && error.contains("no/such/folder"), "{error}");
    }

    #[test]
    fn what_a_dead_writer_left_unfinished_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let own = temporary_beside(&folder.path().join("a.json"));
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        let theirs = folder.path().join(format!(".a.json.{}-7.tmp", ended.id()));
        let others =
            [".x.tmp", ".a.json.0x-1.tmp", "a.json.1-2.tmp", ".a.json.tmp"].map(|name| folder.path().join(name));
        for path in others.iter().chain([&own, &theirs]) {
            File::create(path).unwrap();
        }
        remove_unfinished(folder.path());
        assert!(!theirs.exists());
        assert!(others.iter().chain([&own]).all(|path| path.exists()), "{:?}", names_in(folder.path()));
    }

    #[test]
    fn a_folder_goes_at_once_and_what_a_dead_remover_left_of_one_goes_later() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("0a1b2c3d");
        let fill = |path: &Path| {
            std::fs::create_dir_all(path.join("output")).unwrap();
            File::create(path.join("launch.json")).unwrap();
        };
        fill(&record);
        remove_folder(&record).unwrap();
        remove_folder(&record).unwrap();
        assert_eq!(names_in(folder.path()), [""; 0]);
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        fill(&folder.path().join(format!(".0a1b2c3d.{}-7.tmp", ended.id())));
        fill(&record);
        remove_unfinished(folder.path());
        assert_eq!(names_in(folder.path()).len(), 2, "of files only");
        remove_unfinished_folders(folder.path());
        assert_eq!(names_in(folder.path()), ["0a1b2c3d"]);
    }

    #[test]
    fn folders_become_private_even_if_they_were_open() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x/y");
        create_private_folder(&deep).unwrap();
        assert_eq!((mode_of(&deep), mode_of(deep.parent().unwrap())), (0o700, 0o700));
        std::fs::set_permissions(&deep, Permissions::from_mode(0o755)).unwrap();
        create_private_folder(&deep).unwrap();
        assert_eq!(mode_of(&deep), 0o700);
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_take_the_next_one_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        write_atomic(&path, b"{\"a\":1}\n{\"b\":", PRIVATE_FILE).unwrap();
        append_line(&path, "{\"c\":3}").unwrap();
        append_line_volatile(&path, "{\"d\":4}").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"b\":\n{\"c\":3}\n{\"d\":4}\n");
    }

    #[test]
    fn lines_of_many_writers_stay_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for n in 0..25 {
                        append_line(path, &format!("{writer}:{n}:{}", "x".repeat(500))).unwrap();
                    }
                });
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 100);
        assert!(text.lines().all(|l| l.ends_with(&"x".repeat(500)) && l.len() < 510));
        assert_eq!(mode_of(&path), 0o600);
    }
    #[test]
    fn a_line_does_not_wait_for_ever_for_whoever_keeps_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let keeper = File::create(&path).unwrap();
        keeper.lock().unwrap();
        let (tell, written) = std::sync::mpsc::channel();
        let to = path.clone();
        std::thread::spawn(move || tell.send(append_line(&to, "{}")));
        written.recv_timeout(LINE_LIMIT * 10).unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n");
    }

    #[test]
    fn a_line_goes_into_no_file_that_is_linked_to_and_into_no_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, link, pipe) =
            (folder.path().join("victim"), folder.path().join("link"), folder.path().join("pipe"));
        File::create(&victim).unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [&link, &pipe] {
            assert!(matches!(append_line(path, "{}"), Err(RecordError::Io { .. })), "{}", path.display());
        }
        assert_eq!(std::fs::read(&victim).unwrap(), b"");
    }
}
