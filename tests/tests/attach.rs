//! `pu attach`: an agent on a person's terminal.

use e2e::{Project, Terminal, World, wait_until};
use serde_json::json;

/// An agent that answers each line it is given.
const ECHO: &str = "stty -echo; echo first-words; while read line; do echo \"heard <$line>\"; done";
const DETACH: &str = "\x1cd";

fn attach(world: &World, project: &Project<'_>, args: &[&str]) -> Terminal {
    let pu = world.command("pu").get_program().to_owned();
    let args: Vec<&str> = ["attach"].iter().chain(args).copied().collect();
    Terminal::open(pu.as_ref(), &args, world.environment(), project.root())
}

/// The screen as it is, then what is typed and answered, then the way out; and the terminal as it was.
#[test]
fn a_person_sees_types_and_leaves() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("talker", ECHO, &["--root"]);
    project.wrote("talker", "first-words");
    let mut terminal = attach(&world, &project, &["talker"]);
    terminal.shows("first-words");
    terminal.type_in("hello\r");
    terminal.shows("heard <hello>");
    let during = terminal.settings();
    terminal.type_in(DETACH);
    assert!(terminal.ends().success());
    assert_ne!(terminal.settings(), during, "raw mode is over");
    let seen = terminal.seen();
    assert!(seen.contains("C-\\"), "the way out was shown: {seen:?}");
    assert_eq!(project.agent("talker")["state"], "running", "leaving is nothing to the agent");
}

/// The terminal's settings are the same before and after, byte for byte.
#[test]
fn the_terminal_is_as_it_was() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("talker", ECHO, &["--root"]);
    let pu = world.command("pu").get_program().to_str().unwrap().to_owned();
    let script = format!("stty -g; {pu} attach talker; echo \"code $?\"; stty -g");
    let mut shell = Terminal::open("/bin/sh".as_ref(), &["-c", &script], world.environment(), project.root());
    shell.shows("first-words");
    shell.type_in(DETACH);
    assert!(shell.ends().success());
    let seen = shell.seen();
    assert!(seen.contains("code 0"), "{seen:?}");
    let settings: Vec<&str> = seen.split(['\r', '\n']).filter(|line| is_settings(line)).collect();
    assert_eq!(settings.len(), 2, "{seen:?}");
    assert_eq!(settings[0], settings[1]);
    let (entered, left) = (seen.find("\x1b[?1049h"), seen.rfind("\x1b[?1049l"));
    assert!(entered.is_some() && left > entered, "the user's own screen comes back: {seen:?}");
}

fn is_settings(line: &str) -> bool {
    line.len() > 30 && line.chars().all(|c| c.is_ascii_hexdigit() || c == ':' || c == '=' || c.is_ascii_lowercase())
}

/// What a program painted before anybody came is painted again, not replayed from an arbitrary byte.
#[test]
fn one_who_comes_late_sees_the_screen_as_it_is() {
    let world = World::new();
    let project = world.project(&[]);
    let paint = "printf 'gone\\n'; printf '\\033[2J\\033[5;10Hpainted-here\\033[?25l'; exec sleep 1000";
    project.spawn("painter", paint, &["--root"]);
    project.wrote("painter", "painted-here");
    let mut terminal = attach(&world, &project, &["painter"]);
    let seen = terminal.shows("painted-here");
    assert!(!seen.contains("gone"), "what was erased is not shown: {seen:?}");
    terminal.type_in(DETACH);
    terminal.ends();
}

#[test]
fn other_keys_detach_if_told_so() {
    let world = World::new();
    let project = world.project(&[]);
    // The usual keys are now the agent's: they must not be a signal to it.
    project.spawn("talker", &format!("stty -isig; {ECHO}"), &["--root"]);
    let mut terminal = attach(&world, &project, &["talker", "--detach-keys", "C-a q"]);
    terminal.shows("first-words");
    terminal.type_in("\x1cd\r");
    terminal.shows("heard");
    terminal.type_in("\x01q");
    assert!(terminal.ends().success());
}

#[test]
fn one_who_only_looks_types_nothing() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("talker", ECHO, &["--root"]);
    let mut looking = attach(&world, &project, &["talker", "--read-only"]);
    looking.shows("first-words");
    looking.type_in("unheard\r");
    project.pu(["send", "talker", "said elsewhere"]).output().ok();
    looking.shows("heard <said elsewhere>");
    looking.type_in(DETACH);
    assert!(looking.ends().success());
    assert!(!String::from_utf8_lossy(&project.output("talker").0).contains("unheard"));
}

/// The daemon stands in no session's path: its death is not even seen.
#[test]
fn an_attached_person_does_not_notice_the_daemons_death() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("talker", ECHO, &["--root"]);
    let mut terminal = attach(&world, &project, &["talker"]);
    terminal.shows("first-words");
    world.crash_daemon();
    terminal.type_in("still there?\r");
    terminal.shows("heard <still there?>");
    assert!(world.daemons().is_empty(), "no daemon was needed");
    terminal.type_in(DETACH);
    assert!(terminal.ends().success());
}

#[test]
fn two_see_the_same_agent() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("talker", ECHO, &["--root"]);
    let mut one = attach(&world, &project, &["talker"]);
    let mut two = attach(&world, &project, &["talker"]);
    one.shows("first-words");
    two.shows("first-words");
    one.type_in("from one\r");
    two.shows("heard <from one>");
    two.type_in("from two\r");
    one.shows("heard <from two>");
    for terminal in [&mut one, &mut two] {
        terminal.type_in(DETACH);
        assert!(terminal.ends().success());
    }
}

/// The agent's terminal takes the size of the person's, and follows it.
#[test]
fn the_size_is_that_of_whoever_types() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("sizer", "while read x; do stty size; done", &["--root"]);
    let mut terminal = attach(&world, &project, &["sizer"]);
    wait_until("the agent has the terminal's size", || {
        terminal.type_in("\r");
        String::from_utf8_lossy(&project.output("sizer").0).contains("30 100").then_some(())
    });
    terminal.resize(90, 20);
    wait_until("the agent has the new size", || {
        terminal.type_in("\r");
        String::from_utf8_lossy(&project.output("sizer").0).contains("20 90").then_some(())
    });
    terminal.type_in(DETACH);
    terminal.ends();
}

/// The agent ends while somebody looks: they are told and let go.
#[test]
fn the_end_of_the_agent_ends_the_attachment() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("short", "echo ready; read x; exit 7", &["--root"]);
    let mut terminal = attach(&world, &project, &["short"]);
    terminal.shows("ready");
    terminal.type_in("\r");
    let _ = terminal.ends();
    assert_eq!(project.ended("short")["code"], 7);
}

#[test]
fn spawn_can_attach_at_once() {
    let world = World::new();
    let project = world.project(&[]);
    let pu = world.command("pu").get_program().to_owned();
    let args = ["spawn", "--root", "-n", "talker", "--attach", "--command", ECHO];
    let mut terminal = Terminal::open(pu.as_ref(), &args, world.environment(), project.root());
    terminal.shows("first-words");
    terminal.type_in(DETACH);
    assert!(terminal.ends().success());
    assert_eq!(project.agent("talker")["state"], "running");
}

#[test]
fn programs_are_told_where_the_shim_listens() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("talker", ECHO, &["--root"]);
    let report = world.client().ask(&json!({"type": "attach", "agent": "talker", "cwd": project.root()}));
    assert_eq!((&report["type"], &report["shim_protocol"]), (&"attach_report".into(), &1.into()));
    assert!(std::path::Path::new(report["socket"].as_str().unwrap()).exists());
    project.pu(["kill", "talker"]).output().ok();
    project.pu(["attach", "--json", "talker"]).output().fails(4, "agent_ended");
}

/// A terminal in which nobody sits cannot be attached to.
#[test]
fn without_a_terminal_it_says_so() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("talker", ECHO, &["--root"]);
    let output = project.pu(["attach", "talker"]).output();
    assert_ne!(output.code(), Some(0));
    assert!(output.stderr().contains("terminal"), "{output}");
}

/// Whoever leaves is told where, and sees on coming back what was written meanwhile, be it that the daemon died in between.
#[test]
fn one_who_comes_back_sees_what_came_meanwhile() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("talker", ECHO, &["--root"]);
    project.wrote("talker", "first-words\r\n");
    let mut terminal = attach(&world, &project, &["talker"]);
    terminal.shows("first-words");
    terminal.type_in(DETACH);
    assert!(terminal.ends().success());
    let seen = terminal.seen();
    let (_, rest) = seen.split_once("at offset ").unwrap_or_else(|| panic!("{seen:?}"));
    let offset: u64 = rest.split(';').next().unwrap().parse().unwrap();
    assert_eq!(offset, project.output("talker").0.len() as u64);

    for word in ["one", "two"] {
        project.pu(["send", "talker", word]).output().ok();
        project.wrote("talker", &format!("heard <{word}>"));
        world.crash_daemon();
    }
    let mut terminal = attach(&world, &project, &["talker", "--since", &offset.to_string()]);
    // The whole screen, which comes last.
    let seen = terminal.shows("first-words");
    let (missed, _) = seen.split_once("\x1b[?1049h").unwrap_or_else(|| panic!("{seen:?}"));
    assert!(missed.contains("heard <one>") && missed.contains("heard <two>"), "{missed:?}");
    assert!(!missed.contains("first-words"), "what was seen already is not shown a second time: {missed:?}");
    terminal.type_in(DETACH);
    assert!(terminal.ends().success());
}

/// What is no longer kept of it is told with its size.
#[test]
fn one_who_comes_back_too_late_is_told_how_much_is_gone() {
    let world = World::new();
    let project = world.project(&[]);
    project.write(".pu/config.toml", "[terminal]\noutput_mib = 1\n");
    let command = format!("head -c 3000000 /dev/zero | tr '\\0' x; {ECHO}");
    project.spawn("talker", &command, &["--root"]);
    project.wrote("talker", "first-words");
    let (_, gap) = project.output("talker");
    let (from, to) = gap.expect("three times what is kept was written");
    assert_eq!(from, 0);
    let mut terminal = attach(&world, &project, &["talker", "--since", "0"]);
    terminal.shows(&format!("offsets 0 to {to}"));
    terminal.shows("detach: C-\\ d");
    terminal.shows("\x1b[?1049h");
    terminal.type_in(DETACH);
    terminal.ends();
}
