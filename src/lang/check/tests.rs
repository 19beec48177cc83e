use super::*;
use crate::lang::load::{Given, load};
use crate::lang::locate::locate;
use crate::resource::table::native;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The mistakes as `line:column part message (help)`.
fn messages(text: &str) -> Vec<String> {
    let loaded = load(
        ("a.yaml".to_owned(), text.as_bytes().to_vec()),
        None,
        PathBuf::new(),
        &Given::default(),
    );
    assert_eq!(loaded.diagnostics, Vec::new());
    let show = |one: Diagnostic| {
        let (at, part) = locate(text, &one.place).map_or(("nowhere".to_owned(), ""), |span| {
            (format!("{}:{}", span.line, span.column), &text[span.bytes])
        });
        // What a type says of itself is not this test's matter.
        let about =
            |help: &String| help.starts_with("its outputs are") || help.starts_with("length: ");
        let help = one
            .help
            .filter(|help| !about(help))
            .map_or(String::new(), |help| format!(" ({help})"));
        format!("{at} [{part}] {}{help}", one.message)
    };
    let mut found: Vec<String> = check(&loaded.stack, native())
        .into_iter()
        .map(show)
        .collect();
    found.sort();
    found
}

const HEAD: &str = "name: a\n";

#[test]
fn a_right_stack_has_no_mistake() {
    let text = r#"name: a
variables: {n: {type: number, default: 4}}
locals: {region: "${data.here.name}", size: "${var.n}"}
data: {here: {type: "aws:getRegion"}}
resources:
  one: {type: "random:RandomString", properties: {length: "${local.size}"}}
  many:
    type: random:RandomString
    properties: {length: 3, keepers: {k: "${each.key}-${one.result}-${stack.name}"}}
    options: {forEach: [a, b], when: "${var.n > 1}", dependsOn: [one], ignoreChanges: [length]}
outputs:
  a: ${one.id}
  b: {value: "${many[\"a\"].result} ${join(\",\", many[*].result)} ${local.region}"}
"#;
    assert_eq!(messages(text), Vec::<String>::new());
}

#[test]
fn names_that_are_not_there() {
    let text = r#"name: a
variables: {size: {default: 4}}
locals: {one: 1}
data:
  here: {type: "aws:getRegio"}
  there: {type: "random:RandomString"}
resources:
  text:
    type: random:RandomString
    properties: {lenght: 4, keepers: {a: "${var.siz} ${local.on} ${data.her.name} ${txt.result}"}}
    options: {dependsOn: [texts, "${other.id}", text], ignoreChanges: [keeper.a]}
  other: {type: "random:String", properties: {x: "${size} ${text.resul} ${each.key} ${stack.nam}"}}
  third: {type: "AWS::SQS::Queu"}
  many: {type: "random:RandomString", properties: {length: 1}, options: {forEach: [a]}}
outputs:
  short: ${many.result}
  long: {value: "${uper(text.nope)} ${many[\"a\"].x}"}
"#;
    let expected = [
        "10:45 [var.siz] unknown variable \"siz\" (did you mean \"size\"?)",
        "10:56 [local.on] unknown local \"on\" (did you mean \"one\"?)",
        "10:68 [data.her.name] undefined data source \"her\" (did you mean \"here\"?)",
        "10:85 [txt.result] undefined resource \"txt\" (did you mean \"text\"?)",
        "10:18 [lenght] \"lenght\" is not a property of random:RandomString (did you mean \"length\"?)",
        "11:27 [texts] undefined resource \"texts\" (did you mean \"text\"?)",
        "11:34 [\"${other.id}\"] undefined resource \"${other.id}\" (write the name alone: other)",
        "11:49 [text] text cannot depend on itself",
        "11:72 [keeper.a] \"keeper\" is not a property of random:RandomString (did you mean \"keepers\"?)",
        "12:17 [\"random:String\"] unknown resource type \"random:String\" (did you mean \"random:RandomString\"?)",
        "12:53 [size] undefined resource \"size\" (write var.size for the variable)",
        "12:61 [text.resul] text (random:RandomString) has no \"resul\" (did you mean \"result\"?)",
        "12:75 [each.key] \"each\" is known only in a resource with forEach (add forEach: under its options)",
        "12:87 [stack.nam] \"stack\" has no \"nam\" (did you mean \"name\"?)",
        "13:17 [\"AWS::SQS::Queu\"] unknown resource type \"AWS::SQS::Queu\" (did you mean \"AWS::SQS::Queue\"?)",
        "16:12 [many.result] many has forEach, so result is an attribute of each instance (pick one, many[\"key\"].result, or take all, many[*].result)",
        "17:20 [uper] unknown function \"uper\" (did you mean \"upper\"?)",
        "17:25 [text.nope] text (random:RandomString) has no \"nope\"",
        "17:39 [many[\\\"a\\\"].x] many (random:RandomString) has no \"x\"",
        "5:16 [\"aws:getRegio\"] unknown data source type \"aws:getRegio\" (did you mean \"aws:getRegion\"?)",
        "6:17 [\"random:RandomString\"] unknown data source type \"random:RandomString\" (it belongs under resources:)",
    ];
    let mut expected: Vec<String> = expected.map(str::to_owned).into();
    expected.sort();
    assert_eq!(messages(text), expected);
}

#[test]
fn cycles_are_reported_whole() {
    let text = format!(
        "{HEAD}locals: {{x: \"${{local.y}}\", y: \"${{a.result}}\"}}\nresources:\n  a: {{type: \"random:RandomString\", properties: {{length: \"${{b.length}}\"}}}}\n  b: {{type: \"random:RandomString\", properties: {{length: \"${{local.x}}\"}}}}\n  c: {{type: \"random:RandomString\", properties: {{length: \"${{c.length}}\"}}}}\n  d: {{type: \"random:RandomString\", properties: {{length: 1}}, options: {{dependsOn: [e]}}}}\n  e: {{type: \"random:RandomString\", properties: {{length: 1}}, options: {{dependsOn: [d]}}}}\n"
    );
    assert_eq!(
        messages(&text),
        [
            "2:33 [a.result] dependency cycle: a -> b -> local.x -> local.y -> a (replace one of the references by the value itself)",
            "6:60 [c.length] c refers to itself",
            "8:83 [d] dependency cycle: d -> e -> d (replace one of the references by the value itself)",
        ]
    );
}

#[test]
fn a_cycle_through_any_option_is_reported() {
    for option in [
        "forEach",
        "when",
        "protect",
        "retainOnDelete",
        "import",
        "movedFrom",
    ] {
        let resource = |name: &str, other: &str| {
            format!(
                "  {name}: {{type: \"random:RandomString\", properties: {{length: 1}}, options: {{{option}: \"${{{other}.result}}\"}}}}\n"
            )
        };
        let text = format!(
            "{HEAD}resources:\n{}{}",
            resource("a", "b"),
            resource("b", "a")
        );
        let found = messages(&text);
        assert!(
            found.iter().any(|line| line.ends_with(
                "dependency cycle: a -> b -> a (replace one of the references by the value itself)"
            )),
            "{option}: {found:?}"
        );
    }
}

#[test]
fn of_a_long_circle_the_beginning_is_named() {
    let mut text = format!("{HEAD}locals:\n");
    for number in 0..30 {
        let _ = writeln!(text, "  l{number}: \"${{local.l{}}}\"", (number + 1) % 30);
    }
    let found = messages(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("dependency cycle: local.l0 -> local.l1 -> "));
    assert!(
        found[0].ends_with(" -> local.l19 -> 10 more -> local.l0 (replace one of the references by the value itself)"),
        "{found:?}"
    );
}

#[test]
fn providers_come_first() {
    let text = "name: a\nproviders: {aws: {region: \"${data.r.name}\", profile: \"${local.p}\"}}\nlocals: {p: \"${local.q}\", q: \"${data.r.id}\"}\ndata: {r: {type: \"aws:getRegion\"}}\n";
    let found = messages(text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .all(|line| line.contains("providers are set up before"))
    );
}

#[test]
fn a_long_chain_is_no_cycle_and_no_recursion() {
    let mut text = format!("{HEAD}locals:\n  l0: 1\n");
    for number in 1..5000 {
        let _ = writeln!(text, "  l{number}: \"${{local.l{}}}\"", number - 1);
    }
    assert_eq!(messages(&text), Vec::<String>::new());
}

#[test]
fn expressions_that_do_not_parse() {
    let found =
        messages("name: a\nlocals:\n  x: \"a ${1 +} b\"\n  y: |\n    first\n    ${queue[}\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("3:"), "{found:?}");
    assert!(found[1].starts_with("6:"), "{found:?}");
}
