//! The links of a Markdown file, and where they lead. Pure: whether anything is there is asked elsewhere.

use super::super::relative;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};

/// A link or a picture, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) target: String,
    /// Where it begins.
    pub(super) start: usize,
}

/// Where a link leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To something that no file of a project is: another site, a mail, a template's placeholder.
    Elsewhere,
    /// Above the project's root.
    Outside,
    Inside {
        /// From the root.
        path: String,
        /// The heading, where one is named.
        anchor: Option<String>,
        /// It begins with `/`: some take that for the root of the project, others for that of a site.
        is_absolute: bool,
    },
}

pub(super) fn of(markdown: &str) -> Vec<Link> {
    // Without them `[^1]: Word` would be a link.
    let options = Options::ENABLE_FOOTNOTES | Options::ENABLE_TABLES;
    let events = Parser::new_ext(markdown, options).into_offset_iter();
    let links = events.filter_map(|(event, range)| match event {
        Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. })
            if link_type != LinkType::Email =>
        {
            Some(Link { target: dest_url.to_string(), start: range.start })
        }
        _ => None,
    });
    links.collect()
}

/// Where a link in the file at `from` leads.
pub(super) fn resolve(from: &str, target: &str) -> Target {
    let target = target.trim();
    // Cursor's own way to name a file of the project.
    let (target, from_root) = match target.strip_prefix("mdc:") {
        Some(path) => (path, true),
        None => (target, false),
    };
    let is_template = ["{{", "{%", "${", "<%"].iter().any(|mark| target.contains(mark));
    if target.is_empty() || is_template || target.starts_with("//") || has_scheme(target) {
        return Target::Elsewhere;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let anchor = anchor.map(decoded).filter(|anchor| !anchor.is_empty());
    if path.is_empty() {
        return Target::Inside { path: from.to_owned(), anchor, is_absolute: false };
    }
    let is_absolute = path.starts_with('/') && !from_root;
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let start = if is_absolute || from_root { "" } else { folder };
    match relative::resolve(start, &decoded(path)) {
        Some(path) => Target::Inside { path, anchor, is_absolute },
        None => Target::Outside,
    }
}

/// `https:`, `mailto:`; a colon behind a slash is part of a name.
fn has_scheme(target: &str) -> bool {
    let Some((scheme, _)) = target.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// `%20` is a space. What is no such sequence stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *byte == b'%') {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let text = "[a](b.md) ![p](p.png) <https://x.y> <a@b.c> [r][r] `[no](no.md)`\n\n```\n[no](no.md)\n```\n\n[r]: c.md\n\
                    [^1] and\n\n[^1]: Word\n";
        let found: Vec<(String, usize)> = of(text).into_iter().map(|link| (link.target, link.start)).collect();
        let targets: Vec<&str> = found.iter().map(|(target, _)| target.as_str()).collect();
        assert_eq!(targets, ["b.md", "p.png", "https://x.y", "c.md"]);
        assert_eq!((found[0].1, found[1].1), (0, 10));
    }

    #[test]
    fn a_link_is_resolved_from_the_folder_of_its_file() {
        let inside = |path: &str, anchor: Option<&str>, is_absolute| Target::Inside {
            path: path.to_owned(),
            anchor: anchor.map(str::to_owned),
            is_absolute,
        };
        for (target, expected) in [
            ("b.md", inside("docs/b.md", None, false)),
            ("./b%20c.md#Gr%C3%B6%C3%9Fe", inside("docs/b c.md", Some("Größe"), false)),
            ("../src/?raw=1#", inside("src", None, false)),
            ("#here", inside("docs/a.md", Some("here"), false)),
            ("/guide/b.md", inside("guide/b.md", None, true)),
            ("mdc:src/a.ts", inside("src/a.ts", None, false)),
            ("../../issues/12", Target::Outside),
            ("https://example.org/a.md", Target::Elsewhere),
            ("mailto:a@example.org", Target::Elsewhere),
            ("//example.org/a", Target::Elsewhere),
            ("{{ url }}", Target::Elsewhere),
            ("", Target::Elsewhere),
            ("a/b:c.md", inside("docs/a/b:c.md", None, false)),
            ("100%.md", inside("docs/100%.md", None, false)),
        ] {
            assert_eq!(resolve("docs/a.md", target), expected, "{target}");
        }
    }
}
