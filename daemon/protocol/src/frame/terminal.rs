//! A terminal's size, as records and frames carry it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TerminalSize {
    pub cols: u16,
    pub rows: u16,
}

impl TerminalSize {
    /// The largest screen that is kept: a wider one would cost the shim megabytes for nothing that a person can read.
    pub const MAX: Self = Self { cols: 1000, rows: 500 };
    /// The smallest: two columns, since a wide character needs them.
    pub const MIN: Self = Self { cols: 2, rows: 1 };

    pub const fn new(cols: u16, rows: u16) -> Self {
        Self { cols, rows }
    }

    /// The nearest size that a shim accepts.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self {
            cols: self.cols.clamp(Self::MIN.cols, Self::MAX.cols),
            rows: self.rows.clamp(Self::MIN.rows, Self::MAX.rows),
        }
    }
}

impl Default for TerminalSize {
    /// The size of an agent that nobody has attached to yet.
    fn default() -> Self {
        Self { cols: 200, rows: 50 }
    }
}
