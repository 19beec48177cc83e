//! Texts, references and directives of a template.

use super::Fault;
use super::cursor::Cursor;
use super::expression::{expression, reference};
use super::tree::{Block, Node};

/// Directives of Velocity that API Gateway's templates have no use for, and this evaluator none
/// either.
const UNSUPPORTED: &[&str] = &["macro", "parse", "include", "evaluate"];

/// What ends a block.
#[derive(Debug, PartialEq, Eq)]
enum Closing {
    End,
    Else,
    ElseIf,
    /// Nothing: the template ends.
    Nothing,
}

/// Reads a whole template.
pub(super) fn template(text: &str) -> Result<Block, Fault> {
    part(&mut Cursor::new(text))
}

/// Reads a part of a template that stands for itself: the whole, or a string.
pub(super) fn part(cursor: &mut Cursor<'_>) -> Result<Block, Fault> {
    let (nodes, closing, at) = block(cursor)?;
    let name = match closing {
        Closing::Nothing => return Ok(nodes),
        Closing::End => "#end",
        Closing::Else => "#else",
        Closing::ElseIf => "#elseif",
    };
    Err(Fault::new(at, format!("{name} belongs to no directive.")))
}

/// Reads up to what closes the block, and returns where that begins.
fn block(cursor: &mut Cursor<'_>) -> Result<(Block, Closing, usize), Fault> {
    let mut nodes = Vec::new();
    let mut text = String::new();
    loop {
        let rest = cursor.rest();
        let next = rest.find(['$', '#', '\\']).unwrap_or(rest.len());
        text.push_str(&rest[..next]);
        cursor.at += next;
        let start = cursor.at;
        let slashes = cursor.take_while(|c| c == '\\').len();
        let read = match cursor.peek() {
            None if slashes == 0 => {
                flush(&mut text, &mut nodes);
                return Ok((nodes.into(), Closing::Nothing, start));
            }
            Some('$') => match reference(cursor)? {
                Some(reference) => Read::Node(Box::new(Node::Reference { reference, slashes })),
                None => Read::Text,
            },
            Some('#') => directive(cursor, slashes, &mut text)?,
            _ => Read::Text,
        };
        match read {
            Read::Node(node) => {
                flush(&mut text, &mut nodes);
                nodes.push(*node);
            }
            Read::Nothing => {}
            Read::Closing(closing) => {
                flush(&mut text, &mut nodes);
                return Ok((nodes.into(), closing, start));
            }
            Read::Text => {
                cursor.at = start + slashes;
                if let Some(c) = cursor.peek().filter(|c| matches!(c, '$' | '#')) {
                    cursor.at += c.len_utf8();
                }
                text.push_str(&cursor.text[start..cursor.at]);
            }
        }
    }
}

/// What was read.
enum Read {
    Node(Box<Node>),
    /// Something that leaves no trace, or whose text is noted already.
    Nothing,
    Closing(Closing),
    /// No directive and no reference.
    Text,
}

fn flush(text: &mut String, nodes: &mut Vec<Node>) {
    if !text.is_empty() {
        nodes.push(Node::Text(std::mem::take(text)));
    }
}

/// Reads a directive or a comment at `#`.
fn directive(cursor: &mut Cursor<'_>, slashes: usize, text: &mut String) -> Result<Read, Fault> {
    let at = cursor.at;
    if slashes == 0
        && let Some(read) = comment(cursor, text)?
    {
        return Ok(read);
    }
    cursor.take("#");
    let braced = cursor.take("{");
    let Some(name) = cursor.name(false) else {
        return Ok(Read::Text);
    };
    if braced && !cursor.take("}") {
        return Ok(Read::Text);
    }
    let known = matches!(
        name,
        "set" | "if" | "elseif" | "else" | "end" | "foreach" | "define" | "break" | "stop"
    );
    if UNSUPPORTED.contains(&name) && slashes == 0 {
        let message = format!("The local cloud's templates do not have #{name}.");
        return Err(Fault::new(at, message));
    }
    if !known {
        return Ok(Read::Text);
    }
    text.extend(std::iter::repeat_n('\\', slashes / 2));
    if slashes % 2 == 1 {
        text.push_str(&cursor.text[at..cursor.at]);
        return Ok(Read::Nothing);
    }
    let node = match name {
        "set" => {
            // Velocity takes the blanks before #set with it.
            text.truncate(text.trim_end_matches([' ', '\t']).len());
            set(cursor)?
        }
        "if" => cursor.nested(|cursor| condition(cursor, at))?,
        "foreach" => cursor.nested(|cursor| for_each(cursor, at))?,
        "define" => cursor.nested(|cursor| define(cursor, at))?,
        "break" => Node::Break,
        "stop" => Node::Stop,
        "elseif" => return Ok(Read::Closing(Closing::ElseIf)),
        closing => {
            cursor.skip_line_end();
            return Ok(Read::Closing(match closing {
                "else" => Closing::Else,
                _ => Closing::End,
            }));
        }
    };
    Ok(Read::Node(Box::new(node)))
}

/// Reads a comment, or a text that is taken as it is.
fn comment(cursor: &mut Cursor<'_>, text: &mut String) -> Result<Option<Read>, Fault> {
    if cursor.take("##") {
        cursor.take_while(|c| c != '\n');
        cursor.take("\n");
        return Ok(Some(Read::Nothing));
    }
    for (open, close, kept) in [("#*", "*#", false), ("#[[", "]]#", true)] {
        if !cursor.rest().starts_with(open) {
            continue;
        }
        let inside = &cursor.rest()[open.len()..];
        let Some(length) = inside.find(close) else {
            return Err(cursor.fault(format!("{open} is not closed with {close}.")));
        };
        if kept {
            text.push_str(&inside[..length]);
        }
        cursor.at += open.len() + length + close.len();
        return Ok(Some(Read::Nothing));
    }
    Ok(None)
}

fn expect(cursor: &mut Cursor<'_>, text: &str, after: &str) -> Result<(), Fault> {
    cursor.skip_blanks();
    if cursor.take(text) {
        return Ok(());
    }
    let found = cursor.found();
    Err(cursor.fault(format!("Expected {text:?} after {after}, got {found}.")))
}

/// The closing parenthesis of a directive, and the rest of an empty line.
fn close(cursor: &mut Cursor<'_>, after: &str) -> Result<(), Fault> {
    expect(cursor, ")", after)?;
    cursor.skip_line_end();
    Ok(())
}

fn set(cursor: &mut Cursor<'_>) -> Result<Node, Fault> {
    expect(cursor, "(", "#set")?;
    cursor.skip_blanks();
    let Some(target) = reference(cursor)? else {
        return Err(cursor.fault("#set needs a reference: #set($name = value)."));
    };
    expect(cursor, "=", "the reference of #set")?;
    let value = expression(cursor)?;
    close(cursor, "the value of #set")?;
    Ok(Node::Set(target, value))
}

fn case(cursor: &mut Cursor<'_>, name: &str) -> Result<super::tree::Expression, Fault> {
    expect(cursor, "(", name)?;
    let held = expression(cursor)?;
    close(cursor, "the condition")?;
    Ok(held)
}

fn condition(cursor: &mut Cursor<'_>, at: usize) -> Result<Node, Fault> {
    let mut cases = Vec::new();
    let mut test = case(cursor, "#if")?;
    loop {
        let (body, closing, _) = block(cursor)?;
        cases.push((test, body));
        match closing {
            Closing::End => return Ok(Node::If(cases, None)),
            Closing::ElseIf => test = case(cursor, "#elseif")?,
            Closing::Else => {
                let (body, closing, place) = block(cursor)?;
                return match closing {
                    Closing::End => Ok(Node::If(cases, Some(body))),
                    Closing::Nothing => Err(Fault::new(at, "#if is not closed with #end.")),
                    _ => Err(Fault::new(place, "Expected #end after #else.")),
                };
            }
            Closing::Nothing => return Err(Fault::new(at, "#if is not closed with #end.")),
        }
    }
}

/// The block of a directive other than `#if`.
fn body(cursor: &mut Cursor<'_>, at: usize, name: &str) -> Result<Block, Fault> {
    match block(cursor)? {
        (nodes, Closing::End, _) => Ok(nodes),
        (_, Closing::Nothing, _) => Err(Fault::new(at, format!("{name} is not closed with #end."))),
        (_, _, place) => Err(Fault::new(place, format!("Expected the #end of {name}."))),
    }
}

/// The variable that a directive names.
fn variable(cursor: &mut Cursor<'_>, directive: &str) -> Result<String, Fault> {
    cursor.skip_blanks();
    let at = cursor.at;
    match reference(cursor)? {
        Some(found) if found.steps.is_empty() => Ok(found.root),
        _ => Err(Fault::new(
            at,
            format!("{directive} needs a variable: $name."),
        )),
    }
}

fn for_each(cursor: &mut Cursor<'_>, at: usize) -> Result<Node, Fault> {
    expect(cursor, "(", "#foreach")?;
    let name = variable(cursor, "#foreach")?;
    expect(cursor, "in", "the variable of #foreach")?;
    let over = expression(cursor)?;
    close(cursor, "the list of #foreach")?;
    let body = body(cursor, at, "#foreach")?;
    Ok(Node::ForEach {
        at,
        name,
        over,
        body,
    })
}

fn define(cursor: &mut Cursor<'_>, at: usize) -> Result<Node, Fault> {
    expect(cursor, "(", "#define")?;
    let name = variable(cursor, "#define")?;
    close(cursor, "the variable of #define")?;
    Ok(Node::Define(name, body(cursor, at, "#define")?))
}
