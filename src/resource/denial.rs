//! What AWS says when it denies a call, and what helps. The wording is that of the IAM User
//! Guide, "Troubleshoot access denied error messages": `User: <who> is not authorized to perform:
//! <action> on resource: <resource>`, then `because no <policy> allows the <action> action` or
//! `with an explicit deny in a <policy>`.

use super::aws::permissions;

/// A denial, as far as the message describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The action that is missing: often another one than the call (`iam:PassRole`).
    pub action: Option<String>,
    /// On what.
    pub resource: Option<String>,
    /// Who was denied.
    pub principal: Option<String>,
    /// Why.
    pub kind: Kind,
}

/// Why a call was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A policy of this kind would have to allow it, and does not.
    NoAllow(Policy),
    /// A policy of this kind denies it, whatever others allow.
    ExplicitDeny(Policy),
    /// The message is encoded, and only `sts:DecodeAuthorizationMessage` reads it.
    Encoded,
    /// The message does not say.
    Unsaid,
}

/// A kind of policy that takes part in the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Of the user or role itself.
    Identity,
    /// The user's or role's permissions boundary.
    Boundary,
    /// A service control policy of the organization.
    ServiceControl,
    /// A resource control policy of the organization.
    ResourceControl,
    /// Of the session, given when the role was assumed.
    Session,
    /// Of the resource: a bucket's, a queue's, a key's.
    Resource,
    /// The trust policy of a role.
    Trust,
    /// Of a VPC endpoint on the way.
    Endpoint,
    /// One that this table lacks.
    Other,
}

const POLICIES: [(&str, Policy); 9] = [
    ("identity-based policy", Policy::Identity),
    ("permissions boundary", Policy::Boundary),
    ("service control policy", Policy::ServiceControl),
    ("resource control policy", Policy::ResourceControl),
    ("session policy", Policy::Session),
    ("resource-based policy", Policy::Resource),
    ("role trust policy", Policy::Trust),
    ("trust policy", Policy::Trust),
    ("VPC endpoint policy", Policy::Endpoint),
];

impl Denial {
    /// Reads a message.
    pub fn parse(message: &str) -> Self {
        let action = between(message, "not authorized to perform: ")
            .or_else(|| between(message, "not authorized to perform "))
            .filter(|text| text.contains(':'))
            .or_else(|| by_s3(message));
        Self {
            action,
            resource: between(message, "on resource: ")
                .or_else(|| between(message, "on resource ")),
            principal: between(message, "User: ").filter(|who| who != "anonymous"),
            kind: kind(message),
        }
    }

    /// The one next step, where `call` was denied.
    pub fn hint(&self, call: &str) -> String {
        let of_call = permissions::action(call);
        let action = match self.action.as_deref() {
            // SQS writes its actions in small letters.
            Some(action) if action.eq_ignore_ascii_case(of_call) => of_call.to_owned(),
            Some(action) => action.to_owned(),
            None => permissions::needed(call),
        };
        let on = self.resource.as_deref();
        let what = on.map_or_else(|| action.clone(), |on| format!("{action} on {on}"));
        let who = self.principal.as_deref().unwrap_or("the identity in use");
        let again = "then run the command again";
        match self.kind {
            Kind::Encoded => format!(
                "The message is encoded; `aws sts decode-authorization-message --encoded-message \
                 …` shows which permission {who} lacks (it needs \
                 sts:DecodeAuthorizationMessage). Allow that one, {again}."
            ),
            Kind::ExplicitDeny(policy) => format!(
                "An explicit deny in {} forbids {what} to {who}, and no allow outweighs it. {}, \
                 or use other credentials.",
                policy.article(),
                policy.change("lift it"),
            ),
            Kind::NoAllow(Policy::Identity | Policy::Other) | Kind::Unsaid => {
                format!("Allow {what} for {who}, {again}.")
            }
            Kind::NoAllow(policy) => format!(
                "{} does not allow {what} to {who}. {}, {again}.",
                capital(&policy.article()),
                policy.change("allow it"),
            ),
        }
    }
}

impl Policy {
    fn article(self) -> String {
        let text = match self {
            Self::Identity => "an identity-based policy",
            Self::Boundary => "the permissions boundary",
            Self::ServiceControl => "a service control policy of the organization",
            Self::ResourceControl => "a resource control policy of the organization",
            Self::Session => "the session policy",
            Self::Resource => "the resource's own policy",
            Self::Trust => "the role's trust policy",
            Self::Endpoint => "the VPC endpoint's policy",
            Self::Other => "a policy",
        };
        text.to_owned()
    }

    /// Who changes it, and where.
    fn change(self, what: &str) -> String {
        match self {
            Self::ServiceControl | Self::ResourceControl => {
                format!("Ask the organization's administrator to {what}")
            }
            Self::Session => format!("Assume the role with a session policy to {what}"),
            Self::Identity | Self::Other => format!("Change that policy to {what}"),
            Self::Boundary => format!("Change the boundary to {what}"),
            Self::Resource | Self::Trust | Self::Endpoint => {
                format!("Change it there to {what}")
            }
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// The word that follows `before`, without quotes and the sentence's end.
fn between(message: &str, before: &str) -> Option<String> {
    let (_, rest) = message.split_once(before)?;
    let rest = rest.trim_start();
    let word = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split_whitespace().next(),
    };
    let word = word?.trim_end_matches(['.', ',', ';']);
    (!word.is_empty()).then(|| word.to_owned())
}

/// Lambda, of code in a bucket: "Your access has been denied by S3, please make sure your request
/// credentials have permission to GetObject for bucket/key".
fn by_s3(message: &str) -> Option<String> {
    let action = between(message, "have permission to ")?;
    let of_s3 = message.contains("denied by S3");
    of_s3.then(|| format!("s3:{action}"))
}

fn kind(message: &str) -> Kind {
    let policy = |text: &str| {
        let at = |(name, policy): &(&str, Policy)| Some((text.find(name)?, *policy));
        let first = POLICIES.iter().filter_map(at).min_by_key(|(at, _)| *at);
        first.map_or(Policy::Other, |(_, policy)| policy)
    };
    if let Some((_, rest)) = message.split_once("with an explicit deny") {
        Kind::ExplicitDeny(policy(rest))
    } else if let Some((_, rest)) = message.split_once("because no ") {
        Kind::NoAllow(policy(rest))
    } else if message
        .to_ascii_lowercase()
        .contains("encoded authorization failure message")
    {
        Kind::Encoded
    } else {
        Kind::Unsaid
    }
}

#[cfg(test)]
mod tests;
