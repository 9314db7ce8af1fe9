//! An agent's name: derived from its prompt, or checked when the user gave one.
//!
//! A name becomes a folder under `.pu/worktrees/` and the last part of a branch `pu/<name>`; it is ASCII so that it is
//! the same on every file system. Pure: whether a name is taken is asked of the caller.

use super::error::{AgentsError, Result};

/// The longest name that is derived. A number that makes it unique is within it.
const DERIVED_MAX: usize = 40;

/// The longest name that a user can give.
const GIVEN_MAX: usize = 64;

/// A name for an agent with this prompt: the prompt's first words, or `agent-<id>` where those give none.
pub fn derive(prompt: &str, agent_id: &str) -> String {
    match slug(prompt) {
        Some(name) if check(&name).is_ok() => name,
        _ => format!("agent-{agent_id}"),
    }
}

/// Checks a name that the user gave.
pub fn check(name: &str) -> Result<()> {
    let refuse = |reason| Err(AgentsError::InvalidName { name: name.to_owned(), reason });
    if name.is_empty() {
        return refuse("it is empty");
    }
    if name.len() > GIVEN_MAX {
        return refuse("it is longer than 64 characters");
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return refuse("it does not begin with a letter or digit");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        return refuse("it has other characters than letters, digits, `-`, `_` and `.`");
    }
    if name.contains("..") || name.ends_with('.') || name.to_ascii_lowercase().ends_with(".lock") {
        return refuse("git allows no branch with `..`, a closing `.` or a closing `.lock`");
    }
    if name.len() == 8 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return refuse("it looks like an agent's id");
    }
    Ok(())
}

/// Whether two names are one name where upper and lower case are the same, as on macOS.
pub fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// `name`, then `name-2`, `name-3`, and so on without end; each a valid name.
pub fn candidates(name: &str) -> impl Iterator<Item = String> + '_ {
    let numbered = (2u64..).map(move |number| {
        let suffix = format!("-{number}");
        let room = DERIVED_MAX.max(name.len()) - suffix.len();
        format!("{}{suffix}", cut(name, room).trim_end_matches(['-', '.', '_']))
    });
    std::iter::once(name.to_owned()).chain(numbered)
}

/// The first of the [`candidates`] that is not taken.
pub fn unique(name: &str, taken: impl Fn(&str) -> bool) -> String {
    candidates(name).find(|candidate| !taken(candidate)).unwrap_or_else(|| name.to_owned())
}

/// The words of `text` in ASCII, lower case, joined by `-`, as many as fit. `None` if too little of it is ASCII.
fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for word in words(text) {
        let joined = usize::from(!slug.is_empty());
        if slug.len() + joined + word.len() > DERIVED_MAX {
            if slug.is_empty() {
                slug.push_str(cut(&word, DERIVED_MAX));
            }
            break;
        }
        if joined > 0 {
            slug.push('-');
        }
        slug.push_str(&word);
    }
    let letters = slug.bytes().filter(u8::is_ascii_alphabetic).count();
    (letters >= 2).then_some(slug)
}

/// The runs of letters and digits. A run with a letter that has no ASCII spelling is left out whole: half a word would
/// be a wrong one.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’').filter_map(|run| {
        let mut word = String::new();
        for c in run.chars().filter(|c| c.is_alphanumeric()) {
            match c.to_ascii_lowercase() {
                ascii if ascii.is_ascii() => word.push(ascii),
                other => word.push_str(ascii_spelling(other)?),
            }
        }
        (!word.is_empty()).then_some(word)
    })
}

/// The usual ASCII spelling of a letter of the Latin languages.
fn ascii_spelling(letter: char) -> Option<&'static str> {
    Some(match letter.to_lowercase().next()? {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ą' | 'ă' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' | 'ė' => "e",
        'ğ' | 'ģ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' | 'į' => "i",
        'ł' | 'ľ' | 'ļ' => "l",
        'ñ' | 'ń' | 'ň' | 'ņ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ő' | 'ō' => "o",
        'ö' | 'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

/// The first `max` bytes of an ASCII text.
fn cut(text: &str, max: usize) -> &str {
    text.get(..max).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_derived_from_the_first_words() {
        let cases = [
            ("Fix the auth race", "fix-the-auth-race"),
            ("  fix:  the `auth_race`!\n\nand more", "fix-the-auth-race-and-more"),
            ("Don't panic", "dont-panic"),
            ("refactor src/agents/name.rs", "refactor-src-agents-name-rs"),
            ("implement the very long requirement of ledger invariants", "implement-the-very-long-requirement-of"),
            ("Donaudampfschifffahrtselektrizitätenhauptbetriebswerk", "donaudampfschifffahrtselektrizitaetenhau"),
            ("Préparer l'été à Besançon", "preparer-lete-a-besancon"),
            ("Größe ändern", "groesse-aendern"),
            ("修复 login 的竞争", "login"),
            ("修复登录", "agent-0badcafe"),
            ("исправь гонку", "agent-0badcafe"),
            ("", "agent-0badcafe"),
            ("???", "agent-0badcafe"),
            ("1 2 3", "agent-0badcafe"),
            ("🦀", "agent-0badcafe"),
            ("deadbeef", "agent-0badcafe"),
            ("../../etc/passwd", "etc-passwd"),
            ("-rf --force", "rf-force"),
        ];
        for (prompt, expected) in cases {
            let name = derive(prompt, "0badcafe");
            assert_eq!(name, expected, "{prompt}");
            assert!(name.len() <= DERIVED_MAX);
            check(&name).unwrap();
        }
    }

    #[test]
    fn given_names_are_checked() {
        for good in ["a", "fix-auth", "Fix_2.0", "9lives", "main", "deadbee", "x.lock.y", &"a".repeat(64)] {
            check(good).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
        let bad = [
            "", "-x", ".x", "_x", "a/b", "a b", "a..b", "a.", "a.lock", "a.LOCK", "ä", "a\n", "a~1", "a^", "a:b", "a?",
            "a*", "a[", "a\\b", "a@{b", "deadbeef", "DEADBEEF", "12345678",
        ];
        for bad in bad.into_iter().chain([&*"a".repeat(65)]) {
            let error = check(bad).unwrap_err();
            assert_eq!(error.code(), pu_protocol::ErrorCode::InvalidName, "{bad}");
        }
    }

    #[test]
    fn taken_names_are_numbered() {
        let long = "implement-the-very-long-requirement-of-x";
        assert_eq!(long.len(), 40);
        let cases: [(&str, &[&str], &str); 5] = [
            ("fix", &[], "fix"),
            ("fix", &["fix"], "fix-2"),
            ("fix", &["Fix", "fix-2", "fix-4"], "fix-3"),
            (long, &[long], "implement-the-very-long-requirement-of-2"),
            ("a-2", &["a-2"], "a-2-2"),
        ];
        for (name, taken, expected) in cases {
            let unique = unique(name, |candidate| taken.iter().any(|t| same(t, candidate)));
            assert_eq!(unique, expected);
            check(&unique).unwrap();
        }
    }
}
