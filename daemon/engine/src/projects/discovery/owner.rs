//! The thread that discovery lives in: it alone knows what is watched and what was found, and acts on what it hears.
//!
//! It sleeps while nothing happens. It looks at the disk before it believes anything, through threads that it can leave
//! behind (`walk`), and what a project is it leaves to the registry.

use super::condition::Condition;
use super::config::DiscoveryConfig;
use super::news::News;
use super::places::{self, Awaited};
use super::poll::Parts;
use super::scan::{Outcome, Place, Plan, Root, Start, scan};
use super::watch::{Change, Told, Watches};
use crate::events::Events;
use crate::projects::{ProjectError, Projects};
use pu_protocol::layout::HomeLayout;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What follows within this time is taken in together: a move is two changes, and many make a clone.
const TOGETHER: Duration = Duration::from_millis(5);
/// As many messages as are taken in together.
const TOGETHER_MAX: usize = 4096;
/// After changes were missed everything is looked at, but not more often than one in so many parts of the time.
const REST: u32 = 4;

/// What the thread is told.
pub(super) enum Message {
    Told(Told),
    /// A folder that was given up answers.
    Late(PathBuf),
    /// Projects that a request found; how many of them were news.
    Found(BTreeSet<PathBuf>, SyncSender<Result<usize, ProjectError>>),
    /// Look at everything, and say how many projects were news.
    Look(SyncSender<usize>),
}

/// What it is given.
pub(super) struct Means {
    pub(super) projects: Projects,
    pub(super) events: Events,
    pub(super) home: HomeLayout,
    /// The user's home, which `~` stands for.
    pub(super) user_home: Option<PathBuf>,
    /// The daemon ends: nothing is written any more.
    pub(super) is_over: Box<dyn Fn() -> bool + Send>,
    pub(super) condition: Arc<Mutex<Condition>>,
}

pub(super) struct Owner {
    pub(super) means: Means,
    inbox: Receiver<Message>,
    sender: SyncSender<Message>,
    pub(super) watches: Arc<Watches>,
    pub(super) config: DiscoveryConfig,
    pub(super) roots: Vec<Arc<Root>>,
    pub(super) awaited: Vec<Awaited>,
    /// Projects below the roots that are there.
    pub(super) seen: BTreeSet<PathBuf>,
    pub(super) silent: BTreeSet<PathBuf>,
    pub(super) parts: Parts,
    /// Why some parts are not watched, from the first time on that this is so.
    pub(super) limited: Option<String>,
    /// Changes may have been missed: when everything is looked at.
    pub(super) look_at: Option<Instant>,
    /// When the last look at everything ended, and how long it took.
    last: Option<(Instant, Duration)>,
    /// What happens in the user's PurePoint folder is heard of.
    hears_home: bool,
    /// A change of the user's configuration is heard of; else it is read again and again.
    hears_config: bool,
    config_read: Instant,
}

impl Owner {
    pub(super) fn new(means: Means, inbox: Receiver<Message>, sender: SyncSender<Message>) -> Self {
        let teller = sender.clone();
        let watches = Watches::start(&means.home, move |told| teller.send(Message::Told(told)).is_ok());
        Self {
            means,
            inbox,
            sender,
            watches: Arc::new(watches),
            // Nothing, until the user's file was read.
            config: DiscoveryConfig { roots: Vec::new(), ..DiscoveryConfig::default() },
            roots: Vec::new(),
            awaited: Vec::new(),
            seen: BTreeSet::new(),
            silent: BTreeSet::new(),
            parts: Parts::default(),
            limited: None,
            look_at: None,
            last: None,
            hears_home: false,
            hears_config: false,
            config_read: Instant::now(),
        }
    }

    /// For as long as the daemon lives.
    pub(super) fn run(mut self) {
        match self.watches.add_home() {
            Ok(()) => self.hears_home = true,
            Err(refused) => tracing::warn!(?refused, "a change of the user's configuration is not heard of"),
        }
        self.configure();
        loop {
            let Some(messages) = self.wait() else { return };
            if (self.means.is_over)() {
                return;
            }
            self.take(messages);
            self.tell();
        }
    }

    /// Waits for something to do; `None` if nothing will come any more.
    fn wait(&mut self) -> Option<Vec<Message>> {
        let first = match self.due() {
            None => self.inbox.recv().ok()?,
            Some(at) => match self.inbox.recv_timeout(at.saturating_duration_since(Instant::now())) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => return Some(Vec::new()),
                Err(RecvTimeoutError::Disconnected) => return None,
            },
        };
        let (mut messages, until) = (vec![first], Instant::now() + TOGETHER);
        while messages.len() < TOGETHER_MAX
            && let Ok(next) = self.inbox.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            messages.push(next);
        }
        Some(messages)
    }

    fn due(&mut self) -> Option<Instant> {
        let poll = self.parts.due(self.config.poll_every(), Instant::now());
        [poll, self.look_at, self.config_due()].into_iter().flatten().min()
    }

    /// When the configuration is to be read, where a change of it is not heard of.
    fn config_due(&self) -> Option<Instant> {
        (!self.hears_config).then(|| self.config_read + self.config.poll_every())
    }

    fn take(&mut self, messages: Vec<Message>) {
        let (mut news, mut asked) = (News::default(), Vec::new());
        let config = self.means.home.config();
        for message in messages {
            match message {
                Message::Told(told) => {
                    for change in self.watches.understand(told) {
                        if let Change::Vanished(path) = &change {
                            // At once: another folder of that name may be among what came.
                            self.watches.forget(path, |_| false);
                        }
                        news.add(change, &config);
                    }
                }
                Message::Late(folder) => {
                    tracing::info!(folder = %folder.display(), "answers again");
                    self.silent.remove(&folder);
                    news.appeared.insert(folder);
                }
                Message::Found(projects, answer) => {
                    let written = self.means.projects.found_all(projects.iter().cloned().collect());
                    let ours: Vec<PathBuf> = projects.into_iter().filter(|p| self.root_of(p).is_some()).collect();
                    self.seen.extend(ours);
                    // Whoever asked may have gone.
                    let _ = answer.send(written);
                }
                Message::Look(answer) => asked.push(answer),
            }
        }
        news.configured |= self.config_due().is_some_and(|at| at <= Instant::now());
        self.act(&news);
        let now = Instant::now();
        if !asked.is_empty() || self.look_at.is_some_and(|at| at <= now) {
            let found = self.look_at_all();
            for answer in asked {
                let _ = answer.send(found);
            }
        } else if self.parts.due(self.config.poll_every(), now).is_some_and(|at| at <= now) {
            self.look_at_parts();
        }
    }

    fn act(&mut self, news: &News) {
        if news.configured {
            self.configure();
        }
        if let Some(why) = &news.deaf {
            (self.hears_home, self.hears_config) = (false, false);
            tracing::error!(why, "nothing is heard of any more: the roots are looked at again and again");
            let given: Vec<PathBuf> = self.roots.iter().map(|root| root.given.clone()).collect();
            for given in &given {
                self.parts.look_always(given);
            }
        }
        for root in &self.roots {
            if news.unmounted.iter().any(|folder| folder.starts_with(&root.real)) {
                self.parts.look_always(&root.given);
            }
        }
        if news.missed {
            tracing::warn!("changes came too fast, and everything is looked at again");
            let now = Instant::now();
            let earliest = self.last.map_or(now, |(at, took)| at + took * REST);
            self.look_at.get_or_insert(earliest.max(now));
        }
        for folder in news.became_projects.iter().chain(&news.became_repositories) {
            self.close(folder);
        }
        // What is still marked by the other of the two is no more open than before.
        let opened = news.opened.iter().filter(|folder| !places::is_marked(folder, self.means.home.root()));
        let came: Vec<Start> = news.appeared.iter().chain(opened).filter_map(|path| self.start(path)).collect();
        if !came.is_empty() {
            let outcome = self.look(came, true);
            self.take_in(outcome, false);
        }
        self.note_projects(&news.became_projects);
        self.note_gone(news.opened.iter().filter(|folder| self.seen.contains(*folder)).cloned().collect());
        self.note_gone(news.vanished.iter().flat_map(|folder| self.seen_below(folder)).collect());
        self.look_at_moved_roots(news);
    }

    /// The user's file as it is now. With a faulty one it stays as it was.
    fn configure(&mut self) {
        self.config_read = Instant::now();
        // Where it is a link, what is written is a file in a folder that nobody watches.
        let is_link = std::fs::symlink_metadata(self.means.home.config()).is_ok_and(|found| found.is_symlink());
        self.hears_config = self.hears_home && !is_link;
        let config = match self.means.projects.user_config() {
            Ok(config) => config.discovery,
            Err(error) => {
                tracing::warn!(%error, "what the user configures cannot be read: discovery goes on as it was");
                return;
            }
        };
        if config == self.config {
            return;
        }
        self.config = config;
        for root in std::mem::take(&mut self.roots) {
            self.watches.forget(&root.real, |_| false);
        }
        for awaited in std::mem::take(&mut self.awaited) {
            self.stop_awaiting(&awaited);
        }
        self.seen.clear();
        self.parts.clear();
        self.limited = None;
        let found = self.look_at_all();
        tracing::info!(roots = self.roots.len(), projects = self.seen.len(), found, "looked for projects");
        self.tell();
    }

    /// Looks at all roots; answers how many projects were news.
    fn look_at_all(&mut self) -> usize {
        if self.look_at.take().is_some() {
            // What was missed may have been the end of watches.
            self.watches.forget_dead();
        }
        let places = self.config.places(self.means.user_home.as_deref());
        let began = Instant::now();
        let outcome = self.look(self.starts_at(&places), true);
        let found = self.take_in(outcome, true);
        self.last = Some((Instant::now(), began.elapsed()));
        found
    }

    fn look_at_parts(&mut self) {
        let began = Instant::now();
        // What is watched is not watched inside of projects either; and of what comes back as a whole all is looked at.
        let outcome = self.look(self.parts.starts(self.depth()), self.parts.holds_disks());
        self.take_in(outcome, false);
        self.parts.looked(Instant::now(), began.elapsed());
    }

    /// Roots that are there again, or are not there any more.
    fn look_at_moved_roots(&mut self, news: &News) {
        let is_back = |awaited: &&Awaited| {
            news.appeared.iter().any(|path| awaited.place.starts_with(path))
                || news.vanished.iter().any(|path| awaited.above.starts_with(path))
        };
        let back: Vec<PathBuf> = self.awaited.iter().filter(is_back).map(|awaited| awaited.given.clone()).collect();
        let is_gone = |root: &&Arc<Root>| news.vanished.iter().any(|path| root.real.starts_with(path));
        let gone: Vec<PathBuf> = self.roots.iter().filter(is_gone).map(|root| root.given.clone()).collect();
        // One that did not answer has no real path yet.
        let configured = self.config.places(self.means.user_home.as_deref());
        let late = configured.into_iter().filter(|given| news.appeared.contains(given));
        let all: BTreeSet<PathBuf> = back.into_iter().chain(gone).chain(late).collect();
        if !all.is_empty() {
            let outcome = self.look(self.starts_at(&all.into_iter().collect::<Vec<_>>()), true);
            self.take_in(outcome, false);
        }
    }

    fn look(&self, starts: Vec<Start>, is_whole: bool) -> (Vec<Start>, Outcome) {
        let sender = self.sender.clone();
        let plan = Plan {
            starts: starts.clone(),
            patterns: self.config.ignore.clone(),
            home: self.means.home.root().to_owned(),
            watches: Some(Arc::clone(&self.watches)),
            silent: self.silent.clone(),
            is_whole,
            late: Box::new(move |folder| {
                // Only a daemon that ends does not listen.
                let _ = sender.send(Message::Late(folder));
            }),
        };
        (starts, scan(plan))
    }

    fn tell(&self) {
        let mut condition = self.condition();
        condition.roots = self.roots.iter().map(|root| root.real.clone()).collect();
        condition.missing = self.awaited.iter().map(|one| one.given.clone()).collect();
        condition.is_usual = self.config.roots == DiscoveryConfig::default().roots;
        condition.projects = self.seen.len();
        condition.watched = self.watches.count();
        condition.polled = self.parts.len();
        condition.limited.clone_from(&self.limited);
        condition.silent = self.silent.iter().cloned().collect();
    }

    pub(super) fn condition(&self) -> MutexGuard<'_, Condition> {
        self.means.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn depth(&self) -> u32 {
        self.config.depth.get()
    }

    fn starts_at(&self, given: &[PathBuf]) -> Vec<Start> {
        let asked = given.iter().filter(|given| !self.silent.contains(*given));
        asked.map(|given| Start { folder: given.clone(), place: Place::Root, left: self.depth() }).collect()
    }

    /// The innermost root that a path lies in.
    pub(super) fn root_of(&self, path: &Path) -> Option<&Arc<Root>> {
        let around = self.roots.iter().filter(|root| path.starts_with(&root.real));
        around.max_by_key(|root| root.real.components().count())
    }

    /// Where to begin for a folder that is there now, if it is one to look into.
    fn start(&self, folder: &Path) -> Option<Start> {
        let root = self.root_of(folder)?;
        places::start(root, folder, self.depth())
    }
}
