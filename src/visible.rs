//! What a reader can see of a text: characters that act on a terminal or show nothing, and
//! letters that look like those of another script (Unicode Technical Standard 39).
//!
//! This serves terminals, JSON and states. JSON is escaped as text once it is written: such
//! characters only stand in strings there.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use unicode_security::is_potential_mixed_script_confusable_char as is_confusable;
use unicode_security::mixed_script::AugmentedScriptSet;

/// What shows nothing, hides in a text, turns its direction, breaks its line or looks like a
/// plain space; besides control characters. Unicode calls most of them default ignorable.
const UNSEEN: &[RangeInclusive<char>] = &[
    '\u{a0}'..='\u{a0}',
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{1680}'..='\u{1680}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{2000}'..='\u{200f}',
    '\u{2028}'..='\u{202f}',
    '\u{205f}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffc}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d159}'..='\u{1d159}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Whether a character could do more than show itself, or does not even do that.
pub fn is_active(c: char) -> bool {
    c.is_control() || (!c.is_ascii() && UNSEEN.iter().any(|range| range.contains(&c)))
}

/// The characters of a text, and whether each has to be written as an escape: it acts, cannot be
/// seen, or is a letter that looks like one of the script around it.
pub fn marked(text: &str) -> impl Iterator<Item = (char, bool)> {
    let foreign = foreign(text);
    text.char_indices()
        .map(move |(at, c)| (c, is_active(c) || foreign.binary_search(&at).is_ok()))
}

/// Whether every character of a text is visible and acts on nothing.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(is_active) && foreign(text).is_empty()
}

/// A JSON text in which the same values are written without a character that acts or cannot be
/// seen: all of these stand in strings, where JSON has an escape for them.
pub fn json(text: &str) -> Cow<'_, str> {
    let must_go = |c: char| c != '\n' && is_active(c);
    // Most texts are ASCII, and a state is long.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n');
    if text.bytes().all(is_plain) || !text.chars().any(must_go) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match must_go(c) {
            true => push_units(&mut out, c),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A character as JSON escapes it: `\u00ad`, of two units beyond U+FFFF.
pub fn push_units(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// Where letters stand that could be taken for others, by byte offset, in order: those of a
/// second script within a word, and words that only have letters which Latin has as well, beside
/// a word of another script. A text in one script, or in those of one language, has none.
fn foreign(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    if text.is_ascii() {
        return found;
    }
    for (start, token) in pieces(text, |c| !c.is_whitespace()) {
        if token.is_ascii() || is_of_one_script(token) {
            continue;
        }
        for (at, word) in pieces(token, is_of_word) {
            let letters = word.char_indices().filter(|(_, c)| !is_latin(*c));
            let letters = letters.filter(|(_, c)| !c.is_ascii());
            let alike = letters.clone().all(|(_, c)| is_confusable(c));
            if !is_readable(word) || alike {
                found.extend(letters.map(|(offset, _)| start + at + offset));
            }
        }
    }
    found
}

/// The longest pieces of a text whose characters are all wanted, with their offsets.
fn pieces(text: &str, wanted: impl Fn(char) -> bool) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), '\0')]) {
        match (wanted(c) && at < text.len(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, &text[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Letters, digits and the marks on them.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && !AugmentedScriptSet::for_char(c).is_all())
}

fn is_latin(c: char) -> bool {
    AugmentedScriptSet::for_char(c) == AugmentedScriptSet::for_char('a')
}

fn is_of_one_script(text: &str) -> bool {
    !AugmentedScriptSet::for_str(text).is_empty()
}

/// Whether a word mixes no scripts but those that are written together: Latin with Chinese,
/// Japanese or Korean.
fn is_readable(word: &str) -> bool {
    if is_of_one_script(word) {
        return true;
    }
    let others: String = word.chars().filter(|c| !is_latin(*c)).collect();
    let scripts = AugmentedScriptSet::for_str(&others);
    scripts.hanb || scripts.jpan || scripts.kore
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> String {
        let parts = marked(text).map(|(c, escaped)| if escaped { '?' } else { c });
        parts.collect()
    }

    #[test]
    fn letters_that_pass_for_others_are_marked() {
        for (text, expected) in [
            ("p\u{430}ypal", "p?ypal"),
            ("\u{440}rod", "?rod"),
            ("prod-\u{430}\u{440}\u{435}", "prod-???"),
            ("prod.\u{3bf}", "prod.?"),
            ("k\u{3bd}s and \u{43e}k", "k?s and ?k"),
            ("prod\u{30ce}x", "prod?x"),
            ("a\u{3164}b\u{115f}\u{2800}\u{e0041}\u{fe0f}", "a?b????"),
        ] {
            assert_eq!(render(text), expected, "{text}");
            assert!(!is_plain(text), "{text}");
        }
    }

    #[test]
    fn what_people_write_stands_as_it_is() {
        for text in [
            "очередь",
            "stacks/очередь.yaml",
            "очередь for orders",
            "注文キューです",
            "AWSのキュー",
            "tablet\u{30bf}\u{30d6}",
            "주문-대기열",
            "größe=10\u{b5}s",
            "συμβάν",
            "naïve café — “x” … ✓",
            "हिन्दी",
            "עברית",
        ] {
            assert_eq!(render(text), text);
            assert!(is_plain(text), "{text}");
        }
    }

    #[test]
    fn json_keeps_its_values() {
        let value = serde_json::json!({"k\u{9b}": "a\u{7f}\u{202e}\u{200b}\u{e0041}\u{3164}é\n"});
        for text in [value.to_string(), format!("{value:#}")] {
            let written = json(&text);
            assert!(
                !written.chars().any(|c| c != '\n' && is_active(c)),
                "{written}"
            );
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            assert_eq!(read, value);
        }
        assert!(matches!(json("{\"a\": \"очередь\"}"), Cow::Borrowed(_)));
    }
}
