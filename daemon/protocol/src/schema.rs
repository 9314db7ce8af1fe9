//! The protocol described from its own types: as JSON Schema for programs, as tables for `specs/ipc.md`.
//!
//! Derived, never written by hand; a test keeps the document equal to it.

use crate::{AnswerLine, ErrorCode, Event, PROTOCOL_VERSION, RequestLine};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The whole protocol as one JSON Schema (draft 2020-12): a line is a request or an answer.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let request = generator.subschema_for::<RequestLine>();
    let answer = generator.subschema_for::<AnswerLine>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:purepoint:protocol:{PROTOCOL_VERSION}"),
        "title": "PurePoint daemon protocol",
        "anyOf": [request, answer],
        "$defs": generator.take_definitions(true),
    })
}

/// The protocol's tables in Markdown: requests, answers, events, error codes.
pub fn tables() -> String {
    let mut out = String::new();
    variants(&mut out, "Requests", "type", &definition::<crate::Request>(), "type");
    variants(&mut out, "Answers", "type", &definition::<crate::Answer>(), "type");
    variants(&mut out, "Events", "kind", &definition::<Event>(), "kind");
    codes(&mut out);
    out
}

/// A type's schema with its references resolved one level deep, which is as deep as the tables look.
struct Definition {
    schema: Value,
    defs: Value,
}

fn definition<T: schemars::JsonSchema>() -> Definition {
    let mut generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let schema = generator.root_schema_for::<T>().to_value();
    let defs = schema.get("$defs").cloned().unwrap_or(Value::Null);
    Definition { schema, defs }
}

fn variants(out: &mut String, title: &str, column: &str, definition: &Definition, tag: &str) {
    let _ = writeln!(out, "### {title}\n\n| `{column}` | meaning | fields |\n|---|---|---|");
    for variant in list(&definition.schema, "oneOf") {
        let name = variant.pointer(&format!("/properties/{tag}/const")).and_then(Value::as_str).unwrap_or("?");
        let mut fields = Vec::new();
        collect_fields(variant, &definition.defs, tag, &mut fields);
        let _ = writeln!(out, "| `{name}` | {} | {} |", description(variant), fields.join(", "));
    }
    out.push('\n');
}

/// A required field stands as it is, an optional one with a question mark.
fn collect_fields(schema: &Value, defs: &Value, tag: &str, out: &mut Vec<String>) {
    let required: Vec<&str> = list(schema, "required").iter().filter_map(Value::as_str).collect();
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for name in properties.keys().filter(|name| *name != tag) {
            let mark = if required.contains(&name.as_str()) { "" } else { "?" };
            out.push(format!("`{name}`{mark}"));
        }
    }
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/"));
    if let Some(found) = target.and_then(|name| defs.get(name)) {
        collect_fields(found, defs, tag, out);
    }
}

fn codes(out: &mut String) {
    out.push_str("### Error codes\n\n| `code` | meaning |\n|---|---|\n");
    let definition = definition::<ErrorCode>();
    for variant in list(&definition.schema, "oneOf") {
        let name = variant.get("const").and_then(Value::as_str).unwrap_or("?");
        let _ = writeln!(out, "| `{name}` | {} |", description(variant));
    }
}

fn list<'a>(schema: &'a Value, key: &str) -> &'a [Value] {
    schema.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A doc comment as one line of a table.
fn description(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or("");
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorBody, Request};

    #[test]
    fn every_request_type_is_listed_once_and_in_order() {
        let definition = definition::<Request>();
        let names: Vec<&str> = list(&definition.schema, "oneOf")
            .iter()
            .filter_map(|v| v.pointer("/properties/type/const").and_then(Value::as_str))
            .collect();
        assert_eq!(names, Request::TYPES);
    }

    #[test]
    fn the_schema_resolves_all_its_references() {
        let schema = schema();
        let text = schema.to_string();
        for reference in text.split("\"$ref\":\"#/$defs/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "dangling reference to {name}");
        }
    }

    #[test]
    fn a_request_reads_back_with_and_without_an_id() {
        let line: RequestLine = serde_json::from_str(r#"{"type":"health","id":7,"unknown":true}"#).unwrap();
        assert_eq!(line.request, Request::Health);
        assert_eq!(line.id, Some(crate::RequestId::Number(7)));
        assert_eq!(serde_json::to_string(&line).unwrap(), r#"{"id":7,"type":"health"}"#);
        let bare: RequestLine = serde_json::from_str(r#"{"type":"spawn","cwd":"/x","prompt":"p"}"#).unwrap();
        let Request::Spawn(spawn) = bare.request else { panic!("{bare:?}") };
        assert_eq!((spawn.task.prompt.as_str(), spawn.placement), ("p", crate::Placement::default()));
    }

    #[test]
    fn an_error_answer_is_flat() {
        let body = ErrorBody::new(ErrorCode::Busy, "full").with_hint("wait");
        let line = AnswerLine { id: None, answer: crate::Answer::Error(body) };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"type":"error","code":"busy","message":"full","hint":"wait"}"#
        );
    }

    /// `specs/ipc.md` holds these tables between two markers. `PU_UPDATE_DOCS=1` writes them anew.
    #[test]
    fn the_specification_holds_these_tables() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/ipc.md");
        let document = std::fs::read_to_string(&path).unwrap();
        let (start, end) = ("<!-- protocol tables: generated -->\n", "<!-- end of generated tables -->");
        let from = document.find(start).expect("the opening marker") + start.len();
        let to = document.find(end).expect("the closing marker");
        let wanted = format!("\n{}\n", tables());
        if std::env::var_os("PU_UPDATE_DOCS").is_some() {
            let fresh = format!("{}{wanted}{}", &document[..from], &document[to..]);
            #[allow(clippy::disallowed_methods, reason = "a document of the source tree, not a state file")]
            std::fs::write(&path, fresh).unwrap();
            return;
        }
        assert_eq!(&document[from..to], wanted, "specs/ipc.md is behind the types: run the test with PU_UPDATE_DOCS=1");
    }
}
