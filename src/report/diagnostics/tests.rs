//! Mistakes as they are printed.

use super::*;
use crate::data::Path;
use crate::report::terminal::is_harmless;

const FILE: &str = "\
name: web
resources:
  queue:
    type: aws:sqs:Queu
    properties: {nam: orders.fifo, delaySeconds: many}
";

fn sources(text: &str) -> Sources {
    Sources {
        files: vec![
            ("stacks/web.yaml".to_owned(), text.to_owned()),
            ("stacks/web.dev.yaml".to_owned(), "size: x\n".to_owned()),
        ],
        ..Sources::default()
    }
}

/// Finds the place of a path's last segment as a word in the text.
fn locate(text: &str, place: &Place) -> Option<(usize, usize, Range<usize>)> {
    let (Place::Value(path) | Place::Key(path)) = place else {
        return None;
    };
    let word = path.last()?.into_owned();
    let at = text.find(&word)?;
    let line_start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let line = text[..at].matches('\n').count() + 1;
    Some((
        line,
        text[line_start..at].chars().count() + 1,
        at..at + word.len(),
    ))
}

fn at(word: &str) -> Place {
    Place::Key(Path::root().join(word))
}

fn mistakes() -> Vec<Diagnostic> {
    vec![
        Diagnostic::error(at("many"), "delaySeconds is a number")
            .label("expected a number, found a string"),
        Diagnostic::error(at("nam:"), "\"nam\" is not a property of aws:sqs:Queue")
            .label("no such property")
            .help("did you mean \"name\"?"),
        Diagnostic::error(
            Place::Outside,
            "The variable \"sise\" of --var is not declared",
        )
        .help("did you mean \"size\"?"),
        Diagnostic {
            severity: Severity::Warning,
            file: 1,
            ..Diagnostic::error(at("x"), "\"x\" looks odd")
        },
        Diagnostic::error(Place::Value(Path::root()), "the file says too little")
            .label("somewhere")
            .help("say more"),
        Diagnostic::error(Place::At(4, 11), "aws:sqs:Queu is not a type")
            .label("no such type")
            .help("did you mean \"aws:sqs:Queue\"?"),
    ]
}

#[test]
fn mistakes_stand_at_their_place() {
    let text = diagnostics(&mistakes(), &sources(FILE), &Style::default(), &locate);
    insta::assert_snapshot!(text, @r#"
    error: The variable "sise" of --var is not declared
    help: did you mean "size"?

    error: the file says too little
    --> stacks/web.yaml
    note: somewhere
    help: say more

    error: aws:sqs:Queu is not a type
     --> stacks/web.yaml:4:11
      |
    4 |     type: aws:sqs:Queu
      |           ^ no such type
      |
      = help: did you mean "aws:sqs:Queue"?

    error: "nam" is not a property of aws:sqs:Queue
     --> stacks/web.yaml:5:18
      |
    5 |     properties: {nam: orders.fifo, delaySeconds: many}
      |                  ^^^^ no such property
      |
      = help: did you mean "name"?

    error: delaySeconds is a number
     --> stacks/web.yaml:5:50
      |
    5 |     properties: {nam: orders.fifo, delaySeconds: many}
      |                                                  ^^^^ expected a number, found a string

    warning: "x" looks odd
     --> stacks/web.dev.yaml:1:7
      |
    1 | size: x
      |       ^

    5 errors, 1 warning in stacks/web.yaml and stacks/web.dev.yaml
    "#);
}

#[test]
fn scripts_get_positions() {
    let list = &mistakes()[1..3];
    insta::assert_snapshot!(format!("{:#}", diagnostics_json(list, &sources(FILE), &locate)), @r#"
        {
          "diagnostics": [
            {
              "code": null,
              "column": null,
              "file": null,
              "help": "did you mean \"size\"?",
              "label": null,
              "line": null,
              "message": "The variable \"sise\" of --var is not declared",
              "path": null,
              "severity": "error"
            },
            {
              "code": null,
              "column": 18,
              "file": "stacks/web.yaml",
              "help": "did you mean \"name\"?",
              "label": "no such property",
              "line": 5,
              "message": "\"nam\" is not a property of aws:sqs:Queue",
              "path": "/nam:",
              "severity": "error"
            }
          ],
          "errors": 2,
          "hints": 0,
          "omitted": 0,
          "warnings": 0
        }
        "#);
}

#[test]
fn a_long_line_is_windowed_and_harmless() {
    let long = format!(
        "{}\u{1b}[2J\u{9b}1mwrong\u{e0041}{}\r\n",
        "é".repeat(1_000_000),
        "b".repeat(1_000_000)
    );
    let list = [Diagnostic::error(at("wrong"), "wrong").label("here\x1b")];
    let text = diagnostics(&list, &sources(&long), &Style::default(), &locate);
    assert!(text.len() < 2_000, "{}", text.len());
    assert!(
        text.contains("wrong") && text.contains("^^^^^ here"),
        "{text}"
    );
    assert!(text.lines().all(is_harmless), "{text:?}");
}

#[test]
fn of_very_many_the_first_hundred_are_shown() {
    let mut list = vec![Diagnostic::error(at("many"), "again"); 250];
    list[0].severity = Severity::Warning;
    let text = diagnostics(&list, &sources(FILE), &Style::default(), &locate);
    assert_eq!(text.matches("error: again").count(), 100);
    assert!(
        text.ends_with("… and 150 more\n\n249 errors, 1 warning in stacks/web.yaml\n"),
        "{text}"
    );
    assert_eq!(
        diagnostics(&[], &sources(FILE), &Style::default(), &locate),
        ""
    );
}

#[test]
fn a_place_at_the_end_or_over_several_lines() {
    for span in [FILE.len()..FILE.len(), 10..FILE.len()] {
        let locate = |_: &str, _: &Place| Some((2, 1, span.clone()));
        let list = [Diagnostic::error(at("x"), "wrong").label("here")];
        let text = diagnostics(&list, &sources(FILE), &Style::default(), &locate);
        assert!(text.contains("here"), "{text}");
    }
}
