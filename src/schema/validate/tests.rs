use super::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// A type with one property of each kind.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Thing {
    /// What it is called.
    #[schemars(regex(pattern = r"^(?!aws)[a-z]+$"), length(max = 5))]
    name: String,
    #[schemars(range(min = 1, max = 10))]
    size: Option<u32>,
    mode: Option<Mode>,
    #[schemars(extend("sensitive" = true), length(min = 8))]
    password: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    inner: Option<Inner>,
    list: Option<Vec<Inner>>,
    #[schemars(extend("document" = "policy"))]
    policy: Option<Value>,
    either: Option<Either>,
    #[schemars(length(min = 2, max = 3))]
    pair: Option<Vec<String>>,
    #[schemars(length(min = 1))]
    some: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
enum Mode {
    Active,
    PassThrough,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Inner {
    status: String,
    flag: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Either {
    Text(String),
    List(Vec<String>),
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Outputs {
    arn: String,
}

fn messages(data: &Data) -> Vec<String> {
    let schema = Schema::of::<Thing, Outputs>("test:Thing");
    let mut found: Vec<String> = schema
        .validate(data)
        .iter()
        .map(|broken| {
            let help = broken.help.as_ref();
            let help = help.map_or(String::new(), |help| format!("; {help}"));
            format!("{}: {}{help}", broken.path, broken.message)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn what_is_right_is_not_mentioned() {
    let value = json!({
        "name": "abc", "size": 3, "mode": "Active", "tags": {"a": "b"}, "inner": {"status": "x", "flag": null},
        "policy": {"Statement": null}, "either": ["a"], "password": null,
    });
    assert_eq!(messages(&value.into()), Vec::<String>::new());
}

#[test]
fn mistakes_are_reported_in_plain_words() {
    let value = json!({
        "name": "awsabcd", "size": 11, "mode": "Activ", "password": "hunter2", "tags": {"a": [1]},
        "inner": {"statu": "x"}, "list": [{"status": "a", "flag": "true"}], "either": 7, "nam": 1, "arn": "x",
    });
    let expected = [
        "arn: \"arn\" is not a property of test:Thing; it is an output: it can be referred to, not set",
        "either: either: expected a string or a list, got a number",
        "inner.statu: \"statu\" is not a property of inner; did you mean \"status\"?",
        "list[0].flag: list[0].flag: expected a bool, got a string; take the quotes away",
        "mode: mode: expected one of \"Active\", \"PassThrough\", got \"Activ\"; did you mean \"Active\"?",
        "nam: \"nam\" is not a property of test:Thing; did you mean \"name\"?",
        "name: name may have at most 5 characters, got 7",
        "name: name must match the pattern ^(?!aws)[a-z]+$, got \"awsabcd\"",
        "password: password must have at least 8 characters",
        "size: size must be at most 10, got 11",
        "tags.a: tags.a: expected a string, got a list",
    ];
    assert_eq!(messages(&value.into()), expected);
    // Where one form is meant, what is wrong within it.
    let value = json!({"name": "a", "either": ["x", 7]});
    assert_eq!(
        messages(&value.into()),
        ["either[1]: either[1]: expected a string, got a number"]
    );
    assert_eq!(
        messages(&json!({"size": 1.5}).into()),
        [
            ": missing required property \"name\" of test:Thing",
            "size: size: expected a number without a fraction, got one with a fraction",
        ]
    );
}

#[test]
fn what_is_unknown_is_left_for_later() {
    let mut data = Data::from(
        json!({"name": null, "inner": {"status": null, "x": 1}, "either": [null], "list": null}),
    );
    for path in ["/name", "/inner/status", "/either/0", "/list"] {
        data.set(&Path::pointer(path), Data::unknown("${a.b}"));
    }
    assert_eq!(
        messages(&data),
        ["inner.x: \"x\" is not a property of inner; its properties are flag, status"]
    );
    assert_eq!(messages(&Data::unknown("${a}")), Vec::<String>::new());
}

#[test]
fn nothing_secret_is_said() {
    let mut data = Data::from(json!({"name": "HUNTER", "mode": "hunter"}));
    data.secret.insert(Path::pointer("/name"));
    data.secret.insert(Path::pointer("/mode"));
    let found = messages(&data);
    assert_eq!(found.len(), 3);
    assert!(
        !found.join(" ").to_lowercase().contains("hunter"),
        "{found:?}"
    );
}

#[test]
fn a_list_has_neither_too_few_items_nor_too_many() {
    for (pair, expected) in [
        (json!(["a"]), &["pair: pair must have at least 2 items"][..]),
        (json!(["a", "b"]), &[]),
        (json!(["a", "b", "c"]), &[]),
        (
            json!(["a", "b", "c", "d"]),
            &["pair: pair may have at most 3 items"],
        ),
    ] {
        let value = json!({"name": "a", "pair": pair, "some": ["a"]});
        assert_eq!(messages(&value.into()), expected);
    }
    // How many there are is known, whatever they are.
    let mut data = Data::from(json!({"name": "a", "pair": [null], "some": []}));
    data.set(&Path::pointer("/pair/0"), Data::unknown("${a.b}"));
    let expected = [
        "pair: pair must have at least 2 items",
        "some: some must have at least 1 item",
    ];
    assert_eq!(messages(&data), expected);
}
