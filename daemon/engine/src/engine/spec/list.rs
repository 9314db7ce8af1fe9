//! `spec_list`: which specs the project has, by path, a page at a time.

use super::{Engine, Failure, KIND_OF_RULES, KIND_OF_SPECS, ROOM, first_that_fit, info, is_asked_for, kind};
use crate::specs::{RuleKind, RuleMode, SpecMeta};
use pu_protocol::{Answer, ErrorBody, ErrorCode};
use std::path::PathBuf;
use std::sync::Arc;

/// Which specs are asked for: all of this must hold.
pub(in crate::engine) struct Wanted {
    pub(in crate::engine) path: Option<String>,
    pub(in crate::engine) kinds: Vec<String>,
    pub(in crate::engine) modes: Vec<String>,
    pub(in crate::engine) tags: Vec<String>,
    pub(in crate::engine) native: Option<String>,
}

impl Engine {
    pub(in crate::engine) async fn spec_list(
        &self,
        cwd: PathBuf,
        wanted: Wanted,
        after: Option<String>,
    ) -> Result<Answer, Failure> {
        wanted.check()?;
        let (engine, folder) = (self.clone(), cwd.clone());
        // The whole project may have to be indexed first.
        let listed = self.slowly_within(&cwd, move || -> Result<Answer, Failure> {
            let (_, index) = engine.looked_at(&folder)?;
            let catalog = index.catalog();
            Ok(page(catalog.specs(), &wanted, after.as_deref()))
        });
        listed.await?
    }
}

/// The part of the list that begins behind `after`.
fn page(specs: &[Arc<SpecMeta>], wanted: &Wanted, after: Option<&str>) -> Answer {
    let matching: Vec<&SpecMeta> = specs.iter().map(|spec| &**spec).filter(|spec| wanted.holds(spec)).collect();
    let start = after.map_or(0, |after| matching.partition_point(|spec| spec.path.as_str() <= after));
    let (specs, is_all) = first_that_fit(matching[start..].iter().map(|spec| info(spec)), ROOM);
    let next = specs.last().filter(|_| !is_all).map(|last| last.path.clone());
    Answer::SpecListReport { total: u32::try_from(matching.len()).unwrap_or(u32::MAX), specs, next }
}

impl Wanted {
    /// Refuses words that no spec can have, where a list without specs would only puzzle.
    fn check(&self) -> Result<(), Failure> {
        let kinds: Vec<&str> =
            [KIND_OF_SPECS, KIND_OF_RULES].into_iter().chain(RuleKind::ALL.map(RuleKind::name)).collect();
        known("kind of spec", &self.kinds, &kinds)?;
        known("mode of rules", &self.modes, &RuleMode::ALL.map(RuleMode::name))
    }

    fn holds(&self, spec: &SpecMeta) -> bool {
        let is_of = |asked: &String| match asked.as_str() {
            KIND_OF_RULES => spec.rule.is_some(),
            asked => kind(spec) == asked,
        };
        let is_read = |mode: &String| spec.rule.as_ref().is_some_and(|rule| rule.mode.name() == mode);
        let has = |tag: &String| spec.tags.iter().any(|known| known.eq_ignore_ascii_case(tag));
        self.path.as_deref().is_none_or(|asked| is_asked_for(&spec.path, asked))
            && (self.kinds.is_empty() || self.kinds.iter().any(is_of))
            && (self.modes.is_empty() || self.modes.iter().any(is_read))
            && self.tags.iter().all(has)
            && self.native.as_ref().is_none_or(|agent| spec.native.iter().any(|loads| loads == agent))
    }
}

fn known(what: &str, asked: &[String], known: &[&str]) -> Result<(), Failure> {
    match asked.iter().find(|word| !known.contains(&word.as_str())) {
        None => Ok(()),
        Some(word) => {
            let message = format!("there is no {what} {word:?}");
            let hint = format!("there are {}", known.join(", "));
            Err(ErrorBody::new(ErrorCode::InvalidRequest, message).with_hint(hint).into())
        }
    }
}
