//! `pu logs`: what an agent has written, by offsets, and never silent about what is gone.

use e2e::{World, write};
use serde_json::{Value, json};

#[test]
fn output_stays_after_the_end() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("a", "printf 'one\\ntwo\\n\\033[31mred\\033[0m\\n'", &["--root"]);
    project.ended("a");
    assert_eq!(project.pu(["logs", "a"]).output().ok().stdout(), "one\ntwo\nred\n");
    assert_eq!(project.pu(["logs", "--raw", "a"]).output().ok().bytes(), b"one\r\ntwo\r\n\x1b[31mred\x1b[0m\r\n");
}

#[test]
fn a_tail_and_an_offset_choose_a_part() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("a", "printf 0123456789", &["--root"]);
    project.ended("a");
    for (args, wanted) in [
        (&["--tail", "3"][..], "789"),
        (&["--tail", "999"], "0123456789"),
        (&["--since", "6"], "6789"),
        (&["--since", "10"], ""),
        (&["--since", "999"], ""),
    ] {
        let output = project.pu(["logs", "--raw", "a"].iter().chain(args)).output();
        assert_eq!(output.ok().stdout(), wanted, "{args:?}");
    }
}

/// Asked again from where the last answer ended, nothing is missed and nothing comes twice.
#[test]
fn offsets_lead_through_the_whole_output() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("a", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done", &["--root"]);
    project.ended("a");
    let wanted: String = (0..20_000).map(|i| format!("line {i}\r\n")).collect();
    let mut client = world.client();
    let (mut offset, mut end) = (0, u64::MAX);
    let mut pieces = 0;
    while offset < end {
        let answer = client
            .ask(&json!({"type": "logs", "agent": "a", "cwd": project.root(), "since": offset, "max_bytes": 40_000}));
        assert_eq!((&answer["offset"], &answer["live"]), (&offset.into(), &false.into()), "{answer}");
        offset = answer["next_offset"].as_u64().unwrap();
        end = answer["end"].as_u64().unwrap();
        pieces += 1;
    }
    assert_eq!((end, pieces), (wanted.len() as u64, wanted.len().div_ceil(40_000)));
    assert!(project.output("a").0 == wanted.as_bytes(), "the bytes are those");
}

#[test]
fn following_goes_on_to_the_end_whatever_becomes_of_the_daemon() {
    let world = World::new();
    let project = world.project(&[]);
    let go = world.root().join("go");
    let command = format!("echo first; until [ -e {} ]; do sleep 0.02; done; echo last", go.display());
    project.spawn("a", &command, &["--root"]);
    project.wrote("a", "first");
    let following = project.pu(["logs", "-f", "a"]).start();
    world.crash_daemon();
    write(go, "");
    let output = following.finish();
    assert_eq!(output.ok().stdout(), "first\nlast\n");
}

/// What is over the limit is dropped, and whoever asks for it is told from where to where.
#[test]
fn a_gap_is_told_with_its_bounds() {
    let world = World::new();
    let project = world.project(&[]);
    project.write(".pu/config.toml", "[terminal]\noutput_mib = 1\n");
    // 60,000 lines of 52 bytes: three times what is kept.
    let line = "x".repeat(43);
    let command = format!("awk 'BEGIN {{ for (i = 0; i < 60000; i++) printf \"%06d %s\\n\", i, \"{line}\" }}'");
    project.spawn("a", &command, &["--root"]);
    project.ended("a");
    let total = 60_000 * 52;
    let answer = world.client().ask(&json!({"type": "logs", "agent": "a", "cwd": project.root(), "since": 0}));
    let (from, to) = (answer["gap"]["from"].as_u64().unwrap(), answer["gap"]["to"].as_u64().unwrap());
    assert_eq!((from, to, answer["end"].as_u64().unwrap()), (0, answer["offset"].as_u64().unwrap(), total));
    assert!(total - to >= 1024 * 1024, "at least the last MiB is there: {to} of {total}");
    let (kept, _) = project.output("a");
    assert_eq!(kept.len() as u64, total - to);
    for (i, piece) in kept.rsplit(|&b| b == b'\n').skip(1).take(1000).enumerate() {
        let number: usize =
            std::str::from_utf8(&piece[..6]).unwrap().parse().unwrap_or_else(|e| panic!("{e}: {piece:?}"));
        assert_eq!(number, 59_999 - i);
    }
    let output = project.pu(["logs", "--raw", "a"]).output();
    assert_eq!(output.ok().bytes(), kept);
    assert!(output.stderr().contains(&to.to_string()), "the gap is told on stderr: {output}");
}

/// An agent writes what it likes; programs get every byte of it.
#[test]
fn bytes_that_are_no_text_come_through() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("a", "stty -opost; printf '\\000\\001\\377\\376\\303(\\n'", &["--root"]);
    project.ended("a");
    assert_eq!(project.output("a").0, b"\x00\x01\xff\xfe\xc3(\n");
    let lines = project.pu(["logs", "--json", "a"]).output().ok().stdout();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["data"], "AAH//sMoCg==", "{first}");
}
