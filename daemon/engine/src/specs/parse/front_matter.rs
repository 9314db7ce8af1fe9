//! Front matter: YAML between `---`, TOML between `+++`.
//!
//! Knows the keys that every kind of spec shares (`id`, `title`, `tags`) and keeps the rest as attributes.

use serde_json::{Map, Value};

use super::super::rule::Values;

/// More attributes than this, or longer ones, are not front matter but data.
const MAX_ATTRIBUTES: usize = 64;
const MAX_VALUE_BYTES: usize = 1024;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FrontMatter {
    pub id: Option<String>,
    pub title: Option<String>,
    pub tags: Vec<String>,
    /// Ids that the front matter defines besides `id`: `ids: [...]`, and `eip: 20` as `EIP-20`.
    pub ids: Vec<String>,
    pub attributes: Vec<(String, String)>,
    pub warnings: Vec<String>,
}

/// Front matter that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Broken {
    /// Of the file, from 1.
    pub line: u32,
    pub message: String,
}

/// Reads the front matter at the start of a text; answers with it and with where the text goes on.
pub(super) fn read(text: &str) -> (FrontMatter, usize) {
    let mut front = FrontMatter::default();
    let start = text.len() - text.trim_start_matches('\u{FEFF}').len();
    let Some((fence, inner, end)) = fenced(text, start) else { return (front, start) };
    match values(fence, inner) {
        Ok(values) => values.iter().for_each(|(key, value)| front.take(key, value)),
        Err(broken) => front.warnings.push(broken.message),
    }
    (front, end)
}

/// What keeps the front matter of a text from being read, if there is any and something does.
pub(super) fn broken(text: &str) -> Option<Broken> {
    let start = text.len() - text.trim_start_matches('\u{FEFF}').len();
    let (fence, inner, _) = fenced(text, start)?;
    values(fence, inner).err()
}

fn values(fence: &str, inner: &str) -> Result<Map<String, Value>, Broken> {
    if inner.trim().is_empty() {
        return Ok(Map::new());
    }
    // The fence is the first line.
    let broken = |line: u32, message: String| Broken { line: line.saturating_add(1), message };
    let unreadable = |line, what: &str| broken(line, format!("the front matter cannot be read: {what}"));
    let read = if fence == "---" {
        serde_saphyr::from_str::<Value>(inner).map_err(|error| {
            let line = error.location().map_or(0, |at| u32::try_from(at.line()).unwrap_or(0));
            unreadable(line, first_line(&error.to_string()))
        })
    } else {
        toml::from_str::<Value>(inner).map_err(|error| {
            let before = error.span().and_then(|span| inner.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            unreadable(u32::try_from(line).unwrap_or(u32::MAX), first_line(error.message()))
        })
    };
    match read? {
        Value::Object(values) => Ok(values),
        Value::Null => Ok(Map::new()),
        _ => Err(broken(1, "the front matter is not a list of keys and values".into())),
    }
}

/// The same for a rule file: what is no YAML is read as the tools read it. Answers with the bare values too.
pub(super) fn read_rule(text: &str) -> (FrontMatter, Values, usize) {
    let start = text.len() - text.trim_start_matches('\u{FEFF}').len();
    let Some(("---", inner, end)) = fenced(text, start) else {
        let (front, end) = read(text);
        return (front, Values::default(), end);
    };
    let values = match serde_saphyr::from_str::<Value>(inner) {
        Ok(Value::Object(map)) => Values { entries: map.into_iter().collect(), faults: Vec::new() },
        // The fence is the file's first line.
        _ => Values::of_lines(inner, 2),
    };
    let mut front = FrontMatter::default();
    values.entries.iter().for_each(|(key, value)| front.take(key, value));
    (front, values, end)
}

/// Of what a parser has to say, without the place: that counts from the fence, and nobody knows it.
fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    match line.strip_prefix("error: line ").and_then(|rest| rest.split_once(": ")) {
        Some((_, said)) => said,
        None => line,
    }
}

/// The fence, what stands between the two fences, and where the text after them begins.
fn fenced(text: &str, start: usize) -> Option<(&'static str, &str, usize)> {
    let first = text[start..].lines().next()?;
    let fence = ["---", "+++"].into_iter().find(|f| first.trim_end() == *f)?;
    let inner = start + first.len() + newline(&text[start + first.len()..]);
    let mut at = inner;
    for line in text[inner..].split_inclusive('\n') {
        let end = at + line.len();
        if line.trim_end() == fence || (fence == "---" && line.trim_end() == "...") {
            return Some((fence, &text[inner..at], end));
        }
        at = end;
    }
    None
}

fn newline(rest: &str) -> usize {
    if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) }
}

impl FrontMatter {
    pub(super) fn is_empty(&self) -> bool {
        *self == FrontMatter::default()
    }

    /// Takes what `other` has and this has not.
    pub(super) fn merge(&mut self, other: FrontMatter) {
        self.id = self.id.take().or(other.id);
        self.title = self.title.take().or(other.title);
        self.tags.extend(other.tags);
        self.ids.extend(other.ids);
        self.attributes.extend(other.attributes);
        self.warnings.extend(other.warnings);
    }

    pub(super) fn take(&mut self, key: &str, value: &Value) {
        match key.to_ascii_lowercase().as_str() {
            "id" => self.id = scalar(value).filter(|v| usable_id(v)),
            "title" => self.title = scalar(value).filter(|v| !v.is_empty()),
            "tags" | "keywords" | "topics" => self.tags.extend(list(value)),
            // Those of tasks that the spec is for may be meant, too.
            "labels" => {
                self.tags.extend(list(value));
                self.keep(key, value);
            }
            "ids" => self.ids.extend(list(value)),
            name => {
                if let Some(number) = numbered(name, value) {
                    self.ids.push(number);
                }
                self.keep(key, value);
            }
        }
    }

    fn keep(&mut self, key: &str, value: &Value) {
        let values = match value {
            Value::Array(items) => items.iter().map(text).collect(),
            Value::Null => vec![String::new()],
            other => vec![text(other)],
        };
        for mut value in values {
            if self.attributes.len() >= MAX_ATTRIBUTES {
                let warning = format!("only the first {MAX_ATTRIBUTES} values of the front matter are kept");
                if !self.warnings.contains(&warning) {
                    self.warnings.push(warning);
                }
                return;
            }
            if value.len() > MAX_VALUE_BYTES {
                value.truncate(value.floor_char_boundary(MAX_VALUE_BYTES));
                self.warnings.push(format!("the value of `{key}` is cut at {MAX_VALUE_BYTES} bytes"));
            }
            self.attributes.push((key.to_owned(), value));
        }
    }
}

/// A series number: `eip: 20` defines `EIP-20`. Longer keys and other values are ordinary attributes.
fn numbered(key: &str, value: &Value) -> Option<String> {
    let number = match value {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let short = (2..=6).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphabetic());
    let attribute =
        ["weight", "order", "level", "year", "draft", "layer", "stars", "size", "sort", "rank"].contains(&key);
    (short && !attribute).then(|| format!("{}-{number}", key.to_ascii_uppercase()))
}

fn usable_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 200 && !id.chars().any(char::is_control)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Array(_) | Value::Object(_) | Value::Null => None,
        other => Some(text(other).trim().to_owned()),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The items of a list, or of a text with commas.
fn list(value: &Value) -> Vec<String> {
    let items: Vec<String> = match value {
        Value::Array(items) => items.iter().filter_map(scalar).collect(),
        Value::String(text) => text.split(',').map(|t| t.trim().to_owned()).collect(),
        other => scalar(other).into_iter().collect(),
    };
    items.into_iter().filter(|t| !t.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_yaml_and_toml() {
        let yaml = "---\nid: AUTH-001\ntitle: Login\ntags: [auth, web]\nstatus: draft\nglobs:\n  - src/**\n---\nbody";
        let toml = "+++\nid = 'AUTH-001'\ntitle = 'Login'\ntags = ['auth', 'web']\nstatus = 'draft'\nglobs = ['src/**']\n+++\nbody";
        for text in [yaml, toml] {
            let (mut front, end) = read(text);
            assert_eq!(&text[end..], "body");
            assert_eq!(front.id.as_deref(), Some("AUTH-001"));
            assert_eq!(front.title.as_deref(), Some("Login"));
            assert_eq!(front.tags, ["auth", "web"]);
            front.attributes.sort();
            assert_eq!(front.attributes, [("globs".into(), "src/**".into()), ("status".into(), "draft".into())]);
            assert!(front.warnings.is_empty());
        }
    }

    #[test]
    fn broken_front_matter_is_a_warning_and_the_body_stays() {
        for text in ["---\nid: [unclosed\n---\nbody", "---\n- a\n- b\n---\nbody"] {
            let (front, end) = read(text);
            assert_eq!(&text[end..], "body");
            assert_eq!(front.warnings.len(), 1, "{text}");
        }
    }

    #[test]
    fn what_is_broken_is_told_with_its_line_in_the_file() {
        for (text, line) in [
            ("---\nid: X\ntags: [unclosed\n---\nbody", Some(3)),
            ("---\n- a\n- b\n---\nbody", Some(2)),
            ("+++\nid = 'X'\na =\n+++\nbody", Some(3)),
            ("---\nid: X\n---\nbody", None),
            ("---\n---\nbody", None),
            ("---\nno end\n", None),
        ] {
            let broken = broken(text);
            assert_eq!(broken.as_ref().map(|broken| broken.line), line, "{text}: {broken:?}");
            let told = read(text).0.warnings;
            assert_eq!(told, broken.map(|broken| broken.message).into_iter().collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn a_rule_files_front_matter_need_not_be_yaml() {
        let (front, values, end) = read_rule("---\ndescription: Use: always\nglobs: *.ts,*.tsx\n---\nbody");
        assert_eq!(end, "---\ndescription: Use: always\nglobs: *.ts,*.tsx\n---\n".len());
        assert_eq!(front.attributes[1], ("globs".to_owned(), "*.ts,*.tsx".to_owned()));
        assert!(front.warnings.is_empty() && values.faults.is_empty());
        let (_, values, _) = read_rule("---\nglobs: ['*.ts', '*.tsx']\n---\n");
        assert_eq!(values.entries.len(), 1);
    }

    #[test]
    fn a_rule_without_a_second_one_is_text() {
        let (front, end) = read("---\nnot front matter\n");
        assert!(front.is_empty());
        assert_eq!(end, 0);
    }

    #[test]
    fn labels_are_tags_and_stay_labels() {
        let front = read("---\nkeywords: a\nlabels: [fix, docs]\n---\n").0;
        assert_eq!(front.tags, ["a", "fix", "docs"]);
        assert_eq!(front.attributes, [("labels".into(), "fix".into()), ("labels".into(), "docs".into())]);
    }

    #[test]
    fn a_series_number_is_an_id() {
        assert_eq!(read("---\neip: 1559\nweight: 3\n---\n").0.ids, ["EIP-1559"]);
    }
}
