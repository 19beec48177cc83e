mod corners;
mod functions;
mod references;
mod secrets;
mod shapes;

use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Default)]
struct World {
    vars: BTreeMap<String, Data>,
    locals: BTreeMap<String, Data>,
    resources: BTreeMap<String, Data>,
    each: Option<(Data, Data)>,
    stack: Data,
}

impl Scope for World {
    fn var(&self, name: &str) -> Option<&Data> {
        self.vars.get(name)
    }
    fn local(&self, name: &str) -> Option<&Data> {
        self.locals.get(name)
    }
    fn data(&self, _name: &str) -> Option<&Data> {
        None
    }
    fn resource(&self, name: &str) -> Option<&Data> {
        self.resources.get(name)
    }
    fn each(&self) -> Option<(&Data, &Data)> {
        self.each.as_ref().map(|(key, value)| (key, value))
    }
    fn stack(&self) -> &Data {
        &self.stack
    }
    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        if path == "a.txt" {
            Ok(b"abc".to_vec())
        } else {
            Err("there is no such file".to_owned())
        }
    }
}

fn world() -> World {
    let mut queue = Data::from(json!({"name": "q", "arn": null, "tags": {"a": "b"}, "id": "7"}));
    queue.set(&Path::pointer("/arn"), Data::unknown("${queue.arn}"));
    queue.set(&Path::pointer("/tags/x~1y"), Data::unknown("z"));
    let mut password = Data::from(json!({"result": "hunter2", "length": 7}));
    password.secret.insert(Path::pointer("/result"));
    let mut many = Data::from(json!({"a": {"arn": "A"}, "b": {"arn": null}}));
    many.set(
        &Path::pointer("/b/arn"),
        Data::unknown("${many[\"b\"].arn}"),
    );
    World {
        vars: BTreeMap::from([
            ("n".to_owned(), json!(7).into()),
            ("s".to_owned(), json!("text").into()),
            ("flag".to_owned(), json!(true).into()),
            ("none".to_owned(), Value::Null.into()),
            ("list".to_owned(), json!(["a", "b"]).into()),
            (
                "map".to_owned(),
                json!({"k": 1, "l": {"m": [10, 20]}}).into(),
            ),
        ]),
        locals: BTreeMap::new(),
        resources: BTreeMap::from([
            ("queue".to_owned(), queue),
            ("password".to_owned(), password),
            ("many".to_owned(), many),
            ("gone".to_owned(), Value::Null.into()),
        ]),
        each: Some((json!("k").into(), json!({"v": 1}).into())),
        stack: json!({"name": "demo", "dir": "/s", "env": null}).into(),
    }
}

fn data(text: &str) -> Data {
    match evaluate(&json!(text), &world()) {
        Ok(data) => data,
        Err(faults) => panic!("{text}: {faults:?}"),
    }
}

fn value(text: &str) -> Value {
    let data = data(text);
    assert!(data.is_known(), "{text} is unknown: {data:?}");
    data.value
}

fn fault(text: &str) -> LocatedError {
    match evaluate(&json!(text), &world()) {
        Ok(data) => panic!("{text} gives {data:?}"),
        Err(mut faults) => faults.remove(0),
    }
}

#[test]
fn text_without_an_expression_is_left_alone() {
    for text in [
        "$default",
        "$input.path('$.x')",
        "$context.requestId",
        "\\$default",
        "100%{",
        "%{x}",
        "#if(a)%{b}#end",
        "a $ b",
        "$$",
        "",
    ] {
        assert_eq!(value(text), json!(text));
    }
    assert_eq!(value("$${aws:username}"), json!("${aws:username}"));
    assert_eq!(value("a$${x}b${var.n}$"), json!("a${x}b7$"));
    assert_eq!(value("100%{ ${var.n + 1} %%{"), json!("100%{ 8 %%{"));
}

#[test]
fn a_lone_expression_keeps_its_type() {
    assert_eq!(value("${var.n}"), json!(7));
    assert_eq!(value("${ var.n }"), json!(7));
    assert_eq!(value("${var.flag}"), json!(true));
    assert_eq!(value("${var.list}"), json!(["a", "b"]));
    assert_eq!(value("${var.none}"), Value::Null);
    assert_eq!(value("${var.map.l.m[1]}"), json!(20));
    assert_eq!(value("${var.map[\"l\"][\"m\"].0}"), json!(10));
    assert_eq!(value("${var.n} "), json!("7 "));
    assert_eq!(value("${1 + 2 * 3}"), json!(7));
    assert_eq!(value("${7 / 2}"), json!(3.5));
    assert_eq!(value("${-var.n}"), json!(-7));
    assert_eq!(value("${\"3\" + 1}"), json!(4));
    assert_eq!(
        value("${stack.name}-${each.key}-${each.value.v}"),
        json!("demo-k-1")
    );
}

#[test]
fn what_a_path_needs_decides_whether_it_is_known() {
    assert_eq!(value("${queue.name}"), json!("q"));
    assert_eq!(value("${queue.tags.a}"), json!("b"));
    let arn = data("${queue.arn}");
    assert_eq!(arn.unknown_at(&Path::root()), Some("${queue.arn}"));
    let text = data("x-${queue.arn}-${queue.name}");
    assert_eq!(
        text.unknown_at(&Path::root()),
        Some("x-${queue.arn}-${queue.name}")
    );
    assert_eq!(value("${var.flag ? queue.name : queue.arn}"), json!("q"));
    assert_eq!(value("${length(queue)}"), json!(4));
    assert!(!data("${upper(queue.arn)}").is_known());
    assert!(!data("${queue.arn == \"x\" ? 1 : 2}").is_known());
    assert_eq!(value("${false && queue.arn == \"x\"}"), json!(false));
    assert_eq!(value("${queue.arn == \"x\" && false}"), json!(false));
}

#[test]
fn a_lone_reference_to_something_unknown_in_part_names_the_parts() {
    let queue = data("${queue}");
    assert_eq!(
        queue.unknown_at(&Path::pointer("/arn")),
        Some("${queue.arn}")
    );
    assert_eq!(
        queue.unknown_at(&Path::pointer("/tags/x~1y")),
        Some("${queue.tags[\"x/y\"]}")
    );
    let again = data("${queue.tags[\"x/y\"]}");
    assert_eq!(
        again.unknown_at(&Path::root()),
        Some("${queue.tags[\"x/y\"]}")
    );
    let merged = data("${merge(queue.tags, {c = 1})}");
    assert_eq!(
        merged.unknown_at(&Path::root()),
        Some("${merge(queue.tags, {c = 1})}")
    );
}

#[test]
fn what_comes_from_a_secret_is_secret() {
    for text in [
        "${password.result}",
        "x${password.result}",
        "${upper(password.result)}",
        "${password.result == \"a\" ? 1 : 2}",
        "${[password.result][0]}",
        "${{a = password.result}.a}",
        "${length(password.result)}",
        "${try(password.result, 1)}",
        "${[for c in [password.result] : c][0]}",
        "${sensitive(1)}",
    ] {
        assert!(data(text).is_secret(&Path::root()), "{text}");
    }
    assert!(!data("${password.length}").is_secret(&Path::root()));
    assert_eq!(
        data("${password}").secret.first(),
        Some(&Path::pointer("/result"))
    );
    let fault = fault("${tonumber(password.result)}");
    assert!(!fault.message.contains("hunter2"), "{fault:?}");
    let fault = super::evaluate(&json!("${jsondecode(\"${password.result}\")}"), &world());
    assert!(!format!("{fault:?}").contains("hunter2"));
}

#[test]
fn instances_are_an_object_by_key() {
    assert_eq!(value("${many[\"a\"].arn}"), json!("A"));
    assert!(!data("${many[\"b\"].arn}").is_known());
    assert_eq!(value("${length(many[*])}"), json!(2));
    let all = data("${many[*].arn}");
    assert!(!all.is_known());
    assert_eq!(value("${[for key, one in many : key]}"), json!(["a", "b"]));
    assert_eq!(value("${var.map[*].k}"), json!([1]));
    assert_eq!(value("${gone[*].arn}"), json!([]));
    assert_eq!(value("${one(gone[*].arn)}"), Value::Null);
}

#[test]
fn try_and_coalesce_look_no_further_than_they_need() {
    assert_eq!(value("${try(gone.arn, \"none\")}"), json!("none"));
    assert_eq!(value("${try(var.s, queue.nope)}"), json!("text"));
    assert_eq!(value("${can(gone.arn)}"), json!(false));
    assert_eq!(
        value("${coalesce(var.none, \"\", var.s, queue.nope)}"),
        json!("text")
    );
    assert!(!data("${coalesce(queue.arn, \"a\")}").is_known());
    assert_eq!(
        value("${[for x in [{a = 1}, {}] : try(x.a, 0)]}"),
        json!([1, 0])
    );
    assert_eq!(value("${coalesce([\"\", \"b\"]...)}"), json!("b"));
}

#[test]
fn for_expressions_and_splats() {
    assert_eq!(
        value("${[for x in var.list : upper(x) if x != \"a\"]}"),
        json!(["B"])
    );
    assert_eq!(
        value("${{for i, x in var.list : x => i}}"),
        json!({"a": 0, "b": 1})
    );
    assert_eq!(
        value("${{for x in [\"a1\", \"a2\"] : substr(x, 0, 1) => x...}}"),
        json!({"a": ["a1", "a2"]})
    );
    assert_eq!(value("${[{a = 1}, {a = 2}][*].a}"), json!([1, 2]));
    assert_eq!(value("${[{a = 1}, {a = 2}].*.a}"), json!([1, 2]));
    assert_eq!(value("${[for v in var.map.l.m : v][1]}"), json!(20));
    assert_eq!(value("${max([for x in var.map.l.m : x]...)}"), json!(20));
}

#[test]
fn directives_work_as_in_terraform() {
    assert_eq!(
        value("%{ if var.flag }yes%{ else }no%{ endif }"),
        json!("yes")
    );
    assert_eq!(
        value("%{ for x in var.list ~}\n  <${x}>\n%{~ endfor }"),
        json!("  <a>  <b>")
    );
    assert_eq!(value("%%{ if }"), json!("%{ if }"));
}

#[test]
fn mistakes_say_what_and_where() {
    let missing = fault("x ${queue.nam}");
    assert_eq!(missing.message, "queue has no \"nam\"");
    assert_eq!(missing.help.as_deref(), Some("did you mean \"name\"?"));
    assert_eq!(missing.range, Some(4..13));
    assert_eq!(
        fault("${gone.arn}").message,
        "gone is null, so it has no \"arn\""
    );
    assert_eq!(
        fault("${uper(1)}").help.as_deref(),
        Some("did you mean \"upper\"?")
    );
    assert_eq!(
        fault("${upper()}").message,
        "upper takes 1 argument, and 0 are given"
    );
    let list = fault("a${var.list}");
    assert_eq!(list.message, "expected a string, got a list");
    assert_eq!(list.range, Some(3..11));
    assert!(fault("${var.n +}").message.contains("expression"));
    assert!(fault("a ${var.s").range.is_some());
    assert_eq!(fault("${1/0}").message, "this divides by zero");
    // What is in front does not move the place.
    let masked = "%{x} %{y} ${upper(queue.nope)}";
    let range = fault(masked).range.unwrap_or_default();
    assert_eq!(&masked[range], "queue.nope");
}

#[test]
fn every_wrong_string_is_reported() {
    let template = json!({"a": "${var.s}", "b": ["${nope}", {"c": "${queue.x}"}]});
    let faults = evaluate(&template, &world()).err().unwrap_or_default();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_pointer()).collect();
    assert_eq!(paths, ["/b/0", "/b/1/c"]);
}

#[test]
fn keys_are_templates_too() {
    let made = evaluate(&json!({"${var.s}": {"x": "${queue.arn}"}}), &world()).unwrap_or_default();
    assert_eq!(
        made.unknown_at(&Path::pointer("/text/x")),
        Some("${queue.arn}")
    );
    assert!(evaluate(&json!({"${queue.arn}": 1}), &world()).is_err());
}

#[test]
fn work_without_end_is_refused() {
    let plain = json!(["x".repeat(65 << 20), 1, 2]);
    let faults = evaluate(&plain, &world()).unwrap_err();
    assert!(
        faults[0].message.contains("64 MiB") && faults.len() == 1,
        "{faults:?}"
    );
    let deep = format!("${{{}1{}}}", "(".repeat(500), ")".repeat(500));
    assert!(
        fault(&deep).message.contains("nested too deeply"),
        "{:?}",
        fault(&deep)
    );
    let loops = "${[for a in range(1024) : [for b in range(1024) : [for c in range(1024) : 1]]]}";
    assert!(fault(loops).message.contains("too many steps"));
    // What is spread into a call is copied: with the list itself it would be too much.
    let text = "x".repeat(33_000);
    let list = format!("split(\",\", \"{}\")", [text.as_str(); 7].join(","));
    let many = format!("flatten([for a in range(150) : {list}])");
    assert!(evaluate(&json!(format!("${{length({many})}}")), &world()).is_ok());
    assert!(
        fault(&format!("${{concat([{many}]...)}}"))
            .message
            .contains("64 MiB")
    );
    let long = format!("${{1}}{}", "x".repeat(300 * 1024)).replace("${1}", "${1 + 1}");
    assert!(fault(&long).message.contains("KiB"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "(\\$\\{|%\\{|\\}|[a-z.\\[\\]()\"?:+*/ -]|queue|var|for|if|in|\\PC){0,40}") {
        let _ = evaluate(&json!(text), &world());
        let _ = references(&json!(text));
        let _ = lone_reference(&text);
    }

    #[test]
    fn an_escaped_text_gives_itself(text in "(\\$|%|\\{|~|\\}|if|for |else|endif|var\\.s|[ \"\\\\\nax])*") {
        let template = crate::literal::escaped(&text);
        prop_assert!(!is_expression(&template), "{}", template);
        let given = evaluate(&json!(template), &world()).map(|data| data.value);
        prop_assert_eq!(given.ok(), Some(json!(text)), "{}", template);
    }

    #[test]
    fn no_function_panics(
        name in proptest::sample::select(function::all_names()),
        args in proptest::collection::vec("(-?[0-9]{1,20}|\"[a-z%0-9/.]{0,6}\"|null|true|\\[\\]|\\[1, \"a\"\\]|\\{a = 1\\}|queue\\.arn|1e300|0\\.5)", 0..4),
    ) {
        let _ = evaluate(&json!(format!("${{{name}({})}}", args.join(", "))), &world());
    }
}
