//! The screen as the agent's output has left it: fed with the output as it comes, painted for those who attach.
//!
//! Visible screens only, primary and alternate: scrollback is rebuilt from the spool by whoever wants it. The emulator
//! is somebody else's code fed with anybody's bytes, so it runs under `catch_unwind`: if it panics, the screen is lost
//! and rebuilt, the agent and its output are not touched.

mod answers;
mod characters;
mod emulator;
mod paint;
mod palette;
mod redraw;
mod style;
mod unfinished;

use std::panic::{AssertUnwindSafe, catch_unwind};

use pu_protocol::frame::TerminalSize;

use characters::WholeCharacters;
use emulator::Emulator;
use unfinished::{Unfinished, after_osc};

/// The emulator panicked; the screen is blank and wants [`Screen::rebuild`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terminal emulator failed on the agent's output")]
pub(crate) struct EmulatorFailed;

pub(crate) struct Screen {
    emulator: Emulator,
    characters: WholeCharacters,
    unfinished: Unfinished,
    size: TerminalSize,
}

impl Screen {
    pub(crate) fn new(size: TerminalSize) -> Self {
        let emulator = Emulator::new(size);
        Self { emulator, characters: WholeCharacters::default(), unfinished: Unfinished::default(), size }
    }

    /// Takes in output.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), EmulatorFailed> {
        // An OSC that was too long already is kept from the emulator to its end.
        let wanted = if self.unfinished.is_overlong() { after_osc(bytes) } else { bytes };
        self.unfinished.feed(bytes);
        let mut characters = std::mem::take(&mut self.characters);
        let result = self.guarded(|emulator| characters.feed(wanted, |whole| emulator.feed(whole)));
        if result.is_ok() {
            self.characters = characters;
        }
        if self.unfinished.is_overlong() && !wanted.is_empty() {
            // What was collected of it is dropped at once, with the memory; its end will find nothing to end.
            self.emulator.drop_sequence();
            self.characters = WholeCharacters::default();
        }
        result
    }

    /// Starts anew from the newest output before the bytes that could not be taken in.
    pub(crate) fn rebuild(&mut self, tail: &[u8]) -> Result<(), EmulatorFailed> {
        *self = Self::new(self.size);
        let result = self.feed(tail);
        // What these bytes ask was answered when they first came.
        self.emulator.take_answers();
        result
    }

    pub(crate) fn resize(&mut self, size: TerminalSize) -> Result<(), EmulatorFailed> {
        self.size = size;
        self.guarded(|emulator| emulator.resize(size))
    }

    /// What a terminal would have answered to the queries in the output since the last call; empty for none.
    pub(crate) fn take_answers(&mut self) -> Vec<u8> {
        self.emulator.take_answers()
    }

    /// Bytes that paint this screen on a terminal of the same size and leave it in the same state, up to the middle of
    /// a sequence that the agent has not finished.
    pub(crate) fn redraw(&mut self) -> Result<Vec<u8>, EmulatorFailed> {
        let mut out = self.guarded(redraw::redraw)?;
        out.extend_from_slice(self.unfinished.bytes());
        Ok(out)
    }

    /// The rows as text, without trailing blanks, and without the empty rows at the end.
    pub(crate) fn text(&mut self) -> Result<String, EmulatorFailed> {
        self.guarded(|emulator| paint::text(emulator.term.grid()))
    }

    pub(crate) fn title(&self) -> Option<String> {
        self.emulator.title()
    }

    fn guarded<T>(&mut self, act: impl FnOnce(&mut Emulator) -> T) -> Result<T, EmulatorFailed> {
        let emulator = &mut self.emulator;
        // An emulator that was left in the middle of something is thrown away and never looked at again.
        catch_unwind(AssertUnwindSafe(|| act(emulator))).map_err(|_| {
            self.emulator = Emulator::new(self.size);
            EmulatorFailed
        })
    }
}

#[cfg(test)]
mod tests;
