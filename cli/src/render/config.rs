//! What is configured, as people read it: each value as the line of a config.toml that says it.

use super::grouped;
use crate::screen::Style;
use crate::text::printable;
use pu_protocol::config::{ConfigOrigin, ConfigReport, ConfigValue};
use std::path::Path;

pub(crate) fn report(report: &ConfigReport, with_origin: bool, style: Style) -> String {
    let mut lines: Vec<String> = report.values.iter().map(|value| line(value, with_origin, style)).collect();
    if report.more > 0 {
        lines.push(style.dim(&format!("# and {} more", grouped(report.more.into()))));
    }
    lines.extend(report.warnings.iter().map(|warning| style.warn(&format!("# warning: {}", printable(warning)))));
    lines.join("\n")
}

/// What is JSON is TOML too, for all that stands in a line.
fn line(value: &ConfigValue, with_origin: bool, style: Style) -> String {
    let said = if value.value.is_null() {
        style.dim(&format!("# {} is not set", printable(&value.key)))
    } else {
        printable(&format!("{} = {}", value.key, value.value)).into_owned()
    };
    if with_origin { format!("{said}  {}", style.dim(&format!("# {}", origin(&value.origin)))) } else { said }
}

fn origin(origin: &ConfigOrigin) -> String {
    let place = |file: &Path, line: u32| format!("{}, line {line}", printable(&file.to_string_lossy()));
    match origin {
        ConfigOrigin::Default => "default".to_owned(),
        ConfigOrigin::User { file, line } | ConfigOrigin::Project { file, line } => place(file, *line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_a_line_with_its_origin_where_that_is_asked_for() {
        let value = |key: &str, value: serde_json::Value, origin| ConfigValue { key: key.into(), value, origin };
        let shown = ConfigReport {
            values: vec![
                value("context.budget", 8000.into(), ConfigOrigin::Default),
                value("default_agent", serde_json::Value::Null, ConfigOrigin::Default),
                value(
                    "specs.folders",
                    serde_json::json!(["a\u{1b}[2J"]),
                    ConfigOrigin::User { file: "/u/c.toml".into(), line: 3 },
                ),
                value("terminal.rows", 7.into(), ConfigOrigin::Project { file: "/p/.pu/config.toml".into(), line: 12 }),
            ],
            more: 2,
            warnings: vec!["/p/.pu/config.toml: line 3: no".into()],
            ..ConfigReport::default()
        };
        insta::assert_snapshot!(report(&shown, true, Style::PLAIN), @r#"
        context.budget = 8000  # default
        # default_agent is not set  # default
        specs.folders = ["a\u001b[2J"]  # /u/c.toml, line 3
        terminal.rows = 7  # /p/.pu/config.toml, line 12
        # and 2 more
        # warning: /p/.pu/config.toml: line 3: no
        "#);
        assert!(report(&shown, false, Style::PLAIN).starts_with("context.budget = 8000\n# default_agent is not set\n"));
    }
}
