//! Secrets through drawn expressions: what is not marked in a result, and what a mistake says, is
//! the same whatever the secret is. So no output reveals anything of it. `STACKCTL_FUZZ_SEED` draws
//! others.

use super::secrets::CALLS;
use super::*;
use md5::Md5;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// So many drawn expressions are evaluated.
const CASES: usize = 2_000;

/// Ways to use a value, which stands for `@`; another one stands for `#`.
const USES: &[&str] = &[
    "@",
    "(@)",
    "-@",
    "!@",
    "!(@ == #)",
    "@ + 1",
    "1 + @",
    "@ - #",
    "@ * 2",
    "7 / @",
    "@ % 5",
    "@ / 0",
    "@ == #",
    "# == @",
    "@ != #",
    "@ < 5",
    "5 <= @",
    "@ > 5",
    "@ >= #",
    "@ && true",
    "true && @",
    "false || @",
    "@ || false",
    "@ == \"a\" && true",
    "false || @ == \"a\"",
    "true || @",
    "false && @",
    "@ ? 1 : 2",
    "@ == # ? 1 : 2",
    "true ? @ : #",
    "false ? # : @",
    "true ? # : @",
    "[@]",
    "[#, @][1]",
    "[@, #][1]",
    "[1, 2, 3][@]",
    "[[1, 2], [3]][0][@]",
    "{a = @}",
    "{a = @}.a",
    "{a = @, b = #}[\"b\"]",
    "{(@) = 1}",
    "{(@) = #, other = 2}",
    "{one = 1, two = 2}[@]",
    "{one = 1, two = {(@) = 2}}",
    "var.map[@]",
    "var.list[@]",
    "var.map.l[@]",
    "[for x in var.list : x][@]",
    "@[0]",
    "@[5]",
    "@.a",
    "@.b.c",
    "@.a.b",
    "@[#]",
    "@[\"a\"]",
    "@[*]",
    "@[*].a",
    "@.*.a",
    "[@, #][*]",
    "[{a = @}][*].a",
    "[{a = @}].*.a",
    "[for x in @ : x]",
    "[for x in @ : 1]",
    "[for x in [@, #] : x]",
    "[for x in [1, 2] : @]",
    "[for x in [1, 2] : x if @]",
    "[for x in [\"a\", #] : x if x == @]",
    "[for x in [@] : 1 if x == #]",
    "[for k, v in @ : k]",
    "[for k, v in @ : v]",
    "[for k, v in {a = @} : k]",
    "[for k, v in {a = @} : v]",
    "[for x in [[@]] : [for y in x : y]]",
    "[for x in [1] : [for y in @ : x]]",
    "{for x in @ : x => 1}",
    "{for x in [@, #] : x => 1}",
    "{for x in [1, 2] : x => @}",
    "{for x in [1, 2] : @ => x}",
    "{for x in [1, 2] : @ => x...}",
    "{for x in [1, 2] : \"k\" => @...}",
    "{for x in [@, @] : x => 1}",
    "{for x in [@, #, @] : x => 1...}",
    "{for k, v in @ : k => v}",
    "{for k, v in @ : v => k}",
    "{for k, v in {a = 1} : k => v if @}",
    "\"a${@}b\"",
    "\"${@}\"",
    "\"a${~ @ ~}b\"",
    "\"%{ if @ }a%{ endif }\"",
    "\"%{ if @ == # }a%{ else }b%{ endif }\"",
    "\"%{~ if @ == # ~} a %{~ else ~} b %{~ endif ~}\"",
    "\"%{ if true }${@}%{ endif }\"",
    "\"%{ for x in @ }x%{ endfor }\"",
    "\"%{ for x in @ }${x}%{ endfor }\"",
    "\"%{ for x in [@, #] }${x}%{ endfor }\"",
    "\"%{ for k, v in @ }${k}%{ endfor }\"",
    "\"%{ for x in [1, 2] }${@}%{ endfor }\"",
    "\"%{ for x in [1, 2] }%{ if @ == # }y%{ endif }%{ endfor }\"",
    "<<EOT\na ${@}\nEOT\n",
    "try(@, #)",
    "try(@.a, #)",
    "try(@[0], #)",
    "try(1 + @, #)",
    "try([1, 2][@], #)",
    "try({one = 1}[@], #)",
    "try(tonumber(\"x\"), @)",
    "try(tonumber(@), tobool(@), #)",
    "try({for x in [@, #] : x => 1}, #)",
    "try(\"${@}\", #)",
    "try(@ ? 1 : 2, #)",
    "try([for x in @ : x], #)",
    "can(@)",
    "can(@.a)",
    "can(@[0])",
    "can(1 + @)",
    "can([1, 2][@])",
    "can({one = 1}[@])",
    "can(tonumber(@))",
    "can({for x in [@, #] : x => 1})",
    "can(@ ? 1 : 2)",
    "can([for x in @ : x.a])",
    "coalesce(null, @, #)",
    "coalesce(@, #)",
    "coalesce([@, #]...)",
    "max(@...)",
    "max([@, 1]...)",
    "format(\"%s\", @)",
    "format(@, 1)",
    "format(\"%d and %5.2f\", @, 1.5)",
    "format(\"%q %v %x\", \"a\", @, 7)",
    "format(\"%[2]s\", 1, @)",
    "format(\"%*d\", @, 1)",
    "format(\"%t\", @)",
    "formatlist(\"%s\", @)",
    "merge(@, {a = 1})",
    "lookup(@, \"a\", #)",
    "lookup({a = 1}, @, #)",
    "replace(\"a\", \"/@/\", \"b\")",
    "regex(@, \"abc\")",
    "jsondecode(\"{${@}\")",
    "yamldecode(\"a: [${@}\")",
    "base64decode(\"!${@}\")",
    "parseint(@, 36)",
    "range(@)",
    "substr(@, 1, 99)",
    "substr(\"abc\", @, 1)",
    "element([], @)",
    "one([@, #])",
    "file(@)",
    "tonumber(\"${@}x\")",
];

/// A secret string: letters that stand together in no message.
fn drawn(draw: &mut StdRng) -> String {
    const LETTERS: &[u8] = b"qxzj0789";
    let length = draw.random_range(8..14);
    let letters = (0..length).map(|_| char::from(LETTERS[draw.random_range(0..LETTERS.len())]));
    letters.collect()
}

/// Two values of one shape that differ in every string and number.
fn pair(draw: &mut StdRng, shape: usize) -> (Value, Value) {
    let (one, two) = (drawn(draw), drawn(draw));
    let numbers = [
        draw.random_range(70_000..80_000),
        draw.random_range(80_000..90_000),
    ];
    match shape {
        0 => (json!(one), json!(two)),
        1 => (json!(numbers[0]), json!(numbers[1])),
        2 => (json!(true), json!(false)),
        3 => (json!(0), json!(1)),
        4 => (json!("one"), json!("two")),
        5 => (json!([one]), json!([two])),
        6 => (json!([one, "a"]), json!([two, "a"])),
        7 => (json!({"a": one}), json!({"a": two})),
        8 => (
            json!({"a": {"b": one}, "n": 1}),
            json!({"a": {"b": two}, "n": 2}),
        ),
        9 => (json!({"k": one.as_str()}), json!({two: one})),
        10 => (json!([one]), json!([one, two])),
        11 => (json!("17"), json!(one)),
        12 => (json!(null), json!(one)),
        13 => (json!(format!("[{one}")), json!(format!("[\"{two}\"]"))),
        14 => (
            json!({"a": numbers[0]}),
            json!({"a": numbers[1], "b": {"c": 1}}),
        ),
        _ => (json!(""), json!(two)),
    }
}

const SHAPES: usize = 16;

/// The world with a secret, the same within something that is none, and one that is not known.
fn world_with(value: &Value, late: Option<&Value>) -> World {
    let mut world = world();
    let mut secret = Data::from(value.clone());
    secret.secret.insert(Path::root());
    let mut partly = Data::from(json!({"open": "o", "a": value, "list": ["o", value]}));
    partly.secret.insert(Path::pointer("/a"));
    partly.secret.insert(Path::pointer("/list/1"));
    let mut late = late.map_or_else(|| Data::unknown("${late}"), |value| value.clone().into());
    late.secret.insert(Path::root());
    for (name, data) in [("secret", secret), ("partly", partly), ("late", late)] {
        world.vars.insert(name.to_owned(), data);
    }
    world
}

fn leaf(draw: &mut StdRng) -> String {
    const LEAVES: &[&str] = &[
        "var.secret",
        "var.secret",
        "var.secret",
        "var.secret",
        "var.partly",
        "var.partly.a",
        "var.partly.list",
        "var.partly.open",
        "var.n",
        "var.s",
        "var.list",
        "var.map",
        "\"a\"",
        "1",
        "null",
        "true",
        "[1, 2]",
    ];
    LEAVES[draw.random_range(0..LEAVES.len())].to_owned()
}

/// An expression with a secret somewhere in it, in most cases.
fn expression(draw: &mut StdRng, depth: usize) -> String {
    if depth == 0 {
        return leaf(draw);
    }
    let inner = expression(draw, depth - 1);
    let other = leaf(draw);
    if draw.random_bool(0.4) {
        let (name, arguments) = CALLS[draw.random_range(0..CALLS.len())];
        let mut arguments: Vec<&str> = arguments.to_vec();
        let at = draw.random_range(0..arguments.len());
        arguments[at] = &inner;
        return format!("{name}({})", arguments.join(", "));
    }
    let pattern = USES[draw.random_range(0..USES.len())];
    pattern.replace('@', &inner).replace('#', &other)
}

/// What is shown of a result: all but what is secret.
fn public_part(data: &Data) -> Value {
    let mut value = data.value.clone();
    for path in &data.secret {
        if path.is_root() {
            return json!("(secret)");
        }
        path.set(&mut value, json!("(secret)"));
    }
    value
}

fn messages(faults: &[LocatedError]) -> String {
    let each = faults
        .iter()
        .map(|fault| format!("{} {:?}", fault.message, fault.help));
    each.collect::<Vec<_>>().join("\n")
}

/// The strings and numbers in a value, and the keys.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Number(number) => found.push(number.to_string()),
        Value::Array(list) => list.iter().for_each(|item| texts(item, found)),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            found.push(key.clone());
            texts(item, found);
        }),
        _ => {}
    }
}

/// Whether a string has four characters of a secret in a row, or a hash of it.
fn reveals(text: &str, secret: &Value) -> Option<String> {
    let mut all = Vec::new();
    texts(secret, &mut all);
    for own in all
        .iter()
        .filter(|own| own.chars().any(|c| "qxzj0789".contains(c)))
    {
        let letters: Vec<char> = own.chars().collect();
        let mut parts = letters.windows(4).map(String::from_iter);
        if let Some(part) = parts.find(|part| text.contains(part.as_str())) {
            return Some(part);
        }
        let hashes: [Vec<u8>; 4] = [
            Md5::digest(own).to_vec(),
            Sha1::digest(own).to_vec(),
            Sha256::digest(own).to_vec(),
            Sha512::digest(own).to_vec(),
        ];
        let mut hashes = hashes.iter().map(|hash| hex::encode(&hash[..6]));
        if let Some(hash) = hashes.find(|hash| text.contains(hash.as_str())) {
            return Some(hash);
        }
    }
    None
}

/// A value without its strings and numbers; a short string counts by itself.
fn form(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() >= 8 => json!("text"),
        Value::Number(number) if number.as_i64() > Some(1) => json!(7),
        Value::Array(list) => list.iter().map(form).collect(),
        Value::Object(map) => {
            let members = map.iter().map(|(key, item)| (key.clone(), form(item)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// What came of the checks, counted, so that they cannot pass on nothing.
#[derive(Default, Debug)]
struct Counts {
    tried: usize,
    secret: usize,
    refused: usize,
    late: usize,
}

/// Evaluates an expression with one secret and with another.
fn check(text: &str, (one, two): &(Value, Value), counts: &mut Counts) {
    counts.tried += 1;
    let run = |world: &World| evaluate(&json!(format!("${{{text}}}")), world);
    let results = [one, two].map(|value| run(&world_with(value, None)));
    for (result, value) in results.iter().zip([one, two]) {
        if let Err(faults) = result {
            counts.refused += 1;
            let told = messages(faults);
            let found = reveals(&told, value);
            assert_eq!(found, None, "{text} with {value} says: {told}");
        }
    }
    match &results {
        [Ok(one_made), Ok(two_made)] => {
            assert_eq!(
                public_part(one_made),
                public_part(two_made),
                "{text} with {one} and {two}"
            );
            let differs = one_made.value != two_made.value;
            counts.secret += usize::from(differs);
            // The same of a secret that is not known yet.
            let late = text.replace("var.secret", "var.late");
            if differs && late != text {
                let made = run_late(&late, one);
                if let Ok(made) = made {
                    counts.late += 1;
                    assert!(!made.secret.is_empty(), "{late}: {made:?}");
                }
            }
        }
        [Err(one_said), Err(two_said)] => {
            let (one_said, two_said) = (messages(one_said), messages(two_said));
            // What is of another form, such as a number, fails elsewhere.
            let same_form = form(one) == form(two);
            assert!(
                !same_form || one_said == two_said,
                "{text} with {one} and {two}: {one_said} / {two_said}"
            );
        }
        _ => {}
    }
}

fn run_late(text: &str, value: &Value) -> Result<Data, Vec<LocatedError>> {
    evaluate(&json!(format!("${{{text}}}")), &world_with(value, None))
}

fn seeded(what: &str) -> (String, StdRng) {
    let seed = std::env::var("STACKCTL_FUZZ_SEED").unwrap_or_else(|_| "stackctl".to_owned());
    let hash: [u8; 32] = Sha256::digest(format!("{seed} {what}")).into();
    (seed, StdRng::from_seed(hash))
}

#[test]
fn every_use_of_a_secret_keeps_it() {
    let (seed, mut draw) = seeded("uses");
    println!("STACKCTL_FUZZ_SEED={seed}");
    let mut counts = Counts::default();
    for pattern in USES {
        for shape in 0..SHAPES {
            for other in ["var.s", "1", "var.list", "\"one\""] {
                let pair = pair(&mut draw, shape);
                let text = pattern.replace('@', "var.secret").replace('#', other);
                check(&text, &pair, &mut counts);
                let text = pattern.replace('@', "var.partly").replace('#', other);
                check(&text, &pair, &mut counts);
            }
        }
    }
    assert!(
        counts.secret > 3_000 && counts.refused > 3_000 && counts.late > 1_000,
        "{counts:?}"
    );
}

#[test]
fn every_function_keeps_a_secret_at_each_place() {
    let (seed, mut draw) = seeded("functions");
    println!("STACKCTL_FUZZ_SEED={seed}");
    let mut counts = Counts::default();
    for (name, arguments) in CALLS {
        let mut own = 0;
        for at in 0..arguments.len() {
            for shape in 0..SHAPES {
                let pair = pair(&mut draw, shape);
                for secret in [
                    "var.secret",
                    "var.partly",
                    "[var.secret]",
                    "{a = var.secret}",
                ] {
                    let mut arguments = arguments.to_vec();
                    arguments[at] = secret;
                    let call = format!("{name}({})", arguments.join(", "));
                    let before = counts.secret + counts.refused;
                    for text in [&call, &format!("can({call})"), &format!("try({call}, 7)")] {
                        check(text, &pair, &mut counts);
                    }
                    own += counts.secret + counts.refused - before;
                }
            }
        }
        // Whether it can be evaluated is the same for both, and secret.
        assert!(
            own > 0 || *name == "can",
            "{name} was tried with nothing that it takes or refuses"
        );
    }
    assert!(
        counts.secret > 2_000 && counts.refused > 4_000 && counts.late > 1_000,
        "{counts:?}"
    );
}

#[test]
fn drawn_expressions_keep_their_secrets() {
    let (seed, mut draw) = seeded("drawn");
    println!("STACKCTL_FUZZ_SEED={seed}");
    let mut counts = Counts::default();
    for _ in 0..CASES {
        let depth = draw.random_range(2..5);
        let text = expression(&mut draw, depth);
        let shape = draw.random_range(0..SHAPES);
        let pair = pair(&mut draw, shape);
        check(&text, &pair, &mut counts);
    }
    assert!(
        counts.secret > 20 && counts.refused > 500 && counts.late > 10,
        "{counts:?}"
    );
}

#[test]
fn a_part_of_a_secret_and_its_hash_are_noticed() {
    let secret = json!({"a": ["zq7x80jxq9"]});
    assert_eq!(
        reveals("it has 7x80 in it", &secret),
        Some("7x80".to_owned())
    );
    let hash = hex::encode(Md5::digest("zq7x80jxq9"));
    assert!(reveals(&format!("the hash is {hash}"), &secret).is_some());
    assert_eq!(reveals("it has 7x8 in it", &secret), None);
}
