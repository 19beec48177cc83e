//! Output that is safe for a terminal: text that does not move the cursor, colours where they are
//! wanted, lines no wider than the terminal.

use crate::visible;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The width used where no terminal reports one.
pub const DEFAULT_WIDTH: usize = 100;

/// Whether the text can be shown as it is.
pub fn is_harmless(text: &str) -> bool {
    visible::is_plain(text)
}

/// The text with every character that could act on a terminal, cannot be seen or passes for
/// another one written as an escape.
pub fn escape(text: &str) -> Cow<'_, str> {
    if is_harmless(text) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for (c, marked) in visible::marked(text) {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if marked => {
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// The same with line breaks kept, for text that may have several lines.
pub fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// What decides whether there are colours.
#[derive(Debug, Clone, Copy, Default)]
pub struct ColorInputs<'a> {
    /// Whether the stream is a terminal.
    pub is_terminal: bool,
    /// `--no-color`.
    pub no_color_flag: bool,
    /// `NO_COLOR`; set to anything but the empty string it switches colours off.
    pub no_color: Option<&'a str>,
    /// `TERM`; `dumb` has no colours.
    pub term: Option<&'a str>,
}

/// Whether to use colours: only on a terminal that nobody asked to do without.
pub fn color(inputs: ColorInputs<'_>) -> bool {
    inputs.is_terminal
        && !inputs.no_color_flag
        && inputs.no_color.unwrap_or_default().is_empty()
        && inputs.term != Some("dumb")
}

/// The number of columns that a text takes, escape sequences not counted.
pub fn columns(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The text cut to so many columns, with `…` at its end where something is missing.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    console::truncate_str(text, columns, "…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_need_a_terminal_that_nobody_objects_to() {
        let terminal = ColorInputs {
            is_terminal: true,
            term: Some("xterm"),
            ..ColorInputs::default()
        };
        assert!(color(terminal));
        let objections = [
            ColorInputs {
                is_terminal: false,
                ..terminal
            },
            ColorInputs {
                no_color_flag: true,
                ..terminal
            },
            ColorInputs {
                no_color: Some("1"),
                ..terminal
            },
            ColorInputs {
                term: Some("dumb"),
                ..terminal
            },
        ];
        assert!(!objections.into_iter().any(color));
        assert!(color(ColorInputs {
            no_color: Some(""),
            ..terminal
        }));
    }

    #[test]
    fn what_acts_on_a_terminal_is_written_out() {
        assert_eq!(
            escape("a\x1b[31m\u{9b}\r\n\u{202e}é"),
            "a\\u{1b}[31m\\u{9b}\\r\\n\\u{202e}é"
        );
        assert_eq!(escape_lines("a\nb\x07"), "a\nb\\u{7}");
        assert_eq!(fit("abcdef", 4), "abc…");
    }
}
