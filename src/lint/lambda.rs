//! Functions: their runtime, their package, their variables. SK01xx.

use super::facts::{Facts, Resource};
use super::policies::Text;
use super::rule::Rule;
use crate::nearest::nearest;
use crate::resource::aws::lambda::runtimes;
use crate::resource::aws::policy_check::Kind;
use crate::schema::broken::Broken;

const FUNCTION: &[&str] = &["aws:lambda:Function"];

pub(super) const RULES: &[Rule] = &[
    Rule::warning("SK0101", "A retired runtime is refused for new functions")
        .why("Lambda blocks the creation of functions with a retired runtime, and changes to it; what exists goes on (Lambda developer guide, \"Lambda runtimes\", deprecation table). Where the plan creates or changes such a function, this is an error that no switch takes away.")
        .fix("use a newer runtime")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python2.7, handler: app.run, s3Bucket: code, s3Key: f.zip}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}",
        ),
    Rule::warning("SK0102", "A deprecated runtime gets no more updates")
        .why("From the date of its deprecation a runtime gets no security patches and no support, and some months later Lambda blocks its creation (Lambda developer guide, \"Lambda runtimes\"; the dates are those of cfn-lint 1.58).")
        .fix("use the runtime that succeeds it")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.9, handler: app.run, s3Bucket: code, s3Key: f.zip}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}",
        )
        .of(FUNCTION, deprecated),
    Rule::warning("SK0103", "The runtime is one that Lambda has")
        .why("Lambda refuses the name of a runtime that it does not have (Lambda API, CreateFunction, `Runtime`). This is a warning, since a new runtime may be newer than stackctl.")
        .fix("write a runtime of the Lambda developer guide's table")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.31, handler: app.run, s3Bucket: code, s3Key: f.zip}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}",
        )
        .of(FUNCTION, unknown_runtime),
    Rule::refused("SK0104", "An image brings its runtime, handler and layers along")
        .why("Lambda refuses `Runtime`, `Handler` and `Layers` of a function whose package type is Image (Lambda API, CreateFunction).")
        .fix("take the property out")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", packageType: Image, imageUri: \"${var.account}.dkr.ecr.${var.region}.amazonaws.com/f:1\", handler: app.run}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", packageType: Image, imageUri: \"${var.account}.dkr.ecr.${var.region}.amazonaws.com/f:1\"}",
        ),
    Rule::refused("SK0105", "A zip file needs a runtime and a handler")
        .why("Lambda refuses a function whose package type is Zip without `Runtime` or `Handler` (Lambda API, CreateFunction).")
        .fix("add the property")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, s3Bucket: code, s3Key: f.zip}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}",
        ),
    Rule::refused("SK0106", "The code comes from one place")
        .why("A function takes its code from a zip file, an S3 object or an image, and from one of them (Lambda API, `FunctionCode`).")
        .fix("leave one of the places")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}",
        ),
    Rule::refused("SK0107", "Lambda's own variables cannot be set")
        .why("Lambda sets these variables itself and refuses a function that gives them a value (Lambda developer guide, \"Defined runtime environment variables\").")
        .fix("choose another name")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {AWS_REGION: x}}}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {HOME_REGION: x}}}",
        ),
    Rule::refused("SK0108", "The name of a variable has a form")
        .why("A variable's name has a letter and then one or more letters, digits or underscores (Lambda API, `Environment`).")
        .fix("rename the variable")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {log-level: x}}}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {LOG_LEVEL: x}}}",
        ),
    Rule::refused("SK0109", "All variables together have 4 KB")
        .why("The quota of all variables of a function is 4 KB (Lambda developer guide, \"Lambda quotas\").")
        .fix("keep what is large in a file of the package or in Parameter Store")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {MUCH: '${join(\"\", [for n in range(500) : \"0123456789\"])}'}}}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {LITTLE: \"0123456789\"}}}",
        ),
    Rule::refused("SK0110", "Log levels need logs in JSON")
        .why("Lambda filters by level what it writes as JSON, and refuses a level for logs in plain text (Lambda API, `LoggingConfig`).")
        .fix("set loggingConfig.logFormat to JSON")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, loggingConfig: {systemLogLevel: WARN}}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, loggingConfig: {logFormat: JSON, systemLogLevel: WARN}}",
        ),
    Rule::warning("SK0111", "Large sizes and timeouts are for some functions only")
        .why("The service model's ranges hold for functions on Lambda Managed Instances or with accelerators; Lambda refuses more than 1800 seconds, 10240 MB of memory or 10240 MB of storage for others (Lambda developer guide, \"Lambda quotas\").")
        .fix("ask for less, unless the function runs on Managed Instances")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, memorySize: 20480}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, memorySize: 1024}",
        ),
    Rule::error("SK0112", "The role lets Lambda assume it")
        .why("Lambda refuses a function whose role it cannot assume: the trust policy must allow sts:AssumeRole to lambda.amazonaws.com (Lambda developer guide, \"Execution role\").")
        .fix("allow sts:AssumeRole to the service lambda.amazonaws.com in the role's assumeRolePolicy")
        .examples(
            "role:\n  type: aws:iam:Role\n  properties:\n    assumeRolePolicy:\n      Version: \"2012-10-17\"\n      Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: \"sts:AssumeRole\"}]\nf:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}",
            "role:\n  type: aws:iam:Role\n  properties:\n    assumeRolePolicy:\n      Version: \"2012-10-17\"\n      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: \"sts:AssumeRole\"}]\nf:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}",
        )
        .of(FUNCTION, trusted),
    Rule::error("SK0113", "A layer's ARN ends in its version")
        .why("A function takes a version of a layer: the ARN ends in a number, and Lambda refuses the ARN of the layer alone (Lambda API, CreateFunction, `Layers`).")
        .fix("add the version, as in arn:…:layer:NAME:3")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, layers: [\"arn:aws:lambda:eu-central-1:000000000000:layer:tools\"]}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, layers: [\"arn:aws:lambda:eu-central-1:000000000000:layer:tools:3\"]}",
        )
        .of(FUNCTION, layers),
    Rule::warning("SK0114", "A function in a VPC names subnets and security groups")
        .why("Lambda connects a function to a VPC where it has both; with one of the two alone it refuses or ignores the setting (Lambda developer guide, \"Giving functions access to a VPC\").")
        .fix("give subnetIds and securityGroupIds, or neither")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, vpcConfig: {subnetIds: [subnet-0a], securityGroupIds: []}}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, vpcConfig: {subnetIds: [subnet-0a], securityGroupIds: [sg-0a]}}",
        )
        .of(FUNCTION, vpc),
    Rule::warning("SK0115", "SnapStart is for some runtimes")
        .why("SnapStart supports Java 11 and later, Python 3.12 and later, and .NET 8 and later (Lambda developer guide, \"Lambda SnapStart\", supported runtimes).")
        .fix("take snapStart out, or use a runtime that supports it")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: nodejs24.x, handler: app.run, s3Bucket: code, s3Key: f.zip, publish: true, snapStart: {applyOn: PublishedVersions}}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, publish: true, snapStart: {applyOn: PublishedVersions}}",
        )
        .of(FUNCTION, snap_start),
    Rule::warning("SK0116", "SnapStart takes effect in published versions")
        .why("Snapshots are taken of published versions alone: a function that publishes none has no use of snapStart (Lambda developer guide, \"Lambda SnapStart\").")
        .fix("set publish to true")
        .examples(
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, snapStart: {applyOn: PublishedVersions}}",
            "f:\n  type: aws:lambda:Function\n  properties: {name: f, role: \"${role.arn}\", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, publish: true, snapStart: {applyOn: PublishedVersions}}",
        )
        .of(FUNCTION, snap_start_unused),
];

fn deprecated(facts: &Facts<'_>, function: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(runtime) = function.text("runtime") else {
        return;
    };
    // One that is retired is reported as such.
    if runtimes::is_retired(runtime) && !function.is_twin() {
        return;
    }
    let Some((date, successor)) = runtimes::deprecation(runtime) else {
        return;
    };
    if !is_past(date, facts.unix_time) {
        return;
    }
    let message = format!("The runtime {runtime} is deprecated since {date}.");
    let help = format!("use {successor}");
    broken.push(Broken::at("runtime", message).help(Some(help)));
}

/// The day from which on the table of deprecations is known, where the clock says nothing.
const AS_OF: &str = "2026-06-30";

/// Whether a date has passed; dates in this form are in the order of their letters.
fn is_past(date: &str, unix_time: u64) -> bool {
    match unix_time {
        0 => date <= AS_OF,
        now => date <= day(now).as_str(),
    }
}

/// The day of a time as `2026-01-31` (Howard Hinnant's `civil_from_days`).
fn day(unix_time: u64) -> String {
    let days = unix_time / 86_400 + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn unknown_runtime(_: &Facts<'_>, function: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(runtime) = function.text("runtime") else {
        return;
    };
    if runtimes::is_known(runtime) {
        return;
    }
    let message = format!("{runtime:?} is not a runtime that stackctl knows.");
    let near = nearest(runtime, runtimes::CURRENT.iter().copied());
    let help = near.map(|near| format!("did you mean \"{near}\"?"));
    broken.push(Broken::at("runtime", message).help(help));
}

fn trusted(facts: &Facts<'_>, function: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(role) = facts.peer_of_type(function, "role", "aws:iam:Role") else {
        return;
    };
    let mut trust = role.documents.iter().filter(|one| one.kind == Kind::Trust);
    let Some(trust) = trust.next() else {
        return;
    };
    let may = trust.statements().iter().any(|statement| {
        let services = statement
            .map
            .get("Principal")
            .and_then(|all| all.get("Service"));
        let path = statement.path("Principal").join("Service");
        let unknown_principal = statement.has("NotPrincipal")
            || statement
                .map
                .get("Principal")
                .is_none_or(serde_json::Value::is_null);
        let named = services.map_or_else(Vec::new, |value| statement.texts_at(path, value));
        unknown_principal
            || statement.everybody().is_some()
            || named.iter().any(|(_, text)| match text {
                Text::Known(text) => text.starts_with("lambda.amazonaws.com"),
                Text::Unknown(_) => true,
            })
    });
    if !may {
        let message = format!(
            "The trust policy of {} does not let lambda.amazonaws.com assume the role.",
            role.block
        );
        broken.push(Broken::at("role", message));
    }
}

fn layers(_: &Facts<'_>, function: &Resource<'_>, broken: &mut Vec<Broken>) {
    for (path, arn) in function.texts("layers") {
        let has_version = arn
            .rsplit(':')
            .next()
            .is_some_and(|last| !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()));
        if arn.contains(":layer:") && !(has_version && arn.matches(':').count() >= 7) {
            broken.push(Broken::new(path, "The ARN of the layer has no version."));
        }
    }
}

fn vpc(_: &Facts<'_>, function: &Resource<'_>, broken: &mut Vec<Broken>) {
    let count = |name: &str| -> Option<usize> {
        match function.known(&format!("vpcConfig.{name}")) {
            Some(value) => Some(value.as_array()?.len()),
            None if function.given(&format!("vpcConfig.{name}")) => None,
            None => Some(0),
        }
    };
    let (Some(subnets), Some(groups)) = (count("subnetIds"), count("securityGroupIds")) else {
        return;
    };
    if (subnets == 0) != (groups == 0) {
        let missing = if subnets == 0 {
            "subnetIds"
        } else {
            "securityGroupIds"
        };
        let message = format!("vpcConfig has no {missing}.");
        broken.push(Broken::at("vpcConfig", message));
    }
}

fn has_snap_start(function: &Resource<'_>) -> bool {
    function.text("snapStart.applyOn") == Some("PublishedVersions")
}

fn snap_start(_: &Facts<'_>, function: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(runtime) = function.text("runtime") else {
        return;
    };
    let version = |start: &str| -> Option<u32> {
        let rest = runtime.strip_prefix(start)?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let supported = version("java").is_some_and(|version| version >= 11)
        || version("python3.").is_some_and(|version| version >= 12)
        || version("dotnet").is_some_and(|version| version >= 8);
    if has_snap_start(function) && !supported && runtimes::is_known(runtime) {
        let message = format!("SnapStart does not support {runtime}.");
        broken.push(Broken::at("snapStart", message).on_key());
    }
}

fn snap_start_unused(_: &Facts<'_>, function: &Resource<'_>, broken: &mut Vec<Broken>) {
    let publishes = function.unknown("publish").is_some() || function.flag("publish") == Some(true);
    // A CloudFormation type publishes by a resource of its own.
    if has_snap_start(function) && !publishes && !function.is_twin() {
        let message = "The function publishes no version, so no snapshot is taken of it.";
        broken.push(Broken::at("snapStart", message).on_key());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_day() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(1_798_675_200), "2026-12-31");
        assert!(is_past("2025-12-15", 0) && !is_past("2029-06-30", 0));
        assert!(is_past("2029-06-30", 2_000_000_000));
    }
}
