use crate::local_cloud::fixture::Fixture;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::LogGroupClass;

const ARN: &str = "arn:aws:logs:us-west-2:000000000000:log-group:/aws/lambda/f";
const KEY: &str = "arn:aws:kms:us-west-2:000000000000:key/1";

/// The code of a call that must fail.
macro_rules! code {
    ($call:expr) => {
        $call.send().await.unwrap_err().code().unwrap().to_owned()
    };
}

async fn created() -> Fixture {
    let here = Fixture::new().await;
    let create = here.aws.logs_once().create_log_group();
    let create = create.log_group_name("/aws/lambda/f").tags("a", "1");
    create.send().await.unwrap();
    here
}

#[tokio::test]
async fn a_group_has_both_arns_and_what_aws_fills_in() {
    let here = created().await;
    let logs = here.aws.logs();
    for days in [7, 3653] {
        let put = logs.put_retention_policy().log_group_name("/aws/lambda/f");
        put.retention_in_days(days).send().await.unwrap();
        let found = logs
            .describe_log_groups()
            .log_group_identifiers("/aws/lambda/f");
        let found = found.send().await.unwrap();
        let group = &found.log_groups()[0];
        assert_eq!(group.retention_in_days(), Some(days));
        assert_eq!(group.log_group_arn(), Some(ARN));
        assert_eq!(group.arn(), Some(format!("{ARN}:*").as_str()));
        assert_eq!(group.log_group_class(), Some(&LogGroupClass::Standard));
        assert_eq!(group.deletion_protection_enabled(), Some(false));
        assert_eq!(group.stored_bytes(), Some(0));
        assert!(group.creation_time().is_some() && group.kms_key_id().is_none());
    }
    let off = logs
        .delete_retention_policy()
        .log_group_name("/aws/lambda/f");
    off.send().await.unwrap();
    let found = logs
        .describe_log_groups()
        .log_group_identifiers(ARN)
        .send()
        .await
        .unwrap();
    assert_eq!(found.log_groups()[0].retention_in_days(), None);
}

#[tokio::test]
async fn what_aws_refuses_is_refused() {
    let here = created().await;
    let logs = here.aws.logs_once();
    let create = |name: &str| logs.create_log_group().log_group_name(name);
    assert_eq!(
        code!(create("/aws/lambda/f")),
        "ResourceAlreadyExistsException"
    );
    for name in ["", "a b", "aws/x", "a:b", &"x".repeat(513)] {
        assert_eq!(code!(create(name)), "InvalidParameterException", "{name}");
    }
    assert_eq!(
        code!(create("g").kms_key_id("1234")),
        "InvalidParameterException"
    );
    assert_eq!(
        code!(create("g").tags("aws:x", "1")),
        "InvalidParameterException"
    );
    assert_eq!(
        code!(create("g").log_group_class("COLD".into())),
        "InvalidParameterException"
    );
    assert_eq!(code!(logs.create_log_group()), "InvalidParameterException");
    let put = |name: &str| logs.put_retention_policy().log_group_name(name);
    for days in [0, 2, 8, 3654] {
        let put = put("/aws/lambda/f").retention_in_days(days);
        assert_eq!(code!(put), "InvalidParameterException", "{days}");
    }
    let gone = "ResourceNotFoundException";
    assert_eq!(code!(put("g").retention_in_days(7)), gone);
    assert_eq!(code!(logs.delete_log_group().log_group_name("g")), gone);
    assert_eq!(
        code!(logs.delete_retention_policy().log_group_name("g")),
        gone
    );
    let starred = format!("{ARN}:*");
    let tag = logs.tag_resource().resource_arn(&starred).tags("b", "2");
    assert_eq!(code!(tag), "InvalidParameterException");
    let other = ARN.replace("/f", "/g");
    assert_eq!(
        code!(logs.list_tags_for_resource().resource_arn(other)),
        gone
    );
    assert_eq!(here.keys(), ["logs/us-west-2/group//aws/lambda/f"]);
    assert_eq!(here.cloud.resources().unwrap()[0].name, "/aws/lambda/f");
}

#[tokio::test]
async fn groups_are_found_by_prefix_and_page() {
    let here = created().await;
    let logs = here.aws.logs();
    for name in ["/aws/lambda/f2", "/aws/lambda/f3", "other"] {
        logs.create_log_group()
            .log_group_name(name)
            .send()
            .await
            .unwrap();
    }
    let find = || {
        logs.describe_log_groups()
            .log_group_name_prefix("/aws/lambda/f")
            .limit(2)
    };
    let first = find().send().await.unwrap();
    assert_eq!(first.log_groups().len(), 2);
    let second = find()
        .next_token(first.next_token.unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(
        second.log_groups()[0].log_group_name(),
        Some("/aws/lambda/f3")
    );
    assert_eq!(second.next_token, None);
    let pattern = logs
        .describe_log_groups()
        .log_group_name_pattern("the")
        .send()
        .await
        .unwrap();
    assert_eq!(pattern.log_groups().len(), 1);
    let none = logs
        .describe_log_groups()
        .log_group_identifiers("no")
        .send()
        .await
        .unwrap();
    assert_eq!(none.log_groups().len(), 0);
    assert_eq!(
        code!(logs.describe_log_groups().limit(51)),
        "InvalidParameterException"
    );
    assert_eq!(
        code!(find().log_group_identifiers("other")),
        "InvalidParameterException"
    );
}

#[tokio::test]
async fn tags_key_and_protection_change() {
    let here = created().await;
    let logs = here.aws.logs();
    logs.tag_resource()
        .resource_arn(ARN)
        .tags("b", "2")
        .send()
        .await
        .unwrap();
    logs.untag_resource()
        .resource_arn(ARN)
        .tag_keys("a")
        .send()
        .await
        .unwrap();
    let tags = logs
        .list_tags_for_resource()
        .resource_arn(ARN)
        .send()
        .await
        .unwrap();
    assert_eq!(
        tags.tags.unwrap(),
        [("b".to_owned(), "2".to_owned())].into()
    );
    let on = logs
        .associate_kms_key()
        .log_group_name("/aws/lambda/f")
        .kms_key_id(KEY);
    on.send().await.unwrap();
    let found = logs.describe_log_groups().send().await.unwrap();
    assert_eq!(found.log_groups()[0].kms_key_id(), Some(KEY));
    logs.disassociate_kms_key()
        .resource_identifier(ARN)
        .send()
        .await
        .unwrap();
    let neither = logs.disassociate_kms_key();
    assert_eq!(code!(neither), "InvalidParameterException");
    let protect = |on| {
        logs.put_log_group_deletion_protection()
            .log_group_identifier("/aws/lambda/f")
            .deletion_protection_enabled(on)
    };
    protect(true).send().await.unwrap();
    let delete = || logs.delete_log_group().log_group_name("/aws/lambda/f");
    assert_eq!(code!(delete()), "ValidationException");
    protect(false).send().await.unwrap();
    delete().send().await.unwrap();
    assert_eq!(here.keys(), Vec::<String>::new());
}
