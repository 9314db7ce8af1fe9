//! What clients ask for: one method a request.

use std::time::Instant;

use pu_protocol::frame::{
    CAPABILITIES, ClientFrame, Done, FrameError, Hello, Kill, Mode, OLDEST_VERSION, Refused, ScreenText, ShimFrame,
    ShimStatus, TerminalSize, VERSION, Welcome,
};

use crate::client::{Client, Session, Standing};
use crate::life::Life;
use crate::serve::Shim;

/// Input that the agent does not read is kept up to this; more is refused.
const INPUT_MAX: usize = 1024 * 1024;

/// Why a request is not carried out: code, message, hint.
type Refusal = (&'static str, String, &'static str);

impl Shim {
    /// Reads what a client sent and carries it out.
    pub(crate) fn on_client(&mut self, index: usize) {
        let Some(client) = self.clients.get_mut(index) else { return };
        client.read();
        self.carry_out(index);
    }

    /// Goes on with what clients asked for while they did not read. A backlog that is still there afterwards has answers
    /// before it which the socket does not take, so that the loop will hear when it does.
    pub(crate) fn resume_clients(&mut self) {
        for index in 0..self.clients.len() {
            while self.clients[index].has_backlog && self.clients[index].takes_requests() {
                self.carry_out(index);
                self.clients[index].flush();
            }
        }
    }

    /// Carries out what a client has sent, as long as the answers have room.
    fn carry_out(&mut self, index: usize) {
        let client = &mut self.clients[index];
        client.has_backlog = false;
        let mut decoder = std::mem::take(&mut client.decoder);
        // What was sent before the line was closed still counts: `kill` and hang up is a kill.
        loop {
            let frame = match decoder.next_frame() {
                Ok(None) => break,
                Ok(Some(raw)) => ClientFrame::decode(&raw),
                Err(error) => Err(error),
            };
            match frame {
                Ok(Some(frame)) => self.on_frame(index, frame),
                // A kind of a later release.
                Ok(None) => {}
                Err(error) => {
                    self.on_bad_frame(index, &error);
                    break;
                }
            }
            let client = &mut self.clients[index];
            if client.standing == Standing::Ending {
                break;
            }
            // One that has closed the line sends no more, so that what is left of it has an end.
            if client.standing == Standing::Open && !client.takes_requests() {
                client.has_backlog = true;
                break;
            }
        }
        self.clients[index].decoder = decoder;
    }

    fn on_bad_frame(&mut self, index: usize, error: &FrameError) {
        let refusal = ("bad_frame", error.to_string(), "this connection is closed; connect again");
        self.refuse(index, "frame", refusal);
        self.clients[index].standing = Standing::Ending;
    }

    fn on_frame(&mut self, index: usize, frame: ClientFrame<'_>) {
        let greeted = self.clients[index].session.is_some();
        match frame {
            ClientFrame::Hello(hello) if !greeted => self.on_hello(index, &hello),
            ClientFrame::Hello(_) => {
                self.refuse(index, "hello", ("already_greeted", "this connection has said hello".into(), ""));
            }
            _ if !greeted => {
                let message = "the first frame must be a hello".to_owned();
                self.refuse(index, "hello", ("hello_expected", message, "send a hello first"));
                self.clients[index].standing = Standing::Ending;
            }
            ClientFrame::Input(bytes) => self.on_input(index, bytes),
            ClientFrame::Resize(size) => self.on_resize(index, size),
            ClientFrame::TakeSize => self.on_take_size(index),
            ClientFrame::Kill(Kill { grace_ms }) => {
                let outcome = self.permit(index).map(|()| self.begin_kill(grace_ms));
                self.answer(index, "kill", outcome);
            }
            ClientFrame::Status => {
                let status = self.status();
                self.clients[index].send(&ShimFrame::Status(status));
            }
            ClientFrame::Screen => self.on_screen(index),
            ClientFrame::Detach => self.clients[index].standing = Standing::Ending,
            ClientFrame::Cue(cue) => {
                let outcome = self.permit(index).map(|()| self.cues.told(cue, Instant::now()));
                self.answer(index, "cue", outcome);
            }
        }
    }

    fn on_hello(&mut self, index: usize, hello: &Hello) {
        if let Some(refusal) = version_mismatch(hello) {
            self.refuse(index, "hello", refusal);
            self.clients[index].standing = Standing::Ending;
            return;
        }
        let end = self.spool.end();
        let cursor = match hello.mode {
            Mode::Follow => hello.since.unwrap_or(end).min(end),
            Mode::Attach | Mode::Control => end,
        };
        let welcome = self.welcome(hello.version.min(VERSION));
        let client = &mut self.clients[index];
        client.send(&ShimFrame::Welcome(welcome));
        let session = Session::new(hello, cursor);
        let (id, is_terminal) = (client.id, session.is_terminal());
        client.session = Some(session);
        if hello.mode == Mode::Control {
            self.cues.all().iter().for_each(|cue| client.send(&ShimFrame::Cue(cue.clone())));
        }
        if hello.mode == Mode::Attach {
            // Before any resize: what is on the screen now is what the client must see.
            self.with_client(index, Self::queue_redraw);
        }
        if is_terminal && let Some(size) = self.lease.attached(id, hello.size) {
            self.apply_size(size);
        }
    }

    fn welcome(&self, version: u32) -> Welcome {
        Welcome {
            version,
            capabilities: CAPABILITIES.iter().map(|c| (*c).to_owned()).collect(),
            agent_id: self.launch.agent_id.clone(),
            shim_pid: self.record.shim.pid,
            child_pid: self.record.child.pid,
            binary: self.record.binary.clone(),
            output_start: self.spool.start(),
            output_end: self.spool.end(),
            size: self.pty.size(),
        }
    }

    fn on_input(&mut self, index: usize, bytes: &[u8]) {
        let outcome = self.permit(index).and_then(|()| self.accept_input(bytes));
        let (id, is_terminal) = {
            let client = &self.clients[index];
            (client.id, client.session.as_ref().is_some_and(Session::is_terminal))
        };
        if outcome.is_ok()
            && let Some(size) = self.lease.typed(id)
        {
            self.apply_size(size);
        }
        // A terminal sends every key by itself and wants no receipts.
        if !is_terminal || outcome.is_err() {
            self.answer(index, "input", outcome);
        }
    }

    fn accept_input(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if !self.life.is_running() {
            return Err(("agent_ended", "the agent has ended".into(), "its output and exit are kept"));
        }
        if self.input.len() + bytes.len() > INPUT_MAX {
            let message = format!("{} bytes of input wait for the agent to read them", self.input.len());
            return Err(("input_full", message, "the agent does not read; try again later"));
        }
        self.input.tail().extend_from_slice(bytes);
        self.write_input();
        Ok(())
    }

    fn on_resize(&mut self, index: usize, size: TerminalSize) {
        let id = self.clients[index].id;
        let held = "another client holds the size of the screen".to_owned();
        let outcome = self.permit(index).and_then(|()| {
            let resized = self.lease.resized(id, size);
            resized.map_err(|_| ("size_held", held, "take the size first, or type"))
        });
        let outcome = outcome.map(|size| size.into_iter().for_each(|s| self.apply_size(s)));
        self.answer(index, "resize", outcome);
    }

    fn on_take_size(&mut self, index: usize) {
        let id = self.clients[index].id;
        let outcome = self.permit(index).map(|()| self.lease.take(id));
        let outcome = outcome.map(|size| size.into_iter().for_each(|s| self.apply_size(s)));
        self.answer(index, "take_size", outcome);
    }

    fn on_screen(&mut self, index: usize) {
        let offset = self.spool.end();
        let text = self.screen.text().or_else(|error| {
            self.rebuild_screen(&error, offset);
            self.screen.text()
        });
        match text {
            Ok(text) => {
                let (size, title) = (self.pty.size(), self.screen.title());
                self.clients[index].send(&ShimFrame::ScreenText(ScreenText { offset, text, size, title }));
            }
            Err(error) => self.refuse(index, "screen", ("screen_lost", error.to_string(), "read the output instead")),
        }
    }

    fn status(&self) -> ShimStatus {
        let exit = match &self.life {
            Life::Farewell { exited, .. } => Some(exited.exit.clone()),
            _ => None,
        };
        ShimStatus {
            output_start: self.spool.start(),
            output_end: self.spool.end(),
            size: self.pty.size(),
            // There are at most 64, so the casts lose nothing.
            clients: self.clients.len() as u32,
            attached: self.lease.terminals() as u32,
            kill_requested: self.kill.requested(),
            spool_error: self.spool_error.clone(),
            exit,
        }
    }

    /// Whether a client may change anything.
    fn permit(&self, index: usize) -> Result<(), Refusal> {
        let read_only = self.clients[index].session.as_ref().is_some_and(|s| s.read_only);
        let message = "this connection is read-only".to_owned();
        if read_only { Err(("read_only", message, "connect without read_only")) } else { Ok(()) }
    }

    fn answer(&mut self, index: usize, request: &'static str, outcome: Result<(), Refusal>) {
        match outcome {
            Ok(()) => self.clients[index].send(&ShimFrame::Done(Done { request: request.to_owned() })),
            Err(refusal) => self.refuse(index, request, refusal),
        }
    }

    fn refuse(&mut self, index: usize, request: &str, (code, message, hint): Refusal) {
        let refused = Refused { request: request.to_owned(), code: code.to_owned(), message, hint: hint.to_owned() };
        self.clients[index].send(&ShimFrame::Refused(refused));
    }

    /// Lends out a client together with the rest of the shim.
    fn with_client(&mut self, index: usize, act: impl FnOnce(&mut Self, &mut Client)) {
        let mut client = self.clients.swap_remove(index);
        act(self, &mut client);
        self.clients.push(client);
        let last = self.clients.len() - 1;
        self.clients.swap(index, last);
    }
}

fn version_mismatch(hello: &Hello) -> Option<Refusal> {
    let message = |older: &str| {
        format!(
            "the shim speaks versions {OLDEST_VERSION} to {VERSION}, the client {} to {}: the {older} is older",
            hello.oldest_version, hello.version
        )
    };
    if hello.oldest_version > VERSION {
        let hint = "its release is older: `pu kill` the agent and `pu resume` it, and it goes on under this one";
        return Some(("version_mismatch", message("shim"), hint));
    }
    (hello.version < OLDEST_VERSION).then(|| ("version_mismatch", message("client"), "install the current release"))
}
