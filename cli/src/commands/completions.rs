//! `pu completions`: what a shell needs to complete command lines.

use crate::args::Cli;
use crate::failure::{Failure, Outcome};
use crate::screen;
use clap::CommandFactory;
use clap_complete::Shell;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu completions bash > ~/.local/share/bash-completion/completions/pu
  pu completions zsh > ~/.zfunc/_pu
  pu completions fish > ~/.config/fish/completions/pu.fish")]
pub(crate) struct Args {
    shell: Shell,
}

impl Args {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "pu", &mut script);
        screen::write_out(&script)?;
        Ok(Outcome::DONE)
    }
}
