//! The specs of a project: one file for each `spec_…` request, and what several of them need.
//!
//! All of them only look, and no plugin, no git and no agent runs for one: whoever has cloned a repository may look at it
//! before trusting it. So what it says may be of any length, and is cut.

mod lint;
mod list;
mod search;
mod show;

use super::failure::Failure;
use super::state::Engine;
use crate::projects::{Project, ProjectError};
use crate::specs::{SpecCatalog, SpecError, SpecIndex, SpecMeta};
use pu_plugin_globs::Glob;
use pu_protocol::spec::{SpecInfo, SpecRule};
use pu_protocol::{ErrorBody, ErrorCode, LINE_MAX};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

pub(super) use list::Wanted;

/// Bytes of a line that lists leave free for what stands around them.
const SPARE: usize = 16 * 1024;
pub(super) const ROOM: usize = LINE_MAX - SPARE;
/// As much of a name, a text and a list as is told of one spec.
const NAME_MAX: usize = 300;
const TEXT_MAX: usize = 1_000;
const LIST_MAX: usize = 64;
pub(super) const KIND_OF_SPECS: &str = "spec";
const KIND_OF_RULES: &str = "rule";

impl Engine {
    /// The project that a folder is in, trusted or not, and its specs as they are now. Blocking.
    fn looked_at(&self, cwd: &Path) -> Result<(Arc<Project>, Arc<SpecIndex>), Failure> {
        let project = self.projects.known(cwd)?;
        let index = project.index()?;
        index.fresh().map_err(|source| ProjectError::Index { root: project.root.clone(), source })?;
        Ok((project, index))
    }
}

/// A spec as it is told.
fn info(spec: &SpecMeta) -> SpecInfo {
    let rule = spec.rule.as_ref().map(|rule| SpecRule {
        mode: rule.mode.name().to_owned(),
        globs: list_of(&rule.globs),
        description: rule.description.as_deref().map(|text| cut(text, TEXT_MAX)),
        scope: rule.scope.as_deref().map(|folder| cut(folder, TEXT_MAX)),
    });
    SpecInfo {
        id: cut(&spec.id, TEXT_MAX),
        path: spec.path.clone(),
        title: cut(&spec.title, NAME_MAX),
        kind: kind(spec).to_owned(),
        format: spec.format().to_owned(),
        tokens: spec.tokens,
        sections: u32::try_from(spec.sections.len()).unwrap_or(u32::MAX),
        tags: list_of(&spec.tags),
        ids: list_of(&spec.ids),
        rule,
        native: spec.native.iter().map(|agent| (*agent).to_owned()).collect(),
        warnings: list_of(&spec.warnings),
    }
}

pub(super) fn kind(spec: &SpecMeta) -> &'static str {
    spec.rule.as_ref().map_or(KIND_OF_SPECS, |rule| rule.kind.name())
}

fn list_of(all: &[String]) -> Vec<String> {
    all.iter().take(LIST_MAX).map(|one| cut(one, NAME_MAX)).collect()
}

/// The beginning of a text, and that there is more.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most)])
}

/// The spec of this id or path.
fn named<'c>(catalog: &'c SpecCatalog, name: &str) -> Result<&'c Arc<SpecMeta>, Failure> {
    let plain = name.trim().trim_start_matches("./");
    catalog.find(plain).ok_or_else(|| {
        let message = format!("no spec has the id or path {name:?}, or is alone in defining it");
        ErrorBody::new(ErrorCode::SpecNotFound, message)
            .with_hint("`pu spec list` and `pu spec search` find specs")
            .into()
    })
}

/// Whether a path is one that was asked for: itself, in that folder, or by a glob.
fn is_asked_for(path: &str, asked: &str) -> bool {
    match Glob::new(asked) {
        Some(glob) => glob.matches(path) != glob.excludes,
        // Nothing asks for all; what is no glob asks for nothing.
        None => pu_plugin_globs::refusal(asked).is_none(),
    }
}

/// The first of these that there is room for; whether all have it.
pub(super) fn first_that_fit<T: Serialize>(parts: impl Iterator<Item = T>, room: usize) -> (Vec<T>, bool) {
    let (mut fit, mut left) = (Vec::new(), room);
    for part in parts {
        // The comma behind it.
        let size = serde_json::to_vec(&part).map_or(0, |json| json.len()) + 1;
        if size > left {
            return (fit, false);
        }
        left -= size;
        fit.push(part);
    }
    (fit, true)
}

fn failure(index: &SpecIndex, source: SpecError) -> Failure {
    let code = match source {
        SpecError::UnknownSpec(_) | SpecError::UnknownSection { .. } => ErrorCode::SpecNotFound,
        SpecError::UnknownField { .. } => ErrorCode::InvalidRequest,
        SpecError::Unreadable { .. } => ErrorCode::Io,
        source => return ProjectError::Index { root: index.root().to_owned(), source }.into(),
    };
    Failure::new(code, source.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_asked_for_by_itself_its_folder_or_a_glob() {
        for (asked, path, expected) in [
            ("specs", "specs/a.md", true),
            ("./specs/", "specs/deep/a.md", true),
            ("specs/a.md", "specs/a.md", true),
            ("*.mdc", ".cursor/rules/a.mdc", true),
            ("docs/**", "specs/a.md", false),
            ("!docs/**", "specs/a.md", true),
            ("", "specs/a.md", true),
        ] {
            assert_eq!(is_asked_for(path, asked), expected, "{asked} {path}");
        }
    }

    #[test]
    fn a_list_ends_where_the_room_does() {
        let words = || ["one", "two", "three"].into_iter();
        assert_eq!(first_that_fit(words(), 100), (vec!["one", "two", "three"], true));
        assert_eq!(first_that_fit(words(), 12), (vec!["one", "two"], false));
        assert_eq!(first_that_fit(words(), 5), (vec![], false));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("größe", 3), "gr…");
        assert_eq!(cut("größe", 7), "größe");
    }
}
