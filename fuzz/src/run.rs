//! Runs cases by seed and number, counts how they ended, and stops at the first finding.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fastrand::Rng;

use crate::finding::Finding;

/// How many times a run tells how far it is.
const TOLD: u64 = 20;

/// Where findings are kept.
pub fn artifacts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts")
}

/// Runs these cases of `target`; each has a dice of its own, so that it can be repeated alone.
pub fn run(
    target: &str,
    seed: u64,
    cases: Range<u64>,
    mut case: impl FnMut(u64, &mut Rng) -> Result<String, Finding>,
) -> ExitCode {
    println!("{target}: seed {seed}, cases {} to {}", cases.start, cases.end);
    let step = ((cases.end - cases.start) / TOLD).max(1);
    let mut outcomes = BTreeMap::<String, u64>::new();
    for number in cases {
        match case(number, &mut dice(seed, number)) {
            Ok(outcome) => *outcomes.entry(outcome).or_default() += 1,
            Err(finding) => {
                tell(&outcomes);
                println!("FINDING: seed {seed}, case {number}: {}", finding.broken);
                keep(&format!("{target}-{seed}-{number}.{}", finding.ending), &finding.input);
                return ExitCode::FAILURE;
            }
        }
        if (number + 1) % step == 0 {
            eprintln!("{target}: case {number} is done");
        }
    }
    tell(&outcomes);
    println!("{target}: seed {seed}: no finding");
    ExitCode::SUCCESS
}

fn dice(seed: u64, number: u64) -> Rng {
    /// Neighbours get seeds that have nothing in common.
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    Rng::with_seed(seed.wrapping_add(1).wrapping_mul(GOLDEN) ^ number.wrapping_mul(GOLDEN.rotate_left(32)))
}

fn tell(outcomes: &BTreeMap<String, u64>) {
    for (outcome, count) in outcomes {
        println!("{count:>10}  {outcome}");
    }
    println!("{:>10}  in all", outcomes.values().sum::<u64>());
}

#[allow(clippy::disallowed_methods, reason = "a developer's own file, which nobody reads meanwhile")]
fn keep(name: &str, input: &[u8]) {
    let path = artifacts().join(name);
    match std::fs::create_dir_all(artifacts()).and_then(|()| std::fs::write(&path, input)) {
        Ok(()) => println!("its input is in {}", path.display()),
        Err(error) => println!("its input could not be kept in {}: {error}", path.display()),
    }
}
