//! Hooks of the user's: they run, they may fail, they may not hang us.

use super::scratch::Scratch;
use crate::agents::Repository;
use pu_protocol::ErrorCode;
use std::time::{Duration, Instant};

#[test]
fn a_hook_that_hangs_is_stopped_and_nothing_is_left() {
    let scratch = Scratch::new();
    let before = scratch.traces();
    scratch.hook("post-checkout", "echo $$ > ../../../hook.pid; sleep 600");
    let git = scratch.program().with_limit(Duration::from_secs(2));
    let repository = Repository::open(git, &scratch.root()).unwrap();
    let base = repository.resolve_base(None).unwrap();

    let start = Instant::now();
    let error = repository.create_worktree("x", &base).unwrap_err().to_body();
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(error.code, ErrorCode::TimedOut);
    assert!(error.message.starts_with("cannot create the worktree in "), "{}", error.message);
    assert!(error.hint.unwrap().contains("hook"));
    assert_eq!(scratch.traces(), before);

    let hook: i32 = std::fs::read_to_string(scratch.root().join("hook.pid")).unwrap().trim().parse().unwrap();
    let hook = rustix::process::Pid::from_raw(hook).unwrap();
    // Killed before the call returned; its new parent reaps it soon after.
    while rustix::process::test_kill_process(hook).is_ok() && !is_zombie(hook) {
        assert!(start.elapsed() < Duration::from_secs(60), "the hook still runs");
        std::thread::yield_now();
    }
}

fn is_zombie(process: rustix::process::Pid) -> bool {
    let output =
        std::process::Command::new("ps").args(["-o", "stat=", "-p", &process.as_raw_nonzero().to_string()]).output();
    output.is_ok_and(|output| output.stdout.starts_with(b"Z"))
}

#[test]
fn a_hook_that_fails_is_quoted_and_nothing_is_left() {
    let scratch = Scratch::new();
    let before = scratch.traces();
    scratch.hook("post-checkout", "echo 'large files are missing' >&2; exit 3");
    let repository = scratch.repository();
    let error = repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::GitFailed);
    assert!(error.to_string().contains("large files are missing"), "{error}");
    assert_eq!(scratch.traces(), before);
}

#[test]
fn a_hook_that_refuses_the_branch_is_quoted_and_nothing_is_left() {
    let scratch = Scratch::new();
    let before = scratch.traces();
    scratch.hook("reference-transaction", "echo 'no branches today' >&2; exit 1");
    let repository = scratch.repository();
    let error = repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::GitFailed);
    assert!(error.to_string().contains("no branches today"), "{error}");
    assert_eq!(scratch.traces(), before);
}

#[test]
fn what_a_hook_puts_into_the_background_neither_delays_nor_dies() {
    let scratch = Scratch::new();
    // It keeps git's stderr open and writes into it after git has ended: SIGPIPE would end it before `alive` is there.
    let (go, alive) = (scratch.outside().join("go"), scratch.outside().join("alive"));
    assert!(std::process::Command::new("mkfifo").arg(&go).status().unwrap().success());
    let script = format!("(read line < '{}'; echo late >&2; echo late >&2; : > '{}') &", go.display(), alive.display());
    scratch.hook("post-checkout", &script);
    let repository = scratch.repository();
    let start = Instant::now();
    repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(30), "git's own end counts, not that of its pipes");
    assert!(!alive.exists());
    // Opening a fifo for writing returns when its reader is there.
    std::io::Write::write_all(&mut std::fs::File::options().write(true).open(&go).unwrap(), b"go\n").unwrap();
    while !alive.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "the background process is gone");
        std::thread::yield_now();
    }
}

#[test]
fn hooks_see_the_callers_environment() {
    let scratch = Scratch::new();
    scratch.hook("post-checkout", "echo \"$TOOL $GIT_TERMINAL_PROMPT\" > ../../../seen");
    let mut env = scratch.env();
    env.insert("TOOL".to_owned(), "of the caller".to_owned());
    let repository = Repository::open(crate::agents::Git::in_environment(env).unwrap(), &scratch.root()).unwrap();
    repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap();
    assert_eq!(std::fs::read_to_string(scratch.root().join("seen")).unwrap(), "of the caller 0\n");
}
