//! What is known of every spec without reading it: an immutable list that a refresh replaces as a whole.
//!
//! It holds no text: `SpecIndex::read` takes that from the file.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::format::Format;
use super::native;
use super::parse::ids;
use super::rule::Rule;
use super::stamp::Stamp;

/// In the warning of a spec whose id another one has.
pub(super) const TAKEN: &str = "is taken by";

/// The warning of a spec whose text is not the file's bytes.
pub(super) const LOSSY: &str = "bytes that are not UTF-8 were replaced";

/// One spec: a file that describes what should be so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpecMeta {
    /// Unique in the project: what the spec calls itself, else its path without the extension.
    pub id: String,
    /// Relative to the project, with `/`.
    pub path: String,
    pub title: String,
    pub tags: Vec<String>,
    /// Ids such as `DAEMON-006` that the spec defines in its front matter or headings.
    pub ids: Vec<String>,
    /// Everything else in the front matter, lists as a repeated key, nested values as JSON.
    pub attributes: Vec<(String, String)>,
    /// What it is if it is a rule file, and when it is meant to be read.
    pub rule: Option<Rule>,
    /// Agents that load the file by themselves, sorted; known in a catalog only, since other files decide with it.
    #[serde(skip)]
    pub native: Vec<&'static str>,
    /// SHA-256 of the content, in hexadecimal.
    pub revision: String,
    pub bytes: u64,
    /// o200k tokens of the whole file: the sum over front matter and sections.
    pub tokens: u32,
    /// In the order of the file; their ranges do not overlap.
    pub sections: Vec<SectionMeta>,
    /// What is wrong with the file, though it was indexed.
    pub warnings: Vec<String>,
    /// The filesystem's view of the file when it was indexed.
    pub(super) stamp: Stamp,
}

/// A heading with the text up to the next heading, or a part of that where it is very long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionMeta {
    /// Unique in the spec and readable: the heading path as a slug, a later part with `~2`.
    pub id: String,
    /// The heading alone; empty for text before the first heading.
    pub heading: String,
    /// The section under whose heading this one stands.
    pub parent: Option<u32>,
    /// Depth of the heading, 1 for the outermost; 0 for text before the first heading.
    pub level: u8,
    /// 1, or the number of this part of a long section.
    pub part: u16,
    /// Byte range in the file as lossily decoded UTF-8, heading included.
    pub start: u32,
    pub end: u32,
    pub tokens: u32,
}

impl SpecMeta {
    /// The name of the markup that it is written in.
    pub fn format(&self) -> &'static str {
        Format::of(&self.path).unwrap_or(Format::PlainText).name()
    }

    pub fn section(&self, id: &str) -> Option<(usize, &SectionMeta)> {
        self.sections.iter().enumerate().find(|(_, s)| s.id == id)
    }

    /// The headings that lead to a section, outermost first: `Recovery > After a crash`.
    pub fn heading_path(&self, section: usize) -> String {
        let mut names = Vec::new();
        let mut at = self.sections.get(section);
        while let Some(section) = at {
            names.push(section.heading.as_str());
            at = section.parent.and_then(|p| self.sections.get(p as usize));
        }
        names.retain(|n| !n.is_empty());
        names.reverse();
        names.join(" > ")
    }

    /// What plugins see of it beside its front matter: `(key, value)` by documented keys.
    pub fn facts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let rule = self.rule.iter().flat_map(Rule::attributes);
        rule.chain(self.native.iter().map(|agent| ("native", *agent)))
    }

    /// The file is not UTF-8, so that a range of the text is no range of the file.
    pub(super) fn is_lossy(&self) -> bool {
        self.warnings.iter().any(|warning| warning == LOSSY)
    }

    pub(super) fn key(&self) -> u64 {
        key(&self.path)
    }
}

/// The index key of a path.
pub(super) fn key(path: &str) -> u64 {
    let digest = Sha256::digest(path.as_bytes());
    digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

/// Every spec of a project at one moment, sorted by path.
#[derive(Debug, Default)]
pub struct SpecCatalog {
    specs: Vec<Arc<SpecMeta>>,
    by_name: HashMap<String, usize>,
    by_id: HashMap<String, Vec<usize>>,
    /// The specs (as ordinals) that are rule files.
    rules: Vec<usize>,
    /// What is wrong with specs, path first.
    warnings: Vec<String>,
    revision: String,
}

impl SpecCatalog {
    /// Builds the catalog; a spec whose id is taken by an earlier path goes by its path and carries a warning.
    pub(super) fn new(mut specs: Vec<Arc<SpecMeta>>) -> SpecCatalog {
        specs.sort_by(|a, b| a.path.cmp(&b.path));
        for (i, agents) in native::loaded(&specs) {
            Arc::make_mut(&mut specs[i]).native = agents;
        }
        // Before any id: none may take the place of another spec's path.
        let by_name = specs.iter().enumerate().map(|(i, spec)| (spec.path.clone(), i)).collect();
        let mut catalog = SpecCatalog { specs, by_name, ..SpecCatalog::default() };
        let mut digest = Sha256::new();
        for i in 0..catalog.specs.len() {
            let spec = catalog.with_unique_id(i);
            digest.update(spec.path.as_bytes());
            digest.update([0]);
            digest.update(spec.revision.as_bytes());
            digest.update([0]);
            if spec.rule.is_some() {
                catalog.rules.push(i);
            }
            for id in &spec.ids {
                catalog.by_id.entry(ids::normalise(id)).or_default().push(i);
            }
            catalog.by_name.insert(spec.id.clone(), i);
            catalog.warnings.extend(spec.warnings.iter().map(|warning| format!("{}: {warning}", spec.path)));
            catalog.specs[i] = spec;
        }
        catalog.revision = super::hex(&digest.finalize());
        catalog
    }

    fn with_unique_id(&self, i: usize) -> Arc<SpecMeta> {
        let spec = &self.specs[i];
        let taken = |id: &str| self.by_name.get(id).filter(|at| **at != i);
        let Some(first) = taken(&spec.id) else { return Arc::clone(spec) };
        let mut renamed = SpecMeta::clone(spec);
        renamed.warnings.push(format!("the id {} {TAKEN} {}", spec.id, self.specs[*first].path));
        renamed.id = path_id(&spec.path);
        if taken(&renamed.id).is_some() {
            renamed.id.clone_from(&spec.path);
        }
        Arc::new(renamed)
    }

    pub fn specs(&self) -> &[Arc<SpecMeta>] {
        &self.specs
    }

    /// Those that are rule files, by path, each with its rule.
    pub fn rules(&self) -> impl Iterator<Item = (&SpecMeta, &Rule)> {
        let specs = self.rules.iter().filter_map(|i| self.specs.get(*i));
        specs.filter_map(|spec| spec.rule.as_ref().map(|rule| (&**spec, rule)))
    }

    /// The spec with this id or path, or the only one that defines this id (`DAEMON-006`, in any case).
    pub fn find(&self, name: &str) -> Option<&Arc<SpecMeta>> {
        let only = || match self.by_id.get(&ids::normalise(name)).map(Vec::as_slice) {
            Some([one]) => Some(*one),
            _ => None,
        };
        self.by_name.get(name).copied().or_else(only).and_then(|i| self.specs.get(i))
    }

    /// The specs that a text names by ids which only they define, each once, in the order of their paths.
    pub fn named_in(&self, text: &str) -> Vec<&Arc<SpecMeta>> {
        let only = |id: &String| match self.defining(id) {
            [one] => Some(*one),
            _ => None,
        };
        let named: BTreeSet<usize> = ids::mentioned(text).iter().filter_map(only).collect();
        named.into_iter().filter_map(|i| self.specs.get(i)).collect()
    }

    /// The specs (as ordinals) that define an id in its normal form.
    pub(super) fn defining(&self, id: &str) -> &[usize] {
        self.by_id.get(id).map_or(&[], Vec::as_slice)
    }

    /// What is wrong with specs, path first.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// A digest of all paths and contents: equal for equal projects, whatever way the index got there.
    pub fn revision(&self) -> &str {
        &self.revision
    }
}

/// The id of a spec that names none: its path without the extension.
pub(super) fn path_id(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') && !stem.is_empty() => stem.to_owned(),
        _ => path.to_owned(),
    }
}
