//! What hostile bytes are fed to. Each returns whatever comes; none may panic, hang or eat
//! all memory. Used by the targets of `cargo fuzz`, and by a bounded run in `cargo test`.

use stackctl::engine::plan::planned::{Options, Request};
use stackctl::engine::plan::rewrite;
use stackctl::engine::world::World;
use stackctl::lang::{check, load};
use stackctl::resource::table::native;
use stackctl::store::state::State;
use stackctl::store::{Store, journal};
use std::path::{Path, PathBuf};

/// A stack file: loaded, checked, and, when nothing is wrong with it, planned.
pub fn stack_file(bytes: &[u8]) {
    let file = ("s.yaml".to_owned(), bytes.to_vec());
    let loaded = load::load(file, None, PathBuf::from("stacks"), &load::Given::default());
    let wrong = !loaded.diagnostics.is_empty() || !check::check(&loaded.stack, native()).is_empty();
    if wrong {
        return;
    }
    let lineage = "lineage".to_owned();
    let world = World::new(State::empty(&loaded.stack.name, None, lineage));
    rewrite::plan(&Request {
        types: native(),
        stack: &loaded.stack,
        world: &world,
        options: &Options::default(),
        read_file: &|path: &str| Err(format!("{path}: no file here")),
    });
}

/// An expression, as an output's value.
pub fn expression(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let value = serde_json::Value::from(text);
    let stack = format!(
        "name: s\nvariables: {{v: {{type: any, default: {{a: [1, x]}}}}}}\noutputs: {{o: {{value: {value}}}}}\n"
    );
    stack_file(stack.as_bytes());
}

/// The entries of a journal.
pub fn journal_text(bytes: &[u8]) {
    // What it is refused with is no matter here.
    let _ = journal::read(&String::from_utf8_lossy(bytes));
}

/// A state file, with a journal beside it, in the folder.
pub fn state_file(bytes: &[u8], dir: &Path) {
    let path = dir.join("s.json");
    let (state, rest) = match bytes.iter().position(|byte| *byte == 0) {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    };
    write(&path, state);
    let journal = path.with_extension("journal");
    match rest {
        Some(rest) => write(&journal, rest),
        None => drop(std::fs::remove_file(&journal)),
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    // Refused or not: it must end.
    let _ = runtime.block_on(Store::local(path, &dir.join("work"), true).open("s", None));
}

/// A saved plan, in the folder.
pub fn plan_file(bytes: &[u8], dir: &Path) {
    let path = dir.join("plan");
    write(&path, bytes);
    let _ = stackctl::saved::read(&path);
}

#[expect(clippy::disallowed_methods, reason = "a test's own file")]
fn write(path: &Path, bytes: &[u8]) {
    // A disk that is full says nothing about the parser.
    let _ = std::fs::write(path, bytes);
}
