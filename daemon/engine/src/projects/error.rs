//! What can be wrong with a project.

use crate::store::StoreError;
use pu_protocol::{ErrorBody, ErrorCode};
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("{} is in no project: neither it nor a folder above it holds .pu or .git", .0.display())]
    NotAProject(PathBuf),
    #[error("the project {} is known but not trusted: its specs, plugins and agents may not act yet", .0.display())]
    Untrusted(PathBuf),
    #[error("{}: {message}", path.display())]
    Config { path: PathBuf, message: String },
    #[error("{} leads out of the project, to {}", path.display(), real.display())]
    ConfigOutside { path: PathBuf, real: PathBuf },
    #[error("cannot {act} {}: {source}", path.display())]
    Io { act: &'static str, path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the spec index of {} cannot be opened: {source}", root.display())]
    Index { root: PathBuf, source: crate::specs::SpecError },
}

impl ProjectError {
    pub fn body(&self) -> ErrorBody {
        match self {
            Self::NotAProject(path) => ErrorBody::new(ErrorCode::NotAProject, self.to_string())
                .with_hint(format!("`pu init {}` makes it a project", path.display())),
            Self::Untrusted(root) => ErrorBody::new(ErrorCode::ProjectUntrusted, self.to_string()).with_hint(format!(
                "look at {}/.pu, then `pu init {}` trusts it",
                root.display(),
                root.display()
            )),
            Self::Config { .. } => ErrorBody::new(ErrorCode::InvalidConfig, self.to_string())
                .with_hint("mend the file; it is read anew at the next request"),
            Self::ConfigOutside { .. } => ErrorBody::new(ErrorCode::PathOutsideProject, self.to_string())
                .with_hint("put a file there in place of the link"),
            Self::Io { .. } | Self::Index { .. } => ErrorBody::new(ErrorCode::Io, self.to_string()),
            Self::Store(error) => error.body(),
        }
    }
}
