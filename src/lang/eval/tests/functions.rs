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

/// Each row: an expression and its value. What Terraform gives.
#[test]
fn corners_of_functions() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        // format
        (
            "format(\"%5s|%-5s|%05d|%+d|% d\", \"a\", \"b\", -42, 7, 7)",
            json!("    a|b    |-0042|+7| 7"),
        ),
        (
            "format(\"%x %X %o %b %c\", 255, 255, 8, 5, 65)",
            json!("ff FF 10 101 A"),
        ),
        (
            "format(\"%x %X %x\", \"hi\", \"jk\", -255)",
            json!("6869 6A6B -ff"),
        ),
        (
            "format(\"%f %.2f %.f %e %E %g %g\", 1.5, 2.345, 2.5, 1500, 0.0015, 1e30, 0.00001)",
            json!("1.500000 2.35 2 1.500000e+03 1.500000E-03 1e+30 1e-05"),
        ),
        (
            "format(\"%q %#v %v %v %t\", \"a\\\"b\", \"s\", \"s\", true, false)",
            json!("\"a\\\"b\" \"s\" s true false"),
        ),
        (
            "format(\"%.2s|%.2q|%6.2f|%-6.1f|%06.1f\", \"abc\", \"abc\", 1, 2, 3)",
            json!("ab|\"ab\"|  1.00|2.0   |0003.0"),
        ),
        ("format(\"%[2]d %[1]d %d\", 1, 2)", json!("2 1 2")),
        ("format(\"%d\", 2.9)", json!("2")),
        (
            "format(\"%d\", 18446744073709551615)",
            json!("18446744073709551615"),
        ),
        ("format(\"100%%\")", json!("100%")),
        // strings
        ("chomp(\"a\\r\\n\\n\")", json!("a")),
        ("endswith(\"abc\", \"bc\")", json!(true)),
        ("endswith(\"abc\", \"ab\")", json!(false)),
        ("startswith(\"abc\", \"bc\")", json!(false)),
        ("indent(2, \"a\\nb\\nc\")", json!("a\n  b\n  c")),
        ("join(\"-\", [\"a\"], [\"b\", \"c\"])", json!("a-b-c")),
        ("regexall(\"[a-z]\", \"1a2b\")", json!(["a", "b"])),
        ("regexall(\"x\", \"ab\")", json!([])),
        ("regex(\"(a)|(b)\", \"b\")", json!([null, "b"])),
        ("regex(\"(?P<x>a)(b)\", \"ab\")", json!({"x": "a"})),
        ("replace(\"a1b22c\", \"/[0-9]+/\", \"-\")", json!("a-b-c")),
        ("replace(\"a/b\", \"/\", \"-\")", json!("a-b")),
        (
            "replace(\"a1b2\", \"/(?P<n>[0-9])/\", \"<$${n}>\")",
            json!("a<1>b<2>"),
        ),
        ("split(\"\", \"ab\")", json!(["a", "b"])),
        ("split(\",\", \"\")", json!([""])),
        ("strrev(\"abc\")", json!("cba")),
        ("substr(\"hello\", -9, 2)", json!("he")),
        ("substr(\"hello\", 9, 2)", json!("")),
        ("substr(\"hello\", 3, 9)", json!("lo")),
        ("substr(\"hello\", 1, 0)", json!("")),
        ("title(\"it's a_b c-d 1x\")", json!("It's A_b C-D 1x")),
        ("trim(\"?!a?!b!?\", \"!?\")", json!("a?!b")),
        ("trimprefix(\"abc\", \"b\")", json!("abc")),
        ("trimsuffix(\"abc\", \"b\")", json!("abc")),
        ("trimspace(\"  a b \\n\")", json!("a b")),
        ("upper(\"aé\")", json!("AÉ")),
        // lists, sets, maps
        ("alltrue([true, \"true\"])", json!(true)),
        ("alltrue([true, false])", json!(false)),
        ("alltrue([])", json!(true)),
        ("anytrue([false, \"true\"])", json!(true)),
        ("anytrue([])", json!(false)),
        ("chunklist([1, 2, 3], 2)", json!([[1, 2], [3]])),
        ("coalescelist([], null, [1])", json!([1])),
        ("coalesce(null, \"\", \"a\", \"b\")", json!("a")),
        ("compact([\"a\", \"\", null, \"b\"])", json!(["a", "b"])),
        ("contains([1, 2], 3)", json!(false)),
        ("contains([1], 1.0)", json!(true)),
        ("distinct([3, 1, 3])", json!([3, 1])),
        ("element([\"a\", \"b\"], -1)", json!("b")),
        ("flatten([1, [[2], []]])", json!([1, 2])),
        ("length([1, 2])", json!(2)),
        ("length({a = 1})", json!(1)),
        ("lookup({a = 1}, \"a\", 9)", json!(1)),
        ("merge({a = 1}, null)", json!({"a": 1})),
        ("one([5])", json!(5)),
        ("range(3, 0)", json!([3, 2, 1])),
        ("range(0, -4, -2)", json!([0, -2])),
        ("range(0)", json!([])),
        ("length(range(1024))", json!(1024)),
        ("setintersection([1, 2, 3], [3, 2.0], [2, 5])", json!([2])),
        ("setsubtract([3, 2, 1], [2.0])", json!([1, 3])),
        ("setsubtract([[1], {a = 1}], [[1.0], {a = 1.0}])", json!([])),
        ("setunion([10, 9], [9])", json!([9, 10])),
        ("toset([true, \"b\", \"a\"])", json!(["a", "b", true])),
        ("slice([1, 2, 3], 1, 2)", json!([2])),
        ("slice([1, 2, 3], 3, 3)", json!([])),
        ("sort([\"b\", 10, \"a\"])", json!(["10", "a", "b"])),
        ("sum([1, 2.5, \"3\"])", json!(6.5)),
        ("tolist([1])", json!([1])),
        ("tolist(null)", Value::Null),
        ("tomap({a = 1})", json!({"a": 1})),
        ("tomap(null)", Value::Null),
        ("toset(null)", Value::Null),
        ("zipmap([\"a\", 2], [1, null])", json!({"a": 1, "2": null})),
        // numbers
        ("abs(-2.5)", json!(2.5)),
        ("abs(2)", json!(2)),
        ("ceil(-1.2)", json!(-1)),
        ("floor(1.8)", json!(1)),
        ("max(1, 3, 2)", json!(3)),
        ("min(2, 1.5, 9)", json!(1.5)),
        ("parseint(\"-ff\", 16)", json!(-255)),
        ("parseint(\"z\", 36)", json!(35)),
        ("parseint(\"11\", 2)", json!(3)),
        ("pow(2, 10)", json!(1024)),
        ("signum(-3)", json!(-1)),
        ("signum(0)", json!(0)),
        ("signum(0.5)", json!(1)),
        ("tobool(false)", json!(false)),
        ("tobool(null)", Value::Null),
        ("tonumber(null)", Value::Null),
        ("tostring(null)", Value::Null),
        ("tostring(true)", json!("true")),
        ("tostring(1.50)", json!("1.5")),
        // operators
        (
            "[1 < 2, 2 < 1, 1 < 1, 1 <= 1, 2 <= 1, 2 > 1, 1 > 1, 1 >= 1, 1 >= 2]",
            json!([true, false, false, true, false, true, false, true, false]),
        ),
        (
            "[7 % 3, 7 - 9, 6 / 3, 2 * 2.5, 7 % 2.5, 1.5 - 1]",
            json!([1, -2, 2, 5, 2, 0.5]),
        ),
        (
            "[1 == 1.0, [1] == [1.0], {a = 1} == {a = 1.0}, [1] == [1, 2], {a = 1} == {b = 1}, 1 != 1]",
            json!([true, true, true, false, false, false]),
        ),
        (
            "[true && false, true || false, !true, \"true\" && true]",
            json!([false, true, false, true]),
        ),
        ("[-(-3), -1.5, -\"2\"]", json!([3, -1.5, -2])),
        ("\"1e3\" + 0", json!(1000)),
        // files
        (
            "filesha1(\"a.txt\")",
            json!("a9993e364706816aba3e25717850c26c9cd0d89d"),
        ),
        ("filebase64(\"a.txt\")", json!("YWJj")),
        ("fileexists(\"a.txt\")", json!(true)),
        (
            "[basename(\"/\"), basename(\"\"), basename(\"a/\"), dirname(\"/a\"), dirname(\"a\"), dirname(\"/a//b/\")]",
            json!(["/", ".", "a", "/", ".", "/a"]),
        ),
        // addresses
        ("cidrhost(\"10.0.0.0/24\", -1)", json!("10.0.0.255")),
        (
            "cidrhost(\"fd00::/64\", -2)",
            json!("fd00::ffff:ffff:ffff:fffe"),
        ),
        ("cidrnetmask(\"10.1.0.0/20\")", json!("255.255.240.0")),
        ("cidrsubnet(\"10.1.2.3/16\", 0, 0)", json!("10.1.0.0/16")),
        ("cidrsubnet(\"0.0.0.0/0\", 32, 7)", json!("0.0.0.7/32")),
        // encodings
        ("urlencode(\"a b/é\")", json!("a+b%2F%C3%A9")),
        (
            "base64sha256(\"abc\")",
            json!("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        ),
        ("substr(sha512(\"abc\"), 0, 8)", json!("ddaf35a1")),
        ("substr(base64sha512(\"abc\"), 0, 8)", json!("3a81oZNh")),
        (
            "substr(filebase64sha512(\"a.txt\"), 0, 8)",
            json!("3a81oZNh"),
        ),
        ("substr(filesha512(\"a.txt\"), 0, 8)", json!("ddaf35a1")),
        // arguments spread from a list, and what is tried
        ("max([1, 9, 3]...)", json!(9)),
        ("max(20, [1, 9]...)", json!(20)),
        ("coalesce([null, 2]...)", json!(2)),
        (
            "[can(1 / 0), can(1), try(1 / 0, 2), try(1 / 0, \"x\" + 1, [3])]",
            json!([false, true, 2, [3]]),
        ),
    ] {
        let found = value(&format!("${{{text}}}"));
        if found != expected {
            wrong.push(format!("{text} is {expected}, not {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each row: an expression and what is said of it.
#[test]
fn what_functions_refuse() {
    let mut wrong = Vec::new();
    for (text, message) in [
        (
            "format(\"%d\", \"x\")",
            "format: %d: expected an integer, got a string",
        ),
        (
            "format(\"%t\", 1)",
            "format: %t: expected a bool, got a number",
        ),
        (
            "format(\"%f\", \"x\")",
            "format: %f: expected a number, got a string",
        ),
        (
            "format(\"%s\", [1])",
            "format: %s: expected a string, got a list",
        ),
        (
            "format(\"%q\", null)",
            "format: %q: expected a string, got null",
        ),
        (
            "format(\"%y\", 1)",
            "format: %y is not a verb; write %% for a percent sign",
        ),
        (
            "format(\"%s\")",
            "format: the string has a %s for argument 2, which is missing",
        ),
        (
            "format(\"%s %s\", 1)",
            "format: the string has a %s for argument 3, which is missing",
        ),
        (
            "format(\"%s\", 1, 2)",
            "format: 2 values given, and the string has a place for 1",
        ),
        (
            "format(\"a%\")",
            "format: the string ends in a \"%\"; write %% for a percent sign",
        ),
        (
            "format(\"%[0]s\", 1)",
            "format: \"%[\" needs the number of an argument, as in %[1]s",
        ),
        (
            "format(\"%[1s\", 1)",
            "format: \"%[\" needs the number of an argument, as in %[1]s",
        ),
        (
            "format(\"%c\", -1)",
            "format: %c: expected an integer, got a number",
        ),
        (
            "substr(\"a\", 0, -2)",
            "substr: argument 3 must be -1 or more",
        ),
        (
            "substr(\"a\", 0.5, 1)",
            "substr: argument 2 must be an integer",
        ),
        ("regex(\"x\", \"a\")", "regex: the pattern does not match"),
        (
            "regex(\"(\", \"a\")",
            "regex: \"(\" is not a regular expression, or too large a one",
        ),
        (
            "chunklist([1], 0)",
            "chunklist: argument 2 must be 1 or more",
        ),
        ("coalescelist([], [])", "coalescelist: every list is empty"),
        (
            "coalesce(null, \"\")",
            "coalesce: every argument is null or empty",
        ),
        ("element([], 0)", "element: the list is empty"),
        ("index([1], 2)", "index: the list does not hold this value"),
        (
            "length(1)",
            "length: argument 1: expected a string, a list or a map, got a number",
        ),
        (
            "lookup({}, \"a\")",
            "lookup: the map has no \"a\", and no default is given",
        ),
        ("keys([1])", "keys: argument 1: expected a map, got a list"),
        (
            "concat([1], 2)",
            "concat: argument 2: expected a list, got a number",
        ),
        (
            "join(\",\", [[1]])",
            "join: argument 2: expected a list of strings, got a list in it",
        ),
        (
            "one([1, 2])",
            "one: the list has 2 items, and at most 1 is expected",
        ),
        ("range(1, 2, 0)", "range: the step never reaches the limit"),
        ("range(1, 2, -1)", "range: the step never reaches the limit"),
        ("range(2, 1, 1)", "range: the step never reaches the limit"),
        ("range(1025)", "range: the range has more than 1024 items"),
        (
            "slice([1], 0, 2)",
            "slice: the list has 1 items, the bounds are outside",
        ),
        (
            "slice([1, 2], 2, 1)",
            "slice: the list has 2 items, the bounds are outside",
        ),
        (
            "sum([1, \"x\"])",
            "sum: the list holds a string, and not only numbers",
        ),
        (
            "zipmap([\"a\"], [])",
            "zipmap: 1 keys and 0 values are given",
        ),
        (
            "parseint(\"9\", 8)",
            "parseint: argument 1 is not an integer in base 8",
        ),
        (
            "parseint(\"1\", 37)",
            "parseint: argument 2 must be from 2 to 36",
        ),
        (
            "parseint(\"1\", 1)",
            "parseint: argument 2 must be from 2 to 36",
        ),
        ("pow(10, 999)", "pow: the result is not a finite number"),
        (
            "tonumber(\"x\")",
            "tonumber: this string cannot be converted to a number",
        ),
        ("tobool(1)", "tobool: a number cannot be made a bool"),
        ("tostring([1])", "tostring: a list cannot be made a string"),
        (
            "base64decode(\"?\")",
            "base64decode: this string is not base64",
        ),
        (
            "base64decode(\"/w==\")",
            "base64decode: what it decodes to is not UTF-8",
        ),
        (
            "jsondecode(\"{\")",
            "jsondecode: this string is not JSON (line 1, column 1)",
        ),
        (
            "file(\"b.txt\")",
            "file: \"b.txt\" cannot be read: there is no such file",
        ),
        (
            "cidrhost(\"10.0.0.0/30\", 4)",
            "cidrhost: 10.0.0.0/30 has no host of that number",
        ),
        (
            "cidrhost(\"10.0.0.0/30\", -5)",
            "cidrhost: 10.0.0.0/30 has no host of that number",
        ),
        (
            "cidrsubnet(\"10.0.0.0/30\", 3, 0)",
            "cidrsubnet: 10.0.0.0/30 has not that many bits left",
        ),
        (
            "cidrsubnet(\"10.0.0.0/16\", 2, 4)",
            "cidrsubnet: argument 3 does not fit into 2 bits",
        ),
        (
            "cidrnetmask(\"x\")",
            "cidrnetmask: \"x\" is not an IP range such as 10.0.0.0/16",
        ),
        ("max([1]...) + 1 / 0", "this divides by zero"),
        ("1 % 0", "this divides by zero"),
        (
            "max(1...)",
            "only a list can be spread with \"...\", and this is a number",
        ),
        ("can([1]...)", "can cannot be called with \"...\""),
        ("can(1, 2)", "can takes 1 argument"),
        ("try()", "try needs at least 1 argument"),
        (
            "try(1 / 0, [] + 1)",
            "no argument of try can be evaluated; the last one: expected a number, got a list",
        ),
        ("lower()", "lower takes 1 argument, and 0 are given"),
        (
            "lookup({})",
            "lookup takes 2 to 3 arguments, and 1 are given",
        ),
        (
            "concat()",
            "concat takes at least 1 argument, and 0 are given",
        ),
        (
            "lower([\"a\", \"b\"]...)",
            "lower takes 1 argument, and 2 are given",
        ),
        ("a::b(1)", "functions of providers are not known here"),
        ("lowr(1)", "unknown function \"lowr\""),
        ("!1", "expected a bool, got a number"),
        ("true && 1", "expected a bool, got a number"),
        ("\"a\" + 1", "expected a number, and this string is none"),
    ] {
        let found = fault(&format!("${{{text}}}")).message;
        if found != message {
            wrong.push(format!("{text}: {message}, not {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A short pattern may be large once it is compiled: up to a limit it is matched as any other.
#[test]
fn a_large_pattern_is_a_pattern() {
    let letters = "x".repeat(8);
    assert_eq!(
        value(&format!("${{regex(\"^\\\\w{{1,8}}$\", \"{letters}\")}}")),
        json!(letters)
    );
    let many = fault("${regex(\"^((\\\\w{1,64}){1,64}){1,64}$\", \"x\")}").message;
    assert!(
        many.ends_with("is not a regular expression, or too large a one"),
        "{many}"
    );
}
