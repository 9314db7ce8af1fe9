//! The specs that say themselves which labels they are for: `for: [fix]`, `kinds:` or `labels:` in their front matter.

use pu_plugin_sdk::{Failure, Label, Listing, Pick, SpecMeta, Specs};

const KEYS: [&str; 3] = ["front-matter.for", "front-matter.kinds", "front-matter.labels"];
/// A spec that its agents load by themselves says so: `native`, once for each.
const NATIVE: &str = "native";
/// Specs that are looked at.
const LISTED: u32 = 64;
/// Up to so many specs for one task say much of each.
const TELLING: f32 = 8.0;
/// Below a strong match by words: that a spec is for such tasks does not make it one for this task.
const LEAST: f32 = 0.3;
const SURE: f32 = 0.7;

/// Picks of the specs that are for a task with these labels.
pub(crate) fn picks(labels: &[Label], agent: &str, specs: &dyn Specs) -> Result<Vec<Pick>, Failure> {
    if labels.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = labels.iter().flat_map(|label| KEYS.map(|key| format!("{key}={}", label.name)));
    let wanted = wanted.collect::<Vec<_>>().join("\n");
    let page = specs.list(&Listing::first(LISTED).filter("attribute", wanted))?;
    let found: Vec<(&SpecMeta, &Label)> = page
        .specs
        .iter()
        .filter(|spec| !has(spec, NATIVE, agent))
        .filter_map(|spec| Some((spec, labels.iter().find(|label| is_for(spec, &label.name))?)))
        .collect();
    let share = (TELLING / found.len().max(1) as f32).sqrt().min(1.0);
    let mut picks: Vec<Pick> = found
        .into_iter()
        .map(|(spec, label)| {
            let score = (SURE * label.confidence * share).max(LEAST);
            Pick::new(spec.id.clone(), score, format!("it is for tasks of the kind {}", label.name))
        })
        .collect();
    // Stable, so that equal ones stay in the order of their paths.
    picks.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(picks)
}

fn is_for(spec: &SpecMeta, label: &str) -> bool {
    KEYS.iter().any(|key| has(spec, key, label))
}

fn has(spec: &SpecMeta, key: &str, value: &str) -> bool {
    spec.extra.iter().any(|attr| attr.key == key && attr.value == value)
}
