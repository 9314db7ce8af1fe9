//! Where the daemon is to be found, decided once from flag, environment and default.
//!
//! Opens and creates nothing.

use crate::failure::Failure;
use pu_protocol::layout::{HomeLayout, SOCKET_PATH_MAX};
use pu_protocol::{ErrorBody, ErrorCode};
use std::ffi::OsString;
use std::path::PathBuf;

/// The daemon's socket and the user's PurePoint folder, both absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) home: HomeLayout,
    pub(crate) socket: PathBuf,
}

impl Endpoint {
    /// The flag wins over `PU_SOCKET`, which wins over `daemon.sock` in `PU_HOME`. Empty variables count as unset.
    pub(crate) fn resolve(flag: Option<PathBuf>, env: impl Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let var = |name: &str| env(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let home = HomeLayout::from_values(var("PU_HOME"), var("HOME")).ok_or_else(|| {
            Failure::Usage("neither PU_HOME nor HOME is set: where PurePoint lives is unknown".into())
        })?;
        let home = HomeLayout::new(absolute(home.root().to_owned())?);
        let socket = match flag.or_else(|| var("PU_SOCKET")) {
            Some(path) => absolute(path)?,
            None => home.daemon_socket(),
        };
        let length = socket.as_os_str().len();
        if length > SOCKET_PATH_MAX {
            let message =
                format!("{} is {length} bytes long, a socket's path may have {SOCKET_PATH_MAX}", socket.display());
            return Err(ErrorBody::new(ErrorCode::PathTooLong, message)
                .with_hint("set PU_HOME to a shorter path")
                .into());
        }
        Ok(Self { home, socket })
    }

    /// Whether the daemon would find this socket without being told.
    pub(crate) fn is_default(&self) -> bool {
        self.socket == self.home.daemon_socket()
    }
}

fn absolute(path: PathBuf) -> Result<PathBuf, Failure> {
    std::path::absolute(&path).map_err(|source| Failure::io("resolve", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(flag: Option<&str>, vars: &[(&str, &str)]) -> Result<Endpoint, Failure> {
        Endpoint::resolve(flag.map(PathBuf::from), |name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_nearest_word_wins() {
        let socket = |flag, vars: &[_]| resolve(flag, vars).unwrap().socket;
        let home = ("HOME", "/h");
        assert_eq!(socket(None, &[home]), PathBuf::from("/h/.pu/daemon.sock"));
        assert_eq!(socket(None, &[home, ("PU_HOME", "/p")]), PathBuf::from("/p/daemon.sock"));
        assert_eq!(socket(None, &[home, ("PU_HOME", "")]), PathBuf::from("/h/.pu/daemon.sock"));
        assert_eq!(socket(None, &[home, ("PU_SOCKET", "/s")]), PathBuf::from("/s"));
        assert_eq!(socket(Some("/f"), &[home, ("PU_SOCKET", "/s")]), PathBuf::from("/f"));
    }

    #[test]
    fn only_the_socket_in_the_home_is_the_default() {
        assert!(resolve(None, &[("PU_HOME", "/p")]).unwrap().is_default());
        assert!(resolve(Some("/p/daemon.sock"), &[("PU_HOME", "/p")]).unwrap().is_default());
        assert!(!resolve(Some("/q/daemon.sock"), &[("PU_HOME", "/p")]).unwrap().is_default());
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_told_at_once() {
        let failure = resolve(None, &[("PU_HOME", &format!("/{}", "x".repeat(100)))]).unwrap_err();
        assert_eq!(failure.body().code, ErrorCode::PathTooLong);
        assert!(matches!(resolve(None, &[]), Err(Failure::Usage(_))));
    }
}
