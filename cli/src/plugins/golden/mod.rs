//! Golden tasks: a file of tasks and of what a plugin must answer to them.
//!
//! Pure: the form of the file here, verdicts in `judge`, writing down what is picked now in `update`.

mod judge;
mod list;
mod update;

pub(crate) use judge::{Score, Verdict, judge, spelled};
use pu_protocol::context::{Label, TaskDescription};
use pu_protocol::plugin::PluginTask;
use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;
pub(crate) use update::update;

/// The file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Golden {
    /// The folder whose specs the plugin sees, from the file's own; the project's specs if absent.
    #[serde(default)]
    pub(crate) specs: Option<PathBuf>,
    #[serde(rename = "task")]
    pub(crate) tasks: Vec<GoldenTask>,
}

/// One `[[task]]`: the task, then what is expected.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GoldenTask {
    /// The prompt if absent.
    pub(crate) name: Option<String>,
    pub(crate) prompt: String,
    pub(crate) tags: Vec<String>,
    /// What assemblers before it are said to have found.
    pub(crate) labels: Vec<String>,
    /// The plugin's configuration for this task; the configured one if absent.
    pub(crate) config: Option<Value>,
    /// Specs by id or path, or sections as `spec#section`.
    pub(crate) must_pick: Option<Vec<String>>,
    /// Likewise; `*` is anything.
    pub(crate) must_not_pick: Vec<String>,
    pub(crate) must_label: Vec<String>,
    /// Picks that must come one after another, others between them or not.
    pub(crate) order: Vec<String>,
    /// The code of the error that the plugin must end with.
    pub(crate) expect_error: Option<String>,
}

/// Why a text is no file of golden tasks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub(crate) struct NotGolden {
    line: Option<usize>,
    why: String,
}

impl Golden {
    pub(crate) fn parse(text: &str) -> Result<Self, NotGolden> {
        let golden: Self = toml_edit::de::from_str(text).map_err(|error| NotGolden {
            line: error.span().map(|span| line_of(text, span.start)),
            why: error.message().to_owned(),
        })?;
        let bad = |why: String| Err(NotGolden { line: None, why });
        if golden.tasks.is_empty() {
            return bad("it has no [[task]]".to_owned());
        }
        for (at, task) in golden.tasks.iter().enumerate() {
            if task.prompt.trim().is_empty() && task.tags.is_empty() {
                return bad(format!("task {} ({:?}) has neither a prompt nor tags", at + 1, task.title()));
            }
            if task.expect_error.is_some() && task.expects_an_answer() {
                return bad(format!(
                    "task {:?} expects an error and an answer, which exclude each other",
                    task.title()
                ));
            }
        }
        Ok(golden)
    }
}

impl GoldenTask {
    pub(crate) fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.prompt)
    }

    /// The task as the daemon takes it.
    pub(crate) fn request(&self) -> PluginTask {
        let label = |name: &String| Label { name: name.clone(), confidence: 1.0, assembler: "golden".to_owned() };
        PluginTask {
            task: TaskDescription { prompt: self.prompt.clone(), tags: self.tags.clone(), ..Default::default() },
            labels: self.labels.iter().map(label).collect(),
            config: self.config.clone(),
        }
    }

    fn expects_an_answer(&self) -> bool {
        let listed = [&self.must_not_pick, &self.must_label, &self.order];
        self.must_pick.is_some() || listed.iter().any(|list| !list.is_empty())
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_file_says_tasks_and_expectations() {
        let golden = Golden::parse(
            "specs = \"specs\"\n[[task]]\nprompt = \"Fix it\"\ntags = [\"a\"]\nlabels = [\"bugfix\"]\n\
             config = { words = [\"x\"], deep = { n = 1 } }\nmust_pick = [\"A\"]\n\
             [[task]]\nname = \"bad config\"\nprompt = \"x\"\nexpect_error = \"config_invalid\"\n",
        )
        .unwrap();
        assert_eq!(golden.specs, Some(PathBuf::from("specs")));
        let [first, second] = &golden.tasks[..] else { panic!("{golden:?}") };
        assert_eq!((first.title(), second.title()), ("Fix it", "bad config"));
        let sent = first.request();
        assert_eq!(sent.config, Some(json!({ "words": ["x"], "deep": { "n": 1 } })));
        assert_eq!((sent.task.prompt.as_str(), sent.labels[0].name.as_str()), ("Fix it", "bugfix"));
        assert_eq!(second.request().config, None);
    }

    #[test]
    fn what_is_none_is_told_with_its_line() {
        for (text, line, reason) in [
            ("specs = \n", Some(1), ""),
            ("[[task]]\nprompt = \"x\"\nmust_pik = []\n", Some(3), "must_pik"),
            ("[[task]]\nprompt = 3\n", Some(2), "string"),
            ("specs = \"specs\"\n", None, "task"),
            ("task = []\n", None, "no [[task]]"),
            ("[[task]]\nname = \"a\"\n", None, "neither a prompt nor tags"),
            ("[[task]]\nprompt = \"x\"\nexpect_error = \"trap\"\nmust_label = [\"a\"]\n", None, "exclude each other"),
        ] {
            let error = Golden::parse(text).unwrap_err();
            assert!(error.to_string().contains(reason), "{text}: {error}");
            assert!(line.is_none() || error.line == line, "{text}: {error}");
        }
    }
}
