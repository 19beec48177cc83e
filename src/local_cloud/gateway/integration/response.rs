//! Integration responses: what a client gets of what an integration returned.

use super::{Call, Failure, Response, request};
use crate::local_cloud::apigateway::selection::{Scope, select};
use crate::local_cloud::apigateway::template::Parameters;
use regex::Regex;
use serde_json::Value;

/// The response, by the integration response whose key matches. Without one it goes through as it
/// is, and an error is one.
pub(super) fn transformed(call: &Call<'_>, response: Response) -> Result<Response, Failure> {
    let scope = Scope {
        body: &response.body,
        headers: Some(&response.headers),
        status: Some(response.status),
        context: Some(&call.incoming.context),
        stage_variables: Some(&call.variables),
        ..Scope::default()
    };
    let expression = call.text("integrationResponseSelectionExpression");
    let selected = select(expression, &scope).unwrap_or_default();
    let Some(way) = way(&call.integration["responses"], &selected) else {
        if response.status >= 400 {
            return Err(Failure::Internal(format!(
                "the integration returned the status {}: {}",
                response.status,
                response.body.trim()
            )));
        }
        return Ok(response);
    };
    let expression = way["templateSelectionExpression"]
        .as_str()
        .unwrap_or_default();
    let template = request::selected(&way["responseTemplates"], expression, &scope);
    let body = match template {
        Some(template) => {
            let parameters = Parameters {
                header: response.headers.clone(),
                ..Parameters::default()
            };
            request::evaluated(call, template, &response.body, parameters)?
        }
        None => response.body,
    };
    Ok(Response {
        status: response.status,
        headers: response.headers,
        body,
    })
}

/// The integration response for a selected value: the first whose expression matches it whole, else
/// `$default`.
fn way<'w>(responses: &'w Value, selected: &str) -> Option<&'w Value> {
    let all = responses.as_array()?;
    let key = |way: &'w Value| way["integrationResponseKey"].as_str().unwrap_or_default();
    let matches = |way: &&'w Value| {
        let inner = key(way)
            .strip_prefix('/')
            .and_then(|it| it.strip_suffix('/'));
        let pattern = inner.and_then(|inner| Regex::new(&format!("^(?:{inner})$")).ok());
        pattern.is_some_and(|pattern| pattern.is_match(selected))
    };
    all.iter()
        .find(matches)
        .or_else(|| all.iter().find(|way| key(way) == "$default"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_response_is_found_by_its_expression_else_by_default() {
        let all = json!([
            {"integrationResponseKey": "$default", "n": 0},
            {"integrationResponseKey": "/4\\d{2}/", "n": 1},
            {"integrationResponseKey": "/5/", "n": 2},
        ]);
        for (selected, expected) in [("404", 1), ("200", 0), ("500", 0), ("5", 2)] {
            assert_eq!(way(&all, selected).unwrap()["n"], expected, "{selected}");
        }
        assert_eq!(way(&json!([]), "200"), None);
    }
}
