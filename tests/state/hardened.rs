//! A state in a bucket that takes encrypted objects only, and in a store that is like S3 but
//! for its deletions.

use super::SMALL;
use crate::support::Project;
use serde_json::json;

const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/0-1";

/// A bucket whose policy denies puts without KMS, or with another key than the one.
const BUCKET: &str = r#"
name: states
resources:
  bucket:
    type: aws:s3:Bucket
    properties: {bucket: states, forceDestroy: true}
  policy:
    type: aws:s3:BucketPolicy
    properties:
      bucket: ${bucket.id}
      policy:
        Version: "2012-10-17"
        Statement:
          - Sid: OnlyKms
            Effect: Deny
            Principal: "*"
            Action: s3:PutObject
            Resource: arn:aws:s3:::states/*
            Condition: {StringNotEquals: {s3:x-amz-server-side-encryption: aws:kms}}
          - Sid: OnlyOurKey
            Effect: Deny
            Principal: "*"
            Action: s3:PutObject
            Resource: arn:aws:s3:::states/*
            Condition:
              StringNotEqualsIfExists:
                s3:x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:us-west-2:111122223333:key/0-1
"#;

fn project(state: Option<&str>) -> Project {
    let project = Project::new();
    project.write("stacks/states.yaml", BUCKET);
    project.run(&["apply", "states", "--yes"]).expect(0);
    std::fs::remove_file(project.dir().join("stacks/states.yaml")).unwrap();
    let state = state.map_or_else(String::new, |place| format!("state: \"{place}\"\n"));
    let name = format!("name: small\n{state}");
    project.write(
        "stacks/small.yaml",
        SMALL.replacen("name: small\n", &name, 1),
    );
    project
}

#[test]
fn a_bucket_that_takes_encrypted_objects_only_keeps_a_state() {
    let place = format!("s3://states/small.json?sse=aws:kms&kmsKeyId={KEY}");
    let project = project(Some(&place));
    project.apply();
    project.expect_no_changes();
    project
        .run(&["apply", "--yes", "--var", "size=31"])
        .expect(0);
    // A text that is no state is put aside, a version comes back, the lock is given back.
    project.run(&["state", "restore", "1", "--yes"]).expect(0);
    project
        .run(&["state", "migrate", "--to", "here.json", "--yes"])
        .expect(0);
    project
        .run(&[
            "state",
            "migrate",
            "--state",
            "here.json",
            "--to",
            &place,
            "--yes",
        ])
        .expect(0);
    project.run(&["destroy", "--yes"]).expect(0);
    let kept: Vec<String> = project
        .cloud()
        .iter()
        .filter(|entry| entry.service == "s3" && entry.key.contains("small.json"))
        .map(|entry| entry.value.to_string())
        .collect();
    assert!(!kept.is_empty());
    for object in kept {
        assert!(
            object.contains("\"aws:kms\"") && object.contains(KEY),
            "{object}"
        );
    }
}

#[test]
fn a_put_that_is_denied_says_which_option_the_place_may_lack() {
    for (place, told) in [
        (
            "s3://states/small.json".to_owned(),
            "s3://states/…?sse=aws:kms&kmsKeyId=…",
        ),
        (
            "s3://states/small.json?sse=AES256".to_owned(),
            "The write was sent with sse=AES256;",
        ),
        (
            "s3://states/small.json?sse=aws:kms&kmsKeyId=other".to_owned(),
            "The write was sent with sse=aws:kms and kmsKeyId=other;",
        ),
    ] {
        let ended = project(None)
            .run(&["apply", "--yes", "--state", &place])
            .expect(1);
        assert!(
            ended.stderr.contains("explicit deny"),
            "{place}: {}",
            ended.stderr
        );
        assert!(ended.stderr.contains(told), "{place}: {}", ended.stderr);
    }
}

#[test]
fn an_option_of_a_place_that_is_not_known_is_a_mistake() {
    let project = Project::new();
    for option in [
        "sse=kms",
        "kmsKeyId=",
        "encrypt=true",
        "sse=AES256&kmsKeyId=k",
    ] {
        let state = format!("name: small\nstate: s3://states/a.json?{option}\n");
        project.write(
            "stacks/small.yaml",
            SMALL.replacen("name: small\n", &state, 1),
        );
        let ended = project.run(&["validate"]).expect(3);
        assert!(
            ended.stderr.contains("is no place in S3"),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains("small.yaml:3:8"), "{}", ended.stderr);
    }
}

/// Some stores refuse to delete many objects at once.
#[test]
fn a_store_that_wants_md5_loses_no_save_and_is_swept_singly() {
    for what in ["missingMd5", "deny"] {
        let mut project = project(Some(&format!(
            "s3://states/small.json?sse=aws:kms&kmsKeyId={KEY}"
        )));
        let faults = json!([{"call": "s3:DeleteObjects", "what": what}]);
        project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
        project.env("STACKCTL_STATE_VERSIONS", "2");
        for size in ["30", "31", "32", "33"] {
            project
                .run(&["apply", "--yes", "--var", &format!("size={size}")])
                .expect(0);
        }
        let keys = |part: &str| {
            let entries = project.cloud().into_iter();
            entries.filter(|entry| entry.key.contains(part)).count()
        };
        if what == "missingMd5" {
            assert_eq!(keys("small.json.history/"), 2);
        }
        project.env("STACKCTL_LOCAL_FAULTS", "[]");
        project.run(&["destroy", "--yes"]).expect(0);
    }
}

/// The same where a bucket is emptied for its deletion.
#[test]
fn a_bucket_is_emptied_singly_where_many_are_refused() {
    let mut project = Project::new();
    project.write(
        "stacks/b.yaml",
        "name: b\nresources:\n  b: {type: aws:s3:Bucket, properties: {bucket: full-one, forceDestroy: true}}\n  \
         o: {type: aws:s3:BucketObject, properties: {bucket: \"${b.id}\", key: a, content: x}, options: {retainOnDelete: true}}\n",
    );
    project.apply();
    let faults = json!([{"call": "s3:DeleteObjects", "what": "missingMd5"}]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
    project.run(&["destroy", "--yes"]).expect(0);
    assert!(project.cloud().is_empty(), "{:?}", project.cloud());
}
