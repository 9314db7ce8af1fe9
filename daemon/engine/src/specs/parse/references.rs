//! Which other specs a text refers to, as names: ids that it mentions and files that it links to or speaks of.
//!
//! Most names are nobody's; whose they are is found out when a spec is asked how often it is referred to. Pure.

use std::collections::BTreeSet;

use super::super::format::Format;
use super::{ids, says_nothing};

/// A text that refers to more is a list, and of a list the first are as good as any.
const MOST: usize = 1_000;
const NAME_MAX: usize = 128;

/// The names of what a text refers to, each once and sorted.
pub(in super::super) fn of(text: &str) -> Vec<String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let in_path = |c: char| c.is_alphanumeric() || "-_./~+%".contains(c);
    let files = text.split(|c| !in_path(c)).filter_map(|word| file_name(word.trim_end_matches('.')));
    for name in ids::mentioned(text).into_iter().chain(files) {
        if names.len() == MOST {
            break;
        }
        if (3..=NAME_MAX).contains(&name.len()) {
            names.insert(name);
        }
    }
    names.into_iter().collect()
}

/// The name by which texts speak of the file at a path; `None` for what is no spec's format.
pub(in super::super) fn file_name(path: &str) -> Option<String> {
    Format::of(path)?;
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or_default();
    let folder = folders.rsplit('/').next().unwrap_or_default();
    match says_nothing(stem) {
        false if !stem.is_empty() => Some(name.to_lowercase()),
        // Without a folder it may be anybody's.
        true if !folder.is_empty() && folder != "." && folder != ".." => {
            Some(format!("{folder}/{name}").to_lowercase())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_files_are_found_in_any_markup() {
        let text = "See DAEMON-006, PEP 8 and [the ledger](../billing/Ledger.md#sides). Also `keps/12-x/README.md`,\n\
                    https://example.org/rfcs/0195-items.md. A README.md is anybody's, main.rs is none.";
        let names = of(text);
        for name in ["DAEMON-6", "PEP-8", "ledger.md", "12-x/readme.md", "0195-items.md"] {
            assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
        }
        assert!(!names.iter().any(|name| name == "readme.md" || name == "main.rs"), "{names:?}");
    }

    #[test]
    fn a_list_is_bounded() {
        let list: String = (0..5_000).map(|n| format!("X-{n} ")).collect();
        assert_eq!(of(&list).len(), MOST);
        assert!(of(&"y".repeat(100_000)).is_empty());
    }
}
