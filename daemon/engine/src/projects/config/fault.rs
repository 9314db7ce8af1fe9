//! What is wrong with a configuration file, in one line: where, which key, and the nearest one that is valid.
//!
//! Which keys there are is what serde itself says when it meets another one, so that no list of them is kept here: it
//! holds for nested tables and for lists of tables too, and follows the types.

use super::Config;
use super::place::Outline;
use crate::projects::ProjectError;
use std::path::PathBuf;
use toml::{Table, Value};

/// As much as is told of a key, and of all: a key or a value of a file may be as long as the file.
const NAME_MAX: usize = 100;
const TEXT_MAX: usize = 800;

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("{}: {message}", path.display())]
    Invalid { path: PathBuf, message: String },
    #[error("{} leads out of the project, to {}", path.display(), real.display())]
    Outside { path: PathBuf, real: PathBuf },
}

impl From<Fault> for ProjectError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Invalid { path, message } => Self::Config { path, message },
            Fault::Outside { path, real } => Self::ConfigOutside { path, real },
        }
    }
}

/// What serde found in a place where only some words can stand.
#[derive(Debug, PartialEq, Eq)]
struct Unknown<'m> {
    /// A key, or a value.
    what: &'static str,
    name: &'m str,
    known: Vec<&'m str>,
}

/// What is wrong with a text, from what its reader says.
pub(super) fn told(text: &str, error: &toml::de::Error) -> String {
    let outline = Outline::of(text);
    let span = error.span();
    let place = span.as_ref().map_or_else(String::new, |span| format!("line {}: ", outline.line(span.start)));
    let path = span.and_then(|span| outline.path_at(&span));
    let said = match (unknown(error.message()), path) {
        (Some(found), path) => about(&found, &path.unwrap_or_default()),
        (None, Some(path)) => format!("`{}`: {}", dotted(&path), error.message()),
        (None, None) => error.message().to_owned(),
    };
    // Parsers may say it in several lines.
    let said: Vec<&str> = said.split_whitespace().collect();
    place + &cut(&said.join(" "), TEXT_MAX)
}

fn about(found: &Unknown<'_>, path: &[String]) -> String {
    let parents = if found.what == "key" { path.split_last().map_or(&[][..], |(_, parents)| parents) } else { path };
    let shown = if found.what == "key" && !path.is_empty() { dotted(path) } else { found.name.to_owned() };
    let Some(nearest) = nearest(found, parents) else {
        return format!("unknown {} `{}`; none can stand there", found.what, cut(&shown, NAME_MAX));
    };
    let known = found.known.join(", ");
    format!("unknown {} `{}`; the nearest is {nearest} (known there: {known})", found.what, cut(&shown, NAME_MAX))
}

/// The valid word that is most like the one that was found: the same key, where it is one of other tables, else the one
/// of its own table that is the fewest edits away.
fn nearest(found: &Unknown<'_>, parents: &[String]) -> Option<String> {
    if found.what == "key" {
        let elsewhere = homes_of(found.name);
        if !elsewhere.is_empty() {
            return Some(elsewhere.join(" or "));
        }
    }
    let name = cut(found.name, NAME_MAX);
    let nearest = found.known.iter().min_by_key(|known| strsim::osa_distance(&name, known))?;
    if found.what != "key" {
        return Some(format!("`{nearest}`"));
    }
    let mut path = parents.to_vec();
    path.push((*nearest).to_owned());
    Some(format!("`{}`", dotted(&path)))
}

/// The keys of the fixed tables that end in this word.
fn homes_of(word: &str) -> Vec<String> {
    let is_home = |path: &&Vec<String>| path.last().is_some_and(|last| last == word);
    super::values::fixed_keys().iter().filter(is_home).map(|path| format!("`{}`", dotted(path))).collect()
}

/// What serde says of a field or a variant that a type does not have: "unknown field `x`, expected `a` or `b`".
fn unknown(message: &str) -> Option<Unknown<'_>> {
    let (what, rest) = match (message.strip_prefix("unknown field `"), message.strip_prefix("unknown variant `")) {
        (Some(rest), _) => ("key", rest),
        (None, Some(rest)) => ("value", rest),
        (None, None) => return None,
    };
    // From the end, since the word may be anything.
    let (name, known) =
        rest.rsplit_once("`, expected ").or_else(|| Some((rest.rsplit_once("`, there are no ")?.0, "")))?;
    Some(Unknown { what, name, known: known.split('`').skip(1).step_by(2).collect() })
}

/// `Err` with the nearest key where no configuration has the one at this path.
pub(super) fn check_path(path: &[String]) -> Result<(), Option<String>> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    // A value that few keys would take: it is the key that serde looks at first.
    let inner = rest.iter().rfold(Value::Boolean(true), |inner, step| {
        if step.parse::<usize>().is_ok() {
            Value::Array(vec![inner])
        } else {
            Value::Table(Table::from_iter([(step.clone(), inner)]))
        }
    });
    let asked = Table::from_iter([(first.clone(), inner)]);
    let read: Result<Config, toml::de::Error> = asked.try_into();
    let Err(error) = read else { return Ok(()) };
    match unknown(error.message()) {
        Some(found) if found.what == "key" => {
            let at = path.iter().position(|step| step == found.name).unwrap_or_default();
            Err(nearest(&found, &path[..at]))
        }
        _ => Ok(()),
    }
}

/// A path of keys as it stands in a TOML file.
pub(super) fn dotted(path: &[String]) -> String {
    let keys = path.iter().map(|step| toml_edit::Key::new(step.as_str()).display_repr().into_owned());
    keys.collect::<Vec<_>>().join(".")
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        told(text, &toml::from_str::<Config>(text).unwrap_err())
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_the_nearest_one() {
        for (text, expected) in [
            (
                "\n[terminal]\nrowz = 3\n",
                "line 3: unknown key `terminal.rowz`; the nearest is `terminal.rows` (known there: ",
            ),
            ("defualt_agent = \"x\"\n", "line 1: unknown key `defualt_agent`; the nearest is `default_agent` ("),
            ("[contxt]\nbudget = 3\n", "line 1: unknown key `contxt`; the nearest is `context` ("),
            (
                "[[context.assembler]]\nname = \"a\"\n\n[[context.assembler]]\nname = \"b\"\nrequire = true\n",
                "line 6: unknown key `context.assembler.require`; the nearest is `context.assembler.required` (",
            ),
            (
                "[agents.mine]\ncomand = \"x\"\n",
                "line 2: unknown key `agents.mine.comand`; the nearest is `agents.mine.command` (",
            ),
            (
                "[agents.mine.session_list]\nargs = []\nids = \"x\"\n",
                "line 3: unknown key `agents.mine.session_list.ids`; the nearest is `agents.mine.session_list.id` (",
            ),
            ("rows = 3\n", "line 1: unknown key `rows`; the nearest is `terminal.rows` ("),
            (
                "[specs]\nmax_days = 3\n",
                "line 2: unknown key `specs.max_days`; the nearest is `history.max_days` or `spool.",
            ),
            (
                "[context.grants]\na = [\"stat\"]\n",
                "line 2: unknown value `stat`; the nearest is `state` (known there: state, history)",
            ),
        ] {
            let said = said(text);
            assert!(said.starts_with(expected), "{said}");
        }
    }

    #[test]
    fn a_wrong_type_is_told_with_its_line_and_key() {
        for (text, expected) in [
            ("[terminal]\nrows = \"many\"\n", "line 2: `terminal.rows`: invalid type: string \"many\", expected u16"),
            ("[terminal]\n\nrows = 70000\n", "line 3: `terminal.rows`: invalid value: integer `70000`, expected u16"),
            ("[[context.assembler]]\nname = 3\n", "line 2: `context.assembler.name`: invalid type: integer"),
            ("terminal = 3\n", "line 1: `terminal`: invalid type: integer `3`, expected struct TerminalConfig"),
            ("[terminal]\nrows = = 3\n", "line 2: "),
        ] {
            let said = said(text);
            assert!(said.starts_with(expected), "{said}");
        }
        assert!(said("[[context.assembler]]\nplugin = \"a\"\n").contains("missing field `name`"));
    }

    #[test]
    fn whatever_a_file_says_its_fault_is_one_short_line() {
        let long = "x".repeat(100_000);
        for text in [
            format!("{long} = 1\n"),
            format!("[terminal]\nrows = \"{long}\"\n"),
            format!("\"a`, expected `b\\n\" = \"{long}\"\n"),
        ] {
            let said = said(&text);
            assert!(said.len() < 2 * TEXT_MAX && !said.contains('\n') && said.starts_with("line "), "{said}");
        }
    }

    /// What serde says of unknown fields is what all of this hangs on.
    #[test]
    fn the_words_of_serde_are_understood() {
        assert_eq!(unknown("unknown field `a`, expected `b`").unwrap().known, ["b"]);
        assert_eq!(unknown("unknown field `a`, expected `b` or `c`").unwrap().known, ["b", "c"]);
        let three = unknown("unknown variant `a`, expected one of `b`, `c`, `d`").unwrap();
        assert_eq!(three, Unknown { what: "value", name: "a", known: vec!["b", "c", "d"] });
        let none = unknown("unknown field `a`, there are no fields").unwrap();
        assert_eq!((none.name, none.known.len()), ("a", 0));
        assert_eq!(unknown("invalid type: map, expected u16"), None);
    }

    #[test]
    fn keys_are_known_whether_they_are_set_or_not() {
        let check = |path: &str| check_path(&path.split('.').map(str::to_owned).collect::<Vec<_>>());
        for known in ["default_agent", "terminal", "terminal.rows", "context.assembler.0.name", "agents.mine.env.X"] {
            assert_eq!(check(known), Ok(()), "{known}");
        }
        for (unknown, nearest) in [
            ("terminal.rowz", "`terminal.rows`"),
            ("rows", "`terminal.rows`"),
            ("terminl.rows", "`terminal`"),
            ("context.assembler.0.nam", "`context.assembler.0.name`"),
            ("agents.mine.comand", "`agents.mine.command`"),
        ] {
            assert_eq!(check(unknown), Err(Some(nearest.to_owned())), "{unknown}");
        }
    }
}
