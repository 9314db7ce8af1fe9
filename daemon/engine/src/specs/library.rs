//! Keeps the index equal to the files: compares a walk over the sources with what is indexed and re-reads only what changed.
//!
//! Invariant: `known` describes exactly what the last commit of `disk` holds.

use std::collections::BTreeMap;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::build::{BuildTurns, LONG, OnProgress, Telling, Turn};
use super::catalog::{self, SpecMeta};
use super::disk::{self, Batch, Disk};
use super::error::SpecError;
use super::file;
use super::nested::Nested;
use super::parse;
use super::snapshot::Snapshot;
use super::source::{self, FoundFile, Scan, SkipKind, SkippedFile, SourceConfig};
use super::stamp::Stamp;

pub(super) struct Library {
    root: PathBuf,
    index_dir: PathBuf,
    config: SourceConfig,
    turns: BuildTurns,
    on_progress: OnProgress,
    nested: Nested,
    disk: Disk,
    known: BTreeMap<String, Known>,
    /// What happened to the index itself, for the user.
    notes: Vec<String>,
}

/// An indexed file.
#[derive(Clone)]
struct Known {
    meta: Arc<SpecMeta>,
    /// Newer than the one in `meta` if the file was touched without a change.
    stamp: Stamp,
}

/// What a refresh did.
pub(super) struct Refreshed {
    /// Specs that were written or removed.
    pub changed: usize,
    pub skipped: Vec<SkippedFile>,
    pub folders: Vec<PathBuf>,
    pub linked: Vec<PathBuf>,
    /// When the files are to be looked at again even though nothing was heard of.
    pub due: Option<Instant>,
}

impl Library {
    /// Opens what an earlier run left, without looking at the spec files; a damaged index is set aside.
    pub(super) fn open(
        root: PathBuf,
        index_dir: PathBuf,
        config: SourceConfig,
        turns: BuildTurns,
        on_progress: OnProgress,
    ) -> Result<(Library, Snapshot), SpecError> {
        std::fs::create_dir_all(&index_dir).map_err(SpecError::io("create the folder", &index_dir))?;
        disk::remove_other_versions(&index_dir);
        let mut notes = Vec::new();
        let (disk, metas, snapshot) = match load_guarded(&index_dir) {
            Err(error) if error.is_damage() => {
                notes.push(set_aside(&index_dir, &error)?);
                load(&index_dir)?
            }
            loaded => loaded?,
        };
        let known = metas.into_iter().map(|meta| (meta.path.clone(), Known { stamp: meta.stamp, meta })).collect();
        let nested = Nested::default();
        Ok((Library { root, index_dir, config, turns, on_progress, nested, disk, known, notes }, snapshot))
    }

    /// Sets the index aside and begins an empty one; the next refresh fills it.
    pub(super) fn rebuild(&mut self, cause: &SpecError) -> Result<(), SpecError> {
        self.notes.push(set_aside(&self.index_dir, cause)?);
        self.disk = Disk::open(&self.index_dir)?;
        self.known.clear();
        Ok(())
    }

    /// How many specs are indexed.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn config(&self) -> &SourceConfig {
        &self.config
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot, SpecError> {
        Snapshot::new(&self.disk, self.known.values().map(|k| Arc::clone(&k.meta)).collect())
    }

    /// Brings the index up to date; all changes become visible in one commit, or none. Gives up when `closing` says so.
    /// `search` says that rule files may lie where none were. Where much has to be read it waits for its turn.
    pub(super) fn refresh(&mut self, search: bool, closing: impl Fn() -> bool) -> Result<Refreshed, SpecError> {
        self.nested.refresh(&self.root, &self.config, search);
        let Scan { files, mut skipped, folders, linked } = source::scan(&self.root, &self.config, &self.nested);
        let mut next = BTreeMap::new();
        let mut batch = None;
        let mut changed = 0;
        let mut turn = None;
        let mut telling = Telling::of(files.len(), &self.on_progress);
        for (done, found) in files.iter().enumerate() {
            let mut gives_up = || {
                telling.at(done);
                closing()
            };
            if gives_up() || (changed >= LONG && !self.has_turn(&mut turn, gives_up)) {
                return Err(SpecError::Closed);
            }
            match self.look_at(found, &mut batch) {
                Ok((known, written)) => {
                    changed += usize::from(written);
                    next.insert(found.path.clone(), known);
                }
                Err(LookError::Skip(reason)) => {
                    skipped.push(SkippedFile { path: found.path.clone(), reason, kind: SkipKind::Unreadable });
                }
                Err(LookError::Index(error)) => return Err(error),
            }
        }
        for path in self.known.keys().filter(|path| !next.contains_key(*path)) {
            open_batch(&self.disk, &mut batch)?.remove(path);
            changed += 1;
        }
        if let Some(batch) = batch {
            batch.commit()?;
        }
        telling.end();
        self.known = next;
        skipped.sort_by(|a, b| (&a.path, &a.reason).cmp(&(&b.path, &b.reason)));
        Ok(Refreshed { changed, skipped, folders, linked, due: self.nested.due() })
    }

    /// Waits for its turn, or goes on with the one that it has; false if it gave up.
    fn has_turn(&self, turn: &mut Option<Turn>, gives_up: impl FnMut() -> bool) -> bool {
        if let Some(turn) = turn {
            return turn.go_on(gives_up);
        }
        *turn = self.turns.take(gives_up);
        turn.is_some()
    }

    /// What is to be known of a found file, and whether it was written to the index for that.
    fn look_at<'a>(&'a self, found: &FoundFile, batch: &mut Option<Batch<'a>>) -> Result<(Known, bool), LookError> {
        let known = self.known.get(&found.path);
        if let Some(known) = known.filter(|k| k.stamp == found.stamp) {
            return Ok((known.clone(), false));
        }
        let file = file::read(&self.root, &found.path, self.config.max_file_bytes)
            .map_err(|reason| LookError::Skip(format!("cannot be read: {reason}")))?;
        let stamp = file.stamp.trusted(file.read_at);
        if let Some(known) = known.filter(|k| k.meta.revision == file.revision) {
            return Ok((Known { meta: Arc::clone(&known.meta), stamp }, false));
        }
        let parsed = parse::parse(&found.path, &file.text);
        let mut meta = parsed.meta(&found.path, file.revision, file.bytes, stamp);
        if file.lossy {
            meta.warnings.push(catalog::LOSSY.into());
        }
        open_batch(&self.disk, batch).and_then(|batch| batch.put(&meta, &parsed)).map_err(LookError::Index)?;
        Ok((Known { meta: Arc::new(meta), stamp }, true))
    }
}

enum LookError {
    /// This file only.
    Skip(String),
    Index(SpecError),
}

fn open_batch<'a, 'b>(disk: &'a Disk, batch: &'b mut Option<Batch<'a>>) -> Result<&'b mut Batch<'a>, SpecError> {
    match batch {
        Some(batch) => Ok(batch),
        None => Ok(batch.insert(disk.batch()?)),
    }
}

/// Loads; where tantivy panics over what it reads, the index is damaged.
fn load_guarded(index_dir: &Path) -> Result<(Disk, Vec<Arc<SpecMeta>>, Snapshot), SpecError> {
    let panicked = |_| SpecError::Damaged { path: index_dir.to_path_buf(), detail: "opening it panicked".into() };
    panic::catch_unwind(|| load(index_dir)).map_err(panicked)?
}

fn load(index_dir: &Path) -> Result<(Disk, Vec<Arc<SpecMeta>>, Snapshot), SpecError> {
    let disk = Disk::open(index_dir)?;
    let metas: Vec<Arc<SpecMeta>> = disk.metas()?.into_iter().map(Arc::new).collect();
    let snapshot = Snapshot::new(&disk, metas.clone())?;
    Ok((disk, metas, snapshot))
}

fn set_aside(index_dir: &Path, cause: &SpecError) -> Result<String, SpecError> {
    let aside = disk::set_aside(index_dir)?;
    let note = format!("{cause}; it was set aside as {} and is built anew", aside.display());
    tracing::warn!("{note}");
    Ok(note)
}
