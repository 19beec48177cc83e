//! Names that other tools and services use, and what they are called here.

use crate::schema::{Schema, walk};
use serde_json::Value;

/// Of a name that is not a property of a type: what may be meant, beyond a typo.
pub fn property(name: &str, schema: &Schema) -> Option<String> {
    if let Some(option) = option(name) {
        return Some(option);
    }
    inside(name, schema).or_else(|| {
        part(name, schema.property_names()).map(|found| format!("did you mean \"{found}\"?"))
    })
}

/// What is an option here, and a property or a block of its own elsewhere.
fn option(name: &str) -> Option<String> {
    let found = match squeezed(name).as_str() {
        "count" | "foreach" => "forEach",
        "lifecycle" | "preventdestroy" | "deletionprotection" | "terminationprotection" => {
            return Some(
                "write protect, ignoreChanges and so on under options, as in options: {protect: true}"
                    .to_owned(),
            );
        }
        "dependson" => "dependsOn",
        "ignorechanges" => "ignoreChanges",
        "replaceonchanges" | "replacetriggeredby" => "replaceOnChanges",
        "createbeforedestroy" => {
            return Some(
                "a replacement is created first; options: {deleteBeforeReplace: true} turns that round"
                    .to_owned(),
            );
        }
        "deletebeforereplace" => "deleteBeforeReplace",
        "retainondelete" | "deletionpolicy" => "retainOnDelete",
        "protect" => "protect",
        "timeouts" => "timeouts",
        "aliases" | "moved" | "movedfrom" => "movedFrom",
        "when" | "condition" => "when",
        "options" => {
            return Some(
                "options stands beside properties: indent it by two fewer spaces".to_owned(),
            );
        }
        _ => return None,
    };
    Some(format!("{found} belongs under options"))
}

/// `functionName`, `queueName`, `roleName`: the type's own name, which is `name` or, of a bucket,
/// `bucket`.
pub fn own_name(name: &str, schema: &Schema) -> Option<String> {
    let wanted = squeezed(name);
    let kind = squeezed(schema.name.rsplit(':').next().unwrap_or_default());
    let stem = wanted.strip_suffix("name")?;
    let own = |property: &&str| *property == "name" || squeezed(property) == kind;
    (!stem.is_empty() && kind.ends_with(stem) || stem.is_empty())
        .then(|| schema.property_names().find(own))?
        .map(|own| format!("did you mean \"{own}\"?"))
}

/// A property of one of the type's structures: `status` is `versioningConfiguration.status`.
fn inside(name: &str, schema: &Schema) -> Option<String> {
    let wanted = squeezed(name);
    let mut found = Vec::new();
    let root = &schema.properties;
    search(root, root, &wanted, &mut String::new(), DEEPEST, &mut found);
    match found.as_slice() {
        [] => None,
        [one] => Some(format!("did you mean \"{one}\"?")),
        [first, .., last] => Some(format!("did you mean \"{first}\" or \"{last}\"?")),
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

/// The one name that begins with what was written, or ends in it: `visibilityTimeout`, `cors`.
pub fn part<'n>(name: &str, names: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
    let wanted = squeezed(name);
    let only = |fits: &dyn Fn(&str) -> bool| {
        let mut fitting = names.clone().filter(|known| fits(&squeezed(known)));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    };
    if wanted.len() < 3 {
        return None;
    }
    only(&|known| known.starts_with(&wanted))
        .or_else(|| only(&|known| known.ends_with(&wanted)))
        .or_else(|| only(&|known| known.len() > 3 && wanted.ends_with(known)))
        .or_else(|| only(&|known| known.len() > 3 && wanted.starts_with(known)))
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

fn squeezed(name: &str) -> String {
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
