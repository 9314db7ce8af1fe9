//! What an older release trusted, of which it noted no digests, is noted as it is found when the daemon starts: what comes
//! later is asked for.
//!
//! It asks nobody, runs nothing of a project, and is waited for by nobody. A project whose configuration cannot be read is
//! noted by its first request.

use super::state::Engine;

impl Engine {
    pub fn note_older_trust(&self) {
        for root in self.projects.trusted_unseen() {
            let engine = self.clone();
            tokio::spawn(async move {
                let (gate, projects, noted) = (engine.gates.of_root(&root), engine.projects.clone(), root.clone());
                // A panic of ours is in the log.
                if let Ok(Err(error)) = engine.slowly_beside(&gate, move || projects.check_unchanged(&noted)).await {
                    tracing::warn!(root = %root.display(), %error, "what can act in a trusted project is not noted yet");
                }
            });
        }
    }
}
