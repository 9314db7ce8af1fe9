//! What a spawn's plugins changed of their state is kept, as the last thing before the answer: only a spawn that is
//! committed has changed anything, and a daemon that dies in between loses the change.
//!
//! That it cannot be kept costs a note, in the answer and in the log, never the spawn.

use super::state::Engine;
use crate::context::Changed;
use crate::plugins::ReadFailure;
use crate::store::update_plugin_state;
use pu_protocol::context::ContextReport;
use pu_protocol::layout::ProjectLayout;

impl Engine {
    /// What there is to be told of it becomes a note of its assembler in `report`.
    pub(super) async fn keep_state(&self, project: &ProjectLayout, changed: Vec<Changed>, report: &mut ContextReport) {
        if changed.is_empty() {
            return;
        }
        let (gate, project) = (self.gates.of(project.root()), project.clone());
        let kept = Self::beside(&gate, move || {
            let told = changed.into_iter().filter_map(|one| Some((keep(&project, &one)?, one.assembler)));
            told.collect::<Vec<(String, String)>>()
        });
        // A panic of ours is in the log, and the state is as it was.
        for (note, assembler) in kept.await.unwrap_or_default() {
            tracing::warn!(assembler, note, "the state of a plugin");
            if let Some(part) = report.assemblers.iter_mut().find(|part| part.name == assembler) {
                part.notes.push(note);
            }
        }
    }
}

/// Keeps what one assembler changed, or says what there is to be told of that.
fn keep(project: &ProjectLayout, changed: &Changed) -> Option<String> {
    let mut applied: Result<(), ReadFailure> = Ok(());
    let updated = update_plugin_state(project, &changed.assembler, |entries| {
        applied = changed.changes.apply(entries);
    });
    match (updated, applied) {
        (Err(error), _) => Some(format!("what it changed of its state is not kept: {error}")),
        (Ok(_), Err(failure)) => Some(format!("what it changed of its state is not kept: {}", failure.message)),
        (Ok(Some(aside)), Ok(())) => {
            Some(format!("its state could not be read and begins anew; what there was is in {}", aside.display()))
        }
        (Ok(None), Ok(())) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::StateChanges;
    use pu_record::atomic;

    #[test]
    fn what_cannot_be_kept_is_told_and_a_damaged_file_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let project = ProjectLayout::new(folder.path());
        let changed = Changed { assembler: "ledger".into(), changes: StateChanges::default() };
        assert_eq!(keep(&project, &changed), None);
        assert!(!project.plugin_state("ledger").exists(), "nothing was changed");
        atomic::write_atomic(&project.plugin_state("ledger"), b"{", 0o600).unwrap();
        let told = keep(&project, &changed).unwrap();
        assert!(told.contains("begins anew") && told.contains("ledger.json.damaged-"), "{told}");
        std::fs::create_dir(project.plugin_state("ledger")).unwrap();
        let told = keep(&project, &changed).unwrap();
        assert!(told.starts_with("what it changed of its state is not kept: cannot read"), "{told}");
    }
}
