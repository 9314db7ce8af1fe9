//! The end of an agent, asked for or not: processes ended, output drained, the record written, clients told.

use std::time::{Duration, Instant};

use pu_protocol::frame::{ExitRecord, ExitStatus};
use pu_record::{exit, fault, timestamp};

use crate::client::Standing;
use crate::kill::{Step, Verdict};
use crate::life::Life;
use crate::serve::Shim;

impl Shim {
    /// Somebody wants the agent ended. One that has ended already is left in peace, and so is what it left running.
    pub(crate) fn begin_kill(&mut self, grace_ms: Option<u64>) {
        if self.child_exit.is_some() && !self.kill.is_active() {
            return;
        }
        let grace = Duration::from_millis(grace_ms.unwrap_or(self.launch.kill_grace_ms));
        if self.kill.request(Instant::now(), grace) {
            fault::reach("shim.kill");
            self.processes.terminate();
        }
    }

    pub(crate) fn advance_kill(&mut self, now: Instant) {
        if self.kill.step(now) == Step::Nothing {
            return;
        }
        let left = self.processes.alive().len();
        match self.kill.looked(now, left) {
            Verdict::Wait => {}
            Verdict::Kill => self.processes.kill(),
            Verdict::Over => {
                // What they wrote between the last read and their end is in the terminal. If there is anything, the
                // agent's end waits until that was quiet again, which happens once: the plan is over.
                self.life.last_words(now);
                self.on_output();
            }
        }
    }

    pub(crate) fn advance_life(&mut self, now: Instant) {
        if self.life.is_running() && self.child_exit.is_some() {
            self.life = Life::draining(now);
            // Not waited for: whatever the agent wrote is in the terminal already.
            self.on_output();
        }
        if self.life.is_drained(now, self.pty_rests_until.is_some()) && !self.kill.is_active() {
            fault::reach("shim.drained");
            let exit = self.exit_record();
            self.sync_output();
            self.life = Life::recording(exit, now);
        }
        self.advance_recording(now);
    }

    fn exit_record(&mut self) -> ExitRecord {
        let alive = self.processes.alive();
        let reason = "the process was gone when the shim asked".to_owned();
        ExitRecord {
            version: exit::VERSION,
            how: self.child_exit.clone().unwrap_or(ExitStatus::Unknown { reason }),
            ended_at: timestamp::now(),
            output_end: self.spool.end(),
            kill_requested: self.kill.requested(),
            left_running: alive.iter().map(|p| p.pid).collect(),
            ..ExitRecord::default()
        }
    }

    /// The record names the end of the output, so the output must not come to the disk later than it. If it cannot, the
    /// record is worth no less.
    fn sync_output(&mut self) {
        if let Err(error) = self.spool.sync() {
            self.log.say(&format!("the output is not safe from a power failure yet: {error}"));
        }
    }

    /// Writes the record, again and again if the disk refuses: nobody is told before it is there.
    fn advance_recording(&mut self, now: Instant) {
        let Life::Recording { exit, next_try, .. } = &self.life else { return };
        if now < *next_try {
            return;
        }
        let exit = (**exit).clone();
        match exit::write(&self.layout.exit(), &exit) {
            Ok(()) => {
                fault::reach("shim.recorded");
                self.life = Life::farewell(exit, None, now);
            }
            Err(error) => {
                if self.life.try_again(now) {
                    self.log.say(&format!("the exit record is not written, and tried again until it is: {error}"));
                }
            }
        }
    }

    /// Somebody wants the shim itself gone. A record that the disk refuses is tried once more; then the clients are
    /// told how the agent ended, and why that stands nowhere.
    pub(crate) fn abandon_recording(&mut self, now: Instant) {
        let Life::Recording { exit, .. } = &self.life else { return };
        let exit = (**exit).clone();
        let error = exit::write(&self.layout.exit(), &exit).err().map(|e| e.to_string());
        if let Some(error) = &error {
            self.log.say(&format!("the exit record is given up: {error}"));
        }
        self.life = Life::farewell(exit, error, now);
    }

    /// Whether nothing is left to do. Who has not said what it wants is not waited for.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        let Life::Farewell { until, .. } = &self.life else { return false };
        let mut sessions = self.clients.iter().filter(|c| c.standing != Standing::Closed && c.session.is_some());
        now >= *until || sessions.all(|c| c.outbox.is_empty() && c.session.as_ref().is_some_and(|s| s.told_exit))
    }
}
