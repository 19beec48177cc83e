//! What a view hides, folds and says.

use super::*;
use crate::report::fixtures::{change, differs};
use crate::report::secrets::SECRET;
use serde_json::json;
use std::collections::BTreeMap;

/// An update of a policy: two differences within the document, and a description that is secret.
fn policy() -> Change {
    let statement = |action: &str, resource: &str| json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]});
    let at = |name: &str| format!("policy.Statement[0].{name}");
    let mut after = Data::from(json!({"policy": statement("b", "d"), "description": null}));
    let expression = "${upper(\"hunter2\")}".to_owned();
    after.unknown = [(Path::pointer("/description"), expression)].into();
    after.secret.insert(Path::pointer("/description"));
    Change {
        before: Some(
            json!({"policy": statement("a", "c").to_string(), "description": "hunter2"}).into(),
        ),
        after: Some(after.clone()),
        differences: vec![
            Difference {
                secret: true,
                desired: after.get(&Path::pointer("/description")),
                ..differs("description", json!("hunter2"), Value::Null)
            },
            differs(&at("Action"), json!("a"), json!("b")),
            Difference {
                applied: Some(json!("x")),
                by: ChangedBy::Both,
                replaces: true,
                ..differs(&at("Resource"), json!("c"), json!("d"))
            },
        ],
        ..change("policy", "aws:iam:Policy", Action::Update)
    }
}

#[test]
fn what_is_secret_is_in_no_value() {
    let change = policy();
    let view = resource(&change, false);
    let path = Path::pointer("/description");
    assert_eq!(view.sensitive, BTreeSet::from([path.clone()]));
    let (before, after) = (view.before.as_ref().unwrap(), view.after.as_ref().unwrap());
    assert_eq!(before.value["description"], Value::Null);
    // A known value has a hash, which shows whether it changes.
    assert!(before.hidden[&path].is_some());
    assert_eq!(after.hidden[&path], None);
    assert_eq!(after.unknown[&path], SECRET);
    let row = view.rows().next().unwrap();
    for side in [&row.applied, &row.live, &row.desired] {
        let side = side.as_ref().unwrap();
        assert_eq!(*side.value, Value::Null);
        assert!(side.hidden.contains_key(&Path::root()));
    }
    let shown = resource(&change, true);
    assert_eq!(shown.sensitive, view.sensitive);
    let before = shown.before.as_ref().unwrap();
    assert_eq!(before.value["description"], "hunter2");
    assert!(before.hidden.is_empty());
}

#[test]
fn what_lies_in_one_document_is_one_row_too() {
    let change = policy();
    let view = resource(&change, false);
    let paths = view.rows().map(|row| row.path.to_string());
    let paths: Vec<String> = paths.collect();
    assert_eq!(
        paths,
        [
            "description",
            "policy.Statement[0].Action",
            "policy.Statement[0].Resource"
        ]
    );
    let rows: Vec<&Row<'_>> = view.folded().collect();
    let [description, document] = rows[..] else {
        panic!("{} rows", rows.len())
    };
    assert_eq!(
        (description.kind, description.by),
        (Kind::Value, ChangedBy::File)
    );
    assert_eq!(
        (document.kind, document.by),
        (Kind::Policy, ChangedBy::Both)
    );
    assert!(document.replaces);
    let resource = |side: &Option<Masked<'_>>| {
        let value = side.as_ref().map(|shown| &*shown.value);
        Path::pointer("/Statement/0/Resource")
            .get(value.unwrap())
            .cloned()
    };
    let sides = [&document.applied, &document.live, &document.desired].map(resource);
    assert_eq!(sides, ["x", "c", "d"].map(|text| Some(json!(text))));
}

#[test]
fn an_output_that_was_not_kept_is_hidden_whatever_is_shown() {
    let change = OutputChange {
        before: Some(Value::Null),
        after: Some(json!("hunter2").into()),
        sensitive: true,
    };
    for show_secrets in [false, true] {
        let output = output("password", &change, show_secrets);
        assert_eq!(output.action, Action::Update);
        let (before, after) = (output.row.live.unwrap(), output.row.desired.unwrap());
        assert_eq!(before.hidden, BTreeMap::from([(Path::root(), None)]));
        assert_eq!(after.hidden.is_empty(), show_secrets);
        assert_eq!(*after.value == json!("hunter2"), show_secrets);
    }
}
