//! `project_scan`: looks for projects once, below the configured roots or below others.

use super::{Engine, Failure};
use pu_protocol::Answer;
use pu_protocol::discovery::ScanReport;
use std::path::PathBuf;

impl Engine {
    pub(in crate::engine) async fn project_scan(&self, roots: Vec<PathBuf>) -> Result<Answer, Failure> {
        let engine = self.clone();
        let looked = self.slowly(move || -> Result<ScanReport, Failure> {
            if roots.is_empty() {
                return Ok(engine.discovery.look()?);
            }
            let config = engine.projects.user_config()?.discovery;
            Ok(engine.discovery.look_below(roots, config, &engine.options.home)?)
        });
        Ok(Answer::ProjectScanReport(looked.await??))
    }
}
