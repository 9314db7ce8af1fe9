//! The index on disk: opened, written to in batches, set aside when it is damaged.
//!
//! The index holds nothing that the spec files do not hold, so whatever is wrong with it, the answer is to build it anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tantivy::indexer::{NoMergePolicy, UserOperation};
use tantivy::schema::document::TantivyDocument;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Searcher};

use super::analyzer::analyzer;
use super::catalog::{self, SpecMeta};
use super::error::SpecError;
use super::parse::ParsedSpec;
use super::schema::{ANALYZER, Fields, VERSION};

/// The least that tantivy accepts; a writer lives only as long as its batch.
const WRITER_BYTES: usize = 15_000_000;
/// A batch of this many specs ends with one segment, so that a search looks words up once.
const BULK: usize = 500;

/// A tantivy index in a folder of its own version.
pub(super) struct Disk {
    folder: PathBuf,
    index: Index,
    reader: IndexReader,
    pub fields: Fields,
}

impl Disk {
    /// Opens the index below `index_dir`, or creates it.
    pub(super) fn open(index_dir: &Path) -> Result<Disk, SpecError> {
        let folder = index_dir.join(format!("v{VERSION}"));
        fs::create_dir_all(&folder).map_err(SpecError::io("create the folder", &folder))?;
        let fields = Fields::new();
        let exists = folder.join("meta.json").exists();
        let index =
            if exists { Index::open_in_dir(&folder) } else { Index::create_in_dir(&folder, fields.schema.clone()) }
                .map_err(SpecError::index("open", &folder))?;
        if index.schema() != fields.schema {
            return Err(SpecError::Damaged { path: folder, detail: "its fields are not those of its version".into() });
        }
        if exists {
            check(&index, &folder)?;
        }
        index.tokenizers().register(ANALYZER, analyzer());
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(SpecError::index("open", &folder))?;
        Ok(Disk { folder, index, reader, fields })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// Starts a batch of changes; nothing of it is seen before `commit`.
    pub(super) fn batch(&self) -> Result<Batch<'_>, SpecError> {
        let writer =
            self.index.writer_with_num_threads(1, WRITER_BYTES).map_err(SpecError::index("write to", &self.folder))?;
        Ok(Batch { disk: self, writer, written: 0 })
    }

    /// Makes one segment of all, by a writer that merges nothing else.
    fn join_segments(&self) -> Result<(), SpecError> {
        let failed = || SpecError::index("merge", &self.folder);
        let segments = self.index.searchable_segment_ids().map_err(failed())?;
        if segments.len() < 2 {
            return Ok(());
        }
        let mut writer: IndexWriter = self.index.writer_with_num_threads(1, WRITER_BYTES).map_err(failed())?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        writer.merge(&segments).wait().map_err(failed())?;
        writer.wait_merging_threads().map_err(failed())
    }

    /// Every spec's description as stored, in no order.
    pub(super) fn metas(&self) -> Result<Vec<SpecMeta>, SpecError> {
        let damaged = |detail: String| SpecError::Damaged { path: self.folder.clone(), detail };
        let mut metas = Vec::new();
        for segment in self.searcher().segment_readers() {
            let ordinals =
                segment.fast_fields().u64(super::schema::ORDINAL).map_err(SpecError::index("read", &self.folder))?;
            let store = segment.get_store_reader(1).map_err(SpecError::io("read the documents of", &self.folder))?;
            for doc in segment.doc_ids_alive().filter(|doc| ordinals.first(*doc) == Some(0)) {
                let document: TantivyDocument = store.get(doc).map_err(SpecError::index("read", &self.folder))?;
                let meta =
                    self.fields.meta(&document).ok_or_else(|| damaged("a spec without its description".into()))?;
                metas.push(meta.map_err(|error| damaged(error.to_string()))?);
            }
        }
        Ok(metas)
    }
}

/// Compares every file with its checksum. Tantivy trusts what it maps: over a garbled file a thread of its writer panics at
/// some later commit, which no caller can catch and which ends the process. A CRC-32 goes through gigabytes in a second, so
/// this takes milliseconds for megabytes of index; one of hundreds costs some tenths of a second, once in a daemon's life
/// and mostly for bringing into memory what the first search reads anyway. That is worth a daemon that stays alive.
fn check(index: &Index, folder: &Path) -> Result<(), SpecError> {
    let garbled = index.validate_checksum().map_err(SpecError::index("check", folder))?;
    match garbled.iter().min() {
        None => Ok(()),
        Some(file) => {
            let detail = format!("{} is not what was written", file.display());
            Err(SpecError::Damaged { path: folder.to_path_buf(), detail })
        }
    }
}

/// Changes that become visible together.
pub(super) struct Batch<'a> {
    disk: &'a Disk,
    writer: IndexWriter,
    written: usize,
}

impl Batch<'_> {
    /// Writes a spec in place of its earlier version.
    pub(super) fn put(&mut self, meta: &SpecMeta, parsed: &ParsedSpec<'_>) -> Result<(), SpecError> {
        let documents = self.disk.fields.documents(meta, parsed)?;
        let delete = UserOperation::Delete(self.disk.fields.key_term(meta.key()));
        // One group: a spec and its sections come to stand next to each other in one segment.
        let group: Vec<UserOperation> =
            std::iter::once(delete).chain(documents.into_iter().map(UserOperation::Add)).collect();
        self.writer.run(group).map_err(SpecError::index("write to", &self.disk.folder))?;
        self.written += 1;
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &str) {
        self.writer.delete_term(self.disk.fields.key_term(catalog::key(path)));
    }

    /// Makes the batch durable and visible.
    pub(super) fn commit(mut self) -> Result<(), SpecError> {
        let folder = &self.disk.folder;
        self.writer.commit().map_err(SpecError::index("commit to", folder))?;
        // The writer merges segments of its own accord, and a segment that is in such a merge can be in no other.
        self.writer.wait_merging_threads().map_err(SpecError::index("merge", folder))?;
        if self.written >= BULK {
            self.disk.join_segments()?;
        }
        self.disk.reader.reload().map_err(SpecError::index("reload", folder))
    }
}

/// Moves a damaged index out of the way and says where to; of several, only the last is kept.
pub(super) fn set_aside(index_dir: &Path) -> Result<PathBuf, SpecError> {
    let folder = index_dir.join(format!("v{VERSION}"));
    remove_folders(index_dir, |name| name.contains(".damaged-"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let aside = index_dir.join(format!("v{VERSION}.damaged-{now}"));
    fs::rename(&folder, &aside).map_err(SpecError::io("set aside", &folder))?;
    Ok(aside)
}

/// Removes the indexes of other versions: they are built anew when such a version runs again.
pub(super) fn remove_other_versions(index_dir: &Path) {
    let current = format!("v{VERSION}");
    let version =
        |name: &str| name.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    remove_folders(index_dir, |name| version(name) && name != current);
}

fn remove_folders(index_dir: &Path, unwanted: impl Fn(&str) -> bool) {
    let Ok(entries) = fs::read_dir(index_dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        if unwanted(&entry.file_name().to_string_lossy())
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "cannot remove an old spec index");
        }
    }
}
