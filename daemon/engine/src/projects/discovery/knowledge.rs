//! What the owner has found out: roots, projects, what cannot be watched; and how what a look came to changes that.
//!
//! Here discovery meets the registry. A project is told as gone only where it was looked for and nothing was silent.

use super::owner::Owner;
use super::places::{self, Awaited};
use super::scan::{Outcome, Start};
use pu_protocol::Event;
use pu_protocol::layout::ProjectLayout;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

impl Owner {
    /// What a look came to becomes what is known; answers how many projects were news.
    pub(super) fn take_in(&mut self, (starts, mut outcome): (Vec<Start>, Outcome), is_all: bool) -> usize {
        if (self.means.is_over)() {
            return 0;
        }
        let found = self.means.projects.found_all(outcome.projects.iter().cloned().collect());
        let found = found.unwrap_or_else(|error| {
            tracing::error!(%error, "what was found cannot be written down");
            0
        });
        let looked_at = places::real(&starts, &outcome, &self.roots);
        self.take_roots(&outcome);
        let blind = |project: &PathBuf| outcome.is_blind_at(project) || outcome.projects.contains(project);
        let known = looked_at.iter().flat_map(|folder| self.seen_below(folder));
        let gone: Vec<PathBuf> = known.filter(|project| !blind(project)).collect();
        self.seen.extend(outcome.projects.iter().cloned());
        self.note_gone(gone);
        for folder in &outcome.silent {
            tracing::warn!(folder = %folder.display(), "does not answer, and is left out until it does");
            self.silent.insert(folder.clone());
        }
        let refused = outcome.refused.take();
        self.parts.replace(&looked_at, std::mem::take(&mut outcome.unwatched), self.depth());
        self.tell_limit(refused);
        if is_all {
            let mut condition = self.condition();
            condition.folders = outcome.folders;
            condition.is_cut = outcome.is_cut;
            condition.note_unreadable(&outcome.unreadable);
        }
        found
    }

    /// Roots that were looked at are there or not; for those that are not, the place where they will be is watched.
    fn take_roots(&mut self, outcome: &Outcome) {
        for root in &outcome.roots {
            self.roots.retain(|known| known.given != root.given);
            self.roots.push(Arc::clone(root));
        }
        let (missing, there) = (&outcome.missing, &outcome.roots);
        for root in self.roots.iter().filter(|root| missing.contains(&root.given)) {
            tracing::warn!(root = %root.real.display(), "a root of discovery is gone; it is looked for when it is back");
        }
        self.roots.retain(|root| !missing.contains(&root.given));
        let is_settled = |given: &PathBuf| missing.contains(given) || there.iter().any(|root| root.given == *given);
        let (settled, awaited): (Vec<Awaited>, _) =
            std::mem::take(&mut self.awaited).into_iter().partition(|one| is_settled(&one.given));
        self.awaited = awaited;
        for given in missing {
            let Some(one) = Awaited::of(given) else { continue };
            if let Err(refused) = self.watches.add(&one.above) {
                tracing::warn!(?refused, root = %given.display(), "a root that is not there is looked for in vain");
                self.parts.look_always(given);
            }
            // It came after it was looked for and before anybody listened. Once: something else may be in its place.
            if !settled.contains(&one) && one.is_coming() {
                self.look_at.get_or_insert_with(Instant::now);
            }
            self.awaited.push(one);
        }
        for one in &settled {
            self.stop_awaiting(one);
        }
    }

    /// The folder above is watched no longer, unless for something else.
    pub(super) fn stop_awaiting(&self, one: &Awaited) {
        let is_needed = self.awaited.iter().any(|other| other.above == one.above);
        if !is_needed && self.root_of(&one.above).is_none() {
            self.watches.forget(&one.above, |path| path != one.above);
        }
    }

    /// A folder that became a project or a repository: what is below is watched no longer, but for projects in there.
    pub(super) fn close(&self, folder: &Path) {
        let Some(around) = self.root_of(folder).filter(|root| root.real != folder) else { return };
        // A root that lies in there is open all the same, and one that is not there yet is still looked out for.
        let is_of_inner_root = |path: &Path| self.root_of(path).is_some_and(|root| root.real != around.real);
        let is_awaited_at = |path: &Path| self.awaited.iter().any(|one| one.above == path);
        self.watches.forget(folder, |path| {
            path == folder || self.seen.contains(path) || is_of_inner_root(path) || is_awaited_at(path)
        });
    }

    /// Folders in which a `.pu/` is there now. With one write for all: where a thousand come, one for each takes too long.
    pub(super) fn note_projects(&mut self, folders: &BTreeSet<PathBuf>) {
        let is_home = |folder: &Path| folder.join(ProjectLayout::FOLDER) == self.means.home.root();
        let is_one =
            |folder: &Path| !is_home(folder) && self.root_of(folder).is_some() && places::holds_project(folder);
        let there: Vec<PathBuf> = folders.iter().filter(|folder| is_one(folder)).cloned().collect();
        if there.is_empty() {
            return;
        }
        match self.means.projects.found_all(there.clone()) {
            Ok(news) => tracing::debug!(projects = there.len(), news, "found"),
            Err(error) => tracing::error!(%error, "what was found cannot be written down"),
        }
        self.seen.extend(there);
    }

    /// Projects that may be there no longer: those that are not are told. Where nothing answers nobody asks, least of all this
    /// thread.
    pub(super) fn note_gone(&mut self, projects: Vec<PathBuf>) {
        let asked = projects.into_iter().filter(|project| !places::is_below(project, &self.silent));
        let gone: Vec<PathBuf> = asked.filter(|project| !places::holds_project(project)).collect();
        if gone.is_empty() {
            return;
        }
        for project in &gone {
            self.seen.remove(project);
        }
        if let Err(error) = self.means.projects.gone_all(&gone) {
            tracing::error!(projects = gone.len(), %error, "that projects are gone cannot be noted");
        }
    }

    /// The projects that were seen at a folder and below it.
    pub(super) fn seen_below(&self, folder: &Path) -> Vec<PathBuf> {
        let from = (Bound::Included(folder), Bound::Unbounded);
        self.seen.range::<Path, _>(from).take_while(|project| project.starts_with(folder)).cloned().collect()
    }

    /// Says that not everything can be watched: once, until everything could be again.
    fn tell_limit(&mut self, refused: Option<String>) {
        let Some(some) = self.parts.some() else {
            self.limited = None;
            return;
        };
        if self.limited.is_some() {
            return;
        }
        let (count, every) = (self.parts.len(), self.config.poll_seconds);
        let why = refused.unwrap_or_else(|| "the system does not tell of every change there".to_owned());
        let message = format!(
            "not all folders can be watched for projects: {why}. {count} parts, such as {}, are looked at every {every} s instead",
            some.display()
        );
        tracing::warn!(why = message, "discovery is limited");
        self.means.events.publish(Event::DiscoveryLimited { folder: some.to_owned(), message: message.clone() });
        self.limited = Some(message);
    }
}
