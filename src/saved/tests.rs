//! What is reported of a plan that no longer fits, what its file holds, and how it is read.

use super::compare::{Now, moved_before, moved_plan};
use super::*;
use crate::data::{Attributes, Data, Path};
use crate::engine::plan::{
    Action, Change, ChangedBy, Difference, Importing, Op, OutputChange, Step,
};
use crate::resource::table::native;
use crate::store::key::{Given, StateKey};
use crate::store::seal::{Seal, is_sealed};
use crate::store::state::State;
use serde_json::json;
use std::collections::BTreeSet;

fn saved(plan: Plan) -> SavedPlan {
    SavedPlan {
        stackctl: String::new(),
        summary: plan.summary(),
        command: Command::default(),
        files: BTreeMap::new(),
        variables: BTreeMap::new(),
        seed: 1,
        unix_time: 2,
        state: SavedState::default(),
        data: BTreeMap::new(),
        plan,
        key: None,
        mark: Mark::default(),
    }
}

fn queue(before: Value, after: Value) -> Change {
    Change {
        address: "queue".to_owned(),
        type_name: "aws:sqs:Queue".to_owned(),
        id: Some("https://queue".to_owned()),
        action: Action::Update,
        before: Some(Data::from(before)),
        after: Some(Data::from(after)),
        ..Change::default()
    }
}

fn plan(changes: impl Into<Vec<Change>>) -> Plan {
    Plan {
        changes: changes.into(),
        ..Plan::default()
    }
}

/// What is reported where the one plan was saved and the other one is computed now.
fn moved(was: &Plan, is: &Plan) -> Vec<String> {
    let moved = moved_plan(&saved(was.clone()), is, &BTreeMap::new(), &BTreeMap::new());
    moved.iter().map(ToString::to_string).collect()
}

#[test]
fn the_innermost_places_that_moved() {
    let was = queue(
        json!({"delaySeconds": 1, "tags": {"a": "b", "c": "d"}}),
        json!({"list": [1, 2], "more": [1], "same": true}),
    );
    let is = queue(
        json!({"delaySeconds": 2, "tags": {"a": "x", "c": "d"}}),
        json!({"list": [1, 3], "more": [1, 2], "same": true}),
    );
    assert_eq!(
        moved(&plan([was.clone()]), &plan([is])),
        [
            "the live value of queue.delaySeconds was 1 and is 2",
            "the live value of queue.tags.a was \"b\" and is \"x\"",
            "what the file wants of queue.list[1] was 2 and is 3",
            "what the file wants of queue.more was [1] and is [1,2]",
        ]
    );
    assert_eq!(moved(&plan([was.clone()]), &plan([was])), [""; 0]);
}

#[test]
fn an_expression_in_the_place_of_what_is_not_known() {
    let mut was = queue(json!({}), json!({"name": null}));
    let mut is = was.clone();
    let unknown = |change: &mut Change, text: &str| {
        let after = change.after.as_mut().unwrap();
        after.unknown = BTreeMap::from([(Path::root().join("name"), text.to_owned())]);
    };
    unknown(&mut was, "${a.id}");
    unknown(&mut is, "${b.id}");
    assert_eq!(
        moved(&plan([was]), &plan([is])),
        ["what the file wants of queue.name was \"${a.id}\" and is \"${b.id}\""]
    );
}

#[test]
fn what_exists_and_what_is_to_be_done() {
    let was = queue(json!({}), json!({}));
    let gone = Change {
        id: None,
        action: Action::Create,
        ..was.clone()
    };
    assert_eq!(
        moved(&plan([was.clone()]), &plan([gone.clone()])),
        ["queue was present as https://queue and is missing"]
    );
    let forced = Change {
        action: Action::DeleteThenCreate,
        reason: "asked for".to_owned(),
        ..was.clone()
    };
    assert_eq!(
        moved(&plan([was.clone()]), &plan([forced.clone()])),
        ["what is to be done with queue was update and is delete, then create (asked for)"]
    );
    let nothing = Change {
        action: Action::NoOp,
        ..was.clone()
    };
    let todo = "what is to be done with queue was";
    assert_eq!(
        moved(&plan([forced]), &plan([])),
        [format!(
            "{todo} delete, then create (asked for) and is nothing"
        )]
    );
    assert_eq!(
        moved(&plan([]), &plan([was.clone()])),
        [format!("{todo} nothing and is update")]
    );
    assert_eq!(
        moved(&plan([nothing.clone()]), &plan([was.clone()])),
        [format!("{todo} nothing and is update")]
    );
    // Live values of a resource that needs nothing are nobody's matter; its id is.
    let other = Change {
        before: Some(Data::from(json!({"delaySeconds": 9}))),
        ..nothing.clone()
    };
    assert_eq!(moved(&plan([nothing.clone()]), &plan([other])), [""; 0]);
    let other = Change {
        id: Some("https://other".to_owned()),
        ..nothing.clone()
    };
    assert_eq!(
        moved(&plan([nothing]), &plan([other])),
        ["queue was present as https://queue and is present as https://other"]
    );
    // What a resource holds was read for the screen and decides nothing.
    let holds = Change {
        holds: Some(crate::resource::contents::Contents::default()),
        ..was.clone()
    };
    assert_eq!(moved(&plan([was]), &plan([holds])), [""; 0]);
}

#[test]
fn outputs_and_steps() {
    let output = |value: Value| OutputChange {
        before: None,
        after: Some(Data::from(value)),
        sensitive: false,
    };
    let mut was = plan([]);
    was.outputs = BTreeMap::from([("url".to_owned(), output(json!("a")))]);
    let mut is = was.clone();
    is.outputs
        .insert("more".to_owned(), output(json!("x".repeat(90))));
    is.outputs.insert("url".to_owned(), output(json!("b")));
    assert_eq!(
        moved(&was, &is),
        [
            format!("the output more was not set and is \"{}…", "x".repeat(79)),
            "the output url was \"a\" and is \"b\"".to_owned(),
        ]
    );
    let update = |live: Value, changed: &str| Step {
        op: Op::Update {
            inputs: Data::from(json!({})),
            live: Attributes::new(live),
            changed: BTreeSet::from([Path::dotted(changed)]),
        },
        address: "queue".to_owned(),
        type_name: "aws:sqs:Queue".to_owned(),
        after: BTreeSet::new(),
    };
    let of = |step: Step| Plan {
        steps: vec![step],
        ..Plan::default()
    };
    // A saved plan has no live attributes in its steps.
    assert_eq!(
        moved(
            &of(update(Value::Null, "a")),
            &of(update(json!({"x": 1}), "a"))
        ),
        [""; 0]
    );
    assert_eq!(
        moved(&of(update(Value::Null, "a")), &of(update(Value::Null, "b"))),
        ["the steps of the plan was those saved and is others"]
    );
}

#[test]
fn the_state_its_files_and_variables() {
    let digest = "0123456789abcdef".to_owned();
    let mut saved = saved(plan([]));
    saved.files = BTreeMap::from([
        ("keyed".to_owned(), Some(format!("{KEYED}{digest}"))),
        ("read once".to_owned(), Some(digest.clone())),
        ("same".to_owned(), Some(digest.clone())),
    ]);
    let files = BTreeMap::from([
        ("keyed".to_owned(), Some(digest.clone())),
        ("same".to_owned(), Some(digest)),
    ]);
    let variable = |value: Value| SavedVariable {
        value,
        sensitive: false,
        origin: Origin::Default,
    };
    saved.variables = BTreeMap::from([
        ("a".to_owned(), variable(json!(1))),
        ("b".to_owned(), variable(json!(1))),
    ]);
    let variables = BTreeMap::from([
        ("a".to_owned(), variable(json!(1))),
        ("b".to_owned(), variable(json!([2]))),
        ("c".to_owned(), variable(json!(3))),
    ]);
    let told = |state: &SavedState| -> Vec<String> {
        let now = Now {
            files: &files,
            variables: &variables,
            state,
        };
        let moved = moved_before(&saved, &now);
        moved.iter().map(ToString::to_string).collect()
    };
    let others = [
        "the file keyed was code 0123456789ab and is sha256 0123456789ab",
        "the variable b was 1 and is [2]",
        "the variable c was not set and is 3",
    ];
    assert_eq!(told(&saved.state), others);
    let exists = SavedState {
        existed: true,
        serial: 4,
        ..saved.state.clone()
    };
    let first = "the state was missing and is present, with serial 4";
    assert_eq!(told(&exists), [&[first], &others[..]].concat());
    let later = SavedState {
        serial: 4,
        ..saved.state.clone()
    };
    let first = "the state's serial was 0 and is 4";
    assert_eq!(told(&later), [&[first], &others[..]].concat());
}

fn open_seal() -> Seal {
    let given = Given::passphrase("p".to_owned());
    Seal::new(StateKey::unlock(given, &State::empty("s", None, "l".to_owned())).unwrap())
}

/// A plan that has the secret in every place that can hold one.
fn plan_with(secret: &str) -> Plan {
    let path = Path::root().join("description");
    let mut data = Data::from(json!({"description": secret, "name": format!("n-{secret}")}));
    data.secret = BTreeSet::from([path.clone()]);
    let mut unknown = data.clone();
    unknown.unknown = BTreeMap::from([
        (path.clone(), format!("${{upper(\"{secret}\")}}")),
        (Path::root().join("policy"), format!("${{a}}{secret}")),
    ]);
    let decided = json!({"name": format!("n-{secret}"), "description": secret, "tags": [secret]});
    let Value::Object(decided) = decided else {
        panic!("a map")
    };
    let difference = Difference {
        path,
        applied: Some(json!(secret)),
        live: Some(json!(secret)),
        desired: Some(Data::from(json!(secret))),
        by: ChangedBy::File,
        replaces: false,
        secret: true,
        content: None,
    };
    let id = format!("id-{secret}");
    let change = Change {
        address: "policy".to_owned(),
        type_name: "aws:iam:Policy".to_owned(),
        id: Some(id.clone()),
        action: Action::Update,
        before: Some(data.clone()),
        after: Some(unknown.clone()),
        differences: vec![difference],
        decided: decided.clone(),
        importing: Some(Importing { id: None }),
        ..Change::default()
    };
    let (inputs, outputs) = (unknown, Attributes::new(json!({"a": secret})));
    let ops = [
        Op::Create {
            inputs: inputs.clone(),
            decided,
            operation: "o".to_owned(),
        },
        Op::Update {
            inputs: inputs.clone(),
            live: outputs.clone(),
            changed: BTreeSet::new(),
        },
        Op::Read {
            args: inputs.clone(),
        },
        Op::UpdateState {
            id: id.clone(),
            inputs: inputs.clone(),
            outputs: outputs.clone(),
        },
        Op::Import {
            id,
            inputs,
            outputs,
        },
    ];
    let step = |op| Step {
        op,
        address: "policy".to_owned(),
        type_name: "aws:iam:Policy".to_owned(),
        after: BTreeSet::new(),
    };
    let output = OutputChange {
        before: Some(json!({"deep": [secret]})),
        after: Some(Data::from(json!({"deep": [secret]}))),
        sensitive: true,
    };
    Plan {
        changes: vec![change],
        outputs: BTreeMap::from([("out".to_owned(), output)]),
        steps: ops.into_iter().map(step).collect(),
        ..Plan::default()
    }
}

#[test]
fn every_place_of_a_plan_is_sealed_and_still_compares() {
    let seal = open_seal().comparing();
    let plan = plan_with("hunter-secret-2");
    let written = sealed(&plan, native(), &seal);
    let text = serde_json::to_string(&written).unwrap();
    assert!(!text.contains("hunter-secret-2"), "{text}");
    assert_eq!(moved(&written, &sealed(&plan, native(), &seal)), [""; 0]);
    let change = &written.changes[0];
    let hash = |data: &Option<Data>| data.as_ref().unwrap().value["description"].clone();
    assert!(is_sealed(&hash(&change.before)) && is_sealed(&change.decided["description"]));
    let row = &change.differences[0];
    for value in [row.applied.as_ref(), row.live.as_ref()] {
        assert_eq!(value, Some(&hash(&change.before)));
    }
    assert_eq!(
        row.desired.as_ref().map(|data| &data.value),
        Some(&hash(&change.before))
    );
    // Another secret is another plan, in each of the places.
    let other = sealed(&plan_with("hunter-secret-3"), native(), &seal);
    let rows = moved(&written, &other);
    for what in [
        "the live value of policy.description is another one",
        "what the file wants of policy.description is another one",
        "the output out is another one",
    ] {
        assert!(rows.iter().any(|row| row == what), "{what}: {rows:#?}");
    }
    assert_ne!(
        (&written.steps, &change.decided),
        (&other.steps, &other.changes[0].decided)
    );
}

#[test]
fn what_is_no_secret_stays_readable() {
    let mut plan = plan([queue(
        json!({"delaySeconds": 1}),
        json!({"delaySeconds": 2}),
    )]);
    plan.changes[0].decided = serde_json::from_value(json!({"name": "n", "list": [1]})).unwrap();
    let output = OutputChange {
        before: Some(json!("a")),
        after: Some(Data::from(json!({"b": ["c"]}))),
        sensitive: false,
    };
    plan.outputs = BTreeMap::from([("out".to_owned(), output)]);
    assert_eq!(sealed(&plan, native(), &open_seal().comparing()), plan);
}

#[test]
fn a_file_is_read_as_it_was_written_or_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.plan");
    let plan = saved(plan([queue(json!({}), json!({"delaySeconds": 2}))]));
    let code = |text: &str| Some(format!("code of {text}"));
    write(&path, &plan, &code).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let checksum = text.split('"').nth(9).unwrap().to_owned();
    let back = read(&path).unwrap();
    let mark = Mark {
        mac: Some(format!("code of stackctl-plan 2 {checksum}")),
        text: format!("stackctl-plan 2 {checksum}"),
    };
    assert_eq!((&back.mark, checksum.len()), (&mark, 64));
    assert_eq!(
        SavedPlan {
            mark: Mark::default(),
            ..back
        },
        plan
    );
    assert_eq!(check_target(&path), Ok(()));

    let read_as = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let why = read(&path)
            .err()
            .map(|why| format!("{why:?}"))
            .unwrap_or_default();
        (why, check_target(&path))
    };
    let foreign = "there is a file of that name, and it is no saved plan".to_owned();
    for (other, why, target) in [
        ("name: x\n".to_owned(), "Foreign", Err(foreign.clone())),
        (
            text.replacen("stackctl-plan", "other-stackctl-plan", 1),
            "Foreign",
            Err(foreign.clone()),
        ),
        (
            text.replacen("\"version\":2", "\"version\":3", 1),
            "Version { version: 3 }",
            Ok(()),
        ),
        (
            text.replacen("\"seed\": 1", "\"seed\": 2", 1),
            "checksum",
            Ok(()),
        ),
        (text[..text.len() - 3].to_owned(), "checksum", Ok(())),
        (text[..40].to_owned(), "first line", Ok(())),
    ] {
        let (told, is_target) = read_as(&other);
        assert!(
            told.contains(why) && is_target == target,
            "{why}: {told} {is_target:?}"
        );
    }
    let plain = dir.path().join("b.plan");
    write(&plain, &plan, &|_| None).unwrap();
    assert!(!std::fs::read_to_string(&plain).unwrap().contains("mac"));
    assert_eq!(read(&plain).unwrap().mark.mac, None);
    assert_eq!(check_target(dir.path()), Err("it is a folder".to_owned()));
    let nowhere = dir.path().join("no/c.plan");
    let why = check_target(&nowhere).unwrap_err();
    assert!(why.ends_with("no does not exist"), "{why}");
    assert_eq!(check_target(&dir.path().join("d.plan")), Ok(()));
}
