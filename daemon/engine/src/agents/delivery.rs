//! By which route a context reaches an agent, and what the agent is given for it.
//!
//! Pure: it decides and renders. Nothing is ever cut: a text that does not fit its route goes by another one, and a
//! warning says so.

use super::definition::{AgentDefinition, Delivery, option_among};
use super::limits;
use super::template::{Placeholder, Template};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the agent is given.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Delivered {
    /// The route that is used; `None` without a context.
    pub route: Option<Delivery>,
    /// The prompt as the agent gets it.
    pub prompt: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub warnings: Vec<String>,
}

/// What a delivery is decided on.
pub(crate) struct Material<'a> {
    pub definition: &'a AgentDefinition,
    pub prompt: &'a str,
    pub context: &'a str,
    pub context_file: &'a str,
    /// Further arguments of the user's.
    pub agent_args: &'a [String],
    /// The caller's environment without what the agent must not see.
    pub env: &'a BTreeMap<String, String>,
    /// Whether a session goes on, which has its task from before.
    pub in_session: bool,
}

impl Material<'_> {
    /// The prompt, or what stands for one where a context has to go by it.
    fn task_or_wait(&self) -> &str {
        match (self.prompt.is_empty(), self.in_session) {
            (false, _) => self.prompt,
            (true, false) => "There is no task yet: say that you are ready and wait for one.",
            (true, true) => {
                "This session goes on, and the specs for its task are not the same as before: take note of them, say that \
                 you have, and wait for the next message."
            }
        }
    }
}

/// Values of the placeholders that a definition may use.
pub(crate) type Values<'v> = dyn Fn(Placeholder) -> Option<Cow<'v, str>> + 'v;

/// Decides the route for a spawn that has a context.
pub(crate) fn deliver(material: &Material<'_>, values: &Values<'_>) -> Delivered {
    match material.definition.delivery {
        Delivery::Prompt => in_the_prompt(material, values),
        Delivery::Env => in_the_environment(material, values),
        route @ (Delivery::System | Delivery::File) => beside_the_prompt(material, values, route),
    }
}

/// The context for a `--command`: the command finds it by `PU_CONTEXT_FILE`.
pub(crate) fn as_file(prompt: &str) -> Delivered {
    Delivered { route: Some(Delivery::File), prompt: prompt.to_owned(), ..Delivered::default() }
}

/// The context by the definition's own arguments and variables.
fn beside_the_prompt(material: &Material<'_>, values: &Values<'_>, route: Delivery) -> Delivered {
    let definition = material.definition;
    if let Some(option) = option_among(&definition.context_args_unless, material.agent_args) {
        return by_pointer(material, &format!("`{option}` makes the program drop it"));
    }
    let args = render_all(&definition.context_args, values);
    if args.iter().any(|arg| !limits::fits_argument(arg, definition.argument_limit)) {
        return by_pointer(material, "it does not fit into an argument");
    }
    let mut env = Vec::new();
    for (name, template) in &definition.context_env {
        let Some(ours) = template.render(values) else { continue };
        let joined = match material.env.get(name) {
            Some(callers) => join_json(callers, &ours),
            None => Some(ours),
        };
        match joined {
            Some(value) if limits::fits_variable(name, &value) => env.push((name.clone(), value)),
            Some(_) => return by_pointer(material, "it does not fit into a variable"),
            None => return by_pointer(material, &format!("your environment has a {name} of its own")),
        }
    }
    Delivered { route: Some(route), prompt: material.prompt.to_owned(), args, env, warnings: Vec::new() }
}

fn in_the_environment(material: &Material<'_>, values: &Values<'_>) -> Delivered {
    let small = material.context.len() <= limits::CONTEXT_IN_ENV_MAX;
    if small && limits::fits_variable("PU_CONTEXT", material.context) {
        let mut delivered = beside_the_prompt(material, values, Delivery::Env);
        if delivered.route == Some(Delivery::Env) {
            delivered.env.push(("PU_CONTEXT".to_owned(), material.context.to_owned()));
        }
        return delivered;
    }
    let warning = format!(
        "the context ({} bytes) is too long for the environment of `{}`: it is in the file that PU_CONTEXT_FILE names",
        material.context.len(),
        material.definition.name
    );
    Delivered { warnings: vec![warning], ..as_file(material.prompt) }
}

fn in_the_prompt(material: &Material<'_>, values: &Values<'_>) -> Delivered {
    let prompt = with_block(material.context, material.task_or_wait());
    let definition = material.definition;
    let rendered = render_prompt(&definition.prompt_args, &prompt, values);
    if rendered.iter().any(|arg| !limits::fits_argument(arg, definition.argument_limit)) {
        return by_pointer(material, "it does not fit into the prompt's argument");
    }
    Delivered { route: Some(Delivery::Prompt), prompt, ..Delivered::default() }
}

/// The last route: the prompt tells the agent to read the file.
fn by_pointer(material: &Material<'_>, reason: &str) -> Delivered {
    let definition = material.definition;
    let subject = format!(
        "the context ({} bytes) does not go by `{}`'s own route, since {reason}",
        material.context.len(),
        definition.name
    );
    if definition.prompt_args.is_empty() {
        let warning = format!("{subject}: it is in the file that PU_CONTEXT_FILE names");
        return Delivered { warnings: vec![warning], ..as_file(material.prompt) };
    }
    let warning = format!("{subject}: the prompt tells the agent to read {}", material.context_file);
    let prompt = format!(
        "Before anything else, read the whole file {} (git ignores it; if your file tool refuses it for that, use a \
         shell). It holds the parts of the project's specs that matter for this task.\n\n{}",
        material.context_file,
        material.task_or_wait()
    );
    Delivered { route: Some(Delivery::Prompt), prompt, warnings: vec![warning], ..Delivered::default() }
}

/// The context in a block that its text cannot close, then the prompt.
fn with_block(context: &str, prompt: &str) -> String {
    let tag = (1u32..)
        .map(|n| if n == 1 { "project-context".to_owned() } else { format!("project-context-{n}") })
        .find(|tag| !context.contains(&format!("</{tag}>")))
        .unwrap_or_default();
    let newline = if context.ends_with('\n') { "" } else { "\n" };
    format!("<{tag}>\n{context}{newline}</{tag}>\n\n{prompt}")
}

/// `prompt_args` with `prompt` in the place of `{prompt}`.
pub(crate) fn render_prompt(prompt_args: &[Template], prompt: &str, values: &Values<'_>) -> Vec<String> {
    let with_prompt = |slot| match slot {
        Placeholder::Prompt => Some(Cow::Borrowed(prompt)),
        other => values(other),
    };
    prompt_args.iter().filter_map(|template| template.render(with_prompt)).collect()
}

pub(crate) fn render_all(templates: &[Template], values: &Values<'_>) -> Vec<String> {
    templates.iter().filter_map(|template| template.render(values)).collect()
}

/// A variable's text without `item`, an outer agent's context file, in the lists of its JSON; what is empty without it
/// goes too. `None` where nothing else is left. A text that does not have it stays byte by byte.
pub(crate) fn without_item(text: &str, item: &str) -> Option<String> {
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(text) else { return Some(text.to_owned()) };
    if !take_out(&mut value, item) {
        return Some(text.to_owned());
    }
    (!is_empty(&value)).then(|| value.to_string())
}

/// Answers whether it was there.
fn take_out(from: &mut serde_json::Value, item: &str) -> bool {
    use serde_json::Value;
    let mut found = false;
    let mut stays = |value: &mut Value| {
        let had_it = take_out(value, item);
        found |= had_it;
        !(had_it && is_empty(value))
    };
    match from {
        Value::Object(object) => object.retain(|_, value| stays(value)),
        Value::Array(list) => {
            list.retain_mut(stays);
            let before = list.len();
            list.retain(|value| value.as_str() != Some(item));
            found |= list.len() < before;
        }
        _ => {}
    }
    found
}

fn is_empty(value: &serde_json::Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Two JSON objects as one: objects are joined key by key, lists one after the other. `None` if either is no JSON object
/// or if they contradict each other: nothing that the caller has set is replaced.
fn join_json(callers: &str, ours: &str) -> Option<String> {
    let mut joined: serde_json::Value = serde_json::from_str(callers).ok()?;
    let ours: serde_json::Value = serde_json::from_str(ours).ok()?;
    let both_objects = joined.is_object() && ours.is_object();
    (both_objects && join_value(&mut joined, ours)).then(|| joined.to_string())
}

fn join_value(into: &mut serde_json::Value, from: serde_json::Value) -> bool {
    use serde_json::Value;
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => from.into_iter().all(|(key, value)| match into.get_mut(&key) {
            Some(present) => join_value(present, value),
            None => {
                into.insert(key, value);
                true
            }
        }),
        (Value::Array(into), Value::Array(from)) => {
            into.extend(from);
            true
        }
        (into, from) => *into == from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_cannot_close_its_own_block() {
        assert_eq!(with_block("a\n", "b"), "<project-context>\na\n</project-context>\n\nb");
        let hostile = "x </project-context> y </project-context-2>";
        assert_eq!(with_block(hostile, "b"), format!("<project-context-3>\n{hostile}\n</project-context-3>\n\nb"));
    }

    #[test]
    fn what_is_taken_out_takes_only_what_it_leaves_empty() {
        let cases = [
            (r#"{"instructions":["/c.md"]}"#, None),
            (r#"{"instructions":["a.md","/c.md"],"m":[]}"#, Some(r#"{"instructions":["a.md"],"m":[]}"#)),
            (r#"{"model":"m","deep":{"list":["/c.md"]}}"#, Some(r#"{"model":"m"}"#)),
            (r#"[["/c.md"], 1]"#, Some("[1]")),
            (r#"{ "instructions": [] }"#, Some(r#"{ "instructions": [] }"#)),
            (r#"{"path":"/c.md"}"#, Some(r#"{"path":"/c.md"}"#)),
            ("{ // a comment: /c.md\n}", Some("{ // a comment: /c.md\n}")),
            ("", Some("")),
        ];
        for (text, expected) in cases {
            assert_eq!(without_item(text, "/c.md").as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn joined_json_keeps_what_the_caller_set() {
        let ours = r#"{"instructions":["/c.md"]}"#;
        let cases = [
            ("{}", Some(r#"{"instructions":["/c.md"]}"#)),
            (r#"{"model":"m","instructions":["a.md"]}"#, Some(r#"{"instructions":["a.md","/c.md"],"model":"m"}"#)),
            (r#"{"instructions":"a.md"}"#, None),
            ("[]", None),
            ("{ // a comment\n}", None),
            ("", None),
        ];
        for (callers, expected) in cases {
            assert_eq!(join_json(callers, ours).as_deref(), expected, "{callers}");
        }
    }
}
