//! How a figure leaves this program: a line of JSON with its name and its value. Times are in seconds.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

pub(crate) fn tell(name: &str, value: &impl Serialize) {
    println!("{}", json!({ "name": name, "value": value }));
}

/// A sample of times, in the order in which they were taken.
pub(crate) fn times(name: &str, sample: &[Duration]) {
    let seconds: Vec<f64> = sample.iter().map(Duration::as_secs_f64).collect();
    tell(name, &seconds);
}

/// Does the work, and says how long it took.
pub(crate) fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(Duration, T), E> {
    let started = Instant::now();
    let done = work()?;
    Ok((started.elapsed(), done))
}
