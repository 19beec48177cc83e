//! Integration responses: how the result of an integration is transformed.

use super::members::{Doc, Member, Protocol, Shape, fill, text};
use super::{Cx, Kind, bad, conflict};
use crate::local_cloud::service::Refusal;
use serde_json::json;

pub(super) const MEMBERS: &[Member] = &[
    Member::new("integrationResponseKey", Shape::Text(1, 1024)).needed(),
    Member::new(
        "contentHandlingStrategy",
        Shape::OneOf(&["CONVERT_TO_BINARY", "CONVERT_TO_TEXT", ""]),
    ),
    Member::new("responseParameters", Shape::Texts(1, 512)).merged(),
    Member::new("responseTemplates", Shape::Texts(0, 32_768)),
    Member::new("templateSelectionExpression", Shape::Text(1, 1024)),
];

/// Checks a response against the others of its integration, and fills in what AWS returns.
pub(super) fn complete(
    cx: &Cx<'_>,
    doc: &mut Doc,
    integration: &str,
    id: Option<&str>,
) -> Result<(), Refusal> {
    if cx.protocol == Protocol::Http {
        return Err(bad(
            "IntegrationResponse is not supported on protocolType HTTP.",
        ));
    }
    let key = text(doc, "integrationResponseKey");
    let expression = key
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    let is_expression =
        expression.is_some_and(|text| !text.is_empty() && regex::Regex::new(text).is_ok());
    if key != "$default" && !is_expression {
        return Err(bad(format!(
            "Invalid selection expression specified: {key}. The key is $default, or a regular \
             expression between slashes."
        )));
    }
    let mut others = cx.list(Kind::IntegrationResponse, integration).into_iter();
    if others.any(|(other, doc)| Some(&*other) != id && text(&doc, "integrationResponseKey") == key)
    {
        return Err(conflict(format!(
            "IntegrationResponse with key {key} already exists for this Integration"
        )));
    }
    fill(doc, &[("responseTemplates", json!({}))]);
    Ok(())
}
