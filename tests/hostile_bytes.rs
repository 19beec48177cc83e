//! A bounded run of the targets that `cargo fuzz` has (`fuzz/`): real files, broken in
//! thousands of ways, always the same ones. Nothing may panic, and nothing may take long.
//!
//! `STACKCTL_HOSTILE_CASES` says how many for each target.

use crate::support::Project;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

#[path = "../fuzz/fuzz_targets/targets.rs"]
mod targets;

const CASES: usize = 1500;

/// What is put in between: what parsers trip over.
const WORDS: &[&str] = &[
    "${",
    "}",
    "%{",
    "$${",
    "{",
    "[",
    "]",
    "\"",
    "'",
    ": ",
    "- ",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "1e400",
    "-9223372036854775809",
    "0x",
    "null",
    "~",
    "|-\n",
    "\\u0000",
    "\\ud800",
    "\t",
    "\n\n",
    "for x in ",
    "? ",
    "[*]",
    "...",
    "each.key",
    "\r",
    "# ",
];

/// Breaks a text in a few places.
fn broken(rng: &mut StdRng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[rng.random_range(0..seeds.len())].clone();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..=bytes.len());
        let to = (at + rng.random_range(0..40)).min(bytes.len());
        match rng.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let part = bytes[at..to].to_vec();
                bytes.splice(at..at, part);
            }
            3 => bytes.truncate(at),
            4 => {
                let other = &seeds[rng.random_range(0..seeds.len())];
                let from = rng.random_range(0..=other.len());
                let end = (from + rng.random_range(0..200)).min(other.len());
                bytes.splice(at..to, other[from..end].iter().copied());
            }
            _ => {
                let word = WORDS[rng.random_range(0..WORDS.len())];
                let times = if rng.random_bool(0.05) { 300 } else { 1 };
                bytes.splice(at..at, word.repeat(times).into_bytes());
            }
        }
    }
    bytes
}

fn feed(name: &str, seeds: &[Vec<u8>], target: impl Fn(&[u8])) {
    let cases = std::env::var("STACKCTL_HOSTILE_CASES").ok();
    let cases = cases.map_or(CASES, |text| text.parse().unwrap());
    let (mut rng, mut withstood) = (StdRng::seed_from_u64(7), 0);
    for case in 0..cases {
        let bytes = broken(&mut rng, seeds);
        let start = Instant::now();
        let fed = catch_unwind(AssertUnwindSafe(|| target(&bytes)));
        let text = String::from_utf8_lossy(&bytes);
        assert!(fed.is_ok(), "{name} panics on case {case}:\n{text}");
        // Far more than it takes; a machine may be busy.
        let took = start.elapsed();
        assert!(took < Duration::from_secs(20), "{name}, {took:?}:\n{text}");
        withstood += 1;
    }
    println!("reliability: hostile inputs {cases} tried {withstood} withstood");
}

/// The stack files of the repository.
fn stacks() -> Vec<Vec<u8>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Vec::new();
    for dir in ["stacks", "tests/conformance"] {
        for entry in std::fs::read_dir(root.join(dir)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "yaml") {
                let text = std::fs::read(&path).unwrap();
                let text = match dir {
                    "stacks" => text,
                    // A case is not a stack yet.
                    _ => [b"name: s\n", text.as_slice()].concat(),
                };
                seeds.push(text);
            }
        }
    }
    seeds
}

#[test]
fn stack_files_do_no_harm() {
    feed("the stack file", &stacks(), targets::stack_file);
}

#[test]
fn expressions_do_no_harm() {
    let seeds = [
        "${[for x in var.v.a : upper(x) if x != 1]}",
        "${{for k, v in var.v : k => jsonencode(v)...}}",
        "a ${var.v.a[0] + 1 > 2 ? \"x\" : try(var.v.b, \"y\")} b %{ if true }c%{ endif }",
        "${join(\"-\", sort(distinct(flatten([var.v.a, [\"z\"]]))))} $${no} $context.id",
        "${cidrsubnet(\"10.0.0.0/8\", 8, 2)} ${format(\"%05d %s\", 3, \"x\")} ${regex(\"a+\", \"aa\")}",
        "${<<-EOT\n  text ${1 * (2 - 3) % 4}\n  EOT\n}",
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    feed("the expression", &seeds, targets::expression);
}

#[test]
fn states_journals_and_plans_do_no_harm() {
    let mut project = Project::websocket();
    project.run(&["plan", "--out", "a.plan"]).expect(0);
    let plan = std::fs::read(project.dir().join("a.plan")).unwrap();
    let kill = r#"[{"call": "iam:CreatePolicy", "at": 1, "what": "killAfter"}]"#;
    project.env("STACKCTL_LOCAL_FAULTS", kill);
    assert_eq!(project.run(&["apply", "--yes"]).code, None);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    let journal = std::fs::read(project.dir().join("state/websocket-sqs.journal")).unwrap();
    project.apply();
    let state = project.read("state/websocket-sqs.json");
    // The name that the target opens it by.
    let state = state.replace("\"stack\": \"websocket-sqs\"", "\"stack\": \"s\"");
    let both = [state.as_bytes(), b"\0", &journal].concat();
    let dir = tempfile::tempdir().unwrap();
    feed("the state", &[state.into_bytes(), both], |bytes| {
        targets::state_file(bytes, dir.path());
    });
    feed("the journal", &[journal], targets::journal_text);
    feed("the plan", &[plan], |bytes| {
        targets::plan_file(bytes, dir.path());
    });
}
