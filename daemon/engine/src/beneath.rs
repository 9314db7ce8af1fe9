//! Opens files of a project so that nothing leads out of it: no link, no `..`, and nobody who puts a link in the place of a
//! folder between the look and the open.
//!
//! A path is resolved first, and refused if it leads out. What is then opened is that very place: no link on the way to it
//! is followed any more, whatever lies there by then. It opens for reading alone, opens nothing but regular files, and
//! never waits, not even for a named pipe.
//!
//! Invariant: what is read through here lay in the project when it was opened. (A second name of a file, which is what a
//! hard link is, cannot be told from the first; no repository can bring one.)

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path};

use pu_protocol::layout::ProjectLayout;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

/// How often a place is looked at anew where a link was put into it meanwhile: a branch may be being switched.
const TRIES: usize = 3;
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
/// A folder that is only passed through, and so need not be readable where the system can do without.
#[cfg(target_os = "linux")]
const PASSED: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASSED: OFlags = OFlags::RDONLY;
const FOLDER: OFlags = PASSED.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Why a file is not opened, or not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("it leads out of the project")]
    Outside,
    #[error("a link was put in its place while it was looked at")]
    Replaced,
    #[error("not a regular file")]
    NotRegular,
    #[error("{bytes} bytes is more than the limit of {most}")]
    TooLarge { bytes: u64, most: u64 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Refusal {
    /// Whether there is no such file.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Io(error) => error,
            other => Self::new(io::ErrorKind::InvalidInput, other.to_string()),
        }
    }
}

/// Opens a file by its path from `root`, or by one that begins with it.
pub(crate) fn open(root: &Path, path: &Path) -> Result<File, Refusal> {
    for _ in 1..TRIES {
        match open_once(root, path) {
            Err(Refusal::Replaced) => {}
            done => return done,
        }
    }
    open_once(root, path)
}

fn open_once(root: &Path, path: &Path) -> Result<File, Refusal> {
    let real = root.join(path).canonicalize()?;
    // A project's root has no links in it, so that this is mostly all; others may.
    let root = if real.starts_with(root) { Cow::Borrowed(root) } else { Cow::Owned(root.canonicalize()?) };
    let inner = real.strip_prefix(&root).map_err(|_| Refusal::Outside)?;
    open_place(&root, inner, &real)
}

/// Opens a file of a project's `.pu/`, however deep it lies there, so that nothing leads out of the project around it.
pub(crate) fn open_own(path: &Path) -> Result<File, Refusal> {
    let is_own = |folder: &&Path| folder.file_name().is_some_and(|name| name == ProjectLayout::FOLDER);
    let root = path.ancestors().find(is_own).unwrap_or(path).parent().unwrap_or(path);
    open(root, path)
}

/// Opens a file whose path was resolved, and judged, by the caller: no link is followed any more.
pub(crate) fn open_resolved(real: &Path) -> Result<File, Refusal> {
    let top = Path::new("/");
    let inner = real.strip_prefix(top).map_err(|_| Refusal::Outside)?;
    open_place(top, inner, real)
}

/// The whole of a file, if that is no more than `most` bytes.
pub(crate) fn read(root: &Path, path: &Path, most: u64) -> Result<Vec<u8>, Refusal> {
    bytes_of(open(root, path)?, most)
}

/// The same, of a file that must be text.
pub(crate) fn read_text(root: &Path, path: &Path, most: u64) -> Result<String, Refusal> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8");
    Ok(String::from_utf8(read(root, path, most)?).map_err(not_text)?)
}

/// What an open file has, from where it stands, if that is no more than `most` bytes.
pub(crate) fn bytes_of(file: File, most: u64) -> Result<Vec<u8>, Refusal> {
    let length = file.metadata()?.len();
    if length > most {
        return Err(Refusal::TooLarge { bytes: length, most });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    // It may grow meanwhile.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    if length > most { Err(Refusal::TooLarge { bytes: length, most }) } else { Ok(bytes) }
}

/// What is no regular file is not opened: a device may do something by that alone.
fn open_place(root: &Path, inner: &Path, real: &Path) -> Result<File, Refusal> {
    let found = real.symlink_metadata()?;
    if found.is_symlink() {
        return Err(Refusal::Replaced);
    }
    if !found.is_file() {
        return Err(Refusal::NotRegular);
    }
    let file = match open_at(root, inner) {
        Ok(file) => file,
        Err(Errno::LOOP | Errno::NOTDIR) => return Err(Refusal::Replaced),
        Err(error) => return Err(io::Error::from(error).into()),
    };
    if file.metadata()?.is_file() { Ok(file) } else { Err(Refusal::NotRegular) }
}

/// The root is a real path, so that a link in its place was put there meanwhile.
fn open_at(root: &Path, inner: &Path) -> Result<File, Errno> {
    let folder = retry_on_intr(|| rustix::fs::open(root, FOLDER | OFlags::NOFOLLOW, Mode::empty()))?;
    #[cfg(target_os = "linux")]
    match in_one_step(&folder, inner) {
        // A kernel before 5.6, or a sandbox that does not know the call.
        Err(Errno::NOSYS | Errno::PERM) => {}
        done => return done.map(File::from),
    }
    step_by_step(folder, inner).map(File::from)
}

#[cfg(target_os = "linux")]
fn in_one_step(folder: &OwnedFd, inner: &Path) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    retry_on_intr(|| rustix::fs::openat2(folder, inner, FILE, Mode::empty(), within))
}

/// The same where the kernel cannot do it at once: each folder is opened from the one above it, and none by a link.
fn step_by_step(mut folder: OwnedFd, inner: &Path) -> Result<OwnedFd, Errno> {
    let mut steps = inner.components().peekable();
    while let Some(step) = steps.next() {
        let Component::Normal(name) = step else { return Err(Errno::INVAL) };
        let flags = if steps.peek().is_some() { FOLDER | OFlags::NOFOLLOW } else { FILE };
        let next = retry_on_intr(|| rustix::fs::openat(&folder, name, flags, Mode::empty()))?;
        folder = next;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};

    const INSIDE: &[u8] = b"inside";
    const OUTSIDE: &[u8] = b"outside";

    /// A project with a file in a folder, and beside it another folder with a file of that name.
    fn world() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        for (path, text) in [("project/specs/a.md", INSIDE), ("outside/a.md", OUTSIDE)] {
            let path = base.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            pu_record::atomic::write_volatile(&path, text, 0o600).unwrap();
        }
        (folder, base.join("project"))
    }

    fn words(refused: &Result<Vec<u8>, Refusal>) -> String {
        refused.as_ref().unwrap_err().to_string()
    }

    #[test]
    fn what_lies_in_the_project_is_read_and_no_way_leads_out() {
        let (_folder, root) = world();
        symlink("specs", root.join("link")).unwrap();
        symlink(root.join("specs/a.md"), root.join("absolute.md")).unwrap();
        symlink("../../outside", root.join("specs/out")).unwrap();
        symlink("../outside/a.md", root.join("out.md")).unwrap();
        symlink("/dev/zero", root.join("zero.md")).unwrap();
        let read = |path: &str| read(&root, Path::new(path), 100);
        for path in ["specs/a.md", "specs/../specs/a.md", "link/a.md", "absolute.md"] {
            assert_eq!(read(path).unwrap(), INSIDE, "{path}");
        }
        assert_eq!(read(root.join("specs/a.md").to_str().unwrap()).unwrap(), INSIDE);
        for path in ["specs/out/a.md", "out.md", "../outside/a.md", "/etc/passwd", "zero.md"] {
            assert_eq!(words(&read(path)), "it leads out of the project", "{path}");
        }
        assert_eq!(words(&read("specs")), "not a regular file");
        assert!(read("none/a.md").unwrap_err().is_missing());
        // The root itself may be named by a link: that is the user's.
        symlink(&root, root.with_file_name("alias")).unwrap();
        let alias = root.with_file_name("alias");
        assert_eq!(super::read(&alias, Path::new("specs/a.md"), 100).unwrap(), INSIDE);
        assert_eq!(words(&super::read(&alias, Path::new("out.md"), 100)), "it leads out of the project");
    }

    #[test]
    fn a_pipe_is_not_waited_for_and_a_long_file_not_read() {
        let (_folder, root) = world();
        nix::unistd::mkfifo(&root.join("pipe.md"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(words(&read(&root, Path::new("pipe.md"), 100)), "not a regular file");
        File::create(root.join("sparse.md")).unwrap().set_len(4 << 30).unwrap();
        assert_eq!(words(&read(&root, Path::new("sparse.md"), 100)), "4294967296 bytes is more than the limit of 100");
        assert_eq!(read(&root, Path::new("specs/a.md"), 6).unwrap(), INSIDE);
        let bytes = [0xff, 0xfe];
        pu_record::atomic::write_volatile(&root.join("b.md"), &bytes, 0o600).unwrap();
        assert!(read_text(&root, Path::new("b.md"), 100).unwrap_err().to_string().contains("UTF-8"));
        assert_eq!(read_text(&root, Path::new("specs/a.md"), 100).unwrap().as_bytes(), INSIDE);
    }

    #[test]
    fn a_resolved_path_follows_no_link_any_more() {
        let (_folder, root) = world();
        let path = root.join("specs/a.md");
        assert_eq!(bytes_of(open_resolved(&path).unwrap(), 100).unwrap(), INSIDE);
        std::fs::rename(root.join("specs"), root.join("moved")).unwrap();
        symlink(root.with_file_name("outside"), root.join("specs")).unwrap();
        assert!(matches!(open_resolved(&path), Err(Refusal::Replaced)));
        assert!(matches!(open_resolved(Path::new("specs/a.md")), Err(Refusal::Outside)), "it is not absolute");
    }

    #[test]
    fn a_link_in_the_place_of_the_root_is_not_followed_either() {
        let (_folder, root) = world();
        let real = root.join("specs/a.md");
        assert_eq!(bytes_of(open_place(&root, Path::new("specs/a.md"), &real).unwrap(), 100).unwrap(), INSIDE);
        let link = root.with_file_name("link");
        symlink(&root, &link).unwrap();
        assert!(matches!(open_place(&link, Path::new("specs/a.md"), &real), Err(Refusal::Replaced)));
    }

    /// One thread puts a link to the outside in the place of the folder and takes it away again, as fast as it can.
    fn race(open: impl Fn(&Path) -> Option<File>) {
        let (_folder, root) = world();
        let (specs, aside, link) = (root.join("specs"), root.join("aside"), root.join("link"));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    symlink("../outside", &link).unwrap();
                    std::fs::rename(&specs, &aside).unwrap();
                    std::fs::rename(&link, &specs).unwrap();
                    std::fs::remove_file(&specs).unwrap();
                    std::fs::rename(&aside, &specs).unwrap();
                }
            });
            let read: Vec<Vec<u8>> =
                (0..2_000).filter_map(|_| open(&root).map(|file| bytes_of(file, 100).unwrap())).collect();
            done.store(true, Ordering::Relaxed);
            assert!(read.iter().all(|bytes| bytes == INSIDE), "something was read from outside");
        });
    }

    #[test]
    fn nothing_from_outside_is_read_while_a_folder_is_swapped_for_a_link() {
        race(|root| open(root, Path::new("specs/a.md")).ok());
    }

    #[test]
    fn nor_where_the_kernel_cannot_do_it_in_one_step() {
        let inner = Path::new("specs/a.md");
        let open = |root: &Path| {
            let folder = rustix::fs::open(root, FOLDER, Mode::empty()).unwrap();
            step_by_step(folder, inner).ok().map(File::from)
        };
        race(open);
        let (_folder, root) = world();
        assert_eq!(bytes_of(open(&root).unwrap(), 100).unwrap(), INSIDE);
        symlink("a.md", root.join("specs/link.md")).unwrap();
        let folder = || rustix::fs::open(&root, FOLDER, Mode::empty()).unwrap();
        for path in ["specs/link.md", "../outside/a.md", "specs/../specs/a.md"] {
            assert!(step_by_step(folder(), Path::new(path)).is_err(), "{path}");
        }
    }
}
