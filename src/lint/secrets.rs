//! Secrets in plain text. SK10xx. No message quotes one, and [`literals`] hands them to whoever
//! prints a file, so that it shows none either.

use super::facts::{Facts, Resource};
use super::general::strings;
use super::rule::Rule;
use crate::data::Path;
use crate::lang::stack::Stack;
use crate::schema::broken::Broken;
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

pub(super) const RULES: &[Rule] = &[
    Rule::warning("SK1001", "No access key stands in the file")
        .why("A long-lived key of AWS begins with AKIA; whoever reads the file has it (IAM user guide, \"IAM identifiers\", unique ids; \"Secure access keys\").")
        .fix("give the function a role, or keep the key in Secrets Manager; rotate the key")
        .examples(
            r#"f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {LOGIN: AKIAIOSFODNN7EXAMPLE}}}}"#,
            r#"f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {STAGE: live}}}}"#,
        )
        .every(access_keys),
    Rule::warning("SK1002", "No private key stands in the file")
        .why("Whoever reads the file, its history or the state of another tool has the key (AWS Well-Architected, SEC02-BP03, \"Store and use secrets securely\").")
        .fix("keep the key in Secrets Manager, or in a sensitive variable of a file outside the repository")
        .examples(
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: keys-}}
o: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: k.pem, content: "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"}}"#,
            r#"b: {type: "aws:s3:Bucket", properties: {bucketPrefix: keys-}}
o: {type: "aws:s3:BucketObject", properties: {bucket: "${b.bucket}", key: k.pem, content: "${var.account}"}}"#,
        )
        .every(private_keys),
    Rule::warning("SK1003", "A password comes from elsewhere")
        .why("A variable whose name says that it is a password, a secret or a token, with a value in the file, is readable in the repository and in the function's configuration (Lambda developer guide, \"Securing environment variables\").")
        .fix("take it from a sensitive variable, ${var.NAME}, or name a secret of Secrets Manager that the function reads")
        .examples(
            r#"f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {DB_PASSWORD: correct-horse-battery}}}}"#,
            r#"f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {DB_PASSWORD: "${var.account}"}}}}"#,
        )
        .every(passwords),
    Rule::warning("SK1004", "No token of a service stands in the file")
        .why("The tokens of GitHub, GitLab, Slack, Stripe, npm and others have forms that searchers of repositories know (AWS Well-Architected, SEC02-BP03).")
        .fix("revoke the token, and keep the new one in Secrets Manager or a sensitive variable")
        .examples(
            r#"f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {GITHUB: ghp_000000000000000000000000000000000000}}}}"#,
            r#"f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {GITHUB: "https://github.com/example"}}}}"#,
        )
        .every(tokens),
    Rule::warning("SK1005", "No URL has a password in it")
        .why("A URL such as postgres://user:password@host holds the password in plain text, and goes into logs as URLs do (AWS Well-Architected, SEC02-BP03).")
        .fix("leave the password out of the URL, and read it from Secrets Manager")
        .examples(
            r#"f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {DATABASE: "postgres://app:correct-horse@db.example.com/app"}}}}"#,
            r#"f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: app.run, s3Bucket: code, s3Key: f.zip, environment: {variables: {DATABASE: "postgres://app@db.example.com/app"}}}}"#,
        )
        .every(urls),
];

/// A pattern that is written here; one that cannot be read finds nothing, and a test notices.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static ACCESS_KEY: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"));
static PRIVATE_KEY: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"));
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,}|glpat-[A-Za-z0-9_-]{20}|xox[abpr]-[A-Za-z0-9-]{20,}|sk_live_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{36}|AIza[A-Za-z0-9_-]{35})",
    )
});
static URL: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"\b[a-z][a-z0-9+.-]*://[^\s/:@$]+:([^\s/@$]+)@[^\s/]"));

fn is_secret(found: &LazyLock<Option<Regex>>, text: &str) -> bool {
    found.as_ref().is_some_and(|found| found.is_match(text))
}

fn each(resource: &Resource<'_>, broken: &mut Vec<Broken>, message: &str, found: fn(&str) -> bool) {
    let all = strings(resource.written, &found).into_iter();
    broken.extend(all.map(|(path, _)| Broken::new(path, message)));
}

fn is_access_key(text: &str) -> bool {
    (text.contains("AKIA") || text.contains("ASIA")) && is_secret(&ACCESS_KEY, text)
}

fn is_private_key(text: &str) -> bool {
    text.contains("-----BEGIN") && is_secret(&PRIVATE_KEY, text)
}

fn is_token(text: &str) -> bool {
    let starts = ["gh", "glpat-", "xox", "sk_live_", "npm_", "AIza"];
    let is_long = text.len() >= 20;
    is_long && starts.iter().any(|start| text.contains(start)) && is_secret(&TOKEN, text)
}

fn is_url(text: &str) -> bool {
    text.contains("://") && text.contains('@') && is_secret(&URL, text)
}

fn access_keys(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    let message = "An access key of AWS stands here in plain text.";
    each(resource, broken, message, is_access_key);
}

fn private_keys(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    let message = "A private key stands here in plain text.";
    each(resource, broken, message, is_private_key);
}

fn tokens(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    let message = "The token of a service stands here in plain text.";
    each(resource, broken, message, is_token);
}

fn urls(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    let message = "The URL has a password in it, in plain text.";
    each(resource, broken, message, is_url);
}

fn passwords(_: &Facts<'_>, resource: &Resource<'_>, broken: &mut Vec<Broken>) {
    for (path, _) in variables(resource.written) {
        let message = "A password stands here in plain text, as the name says.";
        broken.push(Broken::new(path, message));
    }
}

/// How the name of a secret ends.
const WORDS: &[&str] = &[
    "apikey",
    "apitoken",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "secretkey",
    "token",
];

/// The variables of a function whose names say that they are secrets, and that stand in the file.
fn variables(properties: &Value) -> Vec<(Path, &Value)> {
    let mut found = Vec::new();
    for (outer, inner) in [("environment", "variables"), ("Environment", "Variables")] {
        let map = properties.get(outer).and_then(|all| all.get(inner));
        let map = map.and_then(Value::as_object);
        for (name, value) in map.into_iter().flatten() {
            if value.as_str().is_some_and(|text| is_password(name, text)) {
                let path = Path::root().join(outer).join(inner).join(name);
                found.push((path, value));
            }
        }
    }
    found
}

fn is_password(name: &str, text: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['_', '-'], "");
    let is_named = WORDS.iter().any(|word| name.ends_with(word));
    // An expression, the name of a secret or its ARN, a switch.
    let is_value = !text.contains("${")
        && !text.starts_with("arn:")
        && !text.starts_with('/')
        && !text.contains("://")
        && text.len() >= 4
        && !["true", "false", "none", "null"].contains(&text);
    is_named && is_value
}

/// The strings of the stack's resources that the rules take for secrets.
pub fn literals(stack: &Stack) -> Vec<Value> {
    let is_one =
        |text: &str| is_access_key(text) || is_private_key(text) || is_token(text) || is_url(text);
    let mut found = Vec::new();
    for block in stack.resources.values() {
        let all = strings(&block.properties, &is_one).into_iter();
        found.extend(all.map(|(_, text)| Value::from(text)));
        let named = variables(&block.properties).into_iter();
        found.extend(named.map(|(_, value)| value.clone()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_can_be_read() {
        for found in [&ACCESS_KEY, &PRIVATE_KEY, &TOKEN, &URL] {
            assert!(found.is_some());
        }
    }

    #[test]
    fn a_name_says_whether_it_is_a_password() {
        let is = is_password;
        assert!(is("DB_PASSWORD", "correct-horse") && is("ApiKey", "12345"));
        assert!(!is("DB_PASSWORD", "${var.password}") && !is("SECRET_ARN", "correct-horse"));
        assert!(!is("TOKEN", "/app/token") && !is("NO_PASSWORD", "true"));
    }
}
