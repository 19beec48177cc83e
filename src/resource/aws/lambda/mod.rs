//! What the Lambda types share: the ways to name a function, the refusals that pass, tags.

pub mod event_source_mapping;
pub mod function;
pub mod function_calls;
pub mod function_rules;
pub mod function_settings;
pub mod invoke;
pub mod mapping_calls;
pub mod mapping_rules;
pub mod mapping_settings;
pub mod permission;
pub mod runtimes;
pub mod statement;

use crate::resource::author::*;
use tokio::time::Instant;

/// What every call returns for a resource that does not exist.
pub(crate) const NOT_FOUND: &[&str] = &["ResourceNotFoundException"];

/// How long a new role or policy, or another change, is waited for.
const SOON: Duration = Duration::from_secs(300);
/// How much longer Lambda may be kept waiting by EC2, for functions in a VPC.
const EC2: Duration = Duration::from_secs(540);

/// A user's tags.
pub(crate) type Tags = BTreeMap<String, String>;

/// A function as people name it: its name, a part of its ARN, its whole ARN, each with or
/// without a version or alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRef {
    /// The bare name.
    pub name: String,
    /// The version or alias.
    pub qualifier: Option<String>,
}

impl FunctionRef {
    /// Takes such a name apart.
    pub fn parse(text: &str) -> Self {
        let fields: Vec<&str> = text.split(':').collect();
        let marker = fields.iter().skip(1).position(|field| *field == "function");
        let rest = match marker {
            Some(at) if at + 2 < fields.len() => &fields[at + 2..],
            _ => &fields[..],
        };
        let [name, qualifier @ ..] = rest else {
            return Self {
                name: text.to_owned(),
                qualifier: None,
            };
        };
        Self {
            name: (*name).to_owned(),
            qualifier: (!qualifier.is_empty()).then(|| qualifier.join(":")),
        }
    }

    /// `name`, or `name:qualifier`.
    pub fn short(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The bare name in what a property may call a function: its name or ARN, with or without version.
pub fn function_name(text: &str) -> String {
    FunctionRef::parse(text).name
}

/// Whether a create was refused since such a resource exists already. The code alone also stands
/// for a change in progress.
pub fn exists(error: &Error) -> bool {
    error.effect() == Effect::None
        && error.is(&["ResourceConflictException"])
        && error.message().contains("already exist")
}

/// Why a refused call is worth a retry, and whether it is EC2 that is slow. The codes alone do not
/// decide it: the same ones stand for mistakes.
fn transient(error: &Error) -> Option<(Reason, Duration)> {
    if error.effect() != Effect::None {
        return None;
    }
    let text = error.message();
    let says = |part: &str| text.contains(part);
    let reason = if error.is(&["InvalidParameterValueException"]) {
        if says("cannot be assumed by Lambda") {
            Reason::created("a new role takes up to a minute")
        } else if says("role does not have permissions") || says("ensure the role can perform") {
            Reason::permissions("new permissions take up to a minute")
        } else if says("throttled by EC2") {
            return Some(("EC2 asks Lambda to slow down".into(), SOON + EC2));
        } else if says("invalid for CreateGrant") {
            Reason::created("a new role or key takes up to a minute")
        } else if says("replicated function") {
            "copies of the function at the edge are still being removed".into()
        } else {
            return None;
        }
    } else if error.is(&["ResourceConflictException"])
        && (says("in progress") || says("Pending") || says("pending"))
    {
        "another change of the function is going on".into()
    } else if error.is(&["ResourceInUseException"]) {
        "another change of the event source mapping is going on".into()
    } else {
        throttled(error)?.into()
    };
    Some((reason, SOON))
}

/// What every call that changes something waits out, from now on.
pub(crate) fn busy(cx: &Cx) -> (Duration, impl Fn(&Error) -> Option<Reason>) {
    let started = Instant::now();
    let passing = move |error: &Error| {
        let (reason, limit) = transient(error)?;
        (started.elapsed() < cx.limit(limit)).then_some(reason)
    };
    (SOON + EC2, passing)
}

/// `arn:{partition}:lambda:{region}:{account}:{rest}`.
pub(crate) async fn arn(cx: &Cx, rest: &str) -> Result<String, Error> {
    let (partition, region) = (cx.aws.partition(), cx.aws.region());
    let account = cx.aws.account().await?;
    Ok(format!("arn:{partition}:lambda:{region}:{account}:{rest}"))
}

/// The ARN by which API Gateway calls a function.
pub(crate) fn invoke_arn(cx: &Cx, arn: &str) -> String {
    let (partition, region) = (cx.aws.partition(), cx.aws.region());
    format!(
        "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    )
}

/// Changes the user's tags of the resource from `old` to `new`; tags of anybody else stay.
pub(crate) async fn retag(
    cx: &Cx,
    arn: &str,
    old: Option<&Tags>,
    new: Option<&Tags>,
) -> Result<(), Error> {
    let (set, remove) = tag_diff(old, new);
    if !set.is_empty() {
        let call = cx.aws.lambda().tag_resource().resource(arn);
        let call = call.set_tags(Some(set.into_iter().collect()));
        send!(cx, call, "lambda:TagResource", wait: busy(cx))?;
    }
    if !remove.is_empty() {
        let call = cx.aws.lambda().untag_resource().resource(arn);
        send!(cx, call.set_tag_keys(Some(remove.clone())), "lambda:UntagResource", wait: busy(cx))?;
    }
    Ok(())
}

/// The outputs out of what is known of a resource, for an update that gave no new ones.
pub(crate) fn kept<O: serde::de::DeserializeOwned>(attributes: &Attributes) -> Result<O, Error> {
    serde_json::from_value(attributes.clone().into_value())
        .map_err(|error| Error::failed(format!("the resource was not fully read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::error::CallError;

    fn refused(code: &str, message: &str, effect: Effect) -> Error {
        Error::Call(Box::new(CallError {
            call: "lambda:CreateFunction",
            code: code.to_owned(),
            message: message.to_owned(),
            bucket_region: None,
            request_id: None,
            status: Some(400),
            effect,
        }))
    }

    #[test]
    fn every_way_to_name_a_function_gives_its_name() {
        for (text, name, qualifier) in [
            ("f", "f", None),
            ("f:live", "f", Some("live")),
            ("123456789012:function:f", "f", None),
            (
                "arn:aws:lambda:us-west-2:123456789012:function:f",
                "f",
                None,
            ),
            (
                "arn:aws:lambda:us-west-2:123456789012:function:f:7",
                "f",
                Some("7"),
            ),
            ("function:live", "function", Some("live")),
            ("f:function", "f", Some("function")),
            (
                "arn:aws:lambda:us-west-2:123456789012:function:function",
                "function",
                None,
            ),
        ] {
            let found = FunctionRef::parse(text);
            assert_eq!(
                (found.name.as_str(), found.qualifier.as_deref()),
                (name, qualifier),
                "{text}"
            );
        }
    }

    #[test]
    fn only_refusals_that_pass_are_repeated() {
        let code = "InvalidParameterValueException";
        let role = "The role defined for the function cannot be assumed by Lambda.";
        assert!(transient(&refused(code, role, Effect::None)).is_some());
        assert!(transient(&refused(code, role, Effect::Unknown)).is_none());
        let visibility =
            "Queue visibility timeout: 1 seconds is less than Function timeout: 9 seconds";
        assert!(transient(&refused(code, visibility, Effect::None)).is_none());
        let code = "ResourceConflictException";
        let exists = "Function already exist: f";
        assert!(transient(&refused(code, exists, Effect::None)).is_none());
        let busy =
            "The operation cannot be performed at this time. An update is in progress for resource";
        assert!(transient(&refused(code, busy, Effect::None)).is_some());
    }
}
