//! A run whose state cannot be saved in the end: it is in a file, and comes back.

use super::s3::in_s3;
use crate::support::Project;
use serde_json::json;

/// The command that a text names.
fn command(text: &str) -> Vec<String> {
    let (_, rest) = text.split_once("run `stackctl state push").unwrap();
    let (rest, _) = rest.split_once('`').unwrap();
    let words = format!("state push{rest} --yes");
    words
        .split(' ')
        .filter(|it| !it.is_empty() && *it != "--local")
        .map(str::to_owned)
        .collect()
}

fn made(project: &Project) -> usize {
    let entries = project.cloud();
    entries.iter().filter(|entry| entry.service != "s3").count()
}

/// The token expires before each of the writes of a run, in turn.
#[test]
fn a_state_that_cannot_be_saved_is_in_a_file_and_can_be_pushed() {
    let whole = in_s3();
    let mut kept = 0;
    for at in 1..40 {
        let mut project = whole.fork();
        let fault = json!([{"call": "s3:PutObject", "at": at, "times": 1000, "what": "expired"}]);
        project.env("STACKCTL_LOCAL_FAULTS", &fault.to_string());
        let ended = project.run(&["apply", "--yes"]);
        project.env("STACKCTL_LOCAL_FAULTS", "[]");
        if ended.code == Some(0) {
            break;
        }
        assert_eq!(ended.code, Some(1), "write {at}: {}", ended.stderr);
        let there = made(&project);
        let file = project.dir().join(".stackctl/unsaved/small.json");
        if there == 0 && !file.exists() {
            assert!(!ended.stderr.contains("state push"), "{}", ended.stderr);
            project.apply();
            project.expect_no_changes();
            continue;
        }
        kept += 1;
        assert!(ended.stderr.contains("sign in again"), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("The state in its place is as it was"),
            "{}",
            ended.stderr
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        // One goes on without the file: the journal tells what was started.
        let other = project.fork();
        std::fs::remove_dir_all(other.dir().join(".stackctl/unsaved")).unwrap();
        other.apply();
        other.expect_no_changes();
        assert_eq!(made(&other), 2, "write {at}");
        // The other one saves it.
        let words = command(&ended.stderr);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        project.run(&words).expect(0);
        assert_eq!(made(&project), there, "a push makes nothing");
        project.apply();
        project.expect_no_changes();
        assert_eq!(made(&project), 2, "write {at}");
    }
    assert!(
        kept > 0,
        "no write was the last one of a run that had done something"
    );
}

#[test]
fn a_token_that_expires_in_the_middle_is_told_once() {
    let mut project = Project::new();
    let mut file = "name: many\nproviders: {aws: {region: us-west-2}}\nresources:\n".to_owned();
    for at in 0..20 {
        file.push_str(&format!(
            "  q{at}: {{type: aws:sqs:Queue, properties: {{name: q{at}}}}}\n"
        ));
    }
    project.write("stacks/many.yaml", file);
    let fault = json!([{"call": "sqs:*", "at": 9, "times": 1000, "what": "expired"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &fault.to_string());
    let ended = project.run(&["apply", "--yes"]).expect(1);
    let (_, told) = ended.stderr.split_once("error:").unwrap();
    assert_eq!(told.matches("error:").count(), 0, "{}", ended.stderr);
    assert_eq!(told.matches("sign in again").count(), 1, "{told}");
    assert!(told.contains("the same for: q"), "{told}");
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    project.apply();
    project.expect_no_changes();
}

/// The state's store fails in the middle while a step fails, in a bucket and in a file: the run ends
/// with an error, and a plain apply comes to one of everything.
#[test]
fn the_store_fails_while_a_step_fails() {
    let (bucket, file) = (in_s3(), super::small());
    let (mut tried, mut struck) = (0, 0);
    for (whole, call, what) in [
        (&bucket, "s3:PutObject", json!("expired")),
        (&file, "store:writing", json!({"error": 507})),
    ] {
        for at in 1..=4 {
            for step in [
                json!({"call": "logs:CreateLogGroup", "what": "deny"}),
                json!({"call": "sqs:CreateQueue", "at": 1, "what": "lostReply"}),
            ] {
                tried += 1;
                let mut project = whole.fork();
                let store = json!({"call": call, "at": at, "times": 1000, "what": what});
                project.env("STACKCTL_LOCAL_FAULTS", &json!([store, step]).to_string());
                let ended = project.run(&["apply", "--yes"]);
                project.env("STACKCTL_LOCAL_FAULTS", "[]");
                struck += usize::from(ended.code == Some(1));
                assert!(ended.stderr.contains("error: "), "{}", ended.stderr);
                project.apply();
                assert_eq!(made(&project), 2, "{call} {at}, {step}");
                project.expect_no_changes();
            }
        }
    }
    println!("reliability: the store fails while a step fails {tried} tried {struck} converged");
    assert_eq!(tried, struck);
}

/// Each command that changes the state alone says that it could not, and leaves it as it was.
#[test]
fn no_command_hides_that_it_could_not_save() {
    let project = super::small();
    project.apply();
    project.write("other.json", project.read("state/small.json"));
    project.run(&["state", "rm", "log", "--yes"]).expect(0);
    let id = |text: &str| {
        let state: serde_json::Value = serde_json::from_str(text).unwrap();
        state["resources"]["log"]["id"].as_str().unwrap().to_owned()
    };
    let id = id(&project.read("other.json"));
    let commands: [&[&str]; 7] = [
        &["state", "mv", "queue", "queues", "--yes"],
        &["state", "rm", "queue", "--yes"],
        &["state", "restore", "1", "--yes"],
        &["state", "push", "other.json", "--yes", "--force"],
        &["state", "rebuild", "--yes"],
        &["import", "log", &id, "--yes"],
        &["apply", "--yes"],
    ];
    for command in commands {
        let mut project = project.fork();
        let before = project.read("state/small.json");
        let away = json!([{"call": "store:saving", "what": {"error": 507}}]);
        project.env("STACKCTL_LOCAL_FAULTS", &away.to_string());
        let ended = project.run(command).expect(1);
        assert!(
            ended.stderr.contains("no storage space"),
            "{command:?}: {}",
            ended.stderr
        );
        assert_eq!(project.read("state/small.json"), before, "{command:?}");
    }
}

/// A state that comes from where an interrupted run ended is pushed over its journal; any other one is
/// refused, whatever is forced.
#[test]
fn only_the_end_of_the_interrupted_run_is_pushed_over_its_journal() {
    let project = super::saved(&[30]);
    let other = project.fork();
    for size in ["size=31", "size=32"] {
        other.run(&["apply", "--yes", "--var", size]).expect(0);
        let serial = other.state()["serial"].as_u64().unwrap();
        project.write(&format!("{serial}.json"), other.read(super::STATE));
    }
    let lineage = project.state()["lineage"].as_str().unwrap().to_owned();
    let begun_from = |lineage: &str, serial: u64| {
        let run = json!({"run": {"lineage": lineage, "serial": serial}});
        project.write("state/small.journal", format!("{run}\n"));
    };
    let push = |file: &str| project.run(&["state", "push", file, "--yes", "--force"]);
    let refused = |file: &str| {
        let told = push(file).expect(1).stderr;
        let why = format!(
            "error: {file} cannot be pushed to state/small.json: an interrupted run has left its \
             journal there.\n"
        );
        assert!(told.starts_with(&why), "{told}");
        assert_eq!(project.state()["serial"], 1);
    };
    begun_from(&lineage, 1);
    refused("3.json");
    begun_from(&"1".repeat(32), 1);
    refused("2.json");
    begun_from(&lineage, 1);
    push("2.json").expect(0);
    assert_eq!(project.read(super::STATE), project.read("2.json"));
    assert!(!project.dir().join("state/small.journal").exists());
}
