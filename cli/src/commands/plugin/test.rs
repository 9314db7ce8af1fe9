//! `pu plugin test`: golden tasks: what a plugin must answer, checked.

use super::named;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::plugins::folder::PluginFolder;
use crate::plugins::golden::{self, Golden, NotGolden, Score, Verdict};
use crate::render::{self, View};
use crate::screen;
use pu_protocol::plugin::PluginRun;
use pu_protocol::{Answer, ErrorBody, ErrorCode, Request};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// How many tasks are asked about at once: the answers of most plugins fit into one line then.
const TASKS_AT_ONCE: usize = 20;
/// The exit code for tasks that failed.
const FAILED: u8 = 1;

/// Run golden tasks: what must be picked, what must not, labels, order; recall and precision
///
/// The tasks stand in golden.toml of the folder that the plugin is written in, else of the current folder. What is
/// tested is what was built: `pu plugin build` comes first. Exits with 1 if a task fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu plugin build && pu plugin test
  pu plugin test ./ledger --update
  pu plugin test keyword --golden checks/context.toml --json")]
pub(crate) struct Args {
    /// The folder that the plugin is written in, a component, or its name in this project.
    #[arg(default_value = ".")]
    plugin: String,
    /// The file of golden tasks.
    #[arg(long, value_name = "FILE")]
    golden: Option<PathBuf>,
    /// Write what is picked now into the tasks' `must_pick`; comments stay.
    #[arg(long)]
    update: bool,
}

/// What is tested, by what.
struct Subject {
    /// As the daemon takes it.
    plugin: String,
    file: PathBuf,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let Subject { plugin, file } = self.subject(invocation)?;
        let text = std::fs::read_to_string(&file).map_err(|e| Failure::io("read the golden tasks in", &file, e))?;
        let mut golden = Golden::parse(&text).map_err(|error| not_golden(&file, &error))?;
        // What was just built is compiled first.
        let waiting = named::waiting(invocation, "testing", None, Path::new(&plugin));
        let (name, runs) = ask(invocation, &plugin, &golden, &file)?;
        drop(waiting);

        let mut updated = 0;
        if self.update {
            let (new, changed) =
                golden::update(&text, &golden.tasks, &runs).map_err(|error| not_golden(&file, &error))?;
            golden = Golden::parse(&new).map_err(|error| not_golden(&file, &error))?;
            if changed > 0 {
                replace(&file, &new)?;
            }
            updated = changed;
        }

        let verdicts: Vec<Verdict> =
            golden.tasks.iter().zip(&runs).map(|(task, run)| golden::judge(task, run)).collect();
        let score = Score::of(&verdicts);
        if invocation.json {
            screen::say(&report(&name, &golden, &runs, &verdicts, updated).to_string())?;
        } else {
            let renewed = self.update.then_some((updated, file.as_path()));
            let view = View::new(invocation.style);
            screen::say(&render::plugin::tested(&golden, &runs, &verdicts, renewed, &view))?;
        }
        Ok(if score.failed == 0 { Outcome::DONE } else { Outcome(FAILED) })
    }

    fn subject(&self, invocation: &Invocation) -> Result<Subject, Failure> {
        let path = invocation.path(Path::new(&self.plugin));
        let is_folder = PluginFolder::is_one(&path) || (named::is_path(&self.plugin) && path.is_dir());
        let (plugin, beside) = if is_folder {
            let folder = PluginFolder::open(&path)?;
            (folder.built()?.to_string_lossy().into_owned(), folder.golden())
        } else {
            (named::resolve(invocation, &self.plugin)?, invocation.path(Path::new("golden.toml")))
        };
        let file = self.golden.as_ref().map_or(beside, |golden| invocation.path(golden));
        Ok(Subject { plugin, file })
    }
}

/// Runs the tasks, as many at a time as one answer has room for; gives the plugin's name too.
fn ask(
    invocation: &Invocation,
    plugin: &str,
    golden: &Golden,
    file: &Path,
) -> Result<(String, Vec<PluginRun>), Failure> {
    let specs = match &golden.specs {
        None => None,
        Some(folder) => {
            let folder = file.parent().unwrap_or(&invocation.cwd).join(folder);
            Some(folder.canonicalize().map_err(|e| Failure::io("find the specs of the golden tasks in", folder, e))?)
        }
    };
    let (mut name, mut all) = (plugin.to_owned(), Vec::with_capacity(golden.tasks.len()));
    while let Some(left) = golden.tasks.get(all.len()..).filter(|left| !left.is_empty()) {
        let asked = &left[..left.len().min(TASKS_AT_ONCE)];
        let reply = invocation.ask(&Request::PluginRun {
            cwd: invocation.cwd.clone(),
            plugin: plugin.to_owned(),
            specs: specs.clone(),
            tasks: asked.iter().map(golden::GoldenTask::request).collect(),
        })?;
        match reply.answer {
            // One that says much may have left no room for all.
            Answer::PluginRunReport { plugin, runs } if (1..=asked.len()).contains(&runs.len()) => {
                name = plugin;
                all.extend(runs);
            }
            other => return Err(invocation.mismatch("plugin_run", &other)),
        }
    }
    Ok((name, all))
}

fn not_golden(file: &Path, error: &NotGolden) -> Failure {
    ErrorBody::new(ErrorCode::InvalidConfig, format!("{}: {error}", file.display()))
        .with_hint("`pu plugin new` writes a golden.toml to look at")
        .into()
}

/// A reader sees the old file or the new one.
fn replace(file: &Path, text: &str) -> Result<(), Failure> {
    // What a link points to is replaced, not the link.
    let file = file.canonicalize().map_err(|e| Failure::io("find", file, e))?;
    let failed = |e| Failure::io("write", &file, e);
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = NamedTempFile::new_in(folder).map_err(failed)?;
    new.write_all(text.as_bytes()).map_err(failed)?;
    let permissions = std::fs::metadata(&file).map_err(failed)?.permissions();
    new.as_file().set_permissions(permissions).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    new.persist(&file).map_err(|e| failed(e.error))?;
    Ok(())
}

/// The outcome as a program reads it.
fn report(plugin: &str, golden: &Golden, runs: &[PluginRun], verdicts: &[Verdict], updated: usize) -> Value {
    let tasks = golden.tasks.iter().zip(runs).zip(verdicts).map(|((task, run), verdict)| {
        json!({
            "name": task.title(),
            "passed": verdict.passed(),
            "reasons": verdict.reasons,
            "picks": run.picks,
            "labels": run.labels,
            "report": run.report,
        })
    });
    let score = Score::of(verdicts);
    json!({
        "type": "plugin_test_report",
        "plugin": plugin,
        "passed": score.passed,
        "failed": score.failed,
        "recall": score.recall(),
        "precision": score.precision(),
        "updated": updated,
        "tasks": tasks.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_renewed_file_keeps_its_permissions_and_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.toml"), folder.path().join("golden.toml"));
        File::create(&real).unwrap().set_permissions(Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
