//! What a template refers to.

use super::*;

#[test]
fn references_are_found_with_their_places() {
    let template = json!({
        "a": "${queue.arn}/x",
        "b": ["${[for q in many : q.arn if q.arn != local.z]}", "${upper(data.d.e[0])}"],
    });
    let found = references(&template).unwrap_or_default();
    let shown: Vec<String> = found
        .iter()
        .map(|one| {
            let text = one
                .at
                .get(&template)
                .and_then(Value::as_str)
                .unwrap_or_default();
            let part = one
                .range
                .clone()
                .and_then(|range| text.get(range))
                .unwrap_or_default();
            format!(
                "{:?} {} {} {} {part}",
                one.root, one.name, one.attribute, one.at
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "Resource queue arn a queue.arn",
            "Resource many  b[0] many",
            "Local z  b[0] local.z",
            "Data d e[0] b[1] data.d.e[0]",
        ]
    );
    assert!(references(&json!("${nope(1)}")).is_err());
    assert!(references(&json!("${var}")).is_err());
}

#[test]
fn an_expression_is_distinguished_from_text_that_looks_like_one() {
    for text in [
        "${var.s}",
        "a ${var.n + 1}",
        "$${a} ${var.s}",
        "%{ if var.flag }a%{ endif }",
        "${",
    ] {
        assert!(is_expression(text), "{text}");
    }
    for text in [
        "a",
        "$",
        "$${a}",
        "$$${{",
        "100%{ }",
        "%%{ if }",
        "%{ x } $${y}",
    ] {
        assert!(!is_expression(text), "{text}");
    }
}

#[test]
fn a_lone_reference_is_recognised() {
    let found = lone_reference("${queue[\"a\"].arn}");
    assert_eq!(
        found.map(|one| (one.name, one.attribute)),
        Some(("queue".to_owned(), Path::pointer("/a/arn")))
    );
    for text in [
        "${a.b} ", "x${a}", "${a + b}", "${a}${b}", "$${a}", "${true}", "${var}",
    ] {
        assert_eq!(lone_reference(text), None, "{text}");
    }
}

/// The name of a loop's variable is that within the loop alone.
#[test]
fn a_variable_of_a_directive_ends_with_it() {
    let text = "%{ for k, v in many }${k} ${v.arn} ${other.id}%{ endfor }${v.arn} ${k.id}";
    let found = references(&json!(text)).unwrap_or_default();
    let names: Vec<String> = found
        .iter()
        .map(|one| format!("{}.{}", one.name, one.attribute))
        .collect();
    assert_eq!(names, ["many.", "other.id", "v.arn", "k.id"]);
}
