//! What refuses an assembly, each with the path and the act, and how a client is told.
//!
//! A plugin that fails is none of these: it is skipped and reported, unless the configuration requires it.

use std::path::PathBuf;

use pu_protocol::context::AssemblerError;
use pu_protocol::{ErrorBody, ErrorCode};

use crate::plugins::PluginFailure;
use crate::specs::SpecError;

/// Why no context was assembled.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// A `--spec` that names nothing.
    #[error("no spec has the id or path `{name}`")]
    SpecNotFound {
        name: String,
        /// Ids and paths that are spelled alike, the nearest first.
        nearest: Vec<String>,
    },
    /// An assembler with `required = true` gave no answer.
    #[error("the required assembler `{name}` failed ({code}): {message}")]
    RequiredAssemblerFailed { name: String, code: String, message: String },
    /// A plugin's path, once links are resolved, is neither in the project nor in the user's PurePoint folder.
    #[error("the plugin `{plugin}` of the assembler `{name}` lies outside {}", root.display())]
    PluginOutside { name: String, plugin: String, root: PathBuf },
    /// A request that names a plugin which the chain does not have.
    #[error("{} has no plugin `{name}`", root.display())]
    PluginNotFound { name: String, root: PathBuf, known: Vec<String> },
    /// A request that needs a plugin which cannot run; the message begins with the plugin's own code.
    #[error("{}: {plugin}: {}", failure.code, failure.message)]
    PluginRefused { plugin: String, failure: AssemblerError },
    /// The `[context]` table contradicts itself.
    #[error("the context configuration cannot be used: {0}")]
    Config(String),
    /// The spec index cannot be used.
    #[error("the specs of {} cannot be searched: {source}", root.display())]
    Specs { root: PathBuf, source: SpecError },
    #[error("cannot {act} {}: {source}", path.display())]
    Io { act: &'static str, path: PathBuf, source: std::io::Error },
}

impl ContextError {
    /// A component that is no plugin, or cannot run.
    pub fn refused(plugin: impl Into<String>, failure: &PluginFailure) -> Self {
        let failure = AssemblerError { code: failure.code.as_str().to_owned(), message: failure.message.clone() };
        Self::PluginRefused { plugin: plugin.into(), failure }
    }

    /// The error as a client is told of it.
    pub fn body(&self) -> ErrorBody {
        let body = |code| ErrorBody::new(code, self.to_string());
        match self {
            ContextError::SpecNotFound { nearest, .. } if nearest.is_empty() => {
                body(ErrorCode::SpecNotFound).with_hint("`pu context explain` shows the specs that a task would get")
            }
            ContextError::SpecNotFound { nearest, .. } => {
                body(ErrorCode::SpecNotFound).with_hint(format!("did you mean {}?", nearest.join(", ")))
            }
            ContextError::RequiredAssemblerFailed { name, .. } => body(ErrorCode::RequiredAssemblerFailed)
                .with_hint(format!("repair the plugin, or take `required = true` from `{name}` in config.toml")),
            ContextError::PluginNotFound { known, .. } if known.is_empty() => {
                body(ErrorCode::PluginNotFound).with_hint("`pu plugin add PATH` adds one")
            }
            ContextError::PluginNotFound { known, .. } => {
                body(ErrorCode::PluginNotFound).with_hint(format!("it has {}", known.join(", ")))
            }
            ContextError::PluginRefused { failure, .. } => {
                body(ErrorCode::PluginRefused).with_hint(match failure.code.as_str() {
                    "digest_mismatch" => "look at what changed, then `pu plugin add PATH` accepts it",
                    "lock_damaged" => "repair .pu/plugins.lock, or take it back from git",
                    "grant_missing" => "`pu plugin list` shows what each plugin needs and was granted",
                    "compile_limit" => {
                        "make it smaller; as it is it is not tried again, unless you remove what ends in .refused from \
                         cache/ of your PurePoint home (a machine that was busy then may manage)"
                    }
                    "compile_failed" => "build it anew with `pu plugin build`, then add that",
                    _ => "`pu plugin inspect PATH` shows what it is",
                })
            }
            ContextError::PluginOutside { .. } => body(ErrorCode::PathOutsideProject)
                .with_hint("put the plugin into .pu/plugins/, or into plugins/ of your PurePoint home"),
            ContextError::Config(_) => body(ErrorCode::InvalidConfig)
                .with_hint("see the [context] table in .pu/config.toml and in config.toml of your PurePoint home"),
            ContextError::Specs { .. } | ContextError::Io { .. } => body(ErrorCode::Io),
        }
    }
}
