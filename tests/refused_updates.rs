//! Each call of each type's updates is refused for good: the apply says so and fails, and the one
//! after it does the rest.

use crate::conformance::{Case, cases};
use crate::support::tally::Tally;
use crate::support::{Project, in_parallel};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const NOTE: &str = r#"[{"call": "*", "what": {"latency": 0}}]"#;

fn write(project: &Project, case: &Case, update: &Map<String, Value>) {
    let mut resources = json!(case.resources);
    for (name, value) in update {
        resources[&case.address]["properties"][name] = value.clone();
    }
    let stack = json!({"name": "case", "providers": {"aws": {"region": "us-west-2"}},
        "resources": resources, "data": case.data});
    project.write("stacks/case.yaml", stack.to_string());
}

/// Applies with these faults; the exit code, what it said, and the calls that the faults met.
fn apply(project: &mut Project, faults: &str) -> (Option<i32>, String, BTreeSet<String>) {
    let file = project.home().join("struck");
    let _ = std::fs::remove_file(&file);
    project.env("STACKCTL_LOCAL_FAULTS", faults);
    project.env("STACKCTL_LOCAL_STRUCK", file.to_str().unwrap());
    let ended = project.run(&["apply", "--yes"]);
    project.unset("STACKCTL_LOCAL_STRUCK");
    project.env("STACKCTL_LOCAL_FAULTS", "[]");
    let struck = std::fs::read_to_string(&file).unwrap_or_default();
    let calls = struck.lines().filter_map(|line| line.split_once(' '));
    let calls = calls.map(|(_, call)| call.to_owned()).collect();
    (ended.code, ended.stderr, calls)
}

fn is_write(call: &str) -> bool {
    let (service, name) = call.split_once(':').unwrap();
    let reads = ["Get", "List", "Head", "Describe"];
    service != "sts" && !reads.iter().any(|verb| name.starts_with(verb))
}

#[test]
fn a_refused_call_of_an_update_fails_the_apply() {
    let tally = Tally::new("updates refused", "told");
    in_parallel(cases(), |(name, path)| {
        let case: Case = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let applied = Project::new();
        for (path, text) in &case.files {
            applied.write(path, text);
        }
        write(&applied, &case, &Map::new());
        applied.apply();
        let mut met = BTreeSet::new();
        for update in case.updates() {
            let mut whole = applied.fork();
            write(&whole, &case, update);
            let (code, said, calls) = apply(&mut whole, NOTE);
            assert_eq!(code, Some(0), "{name} {update:?}: {said}");
            for call in calls.into_iter().filter(|call| is_write(call)) {
                if !met.insert(call.clone()) {
                    continue;
                }
                let which = format!("{name} {update:?} {call}");
                tally.offered(&which);
                let mut project = applied.fork();
                write(&project, &case, update);
                let rule = json!([{"call": call, "what": "refused"}]).to_string();
                let (code, said, struck) = apply(&mut project, &rule);
                if !struck.is_empty() {
                    tally.struck(&which);
                }
                let (_, operation) = call.split_once(':').unwrap();
                assert_eq!(code, Some(1), "{which}: {said}");
                assert!(said.contains(operation), "{which}: {said}");
                project.apply();
                project.expect_no_changes();
                tally.held(&which);
            }
        }
    });
    tally.end(30);
}
