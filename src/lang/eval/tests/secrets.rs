//! Secrets through every function and operator: what is derived from one is one, and no mistake
//! says what it is.

use super::*;

/// Part of every string that no message may have.
const MARK: &str = "hunter2";

/// Every function with arguments that it takes.
pub(super) const CALLS: &[(&str, &[&str])] = &[
    ("abs", &["-1"]),
    ("alltrue", &["[true]"]),
    ("anytrue", &["[false]"]),
    ("base64decode", &["\"YQ==\""]),
    ("base64encode", &["\"a\""]),
    ("base64sha256", &["\"a\""]),
    ("base64sha512", &["\"a\""]),
    ("basename", &["\"a/b\""]),
    ("can", &["\"a\""]),
    ("ceil", &["1.5"]),
    ("chomp", &["\"a\\n\""]),
    ("chunklist", &["[1, 2]", "1"]),
    ("cidrhost", &["\"10.0.0.0/8\"", "1"]),
    ("cidrnetmask", &["\"10.0.0.0/8\""]),
    ("cidrsubnet", &["\"10.0.0.0/8\"", "8", "1"]),
    ("coalesce", &["\"\"", "\"b\""]),
    ("coalescelist", &["[]", "[1]"]),
    ("compact", &["[\"a\", \"\"]"]),
    ("concat", &["[1]", "[2]"]),
    ("contains", &["[\"a\"]", "\"a\""]),
    ("dirname", &["\"a/b\""]),
    ("distinct", &["[1, 1]"]),
    ("element", &["[1, 2]", "1"]),
    ("endswith", &["\"ab\"", "\"b\""]),
    ("file", &["\"a.txt\""]),
    ("filebase64", &["\"a.txt\""]),
    ("filebase64sha256", &["\"a.txt\""]),
    ("filebase64sha512", &["\"a.txt\""]),
    ("fileexists", &["\"a.txt\""]),
    ("filemd5", &["\"a.txt\""]),
    ("filesha1", &["\"a.txt\""]),
    ("filesha256", &["\"a.txt\""]),
    ("filesha512", &["\"a.txt\""]),
    ("flatten", &["[[1], 2]"]),
    ("floor", &["1.5"]),
    ("format", &["\"%s-%d\"", "\"a\"", "1"]),
    ("indent", &["2", "\"a\\nb\""]),
    ("index", &["[1, 2]", "2"]),
    ("join", &["\",\"", "[1, 2]"]),
    ("jsondecode", &["\"[1]\""]),
    ("jsonencode", &["[1]"]),
    ("keys", &["{a = 1}"]),
    ("length", &["[1]"]),
    ("lookup", &["{a = 1}", "\"a\"", "2"]),
    ("lower", &["\"A\""]),
    ("max", &["1", "2"]),
    ("md5", &["\"a\""]),
    ("merge", &["{a = 1}", "{b = 2}"]),
    ("min", &["1", "2"]),
    ("one", &["[1]"]),
    ("parseint", &["\"ff\"", "16"]),
    ("pow", &["2", "3"]),
    ("range", &["1", "9", "2"]),
    ("regex", &["\"[a-z]+\"", "\"12ab\""]),
    ("regexall", &["\"[a-z]+\"", "\"12ab\""]),
    ("replace", &["\"abc\"", "\"b\"", "\"x\""]),
    ("reverse", &["[1, 2]"]),
    ("sensitive", &["\"a\""]),
    ("setintersection", &["[1, 2]", "[2]"]),
    ("setsubtract", &["[1, 2]", "[2]"]),
    ("setunion", &["[1]", "[2]"]),
    ("sha1", &["\"a\""]),
    ("sha256", &["\"a\""]),
    ("sha512", &["\"a\""]),
    ("signum", &["-1"]),
    ("slice", &["[1, 2]", "0", "1"]),
    ("sort", &["[\"b\", \"a\"]"]),
    ("split", &["\",\"", "\"a,b\""]),
    ("startswith", &["\"ab\"", "\"a\""]),
    ("strrev", &["\"ab\""]),
    ("substr", &["\"hello\"", "1", "3"]),
    ("sum", &["[1, 2]"]),
    ("title", &["\"ab c\""]),
    ("tobool", &["\"true\""]),
    ("tolist", &["[1]"]),
    ("tomap", &["{a = 1}"]),
    ("tonumber", &["\"1\""]),
    ("toset", &["[1]"]),
    ("tostring", &["1"]),
    ("trim", &["\"xax\"", "\"x\""]),
    ("trimprefix", &["\"ab\"", "\"a\""]),
    ("trimspace", &["\" a \""]),
    ("trimsuffix", &["\"ab\"", "\"b\""]),
    ("try", &["\"a\"", "\"b\""]),
    ("upper", &["\"a\""]),
    ("urlencode", &["\"a b\""]),
    ("values", &["{a = 1}"]),
    ("yamldecode", &["\"a: 1\""]),
    ("zipmap", &["[\"a\"]", "[1]"]),
];

/// The world with the variable `secret`.
fn with_secret(value: Value) -> World {
    let mut world = world();
    let mut secret = Data::from(value);
    secret.secret.insert(Path::root());
    world.vars.insert("secret".to_owned(), secret);
    world
}

fn run(world: &World, expression: &str) -> Result<Data, Vec<LocatedError>> {
    evaluate(&json!(format!("${{{expression}}}")), world)
}

/// The call with `var.secret` in place of one argument.
fn call(name: &str, arguments: &[&str], at: usize) -> String {
    let mut arguments = arguments.to_vec();
    arguments[at] = "var.secret";
    format!("{name}({})", arguments.join(", "))
}

/// Every function at every place of its arguments.
fn places() -> impl Iterator<Item = (&'static str, &'static [&'static str], usize)> {
    CALLS
        .iter()
        .flat_map(|(name, arguments)| (0..arguments.len()).map(move |at| (*name, *arguments, at)))
}

/// Arguments that were not looked at because one before them was taken.
fn is_excluded(name: &str, at: usize) -> bool {
    name == "try" && at > 0
}

#[test]
fn every_function_has_a_row() {
    let rows: Vec<&str> = CALLS.iter().map(|(name, _)| *name).collect();
    for name in super::function::all_names() {
        assert!(rows.contains(&name), "{name} has no row");
    }
}

#[test]
fn what_a_function_makes_of_a_secret_is_secret() {
    for (name, arguments, at) in places() {
        let plain = run(&world(), &format!("{name}({})", arguments.join(", ")));
        assert!(plain.is_ok(), "{name}: {plain:?}");
        let given = run(&world(), arguments[at]).unwrap().value;
        let text = call(name, arguments, at);
        let made = run(&with_secret(given), &text).unwrap();
        let secret = made.is_secret(&Path::root());
        assert_eq!(secret, !is_excluded(name, at), "{text}: {made:?}");
        // The value is the same.
        assert_eq!(made.value, plain.unwrap().value, "{text}");
    }
}

#[test]
fn whether_a_function_takes_a_secret_is_secret_too() {
    for (name, arguments, at) in places() {
        if is_excluded(name, at) {
            continue;
        }
        for given in [
            json!(format!("[{MARK}")),
            json!({MARK: MARK}),
            json!([MARK, [MARK]]),
            json!(null),
            json!(-7_777_777),
        ] {
            let world = with_secret(given.clone());
            let text = call(name, arguments, at);
            for text in [format!("can({text})"), format!("try({text}, \"else\")")] {
                let made = run(&world, &text).unwrap();
                let secret = made.is_secret(&Path::root());
                assert!(secret, "{text} with {given}: {made:?}");
            }
            // Its mistakes say nothing of it.
            for fault in run(&world, &text).err().into_iter().flatten() {
                let told = format!("{} {:?}", fault.message, fault.help);
                assert!(!told.contains(MARK), "{text}: {told}");
                assert!(!told.contains("7777777"), "{text}: {told}");
            }
        }
    }
}

#[test]
fn what_is_decided_on_a_secret_is_secret() {
    let text = with_secret(json!(MARK));
    for expression in [
        "var.secret == \"x\"",
        "var.secret != \"x\"",
        "var.secret == \"x\" ? 1 : 2",
        "!(var.secret == \"x\")",
        "true && var.secret == \"x\"",
        "false || var.secret == \"x\"",
        "[for c in split(\"\", var.secret) : 1]",
        "[for x in [1, 2] : x if var.secret == \"x\"]",
        "{for x in [\"a\"] : x => 1 if var.secret == \"x\"}",
        "{for x in [var.secret] : x => 1}",
        "{(var.secret) = 1}",
        "\"a%{ if var.secret == \"x\" }b%{ endif }\"",
        "\"%{ for c in split(\"\", var.secret) }x%{ endfor }\"",
        "{hunter2 = 1, other = 2}[var.secret]",
        "try({other = 2}[var.secret], \"else\")",
        "can({other = 2}[var.secret])",
        "try(tonumber(var.secret), 7)",
        "try(var.secret.a, 7)",
        "can(var.secret.a)",
        "can(var.secret[0])",
        "try(tonumber(\"x\"), tonumber(var.secret), 7)",
        "try([for x in [1] : tonumber(var.secret)], 7)",
        "try({a = tonumber(var.secret)}, 7)",
        "can(1 + var.secret)",
        "can(var.secret && true)",
        "can(var.secret ? 1 : 2)",
        "can(\"${var.secret.a}\")",
        "can(-var.secret)",
        "can(jsondecode(\"${var.secret}{\"))",
        "can(regex(\"^[0-9]+$\", var.secret))",
        "can(max([var.secret]...))",
        "coalesce(\"\", var.secret)",
        "coalesce([var.secret]...)",
    ] {
        let made =
            run(&text, expression).unwrap_or_else(|faults| panic!("{expression}: {faults:?}"));
        assert!(!made.secret.is_empty(), "{expression}: {made:?}");
    }
}

#[test]
fn what_met_no_secret_is_none() {
    let world = with_secret(json!(MARK));
    for expression in [
        "try(tonumber(\"x\"), 7)",
        "can(tonumber(\"x\"))",
        "try(queue.tags.nothing, \"else\")",
        "try(password.nothing, \"else\")",
        "can(password.length.nothing)",
        "[var.secret, try(tonumber(\"x\"), 7)][1]",
    ] {
        let made = run(&world, expression).unwrap();
        assert!(made.secret.is_empty(), "{expression}: {made:?}");
    }
}

#[test]
fn a_mistake_in_a_secret_map_names_none_of_its_keys() {
    let world = with_secret(json!({"hunter2": 1, "list": [1, 2, 3]}));
    for expression in [
        "var.secret.hunter1",
        "var.secret.list[7]",
        "var.secret[\"hunter3\"]",
        "var.secret.list.hunter1",
        "values(var.secret)[0].hunter9",
        "[for k, v in var.secret : k.nothing]",
    ] {
        let faults = run(&world, expression).unwrap_err();
        for fault in faults {
            let told = format!("{} {:?}", fault.message, fault.help);
            assert!(!told.contains(MARK), "{expression}: {told}");
            assert!(!told.contains("3 items"), "{expression}: {told}");
        }
    }
}
