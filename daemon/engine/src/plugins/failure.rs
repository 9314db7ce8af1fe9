//! Why a plugin was skipped: a stable code, and a sentence for the user.

use std::fmt;

use super::check::one_line;

/// As much of a message as is kept: names and complaints in it come from the plugin.
const MESSAGE_MAX: usize = 1000;

/// Each way in which a plugin can fail. [`FailureCode::as_str`] is what users, scripts and history see: never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureCode {
    /// The file cannot be read.
    Unreadable,
    /// Larger than any plugin may be.
    TooLarge,
    /// No WebAssembly at all.
    NotAComponent,
    /// A core module that was not made a component.
    CoreModule,
    /// Damaged, or cut off.
    Truncated,
    /// Imports something of WASI.
    WasiImport,
    /// Imports something that this host does not offer.
    UnknownImport,
    /// Not an assembler of a contract version that this host runs.
    WrongContract,
    /// Has no manifest section.
    NoManifest,
    /// Has one that cannot be read.
    ManifestInvalid,
    /// The compiler refused it.
    CompileFailed,
    /// It took the compiler more time or memory than a plugin gets.
    CompileLimit,
    /// The compiler is still at work on it: a later task will have it.
    Compiling,
    /// The compiled plugin can be neither kept nor loaded.
    CacheFailed,
    /// The user's config for it does not fit.
    ConfigInvalid,
    /// It is not the one that was pinned.
    DigestMismatch,
    /// It did not answer in time.
    Deadline,
    /// It wanted more memory or larger tables than a plugin gets.
    MemoryLimit,
    /// It called the host, or had specs read, more than a plugin may.
    HostCallLimit,
    /// It answered, or told the host, more than a plugin may.
    OutputLimit,
    /// It panicked.
    Panic,
    /// It trapped otherwise.
    Trap,
    /// It said itself that it failed.
    Failed,
}

impl FailureCode {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::NotAComponent => "not_a_component",
            Self::CoreModule => "core_module",
            Self::Truncated => "truncated",
            Self::WasiImport => "wasi_import",
            Self::UnknownImport => "unknown_import",
            Self::WrongContract => "wrong_contract",
            Self::NoManifest => "no_manifest",
            Self::ManifestInvalid => "manifest_invalid",
            Self::CompileFailed => "compile_failed",
            Self::CompileLimit => "compile_limit",
            Self::Compiling => "compiling",
            Self::CacheFailed => "cache_failed",
            Self::ConfigInvalid => "config_invalid",
            Self::DigestMismatch => "digest_mismatch",
            Self::Deadline => "deadline",
            Self::MemoryLimit => "memory_limit",
            Self::HostCallLimit => "host_call_limit",
            Self::OutputLimit => "output_limit",
            Self::Panic => "panic",
            Self::Trap => "trap",
            Self::Failed => "failed",
        }
    }

    /// Whether the plugin's own code is to blame: these count towards setting it aside.
    pub fn is_the_plugins(self) -> bool {
        use FailureCode::{Deadline, Failed, HostCallLimit, MemoryLimit, OutputLimit, Panic, Trap};
        matches!(self, Deadline | MemoryLimit | HostCallLimit | OutputLimit | Panic | Trap | Failed)
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a plugin was skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct PluginFailure {
    pub code: FailureCode,
    /// One sentence for the user, without control characters.
    pub message: String,
}

impl PluginFailure {
    pub(super) fn new(code: FailureCode, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self { code, message: one_line(&message, MESSAGE_MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plugin_says_of_itself_cannot_reach_the_terminal_as_more_than_text() {
        let import = "acme:net/\u{1b}[2J\nhttp\u{202e}";
        let failure = PluginFailure::new(FailureCode::UnknownImport, format!("it imports {import}, and more"));
        assert_eq!(failure.message, "it imports acme:net/ [2J http , and more");
        let failure = PluginFailure::new(FailureCode::CompileFailed, "x".repeat(5000));
        assert_eq!(failure.message, format!("{}…", "x".repeat(MESSAGE_MAX - 1)));
    }
}
