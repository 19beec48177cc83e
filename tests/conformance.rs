//! What holds for every type: its example applies, the next plan is empty, updates update,
//! replacements replace, each followed by an empty plan, and nothing is left at the end.
//! A case a type or more, in `tests/conformance/`.

use crate::support::{Project, actions};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    address: String,
    resources: Map<String, Value>,
    #[serde(default)]
    data: Map<String, Value>,
    #[serde(default)]
    files: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    update: Option<Map<String, Value>>,
    #[serde(default)]
    updates: Vec<Map<String, Value>>,
    #[serde(default)]
    replace: Option<Map<String, Value>>,
}

fn cases() -> Vec<(String, PathBuf)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut cases: Vec<(String, PathBuf)> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (type_of(&path), path))
        .collect();
    cases.sort();
    cases
}

/// The type that a case is of: `aws-s3-Bucket.yaml`, or `aws-s3-Bucket.second.yaml`.
fn type_of(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy();
    name.split('.').next().unwrap().replace('-', ":")
}

#[test]
fn every_type_has_a_case() {
    let cases: BTreeSet<String> = cases().into_iter().map(|(name, _)| name).collect();
    let types: BTreeSet<String> = stackctl::resource::resources()
        .keys()
        .map(|name| (*name).to_owned())
        .collect();
    assert_eq!(types, cases);
}

#[test]
fn every_type_conforms() {
    let failures: Vec<String> = cases()
        .into_iter()
        .filter_map(|(name, path)| {
            let result = std::panic::catch_unwind(|| conforms(&path));
            result.err().map(|error| {
                let text = error.downcast_ref::<String>().cloned();
                let text = text.or_else(|| error.downcast_ref::<&str>().map(|it| (*it).to_owned()));
                format!("{name} ({}): {}", path.display(), text.unwrap_or_default())
            })
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn conforms(path: &PathBuf) {
    let mut case: Case = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let project = Project::new();
    for (path, text) in &case.files {
        project.write(path, text);
    }
    let write = |case: &Case| {
        let stack = json!({"name": "case", "resources": case.resources, "data": case.data});
        project.write("stacks/case.yaml", stack.to_string());
    };
    write(&case);
    project.apply();
    project.expect_no_changes();
    let updates: Vec<_> = case
        .update
        .take()
        .into_iter()
        .chain(case.updates.drain(..))
        .collect();
    for update in updates {
        changed(&mut case, update);
        write(&case);
        expect_action(&project, &case.address, &[&["update"]]);
    }
    if let Some(replace) = case.replace.take() {
        changed(&mut case, replace);
        write(&case);
        expect_action(
            &project,
            &case.address,
            &[&["create", "delete"], &["delete", "create"]],
        );
    }
    project.run(&["destroy", "--yes"]).expect(0);
    let left = project.cloud();
    assert!(left.is_empty(), "left behind: {left:#?}");
    assert_eq!(project.state()["resources"], json!({}));
}

/// Merges into the properties; null takes one out.
fn changed(case: &mut Case, change: Map<String, Value>) {
    let resource = case
        .resources
        .get_mut(&case.address)
        .expect("the address is a resource");
    let properties = resource["properties"]
        .as_object_mut()
        .expect("it has properties");
    for (name, value) in change {
        if value.is_null() {
            properties.remove(&name);
        } else {
            properties.insert(name, value);
        }
    }
}

#[track_caller]
fn expect_action(project: &Project, address: &str, expected: &[&[&str]]) {
    let plan = project.plan();
    let found = actions(&plan);
    let (_, words) = found
        .iter()
        .find(|(found, _)| found == address)
        .unwrap_or_else(|| panic!("{address} does not change: {found:?}"));
    assert!(
        expected.iter().any(|expected| words == expected),
        "{address}: {words:?} in {plan:#}"
    );
    project.apply();
    project.expect_no_changes();
}
