//! What kind of task a prompt is, by words that tell. Pure.
//!
//! Each word that it knows is evidence for a kind, with a weight: more where it is the verb that the subject begins with,
//! less where it stands in the details. A prefix as conventional commits have it (`fix(auth): …`) outweighs all of them.
//! It knows English and these prefixes; of a prompt in another language it says nothing rather than a guess.

use crate::words;

/// The kinds, in the order in which equal ones are told.
pub(crate) const KINDS: [&str; 9] =
    ["fix", "feature", "refactor", "docs", "test", "review", "performance", "security", "release"];

/// Evidence that a kind gets on no word at all: who knows one weak word is not sure.
const DOUBT: f32 = 1.0;
const PREFIX: f32 = 8.0;
const FIRST: f32 = 1.5;
const DETAILS: f32 = 0.35;
/// What all words of the details together are worth at most: they tell how, and may be long.
const DETAILS_MAX: f32 = 2.0;
/// Words of a prompt that are looked at.
const WORDS_MAX: usize = 400;

/// Words a task may begin with and that say nothing of it.
const POLITE: [&str; 20] = [
    "please", "can", "could", "would", "you", "we", "i", "need", "should", "must", "want", "to", "let", "lets", "us",
    "help", "me", "now", "the", "a",
];

/// What stands before the colon of a conventional commit, and the kind that it means. One that is not here means none.
const PREFIXES: [(&str, &str); 18] = [
    ("fix", "fix"),
    ("bugfix", "fix"),
    ("hotfix", "fix"),
    ("feat", "feature"),
    ("feature", "feature"),
    ("refactor", "refactor"),
    ("refac", "refactor"),
    ("style", "refactor"),
    ("docs", "docs"),
    ("doc", "docs"),
    ("test", "test"),
    ("tests", "test"),
    ("perf", "performance"),
    ("security", "security"),
    ("sec", "security"),
    ("release", "release"),
    ("chore(release)", "release"),
    ("review", "review"),
];

/// Words and pairs of words, each with the kind that it speaks for and how much.
#[rustfmt::skip] // one word a line would be a page that nobody reads
const EVIDENCE: &[(&str, &[(&str, f32)])] = &[
    ("fix", &[
        ("fix", 3.0), ("fixes", 3.0), ("fixed", 2.5), ("fixing", 3.0), ("bug", 3.0), ("bugs", 3.0), ("bugfix", 4.0),
        ("hotfix", 4.0), ("crash", 3.0), ("crashes", 3.0), ("crashing", 3.0), ("broken", 2.5), ("breaks", 2.0),
        ("regression", 2.5), ("wrong", 2.0), ("incorrect", 2.0), ("incorrectly", 2.0), ("fails", 2.0), ("failing", 1.5),
        ("failure", 1.0), ("error", 1.0), ("errors", 1.0), ("panic", 2.0), ("panics", 2.0), ("leak", 2.0),
        ("leaks", 2.0), ("deadlock", 2.0), ("race", 1.0), ("hang", 2.0), ("hangs", 2.0), ("corrupt", 2.0), ("corrupted", 2.0),
        ("repair", 3.0), ("resolve", 2.0), ("correct", 1.5), ("off by", 1.5), ("does not", 1.0), ("doesn t", 1.0),
        ("not working", 2.5), ("stuck", 2.0), ("unexpected", 1.0), ("traceback", 2.0), ("segfault", 3.0),
        ("debug", 2.0), ("handle", 0.8), ("prevent", 1.0), ("avoid", 0.8), ("typo", 1.0),
    ]),
    ("feature", &[
        ("feature", 2.5), ("add", 1.5), ("adds", 1.5), ("support", 1.5), ("implement", 3.0), ("introduce", 2.5),
        ("new", 1.0), ("allow", 2.0), ("enable", 1.5), ("create", 1.8), ("build", 1.0), ("extend", 1.5),
        ("provide", 1.5), ("expose", 1.5), ("let users", 3.0), ("make it possible", 2.0), ("integrate", 1.5),
    ]),
    ("refactor", &[
        ("refactor", 4.0), ("refactoring", 4.0), ("rename", 3.0), ("extract", 2.5), ("simplify", 2.5), ("cleanup", 2.5),
        ("clean up", 3.0), ("restructure", 3.0), ("reorganize", 3.0), ("reorganise", 3.0), ("deduplicate", 2.5),
        ("dedupe", 2.5), ("inline", 1.5), ("split", 2.0), ("move", 1.8), ("unify", 2.0), ("consolidate", 2.5),
        ("remove", 1.3), ("dead code", 2.5), ("unused", 1.5), ("decouple", 2.5), ("modularize", 2.5), ("tidy", 2.0),
        ("rewrite", 2.0), ("migrate", 1.5), ("tech debt", 2.0), ("replace", 1.2),
    ]),
    ("docs", &[
        ("docs", 3.0), ("doc", 2.5), ("document", 3.0), ("documentation", 3.0), ("readme", 3.0), ("changelog", 1.5),
        ("docstring", 4.0), ("docstrings", 4.0), ("comment", 1.0), ("comments", 1.2), ("tutorial", 3.0), ("guide", 2.5),
        ("explain", 1.5), ("javadoc", 3.0), ("rustdoc", 3.0), ("wording", 2.0), ("glossary", 2.5), ("typo", 1.0),
        ("release notes", 1.0), ("how to", 0.8),
    ]),
    ("test", &[
        ("test", 2.5), ("tests", 3.0), ("testing", 2.5), ("unit test", 1.0), ("unit tests", 1.0), ("coverage", 2.5),
        ("fixture", 2.0), ("fixtures", 2.0), ("mock", 1.5), ("mocks", 1.5), ("flaky", 1.5), ("assertions", 1.5),
        ("e2e", 2.5), ("fuzz", 3.0), ("fuzzing", 3.0), ("test case", 1.0), ("test cases", 1.0), ("snapshot tests", 1.0),
    ]),
    ("review", &[
        ("review", 3.5), ("reviewing", 3.0), ("audit", 2.0), ("critique", 3.5), ("feedback", 2.0), ("look over", 2.5),
        ("inspect", 1.5), ("assess", 2.5), ("evaluate", 2.0), ("pull request", 1.5), ("code review", 1.0),
        ("second opinion", 3.0), ("diff", 0.8),
    ]),
    ("performance", &[
        ("performance", 3.0), ("perf", 3.0), ("slow", 3.0), ("slower", 3.0), ("speed", 2.0), ("speed up", 2.5),
        ("faster", 3.0), ("fast", 1.5), ("optimize", 3.0), ("optimise", 3.0), ("optimizing", 3.0), ("optimization", 3.0),
        ("latency", 3.0), ("throughput", 3.0), ("benchmark", 2.5), ("benchmarks", 2.5), ("profile", 1.5),
        ("profiling", 2.5), ("cache", 1.0), ("caching", 1.5), ("memory usage", 2.5), ("cpu", 1.5), ("allocation", 2.0),
        ("allocations", 2.5), ("p99", 3.0), ("p95", 3.0), ("hot path", 2.5), ("bottleneck", 3.0), ("quicker", 2.5),
        ("n 1", 2.0), ("seconds", 0.8), ("milliseconds", 1.0),
    ]),
    ("security", &[
        ("security", 3.0), ("vulnerability", 4.0), ("vulnerabilities", 4.0), ("cve", 5.0), ("xss", 5.0), ("csrf", 5.0),
        ("injection", 3.0), ("sql injection", 3.0), ("sanitize", 3.0), ("sanitise", 3.0), ("exploit", 3.0),
        ("harden", 3.5), ("hardening", 3.5), ("privilege", 2.5), ("secrets", 2.0), ("path traversal", 5.0),
        ("ssrf", 5.0), ("rce", 5.0), ("encrypt", 2.5), ("encryption", 2.0), ("threat", 3.0), ("threat model", 2.0),
        ("attacker", 3.0), ("credentials", 1.2), ("untrusted", 2.0),
    ]),
    ("release", &[
        ("release", 3.0), ("releases", 2.0), ("version", 1.0), ("bump", 3.0), ("publish", 3.0), ("changelog", 1.5),
        ("deploy", 1.5), ("ship", 1.5), ("semver", 2.5), ("release notes", 1.5), ("tag", 0.8),
        ("release candidate", 2.0), ("cut", 1.2),
    ]),
];

/// A kind and how sure it is, the surest first; only those that are at least as sure as `least`.
pub(crate) fn of(prompt: &str, least: f32) -> Vec<(&'static str, f32)> {
    let evidence = evidence(prompt);
    let all: f32 = evidence.iter().sum();
    // The part of all evidence that speaks for it: what speaks for another makes it less sure, and so does doubt.
    let share = |of: f32| of / (all + DOUBT);
    let mut kinds: Vec<(&'static str, f32)> = KINDS.into_iter().zip(evidence.iter().map(|of| share(*of))).collect();
    kinds.retain(|(_, confidence)| *confidence > 0.0 && *confidence >= least);
    // Stable, so that equal ones stay in the order of `KINDS`.
    kinds.sort_by(|a, b| b.1.total_cmp(&a.1));
    kinds
}

/// What speaks for each of `KINDS`.
fn evidence(prompt: &str) -> [f32; KINDS.len()] {
    let subject = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let details = prompt.trim_start().split_once('\n').map_or("", |(_, rest)| rest);
    let (prefix, subject) = prefix(subject);
    let mut evidence = in_words(subject, FIRST);
    for (kind, more) in evidence.iter_mut().zip(in_words(details, 1.0)) {
        *kind += (more * DETAILS).min(DETAILS_MAX);
    }
    if let Some(at) = prefix.and_then(|kind| KINDS.iter().position(|known| *known == kind)) {
        evidence[at] += PREFIX;
    }
    evidence
}

/// The kind that a conventional prefix means, and the subject without a prefix.
fn prefix(subject: &str) -> (Option<&'static str>, &str) {
    let Some((before, rest)) = subject.split_once(": ") else { return (None, subject) };
    let before = before.trim_end_matches('!').to_ascii_lowercase();
    let word = before.split('(').next().unwrap_or_default();
    let is_prefix = !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_lowercase())
        && (word.len() == before.len() || before.ends_with(')'));
    if !is_prefix {
        return (None, subject);
    }
    let meant = |text: &str| PREFIXES.iter().find(|(known, _)| *known == text).map(|(_, kind)| *kind);
    match meant(&before).or_else(|| meant(word)) {
        Some(kind) => (Some(kind), rest),
        // `chore(deps): …`, or `README: …`, which is no prefix at all: all of its words tell.
        None => (None, subject),
    }
}

/// Each word and pair of words that is known counts once for its kind; `first` is for the word that a text begins with.
fn in_words(text: &str, first: f32) -> [f32; KINDS.len()] {
    let words: Vec<String> = words::of(text).take(WORDS_MAX).collect();
    let begins = words.iter().position(|word| !POLITE.contains(&word.as_str())).unwrap_or_default();
    let mut evidence = [0.0; KINDS.len()];
    for (kind, (_, known)) in evidence.iter_mut().zip(EVIDENCE) {
        for (wanted, weight) in *known {
            let place = match wanted.split_once(' ') {
                None => words.iter().position(|word| word == wanted),
                Some((one, rest)) => words.iter().enumerate().position(|(at, word)| {
                    let behind = words[at + 1..].iter().map(String::as_str).take(rest.split(' ').count());
                    word == one && rest.split(' ').eq(behind)
                }),
            };
            if let Some(at) = place {
                *kind += if at == begins { weight * first } else { *weight };
            }
        }
    }
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(prompt: &str) -> Option<(&'static str, f32)> {
        of(prompt, 0.35).first().copied()
    }

    #[test]
    fn the_table_has_the_kinds_in_their_order_and_nothing_twice() {
        let kinds: Vec<&str> = EVIDENCE.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, KINDS);
        for (kind, known) in EVIDENCE {
            let mut words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            words.sort_unstable();
            assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "{kind}: {words:?}");
            assert!(
                words.iter().all(|word| words::of(word).collect::<Vec<_>>().join(" ") == *word),
                "{kind}: {words:?}"
            );
        }
        assert!(PREFIXES.iter().all(|(_, kind)| KINDS.contains(kind)));
    }

    #[test]
    fn a_conventional_prefix_outweighs_the_words_behind_it() {
        for (prompt, kind) in [
            ("fix(docs): wrong link in the README", "fix"),
            ("feat!: remove the old tests", "feature"),
            ("chore(release): 1.4.0", "release"),
            ("perf: add a cache", "performance"),
        ] {
            let (found, confidence) = best(prompt).unwrap();
            assert!(found == kind && confidence > 0.5, "{prompt}: {found} {confidence}");
        }
    }

    #[test]
    fn more_evidence_is_more_sure_and_other_evidence_less() {
        let sure = |prompt: &str| best(prompt).unwrap().1;
        assert!(sure("fix the bug") > sure("there is a bug"));
        assert!(sure("fix the bug") > sure("fix the bug in the docs"));
    }

    #[test]
    fn what_it_does_not_know_it_does_not_guess() {
        for prompt in
            ["", "zebra", "認証の不具合を直して", "Почини вход", "el informe mensual", "Die Rechnung stimmt nicht"]
        {
            assert_eq!(best(prompt), None, "{prompt}");
        }
    }

    #[test]
    fn long_details_do_not_drown_the_subject() {
        let details = "the tests of the docs test how the tests document what tests test\n".repeat(40);
        assert_eq!(best(&format!("Rename the lease table\n\n{details}")).unwrap().0, "refactor");
    }
}
