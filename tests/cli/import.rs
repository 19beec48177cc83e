//! Objects that exist, and objects that get another name.

use super::{SMALL, masked, seen, small};
use crate::support::{Project, actions};
use serde_json::json;

const URL: &str = "https://sqs.us-west-2.amazonaws.com/000000000000/orders";

/// The stack is deployed, and the state has lost these resources.
fn lost(addresses: &[&str]) -> Project {
    let project = small();
    project.apply();
    let forget = [&["state", "rm", "--yes"], addresses].concat();
    project.run(&forget).expect(0);
    project
}

#[test]
fn the_option_adopts_and_updates_in_one_run() {
    let mut project = lost(&["queue"]);
    let option = format!(
        "visibilityTimeoutSeconds: \"${{var.size}}\"}}\n    options: {{import: \"{URL}\"}}"
    );
    let file = SMALL.replace("visibilityTimeoutSeconds: \"${var.size}\"}", &option);
    project.write("stacks/small.yaml", &file);
    project.env("STACKCTL_VAR_size", "60");
    masked(|| {
        insta::assert_snapshot!(seen(&project.run(&["apply", "--yes"])), @"
        exit: 0
        --- stdout
        small, account 000000000000, region us-west-2, local cloud
        file stacks/small.yaml, state state/small.json

        import queue  aws:sqs:Queue  [id=https://sqs.us-west-2.amazonaws.com/000000000000/orders]  # then updated: visibilityTimeoutSeconds differs
              ~ visibilityTimeoutSeconds: 30 -> 60
              # (1 unchanged property hidden)

        Outputs:
          ~ number: 30 -> 60

        Plan: 1 to import, 0 to create, 1 to update, 0 to replace, 0 to delete.

        Outputs:
        number: 60
        url:    https://sqs.us-west-2.amazonaws.com/000000000000/orders
                # Where messages go.
        --- stderr
        queue: imported (https://sqs.us-west-2.amazonaws.com/000000000000/orders)
        queue: updating
        queue: waiting for the queue to show its new attributes (now shown, not by all hosts yet)
        queue: updated in [time] (https://sqs.us-west-2.amazonaws.com/000000000000/orders)
        Applied: 1 imported, 0 created, 1 updated, 0 replaced, 0 deleted in [time].
        ");
    });
    let ended = project.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(ended.stdout.contains("No changes."), "{}", ended.stdout);
    // The option stays without effect; one that names another object says so.
    project.write("stacks/small.yaml", file.replace("/orders\"", "/others\""));
    let ended = project.run(&["plan"]).expect(0);
    assert!(
        ended.stdout.contains("options.import has no effect"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_plan_shows_the_adoption_to_scripts() {
    let project = lost(&["queue"]);
    let option = format!(
        "visibilityTimeoutSeconds: \"${{var.size}}\"}}\n    options: {{import: \"{URL}\"}}"
    );
    let file = SMALL.replace("visibilityTimeoutSeconds: \"${var.size}\"}", &option);
    project.write("stacks/small.yaml", &file);
    let plan = project.plan();
    assert_eq!(
        actions(&plan),
        [("queue".to_owned(), vec!["import".to_owned()])]
    );
    let changes = plan["changes"].as_array().unwrap();
    let queue = changes
        .iter()
        .find(|change| change["address"] == "queue")
        .unwrap();
    assert_eq!(queue["importing"], json!({"id": URL}));
    assert_eq!(plan["summary"]["import"], 1);
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
    // A saved plan does exactly that.
    project.run(&["plan", "--out", "p.plan"]).expect(0);
    project
        .run(&["apply", "--plan", "p.plan", "--yes"])
        .expect(0);
    project.expect_no_changes();
}

#[test]
fn what_is_not_there_is_told_at_the_option() {
    let project = small();
    let option = "visibilityTimeoutSeconds: \"${var.size}\"}\n    options: {import: \"https://sqs.us-west-2.amazonaws.com/000000000000/nothing\"}";
    let file = SMALL.replace("visibilityTimeoutSeconds: \"${var.size}\"}", option);
    project.write("stacks/small.yaml", &file);
    masked(|| {
        insta::assert_snapshot!(seen(&project.run(&["apply", "--yes"])), @r#"
        exit: 3
        --- stdout
        --- stderr
        error: aws:sqs:Queue https://sqs.us-west-2.amazonaws.com/000000000000/nothing does not exist
          --> stacks/small.yaml:12:23
           |
        12 |     options: {import: "https://sqs.us-west-2.amazonaws.com/000000000000/nothing"}
           |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           |
           = help: check the account, the region and the id: the queue's URL, such as `https://sqs.us-west-2.amazonaws.com/123456789012/orders`

        1 error in stacks/small.yaml
        "#);
    });
    assert_eq!(project.cloud(), []);
}

#[test]
fn the_command_adopts_and_changes_nothing() {
    let mut project = lost(&["queue"]);
    let before = project.cloud();
    project.env("STACKCTL_VAR_size", "60");
    masked(|| {
        insta::assert_snapshot!(seen(&project.run(&["import", "queue", URL, "--yes"])), @"
        exit: 0
        --- stdout
        small, account 000000000000, region us-west-2, local cloud
        file stacks/small.yaml, state state/small.json

        import queue  aws:sqs:Queue  [id=https://sqs.us-west-2.amazonaws.com/000000000000/orders]  # the next apply updates it: visibilityTimeoutSeconds differs
              ~ visibilityTimeoutSeconds: 30 -> 60
              # (1 unchanged property hidden)

        Plan: 1 to import, 0 to create, 0 to update, 0 to replace, 0 to delete.
        --- stderr
        Imported queue. The next plan shows what differs from the file.
        ");
        insta::assert_snapshot!(seen(&project.run(&["import", "queue", URL, "--yes"])), @"
        exit: 0
        --- stdout
        --- stderr
        No changes: what is named is in the state already.
        ");
    });
    assert_eq!(project.cloud(), before);
    let plan = project.plan();
    assert_eq!(
        actions(&plan)[0],
        ("queue".to_owned(), vec!["update".to_owned()])
    );
    project.apply();
    project.expect_no_changes();
}

#[test]
fn a_list_is_adopted_together_or_not_at_all() {
    let project = lost(&["queue", "log"]);
    let state = project.state();
    project.write(
        "list.yaml",
        format!("queue: {URL}\nlog: /app/nothing\nquee: x\npolicy: x\n"),
    );
    masked(|| {
        let ended = project.run(&["import", "--file", "list.yaml", "--yes"]);
        insta::assert_snapshot!(seen(&ended), @r#"
        exit: 1
        --- stdout
        --- stderr
        error: 3 of 4 resources cannot be imported.
          cause: log: aws:cloudwatch:LogGroup /app/nothing does not exist (check the account, the region and the id: the group's name, such as `/aws/lambda/orders`)
          cause: policy: "x" does not match the form arn:aws:iam::ACCOUNT:policy/NAME (a resource of type aws:iam:Policy is imported by the policy's ARN, such as `arn:aws:iam::123456789012:policy/send`)
          cause: quee: no resource in the file has the address quee (did you mean queue?)
          now: Nothing was changed.
          next: Mend what is wrong; --skip-failed imports the others without it.
        "#);
    });
    assert_eq!(project.state(), state, "nothing was taken in");
    let import = [
        "import",
        "small",
        "--file",
        "list.yaml",
        "--yes",
        "--skip-failed",
    ];
    project.run(&import).expect(1);
    assert!(project.state()["resources"].get("queue").is_some());
    project.write("list.yaml", "- {address: log, id: /app/orders}\n");
    project
        .run(&["import", "--file", "list.yaml", "--yes"])
        .expect(0);
    project.expect_no_changes();
}

#[test]
fn an_import_that_cannot_be_says_what_to_do() {
    let project = lost(&["queue"]);
    masked(|| {
        let run = |args: &[&str]| seen(&project.run(&[&["import"], args, &["--yes"]].concat()));
        insta::assert_snapshot!(run(&["queue"]), @"
        exit: 1
        --- stdout
        --- stderr
        error: import takes an address and an id.
          next: stackctl import [STACK] ADDRESS ID, or --file with a list of them.
        ");
        insta::assert_snapshot!(run(&["queue", "orders"]), @r#"
        exit: 1
        --- stdout
        --- stderr
        error: queue cannot be imported: "orders" does not match the form https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.
          now: Nothing was changed.
          next: A resource of type aws:sqs:Queue is imported by the queue's URL, such as `https://sqs.us-west-2.amazonaws.com/123456789012/orders`.
        "#);
        let other = Project::new();
        let text =
            "name: id\nresources:\n  id: {type: random:RandomId, properties: {byteLength: 4}}\n";
        other.write("stacks/id.yaml", text);
        insta::assert_snapshot!(seen(&other.run(&["import", "id", "%%%", "--yes"])), @r#"
        exit: 1
        --- stdout
        --- stderr
        error: id cannot be imported: "%%%" is not the id of a random id: Invalid symbol 37, offset 0..
          now: Nothing was changed.
          next: A resource of type random:RandomId is imported by the value of its output `id` (base64 for URLs), or `prefix,id`.
        "#);
        insta::assert_snapshot!(run(&["extra", "/app/extra"]), @"
        exit: 1
        --- stdout
        --- stderr
        error: extra cannot be imported: no resource in the file has the address extra.
          now: Nothing was changed.
          next: Add it to the stack small with its type and properties, then import again:
                resources:
                  extra:
                    type: aws:cloudwatch:LogGroup
                    properties: {}
        ");
        insta::assert_snapshot!(run(&["--file", "none.yaml"]), @"
        exit: 1
        --- stdout
        --- stderr
        error: none.yaml cannot be read.
          cause: No such file or directory (os error 2)
        ");
        insta::assert_snapshot!(seen(&project.run(&["import", "queue", URL])), @"
        exit: 1
        --- stdout
        small, account 000000000000, region us-west-2, local cloud
        file stacks/small.yaml, state state/small.json

        import queue  aws:sqs:Queue  [id=https://sqs.us-west-2.amazonaws.com/000000000000/orders]
              # (2 unchanged properties hidden)

        Plan: 1 to import, 0 to create, 0 to update, 0 to replace, 0 to delete.
        --- stderr
        error: The changes were not confirmed: no terminal to ask on was found.
          now: Nothing was changed.
          next: Look at what the command would do, then add --yes, which answers the question.
        ");
    });
}

#[test]
fn a_password_is_adopted_by_a_value_that_is_kept_nowhere() {
    let project = Project::new();
    let stack = "name: s\nresources:\n  word: {type: random:RandomPassword, properties: {length: 7, special: false}}\n";
    project.write("stacks/s.yaml", stack);
    let mut command = project.command(&["import", "word", "-", "--yes"]);
    project.write("word", "hunter2\n");
    let input = std::fs::File::open(project.dir().join("word")).unwrap();
    let output = command.stdin(input).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let shown = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&shown).contains("hunter2"));
    assert!(!project.read("state/s.json").contains("hunter2"));
    project.expect_no_changes();
}

#[test]
fn a_renamed_block_keeps_its_object() {
    let project = small();
    project.apply();
    let before = project.cloud();
    let file = SMALL
        .replace("  queue:\n", "  orders:\n")
        .replace("queue.", "orders.")
        .replace(
            "visibilityTimeoutSeconds: \"${var.size}\"}",
            "visibilityTimeoutSeconds: \"${var.size}\"}\n    options: {movedFrom: queue}",
        );
    project.write("stacks/small.yaml", &file);
    let plan = project.plan();
    let changes = plan["changes"].as_array().unwrap();
    let moved = changes.iter().find(|change| change["address"] == "orders");
    assert_eq!(moved.unwrap()["previous_address"], "queue");
    masked(|| {
        insta::assert_snapshot!(seen(&project.run(&["apply", "--yes"])), @"
        exit: 0
        --- stdout
        small, account 000000000000, region us-west-2, local cloud
        file stacks/small.yaml, state state/small.json

        moved queue -> orders  aws:sqs:Queue  [id=https://sqs.us-west-2.amazonaws.com/000000000000/orders]

        Plan: 1 to move, 0 to create, 0 to update, 0 to replace, 0 to delete.

        Outputs:
        number: 30
        url:    https://sqs.us-west-2.amazonaws.com/000000000000/orders
                # Where messages go.
        --- stderr
        orders: moved
        Applied: 1 moved, 0 created, 0 updated, 0 replaced, 0 deleted in [time].
        ");
    });
    assert_eq!(project.cloud(), before, "nothing was called");
    let state = project.state();
    assert_eq!(state["resources"]["orders"]["id"], URL);
    project.expect_no_changes();
    let file = file.replace("    options: {movedFrom: queue}\n", "");
    project.write("stacks/small.yaml", &file);
    project.expect_no_changes();
}

const BUCKET: &str = "name: b\nproviders: {aws: {region: us-west-2}}\nresources:\n  bucket: {type: aws:s3:Bucket, properties: {bucket: holds-things}}\n";

/// A bucket with an object that the state does not know.
fn filled() -> Project {
    let project = Project::new();
    let object = "  object: {type: aws:s3:BucketObject, properties: {bucket: \"${bucket.id}\", key: a.txt, content: hello}, options: {retainOnDelete: true}}\n";
    project.write("stacks/b.yaml", format!("{BUCKET}{object}"));
    project.apply();
    project.write("stacks/b.yaml", BUCKET);
    project.apply();
    project
}

#[test]
fn a_destroy_shows_what_goes_with_it() {
    let project = filled();
    let ended = project.run(&["plan", "--destroy"]).expect(0);
    assert!(
        ended.stdout.contains("holds 1 object, 5 bytes\n"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("will be refused: it holds"),
        "{}",
        ended.stdout
    );
    let forced = BUCKET.replace("holds-things}", "holds-things, forceDestroy: true}");
    project.write("stacks/b.yaml", forced);
    project.apply();
    let plan = project
        .run(&["plan", "--destroy", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        plan["changes"][0]["holds"],
        json!({"objects": 1, "versions": 0, "bytes": 5})
    );
    assert_eq!(plan["warnings"], json!([]));
    let ended = project.run(&["destroy", "--yes"]).expect(0);
    assert!(
        ended
            .stdout
            .contains("holds 1 object, 5 bytes, which go with it"),
        "{}",
        ended.stdout
    );
    assert_eq!(project.cloud(), []);
}

#[test]
fn another_account_is_refused_before_anything_is_read() {
    let project = filled();
    let list = BUCKET.replace(
        "region: us-west-2",
        "region: us-west-2, allowedAccountIds: ['123456789012']",
    );
    project.write("stacks/b.yaml", list);
    masked(|| {
        insta::assert_snapshot!(seen(&project.run(&["destroy", "--yes"])), @"
        exit: 1
        --- stdout
        --- stderr
        error: The credentials belong to account 000000000000, and providers.aws.allowedAccountIds does not list it.
          now: Nothing was changed.
          next: Use the credentials of an allowed account.
        ");
    });
}

#[test]
fn a_create_that_meets_an_object_says_how_to_adopt_it() {
    let project = lost(&["queue", "log", "policy"]);
    masked(|| {
        let ended = project.run(&["apply", "--yes"]);
        let next = ended.stderr.lines().filter(|line| line.contains("next:"));
        let next: Vec<&str> = next.collect();
        insta::assert_snapshot!(next.join("\n"), @r#"
        next: Import it with `stackctl import queue https://sqs.us-west-2.amazonaws.com/000000000000/orders --local`, or with this line in the file, under queue: options: {import: "https://sqs.us-west-2.amazonaws.com/000000000000/orders"}; or choose another name. If the state was lost, `stackctl state rebuild` finds all of it.
        next: Import it with `stackctl import log /app/orders --local`, or with this line in the file, under log: options: {import: "/app/orders"}; or choose another name. If the state was lost, `stackctl state rebuild` finds all of it.
        "#);
        assert_eq!(ended.code, Some(1));
    });
    project.run(&["import", "queue", URL, "--yes"]).expect(0);
}

/// The address is one word of a shell in the command that the help gives.
#[test]
fn another_object_takes_the_place_of_a_managed_one_only_once_that_is_dropped() {
    let project = Project::new();
    let stack = r#"
name: small
providers: {aws: {region: us-west-2}}
resources:
  queue: {type: "aws:sqs:Queue", properties: {name: orders}}
  many: {type: "aws:sqs:Queue", properties: {name: "${each.key}"}, options: {forEach: [a]}}
"#;
    project.write("stacks/small.yaml", stack);
    project.apply();
    let before = project.state();
    let others = URL.replace("orders", "others");
    masked(|| {
        insta::assert_snapshot!(seen(&project.run(&["import", "queue", &others, "--yes"])), @"
        exit: 1
        --- stdout
        --- stderr
        error: queue cannot be imported: queue is in the state already, with the id https://sqs.us-west-2.amazonaws.com/000000000000/orders.
          now: Nothing was changed.
          next: To manage another object in its place, first run `stackctl state rm queue`, which leaves the old one alone.
        ");
        let many = ["import", "many[\"a\"]", &others, "--yes"];
        insta::assert_snapshot!(seen(&project.run(&many)), @r#"
        exit: 1
        --- stdout
        --- stderr
        error: many["a"] cannot be imported: many["a"] is in the state already, with the id https://sqs.us-west-2.amazonaws.com/000000000000/a.
          now: Nothing was changed.
          next: To manage another object in its place, first run `stackctl state rm 'many["a"]'`, which leaves the old one alone.
        "#);
    });
    assert_eq!(project.state(), before);
}

/// The tags are read though no resource of the file has any: those of the provider count.
#[test]
fn default_tags_of_an_imported_object_are_known() {
    let project = Project::new();
    let stack = r#"
name: small
providers: {aws: {region: us-west-2, defaultTags: {team: red}}}
resources:
  queue: {type: "aws:sqs:Queue", properties: {name: orders}}
"#;
    project.write("stacks/small.yaml", stack);
    project.apply();
    let before = project.state()["resources"]["queue"].clone();
    assert_eq!(before["inputs"]["tags"], json!({"team": "red"}));
    project.run(&["state", "rm", "queue", "--yes"]).expect(0);
    let imported = project.run(&["import", "queue", URL, "--yes"]).expect(0);
    assert!(!imported.stdout.contains("tags"), "{}", imported.stdout);
    assert_eq!(
        project.state()["resources"]["queue"]["inputs"],
        before["inputs"]
    );
    project.expect_no_changes();
}
