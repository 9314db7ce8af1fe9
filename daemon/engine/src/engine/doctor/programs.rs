//! Whether the three programs are there and of one release.

use super::Caller;
use crate::shims::{self, ShimProgram};
use pu_protocol::Finding;
use std::io;
use std::path::{Path, PathBuf};

const OWN: &str = env!("CARGO_PKG_VERSION");
const CHECK: &str = "programs";
const TOGETHER: &str = "pu, pu-engine and pu-shim belong side by side; install them together";
/// What Linux appends to the path of a running program whose file was removed or replaced.
const REPLACED: &str = " (deleted)";

/// The program that the next agent's shim will be.
pub(super) struct Shim {
    program: PathBuf,
    /// None where it does not say so.
    version: io::Result<Option<String>>,
}

impl Shim {
    pub(super) async fn ask(program: &ShimProgram) -> Self {
        Self { program: program.0.clone(), version: shims::version(program).await }
    }
}

pub(super) fn agree(caller: &Caller, shim: &Shim) -> Finding {
    judged(caller, std::env::current_exe().ok().as_deref(), shim)
}

fn judged(caller: &Caller, engine: Option<&Path>, shim: &Shim) -> Finding {
    let shim_version = match &shim.version {
        Ok(version) => version.as_deref(),
        Err(error) => {
            let detail = format!("the shim {} cannot be run: {error}", shim.program.display());
            return Finding::problem(CHECK, detail).with_hint(TOGETHER);
        }
    };
    let mut all = vec![("pu-engine", Some(OWN), engine), ("pu-shim", shim_version, Some(shim.program.as_path()))];
    // Who asks need not be `pu`.
    if caller.version.is_some() {
        all.insert(0, ("pu", caller.version.as_deref(), caller.program.as_deref()));
    }
    let detail = all.iter().map(|(name, version, place)| shown(name, *version, *place)).collect::<Vec<_>>().join(", ");
    if engine.is_some_and(|engine| engine.to_string_lossy().ends_with(REPLACED)) {
        return Finding::warning(CHECK, format!("the daemon's program was replaced while it runs: {detail}"))
            .with_hint("`pu daemon restart` starts the new one; agents go on running");
    }
    if all.iter().any(|(_, version, _)| *version != Some(OWN)) {
        return Finding::warning(CHECK, format!("they are not of one release: {detail}"))
            .with_hint(format!("{TOGETHER}, then `pu daemon restart`; agents go on running"));
    }
    Finding::ok(CHECK, detail)
}

fn shown(name: &str, version: Option<&str>, place: Option<&Path>) -> String {
    let version = version.unwrap_or("of an unknown release");
    match place {
        Some(place) => format!("{name} {version} ({})", place.display()),
        None => format!("{name} {version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::FindingState;

    fn caller(version: &str) -> Caller {
        Caller { version: Some(version.into()), program: Some("/b/pu".into()), ..Caller::default() }
    }

    fn shim(version: io::Result<Option<&str>>) -> Shim {
        Shim { program: "/b/pu-shim".into(), version: version.map(|version| version.map(str::to_owned)) }
    }

    #[test]
    fn programs_of_one_release_are_fine_and_each_is_named_with_its_place() {
        let finding = judged(&caller(OWN), Some(Path::new("/b/pu-engine")), &shim(Ok(Some(OWN))));
        assert_eq!(finding.state, FindingState::Ok);
        let wanted = format!("pu {OWN} (/b/pu), pu-engine {OWN} (/b/pu-engine), pu-shim {OWN} (/b/pu-shim)");
        assert_eq!(finding.detail, wanted);
        let program = judged(&Caller::default(), None, &shim(Ok(Some(OWN))));
        assert_eq!(program.state, FindingState::Ok, "who asks need not be pu: {program:?}");
    }

    #[test]
    fn what_differs_is_old_or_is_missing_is_told() {
        let engine = Some(Path::new("/b/pu-engine"));
        for (client, engine, shim, state, part) in [
            ("9.0.0", engine, shim(Ok(Some(OWN))), FindingState::Warning, "pu 9.0.0 (/b/pu)"),
            (OWN, engine, shim(Ok(Some("9.0.0"))), FindingState::Warning, "pu-shim 9.0.0"),
            (OWN, engine, shim(Ok(None)), FindingState::Warning, "pu-shim of an unknown release"),
            (OWN, Some(Path::new("/b/pu-engine (deleted)")), shim(Ok(Some(OWN))), FindingState::Warning, "replaced"),
            (OWN, engine, shim(Err(io::ErrorKind::NotFound.into())), FindingState::Problem, "/b/pu-shim"),
        ] {
            let finding = judged(&caller(client), engine, &shim);
            assert_eq!(finding.state, state, "{finding:?}");
            assert!(finding.detail.contains(part) && finding.hint.is_some(), "{finding:?}");
        }
    }
}
