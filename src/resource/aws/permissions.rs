//! Which permissions each call to AWS takes: one row an operation.
//!
//! An error names its call as `ACTION (Operation)`, or `service:Operation` where the action has
//! the operation's name. Sources: AWS's service authorization reference, and the permission
//! tables of the services' developer guides. `tests/permissions.rs` holds every call in the code
//! against these rows, and the emulator tests hold the rows against botocore's models.

/// What one operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// The operation in its API's words: `s3:HeadBucket`.
    pub operation: &'static str,
    /// The action that a policy must allow: `s3:ListBucket`.
    pub action: &'static str,
    /// Further actions that AWS checks, and when.
    pub also: &'static [Further],
}

/// An action that a call takes beside its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Further {
    /// The action.
    pub action: &'static str,
    /// When it is needed, as a clause: "for the role in credentialsArn".
    pub when: &'static str,
}

/// An action that has the operation's name.
const fn same(operation: &'static str) -> Permission {
    is(operation, operation)
}

const fn is(operation: &'static str, action: &'static str) -> Permission {
    Permission {
        operation,
        action,
        also: &[],
    }
}

const fn also(action: &'static str, when: &'static str) -> Further {
    Further { action, when }
}

impl Permission {
    const fn and(self, also: &'static [Further]) -> Self {
        Self { also, ..self }
    }

    /// The operation without its service.
    pub fn name(&self) -> &'static str {
        self.operation
            .split_once(':')
            .map_or(self.operation, |(_, name)| name)
    }
}

/// What a call takes, by the name that its errors have.
pub fn of_call(call: &str) -> Option<&'static Permission> {
    let (service, rest) = call.split_once(':')?;
    let name = match rest.split_once(" (") {
        Some((_, operation)) => operation.trim_end_matches(')'),
        None => rest,
    };
    TABLE.iter().find(|row| {
        row.operation
            .strip_prefix(service)
            .and_then(|rest| rest.strip_prefix(':'))
            == Some(name)
    })
}

/// The permissions that a denied call may lack, in words: `s3:ListBucket`, or
/// `lambda:CreateFunction (and iam:PassRole for the function's role)`.
pub fn needed(call: &str) -> String {
    let action = action(call);
    let further = of_call(call).map_or(&[][..], |row| row.also);
    let further: Vec<String> = further
        .iter()
        .filter(|more| more.action != action)
        .map(|more| format!("{} {}", more.action, more.when))
        .collect();
    match further.is_empty() {
        true => action.to_owned(),
        false => format!("{action} (and {})", further.join(", ")),
    }
}

/// The action in the name that a call's errors have.
pub fn action(call: &str) -> &str {
    call.split_once(" (").map_or(call, |(action, _)| action)
}

const POST: &str = "apigateway:POST";
const GET: &str = "apigateway:GET";
const PATCH: &str = "apigateway:PATCH";
const DELETE: &str = "apigateway:DELETE";
const PUT: &str = "apigateway:PUT";

const TAGGED_API: &[Further] = &[also("apigateway:TagResource", "for its tags")];
const PASS_INTEGRATION: &[Further] = &[also("iam:PassRole", "for the role in credentialsArn")];
const PASS_FUNCTION: &[Further] = &[
    also("iam:PassRole", "for the function's role"),
    also("s3:GetObject", "for code in a bucket"),
    also("lambda:TagResource", "for its tags"),
    also(
        "ec2:DescribeSecurityGroups, ec2:DescribeSubnets and ec2:DescribeVpcs",
        "for vpcConfig",
    ),
    also("lambda:GetLayerVersion", "for its layers"),
];
const CODE: &[Further] = &[also("s3:GetObject", "for code in a bucket")];
const PASS_ACCOUNT: &[Further] = &[also("iam:PassRole", "for the role")];
const TAGGED_ROLE: &[Further] = &[also("iam:TagRole", "for its tags")];
const TAGGED_POLICY: &[Further] = &[also("iam:TagPolicy", "for its tags")];
const TAGGED_QUEUE: &[Further] = &[also("sqs:TagQueue", "for its tags")];
const PASS_SUBSCRIPTION: &[Further] = &[also("iam:PassRole", "for subscriptionRoleArn")];
const PASS_FEEDBACK: &[Further] = &[also("iam:PassRole", "for roles of delivery status")];
const TAGGED_TOPIC: &[Further] = &[also("sns:TagResource", "for its tags"), PASS_FEEDBACK[0]];
const TAGGED_GROUP: &[Further] = &[also("logs:TagResource", "for its tags")];
const TAGGED_MAPPING: &[Further] = &[also("lambda:TagResource", "for its tags")];
const TAGGED_BUCKET: &[Further] = &[
    also("s3:TagResource", "for its tags"),
    also(
        "s3:PutBucketObjectLockConfiguration and s3:PutBucketVersioning",
        "for objectLockEnabled",
    ),
];
const GOVERNED: &[Further] = &[
    also("s3:DeleteObjectVersion", "for a version"),
    also(
        "s3:BypassGovernanceRetention",
        "for versions under retention",
    ),
];
const OBJECT: &[Further] = &[
    also("s3:PutObjectTagging", "for its tags"),
    also("s3:PutObjectAcl", "for acl"),
    also(
        "s3:PutObjectRetention and s3:PutObjectLegalHold",
        "for object lock",
    ),
    also("kms:GenerateDataKey and kms:Decrypt", "for kmsKeyId"),
];

/// Every operation that stackctl calls.
pub static TABLE: &[Permission] = &[
    is("apigateway:CreateApi", POST).and(TAGGED_API),
    is("apigateway:CreateDeployment", POST),
    is("apigateway:CreateIntegration", POST).and(PASS_INTEGRATION),
    is("apigateway:CreateIntegrationResponse", POST),
    is("apigateway:CreateRoute", POST),
    is("apigateway:CreateRouteResponse", POST),
    is("apigateway:CreateStage", POST).and(TAGGED_API),
    is("apigateway:DeleteAccessLogSettings", DELETE),
    is("apigateway:DeleteApi", DELETE),
    is("apigateway:DeleteCorsConfiguration", DELETE),
    is("apigateway:DeleteDeployment", DELETE),
    is("apigateway:DeleteIntegration", DELETE),
    is("apigateway:DeleteIntegrationResponse", DELETE),
    is("apigateway:DeleteRoute", DELETE),
    is("apigateway:DeleteRouteRequestParameter", DELETE),
    is("apigateway:DeleteRouteResponse", DELETE),
    is("apigateway:DeleteRouteSettings", DELETE),
    is("apigateway:DeleteStage", DELETE),
    is("apigateway:GetAccount", GET),
    is("apigateway:GetApi", GET),
    is("apigateway:GetApis", GET),
    is("apigateway:GetDeployment", GET),
    is("apigateway:GetDeployments", GET),
    is("apigateway:GetIntegration", GET),
    is("apigateway:GetIntegrationResponse", GET),
    is("apigateway:GetIntegrationResponses", GET),
    is("apigateway:GetIntegrations", GET),
    is("apigateway:GetRoute", GET),
    is("apigateway:GetRouteResponse", GET),
    is("apigateway:GetRouteResponses", GET),
    is("apigateway:GetRoutes", GET),
    is("apigateway:GetStage", GET),
    is("apigateway:ReimportApi", PUT),
    is("apigateway:TagResource", POST),
    is("apigateway:UntagResource", DELETE),
    is("apigateway:UpdateAccount", PATCH).and(PASS_ACCOUNT),
    is("apigateway:UpdateApi", PATCH),
    is("apigateway:UpdateDeployment", PATCH),
    is("apigateway:UpdateIntegration", PATCH).and(PASS_INTEGRATION),
    is("apigateway:UpdateIntegrationResponse", PATCH),
    is("apigateway:UpdateRoute", PATCH),
    is("apigateway:UpdateRouteResponse", PATCH),
    is("apigateway:UpdateStage", PATCH),
    same("iam:AttachRolePolicy"),
    same("iam:CreatePolicy").and(TAGGED_POLICY),
    same("iam:CreatePolicyVersion"),
    same("iam:CreateRole").and(TAGGED_ROLE),
    same("iam:DeletePolicy"),
    same("iam:DeletePolicyVersion"),
    same("iam:DeleteRole"),
    same("iam:DeleteRolePermissionsBoundary"),
    same("iam:DeleteRolePolicy"),
    same("iam:DetachRolePolicy"),
    same("iam:GetPolicy"),
    same("iam:GetPolicyVersion"),
    same("iam:GetRole"),
    same("iam:GetRolePolicy"),
    same("iam:ListAttachedRolePolicies"),
    same("iam:ListEntitiesForPolicy"),
    same("iam:ListInstanceProfilesForRole"),
    same("iam:ListPolicies"),
    same("iam:ListPolicyVersions"),
    same("iam:ListRolePolicies"),
    same("iam:ListRoles"),
    same("iam:PutRolePermissionsBoundary"),
    same("iam:PutRolePolicy"),
    same("iam:RemoveRoleFromInstanceProfile"),
    same("iam:TagPolicy"),
    same("iam:TagRole"),
    same("iam:UntagPolicy"),
    same("iam:UntagRole"),
    same("iam:UpdateAssumeRolePolicy"),
    same("iam:UpdateRole"),
    same("lambda:AddPermission"),
    same("lambda:CreateEventSourceMapping").and(TAGGED_MAPPING),
    same("lambda:CreateFunction").and(PASS_FUNCTION),
    same("lambda:DeleteEventSourceMapping"),
    same("lambda:DeleteFunction"),
    same("lambda:DeleteFunctionCodeSigningConfig"),
    same("lambda:DeleteFunctionConcurrency"),
    same("lambda:GetEventSourceMapping"),
    same("lambda:GetFunction"),
    same("lambda:GetFunctionCodeSigningConfig"),
    same("lambda:GetPolicy"),
    is("lambda:Invoke", "lambda:InvokeFunction"),
    same("lambda:ListEventSourceMappings"),
    same("lambda:ListFunctions"),
    same("lambda:ListTags"),
    same("lambda:PublishVersion"),
    same("lambda:PutFunctionCodeSigningConfig"),
    same("lambda:PutFunctionConcurrency"),
    same("lambda:RemovePermission"),
    same("lambda:TagResource"),
    same("lambda:UntagResource"),
    same("lambda:UpdateEventSourceMapping"),
    same("lambda:UpdateFunctionCode").and(CODE),
    same("lambda:UpdateFunctionConfiguration").and(PASS_FUNCTION),
    same("logs:AssociateKmsKey"),
    same("logs:CreateLogGroup").and(TAGGED_GROUP),
    same("logs:DeleteLogGroup"),
    same("logs:DeleteRetentionPolicy"),
    same("logs:DescribeLogGroups"),
    same("logs:DisassociateKmsKey"),
    same("logs:FilterLogEvents"),
    same("logs:ListTagsForResource"),
    same("logs:PutLogGroupDeletionProtection"),
    same("logs:PutRetentionPolicy"),
    same("logs:TagResource"),
    same("logs:UntagResource"),
    same("s3:AbortMultipartUpload"),
    is("s3:CompleteMultipartUpload", "s3:PutObject"),
    same("s3:CreateBucket").and(TAGGED_BUCKET),
    is("s3:CreateMultipartUpload", "s3:PutObject").and(OBJECT),
    same("s3:DeleteBucket"),
    is(
        "s3:DeleteBucketOwnershipControls",
        "s3:PutBucketOwnershipControls",
    ),
    same("s3:DeleteBucketPolicy"),
    is("s3:DeleteBucketTagging", "s3:PutBucketTagging"),
    same("s3:DeleteObject").and(GOVERNED),
    same("s3:DeleteObjectTagging"),
    is("s3:DeleteObjects", "s3:DeleteObject").and(GOVERNED),
    is(
        "s3:DeletePublicAccessBlock",
        "s3:PutBucketPublicAccessBlock",
    ),
    same("s3:GetBucketAcl"),
    same("s3:GetBucketOwnershipControls"),
    same("s3:GetBucketPolicy"),
    same("s3:GetBucketTagging"),
    same("s3:GetBucketVersioning"),
    same("s3:GetObject"),
    is(
        "s3:GetObjectLockConfiguration",
        "s3:GetBucketObjectLockConfiguration",
    ),
    same("s3:GetObjectTagging"),
    is("s3:GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    is("s3:HeadBucket", "s3:ListBucket"),
    is("s3:HeadObject", "s3:GetObject"),
    is("s3:ListBuckets", "s3:ListAllMyBuckets"),
    is("s3:ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    is("s3:ListObjectVersions", "s3:ListBucketVersions"),
    is("s3:ListObjectsV2", "s3:ListBucket"),
    same("s3:PutBucketAcl"),
    same("s3:PutBucketOwnershipControls"),
    same("s3:PutBucketPolicy"),
    same("s3:PutBucketTagging"),
    same("s3:PutBucketVersioning"),
    same("s3:PutObject").and(OBJECT),
    same("s3:PutObjectAcl"),
    same("s3:PutObjectLegalHold"),
    same("s3:PutObjectRetention"),
    same("s3:PutObjectTagging"),
    is("s3:PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    is("s3:UploadPart", "s3:PutObject"),
    same("sns:CreateTopic").and(TAGGED_TOPIC),
    same("sns:DeleteTopic"),
    same("sns:GetSubscriptionAttributes"),
    same("sns:GetTopicAttributes"),
    same("sns:ListSubscriptionsByTopic"),
    same("sns:ListTagsForResource"),
    same("sns:ListTopics"),
    same("sns:SetSubscriptionAttributes").and(PASS_SUBSCRIPTION),
    same("sns:SetTopicAttributes").and(PASS_FEEDBACK),
    same("sns:Subscribe").and(PASS_SUBSCRIPTION),
    same("sns:TagResource"),
    same("sns:Unsubscribe"),
    same("sns:UntagResource"),
    same("sqs:CreateQueue").and(TAGGED_QUEUE),
    same("sqs:DeleteQueue"),
    same("sqs:GetQueueAttributes"),
    same("sqs:GetQueueUrl"),
    same("sqs:ListQueueTags"),
    same("sqs:ListQueues"),
    same("sqs:SetQueueAttributes"),
    same("sqs:TagQueue"),
    same("sqs:UntagQueue"),
    same("sts:GetCallerIdentity"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_found_by_its_name_with_and_without_the_operation() {
        let head = of_call("s3:ListBucket (HeadBucket)").unwrap();
        assert_eq!((head.name(), head.action), ("HeadBucket", "s3:ListBucket"));
        assert_eq!(of_call("iam:CreateRole").unwrap().action, "iam:CreateRole");
        assert_eq!(of_call("s3:NoSuchCall"), None);
    }

    #[test]
    fn a_calls_actions_are_listed_with_the_conditional_ones() {
        assert_eq!(needed("s3:ListBucket (HeadBucket)"), "s3:ListBucket");
        assert_eq!(
            needed("apigateway:POST (CreateIntegration)"),
            "apigateway:POST (and iam:PassRole for the role in credentialsArn)"
        );
        assert_eq!(
            needed("s3:DeleteObjectVersion (DeleteObject)"),
            "s3:DeleteObjectVersion (and s3:BypassGovernanceRetention for versions under retention)"
        );
    }
}
