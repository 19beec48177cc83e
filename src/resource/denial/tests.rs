use super::*;

const WHO: &str = "arn:aws:sts::123456789012:assumed-role/ci/run";

fn hint(call: &str, message: &str) -> String {
    Denial::parse(message).hint(call)
}

#[test]
fn the_action_that_aws_names_is_reported() {
    let role = "arn:aws:iam::123456789012:role/worker";
    let message = format!(
        "User: {WHO} is not authorized to perform: iam:PassRole on resource: {role} because no \
         identity-based policy allows the iam:PassRole action"
    );
    let denial = Denial::parse(&message);
    assert_eq!(denial.action.as_deref(), Some("iam:PassRole"));
    assert_eq!(denial.resource.as_deref(), Some(role));
    assert_eq!(denial.principal.as_deref(), Some(WHO));
    assert_eq!(denial.kind, Kind::NoAllow(Policy::Identity));
    assert_eq!(
        hint("lambda:CreateFunction", &message),
        format!("Allow iam:PassRole on {role} for {WHO}, then run the command again.")
    );
    // S3 quotes its resources.
    let message = format!(
        "User: {WHO} is not authorized to perform: s3:TagResource on resource: \
         \"arn:aws:s3:::bucket\" because no identity-based policy allows the s3:TagResource action"
    );
    let told = hint("s3:CreateBucket", &message);
    assert!(
        told.starts_with("Allow s3:TagResource on arn:aws:s3:::bucket for arn:"),
        "{told}"
    );
    let message = format!(
        "User: {WHO} is not authorized to perform: iam:TagRole on resource: {role} because no \
         identity-based policy allows the iam:TagRole action"
    );
    let told = hint("iam:CreateRole", &message);
    assert!(told.starts_with("Allow iam:TagRole on "), "{told}");
    // Lambda, of its code.
    let message = "Your access has been denied by S3, please make sure your request credentials \
                   have permission to GetObject for code/app.zip. S3 Error Code: AccessDenied. S3 \
                   Error Message: Access Denied";
    assert_eq!(
        hint("lambda:CreateFunction", message),
        "Allow s3:GetObject for the identity in use, then run the command again."
    );
    // STS has no colon, and SQS writes small letters.
    let message = format!(
        "User: {WHO} is not authorized to perform: sqs:createqueue on resource: \
         arn:aws:sqs:us-west-2:123456789012:q because no identity-based policy allows the \
         sqs:createqueue action"
    );
    assert!(hint("sqs:CreateQueue", &message).starts_with("Allow sqs:CreateQueue on arn:"));
}

#[test]
fn where_an_allow_does_not_help_none_is_asked_for() {
    let denied = |why: &str| {
        hint(
            "sqs:CreateQueue",
            &format!(
                "User: {WHO} is not authorized to perform: sqs:CreateQueue on resource: q {why}"
            ),
        )
    };
    for (why, told) in [
        (
            "with an explicit deny in a service control policy",
            "An explicit deny in a service control policy of the organization forbids",
        ),
        (
            "with an explicit deny in a service control policy: \
             arn:aws:organizations::123456789012:policy/o-a/service_control_policy/p-a",
            "An explicit deny in a service control policy of the organization forbids",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "An explicit deny in an identity-based policy forbids",
        ),
        (
            "with an explicit deny in a permissions boundary",
            "An explicit deny in the permissions boundary forbids",
        ),
        (
            "with an explicit deny in a session policy",
            "An explicit deny in the session policy forbids",
        ),
        (
            "with an explicit deny in a resource-based policy",
            "An explicit deny in the resource's own policy forbids",
        ),
        (
            "with an explicit deny in a resource control policy",
            "An explicit deny in a resource control policy of the organization forbids",
        ),
        (
            "with an explicit deny in a VPC endpoint policy",
            "An explicit deny in the VPC endpoint's policy forbids",
        ),
        (
            "with an explicit deny",
            "An explicit deny in a policy forbids",
        ),
        (
            "because no permissions boundary allows the sqs:CreateQueue action",
            "The permissions boundary does not allow",
        ),
        (
            "because no service control policy allows the sqs:CreateQueue action",
            "A service control policy of the organization does not allow",
        ),
        (
            "because no session policy allows the sqs:CreateQueue action",
            "The session policy does not allow",
        ),
        (
            "because no resource-based policy allows the sqs:CreateQueue action",
            "The resource's own policy does not allow",
        ),
        (
            "because no VPC endpoint policy allows the sqs:CreateQueue action",
            "The VPC endpoint's policy does not allow",
        ),
    ] {
        let hint = denied(why);
        assert!(hint.starts_with(told), "{why}: {hint}");
        assert!(
            hint.contains(&format!("sqs:CreateQueue on q to {WHO}")),
            "{hint}"
        );
        assert!(!hint.contains("Allow sqs"), "{hint}");
    }
}

#[test]
fn an_encoded_message_is_to_be_decoded() {
    let message = "You are not authorized to perform this operation. Encoded authorization \
                   failure message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm";
    let denial = Denial::parse(message);
    assert_eq!((denial.kind, denial.action.clone()), (Kind::Encoded, None));
    let hint = denial.hint("ec2:RunInstances");
    assert!(
        hint.contains("aws sts decode-authorization-message"),
        "{hint}"
    );
}

#[test]
fn a_bare_denial_names_the_call() {
    assert_eq!(
        hint("s3:DeleteObject (DeleteObjects)", ""),
        "Allow s3:DeleteObject (and s3:DeleteObjectVersion for a version, \
         s3:BypassGovernanceRetention for versions under retention) for the identity in use, then \
         run the command again."
    );
    for message in ["Access Denied", ""] {
        assert_eq!(
            hint("s3:GetBucketPolicy", message),
            "Allow s3:GetBucketPolicy for the identity in use, then run the command again."
        );
    }
}
