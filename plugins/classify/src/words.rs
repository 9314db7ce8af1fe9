//! Text to words. Pure.

/// The words of a text in lower case and in their order.
pub(crate) fn of(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// A word without its English ending, so that `invoice` and `invoices` are one.
pub(crate) fn stem(word: &str) -> &str {
    let cut = ["ing", "ed", "es", "s"].into_iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word);
    let cut = if cut.len() < 3 { word } else { cut };
    cut.strip_suffix('e').filter(|shorter| shorter.len() >= 3).unwrap_or(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_and_their_endings_do_not_part_them() {
        assert_eq!(of("Fix the n+1 query!").collect::<Vec<_>>(), ["fix", "the", "n", "1", "query"]);
        assert_eq!(stem("invoices"), stem("invoice"));
        assert_eq!((stem("is"), stem("größe")), ("is", "größ"));
    }
}
