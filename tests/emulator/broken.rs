//! Kills and faults over HTTP, through a proxy in front of moto: as far as moto can show,
//! what holds over the local cloud holds over real connections.
//!
//! Each call meets the trouble of its turn; `STACKCTL_FAULTS=all` goes through every pair.

use super::{clients, nothing_is_left, project};
use crate::support::moto::Moto;
use crate::support::proxy::{Proxy, Trouble};
use crate::support::tally::Tally;
use crate::support::{Project, all};
use stackctl::resource::aws::Aws;
use std::collections::BTreeMap;
use std::process::Stdio;

/// How many of each kind moto holds.
async fn census(aws: &Aws) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut note = |kind: &str, count: usize| {
        found.insert(kind.to_owned(), count);
    };
    let queues = aws.sqs().list_queues().send().await.unwrap();
    note("queues", queues.queue_urls.unwrap_or_default().len());
    let apis = aws.apigateway().get_apis().send().await.unwrap();
    let apis = apis.items.unwrap_or_default();
    note("apis", apis.len());
    for api in apis {
        let id = api.api_id.unwrap();
        let gateway = aws.apigateway();
        let items = gateway.get_integrations().api_id(&id).send().await;
        note(
            "integrations",
            items.unwrap().items.unwrap_or_default().len(),
        );
        let items = gateway.get_routes().api_id(&id).send().await;
        note("routes", items.unwrap().items.unwrap_or_default().len());
        let items = gateway.get_stages().api_id(&id).send().await;
        note("stages", items.unwrap().items.unwrap_or_default().len());
    }
    let buckets = aws.s3().list_buckets().send().await.unwrap();
    note("buckets", buckets.buckets.unwrap_or_default().len());
    let functions = aws.lambda().list_functions().send().await.unwrap();
    note("functions", functions.functions.unwrap_or_default().len());
    let mappings = aws.lambda().list_event_source_mappings().send().await;
    let mappings = mappings.unwrap().event_source_mappings;
    note("mappings", mappings.unwrap_or_default().len());
    let groups = aws.logs().describe_log_groups().send().await.unwrap();
    note("groups", groups.log_groups.unwrap_or_default().len());
    let roles = aws.iam().list_roles().send().await.unwrap();
    note("roles", roles.roles.len());
    let local = aws_sdk_iam::types::PolicyScopeType::Local;
    let policies = aws.iam().list_policies().scope(local).send().await.unwrap();
    note("policies", policies.policies.unwrap_or_default().len());
    found
}

/// A project whose calls go through the proxy.
fn through(moto: &Moto, proxy: &Proxy) -> Project {
    let mut project = project(moto);
    project.flags = vec!["--endpoint-url".to_owned(), proxy.url()];
    project
}

/// Runs a command of which the proxy may break a call, or kill the process: its exit code
/// and what it wrote to stderr.
fn run(project: &Project, proxy: &Proxy, args: &[&str]) -> (Option<i32>, String) {
    let mut command = project.command(args);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    proxy.aim(child.id());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text)
}

/// What a whole apply leaves, and how many calls it and a destroy make.
async fn whole(moto: &Moto, proxy: &Proxy) -> (BTreeMap<String, usize>, [usize; 2]) {
    let project = through(moto, proxy);
    proxy.expect(0, Trouble::Reset);
    project.apply();
    let applied = proxy.seen();
    let expected = census(&clients(moto).await).await;
    proxy.expect(0, Trouble::Reset);
    project.run(&["destroy", "--yes"]).expect(0);
    (expected, [applied, proxy.seen()])
}

/// Lets each call go wrong in its turn. `lives` says whether the same run must end right.
async fn matrix(troubles: &[Trouble], lives: bool, tally: &Tally) {
    let moto = Moto::start();
    let proxy = Proxy::start(moto.port());
    let aws = clients(&moto).await;
    let (expected, calls) = whole(&moto, &proxy).await;
    let turns =
        (1..=calls[0].max(calls[1])).flat_map(|at| (0..troubles.len()).map(move |t| (at, t)));
    for (at, turn) in turns.filter(|(at, turn)| all() || at % troubles.len() == *turn) {
        let trouble = troubles[turn];
        let project = through(&moto, &proxy);
        for (command, calls) in [("apply", calls[0]), ("destroy", calls[1])] {
            let case = format!("{command}, {trouble:?} at call {at} of {calls}");
            proxy.expect(if at <= calls { at } else { 0 }, trouble);
            if at <= calls {
                tally.offered(&case);
            }
            let (code, text) = run(&project, &proxy, &[command, "--yes"]);
            let hit = proxy.struck();
            if hit {
                tally.struck(&case);
            }
            if hit && !lives {
                assert_eq!(code, None, "{case}:\n{text}");
                proxy.expect(0, trouble);
                let (code, text) = run(&project, &proxy, &[command, "--yes"]);
                assert_eq!(code, Some(0), "{case}, again:\n{text}");
            } else {
                assert_eq!(code, Some(0), "{case}:\n{text}");
            }
            proxy.expect(0, trouble);
            if command == "apply" {
                assert_eq!(census(&aws).await, expected, "{case}");
                project.expect_no_changes();
            } else {
                nothing_is_left(&aws).await;
            }
            if hit {
                tally.held(&case);
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn a_kill_at_each_call_is_taken_up() {
    let kills = [
        Trouble::KillBefore,
        Trouble::KillInFlight,
        Trouble::KillAfter,
    ];
    let tally = Tally::new("kills over HTTP", "converged");
    matrix(&kills, false, &tally).await;
    tally.end(40);
}

#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn a_fault_at_each_call_is_survived() {
    let faults = [
        Trouble::Reset,
        Trouble::Status(503),
        Trouble::LostReply,
        Trouble::Throttle,
        Trouble::Malformed,
        Trouble::Status(500),
    ];
    let tally = Tally::new("faults over HTTP", "survived");
    matrix(&faults, true, &tally).await;
    tally.end(40);
}

#[tokio::test]
#[ignore = "needs moto; see CONTRIBUTING.md"]
async fn a_minute_of_silence_is_survived() {
    let moto = Moto::start();
    let proxy = Proxy::start(moto.port());
    let project = through(&moto, &proxy);
    // Past the plan's reads, so that it hits a create.
    proxy.expect(6, Trouble::Silence);
    let (code, text) = run(&project, &proxy, &["apply", "--yes"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(proxy.struck());
    assert!(
        text.contains("no reply came in time") || text.contains("the reply was lost"),
        "{text}"
    );
    project.expect_no_changes();
}
