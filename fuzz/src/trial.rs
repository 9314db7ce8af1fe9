//! Puts one component through the host, as a spawn would, and holds the host to its promises.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pu_engine::plugins::{
    CallReport, Chunk, CompileLimits, CompilerCommand, FailureCode, Hit, HostLimits, Listing, Page, PluginFailure,
    PluginHost, PluginSource, Query, ReadFailure, SpecMeta, SpecReader, Task, inspect,
};
use pu_plugin_sdk::{self as sdk, MockSpecs, Specs as _};

use crate::bounds::{self, is_clean};
use crate::finding::{Broken, ensure};
use crate::run::artifacts;

/// A spec that exists, and the best answer to the task.
pub const SPEC: &str = "specs/ledger";
const PROMPT: &str = "the ledger";

/// One call, in processor time.
const DEADLINE: Duration = Duration::from_millis(50);
/// One call, on the clock.
const CHAIN: Duration = Duration::from_millis(500);
/// What a busy machine may add to any of the limits.
const GRACE: Duration = Duration::from_secs(2);
/// Compiling one component. Less than the host's own: a run has thousands.
const COMPILE: Duration = Duration::from_secs(20);

/// A host, and the folder where it keeps what it compiled.
pub struct Trial {
    host: PluginHost,
    reader: Arc<dyn SpecReader>,
    cache: tempfile::TempDir,
    /// The component that is on trial: after a crash of this process it is still there.
    running: PathBuf,
}

impl Trial {
    /// A host whose compiler is the `pu-engine` at `engine`. Fails unless the bundled plugin answers.
    pub fn new(engine: &Path) -> Result<Self, Broken> {
        let cannot = |error: &dyn std::fmt::Display| Broken(format!("nothing can be tried: {error}"));
        let cache = tempfile::tempdir().map_err(|error| cannot(&error))?;
        let compile = CompileLimits { wall: COMPILE, ..CompileLimits::default() };
        let limits = HostLimits { deadline: DEADLINE, compile, ..HostLimits::default() };
        let host = PluginHost::new(&cache.path().join("compiled"), CompilerCommand::engine(engine), limits)
            .map_err(|error| cannot(&error))?;
        std::fs::create_dir_all(artifacts()).map_err(|error| cannot(&error))?;
        let running = artifacts().join("running.wasm");
        let trial = Self { host, reader: Arc::new(Reader(specs())), cache, running };
        trial.bundled_still_answers()?;
        Ok(trial)
    }

    /// Puts the component through the host, and says in a word how it ended there.
    pub fn run(self: &Arc<Self>, bytes: &[u8]) -> Result<String, Broken> {
        let (trial, bytes) = (Arc::clone(self), bytes.to_vec());
        let outcome = within(COMPILE + CHAIN + 4 * GRACE, move || trial.pass(&bytes))?;
        self.clear();
        outcome
    }

    #[allow(clippy::disallowed_methods, reason = "a file that nobody reads meanwhile")]
    fn pass(&self, bytes: &[u8]) -> Result<String, Broken> {
        std::fs::write(&self.running, bytes)
            .map_err(|error| Broken(format!("cannot write {}: {error}", self.running.display())))?;
        if let Err(failure) = timed("looking at it", GRACE, || inspect(bytes))? {
            return Ok(format!("not taken: {}", refusal(&failure)?));
        }
        let source = PluginSource::File(self.running.clone());
        let plugin = match timed("loading it", COMPILE + GRACE, || self.host.load(&source))? {
            Ok(plugin) => plugin,
            Err(failure) => return Ok(format!("not loaded: {}", refusal(&failure)?)),
        };
        let call = || plugin.assemble(&task(), &self.reader, "{}", DEADLINE, Instant::now() + CHAIN);
        let CallReport { outcome, dropped, log, .. } = timed("a call", DEADLINE + GRACE, call)?;
        let told = dropped.iter().flat_map(|dropped| [&dropped.what, &dropped.why]).chain(&log);
        for line in told {
            ensure(is_clean(line), || format!("the line {line:?} has control characters"))?;
        }
        match outcome {
            Err(failure) => Ok(format!("called: {}", refusal(&failure)?)),
            Ok(answer) => {
                bounds::answer(&answer, |id| self.reader.get(id).is_ok())?;
                Ok("called: it answered".to_owned())
            }
        }
    }

    /// Whatever was tried before, the bundled plugin finds what it always finds.
    pub fn bundled_still_answers(&self) -> Result<(), Broken> {
        let broken = |failure: PluginFailure| Broken(format!("the bundled plugin does not answer: {failure}"));
        let plugin = self.host.load(&PluginSource::Bundled("keyword".to_owned())).map_err(broken)?;
        // A sound plugin on a busy machine is given time.
        let call = plugin.assemble(&task(), &self.reader, "{}", DEADLINE + GRACE, Instant::now() + CHAIN + GRACE);
        let answer = call.outcome.map_err(broken)?;
        let first = answer.picks.first().map(|pick| pick.spec.as_str());
        ensure(first == Some(SPEC), || format!("the bundled plugin picks {first:?} first"))
    }

    /// No component comes twice, and what they compile to would fill the disk.
    fn clear(&self) {
        let _ = std::fs::remove_file(&self.running);
        for entry in std::fs::read_dir(self.cache.path().join("compiled")).into_iter().flatten().flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The failure's code, if it is one that a component can bring about.
fn refusal(failure: &PluginFailure) -> Result<String, Broken> {
    ensure(is_clean(&failure.message), || format!("the message {:?} has control characters", failure.message))?;
    let ours = matches!(failure.code, FailureCode::Unreadable | FailureCode::Compiling);
    ensure(!ours, || format!("the host itself failed: {failure}"))?;
    // Harmless, since it is the child's; worth to be seen.
    let panicked = failure.code == FailureCode::CompileFailed && failure.message.contains("panicked at");
    let how = if panicked { " (the compiler panicked)" } else { "" };
    Ok(format!("{}{how}", failure.code))
}

fn timed<T>(what: &str, most: Duration, work: impl FnOnce() -> T) -> Result<T, Broken> {
    let started = Instant::now();
    let done = work();
    let took = started.elapsed();
    ensure(took <= most, || format!("{what} took {took:?}"))?;
    Ok(done)
}

/// Does the work on a thread of its own, so that neither a panic nor a hang is the end of the run.
fn within<T: Send + 'static>(most: Duration, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Broken> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(most).map_err(|error| match error {
        RecvTimeoutError::Timeout => Broken(format!("the host does not come back within {most:?}")),
        RecvTimeoutError::Disconnected => Broken("the host panicked".to_owned()),
    })
}

fn task() -> Task {
    Task { prompt: PROMPT.to_owned(), ..Task::default() }
}

fn specs() -> MockSpecs {
    MockSpecs::default()
        .with("specs/auth.md", "---\ntags: [security]\n---\n# Sign-in tokens\nA token is valid for an hour.\n")
        .with("specs/ledger.md", "---\ntags: [billing]\n---\n# Ledger invariants\nEvery entry has two sides.\n")
        .with("specs/lease_table.md", "# Leases\n`LeaseTable` holds who owns what.\n")
}

/// The SDK's mock, as the host sees specs.
struct Reader(MockSpecs);

impl SpecReader for Reader {
    fn search(&self, query: &Query) -> Result<Vec<Hit>, ReadFailure> {
        let mut asked = sdk::Query::new(query.text.clone()).limit(query.limit);
        for field in &query.fields {
            asked = asked.field(field.field.clone(), field.weight);
        }
        let hits = self.0.search(&asked).map_err(failure)?;
        let hit = |hit: sdk::Hit| Hit { spec: meta(hit.spec), section: hit.section, score: hit.score, extra: vec![] };
        Ok(hits.into_iter().map(hit).collect())
    }

    fn list(&self, listing: &Listing) -> Result<Page, ReadFailure> {
        let asked = sdk::Listing { cursor: listing.cursor.clone(), limit: listing.limit, filter: vec![] };
        let page = self.0.list(&asked).map_err(failure)?;
        Ok(Page { specs: page.specs.into_iter().map(meta).collect(), next: page.next })
    }

    fn get(&self, id: &str) -> Result<SpecMeta, ReadFailure> {
        self.0.get(id).map(meta).map_err(failure)
    }

    fn read(&self, id: &str, section: Option<&str>) -> Result<String, ReadFailure> {
        self.0.read(id, section).map_err(failure)
    }

    fn read_range(&self, id: &str, offset: u64, length: u32) -> Result<Chunk, ReadFailure> {
        let chunk = self.0.read_range(id, offset, length).map_err(failure)?;
        Ok(Chunk { text: chunk.text, offset: chunk.offset, next: chunk.next })
    }
}

fn meta(spec: sdk::SpecMeta) -> SpecMeta {
    let sdk::SpecMeta { id, path, title, tags, revision, tokens, extra: _ } = spec;
    SpecMeta { id, path, title, tags, revision, tokens, extra: vec![] }
}

fn failure(failure: sdk::Failure) -> ReadFailure {
    ReadFailure::new(failure.code, failure.message)
}
