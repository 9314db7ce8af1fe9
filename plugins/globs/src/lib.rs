//! Whether a path is one that a glob of a rule or a map means. Pure: no plugin by itself, the bundled ones share it.
//!
//! As the tools do that such rules are written for: `*.rs` is a file name in any folder, `src/` and `src` are everything
//! below, `{a,b}` and `[ab]` are alternatives, and several globs may stand in one value, with commas between them.

/// A glob with what every path must begin and end with: that rules most paths out without a look at the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Glob<'a> {
    /// As it was written.
    pub written: &'a str,
    pattern: &'a str,
    /// The pattern without braces, once for each choice in them. The matcher tries all choices of all braces together, with
    /// every place of a `*` between them: one short line of them would keep it busy for ever. Without braces it goes back to
    /// the last `*` and the last `**` only.
    choices: Vec<String>,
    head: &'a str,
    tail: &'a str,
    /// What it matches does not count.
    pub excludes: bool,
}

const SPECIAL: [char; 9] = ['*', '?', '[', ']', '{', '}', ',', '!', '\\'];

/// More choices in all braces of a glob together are no pattern that anybody wrote.
const MAX_CHOICES: usize = 256;
/// A longer one is none either.
const MAX_BYTES: usize = 1_024;

impl<'a> Glob<'a> {
    /// `None` for one that is empty, or that `refusal` refuses.
    pub fn new(written: &'a str) -> Option<Self> {
        let written = written.trim();
        let excludes = written.starts_with('!');
        let pattern = pattern(written);
        let choices = choices(pattern).ok()?;
        let head = &pattern[..pattern.find(SPECIAL).unwrap_or(pattern.len())];
        // Every special character is one byte long.
        let tail = &pattern[pattern.rfind(SPECIAL).map_or(0, |at| at + 1)..];
        (!pattern.is_empty()).then_some(Self { written, pattern, choices, head, tail, excludes })
    }

    pub fn matches(&self, path: &str) -> bool {
        if self.head.len() == self.pattern.len() {
            return is_or_lies_in(path, self.pattern) || (!self.pattern.contains('/') && name(path) == self.pattern);
        }
        if !self.pattern.contains('/') {
            let name = name(path);
            return name.starts_with(self.head) && name.ends_with(self.tail) && self.fits(name);
        }
        // What ends with a slash is a folder: all that lies in it is meant.
        let tail = if self.pattern.ends_with('/') { "" } else { self.tail };
        path.starts_with(self.head) && path.ends_with(tail) && self.fits(path)
    }

    fn fits(&self, text: &str) -> bool {
        self.choices.iter().any(|choice| fast_glob::glob_match(choice, text))
    }
}

/// Why a glob is none: it is not closed, or it has more choices than anybody means.
pub fn refusal(written: &str) -> Option<String> {
    choices(pattern(written.trim())).err()
}

/// Without what says that it excludes, and from the root.
fn pattern(written: &str) -> &str {
    written.strip_prefix('!').unwrap_or(written).trim_start_matches("./").trim_start_matches('/')
}

/// The pattern once for each choice in its braces.
fn choices(pattern: &str) -> Result<Vec<String>, String> {
    if pattern.len() > MAX_BYTES {
        return Err(format!("it is longer than {MAX_BYTES} bytes"));
    }
    fast_glob::validate(pattern).map_err(|error| error.to_string())?;
    let folder = if pattern.ends_with('/') { "**" } else { "" };
    let mut pending = vec![format!("{pattern}{folder}")];
    let mut done = Vec::new();
    while let Some(next) = pending.pop() {
        let Some((open, parts, close)) = braces(&next) else {
            // Only at the start of the whole pattern it would negate.
            let literal = next.starts_with('!') && pattern.starts_with('{');
            done.push(if literal { format!("\\{next}") } else { next });
            continue;
        };
        if done.len() + pending.len() + parts.len() > MAX_CHOICES {
            return Err(format!("its braces have more than {MAX_CHOICES} choices"));
        }
        let (before, after) = (&next[..open], &next[close + 1..]);
        pending.extend(parts.iter().rev().map(|part| format!("{before}{part}{after}")));
    }
    Ok(done)
}

/// The first braces that no others are around: where they open, what they part, and where they close.
fn braces(pattern: &str) -> Option<(usize, Vec<&str>, usize)> {
    let (mut open, mut start, mut depth) = (0, 0, 0_u32);
    let mut parts = Vec::new();
    let bytes = pattern.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => at = class_end(bytes, at),
            b'{' => {
                depth += 1;
                if depth == 1 {
                    (open, start) = (at, at + 1);
                }
            }
            b',' if depth == 1 => {
                parts.push(&pattern[start..at]);
                start = at + 1;
            }
            b'}' if depth == 1 => {
                parts.push(&pattern[start..at]);
                return Some((open, parts, at));
            }
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The `]` of the class that begins here, by the matcher's rules: the first character in it never closes it.
fn class_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    if matches!(bytes.get(at), Some(b'^' | b'!')) {
        at += 1;
    }
    let first = at;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b']' if at > first => return at,
            b'\\' => at += 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// The globs of one value: commas part them, but for those between braces.
pub fn split(value: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    let parts = value.split(move |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(|part| part.trim().trim_matches(['"', '\''])).filter(|part| !part.is_empty())
}

/// Whether a path is that file, or lies in that folder. The folder `""` or `.` is the project.
pub fn is_or_lies_in(path: &str, place: &str) -> bool {
    let place = place.trim_end_matches('/');
    if place.is_empty() || place == "." {
        return true;
    }
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        Glob::new(glob).is_some_and(|glob| glob.matches(path))
    }

    #[test]
    fn globs_mean_what_rule_files_mean_by_them() {
        for (glob, path, expected) in [
            ("*.rs", "src/deep/a.rs", true),
            ("*.rs", "src/a.rst", false),
            ("**/*.rs", "a.rs", true),
            ("**/*.rs", "src/deep/a.rs", true),
            ("src/**", "src/deep/a.rs", true),
            ("src/**", "lib/src/a.rs", false),
            ("src/*.rs", "src/deep/a.rs", false),
            ("src/**/*.{ts,tsx}", "src/deep/a.tsx", true),
            ("src/**/*.{ts,tsx}", "src/deep/a.js", false),
            ("./src/[ab].c", "src/b.c", true),
            ("/src/?.c", "src/c.c", true),
            ("src/", "src/deep/a.rs", true),
            ("src", "src/deep/a.rs", true),
            ("src", "srcs/a.rs", false),
            ("crates/*/", "crates/x/src/a.rs", true),
            ("Makefile", "deep/Makefile", true),
            ("deep/Makefile", "very/deep/Makefile", false),
            ("*", "any/file", true),
            ("**", "any/file", true),
            ("", "any/file", false),
            ("größe/*.md", "größe/ä.md", true),
            ("{a,{b,c}/d}/*.{rs,md}", "b/d/x.md", true),
            ("{a,{b,c}/d}/*.{rs,md}", "b/x.md", false),
            ("{src,lib}/", "lib/deep/a.rs", true),
            ("a{,b}.rs", "a.rs", true),
            ("{!a,b}", "!a", true),
            ("{!a,b}", "c", false),
            ("[{,]x/y", "{x/y", true),
            ("\\{a,b/y", "{a,b/y", true),
        ] {
            assert_eq!(matches(glob, path), expected, "{glob} {path}");
        }
    }

    #[test]
    fn a_value_may_hold_several_globs() {
        let all = |value: &'static str| split(value).collect::<Vec<_>>();
        assert_eq!(all("**/*.ts, **/*.tsx"), ["**/*.ts", "**/*.tsx"]);
        assert_eq!(all("src/**/*.{ts,tsx},\"lib/**\""), ["src/**/*.{ts,tsx}", "lib/**"]);
        assert_eq!(all(" , "), Vec::<&str>::new());
    }

    #[test]
    fn a_file_lies_in_its_folders_and_in_the_project() {
        for (path, place, expected) in [
            ("src/a.rs", "src", true),
            ("src/a.rs", "src/", true),
            ("src/a.rs", "", true),
            ("src/a.rs", ".", true),
            ("srcs/a.rs", "src", false),
        ] {
            assert_eq!(is_or_lies_in(path, place), expected, "{path} {place}");
        }
    }

    #[test]
    fn what_is_excluded_says_so() {
        let glob = Glob::new("!src/**").unwrap();
        assert!(glob.excludes && glob.matches("src/a.rs"));
    }

    #[test]
    fn what_would_keep_the_matcher_busy_or_is_not_closed_is_no_glob() {
        let many = "{?,?,?,?,?,?,?,?}".repeat(10) + "~*";
        for (glob, why) in [
            (many.as_str(), "more than 256 choices"),
            ("{a,b}{c,{d,e}}*", ""),
            ("{a,b}".repeat(8).as_str(), ""),
            ("{a,b}".repeat(9).as_str(), "more than 256 choices"),
            (format!("{{{}}}", "a,".repeat(300)).as_str(), "more than 256 choices"),
            ("a".repeat(2_000).as_str(), "longer than"),
            ("src/{a", "unclosed"),
            ("src/[a", "unclosed"),
            ("src/a\\", "backslash"),
        ] {
            let refused = refusal(glob);
            assert_eq!(refused.is_none(), why.is_empty(), "{glob}: {refused:?}");
            assert_eq!(Glob::new(glob).is_some(), why.is_empty(), "{glob}");
            assert!(refused.unwrap_or_default().contains(why), "{glob}");
        }
        // Each `*` between braces has every place to be tried, too.
        assert!(!matches(&format!("{}x", "*{a,b}".repeat(8)), &"ab".repeat(100)));
    }
}
