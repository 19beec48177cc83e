//! What the API Gateway v2 types share: ids, ARNs, the way writes are retried, tags.
//!
//! No call has an idempotency token, and parallel writes under one API are refused with a
//! `ConflictException`, so every write of an API, its children included, takes the lane
//! `apigateway/{apiId}`. Updates are PATCH calls: what is omitted stays as it is.

pub mod api;
pub mod deployment;
pub mod integration;
pub mod integration_parts;
pub mod integration_response;
pub(crate) mod log_format;
pub mod protocol;
pub mod route;
pub mod route_response;
pub mod stage;
pub mod stage_settings;

use crate::resource::author::*;
use crate::resource::aws::listing;
use crate::resource::context;
use protocol::Protocol;

/// What every call returns for a resource, or a parent, that does not exist.
pub(crate) const NOT_FOUND: &[&str] = &["NotFoundException"];

/// What a create returns for a route key or a stage name that is taken. While other writes go on,
/// it returns the same, which [`BUSY`] waits out.
pub(crate) const EXISTS: &[&str] = &["ConflictException"];

/// How long a write is retried while others write to the same API.
const WRITE_LIMIT: Duration = Duration::from_secs(300);

/// The parts of an engine id such as `apiId/routeId`.
pub(crate) fn parts<const N: usize>(id: &str) -> Result<[&str; N], Error> {
    let found: Vec<&str> = id.splitn(N, '/').filter(|part| !part.is_empty()).collect();
    <[&str; N]>::try_from(found).map_err(|_| {
        Error::with_hint(
            format!("{id:?} is not an id of {N} parts with a slash between them"),
            "Give the id as the type's reference shows it, such as apiId/routeId.",
        )
    })
}

/// The lane of a child of an API.
pub(crate) const LANE: Lane = Lane("apigateway", "apiId");

/// Why a refused write is worth a retry.
fn transient(error: &Error) -> Option<&'static str> {
    let concurrent = error.effect() == Effect::None
        && error.is(&["ConflictException"])
        && error
            .message()
            .to_ascii_lowercase()
            .contains("concurrent modification");
    if concurrent {
        return Some("another write to the API is going on");
    }
    context::throttled(error)
}

/// What every write waits out.
pub(crate) const BUSY: Waits = (WRITE_LIMIT, transient);

/// The id that a create's reply must have.
pub(crate) fn created_id(
    id: Option<String>,
    call: &'static str,
    member: &str,
) -> Result<String, Error> {
    id.filter(|id| !id.is_empty())
        .ok_or_else(|| Error::incomplete(call, member))
}

/// `arn:{partition}:apigateway:{region}::/apis/{id}`; the account field is empty.
pub(crate) fn api_arn(cx: &Cx, api_id: &str) -> String {
    let (partition, region) = (cx.aws.partition(), cx.aws.region());
    format!("arn:{partition}:apigateway:{region}::/apis/{api_id}")
}

/// `arn:{partition}:execute-api:{region}:{account}:{id}`, what policies name.
pub(crate) async fn execution_arn(cx: &Cx, api_id: &str) -> Result<String, Error> {
    let (partition, region) = (cx.aws.partition(), cx.aws.region());
    let account = cx.aws.account().await?;
    Ok(format!(
        "arn:{partition}:execute-api:{region}:{account}:{api_id}"
    ))
}

/// A user's tags.
pub(crate) type Tags = BTreeMap<String, String>;

/// Changes the user's tags of the resource from `old` to `new`; tags of anybody else stay.
/// `UpdateApi` and `UpdateStage` take no tags, so these are calls of their own.
pub(crate) async fn retag(
    cx: &Cx,
    arn: &str,
    old: Option<&Tags>,
    new: Option<&Tags>,
) -> Result<(), Error> {
    let (set, remove) = tag_diff(old, new);
    tag(cx, arn, set).await?;
    if !remove.is_empty() {
        let call = cx.aws.apigateway().untag_resource().resource_arn(arn);
        let call = call.set_tag_keys(Some(remove.clone()));
        send!(cx, call, "apigateway:DELETE (UntagResource)", wait: BUSY)?;
    }
    Ok(())
}

/// Puts tags on the resource; no call where there are none.
pub(crate) async fn tag(cx: &Cx, arn: &str, tags: Tags) -> Result<(), Error> {
    if !tags.is_empty() {
        let call = cx.aws.apigateway().tag_resource().resource_arn(arn);
        let call = call.set_tags(Some(tags.into_iter().collect()));
        send!(cx, call, "apigateway:POST (TagResource)", wait: BUSY)?;
    }
    Ok(())
}

/// Checks what API Gateway wants of tags.
pub(crate) fn tag_rules(rules: &Rules<'_>, broken: &mut Vec<Broken>) {
    broken.extend(tags::rules(rules, Tagging::NoEmptyValue));
}

/// The protocol of the API that `apiId` refers to, where it is in this file.
pub(crate) fn peer_protocol(rules: &Rules<'_>) -> Option<Protocol> {
    let (name, api) = (rules.peer)(&Path::dotted("apiId"))?;
    if name != "aws:apigatewayv2:Api" {
        return None;
    }
    Protocol::parse(api.value.get("protocolType")?.as_str()?)
}

/// Why a part of an API cannot stand beside the API: its `body` says all routes and integrations,
/// and each import of it deletes the others (`ReimportApi` overwrites the definition).
pub(crate) fn said_by_body(_part: &Rules<'_>, api: &Rules<'_>) -> Option<Broken> {
    api.given("body").then(|| {
        Broken::at("apiId", "The API has a body, which says all its routes and integrations and deletes every other one: describe this one there, or take body out of the API.")
    })
}

/// Refuses properties that only WebSocket APIs have on an HTTP API, and the reverse.
pub(crate) fn only_for(
    rules: &Rules<'_>,
    protocol: Option<Protocol>,
    wanted: Protocol,
    names: &[&str],
    broken: &mut Vec<Broken>,
) {
    if protocol.is_none_or(|protocol| protocol == wanted) {
        return;
    }
    for name in names.iter().filter(|name| rules.given(name)) {
        broken.push(Broken::at(
            name,
            format!("{name} is for {} APIs only.", wanted.words()),
        ));
    }
}

/// A value as JSON, for [`Known::fits`](crate::resource::Known::fits).
pub(crate) fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// All that the pages of a listing give (see [`listing::all`]); a missing parent is an empty list.
pub(crate) async fn all_pages<T, F>(
    call: &'static str,
    page: impl FnMut(Option<String>) -> F + Send,
) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), Error>> + Send,
{
    let found = listing::unless(listing::all(call, page).await, NOT_FOUND)?;
    Ok(found.unwrap_or_default())
}

/// Goes through the pages of a listing until one gives something (see [`listing::first`]); a
/// missing parent is an empty list.
pub(crate) async fn pages<T, F>(
    call: &'static str,
    page: impl FnMut(Option<String>) -> F + Send,
) -> Result<Option<T>, Error>
where
    F: Future<Output = Result<(Option<T>, Option<String>), Error>> + Send,
{
    let found = listing::unless(listing::first(call, page).await, NOT_FOUND)?;
    Ok(found.flatten())
}

/// The protocol of an API: as seen in this run, or asked for once (`GetApi`).
pub(crate) async fn protocol_of(cx: &Cx, api_id: &str) -> Result<Protocol, Error> {
    if let Some(protocol) = cx.aws.api_protocols.get(api_id) {
        return Ok(protocol);
    }
    let call = cx.aws.apigateway().get_api().api_id(api_id);
    let reply = send!(call, "apigateway:GET (GetApi)")?;
    let name = reply
        .protocol_type
        .as_ref()
        .map_or("", |kind| kind.as_str());
    cx.aws.api_protocols.note(api_id, name);
    Protocol::parse(name)
        .ok_or_else(|| Error::failed(format!("API {api_id} has the unknown protocol {name:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_must_have_all_its_parts() {
        assert_eq!(parts::<2>("a/b").ok(), Some(["a", "b"]));
        assert_eq!(parts::<2>("a/$default").ok(), Some(["a", "$default"]));
        assert!(parts::<2>("a").is_err());
        assert!(parts::<2>("a/").is_err());
        assert!(parts::<3>("a/b").is_err());
    }
}
