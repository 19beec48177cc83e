//! Attacks on stackctl: what a stranger's stack, file, plan, state, lock or reply might do. One table
//! an area, each attack a row with a name; all of them must hold, and they are counted.

mod arena;
mod bounds;
mod buckets;
mod echoes;
mod files;
mod heads;
mod keys;
mod locks;
mod plans;
mod replies;
mod screens;
mod secrets;
mod states;
mod values;
mod variables;

use crate::support::Project;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The attacks of one area. A row that does not hold fails the table at its end, with its name.
pub struct Table {
    area: &'static str,
    tried: usize,
    failed: Vec<String>,
}

impl Table {
    /// An empty table of an area, such as `locks`.
    pub fn new(area: &'static str) -> Self {
        Self {
            area,
            tried: 0,
            failed: Vec::new(),
        }
    }

    /// Tries one attack. It holds where `attack` returns Ok and does not panic; the error says
    /// what got through.
    pub fn attack(&mut self, name: &str, attack: impl FnOnce() -> Result<(), String>) -> &mut Self {
        self.tried += 1;
        let ended = catch_unwind(AssertUnwindSafe(attack)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Err(text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("it panicked")
                .to_owned())
        });
        if let Err(why) = ended {
            self.failed.push(format!("{}: {name}: {why}", self.area));
        }
        self
    }

    /// Counts the table and fails the test where an attack got through.
    #[track_caller]
    pub fn end(self) {
        println!(
            "reliability: attacks {} tried {} held",
            self.tried,
            self.tried - self.failed.len()
        );
        assert!(self.tried > 0, "{}: nothing was tried", self.area);
        assert!(self.failed.is_empty(), "{}", self.failed.join("\n"));
    }
}

/// A project whose commands call with keys of nobody, and not the local cloud.
pub fn calling(stack: &str) -> Project {
    let mut project = Project::new();
    project.flags.clear();
    project.write("stacks/web.yaml", stack);
    project.env("AWS_ACCESS_KEY_ID", "KEY");
    project.env("AWS_SECRET_ACCESS_KEY", "s");
    project.env("AWS_SESSION_TOKEN", "MYTOKEN");
    project
}
