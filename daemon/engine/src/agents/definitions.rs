//! The set of agent definitions: the built-in ones with a user's and a project's laid over them.
//!
//! Reads no file: the tables come from whoever read the configuration. Whether a project's tables may be used at all
//! (its trust) is decided there too.

use super::definition::{AgentDefinition, DefinitionTable};
use super::error::{AgentsError, Result};
use super::program;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The agent that is always there.
pub const FALLBACK_AGENT: &str = "terminal";

const BUILT_IN: &str = include_str!("builtin.toml");

/// All definitions, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Definitions {
    by_name: BTreeMap<String, AgentDefinition>,
}

impl Definitions {
    /// The definitions that come with PurePoint.
    pub fn built_in() -> Result<Self> {
        // Every spawn asks: the text is read once.
        static READ: OnceLock<Definitions> = OnceLock::new();
        if let Some(read) = READ.get() {
            return Ok(read.clone());
        }
        let tables: BTreeMap<String, DefinitionTable> = toml::from_str(BUILT_IN).map_err(|error| {
            AgentsError::InvalidDefinition { key: "agents".to_owned(), reason: error.message().to_owned() }
        })?;
        let read = Self { by_name: BTreeMap::new() }.with(&tables)?;
        Ok(READ.get_or_init(|| read).clone())
    }

    /// These with `tables` laid over them: a known name is changed key by key, a new one is added.
    pub fn with(mut self, tables: &BTreeMap<String, DefinitionTable>) -> Result<Self> {
        for (name, table) in tables {
            let definition = table.over(name, self.by_name.get(name))?;
            self.by_name.insert(name.clone(), definition);
        }
        Ok(self)
    }

    pub fn get(&self, name: &str) -> Result<&AgentDefinition> {
        self.by_name
            .get(name)
            .ok_or_else(|| AgentsError::UnknownAgentType { name: name.to_owned(), known: self.names().join(", ") })
    }

    pub fn names(&self) -> Vec<&str> {
        self.by_name.keys().map(String::as_str).collect()
    }

    /// Every agent by name, with where its program is for a caller with this environment, if it is installed. Relative
    /// programs are looked for in `workdir`.
    pub fn located(&self, env: &BTreeMap<String, String>, workdir: Option<&Path>) -> Vec<(&str, Option<PathBuf>)> {
        let located = self.by_name.values().map(|d| (d.name.as_str(), program::locate(d, env, workdir).ok()));
        located.collect()
    }

    /// The agent for a spawn that names none: of those with a preference the first whose program is on the PATH of
    /// `env` (the caller's environment), else [`FALLBACK_AGENT`].
    pub fn default_for(&self, env: &BTreeMap<String, String>) -> Result<&AgentDefinition> {
        let mut candidates: Vec<_> = self.by_name.values().filter(|d| d.preference.is_some()).collect();
        candidates.sort_by_key(|d| (d.preference, d.name.as_str()));
        let installed = candidates.into_iter().find(|d| program::locate(d, env, None).is_ok());
        installed.map_or_else(|| self.get(FALLBACK_AGENT), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::definition::Delivery;
    use std::os::unix::fs::PermissionsExt;

    fn tables(text: &str) -> Result<BTreeMap<String, DefinitionTable>, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn the_built_in_definitions_are_whole() {
        let definitions = Definitions::built_in().unwrap();
        assert_eq!(definitions.names(), ["aider", "claude", "codex", "gemini", "opencode", "terminal"]);
        for name in definitions.names() {
            let definition = definitions.get(name).unwrap();
            assert_eq!(definition.install_hint.is_some(), name != "terminal", "{name}");
        }
    }

    #[test]
    fn an_unknown_agent_is_told_with_the_known_ones() {
        let error = Definitions::built_in().unwrap().get("cladue").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no agent is called `cladue` (known: aider, claude, codex, gemini, opencode, terminal)"
        );
        assert_eq!(error.code(), pu_protocol::ErrorCode::UnknownAgentType);
    }

    #[test]
    fn a_table_changes_a_known_agent_key_by_key() {
        let built_in = Definitions::built_in().unwrap();
        let changed = built_in.clone().with(&tables("[claude]\nargs = ['--model', 'opus']").unwrap()).unwrap();
        let (before, after) = (built_in.get("claude").unwrap(), changed.get("claude").unwrap());
        assert_eq!(after.args.len(), 2);
        assert_eq!(AgentDefinition { args: Vec::new(), ..after.clone() }, *before);
        assert_eq!(changed.get("codex").unwrap(), built_in.get("codex").unwrap());
    }

    #[test]
    fn a_new_table_is_an_agent_of_its_own_called_by_its_name() {
        let text = "[pi]\nprompt_args = ['{prompt}']\ndelivery = 'system'\ncontext_args = ['--append-system-prompt', '{context_file}']";
        let definitions = Definitions::built_in().unwrap().with(&tables(text).unwrap()).unwrap();
        let pi = definitions.get("pi").unwrap();
        assert_eq!(pi.command.render(|_| None).as_deref(), Some("pi"));
        assert_eq!((pi.delivery, pi.preference), (Delivery::System, None));
    }

    #[test]
    fn a_key_that_nobody_reads_is_an_error_that_names_it() {
        let error = tables("[claude]\npromt_args = ['{prompt}']").unwrap_err();
        assert!(error.message().contains("promt_args"), "{}", error.message());
        let error = tables("[claude.signals]\ntitles = [{ state = 'bizy' }]").unwrap_err();
        assert!(error.message().contains("bizy"), "{}", error.message());
        let error = tables("[claude]\nprompt_args = ['{promt}']").unwrap_err();
        assert!(error.message().contains("{promt}"), "{}", error.message());
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_key() {
        let cases = [
            ("[x]\nargs = ['{prompt}']", "agents.x.args"),
            ("[x]\nargs = ['{context_file}']", "agents.x.args"),
            ("[x]\ncommand = '{workdir}/x'", "agents.x.command"),
            ("[x]\nprompt_args = ['--go']", "agents.x.prompt_args"),
            ("[x]\nprompt_args = ['{prompt}', '{context}']", "agents.x.prompt_args"),
            ("[x]\nsession_args = ['--new']", "agents.x.session_args"),
            ("[x]\ncontext_args = ['{prompt}']", "agents.x.context_args"),
            ("[x]\ncontext_env = { A = '{prompt}' }", "agents.x.context_env"),
            ("[x]\ndelivery = 'prompt'", "agents.x.delivery"),
            ("[x]\ndelivery = 'system'", "agents.x.delivery"),
            ("[x]\nenv = { 'A=B' = 'c' }", "agents.x.env"),
            ("[x]\nenv = { PU_AGENT_ID = 'c' }", "agents.x.env"),
            ("[x]\nunset_env = ['']", "agents.x.unset_env"),
            ("[x]\nargument_limit = 0", "agents.x.argument_limit"),
            ("[x.signals]\nargs = ['{prompt}']", "agents.x.signals.args"),
            ("[x.signals]\nquiet_ms = 0", "agents.x.signals.quiet_ms"),
        ];
        for (text, key) in cases {
            let error = Definitions::built_in().unwrap().with(&tables(text).unwrap()).unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{key}`: ")), "{text}: {error}");
            assert_eq!(error.code(), pu_protocol::ErrorCode::InvalidConfig);
        }
    }

    #[test]
    fn the_default_is_the_first_preferred_agent_that_is_installed() {
        let folder = tempfile::tempdir().unwrap();
        let env = BTreeMap::from([("PATH".to_owned(), folder.path().to_str().unwrap().to_owned())]);
        let definitions = Definitions::built_in().unwrap();
        let default = || definitions.default_for(&env).unwrap().name.as_str();

        assert_eq!(default(), "terminal");
        for name in ["aider", "gemini", "opencode", "codex", "claude"] {
            let path = folder.path().join(name);
            std::fs::File::create(&path).unwrap();
            assert_ne!(default(), name, "a file that cannot be executed is not an installed agent");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            assert_eq!(default(), name);
            let located = definitions.located(&env, None);
            assert!(located.contains(&(name, Some(path))), "{located:?}");
        }
    }
}
