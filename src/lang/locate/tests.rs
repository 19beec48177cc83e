use super::*;
use crate::lang::source::parse;
use proptest::prelude::*;
use serde_json::Value;

fn marked(text: &str, place: &Place) -> String {
    locate(text, place).map_or_else(
        || "nowhere".to_owned(),
        |span| format!("{}:{} {}", span.line, span.column, &text[span.bytes]),
    )
}

const TEXT: &str = r#"name: demo   # the name
base: &base {region: eu, é: "ü \"x\" y"}
list:
  - one
  - &two two
  - [a, {b: 12}, 'it''s']
map:
  <<: *base
  own: true
  block:
    deeper: x
alias: *two
long: some words
  that go on
"#;

#[test]
fn values_and_keys_are_found() {
    for (path, expected) in [
        ("/name", "1:7 demo"),
        ("/base/region", "2:22 eu"),
        ("/base/é", "2:29 \"ü \\\"x\\\" y\""),
        ("/list/0", "4:5 one"),
        ("/list/1", "5:10 two"),
        ("/list/2", "6:5 [a, {b: 12}, 'it''s']"),
        ("/list/2/1", "6:9 {b: 12}"),
        ("/list/2/1/b", "6:13 12"),
        ("/list/2/2", "6:18 'it''s'"),
        ("/map/own", "9:8 true"),
        ("/map/block", "11:5 deeper: x"),
        ("/map/region", "2:22 eu"),
        ("/alias", "5:10 two"),
        ("/long", "13:7 some words"),
        ("/map/block/nope", "10:3 block"),
        ("/nope", "1:1 name: demo"),
    ] {
        assert_eq!(
            marked(TEXT, &Place::Value(Path::pointer(path))),
            expected,
            "{path}"
        );
    }
    for (path, expected) in [
        ("/name", "1:1 name"),
        ("/base/é", "2:26 é"),
        ("/list/2/1/b", "6:10 b"),
        ("/map/block/deeper", "11:5 deeper"),
        ("/map/region", "2:14 region"),
    ] {
        assert_eq!(
            marked(TEXT, &Place::Key(Path::pointer(path))),
            expected,
            "{path}"
        );
    }
    assert_eq!(marked(TEXT, &Place::At(2, 7)), "2:7 &base");
    assert_eq!(locate(TEXT, &Place::Outside), None);
}

#[test]
fn a_part_of_a_text_is_found_in_every_style() {
    let text = "plain: x ${a.b} y\nsingle: 'it''s ${a.b}'\ndouble: \"\\t\\u00e9 ${a.b}\"\nliteral: |\n  first\n    more\n  last ${a.b}\nfolded: >-\n  one\n  two ${a.b}\n\n  three ${c.d}\nwrapped: one\n  two ${a.b}\nescaped: \"one \\\n  two ${a.b}\"\nlist: [\"${a.b}\"]\n";
    let value = parse(text.as_bytes()).unwrap_or_default();
    for (path, part, expected) in [
        ("/plain", "a.b", "1:12 a.b"),
        ("/single", "a.b", "2:18 a.b"),
        ("/double", "a.b", "3:21 a.b"),
        ("/literal", "a.b", "7:10 a.b"),
        ("/literal", "more", "6:5 more"),
        ("/folded", "a.b", "10:9 a.b"),
        ("/folded", "c.d", "12:11 c.d"),
        ("/wrapped", "a.b", "14:9 a.b"),
        ("/escaped", "a.b", "16:9 a.b"),
        ("/list/0", "a.b", "17:11 a.b"),
    ] {
        let path = Path::pointer(path);
        let string = path.get(&value).and_then(Value::as_str).unwrap_or_default();
        let start = string.find(part).unwrap_or_default();
        let place = Place::Within(path.clone(), start..start + part.len());
        assert_eq!(marked(text, &place), expected, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_place_makes_it_panic(
        text in "([-a-c:,\\[\\]{}&*|>'\" \n]|: |- |\n  |a: |\"\\\\n|\\PC){0,60}",
        path in "(/[a-c0-2]){0,4}",
        start in 0usize..20,
        length in 0usize..20,
    ) {
        let path = Path::pointer(path);
        for place in [
            Place::Value(path.clone()),
            Place::Key(path.clone()),
            Place::Within(path, start..start + length),
            Place::At(start, length),
        ] {
            if let Some(span) = locate(&text, &place) {
                prop_assert!(text.get(span.bytes).is_some());
            }
        }
    }
}

#[test]
fn a_span_never_splits_a_character() {
    let text = "\u{a0}\n  a: ";
    let span = locate(text, &Place::Value(Path::root())).expect("the root is somewhere");
    assert!(text.get(span.bytes).is_some());
}
