//! Regular expressions of a stack file. A short one may be large once it is compiled, and take
//! long: such ones are distinguished, so that a file can have only so many of them.

use regex::{Regex, RegexBuilder};

/// The most bytes of a pattern, compiled, that counts as small.
const SMALL: usize = 64 << 10;

/// A pattern that was compiled.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// Whether it is so large that compiling and matching it take long.
    pub(crate) is_large: bool,
}

/// Compiles a pattern, which may have `largest` bytes then; a large one takes milliseconds, so that
/// with `None` only a small one is compiled.
///
/// # Errors
/// When it is not a regular expression, or too large.
pub(crate) fn compile(text: &str, largest: Option<usize>) -> Result<Pattern, regex::Error> {
    let with = |limit: usize| RegexBuilder::new(text).size_limit(limit).build();
    match with(SMALL) {
        Ok(regex) => Ok(Pattern {
            regex,
            is_large: false,
        }),
        Err(regex::Error::CompiledTooBig(limit)) => match largest {
            Some(largest) => Ok(Pattern {
                regex: with(largest)?,
                is_large: true,
            }),
            None => Err(regex::Error::CompiledTooBig(limit)),
        },
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_pattern_is_distinguished_from_a_small_one() {
        assert!(!compile("^[a-z-]{1,63}$", None).unwrap().is_large);
        assert!(
            compile(r"^(\w{1,64}){1,2}$", Some(10 << 20))
                .unwrap()
                .is_large
        );
        assert!(compile(r"^(\w{1,64}){1,2}$", None).is_err());
        assert!(compile(r"^((\w{1,64}){1,64}){1,64}$", Some(1 << 20)).is_err());
        assert!(compile("(", None).is_err());
    }
}
