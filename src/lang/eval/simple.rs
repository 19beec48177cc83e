//! References that need no parser: `a.b["c"][0]`, which is most of what stacks hold.

use super::root::Root;
use crate::data::Path;
use std::ops::Range;

/// A reference that needs no parser, and where it stands in its string.
pub(super) struct Simple {
    pub(super) root: Root,
    pub(super) name: String,
    pub(super) attribute: Path,
    pub(super) range: Range<usize>,
}

/// Reads `a.b["c"][0] }` from `start` on; returns the reference and where its `}` ends.
pub(super) fn simple(text: &str, start: usize) -> Option<(Simple, usize)> {
    let blank = |at: usize| {
        let rest = text.as_bytes()[at..].iter();
        at + rest.take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    };
    let from = blank(start);
    let mut at = identifier(text, from)?;
    let first = &text[from..at];
    if matches!(first, "true" | "false" | "null") {
        return None;
    }
    let root = Root::of(first);
    let mut name = (root == Root::Resource).then(|| first.to_owned());
    let mut attribute = Path::root();
    loop {
        let segment = match text.as_bytes().get(at)? {
            b'.' => {
                let end = identifier(text, at + 1)?;
                let segment = &text[at + 1..end];
                at = end;
                segment
            }
            b'[' => {
                let (segment, end) = index(text, at + 1)?;
                at = end;
                segment
            }
            _ => break,
        };
        match name {
            None => name = Some(segment.to_owned()),
            Some(_) => attribute = attribute.join(segment),
        }
    }
    let end = at;
    let at = blank(at);
    if text.as_bytes().get(at) != Some(&b'}') {
        return None;
    }
    let name = match name {
        Some(name) => name,
        None if matches!(root, Root::Each | Root::Stack) => String::new(),
        None => return None,
    };
    Some((
        Simple {
            root,
            name,
            attribute,
            range: from..end,
        },
        at + 1,
    ))
}

/// Whether a string is a valid name: a letter or `_`, then letters, digits, `_`, `-`.
pub fn is_identifier(text: &str) -> bool {
    identifier(text, 0) == Some(text.len())
}

/// The end of the identifier that starts at `start`.
fn identifier(text: &str, start: usize) -> Option<usize> {
    let rest = text.as_bytes().get(start..)?;
    let first = *rest.first()?;
    if !(first.is_ascii_alphabetic() || first == b'_') {
        return None;
    }
    let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let length = rest.iter().take_while(in_name).count();
    // Letters beyond ASCII are the parser's business.
    (rest.get(length).is_none_or(u8::is_ascii)).then_some(start + length)
}

/// The text of a fixed index that starts after its `[`, and where its `]` ends.
fn index(text: &str, start: usize) -> Option<(&str, usize)> {
    let rest = text.get(start..)?;
    if let Some(quoted) = rest.strip_prefix('"') {
        let length = quoted.find('"')?;
        let key = &quoted[..length];
        let plain = !key.contains(['\\', '$', '%', '\n']);
        return (plain && quoted[length + 1..].starts_with(']'))
            .then_some((key, start + length + 3));
    }
    let length = rest.find(']')?;
    let digits = &rest[..length];
    (!digits.is_empty() && digits.len() < 10 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then_some((digits.trim_start_matches('0'), start + length + 1))
        .map(|(digits, end)| (if digits.is_empty() { "0" } else { digits }, end))
}
