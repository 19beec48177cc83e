//! `stackctl local`: the local cloud over HTTP, for clients that are no part of it.

mod command;
mod messages;
mod numbers;
mod roles;
mod wire;

use crate::support::Project;

/// A stack with two queues and a bucket.
const QUEUES: &str = r#"
name: queues
variables:
  visibility: {type: number, default: 300}
providers:
  aws: {region: us-west-2}
resources:
  ordered:
    type: aws:sqs:Queue
    properties:
      name: ordered.fifo
      fifoQueue: true
      contentBasedDeduplication: true
      visibilityTimeoutSeconds: ${var.visibility}
  plain:
    type: aws:sqs:Queue
    properties: {name: plain}
  bucket:
    type: aws:s3:Bucket
    properties: {bucket: files-of-ours, forceDestroy: true}
"#;

const ORDERED: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/ordered.fifo";
const PLAIN: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/plain";

/// A project that has it applied.
fn queues() -> Project {
    let project = Project::new();
    project.write("stacks/queues.yaml", QUEUES);
    project.apply();
    project
}
