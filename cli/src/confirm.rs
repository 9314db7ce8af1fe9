//! A question that only a person at a terminal can answer.
//!
//! It decides nothing: what a no means is the caller's to say.

use crate::failure::Failure;
use crate::screen;
use std::io::{self, BufRead, IsTerminal};

/// Asks, and answers why it was not a yes, if it was none. Programs are not asked.
pub(crate) fn refusal(question: &str, json: bool) -> Result<Option<&'static str>, Failure> {
    if json || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(Some("there is no terminal to ask on"));
    }
    screen::complain(&format!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|e| Failure::io("read the answer from", "the terminal", e))?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(None),
        _ => Ok(Some("it was not confirmed")),
    }
}
