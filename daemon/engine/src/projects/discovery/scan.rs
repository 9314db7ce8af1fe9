//! Looks for projects below folders: what a look is to cover, and what came of it. The threads that do it are `walk`'s.
//!
//! Reads names only. No link is followed, nothing is opened but folders, and nothing is decided here about a project.

use super::rules::{GIT, Rules};
use super::walk::{PATIENCE, Visit, walk};
use super::watch::{Refused, Watches};
use pu_protocol::layout::ProjectLayout;
use std::collections::BTreeSet;
use std::fs::ReadDir;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// As many paths of each kind as are kept to be told.
const TOLD_MAX: usize = 16;

/// A folder to begin at.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) folder: PathBuf,
    pub(super) place: Place,
    /// How many folders deeper is looked.
    pub(super) left: u32,
}

/// What is known of the folder at which a look begins.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// It is a root: its real path is to be found out, and whatever it holds, what is below is watched.
    Root,
    /// It lies below this root.
    Below(Arc<Root>),
}

/// A root that was found.
#[derive(Debug)]
pub(super) struct Root {
    /// As it is configured, with the home in its place.
    pub(super) given: PathBuf,
    /// Without links.
    pub(super) real: PathBuf,
    pub(super) rules: Rules,
}

/// What all looks go by.
pub(super) struct Plan {
    pub(super) starts: Vec<Start>,
    pub(super) patterns: Vec<String>,
    /// The user's PurePoint folder.
    pub(super) home: PathBuf,
    /// What is looked at is watched from then on, if there is anything to watch it with.
    pub(super) watches: Option<Arc<Watches>>,
    /// Folders that do not answer: they are not asked again.
    pub(super) silent: BTreeSet<PathBuf>,
    /// What lies inside of projects and repositories is looked at too.
    pub(super) is_whole: bool,
    /// Told when a folder answers after all that was given up.
    pub(super) late: Box<dyn Fn(PathBuf) + Send + Sync>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Folders that hold a `.pu/`.
    pub(super) projects: BTreeSet<PathBuf>,
    pub(super) roots: Vec<Arc<Root>>,
    /// Roots that are not there.
    pub(super) missing: Vec<PathBuf>,
    pub(super) folders: u64,
    pub(super) unreadable: Paths,
    /// Folders that did not answer in time.
    pub(super) silent: Vec<PathBuf>,
    /// The uppermost folders that cannot be watched, and how deep they are looked into.
    pub(super) unwatched: Vec<Start>,
    /// Why not.
    pub(super) refused: Option<String>,
    /// Too much did not answer for the look to come to its end.
    pub(super) is_cut: bool,
}

/// A count, and the first few of what was counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    pub(super) count: u64,
    pub(super) first: Vec<PathBuf>,
}

impl Paths {
    fn add(&mut self, path: &Path) {
        self.count += 1;
        if self.first.len() < TOLD_MAX {
            self.first.push(path.to_owned());
        }
    }
}

impl Outcome {
    /// Whether what was not found there may be there all the same.
    pub(super) fn is_blind_at(&self, path: &Path) -> bool {
        let covers = |folder: &PathBuf| path.starts_with(folder);
        self.is_cut
            || self.silent.iter().any(covers)
            || self.unreadable.first.iter().any(covers)
            || self.unreadable.count > self.unreadable.first.len() as u64
    }

    pub(super) fn take(&mut self, found: Found) {
        self.folders += 1;
        match found.seen {
            Seen::Nothing => {}
            Seen::NoRoot(place) => self.missing.push(place),
            Seen::Unreadable(folder) => self.unreadable.add(&folder),
        }
        self.projects.extend(found.project);
        self.roots.extend(found.root);
        if let Some((start, why)) = found.unwatched {
            self.unwatched.push(start);
            self.refused.get_or_insert(why);
        }
    }
}

/// One folder to look at.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) folder: PathBuf,
    place: Place,
    left: u32,
    /// It lies in a project or a repository: what is in there is looked at, not watched.
    pub(super) inside: bool,
    /// A folder above it cannot be watched: that one is looked at again and again instead.
    covered: bool,
}

impl Job {
    pub(super) fn of(start: Start) -> Self {
        Self { folder: start.folder, place: start.place, left: start.left, inside: false, covered: false }
    }
}

/// What one folder came to.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) below: Vec<Job>,
    seen: Seen,
    project: Option<PathBuf>,
    root: Option<Arc<Root>>,
    unwatched: Option<(Start, String)>,
}

#[derive(Debug, Default)]
enum Seen {
    #[default]
    Nothing,
    NoRoot(PathBuf),
    Unreadable(PathBuf),
}

/// Looks at all that the plan covers. Blocking, for a bounded time even where folders do not answer.
pub(super) fn scan(plan: Plan) -> Outcome {
    let starts: Vec<Job> = plan.starts.iter().cloned().map(Job::of).collect();
    walk(Arc::new(Look { plan, is_full: AtomicBool::new(false) }), starts.into_iter(), PATIENCE)
}

/// A look that is under way.
struct Look {
    plan: Plan,
    /// There is no room for more watches: none is asked for.
    is_full: AtomicBool,
}

impl Visit for Look {
    fn look(&self, job: &Job, beats: &AtomicU64) -> Found {
        let mut found = Found::default();
        let (root, folder) = match &job.place {
            Place::Below(root) => (Arc::clone(root), job.folder.clone()),
            Place::Root => match self.root(&job.folder) {
                Ok(root) => {
                    let real = root.real.clone();
                    found.root = Some(Arc::clone(&root));
                    (root, real)
                }
                Err(seen) => return Found { seen, ..found },
            },
        };
        let is_root = folder == root.real;
        let start = Start { folder, place: Place::Below(Arc::clone(&root)), left: job.left };
        // Before it is read: what comes in between is heard of, what was there is seen.
        if !job.inside && !job.covered {
            found.unwatched = self.watch(&start, is_root);
        }
        let folder = &start.folder;
        beats.fetch_add(1, Ordering::Relaxed);
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            // It went away meanwhile, or is no folder any more.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return found,
            Err(_) => return Found { seen: Seen::Unreadable(folder.clone()), unwatched: None, ..found },
        };
        let inside = read(entries, &root.rules, folder, beats);
        // A root that is a repository itself has its projects below all the same.
        let is_border = !is_root && (inside.is_project || inside.is_repository);
        if inside.is_project {
            if job.inside {
                self.watch(&start, false);
            }
            found.project = Some(folder.clone());
        }
        if (self.plan.is_whole || !is_border)
            && let Some(left) = job.left.checked_sub(1)
        {
            let covered = job.covered || found.unwatched.is_some();
            let below = inside.folders.into_iter().filter(|path| !self.plan.silent.contains(path));
            found.below.extend(below.map(|folder| Job {
                folder,
                place: Place::Below(Arc::clone(&root)),
                left,
                inside: job.inside || is_border,
                covered,
            }));
        }
        found
    }

    fn late(&self, folder: PathBuf) {
        (self.plan.late)(folder);
    }
}

impl Look {
    fn root(&self, given: &Path) -> Result<Arc<Root>, Seen> {
        let real = std::fs::canonicalize(given).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Seen::NoRoot(given.to_owned()),
            _ => Seen::Unreadable(given.to_owned()),
        })?;
        if !real.is_dir() {
            return Err(Seen::NoRoot(given.to_owned()));
        }
        let rules = Rules::below(&real, &self.plan.patterns, &self.plan.home);
        // The patterns were checked when the configuration was read.
        let rules = rules.map_err(|_| Seen::Nothing)?;
        Ok(Arc::new(Root { given: given.to_owned(), real, rules }))
    }

    /// Watches a folder, or says that it cannot be watched, and why.
    fn watch(&self, start: &Start, is_root: bool) -> Option<(Start, String)> {
        let watches = self.plan.watches.as_ref()?;
        if self.is_full.load(Ordering::Relaxed) {
            return Some((start.clone(), "there is no room for more watches".to_owned()));
        }
        let added = if is_root { watches.add_root(&start.folder) } else { watches.add(&start.folder) };
        match added {
            Ok(()) | Err(Refused::Gone) => None,
            Err(Refused::Full(why)) => {
                self.is_full.store(true, Ordering::Relaxed);
                Some((start.clone(), why))
            }
            Err(Refused::Failed(why)) => Some((start.clone(), why)),
        }
    }
}

/// What is in a folder.
#[derive(Debug, Default)]
struct Inside {
    folders: Vec<PathBuf>,
    is_project: bool,
    is_repository: bool,
}

fn read(entries: ReadDir, rules: &Rules, folder: &Path, beats: &AtomicU64) -> Inside {
    let mut inside = Inside::default();
    for entry in entries {
        beats.fetch_add(1, Ordering::Relaxed);
        // What cannot be read of a folder's list is as if it were not there; the next look may see it.
        let Ok(entry) = entry else { continue };
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        if name == GIT {
            // A file in worktrees.
            inside.is_repository = true;
        } else if kind.is_dir() {
            if name == ProjectLayout::FOLDER && !rules.is_home(folder, &name) {
                inside.is_project = true;
            } else if !rules.leave_out(folder, &name) {
                inside.folders.push(folder.join(name));
            }
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn plan(roots: &[&Path], depth: u32, patterns: &[&str]) -> Plan {
        let start = |root: &&Path| Start { folder: (*root).to_owned(), place: Place::Root, left: depth };
        Plan {
            starts: roots.iter().map(start).collect(),
            patterns: patterns.iter().map(|p| (*p).to_owned()).collect(),
            home: PathBuf::from("/none"),
            watches: None,
            silent: BTreeSet::new(),
            is_whole: true,
            late: Box::new(|_| {}),
        }
    }

    fn tree(folders: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        for path in folders {
            std::fs::create_dir_all(base.join(path)).unwrap();
        }
        (folder, base)
    }

    fn names(outcome: &Outcome, base: &Path) -> Vec<String> {
        outcome.projects.iter().map(|root| root.strip_prefix(base).unwrap().display().to_string()).collect()
    }

    #[test]
    fn projects_are_found_wherever_they_lie_but_not_where_nobody_looks() {
        let (_folder, base) = tree(&[
            "a/.pu",
            "b/c/.pu",
            "repo/.git/x/.pu",
            "repo/nested/.pu",
            "repo/.pu/worktrees/w/.pu",
            "web/node_modules/m/.pu",
            "web/scratch/.pu",
            ".hidden/.pu",
            "1/2/3/.pu",
            "1/2/3/4/.pu",
        ]);
        symlink(base.join("a"), base.join("b/link")).unwrap();
        symlink(&base, base.join("b/loop")).unwrap();
        let outcome = scan(plan(&[&base], 3, &["scratch"]));
        assert_eq!(names(&outcome, &base), ["1/2/3", "a", "b/c", "repo", "repo/nested"]);
        assert!(outcome.roots.len() == 1 && outcome.missing.is_empty() && !outcome.is_cut);
    }

    #[test]
    fn a_look_that_is_not_whole_ends_at_projects_and_repositories() {
        let (_folder, base) = tree(&[".git", "a/.pu", "a/nested/.pu", "repo/.git", "repo/nested/.pu", "b/c/.pu"]);
        let outcome = scan(Plan { is_whole: false, ..plan(&[&base], 6, &[]) });
        assert_eq!((names(&outcome, &base), outcome.folders), (vec!["a".to_owned(), "b/c".to_owned()], 5));
    }

    #[test]
    fn a_root_may_be_a_link_a_project_or_not_there() {
        let (_folder, base) = tree(&["real/.pu", "real/sub/.pu"]);
        let (link, none) = (base.join("link"), base.join("none"));
        symlink(base.join("real"), &link).unwrap();
        let outcome = scan(plan(&[&link, &none], 6, &[]));
        assert_eq!(names(&outcome, &base), ["real", "real/sub"]);
        assert_eq!((&outcome.roots[0].given, &outcome.roots[0].real), (&link, &base.join("real")));
        assert_eq!(outcome.missing, [none]);
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_makes_blind_for_what_lies_there() {
        let (_folder, base) = tree(&["shut/p/.pu", "open/.pu"]);
        let shut = base.join("shut");
        std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o000)).unwrap();
        let may_read_all = std::fs::read_dir(&shut).is_ok();
        let outcome = scan(plan(&[&base], 6, &[]));
        std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o700)).unwrap();
        // Who may read everything, as root does, finds nothing shut.
        if !may_read_all {
            assert_eq!((names(&outcome, &base), outcome.unreadable.count), (vec!["open".to_owned()], 1));
            assert!(outcome.is_blind_at(&shut.join("p")) && !outcome.is_blind_at(&base.join("open")));
        }
    }

    #[test]
    fn many_folders_are_all_looked_at_once() {
        let (_folder, base) = tree(&[]);
        for number in 0..300 {
            std::fs::create_dir_all(base.join(format!("g{}/p{number}/.pu", number % 7))).unwrap();
        }
        let outcome = scan(plan(&[&base], 6, &[]));
        assert_eq!((outcome.projects.len(), outcome.folders), (300, 308));
    }
}
