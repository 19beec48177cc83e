//! The only calls before a plan: who we are, the live resources, the data sources. They run
//! concurrently, up to a limit.

use super::plan::planned::{Need, Options, Planned, Request};
use super::plan::rewrite;
use super::plan::rewrites::ImportNeed;
use super::plan::values::ReadFile;
use super::plan::{Action, Change};
use super::world::ReadFailure;
use super::world::{DataRead, ImportRead, Observed, World};
use crate::data::Attributes;
use crate::engine::address::block;
use crate::lang::stack::Stack;
use crate::resource::aws::Identity;
use crate::resource::context::Cx;
use crate::resource::error::Error;
use crate::resource::types::Types;
use crate::resource::{Read, ResourceType, Seen};
use crate::store::state::ResourceState;
use futures_util::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// What is observed, and for which plan.
pub struct Observe<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// The types.
    pub types: &'a Types,
    /// The planner's options.
    pub options: &'a Options,
    /// The clients.
    pub cx: &'a Cx,
    /// Whether to read the live resources (`--refresh=false` does not).
    pub refresh: bool,
    /// Only these addresses of the state; none: all.
    pub only: Option<&'a BTreeSet<String>>,
    /// The accounts that may be worked in; empty: any.
    pub allowed: &'a [String],
    /// Reads files for `file()`.
    pub read_file: ReadFile<'a>,
}

/// How many reads are in progress at once. Each call that a service throttles holds five of the
/// SDK's 500 tokens until it succeeds, and each connection a file descriptor, of which macOS gives
/// a process 256.
pub const AT_ONCE: usize = 48;

/// How long a read is repeated whose service goes on asking to slow down: the SDK gives up when its
/// tokens are spent, and each repeat that was in vain has spent some.
const SLOWED: Duration = Duration::from_secs(180);

fn slowed(error: &Error) -> Option<&'static str> {
    error
        .is_throttle()
        .then_some("the service asks to slow down")
}

/// What is read to know whose account it is.
pub const CREDENTIALS: &str = "the credentials";

/// Reads what the plan needs and computes it; `first` is the plan computed without any read. More
/// than one round is needed only when a data source's arguments come from another data source or
/// from a resource.
///
/// # Errors
/// All reads that failed; an empty list where the account is not allowed.
pub async fn observe_and_plan(
    observe: &Observe<'_>,
    mut world: World,
    first: Planned,
) -> Result<(World, Planned), Vec<ReadFailure>> {
    let make = |world: &World| {
        rewrite::plan(&Request {
            stack: observe.stack,
            types: observe.types,
            world,
            options: observe.options,
            read_file: observe.read_file,
        })
    };
    let round = Round {
        needs: if observe.options.destroy {
            &[]
        } else {
            &first.needs
        },
        imports: &first.imports,
        doomed: &doomed(observe.types, &first, &world),
        first: true,
    };
    read(observe, &mut world, &round).await?;
    let mut rounds = first.rounds;
    loop {
        let mut planned = make(&world);
        planned.rounds.after_reads(&rounds);
        let doomed = if observe.refresh {
            doomed(observe.types, &planned, &world)
        } else {
            BTreeSet::new()
        };
        if planned.needs.is_empty() && planned.imports.is_empty() && doomed.is_empty() {
            return Ok((world, planned));
        }
        let round = Round {
            needs: &planned.needs,
            imports: &planned.imports,
            doomed: &doomed,
            first: false,
        };
        read(observe, &mut world, &round).await?;
        rounds = planned.rounds;
    }
}

/// Reads what the state knows, for no plan.
///
/// # Errors
/// All reads that failed.
pub async fn read_live(observe: &Observe<'_>, mut world: World) -> Result<World, Vec<ReadFailure>> {
    let round = Round {
        needs: &[],
        imports: &[],
        doomed: &BTreeSet::new(),
        first: true,
    };
    read(observe, &mut world, &round).await?;
    Ok(world)
}

/// What one round of reads is for.
struct Round<'a> {
    needs: &'a [Need],
    imports: &'a [ImportNeed],
    /// The resources that are to be deleted and of which it takes a call to count what they
    /// hold.
    doomed: &'a BTreeSet<String>,
    /// Whether everything is read.
    first: bool,
}

/// The resources that the plan deletes or replaces and whose contents are still to be counted.
fn doomed(types: &Types, planned: &Planned, world: &World) -> BTreeSet<String> {
    let rows = planned.plan.changes.iter();
    let goes = rows.filter(|row| row.action == Action::Delete || row.action.is_replace());
    let old = |row: &Change| {
        row.moved_from
            .clone()
            .unwrap_or_else(|| row.address.clone())
    };
    goes.map(old)
        .filter(|address| {
            let known = world.state.resources.get(address);
            let kind = known.and_then(|known| types.resource(&known.type_name));
            let gone = matches!(world.live.get(address), Some(Observed::NotFound));
            kind.is_some_and(ResourceType::counting_needs_call)
                && !gone
                && !world.contents.contains_key(address)
        })
        .collect()
}

/// Resources of one type that are read together, by address.
struct Group {
    kind: &'static dyn ResourceType,
    asked: Vec<(String, Read)>,
}

/// What one read returned.
enum Observation {
    Identity(Result<Identity, Error>),
    Resources(BTreeMap<String, Result<Seen, Error>>),
    Data(Need, Result<Attributes, Error>),
    Import(ImportNeed, Result<Option<Attributes>, Error>),
}

/// The live resources to read, in the order of their addresses: each alone, but those of a type
/// that reads many at once, which are read with the first of them. And what cannot be read.
fn groups(
    observe: &Observe<'_>,
    world: &World,
    round: &Round<'_>,
) -> (Vec<Group>, Vec<ReadFailure>) {
    let (seal, mut failures) = (world.seal(), Vec::new());
    let (mut groups, mut open) = (Vec::<Group>::new(), BTreeMap::<&str, usize>::new());
    for (address, known) in &world.state.resources {
        let is_asked = observe.only.is_none_or(|only| only.contains(address));
        let counts = round.doomed.contains(address);
        let is_due = is_asked && (round.first || counts);
        if !(observe.refresh && is_due && observe.types.is_remote(&known.type_name)) {
            continue;
        }
        let Some(kind) = observe.types.resource(&known.type_name) else {
            failures.push((address.clone(), unknown_type(&known.type_name)));
            continue;
        };
        let opened = seal.opened_resource(known);
        let attributes = opened.outputs.with(&opened.inputs);
        let wanted = wanted(observe.stack, address, &opened);
        let mut read = Read::new(&opened.id, attributes).of(wanted);
        read.counts = counts;
        let asked = (address.clone(), read);
        let place = open.get(known.type_name.as_str());
        match place.and_then(|place| groups.get_mut(*place)) {
            Some(group) if group.asked.len() < kind.reads_at_once() => group.asked.push(asked),
            _ => {
                open.insert(&known.type_name, groups.len());
                groups.push(Group {
                    kind,
                    asked: vec![asked],
                });
            }
        }
    }
    (groups, failures)
}

fn unknown_type(name: &str) -> Error {
    Error::with_hint(
        format!("the state has the type {name}, which this version does not know"),
        "Use the version of stackctl that made it.",
    )
}

async fn read(
    observe: &Observe<'_>,
    world: &mut World,
    round: &Round<'_>,
) -> Result<(), Vec<ReadFailure>> {
    // In the order in which they start: the identity first.
    let mut reads: Vec<futures_util::future::BoxFuture<'_, Observation>> = Vec::new();
    if round.first && !observe.cx.aws.is_offline() {
        world.region = Some(observe.cx.aws.region().to_owned());
        reads.push(Box::pin(async {
            let cx = read_context(observe.cx, CREDENTIALS);
            Observation::Identity(cx.reporting_waits(cx.aws.identity()).await.cloned())
        }));
    }
    let (groups, mut failures) = groups(observe, world, round);
    for group in groups {
        reads.push(Box::pin(read_group(observe.cx, group)));
    }
    for need in round.imports {
        reads.push(Box::pin(read_import(observe, need.clone())));
    }
    for need in round.needs {
        reads.push(Box::pin(async move {
            let found = match observe.types.data_source(&need.type_name) {
                Some(kind) => {
                    let mut cx = read_context(observe.cx, &format!("data.{}", need.name));
                    cx.is_secret = need.is_secret;
                    let read = || kind.read(&cx, need.args.clone());
                    cx.reporting_waits(cx.retry(SLOWED, slowed, read)).await
                }
                None => Err(Error::failed(format!(
                    "{} is no data source",
                    need.type_name
                ))),
            };
            Observation::Data(need.clone(), found)
        }));
    }
    let mut reads = futures_util::stream::iter(reads).buffer_unordered(AT_ONCE);
    let mut denied: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    while let Some(seen) = reads.next().await {
        match seen {
            Observation::Identity(Ok(found)) => {
                // Nothing more is read in an account that is none of ours.
                if !observe.allowed.is_empty() && !observe.allowed.contains(&found.account) {
                    return Err(Vec::new());
                }
                world.identity = Some(found);
            }
            Observation::Identity(Err(error)) => failures.push((CREDENTIALS.to_owned(), error)),
            Observation::Resources(found) => {
                for (address, found) in found {
                    match found {
                        Ok(seen) => {
                            for what in seen.denied {
                                denied.entry(what).or_default().insert(address.clone());
                            }
                            let held = seen.held.map(|held| (address.clone(), held));
                            world.contents.extend(held);
                            let live = seen.live.map_or(Observed::NotFound, Observed::Present);
                            world.live.insert(address, live);
                        }
                        Err(error) => failures.push((address, error)),
                    }
                }
            }
            Observation::Data(need, Ok(outputs)) => {
                // An apply writes it; until then the plan reads what it will be.
                let kind = observe.types.data_source(&need.type_name);
                let mut cx = observe.cx.clone();
                cx.is_secret = need.is_secret;
                let written = kind.and_then(|it| it.written(&cx, &need.args, &outputs));
                if let Some(file) = written {
                    observe.read_file.stand_in(&file.path, &file.content);
                }
                world.data.insert(
                    need.name,
                    DataRead {
                        args: need.args,
                        is_secret: need.is_secret,
                        outputs,
                    },
                );
            }
            Observation::Import(need, Ok(found)) => {
                let read = ImportRead {
                    id: need.id,
                    attributes: found,
                };
                world.imports.insert(need.address, read);
            }
            Observation::Import(need, Err(error)) => failures.push((need.address, error)),
            Observation::Data(need, Err(error)) => {
                failures.push((format!("data.{}", need.name), error));
            }
        }
    }
    for ((property, action), addresses) in denied {
        observe.cx.waiting(&not_read(property, action, &addresses));
    }
    failures.sort_by(|a, b| a.0.cmp(&b.0));
    failures.dedup_by(|a, b| a.1.to_string() == b.1.to_string());
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures)
    }
}

/// The warning of what could not be read, once for all that lack it.
fn not_read(property: &str, action: &str, addresses: &BTreeSet<String>) -> String {
    let of = listed(addresses.iter());
    format!(
        "warning: the {property} of {of} cannot be read, and count as last applied: AWS denies \
         {action}. Allow it for the identity in use to see changes made outside stackctl."
    )
}

/// These addresses, or the first of many.
fn listed<'a>(addresses: impl Iterator<Item = &'a String>) -> String {
    let all: Vec<&str> = addresses.map(String::as_str).collect();
    match &all[..] {
        [first, second, third, rest @ ..] if rest.len() > 1 => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        all => all.join(", "),
    }
}

/// The context of one read: its wait messages are prefixed with what is read.
fn read_context(cx: &Cx, what: &str) -> Cx {
    let (notify, what) = (Arc::clone(&cx.notify), what.to_owned());
    let mut cx = cx.clone();
    cx.notify = Arc::new(move |reason| notify(&format!("reading {what}: {reason}")));
    cx
}

/// Reads a group. Those whose service asks to slow down are read again, without the others.
async fn read_group(cx: &Cx, group: Group) -> Observation {
    let Group { kind, asked } = group;
    let cx = read_context(cx, &listed(asked.iter().map(|(address, _)| address)));
    let progress = Mutex::new((asked, BTreeMap::new()));
    let attempt = || async {
        let mut progress = progress.lock().await;
        let (left, seen) = &mut *progress;
        let (addresses, reads): (Vec<_>, Vec<_>) = std::mem::take(left).into_iter().unzip();
        let mut results = kind.read_many(&cx, &reads).await.into_iter();
        let mut ended = Ok(());
        for (address, read) in addresses.into_iter().zip(reads) {
            let none = || Err(Error::failed(format!("{} returned no result", kind.name())));
            let result = results.next().unwrap_or_else(none);
            if let Some(error) = result.as_ref().err().filter(|error| error.is_throttle()) {
                ended = Err(error.clone());
                left.push((address.clone(), read));
            }
            seen.insert(address, result);
        }
        ended
    };
    // What the service still delays at the end has its error among the results.
    cx.reporting_waits(cx.retry(SLOWED, slowed, attempt))
        .await
        .ok();
    Observation::Resources(progress.into_inner().1)
}

async fn read_import(observe: &Observe<'_>, need: ImportNeed) -> Observation {
    let Some(kind) = observe.types.resource(&need.type_name) else {
        let message = format!("{} is no type that this version knows", need.type_name);
        return Observation::Import(need, Err(Error::failed(message)));
    };
    let wanted = wanted(observe.stack, &need.address, &ResourceState::default());
    let read = Read::new(&need.id, need.attributes.clone()).of(wanted);
    let attempt = || kind.read(observe.cx, &read);
    let found = observe.cx.retry(SLOWED, slowed, attempt).await;
    Observation::Import(need, found.map(|seen| seen.live))
}

/// The properties that the file or the state gives a value.
fn wanted(stack: &Stack, address: &str, known: &ResourceState) -> BTreeSet<String> {
    let block = stack.resources.get(block(address));
    let in_file = block.and_then(|block| block.properties.as_object());
    let applied = known.inputs.as_object();
    let mut wanted: BTreeSet<String> = in_file
        .into_iter()
        .chain(applied)
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    if stack.aws.get("defaultTags").is_some() {
        wanted.insert("tags".to_owned());
    }
    wanted
}
