//! `project_show`: one project, by what it is called or by where somebody stands.

use super::{Engine, Failure};
use pu_protocol::{Answer, ErrorCode};
use std::path::PathBuf;

impl Engine {
    pub(in crate::engine) async fn project_show(
        &self,
        called: Option<String>,
        cwd: Option<PathBuf>,
    ) -> Result<Answer, Failure> {
        let engine = self.clone();
        let folder = match (&called, &cwd) {
            (Some(called), cwd) => self.projects.place_of(called, cwd.as_deref())?,
            (None, Some(cwd)) => cwd.clone(),
            (None, None) => {
                let message = "neither a project nor a folder of one is named";
                return Err(Failure::new(ErrorCode::InvalidRequest, message));
            }
        };
        let around = folder.clone();
        let shown = self.slowly_within(&folder, move || -> Result<Answer, Failure> {
            let listed = match called {
                Some(called) => engine.projects.named(&called, cwd.as_deref())?,
                None => engine.projects.around(&around)?,
            };
            Ok(Answer::ProjectReport(Box::new(engine.detail(&listed))))
        });
        shown.await?
    }
}
