//! What an agent definition says: how to start a program, hand it a prompt and hand it context.
//!
//! Pure data. A definition is first read as it was written ([`DefinitionTable`], every key optional), then laid over
//! what was known under that name and checked ([`AgentDefinition`]). Nothing here looks for a program or starts one.

use super::error::{AgentsError, Result};
use super::signals::Signals;
use super::template::{Placeholder, Template};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How context reaches an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// By arguments or variables that put it beside the agent's own instructions.
    System,
    /// Before the prompt, in the same text.
    Prompt,
    /// As a file that the agent is told of by `PU_CONTEXT_FILE` and, if it has such arguments, by those.
    File,
    /// As text in `PU_CONTEXT`.
    Env,
}

impl Delivery {
    /// The route's name as it stands in configuration and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Prompt => "prompt",
            Self::File => "file",
            Self::Env => "env",
        }
    }
}

/// A definition as it is written: in `builtin.toml`, or as an `[agents.<name>]` table of a `config.toml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DefinitionTable {
    /// The program: a name that is looked for on the caller's PATH, or a path. `{shell}` is the user's shell.
    pub command: Option<Template>,
    /// Arguments that are always given.
    pub args: Option<Vec<Template>>,
    /// Arguments that hand over the prompt; left out when there is none. Empty: the prompt is in `PU_PROMPT`.
    pub prompt_args: Option<Vec<Template>>,
    /// Arguments that name the session.
    pub session_args: Option<Vec<Template>>,
    /// Arguments of the user's with which `session_args` are left out.
    pub session_args_unless: Option<Vec<String>>,
    /// Arguments that go on with a session, in the place of `session_args`. Empty: no session goes on. Without
    /// `{session_id}` the program finds its session by the folder that it works in.
    pub resume_args: Option<Vec<Template>>,
    /// Arguments of the user's with which a session that he goes on with gets another id.
    pub session_forks: Option<Vec<String>>,
    /// Where the program notes its sessions, for one that chooses their ids itself.
    pub session_files: Option<SessionFiles>,
    /// How the program lists its sessions, for one that chooses their ids itself and keeps no files of them.
    pub session_list: Option<SessionList>,
    pub delivery: Option<Delivery>,
    /// Arguments that hand over the context; left out when there is none.
    pub context_args: Option<Vec<Template>>,
    /// Arguments of the user's with which the program drops the context: the prompt tells the agent to read it then.
    pub context_args_unless: Option<Vec<String>>,
    /// Variables that hand over the context.
    pub context_env: Option<BTreeMap<String, Template>>,
    /// The longest argument that the agent takes, in bytes, where that is less than what the system takes.
    pub argument_limit: Option<usize>,
    /// Further variables; one whose placeholders have no value is left out.
    pub env: Option<BTreeMap<String, Template>>,
    /// Variables of the caller's that the agent must not see.
    pub unset_env: Option<Vec<String>>,
    /// How it tells what it is doing.
    pub signals: Option<Signals>,
    /// Rank among the agents that are tried when none is named, lowest first; without one it is never tried.
    pub preference: Option<u32>,
    /// What to do when the program is missing.
    pub install_hint: Option<String>,
}

/// Files in which a program notes its sessions: one file each, whose first line is JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionFiles {
    /// The variable that names the program's own folder.
    pub env: String,
    /// That folder where the variable is not set, in the user's home.
    pub home: String,
    /// The folder of the sessions in it; they may lie deeper.
    pub folder: String,
    /// What the files' names end in.
    pub suffix: String,
    /// Where in the first line, as JSON pointers, are the session's id, the folder it works in, and when it began.
    pub id: String,
    pub cwd: String,
    pub started: String,
}

/// Arguments with which a program prints its sessions, as a JSON list with the one that was used last in front.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionList {
    pub args: Vec<String>,
    /// As in [`SessionFiles`], within an item of the list.
    pub id: String,
    pub cwd: String,
    pub started: String,
}

/// A definition that is whole and checked. The fields are those of [`DefinitionTable`].
#[derive(Debug, Clone, PartialEq)]
pub struct AgentDefinition {
    pub name: String,
    pub command: Template,
    pub args: Vec<Template>,
    pub prompt_args: Vec<Template>,
    pub session_args: Vec<Template>,
    pub session_args_unless: Vec<String>,
    pub resume_args: Vec<Template>,
    pub session_forks: Vec<String>,
    pub session_files: Option<SessionFiles>,
    pub session_list: Option<SessionList>,
    pub delivery: Delivery,
    pub context_args: Vec<Template>,
    pub context_args_unless: Vec<String>,
    pub context_env: BTreeMap<String, Template>,
    pub argument_limit: Option<usize>,
    pub env: BTreeMap<String, Template>,
    pub unset_env: Vec<String>,
    pub signals: Signals,
    pub preference: Option<u32>,
    pub install_hint: Option<String>,
}

impl DefinitionTable {
    /// This table laid over `base`: a key that is given replaces the base's value whole, the others keep it.
    pub fn over(&self, name: &str, base: Option<&AgentDefinition>) -> Result<AgentDefinition> {
        let blank = || base.is_none().then(|| Template::parse(name).ok()).flatten();
        let command = self.command.clone().or_else(|| base.map(|b| b.command.clone())).or_else(blank);
        let command = command.ok_or_else(|| invalid(name, "command", "is missing"))?;
        let definition = AgentDefinition {
            name: name.to_owned(),
            command,
            args: layered(&self.args, base.map(|b| &b.args)),
            prompt_args: layered(&self.prompt_args, base.map(|b| &b.prompt_args)),
            session_args: layered(&self.session_args, base.map(|b| &b.session_args)),
            session_args_unless: layered(&self.session_args_unless, base.map(|b| &b.session_args_unless)),
            resume_args: layered(&self.resume_args, base.map(|b| &b.resume_args)),
            session_forks: layered(&self.session_forks, base.map(|b| &b.session_forks)),
            session_files: self.session_files.clone().or_else(|| base.and_then(|b| b.session_files.clone())),
            session_list: self.session_list.clone().or_else(|| base.and_then(|b| b.session_list.clone())),
            delivery: self.delivery.or_else(|| base.map(|b| b.delivery)).unwrap_or(Delivery::File),
            context_args: layered(&self.context_args, base.map(|b| &b.context_args)),
            context_args_unless: layered(&self.context_args_unless, base.map(|b| &b.context_args_unless)),
            context_env: layered(&self.context_env, base.map(|b| &b.context_env)),
            argument_limit: self.argument_limit.or_else(|| base.and_then(|b| b.argument_limit)),
            env: layered(&self.env, base.map(|b| &b.env)),
            unset_env: layered(&self.unset_env, base.map(|b| &b.unset_env)),
            signals: layered(&self.signals, base.map(|b| &b.signals)),
            preference: self.preference.or_else(|| base.and_then(|b| b.preference)),
            install_hint: self.install_hint.clone().or_else(|| base.and_then(|b| b.install_hint.clone())),
        };
        definition.check()?;
        Ok(definition)
    }
}

fn layered<T: Clone + Default>(given: &Option<T>, base: Option<&T>) -> T {
    given.as_ref().or(base).cloned().unwrap_or_default()
}

fn invalid(agent: &str, key: &str, reason: impl Into<String>) -> AgentsError {
    AgentsError::InvalidDefinition { key: format!("agents.{agent}.{key}"), reason: reason.into() }
}

/// The first of `options` that is among the user's arguments, as `--option` or `--option=value`.
pub(crate) fn option_among<'o>(options: &'o [String], arguments: &[String]) -> Option<&'o str> {
    let named: Vec<&str> =
        arguments.iter().map(|arg| arg.split_once('=').map_or(arg.as_str(), |(option, _)| option)).collect();
    options.iter().map(String::as_str).find(|option| named.contains(option))
}

impl AgentDefinition {
    /// Whether a session goes on by its id, which has to be known then.
    pub(crate) fn resumes_by_id(&self) -> bool {
        self.resume_args.iter().flat_map(Template::slots).any(|slot| slot == Placeholder::SessionId)
    }

    /// Whether any of its texts, but for those that go on with a session, has a placeholder for which `wanted` holds.
    pub(crate) fn mentions(&self, wanted: fn(Placeholder) -> bool) -> bool {
        let lists = [&self.args, &self.prompt_args, &self.session_args, &self.context_args];
        let texts = lists.into_iter().flatten().chain(self.context_env.values()).chain(self.env.values());
        texts.flat_map(Template::slots).any(wanted)
    }

    fn check(&self) -> Result<()> {
        self.check_placeholders()?;
        self.check_routes()?;
        let named = self.env.keys().map(|n| ("env", n)).chain(self.context_env.keys().map(|n| ("context_env", n)));
        for (key, name) in named.chain(self.unset_env.iter().map(|n| ("unset_env", n))) {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(invalid(&self.name, key, format!("`{name}` cannot be a variable's name")));
            }
            if key != "unset_env" && name.starts_with("PU_") {
                return Err(invalid(&self.name, key, format!("`{name}`: names that begin with PU_ are PurePoint's")));
            }
        }
        if self.argument_limit == Some(0) {
            return Err(invalid(&self.name, "argument_limit", "must be more than 0"));
        }
        if self.signals.quiet_ms == Some(0) {
            return Err(invalid(&self.name, "signals.quiet_ms", "must be more than 0"));
        }
        Ok(())
    }

    /// An argument whose value can be absent would shift the meaning of its neighbours: each list takes only what is
    /// there whenever the list is used.
    fn check_placeholders(&self) -> Result<()> {
        let always = |p: Placeholder| !p.is_prompt() && !p.is_context() && p != Placeholder::SessionId;
        let refuse = |key: &str, slot: Option<Placeholder>| match slot {
            Some(slot) => Err(invalid(&self.name, key, format!("`{{{}}}` cannot stand here", slot.name()))),
            None => Ok(()),
        };
        let slots = |list: &[Template]| list.iter().flat_map(Template::slots).collect::<Vec<_>>();
        refuse("command", self.command.slots().find(|p| *p != Placeholder::Shell))?;
        refuse("args", slots(&self.args).into_iter().find(|p| !always(*p)))?;
        refuse("prompt_args", slots(&self.prompt_args).into_iter().find(|p| !always(*p) && !p.is_prompt()))?;
        let session = |p: &Placeholder| !always(*p) && *p != Placeholder::SessionId;
        refuse("session_args", slots(&self.session_args).into_iter().find(session))?;
        refuse("resume_args", slots(&self.resume_args).into_iter().find(session))?;
        refuse("context_args", slots(&self.context_args).into_iter().find(|p| !always(*p) && !p.is_context()))?;
        refuse("signals.args", slots(&self.signals.args).into_iter().find(|p| !always(*p)))?;
        let in_env = self.context_env.values().flat_map(Template::slots);
        refuse("context_env", in_env.into_iter().find(|p| !always(*p) && !p.is_context()))
    }

    fn check_routes(&self) -> Result<()> {
        let has =
            |list: &[Template], wanted: fn(Placeholder) -> bool| list.iter().flat_map(Template::slots).any(wanted);
        if !self.prompt_args.is_empty() && !has(&self.prompt_args, Placeholder::is_prompt) {
            return Err(invalid(&self.name, "prompt_args", "has no `{prompt}`"));
        }
        if !self.session_args.is_empty() && !has(&self.session_args, |p| p == Placeholder::SessionId) {
            return Err(invalid(&self.name, "session_args", "has no `{session_id}`"));
        }
        if self.delivery == Delivery::Prompt && !has(&self.prompt_args, |p| p == Placeholder::Prompt) {
            return Err(invalid(&self.name, "delivery", "`prompt` needs prompt_args with `{prompt}`"));
        }
        let hands_context = has(&self.context_args, Placeholder::is_context)
            || self.context_env.values().flat_map(Template::slots).any(Placeholder::is_context);
        if self.delivery == Delivery::System && !hands_context {
            return Err(invalid(&self.name, "delivery", "`system` needs context_args or context_env with the context"));
        }
        Ok(())
    }
}
