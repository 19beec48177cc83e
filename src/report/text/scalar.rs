//! Strings and numbers on one line: as YAML would have them, or as JSON would.

use crate::report::terminal::is_harmless;
use crate::visible;

/// The most characters of a string that are shown.
const LONGEST: usize = 300;

/// The most characters of each of two long strings that differ somewhere.
const WINDOW: usize = 120;

/// What is left in front of the first and behind the last character that differs.
const MARGIN: usize = 24;

/// How strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// Without quotes where YAML needs none.
    Yaml,
    /// In quotes.
    Json,
}

/// A string on one line, cut where it is very long.
pub(super) fn string(text: &str, notation: Notation) -> String {
    let Some((at, _)) = text.char_indices().nth(LONGEST) else {
        return whole(text, notation);
    };
    let rest = text[at..].chars().count();
    format!("{} {}", quoted(&text[..at]), more(rest, "character"))
}

fn whole(text: &str, notation: Notation) -> String {
    if notation == Notation::Yaml && is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Two strings that differ, each on one line; of long ones only the part that differs,
/// with a little of what stands around it.
pub(super) fn pair(old: &str, new: &str) -> (String, String) {
    let (old_chars, new_chars): (Vec<char>, Vec<char>) =
        (old.chars().collect(), new.chars().collect());
    if old_chars.len().max(new_chars.len()) <= WINDOW {
        return (whole(old, Notation::Yaml), whole(new, Notation::Yaml));
    }
    let head = common(old_chars.iter(), new_chars.iter());
    let room = old_chars.len().min(new_chars.len()) - head;
    let tail = common(old_chars.iter().rev(), new_chars.iter().rev()).min(room);
    let skipped = head.saturating_sub(MARGIN);
    let part = |chars: &[char]| {
        let end = (chars.len() - tail.saturating_sub(MARGIN)).min(skipped + LONGEST);
        let mut text = String::new();
        if skipped > 0 {
            text.push('…');
        }
        text.push_str(&quoted(&chars[skipped..end].iter().collect::<String>()));
        if end < chars.len() {
            text.push('…');
        }
        text
    };
    (part(&old_chars), part(&new_chars))
}

fn common<'c>(one: impl Iterator<Item = &'c char>, other: impl Iterator<Item = &'c char>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).count()
}

/// `… (1,234 more lines)`.
pub(super) fn more(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("… ({} more {what}{plural})", thousands(count))
}

/// A number with commas.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The string in quotes, as JSON has it, with all that could act on a terminal escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for (c, marked) in visible::marked(text) {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if marked => visible::push_units(&mut out, c),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether the text can stand without quotes and still read as this string: no space, no
/// mark that YAML gives a meaning, nothing that looks like a number, a date or a bool, nothing
/// that a reader could take for something else.
pub(super) fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let fits = |c: char| {
        c.is_ascii_alphanumeric()
            || (!c.is_ascii() && c.is_alphanumeric())
            || "_-./:@+=*$%~\\'()^!?&;<>|#".contains(c)
    };
    let starts = first.is_alphanumeric() || "_/$.\\(^".contains(first);
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n" | ".inf" | ".nan"
    );
    let number = (first.is_ascii_digit() || first == '.')
        && text
            .chars()
            .all(|c| c.is_ascii_hexdigit() || "xoXO_.+-:".contains(c));
    starts
        && !word
        && !number
        && !text.ends_with(':')
        && text.chars().all(fits)
        && is_harmless(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stand_where_yaml_needs_them() {
        for plain in [
            "orders.fifo",
            "arn:aws:sqs:us-west-2:1:q",
            "$default",
            "/aws/x",
            "a=b",
        ] {
            assert_eq!(string(plain, Notation::Yaml), plain);
        }
        for text in [
            "",
            "true",
            "No",
            "123456789012",
            "2012-10-17",
            "a b",
            "*",
            "${x.y}",
            "k:",
        ] {
            assert_eq!(string(text, Notation::Yaml), format!("{text:?}"));
        }
        assert_eq!(string("plain", Notation::Json), "\"plain\"");
    }

    #[test]
    fn nothing_reaches_the_terminal() {
        assert_eq!(
            string("\u{1b}[2J\u{9b}1m\u{202e}\u{e0041}é", Notation::Yaml),
            "\"\\u001b[2J\\u009b1m\\u202e\\udb40\\udc41é\""
        );
    }

    #[test]
    fn long_strings_are_cut_with_a_count() {
        let text = "x".repeat(LONGEST + 12_345);
        assert!(string(&text, Notation::Yaml).ends_with("xx\" … (12,345 more characters)"));
    }

    #[test]
    fn of_two_long_strings_the_difference_is_shown() {
        let (head, tail) = ("a".repeat(400), "z".repeat(400));
        let (old, new) = pair(&format!("{head}old{tail}"), &format!("{head}new one{tail}"));
        assert_eq!(
            old,
            format!("…\"{}old{}\"…", &head[..MARGIN], &tail[..MARGIN])
        );
        assert_eq!(
            new,
            format!("…\"{}new one{}\"…", &head[..MARGIN], &tail[..MARGIN])
        );
        let (short, long) = pair("aa", &"a".repeat(200));
        assert_eq!((short.as_str(), long.len()), ("\"aa\"", 202));
    }
}
