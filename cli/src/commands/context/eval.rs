//! `pu context eval`: the chain over tasks whose specs are known, and how well it does.

use crate::daemon::pause;
use crate::eval::{self, BadLine, EvalTask, Evaluation, Qrels, TaskOutcome, Tasks};
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::pipeline;
use crate::progress::Progress;
use crate::render::{self, View};
use crate::screen;
use pu_protocol::answer::ContextAnswer;
use pu_protocol::context::TaskDescription;
use pu_protocol::{Answer, ErrorBody, ErrorCode, Request};
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How long plugins may take to be compiled before the first task is put.
const COMPILING_MAX: Duration = Duration::from_secs(120);
const COMPILING_PAUSE: Duration = Duration::from_millis(100);
/// What an assembler that is not compiled yet is skipped with.
const COMPILING: &str = "compiling";

/// Run the chain over tasks whose specs are known: nDCG, recall, abstention, latency
///
/// The tasks are in BEIR form. Each is put as it is, whatever is changed where you stand; nothing is started and nothing
/// is kept. Each figure has the interval that 95 % of 2,000 resamples of the tasks lie in. A document counts as given
/// within the budget if all of it is in, or a passage of 150 tokens or more.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu context eval tasks.jsonl --qrels answers.tsv
  pu context eval tasks.jsonl --qrels answers.tsv --chain keyword,tags --json
  pu context eval other/queries.jsonl --specs ~/other --run ranking.tsv --budget-run given.tsv

tasks.jsonl has a JSON object a line: {\"_id\": \"1\", \"text\": \"fix the auth race\"}
answers.tsv has three fields a line, with tabs between them, under a line of headings:
  query-id, corpus-id (the spec's path from the project root), score (above 0: it is needed)")]
pub(crate) struct EvalArgs {
    /// The tasks: a JSON object a line, with `_id` and `text`.
    #[arg(value_name = "QUERIES")]
    queries: PathBuf,
    /// Which specs each task needs; without it only abstention and latency are told.
    #[arg(long, value_name = "FILE")]
    qrels: Option<PathBuf>,
    /// Take all specs of this folder, in place of the project's.
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
    /// Write all that is ranked, the best first: query-id, path, score.
    #[arg(long, value_name = "FILE")]
    run: Option<PathBuf>,
    /// Write what was put into the contexts: query-id, path, section (empty: the whole spec), tokens.
    #[arg(long, value_name = "FILE")]
    budget_run: Option<PathBuf>,
    /// Only these assemblers, in the chain's order, be they switched off or not.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    chain: Option<Vec<String>>,
    /// For which agent [default: as in `pu spawn`].
    #[arg(short, long, value_name = "TYPE")]
    agent: Option<String>,
    /// How many tokens of context there may be.
    #[arg(long, visible_alias = "budget", value_name = "TOKENS")]
    context_budget: Option<u32>,
    /// How many tasks are under way at a time; with more than one, they slow each other down.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    at_once: u8,
}

impl EvalArgs {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let (tasks, qrels) = self.read(invocation)?;
        let specs = self.folder(invocation)?;
        // Before anything is asked: what takes long is not thrown away in the end.
        let sheet = |file: &Option<PathBuf>| file.as_ref().map(|file| Sheet::begin(invocation.path(file))).transpose();
        let (run, budget_run) = (sheet(&self.run)?, sheet(&self.budget_run)?);

        let requests: Vec<Request> =
            tasks.tasks.iter().map(|task| self.request(task, qrels.as_ref(), specs.as_deref(), invocation)).collect();
        let outcomes = self.ask(&requests, invocation)?;
        let evaluation = eval::evaluate(&tasks, qrels.as_ref(), &outcomes);

        if let Some(sheet) = run {
            sheet.finish(&eval::ranking(&tasks.tasks, &outcomes))?;
        }
        if let Some(sheet) = budget_run {
            sheet.finish(&eval::injected(&tasks.tasks, &outcomes))?;
        }
        self.show(&evaluation, invocation)?;
        Ok(Outcome::DONE)
    }

    fn read(&self, invocation: &Invocation) -> Result<(Tasks, Option<Qrels>), Failure> {
        let queries = invocation.path(&self.queries);
        let tasks =
            Tasks::parse(&text("read the tasks from", &queries)?).map_err(|error| bad_line(&queries, &error))?;
        if tasks.tasks.is_empty() {
            return Err(useless(format!("{} holds no task", queries.display())));
        }
        let Some(file) = self.qrels.as_ref().map(|file| invocation.path(file)) else { return Ok((tasks, None)) };
        let qrels = Qrels::parse(&text("read the answers from", &file)?).map_err(|error| bad_line(&file, &error))?;
        if tasks.tasks.iter().all(|task| qrels.of(&task.id).is_none()) {
            let message = format!("{} has an answer to no task of {}", file.display(), queries.display());
            return Err(useless(message));
        }
        Ok((tasks, Some(qrels)))
    }

    fn folder(&self, invocation: &Invocation) -> Result<Option<PathBuf>, Failure> {
        let Some(folder) = self.specs.as_ref().map(|folder| invocation.path(folder)) else { return Ok(None) };
        let real = folder.canonicalize().map_err(|e| Failure::io("find the folder of specs", folder, e))?;
        Ok(Some(real))
    }

    fn request(
        &self,
        task: &EvalTask,
        qrels: Option<&Qrels>,
        specs: Option<&Path>,
        invocation: &Invocation,
    ) -> Request {
        let needed = qrels.and_then(|qrels| qrels.of(&task.id));
        Request::ContextExplain {
            cwd: invocation.cwd.clone(),
            task: TaskDescription {
                prompt: task.text.clone(),
                agent: self.agent.clone(),
                budget: self.context_budget,
                ..TaskDescription::default()
            },
            with_text: false,
            specs: specs.map(Path::to_owned),
            chain: self.chain.clone(),
            ranking: true,
            expected: needed.into_iter().flatten().cloned().collect(),
        }
    }

    /// The outcomes, in the order of the requests.
    fn ask(&self, requests: &[Request], invocation: &Invocation) -> Result<Vec<TaskOutcome>, Failure> {
        if let Some(first) = requests.first() {
            let _progress = Progress::start("reading the specs and compiling plugins".to_owned(), invocation.json);
            warm_up(first, invocation)?;
        }
        let tasks = render::count(requests.len(), "task");
        let _progress = Progress::start(format!("running {tasks}"), invocation.json);
        let mut outcomes: Vec<TaskOutcome> = vec![TaskOutcome::default(); requests.len()];
        let window = usize::from(self.at_once);
        pipeline::ask_all(&invocation.endpoint, requests.iter().cloned(), window, |at, answer, elapsed| {
            let outcome = TaskOutcome::new(context(answer, invocation)?, elapsed);
            if let Some(place) = outcomes.get_mut(at) {
                *place = outcome;
            }
            Ok(())
        })?;
        Ok(outcomes)
    }

    fn show(&self, evaluation: &Evaluation, invocation: &Invocation) -> Result<(), Failure> {
        if invocation.json {
            return screen::say(&render::eval::json(evaluation, self.at_once).to_string());
        }
        screen::say(&render::eval::text(evaluation, self.at_once, &View::new(invocation.style)))
    }
}

/// Puts a task until no plugin is being compiled: the specs are indexed then, and everybody is there.
fn warm_up(request: &Request, invocation: &Invocation) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let answer = context(invocation.ask(request)?.answer, invocation)?;
        let mut errors = answer.report.assemblers.iter().filter_map(|assembler| assembler.error.as_ref());
        // One that takes longer is skipped in the tasks, which is told.
        if !errors.any(|error| error.code == COMPILING) || begun.elapsed() > COMPILING_MAX {
            return Ok(());
        }
        pause(COMPILING_PAUSE);
    }
}

fn context(answer: Answer, invocation: &Invocation) -> Result<ContextAnswer, Failure> {
    match answer {
        Answer::ContextReport(answer) => Ok(answer),
        other => Err(invocation.mismatch("context_explain", &other)),
    }
}

fn text(act: &'static str, file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|e| Failure::io(act, file, e))
}

fn bad_line(file: &Path, error: &BadLine) -> Failure {
    useless(format!("{}: {error}", file.display()))
}

fn useless(message: String) -> Failure {
    ErrorBody::new(ErrorCode::InvalidConfig, message)
        .with_hint("`pu context eval --help` shows what the two files look like")
        .into()
}

/// A file that is there as a whole or as it was before.
struct Sheet {
    path: PathBuf,
    new: NamedTempFile,
}

impl Sheet {
    fn begin(path: PathBuf) -> Result<Self, Failure> {
        let folder = path.parent().unwrap_or(Path::new("."));
        // As any new file of the user's: less what the umask takes away.
        let permissions = Permissions::from_mode(0o666);
        let new = tempfile::Builder::new().prefix(".pu-eval-").permissions(permissions).tempfile_in(folder);
        let new = new.map_err(|e| Failure::io("write", &path, e))?;
        Ok(Self { path, new })
    }

    fn finish(mut self, text: &str) -> Result<(), Failure> {
        self.new.write_all(text.as_bytes()).map_err(|e| Failure::io("write", &self.path, e))?;
        self.new.persist(&self.path).map_err(|e| Failure::io("write", &self.path, e.error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_there_as_a_whole_or_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.tsv");
        Sheet::begin(path.clone()).unwrap().finish("old\n").unwrap();
        drop(Sheet::begin(path.clone()).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old\n");
        Sheet::begin(path.clone()).unwrap().finish("new\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = Sheet::begin(folder.path().join("none/run.tsv")).err().unwrap();
        assert!(nowhere.to_string().contains("none/run.tsv"), "{nowhere}");
    }
}
