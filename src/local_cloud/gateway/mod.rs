//! The data plane of API Gateway: what clients of an API send, and what they get back.

use super::live::Live;
use super::serve::{self, Body};
use super::wire;
use hyper::body::Incoming;

/// The reply to a request of an API: by `Host`, `<apiId>.execute-api.…`, or by path,
/// `/_api/<apiId>/<stage>…`.
pub(super) async fn handle(_live: &Live, request: http::Request<Incoming>) -> http::Response<Body> {
    let message = format!("The local cloud serves no API at {}.", request.uri().path());
    serve::respond(wire::refusal(404, "NotFoundException", &message))
}
