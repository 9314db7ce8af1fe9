//! What can be typed: the program, its global options and the list of its verbs.
//!
//! The doc comments are the help text. Nothing here acts; each verb's own arguments stand in its file in `commands/`.

use crate::commands::Command;
use crate::failure::{self, Failure};
use clap::error::ErrorKind;
use clap::{Args, Parser};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Start coding agents that already know the specs that matter, and never lose one.
///
/// pu talks to a daemon, which it starts when none runs. Agents outlive the daemon, the terminal and pu itself.
#[derive(Debug, Parser)]
#[command(name = "pu", version, arg_required_else_help = true, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every verb takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Answer with one JSON object a line on stdout; an error is a JSON object on stderr.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The daemon's socket [default: $PU_SOCKET, else daemon.sock in $PU_HOME, else in ~/.pu].
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Act as if started in this folder.
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
    /// Act as if started in this project: a name, or the beginning of an id, as `pu project list` has them, or a path with
    /// a / in it.
    #[arg(short = 'P', long, global = true, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
}

const AFTER_HELP: &str = "\
Examples:
  pu init                                make this folder a project
  pu trust                               see what a cloned project could run, and allow it
  pu spawn \"fix the auth race\"           start an agent in a worktree of its own
  pu status                              which agents there are
  pu attach fix-the-auth-race            look over its shoulder
  pu resume --all                        let those go on that a reboot took
  pu -P shop status                      which there are in another project
  pu context explain \"fix the auth race\" which specs it would get, and why
  pu spec lint                           what is wrong with specs and rule files
  pu plugin new ledger                   write a plugin that decides which

Exit codes:
  0    done
  1    something failed
  2    the command line cannot be understood
  3    what was named is not there: agent, project, worktree, spec, plugin, program, configuration key
  4    refused: untrusted project, unsound plugin, name taken, agent ended, not confirmed
  5    no daemon answers and none could be started
  124  it took too long: the agent (`wait --timeout`) or the daemon's answer
  `wait` and `spawn --wait` end with the agent's own exit code, 128 + N if signal N ended it.";

/// Tells why there is no command line to act on, or what was asked about it (help, version), and gives the code to exit
/// with.
pub(crate) fn conclude(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && wants_json(std::env::args_os()) {
        return failure::conclude(Err(Failure::Usage(in_one_line(error))), true);
    }
    // If even that cannot be written there is nobody left to tell.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Looked for word by word, since the words make no sense together.
fn wants_json(words: impl Iterator<Item = OsString>) -> bool {
    let mut options = words.take_while(|word| word != "--");
    options.any(|word| word == "--json")
}

/// What clap has to say, without the usage and the tips below it.
fn in_one_line(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "the command is not complete".to_owned();
    }
    let text = error.render().to_string();
    let said = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = said.trim_start_matches("error: ").lines().map(str::trim).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_usage_error_is_one_line_for_programs() {
        let said = |words: &[&str]| in_one_line(&Cli::try_parse_from(words).unwrap_err());
        assert_eq!(said(&["pu", "no-such-verb"]), "unrecognized subcommand 'no-such-verb'");
        assert_eq!(said(&["pu", "wait"]), "the following required arguments were not provided: <AGENT>");
        assert_eq!(said(&["pu", "daemon"]), "the command is not complete");
    }

    #[test]
    fn json_is_wanted_wherever_the_option_stands() {
        let wants = |words: &[&str]| wants_json(words.iter().map(OsString::from));
        assert!(wants(&["pu", "--json", "bogus"]) && wants(&["pu", "wait", "--bogus", "--json"]));
        assert!(!wants(&["pu", "wait"]) && !wants(&["pu", "send", "a", "--", "--json"]));
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_shows_an_example() {
        fn check(command: &clap::Command, path: &str) {
            for verb in command.get_subcommands().filter(|c| c.get_name() != "help") {
                let path = format!("{path} {}", verb.get_name());
                if verb.has_subcommands() {
                    check(verb, &path);
                } else {
                    let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
                    assert!(help.contains(&path), "`{path} --help` has no example:\n{help}");
                }
            }
        }
        check(&Cli::command(), "pu");
    }
}
