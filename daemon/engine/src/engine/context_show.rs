//! `context_show`: what context an agent got, and why, as it was recorded when it was spawned.

use super::failure::Failure;
use super::state::Engine;
use crate::store::SpawnCommit;
use nix::fcntl::OFlag;
use pu_protocol::answer::ContextAnswer;
use pu_protocol::layout::ProjectLayout;
use pu_protocol::{Answer, ErrorBody, ErrorCode};
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Bytes of the context that are shown at most.
const COPY_MAX: u64 = 512 * 1024;

impl Engine {
    pub(super) async fn context_show(&self, called: &str, cwd: Option<PathBuf>) -> Result<Answer, Failure> {
        let agent = self.agent(called, cwd).await?;
        let commit: SpawnCommit = serde_json::from_value(agent.launch.commit.clone()).map_err(|e| {
            ErrorBody::new(ErrorCode::RecordDamaged, format!("{}: {e}", agent.layout.launch().display()))
        })?;
        let handed = ProjectLayout::new(&agent.launch.cwd).context_file(&agent.info.agent_id);
        // The agent may have deleted or changed its copy; the record above is what counts.
        let text = self.within(&agent.info.project_root, move || read_copy(&handed)).await?;
        Ok(Answer::ContextReport(ContextAnswer { report: commit.context, text, unknown: Vec::new() }))
    }
}

/// The file is the agent's to change, so it is read as a stranger's: a link, a pipe or a device is not followed, and
/// only so much of it is taken as an answer holds.
fn read_copy(path: &Path) -> Option<String> {
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(COPY_MAX).read_to_end(&mut bytes).ok()?;
    String::from_utf8(bytes).ok()
}
