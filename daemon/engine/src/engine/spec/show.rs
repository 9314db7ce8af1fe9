//! `spec_show`: one spec, with its front matter, its sections and what of its text was asked for.

use super::{Engine, Failure, NAME_MAX, ROOM, TEXT_MAX, cut, first_that_fit, info, named};
use crate::specs::{SpecIndex, SpecMeta};
use pu_protocol::spec::{SpecAttribute, SpecDetail, SpecSection};
use pu_protocol::{Answer, ErrorBody, ErrorCode};
use std::path::PathBuf;

/// Bytes of a line that the text may take; the rest is for the sections.
const TEXT_ROOM: usize = 512 * 1024;
/// As many sections as an error names.
const NAMED: usize = 8;

impl Engine {
    pub(in crate::engine) async fn spec_show(
        &self,
        cwd: PathBuf,
        spec: String,
        section: Option<String>,
        with_text: bool,
    ) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), cwd.clone());
        let shown = self.slowly_within(&cwd, move || -> Result<Answer, Failure> {
            let (_, index) = engine.looked_at(&folder)?;
            let catalog = index.catalog();
            let spec = named(&catalog, &spec)?;
            Ok(Answer::SpecReport(Box::new(detail(&index, spec, section, with_text)?)))
        });
        shown.await?
    }
}

fn detail(index: &SpecIndex, spec: &SpecMeta, section: Option<String>, with_text: bool) -> Result<SpecDetail, Failure> {
    if let Some(asked) = section.as_deref().filter(|id| spec.section(id).is_none()) {
        return Err(no_section(spec, asked));
    }
    let file = index.file(spec);
    // Without the file the rest can still be told.
    let as_indexed = file.as_ref().ok().filter(|file| file.revision == spec.revision).map(|file| file.text.as_str());
    let lines = as_indexed.map(Lines::of);
    let all = spec.sections.iter().map(|section| SpecSection {
        id: section.id.clone(),
        heading: cut(&section.heading, NAME_MAX),
        level: section.level,
        tokens: section.tokens,
        line: lines.as_ref().map(|lines| lines.number(section.start as usize)),
    });
    let told = info(spec);
    let attribute =
        |(key, value): &(String, String)| SpecAttribute { key: cut(key, NAME_MAX), value: cut(value, TEXT_MAX) };
    let attributes: Vec<SpecAttribute> = spec.attributes.iter().map(attribute).collect();
    let mut left = ROOM.saturating_sub(serde_json::to_vec(&(&told, &attributes)).map_or(0, |json| json.len()));
    let (mut text, mut text_cut) = (None, false);
    if with_text || section.is_some() {
        let file = file.as_ref().map_err(|error| Failure::new(ErrorCode::Io, error.to_string()))?;
        // It may have gone from the file since it was indexed.
        let part = file.part(spec, section.as_deref());
        let part = part.ok_or_else(|| no_section(spec, section.as_deref().unwrap_or_default()))?;
        let room = TEXT_ROOM.min(left);
        let shown = fitting(part, room);
        left -= room;
        text_cut = shown.len() < part.len();
        text = Some(shown.to_owned());
    }
    let (sections, _) = first_that_fit(all, left);
    let more = spec.sections.len() - sections.len();
    Ok(SpecDetail {
        spec: told,
        bytes: spec.bytes,
        revision: spec.revision.clone(),
        attributes,
        sections,
        more_sections: u32::try_from(more).unwrap_or(u32::MAX),
        section,
        text,
        text_cut,
    })
}

fn no_section(spec: &SpecMeta, asked: &str) -> Failure {
    let message = format!("{} has no section {asked:?}", spec.path);
    let known: Vec<String> = spec.sections.iter().take(NAMED).map(|section| section.id.clone()).collect();
    let more = if spec.sections.len() > NAMED { ", …" } else { "" };
    let hint = format!("it has {}{more}", known.join(", "));
    ErrorBody::new(ErrorCode::SpecNotFound, message).with_hint(hint).into()
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The number, from 1, of the line in which a byte stands.
    fn number(&self, offset: usize) -> u32 {
        u32::try_from(self.0.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}

/// The beginning of a text that has at most so many bytes as a JSON string.
fn fitting(text: &str, room: usize) -> &str {
    let mut left = room;
    let first_too_many = text.char_indices().find(|(_, c)| {
        let takes = match c {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            c if u32::from(*c) < 0x20 => 6,
            c => c.len_utf8(),
        };
        match left.checked_sub(takes) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        }
    });
    first_too_many.map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_counted_as_it_is_sent() {
        let text = "größe \"quoted\"\n\ttab\\ \u{1} end";
        let whole = serde_json::to_string(text).unwrap().len() - 2;
        assert_eq!(fitting(text, whole), text);
        for room in 0..whole {
            let fit = fitting(text, room);
            assert!(serde_json::to_string(fit).unwrap().len() - 2 <= room && fit.len() < text.len(), "{room}");
        }
    }
}
