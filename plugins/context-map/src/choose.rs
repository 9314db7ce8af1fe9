//! The specs that an entry of the map names.

use pu_plugin_globs::Glob;
use pu_plugin_sdk::{Failure, Listing, Pick, Specs};

use crate::config::Entry;

/// Specs that a glob is held against: pages of so many.
const LISTED: u32 = 500;
const PAGES: usize = 4;
/// The contract's bound for one answer.
const PICKS_MAX: usize = 64;

/// Adds picks of the entry's specs, each spec once over all entries; answers with what cannot be found.
pub(crate) fn add(
    entry: &Entry,
    reason: &str,
    specs: &dyn Specs,
    picks: &mut Vec<Pick>,
) -> Result<Vec<String>, Failure> {
    let mut missing = Vec::new();
    for wanted in entry.specs.all() {
        let found = find(wanted, specs)?;
        if found.is_empty() {
            missing.push(format!("there is no spec {wanted}"));
        }
        for id in found {
            if let Some(known) = picks.iter_mut().find(|pick| pick.spec == id) {
                if known.score < entry.score {
                    known.score = entry.score;
                    reason.clone_into(&mut known.reason);
                }
            } else if picks.len() < PICKS_MAX {
                picks.push(Pick::new(id, entry.score, reason));
            }
        }
    }
    Ok(missing)
}

/// The ids of the specs that a text means.
fn find(wanted: &str, specs: &dyn Specs) -> Result<Vec<String>, Failure> {
    match specs.get(wanted) {
        Ok(spec) => return Ok(vec![spec.id]),
        Err(failure) if failure.code == "unknown_spec" => {}
        Err(failure) => return Err(failure),
    }
    // What has no special character is a name, not a folder that somebody forgot to mark as such.
    let Some(at) = wanted.find(['*', '?', '[', '{']) else { return Ok(Vec::new()) };
    let Some(glob) = Glob::new(wanted) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut listing = Listing::first(LISTED);
    // A glob without a folder means files in any.
    if let Some((folder, _)) = wanted[..at].rsplit_once('/') {
        listing =
            listing.filter("path-prefix", format!("{}/", folder.trim_start_matches("./").trim_start_matches('/')));
    }
    for _ in 0..PAGES {
        let page = specs.list(&listing)?;
        found.extend(page.specs.into_iter().filter(|spec| glob.matches(&spec.path)).map(|spec| spec.id));
        match page.next {
            Some(next) if found.len() < PICKS_MAX => listing.cursor = Some(next),
            _ => break,
        }
    }
    Ok(found)
}
