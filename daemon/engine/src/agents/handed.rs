//! The files that an agent is handed: `.pu/run/<id>/` in the folder that it works in.
//!
//! Writes and removes whole; decides nothing about what is in them.

use super::error::{AgentsError, Result};
use super::launch::HandedFile;
use pu_protocol::layout::ProjectLayout;
use pu_record::atomic;
use std::path::Path;

/// Writes `files`, making their folders. They need not outlive a power failure: the agent does not either.
pub fn write(files: &[HandedFile]) -> Result<()> {
    for file in files {
        if let Some(folder) = file.path.parent() {
            atomic::create_private_folder(folder)?;
        }
        atomic::write_volatile(&file.path, &file.bytes, atomic::PRIVATE_FILE)?;
    }
    Ok(())
}

/// Removes what the agent was handed in `workdir`, and the folders above it that are empty then.
pub fn remove(workdir: &Path, agent_id: &str) -> Result<()> {
    let layout = ProjectLayout::new(workdir);
    let folder = layout.handed(agent_id);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(AgentsError::io("remove", folder)(error));
        }
        _ => {}
    }
    let above = folder.ancestors().skip(1).take_while(|f| f.starts_with(layout.root()));
    for folder in above {
        if std::fs::remove_dir(folder).is_err() {
            // Not empty, or not there: either way there is nothing of ours to remove above it.
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_is_private_and_goes_without_a_trace() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = ProjectLayout::new(folder.path()).context_file("a1");
        write(&[HandedFile { path: path.clone(), bytes: b"\xe2\x82\xac\n".to_vec() }]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"\xe2\x82\xac\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        remove(folder.path(), "a1").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        remove(folder.path(), "a1").unwrap();
    }

    #[test]
    fn what_another_agent_was_handed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let layout = ProjectLayout::new(folder.path());
        let file = |id| HandedFile { path: layout.context_file(id), bytes: Vec::new() };
        write(&[file("a1"), file("a2")]).unwrap();
        remove(folder.path(), "a1").unwrap();
        assert!(!layout.handed("a1").exists() && layout.context_file("a2").exists());
    }
}
