//! Ways to do the same job, timed in turns: whatever the machine does meanwhile hits all of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use pu_engine::plugins::Assembly;

use crate::figure::times;

/// Rounds that are not counted.
const WARM_UP: usize = 200;

/// One way to do a job.
pub(crate) struct Lane<'a> {
    name: &'static str,
    work: Box<dyn FnMut() -> Result<Assembly> + 'a>,
    /// How many calls are timed together.
    batch: u32,
}

impl<'a> Lane<'a> {
    pub(crate) fn new(name: &'static str, work: impl FnMut() -> Result<Assembly> + 'a) -> Self {
        Self { name, work: Box::new(work), batch: 1 }
    }

    /// Each time is the mean of so many calls: for what takes no longer than to look at the clock.
    pub(crate) fn mean_of(self, batch: u32) -> Self {
        Self { batch, ..self }
    }

    /// How long one call takes, with the disposal of its answer.
    fn timed(&mut self) -> Result<Duration> {
        let started = Instant::now();
        for _ in 0..self.batch {
            black_box((self.work)()?);
        }
        Ok(started.elapsed() / self.batch)
    }
}

/// Times the job so many times by each lane, each round beginning with another one. All must give the same answer.
pub(crate) fn race(job: &str, rounds: usize, lanes: &mut [Lane<'_>]) -> Result<()> {
    agree(job, lanes)?;
    let mut samples = vec![Vec::new(); lanes.len()];
    let count = lanes.len();
    for round in 0..WARM_UP + rounds {
        for turn in 0..count {
            let at = (round + turn) % count;
            let took = lanes[at].timed()?;
            if round >= WARM_UP {
                samples[at].push(took);
            }
        }
    }
    for (lane, sample) in lanes.iter().zip(&samples) {
        times(&format!("{job}.{}", lane.name), sample);
    }
    Ok(())
}

fn agree(job: &str, lanes: &mut [Lane<'_>]) -> Result<()> {
    let mut first = None;
    for lane in lanes {
        let answer = (lane.work)()?;
        let first = first.get_or_insert_with(|| answer.clone());
        ensure!(*first == answer, "{job}: {} answers {answer:?}, another {first:?}", lane.name);
    }
    Ok(())
}
