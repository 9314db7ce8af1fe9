//! A plugin in Rust: cargo builds its core module, with rustup's wasm32 target or with Debian's Rust.

use super::tools::{Tools, can_run, missing};
use crate::failure::Failure;
use crate::plugins::folder::PluginFolder;
use pu_protocol::{ErrorBody, ErrorCode};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's Rust has no wasm32 target, but the sources of std to build one from.
const DEBIAN_BIN: &str = "/usr/bin";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust";
/// Separates flags in `CARGO_ENCODED_RUSTFLAGS`.
const UNIT_SEPARATOR: &str = "\u{1f}";

pub(super) fn build(folder: &PluginFolder, tools: &Tools) -> Result<PathBuf, Failure> {
    let toolchain = Toolchain::find(folder, tools)?;
    let mut command = toolchain.cargo();
    command.args(["build", "--release", "--lib", "--target", TARGET, "--message-format=json-render-diagnostics"]);
    command.args(toolchain.arguments()).current_dir(&folder.root);
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags(&folder.root, |name| std::env::var_os(name)));
    let messages = tools.read(&mut command)?;
    artifact(&messages).ok_or_else(|| {
        let message = format!("{} builds no wasm module", folder.root.join("Cargo.toml").display());
        ErrorBody::new(ErrorCode::InvalidConfig, message)
            .with_hint("it needs `crate-type = [\"cdylib\", \"rlib\"]` under `[lib]`")
            .into()
    })
}

/// A Rust that can build for wasm.
enum Toolchain {
    /// The one on the PATH, whose wasm32 target is installed.
    Installed { cargo: PathBuf },
    /// Debian's, which builds its own std and needs a linker for wasm.
    Debian { linker: PathBuf },
}

impl Toolchain {
    fn find(folder: &PluginFolder, tools: &Tools) -> Result<Self, Failure> {
        let sysroot = tools.find("rustc").and_then(|rustc| sysroot(&rustc, &folder.root));
        if let (Some(cargo), Some(sysroot)) = (tools.find("cargo"), &sysroot)
            && sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
        {
            return Ok(Self::Installed { cargo });
        }
        let debian = tools.looks_into(DEBIAN_BIN)
            && can_run(&Path::new(DEBIAN_BIN).join("cargo"))
            && Path::new(DEBIAN_SOURCES).join("library/std/Cargo.toml").is_file();
        if !debian {
            let what = format!("a Rust that builds for {TARGET}");
            let rustup = format!("rustup target add {TARGET}");
            let hint = format!(
                "install one of: `{rustup}` (rustup, https://rustup.rs); \
                 `apt install rustc-web cargo-web rust-web-src lld` (Debian)"
            );
            return Err(missing(&what, hint));
        }
        match linker(tools, sysroot.as_deref()) {
            Some(linker) => Ok(Self::Debian { linker }),
            None => Err(missing("a linker for wasm, which Debian's Rust needs,", "apt install lld")),
        }
    }

    fn cargo(&self) -> Command {
        match self {
            Self::Installed { cargo } => Command::new(cargo),
            Self::Debian { linker } => {
                let mut command = Command::new(Path::new(DEBIAN_BIN).join("cargo"));
                command.env("PATH", "/usr/bin:/bin").env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTUP_TOOLCHAIN");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                command
            }
        }
    }

    fn arguments(&self) -> &'static [&'static str] {
        match self {
            Self::Installed { .. } => &[],
            Self::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

/// Asked in the plugin's folder, where a `rust-toolchain.toml` may choose another one.
fn sysroot(rustc: &Path, folder: &Path) -> Option<PathBuf> {
    let mut command = Command::new(rustc);
    command.args(["--print", "sysroot"]).current_dir(folder).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end()))
}

/// One on the PATH, else the one that rustup's toolchains have with them.
fn linker(tools: &Tools, sysroot: Option<&Path>) -> Option<PathBuf> {
    let on_path =
        ["rust-lld", "wasm-ld", "lld"].into_iter().filter_map(|name| tools.find(name)).find(|p| links_wasm(p));
    on_path.or_else(|| {
        let hosts = std::fs::read_dir(sysroot?.join("lib/rustlib")).ok()?;
        let within = hosts.filter_map(|host| Some(host.ok()?.path().join("bin/rust-lld")));
        within.filter(|path| can_run(path)).find(|path| links_wasm(path))
    })
}

fn links_wasm(linker: &Path) -> bool {
    let mut command = Command::new(linker);
    command.args(["-flavor", "wasm", "--version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The user's flags, and then those that keep folders of this machine out of what is shipped; of these the last that
/// fits a path wins.
fn rustflags(folder: &Path, var: impl Fn(&str) -> Option<OsString>) -> OsString {
    let text = |name: &str| var(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
    let mut flags: Vec<String> = match (text("CARGO_ENCODED_RUSTFLAGS"), text("RUSTFLAGS")) {
        (Some(encoded), _) => encoded.split(UNIT_SEPARATOR).map(str::to_owned).collect(),
        (None, Some(plain)) => plain.split_whitespace().map(str::to_owned).collect(),
        (None, None) => Vec::new(),
    };
    let home = text("HOME");
    let cargo = text("CARGO_HOME").or_else(|| home.as_ref().map(|home| format!("{home}/.cargo")));
    let pairs = [
        home.map(|home| format!("{home}=/home")),
        cargo.map(|cargo| format!("{cargo}/registry/src=/registry")),
        Some(format!("{DEBIAN_SOURCES}=/rust")),
        folder.to_str().map(|folder| format!("{folder}=/plugin")),
    ];
    flags.extend(pairs.into_iter().flatten().map(|pair| format!("--remap-path-prefix={pair}")));
    flags.join(UNIT_SEPARATOR).into()
}

/// The wasm module among the files that cargo says it built: the last one, since what depends on others comes last.
fn artifact(messages: &[u8]) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(messages);
    let messages = text.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.filter(|message| message["reason"] == "compiler-artifact").find_map(|message| {
        let files = message["filenames"].as_array()?;
        files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_itself_what_it_built() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"serde"},"filenames":["/t/libserde.rlib"]}
not json
{"reason":"compiler-artifact","target":{"name":"ledger"},"filenames":["/t/libledger.rlib","/t/ledger.wasm"]}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(artifact(messages.as_bytes()), Some(PathBuf::from("/t/ledger.wasm")));
        assert_eq!(artifact(b"{\"reason\":\"build-finished\",\"success\":true}"), None);
    }

    #[test]
    fn the_users_flags_stay_and_folders_of_the_machine_go() {
        let flags = |vars: &[(&str, &str)]| {
            let var = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            rustflags(Path::new("/p"), var).into_string().unwrap().replace(UNIT_SEPARATOR, " ")
        };
        let all = flags(&[("RUSTFLAGS", "-C debuginfo=0"), ("HOME", "/h")]);
        assert_eq!(
            all,
            "-C debuginfo=0 --remap-path-prefix=/h=/home --remap-path-prefix=/h/.cargo/registry/src=/registry \
             --remap-path-prefix=/usr/lib/rustlib/src/rust=/rust --remap-path-prefix=/p=/plugin"
        );
        assert!(flags(&[("CARGO_ENCODED_RUSTFLAGS", "-g"), ("RUSTFLAGS", "-O")]).starts_with("-g --remap"));
    }
}
