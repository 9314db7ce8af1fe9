//! The specs that a task names: by an id or a path, by the path of their file, or by a tag that they have.

use pu_plugin_sdk::{Failure, Listing, SpecMeta, Specs, Task};

use crate::choices::Choices;

/// A task has a few tags; each costs a look at every spec.
const TAGS: usize = 16;
/// No tag of a spec is longer, in bytes.
const TAG_MAX: usize = 256;
/// Specs of one tag that are looked at.
const LISTED: u32 = 64;
/// Up to so many specs share a tag that says much.
const TELLING: f32 = 8.0;
const NAMED: f32 = 1.0;
const DEFINED: f32 = 0.9;
const TAGGED: f32 = 0.8;
/// What a tag that everything has is worth, at least.
const TAGGED_LEAST: f32 = 0.3;
/// Endings of files that could be specs.
const DOCUMENTS: [&str; 8] = ["md", "mdx", "mdc", "markdown", "rst", "adoc", "asciidoc", "txt"];

/// Adds what the task names to the choices; answers with what else is to be told.
pub(crate) fn choose(task: &Task, specs: &dyn Specs, choices: &mut Choices) -> Result<Vec<String>, Failure> {
    let mut notes = Vec::new();
    for path in task.mentioned_files.iter().filter(|path| could_be_a_spec(path)) {
        if let Some(spec) = find(specs, path)? {
            choices.add(spec, NAMED, "the task names its file".to_owned(), true);
        }
    }
    for tag in task.tags.iter().filter(|tag| tag.len() <= TAG_MAX && !tag.contains('\n')).take(TAGS) {
        if let Some(spec) = find(specs, tag)? {
            choices.add(spec, NAMED, format!("the task names {tag}"), true);
        } else if tag.contains(|c: char| c.is_ascii_digit()) {
            // An id that several specs define names none of them alone.
            for spec in specs.list(&Listing::first(LISTED).filter("attribute", format!("defines={tag}")))?.specs {
                choices.add(spec, DEFINED, format!("defines {tag}, as others do"), true);
            }
        }
        let page = specs.list(&Listing::first(LISTED).filter("tag", tag))?;
        if page.next.is_some() {
            notes.push(format!("more than {LISTED} specs have the tag {tag}: the others were not looked at"));
        }
        let score = tagged(page.specs.len());
        for spec in page.specs {
            choices.add(spec, score, format!("has the tag {tag}"), true);
        }
    }
    if task.tags.len() > TAGS {
        notes.push(format!("of {} tags the first {TAGS} were looked at", task.tags.len()));
    }
    Ok(notes)
}

/// What a tag is worth that so many specs have: the more there are, the less it says of each.
fn tagged(specs: usize) -> f32 {
    let shared = specs.max(1) as f32;
    (TAGGED * (TELLING / shared).sqrt().min(1.0)).max(TAGGED_LEAST)
}

/// The spec that a name stands for, if there is one.
pub(crate) fn find(specs: &dyn Specs, name: &str) -> Result<Option<SpecMeta>, Failure> {
    match specs.get(name) {
        Ok(spec) => Ok(Some(spec)),
        Err(failure) if failure.code == "unknown_spec" => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn could_be_a_spec(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| DOCUMENTS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_many_share_says_less_of_each() {
        assert_eq!((tagged(1), tagged(8)), (TAGGED, TAGGED));
        assert!(tagged(9) < TAGGED && tagged(32) < tagged(9));
        assert_eq!(tagged(5000), TAGGED_LEAST);
    }

    #[test]
    fn only_documents_are_looked_up_by_path() {
        assert!(could_be_a_spec("docs/A.MD") && could_be_a_spec("x.mdc"));
        assert!(!could_be_a_spec("src/a.rs") && !could_be_a_spec("Makefile"));
    }
}
