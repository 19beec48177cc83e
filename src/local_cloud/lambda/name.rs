//! The ways to name a function: name, partial ARN, ARN, each with or without qualifier.

use super::super::service::{ACCOUNT, Refusal};
use super::missing;

/// A function as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FunctionName {
    pub(super) name: String,
    /// A version or alias.
    pub(super) qualifier: Option<String>,
}

impl FunctionName {
    /// Reads `my-function`, `{account}:function:my-function` or the ARN.
    pub(super) fn parse(text: &str, region: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = text.split(':').collect();
        let (place, rest): (Vec<&str>, &[&str]) = match parts.as_slice() {
            ["arn", _, "lambda", region, account, "function", rest @ ..] => {
                (vec![region, account], rest)
            }
            [account, "function", rest @ ..] => (vec![region, account], rest),
            ["function", rest @ ..] if !rest.is_empty() => (vec![region, ACCOUNT], rest),
            rest => (vec![region, ACCOUNT], rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some((*qualifier).to_owned())),
            _ => return Err(violation(text)),
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            return Err(violation(text));
        }
        if place != [region, ACCOUNT] {
            return Err(missing(format!("Function not found: {text}")));
        }
        Ok(Self {
            name: name.to_owned(),
            qualifier,
        })
    }
}

fn violation(text: &str) -> Refusal {
    let text: String = text.chars().take(200).collect();
    let message = format!(
        "1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{{2}}(-gov)?-[a-z]+-\\d{{1}}:)?(\\d{{12}}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?"
    );
    Refusal::new(400, "ValidationException", message)
}

/// The ARN of a function without qualifier.
pub(super) fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_name_the_function() {
        let parse = |text: &str| FunctionName::parse(text, "us-west-2");
        let expected = FunctionName {
            name: "f-1_a".to_owned(),
            qualifier: None,
        };
        for text in [
            "f-1_a",
            "000000000000:function:f-1_a",
            "function:f-1_a",
            "arn:aws:lambda:us-west-2:000000000000:function:f-1_a",
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        assert_eq!(parse("f:2").unwrap().qualifier.as_deref(), Some("2"));
        assert_eq!(parse("function").unwrap().name, "function");
        assert_eq!(parse("a b").unwrap_err().code, "ValidationException");
        assert_eq!(
            parse(&"a".repeat(65)).unwrap_err().code,
            "ValidationException"
        );
        let elsewhere = "arn:aws:lambda:us-east-1:000000000000:function:f";
        assert_eq!(
            parse(elsewhere).unwrap_err().code,
            "ResourceNotFoundException"
        );
    }
}
