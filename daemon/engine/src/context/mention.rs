//! What a prompt names: `#tag`, `[ID]` and words that look like the paths of files.
//!
//! Pure: whether a file exists is asked elsewhere.

/// A prompt with more words than this names its files early or not at all.
const PATH_WORDS: usize = 256;
const TAG_CHARACTERS: usize = 64;

/// The tags of a prompt in the order of the text: `#auth` gives `auth`, `[DAEMON-006]` gives `DAEMON-006`.
///
/// `#` counts at the start of a word and before a letter, so that neither `#12` (an issue) nor `page#anchor` is a tag.
pub(super) fn tags(prompt: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut before = ' ';
    for (at, c) in prompt.char_indices() {
        let rest = &prompt[at + c.len_utf8()..];
        match c {
            '#' if !before.is_alphanumeric() && !matches!(before, '#' | '/' | '&') => found.extend(hash_tag(rest)),
            '[' => found.extend(bracketed_ids(rest)),
            _ => {}
        }
        before = c;
    }
    found
}

fn hash_tag(rest: &str) -> Option<String> {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '/'))).unwrap_or(rest.len());
    let tag = rest[..end].trim_end_matches(['-', '/']);
    (tag.starts_with(char::is_alphabetic) && tag.chars().count() <= TAG_CHARACTERS).then(|| tag.to_owned())
}

/// The ids in a bracket that holds nothing else: `[DAEMON-006]`, `[DAEMON-006, STORE-006]`; never a Markdown link.
fn bracketed_ids(rest: &str) -> Vec<String> {
    let Some((inner, after)) = rest.split_once(']') else { return Vec::new() };
    if after.starts_with(['(', '[']) {
        return Vec::new();
    }
    let ids: Vec<&str> = inner.split(',').map(str::trim).collect();
    if ids.iter().all(|id| is_id(id)) { ids.into_iter().map(str::to_owned).collect() } else { Vec::new() }
}

/// A letter first, a digit somewhere, joined by `-`, `_` or `.`: `DAEMON-006`, `KEP-1234`, `pep_8`.
fn is_id(word: &str) -> bool {
    word.len() <= TAG_CHARACTERS
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.contains(|c: char| c.is_ascii_digit())
        && word.contains(['-', '_', '.'])
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// The words of a prompt that could be paths, each once and in order, without quotes, punctuation and `:line` behind.
pub(super) fn path_words(prompt: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    let words = prompt.split(|c: char| c.is_whitespace() || "\"'`<>()[]{},;|=".contains(c));
    for word in words.map(trimmed).filter(|w| looks_like_a_path(w)) {
        if found.len() == PATH_WORDS {
            break;
        }
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

fn trimmed(word: &str) -> &str {
    let word = word.trim_start_matches('@').trim_end_matches(['.', ':', '!', '?', '*']);
    match word.split_once(':') {
        Some((path, line)) if line.starts_with(|c: char| c.is_ascii_digit()) => path,
        _ => word,
    }
}

fn looks_like_a_path(word: &str) -> bool {
    word.len() <= 512
        && !word.contains("://")
        && (word.contains('/') || word.trim_start_matches('.').contains('.') || is_bare_name(word))
}

/// `Makefile`, `LICENSE`, `.gitignore`: a name without an extension that a project's root often holds.
fn is_bare_name(word: &str) -> bool {
    word.len() > 2 && (word.starts_with('.') || word.starts_with(|c: char| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_where_a_person_meant_one() {
        for (prompt, expected) in [
            ("fix #auth and #data/store-2.", vec!["auth", "data/store-2"]),
            ("see [DAEMON-006], then [STORE-006, IPC-1]", vec!["DAEMON-006", "STORE-006", "IPC-1"]),
            ("issue #12, page#anchor, ## heading, &#x27;", vec![]),
            ("[DAEMON-006](specs/daemon.md) and [x] and [todo] and a[0]", vec![]),
            ("(#größe) #", vec!["größe"]),
            ("open [DAEMON-006", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(tags(prompt), expected, "{prompt}");
        }
    }

    #[test]
    fn words_that_could_be_paths() {
        for (prompt, expected) in [
            ("fix src/lib.rs:42, then `README.md`.", vec!["src/lib.rs", "README.md"]),
            ("see https://example.org/a/b.md", vec![]),
            ("the Makefile and .gitignore", vec!["Makefile", ".gitignore"]),
            ("@src/a.rs @src/a.rs", vec!["src/a.rs"]),
            ("error in (cli/src/main.rs)!", vec!["cli/src/main.rs"]),
            ("plain words only", vec![]),
        ] {
            assert_eq!(path_words(prompt), expected, "{prompt}");
        }
    }
}
