//! What another task's context has more, less, and in another order.
//!
//! Pure. A spec that is whole in one and quoted in the other is both: less of the one and more of the other.

use super::context::{indent, title};
use super::{View, count, grouped};
use crate::text::brief;
use pu_protocol::context::{ContextReport, Pick};
use serde_json::{Value, json};

const REASON_MAX: usize = 90;

/// The difference between two contexts, as the way from this one to the other.
#[derive(Debug, Default, PartialEq)]
struct Diff<'a> {
    more: Vec<&'a Pick>,
    less: Vec<&'a Pick>,
    moved: Vec<Moved<'a>>,
}

/// What both have, at another place among what both have.
#[derive(Debug, PartialEq)]
struct Moved<'a> {
    pick: &'a Pick,
    /// Places in the whole contexts, from one.
    from: usize,
    to: usize,
}

fn diff<'a>(this: &'a [Pick], other: &'a [Pick]) -> Diff<'a> {
    let same = |a: &Pick, b: &Pick| (&a.path, &a.section) == (&b.path, &b.section);
    let without = |picks: &'a [Pick], others: &[Pick]| -> Vec<&'a Pick> {
        picks.iter().filter(|pick| !others.iter().any(|other| same(pick, other))).collect()
    };
    // Of what both have: where it stands here, in the order of the other.
    let common: Vec<(usize, usize)> = other
        .iter()
        .enumerate()
        .filter_map(|(to, pick)| Some((this.iter().position(|mine| same(mine, pick))?, to)))
        .collect();
    let mut here: Vec<usize> = common.iter().map(|(from, _)| *from).collect();
    here.sort_unstable();
    let moved = common.iter().zip(here).filter(|((from, _), unmoved)| from != unmoved).map(|((from, to), _)| Moved {
        pick: &other[*to],
        from: from + 1,
        to: to + 1,
    });
    Diff { more: without(other, this), less: without(this, other), moved: moved.collect() }
}

pub(crate) fn text(this: &ContextReport, other: &ContextReport, view: &View) -> String {
    let head = format!("this task   {}\nother task  {}", sized(this), sized(other));
    match rows(this, other, view) {
        Some(rows) => format!("{head}\n{rows}"),
        None => format!("{head}\nthe same specs in the same order"),
    }
}

/// A context in a few words.
pub(super) fn sized(report: &ContextReport) -> String {
    let specs: std::collections::BTreeSet<&str> = report.picks.iter().map(|pick| pick.path.as_str()).collect();
    format!("{}, {} tokens", count(specs.len(), "spec"), grouped(report.tokens.into()))
}

/// What is more, less and moved on the way from this one to the other; nothing if that is nothing.
pub(super) fn rows(this: &ContextReport, other: &ContextReport, view: &View) -> Option<String> {
    let Diff { more, less, moved } = diff(&this.picks, &other.picks);
    let row = |change: String, pick: &Pick| {
        let (tokens, score) = (grouped(pick.tokens.into()), format!("{:.2}", pick.score));
        [change, title(pick), tokens, score, pick.assembler.clone(), brief(&pick.reason, REASON_MAX)]
    };
    let more = more.into_iter().map(|pick| row("more".to_owned(), pick));
    let less = less.into_iter().map(|pick| row("less".to_owned(), pick));
    let moved = moved.iter().map(|moved| row(format!("moved {} to {}", moved.from, moved.to), moved.pick));
    let rows: Vec<_> = more.chain(less).chain(moved).collect();
    if rows.is_empty() {
        return None;
    }
    Some(indent(&view.table(["CHANGE", "SPEC", "TOKENS", "SCORE", "BY", "WHY"], rows)))
}

pub(crate) fn json(this: &ContextReport, other: &ContextReport) -> Value {
    let Diff { more, less, moved } = diff(&this.picks, &other.picks);
    let moved: Vec<Value> = moved.iter().map(|m| json!({ "pick": m.pick, "from": m.from, "to": m.to })).collect();
    let sized = |report: &ContextReport| json!({ "tokens": report.tokens, "budget": report.budget });
    json!({
        "type": "context_diff",
        "this": sized(this),
        "other": sized(other),
        "more": more,
        "less": less,
        "moved": moved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::view;

    fn report(picks: &[(&str, Option<&str>)]) -> ContextReport {
        let pick = |(path, section): &(&str, Option<&str>)| Pick {
            path: (*path).to_owned(),
            section: section.map(str::to_owned),
            score: 0.5,
            assembler: "keyword".into(),
            reason: "it matches".into(),
            tokens: 100,
            ..Pick::default()
        };
        let picks: Vec<Pick> = picks.iter().map(pick).collect();
        ContextReport { tokens: 1_234, budget: 8_000, picks, ..ContextReport::default() }
    }

    #[test]
    fn what_is_more_less_and_moved_is_shown() {
        let this = report(&[("a", None), ("b", None), ("c", None), ("d", None)]);
        let other = report(&[("x", None), ("c", None), ("b", None), ("a", Some("s"))]);
        insta::assert_snapshot!(text(&this, &other, &view()), @r"
        this task   4 specs, 1,234 tokens
        other task  4 specs, 1,234 tokens
          CHANGE        SPEC   TOKENS  SCORE  BY       WHY
          more          x      100     0.50   keyword  it matches
          more          a § s  100     0.50   keyword  it matches
          less          a      100     0.50   keyword  it matches
          less          d      100     0.50   keyword  it matches
          moved 3 to 2  c      100     0.50   keyword  it matches
          moved 2 to 3  b      100     0.50   keyword  it matches
        ");
        let told = json(&this, &other);
        assert_eq!((told["more"].as_array().unwrap().len(), &told["moved"][0]["from"]), (2, &json!(3)));
    }

    #[test]
    fn what_only_made_room_for_another_has_not_moved() {
        let this = report(&[("a", None), ("b", None)]);
        let other = report(&[("x", None), ("a", None), ("b", None)]);
        assert_eq!(diff(&this.picks, &other.picks).moved, []);
        insta::assert_snapshot!(text(&this, &this, &view()), @r"
        this task   2 specs, 1,234 tokens
        other task  2 specs, 1,234 tokens
        the same specs in the same order
        ");
    }
}
