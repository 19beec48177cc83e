//! Routes that ask for IAM: they take signed requests only, and a role's session needs
//! `execute-api:Invoke` on the route. Signatures are not checked.

use super::context::Incoming;
use crate::local_cloud::callers::Caller;
use crate::local_cloud::live::Live;
use crate::local_cloud::wire::{self, Scope};

/// Whether a request may take a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signed {
    Allowed,
    Missing,
    Denied,
}

/// Looks at who signed a request, and what they may do to the ARN of the route.
pub(super) fn check(live: &Live, incoming: &Incoming, arn: &str) -> Signed {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&incoming.querystring);
    let uri = http::Uri::builder().path_and_query(format!("/?{}", query.finish()));
    let uri = uri.build().unwrap_or_default();
    let headers = incoming.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_str()));
    let request = wire::request("GET", &uri, headers);
    if Scope::of(&request).key.is_empty() {
        return Signed::Missing;
    }
    let may = live.cloud().look(|now, store| {
        let caller = Caller::of(&request, store);
        // None is the owner, who may do everything.
        caller.session.is_none_or(|session| {
            let role = session.role;
            role.is_some_and(|role| role.allows(store, "execute-api:Invoke", arn, now))
        })
    });
    if may.is_ok_and(|may| may) {
        return Signed::Allowed;
    }
    live.note(&format!("The caller may not execute-api:Invoke on {arn}."));
    Signed::Denied
}
