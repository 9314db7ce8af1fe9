//! What of a task rules go by: its files, what it names, and how surely. Pure.

use pu_plugin_sdk::Task;

/// A file that the task has to do with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct File<'a> {
    pub(crate) path: &'a str,
    /// What the user wrote says more than what a branch happens to have changed.
    pub(crate) is_mentioned: bool,
}

/// The task as rules see it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen<'a> {
    /// Mentioned ones first.
    pub(crate) files: Vec<File<'a>>,
    /// Tags, and words behind an `@`, in lower case.
    names: Vec<String>,
}

impl<'a> Seen<'a> {
    pub(crate) fn of(task: &'a Task) -> Self {
        let mentioned = task.mentioned_files.iter().map(|path| File { path, is_mentioned: true });
        let changed = task.changed_files.iter().map(|file| File { path: &file.path, is_mentioned: false });
        let at_words = task.prompt.split('@').skip(1).filter_map(leading_name);
        let names = task.tags.iter().map(String::as_str).chain(at_words).map(str::to_lowercase).collect();
        Self { files: mentioned.chain(changed).collect(), names }
    }

    pub(crate) fn names_anything(&self) -> bool {
        !self.names.is_empty() || self.files.iter().any(|file| file.is_mentioned)
    }

    /// Whether the task names a rule by its name or by the path of its file.
    pub(crate) fn names(&self, name: &str, path: &str) -> bool {
        self.names.iter().any(|known| *known == name.to_lowercase())
            || self.files.iter().any(|file| file.is_mentioned && file.path == path)
    }
}

/// The name at the start of a text: `rust-style please` gives `rust-style`.
fn leading_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(text.len());
    (end > 0).then_some(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::ChangedFile;

    #[test]
    fn tags_at_words_and_mentioned_files_are_names_and_changed_ones_are_not() {
        let task = Task {
            tags: vec!["Billing".into()],
            mentioned_files: vec!["rules/api.mdc".into()],
            changed_files: vec![ChangedFile { path: "rules/db.mdc".into(), status: "modified".into() }],
            ..Task::new("follow @rust-style, ask a@b.example; 5 @ 3")
        };
        let seen = Seen::of(&task);
        assert_eq!(seen.names, ["billing", "rust-style", "b"]);
        assert!(seen.names("billing", "") && seen.names("Rust-Style", "") && seen.names("", "rules/api.mdc"));
        assert!(!seen.names("db", "rules/db.mdc"));
        assert_eq!(seen.files.iter().map(|file| file.is_mentioned).collect::<Vec<_>>(), [true, false]);
        assert!(seen.names_anything() && !Seen::of(&Task::new("plain")).names_anything());
    }
}
