//! Patterns for paths below a folder.

use crate::resource::error::Error;
use regex::Regex;

/// Paths that a pattern stands for: `*` and `?` within a name, `**` across folders. A
/// pattern that stands for a folder stands for all that is in it.
#[derive(Debug)]
pub struct Glob(Regex);

impl Glob {
    /// Reads a pattern; a leading `./` and a trailing slash say nothing.
    ///
    /// # Errors
    /// When the pattern is too large to be compiled.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        let mut text = String::from("^");
        let mut rest = pattern;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("**/") {
                text.push_str("(?:.*/)?");
                rest = after;
            } else if let Some(after) = rest.strip_prefix("**") {
                text.push_str(".*");
                rest = after;
            } else {
                match c {
                    '*' => text.push_str("[^/]*"),
                    '?' => text.push_str("[^/]"),
                    other => text.push_str(&regex::escape(&other.to_string())),
                }
                rest = &rest[c.len_utf8()..];
            }
        }
        text.push_str("(?:/.*)?$");
        // The dot shall stand for a line feed as well: file names may hold one.
        regex::RegexBuilder::new(&text)
            .dot_matches_new_line(true)
            .build()
            .map(Self)
            .map_err(|error| Error::failed(format!("the pattern {pattern:?} is unusable: {error}")))
    }

    /// Whether the path (with forward slashes) is one of them.
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_what_people_expect() {
        for (pattern, path, expected) in [
            ("a.txt", "a.txt", true),
            ("a.txt", "b/a.txt", false),
            ("./a.txt", "a.txt", true),
            ("tests/", "tests/x/y.py", true),
            ("tests", "tests2/x", false),
            ("*.pyc", "a.pyc", true),
            ("*.pyc", "b/a.pyc", false),
            ("**/*.pyc", "b/c/a.pyc", true),
            ("**/*.pyc", "a.pyc", true),
            ("**/__pycache__", "a/__pycache__/b.pyc", true),
            ("**/__pycache__/**", "__pycache__/b.pyc", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a.c", "abc", false),
            ("[x]", "[x]", true),
        ] {
            let glob = Glob::new(pattern).unwrap();
            assert_eq!(glob.matches(path), expected, "{pattern} {path}");
        }
    }
}
