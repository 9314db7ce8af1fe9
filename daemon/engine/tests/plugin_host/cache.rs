//! Compiled plugins: kept, checked, and made anew on any doubt; the compiler's child has its limits.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use pu_engine::plugins::{
    CompileLimits, CompilerCommand, FailureCode, HostLimits, Patience, PluginFailure, PluginHost, PluginSource, sha256,
};
use pu_plugin_hostile::Hostile;

use crate::world::{SPEC, World, entries, limits};

fn nobody() -> CompilerCommand {
    CompilerCommand::engine("/nonexistent/pu-engine")
}

fn keyword(world: &World, compiler: CompilerCommand) -> Result<(), PluginFailure> {
    let host = PluginHost::new(&world.cache(), compiler, limits())?;
    host.load(&PluginSource::Bundled("keyword".into())).map(|_| ())
}

#[allow(clippy::disallowed_methods, reason = "the damage that the test is about")]
fn damage(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_in_the_cache_needs_no_compiler() {
    let world = World::new();
    assert_eq!(keyword(&world, nobody()).unwrap_err().code, FailureCode::CompileFailed);
    world.keyword().unwrap();
    keyword(&world, nobody()).unwrap();
}

#[test]
fn a_poisoned_entry_is_never_loaded_but_compiled_anew() {
    for ending in ["cwasm", "seal"] {
        let world = World::new();
        world.keyword().unwrap();
        let sound = std::fs::read(&entries(&world.cache(), ending)[0]).unwrap();
        damage(&entries(&world.cache(), ending)[0]);
        assert_eq!(keyword(&world, nobody()).unwrap_err().code, FailureCode::CompileFailed, "{ending}");
        keyword(&world, CompilerCommand::engine(env!("CARGO_BIN_EXE_pu-engine"))).unwrap();
        assert_eq!(std::fs::read(&entries(&world.cache(), ending)[0]).unwrap(), sound, "{ending}");
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the damage that the test is about")]
fn an_entry_with_a_digest_that_fits_is_no_sound_one() {
    let world = World::new();
    world.keyword().unwrap();
    let [code, seal] = ["cwasm", "seal"].map(|ending| entries(&world.cache(), ending)[0].clone());
    damage(&code);
    std::fs::write(seal, sha256(&std::fs::read(code).unwrap())).unwrap();
    assert_eq!(keyword(&world, nobody()).unwrap_err().code, FailureCode::CompileFailed);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the damage that the test is about")]
fn an_entry_does_not_stand_in_for_another() {
    let world = World::new();
    world.keyword().unwrap();
    let names = ["cwasm", "seal"].map(|ending| entries(&world.cache(), ending)[0].clone());
    let theirs = names.clone().map(|name| std::fs::read(name).unwrap());
    let other = world.file("other.wasm", &Hostile::Empty.component(SPEC).unwrap());
    world.host.load(&other).unwrap();
    for (ending, bytes) in ["cwasm", "seal"].into_iter().zip(theirs) {
        let all = entries(&world.cache(), ending);
        let own = all.iter().find(|path| !names.contains(path)).unwrap();
        std::fs::write(own, bytes).unwrap();
    }
    let host = PluginHost::new(&world.cache(), nobody(), limits()).unwrap();
    assert_eq!(host.load(&other).unwrap_err().code, FailureCode::CompileFailed);
    host.load(&PluginSource::Bundled("keyword".into())).unwrap();
}

#[test]
fn the_cache_is_the_user_s_alone_and_holds_nothing_half_made() {
    let world = World::new();
    world.keyword().unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.cache()), 0o700);
    let files: Vec<_> = std::fs::read_dir(world.cache()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600));
}

#[test]
fn a_compiler_that_takes_too_long_is_ended() {
    let compiler = CompilerCommand { program: "/bin/sh".into(), args: vec!["-c".into(), "exec sleep 600".into()] };
    let compile = CompileLimits { wall: Duration::from_millis(200), ..CompileLimits::default() };
    let world = World::with(compiler, HostLimits { compile, ..limits() });
    let failure = world.keyword().unwrap_err();
    assert_eq!(failure.code, FailureCode::CompileLimit);
    // Asked again, neither this host nor the next one tries again.
    assert_eq!(world.keyword().unwrap_err(), failure);
    assert_eq!(keyword(&world, nobody()).unwrap_err(), failure);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a signal to the test's own compiler")]
fn a_task_does_not_wait_for_a_slow_compiler_and_a_later_one_has_the_plugin() {
    let sign = tempfile::tempdir().unwrap();
    let script = format!(
        "until [ -e {}/go ]; do sleep 0.01; done; exec {} compile-plugin \"$1\" \"$2\"",
        sign.path().display(),
        env!("CARGO_BIN_EXE_pu-engine")
    );
    let compiler = CompilerCommand { program: "/bin/sh".into(), args: vec!["-c".into(), script, "sh".into()] };
    let world = World::with(compiler, HostLimits { compile_wait: Duration::from_millis(10), ..limits() });
    let source = PluginSource::Bundled("keyword".into());
    let now = || world.host.load_within(&source, Patience::Task).map(|_| ());
    assert_eq!(now().unwrap_err().code, FailureCode::Compiling);
    assert_eq!(now().unwrap_err().code, FailureCode::Compiling, "it is not begun a second time");
    std::fs::write(sign.path().join("go"), "").unwrap();
    world.host.load(&source).unwrap();
    now().unwrap();
    assert_eq!(entries(&world.cache(), "cwasm").len(), 1);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "what a killed daemon leaves")]
fn what_a_killed_daemon_left_half_made_is_removed() {
    let world = World::new();
    world.keyword().unwrap();
    let half = world.cache().join(".0123.99-0.wasm");
    std::fs::write(&half, "half").unwrap();
    keyword(&world, nobody()).unwrap();
    assert!(!half.exists());
}

#[test]
fn a_compiler_that_takes_too_much_memory_is_ended() {
    if cfg!(target_os = "macos") {
        return; // Does not enforce a limit of address space.
    }
    let compile = CompileLimits { memory: 24 << 20, ..CompileLimits::default() };
    let world =
        World::with(CompilerCommand::engine(env!("CARGO_BIN_EXE_pu-engine")), HostLimits { compile, ..limits() });
    let failure = world.keyword().unwrap_err();
    assert!(matches!(failure.code, FailureCode::CompileLimit | FailureCode::CompileFailed), "{failure}");
}

#[test]
fn a_file_that_is_replaced_acts_at_the_next_load() {
    let world = World::new();
    let keyword = pu_engine::plugins::bundled()[0].bytes;
    let source = world.file("plugin.wasm", keyword);
    let first = world.host.load(&source).unwrap();
    let mut changed = keyword.to_vec();
    changed.extend([0, 3, 1, b'x', b'y']); // one more custom section
    world.file("plugin.wasm", &changed);
    let second = world.host.load(&source).unwrap();
    assert_ne!(first.digest(), second.digest());
    assert!(world.call(&first, "the ledger").outcome.is_ok(), "a call on the old one still runs");
}

#[test]
fn a_file_that_is_no_plugin_is_refused_by_name() {
    let world = World::new();
    let missing = PluginSource::File(world.folder.path().join("gone.wasm"));
    let failure = world.host.load(&missing).unwrap_err();
    assert_eq!(failure.code, FailureCode::Unreadable);
    assert!(failure.message.contains("gone.wasm"), "{failure}");
    let unknown = PluginSource::Bundled("nope".into());
    assert_eq!(world.host.load(&unknown).unwrap_err().code, FailureCode::Unreadable);
}
