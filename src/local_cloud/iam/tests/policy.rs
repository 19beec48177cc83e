//! Customer managed policies and their versions.

use super::*;

#[tokio::test]
async fn a_policy_reads_back_as_written() {
    let cloud = Cloud::new();
    let iam = client(&cloud).await;
    let create = |name: &str| {
        iam.create_policy()
            .policy_name(name)
            .policy_document(allow("sqs:*"))
    };
    let made = create("p")
        .path("/x/")
        .description("d")
        .tags(tag("a", "b"))
        .send()
        .await
        .unwrap();
    let arn = made.policy.unwrap().arn.unwrap();
    assert_eq!(arn, "arn:aws:iam::000000000000:policy/x/p");
    let policy = iam
        .get_policy()
        .policy_arn(&arn)
        .send()
        .await
        .unwrap()
        .policy
        .unwrap();
    assert_eq!(policy.description.as_deref(), Some("d"));
    assert_eq!(policy.default_version_id.as_deref(), Some("v1"));
    assert_eq!(policy.path.as_deref(), Some("/x/"));
    assert_eq!(policy.tags.unwrap(), [tag("a", "b")]);
    assert!(policy.policy_id.unwrap().starts_with("ANPA"));
    iam.tag_policy()
        .policy_arn(&arn)
        .tags(tag("c", "d"))
        .send()
        .await
        .unwrap();
    iam.untag_policy()
        .policy_arn(&arn)
        .tag_keys("a")
        .send()
        .await
        .unwrap();
    let tags = iam
        .list_policy_tags()
        .policy_arn(&arn)
        .send()
        .await
        .unwrap()
        .tags;
    assert_eq!(tags, [tag("c", "d")]);
    let scope = aws_sdk_iam::types::PolicyScopeType::Local;
    let listed = iam
        .list_policies()
        .scope(scope)
        .send()
        .await
        .unwrap()
        .policies
        .unwrap();
    assert_eq!(listed[0].arn.as_deref(), Some(arn.as_str()));
    assert_refused!(
        create("P"),
        "EntityAlreadyExists",
        "A policy called P already exists"
    );
    assert_refused!(create("q/r"), "ValidationError", "policyName");
    let with = |document: &str| create("q").policy_document(document);
    assert_refused!(with("x"), "MalformedPolicyDocument");
    assert_refused!(
        with("{\"Version\":\"2012-10-17\"}"),
        "MalformedPolicyDocument",
        "Statement"
    );
    assert_refused!(
        with(&allow("sqs:*").replace("2012", "2008")),
        "MalformedPolicyDocument",
        "version"
    );
    assert_refused!(
        with(&allow("sqs:*").replace('{', "{\u{2003}")),
        "ValidationError"
    );
    assert_refused!(
        with(&allow(&format!("a:{}", "b".repeat(6144)))),
        "LimitExceeded",
        "PolicySize: 6144"
    );
    let spaced = allow("sqs:*").replace(',', &format!(",{}", " ".repeat(6144)));
    with(&spaced).send().await.unwrap();
}

#[tokio::test]
async fn a_policy_has_up_to_five_versions() {
    let (_, iam) = with_policy().await;
    let create = |action: &str| {
        iam.create_policy_version()
            .policy_arn(POLICY_ARN)
            .policy_document(allow(action))
            .set_as_default(true)
    };
    for n in 2..=5 {
        let made = create(&format!("s{n}:*"))
            .send()
            .await
            .unwrap()
            .policy_version
            .unwrap();
        assert_eq!(made.version_id.unwrap(), format!("v{n}"));
        assert!(made.is_default_version);
    }
    assert_refused!(create("s6:*"), "LimitExceeded", "up to 5 versions");
    let delete = |id: &str| {
        iam.delete_policy_version()
            .policy_arn(POLICY_ARN)
            .version_id(id)
    };
    assert_refused!(delete("v5"), "DeleteConflict", "default version");
    assert_refused!(delete("v9"), "NoSuchEntity");
    assert_refused!(delete("5"), "ValidationError");
    delete("v1").send().await.unwrap();
    let made = create("s6:*").send().await.unwrap().policy_version.unwrap();
    assert_eq!(made.version_id.as_deref(), Some("v6"));
    let get = |id: &str| {
        iam.get_policy_version()
            .policy_arn(POLICY_ARN)
            .version_id(id)
    };
    let version = get("v6").send().await.unwrap().policy_version.unwrap();
    assert_eq!(
        decoded(&version.document.unwrap())["Statement"][0]["Action"],
        "s6:*"
    );
    assert_refused!(get("v1"), "NoSuchEntity");
    iam.set_default_policy_version()
        .policy_arn(POLICY_ARN)
        .version_id("v2")
        .send()
        .await
        .unwrap();
    let listed = iam
        .list_policy_versions()
        .policy_arn(POLICY_ARN)
        .send()
        .await
        .unwrap()
        .versions
        .unwrap();
    let shown: Vec<_> = listed
        .iter()
        .map(|v| (v.version_id.as_deref().unwrap(), v.is_default_version))
        .collect();
    assert_eq!(
        shown,
        [
            ("v6", false),
            ("v5", false),
            ("v4", false),
            ("v3", false),
            ("v2", true)
        ]
    );
    assert_refused!(
        iam.delete_policy().policy_arn(POLICY_ARN),
        "DeleteConflict",
        "more than one version"
    );
    let aws = "arn:aws:iam::aws:policy/AdministratorAccess";
    assert!(iam.get_policy().policy_arn(aws).send().await.is_ok());
    assert_refused!(iam.delete_policy().policy_arn(aws), "AccessDenied");
    assert_refused!(iam.list_users(), "InvalidAction");
}
