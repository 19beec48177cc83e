//! An account whose services throttle: a plan that reads many resources at once bears it.

use crate::support::Project;
use serde_json::json;

#[test]
fn a_plan_of_many_log_groups_and_roles_bears_throttling() {
    let mut project = Project::new();
    let mut file = "name: many\nproviders: {aws: {region: us-west-2}}\nresources:\n".to_owned();
    for at in 0..300 {
        file.push_str(&format!(
            "  l{at}: {{type: aws:cloudwatch:LogGroup, properties: {{name: /app/{at}}}}}\n"
        ));
    }
    project.write("stacks/many.yaml", file);
    project.apply();
    // The pauses between the retries are as long as with AWS.
    project.env("STACKCTL_LOCAL_SPEED", "1");
    // More retries at once than the SDK has tokens for, were all reads to start together.
    let limit = json!([{"call": "logs:*", "what": {"limit": 40}}]);
    project.env("STACKCTL_LOCAL_FAULTS", &limit.to_string());
    project.expect_no_changes();
}

/// A call that may be made twice is repeated by its client, one that creates by its step; either
/// says so.
#[test]
fn a_call_of_s3_that_is_made_again_is_told() {
    let mut project = Project::new();
    let write = |project: &Project, status: &str| {
        let stack = json!({"name": "s", "providers": {"aws": {"region": "us-west-2"}}, "resources": {
            "bucket": {"type": "aws:s3:Bucket", "properties": {"bucket": "told"}},
            "versioning": {"type": "aws:s3:BucketVersioning", "properties": {
                "bucket": "${bucket.bucket}", "versioningConfiguration": {"status": status},
            }},
        }});
        project.write("stacks/s.yaml", stack.to_string());
    };
    let fault = json!([{"call": "s3:PutBucketVersioning", "at": 1, "what": "throttle"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &fault.to_string());
    write(&project, "Enabled");
    let created = project.apply().stderr;
    write(&project, "Suspended");
    let changed = project.apply().stderr;
    let by_client = "PutBucketVersioning is made again (1 of 8 failed)";
    let by_step = "versioning: retrying: S3 says \"Rate exceeded\"";
    for (told, here, elsewhere) in [(created, by_step, by_client), (changed, by_client, by_step)] {
        assert!(told.contains(here), "{told}");
        assert!(!told.contains(elsewhere), "{told}");
    }
}
