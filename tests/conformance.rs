//! What holds for every type: its example applies, the next plan is empty, updates update,
//! replacements replace, each followed by an empty plan, and nothing is left at the end.
//! A case a type or more, in `tests/conformance/`, and further properties in `tests/properties/`.
//! The calls that all this takes stand in `tests/calls/`; `STACKCTL_BLESS=1` writes them.

use crate::support::calls::{Calls, file_of};
use crate::support::cases::files;
use crate::support::{Project, actions};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use stackctl::data::Attributes;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) address: String,
    pub(crate) resources: Map<String, Value>,
    #[serde(default)]
    pub(crate) data: Map<String, Value>,
    #[serde(default)]
    pub(crate) files: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    update: Option<Map<String, Value>>,
    #[serde(default)]
    updates: Vec<Map<String, Value>>,
    #[serde(default)]
    pub(crate) replace: Option<Map<String, Value>>,
    /// The import id, with `${output}` of the resource in it; none: its id.
    #[serde(default)]
    pub(crate) import: Option<String>,
    /// The properties that the plan after the import sends once more, since no read tells them.
    #[serde(default)]
    untold: Vec<String>,
}

impl Case {
    /// Takes the changes that are updates.
    pub(crate) fn take_updates(&mut self) -> Vec<Map<String, Value>> {
        self.update
            .take()
            .into_iter()
            .chain(self.updates.drain(..))
            .collect()
    }

    /// Leaves a property out of the resource and of its changes; whether it was there.
    pub(crate) fn leave_out(&mut self, name: &str) -> bool {
        let resource = self.resources.get_mut(&self.address);
        let properties = resource.and_then(|it| it["properties"].as_object_mut());
        let was_there = properties.is_some_and(|it| it.remove(name).is_some());
        if was_there {
            let changes = self.updates.iter_mut().chain(&mut self.update);
            for change in changes.chain(&mut self.replace) {
                change.remove(name);
            }
            self.updates.retain(|change| !change.is_empty());
        }
        was_there
    }

    /// The untold properties that are given.
    pub(crate) fn untold(&self) -> Vec<String> {
        let properties = &self.resources[&self.address]["properties"];
        let names = self.untold.iter();
        names
            .filter(|name| properties.get(*name).is_some_and(|value| !value.is_null()))
            .cloned()
            .collect()
    }

    /// The changes that are updates.
    pub(crate) fn updates(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.update.iter().chain(&self.updates)
    }
}

pub(crate) fn cases() -> Vec<(String, PathBuf)> {
    let files = files("tests/conformance").into_iter();
    let mut cases: Vec<(String, PathBuf)> = files.map(|path| (type_of(&path), path)).collect();
    cases.sort();
    cases
}

/// The type that a case is of: `aws-s3-Bucket.yaml`, or `aws-s3-Bucket.second.yaml`.
fn type_of(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy();
    name.split('.').next().unwrap().replace('-', ":")
}

const SOURCES: &str = "the local cloud has queues as event sources and no others";
const NO_TYPE: &str = "no type creates what it names yet";
const MFA: &str = "only a root user with an MFA device may";

/// The properties that no case sets, each with the reason.
const UNSET: &[(&str, &str)] = &[
    (
        "aws:lambda:EventSourceMapping.bisectBatchOnFunctionError",
        SOURCES,
    ),
    ("aws:lambda:EventSourceMapping.destinationConfig", SOURCES),
    ("aws:lambda:EventSourceMapping.loggingConfig", SOURCES),
    (
        "aws:lambda:EventSourceMapping.maximumRecordAgeInSeconds",
        SOURCES,
    ),
    (
        "aws:lambda:EventSourceMapping.maximumRetryAttempts",
        SOURCES,
    ),
    (
        "aws:lambda:EventSourceMapping.parallelizationFactor",
        SOURCES,
    ),
    (
        "aws:lambda:EventSourceMapping.provisionedPollerConfig",
        SOURCES,
    ),
    ("aws:lambda:EventSourceMapping.queues", SOURCES),
    (
        "aws:lambda:EventSourceMapping.selfManagedEventSource",
        SOURCES,
    ),
    (
        "aws:lambda:EventSourceMapping.sourceAccessConfigurations",
        SOURCES,
    ),
    ("aws:lambda:EventSourceMapping.startingPosition", SOURCES),
    (
        "aws:lambda:EventSourceMapping.startingPositionTimestamp",
        SOURCES,
    ),
    ("aws:lambda:EventSourceMapping.topics", SOURCES),
    (
        "aws:lambda:EventSourceMapping.tumblingWindowInSeconds",
        SOURCES,
    ),
    ("aws:apigatewayv2:Route.authorizationScopes", NO_TYPE),
    ("aws:apigatewayv2:Route.authorizerId", NO_TYPE),
    ("aws:lambda:Function.codeSigningConfigArn", NO_TYPE),
    ("aws:lambda:Function.layers", NO_TYPE),
    ("aws:s3:BucketVersioning.mfa", MFA),
    (
        "aws:s3:BucketVersioning.versioningConfiguration.mfaDelete",
        MFA,
    ),
];

#[test]
fn every_type_has_a_case() {
    let cases: BTreeSet<String> = cases().into_iter().map(|(name, _)| name).collect();
    let types: BTreeSet<String> = stackctl::resource::table::native()
        .resources()
        .keys()
        .map(|name| (*name).to_owned())
        .collect();
    assert_eq!(types, cases);
}

#[test]
fn every_file_of_calls_has_a_case() {
    for folder in ["conformance", "properties"] {
        let cases = files(&format!("tests/{folder}"));
        let wanted: BTreeSet<PathBuf> = cases.iter().map(|case| file_of(case)).collect();
        let found = files(&format!("tests/calls/{folder}"))
            .into_iter()
            .collect();
        assert_eq!(wanted, found);
    }
}

/// The properties of a schema that no value has set, by their paths, members of members too.
fn unset(schema: &Value, values: &[&Value], at: &str, found: &mut Vec<String>) {
    if let Some(items) = schema.get("items") {
        let below = values.iter().filter_map(|value| value.as_array());
        let below: Vec<&Value> = below.flatten().collect();
        unset(items, &below, &format!("{at}[]"), found);
    }
    for (name, declared) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        let given = values.iter().filter_map(|value| value.get(name));
        let given: Vec<&Value> = given.filter(|value| !value.is_null()).collect();
        match given.is_empty() {
            true => found.push(at),
            false => unset(declared, &given, &at, found),
        }
    }
}

/// What is written and read as a property is seen in a case, or the reason why not.
#[test]
fn every_property_is_in_a_case() {
    let mut cases_of: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let more = files("tests/properties").into_iter();
    let more = more.map(|path| (type_of(&path), path));
    for (type_name, path) in cases().into_iter().chain(more) {
        let case: Case = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let of_type = cases_of.entry(type_name).or_default();
        of_type.push(case.resources[&case.address]["properties"].clone());
        let changes = case.updates().chain(&case.replace);
        of_type.extend(changes.map(|change| Value::Object(change.clone())));
    }
    let mut found = Vec::new();
    for (type_name, values) in &cases_of {
        let kind = stackctl::resource::table::native()
            .resource(type_name)
            .unwrap();
        let values: Vec<&Value> = values.iter().collect();
        unset(&kind.schema().properties, &values, type_name, &mut found);
    }
    let reasons: BTreeMap<&str, &str> = UNSET.iter().copied().collect();
    let wanted: BTreeSet<&str> = reasons.keys().copied().collect();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, wanted);
}

mod cases {
    crate::support::cases::cases!(
        "tests/conformance",
        super::conforms,
        aws_apigateway_account,
        aws_apigatewayv2_api,
        aws_apigatewayv2_api_body,
        aws_apigatewayv2_api_quick,
        aws_apigatewayv2_deployment,
        aws_apigatewayv2_integration,
        aws_apigatewayv2_integrationresponse,
        aws_apigatewayv2_route,
        aws_apigatewayv2_routeresponse,
        aws_apigatewayv2_stage,
        aws_apigatewayv2_stage_by_hand,
        aws_cloudwatch_loggroup,
        aws_iam_policy,
        aws_iam_role,
        aws_iam_rolepolicy,
        aws_iam_rolepolicyattachment,
        aws_lambda_eventsourcemapping,
        aws_lambda_function,
        aws_lambda_permission,
        aws_s3_bucket,
        aws_s3_bucketacl,
        aws_s3_bucketobject,
        aws_s3_bucketownershipcontrols,
        aws_s3_bucketpolicy,
        aws_s3_bucketpublicaccessblock,
        aws_s3_bucketversioning,
        aws_sns_topic,
        aws_sns_topicsubscription,
        aws_sqs_queue,
        aws_sqs_queuepolicy,
        random_randomid,
        random_randompassword,
        random_randompet,
        random_randomstring,
    );
}

/// The examples in the types' doc comments, by what each defines: its resources or data, by name.
fn examples() -> Vec<(&'static str, Map<String, Value>)> {
    let native = stackctl::resource::table::native();
    let resources = native.resources().values().map(|kind| kind.schema());
    let schemas = resources.chain(native.data_sources().values().map(|kind| kind.schema()));
    schemas
        .map(|schema| {
            let declared = format!("{}{}", schema.description, schema.properties);
            assert!(!declared.contains("```yaml"), "{} shows it", schema.name);
            let example = schema.example.as_deref();
            let example = example.unwrap_or_else(|| panic!("{} has no example", schema.name));
            (schema.name, serde_yaml::from_str(example).unwrap())
        })
        .collect()
}

/// Adds a block, and what it names of the others.
fn with_what_it_names(
    name: &str,
    all: &BTreeMap<String, Value>,
    stack: &mut BTreeMap<String, Value>,
) {
    if stack.contains_key(name) {
        return;
    }
    let block = &all[name];
    stack.insert(name.to_owned(), block.clone());
    let text = block.to_string();
    for other in all.keys() {
        let refers = [format!("${{{other}."), format!("${{data.{other}.")];
        let waits_for = block["options"]["dependsOn"].as_array();
        if refers.iter().any(|start| text.contains(start))
            || waits_for.is_some_and(|names| names.contains(&json!(other)))
        {
            with_what_it_names(other, all, stack);
        }
    }
}

/// Each example is what its type's reference shows: it applies with what it names, the next plan
/// is empty, and nothing is left behind.
#[test]
fn every_example_applies() {
    let examples = examples();
    let all: BTreeMap<String, Value> = examples
        .iter()
        .flat_map(|(_, blocks)| blocks.clone())
        .collect();
    let count: usize = examples.iter().map(|(_, blocks)| blocks.len()).sum();
    assert_eq!(all.len(), count, "two examples define one name");
    for (type_name, blocks) in &examples {
        let is_own = |block: &Value| block["type"] == *type_name;
        assert_eq!(
            blocks.values().filter(|it| is_own(it)).count(),
            1,
            "{type_name}"
        );
        let mut stack = BTreeMap::new();
        for name in blocks.keys() {
            with_what_it_names(name, &all, &mut stack);
        }
        let is_data = |block: &Value| {
            let name = block["type"].as_str().unwrap();
            stackctl::resource::table::native()
                .data_source(name)
                .is_some()
        };
        let (data, resources): (Map<_, _>, Map<_, _>) =
            stack.into_iter().partition(|(_, block)| is_data(block));
        let project = Project::new();
        // Data that nothing uses is not read.
        let outputs = data
            .keys()
            .map(|name| (name.clone(), format!("${{data.{name}.id}}")));
        let outputs: BTreeMap<String, String> = outputs.collect();
        let file = json!({
            "name": "example", "resources": resources, "data": data, "outputs": outputs,
            // An example is a part of a stack, and these are about the whole of one.
            "lint": {"SK0412": "off", "SK0822": "off"},
        });
        project.write("stacks/example.yaml", file.to_string());
        let told = project.run(&["validate"]).expect(0).stderr;
        assert_eq!(told, "", "{type_name}");
        project.apply();
        project.expect_no_changes();
        project.run(&["destroy", "--yes"]).expect(0);
        assert!(
            project.cloud().is_empty(),
            "{type_name}: {:#?}",
            project.cloud()
        );
    }
}

/// Services refuse two changes of one role or bucket at a time.
#[test]
fn what_changes_one_parent_has_one_lane() {
    let roles = [
        ("aws:iam:Role", json!({"name": "r"})),
        ("aws:iam:RolePolicy", json!({"role": "r"})),
        ("aws:iam:RolePolicyAttachment", json!({"role": "r"})),
    ];
    let bucket = |name: &'static str| (name, json!({"bucket": "b"}));
    let buckets = [
        bucket("aws:s3:Bucket"),
        bucket("aws:s3:BucketAcl"),
        bucket("aws:s3:BucketOwnershipControls"),
        bucket("aws:s3:BucketPolicy"),
        bucket("aws:s3:BucketPublicAccessBlock"),
        bucket("aws:s3:BucketVersioning"),
    ];
    for group in [&roles[..], &buckets[..]] {
        let lanes = group.iter().map(|(name, inputs)| {
            let kind = stackctl::resource::table::native().resource(name).unwrap();
            kind.lane(&Attributes::new(inputs.clone()))
                .unwrap_or_else(|| panic!("{name} has no lane"))
        });
        assert_eq!(lanes.collect::<BTreeSet<_>>().len(), 1, "{group:?}");
    }
}

/// What else types have: cases of the properties that are not in the first ones.
mod properties {
    crate::support::cases::cases!(
        "tests/properties",
        super::conforms,
        aws_apigatewayv2_api_cors,
        aws_apigatewayv2_api_quick,
        aws_apigatewayv2_api_unchecked,
        aws_apigatewayv2_integration_binary,
        aws_apigatewayv2_integration_http,
        aws_apigatewayv2_integration_send,
        aws_apigatewayv2_route,
        aws_apigatewayv2_routeresponse,
        aws_apigatewayv2_stage,
        aws_cloudwatch_loggroup_prefix,
        aws_iam_policy_prefix,
        aws_iam_role_prefix,
        aws_iam_rolepolicy_prefix,
        aws_lambda_eventsourcemapping,
        aws_lambda_function_durable,
        aws_lambda_function_full,
        aws_lambda_function_image,
        aws_lambda_permission_qualified,
        aws_lambda_permission_through,
        aws_lambda_permission_token,
        aws_lambda_permission_url,
        aws_lambda_permission_version,
        aws_s3_bucket,
        aws_s3_bucketacl,
        aws_s3_bucketobject_held,
        aws_s3_bucketobject_locked,
        aws_s3_bucketversioning,
        aws_sns_topic_fifo,
        aws_sns_topicsubscription_fifo,
        aws_sns_topicsubscription_firehose,
        aws_sqs_queue_fifo,
        aws_sqs_queue_prefix,
        random_randompassword,
        random_randomstring,
    );
}

fn conforms(path: &Path) {
    let mut case: Case = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut project = Project::new();
    let mut calls = Calls::record(&mut project);
    for (path, text) in &case.files {
        project.write(path, text);
    }
    write(&project, &case);
    project.apply();
    calls.section("create");
    project.expect_no_changes();
    calls.section("plan without changes");
    found_again(&project);
    calls.section("rebuild the state, plan, apply, plan");
    adopted_by_option(&project, &mut case);
    calls.section("import by the option: plan, apply, plan twice");
    for update in case.take_updates() {
        let names: Vec<&str> = update.keys().map(String::as_str).collect();
        let title = format!("update {}: plan, apply, plan", names.join(", "));
        let before = tag_keys(&case);
        let properties = case.resources[&case.address]["properties"].clone();
        changed(&mut case, update);
        write(&project, &case);
        expect_action(&project, &case.address, &[&["update"]]);
        calls.section(&title);
        // What is taken out of the file is nothing that others may refer to any more.
        let outputs = project.state()["resources"][&case.address]["outputs"].clone();
        for (name, old) in properties.as_object().unwrap() {
            if case.resources[&case.address]["properties"]
                .get(name)
                .is_none()
            {
                assert_ne!(outputs.get(name), Some(old), "{name}");
            }
        }
        // A key that stayed would count as somebody else's.
        let cloud: Vec<Value> = project
            .cloud()
            .into_iter()
            .map(|entry| entry.value)
            .collect();
        let cloud = json!(cloud).to_string();
        for key in before.difference(&tag_keys(&case)) {
            assert!(
                !cloud.contains(&json!(key).to_string()),
                "the tag {key} is still there"
            );
        }
    }
    if let Some(replace) = case.replace.take() {
        changed(&mut case, replace);
        write(&project, &case);
        expect_action(
            &project,
            &case.address,
            &[&["create", "delete"], &["delete", "create"]],
        );
        calls.section("replace: plan, apply, plan");
    }
    adopted(&project, &case);
    calls.section("import by the command, plan");
    deleted(&project, &case);
    calls.section("delete it alone, look for it");
    project.run(&["destroy", "--yes"]).expect(0);
    calls.section("destroy");
    calls.check(path);
    let left = project.cloud();
    assert!(left.is_empty(), "left behind: {left:#?}");
    assert_eq!(project.state()["resources"], json!({}));
}

fn tag_keys(case: &Case) -> BTreeSet<String> {
    let tags = case.resources[&case.address]["properties"]["tags"].as_object();
    tags.into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect()
}

/// A copy whose calls are noted beside those of the project.
fn twin(project: &Project) -> Project {
    let mut twin = project.fork();
    twin.share_environment(project);
    twin
}

/// Deleted while what it belongs to stays, it cannot be imported any more.
fn deleted(project: &Project, case: &Case) {
    let type_name = case.resources[&case.address]["type"].as_str().unwrap();
    // A bucket always has an ACL, and its versioning is suspended at best.
    let always = ["aws:s3:BucketAcl", "aws:s3:BucketVersioning"];
    if !type_name.starts_with("aws:") || always.contains(&type_name) {
        return;
    }
    let (_, id) = lost(&project.fork(), case);
    let project = twin(project);
    project
        .run(&["destroy", "--yes", "--target", &case.address])
        .expect(0);
    let there = project.state()["resources"].get(&case.address).is_some();
    assert!(!there, "{} is in the state", case.address);
    let refused = project
        .run(&["import", &case.address, &id, "--yes"])
        .expect(1);
    assert!(
        refused.stderr.contains(" does not exist"),
        "{}",
        refused.stderr
    );
}

/// The resource is lost from the state: what was known of it, and its import id.
pub(crate) fn lost(project: &Project, case: &Case) -> (Value, String) {
    let known = project.state()["resources"][&case.address].clone();
    assert!(known.is_object(), "{} is in the state", case.address);
    let mut id = case.import.clone().unwrap_or("${id}".to_owned());
    id = id.replace("${id}", known["id"].as_str().unwrap());
    for (name, value) in known["outputs"].as_object().unwrap() {
        id = id.replace(&format!("${{{name}}}"), value.as_str().unwrap_or_default());
    }
    // A password of the length asked for.
    let length = &case.resources[&case.address]["properties"]["length"];
    if let (Some(length), true) = (length.as_u64(), case.import.is_some()) {
        id = id
            .chars()
            .cycle()
            .take(usize::try_from(length).unwrap())
            .collect();
    }
    project
        .run(&["state", "rm", &case.address, "--yes"])
        .expect(0);
    (known, id)
}

/// What an import leaves in the state is what a create had left there.
fn expect_known(project: &Project, address: &str, known: &Value) {
    project.expect_no_changes();
    let state = project.state();
    let now = &state["resources"][address];
    for part in ["id", "inputs", "dependencies"] {
        assert_eq!(now[part], known[part], "{part} of {address}");
    }
}

/// The resource is lost from the state, and adopted by its import id: nothing is left to do
/// but what the case names as untold.
fn adopted(project: &Project, case: &Case) {
    let (known, id) = lost(project, case);
    let before = project.cloud();
    // In a file, since a drawn text may begin with a dash.
    let list = json!({&case.address: id});
    project.write("list.yaml", list.to_string());
    let import = ["import", "--file", "list.yaml", "--yes", "--json"];
    let ended = project.run(&import).expect(0);
    assert_eq!(ended.json()["imported"], json!([case.address]), "{id}");
    assert_eq!(project.cloud(), before, "an import changes nothing");
    if !case.untold().is_empty() {
        let plan = project.plan();
        assert_eq!(
            actions(&plan),
            [(case.address.clone(), vec!["update".to_owned()])]
        );
        expect_untold(&plan, case);
        project.apply();
    }
    expect_known(project, &case.address, &known);
}

/// The state and all its versions are lost: every object is found again, and the stack goes on
/// with the same ones.
fn found_again(project: &Project) {
    let known = project.state()["resources"].clone();
    let remote = |address: &str| known[address]["type"].as_str().unwrap().starts_with("aws:");
    let addresses: Vec<&String> = known.as_object().unwrap().keys().collect();
    if !addresses.iter().any(|address| remote(address)) {
        return;
    }
    let project = twin(project);
    std::fs::remove_dir_all(project.dir().join("state")).unwrap();
    std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap();
    let before = project.cloud();
    project.run(&["state", "rebuild", "--yes"]).expect(0);
    assert_eq!(project.cloud(), before, "a rebuild changes nothing");
    let state = project.state();
    // Two integrations of the same content may have changed places.
    let ids = |resources: &Value| -> BTreeSet<(String, String)> {
        let all = addresses.iter().filter(|address| remote(address));
        all.map(|address| (&known[address]["type"], &resources[address]["id"]))
            .map(|(kind, id)| (kind.to_string(), id.to_string()))
            .collect()
    };
    assert_eq!(
        ids(&state["resources"]),
        ids(&known),
        "they are found again"
    );
    let plan = project.plan();
    for (address, actions) in actions(&plan) {
        let fits = ["update", "create"][usize::from(!remote(&address))];
        assert_eq!(actions, [fits], "of {address}, which was found again");
    }
    project.apply();
    project.expect_no_changes();
}

/// The same by the option in the file: what is untold is sent in the same run.
fn adopted_by_option(project: &Project, case: &mut Case) {
    let (known, id) = lost(project, case);
    let before = project.cloud();
    let resource = case.resources.get_mut(&case.address).unwrap();
    let options = resource.get("options").cloned().unwrap_or(json!({}));
    resource["options"] = options.clone();
    resource["options"]["import"] = json!(id);
    write(project, case);
    let plan = project.plan();
    let mut expected = vec!["import".to_owned()];
    expected.extend((!case.untold().is_empty()).then(|| "update".to_owned()));
    assert_eq!(actions(&plan), [(case.address.clone(), expected)]);
    expect_untold(&plan, case);
    project.apply();
    if case.untold().is_empty() {
        assert_eq!(project.cloud(), before, "an import changes nothing");
    }
    expect_known(project, &case.address, &known);
    case.resources[&case.address]["options"] = options;
    write(project, case);
    expect_known(project, &case.address, &known);
}

/// Exactly the untold properties differ.
fn expect_untold(plan: &Value, case: &Case) {
    let changes = plan["changes"].as_array().unwrap();
    let change = changes
        .iter()
        .find(|change| change["address"] == *case.address);
    let reason = change.unwrap()["reason"].as_str().unwrap();
    let names = reason
        .trim_end_matches(" differs")
        .trim_end_matches(" differ");
    let names: Vec<&str> = names.split(", ").filter(|name| !name.is_empty()).collect();
    assert_eq!(names, case.untold(), "of {}", case.address);
}

fn write(project: &Project, case: &Case) {
    let stack = json!({"name": "case", "resources": case.resources, "data": case.data});
    project.write("stacks/case.yaml", stack.to_string());
}

/// Merges into the properties; null takes one out.
pub(crate) fn changed(case: &mut Case, change: Map<String, Value>) {
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
pub(crate) fn expect_action(project: &Project, address: &str, expected: &[&[&str]]) {
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
