//! The patch document of an update (RFC 6902): one operation for each path that differs.
//!
//! | what differs | operation |
//! |---|---|
//! | a value, at any depth of objects and maps | `add` at its path, which replaces what is there |
//! | a value in what the live resource lacks | `add` of the outermost object that it lacks |
//! | what the file no longer has, and the live resource has | `remove` |
//! | a list, a set, a document | `add` of the whole: items have no names, and their order may differ |
//! | a tag, where tags are a list | `add` of the whole list, with the tags of others |
//!
//! With them go the write-only values, changed or not. Cloud Control applies the patch to what
//! the type's read returns, and that lacks them: without an `add` a handler takes them for removed
//! (Cloud Control API user guide, "Updating a resource").

use super::model::Model;
use crate::data::{Attributes, Inputs, Path};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What an update is made of.
pub(super) struct Update<'a> {
    /// The model as it is now.
    pub(super) now: &'a Value,
    /// The attributes as the plan read them.
    pub(super) live: &'a Attributes,
    /// The properties that the resource shall have.
    pub(super) new: &'a Inputs,
    /// The paths that differ.
    pub(super) changed: &'a BTreeSet<Path>,
}

impl Model {
    /// The patch of an update; empty where nothing is left to change.
    pub(super) fn patch(self, update: &Update<'_>) -> Vec<Value> {
        let now = update.now;
        let (wanted, changed) = self.wanted(update);
        let mut ops: BTreeMap<Path, Option<&Value>> = BTreeMap::new();
        for path in &changed {
            if value_at(path, &wanted).is_some() {
                let at = outermost_missing(path, now);
                let value = value_at(&at, &wanted);
                if value != value_at(&at, now) {
                    ops.insert(at, value);
                }
            } else {
                let at = outermost_missing(path, &wanted);
                if at.get(now).is_some() {
                    ops.insert(at, None);
                }
            }
        }
        if ops.is_empty() {
            return Vec::new();
        }
        for path in self.0.write_only() {
            let steps: Vec<&str> = path.split('/').collect();
            if let Some(at) = held(&wanted, &steps) {
                let at = outermost_missing(&at, now);
                ops.insert(at.clone(), value_at(&at, &wanted));
            }
        }
        outermost(ops)
            .map(|(path, value)| match value {
                Some(value) => json!({"op": "add", "path": path.as_pointer(), "value": value}),
                None => json!({"op": "remove", "path": path.as_pointer()}),
            })
            .collect()
    }

    /// The properties in the form that the service takes, and the paths that differ in that form.
    fn wanted(self, update: &Update<'_>) -> (Value, BTreeSet<Path>) {
        let mut wanted = update.new.clone().into_value();
        let mut changed = update.changed.clone();
        let Some(name) = self.tag_property() else {
            return (wanted, changed);
        };
        let property = Path::root().join(name);
        if changed.iter().any(|path| path.is_within(&property)) {
            let tags = self.merged_tags(update.now, update.live, update.new);
            property.remove(&mut wanted);
            if !tags.is_empty() {
                property.set(&mut wanted, self.tags_as_sent(tags));
            }
            if self.0.tagging().is_list {
                changed.retain(|path| !path.is_within(&property));
                changed.insert(property);
            }
        }
        (wanted, changed)
    }
}

fn value_at<'v>(path: &Path, value: &'v Value) -> Option<&'v Value> {
    path.get(value).filter(|value| !value.is_null())
}

/// The path, or the outermost of those that hold it, at which `value` has nothing.
fn outermost_missing(path: &Path, value: &Value) -> Path {
    let mut at = Path::root();
    for step in path.segments() {
        at = at.join(step);
        if value_at(&at, value).is_none() {
            break;
        }
    }
    at
}

/// The path at which the properties have something write-only: that of a list or map, where it is
/// in an item.
fn held(wanted: &Value, steps: &[&str]) -> Option<Path> {
    let named = steps.iter().take_while(|step| **step != "*");
    let path = named.fold(Path::root(), |path, step| path.join(*step));
    has(wanted, steps).then_some(path)
}

fn has(value: &Value, steps: &[&str]) -> bool {
    match (steps.split_first(), value) {
        (None, value) => !value.is_null(),
        (Some((&"*", rest)), Value::Array(items)) => items.iter().any(|item| has(item, rest)),
        (Some((&"*", rest)), Value::Object(map)) => map.values().any(|value| has(value, rest)),
        (Some((name, rest)), value) => value.get(name).is_some_and(|value| has(value, rest)),
    }
}

/// The operations without those inside another one's path, holders first.
fn outermost(ops: BTreeMap<Path, Option<&Value>>) -> impl Iterator<Item = (Path, Option<&Value>)> {
    let paths: BTreeSet<Path> = ops.keys().cloned().collect();
    ops.into_iter().filter(move |(path, _)| {
        let mut holders = std::iter::successors(path.parent(), Path::parent);
        !holders.any(|holder| paths.contains(&holder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry_type;

    fn patch(name: &str, now: &Value, new: &Value, changed: &[&str]) -> Value {
        let kind = registry_type(name).expect("the registry has it");
        let model = Model(kind);
        let live = model.attributes("id", now.clone());
        let update = Update {
            now,
            live: &live,
            new: &Inputs::new(new.clone()),
            changed: &changed.iter().map(|path| Path::pointer(*path)).collect(),
        };
        model.patch(&update).into()
    }

    #[test]
    fn only_what_differs_is_sent() {
        let now = json!({"TableName": "t", "ProvisionedThroughput": {
            "ReadCapacityUnits": 1, "WriteCapacityUnits": 1,
        }});
        let new = json!({"TableName": "t", "ProvisionedThroughput": {
            "ReadCapacityUnits": 2, "WriteCapacityUnits": 1,
        }});
        let at = "/ProvisionedThroughput/ReadCapacityUnits";
        assert_eq!(
            patch("AWS::DynamoDB::Table", &now, &new, &[at]),
            json!([{"op": "add", "path": at, "value": 2}])
        );
        // Another one was faster.
        assert_eq!(patch("AWS::DynamoDB::Table", &new, &new, &[at]), json!([]));
        // What the live resource lacks is added with what is in it.
        let lacks = json!({"TableName": "t"});
        let whole = json!({"ReadCapacityUnits": 2, "WriteCapacityUnits": 1});
        assert_eq!(
            patch("AWS::DynamoDB::Table", &lacks, &new, &[at]),
            json!([{"op": "add", "path": "/ProvisionedThroughput", "value": whole}])
        );
    }

    #[test]
    fn what_the_file_no_longer_has_is_removed_where_it_exists() {
        let now = json!({"SSESpecification": {"SSEEnabled": true, "SSEType": "KMS"}});
        let part = json!({"SSESpecification": {"SSEEnabled": true}});
        let kind = "AWS::DynamoDB::Table";
        let at = [
            "/SSESpecification/SSEType",
            "/TimeToLiveSpecification/Enabled",
        ];
        assert_eq!(
            patch(kind, &now, &part, &at),
            json!([{"op": "remove", "path": at[0]}])
        );
        let all = ["/SSESpecification/SSEEnabled", "/SSESpecification/SSEType"];
        assert_eq!(
            patch(kind, &now, &json!({}), &all),
            json!([{"op": "remove", "path": "/SSESpecification"}])
        );
    }

    #[test]
    fn the_keys_of_a_map_are_escaped() {
        let now = json!({"ResponseTemplates": {"a/b~c": "1", "stays": "x", "goes/": "y"}});
        let new = json!({"ResponseTemplates": {"a/b~c": "2", "stays": "x"}});
        let at = ["/ResponseTemplates/a~1b~0c", "/ResponseTemplates/goes~1"];
        assert_eq!(
            patch("AWS::ApiGateway::GatewayResponse", &now, &new, &at),
            json!([
                {"op": "add", "path": at[0], "value": "2"},
                {"op": "remove", "path": at[1]},
            ])
        );
    }

    #[test]
    fn what_no_read_returns_is_sent_again() {
        let now = json!({"Description": "a", "Code": {"ImageUri": "seen"}});
        let new = json!({
            "Description": "b",
            "Code": {"S3Bucket": "bucket", "S3Key": "key"},
            "SnapStart": {"ApplyOn": "None"},
        });
        assert_eq!(
            patch("AWS::Lambda::Function", &now, &new, &["/Description"]),
            json!([
                {"op": "add", "path": "/Code/S3Bucket", "value": "bucket"},
                {"op": "add", "path": "/Code/S3Key", "value": "key"},
                {"op": "add", "path": "/Description", "value": "b"},
                {"op": "add", "path": "/SnapStart", "value": {"ApplyOn": "None"}},
            ])
        );
        let bare = json!({"Description": "a"});
        assert_eq!(
            patch("AWS::Lambda::Function", &bare, &new, &["/Code/S3Key"])[0],
            json!({"op": "add", "path": "/Code", "value": new["Code"]})
        );
    }

    #[test]
    fn tags_keep_those_of_others_and_the_owner() {
        let owner = json!({"Key": "stackctl:stack", "Value": "s"});
        let pair = |key: &str, value: &str| json!({"Key": key, "Value": value});
        let now = json!({"Tags": [owner, pair("goes", "1"), pair("theirs", "2")]});
        let new = json!({"Tags": {"mine": "3", "theirs": "2"}});
        let changed = ["/Tags/mine", "/Tags/goes"];
        assert_eq!(
            patch("AWS::SNS::Topic", &now, &new, &changed),
            json!([{
                "op": "add",
                "path": "/Tags",
                "value": [pair("mine", "3"), owner, pair("theirs", "2")],
            }])
        );
        let now = json!({"Tags": {"stackctl:stack": "s", "goes/1": "1"}});
        let new = json!({});
        assert_eq!(
            patch("AWS::SSM::Parameter", &now, &new, &["/Tags/goes~11"]),
            json!([{"op": "remove", "path": "/Tags/goes~11"}])
        );
    }
}
