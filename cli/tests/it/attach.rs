//! `pu attach` on a real pseudo-terminal, against a shim that the test plays.

use crate::shim::{Heard, Shim, encoded};
use crate::world::{Act, LIMIT, World, agent, running};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use pu_protocol::frame::{ExitRecord, ExitStatus, Exited, Mode, ShimFrame, TerminalSize};
use serde_json::json;
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

const SIZE: PtySize = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
const REDRAW: &[u8] = b"\x1b[H\x1b[2Jthe agent's screen";

/// A terminal with `pu` in it, attached to an agent or about to be, and the agent's shim.
struct Stage {
    _world: World,
    shim: Shim,
    terminal: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    shown: Arc<(Mutex<Vec<u8>>, Condvar)>,
    /// Ends when the terminal is closed, and then all of it is in `shown`.
    collector: JoinHandle<()>,
    child: Box<dyn Child + Send + Sync>,
    /// The terminal's modes before.
    modes: String,
}

impl Stage {
    fn new(args: &[&str], env: &[(&str, &str)]) -> Self {
        let world = World::new();
        let socket = world.path("shim.sock");
        let shim = Shim::listen(&socket, encoded(&ShimFrame::Redraw { offset: 0, bytes: REDRAW }));
        let _daemon = world.daemon(move |request| match request["type"].as_str().unwrap() {
            "spawn" => Act::Say(json!({ "type": "spawn_report", "agent_id": "aaaa1111", "name": "docs",
                                        "agent": "terminal", "project_root": "/work/shop", "pid": 7, "delivery": "none",
                                        "context": { "tokens": 0, "budget": 0, "picks": [], "assemblers": [],
                                                     "revision": "r" } })),
            _ => Act::Say(json!({ "type": "attach_report", "agent": agent("aaaa1111", "docs", &running()),
                                  "socket": socket, "shim_protocol": 1 })),
        });
        let pair = native_pty_system().openpty(SIZE).unwrap();
        let modes = modes(pair.master.as_ref());
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pu"));
        command.env_clear();
        command.env("PU_HOME", world.home());
        env.iter().for_each(|(name, value)| command.env(name, value));
        command.args(args);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let shown = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let collector = collect(pair.master.try_clone_reader().unwrap(), Arc::clone(&shown));
        let keyboard = pair.master.take_writer().unwrap();
        Self { _world: world, shim, terminal: pair.master, keyboard, shown, collector, child, modes }
    }

    fn attached(args: &[&str]) -> Self {
        let stage = Self::new(&[&["attach"], args].concat(), &[]);
        stage.sees("the agent's screen");
        stage
    }

    fn kind(&mut self, bytes: &[u8]) {
        self.keyboard.write_all(bytes).unwrap();
    }

    /// Waits until the terminal was sent a text, and gives all that it was sent.
    fn sees(&self, text: &str) -> String {
        let (bytes, changed) = &*self.shown;
        let has = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains(text);
        let (bytes, timeout) = changed.wait_timeout_while(bytes.lock().unwrap(), LIMIT, |b| !has(b)).unwrap();
        let all = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!timeout.timed_out(), "the terminal never saw {text:?}; it saw {all:?}");
        all
    }

    /// Waits for the end: its code, and the terminal as it was before.
    fn ends(mut self) -> (u32, String) {
        let code = self.child.wait().unwrap().exit_code();
        self.collector.join().unwrap();
        let all = String::from_utf8_lossy(&self.shown.0.lock().unwrap()).into_owned();
        assert!(all.contains("\x1b[?1049l"), "the user's own screen never came back: {all:?}");
        assert_eq!(modes(self.terminal.as_ref()), self.modes, "the terminal's modes are back");
        (code, all)
    }

    fn signal(&self) {
        let pid = nix::unistd::Pid::from_raw(self.child.process_id().unwrap() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    }

    fn typed(&self, wanted: &[u8]) {
        self.shim.wait_until("what was typed arrives", |heard| Shim::input(heard) == wanted);
    }
}

fn modes(terminal: &(dyn MasterPty + Send)) -> String {
    let termios = terminal.get_termios().unwrap();
    format!("{:?} {:?} {:?}", termios.local_flags, termios.input_flags, termios.output_flags)
}

fn collect(mut reader: Box<dyn Read + Send>, shown: Arc<(Mutex<Vec<u8>>, Condvar)>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = reader.read(&mut buffer) {
            shown.0.lock().unwrap().extend_from_slice(&buffer[..n]);
            shown.1.notify_all();
        }
    })
}

#[test]
fn typing_reaches_the_agent_and_the_detach_keys_give_the_screen_back() {
    let mut stage = Stage::attached(&["docs"]);
    assert!(stage.sees(r"detach: C-\ d").contains("\x1b[?1049h"), "on a screen of its own");
    stage.kind(b"ls \x1cx\r");
    stage.typed(b"ls \x1cx\r");
    stage.kind(b"\x1c");
    stage.kind(b"d");
    let heard = stage.shim.wait_until("the farewell", |heard| heard.contains(&Heard::Detach));
    assert_eq!(Shim::input(&heard), b"ls \x1cx\r", "the detach keys are not the agent's");
    let Heard::Hello(hello) = &heard[0] else { panic!("{heard:?}") };
    assert_eq!((hello.mode, hello.size, hello.read_only), (Mode::Attach, Some(TerminalSize::new(80, 24)), false));
    let (code, all) = stage.ends();
    assert_eq!(code, 0);
    let (_, farewell) = all.split_once("detached from docs").unwrap_or_else(|| panic!("{all:?}"));
    assert!(farewell.contains("; it goes on") && farewell.ends_with("\r\n"), "{farewell:?}");
}

#[test]
fn every_byte_typed_arrives_whatever_is_typed_at_once() {
    let mut stage = Stage::attached(&["docs"]);
    let text: Vec<u8> = (0..200_000u32).map(|i| b' ' + (i % 90) as u8).collect();
    stage.kind(&text);
    stage.typed(&text);
    stage.kind(b"\x1cd");
    assert_eq!(stage.ends().0, 0);
}

#[test]
fn an_escape_key_does_not_wait_for_the_next_key() {
    let mut stage = Stage::attached(&["docs"]);
    stage.kind(b"\x1b");
    stage.typed(b"\x1b");
    stage.kind(b"\x1c");
    stage.typed(b"\x1b\x1c");
    stage.kind(b"\x1cd");
    assert_eq!(stage.ends().0, 0);
}

#[test]
fn a_reader_only_looks() {
    let mut stage = Stage::attached(&["docs", "--read-only", "--detach-keys", "C-a q"]);
    stage.kind(b"rm -rf /\r\x01q");
    let heard = stage.shim.wait_until("the farewell", |heard| heard.contains(&Heard::Detach));
    assert_eq!(Shim::input(&heard), b"");
    assert!(heard.iter().any(|h| matches!(h, Heard::Hello(hello) if hello.read_only)));
    assert_eq!(stage.ends().0, 0);
}

#[test]
fn the_detach_keys_of_the_environment_hold_after_a_spawn_too() {
    for args in [&["attach", "docs"][..], &["spawn", "--attach", "a task"]] {
        let mut stage = Stage::new(args, &[("PU_DETACH_KEYS", "C-a q")]);
        stage.sees("the agent's screen");
        stage.sees("detach: C-a q");
        stage.kind(b"\x1cd\x01q");
        let heard = stage.shim.wait_until("the farewell", |heard| heard.contains(&Heard::Detach));
        assert_eq!(Shim::input(&heard), b"\x1cd", "{args:?}");
        assert_eq!(stage.ends().0, 0);
    }
}

#[test]
fn a_signal_that_ends_the_attaching_after_a_spawn_is_told_to_the_caller() {
    let stage = Stage::new(&["spawn", "--attach", "a task"], &[]);
    stage.sees("the agent's screen");
    stage.signal();
    assert_eq!(stage.ends().0, 143);
}

#[test]
fn a_new_size_is_passed_on() {
    let mut stage = Stage::attached(&["docs"]);
    stage.terminal.resize(PtySize { rows: 30, cols: 100, ..SIZE }).unwrap();
    let size = Heard::Resize(TerminalSize::new(100, 30));
    stage.shim.wait_until("the new size", |heard| heard.contains(&size));
    stage.kind(b"\x1cd");
    assert_eq!(stage.ends().0, 0);
}

#[test]
fn an_agent_that_leaves_its_second_screen_is_drawn_anew_and_stays_off_the_users() {
    let mut stage = Stage::attached(&["docs"]);
    // The reminder's own redraw comes first, so that the next one is that of the second screen.
    stage.shim.wait_until("a second greeting", |heard| Shim::greetings(heard) == 2);
    stage.shim.send(&ShimFrame::Output { offset: 0, bytes: b"\x1b[?1049heditor\x1b[?1049l" });
    stage.shim.wait_until("a third greeting", |heard| Shim::greetings(heard) == 3);
    stage.kind(b"\x1cd");
    let (_, all) = stage.ends();
    assert_eq!((all.matches("?1049h").count(), all.matches("?1049l").count()), (1, 1), "{all:?}");
}

#[test]
fn the_reminder_of_the_detach_keys_is_taken_away_by_a_redraw() {
    let mut stage = Stage::attached(&["docs"]);
    stage.shim.wait_until("a second greeting", |heard| Shim::greetings(heard) == 2);
    stage.kind(b"\x1cd");
    assert_eq!(stage.ends().0, 0);
}

#[test]
fn the_agents_end_is_told() {
    let stage = Stage::attached(&["docs"]);
    let exit = ExitRecord { how: ExitStatus::Exited { code: 3 }, ..ExitRecord::default() };
    stage.shim.send(&ShimFrame::Exited(Exited { exit, record_error: None }));
    let all = stage.sees("docs ended: exit code 3\r\n");
    assert!(all.ends_with("docs ended: exit code 3\r\n"), "{all:?}");
    assert_eq!(stage.ends().0, 0);
}

#[test]
fn a_broken_link_gives_the_terminal_back_and_is_no_end() {
    let stage = Stage::attached(&["docs"]);
    stage.shim.hang_up();
    let (code, all) = stage.ends();
    assert_eq!(code, 1);
    assert!(all.contains("the link to docs is lost"), "{all:?}");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let stage = Stage::attached(&["docs"]);
    stage.signal();
    let (code, all) = stage.ends();
    assert_eq!(code, 143);
    for (what, back) in [
        ("line feeds", "\x1b[20l"),
        ("links", "\x1b]8;;\x1b\\"),
        ("the palette", "\x1b]104\x1b\\"),
        ("the background", "\x1b]111\x1b\\"),
        ("the wheel", "\x1b[?1007r"),
    ] {
        assert!(all.contains(back), "{what}: {all:?}");
    }
}

#[test]
fn an_agent_is_not_attached_to_itself() {
    let mut stage = Stage::new(&["attach", "docs"], &[("PU_AGENT_ID", "aaaa1111")]);
    assert_eq!(stage.child.wait().unwrap().exit_code(), 4);
    stage.sees("docs's own");
}
