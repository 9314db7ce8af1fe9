//! `pu plugin enable` and `disable`: a plugin of the chain runs, or stays out of it.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render;
use pu_protocol::{Answer, Request};

/// Switch a plugin on
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu plugin enable ledger")]
pub(crate) struct EnableArgs {
    /// Its name in this project.
    name: String,
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
        switch(invocation, &self.name, true)
    }
}

impl DisableArgs {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        switch(invocation, &self.name, false)
    }
}

fn switch(invocation: &Invocation, name: &str, enabled: bool) -> Result<Outcome, Failure> {
    let request = Request::PluginSwitch { cwd: invocation.cwd.clone(), name: name.to_owned(), enabled };
    let reply = invocation.ask(&request)?;
    let Answer::PluginChanged { plugin, changed } = &reply.answer else {
        return Err(invocation.mismatch("plugin_switch", &reply.answer));
    };
    let verb = if enabled { "switched on" } else { "switched off" };
    invocation.show(&reply, || render::plugin::changed(verb, plugin, changed, invocation.style))?;
    Ok(Outcome::DONE)
}
