//! The local cloud: the AWS services a stack needs, in process, behind the SDK's HTTP
//! client seam, kept in a folder. As strict as AWS where that bites.
//!
//! It is the project's own, over one small store. The published in-process services lose what a
//! plan must compare (integration properties, object metadata, code hashes) and refuse little;
//! wrapping them would have meant reading each request twice. Each effect is on disk before its
//! reply, whatever process dies.
//!
//! The state files are those of AWS. The state records account and region; a command that would
//! work elsewhere refuses.

mod access;
pub mod apigateway;
mod call;
mod callers;
mod chunked;
pub mod cloud;
pub mod cloudcontrol;
mod connector;
mod disk;
pub mod fault;
#[cfg(test)]
mod fixture;
mod functions;
mod gateway;
pub mod iam;
mod json;
pub mod lambda;
mod late;
pub mod live;
pub mod logs;
mod policy;
mod query;
pub mod s3;
mod serve;
pub mod service;
pub mod sns;
pub mod sqs;
mod stamps;
mod struck;
pub mod sts;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod wire;
mod xml;

pub use cloud::{Call, Cloud, Entry, Kill, Options};
pub use fault::{Fault, Handler, What};
