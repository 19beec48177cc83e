//! What holds for every plan: stacks and their changes are drawn at random, plans are cut
//! short, objects are lost and changed outside; in the end the stack converges.

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
use std::fmt::Write as _;
use std::path::PathBuf;

const CASES: u32 = 500;
const BLOCKS: usize = 6;

#[derive(Debug, Clone)]
struct Block {
    /// A text, a queue or a policy.
    kind: u8,
    size: u8,
    /// The fixed name, from a few.
    name: Option<u8>,
    delete_first: bool,
    /// Several instances.
    many: Option<BTreeSet<u8>>,
    /// References that cannot be changed, that can, and that only name.
    refers: Vec<(u8, u8)>,
}

/// A stack, and what happens once it is planned.
#[derive(Debug, Clone)]
struct Version {
    blocks: Vec<Option<Block>>,
    /// Whether references go from the first block to the last or back.
    backwards: bool,
    /// After how many steps the run dies.
    dies: Option<usize>,
    picks: Vec<Index>,
    lost: Option<Index>,
    drifted: Option<Index>,
}

fn block() -> impl Strategy<Value = Block> {
    (
        0..3_u8,
        0..3_u8,
        prop::option::of(0..3_u8),
        prop::bool::weighted(0.2),
        prop::option::weighted(0.2, prop::collection::btree_set(0..3_u8, 0..3)),
        prop::collection::vec((0..BLOCKS as u8, 0..3_u8), 0..4),
    )
        .prop_map(|(kind, size, name, delete_first, many, refers)| Block {
            kind,
            size,
            name,
            delete_first,
            many,
            refers,
        })
}

fn version() -> impl Strategy<Value = Version> {
    (
        prop::collection::vec(prop::option::weighted(0.8, block()), BLOCKS),
        any::<bool>(),
        prop::option::of(0..12_usize),
        prop::collection::vec(any::<Index>(), 8),
        prop::option::weighted(0.3, any::<Index>()),
        prop::option::weighted(0.3, any::<Index>()),
    )
        .prop_map(|(blocks, backwards, dies, picks, lost, drifted)| Version {
            blocks,
            backwards,
            dies,
            picks,
            lost,
            drifted,
        })
}

impl Version {
    fn document(&self) -> Value {
        let mut taken = BTreeSet::new();
        let mut resources = Map::new();
        for (at, block) in self.blocks.iter().enumerate() {
            let Some(block) = block else { continue };
            let name = block.name.filter(|_| block.many.is_none());
            let name = name.filter(|name| taken.insert((block.kind, *name)));
            let mut texts = [const { Vec::new() }; 3];
            for (to, how) in &block.refers {
                let to = *to as usize;
                let along = if self.backwards { to > at } else { to < at };
                if along && let Some(other) = &self.blocks[to] {
                    let output = ["id", "arn", "arn"][other.kind as usize];
                    texts[*how as usize].push(match other.many {
                        Some(_) => format!("${{join(\":\", b{to}[*].{output})}}"),
                        None => format!("${{b{to}.{output}}}"),
                    });
                }
            }
            resources.insert(
                format!("b{at}"),
                block.document(name, &texts.map(|texts| texts.join(" "))),
            );
        }
        json!({"name": "s", "resources": resources, "outputs": {}})
    }

    fn stack(&self) -> Stack {
        let text = self.document().to_string().into_bytes();
        let file = ("s.yaml".to_owned(), text);
        let loaded = load::load(file, None, PathBuf::from("stacks"), &load::Given::default());
        assert_eq!(loaded.diagnostics, Vec::new());
        assert_eq!(check::check(&loaded.stack, native()), Vec::new());
        loaded.stack
    }
}

impl Block {
    fn document(&self, name: Option<u8>, [fixed, open, weak]: &[String; 3]) -> Value {
        let mut properties = match self.kind {
            0 => {
                json!({"length": 12 + self.size, "special": false, "keepers": {"fixed": fixed, "open": open}})
            }
            1 => json!({
                "delaySeconds": self.size,
                "tags": {"fixed": fixed, "open": open, "plain": "x"},
            }),
            _ => json!({
                "description": fixed,
                "tags": {"open": open, "plain": "x"},
                "policy": {"Version": "2012-10-17", "Statement": [{
                    "Sid": format!("S{}", self.size), "Effect": "Allow", "Action": "sqs:SendMessage",
                    "Resource": format!("arn:aws:sqs:*:*:{weak}"),
                }]},
            }),
        };
        if let Some(name) = name.filter(|_| self.kind > 0) {
            properties["name"] = json!(format!("name-{name}"));
        }
        let mut options = json!({"deleteBeforeReplace": self.delete_first});
        if let Some(keys) = &self.many {
            let keys: Vec<String> = keys.iter().map(|key| format!("k{key}")).collect();
            options["forEach"] = json!(keys);
        }
        let types = ["random:RandomString", "aws:sqs:Queue", "aws:iam:Policy"];
        json!({"type": types[self.kind as usize], "properties": properties, "options": options})
    }
}

/// Plans, and looks whether what must hold of every plan holds of this one.
fn plan(stack: &Stack, world: &World, destroy: bool) -> Result<Planned, TestCaseError> {
    let options = Options {
        destroy,
        ..Options::default()
    };
    let request = Request {
        types: native(),
        stack,
        world,
        options: &options,
        read_file: &|path: &str| Err(format!("{path}: no file here")),
    };
    let planned = rewrite::plan(&request);
    prop_assert_eq!(&planned.diagnostics, &Vec::new());
    let faults = verify::faults(&planned.plan, world, native());
    if !faults.is_empty() {
        return Err(refused(&format!("{faults:?}"), &planned, stack, world));
    }
    prop_assert_eq!(&rewrite::plan(&request).plan, &planned.plan);
    Ok(planned)
}

fn world(fake: &Fake, state: &State, seed: u64) -> World {
    let mut world = World::new(state.clone());
    world.seed = seed;
    world.live = fake.live(state);
    world
}

/// Runs the versions one after the other, then the last one to its end, then its destroy.
fn converges(versions: &[Version]) -> Result<(), TestCaseError> {
    let mut fake = Fake::default();
    let mut state = State::empty("s", None, "lineage".to_owned());
    let last = versions.last().map(|last| Version {
        dies: None,
        lost: None,
        drifted: None,
        ..last.clone()
    });
    for (seed, version) in versions.iter().chain(&last).enumerate() {
        let ids: Vec<String> = fake.ids().into_iter().collect();
        if let Some(index) = version.lost.filter(|_| !ids.is_empty()) {
            fake.lose(index.get::<String>(&ids));
        }
        if let Some(index) = version.drifted.filter(|_| !ids.is_empty()) {
            fake.drift(index.get::<String>(&ids));
        }
        let stack = version.stack();
        let world = world(&fake, &state, seed as u64);
        let planned = plan(&stack, &world, false)?;
        let mut picks = version.picks.iter().cycle();
        let pick = |count| picks.next().map_or(0, |index| index.index(count));
        let limit = version.dies.unwrap_or(usize::MAX);
        let run = fake.apply((&stack, &planned, &world), limit, pick);
        state = run.map_err(|why| refused(&why, &planned, &stack, &world))?;
    }
    let Some(last) = last else { return Ok(()) };
    let stack = last.stack();
    let after = world(&fake, &state, 98);
    let planned = plan(&stack, &after, false)?;
    prop_assert!(
        planned.plan.is_empty(),
        "not empty: {:#?}",
        planned.plan.changes
    );
    prop_assert!(
        planned.plan.steps.is_empty(),
        "steps: {:#?}",
        planned.plan.steps
    );
    let known: BTreeSet<String> = state
        .resources
        .values()
        .map(|known| known.id.clone())
        .collect();
    prop_assert_eq!(fake.ids(), known);
    let planned = plan(&stack, &after, true)?;
    let run = fake.apply((&stack, &planned, &after), usize::MAX, |_| 0);
    state = run.map_err(|why| refused(&why, &planned, &stack, &after))?;
    prop_assert!(state.is_empty() && fake.ids().is_empty());
    Ok(())
}

/// What a person needs to see of a plan that failed.
fn refused(why: &str, planned: &Planned, stack: &Stack, world: &World) -> TestCaseError {
    let mut text = format!("{why}\nfile:\n");
    for (name, block) in &stack.resources {
        let first = block.options.delete_before_replace;
        let _ = writeln!(
            text,
            "  {name}: {} {} first={first}",
            block.type_name, block.properties
        );
    }
    text.push_str("state:\n");
    for (address, known) in &world.state.resources {
        let _ = writeln!(
            text,
            "  {address} {} {} uses {:?}",
            known.id, *known.inputs, known.dependencies
        );
    }
    for (address, generations) in &world.state.deposed {
        for known in generations.values() {
            let _ = writeln!(
                text,
                "  deposed {address} {} {} uses {:?}",
                known.id, *known.inputs, known.dependencies
            );
        }
    }
    text.push_str("steps:\n");
    for (id, step) in planned.plan.steps.iter().enumerate() {
        let op = format!("{:?}", step.op);
        let op = op.split("inputs").next().unwrap_or_default();
        let _ = writeln!(text, "  {id} {op} {} after {:?}", step.address, step.after);
    }
    TestCaseError::fail(text)
}

#[test]
fn every_plan_is_sound_and_converges() {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    // The same stacks every time, so that a failure can be run again; a seed of one's own
    // draws others.
    let rng = match std::env::var_os("STACKCTL_SEED") {
        Some(seed) => {
            TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes(&seed.to_string_lossy()))
        }
        None => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let versions = prop::collection::vec(version(), 1..4);
    let outcome = runner.run(&versions, |versions| converges(&versions));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn seed_bytes(seed: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (at, byte) in seed.bytes().take(32).enumerate() {
        bytes[at] = byte;
    }
    bytes
}
