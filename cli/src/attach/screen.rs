//! The user's terminal while it is lent to an agent: raw, on the alternate screen, and put back whatever happens.
//!
//! Draws nothing of the agent's.

use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use std::io::{self, Write};

/// The title is saved, and what the wheel does on the alternate screen, since terminals begin with different settings of
/// it; the user's screen is put behind an empty one.
const ENTER: &str = "\x1b[22;0t\x1b[?1007s\x1b[?1049h\x1b[0m\x1b[H\x1b[2J";

/// Everything that an agent may have left on, turned off while still on the alternate screen, then the way back:
/// synchronised output, mouse, wheel, focus and paste reports, both keyboard protocols, cursor, keypad and line feed
/// modes, margins, character sets, colours, an open link, the palette, cursor shape.
const LEAVE: &str = "\x1b[?2026l\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l\
    \x1b[?1007r\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[?2031l\x1b[=0;1u\x1b[>4m\x1b[?1l\x1b>\x1b[?6l\x1b[?5l\x1b[?7h\
    \x1b[4l\x1b[20l\x1b[r\x0f\x1b(B\x1b[0m\x1b]8;;\x1b\\\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\\
    \x1b[0 q\x1b[?25h\x1b[?1049l\x1b[23;0t";

/// Lends the terminal from `enter` until it is dropped; a panic and an early return drop it too.
pub(crate) struct Screen {
    saved: Termios,
}

impl Screen {
    pub(crate) fn enter(title: &str) -> io::Result<Self> {
        let saved = tcgetattr(io::stdin())?;
        let mut raw = saved.clone();
        cfmakeraw(&mut raw);
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)?;
        // From here on the guard exists, so that a terminal that cannot be written to is put back as well.
        let screen = Self { saved };
        let mut out = io::stdout().lock();
        write!(out, "{ENTER}\x1b]2;{title}\x07")?;
        out.flush()?;
        drop(out);
        Ok(screen)
    }

    /// Raw again after the process was stopped and continued, when the shell has put its own mode back.
    pub(crate) fn again() -> io::Result<()> {
        let mut raw = tcgetattr(io::stdin())?;
        cfmakeraw(&mut raw);
        Ok(tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)?)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush());
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.saved);
    }
}
