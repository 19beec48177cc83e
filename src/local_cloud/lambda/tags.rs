//! Tags of functions and mappings.

use super::super::service::Refusal;
use super::members::Members;
use super::model::{self, Function, Mapping};
use super::name::FunctionName;
use super::{Answer, Call, invalid};
use crate::resource::aws::tags::is_tag_character;
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Tags = BTreeMap<String, String>;

/// Puts the tags of a request over those there are.
pub(super) fn merge(mut tags: Tags, body: &Members) -> Result<Tags, Refusal> {
    for (key, value) in body.map("Tags")?.unwrap_or_default() {
        let fits = |text: &str| text.chars().all(is_tag_character);
        let sized = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !sized || !fits(&key) || !fits(&value) {
            return Err(invalid(format!("The tag {key} is not valid.")));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!(
                "Tag keys that start with aws: are reserved for system use: {key}"
            )));
        }
        tags.insert(key, value);
    }
    if tags.len() > 50 {
        return Err(invalid("The number of tags exceeds the maximum of 50."));
    }
    Ok(tags)
}

/// What can carry tags.
enum Tagged {
    Function(Box<Function>),
    Mapping(Box<Mapping>),
}

impl Tagged {
    fn find(call: &Call<'_>) -> Result<Self, Refusal> {
        let arn = &call.path[0];
        let region = &call.request.region;
        let parts: Vec<&str> = arn.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "lambda", .., "event-source-mapping", uuid] => {
                let mapping = model::mapping(call.store, region, uuid, call.request.now)?;
                Ok(Self::Mapping(Box::new(mapping)))
            }
            ["arn", _, "lambda", _, _, "function", _] => {
                let name = FunctionName::parse(arn, region)?.name;
                let function = model::function(call.store, region, &name)?;
                Ok(Self::Function(Box::new(function)))
            }
            ["arn", _, "lambda", _, _, "function", _, _] => Err(invalid(
                "Tags on function aliases and versions are not supported. Please specify either a function or event source mapping ARN.",
            )),
            _ => Err(invalid(format!(
                "{arn} is not the ARN of a function or mapping."
            ))),
        }
    }

    fn tags(&mut self) -> &mut Tags {
        match self {
            Self::Function(function) => &mut function.tags,
            Self::Mapping(mapping) => &mut mapping.tags,
        }
    }

    fn keep(&self, call: &mut Call<'_>) {
        match self {
            Self::Function(function) => model::put_function(call.store, function),
            Self::Mapping(mapping) => model::put_mapping(call.store, mapping),
        }
    }
}

pub(super) fn list(call: Call<'_>) -> Answer {
    let mut tagged = Tagged::find(&call)?;
    Ok((200, json!({"Tags": tagged.tags()})))
}

pub(super) fn add(mut call: Call<'_>) -> Answer {
    let mut tagged = Tagged::find(&call)?;
    if !call.body.has("Tags") {
        return Err(call
            .body
            .violation("Tags", "null", "Member must not be null"));
    }
    *tagged.tags() = merge(std::mem::take(tagged.tags()), &call.body)?;
    tagged.keep(&mut call);
    Ok((204, Value::Null))
}

pub(super) fn remove(mut call: Call<'_>) -> Answer {
    let mut tagged = Tagged::find(&call)?;
    for (name, key) in &call.request.query {
        if name == "tagKeys" {
            tagged.tags().remove(key);
        }
    }
    tagged.keep(&mut call);
    Ok((204, Value::Null))
}
