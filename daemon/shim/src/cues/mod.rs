//! What tells what the agent is doing: the last word of each source, and which of them the daemon has not heard yet.
//!
//! Pure but for the clock that dates a word. Which source is believed is the daemon's business; here every one is kept, so
//! that a daemon which comes later misses nothing. A source that repeats itself says nothing new.

mod scan;
mod status;

use std::time::{Duration, Instant};

use pu_protocol::activity::{Doing, Source};
use pu_protocol::frame::Cue;
use pu_record::launch::{LaunchRecord, TitleRule};
use pu_record::timestamp;

use scan::Scanner;
use status::Command;

/// What a terminal that understands program statuses answers to who asks: Claude Code sends none before.
pub(crate) const UNDERSTOOD: &[u8] = b"\x1b]7501;?;v=1\x1b\\";

/// New words are told this far apart at least, so that an agent which flickers keeps nobody busy.
const PAUSE: Duration = Duration::from_millis(50);
/// Output that comes so soon after a fleeting word belongs to what the word was about.
const AFTERGLOW: Duration = Duration::from_secs(1);

/// Invariant: there is one word of each source at most in `last`.
#[derive(Debug, Default)]
pub(crate) struct Cues {
    scanner: Scanner,
    titles: Vec<TitleRule>,
    /// An agent that writes nothing for so long counts as idle, by its definition.
    quiet: Option<Duration>,
    quiet_at: Option<Instant>,
    last: Vec<Cue>,
    unsent: Vec<Source>,
    rests_until: Option<Instant>,
    /// When the last fleeting word was said, while it holds.
    fleeting_since: Option<Instant>,
}

impl Cues {
    pub(crate) fn new(launch: &LaunchRecord) -> Self {
        let quiet = launch.quiet_ms.map(Duration::from_millis);
        Self { titles: launch.titles.clone(), quiet, ..Self::default() }
    }

    /// Takes in output. True if the agent asks in it whether its terminal understands program statuses.
    pub(crate) fn hear(&mut self, bytes: &[u8], now: Instant) -> bool {
        self.on_writing(now);
        let mut scanner = std::mem::take(&mut self.scanner);
        let mut asked = false;
        scanner.feed(bytes, |text| match status::command(text) {
            Some(Command::Asked) => asked = true,
            Some(Command::Status(said)) => self.on_status(said),
            Some(Command::Title(title)) => self.on_title(title),
            None => {}
        });
        self.scanner = scanner;
        asked
    }

    /// Takes in what a hook tells.
    pub(crate) fn told(&mut self, cue: Cue, now: Instant) {
        self.fleeting_since = cue.fleeting.then_some(now);
        let why = cue.why.as_deref().map(status::clean);
        self.note(Cue { source: Source::Hook, why, rule: status::clean(&cue.rule), ..cue });
    }

    /// Notices that the agent has been quiet.
    pub(crate) fn advance(&mut self, now: Instant) {
        if self.quiet_at.is_some_and(|at| now >= at) {
            self.quiet_at = None;
            let seconds = self.quiet.unwrap_or_default().as_secs();
            self.say(Source::Output, Some(Doing::Idle), None, format!("nothing was written for {seconds} s"));
        }
    }

    /// The words that are to be told now, each once.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Cue> {
        if self.unsent.is_empty() || self.rests_until.is_some_and(|at| now < at) {
            return Vec::new();
        }
        self.rests_until = Some(now + PAUSE);
        let unsent = std::mem::take(&mut self.unsent);
        self.last.iter().filter(|cue| unsent.contains(&cue.source)).cloned().collect()
    }

    /// The last word of every source.
    pub(crate) fn all(&self) -> &[Cue] {
        &self.last
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let rest = self.rests_until.filter(|_| !self.unsent.is_empty());
        [self.quiet_at, rest].into_iter().flatten().min()
    }

    fn on_writing(&mut self, now: Instant) {
        if self.fleeting_since.is_some_and(|at| now.saturating_duration_since(at) >= AFTERGLOW) {
            self.fleeting_since = None;
            self.say(Source::Hook, None, None, "it writes again".to_owned());
        }
        if let Some(quiet) = self.quiet {
            if self.quiet_at.is_none() {
                self.say(Source::Output, Some(Doing::Working), None, "it writes".to_owned());
            }
            self.quiet_at = Some(now + quiet);
        }
    }

    fn on_status(&mut self, said: &str) {
        if let Some(status) = status::status(said) {
            self.say(Source::ProgramStatus, status.state, status.why, format!("OSC 7501: {}", status::clean(said)));
        }
    }

    fn on_title(&mut self, title: &str) {
        if self.titles.is_empty() {
            return;
        }
        match status::title(&self.titles, title) {
            Some(rule) => {
                let blocked = rule.state == Doing::Blocked && !rule.contains.is_empty();
                let why = blocked.then(|| rule.contains.clone());
                let (state, rule) = (rule.state, status::in_words(rule));
                self.say(Source::Title, Some(state), why, rule);
            }
            None => self.say(Source::Title, None, None, "no rule fits the title".to_owned()),
        }
    }

    fn say(&mut self, source: Source, state: Option<Doing>, why: Option<String>, rule: String) {
        self.note(Cue { source, state, why, rule, ..Cue::default() });
    }

    fn note(&mut self, mut cue: Cue) {
        let known = self.last.iter_mut().find(|last| last.source == cue.source);
        if known.as_ref().is_some_and(|last| last.repeats(&cue)) {
            return;
        }
        cue.at = timestamp::now();
        if !self.unsent.contains(&cue.source) {
            self.unsent.push(cue.source);
        }
        match known {
            Some(last) => *last = cue,
            None => self.last.push(cue),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> LaunchRecord {
        let rule = |state, first: &str| TitleRule { state, first: first.into(), contains: String::new() };
        let titles = vec![rule(Doing::Working, "⠋⠙"), rule(Doing::Idle, "r")];
        LaunchRecord { titles, quiet_ms: Some(10_000), ..LaunchRecord::default() }
    }

    fn words(cues: &[Cue]) -> Vec<(&'static str, Option<&'static str>)> {
        cues.iter().map(|cue| (cue.source.name(), cue.state.map(Doing::name))).collect()
    }

    #[test]
    fn each_source_has_one_word_and_a_repetition_is_none() {
        let (mut cues, mut now) = (Cues::new(&LaunchRecord { quiet_ms: None, ..launch() }), Instant::now());
        assert!(!cues.hear("\x1b]0;⠋ repo\x07\x1b]7501;state=working\x07".as_bytes(), now));
        assert_eq!(words(&cues.due(now)), [("title", Some("working")), ("program_status", Some("working"))]);
        now += PAUSE;
        cues.hear("\x1b]0;⠙ repo\x07 text".as_bytes(), now);
        assert!(cues.due(now).is_empty(), "a spinner turns");
        assert_eq!(cues.deadline(), None);
        cues.hear(b"\x1b]7501;state=blocked:kind=permission\x07", now);
        let due = cues.due(now);
        assert_eq!(words(&due), [("program_status", Some("blocked"))]);
        assert_eq!(due[0].why.as_deref(), Some("permission"));
        assert_eq!(due[0].rule, "OSC 7501: state=blocked:kind=permission");
        cues.hear(b"\x1b]7501;state=clear\x07\x1b]0;else\x07", now);
        assert!(cues.due(now).is_empty(), "it rests");
        assert_eq!(cues.deadline(), Some(now + PAUSE));
        let taken_back = cues.due(now + PAUSE);
        assert!(taken_back.len() == 2 && taken_back.iter().all(|cue| cue.state.is_none()), "{taken_back:?}");
        assert_eq!(cues.all().len(), 2);
    }

    #[test]
    fn a_question_is_heard_and_nothing_is_told() {
        let (mut cues, now) = (Cues::new(&LaunchRecord::default()), Instant::now());
        assert!(!cues.hear(b"\x1b]7501;", now));
        assert!(cues.hear(b"?\x1b\\\x1b[c", now));
        assert!(cues.all().is_empty(), "titles and silence say nothing where no rule reads them");
    }

    #[test]
    fn silence_is_idle_only_where_the_definition_says_so() {
        let (mut cues, start) = (Cues::new(&launch()), Instant::now());
        cues.hear(b"a", start);
        cues.hear(b"b", start + Duration::from_secs(9));
        assert_eq!(words(&cues.due(start)), [("output", Some("working"))]);
        cues.advance(start + Duration::from_secs(18));
        assert_eq!(cues.deadline(), Some(start + Duration::from_secs(19)));
        cues.advance(start + Duration::from_secs(19));
        assert_eq!(words(cues.all()), [("output", Some("idle"))]);
        assert_eq!(cues.all()[0].rule, "nothing was written for 10 s");
        cues.hear(b"c", start + Duration::from_secs(60));
        assert_eq!(words(cues.all()), [("output", Some("working"))]);
    }

    #[test]
    fn a_fleeting_word_holds_until_the_agent_goes_on_writing() {
        let (mut cues, start) = (Cues::new(&LaunchRecord::default()), Instant::now());
        let done = |fleeting| Cue { state: Some(Doing::Done), rule: "turn".into(), fleeting, ..Cue::default() };
        cues.told(done(true), start);
        cues.hear(b"> ", start + Duration::from_millis(100));
        assert_eq!(words(cues.all()), [("hook", Some("done"))], "its own prompt");
        cues.hear(b"more", start + AFTERGLOW);
        assert_eq!(words(cues.all()), [("hook", None)]);
        cues.told(done(false), start);
        cues.hear(b"more", start + AFTERGLOW * 2);
        assert_eq!(words(cues.all()), [("hook", Some("done"))]);
    }
}
