//! Policy documents: what their grammar says, and roles. SK050x and SK051x.

use super::rule::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::refused("SK0501", "A policy is a JSON document")
        .why("IAM and the services refuse a policy that cannot be read (IAM user guide, \"Grammar of the IAM JSON policy language\").")
        .fix("write the policy as YAML, or as a JSON string")
        .examples(
            r#"p: {type: "aws:iam:Policy", properties: {policy: "{Version: 2012-10-17}"}}"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        ),
    Rule::refused("SK0502", "A policy has the elements of the grammar")
        .why("An element that the grammar does not have is refused (IAM user guide, \"IAM JSON policy elements reference\").")
        .fix("write the name of an element")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*", Resources: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        ),
    Rule::refused("SK0503", "The version of a policy is 2012-10-17 or 2008-10-17")
        .why("The version is that of the language, not of the document; IAM knows these two (IAM user guide, \"IAM JSON policy elements: Version\").")
        .fix("write Version: \"2012-10-17\"")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2024-01-31"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        ),
    Rule::refused("SK0504", "A policy has a statement")
        .why("IAM refuses a policy without Statement (IAM user guide, \"IAM JSON policy elements: Statement\").")
        .fix("add a Statement")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17""#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        ),
    Rule::refused("SK0505", "A statement allows or denies")
        .why("Effect is Allow or Deny, with a capital (IAM user guide, \"IAM JSON policy elements: Effect\").")
        .fix("write Effect: Allow or Effect: Deny")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: allow, Action: "sqs:SendMessage", Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        ),
    Rule::refused("SK0506", "A statement has Action or NotAction")
        .why("A statement has one of the two (IAM user guide, \"Grammar of the IAM JSON policy language\").")
        .fix("add Action")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Resource: "*"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        ),
    Rule::refused("SK0507", "A statement of an identity has Resource or NotResource")
        .why("A policy of a user, group or role says what it is about, with one of the two (IAM user guide, \"IAM JSON policy elements: Resource\").")
        .fix("add Resource")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        ),
    Rule::refused("SK0508", "A policy of a resource or role says who is meant")
        .why("Trust policies and the policies of resources name a Principal: \"*\", or an object by kind (IAM user guide, \"AWS JSON policy elements: Principal\").")
        .fix("add Principal, such as {Service: lambda.amazonaws.com}")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sts:AssumeRole"}]"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]"#,
        ),
    Rule::refused("SK0509", "An element stands where it has a place")
        .why("A trust policy has no Resource, and the policy of an identity has no Principal (IAM user guide, \"Grammar of the IAM JSON policy language\").")
        .fix("take the element out")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole", Resource: "*"}]"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]"#,
        ),
    Rule::refused("SK0510", "A policy keeps the quota of characters")
        .why("A managed policy has 6,144 characters, a trust policy 2,048 (4,096 at most), the inline policies of a role 10,240, white space aside (IAM user guide, \"IAM and AWS STS quotas\").")
        .fix("split the policy, or name several actions by one pattern")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "${[for n in range(200) : \"arn:aws:sqs:*:*:orders-with-a-long-name-${n}\"]}"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        ),
    Rule::refused("SK0511", "A policy has characters up to U+00FF")
        .why("IAM refuses others (IAM API, CreatePolicy, `PolicyDocument`).")
        .fix("replace the character")
        .examples(
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Sid: "Orders", Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:aws:sqs:*:*:orders–new"}]"#,
            r#"p:
  type: aws:iam:Policy
  properties:
    policy:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]"#,
        ),
    Rule::refused("SK0512", "A role names each inline policy once")
        .why("Two inline policies of one name would be one (IAM API, PutRolePolicy).")
        .fix("give them two names")
        .examples(
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}
    inlinePolicies:
      - {name: send, policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]}}
      - {name: send, policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]}}"#,
            r#"r:
  type: aws:iam:Role
  properties:
    assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}
    inlinePolicies:
      - {name: send, policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:${data.partition.partition}:sqs:*:*:orders"}]}}"#,
        ),
    Rule::refused("SK0513", "A role is named by its name")
        .why("Attachments and inline policies name a role by its name, without ARN and path (IAM API, AttachRolePolicy, `RoleName`).")
        .fix("write the name, as in ${role.name}")
        .examples(
            r#"a: {type: "aws:iam:RolePolicyAttachment", properties: {role: "role/orders", policyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"}}"#,
            r#"a: {type: "aws:iam:RolePolicyAttachment", properties: {role: "${role.name}", policyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"}}"#,
        ),
    Rule::warning("SK0514", "AWS manages the policy that is named")
        .why("An ARN of the account aws names one of the policies that AWS manages; IAM refuses one that does not exist (AWS managed policy reference guide). This is a warning, since a new policy may be newer than stackctl.")
        .fix("write the name of the reference guide")
        .examples(
            r#"a: {type: "aws:iam:RolePolicyAttachment", properties: {role: "${role.name}", policyArn: "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"}}"#,
            r#"a: {type: "aws:iam:RolePolicyAttachment", properties: {role: "${role.name}", policyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"}}"#,
        ),
];
