//! From a task to the searches that it is worth. Pure.
//!
//! A search gets the task's own text as it is: the index takes identifiers apart, finds the ids that a text names
//! (`DAEMON-006`), counts repeated words, and those of the first line twice, and, of very many, takes those that tell
//! most. None of that is done here. Subject and details in one search find more than in two: two rankings joined by
//! their places forget how sure each was.

use pu_plugin_sdk::{Query, Task};

use crate::config::Config;
use crate::words;

/// As many bytes as one search takes, and as are looked at of a prompt.
const TEXT_MAX: usize = 16 * 1024;
/// Hits to ask for, for each pick that may come of them, where several answers are joined: what is low in all of them may
/// be high in the sum.
const HITS_PER_PICK: usize = 3;

/// One search and how much its answer counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ask {
    pub(crate) weight: f32,
    pub(crate) query: Query,
}

/// The searches for `task`, those without words or weight left out.
pub(crate) fn of(task: &Task, config: &Config) -> Vec<Ask> {
    let ask = |weight: f32, text: String, fields: &[(&str, f32)]| {
        let query = Query::new(text);
        Ask { weight, query: fields.iter().fold(query, |query, (field, weight)| query.field(*field, *weight)) }
    };
    let tags = task.tags.iter().map(String::as_str);
    let asks = [
        ask(config.prompt_weight, start(&task.prompt).to_owned(), &[]),
        // A comma, so that two tags stay two words.
        ask(config.tag_weight, list(tags, ", "), &[("tags", 3.0), ("ids", 3.0), ("title", 1.0)]),
        ask(config.file_weight, list(file_words(task), " "), &[("path", 2.0), ("code", 1.0), ("title", 1.0)]),
    ];
    let has_words = |text: &str| text.contains(char::is_alphanumeric);
    let mut asks: Vec<Ask> = asks.into_iter().filter(|ask| ask.weight > 0.0 && has_words(&ask.query.text)).collect();
    let hits = if asks.len() > 1 { config.limit * HITS_PER_PICK } else { config.limit };
    let limit = u32::try_from(hits).unwrap_or(u32::MAX);
    asks.iter_mut().for_each(|ask| ask.query.limit = limit);
    asks
}

/// The names of the files that the task is about. Those that the user wrote come first: a branch may have changed more
/// files than fit into a search.
fn file_words(task: &Task) -> impl Iterator<Item = &str> {
    let mentioned = task.mentioned_files.iter().flat_map(|path| name_words(path));
    mentioned.chain(task.changed_files.iter().flat_map(|file| name_words(&file.path)))
}

/// The words of a file's name. Not its numbers: a word and a number after it would be searched as an id, which nobody
/// meant by `step-2.sql`.
fn name_words(path: &str) -> impl Iterator<Item = &str> {
    words::tokens(file_stem(path)).filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()))
}

fn file_stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

/// As much of a text as one search takes.
fn start(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

/// As many of the words as one search takes.
fn list<'a>(words: impl Iterator<Item = &'a str>, separator: &str) -> String {
    let mut text = String::new();
    for word in words {
        if text.len() + separator.len() + word.len() > TEXT_MAX {
            break;
        }
        if !text.is_empty() {
            text.push_str(separator);
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::ChangedFile;

    fn texts(task: &Task) -> Vec<(f32, String)> {
        of(task, &Config::default()).into_iter().map(|ask| (ask.weight, ask.query.text)).collect()
    }

    fn changed(path: &str) -> ChangedFile {
        ChangedFile { path: path.into(), status: "added".into() }
    }

    #[test]
    fn a_plain_prompt_is_one_search() {
        assert_eq!(texts(&Task::new("fix the auth race")), [(1.0, "fix the auth race".to_owned())]);
    }

    #[test]
    fn a_task_without_words_asks_nothing() {
        assert_eq!(texts(&Task::new(" \n ")), []);
        assert_eq!(texts(&Task { tags: vec!["?".into()], ..Task::new("!!!\n\n--") }), []);
    }

    #[test]
    fn tags_and_files_are_searches_of_their_own() {
        let task = Task {
            tags: vec!["billing".into()],
            mentioned_files: vec!["src/ledger_entry.rs".into()],
            changed_files: vec![changed("api/Makefile"), changed("db/step-2.sql")],
            ..Task::new("Round amounts\n\nroundHalf loses a cent\nof each")
        };
        assert_eq!(
            texts(&task),
            [
                (1.0, "Round amounts\n\nroundHalf loses a cent\nof each".to_owned()),
                (1.0, "billing".to_owned()),
                (0.4, "ledger_entry Makefile step".to_owned()),
            ]
        );
    }

    #[test]
    fn ids_reach_the_index_as_they_were_written() {
        let tags = vec!["STORE-006".into(), "api".into()];
        let task = Task { tags, ..Task::new("Fix DAEMON-001 and DAEMON-006\n\nas AGENT-LIFE-005 says") };
        let texts: Vec<String> = texts(&task).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["Fix DAEMON-001 and DAEMON-006\n\nas AGENT-LIFE-005 says", "STORE-006, api"]);
    }

    #[test]
    fn no_text_is_longer_than_a_search_takes_and_the_user_s_own_words_have_room() {
        let task = Task {
            mentioned_files: vec!["src/lease_table.rs".into()],
            changed_files: (0..9000).map(|n| changed(&format!("src/file{n}.rs"))).collect(),
            tags: (0..9000).map(|n| format!("tag{n}")).collect(),
            ..Task::new(format!("{0}\n{0}", "leaseTable änderungs_log ".repeat(9000)))
        };
        let texts = texts(&task);
        assert_eq!(texts.len(), 3);
        for (weight, text) in &texts {
            assert!((TEXT_MAX - 64..=TEXT_MAX).contains(&text.len()), "{weight}: {} bytes", text.len());
        }
        assert!(texts[2].1.starts_with("lease_table file0 file1 "));
    }
}
