//! `pu _hook`: what an agent's program runs when something happens in it.
//!
//! Tells the agent's shim, which outlives the daemon and tells that one when it is there. It starts no daemon, prints
//! nothing (a program may take what a hook prints for an instruction), never fails and is over within a second.

use crate::failure::Outcome;
use crate::shim::{CLIENT, Incoming, ShimError, ShimLink};
use pu_protocol::Doing;
use pu_protocol::frame::{ClientFrame, Cue, Hello, Mode, ShimFrame};
use serde_json::Value;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// Whatever happens, an agent's program is not held up for longer.
const LIMIT: Duration = Duration::from_secs(1);
/// So much is kept of what the program says.
const SAID_MAX: u64 = 1024 * 1024;

/// Tell what the agent is doing (run by the agent's own program)
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  pu _hook done --rule Stop\n  pu _hook blocked --stdin --why /tool_name --rule PermissionRequest"
)]
pub(crate) struct Args {
    /// What it is doing from now on.
    state: State,
    /// What happened.
    #[arg(long)]
    rule: String,
    /// It is so only until the agent goes on writing.
    #[arg(long)]
    fleeting: bool,
    /// The program says more on standard input, as JSON.
    #[arg(long)]
    stdin: bool,
    /// Where in that stands what a blocked agent waits for.
    #[arg(long, value_name = "POINTER", requires = "stdin")]
    why: Vec<String>,
    /// What the program adds.
    #[arg(hide = true)]
    more: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum State {
    Working,
    Blocked,
    Idle,
    Done,
    /// What was told before holds no longer.
    Clear,
}

impl State {
    fn doing(self) -> Option<Doing> {
        match self {
            Self::Working => Some(Doing::Working),
            Self::Blocked => Some(Doing::Blocked),
            Self::Idle => Some(Doing::Idle),
            Self::Done => Some(Doing::Done),
            Self::Clear => None,
        }
    }
}

impl Args {
    pub(crate) fn run(&self) -> Outcome {
        let args = self.clone();
        let (over, ended) = mpsc::channel();
        std::thread::spawn(move || {
            // Nobody can be told: the agent goes on without.
            let _ = args.tell();
            let _ = over.send(());
        });
        let _ = ended.recv_timeout(LIMIT);
        Outcome::DONE
    }

    fn tell(&self) -> Result<(), ShimError> {
        let said = if self.stdin { read_all(io::stdin().lock()) } else { Vec::new() };
        let Some(socket) = std::env::var_os("PU_SHIM_SOCKET") else { return Ok(()) };
        let (mut link, _) = ShimLink::open(Path::new(&socket), Hello::new(CLIENT, Mode::Control))?;
        link.push(&ClientFrame::Cue(self.cue(&said)))?;
        link.finish_sending()?;
        // A line that is closed with words unread may take ours with it.
        loop {
            match link.next()? {
                Incoming::Frame(ShimFrame::Done(_) | ShimFrame::Refused(_)) => return Ok(()),
                Incoming::Frame(_) | Incoming::Unknown => {}
                Incoming::Nothing => link.receive()?,
            }
        }
    }

    fn cue(&self, said: &[u8]) -> Cue {
        let (state, fleeting) = (self.state.doing(), self.fleeting);
        Cue { state, why: self.reason(said), rule: self.rule.clone(), fleeting, ..Cue::default() }
    }

    fn reason(&self, said: &[u8]) -> Option<String> {
        let said: Value = serde_json::from_slice(said).ok()?;
        let texts: Vec<&str> = self.why.iter().filter_map(|pointer| said.pointer(pointer)?.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join(": "))
    }
}

/// Reads to the end, whatever is kept: a program that writes must not find its pipe closed.
fn read_all(mut input: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = input.by_ref().take(SAID_MAX).read_to_end(&mut bytes);
    let _ = io::copy(&mut input, &mut io::sink());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(words: &[&str]) -> Args {
        Line::try_parse_from([&["_hook"][..], words].concat()).unwrap().args
    }

    #[test]
    fn what_happened_becomes_a_cue() {
        let blocked =
            args(&["blocked", "--stdin", "--why", "/tool_name", "--why", "/tool_input/command", "--rule", "P"]);
        let cue = blocked.cue(br#"{"tool_name":"Bash","tool_input":{"command":"touch x"}}"#);
        assert_eq!((cue.state, cue.why.as_deref()), (Some(Doing::Blocked), Some("Bash: touch x")));
        assert_eq!((cue.rule.as_str(), cue.fleeting), ("P", false));
        for said in ["", "no json", "[]", r#"{"tool_name":7}"#] {
            assert_eq!(blocked.cue(said.as_bytes()).why, None, "{said}");
        }
        let edit = blocked.cue(br#"{"tool_name":"Edit","tool_input":{}}"#);
        assert_eq!(edit.why.as_deref(), Some("Edit"));
        let done = args(&["done", "--fleeting", "--rule", "turn", r#"{"type":"of the program"}"#]).cue(b"");
        assert_eq!((done.state, done.fleeting, done.why), (Some(Doing::Done), true, None));
        assert_eq!(args(&["clear", "--rule", "r"]).cue(b"").state, None);
    }

    #[test]
    fn what_is_too_long_is_read_to_its_end() {
        let long = vec![b'x'; SAID_MAX as usize + 70_000];
        let mut input = &long[..];
        assert_eq!(read_all(&mut input).len() as u64, SAID_MAX);
        assert!(input.is_empty());
    }
}
