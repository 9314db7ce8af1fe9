//! Standard output and error: the one place that prints.
//!
//! Colour and width are decided here; what is said is decided elsewhere.

use crate::failure::Failure;
use pu_protocol::frame::TerminalSize;
use std::io::{self, IsTerminal, Write};

/// Whether text may carry colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    colour: bool,
}

impl Style {
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colour: false };

    pub(crate) fn of_stdout() -> Self {
        Self { colour: io::stdout().is_terminal() && colour_wanted() }
    }
    pub(crate) fn of_stderr() -> Self {
        Self { colour: io::stderr().is_terminal() && colour_wanted() }
    }
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }
    pub(crate) fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }
    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// <https://no-color.org>: any value but the empty one turns colour off; a terminal that knows no colour has none.
fn colour_wanted() -> bool {
    let off = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    !off && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// Writes text and a line break to standard output.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    write_out(format!("{text}\n").as_bytes())
}

/// Writes bytes to standard output as they are.
pub(crate) fn write_out(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Writes a line to standard error. If even that cannot be written there is nobody left to tell.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether standard error is a terminal on which a line can be written over.
pub(crate) fn is_live() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// Shows how something goes on: in one line that the next one is written over where that can be, else in a line each.
pub(crate) fn show_progress(text: &str, live: bool) {
    let mut err = io::stderr().lock();
    // It is worth less than what goes on.
    let _ = if live { write!(err, "\r{text}\x1b[K").and_then(|()| err.flush()) } else { writeln!(err, "{text}") };
}

/// Takes away the line that was written over.
pub(crate) fn end_progress() {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\r\x1b[K").and_then(|()| err.flush());
}

/// The size of the terminal that standard output is, if it is one.
pub(crate) fn terminal_size() -> Option<TerminalSize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some(TerminalSize { cols: size.ws_col, rows: size.ws_row })
}
