//! The policies that AWS manages: any name can be attached that AWS may have, the well-known
//! ones are also understood. Only the statements that matter to the services here are kept.

use super::model::{Policy, Version};
use crate::resource::aws::iam::aws_managed;
use serde_json::{Value, json};

/// Whether the ARN is of a policy that AWS manages.
pub(super) fn is_aws(arn: &str) -> bool {
    name(arn).is_some()
}

fn name(arn: &str) -> Option<&str> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
    (!name.is_empty() && !name.ends_with('/')).then_some(name)
}

/// Whether AWS may have a policy of that ARN: families that stacks of functions and APIs use
/// are known in whole.
pub(super) fn exists(arn: &str) -> bool {
    is_aws(arn) && aws_managed::unknown(arn).is_none()
}

/// What a well-known policy allows (AWS managed policy reference).
pub(super) fn document(arn: &str) -> Option<Value> {
    let logs = [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ];
    let actions = match name(arn)? {
        "AdministratorAccess" => json!("*"),
        "PowerUserAccess" => {
            return Some(json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
            ]}));
        }
        "AmazonSQSFullAccess" => json!("sqs:*"),
        "AmazonS3FullAccess" => json!(["s3:*", "s3-object-lambda:*"]),
        "AWSLambda_FullAccess" => json!(["lambda:*", "logs:*"]),
        "service-role/AWSLambdaBasicExecutionRole" => json!(logs),
        "service-role/AmazonAPIGatewayPushToCloudWatchLogs" => json!([
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:GetLogEvents",
            "logs:FilterLogEvents",
            logs[0],
            logs[1],
            logs[2]
        ]),
        "service-role/AWSLambdaSQSQueueExecutionRole" => json!([
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            logs[0],
            logs[1],
            logs[2]
        ]),
        _ => return None,
    };
    Some(json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "*"}
    ]}))
}

/// A well-known policy as a customer managed one would look.
pub(super) fn policy(arn: &str) -> Option<Policy> {
    let document = document(arn)?;
    let full = name(arn)?;
    let (folder, name) = full.rsplit_once('/').unwrap_or(("", full));
    // AWS's own are years old; the exact times mean nothing here.
    let created = 1_423_000_000_000;
    Some(Policy {
        name: name.to_owned(),
        arn: arn.to_owned(),
        path: if folder.is_empty() {
            "/".to_owned()
        } else {
            format!("/{folder}/")
        },
        id: format!("ANPA{name}"),
        description: None,
        tags: Vec::new(),
        created,
        updated: created,
        versions: vec![Version {
            number: 1,
            document: document.to_string(),
            created,
        }],
        default: 1,
        next: 2,
    })
}
