//! Text with placeholders, as agent definitions hold it: `--read={context_file}`.
//!
//! Pure. A placeholder is `{name}` with one of the names below; `{{` is a literal `{`; any other brace stands for
//! itself, so that JSON needs no escaping.
//!
//! Invariant: rendering goes over the template once. What a value contains is never looked at, so a `{prompt}` inside
//! somebody's context stays what it is.

use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;

macro_rules! placeholders {
    ($($variant:ident => $name:literal, $doc:literal;)+) => {
        /// What can stand in braces.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Placeholder { $(#[doc = $doc] $variant,)+ }

        impl Placeholder {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

placeholders! {
    Prompt => "prompt", "What the user asked for.";
    PromptFile => "prompt_file", "The path of a file that holds the prompt.";
    Context => "context", "The assembled context.";
    ContextToml => "context_toml", "The context as a TOML basic string, quotes included.";
    ContextJson => "context_json", "The context as a JSON string, quotes included.";
    ContextFile => "context_file", "The path of the file that holds the context.";
    ContextFileToml => "context_file_toml", "That path as a TOML basic string.";
    ContextFileJson => "context_file_json", "That path as a JSON string.";
    SessionId => "session_id", "A fresh UUID that names the vendor's session.";
    AgentId => "agent_id", "PurePoint's id of the agent.";
    AgentName => "agent_name", "The agent's name.";
    ProjectRoot => "project_root", "The root of the project.";
    Workdir => "workdir", "The folder that the agent works in.";
    Socket => "socket", "The daemon's socket.";
    Shell => "shell", "The user's shell.";
}

impl Placeholder {
    /// Whether it stands for the prompt in any form.
    pub fn is_prompt(self) -> bool {
        matches!(self, Self::Prompt | Self::PromptFile)
    }

    /// Whether it stands for the context in any form.
    pub fn is_context(self) -> bool {
        matches!(
            self,
            Self::Context
                | Self::ContextToml
                | Self::ContextJson
                | Self::ContextFile
                | Self::ContextFileToml
                | Self::ContextFileJson
        )
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.name() == name)
    }
}

/// A parsed text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Slot(Placeholder),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{{{name}}}` is no placeholder (known: {}; write `{{{{` for a literal brace)", known())]
pub struct UnknownPlaceholder {
    pub name: String,
}

fn known() -> String {
    Placeholder::ALL.iter().map(|p| p.name()).collect::<Vec<_>>().join(", ")
}

impl Template {
    pub fn parse(text: &str) -> Result<Self, UnknownPlaceholder> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            literal.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(escaped) = after.strip_prefix('{') {
                literal.push('{');
                rest = escaped;
            } else if let Some((name, after_name)) = braced_name(after) {
                let slot = Placeholder::from_name(name).ok_or_else(|| UnknownPlaceholder { name: name.to_owned() })?;
                push_text(&mut parts, &mut literal);
                parts.push(Part::Slot(slot));
                rest = after_name;
            } else {
                literal.push('{');
                rest = after;
            }
        }
        literal.push_str(rest);
        push_text(&mut parts, &mut literal);
        Ok(Self { parts })
    }

    pub fn slots(&self) -> impl Iterator<Item = Placeholder> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Slot(slot) => Some(*slot),
            Part::Text(_) => None,
        })
    }

    /// The text with every placeholder replaced; `None` if one of them has no value here.
    pub fn render<'v>(&self, value: impl Fn(Placeholder) -> Option<Cow<'v, str>>) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Slot(slot) => text.push_str(&value(*slot)?),
            }
        }
        Some(text)
    }
}

/// The text that it was parsed from, or one that means the same.
impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            let text = match part {
                Part::Slot(slot) => {
                    write!(f, "{{{}}}", slot.name())?;
                    continue;
                }
                Part::Text(text) => text,
            };
            let before_a_slot = matches!(self.parts.get(at + 1), Some(Part::Slot(_)));
            let mut rest = text.as_str();
            while let Some(brace) = rest.find('{') {
                let (said, after) = (&rest[..=brace], &rest[brace + 1..]);
                f.write_str(said)?;
                let is_last = after.is_empty() && before_a_slot;
                if is_last || after.starts_with('{') || braced_name(after).is_some() {
                    f.write_str("{")?;
                }
                rest = after;
            }
            f.write_str(rest)?;
        }
        Ok(())
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for Template {
    type Error = UnknownPlaceholder;

    fn try_from(text: String) -> Result<Self, UnknownPlaceholder> {
        Self::parse(&text)
    }
}

fn push_text(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal)));
    }
}

/// `name` and what follows `}` if the text begins with `name}`, the name being lower-case letters and underscores.
fn braced_name(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('}')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_name.then_some((name, rest))
}

/// `text` as a TOML basic string on one line, quotes included.
pub(crate) fn toml_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + text.len() / 16 + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// `text` as a JSON string, quotes included.
pub(crate) fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, prompt: &str) -> Option<String> {
        let template = Template::parse(template).unwrap();
        template.render(|slot| match slot {
            Placeholder::Prompt => Some(Cow::Owned(prompt.to_owned())),
            Placeholder::Context => Some(Cow::Borrowed("c{prompt}c{{")),
            _ => None,
        })
    }

    #[test]
    fn placeholders_are_replaced_once_and_all_else_is_literal() {
        let cases = [
            ("{prompt}", "hi", "hi"),
            ("--message={prompt}", "a b", "--message=a b"),
            ("{prompt}{prompt}", "x", "xx"),
            ("{context}", "x", "c{prompt}c{{"),
            ("{prompt}", "{context} {prompt} {nonsense}", "{context} {prompt} {nonsense}"),
            (r#"{"instructions":["{prompt}"],"a":{"b":1}}"#, "x", r#"{"instructions":["x"],"a":{"b":1}}"#),
            ("{{prompt}", "x", "{prompt}"),
            ("{", "x", "{"),
            ("a}b{}c{A}", "x", "a}b{}c{A}"),
            ("ä{prompt}ö", "ü\n", "äü\nö"),
            ("", "x", ""),
        ];
        for (template, prompt, expected) in cases {
            assert_eq!(fill(template, prompt).as_deref(), Some(expected), "{template}");
        }
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for text in
            ["", "{", "--x={prompt}", "a}b{}c{A}", "{{prompt}", "{{{prompt}", "{{{{x} {context}{{", "{\"a\":{\"b\":1}}"]
        {
            let template = Template::parse(text).unwrap();
            assert_eq!(Template::parse(&template.to_string()).unwrap(), template, "{text} became {template}");
        }
        for text in ["--x={prompt}", "{{prompt}", "{\"a\":{\"b\":1}}"] {
            assert_eq!(Template::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_placeholder_without_a_value_leaves_the_whole_text_out() {
        assert_eq!(fill("--session-id={session_id}", "x"), None);
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        let error = Template::parse("--read {context_fil}").unwrap_err();
        assert!(error.to_string().starts_with("`{context_fil}` is no placeholder (known: prompt, "), "{error}");
    }

    #[test]
    fn every_placeholder_is_found_by_its_name() {
        for slot in Placeholder::ALL {
            let template = Template::parse(&format!("{{{}}}", slot.name())).unwrap();
            assert_eq!(template.slots().collect::<Vec<_>>(), [*slot]);
        }
    }

    #[test]
    fn quoted_strings_read_back_as_they_were() {
        let hard = "line \"one\"\r\n\ttwo \\ three \u{7f}\u{0}\u{1b}[0m ünï 🦀 {prompt} '''\"\"\"\u{85}";
        let toml: toml::Table = format!("key = {}", toml_string(hard)).parse().unwrap();
        assert_eq!(toml["key"].as_str(), Some(hard));
        assert!(!toml_string(hard).contains('\n'));
        assert_eq!(serde_json::from_str::<String>(&json_string(hard)).unwrap(), hard);
    }
}
