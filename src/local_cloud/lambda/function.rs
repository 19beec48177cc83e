//! Functions: created, read, listed, deleted.

use super::super::service::Refusal;
use super::super::stamps;
use super::code;
use super::model::{self, Function};
use super::name::{self, FunctionName};
use super::{Answer, Call, conflict, missing, role, settings, tags, version};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) fn create(call: Call<'_>) -> Answer {
    let now = call.request.now;
    let region = &call.request.region;
    let body = &call.body;
    let named = FunctionName::parse(body.required("FunctionName")?, region)?;
    if named.qualifier.is_some() {
        return Err(super::invalid("The function name cannot have a qualifier."));
    }
    body.required("Role")?;
    let mut config = settings::defaults(&named.name);
    if let Some(kind) = body.choice("PackageType", &["Zip", "Image"])? {
        config.insert("PackageType".to_owned(), kind.into());
    }
    apply_architectures(&mut config, body)?;
    settings::apply(&mut config, body)?;
    let tags = tags::merge(BTreeMap::new(), body)?;
    let source = body
        .object("Code")?
        .ok_or_else(|| body.violation("Code", "null", "Member must not be null"))?;
    if model::find_function(call.store, region, &named.name)?.is_some() {
        return Err(conflict(format!("Function already exist: {}", named.name)));
    }
    let code = code::load(call.store, region, &source)?;
    let mut function = Function {
        arn: name::arn(region, &named.name),
        name: named.name,
        region: region.clone(),
        config,
        blob: String::new(),
        image: None,
        tags,
        concurrency: None,
        created: now,
        updated: None,
        policies: BTreeMap::new(),
        policy_revision: String::new(),
        versions: Vec::new(),
        published: 0,
        version_blobs: BTreeMap::new(),
    };
    code::put(&mut function, call.store, code)?;
    require_role(&call, &function)?;
    complete(&mut function);
    stamp(&mut function, now);
    if body.flag("Publish")? == Some(true) {
        version::publish(&mut function, None, now);
    }
    model::put_function(call.store, &function);
    let mut told = function.to_reply(now);
    if let Some(version) = function.versions.last() {
        told["Version"] = version["Version"].clone();
    }
    Ok((201, told))
}

/// `Architectures`: exactly one.
pub(super) fn apply_architectures(
    config: &mut Map<String, Value>,
    body: &super::Members,
) -> Result<(), Refusal> {
    match body.texts("Architectures", 1)?.as_deref() {
        None => {}
        Some([one @ ("x86_64" | "arm64")]) => {
            config.insert("Architectures".to_owned(), json!([one]));
        }
        Some(other) => {
            let rule = "Member must satisfy enum value set: [x86_64, arm64]";
            return Err(body.violation("Architectures", &other.join(", "), rule));
        }
    }
    Ok(())
}

/// The role must be assumable, and allow sending to the dead-letter target.
pub(super) fn require_role(call: &Call<'_>, function: &Function) -> Result<(), Refusal> {
    let now = call.request.now;
    let arn = function.text("Role");
    role::require_assumable(call.store, arn, now)?;
    let target = function.config.get("DeadLetterConfig");
    let target = target.and_then(|config| config["TargetArn"].as_str());
    match target {
        None => Ok(()),
        Some(queue) if queue.contains(":sqs:") => {
            role::require_allowed(call.store, arn, ("SQS", "SendMessage"), queue, now)
        }
        Some(topic) => role::require_allowed(call.store, arn, ("SNS", "Publish"), topic, now),
    }
}

/// What follows from name, region and runtime.
fn complete(function: &mut Function) {
    let mut put = |name: &str, value: Value| function.config.insert(name.to_owned(), value);
    put("FunctionName", json!(function.name));
    put("FunctionArn", json!(function.arn));
}

/// A new revision.
pub(super) fn stamp(function: &mut Function, now: u64) {
    let modified = stamps::iso_millis(now).replace('Z', "+0000");
    function
        .config
        .insert("LastModified".to_owned(), modified.into());
    function
        .config
        .insert("RevisionId".to_owned(), stamps::uuid().into());
    if let Some(runtime) = function.config.get("Runtime").and_then(Value::as_str) {
        let arn = format!("arn:aws:lambda:{}::runtime:{runtime}", function.region);
        let version = json!({"RuntimeVersionArn": arn});
        function
            .config
            .insert("RuntimeVersionConfig".to_owned(), version);
    }
}

/// The configuration that a qualifier names.
fn qualified(call: &Call<'_>) -> Result<(Function, Value), Refusal> {
    let (function, qualifier) = call.function()?;
    let told = match qualifier.as_deref() {
        None => function.to_reply(call.request.now),
        Some("$LATEST") => {
            let mut told = function.to_reply(call.request.now);
            told["FunctionArn"] = format!("{}:$LATEST", function.arn).into();
            told
        }
        Some(qualifier) => version::find(&function, qualifier)
            .ok_or_else(|| missing(format!("Function not found: {}:{qualifier}", function.arn)))?,
    };
    Ok((function, told))
}

pub(super) fn get_configuration(call: Call<'_>) -> Answer {
    let (_, told) = qualified(&call)?;
    Ok((200, told))
}

/// Tags and concurrency come without a qualifier only.
pub(super) fn get(call: Call<'_>) -> Answer {
    let (function, told) = qualified(&call)?;
    let code = match &function.image {
        Some(uri) => json!({
            "RepositoryType": "ECR",
            "ImageUri": uri,
            "ResolvedImageUri": format!("{uri}@sha256:{}", function.text("CodeSha256")),
        }),
        None => json!({
            "RepositoryType": "S3",
            "Location": format!(
                "https://awslambda-{0}-tasks.s3.{0}.amazonaws.com/snapshots/{1}/{2}",
                function.region,
                super::super::service::ACCOUNT,
                function.name,
            ),
        }),
    };
    let mut document = json!({"Configuration": told, "Code": code});
    if version_of(&document) == "$LATEST" {
        if !function.tags.is_empty() {
            document["Tags"] = json!(function.tags);
        }
        if let Some(reserved) = function.concurrency {
            document["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
        }
    }
    Ok((200, document))
}

fn version_of(document: &Value) -> &str {
    document["Configuration"]["Version"]
        .as_str()
        .unwrap_or_default()
}

/// Event source mappings stay.
pub(super) fn delete(call: Call<'_>) -> Answer {
    let (mut function, qualifier) = call.function()?;
    match qualifier.as_deref() {
        None => model::remove_function(call.store, &function),
        Some("$LATEST") => {
            return Err(super::invalid(
                "$LATEST version cannot be deleted without deleting the function.",
            ));
        }
        Some(number) => {
            function
                .versions
                .retain(|version| version["Version"] != number);
            function.version_blobs.remove(number);
            model::put_function(call.store, &function);
        }
    }
    Ok((204, Value::Null))
}

pub(super) fn list(call: Call<'_>) -> Answer {
    let functions = model::functions(call.store, &call.request.region)?;
    let mut items = Vec::new();
    for function in functions {
        // Lists do not return states.
        items.push(Value::from(function.config.clone()));
        if call.query("FunctionVersion") == Some("ALL") {
            items.extend(function.versions.into_iter().map(Value::from));
        }
    }
    call.page("Functions", items, 50)
}
