//! `pu plugin`: projects that are written, tools that are missing, and what the daemon is asked.

use crate::world::{Act, World, ran};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::Command;

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// A plugin's folder in the world, built or not.
fn plugin(world: &World, built: bool) {
    write(&world.path("ledger/manifest.json"), r#"{"name": "ledger", "version": "0.1.0", "contract": "0.1.0"}"#);
    if built {
        write(&world.path("ledger/dist/ledger.wasm"), "\0asm");
    }
}

fn info(digest: &str, pin: &str) -> Value {
    json!({ "name": "ledger", "origin": "project", "version": "0.1.0", "description": "", "digest": digest, "pin": pin,
            "enabled": true, "tally": {} })
}

fn changed(digest: &str) -> Value {
    json!({ "type": "plugin_changed", "plugin": info(digest, "matches"), "changed": ["/p/.pu/plugins.lock"] })
}

#[test]
fn a_new_plugin_is_a_project_that_says_what_to_do_next() {
    for (lang, mark) in [("rust", "Cargo.toml"), ("js", "package.json"), ("python", "plugin.py"), ("c", "plugin.c")] {
        let world = World::new();
        let made = world.pu(&["plugin", "new", "my-ledger", "--lang", lang]);
        assert_eq!((made.code, made.err.as_str()), (0, ""), "{lang}");
        assert!(made.out.contains("cd my-ledger") && made.out.contains("pu plugin build"), "{}", made.out);
        for file in [mark, "manifest.json", "golden.toml", "specs/ledger.md", "wit/context.wit", ".gitignore"] {
            assert!(world.path("my-ledger").join(file).is_file(), "{lang} has no {file}");
        }
        let again = world.pu(&["plugin", "new", "my-ledger", "--lang", lang]);
        assert_eq!(again.code, 4, "what is there stays: {again:?}");
        assert!(again.err.contains("my-ledger") && again.err.contains("--dir"), "{}", again.err);
    }
}

#[test]
fn a_new_plugin_goes_where_it_is_told_to_and_takes_the_sdk_that_is_named() {
    let world = World::new();
    write(&world.path("checkout/plugin-sdk/Cargo.toml"), "");
    std::fs::create_dir_all(world.path("here")).unwrap();
    let args = ["plugin", "new", "ledger", "--dir", "here", "--sdk", "checkout/plugin-sdk", "--json"];
    let made = world.pu(&args);
    assert_eq!(made.code, 0, "{made:?}");
    let answer: Value = serde_json::from_str(&made.out).unwrap();
    assert!(answer["files"].as_array().unwrap().contains(&json!("src/lib.rs")), "{answer}");
    let cargo = std::fs::read_to_string(world.path("here/Cargo.toml")).unwrap();
    let sdk = std::fs::canonicalize(world.path("checkout/plugin-sdk")).unwrap();
    assert!(cargo.contains(&format!("path = {sdk:?}")), "{cargo}");

    assert_eq!(world.pu(&["plugin", "new", "../up"]).code, 2, "a name is no path");
    assert_eq!(world.pu(&["plugin", "new", "x", "--lang", "js", "--sdk", "checkout/plugin-sdk"]).code, 2);
    assert_eq!(world.pu(&["plugin", "new", "x", "--sdk", "here/src"]).code, 4, "no SDK is there");
    assert!(!world.path("x").exists());
}

/// Nothing is asked of a daemon for a plugin that cannot be built.
#[test]
fn a_build_without_its_tools_says_what_to_install() {
    for (lang, install) in [
        ("rust", "rustup target add wasm32-unknown-unknown"),
        ("js", "Node.js"),
        ("python", "pip install -r requirements.txt"),
        ("c", "cargo install --locked wit-bindgen-cli"),
    ] {
        let world = World::new();
        assert_eq!(world.pu(&["plugin", "new", "ledger", "--lang", lang]).code, 0);
        let mut command = world.command(&["plugin", "build", "ledger"]);
        let built = ran(command.env("PATH", world.path("empty")).output().unwrap());
        assert_eq!(built.code, 3, "{lang}: {built:?}");
        assert!(built.err.contains("is missing") && built.err.contains(install), "{lang}: {}", built.err);
    }
}

#[test]
fn a_build_that_fails_is_a_failure_and_its_output_is_no_answer() {
    let world = World::new();
    assert_eq!(world.pu(&["plugin", "new", "ledger", "--lang", "python"]).code, 0);
    let tool = world.path("ledger/.venv/bin/componentize-py");
    std::fs::create_dir_all(tool.parent().unwrap()).unwrap();
    // By a child: what this process has open for writing, another test's child may hold when the script is to run.
    let script = |text: &str| {
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"";
        let written = Command::new("sh").args(["-c", write, "sh", text]).arg(&tool).status().unwrap();
        assert!(written.success());
    };
    script("echo no such import; exit 7");
    let failed = world.pu(&["plugin", "build", "ledger"]);
    assert_eq!((failed.code, failed.out.as_str()), (1, ""), "{failed:?}");
    assert!(failed.err.contains("no such import") && failed.err.contains("componentize-py failed"), "{}", failed.err);

    // A program gets nothing but the answer, so that has what the tool said.
    let failed = world.pu(&["plugin", "build", "ledger", "--json"]);
    let error: Value = serde_json::from_str(&failed.err).unwrap();
    assert_eq!((failed.code, failed.out.as_str(), &error["code"]), (1, "", &json!("build_failed")), "{failed:?}");
    assert!(error["message"].as_str().unwrap().ends_with("no such import"), "{error}");

    // The last argument is where the component goes.
    script("echo built; for out; do :; done; printf component > \"$out\"");
    let daemon = world.daemon(|request| {
        assert_eq!(std::fs::read_to_string(request["core"].as_str().unwrap()).unwrap(), "component");
        Act::Say(json!({ "type": "plugin_inspection", "name": "ledger", "version": "0.1.0", "size": 12_100_663,
                         "imports": ["purepoint:context/specs@0.1.0"], "exports": ["assemble"] }))
    });
    let built = world.pu(&["plugin", "build", "ledger"]);
    assert_eq!(built.code, 0, "{built:?}");
    assert!(built.out.contains("11.5 MiB") && built.out.contains("purepoint:context/specs@0.1.0"), "{}", built.out);
    assert!(!built.out.contains("built\n") || built.err.contains("built"), "what tools say goes to standard error");
    let request = &daemon.requests()[0];
    assert_eq!(request["type"], "plugin_encode");
    assert!(request["out"].as_str().unwrap().ends_with("/ledger/dist/ledger.wasm"), "{request}");
    assert!(world.path("ledger/dist").is_dir());
}

#[test]
fn golden_tasks_are_run_in_the_daemon_and_judged_here() {
    let world = World::new();
    plugin(&world, true);
    write(&world.path("ledger/specs/ledger.md"), "# Ledger\n");
    let golden = "specs = \"specs\"\n\n[[task]]\nname = \"billing\"\nprompt = \"Fix billing\" # why\n\
                  must_pick = [\"LEDGER\"]\n";
    write(&world.path("ledger/golden.toml"), golden);
    let daemon = world.daemon(|_| {
        let pick = json!({ "spec": "TAX", "path": "tax.md", "score": 0.9 });
        let run = json!({ "report": { "name": "ledger", "elapsed_us": 500 }, "labels": [], "picks": [pick] });
        Act::Say(json!({ "type": "plugin_run_report", "plugin": "ledger", "runs": [run] }))
    });
    let failed = world.pu(&["plugin", "test", "ledger"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(
        failed.out.contains("billing: does not pick LEDGER") && failed.out.contains("0 of 1 task"),
        "{}",
        failed.out
    );
    let request = &daemon.requests()[0];
    let root = std::fs::canonicalize(world.path("ledger")).unwrap();
    assert_eq!(request["plugin"], json!(root.join("dist/ledger.wasm")));
    assert_eq!(request["specs"], json!(root.join("specs")));
    assert_eq!(request["tasks"][0]["prompt"], "Fix billing");

    let told = world.pu(&["plugin", "test", "ledger", "--json"]);
    let report: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((told.code, &report["failed"], &report["recall"]), (1, &json!(1), &json!(0.0)));

    let renewed = world.pu(&["plugin", "test", "ledger", "--update"]);
    assert_eq!(renewed.code, 0, "{renewed:?}");
    let text = std::fs::read_to_string(world.path("ledger/golden.toml")).unwrap();
    assert_eq!(text, golden.replace("LEDGER", "TAX"), "comments stay");
}

/// A plugin that says much leaves no room for all tasks in one answer: the rest is asked for again.
#[test]
fn golden_tasks_whose_answers_do_not_fit_are_asked_for_again() {
    let world = World::new();
    plugin(&world, true);
    let golden: String = (0..5).map(|i| format!("[[task]]\nprompt = \"task {i}\"\nmust_pick = [\"S{i}\"]\n")).collect();
    write(&world.path("ledger/golden.toml"), &golden);
    let daemon = world.daemon(|request| {
        let fit = request["tasks"].as_array().unwrap().iter().take(2);
        let run = |task: &Value| {
            let spec = task["prompt"].as_str().unwrap().replace("task ", "S");
            json!({ "report": { "name": "ledger" }, "labels": [], "picks": [{ "spec": spec, "path": "x", "score": 0.9 }] })
        };
        Act::Say(json!({ "type": "plugin_run_report", "plugin": "ledger", "runs": fit.map(run).collect::<Vec<_>>() }))
    });
    let ran = world.pu(&["plugin", "test", "ledger"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("5 of 5 tasks pass"), "{}", ran.out);
    let asked: Vec<usize> = daemon.requests().iter().map(|r| r["tasks"].as_array().unwrap().len()).collect();
    assert_eq!(asked, [5, 3, 1]);
}

/// Who waits for a compiler is told so, and a program is not.
#[test]
fn what_takes_long_says_so() {
    let slow = |world: &World| {
        world.daemon(|_| {
            let done = std::time::Instant::now() + std::time::Duration::from_millis(2500);
            crate::world::until("the component is compiled", || std::time::Instant::now() > done);
            Act::Say(changed("abcd"))
        })
    };
    let world = World::new();
    plugin(&world, true);
    let _daemon = slow(&world);
    let added = world.pu(&["plugin", "add", "ledger"]);
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.err.starts_with("compiling ledger (4 bytes)… ") && added.err.ends_with(" s\n"), "{added:?}");
    assert!(added.out.starts_with("added ledger"), "{}", added.out);
    let enabled = world.pu(&["plugin", "enable", "ledger"]);
    assert!(enabled.code == 0 && enabled.err.starts_with("compiling ledger… "), "{enabled:?}");
    let quiet = world.pu(&["plugin", "add", "ledger", "--json"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""), "{quiet:?}");
}

#[test]
fn what_is_not_built_and_what_is_no_test_is_told() {
    let world = World::new();
    plugin(&world, false);
    let unbuilt = world.pu(&["plugin", "test", "ledger"]);
    assert!(unbuilt.code == 3 && unbuilt.err.contains("pu plugin build"), "{unbuilt:?}");
    plugin(&world, true);
    write(&world.path("ledger/golden.toml"), "[[task]]\nprompt = \"x\"\nmust_pik = []\n");
    let wrong = world.pu(&["plugin", "test", "ledger"]);
    assert!(
        wrong.code == 1 && wrong.err.contains("golden.toml: line 3") && wrong.err.contains("must_pik"),
        "{wrong:?}"
    );
}

#[test]
fn verify_refuses_what_is_not_what_was_pinned() {
    for (pin, code) in [("matches", 0), ("none", 0), ("differs", 4), ("missing", 4)] {
        let world = World::new();
        let report = json!({ "type": "plugin_list_report", "plugins": [info("abcd", pin)] });
        let daemon = world.daemon(move |_| Act::Say(report.clone()));
        let ran = world.pu(&["plugin", "verify"]);
        assert_eq!(ran.code, code, "{pin}: {ran:?}");
        assert!(ran.out.contains("ledger"), "{}", ran.out);
        assert_eq!(daemon.requests()[0]["type"], "plugin_list");
    }
}

#[test]
fn verify_refuses_a_lock_that_cannot_be_read() {
    let world = World::new();
    let mut ledger = info("abcd", "none");
    ledger["error"] = json!({ "code": "lock_damaged", "message": "plugins.lock, line 3: no" });
    let report = json!({ "type": "plugin_list_report", "plugins": [ledger] });
    let _daemon = world.daemon(move |_| Act::Say(report.clone()));
    let ran = world.pu(&["plugin", "verify"]);
    assert!(ran.code == 4 && ran.out.contains("plugins.lock, line 3"), "{ran:?}");
}

#[test]
fn a_component_is_added_by_what_was_built_in_its_folder() {
    let world = World::new();
    plugin(&world, true);
    let daemon = world.daemon(|_| Act::Say(changed("abcd")));
    let added = world.pu(&["plugin", "add", "ledger", "--name", "books"]);
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.out.contains("added ledger 0.1.0") && added.out.contains("plugins.lock"), "{}", added.out);
    let request = &daemon.requests()[0];
    assert!(request["component"].as_str().unwrap().ends_with("/ledger/dist/ledger.wasm"), "{request}");
    assert_eq!((&request["name"], &request["source"]), (&json!("books"), &json!("ledger")));
    for (args, kind) in [(["enable", "ledger"], true), (["disable", "ledger"], false)] {
        assert_eq!(world.pu(&["plugin", args[0], args[1]]).code, 0);
        assert_eq!(daemon.requests().pop().unwrap()["enabled"], json!(kind));
    }
}

#[test]
fn what_is_granted_is_in_the_request_and_only_words_that_can_be() {
    let world = World::new();
    plugin(&world, true);
    let daemon = world.daemon(|_| Act::Say(changed("abcd")));
    for args in [
        &["plugin", "add", "ledger", "--grant", "state", "--grant", "history"][..],
        &["plugin", "enable", "ledger", "--grant", "state,history"],
    ] {
        let ran = world.pu(args);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(daemon.requests().pop().unwrap()["grants"], json!(["state", "history"]));
    }
    let before = daemon.requests().len();
    let ran = world.pu(&["plugin", "enable", "ledger", "--grant", "network"]);
    assert!(ran.code == 2 && ran.err.contains("network") && ran.err.contains("history"), "{ran:?}");
    assert_eq!(daemon.requests().len(), before);
}

/// An OCI layout whose one layer is called by 64 times `c`.
fn layout(world: &World) -> String {
    let (manifest, wasm) = ("a".repeat(64), "c".repeat(64));
    write(&world.path("image/oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#);
    let image = json!({ "manifests": [{ "digest": format!("sha256:{manifest}") }] });
    write(&world.path("image/index.json"), &image.to_string());
    let layers = json!({ "layers": [{ "mediaType": "application/wasm", "digest": format!("sha256:{wasm}") }] });
    write(&world.path(&format!("image/blobs/sha256/{manifest}")), &layers.to_string());
    write(&world.path(&format!("image/blobs/sha256/{wasm}")), "\0asm");
    wasm
}

#[test]
fn of_an_image_only_what_its_digest_promises_is_added() {
    let add = |digest_now: &'static str, digest_added: &'static str| {
        let world = World::new();
        layout(&world);
        let daemon = world.daemon(move |request| {
            Act::Say(match request["type"].as_str() {
                Some("plugin_inspect") => {
                    json!({ "type": "plugin_inspection", "name": "ledger", "digest": digest_now.repeat(64) })
                }
                _ => changed(&digest_added.repeat(64)),
            })
        });
        let ran = world.pu(&["plugin", "add", "image"]);
        let kinds: Vec<String> = daemon.requests().iter().map(|r| r["type"].as_str().unwrap().to_owned()).collect();
        (ran, kinds)
    };
    let (good, kinds) = add("c", "c");
    assert_eq!((good.code, kinds), (0, vec!["plugin_inspect".to_owned(), "plugin_add".to_owned()]));
    let (damaged, kinds) = add("d", "d");
    assert!(damaged.code == 4 && damaged.err.contains("is damaged"), "{damaged:?}");
    assert_eq!(kinds, ["plugin_inspect"], "nothing was added");
    let (replaced, kinds) = add("c", "d");
    assert_eq!(replaced.code, 4, "{replaced:?}");
    assert_eq!(kinds, ["plugin_inspect", "plugin_add", "plugin_remove"], "what was added meanwhile goes again");
}
