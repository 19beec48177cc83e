//! The local cloud: the AWS services a stack needs, in process, behind the SDK's HTTP
//! client seam, kept in a folder. As strict as AWS where that bites.

pub mod apigateway;
mod chunked;
pub mod cloud;
mod connector;
mod disk;
pub mod fault;
#[cfg(test)]
mod fixture;
mod json;
pub mod logs;
pub mod service;
pub mod sqs;
pub mod sts;
#[cfg(test)]
mod tests;

pub use cloud::{Call, Cloud, Entry, Options};
pub use fault::{Fault, What};
