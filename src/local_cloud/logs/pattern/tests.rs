use super::*;

fn matches(pattern: &str, message: &str) -> bool {
    Pattern::parse(pattern).unwrap().matches(message)
}

fn refused(pattern: &str) -> bool {
    Pattern::parse(pattern).is_err()
}

#[test]
fn terms() {
    let lines = ["ERROR 400 BAD REQUEST", "WARN 419 MISSING ARGUMENTS", "ok"];
    for (pattern, expected) in [
        ("", [true, true, true]),
        ("\"\"", [true, true, true]),
        ("ERROR", [true, false, false]),
        ("error", [false, false, false]),
        ("ERROR REQUEST", [true, false, false]),
        ("ERROR ARGUMENTS", [false, false, false]),
        ("?ERROR ?ARGUMENTS", [true, true, false]),
        ("?ERROR BAD", [true, false, false]),
        ("?ERROR ok", [false, false, true]),
        ("-ERROR", [false, true, true]),
        ("-ERROR -WARN", [false, false, true]),
        ("\"BAD REQUEST\"", [true, false, false]),
        ("-\"BAD REQUEST\" ?WARN", [false, true, true]),
        ("%4[01]\\d%", [true, true, false]),
        ("%^ok$%", [false, false, true]),
    ] {
        assert_eq!(
            lines.map(|line| matches(pattern, line)),
            expected,
            "{pattern}"
        );
    }
    assert!(matches("\"say \\\"hi\\\"\"", "they say \"hi\""));
    for pattern in [
        "a:b", "\"open", "%open", "%(a)%", "%[%", "ERROR, b", "?", "-",
    ] {
        assert!(refused(pattern), "{pattern}");
    }
    assert!(refused(&"a".repeat(1025)));
}

#[test]
fn json() {
    let event = r#"{"level": "ERROR", "user": {"id": 7, "mail": null, "a.b": "x"}, "ok": false,
        "ip": "123.123.0.1", "list": [{"n": 1}, {"n": "two"}], "ms": 1.5e3}"#;
    for pattern in [
        r#"{ $.level = "ERROR" }"#,
        "{ $.level = ERROR }",
        "{$.level=ERR*}",
        r#"{ $.level = "*ROR" && $.user.id = 7 }"#,
        "{ $.level != INFO }",
        "{ $.user.id >= 7 }",
        "{ $.user.id < 7.5 }",
        "{ $.ms = 1500 }",
        "{ $.user.mail IS NULL }",
        "{ $.ok IS FALSE }",
        "{ $.none NOT EXISTS }",
        "{ ($.level = INFO) || ($.ip = 123.123.*) }",
        "{ $.level = INFO && $.ok IS TRUE || $.user.id = 7 }",
        "{ $.list[0].n = 1 }",
        "{ $.list[*].n = two }",
        "{ $.user.['a.b'] = x }",
        "{ $.level = %^ERR% }",
        "{ $.ip != %^10\\.% }",
    ] {
        assert!(matches(pattern, event), "{pattern}");
    }
    for pattern in [
        r#"{ $.level = "error" }"#,
        "{ $.user.id > 7 }",
        "{ $.level != ERROR }",
        "{ $.user IS NULL }",
        "{ $.user.id NOT EXISTS }",
        "{ $.none = x }",
        "{ $.none != x }",
        "{ $.list[2].n = 1 }",
        "{ $.level = ERROR && ($.ok IS TRUE || $.user.id = 8) }",
        "{ $.user = * }",
    ] {
        assert!(!matches(pattern, event), "{pattern}");
    }
    assert!(!matches("{ $.a NOT EXISTS }", "plain"));
    for pattern in [
        "{ $.a }",
        "{ $.a = 1",
        "{ $ = 1 }",
        "{ a = 1 }",
        "{ $.a = }",
        "{ $.a > text }",
        "{ $.a IS THIS }",
        "{ $.a NOT }",
        "{ ($.a = 1 }",
        "{ $.a = 1 $.b = 2 }",
        "{ $.a[x] = 1 }",
        "{ $.a[0 = 1 }",
        "{}",
    ] {
        assert!(refused(pattern), "{pattern}");
    }
    let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(100), ")".repeat(100));
    assert!(refused(&deep));
}

#[test]
fn fields() {
    let line = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /x HTTP/1.0" 404 1534"#;
    for pattern in [
        "[ip, id, user, time, request, status = 404, bytes]",
        "[ip, id, user, time, request, status = 4*, bytes > 1000]",
        "[..., bytes]",
        "[ip = 127.*, ...]",
        "[ip, ..., request = *GET*, status = 404 || status = 410, bytes]",
        "[ip, ..., status != 5* && status > 400, bytes]",
        "[ip, id, user, time, request = %HTTP%, status, bytes]",
    ] {
        assert!(matches(pattern, line), "{pattern}");
    }
    for pattern in [
        "[ip, id, user]",
        "[..., bytes > 2000]",
        "[ip = 10.*, ...]",
        "[a, b, c, d, e, f, g, h, ...]",
    ] {
        assert!(!matches(pattern, line), "{pattern}");
    }
    for pattern in ["[", "[]", "[a b]", "[..., a, ...]", "[a = ]"] {
        assert!(refused(pattern), "{pattern}");
    }
}
