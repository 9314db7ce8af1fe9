//! A markdown document as the mock sees it: front matter, title, sections. Pure.

use crate::SpecMeta;

#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) meta: SpecMeta,
    /// Without front matter.
    pub(super) text: String,
    pub(super) sections: Vec<Section>,
}

/// A heading and what stands below it, up to the next heading.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) text: String,
}

impl Document {
    pub(super) fn parse(path: &str, raw: &str) -> Self {
        let (front, text) = split_front_matter(raw);
        let sections = sections(text);
        let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".md");
        let title = front_value(front, "title")
            .map(str::to_owned)
            .or_else(|| sections.iter().map(|section| section.heading.clone()).find(|heading| !heading.is_empty()))
            .unwrap_or_else(|| stem.to_owned());
        let meta = SpecMeta {
            id: front_value(front, "id").unwrap_or(path).to_owned(),
            path: path.to_owned(),
            title,
            tags: tags(front),
            revision: text.len().to_string(),
            tokens: u32::try_from(text.len() / 4).unwrap_or(u32::MAX),
            extra: Vec::new(),
        };
        Self { meta, text: text.to_owned(), sections }
    }

    pub(super) fn section(&self, heading: &str) -> Option<&String> {
        self.sections.iter().find(|section| section.heading == heading).map(|section| &section.text)
    }
}

fn split_front_matter(raw: &str) -> (&str, &str) {
    raw.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).unwrap_or(("", raw))
}

fn front_value<'a>(front: &'a str, key: &str) -> Option<&'a str> {
    front.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| *name == key).map(|(_, value)| value.trim())
}

fn tags(front: &str) -> Vec<String> {
    let list = front_value(front, "tags").unwrap_or_default().trim_matches(['[', ']']);
    list.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn sections(text: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    for line in text.split_inclusive('\n') {
        let heading = line.trim_start_matches('#');
        let is_heading = heading.len() < line.len() && heading.starts_with(' ');
        if is_heading || sections.is_empty() {
            let heading = if is_heading { heading.trim().to_owned() } else { String::new() };
            sections.push(Section { heading, text: String::new() });
        }
        if let Some(section) = sections.last_mut() {
            section.text.push_str(line);
        }
    }
    sections
}
