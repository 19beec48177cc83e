//! Keys that another stack, or a hand, put into a map: what the plan, the drift and the files say.

use crate::support::Project;
use aws_sdk_s3::types::{Tag, Tagging};
use serde_json::{Value, json};

fn write(project: &Project, name: &str, resources: &Value) {
    let stack = json!({
        "name": name,
        "providers": {"aws": {"region": "us-west-2"}},
        "resources": resources,
    });
    project.write(&format!("stacks/{name}.yaml"), stack.to_string());
}

fn queue(tags: Value) -> Value {
    json!({"q": {"type": "aws:sqs:Queue", "properties": {"name": "shared", "tags": tags}}})
}

const URL: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/shared";

#[test]
fn a_tag_of_another_stack_stays() {
    let project = Project::new();
    write(
        &project,
        "a",
        &queue(json!({"team": "red", "extra": "keep"})),
    );
    project.run(&["apply", "a", "-y"]).expect(0);
    write(&project, "b", &queue(json!({"team": "red"})));
    project.run(&["import", "b", "q", URL, "-y"]).expect(0);
    project.run(&["plan", "b", "--detailed-exitcode"]).expect(0);
    write(&project, "b", &queue(json!({"team": "blue", "own": "1"})));
    project.run(&["apply", "b", "-y"]).expect(0);
    project.run(&["plan", "b", "--detailed-exitcode"]).expect(0);
    // What b took out of its own file goes, and nothing else.
    write(&project, "b", &queue(json!({"team": "blue"})));
    project.run(&["apply", "b", "-y"]).expect(0);
    let drift = project.run(&["drift", "a"]).expect(2).stdout;
    assert!(drift.contains("~ tags.team: red -> blue\n"), "{drift}");
    assert!(
        !drift.contains("extra") && !drift.contains("own"),
        "{drift}"
    );
}

fn function(variables: Value) -> Value {
    json!({
        "r": {"type": "aws:iam:Role", "properties": {
            "name": "shared",
            "assumeRolePolicy": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }]},
        }},
        "f": {"type": "aws:lambda:Function", "properties": {
            "name": "shared", "role": "${r.arn}", "runtime": "python3.13", "handler": "a.h",
            "filename": "${data.zip.outputPath}", "sourceCodeHash": "${data.zip.outputBase64sha256}",
            "environment": {"variables": variables},
        }},
    })
}

async fn set_by_hand(project: &Project) {
    let aws = project.outside().await;
    let vars = aws_sdk_lambda::types::Environment::builder()
        .variables("AA", "one")
        .variables("CC", "by-hand")
        .build();
    let call = aws.lambda().update_function_configuration();
    let call = call.function_name("shared").environment(vars);
    call.send().await.unwrap();
}

#[tokio::test]
async fn a_variable_set_by_hand_is_shown_before_it_goes_or_is_taken_into_the_file() {
    let project = Project::new();
    let stack = json!({
        "name": "fn",
        "providers": {"aws": {"region": "us-west-2"}},
        "data": {"zip": {"type": "archive:getFile", "properties": {
            "type": "zip", "source": [{"content": "h = 1", "filename": "a.py"}],
        }}},
        "resources": function(json!({"AA": "one"})),
    });
    project.write("stacks/fn.yaml", stack.to_string());
    project.apply();
    set_by_hand(&project).await;
    let row = "- environment.variables.CC: by-hand  # not in the file\n";
    let plan = project.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains(row), "{plan}");
    assert!(!plan.contains("AA"), "{plan}");
    let drift = project.run(&["drift"]).expect(2).stdout;
    assert!(
        drift.contains("+ environment.variables.CC: by-hand\n"),
        "{drift}"
    );
    let told = project.run(&["drift", "--json"]).expect(2).json();
    assert_eq!(
        told["resources"][0]["drift"],
        json!([{"path": "/environment/variables/CC", "applied": null, "live": "by-hand"}])
    );

    // Taken into the state, it is a change by the file.
    let refreshed = project.fork();
    refreshed.run(&["refresh", "--yes"]).expect(0);
    refreshed.run(&["drift"]).expect(0);
    let plan = refreshed.run(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("- environment.variables.CC: by-hand\n"),
        "{plan}"
    );

    // Taken into the file, nothing is left to do.
    let accepted = project.fork();
    accepted.run(&["drift", "--accept", "f", "--yes"]).expect(0);
    assert!(accepted.read("stacks/fn.yaml").contains("CC"));
    accepted.run(&["refresh", "--yes"]).expect(0);
    accepted.expect_no_changes();

    // A saved plan has the row, and does what it says.
    project.run(&["plan", "--out", "plan.json"]).expect(0);
    project
        .run(&["apply", "--plan", "plan.json", "-y"])
        .expect(0);
    project.expect_no_changes();
    project.run(&["drift"]).expect(0);
    let cloud = format!("{:?}", project.cloud());
    assert!(!cloud.contains("by-hand"), "{cloud}");
}

#[tokio::test]
async fn tags_that_others_gave_an_object_outlive_its_next_upload() {
    let project = Project::new();
    let with = |content: &str| {
        json!({
            "b": {"type": "aws:s3:Bucket", "properties": {"bucket": "tagged-outside", "forceDestroy": true}},
            "o": {"type": "aws:s3:BucketObject", "properties": {
                "bucket": "${b.id}", "key": "k", "content": content,
            }},
        })
    };
    write(&project, "s", &with("one"));
    project.apply();
    let tag = Tag::builder()
        .key("scanned")
        .value("clean")
        .build()
        .unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    let aws = project.outside().await;
    let call = aws
        .s3()
        .put_object_tagging()
        .bucket("tagged-outside")
        .key("k");
    call.tagging(tagging).send().await.unwrap();
    project.expect_no_changes();
    write(&project, "s", &with("two"));
    project.apply();
    project.expect_no_changes();
    let call = aws
        .s3()
        .get_object_tagging()
        .bucket("tagged-outside")
        .key("k");
    let tags = call.send().await.unwrap().tag_set;
    assert_eq!(tags.len(), 1, "{tags:?}");
    assert_eq!(tags[0].key, "scanned");
}
