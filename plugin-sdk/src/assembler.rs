//! The trait that a plugin implements, and the one path on which it is run, in wasm and in tests alike.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Assembly, Failure, Specs, Task};

/// A plugin: picks specs for a task.
///
/// It is made anew for every task, so nothing carries over from one call to the next.
pub trait Assembler: Sized {
    /// What the user may write for this plugin in `config.toml`. Derive `Deserialize`, and say
    /// `#[serde(default, deny_unknown_fields)]`, so that no entry is needed and a misspelt one is told.
    type Config: DeserializeOwned;

    /// Makes the plugin ready. Refuse a config that makes no sense with [`Failure::config`].
    fn new(config: Self::Config) -> Result<Self, Failure>;

    /// Answers which specs, or sections of them, the agent that works on `task` should know, the best first.
    ///
    /// The same task over the same specs must give the same answer.
    fn assemble(&self, task: &Task, specs: &dyn Specs) -> Result<Assembly, Failure>;
}

/// The config of a plugin that has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// Runs `A` once, exactly as the host does: config from JSON, then the task.
pub fn run<A: Assembler>(config_json: &str, task: &Task, specs: &dyn Specs) -> Result<Assembly, Failure> {
    let config = serde_json::from_str(config_json).map_err(|error| Failure::config(error.to_string()))?;
    A::new(config)?.assemble(task, specs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MockSpecs;

    struct Refuses;

    impl Assembler for Refuses {
        type Config = NoConfig;

        fn new(_: NoConfig) -> Result<Self, Failure> {
            Ok(Self)
        }

        fn assemble(&self, task: &Task, _: &dyn Specs) -> Result<Assembly, Failure> {
            Err(Failure::new("no_idea", task.prompt.clone()))
        }
    }

    #[test]
    fn a_config_that_does_not_fit_is_config_invalid_and_names_the_entry() {
        let failure = run::<Refuses>(r#"{"limt": 3}"#, &Task::default(), &MockSpecs::default()).unwrap_err();
        assert_eq!(failure.code, "config_invalid");
        assert!(failure.message.contains("limt"), "{}", failure.message);
    }

    #[test]
    fn a_plugin_s_own_failure_comes_through() {
        let failure = run::<Refuses>("{}", &Task::new("x"), &MockSpecs::default()).unwrap_err();
        assert_eq!(failure, Failure::new("no_idea", "x"));
    }
}
