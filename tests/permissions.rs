//! Every call in the code is in the table of permissions, under the name that its errors have,
//! and the table has nothing else. (The emulator tests hold the table against botocore's models.)

use regex::Regex;
use stackctl::resource::aws::permissions::{self, Permission, TABLE};
use std::collections::BTreeSet;
use std::path::Path;

/// The names that the code gives to calls: what `.call(…)`, `.call_unless(…)` and `send!(…)` get.
fn calls() -> BTreeSet<String> {
    let name = Regex::new(
        r#""((?:apigateway|iam|lambda|logs|s3|sns|sqs|sts):[A-Z][A-Za-z]+(?: \([A-Za-z0-9]+\))?)""#,
    )
    .unwrap();
    let called = Regex::new(r"(?s)(\.call\(|\.call_unless\(|send!\()").unwrap();
    let mut found = BTreeSet::new();
    for folder in ["src/resource/aws", "src/store"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files = vec![root];
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(
                    std::fs::read_dir(path)
                        .unwrap()
                        .map(|it| it.unwrap().path()),
                );
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            if path.ends_with("permissions.rs") {
                continue;
            }
            for name in name.captures_iter(text) {
                let at = name.get(0).unwrap().start();
                // The call's opening parenthesis is the last one before it, but for what the
                // request takes.
                let before = called.find_iter(&text[..at]).last();
                let between = before.map(|before| &text[before.end()..at]);
                if between.is_some_and(|text| !text.contains(';') && !text.contains('"')) {
                    found.insert(name[1].to_owned());
                }
            }
        }
    }
    assert!(found.len() > 100, "{found:?}");
    found
}

fn allows(row: &Permission, action: &str) -> bool {
    row.action == action || row.also.iter().any(|more| more.action == action)
}

#[test]
fn every_call_has_a_row_with_its_action_and_every_row_a_call() {
    let mut left: BTreeSet<&str> = TABLE.iter().map(|row| row.operation).collect();
    assert_eq!(left.len(), TABLE.len(), "an operation has one row");
    let mut wrong = Vec::new();
    for call in calls() {
        match permissions::of_call(&call) {
            None => wrong.push(format!("{call} has no row")),
            Some(row) => {
                left.remove(row.operation);
                let action = permissions::action(&call);
                if !allows(row, action) {
                    wrong.push(format!("{call}: {} takes {}", row.operation, row.action));
                }
            }
        }
    }
    wrong.extend(left.iter().map(|row| format!("nothing calls {row}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
