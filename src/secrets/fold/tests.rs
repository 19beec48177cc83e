//! What is left of a text once it is folded.

use super::Folded;

fn folded(text: &str) -> String {
    String::from_utf8_lossy(&Folded::of(text).bytes).into_owned()
}

/// A character beyond U+FFFF is two escapes in JSON, with as many backslashes as there are
/// encodings over each other; half of one is not a character.
#[test]
fn a_pair_of_escapes_is_one_character() {
    for text in [
        r"a\ud83d\ude00b",
        r"a\uD83D\uDE00b",
        r"a\\ud83d\\ude00b",
        r"a\\\\ud83d\\ude00b",
        r"a\u{1f600}b",
        r"a\U0001f600b",
    ] {
        assert_eq!(folded(text), "a\u{1f600}b", "{text}");
    }
    for (text, expected) in [
        // The first and the last of either half, and what is just beyond.
        (r"\ud800\udc00", "\u{10000}"),
        (r"\udbff\udfff", "\u{10ffff}"),
        (r"\ud83d\udbff", "ud83dudbff"),
        (r"\ud83d\ue000", "ud83d\u{e000}"),
        (r"\ud83d", "ud83d"),
        (r"\ud83d\ud", "ud83dud"),
        (r"\ud7ff", "\u{d7ff}"),
        (r"\udc00", "udc00"),
    ] {
        assert_eq!(folded(text), expected, "{text}");
    }
}

/// The pair is one place in the text, from its first backslash on.
#[test]
fn a_pair_of_escapes_has_its_place() {
    let folded = Folded::of(r"a\ud83d\ude00b");
    assert_eq!(folded.place(0, 1), (0, 1));
    assert_eq!(folded.place(1, 2), (1, 13));
    assert_eq!(folded.place(5, 6), (13, 14));
}
