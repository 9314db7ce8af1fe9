//! `pu logs`: pieces, gaps, and following an agent past daemon and shim.

use crate::shim::{Heard, Shim, encoded};
use crate::world::{Act, World, agent, ran, running};
use pu_protocol::frame::{Exited, Mode, ShimFrame};
use pu_protocol::{Answer, Base64Bytes, answer::LogsReport};
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A spool of which the first bytes are gone, read in pieces.
struct Spool {
    from: usize,
    bytes: Vec<u8>,
    live: bool,
    piece: usize,
}

impl Spool {
    fn answer(&self, request: &Value) -> Value {
        let wanted = match (request["since"].as_u64(), request["tail"].as_u64()) {
            (Some(since), _) => since as usize,
            (None, Some(tail)) => self.bytes.len().saturating_sub(tail as usize),
            (None, None) => 0,
        };
        let start = wanted.max(self.from).min(self.bytes.len());
        let end = (start + self.piece).min(self.bytes.len());
        let gap = (wanted < start).then_some(pu_protocol::answer::Gap { from: wanted as u64, to: start as u64 });
        let report = LogsReport {
            offset: start as u64,
            next_offset: end as u64,
            end: self.bytes.len() as u64,
            gap,
            data: Base64Bytes(self.bytes[start..end].to_vec()),
            live: self.live,
        };
        serde_json::to_value(Answer::LogsReport(report)).unwrap()
    }
}

#[test]
fn output_comes_in_pieces_and_a_gap_is_told() {
    let world = World::new();
    let spool = Spool { from: 3, bytes: b"...\x1b[1mbold\x1b[0m\r\nend\r\n".to_vec(), live: false, piece: 4 };
    let _daemon = world.daemon(move |request| Act::Say(spool.answer(request)));
    let plain = world.pu(&["logs", "docs"]);
    assert_eq!((plain.code, plain.out.as_str()), (0, "bold\nend\n"));
    assert_eq!(plain.err, "pu: 3 bytes no longer kept: offsets 0 to 3\n");
    assert_eq!(world.pu(&["logs", "docs", "--raw", "--since", "3"]).out, "\x1b[1mbold\x1b[0m\r\nend\r\n");
    assert_eq!(world.pu(&["logs", "docs", "--tail", "5"]).out, "end\n");

    let json = world.pu(&["--json", "logs", "docs", "--since", "11"]);
    let pieces: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(pieces.len() > 1 && pieces.iter().all(|p| p["type"] == "logs_report"), "{pieces:?}");
    let json = world.pu(&["--json", "logs", "docs"]);
    let first: Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["gap"], json!({ "from": 0, "to": 3 }));
    assert_eq!(json.err, "", "a program finds the gap in the answer");
}

/// Neither what breaks a character off nor a control character beyond ASCII is obeyed by the reader's terminal.
#[test]
fn no_control_character_gets_through() {
    let bytes = b"one\xc2\x1b[2Jtwo\xc2\x9b31mthree\r\n".to_vec();
    for piece in [1, 100] {
        let spool = Spool { from: 0, bytes: bytes.clone(), live: false, piece };
        let world = World::new();
        let _daemon = world.daemon(move |request| Act::Say(spool.answer(request)));
        assert_eq!(world.pu(&["logs", "docs"]).out, "one\u{fffd}two31mthree\n", "in pieces of {piece}");
    }
}

#[test]
fn an_agent_without_output_is_no_error() {
    let world = World::new();
    let spool = Spool { from: 0, bytes: Vec::new(), live: true, piece: 4 };
    let _daemon = world.daemon(move |request| Act::Say(spool.answer(request)));
    assert_eq!(world.pu(&["logs", "docs"]).out, "");
}

/// The shim sends on from where the daemon's pieces ended, has a gap, breaks off; the rest comes from the daemon.
#[test]
fn following_loses_nothing_when_the_shim_goes() {
    let world = World::new();
    let spool = Arc::new(Mutex::new(Spool { from: 0, bytes: b"one\n".to_vec(), live: true, piece: 100 }));
    let socket = world.path("shim.sock");
    let shim = Shim::listen(&socket, encoded(&ShimFrame::Output { offset: 4, bytes: b"two\n" }));
    let (theirs, reached) = (Arc::clone(&spool), Arc::new(AtomicBool::new(false)));
    let flag = Arc::clone(&reached);
    let _daemon = world.daemon(move |request| match request["type"].as_str().unwrap() {
        "attach" if !flag.swap(true, Ordering::SeqCst) => Act::Say(json!({ "type": "attach_report",
            "agent": agent("aaaa1111", "docs", &running()), "socket": socket, "shim_protocol": 1 })),
        "attach" => Act::Say(crate::world::error("agent_ended", "it has ended")),
        _ => Act::Say(theirs.lock().unwrap().answer(request)),
    });
    let mut command = world.command(&["logs", "docs", "-f"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let heard = shim.wait_until("a follower greets", |heard| Shim::greetings(heard) == 1);
    let Heard::Hello(hello) = &heard[0] else { panic!("{heard:?}") };
    assert_eq!((hello.mode, hello.since), (Mode::Follow, Some(4)));
    shim.send(&ShimFrame::Gap { from: 8, to: 12 });
    shim.send(&ShimFrame::Output { offset: 12, bytes: b"four\n" });
    *spool.lock().unwrap() = Spool { from: 0, bytes: b"one\ntwo\n????four\nfive\n".to_vec(), live: false, piece: 100 };
    shim.hang_up();
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (0, "one\ntwo\nfour\nfive\n"));
    assert_eq!(ran.err, "pu: 4 bytes no longer kept: offsets 8 to 12\n");
}

#[test]
fn following_ends_when_the_agent_ends() {
    let world = World::new();
    let socket = world.path("shim.sock");
    let mut greeting = encoded(&ShimFrame::Output { offset: 0, bytes: b"all\n" });
    greeting.extend(encoded(&ShimFrame::Exited(Exited::default())));
    let _shim = Shim::listen(&socket, greeting);
    let asked = AtomicBool::new(false);
    let _daemon = world.daemon(move |request| match request["type"].as_str().unwrap() {
        "attach" => Act::Say(json!({ "type": "attach_report", "agent": agent("aaaa1111", "docs", &running()),
                                     "socket": socket, "shim_protocol": 1 })),
        _ => {
            let bytes = if asked.swap(true, Ordering::SeqCst) { b"all\n".to_vec() } else { Vec::new() };
            // The daemon may hear of the end later than the follower.
            Act::Say(Spool { from: 0, bytes, live: true, piece: 100 }.answer(request))
        }
    });
    let ran = world.pu(&["logs", "docs", "-f"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "all\n"));
}
