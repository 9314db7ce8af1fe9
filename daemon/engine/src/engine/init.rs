//! `init`: a folder becomes a project that its user trusts, and is told what was found in it.

use super::context_learned::look;
use super::failure::Failure;
use super::spec::kind;
use super::state::Engine;
use super::trust::told;
use crate::projects::ProjectError;
use crate::specs::SpecMeta;
use pu_protocol::Answer;
use pu_protocol::answer::InitReport;
use pu_protocol::project::FoundFiles;
use std::path::PathBuf;
use std::sync::Arc;

impl Engine {
    pub(super) async fn init(&self, root: PathBuf) -> Result<Answer, Failure> {
        let (projects, context) = (self.projects.clone(), Arc::clone(&self.context));
        let folder = root.clone();
        self.slowly_within(&root, move || {
            let initialised = projects.init(&folder)?;
            let project = initialised.project;
            let allowed = told(&projects.standing(&project.root)?.parts);
            let index = project.index()?;
            index.fresh().map_err(|source| ProjectError::Index { root: project.root.clone(), source })?;
            // So that the first task has all there is to learn from.
            look(&context, &project, true);
            let catalog = index.catalog();
            Ok(Answer::InitReport(InitReport {
                root: project.root.clone(),
                name: project.name.clone(),
                created: initialised.created,
                specs: u32::try_from(catalog.specs().len()).unwrap_or(u32::MAX),
                found: by_kind(catalog.specs()),
                allowed,
                skipped: index.skipped().iter().map(|file| format!("{}: {}", file.path, file.reason)).collect(),
            }))
        })
        .await?
    }
}

/// Specs and rule files counted by what they are: the specs first, then the tools by name.
fn by_kind(specs: &[Arc<SpecMeta>]) -> Vec<FoundFiles> {
    let mut found: Vec<FoundFiles> = Vec::new();
    for spec in specs {
        let kind = kind(spec);
        let at = found.iter().position(|known| known.kind == kind).unwrap_or_else(|| {
            found.push(FoundFiles { kind: kind.to_owned(), ..FoundFiles::default() });
            found.len() - 1
        });
        found[at].files += 1;
        found[at].tokens += u64::from(spec.tokens);
    }
    let is_rule = |found: &FoundFiles| found.kind != super::spec::KIND_OF_SPECS;
    found.sort_by(|a, b| (is_rule(a), &a.kind).cmp(&(is_rule(b), &b.kind)));
    found
}
