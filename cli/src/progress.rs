//! Says on standard error that something takes long, and how long it has taken: for a person who waits for a compiler.
//!
//! Says nothing of what is done within a second, and nothing to programs (`--json`). It knows of nothing but the time.

use crate::screen;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What takes no longer is not worth a word.
const FIRST: Duration = Duration::from_secs(1);
/// Between two words in a log; on a terminal one line is written over each second.
const IN_A_LOG: Duration = Duration::from_secs(10);

/// Goes on telling until it is dropped.
pub(crate) struct Progress {
    /// Dropped first: that is what the thread waits for.
    going_on: Option<Sender<Infallible>>,
    teller: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to wait for what `what` says, such as `compiling ledger (11.5 MiB)`.
    pub(crate) fn start(what: String, json: bool) -> Self {
        let (going_on, ended) = channel();
        // Without a thread there is no progress to be seen, and that is all.
        let teller = if json { None } else { spawn(move || tell(&what, &ended, screen::is_live())) };
        Self { going_on: Some(going_on), teller }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.going_on.take());
        if let Some(teller) = self.teller.take() {
            // A panic there has lost a line of text.
            let _ = teller.join();
        }
    }
}

fn spawn(tell: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    std::thread::Builder::new().name("progress".to_owned()).spawn(tell).ok()
}

fn tell(what: &str, ended: &Receiver<Infallible>, live: bool) {
    let begun = Instant::now();
    let (mut pause, mut told) = (FIRST, false);
    while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        screen::show_progress(&line(what, begun.elapsed()), live);
        told = true;
        pause = if live { FIRST } else { IN_A_LOG };
    }
    if told && live {
        screen::end_progress();
    }
}

fn line(what: &str, elapsed: Duration) -> String {
    format!("{what}… {} s", elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_and_how_long() {
        assert_eq!(line("compiling ledger", Duration::from_millis(3_900)), "compiling ledger… 3 s");
    }

    #[test]
    fn it_ends_at_once_when_what_was_waited_for_is_done() {
        let begun = Instant::now();
        drop(Progress::start("waiting".into(), false));
        drop(Progress::start("waiting".into(), true));
        assert!(begun.elapsed() < FIRST, "{:?}", begun.elapsed());
    }
}
