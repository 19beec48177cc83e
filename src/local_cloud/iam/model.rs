//! What IAM keeps: roles and customer managed policies.

use super::super::policy::{Decision, decide};
use super::super::query::Tag;
use super::super::service::{ACCOUNT, Refusal, Store};
use super::managed;
use super::reply::missing;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A role, kept under `iam/role/{lower-case name}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::local_cloud) struct Role {
    pub(in crate::local_cloud) name: String,
    pub(in crate::local_cloud) arn: String,
    pub(super) path: String,
    pub(in crate::local_cloud) id: String,
    /// The assume-role document, as written.
    pub(in crate::local_cloud) trust: String,
    pub(super) description: Option<String>,
    /// Seconds.
    pub(super) max_session: u64,
    pub(in crate::local_cloud) boundary: Option<String>,
    pub(super) tags: Vec<Tag>,
    /// Milliseconds since 1970.
    pub(in crate::local_cloud) created: u64,
    /// Managed policies by ARN, with the time of attachment.
    pub(in crate::local_cloud) attached: BTreeMap<String, u64>,
    /// Inline policies by name.
    pub(in crate::local_cloud) inline: BTreeMap<String, Inline>,
}

/// An inline policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::local_cloud) struct Inline {
    pub(in crate::local_cloud) document: String,
    /// When it was put, in milliseconds since 1970.
    pub(in crate::local_cloud) put: u64,
}

/// A customer managed policy, kept under `iam/policy/{arn}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<Tag>,
    pub(super) created: u64,
    pub(super) updated: u64,
    /// Oldest first.
    pub(super) versions: Vec<Version>,
    /// The number of the default version.
    pub(super) default: u64,
    /// The number of the next version; numbers are never used again.
    pub(super) next: u64,
}

/// A version of a policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) document: String,
    pub(super) created: u64,
}

impl Policy {
    /// The default version.
    pub(super) fn default_document(&self) -> &str {
        let default = self
            .versions
            .iter()
            .find(|version| version.number == self.default);
        default.map_or("", |version| &version.document)
    }
}

/// Reads a value that this module wrote.
fn decode<T: serde::de::DeserializeOwned>(key: &str, value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|error| {
        Refusal::new(
            500,
            "ServiceFailure",
            format!("the local cloud's {key} cannot be read: {error}"),
        )
    })
}

/// Any value as JSON. The types here have only string keys, so it cannot fail.
fn encode(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn role_key(name: &str) -> String {
    format!("iam/role/{}", name.to_ascii_lowercase())
}

/// A role by name.
pub(super) fn role(store: &dyn Store, name: &str) -> Result<Role, Refusal> {
    let key = role_key(name);
    match store.get(&key) {
        Some(value) => decode(&key, value),
        None => Err(missing(format!(
            "The role with name {name} cannot be found."
        ))),
    }
}

/// The role with this ARN.
pub(in crate::local_cloud) fn role_of_arn(store: &dyn Store, arn: &str) -> Option<Role> {
    let name = arn.rsplit('/').next()?;
    role(store, name).ok().filter(|role| role.arn == arn)
}

/// Whether there is a role with this name, in any case.
pub(super) fn role_exists(store: &dyn Store, name: &str) -> bool {
    store.get(&role_key(name)).is_some()
}

/// Keeps a role.
pub(super) fn put_role(store: &mut dyn Store, role: &Role) {
    store.put(&role_key(&role.name), encode(role));
}

/// Removes a role.
pub(super) fn remove_role(store: &mut dyn Store, name: &str) {
    store.remove(&role_key(name));
}

/// All roles, by name.
pub(super) fn roles(store: &dyn Store) -> Result<Vec<Role>, Refusal> {
    let pairs = store.scan("iam/role/").into_iter();
    pairs.map(|(key, value)| decode(&key, value)).collect()
}

/// A customer managed policy by ARN.
pub(super) fn policy(store: &dyn Store, arn: &str) -> Result<Policy, Refusal> {
    let key = format!("iam/policy/{arn}");
    match store.get(&key) {
        Some(value) => decode(&key, value),
        None => Err(missing(format!("Policy {arn} was not found."))),
    }
}

/// Keeps a policy.
pub(super) fn put_policy(store: &mut dyn Store, policy: &Policy) {
    store.put(&format!("iam/policy/{}", policy.arn), encode(policy));
}

/// Removes a policy.
pub(super) fn remove_policy(store: &mut dyn Store, arn: &str) {
    store.remove(&format!("iam/policy/{arn}"));
}

/// All customer managed policies, by ARN.
pub(super) fn policies(store: &dyn Store) -> Result<Vec<Policy>, Refusal> {
    let pairs = store.scan("iam/policy/").into_iter();
    pairs.map(|(key, value)| decode(&key, value)).collect()
}

/// Refuses the ARN of a managed policy that does not exist.
pub(super) fn require_policy(store: &dyn Store, arn: &str) -> Result<(), Refusal> {
    if managed::exists(arn) {
        return Ok(());
    }
    policy(store, arn)
        .map(|_| ())
        .map_err(|_| missing(format!("Policy {arn} does not exist or is not attachable.")))
}

/// The ARN of a role or policy.
pub(super) fn arn(kind: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{kind}{path}{name}")
}

impl Role {
    /// Whether the role's policies, as they were at `until` (in milliseconds since 1970), allow
    /// an action on a resource, and its boundary lets them.
    pub(in crate::local_cloud) fn allows(
        &self,
        store: &dyn Store,
        action: &str,
        resource: &str,
        until: u64,
    ) -> bool {
        let (documents, boundary) = effective_documents(store, self, until);
        let decision = documents
            .iter()
            .map(|document| decide(document, action, resource))
            .max();
        let bounded =
            boundary.is_none_or(|document| decide(&document, action, resource) == Decision::Allow);
        decision == Some(Decision::Allow) && bounded
    }
}

/// The documents that give the role its rights: inline policies, and the default versions of
/// attached ones, as they were at `until`, in milliseconds since 1970. The second list is the
/// boundary's, empty when there is none.
fn effective_documents(store: &dyn Store, role: &Role, until: u64) -> (Vec<Value>, Option<Value>) {
    let inline = role.inline.values().filter(|inline| inline.put <= until);
    let inline = inline.filter_map(|inline| serde_json::from_str(&inline.document).ok());
    let attached = role.attached.iter().filter(|(_, since)| **since <= until);
    let attached = attached.filter_map(|(arn, _)| managed_document(store, arn));
    let boundary = role.boundary.as_ref();
    let boundary = boundary.map(|arn| managed_document(store, arn).unwrap_or_default());
    (inline.chain(attached).collect(), boundary)
}

fn managed_document(store: &dyn Store, arn: &str) -> Option<Value> {
    match managed::document(arn) {
        Some(document) => Some(document),
        None => serde_json::from_str(policy(store, arn).ok()?.default_document()).ok(),
    }
}
