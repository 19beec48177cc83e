//! Roles, and what holds them.

use super::*;

#[tokio::test]
async fn a_role_reads_back_as_written() {
    let (cloud, iam) = with_policy().await;
    let made = iam
        .create_role()
        .role_name("full")
        .path("/a/b/")
        .description("é & <b>")
        .max_session_duration(7200)
        .permissions_boundary(POLICY_ARN)
        .assume_role_policy_document(trust())
        .tags(tag("Owner", "a+b c"))
        .tags(tag("Empty", ""))
        .send()
        .await
        .unwrap()
        .role
        .unwrap();
    assert_eq!(made.arn, "arn:aws:iam::000000000000:role/a/b/full");
    assert!(made.role_id.starts_with("AROA"));
    let role = iam
        .get_role()
        .role_name("FULL")
        .send()
        .await
        .unwrap()
        .role
        .unwrap();
    assert_eq!(role, made);
    assert_eq!(role.role_name, "full");
    assert_eq!(role.description.as_deref(), Some("é & <b>"));
    assert_eq!(role.max_session_duration, Some(7200));
    assert_eq!(
        role.create_date.to_millis().unwrap(),
        cloud.with(|w| w.now as i64 / 1000 * 1000)
    );
    assert_eq!(
        role.tags.unwrap(),
        [tag("Owner", "a+b c"), tag("Empty", "")]
    );
    let boundary = role.permissions_boundary.unwrap();
    assert_eq!(
        boundary.permissions_boundary_arn.as_deref(),
        Some(POLICY_ARN)
    );
    assert_eq!(
        decoded(&role.assume_role_policy_document.unwrap()).to_string(),
        serde_json::from_str::<Value>(&trust()).unwrap().to_string()
    );
    assert_eq!(cloud.with(|w| w.calls[0].clone()), "CreateRole");
}

#[tokio::test]
async fn a_role_is_refused() {
    let (_, iam) = with_role().await;
    let create = |name: &str| {
        iam.create_role()
            .role_name(name)
            .assume_role_policy_document(trust())
    };
    assert_refused!(
        create("r"),
        "EntityAlreadyExists",
        "Role with name r already exists"
    );
    assert_refused!(create("r").path("/x/"), "EntityAlreadyExists");
    assert_refused!(create("a b"), "ValidationError", "'roleName'");
    assert_refused!(
        create(&"a".repeat(65)),
        "ValidationError",
        "less than or equal to 64"
    );
    assert_refused!(
        create("s").max_session_duration(3599),
        "ValidationError",
        "3600"
    );
    assert_refused!(
        create("s").max_session_duration(43_201),
        "ValidationError",
        "43200"
    );
    assert_refused!(create("s").path("x"), "ValidationError", "path");
    assert_refused!(
        create("s").description("a".repeat(1001)),
        "ValidationError",
        "1000"
    );
    assert_refused!(
        create("s").permissions_boundary(POLICY_ARN),
        "NoSuchEntity",
        "Scope ARN"
    );
    assert_refused!(
        create("s").tags(tag("aws:x", "")),
        "InvalidInput",
        "System tags"
    );
    assert_refused!(
        create("s").tags(tag("a", "")).tags(tag("A", "")),
        "InvalidInput",
        "Duplicate tag keys"
    );
    let many = (0..51).map(|n| tag(&format!("k{n}"), "v")).collect();
    assert_refused!(create("s").set_tags(Some(many)), "LimitExceeded", "50");
    let with = |document: &str| create("s").assume_role_policy_document(document);
    assert_refused!(with("no json"), "MalformedPolicyDocument", "invalid Json");
    assert_refused!(with(&allow("sqs:*")), "MalformedPolicyDocument");
    let stranger = trust().replace(
        "\"Service\":\"lambda.amazonaws.com\"",
        "\"AWS\":\"arn:aws:iam::000000000000:role/none\"",
    );
    assert_refused!(
        with(&stranger),
        "MalformedPolicyDocument",
        "Invalid principal in policy"
    );
    let long = trust().replace("sts:AssumeRole", &format!("sts:{}", "A".repeat(2048)));
    assert_refused!(with(&long), "LimitExceeded", "ACLSizePerRole");
    assert_refused!(
        iam.create_role().role_name("s"),
        "ValidationError",
        "assumeRolePolicyDocument"
    );
    assert_refused!(
        iam.get_role().role_name("s"),
        "NoSuchEntity",
        "role with name s"
    );
    assert_refused!(iam.delete_role().role_name("s"), "NoSuchEntity");
}

#[tokio::test]
async fn a_role_changes() {
    let (_, iam) = with_policy().await;
    iam.update_role()
        .role_name("R")
        .description("d")
        .max_session_duration(7200)
        .send()
        .await
        .unwrap();
    let get = async || {
        iam.get_role()
            .role_name("R")
            .send()
            .await
            .unwrap()
            .role
            .unwrap()
    };
    assert_eq!(get().await.max_session_duration, Some(7200));
    iam.update_role().role_name("R").send().await.unwrap();
    let role = get().await;
    assert_eq!(
        (role.max_session_duration, role.description.as_deref()),
        (Some(3600), Some("d"))
    );
    let updated = iam
        .update_role_description()
        .role_name("R")
        .description("")
        .send()
        .await
        .unwrap();
    assert_eq!(updated.role.unwrap().description.as_deref(), Some(""));
    let gateway = trust().replace("lambda", "apigateway");
    iam.update_assume_role_policy()
        .role_name("R")
        .policy_document(&gateway)
        .send()
        .await
        .unwrap();
    let document = decoded(&get().await.assume_role_policy_document.unwrap());
    assert_eq!(
        document["Statement"][0]["Principal"]["Service"],
        "apigateway.amazonaws.com"
    );
    assert_refused!(
        iam.update_assume_role_policy()
            .role_name("R")
            .policy_document("{}"),
        "MalformedPolicyDocument"
    );
    iam.put_role_permissions_boundary()
        .role_name("R")
        .permissions_boundary(POLICY_ARN)
        .send()
        .await
        .unwrap();
    assert!(get().await.permissions_boundary.is_some());
    assert_refused!(iam.delete_policy().policy_arn(POLICY_ARN), "DeleteConflict");
    iam.delete_role_permissions_boundary()
        .role_name("R")
        .send()
        .await
        .unwrap();
    assert!(get().await.permissions_boundary.is_none());
    assert_refused!(
        iam.delete_role_permissions_boundary().role_name("R"),
        "NoSuchEntity"
    );
    iam.tag_role()
        .role_name("R")
        .tags(tag("a", "1"))
        .tags(tag("b", "2"))
        .send()
        .await
        .unwrap();
    iam.tag_role()
        .role_name("R")
        .tags(tag("a", "3"))
        .send()
        .await
        .unwrap();
    iam.untag_role()
        .role_name("R")
        .tag_keys("b")
        .send()
        .await
        .unwrap();
    assert_eq!(get().await.tags.unwrap(), [tag("a", "3")]);
    let listed = iam.list_roles().send().await.unwrap().roles;
    assert_eq!(listed.len(), 1);
    assert!(listed[0].tags.is_none());
    let profiles = iam
        .list_instance_profiles_for_role()
        .role_name("R")
        .send()
        .await
        .unwrap();
    assert!(profiles.instance_profiles.is_empty());
}

#[tokio::test]
async fn what_is_attached_or_inline_holds_the_role() {
    let (_, iam) = with_policy().await;
    let attach = |arn: &str| iam.attach_role_policy().role_name("R").policy_arn(arn);
    attach(POLICY_ARN).send().await.unwrap();
    attach(POLICY_ARN).send().await.unwrap();
    assert_refused!(
        iam.delete_role().role_name("R"),
        "DeleteConflict",
        "detach all policies"
    );
    assert_refused!(
        iam.delete_policy().policy_arn(POLICY_ARN),
        "DeleteConflict",
        "attached"
    );
    let policy = iam
        .get_policy()
        .policy_arn(POLICY_ARN)
        .send()
        .await
        .unwrap()
        .policy
        .unwrap();
    assert_eq!(policy.attachment_count, Some(1));
    let entities = iam
        .list_entities_for_policy()
        .policy_arn(POLICY_ARN)
        .send()
        .await
        .unwrap();
    assert_eq!(
        entities.policy_roles.unwrap()[0].role_name.as_deref(),
        Some("R")
    );
    assert_refused!(
        attach("arn:aws:iam::000000000000:policy/none"),
        "NoSuchEntity",
        "does not exist or is not attachable"
    );
    assert_refused!(attach("arn:aws:iam::policy"), "ValidationError");
    for n in 0..9 {
        attach(&format!("arn:aws:iam::aws:policy/Some{n}"))
            .send()
            .await
            .unwrap();
    }
    assert_refused!(
        attach("arn:aws:iam::aws:policy/Ten"),
        "LimitExceeded",
        "PoliciesPerRole: 10"
    );
    let pages: Vec<_> = iam
        .list_attached_role_policies()
        .role_name("R")
        .max_items(4)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<_, _>>()
        .await
        .unwrap();
    assert_eq!(pages.len(), 10);
    for policy in pages {
        let arn = policy.policy_arn.unwrap();
        iam.detach_role_policy()
            .role_name("R")
            .policy_arn(arn)
            .send()
            .await
            .unwrap();
    }
    assert_refused!(
        iam.detach_role_policy()
            .role_name("R")
            .policy_arn(POLICY_ARN),
        "NoSuchEntity"
    );
    let put = |document: String| {
        iam.put_role_policy()
            .role_name("R")
            .policy_name("in")
            .policy_document(document)
    };
    put(allow("sqs:*")).send().await.unwrap();
    put(allow("sns:*")).send().await.unwrap();
    assert_refused!(put("[]".to_owned()), "MalformedPolicyDocument");
    assert_refused!(
        put(allow(&format!("a:{}", "b".repeat(10_240)))),
        "LimitExceeded"
    );
    assert_refused!(
        iam.delete_role().role_name("R"),
        "DeleteConflict",
        "must delete policies"
    );
    let inline = iam
        .get_role_policy()
        .role_name("R")
        .policy_name("in")
        .send()
        .await
        .unwrap();
    assert_eq!(
        decoded(&inline.policy_document)["Statement"][0]["Action"],
        "sns:*"
    );
    let names = iam
        .list_role_policies()
        .role_name("R")
        .send()
        .await
        .unwrap()
        .policy_names;
    assert_eq!(names, ["in"]);
    let delete = || iam.delete_role_policy().role_name("R").policy_name("in");
    delete().send().await.unwrap();
    assert_refused!(delete(), "NoSuchEntity");
    assert_refused!(
        iam.get_role_policy().role_name("R").policy_name("in"),
        "NoSuchEntity"
    );
    iam.delete_role().role_name("R").send().await.unwrap();
    iam.delete_policy()
        .policy_arn(POLICY_ARN)
        .send()
        .await
        .unwrap();
    assert_refused!(iam.get_policy().policy_arn(POLICY_ARN), "NoSuchEntity");
}
