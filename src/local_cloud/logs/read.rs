//! Events read back: of one stream, and of all with a filter.

use super::super::service::Refusal;
use super::events::{Event, Group};
use super::pattern::Pattern;
use super::{Call, invalid};
use serde_json::{Value, json};

/// What a page holds at most, in bytes (GetLogEvents and FilterLogEvents, API reference).
const PAGE: usize = 1_048_576;
/// What each event counts beside its message, in bytes.
const OVERHEAD: usize = 26;
/// The most events of a page.
const EVENTS: usize = 10_000;

/// How many of these events a page of up to `limit` holds: at least one.
fn fitting<'e>(events: impl Iterator<Item = &'e Event>, limit: usize) -> usize {
    let mut size = 0;
    let fits = events.take(limit).enumerate().take_while(|(at, event)| {
        size += event.message.len() + OVERHEAD;
        *at == 0 || size <= PAGE
    });
    fits.count()
}

impl Call<'_> {
    /// A time; none where it is not given.
    fn time(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let Some(time) = self.input.integer(name)? else {
            return Ok(None);
        };
        let time = u64::try_from(time).map_err(|_| {
            invalid(format!(
                "1 validation error detected: Value '{time}' at '{name}' failed to satisfy \
                 constraint: Member must have value greater than or equal to 0"
            ))
        })?;
        Ok(Some(time))
    }

    pub(super) fn get_log_events(&mut self) -> Result<Value, Refusal> {
        let (name, retention) = self.group_read()?;
        let stream = self.required("logStreamName")?;
        let limit = self.limit(EVENTS, EVENTS)?;
        let head = self.input.flag("startFromHead")?.unwrap_or(false);
        let from = self.time("startTime")?.unwrap_or(0);
        // The end is not included.
        let to = match self.time("endTime")? {
            None => u64::MAX,
            Some(0) => return Err(invalid("endTime must be greater than 0.")),
            Some(end) => end - 1,
        };
        let token = self.input.text("nextToken")?;
        let group = Group {
            region: self.region,
            name: &name,
            retention,
        };
        let stream = self.require_stream(&group, &stream)?;
        let mut events = group.read(self.store, &stream, (from, to), self.now)?;
        let wrong = || invalid("The specified nextToken is invalid.");
        let (forward, position) = match token {
            None => (head, None),
            Some(token) => match token.split_once('/') {
                Some(("f", id)) => (true, Some(id)),
                Some(("b", id)) => (false, Some(id)),
                _ => return Err(wrong()),
            },
        };
        if let Some(position) = position {
            if position.is_empty() || !position.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(wrong());
            }
            events.retain(|event| match forward {
                true => event.id.as_str() > position,
                false => event.id.as_str() < position,
            });
        }
        let page = match forward {
            true => {
                let count = fitting(events.iter(), limit);
                events.truncate(count);
                events
            }
            false => {
                let count = fitting(events.iter().rev(), limit);
                events.split_off(events.len() - count)
            }
        };
        // At the end the token is the one that was sent.
        let ends = page.first().zip(page.last());
        let (first, last) = match ends {
            Some((first, last)) => (first.id.as_str(), last.id.as_str()),
            None => (position.unwrap_or("0"), position.unwrap_or("0")),
        };
        let told: Vec<Value> = page
            .iter()
            .map(|event| {
                json!({
                    "timestamp": event.timestamp, "ingestionTime": event.ingested,
                    "message": event.message,
                })
            })
            .collect();
        Ok(json!({
            "events": told,
            "nextForwardToken": format!("f/{last}"),
            "nextBackwardToken": format!("b/{first}"),
        }))
    }

    pub(super) fn filter_log_events(&mut self) -> Result<Value, Refusal> {
        let (name, retention) = self.group_read()?;
        let limit = self.limit(EVENTS, EVENTS)?;
        let from = self.time("startTime")?.unwrap_or(0);
        let to = self.time("endTime")?.unwrap_or(u64::MAX);
        if from > to {
            return Err(invalid("startTime must not be later than endTime."));
        }
        let prefix = self.input.text("logStreamNamePrefix")?;
        let names = self.input.texts("logStreamNames")?;
        if prefix.is_some() && names.is_some() {
            return Err(invalid(
                "logStreamNamePrefix and logStreamNames cannot both be given.",
            ));
        }
        let pattern = self.input.text("filterPattern")?.unwrap_or_default();
        let pattern = Pattern::parse(pattern).map_err(|why| invalid(why.to_string()))?;
        let after = self.input.text("nextToken")?;
        if after.is_some_and(|it| it.is_empty() || !it.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(invalid("The specified nextToken is invalid."));
        }
        let group = Group {
            region: self.region,
            name: &name,
            retention,
        };
        let streams = match names {
            None => group.streams(self.store, prefix.unwrap_or_default())?,
            Some(names) if !(1..=100).contains(&names.len()) => {
                return Err(invalid("1 to 100 log streams can be named."));
            }
            Some(names) => {
                let streams = names.iter().map(|name| self.require_stream(&group, name));
                streams.collect::<Result<_, _>>()?
            }
        };
        let mut found = Vec::new();
        for stream in &streams {
            let outside = stream.last.is_none_or(|last| last < from)
                || stream.first.is_some_and(|first| first > to);
            if outside {
                continue;
            }
            let mut events = group.read(self.store, stream, (from, to), self.now)?;
            events.retain(|event| {
                after.is_none_or(|after| event.id.as_str() > after)
                    && pattern.matches(&event.message)
            });
            found.extend(events);
        }
        found.sort_by(|one, other| one.id.cmp(&other.id));
        let count = fitting(found.iter(), limit);
        let more = count < found.len();
        found.truncate(count);
        let mut body = json!({"searchedLogStreams": []});
        if more && let Some(last) = found.last() {
            body["nextToken"] = json!(last.id);
        }
        let told = found.into_iter().map(|event| {
            json!({
                "logStreamName": event.stream, "timestamp": event.timestamp,
                "message": event.message, "ingestionTime": event.ingested, "eventId": event.id,
            })
        });
        body["events"] = told.collect();
        Ok(body)
    }
}
