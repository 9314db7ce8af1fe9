//! Assembles the context of a task: the steps in order, each in a file of its own.
//!
//! Blocking: callers are on a blocking thread. It reads spec files, plugins and what was learnt, and writes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pu_protocol::context::{ContextReport, TaskDescription};
use pu_protocol::layout::{HomeLayout, ProjectLayout};
use pu_protocol::learned::LearnedReport;

use super::budget::{self, Fitted};
use super::chain::{self, Chained, Changed};
use super::config::ContextConfig;
use super::config_place::ConfigFiles;
use super::error::ContextError;
use super::explicit::{self, USER};
use super::index_library::IndexLibrary;
use super::learned::{self, Learning, Lessons};
use super::lineup::{self, Folders};
use super::loader::{Loader, Runner};
use super::maps::Maps;
use super::merge::{self, Merged, Place, Proposal};
use super::past::Past;
use super::pins::Pins;
use super::reader::IndexReader;
use super::report;
use super::rules;
use super::task::{self, ProjectFacts};
use super::texts::SpecTexts;
use super::threshold::Threshold;
use crate::plugins::{PluginHost, SpecReader, Task, bundled, one_line};
use crate::specs::{SpecCatalog, SpecIndex, tokens};

/// As much of a name that a plugin gave as a report repeats.
const NAME_MAX: usize = 200;

/// What of a project an assembly works on.
#[derive(Clone)]
pub struct ProjectSpecs {
    pub root: PathBuf,
    /// Of the root, or of another folder that is searched in its place.
    pub index: Arc<SpecIndex>,
    /// The project's folder of plugins, `.pu/plugins/`.
    pub plugins: PathBuf,
    pub config: ContextConfig,
}

/// A context, and how it came about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assembled {
    /// With all candidates.
    pub report: ContextReport,
    /// `None` where no spec is about the task.
    pub text: Option<String>,
    /// What plugins changed of their state, which nobody has kept yet.
    pub changed: Vec<Changed>,
}

/// Assembles contexts; one for the daemon, shared by all requests.
#[derive(Debug)]
pub struct ContextEngine {
    home: HomeLayout,
    pub(super) loader: Loader,
    learning: Learning,
}

impl ContextEngine {
    pub fn new(host: Arc<PluginHost>, home: HomeLayout) -> Self {
        Self { learning: Learning::new(&home), home, loader: Loader::new(host) }
    }

    /// The host that all plugins run in.
    pub fn host(&self) -> &PluginHost {
        self.loader.host()
    }

    /// Makes the plugins that come with the program ready, so that the first task does not wait for the compiler, one after
    /// the other as long as `goes_on`. Blocks.
    pub fn warm_up(&self, goes_on: impl Fn() -> bool) {
        for plugin in bundled().iter().take_while(|_| goes_on()) {
            if let Err(error) = self.loader.warm_up(plugin.name) {
                tracing::warn!(
                    plugin = plugin.name,
                    code = error.code,
                    message = error.message,
                    "a plugin is not ready"
                );
            }
        }
    }

    /// The context of a task in a project, as its specs, plugins and configuration stand now.
    pub fn assemble(
        &self,
        project: &ProjectSpecs,
        description: &TaskDescription,
        facts: &ProjectFacts,
    ) -> Result<Assembled, ContextError> {
        project.config.check().map_err(|unfit| ContextError::Config(unfit.message))?;
        let specs_failed = |source| ContextError::Specs { root: project.root.clone(), source };
        project.index.fresh().map_err(specs_failed)?;
        let texts = Arc::new(SpecTexts::new(Arc::clone(&project.index)));
        let asked = asked_for(texts.catalog(), &description.specs)?;
        // Those of another folder are spoken of as if its files were the project's.
        let folder = project.index.root();
        let is_file = |path: &str| task::is_project_file(folder, path);
        let task = task::prepare(description, facts, folder, is_file);
        let mut chained = self.ask_assemblers(project, &texts, &task)?;
        settle_names(texts.catalog(), &mut chained);
        let lessons = project.config.learn.then(|| self.learning.lessons(&project.root));
        Ok(assembled(project, description, &texts, &task, asked, chained, lessons.as_deref()))
    }

    /// The plugins that are set aside in the project at `root`, each with the reason. Looks at no file.
    pub fn set_aside(&self, root: &Path) -> Vec<String> {
        let aside = self.loader.tallies().all_set_aside(root);
        aside.into_iter().map(|(name, error)| format!("the plugin {name} is set aside: it {}", error.message)).collect()
    }

    /// Looks whether the repository of the project at `root` has commits to learn from that are not known, unless that was
    /// done a moment ago and is not asked for `anew`. Runs git, which runs what the repository's configuration names: for a
    /// project that is trusted. Blocks as long as git takes.
    pub fn look_back(&self, root: &Path, anew: bool) {
        self.learning.look_back(root, anew);
    }

    /// What was learnt in a project.
    pub fn learned(&self, project: &ProjectSpecs) -> Result<LearnedReport, ContextError> {
        project.index.fresh().map_err(|source| ContextError::Specs { root: project.root.clone(), source })?;
        let lessons = self.learning.lessons(&project.root);
        Ok(learned::report(&lessons, &project.index.catalog(), project.config.learn))
    }

    /// The ids of the agents that a name or the beginning of an id stands for among what was learnt at `root`.
    pub fn learned_from(&self, root: &Path, called: &str) -> Vec<String> {
        learned::called(&self.learning.lessons(root), called)
    }

    fn ask_assemblers(
        &self,
        project: &ProjectSpecs,
        texts: &Arc<SpecTexts>,
        task: &Task,
    ) -> Result<Chained, ContextError> {
        let places = Places { plugins: project.plugins.clone(), ..self.places(&project.root) };
        let links = lineup::line_up(&project.config, &places.folders())?;
        let pins = Pins::read(&places.layout);
        let past = Arc::new(Past::of(&places.root, places.layout.clone()));
        // Each has a memory of its own: which sections were found is then known in the chain's order, whoever is done first.
        let own: Vec<Arc<SpecTexts>> = links.iter().map(|_| Arc::new(texts.apart())).collect();
        let runners: Vec<Runner> = links
            .into_iter()
            .zip(&own)
            .map(|(link, texts)| {
                let reader: Arc<dyn SpecReader> = Arc::new(IndexReader::new(Arc::clone(texts)));
                let pinned = pins.of(&link);
                self.loader.runner(&places.root, link, pinned, &places.config_files, reader, &past)
            })
            .collect();
        let side_by_side = self.loader.host().concurrent_calls();
        let chained = chain::run(&runners, task, project.config.deadline(), side_by_side)?;
        own.iter().for_each(|own| texts.take_in(own));
        Ok(chained)
    }

    /// Where the plugins of the project at `root`, and what is said of them, may lie.
    pub(super) fn places(&self, root: &Path) -> Places {
        let layout = ProjectLayout::new(root);
        Places {
            root: root.to_owned(),
            plugins: layout.plugins(),
            config_files: ConfigFiles {
                project: layout.config(),
                user: self.home.config(),
                maps: Maps { root: root.to_owned(), folder: layout.context() },
            },
            layout,
            home: self.home.root().to_owned(),
            home_plugins: self.home.plugins(),
        }
    }
}

/// The places of a project that have to do with its plugins.
pub(super) struct Places {
    pub root: PathBuf,
    pub layout: ProjectLayout,
    pub config_files: ConfigFiles,
    plugins: PathBuf,
    home: PathBuf,
    pub home_plugins: PathBuf,
}

impl Places {
    pub(super) fn folders(&self) -> Folders<'_> {
        Folders {
            project_root: &self.root,
            project: self.layout.root(),
            project_plugins: &self.plugins,
            home: &self.home,
            home_plugins: &self.home_plugins,
        }
    }
}

pub(super) fn asked_for(catalog: &SpecCatalog, names: &[String]) -> Result<Vec<Proposal>, ContextError> {
    let all_names = || {
        let names = catalog.specs().iter().flat_map(|s| [&s.id, &s.path].into_iter().chain(&s.ids).cloned());
        names.collect()
    };
    explicit::proposals(names, |name| catalog.find(name).map(|spec| spec.id.clone()), all_names)
}

/// From proposals to the text and its record.
pub(super) fn assembled(
    project: &ProjectSpecs,
    description: &TaskDescription,
    texts: &Arc<SpecTexts>,
    task: &Task,
    asked: Vec<Proposal>,
    chained: Chained,
    lessons: Option<&Lessons>,
) -> Assembled {
    let mut candidates = merged(texts.catalog(), description.agent.as_deref(), asked, chained.proposals);
    if let Some(lessons) = lessons {
        learned::apply(&mut candidates, lessons, texts.catalog(), &task.prompt, &task.tags);
    }
    let library = IndexLibrary::new(Arc::clone(texts), &task.prompt);
    let budget = project.config.budget_of(description.budget, description.agent.as_deref());
    let threshold = Threshold { min_score: project.config.min_score, near_best: project.config.near_best };
    let fitted = budget::fit(&candidates, &library, budget, threshold, &tokens::count);
    let (rules, untold) = rules::outcomes(texts.catalog(), task, &candidates, &fitted.left_out);
    let mut warnings = warnings(&project.index, texts.catalog(), &candidates, &fitted);
    if untold > 0 {
        warnings.push(format!("{untold} more rule files are not told of one by one"));
    }
    warnings.extend(lessons.iter().flat_map(|lessons| lessons.warnings.iter().cloned()));
    let report = ContextReport {
        tokens: fitted.tokens,
        budget,
        picks: report::picks(&fitted.pieces),
        assemblers: chained.reports,
        labels: chained.labels,
        candidates: Some(report::candidates(&candidates, &fitted, &library)),
        rules,
        revision: texts.catalog().revision().to_owned(),
        warnings,
    };
    Assembled { report, text: fitted.text, changed: chained.changed }
}

/// Calls every proposed spec by its id, where an assembler used its path, and drops, with a report, the sections that
/// no spec has. That the specs exist the host has seen to.
pub(super) fn settle_names(catalog: &SpecCatalog, chained: &mut Chained) {
    let Chained { proposals, reports, .. } = chained;
    proposals.retain_mut(|proposal| {
        let spec = catalog.find(&proposal.spec);
        let section = proposal.section.as_deref();
        if let Some(spec) = spec.filter(|spec| section.is_none_or(|id| spec.section(id).is_some())) {
            proposal.spec.clone_from(&spec.id);
            return true;
        }
        if let Some(report) = reports.iter_mut().find(|r| r.name == proposal.assembler) {
            let section = section.map_or_else(String::new, |id| format!(" › {}", one_line(id, NAME_MAX)));
            let spec = one_line(&proposal.spec, NAME_MAX);
            report.dropped.push(format!("pick {spec}{section}: there is no such section"));
            report.picks = report.picks.saturating_sub(1);
        }
        false
    });
}

/// The user's proposals and the assemblers' as one ranking, for this agent.
fn merged(catalog: &SpecCatalog, agent: Option<&str>, asked: Vec<Proposal>, proposed: Vec<Proposal>) -> Vec<Merged> {
    let mut all = asked;
    let explicit = all.len();
    all.extend(proposed);
    // A plugin cannot pass for the user: who is asked for is known by place, not by name.
    let asked: Vec<(String, Option<String>)> =
        all[..explicit].iter().map(|p| (p.spec.clone(), p.section.clone())).collect();
    let place = |spec: &str, section: Option<&str>| {
        let spec = catalog.find(spec)?;
        let ordinal = section.map_or(Some(0), |section| spec.section(section).map(|(i, _)| i + 1))?;
        let is_asked_for = asked.iter().any(|(id, _)| *id == spec.id);
        let native = !is_asked_for && spec.native.iter().any(|loads| agent == Some(*loads));
        Some(Place { path: spec.path.clone(), ordinal, native })
    };
    merge::merge(&all, place, |p| p.assembler == USER && asked.contains(&(p.spec.clone(), p.section.clone())))
}

fn warnings(index: &SpecIndex, catalog: &SpecCatalog, candidates: &[Merged], fitted: &Fitted) -> Vec<String> {
    let left_out = candidates.iter().zip(&fitted.left_out).filter(|(c, _)| c.explicit);
    let mut warnings: Vec<String> = left_out
        .filter_map(|(c, reason)| Some(format!("{} was asked for and is not in: {}", c.path, reason.as_ref()?)))
        .collect();
    if catalog.specs().is_empty() {
        warnings.push(
            "the project has no specs: put them into specs/ or docs/, or name their folder in .pu/config.toml".into(),
        );
    }
    let rules = candidates.iter().zip(&fitted.left_out).filter(|(c, _)| c.why.rule.is_some() && !c.native);
    let rules = rules.filter_map(|(c, reason)| {
        Some(format!("{} is a rule that holds for the task and is not in: {}", c.path, reason.as_ref()?))
    });
    warnings.extend(report::at_most(report::WARNINGS, rules));
    let skipped = index.skipped();
    let skipped = skipped.iter().map(|file| format!("{} is not indexed: {}", file.path, file.reason));
    warnings.extend(report::at_most(report::WARNINGS, skipped));
    let (first, more) = index.first_warnings(report::WARNINGS);
    warnings.extend(first);
    warnings.extend(report::more(more));
    warnings
}
