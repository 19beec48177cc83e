//! Names that other tools and services use, and what they are called here.

use crate::schema::{Schema, walk};
use serde_json::Value;

/// Of a name that is not a property of a type: what may be meant, beyond a typo.
pub fn property(name: &str, schema: &Schema) -> Option<String> {
    if let Some(option) = option(name) {
        return Some(option);
    }
    let others = squeezed(name);
    let mut others = OTHERS.iter().filter(|(word, _)| *word == others);
    let others = others.find(|(_, property)| schema.has_property(property));
    others
        .map(|(_, property)| one_of(&[property]))
        .or_else(|| inside(name, schema))
        .or_else(|| part(name, schema.property_names()))
}

/// What other tools call a property, where no rule finds it.
const OTHERS: &[(&str, &str)] = &[
    ("hashkey", "KeySchema"),
    ("rangekey", "KeySchema"),
    ("isenabled", "State"),
];

/// The question after a name that may mean one of these.
fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("did you mean {}?", quoted.join(" or "))
}

/// The one name that such a question means.
pub fn meant(help: &str) -> Option<&str> {
    let name = help.strip_prefix("did you mean \"")?.strip_suffix("\"?")?;
    (!name.contains('"')).then_some(name)
}

/// What is an option here, and a property or a block of its own elsewhere.
pub fn option(name: &str) -> Option<String> {
    let found = match squeezed(name).as_str() {
        "lifecycle" | "preventdestroy" | "deletionprotection" | "terminationprotection" => {
            return Some(
                "write protect, ignoreChanges and so on under options, as in options: {protect: true}"
                    .to_owned(),
            );
        }
        "createbeforedestroy" => {
            return Some(
                "a replacement is created first; options: {deleteBeforeReplace: true} turns that round"
                    .to_owned(),
            );
        }
        "options" => {
            return Some(
                "options stands beside properties: indent it by two fewer spaces".to_owned(),
            );
        }
        squeezed => option_of(squeezed)?,
    };
    Some(format!("{found} belongs under options"))
}

/// What other tools call a key of `options`.
pub fn option_key(name: &str) -> Option<String> {
    let squeezed = squeezed(name);
    match squeezed.as_str() {
        "createbeforedestroy" => option(name),
        "lifecycle" => {
            Some("write its keys here: protect, ignoreChanges, replaceOnChanges".to_owned())
        }
        squeezed => option_of(squeezed).map(|found| one_of(&[found])),
    }
}

/// The option that is meant by a name without its capitals and underscores.
fn option_of(squeezed: &str) -> Option<&'static str> {
    Some(match squeezed {
        "count" | "foreach" => "forEach",
        "preventdestroy" | "deletionprotection" | "terminationprotection" | "protect" => "protect",
        "dependson" => "dependsOn",
        "ignorechanges" => "ignoreChanges",
        "replaceonchanges" | "replacetriggeredby" => "replaceOnChanges",
        "deletebeforereplace" => "deleteBeforeReplace",
        "retainondelete" | "deletionpolicy" => "retainOnDelete",
        "timeouts" => "timeouts",
        "aliases" | "moved" | "movedfrom" => "movedFrom",
        "when" | "condition" => "when",
        _ => return None,
    })
}

/// `functionName`, `queueName`, `roleName`: the type's own name, which is `name` or, of a bucket,
/// `bucket`.
pub fn own_name(name: &str, schema: &Schema) -> Option<String> {
    let wanted = squeezed(name);
    let kind = squeezed(schema.name.rsplit(':').next().unwrap_or_default());
    let stem = wanted.strip_suffix("name")?;
    let named = format!("{kind}name");
    let own = |property: &&str| {
        let squeezed = squeezed(property);
        squeezed == "name" || squeezed == kind || (stem.is_empty() && squeezed == named)
    };
    (!stem.is_empty() && kind.ends_with(stem) || stem.is_empty())
        .then(|| schema.property_names().find(own))?
        .map(|own| one_of(&[own]))
}

/// A property of one of the type's structures: `status` is `versioningConfiguration.status`.
fn inside(name: &str, schema: &Schema) -> Option<String> {
    let wanted = squeezed(name);
    let mut found = Vec::new();
    let root = &schema.properties;
    search(root, root, &wanted, &mut String::new(), DEEPEST, &mut found);
    match found.as_slice() {
        [] => None,
        [one] => Some(one_of(&[one])),
        [first, .., last] => Some(one_of(&[first, last])),
    }
}

/// How deep a property is looked for, and how many are taken. A definition may hold itself.
const DEEPEST: usize = 4;
const MOST_FOUND: usize = 16;

fn search(
    root: &Value,
    schema: &Value,
    wanted: &str,
    at: &mut String,
    deep: usize,
    found: &mut Vec<String>,
) {
    if deep == 0 {
        return;
    }
    for (name, schema) in walk::properties(root, schema) {
        if found.len() >= MOST_FOUND {
            return;
        }
        let length = at.len();
        at.push_str(name);
        if length > 0 && squeezed(name) == wanted && !found.contains(at) {
            found.push(at.clone());
        }
        at.push('.');
        search(root, schema, wanted, at, deep - 1, found);
        at.pop();
        if let Some(items) = walk::items(root, schema) {
            at.push_str("[0].");
            search(root, items, wanted, at, deep - 1, found);
        }
        at.truncate(length);
    }
}

/// How many names are offered, where what was written is a part of several.
const MOST_OFFERED: usize = 3;

/// What may be meant by a name that is part of one, or of which one is a part (`visibilityTimeout`,
/// `cors`), that differs in number (`SecurityGroups`), or that has a name's initials (`ttl`).
pub fn part<'n>(name: &str, names: impl Iterator<Item = &'n str> + Clone) -> Option<String> {
    let wanted = squeezed(name);
    if wanted.len() < 3 {
        return None;
    }
    let fitting = |fits: &dyn Fn(&str) -> bool| -> Vec<&'n str> {
        names
            .clone()
            .filter(|known| fits(&squeezed(known)))
            .collect()
    };
    let begins = |known: &str| known.starts_with(&wanted);
    let ends = |known: &str| known.ends_with(&wanted);
    let rules: [&dyn Fn(&str) -> bool; 5] = [
        &begins,
        &ends,
        &|known| stem(known) == stem(&wanted),
        &|known| known.len() > 3 && wanted.ends_with(known),
        &|known| known.len() > 3 && wanted.starts_with(known),
    ];
    let mut found = rules.iter().map(|fits| fitting(fits));
    let only = found.find(|found| found.len() == 1);
    let only = only.or_else(|| {
        let of_initials = names
            .clone()
            .filter(|known| initials(known).starts_with(&wanted));
        Some(of_initials.collect()).filter(|found: &Vec<_>| found.len() == 1)
    });
    let several = || {
        let mut found = fitting(&begins);
        found.extend(fitting(&|known| ends(known) && !begins(known)));
        found
    };
    let found = only.unwrap_or_else(several);
    (1..=MOST_OFFERED)
        .contains(&found.len())
        .then(|| one_of(&found))
}

/// A squeezed name without what says that it is a list, or a reference.
fn stem(squeezed: &str) -> &str {
    let ends = ["ids", "id", "arns", "arn", "list", "s"];
    let stem = ends.iter().find_map(|end| squeezed.strip_suffix(end));
    stem.filter(|stem| stem.len() > 2).unwrap_or(squeezed)
}

/// `ttls` of `TimeToLiveSpecification`.
fn initials(name: &str) -> String {
    let mut previous = '_';
    let mut initials = String::new();
    for c in name.chars() {
        if c.is_alphabetic() && (c.is_uppercase() || !previous.is_alphanumeric()) {
            initials.extend(c.to_lowercase());
        }
        previous = c;
    }
    initials
}

/// The names there are, where nothing is near.
pub fn list<'n>(what: &str, names: impl Iterator<Item = &'n str>) -> String {
    const MOST_LISTED: usize = 24;
    let names: Vec<&str> = names.collect();
    match names.len() {
        0 => format!("it has no {what}"),
        count if count > MOST_LISTED => format!(
            "its {what} are {} and {} more",
            names[..MOST_LISTED].join(", "),
            count - MOST_LISTED
        ),
        _ => format!("its {what} are {}", names.join(", ")),
    }
}

/// A name without case and separators.
pub(super) fn squeezed(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// What to do about `${word…}`, where the word is not a resource: a notation of another tool or
/// service. `rest` are the names after it.
pub fn notation(word: &str, rest: &[String]) -> Option<String> {
    let first = rest.first().map_or("", String::as_str);
    Some(match word {
        "request" | "context" | "stageVariables" | "input" | "integration" | "method" | "route" => {
            let plain = if rest.is_empty() {
                format!("${word}")
            } else {
                format!("${word}.{}", rest.join("."))
            };
            format!("{LITERAL}; API Gateway reads {plain} as well")
        }
        "path" if matches!(first, "module" | "root" | "cwd") => {
            "write stack.dir for the stack file's folder".to_owned()
        }
        "terraform" if first == "workspace" => {
            "write stack.env for the environment of --env".to_owned()
        }
        "count" => "write each.key, in a resource with forEach".to_owned(),
        "env" | "process" => format!(
            "the environment gives values to variables: declare one, write var.NAME and set STACKCTL_VAR_NAME; {OWN}"
        ),
        "self" | "opt" | "param" | "params" | "sls" | "ssm" | "cf" => {
            format!("write var.NAME for a variable, local.NAME for a local; {OWN}")
        }
        "AWS" => pseudo(first),
        "aws" => format!("{LITERAL}, as in $${{aws:username}}"),
        "module" => format!("modules are not supported; {OWN}"),
        "pulumi" | "config" => {
            format!("write stack.name for the stack, var.NAME for a variable; {OWN}")
        }
        _ => return None,
    })
}

/// How a `${` is written that is not an expression.
pub const LITERAL: &str = "write $${ where the text shall have a ${ of its own";
const OWN: &str = LITERAL;

/// CloudFormation's parameters of its own.
fn pseudo(name: &str) -> String {
    let (data, value) = match name {
        "Region" => ("aws:getRegion", "name"),
        "AccountId" => ("aws:getCallerIdentity", "accountId"),
        "Partition" => ("aws:getPartition", "partition"),
        "URLSuffix" => ("aws:getPartition", "dnsSuffix"),
        "StackName" => return format!("write stack.name; {OWN}"),
        _ => return LITERAL.to_owned(),
    };
    format!("read it with data: {{here: {{type: \"{data}\"}}}} and write data.here.{value}; {OWN}")
}

/// The same, of the text between `${` and `}` that is not an expression at all: `AWS::Region`,
/// `self:custom.x`.
pub fn notation_of(text: &str) -> Option<String> {
    let word_end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let (word, rest) = text.split_at(word_end);
    let rest = rest.strip_prefix(':')?;
    let name = rest.trim_start_matches(':');
    let name = name.split(['.', '}', ':', ',']).next().unwrap_or_default();
    Some(notation(word, &[name.trim().to_owned()]).unwrap_or_else(|| LITERAL.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::table::native;

    fn help(type_name: &str, name: &str) -> String {
        let schema = native().resource(type_name).unwrap().schema();
        schema.unexpected(name).1.unwrap_or_default()
    }

    #[test]
    fn names_of_other_tools_are_known() {
        for (type_name, name, expected) in [
            (
                "aws:lambda:Function",
                "functionName",
                "did you mean \"name\"?",
            ),
            ("aws:iam:Role", "RoleName", "did you mean \"name\"?"),
            ("aws:sqs:Queue", "queueName", "did you mean \"name\"?"),
            (
                "aws:cloudwatch:LogGroup",
                "logGroupName",
                "did you mean \"name\"?",
            ),
            ("aws:s3:Bucket", "bucketName", "did you mean \"bucket\"?"),
            ("aws:s3:Bucket", "name", "did you mean \"bucket\"?"),
            (
                "aws:sqs:Queue",
                "visibilityTimeout",
                "did you mean \"visibilityTimeoutSeconds\"?",
            ),
            (
                "aws:apigatewayv2:Api",
                "cors",
                "did you mean \"corsConfiguration\"?",
            ),
            (
                "aws:s3:BucketVersioning",
                "status",
                "did you mean \"versioningConfiguration.status\"?",
            ),
            ("aws:sqs:Queue", "count", "forEach belongs under options"),
            ("aws:sqs:Queue", "for_each", "forEach belongs under options"),
            (
                "AWS::DynamoDB::Table",
                "ttl",
                "did you mean \"TimeToLiveSpecification\"?",
            ),
            (
                "AWS::DynamoDB::Table",
                "hash_key",
                "did you mean \"KeySchema\"?",
            ),
            ("AWS::DynamoDB::Table", "TagList", "did you mean \"Tags\"?"),
            (
                "AWS::DynamoDB::Table",
                "name",
                "did you mean \"TableName\"?",
            ),
            ("AWS::SNS::Topic", "name", "did you mean \"TopicName\"?"),
            (
                "AWS::SNS::Topic",
                "fifo",
                "did you mean \"FifoThroughputScope\" or \"FifoTopic\"?",
            ),
            (
                "AWS::Lambda::Function",
                "arn",
                "it is the output Arn: it can be referred to, not set",
            ),
            (
                "AWS::EC2::Instance",
                "vpc_security_group_ids",
                "did you mean \"SecurityGroupIds\"?",
            ),
            (
                "aws:sqs:Queue",
                "depends_on",
                "dependsOn belongs under options",
            ),
        ] {
            assert_eq!(help(type_name, name), expected, "{type_name} {name}");
        }
        assert!(help("aws:sqs:Queue", "preventDestroy").contains("options: {protect: true}"));
        assert!(help("aws:sqs:Queue", "lifecycle").contains("options: {protect: true}"));
        assert!(help("aws:sqs:Queue", "zzz").starts_with("its properties are "));
    }

    #[test]
    fn notations_of_others_are_known() {
        for (text, expected) in [
            ("AWS::Region", "data.here.name"),
            ("AWS::AccountId", "data.here.accountId"),
            ("AWS::Partition", "aws:getPartition"),
            ("AWS::Partition", "data.here.partition"),
            ("AWS::URLSuffix", "aws:getPartition"),
            ("AWS::URLSuffix", "data.here.dnsSuffix"),
            ("AWS::StackName", "stack.name"),
            ("aws:username", "$${aws:username}"),
            ("self:custom.stage", "$${"),
            ("opt:stage, 'dev'", "$${"),
            ("foo:bar", "$${"),
        ] {
            let help = notation_of(text).unwrap_or_default();
            assert!(help.contains(expected), "{text}: {help}");
        }
        assert_eq!(notation_of("queue.arn"), None);
        assert_eq!(notation_of("queue ? a : b"), None);
    }
}
