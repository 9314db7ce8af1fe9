//! How well a chain finds the specs that tasks need: tasks in BEIR form, what the daemon answered, figures with
//! intervals.
//!
//! Pure: texts and answers in, figures and texts out. It asks nobody, reads no file and prints nothing.

mod bootstrap;
mod figures;
mod metrics;
mod notes;
mod outcome;
mod qrels;
mod sheets;
mod tasks;

pub(crate) use bootstrap::Estimate;
pub(crate) use figures::{Evaluation, Figure, Unit, evaluate};
pub(crate) use notes::Note;
pub(crate) use outcome::TaskOutcome;
pub(crate) use qrels::Qrels;
pub(crate) use sheets::{injected, ranking};
pub(crate) use tasks::{EvalTask, Tasks};

/// A line that is not what the file should hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub(crate) struct BadLine {
    pub(crate) line: usize,
    pub(crate) why: String,
}

/// The lines of a text that hold something, numbered from one, without what ends them.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().enumerate().map(|(at, line)| (at + 1, line)).filter(|(_, line)| !line.trim().is_empty())
}
