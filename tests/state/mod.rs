//! The state: kept, locked, tampered with, lost.

mod disk;
mod hardened;
mod lock;
mod old;
mod rebuild;
mod repair;
mod s3;
mod tamper;
mod transfer;
mod unsaved;

use crate::support::Project;

/// Three resources, one of them with a secret.
pub(crate) const SMALL: &str = r#"
name: small
variables:
  size: {type: number, default: 30}
providers:
  aws: {region: us-west-2}
resources:
  queue:
    type: aws:sqs:Queue
    properties: {name: orders, visibilityTimeoutSeconds: "${var.size}"}
  log:
    type: aws:cloudwatch:LogGroup
    properties: {name: /app/orders, retentionInDays: 7}
  password:
    type: random:RandomPassword
    properties: {length: 12}
outputs:
  url: ${queue.url}
"#;

fn small() -> Project {
    let project = Project::new();
    project.write("stacks/small.yaml", SMALL);
    project
}

/// A project whose state was saved as often as sizes are given.
fn saved(sizes: &[u32]) -> Project {
    let project = small();
    for size in sizes {
        project
            .run(&["apply", "--yes", "--var", &format!("size={size}")])
            .expect(0);
    }
    project
}

const STATE: &str = "state/small.json";
