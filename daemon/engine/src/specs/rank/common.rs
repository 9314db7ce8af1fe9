//! How common a word is among specs of any project: what tells the words of a subject from those that all texts share.
//!
//! The rarity of a word within one project cannot tell: `changelog` is rare where only one spec speaks of it, and says
//! nothing of what the spec is about. `common_words.tsv` is made by `examples/common_words.rs` from public specs of eight
//! projects.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A stem and in how many of 10,000 specs it is, a line each. What is in fewer than 40 is left out.
const TABLE: &str = include_str!("common_words.tsv");
const OF: f32 = 10_000.0;
/// Counts as the share of a word that no spec has.
pub(super) const NEVER: f32 = 1e-4;

/// In which share of the specs of other projects a stem is; 0 for one that is in hardly any.
pub(super) fn share(stem: &str) -> f32 {
    static SHARES: LazyLock<HashMap<&'static str, f32>> = LazyLock::new(|| {
        let line = |line: &'static str| {
            let (stem, count) = line.split_once('\t')?;
            Some((stem, count.parse::<f32>().ok()? / OF))
        };
        TABLE.lines().filter_map(line).collect()
    });
    SHARES.get(stem).copied().unwrap_or(0.0)
}

/// 0 for a word that every text has, 1 for one that is in hardly any.
pub(super) fn specificity(share: f32) -> f32 {
    ((share + NEVER).ln() / NEVER.ln()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_in_range() {
        for line in TABLE.lines() {
            let (stem, _) = line.split_once('\t').unwrap();
            assert!((0.004..=1.0).contains(&share(stem)), "{line}");
        }
        assert!(TABLE.lines().count() > 1000);
    }

    #[test]
    fn words_of_a_subject_are_more_specific_than_those_of_all_texts() {
        let of = |stem| specificity(share(stem));
        assert!(of("use") < 0.1 && of("use") < of("cach") && of("cach") < of("zygohistomorph"));
        assert!((of("zygohistomorph") - 1.0).abs() < 1e-6);
    }
}
