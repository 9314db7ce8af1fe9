//! Named points at which a test makes the daemon or a shim fail, stop or die: the one seam of fault injection.
//!
//! A point says where the program is and decides nothing. It is there only where the feature `fault-points` is on **and**
//! debug assertions are: the end-to-end tests ask for the feature, so a build of the programs alone has no points; and as
//! cargo gives a feature to everybody when the whole workspace is built at once, the second condition keeps them out of
//! release builds even then. Everywhere else a point is an empty function.
//!
//! What happens where is said in the environment variable that `present` reads, see there.

#[cfg(all(feature = "fault-points", debug_assertions))]
mod plan;
#[cfg(all(feature = "fault-points", debug_assertions))]
mod present;

#[cfg(all(feature = "fault-points", debug_assertions))]
use present::hit;

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use crate::RecordError;

/// What kind of point it is: a trace says so, and a test knows from it what can happen there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What comes next can fail.
    Step,
    /// Something has happened: nothing can fail here, and the program can die.
    Moment,
}

/// A step that comes next and can fail.
#[inline]
pub fn point(name: &str) -> Result<(), RecordError> {
    io(name).map_err(RecordError::io("pass the fault point", Path::new(name)))
}

/// As [`point`], for a step of which the system's own error is passed on.
#[inline]
pub fn io(name: &str) -> io::Result<()> {
    hit(Kind::Step, || name.to_owned())
}

/// A moment at which the program can die, and nothing can fail any more.
#[inline]
pub fn reach(name: &str) {
    let _ = hit(Kind::Moment, || name.to_owned());
}

/// What is about to be done to a file: the point `<act>:<name of the file>`.
#[inline]
pub fn file(act: &str, path: &Path) -> io::Result<()> {
    hit(Kind::Step, || name_of(act, path))
}

/// What has been done to a file: as [`file`], and as [`reach`].
#[inline]
pub fn reach_file(act: &str, path: &Path) {
    let _ = hit(Kind::Moment, || name_of(act, path));
}

/// Writes all of `bytes`, at the point `write:<name of target>`: where a disk that becomes full in the middle is acted
/// out, half of them are written.
#[inline]
pub fn write_all(open: &mut File, target: &Path, bytes: &[u8]) -> io::Result<()> {
    match file("write", target) {
        Ok(()) => open.write_all(bytes),
        Err(error) if error.kind() == ErrorKind::WriteZero => {
            open.write_all(&bytes[..bytes.len() / 2])?;
            Err(rustix::io::Errno::NOSPC.into())
        }
        Err(error) => Err(error),
    }
}

#[inline]
fn name_of(act: &str, path: &Path) -> String {
    format!("{act}:{}", path.file_name().unwrap_or_default().to_string_lossy())
}

/// In a build without points.
#[cfg(not(all(feature = "fault-points", debug_assertions)))]
#[inline(always)]
fn hit(_: Kind, _: impl FnOnce() -> String) -> io::Result<()> {
    Ok(())
}
