//! What ties a stack to one account, region or partition. SK09xx.

use super::facts::{Facts, Resource};
use super::rule::Rule;
use crate::data::Path;
use crate::registry;
use crate::schema::broken::Broken;
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    Rule::warning("SK0901", "An account is not written out")
        .why("An ARN or a queue's URL with the number of an account ties the stack to that account; a second environment has another one.")
        .fix("use ${data.NAME.accountId} of an aws:getCallerIdentity, a variable, or a reference")
        .examples(
            r#"e: {type: "aws:lambda:EventSourceMapping", properties: {eventSourceArn: "arn:aws:sqs:${var.region}:123456789012:orders", functionName: f}}"#,
            r#"e: {type: "aws:lambda:EventSourceMapping", properties: {eventSourceArn: "arn:aws:sqs:${var.region}:${data.caller.accountId}:orders", functionName: f}}"#,
        )
        .every(accounts),
    Rule::warning("SK0902", "A region is not written out")
        .why("An ARN or a host name with a region ties the stack to that region, whatever providers.aws.region says.")
        .fix("use ${data.NAME.region} of an aws:getRegion, a variable, or a reference")
        .examples(
            r#"e: {type: "aws:lambda:EventSourceMapping", properties: {eventSourceArn: "arn:aws:sqs:eu-central-1:${data.caller.accountId}:orders", functionName: f}}"#,
            r#"e: {type: "aws:lambda:EventSourceMapping", properties: {eventSourceArn: "arn:aws:sqs:${var.region}:${data.caller.accountId}:orders", functionName: f}}"#,
        )
        .every(regions),
    Rule::warning("SK0903", "The region offers the type")
        .why("CloudFormation and Cloud Control offer a type in some regions only; a create in another one fails. The list of regions is as old as this program.")
        .fix("choose another region, or do without the resource")
        .examples(
            "providers: {aws: {region: ap-southeast-7}}\nresources: {e: {type: \"AWS::AppRunner::AutoScalingConfiguration\"}}",
            "providers: {aws: {region: eu-west-1}}\nresources: {e: {type: \"AWS::AppRunner::AutoScalingConfiguration\"}}",
        )
        .every(offered),
];

fn offered(facts: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    let Some(region) = &facts.region else {
        return;
    };
    let name = resource.written_type;
    if registry::is_offered(name, region) == Some(false) {
        let message = format!("{name} is not known to be offered in {region}.");
        broken.push(Broken::new(Path::root(), message));
    }
}

/// The strings as written that `wanted` wants, each with its path in the properties. A path is made
/// for these alone.
pub(super) fn strings<'v>(value: &'v Value, wanted: &dyn Fn(&str) -> bool) -> Vec<(Path, &'v str)> {
    let beneath = |step: Path, item: &'v Value| {
        let found = strings(item, wanted).into_iter();
        found
            .map(|(path, text)| (step.concat(&path), text))
            .collect::<Vec<_>>()
    };
    let has = |item: &Value| has_string(item, wanted);
    match value {
        Value::String(text) if wanted(text) => vec![(Path::root(), text)],
        Value::Array(list) => {
            let items = list.iter().enumerate().filter(|(_, item)| has(item));
            let items = items.flat_map(|(index, item)| beneath(Path::root().join(index), item));
            items.collect()
        }
        Value::Object(map) => {
            let items = map.iter().filter(|(_, item)| has(item));
            let items = items.flat_map(|(key, item)| beneath(Path::root().join(key), item));
            items.collect()
        }
        _ => Vec::new(),
    }
}

fn has_string(value: &Value, wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => wanted(text),
        Value::Array(list) => list.iter().any(|item| has_string(item, wanted)),
        Value::Object(map) => map.values().any(|item| has_string(item, wanted)),
        _ => false,
    }
}

/// The region and account of the ARNs in a string; of layers, which others publish, none.
fn places(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("arn:") {
        let arn = &text[at..];
        let end = arn.find(|c: char| c.is_whitespace() || "\"',".contains(c));
        let parts: Vec<&str> = arn[..end.unwrap_or(arn.len())].splitn(6, ':').collect();
        if let [_, _, service, region, account, rest] = parts[..]
            && !(service == "lambda" && rest.starts_with("layer:"))
        {
            found.push((region, account));
        }
    }
    found
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a word has the form of a region, such as `eu-central-1` or `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = &parts[..] else {
        return false;
    };
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase());
    first.len() == 2
        && is_word(first)
        && !middle.is_empty()
        && middle.iter().all(|word| is_word(word))
        && last.len() == 1
        && last.bytes().all(|b| b.is_ascii_digit())
}

/// The hosts of AWS in a string, without what stands before and after them.
fn hosts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c)));
    parts.filter(|part| part.ends_with(".amazonaws.com") || part.ends_with(".amazonaws.com.cn"))
}

fn accounts(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    let is_queue = |text: &str| text.contains("://sqs.") || text.contains(".queue.amazonaws.com");
    let wanted = |text: &str| text.contains("arn:") || is_queue(text);
    for (path, text) in strings(resource.written, &wanted) {
        let in_arn = places(text).into_iter().map(|(_, account)| account);
        // The URL of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.
        let in_url = text.split('/').filter(|_| is_queue(text));
        let account = in_arn.chain(in_url).find(|part| is_account(part));
        // Zeros stand for no account.
        if let Some(account) = account.filter(|account| *account != "000000000000") {
            let message = format!("The account {account} is written out.");
            broken.push(Broken::new(path, message));
        }
    }
}

fn regions(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    let wanted = |text: &str| text.contains("arn:") || text.contains(".amazonaws.com");
    for (path, text) in strings(resource.written, &wanted) {
        let in_arn = places(text).into_iter().map(|(region, _)| region);
        let in_host = hosts(text).flat_map(|host| host.split('.'));
        if let Some(region) = in_arn.chain(in_host).find(|part| is_region(part)) {
            let message = format!("The region {region} is written out.");
            broken.push(Broken::new(path, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_and_accounts_are_found() {
        let places = places("from arn:aws:sqs:eu-west-1:123456789012:q, arn:aws:s3:::b");
        assert_eq!(places, [("eu-west-1", "123456789012"), ("", "")]);
        assert!(is_region("us-gov-west-1") && is_region("ap-southeast-4"));
        assert!(
            !is_region("to-be-1x") && !is_region("eu") && !is_region("my-own-name-1"[3..].trim())
        );
        let hosts: Vec<&str> = hosts("https://sqs.eu-west-1.amazonaws.com/1/q").collect();
        assert_eq!(hosts, ["sqs.eu-west-1.amazonaws.com"]);
    }
}
