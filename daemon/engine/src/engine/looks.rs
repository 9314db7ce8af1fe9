//! Which agents are still looked at since the daemon's start, and of which projects: until a look is over, it is not known
//! of its agent whether it lives.
//!
//! Counts only; what is looked at is recovery's affair. Who waits for one project waits for no other: any of them may hang.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Handle to the counts. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Looks {
    under_way: watch::Sender<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    /// Agents of which it is not known yet who they are.
    unread: usize,
    /// How many others, by the roots of their projects.
    of_projects: BTreeMap<PathBuf, usize>,
}

/// An agent is looked at for as long as this lives.
#[derive(Debug)]
pub(super) struct Look {
    looks: Looks,
    /// Absent until it is known whose the agent is.
    project: Option<PathBuf>,
}

impl Looks {
    pub(super) fn begin(&self) -> Look {
        self.under_way.send_modify(|counts| counts.unread += 1);
        Look { looks: self.clone(), project: None }
    }

    /// Waits until it is known who every agent is; answers whether that is so within `limit`.
    pub(super) async fn all_read(&self, limit: Duration) -> bool {
        self.becomes(limit, |counts| counts.unread == 0).await
    }

    /// Waits until no agent of a project is looked at any more; answers whether that is so within `limit`.
    pub(super) async fn over_in(&self, project: &Path, limit: Duration) -> bool {
        self.becomes(limit, |counts| counts.unread == 0 && !counts.of_projects.contains_key(project)).await
    }

    /// Waits until no agent at all is looked at any more; answers whether that is so within `limit`.
    pub(super) async fn all_over(&self, limit: Duration) -> bool {
        self.becomes(limit, |counts| counts.unread == 0 && counts.of_projects.is_empty()).await
    }

    /// The projects whose agents are still looked at.
    pub(super) fn projects(&self) -> Vec<PathBuf> {
        self.under_way.borrow().of_projects.keys().cloned().collect()
    }

    async fn becomes(&self, limit: Duration, is_so: impl FnMut(&UnderWay) -> bool) -> bool {
        let mut counts = self.under_way.subscribe();
        let reached = timeout(limit, counts.wait_for(is_so)).await;
        reached.is_ok()
    }
}

impl UnderWay {
    fn over(&mut self, project: &Path) {
        let Some(looks) = self.of_projects.get_mut(project) else { return };
        *looks -= 1;
        if *looks == 0 {
            self.of_projects.remove(project);
        }
    }
}

impl Look {
    /// From here on it is known whose the agent is.
    pub(super) fn of(mut self, project: &Path) -> Self {
        if self.project.is_none() {
            self.looks.under_way.send_modify(|counts| {
                counts.unread -= 1;
                *counts.of_projects.entry(project.to_owned()).or_default() += 1;
            });
            self.project = Some(project.to_owned());
        }
        self
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let project = self.project.take();
        self.looks.under_way.send_modify(|counts| match &project {
            Some(project) => counts.over(project),
            None => counts.unread -= 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    /// A project whose file system, or whose lock, hangs.
    #[tokio::test]
    async fn who_waits_for_one_project_waits_for_no_other() {
        let looks = Looks::default();
        assert!(looks.all_over(AT_ONCE).await, "nothing was begun");
        let (hung, well, unread) = (looks.begin(), looks.begin(), looks.begin());
        let hung = hung.of(Path::new("/hung"));
        let well = well.of(Path::new("/well"));
        assert!(!looks.all_read(AT_ONCE).await);
        assert!(!looks.over_in(Path::new("/other"), AT_ONCE).await, "the third may be of any");
        drop(unread);
        assert!(looks.all_read(AT_ONCE).await && looks.over_in(Path::new("/other"), AT_ONCE).await);
        assert!(!looks.over_in(Path::new("/well"), AT_ONCE).await);
        let waiting = looks.clone();
        let waiting = tokio::spawn(async move { waiting.over_in(Path::new("/well"), Duration::from_secs(30)).await });
        drop(well);
        assert!(waiting.await.unwrap());
        assert_eq!(looks.projects(), [PathBuf::from("/hung")]);
        assert!(!looks.over_in(Path::new("/hung"), AT_ONCE).await && !looks.all_over(AT_ONCE).await);
        drop(hung);
        assert!(looks.all_over(AT_ONCE).await);
    }
}
