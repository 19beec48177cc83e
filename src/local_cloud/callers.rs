//! Who calls: the owner of the account, or a role's session.
//!
//! The keys of a session are kept under `.sts/key/{access key id}` as `{role, function}`: the ARN
//! of the role, and the session's name. Every other key, such as `test`, is the owner's, who may do
//! everything.

use super::iam::{self, Role};
use super::service::{ACCOUNT, Request, Store};
use super::wire::Scope;
use crate::resource::aws::partition_of;

/// Who calls.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The ARN that STS returns.
    pub(super) arn: String,
    /// The unique id that STS returns.
    pub(super) user_id: String,
    /// None: the owner.
    pub(super) session: Option<Session>,
}

/// A role's session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// None: the role was deleted meanwhile.
    pub(super) role: Option<Role>,
}

impl Caller {
    /// The caller of a request, by the key that signed it.
    pub(super) fn of(request: &Request, store: &dyn Store) -> Self {
        let (partition, _) = partition_of(&request.region);
        let key = Scope::of(request).key;
        let kept = match key.is_empty() {
            true => None,
            false => store.get(&format!(".sts/key/{key}")),
        };
        let Some(kept) = kept else {
            return Self {
                arn: format!("arn:{partition}:iam::{ACCOUNT}:root"),
                user_id: ACCOUNT.to_owned(),
                session: None,
            };
        };
        let text = |name: &str| kept[name].as_str().unwrap_or_default();
        let (arn, name) = (text("role"), text("function"));
        let role = iam::role_of_arn(store, arn);
        let role_name = arn.rsplit('/').next().unwrap_or_default();
        let id = role.as_ref().map_or(role_name, |role| &role.id);
        Self {
            arn: format!("arn:{partition}:sts::{ACCOUNT}:assumed-role/{role_name}/{name}"),
            user_id: format!("{id}:{name}"),
            session: Some(Session { role }),
        }
    }
}
