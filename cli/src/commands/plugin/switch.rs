//! `pu plugin enable` and `disable`: a plugin of the chain runs, or stays out of it.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::progress::Progress;
use crate::render;
use crate::text::printable;
use pu_protocol::{Answer, Request};

/// Switch a plugin on
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu plugin enable ledger\n  pu plugin enable ledger --grant state")]
pub(crate) struct EnableArgs {
    /// Its name in this project.
    name: String,
    /// Let it use more than the project's specs: what it keeps from one task to the next (`state`), past tasks (`history`).
    #[arg(long = "grant", value_name = "WORD", value_parser = ["state", "history"], value_delimiter = ',')]
    grants: Vec<String>,
}

/// Switch a plugin off; its file and its configuration stay
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu plugin disable ledger")]
pub(crate) struct DisableArgs {
    /// Its name in this project.
    name: String,
}

impl EnableArgs {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        switch(invocation, &self.name, true, &self.grants)
    }
}

impl DisableArgs {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        switch(invocation, &self.name, false, &[])
    }
}

fn switch(invocation: &Invocation, name: &str, enabled: bool, grants: &[String]) -> Result<Outcome, Failure> {
    let (cwd, grants) = (invocation.cwd.clone(), grants.to_vec());
    let request = Request::PluginSwitch { cwd, name: name.to_owned(), enabled, grants };
    // What is switched on is compiled first, if it is not yet.
    let compiling = enabled.then(|| Progress::start(format!("compiling {}", printable(name)), invocation.json));
    let reply = invocation.ask(&request)?;
    drop(compiling);
    let Answer::PluginChanged { plugin, changed } = &reply.answer else {
        return Err(invocation.mismatch("plugin_switch", &reply.answer));
    };
    let verb = if enabled { "switched on" } else { "switched off" };
    invocation.show(&reply, || render::plugin::changed(verb, plugin, changed, invocation.style))?;
    Ok(Outcome::DONE)
}
