//! The text under construction: lines with an indent, a sign and a colour.

use super::Style;
use anstyle::{AnsiColor, Effects, Style as Paint};
use std::fmt::Write as _;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing of its own.
    Same,
    /// It comes.
    Add,
    /// It changes.
    Change,
    /// It goes.
    Remove,
}

impl Sign {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Same => " ",
            Self::Add => "+",
            Self::Change => "~",
            Self::Remove => "-",
        }
    }

    pub(super) fn paint(self) -> Paint {
        match self {
            Self::Same => Paint::new(),
            Self::Add => GREEN,
            Self::Change => YELLOW,
            Self::Remove => RED,
        }
    }
}

pub(super) const GREEN: Paint = AnsiColor::Green.on_default();
pub(super) const YELLOW: Paint = AnsiColor::Yellow.on_default();
pub(super) const RED: Paint = AnsiColor::Red.on_default();
pub(super) const MAGENTA: Paint = AnsiColor::Magenta.on_default();
pub(super) const CYAN: Paint = AnsiColor::Cyan.on_default();
pub(super) const BOLD: Paint = Paint::new().effects(Effects::BOLD);
pub(super) const DIM: Paint = Paint::new().effects(Effects::DIMMED);

/// The remark that must not be overlooked.
pub(super) const FORCES: &str = "forces replacement";

/// The remark that the update may be refused.
pub(super) const MAY_FORCE: &str = "AWS may refuse to change it in place";

/// The text so far.
pub(super) struct Page<'s> {
    pub(super) out: String,
    pub(super) style: &'s Style,
}

impl<'s> Page<'s> {
    pub(super) fn new(style: &'s Style) -> Self {
        Self {
            out: String::new(),
            style,
        }
    }

    /// A piece of a line.
    pub(super) fn piece(&mut self, paint: Paint, text: &str) {
        if self.style.color && paint != Paint::new() {
            let _ = write!(self.out, "{paint}{text}{paint:#}");
        } else {
            self.out.push_str(text);
        }
    }

    pub(super) fn indent(&mut self, columns: usize) {
        let _ = write!(self.out, "{:columns$}", "");
    }

    pub(super) fn end(&mut self) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
    }

    /// A line with a sign in front; only the sign is coloured.
    pub(super) fn row(&mut self, indent: usize, sign: Sign, text: &str, comments: &[&str]) {
        self.indent(indent);
        self.piece(sign.paint(), sign.text());
        self.out.push(' ');
        self.out.push_str(text);
        self.comment(comments);
        self.end();
    }

    /// A line of a diff: coloured as a whole.
    pub(super) fn diff_line(&mut self, indent: usize, sign: Sign, text: &str) {
        self.indent(indent);
        self.piece(sign.paint(), &format!("{} {text}", sign.text()));
        self.end();
    }

    /// A line with no sign.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        self.indent(indent);
        self.out.push_str(text);
        self.end();
    }

    /// A line that is only a remark.
    pub(super) fn note(&mut self, indent: usize, text: &str) {
        self.indent(indent);
        self.piece(DIM, text);
        self.end();
    }

    /// `  # one, two` at the end of a line.
    pub(super) fn comment(&mut self, comments: &[&str]) {
        for (index, comment) in comments.iter().enumerate() {
            let lead = if index == 0 { "  # " } else { ", " };
            self.piece(DIM, lead);
            let is_loud = [FORCES, MAY_FORCE].contains(comment);
            let paint = if is_loud { MAGENTA } else { DIM };
            self.piece(paint, comment);
        }
    }
}
