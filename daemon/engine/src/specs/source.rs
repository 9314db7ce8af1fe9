//! Which folders and files of a project are specs: walks them and says of every file that it leaves out why.
//!
//! It never opens a file, never follows a link out of the project, and never looks into `.git`, `node_modules` or builds.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ignore::{DirEntry, WalkBuilder};

use super::format::Format;
use super::ignores;
use super::nested::Nested;
use super::rule::{self, RuleKind};
use super::stamp::Stamp;

/// Folders that are read without any configuration, compared without regard to case.
const DEFAULT_FOLDERS: &[&str] = &["specs", "docs", "doc", "rfcs", "adr", "proposals", "openspec"];
const NEVER: &[&str] = &[".git", ".pu", "node_modules"];
/// Where builds are kept, in the root or with the mark of a cache in it; elsewhere it is a name like any other.
const BUILDS: &str = "target";
const CACHE_MARK: &str = "CACHEDIR.TAG";

/// Whether a folder, at this path, is never looked into.
pub(super) fn is_never_read(root: &Path, folder: &Path) -> bool {
    let Some(name) = folder.file_name() else { return false };
    let builds = || name == BUILDS && (folder.parent() == Some(root) || folder.join(CACHE_MARK).exists());
    NEVER.iter().any(|never| name == *never) || builds()
}

/// A chain of more links is a circle.
const MAX_LINKS: usize = 40;

/// What the user's configuration says about spec sources (`[specs]` in `config.toml`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Folders besides the default ones, relative to the project.
    pub folders: Vec<String>,
    /// Rule files are specs too: `AGENTS.md`, those of Cursor, Copilot and others.
    pub rules: bool,
    /// A larger file is reported as skipped.
    pub max_file_bytes: u64,
}

impl Default for SourceConfig {
    fn default() -> Self {
        SourceConfig { folders: Vec::new(), rules: true, max_file_bytes: 4 << 20 }
    }
}

impl SourceConfig {
    /// What in the project's root decides which specs there are, in lower case.
    pub(super) fn top_names(&self) -> Vec<String> {
        let first = |folder: &String| Some(inner(folder).next()?.as_os_str().to_string_lossy().into_owned());
        let names = DEFAULT_FOLDERS.iter().copied().chain([".gitignore", ".ignore"]).map(str::to_owned);
        names.chain(self.folders.iter().filter_map(first)).map(|name| name.to_ascii_lowercase()).collect()
    }

    /// The folders below the root whose entries decide whether a source exists: of each configured folder the nearest one
    /// above it that is there.
    pub(super) fn outlooks(&self, root: &Path) -> Vec<PathBuf> {
        let nearest = |folder: &String| {
            let path = placed(root, folder);
            let above = path.ancestors().skip(1).find(|a| a.is_dir() && a.starts_with(root))?;
            fs::canonicalize(above).ok().filter(|real| real.starts_with(root) && real != root)
        };
        self.folders.iter().filter_map(nearest).collect()
    }

    /// The places on which the rule files depend that are not walked, by real paths: of each the part that is there, and one
    /// step more, since that is what comes first.
    fn rule_places(&self, root: &Path) -> Vec<PathBuf> {
        let places: &[&str] = if self.rules { rule::PLACES } else { &[] };
        let next = |place: &&str| {
            let path = root.join(place);
            let there = path.ancestors().skip(1).find(|a| a.is_dir() && a.starts_with(root))?;
            let step = path.strip_prefix(there).ok()?.components().next()?;
            let real = fs::canonicalize(there).ok().filter(|real| real.starts_with(root))?;
            Some(real.join(step))
        };
        places.iter().filter_map(next).collect()
    }

    /// The source folders that are there or configured, as far as that can be seen.
    pub(super) fn placed_folders(&self, root: &Path) -> Vec<PathBuf> {
        let mut folders = default_folders(root).unwrap_or_default();
        folders.extend(self.folders.iter().map(|folder| placed(root, folder)));
        folders
    }
}

/// The default folders as the disk spells them.
fn default_folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let is_default = |entry: &fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        DEFAULT_FOLDERS.contains(&name.as_str()) && entry.path().is_dir()
    };
    Ok(fs::read_dir(root)?.filter_map(Result::ok).filter(is_default).map(|entry| entry.path()).collect())
}

/// The steps to a configured folder from the root, without those that lead nowhere.
fn inner(folder: &str) -> impl Iterator<Item = Component<'_>> {
    Path::new(folder).components().filter(|c| !matches!(c, Component::CurDir | Component::RootDir))
}

/// Where a configured folder lies: `.`, `./design` and `design/` are spelled as the disk spells them.
fn placed(root: &Path, folder: &str) -> PathBuf {
    root.components().chain(inner(folder)).collect()
}

/// A file that a spec source holds and the index does not, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedFile {
    /// Relative to the project, with `/`; bytes that are not UTF-8 are shown as `\u{FFFD}`.
    pub path: String,
    pub reason: String,
    pub kind: SkipKind,
}

/// What kind of reason it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipKind {
    /// It, or what is on the way to it, cannot be read as a file of text.
    Unreadable,
    TooLarge,
    /// It leads out of the project.
    Outside,
    /// It is read already, under another name.
    Repeated,
    /// A rule where the tool that it is for does not look.
    Misplaced,
    /// A folder that the configuration names and that is not there.
    Missing,
    /// Not all of the project was searched.
    Unsearched,
}

/// A spec file as found on disk, not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundFile {
    /// Relative to the project, with `/`.
    pub path: String,
    pub stamp: Stamp,
}

/// What one walk over the sources found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Sorted by path.
    pub files: Vec<FoundFile>,
    pub skipped: Vec<SkippedFile>,
    /// The real path of every folder that was walked: what has to be watched.
    pub folders: Vec<PathBuf>,
    /// Real paths in the project that links in those folders lead to, or would if anything were there: a spec behind one
    /// changes, comes and goes at that place and not in the folder with the link.
    pub linked: Vec<PathBuf>,
}

/// Walks the sources of the project whose canonical root is `root`.
pub(super) fn scan(root: &Path, config: &SourceConfig, nested: &Nested) -> Scan {
    let mut walk = SourceWalk {
        root,
        config,
        files: BTreeMap::new(),
        scan: Scan::default(),
        roots: Vec::new(),
        only_rules: false,
    };
    if config.rules {
        walk.rules(nested);
    }
    for folder in walk.folders() {
        walk.enter(folder);
    }
    let SourceWalk { files, mut scan, .. } = walk;
    scan.files = files.into_values().collect();
    scan.files.sort_by(|a, b| a.path.cmp(&b.path));
    scan.skipped.sort_by(|a, b| (&a.path, &a.reason).cmp(&(&b.path, &b.reason)));
    scan.skipped.dedup();
    scan.folders.sort();
    scan.folders.dedup();
    scan.linked.sort();
    scan.linked.dedup();
    scan
}

struct SourceWalk<'a> {
    root: &'a Path,
    config: &'a SourceConfig,
    /// Keyed by the real path, so that a file reached by two ways is one spec.
    files: BTreeMap<PathBuf, FoundFile>,
    scan: Scan,
    /// Canonical folders that were walked or are being walked: what ends a cycle of links.
    roots: Vec<PathBuf>,
    /// What is no rule file is passed over.
    only_rules: bool,
}

impl SourceWalk<'_> {
    /// The source folders, as `(shown as, folder)`: the defaults as the disk spells them, then the configured ones.
    fn folders(&mut self) -> Vec<PathBuf> {
        let mut found = default_folders(self.root).unwrap_or_else(|error| {
            self.skip(self.root, format!("cannot list the project folder: {error}"));
            Vec::new()
        });
        found.sort();
        for folder in &self.config.folders {
            let path = placed(self.root, folder);
            if Path::new(folder).is_absolute() {
                self.skip(Path::new(folder), "a spec folder is named relative to the project".into());
            } else if path.is_dir() {
                found.push(path);
            } else {
                self.skip_as(SkipKind::Missing, &path, "the configured spec folder does not exist".into());
            }
        }
        found
    }

    /// Looks at every place of rule files. They come before the folders of specs, so that a file which is both keeps the
    /// meaning of a rule.
    fn rules(&mut self, nested: &Nested) {
        self.only_rules = true;
        for place in rule::PLACES {
            self.place(self.root.join(place));
        }
        for file in nested.files() {
            self.place(file.clone());
            // The file is heard of where it lies, and so are the folders above it. One that is gone is searched for anew.
            if file.parent().is_some_and(Path::is_dir) {
                self.scan.linked.push(file.clone());
            }
        }
        if let Some(entries) = nested.cut() {
            let reason =
                format!("only the first {entries} entries of the project were searched for it and for CLAUDE.md");
            self.skip_as(SkipKind::Unsearched, Path::new("**/AGENTS.md"), reason);
        }
        self.scan.linked.extend(self.config.rule_places(self.root));
        self.only_rules = false;
        // A folder of specs around one of rules is walked none the less: most of them are hidden in it.
        self.roots = Vec::new();
    }

    /// A rule file or a folder of them, if there is one.
    fn place(&mut self, path: PathBuf) {
        match fs::symlink_metadata(&path) {
            Ok(_) if path.is_dir() => self.enter(path),
            Ok(found) => {
                if found.is_symlink() {
                    self.note_link(&path);
                }
                if let Some(real) = self.resolve(&path) {
                    self.visit_file(&path, real);
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => self.skip(&path, format!("cannot look at it: {error}")),
        }
    }

    /// Walks a folder, unless it leaves the project or is walked already.
    fn enter(&mut self, folder: PathBuf) {
        let mut pending = vec![folder];
        while let Some(folder) = pending.pop() {
            let Some(real) = self.resolve(&folder) else { continue };
            if let Some(reason) = self.refusal(&real) {
                self.skip(&folder, reason);
                continue;
            }
            if self.roots.iter().any(|seen| real.starts_with(seen)) {
                if real != folder {
                    let reason = format!("a link to {}, which is read already", self.shown(&real));
                    self.skip_as(SkipKind::Repeated, &folder, reason);
                }
                continue;
            }
            if let Some(file) = ignores::unsound_above(self.root, &real) {
                self.skip(&folder, unsound(&self.shown(&file)));
                // Heard of once it is mended.
                self.scan.linked.push(file);
                continue;
            }
            if real != folder {
                self.note_link(&folder);
                self.scan.linked.push(real.clone());
            }
            self.roots.push(real.clone());
            self.scan.folders.push(real.clone());
            let root = self.root.to_path_buf();
            let left: Arc<Mutex<Vec<(PathBuf, PathBuf)>>> = Arc::default();
            let noted = Arc::clone(&left);
            let is_walked = move |entry: &DirEntry| {
                if entry.depth() == 0 {
                    return true;
                }
                if is_never_read(&root, entry.path()) {
                    return false;
                }
                let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                let unsound = is_folder.then(|| ignores::unsound(&root, entry.path())).flatten();
                let is_sound = unsound.is_none();
                locked(&noted).extend(unsound.map(|file| (entry.path().to_owned(), file)));
                is_sound
            };
            let walk = WalkBuilder::new(&folder)
                .follow_links(false)
                .require_git(false)
                .sort_by_file_name(|a, b| a.cmp(b))
                .filter_entry(is_walked)
                .build();
            for entry in walk {
                match entry {
                    // The folder itself, which is a link where a link led here.
                    Ok(entry) if entry.depth() == 0 => {}
                    Ok(entry) => {
                        let inner = entry.path().strip_prefix(&folder).unwrap_or(entry.path());
                        // No link was followed on the way from the folder to the entry.
                        self.visit(&entry, real.join(inner), &mut pending);
                    }
                    Err(error) => self.skip_error(&folder, &error),
                }
            }
            for (inner, file) in locked(&left).drain(..) {
                self.skip(&inner, unsound(&self.shown(&file)));
                self.scan.linked.push(file);
            }
        }
    }

    /// Why a folder that a source or a link names is not walked.
    fn refusal(&self, real: &Path) -> Option<String> {
        let inner = real.strip_prefix(self.root).ok()?;
        let mut ways = inner.ancestors().map(|way| self.root.join(way)).filter(|way| way != self.root);
        if ways.any(|way| is_never_read(self.root, &way)) {
            return Some("this folder is never read for specs".into());
        }
        let around = self.roots.iter().find(|seen| seen.starts_with(real) && *seen != real)?;
        Some(format!("it contains the folder {}, which is read already", self.shown(around)))
    }

    /// Looks at an entry that lies at `real`, where it is no link.
    fn visit(&mut self, entry: &DirEntry, real: PathBuf, pending: &mut Vec<PathBuf>) {
        let Some(kind) = entry.file_type() else { return };
        let path = entry.path();
        if kind.is_dir() {
            self.scan.folders.push(real);
        } else if !kind.is_symlink() {
            self.visit_file(path, real);
        } else if path.is_dir() {
            pending.push(path.to_path_buf());
        } else {
            let target = self.resolve(path);
            // What is missing could become a spec or a folder of specs; a picture that is there could not.
            if target.is_none() || Format::of(&self.shown(path)).is_some() {
                self.note_link(path);
            }
            if let Some(target) = target {
                self.visit_file(path, target);
            }
        }
    }

    /// Notes where a link leads, link by link, as far as that is in the project; the last place may be empty.
    fn note_link(&mut self, link: &Path) {
        let mut at = link.to_path_buf();
        for _ in 0..MAX_LINKS {
            let (Ok(target), Some(folder)) = (fs::read_link(&at), at.parent()) else { return };
            let target = folder.join(target);
            let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else { return };
            let Ok(folder) = fs::canonicalize(folder) else { return };
            at = folder.join(name);
            if at.starts_with(self.root) {
                self.scan.linked.push(at.clone());
            }
        }
    }

    fn visit_file(&mut self, path: &Path, real: PathBuf) {
        let shown = self.shown(path);
        if Format::of(&shown).is_none() {
            return;
        }
        let is_rule = RuleKind::of(&shown).is_some();
        if self.only_rules && !is_rule {
            if let Some(reason) = rule::unread(&shown) {
                self.skip_as(SkipKind::Misplaced, path, reason.to_owned());
            }
            return;
        }
        if is_rule && !self.config.rules {
            return;
        }
        if path.to_str().is_none() {
            return self.skip(path, "the file name is not UTF-8".into());
        }
        let metadata = match fs::metadata(&real) {
            Ok(metadata) => metadata,
            Err(error) => return self.skip(path, format!("cannot look at the file: {error}")),
        };
        if !metadata.is_file() {
            return self.skip(path, "not a regular file".into());
        }
        if metadata.len() > self.config.max_file_bytes {
            let limit = self.config.max_file_bytes;
            let reason = format!("{} bytes is more than the limit of {limit}", metadata.len());
            return self.skip_as(SkipKind::TooLarge, path, reason);
        }
        let found = FoundFile { path: shown.clone(), stamp: Stamp::of(&metadata) };
        if let Some(first) = self.files.get(&real) {
            // A folder of specs that is walked after the rules comes upon them again; and one file for several agents is
            // what links between their names are for.
            if first.path == shown || self.only_rules {
                return;
            }
            let reason = format!("the same file as {}", first.path);
            return self.skip_as(SkipKind::Repeated, path, reason);
        }
        self.files.insert(real, found);
    }

    /// The real path of what lies in the project; anything else is reported.
    fn resolve(&mut self, path: &Path) -> Option<PathBuf> {
        match fs::canonicalize(path) {
            Ok(real) if real.starts_with(self.root) => Some(real),
            Ok(_) => {
                self.skip_as(SkipKind::Outside, path, "it leads out of the project".into());
                None
            }
            Err(error) => {
                self.skip(path, format!("cannot resolve the link: {error}"));
                None
            }
        }
    }

    fn skip_error(&mut self, folder: &Path, error: &ignore::Error) {
        let path = error_path(error).unwrap_or(folder).to_path_buf();
        match error.io_error() {
            Some(io) => self.skip(&path, format!("cannot read the folder: {io}")),
            None => self.skip(&path, error.to_string()),
        }
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.skip_as(SkipKind::Unreadable, path, reason);
    }

    fn skip_as(&mut self, kind: SkipKind, path: &Path, reason: String) {
        let path = self.shown(path);
        self.scan.skipped.push(SkippedFile { path, reason, kind });
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(self.root).unwrap_or(path).to_string_lossy().into_owned()
    }
}

fn unsound(file: &str) -> String {
    format!("{file} says what to ignore there, and is no file of the project that may be read")
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        _ => None,
    }
}
