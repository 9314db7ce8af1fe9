//! Whether a plugin's answer to a golden task is what the file expects, and how good all answers are together.
//!
//! Recall is the part of the wanted picks that was made. Precision is the part of the picks that was wanted, over the
//! tasks that say what they want.

use super::GoldenTask;
use pu_protocol::context::Pick;
use pu_protocol::plugin::PluginRun;

/// What `must_not_pick` calls any pick.
const ANYTHING: &str = "*";

/// How one task went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What is not as expected; empty for a pass.
    pub(crate) reasons: Vec<String>,
    /// How many of `must_pick` were picked, of how many.
    pub(crate) found: usize,
    pub(crate) wanted: usize,
    /// How many picks are in `must_pick`, of how many; both 0 where the task has none.
    pub(crate) right: usize,
    pub(crate) picked: usize,
}

impl Verdict {
    pub(crate) fn passed(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// How all tasks went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) found: usize,
    pub(crate) wanted: usize,
    pub(crate) right: usize,
    pub(crate) picked: usize,
}

impl Score {
    pub(crate) fn of(verdicts: &[Verdict]) -> Self {
        verdicts.iter().fold(Self::default(), |score, verdict| Self {
            passed: score.passed + usize::from(verdict.passed()),
            failed: score.failed + usize::from(!verdict.passed()),
            found: score.found + verdict.found,
            wanted: score.wanted + verdict.wanted,
            right: score.right + verdict.right,
            picked: score.picked + verdict.picked,
        })
    }

    /// None where nothing is wanted.
    pub(crate) fn recall(&self) -> Option<f64> {
        ratio(self.found, self.wanted)
    }

    /// None where nothing was picked.
    pub(crate) fn precision(&self) -> Option<f64> {
        ratio(self.right, self.picked)
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

pub(crate) fn judge(task: &GoldenTask, run: &PluginRun) -> Verdict {
    let mut verdict = Verdict::default();
    count(task, run, &mut verdict);
    verdict.reasons = match (&task.expect_error, &run.report.error) {
        (None, None) => answer_reasons(task, run),
        (Some(wanted), Some(error)) if *wanted == error.code => Vec::new(),
        (Some(wanted), Some(error)) => {
            vec![format!("should end with the error {wanted}, ended with {}: {}", error.code, error.message)]
        }
        (Some(wanted), None) => vec![format!("should end with the error {wanted}, gave an answer")],
        (None, Some(error)) => vec![format!("{}: {}", error.code, error.message)],
    };
    verdict
}

fn count(task: &GoldenTask, run: &PluginRun, verdict: &mut Verdict) {
    let Some(wanted) = task.must_pick.as_deref().filter(|list| !list.is_empty()) else { return };
    verdict.wanted = wanted.len();
    verdict.found = wanted.iter().filter(|name| place(name, &run.picks).is_some()).count();
    verdict.picked = run.picks.len();
    verdict.right = run.picks.iter().filter(|pick| wanted.iter().any(|name| names(name, pick))).count();
}

fn answer_reasons(task: &GoldenTask, run: &PluginRun) -> Vec<String> {
    let mut reasons = Vec::new();
    let missing = task.must_pick.iter().flatten().filter(|name| place(name, &run.picks).is_none());
    reasons.extend(missing.map(|name| format!("does not pick {name}")));
    for pick in &run.picks {
        if task.must_not_pick.iter().any(|name| name == ANYTHING || names(name, pick)) {
            reasons.push(format!("picks {}, which it must not", spelled(pick)));
        }
    }
    let labelled = |name: &String| run.labels.iter().any(|label| label.name == *name);
    reasons.extend(task.must_label.iter().filter(|name| !labelled(name)).map(|name| format!("does not label {name}")));
    reasons.extend(order_reason(&task.order, &run.picks));
    if !reasons.is_empty() {
        reasons.extend(run.report.dropped.iter().map(|what| format!("dropped from its answer: {what}")));
    }
    reasons
}

/// The first that is missing, or does not come behind the one before it.
fn order_reason(order: &[String], picks: &[Pick]) -> Option<String> {
    let mut last: Option<(&str, usize)> = None;
    for name in order {
        let Some(at) = place(name, picks) else {
            return Some(format!("does not pick {name}, which has a place in the order"));
        };
        if let Some((before, place)) = last
            && at <= place
        {
            return Some(format!("picks {name} before {before}"));
        }
        last = Some((name, at));
    }
    None
}

fn place(name: &str, picks: &[Pick]) -> Option<usize> {
    picks.iter().position(|pick| names(name, pick))
}

/// Whether a name in the file means this pick: a spec means any section of it, `spec#section` that one only.
pub(super) fn names(name: &str, pick: &Pick) -> bool {
    let is_spec = |spec: &str| pick.spec == spec || pick.path == spec;
    if is_spec(name) {
        return true;
    }
    // A section may have a `#` in its name as well as a spec: every one may be the border.
    let mut borders = name.match_indices('#');
    borders.any(|(at, _)| is_spec(&name[..at]) && pick.section.as_deref() == Some(&name[at + 1..]))
}

/// A pick as the file spells it.
pub(crate) fn spelled(pick: &Pick) -> String {
    let spec = if pick.spec.is_empty() { &pick.path } else { &pick.spec };
    match &pick.section {
        Some(section) => format!("{spec}#{section}"),
        None => spec.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use pu_protocol::context::{AssemblerError, AssemblerReport, Label};

    pub(crate) fn pick(spec: &str, section: Option<&str>) -> Pick {
        let path = format!("specs/{}.md", spec.to_lowercase());
        Pick { spec: spec.into(), path, section: section.map(Into::into), ..Default::default() }
    }

    /// A run that picked these and labelled the task `bugfix`.
    pub(crate) fn run(picks: &[Pick]) -> PluginRun {
        PluginRun {
            picks: picks.to_vec(),
            labels: vec![Label { name: "bugfix".into(), ..Default::default() }],
            ..Default::default()
        }
    }

    fn failed(code: &str) -> PluginRun {
        let error = Some(AssemblerError { code: code.into(), message: "so it was".into() });
        PluginRun { report: AssemblerReport { error, ..Default::default() }, ..Default::default() }
    }

    fn task(toml: &str) -> GoldenTask {
        toml_edit::de::from_str(&format!("prompt = \"x\"\n{toml}")).unwrap()
    }

    #[test]
    fn every_expectation_passes_or_says_why_not() {
        let picks = [pick("A", None), pick("B", Some("one/two")), pick("C", None)];
        for (expected, reasons) in [
            ("", &[][..]),
            (r#"must_pick = ["A", "specs/b.md", "B#one/two"]"#, &[]),
            (r#"must_pick = ["B#one", "D"]"#, &["does not pick B#one", "does not pick D"]),
            (r#"must_not_pick = ["D", "B#one"]"#, &[]),
            (r#"must_not_pick = ["B"]"#, &["picks B#one/two, which it must not"]),
            (r#"must_label = ["bugfix"]"#, &[]),
            (r#"must_label = ["billing"]"#, &["does not label billing"]),
            (r#"order = ["A", "C"]"#, &[]),
            (r#"order = ["C", "A"]"#, &["picks A before C"]),
            (r#"order = ["A", "D"]"#, &["does not pick D, which has a place in the order"]),
            (r#"expect_error = "trap""#, &["should end with the error trap, gave an answer"]),
        ] {
            assert_eq!(judge(&task(expected), &run(&picks)).reasons, reasons, "{expected}");
        }
        let any = judge(&task(r#"must_not_pick = ["*"]"#), &run(&picks));
        assert_eq!(any.reasons.len(), 3);
        assert!(judge(&task(r#"must_not_pick = ["*"]"#), &run(&[])).passed());
    }

    #[test]
    fn an_error_is_a_failure_unless_it_is_the_expected_one() {
        for (expected, reasons) in [
            ("", &["trap: so it was"][..]),
            (r#"must_not_pick = ["*"]"#, &["trap: so it was"]),
            (r#"expect_error = "trap""#, &[]),
            (r#"expect_error = "panic""#, &["should end with the error panic, ended with trap: so it was"]),
        ] {
            assert_eq!(judge(&task(expected), &failed("trap")).reasons, reasons, "{expected}");
        }
    }

    #[test]
    fn what_the_host_dropped_explains_a_failure() {
        let mut run = run(&[]);
        run.report.dropped = vec!["pick 1: no spec \"X\"".into()];
        let reasons = judge(&task(r#"must_pick = ["A"]"#), &run).reasons;
        assert_eq!(reasons, ["does not pick A", "dropped from its answer: pick 1: no spec \"X\""]);
        assert!(judge(&task(""), &run).passed());
    }

    #[test]
    fn recall_and_precision_are_over_tasks_that_want_something() {
        let verdicts = [
            judge(&task(r#"must_pick = ["A", "D"]"#), &run(&[pick("A", None), pick("A", Some("s")), pick("B", None)])),
            judge(&task(r#"must_pick = ["C"]"#), &run(&[pick("C", None)])),
            judge(&task(r#"must_not_pick = ["D"]"#), &run(&[pick("E", None)])),
            judge(&task(r#"must_pick = ["A"]"#), &failed("deadline")),
        ];
        let score = Score::of(&verdicts);
        assert_eq!((score.passed, score.failed), (2, 2));
        assert_eq!((score.found, score.wanted, score.right, score.picked), (2, 4, 3, 4));
        assert_eq!((score.recall(), score.precision()), (Some(0.5), Some(0.75)));
        assert_eq!((Score::default().recall(), Score::default().precision()), (None, None));
    }

    #[test]
    fn a_number_sign_may_stand_in_a_name() {
        for (name, pick, wanted) in [
            ("A#s", pick("A", Some("s")), true),
            ("A#s", pick("A", None), false),
            ("C#/intro", pick("C#/intro", None), true),
            ("A#c#-and-f#", pick("A", Some("c#-and-f#")), true),
            ("specs/a.md#s", pick("A", Some("s")), true),
        ] {
            assert_eq!(names(name, &pick), wanted, "{name}");
        }
    }
}
