//! A state in a bucket that strangers can write to: what is in the place of its lock, its journal and
//! its versions. Nothing that is none of stackctl's is overwritten or deleted, and nothing is deleted
//! in AWS that the plan does not show first.

use super::Table;
use super::arena::{holds, limited, refused};
use super::replies::{Hostile, Reply, is_sts, project as calling, s3_error, whole};
use crate::support::aws::sts;
use crate::support::{Project, actions};
use serde_json::{Value, json};
use stackctl::local_cloud::{Cloud, Entry, Options};
use stackctl::resource::aws::connect::{Local, Settings, connect};

const STATES: &str = "name: states\nresources: {b: {type: \"aws:s3:Bucket\", properties: {bucket: states, forceDestroy: true}}}\n";

const STACK: &str = "name: s\nstate: s3://states/s.json\nproviders: {aws: {region: us-west-2}}\n\
    variables: {v: {type: string, default: x}}\n\
    resources: {q: {type: \"aws:sqs:Queue\", properties: {name: \"q-${var.v}\"}}}\n";

/// A project with a queue, and its state in a bucket.
fn in_bucket() -> Project {
    let project = Project::new();
    project.write("stacks/states.yaml", STATES);
    project.run(&["apply", "states", "--yes"]).expect(0);
    std::fs::remove_file(project.dir().join("stacks/states.yaml")).unwrap();
    project.write("stacks/s.yaml", STACK);
    project.apply();
    project
}

/// Puts an object into the bucket, as somebody else does; none deletes it.
fn put(project: &Project, key: &str, body: Option<&[u8]>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cloud = Cloud::open(Options {
        dir: project.dir().join(".stackctl/local"),
        ..Options::default()
    });
    let local = Local {
        http: cloud.unwrap().http_client(),
        speed: 1.0,
    };
    runtime.block_on(async {
        let settings = Settings {
            region: Some("us-west-2".to_owned()),
            local: Some(local),
            ..Settings::default()
        };
        let aws = connect(&settings).await.unwrap();
        match body {
            Some(body) => {
                let call = aws.s3().put_object().bucket("states").key(key);
                call.body(body.to_vec().into())
                    .send()
                    .await
                    .map(drop)
                    .unwrap();
            }
            None => {
                let call = aws.s3().delete_object().bucket("states").key(key);
                call.send().await.map(drop).unwrap();
            }
        }
    });
}

/// What the cloud holds, without the lock, which each run writes.
fn without_lock(project: &Project) -> Vec<Entry> {
    let entries = project.cloud().into_iter();
    entries
        .filter(|entry| !entry.key.contains("s.json.lock"))
        .collect()
}

fn holder(change: Value) -> Vec<u8> {
    let mut holder = json!({
        "id": "other", "command": "apply of s", "host": "far-away", "pid": 1, "since": 1_795_441_289,
        "lease": 3600, "beat": 3, "pids_of": "another boot", "started": 7,
    });
    let map = holder.as_object_mut().unwrap();
    map.extend(change.as_object().unwrap().clone());
    holder.to_string().into_bytes()
}

#[test]
fn what_is_no_lock_stays_in_a_bucket() {
    let mut table = Table::new("buckets");
    let base = in_bucket();
    let nested =
        |open: &str, close: &str| (open.repeat(100_000) + &close.repeat(100_000)).into_bytes();
    let kinds: &[(&str, Vec<u8>)] = &[
        ("a text", b"[[package]]\n".to_vec()),
        ("a list", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("an object of another kind", b"{\"nodes\": {}}".to_vec()),
        ("lists in lists", nested("[", "]")),
        ("objects in objects", nested("{\"id\":", "}")),
        ("a megabyte", vec![b' '; 1 << 20]),
        ("no UTF-8", vec![0xff; 100]),
        ("a pid that is negative", holder(json!({"pid": -1}))),
        (
            "a beat of 40 digits",
            holder(json!({"beat": "1".repeat(40)})),
        ),
        (
            "a command of a megabyte",
            holder(json!({"command": "x".repeat(1 << 20)})),
        ),
        ("a command that is a list", holder(json!({"command": []}))),
    ];
    let commands: &[&[&str]] = &[
        &["apply", "--yes", "--var", "v=y"],
        &["destroy", "--yes"],
        &["state", "unlock", "--yes", "--force"],
        &["state", "rm", "q", "--yes"],
        &["refresh", "--yes"],
        &["state", "restore", "1", "--yes"],
    ];
    for (at, (kind, body)) in kinds.iter().enumerate() {
        put(&base, "s.json.lock", Some(body));
        let cloud = base.cloud();
        for args in [commands[at % 6], commands[(at + 2) % 6]] {
            table.attack(&format!("{kind} as the lock of {}", args.join(" ")), || {
                refused(
                    &limited(&base, args)?,
                    &["is not a lock of stackctl", "more than 65536 bytes"],
                )?;
                holds(base.cloud() == cloud, || "the cloud changed".to_owned())
            });
        }
    }
    for (kind, change) in [
        (
            "letters that act",
            json!({"command": "a\u{1b}[2J\u{202e}b", "host": "\u{9b}c\u{200b}"}),
        ),
        ("a lease without an end", json!({"lease": u64::MAX})),
        ("a time without an end", json!({"since": u64::MAX})),
    ] {
        put(&base, "s.json.lock", Some(&holder(change)));
        table.attack(&format!("a lock with {kind}"), || {
            let ended = limited(&base, &["destroy", "--yes", "--lock-timeout", "1s"])?;
            holds(ended.code == Some(4), || format!("{ended:?}"))?;
            let ended = limited(&base, &["state", "unlock", "--yes", "--force"])?;
            holds(ended.code == Some(0), || format!("{ended:?}"))?;
            let active = ended
                .stderr
                .chars()
                .find(|c| "\u{1b}\u{202e}\u{9b}".contains(*c));
            holds(active.is_none(), || format!("{active:?} is on the screen"))
        });
    }
    table.end();
}

/// An entry of the journal that a run of this state would have written; what it says is hostile.
fn entry(project: &Project, lines: &[Value]) -> Vec<u8> {
    let state = project.run(&["state", "pull"]).expect(0).json();
    let run = json!({"run": {"lineage": state["lineage"], "serial": state["serial"]}});
    let taken = json!({"taken": {"by": "other"}});
    let all = [&taken, &run].into_iter().chain(lines);
    let text: String = all.map(|line| format!("{line}\n")).collect();
    text.into_bytes()
}

fn put_step(address: &str, id: &str) -> Value {
    let resource = json!({
        "type": "aws:sqs:Queue", "id": id, "inputs": {"name": "victim"}, "outputs": {"url": id},
        "dependencies": [], "options": {}, "sensitive": [],
    });
    json!({"done": {"step": 0, "changes": [{"put": {"address": address, "resource": resource}}]}})
}

#[test]
fn a_journal_of_somebody_else_deletes_nothing_unseen() {
    const KEY: &str = "s.json.journal/0000000001-000000";
    let mut table = Table::new("buckets");
    let base = in_bucket();
    base.write(
        "stacks/v.yaml",
        "name: v\nproviders: {aws: {region: us-west-2}}\nresources: {v: {type: \"aws:sqs:Queue\", properties: {name: victim}}}\n",
    );
    base.run(&["apply", "v", "--yes"]).expect(0);
    std::fs::remove_file(base.dir().join("stacks/v.yaml")).unwrap();
    put(&base, KEY, None);
    let url = "https://sqs.us-west-2.amazonaws.com/000000000000/victim";
    let intent = |op: &str, more: Value| {
        let mut begin = json!({"step": 0, "op": op, "address": "x", "type": "aws:sqs:Queue"});
        begin
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"begin": begin})
    };
    let other = json!({"run": {"lineage": "0".repeat(32), "serial": 1}});
    let text = |text: &str| text.as_bytes().to_vec();
    let deep = format!(
        "{{\"taken\":{{\"by\":{}1{}}}}}\n{{}}\n",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let broken: Vec<(&str, Vec<u8>)> = vec![
        ("a text", text("[[package]]\nname = 1\n")),
        ("a list", text("[]\n[]\n")),
        ("nesting", text(&deep)),
        ("another lineage", format!("{other}\n").into_bytes()),
        (
            "a lineage that leads up",
            entry(
                &base,
                &[json!({"run": {"lineage": "/../../x", "serial": 1}})],
            ),
        ),
        (
            "a serial without an end",
            entry(
                &base,
                &[json!({"run": {"lineage": "0".repeat(32), "serial": u64::MAX}})],
            ),
        ),
        (
            "a step of 40 digits",
            text(&format!(
                "{{\"run\":{{\"lineage\":\"x\",\"serial\":{}}}}}\n{{}}\n",
                "1".repeat(40)
            )),
        ),
        (
            "an entry of another kind",
            entry(&base, &[json!({"delete": {"address": "q"}}), json!({})]),
        ),
    ];
    for (kind, body) in &broken {
        put(&base, KEY, Some(body));
        let before = without_lock(&base);
        for args in [
            ["plan"].as_slice(),
            &["apply", "--yes"],
            &["destroy", "--yes"],
        ] {
            table.attack(
                &format!("{kind} as the journal of {}", args.join(" ")),
                || {
                    refused(
                        &limited(&base, args)?,
                        &["the journal of an interrupted run", "no journal", "lineage"],
                    )?;
                    let sure = |entry: &Entry| !entry.key.contains(".journal/");
                    let after = without_lock(&base);
                    holds(
                        after
                            .iter()
                            .filter(|it| sure(it))
                            .eq(before.iter().filter(|it| sure(it))),
                        || "the cloud changed".to_owned(),
                    )
                },
            );
        }
        // What closed it was written beside it.
        for number in 1..4 {
            put(
                &base,
                &format!("s.json.journal/0000000001-00000{number}"),
                None,
            );
        }
    }
    put(&base, KEY, None);
    let shown: Vec<(&str, Vec<u8>)> = vec![
        (
            "a queue of somebody else's",
            entry(&base, &[put_step("x", url)]),
        ),
        (
            "an address that acts",
            entry(&base, &[put_step("x\u{1b}[2J\u{202e}", url)]),
        ),
        (
            "an id that leads up",
            entry(&base, &[put_step("x", "../../../victim")]),
        ),
        (
            "a deletion that was begun",
            entry(&base, &[put_step("x", url), intent("delete", json!({}))]),
        ),
        (
            "a creation that was begun",
            entry(
                &base,
                &[intent(
                    "create",
                    json!({"inputs": {"name": "victim"}, "operation": "x"}),
                )],
            ),
        ),
    ];
    for (kind, body) in &shown {
        let project = base.fork();
        put(&project, KEY, Some(body));
        let victim = |project: &Project| project.cloud().iter().any(|it| it.name == "victim");
        table.attack(
            &format!("{kind}: only what the plan shows is deleted"),
            || {
                for args in [
                    ["plan"].as_slice(),
                    &["drift"],
                    &["state", "list"],
                    &["refresh", "--yes"],
                ] {
                    let ended = limited(&project, args)?;
                    let active = ended.stdout.chars().find(|c| "\u{1b}\u{202e}".contains(*c));
                    holds(active.is_none(), || format!("{active:?} is on the screen"))?;
                    holds(victim(&project), || format!("{args:?} deleted it"))?;
                }
                let ended = limited(&project, &["plan", "--json"])?;
                if ended.code != Some(0) {
                    return Ok(());
                }
                let goes = actions(&ended.json());
                let goes = goes
                    .iter()
                    .any(|(_, actions)| actions.iter().any(|it| it == "delete"));
                limited(&project, &["apply", "--yes"])?;
                holds(goes || victim(&project), || {
                    "it was deleted, and the plan did not show it".to_owned()
                })
            },
        );
    }
    table.end();
}

/// What a listing gives: the journal's 60,000 entries, and keys of elsewhere.
#[test]
fn a_listing_of_a_stranger_is_not_followed() {
    let mut table = Table::new("buckets");
    let page = |keys: &[String], next: Option<usize>| {
        let keys: String = keys
            .iter()
            .map(|key| format!("<Contents><Key>{key}</Key></Contents>"))
            .collect();
        let next = next.map_or_else(String::new, |next| {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>")
        });
        Reply::Whole(
            200,
            format!("<ListBucketResult>{keys}{next}</ListBucketResult>"),
        )
    };
    for args in [["state", "list"].as_slice(), &["state", "history"]] {
        table.attack(&format!("60,000 entries: {}", args.join(" ")), || {
            let server = Hostile::start(move |asked, _| {
                if is_sts(asked) {
                    return whole(sts(asked));
                }
                if asked.head.starts_with("PUT") {
                    return Reply::Whole(200, String::new());
                }
                if !asked.head.contains("list-type=2") {
                    return Reply::Whole(404, s3_error("NoSuchKey"));
                }
                if asked.head.contains("history") {
                    return page(&[], None);
                }
                let token = asked.head.split("continuation-token=").nth(1);
                let at = token
                    .and_then(|it| it.split(['&', ' ']).next()?.parse().ok())
                    .unwrap_or(0);
                let keys: Vec<String> = (at..at + 1000)
                    .map(|at| format!("k.journal/0000000000-{at:06}"))
                    .collect();
                page(&keys, (at < 59_000).then_some(at + 1000))
            });
            let project = calling(&server.url, "  p: {type: random:RandomPet}\n");
            let args = [args, &["--state", "s3://bucket-1/k"]].concat();
            let ended = limited(&project, &args)?;
            match args[1] {
                "history" => holds(ended.code == Some(0), || format!("{ended:?}")),
                _ => refused(&ended, &["60000 entries, and stackctl writes at most"]),
            }
        });
    }
    table.attack("keys of elsewhere are not deleted", || {
        let server = Hostile::start(move |asked, _| {
            if is_sts(asked) {
                return whole(sts(asked));
            }
            let line = asked.head.lines().next().unwrap_or_default();
            if line.contains("list-type=2") {
                let names = [
                    "precious/0000000000-000001",
                    "k.journal/deep/0000000000-000001",
                    "k.journal/notes.txt",
                    "k.journal/0-1",
                    "k.history/deep/0000000000-01234567-0123456789abcdef.json.gz",
                ];
                return page(&names.map(str::to_owned), None);
            }
            match line.starts_with("GET") {
                true => Reply::Whole(404, s3_error("NoSuchKey")),
                false => Reply::Whole(200, String::new()),
            }
        });
        let mut project = calling(&server.url, "  p: {type: random:RandomPet}\n");
        project.env("STACKCTL_STATE_VERSIONS", "1");
        for _ in 0..2 {
            let ended = limited(&project, &["apply", "--yes", "--state", "s3://bucket-1/k"])?;
            holds(ended.code == Some(0), || format!("{ended:?}"))?;
        }
        let asked = server.asked();
        let deleted = asked
            .iter()
            .find(|it| it.head.starts_with("DELETE") || it.head.contains("?delete"));
        holds(deleted.is_none(), || format!("{deleted:?}"))
    });
    table.end();
}
