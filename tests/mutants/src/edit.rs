//! A mutant as an edit of a source text, and a file written with many of them at once.

use std::ops::Range;

/// Stands in [`Piece::Text`] where the switch of the mutant is asked.
pub const ON: &str = "\u{1}";

/// What an edit puts in the place of its range.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// New text; [`ON`] in it becomes the question whether the mutant is on.
    Text(String),
    /// A part of the source, with the edits that lie within it.
    Source(Range<usize>),
}

/// An edit of one range of bytes. What it writes holds the original for a mutant that is off.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    pub range: Range<usize>,
    pub pieces: Vec<Piece>,
}

/// A file with its edits applied.
pub struct Written {
    pub text: String,
    /// Which bytes of the text belong to which mutant; one inside of another may be there twice.
    pub places: Vec<(Range<usize>, usize)>,
}

impl Edit {
    /// Whether both can be in one file: apart, or one within a part of the other that is kept.
    pub fn goes_with(&self, other: &Edit) -> bool {
        let (a, b) = (&self.range, &other.range);
        let apart = a.end <= b.start || b.end <= a.start;
        if a == b || (apart && a.start == b.start) {
            return false;
        }
        apart || self.keeps(b) || other.keeps(a)
    }

    /// Whether the range lies within one kept part, wherever it touches the edit's parts at all.
    fn keeps(&self, range: &Range<usize>) -> bool {
        let within = |part: &Range<usize>| part.start <= range.start && range.end <= part.end;
        let mut parts = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Source(part) => Some(part),
            Piece::Text(_) => None,
        });
        within(&self.range) && *range != self.range && parts.any(within)
    }
}

/// Writes the source with the edits of the mutants, each by its number.
pub fn write(source: &str, edits: &[(usize, &Edit)]) -> Written {
    let mut sorted = edits.to_vec();
    // The outermost of those that start together first.
    sorted.sort_by_key(|(_, edit)| (edit.range.start, std::cmp::Reverse(edit.range.end)));
    let mut written = Written {
        text: String::new(),
        places: Vec::new(),
    };
    part(source, 0..source.len(), &sorted, &mut written);
    written
}

fn part(source: &str, range: Range<usize>, edits: &[(usize, &Edit)], to: &mut Written) {
    let mut at = range.start;
    for (place, (number, edit)) in edits.iter().enumerate() {
        if edit.range.start < at || edit.range.end > range.end {
            continue;
        }
        to.text.push_str(&source[at..edit.range.start]);
        let start = to.text.len();
        let mut inner = edits.to_vec();
        inner.remove(place);
        inner.retain(|(_, other)| edit.keeps(&other.range));
        for piece in &edit.pieces {
            match piece {
                Piece::Text(text) => {
                    let on = format!("crate::mutants::on({number})");
                    to.text.push_str(&text.replace(ON, &on));
                }
                Piece::Source(kept) => part(source, kept.clone(), &inner, to),
            }
        }
        to.places.push((start..to.text.len(), *number));
        at = edit.range.end;
    }
    to.text.push_str(&source[at..range.end]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.into())
    }

    #[test]
    fn edits_within_edits_are_written_in_each_copy() {
        let source = "if a && !b {}";
        let and = Edit {
            range: 3..10,
            pieces: vec![
                text(&format!("(if {ON} {{")),
                Piece::Source(3..4),
                text(" || "),
                Piece::Source(8..10),
                text("} else {"),
                Piece::Source(3..10),
                text("})"),
            ],
        };
        let not = Edit {
            range: 8..10,
            pieces: vec![text(&format!("({ON} ^ ")), Piece::Source(8..10), text(")")],
        };
        assert!(and.goes_with(&not) && not.goes_with(&and) && !not.goes_with(&not.clone()));
        let written = write(source, &[(7, &not), (1, &and)]);
        let not = "(crate::mutants::on(7) ^ !b)";
        assert_eq!(
            written.text,
            format!("if (if crate::mutants::on(1) {{a || {not}}} else {{a && {not}}}) {{}}")
        );
        let of = |number: usize| written.places.iter().filter(|(_, n)| *n == number).count();
        assert_eq!((of(1), of(7)), (1, 2));
    }
}
