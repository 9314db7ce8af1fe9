//! The specs that say themselves when they apply: rules of the kinds that coding agents know.
//!
//! The host says of each rule file what its own format means (`rule.mode`, `rule.glob`, `rule.scope`); of any other spec
//! the front matter does, by `globs`, `paths`, `applies-to` or `applyTo`. A hard rule is picked surely, whatever its words:
//! that is what makes it one.

use pu_plugin_globs::{self as globs, Glob};
use pu_plugin_sdk::{Failure, Listing, SpecMeta, Specs};

use crate::choices::Choices;
use crate::seen::{File, Seen};

/// Rules that are looked at: pages of so many.
const LISTED: u32 = 200;
const PAGES: u32 = 5;
const SURE: f32 = 1.0;
const MENTIONED: f32 = 0.9;
const CHANGED: f32 = 0.8;

const ALWAYS: &str = "always";
const GLOBS: &str = "globs";
const MANUAL: &str = "manual";

const MODE: &str = "rule.mode";
const GLOB: &str = "rule.glob";
const SCOPE: &str = "rule.scope";
/// Where a spec that is no rule file may say for which files it is.
const FILES_KEYS: [&str; 5] = [
    "front-matter.globs",
    "front-matter.paths",
    "front-matter.applies-to",
    "front-matter.appliesTo",
    "front-matter.applyTo",
];

/// Adds the rules that hold for the task to the choices; answers with what else is to be told.
pub(crate) fn choose(seen: &Seen<'_>, specs: &dyn Specs, choices: &mut Choices) -> Result<Option<String>, Failure> {
    let mut listing = Listing::first(LISTED).filter("attribute", wanted(seen));
    for _ in 0..PAGES {
        let page = specs.list(&listing)?;
        for spec in page.specs {
            if let Some(held) = holds(&spec, seen) {
                choices.add_rule(spec, held.score, held.reason, held.leads_on, held.kind);
            }
        }
        match page.next {
            None => return Ok(None),
            next => listing.cursor = next,
        }
    }
    Ok(Some(format!("only the first {} rules were looked at", LISTED * PAGES)))
}

/// The filter for the rules that could hold: of a task without files those with globs cannot.
fn wanted(seen: &Seen<'_>) -> String {
    let mut lines = vec![format!("{MODE}=always"), "front-matter.alwaysApply=true".to_owned()];
    if seen.names_anything() {
        lines.push(format!("{MODE}=manual"));
    }
    if !seen.files.is_empty() {
        lines.extend([format!("{MODE}=globs"), GLOB.to_owned(), SCOPE.to_owned()]);
        lines.extend(FILES_KEYS.map(str::to_owned));
    }
    lines.join("\n")
}

/// That a rule holds, and why.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    score: f32,
    reason: String,
    /// One that always holds says nothing of the task, so neither do its links.
    leads_on: bool,
    kind: &'static str,
}

fn holds(spec: &SpecMeta, seen: &Seen<'_>) -> Option<Held> {
    let scope = values(spec, SCOPE).next().unwrap_or_default();
    let applies_always = values(spec, "front-matter.alwaysApply").any(|value| value == "true");
    let mode = values(spec, MODE).next().unwrap_or(if applies_always { ALWAYS } else { GLOBS });
    match mode {
        ALWAYS if globs::is_or_lies_in("", scope) => {
            Some(Held { score: SURE, reason: "always applies".to_owned(), leads_on: false, kind: ALWAYS })
        }
        ALWAYS => in_scope(scope, seen),
        GLOBS => by_globs(spec, scope, seen),
        MANUAL => {
            let held = || Held { score: SURE, reason: "the task names it".to_owned(), leads_on: true, kind: MANUAL };
            is_named(spec, seen).then(held)
        }
        // Whether to take one of those that the model is to choose is a matter of words.
        _ => None,
    }
}

fn in_scope(scope: &str, seen: &Seen<'_>) -> Option<Held> {
    let file = seen.files.iter().find(|file| globs::is_or_lies_in(file.path, scope))?;
    Some(held(file, &format!("in {}/", scope.trim_end_matches('/')), ALWAYS))
}

fn by_globs(spec: &SpecMeta, scope: &str, seen: &Seen<'_>) -> Option<Held> {
    let own: Vec<Glob<'_>> = values(spec, GLOB).flat_map(globs::split).filter_map(Glob::new).collect();
    let all: Vec<Glob<'_>> = if own.is_empty() {
        let written = FILES_KEYS.into_iter().flat_map(|key| values(spec, key));
        written.flat_map(globs::split).filter_map(Glob::new).collect()
    } else {
        own
    };
    let (excluding, including): (Vec<_>, Vec<_>) = all.into_iter().partition(|glob| glob.excludes);
    if including.is_empty() {
        let has_scope = !globs::is_or_lies_in("", scope);
        return if has_scope && excluding.is_empty() { in_scope(scope, seen) } else { None };
    }
    let inside = seen.files.iter().filter(|file| globs::is_or_lies_in(file.path, scope));
    inside.filter(|file| !excluding.iter().any(|glob| matches(glob, file.path, scope))).find_map(|file| {
        let glob = including.iter().find(|glob| matches(glob, file.path, scope))?;
        Some(held(file, glob.written, GLOBS))
    })
}

/// A nested rule's globs are relative to its folder in some tools and to the project in others.
fn matches(glob: &Glob<'_>, path: &str, scope: &str) -> bool {
    let inner = path.strip_prefix(scope.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
    glob.matches(path) || inner.is_some_and(|inner| glob.matches(inner))
}

fn held(file: &File<'_>, what: &str, kind: &'static str) -> Held {
    let (score, how) = if file.is_mentioned { (MENTIONED, "named") } else { (CHANGED, "changed") };
    Held { score, reason: format!("applies to {} ({how}): {what}", file.path), leads_on: true, kind }
}

/// By its file's name without the ending, or by the `name` of its front matter.
fn is_named(spec: &SpecMeta, seen: &Seen<'_>) -> bool {
    let file = spec.path.rsplit('/').next().unwrap_or(&spec.path);
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    seen.names(stem, &spec.path) || values(spec, "front-matter.name").any(|name| seen.names(name, &spec.path))
}

fn values<'a>(spec: &'a SpecMeta, key: &'a str) -> impl Iterator<Item = &'a str> {
    spec.extra.iter().filter(move |attr| attr.key == key).map(|attr| attr.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::{Attr, ChangedFile, Task};

    fn rule(attributes: &[(&str, &str)]) -> SpecMeta {
        let extra = attributes.iter().map(|(k, v)| Attr { key: (*k).into(), value: (*v).into() }).collect();
        SpecMeta { id: "r".into(), path: ".rules/api-style.mdc".into(), extra, ..SpecMeta::default() }
    }

    fn reason(attributes: &[(&str, &str)], task: &Task) -> Option<String> {
        holds(&rule(attributes), &Seen::of(task)).map(|held| held.reason)
    }

    fn naming(path: &str) -> Task {
        Task { mentioned_files: vec![path.into()], ..Task::new("do it") }
    }

    fn changing(path: &str) -> Task {
        let changed_files = vec![ChangedFile { path: path.into(), status: "modified".into() }];
        Task { changed_files, ..Task::new("do it") }
    }

    #[test]
    fn one_that_always_holds_is_sure_and_leads_nowhere() {
        for attributes in [&[("rule.mode", "always")][..], &[("front-matter.alwaysApply", "true")]] {
            let held = holds(&rule(attributes), &Seen::of(&Task::new("x"))).unwrap();
            assert_eq!((held.score, held.reason.as_str(), held.leads_on), (1.0, "always applies", false));
        }
        assert_eq!(reason(&[("front-matter.alwaysApply", "false")], &Task::new("x")), None);
    }

    #[test]
    fn one_with_globs_holds_for_a_file_and_names_both() {
        let globs = [("rule.mode", "globs"), ("rule.glob", "src/**/*.ts"), ("rule.glob", "*.rs")];
        let reasons = [naming("src/deep/a.ts"), changing("b/c.rs"), naming("README.md"), Task::new("x")];
        let reasons = reasons.map(|task| reason(&globs, &task));
        let expected = [
            Some("applies to src/deep/a.ts (named): src/**/*.ts"),
            Some("applies to b/c.rs (changed): *.rs"),
            None,
            None,
        ];
        assert_eq!(reasons.each_ref().map(Option::as_deref), expected);
        for key in FILES_KEYS {
            assert!(reason(&[(key, "lib/**, src/**")], &naming("src/a.ts")).is_some(), "{key}");
        }
        let excluded = [("rule.glob", "src/**"), ("rule.glob", "!src/gen/**")];
        assert!(reason(&excluded, &naming("src/a.ts")).is_some());
        assert_eq!(reason(&excluded, &naming("src/gen/a.ts")), None);
    }

    #[test]
    fn a_nested_one_holds_in_its_folder_only() {
        let nested = [("rule.mode", "always"), ("rule.scope", "web")];
        assert_eq!(reason(&nested, &naming("web/a.ts")).as_deref(), Some("applies to web/a.ts (named): in web/"));
        assert_eq!(reason(&nested, &naming("webs/a.ts")), None);
        assert_eq!(reason(&nested, &Task::new("x")), None);
        let globs = [("rule.mode", "globs"), ("rule.scope", "web"), ("rule.glob", "src/*.ts")];
        assert!(reason(&globs, &naming("web/src/a.ts")).is_some());
        assert_eq!(reason(&globs, &naming("src/a.ts")), None);
        assert!(reason(&[("rule.mode", "always"), ("rule.scope", ".")], &Task::new("x")).is_some());
    }

    #[test]
    fn a_manual_one_holds_when_it_is_named() {
        let manual = [("rule.mode", "manual"), ("rule.glob", "**")];
        assert_eq!(reason(&manual, &naming("src/a.ts")), None);
        assert!(reason(&manual, &Task::new("follow @api-style here")).is_some());
        assert!(reason(&manual, &naming(".rules/api-style.mdc")).is_some());
        assert!(reason(&manual, &Task { tags: vec!["API-style".into()], ..Task::default() }).is_some());
    }

    #[test]
    fn one_that_a_model_is_to_choose_is_not_for_here() {
        assert_eq!(reason(&[("rule.mode", "model"), ("rule.glob", "**")], &naming("src/a.ts")), None);
    }

    #[test]
    fn only_what_could_hold_is_listed() {
        assert_eq!(wanted(&Seen::of(&Task::new("x"))), "rule.mode=always\nfront-matter.alwaysApply=true");
        let all = wanted(&Seen::of(&naming("a.rs")));
        assert!(["rule.mode=manual", "rule.glob", "front-matter.globs"].iter().all(|line| all.contains(line)), "{all}");
    }
}
