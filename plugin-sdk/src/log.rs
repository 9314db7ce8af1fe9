//! Lines for whoever debugs the plugin: in wasm they go to the host (`pu context explain` shows them), in tests to
//! stderr, where the test harness keeps them until a test fails.

/// Writes a line of level `debug`.
pub fn debug(message: impl AsRef<str>) {
    write("debug", message.as_ref());
}

/// Writes a line of level `info`.
pub fn info(message: impl AsRef<str>) {
    write("info", message.as_ref());
}

/// Writes a line of level `warn`.
pub fn warn(message: impl AsRef<str>) {
    write("warn", message.as_ref());
}

/// Writes a line of level `error`.
pub fn error(message: impl AsRef<str>) {
    write("error", message.as_ref());
}

#[cfg(target_arch = "wasm32")]
fn write(level: &str, message: &str) {
    crate::__guest::write_log(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::print_stderr, reason = "what a plugin logs in a test belongs to the test's output")]
fn write(level: &str, message: &str) {
    eprintln!("[{level}] {message}");
}
