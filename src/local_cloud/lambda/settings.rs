//! A function's configuration: checked, and put into the form in which replies return it.

use super::super::service::Refusal;
use super::invalid;
use super::members::Members;
use super::structures;
use crate::resource::aws::lambda::runtimes;
use serde_json::{Map, Value, json};

/// Names that environment variables cannot have (Lambda developer guide, "Defined runtime
/// environment variables", the reserved ones).
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// All environment variables together, in bytes of JSON.
const ENVIRONMENT_QUOTA: usize = 4096;

/// The configuration of a function about which nothing was said.
pub(super) fn defaults(name: &str) -> Map<String, Value> {
    let defaults = json!({
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}")},
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "Version": "$LATEST",
    });
    defaults.as_object().cloned().unwrap_or_default()
}

/// Puts what a request says over a configuration. What it does not say stays.
pub(super) fn apply(config: &mut Map<String, Value>, body: &Members) -> Result<(), Refusal> {
    // Nothing here looks these up, and taking them silently would be a lie.
    for name in ["CapacityProviderConfig", "CodeSigningConfigArn"] {
        if body.has(name) {
            return Err(invalid(format!("The local cloud does not have {name}.")));
        }
    }
    apply_plain(config, body)?;
    if let Some(environment) = body.object("Environment")? {
        let variables = environment.map("Variables")?.unwrap_or_default();
        check_environment(&variables)?;
        if variables.is_empty() {
            config.remove("Environment");
        } else {
            let variables: Map<String, Value> = variables
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect();
            put(config, "Environment", json!({"Variables": variables}));
        }
    }
    structures::apply(config, body)?;
    check_package(config)
}

fn put(config: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    config.insert(name.to_owned(), value.into());
}

fn apply_plain(config: &mut Map<String, Value>, body: &Members) -> Result<(), Refusal> {
    if let Some(text) = body.short("Description", 256)? {
        put(config, "Description", text);
    }
    if let Some(runtime) = body.text("Runtime")? {
        check_runtime(body, runtime)?;
        put(config, "Runtime", runtime);
    }
    if let Some(handler) = body.short("Handler", 128)? {
        if handler.is_empty() || handler.contains(char::is_whitespace) {
            let rule = "Member must satisfy regular expression pattern: [^\\s]+";
            return Err(body.violation("Handler", handler, rule));
        }
        put(config, "Handler", handler);
    }
    if let Some(role) = body.text("Role")? {
        check_role(body, role)?;
        put(config, "Role", role);
    }
    if let Some(seconds) = body.number("Timeout", 1, 900)? {
        put(config, "Timeout", seconds);
    }
    if let Some(megabytes) = body.number("MemorySize", 128, 10_240)? {
        put(config, "MemorySize", megabytes);
    }
    match body.text("KMSKeyArn")? {
        None => {}
        Some("") => {
            config.remove("KMSKeyArn");
        }
        Some(key) if key.starts_with("arn:") && key.contains(":kms:") => {
            put(config, "KMSKeyArn", key);
        }
        Some(key) => {
            let rule = "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()";
            return Err(body.violation("KMSKeyArn", key, rule));
        }
    }
    Ok(())
}

fn check_runtime(body: &Members, runtime: &str) -> Result<(), Refusal> {
    if runtimes::is_retired(runtime) {
        return Err(invalid(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    if !runtimes::is_known(runtime) {
        let set = runtimes::CURRENT.join(", ");
        let rule = format!("Member must satisfy enum value set: [{set}]");
        let mut refusal = body.violation("Runtime", runtime, &rule);
        refusal.code = "InvalidParameterValueException".to_owned();
        return Err(refusal);
    }
    Ok(())
}

fn check_role(body: &Members, role: &str) -> Result<(), Refusal> {
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let fits = matches!(parts.as_slice(),
        ["arn", _, "iam", "", account, name]
            if account.len() == 12
                && account.chars().all(|c| c.is_ascii_digit())
                && name.strip_prefix("role/").is_some_and(|name| !name.is_empty()));
    if fits {
        return Ok(());
    }
    let rule = "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
    Err(body.violation("Role", role, rule))
}

fn check_environment(variables: &[(String, String)]) -> Result<(), Refusal> {
    for (name, _) in variables {
        let mut letters = name.chars();
        let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
        let rest = letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
        if RESERVED.contains(&name.as_str()) {
            return Err(invalid(format!(
                "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {name}"
            )));
        }
        if !first || !rest || name.len() < 2 {
            return Err(Refusal::new(
                400,
                "ValidationException",
                format!(
                    "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]; the key is {name}"
                ),
            ));
        }
    }
    let pairs = variables
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()));
    let measured = Value::Object(pairs.collect()).to_string();
    if measured.len() > ENVIRONMENT_QUOTA {
        return Err(invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.",
        ));
    }
    Ok(())
}

/// What a package needs, and what an image cannot have.
fn check_package(config: &Map<String, Value>) -> Result<(), Refusal> {
    let has = |name: &str| config.contains_key(name);
    if config
        .get("PackageType")
        .is_some_and(|kind| kind == "Image")
    {
        if has("Runtime") || has("Handler") || has("Layers") {
            return Err(invalid(
                "Please don't provide Runtime or Handler or Layer when packageType is Image.",
            ));
        }
    } else if !has("Runtime") || !has("Handler") {
        return Err(invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    } else if has("ImageConfigResponse") {
        return Err(invalid(
            "Please don't provide ImageConfig when packageType is Zip.",
        ));
    }
    Ok(())
}
