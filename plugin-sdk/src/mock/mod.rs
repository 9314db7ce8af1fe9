//! Specs for tests: the same calls, names and failures as the host's, over documents in memory.
//!
//! The search is a plain weighted count of matching words. It finds what the host's index would find in a handful of
//! documents, with other scores: test which specs are picked, not the figures. Of what the host has in `extra` there is
//! the front matter, as far as it is written on one line each, and what [`MockSpecs::with_attribute`] adds.

mod document;
mod folder;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod history;
mod search;
mod sections;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod state;
mod words;

use std::io;
use std::path::Path;

use crate::{Attr, Chunk, Failure, Hit, Listing, Page, Query, SpecMeta, Specs};
use document::Document;

/// The contract's bounds: bytes of one answer of `read` and `read_range`, specs of a page, filters of a listing.
const READ_MAX: usize = 1 << 20;
const PAGE_MAX: u32 = 500;
const FILTERS_MAX: usize = 16;
const FILTER_MAX: usize = 4 * 1024;
const FILTERS: [&str; 3] = ["tag", "path-prefix", "attribute"];

/// Project specs in memory.
///
/// Named as the host names them: a spec's id is `id` of its front matter, else its path without the extension
/// (`specs/ledger`); a section is named by the headings that lead to it (`recovery/after-a-crash`).
#[derive(Debug, Clone, Default)]
pub struct MockSpecs {
    /// Sorted by path.
    documents: Vec<Document>,
}

impl MockSpecs {
    /// The specs of a project, or of a folder that stands for one: `root` is what paths start from, as a project's root
    /// is for the host, so `root/specs/a.md` is the spec `specs/a.md`.
    ///
    /// Read are the markdown files in the folders where the host looks without being told to (`specs`, `docs`, `doc`,
    /// `rfcs`, `adr`, `proposals`), without hidden ones and links.
    ///
    /// # Errors
    /// When there is no such folder in `root`, or something in them cannot be read; the error names it.
    pub fn from_dir(root: impl AsRef<Path>) -> io::Result<Self> {
        let files = folder::read(root.as_ref())?;
        Ok(files.iter().fold(Self::default(), |specs, (path, text)| specs.with(path, text)))
    }

    /// These specs and one more: `path` from the project's root, `text` with or without front matter.
    #[must_use]
    pub fn with(mut self, path: &str, text: &str) -> Self {
        self.documents.push(Document::parse(path, text));
        self.documents.sort_by(|a, b| a.meta.path.cmp(&b.meta.path));
        self
    }

    /// The same with one more entry in the `extra` of the spec at `path`, such as the host finds out by itself.
    #[must_use]
    pub fn with_attribute(mut self, path: &str, key: &str, value: &str) -> Self {
        for document in self.documents.iter_mut().filter(|document| document.meta.path == path) {
            document.meta.extra.push(Attr { key: key.to_owned(), value: value.to_owned() });
        }
        self
    }

    fn document(&self, id: &str) -> Result<&Document, Failure> {
        let by_id = self.documents.iter().find(|document| document.meta.id == id);
        // A path names a spec too, as it does for the host.
        let by_path = || self.documents.iter().find(|document| document.meta.path == id);
        by_id.or_else(by_path).ok_or_else(|| Failure::new("unknown_spec", format!("there is no spec {id}")))
    }
}

impl Specs for MockSpecs {
    fn search(&self, query: &Query) -> Result<Vec<Hit>, Failure> {
        search::search(&self.documents, query)
    }

    fn list(&self, listing: &Listing) -> Result<Page, Failure> {
        if listing.filter.len() > FILTERS_MAX {
            return Err(Failure::new("too_many_filters", format!("a listing has at most {FILTERS_MAX} filters")));
        }
        if listing.filter.iter().any(|filter| filter.value.len() > FILTER_MAX) {
            return Err(Failure::new("filter_too_long", format!("a filter has at most {FILTER_MAX} bytes")));
        }
        if let Some(filter) = listing.filter.iter().find(|filter| !FILTERS.contains(&filter.key.as_str())) {
            return Err(Failure::new("unknown_filter", format!("specs cannot be listed by {}", filter.key)));
        }
        let start: usize = match &listing.cursor {
            None => 0,
            Some(cursor) => cursor.parse().map_err(|_| Failure::new("bad_cursor", "not a cursor of a page"))?,
        };
        let holds = |spec: &SpecMeta| {
            listing.filter.iter().all(|f| match f.key.as_str() {
                "tag" => spec.tags.iter().any(|tag| tag.eq_ignore_ascii_case(&f.value)),
                "attribute" => f.value.lines().any(|line| has_attribute(spec, line)),
                _ => spec.path.starts_with(&f.value),
            })
        };
        let all: Vec<_> = self.documents.iter().map(|document| &document.meta).filter(|spec| holds(spec)).collect();
        let end = all.len().min(start.saturating_add(listing.limit.clamp(1, PAGE_MAX) as usize));
        let specs = all.get(start..end).unwrap_or_default().iter().map(|&spec| spec.clone()).collect();
        Ok(Page { specs, next: (end < all.len()).then(|| end.to_string()) })
    }

    fn get(&self, id: &str) -> Result<SpecMeta, Failure> {
        Ok(self.document(id)?.meta.clone())
    }

    fn read(&self, id: &str, section: Option<&str>) -> Result<String, Failure> {
        let document = self.document(id)?;
        let text = match section {
            None => &document.text,
            Some(name) => document
                .section(name)
                .ok_or_else(|| Failure::new("unknown_section", format!("{id} has no section {name}")))?,
        };
        if text.len() > READ_MAX {
            return Err(Failure::new("too_large", format!("{id} is larger than 1 MiB: use read_range")));
        }
        Ok(text.to_owned())
    }

    fn read_range(&self, id: &str, offset: u64, length: u32) -> Result<Chunk, Failure> {
        let text = &self.document(id)?.text;
        let wanted = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        let start = text.floor_char_boundary(wanted);
        let end = text.floor_char_boundary((wanted + (length as usize).min(READ_MAX)).min(text.len()));
        let next = (end < text.len()).then_some(end as u64);
        Ok(Chunk { text: text[start..end].to_owned(), offset: start as u64, next })
    }
}

/// Whether a spec has `KEY`, or `KEY=VALUE`.
fn has_attribute(spec: &SpecMeta, wanted: &str) -> bool {
    let (key, value) = wanted.split_once('=').map_or((wanted, None), |(key, value)| (key, Some(value)));
    spec.extra.iter().any(|attr| attr.key == key && value.is_none_or(|value| attr.value == value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn specs() -> MockSpecs {
        MockSpecs::default()
            .with(
                "docs/a.md",
                "---\nid: A-1\ntags: [auth, api]\n---\n# Sign-in\nTokens.\n\n## Expiry\nAn hour — no more.\n",
            )
            .with("docs/b.md", "---\nowner: [\"ledger\", billing]\n---\n# Ledger\nEvery entry has two sides.\n")
            .with("specs/c.md", "no heading at all\n")
            .with_attribute("specs/c.md", "rule.mode", "always")
    }

    #[test]
    fn metadata_comes_from_front_matter_heading_and_path() {
        let spec = specs().get("A-1").unwrap();
        assert_eq!((spec.path.as_str(), spec.title.as_str()), ("docs/a.md", "Sign-in"));
        assert_eq!(spec.tags, ["auth", "api"]);
        assert_eq!(specs().get("docs/b").unwrap().title, "Ledger");
        assert_eq!(specs().get("specs/c").unwrap().title, "c");
        assert_eq!(specs().get("docs/a.md").unwrap().id, "A-1");
        assert_eq!(specs().get("nope").unwrap_err().code, "unknown_spec");
    }

    #[test]
    fn pages_cover_all_specs_once() {
        let (specs, mut paths, mut cursor) = (specs(), vec![], None);
        loop {
            let page = specs.list(&Listing { cursor, limit: 2, filter: vec![] }).unwrap();
            paths.extend(page.specs.into_iter().map(|spec| spec.path));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paths, ["docs/a.md", "docs/b.md", "specs/c.md"]);
    }

    #[test]
    fn filters_hold_together_and_unknown_ones_are_refused() {
        let list = |key: &str, value: &str| {
            let filter = vec![Attr { key: key.into(), value: value.into() }];
            specs().list(&Listing { cursor: None, limit: 9, filter }).map(|page| page.specs.len())
        };
        assert_eq!(list("tag", "Auth"), Ok(1));
        assert_eq!(list("path-prefix", "docs/"), Ok(2));
        assert_eq!(list("attribute", "front-matter.owner=billing\nnone"), Ok(1));
        assert_eq!(list("attribute", "front-matter.owner\nrule.mode=always"), Ok(2));
        assert_eq!(list("attribute", "front-matter.owner=api"), Ok(0));
        assert_eq!(list("colour", "red").unwrap_err().code, "unknown_filter");
        assert_eq!(list("tag", &"x".repeat(4097)).unwrap_err().code, "filter_too_long");
        let filter = vec![Attr { key: "tag".into(), value: "auth".into() }; 17];
        let failure = specs().list(&Listing { cursor: None, limit: 9, filter }).unwrap_err();
        assert_eq!(failure.code, "too_many_filters");
    }

    #[test]
    fn a_query_out_of_bounds_is_refused() {
        let seventeen = (0..17).fold(Query::new("x"), |query, _| query.field("body", 1.0));
        for (query, code) in [
            (Query::new("x".repeat(16 * 1024 + 1)), "query_too_long"),
            (seventeen, "too_many_fields"),
            (Query::new("x").field("colour", 1.0), "unknown_field"),
            (Query::new("x").field("body", f32::NAN), "bad_weight"),
        ] {
            assert_eq!(specs().search(&query).unwrap_err().code, code);
        }
        assert_eq!(specs().search(&Query::new("x".repeat(16 * 1024))), Ok(vec![]));
    }

    #[test]
    fn a_section_is_read_by_its_name_in_a_hit() {
        let specs = specs();
        let hits = specs.search(&Query::new("expiry")).unwrap();
        let section = hits[0].section.as_deref();
        assert_eq!(section, Some("expiry"));
        assert_eq!(specs.read("A-1", section).unwrap(), "## Expiry\nAn hour — no more.\n");
        assert_eq!(specs.read("A-1", Some("nope")).unwrap_err().code, "unknown_section");
    }

    #[test]
    fn a_spec_that_only_its_path_or_tags_found_has_no_section() {
        let hits = specs().search(&Query::new("api")).unwrap();
        assert_eq!((hits.len(), hits[0].spec.id.as_str(), hits[0].section.as_deref()), (1, "A-1", None));
    }

    #[test]
    fn ranges_join_to_the_whole_text_and_never_cut_a_character() {
        let specs = specs();
        let (mut text, mut offset) = (String::new(), 0);
        loop {
            let chunk = specs.read_range("A-1", offset, 7).unwrap();
            text += &chunk.text;
            match chunk.next {
                Some(next) => offset = next,
                None => break,
            }
        }
        assert_eq!(text, specs.read("A-1", None).unwrap());
    }

    #[test]
    fn a_folder_is_read_as_a_project_s_root() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["Specs/deep", "specs-of-others", "Specs/node_modules"] {
            let folder = root.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"), folder.join("guide.md")).unwrap();
        }
        let specs = MockSpecs::from_dir(root.path()).unwrap();
        let found: Vec<_> = specs.documents.iter().map(|document| document.meta.path.as_str()).collect();
        assert_eq!(found, ["Specs/deep/guide.md"]);
        assert_eq!(specs.documents[0].meta.id, "Specs/deep/guide");
        assert!(MockSpecs::from_dir(root.path().join("gone")).unwrap_err().to_string().contains("gone"));
        let failure = MockSpecs::from_dir(root.path().join("Specs")).unwrap_err();
        assert!(failure.to_string().contains("has none of the folders specs, docs"), "{failure}");
    }
}
