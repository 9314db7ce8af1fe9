//! Where the programs under test are, and that they are those of the present source.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

const NAMES: [&str; 3] = ["pu", "pu-engine", "pu-shim"];
const MEND: &str = "run `make test`, which builds the programs first";

/// The folder that holds them: `PU_TEST_BIN_DIR`, else the profile's folder that this test was built into.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| match std::env::var_os("PU_TEST_BIN_DIR") {
        Some(given) => check(&PathBuf::from(given), false),
        None => {
            let test = std::env::current_exe().expect("the running test's own path");
            // target/<profile>/deps/e2e-…
            check(test.ancestors().nth(2).expect("a target folder above the test"), true)
        }
    });
    &FOLDER
}

fn check(folder: &Path, ours: bool) -> PathBuf {
    for name in NAMES {
        let program = folder.join(name);
        let built = modified(&program).unwrap_or_else(|| panic!("{} is not there: {MEND}", program.display()));
        if ours && let Some(newer) = sources(&program).into_iter().find(|s| modified(s).is_some_and(|at| at > built)) {
            panic!("{} is older than {}: {MEND}", program.display(), newer.display());
        }
    }
    std::fs::canonicalize(folder).expect("the folder of the programs")
}

/// The source files of a program, as cargo noted them beside it.
fn sources(program: &Path) -> Vec<PathBuf> {
    let note = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let (_, list) = note.split_once(": ").unwrap_or_default();
    // A blank in a path stands as `\ `.
    list.replace("\\ ", "\0").split_whitespace().map(|path| path.replace('\0', " ").into()).collect()
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}
