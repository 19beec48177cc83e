//! The log of one process of a function: what it prints and what Lambda says of it, put into a
//! stream of the function's log group. What the role may not write is not written, as at AWS.

use super::super::cloud::Cloud;
use super::super::iam::role_of_arn;
use super::super::lambda::Runnable;
use super::super::service::{ACCOUNT, Request};
use super::super::stamps;
use crate::resource::aws::partition_of;
use serde_json::{Value, json};

/// How many bytes wait before they are put.
const WAITING: usize = 256 << 10;
/// How many events do.
const EVENTS: usize = 5000;
/// The longest event, in bytes; a longer line is several.
const LONGEST: usize = 256 << 10;
/// How much of what an invocation prints is kept, in bytes.
const KEPT: usize = 32 << 20;
/// What `LogType=Tail` returns, in bytes (Invoke, API reference).
const TAIL: usize = 4096;

/// The log of one process.
pub(super) struct Journal {
    cloud: Cloud,
    region: String,
    role: String,
    pub(super) group: String,
    pub(super) stream: String,
    /// Lines are JSON documents.
    pub(super) json: bool,
    /// A carriage return in a line is a line's end inside of one event.
    folded: bool,
    /// The beginning of a line whose end has not been printed.
    open: Vec<u8>,
    waiting: Vec<(u64, String)>,
    size: usize,
    tail: String,
    /// What the invocation printed, in bytes.
    printed: usize,
    /// Whether the stream exists.
    ready: bool,
}

impl Journal {
    /// A new stream's name is as Lambda gives it: date, version, an id.
    pub(super) fn new(cloud: &Cloud, function: &Runnable) -> Self {
        let logging = function.config.get("LoggingConfig").unwrap_or(&Value::Null);
        let group = logging["LogGroup"].as_str().map(str::to_owned);
        let group = group.unwrap_or_else(|| format!("/aws/lambda/{}", function.name));
        let own = group == format!("/aws/lambda/{}", function.name);
        let date = stamps::iso_seconds(cloud.now());
        let date = date.get(..10).unwrap_or_default().replace('-', "/");
        let id = hex::encode(rand::random::<[u8; 16]>());
        let version = &function.version;
        let stream = match own {
            true => format!("{date}/[{version}]{id}"),
            // Several functions may share a group.
            false => format!("{date}/{}[{version}]{id}", function.name),
        };
        Self {
            cloud: cloud.clone(),
            region: function.region.clone(),
            role: function.text("Role").to_owned(),
            group,
            stream,
            json: logging["LogFormat"] == "JSON",
            folded: false,
            open: Vec::new(),
            waiting: Vec::new(),
            size: 0,
            tail: String::new(),
            printed: 0,
            ready: false,
        }
    }

    /// Says whether a carriage return in a line is a line's end inside of one event.
    pub(super) fn folded(&mut self, folded: bool) {
        self.folded = folded;
    }

    /// The cloud's time.
    pub(super) fn now(&self) -> u64 {
        self.cloud.now()
    }

    /// An invocation begins: the tail is its own.
    pub(super) fn begin(&mut self) {
        self.tail.clear();
        self.printed = 0;
    }

    /// Takes what the process printed.
    pub(super) fn print(&mut self, bytes: &[u8]) {
        let room = KEPT.saturating_sub(self.printed);
        let dropped = self.printed + bytes.len() > KEPT;
        let first = dropped && self.printed <= KEPT;
        self.printed += bytes.len();
        let kept = &bytes[..bytes.len().min(room)];
        let mut rest = kept;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            self.add(&rest[..at]);
            self.end_line();
            rest = &rest[at + 1..];
        }
        self.add(rest);
        if first {
            self.end_line();
            let limit = KEPT >> 20;
            self.say(format!(
                "stackctl: this invocation printed more than {limit} MB; the rest is not kept."
            ));
        }
    }

    /// Adds to the line that is open; one that is too long is several events.
    fn add(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
        while self.open.len() > LONGEST {
            let is_inside = |byte: &u8| byte & 0xc0 == 0x80;
            let mut end = LONGEST;
            while end > LONGEST - 4 && is_inside(&self.open[end]) {
                end -= 1;
            }
            let rest = self.open.split_off(end);
            self.end_line();
            self.open = rest;
        }
    }

    /// What has no line end yet is an event, too.
    pub(super) fn end_line(&mut self) {
        let mut bytes = std::mem::take(&mut self.open);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        if self.folded {
            for byte in bytes.iter_mut().filter(|byte| **byte == b'\r') {
                *byte = b'\n';
            }
        }
        // No event is empty.
        if !bytes.is_empty() {
            self.say(String::from_utf8_lossy(&bytes).into_owned());
        }
    }

    /// Adds an event.
    pub(super) fn say(&mut self, line: String) {
        self.tail.push_str(&line);
        if !line.ends_with('\n') {
            self.tail.push('\n');
        }
        if self.tail.len() > 2 * TAIL {
            self.cut_tail();
        }
        self.size += line.len();
        self.waiting.push((self.cloud.now(), line));
        if self.size >= WAITING || self.waiting.len() >= EVENTS {
            self.put();
        }
    }

    fn cut_tail(&mut self) {
        let mut start = self.tail.len().saturating_sub(TAIL);
        while !self.tail.is_char_boundary(start) {
            start += 1;
        }
        self.tail.drain(..start);
    }

    /// The last of what the invocation logged.
    pub(super) fn tail(&mut self) -> String {
        self.cut_tail();
        self.tail.clone()
    }

    /// Puts what waits into the stream.
    pub(super) fn put(&mut self) {
        self.size = 0;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() || !self.may("logs:PutLogEvents") {
            return;
        }
        if !self.ready && !self.prepare() {
            return;
        }
        if !self.send(&waiting) && self.prepare() {
            // The group or the stream was deleted meanwhile, and exists again.
            self.send(&waiting);
        }
    }

    fn send(&self, events: &[(u64, String)]) -> bool {
        let events: Vec<Value> = events
            .iter()
            .map(|(time, message)| json!({"timestamp": time, "message": message}))
            .collect();
        self.call(
            "PutLogEvents",
            &json!({
                "logGroupName": self.group, "logStreamName": self.stream, "logEvents": events,
            }),
        )
    }

    /// Creates the stream, and the group where it is missing; as far as the role may.
    fn prepare(&mut self) -> bool {
        let group = json!({"logGroupName": self.group});
        let stream = json!({"logGroupName": self.group, "logStreamName": self.stream});
        let create = |this: &Self| this.call("CreateLogStream", &stream);
        self.ready = self.may("logs:CreateLogStream")
            && (create(self)
                || (self.may("logs:CreateLogGroup")
                    && self.call("CreateLogGroup", &group)
                    && create(self)));
        self.ready
    }

    fn call(&self, operation: &str, body: &Value) -> bool {
        let target = format!("Logs_20140328.{operation}");
        let request = Request::json(&self.region, &target, body);
        self.cloud.call("logs", request).status == 200
    }

    /// Whether the role allows an action on the stream.
    fn may(&self, action: &str) -> bool {
        let (partition, _) = partition_of(&self.region);
        let resource = format!(
            "arn:{partition}:logs:{}:{ACCOUNT}:log-group:{}:log-stream:{}",
            self.region, self.group, self.stream
        );
        let allowed = self.cloud.look(|now, store| {
            role_of_arn(store, &self.role)
                .is_some_and(|role| role.allows(store, action, &resource, now))
        });
        allowed.unwrap_or(false)
    }
}
