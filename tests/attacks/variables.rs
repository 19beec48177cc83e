//! Mistakes in files with variables, and around them: no screen shows a value.

use super::Table;
use crate::support::{Ended, Project};

/// What must not be seen, nor its parts.
const SECRET: &str = "S3cr3tValue";
const PARTS: &[&str] = &["S3cr3t", "s3cr3t", "S3CR3T", "3tValue", "UzNjcjN0"];

const STACK: &str = "\
name: vars
variables:
  db_password: {type: string, sensitive: true, default: none}
  label: {type: string, default: x, pattern: '^[a-z]*$'}
  kind: {type: string, default: a, enum: [a, b]}
  size: {type: number, default: 1, maximum: 9}
  on: {type: bool, default: true}
  list: {type: list, default: []}
  map: {type: map, default: {}}
  any: {default: 1}
outputs:
  label: ${var.label}
";

/// Files with a mistake each; `@` stands for the secret.
const FILES: &[(&str, &str)] = &[
    ("an unknown name", "db_pasword: @\n"),
    ("a name twice", "db_password: a\ndb_password: @\n"),
    ("an open name twice", "label: a\nlabel: @\n"),
    ("a pattern", "label: @\n"),
    ("an enum", "kind: @\n"),
    ("a number that is a string", "size: @\n"),
    ("a number too large", "size: 999999\n\nkind: @\n"),
    ("a bool that is a string", "on: @\n"),
    ("a list that is a string", "list: @\n"),
    ("a map that is a string", "map: @\n"),
    ("a string that is a list", "label: [@, b]\n"),
    ("a string that is a map", "label: {@: @}\n"),
    ("a sensitive one that is a map", "db_password: {user: @}\n"),
    ("no map at all", "@\n"),
    ("a list", "- @\n- a: @\n"),
    ("no blank", "db_password:@\nlabel: a\n"),
    ("an unknown anchor", "db_password: *@\n"),
    ("an anchor without a name", "db_password: & @\n"),
    ("a tag", "db_password: !@ x\n"),
    ("a tag and a value", "db_password: !secret @\n"),
    ("a quote that does not end", "db_password: \"@\nlabel: a\n"),
    (
        "a single quote that does not end",
        "db_password: '@\nlabel: a\n",
    ),
    ("an unknown escape", "db_password: \"\\q@\"\n"),
    ("a reserved character", "db_password: @@\n"),
    ("a percent sign", "db_password: %@\n"),
    ("a backquote", "db_password: `@`\n"),
    ("a colon in the value", "db_password: user: @\n"),
    ("a bracket that does not close", "db_password: [@, b\n"),
    ("a brace that does not close", "db_password: {a: @\n"),
    ("a tab", "map:\n\ta: @\n"),
    ("a tab in front of it", "db_password: |\n  x\n\t@\n"),
    ("a bad indent", "map:\n    a: 1\n  b: @\n"),
    ("lines of a block", "db_pasword: |\n  user: @\n  @\n"),
    ("a folded block", "db_pasword: >-\n  @\n  more\n"),
    ("a quoted string over lines", "db_pasword: \"a\n@: b\n@\"\n"),
    (
        "a single-quoted string over lines",
        "db_pasword: 'it''s\n@: b'\n",
    ),
    ("a plain string over lines", "db_pasword: a\n  @\n"),
    ("a map over lines", "db_pasword:\n  inner: @\n"),
    ("a key twice in a value", "map:\n  @: 1\n  @: 2\n"),
    ("a second document", "label: a\n---\ndb_password: @\n"),
    ("a document that ends", "label: a\n...\n@\n"),
    ("a merge of no map", "map: {<<: @}\n"),
    ("a merge at the top", "<<: @\n"),
    ("a list as a key", "? [@]\n: 1\n"),
    (
        "a long number",
        "size: 123456789012345678901234567890\nkind: @\n",
    ),
    ("no number", "size: .nan\nkind: @\n"),
    ("a comment", "# db_password: @\nlabl: 1 # @\n"),
    (
        "JSON with an unknown name",
        "{\"db_pasword\": \"@\", \"label\": \"@\"}",
    ),
    (
        "JSON over lines",
        "{\n  \"db_pasword\": \"@\",\n  \"label\": \"A @\"\n}\n",
    ),
    (
        "JSON cut off",
        "{\n  \"label\": \"a\",\n  \"db_password\": \"@",
    ),
    (
        "JSON with a comma too many",
        "{\"db_password\": \"@\",, \"label\": \"a\"}",
    ),
    (
        "JSON without a comma",
        "{\n  \"db_password\": \"@\"\n  \"label\": \"a\"\n}\n",
    ),
    (
        "JSON with a name twice",
        "{\"label\": \"a\", \"label\": \"@\"}",
    ),
    (
        "JSON with inner names",
        "{\"db_pasword\": {\"a\": {\"@\": 1}}}",
    ),
    ("flow without quotes", "{db_pasword: @:x, label: \"@\"}"),
    ("an expression", "label: ${@}\n"),
    ("a call", "label: ${upper(\"@\") + nothing(\"@\")}\n"),
    ("a control character", "db_password: @\u{1}\n"),
    ("DEL", "db_password: @\u{7f}\n"),
];

/// Stack files with a mistake each that have the secret in a sensitive place.
const STACKS: &[(&str, &str)] = &[
    (
        "a default of another type",
        "pw: {type: number, sensitive: true, default: @}",
    ),
    (
        "a default of another type, in quotes",
        "pw: {type: bool, sensitive: true, default: \"@\"}",
    ),
    (
        "a default that is a map",
        "pw: {type: string, sensitive: true, default: {a: @}}",
    ),
    (
        "a default that breaks its pattern",
        "pw: {type: string, sensitive: true, default: @, pattern: '^x$'}",
    ),
    (
        "a default that breaks its enum",
        "pw: {type: string, sensitive: true, default: zzz, enum: [@, \"@b\"]}",
    ),
    (
        "an enum of another type",
        "pw: {type: number, sensitive: true, default: 1, enum: [@]}",
    ),
    (
        "a default with an expression",
        "pw: {type: string, sensitive: true, default: \"${var.@}\"}",
    ),
    (
        "a default with a mistake",
        "pw: {type: string, sensitive: true, default: \"${@(1)}\"}",
    ),
    (
        "a misspelt default",
        "pw: {type: string, sensitive: true, defualt: @}",
    ),
    (
        "a misspelt default below",
        "pw:\n    sensitive: true\n    defualt:\n      a: @\n      b: [@]",
    ),
    (
        "a default twice",
        "pw:\n    sensitive: true\n    default: a\n    default: @",
    ),
    (
        "a quote that does not end",
        "pw: {sensitive: true, default: \"@}",
    ),
    (
        "a tab in a block",
        "pw:\n    sensitive: true\n    default: |\n      a\n\t@",
    ),
    (
        "a block with keys, and a mistake",
        "pw:\n    sensitive: true\n    default: |\n      @: x\n  q: [a",
    ),
    (
        "a default in lines, and a mistake",
        "pw:\n    sensitive: true\n    default: \"a\n      @\"\n  q: {a",
    ),
    (
        "an anchor that is missing",
        "pw: {sensitive: true, default: *@}",
    ),
    (
        "a sensitive text in a sum",
        "pw: {default: 1}\nlocals:\n  a: ${sensitive(\"@\") + 1}",
    ),
    (
        "a sensitive text in a call that fails",
        "pw: {default: 1}\nlocals:\n  a: ${nothing(sensitive(\"@\"))}",
    ),
    (
        "a sensitive text in YAML's quotes",
        "pw: {default: 1}\nlocals:\n  a: \"${sensitive(\\\"@\\\") + nothing}\"",
    ),
    (
        "a sensitive text inside",
        "pw: {default: 1}\nlocals:\n  a: ${sensitive(join(\"\", [\"@\", \"x\"])) + nothing}",
    ),
    (
        "a sensitive call without its end",
        "pw: {default: 1}\nlocals:\n  a: ${sensitive(\"@\" + 1}",
    ),
    (
        "a sensitive call with two texts",
        "pw: {default: 1}\nlocals:\n  a: ${sensitive(\"@\", \"@\")}",
    ),
    (
        "a sensitive text as a type",
        "pw: {default: 1}\nresources:\n  r: {type: \"random:RandomPet\", properties: {length: \"${sensitive(\"@\")}\"}}",
    ),
    (
        "a sensitive text as a number",
        "pw: {default: 1}\nresources:\n  r:\n    type: random:RandomPet\n    properties:\n      length: ${sensitive(\"@\")}",
    ),
];

fn check(ended: &Ended, wrong: bool) -> Result<(), String> {
    let all = format!("{}{}", ended.stdout, ended.stderr);
    if wrong && !matches!(ended.code, Some(1 | 3)) {
        return Err(format!("exit {:?}: {all}", ended.code));
    }
    match PARTS.iter().find(|part| all.contains(**part)) {
        Some(part) => Err(format!("{part} is in {all}")),
        None => Ok(()),
    }
}

#[test]
fn a_file_with_variables_shows_no_value() {
    let mut table = Table::new("variables");
    let mut project = Project::new();
    project.flags.clear();
    project.write("stacks/vars.yaml", STACK);
    for (name, text) in FILES {
        let text = text.replace('@', SECRET);
        project.write("vars", &text);
        project.write("stacks/vars.dev.yaml", &text);
        let mut tried = |way: &str, args: &[&str]| {
            let ended = project.run(args);
            table.attack(&format!("{name}, {way}"), || check(&ended, false));
        };
        tried("a file", &["validate", "--var-file", "vars"]);
        tried(
            "an environment, as JSON",
            &["validate", "--env", "dev", "--json"],
        );
    }
    table.end();
}

#[test]
fn a_variable_from_outside_shows_no_value() {
    let mut table = Table::new("variables from outside");
    let mut project = Project::new();
    project.flags.clear();
    project.write("stacks/vars.yaml", STACK);
    for name in ["label", "kind", "size", "on", "list", "map"] {
        let given = format!("{name}={SECRET}");
        let ended = project.run(&["validate", "--var", &given]);
        table.attack(&format!("--var {name}"), || check(&ended, true));
        project.env(&format!("STACKCTL_VAR_{name}"), SECRET);
        let ended = project.run(&["validate"]);
        table.attack(&format!("STACKCTL_VAR_{name}"), || check(&ended, true));
        project.unset(&format!("STACKCTL_VAR_{name}"));
    }
    let odd = [
        format!("[{SECRET}"),
        format!("{{a: {SECRET}"),
        format!("*{SECRET}"),
        format!("!{SECRET} x"),
        format!("\"{SECRET}"),
    ];
    for text in &odd {
        let ended = project.run(&["validate", "--var", &format!("map={text}")]);
        table.attack(&format!("--var map={text}"), || check(&ended, true));
    }
    let unknown = format!("db_pasword={SECRET}");
    let bare = SECRET.to_owned();
    for args in [
        vec!["validate", "--var", &unknown],
        vec!["validate", "--var", &bare],
        vec!["validate", "--var", "=S3cr3tValue"],
        vec!["validate", "--var=S3cr3tValue"],
        vec!["validate", "-var", &bare],
        vec!["validate", &unknown],
        vec!["plan", "vars", &unknown],
        vec!["plan", "--vars", &unknown],
    ] {
        let ended = project.run(&args);
        table.attack(&args.join(" "), || check(&ended, true));
    }
    table.end();
}

#[test]
fn a_stack_shows_no_sensitive_value() {
    let mut table = Table::new("sensitive values of a stack");
    let mut project = Project::new();
    project.flags.clear();
    for (name, text) in STACKS {
        let text = text.replace('@', SECRET);
        project.write(
            "stacks/vars.yaml",
            format!("name: vars\nvariables:\n  {text}\n"),
        );
        for args in [&["validate"][..], &["validate", "--json"]] {
            let ended = project.run(args);
            let wrong = *name != "a sensitive text in a call that fails";
            table.attack(&format!("{name}, {}", args.join(" ")), || {
                check(&ended, wrong)
            });
        }
    }
    table.end();
}

#[test]
fn the_name_is_shown_and_the_place() {
    let project = Project::new();
    project.write("stacks/vars.yaml", STACK);
    project.write("vars", "label: ok\ndb_pasword: S3cr3tValue\n");
    let ended = project.run(&["validate", "--var-file", "vars"]).expect(0);
    assert!(ended.stderr.contains("db_pasword: ***"), "{}", ended.stderr);
    assert!(ended.stderr.contains("vars:2:1"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("did you mean \"db_password\"?"),
        "{}",
        ended.stderr
    );
}
