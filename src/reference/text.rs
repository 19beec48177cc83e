//! The reference on a terminal.

use super::entry::{Entry, Origin, first_sentence};
use super::find::Row;
use super::property::Property;
use crate::report::terminal::{escape, escape_lines, fit};
use std::fmt::Write as _;

/// How many properties are shown before nested ones are left to a question of their own.
const MOST_PROPERTIES: usize = 120;

/// Types in a list, one a line.
pub fn list(rows: &[Row], width: usize) -> String {
    let mut out = String::new();
    for (origin, heading) in [
        (Origin::Native, "Types of stackctl's own"),
        (Origin::DataSource, "Data sources"),
        (Origin::Registry, "CloudFormation registry"),
    ] {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.origin == origin).collect();
        if rows.is_empty() {
            continue;
        }
        let blank = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{blank}{heading} ({}):", rows.len());
        let longest = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for row in rows {
            let summary = plain(&row.summary);
            let line = format!("  {:longest$}  {}", row.name, escape(&summary));
            let _ = writeln!(out, "{}", fit(line.trim_end(), width));
        }
    }
    out
}

/// All of one type.
pub fn entry(entry: &Entry, width: usize) -> String {
    let mut out = format!("{}{}\n", entry.name, says(entry.origin));
    for text in [entry.description.clone(), entry.notes.join("\n\n")] {
        if !text.is_empty() {
            let _ = write!(out, "\n{}", paragraphs(&text, 0, width));
        }
    }
    if !entry.example.is_empty() {
        let _ = write!(out, "\nExample:\n{}", indented(&entry.example, 2));
    }
    for (heading, properties) in [
        ("Properties", &entry.properties),
        ("Outputs", &entry.outputs),
    ] {
        if properties.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{heading}:");
        let levels = shown_levels(properties);
        let page = Page {
            type_name: entry.name,
            is_brief: entry.origin == Origin::Registry,
            width,
        };
        for property in properties {
            page.property(&mut out, property, &property.name, 2, levels);
        }
    }
    if entry.origin == Origin::Registry {
        let _ = writeln!(
            out,
            "\nstackctl types {} PROPERTY shows the whole text of one.",
            entry.name
        );
    }
    if let Some(id) = &entry.import_id {
        let _ = write!(
            out,
            "\nImport id:\n{}",
            paragraphs(&id.replace('`', ""), 2, width)
        );
    }
    if !entry.actions.is_empty() {
        let _ = writeln!(out, "\nIAM actions:");
        for (action, when) in &entry.actions {
            let when = when.as_deref().unwrap_or_default();
            let line = format!("{action} {when}");
            let _ = write!(out, "{}", paragraphs(line.trim_end(), 2, width));
        }
    }
    if let Some(url) = &entry.url {
        let _ = writeln!(out, "\nAWS documents it at {}", escape(url));
    }
    out
}

/// One property of a type, with all that is below it.
pub fn one_property(name: &str, path: &str, found: &Property, width: usize) -> String {
    let mut out = format!("{name}\n\n");
    let page = Page {
        type_name: name,
        is_brief: false,
        width,
    };
    page.property(&mut out, found, path, 0, found.levels());
    out
}

fn says(origin: Origin) -> &'static str {
    match origin {
        Origin::Native => "",
        Origin::DataSource => " (data source)",
        Origin::Registry => " (CloudFormation registry, through the Cloud Control API)",
    }
}

/// As many levels as stay readable, one at least.
fn shown_levels(properties: &[Property]) -> usize {
    let deepest = properties.iter().map(Property::levels).max().unwrap_or(1);
    let count = |levels: usize| -> usize {
        let counts = properties.iter().map(|property| property.count(levels));
        counts.sum()
    };
    let fits = (2..=deepest)
        .rev()
        .find(|levels| count(*levels) <= MOST_PROPERTIES);
    fits.unwrap_or(1)
}

/// How properties are shown.
struct Page<'a> {
    type_name: &'a str,
    /// The first sentence of each alone.
    is_brief: bool,
    width: usize,
}

impl Page<'_> {
    fn property(
        &self,
        out: &mut String,
        found: &Property,
        path: &str,
        indent: usize,
        levels: usize,
    ) {
        let mut line = format!("{}  {}", escape(&found.name), found.shape);
        if found.is_required {
            line.push_str(", required");
        }
        for fact in &found.facts {
            let _ = write!(line, ", {}", escape(fact));
        }
        let _ = write!(out, "{}", hanging(&line, indent, self.width));
        let text = match self.is_brief {
            true => first_sentence(&found.description),
            false => &found.description,
        };
        if !text.is_empty() {
            let _ = write!(out, "{}", paragraphs(text, indent + 4, self.width));
        }
        if found.is_recursive {
            let _ = writeln!(out, "{:1$}(its properties are above)", "", indent + 4);
        } else if levels <= 1 && !found.properties.is_empty() {
            let count = found.count(usize::MAX) - 1;
            let ies = if count == 1 { "property" } else { "properties" };
            let type_name = self.type_name;
            let _ = writeln!(
                out,
                "{:1$}({count} {ies} inside: stackctl types {type_name} {path})",
                "",
                indent + 4
            );
        } else {
            for inner in &found.properties {
                let path = format!("{path}.{}", inner.name);
                self.property(out, inner, &path, indent + 4, levels - 1);
            }
        }
    }
}

/// The least that is left for text, however deep it stands.
const NARROWEST: usize = 40;

/// A text with its lines broken to the width, each behind so many blanks.
pub(super) fn paragraphs(text: &str, indent: usize, width: usize) -> String {
    let mut out = String::new();
    for (at, paragraph) in text.trim().split("\n\n").enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let escaped = escape_lines(&plain(paragraph));
        for line in unwrapped(&escaped) {
            broken(&mut out, &line, indent, indent, width);
        }
    }
    out
}

/// Names that stand in AWS's descriptions for what its pages put there.
const PLACEHOLDERS: &[(&str, &str)] = &[
    ("CFNlong", "CloudFormation"),
    ("DDBlong", "DynamoDB"),
    ("ECSlong", "ECS"),
    ("FARGATElong", "Fargate"),
    ("IAMlong", "IAM"),
    ("KMSlong", "KMS"),
    ("LAMlong", "Lambda"),
    ("``", "`"),
];

/// A description without the marks of a web page: of a link its text is left.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let (before, link) = rest.split_at(open);
        out.push_str(before);
        let parts = link[1..].split_once("](");
        let parts = parts.filter(|(text, _)| !text.contains(['[', ']']));
        match parts.and_then(|(text, address)| Some((text, address.split_once(')')?))) {
            Some((text, (address, after))) if address.starts_with("http") => {
                out.push_str(text);
                rest = after;
            }
            _ => {
                out.push('[');
                rest = &link[1..];
            }
        }
    }
    out.push_str(rest);
    for (placeholder, name) in PLACEHOLDERS {
        out = out.replace(placeholder, name);
    }
    out
}

/// The lines of a paragraph; one that goes on in the next is joined with it, a list's items are not.
fn unwrapped(paragraph: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in paragraph.lines().map(str::trim) {
        let is_item = ["- ", "* ", "+ ", "> "]
            .iter()
            .any(|mark| line.starts_with(mark));
        match lines.last_mut() {
            Some(last) if !is_item => {
                last.push(' ');
                last.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// A line broken to the width, its later lines further in.
pub(super) fn hanging(line: &str, indent: usize, width: usize) -> String {
    let mut out = String::new();
    broken(&mut out, line, indent, indent + 6, width);
    out
}

fn broken(out: &mut String, line: &str, indent: usize, later: usize, width: usize) {
    let (first, later) = (" ".repeat(indent), " ".repeat(later));
    let options = textwrap::Options::new(width.max(later.len() + NARROWEST))
        .initial_indent(&first)
        .subsequent_indent(&later)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    out.push_str(&textwrap::fill(line, options));
    out.push('\n');
}

fn indented(text: &str, indent: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let _ = writeln!(out, "{:indent$}{}", "", escape(line));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_link_its_text_is_left() {
        for (text, wanted) in [
            (
                "See [CreateTable](https://a/b) in [x].",
                "See CreateTable in [x].",
            ),
            ("[1, 2](not a link) [", "[1, 2](not a link) ["),
            ("``S`` of CFNlong", "`S` of CloudFormation"),
        ] {
            assert_eq!(plain(text), wanted);
        }
    }

    #[test]
    fn lines_are_broken_and_items_are_not_joined() {
        let text = "one two\nthree\n- four\n\nfive";
        assert_eq!(
            paragraphs(text, 2, 80),
            "  one two three\n  - four\n\n  five\n"
        );
        let long = "word ".repeat(20);
        let lines = paragraphs(&long, 4, 44);
        assert!(lines.lines().all(|line| line.len() <= 44), "{lines}");
    }
}
