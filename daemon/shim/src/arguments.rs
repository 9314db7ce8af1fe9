//! The command line of `pu-shim`, which only the daemon types: too small to link a parser for.

use std::ffi::OsString;
use std::path::PathBuf;

use pu_record::shim::StartFailure;

/// What the command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// The agent's folder, absolute.
    pub dir: PathBuf,
}

/// Why the command line makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    #[error("pu-shim needs --dir and the agent's folder")]
    NoFolder,
    #[error("pu-shim does not know the argument {0:?}")]
    Unknown(OsString),
    #[error("cannot make the folder {} absolute: {source}", dir.display())]
    Absolute { dir: PathBuf, source: std::io::Error },
}

impl Arguments {
    /// Reads the arguments that follow the program's name.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut arguments = arguments.into_iter();
        let mut dir = None;
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--dir") => dir = arguments.next().map(PathBuf::from),
                _ => return Err(UsageError::Unknown(argument)),
            }
        }
        let dir = dir.filter(|d| !d.as_os_str().is_empty()).ok_or(UsageError::NoFolder)?;
        let dir = std::path::absolute(&dir).map_err(|source| UsageError::Absolute { dir, source })?;
        Ok(Self { dir })
    }
}

impl From<&UsageError> for StartFailure {
    fn from(error: &UsageError) -> Self {
        let hint = "the daemon starts shims; use `pu spawn`".into();
        Self { code: "usage".into(), message: error.to_string(), hint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_is_understood() {
        let parse = |args: &[&str]| Arguments::parse(args.iter().map(OsString::from));
        assert_eq!(parse(&["--dir", "/a/b"]).unwrap().dir, PathBuf::from("/a/b"));
        assert!(parse(&["--dir", "rel"]).unwrap().dir.is_absolute());
        assert!(matches!(parse(&[]), Err(UsageError::NoFolder)));
        assert!(matches!(parse(&["--dir"]), Err(UsageError::NoFolder)));
        assert!(matches!(parse(&["--dir", ""]), Err(UsageError::NoFolder)));
        assert!(matches!(parse(&["--dir", "/a", "-x"]), Err(UsageError::Unknown(a)) if a == "-x"));
    }
}
