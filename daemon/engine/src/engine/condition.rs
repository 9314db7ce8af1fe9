//! What is wrong with a project, as far as that was seen. No file is looked at for it: a project that hangs is told of, too.

use super::state::Engine;
use crate::projects::Project;

impl Engine {
    /// The faults of its configuration and its index, plugins that are set aside, and whether it answers; nothing where all is
    /// well.
    pub(super) fn condition_of(&self, project: &Project) -> Vec<String> {
        let mut condition = project.condition();
        condition.extend(self.context.set_aside(&project.root));
        condition
    }
}
