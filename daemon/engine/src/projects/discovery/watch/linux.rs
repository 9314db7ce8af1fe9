//! Folder by folder, by inotify.
//!
//! Not through `notify`, which asks for every opening, reading and writing of a file too and cannot be told otherwise: the
//! search itself, and any build in a watched folder, would wake the daemon thousands of times and overflow its queue.

use super::table::{Table, Watch};
use super::{Change, Refused};
use crate::projects::discovery::rules::GIT;
use pu_protocol::layout::HomeLayout;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a user may watch on this machine, and in this namespace of users.
const ALLOWED: [&str; 2] = ["/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches"];
/// Of a user's watches we take one in so many at most: editors, builds and our own spec indexes need some too.
const SHARE: usize = 2;
const BUFFER: usize = 16 * 1024;

/// One event as the system tells it, not yet held against the table: what is under way there goes first.
#[derive(Debug)]
pub(in crate::projects::discovery) struct Told {
    watch: Watch,
    events: ReadFlags,
    name: Option<OsString>,
    /// Why nothing more will be told.
    end: Option<Errno>,
}

/// All watches of discovery.
#[derive(Debug)]
pub(in crate::projects::discovery) struct Watches {
    /// Or why there is none.
    queue: Result<Arc<OwnedFd>, String>,
    table: Mutex<Table>,
    most: usize,
    /// The user's PurePoint folder, in which only files matter.
    home: PathBuf,
}

impl Watches {
    /// Begins to listen. Without the means everything can be asked all the same, and every watch is refused.
    pub(in crate::projects::discovery) fn start(
        home: &HomeLayout,
        tell: impl Fn(Told) -> bool + Send + 'static,
    ) -> Self {
        let queue = listen(home, tell).inspect_err(|why| tracing::warn!(why, "nothing can be watched for projects"));
        let allowed = ALLOWED.into_iter().filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok());
        let most = allowed.min().map_or(usize::MAX, |allowed: usize| allowed / SHARE);
        Self { queue, table: Mutex::default(), most, home: home.root().to_owned() }
    }

    /// Watches the user's PurePoint folder for changes to files.
    pub(in crate::projects::discovery) fn add_home(&self) -> Result<(), Refused> {
        self.put(&self.home, WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::DELETE)
    }

    /// Watches a root; the folders below it are watched each by itself.
    pub(in crate::projects::discovery) fn add_root(&self, folder: &Path) -> Result<(), Refused> {
        self.add(folder)
    }

    /// Watches a folder for what comes and goes in it.
    pub(in crate::projects::discovery) fn add(&self, folder: &Path) -> Result<(), Refused> {
        if folder == self.home {
            return Ok(());
        }
        let moves = WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO | WatchFlags::MOVE_SELF;
        let comes_and_goes = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::DELETE_SELF;
        self.put(folder, comes_and_goes | moves)
    }

    /// The lock is not held while the system is asked: a disk that does not answer keeps one thread, and not all.
    fn put(&self, folder: &Path, flags: WatchFlags) -> Result<(), Refused> {
        let queue = self.queue.as_ref().map_err(|why| Refused::Full(why.clone()))?;
        {
            let table = self.lock();
            if table.len() >= self.most && !table.has(folder) {
                let most = self.most;
                let why = format!("{most} folders are watched, which is our share of fs.inotify.max_user_watches");
                return Err(Refused::Full(why));
            }
        }
        let flags = flags | WatchFlags::ONLYDIR | WatchFlags::DONT_FOLLOW | WatchFlags::EXCL_UNLINK;
        let watch = inotify::add_watch(&**queue, folder, flags).map_err(refused)?;
        let replaced = self.lock().put(folder, watch);
        if let Some(replaced) = replaced {
            remove(queue, replaced);
        }
        Ok(())
    }

    /// Watches nothing any more at `folder` and below it, but for what is to stay.
    pub(in crate::projects::discovery) fn forget(&self, folder: &Path, stays: impl Fn(&Path) -> bool) {
        let Ok(queue) = &self.queue else { return };
        let taken = self.lock().take_from(folder, |path| path == self.home || stays(path));
        for watch in taken {
            remove(queue, watch);
        }
    }

    /// Forgets the watches that the system has dropped with their folders, where that was not heard.
    pub(in crate::projects::discovery) fn forget_dead(&self) {
        let Ok(queue) = &self.queue else { return };
        // Before the system is asked: what is put meanwhile is alive.
        let known = self.lock().all();
        let Ok(list) = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", queue.as_raw_fd())) else { return };
        let alive: HashSet<Watch> = list.lines().filter_map(listed).collect();
        // Some systems list none.
        if alive.is_empty() {
            return;
        }
        let mut table = self.lock();
        for watch in known.into_iter().filter(|watch| !alive.contains(watch)) {
            table.drop_watch(watch);
        }
    }

    /// How many folders are watched.
    pub(in crate::projects::discovery) fn count(&self) -> usize {
        self.lock().len()
    }

    /// What an event means by the folders as they are known now.
    pub(in crate::projects::discovery) fn understand(&self, told: Told) -> Vec<Change> {
        if let Some(end) = told.end {
            return vec![Change::Deaf(format!("the queue of inotify cannot be read any more: {end}"))];
        }
        if told.events.contains(ReadFlags::QUEUE_OVERFLOW) {
            return vec![Change::Missed];
        }
        let mut table = self.lock();
        // Of a folder that was forgotten since.
        let Some(folder) = table.folder(told.watch).cloned() else { return Vec::new() };
        if told.events.contains(ReadFlags::IGNORED) {
            table.drop_watch(told.watch);
            return Vec::new();
        }
        drop(table);
        let is_home = *folder == *self.home;
        changes(&folder, told, is_home)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an event in, or of, a watched folder says.
fn changes(folder: &Path, told: Told, is_home: bool) -> Vec<Change> {
    let events = told.events;
    let Some(name) = told.name else {
        if events.contains(ReadFlags::UNMOUNT) {
            return vec![Change::Unmounted(folder.to_owned())];
        }
        if is_home || !events.intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF) {
            return Vec::new();
        }
        // It may be the move to this very place, if a look met it here before that was heard.
        return vec![Change::Vanished(folder.to_owned()), Change::Appeared(folder.to_owned())];
    };
    let path = folder.join(&name);
    if is_home {
        return vec![Change::Written(path)];
    }
    // A worktree of git's has a file in the place of the folder. All other files are nobody's business here.
    if !events.contains(ReadFlags::ISDIR) && name != GIT {
        return Vec::new();
    }
    if events.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
        return vec![Change::Appeared(path)];
    }
    if events.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
        return vec![Change::Vanished(path)];
    }
    Vec::new()
}

/// A watch, as the system lists those of a queue.
fn listed(line: &str) -> Option<Watch> {
    let number = line.strip_prefix("inotify wd:")?.split(' ').next()?;
    Watch::from_str_radix(number, 16).ok()
}

/// A queue, and a thread that reads it for as long as the daemon lives: it sleeps while nothing happens.
fn listen(home: &HomeLayout, tell: impl Fn(Told) -> bool + Send + 'static) -> Result<Arc<OwnedFd>, String> {
    let queue = inotify::init(CreateFlags::CLOEXEC).map_err(|error| match error {
        Errno::MFILE => "this user has as many queues as fs.inotify.max_user_instances allows".to_owned(),
        error => format!("the system gives no queue of inotify: {error}"),
    })?;
    let queue = Arc::new(queue);
    let theirs = Arc::clone(&queue);
    let config = home.config().file_name().unwrap_or_default().to_owned();
    let read = move || read(&theirs, &config, tell);
    std::thread::Builder::new()
        .name("discovery-watch".into())
        .spawn(read)
        .map_err(|error| format!("there is no thread to listen: {error}"))?;
    Ok(queue)
}

/// Tells what is heard, but for files whose name is none that matters: those come and go all the time. Ends when nobody
/// takes what is told, or nothing more can be.
fn read(queue: &OwnedFd, config: &OsStr, tell: impl Fn(Told) -> bool) {
    let mut buffer = [MaybeUninit::uninit(); BUFFER];
    let mut reader = inotify::Reader::new(queue, &mut buffer);
    loop {
        let told = match reader.next() {
            Ok(event) => {
                let (events, name) = (event.events(), event.file_name().map(|name| OsStr::from_bytes(name.to_bytes())));
                let is_some_file = |name: &OsStr| !events.contains(ReadFlags::ISDIR) && name != GIT && name != config;
                if name.is_some_and(is_some_file) {
                    continue;
                }
                Told { watch: event.wd(), events, name: name.map(OsStr::to_owned), end: None }
            }
            Err(Errno::INTR) => continue,
            Err(error) => Told { watch: -1, events: ReadFlags::empty(), name: None, end: Some(error) },
        };
        let is_over = told.end.is_some();
        if !tell(told) || is_over {
            return;
        }
    }
}

fn refused(error: Errno) -> Refused {
    match error {
        Errno::NOSPC => Refused::Full("all watches that fs.inotify.max_user_watches allows are in use".to_owned()),
        Errno::NOMEM => Refused::Full("the system has no memory for another watch".to_owned()),
        Errno::NOENT | Errno::NOTDIR => Refused::Gone,
        error => Refused::Failed(error.to_string()),
    }
}

/// The system has often dropped it already, together with the folder.
fn remove(queue: &OwnedFd, watch: Watch) {
    if let Err(error) = inotify::remove_watch(queue, watch) {
        tracing::trace!(watch, %error, "no watch to remove");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    fn heard(watches: &Watches, told: &Receiver<Told>, wanted: &Change) {
        loop {
            let told = told.recv_timeout(Duration::from_secs(10)).unwrap();
            if watches.understand(told).contains(wanted) {
                return;
            }
        }
    }

    #[test]
    fn folders_that_come_go_and_move_are_heard_of_and_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let (sender, told) = channel();
        let watches = Watches::start(&HomeLayout::new(base.join("home")), move |told| sender.send(told).is_ok());
        watches.add(&base).unwrap();
        for file in ["file", "config.toml"] {
            std::fs::File::create(base.join(file)).unwrap();
        }
        std::fs::create_dir(base.join("a")).unwrap();
        let next = || watches.understand(told.recv_timeout(Duration::from_secs(10)).unwrap());
        assert_eq!(
            (next(), next()),
            (vec![], vec![Change::Appeared(base.join("a"))]),
            "the configuration is elsewhere"
        );
        watches.add(&base.join("a")).unwrap();
        std::fs::rename(base.join("a"), base.join("b")).unwrap();
        heard(&watches, &told, &Change::Vanished(base.join("a")));
        watches.forget(&base.join("a"), |_| false);
        heard(&watches, &told, &Change::Appeared(base.join("b")));
        std::fs::File::create(base.join(".git")).unwrap();
        heard(&watches, &told, &Change::Appeared(base.join(".git")));
        assert_eq!(watches.count(), 1);
        assert!(matches!(watches.add(&base.join("none")), Err(Refused::Gone)));
    }

    /// Watches go by folders, not by paths: a look that is under way asks for one anew where the folder lies by now.
    #[test]
    fn a_folder_that_was_met_at_its_new_place_is_not_taken_as_gone_from_there() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let (sender, told) = channel();
        let watches = Watches::start(&HomeLayout::new(base.join("home")), move |told| sender.send(told).is_ok());
        std::fs::create_dir(base.join("a")).unwrap();
        watches.add(&base.join("a")).unwrap();
        std::fs::rename(base.join("a"), base.join("b")).unwrap();
        watches.add(&base.join("b")).unwrap();
        heard(&watches, &told, &Change::Appeared(base.join("b")));
    }

    /// After too many changes nothing tells of the end of a watch, and it would count for ever.
    #[test]
    fn watches_whose_end_was_not_heard_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let watches = Watches::start(&HomeLayout::new(base.join("home")), |_| true);
        for name in ["a", "b"] {
            std::fs::create_dir(base.join(name)).unwrap();
            watches.add(&base.join(name)).unwrap();
        }
        std::fs::remove_dir(base.join("a")).unwrap();
        assert_eq!(watches.count(), 2, "nobody listens");
        watches.forget_dead();
        let table = watches.lock();
        assert!(table.len() == 1 && table.has(&base.join("b")));
    }

    #[test]
    fn in_the_home_files_count() {
        let folder = tempfile::tempdir().unwrap();
        let home = std::fs::canonicalize(folder.path()).unwrap();
        let (sender, told) = channel();
        let watches = Watches::start(&HomeLayout::new(&home), move |told| sender.send(told).is_ok());
        watches.add_home().unwrap();
        pu_record::atomic::write_atomic(&home.join("config.toml"), b"", 0o600).unwrap();
        heard(&watches, &told, &Change::Written(home.join("config.toml")));
    }

    #[test]
    fn no_more_than_its_share_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let mut watches = Watches::start(&HomeLayout::new(base.join("home")), |_| true);
        watches.most = 1;
        std::fs::create_dir(base.join("a")).unwrap();
        watches.add(&base).unwrap();
        watches.add(&base).unwrap();
        assert!(matches!(watches.add(&base.join("a")), Err(Refused::Full(why)) if why.contains("max_user_watches")));
        watches.forget(&base, |_| false);
        watches.add(&base.join("a")).unwrap();
    }
}
