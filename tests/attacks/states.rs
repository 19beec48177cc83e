//! States, journals and versions that somebody else wrote: what stackctl never writes is refused
//! when it is read, and nothing is deleted that a plan does not show first.

use super::Table;
use super::arena::{holds, limited, queue, refused, same, snapshot};
use crate::support::{Project, actions};
use serde_json::{Value, json};
use stackctl::store;
use stackctl::store::state::State;

const STATE: &str = "state/s.json";

/// The state with a change, and a checksum that fits, as somebody who knows the format writes it.
fn forge(project: &Project, change: &dyn Fn(&mut Value)) {
    let mut value = project.state();
    value.as_object_mut().unwrap().remove("checksum");
    change(&mut value);
    let state: State = serde_json::from_value(value).unwrap();
    project.write(STATE, store::to_text(&state).unwrap());
    // A checkout has no versions to compare it with.
    let history = project.dir().join(".stackctl/history");
    let _ = std::fs::remove_dir_all(history);
}

/// A project whose queue is deployed.
fn applied() -> Project {
    let project = queue();
    project.apply();
    project
}

/// Commands that read the state, with what they are asked to do.
const COMMANDS: &[&[&str]] = &[
    &["plan"],
    &["apply", "--yes", "--var", "v=y"],
    &["destroy", "--yes"],
    &["state", "list"],
    &["refresh", "--yes"],
    &["state", "mv", "q", "r", "--yes"],
];

/// Nothing is called and nothing is written.
fn nothing_happens(project: &Project, args: &[&str], words: &[&str]) -> Result<(), String> {
    let own = |name: &str| {
        matches!(
            name,
            ".stackctl/local" | "state/s.json.lock" | ".stackctl/history"
        )
    };
    let (before, cloud) = (snapshot(project.dir(), &own), project.cloud());
    let ended = limited(project, args)?;
    refused(&ended, words)?;
    holds(project.cloud() == cloud, || "the cloud changed".to_owned())?;
    same(&before, &snapshot(project.dir(), &own))
}

/// Numbers that wrap, and names that lead elsewhere.
#[test]
fn a_state_that_stackctl_never_writes_is_refused() {
    let mut table = Table::new("states");
    let base = applied();
    let long = "a".repeat(33);
    let forged: Vec<(&str, Value, &str)> = vec![
        ("serial", json!(u64::MAX), "larger than any state has"),
        ("serial", json!(u64::MAX - 1), "larger than any state has"),
        (
            "serial",
            json!((1_u64 << 53) + 1),
            "larger than any state has",
        ),
        ("lineage", json!("/../../x"), "not 32 hex digits"),
        ("lineage", json!(""), "not 32 hex digits"),
        ("lineage", json!(long), "not 32 hex digits"),
        (
            "lineage",
            json!("../../../../home/.ssh/authorized"),
            "not 32 hex digits",
        ),
        (
            "lineage",
            json!("0123456789ABCDEF0123456789ABCDEF"),
            "not 32 hex digits",
        ),
        ("stack", json!("../s"), "no name of a stack"),
        ("stack", json!("other"), "belongs to the stack"),
        ("env", json!("../../dev"), "no name of an environment"),
        ("env", json!(""), "no name of an environment"),
    ];
    for (at, (field, value, why)) in forged.iter().enumerate() {
        for command in [
            COMMANDS[at % COMMANDS.len()],
            COMMANDS[(at + 1) % COMMANDS.len()],
        ] {
            table.attack(
                &format!("{field} {value} and {}", command.join(" ")),
                || {
                    let project = base.fork();
                    forge(&project, &|state| state[*field] = value.clone());
                    nothing_happens(&project, command, &[why])
                },
            );
        }
        table.attack(&format!("{field} {value} in a push"), || {
            let project = base.fork();
            forge(&project, &|state| state[*field] = value.clone());
            std::fs::rename(project.dir().join(STATE), project.dir().join("forged.json")).unwrap();
            project.write(STATE, base.read(STATE));
            let own = |name: &str| name == ".stackctl/local" || name == "state/s.json.lock";
            let before = snapshot(project.dir(), &|name| own(name) || name == ".stackctl");
            let ended = limited(
                &project,
                &["state", "push", "forged.json", "--yes", "--force"],
            )?;
            refused(&ended, &[why, "This is a state of the stack"])?;
            same(
                &before,
                &snapshot(project.dir(), &|name| own(name) || name == ".stackctl"),
            )
        });
    }
    table.attack("the last serial of all", || {
        let project = base.fork();
        forge(&project, &|state| state["serial"] = json!(1_u64 << 53));
        let ended = limited(&project, &["plan", "--detailed-exitcode"])?;
        holds(ended.code == Some(0), || format!("{ended:?}"))?;
        nothing_happens(&project, COMMANDS[1], &["serial"])
    });
    for (name, text) in [
        (
            "nested",
            format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)),
        ),
        ("nested in a state", {
            let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
            base.read(STATE).replacen(
                "\"resources\": {",
                &format!("\"resources\": {{\"x\": {deep},"),
                1,
            )
        }),
        (
            "of another kind",
            "{\"version\": 4, \"terraform_version\": \"1.9\", \"serial\": 3}".to_owned(),
        ),
        (
            "of a later format",
            base.read(STATE)
                .replacen("\"version\": ", "\"version\": 9", 1),
        ),
    ] {
        for command in COMMANDS {
            table.attack(
                &format!("a text that is {name} and {}", command.join(" ")),
                || {
                    let project = base.fork();
                    project.write(STATE, &text);
                    let words = [
                        "is no state",
                        "recursion",
                        "format",
                        "cut off",
                        "changed it",
                    ];
                    nothing_happens(&project, command, &words)
                },
            );
        }
    }
    table.end();
}

/// What is left behind where a state was moved away.
#[test]
fn a_mark_of_a_move_that_stackctl_never_writes_is_no_mark() {
    let mut table = Table::new("states");
    let base = applied();
    let lineage = base.state()["lineage"].clone();
    for (name, change) in [
        ("serial", json!({"serial": u64::MAX})),
        ("lineage", json!({"lineage": "/../../x"})),
        ("fields", json!({"serial": "x"})),
    ] {
        for args in [&["plan"][..], &["state", "push", "kept.json", "--yes"]] {
            table.attack(&format!("a mark with another {name} and {}", args.join(" ")), || {
                let project = base.fork();
                project.write("kept.json", project.read(STATE));
                let mut mark = json!({
                    "to": "s3://b/k", "host": "h", "at": 1, "stack": "s", "lineage": lineage, "serial": 1,
                });
                for (name, value) in change.as_object().unwrap() {
                    mark[name] = value.clone();
                }
                project.write(STATE, json!({"moved": mark}).to_string());
                nothing_happens(&project, args, &["is no state", "no state"])
            });
        }
    }
    table.end();
}

fn journal(lineage: &str, serial: u64, lines: &[Value]) -> String {
    let first = json!({"run": {"lineage": lineage, "serial": serial}});
    let all = std::iter::once(&first).chain(lines);
    all.map(|line| format!("{line}\n")).collect()
}

/// A journal is no order: what it says was started is looked for, and never deleted.
#[test]
fn a_forged_journal_deletes_nothing() {
    let mut table = Table::new("states");
    let base = applied();
    let state = base.state();
    let (lineage, serial) = (
        state["lineage"].as_str().unwrap(),
        state["serial"].as_u64().unwrap(),
    );
    let begin = |op: &str, address: &str, kind: &str| json!({"begin": {"step": 1, "op": op, "address": address, "type": kind}});
    let queue = "aws:sqs:Queue";
    let open = [
        ("a delete", begin("delete", "q", queue)),
        ("a delete of nothing known", begin("delete", "other", queue)),
        (
            "a delete of another type",
            begin("delete", "q", "aws:s3:Bucket"),
        ),
        ("an update", begin("update", "q", queue)),
        ("a create without properties", begin("create", "new", queue)),
        ("a step of no kind", begin("nuke", "q", queue)),
        (
            "a create of no known type",
            begin("create", "new", "aws:x:Y"),
        ),
        ("a read", begin("read", "data.q", "archive:getFile")),
    ];
    for (name, line) in open {
        for command in [&["plan"][..], &["apply", "--yes"], &["refresh", "--yes"]] {
            table.attack(
                &format!("a journal with {name}, and {}", command.join(" ")),
                || {
                    let project = base.fork();
                    project.write(
                        "state/s.journal",
                        journal(lineage, serial, std::slice::from_ref(&line)),
                    );
                    let cloud = project.cloud().len();
                    let ended = limited(&project, command)?;
                    holds(matches!(ended.code, Some(0 | 1)), || format!("{ended:?}"))?;
                    let left = project.cloud().len();
                    holds(left == cloud, || format!("{cloud} before, {left} after"))
                },
            );
        }
    }
    table.attack("a create of no known type is told", || {
        let project = base.fork();
        let line = begin("create", "new", "aws:x:Y");
        project.write("state/s.journal", journal(lineage, serial, &[line]));
        let ended = limited(&project, &["apply", "--yes"])?;
        let told = ended.code == Some(1) && ended.stderr.contains("aws:x:Y");
        holds(told, || format!("{ended:?}"))
    });
    for (name, text, why) in [
        (
            "another lineage",
            journal(&"0".repeat(32), serial, &[]),
            "another lineage",
        ),
        (
            "a lineage that leads elsewhere",
            journal("/../x", serial, &[]),
            "not 32 hex digits",
        ),
        (
            "the last number",
            journal(lineage, u64::MAX, &[]),
            "larger than any state",
        ),
        (
            "a later serial",
            journal(lineage, serial + 1, &[]),
            "older version",
        ),
        (
            "somebody's line",
            "my diary\n".to_owned(),
            "does not begin as a journal",
        ),
        (
            "somebody's line without end",
            "my diary".to_owned(),
            "does not begin as a journal",
        ),
        (
            "an empty object",
            "{}\n".to_owned(),
            "does not begin as a journal",
        ),
        (
            "nested lines",
            format!("{}{}\nx\n", "{\"run\":", "[".repeat(100_000)),
            "line 1",
        ),
    ] {
        for command in [&["plan"][..], &["apply", "--yes", "--var", "v=y"]] {
            table.attack(
                &format!("a journal of {name}, and {}", command.join(" ")),
                || {
                    let project = base.fork();
                    project.write("state/s.journal", &text);
                    nothing_happens(&project, command, &[why])
                },
            );
        }
    }
    // A change that a finished step left behind is taken in, and what follows from it is shown.
    table.attack(
        "a journal that puts somebody's queue into the state",
        || {
            let project = base.fork();
            let mut theirs = state["resources"]["q"].clone();
            theirs["id"] = json!(theirs["id"].as_str().unwrap().replace("q-x", "theirs"));
            let put = json!({"put": {"address": "theirs", "resource": theirs}});
            let done = json!({"done": {"step": 1, "changes": [put]}});
            project.write(
                "state/s.journal",
                journal(lineage, serial, &[begin("create", "theirs", queue), done]),
            );
            shown_before_deleted(&project)
        },
    );
    table.end();
}

/// What an apply deletes stands in the plan before; a plan alone deletes nothing.
fn shown_before_deleted(project: &Project) -> Result<(), String> {
    let cloud = project.cloud();
    let looks: &[&[&str]] = &[
        &["plan"],
        &["drift"],
        &["outputs"],
        &["refresh", "--yes"],
        &["state", "list"],
    ];
    for command in looks {
        let fork = project.fork();
        limited(&fork, command)?;
        holds(fork.cloud() == cloud, || {
            format!("{command:?} changed the cloud")
        })?;
    }
    let planned = limited(project, &["plan", "--json"])?;
    let rows = match planned.code {
        Some(0) => actions(&planned.json()),
        _ => Vec::new(),
    };
    let ended = limited(project, &["apply"])?;
    let asked = ended.code == Some(1) || rows.is_empty();
    holds(asked && project.cloud() == cloud, || {
        format!("it did not ask: {ended:?}")
    })?;
    let ended = limited(project, &["apply", "--yes"])?;
    let left = project.cloud();
    let is_left = |key: &String| left.iter().any(|other| other.key == *key);
    let keys = cloud.iter().map(|entry| &entry.key);
    let gone: Vec<&String> = keys.filter(|key| !is_left(key)).collect();
    let deleted = rows
        .iter()
        .filter(|(_, what)| what.iter().any(|it| it == "delete"));
    let shown = deleted.count();
    holds(gone.len() <= shown, || {
        format!("{gone:?} went, and {shown} were shown: {rows:?} {ended:?}")
    })
}

/// Somebody else's queue, in the same account.
fn with_another() -> Project {
    let project = applied();
    project.write(
        "stacks/other.yaml",
        "name: other\nproviders: {aws: {region: us-west-2}}\n\
         resources:\n\
         \x20 q: {type: \"aws:sqs:Queue\", properties: {name: theirs}}\n\
         \x20 b: {type: \"aws:s3:Bucket\", properties: {bucket: bucket-of-theirs, forceDestroy: true}}\n",
    );
    project.run(&["apply", "other", "--yes"]).expect(0);
    std::fs::rename(
        project.dir().join("state/other.json"),
        project.dir().join("other.json"),
    )
    .unwrap();
    std::fs::remove_file(project.dir().join("stacks/other.yaml")).unwrap();
    project
}

/// Resources of others that a state names.
#[test]
fn a_forged_state_deletes_nothing_that_is_not_shown() {
    let mut table = Table::new("states");
    let base = with_another();
    let theirs: Value = serde_json::from_str(&base.read("other.json")).unwrap();
    let (queue, bucket) = (&theirs["resources"]["q"], &theirs["resources"]["b"]);
    type Change<'a> = Box<dyn Fn(&mut Value) + 'a>;
    let forged: Vec<(&str, Change<'_>)> = vec![
        (
            "a resource of others",
            Box::new(|state| state["resources"]["x"] = queue.clone()),
        ),
        (
            "a bucket of others",
            Box::new(|state| state["resources"]["x"] = bucket.clone()),
        ),
        (
            "a deposed one",
            Box::new(|state| state["deposed"] = json!({"q": {"k": queue}})),
        ),
        (
            "a deposed one of nothing",
            Box::new(|state| state["deposed"] = json!({"x": {"k": bucket}})),
        ),
        (
            "deposed ones of a resource in the file",
            Box::new(|state| state["deposed"] = json!({"q": {"a": queue, "b": bucket}})),
        ),
        (
            "another id",
            Box::new(|state| state["resources"]["q"]["id"] = queue["id"].clone()),
        ),
        (
            "another type",
            Box::new(|state| state["resources"]["q"]["type"] = json!("aws:s3:Bucket")),
        ),
        (
            "another resource",
            Box::new(|state| state["resources"]["q"] = bucket.clone()),
        ),
        (
            "an unknown type",
            Box::new(|state| state["resources"]["q"]["type"] = json!("aws:x:Y")),
        ),
        (
            "a deposed one of an unknown type",
            Box::new(|state| {
                let mut resource = queue.clone();
                resource["type"] = json!("aws:x:Y");
                state["deposed"] = json!({"q": {"k": resource}});
            }),
        ),
        (
            "a pending create",
            Box::new(|state| {
                state["pending"] = json!([{
                    "step": 1, "op": "create", "address": "x", "type": "aws:sqs:Queue",
                    "inputs": queue["inputs"], "operation": "other", "resource": queue,
                }]);
            }),
        ),
        (
            "a pending deletion",
            Box::new(|state| {
                state["pending"] = json!([{
                    "step": 1, "op": "delete", "address": "q", "type": "aws:sqs:Queue", "resource": queue,
                }]);
            }),
        ),
        (
            "an address with line ends",
            Box::new(|state| state["resources"]["a\n\u{1b}[2Kb"] = queue.clone()),
        ),
        (
            "an address of many parts",
            Box::new(|state| state["resources"]["q[\"../../x\"]"] = queue.clone()),
        ),
        (
            "dependencies in a circle",
            Box::new(|state| {
                state["resources"]["x"] = queue.clone();
                state["resources"]["x"]["dependencies"] = json!(["y"]);
                state["resources"]["y"] = bucket.clone();
                state["resources"]["y"]["dependencies"] = json!(["x"]);
            }),
        ),
        (
            "an id with a path",
            Box::new(|state| {
                state["resources"]["q"]["id"] = json!("https://169.254.169.254/latest/../theirs");
            }),
        ),
    ];
    for (name, change) in &forged {
        table.attack(&format!("{name} in the state"), || {
            let project = base.fork();
            forge(&project, change);
            shown_before_deleted(&project)
        });
        table.attack(&format!("{name} in a destroy of one resource"), || {
            let project = base.fork();
            forge(&project, change);
            let cloud = project.cloud();
            let ended = limited(&project, &["destroy"])?;
            holds(ended.code == Some(1), || {
                format!("it did not ask: {ended:?}")
            })?;
            holds(project.cloud() == cloud, || "the cloud changed".to_owned())
        });
    }
    table.end();
}

/// Versions that nobody saved: names, and what they unpack to.
#[test]
fn versions_of_others_are_read_to_a_limit() {
    let mut table = Table::new("states");
    let base = applied();
    let lineage = base.state()["lineage"].as_str().unwrap()[..8].to_owned();
    let hex = "0123456789abcdef";
    for name in [
        format!("18446744073709551615-{lineage}-{hex}.json.gz"),
        format!("9007199254740993-{lineage}-{hex}.json.gz"),
        format!("0000000009--{hex}.json.gz"),
        format!("0000000009-{lineage}-.json.gz"),
        format!("0000000009-{lineage}-{hex}{hex}.json.gz"),
        format!("0000000009-ABCDEFGH-{hex}.json.gz"),
        format!("-9-{lineage}-{hex}.json.gz"),
        format!("0x9-{lineage}-{hex}.json.gz"),
        format!("0000000009-{lineage}-{hex}.json.gz.gz"),
        "notes.txt".to_owned(),
    ] {
        table.attack(&format!("a version called {name}"), || {
            let project = base.fork();
            project.write(&format!(".stackctl/history/s/{name}"), "x");
            limited(&project, &["plan", "--detailed-exitcode"])?.expect(0);
            limited(&project, &["apply", "--yes", "--var", "v=y"])?.expect(0);
            holds(project.state()["serial"].as_u64() < Some(10), || {
                "the serial jumped".to_owned()
            })
        });
    }
    for (kind, packed) in [("no gzip", b"x".to_vec()), ("nothing", Vec::new())] {
        let name = format!(".stackctl/history/s/0000000009-{lineage}-{hex}.json.gz");
        for command in [
            &["plan"][..],
            &["state", "history"],
            &["state", "restore", "9", "--yes"],
        ] {
            table.attack(
                &format!("{kind} as a version, and {}", command.join(" ")),
                || {
                    let project = base.fork();
                    std::fs::remove_file(project.dir().join(STATE)).unwrap();
                    project.write(&name, &packed);
                    let cloud = project.cloud();
                    let ended = limited(&project, command)?;
                    holds(matches!(ended.code, Some(0 | 1)), || format!("{ended:?}"))?;
                    holds(!project.dir().join(STATE).exists(), || {
                        "it was taken".to_owned()
                    })?;
                    holds(project.cloud() == cloud, || "the cloud changed".to_owned())
                },
            );
        }
    }
    table.end();
}

/// Versions of a few kilobytes that unpack to gigabytes: a command reads them to one limit for all.
#[test]
fn versions_that_are_bombs_have_one_limit() {
    use std::io::Write;
    let mut table = Table::new("states");
    let bomb = |size: usize| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for _ in 0..size >> 20 {
            packer.write_all(&[0; 1 << 20]).unwrap();
        }
        packer.finish().unwrap()
    };
    let bomb = bomb(600 << 20);
    let project = applied();
    let lineage = &project.state()["lineage"].as_str().unwrap()[..8].to_owned();
    for serial in 2..=9 {
        let name = format!("{serial:010}-{lineage}-0123456789abcdef.json.gz");
        project.write(&format!(".stackctl/history/s/{name}"), &bomb);
    }
    for args in [&["state", "history"][..], &["state", "history", "--json"]] {
        table.attack(&args.join(" "), || {
            let ended = super::arena::under(&project, "ulimit -v 3000000", args)?;
            let told = ended.stdout.matches("cannot be read").count();
            let told = told.max(ended.stdout.matches("more than 1073741824 bytes").count());
            holds(ended.code == Some(0) && told >= 7, || format!("{ended:?}"))
        });
    }
    table.attack("state restore", || {
        let args = ["state", "restore", "5", "--yes"];
        let ended = super::arena::under(&project, "ulimit -v 3000000", &args)?;
        refused(&ended, &["more than", "is no state"])
    });
    table.end();
}
