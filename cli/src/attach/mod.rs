//! `pu attach`: a person's terminal and an agent's, made one.
//!
//! The bytes go straight between the terminal and the agent's shim; the daemon only says where the shim listens and may
//! be restarted meanwhile. Nothing here interprets an agent's output beyond keeping it on its own screen.

pub(crate) mod detach;
mod filter;
mod screen;
mod session;
mod signals;
mod typed;

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::shim::{CLIENT, ShimLink};
use crate::text::printable;
use detach::DetachKeys;
use pu_protocol::frame::{ExitRecord, ExitStatus, Hello, Mode, TerminalSize};
use pu_protocol::{AgentInfo, Answer, Request};
use session::{End, Session};
use signals::Signals;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) agent: AgentInfo,
    pub(crate) socket: PathBuf,
    pub(crate) read_only: bool,
    pub(crate) keys: DetachKeys,
}

/// Asks the daemon where an agent's shim listens.
pub(crate) fn locate(invocation: &Invocation, agent: &str) -> Result<(AgentInfo, PathBuf), Failure> {
    let reply = invocation.ask(&Request::Attach { agent: agent.to_owned(), cwd: invocation.cwd() })?;
    match reply.answer {
        Answer::AttachReport { agent, socket, .. } => Ok((agent, socket)),
        other => Err(invocation.mismatch("attach", &other)),
    }
}

/// There must be a person to show the agent to.
pub(crate) fn check_terminal(agent: &str) -> Result<(), Failure> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Failure::Refused {
        message: "attach needs a terminal on standard input and output".to_owned(),
        hint: format!("`pu logs -f {agent}` follows the output, `pu send` types"),
    })
}

impl Attachment {
    /// Shows the agent until the user detaches, the agent ends or the link breaks.
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        self.check_place(std::env::var("PU_AGENT_ID").ok().as_deref())?;
        let signals = Signals::catch().map_err(|e| Failure::io("watch for signals of", "this process", e))?;
        let link = self.link()?;
        crate::screen::complain(&self.announcement());
        let (end, shown) = {
            let _screen = screen::Screen::enter(&self.title())
                .map_err(|e| Failure::io("put into raw mode", "the terminal", e))?;
            Session::new(self, link, signals)?.run()
        };
        self.conclude(end, shown)
    }

    fn check_place(&self, inside: Option<&str>) -> Result<(), Failure> {
        if inside == Some(self.agent.agent_id.as_str()) {
            return Err(Failure::Refused {
                message: format!(
                    "this terminal is {}'s own: attaching it to itself would echo for ever",
                    self.agent.name
                ),
                hint: "attach from another terminal".to_owned(),
            });
        }
        check_terminal(&self.agent.name)
    }

    /// A fresh connection: it begins with a redraw of the whole screen.
    fn link(&self) -> Result<ShimLink, Failure> {
        let mut hello = Hello::new(CLIENT, Mode::Attach);
        hello.read_only = self.read_only;
        hello.size = crate::screen::terminal_size().map(TerminalSize::clamped);
        let (link, _) = ShimLink::open(&self.socket, hello).map_err(|e| e.for_agent(&self.agent.name))?;
        link.set_nonblocking().map_err(|e| Failure::io("prepare the connection to", &self.socket, e))?;
        Ok(link)
    }

    fn announcement(&self) -> String {
        let mode = if self.read_only { ", read only" } else { "" };
        format!("attached to {}{mode}; detach: {}", printable(&self.agent.name), self.keys.text())
    }

    fn title(&self) -> String {
        format!("{} (detach: {})", printable(&self.agent.name), self.keys.text())
    }

    /// `shown`: up to which offset the output was shown.
    fn conclude(&self, end: End, shown: Option<u64>) -> Result<Outcome, Failure> {
        let name = printable(&self.agent.name);
        match end {
            End::Detached => crate::screen::complain(&self.farewell(shown)),
            End::Exited(exit) => crate::screen::complain(&format!("{name} {}", ending(&exit))),
            End::Signal(signal) => return Ok(Outcome(128 | u8::try_from(signal).unwrap_or(0))),
            End::Lost(why) => return Err(Failure::LinkLost { agent: self.agent.name.clone(), why }),
            End::Failed(failure) => return Err(failure),
        }
        Ok(Outcome::DONE)
    }

    /// Where to go on.
    fn farewell(&self, shown: Option<u64>) -> String {
        let name = printable(&self.agent.name);
        let Some(at) = shown else { return format!("detached from {name}; it goes on") };
        format!(
            "detached from {name} at offset {at}; it goes on (`pu attach --since {at} {name}` shows what comes until then)"
        )
    }
}

fn ending(exit: &ExitRecord) -> String {
    let verb = if exit.kill_requested { "was killed:" } else { "ended:" };
    match &exit.how {
        ExitStatus::Exited { code } => format!("{verb} exit code {code}"),
        ExitStatus::Signaled { name, signal } if name.is_empty() => format!("{verb} signal {signal}"),
        ExitStatus::Signaled { name, .. } => format!("{verb} {}", printable(name)),
        ExitStatus::Unknown { reason } => format!("is gone, nobody saw how: {}", printable(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::agent;
    use pu_protocol::AgentState;

    fn attachment() -> Attachment {
        Attachment {
            agent: agent("a1b2c3d4", "fix-auth", AgentState::Running { pid: 1 }),
            socket: "/s".into(),
            read_only: true,
            keys: DetachKeys::parse(detach::DEFAULT).unwrap(),
        }
    }

    #[test]
    fn the_way_out_is_announced() {
        assert_eq!(attachment().announcement(), r"attached to fix-auth, read only; detach: C-\ d");
    }

    #[test]
    fn an_agent_is_not_attached_to_itself() {
        let failure = attachment().check_place(Some("a1b2c3d4")).unwrap_err();
        assert!(failure.to_string().contains("fix-auth's own"), "{failure}");
    }

    #[test]
    fn who_leaves_is_told_where_to_go_on() {
        let told = attachment().farewell(Some(42));
        assert!(told.starts_with("detached from fix-auth at offset 42; it goes on"), "{told}");
        assert!(told.contains("pu attach --since 42 fix-auth"), "{told}");
        assert_eq!(attachment().farewell(None), "detached from fix-auth; it goes on");
    }

    #[test]
    fn every_end_is_told() {
        let record = |how| ExitRecord { how, ..ExitRecord::default() };
        assert_eq!(ending(&record(ExitStatus::Exited { code: 3 })), "ended: exit code 3");
        let mut killed = record(ExitStatus::Signaled { signal: 15, name: "SIGTERM".into() });
        killed.kill_requested = true;
        assert_eq!(ending(&killed), "was killed: SIGTERM");
        assert_eq!(attachment().conclude(End::Signal(15), None).unwrap(), Outcome(143));
        assert!(matches!(attachment().conclude(End::Lost("gone".into()), Some(7)), Err(Failure::LinkLost { .. })));
    }
}
