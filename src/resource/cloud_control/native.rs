//! The types of stackctl's own that do the same as types of the registry.

use crate::resource::types::Types;

/// Types that are called differently here.
const CALLED: &[(&str, &str)] = &[
    ("AWS::ApiGateway::Account", "aws:apigateway:Account"),
    // A policy of a role, a user or a group, which no policy of its own is.
    ("AWS::IAM::Policy", "aws:iam:RolePolicy"),
    ("AWS::IAM::ManagedPolicy", "aws:iam:Policy"),
    ("AWS::Logs::LogGroup", "aws:cloudwatch:LogGroup"),
    ("AWS::SNS::Subscription", "aws:sns:TopicSubscription"),
];

/// The type of our own that does what this type of the registry does: `aws:sqs:Queue` of
/// `AWS::SQS::Queue`.
pub fn native(types: &Types, name: &str) -> Option<&'static str> {
    let mut called = CALLED.iter();
    if let Some((_, own)) = called.find(|(registry, _)| *registry == name) {
        return Some(own);
    }
    let mut parts = name.strip_prefix("AWS::")?.split("::");
    let (service, kind) = (parts.next()?.to_lowercase(), parts.next()?);
    let wanted = format!("aws:{service}:{kind}");
    types.resources().keys().copied().find(|own| *own == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;
    use crate::resource::table::native as own_types;
    use std::collections::BTreeSet;

    #[test]
    fn types_of_one_name_and_those_called_differently_are_found() {
        let types = own_types();
        let of = |name: &str| native(types, name);
        assert_eq!(of("AWS::SQS::Queue"), Some("aws:sqs:Queue"));
        assert_eq!(of("AWS::ApiGatewayV2::Api"), Some("aws:apigatewayv2:Api"));
        assert_eq!(of("AWS::IAM::ManagedPolicy"), Some("aws:iam:Policy"));
        assert_eq!(of("AWS::DynamoDB::Table"), None);
        for (registry, own) in CALLED {
            assert!(registry::registry_type(registry).is_some(), "{registry}");
            assert!(types.resources().contains_key(own), "{own}");
        }
    }

    #[test]
    fn each_of_our_own_types_is_found_but_for_those_that_the_registry_has_no_type_for() {
        let types = own_types();
        let found: BTreeSet<&str> = registry::names()
            .iter()
            .filter_map(|name| native(types, name))
            .collect();
        let alone: Vec<&str> = types
            .resources()
            .keys()
            .copied()
            .filter(|own| own.starts_with("aws:") && !found.contains(own))
            .collect();
        assert_eq!(
            alone,
            [
                "aws:iam:RolePolicyAttachment",
                "aws:s3:BucketAcl",
                "aws:s3:BucketObject",
                "aws:s3:BucketOwnershipControls",
                "aws:s3:BucketPublicAccessBlock",
                "aws:s3:BucketVersioning",
            ]
        );
    }
}
