//! The formats that specs are written in, told by a file's name.
//!
//! What stands in the file is not looked at; how each format is read is the matter of `parse`.

use super::rule::RuleKind;

/// The markup of a spec, told by its file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Markdown,
    Mdx,
    ReStructuredText,
    AsciiDoc,
    MediaWiki,
    PlainText,
}

impl Format {
    pub(super) fn of(path: &str) -> Option<Format> {
        let extension = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
        Some(match extension.as_str() {
            "md" | "markdown" | "mdc" => Format::Markdown,
            "mdx" => Format::Mdx,
            // Rule files without an extension.
            "cursorrules" | "windsurfrules" | "clinerules" if RuleKind::of(path).is_some() => Format::Markdown,
            "rst" => Format::ReStructuredText,
            "adoc" | "asciidoc" => Format::AsciiDoc,
            "mediawiki" | "wiki" => Format::MediaWiki,
            "txt" => Format::PlainText,
            _ => return None,
        })
    }

    /// As answers and the command line spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Markdown => "markdown",
            Format::Mdx => "mdx",
            Format::ReStructuredText => "restructuredtext",
            Format::AsciiDoc => "asciidoc",
            Format::MediaWiki => "mediawiki",
            Format::PlainText => "text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_format() {
        for (path, format) in [
            ("docs/a.MD", Some(Format::Markdown)),
            (".cursor/rules/a.mdc", Some(Format::Markdown)),
            ("docs/a.mdx", Some(Format::Mdx)),
            ("a.b/c.rst", Some(Format::ReStructuredText)),
            ("a.asciidoc", Some(Format::AsciiDoc)),
            ("bip.mediawiki", Some(Format::MediaWiki)),
            ("rfc1.txt", Some(Format::PlainText)),
            (".cursorrules", Some(Format::Markdown)),
            ("docs/.cursorrules", None),
            ("docs.md/code.rs", None),
            ("README", None),
        ] {
            assert_eq!(Format::of(path), format, "{path}");
        }
    }
}
