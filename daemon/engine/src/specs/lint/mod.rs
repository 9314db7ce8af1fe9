//! What is wrong with a project's specs and rule files, told with place, code and what to do: `FindingCode` lists it.
//!
//! It reads files and judges them. It changes nothing, runs nothing and asks no network: links to other sites are not
//! looked at. Blocking.

mod anchors;
mod finding;
mod ids;
mod links;
mod rules;
mod sizes;
mod text;
mod tree;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

pub use finding::{Finding, FindingCode, Severity};

use super::catalog::{self, SpecCatalog, SpecMeta};
use super::file;
use super::format::Format;
use super::parse;
use super::source::{SkipKind, SkippedFile};
use anchors::Anchors;
use ids::Ids;
use links::Target;
use text::Text;
use tree::Tree;

/// More are read by nobody.
const MAX_FINDINGS: usize = 10_000;
/// What a link may leave out of a file's name: tools for sites add it.
const ENDINGS: [&str; 9] =
    [".md", ".mdx", ".markdown", ".rst", ".adoc", "/index.md", "/index.mdx", "/index.rst", "/README.md"];

/// How many tokens there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// In a context.
    pub all: u32,
    /// Of that, in hard rules.
    pub rules: u32,
}

/// What is looked at.
pub(super) struct Subject<'a> {
    /// Canonical.
    pub(super) root: &'a Path,
    pub(super) max_file_bytes: u64,
    pub(super) catalog: &'a SpecCatalog,
    pub(super) skipped: &'a [SkippedFile],
}

/// Everything that is found, by path and line, the worst first in a line.
pub(super) fn check(subject: &Subject<'_>, budgets: Budgets) -> Vec<Finding> {
    let mut look = Look {
        subject,
        findings: Vec::new(),
        ids: Ids::default(),
        anchors: BTreeMap::new(),
        tree: OnceCell::new(),
        places: RefCell::default(),
    };
    for spec in subject.catalog.specs() {
        look.at_spec(spec);
    }
    look.at_anchors();
    look.at_skipped();
    let Look { mut findings, ids, .. } = look;
    findings.extend(ids.findings());
    sizes::check(subject.catalog, budgets, |finding| findings.push(finding));
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.line, std::cmp::Reverse(f.code.severity()), f.code);
        a.path.cmp(&b.path).then(key(a).cmp(&key(b))).then_with(|| a.message.cmp(&b.message))
    });
    findings.dedup();
    if findings.len() > MAX_FINDINGS {
        let message = format!("only the first {MAX_FINDINGS} of {} findings are told", findings.len());
        findings.truncate(MAX_FINDINGS);
        findings.push(Finding { code: FindingCode::NotAllSearched, path: ".".to_owned(), line: None, message });
    }
    findings
}

struct Look<'a> {
    subject: &'a Subject<'a>,
    findings: Vec<Finding>,
    ids: Ids,
    /// By the file that they lead to: links to a heading of another file.
    anchors: BTreeMap<String, Vec<Named>>,
    /// Walked once a rule has patterns to hold against it.
    tree: OnceCell<Tree>,
    /// What was found at a path, so that the disk is asked once for many links.
    places: RefCell<BTreeMap<String, Option<String>>>,
}

/// A heading that a link names.
struct Named {
    from: String,
    line: u32,
    anchor: String,
}

impl Look<'_> {
    fn found(&mut self, code: FindingCode, path: &str, line: Option<u32>, message: impl Into<String>) {
        self.findings.push(Finding { code, path: path.to_owned(), line, message: message.into() });
    }

    fn at_spec(&mut self, spec: &SpecMeta) {
        if !spec.native.is_empty() {
            let message = format!("{} loads it without us, so that it is not given it again", spec.native.join(", "));
            self.found(FindingCode::LoadedNatively, &spec.path, None, message);
        }
        let file = match file::read(self.subject.root, &spec.path, self.subject.max_file_bytes) {
            Ok(file) => file,
            Err(reason) => {
                self.found(FindingCode::FileUnreadable, &spec.path, None, format!("cannot be read: {reason}"));
                return self.ids.add(spec, None);
            }
        };
        let text = Text::new(&file.text);
        self.ids.add(spec, Some(&text).filter(|_| file.revision == spec.revision));
        self.at_warnings(spec, &text);
        if let Some(rule) = &spec.rule {
            let (tree, findings, root) = (&self.tree, &mut self.findings, self.subject.root);
            rules::check(spec, rule, &text, || tree.get_or_init(|| Tree::of(root)), |finding| findings.push(finding));
            self.at_imports(spec, &rule.imports, &text);
        }
        if let Some(markdown) = parse::markdown_of(&spec.path, &file.text) {
            self.at_links(&spec.path, &text, &markdown);
        }
    }

    /// What was said of the file when it was indexed, but for what a rule says of its own.
    fn at_warnings(&mut self, spec: &SpecMeta, text: &Text<'_>) {
        let by_rule: Vec<String> = spec.rule.iter().flat_map(|rule| &rule.faults).map(ToString::to_string).collect();
        // A rule file's front matter need not be YAML, and what of it is nothing is the rule's to say.
        let read_as_yaml = spec.rule.is_none() || text.text.starts_with("+++");
        let broken = read_as_yaml.then(|| parse::broken_front_matter(text.text)).flatten();
        for warning in spec.warnings.iter().filter(|warning| !by_rule.contains(warning)) {
            let (code, line) = match &broken {
                Some(broken) if broken.message == *warning => (FindingCode::FrontMatterBroken, Some(broken.line)),
                _ if warning == catalog::LOSSY => (FindingCode::NotUtf8, None),
                _ if warning.contains(catalog::TAKEN) => (FindingCode::DuplicateId, text.line_of_key("id")),
                _ => (FindingCode::FrontMatterCut, Some(1)),
            };
            self.found(code, &spec.path, line, warning.as_str());
        }
    }

    /// `@docs/style.md` in a memory file; `@name` alone is mostly a person or a package.
    fn at_imports(&mut self, spec: &SpecMeta, imports: &[String], text: &Text<'_>) {
        for import in imports.iter().filter(|import| Format::of(import).is_some()) {
            if !self.subject.root.join(import).exists() {
                let name = import.rsplit('/').next().unwrap_or(import);
                let line = text.line_where(|line| line.contains('@') && line.contains(name));
                self.found(
                    FindingCode::DeadImport,
                    &spec.path,
                    line,
                    format!("it imports {import}, which is not there"),
                );
            }
        }
    }

    fn at_links(&mut self, path: &str, text: &Text<'_>, markdown: &str) {
        let own: OnceCell<Anchors> = OnceCell::new();
        for link in links::of(markdown) {
            let line = text.line_of(link.start);
            let (to, anchor, is_absolute) = match links::resolve(path, &link.target) {
                Target::Elsewhere => continue,
                Target::Outside => {
                    let message = format!("the link {} leads out of the project and was not looked at", link.target);
                    self.found(FindingCode::LinkOutside, path, Some(line), message);
                    continue;
                }
                Target::Inside { path, anchor, is_absolute } => (path, anchor, is_absolute),
            };
            if to == path {
                let own = own.get_or_init(|| Anchors::of(text.text, markdown));
                if let Some(anchor) = anchor.filter(|anchor| !own.have(anchor)) {
                    let message = format!("no heading here has the anchor #{anchor}");
                    self.found(FindingCode::DeadAnchor, path, Some(line), message);
                }
                continue;
            }
            let there = if is_absolute { self.place_below_any(path, &to) } else { self.place(&to) };
            match (there, anchor) {
                (Some(there), Some(anchor)) => {
                    let named = Named { from: path.to_owned(), line, anchor };
                    self.anchors.entry(there).or_default().push(named);
                }
                (Some(_), None) => {}
                // The page of a site, as likely as not.
                (None, _) if is_absolute && Format::of(&to).is_none() => {}
                (None, _) => {
                    let message = format!("the link {} leads to {to}, which is not there", link.target);
                    self.found(FindingCode::DeadLink, path, Some(line), message);
                }
            }
        }
    }

    /// What is at a path from the root, with the ending that a link left out.
    fn place(&self, path: &str) -> Option<String> {
        if let Some(known) = self.places.borrow().get(path) {
            return known.clone();
        }
        let found = self.looked_for(path);
        self.places.borrow_mut().insert(path.to_owned(), found.clone());
        found
    }

    fn looked_for(&self, path: &str) -> Option<String> {
        let is_there = |path: &str| self.subject.root.join(path).exists();
        if is_there(path) {
            return Some(path.to_owned());
        }
        let stem = path.strip_suffix(".html").unwrap_or(path).trim_end_matches('/');
        ENDINGS.iter().map(|ending| format!("{stem}{ending}")).find(|path| is_there(path))
    }

    /// The same where a link begins with `/`: from the root, or from a folder above the file that a site may begin in.
    fn place_below_any(&self, from: &str, path: &str) -> Option<String> {
        let folders = Path::new(from).ancestors().skip(1).filter_map(Path::to_str);
        let mut places: Vec<String> = folders.map(|folder| format!("{folder}/{path}")).collect();
        // The root first.
        places.reverse();
        places.iter().find_map(|place| self.place(place.trim_start_matches('/')))
    }

    /// Headings of other files, each of which is read once for them.
    fn at_anchors(&mut self) {
        for (path, named) in std::mem::take(&mut self.anchors) {
            // Of other files lines are named, and parts of pictures.
            if !matches!(Format::of(&path), Some(Format::Markdown | Format::Mdx)) {
                continue;
            }
            let Ok(file) = file::read(self.subject.root, &path, self.subject.max_file_bytes) else { continue };
            let Some(markdown) = parse::markdown_of(&path, &file.text) else { continue };
            let anchors = Anchors::of(&file.text, &markdown);
            for Named { from, line, anchor } in named.into_iter().filter(|named| !anchors.have(&named.anchor)) {
                let message = format!("no heading in {path} has the anchor #{anchor}");
                self.found(FindingCode::DeadAnchor, &from, Some(line), message);
            }
        }
    }

    fn at_skipped(&mut self) {
        for SkippedFile { path, reason, kind } in self.subject.skipped {
            let code = match kind {
                SkipKind::Unreadable => FindingCode::FileUnreadable,
                SkipKind::TooLarge => FindingCode::FileTooLarge,
                SkipKind::Outside => FindingCode::FileOutside,
                SkipKind::Repeated => FindingCode::FileRepeated,
                SkipKind::Misplaced => FindingCode::FileMisplaced,
                SkipKind::Missing => FindingCode::FolderMissing,
                SkipKind::Unsearched => FindingCode::NotAllSearched,
            };
            self.found(code, path, None, format!("it is not read: {reason}"));
        }
        if self.tree.get().is_some_and(|tree| tree.is_cut) {
            let message = "the work tree has so many files that patterns of rules were held against none";
            self.found(FindingCode::NotAllSearched, ".", None, message);
        }
    }
}
