//! What hands that know other tools type, names that nearly fit, and places that are none.

use super::{masked, seen, small};
use crate::support::Project;

const QUEUE: &str = "providers: {aws: {region: eu-central-1}}\nresources:\n  q: {type: aws:sqs:Queue, properties: {name: web-q}}\n";

/// What a command with a wrong word or place says; nothing is called or written.
#[track_caller]
fn refused(project: &Project, args: &[&str], code: i32) -> String {
    let before = project.cloud();
    let ended = project.run(args).expect(code);
    assert_eq!(project.cloud(), before, "{args:?}");
    ended.stderr
}

#[test]
fn the_commands_of_other_tools() {
    let mut project = small();
    project.flags.clear();
    let version = project.run(&["--version"]).expect(0).stdout;
    assert_eq!(project.run(&["version"]).expect(0).stdout, version);
    let help = project.run(&["--help"]).expect(0).stdout;
    assert_eq!(project.run(&["help"]).expect(0).stdout, help);
    let help = project.run(&["plan", "--help"]).expect(0).stdout;
    assert_eq!(project.run(&["help", "plan"]).expect(0).stdout, help);
    for args in [
        &[
            "validate",
            "--local",
            "--detailed-exitcode",
            "--out",
            "x.plan",
        ][..],
        &[
            "validate",
            "-target=queue",
            "-refresh=false",
            "-parallelism=3",
            "-var",
            "size=4",
        ],
    ] {
        project.run(args).expect(0);
    }
    assert!(!project.dir().join("x.plan").exists());
    for (args, tip) in [
        (&["test"][..], "stackctl validate"),
        (&["deploy"], "stackctl apply"),
        (&["apply", "--dry-run"], "use stackctl plan"),
        (
            &["plan", "--region", "x"],
            "set providers.aws.region in the stack file, or AWS_REGION",
        ),
        (&["help", "nothing"], "unrecognized subcommand 'nothing'"),
    ] {
        let told = refused(&project, args, 1);
        assert!(told.contains(tip), "{args:?}: {told}");
        assert!(!told.contains("destroy"), "{args:?}: {told}");
    }
    project.flags.push("--local".to_owned());
    project
        .run(&["apply", "-auto-approve", "-var", "size=31"])
        .expect(0);
    let json = project.run(&["outputs", "-json"]).expect(0).json();
    assert_eq!(json["number"], 31);
    assert_eq!(
        project.run(&["outputs", "-raw", "number"]).expect(0).stdout,
        "31"
    );
    let told = refused(&project, &["outputs", "nosuch"], 1);
    assert!(told.contains("Its outputs are number, url."), "{told}");
    let ended = project.run(&["destroy", "--yes"]).expect(0);
    assert!(
        ended.stderr.ends_with("\nDestroyed: 3 resources.\n"),
        "{}",
        ended.stderr
    );
    let ended = project.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(ended.stdout, "Nothing to destroy. The state is empty.\n");
}

#[test]
fn two_stacks_of_one_name_never_share_a_state() {
    let project = Project::new();
    project.write("stacks/web.yaml", format!("name: web\n{QUEUE}"));
    project.run(&["apply", "web", "--yes"]).expect(0);
    let copy = QUEUE.replace("q:", "z:");
    project.write("stacks/web2.yaml", format!("name: web\n{copy}"));
    masked(|| {
        insta::assert_snapshot!(seen(&project.run(&["plan", "web2"])), @r#"
        exit: 3
        --- stdout
        --- stderr
        error: stacks/web.yaml has the name "web" too, so both files would use state/web.json
         --> stacks/web2.yaml:1:7
          |
        1 | name: web
          |       ^^^
          |
          = help: give this stack a name of its own, such as name: web2

        1 error in stacks/web2.yaml
        "#);
    });
    for command in [
        &["plan", "web2"][..],
        &["plan", "web"],
        &["apply", "web2", "--yes"],
        &["destroy", "web2", "--yes"],
        &["validate", "web2"],
        &["drift", "web2"],
        &["refresh", "web2", "--yes"],
        &["outputs", "web2"],
        &["state", "list", "web2"],
        &["state", "rm", "web2", "q", "--yes"],
        &["import", "web2", "z", "x", "--yes"],
        &["plan", "web2", "--env", "dev"],
    ] {
        project.write("stacks/web2.dev.yaml", "");
        let told = refused(&project, command, 3);
        assert!(
            told.contains("has the name \"web\" too, so both files would use state/web."),
            "{command:?} {told}"
        );
    }
    // By path, in every notation of the name, and past what is no stack.
    project.write("stacks/broken.yaml", "name: web\nresources: [\n");
    for (text, clashes) in [
        ("\"web\" # the name", true),
        ("'web'", true),
        ("\"w\\u0065b\"", true),
        ("!!str web", true),
        ("web2", false),
        ("&n other", false),
    ] {
        project.write("stacks/web2.yaml", format!("name: {text}\n{copy}"));
        let code = if clashes { 3 } else { 0 };
        project.run(&["plan", "stacks/web.yaml"]).expect(code);
    }
    // In a folder of its own a stack meets those in stacks/; other files with a name are none.
    project.write("deploy/mine.yaml", format!("name: web\n{copy}"));
    project.run(&["plan", "deploy/mine.yaml"]).expect(3);
    project.write("deploy/mine.yaml", format!("name: mine\n{copy}"));
    project.write("deploy/workflow.yaml", "name: mine\non: push\n");
    project.run(&["plan", "deploy/mine.yaml"]).expect(0);
    // A place of its own is shared with nobody.
    project.write(
        "stacks/web2.yaml",
        format!("name: web\nstate: kept/web2.json\n{copy}"),
    );
    project.run(&["plan", "web2"]).expect(0);
    project.write("stacks/web2.yaml", format!("name: web\n{copy}"));
    project
        .run(&["plan", "web2", "--state", "kept/web2.json"])
        .expect(0);
}

#[test]
fn environments_are_named_where_one_is_missing() {
    let project = Project::new();
    let stack = QUEUE.replace("web-q", "\"${var.prefix}-q\"");
    project.write(
        "stacks/t.yaml",
        format!("name: t\nvariables: {{prefix: {{type: string}}}}\n{stack}"),
    );
    project
        .write("stacks/t.dev.yaml", "prefix: dev\n")
        .write("stacks/t.prod.yaml", "prefix: prod\n");
    let told = refused(&project, &["plan", "t", "--env", "prd"], 1);
    assert!(
        told.ends_with("  next: Did you mean prod? The environments of t are dev, prod.\n"),
        "{told}"
    );
    let told = refused(&project, &["plan", "t"], 3);
    let help = "  = help: stacks/t.dev.yaml and t.prod.yaml set it: --env dev or --env prod; or --var prefix=…\n";
    assert!(told.contains(help), "{told}");
    for name in ["stacks/t.dev.yaml", "t.dev"] {
        let told = refused(&project, &["plan", name], 1);
        assert!(
            told.contains("is the variable file of an environment")
                && told.contains("stackctl plan t --env dev"),
            "{told}"
        );
    }
    for command in ["drift", "refresh", "outputs"] {
        let told = refused(&project, &[command, "t", "--env", "dev"], 1);
        assert!(
            told.contains("error: t was never applied (no state/t.dev.json).\n"),
            "{command}: {told}"
        );
    }
    project
        .run(&["apply", "t", "--env", "dev", "--yes"])
        .expect(0);
    let told = refused(&project, &["outputs", "t", "--var", "prefix=x"], 1);
    assert!(
        told.contains("t has no state without --env; there is one for --env dev."),
        "{told}"
    );
    let told = refused(&project, &["drift", "t", "--env", "prod"], 1);
    assert!(
        told.contains("t has no state for --env prod; there is one for --env dev."),
        "{told}"
    );
    project.run(&["drift", "t", "--env", "dev"]).expect(0);
}

#[test]
fn a_state_is_kept_in_no_place_of_an_unknown_kind() {
    let project = small();
    let entries = || {
        let names = std::fs::read_dir(project.dir()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name());
        names.filter(|name| name != ".stackctl").count()
    };
    let before = entries();
    for place in [
        "s4://bucket/key",
        "gs://b/k",
        "https://host/x",
        "azurerm://x",
        "file:///tmp/x.json",
        "s3:/b/k",
        "S3://b/k",
    ] {
        for command in [
            &["apply", "--yes"][..],
            &["plan"],
            &["outputs"],
            &["state", "list"],
        ] {
            let told = refused(&project, &[command, &["--state", place]].concat(), 1);
            assert!(
                told.contains("is no place for a state: a file, or s3://bucket/key"),
                "{place} {told}"
            );
        }
        assert_eq!(entries(), before);
    }
    project.apply();
    let told = refused(
        &project,
        &["state", "migrate", "--to", "s4://b/k", "--yes"],
        1,
    );
    assert!(told.contains("is no place for a state"), "{told}");
    let text = project.read("stacks/small.yaml");
    project.write("stacks/small.yaml", format!("state: s4://b/k\n{text}"));
    let told = refused(&project, &["plan"], 3);
    assert!(
        told.contains("\"s4://\" is no place for a state")
            && told.contains("stacks/small.yaml:1:8"),
        "{told}"
    );
    project.write(
        "stacks/small.yaml",
        format!("state: \"${{stack.name}}://b/k\"\n{text}"),
    );
    let told = refused(&project, &["plan"], 1);
    assert!(
        told.contains("\"small://\" is no place for a state"),
        "{told}"
    );
}

#[test]
fn a_plan_of_a_part_says_nothing_of_the_rest() {
    let project = small();
    project.apply();
    let part = project.run(&["plan", "--target", "queue"]).expect(0).stdout;
    assert!(
        part.ends_with("\nNo changes to what --target queue selects.\n"),
        "{part}"
    );
    let text = project.read("stacks/small.yaml");
    project.write(
        "stacks/small.yaml",
        text.replace("/app/${var.label}\"", "/app/${var.label}/${each.key}\"")
            .replace(
                "retentionInDays: 7}",
                "retentionInDays: 7}\n    options: {forEach: \"${toset([\\\"a\\\", \\\"b\\\"])}\"}",
            ),
    );
    let told = refused(&project, &["plan", "--target", "log[0]"], 1);
    assert!(
        told.ends_with("  next: The addresses of log are log, log[\"a\"], log[\"b\"].\n"),
        "{told}"
    );
}

/// Of a stack with a state for all that has no environment, and of others, each is named.
#[test]
fn a_state_without_an_environment_is_named() {
    let project = small();
    for name in ["stacks/small.dev.yaml", "state/small.json"] {
        project.write(name, "");
    }
    let told = refused(&project, &["outputs", "--env", "dev"], 1);
    let start = "error: small has no state for --env dev; there is one without --env.\n";
    assert!(told.starts_with(start), "{told}");
    for env in ["test", "prod"] {
        project.write(&format!("state/small.{env}.json"), "");
    }
    let told = refused(&project, &["outputs", "--env", "dev"], 1);
    let start = "error: small has no state for --env dev; there is one without --env, one for \
                 --env prod, one for --env test.\n";
    assert!(told.starts_with(start), "{told}");
    // A folder is no state.
    std::fs::remove_file(project.dir().join("state/small.json")).unwrap();
    std::fs::create_dir(project.dir().join("state/small.json")).unwrap();
    let told = refused(&project, &["outputs", "--env", "dev"], 1);
    let start = "error: small has no state for --env dev; there is one for --env prod, one for \
                 --env test.\n";
    assert!(told.starts_with(start), "{told}");
}
