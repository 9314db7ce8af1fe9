//! What can be wrong with a project.

use crate::store::StoreError;
use pu_protocol::{ErrorBody, ErrorCode};
use std::path::PathBuf;

/// So many parts are named in a sentence.
const NAMED_MAX: usize = 8;
const NAME_MAX: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("{} is in no project: neither it nor a folder above it holds .pu or .git", .0.display())]
    NotAProject(PathBuf),
    #[error("the project {} is known but not trusted: its specs, plugins and agents may not act yet", .0.display())]
    Untrusted(PathBuf),
    #[error("what can act in the project {} is not what was trusted: {}", root.display(), first_of(parts))]
    Changed { root: PathBuf, parts: Vec<String> },
    #[error("what can act in the project {} is not what was shown any more", .0.display())]
    TrustOutdated(PathBuf),
    #[error("the project {} has more than {most} plugins, commands and grants, which nobody can judge", root.display())]
    TooMuchActs { root: PathBuf, most: usize },
    #[error("{} is no project yet: it holds no .pu", .0.display())]
    NotYet(PathBuf),
    #[error("{} cannot be a project: its .pu is your own PurePoint folder", .0.display())]
    HoldsHome(PathBuf),
    #[error("{} is a link or a file: nothing is read or written through it", .0.display())]
    NotAFolder(PathBuf),
    #[error("no project is called {0:?}")]
    NotFound(String),
    #[error("several projects are called {called:?}: {}", listed(roots))]
    Ambiguous { called: String, roots: Vec<PathBuf> },
    #[error("agents of {} run: {}", root.display(), names.join(", "))]
    AgentsRun { root: PathBuf, names: Vec<String> },
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
                "`pu -C {} trust` shows what would act, and allows it if you say so",
                root.display()
            )),
            Self::Changed { root, .. } => ErrorBody::new(ErrorCode::ProjectUntrusted, self.to_string()).with_hint(
                format!("`pu -C {} trust` shows what it is now, and allows it if you say so", root.display()),
            ),
            Self::TrustOutdated(_) => ErrorBody::new(ErrorCode::TrustOutdated, self.to_string())
                .with_hint("nothing was allowed; `pu trust` shows what it is now"),
            Self::TooMuchActs { .. } => ErrorBody::new(ErrorCode::ProjectUntrusted, self.to_string())
                .with_hint("plugins lie in .pu/plugins/, agents and grants stand in .pu/config.toml: take some out"),
            Self::NotYet(root) => ErrorBody::new(ErrorCode::NotAProject, self.to_string())
                .with_hint(format!("`pu init {}` or the first `pu spawn` in it makes it one", root.display())),
            Self::HoldsHome(_) => ErrorBody::new(ErrorCode::NotAProject, self.to_string())
                .with_hint("make a folder below it a project: `pu init FOLDER`"),
            Self::NotAFolder(_) => ErrorBody::new(ErrorCode::PathOutsideProject, self.to_string())
                .with_hint("a project's .pu is a folder of its own: put one in its place"),
            Self::NotFound(_) => ErrorBody::new(ErrorCode::ProjectNotFound, self.to_string())
                .with_hint("`pu project list` lists them; a path has a / in it"),
            Self::Ambiguous { .. } => ErrorBody::new(ErrorCode::ProjectAmbiguous, self.to_string())
                .with_hint("name it by its path, or by the beginning of its id"),
            Self::AgentsRun { .. } => ErrorBody::new(ErrorCode::AgentRunning, self.to_string()).with_hint(
                "end them with `pu kill`, or say --force: they run on then, and `pu status --all-projects` shows them",
            ),
            Self::Config { .. } => ErrorBody::new(ErrorCode::InvalidConfig, self.to_string())
                .with_hint("mend the file; it is read anew at the next request"),
            Self::ConfigOutside { .. } => ErrorBody::new(ErrorCode::PathOutsideProject, self.to_string())
                .with_hint("put a file there in place of the link"),
            Self::Io { .. } | Self::Index { .. } => ErrorBody::new(ErrorCode::Io, self.to_string()),
            Self::Store(error) => error.body(),
        }
    }
}

fn listed(roots: &[PathBuf]) -> String {
    roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The first of them, each at its beginning: a repository gives them their names.
fn first_of(parts: &[String]) -> String {
    let brief = |part: &String| part[..part.floor_char_boundary(NAME_MAX)].to_owned();
    let mut named: Vec<String> = parts.iter().take(NAMED_MAX).map(brief).collect();
    if parts.len() > NAMED_MAX {
        named.push(format!("and {} more", parts.len() - NAMED_MAX));
    }
    named.join(", ")
}
