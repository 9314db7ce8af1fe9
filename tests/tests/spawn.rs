//! `pu spawn`: a task becomes an agent that knows what matters.

use e2e::{AUTH_TASK, SPECS, World, read, wait_until, write};
use serde_json::{Value, json};

const FOREVER: &str = "exec sleep 1000";
const SHOW_CONTEXT: &str = "cat \"$PU_CONTEXT_FILE\"";

/// The main job: its own worktree and branch, the spec that matters in its context, nothing for git to see.
#[test]
fn a_task_becomes_an_agent_with_its_context() {
    let world = World::new();
    let project = world.project(SPECS);
    let report = project.spawn("fix", &format!("{SHOW_CONTEXT}; {FOREVER}"), &[AUTH_TASK]);
    assert_eq!((&report["name"], &report["branch"]), (&"fix".into(), &"pu/fix".into()));
    assert_eq!(report["worktree"], ".pu/worktrees/fix");
    assert_eq!(report["delivery"], "file");
    let worktree = project.worktree("fix");
    assert_eq!(project.git_in(&worktree, &["branch", "--show-current"]), "pu/fix");
    assert_eq!(project.git_in(&worktree, &["rev-parse", "HEAD"]), project.git(["rev-parse", "main"]));
    assert!(worktree.join("specs/auth.md").exists());

    let handed = worktree.join(".pu/run").join(report["agent_id"].as_str().unwrap()).join("context.md");
    let context = read(&handed);
    assert!(context.contains("the loser waits for the winner's token"), "{context}");
    assert!(!context.contains("thumbnails of three widths"), "{context}");
    let shown = wait_until("the agent has shown all of its context", || {
        let shown = String::from_utf8_lossy(&project.output("fix").0).replace("\r\n", "\n");
        (shown.len() >= context.len()).then_some(shown)
    });
    assert_eq!(shown, context, "the agent sees exactly what was rendered");
    assert_eq!(project.dirt(&worktree), "", "git sees nothing in the worktree");
    assert_eq!(project.dirt(project.root()), "", "git sees nothing in the root");
}

/// Where `.pu/` is not committed, its `.gitignore` is not in the worktree: git still sees nothing of what was handed.
#[test]
fn what_is_handed_is_kept_out_of_git_without_a_tracked_file() {
    let world = World::new();
    let repo = world.repo("fresh", SPECS);
    let spawn = |name: &str, place: &[&str]| {
        let args = ["spawn", "--json", "-n", name, "--command", FOREVER, AUTH_TASK];
        world.pu(args.iter().chain(place)).cwd(repo.root()).output().json()
    };
    let report = spawn("a", &[]);
    let worktree = repo.root().join(".pu/worktrees/a");
    assert!(worktree.join(".pu/run").join(report["agent_id"].as_str().unwrap()).join("context.md").exists());
    assert_eq!(repo.dirt(&worktree), "");
    spawn("b", &["--root"]);
    let dirt = repo.dirt(repo.root());
    assert!(!dirt.contains(".pu/run") && !dirt.contains(".pu/worktrees"), "{dirt}");
}

#[test]
fn the_answer_has_the_documented_shape() {
    let world = World::new();
    let project = world.project(SPECS);
    let report = project.spawn("fix", FOREVER, &[AUTH_TASK]);
    let keys = |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    for key in ["agent_id", "name", "worktree", "branch", "pid", "context"] {
        assert!(keys(&report).contains(&key.to_owned()), "{key} is not in {report}");
    }
    let context = &report["context"];
    assert!(context["tokens"].as_u64().unwrap() > 0 && context["budget"] == 8000, "{context}");
    for key in ["spec", "path", "section", "score", "assembler", "reason", "tokens"] {
        assert!(keys(&context["picks"][0]).contains(&key.to_owned()), "{key} is not in {context}");
    }
    for key in ["name", "version", "elapsed_us", "error"] {
        assert!(keys(&context["assemblers"][0]).contains(&key.to_owned()), "{key} is not in {context}");
    }
    let pick = &context["picks"][0];
    assert_eq!(
        (&pick["spec"], &pick["path"], &pick["assembler"]),
        (&"AUTH".into(), &"specs/auth.md".into(), &"keyword".into())
    );
    let score = pick["score"].as_f64().unwrap();
    assert!(score > 0.0 && score <= 1.0 && !pick["reason"].as_str().unwrap().is_empty(), "{pick}");
    assert!(context.get("candidates").is_none(), "candidates belong to explain");
}

#[test]
fn an_agent_sees_who_and_where_it_is() {
    let world = World::new();
    let project = world.project(SPECS);
    let show = "printf '%s\\n' \"$PU_AGENT_ID\" \"$PU_AGENT_NAME\" \"$PU_PROJECT_ROOT\" \"$PU_SOCKET\" \"$PU_PROMPT\" \"$(pwd)\" \"$MINE\"";
    let args = ["spawn", "--json", "--wait", "-n", "who", "--command", show, AUTH_TASK];
    project.pu(args).env("MINE", "the caller's").env("PU_AGENT_ID", "an outer agent's").output().ok();
    let id = project.agent("who")["agent_id"].as_str().unwrap().to_owned();
    let shown = String::from_utf8(project.output("who").0).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    let (root, worktree) = (project.root().to_str().unwrap(), project.worktree("who"));
    let socket = world.home().daemon_socket();
    let wanted = [&id, "who", root, socket.to_str().unwrap(), AUTH_TASK, worktree.to_str().unwrap(), "the caller's"];
    assert_eq!(lines, wanted);
}

/// An agent that works beside others can talk to the daemon that started it.
#[test]
fn an_agent_can_ask_its_daemon() {
    let world = World::new();
    let project = world.project(&[]);
    let pu = world.command("pu").get_program().to_str().unwrap().to_owned();
    // It may be quicker than the daemon is in writing down that it runs.
    project.spawn("asks", &format!("until {pu} status | grep 'asks .*running'; do sleep 0.02; done"), &["--root"]);
    assert_eq!(project.ended("asks")["code"], 0);
}

#[test]
fn in_the_root_there_is_no_worktree() {
    let world = World::new();
    let project = world.project(SPECS);
    let report = project.spawn("here", "pwd", &["--root", AUTH_TASK]);
    assert_eq!((&report["worktree"], &report["branch"]), (&Value::Null, &Value::Null));
    project.ended("here");
    assert_eq!(project.output("here").0, format!("{}\r\n", project.root().display()).as_bytes());
    assert_eq!(project.branches(), ["main"]);
    assert_eq!(project.dirt(project.root()), "");
}

/// Worktrees around a bare repository: the folder above them has no working tree, and `--root` needs none.
#[test]
fn in_the_root_of_a_bare_layout_an_agent_works_too() {
    let world = World::new();
    let repo = world.repo("origin", &[]);
    let folder = world.root().join("layout");
    for (path, text) in SPECS {
        write(folder.join(path), text);
    }
    repo.git(["clone", "-q", "--bare", ".", "../layout/.bare"]);
    write(folder.join(".git"), "gitdir: ./.bare\n");
    let spawn = |place: &[&str]| {
        let args = ["spawn", "--json", "--command", "true", AUTH_TASK];
        world.pu(args.iter().chain(place)).cwd(&folder).output()
    };
    let error = spawn(&[]).fails(3, "not_a_git_repository");
    assert!(error["hint"].as_str().unwrap().contains("--root"), "{error}");
    assert_eq!(spawn(&["--root"]).json()["delivery"], "file");
}

/// A program that the project brings is found in the worktree that is made for the agent.
#[test]
fn a_program_of_the_project_runs_from_the_worktree() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let project = world.project(&[]);
    project.write("tools/own", "#!/bin/sh\necho \"I am $0\"\n");
    let tool = project.root().join("tools/own");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    project.configure("[agents.own]\ncommand = \"./tools/own\"\n");
    project.commit("a tool");
    std::fs::remove_file(tool).unwrap();
    project.pu(["spawn", "--json", "-a", "own", "-n", "worker", "x"]).output().ok();
    project.wrote("worker", ".pu/worktrees/worker/");
}

#[test]
fn a_second_agent_joins_a_worktree() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("first", "echo made-by-first > note", &[]);
    project.ended("first");
    let report = project.spawn("second", "cat note; pwd", &["-w", "first"]);
    assert_eq!((&report["worktree"], &report["branch"]), (&".pu/worktrees/first".into(), &"pu/first".into()));
    let shown = project.ended("second");
    assert_eq!(shown["code"], 0);
    let wanted = format!("made-by-first\r\n{}\r\n", project.worktree("first").display());
    assert_eq!(String::from_utf8(project.output("second").0).unwrap(), wanted);
    assert_eq!(project.branches(), ["main", "pu/first"]);
    project.try_spawn("third", "true", &["-w", "nowhere"]).fails(3, "worktree_not_found");
}

#[test]
fn a_base_is_where_the_branch_begins() {
    let world = World::new();
    let project = world.project(&[]);
    let old = project.git(["rev-parse", "HEAD"]);
    project.git(["tag", "v1"]);
    project.write("new.txt", "new");
    project.commit("newer");
    for (name, base) in [("by-tag", "v1"), ("by-hash", &old[..12]), ("by-branch", "main~1")] {
        project.spawn(name, "true", &["--base", base]);
        assert_eq!(project.git_in(&project.worktree(name), &["rev-parse", "HEAD"]), old, "{name}");
        assert!(!project.worktree(name).join("new.txt").exists());
    }
}

#[test]
fn prompts_come_from_arguments_files_and_standard_input() {
    let world = World::new();
    let project = world.project(&[]);
    write(world.root().join("task.md"), "from a file\n");
    let file = world.root().join("task.md");
    let show = "printf %s \"$PU_PROMPT\"";
    let base = |name: &'static str| ["spawn", "--wait", "--root", "-n", name, "--command", show];
    let unicode = "repariere die Sitzung – 会话 🔒 «токен»";
    project.pu(base("unicode").iter().chain(&[unicode])).output().ok();
    project.pu(base("stdin").iter().chain(&["-"])).stdin("from\nstandard input\n").output().ok();
    project.pu(base("file").iter().chain(&["--file", file.to_str().unwrap()])).output().ok();
    project.pu(base("both").iter().chain(&["typed", "--file", file.to_str().unwrap()])).output().ok();
    let prompt = |name: &str| String::from_utf8(project.output(name).0).unwrap().replace("\r\n", "\n");
    assert_eq!(prompt("unicode"), unicode);
    assert_eq!(prompt("stdin"), "from\nstandard input");
    assert_eq!(prompt("file"), "from a file");
    assert_eq!(prompt("both"), "typed\n\nfrom a file");
}

/// A name is made from the prompt, as something that a branch can be called; the same prompt again gets another.
#[test]
fn names_are_made_from_the_prompt() {
    let world = World::new();
    let project = world.project(&[]);
    let spawn = |prompt: &str| {
        project.pu(["spawn", "--json", "--no-context", "--command", FOREVER, prompt]).output().json()["name"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (first, second) = (spawn("Fix the auth race!"), spawn("Fix the auth race!"));
    assert!(first.starts_with("fix-the-auth-race"), "{first}");
    assert_ne!(first, second);
    let unicode = spawn("会话 🔒 ../../etc/passwd --force");
    assert!(project.worktree(&unicode).exists() && project.branches().contains(&format!("pu/{unicode}")), "{unicode}");
    assert!(!unicode.contains('/') && !unicode.starts_with('-') && !unicode.starts_with('.'), "{unicode}");
}

#[test]
fn waiting_ends_with_the_agents_exit_code() {
    let world = World::new();
    let project = world.project(&[]);
    let args = ["spawn", "--wait", "--root", "--command", "echo done; exit 6"];
    assert_eq!(project.pu(args).output().code(), Some(6));
}

#[test]
fn context_can_be_refused_named_and_bounded() {
    let world = World::new();
    let project = world.project(SPECS);
    let none = project.spawn("none", "echo \"[$PU_CONTEXT_FILE]\"", &["--root", "--no-context", AUTH_TASK]);
    assert_eq!(
        (&none["context"]["tokens"], &none["context"]["picks"], &none["delivery"]),
        (&0.into(), &json!([]), &"none".into())
    );
    project.ended("none");
    assert_eq!(project.output("none").0, b"[]\r\n");

    for named in ["BILL", "specs/billing.md"] {
        let report =
            project.spawn(&format!("named-{}", named.len()), SHOW_CONTEXT, &["--root", "--spec", named, AUTH_TASK]);
        let first = &report["context"]["picks"][0];
        assert_eq!((&first["path"], &first["assembler"]), (&"specs/billing.md".into(), &"user".into()), "{report}");
    }
    project.try_spawn("unknown", "true", &["--spec", "NOPE-42", AUTH_TASK]).fails(3, "spec_not_found");

    let small = project.spawn("small", SHOW_CONTEXT, &["--root", "--context-budget", "150", AUTH_TASK]);
    let (tokens, budget) = (small["context"]["tokens"].as_u64().unwrap(), small["context"]["budget"].as_u64().unwrap());
    assert!(tokens <= 150 && budget == 150, "{small}");
}

/// A task that no spec is about gets no context: an unrelated one is worse than none.
#[test]
fn a_task_that_no_spec_is_about_gets_nothing() {
    let world = World::new();
    let project = world.project(SPECS);
    let report = project.spawn("off", "true", &["--root", "zxqv wobbling flamingo"]);
    assert_eq!(report["context"]["picks"], json!([]), "{report}");
    assert_eq!(report["delivery"], "none");
}

/// A tag names a subject that the prompt's words do not.
#[test]
fn tags_count() {
    let world = World::new();
    let project = world.project(SPECS);
    for (name, args) in [("flag", &["--tag", "ledger", "make it right"][..]), ("hash", &["make it right #ledger"])] {
        let report = project.spawn(name, "true", &[&["--root"], args].concat());
        assert_eq!(report["context"]["picks"][0]["path"], "specs/billing.md", "{name}: {report}");
    }
}

/// What was spawned, with which context and why, and how it ended, stays in the project's history.
#[test]
fn history_keeps_what_was_given_and_how_it_ended() {
    let world = World::new();
    let project = world.project(SPECS);
    let report = project.spawn("fix", "exit 9", &[AUTH_TASK]);
    project.ended("fix");
    let history = wait_until("the end is written", || {
        let lines = project.history();
        (lines.len() == 2).then_some(lines)
    });
    let (spawned, ended) = (&history[0], &history[1]);
    assert_eq!((&spawned["kind"], &spawned["prompt"]), (&"spawned".into(), &AUTH_TASK.into()));
    assert_eq!(spawned["context"]["picks"], report["context"]["picks"]);
    assert_eq!((&ended["kind"], &ended["state"]["code"]), (&"ended".into(), &9.into()), "{ended}");
    assert_eq!(project.manifest()["agents"], json!([]), "the manifest has the live ones only");
    assert!(!project.manifest().to_string().contains(project.root().to_str().unwrap()), "relative paths only");
}

/// Values of the caller's environment reach the agent and no file.
#[test]
fn secrets_are_passed_on_and_never_written() {
    let world = World::new();
    let project = world.project(SPECS);
    let secret = "s3cr3t-of-the-caller-77";
    let args = ["spawn", "-n", "a", "--root", "--command", "printf %s \"$API_KEY\" | wc -c; sleep 1000", AUTH_TASK];
    project.pu(args).env("API_KEY", secret).output().ok();
    project.wrote("a", &secret.len().to_string());
    // A file may go while it is looked at: grep's own complaints are nothing.
    let found = world.program("grep").args(["-rls", secret, "."]).output();
    assert_eq!(found.stdout(), "", "{found}");
}

/// Agents of several at once: each its own name, worktree and branch, none lost.
#[test]
fn many_at_once_do_not_disturb_each_other() {
    let world = World::new();
    let project = world.project(SPECS);
    let args = ["spawn", "--json", "--command", FOREVER, AUTH_TASK];
    let running: Vec<_> = (0..8).map(|_| project.pu(args).start()).collect();
    let mut names: Vec<String> =
        running.into_iter().map(|run| run.finish().json()["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 8, "{names:?}");
    assert_eq!(project.branches().len(), 9);
    assert_eq!(project.manifest()["agents"].as_array().unwrap().len(), 8);
    assert!(project.agents().iter().all(|agent| agent["state"] == "running"));
}

/// Where systemd runs, a logout or a service's restart kills a whole cgroup: the shim must be started in a scope of its
/// own. What stands in for systemd here is a manager that only notes what it was asked and executes it, as
/// `systemd-run --scope` does, and one that refuses.
#[test]
fn where_systemd_runs_a_shim_gets_a_scope_of_its_own() {
    let world = World::new();
    let project = world.project(&[]);
    let runtime = world.root().join("run");
    write(runtime.join("systemd/private"), "");
    let fake = world.root().join("bin/systemd-run");
    let with_systemd = |name: &str| {
        let path = format!("{}:{}", fake.parent().unwrap().display(), std::env::var("PATH").unwrap());
        let args = ["spawn", "--json", "--root", "--agent", "terminal", "--name", name, "--command", "echo here"];
        project.pu(args).env("XDG_RUNTIME_DIR", &runtime).env("PATH", path).output().json()
    };

    let asked = world.root().join("asked");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >{}\nwhile [ \"$1\" != -- ]; do shift; done; shift\nexec \"$@\"\n",
        asked.display()
    );
    write_program(&fake, &script);
    let report = with_systemd("scoped");
    let unit = format!("--unit=pu-agent-{}.scope", report["agent_id"].as_str().unwrap());
    let asked = std::fs::read_to_string(&asked).unwrap();
    assert!(asked.starts_with("--user --scope") && asked.contains(&unit), "{asked}");
    project.wrote("scoped", "here");

    write_program(&fake, "#!/bin/sh\necho no bus >&2\nexit 1\n");
    with_systemd("unscoped");
    project.wrote("unscoped", "here");
}

fn write_program(path: &std::path::Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    write(path, script);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
