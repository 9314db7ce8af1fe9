//! `pu demo`: the product shown on a throw-away project.

use e2e::World;

#[test]
fn it_succeeds_and_leaves_nothing() {
    let world = World::new();
    let temporary = world.root().join("t");
    std::fs::create_dir(&temporary).unwrap();
    let output = world.pu(["demo"]).env("TMPDIR", &temporary).output();
    output.ok();
    assert!(output.stdout().contains("specs/"), "it shows what was picked: {output}");
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "its files are left");
    assert!(world.daemons().is_empty() && world.processes().is_empty(), "its processes are left");
    let mine: Vec<_> = std::fs::read_dir(world.home().root()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(mine, ["config.toml"], "the user's own home is not touched");
}
