//! Paths as specs write them, relative to their own folder, as paths from the root. Pure: the disk is not looked at.

/// The path from the root of what `path` names in `folder`; `None` if that is above the root.
pub(super) fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop()?;
            }
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn paths_are_from_the_root_and_never_above_it() {
        for (folder, path, expected) in [
            ("docs", "a.md", Some("docs/a.md")),
            ("docs/adr", "../a.md", Some("docs/a.md")),
            ("", "./docs//a.md", Some("docs/a.md")),
            ("docs", "../../a.md", None),
        ] {
            assert_eq!(resolve(folder, path).as_deref(), expected, "{folder} {path}");
        }
    }
}
