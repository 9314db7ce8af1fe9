//! Random and damaged components through the plugin host.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use fastrand::Rng;
use pu_fuzz::corpus::Corpus;
use pu_fuzz::finding::Finding;
use pu_fuzz::run::run;
use pu_fuzz::trial::Trial;

/// After so many cases the bundled plugin is asked again.
const PROBED: u64 = 100;

/// Puts random and damaged components through the plugin host: looked at, compiled, called.
#[derive(Debug, Parser)]
struct Options {
    /// The same seed gives the same components.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first case.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many cases.
    #[arg(long, default_value_t = 20_000)]
    count: u64,
    /// The built `pu-engine`, which compiles.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/pu-engine"))]
    engine: PathBuf,
}

fn main() -> ExitCode {
    match prepare_and_run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn prepare_and_run(options: &Options) -> Result<ExitCode, String> {
    let corpus = Corpus::new().map_err(|error| error.to_string())?;
    let trial = Trial::new(&options.engine).map_err(|broken| broken.to_string())?;
    let trial = Arc::new(trial);
    let cases = options.from..options.from.saturating_add(options.count);
    Ok(run("components", options.seed, cases, |number, dice| case(&corpus, &trial, number, dice)))
}

fn case(corpus: &Corpus, trial: &Arc<Trial>, number: u64, dice: &mut Rng) -> Result<String, Finding> {
    let (made, bytes) = corpus.component(dice);
    let ended = trial.run(&bytes).and_then(|outcome| {
        if (number + 1).is_multiple_of(PROBED) {
            trial.bundled_still_answers()?;
        }
        Ok(format!("{made}: {outcome}"))
    });
    ended.map_err(|broken| Finding { broken, input: bytes, ending: "wasm" })
}
