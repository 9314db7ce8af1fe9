//! The project of whoever asks: whether it may act, what it configures, what of it is indexed.

use super::super::choice::definitions;
use super::{listed, told};
use crate::agents::Definitions;
use crate::projects::{Project, ProjectError, Projects};
use crate::specs::SpecIndex;
use pu_protocol::layout::HomeLayout;
use pu_protocol::{Finding, FindingState};
use std::path::PathBuf;
use std::sync::Arc;

/// Whether the project may act, and whether its specs may be read for that.
pub(super) fn trust(projects: &Projects, project: &Project) -> (Finding, bool) {
    let root = &project.root;
    if projects.is_trusted(root) {
        return match projects.check_unchanged(root) {
            Ok(()) => (Finding::ok("project", format!("{} is trusted", root.display())), true),
            Err(error) => (told("project", FindingState::Warning, error.body()), false),
        };
    }
    if !project.layout.root().exists() {
        let detail = format!("{} is no project yet: `pu init` or the first `pu spawn` makes it one", root.display());
        return (Finding::ok("project", detail), true);
    }
    (told("project", FindingState::Warning, ProjectError::Untrusted(root.clone()).body()), false)
}

/// That the configuration of a project (of the user alone, outside of any) is valid, with the agents that it defines; or
/// what is wrong with it, with file and line.
pub(super) fn config(
    projects: &Projects,
    home: &HomeLayout,
    project: Option<&Project>,
) -> Result<(Finding, Definitions), Finding> {
    let config = match project {
        Some(project) => project.config(),
        None => projects.user_config().map(Arc::new),
    };
    let config = config.map_err(|error| told("config", FindingState::Problem, error.body()))?;
    let fault = match project {
        Some(project) => project.config_fault(),
        None => projects.user_config_fault(),
    };
    let agents = definitions(&config).map_err(|failure| told("config", FindingState::Problem, failure.body))?;
    if let Some(fault) = fault {
        return Ok((
            Finding::warning("config", fault).with_hint("mend the file; it is read anew at the next request"),
            agents,
        ));
    }
    let files = [Some(home.config()), project.map(|project| project.layout.config())];
    let there: Vec<PathBuf> = files.into_iter().flatten().filter(|file| file.exists()).collect();
    let names: Vec<String> = there.iter().map(|file| file.display().to_string()).collect();
    let detail =
        if names.is_empty() { "there is none, which is fine".to_owned() } else { format!("valid: {}", listed(&names)) };
    Ok((Finding::ok("config", detail), agents))
}

/// What is indexed, what is not, and whether changes are heard of. The index is brought up to date for that.
pub(super) fn specs(project: &Project) -> Vec<Finding> {
    let fresh = project.index().and_then(|index| match index.fresh() {
        Ok(_) => Ok(index),
        Err(source) => Err(ProjectError::Index { root: project.root.clone(), source }),
    });
    match fresh {
        Ok(index) => indexed(&index),
        Err(error) => vec![told("specs", FindingState::Problem, error.body())],
    }
}

fn indexed(index: &SpecIndex) -> Vec<Finding> {
    let deaf = index.deaf();
    let count = index.catalog().specs().len();
    let skipped: Vec<String> = index.skipped().iter().map(|file| format!("{} ({})", file.path, file.reason)).collect();
    let mut warnings = index.warnings();
    warnings.retain(|warning| deaf.as_ref() != Some(warning));
    let mut parts = vec![format!("specs indexed: {count}")];
    if !skipped.is_empty() {
        parts.push(format!("files not indexed: {}", listed(&skipped)));
    }
    if !warnings.is_empty() {
        parts.push(format!("warnings: {}", listed(&warnings)));
    }
    let detail = parts.join("; ");
    let specs = if count == 0 {
        Finding::warning("specs", detail).with_hint("put them into specs/ or docs/, or name their folder under [specs]")
    } else if parts.len() > 1 {
        Finding::warning("specs", detail)
    } else {
        Finding::ok("specs", detail)
    };
    let watcher = deaf.map(|why| {
        Finding::warning("watcher", why).with_hint(
            "each task looks at all spec files instead, which takes longer; where the system's watches are used up, raise \
             fs.inotify.max_user_watches",
        )
    });
    std::iter::once(specs).chain(watcher).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Events;
    use std::path::Path;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        pu_record::atomic::write_atomic(path, text.as_bytes(), 0o600).unwrap();
    }

    #[test]
    fn a_project_is_told_with_its_trust_its_configuration_and_its_specs() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let home = HomeLayout::new(base.join("home"));
        std::fs::create_dir_all(base.join("repo/.git")).unwrap();
        std::fs::create_dir(home.root()).unwrap();
        let projects = Projects::open(home.clone(), Events::default()).unwrap();
        let project = projects.known(&base.join("repo")).unwrap();
        let (found, may_be_read) = trust(&projects, &project);
        assert!(found.state == FindingState::Ok && may_be_read, "{found:?}");
        assert_eq!(config(&projects, &home, None).unwrap().0.detail, "there is none, which is fine");

        write(&project.layout.config(), "[terminal]\nrowz = 3\n");
        let (found, may_be_read) = trust(&projects, &project);
        assert!(found.state == FindingState::Warning && found.hint.is_some() && !may_be_read, "{found:?}");
        let invalid = config(&projects, &home, Some(project.as_ref())).unwrap_err();
        assert!(invalid.state == FindingState::Problem && invalid.detail.contains("line 2"), "{invalid:?}");

        write(&project.layout.config(), "");
        projects.init(&project.root).unwrap();
        assert!(trust(&projects, &project).0.detail.ends_with("is trusted"));
        assert!(config(&projects, &home, Some(project.as_ref())).unwrap().0.detail.starts_with("valid: "));
        write(&project.layout.config(), "[terminal]\nrowz = 3\n");
        let (kept, _) = config(&projects, &home, Some(project.as_ref())).unwrap();
        assert!(kept.state == FindingState::Warning && kept.detail.contains("line 2"), "it was good before: {kept:?}");
        write(&project.layout.config(), "");
        assert_eq!(specs(&project)[0].state, FindingState::Warning, "there are none");
        write(&project.root.join("specs/a.md"), "# A spec\n\nText.\n");
        let found = specs(&project);
        assert!(found[0].detail.starts_with("specs indexed: 1"), "{found:?}");
    }
}
