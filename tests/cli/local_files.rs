//! Local files that a stack names: their content counts, and files that do not exist are mistakes.

use crate::support::{Project, actions};
use serde_json::{Value, json};

fn write(project: &Project, data: &Value, resources: &Value) {
    let stack = json!({
        "name": "s",
        "providers": {"aws": {"region": "us-west-2"}},
        "data": data,
        "resources": resources,
    });
    project.write("stacks/s.yaml", stack.to_string());
}

fn site() -> Value {
    json!({
        "b": {"type": "aws:s3:Bucket", "properties": {"bucket": "site-of-files", "forceDestroy": true}},
        "o": {"type": "aws:s3:BucketObject", "properties": {
            "bucket": "${b.id}", "key": "index.html", "source": "index.html",
        }},
    })
}

fn role() -> Value {
    json!({"type": "aws:iam:Role", "properties": {
        "name": "local-files",
        "assumeRolePolicy": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }]},
    }})
}

fn function(code: &Value) -> Value {
    let mut properties = json!({
        "name": "local-files", "role": "${r.arn}", "runtime": "python3.13", "handler": "a.h",
    });
    for (name, value) in code.as_object().unwrap() {
        properties[name] = value.clone();
    }
    json!({"type": "aws:lambda:Function", "properties": properties})
}

/// A zip file with one file of this text, stored.
fn zip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("a.py", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(text.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

fn updates(project: &Project, expected: &[&str]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|address| ((*address).to_owned(), vec!["update".to_owned()]))
        .collect();
    assert_eq!(actions(&project.plan()), expected);
}

#[test]
fn a_changed_file_is_a_change_and_another_path_is_none() {
    let project = Project::new();
    project.write("stacks/index.html", "<h1>one</h1>\n");
    write(&project, &json!({}), &site());
    project.apply();
    project.expect_no_changes();
    project.write("stacks/index.html", "<h1>two</h1>\n");
    let plan = project
        .run(&["plan", "--detailed-exitcode"])
        .expect(2)
        .stdout;
    assert!(plan.contains("# content of index.html differs\n"), "{plan}");
    assert!(
        plan.contains("~ source: content of index.html differs\n"),
        "{plan}"
    );
    project.apply();
    project.expect_no_changes();
    // Another path, as another machine has it, to the same bytes.
    project.write("stacks/../build/page.html", "<h1>two</h1>\n");
    let mut moved = site();
    moved["o"]["properties"]["source"] = json!("../build/page.html");
    write(&project, &json!({}), &moved);
    project.expect_no_changes();
    project.apply();
    project.expect_no_changes();
    project.run(&["drift"]).expect(0);
}

#[tokio::test]
async fn an_object_that_somebody_else_uploaded_is_drift() {
    let project = Project::new();
    project.write("stacks/index.html", "<h1>one</h1>\n");
    write(&project, &json!({}), &site());
    project.apply();
    let aws = project.outside().await;
    let call = aws
        .s3()
        .put_object()
        .bucket("site-of-files")
        .key("index.html");
    let call = call
        .content_type("text/html")
        .body(b"theirs".to_vec().into());
    call.send().await.unwrap();
    let drift = project.run(&["drift"]).expect(2).stdout;
    assert!(
        drift.contains("~ source: content of index.html differs\n"),
        "{drift}"
    );
    let plan = project.run(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("~ source: content of index.html differs  # changed outside stackctl\n"),
        "{plan}"
    );
    let told = project.run(&["drift", "--json"]).expect(2).json();
    assert_eq!(told["resources"][0]["drift"][0]["content"], json!(true));
    let refused = project
        .run(&["drift", "--accept", "o", "--yes"])
        .expect(1)
        .stderr;
    assert!(
        refused.contains("stands for the content of a file"),
        "{refused}"
    );
    // Taken into the state, it is the file that differs.
    let refreshed = project.fork();
    refreshed.run(&["refresh", "--yes"]).expect(0);
    refreshed.run(&["drift"]).expect(0);
    updates(&refreshed, &["o"]);
    project.apply();
    project.expect_no_changes();
    project.run(&["drift"]).expect(0);
}

#[test]
fn a_new_zip_is_deployed_and_what_an_import_finds_is_compared() {
    let project = Project::new();
    project.write("stacks/fn.zip", zip("one"));
    let resources = json!({"r": role(), "f": function(&json!({"filename": "fn.zip"}))});
    write(&project, &json!({}), &resources);
    project.apply();
    project.expect_no_changes();
    project.write("stacks/fn.zip", zip("two"));
    updates(&project, &["f"]);
    // What somebody deploys in between is no change of theirs, if it is the same.
    project.apply();
    project.expect_no_changes();
    project.run(&["state", "rm", "f", "--yes"]).expect(0);
    project
        .run(&["import", "f", "local-files", "--yes"])
        .expect(0);
    project.expect_no_changes();
    project.run(&["state", "rm", "f", "--yes"]).expect(0);
    project.write("stacks/fn.zip", zip("three"));
    project
        .run(&["import", "f", "local-files", "--yes"])
        .expect(0);
    updates(&project, &["f"]);
    project.apply();
    project.expect_no_changes();
}

#[tokio::test]
async fn code_that_somebody_else_deployed_is_drift() {
    let project = Project::new();
    project.write("stacks/fn.zip", zip("one"));
    let resources = json!({"r": role(), "f": function(&json!({"filename": "fn.zip"}))});
    write(&project, &json!({}), &resources);
    project.apply();
    let aws = project.outside().await;
    let call = aws.lambda().update_function_code();
    let call = call
        .function_name("local-files")
        .zip_file(zip("theirs").into());
    call.send().await.unwrap();
    let drift = project.run(&["drift"]).expect(2).stdout;
    assert!(
        drift.contains("~ filename: content of fn.zip differs\n"),
        "{drift}"
    );
    updates(&project, &["f"]);
    // Left to others, it is none.
    let mut left = resources.clone();
    left["f"]["options"] = json!({"ignoreChanges": ["filename"]});
    write(&project, &json!({}), &left);
    project.expect_no_changes();
    write(&project, &json!({}), &resources);
    project.apply();
    project.expect_no_changes();
}

#[tokio::test]
async fn a_function_follows_the_object_that_holds_its_code() {
    for literal in [false, true] {
        let project = Project::new();
        project.write("stacks/fn.zip", zip("one"));
        let (bucket, key) = match literal {
            true => ("code-of-files", "a.zip"),
            false => ("${b.id}", "${o.key}"),
        };
        let mut f = function(&json!({"s3Bucket": bucket, "s3Key": key}));
        f["options"] = json!({"dependsOn": ["o"]});
        let resources = json!({
            "b": {"type": "aws:s3:Bucket", "properties": {"bucket": "code-of-files", "forceDestroy": true}},
            "o": {"type": "aws:s3:BucketObject", "properties": {
                "bucket": "${b.id}", "key": "a.zip", "source": "fn.zip",
            }},
            "r": role(),
            "f": f,
        });
        write(&project, &json!({}), &resources);
        project.apply();
        project.expect_no_changes();
        project.write("stacks/fn.zip", zip("two"));
        updates(&project, &["f", "o"]);
        let plan = project.run(&["plan"]).expect(0).stdout;
        assert!(
            plan.contains("~ s3Key: content of fn.zip (o) differs\n"),
            "{plan}"
        );
        project.apply();
        project.expect_no_changes();
        let aws = project.outside().await;
        let live = aws.lambda().get_function().function_name("local-files");
        let live = live.send().await.unwrap().configuration.unwrap();
        let expected = stackctl::content::Content::of(&zip("two")).sha256_base64();
        assert_eq!(live.code_sha256.unwrap(), expected);
        // From outside.
        let call = aws
            .lambda()
            .update_function_code()
            .function_name("local-files");
        call.zip_file(zip("theirs").into()).send().await.unwrap();
        let drift = project.run(&["drift"]).expect(2).stdout;
        assert!(drift.contains("s3Key: content of a.zip differs"), "{drift}");
        updates(&project, &["f"]);
        project.apply();
        project.expect_no_changes();
    }
}

#[test]
fn an_archive_that_moves_by_its_hash_alone_is_no_change() {
    let project = Project::new();
    let data = |text: &str, out: Option<&str>| {
        json!({"z": {"type": "archive:getFile", "properties": {
            "type": "zip", "source": [{"content": text, "filename": "a.py"}], "outputPath": out,
        }}})
    };
    let resources = json!({
        "r": role(),
        "f": function(&json!({"filename": "${data.z.outputPath}"})),
    });
    write(&project, &data("one", None), &resources);
    project.apply();
    project.expect_no_changes();
    write(&project, &data("one", Some("../out/code.zip")), &resources);
    project.expect_no_changes();
    project.apply();
    write(&project, &data("two", Some("../out/code.zip")), &resources);
    let plan = project.run(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("~ filename: content of data.z differs\n"),
        "{plan}"
    );
    project.apply();
    project.expect_no_changes();
    // By its path, before it was ever written.
    let fresh = Project::new();
    let named = json!({"r": role(), "f": function(&json!({"filename": "../out/code.zip"}))});
    write(&fresh, &data("one", Some("../out/code.zip")), &named);
    fresh.run(&["validate"]).expect(0);
    fresh.apply();
    fresh.expect_no_changes();
}

#[test]
fn a_state_without_hashes_shows_no_false_change() {
    let project = Project::new();
    project.write("stacks/index.html", "one");
    project.write("stacks/fn.zip", zip("one"));
    let mut resources = site();
    resources["r"] = role();
    resources["f"] = function(&json!({"filename": "fn.zip"}));
    write(&project, &json!({}), &resources);
    project.apply();
    let mut state: Value = serde_json::from_str(&project.read("state/s.json")).unwrap();
    let object = state.as_object_mut().unwrap();
    object.remove("checksum");
    object["version"] = json!(1);
    for known in object["resources"].as_object_mut().unwrap().values_mut() {
        known.as_object_mut().unwrap().remove("files");
    }
    let text = serde_json::to_string_pretty(&state).unwrap();
    std::fs::remove_dir_all(project.dir().join(".stackctl/history")).unwrap();
    project.write("state/s.json", text);
    project.expect_no_changes();
    project.write("stacks/fn.zip", zip("two"));
    updates(&project, &["f"]);
    project.apply();
    project.expect_no_changes();
    assert!(project.state()["resources"]["o"]["files"]["/source"].is_object());
}

#[test]
fn files_that_do_not_exist_are_mistakes_all_at_once() {
    let project = Project::new();
    std::fs::create_dir(project.dir().join("stacks/folder")).unwrap();
    let data = json!({"z": {"type": "archive:getFile", "properties": {"type": "zip", "sourceDir": "nosrc"}},
        "y": {"type": "archive:getFile", "properties": {"type": "zip", "sourceFile": "nosource.py"}}});
    let mut resources = site();
    resources["r"] = role();
    resources["o"]["properties"]["source"] = json!("${each.value}");
    resources["o"]["properties"]["key"] = json!("${each.key}");
    resources["o"]["options"] = json!({"forEach": {"a": "nofile.txt", "b": "folder"}});
    resources["f"] = function(&json!({"filename": "nocode.zip"}));
    write(&project, &data, &resources);
    for command in [&["validate"][..], &["plan"], &["apply", "--yes"]] {
        let ended = project.run(command).expect(3);
        for part in [
            "error: the file stacks/nofile.txt does not exist (in o[\"a\"])\n",
            "error: stacks/folder is a folder, expected a file (in o[\"b\"])\n",
            "error: the file stacks/nocode.zip does not exist\n",
            "error: the folder stacks/nosrc does not exist\n",
            "error: the file stacks/nosource.py does not exist\n",
            "5 errors in stacks/s.yaml",
            "= help: the path starts from the stack file's folder\n",
        ] {
            assert!(ended.stderr.contains(part), "{part} in {}", ended.stderr);
        }
    }
    assert!(project.cloud().is_empty());
}

#[test]
fn a_pattern_that_matches_nothing_is_a_warning_with_its_place() {
    let project = Project::new();
    project.write("src/a.py", "a = 1\n");
    let data = json!({"z": {"type": "archive:getFile", "properties": {
        "type": "zip", "sourceDir": "../src", "excludes": ["{tests,docs}/**"]}}});
    write(&project, &data, &json!({}));
    for command in ["validate", "plan"] {
        let ended = project.run(&[command]).expect(0);
        let part = "warning: the pattern \"{tests,docs}/**\" matches nothing in ../src";
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("--> stacks/s.yaml:1:"),
            "{}",
            ended.stderr
        );
    }
    project.write("src/docs/b.md", "b");
    let quiet = project.run(&["plan"]).expect(0);
    assert!(!quiet.stderr.contains("warning"), "{}", quiet.stderr);
}
