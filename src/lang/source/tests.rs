use super::*;
use crate::data::Path;
use crate::lang::locate::locate;
use proptest::prelude::*;
use serde_json::json;
use std::fmt::Write as _;

/// The mistakes as `line:column message`.
fn mistakes(text: &str) -> Vec<String> {
    let found = parse(text.as_bytes()).err().unwrap_or_default();
    let show = |one: &Diagnostic| {
        let span = locate(text, &one.place);
        let (line, column) = span.map_or((0, 0), |span| (span.line, span.column));
        let help = one
            .help
            .as_ref()
            .map_or(String::new(), |help| format!(" ({help})"));
        format!("{line}:{column} {}{help}", one.message)
    };
    found.iter().map(show).collect()
}

fn mistake(text: &str) -> String {
    mistakes(text).into_iter().next().unwrap_or_default()
}

/// Runs it in bounded time. The bound is for a debug build on a busy machine; a release build
/// needs a twentieth of it.
/// What this thread has computed so far, in seconds.
fn computed() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn quickly<T>(run: impl FnOnce() -> T) -> T {
    let start = computed();
    let result = run();
    let took = computed() - start;
    // Far above what it takes in a debug build, far below what a missing guard lets it take.
    assert!(took < 30.0, "it took {took} s");
    result
}

#[test]
fn plain_values_keep_their_meaning() {
    let text = "a: 012345678901\nb: yes\nc: 1_000\nd: 7\ne: 1.5\nf: 7.0\ng: ~\nh: 2012-10-17\ni: $default\nj: !!str 7\n";
    let expected = json!({
        "a": "012345678901", "b": "yes", "c": "1_000", "d": 7, "e": 1.5, "f": 7.0, "g": null,
        "h": "2012-10-17", "i": "$default", "j": "7",
    });
    assert_eq!(parse(text.as_bytes()), Ok(expected));
    assert_eq!(parse(b""), Ok(json!(null)));
    assert_eq!(parse(b"# nothing\n"), Ok(json!(null)));
    assert_eq!(parse("\u{feff}a: 1".as_bytes()), Ok(json!({"a": 1})));
    assert_eq!(parse(b"--- \na: 1\n...\n"), Ok(json!({"a": 1})));
    assert_eq!(
        parse(b"a: GET /x/{proxy+}\r\nb: '\\$default'\r\n"),
        Ok(json!({"a": "GET /x/{proxy+}", "b": "\\$default"}))
    );
}

#[test]
fn merge_keys_are_applied() {
    let text =
        "b: &b {x: 1, y: 2}\nc: &c {y: 3, z: 4}\na: {<<: *b, x: 9}\nd: {x: 0, <<: [*b, *c]}\n";
    let value = parse(text.as_bytes()).unwrap_or_default();
    assert_eq!(value["a"], json!({"x": 9, "y": 2}));
    assert_eq!(value["d"], json!({"x": 0, "y": 2, "z": 4}));
    assert_eq!(
        mistake("a: {<<: 7}"),
        "1:9 \"<<\" merges a map or a list of maps (write it as an alias: <<: *name)"
    );
}

#[test]
fn every_duplicate_key_is_reported_at_the_second_one() {
    let text = "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n";
    let expected = [
        "5:3 duplicate key \"c\" (first at line 3) (remove one of the two)",
        "6:1 duplicate key \"a\" (first at line 1) (remove one of the two)",
    ];
    assert_eq!(mistakes(text), expected);
}

#[test]
fn keys_are_text() {
    let text = "200: a\n1.0: b\n0x1F: c\ntrue: d\n~: e\n1e3: f\n+7: g\n12345678901234567890123: h\n.inf: i\n";
    let expected = json!({
        "200": "a", "1.0": "b", "0x1F": "c", "true": "d", "~": "e", "1e3": "f", "+7": "g",
        "12345678901234567890123": "h", ".inf": "i",
    });
    assert_eq!(parse(text.as_bytes()), Ok(expected));
    let place = locate(text, &Place::Value(Path::pointer("/0x1F")));
    assert_eq!(place.map(|span| (span.line, span.column)), Some((3, 7)));
    assert_eq!(
        mistake("200: a\n\"200\": b\n").split(" (").next(),
        Some("2:1 duplicate key \"200\"")
    );
    assert_eq!(
        mistake("? [a]\n: x").split(" (").next(),
        Some("1:3 this key is a list or a map, and keys are strings")
    );
}

#[test]
fn a_number_keeps_the_form_it_is_written_in() {
    let text = "a: [1.0, 1.10, -2.50, 1e3, 7, &x 3.0, *x]\nb: {c: 0x1F, d: +5, e: .5, f: 1., g: 0o17, h: -0x10}\n";
    assert_eq!(
        parse(text.as_bytes()).unwrap_or_default().to_string(),
        r#"{"a":[1.0,1.10,-2.50,1e+3,7,3.0,3.0],"b":{"c":31,"d":5,"e":0.5,"f":1.0,"g":15,"h":-16}}"#
    );
}

#[test]
fn what_stands_before_a_document_is_no_part_of_it() {
    let plain = Ok(json!({"a": 1}));
    for text in [
        "\u{feff}a: 1\n",
        "\u{feff}---\na: 1\n",
        "\u{feff}# words\na: 1\n",
        "%YAML 1.2\n---\na: 1\n",
        "\u{feff}# words\n%YAML 1.1\n---\na: 1\n",
    ] {
        assert_eq!(parse(text.as_bytes()), plain, "{text:?}");
    }
    assert_eq!(
        mistake("a: 1\n%YAML 1.2\n---\nb: 2\n").split(' ').next(),
        Some("3:1")
    );
    let wide = parse(b"\xff\xfea\0:\0").err().unwrap_or_default();
    assert!(wide[0].message.contains("UTF-16"), "{wide:?}");
}

#[test]
fn tags_and_odd_numbers_are_refused_where_they_stand() {
    let text = "a: !Ref queue\nb: [1, .nan, !Sub x]\nc: 12345678901234567890123\nd: -9223372036854775809\n";
    let expected = [
        "1:4 YAML tags such as !Ref are not supported (write references as expressions: ${queue.arn})",
        "2:8 a number must be finite (put it in quotes if it is meant as a string)",
        "2:14 YAML tags such as !Sub are not supported (write references as expressions: ${queue.arn})",
        "3:4 this number has more than 64 bits (put it in quotes: \"12345678901234567890123\")",
        "4:4 this number has more than 64 bits (put it in quotes: \"-9223372036854775809\")",
    ];
    assert_eq!(mistakes(text), expected);
}

#[test]
fn what_the_parser_says_is_put_into_words() {
    for (text, expected) in [
        (
            "q:\n  name: \"q\n  delay: 3\nr:\n  b: 1\n",
            "2:9 a quoted string does not end (close the quote)",
        ),
        (
            "q:\n  name: \"q\n  delay: 3\nr:\n  b: \"x\"\n",
            "2:9 a quoted string does not end (close the quote)",
        ),
        (
            "q:\n  name:q\n  delay: 3\n",
            "2:3 \"name:q\" needs a blank after the colon (write name: q)",
        ),
        (
            "a: {name: \"${upper(\"q\")}\"}\n",
            "1:20 the quote inside ${…} ends the YAML string here (put single quotes around the value: '${upper(\"q\")}')",
        ),
        (
            "a:\n  name: \"q-${replace(\"a/b\", \"/\", \"-\")}\"\nb: 1\n",
            "2:22 the quote inside ${…} ends the YAML string here (put single quotes around the value: 'q-${replace(\"a/b\", \"/\", \"-\")}')",
        ),
        (
            "a:\n  - \"${f(\"x\")}\"\n",
            "2:10 the quote inside ${…} ends the YAML string here (put single quotes around the value: '${f(\"x\")}')",
        ),
        (
            "a:\n  b: '${f('x')}'\n",
            "2:11 the quote inside ${…} ends the YAML string here (strings in an expression take double quotes: '${f(\"x\")}')",
        ),
        (
            "a: 1\nResource: *\n",
            "2:11 \"*\" starts an alias in YAML, and no name follows (put it in quotes: \"*\")",
        ),
        (
            "Resource: *x\n",
            "1:11 unknown anchor (a string that starts with \"*\" needs quotes: \"*\")",
        ),
        (
            "a: b: c",
            "1:5 a \": \" is not allowed here (a string that holds \": \" needs quotes; otherwise check the indentation)",
        ),
        (
            "a: @b",
            "1:4 a string without quotes cannot start with this character (put the value in quotes)",
        ),
        (
            "a: \"\\$default\"",
            "1:5 YAML knows no such escape in double quotes (use single quotes, in which a backslash is literal)",
        ),
        (
            "a:\n\tb: 1",
            "2:1 a tab cannot indent a line (indent with spaces)",
        ),
        (
            "a: \"b\n",
            "1:4 a quoted string does not end (close the quote)",
        ),
        (
            "a: {b: ${c.d}}",
            "1:9 this list or map in brackets cannot be read (a string that holds ${…} needs quotes between brackets: \"${…}\")",
        ),
    ] {
        assert_eq!(mistake(text), expected, "{text:?}");
    }
    assert_eq!(
        mistake("a: 1\n---\nb: 2\n"),
        "2:1 a second document starts here; a file holds one stack"
    );
    assert_eq!(
        mistake("a: 1\n...\nb: 2\n"),
        "3:1 a second document starts here; a file holds one stack"
    );
    let found = parse(b"a: 1\nb: \xff\n").err().unwrap_or_default();
    assert_eq!(found[0].place, Place::At(2, 4));
    assert!(mistake("a: \u{1}").contains("U+0001"));
}

#[test]
fn hostile_files_end_quickly() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, last) in ["b", "c", "d", "e", "f", "g", "h", "i"]
        .iter()
        .zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        let _ = writeln!(
            bomb,
            "{name}: &{name} [{}]",
            vec![format!("*{last}"); 9].join(", ")
        );
    }
    let found = quickly(|| mistake(&bomb));
    assert_eq!(
        found.split(' ').skip(1).collect::<Vec<_>>().join(" "),
        "the file's aliases make it too large"
    );
    assert!(!found.starts_with("1:1 "), "{found}");
    let rows = format!(
        "a: &a [{}]\nb: [{}]\n",
        "x,".repeat(2000),
        "*a,".repeat(2000)
    );
    assert!(quickly(|| mistake(&rows)).contains("values, counting each alias"));

    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1_000_000),
        vec!["*a"; 5000].join(", ")
    );
    assert!(quickly(|| mistake(&long)).contains("16 MiB of text"));

    for (open, close) in [
        ("[", "]"),
        ("{a: ", "}"),
        ("{", "}"),
        ("[{", "}]"),
        ("- ", ""),
        ("? ", ""),
        ("[[", ""),
    ] {
        let deep = format!(
            "a: 1\nb:\n  {}1{}",
            open.repeat(200_000),
            close.repeat(200_000)
        );
        assert!(quickly(|| mistake(&deep)).contains("100 levels"), "{open}");
    }
    let mut indented = String::new();
    for depth in 0..2_000 {
        let _ = writeln!(indented, "{}a:", " ".repeat(depth));
    }
    assert!(quickly(|| mistake(&indented)).contains("100 levels"));

    let many = format!("a: [{}]", "1,".repeat(4_000_000 - 10));
    assert!(quickly(|| mistake(&many)).contains("values"));
    let keys = format!("{{{}}}", "a,".repeat(2_000));
    assert!(quickly(|| mistake(&keys)).contains("duplicate key"));
    let lines = "a: 1\n".repeat(2_000);
    assert!(quickly(|| mistakes(&lines)).len() <= 200);
    assert!(quickly(|| mistake(&" ".repeat(50_000_000))).contains("8 MiB"));
    assert!(quickly(|| mistake("a: &a [*a]")).contains("100 levels"));
    let unclosed = format!("a: \"{}", "x\n".repeat(1_000_000));
    assert!(quickly(|| mistake(&unclosed)).contains("quoted"));
}

/// What follows a block scalar is structure again; what is inside it is not.
#[test]
fn a_block_scalar_ends_where_it_ends() {
    let deep = "[".repeat(200);
    for scalar in ["a: |\n  x\n", "a: >-\n  x\n\n", "a: |\nb: 1\n"] {
        let after = format!("{scalar}c: {deep}\n");
        let found = mistakes(&after);
        let is_nesting = |text: &String| text.contains("nested more than 100 levels");
        assert!(found.iter().any(is_nesting), "{scalar:?}: {found:?}");
    }
}

#[test]
fn what_looks_hostile_and_is_not_is_read() {
    let text = format!(
        "a: |\n  {}\n  ---\nb: \"{}\"\nc: '{}' # {}\nd: x{}\n",
        "[".repeat(500),
        "[".repeat(500),
        "{".repeat(500),
        "{".repeat(500),
        "[".repeat(500),
    );
    assert_eq!(mistakes(&text), Vec::<String>::new());
    let fifty = format!("{}1{}", "[".repeat(90), "]".repeat(90));
    assert_eq!(mistakes(&fifty), Vec::<String>::new());
    let policy = "resources:\n  q:\n    properties:\n      policy:\n        Statement:\n          - Effect: Allow\n            Action: [a, b]\n          - {Effect: Deny}\n      t: >-\n        x\n\n        y\n    options: {dependsOn: [q]}\n";
    assert_eq!(mistakes(policy), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_text_makes_it_panic(text in "([-a-c:?,\\[\\]{}&*!|>'\"%@`#<~ \n\t.0-9]|: |- |\n  |&a |\\*a|---\n|<<: |\\PC){0,60}") {
        if let Err(found) = parse(text.as_bytes()) {
            for one in found {
                let _ = locate(&text, &one.place);
            }
        }
    }
}
