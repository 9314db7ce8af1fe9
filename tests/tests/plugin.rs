//! The plugins of a project by request: added and pinned, changed behind its back, switched, removed, run on tasks, and
//! set aside.

use e2e::{AUTH_TASK, Hostile, Project, SPECS, Traces, World, read, wait_until, write};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn request(project: &Project<'_>, kind: &str, more: Value) -> Value {
    let mut request = json!({"type": kind, "cwd": project.root()});
    let (Some(request), Value::Object(more)) = (request.as_object_mut(), more) else { panic!("no objects") };
    request.extend(more);
    Value::Object(request.clone())
}

#[track_caller]
fn ask(world: &World, project: &Project<'_>, kind: &str, more: Value) -> Value {
    let answer = world.client().ask(&request(project, kind, more));
    assert_ne!(answer["type"], "error", "{answer:#}");
    answer
}

#[track_caller]
fn refused(world: &World, project: &Project<'_>, kind: &str, more: Value) -> Value {
    let answer = world.client().ask(&request(project, kind, more));
    assert_eq!(answer["type"], "error", "{answer:#}");
    answer
}

/// A component outside of the project, as its author has it.
fn component(world: &World, name: &str, bytes: &[u8]) -> PathBuf {
    let path = world.root().join("built").join(format!("{name}.wasm"));
    write(&path, bytes);
    path
}

/// The bundled plugin, which is an ordinary one.
fn keyword() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist/keyword.wasm");
    std::fs::read(path).expect("the bundled plugin")
}

#[track_caller]
fn add(world: &World, project: &Project<'_>, component: &Path) -> Value {
    ask(world, project, "plugin_add", json!({"component": component, "source": "a test"}))
}

/// One plugin of the list.
#[track_caller]
fn listed(world: &World, project: &Project<'_>, name: &str) -> Value {
    let report = ask(world, project, "plugin_list", json!({}));
    let plugins = report["plugins"].as_array().expect("a list of plugins");
    let found = plugins.iter().find(|plugin| plugin["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#}")).clone()
}

/// The part of one assembler in a report.
#[track_caller]
fn part(context: &Value, name: &str) -> Value {
    let parts = context["assemblers"].as_array().expect("a list of assemblers");
    parts.iter().find(|part| part["name"] == name).unwrap_or_else(|| panic!("no {name} in {context:#}")).clone()
}

#[track_caller]
fn explained(world: &World, project: &Project<'_>) -> Value {
    ask(world, project, "context_explain", json!({"task": {"prompt": AUTH_TASK}}))
}

/// What was accepted runs, and what lies in its place later does not, until it is accepted too.
#[test]
fn a_plugin_that_changed_behind_its_pin_is_not_run_until_it_is_added_again() {
    let world = World::new();
    let project = world.project(SPECS);
    let built = component(&world, "any-name", &Hostile::Traps.component("rules"));
    let added = add(&world, &project, &built);
    assert_eq!((&added["type"], &added["plugin"]["pin"]), (&json!("plugin_changed"), &json!("matches")), "{added:#}");
    let changed: Vec<&str> = added["changed"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(changed.len() == 2 && changed[0].ends_with(".pu/plugins/rules.wasm"), "{added:#}");
    assert!(changed[1].ends_with(".pu/plugins.lock"), "{added:#}");
    let lock = read(project.root().join(".pu/plugins.lock"));
    for line in
        ["version = 1", "name = \"rules\"", "path = \"plugins/rules.wasm\"", "source = \"a test\"", "imports = ["]
    {
        assert!(lock.contains(line), "{line} is not in:\n{lock}");
    }
    let told = listed(&world, &project, "rules");
    assert_eq!((&told["pin"], &told["origin"], &told["enabled"]), (&json!("matches"), &json!("project"), &json!(true)));
    assert!(lock.contains(told["digest"].as_str().unwrap()), "{told:#}");
    assert_eq!(part(&explained(&world, &project), "rules")["error"]["code"], "trap", "it runs");

    let file = project.root().join(".pu/plugins/rules.wasm");
    write(&file, Hostile::Loops.component("rules"));
    // Trusted or not, what is pinned otherwise does not run.
    project.trust();
    let report = project.spawn("one", "true", &["--root", AUTH_TASK]);
    let error = &part(&report["context"], "rules")["error"];
    assert_eq!(error["code"], "digest_mismatch", "{report:#}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&told["digest"].as_str().unwrap()[..12]), "what is pinned: {message}");
    assert!(message.contains("pu plugin add"), "what to do: {message}");
    assert_eq!(report["context"]["picks"][0]["path"], "specs/auth.md", "the others count as before");
    let told = listed(&world, &project, "rules");
    assert_eq!((&told["pin"], &told["error"]["code"]), (&json!("differs"), &json!("digest_mismatch")), "{told:#}");

    add(&world, &project, &file);
    let told = listed(&world, &project, "rules");
    assert_eq!((&told["pin"], &told["error"]), (&json!("matches"), &Value::Null), "{told:#}");
    assert_eq!(part(&explained(&world, &project), "rules")["error"]["code"], "deadline", "it runs");
}

/// What could not run is refused as a whole: no file, no pin, no entry.
#[test]
fn a_component_that_could_not_run_changes_nothing() {
    let world = World::new();
    let project = world.project(SPECS);
    let before = project.traces();
    for (name, bytes, code) in [
        ("garbage", b"this is no component".to_vec(), "not_a_component"),
        ("wasi", Hostile::ImportsWasi.component("wasi"), "wasi_import"),
    ] {
        let built = component(&world, name, &bytes);
        let error = refused(&world, &project, "plugin_add", json!({"component": built, "source": "x"}));
        assert_eq!(error["code"], "plugin_refused", "{error}");
        assert!(error["message"].as_str().unwrap().starts_with(code), "{error}");
    }
    let built = component(&world, "x", &Hostile::Traps.component("x"));
    let more = json!({"component": built, "source": "x", "name": "../x"});
    assert_eq!(refused(&world, &project, "plugin_add", more)["code"], "invalid_name");
    let none = world.root().join("none.wasm");
    let error = refused(&world, &project, "plugin_add", json!({"component": none, "source": "x"}));
    assert!(error["message"].as_str().unwrap().starts_with("unreadable"), "{error}");
    assert_eq!(project.traces(), before);
}

/// A lock that cannot be read costs the plugins that it might pin, and no spawn.
#[test]
fn a_damaged_lock_keeps_files_from_running_and_is_told_with_its_line() {
    let world = World::new();
    let project = world.project(SPECS);
    let built = component(&world, "rules", &Hostile::Traps.component("rules"));
    add(&world, &project, &built);
    let lock = read(project.root().join(".pu/plugins.lock"));
    project.write(".pu/plugins.lock", &lock.replace("name = \"rules\"", "name = 7"));
    project.trust();
    let report = project.spawn("one", "true", &["--root", AUTH_TASK]);
    let error = &part(&report["context"], "rules")["error"];
    assert_eq!(error["code"], "lock_damaged", "{report:#}");
    assert!(error["message"].as_str().unwrap().contains("plugins.lock, line "), "{error}");
    assert_eq!(part(&report["context"], "keyword")["error"], Value::Null);
    assert_eq!(listed(&world, &project, "rules")["error"]["code"], "lock_damaged");
    // That the agent has ended is being written down.
    let before = wait_until("the agent's end is recorded", || Some(project.traces()).filter(Traces::is_at_rest));
    let error = refused(&world, &project, "plugin_add", json!({"component": built, "source": "x"}));
    assert_eq!(error["code"], "invalid_config", "{error}");
    assert_eq!(project.traces(), before);
    std::fs::remove_file(project.root().join(".pu/plugins/rules.wasm")).unwrap();
    let told = listed(&world, &project, "plugins.lock");
    assert_eq!(told["error"]["code"], "lock_damaged", "no plugin is there to tell it: {told:#}");
}

/// A name that the chain has for another file is not taken over.
#[test]
fn a_plugin_is_not_added_under_the_name_of_another() {
    let world = World::new();
    let project = world.project(SPECS);
    project.configure("[[context.assembler]]\nname = \"rules\"\nplugin = \"keyword\"\n");
    let built = component(&world, "rules", &Hostile::Traps.component("rules"));
    let before = project.traces();
    let error = refused(&world, &project, "plugin_add", json!({"component": built, "source": "x"}));
    assert_eq!(error["code"], "name_taken", "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--name"), "{error}");
    assert_eq!(project.traces(), before);
    let added = ask(&world, &project, "plugin_add", json!({"component": built, "source": "x", "name": "traps"}));
    assert_eq!((&added["plugin"]["name"], &added["plugin"]["enabled"]), (&json!("traps"), &json!(true)), "{added:#}");
}

/// A configured chain gets the plugin, keeps its comments, and loses it again with file and pin.
#[test]
fn a_plugin_is_removed_with_its_file_its_pin_and_its_entry() {
    let world = World::new();
    let project = world.project(SPECS);
    let config = "# ours\n[context]\nbudget = 900 # small\n\n[[context.assembler]]\nname = \"keyword\"\n";
    project.configure(config);
    let built = component(&world, "rules", &Hostile::Traps.component("rules"));
    let added = add(&world, &project, &built);
    assert_eq!(added["changed"].as_array().unwrap().len(), 3, "{added:#}");
    let path = project.root().join(".pu/config.toml");
    assert_eq!(read(&path), format!("{config}\n[[context.assembler]]\nname = \"rules\"\n"));
    assert_eq!(part(&explained(&world, &project), "rules")["error"]["code"], "trap");

    let removed = ask(&world, &project, "plugin_remove", json!({"name": "rules"}));
    assert_eq!(removed["changed"].as_array().unwrap().len(), 3, "{removed:#}");
    assert_eq!((&removed["plugin"]["name"], &removed["plugin"]["enabled"]), (&json!("rules"), &json!(false)));
    assert_eq!(read(&path), config);
    assert!(!project.root().join(".pu/plugins/rules.wasm").exists());
    assert!(!read(project.root().join(".pu/plugins.lock")).contains("rules"));
    assert_eq!(explained(&world, &project)["assemblers"].as_array().unwrap().len(), 1);
    let error = refused(&world, &project, "plugin_remove", json!({"name": "rules"}));
    assert_eq!(error["code"], "plugin_not_found", "{error}");
}

/// Switching one off where nobody configured a chain leaves the others as they were.
#[test]
fn a_plugin_is_switched_off_and_on() {
    let world = World::new();
    let project = world.project(SPECS);
    for name in ["a-rules", "b-rules"] {
        add(&world, &project, &component(&world, name, &Hostile::Traps.component(name)));
    }
    let names = || {
        let report = explained(&world, &project);
        let parts = report["assemblers"].as_array().unwrap().iter();
        parts.map(|part| part["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let with = |further: &[&'static str]| [&["classify", "tags", "keyword", "context-map"][..], further].concat();
    assert_eq!(names(), with(&["a-rules", "b-rules"]));
    let switched = ask(&world, &project, "plugin_switch", json!({"name": "a-rules", "enabled": false}));
    assert_eq!(switched["plugin"]["enabled"], false, "{switched:#}");
    assert_eq!(names(), with(&["b-rules"]));
    assert_eq!(listed(&world, &project, "a-rules")["enabled"], false);
    ask(&world, &project, "plugin_switch", json!({"name": "a-rules", "enabled": true}));
    assert_eq!(names(), with(&["a-rules", "b-rules"]));
    let error = refused(&world, &project, "plugin_switch", json!({"name": "none", "enabled": true}));
    assert_eq!(error["code"], "plugin_not_found", "{error}");
}

/// A chain that its user configured for all projects names plugins that nobody else has: it is not copied into the project,
/// which is shared.
#[test]
fn switching_one_off_writes_of_the_users_chain_only_its_name() {
    let world = World::new();
    let project = world.project(SPECS);
    let chain = "[[context.assembler]]\nname = \"keyword\"\n\n[[context.assembler]]\nname = \"mine\"\n";
    write(world.home().config(), format!("[context]\ndeadline_ms = 5000\n\n{chain}"));
    write(world.home().plugins().join("mine.wasm"), Hostile::Traps.component("mine"));
    let path = project.root().join(".pu/config.toml");
    let before = read(&path);
    let names = || {
        let report = explained(&world, &project);
        let parts = report["assemblers"].as_array().unwrap().iter();
        parts.map(|part| part["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["keyword", "mine"]);
    let switched = ask(&world, &project, "plugin_switch", json!({"name": "mine", "enabled": false}));
    assert_eq!(switched["plugin"]["enabled"], false, "{switched:#}");
    assert_eq!(names(), ["keyword"]);
    let added: Vec<String> = read(&path).lines().filter(|line| !before.contains(line)).map(str::to_owned).collect();
    assert_eq!(added, ["disabled = [\"mine\"]"]);
    ask(&world, &project, "plugin_switch", json!({"name": "mine", "enabled": true}));
    assert_eq!((names(), read(&path)), (vec!["keyword".to_owned(), "mine".to_owned()], before.clone()));

    // One that the project has and the user's chain does not can only be in a chain that says so.
    add(&world, &project, &component(&world, "rules", &Hostile::Traps.component("rules")));
    let error = refused(&world, &project, "plugin_switch", json!({"name": "rules", "enabled": true}));
    assert_eq!(error["code"], "plugin_not_found", "{error}");
    assert!(error["hint"].as_str().unwrap().contains("config.toml"), "{error}");
    assert_eq!(read(&path), before);
}

/// A golden task: a plugin alone, over the project's specs or over a folder of its author's.
#[test]
fn a_plugin_is_run_on_tasks() {
    let world = World::new();
    let project = world.project(SPECS);
    let tasks = json!([{"prompt": AUTH_TASK}, {"prompt": AUTH_TASK, "config": {"limit": "many"}}]);
    let report = ask(&world, &project, "plugin_run", json!({"plugin": "keyword", "tasks": tasks}));
    assert_eq!((&report["type"], &report["plugin"]), (&json!("plugin_run_report"), &json!("keyword")));
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2, "{report:#}");
    assert_eq!((&runs[0]["picks"][0]["path"], &runs[0]["report"]["error"]), (&json!("specs/auth.md"), &Value::Null));
    assert!(runs[0]["picks"][0]["tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{report:#}");
    let error = &runs[1]["report"]["error"];
    assert_eq!(error["code"], "config_invalid", "{report:#}");
    assert!(error["message"].as_str().unwrap().contains("limit"), "{error}");

    let specs = world.root().join("golden");
    write(specs.join("ledger.md"), "# Ledger invariants\n\nEvery entry has two sides.\n");
    let built = component(&world, "mine", &keyword());
    let more = json!({"plugin": built, "specs": specs, "tasks": [{"prompt": "ledger invariants"}]});
    let report = ask(&world, &project, "plugin_run", more);
    assert_eq!(report["runs"][0]["picks"][0]["path"], "ledger.md", "{report:#}");
    let left = std::fs::read_dir(world.home().index()).unwrap().flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("run-")).collect();
    assert!(left.is_empty(), "an index that was needed once is left: {left:?}");

    let error = refused(&world, &project, "plugin_run", json!({"plugin": "none", "tasks": []}));
    assert_eq!(error["code"], "plugin_not_found", "{error}");
    assert!(error["hint"].as_str().unwrap().contains("keyword"), "{error}");
    let bench =
        ask(&world, &project, "plugin_bench", json!({"plugin": "keyword", "task": {"prompt": "x"}, "rounds": 5}));
    assert_eq!((&bench["times"]["rounds"], &bench["times"]["failures"]), (&json!(5), &json!(0)), "{bench:#}");
}

/// A plugin that fails again and again is not asked any more, says so, and gets a new chance when its file changes.
#[test]
fn a_plugin_that_failed_five_times_in_a_row_is_set_aside() {
    let world = World::new();
    let project = world.project(SPECS);
    add(&world, &project, &component(&world, "rules", &Hostile::Traps.component("rules")));
    for round in 0..5 {
        let error = part(&explained(&world, &project), "rules")["error"].clone();
        assert_eq!(error["code"], "trap", "round {round}: {error}");
    }
    let report = project.spawn("one", "true", &["--root", AUTH_TASK]);
    let error = &part(&report["context"], "rules")["error"];
    assert_eq!(error["code"], "set_aside", "{report:#}");
    assert!(error["message"].as_str().unwrap().starts_with("failed 5 times in a row, last: trap"), "{error}");
    let told = listed(&world, &project, "rules");
    assert_eq!(told["error"]["code"], "set_aside", "{told:#}");
    assert_eq!((&told["tally"]["calls"], &told["tally"]["failures_in_a_row"]), (&json!(5), &json!(5)), "{told:#}");
    assert_eq!(told["tally"]["last_error"]["code"], "trap", "{told:#}");

    // Whoever looked at it may have it asked again as it is, by either command.
    for again in ["plugin_switch", "plugin_add"] {
        let built = component(&world, "rules", &Hostile::Traps.component("rules"));
        let more = match again {
            "plugin_switch" => json!({"name": "rules", "enabled": true}),
            _ => json!({"component": built, "source": "a test"}),
        };
        let changed = ask(&world, &project, again, more);
        assert_eq!(changed["plugin"]["error"], Value::Null, "{changed:#}");
        for round in 0..5 {
            let error = part(&explained(&world, &project), "rules")["error"].clone();
            assert_eq!(error["code"], "trap", "{again}, round {round}: {error}");
        }
        assert_eq!(part(&explained(&world, &project), "rules")["error"]["code"], "set_aside", "{again}");
    }

    // Another digest is another plugin.
    add(&world, &project, &component(&world, "rules", &Hostile::TakesMemory.component("rules")));
    assert_eq!(part(&explained(&world, &project), "rules")["error"]["code"], "memory_limit");
}

/// What the user wrote for a plugin is held against the plugin's own schema, and told with its place.
#[test]
fn a_config_that_does_not_fit_is_told_with_file_and_line() {
    let world = World::new();
    let project = world.project(SPECS);
    let config =
        "[[context.assembler]]\nname = \"keyword\"\n[context.assembler.config]\nlimit = 3\nmin_score = \"low\"\n";
    project.configure(config);
    let report = explained(&world, &project);
    let error = &part(&report, "keyword")["error"];
    assert_eq!(error["code"], "config_invalid", "{report:#}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("`min_score`") && message.contains("config.toml, line 5"), "{message}");
    let told = listed(&world, &project, "keyword");
    assert_eq!(told["error"], *error, "whoever lists the plugins learns it too: {told:#}");
    // What a plugin is configured with is nothing that acts.
    project.write(".pu/config.toml", &config.replace("\"low\"", "0.2"));
    assert_eq!(part(&explained(&world, &project), "keyword")["error"], Value::Null);
}

/// The last step of a build says what is wrong with what it was given.
#[test]
fn garbage_is_not_encoded() {
    let world = World::new();
    let project = world.project(SPECS);
    let (core, manifest, out) =
        (world.root().join("core.wasm"), world.root().join("manifest.json"), world.root().join("out.wasm"));
    write(&core, "this is no module");
    write(&manifest, r#"{"name":"x","version":"0.1.0","contract":"0.1.0"}"#);
    let more = json!({"core": core, "manifest": manifest, "out": out});
    let error = refused(&world, &project, "plugin_encode", more.clone());
    assert_eq!(error["code"], "plugin_refused", "{error}");
    assert!(error["message"].as_str().unwrap().starts_with("not_a_component"), "{error}");
    write(&manifest, "{");
    let error = refused(&world, &project, "plugin_encode", more);
    assert!(error["message"].as_str().unwrap().starts_with("manifest_invalid"), "{error}");
    assert!(!out.exists());
}

/// Whoever looks at a repository before trusting it sees what it brings; none of that runs.
#[test]
fn an_untrusted_project_s_plugins_are_listed_and_inspected_and_not_run() {
    let world = World::new();
    world.daemon();
    let repo = world.repo("theirs", SPECS);
    write(repo.root().join(".pu/plugins/rules.wasm"), Hostile::Traps.component("rules"));
    let ask = |kind: &str, plugin: &str| {
        world.client().ask(&json!({"type": kind, "cwd": repo.root(), "plugin": plugin, "tasks": []}))
    };
    let listed = ask("plugin_list", "");
    assert_eq!(listed["plugins"][4]["name"], "rules", "{listed:#}");
    let inspected = ask("plugin_inspect", "rules");
    assert_eq!(
        (&inspected["type"], &inspected["name"]),
        (&json!("plugin_inspection"), &json!("rules")),
        "{inspected:#}"
    );
    assert_eq!(inspected["digest"], listed["plugins"][4]["digest"]);
    assert_eq!(ask("plugin_run", "rules")["code"], "project_untrusted");
}
