//! Two runs at once, and holders that die.

use super::{STATE, saved, small};
use crate::support::Project;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const LOCK: &str = "state/small.json.lock";

/// An apply that has started its first step and takes its time.
fn slow_apply(project: &Project, latency: &str) -> (Child, impl BufRead + use<>) {
    let mut child = project
        .command(&["apply", "--yes"])
        .env("STACKCTL_LOCAL_LATENCY", latency)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("creating") {
        line.clear();
        assert_ne!(told.read_line(&mut line).unwrap(), 0, "it ended early");
    }
    (child, told)
}

/// The lock of a run on another machine, whose heart has stopped.
fn of_another_machine(lease: u64) -> String {
    json!({
        "id": "of-another-machine", "command": "apply of small", "host": "far-away", "pid": 1,
        "since": 1_795_441_289, "lease": lease, "beat": 3, "pids_of": "another boot", "started": 7,
    })
    .to_string()
}

#[test]
fn a_run_waits_for_another_one_and_says_for_whom() {
    let project = small();
    let (mut child, _told) = slow_apply(&project, "700");
    let ended = project
        .run(&["apply", "--yes", "--lock-timeout", "1m"])
        .expect(0);
    assert!(
        ended
            .stderr
            .starts_with("Waiting for the lock of state/small.json: apply of small, process "),
        "{}",
        ended.stderr
    );
    assert!(child.wait().unwrap().success());
    project.expect_no_changes();
    assert_eq!(project.cloud().len(), 2, "nothing was made twice");
}

#[test]
fn waiting_has_an_end() {
    let project = small();
    let (mut child, _told) = slow_apply(&project, "4000");
    let url = "https://sqs.us-west-2.amazonaws.com/000000000000/orders";
    for command in [
        &["apply", "--yes"][..],
        &["refresh", "--yes"],
        &["import", "queue", url, "--yes"],
    ] {
        let words = [command, &["--lock-timeout", "1s"]].concat();
        let ended = project.run(&words).expect(4);
        assert!(
            ended.stderr.contains("the lock was waited for 1 s"),
            "{}",
            ended.stderr
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = Instant::now();
    project.apply();
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "the dead are known at once"
    );
}

#[test]
fn a_lease_of_another_machine_is_honoured_until_it_expires() {
    let project = saved(&[30]);
    project.write(LOCK, of_another_machine(3));
    let begun = Instant::now();
    let ended = project
        .run(&["apply", "--yes", "--var", "size=31"])
        .expect(0);
    assert!(begun.elapsed() >= Duration::from_secs(3), "never before");
    assert!(
        ended.stderr.contains("on far-away, since 2026-11-23"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_lease_of_another_machine_that_beats_is_honoured() {
    let project = saved(&[30]);
    project.write(LOCK, of_another_machine(3));
    let path = project.dir().join(LOCK);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let beating = std::thread::spawn(move || {
        for beat in 4.. {
            std::thread::sleep(Duration::from_millis(500));
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            let mut lock: Value = serde_json::from_str(&of_another_machine(3)).unwrap();
            lock["beat"] = beat.into();
            std::fs::write(&path, lock.to_string()).unwrap();
        }
    });
    let ended = project
        .run(&["apply", "--yes", "--var", "size=31"])
        .expect(4);
    assert!(ended.stderr.contains("on far-away"), "{}", ended.stderr);
    let refused = project.run(&["state", "unlock", "--yes"]).expect(4);
    assert!(refused.stderr.contains("lives"), "{}", refused.stderr);
    stop.store(true, Ordering::Relaxed);
    beating.join().unwrap();
    let unlocked = project.run(&["state", "unlock", "--yes"]).expect(0);
    assert!(
        unlocked.stdout.contains("is not locked any more")
            || unlocked.stderr.contains("is not locked any more"),
        "{unlocked:?}"
    );
    project
        .run(&["apply", "--yes", "--var", "size=31"])
        .expect(0);
}

/// A clock that was wrong while the lock was written decides nothing.
#[test]
fn no_clock_is_compared() {
    let project = saved(&[30]);
    let ahead = of_another_machine(1).replace("1795441289", "9999999999");
    project.write(LOCK, ahead);
    project
        .run(&["apply", "--yes", "--var", "size=31"])
        .expect(0);
    project.run(&["state", "history"]).expect(0);
}

#[test]
fn a_holder_that_lost_its_lock_begins_nothing_more() {
    let project = small();
    // One at a time, so that steps are left to begin.
    let mut child = project
        .command(&["apply", "--yes", "--parallelism", "1"])
        .env("STACKCTL_LOCAL_LATENCY", "1500")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lock = project.dir().join("state/small.journal");
    while !lock.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    project.run(&["state", "unlock", "--yes"]).expect(4);
    project
        .run(&["state", "unlock", "--yes", "--force"])
        .expect(0);
    let output = child.wait_with_output_of_all();
    assert_eq!(output.0, Some(1), "{}", output.1);
    assert!(
        output
            .1
            .contains("has lost its hold on the state state/small.json: "),
        "{}",
        output.1
    );
    assert!(
        project.cloud().len() < 2,
        "a step was begun after the lock was lost"
    );
    project.apply();
    project.expect_no_changes();
    assert_eq!(project.cloud().len(), 2);
    assert!(!project.read(STATE).is_empty());
}

trait Ends {
    fn wait_with_output_of_all(&mut self) -> (Option<i32>, String);
}

impl Ends for Child {
    fn wait_with_output_of_all(&mut self) -> (Option<i32>, String) {
        use std::io::Read;
        let mut text = String::new();
        self.stderr
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        (self.wait().unwrap().code(), text)
    }
}
