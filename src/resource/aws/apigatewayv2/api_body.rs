//! An HTTP API's OpenAPI document: put in whole, and what it overwrote put back.

use super::{api_arn, send, tag};
use crate::resource::aws_apigatewayv2_api::{Api, Cors};
use crate::resource::context::Cx;
use crate::resource::error::Error;

/// Puts the document in place of the API's routes and integrations. The service takes name,
/// description, version, CORS settings and tags from the document too (Terraform's provider
/// sets them again for that reason), so what the stack file says of them follows.
pub(crate) async fn import(cx: &Cx, id: &str, props: &Api) -> Result<(), Error> {
    let Some(body) = &props.body else {
        return Ok(());
    };
    let client = cx.aws.apigateway();
    let call = client.reimport_api().api_id(id).body(body.text());
    let call = call
        .set_fail_on_warnings(props.fail_on_warnings)
        .set_basepath(props.base_path.clone());
    send!(cx, call, "apigateway:PUT (ReimportApi)")?;
    let call = client.update_api().api_id(id).name(&props.name);
    let call = call
        .set_description(props.description.clone())
        .set_version(props.version.clone())
        .set_cors_configuration(props.cors_configuration.as_ref().map(Cors::to_sdk));
    send!(cx, call, "apigateway:PATCH (UpdateApi)")?;
    let mut tags = cx.owner.tagged(props.tags.as_ref());
    // An update makes nothing, so it has no operation to name.
    tags.retain(|_, value| !value.is_empty());
    tag(cx, &api_arn(cx, id), tags).await
}
