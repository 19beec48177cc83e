//! The text as a tree of nodes with their places and styles, from the events of a parser.

use crate::data::Path;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// A node: the bytes it covers, and what it is.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) start: usize,
    /// Behind its last byte; of a block collection, behind that of its last part.
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Style, String),
    Map(Layout, Vec<(Node, Node)>),
    List(Layout, Vec<Node>),
    Alias,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Block,
    Flow,
}

/// The tree of the first document.
pub(super) fn tree(text: &str) -> Result<Node, String> {
    let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut bytes: Vec<usize> = text[mark..]
        .char_indices()
        .map(|(at, _)| at + mark)
        .collect();
    bytes.push(text.len());
    let mut builder = Builder {
        text,
        bytes,
        events: Parser::new_from_str(&text[mark..]),
    };
    loop {
        match builder.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd | Event::DocumentEnd, _) => return Err("it is empty".to_owned()),
            (event, span) => return builder.node(event, span),
        }
    }
}

struct Builder<'t> {
    text: &'t str,
    /// The byte at which each character starts: the parser counts characters.
    bytes: Vec<usize>,
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
}

impl<'t> Builder<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), String> {
        match self.events.next_event() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("it ends early".to_owned()),
        }
    }

    fn byte(&self, character: usize) -> usize {
        self.bytes
            .get(character)
            .copied()
            .unwrap_or(self.text.len())
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Node, String> {
        let (start, end) = (self.byte(span.start.index()), self.byte(span.end.index()));
        match event {
            Event::Alias(_) => Ok(Node {
                start,
                end,
                kind: Kind::Alias,
            }),
            Event::Scalar(value, style, ..) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let covered = self.text.get(start..end).unwrap_or_default();
                // A value that is not written at all has no width of its own; a block scalar's span
                // goes from behind its header up to what follows.
                let (start, end) = match style {
                    Style::Plain => (start, start + covered.trim_end().len()),
                    Style::Block => (self.header(start)?, start + covered.trim_end().len()),
                    Style::Single | Style::Double => (start, end),
                };
                Ok(Node {
                    start,
                    end,
                    kind: Kind::Scalar(style, value.into_owned()),
                })
            }
            Event::SequenceStart(..) => {
                let layout = self.layout(start, '[');
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, close) => {
                            let last = items.last().map(|item: &Node| item.end);
                            let end = self.close(layout, last, start, close);
                            let start = first(layout, start, items.first());
                            return Ok(Node {
                                start,
                                end,
                                kind: Kind::List(layout, items),
                            });
                        }
                        (event, span) => items.push(self.node(event, span)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let layout = self.layout(start, '{');
                let mut entries = Vec::new();
                loop {
                    match self.next()? {
                        (Event::MappingEnd, close) => {
                            let last = entries.last().map(|(_, value): &(Node, Node)| value.end);
                            let end = self.close(layout, last, start, close);
                            let start = first(layout, start, entries.first().map(|(key, _)| key));
                            return Ok(Node {
                                start,
                                end,
                                kind: Kind::Map(layout, entries),
                            });
                        }
                        (event, span) => {
                            let key = self.node(event, span)?;
                            let (event, span) = self.next()?;
                            let mut value = self.node(event, span)?;
                            if value.start == value.end {
                                // Not written: its place is behind the key's colon.
                                let colon = self.text[key.end..].find(':').unwrap_or(0);
                                value.start = key.end + colon + 1;
                                value.end = value.start;
                            }
                            entries.push((key, value));
                        }
                    }
                }
            }
            _ => Err("it has a shape that is not understood".to_owned()),
        }
    }

    /// Where the `|` or `>` is of the block scalar whose content starts here.
    fn header(&self, content: usize) -> Result<usize, String> {
        let mut end = content;
        while let Some(line_end) = self.text[..end].rfind('\n') {
            let start = self.text[..line_end].rfind('\n').map_or(0, |at| at + 1);
            let line = &self.text[start..line_end];
            let line = line.split(" #").next().unwrap_or_default();
            if !line.trim().is_empty() {
                let found = line.rfind(['|', '>']).map(|at| start + at);
                return found.ok_or_else(|| "a block text has no header".to_owned());
            }
            end = line_end;
        }
        Err("a block text has no header".to_owned())
    }

    fn layout(&self, start: usize, open: char) -> Layout {
        if self.text[start..].starts_with(open) {
            Layout::Flow
        } else {
            Layout::Block
        }
    }

    fn close(&self, layout: Layout, last: Option<usize>, start: usize, close: Span) -> usize {
        match layout {
            Layout::Flow => self.byte(close.end.index()),
            Layout::Block => last.unwrap_or(start),
        }
    }
}

/// A block collection starts with its first part.
fn first(layout: Layout, start: usize, first: Option<&Node>) -> usize {
    match (layout, first) {
        (Layout::Block, Some(first)) => first.start,
        _ => start,
    }
}

impl Node {
    /// The node at a path; none where it is not written there (but in a merged map, say).
    pub(super) fn at(&self, path: &Path) -> Option<&Node> {
        let mut node = self;
        for segment in path.segments() {
            node = match &node.kind {
                Kind::Map(_, entries) => {
                    let mut entries = entries.iter();
                    &entries.find(|(key, _)| key.is(&segment))?.1
                }
                Kind::List(_, items) => items.get(segment.parse::<usize>().ok()?)?,
                Kind::Scalar(..) | Kind::Alias => return None,
            };
        }
        Some(node)
    }

    /// Whether it is a key of this name.
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Scalar(_, text) if text == name)
    }
}
