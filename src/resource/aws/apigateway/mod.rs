//! API Gateway's settings of an account.

pub mod account;
