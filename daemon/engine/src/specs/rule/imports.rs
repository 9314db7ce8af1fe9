//! Which files a `CLAUDE.md` has Claude read along: `@docs/style.md` outside of code.
//!
//! Paths only, resolved without looking at the disk; one that leaves the project is none.

use super::super::relative;

/// More are not a memory file but an index.
const MAX_IMPORTS: usize = 64;

/// The imports of a file that lies in `folder` (from the root), as paths from the root.
pub(super) fn of(folder: &str, body: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut fence: Option<&str> = None;
    for line in body.lines() {
        let text = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| text.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                // Every other part stands in a code span.
                for path in text.split('`').step_by(2).flat_map(words).filter_map(|word| resolved(folder, word)) {
                    if found.len() < MAX_IMPORTS && !found.contains(&path) {
                        found.push(path);
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter_map(|word| word.strip_prefix('@'))
}

fn resolved(folder: &str, path: &str) -> Option<String> {
    let path = path.trim_end_matches(['.', ',', ';', ':', ')', '!', '?']);
    if path.is_empty() || path.starts_with(['/', '~']) {
        return None;
    }
    relative::resolve(folder, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_outside_of_code_and_inside_of_the_project() {
        let body =
            "See @AGENTS.md and @./style.md.\n\n```sh\n@no.md\n```\n`@no.md` me@host @~/own.md @/etc/no @../a.md\n";
        assert_eq!(of("", body), ["AGENTS.md", "style.md"]);
        assert_eq!(of("src/api", body), ["src/api/AGENTS.md", "src/api/style.md", "src/a.md"]);
    }
}
