//! Files that are no sound plugins, plugins that hold the host up in its own calls, and files that change under the host:
//! the spawn succeeds, says what was wrong, and nobody else is harmed.

use e2e::{AUTH_TASK, SPECS, World, pause, write};
use pu_plugin_hostile::{Hostile, flipped};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Within this a spawn is done, on a loaded machine too, if no plugin holds it up.
const SOON: Duration = Duration::from_secs(15);

/// Among the user's own plugins: one that is replaced there is asked for by nobody.
fn file(world: &World, name: &str) -> PathBuf {
    world.home().plugins().join(format!("{name}.wasm"))
}

/// Replaces a plugin as an editor does: there is no moment without it or with half of it.
fn install(file: &Path, component: &[u8]) {
    let fresh = file.with_extension("new");
    write(&fresh, component);
    std::fs::rename(fresh, file).unwrap();
}

/// The part of one assembler in a report; what `keyword` picks has to be in it, too.
#[track_caller]
fn part(report: &Value, name: &str) -> Value {
    let context = &report["context"];
    let has_its_pick = context["picks"].as_array().unwrap().iter().any(|pick| pick["path"] == "specs/auth.md");
    assert!(has_its_pick, "the others count as before: {context:#}");
    let parts = context["assemblers"].as_array().unwrap();
    let found = |name: &str| parts.iter().find(|part| part["name"] == name);
    assert_eq!(found("keyword").unwrap()["error"], Value::Null, "{context:#}");
    found(name).unwrap_or_else(|| panic!("no {name} in {context:#}")).clone()
}

/// The specs that an assembler got into the context.
fn picked(report: &Value, name: &str) -> Vec<String> {
    let picks = report["context"]["picks"].as_array().unwrap().iter();
    picks.filter(|pick| pick["assembler"] == name).map(|pick| pick["spec"].as_str().unwrap().to_owned()).collect()
}

/// What is no plugin is told as what it is, however large it is; loops end wherever they are.
#[test]
fn each_is_told_by_its_code_and_stops_no_spawn() {
    let world = World::new();
    let project = world.project(SPECS);
    let daemon = world.daemon();
    for hostile in [
        Hostile::StartLoop,
        Hostile::EndLoop,
        Hostile::LoopInHostCall,
        Hostile::SearchLoop,
        Hostile::GibibyteOfNotes,
        Hostile::WrongContract,
        Hostile::CoreModule,
        Hostile::Truncated,
        Hostile::Padded,
    ] {
        let name = hostile.name();
        install(&file(&world, name), &hostile.component("AUTH").unwrap());
        project.plugins_are_ready();
        let began = Instant::now();
        let report = project.spawn(name, "true", &["--root", AUTH_TASK]);
        assert!(began.elapsed() < SOON, "{name} took {:?}", began.elapsed());
        let error = part(&report, name)["error"].clone();
        assert_eq!(error["code"].as_str(), hostile.code(), "{name}: {report:#}");
        assert!(error["message"].as_str().is_some_and(|why| !why.is_empty()), "{name}: {error}");
        std::fs::remove_file(file(&world, name)).unwrap();
    }
    assert_eq!(world.daemon(), daemon, "it is the same daemon");
}

/// A plugin cannot name its way out of the project, nor onto the terminal.
#[test]
fn strange_names_are_dropped_and_told_in_plain_text() {
    let world = World::new();
    let project = world.project(SPECS);
    install(&file(&world, "strange"), &Hostile::StrangeNames.component("BILL").unwrap());
    project.plugins_are_ready();
    let report = project.spawn("one", "cat \"$PU_CONTEXT_FILE\"", &["--root", AUTH_TASK]);
    let part = part(&report, "strange");
    assert_eq!((&part["error"], part["dropped"].as_array().map(Vec::len)), (&Value::Null, Some(7)), "{part:#}");
    assert_eq!(picked(&report, "strange"), ["BILL"], "the one that there is");
    let told = project.pu(["spawn", "--root", "-n", "two", "--command", "true", AUTH_TASK]).output().ok().stdout();
    assert!(told.contains("../../etc/passwd"), "{told}");
    assert!(!told.contains(['\0', '\u{1b}']), "{told:?}");
    project.ended("one");
    let read = String::from_utf8_lossy(&project.output("one").0).into_owned();
    assert!(read.contains("specs/billing.md") && !read.contains("root:x:"), "{read}");
}

/// A file that a bad disk or a bad link damaged is anything: what it is not is somebody else's trouble.
#[test]
fn bits_that_are_turned_over_harm_nobody_else() {
    let world = World::new();
    let project = world.project(SPECS);
    let daemon = world.daemon();
    let sound = Hostile::BadPicks.component("BILL").unwrap();
    for number in 0..12 {
        install(&file(&world, "flipped"), &flipped(&sound, number));
        project.plugins_are_ready();
        let report = project.spawn(&format!("agent-{number}"), "true", &["--root", AUTH_TASK]);
        assert_ne!(part(&report, "flipped")["error"]["code"], "internal", "the host panicked: {report:#}");
    }
    assert_eq!(world.daemon(), daemon, "it is the same daemon");
}

/// Machine code is loaded only if our own compiler wrote it, whatever lies in the cache.
#[test]
fn a_poisoned_cache_is_compiled_anew() {
    for poison in [forge as fn(&[[PathBuf; 2]]), exchange] {
        let world = World::new();
        let project = world.project(SPECS);
        install(&file(&world, "busy"), &Hostile::Busy.component("BILL").unwrap());
        project.plugins_are_ready();
        let entries = entries(&world);
        let sound = codes(&entries);
        world.pu(["daemon", "stop"]).output().ok();
        poison(&entries);
        assert_ne!(codes(&entries), sound);
        let daemon = world.daemon();
        project.plugins_are_ready();
        let report = project.spawn("one", "true", &["--root", AUTH_TASK]);
        assert_eq!((&part(&report, "busy")["error"], picked(&report, "busy")), (&Value::Null, vec!["BILL".to_owned()]));
        assert_eq!(codes(&entries), sound, "it is what the compiler makes");
        assert_eq!(world.daemon(), daemon, "it is the same daemon");
    }
}

/// The compiled plugins of a world: the code of each, and its seal.
fn entries(world: &World) -> Vec<[PathBuf; 2]> {
    let all = std::fs::read_dir(world.home().cache()).unwrap().map(|entry| entry.unwrap().path());
    let codes = all.filter(|path| path.extension().is_some_and(|extension| extension == "cwasm"));
    let entries: Vec<_> = codes.map(|code| [code.clone(), code.with_extension("seal")]).collect();
    assert!(entries.len() >= 2, "there are none to exchange: {entries:?}");
    entries
}

fn codes(entries: &[[PathBuf; 2]]) -> Vec<Vec<u8>> {
    entries.iter().map(|[code, _]| std::fs::read(code).unwrap()).collect()
}

/// Other machine code, each with a digest that fits.
fn forge(entries: &[[PathBuf; 2]]) {
    for [code, seal] in entries {
        let mut bytes = std::fs::read(code).unwrap();
        let (from, to) = (bytes.len() / 4, bytes.len() / 2);
        bytes[from..to].iter_mut().for_each(|byte| *byte ^= 0x55);
        write(code, &bytes);
        let digest = Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        write(seal, digest);
    }
}

/// Two, each in the other's place, with its seal.
fn exchange(entries: &[[PathBuf; 2]]) {
    let [one, other, ..] = entries else { panic!("there are no two") };
    for (left, right) in one.iter().zip(other) {
        let kept = std::fs::read(left).unwrap();
        write(left, std::fs::read(right).unwrap());
        write(right, kept);
    }
}

/// Whoever is called is called to the end; what lies in its place meanwhile is for the next task.
#[test]
fn a_plugin_that_is_replaced_while_it_runs_answers_as_what_it_was() {
    let world = World::new();
    let project = world.project(SPECS);
    let made = ["BILL", "IMG"].map(|spec| Hostile::Busy.component(spec).unwrap());
    let busy = file(&world, "busy");
    for component in &made {
        install(&busy, component);
        project.plugins_are_ready();
    }
    let done = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        // Far more often than once in the tens of milliseconds that a call takes.
        scope.spawn(|| {
            for component in made.iter().cycle().take(4000).take_while(|_| !done.load(Ordering::Relaxed)) {
                install(&busy, component);
                pause(Duration::from_millis(5));
            }
        });
        let output = project.try_spawn("one", "true", &["--root", AUTH_TASK]);
        done.store(true, Ordering::Relaxed);
        output
    });
    let report = output.json();
    assert_eq!(part(&report, "busy")["error"], Value::Null, "{report:#}");
    let picks = picked(&report, "busy");
    assert!(picks == ["BILL"] || picks == ["IMG"], "{picks:?}");
    for (component, spec) in made.iter().zip(["BILL", "IMG"]) {
        install(&busy, component);
        let report = project.spawn(&format!("after-{}", spec.to_lowercase()), "true", &["--root", AUTH_TASK]);
        assert_eq!(picked(&report, "busy"), [spec], "the next spawn has what is there now");
    }
}
