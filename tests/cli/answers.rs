//! A no at the question of each command that changes the state: it is told, and nothing changes.

use super::drift::set_timeout;
use super::signals::{end, on_terminal, shows};
use super::small;
use std::io::Write;
use std::time::Instant;

const COMMANDS: &[(&[&str], &str)] = &[
    (&["refresh"], "Take these live values into the state?"),
    (
        &["import", "log", "/app/orders"],
        "Import these resources into the state?",
    ),
    (&["state", "rebuild"], "Save this as the state?"),
    (&["state", "mv", "queue", "queues"], "Move it in the state?"),
    (&["state", "rm", "queue"], "Forget them?"),
    (
        &["state", "restore", "1"],
        "Save this as the newest version?",
    ),
    (
        &["state", "migrate", "--to", "moved.json"],
        "Move the state?",
    ),
    (
        &["state", "rekey", "--forget-secrets"],
        "Give up the secrets in the state?",
    ),
];

#[tokio::test]
async fn a_no_changes_nothing() {
    let project = small();
    project.apply();
    project.run(&["state", "rm", "log", "--yes"]).expect(0);
    set_timeout(&project, "45").await;
    let (state, cloud) = (project.read("state/small.json"), project.cloud());
    for (args, question) in COMMANDS {
        let mut child = on_terminal(&project, args);
        let mut seen = shows(&mut child, " Only \"yes\" is accepted: ");
        assert!(seen.contains(question), "{args:?}: {seen}");
        child.stdin.as_mut().unwrap().write_all(b"no\n").unwrap();
        let (code, rest, ..) = end(child, Instant::now());
        seen.push_str(&rest);
        assert_eq!(code, Some(1), "{args:?}: {seen}");
        assert!(
            rest.trim_end()
                .ends_with("\nCancelled. No changes were made."),
            "{args:?}: {seen}"
        );
        assert_eq!(project.read("state/small.json"), state, "{args:?}");
        assert_eq!(project.cloud(), cloud, "{args:?}");
        assert!(!project.dir().join("moved.json").exists(), "{args:?}");
    }
}
