//! The `[context]` table: budget, bars and the chain of assemblers.
//!
//! Only what the user wrote; which file a plugin's name stands for is found out in `lineup`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::budget;
use crate::plugins::{Grant, is_plugin_name};

/// As `config.toml` has it. A key that is not known is an error.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContextConfig {
    /// Tokens of context that an agent is given at most.
    pub budget: u32,
    /// Other budgets by the agent's type: `[context.budgets]`, `claude = 12000`.
    pub budgets: BTreeMap<String, u32>,
    /// Where no proposal reaches this score, 0 to 1, no spec is about the task, which then gets none by rank.
    pub min_score: f32,
    /// Else those below this share of the best proposal's score, 0 to 1, are left out.
    pub near_best: f32,
    /// The chain, in order. Without it the bundled ones run, then each plugin in the plugin folders.
    #[serde(rename = "assembler")]
    pub assemblers: Option<Vec<AssemblerConfig>>,
    /// Assemblers that do not run, by name, wherever the chain comes from.
    pub disabled: Vec<String>,
    /// What assemblers may use beside the project's specs, by name, wherever the chain comes from; their own `grants` count
    /// besides.
    pub grants: BTreeMap<String, Vec<Grant>>,
    /// How long all assemblers together may take, in milliseconds.
    pub deadline_ms: u64,
    /// Whether what comes of tasks is kept, and counts for the ranking of later ones.
    pub learn: bool,
    /// No key of the file: a request may name the assemblers that it wants, be they switched off or not.
    #[serde(skip)]
    pub only: Option<Vec<String>>,
}

impl Default for ContextConfig {
    fn default() -> Self {
        Self {
            budget: 8_000,
            budgets: BTreeMap::new(),
            min_score: 0.3,
            near_best: 0.25,
            assemblers: None,
            disabled: Vec::new(),
            grants: BTreeMap::new(),
            deadline_ms: 500,
            learn: true,
            only: None,
        }
    }
}

/// One `[[context.assembler]]`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AssemblerConfig {
    /// What reports call it.
    pub name: String,
    /// A name, looked up in `.pu/plugins/`, then `PU_HOME/plugins/`, then among the bundled ones; or the path of a file
    /// (with a `/` or ending in `.wasm`), relative to the project's `.pu/` or else to `PU_HOME`. The same as `name` if
    /// absent.
    #[serde(default)]
    pub plugin: Option<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Refuse the spawn if it fails.
    #[serde(default)]
    pub required: bool,
    /// How long it may take, in milliseconds; at most what the host allows.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
    /// What it may use beside the project's specs: `state`, `history`.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// Handed to the plugin as JSON.
    #[serde(default)]
    pub config: toml::Table,
}

fn yes() -> bool {
    true
}

impl AssemblerConfig {
    /// A link of the chain that nobody configured.
    pub fn plain(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            plugin: None,
            enabled: true,
            required: false,
            deadline_ms: None,
            grants: Vec::new(),
            config: toml::Table::new(),
        }
    }

    /// Grants it these too.
    pub fn grant(&mut self, grants: &[Grant]) {
        let new: Vec<Grant> = grants.iter().copied().filter(|grant| !self.grants.contains(grant)).collect();
        self.grants.extend(new);
    }

    /// What it runs: a name, or the path of a file.
    pub fn plugin(&self) -> &str {
        self.plugin.as_deref().unwrap_or(&self.name)
    }
}

impl ContextConfig {
    /// What of the budget rules may take that hold whatever the task's words.
    pub fn budget_for_rules(&self) -> u32 {
        budget::for_rules(self.budget)
    }

    /// The budget of a task: its own, else its agent type's, else the general one.
    pub(super) fn budget_of(&self, asked: Option<u32>, agent: Option<&str>) -> u32 {
        asked.or_else(|| self.budgets.get(agent?).copied()).unwrap_or(self.budget)
    }

    /// The assembler as it runs: switched off where the list of disabled ones has its name, and with what is granted to its
    /// name.
    pub(super) fn in_force(&self, assembler: &AssemblerConfig) -> AssemblerConfig {
        let enabled = assembler.enabled && !self.disabled.contains(&assembler.name);
        let mut in_force = AssemblerConfig { enabled, ..assembler.clone() };
        if let Some(grants) = self.grants.get(&assembler.name) {
            in_force.grant(grants);
        }
        in_force
    }

    pub(super) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }

    /// What the types do not rule out.
    pub(crate) fn check(&self) -> Result<(), Unfit> {
        for (key, value) in [("min_score", self.min_score), ("near_best", self.near_best)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Unfit::new(&[key], format!("{key} is {value}, must be 0 to 1")));
            }
        }
        let mut names: Vec<&str> = Vec::new();
        for (at, assembler) in self.assemblers.iter().flatten().enumerate() {
            let unfit = |message: String| Unfit::new(&["assembler", &at.to_string(), "name"], message);
            if assembler.name.is_empty() {
                return Err(unfit("an assembler has no name".into()));
            }
            if names.contains(&assembler.name.as_str()) {
                return Err(unfit(format!("two assemblers have the name {}", assembler.name)));
            }
            if assembler.grants.contains(&Grant::State) {
                check_state_name(&assembler.name).map_err(unfit)?;
            }
            names.push(&assembler.name);
        }
        for (name, grants) in &self.grants {
            if grants.contains(&Grant::State) {
                check_state_name(name).map_err(|message| Unfit::new(&["grants", name], message))?;
            }
        }
        Ok(())
    }
}

/// What cannot be meant, and the key that says it, from `[context]` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) path: Vec<String>,
    pub(crate) message: String,
}

impl Unfit {
    fn new(path: &[&str], message: String) -> Self {
        Self { path: path.iter().map(|step| (*step).to_owned()).collect(), message }
    }
}

/// A file is called by it.
fn check_state_name(name: &str) -> Result<(), String> {
    if is_plugin_name(name) {
        return Ok(());
    }
    Err(format!(
        "{name} is granted `state`, which is kept under its name: that must be 1 to 64 lower-case letters, digits and '-'"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_is_the_default_and_every_key_is_read() {
        assert_eq!(toml::from_str::<ContextConfig>("").unwrap(), ContextConfig::default());
        let config: ContextConfig = toml::from_str(
            "budget = 4000\nmin_score = 0.3\nnear_best = 0.5\ndeadline_ms = 200\nlearn = false\ndisabled = [\"rules\"]\n\
             [budgets]\nclaude = 12000\n[grants]\nledger = [\"history\", \"state\"]\n\
             [[assembler]]\nname = \"ledger\"\nplugin = \"plugins/ledger.wasm\"\nrequired = true\nenabled = false\n\
             deadline_ms = 40\ngrants = [\"state\"]\n[assembler.config]\nareas = [\"billing\"]\n",
        )
        .unwrap();
        assert_eq!((config.budget, config.min_score, config.near_best, config.deadline_ms), (4000, 0.3, 0.5, 200));
        assert!(!config.learn && ContextConfig::default().learn);
        let ledger = &config.assemblers.as_ref().unwrap()[0];
        assert_eq!((ledger.plugin(), ledger.required, ledger.enabled), ("plugins/ledger.wasm", true, false));
        assert_eq!((ledger.deadline_ms, config.disabled.as_slice()), (Some(40), &["rules".to_owned()][..]));
        assert_eq!(ledger.grants, [Grant::State]);
        assert_eq!(config.in_force(ledger).grants, Grant::ALL);
        assert_eq!(serde_json::to_string(&ledger.config).unwrap(), r#"{"areas":["billing"]}"#);
        for (asked, agent, budget) in [(None, None, 4000), (None, Some("claude"), 12_000), (Some(9), Some("claude"), 9)]
        {
            assert_eq!(config.budget_of(asked, agent), budget);
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, part) in [
            ("budgets = 3", "budgets"),
            ("buget = 3", "buget"),
            ("[[assembler]]\nname = \"a\"\nrequire = true", "require"),
            ("[[assembler]]\nplugin = \"a\"", "name"),
            ("[[assembler]]\nname = \"a\"\ngrants = [\"state\", \"network\"]", "unknown variant `network`"),
            ("[[assembler]]\nname = \"a\"\ngrants = \"state\"", "grants"),
        ] {
            let error = toml::from_str::<ContextConfig>(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        for (text, part) in [
            ("min_score = 1.5", "min_score is 1.5"),
            ("near_best = nan", "near_best"),
            ("[[assembler]]\nname = \"a\"\n[[assembler]]\nname = \"a\"", "two assemblers have the name a"),
            ("[[assembler]]\nname = \"\"", "no name"),
            ("[[assembler]]\nname = \"../a\"\ngrants = [\"state\"]", "../a is granted `state`"),
            ("[grants]\n\"../a\" = [\"state\"]", "../a is granted `state`"),
        ] {
            let unfit = toml::from_str::<ContextConfig>(text).unwrap().check().unwrap_err();
            assert!(unfit.message.contains(part), "{unfit:?}");
        }
    }
}
