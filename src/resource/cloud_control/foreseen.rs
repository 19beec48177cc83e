//! ARNs that are known before the resource exists.
//!
//! The registry has a template of ARNs for a thousand types (`registry::arn_template`), and does not
//! say whether a service keeps to it: SageMaker writes names in small letters, CloudFront puts an id
//! in place of the name, the ARN of a log group has `:*` behind it. So only the types below are
//! foreseen. Each one's ARN is its partition, region and account, and the name that the file gives
//! (Service Authorization Reference, "Resource types defined by" each service). That name is
//! `createOnly`, is required to be as the service writes it, and cannot change while the resource
//! exists. Where the file gives no name, or one with other characters than those below, nothing is
//! foreseen.
//!
//! A create compares the ARN that AWS returns. Another one is an error of the step: nothing that
//! refers to it is applied, the state has what AWS returned, and the next plan goes by that.

use crate::registry::{self, RegistryType};
use crate::resource::error::Error;
use crate::resource::home::Place;
use regex::Regex;
use serde_json::Value;

/// The types, and the output that is the ARN.
const TYPES: [(&str, &str); 10] = [
    ("AWS::CloudTrail::Trail", "Arn"),
    ("AWS::CloudWatch::Alarm", "Arn"),
    ("AWS::DynamoDB::Table", "Arn"),
    ("AWS::ECR::Repository", "Arn"),
    ("AWS::ECS::Cluster", "Arn"),
    ("AWS::KinesisFirehose::DeliveryStream", "Arn"),
    ("AWS::Lambda::Function", "Arn"),
    ("AWS::S3::Bucket", "Arn"),
    ("AWS::SNS::Topic", "TopicArn"),
    ("AWS::SQS::Queue", "Arn"),
];

/// The output that will be the ARN, and the ARN; none where it is not known.
pub(super) fn arn(
    kind: &RegistryType,
    properties: &Value,
    place: &Place<'_>,
) -> Option<(&'static str, String)> {
    let (_, output) = TYPES.iter().find(|(name, _)| *name == kind.name())?;
    let mut arn = String::new();
    let mut parts = registry::arn_template(kind.name())?.split("${");
    arn.push_str(parts.next()?);
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        arn.push_str(match name {
            "Partition" => place.partition,
            "Region" => place.region,
            "Account" => place.account,
            name => given(kind, properties, name)?,
        });
        arn.push_str(rest);
    }
    let schemas = kind.at(output);
    let mut patterns = schemas.iter().filter_map(|it| it.get("pattern")?.as_str());
    let fits = |pattern: &str| Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&arn));
    patterns.all(fits).then_some((*output, arn))
}

/// The value of a property that cannot change, in characters that no ARN writes in another way.
fn given<'v>(kind: &RegistryType, properties: &'v Value, name: &str) -> Option<&'v str> {
    let text = properties.get(name)?.as_str()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let is_fixed = kind.create_only().iter().any(|path| path == name);
    (is_fixed && !text.is_empty() && text.chars().all(is_plain)).then_some(text)
}

/// Compares the ARN that AWS returned for these properties with the one that the plan foresaw.
///
/// # Errors
/// When it is another one.
pub(super) fn check(
    kind: &RegistryType,
    properties: &Value,
    returned: &Value,
) -> Result<(), Error> {
    let unknown = Place {
        partition: "",
        region: "",
        account: "",
    };
    let Some((output, _)) = arn(kind, properties, &unknown) else {
        return Ok(());
    };
    let returned = returned.get(output).and_then(Value::as_str);
    let returned = returned.unwrap_or_default();
    let parts: Vec<&str> = returned.splitn(6, ':').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    let place = Place {
        partition: part(1),
        region: part(3),
        account: part(4),
    };
    match arn(kind, properties, &place) {
        Some((_, foreseen)) if foreseen != returned => Err(Error::with_hint(
            format!(
                "AWS returned {returned:?} as {output} of {}, and the plan went by {foreseen:?}",
                kind.name()
            ),
            "Run the command again: the resource exists, and its ARN is known now.".to_owned(),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry_type;
    use serde_json::json;

    const PLACE: Place<'_> = Place {
        partition: "aws-cn",
        region: "cn-north-1",
        account: "123456789012",
    };

    fn foreseen(name: &str, properties: &Value) -> Option<String> {
        let kind = registry_type(name).expect("the registry has it");
        arn(kind, properties, &PLACE).map(|(_, arn)| arn)
    }

    #[test]
    fn a_name_that_the_file_gives_makes_the_arn() {
        for (name, property, expected) in [
            (
                "AWS::CloudTrail::Trail",
                "TrailName",
                "cloudtrail:cn-north-1:123456789012:trail/a-b",
            ),
            (
                "AWS::CloudWatch::Alarm",
                "AlarmName",
                "cloudwatch:cn-north-1:123456789012:alarm:a-b",
            ),
            (
                "AWS::DynamoDB::Table",
                "TableName",
                "dynamodb:cn-north-1:123456789012:table/a-b",
            ),
            (
                "AWS::ECR::Repository",
                "RepositoryName",
                "ecr:cn-north-1:123456789012:repository/a-b",
            ),
            (
                "AWS::ECS::Cluster",
                "ClusterName",
                "ecs:cn-north-1:123456789012:cluster/a-b",
            ),
            (
                "AWS::KinesisFirehose::DeliveryStream",
                "DeliveryStreamName",
                "firehose:cn-north-1:123456789012:deliverystream/a-b",
            ),
            (
                "AWS::Lambda::Function",
                "FunctionName",
                "lambda:cn-north-1:123456789012:function:a-b",
            ),
            ("AWS::S3::Bucket", "BucketName", "s3:::a-b"),
            (
                "AWS::SNS::Topic",
                "TopicName",
                "sns:cn-north-1:123456789012:a-b",
            ),
            (
                "AWS::SQS::Queue",
                "QueueName",
                "sqs:cn-north-1:123456789012:a-b",
            ),
        ] {
            let arn = foreseen(name, &json!({property: "a-b"}));
            assert_eq!(arn, Some(format!("arn:aws-cn:{expected}")));
            assert_eq!(foreseen(name, &json!({})), None, "{name}");
            assert_eq!(foreseen(name, &json!({property: null})), None, "{name}");
            assert_eq!(foreseen(name, &json!({property: "a:b"})), None, "{name}");
        }
        assert_eq!(TYPES.len(), 10);
    }

    #[test]
    fn what_no_service_is_known_to_keep_is_not_foreseen() {
        for (name, properties) in [
            ("AWS::Logs::LogGroup", json!({"LogGroupName": "a"})),
            ("AWS::SageMaker::Model", json!({"ModelName": "a"})),
            ("AWS::CloudFront::KeyValueStore", json!({"Name": "a"})),
        ] {
            assert_eq!(foreseen(name, &properties), None, "{name}");
        }
    }

    #[test]
    fn another_arn_than_the_foreseen_one_is_an_error() {
        let kind = registry_type("AWS::SQS::Queue").expect("the registry has it");
        let properties = json!({"QueueName": "jobs"});
        let check = |arn: &str| check(kind, &properties, &json!({"Arn": arn}));
        assert!(check("arn:aws:sqs:us-west-2:123456789012:jobs").is_ok());
        for other in ["arn:aws:sqs:us-west-2:123456789012:Jobs", "jobs", ""] {
            let error = check(other).expect_err("it is another one").to_string();
            assert!(error.contains("the plan went by"), "{error}");
        }
        assert!(super::check(kind, &json!({}), &json!({"Arn": "x"})).is_ok());
    }
}
