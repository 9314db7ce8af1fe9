//! A markdown document as the mock sees it: front matter, title and sections, with the host's rules for their names.
//! Pure.

use super::sections::{self, Section};
use crate::{Attr, SpecMeta};

#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) meta: SpecMeta,
    /// What its front matter calls it.
    pub(super) own_id: Option<String>,
    /// Without front matter.
    pub(super) text: String,
    pub(super) sections: Vec<Section>,
}

impl Document {
    pub(super) fn parse(path: &str, raw: &str) -> Self {
        let (front, body) = split_front_matter(raw);
        let headings = sections::headings(body);
        let sections = sections::build(body, &headings);
        let text: String = sections.iter().map(|section| section.text.as_str()).collect();
        let own_id = front_value(front, "id").map(str::to_owned);
        let title = front_value(front, "title")
            .map(str::to_owned)
            .or_else(|| sections::over_all(&headings).map(|heading| heading.text.clone()))
            .unwrap_or_else(|| name_of(path));
        let meta = SpecMeta {
            id: own_id.clone().unwrap_or_else(|| without_extension(path).to_owned()),
            path: path.to_owned(),
            title,
            tags: tags(front),
            revision: text.len().to_string(),
            tokens: u32::try_from(text.len() / 4).unwrap_or(u32::MAX),
            extra: attributes(front),
        };
        Self { meta, own_id, text, sections }
    }

    pub(super) fn section(&self, id: &str) -> Option<&String> {
        self.sections.iter().find(|section| section.id == id).map(|section| &section.text)
    }
}

fn split_front_matter(raw: &str) -> (&str, &str) {
    raw.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).unwrap_or(("", raw))
}

fn front_value<'a>(front: &'a str, key: &str) -> Option<&'a str> {
    let (_, value) = front.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| *name == key)?;
    Some(unquoted(value)).filter(|value| !value.is_empty())
}

fn tags(front: &str) -> Vec<String> {
    let list = front_value(front, "tags").unwrap_or_default().trim_matches(['[', ']']);
    list.split(',').map(unquoted).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// What the host makes of the front matter's other keys: one entry each, and of a list one for each item.
fn attributes(front: &str) -> Vec<Attr> {
    let entries = front.lines().filter_map(|line| line.split_once(':'));
    let others =
        entries.filter(|(key, _)| !matches!(*key, "id" | "ids" | "title" | "tags") && !key.starts_with([' ', '#']));
    let values = others.flat_map(|(key, value)| {
        let value = value.trim();
        let list = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let items: Vec<&str> = list.map_or_else(|| vec![value], |list| list.split(',').collect());
        items.into_iter().map(move |item| (key, unquoted(item)))
    });
    let attr = |(key, value): (&str, &str)| Attr { key: format!("front-matter.{key}"), value: value.to_owned() };
    values.filter(|(_, value)| !value.is_empty()).map(attr).collect()
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

/// The file's name in words; that of its folder for files whose name says nothing.
fn name_of(path: &str) -> String {
    let mut parts: Vec<&str> = without_extension(path).split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let generic = ["readme", "index", "spec", "design"].contains(&name.to_ascii_lowercase().as_str());
    let name = if generic { parts.pop().unwrap_or(name) } else { name };
    name.replace(['-', '_'], " ")
}

fn without_extension(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') && !stem.is_empty() => stem,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_front_matter_and_headings_do_not_say_the_path_does() {
        for (path, raw, id, title) in [
            ("specs/a.md", "---\nid: \"A-1\"\ntitle: 'First'\n---\n# Other\n", "A-1", "First"),
            ("specs/a.md", "# Heading `code`\n## Sub\n", "specs/a", "Heading code"),
            ("docs/adr/0007-a_b.md", "# One\n# Two\n", "docs/adr/0007-a_b", "0007 a b"),
            ("rfcs/12-pods/README.md", "no heading", "rfcs/12-pods/README", "12 pods"),
        ] {
            let meta = Document::parse(path, raw).meta;
            assert_eq!((meta.id.as_str(), meta.title.as_str()), (id, title), "{path}");
        }
    }
}
