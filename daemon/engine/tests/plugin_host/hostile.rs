//! Each way to misbehave ends with its code, in time, and harms nobody else.

use std::time::Duration;

use pu_engine::plugins::FailureCode;
use pu_plugin_hostile::{Hostile, flipped};

use crate::world::{CHAIN, SPEC, World};

/// What a loaded machine may add to a deadline before a test calls it missed.
const GRACE: Duration = Duration::from_secs(3);

/// The code with which the host skips it, if it does.
fn code(world: &World, name: &str, component: &[u8]) -> Option<String> {
    match world.host.load(&world.file(name, component)) {
        Err(failure) => Some(failure.code.to_string()),
        Ok(plugin) => {
            let report = world.call(&plugin, "anything");
            // The deadline counts processor time; on the clock a call ends with the chain's, however busy the machine.
            assert!(report.elapsed < CHAIN + GRACE, "{name} took {:?}", report.elapsed);
            report.outcome.err().map(|failure| failure.code.to_string())
        }
    }
}

#[test]
fn each_ends_with_its_code_and_the_bundled_plugin_still_answers() {
    let world = World::new();
    let keyword = world.keyword().unwrap();
    for hostile in Hostile::ALL {
        let code = code(&world, hostile.name(), &hostile.component(SPEC).unwrap());
        assert_eq!(code.as_deref(), hostile.code(), "{}", hostile.name());
        let report = world.call(&keyword, "the ledger");
        assert_eq!(report.outcome.unwrap().picks[0].spec, SPEC, "after {}", hostile.name());
    }
}

#[test]
fn bits_that_are_turned_over_harm_nobody_else() {
    let world = World::new();
    let keyword = world.keyword().unwrap();
    let sound = Hostile::BadPicks.component(SPEC).unwrap();
    for number in 0..48 {
        let code = code(&world, "flipped.wasm", &flipped(&sound, number));
        let report = world.call(&keyword, "the ledger");
        assert_eq!(report.outcome.unwrap().picks[0].spec, SPEC, "after {number}, which ended with {code:?}");
    }
}

#[test]
fn bad_picks_are_dropped_and_told_and_the_sound_one_goes_on() {
    let world = World::new();
    let source = world.file("bad.wasm", &Hostile::BadPicks.component(SPEC).unwrap());
    let report = world.call(&world.host.load(&source).unwrap(), "anything");
    let picks = report.outcome.unwrap().picks;
    assert_eq!((picks.len(), picks[0].spec.as_str(), picks[0].score), (1, SPEC, 1.0));
    let told: Vec<_> = report.dropped.iter().map(|dropped| dropped.why.as_str()).collect();
    assert_eq!(
        told,
        [
            "its score is NaN",
            "its score is inf",
            "there is no such spec",
            "kept, but its score 7 was taken as 1",
            "it was picked before"
        ]
    );
}

#[test]
fn names_that_lead_upwards_or_have_a_nul_pick_nothing_and_are_shown_without_it() {
    let world = World::new();
    let source = world.file("strange.wasm", &Hostile::StrangeNames.component(SPEC).unwrap());
    let report = world.call(&world.host.load(&source).unwrap(), "anything");
    let picks = report.outcome.unwrap().picks;
    assert!(picks.iter().all(|pick| pick.spec == SPEC), "{picks:?}");
    // Whether there is such a section is for those to say who know the specs.
    let sections: Vec<_> = picks.iter().map(|pick| pick.section.as_deref()).collect();
    assert_eq!(sections, [Some("../../etc/passwd"), None]);
    assert_eq!(picks[1].reason, "../.. [2J  on purpose");
    let told: Vec<_> = report.dropped.iter().map(|dropped| format!("{}: {}", dropped.what, dropped.why)).collect();
    assert_eq!(
        told,
        [
            "pick ../../etc/passwd: there is no such spec",
            "pick /etc/passwd .md: there is no such spec",
            "pick : there is no such spec",
            "pick specs/ledger: there is no such spec",
            "pick specs/ledger: its section has more than 500 characters, or control characters",
            "pick specs/ledger: kept, but its reason was cut or had control characters"
        ]
    );
}

#[test]
fn what_a_plugin_says_of_its_own_failure_reaches_the_user() {
    let world = World::new();
    for (hostile, message) in [
        (Hostile::Refusal, "no_idea: panicked at hostile.wat:1:1: on purpose"),
        (Hostile::Panic, "it panicked at hostile.wat:1:1: on purpose"),
        (Hostile::MemoryBomb, "it wanted more than 64 MiB of memory"),
    ] {
        let source = world.file(hostile.name(), &hostile.component(SPEC).unwrap());
        let report = world.call(&world.host.load(&source).unwrap(), "anything");
        assert_eq!(report.outcome.unwrap_err().message, message);
    }
}

#[test]
fn a_log_flood_keeps_the_first_lines_and_counts_the_rest() {
    let world = World::new();
    let source = world.file("flood.wasm", &Hostile::LogFlood.component(SPEC).unwrap());
    let log = world.call(&world.host.load(&source).unwrap(), "anything").log;
    assert_eq!(log.len(), 101);
    assert_eq!(log[100], "warn: 9900 more lines were not kept");
}

#[test]
fn twenty_endless_loops_at_once_all_end_and_leave_room() {
    let world = World::new();
    let source = world.file("loop.wasm", &Hostile::EndlessLoop.component(SPEC).unwrap());
    let plugin = world.host.load(&source).unwrap();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..20).map(|_| scope.spawn(|| world.call(&plugin, "anything"))).collect();
        for call in calls {
            assert_eq!(call.join().unwrap().outcome.unwrap_err().code, FailureCode::Deadline);
        }
    });
    assert!(world.call(&world.keyword().unwrap(), "the ledger").outcome.is_ok());
}
