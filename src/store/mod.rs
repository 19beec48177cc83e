//! Where the state lives: a JSON file, a journal beside it while a run goes on, and a
//! lock. Every file is made with mode 0600.

pub mod journal;
pub mod local;
pub mod state;
