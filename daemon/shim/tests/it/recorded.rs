//! Shims and clients of earlier releases are understood: recorded frames of each version of the protocol.

use pu_protocol::frame::{
    ClientFrame, Decoder, ExitStatus, Mode, OLDEST_VERSION, RawFrame, ShimFrame, TerminalSize, VERSION,
};

use crate::world::script;

/// What was recorded of version 1: name, what the client sent, what the shim answered.
const V1: [(&str, &[u8], &[u8]); 4] = [
    ("control", include_bytes!("../recorded/v1/control.client.bin"), include_bytes!("../recorded/v1/control.shim.bin")),
    ("attach", include_bytes!("../recorded/v1/attach.client.bin"), include_bytes!("../recorded/v1/attach.shim.bin")),
    ("follow", include_bytes!("../recorded/v1/follow.client.bin"), include_bytes!("../recorded/v1/follow.shim.bin")),
    ("refused", include_bytes!("../recorded/v1/refused.client.bin"), include_bytes!("../recorded/v1/refused.shim.bin")),
];

/// Calls `each` with every frame of a recording.
fn frames(recorded: &[u8], mut each: impl FnMut(&RawFrame<'_>)) {
    let mut decoder = Decoder::new();
    decoder.feed(recorded);
    while let Some(raw) = decoder.next_frame().unwrap() {
        each(&raw);
    }
}

/// A shim's frame in a word, with what of it must not be lost.
fn told(frame: &ShimFrame<'_>) -> String {
    match frame {
        ShimFrame::Welcome(welcome) => {
            assert_eq!((welcome.agent_id.as_str(), welcome.version), ("0a1b2c3d", 1));
            assert!(welcome.child_pid > 1 && welcome.shim_pid > 1 && welcome.binary.ends_with("pu-shim"));
            format!("welcome to {}", welcome.output_end)
        }
        ShimFrame::Output { offset, bytes } => format!("{} at {offset}", bytes.len()),
        ShimFrame::Redraw { offset, bytes } => {
            assert!(String::from_utf8_lossy(bytes).contains("hello"));
            format!("redraw at {offset}")
        }
        ShimFrame::Gap { from, to } => format!("gap {from} {to}"),
        ShimFrame::Exited(exited) => {
            assert_eq!(exited.exit.how, ExitStatus::Exited { code: 3 });
            format!("exited at {}", exited.exit.output_end)
        }
        ShimFrame::Done(done) => format!("done {}", done.request),
        ShimFrame::Refused(refused) => format!("refused {} {}", refused.request, refused.code),
        ShimFrame::ScreenText(screen) => format!("screen {:?}", screen.text),
        ShimFrame::Size(size) => format!("size {}x{}", size.cols, size.rows),
        ShimFrame::Status(status) => format!("status to {}", status.output_end),
        ShimFrame::Cue(cue) => format!("cue {}", cue.rule),
    }
}

#[test]
fn what_shims_of_earlier_releases_say_is_understood() {
    assert_eq!((OLDEST_VERSION, VERSION), (1, 1), "a version is added: it gets recordings of its own");
    let wanted: [&[&str]; 4] = [
        &["welcome to 21", "status to 21", "screen \"hello red\"", "done take_size", "done resize"],
        &["welcome to 21", "redraw at 21", "size 80x24", "4 at 21", "8 at 25", "size 90x25", "done resize"],
        &["welcome to 33", "33 at 0", "done input", "5 at 33", "exited at 38"],
        &["welcome to 21", "redraw at 21", "refused input read_only"],
    ];
    for ((name, _, shim), wanted) in V1.iter().zip(wanted) {
        let mut heard = Vec::new();
        frames(shim, |raw| heard.push(told(&ShimFrame::decode(raw).unwrap().expect("a kind that is known"))));
        assert_eq!(heard, wanted, "{name}");
    }
}

#[test]
fn what_clients_of_earlier_releases_say_is_understood() {
    let wanted: [(Mode, &[&str]); 4] = [
        (Mode::Control, &["Status", "Screen", "TakeSize", "Resize"]),
        (Mode::Attach, &["Input", "Resize", "Detach"]),
        (Mode::Follow, &["Input"]),
        (Mode::Attach, &["Input"]),
    ];
    for ((name, client, _), (mode, wanted)) in V1.iter().zip(wanted) {
        let mut said = Vec::new();
        frames(client, |raw| match ClientFrame::decode(raw).unwrap().expect("a kind that is known") {
            ClientFrame::Hello(hello) => {
                assert_eq!((hello.version, hello.oldest_version, hello.mode), (1, 1, mode), "{name}");
                assert_eq!(hello.size, (*name == "attach").then_some(TerminalSize::new(80, 24)));
                assert_eq!(hello.since, (mode == Mode::Follow).then_some(0));
            }
            other => said.push(format!("{other:?}").split(['(', ' ']).next().unwrap_or_default().to_owned()),
        });
        assert_eq!(said, wanted, "{name}");
    }
}

/// The present shim does for an old client what its own did.
#[test]
fn the_present_shim_serves_clients_of_earlier_releases() {
    for (name, client, recorded) in V1 {
        let agent = script("printf hello; while read line; do echo \"got $line\"; done").start();
        agent.wait_for_output("hello");
        let mut old = agent.dial();
        old.send_raw(client);
        let (mut asked, mut answers) = (Vec::new(), Vec::new());
        frames(recorded, |raw| match ShimFrame::decode(raw).unwrap() {
            Some(ShimFrame::Done(done)) => asked.push(format!("done {}", done.request)),
            Some(ShimFrame::Refused(refused)) => asked.push(format!("refused {} {}", refused.request, refused.code)),
            _ => {}
        });
        let mut welcomed = false;
        while answers != asked {
            let answer = old.until(|frame| match frame {
                ShimFrame::Welcome(welcome) => {
                    welcomed = welcome.version == 1;
                    None
                }
                ShimFrame::Done(done) => Some(format!("done {}", done.request)),
                ShimFrame::Refused(refused) => Some(format!("refused {} {}", refused.request, refused.code)),
                _ => None,
            });
            answers.push(answer);
            assert!(answers.len() <= asked.len(), "{name}: {answers:?}, {asked:?} wanted");
        }
        assert!(welcomed && agent.record.child.is_alive(), "{name}");
    }
}
