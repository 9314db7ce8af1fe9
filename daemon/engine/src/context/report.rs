//! Puts the outcome of an assembly into the words of the protocol.
//!
//! Pure. Decides nothing: what is in and why the rest is not is known here already.

use pu_protocol::context::{Candidate, Pick};

use super::budget::Fitted;
use super::library::Library;
use super::merge::{Merged, Why};
use super::piece::{Extent, Piece};

/// As many warnings of one kind as are spelled out.
pub(super) const WARNINGS: usize = 10;

/// What is in the context, the best first: a pick for a whole spec, or one for each passage of it.
pub(super) fn picks(pieces: &[Piece]) -> Vec<Pick> {
    let mut picks = Vec::new();
    for piece in pieces {
        match &piece.extent {
            Extent::Whole { .. } => picks.push(pick(piece, None, &piece.why, piece.document.tokens)),
            Extent::Excerpt(passages) => picks.extend(passages.iter().map(|passage| {
                let section = piece.document.sections.get(passage.section).map(|s| s.id.clone());
                let sections = piece.document.sections.get(passage.run.clone()).unwrap_or_default();
                let tokens = sections.iter().map(|s| s.tokens).fold(0, u32::saturating_add);
                pick(piece, section, &passage.why, tokens)
            })),
        }
    }
    picks
}

fn pick(piece: &Piece, section: Option<String>, why: &Why, tokens: u32) -> Pick {
    Pick {
        spec: piece.document.id.clone(),
        path: piece.document.path.clone(),
        section,
        score: why.score,
        assembler: why.assembler(),
        reason: why.reason(),
        tokens,
        rule: told(&piece.why),
    }
}

fn told(why: &Why) -> Option<String> {
    why.rule.map(|rule| rule.name().to_owned())
}

/// Everything that was proposed, the best first, with why it is not in where it is not.
pub(super) fn candidates(merged: &[Merged], fitted: &Fitted, library: &dyn Library) -> Vec<Candidate> {
    let described = merged.iter().zip(&fitted.left_out).map(|(merged, left_out)| {
        let document = library.document(&merged.spec).unwrap_or_default();
        let section = merged.section.as_deref().and_then(|id| document.section(id));
        let pick = Pick {
            spec: merged.spec.clone(),
            path: merged.path.clone(),
            section: merged.section.clone(),
            score: merged.why.score,
            assembler: merged.why.assembler(),
            reason: merged.why.reason(),
            tokens: section.map_or(document.tokens, |i| document.sections[i].tokens),
            rule: told(&merged.why),
        };
        Candidate { pick, title: document.title.clone(), included: left_out.is_none(), left_out: left_out.clone() }
    });
    described.collect()
}

/// The first `limit` lines, and how many there are besides.
pub(super) fn at_most(limit: usize, mut lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut shown: Vec<String> = lines.by_ref().take(limit).collect();
    shown.extend(more(lines.count()));
    shown
}

/// The line for those that are not shown, if there are any.
pub(super) fn more(count: usize) -> Option<String> {
    (count > 0).then(|| format!("and {count} more like this"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_counted() {
        let lines = |n: usize| (0..n).map(|i| format!("line {i}"));
        assert_eq!(at_most(2, lines(2)), ["line 0", "line 1"]);
        assert_eq!(at_most(2, lines(5)), ["line 0", "line 1", "and 3 more like this"]);
    }
}
