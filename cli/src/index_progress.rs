//! Shows on a terminal how far the daemon has got with the specs, while a request waits for that.
//!
//! Says nothing of what is soon done, and nothing to programs or into a log. It listens beside the request on a connection of
//! its own: without one, or with a daemon that tells nothing, there is no progress to be seen, and that is all.

use crate::connection::{Connection, LinkError};
use crate::endpoint::Endpoint;
use crate::screen;
use pu_protocol::{Answer, Event, Request};
use std::convert::Infallible;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What takes no longer is not worth a line.
const FIRST: Duration = Duration::from_millis(500);
/// How often it is looked whether the answer has come.
const LOOK: Duration = Duration::from_millis(50);
/// How long the daemon may take to say that it will tell.
const PATIENCE: Duration = Duration::from_secs(5);
const BAR: u64 = 24;

/// Goes on showing until it is dropped.
pub(crate) struct IndexProgress {
    /// Dropped first: that is what the thread waits for.
    going_on: Option<Sender<Infallible>>,
    teller: Option<JoinHandle<()>>,
}

impl IndexProgress {
    /// Begins to wait for what a request in `folder` waits for.
    pub(crate) fn start(endpoint: &Endpoint, folder: &Path, json: bool) -> Self {
        let (going_on, ended) = channel();
        let (socket, folder) = (endpoint.socket.clone(), folder.to_owned());
        let is_seen = !json && screen::is_live();
        let thread = || std::thread::Builder::new().name("index-progress".to_owned());
        // Without a thread there is no progress to be seen.
        let teller = is_seen.then(|| thread().spawn(move || tell(&socket, &folder, &ended)).ok()).flatten();
        Self { going_on: Some(going_on), teller }
    }
}

impl Drop for IndexProgress {
    fn drop(&mut self) {
        drop(self.going_on.take());
        if let Some(teller) = self.teller.take() {
            // A panic there has lost a line of text.
            let _ = teller.join();
        }
    }
}

/// The folder of a request whose project may have to be indexed first.
pub(crate) fn waited_for(request: &Request) -> Option<&Path> {
    match request {
        Request::Init { root } => Some(root),
        Request::Spawn(request) => Some(&request.cwd),
        // A ranking is one of many, whose progress is shown as a whole.
        Request::ContextExplain { cwd, specs: None, ranking: false, .. }
        | Request::ContextLearned { cwd }
        | Request::TrustShow { cwd }
        | Request::SpecList { cwd, .. }
        | Request::SpecShow { cwd, .. }
        | Request::SpecSearch { cwd, .. }
        | Request::SpecLint { cwd, .. } => Some(cwd),
        _ => None,
    }
}

fn tell(socket: &Path, folder: &Path, ended: &Receiver<Infallible>) {
    if ended.recv_timeout(FIRST) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let Ok(mut connection) = Connection::open(socket) else { return };
    let asked = Request::Subscribe { cwd: Some(folder.to_owned()) };
    if connection.send(&asked, PATIENCE).is_err() {
        return;
    }
    let mut told = false;
    while ended.try_recv() == Err(TryRecvError::Empty) {
        match connection.receive(LOOK) {
            Ok(reply) => {
                if let Some((done, total)) = progress(&reply.answer, folder) {
                    screen::show_progress(&line(done, total), true);
                    told = true;
                }
            }
            // Events of a daemon that is newer are passed over.
            Err(LinkError::TimedOut(_) | LinkError::NotUnderstood(_)) => {}
            Err(_) => break,
        }
    }
    if told {
        screen::end_progress();
    }
}

/// Of how many files of how many an answer tells, if it is of the project that `folder` is in.
fn progress(answer: &Answer, folder: &Path) -> Option<(u32, u32)> {
    match answer {
        Answer::Event(line) => match &line.event {
            Event::IndexProgress { root, done, total } if folder.starts_with(root) => Some((*done, *total)),
            _ => None,
        },
        _ => None,
    }
}

fn line(done: u32, total: u32) -> String {
    let full = u64::from(done.min(total)) * BAR / u64::from(total.max(1));
    let bar: String = (0..BAR).map(|at| if at < full { '#' } else { '.' }).collect();
    format!("indexing specs [{bar}] {done} of {total}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::EventLine;

    #[test]
    fn the_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(line(0, 300), "indexing specs [........................] 0 of 300");
        assert_eq!(line(150, 300), "indexing specs [############............] 150 of 300");
        assert_eq!(line(300, 300), "indexing specs [########################] 300 of 300");
        assert!(line(0, 0).ends_with("0 of 0"));
    }

    #[test]
    fn only_the_project_around_the_folder_is_told_of() {
        let event = Event::IndexProgress { root: "/code/shop".into(), done: 3, total: 9 };
        let answer = Answer::Event(EventLine { seq: 1, at: String::new(), event });
        assert_eq!(progress(&answer, Path::new("/code/shop/src")), Some((3, 9)));
        assert_eq!(progress(&answer, Path::new("/code")), None);
        assert_eq!(progress(&Answer::Done, Path::new("/code/shop")), None);
    }
}
