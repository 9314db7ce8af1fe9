//! The sessions of agents' programs: ids that are chosen by us at the start, and ids that a program chose itself and noted
//! in a file or tells in a list, so that a resume finds exactly the right one.
//!
//! Guesses nothing: where it cannot be known which session is the agent's, there is none.

use super::definition::{AgentDefinition, SessionFiles, SessionList};
use super::error::{AgentsError, Result};
use super::program;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

/// As many notes as are read, the newest first.
const FILES_MAX: usize = 1_000;
/// Folders below the one that is named: a year, a month, a day.
const DEPTH_MAX: usize = 4;
/// The longest first line of a note, in bytes.
const LINE_MAX: u64 = 1024 * 1024;
/// The longest list, in bytes, and how long a program may take to print it.
const LIST_MAX: u64 = 16 * 1024 * 1024;
const LIST_LIMIT: Duration = Duration::from_secs(20);
/// Between two clocks, in seconds.
const SLACK: i64 = 1;

/// A random (version 4) UUID in its usual form.
pub(crate) fn fresh_id() -> Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|source| AgentsError::NoRandomness { source })?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    Ok([&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"))
}

/// Where and when an agent worked: what its session is known by.
#[derive(Debug, Clone)]
pub struct SessionPlace {
    /// The folder that it worked in.
    pub cwd: PathBuf,
    pub began: Timestamp,
    /// Until now, if that is not known.
    pub ended: Option<Timestamp>,
    /// Nobody but this agent works there: of several sessions the one that was used last is meant.
    pub is_own: bool,
}

/// The id of the session that began in this place, as its program noted or tells it; `None` where there is none, and where
/// several may be meant. Blocking.
pub fn find_session(
    definition: &AgentDefinition,
    env: &BTreeMap<String, String>,
    place: &SessionPlace,
) -> Option<String> {
    let mut ids = match (&definition.session_files, &definition.session_list) {
        (Some(files), _) => noted(files, env, place),
        (None, Some(list)) => told(definition, list, env, place),
        (None, None) => Vec::new(),
    }
    .into_iter();
    let last = ids.next()?;
    (place.is_own || ids.next().is_none()).then_some(last)
}

/// Those of the files, the one that was written last in front.
fn noted(files: &SessionFiles, env: &BTreeMap<String, String>, place: &SessionPlace) -> Vec<String> {
    let named = env.get(&files.env).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let own = || env.get("HOME").map(|home| Path::new(home).join(&files.home));
    let Some(folder) = named.or_else(own) else { return Vec::new() };
    let mut notes = Vec::new();
    gather(&folder.join(&files.folder), &files.suffix, DEPTH_MAX, &mut notes);
    notes.sort_by(|a, b| b.cmp(a));
    let keys = [&files.id, &files.cwd, &files.started];
    notes.iter().take(FILES_MAX).filter_map(|(_, note)| began_in(place, &first_line(note)?, keys)).collect()
}

/// Those of the list that the program prints.
fn told(
    definition: &AgentDefinition,
    list: &SessionList,
    env: &BTreeMap<String, String>,
    place: &SessionPlace,
) -> Vec<String> {
    let printed = program::locate(definition, env, Some(&place.cwd)).ok();
    let printed = printed.and_then(|program| print(&program, &list.args, env, &place.cwd)).unwrap_or_default();
    let Ok(Value::Array(sessions)) = serde_json::from_slice(&printed) else { return Vec::new() };
    let keys = [&list.id, &list.cwd, &list.started];
    sessions.iter().filter_map(|session| began_in(place, session, keys)).collect()
}

/// What a program prints; it is ended once it has, or when it takes too long.
fn print(program: &Path, args: &[String], env: &BTreeMap<String, String>, cwd: &Path) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(env).current_dir(cwd);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let stdout = child.stdout.take()?;
    let (tell, printed) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(LIST_MAX).read_to_end(&mut bytes);
        // Whoever waited may have given up.
        let _ = tell.send(read.map(|_| bytes));
    });
    let printed = printed.recv_timeout(LIST_LIMIT).ok().and_then(std::result::Result::ok);
    let _ = child.kill();
    let _ = child.wait();
    printed
}

/// The files whose names end like that, each with when it was written last.
fn gather(folder: &Path, suffix: &str, depth: usize, found: &mut Vec<(SystemTime, PathBuf)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        // Of the entry itself: a link is followed by nobody.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 0 {
            gather(&entry.path(), suffix, depth - 1, found);
        } else if kind.is_file() && entry.file_name().to_string_lossy().ends_with(suffix) {
            let modified = entry.metadata().and_then(|found| found.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            found.push((modified, entry.path()));
        }
    }
}

fn first_line(note: &Path) -> Option<Value> {
    let mut line = Vec::new();
    BufReader::new(File::open(note).ok()?.take(LINE_MAX)).read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(&line).ok()
}

/// The id of a session that began in this place; `keys` say where its id, its folder and its beginning stand.
fn began_in(place: &SessionPlace, session: &Value, keys: [&String; 3]) -> Option<String> {
    let [id, cwd, started] = keys.map(|key| session.pointer(key));
    let cwd = Path::new(cwd?.as_str()?);
    let is_here = cwd == place.cwd || cwd.canonicalize().ok()? == place.cwd.canonicalize().ok()?;
    let started = match started? {
        Value::String(text) => text.parse().ok()?,
        Value::Number(milliseconds) => Timestamp::from_millisecond(milliseconds.as_i64()?).ok()?,
        _ => return None,
    };
    let in_time = started.duration_since(place.began).as_secs() >= -SLACK
        && place.ended.is_none_or(|ended| started.duration_since(ended).as_secs() <= SLACK);
    // It becomes an argument: what looks like an option is no id.
    let id = id?.as_str().filter(|id| !id.is_empty() && !id.starts_with('-') && !id.contains('\0'))?;
    (is_here && in_time).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_4_uuids_and_differ() {
        let ids: std::collections::BTreeSet<String> = (0..100).map(|_| fresh_id().unwrap()).collect();
        assert_eq!(ids.len(), 100);
        for id in ids {
            assert_eq!(id.len(), 36);
            assert_eq!(id.match_indices('-').map(|(at, _)| at).collect::<Vec<_>>(), [8, 13, 18, 23]);
            assert_eq!(&id[14..15], "4");
            assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        }
    }

    /// The notes of a program that chooses its own ids.
    struct Notes {
        folder: tempfile::TempDir,
        definition: AgentDefinition,
    }

    impl Notes {
        fn new() -> Self {
            let definitions = crate::agents::Definitions::built_in().unwrap();
            let definition = definitions.get("codex").unwrap().clone();
            Self { folder: tempfile::tempdir().unwrap(), definition }
        }

        fn note(&self, id: &str, cwd: &str, started: &str) {
            let folder = self.folder.path().join("sessions/2026/01/02");
            std::fs::create_dir_all(&folder).unwrap();
            let payload = serde_json::json!({ "id": id, "cwd": cwd, "timestamp": started });
            let line =
                format!("{}\n{{\"more\":1}}\n", serde_json::json!({ "type": "session_meta", "payload": payload }));
            pu_record::atomic::write_volatile(&folder.join(format!("rollout-{id}.jsonl")), line.as_bytes(), 0o600)
                .unwrap();
        }

        fn find(&self, is_own: bool, ended: Option<&str>) -> Option<String> {
            let env = BTreeMap::from([("CODEX_HOME".to_owned(), self.folder.path().to_str().unwrap().to_owned())]);
            find_session(&self.definition, &env, &place("/p/w".as_ref(), is_own, ended))
        }
    }

    fn place(cwd: &Path, is_own: bool, ended: Option<&str>) -> SessionPlace {
        let began = "2026-01-02T10:00:00Z".parse().unwrap();
        SessionPlace { cwd: cwd.to_owned(), began, ended: ended.map(|at| at.parse().unwrap()), is_own }
    }

    #[test]
    fn a_session_is_known_by_its_folder_and_its_time() {
        let notes = Notes::new();
        assert_eq!(notes.find(true, None), None, "there are no notes");
        notes.note("before", "/p/w", "2026-01-02T09:59:00Z");
        notes.note("elsewhere", "/p/v", "2026-01-02T10:00:05Z");
        notes.note("after", "/p/w", "2026-01-02T12:00:00Z");
        notes.note("--option", "/p/w", "2026-01-02T10:00:04Z");
        assert_eq!(notes.find(true, Some("2026-01-02T11:00:00Z")), None);
        notes.note("right", "/p/w", "2026-01-02T10:00:03.5Z");
        assert_eq!(notes.find(false, Some("2026-01-02T11:00:00Z")).as_deref(), Some("right"));
    }

    #[test]
    fn of_several_sessions_none_is_guessed_where_others_work_in_the_folder() {
        let notes = Notes::new();
        for id in ["one", "two"] {
            notes.note(id, "/p/w", "2026-01-02T10:00:03Z");
        }
        assert_eq!(notes.find(false, None), None);
        assert!(notes.find(true, None).is_some());
    }

    /// A program that prints what it was told to.
    #[test]
    fn a_program_is_asked_for_its_sessions_where_it_keeps_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let began = "2026-01-02T10:00:03Z".parse::<Timestamp>().unwrap().as_millisecond();
        let session = |id: &str, cwd: &Path, at: i64| serde_json::json!({ "id": id, "directory": cwd, "created": at });
        let list = serde_json::json!([session("late", here, began + 7_200_000), session("right", here, began), 7]);
        pu_record::atomic::write_volatile(&here.join("list"), list.to_string().as_bytes(), 0o600).unwrap();
        let mut definition = crate::agents::Definitions::built_in().unwrap().get("opencode").unwrap().clone();
        definition.command = "/bin/cat".to_owned().try_into().unwrap();
        definition.session_list.as_mut().unwrap().args = vec!["list".into()];
        let found = |ended| find_session(&definition, &BTreeMap::new(), &place(here, false, ended));
        assert_eq!(found(Some("2026-01-02T11:00:00Z")).as_deref(), Some("right"));
        assert_eq!(found(None), None, "two may be meant");
        definition.session_list.as_mut().unwrap().args = vec!["no-such-list".into()];
        assert_eq!(find_session(&definition, &BTreeMap::new(), &place(here, true, None)), None);
    }
}
