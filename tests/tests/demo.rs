//! `pu demo`: the product shown on a throw-away project.

use e2e::{World, wait_until};
use std::time::Duration;

#[test]
fn it_succeeds_and_leaves_nothing() {
    let world = World::cold();
    let temporary = world.root().join("t");
    std::fs::create_dir(&temporary).unwrap();
    let output = world.pu(["demo"]).env("TMPDIR", &temporary).within(Duration::from_secs(120)).output();
    output.ok();
    assert!(output.stdout().contains(temporary.to_str().unwrap()), "its files were there: {output}");
    assert!(output.stdout().contains("specs/"), "it shows what was picked: {output}");
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "its files are left");
    wait_until("none of its processes is left", || {
        (world.daemons().is_empty() && world.processes().is_empty()).then_some(())
    });
    let mine: Vec<_> = std::fs::read_dir(world.home().root()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(mine, ["config.toml"], "the user's own home is not touched");
}
