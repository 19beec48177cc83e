//! Faults that tests have the local cloud produce, to see how a deployer bears them.

use super::access;
use super::service::{ACCOUNT, Refusal, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::{Duration, Instant};

/// One rule: which calls go wrong, and how. In JSON:
/// `{"call": "sqs:CreateQueue", "at": 2, "what": "throttle"}` or
/// `{"call": "*", "rate": 0.05, "seed": 7, "what": {"error": 503}}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The calls: `*`, `sqs:*` or `sqs:CreateQueue`. The part before the colon is the
    /// service's signing name (`sns`, `sqs`, `sts`, `logs`, `apigateway`, `iam`, `s3`, `lambda`,
    /// `cloudcontrolapi`), or `store` for the moments at which the state and its journal are written: `store:synced`,
    /// see [`crate::store::Moment`]. Kills and latencies happen there, and `{"error": 507}`: the
    /// disk is full. `*` means the services.
    pub call: String,
    /// The matching call, counted from 1 in this process, from which on it happens.
    #[serde(default)]
    pub at: Option<u64>,
    /// The share of matching calls that it happens to, 0 to 1.
    #[serde(default)]
    pub rate: Option<f64>,
    /// Keeps a `rate` reproducible.
    #[serde(default)]
    pub seed: u64,
    /// How often it happens at most; none: once with `at`, else without end.
    #[serde(default)]
    pub times: Option<u64>,
    /// A call that this process must have sent before, from which on the rule counts: this
    /// separates reads after a write from reads before it.
    #[serde(default)]
    pub after: Option<String>,
    /// What happens.
    pub what: What,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// The call takes so many milliseconds longer.
    Latency(u64),
    /// Nothing is done, and the service returns its own throttling error.
    Throttle,
    /// As long as there are no more matching calls a second than this nothing goes wrong; those
    /// beyond it are throttled as for `throttle`. A quiet second makes room for as many at once.
    Limit(u32),
    /// Nothing is done, and the service denies the call, with AWS's sentence. The `call` may also
    /// be an action that a call needs besides its own, such as `s3:TagResource` for `CreateBucket`
    /// with tags; see `further_action`. Denied `lambda:ListTags` leaves the tags out of
    /// `GetFunction`.
    Deny,
    /// Nothing is done, and the service finds the request not valid.
    Refused,
    /// Nothing is done, and the service refuses with this error.
    Answer(#[serde(deserialize_with = "for_good")] &'static Answer),
    /// The write is accepted, and the type's handler then does as this says: of `cloudcontrolapi`.
    Handler(#[serde(deserialize_with = "for_good")] &'static Handler),
    /// Nothing is done, and the service finds that the session's token has expired.
    Expired,
    /// Nothing is done, and the call is refused for the want of Content-MD5, which stores that
    /// are like S3 may demand.
    MissingMd5,
    /// Nothing is done, and the service returns this status, 500 or above.
    Error(u16),
    /// Nothing is done, and S3 says that another conditional write of the object is in progress
    /// (409).
    Conflict,
    /// Nothing is done, and S3 says that the object is not as the write's condition wants it (412).
    Precondition,
    /// The call takes effect, then the connection breaks.
    LostReply,
    /// The connection breaks before the call has any effect.
    Reset,
    /// Nothing is done and nothing returned for so many milliseconds of local time, or until the
    /// client's patience ends; then the client reports a timeout.
    Silence(u64),
    /// The call takes effect, and the reply's body is cut off. A call whose reply has no
    /// body to read does not notice.
    Malformed,
    /// The call takes effect, and the reply has no members: not even the id of what was created.
    Hollow,
    /// Nothing is done, and the service refuses with an error that repeats the request: as it
    /// is, decoded, and in other codings.
    Echo,
    /// Nothing is done: the service replies as one that has not heard yet of what was written a
    /// moment ago. Known of `sqs:GetQueueAttributes`, `s3:PutBucketAcl` and `iam:CreateRole`.
    Lag,
    /// The call takes effect, and a reply of `sqs:GetQueueAttributes` lacks `FifoQueue`.
    HalfLag,
    /// Nothing is done: the service takes no tags in a create, as S3 in some partitions. The
    /// `call` is the action that the tags need: `s3:TagResource`.
    NoTags,
    /// Nothing is done, and the client's task panics with the request in what it says.
    Panic,
    /// The process dies before the call has any effect.
    KillBefore,
    /// The process dies with the call in flight: it takes effect so many milliseconds of
    /// local time later, once somebody has the cloud open.
    KillInFlight(u64),
    /// The process dies after the effect and before the reply.
    KillAfter,
}

/// An error as a service returns it: `{"status": 409, "code": "OperationAborted", "message": "…"}`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The error code as on the wire.
    pub code: String,
    /// The message.
    #[serde(default)]
    pub message: String,
}

/// What the handler of a Cloud Control type does with a write:
/// `{"code": "NotStabilized", "effect": true}` is a create that fails after it created the
/// resource, `{"millis": 500}` one that takes so long and succeeds.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Handler {
    /// The error code that it fails with (`HandlerErrorCode`, API reference); none: it succeeds.
    pub code: Option<String>,
    /// What it says then, and as long as it runs; empty: the service's own sentence, then nothing.
    pub message: String,
    /// Whether it has its effect, though it fails.
    pub effect: bool,
    /// How long it takes, in milliseconds of local time.
    pub millis: Option<u64>,
}

/// The header in which a request carries it from the seam to the service.
const CARRIER: &str = "x-stackctl-handler";

impl Handler {
    /// Puts it into a request.
    pub(super) fn carry(&self, request: &mut Request) {
        let text = serde_json::json!(self).to_string();
        request.headers.insert(CARRIER.to_owned(), text);
    }

    /// The one that a request carries; without one, the handler just does its work.
    pub(super) fn carried(request: &Request) -> Self {
        let text = request.headers.get(CARRIER);
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
}

/// The rules of a process are read once and stay.
fn for_good<'de, D, T>(from: D) -> Result<&'static T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: DeserializeOwned + 'static,
{
    T::deserialize(from).map(|value| &*Box::leak(Box::new(value)))
}

impl Fault {
    /// A fault at the `at`-th call (from 1) that `call` matches.
    pub fn at(call: &str, at: u64, what: What) -> Self {
        Self {
            call: call.to_owned(),
            at: Some(at),
            rate: None,
            seed: 0,
            times: None,
            after: None,
            what,
        }
    }

    /// Reads a JSON list of faults.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the list.
    pub fn parse(text: &str) -> Result<Vec<Self>, String> {
        let faults: Vec<Self> = serde_json::from_str(text)
            .map_err(|error| format!("the list of faults cannot be read: {error}"))?;
        for fault in &faults {
            if fault.rate.is_some_and(|rate| !(0.0..=1.0).contains(&rate)) {
                return Err(format!(
                    "the rate of the fault for {} is not between 0 and 1",
                    fault.call
                ));
            }
            if fault.what == What::Limit(0) {
                return Err(format!("the limit for {} is 0", fault.call));
            }
            if matches!(fault.what, What::Error(status) if !(500..600).contains(&status)) {
                return Err(format!(
                    "the status of the fault for {} is not between 500 and 599",
                    fault.call
                ));
            }
        }
        Ok(faults)
    }

    /// Whether it is about an action that calls need besides their own.
    fn is_of_action(&self, action: &str) -> bool {
        self.call == action && matches!(self.what, What::Deny | What::NoTags)
    }

    fn matches(&self, call: &str) -> bool {
        is_meant(&self.call, call)
    }
}

/// Whether a pattern, such as `*`, `sqs:*` or `sqs:CreateQueue`, names a call.
fn is_meant(pattern: &str, call: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => !call.starts_with("store:"),
        Some(start) => call.starts_with(start),
        None => pattern == call,
    }
}

/// What one call is to suffer.
#[derive(Debug, Default)]
pub(super) struct Lot {
    /// The time it takes longer.
    pub(super) latency: Duration,
    /// What else happens.
    pub(super) what: Option<What>,
    /// The rules that struck, by their places in the list, from 0.
    pub(super) struck: Vec<usize>,
}

/// The faults of one process, with their counts.
#[derive(Debug)]
pub(super) struct Faults(Vec<State>);

#[derive(Debug)]
struct State {
    fault: Fault,
    seen: u64,
    left: u64,
    /// Whether the call was sent after which the rule counts.
    on: bool,
    draw: StdRng,
    /// For a limit: how many calls are free, and when that was so.
    free: (f64, Instant),
}

impl State {
    /// Takes one of the calls that a limit allows; false where none is free.
    fn takes(&mut self, per_second: u32) -> bool {
        let most = f64::from(per_second);
        let (free, at) = self.free;
        let free = (free + at.elapsed().as_secs_f64() * most).min(most);
        let taken = free >= 1.0;
        self.free = (if taken { free - 1.0 } else { free }, Instant::now());
        taken
    }
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        let state = |fault: Fault| State {
            seen: 0,
            left: fault
                .times
                .unwrap_or(if fault.at.is_some() { 1 } else { u64::MAX }),
            on: fault.after.is_none(),
            draw: StdRng::seed_from_u64(fault.seed),
            free: (f64::MAX, Instant::now()),
            fault,
        };
        Self(faults.into_iter().map(state).collect())
    }

    /// Counts a call and says what it is to suffer. Latencies add up; of the rest the
    /// first in the list counts.
    pub(super) fn draw(&mut self, call: &str) -> Lot {
        let lot = self.draw_where(|fault| fault.matches(call));
        for state in &mut self.0 {
            let after = state.fault.after.as_deref();
            state.on |= after.is_some_and(|after| is_meant(after, call));
        }
        lot
    }

    /// The same for an action that a call needs besides its own: rules that name it count it.
    pub(super) fn draw_action(&mut self, action: &str) -> Lot {
        self.draw_where(|fault| fault.is_of_action(action))
    }

    fn draw_where(&mut self, is_meant: impl Fn(&Fault) -> bool) -> Lot {
        let mut lot = Lot::default();
        for (place, state) in self.0.iter_mut().enumerate() {
            if !state.on || !is_meant(&state.fault) {
                continue;
            }
            state.seen += 1;
            let due = state.fault.at.is_none_or(|at| state.seen >= at)
                && state.left > 0
                && state
                    .fault
                    .rate
                    .is_none_or(|rate| state.draw.random_bool(rate));
            let what = state.fault.what;
            match what {
                _ if !due => continue,
                What::Limit(most) if state.takes(most) => continue,
                What::Limit(_) if lot.what.is_none() => lot.what = Some(What::Throttle),
                What::Latency(millis) => lot.latency += Duration::from_millis(millis),
                what if lot.what.is_none() => lot.what = Some(what),
                _ => continue,
            }
            state.left -= 1;
            lot.struck.push(place);
        }
        lot
    }
}

/// A service's own way to ask a client to slow down (codes and statuses of the AWS service
/// models).
pub(super) fn throttle(service: &str) -> Refusal {
    let (status, code) = match service {
        "sqs" => (403, "RequestThrottled"),
        "apigateway" | "lambda" => (429, "TooManyRequestsException"),
        "cloudcontrolapi" | "logs" => (400, "ThrottlingException"),
        "s3" => (503, "SlowDown"),
        _ => (400, "Throttling"),
    };
    Refusal::new(status, code, "Rate exceeded")
}

/// A denial of a call, in AWS's words.
pub(super) fn denial(service: &str, operation: &str) -> Refusal {
    let action = operation.rsplit(':').next().unwrap_or_default();
    let prefix = access::prefix(service);
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/somebody is not authorized to perform: \
         {prefix}:{action} on resource: * because no identity-based policy allows the \
         {prefix}:{action} action"
    );
    access::denied(service, message)
}

/// What a service says of a session that has ended.
pub(super) fn expired(service: &str) -> Refusal {
    let (status, code) = match service {
        "s3" => (400, "ExpiredToken"),
        "iam" | "sts" => (403, "ExpiredToken"),
        "apigateway" | "lambda" => (403, "ExpiredTokenException"),
        _ => (400, "ExpiredTokenException"),
    };
    let message = "The security token included in the request is expired";
    Refusal::new(status, code, message)
}

/// A refusal of a request as such.
pub(super) fn refusal() -> Refusal {
    Refusal::new(400, "ValidationException", "The request is not valid.")
}

/// What S3 says of a conditional write that meets another one.
pub(super) fn conflict() -> Refusal {
    let message = "The conditional request cannot succeed due to a conflicting operation against \
                   this resource.";
    Refusal::new(409, "ConditionalRequestConflict", message)
}

/// What S3 says of a conditional write whose condition does not hold.
pub(super) fn precondition() -> Refusal {
    let message = "At least one of the pre-conditions you specified did not hold";
    Refusal::new(412, "PreconditionFailed", message)
}

/// What a store like S3 says that wants Content-MD5.
pub(super) fn missing_md5() -> Refusal {
    let message = "Missing required header for this request: Content-MD5.";
    Refusal::new(400, "MissingContentMD5", message)
}

/// The action beside its own that a call needs: to tag what it creates (service authorization
/// reference), or to read tags.
pub(super) fn further_action(operation: &str, request: &Request) -> Option<&'static str> {
    let holds = |part: &str| {
        let body = request.body.as_ref();
        body.windows(part.len())
            .any(|window| window == part.as_bytes())
    };
    let (part, action) = match operation {
        "s3:CreateBucket" => ("<Tags>", "s3:TagResource"),
        "sqs:CreateQueue" => ("\"tags\"", "sqs:TagQueue"),
        "logs:CreateLogGroup" => ("\"tags\"", "logs:TagResource"),
        "iam:CreateRole" => ("Tags.member.1", "iam:TagRole"),
        "iam:CreatePolicy" => ("Tags.member.1", "iam:TagPolicy"),
        "sns:CreateTopic" => ("Tags.member.1", "sns:TagResource"),
        "lambda:CreateFunction" | "lambda:CreateEventSourceMapping" => {
            ("\"Tags\"", "lambda:TagResource")
        }
        "apigateway:CreateApi" | "apigateway:CreateStage" => ("\"tags\"", "apigateway:TagResource"),
        "lambda:GetFunction" => ("", "lambda:ListTags"),
        _ => return None,
    };
    (part.is_empty() || holds(part)).then_some(action)
}

/// What a service returns that has not heard of what was written a moment ago; none for calls of
/// which that is not known.
pub(super) fn lagging(operation: &str) -> Option<Result<&'static str, Refusal>> {
    let refusal =
        |status: u16, code: &str, message: &str| Some(Err(Refusal::new(status, code, message)));
    match operation {
        "sqs:GetQueueAttributes" => Some(Ok("{}")),
        "s3:PutBucketAcl" => refusal(
            400,
            "AccessControlListNotSupported",
            "The bucket does not allow ACLs",
        ),
        "iam:CreateRole" => refusal(
            404,
            "NoSuchEntity",
            "Scope ARN: arn:aws:iam::000000000000:policy/boundary does not exist or is not attachable.",
        ),
        _ => None,
    }
}

/// A reply's body, without what a host omits that has heard of half of it, or that may not return
/// tags.
pub(super) fn without(body: &[u8], operation: &str) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    if operation == "lambda:GetFunction" {
        let map = value.as_object_mut()?;
        map.remove("Tags");
        let Refusal { code, message, .. } = denial("lambda", "lambda:ListTags");
        let error = serde_json::json!({"ErrorCode": code, "Message": message});
        map.insert("TagsError".to_owned(), error);
    } else {
        value
            .get_mut("Attributes")?
            .as_object_mut()?
            .remove("FifoQueue");
    }
    serde_json::to_vec(&value).ok()
}

/// A reply's body without any member, as XML where it was that.
pub(super) fn hollow(body: &[u8], operation: &str) -> String {
    let name = operation.rsplit(':').next().unwrap_or_default();
    match body.starts_with(b"<") {
        true => format!("<{name}Response><{name}Result></{name}Result></{name}Response>"),
        false => "{}".to_owned(),
    }
}

/// A service's own failure.
pub(super) fn failure(service: &str, status: u16) -> Refusal {
    let code = match (service, status) {
        ("s3", 500) => "InternalError",
        ("lambda", 500) => "ServiceException",
        (_, 503) => "ServiceUnavailable",
        _ => "InternalFailure",
    };
    Refusal::new(status, code, "The request failed for a reason of ours.")
}

/// A refusal that says all that was asked.
pub(super) fn echo(request: &Request) -> Refusal {
    let body = String::from_utf8_lossy(&request.body);
    let decoded = match body.starts_with("Action=") {
        true => percent_encoding::percent_decode_str(&body.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned(),
        false => body.clone().into_owned(),
    };
    let coded = STANDARD.encode(&decoded);
    let message = format!("Value '{body}' is not valid; it reads {decoded}, in short {coded}");
    Refusal::new(400, "ValidationException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(faults: &mut Faults, calls: &[&str]) -> Vec<Option<What>> {
        calls.iter().map(|call| faults.draw(call).what).collect()
    }

    #[test]
    fn a_fault_happens_at_the_call_it_names() {
        let list = r#"[{"call": "sqs:*", "at": 2, "times": 2, "what": "throttle"},
            {"call": "sqs:TagQueue", "what": {"latency": 5}}]"#;
        let mut faults = Faults::new(Fault::parse(list).unwrap());
        assert_eq!(
            whats(&mut faults, &["sqs:A", "sts:A", "sqs:B", "sqs:C", "sqs:D"]),
            [None, None, Some(What::Throttle), Some(What::Throttle), None]
        );
        assert_eq!(faults.draw("sqs:TagQueue").latency.as_millis(), 5);
        assert_eq!(faults.draw("sqs:TagQueue").latency.as_millis(), 5);
    }

    #[test]
    fn an_action_is_denied_by_its_name_and_counted_by_no_other_rule() {
        let list = r#"[{"call": "*", "at": 2, "what": "reset"},
            {"call": "s3:TagResource", "times": 1, "what": "deny"}]"#;
        let mut faults = Faults::new(Fault::parse(list).unwrap());
        assert_eq!(faults.draw("s3:CreateBucket").what, None);
        let action = "s3:TagResource";
        assert_eq!(faults.draw_action(action).what, Some(What::Deny));
        assert_eq!(faults.draw_action(action).what, None);
        assert_eq!(faults.draw("s3:HeadBucket").what, Some(What::Reset));
    }

    #[test]
    fn a_rule_counts_from_the_call_it_comes_after() {
        let list = r#"[{"call": "sqs:Get*", "after": "sqs:CreateQueue", "what": {"error": 503}},
            {"call": "sqs:CreateQueue", "at": 1, "what": "lostReply"}]"#;
        let mut faults = Faults::new(Fault::parse(list).unwrap());
        let calls = ["sqs:GetQueueUrl", "sqs:CreateQueue", "sqs:GetQueueUrl"];
        assert_eq!(
            whats(&mut faults, &calls),
            [None, Some(What::LostReply), Some(What::Error(503))]
        );
        assert_eq!(faults.draw("sqs:GetQueueUrl").struck, [0]);
    }

    #[test]
    fn a_rate_is_repeatable() {
        let list = r#"[{"call": "*", "rate": 0.5, "seed": 3, "what": {"error": 500}}]"#;
        let draw = || {
            let mut faults = Faults::new(Fault::parse(list).unwrap());
            whats(&mut faults, &["a:A"; 200])
        };
        let first = draw();
        assert_eq!(first, draw());
        let hits = first.iter().flatten().count();
        assert!((60..140).contains(&hits), "{hits} of 200");
    }

    #[test]
    fn a_limit_throttles_what_is_beyond_it() {
        let list = r#"[{"call": "logs:*", "what": {"limit": 3}}]"#;
        let mut faults = Faults::new(Fault::parse(list).unwrap());
        let mut draw = || whats(&mut faults, &["logs:A", "logs:B", "sqs:A"]);
        assert_eq!(draw(), [None, None, None]);
        assert_eq!(draw(), [None, Some(What::Throttle), None]);
        std::thread::sleep(Duration::from_millis(700));
        assert_eq!(draw(), [None, None, None]);
        assert_eq!(draw(), [Some(What::Throttle), Some(What::Throttle), None]);
    }

    #[test]
    fn a_wrong_list_is_refused() {
        for text in [
            "{}",
            r#"[{"call": "*", "what": "explode"}]"#,
            r#"[{"call": "*", "what": {"error": 404}}]"#,
            r#"[{"call": "*", "what": {"limit": 0}}]"#,
            r#"[{"call": "*", "rate": 2, "what": "reset"}]"#,
            r#"[{"call": "*", "att": 2, "what": "reset"}]"#,
        ] {
            assert!(Fault::parse(text).is_err(), "{text}");
        }
    }
}
