//! The policies that AWS manages, as far as stacks of functions and APIs use them: for names
//! that AWS does not have.

use crate::nearest::nearest;

/// The families of which [`NAMES`] has every policy that can be attached, as of 2026-10.
const FAMILIES: &[&str] = &[
    "AWSLambda",
    "AWSXRay",
    "AWSXray",
    "APIGateway",
    "AmazonAPIGateway",
    "AmazonSQS",
    "CloudWatchLambda",
    "CloudWatchLogs",
];

/// Their policies, with the path (AWS managed policy reference).
const NAMES: &[&str] = &[
    "AWSLambdaExecute",
    "AWSLambdaInvocation-DynamoDB",
    "AWSLambdaManagedEC2ResourceOperator",
    "AWSLambdaNetworkConnectorOperatorPolicy",
    "AWSLambda_FullAccess",
    "AWSLambda_ReadOnlyAccess",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayCrossAccountSharingConfiguration",
    "AWSXrayFullAccess",
    "AWSXrayReadOnlyAccess",
    "AWSXrayWriteOnlyAccess",
    "AmazonAPIGatewayAdministrator",
    "AmazonAPIGatewayInvokeFullAccess",
    "AmazonSQSFullAccess",
    "AmazonSQSReadOnlyAccess",
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
    "CloudWatchLambdaInsightsExecutionRolePolicy",
    "CloudWatchLogsAPIKeyAccess",
    "CloudWatchLogsCrossAccountSharingConfiguration",
    "CloudWatchLogsFullAccess",
    "CloudWatchLogsReadOnlyAccess",
    "service-role/AWSLambdaBasicDurableExecutionRolePolicy",
    "service-role/AWSLambdaBasicExecutionRole",
    "service-role/AWSLambdaDynamoDBExecutionRole",
    "service-role/AWSLambdaENIManagementAccess",
    "service-role/AWSLambdaKinesisExecutionRole",
    "service-role/AWSLambdaMSKExecutionRole",
    "service-role/AWSLambdaRole",
    "service-role/AWSLambdaSQSQueueExecutionRole",
    "service-role/AWSLambdaVPCAccessExecutionRole",
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs",
];

/// The path and name in the ARN of a policy that AWS manages, in any partition.
pub(crate) fn name_in(arn: &str) -> Option<&str> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", "aws", rest] = fields[..] else {
        return None;
    };
    let name = rest.strip_prefix("policy/")?;
    (partition.starts_with("aws") && !name.is_empty() && !name.ends_with('/')).then_some(name)
}

/// What is wrong with the ARN of a policy that AWS manages: no policy of a completely known family
/// has this path and name. The nearest one is given where one exists; `None` where nothing is known
/// to be wrong.
pub(crate) fn unknown(arn: &str) -> Option<Unknown> {
    let full = name_in(arn)?;
    let last = |full: &'static str| full.rsplit('/').next().unwrap_or(full);
    let name = full.rsplit('/').next().unwrap_or(full);
    let of_a_family = FAMILIES.iter().any(|family| {
        name.get(..family.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(family))
    });
    let same = NAMES
        .iter()
        .find(|known| last(known).eq_ignore_ascii_case(name));
    if NAMES.contains(&full) || (!of_a_family && same.is_none()) {
        return None;
    }
    let near = || {
        let found = nearest(name, NAMES.iter().map(|known| last(known)))?;
        NAMES.iter().find(|known| last(known) == found)
    };
    let start = &arn[..arn.len() - full.len()];
    Some(Unknown {
        nearest: same.or_else(near).map(|known| format!("{start}{known}")),
    })
}

/// An ARN under which AWS has no policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// The ARN that was likely meant.
    pub(crate) nearest: Option<String>,
}

impl Unknown {
    /// The text of a help line.
    pub(crate) fn help(&self) -> Option<String> {
        self.nearest
            .as_ref()
            .map(|arn| format!("did you mean {arn:?}?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest_of(name: &str) -> Option<Option<String>> {
        let found = unknown(&format!("arn:aws:iam::aws:policy/{name}"))?;
        let short = |arn: String| arn["arn:aws:iam::aws:policy/".len()..].to_owned();
        Some(found.nearest.map(short))
    }

    #[test]
    fn a_policy_that_aws_does_not_have_is_reported_with_the_nearest() {
        let basic = "service-role/AWSLambdaBasicExecutionRole";
        for name in [
            "AWSLambdaBasicExecutionRole",
            "service-role/AWSLambdaBasicExecutionrole",
            "service-role/AWSLambdaBasicExecutionRol",
            "Service-Role/AWSLambdaBasicExecutionRole",
        ] {
            assert_eq!(nearest_of(name), Some(Some(basic.to_owned())), "{name}");
        }
        let push = "service-role/AmazonAPIGatewayPushToCloudWatchLogs";
        let found = nearest_of("AmazonAPIGatewayPushToCloudWatchLogs");
        assert_eq!(found, Some(Some(push.to_owned())));
        let full = nearest_of("service-role/AmazonSQSFullAccess");
        assert_eq!(full, Some(Some("AmazonSQSFullAccess".to_owned())));
        assert_eq!(
            nearest_of("AWSLambdaOfMyDreamsWithEverythingInIt"),
            Some(None)
        );
    }

    #[test]
    fn what_aws_has_or_may_have_is_fine() {
        for arn in [
            "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
            "arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
            "arn:aws:iam::aws:policy/AWSLambda_FullAccess",
            "arn:aws:iam::aws:policy/SomethingNewOfAws",
            "arn:aws:iam::123456789012:policy/AWSLambdaMine",
            "arn:aws:iam::aws:policy/",
            "",
        ] {
            assert_eq!(unknown(arn), None, "{arn}");
        }
        let partition = unknown("arn:aws-cn:iam::aws:policy/AWSLambdaRole").unwrap();
        assert_eq!(
            partition.nearest.as_deref(),
            Some("arn:aws-cn:iam::aws:policy/service-role/AWSLambdaRole")
        );
    }
}
