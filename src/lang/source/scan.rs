//! A quick look over the text, before the parser sees it.
//!
//! libyaml looks at every open bracket for every token, so that 200,000 of them take minutes.
//! This scan follows just as much of YAML as is needed to know how deep a text is nested and
//! how many parts it has: quotes, comments, block scalars, indentation and brackets.

use super::{DEEPEST, MOST_NODES};
use std::ops::Range;

type Refusal = (usize, String);

/// Refuses a text that is nested too deeply, has too many parts or a second document.
pub(super) fn scan(text: &str) -> Result<(), Refusal> {
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        ..Scan::default()
    };
    while scan.at < scan.bytes.len() {
        scan.line()?;
    }
    Ok(())
}

/// The quoted strings that go over several lines, quotes included; one that does not end goes to
/// the end of the text.
pub(super) fn quoted_over_lines(text: &str) -> Vec<Range<usize>> {
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        ..Scan::default()
    };
    while scan.at < scan.bytes.len() && scan.line().is_ok() {}
    scan.long
}

#[derive(Default)]
struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line_start: usize,
    /// The columns of the blocks that are open.
    blocks: Vec<usize>,
    /// How many brackets are open.
    flow: usize,
    nodes: usize,
    /// The quoted strings that go over several lines.
    long: Vec<Range<usize>>,
    content: bool,
    ended: bool,
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(b'\n')
    }

    fn is_end(byte: u8) -> bool {
        matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
    }

    /// One line, up to its end; a quoted string takes the lines it spans with it.
    fn line(&mut self) -> Result<(), Refusal> {
        self.line_start = self.at;
        // A directive, such as %YAML 1.2, stands before the document.
        if self.peek(0) == b'%' && !self.content && !self.ended {
            self.skip_line();
            return Ok(());
        }
        if self.marker()? {
            return Ok(());
        }
        while self.peek(0) == b' ' || (self.flow > 0 && self.peek(0) == b'\t') {
            self.at += 1;
        }
        if self.flow == 0 && !matches!(self.peek(0), b'\n' | b'\r' | b'#') {
            self.content()?;
            self.open_block(self.at - self.line_start)?;
        }
        let mut start = true;
        while self.at < self.bytes.len() && self.peek(0) != b'\n' {
            start = self.token(start)?;
        }
        self.at += 1;
        Ok(())
    }

    fn content(&mut self) -> Result<(), Refusal> {
        if self.ended {
            return Err(self.second());
        }
        self.content = true;
        Ok(())
    }

    fn second(&self) -> Refusal {
        let message = "a second document starts here; a file holds one stack".to_owned();
        (self.line_start, message)
    }

    /// `---` and `...` at the start of a line.
    fn marker(&mut self) -> Result<bool, Refusal> {
        let rest = &self.bytes[self.at..];
        let is =
            |mark: &[u8]| rest.starts_with(mark) && rest.get(3).is_none_or(|b| Self::is_end(*b));
        if is(b"...") {
            self.ended = self.content;
            self.skip_line();
            return Ok(true);
        }
        if is(b"---") {
            if self.content || self.ended {
                return Err(self.second());
            }
            // A bare mark counts as content: the next one starts another document.
            self.content = true;
            self.at += 3;
        }
        Ok(false)
    }

    fn skip_line(&mut self) {
        self.at = self.text[self.at..]
            .find('\n')
            .map_or(self.bytes.len(), |end| self.at + end + 1);
    }

    fn open_block(&mut self, column: usize) -> Result<(), Refusal> {
        while self.blocks.last().is_some_and(|top| *top > column) {
            self.blocks.pop();
        }
        if self.blocks.last() != Some(&column) {
            self.blocks.push(column);
        }
        self.count()
    }

    fn count(&mut self) -> Result<(), Refusal> {
        self.nodes += 1;
        if self.blocks.len() + self.flow > DEEPEST {
            return Err((
                self.at,
                format!("the file is nested more than {DEEPEST} levels deep"),
            ));
        }
        if self.nodes > MOST_NODES {
            return Err((
                self.at,
                format!("the file has more than {MOST_NODES} values"),
            ));
        }
        Ok(())
    }

    /// One token; returns whether another may start right after it.
    fn token(&mut self, start: bool) -> Result<bool, Refusal> {
        let byte = self.peek(0);
        if matches!(byte, b' ' | b'\t' | b'\r') {
            self.at += 1;
            if self.peek(0) == b'#' {
                self.skip_rest();
            }
            return Ok(start);
        }
        if byte == b'#' && (self.at == self.line_start || Self::is_end(self.bytes[self.at - 1])) {
            self.skip_rest();
            return Ok(false);
        }
        match byte {
            b'[' | b'{' if start || self.flow > 0 => {
                self.flow += 1;
                self.at += 1;
                self.count()?;
                Ok(true)
            }
            b']' | b'}' if self.flow > 0 => {
                self.flow -= 1;
                self.at += 1;
                Ok(false)
            }
            b',' if self.flow > 0 => {
                self.at += 1;
                self.count()?;
                Ok(true)
            }
            b':' if Self::is_end(self.peek(1)) || self.flow > 0 => {
                self.at += 1;
                self.count()?;
                Ok(true)
            }
            _ => self.node(byte, start),
        }
    }

    /// A token that is a node, or starts one.
    fn node(&mut self, byte: u8, start: bool) -> Result<bool, Refusal> {
        match byte {
            b'-' | b'?' if start && Self::is_end(self.peek(1)) => {
                self.at += 1;
                while self.peek(0) == b' ' {
                    self.at += 1;
                }
                if self.flow == 0 && self.peek(0) != b'\n' {
                    self.open_block(self.at - self.line_start)?;
                }
                Ok(true)
            }
            b'"' | b'\'' if start => {
                self.quoted(byte);
                Ok(false)
            }
            b'&' | b'*' | b'!' if start => {
                while !(Self::is_end(self.peek(0))
                    || self.flow > 0 && b",[]{}".contains(&self.peek(0)))
                {
                    self.at += 1;
                }
                Ok(byte != b'*')
            }
            b'|' | b'>' if start && self.flow == 0 && self.is_block_header() => {
                self.block_scalar();
                Ok(false)
            }
            _ => {
                self.plain();
                Ok(false)
            }
        }
    }

    fn skip_rest(&mut self) {
        self.at = self.text[self.at..]
            .find('\n')
            .map_or(self.bytes.len(), |end| self.at + end);
    }

    fn quoted(&mut self, quote: u8) {
        let start = self.at;
        self.skip_to_its_end(quote);
        let end = self.at.min(self.bytes.len());
        if self.bytes[start..end].contains(&b'\n') {
            self.long.push(start..end);
        }
    }

    fn skip_to_its_end(&mut self, quote: u8) {
        self.at += 1;
        while self.at < self.bytes.len() {
            let byte = self.peek(0);
            self.at += 1;
            if byte == b'\\' && quote == b'"' {
                self.at += 1;
            } else if byte == quote {
                if quote == b'\'' && self.peek(0) == b'\'' {
                    self.at += 1;
                    continue;
                }
                return;
            }
        }
    }

    /// A plain scalar, up to what ends it on this line.
    fn plain(&mut self) {
        loop {
            let byte = self.peek(0);
            let ends = match byte {
                b'\n' => true,
                b':' => {
                    Self::is_end(self.peek(1))
                        || (self.flow > 0 && b",[]{}".contains(&self.peek(1)))
                }
                b' ' | b'\t' => self.peek(1) == b'#',
                b',' | b'[' | b']' | b'{' | b'}' => self.flow > 0,
                _ => false,
            };
            if ends || self.at >= self.bytes.len() {
                return;
            }
            self.at += 1;
        }
    }

    fn is_block_header(&self) -> bool {
        let end = self.text[self.at..]
            .find('\n')
            .unwrap_or(self.bytes.len() - self.at);
        let header = &self.bytes[self.at + 1..self.at + end];
        let marks = header
            .iter()
            .take_while(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-'))
            .count();
        let rest = header[marks..].trim_ascii_start();
        rest.is_empty() || (rest[0] == b'#' && rest.len() < header.len() - marks)
    }

    /// A block scalar's lines: blank ones, and those indented more than the block around.
    fn block_scalar(&mut self) {
        let around = self.blocks.last().copied().unwrap_or(0);
        self.skip_line();
        while self.at < self.bytes.len() {
            let line = self.text[self.at..].lines().next().unwrap_or_default();
            let indent = line.len() - line.trim_start_matches(' ').len();
            let blank = line.trim().is_empty();
            if !blank && indent <= around {
                break;
            }
            self.skip_line();
        }
        // The line after it starts a line of its own: step back onto the line break.
        self.at -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One key in another, each on its own line.
    fn nested(levels: usize) -> String {
        let line = |level: usize| format!("{}k:\n", " ".repeat(level));
        (0..levels).map(line).collect()
    }

    #[test]
    fn blocks_count_by_their_columns() {
        assert!(scan(&nested(DEEPEST)).is_ok());
        let (at, message) = scan(&nested(DEEPEST + 1)).unwrap_err();
        assert!(at >= nested(DEEPEST).len(), "{at}");
        assert!(message.contains("nested"), "{message}");
        // What is indented less closes the blocks of what was indented more.
        assert!(scan(&nested(DEEPEST).repeat(2)).is_ok());
        let dashes = format!("{}x\n", "- ".repeat(DEEPEST + 1));
        assert!(scan(&dashes).is_err());
    }

    #[test]
    fn a_block_scalar_ends_where_the_block_around_goes_on() {
        // A bracket in the text is none; one behind it is.
        let brackets = "[".repeat(DEEPEST);
        let text = format!("a:\n  b: |\n    {brackets}\n\n    [\n  c: x\n");
        assert!(scan(&text).is_ok());
        let behind = format!("a:\n  b: |\n    text\n  c: {brackets}\n");
        assert!(scan(&behind).is_err());
        let quoted = "a:\n  b: |\n    'text\n  c: 'two\n   lines'\n";
        let found = quoted_over_lines(quoted);
        assert_eq!(&quoted[found[0].clone()], "'two\n   lines'");
    }
}
