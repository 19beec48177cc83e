//! The process is killed between every two writes of the commands that change what is known and
//! little or nothing else: imports, renames, repairs. The same command, run again, reaches the
//! same end; nothing is lost or twice.

use crate::support::tally::Tally;
use crate::support::{Project, in_parallel};
use serde_json::{Value, json};
use stackctl::store::Moment;
use std::collections::BTreeMap;
use std::sync::Mutex;

const STACK: &str = r#"
name: small
variables:
  size: {type: number, default: 30}
providers:
  aws: {region: us-west-2}
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: orders, visibilityTimeoutSeconds: "${var.size}"}
    options: {}
  log:
    type: aws:cloudwatch:LogGroup
    properties: {name: /app/orders, retentionInDays: 7}
    options: {}
  part:
    type: aws:sqs:Queue
    properties: {name: "part-${each.key}"}
    options: {forEach: [a, b]}
  policy:
    type: aws:iam:Policy
    properties:
      name: send
      policy:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "${queue.arn}"}]
outputs:
  url: ${queue.url}
"#;

const URL: &str = "https://sqs.us-west-2.amazonaws.com/000000000000";

/// A command, and the project before it.
struct Scene {
    what: &'static str,
    before: Project,
    args: Vec<String>,
}

impl Scene {
    /// The stack is deployed; then `change` is done to the project.
    fn new(what: &'static str, command: &str, change: impl FnOnce(&Project)) -> Self {
        let before = Project::new();
        before.write("stacks/small.yaml", STACK);
        before.apply();
        change(&before);
        let args = command.split(' ').map(str::to_owned).collect();
        Self { what, before, args }
    }
}

fn forget(project: &Project, addresses: &[&str]) {
    project
        .run(&[&["state", "rm", "--yes"], addresses].concat())
        .expect(0);
}

/// The file, changed where `from` stands.
fn edit(project: &Project, changes: &[(&str, &str)]) {
    let mut text = project.read("stacks/small.yaml");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    project.write("stacks/small.yaml", text);
}

fn scenes() -> Vec<Scene> {
    let import = format!("import queue {URL}/orders --yes");
    let renamed = [
        ("  queue:\n", "  orders:\n"),
        ("queue.", "orders."),
        ("  part:\n", "  shard:\n"),
        ("forEach: [a, b]", "forEach: [a, b], movedFrom: part"),
    ];
    vec![
        Scene::new("import", &import, |project| forget(project, &["queue"])),
        Scene::new(
            "import --file",
            "import --file list.yaml --yes",
            |project| {
                forget(project, &["queue", "log", "part[\"b\"]"]);
                let list =
                    format!("queue: {URL}/orders\nlog: /app/orders\npart[\"b\"]: {URL}/part-b\n");
                project.write("list.yaml", list);
            },
        ),
        Scene::new("options.import", "apply --yes", |project| {
            forget(project, &["queue", "log"]);
            let option = format!("\"${{var.size}}\"}}\n    options: {{import: \"{URL}/orders\"}}");
            edit(
                project,
                &[
                    ("\"${var.size}\"}\n    options: {}", &option),
                    (
                        "retentionInDays: 7}\n    options: {}",
                        "retentionInDays: 7}\n    options: {import: /app/orders}",
                    ),
                ],
            );
        }),
        Scene::new(
            "options.import and an update",
            "apply --yes --var size=40",
            |project| {
                forget(project, &["queue"]);
                let option =
                    format!("\"${{var.size}}\"}}\n    options: {{import: \"{URL}/orders\"}}");
                edit(project, &[("\"${var.size}\"}\n    options: {}", &option)]);
            },
        ),
        Scene::new("movedFrom", "apply --yes", |project| {
            edit(project, &renamed);
            edit(
                project,
                &[(
                    "    options: {}\n  log",
                    "    options: {movedFrom: queue}\n  log",
                )],
            );
        }),
        Scene::new(
            "movedFrom and changes",
            "apply --yes --var size=40",
            |project| {
                edit(project, &renamed);
                edit(
                    project,
                    &[
                        (
                            "    options: {}\n  log",
                            "    options: {movedFrom: queue}\n  log",
                        ),
                        // Replaced under its new address, too.
                        ("name: send", "name: send-more"),
                    ],
                );
            },
        ),
        Scene::new("state rebuild", "state rebuild --yes", |project| {
            std::fs::remove_dir_all(project.dir().join("state")).unwrap();
            std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap();
        }),
        Scene::new("state mv", "state mv log logs --yes", |project| {
            edit(project, &[("  log:\n", "  logs:\n")]);
        }),
        Scene::new("state rm", "state rm log part[\"a\"] --yes", |_| {}),
        Scene::new("state restore", "state restore 1 --yes", |project| {
            std::fs::remove_file(project.dir().join("state/small.json")).unwrap();
        }),
        Scene::new("refresh", "refresh --yes", |project| {
            project.run(&["state", "restore", "1", "--yes"]).expect(0);
            let change = project.fork();
            change
                .run(&["apply", "--yes", "--var", "size=50"])
                .expect(0);
            let cloud = ".stackctl/local";
            std::fs::remove_dir_all(project.dir().join(cloud)).unwrap();
            std::fs::rename(change.dir().join(cloud), project.dir().join(cloud)).unwrap();
        }),
    ]
}

/// What the state knows, without what differs from run to run.
fn known(project: &Project) -> Option<Value> {
    let text = std::fs::read_to_string(project.dir().join("state/small.json")).ok()?;
    let mut state: Value = serde_json::from_str(&text).ok()?;
    for (_, resource) in state["resources"].as_object_mut()? {
        let outputs = resource["outputs"].as_object_mut()?;
        // Drawn by the service; told by a read only.
        outputs.retain(|name, _| name != "policyId" && name != "path");
    }
    let parts = [
        "resources",
        "deposed",
        "pending",
        "outputs",
        "account",
        "region",
    ];
    Some(parts.iter().map(|part| state[part].clone()).collect())
}

/// What is in the cloud, without what is counted or drawn: times, versions of policies.
fn cloud(project: &Project) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for entry in project.cloud() {
        *found
            .entry(format!("{} {}", entry.service, entry.kind))
            .or_insert(0) += 1;
    }
    found
}

fn kills() -> Vec<(Moment, u32)> {
    let often = [Moment::Writing, Moment::Written, Moment::Synced];
    let count = |moment| {
        if often.contains(&moment) {
            1..=4
        } else {
            1..=1
        }
    };
    let moments = Moment::ALL.into_iter();
    moments
        .flat_map(|moment| count(moment).map(move |at| (moment, at)))
        .collect()
}

/// Kills the command there, and runs it again; whether the kill struck.
fn killed(
    scene: &Scene,
    end: &(Option<Value>, BTreeMap<String, usize>),
    (moment, at): (Moment, u32),
    tally: &Tally,
) -> bool {
    let case = format!("{}, killed at {moment:?} {at}", scene.what);
    let args: Vec<&str> = scene.args.iter().map(String::as_str).collect();
    let mut project = scene.before.fork();
    let kill = json!([{"call": moment.name(), "at": at, "what": "killBefore"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &kill.to_string());
    let first = project.run(&args);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    if first.code.is_some() {
        assert_eq!(first.code, Some(0), "{case}: {}", first.stderr);
        return false;
    }
    // How many writes a command has differs: a kill is offered where it strikes.
    tally.offered(&case);
    tally.struck(&case);
    if at.is_multiple_of(3) && known(&project).is_some() {
        // Whoever looks writes nothing, and sees no loss.
        let before = std::fs::read(project.dir().join("state/small.json")).unwrap();
        let plan = project.run(&["plan", "--json"]);
        assert_eq!(plan.code, Some(0), "plan after {case}: {}", plan.stderr);
        assert_eq!(
            std::fs::read(project.dir().join("state/small.json")).unwrap(),
            before
        );
    }
    let journal = project.dir().join("state/small.journal");
    let done = known(&project) == end.0 && !journal.exists();
    let again = project.run(&args);
    // A command that is done refuses, at most, to be done again.
    assert!(
        again.code == Some(0) || done,
        "{case}, again: {}",
        again.stderr
    );
    assert_eq!(known(&project), end.0, "{case}: {}", again.stderr);
    assert_eq!(cloud(&project), end.1, "{case}");
    assert!(!journal.exists(), "{case}");
    project.run(&["state", "history"]).expect(0);
    tally.held(&case);
    true
}

#[test]
fn what_changes_the_state_alone_is_taken_up() {
    let tally = Tally::new("kills of what is known", "converged");
    let struck = Mutex::new(BTreeMap::<&str, Vec<Moment>>::new());
    let scenes = scenes();
    let cases: Vec<_> = scenes
        .iter()
        .map(|scene| {
            let whole = scene.before.fork();
            let args: Vec<&str> = scene.args.iter().map(String::as_str).collect();
            whole.run(&args).expect(0);
            let end = (known(&whole), cloud(&whole));
            assert!(end.0.is_some(), "{}", scene.what);
            (scene, end)
        })
        .collect();
    let all = cases
        .iter()
        .flat_map(|case| kills().into_iter().map(move |kill| (case, kill)))
        .collect();
    in_parallel(all, |((scene, end), kill)| {
        if killed(scene, end, kill, &tally) {
            let mut struck = struck.lock().unwrap();
            struck.entry(scene.what).or_default().push(kill.0);
        }
    });
    let struck = struck.into_inner().unwrap();
    for scene in &scenes {
        let moments = &struck[scene.what];
        println!("{}: {moments:?}", scene.what);
        for moment in [Moment::Saving, Moment::Staged, Moment::Renamed] {
            assert!(moments.contains(&moment), "{} {moment:?}", scene.what);
        }
    }
    tally.end(70);
}
