//! From the outcomes of all tasks to the figures, each with its interval. Every task counts the same.

use super::bootstrap::{self, Estimate};
use super::metrics::{self, TaskScore};
use super::notes::{self, Note};
use super::{Qrels, TaskOutcome, Tasks};
use std::collections::BTreeSet;

/// What came of an evaluation.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Evaluation {
    pub(crate) tasks: usize,
    /// Those whose answers are known.
    pub(crate) scored: usize,
    pub(crate) figures: Vec<Figure>,
    /// Of the largest context.
    pub(crate) tokens_max: u32,
    pub(crate) budget: u32,
    /// Who was asked, with its version, in the order of the chain.
    pub(crate) assemblers: Vec<String>,
    pub(crate) notes: Vec<Note>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    /// For programs; never renamed.
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    pub(crate) unit: Unit,
    pub(crate) estimate: Estimate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// 0 to 1.
    Share,
    Milliseconds,
}

/// Scores the outcomes, which are in the order of the tasks. Without answers only abstention and latency are known.
pub(crate) fn evaluate(tasks: &Tasks, qrels: Option<&Qrels>, outcomes: &[TaskOutcome]) -> Evaluation {
    let needed = |id: &str| qrels.and_then(|qrels| qrels.of(id));
    let answered: Vec<(&TaskOutcome, &BTreeSet<String>)> =
        tasks.tasks.iter().zip(outcomes).filter_map(|(task, outcome)| Some((outcome, needed(&task.id)?))).collect();
    let scores: Vec<TaskScore> = answered
        .iter()
        .map(|(outcome, needed)| metrics::of_ranking(outcome.ranking.iter().map(|(path, _)| path.as_str()), needed))
        .collect();
    let of_scores = |part: fn(&TaskScore) -> f64| bootstrap::mean(&scores.iter().map(part).collect::<Vec<_>>());
    let in_budget: Vec<f64> =
        answered.iter().map(|(outcome, needed)| metrics::of_context(&outcome.picks, needed)).collect();
    // A hard rule holds for tasks that no spec is about, too.
    let has_found = |outcome: &TaskOutcome| outcome.picks.iter().any(|pick| pick.rule.is_none());
    let abstained: Vec<f64> = outcomes.iter().map(|outcome| if has_found(outcome) { 0.0 } else { 1.0 }).collect();
    let times: Vec<f64> = outcomes.iter().map(|outcome| outcome.elapsed.as_secs_f64() * 1000.0).collect();
    let figures = [
        ("ndcg@10", "nDCG@10", Unit::Share, of_scores(|s| s.ndcg_10)),
        ("recall@5", "Recall@5", Unit::Share, of_scores(|s| s.recall_5)),
        ("success@1", "Success@1", Unit::Share, of_scores(|s| s.success_1)),
        ("mrr@10", "MRR@10", Unit::Share, of_scores(|s| s.mrr_10)),
        ("recall_in_budget", "recall within the budget", Unit::Share, bootstrap::mean(&in_budget)),
        ("abstention", "abstention", Unit::Share, bootstrap::mean(&abstained)),
        ("latency_p50_ms", "latency p50", Unit::Milliseconds, bootstrap::percentile(&times, 50)),
        ("latency_p99_ms", "latency p99", Unit::Milliseconds, bootstrap::percentile(&times, 99)),
    ];
    let figures = figures.into_iter().filter_map(|(key, label, unit, estimate)| {
        let estimate = estimate?;
        Some(Figure { key, label, unit, estimate })
    });
    Evaluation {
        tasks: outcomes.len(),
        scored: answered.len(),
        figures: figures.collect(),
        tokens_max: outcomes.iter().map(|outcome| outcome.tokens).max().unwrap_or_default(),
        budget: outcomes.first().map(|outcome| outcome.budget).unwrap_or_default(),
        assemblers: outcomes.first().map(chain).unwrap_or_default(),
        notes: notes::notes(tasks, qrels, outcomes),
    }
}

fn chain(outcome: &TaskOutcome) -> Vec<String> {
    let names = outcome.assemblers.iter().map(|a| format!("{} {}", a.name, a.version).trim_end().to_owned());
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::super::outcome::tests::pick;
    use super::*;
    use pu_protocol::context::Pick;
    use std::time::Duration;

    fn outcome(ranking: &str, millis: u64) -> TaskOutcome {
        let ranking = ranking.split_whitespace().map(|path| (path.to_owned(), 0.5)).collect();
        TaskOutcome { ranking, elapsed: Duration::from_millis(millis), budget: 8_000, ..TaskOutcome::default() }
    }

    fn fixture() -> (Tasks, Qrels, Vec<TaskOutcome>) {
        let lines: String = (1..=6).map(|i| format!("{{\"_id\":\"t{i}\",\"text\":\"x\"}}\n")).collect();
        let qrels = "t1\ta\t1\nt2\ta\t1\nt3\ta\t1\nt3\tgone\t1\nt4\tc\t1\nt5\ta\t1\nt5\tb\t1\nt5\tc\t1\n";
        let rankings = ["a b c", "b a", "x y z a", "", "c x a y b", "x c"];
        let mut outcomes: Vec<TaskOutcome> =
            rankings.iter().zip([3, 1, 2, 9, 5, 4]).map(|(ranking, millis)| outcome(ranking, millis)).collect();
        outcomes[0].picks = vec![pick("a", None, 0.5, 100)];
        outcomes[4].picks = vec![pick("a", Some("s"), 0.5, 400), pick("b", Some("s"), 0.5, 100)];
        outcomes[5].picks = vec![pick("x", None, 0.5, 100)];
        outcomes[3].picks = vec![Pick { rule: Some("always".into()), ..pick("y", None, 1.0, 100) }];
        outcomes[4].tokens = 700;
        (Tasks::parse(&lines).unwrap(), Qrels::parse(qrels).unwrap(), outcomes)
    }

    fn value(evaluation: &Evaluation, key: &str) -> Option<(f64, f64, f64)> {
        let figure = evaluation.figures.iter().find(|figure| figure.key == key)?;
        Some((figure.estimate.value, figure.estimate.low, figure.estimate.high))
    }

    /// The means are those of `score.py`, which the evaluation sets come with; the bounds are near its bounds, which are
    /// drawn with other random numbers.
    #[test]
    fn figures_are_those_of_another_scorer() {
        let (tasks, qrels, outcomes) = fixture();
        let evaluation = evaluate(&tasks, Some(&qrels), &outcomes);
        assert_eq!((evaluation.tasks, evaluation.scored), (6, 5));
        for (key, wanted) in [
            ("ndcg@10", (0.556_091_551_543_107_2, 0.231_813_199_743_327_84, 0.857_461_879_657_184)),
            ("recall@5", (0.7, 0.3, 1.0)),
            ("mrr@10", (0.55, 0.2, 0.9)),
            ("success@1", (0.4, 0.0, 0.8)),
        ] {
            let seen = value(&evaluation, key).unwrap();
            assert!((seen.0 - wanted.0).abs() < 1e-12, "{key}: {seen:?}");
            assert!((seen.1 - wanted.1).abs() < 0.01 && (seen.2 - wanted.2).abs() < 0.01, "{key}: {seen:?}");
        }
        // Of t1 all, of t5 one of three; three of six have no pick but a hard rule.
        let in_budget = value(&evaluation, "recall_in_budget").unwrap().0;
        assert!((in_budget - (1.0 + 1.0 / 3.0) / 5.0).abs() < 1e-12, "{in_budget}");
        assert_eq!(value(&evaluation, "abstention").unwrap().0, 0.5);
        assert_eq!(value(&evaluation, "latency_p50_ms").unwrap().0, 3.0);
        assert_eq!(value(&evaluation, "latency_p99_ms").unwrap().0, 9.0);
        assert_eq!((evaluation.tokens_max, evaluation.budget), (700, 8_000));
        assert_eq!(evaluate(&tasks, Some(&qrels), &outcomes), evaluation, "the same each time");
    }

    #[test]
    fn without_answers_only_abstention_and_latency_are_known() {
        let (tasks, _, outcomes) = fixture();
        let evaluation = evaluate(&tasks, None, &outcomes);
        let keys: Vec<&str> = evaluation.figures.iter().map(|figure| figure.key).collect();
        assert_eq!(keys, ["abstention", "latency_p50_ms", "latency_p99_ms"]);
        assert_eq!((evaluation.scored, evaluation.notes.as_slice()), (0, &[][..]));
    }
}
