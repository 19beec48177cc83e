//! Keeps calls within the rates that AWS publishes, so that it need not refuse them. One pace for
//! the whole process sits in front of the HTTP client; it is asked by each attempt of each call,
//! retries included.
//!
//! A call that has to wait waits here, after it was signed and before its read timeout
//! starts. (A signature is good for at least five minutes: 3000 calls to API Gateway.)
//!
//! Each published limit is a virtual schedule, so a call knows its turn at once and nothing polls.
//! The local cloud is not paced.

use crate::resource::flight;
use crate::resource::notify::report_wait;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A published rate, and the sentence that names it in messages.
#[derive(Debug)]
struct Limit {
    /// The time in which one call comes free.
    every: Duration,
    /// How many calls may be sent at once after a quiet time.
    burst: u32,
    /// As people read it.
    limit_note: &'static str,
}

/// The places in [`LIMITS`].
const GATEWAY: usize = 0;
const DEPLOYMENT: usize = 1;
const LAMBDA: usize = 2;
const FUNCTION: usize = 3;
const POLICY: usize = 4;
const TAGGING: usize = 5;
const IDENTITIES: usize = 6;
const LOGS: usize = 7;
const GROUPS: usize = 8;
const TOPIC_TAGS: usize = 9;
const TOPICS: usize = 10;

/// The limits, each for an account and a region. Sources: the quota pages of API Gateway
/// (management API: 10 per second, burst 40, not to be raised; `CreateDeployment`: 1 every 5
/// seconds) and of Lambda (control plane 15 per second over all operations but `GetFunction`,
/// 100, and `GetPolicy`, 15), of SQS (tagging: 30), of SNS (tagging: 10; listing: 30) and of CloudWatch Logs (`DescribeLogGroups`: 5;
/// the others 10 or more each, which are kept together here). IAM publishes none; about 20 a
/// second is what accounts bear. Where no burst is published it is one second's worth.
const LIMITS: [Limit; 11] = [
    Limit {
        every: Duration::from_millis(100),
        burst: 40,
        limit_note: "API Gateway allows 10 calls a second",
    },
    Limit {
        every: Duration::from_secs(5),
        burst: 1,
        limit_note: "API Gateway allows one CreateDeployment in 5 seconds",
    },
    Limit {
        every: Duration::from_micros(66_667),
        burst: 15,
        limit_note: "Lambda allows 15 calls a second",
    },
    Limit {
        every: Duration::from_millis(10),
        burst: 100,
        limit_note: "Lambda allows 100 calls of GetFunction a second",
    },
    Limit {
        every: Duration::from_micros(66_667),
        burst: 15,
        limit_note: "Lambda allows 15 calls of GetPolicy a second",
    },
    Limit {
        every: Duration::from_micros(33_334),
        burst: 30,
        limit_note: "SQS allows 30 calls on tags a second",
    },
    Limit {
        every: Duration::from_millis(50),
        burst: 20,
        limit_note: "IAM bears about 20 calls a second",
    },
    Limit {
        every: Duration::from_millis(100),
        burst: 10,
        limit_note: "CloudWatch Logs allows 10 calls a second",
    },
    Limit {
        every: Duration::from_millis(200),
        burst: 5,
        limit_note: "CloudWatch Logs allows 5 calls of DescribeLogGroups a second",
    },
    Limit {
        every: Duration::from_millis(100),
        burst: 10,
        limit_note: "SNS allows 10 calls on tags a second",
    },
    Limit {
        every: Duration::from_micros(33_334),
        burst: 30,
        limit_note: "SNS allows 30 calls of ListTopics and ListSubscriptionsByTopic a second",
    },
];

/// Which limits a request falls under, by its signing name, method, path and target.
fn limits_of(request: &HttpRequest) -> &'static [usize] {
    let headers = request.headers();
    let scope = headers
        .get("authorization")
        .and_then(|text| text.split_once("Credential="))
        .and_then(|(_, rest)| rest.split(',').next())
        .and_then(|scope| scope.split('/').nth(3));
    let path = path_of(request.uri());
    let method = request.method();
    match scope {
        Some("apigateway") if method == "POST" && path.ends_with("/deployments") => {
            &[GATEWAY, DEPLOYMENT]
        }
        Some("apigateway") => &[GATEWAY],
        Some("lambda") => {
            let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
            match (method, parts.as_slice()) {
                ("GET", [_, "functions", _]) => &[FUNCTION],
                ("GET", [_, "functions", _, "policy"]) => &[POLICY],
                _ => &[LAMBDA],
            }
        }
        Some("sqs") => {
            let target = headers.get("x-amz-target").unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default();
            match operation {
                "TagQueue" | "UntagQueue" | "ListQueueTags" => &[TAGGING],
                _ => &[],
            }
        }
        Some("sns") => {
            let form = request.body().bytes().unwrap_or_default();
            let begins = |action: &str| form.starts_with(format!("Action={action}").as_bytes());
            let tags = ["TagResource", "UntagResource", "ListTagsForResource"];
            match (tags.into_iter().any(begins), begins("List")) {
                (true, _) => &[TOPIC_TAGS],
                (false, true) => &[TOPICS],
                _ => &[],
            }
        }
        Some("iam") => &[IDENTITIES],
        Some("logs") => {
            let target = headers.get("x-amz-target").unwrap_or_default();
            match target.ends_with(".DescribeLogGroups") {
                true => &[GROUPS],
                false => &[LOGS],
            }
        }
        _ => &[],
    }
}

/// The path of a URI, without host and query.
fn path_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split('?').next().unwrap_or_default()
}

/// When the next calls come free, for each limit: the moment at which, were no more calls sent, the
/// whole burst would be free again (a virtual schedule).
#[derive(Debug, Default)]
struct Schedule([Duration; LIMITS.len()]);

impl Schedule {
    /// Takes a place for a call under these limits: how long it has to wait, and for which.
    fn take(&mut self, limits: &[usize], now: Duration) -> Option<(Duration, &'static str)> {
        let mut longest = None;
        for &at in limits {
            let limit = &LIMITS[at];
            let free = self.0[at].saturating_sub(limit.every * (limit.burst - 1));
            let wait = free.saturating_sub(now);
            if !wait.is_zero() && longest.is_none_or(|(before, _)| before < wait) {
                longest = Some((wait, limit.limit_note));
            }
        }
        for &at in limits {
            self.0[at] = self.0[at].max(now) + LIMITS[at].every;
        }
        longest
    }
}

/// An HTTP client that keeps the pace.
#[derive(Debug)]
pub(super) struct Paced {
    inner: SharedHttpClient,
    pace: Arc<Pace>,
}

#[derive(Debug)]
struct Pace {
    start: Instant,
    schedule: Mutex<Schedule>,
}

impl Paced {
    /// Puts a pace of its own in front of a client.
    pub(super) fn new(inner: SharedHttpClient) -> Self {
        let schedule = Mutex::default();
        let start = Instant::now();
        Self {
            inner,
            pace: Arc::new(Pace { start, schedule }),
        }
    }
}

impl HttpClient for Paced {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(PacedConnector {
            inner: self.inner.http_connector(settings, components),
            pace: Arc::clone(&self.pace),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct PacedConnector {
    inner: SharedHttpConnector,
    pace: Arc<Pace>,
}

impl HttpConnector for PacedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let limits = limits_of(&request);
        if limits.is_empty() {
            return self.inner.call(request);
        }
        let turn = self
            .pace
            .schedule
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(limits, self.pace.start.elapsed());
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            if let Some((wait, why)) = turn {
                report_wait(why);
                let _queued = flight::queued();
                tokio::time::sleep(wait).await;
            }
            inner.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, service: &str, target: &str) -> HttpRequest {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=k/20260101/us-west-2/{service}/aws4_request, Signature=x"
        );
        let mut request = HttpRequest::empty();
        request.set_method(method).unwrap();
        request.set_uri(uri.to_owned()).unwrap();
        request.headers_mut().insert("authorization", scope);
        request
            .headers_mut()
            .insert("x-amz-target", target.to_owned());
        request
    }

    #[test]
    fn each_call_falls_under_its_limits() {
        let host = "https://x.us-west-2.amazonaws.com";
        for (method, path, service, target, limits) in [
            (
                "GET",
                "/v2/apis?maxResults=500",
                "apigateway",
                "",
                &[GATEWAY][..],
            ),
            (
                "POST",
                "/v2/apis/a/deployments",
                "apigateway",
                "",
                &[GATEWAY, DEPLOYMENT],
            ),
            (
                "GET",
                "/v2/apis/a/deployments",
                "apigateway",
                "",
                &[GATEWAY],
            ),
            ("GET", "/2015-03-31/functions/f", "lambda", "", &[FUNCTION]),
            (
                "GET",
                "/2015-03-31/functions/f/policy",
                "lambda",
                "",
                &[POLICY],
            ),
            ("POST", "/2015-03-31/functions", "lambda", "", &[LAMBDA]),
            ("DELETE", "/2015-03-31/functions/f", "lambda", "", &[LAMBDA]),
            ("POST", "/", "sqs", "AmazonSQS.TagQueue", &[TAGGING]),
            ("POST", "/", "sqs", "AmazonSQS.CreateQueue", &[]),
            ("POST", "/", "iam", "", &[IDENTITIES]),
            ("POST", "/", "sts", "", &[]),
            (
                "POST",
                "/",
                "logs",
                "Logs_20140328.DescribeLogGroups",
                &[GROUPS],
            ),
            (
                "POST",
                "/",
                "logs",
                "Logs_20140328.ListTagsForResource",
                &[LOGS],
            ),
        ] {
            let request = request(method, &format!("{host}{path}"), service, target);
            assert_eq!(limits_of(&request), limits, "{method} {path} {target}");
        }
    }

    /// When each of `count` calls, all asked for at once at `now`, is sent.
    fn call_times(schedule: &mut Schedule, count: usize, now: Duration) -> Vec<Duration> {
        let wait = |wait: Option<(Duration, &str)>| wait.map_or(Duration::ZERO, |(wait, _)| wait);
        (0..count)
            .map(|_| now + wait(schedule.take(&[GATEWAY], now)))
            .collect()
    }

    #[test]
    fn a_burst_of_40_then_10_a_second() {
        let mut schedule = Schedule::default();
        let times = call_times(&mut schedule, 100, Duration::ZERO);
        assert!(times[..40].iter().all(Duration::is_zero));
        for (at, time) in times.iter().enumerate().skip(40) {
            assert_eq!(*time, Duration::from_millis(100) * (at as u32 - 39));
        }
        // No stretch of time has more calls than AWS's own bucket would let through.
        for start in 0..times.len() {
            for end in start..times.len() {
                let stretch = (times[end] - times[start]).as_millis() as usize;
                assert!(end - start < 40 + stretch / 100 + 1);
            }
        }
        // After a quiet time the whole burst is free again, and no more.
        let later = Duration::from_secs(60);
        let times = call_times(&mut schedule, 41, later);
        assert!(times[..40].iter().all(|time| *time == later));
        assert_eq!(times[40], later + Duration::from_millis(100));
    }

    #[test]
    fn a_small_stack_is_not_slowed() {
        let mut schedule = Schedule::default();
        let second = Duration::from_secs(1);
        let times = (0..7).map(|call| (call, call_times(&mut schedule, 7, second * call)));
        for (call, times) in times {
            assert!(times.iter().all(|time| *time == second * call));
        }
    }

    #[test]
    fn a_deployment_waits_for_the_one_before() {
        let mut schedule = Schedule::default();
        let both = &[GATEWAY, DEPLOYMENT];
        assert_eq!(schedule.take(both, Duration::ZERO), None);
        let (wait, told) = schedule.take(both, Duration::from_secs(1)).unwrap();
        assert_eq!(wait, Duration::from_secs(4));
        assert!(told.contains("CreateDeployment"), "{told}");
        // Other calls go on meanwhile.
        assert_eq!(schedule.take(&[GATEWAY], Duration::from_secs(1)), None);
    }
}
