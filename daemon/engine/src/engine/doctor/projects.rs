//! The other projects of the user: those in which something is wrong, or hangs. None of them is looked at for that.

use super::listed;
use crate::gates::Hanging;
use pu_protocol::Finding;
use std::path::{Path, PathBuf};

/// As many projects as are told of one by one.
const TOLD_MAX: usize = 10;

/// From what was seen of each project since the daemon started. The caller's `own` one is looked at by others; here it is
/// told of only where it hangs.
pub(super) fn findings(
    seen: &[(PathBuf, Vec<String>)],
    hanging: &[(PathBuf, Hanging)],
    own: Option<&Path>,
) -> Vec<Finding> {
    let others = seen.iter().filter(|(root, condition)| own != Some(root.as_path()) && !condition.is_empty());
    let mut troubled: Vec<(&Path, String)> = others.map(|(root, all)| (root.as_path(), all.join("; "))).collect();
    for (folder, hanging) in hanging {
        if !troubled.iter().any(|(root, _)| *root == folder.as_path()) {
            troubled.push((folder.as_path(), hanging.to_string()));
        }
    }
    if troubled.is_empty() {
        return vec![Finding::ok("projects", format!("used since the daemon started, and well: {}", seen.len()))];
    }
    let told = troubled.iter().take(TOLD_MAX).map(|(root, what)| {
        let finding = Finding::warning("projects", format!("{}: {what}", root.display()));
        finding.with_hint("other projects are unaffected; `pu doctor` in that one says more")
    });
    let more: Vec<String> = troubled.iter().skip(TOLD_MAX).map(|(root, _)| root.display().to_string()).collect();
    let more = (!more.is_empty()).then(|| Finding::warning("projects", format!("in trouble, too: {}", listed(&more))));
    told.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::FindingState;
    use std::time::Duration;

    #[test]
    fn a_project_in_trouble_is_a_finding_of_its_own_and_ones_own_only_where_it_hangs() {
        let seen =
            [("/a", vec![]), ("/b", vec!["no config".to_owned(), "no index".to_owned()]), ("/c", vec!["x".into()])];
        let seen = seen.map(|(root, condition)| (PathBuf::from(root), condition));
        let told = |hanging: &[(PathBuf, Hanging)], own: &str| {
            let found = findings(&seen, hanging, Some(Path::new(own)));
            found.into_iter().map(|finding| finding.detail).collect::<Vec<_>>()
        };
        assert_eq!(told(&[], "/c"), ["/b: no config; no index"]);
        let hangs = [(PathBuf::from("/c"), Hanging { works: 1, longest: Duration::from_secs(12) })];
        let all = told(&hangs, "/c");
        assert!(all.len() == 2 && all[1].starts_with("/c: 1 task has been at work in it for up to 12 s"), "{all:?}");
        let well = findings(&seen[..1], &[], None);
        assert!(well.len() == 1 && well[0].state == FindingState::Ok, "{well:?}");
    }
}
