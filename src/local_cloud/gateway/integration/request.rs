//! The request of an integration: its body by the template that is selected, and its parameters
//! (API Gateway developer guide, "Data transformations for WebSocket APIs", and the reference of
//! integrations, `passthroughBehavior`).

use super::{Call, Failure};
use crate::local_cloud::apigateway::selection::{Scope, mapped, select};
use crate::local_cloud::apigateway::template::{Input, Parameters, Template};
use serde_json::Value;

/// The name of the template that is taken where no other is.
const DEFAULT: &str = "$default";

pub(super) fn scope<'s>(call: &'s Call<'_>) -> Scope<'s> {
    let incoming = call.incoming;
    Scope {
        body: &incoming.body,
        headers: Some(&incoming.headers),
        querystring: Some(&incoming.querystring),
        path: None,
        status: None,
        context: Some(&incoming.context),
        stage_variables: Some(&call.variables),
    }
}

/// The template that an expression selects out of some, by its name there.
pub(super) fn selected<'t>(
    templates: &'t Value,
    expression: &str,
    scope: &Scope<'_>,
) -> Option<(&'t str, &'t str)> {
    let templates = templates.as_object()?;
    let key = match expression {
        "" => None,
        expression => select(expression, scope),
    };
    let found = key.and_then(|key| templates.get_key_value(&key));
    let (name, text) = found.or_else(|| templates.get_key_value(DEFAULT))?;
    Some((name.as_str(), text.as_str()?))
}

/// What a template makes, for a payload.
pub(super) fn evaluated(
    call: &Call<'_>,
    (name, text): (&str, &str),
    body: &str,
    parameters: Parameters,
) -> Result<String, Failure> {
    let input = Input {
        body: body.to_owned(),
        parameters,
        context: call.incoming.context.clone(),
        stage_variables: call.variables.clone(),
    };
    let template = Template::parse(name, text);
    let made = template.and_then(|template| template.evaluate(&input));
    made.map_err(|error| {
        Failure::Internal(format!(
            "of the {}",
            error.to_string().trim_end_matches('.')
        ))
    })
}

/// The body: what the template makes of the payload, or the payload as it is.
pub(super) fn body(call: &Call<'_>) -> Result<String, Failure> {
    let templates = &call.integration["requestTemplates"];
    let expression = call.text("templateSelectionExpression");
    if let Some(template) = selected(templates, expression, &scope(call)) {
        let parameters = Parameters {
            header: call.incoming.headers.clone(),
            querystring: call.incoming.querystring.clone(),
            ..Parameters::default()
        };
        return evaluated(call, template, &call.incoming.body, parameters);
    }
    let some = templates.as_object().is_some_and(|all| !all.is_empty());
    match call.text("passthroughBehavior") {
        "NEVER" => Err(Failure::MediaType(
            "no template is selected, and passthroughBehavior is NEVER".to_owned(),
        )),
        "WHEN_NO_TEMPLATES" if some => Err(Failure::MediaType(
            "no template is selected, and passthroughBehavior is WHEN_NO_TEMPLATES".to_owned(),
        )),
        _ => Ok(call.incoming.body.clone()),
    }
}

/// The parameters by `requestParameters`; what is not there is omitted.
pub(super) fn parameters(call: &Call<'_>) -> Parameters {
    let scope = scope(call);
    let mut all = Parameters::default();
    let mappings = call.integration["requestParameters"].as_object();
    for (key, value) in mappings.into_iter().flatten() {
        let named = key.strip_prefix("integration.request.");
        let named = named.and_then(|rest| rest.split_once('.'));
        let value = value.as_str().and_then(|value| mapped(value, &scope));
        let (Some((place, name)), Some(value)) = (named, value) else {
            continue;
        };
        let into = match place {
            "header" | "multivalueheader" => &mut all.header,
            "querystring" | "multivaluequerystring" => &mut all.querystring,
            _ => &mut all.path,
        };
        into.insert(name.to_owned(), value);
    }
    all
}
