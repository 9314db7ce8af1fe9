//! The headings of a Markdown document, ATX and setext, by a CommonMark parser: code blocks and quotes hold none.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::headings::Heading;

pub(super) fn headings(body: &str) -> Vec<Heading> {
    let mut headings = Vec::new();
    let mut open: Option<Heading> = None;
    // Inside of a quote, list or footnote: a heading there structures the quotation, not the document.
    let mut depth = 0_u32;
    for (event, range) in Parser::new_ext(body, Options::ENABLE_HEADING_ATTRIBUTES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                let start = body[..range.start].rfind('\n').map_or(0, |n| n + 1);
                open = Some(Heading { text: String::new(), level: level as u8, start });
            }
            Event::End(TagEnd::Heading(_)) => headings.extend(open.take()),
            Event::Start(Tag::BlockQuote(_) | Tag::List(_) | Tag::FootnoteDefinition(_)) => depth += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::FootnoteDefinition) => {
                depth = depth.saturating_sub(1);
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut open {
                    heading.text.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(heading) = &mut open {
                    heading.text.push(' ');
                }
            }
            _ => {}
        }
    }
    for heading in &mut headings {
        heading.text = heading.text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    headings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_both_kinds_and_nothing_in_code_or_quotes() {
        let body =
            "Title\n=====\n\n```sh\n# no\n```\n\n> # no\n\n## `code` *and* more {#anchor}\n\n- # no\n\nSub\n---\n";
        let found: Vec<(u8, String)> = headings(body).into_iter().map(|h| (h.level, h.text)).collect();
        assert_eq!(found, [(1, "Title".into()), (2, "code and more".into()), (2, "Sub".into())]);
    }

    #[test]
    fn a_heading_starts_at_the_start_of_its_line() {
        let body = "text\n\n   ## Indented\n";
        assert_eq!(headings(body)[0].start, 6);
    }
}
