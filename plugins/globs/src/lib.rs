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
    head: &'a str,
    tail: &'a str,
    /// What it matches does not count.
    pub excludes: bool,
}

const SPECIAL: [char; 9] = ['*', '?', '[', ']', '{', '}', ',', '!', '\\'];

impl<'a> Glob<'a> {
    /// `None` for one that is empty.
    pub fn new(written: &'a str) -> Option<Self> {
        let written = written.trim();
        let excludes = written.starts_with('!');
        let pattern = written.strip_prefix('!').unwrap_or(written).trim_start_matches("./").trim_start_matches('/');
        let head = &pattern[..pattern.find(SPECIAL).unwrap_or(pattern.len())];
        // Every special character is one byte long.
        let tail = &pattern[pattern.rfind(SPECIAL).map_or(0, |at| at + 1)..];
        (!pattern.is_empty()).then_some(Self { written, pattern, head, tail, excludes })
    }

    pub fn matches(&self, path: &str) -> bool {
        if self.head.len() == self.pattern.len() {
            return is_or_lies_in(path, self.pattern) || (!self.pattern.contains('/') && name(path) == self.pattern);
        }
        if !self.pattern.contains('/') {
            let name = name(path);
            return name.starts_with(self.head)
                && name.ends_with(self.tail)
                && fast_glob::glob_match(self.pattern, name);
        }
        if let Some(folder) = self.pattern.strip_suffix('/') {
            return path.starts_with(self.head) && fast_glob::glob_match(format!("{folder}/**"), path);
        }
        path.starts_with(self.head) && path.ends_with(self.tail) && fast_glob::glob_match(self.pattern, path)
    }
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
}
