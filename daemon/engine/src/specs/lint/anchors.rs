//! The places in a Markdown file that a link can name: its headings, and what its author named by hand.
//!
//! How a heading becomes an anchor differs from tool to tool in what it does with everything but letters and digits: those
//! alone are compared, so that what some tool finds is not told as dead.

use std::collections::{HashMap, HashSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What stands before a name that was given by hand, and what ends it.
const NAMED: [(&str, &[char]); 5] =
    [("id=\"", &['"']), ("id='", &['\'']), ("name=\"", &['"']), ("name='", &['\'']), ("{#", &['}', ' '])];

#[derive(Debug, Default)]
pub(super) struct Anchors(HashSet<String>);

impl Anchors {
    /// Those of a file: `markdown` is its text without what is no Markdown.
    pub(super) fn of(text: &str, markdown: &str) -> Self {
        let mut anchors: HashSet<String> = named(text).map(plain).collect();
        let mut times: HashMap<String, u32> = HashMap::new();
        for heading in headings(markdown) {
            let anchor = plain(&heading);
            let nth = times.entry(anchor.clone()).or_insert(0);
            // The second of two equal ones has `-1` behind it.
            if *nth > 0 {
                anchors.insert(format!("{anchor}{nth}"));
            }
            *nth += 1;
            anchors.insert(anchor);
        }
        Self(anchors)
    }

    pub(super) fn have(&self, anchor: &str) -> bool {
        let anchor = anchor.strip_prefix("user-content-").unwrap_or(anchor);
        // The page itself, and a text that a browser looks for.
        anchor == "top" || anchor.starts_with(":~:") || self.0.contains(&plain(anchor))
    }
}

fn plain(anchor: &str) -> String {
    anchor.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn named(text: &str) -> impl Iterator<Item = &str> {
    let marked = NAMED.into_iter().flat_map(move |(mark, ends)| {
        text.match_indices(mark).filter_map(move |(at, _)| text[at + mark.len()..].split(ends).next())
    });
    // `(name)=` on a line of its own, as Sphinx has it.
    let labels = text.lines().filter_map(|line| line.trim().strip_prefix('(')?.strip_suffix(")="));
    marked.chain(labels)
}

/// Those in quotes and lists too.
fn headings(markdown: &str) -> Vec<String> {
    let (mut headings, mut open) = (Vec::new(), None::<String>);
    for event in Parser::new_ext(markdown, Options::ENABLE_HEADING_ATTRIBUTES) {
        match event {
            Event::Start(Tag::Heading { .. }) => open = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => headings.extend(open.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut open {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    headings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_given_names_are_found_however_a_tool_spells_them() {
        let text = "# The `API`, v2.0: größe\n\n## Part\n\n## Part\n\n> ### Quoted\n\n<a name=\"by-hand\"></a>\n\n\
                    ## Named {#short}\n\n(label)=\ntext\n";
        let anchors = Anchors::of(text, text);
        for anchor in [
            "the-api-v20-größe",
            "the-api--v2-0--größe",
            "part",
            "part-1",
            "quoted",
            "by-hand",
            "short",
            "label",
            "user-content-part",
            "top",
            "Part",
        ] {
            assert!(anchors.have(anchor), "{anchor}: {anchors:?}");
        }
        for anchor in ["part-2", "the-api", "short-named", "text"] {
            assert!(!anchors.have(anchor), "{anchor}");
        }
    }
}
