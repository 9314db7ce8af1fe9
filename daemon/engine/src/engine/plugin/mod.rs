//! The plugins of a project: one file for each `plugin_…` request, and what several of them need.
//!
//! What only looks (`list`, `inspect`, `encode`) needs no trusted project; whatever runs a plugin or changes a file does.

mod add;
mod bench;
mod changes;
mod encode;
mod inspect;
mod list;
mod remove;
mod run;
mod switch;

use super::failure::Failure;
use super::state::Engine;
use crate::plugins::{Grant, Inspection, PluginHost};
use crate::projects::{ChainFile, Project, ProjectError};
use pu_protocol::plugin::{PluginInfo, PluginInspection};
use pu_protocol::{Answer, ErrorBody, ErrorCode};
use std::path::Path;

impl Engine {
    /// Runs a change of a project's plugins, alone: two at the same time would each write the files as it found them.
    /// Whatever step fails, the files are as before.
    fn change_plugins(
        &self,
        project: &Project,
        name: &str,
        change: impl FnOnce(&mut changes::Changes) -> Result<(), Failure>,
    ) -> Result<Answer, Failure> {
        let _alone = project.plugins_change();
        let mut changes = changes::Changes::of(project);
        let stands = change(&mut changes).and_then(|()| self.standing(project, name));
        // What the user had written may act; whatever else is not as it was trusted is asked for as ever.
        let allowed = stands.and_then(|plugin| {
            self.projects.renew_trust(project, name, &changes.paths())?;
            Ok(plugin)
        });
        match allowed {
            Ok(plugin) => Ok(Answer::PluginChanged { plugin: Box::new(plugin), changed: changes.keep() }),
            Err(failure) => Err(changes.undo(failure)),
        }
    }

    /// Changes the list of assemblers that the project keeps from running by their names. It begins as the user's own, which
    /// it stands in place of, and goes where it says the same.
    fn relist(&self, file: &mut ChainFile, change: impl FnOnce(&mut Vec<String>)) -> Result<(), Failure> {
        let of_user = self.projects.user_config()?.context.disabled;
        let mut names = file.disabled().unwrap_or_else(|| of_user.clone());
        change(&mut names);
        file.set_disabled((names != of_user).then_some(names.as_slice()));
        Ok(())
    }

    /// How a plugin stands now; one that is in no way there any more is told by its name alone.
    fn standing(&self, project: &Project, name: &str) -> Result<PluginInfo, Failure> {
        let config = project.config()?;
        let all = self.context.plugins(&project.root, &config.context)?;
        let file = project.layout.plugins().join(format!("{name}.wasm")).canonicalize().ok();
        let by_file = all.iter().find(|info| file.is_some() && info.path == file);
        let found = by_file.or_else(|| all.iter().find(|info| info.name == name));
        Ok(found.cloned().unwrap_or_else(|| PluginInfo { name: name.to_owned(), ..PluginInfo::default() }))
    }
}

/// What a request names must not depend on the folder that the daemon stands in.
pub(super) fn check_absolute(path: &Path, what: &str) -> Result<(), Failure> {
    if path.is_absolute() {
        return Ok(());
    }
    let message = format!("{what} must be an absolute path, not {}", path.display());
    Err(Failure::new(ErrorCode::InvalidRequest, message))
}

/// Grants a plugin these words in the project's file, beside what it has by now.
fn grant(project: &Project, file: &mut ChainFile, name: &str, words: &[&str]) -> Result<(), Failure> {
    let config = project.config()?;
    let in_force: Vec<&str> =
        config.context.grants.get(name).into_iter().flatten().map(|known| known.as_str()).collect();
    file.grant(name, words, &in_force);
    Ok(())
}

/// What a request grants, as configurations spell it.
fn grant_words(words: &[String]) -> Result<Vec<&'static str>, Failure> {
    let known = |word: &String| -> Result<&'static str, Failure> {
        let grant = Grant::named(word).ok_or_else(|| {
            let all = Grant::ALL.map(Grant::as_str).join(", ");
            ErrorBody::new(ErrorCode::InvalidRequest, format!("{word:?} cannot be granted; what can is {all}"))
        })?;
        Ok(grant.as_str())
    };
    words.iter().map(known).collect()
}

fn not_found(project: &Project, name: &str) -> Failure {
    let message = format!("{} has no plugin `{name}`", project.root.display());
    ErrorBody::new(ErrorCode::PluginNotFound, message).with_hint("`pu plugin list` shows what it has").into()
}

/// The project's own configuration file, to be edited. A faulty one is its user's to mend: tasks go on with what it said
/// before, but nothing is written into it, since nobody could see what came of that.
fn chain_file(project: &Project) -> Result<ChainFile, Failure> {
    project.sound_config()?;
    let (path, text) = (project.layout.config(), project.config_text()?);
    ChainFile::parse(&text).map_err(|error| ProjectError::Config { path, message: error.to_string() }.into())
}

/// Writes the edited configuration, and sees to it that it still reads.
fn write_chain(project: &Project, changes: &mut changes::Changes, chain: &ChainFile) -> Result<(), Failure> {
    changes.write(&project.layout.config(), chain.text().as_bytes())?;
    project.sound_config()?;
    Ok(())
}

fn described(host: &PluginHost, inspection: Inspection, digest: String) -> PluginInspection {
    let deadline_ms = u64::try_from(host.deadline_of(&inspection.manifest).as_millis()).unwrap_or(u64::MAX);
    let needs = Grant::needed(&inspection.imports).iter().map(Grant::to_string).collect();
    let manifest = inspection.manifest;
    PluginInspection {
        name: manifest.name,
        version: manifest.version,
        description: manifest.description,
        licence: manifest.licence,
        contract: manifest.contract,
        imports: inspection.imports,
        needs,
        exports: inspection.exports,
        size: inspection.size as u64,
        digest,
        config: manifest.config,
        deadline_ms,
    }
}
