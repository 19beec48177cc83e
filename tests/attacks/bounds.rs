//! Stacks that ask for more than a machine has: memory by a few lines, draws without an end, and
//! megabytes that take long to check. The binary runs with an eighth of the memory that most of
//! these would take, and must say what is wrong and where.

use super::Table;
use crate::support::{Ended, Project, all};
use std::process::Command;
use std::time::{Duration, Instant};

/// The most memory of a run, in KiB of addresses; the threads of the runtime reserve some.
const MEMORY: &str = "2500000";

/// Runs the binary with little memory.
fn limited(project: &Project, args: &[&str]) -> Ended {
    let plain = project.command(args);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit -v {MEMORY} && exec \"$0\" \"$@\""))
        .arg(plain.get_program())
        .args(plain.get_args())
        .env_clear()
        .current_dir(project.dir())
        .stdin(std::process::Stdio::null());
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let output = command.output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Holds where the command ended with 3, with one of these words and a place in the file.
fn refused(ended: &Ended, words: &[&str]) -> Result<(), String> {
    let said = words.iter().any(|word| ended.stderr.contains(word));
    let placed = ended.stderr.contains("--> stacks/s.yaml:");
    if ended.code == Some(3) && said && placed {
        Ok(())
    } else {
        Err(format!("{:?}: {}", ended.code, cut(&ended.stderr)))
    }
}

fn cut(text: &str) -> String {
    text.chars().take(400).collect()
}

/// What every bomb may be made of: 64 KB, a list of 1,000 and a map of 1,000.
const LOCALS: &str = r#"
  c64: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
  k64: '${join("", [for i in range(1000): local.c64])}'
  l1000: '${range(1000)}'
  m1000: '${{for i in range(1000): "k${i}" => i}}'
  o1000: '${[for i in range(1000): {a = i}]}'
  l1: '${[1,1,1,1,1,1,1,1,1,1]}'
  l2: '${[local.l1,local.l1,local.l1,local.l1,local.l1,local.l1,local.l1,local.l1,local.l1,local.l1]}'
  l3: '${[local.l2,local.l2,local.l2,local.l2,local.l2,local.l2,local.l2,local.l2,local.l2,local.l2]}'
"#;

/// Each is an expression whose value, or something on the way to it, would be enormous.
const BOMBS: &[(&str, &str)] = &[
    (
        "replace by a pattern",
        r#"replace(local.k64, "/x/", local.k64)"#,
    ),
    ("replace by a part", r#"replace(local.k64, "x", local.k64)"#),
    (
        "replace by groups",
        r#"replace(local.k64, "/(x+)/", join("", [for i in local.l1000: "$1"]))"#,
    ),
    ("join", r#"join(local.k64, local.l1000)"#),
    (
        "lists of lists",
        "[local.l3,local.l3,[for i in local.l1000: local.l3]]",
    ),
    (
        "a loop over strings",
        "[for i in local.l1000: [for j in local.l1000: local.k64]]",
    ),
    (
        "a loop in a loop",
        "[for i in local.l1000: [for j in local.l1000: i]]",
    ),
    (
        "a map of strings",
        r#"{for i in range(1020): "k${i}" => [local.k64, local.k64]}"#,
    ),
    (
        "grouped strings",
        r#"{for i in range(1020): "k" => [local.k64, local.k64]...}"#,
    ),
    (
        "a template",
        r#"[for i in local.l1000: "${local.k64}${local.k64}"]"#,
    ),
    (
        "one long template",
        r#""%{for i in local.l1000}${local.k64}%{endfor}""#,
    ),
    (
        "format",
        r#"format(join("", [for i in local.l1000: "%[1]s"]), local.k64)"#,
    ),
    (
        "format by width",
        r#"[for i in local.l1000: format(join("", [for j in range(100): "%10000[1]s"]), 1)]"#,
    ),
    (
        "indent",
        r#"indent(1000, join("\n", flatten([for i in range(1000): [for j in range(60): ""]])))"#,
    ),
    ("jsonencode", "jsonencode([for i in range(400): local.k64])"),
    (
        "base64encode",
        "base64encode([for i in range(1020): local.k64][5]) == [for i in local.l1000: [local.k64, local.k64]]",
    ),
    ("flatten", "flatten([for i in range(1001): local.l1000])"),
    ("concat", "concat([for i in range(1001): local.l1000]...)"),
    ("merge", "[for i in range(1001): merge(local.m1000, {})]"),
    ("values", "[for i in range(1001): values(local.m1000)]"),
    ("a splat", "[for i in range(1001): local.o1000[*].a]"),
    (
        "split",
        r#"split("", join("", [for i in range(40): local.k64]))"#,
    ),
    (
        "split by a part",
        r#"split("x", join("", [for i in range(40): local.k64]))"#,
    ),
    (
        "regexall",
        r#"regexall(".", join("", [for i in range(40): local.k64]))"#,
    ),
    (
        "regexall of nothing",
        r#"regexall("", join("", [for i in range(40): local.k64]))"#,
    ),
    (
        "nested groups",
        r#"regexall("((((((((((((((((x+))))))))))))))))", join("", [for i in range(80): local.k64]))"#,
    ),
    (
        "try",
        "try([for i in local.l1000: [for j in local.l1000: local.k64]], 1)",
    ),
    (
        "can",
        "can([for i in local.l1000: [for j in local.l1000: local.k64]])",
    ),
    (
        "coalesce",
        "coalesce(null, [for i in local.l1000: [for j in local.l1000: local.k64]])",
    ),
    (
        "a branch",
        "true ? [for i in local.l1000: [for j in local.l1000: local.k64]] : 1",
    ),
    (
        "only its length",
        "length([for i in local.l1000: [for j in local.l1000: local.k64]])",
    ),
    (
        "jsondecode",
        r#"[for i in local.l1000: jsondecode("[${join(",", local.l1000)}]")]"#,
    ),
    (
        "yamldecode",
        r#"[for i in local.l1000: yamldecode("[${join(",", local.l1000)}]")]"#,
    ),
    (
        "chunklist",
        "[for i in local.l1000: chunklist(local.l1000, 1)]",
    ),
    ("toset", "[for i in range(1001): toset(local.l1000)]"),
    (
        "zipmap",
        "[for i in range(1001): zipmap(keys(local.m1000), values(local.m1000))]",
    ),
    (
        "work without a result",
        "length([for i in local.l1000: [for j in range(20): length(local.l1000)]])",
    ),
    (
        "hashes without a result",
        "[for i in local.l1000: [for j in local.l1000: sha512(local.k64)]]",
    ),
    (
        "patterns in a loop",
        r#"[for i in local.l1000: can(regex("(\\pL{1,50}){1,${i % 90 + 1}}$", "a"))]"#,
    ),
];

const LIMITS: &[&str] = &[
    "grow beyond 64 MiB of strings",
    "grow beyond 1,000,000 values",
    "the string grows beyond 16 MiB",
    "take too many steps",
    "takes too many steps",
];

/// Where an expression may stand; `@` is the bomb.
const PLACES: &[(&str, &str)] = &[
    ("a local", "locals: {bomb: '${@}'}\n"),
    ("an output", "outputs: {bomb: '${@}'}\n"),
    (
        "a property",
        "resources: {q: {type: aws:sqs:Queue, properties: {tags: {bomb: '${length([@])}'}}}}\n",
    ),
];

/// A stack with an expression in a place.
fn stack(place: &str, bomb: &str) -> String {
    let rest = place.replace('@', &bomb.replace('\'', "''"));
    match rest.strip_prefix("locals: {") {
        Some(local) => {
            let (local, _) = local.rsplit_once('}').unwrap();
            format!("name: s\nlocals:{LOCALS}  {local}\n")
        }
        None => format!("name: s\nlocals:{LOCALS}{rest}"),
    }
}

#[test]
fn a_few_lines_take_no_memory() {
    let mut table = Table::new("bombs");
    for (number, (bomb, expression)) in BOMBS.iter().enumerate() {
        let places = PLACES.iter().enumerate();
        // Each in the place of its turn, or in all of them.
        for (_, (place, text)) in places.filter(|(turn, _)| all() || number % 3 == *turn) {
            table.attack(&format!("{bomb} in {place}"), || {
                let project = Project::new();
                project.write("stacks/s.yaml", stack(text, expression));
                refused(&limited(&project, &["validate"]), LIMITS)
            });
        }
    }
    table.end();
}

/// Stacks whose blocks are large together, and none alone.
#[test]
fn all_blocks_have_one_budget() {
    let mut table = Table::new("budgets");
    let many = |line: &dyn Fn(usize) -> String| (0..200).map(line).collect::<String>();
    let base = format!(
        "name: s\nlocals:{LOCALS}  m1: '${{join(\"\", [for i in range(16): local.k64])}}'\n"
    );
    let queue = "type: aws:sqs:Queue";
    let stacks = [
        (
            "locals",
            format!("{base}{}", many(&|i| format!("  a{i}: '${{local.m1}}'\n"))),
        ),
        (
            "outputs",
            format!(
                "{base}outputs:\n{}",
                many(&|i| format!("  a{i}: '${{local.m1}}'\n"))
            ),
        ),
        (
            "properties",
            format!(
                "{base}resources:\n{}",
                many(&|i| format!(
                    "  a{i}: {{{queue}, properties: {{tags: {{a: '${{local.m1}}'}}}}}}\n"
                ))
            ),
        ),
        (
            "instances",
            format!(
                "{base}resources:\n  a: {{{queue}, options: {{forEach: '${{local.m1000}}'}}, \
                 properties: {{tags: {{a: '${{local.m1}}'}}}}}}\n"
            ),
        ),
        (
            "instances and their keys",
            format!(
                "{base}resources:\n{}",
                many(&|i| format!(
                    "  a{i}: {{{queue}, options: {{forEach: '${{[for i in range(1000): \"k${{i}}\"]}}'}}, \
                     properties: {{tags: {{a: '${{each.key}}', b: '${{each.value}}'}}}}}}\n"
                ))
            ),
        ),
        (
            "default tags",
            format!(
                "{base}providers: {{aws: {{region: us-east-1, defaultTags: \
                 {{for: '${{local.m1}}'}}}}}}\nresources:\n{}",
                many(&|i| format!("  a{i}: {{{queue}}}\n"))
            ),
        ),
        (
            "a file that is used often",
            format!(
                "{base}outputs:\n{}",
                many(&|i| format!("  a{i}: '${{file(\"big\")}}'\n"))
            ),
        ),
        (
            "a file in base64",
            format!(
                "{base}outputs:\n{}",
                many(&|i| format!("  a{i}: '${{filebase64(\"big\")}}'\n"))
            ),
        ),
        (
            "data sources",
            format!(
                "{base}data:\n{}",
                many(&|i| format!(
                    "  a{i}: {{type: archive:getFile, properties: {{type: zip, \
                     sourceContent: '${{local.m1}}', sourceContentFilename: a}}}}\n"
                ))
            ),
        ),
        (
            "drawn values",
            format!(
                "{base}resources:\n{}",
                many(&|i| format!(
                    "  a{i}: {{type: random:RandomString, options: {{forEach: \
                     '${{[for i in range(50): \"k${{i}}\"]}}'}}, properties: {{length: 4096}}}}\n"
                ))
            ),
        ),
        (
            "resources by forEach",
            format!(
                "{base}resources:\n{}",
                many(&|i| format!(
                    "  a{i}: {{{queue}, options: {{forEach: '${{[for i in range(1000): \"k${{i}}\"]}}'}}}}\n"
                ))
            ),
        ),
    ];
    // Of a hundred thousand resources: half a minute each.
    let large = [
        "instances and their keys",
        "drawn values",
        "resources by forEach",
    ];
    for (name, text) in stacks
        .into_iter()
        .filter(|(name, _)| all() || !large.contains(name))
    {
        table.attack(name, || {
            let project = Project::new();
            project.write("stacks/s.yaml", text);
            project.write("stacks/big", vec![b'x'; 1 << 20]);
            project.write("big", vec![b'x'; 1 << 20]);
            let words = [LIMITS, &["more than 100000 resources"]].concat();
            refused(&limited(&project, &["validate"]), &words)
        });
    }
    table.end();
}

/// Lengths that nothing may be drawn for.
#[test]
fn nothing_is_drawn_for_a_block_with_mistakes() {
    let mut table = Table::new("draws");
    let blocks = [
        ("RandomString", "length: 300000000"),
        ("RandomString", "length: 4000000000"),
        ("RandomString", "length: 300000000, minUpper: 300000000"),
        (
            "RandomString",
            "length: 300000000, overrideSpecial: 1, lower: \"yes\"",
        ),
        ("RandomId", "byteLength: 300000000"),
        ("RandomId", "byteLength: 2000000000"),
        ("RandomId", "byteLength: 9000000000000000000"),
        ("RandomId", "byteLength: 300000000, nope: 1"),
        ("RandomPet", "length: 20000000"),
        ("RandomPet", "length: 4000000000"),
        (
            "RandomPet",
            "length: 4000000000, separator: \"${local.sep}\"",
        ),
        ("RandomPet", "separator: \"${local.sep}\""),
        ("RandomPet", "prefix: \"${local.sep}\""),
        ("RandomId", "byteLength: 4, prefix: \"${local.sep}\""),
        ("RandomPassword", "length: 300000000"),
        ("RandomString", "length: \"${local.n}\""),
        ("RandomId", "byteLength: \"${local.n * 7}\""),
    ];
    for (kind, properties) in blocks {
        for options in ["{}", "{forEach: [a, b, c]}"] {
            table.attack(&format!("{kind} {properties} {options}"), || {
                let project = Project::new();
                project.write(
                    "stacks/s.yaml",
                    format!(
                        "name: s\nlocals: {{n: 300000000, sep: '${{join(\"\", [for i in range(1000): \
                         \"xxxxxxxxxxxxxxxx\"])}}'}}\nresources:\n  r: {{type: random:{kind}, \
                         properties: {{{properties}}}, options: {options}}}\n"
                    ),
                );
                let start = Instant::now();
                refused(&limited(&project, &["validate"]), &["must", "expected", "at most"])?;
                quick(start, 30)
            });
        }
    }
    // Known while applying only: the length of another's value.
    for (kind, property) in [
        ("RandomString", "length"),
        ("RandomId", "byteLength"),
        ("RandomPet", "length"),
    ] {
        table.attack(&format!("{kind} of a length known later"), || {
            let project = Project::new();
            project.write(
                "stacks/s.yaml",
                format!(
                    "name: s\nresources:\n  p: {{type: random:RandomPassword, properties: {{length: 9}}}}\n  \
                     r: {{type: random:{kind}, properties: {{{property}: \
                     '${{length(p.result) * 100000000}}'}}}}\n"
                ),
            );
            let start = Instant::now();
            let ended = limited(&project, &["apply", "--yes"]);
            if ended.code != Some(1) || !(ended.stderr.clone() + &ended.stdout).contains("must") {
                return Err(format!("{:?}: {}", ended.code, cut(&ended.stderr)));
            }
            quick(start, 20)
        });
    }
    table.end();
}

/// A generous bound of time: what this is about took minutes.
fn quick(start: Instant, seconds: u64) -> Result<(), String> {
    let took = start.elapsed();
    if took < Duration::from_secs(seconds) {
        Ok(())
    } else {
        Err(format!("it took {took:?}"))
    }
}

/// Lines until there are so many bytes.
fn lines(size: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    let mut at = 0;
    while text.len() < size {
        text.push_str(&line(at));
        at += 1;
    }
    text
}

/// Stacks of so many bytes that took long, or may: each stage has some of its own.
#[expect(clippy::too_many_lines, reason = "one list")]
fn shapes(size: usize) -> Vec<(&'static str, String)> {
    let of = |line: &dyn Fn(usize) -> String| lines(size, line);
    let locals = |line: &dyn Fn(usize) -> String| format!("name: s\nlocals:\n{}", of(line));
    let resources = |line: &dyn Fn(usize) -> String| format!("name: s\nresources:\n{}", of(line));
    let queue = |i: usize, rest: &str| format!("  a{i}: {{type: aws:sqs:Queue, {rest}}}\n");
    let long = "ab".repeat(20);
    vec![
        // The parser and its guards.
        (
            "brackets",
            format!("name: s\nlocals:\n  a: {}", "[".repeat(size)),
        ),
        (
            "dashes",
            format!("name: s\nlocals:\n  a:\n    {}1\n", "- ".repeat(size / 2)),
        ),
        (
            "a long line",
            format!("name: s\nlocals:\n  a: {}\n", "x".repeat(size)),
        ),
        (
            "one mistake in a long line",
            format!(
                "name: s\nlocals:\n  a: '{}${{foo.bar}}'\n",
                "x".repeat(size)
            ),
        ),
        (
            "mistakes in one line",
            format!(
                "name: s\nlocals: {{{}}}\n",
                of(&|i| format!("a{i}: '${{b{i}.c}}',"))
            ),
        ),
        ("blank lines", format!("name: s\n{}", "\n".repeat(size))),
        ("comments", format!("name: s\n{}", "#\n".repeat(size / 2))),
        (
            "tabs",
            format!("name: s\nlocals:\n{}", "\t\n".repeat(size / 2)),
        ),
        (
            "documents",
            format!("name: s\n{}", "---\n".repeat(size / 4)),
        ),
        (
            "escapes",
            format!(
                "name: s\nlocals:\n  a: \"{}\"\n",
                "\\u0041".repeat(size / 6)
            ),
        ),
        (
            "block scalars",
            format!("name: s\nlocals:\n  a: |\n{}", "    x\n".repeat(size / 6)),
        ),
        ("one key many times", locals(&|_| "  a: 1\n".to_owned())),
        ("each key twice", locals(&|i| format!("  a{}: 1\n", i / 2))),
        ("anchors", locals(&|i| format!("  a{i}: &x{i} 1\n"))),
        (
            "aliases",
            locals(&|i| {
                if i == 0 {
                    "  z: &z 1\n".to_owned()
                } else {
                    format!("  a{i}: *z\n")
                }
            }),
        ),
        (
            "aliases of nothing",
            locals(&|i| format!("  a{i}: *z{i}\n")),
        ),
        (
            "merges",
            locals(&|i| {
                if i == 0 {
                    "  z: &z {a: 1}\n".to_owned()
                } else {
                    format!("  a{i}: {{<<: *z}}\n")
                }
            }),
        ),
        (
            "merges of merges",
            locals(&|i| {
                if i == 0 {
                    "  a0: &a0 {x: 1}\n".to_owned()
                } else {
                    format!("  a{i}: &a{i} {{<<: *a{}, k{i}: 1}}\n", i - 1)
                }
            }),
        ),
        ("tags", locals(&|i| format!("  a{i}: !foo{i} 1\n"))),
        ("numbers", locals(&|i| format!("  a{i}: 1e99999\n"))),
        (
            "a number",
            format!("name: s\nlocals:\n  a: {}\n", "9".repeat(size)),
        ),
        // Names and places.
        (
            "unknown keys",
            format!("name: s\n{}", of(&|i| format!("a{i}: 1\n"))),
        ),
        (
            "variables",
            format!(
                "name: s\nvariables:\n{}",
                of(&|i| format!("  a{i}: {{}}\n"))
            ),
        ),
        (
            "sensitive variables",
            format!(
                "name: s\nvariables:\n{}",
                of(&|i| format!(
                    "  a{i}: {{type: string, sensitive: true, default: [secret{i}]}}\n"
                ))
            ),
        ),
        (
            "large patterns",
            format!(
                "name: s\nvariables:\n{}",
                of(&|i| format!(
                    "  a{i}: {{type: string, default: a, pattern: '(\\pL{{1,20}}){{1,{}}}'}}\n",
                    i % 9 + 1
                ))
            ),
        ),
        (
            "a long enum",
            format!(
                "name: s\nvariables:\n  a: {{type: number, default: -1, enum: [{}]}}\n",
                of(&|i| format!("{i},"))
            ),
        ),
        (
            "undefined locals",
            locals(&|i| format!("  a{i}: ${{local.b{i}}}\n")),
        ),
        (
            "suggestions",
            format!(
                "name: s\nlocals:\n{}{}",
                lines(size / 2, |i| format!("  {long}{i}: 1\n")),
                lines(size / 2, |i| format!(
                    "  x{i}: ${{local.ba{}{i}}}\n",
                    &long[2..]
                ))
            ),
        ),
        (
            "unknown types",
            resources(&|i| format!("  a{i}: {{type: aws:sqs:Queu{i}}}\n")),
        ),
        (
            "unknown properties",
            resources(&|i| queue(i, &format!("properties: {{nam{i}: 1}}"))),
        ),
        (
            "unknown attributes",
            resources(&|i| queue(i, &format!("properties: {{name: '${{a0.x{i}}}'}}"))),
        ),
        (
            "unknown functions",
            locals(&|i| format!("  a{i}: '${{lenght{i}(1)}}'\n")),
        ),
        (
            "parts beside resources",
            format!(
                "name: s\nresources:\n{}  type: x\n  properties: {{}}\n",
                of(&|i| format!("  a{i}: {{type: aws:sqs:Queue}}\n"))
            ),
        ),
        // References and order.
        (
            "a chain of locals",
            locals(&|i| {
                if i == 0 {
                    "  a0: 1\n".to_owned()
                } else {
                    format!("  a{i}: ${{local.a{}}}\n", i - 1)
                }
            }),
        ),
        (
            "a chain backwards",
            locals(&|i| format!("  a{i}: ${{local.a{}}}\n", i + 1)),
        ),
        (
            "a chain that doubles",
            locals(&|i| {
                if i == 0 {
                    "  a0: 1\n".to_owned()
                } else {
                    format!("  a{i}: ['${{local.a{0}}}', '${{local.a{0}}}']\n", i - 1)
                }
            }),
        ),
        (
            "a circle",
            locals(&|i| format!("  a{i}: ${{local.a{}}}\n", (i + 1) % (size / 40))),
        ),
        (
            "many circles",
            resources(&|i| queue(i, &format!("properties: {{name: '${{a{}.arn}}'}}", i ^ 1))),
        ),
        (
            "a chain of resources",
            resources(&|i| queue(i, &format!("properties: {{name: '${{a{}.arn}}'}}", i + 1))),
        ),
        (
            "dependencies",
            resources(&|i| {
                if i == 0 {
                    queue(0, "options: {}")
                } else {
                    queue(i, &format!("options: {{dependsOn: [a{}]}}", i - 1))
                }
            }),
        ),
        (
            "one dependency often",
            format!(
                "name: s\nresources:\n  a: {{type: aws:sqs:Queue}}\n  z: {{type: aws:sqs:Queue, options: {{dependsOn: [{}]}}}}\n",
                of(&|_| "a,".to_owned())
            ),
        ),
        (
            "undefined dependencies",
            format!(
                "name: s\nresources:\n  z: {{type: aws:sqs:Queue, options: {{dependsOn: [{}]}}}}\n",
                of(&|i| format!("b{i},"))
            ),
        ),
        (
            "moves in a chain",
            resources(&|i| queue(i, &format!("options: {{movedFrom: a{}}}", i + 1))),
        ),
        (
            "imports",
            resources(&|i| queue(i, &format!("options: {{import: b{i}}}"))),
        ),
        (
            "ignored paths",
            format!(
                "name: s\nresources:\n  z: {{type: aws:sqs:Queue, options: {{ignoreChanges: [{}]}}}}\n",
                of(&|i| format!("b{i},"))
            ),
        ),
        (
            "one name for all",
            resources(&|i| queue(i, "properties: {name: x}")),
        ),
        // Expressions.
        (
            "references in a string",
            format!(
                "name: s\nlocals:\n  b: 1\n  a: '{}'\n",
                "${local.b}".repeat(size / 10)
            ),
        ),
        (
            "expressions in a string",
            format!("name: s\nlocals:\n  a: '{}'\n", "${1+1}".repeat(size / 6)),
        ),
        (
            "broken expressions",
            locals(&|i| format!("  a{i}: '${{1 +'\n")),
        ),
        (
            "operators",
            format!("name: s\nlocals:\n  a: '${{{}1}}'\n", "1+".repeat(size / 2)),
        ),
        (
            "branches in branches",
            locals(&|i| {
                format!(
                    "  a{i}: '${{{}1{}}}'\n",
                    "true?(true?".repeat(30),
                    ":1):1".repeat(30)
                )
            }),
        ),
        (
            "loops",
            locals(&|i| {
                format!("  a{i}: '${{length([for a in range(700): [for b in range(700): 1]])}}'\n")
            }),
        ),
        (
            "patterns",
            locals(&|i| {
                format!(
                    "  a{i}: '${{can(regex(\"(\\\\pL{{1,50}}){{1,{}}}\",\"a\"))}}'\n",
                    i % 90 + 1
                )
            }),
        ),
        (
            "sets",
            format!(
                "name: s\nlocals:\n  u: '{}'\n  t: '${{split(\",\", local.u)}}'\n  a: '${{length(setsubtract(local.t, [for x in local.t: \"b${{x}}\"]))}}'\n",
                of(&|i| format!("{i},"))
            ),
        ),
        (
            "directives",
            format!(
                "name: s\nlocals:\n  a: '{}'\n",
                "%{if true}x%{endif}".repeat(size / 20)
            ),
        ),
        (
            "half expressions",
            format!("name: s\nlocals:\n  a: '{}'\n", "${".repeat(size / 2)),
        ),
        // Schemas and rules.
        (
            "statements",
            format!(
                "name: s\nresources:\n  p: {{type: aws:iam:Policy, properties: {{policy: {{Version: '2012-10-17', Statement: [{}]}}}}}}\n",
                of(&|_| "{Effect: Allow, Action: 'sqs:SendMessage', Resource: '*'},".to_owned())
            ),
        ),
        (
            "wrong statements",
            format!(
                "name: s\nresources:\n  p: {{type: aws:iam:Policy, properties: {{policy: {{Version: '2012-10-17', Statement: [{}]}}}}}}\n",
                of(&|_| "{Efect: Allow, Actio: 'sqs:SendMessag', Resource: 'x'},".to_owned())
            ),
        ),
        (
            "wrong tags",
            format!(
                "name: s\nresources:\n  a: {{type: aws:sqs:Queue, properties: {{tags: {{{}}}}}}}\n",
                of(&|i| format!("k{i}: [1],"))
            ),
        ),
        (
            "buckets and objects",
            resources(&|i| {
                format!(
                    "  b{i}: {{type: aws:s3:Bucket, properties: {{bucket: bucket-{i}}}}}\n  o{i}: {{type: aws:s3:BucketObject, properties: {{bucket: bucket-{i}, key: k, content: x}}}}\n"
                )
            }),
        ),
        (
            "objects of one key",
            format!(
                "name: s\nresources:\n  b: {{type: aws:s3:Bucket}}\n{}",
                of(&|i| format!(
                    "  o{i}: {{type: aws:s3:BucketObject, properties: {{bucket: '${{b.bucket}}', key: k, content: x}}}}\n"
                ))
            ),
        ),
        (
            "functions",
            format!(
                "name: s\nresources:\n  r: {{type: aws:iam:Role, properties: {{assumeRolePolicy: {{}}}}}}\n{}",
                of(&|i| format!(
                    "  f{i}: {{type: aws:lambda:Function, properties: {{role: '${{r.arn}}', runtime: python3.12, handler: x.y, filename: x.zip}}}}\n"
                ))
            ),
        ),
        (
            "random ids",
            resources(&|i| {
                format!("  a{i}: {{type: random:RandomId, properties: {{byteLength: 1024}}}}\n")
            }),
        ),
    ]
}

/// `STACKCTL_HOSTILE_SIZE` makes the files larger than a debug binary checks in seconds; at
/// 1,000,000 a release binary must take less than 10 s for each.
#[test]
fn a_large_file_is_checked_in_time() {
    let size = std::env::var("STACKCTL_HOSTILE_SIZE").ok();
    let seconds = if size.is_some() { 10 } else { 30 };
    let size = size.map_or(if all() { 60_000 } else { 20_000 }, |size| {
        size.parse().unwrap()
    });
    let mut slowest = (Duration::ZERO, "");
    let mut table = Table::new("large files");
    for (name, text) in shapes(size) {
        table.attack(name, || {
            let project = Project::new();
            project.write("stacks/s.yaml", text);
            let start = Instant::now();
            let ended = limited(&project, &["validate"]);
            if !matches!(ended.code, Some(0 | 3)) {
                return Err(format!("{:?}: {}", ended.code, cut(&ended.stderr)));
            }
            slowest = slowest.max((start.elapsed(), name));
            quick(start, seconds)
        });
    }
    println!("the slowest: {} in {:?}", slowest.1, slowest.0);
    table.end();
}
