//! Plans against an oracle: a stack, a state, a world and flags are drawn, and a second, simple
//! account of what is promised says what must be created, updated, replaced, deleted, kept, moved,
//! imported and refused, with which values, and what waits for what. `plan()` must say the same.
//!
//! `STACKCTL_FUZZ_CASES` says how many cases, `STACKCTL_FUZZ_SEED` draws others. A failure is made
//! small and prints its tape; `STACKCTL_ORACLE_TAPE=…` runs just that.

mod case;
mod draw;
mod expect;
mod steps;

use case::{Case, KEY, nest};
use draw::Tape;
use expect::{Expected, Fate, expect};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use stackctl::data::{Data, Path};
use stackctl::engine::plan::planned::{Planned, Request};
use stackctl::engine::plan::rewrite;
use stackctl::engine::plan::verify;
use stackctl::engine::plan::{Action, Change, ChangedBy, Op, Plan, Step};
use stackctl::resource::table::native;
use stackctl::severity::Severity;
use stackctl::store::state::deposed_address;
use std::collections::{BTreeMap, BTreeSet};
use steps::Node;

const CASES: u64 = 1000;
/// The choices of a case.
const LENGTH: usize = 320;

#[test]
fn a_plan_does_what_the_oracle_says() {
    if let Ok(tape) = std::env::var("STACKCTL_ORACLE_TAPE") {
        let mut tape = hex::decode(tape).unwrap();
        tape.resize(LENGTH, 0);
        if let Err(why) = holds(&tape) {
            fails(tape, &why, "");
        }
        return;
    }
    let seed = std::env::var("STACKCTL_FUZZ_SEED").unwrap_or_default();
    let cases = std::env::var("STACKCTL_FUZZ_CASES").map_or(CASES, |text| text.parse().unwrap());
    let mut met = BTreeMap::new();
    for case in 0..cases {
        let tape = tape(&seed, case);
        match holds(&tape) {
            Ok(words) => words
                .into_iter()
                .for_each(|word| *met.entry(word).or_insert(0) += 1),
            Err(why) => fails(tape, &why, &seed),
        }
    }
    println!("oracle: {met:?}");
}

/// The choices of one of the cases that a seed draws.
fn tape(seed: &str, case: u64) -> Vec<u8> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&case.to_le_bytes());
    bytes[8..]
        .iter_mut()
        .zip(seed.bytes())
        .for_each(|(byte, of)| *byte = of);
    let mut tape = vec![0; LENGTH];
    StdRng::from_seed(bytes).fill_bytes(&mut tape);
    tape
}

/// Makes a failing case small, and fails with it.
fn fails(mut tape: Vec<u8>, why: &str, seed: &str) {
    let mut why = why.to_owned();
    for width in [64, 16, 4, 1, 1] {
        for at in (0..LENGTH).step_by(width) {
            let mut simpler = tape.clone();
            simpler[at..at + width].fill(0);
            if simpler != tape
                && let Err(same) = holds(&simpler)
            {
                (tape, why) = (simpler, same);
            }
        }
    }
    let case = Case::draw(&mut Tape(&tape));
    let mut text = format!("{why}\n\nflags: {:?}\nfile:\n", case.options);
    for (name, block) in case.document() {
        text += &format!("  {name}: {block}\n");
    }
    for (address, known) in case.known.iter().chain(&case.leftovers) {
        text += &format!("state: {address}: {}\n", known.line());
    }
    for (node, (id, word)) in steps_of(&plan(&case).plan) {
        text += &format!("step {id}: {word} {node:?}\n");
    }
    let tape = hex::encode(tape);
    panic!("{text}\nSTACKCTL_FUZZ_SEED='{seed}'; STACKCTL_ORACLE_TAPE={tape}");
}

fn plan(case: &Case) -> Planned {
    rewrite::plan(&Request {
        types: native(),
        stack: &case.stack(),
        world: &case.world(),
        options: &case.options,
        read_file: &|path: &str| Err(format!("{path}: no file here")),
    })
}

/// Compares the plan with what is expected; the words for what was met.
fn holds(tape: &[u8]) -> Result<Vec<&'static str>, String> {
    let case = Case::draw(&mut Tape(tape));
    let expected = expect(&case);
    let planned = plan(&case);
    assert!(planned.needs.is_empty() && planned.imports.is_empty());
    if refused(&planned, &expected)? {
        return Ok(vec!["refused"]);
    }
    let faults = verify::faults(&planned.plan, &case.world(), native());
    same("faults of the plan", &faults, &Vec::new())?;
    rows(&planned.plan, &expected)?;
    if expected.is_tangled {
        return Ok(vec!["tangled"]);
    }
    let found = steps_of(&planned.plan);
    let words = found
        .iter()
        .map(|(node, (id, word))| (node.clone(), (*id, *word)));
    let words: BTreeMap<Node, (usize, &str)> = words.collect();
    let only: BTreeMap<Node, &str> = words
        .iter()
        .map(|(it, (_, word))| (it.clone(), *word))
        .collect();
    same("steps", &only, &expected.steps)?;
    given(&planned.plan, &expected)?;
    order(&planned.plan, &words, &expected)?;
    Ok(expected.steps.into_values().collect())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let lines = |value: &T| format!("{value:#?}\n");
    let (expected, found) = (lines(expected), lines(found));
    let diff = similar::TextDiff::from_lines(&expected, &found);
    Err(format!(
        "{what} (- expected, + found):\n{}",
        diff.unified_diff()
    ))
}

/// Whether the plan is refused, as it must be; each mistake is of a resource that is refused.
fn refused(planned: &Planned, expected: &Expected) -> Result<bool, String> {
    let errors = planned.diagnostics.iter();
    let errors = errors.filter(|found| found.severity == Severity::Error);
    let told = errors.map(|found| {
        let path = found.place.path();
        let block = path.and_then(|path| path.segments().nth(1).map(|it| it.into_owned()));
        (block, found.message.clone())
    });
    let told: Vec<(Option<String>, String)> = told.collect();
    let is_of = |(block, message): &(Option<String>, String), address: &String| match block {
        Some(block) => address.split('[').next() == Some(block),
        None => message.starts_with(&format!("{address} ")),
    };
    for any in &expected.refused {
        if !told
            .iter()
            .any(|it| any.iter().any(|address| is_of(it, address)))
        {
            return Err(format!("not refused: {any:?}, only {told:#?}"));
        }
    }
    let all: BTreeSet<&String> = expected.refused.iter().flatten().collect();
    match told
        .iter()
        .find(|it| !all.iter().any(|address| is_of(it, address)))
    {
        Some(more) => Err(format!("refused: {more:?}")),
        None => Ok(!told.is_empty()),
    }
}

fn fate(change: &Change) -> Option<Fate> {
    Some(match change.action {
        Action::NoOp => return None,
        Action::Create => Fate::Create,
        Action::Update => Fate::Update,
        Action::DeleteThenCreate => Fate::Replace(true),
        Action::CreateThenDelete => Fate::Replace(false),
        Action::Delete => Fate::Delete,
        Action::Forget => Fate::Forget,
        Action::Read => unreachable!("no data source is drawn"),
    })
}

/// The rows of the plan: what is done with which resource, and what differs.
fn rows(plan: &Plan, expected: &Expected) -> Result<(), String> {
    let loose = |fate: Fate| match fate {
        Fate::Replace(_) if expected.is_tangled => Fate::Replace(false),
        fate => fate,
    };
    let changes = plan.changes.iter();
    let found: BTreeMap<String, Fate> = changes
        .filter_map(|change| Some((change.address.clone(), loose(fate(change)?))))
        .collect();
    let fates = expected
        .fates
        .iter()
        .filter(|(_, fate)| **fate != Fate::Stays);
    let fates = fates.map(|(address, fate)| (address.clone(), loose(*fate)));
    same("rows", &found, &fates.collect())?;
    let changes = plan.changes.iter();
    let moved = changes.filter_map(|it| Some((it.address.clone(), it.moved_from.clone()?)));
    same("moved", &moved.collect(), &expected.moved)?;
    let changes = plan
        .changes
        .iter()
        .filter(|change| change.importing.is_some());
    same(
        "imported",
        &changes.map(|it| it.address.clone()).collect(),
        &expected.imported,
    )?;
    let is_counted = |wanted: fn(Fate) -> bool| {
        expected
            .fates
            .values()
            .filter(|fate| wanted(**fate))
            .count()
    };
    let summary = plan.summary();
    let counts = [
        summary.create,
        summary.update,
        summary.replace,
        summary.delete,
    ];
    let wanted = [
        is_counted(|fate| fate == Fate::Create),
        is_counted(|fate| fate == Fate::Update),
        is_counted(|fate| matches!(fate, Fate::Replace(_))),
        is_counted(|fate| fate == Fate::Delete),
    ];
    same("counts", &counts, &wanted)?;
    let none = BTreeMap::new();
    for change in &plan.changes {
        let rows = change.differences.iter().map(|row| {
            let by = match row.by {
                ChangedBy::File => "file",
                ChangedBy::Outside => "outside",
                ChangedBy::Both => "both",
            };
            (row.path.to_string(), (by, row.replaces))
        });
        let wanted = expected.differences.get(&change.address).unwrap_or(&none);
        let wanted = wanted.iter().map(|(path, row)| ((*path).to_owned(), *row));
        let (rows, wanted): (BTreeMap<_, _>, BTreeMap<_, _>) = (rows.collect(), wanted.collect());
        same(
            &format!("differences of {}", change.address),
            &rows,
            &wanted,
        )?;
    }
    Ok(())
}

/// The steps by what they do, with their numbers.
fn steps_of(plan: &Plan) -> Vec<(Node, (usize, &'static str))> {
    let node = |step: &Step| {
        let address = step.address.clone();
        let object = |deposed: &Option<String>| match deposed.as_deref() {
            // A leftover of an earlier run; any other was replaced in this one.
            Some(KEY) => deposed_address(&address, KEY),
            _ => address.clone(),
        };
        match &step.op {
            Op::Move { .. } => (Node::Move(address), "move"),
            Op::Import { .. } => (Node::Import(address), "import"),
            Op::Depose { .. } => (Node::Depose(address), "depose"),
            Op::Create { .. } => (Node::Write(address), "create"),
            Op::Update { .. } => (Node::Write(address), "update"),
            Op::Delete { deposed } => (Node::Remove(object(deposed)), "delete"),
            Op::Forget { deposed } => (Node::Remove(object(deposed)), "forget"),
            Op::UpdateState { .. } => (Node::Adopt(address), "adopt"),
            Op::Read { .. } => unreachable!("no data source is drawn"),
        }
    };
    let steps = plan.steps.iter().enumerate();
    steps
        .map(|(id, step)| (node(step), id))
        .map(|((node, word), id)| (node, (id, word)))
        .collect()
}

/// What creates and updates are given.
fn given(plan: &Plan, expected: &Expected) -> Result<(), String> {
    let mut drawn = BTreeSet::new();
    for step in &plan.steps {
        // What names a create at its service, and a generation in the state, is its own.
        if let Op::Create { operation: key, .. } | Op::Depose { key } = &step.op
            && !drawn.insert(key)
        {
            return Err(format!("{key} is there twice"));
        }
        if let Op::Import { inputs, .. } = &step.op {
            let wanted = nest(&expected.taken_in[&step.address]);
            same(
                &format!("what is known of {}", step.address),
                &inputs.value,
                &wanted,
            )?;
        }
        let (Op::Create { inputs, .. } | Op::Update { inputs, .. }) = &step.op else {
            continue;
        };
        let (known, unknown) = &expected.given[&step.address];
        let wanted = known_part(inputs, &nest(known));
        same(
            &format!("what {} is given", step.address),
            &wanted,
            &nest(known),
        )?;
        // Of a policy the part that refers is not known, and not the whole.
        let paths = inputs.unknown.keys().map(|path| path.to_string());
        let paths = paths.map(|path| match path.strip_prefix("policy.") {
            Some(_) => "policy".to_owned(),
            None => path,
        });
        let unknown = unknown.iter().map(|path| (*path).to_owned());
        same(
            &format!("unknown of {}", step.address),
            &paths.collect(),
            &unknown.collect::<BTreeSet<_>>(),
        )?;
        if let Op::Update { changed, .. } = &step.op {
            let rows = &expected.differences[&step.address];
            let paths = rows.keys().map(|path| Path::dotted(path));
            same(
                &format!("changed of {}", step.address),
                changed,
                &paths.collect(),
            )?;
        }
    }
    Ok(())
}

/// The inputs without the policy document where that is not known as a whole.
fn known_part(inputs: &Data, known: &Value) -> Value {
    let mut value = inputs.value.clone();
    if known.get("policy").is_none()
        && let Some(map) = value.as_object_mut()
    {
        map.remove("policy");
    }
    for path in inputs.unknown.keys() {
        path.remove(&mut value);
    }
    value
}

/// Each step waits for all that it must wait for, and directly for nothing else.
fn order(
    plan: &Plan,
    steps: &BTreeMap<Node, (usize, &str)>,
    expected: &Expected,
) -> Result<(), String> {
    let nodes: BTreeMap<usize, &Node> = steps.iter().map(|(node, (id, _))| (*id, node)).collect();
    let mut before: Vec<BTreeSet<usize>> =
        plan.steps.iter().map(|step| step.after.clone()).collect();
    for _ in 0..before.len() {
        for id in 0..before.len() {
            let more: BTreeSet<usize> = before[id]
                .iter()
                .flat_map(|at| before[*at].clone())
                .collect();
            before[id].extend(more);
        }
    }
    for (later, earlier) in &expected.waits {
        if !before[steps[later].0].contains(&steps[earlier].0) {
            return Err(format!("{later:?} does not wait for {earlier:?}"));
        }
    }
    for (id, step) in plan.steps.iter().enumerate() {
        for at in &step.after {
            let wait = (nodes[&id].clone(), nodes[at].clone());
            if !expected.waits.contains(&wait) {
                return Err(format!("{:?} waits for {:?}, and need not", wait.0, wait.1));
            }
        }
    }
    Ok(())
}
