//! The shim's own complaints, a line each in the agent's `shim.log`; bounded, since a shim may live for weeks.

use std::path::PathBuf;

use pu_record::{atomic, timestamp};

/// How many lines one shim writes at most.
const LINES_MAX: u32 = 1000;

#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    lines: u32,
}

impl Log {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, lines: 0 }
    }

    /// Writes one line. A log that cannot be written is no reason to stop.
    pub(crate) fn say(&mut self, text: &str) {
        if self.lines >= LINES_MAX {
            return;
        }
        self.lines += 1;
        let last = if self.lines == LINES_MAX { " (the last line that this shim logs)" } else { "" };
        let _ = atomic::append_line_volatile(&self.path, &format!("{} {text}{last}", timestamp::now()));
    }
}
