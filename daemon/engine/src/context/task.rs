//! From what a client describes and what is known of the project to the task that plugins see.
//!
//! No absolute path of the project reaches a plugin: files are relative to the root, and the root is taken out of the
//! prompt, so that two clones of a project give one answer.

use std::path::{Component, Path, PathBuf};

use pu_protocol::context::TaskDescription;
use sha2::{Digest, Sha256};

use super::mention;
use crate::plugins::{ChangedFile, Task};

const MENTIONED_FILES: usize = 64;
const CHANGED_FILES: usize = 1_000;

/// What is known of the project at the time of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectFacts {
    /// The branch that the agent will work on.
    pub branch: Option<String>,
    /// The prompt template that was used.
    pub template: Option<String>,
    /// Files that differ from the base: path relative to the root, and `added`, `modified`, `deleted` or `renamed`.
    pub changed_files: Vec<(String, String)>,
}

/// Makes the task. `is_file` says whether a path relative to the root names a file of the project.
pub(super) fn prepare(
    description: &TaskDescription,
    facts: &ProjectFacts,
    root: &Path,
    is_file: impl Fn(&str) -> bool,
) -> Task {
    let prompt = without_root(&description.prompt, root);
    let tags = tags(&description.tags, &prompt);
    let mentioned_files = mentioned_files(&prompt, is_file);
    let changed_files: Vec<ChangedFile> = changed_files(&facts.changed_files);
    let languages = languages(mentioned_files.iter().chain(changed_files.iter().map(|f| &f.path)));
    Task {
        id: task_id(&prompt, &tags),
        prompt,
        tags,
        agent: description.agent.clone().unwrap_or_default(),
        template: facts.template.clone(),
        branch: facts.branch.clone(),
        mentioned_files,
        changed_files,
        languages,
        labels: Vec::new(),
        extra: Vec::new(),
    }
}

/// Whether a path relative to `root` is a file there, with links resolved and none of them leading out.
pub(super) fn is_project_file(root: &Path, relative: &str) -> bool {
    let Ok(real) = root.join(relative).canonicalize() else { return false };
    real.is_file() && root.canonicalize().is_ok_and(|root| real.starts_with(root))
}

/// Names the task in logs; the same task has the same name.
fn task_id(prompt: &str, tags: &[String]) -> String {
    let mut digest = Sha256::new();
    for part in std::iter::once(prompt).chain(tags.iter().map(String::as_str)) {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The prompt as if it had been written in the root: `/home/me/project/src/a.rs` becomes `src/a.rs`.
pub(super) fn without_root(prompt: &str, root: &Path) -> String {
    match root.to_str().map(|r| r.trim_end_matches('/')) {
        Some(root) if !root.is_empty() => {
            let inside = prompt.replace(&format!("{root}/"), "");
            replace_word(&inside, root, ".")
        }
        _ => prompt.to_owned(),
    }
}

/// Replaces `word` where it is not the beginning of a longer name.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
        out.push_str(before);
        out.push_str(if ends { by } else { word });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Explicit tags first, then those of the prompt; each once, whatever its case.
pub(super) fn tags(explicit: &[String], prompt: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let explicit = explicit.iter().map(|t| t.trim().trim_start_matches('#').trim_matches(['[', ']']).to_owned());
    for tag in explicit.chain(mention::tags(prompt)) {
        let known = tags.iter().any(|t| t.to_lowercase() == tag.to_lowercase());
        if !tag.is_empty() && !known {
            tags.push(tag);
        }
    }
    tags
}

fn mentioned_files(prompt: &str, is_file: impl Fn(&str) -> bool) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for path in mention::path_words(prompt).into_iter().filter_map(relative) {
        if files.len() == MENTIONED_FILES {
            break;
        }
        if !files.contains(&path) && is_file(&path) {
            files.push(path);
        }
    }
    files
}

fn changed_files(changed: &[(String, String)]) -> Vec<ChangedFile> {
    let named = changed.iter().filter_map(|(path, status)| Some((relative(path)?, status.clone())));
    let mut files: Vec<(String, String)> = named.collect();
    files.sort();
    files.dedup();
    files.truncate(CHANGED_FILES);
    files.into_iter().map(|(path, status)| ChangedFile { path, status }).collect()
}

/// A path below the root in its plain form, `None` for one that is absolute, leaves the root, or is the root.
fn relative(path: &str) -> Option<String> {
    let mut plain = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    plain.to_str().filter(|p| !p.is_empty()).map(str::to_owned)
}

/// The languages of some files, the most frequent first, then by name.
fn languages<'a>(paths: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for language in paths.filter_map(|p| language(p)) {
        match counts.iter_mut().find(|(name, _)| *name == language) {
            Some((_, count)) => *count += 1,
            None => counts.push((language, 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn language(path: &str) -> Option<&'static str> {
    let extension = Path::new(path).extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "rs" => "rust",
        "py" | "pyi" => "python",
        "js" | "mjs" | "cjs" | "jsx" => "javascript",
        "ts" | "mts" | "cts" | "tsx" => "typescript",
        "go" => "go",
        "java" => "java",
        "kt" | "kts" => "kotlin",
        "swift" => "swift",
        "c" | "h" => "c",
        "cc" | "cpp" | "cxx" | "hpp" | "hh" => "c++",
        "cs" => "c#",
        "rb" => "ruby",
        "php" => "php",
        "scala" => "scala",
        "ex" | "exs" => "elixir",
        "erl" => "erlang",
        "hs" => "haskell",
        "ml" | "mli" => "ocaml",
        "zig" => "zig",
        "lua" => "lua",
        "dart" => "dart",
        "sh" | "bash" | "zsh" => "shell",
        "sql" => "sql",
        "sol" => "solidity",
        "css" | "scss" => "css",
        "html" | "htm" => "html",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(prompt: &str, tags: &[&str]) -> TaskDescription {
        let tags = tags.iter().map(|t| (*t).to_owned()).collect();
        TaskDescription { prompt: prompt.into(), tags, ..TaskDescription::default() }
    }

    #[test]
    fn tags_come_from_the_flag_and_the_prompt_once() {
        let task = prepare(
            &describe("fix #Auth as in [DAEMON-006] #auth", &["auth", " #billing", "[STORE-006]", ""]),
            &ProjectFacts::default(),
            Path::new("/p"),
            |_| false,
        );
        assert_eq!(task.tags, ["auth", "billing", "STORE-006", "DAEMON-006"]);
    }

    #[test]
    fn files_are_those_that_exist_and_stay_inside() {
        let prompt =
            "compare /home/me/p/src/a.rs with ./src/../src/b.py, ../secret.rs, /etc/passwd, src/none.rs and src/a.rs:3";
        let exists = |p: &str| matches!(p, "src/a.rs" | "src/b.py" | "secret.rs" | "etc/passwd");
        let task = prepare(&describe(prompt, &[]), &ProjectFacts::default(), Path::new("/home/me/p"), exists);
        assert_eq!(task.mentioned_files, ["src/a.rs", "src/b.py"]);
        assert_eq!(task.languages, ["python", "rust"]);
    }

    #[test]
    fn two_clones_of_a_project_give_one_task() {
        let facts = ProjectFacts::default();
        let make = |root: &str| {
            let prompt = format!("in {root} fix {root}/src/a.rs, not {root}-old/x");
            prepare(&describe(&prompt, &[]), &facts, Path::new(root), |_| true)
        };
        let task = make("/home/me/p");
        assert_eq!(task.prompt, "in . fix src/a.rs, not /home/me/p-old/x");
        assert_eq!(make("/home/me/p").id, task.id);
        assert_eq!(prepare(&describe("/ and /a/b", &[]), &facts, Path::new("/"), |_| true).prompt, "/ and /a/b");
    }

    #[test]
    fn changed_files_are_sorted_and_inside_and_tell_the_languages() {
        let changed = |pairs: &[(&str, &str)]| pairs.iter().map(|(p, s)| ((*p).into(), (*s).into())).collect();
        let facts = ProjectFacts {
            changed_files: changed(&[
                ("b.go", "added"),
                ("/abs.rs", "added"),
                ("a.rs", "modified"),
                ("c.go", "deleted"),
            ]),
            ..ProjectFacts::default()
        };
        let task = prepare(&describe("x", &[]), &facts, Path::new("/p"), |_| false);
        let paths: Vec<&str> = task.changed_files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["a.rs", "b.go", "c.go"]);
        assert_eq!(task.languages, ["go", "rust"]);
    }

    #[test]
    fn a_link_that_leaves_the_project_is_no_file_of_it() {
        let project = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(outside.path(), project.path().join("link.rs")).unwrap();
        std::fs::File::create(project.path().join("a.rs")).unwrap();
        assert!(is_project_file(project.path(), "a.rs"));
        assert!(!is_project_file(project.path(), "link.rs"));
        assert!(!is_project_file(project.path(), "b.rs"));
    }
}
