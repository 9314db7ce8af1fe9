//! The answers: which specs each task needs, as `query-id <tab> corpus-id <tab> score` under a line of headings.
//!
//! A score above zero says that the spec is needed, and by how much does not count.

use super::{BadLine, lines};
use std::collections::{BTreeMap, BTreeSet, HashSet};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Qrels {
    /// By the task's id: the paths of the specs that it needs, one at least.
    relevant: BTreeMap<String, BTreeSet<String>>,
    /// Pairs that came again.
    pub(crate) repeated: Vec<String>,
}

impl Qrels {
    pub(crate) fn parse(text: &str) -> Result<Self, BadLine> {
        let mut all = Self::default();
        let mut known = HashSet::new();
        for (line, text) in lines(text) {
            let bad = |why: &str| Err(BadLine { line, why: why.to_owned() });
            let fields: Vec<&str> = text.split('\t').collect();
            let [task, path, score] = fields.as_slice() else {
                return bad("it must be three fields with tabs between them: task, path, score");
            };
            let score = match score.trim().parse::<i64>() {
                Ok(score) => score,
                Err(_) if line == 1 => continue,
                Err(_) => return bad("its score is no whole number"),
            };
            if task.is_empty() || path.is_empty() {
                return bad("its task or its path is empty");
            }
            if !known.insert((*task, *path)) {
                all.repeated.push(format!("{task} {path}"));
            }
            if score > 0 {
                all.relevant.entry((*task).to_owned()).or_default().insert((*path).to_owned());
            }
        }
        Ok(all)
    }

    /// What a task needs, if anything is known of it.
    pub(crate) fn of(&self, task: &str) -> Option<&BTreeSet<String>> {
        self.relevant.get(task)
    }

    /// The tasks that something is known of.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &str> {
        self.relevant.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_task_needs_has_a_score_above_zero() {
        let text = "query-id\tcorpus-id\tscore\r\na\tdocs/x.md\t1\r\na\tdocs/y y.md\t2\na\tz\t0\n\nb\tz\t-1\n\
                    a\tdocs/x.md\t0\n";
        let qrels = Qrels::parse(text).unwrap();
        let of_a: Vec<&str> = qrels.of("a").unwrap().iter().map(String::as_str).collect();
        assert_eq!(of_a, ["docs/x.md", "docs/y y.md"]);
        assert_eq!((qrels.of("b"), qrels.tasks().collect::<Vec<_>>()), (None, vec!["a"]));
        assert_eq!(qrels.repeated, ["a docs/x.md"]);
        assert!(Qrels::parse("a\tx\t1\n").unwrap().of("a").is_some(), "headings are not needed");
    }

    #[test]
    fn a_line_that_is_no_answer_is_told_with_its_number() {
        for (line, part) in [
            ("a\tx", "three fields"),
            ("a 0 x 1", "three fields"),
            ("a\t0\tx\t1", "three fields"),
            ("a\tx\tyes", "no whole number"),
            ("a\tx\t0.5", "no whole number"),
            ("\tx\t1", "empty"),
            ("a\t\t1", "empty"),
        ] {
            let error = Qrels::parse(&format!("query-id\tcorpus-id\tscore\n{line}\n")).unwrap_err();
            assert!(error.line == 2 && error.why.contains(part), "{line:?}: {error}");
        }
    }
}
