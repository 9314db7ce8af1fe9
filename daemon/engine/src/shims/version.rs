//! Of which release the shim program is, in its own words.
//!
//! Starts no agent: the program is only asked.

use super::start::ShimProgram;
use std::io::{self, ErrorKind};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How long the program may take to say it.
const LIMIT: Duration = Duration::from_secs(5);

/// The release of the shim program; `None` where it runs and does not say so. Fails where it cannot be run.
pub async fn version(program: &ShimProgram) -> io::Result<Option<String>> {
    let mut command = Command::new(&program.0);
    command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
    let late = |_| io::Error::from(ErrorKind::TimedOut);
    let output = tokio::time::timeout(LIMIT, command.output()).await.map_err(late)??;
    let said = String::from_utf8_lossy(&output.stdout);
    let version = said.strip_prefix("pu-shim ").filter(|_| output.status.success());
    Ok(version.map(|version| version.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_shim_says_no_version_and_what_is_not_there_fails() {
        assert_eq!(version(&ShimProgram("/bin/echo".into())).await.unwrap(), None);
        assert_eq!(version(&ShimProgram("/no/such/shim".into())).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
