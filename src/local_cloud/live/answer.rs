//! The AWS API of a served cloud. Calls that take time are here, each of them one function of the
//! service that has it; all others are one transaction.

use super::Live;
use crate::local_cloud::service::{Reply, Request};

/// The reply to a call of a service, by its signing name.
pub(in crate::local_cloud) async fn answer(live: &Live, service: &str, request: Request) -> Reply {
    live.cloud().call(service, request)
}
