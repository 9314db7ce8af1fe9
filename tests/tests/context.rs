//! `pu context`: nothing about a context is hidden, and the same task gets the same one.

use e2e::{AUTH_TASK, SPECS, World, wait_until};
use serde_json::Value;

/// Every candidate is named, with who proposed it and why, and with why it is not in.
#[test]
fn explain_names_every_candidate() {
    let world = World::new();
    let project = world.project(SPECS);
    // Words of all four specs.
    let task = "refresh token invoice rounding thumbnails release";
    let report = project.pu(["context", "explain", "--json", "--budget", "260", task]).output().json();
    let candidates = report["candidates"].as_array().unwrap();
    let paths: Vec<&str> = candidates.iter().map(|c| c["path"].as_str().unwrap()).collect();
    for (path, _) in SPECS {
        assert!(paths.contains(path), "{path} is not among {paths:?}");
    }
    let (mut included, mut left_out) = (0, 0);
    for candidate in candidates {
        for key in ["spec", "assembler", "reason"] {
            assert!(candidate[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {candidate}");
        }
        let score = candidate["score"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&score), "{candidate}");
        if candidate["included"] == true {
            included += 1;
            assert!(candidate.get("left_out").is_none(), "{candidate}");
        } else {
            left_out += 1;
            assert!(candidate["left_out"].as_str().is_some_and(|why| !why.is_empty()), "{candidate}");
        }
    }
    assert!(included > 0 && left_out > 0, "{included} in, {left_out} out: {report:#}");
    assert!(report["tokens"].as_u64().unwrap() <= 260, "{report:#}");
    for pick in report["picks"].as_array().unwrap() {
        let proposed = candidates.iter().any(|c| c["spec"] == pick["spec"] && c["included"] == true);
        assert!(proposed, "in the context and not among what was included: {pick}");
    }
    let told = project.pu(["context", "explain", task]).output().ok().stdout();
    assert!(candidates.iter().all(|c| told.contains(c["spec"].as_str().unwrap())), "{told}");
}

/// Explaining starts nothing and writes nothing into the project.
#[test]
fn explain_touches_nothing() {
    let world = World::new();
    let project = world.project(SPECS);
    let before = project.traces();
    project.pu(["context", "explain", "--text", AUTH_TASK]).output().ok();
    assert_eq!(project.traces(), before);
    assert_eq!(project.history(), [] as [Value; 0]);
}

/// What is changed where one stands is part of the task, as it is for an agent that is started there.
#[test]
fn explain_knows_what_is_changed_as_a_spawn_in_the_root_does() {
    let world = World::new();
    let project = world.project(SPECS);
    project.write("src/images-thumbnails.rs", "// to be written\n");
    project.commit("a file");
    let task = "carry on";
    let explain = || project.pu(["context", "explain", "--json", "-a", "terminal", task]).output().json();
    let is_proposed = |report: &Value| {
        report["candidates"].as_array().unwrap().iter().any(|candidate| candidate["path"] == "specs/images.md")
    };
    let before = explain();
    assert!(!is_proposed(&before), "{before:#}");
    project.write("src/images-thumbnails.rs", "// written\n");
    let after = explain();
    assert!(is_proposed(&after), "{after:#}");
    let spawned = project.spawn("here", "true", &["--root", task]);
    for key in ["tokens", "picks", "revision"] {
        assert_eq!(after[key], spawned["context"][key], "{key}");
    }
}

/// For programs: the list is there also where nothing was proposed.
#[test]
fn explain_has_its_list_of_candidates_where_it_is_empty() {
    let world = World::new();
    let project = world.project(&[]);
    let report = project.pu(["context", "explain", "--json", AUTH_TASK]).output().json();
    assert_eq!(report["candidates"], serde_json::json!([]), "{report:#}");
}

/// What explain shows is what spawn gives, and what show remembers.
#[test]
fn explain_spawn_and_show_agree() {
    let world = World::new();
    let project = world.project(SPECS);
    let explained = project.pu(["context", "explain", "--json", "--text", "-a", "terminal", AUTH_TASK]).output().json();
    let spawned = project.spawn("fix", "exec sleep 1000", &[AUTH_TASK]);
    let shown = project.pu(["context", "show", "--json", "fix"]).output().json();
    for key in ["tokens", "budget", "picks", "revision"] {
        assert_eq!(explained[key], spawned["context"][key], "{key}");
        assert_eq!(shown[key], spawned["context"][key], "{key}");
    }
    let file = project.worktree("fix").join(".pu/run").join(spawned["agent_id"].as_str().unwrap()).join("context.md");
    assert_eq!(explained["text"].as_str().unwrap(), e2e::read(file));
}

/// The same task on the same specs gives the same bytes: from another daemon, from an index built anew, in another folder.
#[test]
fn the_same_task_gets_the_same_bytes() {
    let text = |world: &World, folder: &std::path::Path| {
        let task = format!("{AUTH_TASK} and round the invoice's total");
        let report = world.pu(["context", "explain", "--json", "--text", &task]).cwd(folder).output().json();
        assert!(report["tokens"].as_u64().unwrap() > 0, "{report}");
        (report["text"].as_str().unwrap().to_owned(), report["candidates"].clone(), report["revision"].clone())
    };
    let world = World::new();
    let project = world.project(SPECS);
    let first = text(&world, project.root());
    assert_eq!(text(&world, project.root()), first);
    world.crash_daemon();
    assert_eq!(text(&world, project.root()), first, "another daemon");
    let elsewhere = World::new();
    let other = elsewhere.project(SPECS);
    assert_eq!(text(&elsewhere, other.root()), first, "another machine, as it were");
    assert!(!first.0.contains(project.root().to_str().unwrap()), "no absolute path");
}

#[test]
fn the_budget_is_kept_whatever_it_is() {
    let world = World::new();
    let project = world.project(SPECS);
    let long: String =
        (0..400).map(|i| format!("## Part {i}\n\nThe token refresh race, case {i}, in full length.\n\n")).collect();
    project.write("specs/long.md", &format!("# Long\n\n{long}"));
    for budget in ["1", "50", "200", "600", "3000", "100000"] {
        let report = wait_until("the new spec is in the index", || {
            let report = project.pu(["context", "explain", "--json", "--budget", budget, AUTH_TASK]).output().json();
            report["candidates"].to_string().contains("specs/long.md").then_some(report)
        });
        let tokens = report["tokens"].as_u64().unwrap();
        assert!(tokens <= budget.parse().unwrap(), "{budget}: {tokens}");
    }
}

/// A spec that was written, changed or removed a moment ago is so for the next spawn; nothing is restarted.
#[test]
fn the_next_spawn_knows_what_was_just_written() {
    let world = World::new();
    let project = world.project(SPECS);
    let top = |task: &str| {
        let report = project.pu(["context", "explain", "--json", "--text", task]).output().json();
        (report["picks"][0]["path"].clone(), report["text"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(top("quokka habitat").0, Value::Null);
    project.write("specs/quokka.md", "# Quokkas\n\nThe quokka habitat is Rottnest Island.\n");
    wait_until("the new spec is found", || (top("quokka habitat").0 == "specs/quokka.md").then_some(()));
    project.write("specs/quokka.md", "# Quokkas\n\nThe quokka habitat is Bald Island now.\n");
    wait_until("the changed text is given", || top("quokka habitat").1.contains("Bald Island").then_some(()));
    std::fs::remove_file(project.root().join("specs/quokka.md")).unwrap();
    wait_until("the removed spec is not", || (top("quokka habitat").0 == Value::Null).then_some(()));
}

/// A change that was made while no daemon ran is seen too.
#[test]
fn what_changed_without_a_daemon_is_known_to_the_next() {
    let world = World::new();
    let project = world.project(SPECS);
    project.pu(["context", "explain", "quokka"]).output().ok();
    world.pu(["daemon", "stop"]).output().ok();
    project.write("specs/quokka.md", "# Quokkas\n\nThe quokka habitat is Rottnest Island.\n");
    std::fs::remove_file(project.root().join("specs/auth.md")).unwrap();
    let report = project.pu(["context", "explain", "--json", "quokka habitat"]).output().json();
    assert_eq!(report["picks"][0]["path"], "specs/quokka.md", "{report:#}");
    let report = project.pu(["context", "explain", "--json", AUTH_TASK]).output().json();
    assert!(!report["candidates"].to_string().contains("specs/auth.md"), "{report:#}");
}

/// A file that leads out of the project is not read, and that is told.
#[test]
fn a_spec_that_is_a_link_out_of_the_project_is_not_read() {
    let world = World::new();
    let project = world.project(SPECS);
    let secret = world.root().join("secret.md");
    e2e::write(&secret, "# Quokka\n\nquokka habitat secret-of-another-project\n");
    std::os::unix::fs::symlink(&secret, project.root().join("specs/quokka.md")).unwrap();
    world.pu(["daemon", "restart"]).output().ok();
    let report = project.pu(["context", "explain", "--json", "--text", "quokka habitat"]).output().json();
    assert!(!report.to_string().contains("secret-of-another-project"), "{report:#}");
    assert!(report["warnings"].to_string().contains("specs/quokka.md"), "it is named: {report:#}");
}
