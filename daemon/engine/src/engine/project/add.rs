//! `project_add`: a folder with a `.pu/` becomes known, as discovery would make it. It is not trusted by that.

use super::{Engine, Failure};
use pu_protocol::Answer;
use std::path::PathBuf;

impl Engine {
    pub(in crate::engine) async fn project_add(&self, root: PathBuf) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), root.clone());
        let added = self.slowly_within(&root, move || -> Result<Answer, Failure> {
            let listed = engine.projects.add(&folder)?;
            Ok(Answer::ProjectReport(Box::new(engine.detail(&listed))))
        });
        added.await?
    }
}
