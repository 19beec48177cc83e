use super::*;
use serde_json::json;

fn replaced(text: &str, path: &str, value: Value) -> String {
    edit(text, &[Edit::Replace(Path::pointer(path), value)]).unwrap()
}
fn inserted(text: &str, path: &str, value: Value) -> String {
    edit(text, &[Edit::Insert(Path::pointer(path), value)]).unwrap()
}
fn removed(text: &str, path: &str) -> String {
    edit(text, &[Edit::Remove(Path::pointer(path))]).unwrap()
}

const BLOCK: &str = "\
# the queue
queue:
  name: orders   # é in a remark
  'quoted': 'it''s'
  \"double\": \"a\\tb\"
  tags:
    team: red  # who

    cost: \"7\"
  list:
    - one
    - two # second
    - {a: 1, b: [x, y]}
  text: |
    first
    second

  empty:
after: 1
";

#[test]
fn scalars_keep_their_style() {
    let all = [
        (
            "/queue/name",
            json!("other"),
            "  name: other   # é in a remark\n",
        ),
        (
            "/queue/name",
            json!("yes"),
            "  name: \"yes\"   # é in a remark\n",
        ),
        (
            "/queue/name",
            json!("a: b"),
            "  name: \"a: b\"   # é in a remark\n",
        ),
        (
            "/queue/name",
            json!("\\.fifo$"),
            "  name: \\.fifo$   # é in a remark\n",
        ),
        (
            "/queue/name",
            json!("0123"),
            "  name: \"0123\"   # é in a remark\n",
        ),
        (
            "/queue/name",
            json!("2012-10-17"),
            "  name: \"2012-10-17\"   # é in a remark\n",
        ),
        (
            "/queue/name",
            json!(true),
            "  name: true   # é in a remark\n",
        ),
        ("/queue/quoted", json!("what's"), "  'quoted': 'what''s'\n"),
        ("/queue/quoted", json!(5), "  'quoted': 5\n"),
        ("/queue/double", json!("c\"d"), "  \"double\": \"c\\\"d\"\n"),
        ("/queue/tags/team", json!("blue"), "    team: blue  # who\n"),
        ("/queue/tags/cost", json!("8"), "    cost: \"8\"\n"),
        ("/queue/list/1", json!("deux"), "    - deux # second\n"),
        (
            "/queue/list/2/b/0",
            json!("z, w"),
            "    - {a: 1, b: [\"z, w\", y]}\n",
        ),
        ("/queue/empty", json!(3), "  empty: 3\n"),
        ("/after", json!(1.5), "after: 1.5\n"),
    ];
    for (path, value, line) in all {
        let changed = replaced(BLOCK, path, value);
        assert!(changed.contains(line), "{path}: {line}{changed}");
        assert_eq!(changed.lines().count(), BLOCK.lines().count(), "{changed}");
    }
}

#[test]
fn texts_of_several_lines() {
    let changed = replaced(BLOCK, "/queue/text", json!("first\nthird\nfourth\n"));
    assert!(
        changed.contains("  text: |\n    first\n    third\n    fourth\n\n  empty:\n"),
        "{changed}"
    );
    let changed = replaced(BLOCK, "/queue/text", json!("short"));
    assert!(changed.contains("  text: short\n"), "{changed}");
    let changed = replaced(BLOCK, "/queue/name", json!("a\nb"));
    assert!(changed.contains("  name: \"a\\nb\"   # é"), "{changed}");
    let changed = replaced(BLOCK, "/queue/tags/cost", json!("a\nb"));
    assert!(
        changed.contains("    cost: |-\n      a\n      b\n  list"),
        "{changed}"
    );
    let changed = replaced(BLOCK, "/queue/list/2/a", json!("a\nb"));
    assert!(changed.contains("{a: \"a\\nb\", b:"), "{changed}");
}

#[test]
fn entries_come_and_go() {
    let changed = inserted(BLOCK, "/queue/tags/new", json!("1"));
    assert!(
        changed.contains("    cost: \"7\"\n    new: \"1\"\n  list:\n"),
        "{changed}"
    );
    let changed = inserted(BLOCK, "/queue/size", json!({"a": [1, {"b": "c"}], "d": {}}));
    assert!(
        changed
            .contains("  empty:\n  size:\n    a:\n      - 1\n      - b: c\n    d: {}\nafter: 1\n"),
        "{changed}"
    );
    let changed = inserted(BLOCK, "/queue/list/2/c", json!("x y"));
    assert!(
        changed.contains("    - {a: 1, b: [x, y], c: x y}\n"),
        "{changed}"
    );
    let changed = inserted(BLOCK, "/queue/list/0", json!("zero"));
    assert!(
        changed.contains("  list:\n    - zero\n    - one\n"),
        "{changed}"
    );
    let changed = inserted(BLOCK, "/queue/list/3", json!({"k": "v", "l": "w"}));
    assert!(
        changed.contains("b: [x, y]}\n    - k: v\n      l: w\n  text: |"),
        "{changed}"
    );
    let changed = inserted(BLOCK, "/queue/empty/a", json!(1));
    assert!(
        changed.contains("  empty:\n    a: 1\nafter: 1\n"),
        "{changed}"
    );
    let changed = inserted(BLOCK, "/last", json!(2));
    assert!(changed.ends_with("after: 1\nlast: 2\n"), "{changed}");
    let changed = removed(BLOCK, "/queue/tags/team");
    assert!(
        changed.contains("  tags:\n\n    cost: \"7\"\n"),
        "{changed}"
    );
    let changed = removed(BLOCK, "/queue/list/1");
    assert!(changed.contains("    - one\n    - {a: 1"), "{changed}");
    let changed = removed(BLOCK, "/queue/list/2/a");
    assert!(changed.contains("    - {b: [x, y]}\n"), "{changed}");
    let changed = removed(BLOCK, "/queue/list/2/b");
    assert!(changed.contains("    - {a: 1}\n"), "{changed}");
    let changed = removed(BLOCK, "/queue/text");
    assert!(
        changed.contains("b: [x, y]}\n\n  empty:\nafter"),
        "{changed}"
    );
    assert_eq!(removed("a:\n  b: 1\n", "/a/b"), "a:\n  {}\n");
    assert_eq!(
        removed("a:\n  - b: 1\n    c: 2\n", "/a/0/b"),
        "a:\n  - c: 2\n"
    );
    assert_eq!(removed("a: [1]\n", "/a/0"), "a: []\n");
    assert_eq!(inserted("a: {}", "/a/b", json!(1)), "a: {b: 1}");
    assert_eq!(inserted("a: 1", "/b", json!(1)), "a: 1\nb: 1");
}

#[test]
fn collections_change_as_a_whole() {
    let changed = replaced(BLOCK, "/queue/tags", json!({"x": "why"}));
    assert!(
        changed.contains("  tags:\n    x: why\n  list:\n"),
        "{changed}"
    );
    let changed = replaced(BLOCK, "/queue/list", json!(["a", ["b"]]));
    assert!(
        changed.contains("  list:\n    - a\n    - - b\n  text: |\n"),
        "{changed}"
    );
    let changed = replaced(BLOCK, "/queue/list/2", json!([1]));
    assert!(changed.contains("    - [1]\n"), "{changed}");
}

#[test]
fn what_would_reach_further_is_refused() {
    let shared = "base: &b {x: 1}\none: *b\ntwo: *b\nthree:\n  <<: *b\n  y: 2\n";
    let refused = |edit: Edit| super::edit(shared, &[edit]).unwrap_err();
    let at = Path::pointer;
    for edit in [
        Edit::Replace(at("/base/x"), json!(2)),
        Edit::Replace(at("/one/x"), json!(2)),
        Edit::Replace(at("/one"), json!(2)),
        Edit::Replace(at("/three/x"), json!(2)),
        Edit::Insert(at("/base/y"), json!(2)),
        Edit::Remove(at("/one/x")),
        Edit::Remove(at("/nowhere/x")),
    ] {
        assert!(!refused(edit.clone()).is_empty(), "{edit:?}");
    }
    let changed = super::edit(shared, &[Edit::Insert(at("/three/x"), json!(7))]);
    assert_eq!(
        changed.unwrap(),
        shared.replace("  y: 2\n", "  y: 2\n  x: 7\n")
    );
}

/// Each row: a value and how it is written on one line; each reads back as it was.
#[test]
fn values_on_one_line() {
    use super::write::{flow, key, scalar};
    use crate::lang::source;
    let rows = [
        (json!("3 apples"), "3 apples"),
        (json!("12:30"), "\"12:30\""),
        (json!("1_000"), "\"1_000\""),
        (json!("2024-01-01"), "\"2024-01-01\""),
        (json!("1.2.3"), "\"1.2.3\""),
        (json!("v1.2"), "v1.2"),
        (json!(":1"), "\":1\""),
        (json!("On"), "\"On\""),
        (json!("true"), "\"true\""),
        (json!(""), "\"\""),
        (json!("a #b"), "\"a #b\""),
        (json!("a#b"), "a#b"),
        (json!("it's"), "it's"),
        (json!("\\d: x"), "'\\d: x'"),
        (json!("a: 'b' \\"), "'a: ''b'' \\'"),
        (json!("tab\t\\"), "tab\t\\"),
        (json!("a\nb"), "\"a\\nb\""),
        (json!(null), "null"),
        (json!(-1.5), "-1.5"),
        (
            json!({"a b": [1, {"c": "d"}], "e": {}, "f": []}),
            "{a b: [1, {c: d}], e: {}, f: []}",
        ),
    ];
    for (value, text) in rows {
        assert_eq!(flow(&value), text);
        let read = source::parse(format!("x: {text}\n").as_bytes()).unwrap();
        assert_eq!(read, json!({"x": value}), "{text}");
    }
    assert_eq!(key("no"), "\"no\"");
    assert_eq!(scalar(&json!("it's"), tree::Style::Single), "'it''s'");
    assert_eq!(scalar(&json!("a\tb"), tree::Style::Single), "\"a\\tb\"");
    assert_eq!(scalar(&json!("a"), tree::Style::Double), "\"a\"");
}

#[test]
fn values_on_several_lines() {
    use super::write::{behind, block, is_literal, literal};
    let value = json!({
        "a": {"b": [1, [2, 3], {"c": "x\ny\n", "d": 1}, "p\nq"]}, "e": [], "t": "l1\n\nl2",
    });
    let text = "a:\n  b:\n    - 1\n    - - 2\n      - 3\n    - c: |\n        x\n        y\n      d: 1\n    - |-\n      p\n      q\ne: []\nt: |-\n  l1\n\n  l2";
    assert_eq!(block(&value, 0), text);
    let read = crate::lang::source::parse(text.as_bytes()).unwrap();
    assert_eq!(read, value);
    assert_eq!(literal("a\nb\n\n", 2), "|+\n  a\n  b\n");
    assert_eq!(behind(&json!({}), 2), " {}");
    assert_eq!(behind(&json!([1]), 2), "\n  - 1");
    for text in ["a\n", " a\nb", "\na\nb", "a\tb\nc"] {
        assert!(!is_literal(text), "{text:?}");
    }
    assert!(is_literal("a\nb"));
}
