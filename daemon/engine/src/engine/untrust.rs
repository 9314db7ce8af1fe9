//! `untrust`: nothing more of a project acts.
//!
//! What runs goes on: an agent is ended by `kill`.

use super::failure::Failure;
use super::state::Engine;
use super::trust::answer;
use pu_protocol::Answer;
use std::path::PathBuf;

impl Engine {
    pub(super) async fn untrust(&self, cwd: PathBuf) -> Result<Answer, Failure> {
        let (projects, folder) = (self.projects.clone(), cwd.clone());
        self.slowly_within(&cwd, move || Ok(answer(&projects.untrust(&folder)?))).await?
    }
}
