//! Random answers through the host's checks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;
use fastrand::Rng;
use pu_engine::plugins::{Assembly, Checked, check};
use pu_fuzz::answer::{any_answer, exists};
use pu_fuzz::bounds;
use pu_fuzz::finding::{Broken, Finding, ensure};
use pu_fuzz::run::run;

/// Puts random answers of plugins through the host's checks, and looks at what comes out.
#[derive(Debug, Parser)]
struct Options {
    /// The same seed gives the same answers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first case.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many cases.
    #[arg(long, default_value_t = 1_000_000)]
    count: u64,
}

fn main() -> ExitCode {
    let Options { seed, from, count } = Options::parse();
    run("answers", seed, from..from.saturating_add(count), |_, dice| case(dice))
}

fn case(dice: &mut Rng) -> Result<String, Finding> {
    let given = any_answer(dice);
    let judged = catch_unwind(AssertUnwindSafe(|| judge(&given)));
    let judged = judged.unwrap_or_else(|_| Err(Broken("the check panicked".to_owned())));
    judged.map(|checked| outcome(&given, &checked).to_owned()).map_err(|broken| Finding {
        broken,
        input: format!("{given:#?}\n").into_bytes(),
        ending: "txt",
    })
}

fn judge(given: &Assembly) -> Result<Checked, Broken> {
    let checked = check(given.clone(), exists);
    bounds::check(given, &checked, exists)?;
    ensure(check(given.clone(), exists) == checked, || "the same answer had another outcome".to_owned())?;
    Ok(checked)
}

fn outcome(given: &Assembly, checked: &Checked) -> &'static str {
    let kept = checked.assembly.picks.len();
    match (given.picks.len(), kept) {
        (0, _) => "no picks were given",
        (_, 0) => "no pick was kept",
        (given, kept) if given == kept && checked.dropped.is_empty() => "all picks were kept, and nothing to tell",
        (given, kept) if given == kept => "all picks were kept, and something to tell",
        (_, 64) => "as many picks as a plugin may have were kept",
        _ => "some picks were kept",
    }
}
