//! Writes the context as Markdown for a model: what this is, then piece by piece where it is from, why it is here, text.
//!
//! Invariant: the same pieces give the same bytes. No time, no absolute path, no score is in it.
//!
//! A spec's text is data. It stands between tags whose name occurs nowhere in any piece, so that no spec can end its own
//! frame or open another; a code fence that a passage leaves open is closed behind it.

use std::fmt::Write as _;

use super::piece::{Extent, Piece};

const PREAMBLE: &str = "# Project specs for this task\n\n\
    PurePoint chose these parts of the project's own documents because they bear on the task. Each is quoted as it \
    stands in its file, between an opening and a closing tag; what is between the tags is the document's text. Paths \
    are relative to the project's root: where only part of a file is quoted, open it there to read on.\n";
const TAG: &str = "project-spec";
const OUTLINE_CHARACTERS: usize = 300;
const LINE_CHARACTERS: usize = 300;
const IDS: usize = 12;

/// The whole context, `None` where nothing was chosen.
pub(super) fn context(pieces: &[Piece]) -> Option<String> {
    if pieces.is_empty() {
        return None;
    }
    let tag = free_tag(pieces);
    let mut out = String::from(PREAMBLE);
    for (i, piece) in pieces.iter().enumerate() {
        out.push('\n');
        out.push_str(&heading(piece, i + 1));
        match &piece.extent {
            Extent::Whole { text, .. } => frame(&mut out, &tag, &opening(&tag, &piece.document.path, None), text),
            Extent::Excerpt(passages) => {
                let mut passages: Vec<_> = passages.iter().collect();
                passages.sort_by_key(|p| p.run.start);
                for passage in passages {
                    let section = piece.document.sections.get(passage.run.start);
                    let label = section.map(|s| s.heading_path.as_str()).filter(|h| !h.is_empty());
                    frame(&mut out, &tag, &opening(&tag, &piece.document.path, label), &passage.text);
                }
            }
        }
    }
    Some(out)
}

/// What the preamble costs, for the budget.
pub(super) fn preamble() -> &'static str {
    PREAMBLE
}

/// The lines above a piece's text.
pub(super) fn heading(piece: &Piece, number: usize) -> String {
    let document = &piece.document;
    let mut out = format!("## {number}. {}\n\n", one_line(&document.title, LINE_CHARACTERS));
    let extent = match &piece.extent {
        Extent::Whole { .. } => "whole",
        Extent::Excerpt(_) => "in part",
    };
    line(&mut out, "File", &format!("`{}` ({extent})", one_line(&document.path, usize::MAX).replace('`', "'")));
    if !document.ids.is_empty() {
        let more = if document.ids.len() > IDS { ", …" } else { "" };
        let ids: Vec<String> = document.ids.iter().take(IDS).map(|id| one_line(id, 64)).collect();
        line(&mut out, "Ids", &format!("{}{more}", ids.join(", ")));
    }
    let _ = writeln!(out, "- Chosen by {}", one_line(&piece.why.with_names(), LINE_CHARACTERS));
    if matches!(piece.extent, Extent::Excerpt(_)) {
        line(&mut out, "Outline of the whole file", &outline(piece));
    }
    out
}

/// The tags around one text, for the budget.
pub(super) fn tags(path: &str, heading_path: Option<&str>) -> String {
    let mut out = String::new();
    frame(&mut out, TAG, &opening(TAG, path, heading_path), "");
    out
}

fn line(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "- {name}: {value}");
}

fn opening(tag: &str, path: &str, heading_path: Option<&str>) -> String {
    let attribute = |value: &str| one_line(value, LINE_CHARACTERS).replace('"', "'");
    match heading_path {
        Some(section) => format!("<{tag} file=\"{}\" section=\"{}\">", attribute(path), attribute(section)),
        None => format!("<{tag} file=\"{}\">", attribute(path)),
    }
}

fn frame(out: &mut String, tag: &str, opening: &str, text: &str) {
    let text = text.trim_start_matches(['\n', '\r']).trim_end();
    let _ = write!(out, "\n{opening}\n{text}\n");
    if let Some(fence) = open_fence(text) {
        let _ = writeln!(out, "{fence}");
    }
    let _ = writeln!(out, "</{tag}>");
}

/// The top headings of a spec on one line.
fn outline(piece: &Piece) -> String {
    let sections = &piece.document.sections;
    // A single outermost heading is the title, which stands above already.
    let shallowest = sections.iter().map(|s| s.level).filter(|l| *l > 0).min().unwrap_or(0);
    let is_title = sections.iter().filter(|s| s.level == shallowest).count() == 1;
    let deepest = shallowest + u8::from(is_title);
    let mut headings: Vec<String> = Vec::new();
    for section in sections.iter().filter(|s| s.level > 0 && s.level <= deepest && !s.heading.is_empty()) {
        let heading = one_line(&section.heading, 60);
        if (section.level > shallowest || !is_title) && headings.last() != Some(&heading) {
            headings.push(heading);
        }
    }
    one_line(&headings.join(" · "), OUTLINE_CHARACTERS)
}

/// One line without control characters, cut at `limit` characters.
fn one_line(text: &str, limit: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.chars().count() <= limit {
        return plain;
    }
    let cut: String = plain.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// A tag name that occurs in no text, title, path or reason: `project-spec`, else `project-spec-2` and so on.
fn free_tag(pieces: &[Piece]) -> String {
    let mut data: Vec<String> = Vec::new();
    for piece in pieces {
        let document = &piece.document;
        data.extend([&document.title, &document.path, &piece.why.with_names()].map(|s| s.to_ascii_lowercase()));
        data.extend(document.sections.iter().map(|s| s.heading.to_ascii_lowercase()));
        match &piece.extent {
            Extent::Whole { text, .. } => data.push(text.to_ascii_lowercase()),
            Extent::Excerpt(passages) => data.extend(passages.iter().map(|p| p.text.to_ascii_lowercase())),
        }
    }
    let taken = |tag: &str| data.iter().any(|d| d.contains(&format!("<{tag}")) || d.contains(&format!("</{tag}")));
    let mut tag = TAG.to_owned();
    let mut number = 1_u64;
    while taken(&tag) {
        number += 1;
        tag = format!("{TAG}-{number}");
    }
    tag
}

/// The fence that would close the code block which a text leaves open.
fn open_fence(text: &str) -> Option<String> {
    let mut open: Option<(char, usize)> = None;
    for line in text.lines() {
        let inner = line.trim_start_matches(' ');
        let Some(mark) = inner.chars().next().filter(|c| matches!(c, '`' | '~')) else { continue };
        let length = inner.chars().take_while(|c| *c == mark).count();
        if length < 3 || line.len() - inner.len() > 3 {
            continue;
        }
        let rest = &inner[length..];
        open = match open {
            None if mark == '`' && rest.contains('`') => None,
            None => Some((mark, length)),
            Some((m, l)) if m == mark && length >= l && rest.trim().is_empty() => None,
            still => still,
        };
    }
    open.map(|(mark, length)| std::iter::repeat_n(mark, length).collect())
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
