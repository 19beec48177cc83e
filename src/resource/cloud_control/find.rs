//! Which resource a create whose outcome is not known has made.

use super::kind::Kind;
use super::request::{self, Followed, follow};
use crate::registry::Handler;
use crate::resource::aws::listing;
use crate::resource::aws::send::send;
use crate::resource::context::Cx;
use crate::resource::error::Error;
use crate::resource::known::Known;
use aws_sdk_cloudcontrol::types::{
    Operation, OperationStatus, ProgressEvent, ResourceRequestStatusFilter,
};
use serde_json::Value;

/// The resource that this step's create made: by its name; where the service names it, among the
/// requests; for a state that is lost, among all that exist.
pub(super) async fn created(kind: Kind, cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
    let model = kind.model();
    let text = |part: &str| known.text(part).map(str::to_owned);
    if let Some(id) = model
        .identifier(text)
        .filter(|_| !kind.identity().is_empty())
    {
        return Ok(is_made(kind, cx, known, &id).await?.then_some(id));
    }
    if let Some(ended) = resumed(kind, cx).await? {
        return match ended {
            Followed::Succeeded(event) => Ok(event.identifier),
            Followed::Failed(error, _) if error.is(&["AlreadyExists"]) => Ok(None),
            Followed::Failed(_, event) => match event.identifier {
                Some(id) => Ok(is_made(kind, cx, known, &id).await?.then_some(id)),
                None => Ok(None),
            },
        };
    }
    let candidates = match cx.owner.operation.is_empty() {
        true => listed(kind, cx, known).await?,
        false => requested(kind, cx).await?,
    };
    for id in candidates {
        if !cx.known_ids.contains(&id) && is_made(kind, cx, known, &id).await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The end of the request that the journal names; none where it names none, or Cloud Control has
/// forgotten it.
async fn resumed(kind: Kind, cx: &Cx) -> Result<Option<Followed>, Error> {
    const CALL: &str = "cloudformation:GetResourceRequestStatus";
    let Some(token) = &cx.request else {
        return Ok(None);
    };
    match request::status(cx, CALL, token).await {
        Ok(event) => {
            let limit = kind.limit(Handler::Create);
            follow(cx, CALL, event, limit, |_| {}).await.map(Some)
        }
        Err(error) if error.is(&["RequestTokenNotFoundException"]) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a resource exists and this step's create, or any for its address, made it: its tags say
/// so, or, for a type that takes none when it is created, its content.
async fn is_made(kind: Kind, cx: &Cx, known: &Known, id: &str) -> Result<bool, Error> {
    let Some(live) = kind.get(cx, id).await? else {
        return Ok(false);
    };
    if let Some(tags) = kind.model().all_tags(&live) {
        return Ok(cx.owner.made(&tags));
    }
    let unread = kind.registry().write_only().iter();
    let unread: Vec<&str> = unread.filter_map(|path| path.split('/').next()).collect();
    let live = kind.model().attributes(id, live);
    Ok(known.fits(&live, &unread))
}

/// The resources of this type that creates have named, the newest first. A request that has not
/// named its resource yet is waited for.
async fn requested(kind: Kind, cx: &Cx) -> Result<Vec<String>, Error> {
    const CALL: &str = "cloudformation:ListResourceRequests";
    let mut events = requests(kind, cx, &[]).await?;
    events.retain(|event| event.operation == Some(Operation::Create));
    events.sort_by_key(|event| std::cmp::Reverse(event.event_time.map(|time| time.as_nanos())));
    let mut ids = Vec::new();
    for event in events {
        match event.identifier.clone() {
            Some(id) => ids.push(id),
            None if is_open(&event) => {
                let limit = kind.limit(Handler::Create);
                ids.extend(
                    follow(cx, CALL, event, limit, |_| {})
                        .await?
                        .into_identifier(),
                );
            }
            None => {}
        }
    }
    ids.dedup();
    Ok(ids)
}

fn is_open(event: &ProgressEvent) -> bool {
    use OperationStatus::{InProgress, Pending};
    matches!(event.operation_status, Some(InProgress | Pending))
}

/// The requests of the last seven days for resources of this type.
async fn requests(
    kind: Kind,
    cx: &Cx,
    statuses: &[OperationStatus],
) -> Result<Vec<ProgressEvent>, Error> {
    let mut filter = ResourceRequestStatusFilter::builder();
    for status in statuses {
        filter = filter.operation_statuses(status.clone());
    }
    let filter = filter.build();
    let events = listing::all("cloudformation:ListResourceRequests", |token| {
        let filter = filter.clone();
        async move {
            let call = cx.aws.cloud_control().list_resource_requests();
            let call = call.resource_request_status_filter(filter).max_results(100);
            let reply = send!(
                call.set_next_token(token),
                "cloudformation:ListResourceRequests"
            )?;
            let events = reply.resource_request_status_summaries.unwrap_or_default();
            Ok((events, reply.next_token))
        }
    });
    let mut events = events.await?;
    events.retain(|event| event.type_name.as_deref() == Some(kind.registry().name()));
    Ok(events)
}

/// All resources of the type. Where the list needs what holds them, the known properties say it.
async fn listed(kind: Kind, cx: &Cx, known: &Known) -> Result<Vec<String>, Error> {
    let Some(handler) = kind.registry().handler(Handler::List) else {
        return Ok(Vec::new());
    };
    let model = handler.schema.as_ref().map(|schema| {
        let names = schema.get("required").and_then(Value::as_array);
        let names = names.into_iter().flatten().filter_map(Value::as_str);
        let known = names.filter_map(|name| Some((name.to_owned(), known.value(name)?.clone())));
        Value::Object(known.collect()).to_string()
    });
    let name = kind.registry().name();
    listing::all("cloudformation:ListResources", |token| {
        let model = model.clone();
        async move {
            let call = cx.aws.cloud_control().list_resources().type_name(name);
            let call = call.set_resource_model(model).set_next_token(token);
            let reply = send!(call, "cloudformation:ListResources")?;
            let found = reply.resource_descriptions.unwrap_or_default().into_iter();
            let ids = found.filter_map(|one| one.identifier);
            Ok((ids.collect(), reply.next_token))
        }
    })
    .await
}

/// The names that begin so of the resources whose other parts of the identifier are as known.
pub(super) async fn names(
    kind: Kind,
    cx: &Cx,
    known: &Known,
    start: &str,
) -> Result<Vec<String>, Error> {
    let (identity, mut names) = (kind.identity(), Vec::new());
    for id in listed(kind, cx, known).await? {
        let parts: Vec<&str> = id.splitn(identity.len(), '|').collect();
        let Some((name, parents)) = parts.split_last() else {
            continue;
        };
        let mut parents = identity.iter().zip(parents);
        let fit = parents.all(|(of, part)| known.text(of).is_none_or(|text| text == *part));
        if fit && name.starts_with(start) {
            names.push((*name).to_owned());
        }
    }
    Ok(names)
}

/// Waits until no request changes the resource, whatever becomes of them.
pub(super) async fn settled(kind: Kind, cx: &Cx, id: &str) -> Result<(), Error> {
    use OperationStatus::{InProgress, Pending};
    let open = requests(kind, cx, &[InProgress, Pending]).await?;
    for event in open {
        if event.identifier.as_deref() == Some(id) {
            let call = "cloudformation:GetResourceRequestStatus";
            follow(cx, call, event, kind.limit(Handler::Update), |_| {}).await?;
        }
    }
    Ok(())
}
