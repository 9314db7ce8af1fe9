//! One project cannot hurt another: neither by hanging, nor by what its files say.
//!
//! A file system that hangs is acted out by a git that does: whoever waits for it waits on a thread of the daemon's.

use e2e::{AUTH_TASK, Hostile, Project, Repo, SPECS, World, wait_until, write};
use serde_json::Value;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Within this a request is done, on a loaded machine too, if nothing holds it up.
const SOON: Duration = Duration::from_secs(8);
/// As many requests of a project as have threads at a time.
const PLACES: usize = 4;

/// A git that hangs in one folder, for as long as that is wanted.
struct Hanging {
    /// While it is there, git hangs.
    mark: PathBuf,
    /// A line for each git that does.
    here: PathBuf,
    path: OsString,
}

impl Hanging {
    fn in_folder(world: &World, folder: &Path) -> Self {
        let (bin, mark, here) = (world.root().join("bin"), world.root().join("hang"), world.root().join("hanging"));
        let path = world.environment().into_iter().find(|(name, _)| *name == "PATH").unwrap().1;
        let git = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.is_file()).unwrap();
        let script = format!(
            "#!/bin/sh\ncase \"$(pwd)/\" in\n{}/*)\n  [ -e {mark} ] && echo here >> {}\n  while [ -e {mark} ]; do sleep \
             0.02; done ;;\nesac\nexec {} \"$@\"\n",
            folder.display(),
            here.display(),
            git.display(),
            mark = mark.display(),
        );
        write(bin.join("git"), script);
        std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let folders = std::iter::once(bin).chain(std::env::split_paths(&path));
        Self { mark, here, path: std::env::join_paths(folders).unwrap() }
    }

    fn begin(&self) {
        write(&self.mark, "");
    }

    fn end(&self) {
        std::fs::remove_file(&self.mark).unwrap();
    }

    fn count(&self) -> usize {
        std::fs::read_to_string(&self.here).unwrap_or_default().lines().count()
    }
}

/// A second project of the world, as its user would have made it.
fn other_project(world: &World) -> Repo {
    let other = world.repo("other", SPECS);
    world.pu(["init"]).cwd(other.root()).output().ok();
    other.commit("a project");
    other
}

/// The doctor's findings of one check, as somebody is told who stands in this folder.
fn findings(world: &World, folder: &Path, check: &str) -> Vec<Value> {
    let output = world.pu(["doctor", "--json"]).cwd(folder).output();
    let report: Value = serde_json::from_slice(output.bytes()).unwrap_or_else(|e| panic!("{e}: {output}"));
    let all = report["findings"].as_array().unwrap().iter();
    all.filter(|finding| finding["check"] == check).cloned().collect()
}

/// All that one project may take up hangs. The others go on, its own further requests are refused, and once it answers again
/// all that was begun is done.
#[test]
fn a_project_that_hangs_holds_up_no_other() {
    let world = World::new();
    let stuck = Hanging::in_folder(&world, &world.root().join("project"));
    // A wait for a place is in vain at once: by the clock it would be after ten seconds.
    world.pu(["health"]).env("PATH", &stuck.path).env("PU_FAULT", "project.wait=EIO").output().ok();
    let (project, other) = (world.project(SPECS), other_project(&world));
    let spawn_in = |project: &Project<'_>, name: &str| {
        let args =
            ["spawn", "--json", "--no-context", "--agent", "terminal", "--command", "exec sleep 1000", "--name", name];
        project.pu(args).env("PATH", &stuck.path)
    };
    spawn_in(&project, "before").output().ok();

    stuck.begin();
    let names: Vec<String> = (0..PLACES).map(|n| format!("a{n}")).collect();
    let hanging: Vec<_> = names.iter().map(|name| spawn_in(&project, name).start()).collect();
    wait_until("all of them hang", || (stuck.count() >= PLACES).then_some(()));

    for args in [
        &["status", "--json"][..],
        &["context", "explain", "--json", AUTH_TASK],
        &["spec", "list", "--json"],
        &["spawn", "--json", "--root", "--agent", "terminal", "--command", "true", AUTH_TASK],
        &["spawn", "--json", "--agent", "terminal", "--command", "true", AUTH_TASK],
        &["history", "--json"],
    ] {
        let begun = Instant::now();
        world.pu(args).cwd(other.root()).env("PATH", &stuck.path).output().ok();
        assert!(begun.elapsed() < SOON, "{args:?} took {:?}", begun.elapsed());
    }
    for args in [&["spec", "list", "--json"][..], &["context", "explain", "--json", AUTH_TASK]] {
        let error = project.pu(args).output().fails(5, "busy");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("/project does not answer: ") && error["hint"].is_string(), "{error}");
    }
    assert_eq!(stuck.count(), PLACES, "no more than these are at work");
    // Its agents are found without a look at its files, and end.
    assert_eq!(project.agents().len(), 1);
    project.pu(["kill", "before"]).output().ok();

    stuck.end();
    for one in hanging {
        one.finish().ok();
    }
    for name in &names {
        project.running(name);
    }
    project.pu(["spec", "list", "--json"]).output().ok();
}

/// What is wrong in one project is told of in another, and counts in none.
#[test]
fn what_is_wrong_in_one_project_is_told_in_another_and_counts_there_for_nothing() {
    let world = World::new();
    let (project, other) = (world.project(SPECS), other_project(&world));
    let told = || {
        let told = findings(&world, other.root(), "projects");
        assert!(!told.is_empty());
        told
    };
    assert!(told().iter().all(|finding| finding["state"] == "ok" || finding["detail"].to_string().contains("watch")));

    let built = world.root().join("built/rules.wasm");
    write(&built, Hostile::Traps.component("rules"));
    project.pu(["plugin", "add", built.to_str().unwrap()]).output().ok();
    project.plugins_are_ready();
    for _ in 0..5 {
        project.pu(["context", "explain", "--json", AUTH_TASK]).output().ok();
    }
    let is_told = |part: &str| {
        let root = project.root().to_str().unwrap();
        let found = told().into_iter().find(|finding| finding["detail"].as_str().is_some_and(|d| d.starts_with(root)));
        let finding = found.unwrap_or_else(|| panic!("nothing of {root} in {:#?}", told()));
        assert_eq!(finding["state"], "warning", "{finding:#}");
        assert!(finding["detail"].as_str().unwrap().contains(part), "{part} is not in {finding:#}");
    };
    is_told("the plugin rules is set aside");

    project.write(".pu/config.toml", "\n[terminal]\nrowz = 3\n");
    // Whether this is refused or goes by the last good configuration: that it does not read is known from here on.
    let _ = project.pu(["spec", "list", "--json"]).output();
    is_told("rowz");

    let begun = Instant::now();
    let report = world.pu(["context", "explain", "--json", AUTH_TASK]).cwd(other.root()).output().json();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(report["picks"][0]["path"], "specs/auth.md", "{report:#}");
}
