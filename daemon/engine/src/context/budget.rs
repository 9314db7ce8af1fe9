//! Fits what was chosen into a number of tokens.
//!
//! The order is the ranking, what the user asked for first and hard rules next. Four steps:
//! 1. **Place.** A spec goes whole if it takes at most half of what is left ([`WHOLE_SHARE`]), or if it is short and
//!    nearly as good as the best. Else its best passage goes, if that takes at most half of what is left, and further
//!    ones in a quarter of it ([`EXCERPT_SHARE`]): so one long spec never keeps the next ones out. What the user asked
//!    for goes whole wherever it fits, and so do hard rules, the short ones first, in the part of the budget that is
//!    theirs ([`RULES_SHARE`]).
//! 2. **Place again,** without shares, what step 1 had no room for: more specs before more of each.
//! 3. **Deepen.** What is left over goes, in the same order, to those that are quoted in part.
//! 4. **Settle.** The rendered text is counted by the real tokenizer; while it is over, the last part is taken out.
//!
//! Invariant: the rendered text has at most `budget` tokens, and everything that is not in it has a reason.
//!
//! Text is read only of what is placed, and what is in already under another path is not placed again (`repeats`). Token
//! figures come from the catalog until step 4.

use std::collections::HashMap;
use std::ops::Range;

use super::library::{Document, Library};
use super::merge::{Merged, Why};
use super::passage;
use super::piece::{Extent, Passage, Piece};
use super::render;
use super::repeats::{Repeats, Words};
use super::threshold::{self, Threshold};

/// The part of what is left that a whole spec may take.
const WHOLE_SHARE: f32 = 0.5;
/// A spec this short goes whole beyond that share, if it is nearly as good as the best.
const SHORT: u32 = 1_500;
const NEARLY_BEST: f32 = 0.8;
/// The part of what is left that the passages of one spec may take at first, and the least that they are allowed.
const EXCERPT_SHARE: f32 = 0.25;
const EXCERPT_LEAST: u32 = 600;
/// The part of the budget that hard rules may take together: plugins may mark what they like, and what was found for the
/// task is to have room beside it.
const RULES_SHARE: f32 = 0.5;
/// Tokens may join differently where two texts meet.
const SEAM: u32 = 3;

const OVER_BUDGET: &str = "over budget";
const OVER_RULES_SHARE: &str = "over the half of the budget that hard rules may take";

/// What fits, and what became of the rest.
#[derive(Debug)]
pub(super) struct Fitted {
    pub pieces: Vec<Piece>,
    pub text: Option<String>,
    pub tokens: u32,
    /// By candidate: why it is not in the context; `None` if it is.
    pub left_out: Vec<Option<String>>,
}

/// What of a budget hard rules may take together.
pub(super) fn for_rules(budget: u32) -> u32 {
    share(budget, RULES_SHARE)
}

/// Chooses among ranked candidates what goes into `budget` tokens, as counted by `count`.
pub(super) fn fit(
    candidates: &[Merged],
    library: &dyn Library,
    budget: u32,
    threshold: Threshold,
    count: &dyn Fn(&str) -> u32,
) -> Fitted {
    let mut reasons = threshold::cuts(candidates, threshold);
    let groups = groups(candidates, &reasons);
    let best = groups.iter().filter(|g| !g.explicit && !g.is_rule).map(|g| g.why.score).fold(0.0, f32::max);
    let left = budget.saturating_sub(count(render::preamble()).saturating_add(SEAM));
    let rules_left = for_rules(budget);
    let (pieces, repeats, frames) = (Vec::new(), Repeats::default(), HashMap::new());
    let mut packer = Packer { library, count, left, rules_left, best, pieces, repeats, frames };
    let mut waiting: Vec<&Group<'_>> = groups.iter().collect();
    waiting.sort_by_cached_key(|group| turn(group, library));
    for shares in [[WHOLE_SHARE, EXCERPT_SHARE], [1.0, 1.0]] {
        waiting.retain(|group| match packer.place(group, shares) {
            Ok(()) => false,
            Err(reason) => {
                group.members.iter().for_each(|member| reasons[*member] = Some(reason.clone()));
                reason == OVER_BUDGET
            }
        });
    }
    packer.pieces.sort_by_key(|piece| groups.iter().position(|g| g.spec == piece.document.id));
    packer.deepen(&groups);
    let (pieces, text, tokens) = settle(packer.pieces, budget, count);
    for (candidate, reason) in candidates.iter().zip(&mut reasons) {
        let piece = pieces.iter().find(|p| p.document.id == candidate.spec);
        if piece.is_some_and(|p| p.holds(candidate.section.as_deref())) {
            *reason = None;
        } else if reason.is_none() {
            *reason = Some(OVER_BUDGET.into());
        }
    }
    Fitted { pieces, text, tokens, left_out: reasons }
}

/// The candidates of one spec.
struct Group<'a> {
    spec: &'a str,
    explicit: bool,
    /// A hard rule that the user did not ask for as well.
    is_rule: bool,
    why: Why,
    /// Places in the list of candidates, the best first.
    members: Vec<usize>,
    /// Sections that were proposed by name, with who and why.
    sections: Vec<(&'a str, Why)>,
}

fn groups<'a>(candidates: &'a [Merged], cuts: &[Option<String>]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let kept = candidates.iter().enumerate().zip(cuts).filter(|(_, cut)| cut.is_none());
    for ((i, candidate), _) in kept {
        let at = groups.iter().position(|g| g.spec == candidate.spec).unwrap_or_else(|| {
            groups.push(Group {
                spec: &candidate.spec,
                explicit: candidate.explicit,
                is_rule: !candidate.explicit && candidate.why.rule.is_some(),
                why: candidate.why.clone(),
                members: Vec::new(),
                sections: Vec::new(),
            });
            groups.len() - 1
        });
        if candidate.section.is_none() {
            groups[at].why.add_proposers(&candidate.why);
        }
        groups[at].members.push(i);
        groups[at].sections.extend(candidate.section.as_deref().map(|section| (section, candidate.why.clone())));
    }
    groups
}

/// When a spec is placed: what the user asked for, hard rules, the rest. Of the rules the short ones come first, so that a
/// long one keeps none of them out.
fn turn(group: &Group<'_>, library: &dyn Library) -> (u8, u32) {
    if group.explicit {
        (0, 0)
    } else if group.is_rule {
        (1, library.document(group.spec).map_or(0, |document| document.tokens))
    } else {
        (2, 0)
    }
}

/// How many tokens the passages of one spec may take.
#[derive(Clone, Copy)]
struct Room {
    /// For the first, which is the best: a long section is better than none.
    first: u32,
    /// For all, where there are several.
    all: u32,
}

struct Packer<'a> {
    library: &'a dyn Library,
    count: &'a dyn Fn(&str) -> u32,
    left: u32,
    /// Of that, what hard rules may take.
    rules_left: u32,
    /// The best score of what is ranked.
    best: f32,
    pieces: Vec<Piece>,
    repeats: Repeats,
    /// What heading and tags of a spec cost, by its id: both rounds ask.
    frames: HashMap<String, (u32, u32)>,
}

impl Packer<'_> {
    /// Places a spec; `shares` are the parts of what is left that it may take whole and by its passages. Of hard rules the
    /// long ones come last, so that they may take all.
    fn place(&mut self, group: &Group<'_>, shares: [f32; 2]) -> Result<(), String> {
        let [whole_share, excerpt_share] = if group.is_rule { [1.0, 1.0] } else { shares };
        let document = self.library.document(group.spec).ok_or("the spec is gone")?;
        if let Some(path) = self.repeats.copied_from(&document) {
            return Err(same_text(path));
        }
        let mut piece = Piece { document, why: group.why.clone(), extent: Extent::Excerpt(Vec::new()) };
        let (heading, tags) = self.frame_of(&piece);
        let left = self.left_for(group);
        if heading >= left {
            return Err(self.no_room_for(group).into());
        }
        let whole = piece.document.tokens.saturating_add(tags);
        let cost = whole.saturating_add(heading);
        if cost <= left && self.may_go_whole(group, &piece.document, cost, whole_share) {
            let text = self.fresh_text(&piece.document, None)?;
            piece.extent = Extent::Whole { text, tokens: whole };
        } else {
            let room = |part| share(left, part).max(EXCERPT_LEAST).min(left).saturating_sub(heading);
            let room = Room { first: room(whole_share), all: room(excerpt_share) };
            piece.extent = Extent::Excerpt(self.passages(group, &piece.document, &[], room)?);
        }
        self.spend(group, heading.saturating_add(piece.tokens()));
        self.repeats.note_document(&piece.document);
        self.pieces.push(piece);
        Ok(())
    }

    fn may_go_whole(&self, group: &Group<'_>, document: &Document, cost: u32, whole_share: f32) -> bool {
        group.explicit
            || group.is_rule
            || cost <= share(self.left, whole_share)
            || (document.tokens <= SHORT && group.why.score >= NEARLY_BEST * self.best)
    }

    fn left_for(&self, group: &Group<'_>) -> u32 {
        if group.is_rule { self.left.min(self.rules_left) } else { self.left }
    }

    fn no_room_for(&self, group: &Group<'_>) -> &'static str {
        if group.is_rule && self.rules_left < self.left { OVER_RULES_SHARE } else { OVER_BUDGET }
    }

    fn spend(&mut self, group: &Group<'_>, tokens: u32) {
        self.left = self.left.saturating_sub(tokens);
        if group.is_rule {
            self.rules_left = self.rules_left.saturating_sub(tokens);
        }
    }

    fn take_back(&mut self, group: &Group<'_>, tokens: u32) {
        self.left = self.left.saturating_add(tokens);
        if group.is_rule {
            self.rules_left = self.rules_left.saturating_add(tokens);
        }
    }

    /// Gives what is left over to the pieces that are quoted in part.
    fn deepen(&mut self, groups: &[Group<'_>]) {
        for at in 0..self.pieces.len() {
            let mut piece = self.pieces[at].clone();
            let Some(group) = groups.iter().find(|g| g.spec == piece.document.id) else { continue };
            let whole = piece.document.tokens.saturating_add(self.frame_of(&piece).1);
            let Extent::Excerpt(mut passages) = piece.extent else { continue };
            let spent: u32 = passages.iter().map(|p| p.tokens).sum();
            let left = self.left_for(group);
            let text = (whole <= left.saturating_add(spent)).then(|| self.text_of_its_own(&piece.document)).flatten();
            piece.extent = if let Some(text) = text {
                Extent::Whole { text, tokens: whole }
            } else {
                // No further passage is nothing to report: the piece is in already.
                let all = Room { first: left, all: left };
                let more = self.passages(group, &piece.document, &passages, all).unwrap_or_default();
                passages.extend(more);
                Extent::Excerpt(passages)
            };
            self.take_back(group, spent);
            self.spend(group, piece.tokens());
            self.pieces[at] = piece;
        }
    }

    /// Further passages of a spec; an error if there is none at all.
    fn passages(
        &mut self,
        group: &Group<'_>,
        document: &Document,
        have: &[Passage],
        room: Room,
    ) -> Result<Vec<Passage>, String> {
        let proposed: Vec<usize> = group.sections.iter().filter_map(|(id, _)| document.section(id)).collect();
        let ranked = self.library.best_sections(&document.id);
        let matching: Vec<usize> = ranked.iter().filter_map(|id| document.section(id)).collect();
        let mut used: Vec<Range<usize>> = have.iter().map(|p| p.run.clone()).collect();
        let (mut passages, mut spent, mut refused) = (Vec::new(), 0_u32, self.no_room_for(group).to_owned());
        for section in passage::order(document, &proposed, &matching) {
            let left = if passages.is_empty() { room.first } else { room.all.saturating_sub(spent) };
            // Looked at before anything is counted: of a long spec hardly any section fits into a rest.
            if document.sections.get(section).is_none_or(|section| section.tokens >= left) {
                continue;
            }
            let frame = self.frame_tokens(document, section);
            let Some(run) = passage::grow(document, section, &used, left.saturating_sub(frame)) else { continue };
            let text = match self.fresh_text(document, Some(&run)) {
                Ok(text) => text,
                Err(reason) => {
                    refused = reason;
                    continue;
                }
            };
            let tokens = run.clone().map(|i| document.sections[i].tokens).fold(frame, u32::saturating_add);
            spent = spent.saturating_add(tokens);
            used.push(run.clone());
            let id = &document.sections[section].id;
            let named = group.sections.iter().find(|(s, _)| s == id);
            let why = named.map_or_else(|| group.why.clone(), |(_, why)| why.clone());
            passages.push(Passage { section, run, text, tokens, why });
        }
        if passages.is_empty() { Err(refused) } else { Ok(passages) }
    }

    /// The text of a spec or of some of its sections, unless the same text is in already.
    fn fresh_text(&mut self, document: &Document, run: Option<&Range<usize>>) -> Result<String, String> {
        let (text, words) = match run {
            None => self.whole_text(document)?,
            Some(run) => {
                let texts: Result<Vec<String>, String> =
                    run.clone().map(|i| self.library.text(&document.id, Some(&document.sections[i].id))).collect();
                let texts = texts?;
                let text = joined(&texts);
                let words = Words::new(&text, texts.iter().map(String::as_str));
                (text, words)
            }
        };
        if let Some(path) = self.repeats.all_from(&words) {
            return Err(same_text(path));
        }
        self.repeats.note(document, words);
        Ok(text)
    }

    /// The text of a spec that is in by passages, unless a part of it is in from elsewhere: that would then be in twice.
    fn text_of_its_own(&mut self, document: &Document) -> Option<String> {
        let (text, words) = self.whole_text(document).ok()?;
        if self.repeats.any_from_another(document, &words) {
            return None;
        }
        self.repeats.note(document, words);
        Some(text)
    }

    fn whole_text(&self, document: &Document) -> Result<(String, Words), String> {
        let text = self.library.text(&document.id, None)?;
        let words = Words::new(&text, document.sections.iter().filter_map(|s| text.get(s.range.clone())));
        Ok((text, words))
    }

    /// What a piece's heading costs, and the tags around it where it goes whole.
    fn frame_of(&mut self, piece: &Piece) -> (u32, u32) {
        if let Some(known) = self.frames.get(&piece.document.id) {
            return *known;
        }
        let cost = |text: &str| (self.count)(text).saturating_add(SEAM);
        let costs = (cost(&render::heading(piece, 99)), cost(&render::tags(&piece.document.path, None)));
        self.frames.insert(piece.document.id.clone(), costs);
        costs
    }

    fn frame_tokens(&self, document: &Document, section: usize) -> u32 {
        let path = document.sections.get(section).map(|s| s.heading_path.as_str());
        (self.count)(&render::tags(&document.path, path)).saturating_add(SEAM)
    }
}

fn share(tokens: u32, part: f32) -> u32 {
    // Rounded down; a budget is far below the 2^24 that an f32 holds exactly.
    (tokens as f32 * part) as u32
}

/// Adjacent sections as they stand in the file: each ends with its own line break, or is given one.
fn joined(texts: &[String]) -> String {
    let mut out = String::new();
    for text in texts {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(text);
    }
    out
}

fn same_text(path: &str) -> String {
    format!("same text as {path}")
}

/// Renders, counts, and takes the last part out until it fits.
fn settle(mut pieces: Vec<Piece>, budget: u32, count: &dyn Fn(&str) -> u32) -> (Vec<Piece>, Option<String>, u32) {
    while let Some(text) = render::context(&pieces) {
        let tokens = count(&text);
        if tokens <= budget {
            return (pieces, Some(text), tokens);
        }
        let emptied = match pieces.last_mut().map(|p| &mut p.extent) {
            Some(Extent::Excerpt(passages)) => {
                passages.pop();
                passages.is_empty()
            }
            _ => true,
        };
        if emptied {
            pieces.pop();
        }
    }
    (Vec::new(), None, 0)
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
