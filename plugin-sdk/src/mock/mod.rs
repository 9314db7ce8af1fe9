//! Specs for tests: the same calls and the same failures as the host's, over documents in memory.
//!
//! The search is a plain weighted count of matching words. It finds what the host's index would find in a handful of
//! documents, with other scores: test which specs are picked, not the figures.

mod document;
mod search;

use std::path::Path;
use std::{fs, io};

use crate::{Chunk, Failure, Hit, Listing, Page, Query, SpecMeta, Specs};
use document::Document;

/// As large as one answer of `read` and `read_range` gets.
const READ_MAX: usize = 1 << 20;

/// Project specs in memory.
#[derive(Debug, Clone, Default)]
pub struct MockSpecs {
    /// Sorted by path.
    documents: Vec<Document>,
}

impl MockSpecs {
    /// Every markdown file below `folder`. A spec's id is `id` of its front matter, else its path.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read; the error names it.
    pub fn from_dir(folder: impl AsRef<Path>) -> io::Result<Self> {
        let mut specs = Self::default();
        specs.add_folder(folder.as_ref(), "")?;
        Ok(specs)
    }

    /// These specs and one more: `path` as the project would name it, `text` with or without front matter.
    #[must_use]
    pub fn with(mut self, path: &str, text: &str) -> Self {
        self.documents.push(Document::parse(path, text));
        self.documents.sort_by(|a, b| a.meta.path.cmp(&b.meta.path));
        self
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        let names_it =
            |path: &Path, error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        for entry in fs::read_dir(folder).map_err(|error| names_it(folder, error))? {
            let entry = entry.map_err(|error| names_it(folder, error))?;
            let file = entry.path();
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if file.is_dir() {
                self.add_folder(&file, &format!("{path}/"))?;
            } else if path.ends_with(".md") {
                let text = fs::read_to_string(&file).map_err(|error| names_it(&file, error))?;
                *self = std::mem::take(self).with(&path, &text);
            }
        }
        Ok(())
    }

    fn document(&self, id: &str) -> Result<&Document, Failure> {
        self.documents
            .iter()
            .find(|document| document.meta.id == id)
            .ok_or_else(|| Failure::new("unknown_spec", format!("there is no spec {id}")))
    }
}

impl Specs for MockSpecs {
    fn search(&self, query: &Query) -> Result<Vec<Hit>, Failure> {
        search::search(&self.documents, query)
    }

    fn list(&self, listing: &Listing) -> Result<Page, Failure> {
        if let Some(filter) = listing.filter.iter().find(|f| f.key != "tag" && f.key != "path-prefix") {
            return Err(Failure::new("unknown_filter", format!("specs cannot be listed by {}", filter.key)));
        }
        let start = match &listing.cursor {
            None => 0,
            Some(cursor) => cursor.parse().map_err(|_| Failure::new("bad_cursor", "not a cursor of a page"))?,
        };
        let holds = |spec: &SpecMeta| {
            listing.filter.iter().all(|f| match f.key.as_str() {
                "tag" => spec.tags.contains(&f.value),
                _ => spec.path.starts_with(&f.value),
            })
        };
        let all: Vec<_> = self.documents.iter().map(|document| &document.meta).filter(|spec| holds(spec)).collect();
        let end = all.len().min(start + listing.limit as usize);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attr;

    fn specs() -> MockSpecs {
        MockSpecs::default()
            .with(
                "docs/a.md",
                "---\nid: A-1\ntags: [auth, api]\n---\n# Sign-in\nTokens.\n\n## Expiry\nAn hour — no more.\n",
            )
            .with("docs/b.md", "# Ledger\nEvery entry has two sides.\n")
            .with("specs/c.md", "no heading at all\n")
    }

    #[test]
    fn metadata_comes_from_front_matter_heading_and_path() {
        let spec = specs().get("A-1").unwrap();
        assert_eq!((spec.path.as_str(), spec.title.as_str()), ("docs/a.md", "Sign-in"));
        assert_eq!(spec.tags, ["auth", "api"]);
        assert_eq!(specs().get("specs/c.md").unwrap().title, "c");
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
        assert_eq!(list("tag", "auth"), Ok(1));
        assert_eq!(list("path-prefix", "docs/"), Ok(2));
        assert_eq!(list("colour", "red").unwrap_err().code, "unknown_filter");
    }

    #[test]
    fn a_section_is_read_by_its_name_in_a_hit() {
        let specs = specs();
        let hits = specs.search(&Query::new("expiry")).unwrap();
        let section = hits[0].section.as_deref();
        assert_eq!(specs.read("A-1", section).unwrap(), "## Expiry\nAn hour — no more.\n");
        assert_eq!(specs.read("A-1", Some("nope")).unwrap_err().code, "unknown_section");
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
    fn a_folder_is_read_with_paths_below_it() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("deep");
        fs::create_dir(&below).unwrap();
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"), below.join("guide.md")).unwrap();
        let specs = MockSpecs::from_dir(folder.path()).unwrap();
        assert_eq!(specs.documents.len(), 1);
        assert_eq!(specs.documents[0].meta.path, "deep/guide.md");
        assert!(MockSpecs::from_dir(folder.path().join("gone")).unwrap_err().to_string().contains("gone"));
    }
}
