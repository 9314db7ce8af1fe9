//! Whether projects are found by themselves: where is looked, and what cannot be watched, read or waited for.

use super::listed;
use crate::projects::discovery::Condition;
use pu_protocol::Finding;
use std::path::PathBuf;

pub(super) fn finding(condition: &Condition) -> Finding {
    let mut parts = vec![looked_at(condition)];
    let mut hint = None;
    // What is told first is to be done first.
    let mut note = |part: String, what_to_do: &'static str| {
        parts.push(part);
        hint.get_or_insert(what_to_do);
    };
    if let Some(limited) = &condition.limited {
        note(
            limited.clone(),
            "raise fs.inotify.max_user_watches, or have fewer folders below the roots, by `ignore` or `depth`",
        );
    }
    if !condition.silent.is_empty() {
        note(format!("no answer from {}", names(&condition.silent)), "see what the disk or the network there is at");
    }
    if condition.is_cut {
        note("not everything was looked into".to_owned(), "see what the disks there are at, then `pu project scan`");
    }
    if condition.unreadable > 0 {
        let some = names(&condition.some_unreadable);
        note(
            format!("folders that cannot be read: {}, such as {some}", condition.unreadable),
            "leave them out by `ignore` in [discovery], or let them be read",
        );
    }
    if !condition.missing.is_empty() && !condition.is_usual {
        note(format!("not there: {}", names(&condition.missing)), "a root is looked at as soon as it is there");
    }
    let detail = parts.join("; ");
    match hint {
        Some(hint) => Finding::warning("discovery", detail).with_hint(hint),
        None => Finding::ok("discovery", detail),
    }
}

fn looked_at(condition: &Condition) -> String {
    if condition.roots.is_empty() {
        return "no folder is looked at for projects: `roots` of [discovery] in PU_HOME/config.toml names them"
            .to_owned();
    }
    format!(
        "projects below {}: {}; folders watched: {}",
        names(&condition.roots),
        condition.projects,
        condition.watched
    )
}

fn names(paths: &[PathBuf]) -> String {
    listed(&paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::FindingState;

    #[test]
    fn what_limits_discovery_is_told_with_what_to_do() {
        let well = Condition { roots: vec!["/code".into()], projects: 3, watched: 7, ..Condition::default() };
        assert_eq!(finding(&well), Finding::ok("discovery", "projects below /code: 3; folders watched: 7"));
        let usual = Condition { missing: vec!["/h/code".into()], is_usual: true, ..Condition::default() };
        assert_eq!(finding(&usual).state, FindingState::Ok);
        for faulty in [
            Condition { limited: Some("no room".into()), ..well.clone() },
            Condition { silent: vec!["/code/nfs".into()], ..well.clone() },
            Condition { unreadable: 2, some_unreadable: vec!["/code/shut".into()], ..well.clone() },
            Condition { missing: vec!["/disk".into()], ..well.clone() },
            Condition { is_cut: true, ..well.clone() },
        ] {
            let told = finding(&faulty);
            assert!(told.state == FindingState::Warning && told.hint.is_some(), "{told:?}");
            assert!(told.detail.starts_with("projects below /code"), "{told:?}");
        }
    }
}
