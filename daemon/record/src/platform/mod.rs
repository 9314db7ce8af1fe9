//! What the systems do differently when asked about processes; each file answers the same five questions.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{boot_id, entries, entry, has_executed, own_scope};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(crate) use macos::{boot_id, entries, entry, has_executed, own_scope};
