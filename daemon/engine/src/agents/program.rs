//! Where an agent's program is, seen from the caller's environment.
//!
//! Looks, and starts nothing.

use super::definition::AgentDefinition;
use super::error::{AgentsError, Result};
use super::template::Placeholder;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The shell of last resort, and the one that runs `--command`: both Linux and macOS have it.
pub(crate) const POSIX_SHELL: &str = "/bin/sh";

/// What is searched when the caller has no PATH.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The absolute path of `definition`'s program. A name is looked for on the PATH of `env`; a relative path (`./tools/x`)
/// is one inside `workdir`.
pub(crate) fn locate(
    definition: &AgentDefinition,
    env: &BTreeMap<String, String>,
    workdir: Option<&Path>,
) -> Result<PathBuf> {
    let shell = user_shell(env);
    let value = |slot| (slot == Placeholder::Shell).then(|| shell.to_string_lossy());
    let command = definition.command.render(value).unwrap_or_default();
    find(&command, env.get("PATH").map(OsStr::new), workdir).ok_or_else(|| AgentsError::CommandNotFound {
        agent: definition.name.clone(),
        program: command,
        install_hint: definition.install_hint.clone(),
    })
}

/// The shell that the caller's `SHELL` names, if it can be run, else [`POSIX_SHELL`].
pub(crate) fn user_shell(env: &BTreeMap<String, String>) -> Cow<'_, Path> {
    let named = env.get("SHELL").map(Path::new).filter(|shell| shell.is_absolute() && is_executable(shell));
    Cow::Borrowed(named.unwrap_or(Path::new(POSIX_SHELL)))
}

/// The program called `command`. Entries of the PATH that are not absolute are skipped: they would mean folders of the
/// daemon.
pub(crate) fn find(command: &str, path: Option<&OsStr>, workdir: Option<&Path>) -> Option<PathBuf> {
    if command.is_empty() {
        return None;
    }
    if command.contains('/') {
        let program = workdir.map_or_else(|| PathBuf::from(command), |folder| folder.join(command));
        return (program.is_absolute() && is_executable(&program)).then_some(program);
    }
    std::env::split_paths(path.unwrap_or(OsStr::new(USUAL_PATH)))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(command))
        .find(|program| is_executable(program))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_shell_that_is_not_there_gives_way_to_the_posix_one() {
        for (shell, expected) in [("/no/such/shell", "/bin/sh"), ("sh", "/bin/sh"), ("/bin/cat", "/bin/cat")] {
            assert_eq!(user_shell(&env(&[("SHELL", shell)])), Path::new(expected), "{shell}");
        }
        assert_eq!(user_shell(&env(&[])), Path::new("/bin/sh"));
    }

    #[test]
    fn programs_are_found_where_a_shell_would_find_them() {
        let found = |command, path: Option<&str>, folder: Option<&str>| {
            find(command, path.map(OsStr::new), folder.map(Path::new)).is_some()
        };
        assert!(found("sh", Some("/no/such:/bin"), None));
        assert!(found("sh", None, None), "without a PATH the usual folders are searched");
        assert!(!found("sh", Some(""), None));
        assert!(!found("sh", Some("bin:."), Some("/")), "relative entries are nobody's");
        assert!(found("/bin/sh", Some(""), None));
        assert!(found("bin/sh", None, Some("/")));
        assert!(!found("bin/sh", None, None));
        assert!(!found("bin", Some("/"), None), "a folder is no program");
        assert!(!found("", Some("/bin"), None));
    }

    #[test]
    fn a_missing_program_comes_with_its_install_hint() {
        let definitions = crate::agents::Definitions::built_in().unwrap();
        let nowhere = env(&[("PATH", "/no/such/folder")]);
        let error = locate(definitions.get("claude").unwrap(), &nowhere, None).unwrap_err().to_body();
        assert_eq!(error.code, pu_protocol::ErrorCode::CommandNotFound);
        assert_eq!(error.message, "agent `claude` needs `claude`, which is not on the PATH");
        assert!(error.hint.unwrap().contains("@anthropic-ai/claude-code"));
    }
}
