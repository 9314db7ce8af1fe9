//! What a lock says that a plugin is, held against what it is. Reads no lock and no plugin itself.

use super::failure::{FailureCode, PluginFailure};
use super::host::PluginSource;

/// As much of a digest as people are shown.
const SHOWN: usize = 12;

/// A plugin as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedAs {
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
    /// All that it imported then.
    pub imports: Vec<String>,
}

impl PinnedAs {
    /// Fails where these are other bytes than those that were pinned. Asked before anything else is done with them.
    pub(super) fn check_digest(&self, digest: &str, source: &PluginSource) -> Result<(), PluginFailure> {
        if self.sha256 == digest {
            return Ok(());
        }
        let found = match source {
            PluginSource::File(path) => format!("{} is {}", path.display(), shown(digest)),
            PluginSource::Bundled(name) => format!("the bundled {name} is {}", shown(digest)),
        };
        Err(mismatch(&format!("plugins.lock pins {}, and {found}", shown(&self.sha256)), source))
    }

    /// Fails where it can reach more than what was pinned: a lock that was edited by hand grants nothing by that.
    pub(super) fn check_imports(&self, imports: &[String], source: &PluginSource) -> Result<(), PluginFailure> {
        let more: Vec<&str> = imports.iter().filter(|i| !self.imports.contains(i)).map(String::as_str).collect();
        if more.is_empty() {
            return Ok(());
        }
        let named = self.imports.join(", ");
        Err(mismatch(&format!("plugins.lock pins the imports [{named}], and it imports {}", more.join(", ")), source))
    }

    /// Both checks.
    pub fn check(&self, digest: &str, imports: &[String], source: &PluginSource) -> Result<(), PluginFailure> {
        self.check_digest(digest, source)?;
        self.check_imports(imports, source)
    }

    /// Whether a plugin is what was pinned.
    pub fn holds(&self, digest: &str, imports: &[String]) -> bool {
        self.sha256 == digest && imports.iter().all(|import| self.imports.contains(import))
    }
}

fn mismatch(what: &str, source: &PluginSource) -> PluginFailure {
    let accept = match source {
        PluginSource::File(path) => format!("`pu plugin add {}`", path.display()),
        PluginSource::Bundled(name) => format!("`pu plugin remove {name}`"),
    };
    PluginFailure::new(FailureCode::DigestMismatch, format!("{what}: if that is meant, {accept} accepts it"))
}

fn shown(digest: &str) -> &str {
    digest.get(..SHOWN).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin() -> PinnedAs {
        PinnedAs { sha256: "0123456789abcdef".into(), imports: vec!["purepoint:context/specs@0.1.0".into()] }
    }

    #[test]
    fn other_bytes_are_told_with_both_digests_and_what_to_do() {
        let source = PluginSource::File("/p/.pu/plugins/x.wasm".into());
        pin().check_digest("0123456789abcdef", &source).unwrap();
        let failure = pin().check_digest("fedcba98765432100000", &source).unwrap_err();
        assert_eq!(failure.code, FailureCode::DigestMismatch);
        for part in ["0123456789ab,", "fedcba987654:", "`pu plugin add /p/.pu/plugins/x.wasm`"] {
            assert!(failure.message.contains(part), "{part} is not in: {failure}");
        }
    }

    #[test]
    fn a_plugin_that_can_reach_more_than_was_pinned_is_another_one() {
        let source = PluginSource::File("/x.wasm".into());
        let same = ["purepoint:context/specs@0.1.0".to_owned()];
        pin().check_imports(&same, &source).unwrap();
        pin().check_imports(&[], &source).unwrap();
        let more = [same[0].clone(), "purepoint:context/log@0.1.0".to_owned()];
        let failure = pin().check_imports(&more, &source).unwrap_err();
        assert_eq!(failure.code, FailureCode::DigestMismatch);
        assert!(failure.message.contains("it imports purepoint:context/log@0.1.0"), "{failure}");
        assert!(pin().holds("0123456789abcdef", &same) && !pin().holds("0123456789abcdef", &more));
    }
}
