//! Output on its way out: from the terminal to the spool first, then to the screen, then to those who are connected.

use std::io;
use std::time::Instant;

use pu_protocol::frame::{Mode, ShimFrame, encode_output, encode_redraw};

use crate::client::{Client, Standing};
use crate::cues;
use crate::delivery::Next;
use crate::life::Life;
use crate::screen::EmulatorFailed;
use crate::serve::{BATCH, Shim};

/// How many pieces one client gets in one turn, so that a fast one cannot keep the shim from the agent.
const PIECES: usize = 4;
/// How much of the spool a lost screen is rebuilt from.
const REBUILD_FROM: u64 = 256 * 1024;
/// An agent that has so much input before it and goes on asking does not read the answers; it gets no more of them.
const ANSWERS_MAX: usize = 64 * 1024;

impl Shim {
    /// Keeps a piece of output and passes it on.
    pub(crate) fn take_output(&mut self, bytes: &[u8]) {
        let offset = self.spool.end();
        if let Err(error) = self.spool.append(bytes) {
            self.log.say(&format!("output is being lost from offset {offset} on: {error}"));
            self.spool_error = Some(error.to_string());
        } else if !self.spool.is_failing() && self.spool_error.take().is_some() {
            let lost = self.spool.lost();
            self.log.say(&format!("output is kept again from offset {offset} on, {lost} bytes were lost"));
        }
        if let Err(error) = self.screen.feed(bytes) {
            self.rebuild_screen(&error, offset);
        }
        let now = Instant::now();
        if self.cues.hear(bytes, now) {
            self.answer_as_terminal(cues::UNDERSTOOD);
        }
        self.answer_queries();
        self.life.heard(now);
        for client in &mut self.clients {
            let queued = client.outbox.len();
            let Some(session) = &mut client.session else { continue };
            if session.delivery.takes_live(queued, offset) {
                session.delivery.cursor = offset + bytes.len() as u64;
                if encode_output(offset, bytes, client.outbox.tail()).is_err() {
                    client.standing = Standing::Ending;
                }
            }
        }
    }

    fn answer_queries(&mut self) {
        let answers = self.screen.take_answers();
        if !answers.is_empty() {
            self.answer_as_terminal(&answers);
        }
    }

    /// A terminal that is attached answers by itself; two answers would reach the agent as typed text.
    fn answer_as_terminal(&mut self, answers: &[u8]) {
        if self.lease.terminals() == 0 && self.input.len() <= ANSWERS_MAX {
            self.input.tail().extend_from_slice(answers);
            self.write_input();
        }
    }

    /// Tells those who ask after the agent, and not its output, what is new of what it is doing.
    pub(crate) fn tell_cues(&mut self, now: Instant) {
        self.cues.advance(now);
        let due = self.cues.due(now);
        if due.is_empty() {
            return;
        }
        let asks = |c: &Client| c.session.as_ref().is_some_and(|s| s.delivery.mode == Mode::Control);
        // One that does not read hears the last words when it connects again.
        for client in self.clients.iter_mut().filter(|c| asks(c) && c.takes_requests()) {
            due.iter().for_each(|cue| client.send(&ShimFrame::Cue(cue.clone())));
        }
    }

    /// Builds the screen anew from the output before `offset`.
    pub(crate) fn rebuild_screen(&mut self, error: &EmulatorFailed, offset: u64) {
        self.log.say(&format!("{error}; the screen is rebuilt from the output before offset {offset}"));
        let behind = self.spool.end() - offset;
        let rebuilt = match self.reader.tail(REBUILD_FROM + behind) {
            Ok(mut tail) => {
                let wanted = usize::try_from(offset.saturating_sub(tail.offset)).unwrap_or(usize::MAX);
                tail.bytes.truncate(wanted);
                self.screen.rebuild(&tail.bytes).map_err(|e| e.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = rebuilt {
            self.log.say(&format!("the screen stays blank until the agent paints it: {error}"));
        }
    }

    /// Whether a lossless follower holds the agent back. An agent that has ended is not held.
    pub(crate) fn is_held(&mut self, now: Instant) -> bool {
        if !self.life.is_running() {
            return false;
        }
        let (start_soon, end) = (self.spool.start_after(BATCH as u64), self.spool.end());
        let mut held = false;
        // Every one is asked, since asking is also how a client's time runs out.
        for session in self.clients.iter_mut().filter_map(|c| c.session.as_mut()) {
            held |= session.delivery.holds(now, start_soon, end);
        }
        held
    }

    /// Whether there is something to send to a client as soon as it takes it.
    pub(crate) fn owes(&self, client: &Client) -> bool {
        let next = |s: &crate::client::Session| s.delivery.next(0, self.spool.start(), self.spool.end());
        !client.outbox.is_empty() || client.session.as_ref().is_some_and(|s| next(s) != Next::Nothing)
    }

    /// Brings every client as far up to date as it takes.
    pub(crate) fn deliver(&mut self) {
        let now = Instant::now();
        let mut clients = std::mem::take(&mut self.clients);
        for client in &mut clients {
            if let Some(session) = &mut client.session {
                session.delivery.wake(now);
            }
            client.flush();
            for _ in 0..PIECES {
                if client.standing != Standing::Open || !self.queue_next(client) {
                    break;
                }
                client.flush();
            }
            self.tell_exit(client);
        }
        self.clients = clients;
    }

    /// Queues the next piece for a client. False if there is none.
    fn queue_next(&mut self, client: &mut Client) -> bool {
        let queued = client.outbox.len();
        let Some(session) = &client.session else { return false };
        match session.delivery.next(queued, self.spool.start(), self.spool.end()) {
            Next::Nothing => return false,
            Next::Spool => self.queue_from_spool(client),
            Next::Redraw => self.queue_redraw(client),
            Next::Gap { to } => queue_gap(client, to),
        }
        true
    }

    fn queue_from_spool(&mut self, client: &mut Client) {
        let Some((mode, cursor)) = client.session.as_ref().map(|s| (s.delivery.mode, s.delivery.cursor)) else {
            return;
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let found = self.reader.read_into(cursor, BATCH, &mut scratch);
        if let (Ok(_), Some(session)) = (&found, &mut client.session) {
            session.delivery.read_worked();
        }
        match found {
            // A hole in what a terminal sees is mended by a redraw.
            Ok(found) if mode == Mode::Attach && (found.gap.is_some() || scratch.is_empty()) => {
                self.queue_redraw(client);
            }
            Ok(found) if !scratch.is_empty() => {
                if let Some((_, to)) = found.gap {
                    queue_gap(client, to);
                }
                queue_output(client, found.offset, &scratch);
            }
            // The newest bytes never reached the disk.
            Ok(_) => queue_gap(client, self.spool.end()),
            Err(error) => self.on_spool_unreadable(client, &error),
        }
        scratch.clear();
        self.scratch = scratch;
    }

    /// The bytes are most likely there, and only cannot be read at the moment. A client waits for them a little before
    /// it is told that they are gone.
    fn on_spool_unreadable(&mut self, client: &mut Client, error: &io::Error) {
        let Some(session) = &mut client.session else { return };
        let (mode, cursor) = (session.delivery.mode, session.delivery.cursor);
        if !session.delivery.read_failed(Instant::now()) {
            return;
        }
        self.log.say(&format!("cannot read the spool at offset {cursor}: {error}"));
        match mode {
            Mode::Attach => self.queue_redraw(client),
            Mode::Follow | Mode::Control => queue_gap(client, self.spool.end()),
        }
    }

    /// Queues the screen as it is now, and puts the client's cursor at the end.
    pub(crate) fn queue_redraw(&mut self, client: &mut Client) {
        let offset = self.spool.end();
        let painted = self.screen.redraw().or_else(|error| {
            self.rebuild_screen(&error, offset);
            self.screen.redraw()
        });
        // A screen that cannot be painted even so is shown empty: what follows will fill it.
        let painted = painted.unwrap_or_default();
        if let Some(session) = &mut client.session {
            session.delivery.cursor = offset;
        }
        if encode_redraw(offset, &painted, client.outbox.tail()).is_err() {
            client.standing = Standing::Ending;
        }
    }

    /// Tells everybody who looks at the screen what size it has now.
    pub(crate) fn announce_size(&mut self) {
        let size = self.pty.size();
        let looks = |c: &&mut Client| c.session.as_ref().is_some_and(|s| s.delivery.mode != Mode::Control);
        self.clients.iter_mut().filter(looks).for_each(|c| c.send(&ShimFrame::Size(size)));
    }

    /// Once the agent has ended, and the client has every byte: the last frame.
    fn tell_exit(&self, client: &mut Client) {
        let Life::Farewell { exited, .. } = &self.life else { return };
        let end = self.spool.end();
        let Some(session) = &mut client.session else { return };
        let complete = session.delivery.mode == Mode::Control || session.delivery.cursor >= end;
        if complete && !session.told_exit {
            session.told_exit = true;
            client.send(&ShimFrame::Exited((**exited).clone()));
            client.flush();
        }
    }
}

fn queue_gap(client: &mut Client, to: u64) {
    if let Some(session) = &mut client.session {
        let from = session.delivery.cursor;
        session.delivery.cursor = to;
        client.send(&ShimFrame::Gap { from, to });
    }
}

fn queue_output(client: &mut Client, offset: u64, bytes: &[u8]) {
    if let Some(session) = &mut client.session {
        session.delivery.cursor = offset + bytes.len() as u64;
        if encode_output(offset, bytes, client.outbox.tail()).is_err() {
            client.standing = Standing::Ending;
        }
    }
}
