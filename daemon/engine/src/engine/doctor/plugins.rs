//! The plugins of the project: those that do not run, or fail, with what they died of last.

use super::super::failure::Failure;
use super::{listed, told};
use pu_protocol::context::AssemblerError;
use pu_protocol::plugin::{Pin, PluginInfo};
use pu_protocol::{Finding, FindingState};

const LOCK_DAMAGED: &str = "lock_damaged";

pub(super) fn findings(plugins: Result<Vec<PluginInfo>, Failure>) -> Vec<Finding> {
    let plugins = match plugins {
        Ok(plugins) => plugins,
        Err(failure) => return vec![told("plugins", FindingState::Problem, failure.body)],
    };
    // It keeps every file from running, and is told once.
    let is_damage = |error: &&AssemblerError| error.code == LOCK_DAMAGED;
    if let Some(error) = plugins.iter().filter_map(|plugin| plugin.error.as_ref()).find(is_damage) {
        let detail = format!("no plugin's file runs: {}", error.message);
        let finding = Finding::problem("plugins", detail);
        return vec![finding.with_hint("repair .pu/plugins.lock, or take it back from git")];
    }
    let found: Vec<Finding> = plugins.iter().filter_map(trouble).collect();
    if !found.is_empty() {
        return found;
    }
    let names: Vec<String> = plugins.into_iter().filter(|plugin| plugin.enabled).map(|plugin| plugin.name).collect();
    if names.is_empty() {
        return vec![Finding::ok("plugins", "the chain is empty: no task gets a context")];
    }
    vec![Finding::ok("plugins", format!("in the chain, and ready: {}", listed(&names)))]
}

/// What is wrong with a plugin, if something is.
fn trouble(plugin: &PluginInfo) -> Option<Finding> {
    let name = &plugin.name;
    if let (true, Some(error)) = (plugin.enabled, &plugin.error) {
        let state = if error.code == "compiling" { FindingState::Warning } else { FindingState::Problem };
        let detail = format!("{name} does not run: {}: {}", error.code, error.message);
        return Some(Finding::new("plugins", state, detail).with_hint(hint(name, &error.code)));
    }
    match plugin.pin {
        Pin::Missing => {
            let finding = Finding::problem("plugins", format!("{name} is pinned in plugins.lock, and is not there"));
            let hint = format!("`pu plugin add PATH` puts it back, `pu plugin remove {name}` takes the pin out");
            return Some(finding.with_hint(hint));
        }
        Pin::Differs => {
            let finding = Finding::warning("plugins", format!("{name} is switched off, and is not what was pinned"));
            return Some(finding.with_hint(hint(name, "digest_mismatch")));
        }
        Pin::None | Pin::Matches => {}
    }
    let tally = &plugin.tally;
    if plugin.enabled && tally.failures_in_a_row > 0 {
        let last =
            tally.last_error.as_ref().map_or_else(String::new, |last| format!(": {}: {}", last.code, last.message));
        let detail = format!("{name} failed {} times in a row{last}", tally.failures_in_a_row);
        return Some(Finding::warning("plugins", detail).with_hint(hint(name, "")));
    }
    None
}

/// What can be done about an error of this code.
fn hint(name: &str, code: &str) -> String {
    match code {
        "digest_mismatch" => "look at what changed, then `pu plugin add PATH` accepts it".to_owned(),
        "set_aside" => format!("`pu plugin enable {name}` has it asked again; `pu plugin bench {name}` calls it"),
        "config_invalid" => format!("`pu plugin inspect {name}` shows what its configuration may be"),
        "compiling" => "a later task will have it".to_owned(),
        "" => "`pu context explain TASK` shows what it logs".to_owned(),
        _ => format!("`pu plugin inspect {name}` shows what it is, `pu plugin disable {name}` keeps it out"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::plugin::PluginTally;

    fn plugin(name: &str) -> PluginInfo {
        PluginInfo { name: name.into(), enabled: true, ..PluginInfo::default() }
    }

    fn error(code: &str) -> Option<AssemblerError> {
        Some(AssemblerError { code: code.into(), message: "because".into() })
    }

    #[test]
    fn plugins_that_run_are_one_finding_and_each_that_does_not_is_one() {
        let good = findings(Ok(vec![plugin("keyword"), PluginInfo { enabled: false, ..plugin("off") }]));
        assert_eq!(good, [Finding::ok("plugins", "in the chain, and ready: keyword")]);
        let failing = PluginTally { failures_in_a_row: 2, last_error: error("trap"), ..PluginTally::default() };
        let all = vec![
            plugin("keyword"),
            PluginInfo { error: error("set_aside"), ..plugin("a") },
            PluginInfo { error: error("compiling"), ..plugin("b") },
            PluginInfo { pin: Pin::Missing, enabled: false, ..plugin("c") },
            PluginInfo { tally: failing, ..plugin("d") },
            PluginInfo { enabled: false, error: error("wasi_import"), ..plugin("e") },
        ];
        let found = findings(Ok(all));
        let told: Vec<(FindingState, &str)> = found.iter().map(|f| (f.state, f.detail.as_str())).collect();
        assert_eq!(
            told,
            [
                (FindingState::Problem, "a does not run: set_aside: because"),
                (FindingState::Warning, "b does not run: compiling: because"),
                (FindingState::Problem, "c is pinned in plugins.lock, and is not there"),
                (FindingState::Warning, "d failed 2 times in a row: trap: because"),
            ]
        );
        assert!(found.iter().all(|finding| finding.hint.is_some()), "{found:?}");
    }

    #[test]
    fn a_damaged_lock_is_told_once() {
        let damaged = |name: &str| PluginInfo { error: error(LOCK_DAMAGED), ..plugin(name) };
        let found = findings(Ok(vec![plugin("keyword"), damaged("a"), damaged("b")]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].state, FindingState::Problem);
    }
}
