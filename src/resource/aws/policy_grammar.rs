//! Words of IAM's policy language that more than one place needs (IAM user guide, "Grammar of the
//! IAM JSON policy language").

/// The elements of a statement.
pub const STATEMENT_KEYS: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// The operators of conditions (IAM user guide, "Condition operators"; cfn-lint's `policy.json`,
/// MIT-0).
pub const OPERATORS: &[&str] = &[
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "Null",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

/// An operator without what quantifies it and without `IfExists`.
pub fn plain_operator(operator: &str) -> &str {
    let bare = ["ForAllValues:", "ForAnyValue:"]
        .iter()
        .find_map(|start| operator.strip_prefix(start))
        .unwrap_or(operator);
    bare.strip_suffix("IfExists").unwrap_or(bare)
}

/// Whether there is this operator; upper and lower case are alike.
pub fn is_operator(operator: &str) -> bool {
    let plain = plain_operator(operator);
    let mut all = OPERATORS.iter();
    all.any(|known| known.eq_ignore_ascii_case(plain))
}

/// Whether a string matches a pattern with `*` and `?`; linear in memory, quadratic in time at
/// worst.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut in_text, mut star) = (0, 0, None);
    while in_text < text.len() {
        if at < pattern.len() && pattern[at] == b'*' {
            star = Some((at, in_text));
            at += 1;
        } else if at < pattern.len() && (pattern[at] == b'?' || pattern[at] == text[in_text]) {
            at += 1;
            in_text += 1;
        } else if let Some((star_at, taken)) = star {
            at = star_at + 1;
            in_text = taken + 1;
            star = Some((star_at, taken + 1));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&symbol| symbol == b'*')
}

/// The same; upper and lower case are alike, as in the names of actions.
pub fn matches_action(pattern: &str, name: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_as_iam_does() {
        for (pattern, name, fits) in [
            ("*", "SendMessage", true),
            ("Send*", "sendmessage", true),
            ("*Message*", "DeleteMessageBatch", true),
            ("Get?ueueUrl", "GetQueueUrl", true),
            ("Send", "SendMessage", false),
            ("S*x", "SendMessage", false),
        ] {
            assert_eq!(matches_action(pattern, name), fits, "{pattern}");
        }
        for (pattern, text, fits) in [
            ("*", "", true),
            ("sqs:*", "sqs:ReceiveMessage", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("arn:*:q", "arn:aws:sqs:us-west-2:0:q", true),
            ("Send*", "sendmessage", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} on {text}");
        }
        // It takes no longer for a pattern of many stars.
        let stars = "a*".repeat(200) + "b";
        assert!(!matches_action(&stars, &"a".repeat(2_000)));
    }
}
