//! What a user types and sees.

mod accept;
mod along;
mod answers;
mod commands;
mod drift;
mod encryption;
mod failure;
mod hostile;
mod import;
mod keys_of_others;
mod lint;
mod local_files;
mod meets;
mod mistakes;
mod reference;
mod saved_plan;
mod schema;
pub(crate) mod secrets;
mod signals;
mod state;
pub(crate) mod state_key;
mod stopping;
mod told;
mod transfer;
mod typing;
mod verify;
mod waiting;
mod wrong;

use crate::support::{Ended, Project};

/// A stack without secrets whose steps stand in a row: role, function's log, queue, policy.
const SMALL: &str = r#"
name: small
variables:
  size: {type: number, default: 30}
  label: {type: string, default: orders}
providers:
  aws: {region: us-west-2}
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: "${var.label}", visibilityTimeoutSeconds: "${var.size}"}
  log:
    type: aws:cloudwatch:LogGroup
    properties: {name: "/app/${var.label}", retentionInDays: 7}
  policy:
    type: aws:iam:Policy
    properties:
      name: send
      policy:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "${queue.arn}"}]
outputs:
  url: {value: "${queue.url}", description: Where messages go.}
  number: ${var.size}
"#;

fn small() -> Project {
    let project = Project::new();
    project.write("stacks/small.yaml", SMALL);
    project
}

/// What was seen, both streams and the code, with what differs from run to run masked.
fn seen(ended: &Ended) -> String {
    format!(
        "exit: {}\n--- stdout\n{}--- stderr\n{}",
        ended
            .code
            .map_or("none".to_owned(), |code| code.to_string()),
        ended.stdout,
        ended.stderr
    )
}

/// Runs `check` with filters for times, requests and processes.
fn masked(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d+\.\d s\b", "[time]");
    settings.add_filter(r"\(request [0-9a-f-]+\)", "(request [id])");
    settings.add_filter(
        r"process \d+ on \S+, since [0-9 :-]+ UTC",
        "process [id] on [host], since [time]",
    );
    settings.add_filter(r"\(from \S+, [0-9 :-]+ UTC\)", "(from [host], [time])");
    settings.bind(check);
}
