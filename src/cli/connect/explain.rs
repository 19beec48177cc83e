//! Why a connection was refused or closed (API Gateway developer guide, "Gateway responses" and
//! quotas of WebSocket APIs; RFC 6455, section 7.4).

use super::super::error::CliError;
use crate::report::terminal::escape;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// What API Gateway says to a request that is not signed and must be.
const UNSIGNED: &str = "Missing Authentication Token";

/// Whether a refusal asks for a signature.
pub(super) fn asks_for_signature(status: u16, body: &str) -> bool {
    status == 403 && body.contains(UNSIGNED)
}

/// A connection that was refused with an HTTP status.
pub(super) fn refusal(url: &str, status: u16, body: &str, signed: bool) -> CliError {
    let hint = match status {
        401 => "The route $connect has an authorizer, and it did not let this client in.",
        403 if asks_for_signature(status, body) => {
            "The route $connect asks for IAM: name the stack, so that its credentials sign the \
             connection."
        }
        403 if signed => {
            "The credentials need the permission execute-api:Invoke on the stage: \
             arn:aws:execute-api:<region>:<account>:<api>/<stage>/$connect."
        }
        403 => {
            "The API has no such stage, the stage has no deployment, or the route $connect refused \
             the client. Compare the address with stackctl outputs."
        }
        404 => "Nothing is at this address. Compare it with stackctl outputs.",
        410 => "The stage or its API was deleted. Compare the address with stackctl outputs.",
        426 => "The other side does not open WebSockets at this address.",
        429 => "Too many connections at once: API Gateway opens 500 a second. Try again later.",
        500..=599 => {
            "The integration of the route $connect failed. stackctl logs shows what its function \
             logged."
        }
        _ => "Compare the address with stackctl outputs.",
    };
    let body = escape(body.trim());
    let said = match body.is_empty() {
        true => String::new(),
        false => format!(": {body}"),
    };
    CliError::new(format!(
        "{} refused the connection with {status}{said}",
        escape(url)
    ))
    .now("Nothing was sent.")
    .hint(hint)
}

/// Why the other side closed.
pub(super) fn closed(frame: Option<&CloseFrame>) -> String {
    let Some(frame) = frame else {
        return "The connection broke.".to_owned();
    };
    let code = u16::from(frame.code);
    let why = match code {
        1000 => "the other side is done",
        1001 => "it was idle for 10 minutes, or open for 2 hours, or the other side goes away",
        1002 => "the protocol was violated",
        1003 => "API Gateway takes no binary messages",
        1007 => "a message is not UTF-8",
        1008 => "there are too many messages, or one violates a rule",
        1009 => "a message has more than 128 KB, or a frame more than 32 KB",
        1011 => "the other side failed",
        1012 => "the other side restarts",
        _ => "the other side gave no known reason",
    };
    let reason = match frame.reason.as_str() {
        "" => String::new(),
        reason => format!(" ({})", escape(reason)),
    };
    format!("The connection was closed with {code}{reason}: {why}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_the_next_step() {
        let unsigned = r#"{"message":"Missing Authentication Token"}"#;
        for (status, body, signed, expected) in [
            (403, unsigned, false, "asks for IAM"),
            (
                403,
                r#"{"message":"Forbidden"}"#,
                true,
                "execute-api:Invoke",
            ),
            (403, r#"{"message":"Forbidden"}"#, false, "no such stage"),
            (410, "", false, "was deleted"),
            (429, "", false, "500 a second"),
            (502, "", false, "stackctl logs"),
        ] {
            let error = refusal("wss://x/y", status, body, signed);
            let hint = error.hint.unwrap_or_default();
            assert!(hint.contains(expected), "{status}: {hint}");
        }
    }

    #[test]
    fn closes_are_explained() {
        let frame = |code: u16| CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        assert!(closed(Some(&frame(1009))).contains("128 KB"));
        assert!(closed(Some(&frame(1001))).contains("10 minutes"));
        assert!(closed(None).contains("broke"));
    }
}
