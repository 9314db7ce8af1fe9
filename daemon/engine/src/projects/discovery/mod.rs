//! Projects find themselves: below the configured roots, what holds a `.pu/` becomes known when it appears.
//!
//! Known is not trusted: nothing of a project is read here, only that it is there. What is told of it, and what is kept, is
//! the registry's. Inside of a project or a repository nothing is watched: what lies there is found when everything is looked
//! at, or by its first request. In the order in which it works: `config` says where, `walk` and `scan` look, `watch` hears what
//! changes then, `news` sorts that, `owner` acts on it, `knowledge` is what came of it, and `poll` keeps what cannot be watched.

mod condition;
mod config;
mod knowledge;
mod news;
mod owner;
mod places;
mod poll;
mod rules;
mod scan;
mod walk;
mod watch;

pub use condition::Condition;
pub use config::DiscoveryConfig;

use super::{ProjectError, Projects};
use crate::events::Events;
use owner::{Means, Message, Owner};
use pu_protocol::discovery::ScanReport;
use pu_protocol::layout::HomeLayout;
use scan::{Place, Plan, Start, scan};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// With more than this to be done, what is heard waits with the system, which says so when that is too much for it.
const BACKLOG: usize = 16 * 1024;

/// Handle to discovery, which sleeps until it is started.
#[derive(Debug, Default)]
pub struct Discovery {
    inbox: OnceLock<SyncSender<Message>>,
    condition: Arc<Mutex<Condition>>,
}

/// What a look on request may fail by.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error("discovery does not run")]
    Asleep,
    #[error(transparent)]
    Project(#[from] ProjectError),
}

impl Discovery {
    /// Begins to look, on a thread that nobody waits for. Once `is_over`, nothing is written any more.
    pub fn start(
        &self,
        projects: Projects,
        events: Events,
        home: &HomeLayout,
        is_over: impl Fn() -> bool + Send + 'static,
    ) {
        let (sender, inbox) = sync_channel(BACKLOG);
        let means = Means {
            projects,
            events,
            home: real(home),
            user_home: std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()),
            is_over: Box::new(is_over),
            condition: Arc::clone(&self.condition),
        };
        if self.inbox.set(sender.clone()).is_err() {
            return;
        }
        let live = move || Owner::new(means, inbox, sender).run();
        if let Err(error) = std::thread::Builder::new().name("discovery".into()).spawn(live) {
            tracing::error!(%error, "no thread to look for projects: they are not found by themselves");
        }
    }

    /// How it stands.
    pub fn condition(&self) -> Condition {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at everything that is configured. Blocking.
    pub fn look(&self) -> Result<ScanReport, LookError> {
        let began = Instant::now();
        let (answer, found) = sync_channel(1);
        self.ask(Message::Look(answer))?;
        let new = found.recv().map_err(|_| LookError::Asleep)?;
        let condition = self.condition();
        Ok(ScanReport {
            roots: condition.roots,
            missing: condition.missing,
            folders: condition.folders,
            projects: count(condition.projects),
            new: count(new),
            unreadable: condition.unreadable,
            some_unreadable: condition.some_unreadable,
            silent: condition.silent,
            complete: !condition.is_cut,
            watched: count(condition.watched),
            polled: count(condition.polled),
            limited: condition.limited,
            elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Looks once below these folders, wherever they lie; they are not watched for that. Blocking.
    pub fn look_below(
        &self,
        roots: Vec<PathBuf>,
        config: DiscoveryConfig,
        home: &HomeLayout,
    ) -> Result<ScanReport, LookError> {
        let began = Instant::now();
        let left = config.depth.get();
        let start = |folder| Start { folder, place: Place::Root, left };
        let outcome = scan(Plan {
            starts: roots.into_iter().map(start).collect(),
            patterns: config.ignore,
            home: real(home).root().to_owned(),
            watches: None,
            silent: BTreeSet::new(),
            is_whole: true,
            late: Box::new(|_| {}),
        });
        let projects = count(outcome.projects.len());
        let (answer, found) = sync_channel(1);
        self.ask(Message::Found(outcome.projects, answer))?;
        let new = found.recv().map_err(|_| LookError::Asleep)??;
        Ok(ScanReport {
            roots: outcome.roots.iter().map(|root| root.real.clone()).collect(),
            missing: outcome.missing,
            folders: outcome.folders,
            projects,
            new: count(new),
            unreadable: outcome.unreadable.count,
            some_unreadable: outcome.unreadable.first,
            silent: outcome.silent,
            complete: !outcome.is_cut,
            elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..ScanReport::default()
        })
    }

    fn ask(&self, message: Message) -> Result<(), LookError> {
        self.inbox.get().and_then(|inbox| inbox.send(message).ok()).ok_or(LookError::Asleep)
    }
}

/// The user's PurePoint folder where it lies: what is met there is met without links.
fn real(home: &HomeLayout) -> HomeLayout {
    HomeLayout::new(std::fs::canonicalize(home.root()).unwrap_or_else(|_| home.root().to_owned()))
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}
