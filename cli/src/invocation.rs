//! One run of `pu`: the folder it acts in, the daemon it talks to, the form of its answers.
//!
//! Settled once at the start; commands only read it.

use crate::args::Global;
use crate::connection::Reply;
use crate::daemon;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::index_progress::{IndexProgress, waited_for};
use crate::screen::{self, Style};
use pu_protocol::{Answer, Request};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(crate) struct Invocation {
    /// Absolute.
    pub(crate) cwd: PathBuf,
    pub(crate) endpoint: Endpoint,
    pub(crate) json: bool,
    pub(crate) style: Style,
}

impl Invocation {
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let here = std::env::current_dir().map_err(|e| Failure::io("find the current folder from", ".", e))?;
        let cwd = match &global.cwd {
            None => here,
            Some(dir) => here.join(dir).canonicalize().map_err(|e| Failure::io("enter", dir, e))?,
        };
        let endpoint = Endpoint::resolve(global.socket.clone(), |name| std::env::var_os(name))?;
        Ok(Self { cwd, endpoint, json: global.json, style: Style::of_stdout() })
    }

    pub(crate) fn cwd(&self) -> Option<PathBuf> {
        Some(self.cwd.clone())
    }

    /// A path as it was typed, from the folder that the user stands in.
    pub(crate) fn path(&self, typed: &Path) -> PathBuf {
        self.cwd.join(typed)
    }

    /// Asks the daemon, starting one if none runs.
    pub(crate) fn ask(&self, request: &Request) -> Result<Reply, Failure> {
        let _progress = waited_for(request).map(|folder| IndexProgress::start(&self.endpoint, folder, self.json));
        daemon::ask(&self.endpoint, request)
    }

    /// Prints an answer: the line as it came for programs, `human` for people.
    pub(crate) fn show(&self, reply: &Reply, human: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { screen::say(&reply.line) } else { screen::say(&human()) }
    }

    /// The failure for an answer that does not belong to its request.
    pub(crate) fn mismatch(&self, request: &str, answer: &Answer) -> Failure {
        let kind = serde_json::to_value(answer).ok().and_then(|v| Some(v.get("type")?.as_str()?.to_owned()));
        Failure::NoAnswer {
            socket: self.endpoint.socket.clone(),
            request: request.to_owned(),
            why: format!("it answered `{}`", kind.unwrap_or_default()),
        }
    }
}
