//! Deletes what the acceptance tests left in an account: everything whose name has a prefix.

use aws_sdk_iam::types::PolicyScopeType;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use stackctl::resource::aws::Aws;

/// Deletes everything in the account and region whose name begins with `prefix` (log groups: has
/// it in its name); what there was.
pub(super) async fn sweep(aws: &Aws, prefix: &str) -> Vec<String> {
    let mut swept = Vec::new();
    functions(aws, prefix, &mut swept).await;
    apis(aws, prefix, &mut swept).await;
    queues_and_groups(aws, prefix, &mut swept).await;
    roles(aws, prefix, &mut swept).await;
    policies(aws, prefix, &mut swept).await;
    buckets(aws, prefix, &mut swept).await;
    swept
}

async fn functions(aws: &Aws, prefix: &str, swept: &mut Vec<String>) {
    let lambda = aws.lambda();
    let pages = lambda.list_functions().into_paginator().items().send();
    let functions: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    for function in functions {
        let name = function.function_name.unwrap_or_default();
        if !name.starts_with(prefix) {
            continue;
        }
        let of_function = lambda.list_event_source_mappings().function_name(&name);
        let mappings = of_function.send().await.unwrap().event_source_mappings;
        for mapping in mappings.unwrap_or_default() {
            let uuid = mapping.uuid.unwrap_or_default();
            let delete = lambda.delete_event_source_mapping().uuid(&uuid);
            delete.send().await.unwrap();
            swept.push(format!("event source mapping {uuid}"));
        }
        let delete = lambda.delete_function().function_name(&name);
        delete.send().await.unwrap();
        swept.push(format!("function {name}"));
    }
}

async fn apis(aws: &Aws, prefix: &str, swept: &mut Vec<String>) {
    let gateway = aws.apigateway();
    let mut token = None;
    loop {
        let page = gateway
            .get_apis()
            .set_next_token(token)
            .send()
            .await
            .unwrap();
        for api in page.items.unwrap_or_default() {
            let name = api.name.unwrap_or_default();
            if name.starts_with(prefix) {
                let delete = gateway.delete_api().set_api_id(api.api_id);
                delete.send().await.unwrap();
                swept.push(format!("API {name}"));
            }
        }
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    let settings = aws.apigateway_v1().get_account().send().await.unwrap();
    let role = settings.cloudwatch_role_arn.unwrap_or_default();
    if role.contains(prefix) {
        use aws_sdk_apigateway::types::{Op, PatchOperation};
        let patch = PatchOperation::builder()
            .op(Op::Replace)
            .path("/cloudwatchRoleArn")
            .value("");
        let update = aws.apigateway_v1().update_account();
        update.patch_operations(patch.build()).send().await.unwrap();
        swept.push(format!("logging role {role}"));
    }
}

async fn queues_and_groups(aws: &Aws, prefix: &str, swept: &mut Vec<String>) {
    let sqs = aws.sqs();
    let list = sqs
        .list_queues()
        .queue_name_prefix(prefix)
        .max_results(1000);
    let queues: Vec<String> = list
        .into_paginator()
        .items()
        .send()
        .collect::<Result<_, _>>()
        .await
        .unwrap();
    for url in queues {
        sqs.delete_queue().queue_url(&url).send().await.unwrap();
        swept.push(format!("queue {url}"));
    }
    let topics = aws.sns().list_topics().into_paginator().items().send();
    let topics: Vec<_> = topics.collect::<Result<_, _>>().await.unwrap();
    for arn in topics.into_iter().filter_map(|topic| topic.topic_arn) {
        if arn.rsplit(':').next().unwrap().starts_with(prefix) {
            let delete = aws.sns().delete_topic().topic_arn(&arn);
            delete.send().await.unwrap();
            swept.push(format!("topic {arn}"));
        }
    }
    let logs = aws.logs();
    let pages = logs.describe_log_groups().into_paginator().items().send();
    let groups: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    for group in groups {
        let name = group.log_group_name.unwrap_or_default();
        if name.contains(prefix) {
            if group.deletion_protection_enabled == Some(true) {
                let off = logs.put_log_group_deletion_protection();
                let off = off.log_group_identifier(&name);
                off.deletion_protection_enabled(false).send().await.unwrap();
            }
            let delete = logs.delete_log_group().log_group_name(&name);
            delete.send().await.unwrap();
            swept.push(format!("log group {name}"));
        }
    }
}

async fn roles(aws: &Aws, prefix: &str, swept: &mut Vec<String>) {
    let iam = aws.iam();
    let pages = iam.list_roles().into_paginator().items().send();
    let roles: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    for role in roles {
        let name = role.role_name;
        if !name.starts_with(prefix) {
            continue;
        }
        let attached = iam.list_attached_role_policies().role_name(&name);
        let attached = attached.send().await.unwrap().attached_policies;
        for policy in attached.unwrap_or_default() {
            let detach = iam.detach_role_policy().role_name(&name);
            let detach = detach.set_policy_arn(policy.policy_arn);
            detach.send().await.unwrap();
        }
        let inline = iam.list_role_policies().role_name(&name).send().await;
        for policy in inline.unwrap().policy_names {
            let delete = iam.delete_role_policy().role_name(&name);
            delete.policy_name(policy).send().await.unwrap();
        }
        iam.delete_role().role_name(&name).send().await.unwrap();
        swept.push(format!("role {name}"));
    }
}

async fn policies(aws: &Aws, prefix: &str, swept: &mut Vec<String>) {
    let iam = aws.iam();
    let list = iam.list_policies().scope(PolicyScopeType::Local);
    let pages = list.into_paginator().items().send();
    let policies: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    for policy in policies {
        let name = policy.policy_name.unwrap_or_default();
        let arn = policy.arn.unwrap_or_default();
        if !name.starts_with(prefix) {
            continue;
        }
        let versions = iam.list_policy_versions().policy_arn(&arn).send().await;
        for version in versions.unwrap().versions.unwrap_or_default() {
            if !version.is_default_version {
                let delete = iam.delete_policy_version().policy_arn(&arn);
                let delete = delete.set_version_id(version.version_id);
                delete.send().await.unwrap();
            }
        }
        iam.delete_policy().policy_arn(&arn).send().await.unwrap();
        swept.push(format!("policy {name}"));
    }
}

async fn buckets(aws: &Aws, prefix: &str, swept: &mut Vec<String>) {
    let s3 = aws.s3();
    let buckets = s3.list_buckets().send().await.unwrap().buckets;
    for bucket in buckets.unwrap_or_default() {
        let name = bucket.name.unwrap_or_default();
        if !name.starts_with(prefix) {
            continue;
        }
        loop {
            let page = s3
                .list_object_versions()
                .bucket(&name)
                .send()
                .await
                .unwrap();
            let versions = page.versions().iter().map(|it| (it.key(), it.version_id()));
            let markers = page.delete_markers().iter();
            let markers = markers.map(|it| (it.key(), it.version_id()));
            let all: Vec<ObjectIdentifier> = versions
                .chain(markers)
                .map(|(key, version)| {
                    let object = ObjectIdentifier::builder().key(key.unwrap_or_default());
                    object
                        .set_version_id(version.map(str::to_owned))
                        .build()
                        .unwrap()
                })
                .collect();
            if all.is_empty() {
                break;
            }
            let delete = Delete::builder().set_objects(Some(all)).build().unwrap();
            let call = s3.delete_objects().bucket(&name).delete(delete);
            call.bypass_governance_retention(true).send().await.unwrap();
        }
        s3.delete_bucket().bucket(&name).send().await.unwrap();
        swept.push(format!("bucket {name}"));
    }
}
