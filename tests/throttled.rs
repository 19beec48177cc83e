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
