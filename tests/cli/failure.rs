//! Runs that fail in part or are interrupted, and the runs after them.

use super::state::slow_apply;
use super::{SMALL, masked, seen, small};
use crate::support::Project;
use std::io::Read;
use std::process::{Child, Command};

#[test]
fn independent_steps_go_on_and_the_next_apply_finishes() {
    let project = small();
    // An action without a service is a mistake before any call; this one is a warning.
    let bad = SMALL
        .replace("sqs:SendMessage", "sqs:Send-Message")
        .replace("outputs:", "  attach:\n    type: aws:iam:RolePolicyAttachment\n    properties: {role: \"${role.name}\", policyArn: \"${policy.arn}\"}\n  role:\n    type: aws:iam:Role\n    properties:\n      name: r\n      assumeRolePolicy: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Action: \"sts:AssumeRole\", Principal: {Service: sqs.amazonaws.com}}]}\noutputs:");
    project.write("stacks/small.yaml", &bad);
    let failed = project.run(&["apply", "--yes"]).expect(1);
    let at = failed.stderr.find("\nerror:").unwrap();
    masked(|| {
        insta::assert_snapshot!(&failed.stderr[at..], @"
        error: policy was not created
          cause: iam:CreatePolicy returned MalformedPolicyDocument: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. (request [id])
          next: Fix the cause, then run the command again; what is done stays done.
          skipped: attach

        Apply failed: 3 created, 0 updated, 0 replaced, 0 deleted in [time]. 1 failed, 1 skipped.
        ");
    });
    assert!(
        failed
            .stderr
            .contains("attach: skipped: depends on policy, which failed")
    );
    let state = project.state();
    let done: Vec<&String> = state["resources"].as_object().unwrap().keys().collect();
    assert_eq!(done, ["log", "queue", "role"]);
    let serial = state["serial"].clone();
    // A second failure of the same kind writes nothing new.
    project.run(&["apply", "--yes"]).expect(1);
    assert_eq!(project.state()["resources"].as_object().unwrap().len(), 3);
    assert!(project.state()["serial"].as_u64() >= serial.as_u64());
    project.write(
        "stacks/small.yaml",
        bad.replace("Send-Message", "SendMessage"),
    );
    project.apply();
    project.expect_no_changes();
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {}", child.id())])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn one_signal_waits_and_saves() {
    for name in ["INT", "TERM"] {
        let project = small();
        let (mut child, mut told) = slow_apply(&project);
        signal(&child, name);
        let mut rest = String::new();
        told.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
        assert!(
            rest.ends_with(
                "Interrupted: 2 of 3 done, 1 not started. Run the command again to go on.\n"
            ),
            "{rest}"
        );
        let mut stdout = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut stdout)
            .unwrap();
        assert!(!stdout.contains("\nOutputs:\nnumber"), "{stdout}");
        assert!(!project.dir().join("state/small.journal").exists());
        assert_eq!(project.state()["resources"].as_object().unwrap().len(), 2);
        finishes(&project);
    }
}

#[test]
fn two_signals_leave_at_once_and_the_next_run_settles() {
    let project = small();
    let (mut child, mut told) = slow_apply(&project);
    signal(&child, "INT");
    let mut line = String::new();
    while !line.contains("Interrupted") {
        line.clear();
        assert_ne!(
            std::io::BufRead::read_line(&mut told, &mut line).unwrap(),
            0
        );
    }
    signal(&child, "INT");
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("Left in progress: "), "{rest}");
    assert!(project.dir().join("state/small.journal").exists());
    finishes(&project);
}

#[track_caller]
fn finishes(project: &Project) {
    let ended = project.run(&["apply", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", seen(&ended));
    assert_eq!(project.state()["resources"].as_object().unwrap().len(), 3);
    assert_eq!(
        project
            .cloud()
            .iter()
            .filter(|entry| entry.kind == "queue")
            .count(),
        1
    );
    project.expect_no_changes();
}

/// A data block that fails, in a stack of local types: before the plan, and in the apply.
#[test]
fn a_data_block_that_fails_is_told_with_its_place() {
    let mut project = Project::new();
    project.flags.clear();
    project.write("src/a.txt", "a").write(
        "stacks/zip.yaml",
        "name: zip\ndata:\n  first: {type: \"archive:getFile\", properties: {type: zip, sourceDir: ../src}}\n  \
         second:\n    type: archive:getFile\n    properties: {type: zip, sourceFile: \"../${data.first.outputMd5}\"}\n",
    );
    for args in [&["plan"][..], &["apply", "--yes"], &["plan", "--json"]] {
        let failed = project.run(args);
        assert_ne!(failed.code, Some(0), "{args:?}");
        let text = format!("{}{}", failed.stdout, failed.stderr);
        assert!(text.contains("data.second"), "{args:?}: {text}");
        assert!(text.contains("stacks/zip.yaml:4:3"), "{args:?}: {text}");
        assert!(!text.contains("defect"), "{args:?}: {text}");
    }
    project.write(
        "stacks/zip.yaml",
        "name: zip\nresources:\n  password: {type: \"random:RandomPassword\", properties: {length: 9, special: false}}\n\
         data:\n  late: {type: \"archive:getFile\", properties: {type: zip, sourceFile: \"../${password.result}\"}}\n",
    );
    let failed = project.run(&["apply", "--yes"]).expect(1);
    assert!(
        failed.stderr.contains("stacks/zip.yaml:5:3"),
        "{}",
        failed.stderr
    );
}
