//! What each agent is started with: arguments, environment, files, and what is refused before.

use crate::agents::{
    AgentDefinition, AgentsError, DefinitionTable, Definitions, LaunchPlan, LaunchRequest, ResumedSession, plan,
};
use pu_protocol::ErrorCode;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const AGENT_ID: &str = "0a1b2c3d";
const SECRET: &str = "sk-canary-value";

/// Hooks have a test of their own: the arguments of the others are easier to read without them.
const WITHOUT_HOOKS: &str = "claude.signals = {}\naider.signals = {}";

/// A machine on which every built-in agent is installed.
struct Machine {
    folder: TempDir,
    env: BTreeMap<String, String>,
    definitions: Definitions,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["claude", "codex", "opencode", "gemini", "aider", "tool"] {
            let path = folder.path().join(name);
            std::fs::File::create(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let pairs = [("PATH", folder.path().to_str().unwrap()), ("SHELL", "/bin/sh"), ("API_KEY", SECRET)];
        let env = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { folder, env, definitions: Definitions::built_in().unwrap() }.with_table(WITHOUT_HOOKS)
    }

    /// As it is, hooks included.
    fn with_hooks() -> Self {
        Self { definitions: Definitions::built_in().unwrap(), ..Self::new() }
    }

    fn with_table(mut self, text: &str) -> Self {
        let tables: BTreeMap<String, DefinitionTable> = toml::from_str(text).unwrap();
        self.definitions = self.definitions.with(&tables).unwrap();
        self
    }

    fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn program(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn definition(&self, name: &str) -> &AgentDefinition {
        self.definitions.get(name).unwrap()
    }

    fn request<'a>(&'a self, agent: &str, prompt: &'a str, context: Option<&'a str>) -> LaunchRequest<'a> {
        LaunchRequest {
            definition: self.definition(agent),
            agent_id: AGENT_ID,
            agent_name: "fix",
            prompt,
            context,
            project_root: Path::new("/p"),
            workdir: Path::new("/p/.pu/worktrees/fix"),
            workdir_exists: true,
            socket: Path::new("/h/daemon.sock"),
            agent_args: &[],
            command: None,
            env: &self.env,
            session: None,
        }
    }

    fn plan(&self, agent: &str, prompt: &str, context: Option<&str>) -> LaunchPlan {
        plan(&self.request(agent, prompt, context)).unwrap()
    }
}

const CONTEXT_FILE: &str = "/p/.pu/worktrees/fix/.pu/run/0a1b2c3d/context.md";

fn env_of<'p>(plan: &'p LaunchPlan, name: &str) -> Option<&'p str> {
    plan.env.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

#[test]
fn each_agent_gets_prompt_and_context_by_its_own_route() {
    let machine = Machine::new();
    let context = "# Auth\n\"tokens\" — {prompt}\n";
    let block = format!("<project-context>\n{context}</project-context>\n\nfix it");
    let read = format!("--read={CONTEXT_FILE}");
    let interactive = format!("--prompt-interactive={block}");
    let toml = "developer_instructions=\"# Auth\\n\\\"tokens\\\" — {prompt}\\n\"";
    let cases: [(&str, &str, &[&str]); 5] = [
        ("claude", "system", &["--session-id", "SESSION", "--append-system-prompt-file", CONTEXT_FILE, "--", "fix it"]),
        ("codex", "system", &["-c", toml, "--", "fix it"]),
        ("opencode", "system", &["--prompt=fix it"]),
        ("gemini", "prompt", &["--session-id=SESSION", &interactive]),
        ("aider", "file", &[&read, "--message=fix it"]),
    ];
    for (agent, delivery, expected) in cases {
        let plan = machine.plan(agent, "fix it", Some(context));
        let session = plan.session_id.clone().unwrap_or_default();
        let expected: Vec<_> = expected.iter().map(|arg| arg.replace("SESSION", &session)).collect();
        assert_eq!(plan.argv[0], machine.program(agent));
        assert_eq!(plan.argv[1..], expected, "{agent}");
        assert_eq!(plan.delivery_name(), delivery, "{agent}");
        let chosen = ["claude", "gemini"].contains(&agent);
        assert_eq!((plan.session_id.is_some(), plan.warnings.len()), (chosen, 0), "{agent}");
        assert_eq!(env_of(&plan, "PU_CONTEXT_FILE"), Some(CONTEXT_FILE));
        assert_eq!(env_of(&plan, "PU_PROMPT"), None);
        let [file] = &plan.files[..] else { panic!("{agent}: {:?}", plan.files) };
        assert_eq!((file.path.as_path(), &file.bytes[..]), (Path::new(CONTEXT_FILE), context.as_bytes()));
    }
    let plan = machine.plan("opencode", "fix it", Some(context));
    let config = format!("{{\"instructions\":[\"{CONTEXT_FILE}\"]}}");
    assert_eq!(env_of(&plan, "OPENCODE_CONFIG_CONTENT"), Some(config.as_str()));
}

#[test]
fn without_prompt_and_context_the_agent_just_starts() {
    let machine = Machine::new();
    for agent in ["codex", "opencode", "aider", "terminal"] {
        for context in [None, Some(""), Some(" \n")] {
            let plan = machine.plan(agent, "", context);
            assert_eq!(plan.argv.len(), 1, "{agent}: {:?}", plan.argv);
            assert_eq!((plan.delivery_name(), plan.files.len(), plan.warnings.len()), ("none", 0, 0));
            for name in ["PU_CONTEXT_FILE", "PU_CONTEXT", "PU_PROMPT", "OPENCODE_CONFIG_CONTENT"] {
                assert_eq!(env_of(&plan, name), None, "{agent}: {name}");
            }
        }
    }
    assert_eq!(machine.plan("claude", "", None).argv.len(), 3, "claude and its session");
    assert_eq!(machine.plan("gemini", "", None).argv.len(), 2, "gemini and its session");
}

#[test]
fn the_terminal_runs_the_users_shell_and_types_nothing() {
    let machine = Machine::new();
    let plan = machine.plan("terminal", "fix it", Some("context"));
    assert_eq!(plan.argv, ["/bin/sh"]);
    assert_eq!(plan.delivery_name(), "file");
    assert_eq!(env_of(&plan, "PU_PROMPT"), Some("fix it"));
    assert_eq!(env_of(&plan, "PU_CONTEXT_FILE"), Some(CONTEXT_FILE));
}

#[test]
fn a_command_stands_in_for_any_agent() {
    let machine = Machine::new();
    let args = ["a b".to_owned(), "$HOME".to_owned()];
    for agent in ["terminal", "claude", "codex"] {
        let request = LaunchRequest {
            command: Some("cat \"$PU_CONTEXT_FILE\""),
            agent_args: &args,
            ..machine.request(agent, "fix it", Some("context"))
        };
        let plan = plan(&request).unwrap();
        assert_eq!(plan.argv, ["/bin/sh", "-c", "cat \"$PU_CONTEXT_FILE\"", "sh", "a b", "$HOME"]);
        assert_eq!((plan.delivery_name(), plan.session_id.as_deref()), ("file", None));
        assert_eq!(env_of(&plan, "PU_PROMPT"), Some("fix it"));
    }
}

#[test]
fn the_environment_is_the_callers_with_ours_on_top() {
    let machine = Machine::new()
        .with_env("PU_CONTEXT", "an outer agent's")
        .with_env("PU_AGENT_ID", "ffffffff")
        .with_env("GIT_DIR", "/somewhere/.git")
        .with_env("CLAUDECODE", "1")
        .with_env("PWD", "/somewhere")
        .with_env("OLDPWD", "/elsewhere");
    let plan = machine.plan("claude", "fix it", None);
    let path = machine.env["PATH"].clone();
    let expected = [
        ("API_KEY", SECRET),
        ("PATH", &path),
        ("PU_AGENT_ID", AGENT_ID),
        ("PU_AGENT_NAME", "fix"),
        ("PU_PROJECT_ROOT", "/p"),
        ("PU_SOCKET", "/h/daemon.sock"),
        ("PWD", "/p/.pu/worktrees/fix"),
        ("SHELL", "/bin/sh"),
    ];
    let env: Vec<_> = plan.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(env, expected);
    assert_eq!(plan.set_variables, ["PU_AGENT_ID", "PU_AGENT_NAME", "PU_PROJECT_ROOT", "PU_SOCKET", "PWD"]);
}

#[test]
fn a_plan_in_a_log_shows_nothing_of_the_users() {
    let machine = Machine::new();
    let shown = format!("{:?}", machine.plan("codex", "my prompt", Some("my context")));
    assert!(shown.contains("API_KEY") && shown.contains("context.md"), "{shown}");
    for private in [SECRET, "my prompt", "my context"] {
        assert!(!shown.contains(private), "{shown}");
    }
}

#[test]
fn a_context_at_the_limit_goes_by_argument_and_one_byte_more_by_the_file() {
    let machine = Machine::new();
    let prefix = "developer_instructions=\"\"".len();
    let longest = "x".repeat(131_071 - prefix);
    let plan = machine.plan("codex", "fix it", Some(&longest));
    assert_eq!((plan.delivery_name(), plan.argv[2].len(), plan.warnings.len()), ("system", 131_071, 0));

    let longer = format!("{longest}x");
    let plan = machine.plan("codex", "fix it", Some(&longer));
    let [_, separator, prompt] = &plan.argv[..] else { panic!("{} arguments", plan.argv.len()) };
    assert_eq!((plan.delivery_name(), separator.as_str()), ("prompt", "--"));
    assert!(prompt.contains(CONTEXT_FILE) && prompt.ends_with("\n\nfix it"), "{prompt}");
    assert_eq!(plan.files[0].bytes, longer.as_bytes(), "nothing is cut");
    assert_eq!(plan.warnings.len(), 1);
    assert!(
        plan.warnings[0].starts_with("the context (131047 bytes) does not go by `codex`'s own route"),
        "{}",
        plan.warnings[0]
    );
}

#[test]
fn a_context_that_is_too_long_for_the_prompt_is_pointed_to() {
    let machine = Machine::new();
    for context in ["x".repeat(200_000), "a NUL \0 in it".to_owned()] {
        let plan = machine.plan("gemini", "fix it", Some(&context));
        let pointed = "--prompt-interactive=Before anything else, read the whole file /p/";
        assert!(plan.argv.iter().any(|argument| argument.starts_with(pointed)), "{:?}", plan.argv);
        assert_eq!((plan.delivery_name(), plan.warnings.len()), ("prompt", 1));
        assert_eq!(plan.files[0].bytes, context.as_bytes());
    }
}

#[test]
fn a_context_by_file_has_no_limit() {
    let context = "x".repeat(400_000);
    for agent in ["claude", "opencode", "aider", "terminal"] {
        let plan = Machine::new().plan(agent, "fix it", Some(&context));
        assert_eq!((plan.warnings.len(), plan.files[0].bytes.len()), (0, 400_000), "{agent}");
    }
}

#[test]
fn a_context_in_the_environment_up_to_120_kib() {
    let machine = Machine::new().with_table("[tool]\ndelivery = 'env'");
    let longest = "x".repeat(120 * 1024);
    let plan = machine.plan("tool", "fix it", Some(&longest));
    assert_eq!((plan.delivery_name(), env_of(&plan, "PU_CONTEXT")), ("env", Some(longest.as_str())));
    assert_eq!((env_of(&plan, "PU_CONTEXT_FILE"), plan.warnings.len()), (Some(CONTEXT_FILE), 0));

    let plan = machine.plan("tool", "fix it", Some(&format!("{longest}x")));
    assert_eq!((plan.delivery_name(), env_of(&plan, "PU_CONTEXT")), ("file", None));
    assert!(plan.warnings[0].contains("too long for the environment"), "{}", plan.warnings[0]);
}

#[test]
fn what_the_caller_configures_by_a_variable_of_the_agents_is_kept() {
    let name = "OPENCODE_CONFIG_CONTENT";
    let machine = Machine::new().with_env(name, r#"{"model":"m","instructions":["own.md"]}"#);
    let plan = machine.plan("opencode", "fix it", Some("context"));
    let joined = format!(r#"{{"instructions":["own.md","{CONTEXT_FILE}"],"model":"m"}}"#);
    assert_eq!((plan.delivery_name(), env_of(&plan, name)), ("system", Some(joined.as_str())));

    let unreadable = "{ /* with a comment */ }";
    let machine = Machine::new().with_env(name, unreadable);
    let plan = machine.plan("opencode", "fix it", Some("context"));
    assert_eq!((plan.delivery_name(), env_of(&plan, name)), ("prompt", Some(unreadable)));
    assert!(plan.warnings[0].contains("your environment has a OPENCODE_CONFIG_CONTENT of its own"));
}

#[test]
fn a_prompt_that_does_not_fit_is_refused_before_anything_is_started() {
    let machine = Machine::new();
    let fitting = "x".repeat(131_071);
    assert_eq!(machine.plan("claude", &fitting, None).argv.last(), Some(&fitting));
    let cases = [("claude", 131_072), ("opencode", 131_071), ("terminal", 131_071), ("gemini", 131_071)];
    for (agent, length) in cases {
        let prompt = "x".repeat(length);
        for context in [None, Some("context")] {
            let error = plan(&machine.request(agent, &prompt, context)).unwrap_err().to_body();
            assert_eq!(error.code, ErrorCode::InvalidPrompt, "{agent}");
            assert!(error.message.ends_with("131071 is the most"), "{}", error.message);
            assert!(error.hint.is_some());
        }
    }
    let error = plan(&machine.request("claude", "a\0b", None)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidPrompt);
}

#[test]
fn an_agents_own_limit_counts() {
    let machine = Machine::new().with_table("[codex]\nargument_limit = 100");
    let plan_of = |prompt: &str| plan(&machine.request("codex", prompt, None)).map(|plan| plan.argv.len());
    assert_eq!(plan_of(&"x".repeat(100)).unwrap(), 3);
    assert!(matches!(plan_of(&"x".repeat(101)).unwrap_err(), AgentsError::InvalidPrompt { .. }));
}

#[test]
fn a_launch_that_is_too_large_in_all_is_refused() {
    let mut machine = Machine::new();
    for n in 0..10 {
        machine.env.insert(format!("BIG_{n}"), "x".repeat(120_000));
    }
    let error = plan(&machine.request("claude", "fix it", None)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::LaunchFailed);
    assert!(error.to_string().contains("the system takes 1048576"), "{error}");
}

#[test]
fn the_users_arguments_stand_before_the_prompt_and_choose_the_session() {
    let machine = Machine::new();
    let with_args = |args: &[&str]| {
        let agent_args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        plan(&LaunchRequest { agent_args: &agent_args, ..machine.request("claude", "fix it", None) }).unwrap()
    };
    let plan = with_args(&["--allowedTools", "Bash", "Edit"]);
    assert_eq!(plan.argv[3..], ["--allowedTools", "Bash", "Edit", "--", "fix it"]);
    assert!(plan.session_id.is_some());
    let id = "3f0e2c1a-8d1b-4c55-9a7e-0123456789ab";
    let cases: [(&[&str], Option<&str>); 6] = [
        (&["--resume", "x"], None),
        (&["-c"], None),
        (&["--session-id=x"], Some("x")),
        (&["--session-id", id], Some(id)),
        (&["--resume", id], Some(id)),
        (&["--resume", id, "--fork-session"], None),
    ];
    for (args, known) in cases {
        let plan = with_args(args);
        assert_eq!(plan.session_id.as_deref(), known, "{args:?}");
        assert_eq!(&plan.argv[1..=args.len()], args, "it is given once, by the user");
    }
}

/// Claude Code drops the context file of a session that goes on: what is told as delivered must arrive.
#[test]
fn where_a_session_goes_on_the_context_goes_by_the_prompt() {
    let machine = Machine::new();
    for args in [&["--resume", "x"][..], &["--resume=x"], &["-r"], &["--continue"], &["--model", "opus", "-c"]] {
        let agent_args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let request = LaunchRequest { agent_args: &agent_args, ..machine.request("claude", "go on", Some("context")) };
        let plan = plan(&request).unwrap();
        assert!(!plan.argv.iter().any(|arg| arg == "--append-system-prompt-file"), "{:?}", plan.argv);
        let prompt = plan.argv.last().unwrap();
        assert!(prompt.contains(CONTEXT_FILE) && prompt.ends_with("\n\ngo on"), "{prompt}");
        assert_eq!((plan.delivery_name(), plan.warnings.len()), ("prompt", 1), "{args:?}");
        assert!(plan.warnings[0].contains("makes the program drop it"), "{}", plan.warnings[0]);
    }
    let agent_args = ["--session-id=x".to_owned()];
    let request = LaunchRequest { agent_args: &agent_args, ..machine.request("claude", "go", Some("context")) };
    assert_eq!(plan(&request).unwrap().delivery_name(), "system", "a session that begins");
}

/// Each agent by its own flag; the context only where the session has not got it, and never by a way that drops it.
#[test]
fn a_session_that_goes_on_is_told_what_is_new() {
    let machine = Machine::new();
    let read = format!("--read={CONTEXT_FILE}");
    // agent, what its session has, how the context goes, the arguments before the prompt
    let cases: [(&str, bool, &str, &[&str]); 9] = [
        ("claude", true, "session", &["--resume", "s-1"]),
        ("claude", false, "prompt", &["--resume", "s-1"]),
        ("codex", true, "session", &["resume", "s-1"]),
        ("codex", false, "prompt", &["resume", "s-1"]),
        ("gemini", true, "session", &["--resume=s-1"]),
        ("gemini", false, "prompt", &["--resume=s-1"]),
        // These read it anew at each start.
        ("opencode", true, "system", &["--session=s-1"]),
        ("opencode", false, "system", &["--session=s-1"]),
        ("aider", true, "file", &["--restore-chat-history", &read]),
    ];
    for (agent, has_context, delivery, expected) in cases {
        let session = ResumedSession { id: Some("s-1".into()), has_context };
        let request =
            LaunchRequest { session: Some(&session), ..machine.request(agent, "and test it", Some("context")) };
        let told = plan(&request).unwrap();
        assert_eq!(told.delivery_name(), delivery, "{agent}, {has_context}");
        assert_eq!(told.argv[1..=expected.len()], *expected, "{agent}, {has_context}");
        let last = told.argv.last().unwrap();
        assert!(last.ends_with("and test it"), "{agent}: {last}");
        assert_eq!(last.contains("context"), delivery == "prompt", "{agent}: {last}");
        assert_eq!(told.session_id.as_deref(), Some("s-1"));
        assert_eq!(told.files.len(), 1, "the file is there in any case");

        let silent = plan(&LaunchRequest { prompt: "", ..request }).unwrap();
        let asks = silent.argv.last().unwrap().contains("wait for the next message");
        assert_eq!(asks, delivery == "prompt", "{agent}: only a context that has to be said costs a message");
    }
}

#[test]
fn sessions_are_fresh_each_time() {
    let machine = Machine::new();
    assert_ne!(machine.plan("claude", "", None).session_id, machine.plan("claude", "", None).session_id);
}

#[test]
fn a_definition_can_take_its_prompt_from_a_file() {
    let machine =
        Machine::new().with_table("[tool]\nprompt_args = ['@{prompt_file}']\nenv = { TASK = '{agent_name}:{prompt}' }");
    let plan = machine.plan("tool", "fix it", None);
    let file = PathBuf::from("/p/.pu/worktrees/fix/.pu/run/0a1b2c3d/prompt.md");
    assert_eq!(plan.argv[1], format!("@{}", file.display()));
    assert_eq!((&plan.files[0].path, &plan.files[0].bytes[..]), (&file, &b"fix it"[..]));
    assert_eq!(env_of(&plan, "TASK"), Some("fix:fix it"));
    let plan = machine.plan("tool", "", None);
    assert_eq!((plan.argv.len(), plan.files.len(), env_of(&plan, "TASK")), (1, 0, None));
}

/// The file holds what the agent is to get: with a context that goes by the prompt, that is more than the user wrote.
#[test]
fn a_prompt_file_holds_the_prompt_as_the_route_made_it() {
    let table = "[tool]\nprompt_args = ['@{prompt_file}']\ndelivery = 'system'\nargument_limit = 100\n\
                 context_args = ['--context={context}']";
    let machine = Machine::new().with_table(table);
    let context = "x".repeat(101);
    for (prompt, task) in [("fix it", "fix it"), ("", "There is no task yet: say that you are ready and wait for one.")]
    {
        let plan = machine.plan("tool", prompt, Some(&context));
        assert_eq!((plan.delivery_name(), plan.warnings.len()), ("prompt", 1));
        let [_, file] = &plan.files[..] else { panic!("{:?}", plan.files) };
        assert_eq!(plan.argv[1..], [format!("@{}", file.path.display())]);
        let text = std::str::from_utf8(&file.bytes).unwrap();
        assert!(text.contains(CONTEXT_FILE) && text.ends_with(task), "{text}");
    }
}

/// The outer agent's context is nothing to the inner one, whether that has a context of its own or not.
#[test]
fn an_outer_agents_context_is_not_handed_on() {
    let outer = "/p/.pu/worktrees/outer/.pu/run/ffffffff/context.md";
    let config = |files: &str| format!(r#"{{"instructions":[{files}]}}"#);
    let name = "OPENCODE_CONFIG_CONTENT";
    let cases = [
        (config(&format!("\"{outer}\"")), None, None),
        (config(&format!("\"{outer}\"")), Some("context"), Some(config(&format!("\"{CONTEXT_FILE}\"")))),
        (config(&format!("\"own.md\",\"{outer}\"")), None, Some(config("\"own.md\""))),
        (
            config(&format!("\"own.md\",\"{outer}\"")),
            Some("context"),
            Some(config(&format!("\"own.md\",\"{CONTEXT_FILE}\""))),
        ),
    ];
    for (callers, context, expected) in cases {
        let machine = Machine::new().with_env("PU_CONTEXT_FILE", outer).with_env(name, &callers);
        let plan = machine.plan("opencode", "fix it", context);
        assert_eq!(env_of(&plan, name), expected.as_deref(), "{callers} {context:?}");
        assert_eq!(env_of(&plan, "PU_CONTEXT_FILE"), context.map(|_| CONTEXT_FILE));
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    }
}

/// Before its worktree is there, a program in it is taken on trust; afterwards it is looked for.
#[test]
fn a_program_of_the_project_is_looked_for_once_its_folder_is_there() {
    let machine = Machine::new().with_table("[own]\ncommand = './tools/own'\n[gone]\ncommand = '/no/such/tool'");
    let plan_of = |agent, workdir_exists| {
        plan(&LaunchRequest { workdir_exists, ..machine.request(agent, "", None) }).map(|plan| plan.argv[0].clone())
    };
    assert!(Path::new(&plan_of("own", false).unwrap()).ends_with("worktrees/fix/tools/own"));
    for (agent, workdir_exists) in [("own", true), ("gone", false)] {
        assert_eq!(plan_of(agent, workdir_exists).unwrap_err().code(), ErrorCode::CommandNotFound, "{agent}");
    }
}

#[test]
fn an_agent_that_is_not_installed_is_refused_with_its_hint() {
    let machine = Machine::new().with_env("PATH", "/no/such/folder");
    let error = plan(&machine.request("codex", "fix it", None)).unwrap_err().to_body();
    assert_eq!(error.code, ErrorCode::CommandNotFound);
    assert_eq!(error.hint.as_deref(), Some("install Codex: npm install -g @openai/codex"));
}

#[test]
fn texts_that_no_program_can_be_given_are_refused() {
    let machine = Machine::new();
    let bad = ["a\0b".to_owned()];
    let request = LaunchRequest { agent_args: &bad, ..machine.request("claude", "x", None) };
    assert_eq!(plan(&request).unwrap_err().code(), ErrorCode::InvalidRequest);
    for command in ["", " ", "a\0b", &"x".repeat(131_072)] {
        let request = LaunchRequest { command: Some(command), ..machine.request("terminal", "x", None) };
        assert_eq!(plan(&request).unwrap_err().code(), ErrorCode::InvalidRequest);
    }
}

/// The commands are the shell's, and nothing of the user's stands in them.
#[test]
fn hooks_are_handed_over_as_arguments_unless_the_user_gives_his_own() {
    let machine = Machine::with_hooks();
    let argument = |plan: &LaunchPlan, option: &str| {
        let at = plan.argv.iter().position(|arg| arg == option)?;
        plan.argv.get(at + 1).cloned()
    };
    let plan_of = machine.plan("claude", "fix it", Some("context"));
    let settings = argument(&plan_of, "--settings").unwrap();
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    let hooks = settings["hooks"].as_object().unwrap();
    for (event, says) in [
        ("UserPromptSubmit", "working"),
        ("PostToolUse", "working"),
        ("PermissionRequest", "blocked"),
        ("Stop", "done"),
        ("SessionStart", "idle"),
    ] {
        let command = hooks[event][0]["hooks"][0]["command"].as_str().unwrap();
        assert!(command.starts_with("\"${PU_HOOK:-true}\" _hook ") && command.contains(says), "{event}: {command}");
        assert!(command.contains(&format!("--rule {event}")), "{event}: {command}");
    }
    assert_eq!(hooks.len(), 5, "each is in the table above");
    assert_eq!(plan_of.argv.last().map(String::as_str), Some("fix it"));
    let plan_of = machine.plan("aider", "fix it", None);
    assert!(argument(&plan_of, "--notifications-command").unwrap().contains("_hook done --fleeting"));

    for (agent, option) in [("claude", "--settings"), ("aider", "--notifications-command")] {
        let own = [format!("{option}=of-the-user")];
        let request = LaunchRequest { agent_args: &own, ..machine.request(agent, "fix it", None) };
        let given: Vec<_> = plan(&request).unwrap().argv.into_iter().filter(|arg| arg.contains(option)).collect();
        assert_eq!(given, own, "{agent}");
    }
}
