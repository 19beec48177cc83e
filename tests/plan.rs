//! The planner, case by case: a stack and a world go in, the plan as people read it and its
//! steps come out. One file a case in `tests/plan/`; `STACKCTL_BLESS=1` writes what came out.

use serde_json::{Map, Value, json};
use stackctl::engine::plan::{Op, Plan};
use stackctl::engine::planner::{self, Inputs, Options};
use stackctl::engine::verify;
use stackctl::engine::world::World;
use stackctl::lang::diagnostic::Diagnostic;
use stackctl::lang::{check, diagnostic, load};
use stackctl::report::text::{self, Style};
use stackctl::store::key::{Given, StateKey};
use stackctl::store::seal::Seal;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const MARK: &str = "\n--- # expected\n";

#[test]
fn every_case_gives_the_plan_it_expects() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 20, "the cases are there");
    let bless = std::env::var_os("STACKCTL_BLESS").is_some();
    let mut wrong = String::new();
    for path in paths {
        let source = std::fs::read_to_string(&path).unwrap();
        let (case, expected) = source.split_once(MARK).unwrap_or((&source, ""));
        let found = run(case);
        if bless {
            std::fs::write(&path, format!("{case}{MARK}{found}")).unwrap();
        } else if found != expected {
            let diff = similar::TextDiff::from_lines(expected, &found);
            let _ = writeln!(wrong, "{}:\n{}", path.display(), diff.unified_diff());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The plan of a case: its text, its steps, or its mistakes.
fn run(case: &str) -> String {
    let case: Value = serde_yaml::from_str(case).unwrap();
    let stack = case["stack"].to_string().into_bytes();
    let loaded = load::load(
        ("case.yaml".to_owned(), stack),
        None,
        PathBuf::from("stacks"),
        &load::Given::default(),
    );
    let mut diagnostics = loaded.diagnostics;
    diagnostics.extend(check::check(&loaded.stack));
    let world = world(&case);
    let list = |name: &str| -> Vec<String> {
        serde_json::from_value(case["options"][name].clone()).unwrap_or_default()
    };
    let options = Options {
        destroy: case["options"]["destroy"] == true,
        target: list("target"),
        exclude: list("exclude"),
        replace: list("replace"),
        adopt: serde_json::from_value(case["options"]["adopt"].clone()).unwrap_or_default(),
    };
    let planned = planner::plan(&Inputs {
        stack: &loaded.stack,
        world: &world,
        options: &options,
        read_file: &|path: &str| Err(format!("{path}: no file in a case")),
    });
    diagnostic::add(&mut diagnostics, planned.diagnostics);
    let faults = planned.found.faults.into_iter();
    diagnostics.extend(faults.map(|fault| Diagnostic::error(fault.place, fault.message)));
    let texts = diagnostics.iter().map(|found| {
        let help = found.help.as_ref();
        let help = help.map_or(String::new(), |help| format!(" ({help})"));
        format!("{:?}: {}{help}\n", found.place, found.message)
    });
    let texts: String = texts.collect();
    let is_error = |found: &Diagnostic| found.severity == diagnostic::Severity::Error;
    if diagnostics.iter().any(is_error) {
        return texts;
    }
    assert_eq!(verify::faults(&planned.plan, &world), Vec::<String>::new());
    let style = Style {
        color: false,
        width: 100,
        show_secrets: false,
    };
    let needs = planned.needs.iter();
    let needs = needs.map(|need| format!("Needs data.{} with {}\n", need.name, need.args));
    let imports = planned.imports.iter();
    let imports = imports.map(|need| format!("Needs {} with {}\n", need.address, need.id));
    let needs: String = needs.chain(imports).collect();
    format!(
        "{texts}{}\n{needs}{}",
        text::plan(&planned.plan, &style),
        steps(&planned.plan)
    )
}

fn world(case: &Value) -> World {
    let mut state = json!({
        "version": 1, "serial": 1, "lineage": "lineage", "stack": case["stack"]["name"],
    });
    for (name, value) in case["state"].as_object().unwrap_or(&Map::new()) {
        state[name] = value.clone();
    }
    let world = json!({
        "seed": 1, "unix_time": 1_700_000_000, "identity": null, "region": "us-west-2",
        "state": state,
        "live": case.get("live").cloned().unwrap_or_else(|| json!({})),
        "files": case.get("files").cloned().unwrap_or_else(|| json!({})),
        "data": case.get("data").cloned().unwrap_or_else(|| json!({})),
        "contents": case.get("contents").cloned().unwrap_or_else(|| json!({})),
        "imports": case.get("imports").cloned().unwrap_or_else(|| json!({})),
    });
    let mut world: World = serde_json::from_value(world).unwrap();
    let given = Given::passphrase("of a case".to_owned());
    world.key = StateKey::unlock(given, &world.state).unwrap();
    let seal = world.seal();
    let outputs = world.state.outputs.values_mut();
    outputs.for_each(|output| seal_marked(&seal, &mut output.value));
    for known in world.state.resources.values_mut() {
        seal_marked(&seal, &mut known.inputs);
        seal_marked(&seal, &mut known.outputs);
    }
    world
}

/// `{$secret: value}` in a state is that value, sealed with the state's key.
fn seal_marked(seal: &Seal, value: &mut Value) {
    if let Some(secret) = value.get("$secret") {
        *value = seal.seal(secret);
        return;
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| seal_marked(seal, value)),
        Value::Array(list) => list.iter_mut().for_each(|value| seal_marked(seal, value)),
        _ => {}
    }
}

fn steps(plan: &Plan) -> String {
    let mut text = String::from("Steps:\n");
    for (id, step) in plan.steps.iter().enumerate() {
        let op = match &step.op {
            Op::Create { .. } => "create",
            Op::Update { .. } => "update",
            Op::Depose { .. } => "depose",
            Op::Delete { deposed: None } => "delete",
            Op::Delete { deposed: Some(_) } => "delete deposed",
            Op::Read { .. } => "read",
            Op::Forget { deposed: None } => "forget",
            Op::Forget { deposed: Some(_) } => "forget deposed",
            Op::Adopt { .. } => "adopt",
            Op::Import { .. } => "import",
            Op::Move { .. } => "move",
        };
        let after: Vec<String> = step.after.iter().map(ToString::to_string).collect();
        let after = if after.is_empty() {
            String::new()
        } else {
            format!(" after {}", after.join(", "))
        };
        let _ = writeln!(text, "  {id} {op} {}{after}", step.address);
    }
    text
}
