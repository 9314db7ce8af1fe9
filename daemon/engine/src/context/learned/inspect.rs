//! What was learnt, in the words of the protocol.

use pu_protocol::learned::{LearnedReport, LearnedTask};

use super::earlier::{Area, Earlier, Said, Saying, Source};
use super::lessons::Lessons;
use crate::plugins::one_line;
use crate::specs::{SpecCatalog, SpecMeta};

/// As many tasks as one answer lists.
const TASKS_MAX: usize = 400;
/// As much of a text, and as many specs of one kind, as are told of each.
const TEXT_MAX: usize = 200;
const SPECS_MAX: usize = 16;

/// Everything that was learnt, with what it says of the specs that there are. `learns` says whether it counts.
pub(in crate::context) fn report(lessons: &Lessons, catalog: &SpecCatalog, learns: bool) -> LearnedReport {
    // Those whose area is more than themselves: few have one.
    let for_files: Vec<(&SpecMeta, Area<'_>)> =
        catalog.specs().iter().map(|spec| (&**spec, Area::of(spec))).filter(|(_, area)| area.is_some()).collect();
    let all = lessons.all();
    let is_commit = |earlier: &&Earlier| earlier.source == Source::Commit;
    let told: Vec<LearnedTask> = all
        .iter()
        .map(|earlier| task(earlier, catalog, &for_files))
        .filter(|task| task.source == AGENT || says_anything(task))
        .collect();
    let more = told.len().saturating_sub(TASKS_MAX);
    LearnedReport {
        learns,
        tasks: told.into_iter().take(TASKS_MAX).collect(),
        commits: number(all.iter().filter(is_commit).count()),
        more: number(more),
        warnings: lessons.warnings.clone(),
    }
}

const AGENT: &str = "agent";
const COMMIT: &str = "commit";

fn task(earlier: &Earlier, catalog: &SpecCatalog, for_files: &[(&SpecMeta, Area<'_>)]) -> LearnedTask {
    let saying = Saying::of(earlier, catalog);
    let mut specs: Vec<&SpecMeta> = saying.specs(catalog);
    specs.extend(for_files.iter().map(|(spec, _)| *spec));
    specs.sort_by(|a, b| a.path.cmp(&b.path));
    specs.dedup_by(|a, b| a.path == b.path);
    let (mut changed, mut asked_for, mut named, mut dropped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for spec in specs {
        let list = match saying.of_spec(spec, &Area::of(spec)) {
            None => continue,
            Some(Said::Changed) => &mut changed,
            Some(Said::AskedFor) => &mut asked_for,
            Some(Said::Named) => &mut named,
            Some(Said::Dropped) => &mut dropped,
        };
        if list.len() < SPECS_MAX {
            list.push(spec.id.clone());
        }
    }
    let source = match earlier.source {
        Source::Agent => AGENT,
        Source::Commit => COMMIT,
    };
    LearnedTask {
        source: source.to_owned(),
        id: earlier.id.clone(),
        name: earlier.name.clone(),
        at: earlier.at.clone(),
        task: one_line(earlier.text.trim().lines().next().unwrap_or_default(), TEXT_MAX),
        changed,
        asked_for,
        named,
        dropped,
        given: earlier.given.iter().take(SPECS_MAX).cloned().collect(),
        files: number(earlier.touched.len()),
    }
}

fn says_anything(task: &LearnedTask) -> bool {
    !(task.changed.is_empty() && task.asked_for.is_empty() && task.named.is_empty() && task.dropped.is_empty())
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The agents' ids that a name stands for among what was learnt: an id, the beginning of one (four characters at least),
/// or the name of an agent, which several may have had.
pub(in crate::context) fn called(lessons: &Lessons, name: &str) -> Vec<String> {
    let agents = || lessons.all().iter().filter(|earlier| earlier.source == Source::Agent);
    let ids = |is_meant: &dyn Fn(&Earlier) -> bool| -> Vec<String> {
        agents().filter(|earlier| is_meant(earlier)).map(|earlier| earlier.id.clone()).collect()
    };
    let exactly = ids(&|earlier| earlier.id == name || earlier.name == name);
    if !exactly.is_empty() || name.len() < 4 {
        return exactly;
    }
    let beginning = ids(&|earlier| earlier.id.starts_with(name));
    if beginning.len() == 1 { beginning } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::earlier::tests::{agent, catalog};
    use super::*;
    use crate::agents::Commit;

    fn lessons() -> Lessons {
        let mut first = agent("Round the totals\nof it all", &["src/login/page.py", "README.md"]);
        (first.id, first.name) = ("abcd1234".into(), "round".into());
        first.given = vec!["LEDGER".into()];
        first.dropped = vec!["LEDGER".into()];
        let mut second = agent("Say nothing", &[]);
        (second.id, second.name) = ("abcd5678".into(), "say".into());
        let commit = |message: &str, path: &str| {
            let touched = vec![path.to_owned()];
            Earlier::of_commit(Commit { id: "c".repeat(40), message: message.into(), touched })
        };
        let all = vec![first, second, commit("Images", "specs/images.md"), commit("Code", "src/a.rs")];
        Lessons::of(all, vec!["a warning".into()])
    }

    #[test]
    fn every_task_is_told_and_of_commits_those_that_say_something() {
        let report = report(&lessons(), &catalog(), true);
        assert_eq!((report.tasks.len(), report.commits, report.more, report.learns), (3, 2, 0, true));
        assert_eq!(report.warnings, ["a warning"]);
        let expected = LearnedTask {
            source: "agent".into(),
            id: "abcd1234".into(),
            name: "round".into(),
            task: "Round the totals".into(),
            changed: vec!["specs/login".into()],
            dropped: vec!["LEDGER".into()],
            given: vec!["LEDGER".into()],
            files: 2,
            ..LearnedTask::default()
        };
        assert_eq!(report.tasks[0], expected);
        assert!(!says_anything(&report.tasks[1]));
        let commit = &report.tasks[2];
        assert_eq!((commit.source.as_str(), commit.changed.as_slice()), ("commit", &["specs/images".to_owned()][..]));
    }

    #[test]
    fn a_task_is_called_by_its_agent_s_id_or_name() {
        let lessons = lessons();
        for (name, ids) in [
            ("round", vec!["abcd1234"]),
            ("abcd5678", vec!["abcd5678"]),
            ("abcd1", vec!["abcd1234"]),
            ("abcd", vec![]),
            ("abc", vec![]),
            ("cccc", vec![]),
        ] {
            assert_eq!(called(&lessons, name), ids, "{name}");
        }
    }
}
