//! What is to happen at which point, as a test wrote it: pure, touches nothing.
//!
//! Rules are separated by `;`. Each is `POINT=ACTION`, or `POINT@N=ACTION` for the N-th time only that this process comes
//! there. A `*` in a point stands for anything. Actions are `kill`, `stop`, `wait:FILE`, `short` and the names of errors.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::Errno;

/// What happens to a process that comes to a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// SIGKILL.
    Kill,
    /// SIGSTOP.
    Stop,
    /// It makes `<file>.here` and goes on when the file is there.
    Wait(PathBuf),
    /// A write is cut off in the middle by a full disk.
    Short,
    /// What was about to be done fails so.
    Fail(Errno),
}

#[derive(Debug)]
struct Rule {
    point: String,
    /// Counted from 1; every time where there is none.
    only: Option<u32>,
    action: Action,
    /// How often the process has come there.
    times: AtomicU32,
}

/// All that is to happen.
#[derive(Debug, Default)]
pub(super) struct Plan {
    rules: Vec<Rule>,
}

impl Plan {
    /// Reads the rules; `Err` is the rule that makes no sense.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let rules = text.split(';').filter(|rule| !rule.is_empty());
        let rules: Result<Vec<Rule>, String> =
            rules.map(|rule| parse_rule(rule).ok_or_else(|| rule.to_owned())).collect();
        Ok(Self { rules: rules? })
    }

    /// Counts that the process comes to `point`; answers what is to happen there. The first rule that has something to say
    /// counts.
    pub(super) fn due(&self, point: &str) -> Option<&Action> {
        let mut due = None;
        for rule in self.rules.iter().filter(|rule| fits(&rule.point, point)) {
            let times = rule.times.fetch_add(1, Ordering::Relaxed) + 1;
            if rule.only.is_none_or(|only| only == times) {
                due = due.or(Some(&rule.action));
            }
        }
        due
    }
}

fn parse_rule(rule: &str) -> Option<Rule> {
    let (point, action) = rule.split_once('=')?;
    let (point, only) = match point.rsplit_once('@') {
        Some((point, number)) => (point, Some(number.parse().ok()?)),
        None => (point, None),
    };
    let action = match action {
        "kill" => Action::Kill,
        "stop" => Action::Stop,
        "short" => Action::Short,
        other => match other.strip_prefix("wait:") {
            Some(file) => Action::Wait(file.into()),
            None => Action::Fail(errno(other)?),
        },
    };
    Some(Rule { point: point.to_owned(), only, action, times: AtomicU32::new(0) })
}

fn errno(name: &str) -> Option<Errno> {
    Some(match name {
        "EIO" => Errno::IO,
        "ENOSPC" => Errno::NOSPC,
        "EMFILE" => Errno::MFILE,
        "EROFS" => Errno::ROFS,
        "EACCES" => Errno::ACCESS,
        _ => return None,
    })
}

/// Whether a pattern with at most one `*` fits.
fn fits(pattern: &str, point: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == point,
        Some((before, after)) => {
            point.len() >= before.len() + after.len() && point.starts_with(before) && point.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_points_times_and_actions() {
        let plan = Plan::parse("spawn.shim=kill;write:*@2=ENOSPC;rename:a.json=wait:/t/go;").unwrap();
        assert_eq!(plan.due("spawn.shim"), Some(&Action::Kill));
        assert_eq!(plan.due("spawn.shim"), Some(&Action::Kill), "every time");
        assert_eq!(plan.due("spawn.shims"), None);
        assert_eq!(plan.due("write:x"), None, "the first time");
        assert_eq!(plan.due("write:y"), Some(&Action::Fail(Errno::NOSPC)));
        assert_eq!(plan.due("write:x"), None, "the third time");
        assert_eq!(plan.due("rename:a.json"), Some(&Action::Wait("/t/go".into())));
        assert!(Plan::parse("").unwrap().rules.is_empty());
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_no_rule() {
        for rule in ["spawn", "spawn=", "spawn=explode", "spawn@x=kill"] {
            assert_eq!(Plan::parse(&format!("a=stop;{rule}")).unwrap_err(), rule);
        }
    }

    #[test]
    fn a_star_stands_for_anything_once() {
        for (pattern, point, wanted) in [
            ("*", "a", true),
            ("write:*.json", "write:manifest.json", true),
            ("write:*.json", "write:.json", true),
            ("write:*.json", "write:json", false),
            ("aa*aa", "aaa", false),
            ("sync:*", "write:x", false),
        ] {
            assert_eq!(fits(pattern, point), wanted, "{pattern} {point}");
        }
    }
}
