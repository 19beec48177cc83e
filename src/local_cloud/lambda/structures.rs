//! The members of a function's configuration that are structures or lists.

use super::super::service::Refusal;
use super::invalid;
use super::members::Members;
use serde_json::{Map, Value, json};

type Config = Map<String, Value>;

/// Puts what a request says over a configuration.
pub(super) fn apply(config: &mut Config, body: &Members) -> Result<(), Refusal> {
    apply_storage(config, body)?;
    apply_layers(config, body)?;
    apply_network(config, body)?;
    apply_logging(config, body)?;
    apply_rare(config, body)?;
    if let Some(target) = body.object("DeadLetterConfig")? {
        let arn = target.text("TargetArn")?.unwrap_or_default();
        let fits = ["sqs", "sns"]
            .iter()
            .any(|service| arn.contains(&format!(":{service}:")));
        let fits = arn.starts_with("arn:") && fits;
        if !arn.is_empty() && !fits {
            let message = format!("The provided target arn {arn} is invalid");
            return Err(invalid(message));
        }
        put_or_clear(
            config,
            "DeadLetterConfig",
            arn.is_empty(),
            json!({"TargetArn": arn}),
        );
    }
    if let Some(tracing) = body.object("TracingConfig")?
        && let Some(mode) = tracing.choice("Mode", &["Active", "PassThrough"])?
    {
        config.insert("TracingConfig".to_owned(), json!({"Mode": mode}));
    }
    if let Some(snap) = body.object("SnapStart")?
        && let Some(on) = snap.choice("ApplyOn", &["None", "PublishedVersions"])?
    {
        let snap = json!({"ApplyOn": on, "OptimizationStatus": "Off"});
        config.insert("SnapStart".to_owned(), snap);
    }
    Ok(())
}

fn put_or_clear(config: &mut Config, name: &str, clear: bool, value: Value) {
    if clear {
        config.remove(name);
    } else {
        config.insert(name.to_owned(), value);
    }
}

fn apply_storage(config: &mut Config, body: &Members) -> Result<(), Refusal> {
    if let Some(storage) = body.object("EphemeralStorage")? {
        let size = storage.number("Size", 512, 10_240)?;
        let size =
            size.ok_or_else(|| storage.violation("Size", "null", "Member must not be null"))?;
        config.insert("EphemeralStorage".to_owned(), json!({"Size": size}));
    }
    let Some(systems) = body.objects("FileSystemConfigs", 1)? else {
        return Ok(());
    };
    let mut told = Vec::new();
    for system in systems {
        let arn = system.required("Arn")?;
        let path = system.required("LocalMountPath")?;
        let folder = path.strip_prefix("/mnt/").unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if folder.is_empty() || !folder.chars().all(fits) || path.len() > 160 {
            let rule = "Member must satisfy regular expression pattern: /mnt/[a-zA-Z0-9-_.]+";
            return Err(system.violation("LocalMountPath", path, rule));
        }
        told.push(json!({"Arn": arn, "LocalMountPath": path}));
    }
    put_or_clear(config, "FileSystemConfigs", told.is_empty(), told.into());
    Ok(())
}

/// The order of layers matters and stays.
fn apply_layers(config: &mut Config, body: &Members) -> Result<(), Refusal> {
    let Some(layers) = body.texts("Layers", 5)? else {
        return Ok(());
    };
    let mut told = Vec::new();
    for layer in layers {
        let parts: Vec<&str> = layer.split(':').collect();
        let fits = matches!(parts.as_slice(),
            ["arn", _, "lambda", _, _, "layer", name, version]
                if !name.is_empty() && version.parse::<u64>().is_ok());
        if !fits {
            return Err(invalid(format!(
                "Layer version ARN {layer} is not valid: expected arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION"
            )));
        }
        told.push(json!({"Arn": layer, "CodeSize": 0}));
    }
    put_or_clear(config, "Layers", told.is_empty(), told.into());
    Ok(())
}

fn apply_network(config: &mut Config, body: &Members) -> Result<(), Refusal> {
    let Some(vpc) = body.object("VpcConfig")? else {
        return Ok(());
    };
    let subnets = vpc.texts("SubnetIds", 16)?.unwrap_or_default();
    let groups = vpc.texts("SecurityGroupIds", 5)?.unwrap_or_default();
    if subnets.is_empty() != groups.is_empty() {
        return Err(invalid(
            "SubnetIds and SecurityIds must coexist or be both empty list.",
        ));
    }
    for (name, prefix, ids) in [
        ("SubnetIds", "subnet-", &subnets),
        ("SecurityGroupIds", "sg-", &groups),
    ] {
        if let Some(id) = ids.iter().find(|id| !id.starts_with(prefix)) {
            let rule =
                format!("Member must satisfy regular expression pattern: {prefix}[0-9a-zA-Z]*");
            return Err(vpc.violation(name, id, &rule));
        }
    }
    let told = json!({
        "SubnetIds": subnets,
        "SecurityGroupIds": groups,
        "VpcId": "vpc-local",
        "Ipv6AllowedForDualStack": vpc.flag("Ipv6AllowedForDualStack")?.unwrap_or(false),
    });
    put_or_clear(config, "VpcConfig", subnets.is_empty(), told);
    Ok(())
}

/// Levels go with JSON only, and are INFO when JSON is asked for without them.
fn apply_logging(config: &mut Config, body: &Members) -> Result<(), Refusal> {
    let Some(logging) = body.object("LoggingConfig")? else {
        return Ok(());
    };
    let format = logging.choice("LogFormat", &["JSON", "Text"])?;
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    let application = logging.choice("ApplicationLogLevel", &levels)?;
    let system = logging.choice("SystemLogLevel", &["DEBUG", "INFO", "WARN"])?;
    let group = logging.short("LogGroup", 512)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
    if let Some(group) = group
        && (group.is_empty() || !group.chars().all(fits))
    {
        let rule = "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+";
        return Err(logging.violation("LogGroup", group, rule));
    }
    let old = config.get("LoggingConfig").cloned().unwrap_or_default();
    let text = |name: &str| old[name].as_str().map(str::to_owned);
    let format = format.map(str::to_owned).or_else(|| text("LogFormat"));
    let group = group.map(str::to_owned).or_else(|| text("LogGroup"));
    let mut told = json!({"LogFormat": format, "LogGroup": group});
    if told["LogFormat"] == "JSON" {
        for (name, level) in [
            ("ApplicationLogLevel", application),
            ("SystemLogLevel", system),
        ] {
            let level = level.map(str::to_owned).or_else(|| text(name));
            told[name] = level.unwrap_or_else(|| "INFO".to_owned()).into();
        }
    } else if application.is_some() || system.is_some() {
        return Err(invalid(
            "To use log levels in your function, set LogFormat to JSON.",
        ));
    }
    config.insert("LoggingConfig".to_owned(), told);
    Ok(())
}

fn apply_rare(config: &mut Config, body: &Members) -> Result<(), Refusal> {
    if let Some(image) = body.object("ImageConfig")? {
        let mut told = json!({});
        for name in ["EntryPoint", "Command"] {
            if let Some(words) = image.texts(name, 1500)?
                && !words.is_empty()
            {
                told[name] = words.into();
            }
        }
        if let Some(folder) = image.short("WorkingDirectory", 1000)?
            && !folder.is_empty()
        {
            told["WorkingDirectory"] = folder.into();
        }
        let clear = told.as_object().is_none_or(Map::is_empty);
        put_or_clear(
            config,
            "ImageConfigResponse",
            clear,
            json!({"ImageConfig": told}),
        );
    }
    if let Some(durable) = body.object("DurableConfig")? {
        let seconds = durable.number("ExecutionTimeout", 1, 31_622_400)?;
        let days = durable
            .number("RetentionPeriodInDays", 1, 90)?
            .unwrap_or(14);
        let mut told = json!({"RetentionPeriodInDays": days});
        if let Some(seconds) = seconds {
            told["ExecutionTimeout"] = seconds.into();
        }
        config.insert("DurableConfig".to_owned(), told);
    }
    if let Some(tenancy) = body.object("TenancyConfig")? {
        tenancy.required("TenantIsolationMode")?;
        let mode = tenancy.choice("TenantIsolationMode", &["PER_TENANT"])?;
        config.insert(
            "TenancyConfig".to_owned(),
            json!({"TenantIsolationMode": mode}),
        );
    }
    Ok(())
}
