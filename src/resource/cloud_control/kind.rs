//! A type as the requests about its resources need it.

use super::model::Model;
use crate::registry::{Handler, RegistryType};
use crate::resource::aws::send::send;
use crate::resource::context::Cx;
use crate::resource::error::Error;
use serde_json::Value;
use std::time::Duration;

/// A type of the registry.
#[derive(Clone, Copy)]
pub(super) struct Kind(pub(super) &'static RegistryType);

/// The codes of a resource that does not exist.
pub(super) const NOT_FOUND: &[&str] = &["ResourceNotFoundException", "NotFound"];

/// How long a handler may take where its schema does not say (CloudFormation CLI user guide,
/// "Resource type schema": `timeoutInMinutes` is 120 by default).
const HANDLER_MINUTES: u64 = 120;

impl Kind {
    pub(super) fn registry(self) -> &'static RegistryType {
        self.0
    }

    /// The properties that name a resource; empty where the service names it.
    pub(super) fn identity(self) -> Vec<&'static str> {
        let parts = self.0.primary_identifier();
        let is_given = |part: &String| !self.0.read_only().contains(part) && !part.contains('/');
        match parts.iter().all(is_given) {
            true => parts.iter().map(String::as_str).collect(),
            false => Vec::new(),
        }
    }

    pub(super) fn model(self) -> Model {
        Model(self.0)
    }

    /// For how long a request is followed.
    pub(super) fn limit(self, handler: Handler) -> Duration {
        let declared = self.0.handler(handler);
        let minutes = declared.and_then(|handler| handler.timeout_in_minutes);
        Duration::from_secs(60 * minutes.unwrap_or(HANDLER_MINUTES))
    }

    /// The live model; none where the resource does not exist.
    pub(super) async fn get(self, cx: &Cx, id: &str) -> Result<Option<Value>, Error> {
        let name = self.0.name();
        let call = cx.aws.cloud_control().get_resource();
        let call = call.type_name(name).identifier(id);
        let Some(reply) = send!(call, "cloudformation:GetResource", none: NOT_FOUND)? else {
            return Ok(None);
        };
        let described = reply.resource_description.and_then(|it| it.properties);
        let text = described
            .ok_or_else(|| Error::incomplete("cloudformation:GetResource", "Properties"))?;
        let model = serde_json::from_str(&text).map_err(|error| {
            Error::failed(format!(
                "the properties of {name} {id} cannot be read: {error}"
            ))
        })?;
        Ok(Some(model))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry_type;

    #[test]
    fn a_request_is_followed_for_as_long_as_its_handler_may_take() {
        let minutes = |name: &str, handler| {
            let kind = Kind(registry_type(name).expect("the registry has it"));
            kind.limit(handler).as_secs() / 60
        };
        assert_eq!(minutes("AWS::RDS::DBInstance", Handler::Create), 2160);
        assert_eq!(minutes("AWS::SNS::Topic", Handler::Create), HANDLER_MINUTES);
    }
}
