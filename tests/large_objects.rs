//! Files that go up in parts: their content, what is left after a failure, an empty plan.

use crate::support::Project;
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

/// A project whose only object is a file of so many bytes.
fn project(size: usize) -> Project {
    let project = Project::new();
    let bytes: Vec<u8> = (0..size).map(|at| (at / 1000) as u8).collect();
    project.write("stacks/file.bin", bytes);
    let stack = json!({"name": "large", "resources": {
        "bucket": {"type": "aws:s3:Bucket", "properties": {"bucketPrefix": "large", "forceDestroy": true}},
        "object": {"type": "aws:s3:BucketObject", "properties": {
            "bucket": "${bucket.bucket}", "key": "a key", "source": "file.bin",
            "sourceHash": "${filesha256(\"file.bin\")}", "metadata": {"kind": "large"},
            "checksumAlgorithm": "CRC32",
        }},
    }});
    project.write("stacks/large.yaml", stack.to_string());
    project
}

fn object(project: &Project) -> Value {
    project.state()["resources"]["object"]["outputs"].clone()
}

/// The service's notes of unfinished uploads.
fn unfinished(project: &Project) -> usize {
    let entries = project.cloud().into_iter();
    entries.filter(|entry| entry.kind == "upload").count()
}

fn fault(call: &str, what: &str) -> String {
    json!([{"call": call, "at": 1, "what": what}]).to_string()
}

#[test]
fn a_large_file_goes_up_in_parts() {
    let project = project(17 * MIB);
    let told = project.apply().stderr;
    assert!(
        told.contains("object: waiting: part 1 of 3 is up"),
        "{told}"
    );
    project.expect_no_changes();
    let etag = object(&project)["etag"].as_str().unwrap().to_owned();
    assert!(etag.ends_with("-3"), "{etag}");
    // Another content, then a small one.
    project.write("stacks/file.bin", vec![7; 16 * MIB]);
    project.apply();
    let second = object(&project)["etag"].as_str().unwrap().to_owned();
    assert!(second.ends_with("-2") && second != etag, "{second}");
    project.write("stacks/file.bin", "small");
    project.apply();
    // The MD5 of small.
    assert_eq!(object(&project)["etag"], "eb5c1399a871211c7e7ed732d15e3a8b");
    assert_eq!(unfinished(&project), 0);
}

#[test]
fn a_broken_upload_in_parts_leaves_nothing_behind() {
    let applied = project(16 * MIB + 1);
    for (call, what) in [
        ("s3:CreateMultipartUpload", "lostReply"),
        ("s3:UploadPart", "reset"),
        ("s3:CompleteMultipartUpload", "lostReply"),
        ("s3:CompleteMultipartUpload", "killBefore"),
        ("s3:CompleteMultipartUpload", "killAfter"),
    ] {
        let mut project = applied.fork();
        project.env("STACKCTL_LOCAL_FAULTS", &fault(call, what));
        let ended = project.run(&["apply", "--yes"]);
        project.env("STACKCTL_LOCAL_FAULTS", "[]");
        if what.starts_with("kill") {
            assert_eq!(ended.code, None, "{call} {what}");
            project.apply();
        } else {
            assert_eq!(ended.code, Some(0), "{call} {what}:\n{}", ended.stderr);
        }
        project.expect_no_changes();
        assert_eq!(unfinished(&project), 0, "{call} {what}");
        assert!(object(&project)["etag"].as_str().unwrap().ends_with("-3"));
    }
}

#[test]
fn an_object_of_somebody_else_is_not_overwritten_in_parts() {
    let project = project(16 * MIB);
    project.apply();
    project.run(&["state", "rm", "object", "--yes"]).expect(0);
    project.write("stacks/file.bin", vec![9; 24 * MIB]);
    let ended = project.run(&["apply", "--yes"]).expect(1);
    assert!(ended.stderr.contains("an object at"), "{}", ended.stderr);
    assert_eq!(unfinished(&project), 0);
}
