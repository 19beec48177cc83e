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

/// What every command calls, whatever the types are.
const OF_NO_TYPE: &[&str] = &["sts:GetCallerIdentity"];

/// What the commands call that use a stack.
const OF_COMMANDS: &[&str] = &["lambda:Invoke", "logs:FilterLogEvents"];

/// The calls that a conformance run made, by what it recorded.
fn recorded(name: &str) -> BTreeSet<String> {
    let call = Regex::new(r"(?m)^ +[0-9]+ ([a-z0-9]+:[A-Za-z]+)").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/conformance");
    let text = std::fs::read_to_string(root.join(name)).unwrap();
    let calls = call.captures_iter(&text);
    calls.map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_type_declares_the_calls_that_it_makes() {
    let native = stackctl::resource::table::native();
    let types = native.resources();
    let known: BTreeSet<&str> = TABLE.iter().map(|row| row.operation).collect();
    for (name, kind) in types {
        for call in kind.calls() {
            assert!(known.contains(call), "{name}: {call} has no row");
        }
        assert_eq!(kind.calls().is_empty(), !name.starts_with("aws:"), "{name}");
    }
    let used = Regex::new(r#"type: "?(aws:[A-Za-z0-9]+:[A-Za-z]+)"#).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut wrong = Vec::new();
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut declared: BTreeSet<&str> = OF_NO_TYPE.iter().copied().collect();
        for name in used.captures_iter(&text) {
            declared.extend(types[&name[1]].calls());
        }
        let stem = path.file_stem().unwrap().to_str().unwrap();
        for call in recorded(&format!("{stem}.txt")) {
            if !declared.contains(call.as_str()) {
                wrong.push(format!("{stem}: {call} is not declared"));
            }
        }
        files += 1;
    }
    assert!(files > 30, "{files}");
    // What no type declares is the store's, or nobody's.
    let declared: BTreeSet<&str> = types
        .values()
        .flat_map(|kind| kind.calls())
        .copied()
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/s3");
    let files = std::fs::read_dir(folder).unwrap();
    let files = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file());
    let store: String = files
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for row in TABLE {
        let call = row.operation;
        let is_stores = store.contains(row.name());
        let is_common = [OF_NO_TYPE, OF_COMMANDS].concat().contains(&call);
        let is_common = is_common || call.starts_with("sts:");
        if !declared.contains(call) && !is_stores && !is_common {
            wrong.push(format!("no type declares {call}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
