//! `pu send`: typing into an agent's terminal from elsewhere.

use e2e::World;

#[test]
fn text_is_typed_and_entered() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("reader", "stty -echo; echo ready; read a; read b; echo \"got [$a] [$b]\"", &["--root"]);
    project.wrote("reader", "ready");
    project.pu(["send", "reader", "hello – 会话"]).output().ok();
    project.pu(["send", "reader", "--no-enter", "not "]).output().ok();
    project.pu(["send", "reader", "--no-enter", "yet"]).output().ok();
    assert_eq!(project.agent("reader")["state"], "running", "without Enter nothing is entered");
    project.pu(["send", "reader", ""]).output().ok();
    project.ended("reader");
    assert!(String::from_utf8(project.output("reader").0).unwrap().contains("got [hello – 会话] [not yet]"));
    project.pu(["send", "--json", "reader", "more"]).output().fails(4, "agent_ended");
}

/// A program in raw mode gets the bytes that a terminal sends for each key, in order.
#[test]
fn keys_arrive_as_their_bytes() {
    let world = World::new();
    let project = world.project(&[]);
    let command = "stty raw -echo; printf 'ready\\r\\n'; head -c 7 | od -An -tx1";
    project.spawn("raw", command, &["--root"]);
    project.wrote("raw", "ready");
    project.pu(["send", "raw", "hi"]).output().ok();
    project.pu(["send", "raw", "--keys", "C-c", "--keys", "Up"]).output().ok();
    project.wrote("raw", "68 69 0d 03 1b 5b 41");
}

#[test]
fn keys_do_what_they_do_in_a_terminal() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("a", "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.05; done", &["--root"]);
    project.wrote("a", "ready");
    project.pu(["send", "a", "--keys", "C-c"]).output().ok();
    assert_eq!(project.ended("a")["code"], 5);
    assert_eq!(project.pu(["send", "a", "--keys", "Bogus"]).output().code(), Some(2));
    assert_eq!(project.pu(["send", "a"]).output().code(), Some(2));
}

/// More than a terminal takes in one line's time, and none of it lost.
#[test]
fn a_long_text_arrives_whole() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("sink", "stty raw -echo; printf 'ready\\r\\n'; head -c 300000 | cksum", &["--root"]);
    project.wrote("sink", "ready");
    // As an argument it may have 128 KiB at most: three times as much, in three sends.
    let piece: String = (0..100_000_u32).map(|i| char::from(b'a' + u8::try_from(i % 23).unwrap())).collect();
    for _ in 0..3 {
        project.pu(["send", "sink", "--no-enter", &piece]).output().ok();
    }
    project.ended("sink");
    let wanted = world.program("cksum").stdin(piece.repeat(3)).output().ok().stdout();
    let shown = String::from_utf8(project.output("sink").0).unwrap();
    assert!(shown.contains(wanted.trim()), "{shown:?} has not {wanted:?}");
}
