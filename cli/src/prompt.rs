//! Where a prompt comes from: the command line, a file, standard input.
//!
//! Reads; never edits what it read but for blank lines at the end.

use crate::failure::Failure;
use std::io::Read;
use std::path::Path;

/// What stands for standard input.
pub(crate) const STDIN: &str = "-";

/// The prompt as typed, followed by the file's text if a file is named.
pub(crate) fn gather(typed: Option<&str>, file: Option<&Path>, folder: &Path) -> Result<String, Failure> {
    if typed == Some(STDIN) && file.is_some_and(|f| f.as_os_str() == STDIN) {
        return Err(Failure::Usage("standard input cannot be the prompt and the file too".into()));
    }
    let typed = match typed {
        Some(STDIN) => Some(from_stdin()?),
        other => other.map(str::to_owned),
    };
    let file = match file {
        Some(path) if path.as_os_str() == STDIN => Some(from_stdin()?),
        Some(path) => {
            let path = folder.join(path);
            Some(std::fs::read_to_string(&path).map_err(|e| Failure::io("read the prompt from", path, e))?)
        }
        None => None,
    };
    let parts: Vec<String> = [typed, file].into_iter().flatten().map(|t| t.trim_end().to_owned()).collect();
    Ok(parts.join("\n\n"))
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|e| Failure::io("read the prompt from", "standard input", e))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_and_a_file_are_joined_prompt_first() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::File::create(folder.path().join("p.md"))
            .and_then(|mut f| std::io::Write::write_all(&mut f, b"from a file\n\n"))
            .unwrap();
        let gather = |typed, file: Option<&str>| gather(typed, file.map(Path::new), folder.path());
        assert_eq!(gather(Some("typed"), Some("p.md")).unwrap(), "typed\n\nfrom a file");
        assert_eq!(gather(None, Some("p.md")).unwrap(), "from a file");
        assert_eq!(gather(Some("typed"), None).unwrap(), "typed");
        assert_eq!(gather(None, None).unwrap(), "");
        assert!(matches!(gather(Some("-"), Some("-")), Err(Failure::Usage(_))));
        let missing = gather(None, Some("missing.md")).unwrap_err().to_string();
        assert!(missing.contains("missing.md"), "{missing}");
    }
}
