//! Log streams, and the events that are put into them.

use super::super::service::{ACCOUNT, Refusal};
use super::events::{Group, Stream};
use super::{Call, invalid, missing};
use crate::resource::aws::partition_of;
use serde_json::{Value, json};

/// The size of a batch, in bytes (PutLogEvents, API reference).
const BATCH: usize = 1_048_576;
/// What each event counts beside its message, in bytes.
const OVERHEAD: usize = 26;
/// The most events of a batch.
const EVENTS: usize = 10_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// `ResourceNotFoundException` for a stream.
pub(super) fn no_stream() -> Refusal {
    Refusal::new(
        400,
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
}

fn check_stream_name(name: &str) -> Result<(), Refusal> {
    let length = name.chars().count();
    if (1..=512).contains(&length) && !name.contains([':', '*']) {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'logStreamName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: [^:*]* and have a length of \
         1 to 512"
    )))
}

impl Call<'_> {
    /// The name and the retention of the group that a call names.
    pub(super) fn group_named(&self, member: &str) -> Result<(String, Option<u64>), Refusal> {
        let name = self.required(member)?;
        let group = self.group(&name)?;
        Ok((name, group.get("retentionInDays").and_then(Value::as_u64)))
    }

    /// The same for a call that takes a name or an identifier, and exactly one of the two.
    pub(super) fn group_read(&self) -> Result<(String, Option<u64>), Refusal> {
        let name = self.input.text("logGroupName")?;
        let identifier = self.input.text("logGroupIdentifier")?;
        let name = match (name, identifier) {
            (Some(name), None) => {
                super::check_name(name)?;
                name.to_owned()
            }
            (None, Some(identifier)) => self.name_of(identifier)?,
            _ => {
                return Err(invalid(
                    "Exactly one of logGroupName and logGroupIdentifier must be given.",
                ));
            }
        };
        let group = self.group(&name)?;
        Ok((name, group.get("retentionInDays").and_then(Value::as_u64)))
    }

    pub(super) fn create_log_stream(&mut self) -> Result<Value, Refusal> {
        let (group, retention) = self.group_named("logGroupName")?;
        let name = self.required("logStreamName")?;
        check_stream_name(&name)?;
        let group = Group {
            region: self.region,
            name: &group,
            retention,
        };
        if group.stream(self.store, &name)?.is_some() {
            return Err(Refusal::new(
                400,
                "ResourceAlreadyExistsException",
                "The specified log stream already exists",
            ));
        }
        let stream = Stream {
            name,
            created: self.now,
            number: rand::random(),
            count: 0,
            loose: 0,
            first: None,
            last: None,
            ingested: None,
        };
        group.put_stream(self.store, &stream);
        Ok(Value::Null)
    }

    pub(super) fn delete_log_stream(&mut self) -> Result<Value, Refusal> {
        let (group, retention) = self.group_named("logGroupName")?;
        let name = self.required("logStreamName")?;
        let group = Group {
            region: self.region,
            name: &group,
            retention,
        };
        if group.stream(self.store, &name)?.is_none() {
            return Err(no_stream());
        }
        group.remove_stream(self.store, &name);
        Ok(Value::Null)
    }

    pub(super) fn describe_log_streams(&mut self) -> Result<Value, Refusal> {
        let (group, retention) = self.group_read()?;
        let prefix = self.input.text("logStreamNamePrefix")?;
        let by_time = match self.input.text("orderBy")? {
            None | Some("LogStreamName") => false,
            Some("LastEventTime") => true,
            Some(other) => return Err(invalid(format!("{other} is not an order of streams."))),
        };
        if by_time && prefix.is_some() {
            return Err(invalid(
                "Cannot order by LastEventTime with a logStreamNamePrefix.",
            ));
        }
        let limit = self.limit(50, 50)?;
        let descending = self.input.flag("descending")?.unwrap_or(false);
        let after = self.input.text("nextToken")?;
        let region = self.region;
        let group = Group {
            region,
            name: &group,
            retention,
        };
        let mut streams = group.streams(self.store, prefix.unwrap_or_default())?;
        if by_time {
            streams.sort_by_key(|stream| stream.last);
        }
        if descending {
            streams.reverse();
        }
        let start = match after {
            None => 0,
            Some(after) => {
                let at = streams.iter().position(|stream| stream.name == after);
                at.ok_or_else(|| invalid("The specified nextToken is invalid."))? + 1
            }
        };
        let more = streams.len() > start + limit;
        let page: Vec<Stream> = streams.into_iter().skip(start).take(limit).collect();
        let mut body = json!({});
        if more && let Some(last) = page.last() {
            body["nextToken"] = json!(last.name);
        }
        let (partition, _) = partition_of(region);
        let told = page.iter().map(|stream| {
            let name = &stream.name;
            let mut told = json!({
                "logStreamName": name, "creationTime": stream.created, "storedBytes": 0,
                "arn": format!(
                    "arn:{partition}:logs:{region}:{ACCOUNT}:log-group:{}:log-stream:{name}",
                    group.name
                ),
                "uploadSequenceToken": token(stream),
            });
            for (member, time) in [
                ("firstEventTimestamp", stream.first),
                ("lastEventTimestamp", stream.last),
                ("lastIngestionTime", stream.ingested),
            ] {
                if let Some(time) = time {
                    told[member] = json!(time);
                }
            }
            told
        });
        body["logStreams"] = told.collect();
        Ok(body)
    }

    /// A `limit` between 1 and `most`.
    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, Refusal> {
        let Some(limit) = self.input.integer("limit")? else {
            return Ok(default);
        };
        let fits = usize::try_from(limit).ok();
        fits.filter(|it| (1..=most).contains(it)).ok_or_else(|| {
            invalid(format!(
                "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy \
                 constraint: Member must have value between 1 and {most}"
            ))
        })
    }

    pub(super) fn put_log_events(&mut self) -> Result<Value, Refusal> {
        let (group, retention) = self.group_named("logGroupName")?;
        let name = self.required("logStreamName")?;
        check_stream_name(&name)?;
        let events = self.events()?;
        let group = Group {
            region: self.region,
            name: &group,
            retention,
        };
        let mut stream = group.stream(self.store, &name)?.ok_or_else(no_stream)?;
        // Each event by itself can be too old or too new; the others are kept.
        let now = self.now;
        let expired = events.partition_point(|event| event.0 < group.expired_before(now));
        let too_old = events.partition_point(|event| event.0 < now.saturating_sub(14 * DAY));
        let too_new = events.partition_point(|event| event.0 <= now + 2 * HOUR);
        let mut rejected = json!({});
        if too_new < events.len() {
            rejected["tooNewLogEventStartIndex"] = json!(too_new);
        }
        if too_old > 0 {
            rejected["tooOldLogEventEndIndex"] = json!(too_old);
        }
        if expired > 0 {
            rejected["expiredLogEventEndIndex"] = json!(expired);
        }
        let kept = events
            .into_iter()
            .take(too_new)
            .skip(too_old.max(expired))
            .collect();
        group.append(self.store, &mut stream, kept, now)?;
        let mut body = json!({"nextSequenceToken": token(&stream)});
        if rejected.as_object().is_some_and(|map| !map.is_empty()) {
            body["rejectedLogEventsInfo"] = rejected;
        }
        Ok(body)
    }

    /// `logEvents`, checked as a whole.
    fn events(&self) -> Result<Vec<(u64, String)>, Refusal> {
        let list = self
            .input
            .list("logEvents")?
            .ok_or_else(|| missing("logEvents"))?;
        if !(1..=EVENTS).contains(&list.len()) {
            return Err(invalid(format!(
                "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: \
                 Member must have length between 1 and {EVENTS}"
            )));
        }
        let mut events: Vec<(u64, String)> = Vec::with_capacity(list.len());
        let mut size = 0;
        for (at, item) in list.iter().enumerate() {
            let timestamp = item["timestamp"].as_u64();
            let message = item["message"].as_str();
            let (Some(timestamp), Some(message)) = (timestamp, message) else {
                return Err(missing(&format!("logEvents.{}.member", at + 1)));
            };
            if message.is_empty() {
                return Err(invalid(format!(
                    "1 validation error detected: Value '' at 'logEvents.{}.member.message' \
                     failed to satisfy constraint: Member must have length greater than or equal \
                     to 1",
                    at + 1
                )));
            }
            size += message.len() + OVERHEAD;
            if events.last().is_some_and(|before| before.0 > timestamp) {
                return Err(invalid(
                    "Log events in a single PutLogEvents request must be in chronological order.",
                ));
            }
            events.push((timestamp, message.to_owned()));
        }
        if size > BATCH {
            return Err(invalid(format!(
                "Upload too large: {size} bytes exceeds limit of {BATCH}"
            )));
        }
        let span = events.last().zip(events.first());
        if span.is_some_and(|(last, first)| last.0 - first.0 > DAY) {
            return Err(invalid(
                "The batch of log events in a single PutLogEvents request cannot span more than \
                 24 hours.",
            ));
        }
        Ok(events)
    }

    /// Removes what a group holds, when it goes.
    pub(super) fn clear_events(&mut self, group: &str) {
        let group = Group {
            region: self.region,
            name: group,
            retention: None,
        };
        group.clear(self.store);
    }

    /// The group with its streams, for reads.
    pub(super) fn require_stream(&self, group: &Group<'_>, name: &str) -> Result<Stream, Refusal> {
        group.stream(self.store, name)?.ok_or_else(no_stream)
    }
}

/// No call needs it; clients may still send it.
fn token(stream: &Stream) -> String {
    format!("{:056}", stream.count)
}
