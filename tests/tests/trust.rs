//! `pu trust`: what of a project can act is shown, allowed as it was shown, and asked for again when it changes.

use e2e::{AUTH_TASK, Hostile, Repo, SPECS, Terminal, World, read, write};
use serde_json::{Value, json};

const ASK: &str = "allow all of this? [y/N]";

/// A repository that brings a command, a plugin and specs, as somebody else made it.
fn theirs(world: &World) -> Repo {
    let repo = world.repo("theirs", SPECS);
    repo.write(".pu/config.toml", &config("echo theirs"));
    write(repo.root().join(".pu/plugins/rules.wasm"), Hostile::Traps.component("rules"));
    repo.commit("a project");
    repo
}

fn config(command: &str) -> String {
    format!(
        "default_agent = \"own\"\n[agents.own]\ncommand = \"/bin/sh\"\nargs = [\"-c\", \"{command}\"]\n\
         [context.grants]\nrules = [\"state\"]\n"
    )
}

#[track_caller]
fn show(world: &World, repo: &Repo) -> Value {
    world.pu(["trust", "--show", "--json"]).cwd(repo.root()).output().json()
}

fn spawn(world: &World, repo: &Repo) -> e2e::Output {
    world.pu(["spawn", "--json", "--root", "--wait", AUTH_TASK]).cwd(repo.root()).output()
}

#[test]
fn what_can_act_is_shown_and_nothing_is_allowed_unasked() {
    let world = World::new();
    let repo = theirs(&world);
    let told = world.pu(["trust", "--show"]).cwd(repo.root()).output().ok().stdout();
    for part in [
        "theirs is known, not trusted",
        "own  args = [\"-c\", \"echo theirs\"], command = \"/bin/sh\"",
        ".pu/plugins/rules.wasm  sha256 ",
        "rules  [\"state\"]",
        &format!("specs for its agents: {}", SPECS.len()),
    ] {
        assert!(told.contains(part), "{part} is not in:\n{told}");
    }
    let output = world.pu(["trust"]).cwd(repo.root()).output();
    assert_eq!(output.code(), Some(4), "{output}");
    assert!(output.stdout().contains("sha256 ") && output.stderr().contains("no terminal"), "{output}");
    let output = world.pu(["trust", "--json"]).cwd(repo.root()).output();
    assert_eq!((output.code(), output.stdout().contains("\"state\":\"known\"")), (Some(4), true), "{output}");
    spawn(&world, &repo).fails(4, "project_untrusted");

    world.pu(["trust", "--yes"]).cwd(repo.root()).output().ok();
    assert_eq!(show(&world, &repo)["state"], "trusted");
    assert_eq!(world.pu(["trust"]).cwd(repo.root()).output().ok().code(), Some(0), "nothing is left to ask");
    assert_eq!(spawn(&world, &repo).code(), Some(0));
}

/// As `git pull` does it: what acts is asked for again, by name, by the present daemon and the next one; specs are not.
#[test]
fn a_pull_that_changes_what_acts_asks_again() {
    let world = World::new();
    let repo = theirs(&world);
    world.pu(["trust", "--yes"]).cwd(repo.root()).output().ok();
    repo.write("specs/auth.md", "# Logging in\n\nA login token is refreshed.\n");
    repo.write(".pu/config.toml", &format!("{}[specs]\nfolders = [\"more\"]\n", config("echo theirs")));
    assert_eq!(spawn(&world, &repo).code(), Some(0), "neither specs nor where they lie can act");

    repo.write(".pu/config.toml", &config("echo other"));
    let told = world.pu(["config", "show", "--json", "agents"]).cwd(repo.root()).output().json();
    assert!(told["warnings"].to_string().contains("agents.own in .pu/config.toml (changed)"), "{told}");
    write(repo.root().join(".pu/plugins/rules.wasm"), Hostile::Loops.component("rules"));
    write(repo.root().join(".pu/plugins/more.wasm"), "x");
    world.crash_daemon();
    let error = spawn(&world, &repo).fails(4, "project_untrusted");
    let message = error["message"].as_str().unwrap();
    for part in ["agents.own in .pu/config.toml (changed)", "rules.wasm (changed)", ".pu/plugins/more.wasm (new)"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert!(error["hint"].as_str().unwrap().contains(" trust`"), "{error}");
    let explain = world.pu(["context", "explain", "--json", AUTH_TASK]).cwd(repo.root()).output();
    explain.fails(4, "project_untrusted");
    let shown = show(&world, &repo);
    let states = |state: &str| shown["parts"].as_array().unwrap().iter().filter(|part| part["state"] == state).count();
    assert_eq!((&shown["state"], states("changed"), states("new")), (&json!("changed"), 2, 1), "{shown:#}");
    // Back on the commit that was trusted, nothing is left to ask.
    repo.git(["checkout", "-q", "."]);
    repo.git(["clean", "-q", "-f", ".pu/plugins"]);
    assert_eq!(spawn(&world, &repo).code(), Some(0));
}

/// Allowed is what was shown: what changed behind the question is not.
#[test]
fn what_changes_while_it_is_asked_for_is_not_allowed() {
    let world = World::new();
    let repo = theirs(&world);
    let digest = show(&world, &repo)["digest"].clone();
    repo.write(".pu/config.toml", &config("echo other"));
    let refused = world.client().ask(&json!({"type": "trust", "cwd": repo.root(), "digest": digest}));
    assert_eq!(refused["code"], "trust_outdated", "{refused}");
    spawn(&world, &repo).fails(4, "project_untrusted");
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    let world = World::new();
    let repo = theirs(&world);
    let pu = world.command("pu");
    let ask = || Terminal::open(pu.get_program().as_ref(), &["trust"], world.environment(), repo.root());
    let mut terminal = ask();
    terminal.shows(ASK);
    terminal.type_in("n\r");
    assert_eq!(terminal.ends().exit_code(), 4);
    assert_eq!(show(&world, &repo)["state"], "known");
    let mut terminal = ask();
    terminal.shows(ASK);
    terminal.type_in("y\r");
    assert!(terminal.ends().success());
    assert_eq!(show(&world, &repo)["state"], "trusted");
}

#[test]
fn what_was_allowed_is_taken_back() {
    let world = World::new();
    let project = world.project(SPECS);
    project.spawn("worker", "exec sleep 1000", &["--root"]);
    let mut events = world.client();
    assert_eq!(events.ask(&json!({"type": "subscribe", "cwd": project.root()}))["type"], "subscribed");
    let told = project.pu(["untrust"]).output().ok().stdout();
    assert!(told.contains("not trusted any more"), "{told}");
    let is_change = |line: &Value| line["event"]["kind"] == "project_changed" && line["event"]["state"] == "known";
    events.until("the change of the project", is_change);
    project.try_spawn("other", "true", &["--root"]).fails(4, "project_untrusted");
    assert_eq!(project.agent("worker")["state"], "running", "what runs goes on");
    world.crash_daemon();
    project.try_spawn("other", "true", &["--root"]).fails(4, "project_untrusted");
    project.trust();
    project.spawn("other", "true", &["--root"]);
}

/// What the user has `pu` write needs no second word; what else changed meanwhile does.
#[test]
fn requests_of_the_user_keep_the_trust() {
    let world = World::new();
    let project = world.project(SPECS);
    let built = world.root().join("built/rules.wasm");
    write(&built, Hostile::Traps.component("rules"));
    project.configure("[[context.assembler]]\nname = \"keyword\"\n");
    for args in [
        &["plugin", "add", built.to_str().unwrap(), "--grant", "state"][..],
        &["plugin", "disable", "rules"],
        &["plugin", "enable", "rules", "--grant", "history"],
        &["plugin", "remove", "rules"],
    ] {
        project.pu(args).output().ok();
        project.pu(["context", "explain", "--json", AUTH_TASK]).output().ok();
    }
    let registry = read(world.home().projects());
    assert!(!registry.contains("rules.wasm"), "what is gone is forgotten: {registry}");
}

/// A repository chooses its names: none of them reaches the terminal as it is.
#[test]
fn no_name_of_a_stranger_s_reaches_the_terminal_raw() {
    let world = World::new();
    let repo = world.repo("theirs", SPECS);
    let evil = "a\u{1b}[2K\nall is well";
    write(repo.root().join(format!(".pu/plugins/{evil}.wasm")), "x");
    repo.write(".pu/config.toml", "[agents.\"b\\u001b[2J\\nfine\"]\ncommand = \"x\\u001b[3J\"\n");
    repo.write(&format!("{evil}/AGENTS.md"), "# Rules\n");
    for args in [&["trust", "--show"][..], &["trust", "--yes"], &["trust"]] {
        let output = world.pu(args).cwd(repo.root()).output();
        let told = output.stdout() + &output.stderr();
        assert!(told.contains("\\u{1b}[2K\\nall is well.wasm"), "{told:?}");
        assert!(!told.contains('\u{1b}') && told.lines().all(|line| !line.starts_with("all is well")), "{told:?}");
    }
}

/// What cannot be told is not allowed.
#[test]
fn init_allows_nothing_of_a_faulty_configuration() {
    let world = World::new();
    let repo = theirs(&world);
    repo.write(".pu/config.toml", "[agents");
    world.pu(["init", "--json"]).cwd(repo.root()).output().fails(1, "invalid_config");
    repo.write(".pu/config.toml", &config("echo theirs"));
    assert_eq!(show(&world, &repo)["state"], "known");
    spawn(&world, &repo).fails(4, "project_untrusted");
}

/// A clone in the place of a project that was trusted is another one, and what lay there keeps its trust.
#[test]
fn a_clone_in_the_place_of_a_trusted_project_is_asked_for() {
    let world = World::new();
    let repo = theirs(&world);
    world.pu(["trust", "--yes"]).cwd(repo.root()).output().ok();
    spawn(&world, &repo).ok();
    let was = world.root().join("was");
    std::fs::rename(repo.root(), &was).unwrap();
    repo.git_in(&was, &["clone", "-q", ".", repo.root().to_str().unwrap()]);
    for args in [&["spawn", "--json", "--root", AUTH_TASK][..], &["context", "explain", "--json", AUTH_TASK]] {
        world.pu(args).cwd(repo.root()).output().fails(4, "project_untrusted");
    }
    assert_eq!(world.pu(["trust", "--show", "--json"]).cwd(&was).output().json()["state"], "trusted");
}

/// `pu init` is the user's own act, and tells what it allowed.
#[test]
fn init_tells_what_it_allows() {
    let world = World::new();
    let repo = theirs(&world);
    let told = world.pu(["init"]).cwd(repo.root()).output().ok().stdout();
    assert!(told.contains("may act from now on") && told.contains("echo theirs") && told.contains("sha256"), "{told}");
    assert_eq!(show(&world, &repo)["state"], "trusted");
    let bare = world.repo("bare", &[]);
    assert!(!world.pu(["init"]).cwd(bare.root()).output().ok().stdout().contains("allowed"));
    let none = world.repo("none", &[]);
    let error = world.pu(["trust", "--yes", "--json"]).cwd(none.root()).output().fails(3, "not_a_project");
    assert!(error["hint"].as_str().unwrap().contains("pu init"), "{error}");
}
