//! Truncated and bit-flipped state files, byte by byte: the daemon starts and serves, agents that have nothing to do with
//! the damage are there, and nothing vanishes in silence: what a file was is kept, and what is not understood is listed.
//!
//! Many damaged files are looked at by one daemon: each is that of an agent, or of a project, of its own. `PU_FAULT_SEED`
//! repeats a run.

use crate::stage::{FOREVER, Stage};
use e2e::{Output, World, kill, read, wait_until};
use nix::sys::signal::Signal;
use pu_protocol::layout::AgentLayout;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// An answer tells of 500 ended agents.
const AT_ONCE: usize = 400;

/// One way in which a file can be damaged.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// Only so many bytes of it reached the disk.
    Cut(usize),
    /// A bit of a byte is another one.
    Flipped(usize, u8),
}

impl Damage {
    fn of(self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        match self {
            Self::Cut(length) => bytes.truncate(length),
            Self::Flipped(at, bit) => bytes[at] ^= 1 << bit,
        }
        bytes
    }

    /// Every cut and every flip of a file of this length.
    fn all(length: usize) -> Vec<Self> {
        let flips = (0..length).flat_map(|at| (0..8).map(move |bit| Self::Flipped(at, bit)));
        (0..length).map(Self::Cut).chain(flips).collect()
    }

    /// About `count` of them, spread over the whole file from a place that the seed chooses; all of them for 0.
    fn some(length: usize, count: usize) -> Vec<Self> {
        let all = Self::all(length);
        if count == 0 || count >= all.len() {
            return all;
        }
        // An odd step comes to each of the eight bits in turn.
        let step = (all.len() / count) | 1;
        let first = usize::try_from(seed()).unwrap_or_default() % step;
        all.into_iter().skip(first).step_by(step).collect()
    }
}

fn seed() -> u64 {
    std::env::var("PU_FAULT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_101)
}

fn put(path: &Path, bytes: &[u8]) {
    File::create(path).and_then(|mut file| file.write_all(bytes)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// Starts a daemon over what was damaged. It comes up, and those that are well are well.
#[track_caller]
fn serves(stage: &Stage<'_>) {
    stage.world.daemon();
    stage.bystander_is_well();
    let log = read(stage.world.home().daemon_log());
    assert!(!log.contains("panicked at"), "{log}");
}

/// An agent that has ended, as the copies are made from: its folder, and its id, which each copy exchanges for its own.
struct Model {
    layout: AgentLayout,
    id: String,
}

fn ended_agent(stage: &Stage<'_>) -> Model {
    stage.project.spawn("model", "echo hello", &["--no-context", "--root"]);
    stage.project.ended("model");
    let id = stage.project.agent("model")["agent_id"].as_str().unwrap().to_owned();
    let layout = stage.world.home().agent(&id);
    wait_until("its spawn is noted as committed", || layout.committed().exists().then_some(()));
    Model { layout, id }
}

impl Model {
    /// A copy under another id, one file of it damaged.
    fn copy(&self, stage: &Stage<'_>, id: &str, damaged: &str, damage: Damage) -> AgentLayout {
        let copy = stage.world.home().agent(id);
        std::fs::create_dir_all(copy.output()).unwrap();
        for name in ["launch.json", "shim.json", "exit.json", "committed"] {
            let Ok(whole) = std::fs::read(self.layout.root().join(name)) else { continue };
            let text = String::from_utf8(whole).unwrap().replace(&self.id, id);
            let bytes = if name == damaged { damage.of(text.as_bytes()) } else { text.into_bytes() };
            put(&copy.root().join(name), &bytes);
        }
        copy
    }
}

/// Damages one file of many copies of an ended agent: each is listed as an agent or as a folder that is not understood,
/// and is still there.
fn of_an_agent(file: &str, without_exit: bool, count: usize) {
    let world = World::new();
    let stage = Stage::set(&world);
    let model = ended_agent(&stage);
    stage.no_daemon();
    if without_exit {
        std::fs::remove_file(model.layout.exit()).unwrap();
    }
    let length = std::fs::metadata(model.layout.root().join(file)).unwrap().len();
    let cases = Damage::some(usize::try_from(length).unwrap(), count);
    let (mut understood, mut listed) = (0, 0);
    for batch in cases.chunks(AT_ONCE) {
        let copies: Vec<(String, AgentLayout, Damage)> = (0..)
            .zip(batch)
            .map(|(number, damage)| {
                // As long as the model's, so that every byte stands where it did.
                let id = format!("{number:0>width$}", width = model.id.len());
                let copy = model.copy(&stage, &id, file, *damage);
                (id, copy, *damage)
            })
            .collect();
        serves(&stage);
        let report = stage.project.pu(["status", "--json", "--all-projects"]).output().json();
        assert_eq!(report["more"].as_u64().unwrap_or(0), 0, "the answer tells of all");
        let known: BTreeSet<&str> =
            report["agents"].as_array().unwrap().iter().map(|agent| agent["agent_id"].as_str().unwrap()).collect();
        let unrecognised = report["unrecognised"].to_string();
        for (id, copy, damage) in &copies {
            if known.contains(id.as_str()) {
                understood += 1;
            } else {
                assert!(
                    unrecognised.contains(&format!("/{id}:")),
                    "{file} {damage:?}: gone without a word: {unrecognised}"
                );
                listed += 1;
            }
            assert!(copy.root().is_dir(), "{file} {damage:?}: its folder is gone");
        }
        stage.no_daemon();
        for (_, copy, _) in copies {
            std::fs::remove_dir_all(copy.root()).unwrap();
        }
    }
    println!("{file}: {} cases, {understood} understood all the same, {listed} listed, 0 lost, 0 crashes", cases.len());
    stage.end();
}

#[test]
fn a_damaged_launch_record_loses_nobody_in_silence() {
    of_an_agent("launch.json", false, 300);
}

#[test]
fn a_damaged_exit_record_loses_nobody_in_silence() {
    of_an_agent("exit.json", false, 300);
}

#[test]
fn a_damaged_shim_record_loses_nobody_in_silence() {
    of_an_agent("shim.json", true, 300);
}

#[test]
#[ignore = "long: make faults"]
fn every_byte_of_an_agents_records() {
    of_an_agent("launch.json", false, 0);
    of_an_agent("exit.json", false, 0);
    of_an_agent("shim.json", true, 0);
}

/// Damages a file of the project before a spawn, and looks at it after that: the spawn works, or says that the file is of
/// a newer release; the bytes are kept beside it, or stand where they were; live agents have their rows.
fn of_the_project(file: &str, count: usize) {
    let world = World::new();
    let stage = Stage::set(&world);
    let path = stage.project.root().join(".pu").join(file);
    let whole = std::fs::read(&path).unwrap();
    let cases = Damage::some(whole.len(), count);
    for damage in &cases {
        stage.no_daemon();
        let damaged = damage.of(&whole);
        put(&path, &damaged);
        serves(&stage);
        let output = stage.project.try_spawn("new", "true", &["--no-context", "--root"]);
        judge(&stage, file, &path, *damage, &damaged, &output);
        if output.code() == Some(0) {
            stage.project.ended("new");
            stage.project.pu(["clean", "--yes", "new"]).output().ok();
        }
        for aside in set_aside(&path) {
            std::fs::remove_file(aside).unwrap();
        }
        let _ = std::fs::remove_file(older(&path));
    }
    put(&path, &whole);
    println!("{file}: {} cases, 0 crashes, 0 silent losses", cases.len());
    stage.end();
}

#[track_caller]
fn judge(stage: &Stage<'_>, file: &str, path: &Path, damage: Damage, damaged: &[u8], output: &Output) {
    if output.code() != Some(0) {
        let told = output.stderr();
        assert!(told.contains(file), "{file} {damage:?}: the file is not named: {output}");
        assert_eq!(std::fs::read(path).unwrap(), damaged, "{file} {damage:?}: it was refused, and is as it was");
        return;
    }
    let now = std::fs::read(path).unwrap_or_default();
    if file == "history.jsonl" {
        // A date that is damaged may make it old enough to be begun anew.
        let kept = [std::fs::read(older(path)).unwrap_or_default(), now].concat();
        assert!(kept.starts_with(damaged), "{file} {damage:?}: what was written before is kept");
        return;
    }
    let parses = serde_json::from_slice::<Value>(damaged).is_ok();
    let kept = set_aside(path).iter().any(|aside| std::fs::read(aside).unwrap() == damaged);
    assert!(parses || kept, "{file} {damage:?}: what there was is nowhere: {now:?}");
    let rows: Value = serde_json::from_slice(&now).unwrap_or_else(|e| panic!("{file} {damage:?}: {e}"));
    let bystander = stage.project.agent("bystander")["agent_id"].clone();
    let mut listed = rows["agents"].as_array().into_iter().flatten();
    assert!(listed.any(|row| row["agent_id"] == bystander), "{file} {damage:?}: a live agent has no row: {rows}");
}

/// What a history held before it was begun anew.
fn older(history: &Path) -> PathBuf {
    history.with_file_name("history.1.jsonl")
}

/// The copies of a file that were put beside it.
fn set_aside(path: &Path) -> Vec<PathBuf> {
    let start = format!("{}.damaged-", path.file_name().unwrap().to_str().unwrap());
    let entries = std::fs::read_dir(path.parent().unwrap()).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&start)).map(|entry| entry.path()).collect()
}

#[test]
fn a_damaged_manifest_costs_no_row_and_is_kept() {
    of_the_project("manifest.json", 12);
}

#[test]
fn a_damaged_history_is_gone_on_with() {
    of_the_project("history.jsonl", 8);
}

#[test]
#[ignore = "long: make faults"]
fn many_bytes_of_a_manifest() {
    of_the_project("manifest.json", 120);
}

#[test]
#[ignore = "long: make faults"]
fn many_bytes_of_a_history() {
    of_the_project("history.jsonl", 120);
}

/// The registry and what the daemon notes of itself: a daemon comes up over each, or says which file is of a newer release.
fn of_the_home(name: &str, count: usize) {
    let world = World::new();
    let stage = Stage::set(&world);
    let path = world.home().root().join(name);
    let whole = std::fs::read(&path).unwrap();
    let cases = Damage::some(whole.len(), count);
    let mut refused = 0;
    for damage in &cases {
        stage.no_daemon();
        let damaged = damage.of(&whole);
        put(&path, &damaged);
        let output = world.pu(["daemon", "start"]).output();
        if output.code() == Some(0) {
            serves(&stage);
            let parses = serde_json::from_slice::<Value>(&damaged).is_ok();
            let kept = set_aside(&path).iter().any(|aside| std::fs::read(aside).unwrap() == damaged);
            assert!(name != "projects.json" || parses || kept, "{name} {damage:?}: what there was is nowhere");
        } else {
            assert!(output.stderr().contains(name) && output.stderr().contains("newer"), "{name} {damage:?}: {output}");
            assert_eq!(std::fs::read(&path).unwrap(), damaged, "{name} {damage:?}: it is left alone");
            refused += 1;
        }
        for aside in set_aside(&path) {
            std::fs::remove_file(aside).unwrap();
        }
    }
    stage.no_daemon();
    put(&path, &whole);
    println!("{name}: {} cases, {refused} told as of a newer release, 0 crashes, 0 silent losses", cases.len());
    stage.end();
}

#[test]
fn a_damaged_registry_or_pid_file_keeps_no_daemon_from_serving() {
    of_the_home("projects.json", 12);
    of_the_home("daemon.pid", 6);
}

#[test]
#[ignore = "long: make faults"]
fn every_byte_of_what_a_daemon_notes_of_itself() {
    of_the_home("daemon.pid", 0);
    of_the_home("daemon.lock", 0);
}

#[test]
#[ignore = "long: make faults"]
fn many_bytes_of_a_registry() {
    of_the_home("projects.json", 250);
}

/// A live agent whose own records are damaged goes on, and its shim is not signalled; that the daemon does not understand
/// it is said, not passed over.
#[test]
fn a_live_agent_with_damaged_records_goes_on_and_is_told_of() {
    let world = World::new();
    let stage = Stage::set(&world);
    for file in ["launch.json", "shim.json"] {
        let pid = stage.project.spawn("victim", FOREVER, &["--no-context", "--root"])["pid"].as_i64().unwrap();
        let id = stage.project.agent("victim")["agent_id"].as_str().unwrap().to_owned();
        let path = world.home().agent(&id).root().join(file);
        let whole = std::fs::read(&path).unwrap();
        for damage in [Damage::Cut(0), Damage::Cut(whole.len() / 2), Damage::Flipped(0, 3)] {
            stage.no_daemon();
            put(&path, &damage.of(&whole));
            serves(&stage);
            assert!(e2e::is_alive(i32::try_from(pid).unwrap()), "{file} {damage:?}");
            let report = stage.project.pu(["status", "--json"]).output().json();
            assert!(report.to_string().contains(&id), "{file} {damage:?}: gone without a word: {report}");
        }
        stage.no_daemon();
        put(&path, &whole);
        stage.project.running("victim");
        stage.project.pu(["kill", "victim"]).output().ok();
        stage.project.pu(["clean", "--yes", "victim"]).output().ok();
    }
    stage.end();
}

/// The spool has no headers: the name of a file is the offset of its first byte, and how long it is says where it ends.
/// Whatever is cut off or misnamed is told as a gap, or as an end that comes earlier; nobody hangs and nobody panics.
#[test]
fn a_damaged_spool_is_a_gap_and_never_a_hang() {
    let world = World::new();
    let stage = Stage::set(&world);
    stage.project.write(".pu/config.toml", "[terminal]\noutput_mib = 1\n");
    let command = "awk 'BEGIN { for (i = 0; i < 14000; i++) printf \"%06d %s\\n\", i, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" }'";
    stage.project.spawn("model", command, &["--no-context", "--root"]);
    stage.project.ended("model");
    let id = stage.project.agent("model")["agent_id"].as_str().unwrap().to_owned();
    let folder = world.home().agent(&id).output();
    let mut segments: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    assert!(segments.len() > 1, "{segments:?}");
    let mut cases = 0;
    for segment in &segments {
        let whole = std::fs::read(segment).unwrap();
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            put(segment, &whole[..length]);
            reads_to_an_end(&stage);
            cases += 1;
        }
        put(segment, &whole);
        let name = segment.file_name().unwrap().to_str().unwrap().to_owned();
        for at in 0..name.len() {
            for bit in [0, 3, 6] {
                let mut bytes = name.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let moved = folder.join(String::from_utf8(bytes).unwrap());
                if moved.exists() || moved.file_name().is_none() {
                    continue;
                }
                std::fs::rename(segment, &moved).unwrap();
                reads_to_an_end(&stage);
                std::fs::rename(&moved, segment).unwrap();
                cases += 1;
            }
        }
    }
    let (output, gap) = stage.project.output("model");
    assert_eq!((output.len(), gap), (14_000 * 52, None), "put right again, all is there");
    println!("spool: {cases} cases, 0 crashes, 0 hangs");
    stage.end();
}

/// Reads all output in pieces as a client does; each answer brings it on or is the last.
#[track_caller]
fn reads_to_an_end(stage: &Stage<'_>) {
    let mut client = stage.world.client();
    let mut since = 0;
    for _ in 0..1000 {
        let request =
            serde_json::json!({"type": "logs", "agent": "model", "cwd": stage.project.root(), "since": since});
        let answer = client.ask(&request);
        assert_eq!(answer["type"], "logs_report", "{answer}");
        let (next, end) = (answer["next_offset"].as_u64().unwrap(), answer["end"].as_u64().unwrap());
        if next >= end {
            return;
        }
        assert!(next > since, "it does not get on: {answer}");
        since = next;
    }
    panic!("reading does not come to an end");
}

/// The records of a shim that died with its agent, cut off anywhere: what was not a process is never signalled.
#[test]
fn a_damaged_shim_record_never_names_a_victim() {
    let world = World::new();
    let stage = Stage::set(&world);
    let stranger = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = i32::try_from(stranger.id()).unwrap();
    stage.project.spawn("victim", FOREVER, &["--no-context", "--root"]);
    let id = stage.project.agent("victim")["agent_id"].as_str().unwrap().to_owned();
    let path = world.home().agent(&id).shim();
    let record = pu_record::shim::ShimRecord::read(&path).unwrap();
    stage.no_daemon();
    kill(record.shim.pid, Signal::SIGKILL);
    wait_until("shim and agent are gone", || (!e2e::is_alive(record.child.pid)).then_some(()));
    let text = read(&path).replace(&format!(": {}", record.shim.pid), &format!(": {pid}"));
    put(&path, text.as_bytes());
    serves(&stage);
    let _ = stage.project.pu(["kill", "victim"]).output();
    let _ = stage.project.pu(["clean", "--yes", "victim"]).output();
    assert!(e2e::is_alive(pid), "a stranger was killed");
    let mut stranger = stranger;
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    stage.end();
}
