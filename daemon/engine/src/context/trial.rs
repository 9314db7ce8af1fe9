//! One plugin alone, outside of any spawn: run on tasks for its author's tests, and timed.
//!
//! What happens here does not count towards setting a plugin aside, and a plugin that is set aside is run all the same.
//! Nothing is merged, cut or rendered. Blocking: callers are on a blocking thread.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pu_protocol::LINE_MAX;
use pu_protocol::context::{AssemblerError, AssemblerReport, Pick, TaskDescription};
use pu_protocol::plugin::{PluginRun, PluginTask, PluginTimes};
use serde_json::Value;

use super::chain::{Chained, Outcome};
use super::config::ContextConfig;
use super::engine::{ContextEngine, ProjectSpecs, settle_names};
use super::error::ContextError;
use super::grants;
use super::loader::{described, outcome_of, source_of, told};
use super::merge::Proposal;
use super::past::{self, Past};
use super::pins::Pins;
use super::reader::IndexReader;
use super::tally::percentile;
use super::task::{self, ProjectFacts};
use super::texts::SpecTexts;
use crate::plugins::{self, Granted, Patience, Plugin, PluginSource, SpecReader, Task};
use crate::specs::SpecCatalog;

/// So many tasks are run in one request.
pub const TASKS_MAX: usize = 200;
/// Bytes of JSON for the runs of one answer; the rest of its line is for what stands around them.
const RUNS_MAX: usize = LINE_MAX - 16 * 1024;
/// Timing ends here, however many rounds were asked for.
const TIMING_MAX: Duration = Duration::from_secs(60);

/// A plugin that was found and compiled.
#[derive(Debug, Clone)]
pub struct ReadyPlugin {
    /// What reports call it.
    pub name: String,
    plugin: Arc<Plugin>,
    source: PluginSource,
    /// As configured: a JSON object.
    config: Value,
    /// What it keeps and the past tasks, as far as the chain grants them, and what is to be told of them. Each call begins
    /// with this, and nothing that one changes is kept.
    granted: Granted,
    notes: Vec<String>,
    /// Why it is not run, if it is not: it was not granted what it needs.
    refused: Option<AssemblerError>,
}

impl ReadyPlugin {
    /// SHA-256 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        self.plugin.digest()
    }
}

impl ContextEngine {
    /// The plugin that a request names: one of the project at `root`, or the component at an absolute path, which no pin
    /// holds for and no chain grants anything: it is tested with an empty state and no past. Compiled, however long that
    /// takes.
    pub fn ready_plugin(&self, root: &Path, config: &ContextConfig, named: &str) -> Result<ReadyPlugin, ContextError> {
        if Path::new(named).is_absolute() {
            let source = PluginSource::named(Path::new(named));
            let refused = |failure| ContextError::refused(named, &failure);
            let plugin = source.read().and_then(|bytes| self.host().prepare(bytes)).map_err(refused)?;
            let (name, config) = (plugin.manifest().name.clone(), Value::Object(serde_json::Map::new()));
            let (granted, notes) = (past::nothing_yet(&plugin.needs()), Vec::new());
            let plugin = Arc::new(plugin);
            return Ok(ReadyPlugin { name, plugin, source, config, granted, notes, refused: None });
        }
        let places = self.places(root);
        let link = self.link(&places, config, named)?;
        let refused = |failure| ContextError::PluginRefused { plugin: named.to_owned(), failure };
        let pinned = Pins::read(&places.layout).of(&link);
        let plugin = self.loader.plugin(&link.plugin, pinned, Patience::Compiled).map_err(refused)?;
        let needs = plugin.needs();
        let not_granted = grants::check(&needs, &link.config, &places.config_files).err();
        let (granted, notes) = match &not_granted {
            None => Past::of(&places.root, places.layout.clone()).granted(&link.config.name, &needs),
            Some(_) => (Granted::default(), Vec::new()),
        };
        let source = source_of(&link.plugin).map_err(refused)?;
        let mapped = places.config_files.maps.added_to(&link.config).map_err(refused)?;
        let config = serde_json::to_value(&mapped.config)
            .map_err(|error| ContextError::Config(format!("the config of {named} is no JSON: {error}")))?;
        Ok(ReadyPlugin { name: named.to_owned(), plugin, source, config, granted, notes, refused: not_granted })
    }

    /// Runs a plugin on each task, over these specs; on the first of them only, where one answer has no room for all.
    pub fn run_plugin(
        &self,
        specs: &ProjectSpecs,
        ready: &ReadyPlugin,
        tasks: &[PluginTask],
    ) -> Result<Vec<PluginRun>, ContextError> {
        let bench = Bench::set_up(specs, ready)?;
        Ok(first_that_fit(tasks.iter().map(|task| bench.run(task)), RUNS_MAX))
    }

    /// Measures a plugin: loading it as a new daemon would, and so many calls.
    pub fn time_plugin(
        &self,
        specs: &ProjectSpecs,
        ready: &ReadyPlugin,
        description: &TaskDescription,
        rounds: u32,
    ) -> Result<PluginTimes, ContextError> {
        let bench = Bench::set_up(specs, ready)?;
        // It is in the cache of compiled plugins, since it is ready.
        let began = Instant::now();
        let loaded = ready.source.read().and_then(|bytes| self.host().prepare(bytes));
        loaded.map_err(|failure| ContextError::refused(ready.name.as_str(), &failure))?;
        let load_us = micros(began.elapsed());
        let task = bench.task(&PluginTask { task: description.clone(), ..PluginTask::default() });
        let config = ready.config.to_string();
        let (began, mut times, mut failures) = (Instant::now(), Vec::new(), 0);
        for _ in 0..rounds {
            if began.elapsed() > TIMING_MAX {
                break;
            }
            let outcome = bench.ask(&task, &config);
            failures += u32::from(outcome.answer.is_err());
            times.push(micros(outcome.elapsed));
        }
        times.sort_unstable();
        Ok(PluginTimes {
            rounds: u32::try_from(times.len()).unwrap_or(u32::MAX),
            load_us,
            p50_us: percentile(&times, 50).unwrap_or_default(),
            p99_us: percentile(&times, 99).unwrap_or_default(),
            max_us: times.last().copied().unwrap_or_default(),
            failures,
        })
    }
}

/// The first of these runs that there is room for, one at least. No more than one is made in vain.
fn first_that_fit(runs: impl Iterator<Item = PluginRun>, room: usize) -> Vec<PluginRun> {
    let (mut fit, mut left) = (Vec::new(), room);
    for run in runs {
        let size = serde_json::to_vec(&run).map_or(0, |json| json.len()) + 1;
        if size > left && !fit.is_empty() {
            break;
        }
        left = left.saturating_sub(size);
        fit.push(run);
    }
    fit
}

/// One plugin and the specs that it sees.
struct Bench<'a> {
    specs: &'a ProjectSpecs,
    ready: &'a ReadyPlugin,
    texts: Arc<SpecTexts>,
    reader: Arc<dyn SpecReader>,
}

impl<'a> Bench<'a> {
    fn set_up(specs: &'a ProjectSpecs, ready: &'a ReadyPlugin) -> Result<Self, ContextError> {
        if let Some(failure) = &ready.refused {
            return Err(ContextError::PluginRefused { plugin: ready.name.clone(), failure: failure.clone() });
        }
        let failed = |source| ContextError::Specs { root: specs.root.clone(), source };
        specs.index.fresh().map_err(failed)?;
        let texts = Arc::new(SpecTexts::new(Arc::clone(&specs.index)));
        let reader = Arc::new(IndexReader::new(Arc::clone(&texts)));
        Ok(Self { specs, ready, texts, reader })
    }

    fn task(&self, asked: &PluginTask) -> Task {
        let root = self.specs.index.root();
        let is_file = |path: &str| task::is_project_file(root, path);
        let mut task = task::prepare(&asked.task, &ProjectFacts::default(), root, is_file);
        // As in a chain, where it gets them only if it says that it reads them.
        if self.ready.plugin.manifest().reads_labels {
            let label =
                |l: &pu_protocol::context::Label| plugins::Label { name: l.name.clone(), confidence: l.confidence };
            task.labels = asked.labels.iter().map(label).collect();
        }
        task
    }

    fn run(&self, asked: &PluginTask) -> PluginRun {
        let config = asked.config.as_ref().unwrap_or(&self.ready.config);
        let outcome = match self.misfit(config) {
            None => self.ask(&self.task(asked), &config.to_string()),
            Some(error) => Outcome { answer: Err(error), ..Outcome::default() },
        };
        let mut chained = Chained::default();
        chained.take_in(&self.ready.name, outcome);
        settle_names(self.texts.catalog(), &mut chained);
        let mut report = chained.reports.pop().unwrap_or_default();
        self.tell_of_lost_labels(asked, &mut report);
        let picks = chained.proposals.into_iter().map(|proposal| pick(self.texts.catalog(), proposal)).collect();
        PluginRun { report, labels: chained.labels, picks }
    }

    fn tell_of_lost_labels(&self, asked: &PluginTask, report: &mut AssemblerReport) {
        if !asked.labels.is_empty() && !self.ready.plugin.manifest().reads_labels {
            report.dropped.push("labels of the task: its manifest does not say \"reads_labels\": true".into());
        }
    }

    fn misfit(&self, config: &Value) -> Option<AssemblerError> {
        let invalid = |message: String| AssemblerError { code: "config_invalid".into(), message };
        if !config.is_object() {
            return Some(invalid("its config must be an object".into()));
        }
        match self.ready.plugin.misfit(config) {
            Ok(misfit) => misfit.map(|misfit| invalid(described(&misfit))),
            Err(failure) => Some(told(&failure)),
        }
    }

    fn ask(&self, task: &Task, config_json: &str) -> Outcome {
        let plugin = &self.ready.plugin;
        let latest = Instant::now() + self.specs.config.deadline();
        let granted = self.ready.granted.clone();
        let call = plugin.assemble_granted(task, &self.reader, granted, config_json, plugin.deadline(), latest);
        outcome_of(plugin, call, self.ready.notes.clone())
    }
}

/// A proposal as it is told, with what it would cost.
fn pick(catalog: &SpecCatalog, proposal: Proposal) -> Pick {
    let spec = catalog.find(&proposal.spec);
    let section = spec.zip(proposal.section.as_deref()).and_then(|(spec, id)| spec.section(id));
    let tokens = section.map(|(_, section)| section.tokens).or_else(|| spec.map(|spec| spec.tokens));
    Pick {
        path: spec.map(|spec| spec.path.clone()).unwrap_or_default(),
        tokens: tokens.unwrap_or_default(),
        spec: proposal.spec,
        section: proposal.section,
        score: proposal.score,
        assembler: proposal.assembler,
        reason: proposal.reason,
        rule: proposal.rule.map(|rule| rule.name().to_owned()),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_first_runs_that_fit_and_no_more_are_made() {
        let chatty = || PluginRun { labels: Vec::new(), picks: vec![Pick::default(); 10], ..PluginRun::default() };
        let size = serde_json::to_vec(&chatty()).unwrap().len() + 1;
        for (room, wanted, made) in [(0, 1, 2), (size, 1, 2), (3 * size - 1, 2, 3), (3 * size, 3, 4), (99 * size, 9, 9)]
        {
            let mut count = 0;
            let runs = (0..9).map(|_| {
                count += 1;
                chatty()
            });
            assert_eq!(first_that_fit(runs, room).len(), wanted, "{room} of {size}");
            assert_eq!(count, made, "{room} of {size}");
        }
    }
}
