//! The chain of assemblers as a configuration file has it, edited with the rest of the file left as it was: comments,
//! order and formatting.
//!
//! Works on a text; it reads and writes no file, and knows of no plugin whether it exists.

use crate::context::AssemblerConfig;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value, value};

const CONTEXT: &str = "context";
const ASSEMBLER: &str = "assembler";

/// A configuration file's text, taken apart.
#[derive(Debug, Clone)]
pub struct ChainFile {
    document: DocumentMut,
}

impl ChainFile {
    pub fn parse(text: &str) -> Result<Self, TomlError> {
        Ok(Self { document: text.parse()? })
    }

    pub fn text(&self) -> String {
        self.document.to_string()
    }

    /// Whether it says which assemblers there are.
    pub fn is_configured(&self) -> bool {
        self.chain().is_some()
    }

    /// Whether an assembler has this name, or runs the plugin of this name.
    pub fn has(&self, name: &str) -> bool {
        self.entries().into_iter().any(|entry| is_of(entry, name))
    }

    /// Adds an assembler to the chain that there is, as its last.
    pub fn append(&mut self, name: &str) {
        match self.chain_mut() {
            Some(Item::ArrayOfTables(tables)) => {
                let mut table = Table::new();
                table.insert("name", value(name));
                table.decor_mut().set_prefix("\n");
                tables.push(table);
            }
            Some(Item::Value(Value::Array(list))) => {
                let mut table = InlineTable::new();
                table.insert("name", name.into());
                list.push(table);
            }
            _ => {}
        }
    }

    /// Takes out every assembler that has this name or runs the plugin of this name; answers whether there was one. A chain
    /// that has none left stays, and is empty: the default one would run what was left out of it.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.entries().len();
        match self.chain_mut() {
            Some(Item::ArrayOfTables(tables)) => tables.retain(|table| !is_of(table, name)),
            Some(Item::Value(Value::Array(list))) => {
                list.retain(|entry| !entry.as_inline_table().is_some_and(|table| is_of(table, name)));
            }
            _ => {}
        }
        let left = self.entries().len();
        if left == 0
            && before > 0
            && let Some(context) = self.document.get_mut(CONTEXT).and_then(Item::as_table_like_mut)
        {
            context.insert(ASSEMBLER, value(Array::new()));
        }
        left < before
    }

    /// Switches the assembler of this name on or off; answers whether there is one.
    pub fn switch(&mut self, name: &str, enabled: bool) -> bool {
        let named = |table: &dyn TableLike| text_of(table, "name") == Some(name);
        match self.chain_mut() {
            Some(Item::ArrayOfTables(tables)) => match tables.iter_mut().find(|table| named(&**table)) {
                Some(table) => set_enabled(table, enabled),
                None => return false,
            },
            Some(Item::Value(Value::Array(list))) => {
                match list.iter_mut().filter_map(Value::as_inline_table_mut).find(|table| named(&**table)) {
                    Some(table) => set_enabled(table, enabled),
                    None => return false,
                }
            }
            _ => return false,
        }
        true
    }

    /// Writes a whole chain into a file that has none.
    pub fn write_chain(&mut self, chain: &[AssemblerConfig]) -> Result<(), toml::ser::Error> {
        let tables = chain.iter().map(table_of).collect::<Result<Vec<Table>, _>>()?;
        if let Some(context) = self.document.get_mut(CONTEXT).and_then(Item::as_inline_table_mut) {
            let list: Array = tables.into_iter().map(Table::into_inline_table).collect();
            context.insert(ASSEMBLER, Value::Array(list));
            return Ok(());
        }
        let mut list = ArrayOfTables::new();
        for mut table in tables {
            // At the end of the file: between the keys and comments of `[context]` it would take them over.
            place_last(&mut table);
            let prefix = if list.is_empty() { self.take_trailing() } else { "\n".to_owned() };
            table.decor_mut().set_prefix(prefix);
            list.push(table);
        }
        let context = self.document.entry(CONTEXT).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        if let Some(context) = context.as_table_mut() {
            context.insert(ASSEMBLER, Item::ArrayOfTables(list));
        }
        Ok(())
    }

    /// The comments at the end of the file, which belong to what stands before and must stay there, and a gap.
    fn take_trailing(&mut self) -> String {
        let mut trailing = self.document.trailing().as_str().unwrap_or_default().to_owned();
        self.document.set_trailing("");
        let is_new = self.document.is_empty() && trailing.is_empty();
        if !is_new && !trailing.ends_with("\n\n") {
            trailing.push('\n');
        }
        trailing
    }

    fn chain(&self) -> Option<&Item> {
        self.document.get(CONTEXT)?.as_table_like()?.get(ASSEMBLER)
    }

    fn chain_mut(&mut self) -> Option<&mut Item> {
        self.document.get_mut(CONTEXT)?.as_table_like_mut()?.get_mut(ASSEMBLER)
    }

    fn entries(&self) -> Vec<&dyn TableLike> {
        match self.chain() {
            Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| table as &dyn TableLike).collect(),
            Some(Item::Value(Value::Array(list))) => {
                list.iter().filter_map(Value::as_inline_table).map(|table| table as &dyn TableLike).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn is_of(table: &dyn TableLike, name: &str) -> bool {
    let plugin = text_of(table, "plugin");
    text_of(table, "name") == Some(name)
        || plugin == Some(name)
        || plugin.is_some_and(|path| path.trim_start_matches("./") == format!("plugins/{name}.wasm"))
}

fn text_of<'t>(table: &'t dyn TableLike, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Item::as_str)
}

/// A value keeps its comment when it is set anew.
fn set_enabled(table: &mut dyn TableLike, enabled: bool) {
    match table.get_mut("enabled").and_then(Item::as_value_mut) {
        Some(known) => {
            let decor = known.decor().clone();
            *known = enabled.into();
            *known.decor_mut() = decor;
        }
        None => {
            table.insert("enabled", value(enabled));
        }
    }
}

fn table_of(config: &AssemblerConfig) -> Result<Table, toml::ser::Error> {
    let text = toml::to_string(config)?;
    // What was just written as TOML is TOML.
    Ok(text.parse::<DocumentMut>().map(DocumentMut::into_table).unwrap_or_default())
}

/// The table, and what stands in it, behind everything that the file has.
fn place_last(table: &mut Table) {
    table.set_position(Some(isize::MAX));
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => place_last(inner),
            Item::ArrayOfTables(list) => list.iter_mut().for_each(place_last),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projects::Config;

    const TABLES: &str = "# ours\ndefault_agent = \"codex\"\n\n[context]\nbudget = 9 # small\n\n\
        # first the words\n[[context.assembler]]\nname = \"keyword\"\n\n[[context.assembler]]\nname = \"rules\"\n\
        plugin = \"plugins/ledger.wasm\"\n[context.assembler.config]\nareas = [\"x\"]\n\n[specs]\nfolders = []\n# the end\n";
    const INLINE: &str = "[context]\nassembler = [{ name = \"keyword\" }, { name = \"ledger\", enabled = false }]\n";

    fn names(text: &str) -> Vec<(String, bool)> {
        let config: Config = toml::from_str(text).unwrap_or_else(|e| panic!("{e} in\n{text}"));
        config.context.assemblers.unwrap_or_default().into_iter().map(|a| (a.name, a.enabled)).collect()
    }

    fn edited(text: &str, edit: impl FnOnce(&mut ChainFile)) -> String {
        let mut file = ChainFile::parse(text).unwrap();
        edit(&mut file);
        file.text()
    }

    fn pairs(expected: &[(&str, bool)]) -> Vec<(String, bool)> {
        expected.iter().map(|(name, enabled)| ((*name).to_owned(), *enabled)).collect()
    }

    #[test]
    fn an_assembler_is_appended_and_nothing_else_changes() {
        let text = edited(TABLES, |file| file.append("auth"));
        assert_eq!(names(&text), pairs(&[("keyword", true), ("rules", true), ("auth", true)]), "{text}");
        assert_eq!(text.replace("\n[[context.assembler]]\nname = \"auth\"\n", ""), TABLES);
        let text = edited(INLINE, |file| file.append("auth"));
        assert_eq!(names(&text), pairs(&[("keyword", true), ("ledger", false), ("auth", true)]), "{text}");
    }

    #[test]
    fn an_assembler_is_found_by_its_name_and_by_its_plugin() {
        let file = ChainFile::parse(TABLES).unwrap();
        assert!(file.is_configured() && file.has("keyword") && file.has("rules") && file.has("ledger"));
        assert!(!file.has("auth") && !ChainFile::parse("[context]\nbudget = 3").unwrap().is_configured());
    }

    #[test]
    fn an_assembler_is_removed_with_its_config_and_the_last_one_leaves_an_empty_chain() {
        let text = edited(TABLES, |file| assert!(file.remove("ledger") && !file.remove("ledger")));
        assert_eq!(names(&text), pairs(&[("keyword", true)]), "{text}");
        for part in ["# ours", "budget = 9 # small", "# first the words", "# the end"] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
        assert!(!text.contains("areas"), "{text}");
        let text = edited(&text, |file| assert!(file.remove("keyword") && file.is_configured()));
        assert!(text.contains("budget = 9 # small\nassembler = []\n"), "{text}");
        for before in [text.as_str(), "[[context.assembler]]\nname = \"x\"\n\n[terminal]\ncols = 80\n"] {
            let text = edited(before, |file| {
                file.remove("x");
            });
            let config: Config = toml::from_str(&text).unwrap_or_else(|e| panic!("{e} in\n{text}"));
            assert_eq!(config.context.assemblers, Some(Vec::new()), "{text}");
            let text = edited(&text, |file| file.append("auth"));
            assert_eq!(names(&text), pairs(&[("auth", true)]), "{text}");
        }
        let text = edited(INLINE, |file| assert!(file.remove("ledger")));
        assert_eq!(names(&text), pairs(&[("keyword", true)]), "{text}");
    }

    #[test]
    fn an_assembler_is_switched() {
        let text = edited(TABLES, |file| assert!(file.switch("rules", false) && !file.switch("none", false)));
        assert_eq!(names(&text), pairs(&[("keyword", true), ("rules", false)]), "{text}");
        let text = edited(&text, |file| assert!(file.switch("rules", true)));
        assert_eq!(names(&text), pairs(&[("keyword", true), ("rules", true)]), "{text}");
        let text = edited(INLINE, |file| assert!(file.switch("ledger", true) && file.switch("keyword", false)));
        assert_eq!(names(&text), pairs(&[("keyword", false), ("ledger", true)]), "{text}");
    }

    #[test]
    fn a_whole_chain_is_written_behind_what_is_there() {
        let off = AssemblerConfig { enabled: false, ..AssemblerConfig::plain("ledger") };
        let mut with_config = AssemblerConfig::plain("rules");
        with_config.config.insert("areas".into(), toml::Value::Array(vec!["x".into()]));
        let chain = [AssemblerConfig::plain("keyword"), off, with_config];
        let template = include_str!("config.template.toml");
        for before in
            [template, "", "[context]\nbudget = 3\n[terminal]\ncols = 80\n# the end\n", "context = { budget = 3 }\n"]
        {
            let text = edited(before, |file| file.write_chain(&chain).unwrap());
            assert_eq!(names(&text), pairs(&[("keyword", true), ("ledger", false), ("rules", true)]), "{text}");
            let config: Config = toml::from_str(&text).unwrap();
            assert_eq!(config.context.assemblers.unwrap()[2].config["areas"][0].as_str(), Some("x"), "{text}");
            if !before.starts_with("context") {
                assert!(text.starts_with(before.trim_end()), "{text}");
            }
        }
    }
}
