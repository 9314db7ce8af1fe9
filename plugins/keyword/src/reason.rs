//! Says why a hit was picked: which of the task's words it has, and in which field.

use std::fmt;

use pu_plugin_sdk::{Failure, Hit, Specs};

use crate::words;

/// As many words as a reason names for one field.
const NAMED: usize = 5;
/// So many bytes of a text are looked at for a reason: all of a usual section, the start of a long spec.
const TEXT_READ: usize = 8 * 1024;
/// A field of a spec, and how much one matching word in it says.
const FIELDS: [(&str, f32); 5] = [("title", 2.0), ("tags", 2.0), ("section", 1.5), ("path", 1.5), ("text", 1.0)];
/// So much evidence makes us half sure.
const HALF_SURE: f32 = 1.5;

/// The words of the task that a hit has, each under the most telling field that has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Matched {
    /// In the order of `FIELDS`; fields without a match are left out.
    fields: Vec<(&'static str, f32, Vec<String>)>,
}

/// Looks the task's words up in the hit's fields and, those that are in none, in the start of its text.
pub(crate) fn find(hit: &Hit, wanted: &[String], specs: &dyn Specs) -> Result<Matched, Failure> {
    let text = match specs.read(&hit.spec.id, hit.section.as_deref()) {
        Ok(text) => text,
        // A huge spec is still a good pick; its title and path must do as the reason.
        Err(failure) if failure.code == "too_large" => String::new(),
        Err(failure) => return Err(failure),
    };
    let mut left: Vec<&String> = wanted.iter().collect();
    let mut matched = Matched::default();
    for (field, weight) in FIELDS {
        let here = match field {
            "title" => words::of(&hit.spec.title).join(" "),
            "tags" => words::of(&hit.spec.tags.join(" ")).join(" "),
            "section" => words::of(hit.section.as_deref().unwrap_or_default()).join(" "),
            "path" => words::of(&hit.spec.path).join(" "),
            _ => text[..text.floor_char_boundary(TEXT_READ)].to_lowercase(),
        };
        let here = words::stems(&here);
        let (found, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(|word| here.contains(words::stem(word)));
        left = rest;
        if !found.is_empty() {
            matched.fields.push((field, weight, found.into_iter().cloned().collect()));
        }
    }
    Ok(matched)
}

impl Matched {
    /// 0 to 1: how much the matched words say. One word in the text says little, three in the title nearly all.
    #[expect(clippy::cast_precision_loss, reason = "a count of words, far below 2^24")]
    pub(crate) fn surety(&self) -> f32 {
        let evidence: f32 = self.fields.iter().map(|(_, weight, words)| weight * words.len() as f32).sum();
        // The index may match what we cannot see (a synonym, a deeper stem): never quite 0.
        ((evidence + 0.5) / (evidence + 0.5 + HALF_SURE)).min(1.0)
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fields.is_empty() {
            return f.write_str("the index finds related words");
        }
        for (n, (field, _, words)) in self.fields.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{field}: {}", words[..words.len().min(NAMED)].join(", "))?;
            if words.len() > NAMED {
                write!(f, " and {} more", words.len() - NAMED)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::{MockSpecs, Query};

    fn explain(wanted: &str) -> Matched {
        let specs =
            MockSpecs::default().with("docs/auth.md", "---\ntags: [login]\n---\n# Tokens\nThey expire in an hour.\n");
        let hit = specs.search(&Query::new("tokens")).unwrap().remove(0);
        let wanted: Vec<String> = wanted.split(' ').map(str::to_owned).collect();
        find(&hit, &wanted, &specs).unwrap()
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
    fn more_evidence_is_more_sure_and_never_beyond_one() {
        let (none, one, three) =
            (explain("zebra").surety(), explain("hour").surety(), explain("token login hour").surety());
        assert!(0.0 < none && none < one && one < three && three <= 1.0, "{none} {one} {three}");
    }
}
