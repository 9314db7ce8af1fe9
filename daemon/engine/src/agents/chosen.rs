//! The session that a user chose himself, in the arguments that he gave his agent.
//!
//! Pure. It knows a program's own words for it from the definition: `session_args`, which begin a session under an id, and
//! `resume_args`, which go on with one. Guesses nothing: where it cannot be told which session is meant, there is none.

use super::definition::{AgentDefinition, option_among};
use super::template::{Placeholder, Template};

/// The shortest text that is taken for an id where a program also takes words and numbers by which it looks for a session.
const ID_MIN: usize = 16;

/// A session that a user chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChosenSession {
    pub(crate) id: String,
    /// The arguments without those that chose it.
    pub(crate) others: Vec<String>,
}

impl AgentDefinition {
    /// The session that these arguments name by the definition's own options, if it is surely that one which the agent has.
    pub(crate) fn session_among(&self, arguments: &[String]) -> Option<ChosenSession> {
        let begun = Named::by(&self.session_args, arguments);
        let resumed = Named::by(&self.resume_args, arguments);
        let forks = option_among(&self.session_forks, arguments).is_some();
        let id = match (begun.only(), resumed.only()) {
            (Some(id), _) => id,
            // A copy of it is made, under an id that the program chooses.
            (None, Some(_)) if forks || !begun.values.is_empty() => return None,
            (None, Some(id)) if is_like_an_id(id) => id,
            (None, _) => return None,
        };
        let is_taken = |at: usize| begun.places.contains(&at) || resumed.places.contains(&at);
        let is_fork = |arg: &String| option_among(&self.session_forks, std::slice::from_ref(arg)).is_some();
        let kept = |(at, arg): (usize, &String)| (!is_taken(at) && !is_fork(arg)).then(|| arg.clone());
        let others = arguments.iter().enumerate().filter_map(kept).collect();
        Some(ChosenSession { id: id.to_owned(), others })
    }
}

/// What arguments give for the one placeholder of a list such as `--resume {session_id}` or `--session={session_id}`.
#[derive(Debug, Default)]
struct Named<'a> {
    values: Vec<&'a str>,
    /// Where the options and their values stand.
    places: Vec<usize>,
}

impl<'a> Named<'a> {
    fn by(list: &[Template], arguments: &'a [String]) -> Self {
        let mut named = Self::default();
        let Some(option) = option_of(list) else { return named };
        let mut at = 0;
        while let Some(argument) = arguments.get(at) {
            let joined = argument.strip_prefix(option.as_str()).and_then(|rest| rest.strip_prefix('='));
            let next = arguments.get(at + 1).filter(|_| *argument == option);
            match (joined, next) {
                (Some(value), _) => named.take(value, at..=at),
                (None, Some(value)) if is_value(value) => named.take(value, at..=at + 1),
                _ => {}
            }
            at = named.places.last().map_or(at, |last| at.max(*last)) + 1;
        }
        named
    }

    fn take(&mut self, value: &'a str, places: std::ops::RangeInclusive<usize>) {
        if is_value(value) {
            self.values.push(value);
            self.places.extend(places);
        }
    }

    /// The one value that is given, however often.
    fn only(&self) -> Option<&'a str> {
        let first = *self.values.first()?;
        self.values.iter().all(|value| *value == first).then_some(first)
    }
}

/// The option or word that stands before the session's id: `--session-id` of `--session-id {session_id}` and of
/// `--session-id={session_id}`.
fn option_of(list: &[Template]) -> Option<String> {
    const MARK: &str = "\0";
    let text = |template: &Template| template.render(|slot| (slot == Placeholder::SessionId).then_some(MARK.into()));
    let texts: Vec<Option<String>> = list.iter().map(text).collect();
    let (at, found) =
        texts.iter().enumerate().find(|(_, text)| text.as_ref().is_some_and(|text| text.contains(MARK)))?;
    let found = found.as_deref()?;
    let option = match found.strip_suffix(MARK)? {
        "" => texts.get(at.checked_sub(1)?)?.as_deref()?,
        joined => joined.strip_suffix('=')?,
    };
    (!matches!(option, "" | "--")).then(|| option.to_owned())
}

/// As the next resume gives it as an argument: what looks like an option is no id.
fn is_value(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-')
}

/// `latest`, `3` and `the auth race` are looked for by the program, and may find another session the next time.
fn is_like_an_id(text: &str) -> bool {
    let is_uuid = || {
        let parts: Vec<&str> = text.split('-').collect();
        parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
            && parts.concat().chars().all(|c| c.is_ascii_hexdigit())
    };
    let is_opaque = || {
        text.len() >= ID_MIN
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && text.chars().any(|c| c.is_ascii_digit())
    };
    is_uuid() || is_opaque()
}

#[cfg(test)]
mod tests {

    use crate::agents::Definitions;

    const ID: &str = "3f0e2c1a-8d1b-4c55-9a7e-0123456789ab";
    const OTHER: &str = "00000000-8d1b-4c55-9a7e-0123456789ab";

    fn chosen(agent: &str, arguments: &str) -> Option<(String, String)> {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        let definitions = Definitions::built_in().unwrap();
        let chosen = definitions.get(agent).unwrap().session_among(&arguments)?;
        Some((chosen.id, chosen.others.join(" ")))
    }

    #[test]
    fn a_session_is_taken_where_the_programs_own_option_names_it() {
        for (agent, arguments, others) in [
            ("claude", format!("--session-id {ID}"), ""),
            ("claude", format!("--session-id={ID} --model opus"), "--model opus"),
            ("claude", format!("--model opus --resume {ID} --verbose"), "--model opus --verbose"),
            ("claude", format!("--resume {OTHER} --fork-session --session-id {ID} -v"), "-v"),
            ("codex", format!("--search resume {ID}"), "--search"),
            ("opencode", "--session ses_5f3a81c2effeK2b1Qx --model m".to_owned(), "--model m"),
            ("gemini", format!("--resume={ID}"), ""),
            ("gemini", format!("--session-id {ID}"), ""),
        ] {
            let (id, rest) = chosen(agent, &arguments).unwrap_or_else(|| panic!("{agent} {arguments}"));
            assert_eq!(rest, others, "{agent} {arguments}");
            assert!(id == ID || id.starts_with("ses_"), "{agent} {arguments}: {id}");
        }
    }

    #[test]
    fn no_session_is_guessed() {
        for (agent, arguments) in [
            ("claude", "--model opus".to_owned()),
            ("claude", "--resume".to_owned()),
            ("claude", "--resume --model".to_owned()),
            ("claude", "--resume auth".to_owned()),
            ("claude", "--continue".to_owned()),
            ("claude", format!("--resume {ID} --fork-session")),
            ("claude", format!("--resume {ID} --resume {OTHER}")),
            ("claude", format!("--session-id {ID} --session-id {OTHER} --resume {ID}")),
            ("claude", format!("--resumed {ID}")),
            ("gemini", "--resume latest".to_owned()),
            ("gemini", "--resume=12".to_owned()),
            ("opencode", "--session ses_5f3a81c2effeK2b1Qx --fork".to_owned()),
            ("aider", format!("--restore-chat-history {ID}")),
            ("terminal", format!("--session-id {ID}")),
        ] {
            assert_eq!(chosen(agent, &arguments), None, "{agent} {arguments}");
        }
    }
}
