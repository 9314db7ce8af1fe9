//! The configuration of a project as it stands, read anew when a file changes; a file that becomes faulty changes nothing.
//!
//! What was read last without a fault stays in force until the fault is mended, and whoever is answered meanwhile is told.
//! Only in memory: a daemon that starts finds the files as they are.

use super::Config;
use super::fault::Fault;
use super::read::{ConfigFile, Loaded, load};
use super::values;
use crate::projects::ProjectError;
use pu_protocol::config::ConfigValue;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often a file is read anew that changes while it is read.
const TRIES: usize = 3;

/// A change that is no older may be followed by another one that leaves the same stamp.
const UNSETTLED: Duration = Duration::from_millis(50);

/// The merged configuration and what the files looked like when they were read.
#[derive(Debug)]
pub(in crate::projects) struct ConfigCache {
    /// The user's and, of a project, then its own.
    files: Vec<ConfigFile>,
    /// Held while the files are read, so that they are read once.
    last: Mutex<Option<Last>>,
}

#[derive(Debug)]
struct Last {
    /// `None` where the files must be read anew whatever they look like.
    seen: Option<Stamps>,
    now: Result<Arc<Loaded>, Fault>,
    /// What was read last without a fault.
    kept: Option<Arc<Loaded>>,
}

/// The texts of the files that are in force; empty where there is no file, or none could be used yet.
#[derive(Debug, Default)]
pub(in crate::projects) struct Texts {
    pub(in crate::projects) user: String,
    /// The project's own.
    pub(in crate::projects) own: String,
}

impl Texts {
    fn of(loaded: &Loaded) -> Self {
        let mut texts = Self::default();
        for source in &loaded.sources {
            let text = if source.file.is_users() { &mut texts.user } else { &mut texts.own };
            text.clone_from(&source.text);
        }
        texts
    }
}

type Stamps = Vec<Option<Stamp>>;

/// What a file looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    /// Moves with every change, also where somebody sets the other one back.
    changed: (i64, i64),
}

impl ConfigCache {
    pub(in crate::projects) fn of_user(user: PathBuf) -> Self {
        Self { files: vec![ConfigFile::of_user(user)], last: Mutex::default() }
    }

    pub(in crate::projects) fn of_project(user: PathBuf, project: PathBuf, root: &Path) -> Self {
        Self { files: vec![ConfigFile::of_user(user), ConfigFile::of_project(project, root)], last: Mutex::default() }
    }

    /// What is in force: what the files say, or what they said before one became faulty. Costs two `stat` calls while
    /// nothing changes.
    pub(in crate::projects) fn current(&self) -> Result<Arc<Config>, ProjectError> {
        Ok(Arc::clone(&self.in_force()?.config))
    }

    /// What the files say now, for whoever is about to change one.
    pub(in crate::projects) fn sound(&self) -> Result<Arc<Config>, ProjectError> {
        Ok(Arc::clone(&self.look().0?.config))
    }

    /// What is wrong with the files now, if anything is.
    pub(in crate::projects) fn fault(&self) -> Option<String> {
        match self.look() {
            (Ok(_), _) => None,
            (Err(fault), None) => Some(fault.to_string()),
            (Err(fault), Some(_)) => {
                Some(format!("{fault}; until that is mended, what was configured before stays in force"))
            }
        }
    }

    /// The text of the file that wins, as it is; empty where there is none.
    pub(in crate::projects) fn own_text(&self) -> Result<String, ProjectError> {
        Ok(self.files.last().map_or_else(|| Ok(String::new()), ConfigFile::text)?)
    }

    /// The values in force.
    pub(in crate::projects) fn values(&self) -> Result<Vec<ConfigValue>, ProjectError> {
        let loaded = self.in_force()?;
        Ok(values::of(&loaded)?)
    }

    /// What acts, as it is written: not what the files say now, where one of them is faulty.
    pub(in crate::projects) fn texts(&self) -> Texts {
        self.in_force().map(|loaded| Texts::of(&loaded)).unwrap_or_default()
    }

    /// What is in force, with the very texts that say it: the files may say something else at the next look.
    pub(in crate::projects) fn current_with_texts(&self) -> Result<(Arc<Config>, Texts), ProjectError> {
        let loaded = self.in_force()?;
        Ok((Arc::clone(&loaded.config), Texts::of(&loaded)))
    }

    fn in_force(&self) -> Result<Arc<Loaded>, Fault> {
        let (now, kept) = self.look();
        now.or_else(|fault| kept.ok_or(fault))
    }

    /// What the files say now, and what they said last without a fault.
    fn look(&self) -> (Result<Arc<Loaded>, Fault>, Option<Arc<Loaded>>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.stamps();
        if let Some(last) = &*last
            && last.seen.as_ref() == Some(&stamps)
        {
            return (last.now.clone(), last.kept.clone());
        }
        let (seen, now) = self.read(stamps);
        let before = last.take();
        if let Err(fault) = &now
            && before.as_ref().and_then(|before| before.now.as_ref().err()) != Some(fault)
        {
            tracing::warn!(%fault, "a configuration cannot be used");
        }
        let kept = now.as_ref().ok().cloned().or_else(|| before.and_then(|before| before.kept));
        *last = Some(Last { seen, now: now.clone(), kept: kept.clone() });
        (now, kept)
    }

    /// What the files say, and what they look like, if they stood still for that.
    fn read(&self, stamps: Stamps) -> (Option<Stamps>, Result<Arc<Loaded>, Fault>) {
        let mut before = stamps;
        for _ in 1..TRIES {
            let read = self.load();
            let after = self.stamps();
            if after == before {
                return (is_settled(&after).then_some(after), read);
            }
            before = after;
        }
        (None, self.load())
    }

    fn load(&self) -> Result<Arc<Loaded>, Fault> {
        load(&self.files).map(Arc::new)
    }

    fn stamps(&self) -> Stamps {
        self.files.iter().map(|file| Stamp::of(file.path())).collect()
    }
}

impl Stamp {
    /// Of a link that leads to nothing, the link's.
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).or_else(|_| std::fs::symlink_metadata(path)).ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    fn changed(&self) -> Option<SystemTime> {
        let (seconds, nanoseconds) = (u64::try_from(self.changed.0).ok()?, u32::try_from(self.changed.1).ok()?);
        UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
    }
}

fn is_settled(stamps: &[Option<Stamp>]) -> bool {
    let now = SystemTime::now();
    let is_old = |stamp: &Stamp| {
        stamp.changed().and_then(|changed| now.duration_since(changed).ok()).is_some_and(|age| age > UNSETTLED)
    };
    stamps.iter().flatten().all(is_old)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        _folder: tempfile::TempDir,
        project: PathBuf,
        user: PathBuf,
        cache: ConfigCache,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().canonicalize().unwrap();
            let (user, project) = (root.join("user.toml"), root.join("project.toml"));
            let cache = ConfigCache::of_project(user.clone(), project.clone(), &root);
            Self { _folder: folder, project, user, cache }
        }

        fn rows(&self) -> u16 {
            self.cache.current().unwrap().terminal.rows
        }
    }

    fn write(path: &Path, text: &str) {
        pu_record::atomic::write_atomic(path, text.as_bytes(), 0o600).unwrap();
    }

    #[test]
    fn a_change_is_seen_at_once_and_so_is_one_of_the_same_length() {
        let world = World::new();
        assert_eq!(world.rows(), 50);
        for rows in 10..20 {
            write(&world.project, &format!("[terminal]\nrows = {rows}\n"));
            assert_eq!(world.rows(), rows);
        }
        // In place, and so quickly that the clock of the file system does not move.
        for rows in 10..20 {
            let mut file = std::fs::OpenOptions::new().write(true).open(&world.project).unwrap();
            std::io::Write::write_all(&mut file, format!("[terminal]\nrows = {rows}\n").as_bytes()).unwrap();
            assert_eq!(world.rows(), rows);
        }
        std::fs::remove_file(&world.project).unwrap();
        assert_eq!(world.rows(), 50);
    }

    #[test]
    fn what_was_good_stays_in_force_until_the_fault_is_mended() {
        let world = World::new();
        write(&world.project, "[terminal]\nrows = 7\n");
        assert_eq!((world.rows(), world.cache.fault()), (7, None));
        write(&world.project, "[terminal]\nrows = 8\ncolz = 3\n");
        assert_eq!(world.rows(), 7);
        let fault = world.cache.fault().unwrap();
        assert!(fault.contains("line 3: unknown key `terminal.colz`") && fault.contains("stays in force"), "{fault}");
        assert!(matches!(world.cache.sound(), Err(ProjectError::Config { .. })));
        let rows = world.cache.values().unwrap().into_iter().find(|value| value.key == "terminal.rows").unwrap();
        assert_eq!(rows.value, 7, "what is shown is what is in force");
        // Another file that becomes faulty is told too, and the first one's fault is forgotten when it is mended.
        write(&world.user, "rows = 3\n");
        write(&world.project, "[terminal]\nrows = 9\n");
        assert!(world.cache.fault().unwrap().contains("user.toml: line 1"));
        assert_eq!(world.rows(), 7);
        std::fs::remove_file(&world.user).unwrap();
        assert_eq!((world.rows(), world.cache.fault()), (9, None));
        assert!(world.cache.sound().is_ok());
    }

    #[test]
    fn without_anything_good_before_a_fault_is_an_error() {
        let world = World::new();
        write(&world.project, "nonsense");
        assert!(matches!(world.cache.current(), Err(ProjectError::Config { .. })));
        assert!(!world.cache.fault().unwrap().contains("stays in force"));
        write(&world.project, "");
        assert_eq!(world.rows(), 50);
    }

    #[test]
    fn what_changed_a_moment_ago_is_looked_at_again() {
        let world = World::new();
        write(&world.project, "");
        let stamp = Stamp::of(&world.project).unwrap();
        assert!(!is_settled(&[None, Some(stamp)]));
        assert!(is_settled(&[None, Some(Stamp { changed: (stamp.changed.0 - 10, 0), ..stamp })]));
        assert!(is_settled(&[None, None]));
    }
}
