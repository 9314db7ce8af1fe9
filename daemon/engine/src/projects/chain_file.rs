//! The chain of assemblers as a configuration file has it, edited with the rest of the file left as it was: comments,
//! order and formatting.
//!
//! Works on a text; it reads and writes no file, and knows of no plugin whether it exists.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value, value};

const CONTEXT: &str = "context";
const ASSEMBLER: &str = "assembler";
const DISABLED: &str = "disabled";
const GRANTS: &str = "grants";

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

    /// The assemblers that it keeps from running by their names; `None` where it has no such list.
    pub fn disabled(&self) -> Option<Vec<String>> {
        let list = self.document.get(CONTEXT)?.as_table_like()?.get(DISABLED)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Writes that list in place of the one that there is, or takes it out.
    pub fn set_disabled(&mut self, names: Option<&[String]>) {
        let Some(names) = names else {
            if let Some(context) = self.document.get_mut(CONTEXT).and_then(Item::as_table_like_mut) {
                context.remove(DISABLED);
            }
            return;
        };
        self.make_context();
        let list: Array = names.iter().map(String::as_str).collect();
        let Some(context) = self.document.get_mut(CONTEXT).and_then(Item::as_table_like_mut) else { return };
        match context.get_mut(DISABLED).and_then(Item::as_value_mut) {
            // A value keeps its comment when it is set anew.
            Some(known) => {
                let decor = known.decor().clone();
                *known = Value::Array(list);
                *known.decor_mut() = decor;
            }
            None => {
                context.insert(DISABLED, value(list));
            }
        }
    }

    /// Grants an assembler these words, beside those that it has: in its own table of the chain, where that has one, else
    /// by its name alone. A list here stands in place of one in another file, and so begins with `in_force`: what is granted
    /// to the name by now, wherever that is said.
    pub fn grant(&mut self, name: &str, words: &[&str], in_force: &[&str]) {
        if words.is_empty() {
            return;
        }
        if let Some(entry) = self.entry_mut(name) {
            return add_words(entry, GRANTS, words);
        }
        self.make_context();
        let Some(context) = self.document.get_mut(CONTEXT).and_then(Item::as_table_like_mut) else { return };
        if context.get(GRANTS).is_none() {
            context.insert(GRANTS, value(InlineTable::new()));
        }
        if let Some(grants) = context.get_mut(GRANTS).and_then(Item::as_table_like_mut) {
            add_words(grants, name, in_force);
            add_words(grants, name, words);
        }
    }

    /// Takes out what is granted by an assembler's name alone; answers whether that was anything.
    pub fn revoke(&mut self, name: &str) -> bool {
        let Some(context) = self.document.get_mut(CONTEXT).and_then(Item::as_table_like_mut) else { return false };
        let Some(grants) = context.get_mut(GRANTS).and_then(Item::as_table_like_mut) else { return false };
        let revoked = grants.remove(name).is_some();
        if revoked && grants.is_empty() {
            context.remove(GRANTS);
        }
        revoked
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

    /// A `[context]`, where there is none yet.
    fn make_context(&mut self) {
        if self.document.get(CONTEXT).is_none() {
            let mut table = Table::new();
            // Behind everything that the file has.
            table.set_position(Some(isize::MAX));
            table.decor_mut().set_prefix(self.take_trailing());
            self.document.insert(CONTEXT, Item::Table(table));
        }
    }

    /// The assembler that has this name, else the first that runs the plugin of this name.
    fn entry_mut(&mut self, name: &str) -> Option<&mut dyn TableLike> {
        let place = |tables: Vec<&dyn TableLike>| {
            let named = tables.iter().position(|table| text_of(*table, "name") == Some(name));
            named.or_else(|| tables.iter().position(|table| is_of(*table, name)))
        };
        let at = place(self.entries())?;
        match self.chain_mut()? {
            Item::ArrayOfTables(tables) => tables.get_mut(at).map(|table| table as &mut dyn TableLike),
            Item::Value(Value::Array(list)) => {
                let table = list.iter_mut().filter_map(Value::as_inline_table_mut).nth(at);
                table.map(|table| table as &mut dyn TableLike)
            }
            _ => None,
        }
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

/// Adds to the list of texts at this key, each once.
fn add_words(table: &mut dyn TableLike, key: &str, words: &[&str]) {
    if table.get(key).is_none() {
        table.insert(key, value(Array::new()));
    }
    let Some(list) = table.get_mut(key).and_then(Item::as_array_mut) else { return };
    for word in words {
        if !list.iter().any(|known| known.as_str() == Some(*word)) {
            list.push(*word);
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
    fn assemblers_are_kept_from_running_by_name_and_the_rest_of_the_file_stays() {
        let template = include_str!("config.template.toml");
        let names = ["keyword".to_owned(), "ledger".to_owned()];
        for before in [
            template,
            "",
            "# ours\n",
            TABLES,
            INLINE,
            "context = { budget = 3 }\n",
            "[terminal]\ncols = 80\n# the end\n",
        ] {
            let text = edited(before, |file| {
                assert_eq!(file.disabled(), None);
                file.set_disabled(None);
                assert_eq!(file.text(), before, "there is nothing to take out");
                file.set_disabled(Some(&names));
            });
            let config: Config = toml::from_str(&text).unwrap_or_else(|e| panic!("{e} in\n{text}"));
            assert_eq!(config.context.disabled, names, "{text}");
            for line in before.lines().filter(|line| !line.starts_with("context = ")) {
                assert!(text.lines().any(|kept| kept == line), "{line} is not in:\n{text}");
            }
            let text = edited(&text, |file| {
                assert_eq!(file.disabled().as_deref(), Some(&names[..]));
                file.set_disabled(Some(&names[..1]));
                assert_eq!(file.disabled().as_deref(), Some(&names[..1]));
                file.set_disabled(None);
            });
            let config: Config = toml::from_str(&text).unwrap_or_else(|e| panic!("{e} in\n{text}"));
            assert_eq!(config.context.disabled, [] as [String; 0], "{text}");
        }
    }

    fn granted(text: &str, name: &str) -> Vec<String> {
        let config: Config = toml::from_str(text).unwrap_or_else(|e| panic!("{e} in\n{text}"));
        let own = config.context.assemblers.iter().flatten().filter(|a| a.name == name).flat_map(|a| &a.grants);
        let by_name = config.context.grants.get(name).into_iter().flatten();
        own.chain(by_name).map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_granted_stands_in_the_table_of_the_assembler_that_there_is() {
        for (text, name) in [(TABLES, "rules"), (TABLES, "ledger"), (INLINE, "ledger")] {
            let entry = if text == TABLES { "rules" } else { "ledger" };
            let once = edited(text, |file| file.grant(name, &["state"], &[]));
            assert_eq!(granted(&once, entry), ["state"], "{once}");
            let twice = edited(&once, |file| file.grant(name, &["state", "history"], &[]));
            assert_eq!(granted(&twice, entry), ["state", "history"], "{twice}");
            assert_eq!(edited(&twice, |file| assert!(!file.revoke(name))), twice);
            assert!(!twice.contains("[context.grants]") && names(&twice) == names(text), "{twice}");
        }
        assert_eq!(edited(TABLES, |file| file.grant("rules", &[], &[])), TABLES);
    }

    #[test]
    fn what_no_table_of_the_file_stands_for_is_granted_by_its_name_and_revoked() {
        let template = include_str!("config.template.toml");
        let of_user = "[context.grants]\nother = [\"state\"] # long ago\n";
        for before in ["", template, "context = { budget = 3 }\n", of_user, TABLES] {
            let once = edited(before, |file| file.grant("auth", &["state"], &[]));
            assert_eq!(granted(&once, "auth"), ["state"], "{once}");
            let twice = edited(&once, |file| file.grant("auth", &["history", "state"], &["state"]));
            assert_eq!(granted(&twice, "auth"), ["state", "history"], "{twice}");
            let revoked = edited(&twice, |file| assert!(file.revoke("auth") && !file.revoke("auth")));
            assert!(granted(&revoked, "auth").is_empty() && !revoked.contains("auth"), "{revoked}");
        }
        let kept = edited(of_user, |file| file.grant("auth", &["state"], &[]));
        assert_eq!((granted(&kept, "other"), kept.contains("# long ago")), (vec!["state".to_owned()], true), "{kept}");
    }

    /// As it is where the user's file grants something to the name and this one does not yet.
    #[test]
    fn a_list_that_takes_the_place_of_another_files_begins_with_what_that_one_grants() {
        for before in ["", TABLES, "[context.grants]\nother = [\"state\"]\n"] {
            let text = edited(before, |file| file.grant("auth", &["state"], &["history"]));
            assert_eq!(granted(&text, "auth"), ["history", "state"], "{text}");
            assert_eq!(edited(&text, |file| file.grant("auth", &["state"], &["history", "state"])), text);
            assert_eq!(edited(before, |file| file.grant("auth", &[], &["history"])), before, "nothing was asked for");
        }
        let own = edited(TABLES, |file| file.grant("rules", &["state"], &["history"]));
        assert_eq!(granted(&own, "rules"), ["state"], "what is granted to its name counts beside its table: {own}");
    }
}
