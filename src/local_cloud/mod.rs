//! The local cloud: the AWS services a stack needs, in process, behind the SDK's HTTP
//! client seam, kept in a folder. As strict as AWS where that bites.

pub mod iam;
pub mod lambda;
mod policy;
pub mod s3;
pub mod service;
mod stamps;
#[cfg(test)]
mod testing;
mod xml;
