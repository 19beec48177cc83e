//! States that older versions wrote: without a key, encrypted to a key file, and with a
//! passphrase. They are read, and the next save writes them as this version does.

use crate::cli::secrets::{SECRET, clean, silent};
use crate::support::{Project, copy};
use serde_json::{Value, json};
use std::path::Path;

/// The key file of the state in `key-file`.
const KEY: &str = "AGE-SECRET-KEY-187PEHN8MSY20RD7ATS22AMVAXNQD2KRTG99VH46Q35288P65FJKQQTAEFW\n";
const RECIPIENT: &str = "age1rx5z4cf33pa5fy9ttp23n3rcakac3qnhcl3gqs74y4r00c89aduskclrud";

fn old(name: &str) -> Project {
    let mut project = Project::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/state/old");
    project.write(
        "stacks/old.yaml",
        std::fs::read(from.join("old.yaml")).unwrap(),
    );
    copy(&from.join(name).join("state"), &project.dir().join("state"));
    copy(
        &from.join(name).join("cloud"),
        &project.dir().join(".stackctl/local"),
    );
    project.env("STACKCTL_VAR_token", SECRET);
    project
}

fn outputs(project: &Project) -> Value {
    let args = ["outputs", "--json", "--show-secrets"];
    project.run(&args).expect(0).json()
}

/// The password as the local cloud has it, in the description of the role.
fn deployed(project: &Project) -> String {
    let cloud = project.cloud().into_iter();
    let mut texts = cloud.map(|entry| entry.value.to_string());
    let found = texts.find_map(|text| Some(text.split_once("\"pw ")?.1[..20].to_owned()));
    found.expect("a role with the password")
}

/// What is sealed in a state: the hash, and whether there is a ciphertext.
fn sealed(value: &Value, found: &mut Vec<(String, bool)>) {
    match value {
        Value::Object(map) => {
            if let Some(hash) = map.get("$sealed") {
                let hash = hash.as_str().unwrap().to_owned();
                found.push((hash, map.contains_key("$age")));
            }
            map.values().for_each(|value| sealed(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| sealed(value, found)),
        _ => {}
    }
}

#[test]
fn a_state_that_is_encrypted_to_a_key_file() {
    let mut project = old("key-file");
    project.run(&["plan"]).expect(1);
    project.write("key.txt", KEY);
    project.env("STACKCTL_STATE_KEY_FILE", "key.txt");
    project.expect_no_changes();
    let (before, told) = (project.state(), outputs(&project));
    assert_eq!(told["token"], SECRET);
    assert_eq!(told["password"], deployed(&project));
    assert_eq!(before["encryption"], json!({"recipient": RECIPIENT}));
    let plan = ["plan", "--out", "a.plan", "--var", "size=8"];
    silent(project.run(&plan).expect(0));
    silent(
        project
            .run(&["apply", "--plan", "a.plan", "--var", "size=8"])
            .expect(0),
    );
    let after = project.state();
    let recipients = after["encryption"]["recipients"].as_object().unwrap();
    assert_eq!(recipients.keys().collect::<Vec<_>>(), [RECIPIENT]);
    assert_ne!(after["encryption"]["recipient"], RECIPIENT);
    assert_eq!(outputs(&project), told);
    let (mut was, mut is) = (Vec::new(), Vec::new());
    sealed(&before, &mut was);
    sealed(&after, &mut is);
    // What is made of a secret is sealed as well by now.
    assert!(was.len() <= is.len());
    assert!(
        is.iter()
            .all(|(hash, kept)| *kept && was.iter().all(|(was, _)| was != hash))
    );
    let plan = ["plan", "--detailed-exitcode", "--var", "size=8"];
    project.run(&plan).expect(0);
}

#[test]
fn a_state_that_is_encrypted_with_a_passphrase() {
    let mut project = old("passphrase");
    project.run(&["plan"]).expect(1);
    project.env("STACKCTL_STATE_PASSPHRASE", "correct horse battery");
    project.expect_no_changes();
    let (before, told) = (project.state(), outputs(&project));
    assert_eq!(told["password"], deployed(&project));
    silent(
        project
            .run(&["apply", "--yes", "--var", "size=8"])
            .expect(0),
    );
    let after = project.state();
    assert_eq!(after["encryption"], before["encryption"]);
    assert_eq!(after["version"], 3);
    assert_eq!(after["outputs"]["password"], before["outputs"]["password"]);
    assert_eq!(outputs(&project), told);
}

#[test]
fn a_state_without_a_key() {
    let project = old("keyless");
    let planned = silent(project.run(&["plan"]).expect(0)).stdout;
    let reason = "# body differs; only a hash of its secret was kept, so it is sent once more";
    assert!(planned.contains(reason), "{planned}");
    assert!(
        planned.contains("warning: an older version kept only hashes of the secrets of api, "),
        "{planned}"
    );
    assert!(
        planned.contains("Plan: 0 to create, 1 to update, 0 to replace, 0 to delete."),
        "{planned}"
    );
    let password = deployed(&project);
    silent(project.apply());
    clean(&project.read("state/old.json"), "the state");
    project.expect_no_changes();
    let plan = project.run(&["plan"]).expect(0).stdout;
    assert!(!plan.contains("older version"), "{plan}");
    assert_eq!(deployed(&project), password, "it stays where it is");
    let told = outputs(&project);
    assert_eq!(
        (&told["token"], &told["derived"]),
        (&json!(SECRET), &json!("x-HUNTER2"))
    );
    assert_eq!(told["password"], Value::Null);
    let mut found = Vec::new();
    sealed(&project.state(), &mut found);
    assert!(
        found.iter().filter(|(_, kept)| *kept).count() > 5,
        "{found:?}"
    );
    let hashes = found.iter().filter(|(_, kept)| !kept);
    assert!(hashes.clone().count() > 1 && hashes.clone().all(|(hash, _)| hash.is_empty()));

    // What needs the password itself is refused, and says what to replace.
    let text = project.read("stacks/old.yaml").replace("  open:\n", "  more: {type: \"aws:sqs:Queue\", properties: {name: more, tags: {p: \"${password.result}\"}}}\n  open:\n");
    project.write("stacks/old.yaml", text);
    let refused = silent(project.run(&["apply", "--yes"]).expect(3));
    assert!(
        refused
            .stderr
            .contains("tags.p of more needs a secret of password")
            && refused.stderr.contains("--replace password"),
        "{}",
        refused.stderr
    );
    silent(
        project
            .run(&["apply", "--yes", "--replace", "password"])
            .expect(0),
    );
    assert_ne!(deployed(&project), password);
    assert_eq!(outputs(&project)["password"], deployed(&project));
    project.expect_no_changes();
}

/// A run of an older version that was killed: its journal has what this version does not write.
#[test]
fn a_journal_of_an_older_version() {
    let mut project = old("passphrase");
    project.env("STACKCTL_STATE_PASSPHRASE", "correct horse battery");
    let state = project.state();
    let mut queue = state["resources"]["queue"].clone();
    queue["origins"] = json!({"/tags/owner": "k:abcd"});
    let journal = [
        json!({"run": {"lineage": state["lineage"], "serial": state["serial"]}}),
        json!({"done": {"step": 0, "changes": [{"put": {"address": "queue", "resource": queue}}]}}),
    ];
    let journal: String = journal.iter().map(|line| format!("{line}\n")).collect();
    project.write("state/old.journal", journal);
    project.expect_no_changes();
    silent(project.apply());
    assert!(!project.read("state/old.json").contains("origins"));
}

/// Older versions did not mark what is made of a secret: the next save seals it, and keeps no id
/// that nobody needs.
#[test]
fn an_id_in_clear_that_is_made_of_a_secret() {
    let mut project = Project::new();
    project.env("STACKCTL_VAR_token", SECRET);
    let stack = json!({"name": "old",
        "variables": {"token": {"type": "string", "sensitive": true}},
        "resources": {"pet": {"type": "random:RandomPet", "properties": {"prefix": "${var.token}"}}},
        "outputs": {"pet": "${pet.id}"},
    });
    project.write("stacks/old.yaml", stack.to_string());
    project.apply();
    let (state, told) = (project.state(), outputs(&project));
    let mut pet = state["resources"]["pet"].clone();
    let new = pet.clone();
    assert_eq!(new["id"], "none");
    assert_eq!(new["sensitive"], json!(["/id", "/prefix"]));
    pet["id"] = told["pet"].clone();
    pet["outputs"]["id"] = told["pet"].clone();
    pet["sensitive"] = json!(["/prefix"]);
    let journal = [
        json!({"run": {"lineage": state["lineage"], "serial": state["serial"]}}),
        json!({"done": {"step": 0, "changes": [{"put": {"address": "pet", "resource": pet}}]}}),
    ];
    let journal: String = journal.iter().map(|line| format!("{line}\n")).collect();
    project.write("state/old.journal", journal);
    silent(project.apply());
    clean(&project.read("state/old.json"), "the state");
    let pet = &project.state()["resources"]["pet"];
    assert_eq!(
        (&pet["id"], &pet["sensitive"]),
        (&new["id"], &new["sensitive"])
    );
    assert_eq!(outputs(&project), told);
    project.expect_no_changes();
}
