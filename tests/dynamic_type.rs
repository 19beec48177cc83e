//! A type that is known by its name and a JSON Schema alone, made at run time: it goes through the
//! whole engine as one of the program's own does.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use stackctl::content::Disk;
use stackctl::data::{self, Attributes, Inputs};
use stackctl::engine::after::drift;
use stackctl::engine::apply::{self, Run};
use stackctl::engine::observe::{Observe, observe_and_plan};
use stackctl::engine::plan::planned::{Options, Planned, Request};
use stackctl::engine::plan::rounds::Again;
use stackctl::engine::plan::{rewrite, verify};
use stackctl::engine::world::{ReadFailure, World};
use stackctl::lang::stack::Stack;
use stackctl::lang::{check, load};
use stackctl::report;
use stackctl::report::text::Style;
use stackctl::resource::aws::Aws;
use stackctl::resource::context::Cx;
use stackctl::resource::error::{CallError, Effect, Error};
use stackctl::resource::table::native;
use stackctl::resource::types::Types;
use stackctl::resource::{Applied, Home, Known, Read, ResourceType, Seen};
use stackctl::schema::Schema;
use stackctl::secrets::Secrets;
use stackctl::store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// What the provider has: attributes by id.
type Provider = Arc<Mutex<BTreeMap<String, Attributes>>>;

struct Dynamic {
    schema: &'static Schema,
    provider: Provider,
    at_once: usize,
    calls: Calls,
}

/// The names of what each read was for.
type Calls = Arc<Mutex<Vec<Vec<String>>>>;

impl Dynamic {
    fn made(&self, id: &str, inputs: &Inputs) -> Applied {
        let outputs = Attributes::new(json!({"id": id, "arn": format!("arn:{id}")}));
        let live = Attributes::of(inputs, &outputs);
        self.provider.lock().unwrap().insert(id.to_owned(), live);
        Applied {
            id: id.to_owned(),
            outputs,
        }
    }

    /// The code that the provider refuses to read this with.
    fn refusal(&self, id: &str) -> Option<String> {
        let code = self.provider.lock().unwrap().get(id)?["code"]
            .as_str()?
            .to_owned();
        Some(code)
    }

    /// What a read returns; one that was asked to slow down is told the next time.
    fn seen(&self, read: &Read) -> Result<Seen, Error> {
        if let Some(code) = self.refusal(&read.id) {
            if code == "SlowDown" {
                let mut provider = self.provider.lock().unwrap();
                provider.get_mut(&read.id).unwrap()["code"].take();
            }
            return Err(Error::Call(Box::new(CallError {
                call: "test:Read",
                code,
                message: read.id.clone(),
                request_id: None,
                bucket_region: None,
                status: Some(400),
                effect: Effect::None,
            })));
        }
        Ok(Seen {
            live: self.provider.lock().unwrap().get(&read.id).cloned(),
            ..Seen::default()
        })
    }
}

impl ResourceType for Dynamic {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    fn home(&self) -> Home {
        Home::Provider("test")
    }

    fn create<'a>(
        &self,
        _cx: &'a Cx,
        inputs: Inputs,
        _decided: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Applied, Error>> {
        let count = self.provider.lock().unwrap().len();
        let id = format!("{}-{count}", inputs["name"].as_str().unwrap());
        let made = self.made(&id, &inputs);
        async move { Ok(made) }.boxed()
    }

    fn read<'a>(&self, _cx: &'a Cx, read: &'a Read) -> BoxFuture<'a, Result<Seen, Error>> {
        let seen = self.seen(read);
        async move { seen }.boxed()
    }

    fn reads_at_once(&self) -> usize {
        self.at_once
    }

    fn read_many<'a>(
        &self,
        _cx: &'a Cx,
        reads: &'a [Read],
    ) -> BoxFuture<'a, Vec<Result<Seen, Error>>> {
        let name = |read: &Read| read.attributes["name"].as_str().unwrap().to_owned();
        let names = reads.iter().map(name).collect();
        self.calls.lock().unwrap().push(names);
        let is_told = |read: &&Read| self.refusal(&read.id).is_none_or(|code| code != "Cut");
        let told = reads.iter().take_while(is_told);
        let seen: Vec<_> = told.map(|read| self.seen(read)).collect();
        async move { seen }.boxed()
    }

    fn update<'a>(
        &self,
        _cx: &'a Cx,
        id: &'a str,
        _live: Attributes,
        new: Inputs,
        _changed: BTreeSet<data::Path>,
    ) -> BoxFuture<'a, Result<Applied, Error>> {
        let made = self.made(id, &new);
        async move { Ok(made) }.boxed()
    }

    fn delete<'a>(
        &self,
        _cx: &'a Cx,
        id: &'a str,
        _attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.provider.lock().unwrap().remove(id);
        async { Ok(()) }.boxed()
    }

    fn import_id(&self) -> &'static str {
        "its id"
    }

    fn find<'a>(
        &self,
        _cx: &'a Cx,
        _known: &'a Known,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        async { Ok(None) }.boxed()
    }
}

struct Bench {
    dir: tempfile::TempDir,
    types: Types,
    provider: Provider,
    calls: Calls,
    told: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    /// With a type of which so many are read at once.
    fn new(at_once: usize) -> Self {
        let calls = Calls::default();
        let provider = Provider::default();
        let mut types = native().clone();
        let properties = json!({
            "type": "object", "required": ["name"], "additionalProperties": false,
            "properties": {
                "name": {"type": "string"},
                "size": {"type": "integer", "maximum": 9},
                "zone": {"type": "string", "createOnly": true},
                "token": {"type": "string", "sensitive": true},
                "peer": {"type": "string"},
            },
        });
        let outputs = json!({"type": "object", "properties": {
            "id": {"type": "string"}, "arn": {"type": "string", "from": ["name"]},
        }});
        types.add(Dynamic {
            schema: Schema::at_run_time(
                "Test::Some::Thing".to_owned(),
                "A thing.".to_owned(),
                properties,
                outputs,
            ),
            provider: Arc::clone(&provider),
            at_once,
            calls: Arc::clone(&calls),
        });
        Self {
            dir: tempfile::tempdir().unwrap(),
            types,
            provider,
            calls,
            told: Arc::default(),
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The stack, and what is wrong with its names.
    fn stack(&self, resources: &Value) -> (Stack, Vec<String>) {
        let text = json!({"name": "s", "resources": resources}).to_string();
        let file = ("s.yaml".to_owned(), text.into_bytes());
        let given = load::Given::default();
        let loaded = load::load(file, None, self.path().to_owned(), &given);
        assert_eq!(loaded.diagnostics, Vec::new());
        let found = check::check(&loaded.stack, &self.types).into_iter();
        let line = |found: stackctl::lang::diagnostic::Diagnostic| {
            format!("{}; {}", found.message, found.help.unwrap_or_default())
        };
        (loaded.stack, found.map(line).collect())
    }

    /// Plans and, where asked to, applies: what the rows do, by address.
    async fn run(&self, resources: &Value, options: &Options) -> (Vec<String>, Planned) {
        let (stack, wrong) = self.stack(resources);
        assert_eq!(wrong, Vec::<String>::new());
        let (world, planned) = self.plan(&stack, options).await;
        let shown = report::text::plan(&planned.plan, &Style::default());
        assert!(!shown.contains("hunter2"), "{shown}");
        let rows = planned.plan.changes.iter();
        let rows = rows.map(|row| format!("{} {:?}", row.address, row.action));
        let rows = rows.collect();
        let store = self.store();
        let (_stop, interrupt) = watch::channel(0_u8);
        let run = Run {
            types: &self.types,
            stack: &stack,
            planned: &planned,
            world: &world,
            store: &store,
            cx: &Cx::new(Arc::new(Aws::offline())),
            parallelism: 4,
            read_file: &Disk::new(self.path()),
            secrets: Secrets::default(),
            interrupt,
        };
        let finished = apply::apply(run, &mut |_| {}).await.unwrap();
        assert!(finished.failed.is_empty(), "{:?}", finished.failed);
        (rows, planned)
    }

    fn store(&self) -> Store {
        Store::local(self.path().join("s.json"), &self.path().join("work"), true)
    }

    async fn world(&self) -> World {
        let mut world = World::new(self.store().open("s", None).await.unwrap().state);
        world.seed = 1;
        world
    }

    async fn plan(&self, stack: &Stack, options: &Options) -> (World, Planned) {
        let (world, planned) = self.observe(stack, options).await.unwrap();
        assert_eq!(planned.diagnostics, Vec::new());
        let faults = verify::faults(&planned.plan, &world, &self.types);
        assert_eq!(faults, Vec::<String>::new());
        (world, planned)
    }

    async fn observe(
        &self,
        stack: &Stack,
        options: &Options,
    ) -> Result<(World, Planned), Vec<ReadFailure>> {
        let (world, files) = (self.world().await, Disk::new(self.path()));
        let first = rewrite::plan(&Request {
            stack,
            types: &self.types,
            world: &world,
            options,
            read_file: &files,
        });
        let mut cx = Cx::new(Arc::new(Aws::offline()));
        let told = Arc::clone(&self.told);
        cx.notify = Arc::new(move |reason| told.lock().unwrap().push(reason.to_owned()));
        let observe = Observe {
            stack,
            types: &self.types,
            options,
            cx: &cx,
            refresh: true,
            only: None,
            allowed: &[],
            read_file: &files,
        };
        observe_and_plan(&observe, world, first).await
    }
}

fn thing(more: &Value) -> Value {
    let properties = Attributes::new(json!({"name": "n", "token": "hunter2"})).with(more);
    json!({"type": "Test::Some::Thing", "properties": properties})
}

#[tokio::test]
async fn a_type_made_at_run_time_goes_through_the_whole_engine() {
    let bench = Bench::new(1);
    let usual = Options::default();
    // What is checked: the names of types, properties and outputs, and values.
    let wrong = json!({
        "a": thing(&json!({"sise": 1})),
        "b": {"type": "Test::Some::Thin", "properties": {"name": "b"}},
        "c": thing(&json!({"peer": "${d.arm}"})),
        "d": thing(&json!({})),
    });
    assert_eq!(
        bench.stack(&wrong).1,
        [
            "\"sise\" is not a property of Test::Some::Thing; did you mean \"size\"?",
            "unknown resource type \"Test::Some::Thin\"; did you mean \"Test::Some::Thing\"?",
            "d (Test::Some::Thing) has no \"arm\"; did you mean \"arn\"?",
        ]
    );
    let (stack, _) = bench.stack(&json!({"a": thing(&json!({"size": 10}))}));
    let planned = rewrite::plan(&Request {
        stack: &stack,
        types: &bench.types,
        world: &bench.world().await,
        options: &usual,
        read_file: &Disk::new(bench.path()),
    });
    assert_eq!(planned.diagnostics.len(), 1, "{:?}", planned.diagnostics);

    // Created in order, with a value of one in the other; then nothing is left to do.
    let two = |size: u32, zone: &str| {
        json!({
            "a": thing(&json!({"size": size, "zone": zone})),
            "b": thing(&json!({"name": "b", "peer": "${a.arn}"})),
        })
    };
    let (rows, planned) = bench.run(&two(1, "x"), &usual).await;
    assert_eq!(rows, ["a Create", "b Create"]);
    assert!(
        planned
            .plan
            .changes
            .iter()
            .all(|row| row.schema.0.is_some())
    );
    assert_eq!(bench.provider.lock().unwrap()["b-1"]["peer"], "arn:n-0");
    let (rows, planned) = bench.run(&two(1, "x"), &usual).await;
    assert_eq!(rows, ["a NoOp", "b NoOp"]);
    assert!(planned.plan.steps.is_empty());

    // Updated in place, and replaced where a property wants that.
    assert_eq!(bench.run(&two(2, "x"), &usual).await.0[0], "a Update");
    let (rows, _) = bench.run(&two(2, "y"), &usual).await;
    assert_eq!(rows, ["a CreateThenDelete", "b Update"]);
    assert_eq!(bench.provider.lock().unwrap()["b-1"]["peer"], "arn:n-2");
    assert!(!bench.provider.lock().unwrap().contains_key("n-0"));

    // What changed outside is seen, and put right.
    bench.provider.lock().unwrap().get_mut("n-2").unwrap()["size"] = json!(7);
    let (stack, _) = bench.stack(&two(2, "y"));
    let (world, _) = bench.plan(&stack, &usual).await;
    let found = drift::drift(&stack, &bench.types, &world);
    assert_eq!(found.drifted.len(), 1);
    assert_eq!(found.drifted[0].rows[0].path.to_string(), "size");
    let changes = drift::refreshed(&bench.types, &found, &world);
    assert_eq!(changes.len(), 1);
    let (rows, _) = bench.run(&two(2, "y"), &usual).await;
    assert_eq!(rows, ["a Update", "b NoOp"]);
    assert_eq!(bench.provider.lock().unwrap()["n-2"]["size"], 2);

    // Imported by its id; deleted where it is no longer in the file.
    let own = json!({"name": "old", "id": "old-9", "arn": "arn:old-9", "token": "hunter2"});
    bench
        .provider
        .lock()
        .unwrap()
        .insert("old-9".to_owned(), Attributes::new(own));
    let mut old = thing(&json!({"name": "old"}));
    old["options"] = json!({"import": "old-9"});
    let (rows, planned) = bench.run(&json!({"old": old}), &usual).await;
    assert_eq!(rows, ["a Delete", "b Delete", "old NoOp"]);
    assert!(planned.plan.changes[2].importing.is_some());
    // It is read, then imported; the plan is made again for each.
    let rounds = [Again::Reads, Again::Moves].map(|why| planned.rounds.of(why));
    assert_eq!(rounds, [1, 1]);
    let destroy = Options {
        destroy: true,
        ..Options::default()
    };
    assert_eq!(bench.run(&json!({}), &destroy).await.0, ["old Delete"]);
    assert!(bench.provider.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_type_that_reads_many_at_once_is_asked_for_many() {
    let bench = Bench::new(3);
    let usual = Options::default();
    let names = ["a", "b", "c", "d"];
    let things = names.map(|name| (name.to_owned(), thing(&json!({"name": name}))));
    let things = json!(BTreeMap::from(things));
    bench.run(&things, &usual).await;
    assert!(bench.calls.lock().unwrap().is_empty());
    let (rows, _) = bench.run(&things, &usual).await;
    assert_eq!(rows, ["a NoOp", "b NoOp", "c NoOp", "d NoOp"]);
    let all = [vec!["a", "b", "c"], vec!["d"]];
    assert_eq!(*bench.calls.lock().unwrap(), all);

    // What the service asks to slow down for is read again, and nothing else.
    let (stack, _) = bench.stack(&things);
    let refuse = |codes: &[(&str, &str)]| {
        bench.calls.lock().unwrap().clear();
        for live in bench.provider.lock().unwrap().values_mut() {
            let code = codes.iter().find(|(name, _)| live["name"] == *name);
            live["code"] = json!(code.map(|(_, code)| code));
        }
    };
    refuse(&[("b", "SlowDown")]);
    bench.plan(&stack, &usual).await;
    let again = [vec!["a", "b", "c"], vec!["d"], vec!["b"]];
    assert_eq!(*bench.calls.lock().unwrap(), again);
    let told = std::mem::take(&mut *bench.told.lock().unwrap());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("reading a, b, c: "), "{told:?}");

    // An error is of one alone, and each is told: that of a result that is not there, too.
    let failed = async || {
        let failures = bench.observe(&stack, &usual).await.err().unwrap();
        assert_eq!(*bench.calls.lock().unwrap(), all);
        let line = |(address, error): ReadFailure| format!("{address}: {error}");
        failures.into_iter().map(line).collect::<Vec<_>>()
    };
    refuse(&[("a", "Denied"), ("c", "Gone")]);
    let told = failed().await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("a: test:Read returned Denied"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("c: test:Read returned Gone"),
        "{told:?}"
    );
    refuse(&[("b", "Cut")]);
    assert_eq!(failed().await, ["b: Test::Some::Thing returned no result"]);
}
