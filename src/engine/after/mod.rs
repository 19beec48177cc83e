//! What is done with a stack beside a plan and its apply: drift, what is left after an apply, a
//! lost state.

pub mod accept;
pub mod drift;
pub mod post_apply;
pub mod rebuild;
mod stand_in;
