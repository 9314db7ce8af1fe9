//! What agents are doing: said by their programs, seen by `pu status`, `pu wait --for`, `pu agent explain` and events.

use e2e::{World, wait_until, write};

#[test]
fn what_a_program_says_is_shown_waited_for_and_explained() {
    let world = World::new();
    let project = world.project(&[]);
    let mut client = world.client();
    assert_eq!(client.ask(&serde_json::json!({"type": "subscribe"}))["type"], "subscribed");
    let command = "printf '\\033]7501;state=blocked:kind=permission\\033\\\\'; read line; \
                   printf '\\033]7501;state=done\\033\\\\'; read line; exit 3";
    project.spawn("asks", command, &["--root"]);
    client.until("it is blocked", |line| {
        line["event"]["kind"] == "agent_changed" && line["event"]["agent"]["activity"]["state"] == "blocked"
    });
    let blocked = project.pu(["wait", "--json", "--for", "blocked", "asks"]).output().json();
    assert_eq!((&blocked["type"], &blocked["state"]), (&"agent_info".into(), &"running".into()), "{blocked}");
    let activity = &blocked["activity"];
    assert_eq!((&activity["state"], &activity["why"]), (&"blocked".into(), &"permission".into()), "{blocked}");
    let evidence = &activity["evidence"];
    assert_eq!((&evidence["source"], &evidence["confidence"]), (&"program_status".into(), &"high".into()), "{blocked}");
    assert_eq!(project.agent("asks")["activity"], *activity, "its date is that of the change");
    assert!(project.pu(["status"]).output().ok().stdout().contains("blocked: permission"));
    let explained = project.pu(["agent", "explain", "--json", "asks"]).output().json();
    let signal = &explained["signals"][0];
    assert_eq!((&signal["decides"], &signal["evidence"]), (&true.into(), evidence), "{explained}");
    assert!(project.pu(["agent", "explain", "asks"]).output().ok().stdout().contains("asks is blocked: permission"));

    project.pu(["send", "asks", "go on"]).output().ok();
    let done = project.pu(["wait", "--for", "idle", "asks"]).output().ok().stdout();
    assert!(done.contains("asks is done"), "{done}");
    project.pu(["send", "asks", "end"]).output().ok();
    assert_eq!(project.ended("asks")["activity"]["state"], "failed");
    project.pu(["wait", "--json", "--for", "blocked", "asks"]).output().fails(4, "agent_ended");
}

/// What is not known is not idle: without a word from the program it runs, and that is all.
#[test]
fn what_nothing_tells_is_unknown_until_the_end_tells() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("silent", "echo output; read line", &["--root"]);
    project.wrote("silent", "output");
    let silent = project.running("silent");
    assert_eq!(silent["activity"]["state"], "unknown", "{silent}");
    let told = project.pu(["status"]).output().ok().stdout();
    assert!(told.contains("running") && !told.contains("idle"), "{told}");
    project.pu(["wait", "--json", "--for", "idle", "--timeout", "0.2", "silent"]).output().fails(124, "timed_out");
    project.pu(["send", "silent", "end"]).output().ok();
    project.pu(["wait", "--for", "done", "silent"]).output().ok();
    project.pu(["agent", "explain", "--json", "nobody"]).output().fails(3, "agent_not_found");
}

/// A hook tells the shim, so that what it tells is not lost where no daemon runs.
#[test]
fn what_a_hook_tells_waits_for_the_next_daemon() {
    let world = World::new();
    let project = world.project(&[]);
    let (go, told) = (world.root().join("go"), world.root().join("told"));
    let command = format!(
        "until [ -e {} ]; do sleep 0.02; done; \
         printf '{{\"tool\":\"Bash\"}}' | \"$PU_HOOK\" _hook blocked --stdin --why /tool --rule Asked; \
         echo \"[$?]\" > {}; exec sleep 1000",
        go.display(),
        told.display()
    );
    project.spawn("hooked", &command, &["--root"]);
    world.crash_daemon();
    write(go, "");
    wait_until("the hook is over", || std::fs::read_to_string(&told).ok().filter(|said| said == "[0]\n"));
    let blocked = project.pu(["wait", "--json", "--for", "blocked", "hooked"]).output().json();
    let (activity, evidence) = (&blocked["activity"], &blocked["activity"]["evidence"]);
    assert_eq!((&activity["why"], &evidence["source"]), (&"Bash".into(), &"hook".into()), "{blocked}");
    assert_eq!(evidence["rule"], "Asked");
}

/// A hook that is run where no agent is, or whose shim is gone, does no harm.
#[test]
fn a_hook_never_fails_and_says_nothing() {
    let world = World::cold();
    for socket in ["", "/no/such/socket"] {
        let run = world.pu(["_hook", "done", "--rule", "Stop", "--stdin"]).stdin("no json");
        let said = run.env("PU_SHIM_SOCKET", socket).output().ok().stdout();
        assert_eq!(said, "", "{socket:?}");
    }
    assert!(world.daemons().is_empty(), "it starts none");
}

/// An agent that gives no signal but its title and its silence, by the rules of its definition.
#[test]
fn a_definition_says_how_titles_and_silence_are_read() {
    let world = World::new();
    let project = world.project(&[]);
    project.configure(
        "[agents.titled]\ncommand = 'sh'\nargs = ['-c', \"printf '\\\\033]0;* busy\\\\007'; read line\"]\n\
         [agents.titled.signals]\nquiet_ms = 20\ntitles = [{ state = 'working', first = '*' }]\n\
         [agents.quiet]\ncommand = 'sh'\nargs = ['-c', 'echo hi; read line']\nsignals = { quiet_ms = 20 }\n",
    );
    for agent in ["titled", "quiet"] {
        project.pu(["spawn", "--json", "--root", "--no-context", "-a", agent, "-n", agent, "look"]).output().ok();
    }
    let idle = project.pu(["wait", "--json", "--for", "idle", "quiet"]).output().json();
    let evidence = &idle["activity"]["evidence"];
    assert_eq!((&evidence["source"], &evidence["confidence"]), (&"output".into(), &"low".into()), "{idle}");
    assert!(project.pu(["status"]).output().ok().stdout().contains("idle?"), "a guess is marked");
    let explained = wait_until("both sources have spoken of the other", || {
        let explained = project.pu(["agent", "explain", "--json", "titled"]).output().json();
        (explained["signals"].as_array()?.len() == 2 && explained["signals"][1]["state"] == "idle").then_some(explained)
    });
    assert_eq!(explained["agent"]["activity"]["state"], "working", "the title is the stronger one: {explained}");
}
