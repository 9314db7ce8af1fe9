//! Takes a spec file apart: front matter, title, ids, tags, sections.
//!
//! Pure: text in, description out. Whatever is wrong with a file is a warning beside the description, never an error,
//! since half a description is worth more than none.

mod asciidoc;
mod fields;
mod front_matter;
mod header;
mod headings;
pub(super) mod ids;
mod markdown;
mod mdx;
mod plain_text;
pub(super) mod references;
mod restructured_text;
mod sections;

use front_matter::FrontMatter;
use headings::Heading;

use super::catalog::{SectionMeta, SpecMeta, path_id};
use super::format::Format;
use super::rule::{self, Rule, RuleKind};
use super::stamp::Stamp;
use super::tokens;

/// As many ids, and as many tags, as a spec has.
const MAX_NAMES: usize = 1_000;

/// A spec taken apart; borrows the text that it was read from.
#[derive(Debug)]
pub(super) struct ParsedSpec<'a> {
    pub text: &'a str,
    /// Where the text after the front matter begins.
    body_start: usize,
    front: FrontMatter,
    title: String,
    ids: Vec<String>,
    rule: Option<Rule>,
    pub sections: Vec<SectionMeta>,
}

/// Takes apart the file at `path` (relative, for its format and for the names it falls back to).
pub(super) fn parse<'a>(path: &str, text: &'a str) -> ParsedSpec<'a> {
    let format = Format::of(path).unwrap_or(Format::PlainText);
    let (mut front, body_start, rule) = match RuleKind::of(path) {
        Some(kind) => {
            let (front, values, start) = front_matter::read_rule(text);
            (front, start, Some(rule::read(kind, path, &values, &text[start..])))
        }
        None => {
            let (front, start) = front_matter::read(text);
            (front, start, None)
        }
    };
    let body = &text[body_start..];
    if front.is_empty() && rule.is_none() {
        front.merge(header::read(body));
    }
    if front.is_empty() {
        front.merge(fields::read(format, body));
    }
    front.warnings.extend(rule.iter().flat_map(|rule| &rule.faults).map(ToString::to_string));
    let headings = headings::find(format, body);
    let title = title(&front, &headings, path);
    let sections = sections::build(body, body_start, &headings);
    let mut ids = ids::defined(&front, &headings);
    keep_first("ids", &mut ids, &mut front.warnings);
    keep_first("tags", &mut front.tags, &mut front.warnings);
    ParsedSpec { text, body_start, front, title, ids, rule, sections }
}

/// More ids or tags than `MAX_NAMES` are data.
fn keep_first(what: &str, names: &mut Vec<String>, warnings: &mut Vec<String>) {
    if names.len() > MAX_NAMES {
        names.truncate(MAX_NAMES);
        warnings.push(format!("only the first {MAX_NAMES} {what} are kept"));
    }
}

/// What keeps the front matter of a file that is no rule file from being read; that of a rule file is in its `Rule`.
pub(super) fn broken_front_matter(text: &str) -> Option<front_matter::Broken> {
    front_matter::broken(text)
}

/// The Markdown of a file, each byte in its place: what is none (front matter, JavaScript) is blank. `None` for other
/// formats.
pub(super) fn markdown_of(path: &str, text: &str) -> Option<String> {
    let format = Format::of(path).filter(|format| matches!(format, Format::Markdown | Format::Mdx))?;
    let start = match RuleKind::of(path) {
        Some(_) => front_matter::read_rule(text).2,
        None => front_matter::read(text).1,
    };
    let (front, body) = text.split_at(start);
    let mut markdown: String = front.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    markdown.push_str(&if format == Format::Mdx { mdx::blanked(body) } else { body.to_owned() });
    Some(markdown)
}

impl ParsedSpec<'_> {
    pub(super) fn body(&self) -> &str {
        &self.text[self.body_start..]
    }

    /// The names of what it refers to, its own left out.
    pub(super) fn references(&self, path: &str) -> Vec<String> {
        let own: Vec<String> =
            self.ids.iter().map(|id| ids::normalise(id)).chain(references::file_name(path)).collect();
        let mut names = references::of(self.text);
        names.retain(|name| !own.contains(name));
        names
    }

    pub(super) fn slice(&self, section: &SectionMeta) -> &str {
        self.text.get(section.start as usize..section.end as usize).unwrap_or_default()
    }

    /// The description that the catalog keeps.
    pub(super) fn meta(&self, path: &str, revision: String, bytes: u64, stamp: Stamp) -> SpecMeta {
        let front_tokens = tokens::count(&self.text[..self.body_start]);
        SpecMeta {
            id: self.front.id.clone().unwrap_or_else(|| path_id(path)),
            path: path.to_owned(),
            title: self.title.clone(),
            tags: self.front.tags.clone(),
            ids: self.ids.clone(),
            attributes: self.front.attributes.clone(),
            rule: self.rule.clone(),
            // Other files decide: the catalog knows them.
            native: Vec::new(),
            revision,
            bytes,
            tokens: front_tokens + self.sections.iter().map(|s| s.tokens).sum::<u32>(),
            sections: self.sections.clone(),
            warnings: self.front.warnings.clone(),
            stamp,
        }
    }
}

/// What the file calls itself: front matter or header, the heading over the whole document, else the file's name.
fn title(front: &FrontMatter, headings: &[Heading], path: &str) -> String {
    if let Some(title) = &front.title {
        return title.clone();
    }
    match headings::over_all(headings) {
        Some(heading) => heading.text.clone(),
        None => name_of(path),
    }
}

/// The file's name in words; that of its folder for files whose name says nothing.
fn name_of(path: &str) -> String {
    let mut parts = path_id(path).split('/').map(str::to_owned).collect::<Vec<_>>();
    let name = parts.pop().unwrap_or_default();
    let name = if says_nothing(&name) { parts.pop().unwrap_or(name) } else { name };
    name.replace(['-', '_'], " ")
}

/// Whether a file's name, without its extension, says nothing: then it is called by its folder's.
fn says_nothing(stem: &str) -> bool {
    ["readme", "index", "spec", "design", "skill"].iter().any(|generic| stem.eq_ignore_ascii_case(generic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_what_the_file_calls_itself() {
        for (path, text, expected) in [
            ("a.md", "---\ntitle: From front matter\n---\n# Heading\n", "From front matter"),
            ("a.md", "intro\n\n# Heading `code`\n\n## Sub\n", "Heading code"),
            ("docs/a-b.md", "# Summary\n\n# Motivation\n", "a b"),
            ("keps/12-pods/README.md", "no heading", "12 pods"),
            (".claude/skills/cut-a-release/SKILL.md", "---\nname: cut\n---\nSteps\n", "cut a release"),
            (".cursorrules", "Be brief.\n", ".cursorrules"),
            ("a.rst", "PEP: 8\nTitle: Style Guide\nStatus: Active\n\nIntroduction\n============\n", "Style Guide"),
        ] {
            assert_eq!(parse(path, text).title, expected, "{path}");
        }
    }

    #[test]
    fn of_very_many_ids_and_tags_the_first_are_kept_and_that_is_told() {
        let list: Vec<String> = (0..1_001).map(|n| format!("A-{n}")).collect();
        let text = format!("---\nids: [{0}]\ntags: [{0}]\n---\n", list.join(", "));
        let parsed = parse("a.md", &text);
        assert_eq!((parsed.ids.len(), parsed.front.tags.len()), (MAX_NAMES, MAX_NAMES));
        assert_eq!(parsed.front.warnings, ["only the first 1000 ids are kept", "only the first 1000 tags are kept"]);
    }

    #[test]
    fn markdown_stands_where_it_stood() {
        for (path, text, markdown) in [
            ("a.md", "---\nid: X\n---\n[a](b)\n", Some("   \n     \n   \n[a](b)\n")),
            ("a.mdc", "---\nglobs: *.ts\n---\n[a](b)\n", Some("   \n           \n   \n[a](b)\n")),
            ("a.mdx", "export const é = 1\n\n[a](b)\n", Some("                   \n\n[a](b)\n")),
            ("a.rst", "Title\n=====\n", None),
        ] {
            assert_eq!(markdown_of(path, text).as_deref(), markdown, "{path}");
        }
    }

    #[test]
    fn ranges_are_in_the_whole_file_and_do_not_overlap() {
        let text = "---\nid: X-1\n---\nlead\n\n# One\nfirst\n\n## Two\nsecond\n";
        let parsed = parse("a.md", text);
        let slices: Vec<&str> = parsed.sections.iter().map(|s| parsed.slice(s)).collect();
        assert_eq!(slices, ["lead\n\n", "# One\nfirst\n\n", "## Two\nsecond\n"]);
    }
}
