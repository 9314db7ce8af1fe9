//! Text to words, identifiers to their parts. Pure.

/// The words of a text in lower case and in their order; an identifier gives its joined form and then its parts.
pub(crate) fn of(text: &str) -> impl Iterator<Item = String> {
    tokens(text).flat_map(spread)
}

/// The words of a text as they are written.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .map(|token| token.trim_matches('_'))
        .filter(|t| !t.is_empty())
}

/// A word without its English ending, so that `token` and `tokens`, `race` and `racing` are one.
pub(crate) fn stem(word: &str) -> &str {
    let cut = ["ing", "ed", "es", "s"].into_iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word);
    let cut = if cut.len() < 3 { word } else { cut };
    cut.strip_suffix('e').filter(|shorter| shorter.len() >= 3).unwrap_or(cut)
}

/// The stems in a text in lower case. Takes no identifier apart but at underscores: quick enough for bodies.
pub(crate) fn stems(lower_case: &str) -> impl Iterator<Item = &str> {
    lower_case.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(stem)
}

/// A token, and its parts where it has several.
fn spread(token: &str) -> Vec<String> {
    let parts = parts(token);
    let joined = token.to_lowercase();
    if parts.len() < 2 { vec![joined] } else { std::iter::once(joined).chain(parts).collect() }
}

/// Splits at underscores and where the case says so: `HTTPServer_v2` → `http`, `server`, `v2`.
fn parts(token: &str) -> Vec<String> {
    let chars: Vec<char> = token.chars().collect();
    let mut parts = vec![String::new()];
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| chars[i]);
        let next_is_lower = chars.get(i + 1).is_some_and(|next| next.is_lowercase());
        let hump = c.is_uppercase() && before.is_some_and(|b| b.is_lowercase() || (b.is_uppercase() && next_is_lower));
        if c == '_' || hump {
            parts.push(String::new());
        }
        if c != '_'
            && let Some(part) = parts.last_mut()
        {
            part.extend(c.to_lowercase());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_give_joined_form_and_parts() {
        for (text, words) in [
            ("fix it", "fix it"),
            ("parseAuthToken", "parseauthtoken parse auth token"),
            ("HTTPServer", "httpserver http server"),
            ("auth_token", "auth_token auth token"),
            ("__init__", "init"),
            ("Größe, naïve!", "größe naïve"),
            ("ÄnderungsLog", "änderungslog änderungs log"),
        ] {
            let expected: Vec<&str> = words.split(' ').collect();
            assert_eq!(of(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn endings_do_not_part_words_but_stems_do() {
        for (a, b, expected) in [
            ("token", "tokens", true),
            ("race", "racing", true),
            ("cached", "caches", true),
            ("bus", "bu", false),
            ("lease", "lead", false),
            ("is", "i", false),
        ] {
            assert_eq!(stem(a) == stem(b), expected, "{a} {b}");
        }
    }
}
