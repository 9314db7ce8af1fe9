//! `alacritty_terminal` as the shim uses it: no scrollback, no clock, and its wishes collected.

use std::time::Duration;

use alacritty_terminal::Term;
use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::term::{Config, Osc52};
use alacritty_terminal::vte::ansi::{Processor, Timeout};
use pu_protocol::frame::TerminalSize;

use super::answers::Answers;

pub(super) struct Emulator {
    pub(super) term: Term<Listener>,
    parser: Processor<NoPause>,
    listener: Listener,
    /// How many bytes the parser has got since it began, for tests: it does not tell what it holds.
    #[cfg(test)]
    pub(super) parsed: usize,
}

impl Emulator {
    pub(super) fn new(size: TerminalSize) -> Self {
        let config = Config { scrolling_history: 0, kitty_keyboard: true, osc52: Osc52::Disabled, ..Config::default() };
        let listener = Listener::default();
        Self {
            term: Term::new(config, &Extent(size), listener.clone()),
            parser: Processor::new(),
            listener,
            #[cfg(test)]
            parsed: 0,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        #[cfg(test)]
        if bytes.starts_with(super::tests::POISON) {
            panic!("a parser that fails on these bytes");
        }
        #[cfg(test)]
        {
            self.parsed += bytes.len();
        }
        self.parser.advance(&mut self.term, bytes);
    }

    /// Forgets the sequence that has begun, and gives back the memory in which the parser collected it.
    pub(super) fn drop_sequence(&mut self) {
        self.parser = Processor::new();
        #[cfg(test)]
        {
            self.parsed = 0;
        }
    }

    pub(super) fn resize(&mut self, size: TerminalSize) {
        self.term.resize(Extent(size));
    }

    pub(super) fn title(&self) -> Option<String> {
        self.listener.0.borrow().title.clone()
    }

    pub(super) fn take_answers(&mut self) -> Vec<u8> {
        let colors = self.term.colors();
        self.listener.0.borrow_mut().take(colors)
    }
}

/// A size in the words of the emulator.
struct Extent(TerminalSize);

impl Dimensions for Extent {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.0.cols)
    }
}

/// The emulator's events, of which the shim keeps the title and what is to be answered.
#[derive(Clone, Default)]
pub(super) struct Listener(std::rc::Rc<std::cell::RefCell<Answers>>);

impl EventListener for Listener {
    fn send_event(&self, event: Event) {
        self.0.borrow_mut().take_in(event);
    }
}

/// Synchronized updates are applied as they come: nobody looks at this screen between two frames, and whoever attaches
/// gets the output itself.
#[derive(Default)]
struct NoPause;

impl Timeout for NoPause {
    fn set_timeout(&mut self, _: Duration) {}

    fn clear_timeout(&mut self) {}

    fn pending_timeout(&self) -> bool {
        false
    }
}
