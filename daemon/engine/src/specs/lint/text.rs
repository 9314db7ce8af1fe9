//! A file's text with its lines numbered, for findings that say where.

/// A text and where its lines begin.
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The line, from 1, in which this byte stands.
    pub(super) fn line_of(&self, offset: usize) -> u32 {
        number(self.starts.partition_point(|start| *start <= offset))
    }

    /// The first line of which this holds.
    pub(super) fn line_where(&self, holds: impl Fn(&str) -> bool) -> Option<u32> {
        self.text.lines().position(holds).map(|at| number(at + 1))
    }

    /// The line of a key of the front matter.
    pub(super) fn line_of_key(&self, key: &str) -> Option<u32> {
        self.line_where(|line| {
            line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
        })
    }
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one() {
        let text = Text::new("---\nglobs: a\n  id : x\n---\nend");
        for (offset, line) in [(0, 1), (3, 1), (4, 2), (14, 3), (27, 5), (99, 5)] {
            assert_eq!(text.line_of(offset), line, "{offset}");
        }
        let keys = [text.line_of_key("globs"), text.line_of_key("id"), text.line_of_key("glob")];
        assert_eq!(keys, [Some(2), Some(3), None]);
        assert_eq!(text.line_where(|line| line.contains("end")), Some(5));
        assert_eq!(Text::new("").line_of(0), 1);
    }
}
