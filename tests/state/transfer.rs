//! A state that goes to another place, and files that come from elsewhere.

use super::{SMALL, STATE, small};
use crate::support::tally::Tally;
use crate::support::{Project, census, in_parallel};
use serde_json::{Value, json};

const BUCKET: &str = r#"
name: states
providers: {aws: {region: us-west-2}}
resources:
  bucket:
    type: aws:s3:Bucket
    properties: {bucket: states, forceDestroy: true}
"#;

const CLOUD: &str = "s3://states/team/small.json";

/// The small stack, saved three times in `state/`, and a bucket that has room for its state.
fn saved() -> Project {
    let project = small();
    project.write("bucket/states.yaml", BUCKET);
    project
        .run(&["apply", "bucket/states.yaml", "--yes"])
        .expect(0);
    for size in [30, 31, 32] {
        let size = format!("size={size}");
        project
            .run(&["apply", "small", "--yes", "--var", &size])
            .expect(0);
    }
    project
}

/// What `state list` tells of a place: the addresses, or why it refuses.
fn list(project: &Project, place: &str) -> Result<Vec<String>, String> {
    let ended = project.run(&["state", "list", "--json", "--state", place]);
    match ended.code {
        Some(0) => {
            let list = ended.json();
            let rows = list.as_array().unwrap().iter();
            Ok(rows
                .map(|row| row["address"].as_str().unwrap().to_owned())
                .collect())
        }
        _ => Err(ended.json()["message"].as_str().unwrap().to_owned()),
    }
}

fn serials(project: &Project, place: &str) -> Vec<u64> {
    let history = project.run(&["state", "history", "--json", "--state", place]);
    let history = history.expect(0).json();
    let versions = history.as_array().unwrap().iter();
    versions.map(|it| it["serial"].as_u64().unwrap()).collect()
}

fn migrate<'a>(from: &'a str, to: &'a str) -> [&'a str; 7] {
    ["state", "migrate", "--yes", "--state", from, "--to", to]
}

/// The state is in one of the places whole, and nobody is led to go on in the wrong one.
fn nothing_is_lost(project: &Project, (from, to): (&str, &str), case: &str) {
    let all = ["log", "password", "queue"].map(str::to_owned).to_vec();
    let (old, new) = (list(project, from), list(project, to));
    match &old {
        Ok(found) => assert_eq!(*found, all, "{case}"),
        Err(why) => {
            assert!(
                why.contains(&format!("it was moved to {to}")),
                "{case}: {why}"
            );
            assert_eq!(new, Ok(all.clone()), "{case}");
        }
    }
    match &new {
        Ok(found) => assert!(found.is_empty() || *found == all, "{case}: {found:?}"),
        // Versions are there already, or it says that the state is in the old place.
        Err(why) => assert!(
            why.contains("it is missing") || why.contains(&format!("it was moved to {from}")),
            "{case}: {why}"
        ),
    }
}

fn has_moved(project: &Project, (from, to): (&str, &str), case: &str) {
    nothing_is_lost(project, (from, to), case);
    assert!(list(project, from).is_err(), "{case}");
    assert_eq!(serials(project, to), [1, 2, 3], "{case}");
    let refused = project.run(&["apply", "--yes", "--state", from]).expect(1);
    assert!(refused.stderr.contains("it was moved to"), "{case}");
    let plan = ["plan", "--detailed-exitcode", "--var", "size=32"];
    project
        .run(&[&plan[..], &["--state", to]].concat())
        .expect(0);
}

/// Kills a move at every moment and call that a rule matches, until it is not hit any more.
fn killed(whole: &Project, places: (&str, &str), call: &str, tally: &Tally) -> usize {
    let before = census(whole);
    let case = |at: usize| {
        let mut project = whole.fork();
        let what = ["killBefore", "killAfter"][at % 2];
        let name = format!("{places:?}: {call} {at}, {what}");
        let fault = json!([{"call": call, "at": at, "what": what}]);
        project.env("STACKCTL_LOCAL_FAULTS", &fault.to_string());
        let ended = project.run(&migrate(places.0, places.1));
        project.unset("STACKCTL_LOCAL_FAULTS");
        if ended.code == Some(0) {
            return false;
        }
        tally.offered(&name);
        assert_eq!(ended.code, None, "{name}: {}", ended.stderr);
        tally.struck(&name);
        nothing_is_lost(&project, places, &name);
        project.run(&migrate(places.0, places.1)).expect(0);
        has_moved(&project, places, &name);
        let mut after = census(&project);
        after.retain(|kind, _| !kind.starts_with("s3 "));
        assert!(
            after.iter().all(|(kind, count)| before[kind] == *count),
            "{name}"
        );
        tally.held(&name);
        true
    };
    (1..).take_while(|at| case(*at)).count()
}

#[test]
fn killed_at_any_moment_a_move_is_completed_by_the_next_one() {
    let local = saved();
    let cloud = local.fork();
    cloud.run(&migrate(STATE, CLOUD)).expect(0);
    has_moved(&cloud, (STATE, CLOUD), "whole");
    let elsewhere = "elsewhere/small.json";
    let tally = Tally::new("kills of a state that moves", "converged");
    let cases = vec![
        (&local, (STATE, CLOUD), "store:*", 12),
        (&local, (STATE, CLOUD), "s3:*", 15),
        (&cloud, (CLOUD, STATE), "store:*", 6),
        (&cloud, (CLOUD, STATE), "s3:*", 8),
        (&cloud, (CLOUD, elsewhere), "store:*", 12),
        (&local, (STATE, elsewhere), "store:*", 12),
    ];
    in_parallel(cases, |(project, places, call, least)| {
        let killed = killed(project, places, call, &tally);
        assert!(killed >= least, "only {killed} kills: {places:?}, {call}");
    });
    tally.end(65);
}

#[test]
fn a_state_that_went_on_is_moved_again_and_comes_back() {
    let project = saved();
    project.run(&migrate(STATE, CLOUD)).expect(0);
    project
        .run(&["apply", "--yes", "--var", "size=33", "--state", CLOUD])
        .expect(0);
    // Whoever only has the old place finds the way, and does not push over it.
    project
        .run(&["state", "pull", "--state", CLOUD, "--out", "copy.json"])
        .expect(0);
    let refused = project
        .run(&["state", "push", "copy.json", "--yes"])
        .expect(1);
    assert!(
        refused.stderr.contains(&format!("add `--state {CLOUD}`")),
        "{}",
        refused.stderr
    );
    let back = project.run(&migrate(CLOUD, "local")).expect(0);
    assert!(
        back.stderr.contains("It was moved away from there before"),
        "{}",
        back.stderr
    );
    assert_eq!(serials(&project, STATE), [1, 2, 3, 4]);
    assert_eq!(project.read(STATE), project.read("copy.json"));
    let plan = ["plan", "--detailed-exitcode", "--var", "size=33"];
    project.run(&plan).expect(0);
    let line = "name: small\nstate: \"s3://states/team/small.json\"\n";
    project.write(
        "stacks/small.yaml",
        SMALL.replacen("name: small\n", line, 1),
    );
    let moved = project.run(&plan).expect(1);
    assert!(
        moved.stderr.contains(&format!("it was moved to {STATE}")),
        "{}",
        moved.stderr
    );
}

#[test]
fn a_move_over_a_state_of_its_own_is_refused() {
    let project = saved();
    let other = project.fork();
    other.run(&["destroy", "--yes"]).expect(0);
    std::fs::remove_file(other.dir().join(STATE)).unwrap();
    std::fs::remove_dir_all(other.dir().join(".stackctl/history/small")).unwrap();
    for _ in 0..2 {
        other.apply();
        other.run(&["destroy", "--yes"]).expect(0);
    }
    project.write("other.json", other.read(STATE));
    let kept = project.read(STATE);
    let refused = |args: &[&str], why: &str| {
        let ended = project.run(args).expect(1);
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("Nothing was changed"),
            "{}",
            ended.stderr
        );
        assert_eq!(project.read(STATE), kept);
    };
    let args = migrate(STATE, "other.json");
    refused(&args, "a state of another lineage exists there");
    // The same one, newer: the first project went on in a copy.
    project.write("newer.json", &kept);
    let mv = [
        "state",
        "mv",
        "log",
        "logs",
        "--yes",
        "--state",
        "newer.json",
    ];
    project.run(&mv).expect(0);
    let args = migrate(STATE, "newer.json");
    refused(&args, "serial 4 was saved there, and this one has serial 3");
    // Another stack's, with force.
    let args = migrate(STATE, "state/states.json");
    refused(
        &[&args[..], &["--force"]].concat(),
        "it is the place of the stack \"states\"",
    );
    // An older one of the same lineage makes way, and is kept.
    project.write("older.json", &kept);
    let mv = ["state", "mv", "log", "logs", "--yes"];
    project.run(&mv).expect(0);
    let moved = project.run(&migrate(STATE, "older.json")).expect(0);
    assert!(
        moved
            .stderr
            .contains("There is serial 3 of the same lineage"),
        "{}",
        moved.stderr
    );
    // And with force also another one.
    let forced = [&migrate("older.json", "other.json")[..], &["--force"]].concat();
    let moved = project.run(&forced).expect(0);
    assert!(moved.stderr.contains("another lineage"), "{}", moved.stderr);
    assert_eq!(
        list(&project, "other.json").unwrap(),
        ["logs", "password", "queue"]
    );
    assert_eq!(serials(&project, "other.json"), [1, 2, 3, 4, 4, 5]);
}

#[test]
fn a_move_settles_nothing() {
    let mut project = saved();
    let fault = json!([{"call": "sqs:*", "at": 2, "what": "killBefore"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &fault.to_string());
    let ended = project.run(&["apply", "--yes", "--var", "size=40"]);
    assert_eq!(ended.code, None, "{}", ended.stderr);
    project.unset("STACKCTL_LOCAL_FAULTS");
    let refused = project.run(&migrate(STATE, CLOUD)).expect(1);
    assert!(
        refused
            .stderr
            .contains("an interrupted run has left its journal"),
        "{}",
        refused.stderr
    );
    let pulled = project.run(&["state", "pull"]).expect(0);
    assert!(
        pulled.stderr.contains("what it did is in its journal"),
        "{}",
        pulled.stderr
    );
    assert_eq!(pulled.json()["serial"], 3);
    project.write("copy.json", project.read(STATE));
    let pushed = project
        .run(&["state", "push", "copy.json", "--yes", "--force"])
        .expect(1);
    assert!(
        pushed.stderr.contains("left its journal"),
        "{}",
        pushed.stderr
    );
    project
        .run(&["apply", "--yes", "--var", "size=32"])
        .expect(0);
    project.run(&migrate(STATE, CLOUD)).expect(0);
}

/// Whatever is wrong with a file, it is not pushed.
#[test]
fn only_a_file_that_fits_is_pushed() {
    let project = saved();
    let older = project.read(STATE);
    project
        .run(&["apply", "--yes", "--var", "size=33"])
        .expect(0);
    let kept = project.read(STATE);
    let other = project.fork();
    other
        .run(&["state", "mv", "log", "logs", "--yes"])
        .expect(0);
    let newer = other.read(STATE);
    let restored = |from: &str, to: &str| {
        // With a checksum that fits: what a person has edited on purpose.
        let project = other.fork();
        project.write("edited.json", newer.replace(from, to));
        project
            .run(&["state", "restore", "edited.json", "--yes"])
            .expect(0);
        project.read(STATE)
    };
    let account = restored(
        "\"account\": \"000000000000\"",
        "\"account\": \"123456789012\"",
    );
    let lineage = {
        let value: Value = serde_json::from_str(&newer).unwrap();
        restored(value["lineage"].as_str().unwrap(), &"f".repeat(32))
    };
    let edited = newer.replace("\"serial\": 5", "\"serial\": 9");
    let cases = [
        (
            "edited",
            edited.as_str(),
            "its checksum does not fit its content",
        ),
        ("cut off", &newer[..newer.len() / 2], "it is cut off"),
        ("empty", "", "it is empty"),
        (
            "older",
            &older,
            "serial 4 was saved there, and this one has serial 3",
        ),
        (
            "another account",
            &account,
            "is of account 000000000000, and this one of account 123456789012",
        ),
        (
            "another lineage",
            &lineage,
            "a state of another lineage exists there",
        ),
    ];
    let (tried, mut detected) = (cases.len() + 1, 0);
    for (name, text, why) in cases {
        project.write("file.json", text);
        let ended = project
            .run(&["state", "push", "file.json", "--yes"])
            .expect(1);
        assert!(ended.stderr.contains(why), "{name}: {}", ended.stderr);
        assert_eq!(project.read(STATE), kept, "{name}");
        detected += 1;
    }
    project.write("stacks/small.dev.yaml", "{}");
    project.write("file.json", &newer);
    let args = [
        "state",
        "push",
        "file.json",
        "--env",
        "dev",
        "--yes",
        "--force",
    ];
    let ended = project.run(&args).expect(1);
    assert!(
        ended.stderr.contains("a state of the stack \"small\""),
        "{}",
        ended.stderr
    );
    detected += 1;
    println!("tamperings: {tried} tried, {detected} detected");
    let push = ["state", "push", "file.json", "--yes"];
    project.write("file.json", &kept);
    let same = project.run(&push).expect(0);
    assert!(same.stderr.starts_with("Nothing to do"), "{}", same.stderr);
    project.write("file.json", &newer);
    let ended = project.run(&push).expect(0);
    assert!(
        ended.stderr.contains("- log (aws:cloudwatch:LogGroup)"),
        "{}",
        ended.stderr
    );
    assert_eq!(project.read(STATE), newer);
    // A state that is lost comes back from a copy.
    std::fs::remove_file(project.dir().join(STATE)).unwrap();
    project.run(&push).expect(0);
    assert_eq!(project.read(STATE), newer);
    project.write("file.json", &lineage);
    project.run(&[&push[..], &["--force"]].concat()).expect(0);
    assert_eq!(serials(&project, STATE), [1, 2, 3, 4, 5, 6]);
}

/// Secrets are opened with the same key in the new place, and the files are their owner's.
#[cfg(unix)]
#[test]
fn what_is_moved_is_sealed_and_private() {
    use std::os::unix::fs::PermissionsExt;
    let mut project = small();
    project.env("STACKCTL_STATE_PASSPHRASE", "correct horse battery");
    let text = SMALL.replace("outputs:\n", "outputs:\n  secret: ${password.result}\n");
    project.write("stacks/small.yaml", text);
    project.write("bucket/states.yaml", BUCKET);
    project
        .run(&["apply", "bucket/states.yaml", "--yes"])
        .expect(0);
    project.run(&["apply", "small", "--yes"]).expect(0);
    let secret = |state: &str| {
        let args = [
            "outputs",
            "--raw",
            "secret",
            "--show-secrets",
            "--state",
            state,
        ];
        project.run(&args).expect(0).stdout
    };
    let known = secret(STATE);
    assert_eq!(known.len(), 12);
    project.run(&migrate(STATE, CLOUD)).expect(0);
    assert_eq!(secret(CLOUD), known);
    let pulled = project.run(&["state", "pull", "--state", CLOUD]).expect(0);
    assert!(pulled.stdout.contains("$age") && !pulled.stdout.contains(&known));
    project.run(&migrate(CLOUD, "local")).expect(0);
    assert_eq!(secret(STATE), known);
    project
        .run(&["state", "pull", "--out", "copy.json"])
        .expect(0);
    let history = std::fs::read_dir(project.dir().join(".stackctl/history/small")).unwrap();
    let mut paths: Vec<_> = history.map(|entry| entry.unwrap().path()).collect();
    assert!(!paths.is_empty());
    paths.extend([STATE, "copy.json"].map(|path| project.dir().join(path)));
    for path in paths {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path:?}");
    }
}
