//! Mistakes in the stack file, shown to people or scripts.

use super::args::GlobalArgs;
use super::clock;
use super::error::CliError;
use super::exit::Exit;
use super::masks::masked;
use super::output::{self, Stream};
use crate::content::Disk;
use crate::data::Path;
use crate::engine::plan::planned::{Options, Request};
use crate::engine::plan::rewrite;
use crate::engine::world::World;
use crate::lang::check;
use crate::lang::diagnostic::{self, Diagnostic, Place};
use crate::lang::load::Loaded;
use crate::lang::locate::locate;
use crate::lang::stack::{Sources, Stack};
use crate::lint;
use crate::report::diagnostics;
use crate::resource::table::native;
use crate::severity::Severity;
use crate::store::state::State;
use serde_json::Value;

/// Loads and checks a stack; its mistakes are printed, and end the command. Where the check finds
/// some, those that only show in evaluation are reported with them.
pub(super) fn load_checked(
    global: &GlobalArgs,
    mut loaded: Loaded,
) -> Result<(Stack, Sources), CliError> {
    check(&mut loaded, Evaluate::WhereWrong);
    report(global, &loaded.diagnostics, &loaded.sources)?;
    Ok((loaded.stack, loaded.sources))
}

/// The stack, of which only the name matters: mistakes elsewhere in the file do not stand in
/// the way.
pub(super) fn load_named(global: &GlobalArgs, loaded: Loaded) -> Result<Stack, CliError> {
    let name = Path::root().join("name");
    let of_name = |found: &Diagnostic| {
        let at_name = found.place == Place::Value(name.clone());
        at_name && found.file == 0 && found.severity == Severity::Error
    };
    if loaded.stack.name.is_empty() || loaded.diagnostics.iter().any(of_name) {
        load_checked(global, loaded)?;
        return Err(CliError::silent(Exit::Invalid));
    }
    Ok(loaded.stack)
}

/// Whether the expressions are evaluated for their mistakes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Evaluate {
    /// Yes: nothing else will evaluate them.
    Always,
    /// Only along with mistakes that were found already; else the plan reports the rest.
    WhereWrong,
}

/// Adds the mistakes that need no call: those of names and types, and those that only show
/// in evaluation, where the file could be understood that far.
pub(super) fn check(loaded: &mut Loaded, evaluate: Evaluate) {
    let Loaded {
        stack,
        diagnostics,
        is_understood,
        ..
    } = loaded;
    learn_literals(stack);
    diagnostics.extend(check::check(stack, native()));
    diagnostics.extend(lint::switch::check(stack));
    let wanted = evaluate == Evaluate::Always || are_wrong(diagnostics);
    if !*is_understood || !wanted || !stack.references().is_ordered() {
        return;
    }
    let name = stack.name.as_str();
    let mut world = World::new(State::empty(name, stack.env.as_deref(), String::new()));
    world.is_blind = true;
    world.unix_time = clock::now();
    let planned = rewrite::plan(&Request {
        types: native(),
        stack,
        world: &world,
        options: &Options::default(),
        read_file: &Disk::new(&stack.dir),
    });
    output::secrets().learn_plan(&planned.plan);
    diagnostic::add(diagnostics, planned.diagnostics);
}

/// Makes errors of the warnings about what leads out of the project, where that is asked for.
pub(super) fn strictly(strict: bool, diagnostics: &mut [Diagnostic]) {
    for found in diagnostics
        .iter_mut()
        .filter(|found| strict && found.leads_out)
    {
        found.severity = Severity::Error;
    }
}

/// Learns the values that the file itself gives sensitive properties, and what looks like a secret,
/// so that no mistake quotes it.
fn learn_literals(stack: &Stack) {
    for value in &lint::literals(stack) {
        output::secrets().learn(value);
    }
    for block in stack.resources.values() {
        let Some(schema) = native().schema(&block.type_name) else {
            continue;
        };
        for (name, value) in block.properties.as_object().into_iter().flatten() {
            let is_literal = value.as_str().is_none_or(|text| !text.contains("${"));
            if is_literal && schema.is_sensitive(name) {
                output::secrets().learn(value);
            }
        }
    }
}

/// Prints diagnostics; an error among them ends the command.
pub(super) fn report(
    global: &GlobalArgs,
    list: &[Diagnostic],
    sources: &Sources,
) -> Result<(), CliError> {
    if list.is_empty() {
        return Ok(());
    }
    let list = &diagnostic::distinct(list.to_vec());
    if global.json && are_wrong(list) {
        let document = document(list, sources).to_string();
        output::json(&format!("{}\n", output::secrets().hide(&document)))?;
    } else {
        show(global, list, sources);
    }
    if are_wrong(list) {
        Err(CliError::silent(Exit::Invalid))
    } else {
        Ok(())
    }
}

/// Prints diagnostics for people.
pub(super) fn show(global: &GlobalArgs, list: &[Diagnostic], sources: &Sources) {
    if list.is_empty() {
        return;
    }
    let style = Stream::Stderr.style(global.no_color);
    let shown = masked(sources);
    let locate = |text: &str, place: &Place| span(sources, &shown, text, place);
    output::message(&diagnostics::diagnostics(list, &shown, &style, &locate));
}

/// A place in the stack file as `stacks/a.yaml:3:5`.
pub(super) fn position(sources: &Sources, place: &Place) -> Option<String> {
    let (name, text) = sources.files.first()?;
    let span = locate(text, place)?;
    Some(format!("{name}:{}:{}", span.line, span.column))
}

/// Whether there is an error among them.
pub(super) fn are_wrong(list: &[Diagnostic]) -> bool {
    list.iter().any(|found| found.severity == Severity::Error)
}

/// Diagnostics as one JSON document. On one line: `apply --json` prints JSON lines.
pub(super) fn document(list: &[Diagnostic], sources: &Sources) -> Value {
    let locate = |text: &str, place: &Place| span(sources, sources, text, place);
    let mut document = diagnostics::diagnostics_json(list, sources, &locate);
    document["type"] = "diagnostics".into();
    document["valid"] = (!are_wrong(list)).into();
    document
}

/// The place in a text of `shown`, looked for in the text as it is.
fn span(
    sources: &Sources,
    shown: &Sources,
    text: &str,
    place: &Place,
) -> Option<(usize, usize, std::ops::Range<usize>)> {
    let mut pairs = shown.files.iter().zip(&sources.files);
    let real = pairs.find(|((_, shown), _)| shown == text);
    let text = real.map_or(text, |(_, (_, real))| real);
    locate(text, place).map(|span| (span.line, span.column, span.bytes))
}
