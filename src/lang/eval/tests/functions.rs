//! The functions.

use super::*;

#[test]
fn functions_mean_what_they_mean_in_terraform() {
    for (text, expected) in [
        (
            "jsonencode({b = [1, \"<\"], a = null})",
            json!("{\"a\":null,\"b\":[1,\"<\"]}"),
        ),
        ("jsondecode(\"{\\\"a\\\": 1}\").a", json!(1)),
        ("base64encode(\"hé\")", json!("aMOp")),
        ("base64decode(\"aMOp\")", json!("hé")),
        ("lower(\"ABC\")", json!("abc")),
        ("replace(\"a.b.c\", \".\", \"-\")", json!("a-b-c")),
        ("replace(\"abc\", \"/(b)/\", \"<$1>\")", json!("a<b>c")),
        ("join(\",\", [1, \"b\"])", json!("1,b")),
        ("split(\",\", \"a,b\")", json!(["a", "b"])),
        (
            "format(\"%s-%03d-%.1f-%v-%%\", \"a\", 7, 1.25, [1])",
            json!("a-007-1.2-[1]-%"),
        ),
        ("format(\"%[2]s%[1]s\", \"a\", \"b\")", json!("ba")),
        ("merge({a = 1}, {a = 2, b = 3})", json!({"a": 2, "b": 3})),
        ("lookup({a = 1}, \"b\", 9)", json!(9)),
        ("length(\"héé\")", json!(3)),
        ("keys({b = 1, a = 2})", json!(["a", "b"])),
        ("values({b = 1, a = 2})", json!([2, 1])),
        ("contains([1, 2], 2)", json!(true)),
        ("concat([1], [2])", json!([1, 2])),
        ("flatten([[1, [2]], 3])", json!([1, 2, 3])),
        ("distinct([1, 1, 2])", json!([1, 2])),
        ("sort([\"b\", \"a\"])", json!(["a", "b"])),
        ("toset([\"b\", \"a\", \"b\"])", json!(["a", "b"])),
        ("range(3)", json!([0, 1, 2])),
        ("range(1, 7, 3)", json!([1, 4])),
        ("min(3, 1, 2)", json!(1)),
        ("max(3, 1.5)", json!(3)),
        ("trimprefix(\"abc\", \"a\")", json!("bc")),
        ("trimsuffix(\"abc\", \"c\")", json!("ab")),
        ("substr(\"hello\", 1, 3)", json!("ell")),
        ("substr(\"hello\", -2, -1)", json!("lo")),
        ("regex(\"[a-z]+\", \"12ab\")", json!("ab")),
        ("regex(\"(.)(.)\", \"ab\")", json!(["a", "b"])),
        ("regex(\"(?P<x>.)b\", \"ab\")", json!({"x": "a"})),
        ("file(\"a.txt\")", json!("abc")),
        ("fileexists(\"b.txt\")", json!(false)),
        (
            "filemd5(\"a.txt\")",
            json!("900150983cd24fb0d6963f7d28e17f72"),
        ),
        ("md5(\"abc\")", json!("900150983cd24fb0d6963f7d28e17f72")),
        (
            "sha1(\"abc\")",
            json!("a9993e364706816aba3e25717850c26c9cd0d89d"),
        ),
        (
            "filesha256(\"a.txt\")",
            json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ),
        (
            "filebase64sha256(\"a.txt\")",
            json!("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        ),
        ("basename(\"a/b.txt\")", json!("b.txt")),
        ("dirname(\"a/b.txt\")", json!("a")),
        ("cidrsubnet(\"10.0.0.0/16\", 8, 2)", json!("10.0.2.0/24")),
        (
            "cidrsubnet(\"fd00::/48\", 16, 10)",
            json!("fd00:0:0:a::/64"),
        ),
        ("cidrhost(\"10.0.0.0/24\", 5)", json!("10.0.0.5")),
        ("element([\"a\", \"b\"], 3)", json!("b")),
        ("index([\"a\", \"b\"], \"b\")", json!(1)),
        ("zipmap([\"a\"], [1])", json!({"a": 1})),
        ("one([])", Value::Null),
        ("reverse([1, 2])", json!([2, 1])),
        ("title(\"hello world\")", json!("Hello World")),
        ("tonumber(\"1.50\")", json!(1.5)),
        ("tostring(10)", json!("10")),
        ("tobool(\"true\")", json!(true)),
        ("abs(-3)", json!(3)),
        ("ceil(1.2)", json!(2)),
        ("floor(-1.2)", json!(-2)),
        ("setunion([\"b\"], [\"a\"])", json!(["a", "b"])),
        ("yamldecode(\"a: [1]\")", json!({"a": [1]})),
        ("startswith(\"abc\", \"ab\")", json!(true)),
        (
            "9223372036854775807 + 1",
            json!(9_223_372_036_854_775_808_u64),
        ),
    ] {
        assert_eq!(value(&format!("${{{text}}}")), expected, "{text}");
    }
}
