//! The engine: what is (observe), what should be (the stack), what to do (plan), doing it
//! (apply), and never losing track of it (journal).

pub mod event;
pub mod plan;
