//! The verbs, one file each: what can be typed, the request it becomes, the answer it prints.
//!
//! A command settles what the user left open and asks; it decides nothing that the daemon decides.

mod agent;
mod attach;
mod clean;
mod completions;
mod config;
mod context;
mod daemon;
mod demo;
mod doctor;
mod health;
mod history;
mod hook;
mod init;
mod kill;
mod logs;
mod plugin;
mod project;
mod protocol;
mod resume;
mod send;
mod spawn;
mod spec;
mod status;
mod trust;
mod untrust;
mod wait;

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Args),
    Trust(trust::Args),
    Untrust(untrust::Args),
    Spawn(Box<spawn::Args>),
    Resume(resume::Args),
    Status(status::Args),
    #[command(subcommand)]
    Agent(agent::Agent),
    History(history::Args),
    Attach(attach::Args),
    Logs(logs::Args),
    Send(send::Args),
    Kill(kill::Args),
    Wait(wait::Args),
    Clean(clean::Args),
    Health(health::Args),
    Doctor(doctor::Args),
    #[command(subcommand)]
    Daemon(daemon::Daemon),
    #[command(subcommand)]
    Project(project::Project),
    #[command(subcommand)]
    Context(context::Context),
    #[command(subcommand)]
    Spec(spec::Spec),
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    #[command(subcommand)]
    Config(config::Config),
    Demo(demo::Args),
    Completions(completions::Args),
    #[command(subcommand)]
    Protocol(protocol::Protocol),
    /// No verb of a person's: agents' programs run it.
    #[command(name = "_hook", hide = true)]
    Hook(hook::Args),
}

impl Command {
    /// Runs what agents' programs run, which depends on no folder and no daemon; nothing for a person's verb.
    pub(crate) fn run_as_hook(&self) -> Option<Outcome> {
        if let Self::Hook(args) = self { Some(args.run()) } else { None }
    }

    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        match self {
            Self::Init(args) => args.run(invocation),
            Self::Trust(args) => args.run(invocation),
            Self::Untrust(args) => args.run(invocation),
            Self::Spawn(args) => args.run(invocation),
            Self::Resume(args) => args.run(invocation),
            Self::Status(args) => args.run(invocation),
            Self::Agent(verb) => verb.run(invocation),
            Self::History(args) => args.run(invocation),
            Self::Attach(args) => args.run(invocation),
            Self::Logs(args) => args.run(invocation),
            Self::Send(args) => args.run(invocation),
            Self::Kill(args) => args.run(invocation),
            Self::Wait(args) => args.run(invocation),
            Self::Clean(args) => args.run(invocation),
            Self::Health(args) => args.run(invocation),
            Self::Doctor(args) => args.run(invocation),
            Self::Daemon(verb) => verb.run(invocation),
            Self::Project(verb) => verb.run(invocation),
            Self::Context(verb) => verb.run(invocation),
            Self::Spec(verb) => verb.run(invocation),
            Self::Plugin(verb) => verb.run(invocation),
            Self::Config(verb) => verb.run(invocation),
            Self::Demo(args) => args.run(invocation),
            Self::Completions(args) => args.run(),
            Self::Protocol(verb) => verb.run(),
            Self::Hook(args) => Ok(args.run()),
        }
    }
}
