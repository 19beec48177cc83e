//! Documents, policies and multi-line strings.

use super::*;

/// A type with documents, since none of the real ones is needed here.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Documents {
    policy: crate::schema::document::Policy,
    document: crate::schema::document::Document,
    #[schemars(extend("sensitive" = true))]
    token: String,
}

fn rows_of_documents(change: &Change) -> String {
    let schema = crate::schema::Schema::of::<Documents, ()>("test:Documents");
    let change = Change {
        schema: Declared(Some(Box::leak(Box::new(schema)))),
        ..change.clone()
    };
    let mut page = Page::new(&Style {
        color: false,
        width: 100,
        show_secrets: false,
    });
    difference::rows(&mut page, 0, &view::resource(&change, false));
    page.out
}

#[test]
fn a_document_is_shown_as_json_line_by_line() {
    let live =
        json!({"maxReceiveCount": 5, "deadLetterTargetArn": "arn:aws:sqs:::a", "extra": [1, 2]});
    let mut desired = with_unknown(live.clone(), &[("/deadLetterTargetArn", "${dead.arn}")]);
    desired.set(&Path::pointer("/extra/1"), json!(3).into());
    let text = live.to_string();
    insta::assert_snapshot!(rows_of_documents(&update(vec![
        differs("document", json!(text), desired),
        differs("token", json!("hunter2"), json!("hunter3")),
    ])), @r#"
    ~ document:
          {
        -   "deadLetterTargetArn": "arn:aws:sqs:::a",
        +   "deadLetterTargetArn": ${dead.arn},
            "extra": [
              1,
        -     2
        +     3
            ],
            "maxReceiveCount": 5
          }
    ~ token: (secret, changes)
    "#);
}

#[test]
fn differences_within_a_document_make_one_row() {
    let statement = |resource: &str| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "Send", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": resource},
        ]})
    };
    let deep = |path: &str, values: [Value; 3], by| Difference {
        replaces: false,
        ..drift(path, values, by)
    };
    let at = "policy.Statement[0].Resource";
    let mut changed = update(vec![deep(
        at,
        ["a", "b", "c"].map(Value::from),
        ChangedBy::Both,
    )]);
    changed.before = Some(json!({"policy": statement("b").to_string()}).into());
    changed.after = Some(json!({"policy": statement("c")}).into());
    insta::assert_snapshot!(rows_of_documents(&changed), @"
    ~ policy:  # changed on both sides
        last applied -> live:
            ~ Statement[Send]:
                ~ Resource: a -> b
        live -> file:
            ~ Statement[Send]:
                ~ Resource: b -> c
    ");
    changed.differences = vec![deep(
        at,
        ["c", "b", "c"].map(Value::from),
        ChangedBy::Outside,
    )];
    insta::assert_snapshot!(rows_of_documents(&changed), @"
    ~ policy:  # changed outside stackctl
        live -> file, which is as last applied:
            ~ Statement[Send]:
                ~ Resource: b -> c
    ");
}

#[test]
fn a_policy_is_shown_statement_by_statement() {
    let live = json!({"Version": "2008-10-17", "Statement": [
        {"Sid": "SendOnly", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"},
        {"Sid": "Same", "Effect": "Allow", "Action": "sqs:GetQueueUrl", "Resource": ["*"]},
        {"Effect": "Allow", "Action": ["logs:PutLogEvents", "logs:CreateLogStream"], "Resource": "*"},
        {"Sid": "Old", "Effect": "Deny", "Action": "s3:*", "Resource": "*"},
    ]});
    let desired = with_unknown(
        json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "Same", "Effect": "Allow", "Action": ["sqs:GetQueueUrl"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream"], "Resource": "*"},
            {"Sid": "SendOnly", "Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"],
             "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            {"Sid": "New", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
             "Action": "sts:AssumeRole"},
        ]}),
        &[("/Statement/2/Resource", "${queue.arn}")],
    );
    let mut page = Page::new(&Style {
        color: false,
        width: 100,
        show_secrets: false,
    });
    let none = SecretPaths::default();
    let veil = Veil::new(&none, None, false);
    let (old, new) = (veil.value(&live), veil.data(&desired));
    let (old, new) = (Node::of(&old), Node::of(&new));
    assert!(policy::diff(&mut page, 6, &old, &new));
    insta::assert_snapshot!(page.out, @r#"
    ~ Version: "2008-10-17" -> "2012-10-17"
    ~ Statement[1]:
        ~ Action:
            - logs:PutLogEvents
            + logs:CreateLogGroup
    ~ Statement[SendOnly]:
        ~ Action:
            + sqs:GetQueueUrl
        + Condition:
            Bool:
              aws:SecureTransport: "true"
        ~ Resource: "*" -> ${queue.arn}
    + Statement[New]:
        Action: sts:AssumeRole
        Effect: Allow
        Principal:
          Service: lambda.amazonaws.com
    - Statement[Old]:
        Action: s3:*
        Effect: Deny
        Resource: "*"
    # (1 unchanged statement hidden)
    "#);
}

#[test]
fn a_text_is_shown_line_by_line() {
    let lines: Vec<String> = (1..=12).map(|n| format!("line {n}")).collect();
    let old = format!("{}\n", lines.join("\n"));
    let new = old.replace("line 6\n", "line six\nline six and a half\n");
    insta::assert_snapshot!(show(vec![update(vec![
        differs("template", json!(old), json!(new)),
        differs("ending", json!("a\nb"), json!("a\nb\n")),
    ])]), @"
    websocket-sqs, account 123456789012, region us-west-2

      ~ worker  aws:lambda:Function  [id=worker-a1b2]  # 2 properties changed
          ~ template:
                line 3
                line 4
                line 5
              - line 6
              + line six
              + line six and a half
                line 7
                line 8
                line 9
          ~ ending:
                a
                b
              - (no line end)
          # (12 unchanged properties hidden)

    Plan: 0 to create, 1 to update, 0 to replace, 0 to delete.
    ");
}

#[test]
fn long_strings_show_where_they_differ() {
    let text = |word: &str| format!("{}{word}{}", "x".repeat(200), "y".repeat(200));
    insta::assert_snapshot!(show(vec![update(vec![
        differs("requestTemplate", json!(text("old")), json!(text("new"))),
        differs("uri", json!(format!("arn:{}", "a".repeat(80))), json!(format!("arn:{}", "b".repeat(80)))),
    ])]), @r#"
    websocket-sqs, account 123456789012, region us-west-2

      ~ worker  aws:lambda:Function  [id=worker-a1b2]  # 2 properties changed
          ~ requestTemplate:
              - …"xxxxxxxxxxxxxxxxxxxxxxxxoldyyyyyyyyyyyyyyyyyyyyyyyy"…
              + …"xxxxxxxxxxxxxxxxxxxxxxxxnewyyyyyyyyyyyyyyyyyyyyyyyy"…
          ~ uri:
              - arn:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
              + arn:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
          # (12 unchanged properties hidden)

    Plan: 0 to create, 1 to update, 0 to replace, 0 to delete.
    "#);
}
