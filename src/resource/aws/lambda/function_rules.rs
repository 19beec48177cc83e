//! The rules of a function: where its code is, what its package needs, its variables.

use super::runtimes::is_retired;
use crate::resource::author::*;

/// Names that Lambda sets itself and refuses to be given.
const RESERVED: &[&str] = &[
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

/// The longest all variables may be together, in bytes.
const VARIABLES_LIMIT: usize = 4096;

/// The rules of a function.
pub(crate) fn checks(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = tags::rules(rules, Tagging::Plain);
    package_checks(rules, &mut broken);
    code_checks(rules, &mut broken);
    if let Some(Value::Object(config)) = rules.known("loggingConfig") {
        logging_checks(config, rules, &mut broken);
    }
    let variables = Path::pointer("/environment/variables");
    if rules.props.unknown_at(&variables).is_none()
        && let Some(Value::Object(map)) = variables.get(&rules.props.value)
    {
        variable_checks(map, &variables, &mut broken);
    }
    broken
}

/// The most that functions without Lambda Managed Instances or accelerators may have: the
/// service model's range is wider (CreateFunction, `Timeout`, `MemorySize`,
/// `EphemeralStorage`).
const ORDINARY: &[(&str, i64, &str)] = &[
    (
        "timeout",
        1800,
        "A timeout of more than 1800 seconds is for functions on Lambda Managed Instances",
    ),
    (
        "memorySize",
        10_240,
        "A memorySize of more than 10240 MB is for functions on Lambda Managed Instances",
    ),
    (
        "ephemeralStorage.size",
        10_240,
        "An ephemeralStorage.size of more than 10240 MB is for functions with accelerators",
    ),
];

/// What Lambda refuses in some cases: a retired runtime blocks the creation of functions and
/// changes to it, while functions that have it go on and can be changed otherwise (Lambda
/// developer guide, "Runtime deprecation").
pub(crate) fn cautions(rules: &Rules<'_>) -> Vec<Caution> {
    let mut cautions = Vec::new();
    if let Some(runtime) = rules.known("runtime").and_then(Value::as_str)
        && is_retired(runtime)
    {
        let message = format!(
            "The runtime {runtime} is retired: Lambda creates no function with it and changes no \
             function to it. Use a newer runtime."
        );
        cautions.push(Caution {
            broken: Broken::at("runtime", message).code("SK0101"),
            refused: Refused::WhenNew,
        });
    }
    for (name, most, message) in ORDINARY {
        let path = Path::dotted(name);
        let known = rules.props.unknown_at(&path).is_none();
        let value = path.get(&rules.props.value).and_then(Value::as_i64);
        if known && value.is_some_and(|value| value > *most) {
            cautions.push(Caution {
                broken: Broken::new(
                    path,
                    format!("{message}; Lambda refuses it for other functions."),
                )
                .code("SK0111"),
                refused: Refused::Perhaps,
            });
        }
    }
    cautions
}

fn package_checks(rules: &Rules<'_>, broken: &mut Vec<Broken>) {
    let Some(package) = package(rules) else {
        return;
    };
    let image = package == "Image";
    for name in ["runtime", "handler"] {
        if image && rules.given(name) {
            let message = format!("A function from an image takes no {name}: the image has it.");
            broken.push(Broken::at(name, message).code("SK0104"));
        } else if !image && !rules.given(name) {
            let message = format!("A function from a zip file needs {name}.");
            broken.push(Broken::at(name, message).code("SK0105"));
        }
    }
    let others: &[&str] = if image { &["layers"] } else { &["imageConfig"] };
    for name in others.iter().filter(|name| rules.given(name)) {
        let message = format!("{name} does not go with a packageType of {package}.");
        broken.push(Broken::at(name, message).code("SK0104"));
    }
}

/// `Zip` or `Image`; none where that is not known yet.
fn package<'r>(rules: &'r Rules<'_>) -> Option<&'r str> {
    if !rules.given("packageType") {
        return Some("Zip");
    }
    rules.known("packageType")?.as_str()
}

fn code_checks(rules: &Rules<'_>, broken: &mut Vec<Broken>) {
    let s3 = rules.given("s3Bucket") || rules.given("s3Key");
    let sources: Vec<&str> = [
        ("filename", rules.given("filename")),
        ("s3Bucket", s3),
        ("imageUri", rules.given("imageUri")),
    ]
    .into_iter()
    .filter_map(|(name, given)| given.then_some(name))
    .collect();
    let wanted = match package(rules) {
        Some("Image") => "imageUri",
        _ => "s3Bucket with s3Key, or filename",
    };
    match sources[..] {
        [] => broken.push(
            Broken::at(
                "",
                format!("The function's code is missing: give {wanted}."),
            )
            .code("SK0106"),
        ),
        [_] => {}
        [.., last] => broken.push(
            Broken::at(
                last,
                format!(
                    "A function's code comes from one place, not from {}.",
                    sources.join(" and ")
                ),
            )
            .code("SK0106"),
        ),
    }
    if let [one] = sources[..]
        && let Some(package) = package(rules)
        && (package == "Image") != (one == "imageUri")
    {
        let message = format!("A packageType of {package} takes its code from {wanted}.");
        broken.push(Broken::at(one, message).code("SK0106"));
    }
    for (name, other) in [("s3Bucket", "s3Key"), ("s3Key", "s3Bucket")] {
        if rules.given(name) && !rules.given(other) {
            broken.push(Broken::at(name, format!("{name} needs {other} beside it.")));
        }
    }
    for name in ["s3ObjectVersion", "s3ObjectStorageMode"] {
        if rules.given(name) && !s3 {
            broken.push(Broken::at(
                name,
                format!("{name} goes with s3Bucket and s3Key only."),
            ));
        }
    }
}

fn logging_checks(config: &Map<String, Value>, rules: &Rules<'_>, broken: &mut Vec<Broken>) {
    let base = Path::root().join("loggingConfig");
    let json = config.get("logFormat").and_then(Value::as_str) == Some("JSON")
        || rules.props.unknown_at(&base.join("logFormat")).is_some();
    for name in ["applicationLogLevel", "systemLogLevel"] {
        if !json && config.get(name).is_some_and(|level| !level.is_null()) {
            broken.push(
                Broken::new(
                    base.join(name),
                    format!("{name} needs a logFormat of JSON."),
                )
                .code("SK0110")
                .on_key(),
            );
        }
    }
}

fn variable_checks(map: &Map<String, Value>, base: &Path, broken: &mut Vec<Broken>) {
    let size: usize = map
        .iter()
        .map(|(name, value)| name.len() + value.as_str().map_or(0, str::len))
        .sum();
    if size > VARIABLES_LIMIT {
        broken.push(
            Broken::new(
                base.clone(),
                format!("The variables have {size} bytes; Lambda takes 4096 in all."),
            )
            .code("SK0109"),
        );
    }
    for name in map.keys() {
        let good = name.len() >= 2
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let (code, message) = if !good {
            (
                "SK0108",
                "The name of a variable is a letter and then at least one letter, digit or _.",
            )
        } else if RESERVED.contains(&name.as_str()) {
            (
                "SK0107",
                "Lambda sets this variable itself and refuses to be given it.",
            )
        } else {
            continue;
        };
        broken.push(Broken::new(base.join(name), message).code(code).on_key());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use serde_json::json;

    fn broken(props: Value) -> Vec<String> {
        let props = Data::from(props);
        let rules = Rules {
            props: &props,
            peer: &|_| None,
        };
        checks(&rules)
            .iter()
            .map(|rule| rule.path.to_string())
            .collect()
    }

    fn zip(more: Value) -> Value {
        let base =
            json!({"runtime": "python3.13", "handler": "a.b", "s3Bucket": "abc", "s3Key": "k"});
        Attributes::new(base).with(&more).into_value()
    }

    #[test]
    fn a_zip_needs_its_runtime_handler_and_one_source() {
        assert_eq!(broken(zip(json!({}))), [""; 0]);
        assert_eq!(
            broken(json!({"s3Bucket": "abc", "s3Key": "k"})),
            ["runtime", "handler"]
        );
        assert_eq!(broken(zip(json!({"filename": "a.zip"}))), ["s3Bucket"]);
        assert_eq!(broken(json!({"runtime": "x", "handler": "h"})), [""]);
        assert_eq!(
            broken(json!({"runtime": "x", "handler": "h", "s3Key": "k"})),
            ["s3Key"]
        );
    }

    #[test]
    fn an_image_brings_its_own_runtime() {
        let image = json!({"packageType": "Image", "imageUri": "x"});
        assert_eq!(broken(image), [""; 0]);
        let image = json!({"packageType": "Image", "imageUri": "x", "handler": "h"});
        assert_eq!(broken(image), ["handler"]);
        let image = json!({"packageType": "Image", "filename": "x"});
        assert_eq!(broken(image), ["filename"]);
    }

    #[test]
    fn what_lambda_refuses_in_some_cases_is_a_caution() {
        let cautions = |more: Value| {
            let props = Data::from(zip(more));
            let rules = Rules {
                props: &props,
                peer: &|_| None,
            };
            let found = super::cautions(&rules).into_iter();
            found
                .map(|caution| (caution.broken.path.to_string(), caution.refused))
                .collect::<Vec<_>>()
        };
        let runtime = cautions(json!({"runtime": "python3.8"}));
        assert_eq!(runtime, [("runtime".to_owned(), Refused::WhenNew)]);
        assert_eq!(cautions(json!({"runtime": "python9.9"})), []);
        assert_eq!(cautions(json!({"timeout": 1800, "memorySize": 10240})), []);
        let large =
            json!({"timeout": 1801, "memorySize": 10241, "ephemeralStorage": {"size": 10241}});
        let paths: Vec<String> = cautions(large).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["timeout", "memorySize", "ephemeralStorage.size"]);
    }

    #[test]
    fn bad_variables_are_refused() {
        let variables = json!({"A": "1", "AWS_REGION": "x", "Good_1": "y"});
        assert_eq!(
            broken(zip(json!({"environment": {"variables": variables}}))),
            [
                "environment.variables.A",
                "environment.variables.AWS_REGION"
            ]
        );
        let long = json!({"environment": {"variables": {"LONG": "x".repeat(4093)}}});
        assert_eq!(broken(zip(long)), ["environment.variables"]);
        let levels = json!({"loggingConfig": {"systemLogLevel": "WARN"}});
        assert_eq!(broken(zip(levels)), ["loggingConfig.systemLogLevel"]);
    }
}
