//! The loop that a shim spends its life in. It waits, and calls one method for each thing that can happen; what is done
//! then stands in `connect`, `requests`, `deliver` and `end`.

use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use interprocess::os::unix::uds_local_socket::Listener;
use pu_protocol::frame::{ExitStatus, TerminalSize};
use pu_protocol::layout::AgentLayout;
use pu_record::launch::LaunchRecord;
use pu_record::shim::ShimRecord;
use pu_record::spool::{SpoolReader, SpoolWriter};

use crate::client::{Client, Standing};
use crate::cues::Cues;
use crate::kill::KillPlan;
use crate::lease::{ClientId, SizeLease};
use crate::life::Life;
use crate::log::Log;
use crate::platform::{self, Watch};
use crate::processes::{self, Processes};
use crate::pty::{Heard, Pty};
use crate::queue::ByteQueue;
use crate::screen::Screen;
use crate::signals::Signals;

/// How much output is taken in at once.
pub(crate) const BATCH: usize = 64 * 1024;
/// How long something that only fails is left alone: a listener without descriptors, a terminal that nobody has open.
pub(crate) const REST: Duration = Duration::from_millis(250);

/// What a start has made.
pub(crate) struct Parts {
    pub(crate) layout: AgentLayout,
    pub(crate) launch: LaunchRecord,
    pub(crate) record: ShimRecord,
    pub(crate) pty: Pty,
    pub(crate) spool: SpoolWriter,
    pub(crate) listener: Listener,
    pub(crate) signals: Signals,
}

/// A running shim. One thread owns all of it; nothing in it is shared, so nothing is locked.
pub(crate) struct Shim {
    pub(crate) layout: AgentLayout,
    pub(crate) launch: LaunchRecord,
    pub(crate) record: ShimRecord,
    pub(crate) pty: Pty,
    /// No process has the terminal open; looked at again then, since one may open it anew.
    pub(crate) pty_rests_until: Option<Instant>,
    /// Bytes on their way to the agent.
    pub(crate) input: ByteQueue,
    pub(crate) spool: SpoolWriter,
    /// Why output is being lost, while it is.
    pub(crate) spool_error: Option<String>,
    pub(crate) reader: SpoolReader,
    pub(crate) screen: Screen,
    /// What tells what the agent is doing.
    pub(crate) cues: Cues,
    pub(crate) listener: Listener,
    pub(crate) listener_rests_until: Option<Instant>,
    pub(crate) clients: Vec<Client>,
    pub(crate) next_client: ClientId,
    pub(crate) lease: SizeLease,
    pub(crate) processes: Processes,
    pub(crate) kill: KillPlan,
    pub(crate) child_exit: Option<ExitStatus>,
    pub(crate) life: Life,
    pub(crate) log: Log,
    signals: Signals,
    /// Output on its way from the terminal to the spool; kept, so that reading allocates nothing.
    batch: Vec<u8>,
    /// Output on its way from the spool to a client that is behind.
    pub(crate) scratch: Vec<u8>,
}

/// What can be done without waiting.
#[derive(Debug, Default)]
struct Ready {
    signals: bool,
    listener: bool,
    terminal_reads: bool,
    terminal_writes: bool,
    /// In the order of the clients: what they sent can be read.
    clients: Vec<bool>,
}

impl Shim {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { layout, launch, record, pty, spool, listener, signals } = parts;
        Self {
            reader: SpoolReader::new(layout.output()),
            screen: Screen::new(pty.size()),
            cues: Cues::new(&launch),
            processes: Processes::new(record.shim, record.child),
            log: Log::new(layout.shim_log()),
            layout,
            launch,
            record,
            pty,
            pty_rests_until: None,
            input: ByteQueue::default(),
            spool,
            spool_error: None,
            listener,
            listener_rests_until: None,
            clients: Vec::new(),
            next_client: 1,
            lease: SizeLease::default(),
            kill: KillPlan::default(),
            child_exit: None,
            life: Life::Running,
            signals,
            batch: vec![0; BATCH],
            scratch: Vec::new(),
        }
    }

    pub(crate) fn record(&self) -> &ShimRecord {
        &self.record
    }

    /// Serves until the agent has ended, its record is written and its clients know.
    pub(crate) fn serve(mut self, not_told: Option<io::Error>) -> ExitCode {
        if let Some(error) = not_told {
            // The daemon died in between. The next one finds the record and adopts the agent.
            self.log.say(&format!("nobody heard that the agent started: {error}"));
        }
        // An agent that ended before the handlers were there sends no signal any more.
        self.on_child_ended();
        loop {
            let now = Instant::now();
            self.advance_kill(now);
            self.advance_life(now);
            self.tell_cues(now);
            self.deliver();
            self.resume_clients();
            self.drop_closed();
            if self.is_over(now) {
                return ExitCode::SUCCESS;
            }
            match self.wait(now) {
                Ok(ready) => self.act_on(&ready),
                Err(error) => self.on_wait_failed(&error),
            }
        }
    }

    fn act_on(&mut self, ready: &Ready) {
        if ready.signals {
            self.on_signals();
        }
        if ready.terminal_writes {
            self.write_input();
        }
        if ready.terminal_reads {
            self.on_output();
        }
        for index in (0..ready.clients.len()).filter(|i| ready.clients[*i]) {
            self.on_client(index);
        }
        if ready.listener {
            self.on_connect();
        }
    }

    fn wait(&mut self, now: Instant) -> io::Result<Ready> {
        let held = self.is_held(now);
        let timeout = self.next_deadline(now).map(|at| at.saturating_duration_since(now));
        let terminal_rests = held || is_future(self.pty_rests_until, now);
        let listener_rests = is_future(self.listener_rests_until, now);
        let has_input = !self.input.is_empty() && !is_future(self.pty_rests_until, now);
        let mut watches = Vec::with_capacity(4 + self.clients.len());
        watches.push(Watch::new(self.signals.child_fd(), true, false));
        watches.push(Watch::new(self.signals.end_fd(), true, false));
        watches.push(Watch::new(self.listener.as_fd(), !listener_rests, false));
        watches.push(Watch::new(self.pty.fd(), !terminal_rests, has_input));
        if terminal_rests && !has_input {
            // Even unwatched, a terminal that nobody has open reports a hang-up at once: watch something idle instead.
            watches[3].fd = self.signals.end_fd();
        }
        for client in &self.clients {
            watches.push(Watch::new(client.fd(), client.takes_requests(), self.owes(client)));
        }
        platform::wait(&mut watches, timeout)?;
        Ok(Ready {
            signals: watches[0].readable || watches[1].readable,
            listener: watches[2].readable,
            terminal_reads: watches[3].readable && !terminal_rests,
            terminal_writes: watches[3].writable,
            clients: watches[4..].iter().map(|w| w.readable).collect(),
        })
    }

    fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let deliveries = self.clients.iter().filter_map(|c| c.session.as_ref()?.delivery.deadline());
        // While an agent is being ended, its end waits for that and for nothing else.
        let life = if self.kill.is_active() { None } else { self.life.deadline() };
        // A rest that is over has no deadline: what rested is watched again.
        let rests = [self.pty_rests_until, self.listener_rests_until].map(|at| at.filter(|at| *at > now));
        [self.kill.deadline(), life, self.cues.deadline()].into_iter().chain(rests).flatten().chain(deliveries).min()
    }

    /// A wait can only fail for want of memory. The agent goes on; the shim tries again, without running in circles.
    fn on_wait_failed(&mut self, error: &io::Error) {
        self.log.say(&format!("cannot wait for events: {error}"));
        let _ = platform::wait(&mut [], Some(REST));
    }

    fn on_signals(&mut self) {
        if self.signals.take_child_ended() {
            self.on_child_ended();
        }
        if self.signals.take_asked_to_end() {
            self.log.say("asked to end by a signal");
            self.begin_kill(None);
            self.abandon_recording(Instant::now());
        }
    }

    fn on_child_ended(&mut self) {
        let how = processes::reap(self.record.child.pid);
        // Once it was reaped, an orphan may have its number.
        self.child_exit = self.child_exit.take().or(how);
        self.kill.child_ended(Instant::now());
    }

    /// Takes in what the agent wrote: all that is there, up to one batch.
    pub(crate) fn on_output(&mut self) {
        self.pty_rests_until = None;
        let mut batch = std::mem::take(&mut self.batch);
        let mut filled = 0;
        while filled < batch.len() {
            match self.pty.read(&mut batch[filled..]) {
                Ok(Heard::Bytes(n)) => filled += n,
                Ok(Heard::Nothing) => break,
                Ok(Heard::Closed) => {
                    self.pty_rests_until = Some(Instant::now() + REST);
                    break;
                }
                Err(error) => {
                    self.log.say(&format!("cannot read the agent's terminal: {error}"));
                    self.pty_rests_until = Some(Instant::now() + REST);
                    break;
                }
            }
        }
        if filled > 0 {
            self.take_output(&batch[..filled]);
        }
        self.batch = batch;
    }

    /// Gives the agent what was typed, as far as its terminal takes it.
    pub(crate) fn write_input(&mut self) {
        let pty = &self.pty;
        if let Err(error) = self.input.drain_into(|bytes| pty.write(bytes)) {
            // Nobody has the terminal open: what was typed has no reader any more.
            self.log.say(&format!("input of {} bytes was dropped: {error}", self.input.len()));
            self.input.clear();
        }
    }

    /// Gives the agent's screen another size, and tells those who look at it.
    pub(crate) fn apply_size(&mut self, size: TerminalSize) {
        match self.pty.resize(size) {
            Ok(false) => {}
            Ok(true) => {
                if let Err(error) = self.screen.resize(self.pty.size()) {
                    self.rebuild_screen(&error, self.spool.end());
                }
                self.announce_size();
            }
            Err(error) => self.log.say(&format!("cannot resize the agent's terminal: {error}")),
        }
    }

    fn drop_closed(&mut self) {
        for client in self.clients.extract_if(.., |c| c.standing == Standing::Closed) {
            self.lease.gone(client.id);
        }
    }
}

fn is_future(at: Option<Instant>, now: Instant) -> bool {
    at.is_some_and(|at| at > now)
}
