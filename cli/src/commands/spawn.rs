//! `pu spawn`: a task becomes an agent.

use super::{attach, wait};
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::prompt;
use crate::render::{self, View};
use crate::screen;
use pu_protocol::context::TaskDescription;
use pu_protocol::{Answer, Placement, Request, SpawnRequest};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Start an agent that knows the specs its task touches
///
/// The agent gets a git worktree of its own on branch pu/NAME, unless --root or --worktree says otherwise. Which specs
/// it was given, and why, is shown; `pu context explain` shows it beforehand.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:
  pu spawn \"fix the auth race\"
  pu spawn -a claude -n docs --tag docs --file task.md
  git log -1 --format=%B | pu spawn - --spec STORE-006
  pu spawn --root --agent terminal --command 'cat \"$PU_CONTEXT_FILE\"' \"explain the store\"
  pu spawn --wait --json \"run the checks\"")]
pub(crate) struct Args {
    /// What is to be done; `-` reads it from standard input.
    prompt: Option<String>,
    /// Which agent: claude, codex, opencode, gemini, aider, terminal, or one from the configuration.
    #[arg(short, long, value_name = "TYPE")]
    agent: Option<String>,
    /// The agent's name [default: made from the prompt].
    #[arg(short, long)]
    name: Option<String>,
    /// The commit or branch that the new worktree starts from [default: the current commit].
    #[arg(short, long, value_name = "REF", conflicts_with_all = ["root", "worktree"])]
    base: Option<String>,
    /// Work in the project itself, without a worktree.
    #[arg(long, conflicts_with = "worktree")]
    root: bool,
    /// Work in the worktree of an earlier agent.
    #[arg(short, long, value_name = "NAME")]
    worktree: Option<String>,
    /// Read the prompt from a file (`-`: standard input); it follows PROMPT if both are given.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Run this shell command instead of the agent's own.
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// A tag that specs are picked by; may be repeated. `#tag` in the prompt does the same.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// The id or path of a spec that must be in the context; may be repeated.
    #[arg(long = "spec", value_name = "ID")]
    specs: Vec<String>,
    /// Start the agent with no context.
    #[arg(long, conflicts_with_all = ["tags", "specs", "context_budget"])]
    no_context: bool,
    /// How many tokens of context there may be.
    #[arg(long, value_name = "TOKENS")]
    context_budget: Option<u32>,
    /// Further arguments for the agent's program, quoted as for a shell; may be repeated.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    agent_args: Vec<String>,
    /// Attach to the agent at once.
    #[arg(long, conflicts_with = "json")]
    attach: bool,
    /// Wait until the agent has ended and exit with its code.
    #[arg(long)]
    wait: bool,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let attachment = self.attach.then(attach::Options::default);
        if let Some(options) = &attachment {
            options.check(self.name.as_deref().unwrap_or("AGENT"))?;
        }
        let request = Request::Spawn(Box::new(self.request(invocation)?));
        let reply = invocation.ask(&request)?;
        let Answer::SpawnReport(report) = &reply.answer else {
            return Err(invocation.mismatch("spawn", &reply.answer));
        };
        invocation.show(&reply, || render::spawn::report(report, &View::new(invocation.style)))?;
        let attached = match &attachment {
            Some(options) => attach::attach(invocation, &report.agent_id, options)?,
            None => Outcome::DONE,
        };
        // A signal that ended the attaching is not answered with waiting.
        if self.wait && attached == Outcome::DONE {
            return wait::wait(invocation, &report.agent_id, None);
        }
        Ok(attached)
    }

    fn request(&self, invocation: &Invocation) -> Result<SpawnRequest, Failure> {
        Ok(SpawnRequest {
            cwd: invocation.cwd.clone(),
            task: TaskDescription {
                prompt: prompt::gather(self.prompt.as_deref(), self.file.as_deref(), &invocation.cwd)?,
                tags: self.tags.clone(),
                specs: self.specs.clone(),
                agent: self.agent.clone(),
                budget: self.context_budget,
            },
            name: self.name.clone(),
            placement: self.placement(),
            command: self.command.clone(),
            agent_args: split(&self.agent_args)?,
            no_context: self.no_context,
            size: screen::terminal_size(),
            env: environment(std::env::vars_os()),
        })
    }

    fn placement(&self) -> Placement {
        match (&self.worktree, self.root) {
            (Some(name), _) => Placement::Worktree { name: name.clone() },
            (None, true) => Placement::Root,
            (None, false) => Placement::NewWorktree { base: self.base.clone() },
        }
    }
}

fn split(typed: &[String]) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    for text in typed {
        let more = shell_words::split(text).map_err(|e| Failure::Usage(format!("--agent-args `{text}`: {e}")))?;
        words.extend(more);
    }
    Ok(words)
}

/// The caller's environment, without what JSON cannot carry.
pub(super) fn environment(
    all: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
) -> BTreeMap<String, String> {
    all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use crate::commands::Command;
    use clap::Parser;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    fn parse(words: &[&str]) -> Result<Args, clap::Error> {
        let cli = Cli::try_parse_from(["pu", "spawn"].iter().chain(words))?;
        match cli.command {
            Command::Spawn(args) => Ok(*args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn where_an_agent_works() {
        for (words, wanted) in [
            (&[][..], Placement::NewWorktree { base: None }),
            (&["-b", "main"], Placement::NewWorktree { base: Some("main".into()) }),
            (&["--root"], Placement::Root),
            (&["-w", "docs"], Placement::Worktree { name: "docs".into() }),
        ] {
            assert_eq!(parse(words).unwrap().placement(), wanted, "{words:?}");
        }
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        for words in [
            &["--root", "-w", "x"][..],
            &["--root", "-b", "main"],
            &["--no-context", "--tag", "x"],
            &["--attach", "--json"],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn agent_arguments_are_split_as_a_shell_would() {
        let args = parse(&["--agent-args", "--model 'big one'", "--agent-args=-v", "p"]).unwrap();
        assert_eq!(split(&args.agent_args).unwrap(), ["--model", "big one", "-v"]);
        assert!(matches!(split(&["'open".into()]), Err(Failure::Usage(_))));
    }

    #[test]
    fn variables_that_are_not_text_are_left_out() {
        let pair = |name: &str, value: &[u8]| (OsString::from(name), OsString::from_vec(value.to_vec()));
        let env = environment([pair("A", b"1"), pair("B", b"\xff")].into_iter());
        assert_eq!(env, BTreeMap::from([("A".to_owned(), "1".to_owned())]));
    }
}
