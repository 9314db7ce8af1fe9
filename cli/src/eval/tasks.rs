//! The tasks: a JSON object a line with `_id` and `text`; whatever else it has is passed over.

use super::{BadLine, lines};
use serde_json::Value;
use std::collections::HashSet;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EvalTask {
    pub(crate) id: String,
    pub(crate) text: String,
}

/// The tasks of a file, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tasks {
    pub(crate) tasks: Vec<EvalTask>,
    /// Ids that came again: the first task of the name counts.
    pub(crate) repeated: Vec<String>,
}

impl Tasks {
    pub(crate) fn parse(text: &str) -> Result<Self, BadLine> {
        let mut all = Self::default();
        let mut known = HashSet::new();
        for (line, text) in lines(text) {
            let task = task(text).map_err(|why| BadLine { line, why })?;
            if known.insert(task.id.clone()) {
                all.tasks.push(task);
            } else {
                all.repeated.push(task.id);
            }
        }
        Ok(all)
    }
}

fn task(line: &str) -> Result<EvalTask, String> {
    let value: Value =
        serde_json::from_str(line).map_err(|error| format!("it is no JSON, from column {} on", error.column()))?;
    if !value.is_object() {
        return Err("it is JSON and no object".to_owned());
    }
    let id = match &value["_id"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        Value::Null => return Err("it has no `_id`".to_owned()),
        _ => return Err("its `_id` is neither a text nor a number".to_owned()),
    };
    if id.is_empty() || id.contains(char::is_control) {
        return Err("its `_id` is empty, or has a control character in it".to_owned());
    }
    match &value["text"] {
        Value::String(text) if !text.trim().is_empty() => Ok(EvalTask { id, text: text.clone() }),
        Value::String(_) | Value::Null => Err("it has no `text`".to_owned()),
        _ => Err("its `text` is no text".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_read_in_their_order_and_the_first_of_a_name_counts() {
        let text = "\u{feff}{\"_id\":\"b\",\"text\":\"fix\\nit\",\"title\":\"x\"}\r\n\n{\"_id\":7,\"text\":\"two\"}\n\
                    {\"_id\":\"b\",\"text\":\"again\"}\n";
        let read = Tasks::parse(text).unwrap();
        let seen: Vec<(&str, &str)> = read.tasks.iter().map(|t| (t.id.as_str(), t.text.as_str())).collect();
        assert_eq!(seen, [("b", "fix\nit"), ("7", "two")]);
        assert_eq!(read.repeated, ["b"]);
        assert_eq!(Tasks::parse("").unwrap(), Tasks::default());
    }

    #[test]
    fn a_line_that_is_no_task_is_told_with_its_number() {
        let good = "{\"_id\":\"a\",\"text\":\"x\"}\n";
        for (line, part) in [
            ("nonsense", "no JSON"),
            ("[1]", "no object"),
            ("{\"text\":\"x\"}", "no `_id`"),
            ("{\"_id\":[],\"text\":\"x\"}", "neither"),
            ("{\"_id\":\"a\\tb\",\"text\":\"x\"}", "control"),
            ("{\"_id\":\"\",\"text\":\"x\"}", "empty"),
            ("{\"_id\":\"c\"}", "no `text`"),
            ("{\"_id\":\"c\",\"text\":\" \"}", "no `text`"),
            ("{\"_id\":\"c\",\"text\":3}", "no text"),
        ] {
            let error = Tasks::parse(&format!("{good}\n{line}\n")).unwrap_err();
            assert!(error.line == 3 && error.why.contains(part), "{line}: {error}");
        }
    }
}
