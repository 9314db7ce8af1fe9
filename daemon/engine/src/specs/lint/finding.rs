//! What can be found in specs and rule files: the code of each kind, how bad it is, and what to do about it.
//!
//! Codes are for programs: none is renamed, and none is used again for something else.

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: FindingCode,
    /// Relative to the project, with `/`.
    pub path: String,
    /// From 1, where it is known.
    pub line: Option<u32>,
    pub message: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingCode {
    FrontMatterBroken,
    FrontMatterCut,
    DeadLink,
    DeadAnchor,
    DeadImport,
    LinkOutside,
    DuplicateId,
    AmbiguousId,
    RuleValueUnknown,
    RuleGlobInvalid,
    RuleNeverFires,
    RuleMatchesNothing,
    GlobMatchesNothing,
    RuleContradicts,
    RuleByHandOnly,
    RuleTooLong,
    RulesTooLong,
    SpecTooLong,
    NotUtf8,
    FileUnreadable,
    FileTooLarge,
    FileOutside,
    FileMisplaced,
    FileRepeated,
    FolderMissing,
    NotAllSearched,
    LoadedNatively,
}

impl FindingCode {
    pub const ALL: [FindingCode; 27] = [
        Self::FrontMatterBroken,
        Self::FrontMatterCut,
        Self::DeadLink,
        Self::DeadAnchor,
        Self::DeadImport,
        Self::LinkOutside,
        Self::DuplicateId,
        Self::AmbiguousId,
        Self::RuleValueUnknown,
        Self::RuleGlobInvalid,
        Self::RuleNeverFires,
        Self::RuleMatchesNothing,
        Self::GlobMatchesNothing,
        Self::RuleContradicts,
        Self::RuleByHandOnly,
        Self::RuleTooLong,
        Self::RulesTooLong,
        Self::SpecTooLong,
        Self::NotUtf8,
        Self::FileUnreadable,
        Self::FileTooLarge,
        Self::FileOutside,
        Self::FileMisplaced,
        Self::FileRepeated,
        Self::FolderMissing,
        Self::NotAllSearched,
        Self::LoadedNatively,
    ];

    /// As answers and the command line spell it.
    pub fn name(self) -> &'static str {
        self.told().0
    }

    pub fn severity(self) -> Severity {
        self.told().1
    }

    /// What to do about it, where anything is to be done.
    pub fn hint(self) -> Option<&'static str> {
        Some(self.told().2).filter(|hint| !hint.is_empty())
    }

    #[rustfmt::skip]
    fn told(self) -> (&'static str, Severity, &'static str) {
        use Severity::{Error, Note, Warning};
        match self {
            Self::FrontMatterBroken => ("front_matter_broken", Error, "mend it: as it is, nothing of it counts from there on"),
            Self::FrontMatterCut => ("front_matter_cut", Warning, "shorten it: what is over the limit is not known to any assembler"),
            Self::DeadLink => ("dead_link", Error, "correct the path, which counts from the folder of the file, or take the link out"),
            Self::DeadAnchor => ("dead_anchor", Warning, "take the heading as it is spelled now"),
            Self::DeadImport => ("dead_import", Warning, "correct the path, which counts from the folder of the file"),
            Self::LinkOutside => ("link_outside", Note, ""),
            Self::DuplicateId => ("duplicate_id", Error, "give each an id of its own"),
            Self::AmbiguousId => ("ambiguous_id", Warning, "define each id in one heading"),
            Self::RuleValueUnknown => ("rule_value_unknown", Error, "use a value that the tool knows"),
            Self::RuleGlobInvalid => ("rule_glob_invalid", Error, "close what is open in the pattern"),
            Self::RuleNeverFires => ("rule_never_fires", Error, "give it what it needs, or make it a rule that always applies"),
            Self::RuleMatchesNothing => ("rule_matches_nothing", Error, "correct the patterns, which count from the project's root, or remove the rule"),
            Self::GlobMatchesNothing => ("glob_matches_nothing", Warning, "correct the pattern, which counts from the project's root, or take it out"),
            Self::RuleContradicts => ("rule_contradicts", Warning, "keep the patterns or what overrides them, not both"),
            Self::RuleByHandOnly => ("rule_by_hand_only", Note, "give it patterns or a description, if it is to be read unasked"),
            Self::RuleTooLong => ("rule_too_long", Warning, "shorten it, split it, or raise [context] budget"),
            Self::RulesTooLong => ("rules_too_long", Warning, "let some of them apply to some files only, shorten them, or raise [context] budget"),
            Self::SpecTooLong => ("spec_too_long", Warning, "headings let an agent have the part that matters; else split it"),
            Self::NotUtf8 => ("not_utf8", Warning, "save it as UTF-8"),
            Self::FileUnreadable => ("file_unreadable", Error, "make it a file of text that can be read, or move it out of the folders of specs"),
            Self::FileTooLarge => ("file_too_large", Error, "split it, or move it out of the folders of specs"),
            Self::FileOutside => ("file_outside", Error, "only what lies in the project is read: copy it there"),
            Self::FileMisplaced => ("file_misplaced", Warning, "rename or move it to where the tool looks"),
            Self::FileRepeated => ("file_repeated", Note, ""),
            Self::FolderMissing => ("folder_missing", Error, "correct `folders` under [specs] in .pu/config.toml"),
            Self::NotAllSearched => ("not_all_searched", Warning, "exclude what is no source by .gitignore"),
            Self::LoadedNatively => ("loaded_natively", Note, ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented_with_its_severity() {
        let document = include_str!("../../../../../specs/spec-files.md");
        for code in FindingCode::ALL {
            let severity = format!("{:?}", code.severity()).to_lowercase();
            let row = format!("| `{}` | {severity} |", code.name());
            assert!(document.contains(&row), "specs/spec-files.md has no row {row}");
        }
        assert_eq!(
            document.matches(" | error | ").count()
                + document.matches(" | warning | ").count()
                + document.matches(" | note | ").count(),
            FindingCode::ALL.len(),
            "and none besides"
        );
        let mut names = FindingCode::ALL.map(FindingCode::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FindingCode::ALL.len());
    }
}
