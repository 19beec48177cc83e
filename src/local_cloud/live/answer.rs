//! The AWS API of a served cloud. Calls that take time are here, each of them one function of the
//! service that has it; all others are one transaction.

use super::Live;
use crate::local_cloud::service::{Reply, Request};
use crate::local_cloud::{functions, sqs};
use std::time::Duration;
use tokio::time::Instant;

/// How often a call that waits looks for what other processes did.
const GLANCE: Duration = Duration::from_secs(1);

/// The reply to a call of a service, by its signing name.
pub(in crate::local_cloud) async fn answer(live: &Live, service: &str, request: Request) -> Reply {
    match service {
        "sqs" if sqs::is_receive(&request) => receive(live, request).await,
        "lambda" if functions::is_invoke(&request) => functions::call(live, request).await,
        _ => live.cloud().call(service, request),
    }
}

/// ReceiveMessage: waits for messages as long as the request or its queue says.
async fn receive(live: &Live, request: Request) -> Reply {
    let cloud = live.cloud();
    let mut messages = cloud.messages();
    let mut end = None;
    loop {
        messages.mark_unchanged();
        let reply = cloud.call("sqs", request.clone());
        if !sqs::is_empty(&reply) {
            return reply;
        }
        let waiting = cloud.look(|now, store| sqs::waiting(&request, now, store));
        let Ok(Some(waiting)) = waiting else {
            return reply;
        };
        let real = |millis: u64| Duration::from_millis(millis).div_f64(cloud.speed());
        let end = *end.get_or_insert_with(|| Instant::now() + real(waiting.patience));
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return reply;
        }
        let opening = waiting.opens_in.map_or(GLANCE, real);
        tokio::select! {
            _ = messages.changed() => {}
            () = tokio::time::sleep(left.min(opening).min(GLANCE)) => {}
            () = live.stopping() => return reply,
        }
    }
}
