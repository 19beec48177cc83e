//! What must hold of a state and a cloud: no orphan, no phantom, no duplicate.

use super::driver::Place;
use stackctl::local_cloud::{Cloud, Entry};
use stackctl::store::state::State;
use std::collections::BTreeMap;

/// An object as both sides call it: the kind, and the name.
type Object = (String, String);

/// What the cloud calls an object of the state; none where it is part of another.
fn object(type_name: &str, id: &str) -> Option<Object> {
    let last = id.rsplit('/').next().unwrap_or(id);
    let (kind, name) = match type_name {
        "aws:sqs:Queue" => ("sqs queue", last.to_owned()),
        "aws:cloudwatch:LogGroup" => ("logs group", id.to_owned()),
        "aws:iam:Role" => ("iam role", id.to_ascii_lowercase()),
        "aws:iam:Policy" => ("iam policy", id.to_owned()),
        "aws:apigatewayv2:Api" => ("apigateway api", id.to_owned()),
        "aws:apigatewayv2:Integration" => ("apigateway integration", id.to_owned()),
        "aws:apigatewayv2:Route" => ("apigateway route", id.to_owned()),
        "aws:apigatewayv2:Stage" => ("apigateway stage", id.to_owned()),
        "aws:apigatewayv2:Deployment" => ("apigateway deployment", id.to_owned()),
        "aws:s3:Bucket" => ("s3 bucket", id.to_owned()),
        "aws:s3:BucketObject" => ("s3 object", id.to_owned()),
        "aws:lambda:Function" => ("lambda function", id.to_owned()),
        "aws:lambda:EventSourceMapping" => ("lambda mapping", id.to_owned()),
        _ => return None,
    };
    Some((kind.to_owned(), name))
}

/// The state's objects, with the addresses they have.
fn known(state: &State) -> BTreeMap<Object, Vec<String>> {
    let current = state.resources.iter();
    let deposed = state.deposed.iter();
    let deposed = deposed.flat_map(|(address, all)| all.values().map(move |one| (address, one)));
    let mut known: BTreeMap<Object, Vec<String>> = BTreeMap::new();
    for (address, resource) in current.chain(deposed) {
        if let Some(object) = object(&resource.type_name, &resource.id) {
            known.entry(object).or_default().push(address.clone());
        }
    }
    known
}

/// The cloud's objects that belong to nobody else, each as often as it is there.
fn live(place: &Place, cloud: &Cloud) -> Result<Vec<Object>, String> {
    let entries = cloud.resources().map_err(|error| error.to_string())?;
    let ours = |entry: &Entry| {
        // A stage deploys by itself; such deployments go with their API.
        !place.foreign.contains_key(&entry.key) && entry.value["autoDeployed"] != true
    };
    for (key, value) in &place.foreign {
        let same = |entry: &Entry| entry.key == *key && entry.value == *value;
        if !entries.iter().any(same) {
            return Err(format!("somebody else's {key} was touched"));
        }
    }
    let ours = entries.into_iter().filter(ours);
    Ok(ours
        .map(|entry| (format!("{} {}", entry.service, entry.kind), name(&entry)))
        .collect())
}

/// What the state calls an entry: what belongs to an API goes by both their ids.
fn name(entry: &Entry) -> String {
    let parts: Vec<&str> = entry.key.split('/').collect();
    match parts[..] {
        ["apigateway", _, "api", api, _, _] => format!("{api}/{}", entry.name),
        _ => entry.name.clone(),
    }
}

/// What must hold when a run has opened and settled the state that another one left.
///
/// # Errors
/// What does not hold.
pub fn between(place: &Place, cloud: &Cloud, state: &State) -> Result<(), String> {
    let (known, live) = (known(state), live(place, cloud)?);
    for object in &live {
        if !known.contains_key(object) {
            return Err(format!(
                "orphan: {object:?} is not in the state; known: {known:?}"
            ));
        }
    }
    for (object, addresses) in &known {
        if addresses.len() > 1 {
            return Err(format!(
                "duplicate: {object:?} is in the state as {addresses:?}"
            ));
        }
        let going = place.going.borrow();
        let going = addresses.iter().any(|it| going.contains(it));
        if !live.contains(object) && !going && !place.lost {
            return Err(format!(
                "phantom: {object:?} ({addresses:?}) does not exist"
            ));
        }
    }
    Ok(())
}

/// What must hold after a run that came to its end: state and cloud have the same objects.
///
/// # Errors
/// What does not hold.
pub fn at_the_end(place: &Place, state: &State) -> Result<(), String> {
    let cloud = place.cloud(Vec::new());
    let (known, mut live) = (known(state), live(place, &cloud)?);
    live.sort();
    let both = known.keys().cloned().collect::<Vec<_>>();
    if both != live {
        return Err(format!("the state has {both:?}, the cloud {live:?}"));
    }
    if !state.deposed.is_empty() || !state.pending.is_empty() {
        return Err(format!(
            "left over: {:?} {:?}",
            state.deposed, state.pending
        ));
    }
    Ok(())
}
