//! What ends a run: a promise of the host that did not hold.

use std::fmt;

/// Which promise was broken, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A broken promise, and the input that broke it.
#[derive(Debug)]
pub struct Finding {
    pub broken: Broken,
    pub input: Vec<u8>,
    /// What the input's file is called after the dot.
    pub ending: &'static str,
}

/// Breaks with these words unless it holds.
pub fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken(what())) }
}
