//! From what was asked for to how the agent's program is started: arguments, environment, files.
//!
//! Pure but for looking where the program is. It starts nothing and writes nothing: files are listed in the plan and
//! written by the one who undoes them too. The caller's environment passes through and is never logged or stored.

use super::definition::{AgentDefinition, Delivery, option_among};
use super::delivery::{self, Delivered, Material};
use super::error::{AgentsError, Result};
use super::git::REPOSITORY_VARIABLES;
use super::template::Placeholder;
use super::{limits, program, session};
use pu_protocol::layout::ProjectLayout;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What an agent is to be started with.
pub struct LaunchRequest<'a> {
    pub definition: &'a AgentDefinition,
    pub agent_id: &'a str,
    pub agent_name: &'a str,
    /// May be empty: the agent starts without a task.
    pub prompt: &'a str,
    /// The rendered context.
    pub context: Option<&'a str>,
    pub project_root: &'a Path,
    /// The folder that the agent works in: the project root, or that folder within a worktree.
    pub workdir: &'a Path,
    /// Whether that folder is there already: a program within it is only looked for if so.
    pub workdir_exists: bool,
    /// The daemon's socket.
    pub socket: &'a Path,
    /// Further arguments of the user's.
    pub agent_args: &'a [String],
    /// A shell command in the place of the definition's program and arguments.
    pub command: Option<&'a str>,
    /// The caller's environment.
    pub env: &'a BTreeMap<String, String>,
    /// The session that goes on; a new one begins without.
    pub session: Option<&'a ResumedSession>,
}

/// A session of an agent's program that goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResumedSession {
    /// Absent where the program finds it by the folder that it works in.
    pub id: Option<String>,
    /// Whether it was handed the context before, as it is now.
    pub has_context: bool,
}

/// A file that the agent is handed; to be written before the start, in a folder that may not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedFile {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// How to start an agent.
#[derive(Clone, Default, PartialEq)]
pub struct LaunchPlan {
    /// The program (an absolute path) and its arguments.
    pub argv: Vec<String>,
    /// The agent's whole environment, sorted by name.
    pub env: Vec<(String, String)>,
    /// The names of those variables that the launch set or changed, sorted: what may be recorded of the environment.
    pub set_variables: Vec<String>,
    /// The folder to start in.
    pub workdir: PathBuf,
    /// The route that the context takes; `None` without one.
    pub delivery: Option<Delivery>,
    /// The vendor's session, where we chose it or go on with it, or the user named it.
    pub session_id: Option<String>,
    /// The session that goes on has the context already: it is not handed over a second time.
    pub in_session: bool,
    pub files: Vec<HandedFile>,
    /// What a person should know, such as a route that could not be taken.
    pub warnings: Vec<String>,
}

impl LaunchPlan {
    /// The route's name as `spawn` answers it: `system`, `prompt`, `file`, `env`, `session` or `none`.
    pub fn delivery_name(&self) -> &'static str {
        let without = if self.in_session { "session" } else { "none" };
        self.delivery.map_or(without, Delivery::name)
    }
}

/// Shows no value of the environment and no text of the user's: plans end up in logs by accident.
impl fmt::Debug for LaunchPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchPlan")
            .field("program", &self.argv.first())
            .field("arguments", &self.argv.len().saturating_sub(1))
            .field("env", &self.env.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("workdir", &self.workdir)
            .field("delivery", &self.delivery_name())
            .field("files", &self.files.iter().map(|file| &file.path).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Variables that describe the agent that somebody spawns from; the new one gets its own.
const OWN_VARIABLES: &[&str] =
    &["PU_AGENT_ID", "PU_AGENT_NAME", "PU_CONTEXT", "PU_CONTEXT_FILE", "PU_PROJECT_ROOT", "PU_PROMPT", "PU_SOCKET"];

/// Plans the start of an agent. Everything that can be refused is refused here, before anything exists.
pub fn plan(request: &LaunchRequest<'_>) -> Result<LaunchPlan> {
    check_texts(request)?;
    let base = base_environment(request);
    let paths = Paths::of(request)?;
    let session_id = choose_session(request)?;
    let context = request.context.filter(|text| !text.trim().is_empty());
    let value_of =
        |slot, has_prompt_file| value(request, &paths, context, session_id.as_deref(), has_prompt_file, slot);
    // Wherever a route puts a context into the prompt, there is a prompt.
    let values = |slot| value_of(slot, true);
    let session_args = session_arguments(request, session_id.as_deref(), &values);
    let in_session = context.is_some() && keeps_context(request, &session_args);
    // What makes the program drop a context may be one of these too.
    let options: Vec<String> = session_args.iter().chain(request.agent_args).cloned().collect();
    let delivered = match context {
        None => Delivered { prompt: request.prompt.to_owned(), ..Delivered::default() },
        Some(_) if in_session => Delivered { prompt: request.prompt.to_owned(), ..Delivered::default() },
        Some(_) if request.command.is_some() => delivery::as_file(request.prompt),
        Some(context) => {
            let definition = request.definition;
            let material = Material {
                definition,
                prompt: request.prompt,
                context,
                context_file: &paths.context_file,
                agent_args: &options,
                env: &base,
                in_session: request.session.is_some(),
            };
            delivery::deliver(&material, &values)
        }
    };
    let has_prompt_file = !delivered.prompt.is_empty();
    let values = |slot| value_of(slot, has_prompt_file);
    let argv = arguments(request, &session_args, &delivered, &values)?;
    let ours = variables(request, &delivered, &paths, context.is_some(), &values)?;
    let set_variables = ours.keys().cloned().collect();
    let mut env = base;
    env.extend(ours);
    let env: Vec<_> = env.into_iter().collect();
    check_total(request, &argv, &env)?;
    Ok(LaunchPlan {
        argv,
        env,
        set_variables,
        workdir: request.workdir.to_owned(),
        delivery: delivered.route,
        session_id,
        in_session,
        files: files(request, context, &delivered.prompt),
        warnings: delivered.warnings,
    })
}

/// The paths of the launch as text.
struct Paths {
    project_root: String,
    workdir: String,
    socket: String,
    context_file: String,
    prompt_file: String,
}

impl Paths {
    fn of(request: &LaunchRequest<'_>) -> Result<Self> {
        Ok(Self {
            project_root: text_of(request.project_root)?,
            workdir: text_of(request.workdir)?,
            socket: text_of(request.socket)?,
            context_file: text_of(&context_file(request))?,
            prompt_file: text_of(&prompt_file(request))?,
        })
    }
}

fn text_of(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| AgentsError::PathNotText { path: path.to_owned() })
}

fn context_file(request: &LaunchRequest<'_>) -> PathBuf {
    ProjectLayout::new(request.workdir).context_file(request.agent_id)
}

fn prompt_file(request: &LaunchRequest<'_>) -> PathBuf {
    ProjectLayout::new(request.workdir).handed(request.agent_id).join("prompt.md")
}

fn value<'v>(
    request: &LaunchRequest<'v>,
    paths: &'v Paths,
    context: Option<&'v str>,
    session_id: Option<&'v str>,
    has_prompt_file: bool,
    slot: Placeholder,
) -> Option<Cow<'v, str>> {
    let context_file = context.is_some().then_some(paths.context_file.as_str());
    match slot {
        Placeholder::Prompt => (!request.prompt.is_empty()).then_some(Cow::Borrowed(request.prompt)),
        Placeholder::PromptFile => has_prompt_file.then_some(Cow::Borrowed(&paths.prompt_file)),
        Placeholder::Context => context.map(Cow::Borrowed),
        Placeholder::ContextToml => context.map(|text| Cow::Owned(super::template::toml_string(text))),
        Placeholder::ContextJson => context.map(|text| Cow::Owned(super::template::json_string(text))),
        Placeholder::ContextFile => context_file.map(Cow::Borrowed),
        Placeholder::ContextFileToml => context_file.map(|path| Cow::Owned(super::template::toml_string(path))),
        Placeholder::ContextFileJson => context_file.map(|path| Cow::Owned(super::template::json_string(path))),
        Placeholder::SessionId => session_id.map(Cow::Borrowed),
        Placeholder::AgentId => Some(Cow::Borrowed(request.agent_id)),
        Placeholder::AgentName => Some(Cow::Borrowed(request.agent_name)),
        Placeholder::ProjectRoot => Some(Cow::Borrowed(&paths.project_root)),
        Placeholder::Workdir => Some(Cow::Borrowed(&paths.workdir)),
        Placeholder::Socket => Some(Cow::Borrowed(&paths.socket)),
        Placeholder::Shell => Some(program::user_shell(request.env).to_string_lossy().into_owned().into()),
    }
}

/// A NUL ends a text where the system starts programs: what follows would be lost in silence.
fn check_texts(request: &LaunchRequest<'_>) -> Result<()> {
    if request.prompt.contains('\0') {
        return Err(AgentsError::InvalidPrompt { reason: "the prompt has a NUL character".to_owned() });
    }
    let refuse =
        |what, fault| Err(AgentsError::InvalidLaunchText { agent: request.definition.name.clone(), what, fault });
    let arguments = request.agent_args.iter().map(|arg| ("an argument", arg.as_str()));
    for (what, text) in arguments.chain(request.command.map(|command| ("the command", command))) {
        if text.contains('\0') {
            return refuse(what, "has a NUL character");
        }
        if text.len() > limits::STRING_MAX {
            return refuse(what, "is longer than 131,071 bytes");
        }
    }
    if request.command.is_some_and(|command| command.trim().is_empty()) {
        return refuse("the command", "is empty");
    }
    Ok(())
}

/// The id of the session that goes on, or that the user has chosen; else a fresh one, where the definition uses one.
fn choose_session(request: &LaunchRequest<'_>) -> Result<Option<String>> {
    let definition = request.definition;
    if let Some(session) = request.session {
        return Ok(session.id.clone());
    }
    if request.command.is_some() {
        return Ok(None);
    }
    if let Some(chosen) = definition.session_among(request.agent_args) {
        return Ok(Some(chosen.id));
    }
    let used = definition.mentions(|slot| slot == Placeholder::SessionId);
    (used && !is_chosen_by_user(request)).then(session::fresh_id).transpose()
}

/// Whether the user's arguments say something of the session, so that ours say nothing.
fn is_chosen_by_user(request: &LaunchRequest<'_>) -> bool {
    let definition = request.definition;
    option_among(&definition.session_args_unless, request.agent_args).is_some()
        || definition.session_among(request.agent_args).is_some()
}

/// The arguments that begin a session under an id of ours, or go on with one.
fn session_arguments(
    request: &LaunchRequest<'_>,
    session_id: Option<&str>,
    values: &delivery::Values<'_>,
) -> Vec<String> {
    match (request.command, request.session, session_id) {
        (Some(_), _, _) | (None, None, None) => Vec::new(),
        (None, Some(_), _) => delivery::render_all(&request.definition.resume_args, values),
        (None, None, Some(_)) if is_chosen_by_user(request) => Vec::new(),
        (None, None, Some(_)) => delivery::render_all(&request.definition.session_args, values),
    }
}

/// Whether the session that goes on has this context from before and gets it by no argument again: it stands in what was
/// said in it, or the program keeps what the session began with.
fn keeps_context(request: &LaunchRequest<'_>, session_args: &[String]) -> bool {
    let definition = request.definition;
    let stays = definition.delivery == Delivery::Prompt
        || option_among(&definition.context_args_unless, session_args).is_some();
    stays && request.session.is_some_and(|session| session.has_context)
}

fn arguments(
    request: &LaunchRequest<'_>,
    session_args: &[String],
    delivered: &Delivered,
    values: &delivery::Values<'_>,
) -> Result<Vec<String>> {
    let definition = request.definition;
    if let Some(command) = request.command {
        // The user's arguments are the command's "$@".
        let shell = [program::POSIX_SHELL, "-c", command, "sh"].map(str::to_owned);
        return Ok(shell.into_iter().chain(request.agent_args.iter().cloned()).collect());
    }
    let program = program_path(request)?;
    let mut argv = vec![text_of(&program)?];
    argv.extend(delivery::render_all(&definition.args, values));
    argv.extend(session_args.iter().cloned());
    argv.extend(delivered.args.iter().cloned());
    if option_among(&definition.signals.args_unless, request.agent_args).is_none() {
        argv.extend(delivery::render_all(&definition.signals.args, values));
    }
    argv.extend(request.agent_args.iter().cloned());
    if !delivered.prompt.is_empty() {
        let prompt = delivery::render_prompt(&definition.prompt_args, &delivered.prompt, values);
        if let Some(long) = prompt.iter().find(|arg| !limits::fits_argument(arg, definition.argument_limit)) {
            return Err(prompt_too_long(request, "one argument", long.len()));
        }
        argv.extend(prompt);
    }
    Ok(argv)
}

/// A program within a folder that is yet to be made is taken on trust.
fn program_path(request: &LaunchRequest<'_>) -> Result<PathBuf> {
    let is_relative = |program: &str| program.contains('/') && !program.starts_with('/');
    match program::locate(request.definition, request.env, Some(request.workdir)) {
        Err(AgentsError::CommandNotFound { program, .. }) if !request.workdir_exists && is_relative(&program) => {
            Ok(request.workdir.join(program))
        }
        located => located,
    }
}

fn prompt_too_long(request: &LaunchRequest<'_>, route: &str, bytes: usize) -> AgentsError {
    let limit = request.definition.argument_limit.unwrap_or(limits::STRING_MAX).min(limits::STRING_MAX);
    let reason = format!(
        "the prompt is too long: `{}` gets it as {route} of {bytes} bytes, and {limit} is the most",
        request.definition.name
    );
    AgentsError::InvalidPrompt { reason }
}

/// The caller's environment without what belongs to the caller's place: an outer agent's variables, a git command's
/// repository (spawned from a hook, the agent would work on the wrong one), and what the definition takes out.
fn base_environment(request: &LaunchRequest<'_>) -> BTreeMap<String, String> {
    let mut env = request.env.clone();
    if let Some(outer) = request.env.get("PU_CONTEXT_FILE") {
        for name in request.definition.context_env.keys() {
            let Some(text) = env.remove(name) else { continue };
            env.extend(delivery::without_item(&text, outer).map(|rest| (name.clone(), rest)));
        }
    }
    let unset = request.definition.unset_env.iter().map(String::as_str);
    for name in OWN_VARIABLES.iter().chain(REPOSITORY_VARIABLES).chain(&["OLDPWD"]).copied().chain(unset) {
        env.remove(name);
    }
    env
}

/// The variables that the agent gets on top of the caller's.
fn variables(
    request: &LaunchRequest<'_>,
    delivered: &Delivered,
    paths: &Paths,
    has_context: bool,
    values: &delivery::Values<'_>,
) -> Result<BTreeMap<String, String>> {
    let definition = request.definition;
    let mut env = BTreeMap::new();
    let mut set = |name: &str, value: String| {
        if limits::fits_variable(name, &value) {
            env.insert(name.to_owned(), value);
            return Ok(());
        }
        Err(prompt_too_long(request, &format!("the variable {name}"), name.len() + 1 + value.len()))
    };
    for (name, template) in &definition.env {
        if let Some(value) = template.render(values) {
            set(name, value)?;
        }
    }
    for (name, value) in &delivered.env {
        set(name, value.clone())?;
    }
    let takes_prompt = request.command.is_none() && !definition.prompt_args.is_empty();
    if !takes_prompt && !request.prompt.is_empty() {
        set("PU_PROMPT", request.prompt.to_owned())?;
    }
    if has_context {
        set("PU_CONTEXT_FILE", paths.context_file.clone())?;
    }
    set("PU_AGENT_ID", request.agent_id.to_owned())?;
    set("PU_AGENT_NAME", request.agent_name.to_owned())?;
    set("PU_PROJECT_ROOT", paths.project_root.clone())?;
    set("PU_SOCKET", paths.socket.clone())?;
    set("PWD", paths.workdir.clone())?;
    Ok(env)
}

fn check_total(request: &LaunchRequest<'_>, argv: &[String], env: &[(String, String)]) -> Result<()> {
    let lengths = argv.iter().map(String::len).chain(env.iter().map(|(name, value)| name.len() + 1 + value.len()));
    let bytes = limits::total(lengths);
    if bytes > limits::TOTAL_MAX {
        let agent = request.definition.name.clone();
        return Err(AgentsError::LaunchTooLarge { agent, bytes, limit: limits::TOTAL_MAX });
    }
    Ok(())
}

/// `prompt` is the one that the agent gets, with whatever a route added to it.
fn files(request: &LaunchRequest<'_>, context: Option<&str>, prompt: &str) -> Vec<HandedFile> {
    let mut files = Vec::new();
    if let Some(context) = context {
        files.push(HandedFile { path: context_file(request), bytes: context.as_bytes().to_vec() });
    }
    let wants_prompt_file = request.definition.mentions(|slot| slot == Placeholder::PromptFile);
    if wants_prompt_file && !prompt.is_empty() {
        files.push(HandedFile { path: prompt_file(request), bytes: prompt.as_bytes().to_vec() });
    }
    files
}
