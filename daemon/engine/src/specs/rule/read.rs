//! What the front matter of each kind of rule file means, by the rules of the tool that it is for.

use globset::GlobBuilder;
use serde_json::Value;

use super::values::{self, Values};
use super::{Rule, RuleFault, RuleKind, RuleMode, imports};

/// A longer description is a text, of which the start says what it is about.
const MAX_DESCRIPTION: usize = 1024;
/// More patterns than this are data.
const MAX_GLOBS: usize = 64;

/// The rule in the file at `path`, from its front matter and the text after that.
pub(in super::super) fn read(kind: RuleKind, path: &str, values: &Values, body: &str) -> Rule {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut reader = Reader { values, faults: values.faults.clone() };
    let scope = scope(path);
    let (mode, globs) = match (kind, &scope) {
        // Of what lies in its folder, and of nothing else.
        (RuleKind::Agents | RuleKind::Claude, Some(folder)) => {
            (RuleMode::Globs, vec![format!("{}/**", globset::escape(folder))])
        }
        (RuleKind::Claude, None) if path.starts_with(".claude/rules/") => reader.by_paths(),
        (RuleKind::Agents | RuleKind::Claude, None) => (RuleMode::Always, Vec::new()),
        (RuleKind::Cline, _) => reader.by_paths(),
        (RuleKind::Cursor, _) if path == ".cursorrules" => (RuleMode::Always, Vec::new()),
        (RuleKind::Cursor, _) => reader.cursor(),
        (RuleKind::Copilot, _) if path == ".github/copilot-instructions.md" => (RuleMode::Always, Vec::new()),
        (RuleKind::Copilot, _) => reader.copilot(),
        (RuleKind::Kiro, _) => reader.kiro(),
        (RuleKind::Windsurf, _) if path == ".windsurfrules" => (RuleMode::Always, Vec::new()),
        (RuleKind::Windsurf, _) => reader.windsurf(),
        (RuleKind::Skill, _) => reader.skill(),
    };
    let begun = || body.lines().next().is_some_and(|line| line.trim_end() == "---");
    // A memory file has no front matter: there it is a rule across the page.
    if !super::counts_anywhere(name) && values.entries.is_empty() && begun() {
        reader.faults.push(RuleFault::Unclosed);
    }
    let memory = matches!(kind, RuleKind::Agents | RuleKind::Claude);
    Rule {
        kind,
        mode,
        globs,
        description: reader.description().or_else(|| first_paragraph(body).filter(|_| kind == RuleKind::Skill)),
        imports: if memory { imports::of(folder, body) } else { Vec::new() },
        scope,
        faults: reader.faults,
    }
}

/// The folder of a nested `AGENTS.md` or `CLAUDE.md`; `.claude/CLAUDE.md` is for the whole project.
fn scope(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/')?;
    (super::counts_anywhere(name) && !folder.starts_with(".claude")).then(|| folder.to_owned())
}

/// What says what a skill is about where its front matter does not.
fn first_paragraph(body: &str) -> Option<String> {
    let is_text = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let lines = body.lines().map(str::trim).skip_while(|line| !is_text(line)).take_while(is_text);
    let text = lines.collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then(|| cut(&text))
}

fn cut(description: &str) -> String {
    description[..description.floor_char_boundary(MAX_DESCRIPTION)].to_owned()
}

/// Copilot takes a pattern for one in whatever folder, but for what says where it begins.
fn in_any_folder(glob: &str) -> String {
    match glob {
        "*" | "**" => glob.to_owned(),
        _ if glob.starts_with(['/', '!']) || glob.starts_with("**/") => glob.to_owned(),
        _ => format!("**/{}", glob.trim_start_matches("./")),
    }
}

struct Reader<'a> {
    values: &'a Values,
    faults: Vec<RuleFault>,
}

impl Reader<'_> {
    fn cursor(&mut self) -> (RuleMode, Vec<String>) {
        let globs = self.globs("globs");
        let mode = match self.flag("alwaysApply") {
            true => RuleMode::Always,
            false if self.has("globs") => RuleMode::Globs,
            false => self.by_description(),
        };
        (mode, globs)
    }

    fn copilot(&mut self) -> (RuleMode, Vec<String>) {
        let globs: Vec<String> = self.globs("applyTo").iter().map(|glob| in_any_folder(glob)).collect();
        let mode = match self.has("applyTo") {
            true if globs.iter().any(|glob| matches!(glob.as_str(), "*" | "**" | "**/*")) => RuleMode::Always,
            true => RuleMode::Globs,
            false => self.by_description(),
        };
        (mode, globs)
    }

    fn kiro(&mut self) -> (RuleMode, Vec<String>) {
        let globs = self.globs("fileMatchPattern");
        let mode = match self.word("inclusion").as_deref() {
            None | Some("always") => RuleMode::Always,
            Some("fileMatch") => self.needing("fileMatchPattern", RuleMode::Globs),
            Some("manual") => RuleMode::Manual,
            Some("auto") => self.needing("description", RuleMode::Model),
            Some(other) => {
                self.wrong("inclusion", other);
                // What Kiro does with a file that says nothing.
                RuleMode::Always
            }
        };
        (mode, globs)
    }

    fn windsurf(&mut self) -> (RuleMode, Vec<String>) {
        let globs = self.globs("globs");
        let mode = match self.word("trigger").as_deref() {
            Some("always_on") => RuleMode::Always,
            Some("glob") => self.needing("globs", RuleMode::Globs),
            Some("model_decision") => self.needing("description", RuleMode::Model),
            Some("manual") => RuleMode::Manual,
            other => {
                if let Some(other) = other {
                    self.wrong("trigger", other);
                }
                if self.has("globs") { RuleMode::Globs } else { self.by_description() }
            }
        };
        (mode, globs)
    }

    /// Cline's rules and Claude's: for some paths, or else for all.
    fn by_paths(&mut self) -> (RuleMode, Vec<String>) {
        let globs = self.globs("paths");
        let mode = match self.values.get("paths") {
            Some(Value::Null) | None => RuleMode::Always,
            Some(_) => self.needing("paths", RuleMode::Globs),
        };
        (mode, globs)
    }

    /// Of a skill an agent first sees the description alone.
    fn skill(&mut self) -> (RuleMode, Vec<String>) {
        let by_hand = self.flag("disable-model-invocation");
        (if by_hand { RuleMode::Manual } else { RuleMode::Model }, Vec::new())
    }

    fn by_description(&self) -> RuleMode {
        if self.description().is_some() { RuleMode::Model } else { RuleMode::Manual }
    }

    fn needing(&mut self, key: &str, mode: RuleMode) -> RuleMode {
        if !self.has(key) {
            self.faults.push(RuleFault::Missing { key: key.to_owned() });
        }
        mode
    }

    fn description(&self) -> Option<String> {
        let text = self.values.get("description")?.as_str()?.trim();
        (!text.is_empty()).then(|| cut(text))
    }

    fn has(&self, key: &str) -> bool {
        match self.values.get(key) {
            // An empty list may be text too: `[]`, read line by line.
            Some(value @ (Value::String(_) | Value::Array(_))) => !values::items(value).is_empty(),
            Some(Value::Null) | None => false,
            Some(_) => true,
        }
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.values.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) if matches!(text.as_str(), "" | "false") => false,
            Some(Value::String(text)) if text == "true" => true,
            Some(other) => {
                let other = shown(other);
                self.wrong(key, &other);
                false
            }
        }
    }

    fn word(&self, key: &str) -> Option<String> {
        match self.values.get(key)? {
            Value::Null => None,
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            other => Some(shown(other)),
        }
    }

    /// The patterns under a key; what is no pattern is reported and left out.
    fn globs(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.values.get(key) else { return Vec::new() };
        if !matches!(value, Value::String(_) | Value::Array(_) | Value::Null) {
            let value = shown(value);
            self.wrong(key, &value);
        }
        let mut globs = Vec::new();
        let items = values::items(value);
        if items.len() > MAX_GLOBS {
            self.faults.push(RuleFault::TooMany { key: key.to_owned(), kept: MAX_GLOBS });
        }
        for glob in items.into_iter().take(MAX_GLOBS) {
            let built = GlobBuilder::new(&glob).literal_separator(true).build();
            let detail = built.err().map(|error| error.kind().to_string());
            match detail.or_else(|| pu_plugin_globs::refusal(&glob)) {
                None => globs.push(glob),
                Some(detail) => self.faults.push(RuleFault::Glob { glob, detail }),
            }
        }
        globs
    }

    fn wrong(&mut self, key: &str, value: &str) {
        let value = value[..value.floor_char_boundary(80)].to_owned();
        self.faults.push(RuleFault::Value { key: key.to_owned(), value });
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str, front: &str) -> Rule {
        read(RuleKind::of(path).unwrap(), path, &Values::of_lines(front, 2), "text\n")
    }

    #[test]
    fn each_kind_says_when_it_is_read_in_words_of_its_own() {
        let (always, globs, model, manual) = (RuleMode::Always, RuleMode::Globs, RuleMode::Model, RuleMode::Manual);
        for (path, front, mode, patterns) in [
            (".cursor/rules/a.mdc", "alwaysApply: true\nglobs: *.ts", always, "*.ts"),
            (".cursor/rules/a.mdc", "description: x\nglobs: *.ts,*.tsx\nalwaysApply: false", globs, "*.ts *.tsx"),
            (".cursor/rules/a.mdc", "description: x\nglobs:\nalwaysApply: false", model, ""),
            (".cursor/rules/a.mdc", "", manual, ""),
            (".cursorrules", "", always, ""),
            (".github/copilot-instructions.md", "", always, ""),
            (".github/instructions/a.instructions.md", "applyTo: \"**\"", always, "**"),
            (".github/instructions/a.instructions.md", "applyTo: '**/*.ts,**/*.tsx'", globs, "**/*.ts **/*.tsx"),
            (".github/instructions/a.instructions.md", "applyTo: \"*\"", always, "*"),
            (
                ".github/instructions/a.instructions.md",
                "applyTo: src/*.ts,/lib/**,*.md",
                globs,
                "**/src/*.ts /lib/** **/*.md",
            ),
            (".github/instructions/a.instructions.md", "description: x", model, ""),
            (".github/instructions/a.instructions.md", "", manual, ""),
            (".kiro/steering/a.md", "", always, ""),
            (".kiro/steering/a.md", "inclusion: fileMatch\nfileMatchPattern: \"src/**/*.tsx\"", globs, "src/**/*.tsx"),
            (".kiro/steering/a.md", "inclusion: fileMatch\nfileMatchPattern: [\"a/*\", \"b/*\"]", globs, "a/* b/*"),
            (".kiro/steering/a.md", "inclusion: manual", manual, ""),
            (".kiro/steering/a.md", "inclusion: auto\nname: a\ndescription: x", model, ""),
            (".windsurf/rules/a.md", "trigger: always_on", always, ""),
            (".windsurf/rules/a.md", "trigger: glob\nglobs: *.py", globs, "*.py"),
            (".windsurf/rules/a.md", "trigger: model_decision\ndescription: x", model, ""),
            (".windsurf/rules/a.md", "trigger: manual", manual, ""),
            (".windsurfrules", "", always, ""),
            (".clinerules", "", always, ""),
            (".clinerules/a.md", "", always, ""),
            (".clinerules/a.md", "paths:\n  - src/**", globs, "src/**"),
            (".claude/rules/a.md", "", always, ""),
            (".claude/rules/a.md", "paths: src/api/**/*.ts", globs, "src/api/**/*.ts"),
            (".claude/skills/a/SKILL.md", "name: a\ndescription: x", model, ""),
            (".claude/skills/a/SKILL.md", "name: a", model, ""),
            (".claude/skills/a/SKILL.md", "description: x\ndisable-model-invocation: true", manual, ""),
            ("AGENTS.md", "", always, ""),
            (".claude/CLAUDE.md", "", always, ""),
            ("web/[id]/AGENTS.md", "", globs, "web/[[]id[]]/**"),
            ("web/CLAUDE.md", "", globs, "web/**"),
        ] {
            let rule = rule(path, front);
            assert_eq!((rule.mode, rule.globs.join(" ").as_str()), (mode, patterns), "{path}: {front}");
            assert!(rule.faults.is_empty(), "{path}: {front}: {:?}", rule.faults);
        }
    }

    #[test]
    fn what_cannot_be_meant_is_reported_and_the_rule_stays() {
        for (path, front, mode, fault) in [
            (".cursor/rules/a.mdc", "alwaysApply: sometimes", RuleMode::Manual, "`alwaysApply` cannot be `sometimes`"),
            (".cursor/rules/a.mdc", "globs: src/[a.ts", RuleMode::Globs, "`src/[a.ts` is no pattern"),
            (
                ".cursor/rules/a.mdc",
                "globs: {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
                RuleMode::Globs,
                "256 choices",
            ),
            (
                ".cursor/rules/a.mdc",
                format!("globs: {}", "a,".repeat(65)).as_str(),
                RuleMode::Globs,
                "the first 64 patterns",
            ),
            (".kiro/steering/a.md", "inclusion: never", RuleMode::Always, "`inclusion` cannot be `never`"),
            (".kiro/steering/a.md", "inclusion: fileMatch", RuleMode::Globs, "without `fileMatchPattern`"),
            (".windsurf/rules/a.md", "trigger: glob", RuleMode::Globs, "without `globs`"),
            (".clinerules/a.md", "paths: []", RuleMode::Globs, "without `paths`"),
        ] {
            let rule = rule(path, front);
            assert_eq!(rule.mode, mode, "{path}: {front}");
            assert_eq!(rule.faults.len(), 1, "{path}: {:?}", rule.faults);
            assert!(rule.faults[0].to_string().contains(fault), "{}", rule.faults[0]);
        }
    }

    #[test]
    fn a_skill_without_a_description_is_about_what_its_text_begins_with() {
        let told = |front: &str, body: &str| {
            read(RuleKind::Skill, ".claude/skills/a/SKILL.md", &Values::of_lines(front, 2), body).description
        };
        assert_eq!(told("name: a", "\n# A\n\nTag,\nbuild.\n\nMore.\n").as_deref(), Some("Tag, build."));
        assert_eq!(told("description: x", "text\n").as_deref(), Some("x"));
        assert_eq!(told("", "# A\n"), None);
    }

    #[test]
    fn front_matter_without_an_end_is_reported() {
        let faults =
            |path: &str| read(RuleKind::of(path).unwrap(), path, &Values::default(), "---\nglobs: *.ts\n").faults;
        assert_eq!(faults(".cursor/rules/a.mdc"), [RuleFault::Unclosed]);
        assert!(faults("AGENTS.md").is_empty());
    }

    #[test]
    fn a_nested_file_is_for_its_folder() {
        assert_eq!(rule("src/api/AGENTS.md", "").scope.as_deref(), Some("src/api"));
        assert_eq!(rule("AGENTS.md", "").scope, None);
        assert_eq!(rule(".claude/CLAUDE.md", "").scope, None);
    }
}
