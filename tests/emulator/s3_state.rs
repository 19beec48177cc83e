//! A state in S3 on moto: two processes at once, one that is killed, and one whose lease has
//! to run out. The calls go through the proxy, which says what moto lacks. The local cloud's
//! are in `tests/state/s3.rs`.

use super::clients;
use crate::state::SMALL;
use crate::support::Project;
use crate::support::moto::Moto;
use crate::support::proxy::{Proxy, Trouble};
use crate::support::tally::Tally;
use serde_json::Value;
use stackctl::resource::aws::Aws;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

const BUCKET: &str = "states";
const KEY: &str = "team/small.json";
const LOCK: &str = "team/small.json.lock";

/// The small stack with its state in a bucket on moto.
struct Stage {
    project: Project,
    proxy: Proxy,
    aws: Aws,
    _moto: Moto,
}

impl Stage {
    async fn new() -> Self {
        let moto = Moto::start();
        let proxy = Proxy::start(moto.port());
        let mut project = Project::new();
        let text = format!("name: small\nstate: \"s3://{BUCKET}/team/${{stack.name}}.json\"\n");
        project.write(
            "stacks/small.yaml",
            SMALL.replacen("name: small\n", &text, 1),
        );
        project.flags = vec!["--endpoint-url".to_owned(), proxy.url()];
        project
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        let aws = clients(&moto).await;
        let here = aws_sdk_s3::types::BucketLocationConstraint::UsWest2;
        let here =
            aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(here);
        let made = aws.s3().create_bucket().bucket(BUCKET);
        let made = made.create_bucket_configuration(here.build()).send().await;
        made.unwrap();
        Self {
            project,
            proxy,
            aws,
            _moto: moto,
        }
    }

    fn spawn(&self, args: &[&str]) -> Child {
        let mut command = self.project.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs the same command in two processes at once.
    fn twice(&self, args: &[&str]) -> [Output; 2] {
        let both = [self.spawn(args), self.spawn(args)];
        both.map(|child| child.wait_with_output().unwrap())
    }

    /// An object as JSON; none where there is none.
    async fn object(&self, key: &str) -> Option<Value> {
        let object = self.aws.s3().get_object().bucket(BUCKET).key(key).send();
        let body = object.await.ok()?.body.collect().await.unwrap();
        Some(serde_json::from_slice(&body.into_bytes()).unwrap())
    }

    async fn serial(&self) -> u64 {
        self.object(KEY).await.unwrap()["serial"].as_u64().unwrap()
    }

    /// Has whoever holds the lock be of another machine, of which no process is known here:
    /// only time tells whether it lives. False: nobody holds it.
    async fn carry_off(&self) -> bool {
        let Some(mut holder) = self.object(LOCK).await else {
            return false;
        };
        if holder["id"].is_null() {
            return false;
        }
        holder["pids_of"] = "another boot".into();
        let body = holder.to_string().into_bytes();
        let put = self.aws.s3().put_object().bucket(BUCKET).key(LOCK);
        put.body(body.into()).send().await.unwrap();
        true
    }

    /// How many queues and log groups there are on moto.
    async fn made(&self) -> (usize, usize) {
        let queues = self.aws.sqs().list_queues().send().await.unwrap();
        let groups = self.aws.logs().describe_log_groups().send().await.unwrap();
        (
            queues.queue_urls.unwrap_or_default().len(),
            groups.log_groups.unwrap_or_default().len(),
        )
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Without it, nothing below would show anything.
#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn moto_refuses_writes_whose_condition_does_not_hold() {
    let stage = Stage::new().await;
    let put = || stage.aws.s3().put_object().bucket(BUCKET).key("a");
    let first = put().if_none_match("*").send().await.unwrap();
    let refused = put().if_none_match("*").send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 412);
    let etag = first.e_tag.unwrap();
    let other = put().if_match(&etag).body(b"b".to_vec().into());
    other.send().await.unwrap();
    let refused = put().if_match(&etag).send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 412);
    let gone = stage.aws.s3().put_object().bucket(BUCKET).key("none");
    let refused = gone.if_match(&etag).send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 404);
}

#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn of_two_processes_one_wins_and_the_other_says_who_or_waits() {
    let stage = Stage::new().await;
    stage.proxy.slow(Duration::from_millis(60));
    let tally = Tally::new("races for a state in a bucket", "held");
    for (round, size) in (31..35).enumerate() {
        let size = format!("size={size}");
        let mut args = vec!["apply", "--yes", "--var", &size];
        let waits = round % 2 == 1;
        if waits {
            args.extend(["--lock-timeout", "2m"]);
        }
        tally.offered(&size);
        let mut both = stage.twice(&args);
        both.sort_by_key(|output| output.status.code());
        let codes = both.each_ref().map(|output| output.status.code());
        let texts = both.each_ref().map(told);
        tally.struck(&size);
        if waits {
            assert_eq!(codes, [Some(0), Some(0)], "{texts:?}");
            let waiting = "Waiting for the lock of s3://states/team/small.json: apply of small";
            let waited: Vec<bool> = texts.iter().map(|text| text.contains(waiting)).collect();
            assert_eq!(waited.iter().filter(|it| **it).count(), 1, "{texts:?}");
            for (output, waited) in both.iter().zip(waited) {
                let shown = String::from_utf8_lossy(&output.stdout);
                assert_eq!(shown.contains("No changes."), waited, "{shown}");
            }
        } else {
            assert_eq!(codes, [Some(0), Some(4)], "{texts:?}");
            let holder = "is locked by another run (apply of small, process ";
            assert!(texts[1].contains(holder), "{}", texts[1]);
        }
        assert_eq!(stage.serial().await, round as u64 + 1, "one of them saved");
        assert_eq!(stage.made().await, (1, 1), "nothing was made twice");
        tally.held(&size);
    }
    stage.proxy.slow(Duration::ZERO);
    stage
        .project
        .run(&["plan", "--detailed-exitcode", "--var", "size=34"])
        .expect(0);
    tally.end(4);
}

#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn a_lease_of_another_machine_is_taken_over_when_it_has_run_out() {
    let mut stage = Stage::new().await;
    stage.project.env("STACKCTL_LEASE_SECONDS", "3");
    // Past the lock and the reads: its first steps are in the journal.
    stage.proxy.expect(12, Trouble::KillInFlight);
    let child = stage.spawn(&["apply", "--yes"]);
    let pid = child.id();
    stage.proxy.aim(pid);
    let killed = child.wait_with_output().unwrap();
    assert!(stage.proxy.struck() && killed.status.code().is_none());
    assert!(stage.carry_off().await, "it had the lock");
    assert!(stage.object(KEY).await.is_none(), "it had not saved");
    let begun = Instant::now();
    let ended = stage.project.run(&["apply", "--yes"]).expect(0);
    assert!(begun.elapsed() >= Duration::from_secs(3), "never before");
    let who = format!(
        "Waiting for the lock of s3://states/team/small.json: apply of small, process {pid} on "
    );
    assert!(ended.stderr.contains(&who), "{}", ended.stderr);
    stage.project.expect_no_changes();
    assert_eq!(stage.made().await, (1, 1));
}

#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn a_state_moves_out_of_a_bucket_and_back() {
    let stage = Stage::new().await;
    let place = format!("s3://{BUCKET}/{KEY}");
    stage.project.apply();
    let pulled = stage.project.run(&["state", "pull"]).expect(0);
    let moved = stage
        .project
        .run(&["state", "migrate", "--to", "local", "--yes"])
        .expect(0);
    assert!(moved.stderr.contains("says so"), "{}", moved.stderr);
    let mark = stage.object(KEY).await.unwrap();
    assert_eq!(mark["moved"]["to"], "state/small.json");
    let refused = stage.project.run(&["apply", "--yes"]).expect(1);
    assert!(
        refused.stderr.contains("it was moved to"),
        "{}",
        refused.stderr
    );
    let here = ["--state", "state/small.json"];
    let run = |args: &[&str]| stage.project.run(&[args, &here[..]].concat());
    run(&["plan", "--detailed-exitcode"]).expect(0);
    run(&["apply", "--yes", "--var", "size=31"]).expect(0);
    run(&["state", "migrate", "--to", &place, "--yes"]).expect(0);
    assert_eq!(stage.serial().await, 2);
    let history = stage.project.run(&["state", "history", "--json"]);
    assert_eq!(history.expect(0).json().as_array().unwrap().len(), 2);
    stage.project.write("old.json", &pulled.stdout);
    let older = stage
        .project
        .run(&["state", "push", "old.json", "--yes"])
        .expect(1);
    assert!(
        older.stderr.contains("serial 2 was saved there"),
        "{}",
        older.stderr
    );
    stage
        .project
        .run(&["state", "push", "old.json", "--yes", "--force"])
        .expect(0);
    assert_eq!(stage.serial().await, 3);
    stage.project.apply();
    stage.project.expect_no_changes();
    assert_eq!(stage.made().await, (1, 1));
}

/// Kills an apply and a destroy at each of their calls, those of the state among them. Every
/// other killed run is taken for one of another machine.
#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn killed_at_any_call_the_next_run_takes_over_and_converges() {
    let mut stage = Stage::new().await;
    stage.project.env("STACKCTL_LEASE_SECONDS", "1");
    stage.project.apply();
    stage.project.run(&["destroy", "--yes"]).expect(0);
    let mut calls = [0, 0];
    for (command, calls) in ["apply", "destroy"].iter().zip(&mut calls) {
        stage.proxy.expect(0, Trouble::Reset);
        stage.project.run(&[command, "--yes"]).expect(0);
        *calls = stage.proxy.seen();
    }
    let kinds = [
        Trouble::KillBefore,
        Trouble::KillInFlight,
        Trouble::KillAfter,
    ];
    let tally = Tally::new("kills with the state in a bucket", "converged");
    let mut expired = 0;
    for at in 1..=calls[0].max(calls[1]) {
        for (command, calls) in [("apply", calls[0]), ("destroy", calls[1])] {
            let trouble = kinds[at % kinds.len()];
            let case = format!("{command}, {trouble:?} at call {at} of {calls}");
            stage
                .proxy
                .expect(if at <= calls { at } else { 0 }, trouble);
            let child = stage.spawn(&[command, "--yes"]);
            stage.proxy.aim(child.id());
            let output = child.wait_with_output().unwrap();
            let struck = stage.proxy.struck();
            // A slow run renews its lease more often: a quicker one may have no such call.
            if struck || (at <= calls && stage.proxy.seen() >= at) {
                tally.offered(&case);
            }
            if struck {
                tally.struck(&case);
                assert_eq!(output.status.code(), None, "{case}: {}", told(&output));
                expired += usize::from(at % 2 == 0 && stage.carry_off().await);
            } else {
                assert_eq!(output.status.code(), Some(0), "{case}: {}", told(&output));
            }
            stage.proxy.expect(0, trouble);
            let again = stage.project.run(&[command, "--yes"]);
            assert_eq!(again.code, Some(0), "{case}, again:\n{}", again.stderr);
            if command == "apply" {
                assert_eq!(stage.made().await, (1, 1), "{case}");
                stage.project.expect_no_changes();
            } else {
                assert_eq!(stage.made().await, (0, 0), "{case}");
            }
            if struck {
                tally.held(&case);
            }
        }
    }
    assert!(expired >= 8, "only {expired} leases ran out");
    tally.end(30);
}
