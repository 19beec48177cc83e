//! What lives on a resource, or names it, when that is replaced under its own name: one run
//! brings all of it to where the file says. A case a type of parent, in `tests/relations/`; they
//! cover every pair that the types declare, and the types declare every property that names
//! another resource.

use crate::conformance;
use crate::support::{Project, actions};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use stackctl::data::Path;
use stackctl::resource::relation::{Fate, Parent};
use stackctl::resource::table::native;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The address of what is replaced.
    parent: String,
    resources: Map<String, Value>,
    #[serde(default)]
    data: Map<String, Value>,
    /// The properties that replace it under its name; null takes one out.
    change: Map<String, Value>,
}

fn cases() -> Vec<(String, Case)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/relations");
    let mut cases: Vec<(String, Case)> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(path).unwrap();
            (name, serde_yaml::from_str(&text).unwrap())
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

/// The type of a resource, the one that it names, and the property.
type Pair = (&'static str, &'static str, &'static str);

impl Case {
    fn type_of(&self, address: &str) -> &str {
        self.resources[address]["type"].as_str().unwrap()
    }

    fn write(&self, project: &Project) {
        let stack = json!({"name": "case", "resources": self.resources, "data": self.data});
        project.write("stacks/case.yaml", stack.to_string());
    }

    fn changed(&self) -> Self {
        let mut case = self.clone();
        let properties = case.resources[&self.parent]["properties"].as_object_mut();
        let properties = properties.unwrap();
        for (name, value) in &self.change {
            if value.is_null() {
                properties.remove(name);
            } else {
                properties.insert(name.clone(), value.clone());
            }
        }
        case
    }

    /// The resources that name the parent, by the rows of their types.
    fn children(&self) -> Vec<(String, &'static Parent)> {
        let mut children = Vec::new();
        for (address, block) in &self.resources {
            let kind = native().resource(self.type_of(address)).unwrap();
            for row in kind.parents() {
                let names = Path::dotted(row.property).get(&block["properties"]);
                let text = names.map(Value::to_string).unwrap_or_default();
                let default_group = row.property == "name" && address != &self.parent;
                let named = text.contains(&format!("${{{}.", self.parent)) || default_group;
                if row.type_name == self.type_of(&self.parent) && named {
                    children.push((address.clone(), row));
                }
            }
        }
        children
    }

    /// The same with what names the parent written out.
    fn with_values(&self, project: &Project) -> Self {
        let known = project.state()["resources"].clone();
        let mut case = self.clone();
        for (address, row) in self.children() {
            let path = Path::dotted(row.property);
            let value = path.get(&known[&address]["inputs"]).unwrap().clone();
            path.set(&mut case.resources[&address]["properties"], value);
        }
        case
    }
}

/// Replaces the parent by this command line, in one run, with an empty plan after it.
#[track_caller]
fn replaced(project: &Project, case: &Case, flags: &[&str], what: &str) {
    let plan = project
        .run(&[&["plan", "--json"], flags].concat())
        .expect(0);
    let found: BTreeMap<String, Vec<String>> = actions(&plan.json()).into_iter().collect();
    let replaces = |address: &str| found.get(address).is_some_and(|words| words.len() == 2);
    assert!(replaces(&case.parent), "{what}: {found:?}");
    for (address, row) in case.children() {
        // Without a name that comes back, what is named has another id.
        let is_named = !native()
            .resource(row.type_name)
            .unwrap()
            .identity()
            .is_empty();
        let lost = row.fate == Fate::DiesWith || (row.fate == Fate::Stops && is_named);
        if lost {
            assert!(replaces(&address), "{what}: {address} in {found:?}");
        }
    }
    project
        .run(&[&["apply", "--yes"], flags].concat())
        .expect(0);
    project.expect_no_changes();
}

fn tried(case: &Case) {
    let project = Project::new();
    case.write(&project);
    project.apply();
    project.expect_no_changes();
    replaced(&project, case, &["--replace", &case.parent], "--replace");
    // An id is another one each time, and cannot be written out.
    let by_name = |(_, row): &(String, &Parent)| !row.by.contains(&"id");
    if case.children().iter().all(by_name) {
        let literal = case.with_values(&project);
        literal.write(&project);
        project.expect_no_changes();
        replaced(&project, case, &["--replace", &case.parent], "by values");
        let target = ["--replace", &case.parent, "--target", &case.parent];
        replaced(&project, case, &target, "--target");
    }
    let changed = case.changed();
    changed.write(&project);
    replaced(&project, &changed, &[], "changed");
    project.run(&["destroy", "--yes"]).expect(0);
    let left = project.cloud();
    assert!(left.is_empty(), "left behind: {left:#?}");
}

#[test]
fn what_lives_on_a_replaced_resource_is_replaced_along() {
    let mut pairs: BTreeMap<Pair, (Fate, String)> = BTreeMap::new();
    let mut failures = Vec::new();
    for (name, case) in cases() {
        for (address, row) in case.children() {
            let child = native().resource(case.type_of(&address)).unwrap();
            let pair = (row.type_name, child.schema().name, row.property);
            pairs.insert(pair, (row.fate, name.clone()));
        }
        if let Err(error) = std::panic::catch_unwind(|| tried(&case)) {
            let text = error.downcast_ref::<String>().cloned().unwrap_or_default();
            failures.push(format!("{name}: {text}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    println!(
        "{:26} {:36} {:36} {:10} case",
        "replaced", "what names it", "property", "fate"
    );
    for ((parent, child, property), (fate, case)) in &pairs {
        println!(
            "{parent:26} {child:36} {property:36} {:10} {case}",
            format!("{fate:?}")
        );
    }
    let declared: BTreeSet<Pair> = native()
        .resources()
        .iter()
        .flat_map(|(child, kind)| {
            let rows = kind.parents().iter();
            rows.map(|row| (row.type_name, *child, row.property))
        })
        .collect();
    let tried: BTreeSet<Pair> = pairs.into_keys().collect();
    let missing: Vec<&Pair> = declared.difference(&tried).collect();
    assert!(
        missing.is_empty(),
        "no case in tests/relations has {missing:?}"
    );
}

/// The tables of `docs/relations.md` are what the types declare; `STACKCTL_BLESS=1` writes them.
#[test]
fn the_tables_in_the_documentation_are_what_the_types_declare() {
    const MARK: &str = "<!-- written by the test `relations` -->\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/relations.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (prose, tables) = text.split_once(MARK).unwrap();
    let expected = tables_of_types();
    if std::env::var_os("STACKCTL_BLESS").is_some() {
        std::fs::write(&path, format!("{prose}{MARK}{expected}")).unwrap();
    } else {
        assert_eq!(tables, expected);
    }
}

fn tables_of_types() -> String {
    let mut text = String::from(
        "\n| when this is deleted | this, which names it | by | |\n|---|---|---|---|\n",
    );
    let mut rows = BTreeSet::new();
    for (child, kind) in native().resources() {
        for row in kind.parents() {
            let fate = match row.fate {
                Fate::DiesWith => "dies with it",
                Fate::Stops => "stops its deletion",
                Fate::Survives => "stays",
            };
            rows.insert(format!(
                "| `{}` | `{child}` | `{}` | {fate} |\n",
                row.type_name, row.property
            ));
        }
    }
    text.extend(rows);
    text.push_str("\n| this | comes after this | of the same | deleted |\n|---|---|---|---|\n");
    for (own, kind) in native().resources() {
        for row in kind.after() {
            let deleted = ["in any order", "before it"][usize::from(row.deleted_before)];
            let (sibling, property) = (row.type_name, row.property);
            let property = match property {
                "" => "account and region".to_owned(),
                property => format!("`{property}`"),
            };
            text.push_str(&format!(
                "| `{own}` | `{sibling}` | {property} | {deleted} |\n"
            ));
        }
    }
    text
}

/// Properties that look as if they named a resource of a type that there is, and why no row of
/// [`Resource::PARENTS`](stackctl::resource::Resource::PARENTS) is about them.
const NO_PARENT: &[(&str, &str)] = &[
    (
        "aws:apigatewayv2:Integration.connectionId",
        "no type for VPC links",
    ),
    (
        "aws:apigatewayv2:Route.authorizerId",
        "no type for authorizers",
    ),
    (
        "aws:apigatewayv2:Stage.clientCertificateId",
        "no type for certificates",
    ),
    ("aws:cloudwatch:LogGroup.kmsKeyId", "no type for keys"),
    (
        "aws:lambda:EventSourceMapping.destinationConfig.onFailure.destinationArn",
        "for streams, of which there is no type",
    ),
    (
        "aws:lambda:EventSourceMapping.kmsKeyArn",
        "no type for keys",
    ),
    (
        "aws:lambda:Function.codeSigningConfigArn",
        "no type for signing",
    ),
    ("aws:lambda:Function.imageUri", "no type for repositories"),
    ("aws:lambda:Function.kmsKeyArn", "no type for keys"),
    (
        "aws:lambda:Function.vpcConfig.securityGroupIds",
        "no type for networks",
    ),
    (
        "aws:lambda:Function.vpcConfig.subnetIds",
        "no type for networks",
    ),
    ("aws:lambda:Permission.invokedViaFunctionUrl", "a bool"),
    (
        "aws:lambda:Permission.principalOrgId",
        "no type for organizations",
    ),
    (
        "aws:lambda:Permission.sourceArn",
        "a pattern: what it names need not exist",
    ),
    ("aws:lambda:Permission.statementId", "its own name"),
    ("aws:s3:Bucket.bucket", "its own name"),
    ("aws:s3:BucketObject.kmsKeyId", "no type for keys"),
    ("aws:sns:Topic.kmsMasterKeyId", "no type for keys"),
    ("aws:sqs:Queue.fifoQueue", "a bool"),
    ("aws:sqs:Queue.kmsMasterKeyId", "no type for keys"),
];

/// A name like those of properties that name another resource.
fn looks_like_a_reference(name: &str) -> bool {
    let endings = [
        "Arn", "Arns", "Id", "Ids", "Url", "Uri", "Uris", "Bucket", "Role", "Queue",
    ];
    let names = [
        "role",
        "bucket",
        "function",
        "functionName",
        "target",
        "queueUrl",
        "logGroup",
    ];
    endings.iter().any(|end| name.ends_with(end)) || names.contains(&name)
}

/// The properties of a schema, in dotted form, lists left out of the path.
fn properties(schema: &Value, path: &str, found: &mut Vec<String>) {
    let members = schema["properties"].as_object().into_iter().flatten();
    for (name, inner) in members {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        properties(inner, &path, found);
        properties(&inner["items"], &path, found);
        found.push(path);
    }
}

#[test]
fn every_property_that_names_a_resource_says_what_becomes_of_it() {
    let excused: BTreeSet<&str> = NO_PARENT.iter().map(|(name, _)| *name).collect();
    let mut used = BTreeSet::new();
    let mut missing = Vec::new();
    for (name, kind) in native().resources() {
        let mut all = Vec::new();
        properties(&kind.schema().properties, "", &mut all);
        let rows: BTreeSet<&str> = kind.parents().iter().map(|row| row.property).collect();
        for path in all {
            let last = path.rsplit('.').next().unwrap();
            let full = format!("{name}.{path}");
            if excused.contains(full.as_str()) {
                used.insert(full);
            } else if looks_like_a_reference(last) && !rows.contains(path.as_str()) {
                missing.push(full);
            }
        }
    }
    assert!(
        missing.is_empty(),
        "these name resources: give their types a row in PARENTS, or say in NO_PARENT why not: \
         {missing:#?}"
    );
    let used: BTreeSet<&str> = used.iter().map(String::as_str).collect();
    let stale: Vec<_> = excused.difference(&used).collect();
    assert!(stale.is_empty(), "no such properties: {stale:?}");
}

/// References in the conformance cases are by properties that have a row.
#[test]
fn the_references_of_the_conformance_cases_have_rows() {
    let mut missing = BTreeSet::new();
    for (_, path) in conformance::cases() {
        let text = std::fs::read_to_string(&path).unwrap();
        let case: conformance::Case = serde_yaml::from_str(&text).unwrap();
        for block in case.resources.values() {
            let kind = native().resource(block["type"].as_str().unwrap()).unwrap();
            let rows: BTreeSet<(&str, &str)> = kind
                .parents()
                .iter()
                .map(|row| (row.property, row.type_name))
                .collect();
            for (property, value) in block["properties"].as_object().unwrap() {
                let Some(other) = value.as_str().and_then(referred) else {
                    continue;
                };
                let Some(other) = case.resources.get(other) else {
                    continue;
                };
                let other = other["type"].as_str().unwrap();
                if other.starts_with("aws:") && !rows.contains(&(property.as_str(), other)) {
                    missing.insert((kind.name(), property.clone(), other.to_owned()));
                }
            }
        }
    }
    // A name of another resource that two settings share, and a key of an object in a bucket.
    let through = |(_, property, other): &(&str, String, String)| {
        (property == "bucket" && other == "aws:s3:BucketOwnershipControls")
            || (property == "s3Key" && other == "aws:s3:BucketObject")
    };
    missing.retain(|found| !through(found));
    assert!(missing.is_empty(), "{missing:?}");
}

/// The resource in a string that is one reference.
fn referred(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    inner.split_once('.').map(|(name, _)| name)
}
