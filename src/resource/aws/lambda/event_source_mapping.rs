//! `aws:lambda:EventSourceMapping`: Lambda reads a queue or stream and calls a function.

use crate::resource::author::*;
use crate::resource::aws::lambda::mapping_calls::{create, patch, props_of};
use crate::resource::aws::lambda::mapping_rules::checks;
pub use crate::resource::aws::lambda::mapping_settings::EventSourceMapping;
use crate::resource::aws::lambda::mapping_settings::servers_in_order;
use crate::resource::aws::lambda::{FunctionRef, NOT_FOUND, arn, busy, exists, retag};
use crate::resource::aws::listing::Listing;
use crate::resource::aws::time::{rfc3339, time};
use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput;
use aws_smithy_types::date_time::Format;

/// The outputs of `aws:lambda:EventSourceMapping`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The mapping's UUID.
    #[schemars(extend("from" = []))]
    pub id: String,
    /// The same as `id`.
    #[schemars(extend("from" = []))]
    pub uuid: String,
    /// The mapping's ARN.
    #[schemars(extend("from" = []))]
    pub arn: String,
    /// The function's ARN.
    #[schemars(extend("volatile" = ["functionName"], "from" = ["functionName"]))]
    pub function_arn: String,
    /// What it does now, such as `Enabled`.
    #[schemars(extend("volatile" = ["enabled"], "from" = []))]
    pub state: String,
    /// Why it is in that state.
    #[schemars(extend("volatile" = true, "from" = true))]
    pub state_transition_reason: Option<String>,
    /// When it was last changed.
    #[schemars(extend("volatile" = true, "from" = []))]
    pub last_modified: Option<String>,
}

/// How long a mapping may take until it is stable, or deleted (Terraform's limits).
const STABLE: Duration = Duration::from_secs(600);
const DELETED: Duration = Duration::from_secs(300);

/// Collects what a reply returns beside the properties; each call has a type of its own for it.
macro_rules! outputs_of {
    ($cx:expr, $reply:expr) => {{
        let reply = $reply;
        let uuid = reply.uuid.clone().unwrap_or_default();
        let arn = match &reply.event_source_mapping_arn {
            Some(arn) => arn.clone(),
            None => arn($cx, &format!("event-source-mapping:{uuid}")).await?,
        };
        Outputs {
            id: uuid.clone(),
            uuid,
            arn,
            function_arn: reply.function_arn.clone().unwrap_or_default(),
            state: reply.state.clone().unwrap_or_default(),
            state_transition_reason: reply.state_transition_reason.clone(),
            last_modified: reply
                .last_modified
                .and_then(|time| time.fmt(Format::DateTime).ok()),
        }
    }};
}

fn is_stable(state: &str) -> bool {
    matches!(state, "Enabled" | "Disabled" | "")
}

async fn get(cx: &Cx, uuid: &str) -> Result<Option<GetEventSourceMappingOutput>, Error> {
    let call = cx.aws.lambda().get_event_source_mapping().uuid(uuid);
    send!(call, "lambda:GetEventSourceMapping", none: NOT_FOUND)
}

/// Reads the mapping until it is in a state that stays.
async fn wait_stable(cx: &Cx, outputs: Outputs) -> Result<Outputs, Error> {
    if is_stable(&outputs.state) {
        return Ok(outputs);
    }
    let uuid = &outputs.uuid;
    cx.until("state Enabled or Disabled", STABLE, || async move {
        let Some(live) = get(cx, uuid).await? else {
            return Err(Wait::NotYet("not found".to_owned()));
        };
        let outputs = outputs_of!(cx, &live);
        if is_stable(&outputs.state) {
            return Ok(outputs);
        }
        Err(Wait::NotYet(outputs.state))
    })
    .await
}

/// The refusal names the existing mapping: `… with UUID 14e0db71-…`.
async fn in_the_way(cx: &Cx, error: Error) -> Error {
    let is_uuid = |word: &&str| word.len() == 36 && word.matches('-').count() == 4;
    let words = error
        .message()
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    match words.filter(|word| !word.is_empty()).find(is_uuid) {
        Some(uuid) => {
            let what = "a mapping of this source to this function";
            let live = get(cx, uuid).await.ok();
            let leaves = live.is_some_and(|live| {
                live.is_none_or(|live| live.state.as_deref() == Some("Deleting"))
            });
            if leaves {
                return Error::StillThere {
                    what: what.to_owned(),
                };
            }
            import_id::exists(cx, what, uuid)
        }
        None => error,
    }
}

impl Resource for EventSourceMapping {
    const TYPE: &'static str = "aws:lambda:EventSourceMapping";
    const CALLS: &'static [&'static str] = &[
        "lambda:CreateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
        "lambda:GetEventSourceMapping",
        "lambda:ListEventSourceMappings",
        "lambda:ListTags",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateEventSourceMapping",
    ];
    const IMPORT: Import = Import::Name(
        "the mapping's UUID",
        &['/', ':'],
        "a UUID, as in 14e0db71-5d35-4eb5-b481-8945cf9d10c2",
    );
    const IDENTITY: &'static [&'static str] = &["eventSourceArn", "functionName"];
    // "Deleting the function leaves the mapping": it points at the next one of the name.
    const PARENTS: &'static [Parent] = &[
        Parent::survives("aws:lambda:Function", "functionName", &["name"])
            .keyed(|text| FunctionRef::parse(text).name),
        Parent::survives("aws:sqs:Queue", "eventSourceArn", &["arn"]),
    ];
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        checks(rules)
    }

    fn canonical(props: &mut Cow<'_, Value>) {
        let props = props.to_mut();
        if let Some(name) = props.get_mut("functionName")
            && let Some(text) = name.as_str()
        {
            *name = json!(FunctionRef::parse(text).short());
        }
        if let Some(start) = props.get_mut("startingPositionTimestamp")
            && let Some(form) = start.as_str().and_then(|text| rfc3339(&time(text).ok()?))
        {
            *start = json!(form);
        }
        let endpoints = props.pointer_mut("/selfManagedEventSource/endpoints");
        let endpoints = endpoints.and_then(Value::as_object_mut);
        for servers in endpoints.into_iter().flat_map(|map| map.values_mut()) {
            if let Some(text) = servers.as_str() {
                *servers = json!(servers_in_order(text));
            }
        }
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let tags = cx.owner.tagged(new.props.tags.as_ref());
        let call = create(
            cx.aws.lambda_once().create_event_source_mapping(),
            &new.props,
        )?;
        let call = call.set_tags(Some(tags.into_iter().collect()));
        let reply = match send!(cx, call, "lambda:CreateEventSourceMapping", wait: busy(cx)) {
            Err(error) if exists(&error) => return Err(in_the_way(cx, error).await),
            other => other?,
        };
        let uuid = reply.uuid.clone();
        let uuid =
            uuid.ok_or_else(|| Error::incomplete("lambda:CreateEventSourceMapping", "UUID"))?;
        cx.made(&uuid, Attributes::new(json!({"id": uuid, "uuid": uuid})));
        let outputs = outputs_of!(cx, &reply);
        let outputs = wait_stable(cx, outputs).await?;
        Ok(Made { id: uuid, outputs })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let Some(live) = get(cx, &read.id).await? else {
            return Ok(None);
        };
        let outputs = outputs_of!(cx, &live);
        let mut props = props_of(live, &read.attributes);
        if read.wants("tags") {
            let call = cx.aws.lambda().list_tags().resource(&outputs.arn);
            let reply = send!(call, "lambda:ListTags", none: NOT_FOUND);
            let reply = tags::read(read, "lambda:ListTags", reply)?;
            props.tags = user_tags(reply.and_then(|reply| reply.tags).unwrap_or_default());
        }
        Ok(Some(Live::new(props, outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let id = &change.id;
        let arn = match change.live["arn"].as_str() {
            Some(arn) => arn.to_owned(),
            None => arn(cx, &format!("event-source-mapping:{id}")).await?,
        };
        if change.has(&["tags"]) {
            retag(cx, &arn, change.old.tags.as_ref(), change.new.tags.as_ref()).await?;
        }
        let tags_only = change.changed.iter().all(|name| name == "tags");
        let outputs = if tags_only {
            let live = get(cx, id).await?;
            let live =
                live.ok_or_else(|| Error::failed(format!("mapping {id} does not exist any more")))?;
            outputs_of!(cx, &live)
        } else {
            let call = patch(cx.aws.lambda().update_event_source_mapping(), &change).uuid(id);
            let reply = send!(cx, call, "lambda:UpdateEventSourceMapping", wait: busy(cx))?;
            wait_stable(cx, outputs_of!(cx, &reply)).await?
        };
        Ok(Made::new(change.id, outputs))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let call = cx.aws.lambda().delete_event_source_mapping().uuid(id);
        send!(cx, call, "lambda:DeleteEventSourceMapping", wait: busy(cx), gone: NOT_FOUND)?;
        // Neither queue nor function nor role waits for a mapping on its way out.
        cx.released();
        cx.until("the mapping to be deleted", DELETED, || async move {
            match get(cx, id).await? {
                None => Ok(()),
                Some(live) => Err(Wait::NotYet(live.state.unwrap_or_default())),
            }
        })
        .await
    }

    async fn ready(cx: &Cx, id: &str) -> Result<(), Error> {
        if let Some(live) = get(cx, id).await? {
            wait_stable(cx, outputs_of!(cx, &live)).await?;
        }
        Ok(())
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let function = known.text("functionName").map(str::to_owned);
        let source = known.text("eventSourceArn").map(str::to_owned);
        let mut listing = Listing::of("lambda:ListEventSourceMappings");
        let mut marker = None;
        loop {
            let call = cx.aws.lambda().list_event_source_mappings();
            let call = call.set_function_name(function.clone());
            let call = call.set_event_source_arn(source.clone()).set_marker(marker);
            let Some(reply) = send!(call, "lambda:ListEventSourceMappings", none: NOT_FOUND)?
            else {
                return Ok(None);
            };
            let found = reply.event_source_mappings.unwrap_or_default().into_iter();
            for live in found.filter(|live| live.state.as_deref() != Some("Deleting")) {
                let Outputs { uuid, arn, .. } = outputs_of!(cx, &live);
                if cx.known_ids.contains(&uuid) {
                    continue;
                }
                let tags = match send!(
                    cx.aws.lambda().list_tags().resource(arn), "lambda:ListTags", none: NOT_FOUND
                ) {
                    Err(error) if tags::is_denied(&error) => {
                        let what = format!("The event source mapping {uuid}");
                        return Err(tags::untold(&what, "lambda:ListTags", &error));
                    }
                    other => other?,
                };
                let tags = tags.and_then(|reply| reply.tags).unwrap_or_default();
                let ours = cx.owner.made(&tags);
                if ours {
                    return Ok(Some(uuid));
                }
            }
            marker = listing.next(reply.next_marker)?;
            if marker.is_none() {
                return Ok(None);
            }
        }
    }
}
