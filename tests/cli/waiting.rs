//! Runs that meet another run: those that wait can be told to stop, those that only look do
//! not wait.

use super::signals::{LATENCY, end, finishes, hears, signal, start, until};
use super::small;
use crate::support::Project;
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The lock of a run of another machine that has just started.
fn of_another_machine() -> String {
    json!({
        "id": "of-another-machine", "command": "apply of small", "host": "far-away", "pid": 1,
        "since": 1_795_441_289, "lease": 3600, "beat": 3, "pids_of": "another boot", "started": 7,
    })
    .to_string()
}

/// All that is in the folder of the state.
fn files(project: &Project) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(project.dir().join("state")).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Whoever waits for another run's lock can be told to stop waiting: nothing is changed, and the
/// lock stays the other's.
#[test]
fn a_signal_while_waiting_for_a_lock_leaves_it_to_the_other() {
    let project = small();
    project.apply();
    project.write("state/small.json.lock", of_another_machine());
    let (before, cloud) = (files(&project), project.cloud());
    for (at, args) in [
        &["apply", "--yes", "--var", "size=31"][..],
        &["apply", "--yes", "--json", "--var", "size=31"],
        &["destroy", "--yes"],
        &["refresh", "--yes"],
        &["import", "queue", "x", "--yes"],
        &["state", "rm", "queue", "--yes"],
        &["state", "restore", "1", "--yes"],
        &["state", "migrate", "--to", "moved.json", "--yes"],
    ]
    .into_iter()
    .enumerate()
    {
        for (name, twice) in [(["INT", "TERM", "HUP"][at % 3], false), ("INT", true)] {
            let mut child = start(&project, &[args, &["--lock-timeout", "10m"]].concat());
            let mut told = BufReader::new(child.stderr.take().unwrap());
            let mut line = String::new();
            told.read_line(&mut line).unwrap();
            let waits =
                "Waiting for the lock of state/small.json: apply of small, process 1 on far-away";
            assert!(line.starts_with(waits), "{args:?}: {line}");
            until("signals are heard", || hears(child.id()));
            let since = Instant::now();
            signal(child.id(), name);
            if twice {
                signal(child.id(), "TERM");
            }
            let mut rest = String::new();
            told.read_to_string(&mut rest).unwrap();
            let (code, stdout, _, took) = end(child, since);
            assert_eq!(code, Some(130), "{name} {args:?}: {stdout}{rest}");
            assert!(took < Duration::from_secs(3), "{took:?}");
            assert_eq!(
                rest,
                "error: Interrupted.\n  now: No resource was changed.\n"
            );
            assert_eq!(files(&project), before, "{args:?}");
            assert_eq!(project.cloud(), cloud);
        }
    }
    // Of a run of this machine, which lives and goes on.
    let mut project = small();
    project.env(LATENCY, "1500");
    let other = start(&project, &["apply", "--yes"]);
    let journal = project.dir().join("state/small.journal");
    until("it begins", || journal.exists());
    let mut child = start(&project, &["apply", "--yes", "--lock-timeout", "10m"]);
    let mut told = BufReader::new(child.stderr.take().unwrap());
    told.read_line(&mut String::new()).unwrap();
    signal(child.id(), "INT");
    assert_eq!(end(child, Instant::now()).0, Some(130));
    let (code, stdout, stderr, _) = end(other, Instant::now());
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    finishes(&mut project);
}

/// Whoever only looks takes no lock and waits for none; the serial says what was looked at.
#[test]
fn who_only_looks_waits_for_nobody() {
    let project = small();
    project.apply();
    project
        .run(&["apply", "--yes", "--var", "size=31"])
        .expect(0);
    project.write("state/small.json.lock", of_another_machine());
    let before = files(&project);
    for args in [
        &["plan"][..],
        &["plan", "--json"],
        &["plan", "--destroy"],
        &["plan", "--out", "p.plan"],
        &["drift"],
        &["outputs"],
        &["state", "list"],
        &["state", "show", "queue"],
        &["state", "history"],
        &["state", "pull"],
    ] {
        let since = Instant::now();
        let ended = project.run(args).expect(0);
        assert!(since.elapsed() < Duration::from_secs(30), "{args:?}");
        assert!(!ended.stderr.contains("lock of"), "{}", ended.stderr);
        assert_eq!(files(&project), before, "{args:?}");
        if args == ["plan", "--json"] {
            assert_eq!(ended.json()["serial"], 2);
        }
        if args == ["plan"] {
            assert!(ended.stderr.contains("serial 2"), "{}", ended.stderr);
        }
    }
    // What is saved under a lock that was looked past, is applied under a lock.
    project
        .run(&["apply", "--plan", "p.plan", "--lock-timeout", "1s"])
        .expect(4);
}

/// A plan in the middle of a run shows what the run has left to do, and gets in nobody's way.
#[test]
fn a_plan_in_the_middle_of_a_run_gets_in_nobodys_way() {
    let mut project = small();
    project.env(LATENCY, "1000");
    let other = start(&project, &["apply", "--yes", "--parallelism", "1"]);
    let journal = project.dir().join("state/small.journal");
    let mut looked = 0;
    until("it begins", || journal.exists());
    project.unset(LATENCY);
    while journal.exists() {
        let plan = project.plan();
        let changes = plan["changes"].as_array().unwrap();
        let made = ["create", "no-op", "read", "update"];
        for change in changes {
            let actions = change["actions"].as_array().unwrap();
            assert!(
                actions
                    .iter()
                    .all(|action| made.contains(&action.as_str().unwrap())),
                "{change:#}"
            );
        }
        looked += 1;
    }
    assert!(looked > 1, "{looked} plans");
    let (code, stdout, stderr, _) = end(other, Instant::now());
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(!stderr.contains("hold on the state"), "{stderr}");
    finishes(&mut project);
}
