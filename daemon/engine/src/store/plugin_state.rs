//! What a project's plugins keep from one task to the next: `.pu/state/NAME.json`, a file a plugin.
//!
//! It knows nothing of how much a plugin may keep. A reader changes nothing: a damaged file is set aside by whoever
//! writes the next one. A repository may bring anything under these names: no link is followed, no pipe waited for, and a
//! lock that somebody keeps is given up on.

use super::{StoreError, set_aside_damaged};
use pu_protocol::Base64Bytes;
use pu_protocol::layout::ProjectLayout;
use pu_record::{RecordError, atomic, json};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const VERSION: u32 = 1;
/// No plugin's state takes more, however it is written down; what is larger is not ours.
const FILE_MAX: u64 = 8 * 1024 * 1024;

/// How long a lock that is not held by this process is waited for: a change takes milliseconds, and a spawn waits meanwhile.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(5);

/// Whose turn it is in this process, by folder. Its threads wait for each other as long as that takes, and lose nothing;
/// given up on is only what somebody else holds.
static TURNS: Mutex<BTreeMap<PathBuf, Arc<Mutex<()>>>> = Mutex::new(BTreeMap::new());

/// Values by key.
type Entries = BTreeMap<String, Vec<u8>>;

#[derive(Debug, Default, Serialize, Deserialize)]
struct StateFile {
    #[serde(default)]
    version: u32,
    #[serde(default)]
    entries: BTreeMap<String, Stored>,
    /// What a newer PurePoint wrote here.
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// A value, as a text wherever it is one that a person can read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Bytes { base64: Base64Bytes },
}

impl Stored {
    fn of(value: Vec<u8>) -> Self {
        let unseen = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        match String::from_utf8(value) {
            Ok(text) if !text.contains(unseen) => Self::Text(text),
            Ok(text) => Self::Bytes { base64: Base64Bytes(text.into_bytes()) },
            Err(error) => Self::Bytes { base64: Base64Bytes(error.into_bytes()) },
        }
    }

    fn value(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes { base64 } => base64.0,
        }
    }
}

/// What a plugin kept; nothing where it has kept nothing yet. Fails for a damaged file, and leaves it.
pub fn read_plugin_state(project: &ProjectLayout, plugin: &str) -> Result<Entries, StoreError> {
    check_folder(project)?;
    let file = read(&project.plugin_state(plugin))?.unwrap_or_default();
    Ok(file.entries.into_iter().map(|(key, value)| (key, value.value())).collect())
}

/// Reads, changes and writes what a plugin keeps, durably, under a lock that keeps out all others who change the state of
/// this project's plugins. Answers where a damaged file is now that was set aside for that.
pub fn update_plugin_state(
    project: &ProjectLayout,
    plugin: &str,
    change: impl FnOnce(&mut Entries),
) -> Result<Option<PathBuf>, StoreError> {
    with_state_lock(project, || change_state(project, plugin, change))
}

/// Does something to the files of the folder while all others who change them are kept out. Makes the folder.
pub(super) fn with_state_lock<T>(
    project: &ProjectLayout,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    check_folder(project)?;
    atomic::create_private_folder(&project.state())?;
    let until = Instant::now() + LOCK_WAIT;
    let turn = turn_of(project);
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    let _lock = lock(project, until)?;
    work()
}

fn change_state(
    project: &ProjectLayout,
    plugin: &str,
    change: impl FnOnce(&mut Entries),
) -> Result<Option<PathBuf>, StoreError> {
    let path = project.plugin_state(plugin);
    let (file, aside) = match read(&path) {
        Ok(file) => (file.unwrap_or_default(), None),
        Err(StoreError::Record(error)) if error.is_damaged() => {
            (StateFile::default(), Some(set_aside_damaged(&path, &error)?))
        }
        Err(error) => return Err(error),
    };
    let mut entries: Entries = file.entries.into_iter().map(|(key, value)| (key, value.value())).collect();
    let before = entries.clone();
    change(&mut entries);
    if entries != before {
        let entries = entries.into_iter().map(|(key, value)| (key, Stored::of(value))).collect();
        json::write(&path, &StateFile { version: VERSION, entries, extra: file.extra })?;
    }
    Ok(aside)
}

fn read(path: &Path) -> Result<Option<StateFile>, StoreError> {
    let refused = |source| StoreError::from(RecordError::Io { act: "read", path: path.into(), source });
    match std::fs::symlink_metadata(path) {
        // What it leads to would be copied into the project with the next change, as fields that are not known.
        Ok(found) if found.is_symlink() => {
            return Err(refused(io::Error::new(io::ErrorKind::InvalidInput, "it is a link")));
        }
        Ok(found) if found.len() > FILE_MAX => {
            let message = format!("it is over {FILE_MAX} bytes long");
            return Err(refused(io::Error::new(io::ErrorKind::FileTooLarge, message)));
        }
        _ => {}
    }
    match json::read_if_present::<StateFile>(path)? {
        Some(file) if file.version > VERSION => {
            Err(StoreError::Newer { path: path.into(), found: file.version, known: VERSION })
        }
        file => Ok(file),
    }
}

/// Fails where something else than a folder has its name: what a link leads to is not ours to read or to make private.
pub(super) fn check_folder(project: &ProjectLayout) -> Result<(), StoreError> {
    let path = project.state();
    match std::fs::symlink_metadata(&path) {
        Ok(found) if !found.is_dir() => {
            let source = io::Error::new(io::ErrorKind::NotADirectory, "it is a link or a file");
            Err(RecordError::Io { act: "use the folder", path, source }.into())
        }
        // One that cannot be looked at cannot be used either, which is told by whoever tries.
        _ => Ok(()),
    }
}

fn turn_of(project: &ProjectLayout) -> Arc<Mutex<()>> {
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(turns.entry(project.state()).or_default())
}

/// The lock is a file of its own, since a plugin's state is replaced at each write. It is tried once at least.
fn lock(project: &ProjectLayout, until: Instant) -> Result<File, StoreError> {
    let path = project.state_lock();
    let lock_error = |source| StoreError::Lock { path: path.clone(), source };
    let file = open_lock(&path).map_err(lock_error)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::park_timeout(LOOK),
            Err(TryLockError::WouldBlock) => {
                return Err(lock_error(io::Error::new(io::ErrorKind::TimedOut, "another process holds it")));
            }
            Err(TryLockError::Error(source)) => return Err(lock_error(source)),
        }
    }
}

/// Opens without following a link, and without waiting for the other end of a pipe.
fn open_lock(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file =
        OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn project() -> (tempfile::TempDir, ProjectLayout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = ProjectLayout::new(folder.path());
        std::fs::create_dir_all(layout.root()).unwrap();
        (folder, layout)
    }

    fn set(layout: &ProjectLayout, plugin: &str, key: &str, value: &[u8]) {
        let aside = update_plugin_state(layout, plugin, |entries| {
            entries.insert(key.to_owned(), value.to_vec());
        });
        assert_eq!(aside.unwrap(), None);
    }

    #[test]
    fn what_was_written_is_read_back_a_text_as_a_text_and_each_plugin_has_its_own() {
        let (_folder, layout) = project();
        assert_eq!(read_plugin_state(&layout, "a").unwrap(), Entries::new());
        let values: [(&str, &[u8]); 5] = [
            ("text", "zwölf\n".as_bytes()),
            ("empty", b""),
            ("nul", b"\0"),
            ("bytes", &[0xff, 0]),
            ("json", b"{\"a\":1}"),
        ];
        for (key, value) in values {
            set(&layout, "a", key, value);
        }
        set(&layout, "b", "text", b"of b");
        let expected: Entries = values.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect();
        assert_eq!(read_plugin_state(&layout, "a").unwrap(), expected);
        let text = std::fs::read_to_string(layout.plugin_state("a")).unwrap();
        assert!(text.contains("zwölf") && text.contains("\"base64\": \"/wA=\""), "{text}");
    }

    #[test]
    fn reading_a_damaged_file_leaves_it_and_writing_sets_it_aside() {
        let (_folder, layout) = project();
        set(&layout, "a", "k", b"v");
        atomic::write_atomic(&layout.plugin_state("a"), b"{\"version\":1,\"entr", 0o600).unwrap();
        let error = read_plugin_state(&layout, "a").unwrap_err();
        assert!(error.to_string().contains("a.json is damaged"), "{error}");
        let aside = update_plugin_state(&layout, "a", |entries| {
            assert!(entries.is_empty());
            entries.insert("k".into(), b"new".to_vec());
        });
        let aside = aside.unwrap().unwrap();
        assert!(aside.to_string_lossy().contains("a.json.damaged-"), "{}", aside.display());
        assert_eq!(std::fs::read(aside).unwrap(), b"{\"version\":1,\"entr");
        assert_eq!(read_plugin_state(&layout, "a").unwrap()["k"], b"new");
    }

    #[test]
    fn a_newer_file_and_one_that_is_too_large_are_left_alone() {
        let (_folder, layout) = project();
        set(&layout, "a", "k", b"v");
        let path = layout.plugin_state("a");
        atomic::write_atomic(&path, b"{\"version\":9}", 0o600).unwrap();
        let change = |entries: &mut Entries| entries.clear();
        assert!(matches!(update_plugin_state(&layout, "a", change), Err(StoreError::Newer { found: 9, .. })));
        File::options().write(true).open(&path).unwrap().set_len(FILE_MAX + 1).unwrap();
        for error in
            [read_plugin_state(&layout, "a").unwrap_err(), update_plugin_state(&layout, "a", change).unwrap_err()]
        {
            assert!(error.to_string().contains("over 8388608 bytes"), "{error}");
        }
        assert!(std::fs::metadata(&path).unwrap().len() > FILE_MAX);
    }

    #[test]
    fn unknown_fields_survive_and_no_change_writes_nothing() {
        let (_folder, layout) = project();
        set(&layout, "a", "k", b"v");
        let text = br#"{"version":1,"entries":{"k":"v"},"theme":{"x":1}}"#;
        atomic::write_atomic(&layout.plugin_state("a"), text, 0o600).unwrap();
        set(&layout, "a", "k", b"v");
        assert_eq!(std::fs::read(layout.plugin_state("a")).unwrap(), text);
        set(&layout, "a", "l", b"w");
        let value: Value = json::read(&layout.plugin_state("a")).unwrap();
        assert_eq!((&value["theme"]["x"], &value["entries"]["l"]), (&1.into(), &"w".into()));
    }

    fn refused(layout: &ProjectLayout) -> String {
        let change = |entries: &mut Entries| drop(entries.insert("k".into(), b"v".to_vec()));
        update_plugin_state(layout, "a", change).unwrap_err().to_string()
    }

    /// A repository can bring a link, and git stores it.
    #[test]
    fn a_link_in_place_of_the_folder_or_of_a_file_is_not_followed() {
        let (folder, layout) = project();
        let outside = folder.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::set_permissions(&outside, Permissions::from_mode(0o755)).unwrap();
        atomic::write_atomic(&outside.join("a.json"), b"{\"entries\":{\"of\":\"mine\"}}", 0o600).unwrap();
        symlink(&outside, layout.state()).unwrap();
        for error in [refused(&layout), read_plugin_state(&layout, "a").unwrap_err().to_string()] {
            assert!(error.contains("cannot use the folder") && error.contains("a link"), "{error}");
        }
        assert_eq!(std::fs::metadata(&outside).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1, "nothing was written there");

        std::fs::remove_file(layout.state()).unwrap();
        std::fs::create_dir(layout.state()).unwrap();
        symlink(outside.join("a.json"), layout.plugin_state("a")).unwrap();
        for error in [refused(&layout), read_plugin_state(&layout, "a").unwrap_err().to_string()] {
            assert!(error.contains("a.json: it is a link"), "{error}");
        }
        std::fs::remove_file(layout.state_lock()).unwrap();
        symlink(outside.join("made"), layout.state_lock()).unwrap();
        assert!(refused(&layout).contains("cannot lock"));
        assert!(!outside.join("made").exists());
    }

    #[test]
    fn a_lock_that_is_a_pipe_or_that_somebody_keeps_is_not_waited_for() {
        let (_folder, layout) = project();
        set(&layout, "a", "k", b"v");
        let held = open_lock(&layout.state_lock()).unwrap();
        held.lock().unwrap();
        let error = lock(&layout, Instant::now() + Duration::from_millis(20)).unwrap_err().to_string();
        assert!(error.contains("cannot lock") && error.contains("another process holds it"), "{error}");
        drop(held);
        drop(lock(&layout, Instant::now()).unwrap());

        std::fs::remove_file(layout.state_lock()).unwrap();
        mkfifo(&layout.state_lock(), Mode::S_IRWXU).unwrap();
        assert!(refused(&layout).contains("cannot lock"), "a pipe that nobody reads");
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let _reader = File::options().read(true).custom_flags(nonblocking).open(layout.state_lock()).unwrap();
        assert!(refused(&layout).contains("no regular file"), "a pipe that somebody reads");
        assert_eq!(read_plugin_state(&layout, "a").unwrap()["k"], b"v");
    }

    #[test]
    fn changes_at_the_same_time_lose_nothing() {
        let (_folder, layout) = project();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let layout = &layout;
                scope.spawn(move || {
                    for n in 0..10 {
                        set(layout, "a", &format!("{writer}/{n}"), b"x");
                    }
                });
            }
        });
        assert_eq!(read_plugin_state(&layout, "a").unwrap().len(), 40);
    }
}
