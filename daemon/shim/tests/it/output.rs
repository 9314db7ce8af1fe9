//! Output: every byte, in order, however it is looked at.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pu_protocol::frame::{ClientFrame, ExitStatus, Hello, Mode, ShimFrame, TerminalSize};

use crate::world::{script, wait_for};

const MIB: usize = 1024 * 1024;

/// Writes `seq` numbered lines; the terminal's own line ends are switched off, so that the bytes are these.
fn numbered(lines: usize) -> String {
    format!("stty -opost; seq 1 {lines}")
}

/// As [`numbered`], but not before a line is typed: whoever wants to see all of it is there by then. The first line is
/// `up`, the typed one is not echoed.
fn numbered_when_told(lines: usize) -> String {
    format!("stty -opost -echo; echo up; read line; seq 1 {lines}")
}

fn expected(lines: usize) -> Vec<u8> {
    (1..=lines).flat_map(|n| format!("{n}\n").into_bytes()).collect()
}

#[test]
fn output_and_exit_status_are_kept() {
    let mut agent = script("echo one; echo two >&2; exit 7").start();
    let exit = agent.ended();
    assert_eq!(exit.how, ExitStatus::Exited { code: 7 });
    assert_eq!(agent.output(), b"one\r\ntwo\r\n");
    assert_eq!(exit.output_end, 10);
    assert!(!exit.kill_requested && exit.left_running.is_empty(), "{exit:?}");
}

#[test]
fn five_mebibytes_are_kept_to_the_byte() {
    let lines = 750_000;
    let expected = expected(lines);
    assert!(expected.len() > 4 * MIB);
    let mut agent = script(&numbered(lines)).start();
    let exit = agent.ended();
    assert_eq!(exit.output_end, expected.len() as u64);
    assert!(agent.output() == expected);
}

#[test]
fn a_follower_from_the_beginning_sees_every_byte_and_the_exit() {
    let lines = 200_000;
    let agent = script(&format!("{}; exit 3", numbered_when_told(lines))).start();
    agent.wait_for_output("up");
    let (mut follower, mut control) = (agent.follow(0), agent.control());
    control.send(&ClientFrame::Input(b"\n"));
    let (start, bytes, exit) = follower.output_to_the_end();
    assert_eq!((start, exit.how), (0, ExitStatus::Exited { code: 3 }));
    assert!(bytes == [b"up\n".to_vec(), expected(lines)].concat());
}

#[test]
fn a_follower_that_comes_too_late_is_told_of_the_gap() {
    let lines = 750_000;
    let mut launch = script(&format!("{}; read line", numbered(lines)));
    launch.record.spool_limit = 1;
    let agent = launch.start();
    let expected = expected(lines);
    let mut control = agent.control();
    wait_for("all output", || {
        control.send(&ClientFrame::Status);
        let status = control.until(|f| if let ShimFrame::Status(s) = f { Some(s) } else { None });
        (status.output_end == expected.len() as u64).then_some(())
    });
    let mut follower = agent.follow(10);
    let to = follower.until(|f| match f {
        ShimFrame::Gap { from, to } => {
            assert_eq!(from, 10);
            Some(to)
        }
        other => panic!("{other:?}"),
    });
    let kept = expected.len() as u64 - to;
    assert!(kept >= MIB as u64 && kept < 2 * MIB as u64, "{kept} bytes are kept");
    control.send(&ClientFrame::Input(b"\n"));
    let (start, bytes, _) = follower.output_to_the_end();
    assert_eq!(start, to);
    assert!(bytes.starts_with(&expected[to as usize..]));
}

#[test]
fn a_client_that_never_reads_does_not_hold_the_agent() {
    let lines = 750_000;
    let mut agent = script(&numbered_when_told(lines)).start();
    agent.wait_for_output("up");
    let _stalled = [Mode::Attach, Mode::Follow].map(|mode| {
        let mut client = agent.connect(Hello::new("stalled", mode));
        client.welcome();
        client
    });
    let mut control = agent.control();
    control.send(&ClientFrame::Input(b"\n"));
    let exit = agent.ended();
    assert_eq!(exit.output_end, ("up\n".len() + expected(lines).len()) as u64);
}

#[test]
fn a_lossless_follower_misses_nothing_beyond_the_bound() {
    // Twice what the spool keeps, read slowly enough that the spool alone would not do.
    let lines = 750_000;
    let mut launch = script(&format!("read line; {}", numbered(lines)));
    launch.record.spool_limit = 1;
    let agent = launch.start();
    let hello = Hello { since: Some(0), lossless: true, ..Hello::new("lossless", Mode::Follow) };
    let mut follower = agent.connect(hello);
    follower.welcome();
    let mut control = agent.control();
    control.send(&ClientFrame::Input(b"\n"));
    // Nothing is read until the spool is full and the agent stands still. It is held as soon as its next piece (64 KiB at
    // most) would cost the follower a byte: that is not before the spool's least, 1 MiB, and what the follower's own queue
    // takes, 256 KiB, are full. Standing still before is nothing but a pause.
    let held_from = (MIB + 192 * 1024) as u64;
    let mut last = None;
    wait_for("the agent to be held", || {
        control.send(&ClientFrame::Status);
        let end = control.until(|f| if let ShimFrame::Status(s) = f { Some(s.output_end) } else { None });
        let stands = end >= held_from && last == Some(end);
        last = Some(end);
        std::thread::park_timeout(std::time::Duration::from_millis(20));
        stands.then_some(())
    });
    let (start, bytes, _) = follower.output_to_the_end();
    assert_eq!(start, 0);
    assert!(bytes.ends_with(&expected(lines)));
}

#[test]
fn a_stopped_agent_and_a_closed_terminal_do_no_harm() {
    let mut agent = script("exec 0<&- 1>&- 2>&-; read line; sleep 1000 & sleep 0.3; kill $!; exit 5").start();
    assert_eq!(agent.ended().how, ExitStatus::Exited { code: 5 });

    let agent = script("echo up; read line; echo $line").start();
    agent.wait_for_output("up");
    let child = Pid::from_raw(agent.record.child.pid);
    kill(child, Signal::SIGSTOP).unwrap();
    let mut client = agent.attach(TerminalSize::new(80, 24));
    client.send(&ClientFrame::Input(b"typed\n"));
    kill(child, Signal::SIGCONT).unwrap();
    client.until_output_contains("typed\r\ntyped");
}
