//! What is told after a failure: for each kind of failure, and each kind of step that meets it,
//! what was tried on which resource, what AWS returned, how things stand now, and the one next
//! step.

use super::masked;
use crate::support::{Project, in_parallel};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The kinds of failure, as what goes wrong with a call without end.
fn kinds() -> [(&'static str, Value); 8] {
    [
        ("refused", json!("refused")),
        ("denied", json!("deny")),
        ("throttled", json!("throttle")),
        ("service away", json!({"error": 503})),
        ("connection reset", json!("reset")),
        ("silence", json!({"silence": 1_000})),
        ("malformed reply", json!("malformed")),
        ("credentials expired", json!("expired")),
    ]
}

/// What the faults of a call are.
fn always(call: &str, what: &Value) -> Value {
    json!([{"call": call, "what": what}])
}

/// The reply of a call is lost, and every later call goes wrong like this.
fn lost_then(call: &str, what: &Value) -> Value {
    json!([
        {"call": call, "at": 1, "what": "lostReply"},
        {"call": "*", "after": call, "what": what},
    ])
}

/// The faults of a call: of each kind, with lookups that fail too, and with a state that cannot
/// be written.
fn faults(call: &str) -> Vec<(&'static str, Value)> {
    let mut all: Vec<(&str, Value)> = kinds()
        .into_iter()
        .map(|(name, what)| (name, always(call, &what)))
        .collect();
    all.push(("lookups away", lost_then(call, &json!({"error": 503}))));
    all.push(("lookups expired", lost_then(call, &json!("expired"))));
    all.push((
        "state not saved",
        json!([
            {"call": call, "what": "refused"},
            {"call": "store:saving", "after": call, "what": {"error": 507}},
        ]),
    ));
    all
}

fn stack(resources: &str) -> String {
    format!("name: told\nproviders: {{aws: {{region: us-west-2}}}}\nresources:\n{resources}")
}

/// Runs a command with these faults in a copy of the project: what its errors say.
fn told(project: &Project, args: &[&str], faults: &Value) -> String {
    let mut project = project.fork();
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    let ended = project.run(args);
    let lines = ended.stderr.lines();
    let lines = lines.skip_while(|line| !line.starts_with("error"));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let mut text = format!("exit {}\n", ended.code.unwrap());
    lines
        .iter()
        .for_each(|line| text += &format!("{}\n", without_id(line)));
    text
}

/// A line without the id of the request, which differs from run to run.
fn without_id(line: &str) -> String {
    match line.split_once("(request ") {
        Some((before, rest)) => {
            let (_, after) = rest.split_once(')').unwrap();
            format!("{before}(request [id]){}", without_id(after))
        }
        None => line.to_owned(),
    }
}

/// The same for each of these faults.
fn all(project: &Project, args: &[&str], faults: &[(&str, Value)]) -> String {
    let texts = Mutex::new(BTreeMap::new());
    in_parallel(
        faults.iter().enumerate().collect(),
        |(at, (name, faults))| {
            let text = format!("# {name}: {}", told(project, args, faults));
            texts.lock().unwrap().insert(at, text);
        },
    );
    let texts = texts.into_inner().unwrap();
    texts.into_values().collect::<Vec<_>>().join("\n")
}

const QUEUE: &str =
    "  q: {type: aws:sqs:Queue, properties: {name: q}, options: {timeouts: {create: 1s}}}\n";

#[test]
fn of_a_create() {
    let project = Project::new();
    project.write("stacks/told.yaml", stack(QUEUE));
    let told = all(&project, &["apply", "--yes"], &faults("sqs:CreateQueue"));
    masked(|| {
        insta::assert_snapshot!(told, @"
    # refused: exit 1
    error: q was not created
      cause: sqs:CreateQueue returned ValidationException: The request is not valid. (request [id])
      next: Fix the cause, then run the command again; what is done stays done.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # denied: exit 1
    error: q was not created
      cause: sqs:CreateQueue returned AccessDenied: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: sqs:CreateQueue on resource: * because no identity-based policy allows the sqs:CreateQueue action (request [id])
      next: Allow sqs:CreateQueue on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # throttled: exit 1
    error: q was not created
      cause: sqs:CreateQueue returned RequestThrottled: Rate exceeded (request [id])
      next: Run the command again in a moment, or with a lower --parallelism.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # service away: exit 1
    error: creating q failed
      cause: sqs:CreateQueue returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
      now: Whether q was created is not known; the next run finds out.
      next: Run the command again; it looks first whether the call took effect.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # connection reset: exit 1
    error: creating q failed
      cause: sqs:CreateQueue failed: no connection: dispatch failure: io error: connection reset
      now: Whether q was created is not known; the next run finds out.
      next: Check the network and the endpoint, then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # silence: exit 1
    error: creating q failed
      cause: sqs:CreateQueue failed: timeout: dispatch failure: timeout: timed out
      now: Whether q was created is not known; the next run finds out.
      next: Check the network and the endpoint, then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # malformed reply: exit 0

    # credentials expired: exit 1
    error: q was not created
      cause: sqs:CreateQueue returned ExpiredTokenException: The security token included in the request is expired (request [id])
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # lookups away: exit 1
    error: creating q failed
      cause: sqs:CreateQueue failed: no connection: dispatch failure: io error: connection reset; the lookup of what it may have created failed too: sqs:GetQueueUrl returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
      now: Whether q was created is not known; the next run finds out.
      next: Run the command again; it looks first whether the call took effect.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # lookups expired: exit 1
    error: creating q failed
      cause: sqs:CreateQueue failed: no connection: dispatch failure: io error: connection reset; the lookup of what it may have created failed too: sqs:GetQueueUrl returned ExpiredTokenException: The security token included in the request is expired (request [id])
      now: Whether q was created is not known; the next run finds out.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # state not saved: exit 1
    error: q was not created
      cause: sqs:CreateQueue returned ValidationException: The request is not valid. (request [id])
      next: Fix the cause, then run the command again; what is done stays done.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.
    error: Writing state/told.json failed: no storage space.
      now: No further step was started, and none that was started is known to have brought anything about. The state is as it was before.
      next: Make the place of the state usable, then run the command again: the journal names every step that was started, and the run recovers each.
    ");
    });
}

/// A bucket is looked for before it is created.
#[test]
fn of_a_look_before_a_create() {
    let project = Project::new();
    project.write(
        "stacks/told.yaml",
        stack("  b: {type: aws:s3:Bucket, properties: {bucket: told-b}, options: {timeouts: {create: 1s}}}\n")
            .replace("us-west-2", "us-east-1"),
    );
    let told = all(
        &project,
        &["apply", "--yes"],
        &of_a_read("s3:HeadBucket")[..4],
    );
    masked(|| {
        insta::assert_snapshot!(told, @"
        # refused: exit 1
        error: b was not created
          cause: s3:ListBucket (HeadBucket) returned HTTP 400: the reply says no more (request [id])
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # denied: exit 1
        error: b was not created
          cause: a bucket called told-b exists already, in another account or region
          next: Choose another name, or let bucketPrefix make one.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # throttled: exit 1
        error: b was not created
          cause: s3:ListBucket (HeadBucket) returned HTTP 503: the reply says no more (request [id])
          next: Run the command again in a moment; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # service away: exit 1
        error: b was not created
          cause: s3:ListBucket (HeadBucket) returned HTTP 503: the reply says no more (request [id])
          next: Run the command again in a moment; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.
        ");
    });
}

#[test]
fn of_a_create_whose_second_call_fails() {
    let project = Project::new();
    project.write(
        "stacks/told.yaml",
        stack(
            "  log: {type: aws:cloudwatch:LogGroup, properties: {name: g, retentionInDays: 7}, options: {timeouts: {create: 1s}}}\n",
        ),
    );
    let told = all(
        &project,
        &["apply", "--yes"],
        &faults("logs:PutRetentionPolicy"),
    );
    masked(|| {
        insta::assert_snapshot!(told, @"
    # refused: exit 1
    error: creating log failed
      cause: logs:PutRetentionPolicy returned ValidationException: The request is not valid. (request [id])
      now: log exists and is in the state, but is not finished.
      next: Fix the cause, then run the command again; what is done stays done.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # denied: exit 1
    error: creating log failed
      cause: logs:PutRetentionPolicy returned AccessDeniedException: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: logs:PutRetentionPolicy on resource: * because no identity-based policy allows the logs:PutRetentionPolicy action (request [id])
      now: log exists and is in the state, but is not finished.
      next: Allow logs:PutRetentionPolicy on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # throttled: exit 1
    error: creating log failed
      cause: logs:PutRetentionPolicy returned ThrottlingException: Rate exceeded (request [id])
      now: log exists and is in the state, but is not finished.
      next: Run the command again in a moment, or with a lower --parallelism.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # service away: exit 1
    error: creating log failed
      cause: logs:PutRetentionPolicy returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
      now: log exists and is in the state, but is not finished.
      next: Run the command again; it looks first whether the call took effect.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # connection reset: exit 1
    error: creating log failed
      cause: logs:PutRetentionPolicy failed: no connection: dispatch failure: io error: connection reset
      now: log exists and is in the state, but is not finished.
      next: Check the network and the endpoint, then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # silence: exit 1
    error: creating log failed
      cause: logs:PutRetentionPolicy failed: timeout: dispatch failure: timeout: timed out
      now: log exists and is in the state, but is not finished.
      next: Check the network and the endpoint, then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # malformed reply: exit 0

    # credentials expired: exit 1
    error: creating log failed
      cause: logs:PutRetentionPolicy returned ExpiredTokenException: The security token included in the request is expired (request [id])
      now: log exists and is in the state, but is not finished.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # lookups away: exit 1
    error: creating log failed
      cause: logs:DescribeLogGroups returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
      now: log exists and is in the state, but is not finished.
      next: Run the command again; it looks first whether the call took effect.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # lookups expired: exit 1
    error: creating log failed
      cause: logs:PutRetentionPolicy returned ExpiredTokenException: The security token included in the request is expired (request [id])
      now: log exists and is in the state, but is not finished.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # state not saved: exit 1
    error: creating log failed
      cause: logs:PutRetentionPolicy returned ValidationException: The request is not valid. (request [id])
      now: log exists and is in the state, but is not finished.
      next: Fix the cause, then run the command again; what is done stays done.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.
    error: Writing state/told.json failed: no storage space.
      now: No further step was started. The state in its place is as it was before; .stackctl/unsaved/told.json holds the one with all that was done:
             created log (aws:cloudwatch:LogGroup), id g
      next: Make the place of the state usable, then run `stackctl state push .stackctl/unsaved/told.json --local`.
    ");
    });
}

#[test]
fn of_an_update() {
    let project = Project::new();
    project.write("stacks/told.yaml", stack(QUEUE));
    project.apply();
    let update = QUEUE
        .replace("{name: q}", "{name: q, delaySeconds: 5}")
        .replace("create", "update");
    project.write("stacks/told.yaml", stack(&update));
    let told = all(
        &project,
        &["apply", "--yes"],
        &faults("sqs:SetQueueAttributes"),
    );
    masked(|| {
        insta::assert_snapshot!(told, @"
    # refused: exit 1
    error: q was not updated
      cause: sqs:SetQueueAttributes returned ValidationException: The request is not valid. (request [id])
      now: q may be changed in part; the next plan shows what is left to do.
      next: Fix the cause, then run the command again; what is done stays done.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # denied: exit 1
    error: q was not updated
      cause: sqs:SetQueueAttributes returned AccessDenied: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: sqs:SetQueueAttributes on resource: * because no identity-based policy allows the sqs:SetQueueAttributes action (request [id])
      now: q may be changed in part; the next plan shows what is left to do.
      next: Allow sqs:SetQueueAttributes on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # throttled: exit 1
    error: q was not updated
      cause: sqs:SetQueueAttributes returned RequestThrottled: Rate exceeded (request [id])
      now: q may be changed in part; the next plan shows what is left to do.
      next: Run the command again in a moment, or with a lower --parallelism.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # service away: exit 1
    error: q was not updated
      cause: sqs:SetQueueAttributes returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
      now: q may be changed in part; the next plan shows what is left to do.
      next: Run the command again; it looks first whether the call took effect.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # connection reset: exit 1
    error: q was not updated
      cause: sqs:SetQueueAttributes failed: no connection: dispatch failure: io error: connection reset
      now: q may be changed in part; the next plan shows what is left to do.
      next: Check the network and the endpoint, then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # silence: exit 1
    error: q was not updated
      cause: sqs:SetQueueAttributes failed: timeout: dispatch failure: timeout: timed out
      now: q may be changed in part; the next plan shows what is left to do.
      next: Check the network and the endpoint, then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # malformed reply: exit 0

    # credentials expired: exit 1
    error: q was not updated
      cause: sqs:SetQueueAttributes returned ExpiredTokenException: The security token included in the request is expired (request [id])
      now: q may be changed in part; the next plan shows what is left to do.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # lookups away: exit 1
    error: q was not updated
      cause: sqs:GetQueueAttributes returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
      now: q may be changed in part; the next plan shows what is left to do.
      next: Run the command again; it looks first whether the call took effect.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # lookups expired: exit 1
    error: q was not updated
      cause: sqs:SetQueueAttributes returned ExpiredTokenException: The security token included in the request is expired (request [id])
      now: q may be changed in part; the next plan shows what is left to do.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

    # state not saved: exit 1
    error: q was not updated
      cause: sqs:SetQueueAttributes returned ValidationException: The request is not valid. (request [id])
      now: q may be changed in part; the next plan shows what is left to do.
      next: Fix the cause, then run the command again; what is done stays done.
    Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.
    error: Writing state/told.json failed: no storage space.
      now: No further step was started, and none that was started is known to have brought anything about. The state is as it was before.
      next: Make the place of the state usable, then run the command again: the journal names every step that was started, and the run recovers each.
    ");
    });
}

const LOG: &str = "  log: {type: aws:cloudwatch:LogGroup, properties: {name: g}, options: {timeouts: {delete: 1s}}}\n";

/// A replacement that deletes first, and one that creates first.
#[test]
fn of_a_replacement() {
    let project = Project::new();
    let old =
        "  log: {type: aws:cloudwatch:LogGroup, properties: {name: g, logGroupClass: STANDARD}}\n";
    project.write("stacks/told.yaml", stack(old));
    project.apply();
    let apply = ["apply", "--yes"];
    let new = old.replace("STANDARD", "INFREQUENT_ACCESS");
    project.write("stacks/told.yaml", stack(&new));
    let mut told = String::new();
    for call in ["logs:DeleteLogGroup", "logs:CreateLogGroup"] {
        let kinds = faults(call);
        told += &format!("deletes first, {call}\n{}\n", all(&project, &apply, &kinds));
    }
    project.write(
        "stacks/told.yaml",
        stack(&old.replace("name: g", "name: h")),
    );
    for call in ["logs:CreateLogGroup", "logs:DeleteLogGroup"] {
        let kinds = faults(call);
        told += &format!("creates first, {call}\n{}\n", all(&project, &apply, &kinds));
    }
    masked(|| {
        insta::assert_snapshot!(told, @"
        deletes first, logs:DeleteLogGroup
        # refused: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned ValidationException: The request is not valid. (request [id])
          now: log is still in the state.
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # denied: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned AccessDeniedException: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: logs:DeleteLogGroup on resource: * because no identity-based policy allows the logs:DeleteLogGroup action (request [id])
          now: log is still in the state.
          next: Allow logs:DeleteLogGroup on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # throttled: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned ThrottlingException: Rate exceeded (request [id])
          now: log is still in the state.
          next: Run the command again in a moment, or with a lower --parallelism.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # service away: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
          now: Whether log was deleted is not known; the next run finds out.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # connection reset: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup failed: no connection: dispatch failure: io error: connection reset
          now: Whether log was deleted is not known; the next run finds out.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # silence: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup failed: timeout: dispatch failure: timeout: timed out
          now: Whether log was deleted is not known; the next run finds out.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # malformed reply: exit 0

        # credentials expired: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned ExpiredTokenException: The security token included in the request is expired (request [id])
          now: log is still in the state.
          next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # lookups away: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
          now: Whether log was deleted is not known; the next run finds out.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # lookups expired: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup returned ExpiredTokenException: The security token included in the request is expired (request [id])
          now: Whether log was deleted is not known; the next run finds out.
          next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # state not saved: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned ValidationException: The request is not valid. (request [id])
          now: log is still in the state.
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.
        error: Writing state/told.json failed: no storage space.
          now: No further step was started, and none that was started is known to have brought anything about. The state is as it was before.
          next: Make the place of the state usable, then run the command again: the journal names every step that was started, and the run recovers each.

        deletes first, logs:CreateLogGroup
        # refused: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned ValidationException: The request is not valid. (request [id])
          now: log was deleted, and its replacement was not created.
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.

        # denied: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned AccessDeniedException: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: logs:CreateLogGroup on resource: * because no identity-based policy allows the logs:CreateLogGroup action (request [id])
          now: log was deleted, and its replacement was not created.
          next: Allow logs:CreateLogGroup on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.

        # throttled: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned ThrottlingException: Rate exceeded (request [id])
          now: log was deleted, and its replacement was not created.
          next: Run the command again in a moment, or with a lower --parallelism.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.

        # service away: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
          now: Whether log was created is not known; the next run finds out.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.

        # connection reset: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup failed: no connection: dispatch failure: io error: connection reset
          now: Whether log was created is not known; the next run finds out.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.

        # silence: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup failed: timeout: dispatch failure: timeout: timed out
          now: Whether log was created is not known; the next run finds out.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.

        # malformed reply: exit 0

        # credentials expired: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned ExpiredTokenException: The security token included in the request is expired (request [id])
          now: log was deleted, and its replacement was not created.
          next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.

        # lookups away: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup failed: no connection: dispatch failure: io error: connection reset; the lookup of what it may have created failed too: logs:DescribeLogGroups returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
          now: Whether log was created is not known; the next run finds out.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.

        # lookups expired: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup failed: no connection: dispatch failure: io error: connection reset; the lookup of what it may have created failed too: logs:DescribeLogGroups returned ExpiredTokenException: The security token included in the request is expired (request [id])
          now: Whether log was created is not known; the next run finds out.
          next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.

        # state not saved: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned ValidationException: The request is not valid. (request [id])
          now: log was deleted, and its replacement was not created.
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 1 deleted in [time]. 1 failed, 0 skipped.
        error: Writing state/told.json failed: no storage space.
          now: No further step was started. The state in its place is as it was before; .stackctl/unsaved/told.json holds the one with all that was done:
                 deleted log (aws:cloudwatch:LogGroup), id g
          next: Make the place of the state usable, then run `stackctl state push .stackctl/unsaved/told.json --local`.

        creates first, logs:CreateLogGroup
        # refused: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned ValidationException: The request is not valid. (request [id])
          now: log was not created; the one that it replaces still exists.
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # denied: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned AccessDeniedException: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: logs:CreateLogGroup on resource: * because no identity-based policy allows the logs:CreateLogGroup action (request [id])
          now: log was not created; the one that it replaces still exists.
          next: Allow logs:CreateLogGroup on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # throttled: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned ThrottlingException: Rate exceeded (request [id])
          now: log was not created; the one that it replaces still exists.
          next: Run the command again in a moment, or with a lower --parallelism.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # service away: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
          now: Whether log was created is not known; the next run finds out.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # connection reset: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup failed: no connection: dispatch failure: io error: connection reset
          now: Whether log was created is not known; the next run finds out.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # silence: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup failed: timeout: dispatch failure: timeout: timed out
          now: Whether log was created is not known; the next run finds out.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # malformed reply: exit 0

        # credentials expired: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned ExpiredTokenException: The security token included in the request is expired (request [id])
          now: log was not created; the one that it replaces still exists.
          next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # lookups away: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup failed: no connection: dispatch failure: io error: connection reset; the lookup of what it may have created failed too: logs:DescribeLogGroups returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
          now: Whether log was created is not known; the next run finds out.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # lookups expired: exit 1
        error: creating log failed
          cause: logs:CreateLogGroup failed: no connection: dispatch failure: io error: connection reset; the lookup of what it may have created failed too: logs:DescribeLogGroups returned ExpiredTokenException: The security token included in the request is expired (request [id])
          now: Whether log was created is not known; the next run finds out.
          next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # state not saved: exit 1
        error: log was not created
          cause: logs:CreateLogGroup returned ValidationException: The request is not valid. (request [id])
          now: log was not created; the one that it replaces still exists.
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.
        error: Writing state/told.json failed: no storage space.
          now: No further step was started, and none that was started is known to have brought anything about. The state is as it was before.
          next: Make the place of the state usable, then run the command again: the journal names every step that was started, and the run recovers each.

        creates first, logs:DeleteLogGroup
        # refused: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned ValidationException: The request is not valid. (request [id])
          now: The log that was replaced still exists; the next run deletes it.
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # denied: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned AccessDeniedException: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: logs:DeleteLogGroup on resource: * because no identity-based policy allows the logs:DeleteLogGroup action (request [id])
          now: The log that was replaced still exists; the next run deletes it.
          next: Allow logs:DeleteLogGroup on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # throttled: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned ThrottlingException: Rate exceeded (request [id])
          now: The log that was replaced still exists; the next run deletes it.
          next: Run the command again in a moment, or with a lower --parallelism.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # service away: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
          now: Whether log was deleted is not known; the next run finds out.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # connection reset: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup failed: no connection: dispatch failure: io error: connection reset
          now: Whether log was deleted is not known; the next run finds out.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # silence: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup failed: timeout: dispatch failure: timeout: timed out
          now: Whether log was deleted is not known; the next run finds out.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # malformed reply: exit 0

        # credentials expired: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned ExpiredTokenException: The security token included in the request is expired (request [id])
          now: The log that was replaced still exists; the next run deletes it.
          next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # lookups away: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
          now: Whether log was deleted is not known; the next run finds out.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # lookups expired: exit 1
        error: deleting log failed
          cause: logs:DeleteLogGroup returned ExpiredTokenException: The security token included in the request is expired (request [id])
          now: Whether log was deleted is not known; the next run finds out.
          next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # state not saved: exit 1
        error: log was not deleted
          cause: logs:DeleteLogGroup returned ValidationException: The request is not valid. (request [id])
          now: The log that was replaced still exists; the next run deletes it.
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.
        error: Writing state/told.json failed: no storage space.
          now: No further step was started. The state in its place is as it was before; .stackctl/unsaved/told.json holds the one with all that was done:
                 created log (aws:cloudwatch:LogGroup), id h
          next: Make the place of the state usable, then run `stackctl state push .stackctl/unsaved/told.json --local`.
        ");
    });
}

#[test]
fn of_a_deletion() {
    let project = Project::new();
    project.write("stacks/told.yaml", stack(LOG));
    project.apply();
    let told = all(
        &project,
        &["destroy", "--yes"],
        &faults("logs:DeleteLogGroup"),
    );
    masked(|| {
        insta::assert_snapshot!(told, @"
    # refused: exit 1
    error: log was not deleted
      cause: logs:DeleteLogGroup returned ValidationException: The request is not valid. (request [id])
      now: log is still in the state.
      next: Fix the cause, then run the command again; what is done stays done.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.

    # denied: exit 1
    error: log was not deleted
      cause: logs:DeleteLogGroup returned AccessDeniedException: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: logs:DeleteLogGroup on resource: * because no identity-based policy allows the logs:DeleteLogGroup action (request [id])
      now: log is still in the state.
      next: Allow logs:DeleteLogGroup on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.

    # throttled: exit 1
    error: log was not deleted
      cause: logs:DeleteLogGroup returned ThrottlingException: Rate exceeded (request [id])
      now: log is still in the state.
      next: Run the command again in a moment, or with a lower --parallelism.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.

    # service away: exit 1
    error: deleting log failed
      cause: logs:DeleteLogGroup returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
      now: Whether log was deleted is not known; the next run finds out.
      next: Run the command again; it looks first whether the call took effect.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.

    # connection reset: exit 1
    error: deleting log failed
      cause: logs:DeleteLogGroup failed: no connection: dispatch failure: io error: connection reset
      now: Whether log was deleted is not known; the next run finds out.
      next: Check the network and the endpoint, then run the command again.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.

    # silence: exit 1
    error: deleting log failed
      cause: logs:DeleteLogGroup failed: timeout: dispatch failure: timeout: timed out
      now: Whether log was deleted is not known; the next run finds out.
      next: Check the network and the endpoint, then run the command again.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.

    # malformed reply: exit 0

    # credentials expired: exit 1
    error: log was not deleted
      cause: logs:DeleteLogGroup returned ExpiredTokenException: The security token included in the request is expired (request [id])
      now: log is still in the state.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.

    # lookups away: exit 1
    error: deleting log failed
      cause: logs:DeleteLogGroup returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
      now: Whether log was deleted is not known; the next run finds out.
      next: Run the command again; it looks first whether the call took effect.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.

    # lookups expired: exit 1
    error: deleting log failed
      cause: logs:DeleteLogGroup returned ExpiredTokenException: The security token included in the request is expired (request [id])
      now: Whether log was deleted is not known; the next run finds out.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.

    # state not saved: exit 1
    error: log was not deleted
      cause: logs:DeleteLogGroup returned ValidationException: The request is not valid. (request [id])
      now: log is still in the state.
      next: Fix the cause, then run the command again; what is done stays done.
    Destroy failed: 0 deleted in [time]. 1 failed, 0 skipped.
    error: Writing state/told.json failed: no storage space.
      now: No further step was started, and none that was started is known to have brought anything about. The state is as it was before.
      next: Make the place of the state usable, then run the command again: the journal names every step that was started, and the run recovers each.
    ");
    });
}

/// The faults of a call that only reads.
fn of_a_read(call: &str) -> Vec<(&'static str, Value)> {
    let kinds = kinds().into_iter();
    kinds
        .map(|(name, what)| (name, always(call, &what)))
        .collect()
}

#[test]
fn of_a_read_before_a_plan() {
    let project = Project::new();
    project.write("stacks/told.yaml", stack(LOG));
    project.apply();
    let told = all(&project, &["plan"], &of_a_read("logs:DescribeLogGroups"));
    masked(|| {
        insta::assert_snapshot!(told, @"
    # refused: exit 1
    error: Reading log: logs:DescribeLogGroups returned ValidationException: The request is not valid. (request [id]).
      now: Nothing was changed.
      next: Fix the cause, then run the command again.

    # denied: exit 1
    error: Reading log: logs:DescribeLogGroups returned AccessDeniedException: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: logs:DescribeLogGroups on resource: * because no identity-based policy allows the logs:DescribeLogGroups action (request [id]).
      now: Nothing was changed.
      next: Allow logs:DescribeLogGroups on * for arn:aws:iam::000000000000:user/somebody, then run the command again.

    # throttled: exit 1
    error: Reading log: logs:DescribeLogGroups returned ThrottlingException: Rate exceeded (request [id]).
      now: Nothing was changed.
      next: Run the command again in a moment, or with a lower --parallelism.

    # service away: exit 1
    error: Reading log: logs:DescribeLogGroups returned ServiceUnavailable: The request failed for a reason of ours. (request [id]).
      now: Nothing was changed.
      next: Run the command again in a moment.

    # connection reset: exit 1
    error: Reading log: logs:DescribeLogGroups failed: no connection: dispatch failure: io error: connection reset.
      now: Nothing was changed.
      next: Check the network and the endpoint, then run the command again.

    # silence: exit 1
    error: Reading log: logs:DescribeLogGroups failed: timeout: dispatch failure: timeout: timed out.
      now: Nothing was changed.
      next: Check the network and the endpoint, then run the command again.

    # malformed reply: exit 1
    error: Reading log: logs:DescribeLogGroups failed: unreadable reply: service error: unhandled error: Error at offset 11: unexpected end of stream (request [id]).
      now: Nothing was changed.
      next: Run the command again in a moment.

    # credentials expired: exit 1
    error: Reading log: logs:DescribeLogGroups returned ExpiredTokenException: The security token included in the request is expired (request [id]).
      now: Nothing was changed.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    ");
    });
}

#[test]
fn of_an_import() {
    let project = Project::new();
    project.write("stacks/told.yaml", stack(LOG));
    project.apply();
    project.run(&["state", "rm", "log", "--yes"]).expect(0);
    let by_command = all(
        &project,
        &["import", "log", "g", "--yes"],
        &of_a_read("logs:DescribeLogGroups"),
    );
    let mut told = by_command.clone();
    let unsaved = json!([{"call": "store:saving", "what": {"error": 507}}]);
    told += "\n";
    told += &all(
        &project,
        &["import", "log", "g", "--yes"],
        &[("state not saved", unsaved)],
    );
    project.write(
        "stacks/told.yaml",
        stack(&LOG.replace("timeouts: {delete: 1s}", "import: g")),
    );
    let by_option = all(
        &project,
        &["apply", "--yes"],
        &of_a_read("logs:DescribeLogGroups"),
    );
    assert_eq!(by_option, by_command);
    masked(|| {
        insta::assert_snapshot!(told, @"
    # refused: exit 1
    error: Reading log: logs:DescribeLogGroups returned ValidationException: The request is not valid. (request [id]).
      now: Nothing was changed.
      next: Fix the cause, then run the command again.

    # denied: exit 1
    error: Reading log: logs:DescribeLogGroups returned AccessDeniedException: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: logs:DescribeLogGroups on resource: * because no identity-based policy allows the logs:DescribeLogGroups action (request [id]).
      now: Nothing was changed.
      next: Allow logs:DescribeLogGroups on * for arn:aws:iam::000000000000:user/somebody, then run the command again.

    # throttled: exit 1
    error: Reading log: logs:DescribeLogGroups returned ThrottlingException: Rate exceeded (request [id]).
      now: Nothing was changed.
      next: Run the command again in a moment, or with a lower --parallelism.

    # service away: exit 1
    error: Reading log: logs:DescribeLogGroups returned ServiceUnavailable: The request failed for a reason of ours. (request [id]).
      now: Nothing was changed.
      next: Run the command again in a moment.

    # connection reset: exit 1
    error: Reading log: logs:DescribeLogGroups failed: no connection: dispatch failure: io error: connection reset.
      now: Nothing was changed.
      next: Check the network and the endpoint, then run the command again.

    # silence: exit 1
    error: Reading log: logs:DescribeLogGroups failed: timeout: dispatch failure: timeout: timed out.
      now: Nothing was changed.
      next: Check the network and the endpoint, then run the command again.

    # malformed reply: exit 1
    error: Reading log: logs:DescribeLogGroups failed: unreadable reply: service error: unhandled error: Error at offset 11: unexpected end of stream (request [id]).
      now: Nothing was changed.
      next: Run the command again in a moment.

    # credentials expired: exit 1
    error: Reading log: logs:DescribeLogGroups returned ExpiredTokenException: The security token included in the request is expired (request [id]).
      now: Nothing was changed.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.

    # state not saved: exit 1
    error: Writing state/told.json failed: no storage space.
      now: Nothing was changed.
      next: Make the place of the state usable, then run the command again.

    ");
    });
}

#[test]
fn of_a_data_source() {
    let project = Project::new();
    let data = "name: told\nproviders: {aws: {region: us-west-2}}\ndata:\n  who: {type: aws:getCallerIdentity}\noutputs:\n  account: ${data.who.accountId}\n";
    project.write("stacks/told.yaml", data);
    let told = all(&project, &["plan"], &of_a_read("sts:GetCallerIdentity"));
    masked(|| {
        insta::assert_snapshot!(told, @"
    # refused: exit 1
    error: data.who could not be read: sts:GetCallerIdentity returned ValidationException: The request is not valid. (request [id])
     --> stacks/told.yaml:4:3
      |
    4 |   who: {type: aws:getCallerIdentity}
      |   ^^^
      |
      = help: Fix the cause, then run the command again.
    1 error in stacks/told.yaml
    Nothing was changed.

    # denied: exit 1
    error: data.who could not be read: sts:GetCallerIdentity returned AccessDenied: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: sts:GetCallerIdentity on resource: * because no identity-based policy allows the sts:GetCallerIdentity action (request [id])
     --> stacks/told.yaml:4:3
      |
    4 |   who: {type: aws:getCallerIdentity}
      |   ^^^
      |
      = help: Allow sts:GetCallerIdentity on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
    1 error in stacks/told.yaml
    Nothing was changed.

    # throttled: exit 1
    error: data.who could not be read: sts:GetCallerIdentity returned Throttling: Rate exceeded (request [id])
     --> stacks/told.yaml:4:3
      |
    4 |   who: {type: aws:getCallerIdentity}
      |   ^^^
      |
      = help: Run the command again in a moment, or with a lower --parallelism.
    1 error in stacks/told.yaml
    Nothing was changed.

    # service away: exit 1
    error: data.who could not be read: sts:GetCallerIdentity returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
     --> stacks/told.yaml:4:3
      |
    4 |   who: {type: aws:getCallerIdentity}
      |   ^^^
      |
      = help: Run the command again in a moment.
    1 error in stacks/told.yaml
    Nothing was changed.

    # connection reset: exit 1
    error: data.who could not be read: sts:GetCallerIdentity failed: no connection: dispatch failure: io error: connection reset
     --> stacks/told.yaml:4:3
      |
    4 |   who: {type: aws:getCallerIdentity}
      |   ^^^
      |
      = help: Check the network and the endpoint, then run the command again.
    1 error in stacks/told.yaml
    Nothing was changed.

    # silence: exit 1
    error: data.who could not be read: sts:GetCallerIdentity failed: timeout: dispatch failure: timeout: timed out
     --> stacks/told.yaml:4:3
      |
    4 |   who: {type: aws:getCallerIdentity}
      |   ^^^
      |
      = help: Check the network and the endpoint, then run the command again.
    1 error in stacks/told.yaml
    Nothing was changed.

    # malformed reply: exit 1
    error: data.who could not be read: sts:GetCallerIdentity failed: unreadable reply: service error: unhandled error: error parsing XML: no root element (request [id])
     --> stacks/told.yaml:4:3
      |
    4 |   who: {type: aws:getCallerIdentity}
      |   ^^^
      |
      = help: Run the command again in a moment.
    1 error in stacks/told.yaml
    Nothing was changed.

    # credentials expired: exit 1
    error: data.who could not be read: sts:GetCallerIdentity returned ExpiredToken: The security token included in the request is expired (request [id])
     --> stacks/told.yaml:4:3
      |
    4 |   who: {type: aws:getCallerIdentity}
      |   ^^^
      |
      = help: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    1 error in stacks/told.yaml
    Nothing was changed.
    ");
    });
}

/// One that is read while applying, since it depends on what is created.
#[test]
fn of_a_data_source_while_applying() {
    let project = Project::new();
    let queue = stack(QUEUE);
    let data = "data:\n  zip: {type: archive:getFile, properties: {type: zip, sourceFile: \"${basename(q.url)}.txt\"}}\n";
    let user = "  log: {type: aws:cloudwatch:LogGroup, properties: {name: g, tags: {of: \"${data.zip.outputMd5}\"}}}\n";
    project.write("stacks/told.yaml", format!("{queue}{user}{data}"));
    let told = told(&project, &["apply", "--yes"], &json!([]));
    masked(|| {
        insta::assert_snapshot!(told, @"
        exit 1
        error: data.zip was not read
          cause: the file stacks/q.txt does not exist
          now: data.zip was not read. It is at stacks/told.yaml:7:3.
          next: Check the path; it starts from the stack file's folder.
          skipped: log
        Apply failed: 1 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 1 skipped.
        ");
    });
}

/// A step of which something was known before, and whose lookup fails in the next run too.
#[test]
fn of_a_recovery() {
    let mut project = Project::new();
    project.write("stacks/told.yaml", stack(QUEUE));
    let lost = lost_then("sqs:CreateQueue", &json!({"error": 503}));
    project.env("STACKCTL_LOCAL_FAULTS", &lost.to_string());
    project.run(&["apply", "--yes"]).expect(1);
    let told = all(&project, &["apply", "--yes"], &of_a_read("sqs:*"));
    masked(|| {
        insta::assert_snapshot!(told, @"
    # refused: exit 1
    error: Reading q: sqs:GetQueueUrl returned ValidationException: The request is not valid. (request [id]).
      now: Nothing was changed. Whether an earlier run created q is still not known; the next run looks again.
      next: Fix the cause, then run the command again.

    # denied: exit 1
    error: Reading q: sqs:GetQueueUrl returned AccessDenied: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: sqs:GetQueueUrl on resource: * because no identity-based policy allows the sqs:GetQueueUrl action (request [id]).
      now: Nothing was changed. Whether an earlier run created q is still not known; the next run looks again.
      next: Allow sqs:GetQueueUrl on * for arn:aws:iam::000000000000:user/somebody, then run the command again.

    # throttled: exit 1
    error: Reading q: sqs:GetQueueUrl returned RequestThrottled: Rate exceeded (request [id]).
      now: Nothing was changed. Whether an earlier run created q is still not known; the next run looks again.
      next: Run the command again in a moment, or with a lower --parallelism.

    # service away: exit 1
    error: Reading q: sqs:GetQueueUrl returned ServiceUnavailable: The request failed for a reason of ours. (request [id]).
      now: Nothing was changed. Whether an earlier run created q is still not known; the next run looks again.
      next: Run the command again in a moment.

    # connection reset: exit 1
    error: Reading q: sqs:GetQueueUrl failed: no connection: dispatch failure: io error: connection reset.
      now: Nothing was changed. Whether an earlier run created q is still not known; the next run looks again.
      next: Check the network and the endpoint, then run the command again.

    # silence: exit 1
    error: Reading q: sqs:GetQueueUrl failed: timeout: dispatch failure: timeout: timed out.
      now: Nothing was changed. Whether an earlier run created q is still not known; the next run looks again.
      next: Check the network and the endpoint, then run the command again.

    # malformed reply: exit 1
    error: Reading q: sqs:GetQueueUrl failed: unreadable reply: service error: unhandled error: Error at offset 11: unexpected end of stream (request [id]).
      now: Nothing was changed. Whether an earlier run created q is still not known; the next run looks again.
      next: Run the command again in a moment.

    # credentials expired: exit 1
    error: Reading q: sqs:GetQueueUrl returned ExpiredTokenException: The security token included in the request is expired (request [id]).
      now: Nothing was changed. Whether an earlier run created q is still not known; the next run looks again.
      next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
    ");
    });
}

/// A wait that ends before what is waited for comes about.
#[test]
fn of_a_wait() {
    let project = Project::new();
    let role = r#"  role:
    type: aws:iam:Role
    properties:
      name: r
      assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: sqs.amazonaws.com}}]}
    options: {timeouts: {delete: 1s}}
"#;
    project.write("stacks/told.yaml", stack(&format!("{role}{QUEUE}")));
    project.apply();
    let lagging = json!([{"call": "sqs:GetQueueAttributes", "after": "sqs:SetQueueAttributes", "what": "lag"}]);
    let update = QUEUE
        .replace("{name: q}", "{name: q, delaySeconds: 5}")
        .replace("create", "update");
    project.write("stacks/told.yaml", stack(&format!("{role}{update}")));
    let mut told = all(&project, &["apply", "--yes"], &[("update", lagging)]);
    let lagging =
        json!([{"call": "sqs:GetQueueAttributes", "after": "sqs:CreateQueue", "what": "lag"}]);
    let other = QUEUE.replace("name: q", "name: p");
    project.write("stacks/told.yaml", stack(&format!("{role}{other}")));
    told += "\n";
    told += &all(&project, &["apply", "--yes"], &[("create", lagging)]);
    let failing = |(name, what): (&'static str, Value)| {
        let rule =
            json!([{"call": "sqs:GetQueueAttributes", "after": "sqs:CreateQueue", "what": what}]);
        (name, rule)
    };
    let failing: Vec<(&str, Value)> = kinds().into_iter().map(failing).collect();
    told += "\n";
    told += &all(&project, &["apply", "--yes"], &failing);
    masked(|| {
        insta::assert_snapshot!(told, @"
        # update: exit 1
        error: q was not updated
          cause: waited 1 s for SQS to show the whole queue; last seen: a reply without QueueArn
          now: q may be changed in part; the next plan shows what is left to do.
          next: Run apply again; options.timeouts gives it more time.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # create: exit 1
        error: creating q failed
          cause: waited 1 s for SQS to show the whole queue; last seen: a reply without QueueArn
          now: q exists and is in the state, but is not finished.
          next: Run apply again; options.timeouts gives it more time.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # refused: exit 1
        error: creating q failed
          cause: sqs:GetQueueAttributes returned ValidationException: The request is not valid. (request [id])
          now: q exists and is in the state, but is not finished.
          next: Fix the cause, then run the command again; what is done stays done.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # denied: exit 1
        error: creating q failed
          cause: sqs:GetQueueAttributes returned AccessDenied: User: arn:aws:iam::000000000000:user/somebody is not authorized to perform: sqs:GetQueueAttributes on resource: * because no identity-based policy allows the sqs:GetQueueAttributes action (request [id])
          now: q exists and is in the state, but is not finished.
          next: Allow sqs:GetQueueAttributes on * for arn:aws:iam::000000000000:user/somebody, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # throttled: exit 1
        error: creating q failed
          cause: sqs:GetQueueAttributes returned RequestThrottled: Rate exceeded (request [id])
          now: q exists and is in the state, but is not finished.
          next: Run the command again in a moment, or with a lower --parallelism.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # service away: exit 1
        error: creating q failed
          cause: sqs:GetQueueAttributes returned ServiceUnavailable: The request failed for a reason of ours. (request [id])
          now: q exists and is in the state, but is not finished.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # connection reset: exit 1
        error: creating q failed
          cause: sqs:GetQueueAttributes failed: no connection: dispatch failure: io error: connection reset
          now: q exists and is in the state, but is not finished.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # silence: exit 1
        error: creating q failed
          cause: sqs:GetQueueAttributes failed: timeout: dispatch failure: timeout: timed out
          now: q exists and is in the state, but is not finished.
          next: Check the network and the endpoint, then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # malformed reply: exit 1
        error: creating q failed
          cause: sqs:GetQueueAttributes failed: unreadable reply: service error: unhandled error: Error at offset 11: unexpected end of stream (request [id])
          now: q exists and is in the state, but is not finished.
          next: Run the command again; it looks first whether the call took effect.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.

        # credentials expired: exit 1
        error: creating q failed
          cause: sqs:GetQueueAttributes returned ExpiredTokenException: The security token included in the request is expired (request [id])
          now: q exists and is in the state, but is not finished.
          next: The credentials have expired: sign in again (`aws sso login`, or new keys in the environment), then run the command again.
        Apply failed: 0 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 0 skipped.
        ");
    });
}
