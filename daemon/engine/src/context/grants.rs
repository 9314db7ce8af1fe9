//! Whether a plugin was granted what it imports. Asked before a plugin is called: what is imported and not granted keeps
//! it from running.
//!
//! It changes no configuration; it says what to write where.

use pu_protocol::context::AssemblerError;

use super::config::AssemblerConfig;
use super::config_place::ConfigFiles;
use crate::plugins::Grant;

const GRANT_MISSING: &str = "grant_missing";

/// Fails where an assembler needs what its place in the chain does not grant it.
pub(super) fn check(needs: &[Grant], config: &AssemblerConfig, files: &ConfigFiles) -> Result<(), AssemblerError> {
    let missing: Vec<Grant> = needs.iter().copied().filter(|grant| !config.grants.contains(grant)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let interfaces: Vec<String> = missing.iter().map(|grant| format!("purepoint:context/{grant}")).collect();
    let flags: String = missing.iter().map(|grant| format!(" --grant {grant}")).collect();
    let command = format!("`pu plugin enable {}{flags}`", config.name);
    // With what it has already: a list stands in place of the one that there is, in whichever file.
    let mut all = config.clone();
    all.grant(&missing);
    let list = all.grants.iter().map(|grant| format!("\"{grant}\"")).collect::<Vec<String>>().join(", ");
    let how = match files.table(&config.name) {
        Some(place) => format!("{command} does it, or `grants = [{list}]` in its table ({place})"),
        None => {
            let (name, file) = (&config.name, files.project.display());
            format!("{command} does it, or `{name} = [{list}]` under `[context.grants]` in {file}")
        }
    };
    let message = format!("it imports {}, which it was not granted: if that is meant, {how}", interfaces.join(" and "));
    Err(AssemblerError { code: GRANT_MISSING.to_owned(), message })
}

/// The words for them.
pub(super) fn words(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(Grant::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::super::maps::Maps;
    use super::*;

    fn files(folder: &tempfile::TempDir, text: &str) -> ConfigFiles {
        let project = folder.path().join("config.toml");
        pu_record::atomic::write_atomic(&project, text.as_bytes(), 0o600).unwrap();
        let maps = Maps { root: folder.path().to_owned(), folder: folder.path().join("context") };
        ConfigFiles { project, user: folder.path().join("none.toml"), maps }
    }

    #[test]
    fn what_is_granted_runs_and_what_is_not_is_told_with_what_to_write_where() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "[context]\nbudget = 3\n\n[[context.assembler]]\nname = \"ledger\"\n[context.assembler.config]\nx = 1\n";
        let files = files(&folder, text);
        let mut ledger = AssemblerConfig::plain("ledger");
        check(&[], &ledger, &files).unwrap();
        ledger.grants = vec![Grant::History];
        check(&[Grant::History], &ledger, &files).unwrap();
        let error = check(&Grant::ALL, &ledger, &files).unwrap_err();
        assert_eq!(error.code, "grant_missing");
        for part in [
            "purepoint:context/state, which",
            "`pu plugin enable ledger --grant state`",
            "`grants = [\"history\", \"state\"]`",
            "config.toml, line 4)",
        ] {
            assert!(error.message.contains(part), "{part} is not in: {}", error.message);
        }
    }

    #[test]
    fn a_plugin_that_no_chain_names_can_be_granted_it_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(&folder, "");
        let error = check(&Grant::ALL, &AssemblerConfig::plain("x"), &files).unwrap_err();
        let expected = format!(
            "it imports purepoint:context/state and purepoint:context/history, which it was not granted: if that is meant, \
             `pu plugin enable x --grant state --grant history` does it, or `x = [\"state\", \"history\"]` under \
             `[context.grants]` in {}",
            files.project.display()
        );
        assert_eq!(error.message, expected);
        // What the user's file grants to the name counts until the project's file has a list for it.
        let known = AssemblerConfig { grants: vec![Grant::History], ..AssemblerConfig::plain("x") };
        let error = check(&Grant::ALL, &known, &files).unwrap_err();
        for part in ["`pu plugin enable x --grant state` does it", "`x = [\"history\", \"state\"]` under"] {
            assert!(error.message.contains(part), "{part} is not in: {}", error.message);
        }
    }
}
