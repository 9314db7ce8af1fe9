//! Whether a config schema is small enough to be worked with in the daemon.
//!
//! A plugin's manifest comes from anybody, and its schema is compiled and run here, where nothing can interrupt it. So a
//! schema is bounded before it is looked at: as if each reference were written out, it has few nodes and little depth, and
//! no reference leads in a circle. Pure; it says nothing of whether the schema is a sound one.

use std::collections::HashMap;

use serde_json::Value;

/// Nodes, each reference written out. A schema of a plugin has some dozens.
const NODES_MAX: u64 = 20_000;
const DEPTH_MAX: u32 = 200;
const PATTERNS_MAX: u64 = 64;
/// Each leads to a place that is known only while validating.
const REFUSED: [&str; 4] = ["$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor"];

/// What a part of a schema comes to.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    nodes: u64,
    patterns: u64,
    depth: u32,
}

/// Fails with what is wrong, in words that go on after "its config schema".
pub(super) fn check_bounds(schema: &Value) -> Result<(), String> {
    let draft = schema.get("$schema").and_then(Value::as_str).unwrap_or_default();
    // What gives a part of a schema a root of its own, from which its references would then lead elsewhere.
    let id = if draft.contains("draft-04") { "id" } else { "$id" };
    let mut walk = Walk { root: schema, id, targets: HashMap::new(), depth: 0 };
    let weight = walk.weigh(schema, true)?;
    if weight.nodes > NODES_MAX || weight.patterns > PATTERNS_MAX || weight.depth > DEPTH_MAX {
        return Err(format!(
            "is too large: written out it has {} nodes, {} patterns and a depth of {}; at most {NODES_MAX}, \
             {PATTERNS_MAX} and {DEPTH_MAX} are taken",
            weight.nodes, weight.patterns, weight.depth
        ));
    }
    Ok(())
}

struct Walk<'a> {
    root: &'a Value,
    id: &'static str,
    /// The weight of what a reference leads to; `None` while it is being found out.
    targets: HashMap<&'a str, Option<Weight>>,
    /// How deep the walk itself is: it is recursive too.
    depth: u32,
}

impl<'a> Walk<'a> {
    /// Everything is walked as if it were a schema, data too: a key that is only data costs a few nodes, one that was
    /// passed over could hide any number.
    fn weigh(&mut self, value: &'a Value, is_root: bool) -> Result<Weight, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("is deeper than {DEPTH_MAX} with its references written out"));
        }
        let mut weight = Weight { nodes: 1, ..Weight::default() };
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    if REFUSED.contains(&key.as_str()) || (key == self.id && !is_root && value.is_string()) {
                        return Err(format!("has a {key}, which is not taken"));
                    }
                    weight.patterns += match value {
                        Value::String(_) if key == "pattern" => 1,
                        Value::Object(patterns) if key == "patternProperties" => patterns.len() as u64,
                        _ => 0,
                    };
                    let inner = match (key.as_str(), value) {
                        ("$ref", Value::String(target)) => self.target(target)?,
                        _ => self.weigh(value, false)?,
                    };
                    add(&mut weight, inner);
                }
            }
            Value::Array(items) => {
                for item in items {
                    let inner = self.weigh(item, false)?;
                    add(&mut weight, inner);
                }
            }
            _ => {}
        }
        weight.depth = weight.depth.saturating_add(1);
        self.depth -= 1;
        Ok(weight)
    }

    fn target(&mut self, target: &'a str) -> Result<Weight, String> {
        match self.targets.get(target) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => return Err(format!("leads in a circle by $ref {target:?}")),
            None => {}
        }
        // What is percent-encoded names another place to whoever decodes it.
        let plain = |pointer: &&str| (pointer.is_empty() || pointer.starts_with('/')) && !pointer.contains('%');
        let pointer = target.strip_prefix('#').filter(plain);
        let root: &'a Value = self.root;
        let Some(found) = pointer.and_then(|pointer| root.pointer(pointer)) else {
            return Err(format!("has $ref {target:?}, which must be a place in itself such as #/$defs/name"));
        };
        self.targets.insert(target, None);
        let weight = self.weigh(found, false)?;
        self.targets.insert(target, Some(weight));
        Ok(weight)
    }
}

fn add(sum: &mut Weight, inner: Weight) {
    sum.nodes = sum.nodes.saturating_add(inner.nodes);
    sum.patterns = sum.patterns.saturating_add(inner.patterns);
    sum.depth = sum.depth.max(inner.depth);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_ordinary_schema_passes() {
        let area = json!({"type": "string", "pattern": "^[a-z]+$"});
        let schema = json!({"$defs": {"area": area}, "properties": {
            "areas": {"type": "array", "items": {"$ref": "#/$defs/area"}}, "more": {"$ref": "#/$defs/area"}}});
        check_bounds(&schema).unwrap();
        check_bounds(&json!(true)).unwrap();
    }

    #[test]
    fn what_would_keep_the_daemon_busy_or_overflow_its_stack_is_refused() {
        // Each level holds the next one twice: 2 to the power of 40 nodes.
        let mut defs = serde_json::Map::new();
        for level in 0..40 {
            let next = format!("#/$defs/d{}", level + 1);
            defs.insert(format!("d{level}"), json!({"allOf": [{"$ref": next}, {"$ref": next}]}));
        }
        defs.insert("d40".into(), json!({"type": "object"}));
        let doubling = json!({"$defs": defs, "$ref": "#/$defs/d0"});
        let chain: serde_json::Map<String, Value> =
            (0..400).map(|n| (format!("c{n}"), json!({"$ref": format!("#/$defs/c{}", n + 1)}))).collect();
        let chain = json!({"$defs": chain, "$ref": "#/$defs/c0"});
        let patterns: serde_json::Map<String, Value> = (0..65).map(|n| (format!("p{n}"), json!({}))).collect();
        for (schema, part) in [
            (json!({"$ref": "#"}), "in a circle"),
            (json!({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}), "in a circle"),
            (json!({"$ref": "https://example.invalid/s.json"}), "a place in itself"),
            (json!({"$ref": "#/$defs/none"}), "a place in itself"),
            (json!({"%61": {}, "a": {"$ref": "#/%61"}}), "a place in itself"),
            (json!({"$dynamicRef": "#x"}), "$dynamicRef"),
            (json!({"properties": {"a": {"$id": "urn:x"}}}), "$id"),
            (json!({"patternProperties": patterns}), "too large"),
            (doubling, "too large"),
            (chain, "is deeper than"),
        ] {
            let why = check_bounds(&schema).unwrap_err();
            assert!(why.contains(part), "{part} is not in: {why}");
        }
    }
}
