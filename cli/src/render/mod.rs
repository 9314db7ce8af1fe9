//! Answers as people read them: pure text from an answer, a width and a style.
//!
//! Prints nothing and asks nothing. All foreign text passes `text::printable` on its way in.

pub(crate) mod activity;
pub(crate) mod agents;
pub(crate) mod clean;
pub(crate) mod config;
pub(crate) mod context;
pub(crate) mod context_diff;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod history;
pub(crate) mod learned;
pub(crate) mod plugin;
pub(crate) mod project;
pub(crate) mod resume;
pub(crate) mod scan;
pub(crate) mod spawn;
pub(crate) mod spec;
pub(crate) mod trust;

use crate::screen::{self, Style};
use crate::text::printable;
use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use pu_protocol::AgentState;

/// How wide a table may be where no terminal says so.
const WIDTH: u16 = 120;

/// What a rendering depends on besides the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) style: Style,
    pub(crate) width: u16,
    pub(crate) now: Timestamp,
}

impl View {
    pub(crate) fn new(style: Style) -> Self {
        Self { style, width: screen::terminal_size().map_or(WIDTH, |s| s.cols), now: Timestamp::now() }
    }

    /// Rows under bold headings, columns aligned, long cells wrapped to the width.
    fn table<const N: usize>(&self, headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(self.width);
        table.set_header(headings);
        for row in rows {
            table.add_row(row.map(|cell| printable(&cell).into_owned()));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let text = table.trim_fmt();
        match text.split_once('\n') {
            Some((head, body)) => format!("{}\n{body}", self.style.bold(head)),
            None => self.style.bold(&text),
        }
    }

    /// How long ago an RFC 3339 time was: `12s`, `3m`, `2h`, `5d`; the text itself if it is no time.
    fn age(&self, time: &str) -> String {
        let Ok(then) = time.parse::<Timestamp>() else { return printable(time).into_owned() };
        duration(self.now.duration_since(then).as_secs())
    }
}

/// Seconds in the largest unit that they fill.
pub(crate) fn duration(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m", s / 60),
        s @ 3600..86400 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86400),
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// A state in a few words.
pub(crate) fn state(state: &AgentState) -> String {
    let ending = match state.exit() {
        Some(exit) => match (exit.code, &exit.signal) {
            (Some(code), _) => format!(" {code}"),
            (None, Some(signal)) => format!(" {}", printable(signal)),
            (None, None) => String::new(),
        },
        None => match state {
            AgentState::LinkLost { reason, .. } | AgentState::ExitUnknown { reason } | AgentState::Lost { reason } => {
                format!(": {}", printable(reason))
            }
            _ => String::new(),
        },
    };
    format!("{}{ending}", state.name().replace('_', " "))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A view for snapshots: no colour, a fixed width, two minutes after `agents::tests::agent` was created.
    pub(crate) fn view() -> View {
        View { style: Style::PLAIN, width: 100, now: "2026-01-02T03:06:05Z".parse().unwrap() }
    }

    #[test]
    fn times_and_numbers_that_people_read() {
        for (seconds, text) in [(-5, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (86400, "1d"), (864_000, "10d")] {
            assert_eq!(duration(seconds), text);
        }
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(view().age("not \x1b a time"), "not \\u{1b} a time");
    }
}
