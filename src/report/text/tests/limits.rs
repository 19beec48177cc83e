//! What must never be seen, and how much may be.

use super::*;

#[test]
fn secrets_are_named_but_not_shown() {
    let secret = |difference: Difference| Difference {
        secret: true,
        content: None,
        ..difference
    };
    let mut changed = update(vec![
        secret(differs("password", json!("hunter2"), json!("hunter3"))),
        secret(Difference {
            live: None,
            ..differs("token", json!("hunter4"), json!("hunter5"))
        }),
        secret(Difference {
            desired: None,
            ..differs("pin", json!("hunter6"), Value::Null)
        }),
        secret(drift(
            "key",
            ["hunter7", "hunter8", "hunter7"].map(Value::from),
            ChangedBy::Outside,
        )),
        differs(
            "settings",
            json!({"mode": "a", "password": "hunter9", "same": "huntera"}),
            json!({"mode": "b", "password": "hunterb", "same": "huntera"}),
        ),
    ]);
    changed.after = Some(Data {
        secret: ["/settings/password", "/settings/same"]
            .map(Path::pointer)
            .into(),
        ..Data::default()
    });
    let mut created = change("db", "x:y:Db", Action::Create);
    let mut data = Data::from(json!({"user": "admin", "password": "hunterc"}));
    data.secret.insert(Path::pointer("/password"));
    created.after = Some(data);
    let text = show(vec![created, changed]);
    assert!(!text.contains("hunter"), "{text}");
    insta::assert_snapshot!(text, @"
    websocket-sqs, account 123456789012, region us-west-2

      + db  x:y:Db
          password: (secret)
          user: admin

      ~ worker  aws:lambda:Function  [id=worker-a1b2]  # 2 properties changed
          ~ password: (secret, changes)
          + token: (secret)
          - pin: (secret)
          ~ key: (secret, changes)  # changed outside stackctl
          ~ settings:
              - mode: a
              - password: (secret)
              + mode: b
              + password: (secret, changes)
                same: (secret)
          # (12 unchanged properties hidden)

    Plan: 1 to create, 1 to update, 0 to replace, 0 to delete.
    ");
}

#[test]
fn nothing_in_a_plan_writes_to_the_terminal() {
    let evil = "\u{1b}]0;owned\u{7}\u{9b}2J\r\n\u{202e}";
    let mut created = change(evil, evil, Action::Create);
    created.id = Some(evil.to_owned());
    created.reason = evil.to_owned();
    let value =
        json!({evil: evil, "list": [evil, {evil: evil}], "text": format!("{evil}\n{evil}")});
    created.after = Some(with_unknown(value.clone(), &[("/u", evil)]));
    let mut updated = update(vec![
        differs(
            "x",
            json!({"a": value.clone()}),
            json!({"b": value.clone()}),
        ),
        drift(
            "y",
            [value.clone(), json!(evil), json!("x")],
            ChangedBy::Both,
        ),
    ]);
    updated.differences[0].path = Path::root().join(evil);
    let mut deleted = change(evil, evil, Action::Delete);
    deleted.before = Some(value.into());
    let mut plan_with = plan_of(vec![created, updated, deleted]);
    plan_with.stack = evil.to_owned();
    plan_with.region = Some(evil.to_owned());
    plan_with.outputs.insert(
        evil.to_owned(),
        OutputChange {
            before: Some(json!(evil)),
            after: Some(json!([evil, evil]).into()),
            sensitive: false,
        },
    );
    let text = plan(&plan_with, &Style::default());
    let active: Vec<char> = text
        .chars()
        .filter(|c| *c != '\n' && !crate::report::terminal::is_harmless(&c.to_string()))
        .collect();
    assert!(active.is_empty(), "{active:?} in {text}");
}

#[test]
fn colours_change_nothing_but_colour() {
    let changes = vec![
        update(vec![differs("a", json!(1), json!(2))]),
        change("gone", "x:y:Z", Action::Delete),
    ];
    let colored = plan(
        &plan_of(changes.clone()),
        &Style {
            color: true,
            ..Style::default()
        },
    );
    assert!(colored.contains("\u{1b}[33m~"), "{colored:?}");
    assert_eq!(console::strip_ansi_codes(&colored), show(changes));
}

#[test]
fn ten_thousand_creates_take_a_moment() {
    let after = with_unknown(
        json!({"name": "orders", "tags": {"a": "b"}, "list": ["x", "y"], "size": 4}),
        &[("/role", "${role.arn}")],
    );
    let changes = (0..10_000)
        .map(|n| Change {
            after: Some(after.clone()),
            ..change(
                &format!("queue[\"{n}\"]"),
                "random:RandomString",
                Action::Create,
            )
        })
        .collect();
    let text = show(changes);
    assert!(text.ends_with("Plan: 10000 to create, 0 to update, 0 to replace, 0 to delete.\n"));
}

#[test]
fn an_id_made_of_a_secret_is_not_shown_where_only_the_state_changes() {
    let mut properties = Data::from(json!({"name": "hunter2"}));
    properties.secret.insert(Path::pointer("/name"));
    let mut queue = change("queue", "aws:sqs:Queue", Action::NoOp);
    let id = "https://sqs.us-west-2.amazonaws.com/1/hunter2".to_owned();
    queue.id = Some(id.clone());
    queue.before = Some(properties.clone());
    queue.after = Some(properties.clone());
    let mut plan = plan_of(vec![queue]);
    plan.steps = vec![Step {
        op: Op::UpdateState {
            id,
            inputs: properties,
            outputs: Default::default(),
        },
        address: "queue".to_owned(),
        type_name: "aws:sqs:Queue".to_owned(),
        after: Default::default(),
    }];
    let shown = super::plan(&plan, &Style::default());
    assert!(
        shown.contains("  = queue  aws:sqs:Queue  [id=(secret)]"),
        "{shown}"
    );
    let shown = crate::report::json::plan(&plan, false);
    assert_eq!(shown["changes"][0]["id"], "(secret)");
}
