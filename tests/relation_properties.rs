//! What lives on what, at random: roles and buckets of a few names, under changing blocks, and
//! policies on them by references and by values. Every plan is sound, and in the end nothing is
//! lost, whatever order its steps are run in and wherever a run dies.

use crate::support::fake::Fake;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};
use stackctl::engine::plan::planned::{Options, Planned, Request};
use stackctl::engine::plan::rewrite;
use stackctl::engine::plan::verify;
use stackctl::engine::world::World;
use stackctl::lang::stack::Stack;
use stackctl::lang::{check, load};
use stackctl::resource::table::native;
use stackctl::store::state::State;
use std::collections::BTreeSet;
use std::path::PathBuf;

const CASES: u32 = 300;
/// The first of them others live on; roles and buckets take turns, and so do policies on them.
const BLOCKS: usize = 8;
const PARENTS: usize = 4;

#[derive(Debug, Clone)]
struct Block {
    /// The name from a few, of one that others live on.
    name: u8,
    /// What cannot be changed in place.
    fixed: bool,
    /// Which of the blocks it lives on, where it lives on one.
    on: u8,
    by_value: bool,
    text: u8,
}

#[derive(Debug, Clone)]
struct Version {
    blocks: Vec<Option<Block>>,
    dies: Option<usize>,
    picks: Vec<Index>,
    lost: Option<Index>,
}

fn block() -> impl Strategy<Value = Block> {
    let on = (0..PARENTS as u8 / 2, any::<bool>(), 0..2_u8);
    (0..2_u8, any::<bool>(), on).prop_map(|(name, fixed, on)| Block {
        name,
        fixed,
        on: on.0,
        by_value: on.1,
        text: on.2,
    })
}

fn version() -> impl Strategy<Value = Version> {
    (
        prop::collection::vec(prop::option::weighted(0.9, block()), BLOCKS),
        prop::option::of(0..8_usize),
        prop::collection::vec(any::<Index>(), 8),
        prop::option::weighted(0.2, any::<Index>()),
    )
        .prop_map(|(blocks, dies, picks, lost)| Version {
            blocks,
            dies,
            picks,
            lost,
        })
}

fn policy(text: u8) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": format!("S{text}"), "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
    }]})
}

impl Version {
    fn stack(&self) -> Stack {
        let mut resources = Map::new();
        let mut taken = BTreeSet::new();
        for (at, block) in self.blocks.iter().enumerate() {
            let Some(block) = block.as_ref().filter(|_| at < PARENTS) else {
                continue;
            };
            let (is_bucket, name) = (at % 2 == 1, block.name);
            if !taken.insert((is_bucket, name)) {
                continue;
            }
            let block = if is_bucket {
                json!({"type": "aws:s3:Bucket", "properties": {
                    "bucket": format!("name-{name}"), "objectLockEnabled": block.fixed,
                }})
            } else {
                json!({"type": "aws:iam:Role", "properties": {
                    "name": format!("name-{name}"),
                    "path": if block.fixed { "/fixed/" } else { "/" },
                    "assumeRolePolicy": {"Version": "2012-10-17", "Statement": [{
                        "Effect": "Allow", "Action": "sts:AssumeRole",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                    }]},
                }})
            };
            resources.insert(format!("b{at}"), block);
        }
        let mut more = Map::new();
        for (at, block) in self.blocks.iter().enumerate() {
            let Some(block) = block.as_ref().filter(|_| at >= PARENTS) else {
                continue;
            };
            let on = format!("b{}", usize::from(block.on) * 2 + at % 2);
            let Some(parent) = resources.get(&on) else {
                continue;
            };
            let is_bucket = parent["type"] == "aws:s3:Bucket";
            let output = if is_bucket { "bucket" } else { "name" };
            if is_bucket && !taken.insert((true, 10 + block.on)) {
                continue;
            }
            let value = match block.by_value {
                true => parent["properties"][output].clone(),
                false => json!(format!("${{{on}.{output}}}")),
            };
            let block = if is_bucket {
                json!({"type": "aws:s3:BucketPolicy", "properties": {
                    "bucket": value, "policy": policy(block.text),
                }})
            } else {
                let mut document = policy(block.text);
                document["Statement"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("Principal");
                json!({"type": "aws:iam:RolePolicy", "properties": {
                    "name": format!("p{}", block.text), "role": value, "policy": document,
                }})
            };
            // Two of one name on one role would be one.
            let same = |other: &Value| {
                let key = |block: &Value| {
                    let on = &block["properties"]["role"];
                    let on = on.as_str().unwrap_or_default();
                    let value = on.strip_prefix("${").and_then(|on| on.split_once('.'));
                    let value = value.map(|(on, _)| &resources[on]["properties"]["name"]);
                    let on = value.and_then(Value::as_str).unwrap_or(on).to_owned();
                    (on, block["properties"]["name"].clone())
                };
                block["type"] == "aws:iam:RolePolicy"
                    && other["type"] == block["type"]
                    && key(other) == key(&block)
            };
            if !more.values().any(same) {
                more.insert(format!("b{at}"), block);
            }
        }
        resources.append(&mut more);
        let text = json!({"name": "s", "resources": resources}).to_string();
        let file = ("s.yaml".to_owned(), text.into_bytes());
        let loaded = load::load(file, None, PathBuf::from("stacks"), &load::Given::default());
        assert_eq!(loaded.diagnostics, Vec::new());
        assert_eq!(check::check(&loaded.stack, native()), Vec::new());
        loaded.stack
    }
}

fn plan(stack: &Stack, world: &World, destroy: bool) -> Result<Planned, TestCaseError> {
    let options = Options {
        destroy,
        ..Options::default()
    };
    let planned = rewrite::plan(&Request {
        types: native(),
        stack,
        world,
        options: &options,
        read_file: &|path: &str| Err(format!("{path}: no file here")),
    });
    prop_assert_eq!(&planned.diagnostics, &Vec::new());
    let faults = verify::faults(&planned.plan, world, native());
    prop_assert!(
        faults.is_empty(),
        "{}",
        told(&format!("{faults:?}"), &planned)
    );
    Ok(planned)
}

fn told(why: &str, planned: &Planned) -> String {
    let mut text = format!("{why}\n");
    for (id, step) in planned.plan.steps.iter().enumerate() {
        let op = format!("{:?}", step.op);
        let op = op.split("inputs").next().unwrap_or_default();
        text.push_str(&format!(
            "  {id} {op} {} after {:?}\n",
            step.address, step.after
        ));
    }
    text
}

fn world(fake: &Fake, state: &State, seed: u64) -> World {
    let mut world = World::new(state.clone());
    world.seed = seed;
    world.live = fake.live(state);
    world
}

fn converges(versions: &[Version]) -> Result<(), TestCaseError> {
    let mut fake = Fake::default();
    let mut state = State::empty("s", None, "lineage".to_owned());
    let last = versions.last().map(|last| Version {
        dies: None,
        lost: None,
        ..last.clone()
    });
    for (seed, version) in versions.iter().chain(&last).enumerate() {
        let ids: Vec<String> = fake.ids().into_iter().collect();
        if let Some(index) = version.lost.filter(|_| !ids.is_empty()) {
            fake.lose(index.get::<String>(&ids));
        }
        let stack = version.stack();
        let world = world(&fake, &state, seed as u64);
        let planned = plan(&stack, &world, false)?;
        let mut picks = version.picks.iter().cycle();
        let pick = |count| picks.next().map_or(0, |index| index.index(count));
        let limit = version.dies.unwrap_or(usize::MAX);
        let run = fake.apply((&stack, &planned, &world), limit, pick);
        state = run.map_err(|why| TestCaseError::fail(told(&why, &planned)))?;
    }
    let Some(last) = last else { return Ok(()) };
    let stack = last.stack();
    let after = world(&fake, &state, 98);
    let planned = plan(&stack, &after, false)?;
    let changes = &planned.plan.changes;
    prop_assert!(planned.plan.is_empty(), "not empty: {changes:#?}");
    let known: BTreeSet<String> = state.resources.values().map(|it| it.id.clone()).collect();
    prop_assert_eq!(fake.ids(), known);
    let planned = plan(&stack, &after, true)?;
    let run = fake.apply((&stack, &planned, &after), usize::MAX, |_| 0);
    state = run.map_err(|why| TestCaseError::fail(told(&why, &planned)))?;
    prop_assert!(state.is_empty() && fake.ids().is_empty());
    Ok(())
}

#[test]
fn what_lives_on_what_is_never_lost() {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let versions = prop::collection::vec(version(), 1..5);
    if let Err(failure) = runner.run(&versions, |versions| converges(&versions)) {
        panic!("{failure}");
    }
}
