//! Plugins as people read of them: how they do, what they are, what was done about them, how golden tasks went.

use super::{View, count, grouped};
use crate::plugins::golden::{Golden, Score, Verdict, spelled};
use crate::plugins::language::Language;
use crate::plugins::template::{self, File};
use crate::screen::Style;
use crate::text::{brief, printable, printable_lines};
use pu_protocol::context::AssemblerError;
use pu_protocol::plugin::{Pin, PluginInfo, PluginInspection, PluginOrigin, PluginRun, PluginTimes};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So many failures in a row set a plugin aside.
const SET_ASIDE_AFTER: u32 = 5;
const NAME_MAX: usize = 50;
const DIGEST_SHOWN: usize = 12;

/// The table of `pu plugin list`, and below it the last error of each plugin that had one.
pub(crate) fn list(plugins: &[PluginInfo], view: &View) -> String {
    if plugins.is_empty() {
        return "no plugins; write one: pu plugin new NAME".to_owned();
    }
    let rows = plugins.iter().map(|plugin| {
        [
            plugin.name.clone(),
            origin(plugin.origin).to_owned(),
            plugin.version.clone(),
            state(plugin),
            grouped(plugin.tally.calls),
            time(plugin.tally.p50_us),
            time(plugin.tally.p99_us),
            grouped(plugin.tally.picks),
        ]
    });
    let headings = ["NAME", "ORIGIN", "VERSION", "STATE", "CALLS", "P50", "P99", "PICKS"];
    let mut lines = vec![view.table(headings, rows)];
    for plugin in plugins {
        if let Some(grants) = grants(plugin) {
            lines.push(view.style.dim(&format!("{}: {grants}", printable(&plugin.name))));
        }
        if let Some(error) = plugin.error.as_ref().or(plugin.tally.last_error.as_ref()) {
            lines.push(view.style.warn(&format!("{}: {}", printable(&plugin.name), error_text(error))));
        }
    }
    lines.join("\n")
}

/// What it needs beside specs, and what it was granted, if there is anything to tell.
fn grants(plugin: &PluginInfo) -> Option<String> {
    let words = |words: &[String]| match words {
        [] => "nothing".to_owned(),
        words => words.iter().map(|word| printable(word)).collect::<Vec<_>>().join(", "),
    };
    if plugin.needs.is_empty() && plugin.grants.is_empty() {
        return None;
    }
    Some(format!("needs {}, was granted {}", words(&plugin.needs), words(&plugin.grants)))
}

fn origin(origin: PluginOrigin) -> &'static str {
    match origin {
        PluginOrigin::Bundled => "bundled",
        PluginOrigin::Project => "project",
        PluginOrigin::Home => "home",
    }
}

/// How it stands, in a word or two: what keeps it from running comes first.
fn state(plugin: &PluginInfo) -> String {
    match (&plugin.error, plugin.pin) {
        _ if !plugin.enabled => "off".to_owned(),
        (_, Pin::Differs) => "pin differs".to_owned(),
        (_, Pin::Missing) => "missing".to_owned(),
        (Some(error), _) => error.code.clone(),
        _ if plugin.tally.failures_in_a_row >= SET_ASIDE_AFTER => "set_aside".to_owned(),
        (None, Pin::None) if plugin.origin != PluginOrigin::Bundled => "not pinned".to_owned(),
        (None, Pin::None | Pin::Matches) => "ready".to_owned(),
    }
}

fn error_text(error: &AssemblerError) -> String {
    format!("{}: {}", printable(&error.code), printable(&error.message))
}

/// A time that may not be known.
fn time(microseconds: Option<u64>) -> String {
    microseconds.map_or_else(|| "-".to_owned(), micros)
}

/// Microseconds in a unit that people read.
fn micros(time: u64) -> String {
    match time {
        0..1_000 => format!("{time} µs"),
        1_000..1_000_000 => format!("{:.1} ms", time as f64 / 1e3),
        _ => format!("{:.1} s", time as f64 / 1e6),
    }
}

pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// The table of `pu plugin verify`.
pub(crate) fn pins(plugins: &[PluginInfo], view: &View) -> String {
    let from_files: Vec<&PluginInfo> =
        plugins.iter().filter(|plugin| plugin.origin != PluginOrigin::Bundled || plugin.pin != Pin::None).collect();
    if from_files.is_empty() {
        return "no plugins but the bundled ones: nothing to verify".to_owned();
    }
    let rows = from_files.iter().map(|plugin| {
        let digest: String = plugin.digest.chars().take(DIGEST_SHOWN).collect();
        let path = plugin.path.as_ref().map(|path| path.to_string_lossy().into_owned());
        [plugin.name.clone(), pin(plugin.pin).to_owned(), plugin.version.clone(), digest, path.unwrap_or_default()]
    });
    let table = view.table(["NAME", "PIN", "VERSION", "SHA-256", "FILE"], rows);
    let bad = from_files.iter().filter(|plugin| matches!(plugin.pin, Pin::Differs | Pin::Missing)).count();
    let unpinned = from_files.iter().filter(|plugin| plugin.pin == Pin::None).count();
    let mut lines = vec![table];
    if let Some(error) = lock_damage(plugins) {
        lines.push(view.style.bad(&error_text(error)));
        return lines.join("\n");
    }
    if bad > 0 {
        let text = format!("{} not what was pinned; `pu plugin add` pins what is to run", are(bad));
        lines.push(view.style.bad(&text));
    }
    if unpinned > 0 {
        lines.push(view.style.warn(&format!("{} not pinned: whatever lies there runs", are(unpinned))));
    }
    if bad + unpinned == 0 {
        lines.push(view.style.good("every plugin is what was pinned"));
    }
    lines.join("\n")
}

/// What is wrong with `plugins.lock`, if that cannot be read: what it pins is not known then.
pub(crate) fn lock_damage(plugins: &[PluginInfo]) -> Option<&AssemblerError> {
    plugins.iter().filter_map(|plugin| plugin.error.as_ref()).find(|error| error.code == "lock_damaged")
}

fn are(number: usize) -> String {
    format!("{} {}", count(number, "plugin"), if number == 1 { "is" } else { "are" })
}

fn pin(pin: Pin) -> &'static str {
    match pin {
        Pin::None => "none",
        Pin::Matches => "matches",
        Pin::Differs => "DIFFERS",
        Pin::Missing => "MISSING",
    }
}

/// What a component says of itself.
pub(crate) fn inspection(inspection: &PluginInspection, style: Style) -> String {
    let i = inspection;
    let mut lines = vec![
        format!("{} {}", style.bold(&printable(&i.name)), printable(&i.version)),
        format!("does      {}", printable(&i.description)),
        format!("licence   {}", printable(&i.licence)),
        format!("contract  purepoint:context@{}", printable(&i.contract)),
        format!("imports   {}", joined(&i.imports)),
        format!("needs     {}", joined(&i.needs)),
        format!("exports   {}", joined(&i.exports)),
        format!("size      {} ({} bytes)", size(i.size), grouped(i.size)),
        format!("sha256    {}", printable(&i.digest)),
        format!("deadline  {} ms a call", grouped(i.deadline_ms)),
    ];
    match &i.config {
        None => lines.push("config    none".to_owned()),
        Some(schema) => {
            let text = serde_json::to_string_pretty(schema).unwrap_or_default();
            lines.push("config    JSON Schema:".to_owned());
            lines.extend(printable_lines(&text).lines().map(|line| format!("  {line}")));
        }
    }
    lines.join("\n")
}

fn joined(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<_> = names.iter().map(|name| printable(name)).collect();
    names.join("\n          ")
}

/// What was done to a plugin, and in which files.
pub(crate) fn changed(verb: &str, plugin: &PluginInfo, changed: &[PathBuf], style: Style) -> String {
    let mut lines = vec![format!("{verb} {} {}", style.bold(&printable(&plugin.name)), printable(&plugin.version))];
    lines.extend(changed.iter().map(|file| format!("changed   {}", printable(&file.to_string_lossy()))));
    if let Some(error) = &plugin.error {
        lines.push(style.warn(&format!("but       {}", error_text(error))));
    }
    if verb == "added" && !plugin.enabled {
        let name = printable(&plugin.name);
        lines.push(style.warn(&format!("but       it is not in the chain: pu plugin enable {name}")));
    }
    lines.join("\n")
}

/// A plugin that was built.
pub(crate) fn built(
    inspection: &PluginInspection,
    language: Language,
    out: &Path,
    took: Duration,
    style: Style,
) -> String {
    let name = style.bold(&printable(&inspection.name));
    [
        format!("built {name} {} from {}", printable(&inspection.version), language.name()),
        format!("wrote     {}", printable(&out.to_string_lossy())),
        format!("size      {} ({} bytes)", size(inspection.size), grouped(inspection.size)),
        format!("imports   {}", joined(&inspection.imports)),
        format!("took      {:.1} s", took.as_secs_f64()),
    ]
    .join("\n")
}

pub(crate) fn times(plugin: &str, times: &PluginTimes, style: Style) -> String {
    let mut lines = vec![
        format!("{} called {}", style.bold(&printable(plugin)), count(times.rounds as usize, "time")),
        format!("load      {}", micros(times.load_us)),
        format!("p50       {}", micros(times.p50_us)),
        format!("p99       {}", micros(times.p99_us)),
        format!("longest   {}", micros(times.max_us)),
    ];
    if times.failures > 0 {
        lines.push(style.bad(&format!("failed    {}", count(times.failures as usize, "call"))));
    }
    lines.join("\n")
}

/// A project that was written, and what to do with it.
pub(crate) fn created(
    name: &str,
    language: Language,
    dir: &Path,
    files: &[File],
    own_sdk: bool,
    style: Style,
) -> String {
    let dir = dir.to_string_lossy();
    let mut lines = vec![
        format!("{} is a plugin in {} now: {}", style.bold(name), language.name(), printable(&dir)),
        format!("wrote     {}", count(files.len(), "file")),
    ];
    let enter = format!("cd {}", shell_words::quote(&dir));
    let steps = [enter.as_str()].into_iter().chain(template::setup(language).iter().copied());
    let steps = steps.chain(["pu init", "pu plugin build", "pu plugin test"]);
    for (at, step) in steps.enumerate() {
        let head = if at == 0 { "next" } else { "" };
        lines.push(style.dim(&format!("{head:<9} {}", printable(step))));
    }
    if language == Language::Rust && !own_sdk {
        let note = "note      Cargo.toml takes pu-plugin-sdk from the registry. To take it from a checkout of PurePoint: \
                    `pu plugin new --sdk CHECKOUT/plugin-sdk`, or `pu-plugin-sdk = { path = \"…\" }` there";
        lines.push(style.dim(note));
    }
    lines.join("\n")
}

/// How golden tasks went; `renewed` is how many tasks were written anew, and where.
pub(crate) fn tested(
    golden: &Golden,
    runs: &[PluginRun],
    verdicts: &[Verdict],
    renewed: Option<(usize, &Path)>,
    view: &View,
) -> String {
    let all = golden.tasks.iter().zip(runs).zip(verdicts);
    let rows = all.clone().map(|((task, run), verdict)| {
        let picks: Vec<String> = run.picks.iter().map(spelled).collect();
        let result = if verdict.passed() { "pass" } else { "FAIL" };
        [brief(task.title(), NAME_MAX), result.to_owned(), picks.join(", "), micros(run.report.elapsed_us)]
    });
    let mut lines = vec![view.table(["TASK", "RESULT", "PICKS", "TIME"], rows)];
    for ((task, _), verdict) in all {
        let name = brief(task.title(), NAME_MAX);
        lines.extend(verdict.reasons.iter().map(|why| view.style.bad(&format!("{name}: {}", printable(why)))));
    }
    if let Some((tasks, file)) = renewed {
        lines.push(format!("renewed   {} in {}", count(tasks, "task"), printable(&file.to_string_lossy())));
    }
    lines.push(summary(&Score::of(verdicts), view.style));
    lines.join("\n")
}

fn summary(score: &Score, style: Style) -> String {
    let of = |name: &str, ratio: Option<f64>, part: usize, whole: usize| {
        ratio.map_or_else(|| format!("{name} -"), |ratio| format!("{name} {ratio:.2} ({part} of {whole})"))
    };
    let text = format!(
        "{} of {} pass, {}, {}",
        score.passed,
        count(score.passed + score.failed, "task"),
        of("recall", score.recall(), score.found, score.wanted),
        of("precision", score.precision(), score.right, score.picked)
    );
    if score.failed == 0 { style.good(&text) } else { style.bad(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::golden;
    use crate::render::tests::view;
    use pu_protocol::context::{AssemblerReport, Pick};
    use pu_protocol::plugin::PluginTally;
    use serde_json::json;

    fn plugin(name: &str, origin: PluginOrigin, pin: Pin) -> PluginInfo {
        PluginInfo {
            name: name.into(),
            origin,
            pin,
            version: "0.1.0".into(),
            digest: "0123456789abcdef".into(),
            enabled: true,
            ..Default::default()
        }
    }

    #[test]
    fn a_list_tells_how_each_plugin_does_and_what_it_died_of() {
        let error = AssemblerError { code: "deadline".into(), message: "longer than 50 ms \x1b[2J".into() };
        let mut keyword = plugin("keyword", PluginOrigin::Bundled, Pin::None);
        keyword.tally =
            PluginTally { calls: 1_234, p50_us: Some(480), p99_us: Some(1_520), picks: 99, ..Default::default() };
        let mut slow = plugin("slow", PluginOrigin::Project, Pin::Matches);
        slow.tally = PluginTally { calls: 7, failures_in_a_row: 5, last_error: Some(error), ..Default::default() };
        slow.needs = vec!["state".into(), "history".into()];
        slow.grants = vec!["history".into()];
        insta::assert_snapshot!(list(&[keyword, slow], &view()), @r"
        NAME     ORIGIN   VERSION  STATE      CALLS  P50     P99     PICKS
        keyword  bundled  0.1.0    ready      1,234  480 µs  1.5 ms  99
        slow     project  0.1.0    set_aside  7      -       -       0
        slow: needs state, history, was granted history
        slow: deadline: longer than 50 ms \u{1b}[2J
        ");
        assert!(list(&[], &view()).contains("pu plugin new"));
    }

    #[test]
    fn what_keeps_a_plugin_from_running_is_its_state() {
        let project = |pin| plugin("p", PluginOrigin::Project, pin);
        let with_error = |pin| {
            let error = Some(AssemblerError { code: "wasi_import".into(), message: String::new() });
            PluginInfo { error, ..project(pin) }
        };
        let off = |plugin: PluginInfo| PluginInfo { enabled: false, ..plugin };
        for (plugin, wanted) in [
            (project(Pin::Matches), "ready"),
            (project(Pin::None), "not pinned"),
            (project(Pin::Differs), "pin differs"),
            (project(Pin::Missing), "missing"),
            (plugin("p", PluginOrigin::Bundled, Pin::None), "ready"),
            (with_error(Pin::None), "wasi_import"),
            (with_error(Pin::Differs), "pin differs"),
            (off(with_error(Pin::Differs)), "off"),
        ] {
            assert_eq!(state(&plugin), wanted);
        }
    }

    #[test]
    fn pins_are_told_one_by_one_and_then_in_a_sentence() {
        let bundled = plugin("keyword", PluginOrigin::Bundled, Pin::None);
        let mut ledger = plugin("ledger", PluginOrigin::Project, Pin::Differs);
        ledger.path = Some("/p/.pu/plugins/ledger.wasm".into());
        let loose = plugin("loose", PluginOrigin::Home, Pin::None);
        insta::assert_snapshot!(pins(&[bundled.clone(), ledger, loose], &view()), @r"
        NAME    PIN      VERSION  SHA-256       FILE
        ledger  DIFFERS  0.1.0    0123456789ab  /p/.pu/plugins/ledger.wasm
        loose   none     0.1.0    0123456789ab
        1 plugin is not what was pinned; `pu plugin add` pins what is to run
        1 plugin is not pinned: whatever lies there runs
        ");
        assert!(pins(&[bundled], &view()).contains("nothing to verify"));
        let good = plugin("ledger", PluginOrigin::Project, Pin::Matches);
        assert!(pins(std::slice::from_ref(&good), &view()).ends_with("every plugin is what was pinned"));
        let error = AssemblerError { code: "lock_damaged".into(), message: "plugins.lock, line 3".into() };
        let unknown = PluginInfo { pin: Pin::None, error: Some(error), ..good };
        assert!(pins(&[unknown], &view()).ends_with("lock_damaged: plugins.lock, line 3"));
    }

    #[test]
    fn what_was_added_and_does_not_run_says_how_it_will() {
        let off = PluginInfo { enabled: false, ..plugin("ledger", PluginOrigin::Project, Pin::Matches) };
        let told = |verb| changed(verb, &off, &[], Style::PLAIN);
        assert!(told("added").ends_with("it is not in the chain: pu plugin enable ledger"), "{}", told("added"));
        assert_eq!(told("removed"), "removed ledger 0.1.0");
    }

    #[test]
    fn an_inspection_says_all_that_a_plugin_can_reach() {
        let ledger = PluginInspection {
            name: "ledger".into(),
            version: "0.1.0".into(),
            description: "Billing tasks\x07".into(),
            licence: "MIT".into(),
            contract: "0.1.1".into(),
            imports: vec!["purepoint:context/specs@0.1.1".into(), "purepoint:context/state@0.1.1".into()],
            needs: vec!["state".into()],
            exports: vec!["assemble".into()],
            size: 52_345,
            digest: "abcd".into(),
            config: Some(json!({ "type": "object" })),
            deadline_ms: 50,
        };
        insta::assert_snapshot!(inspection(&ledger, Style::PLAIN), @r#"
        ledger 0.1.0
        does      Billing tasks\u{7}
        licence   MIT
        contract  purepoint:context@0.1.1
        imports   purepoint:context/specs@0.1.1
                  purepoint:context/state@0.1.1
        needs     state
        exports   assemble
        size      51.1 KiB (52,345 bytes)
        sha256    abcd
        deadline  50 ms a call
        config    JSON Schema:
          {
            "type": "object"
          }
        "#);
    }

    #[test]
    fn golden_tasks_are_a_table_their_faults_and_a_score() {
        let golden = Golden::parse(
            "[[task]]\nname = \"billing\"\nprompt = \"Fix billing\"\nmust_pick = [\"LEDGER\", \"TAX\"]\n\
             [[task]]\nprompt = \"Fix the login page\"\nmust_not_pick = [\"*\"]\n",
        )
        .unwrap();
        let pick = Pick { spec: "LEDGER".into(), section: Some("sides".into()), ..Default::default() };
        let run = |picks: &[Pick], elapsed_us| PluginRun {
            report: AssemblerReport { elapsed_us, ..Default::default() },
            picks: picks.to_vec(),
            ..Default::default()
        };
        let runs = [run(&[pick], 512), run(&[], 90)];
        let verdicts: Vec<Verdict> = golden.tasks.iter().zip(&runs).map(|(t, r)| golden::judge(t, r)).collect();
        insta::assert_snapshot!(tested(&golden, &runs, &verdicts, None, &view()), @r"
        TASK                RESULT  PICKS         TIME
        billing             FAIL    LEDGER#sides  512 µs
        Fix the login page  pass                  90 µs
        billing: does not pick TAX
        1 of 2 tasks pass, recall 0.50 (1 of 2), precision 1.00 (1 of 1)
        ");
        let renewed = tested(&golden, &runs, &verdicts, Some((1, Path::new("/p/golden.toml"))), &view());
        assert!(renewed.contains("renewed   1 task in /p/golden.toml"), "{renewed}");
    }

    #[test]
    fn a_new_project_says_what_to_do_next() {
        let files = template::files(Language::Js, "ledger", None);
        insta::assert_snapshot!(created("ledger", Language::Js, Path::new("my ledger"), &files, false, Style::PLAIN), @r"
        ledger is a plugin in JavaScript now: my ledger
        wrote     10 files
        next      cd 'my ledger'
                  npm install
                  pu init
                  pu plugin build
                  pu plugin test
        ");
        let rust = |own_sdk| created("ledger", Language::Rust, Path::new("l"), &files, own_sdk, Style::PLAIN);
        assert!(rust(false).contains("--sdk") && !rust(true).contains("--sdk"));
    }

    #[test]
    fn times_and_sizes_that_people_read() {
        for (value, text) in [(0, "0 µs"), (999, "999 µs"), (1_000, "1.0 ms"), (2_500_000, "2.5 s")] {
            assert_eq!(micros(value), text);
        }
        for (bytes, text) in [(6, "6 bytes"), (6_067, "5.9 KiB"), (12_100_663, "11.5 MiB")] {
            assert_eq!(size(bytes), text);
        }
        let slow =
            PluginTimes { rounds: 200, load_us: 260, p50_us: 17_000, p99_us: 30_000, max_us: 31_000, failures: 1 };
        let told = times("js", &slow, Style::PLAIN);
        assert!(told.contains("called 200 times") && told.contains("p50       17.0 ms") && told.ends_with("1 call"));
    }
}
