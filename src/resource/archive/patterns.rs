//! Patterns of paths that an archive excludes, as `.gitignore` writes them; but a name without a
//! slash matches what is directly in the folder.

use globset::{GlobBuilder, GlobMatcher};
use std::cell::Cell;

/// One pattern.
#[derive(Debug)]
struct Pattern {
    /// The pattern, and with a `[` in it also the same string taken literally: a name such as
    /// `[id].js` means that file, too.
    matchers: Vec<GlobMatcher>,
    /// Begins with `!`: includes again what an earlier pattern excluded.
    negated: bool,
    /// Ends in a slash: matches folders only.
    folder: bool,
    /// Whether it stood for anything so far.
    used: Cell<bool>,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, String> {
        let (negated, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (
                false,
                text.strip_prefix('\\')
                    .filter(|it| it.starts_with(['!', '#']))
                    .unwrap_or(text),
            ),
        };
        let trimmed = text.trim_start_matches("./").trim_start_matches('/');
        let bare = trimmed.trim_end_matches('/');
        let compile = |text: &str| {
            let glob = GlobBuilder::new(text)
                .literal_separator(true)
                .backslash_escape(true)
                .build();
            let glob = glob.map_err(|error| error.kind().to_string())?;
            Ok::<_, String>(glob.compile_matcher())
        };
        let mut matchers = Vec::new();
        match compile(bare) {
            Ok(matcher) => matchers.push(matcher),
            Err(why) if !bare.contains('[') => return Err(why),
            Err(_) => {}
        }
        if bare.contains('[') {
            matchers.push(compile(&globset::escape(bare))?);
        }
        Ok(Self {
            matchers,
            negated,
            folder: trimmed.ends_with('/'),
            used: Cell::new(false),
        })
    }

    fn stands_for(&self, path: &str, is_folder: bool) -> bool {
        let found = (is_folder || !self.folder)
            && self.matchers.iter().any(|matcher| matcher.is_match(path));
        self.used.set(self.used.get() || found);
        found
    }
}

/// Patterns in their order.
#[derive(Debug)]
pub struct Patterns(Vec<Pattern>);

impl Patterns {
    /// Reads patterns.
    ///
    /// # Errors
    /// Which one cannot be understood, by its place in the list, and why.
    pub fn new(texts: &[String]) -> Result<Self, (usize, String)> {
        let all = texts.iter().enumerate();
        all.map(|(index, text)| Pattern::new(text).map_err(|why| (index, why)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the path (with forward slashes, from the folder) is excluded: the last pattern that
    /// matches it decides. An excluded folder is not read.
    pub fn leave_out(&self, path: &str, is_folder: bool) -> bool {
        let standing = self.0.iter().fold(None, |last, pattern| {
            pattern
                .stands_for(path, is_folder)
                .then_some(pattern)
                .or(last)
        });
        standing.is_some_and(|pattern| !pattern.negated)
    }

    /// The places in the list of those that stood for nothing.
    pub fn unused(&self) -> Vec<usize> {
        let all = self.0.iter().enumerate();
        all.filter(|(_, pattern)| !pattern.used.get())
            .map(|(index, _)| index)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The excluded paths; of folders with all that is in them.
    fn excluded(patterns: &[&str], path: &str) -> bool {
        let texts: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
        let patterns = Patterns::new(&texts).unwrap();
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders
            .into_iter()
            .any(|folder| patterns.leave_out(folder, true))
            || patterns.leave_out(path, false)
    }

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
            // As in .gitignore.
            ("/a.txt", "a.txt", true),
            ("/a.txt", "b/a.txt", false),
            ("{a,b}/**", "a/x", true),
            ("{a,b}/**", "b/x/y", true),
            ("{a,b}/**", "c/x", false),
            ("*.{md,txt}", "a.md", true),
            ("**/.env*", "x/.env.local", true),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("[ab].txt", "a.txt", true),
            ("[!ab].txt", "a.txt", false),
            ("tests/", "tests", false),
            ("\\!a", "!a", true),
            ("#a", "#a", true),
            ("a b ", "a b ", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
        ] {
            assert_eq!(excluded(&[pattern], path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_pattern_decides_and_an_excluded_folder_stays_so() {
        let logs = ["*.log", "!keep.log"];
        assert!(excluded(&logs, "a.log"));
        assert!(!excluded(&logs, "keep.log"));
        assert!(excluded(&["!keep.log", "*.log"], "keep.log"));
        let but_one = ["node_modules/*", "!node_modules/one"];
        assert!(excluded(&but_one, "node_modules/two/x"));
        assert!(!excluded(&but_one, "node_modules/one/x"));
        assert!(excluded(
            &["node_modules", "!node_modules/one"],
            "node_modules/one/x"
        ));
    }

    #[test]
    fn a_pattern_without_a_match_and_an_invalid_one_are_reported() {
        let texts = ["a".to_owned(), "b/**".to_owned(), "!c".to_owned()];
        let patterns = Patterns::new(&texts).unwrap();
        patterns.leave_out("a", false);
        assert_eq!(patterns.unused(), [1, 2]);
        assert_eq!(
            Patterns::new(&["a".to_owned(), "{a".to_owned()])
                .unwrap_err()
                .0,
            1
        );
    }
}
