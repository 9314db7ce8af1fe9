//! Hard rules: specs that hold for a task whatever its words, as the assembler that proposes them says.
//!
//! Pure. Any assembler may mark a pick, since the chain is the user's; how much room marked ones get is the budget's affair.

use crate::plugins::Attr;

/// The key of a pick's `extra` that marks it.
const RULE: &str = "rule";

/// Why a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HardRule {
    Always,
    /// A file of the task fits its patterns.
    Globs,
    /// Somebody named it.
    Manual,
}

impl HardRule {
    const ALL: [Self; 3] = [Self::Always, Self::Globs, Self::Manual];

    /// What a pick's `extra` says. Any other word marks nothing.
    pub(super) fn of(extra: &[Attr]) -> Option<Self> {
        let mut said = extra.iter().filter(|attr| attr.key == RULE);
        said.find_map(|attr| Self::ALL.into_iter().find(|rule| rule.name() == attr.value))
    }

    /// As the contract with plugins and the protocol spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Globs => "globs",
            Self::Manual => "manual",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_of_the_contract_mark_a_pick() {
        for (extra, expected) in [
            (vec![("rule", "always")], Some(HardRule::Always)),
            (vec![("other", "always"), ("rule", "strange"), ("rule", "globs")], Some(HardRule::Globs)),
            (vec![("rule", "manual")], Some(HardRule::Manual)),
            (vec![("rule", "model")], None),
            (vec![("rule", "")], None),
            (vec![], None),
        ] {
            let attr = |(key, value): &(&str, &str)| Attr { key: (*key).to_owned(), value: (*value).to_owned() };
            let extra: Vec<Attr> = extra.iter().map(attr).collect();
            assert_eq!(HardRule::of(&extra), expected, "{extra:?}");
        }
    }
}
