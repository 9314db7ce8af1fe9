//! From a task to the searches that it is worth. Pure.

use pu_plugin_sdk::{Query, Task};

use crate::config::Config;
use crate::words;

/// As many words as one search gets: more only makes it slower and vaguer.
const WORDS_MAX: usize = 64;
/// Hits to ask for, for each pick that may come of them: several sections of one spec may hit.
const HITS_PER_PICK: usize = 3;

/// One search and how much its answer counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ask {
    pub(crate) weight: f32,
    pub(crate) query: Query,
}

/// The searches for `task`, those without words or weight left out.
pub(crate) fn of(task: &Task, config: &Config) -> Vec<Ask> {
    let limit = u32::try_from(config.limit * HITS_PER_PICK).unwrap_or(u32::MAX);
    let ask = |weight: f32, text: String, fields: &[(&str, f32)]| {
        let query = Query::new(text).limit(limit);
        Ask { weight, query: fields.iter().fold(query, |query, (field, weight)| query.field(*field, *weight)) }
    };
    let subject = join(words::of(task.subject()));
    let details = join(words::of(task.details()));
    let tags = join(task.tags.iter().flat_map(|tag| words::of(tag)));
    let code = join(code_words(task));
    let asks = [
        ask(config.subject_weight, subject, &[]),
        ask(config.details_weight, details, &[]),
        ask(config.tag_weight, tags, &[("tags", 3.0), ("ids", 3.0), ("title", 1.0)]),
        ask(config.code_weight, code, &[("path", 2.0), ("code", 1.0), ("title", 1.0)]),
    ];
    asks.into_iter().filter(|ask| ask.weight > 0.0 && !ask.query.text.is_empty()).collect()
}

/// The names of files and the identifiers that the task speaks of.
fn code_words(task: &Task) -> impl Iterator<Item = String> {
    let changed = task.changed_files.iter().map(|file| &file.path);
    let files: Vec<_> =
        task.mentioned_files.iter().chain(changed).flat_map(|path| words::of(file_stem(path))).collect();
    let identifiers = words::identifiers(&task.prompt);
    files.into_iter().chain(identifiers)
}

fn file_stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

/// The first distinct words, joined by blanks.
fn join(words: impl IntoIterator<Item = String>) -> String {
    let mut distinct: Vec<String> = Vec::new();
    for word in words {
        if distinct.len() == WORDS_MAX {
            break;
        }
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    distinct.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::ChangedFile;

    fn texts(task: &Task) -> Vec<(f32, String)> {
        of(task, &Config::default()).into_iter().map(|ask| (ask.weight, ask.query.text)).collect()
    }

    #[test]
    fn a_plain_prompt_is_one_search() {
        assert_eq!(texts(&Task::new("fix the auth race")), [(1.0, "fix the auth race".to_owned())]);
    }

    #[test]
    fn an_empty_task_asks_nothing() {
        assert_eq!(texts(&Task::new(" \n ")), []);
    }

    #[test]
    fn details_tags_files_and_identifiers_are_searches_of_their_own() {
        let task = Task {
            tags: vec!["billing".into()],
            mentioned_files: vec!["src/ledger_entry.rs".into()],
            changed_files: vec![ChangedFile { path: "api/Makefile".into(), status: "added".into() }],
            ..Task::new("Round amounts\n\nroundHalf loses a cent")
        };
        assert_eq!(
            texts(&task),
            [
                (1.0, "round amounts".to_owned()),
                (0.5, "roundhalf round half loses a cent".to_owned()),
                (1.0, "billing".to_owned()),
                (0.4, "ledger_entry ledger entry makefile roundhalf round half".to_owned()),
            ]
        );
    }

    #[test]
    fn a_long_prompt_is_cut_at_its_first_distinct_words() {
        let prompt: Vec<String> = (0..500).map(|n| format!("word{n}")).collect();
        let text = &texts(&Task::new(prompt.join(" ")))[0].1;
        assert_eq!(text.split(' ').count(), WORDS_MAX);
        assert!(text.starts_with("word0 word1 "));
    }
}
