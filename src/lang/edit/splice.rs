//! One change of the text.

use super::Edit;
use super::tree::{Kind, Layout, Node, Style, tree};
use super::write::{behind, block, flow, is_literal, item_text, key, literal, scalar};
use crate::data::Path;
use serde_json::{Map, Value};
use std::ops::Range;

/// The text after one change.
///
/// # Errors
/// A clause that says why it cannot be applied.
pub(super) fn splice(text: &str, edit: &Edit) -> Result<String, String> {
    let root = tree(text)?;
    let (range, new) = match edit {
        Edit::Replace(path, value) => {
            let node = root.at(path).ok_or_else(|| unwritten(path))?;
            replace(text, &root, path, (node, value))?
        }
        Edit::Insert(path, value) => {
            let parent = path.parent().unwrap_or_default();
            let Some(node) = root.at(&parent) else {
                return Err(unwritten(&parent));
            };
            insert(text, node, path, value)?
        }
        Edit::Remove(path) => {
            let parent = path.parent().unwrap_or_default();
            let node = root.at(&parent).ok_or_else(|| unwritten(path))?;
            remove(text, node, path)?
        }
    };
    let mut changed = text.to_owned();
    changed.replace_range(range, &new);
    Ok(changed)
}

fn unwritten(path: &Path) -> String {
    format!("{path} is not written in its place but comes from an alias or a merged map")
}

fn replace(
    text: &str,
    root: &Node,
    path: &Path,
    (node, value): (&Node, &Value),
) -> Result<(Range<usize>, String), String> {
    let whole = node.start..node.end;
    let column = column(text, node.start);
    // Between brackets everything stays between brackets.
    let inside = around_is_flow(root, path);
    match (&node.kind, value) {
        (Kind::Alias, _) => Err(unwritten(path)),
        (Kind::Scalar(Style::Block, _), _) => {
            // A block scalar ends with its line; what follows starts on the next one.
            let indent = body_indent(text, node);
            let body = &text[whole.clone()];
            let end = whole.start + body.trim_end_matches(['\n', ' ']).len();
            let new = match value {
                Value::String(new) if is_literal(new) => literal(new, indent),
                simple => flow(simple),
            };
            Ok((whole.start..end, new))
        }
        (Kind::Scalar(..), Value::String(new))
            if is_literal(new) && !inside && is_last(text, node.end) =>
        {
            let new = literal(new, line_indent(text, node.start) + 2);
            Ok((whole, new))
        }
        (Kind::Scalar(style, _), simple) if !simple.is_array() && !simple.is_object() => {
            let lead = lead(text, &whole);
            Ok((whole, format!("{lead}{}", scalar(simple, *style))))
        }
        (Kind::Map(Layout::Block, _) | Kind::List(Layout::Block, _), value) => {
            let start = match &node.kind {
                Kind::List(..) => dash(text, node.start)?,
                _ => node.start,
            };
            let column = match &node.kind {
                Kind::List(..) => self::column(text, start),
                _ => column,
            };
            Ok((start..node.end, block(value, column)))
        }
        (_, value) => {
            let lead = lead(text, &whole);
            Ok((whole, format!("{lead}{}", flow(value))))
        }
    }
}

/// Whether nothing else is on the line, such as a remark.
fn is_last(text: &str, end: usize) -> bool {
    let rest = text[end..].split('\n').next().unwrap_or_default();
    rest.trim().is_empty()
}

/// A space in front of a value that was not written at all.
fn lead(text: &str, whole: &Range<usize>) -> &'static str {
    match whole.is_empty() && text[..whole.start].ends_with(':') {
        true => " ",
        false => "",
    }
}

fn around_is_flow(root: &Node, path: &Path) -> bool {
    let mut at = path.parent();
    while let Some(path) = at {
        let node = root.at(&path);
        if let Some(Kind::Map(Layout::Flow, _) | Kind::List(Layout::Flow, _)) =
            node.map(|node| &node.kind)
        {
            return true;
        }
        at = path.parent();
    }
    false
}

fn insert(
    text: &str,
    node: &Node,
    path: &Path,
    value: &Value,
) -> Result<(Range<usize>, String), String> {
    let name = path.last().unwrap_or_default();
    match &node.kind {
        Kind::Map(Layout::Flow, entries) => {
            let entry = format!("{}: {}", key(&name), flow(value));
            Ok(match entries.last() {
                Some((_, last)) => (last.end..last.end, format!(", {entry}")),
                None => (node.start..node.end, format!("{{{entry}}}")),
            })
        }
        Kind::Map(Layout::Block, entries) => {
            let indent = column(text, node.start);
            let entry = format!("{}:{}", key(&name), behind(value, indent + 2));
            let last = entries.last().map_or(node.end, |(_, last)| last.end);
            Ok(line_after(text, last, indent, &entry))
        }
        Kind::List(layout, items) => {
            let at: usize = name.parse().map_err(|_| unwritten(path))?;
            match (layout, items.get(at), items.last()) {
                (Layout::Flow, Some(next), _) => {
                    Ok((next.start..next.start, format!("{}, ", flow(value))))
                }
                (Layout::Flow, None, Some(last)) => {
                    Ok((last.end..last.end, format!(", {}", flow(value))))
                }
                (Layout::Block, Some(next), _) => {
                    let start = dash(text, next.start)?;
                    let indent = column(text, start);
                    let item = item_text(value, indent);
                    Ok((start..start, format!("{item}\n{}", " ".repeat(indent))))
                }
                (Layout::Block, None, Some(last)) => {
                    let indent = column(text, dash(text, last.start)?);
                    Ok(line_after(
                        text,
                        last.end,
                        indent,
                        &item_text(value, indent),
                    ))
                }
                (_, None, None) => Ok((node.start..node.end, format!("[{}]", flow(value)))),
            }
        }
        // `properties:` with nothing behind it.
        Kind::Scalar(Style::Plain, _) => {
            let map = Map::from_iter([(name.into_owned(), value.clone())]);
            let whole = node.start..node.end;
            let indent = line_indent(text, node.start) + 2;
            Ok((whole, behind(&Value::Object(map), indent)))
        }
        _ => Err(unwritten(path)),
    }
}

fn remove(text: &str, node: &Node, path: &Path) -> Result<(Range<usize>, String), String> {
    let name = path.last().unwrap_or_default();
    let (layout, parts): (Layout, Vec<Range<usize>>) = match &node.kind {
        Kind::Map(layout, entries) => {
            let parts = entries.iter().map(|(key, value)| key.start..value.end);
            (*layout, parts.collect())
        }
        Kind::List(layout, items) => {
            let part = |item: &Node| match layout {
                Layout::Flow => Ok(item.start..item.end),
                Layout::Block => Ok(dash(text, item.start)?..item.end),
            };
            (
                *layout,
                items.iter().map(part).collect::<Result<_, String>>()?,
            )
        }
        _ => return Err(unwritten(path)),
    };
    let at = match &node.kind {
        Kind::Map(_, entries) => entries.iter().position(|(key, _)| key.is(&name)),
        _ => name.parse().ok(),
    };
    let at = at
        .filter(|at| *at < parts.len())
        .ok_or_else(|| unwritten(path))?;
    let here = parts[at].clone();
    if parts.len() == 1 {
        let empty = match &node.kind {
            Kind::Map(..) => "{}",
            _ => "[]",
        };
        let range = match layout {
            Layout::Flow => node.start..node.end,
            Layout::Block => here,
        };
        return Ok((range, empty.to_owned()));
    }
    let range = match (layout, at) {
        (Layout::Flow, 0) => here.start..parts[1].start,
        (Layout::Flow, at) => parts[at - 1].end..here.end,
        (Layout::Block, 0)
            if !text[line_start(text, here.start)..here.start]
                .trim()
                .is_empty() =>
        {
            // The first entry stands behind a dash; the next one takes its place.
            here.start..parts[1].start
        }
        (Layout::Block, _) => line_start(text, here.start)..next_line(text, here.end),
    };
    Ok((range, String::new()))
}

/// A new line behind the one on which `last` ends.
fn line_after(text: &str, last: usize, indent: usize, entry: &str) -> (Range<usize>, String) {
    let pad = " ".repeat(indent);
    let done = text[..last].ends_with('\n');
    let at = match done {
        true => last,
        false => last + text[last..].find('\n').unwrap_or(text.len() - last),
    };
    match done {
        true => (at..at, format!("{pad}{entry}\n")),
        false => (at..at, format!("\n{pad}{entry}")),
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

/// The start of the line behind the one that `end` is on; `end` itself where it is one.
fn next_line(text: &str, end: usize) -> usize {
    if text[..end].ends_with('\n') {
        return end;
    }
    text[end..].find('\n').map_or(text.len(), |at| end + at + 1)
}

fn column(text: &str, at: usize) -> usize {
    text[line_start(text, at)..at].chars().count()
}

fn line_indent(text: &str, at: usize) -> usize {
    let line = &text[line_start(text, at)..];
    line.len() - line.trim_start_matches(' ').len()
}

/// The indentation of a block scalar's lines.
fn body_indent(text: &str, node: &Node) -> usize {
    let body = text[node.start..node.end].lines().skip(1);
    let mut indents = body
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len());
    indents.next().unwrap_or(line_indent(text, node.start) + 2)
}

/// The dash in front of a list's item.
fn dash(text: &str, start: usize) -> Result<usize, String> {
    let before = text[..start].trim_end();
    match before.strip_suffix('-') {
        Some(before) => Ok(before.len()),
        None => Err("a list is written in a way that is not understood".to_owned()),
    }
}
