//! `config_show`: what is configured, key by key, and where each value was said. Changes nothing.
//!
//! Asked of a project that nobody trusts, or that is not what was trusted, it tells what its file would say, and that it does
//! not act.

use super::failure::Failure;
use super::state::Engine;
use crate::projects::{Project, ProjectError, ProjectState, config_key};
use pu_protocol::config::{ConfigOrigin, ConfigReport, ConfigValue};
use pu_protocol::{Answer, LINE_MAX};
use std::path::{Path, PathBuf};

/// Bytes of a line that values leave free: what stands around them, warnings and paths.
const SPARE: usize = 64 * 1024;

impl Engine {
    pub(super) async fn config_show(&self, cwd: Option<PathBuf>, key: Option<String>) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), cwd.clone());
        let look = move || {
            let mut report = engine.configured(cwd.as_deref())?;
            if let Some(key) = key {
                report.values = asked_for(report.values, &key)?;
            }
            fit(&mut report, LINE_MAX - SPARE);
            Ok(Answer::ConfigReport(report))
        };
        match folder {
            Some(folder) => self.within(&folder, look).await?,
            None => tokio::task::spawn_blocking(look).await?,
        }
    }

    /// What is configured where a client stands. Blocking.
    fn configured(&self, cwd: Option<&Path>) -> Result<ConfigReport, Failure> {
        let user_file = self.options.home.config();
        let project = match cwd.map(|cwd| self.projects.known(cwd)) {
            Some(Ok(project)) => project,
            None | Some(Err(ProjectError::NotAProject(_))) => {
                let values = self.projects.user_config_values()?;
                let warnings = self.projects.user_config_fault().into_iter().collect();
                return Ok(ConfigReport { user_file, values, warnings, ..ConfigReport::default() });
            }
            Some(Err(error)) => return Err(error.into()),
        };
        let values = project.config_values()?;
        let untrusted = self.unheard(&project);
        Ok(ConfigReport {
            project: Some(project.root.clone()),
            user_file,
            project_file: Some(project.layout.config()),
            values,
            more: 0,
            warnings: project.config_fault().into_iter().chain(untrusted).collect(),
        })
    }

    /// That the project's file does not count, where it does not: nobody trusts it yet, or it is not what was trusted.
    fn unheard(&self, project: &Project) -> Option<String> {
        let listed = self.projects.at(&project.root).ok()?;
        let refused = match listed.state {
            ProjectState::Known => Some(ProjectError::Untrusted(project.root.clone())),
            ProjectState::Trusted | ProjectState::Changed | ProjectState::Missing => self.projects.objection(&listed),
        };
        refused.map(|error| error.to_string())
    }
}

/// The value of this key, or those of the table that it is. A key that can be there and is not set has one too.
fn asked_for(mut values: Vec<ConfigValue>, key: &str) -> Result<Vec<ConfigValue>, Failure> {
    let key = config_key(key)?;
    values.retain(|value| value.key.strip_prefix(&key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
    if values.is_empty() {
        values.push(ConfigValue { key, value: serde_json::Value::Null, origin: ConfigOrigin::Default });
    }
    Ok(values)
}

/// Keeps the first of the values that there is room for.
fn fit(report: &mut ConfigReport, room: usize) {
    let mut left = room;
    let fits = |value: &&ConfigValue| {
        // The comma behind it.
        let size = serde_json::to_vec(value).map_or(0, |json| json.len()) + 1;
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    };
    let count = report.values.iter().take_while(fits).count();
    report.more = u32::try_from(report.values.len() - count).unwrap_or(u32::MAX);
    report.values.truncate(count);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(keys: &[&str]) -> Vec<ConfigValue> {
        let of = |key: &&str| ConfigValue { key: (*key).to_owned(), value: 1.into(), origin: ConfigOrigin::Default };
        keys.iter().map(of).collect()
    }

    fn asked(key: &str) -> Result<Vec<String>, Failure> {
        let all = values(&["terminal.cols", "terminal.rows", "terminals"]);
        Ok(asked_for(all, key)?.into_iter().map(|value| value.key).collect())
    }

    #[test]
    fn a_key_is_asked_for_by_itself_or_by_its_table() {
        assert_eq!(asked("terminal.rows").unwrap(), ["terminal.rows"]);
        assert_eq!(asked("terminal").unwrap(), ["terminal.cols", "terminal.rows"]);
        assert_eq!(asked("\"terminal\".cols").unwrap(), ["terminal.cols"]);
        assert_eq!(asked("agents.mine.command").unwrap(), ["agents.mine.command"], "it could be set");
        assert_eq!(asked("terminal.row").unwrap_err().body.code, pu_protocol::ErrorCode::UnknownConfigKey);
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let mut report = ConfigReport { values: values(&["a", "b", "c"]), ..ConfigReport::default() };
        let size = serde_json::to_vec(&report.values[0]).unwrap().len() + 1;
        fit(&mut report, 2 * size);
        assert_eq!((report.values.len(), report.more), (2, 1));
        fit(&mut report, 100 * size);
        assert_eq!((report.values.len(), report.more), (2, 0));
    }
}
