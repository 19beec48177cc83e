//! The language's own shapes, in corners: conditions, `for`, directives, indexes, names.

use super::*;

/// Each row: a string and its value.
#[test]
fn corners_of_the_language() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("${true ? 1 : 1 / 0}", json!(1)),
        ("${false ? 1 / 0 : 2}", json!(2)),
        ("${\"true\" ? 1 : 2}", json!(1)),
        (
            "${{(var.s) = 1, b = 2, \"c${var.n}\" = 3}}",
            json!({"text": 1, "b": 2, "c7": 3}),
        ),
        ("${{a = {b = [1, 2]}}.a.b[1]}", json!(2)),
        ("${{a = 1}[\"a\"]}", json!(1)),
        ("${var.list[0]}${var.list[1]}", json!("ab")),
        ("${[[1, 2], [3]][*][0]}", json!([1, 3])),
        ("${5[*]}", json!([5])),
        ("${null[*]}", json!([])),
        ("${[for x in [1] : [for x in [2] : x][0] + x][0]}", json!(3)),
        ("${[for k, v in {a = 1} : \"${k}${v}\"]}", json!(["a1"])),
        ("${[for x in [1, 2, 3] : x if x % 2 == 1]}", json!([1, 3])),
        ("${{for x in [\"a\"] : x => 1 if false}}", json!({})),
        (
            "${{for x in [1, 2, 1] : tostring(x) => x...}}",
            json!({"1": [1, 1], "2": [2]}),
        ),
        ("${each}", json!({"key": "k", "value": {"v": 1}})),
        (
            "${stack}",
            json!({"name": "demo", "dir": "/s", "env": null}),
        ),
        ("${stack.env}", Value::Null),
        ("${1}${true}${\"x\"}", json!("1truex")),
        ("${1.50} ${1e3}", json!("1.5 1000")),
        ("a ${~ 1 ~} b", json!("a1b")),
        ("a\r\n${~ 1 ~}\r\nb", json!("a1b")),
        ("%{ if false }x%{ endif }", json!("")),
        ("%{ if !var.flag }x%{ else }y%{ endif }", json!("y")),
        (
            "< %{~ if var.flag ~} x %{~ else ~} y %{~ endif ~} >",
            json!("<x>"),
        ),
        (
            "< %{~ if !var.flag ~} x %{~ else ~} y %{~ endif ~} >",
            json!("<y>"),
        ),
        (
            "< %{ if var.flag } x %{ else } y %{ endif } >",
            json!("<  x  >"),
        ),
        (
            "%{ for i, x in var.list }${i}${x},%{ endfor }",
            json!("0a,1b,"),
        ),
        (
            "%{ for k, v in {a = 1, b = 2} }${k}${v};%{ endfor }",
            json!("a1;b2;"),
        ),
        ("%{ for x in [] }y%{ endfor }.", json!(".")),
        (
            "%{ for x in [1, 2] }%{ if x == 1 }one%{ else }${x}%{ endif }%{ endfor }",
            json!("one2"),
        ),
        ("$${a}$$${1 + 1}", json!("${a}$${1 + 1}")),
    ] {
        let found = value(text);
        if found != expected {
            wrong.push(format!("{text} is {expected}, not {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each row: a string that is not known, and whether it is secret.
#[test]
fn what_is_not_known_makes_what_is_made_of_it_unknown() {
    let mut wrong = Vec::new();
    for (text, secret) in [
        ("${queue.arn}-x", false),
        ("${-queue.arn}", false),
        ("${!(queue.arn == \"x\")}", false),
        ("${queue.arn == \"x\" || false}", false),
        ("${true && queue.arn == \"x\"}", false),
        ("${var.list[queue.arn]}", false),
        ("${[for x in var.list : x if queue.arn == x]}", false),
        ("${{for x in [1] : queue.arn => x}}", false),
        ("${[for x in queue.arn : x]}", false),
        ("%{ if queue.arn == \"x\" }a%{ else }b%{ endif }", false),
        ("%{ for x in queue.arn }a%{ endfor }", false),
        ("${max([1, queue.arn]...)}", false),
        ("${concat(queue.arn...)}", false),
        ("${can(upper(queue.arn))}", false),
        ("${queue.arn}${password.result}", true),
        (
            "${[for x in [password.result] : x if queue.arn == x]}",
            true,
        ),
        ("${{for x in [1] : queue.arn => password.result}}", true),
        ("${format(\"%s%s\", queue.arn, password.result)}", true),
        ("${password.result == \"x\" ? 1 : queue.arn}", true),
    ] {
        let found = data(text);
        if found.is_known() || found.is_secret(&Path::root()) != secret {
            wrong.push(format!("{text}: {found:?}"));
        }
    }
    // In part: a list and a map keep what is known.
    let list = data("${[queue.arn, var.n]}");
    if list.is_known() {
        wrong.push(format!("{list:?}"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each row: a string and what is said of it.
#[test]
fn what_the_language_refuses() {
    let mut wrong = Vec::new();
    for (text, message, part) in [
        ("${var.nope}", "unknown variable \"nope\"", "var.nope"),
        ("${local.nope}", "unknown local \"nope\"", "local.nope"),
        (
            "${data.nope}",
            "undefined data source \"nope\"",
            "data.nope",
        ),
        ("${nope.x}", "undefined resource \"nope\"", "nope.x"),
        ("${each.x}", "\"each\" has no \"x\"", "each.x"),
        ("${upper(nope)}", "undefined resource \"nope\"", "nope"),
        (
            "${[for x in 1 : x]}",
            "\"for\" goes over a list or a map, and this is a number",
            "1",
        ),
        (
            "${{for x in [1, 1] : \"a\" => x}}",
            "two items have the key \"a\"",
            "",
        ),
        (
            "${[for x in [1] : x if 1]}",
            "expected a bool, got a number",
            "1",
        ),
        ("${1 ? 2 : 3}", "expected a bool, got a number", "1"),
        ("%{ if 1 }a%{ endif }", "expected a bool, got a number", "1"),
        (
            "%{ for x in 1 }a%{ endfor }",
            "\"for\" goes over a list or a map, and this is a number",
            "1",
        ),
        ("a${[1]}", "expected a string, got a list", "[1]"),
        ("a${null}", "expected a string, got null", "null"),
        (
            "${'a'}",
            "strings in an expression take double quotes, not 'a'",
            "'a'",
        ),
        ("${1 +}", "", ""),
        ("${var.s", "", ""),
    ] {
        let found = fault(text);
        let at = found
            .range
            .clone()
            .and_then(|range| text.get(range))
            .unwrap_or("none");
        if (!message.is_empty() && found.message != message) || (!part.is_empty() && at != part) {
            wrong.push(format!(
                "{text}: {} at {at}; help {:?}",
                found.message, found.help
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is within the brackets may be about the variable itself, which stays as it was.
#[test]
fn a_variable_of_a_loop_is_indexed_by_itself() {
    for (text, expected) in [
        ("${[for x in [{k = \"a\", a = 7}] : x[x.k]]}", json!([7])),
        ("${[for x in [[1, 5, 6]] : x[x[0]] + x[2]]}", json!([11])),
        (
            "${[for x in [{a = [{b = 1}]}] : [x.a[*].b, x.a]]}",
            json!([[[1], [{"b": 1}]]]),
        ),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

/// Once a limit is reached nothing more is evaluated, and one mistake reports it.
#[test]
fn nothing_is_evaluated_beyond_a_limit() {
    let mut world = world();
    world
        .vars
        .insert("long".to_owned(), json!("x".repeat(8 << 20)).into());
    let told = |template: Value| {
        let faults = evaluate(&template, &world).err().unwrap_or_default();
        let told = faults.into_iter().map(|fault| fault.message);
        told.collect::<Vec<_>>()
    };
    let long = "${join(\"x\", [var.long, var.long])}";
    let limit = "join: the string grows beyond 16 MiB";
    let wrong = "${1 / 0}";
    assert_eq!(told(json!([wrong, long])).len(), 2);
    assert_eq!(told(json!([long, wrong, [wrong]])), [limit]);
    assert_eq!(told(json!({"a": long, "b": wrong})), [limit]);
    // As long as it may be.
    assert_eq!(
        told(json!("${join(\"\", [var.long, var.long])}")),
        Vec::<String>::new()
    );
}
