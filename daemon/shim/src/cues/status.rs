//! What an OSC says of the agent: a program status (7501) or a title (0 and 2).
//!
//! Pure. The text is the agent's and may be anything.

use pu_protocol::activity::Doing;
use pu_protocol::bytes::Base64Bytes;
use pu_record::launch::TitleRule;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

/// The most characters that are kept of what an agent says.
const TEXT_MAX: usize = 200;

/// An OSC that is of use here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// Does the terminal understand program statuses?
    Asked,
    Status(&'a str),
    Title(&'a str),
}

/// What a program status says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// None: the program takes back what it said.
    pub(super) state: Option<Doing>,
    pub(super) why: Option<String>,
}

/// What the text of an OSC is, if it is of use.
pub(super) fn command(text: &[u8]) -> Option<Command<'_>> {
    let text = std::str::from_utf8(text).ok()?;
    match text.split_once(';')? {
        ("7501", said) if said.starts_with('?') => Some(Command::Asked),
        ("7501", said) => Some(Command::Status(said)),
        ("0" | "2", title) => Some(Command::Title(title)),
        _ => None,
    }
}

/// Reads `state=blocked:app=codex:kind=permission:msg=BASE64`. Nothing for a state that is not known.
pub(super) fn status(said: &str) -> Option<Status> {
    let field = |name: &str| {
        let mut fields = said.split(':').filter_map(|text| text.split_once('='));
        fields.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let state = match field("state")? {
        "working" => Doing::Working,
        "blocked" => Doing::Blocked,
        "idle" => Doing::Idle,
        "done" => Doing::Done,
        "clear" => return Some(Status { state: None, why: None }),
        _ => return None,
    };
    let message = field("msg").and_then(decoded).or_else(|| field("kind").map(clean));
    let why = message.filter(|text| state == Doing::Blocked && !text.is_empty());
    Some(Status { state: Some(state), why })
}

/// The first rule that a title fits.
pub(super) fn title<'r>(rules: &'r [TitleRule], title: &str) -> Option<&'r TitleRule> {
    rules.iter().find(|rule| rule.fits(title))
}

/// A rule in words, as evidence.
pub(super) fn in_words(rule: &TitleRule) -> String {
    match (rule.first.as_str(), rule.contains.as_str()) {
        ("", "") => "any title".to_owned(),
        (first, "") => format!("the title begins with one of {first}"),
        ("", text) => format!("the title has {text:?} in it"),
        (first, text) => format!("the title begins with one of {first} and has {text:?} in it"),
    }
}

/// Text of the agent's on one line, cut to what a person reads.
pub(super) fn clean(text: &str) -> String {
    let spaced = text.trim_start().chars().map(|c| if c.is_control() { ' ' } else { c });
    let short: String = spaced.take(TEXT_MAX).collect();
    short.trim().to_owned()
}

fn decoded(base64: &str) -> Option<String> {
    let text: StrDeserializer<'_, Error> = base64.into_deserializer();
    let bytes = Base64Bytes::deserialize(text).ok()?.0;
    Some(clean(&String::from_utf8_lossy(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart() {
        let table: [(&[u8], Option<Command<'_>>); 8] = [
            (b"7501;?", Some(Command::Asked)),
            (b"7501;?;v=1", Some(Command::Asked)),
            (b"7501;state=idle", Some(Command::Status("state=idle"))),
            (b"0;a;b", Some(Command::Title("a;b"))),
            (b"2;", Some(Command::Title(""))),
            (b"52;c;AAAA", None),
            (b"7501", None),
            (b"0;\xff", None),
        ];
        for (text, expected) in table {
            assert_eq!(command(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_status_says_a_state_and_what_it_waits_for() {
        let said = |state, why: Option<&str>| Some(Status { state: Some(state), why: why.map(str::to_owned) });
        let table = [
            ("state=working:app=codex", said(Doing::Working, None)),
            ("app=codex:state=idle", said(Doing::Idle, None)),
            ("state=done:app=codex:msg=aGk=", said(Doing::Done, None)),
            ("state=blocked:kind=permission", said(Doing::Blocked, Some("permission"))),
            ("state=blocked:kind=permission:msg=YXBwcm92ZSBCYXNoCg==", said(Doing::Blocked, Some("approve Bash"))),
            ("state=blocked:msg=not base64", said(Doing::Blocked, None)),
            ("state=blocked:msg=YRsKYg==", said(Doing::Blocked, Some("a  b"))),
            ("state=clear", Some(Status { state: None, why: None })),
            ("state=dreaming", None),
            ("kind=permission", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(status(text), expected, "{text}");
        }
    }

    #[test]
    fn the_first_rule_that_a_title_fits_counts() {
        let rule =
            |state, first: &str, contains: &str| TitleRule { state, first: first.into(), contains: contains.into() };
        let rules = [
            rule(Doing::Blocked, "", "Action Required"),
            rule(Doing::Working, "⠋⠙", ""),
            rule(Doing::Idle, "◇", "Ready"),
        ];
        let table = [
            ("[ ! ] Action Required | repo", Some(Doing::Blocked)),
            ("⠙ repo", Some(Doing::Working)),
            ("◇  Ready (repo)", Some(Doing::Idle)),
            ("◇  something", None),
            ("repo ⠋", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(title(&rules, text).map(|rule| rule.state), expected, "{text}");
        }
        assert_eq!(title(&[TitleRule::default()], "").map(in_words).as_deref(), Some("any title"));
        assert_eq!(in_words(&rules[2]), "the title begins with one of ◇ and has \"Ready\" in it");
    }

    #[test]
    fn what_an_agent_says_is_one_short_line() {
        assert_eq!(clean(" a\nb\x1b "), "a b");
        assert_eq!(clean(&"é".repeat(1000)).chars().count(), TEXT_MAX);
    }
}
