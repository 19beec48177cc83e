//! The engine: what exists (observe), what should exist (the stack), what to do (plan), doing it
//! (apply), what is compared and kept beside (after). The rooms import one way: `after` →
//! `apply` → `observe` → `plan` → `world`, `head`, `address`.

pub mod address;
pub mod after;
pub mod apply;
pub mod head;
pub mod observe;
pub mod plan;
pub mod world;
