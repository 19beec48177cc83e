//! Log groups. SK07xx.

use super::facts::{Facts, Resource};
use super::rule::Rule;
use crate::data::Path;
use crate::nearest::nearest;
use crate::schema::broken::Broken;

const GROUP: &[&str] = &["aws:cloudwatch:LogGroup"];

pub(super) const RULES: &[Rule] = &[
    Rule::refused("SK0701", "Logs are kept for a number of days that CloudWatch has")
        .why("CloudWatch Logs takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653 days (CloudWatch Logs API, PutRetentionPolicy).")
        .fix("write the nearest of these numbers")
        .examples(
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {retentionInDays: 10}}"#,
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {retentionInDays: 14}}"#,
        )
        .of(GROUP, retention),
    Rule::refused("SK0702", "Names in aws/ are reserved")
        .why("A log group's name cannot begin with aws/; /aws/ is allowed (CloudWatch Logs API, CreateLogGroup).")
        .fix("begin the name with /aws/, or with something else")
        .examples(
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {name: aws/orders, retentionInDays: 7}}"#,
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {name: /aws/orders, retentionInDays: 7}}"#,
        ),
    Rule::refused("SK0703", "A group for delivery keeps logs for a day")
        .why("The retention of a group of the class DELIVERY is 1 day and cannot be changed (CloudWatch Logs API, PutRetentionPolicy).")
        .fix("take retentionInDays out")
        .examples(
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {logGroupClass: DELIVERY, retentionInDays: 7}}"#,
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {logGroupClass: DELIVERY}}"#,
        ),
    Rule::warning("SK0704", "Logs are kept for a time")
        .why("Without a retention logs are kept, and paid for, for ever (CloudWatch Logs user guide, \"Change log data retention\").")
        .fix("add retentionInDays, such as 30; 0 says that they are kept for ever")
        .examples(
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {name: /app/orders}}"#,
            r#"g: {type: "aws:cloudwatch:LogGroup", properties: {name: /app/orders, retentionInDays: 30}}"#,
        )
        .of(GROUP, kept),
    Rule::warning("SK0705", "A function's log group is named after the function")
        .why("Lambda writes to /aws/lambda/NAME; a group with another name than that of a function of the stack stays empty, and Lambda creates one of its own without a retention (Lambda developer guide, \"Sending Lambda function logs to CloudWatch Logs\").")
        .fix("write the function's name, as in /aws/lambda/${local.function_name}, or set loggingConfig.logGroup")
        .examples(
            r#"f: {type: "aws:lambda:Function", properties: {name: orders, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}}
g: {type: "aws:cloudwatch:LogGroup", properties: {name: /aws/lambda/order, retentionInDays: 30}}"#,
            r#"f: {type: "aws:lambda:Function", properties: {name: orders, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip}}
g: {type: "aws:cloudwatch:LogGroup", properties: {name: /aws/lambda/orders, retentionInDays: 30}}"#,
        )
        .of(GROUP, of_function),
];

/// The numbers of days (CloudWatch Logs API, PutRetentionPolicy; the schema of the type has the same).
const DAYS: &[i64] = &[
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

fn retention(_: &Facts<'_>, group: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(days) = group.number("retentionInDays", 0) else {
        return;
    };
    if group.is_twin() && !DAYS.contains(&days) {
        let near = DAYS.iter().min_by_key(|one| (*one - days).abs());
        let message = format!("CloudWatch Logs does not keep logs for {days} days.");
        let help = near.map(|near| format!("write {near}"));
        broken.push(Broken::at("retentionInDays", message).help(help));
    }
}

fn kept(_: &Facts<'_>, group: &Resource<'_>, broken: &mut Vec<Broken>) {
    let is_delivery =
        group.text("logGroupClass") == Some("DELIVERY") || group.unknown("logGroupClass").is_some();
    if !group.given("retentionInDays") && !is_delivery {
        let message = "The group has no retentionInDays: its logs are kept for ever.";
        broken.push(Broken::new(Path::root(), message));
    }
}

fn of_function(facts: &Facts<'_>, group: &Resource<'_>, broken: &mut Vec<Broken>) {
    let name = group
        .text("name")
        .and_then(|name| name.strip_prefix("/aws/lambda/"));
    let Some(name) = name else {
        return;
    };
    let Some(names) = facts.function_names() else {
        return;
    };
    // Another stack may have the function, unless this one has one of nearly the same name.
    if !names.contains(name)
        && let Some(near) = nearest(name, names.iter().map(String::as_str))
    {
        let message =
            format!("No function of the stack is called {name:?}, so the group stays empty.");
        let help = format!("did you mean \"/aws/lambda/{near}\"?");
        broken.push(Broken::at("name", message).help(Some(help)));
    }
}
