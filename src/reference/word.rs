//! The language's functions, roots, operators and directives, on a terminal and as JSON.

use super::text::{hanging, paragraphs};
use crate::lang::eval::manual::{self, Kind, Word};
use crate::nearest;
use crate::report::terminal::fit;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The words of exactly this name, or one of the operators that share an entry.
pub fn find(name: &str) -> Option<&'static Word> {
    let bare = name.trim().trim_end_matches("()");
    let is = |word: &&Word| {
        word.name.eq_ignore_ascii_case(bare)
            || (word.kind == Kind::Operator && word.name.split(' ').any(|one| one == bare))
            || (word.kind == Kind::Directive && word.name.contains(bare) && bare.contains('%'))
    };
    manual::words().find(is)
}

/// The words whose name or text has what was typed in it.
pub fn search(text: &str) -> Vec<&'static Word> {
    let wanted = text.to_lowercase();
    let has = |word: &&Word| {
        word.name.to_lowercase().contains(&wanted) || word.says.to_lowercase().contains(&wanted)
    };
    manual::words().filter(has).collect()
}

/// The name that one may mean which is none.
pub fn like(name: &str) -> Option<&'static str> {
    let names = || manual::words().map(|word| word.name);
    nearest::nearest(name, names())
}

/// Words in a list, one a line.
pub fn list(words: &[&Word], width: usize) -> String {
    let mut out = String::new();
    for (kind, heading) in [
        (Kind::Function, "Functions"),
        (Kind::Root, "References"),
        (Kind::Operator, "Operators"),
        (Kind::Directive, "Directives"),
    ] {
        let words: Vec<&&Word> = words.iter().filter(|word| word.kind == kind).collect();
        if words.is_empty() {
            continue;
        }
        let blank = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{blank}{heading}:");
        let longest = words.iter().map(|word| word.name.len()).max().unwrap_or(0);
        for word in words {
            let line = format!("  {:longest$}  {}", word.name, word.says);
            let _ = writeln!(out, "{}", fit(&line, width));
        }
    }
    out
}

/// All of one word.
pub fn entry(word: &Word, width: usize) -> String {
    let mut out = hanging(word.usage, 0, width);
    let _ = write!(out, "\n{}", paragraphs(word.says, 2, width));
    let _ = writeln!(out, "\nExample:\n  {}", word.example);
    if let Some(result) = word.result() {
        let _ = writeln!(out, "  = {result}");
    }
    out
}

/// One word as JSON.
pub fn json(word: &Word) -> Value {
    let kind = match word.kind {
        Kind::Function => "function",
        Kind::Root => "reference",
        Kind::Operator => "operator",
        Kind::Directive => "directive",
    };
    json!({
        "name": word.name,
        "kind": kind,
        "usage": word.usage,
        "description": word.says,
        "example": word.example,
        "result": word.result(),
    })
}
