//! Which passages of a long spec to quote.
//!
//! Pure. A passage grows around a section that matched: one of fewer than [`READABLE`] tokens says little by itself, so
//! its neighbours come along, those behind it first (its own subsections) and never across into the next chapter.

use std::ops::Range;

use super::library::Document;

/// A passage below this size is seldom understood without what stands around it.
pub(super) const READABLE: u32 = 150;
/// Among so many of the best sections a readable one goes before a short one.
const NEARLY_AS_GOOD: usize = 3;

/// Sections in the order in which to quote them: those that were proposed, then those that match; where none does, the
/// spec from its beginning.
pub(super) fn order(document: &Document, proposed: &[usize], matching: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    for section in proposed.iter().chain(matching) {
        if *section < document.sections.len() && !order.contains(section) {
            order.push(*section);
        }
    }
    if order.is_empty() {
        return (0..document.sections.len()).collect();
    }
    let near = order.len().min(NEARLY_AS_GOOD);
    // Stable: equals keep their rank.
    order[..near].sort_by_key(|i| document.sections[*i].tokens < READABLE);
    order
}

/// The passage around `section` in at most `allowance` tokens, without sections that are used already.
pub(super) fn grow(document: &Document, section: usize, used: &[Range<usize>], allowance: u32) -> Option<Range<usize>> {
    let tokens = |i: usize| document.sections[i].tokens;
    let free = |i: usize| !used.iter().any(|run| run.contains(&i));
    if section >= document.sections.len() || !free(section) || tokens(section) > allowance {
        return None;
    }
    let level = document.sections[section].level;
    let (mut run, mut total) = (section..section + 1, tokens(section));
    let fits = |i: usize, total: u32| free(i) && total.saturating_add(tokens(i)) <= allowance;
    while total < READABLE {
        let after = Some(run.end).filter(|i| document.sections.get(*i).is_some_and(|s| s.level >= level));
        if let Some(i) = after.filter(|i| fits(*i, total)) {
            run.end = i + 1;
            total += tokens(i);
        } else if let Some(i) = run.start.checked_sub(1).filter(|i| fits(*i, total)) {
            run.start = i;
            total += tokens(i);
        } else {
            break;
        }
    }
    Some(run)
}

#[cfg(test)]
mod tests {
    use super::super::library::Section;
    use super::*;

    fn document(sections: &[(u8, u32)]) -> Document {
        let section = |(i, (level, tokens)): (usize, &(u8, u32))| Section {
            id: format!("s{i}"),
            level: *level,
            tokens: *tokens,
            ..Section::default()
        };
        Document { sections: sections.iter().enumerate().map(section).collect(), ..Document::default() }
    }

    #[test]
    fn a_short_section_takes_its_neighbours_along() {
        let doc = document(&[(1, 20), (2, 40), (3, 90), (3, 90), (2, 300), (2, 10), (1, 400)]);
        for (section, used, allowance, expected) in [
            (1, vec![], 1000, Some(1..4)),
            (1, vec![], 140, Some(1..3)),
            (1, vec![], 39, None),
            (4, vec![], 1000, Some(4..5)),
            (5, vec![], 1000, Some(4..6)),
            (5, vec![(4, 5)], 1000, Some(5..6)),
            (2, vec![(1, 4)], 1000, None),
            (9, vec![], 1000, None),
        ] {
            let runs: Vec<Range<usize>> = used.iter().map(|(start, end): &(usize, usize)| *start..*end).collect();
            assert_eq!(grow(&doc, section, &runs, allowance), expected, "{section} {used:?} {allowance}");
        }
    }

    #[test]
    fn proposed_sections_go_first_and_readable_ones_before_nearly_as_good_short_ones() {
        let doc = document(&[(1, 20), (2, 400), (2, 10), (2, 500), (2, 30)]);
        assert_eq!(order(&doc, &[], &[2, 3, 4, 1]), [3, 2, 4, 1]);
        assert_eq!(order(&doc, &[1], &[3, 1, 7]), [1, 3]);
        assert_eq!(order(&doc, &[], &[]), [0, 1, 2, 3, 4]);
    }
}
