//! Text to words as the host's index has them, but for English endings and stop words. Pure.

/// In lower case; an identifier gives its joined form and then its parts, so that `LeaseTable` and `lease_table` meet.
pub(super) fn of(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').flat_map(forms).collect()
}

fn forms(run: &str) -> Vec<String> {
    let parts = parts(run);
    if parts.len() < 2 { parts } else { std::iter::once(parts.concat()).chain(parts).collect() }
}

/// Cuts at underscores and where the case says so.
fn parts(run: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = '_';
    let mut chars = run.chars().peekable();
    while let Some(c) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(|next| next.is_lowercase());
        let hump = c.is_uppercase() && (!before.is_uppercase() || next_is_lower);
        if c != '_' && (before == '_' || hump) {
            parts.push(String::new());
        }
        if c != '_'
            && let Some(part) = parts.last_mut()
        {
            part.extend(c.to_lowercase());
        }
        before = c;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_give_joined_form_and_parts() {
        for (text, words) in [
            ("Fix it, now!", "fix it now"),
            ("LeaseTable lease_table", "leasetable lease table leasetable lease table"),
            ("HTTPServer __init__", "httpserver http server init"),
            ("DAEMON-006", "daemon 006"),
        ] {
            assert_eq!(of(text).join(" "), words);
        }
    }
}
