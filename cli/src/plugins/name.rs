//! The name of a plugin: in its manifest, in the chain, and in the names of its files.

use crate::failure::Failure;
use pu_protocol::{ErrorBody, ErrorCode};

const NAME_MAX: usize = 64;

/// Whether a plugin can have this name, and a file too.
pub(crate) fn is_one(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= NAME_MAX && name.chars().all(fits)
}

/// A name for a new plugin: one that every language's package manager takes too, so it begins with a letter.
pub(crate) fn check(name: &str) -> Result<(), Failure> {
    if is_one(name) && name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-') {
        return Ok(());
    }
    Err(ErrorBody::new(ErrorCode::InvalidName, format!("{name:?} is no name for a plugin"))
        .with_hint(format!("a name is a lower-case letter, then at most {} of a-z, 0-9 and `-`", NAME_MAX - 1))
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_every_tool_takes() {
        let long = "x".repeat(NAME_MAX);
        for name in ["ledger", "a", "a-1", &long] {
            assert!(check(name).is_ok(), "{name}");
        }
        let longer = "x".repeat(NAME_MAX + 1);
        for name in ["", "1a", "-a", "a-", "Ledger", "../x", "a/b", "a_b", "a b", "ä", &longer] {
            assert_eq!(check(name).unwrap_err().body().code, ErrorCode::InvalidName, "{name}");
        }
        assert!(is_one("1a") && !is_one("") && !is_one("../x") && !is_one(&longer));
    }
}
