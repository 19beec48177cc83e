//! IAM: roles and customer managed policies. Global: one set for all regions.
//!
//! Wire: the query protocol with XML replies, API version 2010-05-08.
//! Laxer than AWS: no users, groups or instance profiles; policies of AWS can be attached
//! under any name but only the well-known ones are understood; a principal that is deleted
//! does not turn into its unique id in documents that name it.

mod attachment;
mod form;
mod inline;
mod managed;
mod model;
mod policy;
mod reply;
mod role;
mod role_update;
mod version;

pub(super) use model::{Role, role_of_arn};

use super::query::{self, Form};
use super::service::{Refusal, Reply, Request, Service, Store};

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The service.
pub struct Iam;

/// One call: its parameters, the store, the time.
struct Call<'a> {
    form: &'a Form,
    store: &'a mut dyn Store,
    /// Milliseconds since 1970.
    now: u64,
}

/// What an operation returns: the XML inside its result element.
type Answer = Result<super::xml::Xml, Refusal>;

impl Service for Iam {
    fn signing_name(&self) -> &'static str {
        "iam"
    }

    fn operation(&self, request: &Request) -> String {
        Form::parse(request).action().to_owned()
    }

    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal> {
        let form = Form::parse(request);
        let call = Call {
            form: &form,
            store,
            now: request.now,
        };
        let answer = dispatch(call)?;
        Ok(query::respond(NAMESPACE, form.action(), answer))
    }

    fn refuse(&self, _request: &Request, refusal: &Refusal) -> Reply {
        query::refuse(NAMESPACE, refusal)
    }
}

fn dispatch(call: Call<'_>) -> Answer {
    let operation: fn(Call<'_>) -> Answer = match call.form.action() {
        "CreateRole" => role::create,
        "GetRole" => role::get,
        "DeleteRole" => role::delete,
        "ListRoles" => role::list,
        "ListInstanceProfilesForRole" => role::list_instance_profiles,
        "UpdateRole" => role_update::update,
        "UpdateRoleDescription" => role_update::update_description,
        "UpdateAssumeRolePolicy" => role_update::update_trust,
        "PutRolePermissionsBoundary" => role_update::put_boundary,
        "DeleteRolePermissionsBoundary" => role_update::delete_boundary,
        "TagRole" => role_update::tag,
        "UntagRole" => role_update::untag,
        "ListRoleTags" => role_update::list_tags,
        "AttachRolePolicy" => attachment::attach,
        "DetachRolePolicy" => attachment::detach,
        "ListAttachedRolePolicies" => attachment::list,
        "ListEntitiesForPolicy" => attachment::list_entities,
        "PutRolePolicy" => inline::put,
        "GetRolePolicy" => inline::get,
        "DeleteRolePolicy" => inline::delete,
        "ListRolePolicies" => inline::list,
        "CreatePolicy" => policy::create,
        "GetPolicy" => policy::get,
        "DeletePolicy" => policy::delete,
        "ListPolicies" => policy::list,
        "TagPolicy" => policy::tag,
        "UntagPolicy" => policy::untag,
        "ListPolicyTags" => policy::list_tags,
        "CreatePolicyVersion" => version::create,
        "GetPolicyVersion" => version::get,
        "DeletePolicyVersion" => version::delete,
        "ListPolicyVersions" => version::list,
        "SetDefaultPolicyVersion" => version::set_default,
        other => {
            return Err(Refusal::new(
                400,
                "InvalidAction",
                format!(
                    "Could not find operation {other} for version 2010-05-08 in the local cloud"
                ),
            ));
        }
    };
    operation(call)
}

#[cfg(test)]
mod tests;
