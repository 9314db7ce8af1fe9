//! What a plugin can be granted beside its project's specs. What it needs is what it imports, so that the need is known
//! before anything of it runs.
//!
//! Nothing is granted here, and nothing refused: that is the configuration's, which is read elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::component::interface_of;

/// An ability that a plugin has only where the user granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// Values of its own that it keeps from one task to the next.
    State,
    /// What agents of the project were asked to do before.
    History,
}

impl Grant {
    pub const ALL: [Self; 2] = [Self::State, Self::History];

    /// The word for it: in a configuration, on the command line, and as the name of the contract's interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::History => "history",
        }
    }

    /// The one of this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == word)
    }

    /// What a component with these imports needs.
    pub fn needed(imports: &[String]) -> Vec<Self> {
        let imported = |grant: &Self| imports.iter().any(|import| interface_of(import) == Some(grant.as_str()));
        Self::ALL.into_iter().filter(imported).collect()
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_is_what_is_needed_and_nothing_else_is() {
        let needed = |imports: &[&str]| Grant::needed(&imports.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>());
        assert_eq!(needed(&["purepoint:context/specs@0.1.0", "purepoint:context/log@0.1.1"]), []);
        assert_eq!(needed(&["purepoint:context/state@0.1.1"]), [Grant::State]);
        let both =
            ["purepoint:context/history@0.1.9", "purepoint:context/types@0.1.1", "purepoint:context/state@0.1.1"];
        assert_eq!(needed(&both), Grant::ALL);
        assert_eq!(needed(&["acme:context/state@0.1.1", "purepoint:context/states@0.1.1"]), []);
    }

    #[test]
    fn each_has_one_word_wherever_it_is_named() {
        for grant in Grant::ALL {
            assert_eq!(Grant::named(grant.as_str()), Some(grant));
            assert_eq!(serde_json::to_string(&grant).unwrap(), format!("\"{grant}\""));
        }
        assert_eq!(Grant::named("network"), None);
    }
}
