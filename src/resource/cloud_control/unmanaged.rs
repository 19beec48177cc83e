//! Types that Cloud Control cannot manage, and what can in their place.

use crate::data::Path;
use crate::registry::{self, Handler, RegistryType};
use crate::resource::rules::{Caution, Refused};
use crate::schema::broken::Broken;

/// The types of which another one does the same, and that.
const SIBLINGS: &[(&str, &[&str])] = &[
    (
        "AWS::CloudFront::StreamingDistribution",
        &["AWS::CloudFront::Distribution"],
    ),
    (
        "AWS::ElastiCache::SecurityGroup",
        &["AWS::EC2::SecurityGroup"],
    ),
    (
        "AWS::ElastiCache::SecurityGroupIngress",
        &["AWS::EC2::SecurityGroupIngress"],
    ),
    (
        "AWS::IAM::Policy",
        &[
            "aws:iam:RolePolicy",
            "AWS::IAM::UserPolicy",
            "AWS::IAM::GroupPolicy",
        ],
    ),
    ("AWS::IAM::UserToGroupAddition", &["AWS::IAM::User"]),
    ("AWS::Lambda::ResourcePolicy", &["aws:lambda:Permission"]),
    ("AWS::RDS::DBSecurityGroup", &["AWS::EC2::SecurityGroup"]),
    (
        "AWS::RDS::DBSecurityGroupIngress",
        &["AWS::EC2::SecurityGroupIngress"],
    ),
    ("AWS::Route53::RecordSetGroup", &["AWS::Route53::RecordSet"]),
    ("AWS::SNS::TopicPolicy", &["AWS::SNS::TopicInlinePolicy"]),
    (
        "AWS::SQS::QueuePolicy",
        &["aws:sqs:QueuePolicy", "AWS::SQS::QueueInlinePolicy"],
    ),
];

fn unmanaged(kind: &RegistryType, why: &str) -> Broken {
    let name = kind.name();
    let mut rows = SIBLINGS.iter();
    let siblings = rows.find_map(|(of, siblings)| (*of == name).then(|| siblings.join(" or ")));
    let message = format!("{name} cannot be managed through Cloud Control: {why}");
    let help = siblings.map(|siblings| format!("use {siblings}"));
    Broken::new(Path::root(), message).help(help)
}

/// Why the type cannot be managed, by its own schema.
pub fn broken(kind: &RegistryType) -> Option<Broken> {
    let needed = [Handler::Create, Handler::Read, Handler::Delete];
    let missing = needed
        .into_iter()
        .find(|handler| kind.handler(*handler).is_none())?;
    let why = match kind.handlers().next() {
        None => "AWS has no handlers for it".to_owned(),
        Some(_) => format!("AWS has no {} handler for it", missing.name()),
    };
    Some(unmanaged(kind, &why))
}

/// Why it perhaps cannot: the list of types that Cloud Control supports lacks it, and may
/// be older than the type.
pub(super) fn caution(kind: &RegistryType) -> Option<Caution> {
    let is_listed = registry::is_in_cloud_control(kind.name()) || broken(kind).is_some();
    let why = "the known list of the types that Cloud Control supports does not have it";
    (!is_listed).then(|| Caution {
        broken: unmanaged(kind, why),
        refused: Refused::Perhaps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::table::native;

    #[test]
    fn what_is_named_in_place_of_a_type_can_be_managed() {
        for (name, siblings) in SIBLINGS {
            let kind = registry::registry_type(name).expect("the registry has it");
            let found = broken(kind).or_else(|| caution(kind).map(|caution| caution.broken));
            let help = found.expect("it is reported").help;
            assert_eq!(help, Some(format!("use {}", siblings.join(" or "))));
            for sibling in *siblings {
                let is_own = native().resources().contains_key(sibling);
                assert!(
                    is_own || registry::is_in_cloud_control(sibling),
                    "{sibling}"
                );
            }
        }
    }
}
