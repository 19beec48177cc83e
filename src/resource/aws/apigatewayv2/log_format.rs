//! What API Gateway wants of the format of an access log.

/// The format without the one line end that it may have at its end.
pub(crate) fn line(format: &str) -> &str {
    let line = format.strip_suffix('\n').unwrap_or(format);
    line.strip_suffix('\r').unwrap_or(line)
}

/// Whether there is a line end before the end.
pub(crate) fn has_lines(format: &str) -> bool {
    line(format).contains(['\n', '\r'])
}

/// Whether it holds the request's id or the extended one, as a variable of its own:
/// `$context.requestIdentity` is another one.
pub(crate) fn logs_request_id(format: &str) -> bool {
    ["$context.requestId", "$context.extendedRequestId"]
        .iter()
        .any(|name| {
            let ends = format.match_indices(name).map(|(at, _)| at + name.len());
            ends.into_iter().any(|end| {
                let next = format[end..].chars().next();
                next.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_one_line() {
        for format in ["a b", "a b\n", "a b\r\n"] {
            assert!(!has_lines(format), "{format:?}");
            assert_eq!(line(format), "a b");
        }
        for format in ["a\nb", "a\rb", "a b\n\n", "\na", "a\n \n"] {
            assert!(has_lines(format), "{format:?}");
        }
    }

    #[test]
    fn a_format_holds_the_request_id() {
        for format in [
            "$context.requestId",
            r#"{"id":"$context.requestId","ip":"$context.identity.sourceIp"}"#,
            "<request id=\"$context.extendedRequestId\"/>",
            "$context.identity.sourceIp [$context.requestTime] $context.requestId",
            "$context.requestIds $context.requestId,",
        ] {
            assert!(logs_request_id(format), "{format}");
        }
        for format in [
            "",
            "$context.identity.sourceIp",
            "$context.requestIdentity",
            "$context.requestTime $context.integration.requestId",
            "context.requestId",
        ] {
            assert!(!logs_request_id(format), "{format}");
        }
    }
}
