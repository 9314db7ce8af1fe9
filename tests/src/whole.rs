//! Whether agents are whole: each has everything that an agent has, and nothing is there that belongs to none.

use crate::project::Project;
use crate::wait::{LIMIT, pause};
use crate::world::World;
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Waits until live agents, shims, agent folders, manifest rows, worktrees and branches are the same set. A shim that was
/// on its way when its daemon died is waited for by the next one; then the spawn is completed or undone. All agents must
/// have worktrees of their own.
#[track_caller]
pub fn becomes_whole(world: &World, project: &Project<'_>) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let found = sets(world, project);
        if found.iter().all(|(_, names)| *names == found[0].1) {
            return;
        }
        assert!(Instant::now() < deadline, "traces that belong to no agent: {found:#?}");
        pause(Duration::from_millis(50));
    }
}

/// What there is of each kind of trace, by the name of its agent.
fn sets(world: &World, project: &Project<'_>) -> Vec<(&'static str, Vec<String>)> {
    let agents = project.agents();
    let name_of = |id: &str| {
        let known = agents.iter().find(|agent| agent["agent_id"] == id);
        known.map_or_else(|| format!("agent folder {id}"), |agent| agent["name"].as_str().unwrap().to_owned())
    };
    let rows = project.manifest()["agents"].as_array().cloned().unwrap_or_default();
    let named = |list: &[Value]| list.iter().map(|agent| agent["name"].as_str().unwrap().to_owned()).collect();
    let live: Vec<Value> = agents.iter().filter(|agent| agent["state"] == "running").cloned().collect();
    let folders = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let listed = project.git(["worktree", "list", "--porcelain"]);
    let worktrees = listed.lines().filter_map(|line| line.strip_prefix("worktree ")?.split_once("/worktrees/"));
    let shims = world.processes().into_iter().filter(|(_, line)| line.contains("pu-shim"));
    let mut all = vec![
        ("running agents", named(&live)),
        ("listed agents", named(&agents)),
        ("rows of the manifest", named(&rows)),
        ("branches", project.branches().iter().filter_map(|b| b.strip_prefix("pu/").map(str::to_owned)).collect()),
        ("worktrees that git knows", worktrees.map(|(_, name)| name.to_owned()).collect()),
        ("folders of worktrees", folders(project.root().join(".pu/worktrees"))),
        ("folders of agents", folders(world.home().agents()).iter().map(|id| name_of(id)).collect()),
        ("shims", shims.map(|(_, line)| name_of(line.trim().rsplit('/').next().unwrap())).collect()),
    ];
    all.iter_mut().for_each(|(_, names): &mut (_, Vec<String>)| names.sort());
    all
}
