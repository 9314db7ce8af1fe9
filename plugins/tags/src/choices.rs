//! What has been chosen so far: each spec once, with the best score and every reason. Pure.

use pu_plugin_sdk::{Attr, Pick, SpecMeta};

/// A spec that its agents load by themselves says so: `native`, once for each.
const NATIVE: &str = "native";
/// What a pick that is a hard rule says in its `extra`, with the kind of rule.
const RULE: &str = "rule";
/// The contract's bound, less what an ellipsis takes.
const REASON_MAX: usize = 496;
/// So many are called by name in a note.
const NAMED: usize = 5;

/// A spec and why it was chosen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    pub(crate) spec: SpecMeta,
    pub(crate) score: f32,
    reasons: Vec<String>,
    /// The task is about it, so that what it links to may be of use too.
    pub(crate) leads_on: bool,
    /// The kind of rule that it is, if it was chosen as one.
    rule: Option<&'static str>,
}

/// In the order in which they were chosen.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Choices {
    all: Vec<Choice>,
}

impl Choices {
    pub(crate) fn add(&mut self, spec: SpecMeta, score: f32, reason: String, leads_on: bool) {
        match self.all.iter_mut().find(|known| known.spec.id == spec.id) {
            Some(known) => {
                // The reason of the better score is the one to be told first.
                let at = if score > known.score { 0 } else { known.reasons.len() };
                known.reasons.insert(at, reason);
                known.score = known.score.max(score);
                known.leads_on |= leads_on;
            }
            None => self.all.push(Choice { spec, score, reasons: vec![reason], leads_on, rule: None }),
        }
    }

    /// Adds a rule that holds, of this kind.
    pub(crate) fn add_rule(&mut self, spec: SpecMeta, score: f32, reason: String, leads_on: bool, kind: &'static str) {
        let id = spec.id.clone();
        self.add(spec, score, reason, leads_on);
        if let Some(choice) = self.all.iter_mut().find(|known| known.spec.id == id) {
            choice.rule = Some(kind);
        }
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.all.iter().any(|choice| choice.spec.id == id)
    }

    /// The best of those that lead on, as id and path.
    pub(crate) fn leading_on(&self, most: usize) -> Vec<(String, String)> {
        let mut leading: Vec<&Choice> = self.all.iter().filter(|choice| choice.leads_on).collect();
        leading.sort_by(|a, b| b.score.total_cmp(&a.score));
        leading.into_iter().take(most).map(|choice| (choice.spec.id.clone(), choice.spec.path.clone())).collect()
    }

    /// Takes out what the agent loads by itself, and says so.
    pub(crate) fn leave_out_native(&mut self, agent: &str) -> Option<String> {
        let is_native = |choice: &Choice| choice.spec.extra.iter().any(|a| a.key == NATIVE && a.value == agent);
        let native: Vec<Choice> = self.all.extract_if(.., |choice| is_native(choice)).collect();
        let paths: Vec<&str> = native.iter().take(NAMED).map(|choice| choice.spec.path.as_str()).collect();
        let more = native.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        (!native.is_empty()).then(|| format!("{agent} loads by itself, so not picked: {}{more}", paths.join(", ")))
    }

    /// Keeps the best so many, and says how many went.
    pub(crate) fn cut(&mut self, limit: usize) -> Option<String> {
        // Stable, so that equal ones stay in the order in which they were chosen.
        self.all.sort_by(|a, b| b.score.total_cmp(&a.score));
        let over = self.all.len().saturating_sub(limit);
        self.all.truncate(limit);
        (over > 0).then(|| format!("{over} more would have been picked: the limit is {limit}"))
    }

    pub(crate) fn into_picks(self) -> Vec<Pick> {
        let pick = |choice: Choice| {
            let rule = |kind: &str| Attr { key: RULE.to_owned(), value: kind.to_owned() };
            let extra = choice.rule.map(rule).into_iter().collect();
            Pick { extra, ..Pick::new(choice.spec.id, choice.score, shortened(&choice.reasons.join("; "))) }
        };
        self.all.into_iter().map(pick).collect()
    }
}

/// One line that the contract takes.
fn shortened(reason: &str) -> String {
    let line: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= REASON_MAX {
        return line;
    }
    line.chars().take(REASON_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(id: &str, native: &[&str]) -> SpecMeta {
        let extra = native.iter().map(|agent| Attr { key: NATIVE.into(), value: (*agent).into() }).collect();
        SpecMeta { id: id.into(), path: format!("{id}.md"), extra, ..SpecMeta::default() }
    }

    #[test]
    fn a_spec_is_picked_once_with_its_best_reason_first() {
        let mut choices = Choices::default();
        choices.add(spec("a", &[]), 0.3, "weak".into(), false);
        choices.add(spec("b", &[]), 0.5, "other".into(), true);
        choices.add(spec("a", &[]), 0.9, "strong".into(), true);
        assert_eq!(choices.leading_on(1), [("a".to_owned(), "a.md".to_owned())]);
        assert_eq!(choices.cut(9), None);
        let picks = choices.into_picks();
        assert_eq!((picks[0].spec.as_str(), picks[0].score, picks[0].reason.as_str()), ("a", 0.9, "strong; weak"));
        assert_eq!(picks.len(), 2);
    }

    #[test]
    fn what_the_agent_has_already_is_told_and_not_picked() {
        let mut choices = Choices::default();
        choices.add(spec("AGENTS", &["codex", "opencode"]), 1.0, "always applies".into(), false);
        choices.add(spec("CLAUDE", &["claude"]), 1.0, "always applies".into(), false);
        assert_eq!(choices.leave_out_native("terminal"), None);
        let note = choices.leave_out_native("codex").unwrap();
        assert_eq!(note, "codex loads by itself, so not picked: AGENTS.md");
        assert!(choices.has("CLAUDE") && !choices.has("AGENTS"));
    }

    #[test]
    fn the_weakest_are_cut_and_counted_and_no_reason_is_too_long() {
        let mut choices = Choices::default();
        choices.add(spec("a", &[]), 0.3, "ä\n".repeat(400), false);
        choices.add(spec("b", &[]), 0.5, String::new(), false);
        choices.add(spec("c", &[]), 0.2, String::new(), false);
        assert_eq!(choices.cut(2).as_deref(), Some("1 more would have been picked: the limit is 2"));
        let picks = choices.into_picks();
        assert_eq!((picks[0].spec.as_str(), picks[1].spec.as_str()), ("b", "a"));
        assert!(picks[1].reason.chars().count() <= 500 && !picks[1].reason.contains('\n'));
    }
}
