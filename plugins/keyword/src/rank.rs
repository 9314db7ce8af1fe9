//! Joins the answers of several searches into one order. Pure.

use pu_plugin_sdk::Hit;

/// A hit and how it stands to the best one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranked {
    pub(crate) hit: Hit,
    /// Above 0 to 1; the best has 1, and so has whatever is named.
    pub(crate) relative: f32,
    /// The task names the spec by an id that it defines.
    pub(crate) named: bool,
    /// How sure the index is that the spec is about a search's text; none where it does not say.
    pub(crate) about: Option<f32>,
    /// The words of the searches that the spec has, as the index says; a word may come again.
    pub(crate) matched: Vec<String>,
}

/// Joins answers, each with its weight, the best first. One search alone keeps the order that the index gave.
///
/// Scores compare only within one answer, so each is taken relative to the best of its own. What the task names by id
/// comes first, as it does within one answer: it is meant, however few of its words are there.
pub(crate) fn join(answers: Vec<(f32, Vec<Hit>)>) -> Vec<Ranked> {
    let mut joined: Vec<Ranked> = Vec::new();
    for (weight, hits) in answers {
        let best = hits.iter().map(|hit| hit.score).fold(0.0, f32::max);
        for hit in hits.into_iter().filter(|hit| hit.score > 0.0) {
            let gain = weight * hit.score / best;
            let named = is_named(&hit);
            let (about, matched) = (about(&hit), matched(&hit));
            match joined.iter_mut().find(|ranked| same_place(&ranked.hit, &hit)) {
                Some(known) => {
                    known.relative += gain;
                    known.named |= named;
                    known.about = known.about.into_iter().chain(about).reduce(f32::max);
                    known.matched.extend(matched);
                }
                None => joined.push(Ranked { hit, relative: gain, named, about, matched }),
            }
        }
    }
    let best = joined.iter().map(|ranked| ranked.relative).fold(0.0, f32::max);
    for ranked in &mut joined {
        ranked.relative = if ranked.named { 1.0 } else { ranked.relative / best };
    }
    // Stable, so that equal sums stay in the order of the first search that found them.
    joined.sort_by(|a, b| b.named.cmp(&a.named).then(b.relative.total_cmp(&a.relative)));
    joined
}

/// Whether the index found the hit by an id that the search's text names.
fn is_named(hit: &Hit) -> bool {
    hit.extra.iter().any(|attr| attr.key == "score.id")
}

fn about(hit: &Hit) -> Option<f32> {
    let said = hit.extra.iter().find(|attr| attr.key == "about")?;
    said.value.parse().ok().filter(|about| (0.0..=1.0).contains(about))
}

fn matched(hit: &Hit) -> Vec<String> {
    hit.extra.iter().filter(|attr| attr.key == "matched").map(|attr| attr.value.clone()).collect()
}

fn same_place(a: &Hit, b: &Hit) -> bool {
    a.spec.id == b.spec.id && a.section == b.section
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::{Attr, SpecMeta};

    fn hit(id: &str, score: f32) -> Hit {
        Hit { spec: SpecMeta { id: id.into(), ..SpecMeta::default() }, score, ..Hit::default() }
    }

    fn order(answers: Vec<(f32, Vec<Hit>)>) -> Vec<(String, f32)> {
        join(answers).into_iter().map(|ranked| (ranked.hit.spec.id, ranked.relative)).collect()
    }

    #[test]
    fn one_answer_keeps_its_order_and_proportions() {
        let answer = vec![hit("a", 8.0), hit("b", 4.0), hit("c", 0.0)];
        assert_eq!(order(vec![(0.5, answer)]), [("a".to_owned(), 1.0), ("b".to_owned(), 0.5)]);
    }

    #[test]
    fn what_several_searches_find_comes_first() {
        let (first, second) = (vec![hit("a", 10.0), hit("b", 9.0)], vec![hit("b", 0.1)]);
        let order = order(vec![(1.0, first), (0.5, second)]);
        assert_eq!(order[0], ("b".to_owned(), 1.0));
        assert_eq!(order[1].0, "a");
    }

    #[test]
    fn what_is_named_by_id_comes_first_in_whichever_search_it_was() {
        let extra = vec![Attr { key: "score.id".into(), value: "1.000".into() }];
        let named = Hit { extra, ..hit("c", 1.0) };
        let order = order(vec![(1.0, vec![hit("a", 10.0), hit("b", 5.0)]), (0.5, vec![named])]);
        assert_eq!(order, [("c".to_owned(), 1.0), ("a".to_owned(), 1.0), ("b".to_owned(), 0.5)]);
    }

    #[test]
    fn a_hit_of_several_searches_has_the_words_of_all() {
        let with =
            |word: &str| Hit { extra: vec![Attr { key: "matched".into(), value: word.into() }], ..hit("a", 1.0) };
        assert_eq!(join(vec![(1.0, vec![with("token")]), (0.5, vec![with("hour")])])[0].matched, ["token", "hour"]);
    }

    #[test]
    fn the_surest_search_says_what_a_hit_is_about() {
        let said = |about: &str| {
            let extra = vec![Attr { key: "about".into(), value: about.into() }];
            (1.0, vec![Hit { extra, ..hit("a", 1.0) }])
        };
        let about = |answers: Vec<(f32, Vec<Hit>)>| join(answers)[0].about;
        assert_eq!(about(vec![said("0.25"), (1.0, vec![hit("a", 1.0)]), said("0.5")]), Some(0.5));
        assert_eq!((about(vec![said("NaN")]), about(vec![(1.0, vec![hit("a", 1.0)])])), (None, None));
    }

    #[test]
    fn no_answer_is_no_order() {
        assert_eq!(order(vec![(1.0, vec![])]), []);
    }
}
