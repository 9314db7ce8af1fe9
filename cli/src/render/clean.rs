//! What `clean` removes, or would, and what it keeps.

use super::{View, count};
use crate::text::printable;
use pu_protocol::answer::CleanItem;

pub(crate) fn items(items: &[CleanItem], dry_run: bool, view: &View) -> String {
    if items.is_empty() {
        return "nothing to clean".to_owned();
    }
    let verb = if dry_run { "would remove" } else { "removed" };
    let mut lines: Vec<String> = items
        .iter()
        .map(|item| {
            let mut what = format!("{} {}", printable(&item.kind), printable(&item.what));
            if !item.agent_id.is_empty() {
                what.push_str(&format!(" (agent {})", printable(&item.agent_id)));
            }
            match (item.removed, &item.kept_because) {
                (true, _) => format!("{verb}  {what}"),
                (false, Some(why)) => view.style.warn(&format!("kept  {what}: {}", printable(why))),
                (false, None) => view.style.warn(&format!("kept  {what}")),
            }
        })
        .collect();
    let gone = items.iter().filter(|item| item.removed).count();
    lines.push(format!("{verb} {}, kept {}", count(gone, "item"), items.len() - gone));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::view;

    #[test]
    fn what_stays_says_why() {
        let item = |kind: &str, what: &str, kept: Option<&str>| CleanItem {
            kind: kind.into(),
            what: what.into(),
            agent_id: "a1b2c3d4".into(),
            removed: kept.is_none(),
            kept_because: kept.map(Into::into),
        };
        let all =
            [item("worktree", ".pu/worktrees/x", None), item("branch", "pu/x", Some("2 commits are nowhere else"))];
        insta::assert_snapshot!(items(&all, true, &view()), @r#"
        would remove  worktree .pu/worktrees/x (agent a1b2c3d4)
        kept  branch pu/x (agent a1b2c3d4): 2 commits are nowhere else
        would remove 1 item, kept 1
        "#);
        insta::assert_snapshot!(items(&all[..1], false, &view()), @r#"
        removed  worktree .pu/worktrees/x (agent a1b2c3d4)
        removed 1 item, kept 0
        "#);
        let nobodys = CleanItem { agent_id: String::new(), ..all[0].clone() };
        insta::assert_snapshot!(items(&[nobodys], false, &view()), @r#"
        removed  worktree .pu/worktrees/x
        removed 1 item, kept 0
        "#);
        insta::assert_snapshot!(items(&[], false, &view()), @"nothing to clean");
    }
}
