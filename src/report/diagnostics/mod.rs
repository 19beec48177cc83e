//! Mistakes in a stack file, each shown at its place in the source.

use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::stack::Sources;
use crate::report::terminal::{escape, escape_lines};
use crate::report::text::Style;
use crate::severity::Severity;
use crate::visible;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};
use std::ops::Range;

#[cfg(test)]
mod tests;

/// Finds a place in a file's content: line and column, both from 1, and the byte range.
pub type Locate<'a> = dyn Fn(&str, &Place) -> Option<(usize, usize, Range<usize>)> + 'a;

/// The most mistakes that are shown: finding each one's place reads the file again, and
/// nobody reads more at once.
const MOST: usize = 100;

/// How many bytes of files are read for places; of a large file fewer mistakes are shown.
const MOST_READ: usize = 16 << 20;

/// The fewest mistakes that are shown, however large the file is.
const FEWEST: usize = 5;

/// The most other places that are shown with a mistake.
const MOST_RELATED: usize = 5;

/// How many mistakes of these files are shown.
fn most(sources: &Sources) -> usize {
    let size: usize = sources.files.iter().map(|(_, text)| text.len()).sum();
    (MOST_READ / size.max(1)).clamp(FEWEST, MOST)
}

/// The most bytes of a line that are handed to the renderer on either side of the place.
const WINDOW: usize = 400;

/// A mistake and where it is.
struct Located<'d> {
    diagnostic: &'d Diagnostic,
    line: usize,
    column: usize,
    span: Option<Range<usize>>,
    /// The other places, and the message at each.
    related: Vec<(usize, usize, &'d str)>,
}

/// The mistakes for people: in the order of the file, errors and warnings mixed, with a last
/// line that counts them. Of more than a hundred the rest is only counted; errors come first
/// then. Empty where there are none.
pub fn diagnostics(
    list: &[Diagnostic],
    sources: &Sources,
    style: &Style,
    locate: &Locate<'_>,
) -> String {
    if list.is_empty() {
        return String::new();
    }
    let renderer = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer
        .decor_style(DecorStyle::Ascii)
        .term_width(style.width);
    let mut text = String::new();
    let shown = located(list, sources, locate);
    for located in &shown {
        text.push_str(&render(&renderer, located, sources));
        text.push_str("\n\n");
    }
    if list.len() > shown.len() {
        text.push_str(&format!("… and {} more\n\n", list.len() - shown.len()));
    }
    text.push_str(&count(list, sources));
    text.push('\n');
    text
}

/// The mistakes for scripts: `{"diagnostics": [{severity, code, message, file, line, column, path, label,
/// help, related: [{line, column, message}]}], "errors", "warnings", "hints", "omitted"}`; `line` and
/// `column` count from 1. `code` is that of a rule of docs/lint.md, or null. `related` exists where other places take part in the mistake.
pub fn diagnostics_json(list: &[Diagnostic], sources: &Sources, locate: &Locate<'_>) -> Value {
    let entries: Vec<Value> = located(list, sources, locate)
        .iter()
        .map(|located| {
            let diagnostic = located.diagnostic;
            let in_file = located.line > 0;
            let path = match &diagnostic.place {
                Place::Value(path) | Place::Key(path) | Place::Within(path, _) => Some(path),
                Place::At(..) | Place::Outside => None,
            };
            let mut entry = json!({
                "severity": diagnostic.severity.word(),
                "code": diagnostic.code,
                "message": diagnostic.message,
                "file": file(diagnostic, sources).map(|(name, _)| name),
                "line": in_file.then_some(located.line),
                "column": in_file.then_some(located.column),
                "path": path,
                "label": diagnostic.label,
                "help": diagnostic.help,
            });
            if !located.related.is_empty() {
                let related = located.related.iter();
                entry["related"] = related
                    .map(|(line, column, message)| {
                        json!({"line": line, "column": column, "message": message})
                    })
                    .collect();
            }
            entry
        })
        .collect();
    json!({
        "errors": number_of(list, Severity::Error),
        "warnings": number_of(list, Severity::Warning),
        "hints": number_of(list, Severity::Hint),
        "omitted": list.len() - entries.len(),
        "diagnostics": entries,
    })
}

fn file<'s>(diagnostic: &Diagnostic, sources: &'s Sources) -> Option<&'s (String, String)> {
    match diagnostic.place {
        Place::Outside => None,
        _ => sources.files.get(diagnostic.file),
    }
}

/// Those that are shown, in the order of the file; what is in no file comes first.
fn located<'d>(list: &'d [Diagnostic], sources: &Sources, locate: &Locate<'_>) -> Vec<Located<'d>> {
    let mut chosen: Vec<&Diagnostic> = list.iter().collect();
    chosen.sort_by_key(|diagnostic| diagnostic.severity);
    chosen.truncate(most(sources));
    let mut located: Vec<Located<'d>> = chosen
        .into_iter()
        .map(|diagnostic| {
            let place = file(diagnostic, sources)
                .and_then(|(_, text)| Some((text, locate(text, &diagnostic.place)?)));
            let (line, column, span) = match (place, &diagnostic.place) {
                (Some((text, (line, column, span))), _) => (line, column, within(text, span)),
                (None, Place::At(line, column)) => {
                    let text = file(diagnostic, sources).map(|(_, text)| text);
                    let span = text.and_then(|text| character_at(text, *line, *column));
                    (*line, *column, span)
                }
                _ => (0, 0, None),
            };
            let text = file(diagnostic, sources).map(|(_, text)| text);
            let related = diagnostic.related.iter().take(MOST_RELATED);
            let related = related.filter_map(|(place, message)| {
                let (line, column, _) = locate(text?, place)?;
                Some((line, column, message.as_str()))
            });
            Located {
                diagnostic,
                line,
                column,
                span,
                related: related.collect(),
            }
        })
        .collect();
    located.sort_by_key(|located| {
        let outside = file(located.diagnostic, sources).is_some();
        (
            outside,
            located.diagnostic.file,
            located.line,
            located.column,
        )
    });
    located
}

/// The span if it lies in the text, on the borders of its characters.
fn within(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let fits = span.start <= span.end
        && span.end <= text.len()
        && text.is_char_boundary(span.start)
        && text.is_char_boundary(span.end);
    fits.then_some(span)
}

/// The character at a line and column, or the empty span at the end of the line.
fn character_at(text: &str, line: usize, column: usize) -> Option<Range<usize>> {
    let before = line.checked_sub(1)?;
    let content = text.split('\n').nth(before)?;
    let line_start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let mut rest = content.char_indices().skip(column.checked_sub(1)?);
    let start = rest.next().map_or(content.len(), |(at, _)| at);
    let end = rest.next().map_or(content.len(), |(at, _)| at);
    Some(line_start + start..line_start + end)
}

fn render(renderer: &Renderer, located: &Located<'_>, sources: &Sources) -> String {
    let diagnostic = located.diagnostic;
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Hint => Level::HELP.with_name("hint"),
    };
    let title = level.primary_title(escape_lines(&diagnostic.message));
    let title = match diagnostic.code {
        Some(code) => title.id(code),
        None => title,
    };
    let mut groups: Vec<Group<'_>> = Vec::new();
    let name = file(diagnostic, sources).map(|(name, _)| escape(name).into_owned());
    match (name, file(diagnostic, sources), &located.span) {
        (Some(name), Some((_, text)), Some(span)) => {
            groups.push(title.element(snippet(name, text, located, span)));
        }
        (Some(name), ..) if located.line > 0 => {
            let origin = Origin::path(name)
                .line(located.line)
                .char_column(located.column);
            groups.push(title.element(origin));
        }
        (Some(name), ..) => groups.push(title.element(Origin::path(name))),
        (None, ..) => groups.push(Group::with_title(title)),
    }
    if let (None, Some(label)) = (&located.span, &diagnostic.label) {
        // With no source line to stand under, the label is a note.
        groups.push(Group::with_title(
            Level::NOTE.secondary_title(escape_lines(label)),
        ));
    }
    for (line, column, message) in &located.related {
        let name = file(diagnostic, sources).map_or("", |(name, _)| name);
        let note = escape_lines(&format!("{message} at {name}:{line}:{column}"));
        if let Some(group) = groups.pop() {
            groups.push(group.element(Level::NOTE.message(note)));
        }
    }
    if let Some(help) = &diagnostic.help {
        let help = escape_lines(help);
        match groups.pop() {
            Some(group) if located.span.is_some() => {
                groups.push(group.element(Level::HELP.message(help)));
            }
            other => {
                groups.extend(other);
                groups.push(Group::with_title(Level::HELP.secondary_title(help)));
            }
        }
    }
    if located.span.is_some() {
        return renderer.render(&groups);
    }
    // Together they would be joined by a bar, with no source line that it could lead to.
    let parts: Vec<String> = groups
        .into_iter()
        .map(|group| renderer.render(&[group]))
        .collect();
    parts.join("\n")
}

/// The line of the place, so cut that a huge line costs nothing.
fn snippet<'s>(
    name: String,
    text: &'s str,
    located: &Located<'_>,
    span: &Range<usize>,
) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
    let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    // A place of several lines is shown by its first.
    let end_of_line = |from: usize| text[from..].find('\n').map_or(text.len(), |at| from + at);
    let line_end = end_of_line(span.start);
    let end = span.end.min(line_end).max(span.start);
    let from = floor(text, span.start.saturating_sub(WINDOW).max(line_start));
    let to = floor(text, (end + WINDOW).min(line_end));
    let shown_end = floor(text, end.min(span.start + 2 * WINDOW));
    let line = Harmless::new(&text[from..to]);
    let (start, shown_end) = (span.start - from, shown_end.min(to) - from);
    let to = text[from..to].trim_end_matches('\r').len();
    let (before, part, after) = (
        line.part(0..start),
        line.part(start..shown_end),
        line.part(shown_end..to),
    );
    let mut annotation = AnnotationKind::Primary.span(before.len()..before.len() + part.len());
    if let Some(label) = &located.diagnostic.label {
        annotation = annotation.label(escape(label).into_owned());
    }
    Snippet::source(before + &part + &after)
        .line_start(located.line)
        .path(name)
        .annotation(annotation)
}

/// A line with nothing in it that acts on a terminal or passes for another letter; tabs are the
/// renderer's.
struct Harmless(Vec<(usize, char, bool)>);

impl Harmless {
    fn new(line: &str) -> Self {
        let marked = line.char_indices().zip(visible::marked(line));
        Self(
            marked
                .map(|((at, c), (_, marked))| (at, c, marked))
                .collect(),
        )
    }

    /// A part of it, by its place in the line.
    fn part(&self, range: Range<usize>) -> String {
        let mut out = String::new();
        for (_, c, marked) in self.0.iter().filter(|(at, ..)| range.contains(at)) {
            match c {
                '\t' => out.push('\t'),
                c if visible::is_active(*c) => out.push(char::REPLACEMENT_CHARACTER),
                c if *marked => out.extend(c.escape_unicode()),
                c => out.push(*c),
            }
        }
        out
    }
}

/// The nearest border of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

fn number_of(list: &[Diagnostic], severity: Severity) -> usize {
    list.iter()
        .filter(|diagnostic| diagnostic.severity == severity)
        .count()
}

/// `3 errors, 1 warning in stacks/x.yaml`
fn count(list: &[Diagnostic], sources: &Sources) -> String {
    let counted = |severity| {
        let number = number_of(list, severity);
        let plural = if number == 1 { "" } else { "s" };
        (number > 0).then(|| format!("{number} {}{plural}", severity.word()))
    };
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Hint]
        .into_iter()
        .filter_map(counted)
        .collect();
    let names: Vec<&str> = sources
        .files
        .iter()
        .enumerate()
        .filter(|(index, _)| {
            let here = |entry: &Diagnostic| entry.file == *index && entry.place != Place::Outside;
            list.iter().any(here)
        })
        .map(|(_, (name, _))| name.as_str())
        .collect();
    let place = match names.is_empty() {
        true => String::new(),
        false => format!(" in {}", escape(&names.join(" and "))),
    };
    format!("{}{place}", counts.join(", "))
}
