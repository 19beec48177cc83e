//! A plan kept in a file, to be applied later exactly as it was shown. The planner is pure:
//! `apply --plan` makes the plan again from the same seed, time, options and variables, and goes on
//! only where the two are the same. What differs is named. Where the plan goes is not taken from the
//! file: whoever applies it says so, or is asked.
//!
//! The file holds no secret: in its place is a hash of it, keyed with the state's key
//! ([`crate::store::seal::Seal`]), on which the comparison rests. Sensitive variables have to be
//! given again. With the state's key the whole file is authenticated, so that an altered one is
//! detected; a plan without any secret, of a state without a key, has a checksum only.
//!
//! Live attributes that no row of the plan shows are not compared: nothing was decided on them. The
//! first plan of a state brings the state's key along, encrypted to the user. Everyone who knows
//! the recipient can encrypt a key of theirs to it, so a `proof` made with the user's own identity
//! goes with it.

mod compare;
mod file;
mod seal;

pub use compare::{Moved, Now, moved_before, moved_files, moved_plan};
pub use file::{FileError, Mark, check_target, read, write};
pub use seal::sealed;

use crate::engine::plan::planned::Options;
use crate::engine::plan::{Plan, Summary};
use crate::lang::stack::Origin;
use crate::store::state::Encryption;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The word by which a saved plan is distinguished from other files.
pub const KIND: &str = "stackctl-plan";
/// The format that this version writes and reads.
pub const VERSION: u32 = 2;

/// A plan and everything it was decided on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// The version of stackctl that wrote it.
    pub stackctl: String,
    /// What the plan counts, for people who look into the file.
    pub summary: Summary,
    /// The command that created it.
    pub command: Command,
    /// The digest of each file that was read, by path as seen from the current folder; none
    /// where it was looked for and not there. Behind [`KEYED`] it is an HMAC of the digest.
    pub files: BTreeMap<String, Option<String>>,
    /// The variables.
    pub variables: BTreeMap<String, SavedVariable>,
    /// The seed of the plan's random values.
    pub seed: u64,
    /// The time of the plan, in seconds since 1970.
    pub unix_time: u64,
    /// The state it was computed from.
    pub state: SavedState,
    /// What the local data sources returned (archives), sealed where secret.
    pub data: BTreeMap<String, Value>,
    /// The plan, sealed.
    pub plan: Plan,
    /// The key to the secrets of a state that has none yet, which the apply is to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PlanKey>,
    /// What the file's first line says of the rest, once it was read.
    #[serde(skip)]
    pub mark: Mark,
}

/// A key that no state has yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanKey {
    /// What the state will say of its encryption.
    pub encryption: Encryption,
    /// Shows that its creator can open it; see [`crate::store::key::StateKey::of_plan`].
    pub proof: String,
}

/// The command line of the plan, as far as it decides on it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The stack file.
    pub file: String,
    /// `--env`.
    pub env: Option<String>,
    /// `--var`, sensitive ones excluded.
    pub vars: Vec<(String, String)>,
    /// `STACKCTL_VAR_<name>`, as far as the stack declares it and it is not sensitive.
    pub env_vars: Vec<(String, String)>,
    /// `--var-file`.
    pub var_files: Vec<String>,
    /// `--local`.
    pub local: bool,
    /// `--endpoint-url`.
    pub endpoint_url: Option<String>,
    /// `--state`.
    pub state: Option<String>,
    /// `--refresh`.
    pub refresh: bool,
    /// The options of the planner.
    pub options: Options,
}

/// A variable of the stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedVariable {
    /// The value; sealed where sensitive.
    pub value: Value,
    /// Whether it is sensitive, so that it has to be given again.
    pub sensitive: bool,
    /// Where the value came from.
    pub origin: Origin,
}

/// The state that a plan was computed from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedState {
    /// Whether it existed; else the lineage is that of the state to be created.
    pub existed: bool,
    /// Its lineage.
    pub lineage: String,
    /// Its serial as it was read.
    pub serial: u64,
}

/// In front of the digest of a file that is keyed with the state's key.
pub const KEYED: &str = "keyed:";

/// How many hexadecimal digits of a digest people are shown.
const SHORT: usize = 12;

/// A digest as people are shown it.
fn short(digest: &str) -> &str {
    digest.get(..SHORT).unwrap_or(digest)
}

#[cfg(test)]
mod tests;
