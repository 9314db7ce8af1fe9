//! Where in the configuration files a key of an assembler's `config` stands, for whoever must repair it.
//!
//! Looked for only where a config does not fit. It judges nothing; that a place is not found is no error.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::config::AssemblerConfig;
use super::maps::Maps;
use crate::beneath;

/// No configuration is longer.
const FILE_MAX: u64 = 1024 * 1024;

/// The files that a chain, and what its assemblers are configured with, can come from.
#[derive(Debug, Clone)]
pub(super) struct ConfigFiles {
    /// Wins.
    pub project: PathBuf,
    pub user: PathBuf,
    /// For `context-map` alone.
    pub maps: Maps,
}

impl ConfigFiles {
    /// `FILE, line N` of the key, or of what is nearest above it.
    pub(super) fn place(&self, config: &AssemblerConfig, path: &[String]) -> Option<String> {
        self.maps.place(config, path).or_else(|| self.first(|text| line(text, &config.name, path)))
    }

    /// `FILE, line N` where the assembler's own table begins.
    pub(super) fn table(&self, assembler: &str) -> Option<String> {
        self.first(|text| table_line(text, assembler))
    }

    fn first(&self, line: impl Fn(&str) -> Option<usize>) -> Option<String> {
        // A chain is replaced as a whole, not merged: the first file that has one is where it comes from.
        // The user's own may lie anywhere.
        let files = [(&self.project, self.maps.root.as_path()), (&self.user, Path::new("/"))];
        files.into_iter().find_map(|(file, root)| {
            let text = beneath::read_text(root, file, FILE_MAX).ok()?;
            Some(format!("{}, line {}", file.display(), line(&text)?))
        })
    }
}

/// `None` where the text has no such assembler.
fn line(text: &str, assembler: &str, path: &[String]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let table = table_of(document.get_ref(), assembler)?;
    let (mut span, mut at) = (table.span(), table);
    if let Some((key, config)) = entry(table.get_ref().as_table()?, "config") {
        (span, at) = (key, config);
    }
    for step in path {
        let Some((key, next)) = inner(at.get_ref(), step) else { break };
        (span, at) = (key, next);
    }
    Some(line_at(text, &span))
}

/// The line of a key, from the root of a document, or of what is nearest above it.
pub(super) fn line_in(text: &str, path: &[String]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let (first, rest) = path.split_first()?;
    let (mut span, mut at) = entry(document.get_ref(), first)?;
    for step in rest {
        let Some((key, next)) = inner(at.get_ref(), step) else { break };
        (span, at) = (key, next);
    }
    Some(line_at(text, &span))
}

fn table_line(text: &str, assembler: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    Some(line_at(text, &table_of(document.get_ref(), assembler)?.span()))
}

fn table_of<'d, 'i>(document: &'d DeTable<'i>, assembler: &str) -> Option<&'d Spanned<DeValue<'i>>> {
    let (_, context) = entry(document, "context")?;
    let (_, chain) = entry(context.get_ref().as_table()?, "assembler")?;
    chain.get_ref().as_array()?.iter().find(|value| {
        let name = value.get_ref().as_table().and_then(|table| entry(table, "name"));
        name.is_some_and(|(_, name)| name.get_ref().as_str() == Some(assembler))
    })
}

/// Counted from 1.
pub(super) fn line_at(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
}

/// A key's place, and its value.
fn entry<'d, 'i>(table: &'d DeTable<'i>, key: &str) -> Option<(Range<usize>, &'d Spanned<DeValue<'i>>)> {
    let (key, value) = table.iter().find(|(known, _)| known.get_ref() == key)?;
    Some((key.span(), value))
}

fn inner<'d, 'i>(value: &'d DeValue<'i>, step: &str) -> Option<(Range<usize>, &'d Spanned<DeValue<'i>>)> {
    match value {
        DeValue::Table(table) => entry(table, step),
        DeValue::Array(items) => items.get(step.parse::<usize>().ok()?).map(|item| (item.span(), item)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = "[context]\nbudget = 3\n\n[[context.assembler]]\nname = \"keyword\"\n\n\
        [[context.assembler]]\nname = \"ledger\"\n[context.assembler.config]\nareas = [\n  \"a\",\n  3,\n]\n\
        nested = { deep = 1 }\n";
    const INLINE: &str =
        "[context]\nassembler = [\n  { name = \"keyword\" },\n  { name = \"ledger\", config = { x = 1 } },\n]\n";

    #[test]
    fn the_line_is_that_of_the_key_or_of_what_is_nearest() {
        for (text, path, expected) in [
            (TABLES, vec!["areas", "1"], Some(12)),
            (TABLES, vec!["areas"], Some(10)),
            (TABLES, vec!["nested", "deep"], Some(14)),
            (TABLES, vec!["nested", "none"], Some(14)),
            (INLINE, vec!["x"], Some(4)),
            (INLINE, vec![], Some(4)),
            ("[context]\nbudget = 3\n", vec!["x"], None),
            ("no toml", vec!["x"], None),
        ] {
            let path: Vec<String> = path.into_iter().map(str::to_owned).collect();
            assert_eq!(line(text, "ledger", &path), expected, "{path:?} in\n{text}");
        }
        assert_eq!(line(TABLES, "none", &[]), None);
        assert_eq!((table_line(TABLES, "ledger"), table_line(INLINE, "ledger")), (Some(7), Some(4)));
        assert_eq!(table_line(TABLES, "none"), None);
    }

    #[test]
    fn the_file_that_has_the_chain_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let maps = Maps { root: path(""), folder: path("context") };
        let files = ConfigFiles { project: path("project.toml"), user: path("user.toml"), maps };
        let ledger = AssemblerConfig::plain("ledger");
        assert_eq!(files.place(&ledger, &[]), None);
        let write = |path: &PathBuf, text: &str| pu_record::atomic::write_atomic(path, text.as_bytes(), 0o600).unwrap();
        write(&files.project, "[context]\nbudget = 3\n");
        write(&files.user, TABLES);
        let place = files.place(&ledger, &["areas".to_owned()]).unwrap();
        assert!(place.ends_with("user.toml, line 10"), "{place}");
        write(&files.project, INLINE);
        let place = files.place(&ledger, &["x".to_owned()]).unwrap();
        assert!(place.ends_with("project.toml, line 4"), "{place}");
    }
}
