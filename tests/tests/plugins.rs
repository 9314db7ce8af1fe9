//! Plugins that misbehave: the spawn succeeds, and says which was skipped and why.

use e2e::{AUTH_TASK, Hostile, Project, SPECS, World, write};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Assemblers that run where nothing is configured.
const BUNDLED: usize = 4;
/// Within this a spawn is done, on a loaded machine too, if no plugin holds it up.
const SOON: Duration = Duration::from_secs(15);

/// Among the user's own plugins, which run in every project and which no project has to be trusted with.
fn install(world: &World, name: &str, component: &[u8]) {
    write(world.home().plugins().join(format!("{name}.wasm")), component);
}

/// The part of one assembler in a report.
fn part<'r>(context: &'r Value, name: &str) -> &'r Value {
    let parts = context["assemblers"].as_array().unwrap();
    parts.iter().find(|part| part["name"] == name).unwrap_or_else(|| panic!("no {name} in {context:#}"))
}

/// Whatever a plugin does, the agent starts, the others' picks are there, and nobody has to look into a log to learn why
/// one is missing.
#[test]
fn each_misbehaviour_is_told_and_stops_no_spawn() {
    let cases = [
        ("loops", Hostile::Loops, "deadline"),
        ("memory", Hostile::TakesMemory, "memory_limit"),
        ("traps", Hostile::Traps, "trap"),
        ("wasi", Hostile::ImportsWasi, "wasi_import"),
    ];
    let world = World::new();
    let project = world.project(SPECS);
    for (name, how, code) in cases {
        install(&world, name, &how.component(name));
        project.plugins_are_ready();
        let began = Instant::now();
        let report = project.spawn(name, "cat \"$PU_CONTEXT_FILE\"", &["--root", AUTH_TASK]);
        assert!(began.elapsed() < SOON, "{name} took {:?}", began.elapsed());
        let context = &report["context"];
        let error = &part(context, name)["error"];
        assert_eq!(error["code"], code, "{context:#}");
        assert!(error["message"].as_str().is_some_and(|why| !why.is_empty()), "{error}");
        assert_eq!(context["picks"][0]["path"], "specs/auth.md", "the others count as before: {context:#}");
        assert_eq!(part(context, "keyword")["error"], Value::Null);
        std::fs::remove_file(world.home().plugins().join(format!("{name}.wasm"))).unwrap();
    }
    let told = part_of_human_answer(&world, &project);
    assert!(told.contains("loops") && told.contains("deadline"), "people are told too: {told}");
}

fn part_of_human_answer(world: &World, project: &Project<'_>) -> String {
    install(world, "loops", &Hostile::Loops.component("loops"));
    project.plugins_are_ready();
    project.pu(["spawn", "--root", "-n", "told", "--command", "true", AUTH_TASK]).output().ok().stdout()
}

/// All of them together cost a spawn their deadlines and nothing else; the daemon lives and stays small.
#[test]
fn all_at_once_the_daemon_lives() {
    let world = World::new();
    let project = world.project(SPECS);
    for (name, how) in [
        ("a-loops", Hostile::Loops),
        ("b-memory", Hostile::TakesMemory),
        ("c-traps", Hostile::Traps),
        ("d-wasi", Hostile::ImportsWasi),
        ("e-nonsense", Hostile::AnswersNonsense),
    ] {
        install(&world, name, &how.component(name));
    }
    install(&world, "f-garbage", b"this is no component");
    install(&world, "g-module", &[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    let daemon = world.daemon();
    project.plugins_are_ready();
    for round in 0..3 {
        let began = Instant::now();
        let report = project.spawn(&format!("agent-{round}"), "true", &["--root", AUTH_TASK]);
        assert!(began.elapsed() < SOON, "round {round} took {:?}", began.elapsed());
        let parts = report["context"]["assemblers"].as_array().unwrap();
        assert_eq!(parts.len(), 7 + BUNDLED, "{report:#}");
        let skipped = parts.iter().filter(|part| !part["error"].is_null()).count();
        assert_eq!(skipped, 7, "{report:#}");
        assert_eq!(report["context"]["picks"][0]["path"], "specs/auth.md");
    }
    assert_eq!(world.daemon(), daemon, "it is the same daemon");
}

/// A team that would rather have no agent than one without its rules says so.
#[test]
fn a_required_plugin_that_fails_refuses_the_spawn() {
    let world = World::new();
    let project = world.project(SPECS);
    install(&world, "rules", &Hostile::Traps.component("rules"));
    let config = "[[context.assembler]]\nname = \"rules\"\nplugin = \"plugins/rules.wasm\"\nrequired = true\n";
    project.configure(config);
    let before = project.traces();
    let error = project.try_spawn("new", "true", &[AUTH_TASK]).fails(4, "required_assembler_failed");
    assert!(error["message"].as_str().unwrap().contains("rules"), "{error}");
    assert_eq!(project.traces(), before);
}

/// A plugin's file that is replaced counts from the next task on.
#[test]
fn a_plugin_that_is_replaced_is_read_anew() {
    let world = World::new();
    let project = world.project(SPECS);
    let code = |name: &str| {
        project.plugins_are_ready();
        let report = project.pu(["context", "explain", "--json", AUTH_TASK]).output().json();
        part(&report, name)["error"]["code"].clone()
    };
    install(&world, "p", &Hostile::Traps.component("p"));
    assert_eq!(code("p"), "trap");
    install(&world, "p", &Hostile::ImportsWasi.component("p"));
    assert_eq!(code("p"), "wasi_import");
}

/// A plugin path that leads out of the project is the configuration's fault, and told.
#[test]
fn a_plugin_outside_the_project_is_refused() {
    let world = World::new();
    let project = world.project(SPECS);
    write(world.root().join("outside.wasm"), Hostile::Traps.component("outside"));
    let config = "[[context.assembler]]\nname = \"x\"\nplugin = \"../../outside.wasm\"\n";
    project.configure(config);
    let output = project.try_spawn("new", "true", &[AUTH_TASK]);
    output.fails(4, "path_outside_project");
}
