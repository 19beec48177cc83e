//! The engine: what is (observe), what should be (the stack), what to do (plan), doing it
//! (apply), and never losing track of it (journal).

pub mod accept;
pub mod adopt;
pub mod apply;
pub mod diff;
pub mod drift;
pub mod event;
pub mod graph;
mod guards;
mod identity;
pub mod instance;
mod judge;
mod lookup;
mod lost;
mod moved;
pub mod observe;
mod order;
mod origin;
mod orphans;
mod others;
mod outputs;
pub mod plan;
mod planned;
pub mod planner;
pub mod promise;
mod queue;
pub mod rebuild;
pub mod results;
pub mod rewrite;
mod rules;
pub mod settle;
mod stand_in;
mod steps;
pub mod values;
pub mod verify;
pub mod work;
pub mod world;
