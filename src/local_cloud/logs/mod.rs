//! CloudWatch Logs: log groups, their streams and events. No metric filters, no subscriptions, no
//! queries.
//!
//! A group is kept under `logs/{region}/group/{name}`: what DescribeLogGroups returns of
//! it, and its `tags`.

mod events;
mod pattern;
mod read;
mod streams;

#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;

use super::json::{self, Input, tags_fault};
use super::service::{ACCOUNT, Refusal, Reply, Request, Service, Store};
use crate::resource::aws::partition_of;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The service.
#[derive(Debug)]
pub struct Logs;

/// The days a retention policy may have (PutRetentionPolicy, API reference).
const DAYS: &[i64] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

const CLASSES: &[&str] = &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"];

fn key(region: &str, name: &str) -> String {
    format!("logs/{region}/group/{name}")
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterException", message)
}

fn missing(name: &str) -> Refusal {
    invalid(format!(
        "1 validation error detected: Value null at '{name}' failed to satisfy constraint: \
         Member must not be null"
    ))
}

fn no_group() -> Refusal {
    Refusal::new(
        400,
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}

impl Service for Logs {
    fn signing_name(&self) -> &'static str {
        "logs"
    }

    fn operation(&self, request: &Request) -> String {
        json::operation(request).to_owned()
    }

    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal> {
        let mut call = Call {
            region: &request.region,
            now: request.now,
            input: Input::parse(request)?,
            store,
        };
        let body = match json::operation(request) {
            "CreateLogGroup" => call.create_log_group(),
            "DescribeLogGroups" => call.describe_log_groups(),
            "DeleteLogGroup" => call.delete_log_group(),
            "PutRetentionPolicy" => call.put_retention_policy(),
            "DeleteRetentionPolicy" => call.change_named(|group| {
                group.remove("retentionInDays");
            }),
            "PutLogGroupDeletionProtection" => call.put_deletion_protection(),
            "AssociateKmsKey" => call.associate_kms_key(),
            "DisassociateKmsKey" => call.disassociate_kms_key(),
            "TagResource" => call.tag_resource(),
            "UntagResource" => call.untag_resource(),
            "ListTagsForResource" => call.list_tags(),
            "CreateLogStream" => call.create_log_stream(),
            "DeleteLogStream" => call.delete_log_stream(),
            "DescribeLogStreams" => call.describe_log_streams(),
            "PutLogEvents" => call.put_log_events(),
            "GetLogEvents" => call.get_log_events(),
            "FilterLogEvents" => call.filter_log_events(),
            other => Err(json::unknown("logs", other)),
        }?;
        let mut reply = json::reply("1.1", 200, &body);
        if body.is_null() {
            reply.body = bytes::Bytes::new();
        }
        Ok(reply)
    }

    fn refuse(&self, _request: &Request, refusal: &Refusal) -> Reply {
        let body = json!({"__type": refusal.code, "message": refusal.message});
        json::reply("1.1", refusal.status, &body)
    }
}

type Group = serde_json::Map<String, Value>;

struct Call<'c> {
    region: &'c str,
    now: u64,
    input: Input,
    store: &'c mut dyn Store,
}

impl Call<'_> {
    fn create_log_group(&mut self) -> Result<Value, Refusal> {
        let name = self.required("logGroupName")?;
        check_name(&name)?;
        if name.to_ascii_lowercase().starts_with("aws/") {
            return Err(invalid(
                "Log groups starting with AWS/ are reserved for AWS.",
            ));
        }
        let class = self.input.text("logGroupClass")?.unwrap_or("STANDARD");
        if !CLASSES.contains(&class) {
            return Err(invalid(format!("{class} is not a log group class.")));
        }
        let tags = self.input.map("tags")?.unwrap_or_default();
        check_tags(&tags)?;
        let protected = self
            .input
            .flag("deletionProtectionEnabled")?
            .unwrap_or(false);
        let kms = self.input.text("kmsKeyId")?;
        if let Some(kms) = kms {
            check_kms(kms)?;
        }
        if self.store.get(&key(self.region, &name)).is_some() {
            return Err(Refusal::new(
                400,
                "ResourceAlreadyExistsException",
                "The specified log group already exists",
            ));
        }
        let (partition, _) = partition_of(self.region);
        let arn = format!(
            "arn:{partition}:logs:{}:{ACCOUNT}:log-group:{name}",
            self.region
        );
        let mut group = json!({
            "logGroupName": name, "creationTime": self.now, "metricFilterCount": 0,
            "storedBytes": 0, "arn": format!("{arn}:*"), "logGroupArn": arn,
            "logGroupClass": class, "deletionProtectionEnabled": protected, "tags": tags,
        });
        if let Some(kms) = kms {
            group["kmsKeyId"] = json!(kms);
        }
        if class == "DELIVERY" {
            group["retentionInDays"] = json!(1);
        }
        self.store.put(&key(self.region, &name), group);
        Ok(Value::Null)
    }

    fn describe_log_groups(&mut self) -> Result<Value, Refusal> {
        let prefix = self.input.text("logGroupNamePrefix")?;
        let pattern = self.input.text("logGroupNamePattern")?;
        let identifiers = self.input.texts("logGroupIdentifiers")?;
        let class = self.input.text("logGroupClass")?;
        let after = self.input.text("nextToken")?;
        let limit = self.input.integer("limit")?.unwrap_or(50);
        if !(1..=50).contains(&limit) {
            return Err(invalid(format!(
                "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy \
                 constraint: Member must have value between 1 and 50"
            )));
        }
        if usize::from(prefix.is_some())
            + usize::from(pattern.is_some())
            + usize::from(identifiers.is_some())
            > 1
        {
            return Err(invalid(
                "Only one of LogGroup name prefix, LogGroup name pattern and LogGroup \
                 identifiers may be given.",
            ));
        }
        let wanted = self.names_of(identifiers)?;
        let mut groups: Vec<Group> = self
            .store
            .scan(&key(self.region, prefix.unwrap_or_default()))
            .into_iter()
            .filter_map(|(_, group)| match group {
                Value::Object(group) => Some(group),
                _ => None,
            })
            .filter(|group| {
                let name = group["logGroupName"].as_str().unwrap_or_default();
                wanted
                    .as_ref()
                    .is_none_or(|list| list.iter().any(|one| one == name))
                    && pattern.is_none_or(|pattern| name.contains(pattern))
                    && class.is_none_or(|class| group["logGroupClass"] == class)
                    && after.is_none_or(|after| name > after)
            })
            .collect();
        let limit = usize::try_from(limit).unwrap_or(50);
        let more = groups.len() > limit;
        groups.truncate(limit);
        let mut body = json!({});
        if more {
            body["nextToken"] = groups
                .last()
                .map_or(Value::Null, |group| group["logGroupName"].clone());
        }
        for group in &mut groups {
            group.remove("tags");
        }
        body["logGroups"] = json!(groups);
        Ok(body)
    }

    /// The names of the groups that identifiers name.
    fn names_of(&self, identifiers: Option<Vec<String>>) -> Result<Option<Vec<String>>, Refusal> {
        let Some(list) = identifiers else {
            return Ok(None);
        };
        if !(1..=50).contains(&list.len()) {
            return Err(invalid("1 to 50 log group identifiers can be given."));
        }
        let names: Result<Vec<String>, Refusal> =
            list.iter().map(|text| self.name_of(text)).collect();
        names.map(Some)
    }

    fn delete_log_group(&mut self) -> Result<Value, Refusal> {
        let name = self.required("logGroupName")?;
        let group = self.group(&name)?;
        if group["deletionProtectionEnabled"] == true {
            return Err(Refusal::new(
                400,
                "ValidationException",
                "The log group cannot be deleted while its deletion protection is on.",
            ));
        }
        self.store.remove(&key(self.region, &name));
        self.clear_events(&name);
        Ok(Value::Null)
    }

    fn put_retention_policy(&mut self) -> Result<Value, Refusal> {
        let days = self
            .input
            .integer("retentionInDays")?
            .ok_or_else(|| missing("retentionInDays"))?;
        if !DAYS.contains(&days) {
            return Err(invalid(format!(
                "1 validation error detected: Value '{days}' at 'retentionInDays' failed to \
                 satisfy constraint: Member must satisfy enum value set: {DAYS:?}"
            )));
        }
        let name = self.required("logGroupName")?;
        if self.group(&name)?["logGroupClass"] == "DELIVERY" {
            return Err(invalid(
                "The retention of a log group of the class DELIVERY is fixed at one day.",
            ));
        }
        self.change_named(|group| {
            group.insert("retentionInDays".to_owned(), json!(days));
        })
    }

    fn put_deletion_protection(&mut self) -> Result<Value, Refusal> {
        let on = self
            .input
            .flag("deletionProtectionEnabled")?
            .ok_or_else(|| missing("deletionProtectionEnabled"))?;
        let name = self.name_of(&self.required("logGroupIdentifier")?)?;
        self.change(&name, |group| {
            group.insert("deletionProtectionEnabled".to_owned(), json!(on));
        })
    }

    fn associate_kms_key(&mut self) -> Result<Value, Refusal> {
        let kms = self.required("kmsKeyId")?;
        check_kms(&kms)?;
        let name = self.name_or_identifier()?;
        self.change(&name, |group| {
            group.insert("kmsKeyId".to_owned(), json!(kms));
        })
    }

    fn disassociate_kms_key(&mut self) -> Result<Value, Refusal> {
        let name = self.name_or_identifier()?;
        self.change(&name, |group| {
            group.remove("kmsKeyId");
        })
    }

    fn tag_resource(&mut self) -> Result<Value, Refusal> {
        let name = self.tagged()?;
        let sent = self.input.map("tags")?.ok_or_else(|| missing("tags"))?;
        check_tags(&sent)?;
        let mut tags = json::text_map(&self.group(&name)?["tags"]).unwrap_or_default();
        tags.extend(sent);
        if tags.len() > 50 {
            return Err(Refusal::new(
                400,
                "TooManyTagsException",
                "A resource can have no more than 50 tags.",
            ));
        }
        self.change(&name, |group| {
            group.insert("tags".to_owned(), json!(tags));
        })
    }

    fn untag_resource(&mut self) -> Result<Value, Refusal> {
        let name = self.tagged()?;
        let keys = self
            .input
            .texts("tagKeys")?
            .ok_or_else(|| missing("tagKeys"))?;
        self.change(&name, |group| {
            if let Some(Value::Object(tags)) = group.get_mut("tags") {
                tags.retain(|tag, _| !keys.contains(tag));
            }
        })
    }

    fn list_tags(&mut self) -> Result<Value, Refusal> {
        let name = self.tagged()?;
        Ok(json!({"tags": self.group(&name)?["tags"]}))
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        let text = self.input.text(name)?.ok_or_else(|| missing(name))?;
        Ok(text.to_owned())
    }

    fn group(&self, name: &str) -> Result<Group, Refusal> {
        match self.store.get(&key(self.region, name)) {
            Some(Value::Object(group)) => Ok(group),
            _ => Err(no_group()),
        }
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Group)) -> Result<Value, Refusal> {
        let mut group = self.group(name)?;
        change(&mut group);
        self.store
            .put(&key(self.region, name), Value::Object(group));
        Ok(Value::Null)
    }

    fn change_named(&mut self, change: impl FnOnce(&mut Group)) -> Result<Value, Refusal> {
        let name = self.required("logGroupName")?;
        self.change(&name, change)
    }

    /// The group's name out of a name or an ARN without `:*`.
    fn name_of(&self, identifier: &str) -> Result<String, Refusal> {
        if !identifier.starts_with("arn:") {
            check_name(identifier)?;
            return Ok(identifier.to_owned());
        }
        let (partition, _) = partition_of(self.region);
        let start = format!("arn:{partition}:logs:{}:{ACCOUNT}:log-group:", self.region);
        let name = identifier.strip_prefix(&start).ok_or_else(no_group)?;
        if name.contains(':') {
            return Err(invalid(format!(
                "{identifier} is not the ARN of a log group: it must not end in :*"
            )));
        }
        Ok(name.to_owned())
    }

    /// The group of a tag call.
    fn tagged(&self) -> Result<String, Refusal> {
        let arn = self.required("resourceArn")?;
        if !arn.starts_with("arn:") {
            return Err(invalid(format!("{arn} is not an ARN.")));
        }
        self.name_of(&arn)
    }

    /// The group of the calls that take a name or an ARN, and exactly one of the two.
    fn name_or_identifier(&self) -> Result<String, Refusal> {
        let name = self.input.text("logGroupName")?;
        let arn = self.input.text("resourceIdentifier")?;
        match (name, arn) {
            (Some(one), None) | (None, Some(one)) => self.name_of(one),
            _ => Err(invalid(
                "Exactly one of logGroupName and resourceIdentifier must be given.",
            )),
        }
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
    if (1..=512).contains(&name.len()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+ and \
         have a length of 1 to 512"
    )))
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Refusal> {
    tags_fault(tags, 0).map_or(Ok(()), |fault| Err(invalid(fault)))
}

fn check_kms(arn: &str) -> Result<(), Refusal> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let good = arn.len() <= 256
        && matches!(parts[..], ["arn", _, "kms", region, account, key]
            if !region.is_empty() && account.len() == 12
                && (key.starts_with("key/") || key.starts_with("alias/")));
    if good {
        Ok(())
    } else {
        Err(invalid(format!(
            "The specified KMS key ARN {arn} is not valid."
        )))
    }
}
