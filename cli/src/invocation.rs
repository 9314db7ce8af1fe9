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
        let mut invocation = Self { cwd, endpoint, json: global.json, style: Style::of_stdout() };
        if let Some(called) = &global.project {
            invocation.enter_project(called)?;
        }
        Ok(invocation)
    }

    /// Acts in another project from here on. Where a path is, this program sees by itself; names are the daemon's to know.
    fn enter_project(&mut self, called: &str) -> Result<(), Failure> {
        let root = if called.contains('/') { self.cwd.join(called) } else { self.root_of(called)? };
        self.cwd = root.canonicalize().map_err(|e| Failure::io("enter", &root, e))?;
        Ok(())
    }

    fn root_of(&self, called: &str) -> Result<PathBuf, Failure> {
        let reply = self.ask(&Request::ProjectShow { project: Some(called.to_owned()), cwd: self.cwd() })?;
        match reply.answer {
            Answer::ProjectReport(detail) => Ok(detail.project.root),
            other => Err(self.mismatch("project_show", &other)),
        }
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
