//! Discovery: what appears, moves and vanishes below the configured roots is told, and none of it is trusted by that.

use e2e::{AUTH_TASK, Client, SPECS, World, kill, read, wait_until, write};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{create_dir_all, metadata, remove_dir_all, rename};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A folder below which projects are looked for, in a world whose user has configured that, and more.
fn code(world: &World, more: &str) -> PathBuf {
    let code = world.root().join("code");
    create_dir_all(&code).unwrap();
    look_below(world, &[&code], more);
    code
}

fn look_below(world: &World, roots: &[&Path], more: &str) {
    let config = read(world.home().config());
    write(world.home().config(), format!("{config}\n[discovery]\nroots = {roots:?}\n{more}"));
}

/// Events from here on. A daemon runs from then on, and may still be looking for the first time.
fn events(world: &World) -> Client {
    world.daemon();
    let mut client = world.client();
    assert_eq!(client.ask(&json!({"type": "subscribe"}))["type"], "subscribed");
    client
}

/// Waits for an event of this kind about the project at `root`.
#[track_caller]
fn told(events: &mut Client, kind: &str, root: &Path) -> Value {
    let is_it = |line: &Value| line["event"]["kind"] == kind && line["event"]["root"] == root.to_str().unwrap();
    events.until(&format!("{kind} of {}", root.display()), is_it)["event"].clone()
}

#[test]
fn what_appears_moves_and_vanishes_below_a_root_is_told() {
    let world = World::new();
    let code = code(&world, "");
    let mut events = events(&world);

    let shop = code.join("deep/er/shop");
    create_dir_all(shop.join(".pu")).unwrap();
    assert_eq!(told(&mut events, "project_added", &shop)["trusted"], false);

    let (mine, moved) = (code.join("mine"), code.join("deep/moved"));
    create_dir_all(&mine).unwrap();
    world.pu(["init"]).cwd(&mine).output().ok();
    while told(&mut events, "project_added", &mine)["trusted"] != true {}
    rename(&mine, &moved).unwrap();
    assert_eq!(told(&mut events, "project_moved", &moved)["from"], mine.to_str().unwrap());

    remove_dir_all(shop.join(".pu")).unwrap();
    assert_eq!(told(&mut events, "project_changed", &shop)["state"], "missing");
    create_dir_all(shop.join(".pu")).unwrap();
    assert_eq!(told(&mut events, "project_changed", &shop)["state"], "known");
    remove_dir_all(code.join("deep/er")).unwrap();
    assert_eq!(told(&mut events, "project_changed", &shop)["state"], "missing");
    assert_eq!(world.health()["projects"], 2);
}

/// A worktree belongs to its project. A clone is a project of its own, in which nothing acts before its user says so.
#[test]
fn a_worktree_is_no_project_and_a_clone_is_known_only() {
    let world = World::new();
    let code = code(&world, "");
    let origin = world.project(SPECS);
    let mut events = events(&world);
    origin.git(["worktree", "add", "-q", "../code/tree"]);
    origin.git(["clone", "-q", ".", "../code/clone"]);
    let clone = code.join("clone");
    let added = events.until("a project", |line| line["event"]["kind"] == "project_added");
    assert_eq!((&added["event"]["root"], &added["event"]["trusted"]), (&json!(clone), &json!(false)));
    assert_eq!(world.health()["projects"], 2, "the origin and the clone");
    let args = ["spawn", "--json", "--root", "--command", "true", AUTH_TASK];
    world.pu(args).cwd(&clone).output().fails(4, "project_untrusted");
}

/// What is there when the daemon starts is found too, but not where nobody's projects lie, and no link is followed.
#[test]
fn what_is_left_out_is_not_looked_into() {
    let world = World::new();
    let code = code(&world, "ignore = [\"scratch\"]\ndepth = 3\n");
    for path in ["seen", "web/node_modules/m", "scratch/s", ".hidden/h", "a/b/c", "a/b/c/d", "repo/nested"] {
        create_dir_all(code.join(path).join(".pu")).unwrap();
    }
    create_dir_all(code.join("repo/.git")).unwrap();
    create_dir_all(world.root().join("outside/.pu")).unwrap();
    symlink(world.root().join("outside"), code.join("link")).unwrap();
    symlink(&code, code.join("loop")).unwrap();

    let report = world.pu(["project", "scan", "--json"]).output().json();
    assert_eq!((&report["projects"], &report["complete"]), (&json!(3), &json!(true)), "{report:#}");
    assert_eq!(report["roots"], json!([code]));
    assert_eq!(world.health()["projects"], 3);

    let mut events = events(&world);
    create_dir_all(code.join("scratch/new/.pu")).unwrap();
    create_dir_all(code.join("new/.pu")).unwrap();
    let added = events.until("a project", |line| line["event"]["kind"] == "project_added");
    assert_eq!(added["event"]["root"], json!(code.join("new")));

    // It is counted after it was told.
    let finding = wait_until("the doctor counts it", || {
        let report = world.pu(["doctor", "--json"]).output();
        let report: Value = serde_json::from_slice(report.bytes()).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["check"] == "discovery").unwrap();
        finding["detail"].as_str().unwrap().contains("code: 4; folders watched: ").then(|| finding.clone())
    });
    assert_eq!(finding["state"], "ok", "{finding:#}");
}

#[test]
fn a_root_that_is_removed_is_looked_at_again_when_it_is_back() {
    let world = World::new();
    let code = code(&world, "");
    let shop = code.join("shop");
    let mut events = events(&world);
    create_dir_all(shop.join(".pu")).unwrap();
    told(&mut events, "project_added", &shop);
    remove_dir_all(&code).unwrap();
    assert_eq!(told(&mut events, "project_changed", &shop)["state"], "missing");
    create_dir_all(shop.join(".pu")).unwrap();
    assert_eq!(told(&mut events, "project_changed", &shop)["state"], "known");
}

/// Without a restart and without a request.
#[test]
fn another_configuration_counts_at_once() {
    let world = World::new();
    let mut events = events(&world);
    let shop = world.root().join("code/shop");
    create_dir_all(shop.join(".pu")).unwrap();
    code(&world, "");
    told(&mut events, "project_added", &shop);
}

#[test]
fn other_folders_are_looked_into_on_request() {
    let world = World::new();
    let elsewhere = world.root().join("elsewhere");
    create_dir_all(elsewhere.join("shop/.pu")).unwrap();
    let scan = || world.pu(["project", "scan", "elsewhere", "--json"]).output().json();
    let report = scan();
    let (roots, found) = (&report["roots"], (&report["projects"], &report["new"], &report["watched"]));
    assert_eq!((roots, found), (&json!([elsewhere]), (&json!(1), &json!(1), &json!(0))), "{report:#}");
    assert_eq!(scan()["new"], 0, "it is known already");
    let told = world.pu(["project", "scan", "elsewhere"]).output().ok().stdout();
    assert!(told.starts_with("1 project found in 2 folders, 0 new"), "{told}");
    assert_ne!(world.pu(["project", "scan", "nowhere"]).output().code(), Some(0));
}

/// What closes an outer folder, a repository around it say, does not close a root: its user has named it.
#[test]
fn a_root_inside_of_a_folder_that_becomes_a_repository_is_watched_all_the_same() {
    let world = World::new();
    let (outer, inner) = (world.root().join("code"), world.root().join("code/mono/teams"));
    let later = inner.join("later/root");
    create_dir_all(&inner).unwrap();
    look_below(&world, &[&outer, &inner, &later], "");
    let mut events = events(&world);
    world.pu(["project", "scan"]).output().ok();
    create_dir_all(outer.join("mono/.git")).unwrap();
    // Heard after that: the repository is closed by then.
    create_dir_all(outer.join("shop/.pu")).unwrap();
    told(&mut events, "project_added", &outer.join("shop"));
    create_dir_all(inner.join("tool/.pu")).unwrap();
    told(&mut events, "project_added", &inner.join("tool"));
    create_dir_all(later.join("lab/.pu")).unwrap();
    told(&mut events, "project_added", &later.join("lab"));
}

/// A write of the registry for each would take longer with each.
#[test]
fn many_that_come_at_once_are_written_down_together() {
    const MANY: usize = 200;
    let world = World::new();
    let code = code(&world, "");
    let folders: Vec<PathBuf> = (0..MANY).map(|number| code.join(format!("p{number}"))).collect();
    folders.iter().for_each(|folder| create_dir_all(folder).unwrap());
    world.pu(["project", "scan"]).output().ok();
    let daemon = world.daemon();
    kill(daemon, Signal::SIGSTOP);
    folders.iter().for_each(|folder| create_dir_all(folder.join(".pu")).unwrap());
    kill(daemon, Signal::SIGCONT);
    let mut versions = BTreeSet::new();
    wait_until("all are known", || {
        let (metadata, text) = (metadata(world.home().projects()).ok()?, read(world.home().projects()));
        versions.insert(metadata.modified().unwrap());
        (text.matches("\"root\"").count() == MANY).then_some(())
    });
    assert!(versions.len() < MANY / 8, "{} writes were seen", versions.len());
}

/// As with homes that lie on another disk, and with those who keep what they configure in a repository.
#[test]
fn a_home_and_a_configuration_that_are_links_are_as_good_as_others() {
    let world = World::new();
    let (user, kept) = (world.root().join("disk/u"), world.root().join("kept.toml"));
    create_dir_all(&user).unwrap();
    look_below(&world, &[&world.root().join("disk")], "poll_seconds = 1\n");
    rename(world.home().root(), user.join(".pu")).unwrap();
    symlink(user.join(".pu"), world.home().root()).unwrap();
    rename(world.home().config(), &kept).unwrap();
    symlink(&kept, world.home().config()).unwrap();

    let mut events = events(&world);
    world.pu(["project", "scan"]).output().ok();
    let (shop, lab) = (user.join("work/shop"), world.root().join("other/lab"));
    create_dir_all(shop.join(".pu")).unwrap();
    told(&mut events, "project_added", &shop);
    create_dir_all(lab.join(".pu")).unwrap();
    write(&kept, read(&kept).replace("/disk\"", "/other\""));
    told(&mut events, "project_added", &lab);
}
