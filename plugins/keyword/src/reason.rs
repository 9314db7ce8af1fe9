//! Says why a hit was picked: which of the task's words it has, and in which field.

use std::collections::BTreeMap;
use std::fmt;

use crate::rank::Ranked;
use crate::wanted::Wanted;
use crate::words;

/// As many words as a reason names for one field.
const NAMED: usize = 5;
/// A field of a spec, and how much one matching word in it says.
const FIELDS: [(&str, f32); 5] = [("title", 2.0), ("tags", 2.0), ("section", 1.5), ("path", 1.5), ("text", 1.0)];
/// So much evidence makes us half sure.
const HALF_SURE: f32 = 1.5;

/// The words of the task that a hit has, each under the most telling field that has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Matched {
    /// The task names the spec by id.
    named: bool,
    /// In the order of `FIELDS`; fields without a match are left out.
    fields: Vec<(&'static str, f32, Vec<String>)>,
}

/// Looks the task's words up in the hit's fields; that the text has one, the index says: reading twenty texts again
/// would cost more than all the rest.
pub(crate) fn find(ranked: &Ranked, wanted: &Wanted) -> Matched {
    let hit = &ranked.hit;
    let mut field_of: BTreeMap<usize, usize> = BTreeMap::new();
    for (n, (field, _)) in FIELDS.into_iter().enumerate() {
        let here = match field {
            "title" => in_words(&hit.spec.title),
            "tags" => in_words(&hit.spec.tags.join(" ")),
            "section" => in_words(hit.section.as_deref().unwrap_or_default()),
            "path" => in_words(&hit.spec.path),
            _ => in_words(&ranked.matched.join(" ")),
        };
        for place in wanted.places_in(&here) {
            field_of.entry(place).or_insert(n);
        }
    }
    let mut fields: Vec<(&str, f32, Vec<String>)> = FIELDS.map(|(field, weight)| (field, weight, Vec::new())).into();
    for (place, n) in field_of {
        fields[n].2.push(wanted.word(place).to_owned());
    }
    fields.retain(|(_, _, words)| !words.is_empty());
    Matched { named: ranked.named, fields }
}

/// A short text as words in lower case, identifiers taken apart.
fn in_words(text: &str) -> String {
    words::of(text).collect::<Vec<_>>().join(" ")
}

impl Matched {
    /// 0 to 1: how much the matched words say. One word in the text says little, three in the title nearly all, and an
    /// id all.
    #[expect(clippy::cast_precision_loss, reason = "a count of words, far below 2^24")]
    pub(crate) fn surety(&self) -> f32 {
        if self.named {
            return 1.0;
        }
        let evidence: f32 = self.fields.iter().map(|(_, weight, words)| weight * words.len() as f32).sum();
        // The index may match what we cannot see (a synonym, a deeper stem): never quite 0.
        ((evidence + 0.5) / (evidence + 0.5 + HALF_SURE)).min(1.0)
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if self.named {
            f.write_str("the task names it by id")?;
            separator = "; ";
        } else if self.fields.is_empty() {
            return f.write_str("the index finds related words");
        }
        for (field, _, words) in &self.fields {
            write!(f, "{separator}{field}: {}", words[..words.len().min(NAMED)].join(", "))?;
            if words.len() > NAMED {
                write!(f, " and {} more", words.len() - NAMED)?;
            }
            separator = "; ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rank;
    use pu_plugin_sdk::{MockSpecs, Query, Specs as _};

    fn explain_as(named: bool, wanted: &str) -> Matched {
        let specs =
            MockSpecs::default().with("docs/auth.md", "---\ntags: [login]\n---\n# Tokens\nThey expire in an hour.\n");
        let hits = specs.search(&Query::new(format!("tokens {wanted}"))).unwrap();
        let ranked = Ranked { named, ..rank::join(vec![(1.0, hits)]).remove(0) };
        let wanted: Wanted = wanted.split(' ').map(str::to_owned).collect();
        find(&ranked, &wanted)
    }

    fn explain(wanted: &str) -> Matched {
        explain_as(false, wanted)
    }

    #[test]
    fn each_word_is_named_once_under_its_most_telling_field() {
        assert_eq!(explain("token login auth hour").to_string(), "title: token; tags: login; path: auth; text: hour");
    }

    #[test]
    fn a_long_list_is_counted_and_an_empty_one_said() {
        assert_eq!(
            explain("they expire in an hour expires").to_string(),
            "text: they, expire, in, an, hour and 1 more"
        );
        assert_eq!(explain("zebra").to_string(), "the index finds related words");
    }

    #[test]
    fn an_id_is_a_reason_before_all_words_and_enough_alone() {
        assert_eq!(explain_as(true, "token").to_string(), "the task names it by id; title: token");
        let alone = explain_as(true, "zebra");
        assert_eq!((alone.to_string().as_str(), alone.surety()), ("the task names it by id", 1.0));
    }

    #[test]
    fn more_evidence_is_more_sure_and_never_beyond_one() {
        let (none, one, three) =
            (explain("zebra").surety(), explain("hour").surety(), explain("token login hour").surety());
        assert!(0.0 < none && none < one && one < three && three <= 1.0, "{none} {one} {three}");
    }
}
