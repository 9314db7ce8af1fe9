//! A project's folder to paths and texts, as the host would find them there.

use std::path::Path;
use std::{fs, io};

/// Folders that hold specs, whatever their case: those that the host reads without being told to.
const SOURCES: [&str; 6] = ["specs", "docs", "doc", "rfcs", "adr", "proposals"];
const NEVER: [&str; 2] = ["node_modules", "target"];
const MARKDOWN: [&str; 4] = [".md", ".mdx", ".markdown", ".mdc"];

/// The path from `root` and the text of each markdown file in the spec folders of `root`.
pub(super) fn read(root: &Path) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut sources = 0;
    for (name, is_folder) in entries(root)? {
        if is_folder && SOURCES.contains(&name.to_ascii_lowercase().as_str()) {
            sources += 1;
            add(root, &name, &mut found)?;
        }
    }
    if sources == 0 {
        let message = format!("{}: has none of the folders {}", root.display(), SOURCES.join(", "));
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    Ok(found)
}

fn add(root: &Path, folder: &str, found: &mut Vec<(String, String)>) -> io::Result<()> {
    for (name, is_folder) in entries(&root.join(folder))? {
        let path = format!("{folder}/{name}");
        let hidden = name.starts_with('.');
        if is_folder && !hidden && !NEVER.contains(&name.as_str()) {
            add(root, &path, found)?;
        } else if !is_folder && !hidden && MARKDOWN.iter().any(|ending| name.ends_with(ending)) {
            let file = root.join(&path);
            let text = fs::read_to_string(&file).map_err(|error| naming(&file, &error))?;
            found.push((path, text));
        }
    }
    Ok(())
}

/// The names in a folder, and which of them are folders. Links are left out, so that none leads round in a circle.
fn entries(folder: &Path) -> io::Result<Vec<(String, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| naming(folder, &error))? {
        let entry = entry.map_err(|error| naming(folder, &error))?;
        let kind = entry.file_type().map_err(|error| naming(&entry.path(), &error))?;
        if !kind.is_symlink() {
            entries.push((entry.file_name().to_string_lossy().into_owned(), kind.is_dir()));
        }
    }
    Ok(entries)
}

fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
