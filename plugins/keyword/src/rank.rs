//! Joins the answers of several searches into one order. Pure.

use pu_plugin_sdk::Hit;

/// A hit and how it stands to the best one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranked {
    pub(crate) hit: Hit,
    /// Above 0 to 1; the first has 1.
    pub(crate) relative: f32,
}

/// Joins answers, each with its weight, the best first. One search alone keeps the order that the index gave.
///
/// Scores compare only within one answer, so each is taken relative to the best of its own.
pub(crate) fn join(answers: Vec<(f32, Vec<Hit>)>) -> Vec<Ranked> {
    let mut joined: Vec<Ranked> = Vec::new();
    for (weight, hits) in answers {
        let best = hits.iter().map(|hit| hit.score).fold(0.0, f32::max);
        for hit in hits.into_iter().filter(|hit| hit.score > 0.0) {
            let gain = weight * hit.score / best;
            match joined.iter_mut().find(|ranked| same_place(&ranked.hit, &hit)) {
                Some(known) => known.relative += gain,
                None => joined.push(Ranked { hit, relative: gain }),
            }
        }
    }
    // Stable, so that equal sums stay in the order of the first search that found them.
    joined.sort_by(|a, b| b.relative.total_cmp(&a.relative));
    let best = joined.first().map_or(1.0, |ranked| ranked.relative);
    for ranked in &mut joined {
        ranked.relative /= best;
    }
    joined
}

fn same_place(a: &Hit, b: &Hit) -> bool {
    a.spec.id == b.spec.id && a.section == b.section
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::SpecMeta;

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
    fn no_answer_is_no_order() {
        assert_eq!(order(vec![(1.0, vec![])]), []);
    }
}
