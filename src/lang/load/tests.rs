use super::*;
use crate::lang::locate::locate;
use serde_json::json;

fn with(text: &str, env: Option<&str>, given: &Given) -> Loaded {
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    load(
        file("a.yaml", text),
        env.map(|text| file("a.env.yaml", text)),
        PathBuf::from("/s"),
        given,
    )
}

/// The mistakes as `file:line:column message (help)`.
fn messages(loaded: &Loaded) -> Vec<String> {
    let show = |one: &Diagnostic| {
        let (name, text) = &loaded.sources.files[one.file];
        let place = locate(text, &one.place).map_or("outside".to_owned(), |span| {
            format!("{name}:{}:{}", span.line, span.column)
        });
        let help = one
            .help
            .as_ref()
            .map_or(String::new(), |help| format!(" ({help})"));
        format!("{place} {}{help}", one.message)
    };
    loaded.diagnostics.iter().map(show).collect()
}

fn mistakes(text: &str) -> Vec<String> {
    messages(&with(text, None, &Given::default()))
}

#[test]
fn the_whole_file_becomes_a_stack() {
    let text = r#"
name: demo
description: A demo.
variables:
  region: {type: string, default: us-west-2, description: Where.}
  secret: {type: string, default: x, sensitive: true}
  optional: {default: null}
providers:
  aws: {region: "${var.region}", allowedAccountIds: ["012345678901"]}
locals: {a: "${data.me.accountId}"}
data:
  me: {type: "aws:getCallerIdentity"}
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: q}
    options:
      dependsOn: [other]
      protect: "${var.region == \"x\"}"
      ignoreChanges: [tags.Name]
      forEach: [a, b]
      timeouts: {create: 90s, delete: 1h30m}
  other: {type: "aws:sqs:Queue"}
outputs:
  Queue: {value: "${queue.id}", description: The queue., sensitive: true}
  account_id: ${local.a}
"#;
    let loaded = with(
        text,
        None,
        &Given {
            env: Some("prod".to_owned()),
            ..Given::default()
        },
    );
    assert_eq!(messages(&loaded), Vec::<String>::new());
    let stack = loaded.stack;
    assert_eq!(stack.full_name(), "demo.prod");
    assert_eq!(stack.variables["region"].value, json!("us-west-2"));
    assert!(stack.variables["secret"].is_secret(&Path::root()));
    assert_eq!(stack.variables["optional"].value, Value::Null);
    assert_eq!(stack.aws["region"], json!("${var.region}"));
    assert_eq!(stack.data["me"].properties, json!({}));
    let options = &stack.resources["queue"].options;
    assert_eq!(options.depends_on, ["other"]);
    assert_eq!(options.for_each, Some(json!(["a", "b"])));
    assert_eq!(
        options.timeouts.delete.map(|time| time.as_secs()),
        Some(5400)
    );
    assert!(stack.outputs["Queue"].sensitive);
    assert_eq!(stack.outputs["account_id"].value, json!("${local.a}"));
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = r#"name: a/b
descripton: x
variables:
  n: {type: numbr, default: 1}
  s: {type: string, default: 7}
  r: {type: string}
  p: {type: string, pattern: '\.fifo$', default: x}
providers: {aws: {regon: x}, gcp: {}}
resources:
  var: {type: "aws:sqs:Queue"}
  2x: {type: "aws:sqs:Queue"}
  q:
    type: aws:sqs:Queue
    forEach: [a]
    options: {dependOn: [x], import: [], timeouts: {create: 5}, deleteBeforeReplace: "no"}
  r: {properties: []}
  t: {type: "aws:sqs:Queue", options: {dependsOn: {q: 1}}}
outputs:
  o: {valu: 1}
"#;
    let expected = [
        "a.yaml:2:1 \"descripton\" is not a key of a stack file (did you mean \"description\"?)",
        "a.yaml:1:7 \"a/b\" cannot be a stack's name: it must be letters, digits, \"-\" and \"_\", start with a letter or digit, and be at most 100 long",
        "a.yaml:8:30 \"gcp\" is not a key of providers (the keys here are aws)",
        "a.yaml:8:19 \"regon\" is not a key of providers.aws (did you mean \"region\"?)",
        "a.yaml:11:3 \"2x\" cannot be the name of a resource (names start with a letter or \"_\", and go on in letters, digits, \"_\" and \"-\")",
        "a.yaml:14:5 \"forEach\" is not a key of resources.q (forEach belongs under options)",
        "a.yaml:15:15 \"dependOn\" is not a key of resources.q.options (did you mean \"dependsOn\"?)",
        "a.yaml:15:61 resources.q.options.timeouts.create: expected a time such as 90s, 5m or 1h30m, got a number",
        "a.yaml:15:86 resources.q.options.deleteBeforeReplace: expected true or false, got a string",
        "a.yaml:15:38 resources.q.options.import: expected a string, got a list",
        "a.yaml:16:3 resources.r has no type (add a line such as type: aws:sqs:Queue)",
        "a.yaml:16:19 resources.r.properties: expected a map, got a list",
        "a.yaml:10:3 a resource cannot be called \"var\" (expressions use var for something else; choose another name)",
        "a.yaml:17:51 resources.t.options.dependsOn: expected a list of names, got a map (write a list, even of one: [name])",
        "a.yaml:19:7 \"valu\" is not a key of outputs.o (did you mean \"value\"?)",
        "a.yaml:19:3 outputs.o has no value (add value: with an expression)",
        "a.yaml:4:13 \"numbr\" is not a type: a variable is a string, number, bool, list, map or any (did you mean \"number\"?)",
        "a.yaml:7:50 the default of p must match the pattern \\.fifo$, and it is \"x\"",
        "a.yaml:5:30 variables.s.default: expected a string, got a number (put it in quotes)",
        "a.yaml:6:3 the variable r has no value (give it one with --var r=…, STACKCTL_VAR_r, a file, or a default)",
    ];
    let mut found = mistakes(text);
    let mut expected: Vec<String> = expected.map(str::to_owned).into();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_strongest_source_wins() {
    let text =
        "name: a\nvariables: {v: {type: number, default: 0}, w: {type: list, default: []}}\n";
    let pair = |value: &str| vec![("v".to_owned(), value.to_owned())];
    let mut given = Given::default();
    let value = |given: &Given, env: Option<&str>| {
        let loaded = with(text, env, given);
        assert_eq!(messages(&loaded), Vec::<String>::new());
        loaded.stack.variables["v"].value.clone()
    };
    assert_eq!(value(&given, None), json!(0));
    assert_eq!(value(&given, Some("v: 1")), json!(1));
    given.env_vars = pair("2");
    given
        .env_vars
        .push(("another_stack_s".to_owned(), "x".to_owned()));
    assert_eq!(value(&given, Some("v: 1")), json!(2));
    given.var_files = vec![("f.json".to_owned(), b"{\"v\": 3}".to_vec())];
    assert_eq!(value(&given, Some("v: 1")), json!(3));
    given.vars = pair("4");
    given.vars.push(("w".to_owned(), "[a, \"b\"]".to_owned()));
    assert_eq!(value(&given, Some("v: 1")), json!(4));
    assert_eq!(
        with(text, None, &given).stack.variables["w"].value,
        json!(["a", "b"])
    );
}

#[test]
fn values_from_outside_are_checked() {
    let text = "name: a\nvariables:\n  n: {type: number, default: 5, minimum: 1, maximum: 9}\n  b: {type: bool, default: true}\n  e: {type: string, default: x, enum: [x, y]}\n  s: {type: string, sensitive: true, pattern: '^a', default: a}\n";
    let var = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let given = Given {
        vars: vec![
            var("n", "ten"),
            var("b", "yes"),
            var("e", "z"),
            var("s", "hunter2"),
            var("nn", "1"),
        ],
        var_files: vec![("f.yaml".to_owned(), b"n: 12\nother: 1\n".to_vec())],
        ..Given::default()
    };
    let expected = [
        "f.yaml:2:1 the stack declares no variable \"other\" (the variables are b, e, n, s)",
        "outside --var b: expected true or false",
        "outside --var e: e must be one of \"x\", \"y\"",
        "outside --var n: expected a number",
        "outside --var nn: the stack declares no variable \"nn\" (the variables are b, e, n, s)",
        "outside --var s: s must match the pattern ^a",
    ];
    let mut found = messages(&with(text, None, &given));
    found.retain(|line| !line.contains("at most"));
    found.sort();
    assert_eq!(found, expected);
    let env = messages(&with(text, Some("n: 12\nm: 1\nb: no\n"), &Given::default()));
    assert_eq!(env.len(), 3, "{env:?}");
    assert!(
        env.iter()
            .any(|line| line == "a.env.yaml:1:4 n must be at most 9"),
        "{env:?}"
    );
}

#[test]
fn a_default_is_a_plain_value() {
    let found = mistakes(
        "name: a\nvariables: {v: {default: \"${local.x}\"}, w: {default: \"$${aws:username}\"}}\n",
    );
    assert_eq!(
        found,
        [
            "a.yaml:2:26 a default cannot refer to anything (use a local for what is computed; write $${ for a ${ of its own)"
        ]
    );
    let loaded = with(
        "name: a\nvariables: {w: {default: \"$${x}\"}}\n",
        None,
        &Given::default(),
    );
    assert_eq!(loaded.stack.variables["w"].value, json!("${x}"));
}

#[test]
fn a_file_that_cannot_be_read_reports_that_alone() {
    assert_eq!(mistakes("name: [\n").len(), 1);
    assert_eq!(
        mistakes(""),
        ["a.yaml:1:1 the stack file is empty (a stack starts with its name, as in name: my-stack)"]
    );
    assert_eq!(mistakes("- a").len(), 1);
    assert_eq!(mistakes("resources: {}").len(), 1);
}

#[test]
fn a_template_of_another_language_comes_through_as_written() {
    let text = r#"name: demo
resources:
  integration:
    type: aws:apigatewayv2:Integration
    properties:
      templateSelectionExpression: '\$default'
      requestParameters: {integration.request.header.Content-Type: "'application/x-www-form-urlencoded'"}
      requestTemplates:
        $default: >-
          Action=SendMessage&MessageGroupId=$input.path('$.MessageGroupId')&MessageDeduplicationId=$context.requestId&MessageBody=$input.json('$')%{
"#;
    let loaded = with(text, None, &Given::default());
    assert_eq!(messages(&loaded), Vec::<String>::new());
    let properties = &loaded.stack.resources["integration"].properties;
    let made = crate::lang::eval::evaluate(properties, &variable::Nothing::default());
    assert_eq!(made.map(|data| data.value), Ok(properties.clone()));
    assert_eq!(
        properties["templateSelectionExpression"],
        json!("\\$default")
    );
}

#[test]
fn each_old_address_of_a_list_is_a_string() {
    let text = r#"name: a
resources:
  q: {type: "aws:sqs:Queue", options: {movedFrom: [old, 7]}}
  m: {type: "aws:sqs:Queue", options: {movedFrom: {x: old, y: [older, {}], z: true}}}
"#;
    let expected = [
        "a.yaml:4:71 resources.m.options.movedFrom.y[1]: expected a string, got a map",
        "a.yaml:4:79 resources.m.options.movedFrom.z: expected an old address, or a list of them, got a bool",
        "a.yaml:3:57 resources.q.options.movedFrom[1]: expected a string, got a number (put it in quotes)",
    ];
    assert_eq!(mistakes(text), expected);
}

#[test]
fn the_place_of_a_state_is_a_path_or_a_key_in_s3() {
    let of = |place: &str| mistakes(&format!("name: a\nstate: {place}\n"));
    for place in [
        "states/a.json",
        "s3://bucket/key",
        "\"s3://${stack.name}\"",
        "~",
    ] {
        assert_eq!(of(place), Vec::<String>::new(), "{place}");
    }
    let forms = "write s3://bucket/key, or s3://bucket/key?region=eu-west-1&sse=aws:kms";
    for place in ["s3://bucket", "s3://bucket/key?sse=x"] {
        let told = of(place);
        let start = format!("a.yaml:2:8 {place:?} is no place in S3: ");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&start), "{told:?}");
        assert!(told[0].ends_with(&format!(" ({forms})")), "{told:?}");
    }
    assert_eq!(
        of("gs://bucket/key"),
        [
            "a.yaml:2:8 \"gs://\" is no place for a state (write the path of a file, or s3://bucket/key)"
        ]
    );
    assert_eq!(
        of("\"\""),
        [
            "a.yaml:2:8 the place of the state is empty (leave it out for a file under state/, or write s3://bucket/key)"
        ]
    );
}
