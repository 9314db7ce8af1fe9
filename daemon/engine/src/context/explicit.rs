//! What the user asked for by name (`--spec`): always picked, and an error where the name means nothing.

use super::error::ContextError;
use super::merge::Proposal;

/// Who proposed a spec that the user named.
pub(super) const USER: &str = "user";
const NEAREST: usize = 3;

/// A proposal with the full score for each name. `find` gives the spec's id for an id or path; `names` lists all ids and
/// paths and is asked only where a name means nothing.
pub(super) fn proposals(
    asked: &[String],
    find: impl Fn(&str) -> Option<String>,
    names: impl Fn() -> Vec<String>,
) -> Result<Vec<Proposal>, ContextError> {
    let mut proposals: Vec<Proposal> = Vec::new();
    for asked in asked {
        let name = asked.trim().trim_start_matches("./");
        let Some(spec) = find(name) else {
            return Err(ContextError::SpecNotFound { name: asked.clone(), nearest: nearest(name, &names()) });
        };
        if proposals.iter().all(|p| p.spec != spec) {
            let reason = format!("asked for as {name}");
            proposals.push(Proposal { assembler: USER.into(), spec, section: None, score: 1.0, reason, rule: None });
        }
    }
    Ok(proposals)
}

/// The names that are spelled most like `name`: at most a third of its letters differ, or one holds the other.
fn nearest(name: &str, names: &[String]) -> Vec<String> {
    let wanted = name.to_lowercase();
    let mut near: Vec<(usize, &String)> = names
        .iter()
        .filter_map(|candidate| {
            let lower = candidate.to_lowercase();
            let stem = lower.rsplit('/').next().map_or(lower.as_str(), |n| n.split('.').next().unwrap_or(n));
            let distance = edits(&wanted, &lower).min(edits(&wanted, stem));
            let holds = wanted.len() >= 3 && (lower.contains(&wanted) || wanted.contains(&lower));
            (holds || distance * 3 <= wanted.chars().count()).then_some((distance, candidate))
        })
        .collect();
    near.sort();
    near.dedup();
    near.into_iter().take(NEAREST).map(|(_, n)| n.clone()).collect()
}

/// How many letters must be added, removed or replaced to make one word of the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a_char) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b_char) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a_char != *b_char);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["DAEMON-006", "DAEMON-005", "STORE-006", "specs/daemon.md", "specs/storage.md"];

    fn ask(asked: &[&str]) -> Result<Vec<Proposal>, ContextError> {
        let asked: Vec<String> = asked.iter().map(|a| (*a).to_owned()).collect();
        let find = |name: &str| match name {
            "DAEMON-006" | "specs/daemon.md" => Some("daemon".to_owned()),
            "STORE-006" => Some("storage".to_owned()),
            _ => None,
        };
        proposals(&asked, find, || NAMES.iter().map(|n| (*n).to_owned()).collect())
    }

    #[test]
    fn two_names_of_one_spec_are_one_pick() {
        let picks = ask(&["DAEMON-006", "./specs/daemon.md", "STORE-006"]).unwrap();
        assert_eq!(picks.iter().map(|p| p.spec.as_str()).collect::<Vec<_>>(), ["daemon", "storage"]);
        assert!(picks.iter().all(|p| p.assembler == USER && p.score == 1.0));
    }

    #[test]
    fn an_unknown_name_is_an_error_with_its_neighbours() {
        for (asked, expected) in [
            ("DAEMON-007", vec!["DAEMON-005", "DAEMON-006"]),
            ("storge", vec!["specs/storage.md"]),
            ("daemon", vec!["specs/daemon.md", "DAEMON-005", "DAEMON-006"]),
            ("billing", vec![]),
        ] {
            match ask(&[asked]) {
                Err(ContextError::SpecNotFound { name, nearest }) => {
                    assert_eq!((name.as_str(), nearest), (asked, expected.iter().map(|e| (*e).to_owned()).collect()));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn edits_are_counted() {
        for (a, b, distance) in [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0), ("größe", "grösse", 2)]
        {
            assert_eq!((edits(a, b), edits(b, a)), (distance, distance), "{a} {b}");
        }
    }
}
