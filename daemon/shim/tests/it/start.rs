//! Starting: what the agent finds, and what a start that fails says and leaves behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pu_protocol::frame::{ExitStatus, TerminalSize};

use crate::world::{command, script};

#[test]
fn the_agent_finds_its_folder_environment_terminal_and_size() {
    let text =
        "pwd -P; echo $MARK; echo $TERM/$COLORTERM; stty size; test -t 0 && test -t 1 && echo tty; env | wc -l; exit 0";
    let mut launch = script(text);
    launch.record.size = TerminalSize::new(123, 45);
    launch.env.push(("TERM".into(), "of-the-daemon".into()));
    let mut agent = launch.start();
    let cwd = fs::canonicalize(agent.cwd()).unwrap();
    agent.ended();
    let text = agent.output_text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..5], [cwd.to_str().unwrap(), "of the test", "xterm-256color/truecolor", "45 123", "tty"]);
    // PATH, MARK, TERM, COLORTERM and two for hooks; sh adds PWD, and some shells OLDPWD, SHLVL and _.
    assert!(lines[5].trim().parse::<u32>().unwrap() <= 10, "nothing else: {text}");
}

#[test]
fn a_terminal_type_that_the_launch_chose_is_kept() {
    let mut launch = script("echo $TERM");
    launch.env.push(("TERM".into(), "vt100".into()));
    launch.record.env_names = vec!["TERM".into()];
    let mut agent = launch.start();
    agent.ended();
    assert_eq!(agent.output_text(), "vt100\r\n");
}

#[test]
fn the_agent_has_the_limit_of_open_files_that_the_daemon_began_with() {
    let mut launch = script("ulimit -n; ulimit -Hn");
    launch.record.file_limit = Some(101);
    let mut agent = launch.start();
    agent.ended();
    let text = agent.output_text();
    let (soft, hard) = text.trim_end().split_once("\r\n").unwrap();
    assert_eq!(soft, "101");
    assert_ne!(hard, "101", "it may raise it again");
}

/// macOS refuses such a limit, and then the limit stays.
#[cfg(target_os = "linux")]
#[test]
fn a_limit_above_what_is_allowed_is_cut_to_that() {
    let mut launch = script("test $(ulimit -n) = $(ulimit -Hn)");
    launch.record.file_limit = Some(u64::MAX);
    assert_eq!(launch.start().ended().how, ExitStatus::Exited { code: 0 });
}

#[test]
fn the_record_and_the_socket_are_private_and_true() {
    let agent = script("echo up; read line").start();
    let record = &agent.record;
    assert!(record.shim.is_alive() && record.child.is_alive());
    assert_eq!(record.shim.pid, agent.shim_pid());
    assert!(record.binary.ends_with("pu-shim"), "{:?}", record.binary);
    assert_eq!(&pu_record::shim::ShimRecord::read(&agent.layout().shim()).unwrap(), record);
    for path in [agent.layout().socket(), agent.layout().shim()] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let welcome = agent.connect(pu_protocol::frame::Hello::default()).welcome();
    assert_eq!((welcome.agent_id.as_str(), welcome.child_pid), ("a-test", record.child.pid));
}

#[test]
fn a_start_that_fails_says_why_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let no_interpreter = folder.path().join("script");
    pu_record::atomic::write_atomic(&no_interpreter, b"#!/no/such/interpreter\n", 0o755).unwrap();

    let mut cases = vec![
        (command(&["no-such-command-anywhere"]), "command_not_found"),
        (command(&["./nothing/here"]), "command_not_found"),
        (command(&[]), "command_not_found"),
        (command(&[no_interpreter.to_str().unwrap()]), "exec_failed"),
    ];
    let mut nowhere = script("true");
    nowhere.record.cwd = folder.path().join("gone");
    cases.push((nowhere, "cwd_missing"));
    let blocked = script("true");
    pu_record::atomic::write_atomic(&blocked.layout().output(), b"", 0o600).unwrap();
    cases.push((blocked, "record_unwritable"));

    for (launch, code) in cases {
        let failure = launch.start_in_vain();
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(!failure.message.is_empty() && !failure.hint.is_empty());
        assert!(!launch.layout().socket().exists(), "{code}: no socket");
        assert!(!launch.layout().shim().exists(), "{code}: no record");
    }
}

/// On Linux only, where what has left the agent's session and lost its parent can be found.
#[cfg(target_os = "linux")]
#[test]
fn an_agent_whose_record_cannot_be_written_does_not_stay() {
    let text = "(setsid sh -c 'trap \"\" TERM HUP; while :; do echo $$ >> pids; sleep 0.05; done' &); sleep 1000";
    let launch = script(text);
    fs::create_dir(launch.layout().shim()).unwrap();
    assert_eq!(launch.start_in_vain().code, "record_unwritable");
    assert!(!launch.layout().socket().exists());
    // However far it came by then, all that it started stands in its folder.
    let folder = fs::canonicalize(launch.folder.path()).unwrap();
    let stands_there = |cwd| fs::read_link(cwd).is_ok_and(|cwd| cwd == folder);
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let left: Vec<_> = processes.map(|process| process.path()).filter(|path| stands_there(path.join("cwd"))).collect();
    assert!(left.is_empty(), "{left:?}");
    let pids = fs::read_to_string(folder.join("pids")).unwrap_or_default();
    for pid in pids.lines() {
        assert_eq!(pu_record::process::ProcessIdentity::of(pid.parse().unwrap()), None);
    }
}

#[test]
fn a_folder_too_deep_for_a_socket_is_refused_by_name() {
    let mut launch = script("true");
    let deep = launch.folder.path().join("d".repeat(120));
    fs::create_dir(&deep).unwrap();
    let outer = std::mem::replace(&mut launch.folder, tempfile::tempdir_in(deep).unwrap());
    assert_eq!(launch.start_in_vain().code, "socket_path_too_long");
    drop(outer);
}

#[test]
fn a_second_shim_does_not_touch_the_first() {
    let agent = script("read line; echo got $line").start();
    let failure = agent.launch.start_in_vain();
    assert_eq!(failure.code, "already_running");
    let mut agent = agent;
    let mut client = agent.control();
    client.send(&pu_protocol::frame::ClientFrame::Input(b"hello\n"));
    client.done("input");
    assert_eq!(agent.ended().how, ExitStatus::Exited { code: 0 });
    agent.wait_for_output("got hello");
}

#[test]
fn it_says_of_which_release_it_is() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pu-shim")).arg("--version").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), concat!("pu-shim ", env!("CARGO_PKG_VERSION"), "\n"));
}
