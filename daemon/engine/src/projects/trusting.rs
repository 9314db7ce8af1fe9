//! Trust at work: what of a project its user allowed, held against what can act there now.
//!
//! It reads no file of the project itself and allows nothing that nobody was shown: a digest that does not fit any more is
//! refused. Blocking: callers are on a blocking thread.

use super::config::Config;
use super::error::ProjectError;
use super::listed::{ListedProject, ProjectState};
use super::project::Project;
use super::registry::Projects;
use super::root;
use super::trust::{self, Part, Parts};
use crate::store::{ProjectRow, TrustRow};
use pu_protocol::Event;
use pu_protocol::layout::ProjectLayout;
use pu_protocol::trust::{PartState, TrustState};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a project stands to what its user allowed.
#[derive(Debug)]
pub struct Standing {
    pub project: Arc<Project>,
    pub state: TrustState,
    /// Of all parts together.
    pub digest: String,
    pub parts: Vec<(Part, PartState)>,
    /// What was allowed and is not there any more.
    pub gone: Vec<String>,
    /// RFC 3339.
    pub trusted_at: Option<String>,
}

impl Projects {
    /// What of the project of a folder can act, and how that stands to what its user allowed. Changes nothing.
    pub fn standing(&self, folder: &Path) -> Result<Standing, ProjectError> {
        let project = self.known(folder)?;
        let parts = project.acting()?;
        Ok(standing(&project, &parts, self.row(&project.root)))
    }

    /// Allows what can act in the project of a folder, if that is what this digest is of.
    pub fn trust(&self, folder: &Path, digest: &str) -> Result<Standing, ProjectError> {
        let project = self.known(folder)?;
        if !project.layout.root().is_dir() {
            return Err(ProjectError::NotYet(project.root.clone()));
        }
        // What is in force with a faulty file is not what the file says, and its user is to see both.
        project.sound_config()?;
        let parts = project.acting()?;
        if trust::digest_of(&parts) != digest {
            return Err(ProjectError::TrustOutdated(project.root.clone()));
        }
        self.allow(&project.root, &parts)?;
        Ok(standing(&project, &parts, self.row(&project.root)))
    }

    /// Takes back what was allowed in the project of a folder.
    pub fn untrust(&self, folder: &Path) -> Result<Standing, ProjectError> {
        let project = self.known(folder)?;
        self.change_row(&project.root, |row| (row.trusted, row.trust, row.folder) = (false, None, None))?;
        self.tell_state(&project, TrustState::Known);
        Ok(standing(&project, &project.acting()?, self.row(&project.root)))
    }

    /// Fails where something that can act in a trusted project is not what its user allowed. What an older release trusted
    /// is trusted as it is found the first time.
    pub fn check_unchanged(&self, root: &Path) -> Result<(), ProjectError> {
        let Some(row) = self.row(root).filter(|row| row.trusted) else { return Ok(()) };
        let project = self.opened(root);
        let parts = project.acting()?;
        let Some(allowed) = row.trust else {
            // With a faulty configuration not all of it can be seen, and next to nothing of it acts.
            return if project.config_fault().is_none() { self.allow(root, &parts) } else { Ok(()) };
        };
        let changed = changed(&parts, &allowed.parts);
        let state = if changed.is_empty() { TrustState::Trusted } else { TrustState::Changed };
        self.tell_state(&project, state);
        if changed.is_empty() { Ok(()) } else { Err(ProjectError::Changed { root: root.into(), parts: changed }) }
    }

    /// The configuration of a project that was let in, for whoever runs what it says: the very one that is held against
    /// what was allowed. The file may have said something else when that was done for the first time, and may say so again
    /// the next time.
    pub fn allowed_config(&self, project: &Project) -> Result<Arc<Config>, ProjectError> {
        let (config, parts) = project.config_and_acting()?;
        let row = self.row(&project.root);
        let is_trusted = row.as_ref().is_some_and(|row| row.trusted);
        let Some(allowed) = row.filter(|row| row.trusted).and_then(|row| row.trust) else {
            // A repository that is to become a project has brought nothing of its own.
            let brings = |part: &Part| Path::new(&part.file).starts_with(ProjectLayout::FOLDER);
            let is_refused = !is_trusted && parts.values().any(brings);
            return if is_refused { Err(ProjectError::Untrusted(project.root.clone())) } else { Ok(config) };
        };
        let changed = changed(&parts, &allowed.parts);
        if changed.is_empty() {
            Ok(config)
        } else {
            Err(ProjectError::Changed { root: project.root.clone(), parts: changed })
        }
    }

    /// Writes down that these parts, and no others, may act.
    pub(super) fn allow(&self, root: &Path, parts: &Parts) -> Result<(), ProjectError> {
        let (digests, folder) = (trust::digests(parts), Some(root::mark_of(root)));
        let known = self.row(root).filter(|row| row.trusted);
        let was_trusted = known.is_some();
        let is_noted = |row: ProjectRow| row.folder == folder && row.trust.is_some_and(|known| known.parts == digests);
        if !known.is_some_and(is_noted) {
            let trust = Some(TrustRow::now(digests));
            self.change_row(root, |row| (row.trusted, row.trust, row.folder) = (true, trust, folder))?;
        }
        let project = self.opened(root);
        if project.note_state(TrustState::Trusted) || !was_trusted {
            self.publish_state(&project, TrustState::Trusted);
        }
        Ok(())
    }

    /// Allows what a request of the user wrote: of a plugin what is said of it and its file, and the files that were
    /// changed. Whatever else differs by now is asked for as ever.
    pub fn renew_trust(&self, project: &Project, plugin: &str, written: &[PathBuf]) -> Result<(), ProjectError> {
        let root = &project.root;
        let Some(allowed) = self.row(root).and_then(|row| row.trust) else { return Ok(()) };
        let parts = project.acting()?;
        let files = written.iter().filter_map(|path| trust::key_of_file(root, path));
        let mut renewed = allowed.parts.clone();
        for key in files.chain(trust::keys_of_plugin(plugin, &parts)) {
            match parts.get(&key) {
                Some(part) => renewed.insert(key, part.digest.clone()),
                None => renewed.remove(&key),
            };
        }
        if renewed != allowed.parts {
            self.change_row(root, |row| row.trust = Some(TrustRow { parts: renewed, ..allowed }))?;
        }
        Ok(())
    }

    /// Why a project that its user trusts may not act after all; nothing, where it may or was not trusted anyway.
    pub fn objection(&self, listed: &ListedProject) -> Option<ProjectError> {
        let is_trusted = listed.state == ProjectState::Trusted;
        let refused = is_trusted.then(|| self.check_unchanged(&listed.row.root)).and_then(Result::err)?;
        matches!(refused, ProjectError::Changed { .. } | ProjectError::TooMuchActs { .. }).then_some(refused)
    }

    fn row(&self, root: &Path) -> Option<ProjectRow> {
        self.lock().registry.find(root).cloned()
    }

    /// Changes what the registry has of a project, which is entered if it is not in it yet.
    fn change_row(&self, root: &Path, change: impl FnOnce(&mut ProjectRow)) -> Result<(), ProjectError> {
        let mut state = self.lock();
        let mut row = state.registry.find(root).cloned().unwrap_or_else(|| ProjectRow::seen_now(root));
        change(&mut row);
        let mut registry = state.registry.clone();
        registry.put(row);
        registry.write(&self.shared.home.projects())?;
        state.registry = registry;
        Ok(())
    }

    /// Tells a state once, when it is found to be another one than was told last.
    fn tell_state(&self, project: &Project, now: TrustState) {
        if project.note_state(now) {
            self.publish_state(project, now);
        }
    }

    fn publish_state(&self, project: &Project, now: TrustState) {
        let (root, name) = (project.root.clone(), project.name.clone());
        self.shared.events.publish(Event::ProjectChanged { root, name, state: now.as_str().to_owned() });
    }
}

fn standing(project: &Arc<Project>, parts: &Parts, row: Option<ProjectRow>) -> Standing {
    let trusted = row.as_ref().is_some_and(|row| row.trusted);
    // One of an older release has allowed all that is there.
    let everything = || if trusted { trust::digests(parts) } else { BTreeMap::new() };
    let (allowed, trusted_at) = match row.and_then(|row| row.trust) {
        Some(row) if trusted => (row.parts, Some(row.at)),
        _ => (everything(), None),
    };
    let told: Vec<(Part, PartState)> =
        parts.iter().map(|(key, part)| (part.clone(), state_of(key, part, &allowed))).collect();
    let gone = allowed.keys().filter(|key| !parts.contains_key(*key)).map(|key| trust::described(key)).collect();
    let all_allowed = told.iter().all(|(_, state)| *state == PartState::Allowed);
    let state = match (trusted, all_allowed) {
        (false, _) => TrustState::Known,
        (true, true) => TrustState::Trusted,
        (true, false) => TrustState::Changed,
    };
    let digest = trust::digest_of(parts);
    Standing { project: Arc::clone(project), state, digest, parts: told, gone, trusted_at }
}

fn state_of(key: &str, part: &Part, allowed: &BTreeMap<String, String>) -> PartState {
    match allowed.get(key) {
        None => PartState::New,
        Some(digest) if *digest == part.digest => PartState::Allowed,
        Some(_) => PartState::Changed,
    }
}

/// Each part that is not what was allowed, in words. One that is gone lets nothing act that was not allowed.
fn changed(parts: &Parts, allowed: &BTreeMap<String, String>) -> Vec<String> {
    let word = |key: &str, part: &Part| match state_of(key, part, allowed) {
        PartState::Allowed => None,
        PartState::New => Some("new"),
        PartState::Changed => Some("changed"),
    };
    let told = parts.iter().filter_map(|(key, part)| Some(format!("{} ({})", trust::described(key), word(key, part)?)));
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Events;
    use pu_protocol::layout::HomeLayout;
    use pu_record::atomic;

    struct World {
        _folder: tempfile::TempDir,
        projects: Projects,
        home: HomeLayout,
        repo: PathBuf,
    }

    const EVIL: &str = "[agents.evil]\ncommand = \"/bin/sh\"\n";

    impl World {
        /// A repository that brings an agent definition.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let base = folder.path().canonicalize().unwrap();
            let (home, repo) = (HomeLayout::new(base.join("home")), base.join("repo"));
            std::fs::create_dir_all(repo.join(".git")).unwrap();
            std::fs::create_dir(home.root()).unwrap();
            let projects = Projects::open(home.clone(), Events::default()).unwrap();
            let world = Self { _folder: folder, projects, home, repo };
            world.write(".pu/config.toml", EVIL);
            world
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.repo.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            atomic::write_volatile(&path, text.as_bytes(), 0o600).unwrap();
        }

        fn state(&self) -> TrustState {
            self.projects.standing(&self.repo).unwrap().state
        }

        /// Shown, and allowed.
        fn trust(&self) {
            let digest = self.projects.standing(&self.repo).unwrap().digest;
            assert_eq!(self.projects.trust(&self.repo, &digest).unwrap().state, TrustState::Trusted);
        }

        fn refused(&self) -> String {
            let refused = [self.projects.trusted(&self.repo), self.projects.readable(&self.repo)];
            let told = refused.map(|refused| refused.unwrap_err().body());
            assert_eq!(told[0], told[1]);
            assert_eq!(told[0].code, pu_protocol::ErrorCode::ProjectUntrusted);
            told[0].message.clone()
        }
    }

    #[test]
    fn what_was_shown_is_allowed_and_nothing_else() {
        let world = World::new();
        assert_eq!(world.state(), TrustState::Known);
        assert_eq!(world.projects.count(), 0, "a look enters nothing");
        let shown = world.projects.standing(&world.repo).unwrap();
        assert_eq!((shown.parts.len(), shown.parts[0].1), (1, PartState::New));
        world.write(".pu/plugins/late.wasm", "x");
        let outdated = world.projects.trust(&world.repo, &shown.digest).unwrap_err();
        assert_eq!(outdated.body().code, pu_protocol::ErrorCode::TrustOutdated);
        world.refused();
        world.trust();
        world.projects.trusted(&world.repo).unwrap();
        assert_eq!(world.state(), TrustState::Trusted);
    }

    #[test]
    fn a_changed_part_is_asked_for_by_name_and_edited_specs_are_not() {
        let world = World::new();
        world.trust();
        world.write("specs/a.md", "# A spec");
        world.write(".pu/config.toml", &format!("{EVIL}[context]\nbudget = 700\n"));
        world.projects.readable(&world.repo).unwrap();
        world.write(".pu/config.toml", &EVIL.replace("/bin/sh", "/bin/rm"));
        world.write(".pu/plugins/new.wasm", "x");
        let told = world.refused();
        for part in ["agents.evil in .pu/config.toml (changed)", ".pu/plugins/new.wasm (new)"] {
            assert!(told.contains(part), "{part} is not in: {told}");
        }
        assert_eq!(world.state(), TrustState::Changed);
        world.write(".pu/config.toml", EVIL);
        std::fs::remove_file(world.repo.join(".pu/plugins/new.wasm")).unwrap();
        world.projects.trusted(&world.repo).unwrap();
        std::fs::remove_file(world.repo.join(".pu/config.toml")).unwrap();
        world.projects.trusted(&world.repo).unwrap();
        assert_eq!(world.projects.standing(&world.repo).unwrap().gone, ["agents.evil in .pu/config.toml"]);
    }

    /// A file that was something else for a moment only, just when it was read for use.
    #[test]
    fn what_is_used_is_what_was_judged() {
        let world = World::new();
        world.trust();
        let project = world.projects.trusted(&world.repo).unwrap();
        world.write(".pu/config.toml", &EVIL.replace("/bin/sh", "/bin/rm"));
        let used = world.projects.allowed_config(&project).map(|config| config.agents.len());
        assert!(matches!(used, Err(ProjectError::Changed { .. })), "{used:?}");
        world.write(".pu/config.toml", EVIL);
        assert_eq!(world.projects.allowed_config(&project).unwrap().agents.len(), 1);
        world.projects.settle(&project).unwrap();
        // The same of a repository that nobody has worked in yet.
        std::fs::remove_dir_all(world.repo.join(".pu")).unwrap();
        world.projects.remove(&world.repo).unwrap();
        let project = world.projects.trusted(&world.repo).unwrap();
        world.projects.allowed_config(&project).unwrap();
        world.write(".pu/config.toml", EVIL);
        assert!(matches!(world.projects.allowed_config(&project), Err(ProjectError::Untrusted(_))));
    }

    #[test]
    fn trust_is_kept_and_can_be_taken_back() {
        let world = World::new();
        world.trust();
        let again = Projects::open(world.home.clone(), Events::default()).unwrap();
        again.trusted(&world.repo).unwrap();
        assert_eq!(world.projects.untrust(&world.repo).unwrap().state, TrustState::Known);
        world.refused();
        let again = Projects::open(world.home.clone(), Events::default()).unwrap();
        assert!(again.trusted(&world.repo).is_err());
    }

    #[test]
    fn what_an_older_release_trusted_is_trusted_as_it_is_found() {
        let world = World::new();
        world.trust();
        let old = |row: &mut ProjectRow| row.trust = None;
        world.projects.change_row(&world.repo, old).unwrap();
        assert_eq!(world.state(), TrustState::Trusted);
        world.projects.trusted(&world.repo).unwrap();
        world.write(".pu/plugins/new.wasm", "x");
        assert!(world.refused().contains("new.wasm"));
    }

    #[test]
    fn a_request_of_the_user_allows_what_it_wrote_and_nothing_else() {
        let world = World::new();
        world.trust();
        let project = world.projects.trusted(&world.repo).unwrap();
        let plugin = project.layout.plugins().join("mine.wasm");
        world.write(".pu/plugins/mine.wasm", "x");
        world.write(".pu/config.toml", &format!("{EVIL}[context.grants]\nmine = [\"state\"]\n"));
        world.projects.renew_trust(&project, "mine", &[plugin, project.layout.config()]).unwrap();
        world.projects.trusted(&world.repo).unwrap();
        world.write(".pu/plugins/other.wasm", "x");
        world.projects.renew_trust(&project, "mine", &[project.layout.config()]).unwrap();
        assert!(world.refused().contains("other.wasm (new)"));
    }

    #[test]
    fn a_repository_that_becomes_a_project_is_trusted_with_what_is_there_then() {
        let world = World::new();
        std::fs::remove_dir_all(world.repo.join(".pu")).unwrap();
        let refused = world.projects.trust(&world.repo, "").unwrap_err();
        assert_eq!(refused.body().code, pu_protocol::ErrorCode::NotAProject);
        let project = world.projects.trusted(&world.repo).unwrap();
        assert!(world.projects.settle(&project).unwrap());
        world.write(".pu/config.toml", EVIL);
        assert!(world.refused().contains("agents.evil in .pu/config.toml (new)"));
        assert!(world.projects.settle(&project).is_err());
        world.projects.init(&world.repo).unwrap();
        world.projects.trusted(&world.repo).unwrap();
        assert!(ProjectLayout::new(&world.repo).root().is_dir());
    }
}
