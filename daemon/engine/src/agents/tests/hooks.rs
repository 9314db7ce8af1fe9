//! Hooks of the user's: they run, they may fail, they may not hang us.

use super::scratch::Scratch;
use crate::agents::Repository;
use pu_protocol::ErrorCode;
use pu_record::process::ProcessIdentity;
use std::time::{Duration, Instant};

#[test]
fn a_hook_that_hangs_is_stopped_and_nothing_is_left() {
    let scratch = Scratch::new();
    let before = scratch.traces();
    scratch.hook("post-checkout", "echo $$ > ../../../hook.pid; sleep 600");
    let mut repository = scratch.repository();
    let base = repository.resolve_base(None).unwrap();
    repository.git = scratch.program().with_limit(Duration::from_secs(10));

    let (error, hook) = std::thread::scope(|scope| {
        let creating = scope.spawn(|| repository.create_worktree("x", &base).unwrap_err().to_body());
        let noted = scratch.root().join("hook.pid");
        let hook = wait_for("the hook runs", || {
            ProcessIdentity::of(std::fs::read_to_string(&noted).ok()?.strip_suffix('\n')?.parse().ok()?)
        });
        (creating.join().unwrap(), hook)
    });
    assert_eq!(error.code, ErrorCode::TimedOut);
    assert!(error.message.starts_with("cannot create the worktree in "), "{}", error.message);
    assert!(error.hint.unwrap().contains("hook"));
    assert_eq!(scratch.traces(), before);
    // Killed before the call returned, which takes effect soon after.
    wait_for("the hook is gone", || (!hook.is_alive()).then_some(()));
}

fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(Instant::now() < until, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
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
    wait_for("the background process has written on", || alive.exists().then_some(()));
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
