//! A command that plans: what it wants, and what it works with.

use super::args::{GlobalArgs, RunArgs, StackArg};
use super::files::Files;
use super::output::Stream;
use crate::engine::plan::planned::{Options, Planned};
use crate::engine::world::World;
use crate::lang::stack::{Sources, Stack};
use crate::report::text::Style;
use crate::resource::context::Cx;
use crate::saved::{SavedPlan, SavedState};
use crate::store::Store;

/// A command in progress.
pub(super) struct Session {
    /// The stack.
    pub(super) stack: Stack,
    /// Where its state is; locked from before the state is read until the command ends, by
    /// commands that write.
    pub(super) store: Store,
    /// The clients.
    pub(super) cx: Cx,
    /// What the plan was computed from.
    pub(super) world: World,
    /// The plan.
    pub(super) planned: Planned,
    /// The source files it was loaded from.
    pub(super) sources: Sources,
    /// The state as it was read, before an interrupted run was recovered.
    pub(super) read: SavedState,
    /// The files read so far, where that is asked for.
    pub(super) files: Files,
}

/// How a command looks at the stack.
pub(super) struct Wanted<'a> {
    /// Flags of every command.
    pub(super) global: &'a GlobalArgs,
    /// Which stack.
    pub(super) stack: &'a StackArg,
    /// How to run.
    pub(super) run: &'a RunArgs,
    /// What to plan.
    pub(super) options: Options,
    /// Whether the state will be written.
    pub(super) writes: bool,
    /// How the plan is kept beyond this run.
    pub(super) keeps: Keeps<'a>,
}

/// What a plan has to do with a saved one.
#[derive(Clone, Copy)]
pub(super) enum Keeps<'a> {
    /// Nothing.
    Nothing,
    /// It is going to be saved.
    Saves,
    /// It must be this one.
    Repeats(&'a SavedPlan),
}

impl Session {
    /// How stdout is to look.
    pub(super) fn style(global: &GlobalArgs, show_secrets: bool) -> Style {
        Style {
            show_secrets,
            ..Stream::Stdout.style(global.no_color)
        }
    }
}
