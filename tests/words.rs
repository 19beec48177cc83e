//! The words of what users read: one word for one meaning. What stands here has a better word, and
//! appears in no message and in no page.

use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};

/// Each with the word in its place.
const NEVER: &[(&str, &str)] = &[
    (r"whole number", "integer"),
    (
        r"[Tt]here is no\b",
        "does not exist, not found, unknown, missing",
    ),
    (r"\banew\b", "again; recreate"),
    (r"\bbegun\b", "started"),
    (r"\b(is|are|be) left out\b", "excluded, omitted"),
    (r"\bcomes? along\b", "included"),
    (r"\banswered\b", "returned"),
    (r"\bhangs? on\b", "depends on"),
    (r"\bis there twice\b", "duplicate"),
    (r"these need each other", "dependency cycle"),
    (r"knows no object", "the state is empty"),
    (r"Declined", "Cancelled"),
    (r"\b[Aa]dopt it with\b", "Import it with"),
    (r"\b(a|this|is no|are) text\b", "a string"),
];

/// The word of a format that scripts read.
const KEPT: &[&str] = &["begun"];

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_str().unwrap().ends_with(ending) {
            found.push(path);
        }
    }
}

/// The lines of a source file up to its tests, with what stands in string literals alone; one may
/// go over several lines.
fn literals(text: &str) -> Vec<(usize, String)> {
    let literal = Regex::new(r#""((?:[^"\\]|\\.)*)("|\\?$)"#).unwrap();
    let rest = Regex::new(r#"^((?:[^"\\]|\\.)*)("|\\?$)"#).unwrap();
    let mut lines = Vec::new();
    let mut inside = false;
    let all = text.lines().take_while(|line| *line != "#[cfg(test)]");
    for (at, line) in all.enumerate() {
        let line = line.replace("'\"'", "");
        let mut code = line.trim_start();
        if code.starts_with("//") && !inside {
            continue;
        }
        loop {
            let form = if inside { &rest } else { &literal };
            let Some(found) = form.captures(code) else {
                break;
            };
            lines.push((at + 1, found[1].to_owned()));
            inside = &found[2] != "\"";
            code = &code[found.get(0).unwrap().end()..];
            if inside {
                break;
            }
        }
    }
    lines.retain(|(_, literal)| !KEPT.contains(&literal.as_str()));
    lines
}

#[test]
fn users_read_the_words_of_their_field() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    files(&root.join("docs"), ".md", &mut pages);
    let mut sources = Vec::new();
    files(&root.join("src"), ".rs", &mut sources);
    let for_tests = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name == "tests.rs" || path.iter().any(|part| part == "tests")
    };
    sources.retain(|path| !for_tests(path));
    assert!(pages.len() > 5 && sources.len() > 100);
    let never: Vec<(Regex, &str)> = NEVER
        .iter()
        .map(|(word, instead)| (Regex::new(word).unwrap(), *instead))
        .collect();
    let mut wrong = Vec::new();
    for path in pages.iter().chain(&sources) {
        let text = fs::read_to_string(path).unwrap();
        let lines = match pages.contains(path) {
            true => text
                .lines()
                .enumerate()
                .map(|(at, line)| (at + 1, line.to_owned()))
                .collect(),
            false => literals(&text),
        };
        for (at, line) in lines {
            for (word, instead) in &never {
                if let Some(hit) = word.find(&line) {
                    let path = path.strip_prefix(root).unwrap().display();
                    wrong.push(format!("{path}:{at}: {:?}; write: {instead}", hit.as_str()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_literal_is_read_and_a_comment_is_not() {
    let text = r#"// begun
let a = "x \" anew"; // "b"
let b = ("begun", "one \
    two", "three");
#[cfg(test)]
"text"
"#;
    let found = literals(text);
    let found: Vec<(usize, &str)> = found.iter().map(|(at, it)| (*at, it.trim())).collect();
    let expected = [
        (2, "x \\\" anew"),
        (2, "b"),
        (3, "one"),
        (4, "two"),
        (4, "three"),
    ];
    assert_eq!(found, expected);
}
