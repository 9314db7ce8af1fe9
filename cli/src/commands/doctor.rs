//! `pu doctor`: whether all that an agent needs is as it should be.

use super::spawn::environment;
use crate::connection::Reply;
use crate::doctor;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render;
use pu_protocol::{Answer, Finding, FindingState, Request};

/// The exit code for a problem that was found.
const PROBLEM: u8 = 1;

/// Look whether everything is as it should be: daemon, programs, disk, git, agents, this project and its plugins
///
/// Each finding is `ok`, a `warning` or a `problem`, the latter two with what to do about it. Nothing is changed. Exits
/// with 0 if there is no problem, with 1 if there is one, and with 5 if no daemon answers: what can be seen without one
/// is shown even then.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu doctor\n  pu doctor --json")]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let request = Request::Doctor {
            cwd: invocation.cwd(),
            client_program: std::env::current_exe().ok(),
            client_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            env: environment(std::env::vars_os()),
        };
        match invocation.ask(&request) {
            Ok(reply) => {
                let Answer::DoctorReport { findings } = &reply.answer else {
                    return Err(invocation.mismatch("doctor", &reply.answer));
                };
                invocation.show(&reply, || render::doctor::report(findings, invocation.style))?;
                let is_problem = findings.iter().any(|finding| finding.state == FindingState::Problem);
                Ok(if is_problem { Outcome(PROBLEM) } else { Outcome::DONE })
            }
            Err(failure) => {
                let findings = doctor::without_daemon(&invocation.endpoint, &failure);
                show(invocation, findings)?;
                Ok(Outcome(failure.exit_code()))
            }
        }
    }
}

/// What the daemon would have answered, as far as it can be told without it.
fn show(invocation: &Invocation, findings: Vec<Finding>) -> Result<(), Failure> {
    let text = render::doctor::report(&findings, invocation.style);
    let answer = Answer::DoctorReport { findings };
    let line = serde_json::to_string(&answer).map_err(|e| Failure::Output(e.into()))?;
    invocation.show(&Reply { answer, line }, || text)
}
