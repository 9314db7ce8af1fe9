//! What a terminal answers to an agent's queries, while no terminal is attached that would.

use std::sync::Arc;

use alacritty_terminal::event::Event;
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::vte::ansi::Rgb;

use super::palette;

/// An agent that asks and never listens must not fill the shim's memory.
const PENDING_MAX: usize = 256;

/// A query that came; answered when the caller has the colours at hand.
enum Query {
    Text(String),
    Color(usize, Arc<dyn Fn(Rgb) -> String + Sync + Send>),
}

#[derive(Default)]
pub(super) struct Answers {
    pending: Vec<Query>,
    pub(super) title: Option<String>,
}

impl Answers {
    pub(super) fn take_in(&mut self, event: Event) {
        let query = match event {
            Event::Title(title) => return self.title = Some(title),
            Event::ResetTitle => return self.title = None,
            Event::PtyWrite(text) => Query::Text(text),
            Event::ColorRequest(index, format) => Query::Color(index, format),
            // Pixel sizes, clipboards and bells belong to a real terminal.
            _ => return,
        };
        if self.pending.len() < PENDING_MAX {
            self.pending.push(query);
        }
    }

    /// The answers, in the order of the queries.
    pub(super) fn take(&mut self, colors: &Colors) -> Vec<u8> {
        let mut out = Vec::new();
        for query in self.pending.drain(..) {
            match query {
                Query::Text(text) => out.extend_from_slice(text.as_bytes()),
                Query::Color(index, format) => {
                    let color = palette::color(colors, index);
                    out.extend_from_slice(format(color).as_bytes());
                }
            }
        }
        out
    }
}
