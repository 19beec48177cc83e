//! What Lambda keeps: functions and event source mappings.

use super::super::service::{ACCOUNT, Refusal, Store};
use super::name::{self, FunctionName};
use super::{Call, conflict, missing};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How long a new function is Pending, in milliseconds.
const PENDING: u64 = 300;
/// How long an update of a function is InProgress, in milliseconds.
const UPDATING: u64 = 200;

/// A function, kept under `lambda/{region}/function/{name}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) arn: String,
    /// The configuration as replies return it, without its states.
    pub(super) config: Map<String, Value>,
    /// The code's bytes in the store; empty for an image.
    pub(super) blob: String,
    pub(super) image: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// Reserved concurrent executions.
    pub(super) concurrency: Option<i64>,
    /// Milliseconds since 1970.
    pub(super) created: u64,
    /// The last update, in milliseconds since 1970.
    pub(super) updated: Option<u64>,
    /// Permission statements by qualifier; the empty one is the function itself.
    pub(super) policies: BTreeMap<String, Vec<Value>>,
    pub(super) policy_revision: String,
    /// The configurations of published versions, oldest first.
    pub(super) versions: Vec<Map<String, Value>>,
    /// The number of the last version; numbers are never used again.
    pub(super) published: u64,
    /// The code's bytes in the store, by version; none for images.
    #[serde(default)]
    pub(super) version_blobs: BTreeMap<String, String>,
}

impl Function {
    /// The configuration with the states of this moment.
    pub(super) fn to_reply(&self, now: u64) -> Value {
        let mut config = self.config.clone();
        if now < self.created + PENDING {
            set(&mut config, "State", "Pending");
            set(&mut config, "StateReason", "The function is being created.");
            set(&mut config, "StateReasonCode", "Creating");
            return config.into();
        }
        set(&mut config, "State", "Active");
        if self.is_updating(now) {
            set(&mut config, "LastUpdateStatus", "InProgress");
            set(
                &mut config,
                "LastUpdateStatusReason",
                "The function is being created.",
            );
            set(&mut config, "LastUpdateStatusReasonCode", "Creating");
        } else {
            set(&mut config, "LastUpdateStatus", "Successful");
        }
        config.into()
    }

    /// Why it cannot be invoked yet.
    pub(super) fn require_active(&self, now: u64) -> Result<(), Refusal> {
        if now < self.created + PENDING {
            return Err(conflict(
                "The operation cannot be performed at this time. The function is currently in the following state: Pending",
            ));
        }
        Ok(())
    }

    fn is_updating(&self, now: u64) -> bool {
        self.updated.is_some_and(|updated| now < updated + UPDATING)
    }

    /// Refuses a change while another one runs.
    pub(super) fn require_no_update(&self, now: u64) -> Result<(), Refusal> {
        self.require_active(now)?;
        if self.is_updating(now) {
            return Err(conflict(format!(
                "The operation cannot be performed at this time. An update is in progress for resource: {}",
                self.arn
            )));
        }
        Ok(())
    }

    /// A string of the configuration.
    pub(super) fn text(&self, name: &str) -> &str {
        self.config
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

fn set(config: &mut Map<String, Value>, name: &str, value: &str) {
    config.insert(name.to_owned(), value.into());
}

fn decode<T: serde::de::DeserializeOwned>(key: &str, value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|why| {
        let message = format!("the local cloud's {key} cannot be read: {why}");
        Refusal::new(500, "ServiceException", message)
    })
}

fn function_key(region: &str, name: &str) -> String {
    format!("lambda/{region}/function/{name}")
}

/// A function by name; none when there is none.
pub(super) fn find_function(
    store: &dyn Store,
    region: &str,
    name: &str,
) -> Result<Option<Function>, Refusal> {
    let key = function_key(region, name);
    store.get(&key).map(|value| decode(&key, value)).transpose()
}

/// A function by name.
pub(super) fn function(store: &dyn Store, region: &str, name: &str) -> Result<Function, Refusal> {
    find_function(store, region, name)?
        .ok_or_else(|| missing(format!("Function not found: {}", name::arn(region, name))))
}

/// All functions of a region, by name.
pub(super) fn functions(store: &dyn Store, region: &str) -> Result<Vec<Function>, Refusal> {
    let pairs = store.scan(&function_key(region, "")).into_iter();
    pairs.map(|(key, value)| decode(&key, value)).collect()
}

/// Keeps a function.
pub(super) fn put_function(store: &mut dyn Store, function: &Function) {
    let value = serde_json::to_value(function).unwrap_or_default();
    store.put(&function_key(&function.region, &function.name), value);
}

/// Removes a function.
pub(super) fn remove_function(store: &mut dyn Store, function: &Function) {
    store.remove(&function_key(&function.region, &function.name));
}

impl Call<'_> {
    /// The function that the path names, with the qualifier from there or from the query.
    pub(super) fn function(&self) -> Result<(Function, Option<String>), Refusal> {
        let named = FunctionName::parse(&self.path[0], &self.request.region)?;
        let function = function(self.store, &self.request.region, &named.name)?;
        let qualifier = self
            .query("Qualifier")
            .map(str::to_owned)
            .or(named.qualifier);
        Ok((function, qualifier))
    }
}

/// What moves a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Creating,
    Updating,
    Deleting,
}

impl Phase {
    /// How long it takes, in milliseconds.
    fn duration(self) -> u64 {
        match self {
            Self::Creating | Self::Deleting => 300,
            Self::Updating => 200,
        }
    }
}

/// An event source mapping, kept under `lambda/{region}/mapping/{uuid}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mapping {
    pub(super) uuid: String,
    pub(super) region: String,
    pub(super) function: String,
    pub(super) queue_arn: String,
    /// The configuration as replies return it, without its state.
    pub(super) config: Map<String, Value>,
    pub(super) enabled: bool,
    pub(super) phase: Phase,
    /// When the phase began, in milliseconds since 1970.
    pub(super) changed: u64,
    pub(super) tags: BTreeMap<String, String>,
}

impl Mapping {
    /// The state of this moment; none when it no longer exists.
    fn state(&self, now: u64) -> Option<&'static str> {
        let moving = now < self.changed + self.phase.duration();
        match (self.phase, moving) {
            (Phase::Creating, true) => Some("Creating"),
            (Phase::Updating, true) => Some("Updating"),
            (Phase::Deleting, true) => Some("Deleting"),
            (Phase::Deleting, false) => None,
            (_, false) if self.enabled => Some("Enabled"),
            (_, false) => Some("Disabled"),
        }
    }

    /// Whether it polls its queue at this moment.
    pub(super) fn polls(&self, now: u64) -> bool {
        self.state(now) == Some("Enabled")
    }

    /// Whether a change is still on its way.
    pub(super) fn is_moving(&self, now: u64) -> bool {
        now < self.changed + self.phase.duration()
    }

    /// The configuration with the state of this moment.
    pub(super) fn to_reply(&self, now: u64) -> Value {
        let mut config = self.config.clone();
        set(&mut config, "State", self.state(now).unwrap_or("Deleting"));
        set(&mut config, "StateTransitionReason", "USER_INITIATED");
        config.into()
    }
}

fn mapping_key(region: &str, uuid: &str) -> String {
    format!("lambda/{region}/mapping/{uuid}")
}

/// A mapping by UUID.
pub(super) fn mapping(
    store: &dyn Store,
    region: &str,
    uuid: &str,
    now: u64,
) -> Result<Mapping, Refusal> {
    let key = mapping_key(region, uuid);
    let found: Option<Mapping> = store
        .get(&key)
        .map(|value| decode(&key, value))
        .transpose()?;
    found
        .filter(|mapping| mapping.state(now).is_some())
        .ok_or_else(|| missing("The resource you requested does not exist."))
}

/// All mappings of a region that still exist.
pub(super) fn mappings(store: &dyn Store, region: &str, now: u64) -> Result<Vec<Mapping>, Refusal> {
    let pairs = store.scan(&mapping_key(region, "")).into_iter();
    let all = pairs.map(|(key, value)| decode::<Mapping>(&key, value));
    let all = all.collect::<Result<Vec<_>, _>>()?;
    Ok(all
        .into_iter()
        .filter(|mapping| mapping.state(now).is_some())
        .collect())
}

/// Keeps a mapping.
pub(super) fn put_mapping(store: &mut dyn Store, mapping: &Mapping) {
    let value = serde_json::to_value(mapping).unwrap_or_default();
    store.put(&mapping_key(&mapping.region, &mapping.uuid), value);
}

/// Forgets the mappings of a region whose deletion has ended.
pub(super) fn sweep_mappings(store: &mut dyn Store, region: &str, now: u64) {
    for (key, value) in store.scan(&mapping_key(region, "")) {
        let gone = serde_json::from_value::<Mapping>(value)
            .is_ok_and(|mapping| mapping.state(now).is_none());
        if gone {
            store.remove(&key);
        }
    }
}

/// The ARN of a mapping.
pub(super) fn mapping_arn(region: &str, uuid: &str) -> String {
    format!("arn:aws:lambda:{region}:{ACCOUNT}:event-source-mapping:{uuid}")
}
