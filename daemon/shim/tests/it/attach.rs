//! Attaching: the screen that is there, input, size, and what a client may not do.

use std::io::{ErrorKind, Write};

use pu_protocol::frame::{ClientFrame, Hello, MAX_PAYLOAD, Mode, ShimFrame, TerminalSize, encode_raw, kind};

use crate::world::{Client, script};

const SIZE: TerminalSize = TerminalSize::new(80, 24);

#[test]
fn attaching_paints_the_screen_that_is_there_and_goes_on_from_it() {
    let mut agent = script("printf 'seen \\033[31mred\\033[0m'; read line; echo got $line").start();
    agent.wait_for_output("red");
    let mut client = agent.attach(SIZE);
    let (offset, painted) = client.until(|f| match f {
        ShimFrame::Redraw { offset, bytes } => Some((offset, String::from_utf8_lossy(bytes).into_owned())),
        other => panic!("{other:?}"),
    });
    assert!(painted.contains("seen ") && painted.contains("31mred"), "{painted:?}");
    client.send(&ClientFrame::Input(b"it\n"));
    let (start, bytes, _) = client.output_to_the_end();
    assert_eq!(start, offset);
    assert_eq!(String::from_utf8_lossy(&bytes), "it\r\ngot it\r\n");
    agent.ended();
}

#[test]
fn two_clients_see_the_same_and_closing_one_disturbs_nothing() {
    let agent = script("while read line; do echo \"<$line>\"; done").start();
    let mut first = agent.attach(SIZE);
    let mut second = agent.attach(SIZE);
    first.send(&ClientFrame::Input(b"one\n"));
    first.until_output_contains("<one>");
    second.until_output_contains("<one>");
    drop(first);
    second.send(&ClientFrame::Input(b"two\n"));
    second.until_output_contains("<two>");
    second.send(&ClientFrame::Detach);
    assert!(second.closes());
    assert!(agent.record.child.is_alive());
}

fn size_of(client: &mut Client) -> TerminalSize {
    client.until(|f| if let ShimFrame::Size(size) = f { Some(size) } else { None })
}

#[test]
fn the_size_belongs_to_the_client_that_typed_last_and_the_agent_sees_it() {
    let agent = script("trap 'stty size' WINCH; echo up; while :; do read line; stty size; done").start();
    agent.wait_for_output("up");
    let (small, large) = (TerminalSize::new(60, 20), TerminalSize::new(100, 40));
    let mut first = agent.attach(small);
    assert_eq!(size_of(&mut first), small);
    agent.wait_for_output("20 60");

    let mut second = agent.attach(large);
    second.send(&ClientFrame::Resize(large));
    second.done("resize");
    assert_eq!(agent.control().welcome_size(), small, "looking on changes nothing");

    second.send(&ClientFrame::Input(b"\n"));
    assert_eq!(size_of(&mut first), large);
    agent.wait_for_output("40 100");

    let mut control = agent.control();
    control.send(&ClientFrame::Resize(small));
    assert_eq!(control.refused(), "size_held");
    control.send(&ClientFrame::TakeSize);
    control.done("take_size");
    control.send(&ClientFrame::Resize(TerminalSize::new(77, 33)));
    control.done("resize");
    agent.wait_for_output("33 77");
}

impl Client {
    fn welcome_size(&mut self) -> TerminalSize {
        self.screen().size
    }
}

#[test]
fn a_read_only_client_looks_and_changes_nothing() {
    let agent = script("echo shown; read line; echo never").start();
    agent.wait_for_output("shown");
    let hello = Hello { read_only: true, size: Some(TerminalSize::new(50, 10)), ..Hello::new("looker", Mode::Attach) };
    let mut client = agent.connect(hello);
    assert_eq!(client.welcome().size, SIZE);
    client.until_output_contains("shown");
    for frame in [
        ClientFrame::Input(b"\n"),
        ClientFrame::Resize(TerminalSize::new(50, 10)),
        ClientFrame::TakeSize,
        ClientFrame::Kill(pu_protocol::frame::Kill::default()),
    ] {
        client.send(&frame);
        assert_eq!(client.refused(), "read_only", "{frame:?}");
    }
    assert_eq!(client.screen().size, SIZE);
    assert!(agent.record.child.is_alive());
}

/// Asks the terminal what it is, and echoes the answer readably.
const ASK: &str =
    "stty -echo raw; printf '\\033[c'; dd bs=1 count=5 2>/dev/null | od -An -c; stty sane; echo end; read line";

#[test]
fn queries_are_answered_while_nobody_is_attached() {
    let agent = script(ASK).start();
    agent.wait_for_output("end");
    let text = agent.output_text();
    assert!(text.contains("033   [   ?   6   c"), "{text:?}");
}

#[test]
fn queries_are_left_to_the_terminal_that_is_attached() {
    let agent = script(&format!("read go; {ASK}")).start();
    let mut client = agent.attach(SIZE);
    client.send(&ClientFrame::Input(b"\n"));
    client.until_output_contains("\x1b[c");
    client.send(&ClientFrame::Input(b"\x1b[?9c"));
    let seen = client.until_output_contains("end");
    assert!(seen.contains("033   [   ?   9   c"), "{seen:?}");
}

#[test]
fn the_screen_can_be_had_as_text() {
    let agent = script("printf 'a  \\r\\n\\033]2;the title\\007  b'; echo; echo up; read line").start();
    agent.wait_for_output("up");
    let screen = agent.control().screen();
    assert_eq!(screen.text, "a\n  b\nup");
    assert_eq!((screen.title.as_deref(), screen.size), (Some("the title"), SIZE));
}

#[test]
fn unknown_frames_are_skipped_and_bad_ones_end_only_their_connection() {
    let agent = script("read line").start();
    let mut client = agent.control();
    let mut bytes = Vec::new();
    encode_raw(0x6b, &[9; 1000], &mut bytes).unwrap();
    client.send_raw(&bytes);
    assert_eq!(client.screen().text, "");

    client.send_raw(&[kind::INPUT, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(client.refused(), "bad_frame");
    assert!(client.closes());

    let mut silent = agent.dial();
    silent.send(&ClientFrame::Status);
    assert_eq!(silent.refused(), "hello_expected");
    assert!(silent.closes());

    let mut future = agent.connect(Hello { version: 900, oldest_version: 900, ..Hello::default() });
    assert_eq!(future.refused(), "version_mismatch");
    assert!(future.closes());

    let mut half = agent.dial();
    half.stream.write_all(&[kind::HELLO, 0]).unwrap();
    drop(half);
    assert_eq!(agent.control().screen().text, "");
    assert!(agent.record.child.is_alive());
}

#[test]
fn input_that_nobody_reads_is_refused_at_a_bound() {
    let agent = script("stty -icanon -echo; echo up; exec sleep 1000").start();
    agent.wait_for_output("up");
    let mut client = agent.control();
    let piece = vec![b'x'; MAX_PAYLOAD];
    let mut code = None;
    for _ in 0..8 {
        client.send(&ClientFrame::Input(&piece));
        code = client.until(|f| match f {
            ShimFrame::Done(_) => Some(None),
            ShimFrame::Refused(refused) => Some(Some(refused.code)),
            _ => None,
        });
        if code.is_some() {
            break;
        }
    }
    assert_eq!(code.as_deref(), Some("input_full"));
}

#[test]
fn a_client_that_asks_and_never_listens_is_not_heard_until_it_reads() {
    let agent = script("read line").start();
    let mut question = Vec::new();
    ClientFrame::Status.encode(&mut question).unwrap();
    let questions = question.repeat(2048);
    let (mut flood, mut other) = (agent.control(), agent.control());
    flood.stream.set_nonblocking(true).unwrap();
    let (mut sent, mut refused) = (0, 0);
    while refused < 20 {
        match flood.stream.write(&questions[sent % questions.len()..]) {
            Ok(written) => (sent, refused) = (sent + written, 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                refused += 1;
                // When it answers this, the shim has had another opportunity to read.
                other.screen();
            }
            Err(error) => panic!("{error}"),
        }
        assert!(sent < 4 * 1024 * 1024, "the shim takes in whatever comes");
    }
    flood.stream.set_nonblocking(false).unwrap();
    for _ in 0..sent / question.len() {
        flood.until(|f| matches!(f, ShimFrame::Status(_)).then_some(()));
    }
    // The end of the question that was cut, or another one.
    flood.send_raw(&question[sent % question.len()..]);
    flood.until(|f| matches!(f, ShimFrame::Status(_)).then_some(()));
}

#[test]
fn more_clients_than_there_is_room_for_are_told_so() {
    let agent = script("read line").start();
    let _clients: Vec<Client> = (0..64).map(|_| agent.control()).collect();
    let mut one_more = agent.dial();
    assert_eq!(one_more.refused(), "busy");
    assert!(one_more.closes());
}
