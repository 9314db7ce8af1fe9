//! What a look for projects came to, as people read it.

use super::{count, grouped};
use crate::screen::Style;
use crate::text::printable;
use pu_protocol::discovery::ScanReport;
use std::path::PathBuf;

pub(crate) fn report(report: &ScanReport, style: Style) -> String {
    let mut lines = Vec::new();
    if report.roots.is_empty() && report.missing.is_empty() {
        lines.push("nowhere to look: name folders, or set `roots` of [discovery] in PU_HOME/config.toml".to_owned());
    } else {
        let (projects, folders) = (count(report.projects as usize, "project"), grouped(report.folders));
        let found = format!("{} found in {folders} folders, {} new", style.bold(&projects), grouped(report.new.into()));
        lines.push(format!("{found} ({} ms)", grouped(report.elapsed_ms)));
        lines.push(told("below", &report.roots));
    }
    if report.watched > 0 {
        lines.push(format!("watched   {}", count(report.watched as usize, "folder")));
    }
    lines.retain(|line| !line.is_empty());
    let mut warn = |line: String| {
        if !line.is_empty() {
            lines.push(style.warn(&line));
        }
    };
    warn(told("not there", &report.missing));
    warn(report.limited.as_deref().map(|why| format!("limited   {}", printable(why))).unwrap_or_default());
    warn(told("silent", &report.silent));
    if report.unreadable > 0 {
        warn(told(&format!("unreadable: {}, such as", grouped(report.unreadable)), &report.some_unreadable));
    }
    if !report.complete {
        warn("not everything was looked into".to_owned());
    }
    lines.join("\n")
}

/// Paths behind what they are; nothing if there are none.
fn told(what: &str, paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return String::new();
    }
    let names: Vec<String> = paths.iter().map(|path| printable(&path.to_string_lossy()).into_owned()).collect();
    format!("{what:<10}{}{}", if what.len() < 10 { "" } else { " " }, names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_told_in_a_few_lines_and_what_it_missed_is_named() {
        let whole = ScanReport {
            roots: vec!["/home/u/code".into()],
            folders: 12_345,
            projects: 3,
            new: 1,
            watched: 7,
            complete: true,
            elapsed_ms: 81,
            ..ScanReport::default()
        };
        insta::assert_snapshot!(report(&whole, Style::PLAIN), @r"
        3 projects found in 12,345 folders, 1 new (81 ms)
        below     /home/u/code
        watched   7 folders
        ");
        let partial = ScanReport {
            missing: vec!["/mnt/disk".into()],
            silent: vec!["/net/a\nb".into()],
            unreadable: 20,
            some_unreadable: vec!["/code/shut".into()],
            limited: Some("no room".into()),
            complete: false,
            ..whole
        };
        insta::assert_snapshot!(report(&partial, Style::PLAIN), @r"
        3 projects found in 12,345 folders, 1 new (81 ms)
        below     /home/u/code
        watched   7 folders
        not there /mnt/disk
        limited   no room
        silent    /net/a\nb
        unreadable: 20, such as /code/shut
        not everything was looked into
        ");
        assert!(report(&ScanReport { complete: true, ..ScanReport::default() }, Style::PLAIN).starts_with("nowhere"));
    }
}
