//! Scenes of drift, of states that are looked at, moved and repaired, and of runs that could not
//! write down what they did.

use super::{Hunt, PLACES, STACK, hunt, project, run};
use crate::support::Project;
use serde_json::json;
use std::sync::atomic::Ordering;

/// Somebody else changes what holds secrets, to texts that must not be seen either.
fn outside(project: &Project) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let aws = project.outside().await;
        let queue = aws.sqs().tag_queue().queue_url(QUEUE);
        queue.tags("Plain", "qPlain7live").send().await.unwrap();
        let role = aws.iam().update_role().role_name("worker");
        let role = role.description("for qPlain7live");
        role.send().await.unwrap();
    });
}

const QUEUE: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/orders";

/// Drift of secrets, looked at, taken in and refused; objects that are adopted.
pub(super) fn drifted(passphrase: bool) {
    let project = project(passphrase);
    // Not searched: what the user wrote.
    project.write(
        "stacks/lists/one.yaml",
        format!("queue: {QUEUE}\nrole: worker\n"),
    );
    hunt(&project, &[(&["apply", "--yes"], 0)]);
    outside(&project);
    hunt(
        &project,
        &[
            (&["drift"], 2),
            (&["drift", "--json"], 2),
            (&["plan"], 0),
            (&["plan", "--json"], 0),
            (&["drift", "--accept", "queue", "--yes"], 1),
            (&["drift", "--accept", "role", "--yes", "--json"], 1),
            (&["refresh", "--yes", "--json"], 0),
            (&["plan"], 0),
            (&["plan", "--json"], 0),
            (&["apply", "--yes"], 0),
        ],
    );
    outside(&project);
    hunt(
        &project,
        &[
            (&["refresh", "--yes"], 0),
            (&["state", "rm", "queue", "--yes"], 0),
            (&["import", "queue", QUEUE, "--yes"], 0),
            (&["state", "rm", "queue", "role", "--yes", "--json"], 0),
            (
                &[
                    "import",
                    "--file",
                    "stacks/lists/one.yaml",
                    "--yes",
                    "--json",
                ],
                0,
            ),
            (&["plan"], 0),
            (&["plan", "--json"], 0),
            (&["apply", "--yes", "--json"], 0),
            (&["plan", "--detailed-exitcode"], 0),
        ],
    );
}

/// Every command that looks at the state, moves it and repairs it.
pub(super) fn repaired(passphrase: bool) {
    let mut project = project(passphrase);
    hunt(
        &project,
        &[
            (&["apply", "--yes"], 0),
            (&["apply", "--yes", "--var", "size=40"], 0),
            (&["state", "list"], 0),
            (&["state", "list", "--json"], 0),
        ],
    );
    let known = project.state();
    for address in known["resources"].as_object().unwrap().keys() {
        hunt(
            &project,
            &[
                (&["state", "show", address], 0),
                (&["state", "show", address, "--json"], 0),
            ],
        );
    }
    hunt(
        &project,
        &[
            (&["state", "history"], 0),
            (&["state", "history", "--json"], 0),
            (&["state", "pull"], 0),
            (&["state", "pull", "--json"], 0),
            (&["state", "pull", "--out", "pulled.json"], 0),
            (&["state", "mv", "queue", "queues", "--yes"], 0),
            (&["state", "mv", "queues", "queue", "--yes", "--json"], 0),
            (&["state", "rm", "note", "--yes"], 0),
            (&["state", "restore", "1", "--yes"], 0),
            (&["state", "restore", "2", "--yes", "--json"], 0),
            (&["state", "push", "pulled.json", "--yes", "--force"], 0),
            (&["state", "push", "pulled.json", "--yes", "--json"], 0),
            (&["state", "migrate", "--to", "moved.json", "--yes"], 0),
            (&["plan", "--state", "moved.json"], 0),
            (
                &[
                    "state",
                    "migrate",
                    "--state",
                    "moved.json",
                    "--to",
                    "local",
                    "--yes",
                    "--json",
                ],
                0,
            ),
            (&["plan", "--detailed-exitcode", "--var", "size=40"], 0),
        ],
    );
    // Another key, and none any more, as where it is lost.
    project.env("STACKCTL_STATE_NEW_PASSPHRASE", "qPass7 other");
    hunt(
        &project,
        &[(&["state", "rekey", "--new-passphrase", "--yes"], 0)],
    );
    project.env("STACKCTL_STATE_PASSPHRASE", "qPass7 wrong");
    hunt(&project, &[(&["plan"], 1), (&["plan", "--json"], 1)]);
    project.env("STACKCTL_STATE_PASSPHRASE", "qPass7 other");
    hunt(
        &project,
        &[
            (&["apply", "--yes"], 0),
            (&["outputs", "--json"], 0),
            (&["state", "rekey"], 0),
            (&["state", "rekey", "--no-encryption", "--yes", "--json"], 1),
            (
                &["state", "rekey", "--forget-secrets", "--yes", "--json"],
                0,
            ),
        ],
    );
    project.unset("STACKCTL_STATE_PASSPHRASE");
    hunt(
        &project,
        &[
            (&["plan"], 0),
            (&["state", "pull"], 0),
            (
                &["state", "rekey", "--new-passphrase", "--yes", "--json"],
                0,
            ),
        ],
    );
    // The state is lost, and found again.
    for json in [&[][..], &["--json"]] {
        std::fs::remove_dir_all(project.dir().join("state")).unwrap();
        std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap();
        hunt(&project, &[(&["plan"], 0)]);
        let rebuild = [&["state", "rebuild", "--yes"], json].concat();
        hunt(
            &project,
            &[(&rebuild, 0), (&["plan"], 0), (&["state", "list"], 0)],
        );
    }
}

/// The disk is full under way: what was done is told, and nothing else of it. Here a name
/// comes from a secret, which the state keeps; messages do not say it.
pub(super) fn told(passphrase: bool) {
    let named = "  named:\n    type: aws:cloudwatch:LogGroup\n    properties: {name: \"/named/${var.plain}\", tags: {Value: \"${var.plain}\"}}\n";
    let stack = STACK.replace("outputs:\n  plain", &format!("{named}outputs:\n  plain"));
    let (mut facts, mut last) = (0, String::new());
    for at in [2, 4, 6, 8, 12] {
        for args in [&["apply", "--yes"][..], &["apply", "--yes", "--json"]] {
            let mut project = project(passphrase);
            project.write("stacks/leaky.yaml", &stack);
            let full = json!([
                {"call": "store:written", "at": at, "times": 1000, "what": {"error": 507}},
                {"call": "store:saving", "times": 1000, "what": {"error": 507}},
            ]);
            project.env("STACKCTL_LOCAL_FAULTS", &full.to_string());
            let ended = run(&project, args);
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            let hunt = Hunt::new(&project);
            hunt.clean(ended.stdout.as_bytes(), "stdout");
            hunt.clean(ended.stderr.as_bytes(), "stderr");
            PLACES.fetch_add(hunt.places.load(Ordering::Relaxed), Ordering::Relaxed);
            last = format!("{}{}", ended.stdout, ended.stderr);
            let secret = "created named (aws:cloudwatch:LogGroup), id (secret)";
            facts += usize::from(last.contains(secret));
        }
    }
    assert!(facts >= 2, "only {facts} runs told of the group: {last}");
}
