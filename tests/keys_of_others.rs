//! Keys that somebody else put into a map: for every type and every map there is, what the plan,
//! the drift and the calls make of them is what the type declares.

use crate::conformance::{Case, cases};
use crate::support::{Project, actions, copy, in_parallel};
use serde_json::{Value, json};
use stackctl::data::Path;
use std::collections::BTreeSet;

/// A map: its type, its path (`0` for the items of a list), and two keys that its service takes,
/// with a value for each.
struct Sample {
    kind: &'static str,
    path: &'static str,
    keys: [&'static str; 2],
    values: [&'static str; 2],
    /// More properties, and more resources, that the map needs.
    more: Value,
}

/// The maps that are not called `tags`.
fn samples() -> Vec<Sample> {
    let integration = |path: &'static str, keys, values, more| Sample {
        kind: "aws:apigatewayv2:Integration",
        path,
        keys,
        values,
        more,
    };
    let http = json!({
        "resources": {"http": {
            "type": "aws:apigatewayv2:Api", "properties": {"name": "others", "protocolType": "HTTP"},
        }},
        "properties": {
            "apiId": "${http.id}", "integrationType": "HTTP_PROXY", "integrationMethod": "ANY",
            "integrationUri": "https://example.com", "passthroughBehavior": null,
            "requestTemplates": null, "templateSelectionExpression": null,
            "credentialsArn": null, "requestParameters": null,
            "responseParameters": [{"statusCode": "200", "mappings": {}}],
        },
    });
    vec![
        Sample {
            kind: "aws:lambda:Function",
            path: "environment.variables",
            keys: ["KEYOWN", "KEYOTHER"],
            values: ["1", "2"],
            more: json!({}),
        },
        Sample {
            kind: "aws:s3:BucketObject",
            path: "metadata",
            keys: ["keyown", "keyother"],
            values: ["1", "2"],
            more: json!({}),
        },
        Sample {
            kind: "aws:apigatewayv2:Stage",
            path: "stageVariables",
            keys: ["keyown", "keyother"],
            values: ["1", "2"],
            more: json!({}),
        },
        integration(
            "requestParameters",
            [
                "integration.request.header.keyown",
                "integration.request.header.keyother",
            ],
            ["'1'", "'2'"],
            json!({}),
        ),
        integration(
            "requestTemplates",
            ["keyown", "keyother"],
            ["{}", "[]"],
            json!({}),
        ),
        integration(
            "responseParameters.0.mappings",
            ["append:header.keyown", "append:header.keyother"],
            ["1", "2"],
            http,
        ),
        Sample {
            kind: "aws:apigatewayv2:Route",
            path: "requestModels",
            keys: ["keyown", "keyother"],
            values: ["One", "Two"],
            more: json!({}),
        },
        Sample {
            kind: "aws:apigatewayv2:IntegrationResponse",
            path: "responseTemplates",
            keys: ["keyown", "keyother"],
            values: ["One", "Two"],
            more: json!({}),
        },
        Sample {
            kind: "aws:apigatewayv2:RouteResponse",
            path: "responseModels",
            keys: ["keyown", "keyother"],
            values: ["One", "Two"],
            more: json!({}),
        },
    ]
}

/// Maps that nobody can add a key to: those that replace what has them, and those of types that
/// live in the state alone.
fn is_fixed(kind: &str, path: &Path) -> bool {
    let schema = stackctl::resource::table::native().resources()[kind].schema();
    schema.flag(path, "createOnly") || !kind.starts_with("aws:")
}

/// The places of all maps of a schema.
fn maps(schema: &Value, at: &Path, found: &mut Vec<Path>) {
    if schema.get("document").is_some() {
        return;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, inner) in properties.into_iter().flatten() {
        maps(inner, &at.join(name), found);
    }
    if let Some(items) = schema.get("items") {
        maps(items, &at.join(0), found);
    }
    let values = schema.get("additionalProperties");
    if properties.is_none() && values.is_some_and(|values| values != &Value::Bool(false)) {
        found.push(at.clone());
    }
}

fn all_maps() -> Vec<(&'static str, Path)> {
    let mut all = Vec::new();
    for (name, kind) in stackctl::resource::table::native().resources() {
        let mut found = Vec::new();
        maps(&kind.schema().properties, &Path::root(), &mut found);
        all.extend(found.into_iter().map(|path| (*name, path)));
    }
    all
}

fn tags(kind: &'static str) -> Sample {
    Sample {
        kind,
        path: "tags",
        keys: ["keyown", "keyother"],
        values: ["1", "2"],
        more: json!({}),
    }
}

#[test]
fn tags_are_shared_and_every_other_map_is_the_files() {
    let all = all_maps();
    assert!(all.len() > 15, "{all:?}");
    for (kind, path) in &all {
        let schema = stackctl::resource::table::native().resources()[kind].schema();
        let shared = path.last().is_some_and(|name| name == "tags");
        assert_eq!(schema.keeps_others(path), shared, "{kind} {path}");
    }
}

#[test]
fn every_map_has_a_sample() {
    let sampled: BTreeSet<String> = samples()
        .iter()
        .map(|it| format!("{} {}", it.kind, Path::dotted(it.path)))
        .collect();
    let open = all_maps()
        .into_iter()
        .filter(|(kind, path)| path.to_string() != "tags" && !is_fixed(kind, path));
    let open: BTreeSet<String> = open.map(|(kind, path)| format!("{kind} {path}")).collect();
    assert_eq!(sampled, open);
}

#[test]
fn keys_of_others_stay_in_tags_and_go_with_the_plan_saying_so_elsewhere() {
    let mut all = samples();
    let tagged = all_maps()
        .into_iter()
        .filter(|(_, path)| path.to_string() == "tags");
    all.extend(tagged.map(|(kind, _)| tags(kind)));
    in_parallel(all, |sample| tried(&sample));
}

fn write(project: &Project, case: &Case) {
    for (path, text) in &case.files {
        project.write(path, text);
    }
    let stack = json!({
        "name": "others",
        "providers": {"aws": {"region": "us-west-2"}},
        "data": case.data,
        "resources": case.resources,
    });
    project.write("stacks/others.yaml", stack.to_string());
}

fn case_of(sample: &Sample) -> Case {
    let (_, path) = cases()
        .into_iter()
        .find(|(name, _)| name == sample.kind)
        .unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let mut case: Case = serde_yaml::from_str(&text).unwrap();
    let more = |part: &str| sample.more[part].as_object().cloned().unwrap_or_default();
    case.resources.extend(more("resources"));
    for (name, value) in more("properties") {
        case.resources[&case.address]["properties"][name] = value;
    }
    case
}

fn tried(sample: &Sample) {
    let name = format!("{} {}", sample.kind, sample.path);
    let path = Path::dotted(sample.path);
    let schema = stackctl::resource::table::native().resources()[sample.kind].schema();
    let kept = schema.keeps_others(&path);
    let mut case = case_of(sample);
    let [own, other] = sample.keys;
    let [first, second] = sample.values;
    let project = Project::new();
    let mut says = |map: Value| {
        let properties = &mut case.resources[&case.address]["properties"];
        path.set(properties, map);
        write(&project, &case);
    };
    says(json!({own: first}));
    project.apply();
    // Somebody else adds a key.
    let aside = tempfile::tempdir().unwrap();
    copy(&project.dir().join("state"), aside.path());
    says(json!({own: first, other: first}));
    project.apply();
    std::fs::remove_dir_all(project.dir().join("state")).unwrap();
    copy(aside.path(), &project.dir().join("state"));
    std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap();
    says(json!({own: first}));

    let drift = project.run(&["drift"]);
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    if kept {
        drift.expect(0);
        plan.expect(0);
    } else {
        assert!(drift.stdout.contains(other), "{name}: {}", drift.stdout);
        drift.expect(2);
        assert!(plan.stdout.contains(other), "{name}: {}", plan.stdout);
        plan.expect(2);
    }

    says(json!({own: second}));
    let plan = project.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains(own), "{name}: {plan}");
    assert_eq!(plan.contains(other), !kept, "{name}: {plan}");
    project.apply();
    project.expect_no_changes();
    project.run(&["drift"]).expect(0);
    let there = |key: &str| {
        project
            .cloud()
            .iter()
            .any(|it| it.value.to_string().contains(key))
    };
    assert!(there(own), "{name}");
    assert_eq!(there(other), kept, "{name}");

    // The map is taken out of the file: what was applied goes, what others added stays.
    let first = path.first().unwrap();
    case.resources[&case.address]["properties"][first.as_ref()] = Value::Null;
    write(&project, &case);
    project.apply();
    project.expect_no_changes();
    assert_eq!(there(other), kept, "{name} taken out of the file");
    let plan = project.plan();
    let left: Vec<_> = actions(&plan);
    assert!(left.is_empty(), "{name}: {left:?}");
}
