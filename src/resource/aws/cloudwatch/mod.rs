//! The calls on a log group, and the refusals worth a retry.

pub mod events;
pub mod log_group;

use crate::resource::author::*;
use crate::resource::aws::listing;
use aws_sdk_cloudwatchlogs::types::LogGroup as LiveGroup;

/// How long a call is retried that is refused because of another change.
const LIMIT: Duration = Duration::from_secs(60);
/// The wire code for a group that does not exist. Describe calls return an empty list.
pub const NOT_FOUND: &[&str] = &["ResourceNotFoundException"];

/// Another change to the group is in progress, or throttling.
pub fn busy(error: &Error) -> Option<&'static str> {
    (error.effect() == Effect::None && error.is(&["OperationAbortedException"]))
        .then_some("another change to the log group is in progress")
        .or_else(|| throttled(error))
}

/// [`busy`], a group that was just created, or an identity policy that is not in force yet.
pub fn unseen(error: &Error) -> Option<&'static str> {
    if error.effect() != Effect::None {
        return None;
    }
    if error.is(NOT_FOUND) {
        return Some("the log group is not known everywhere yet");
    }
    let denied = error.is(&["AccessDeniedException"])
        && error
            .message()
            .contains("no identity-based policy allows the logs:PutRetentionPolicy action");
    denied
        .then_some("the permission may not be in force yet")
        .or_else(|| busy(error))
}

/// What waits out [`busy`].
pub(crate) const BUSY: Waits = (LIMIT, busy);

/// What waits out [`unseen`].
const UNSEEN: Waits = (LIMIT, unseen);

/// The group of exactly this name; the list has all that begin so, shortest first.
pub async fn describe(cx: &Cx, name: &str) -> Result<Option<LiveGroup>, Error> {
    listing::first("logs:DescribeLogGroups", |token| async move {
        let call = cx.aws.logs().describe_log_groups();
        let call = call.log_group_name_prefix(name).set_next_token(token);
        let reply = send!(call, "logs:DescribeLogGroups")?;
        let mut groups = reply.log_groups.unwrap_or_default().into_iter();
        let found = groups.find(|group| group.log_group_name.as_deref() == Some(name));
        Ok((found, reply.next_token))
    })
    .await
}

/// The names of all groups that begin so.
pub async fn names(cx: &Cx, start: &str) -> Result<Vec<String>, Error> {
    let prefix = Some(start).filter(|start| !start.is_empty());
    listing::all("logs:DescribeLogGroups", |token| async move {
        let call = cx.aws.logs().describe_log_groups();
        let call = call.set_log_group_name_prefix(prefix.map(str::to_owned));
        let reply = send!(call.set_next_token(token), "logs:DescribeLogGroups")?;
        let groups = reply.log_groups.unwrap_or_default().into_iter();
        let names = groups.filter_map(|group| group.log_group_name).collect();
        Ok((names, reply.next_token))
    })
    .await
}

/// The tags of the group with this ARN (without `:*`); none when it does not exist.
pub async fn read_tags(cx: &Cx, arn: &str) -> Result<Option<HashMap<String, String>>, Error> {
    let call = cx.aws.logs().list_tags_for_resource().resource_arn(arn);
    let reply = send!(call, "logs:ListTagsForResource", none: NOT_FOUND)?;
    Ok(reply.and_then(|reply| reply.tags))
}

/// Keeps events for so many days.
pub async fn put_retention(cx: &Cx, name: &str, days: i32) -> Result<(), Error> {
    let call = cx.aws.logs().put_retention_policy().log_group_name(name);
    let call = call.retention_in_days(days);
    send!(cx, call, "logs:PutRetentionPolicy", wait: UNSEEN)?;
    Ok(())
}

/// Keeps events for ever.
pub async fn delete_retention(cx: &Cx, name: &str) -> Result<(), Error> {
    let call = cx.aws.logs().delete_retention_policy().log_group_name(name);
    send!(cx, call, "logs:DeleteRetentionPolicy", wait: BUSY)?;
    Ok(())
}

/// Encrypts new events with this key, or with the service's own.
pub async fn update_key(cx: &Cx, name: &str, key: Option<&str>) -> Result<(), Error> {
    if let Some(key) = key {
        let call = cx.aws.logs().associate_kms_key().log_group_name(name);
        let call = call.kms_key_id(key);
        send!(cx, call, "logs:AssociateKmsKey", wait: BUSY)?;
    } else {
        let call = cx.aws.logs().disassociate_kms_key().log_group_name(name);
        send!(cx, call, "logs:DisassociateKmsKey", wait: BUSY)?;
    }
    Ok(())
}

/// Sets and removes tags.
pub async fn update_tags(
    cx: &Cx,
    arn: &str,
    set: BTreeMap<String, String>,
    remove: Vec<String>,
) -> Result<(), Error> {
    if !remove.is_empty() {
        let call = cx.aws.logs().untag_resource().resource_arn(arn);
        let call = call.set_tag_keys(Some(remove));
        send!(cx, call, "logs:UntagResource", wait: BUSY)?;
    }
    if !set.is_empty() {
        let call = cx.aws.logs().tag_resource().resource_arn(arn);
        let call = call.set_tags(Some(set.into_iter().collect()));
        send!(cx, call, "logs:TagResource", wait: BUSY)?;
    }
    Ok(())
}
