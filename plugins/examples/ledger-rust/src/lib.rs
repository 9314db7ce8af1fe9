//! Tasks that touch billing get the ledger's invariants, and the label `billing`.
//!
//! A task touches billing by its tags, by the files that it names or its branch changes, or by its words: the first of
//! these that holds is the reason. Which spec, words and folders that are is configured. What it never does: read the spec
//! and judge whether it fits.

use pu_plugin_sdk::{Assembler, Assembly, Failure, Label, Pick, Specs, Task};
use serde::Deserialize;

pub struct Plugin {
    config: Config,
}

/// What a user may write for this plugin in `config.toml`; `manifest.json` describes it too.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    spec: String,
    words: Vec<String>,
    folders: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        let all = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        Self {
            spec: "LEDGER".into(),
            words: all(&["billing", "invoice", "refund"]),
            folders: all(&["src/billing", "src/ledger"]),
        }
    }
}

/// Why a task is one about billing, and how sure that is, from 0 to 1.
struct Evidence {
    certainty: f32,
    reason: String,
}

impl Assembler for Plugin {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Failure> {
        Ok(Self { config })
    }

    fn assemble(&self, task: &Task, specs: &dyn Specs) -> Result<Assembly, Failure> {
        let Some(Evidence { certainty, reason }) = self.evidence(task) else {
            return Ok(Assembly::default());
        };
        let mut assembly =
            Assembly { labels: vec![Label { name: "billing".into(), confidence: certainty }], ..Assembly::default() };
        match specs.get(&self.config.spec) {
            Ok(spec) => assembly.picks.push(Pick::new(spec.id, certainty, reason)),
            // No failure of the plugin: others can still use the label, and the user is told.
            Err(failure) if failure.code == "unknown_spec" => {
                assembly.notes.push(format!("there is no spec {}", self.config.spec));
            }
            Err(failure) => return Err(failure),
        }
        Ok(assembly)
    }
}

impl Plugin {
    /// The surest first.
    fn evidence(&self, task: &Task) -> Option<Evidence> {
        if let Some(tag) = task.tags.iter().find(|tag| self.is_word(tag)) {
            return Some(Evidence { certainty: 1.0, reason: format!("the task is tagged {tag}") });
        }
        if let Some(file) = task.mentioned_files.iter().find(|file| self.is_in_a_folder(file)) {
            return Some(Evidence { certainty: 0.9, reason: format!("the task names {file}") });
        }
        if let Some(file) = task.changed_files.iter().map(|file| &file.path).find(|file| self.is_in_a_folder(file)) {
            return Some(Evidence { certainty: 0.8, reason: format!("the branch changes {file}") });
        }
        let prompt = task.prompt.to_lowercase();
        let word = self.config.words.iter().find(|word| says(&prompt, &word.to_lowercase()))?;
        Some(Evidence { certainty: 0.7, reason: format!("the task says {word}") })
    }

    fn is_word(&self, tag: &str) -> bool {
        self.config.words.iter().any(|word| word.to_lowercase() == tag.to_lowercase())
    }

    fn is_in_a_folder(&self, file: &str) -> bool {
        let mut folders = self.config.folders.iter().map(|folder| folder.trim_end_matches('/'));
        folders.any(|folder| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }
}

/// Whether a word of the text is this one or begins with it: `invoice` is in `invoices`, and not in `reinvoice`.
fn says(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(char::is_alphanumeric))
}

pu_plugin_sdk::export_assembler!(Plugin);
