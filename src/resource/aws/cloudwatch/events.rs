//! The events of a log group, for the command that shows them.

use super::NOT_FOUND;
use crate::resource::author::*;
use crate::resource::aws::Aws;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// When it happened, in milliseconds since 1970.
    pub timestamp: i64,
    /// Its stream.
    pub stream: String,
    /// What no other event has.
    pub id: String,
    /// What was logged.
    pub message: String,
}

/// A time in milliseconds since 1970 as `2026-11-23T13:41:29.120Z`.
pub fn time(millis: i64) -> String {
    let seconds = DateTime::from_secs(millis.div_euclid(1000));
    // Only years beyond 9999 cannot be written.
    let seconds = seconds.fmt(Format::DateTime).unwrap_or_default();
    let rest = millis.rem_euclid(1000);
    format!("{}.{rest:03}Z", seconds.trim_end_matches('Z'))
}

/// Reads the events of a group since a time (in milliseconds since 1970) that match a filter
/// pattern. None where the group does not exist (yet).
///
/// # Errors
/// When a call is refused.
pub async fn events(
    aws: &Aws,
    group: &str,
    since: i64,
    pattern: Option<&str>,
) -> Result<Option<Vec<LogEvent>>, Error> {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let call = aws.logs().filter_log_events().log_group_name(group);
        let call = call.start_time(since).set_next_token(token);
        let call = call.set_filter_pattern(pattern.map(str::to_owned));
        let Some(page) = send!(call, "logs:FilterLogEvents", none: NOT_FOUND)? else {
            return Ok(None);
        };
        found.extend(
            page.events
                .unwrap_or_default()
                .into_iter()
                .map(|event| LogEvent {
                    timestamp: event.timestamp.unwrap_or_default(),
                    stream: event.log_stream_name.unwrap_or_default(),
                    id: event.event_id.unwrap_or_default(),
                    message: event.message.unwrap_or_default(),
                }),
        );
        token = page.next_token;
        if token.is_none() {
            return Ok(Some(found));
        }
    }
}
