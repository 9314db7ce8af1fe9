//! An evaluation as a table for people and as one object for programs.

use super::context::indent;
use super::{View, grouped};
use crate::eval::{Estimate, Evaluation, Figure, Note, Unit};
use crate::text::{brief, printable};
use serde_json::{Map, Value, json};

/// As much of what a note names as is shown.
const NAMED_MAX: usize = 400;

pub(crate) fn text(evaluation: &Evaluation, at_once: u8, view: &View) -> String {
    let answered = if evaluation.scored > 0 {
        format!(", {} of them with answers", grouped(evaluation.scored as u64))
    } else {
        String::new()
    };
    let chain: Vec<String> = evaluation.assemblers.iter().map(|name| printable(name).into_owned()).collect();
    let mut parts = vec![
        format!("tasks     {}{answered}", grouped(evaluation.tasks as u64)),
        format!("chain     {}", if chain.is_empty() { "none".to_owned() } else { chain.join(", ") }),
        format!(
            "context   {} of {} tokens at the most",
            grouped(evaluation.tokens_max.into()),
            grouped(evaluation.budget.into())
        ),
    ];
    let rows = evaluation.figures.iter().map(row);
    parts.push(indent(&view.table(["FIGURE", "VALUE", "95 % INTERVAL"], rows)));
    if at_once > 1 {
        parts.push(view.style.dim(&format!("the latency is that of {at_once} tasks at once")));
    }
    parts.extend(evaluation.notes.iter().map(|note| view.style.warn(&told(note))));
    parts.join("\n")
}

fn row(figure: &Figure) -> [String; 3] {
    let shown = |value: f64| match figure.unit {
        Unit::Share => format!("{value:.4}"),
        Unit::Milliseconds => format!("{value:.2} ms"),
    };
    let Estimate { value, low, high } = figure.estimate;
    [figure.label.to_owned(), shown(value), format!("{} to {}", shown(low), shown(high))]
}

/// `warning   3 documents of the answers are not indexed: a, b, c`.
fn told(note: &Note) -> String {
    let more = if note.count > note.first.len() { ", …" } else { "" };
    let first = brief(&note.first.join(", ").replace('\n', " "), NAMED_MAX);
    format!("warning   {}: {}: {first}{more}", grouped(note.count as u64), note.what)
}

pub(crate) fn json(evaluation: &Evaluation, at_once: u8) -> Value {
    let figures: Map<String, Value> = evaluation.figures.iter().map(|f| (f.key.to_owned(), figure(f))).collect();
    let notes: Vec<Value> = evaluation
        .notes
        .iter()
        .map(|note| json!({ "code": note.code, "what": note.what, "count": note.count, "first": note.first }))
        .collect();
    json!({
        "type": "context_eval_report",
        "tasks": evaluation.tasks,
        "scored": evaluation.scored,
        "chain": evaluation.assemblers,
        "budget": evaluation.budget,
        "tokens_max": evaluation.tokens_max,
        "at_once": at_once,
        "figures": figures,
        "notes": notes,
    })
}

fn figure(figure: &Figure) -> Value {
    let Estimate { value, low, high } = figure.estimate;
    json!({ "value": value, "low": low, "high": high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::view;

    fn evaluation() -> Evaluation {
        let figure =
            |key, label, unit, value, low, high| Figure { key, label, unit, estimate: Estimate { value, low, high } };
        let strange = (0..10).map(|i| format!("t{i}\u{1b}")).collect();
        Evaluation {
            tasks: 1_200,
            scored: 1_100,
            figures: vec![
                figure("ndcg@10", "nDCG@10", Unit::Share, 0.75, 0.5, 1.0),
                figure("latency_p50_ms", "latency p50", Unit::Milliseconds, 2.5, 2.0, 12.25),
            ],
            tokens_max: 7_990,
            budget: 8_000,
            assemblers: vec!["keyword 0.1.0".into(), "tags 0.1.0".into()],
            notes: vec![
                Note { code: "unknown_task", what: "tasks that have no line", count: 12, first: strange },
                Note { code: "warning", what: "warnings", count: 1, first: vec!["a.md is not indexed".into()] },
            ],
        }
    }

    #[test]
    fn people_read_figures_with_their_intervals_and_what_makes_them_doubtful() {
        insta::assert_snapshot!(text(&evaluation(), 4, &view()), @r"
        tasks     1,200, 1,100 of them with answers
        chain     keyword 0.1.0, tags 0.1.0
        context   7,990 of 8,000 tokens at the most
          FIGURE       VALUE    95 % INTERVAL
          nDCG@10      0.7500   0.5000 to 1.0000
          latency p50  2.50 ms  2.00 ms to 12.25 ms
        the latency is that of 4 tasks at once
        warning   12: tasks that have no line: t0\u{1b}, t1\u{1b}, t2\u{1b}, t3\u{1b}, t4\u{1b}, t5\u{1b}, t6\u{1b}, t7\u{1b}, t8\u{1b}, t9\u{1b}, …
        warning   1: warnings: a.md is not indexed
        ");
    }

    #[test]
    fn programs_read_one_object() {
        let told = json(&evaluation(), 1);
        assert_eq!(told["figures"]["ndcg@10"], json!({ "value": 0.75, "low": 0.5, "high": 1.0 }));
        assert_eq!((&told["type"], &told["scored"]), (&json!("context_eval_report"), &json!(1_100)));
        assert_eq!(
            told["notes"][1],
            json!({
                "code": "warning", "what": "warnings", "count": 1, "first": ["a.md is not indexed"],
            })
        );
    }
}
