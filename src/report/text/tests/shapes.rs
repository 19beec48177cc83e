//! Values of every shape, and the lines around the rows.

use super::*;
use crate::engine::head::Head;
use crate::engine::plan::Scope;
use crate::resource::contents::Contents;
use crate::resource::endpoint::Endpoint;

fn node(value: &Value, unknown: &[(&str, &str)]) -> Node {
    let none = SecretPaths::default();
    let data = with_unknown(value.clone(), unknown);
    Node::of(&Veil::new(&none, None, false).data(&data))
}

#[test]
fn a_value_of_every_shape_as_yaml() {
    let value = json!({
        "a": [], "b": {}, "c": [1, "x y", null, true], "d": [[1], {"e": 1, "f": [2]}, "t\nu"],
        "g": {"h": {"i": "j"}}, "k l": "m\nn\n", "o": "p\nq", "r": "only\n", "true": "no",
    });
    let node = node(&value, &[("/s/t", "${u.v}"), ("/c/1", "${w}")]);
    assert_eq!(
        node.yaml("x"),
        [
            "x:",
            "  a: []",
            "  b: {}",
            "  c: [1, ${w}, null, true]",
            "  d:",
            "    - - 1",
            "    - e: 1",
            "      f: [2]",
            "    - |",
            "      t",
            "      u",
            "  g:",
            "    h:",
            "      i: j",
            "  \"k l\": |",
            "    m",
            "    n",
            "  o: |-",
            "    p",
            "    q",
            "  r: \"only\\n\"",
            "  s:",
            "    t: ${u.v}",
            "  \"true\": \"no\"",
        ]
    );
    let long = json!((0..62).collect::<Vec<_>>());
    let lines = self::node(&long, &[]).yaml_body();
    assert_eq!((lines.len(), lines[0].as_str()), (61, "- 0"));
    assert_eq!(lines[60], "… (2 more items)");
    let lines = self::node(&json!({"a": "l\n".repeat(61)}), &[]).yaml("x");
    assert_eq!(
        (lines.len(), lines[62].as_str()),
        (63, "    … (1 more line)")
    );
    // A list stands on one line up to 72 columns.
    let list = |last: usize| json!(["a".repeat(30), "b".repeat(30), "c".repeat(last)]);
    assert!(
        self::node(&list(6), &[])
            .inline()
            .is_some_and(|line| line.len() == 72)
    );
    assert_eq!(self::node(&list(7), &[]).inline(), None);
    assert_eq!(self::node(&json!([[1], 2]), &[]).inline(), None);
}

#[test]
fn a_value_of_every_shape_as_json() {
    let value = json!({"b": [1, {"c": "d\ne"}, []], "a": {}, "f": ""});
    assert_eq!(
        node(&value, &[("/g", "${h}")]).json(),
        [
            "{",
            "  \"a\": {},",
            "  \"b\": [",
            "    1,",
            "    {",
            "      \"c\": \"d\\ne\"",
            "    },",
            "    []",
            "  ],",
            "  \"f\": \"\",",
            "  \"g\": ${h}",
            "}",
        ]
    );
}

#[test]
fn secrets_within_a_value_say_whether_they_change() {
    let mut paths = Data::from(json!({}));
    for path in ["/list/0", "/map/a", "/whole"] {
        paths.secret.insert(Path::pointer(path));
    }
    let paths = SecretPaths::of(&Some(paths));
    let veil = Veil::new(&paths, None, false);
    let of = |one: &str, two: &str| {
        let value = json!({"list": [one, "x"], "map": {"a": two}, "whole": one});
        Node::of(&veil.value(&value))
    };
    let mut new = of("s", "t");
    new.mark_changed_secrets(Some(&of("s", "u")));
    assert_eq!(
        new.yaml_body(),
        [
            "list: [(secret), (secret)]",
            "map:",
            "  a: (secret, changes)",
            "whole: (secret)"
        ]
    );
    let mut same = of("s", "t");
    same.mark_changed_secrets(Some(&of("s", "t")));
    assert_eq!(same, of("s", "t"));
    let mut other = of("s", "t");
    other.mark_changed_secrets(Some(&of("v", "t")));
    assert_eq!(
        other.yaml_body(),
        [
            "list: [(secret, changes), (secret)]".to_owned(),
            "map:".to_owned(),
            "  a: (secret)".to_owned(),
            "whole: (secret, changes)".to_owned()
        ]
    );
    let mut none = of("s", "t");
    none.mark_changed_secrets(None);
    assert_eq!(none, of("s", "t"));
}

#[test]
fn numbers_and_counts() {
    use super::super::scalar::{is_plain, more, quoted, thousands};
    let shown = [0, 12, 123, 1234, 123_456, 1_234_567].map(thousands);
    assert_eq!(shown, ["0", "12", "123", "1,234", "123,456", "1,234,567"]);
    assert_eq!(more(1, "line"), "… (1 more line)");
    assert_eq!(more(1000, "line"), "… (1,000 more lines)");
    assert_eq!(quoted("a\"\\\n\r\t"), "\"a\\\"\\\\\\n\\r\\t\"");
    for plain in [
        "é1", "\\d+", "(a|b)?", "^x$", ".hidden", "a:b", "Z_-", "g1.5",
    ] {
        assert!(is_plain(plain), "{plain}");
    }
    for quoted in [
        "-a", "?a", "1.5e3", "0x1F", ".5", ".inf", "off", "Y", "a,b", "[a", "#a", "12:30",
    ] {
        assert!(!is_plain(quoted), "{quoted}");
    }
}

#[test]
fn values_that_do_not_fit_beside_each_other() {
    let (old, new) = ("o".repeat(60), "n".repeat(60));
    let shown = show(vec![update(vec![
        differs("role", json!(old), json!(new)),
        differs("tags", json!({"a": 1}), json!({"a": 2})),
        differs("count", json!(1), json!("x\ny")),
        Difference {
            live: None,
            desired: None,
            ..differs("gone", Value::Null, Value::Null)
        },
        Difference {
            content: Some("a b".to_owned()),
            replaces: true,
            ..differs("source", json!("a"), json!("a"))
        },
    ])]);
    let rows: Vec<&str> = shown
        .lines()
        .skip(3)
        .take_while(|line| !line.is_empty())
        .collect();
    assert_eq!(
        rows,
        [
            "      ~ role:",
            &format!("          - {old}"),
            &format!("          + {new}"),
            "      ~ tags:",
            "          - a: 1",
            "          + a: 2",
            "      ~ count:",
            "          - 1",
            "          + x",
            "          + y",
            "          + (no line end)",
            "      - gone: (not set)",
            "      ~ source: content of a b differs  # forces replacement",
            "      # (12 unchanged properties hidden)",
        ]
    );
    let values = [Value::Null, json!({"a": 1}), json!({"a": 2})];
    let one = drift("tags", values, ChangedBy::Both);
    let shown = show(vec![update(vec![one])]);
    let rows: Vec<&str> = shown.lines().skip(3).take(8).collect();
    assert_eq!(
        rows,
        [
            "      ~ tags:  # changed on both sides",
            "          last applied -> live:",
            "              + a: 1",
            "          live -> file:",
            "              - a: 1",
            "              + a: 2",
            "      # (12 unchanged properties hidden)",
            "",
        ]
    );
}

#[test]
fn the_head_and_the_last_line() {
    let mut plan = plan_of(vec![]);
    plan.env = Some("dev".to_owned());
    plan.head = Head {
        file: "stacks/a.yaml".to_owned(),
        state: "state/a.json".to_owned(),
        local: true,
        endpoints: vec![
            Endpoint {
                url: "http://198.51.100.7:1".to_owned(),
                ..Endpoint::default()
            },
            Endpoint {
                url: "https://example.com".to_owned(),
                ..Endpoint::default()
            },
        ],
    };
    plan.scope = Some(Scope {
        asked: "--target a".to_owned(),
        ..Scope::default()
    });
    let shown = super::plan(&plan, &Style::default());
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines[0],
        "websocket-sqs, env dev, account 123456789012, region us-west-2, local cloud"
    );
    assert_eq!(lines[1], "file stacks/a.yaml, state state/a.json");
    assert!(
        lines[2].starts_with("endpoint http://198.51.100.7:1"),
        "{shown}"
    );
    assert_eq!(
        lines[3],
        "  not encrypted: credentials and secrets can be read on the way"
    );
    assert!(
        lines[4].starts_with("endpoint https://example.com"),
        "{shown}"
    );
    assert_eq!(
        lines.last(),
        Some(&"No changes to what --target a selects.")
    );
}

#[test]
fn what_a_deleted_resource_is_known_by_and_holds() {
    let mut deleted = change("bucket", "aws:s3:Bucket", Action::Delete);
    deleted.reason = "no longer in the file".to_owned();
    deleted.id = Some("b".to_owned());
    deleted.before = Some(
        json!({"a": 1, "b": 2, "c": 3, "d": 4, "bucketName": "orders", "list": [1], "long": "x".repeat(60)})
            .into(),
    );
    let mut shown = Vec::new();
    for (keeps, bytes) in [(true, 2), (false, 1), (false, 2)] {
        deleted.holds = Some(Contents {
            keeps,
            bytes: Some(bytes),
            ..Contents::default()
        });
        shown.push(
            show(vec![deleted.clone()])
                .lines()
                .nth(2)
                .unwrap_or_default()
                .to_owned(),
        );
    }
    let title = "  - bucket  aws:s3:Bucket  [id=b]  # no longer in the file; holds";
    assert!(
        shown.iter().all(|line| line.starts_with(title)),
        "{shown:#?}"
    );
    assert!(
        shown[0].chars().last().is_some_and(|last| last != 't'),
        "{shown:#?}"
    );
    assert!(shown[1].ends_with(", which goes with it"), "{shown:#?}");
    assert!(shown[2].ends_with(", which go with it"), "{shown:#?}");
    let all = show(vec![deleted]);
    assert_eq!(
        all.lines().nth(3),
        Some("      bucketName: orders, a: 1, b: 2, c: 3")
    );
}
