//! The commands that look at a state and repair it.

use super::{STATE, saved};
use crate::support::actions;
use serde_json::json;

#[test]
fn list_and_show_tell_what_is_known_without_secrets() {
    let project = saved(&[30]);
    let list = project.run(&["state", "list"]).expect(0);
    insta::assert_snapshot!(list.stdout, @"
    ADDRESS   TYPE                     ID
    log       aws:cloudwatch:LogGroup  /app/orders
    password  random:RandomPassword    none
    queue     aws:sqs:Queue            https://sqs.us-west-2.amazonaws.com/000000000000/orders
    ");
    let show = project.run(&["state", "show", "password"]).expect(0);
    assert!(show.stdout.contains("result: (secret)"), "{}", show.stdout);
    let json = project
        .run(&["state", "show", "small", "log", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        json["inputs"],
        json!({"name": "/app/orders", "retentionInDays": 7})
    );
    let unknown = project.run(&["state", "show", "queu"]).expect(1);
    assert!(
        unknown.stderr.contains("Did you mean queue?"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn mv_and_rm_change_what_is_known_and_nothing_else() {
    let project = saved(&[30]);
    let cloud = project.cloud();
    let refused = project
        .run(&["state", "mv", "log", "queue", "--yes"])
        .expect(1);
    assert!(
        refused.stderr.contains("has a resource \"queue\" already"),
        "{}",
        refused.stderr
    );
    project
        .run(&["state", "mv", "log", "a b", "--yes"])
        .expect(1);
    let unasked = project.run(&["state", "mv", "log", "logs"]).expect(1);
    assert!(unasked.stderr.contains("log -> logs"), "{}", unasked.stderr);
    assert_eq!(project.state()["serial"], 1);
    project
        .run(&["state", "mv", "log", "logs", "--yes"])
        .expect(0);
    let renamed = super::SMALL.replace("  log:\n", "  logs:\n");
    project.write("stacks/small.yaml", renamed);
    project.expect_no_changes();
    let forgotten = project.run(&["state", "rm", "logs", "--yes"]).expect(0);
    assert!(
        forgotten.stderr.contains("still in AWS"),
        "{}",
        forgotten.stderr
    );
    assert_eq!(project.cloud(), cloud);
    let plan = project.plan();
    assert_eq!(
        actions(&plan),
        [("logs".to_owned(), vec!["create".to_owned()])]
    );
    assert_eq!(project.state()["serial"], 3);
}

#[test]
fn history_and_restore_never_rewind() {
    let project = saved(&[30, 31, 32]);
    let history = project
        .run(&["state", "history", "--json"])
        .expect(0)
        .json();
    let counts: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["serial"], it["added"], it["changed"], it["gone"]]))
        .collect();
    assert_eq!(
        counts,
        [
            json!([1, 3, 0, 0]),
            json!([2, 0, 1, 0]),
            json!([3, 0, 1, 0])
        ]
    );
    project.run(&["state", "restore", "9", "--yes"]).expect(1);
    project.run(&["state", "restore", "1", "--yes"]).expect(0);
    assert_eq!(project.state()["serial"], 4);
    // The file says 30 again, AWS still 32.
    let plan = project.plan();
    assert_eq!(
        actions(&plan),
        [("queue".to_owned(), vec!["update".to_owned()])]
    );
    let other = saved(&[1]);
    other.write(
        "stacks/small.yaml",
        super::SMALL.replace("name: small", "name: other"),
    );
    other.write("theirs.json", project.read(STATE));
    let refused = other
        .run(&["state", "restore", "theirs.json", "--yes"])
        .expect(1);
    assert!(
        refused.stderr.contains("a state of the stack \"small\""),
        "{}",
        refused.stderr
    );
}

/// A run that was cut off is not forgotten when its state is lost.
#[test]
fn what_a_cut_off_run_did_is_restored_with_the_state() {
    let mut project = saved(&[30]);
    let more = format!(
        "{}\n",
        super::SMALL.replace(
            "outputs:",
            "  more:\n    type: aws:sqs:Queue\n    properties: {name: more}\noutputs:"
        )
    );
    project.write("stacks/small.yaml", more);
    let kill = r#"[{"call": "sqs:CreateQueue", "at": 1, "what": "killAfter"}]"#;
    project.env("STACKCTL_LOCAL_FAULTS", kill);
    assert_eq!(project.run(&["apply", "--yes"]).code, None);
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    std::fs::remove_file(project.dir().join(STATE)).unwrap();
    project.run(&["apply", "--yes"]).expect(1);
    project.run(&["state", "restore", "1", "--yes"]).expect(0);
    project.apply();
    project.expect_no_changes();
    assert_eq!(project.cloud().len(), 3, "nothing was made twice");
}

/// What is no state is put aside when a version comes back, but a link to it is not followed: the file
/// is somebody's.
#[cfg(unix)]
#[test]
fn a_link_to_what_is_no_state_is_left_alone() {
    let project = saved(&[30]);
    let path = project.dir().join(STATE);
    std::fs::remove_file(&path).unwrap();
    project.write("notes.txt", "my notes\n");
    std::os::unix::fs::symlink("../notes.txt", &path).unwrap();
    let restore = ["state", "restore", "1", "--yes"];
    let told = project.run(&restore).expect(1).stderr;
    let end = "error: The state state/small.json cannot be used: it is a link to a file that is no \
               state.\n  now: Nothing was changed.\n  next: Remove the link, then run the command \
               again.\n";
    assert!(told.ends_with(end), "{told}");
    assert!(path.is_symlink());
    assert_eq!(project.read("notes.txt"), "my notes\n");
    assert!(!project.dir().join("state/small.json.unusable").exists());
    std::fs::remove_file(&path).unwrap();
    project.run(&restore).expect(0);
    project.expect_no_changes();
}
