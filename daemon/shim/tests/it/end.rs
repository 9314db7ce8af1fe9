//! The end: by itself, by request, by force; and what is left afterwards, which is the record and nothing else.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pu_protocol::frame::{ClientFrame, ExitStatus, Kill, ShimFrame, TerminalSize};
use pu_record::process::ProcessIdentity;

use crate::world::{SETSID, script, wait_for};

fn killed_by(signal: i32, name: &str) -> ExitStatus {
    ExitStatus::Signaled { signal, name: name.into() }
}

fn gone(process: ProcessIdentity) {
    wait_for("a process's end", || (!process.is_alive()).then_some(()));
}

#[test]
fn an_end_by_a_signal_is_told_as_such() {
    let mut agent = script("kill -SEGV $$").start();
    assert_eq!(agent.ended().how, killed_by(11, "SIGSEGV"));
}

#[test]
fn clients_hear_of_the_end_only_when_the_record_is_written() {
    let agent = script("read line; exit 4").start();
    let mut attached = agent.attach(TerminalSize::new(80, 24));
    let mut control = agent.control();
    control.send(&ClientFrame::Input(b"\n"));
    for client in [&mut attached, &mut control] {
        let exited = client.exited();
        assert_eq!(exited.exit.how, ExitStatus::Exited { code: 4 });
        assert_eq!(exited.record_error, None);
        let written = pu_record::exit::read(&agent.layout().exit()).unwrap();
        assert_eq!(written, Some(exited.exit));
    }
}

#[test]
fn a_kill_asks_first() {
    let mut agent = script("trap 'echo bye; exit 9' TERM; echo up; while :; do sleep 0.05; done").start();
    agent.wait_for_output("up");
    let mut client = agent.control();
    client.send(&ClientFrame::Kill(Kill::default()));
    client.done("kill");
    let exit = agent.ended();
    assert_eq!(exit.how, ExitStatus::Exited { code: 9 });
    assert!(exit.kill_requested && exit.left_running.is_empty());
    assert!(agent.output_text().contains("bye"));
}

#[test]
fn an_agent_that_ignores_the_request_is_killed_after_the_grace() {
    let mut agent = script("trap '' TERM HUP; echo up; while :; do sleep 0.05; done").start();
    agent.wait_for_output("up");
    agent.control().send(&ClientFrame::Kill(Kill { grace_ms: Some(100) }));
    assert_eq!(agent.ended().how, killed_by(9, "SIGKILL"));
}

#[test]
fn a_grandchild_in_its_own_session_is_not_left_behind() {
    let text = format!(
        "(trap '' TERM HUP; echo grandchild=$(exec sh -c 'echo $PPID'); exec {SETSID} sh -c \
        'trap \"\" TERM HUP; echo detached=$$; while :; do sleep 0.05; done') & echo up; wait; while :; do sleep 0.05; done"
    );
    let mut agent = script(&text).start();
    let detached = agent.identity("detached");
    agent.control().send(&ClientFrame::Kill(Kill { grace_ms: Some(200) }));
    let exit = agent.ended();
    assert_eq!(exit.how, killed_by(15, "SIGTERM"));
    assert!(exit.left_running.is_empty(), "{exit:?}");
    assert!(!detached.is_alive());
}

/// Elsewhere an orphan that left its group is not seen: see `specs/agent-execution.md`.
#[cfg(target_os = "linux")]
#[test]
fn a_double_fork_hides_nobody() {
    let text =
        "(setsid sh -c 'trap \"\" TERM HUP; echo daemon=$$; while :; do sleep 0.05; done' &) ; echo up; read line";
    let mut agent = script(text).start();
    let daemon = agent.identity("daemon");
    agent.control().send(&ClientFrame::Kill(Kill { grace_ms: Some(200) }));
    assert!(agent.ended().left_running.is_empty());
    assert!(!daemon.is_alive());
}

#[test]
fn a_stopped_agent_can_be_asked_too() {
    let mut agent = script("trap 'exit 6' TERM; echo up; while :; do sleep 0.05; done").start();
    agent.wait_for_output("up");
    kill(Pid::from_raw(agent.record.child.pid), Signal::SIGSTOP).unwrap();
    agent.control().send(&ClientFrame::Kill(Kill::default()));
    assert_eq!(agent.ended().how, ExitStatus::Exited { code: 6 });
}

#[test]
fn what_an_agent_leaves_running_by_itself_is_named_and_left_alone() {
    let text = format!(
        "{SETSID} sh -c 'trap \"\" HUP; echo left=$$; : > ready; exec sleep 1000' & \
        until [ -e ready ]; do sleep 0.02; done; exit 0"
    );
    let mut agent = script(&text).start();
    let left = agent.identity("left");
    let exit = agent.ended();
    assert_eq!(exit.how, ExitStatus::Exited { code: 0 });
    assert_eq!(exit.left_running, [left.pid]);
    assert!(left.is_alive());
    kill(Pid::from_raw(left.pid), Signal::SIGKILL).unwrap();
    gone(left);
}

#[test]
fn sigterm_to_the_shim_is_a_request_to_end_and_sighup_is_nothing() {
    let mut agent = script("trap 'exit 8' TERM; echo up; while :; do sleep 0.05; done").start();
    agent.wait_for_output("up");
    agent.signal(Signal::SIGHUP);
    assert_eq!(agent.control().screen().text, "up");
    agent.signal(Signal::SIGTERM);
    let exit = agent.ended();
    assert_eq!(exit.how, ExitStatus::Exited { code: 8 });
    assert!(exit.kill_requested);
}

#[test]
fn an_exit_record_that_cannot_be_written_is_tried_again_while_clients_are_served() {
    let mut agent = script("read line; exit 2").start();
    // A folder in its place stands for a disk that refuses.
    let obstacle = agent.layout().exit();
    std::fs::create_dir(&obstacle).unwrap();
    let mut client = agent.control();
    client.send(&ClientFrame::Input(b"\n"));
    gone(agent.record.child);
    client.send(&ClientFrame::Status);
    let status = client.until(|f| if let ShimFrame::Status(s) = f { Some(s) } else { None });
    assert_eq!(status.exit, None, "not ended before it is written");
    std::fs::remove_dir(&obstacle).unwrap();
    let exited = client.exited();
    assert_eq!((exited.exit.how, exited.record_error), (ExitStatus::Exited { code: 2 }, None));
    agent.ended();
}

#[test]
fn an_exit_record_is_given_up_only_by_request() {
    let mut agent = script("read line; exit 2").start();
    std::fs::create_dir(agent.layout().exit()).unwrap();
    let mut client = agent.control();
    client.send(&ClientFrame::Input(b"\n"));
    wait_for("a try to write the record", || {
        let log = std::fs::read_to_string(agent.layout().shim_log()).ok()?;
        log.contains("the exit record is not written").then_some(())
    });
    agent.signal(Signal::SIGTERM);
    let exited = client.exited();
    assert_eq!(exited.exit.how, ExitStatus::Exited { code: 2 });
    assert!(exited.record_error.is_some());
    assert!(agent.shim_ended().success());
}

/// What is written between the last look at the terminal and the last process's end counts too.
#[test]
fn the_last_words_of_a_killed_agent_are_kept() {
    let last: String = (1..=2000).map(|n| format!("{n}\r\n")).collect();
    for _ in 0..5 {
        let mut agent = script("trap 'seq 1 2000; exit 9' TERM; echo up; while :; do sleep 0.01; done").start();
        agent.wait_for_output("up");
        agent.control().send(&ClientFrame::Kill(Kill::default()));
        let exit = agent.ended();
        assert!(agent.output_text().ends_with(&last));
        assert_eq!(exit.output_end, agent.output().len() as u64);
    }
}
