//! `.pu/state/id`: what a project is known by, wherever it lies.
//!
//! Git does not track it, so that a clone has none; a copy has its original's. It says who a project is, never whether it
//! may act. A repository may bring anything under the name: no link is followed and no pipe waited for.

use super::StoreError;
use super::plugin_state::check_folder;
use pu_protocol::layout::ProjectLayout;
use pu_record::atomic;
use std::fs::OpenOptions;
use std::io::Read as _;

/// 128 random bits as hexadecimal digits.
const DIGITS: usize = 32;

/// The identity that lies in a project's folder; `None` where there is none that is one.
pub fn read_identity(project: &ProjectLayout) -> Option<String> {
    check_folder(project).ok()?;
    let file = atomic::open_regular(OpenOptions::new().read(true), &project.identity()).ok()?;
    let mut text = String::new();
    // One more than there may be, with the line break: what is longer is none.
    file.take(DIGITS as u64 + 2).read_to_string(&mut text).ok()?;
    let id = text.strip_suffix('\n').unwrap_or(&text);
    is_identity(id).then(|| id.to_owned())
}

/// Makes `id` the project's identity. Makes the folder.
pub fn write_identity(project: &ProjectLayout, id: &str) -> Result<(), StoreError> {
    check_folder(project)?;
    atomic::create_private_folder(&project.state())?;
    Ok(atomic::write_atomic(&project.identity(), format!("{id}\n").as_bytes(), atomic::PRIVATE_FILE)?)
}

fn is_identity(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn it_reads_back_and_nothing_else_reads() {
        let folder = tempfile::tempdir().unwrap();
        let project = ProjectLayout::new(folder.path());
        assert_eq!(read_identity(&project), None);
        write_identity(&project, ID).unwrap();
        assert_eq!(read_identity(&project).as_deref(), Some(ID));
        for text in ["", "0123", &ID.to_uppercase(), &format!("{ID}0"), &format!("{ID}\n\n"), &"x".repeat(DIGITS)] {
            atomic::write_atomic(&project.identity(), text.as_bytes(), 0o600).unwrap();
            assert_eq!(read_identity(&project), None, "{text:?}");
        }
    }

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, other) = (folder.path().join("mine"), folder.path().join("other"));
        let [project, outside] = [&mine, &other].map(ProjectLayout::new);
        write_identity(&outside, ID).unwrap();
        std::fs::create_dir_all(project.root()).unwrap();
        symlink(outside.state(), project.state()).unwrap();
        assert_eq!(read_identity(&project), None);
        assert!(write_identity(&project, &ID.replace('0', "f")).is_err());
        std::fs::remove_file(project.state()).unwrap();
        std::fs::create_dir(project.state()).unwrap();
        symlink(outside.identity(), project.identity()).unwrap();
        assert_eq!(read_identity(&project), None);
        write_identity(&project, &ID.replace('0', "f")).unwrap();
        assert_eq!(read_identity(&outside).as_deref(), Some(ID), "the link was replaced, not written through");
    }
}
