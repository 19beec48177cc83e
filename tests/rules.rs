//! Every rule of a type is broken in a planner case: a rule that nothing breaks may say anything.

use regex::Regex;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

static RULE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"Broken::(?:at|new)\(").unwrap());
static TEXT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(?s)"((?:[^"\\]|\\.)*)""#).unwrap());
static HOLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\\\{[^}]*\\\}").unwrap());

/// The first text with a blank in it: a sentence, not a name.
fn sentence(code: &str) -> Option<&str> {
    let texts = TEXT.captures_iter(code).filter_map(|found| found.get(1));
    texts
        .map(|text| text.as_str())
        .find(|text| text.contains(' '))
}

/// The message of a rule as a pattern, where it stands in the rule or just before it.
fn message(before: &str, after: &str) -> Option<Regex> {
    let end = after.find(");").unwrap_or(after.len());
    let found =
        sentence(&after[..end]).or_else(|| sentence(&before[before.rfind("let message =")?..]))?;
    let joined = Regex::new(r"\\\n\s*").unwrap().replace_all(found, "");
    let text = joined.replace("\\\"", "\"").replace("{{", "{");
    let pattern = HOLE.replace_all(&regex::escape(&text), ".*").into_owned();
    Some(Regex::new(&pattern).unwrap())
}

fn collect(folder: &Path, missing: &mut Vec<String>, counted: &mut usize, said: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, missing, counted, said);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for found in RULE.find_iter(code) {
            let line = code[..found.start()].matches('\n').count() + 1;
            // A message that is made elsewhere is looked for there by its own tests.
            let Some(message) = message(&code[..found.start()], &code[found.end()..]) else {
                continue;
            };
            *counted += 1;
            if !message.is_match(said) {
                missing.push(format!("{}:{line}: {message}", path.display()));
            }
        }
    }
}

#[test]
fn every_rule_is_broken_in_a_case() {
    let mut said = String::new();
    for entry in fs::read_dir("tests/plan").unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        if let Some((_, expected)) = text.split_once("--- # expected") {
            said.push_str(expected);
        }
    }
    let (mut missing, mut counted) = (Vec::new(), 0);
    collect(Path::new("src/resource"), &mut missing, &mut counted, &said);
    assert!(counted > 80, "{counted} rules found");
    assert!(
        missing.is_empty(),
        "no case breaks:\n{}",
        missing.join("\n")
    );
}
