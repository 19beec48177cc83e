//! An example of a type of the registry: the fewest properties that its schema takes. A property
//! that holds what another type returns refers to a resource of that type.

use crate::lang::yaml;
use crate::registry::{self, RegistryType};
use serde_json::Value;
use std::fmt::Write as _;

/// The example, in YAML: a resource by its name.
pub(super) fn of(kind: &RegistryType) -> String {
    let mut example = format!("{}:\n  type: {}\n", resource_name(kind.name()), kind.name());
    let mut instance = registry::instance(kind, 0);
    refer(kind, &mut instance, "");
    if instance.as_object().is_some_and(|map| !map.is_empty()) {
        example.push_str("  properties:\n");
        for line in yaml::write(&instance).unwrap_or_default().lines() {
            let _ = writeln!(example, "    {line}");
        }
    }
    example
}

/// What a resource of a type may be called: `AWS::RDS::DBInstance` is `dbInstance`.
fn resource_name(type_name: &str) -> String {
    let last = type_name.rsplit("::").next().unwrap_or_default();
    let capitals = last.chars().take_while(char::is_ascii_uppercase).count();
    // The last capital of several begins the next word.
    let begins_next = capitals > 1 && last.chars().nth(capitals).is_some_and(|c| c.is_lowercase());
    let small = capitals - usize::from(begins_next);
    let (front, rest) = last.split_at(small);
    front.to_ascii_lowercase() + rest
}

/// Puts references in the place of the values that other types return.
fn refer(kind: &RegistryType, value: &mut Value, path: &str) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let path = match path.is_empty() {
                    true => name.clone(),
                    false => format!("{path}/{name}"),
                };
                refer(kind, value, &path);
            }
        }
        Value::Array(items) => {
            for item in items {
                refer(kind, item, &format!("{path}/*"));
            }
        }
        Value::String(text) => {
            let found = kind
                .at(path)
                .into_iter()
                .find_map(|schema| meant(kind, schema));
            let name = path.rsplit('/').next().unwrap_or_default();
            let is_role = name == "Role" || name.to_lowercase().ends_with("rolearn");
            let role = || is_role.then(|| "${role.Arn}".to_owned());
            if let Some(found) = found.or_else(role) {
                *text = found;
            }
        }
        _ => {}
    }
}

/// What a string is by its `format`, which cfn-lint adds to the schemas: `AWS::EC2::VPC.Id` and its
/// like, or a range of addresses.
fn meant(kind: &RegistryType, schema: &Value) -> Option<String> {
    let of_branch = || {
        let branches = ["anyOf", "oneOf"].into_iter();
        let mut branches = branches
            .filter_map(|key| schema.get(key)?.as_array())
            .flatten();
        branches.find_map(|branch| meant(kind, branch))
    };
    let Some(format) = schema.get("format").and_then(Value::as_str) else {
        return of_branch();
    };
    if format == "ipv4-network" {
        return Some("10.0.0.0/24".to_owned());
    }
    let (type_name, what) = format.split_once('.')?;
    let other = registry::registry_type(type_name).filter(|other| other.name() != kind.name())?;
    let is_arn = |path: &&String| what == "Arn" && !path.contains('/') && path.ends_with("Arn");
    let output = other.read_only().iter().find(is_arn);
    let output = output.map_or("id", String::as_str);
    Some(format!("${{{}.{output}}}", resource_name(type_name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry_type;

    #[test]
    fn an_example_refers_to_what_other_types_return() {
        let example = |name: &str| of(registry_type(name).unwrap());
        assert_eq!(
            example("AWS::EC2::Subnet"),
            "subnet:\n  type: AWS::EC2::Subnet\n  properties:\n    CidrBlock: 10.0.0.0/24\n    VpcId: ${vpc.id}\n"
        );
        assert_eq!(
            example("AWS::Lambda::Function"),
            "function:\n  type: AWS::Lambda::Function\n  properties:\n    Code: {}\n    Role: ${role.Arn}\n"
        );
        assert_eq!(
            example("AWS::SNS::Subscription"),
            "subscription:\n  type: AWS::SNS::Subscription\n  properties:\n    Protocol: example\n    TopicArn: ${topic.TopicArn}\n"
        );
        assert_eq!(
            example("AWS::EC2::Instance"),
            "instance:\n  type: AWS::EC2::Instance\n"
        );
    }

    #[test]
    fn names_begin_with_a_small_letter() {
        for (name, expected) in [
            ("AWS::RDS::DBInstance", "dbInstance"),
            ("AWS::EC2::VPC", "vpc"),
            ("AWS::DynamoDB::Table", "table"),
            ("AWS::S3::Bucket", "bucket"),
            ("AWS::EC2::EIP", "eip"),
        ] {
            assert_eq!(resource_name(name), expected);
        }
    }
}
