//! Saved plans that somebody altered, and renewed the checksum of: what a plan says of where it
//! goes counts only where the command line says so, and what it does only where it comes out again.

use super::Table;
use crate::support::aws::{Server, sts};
use crate::support::{Ended, Project};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const STACK: &str = "\
name: web
variables:
  endpoint: {type: string, default: ''}
  place: {type: string, default: state/web.json}
  profile: {type: string, default: ''}
  role: {type: string, default: ''}
  size: {type: number, default: 30}
state: ${var.place}
providers:
  aws: {region: us-west-2, endpointUrl: \"${var.endpoint}\", profile: \"${var.profile}\", assumeRoleArn: \"${var.role}\"}
resources:
  pet: {type: \"random:RandomPet\"}
  queue: {type: \"aws:sqs:Queue\", properties: {name: web, visibilityTimeoutSeconds: \"${var.size}\"}}
outputs: {pet: \"${pet.id}\"}
";

/// The plan, with a change to it and its checksum renewed.
fn altered(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let (first, rest) = text.split_once('\n').unwrap();
    let header = format!("{}}}", first.trim_end_matches(','));
    let mut header: Value = serde_json::from_str(&header).unwrap();
    let mut plan: Value = serde_json::from_str(&format!("{{{rest}")).unwrap();
    change(&mut plan);
    let rest = format!("{plan:#}\n");
    let rest = rest.strip_prefix("{\n").unwrap();
    header["checksum"] = hex::encode(Sha256::digest(rest.as_bytes())).into();
    let header = header.to_string();
    format!("{},\n{rest}", header.strip_suffix('}').unwrap())
}

/// Each field of a plan by its JSON pointer, and what it is changed to.
fn alterations() -> Vec<(&'static str, Value)> {
    vec![
        ("/command/file", json!("stacks/other.yaml")),
        ("/command/file", json!("elsewhere/stacks/web.yaml")),
        (
            "/command/file",
            json!("elsewhere/../elsewhere/stacks/web.yaml"),
        ),
        (
            "/command/file",
            json!("stacks/../elsewhere/stacks/web.yaml"),
        ),
        ("/command/file", json!("/nowhere/web.yaml")),
        ("/command/env", json!("dev")),
        ("/command/vars", json!([["size", "31"]])),
        ("/command/vars", json!([["place", "state/evil.json"]])),
        ("/command/vars", json!([["endpoint", "http://127.0.0.1:9"]])),
        ("/command/vars", json!([["profile", "evil"]])),
        (
            "/command/vars",
            json!([["role", "arn:aws:iam::666666666666:role/evil"]]),
        ),
        ("/command/env_vars", json!([["place", "state/evil.json"]])),
        ("/command/env_vars", json!([["size", "31"]])),
        ("/command/var_files", json!(["elsewhere/vars.yaml"])),
        ("/command/var_files", json!(["/dev/zero"])),
        ("/command/local", json!(false)),
        ("/command/endpoint_url", json!("http://127.0.0.1:9")),
        ("/command/state", json!("state/evil.json")),
        ("/command/state", json!("s3://evil-bucket/web.json")),
        ("/command/state", json!("../evil.json")),
        ("/command/options/destroy", json!(true)),
        ("/command/options/target", json!(["pet"])),
        ("/command/options/exclude", json!(["queue"])),
        ("/files/stacks~1web.yaml", json!("00")),
        ("/files/stacks~1more.yaml", json!("00")),
        ("/variables/size/value", json!(31)),
        (
            "/variables/more",
            json!({"value": 1, "sensitive": false, "origin": "default"}),
        ),
        ("/seed", json!(1)),
        ("/state/existed", json!(true)),
        ("/state/serial", json!(7)),
        ("/state/serial", json!(u64::MAX)),
        ("/data/zip", json!({"id": "x"})),
        ("/plan/account", json!("666666666666")),
        ("/plan/region", json!("eu-west-1")),
        ("/plan/head/state", json!("state/other.json")),
        ("/plan/head/file", json!("stacks/other.yaml")),
        ("/plan/head/local", json!(false)),
        (
            "/plan/head/endpoints",
            json!([{"service": null, "url": "http://127.0.0.1:9", "set_by": "x"}]),
        ),
        ("/plan/changes", json!([])),
        ("/plan/changes/1/action", json!("delete")),
        ("/plan/changes/1/address", json!("other")),
        ("/plan/steps", json!([])),
        ("/plan/steps/0/address", json!("other")),
        ("/plan/outputs", json!({})),
        ("/more", json!(1)),
        ("/command/more", json!(1)),
        ("/plan/more", json!(1)),
    ]
}

/// A project with two stacks, one elsewhere, and a saved plan.
fn project() -> (Project, String) {
    let project = Project::new();
    project.write("stacks/web.yaml", STACK);
    project.write("stacks/web.dev.yaml", "size: 32\n");
    project.write(
        "stacks/other.yaml",
        STACK.replace("name: web\n", "name: other\n"),
    );
    project.write("elsewhere/stacks/web.yaml", STACK);
    project.write("elsewhere/vars.yaml", "size: 33\n");
    project.run(&["plan", "web", "--out", "web.plan"]).expect(0);
    let text = project.read("web.plan");
    (project, text)
}

/// Whether a plan was refused, and nothing done.
fn refused(project: &Project, ended: &Ended) -> Result<(), String> {
    if ended.code == Some(0) {
        return Err(format!("it was applied: {}{}", ended.stdout, ended.stderr));
    }
    if ended.stderr.contains("panicked") || ended.stderr.contains("defect") {
        return Err(ended.stderr.clone());
    }
    let dir = project.dir();
    for made in [
        "state/web.json",
        "state/evil.json",
        "state/other.json",
        "../evil.json",
    ] {
        if dir.join(made).exists() {
            return Err(format!("{made} was made"));
        }
    }
    match project.cloud().is_empty() {
        true => Ok(()),
        false => Err("the cloud is not empty".to_owned()),
    }
}

#[test]
fn an_altered_plan_is_refused() {
    let mut table = Table::new("plans");
    let (project, text) = project();
    for (field, value) in alterations() {
        let name = format!("{field} = {value}");
        let changed = altered(&text, |plan| {
            let (parent, last) = field.rsplit_once('/').unwrap();
            let parent = plan.pointer_mut(parent).unwrap();
            match parent {
                Value::Array(list) => list[last.parse::<usize>().unwrap()] = value,
                parent => parent[last.replace("~1", "/")] = value,
            }
        });
        assert_ne!(changed, text, "{name}");
        project.write("p.plan", changed);
        for args in [
            &["apply", "--plan", "p.plan", "--yes"][..],
            &["apply", "--plan", "p.plan", "--yes", "--json"],
        ] {
            let ended = project.run(args);
            table.attack(&format!("{name}, {}", args.join(" ")), || {
                refused(&project, &ended)
            });
        }
    }
    table.end();
    // What was not altered is applied, so that the rows above can fail.
    project.run(&["apply", "--plan", "web.plan"]).expect(0);
}

/// The stack of these has no call but one to STS.
const CALLS: &str = "\
name: web
variables:
  endpoint: {type: string, default: ''}
providers:
  aws: {region: us-west-2, endpointUrl: \"${var.endpoint}\"}
data: {me: {type: \"aws:getCallerIdentity\"}}
resources: {pet: {type: \"random:RandomPet\"}}
outputs: {a: \"${data.me.accountId}\"}
";

fn calling() -> Project {
    super::calling(CALLS)
}

/// That nobody else was called.
fn unasked(foreign: &Server, ended: &Ended, names: &str) -> Result<(), String> {
    if ended.code == Some(0) {
        return Err(format!("it was applied: {}", ended.stderr));
    }
    if !foreign.asked().is_empty() {
        return Err(format!(
            "the other server was called: {:?}",
            foreign.asked()[0].head
        ));
    }
    let told = format!("{}{}", ended.stdout, ended.stderr);
    match told.contains(names) {
        true => Ok(()),
        false => Err(format!("{names} is not named: {told}")),
    }
}

#[test]
fn an_endpoint_that_only_the_plan_names_gets_no_call() {
    let mut table = Table::new("endpoints of plans");
    let (own, foreign) = (Server::start(sts), Server::start(sts));
    let project = calling();
    let (flag, variable) = (
        ["--endpoint-url", &own.url],
        format!("endpoint={}", own.url),
    );
    project
        .run(&["plan", flag[0], flag[1], "--out", "flag.plan"])
        .expect(0);
    project
        .run(&["plan", "--var", &variable, "--out", "var.plan"])
        .expect(0);
    let mut by_env = calling();
    by_env.env("AWS_ENDPOINT_URL", &own.url);
    by_env.run(&["plan", "--out", "env.plan"]).expect(0);
    let plans = [
        ("flag", project.read("flag.plan")),
        ("var", project.read("var.plan")),
        ("env", by_env.read("env.plan")),
    ];
    let swapped = |text: &str| {
        altered(text, |plan| {
            let text = plan.to_string();
            let mut other: Value =
                serde_json::from_str(&text.replace(&own.url, &foreign.url)).unwrap();
            if !text.contains(&own.url) {
                other["command"]["endpoint_url"] = json!(foreign.url);
            }
            *plan = other;
        })
    };
    let ways: &[&[&str]] = &[
        &["apply", "--plan", "p.plan"],
        &["apply", "--plan", "p.plan", "--yes"],
        &["apply", "--plan", "p.plan", "--yes", "--json"],
        &["apply", "web", "--plan", "p.plan", "--yes"],
    ];
    for (how, text) in &plans {
        for (altering, text) in [("as it was", text.clone()), ("swapped", swapped(text))] {
            for way in ways {
                project.write("p.plan", &text);
                let names = match altering {
                    "swapped" => &foreign.url,
                    _ => &own.url,
                };
                let ended = project.run(way);
                let name = format!("{how}, {altering}, {}", way.join(" "));
                let asked = own.asked().len();
                table.attack(&name, || {
                    if own.asked().len() > asked {
                        return Err("it was called".to_owned());
                    }
                    unasked(&foreign, &ended, names)
                });
            }
            // The user's own endpoint said again, and the file says another one.
            project.write("p.plan", swapped(&text));
            let ended = project.run(&["apply", "--plan", "p.plan", "--yes", flag[0], flag[1]]);
            table.attack(&format!("{how}, {altering}, against the flag"), || {
                unasked(&foreign, &ended, "--endpoint-url")
            });
        }
    }
    // Each plan as it was is applied where the same is said again.
    let same = project
        .run(&["apply", "--plan", "flag.plan", flag[0], flag[1]])
        .expect(0);
    assert!(
        same.stdout
            .contains(&format!("endpoint {} (--endpoint-url)", own.url)),
        "{}",
        same.stdout
    );
    let other = calling();
    other.write("var.plan", &plans[1].1);
    other
        .run(&["apply", "--plan", "var.plan", "--var", &variable])
        .expect(0);
    by_env.run(&["apply", "--plan", "env.plan"]).expect(0);
    table.end();
}

#[test]
fn a_plan_of_another_folder_is_asked_for() {
    let mut table = Table::new("plans of other folders");
    let project = Project::new();
    project.write("stacks/web.yaml", STACK);
    let evil = Project::new();
    evil.write("evil.yaml", STACK.replace("name: web", "name: evil"));
    let path = evil.dir().join("evil.yaml").display().to_string();
    project.run(&["plan", &path, "--out", "web.plan"]).expect(0);
    std::os::unix::fs::symlink(evil.dir(), project.dir().join("linked")).unwrap();
    let linked = altered(&project.read("web.plan"), |plan| {
        plan["command"]["file"] = json!("linked/evil.yaml");
    });
    project.write("linked.plan", linked);
    for plan in ["web.plan", "linked.plan"] {
        for way in [&["--yes"][..], &[], &["--yes", "--json"]] {
            let args = [&["apply", "--plan", plan], way].concat();
            let ended = project.run(&args);
            table.attack(&args.join(" "), || {
                let told = format!("{}{}", ended.stdout, ended.stderr);
                match ended.code == Some(1) && told.contains("evil.yaml") {
                    true => refused(&project, &ended),
                    false => Err(told),
                }
            });
        }
        let ended = project.run(&["apply", "web", "--plan", plan, "--yes"]);
        table.attack(&format!("apply web --plan {plan}"), || {
            refused(&project, &ended)
        });
    }
    table.end();
    project
        .run(&["apply", &path, "--plan", "web.plan"])
        .expect(0);
}

#[test]
fn the_local_cloud_and_the_state_are_said_again() {
    let mut project = Project::new();
    project.write(
        "stacks/web.yaml",
        "name: web\nresources: {pet: {type: \"random:RandomPet\"}}\n",
    );
    project
        .run(&["plan", "--out", "web.plan", "--state", "kept.json"])
        .expect(0);
    let ended = project
        .run(&["apply", "--plan", "web.plan", "--yes"])
        .expect(1);
    assert!(
        ended.stderr.contains("say the same: --state kept.json."),
        "{}",
        ended.stderr
    );
    project.flags.clear();
    let ended = project
        .run(&["apply", "--plan", "web.plan", "--state", "kept.json"])
        .expect(1);
    assert!(
        ended.stderr.contains("say the same: --local."),
        "{}",
        ended.stderr
    );
    let ended = project
        .run(&[
            "apply",
            "--plan",
            "web.plan",
            "--state",
            "kept.json",
            "--local",
        ])
        .expect(0);
    assert!(
        ended
            .stdout
            .starts_with("web, local cloud\nfile stacks/web.yaml, state kept.json\n"),
        "{}",
        ended.stdout
    );
}
