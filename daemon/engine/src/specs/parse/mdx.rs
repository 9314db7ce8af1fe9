//! The headings of an MDX document: those of its Markdown, after what is JavaScript has been blanked out.
//!
//! `import` and `export`, expressions in braces and lines of JSX tags are no text, and Markdown between two tags is. Nothing
//! changes its place: every byte that is blanked out becomes a space.

use super::headings::{Heading, lines};
use super::markdown;

pub(super) fn headings(body: &str) -> Vec<Heading> {
    markdown::headings(&blanked(body))
}

pub(super) fn blanked(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut inside = Inside::Text;
    let mut blank_before = true;
    for (start, line) in lines(body) {
        let whole = body[start..].split_inclusive('\n').next().unwrap_or_default();
        let now = inside.step(line, blank_before);
        blank_before = line.is_empty();
        if now.is_code {
            text.extend(whole.bytes().map(|b| if matches!(b, b'\n' | b'\r') { char::from(b) } else { ' ' }));
        } else {
            text.push_str(whole);
        }
        inside = now.next;
    }
    text
}

/// What the next line stands in.
enum Inside {
    Text,
    /// A fence of this character, at least so long.
    Fence(char, usize),
    /// `import` or `export`, up to a blank line outside of so many brackets.
    Module(Brackets),
    /// `{…}` that began a line.
    Expression(Brackets),
    /// A tag that its first line did not close.
    Tag(Brackets),
}

struct Step {
    /// The line is JavaScript.
    is_code: bool,
    next: Inside,
}

impl Inside {
    fn step(self, line: &str, blank_before: bool) -> Step {
        let text = line.trim_start();
        match self {
            Inside::Fence(mark, length) => {
                let closes = run(text, mark) >= length && text.trim_matches(mark).trim().is_empty();
                Step { is_code: false, next: if closes { Inside::Text } else { Inside::Fence(mark, length) } }
            }
            Inside::Module(brackets) if line.is_empty() && brackets.closed() => Inside::text(),
            Inside::Module(brackets) => Step { is_code: true, next: Inside::Module(brackets.after(line)) },
            Inside::Expression(brackets) => Inside::expression(brackets.after(line)),
            Inside::Tag(brackets) => Inside::tag(brackets.after(line), line),
            Inside::Text => {
                if let Some(mark) = ['`', '~'].into_iter().find(|mark| run(text, *mark) >= 3) {
                    Step { is_code: false, next: Inside::Fence(mark, run(text, mark)) }
                } else if blank_before && is_module(line) {
                    Step { is_code: true, next: Inside::Module(Brackets::default().after(line)) }
                } else if text.starts_with('{') {
                    Inside::expression(Brackets::default().after(line))
                } else if is_tag(text) {
                    Inside::tag(Brackets::default().after(line), line)
                } else {
                    Inside::text()
                }
            }
        }
    }

    fn text() -> Step {
        Step { is_code: false, next: Inside::Text }
    }

    fn expression(brackets: Brackets) -> Step {
        Step { is_code: true, next: if brackets.closed() { Inside::Text } else { Inside::Expression(brackets) } }
    }

    /// A line with text after its tag is a paragraph; one that is tags alone is not.
    fn tag(brackets: Brackets, line: &str) -> Step {
        let closed = brackets.closed() && line.trim_end().ends_with('>');
        Step { is_code: true, next: if closed || line.is_empty() { Inside::Text } else { Inside::Tag(brackets) } }
    }
}

fn run(text: &str, mark: char) -> usize {
    text.chars().take_while(|c| *c == mark).count()
}

/// JavaScript, and no sentence that begins with one of these words.
fn is_module(line: &str) -> bool {
    let begins = |text: &str, starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
    if let Some(rest) = line.strip_prefix("import ") {
        return begins(rest, &["'", "\"", "{", "*"]) || rest.contains(" from '") || rest.contains(" from \"");
    }
    let exported =
        ["const ", "let ", "var ", "default ", "function ", "async ", "class ", "{", "*", "type ", "interface "];
    line.strip_prefix("export ").is_some_and(|rest| begins(rest, &exported))
}

/// `<Tabs>`, `</Tabs>`, `<>`, `<Tabs` with attributes on the next lines; `<https://…>` and `<b>word</b> text` are none.
fn is_tag(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('<') else { return false };
    let name = rest.strip_prefix('/').unwrap_or(rest);
    let fragment = name.starts_with('>');
    let length = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-')).unwrap_or(name.len());
    let after = name[length..].chars().next();
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic()) && matches!(after, None | Some(' ' | '>' | '/'));
    (fragment || named) && (text.ends_with('>') || !text.contains('>'))
}

/// How many brackets are open, outside of quotes.
#[derive(Default)]
struct Brackets {
    open: i32,
    /// A text in backquotes may go on over lines.
    quoted: bool,
}

impl Brackets {
    fn after(mut self, line: &str) -> Brackets {
        let mut quote = self.quoted.then_some('`');
        let (mut escaped, mut before) = (false, ' ');
        for c in line.chars() {
            match (quote, c) {
                (Some(_), _) if escaped => escaped = false,
                (Some(_), '\\') => escaped = true,
                (Some(open), c) if c == open => quote = None,
                (None, '"' | '`') => quote = Some(c),
                // Not the apostrophe of a comment.
                (None, '\'') if !before.is_alphanumeric() => quote = Some(c),
                (None, '{' | '(' | '[') => self.open += 1,
                (None, '}' | ')' | ']') => self.open -= 1,
                _ => {}
            }
            before = c;
        }
        self.quoted = quote == Some('`');
        self
    }

    fn closed(&self) -> bool {
        self.open <= 0 && !self.quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(body: &str) -> Vec<(u8, String)> {
        headings(body).into_iter().map(|h| (h.level, h.text)).collect()
    }

    #[test]
    fn headings_are_those_of_the_text() {
        for (body, wanted) in [
            ("import Tabs from '@theme/Tabs';\n---\n\n# Title\n", vec![(1, "Title")]),
            ("export const meta = {\n  a: 1,\n\n# no\n}\n\n# Title\n", vec![(1, "Title")]),
            ("export const text = `\n\n# no\n\n`\n\n# Title\n", vec![(1, "Title")]),
            ("{/* a comment\n\n# no\n\n*/}\n\n# Title\n", vec![(1, "Title")]),
            ("<Tabs>\n## In a tag\n</Tabs>\n\n## After\n", vec![(2, "In a tag"), (2, "After")]),
            ("<Card\n  title=\"x\"\n  # no\n>\n## Inside\n</Card>\n", vec![(2, "Inside")]),
            ("```js\nimport x from 'y'\n# no\n```\n\n# Title <Badge/>\n", vec![(1, "Title")]),
            ("text\nimport is a word here\n\n## Two\n", vec![(2, "Two")]),
            ("import (this is a sentence\n\n## Two\n", vec![(2, "Two")]),
            ("export const a = '{';\n\n{/* don't */}\n\n## Two\n", vec![(2, "Two")]),
        ] {
            let wanted: Vec<(u8, String)> = wanted.into_iter().map(|(l, t)| (l, t.to_owned())).collect();
            assert_eq!(outline(body), wanted, "{body}");
        }
    }

    #[test]
    fn nothing_changes_its_place() {
        let body = "export const größe = 1\r\n\r\n<Tabs>\r\n## Größe\r\n";
        assert_eq!(blanked(body).len(), body.len());
        assert_eq!(headings(body)[0].start, body.find("##").unwrap());
    }
}
