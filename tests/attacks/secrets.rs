//! Ways for a secret out of a stack: through expressions, what is made of it, ids, names of files
//! and mistakes.

use super::Table;
use crate::support::{Ended, Project};
use serde_json::Value;
use std::path::Path;

const SECRET: &str = "S3cr3tValue";

fn project(stack: &str) -> Project {
    let mut project = Project::new();
    project.write("stacks/s.yaml", stack);
    project.env("STACKCTL_VAR_pw", SECRET);
    project.env("STACKCTL_VAR_pin", "73914");
    project.env("STACKCTL_STATE_PASSPHRASE", "correct horse battery");
    project
}

const HEAD: &str = "name: s\nproviders: {aws: {region: us-west-2}}\nvariables:\n  pw: {type: string, sensitive: true}\n  pin: {type: number, sensitive: true}\n";

/// The secret and what tells it.
fn needles() -> Vec<String> {
    let base64 = "UzNjcjN0VmFsdW";
    let md5 = "794344eeefff962ce403a984d357aa3a1";
    [
        SECRET,
        "s3cr3tvalue",
        "eulaVt3rc3S",
        base64,
        &md5[..20],
        "73914",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn clean(text: &str, place: &str) -> Result<(), String> {
    let found = needles().into_iter().find(|needle| text.contains(needle));
    found.map_or(Ok(()), |needle| {
        Err(format!("{needle} in {place}:\n{text}"))
    })
}

fn clean_run(ended: &Ended, place: &str) -> Result<(), String> {
    clean(&ended.stdout, &format!("stdout of {place}"))?;
    clean(&ended.stderr, &format!("stderr of {place}"))
}

/// All files but the stack's, the cloud's and archives; and all names.
fn clean_files(dir: &Path) -> Result<(), String> {
    for entry in std::fs::read_dir(dir).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        clean(&name, "a name")?;
        if path.ends_with(".stackctl/local") || path.ends_with("stacks") {
            continue;
        }
        if path.is_dir() {
            clean_files(&path)?;
        } else if path.extension().is_none_or(|end| end != "zip") {
            let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
            clean(
                &String::from_utf8_lossy(&bytes),
                &path.display().to_string(),
            )?;
        }
    }
    Ok(())
}

/// What expressions make of a secret.
const EXPRESSIONS: &[&str] = &[
    "var.pw",
    "can(tonumber(var.pw))",
    "can(regex(\"^S3\", var.pw))",
    "try(tonumber(var.pw), 7)",
    "try(jsondecode(var.pw), \"no json\")",
    "try({S3cr3tValue = 1}[var.pw], 2)",
    "can({other = 1}[var.pw])",
    "var.pw == \"S3cr3tValue\"",
    "var.pw != \"x\" ? \"yes\" : \"no\"",
    "length(var.pw)",
    "[for c in split(\"\", var.pw) : 1]",
    "[for x in [1, 2, 3] : x if var.pw == \"x\"]",
    "startswith(var.pw, \"S3\")",
    "endswith(var.pw, \"e\")",
    "contains([\"S3cr3tValue\"], var.pw)",
    "index([\"a\", var.pw], var.pw)",
    "lookup({a = 1}, var.pw, 9)",
    "coalesce(\"\", var.pw)",
    "regexall(\".\", var.pw)",
    "md5(var.pw)",
    "base64encode(var.pw)",
    "strrev(var.pw)",
    "lower(var.pw)",
    "substr(var.pw, 0, 8)",
    "format(\"%s\", var.pw)",
    "jsonencode({a = [var.pw]})",
    "merge({a = 1}, {b = var.pw})",
    "keys({(var.pw) = 1})",
    "\"%{ if var.pw == \"x\" }a%{ else }b%{ endif }\"",
    "var.pin + 1",
    "var.pin > 5",
    "-var.pin",
    "max(var.pin, 1)",
    "cidrhost(\"10.0.0.0/8\", var.pin)",
    "tostring(var.pin)",
    "can(var.pw.a)",
    "sensitive(\"S3cr3tValue\")",
    "i.hex",
    "i.dec",
    "p.id",
    "p2.id",
    "r.result",
    "o.etag",
    "o.checksumSha256",
    "data.z.outputMd5",
    "data.z.outputSha",
    "data.z.outputSha256",
    "data.z.outputBase64sha256",
    "data.z.outputSha512",
    "data.z.outputBase64sha512",
    "data.z.outputSize",
    "data.z.outputPath",
    "data.z.id",
    "f.codeSha256",
    "f.sourceCodeSize",
    "h.codeSha256",
    "named.arn",
    "named.id",
    "named.url",
];

const MADE: &str = r#"
data:
  z: {type: "archive:getFile", properties: {type: zip, source: [{content: "${var.pw}", filename: a.py}]}}
resources:
  i: {type: "random:RandomId", properties: {byteLength: 2, prefix: "${var.pw}"}}
  p: {type: "random:RandomPet", properties: {prefix: "${var.pw}"}}
  p2: {type: "random:RandomPet", properties: {separator: "${var.pw}"}}
  r: {type: "random:RandomString", properties: {length: 8, upper: false, lower: false, numeric: false, overrideSpecial: "${var.pw}"}}
  b: {type: "aws:s3:Bucket", properties: {bucket: attacked-secrets, forceDestroy: true}}
  o: {type: "aws:s3:BucketObject", properties: {bucket: "${b.id}", key: k, content: "${var.pw}", checksumAlgorithm: SHA256}}
  c: {type: "aws:s3:BucketObject", properties: {bucket: "${b.id}", key: c.zip, source: "${data.z.outputPath}"}}
  role:
    type: aws:iam:Role
    properties:
      name: attacked
      assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]}
  f: {type: "aws:lambda:Function", properties: {name: f, role: "${role.arn}", runtime: python3.13, handler: a.b, filename: "${data.z.outputPath}"}}
  h: {type: "aws:lambda:Function", properties: {name: h, role: "${role.arn}", runtime: python3.13, handler: a.b, s3Bucket: "${b.id}", s3Key: "${c.key}"}}
  named: {type: "aws:sqs:Queue", properties: {name: "q-${var.pin}"}}
"#;

#[test]
fn what_is_made_of_a_secret_is_one() {
    let mut stack = format!("{HEAD}{MADE}outputs:\n");
    for (at, expression) in EXPRESSIONS.iter().enumerate() {
        let quoted = expression.replace('\'', "''");
        stack.push_str(&format!("  o{at}: '${{{quoted}}}'\n"));
    }
    let project = project(&stack);
    let plan = project.run(&["plan", "--json"]);
    let applied = project.run(&["apply", "--yes"]).expect(0);
    let again = project.run(&["plan", "--detailed-exitcode"]);
    let outputs = project.run(&["outputs", "--json"]).expect(0).json();
    let state = project.state();
    let plan_outputs = plan.json()["outputs"].clone();
    let mut table = Table::new("secrets");
    for (at, expression) in EXPRESSIONS.iter().enumerate() {
        let name = format!("o{at}");
        table.attack(&format!("{expression} in the plan"), || {
            let is_secret = plan_outputs[&name]["sensitive"] == Value::Bool(true);
            is_secret
                .then_some(())
                .ok_or(plan_outputs[&name].to_string())
        });
        table.attack(&format!("{expression} in the state"), || {
            let kept = &state["outputs"][&name];
            let is_sealed = kept["value"].get("$sealed").is_some();
            is_sealed.then_some(()).ok_or(kept.to_string())
        });
        table.attack(&format!("{expression} as an output"), || {
            let shown = &outputs[&name];
            let open = !shown.is_null() && shown["value"] != "(secret)" && *shown != "(secret)";
            (!open).then_some(()).ok_or(shown.to_string())
        });
    }
    table.attack("the screens", || {
        clean_run(&plan, "plan --json")?;
        clean_run(&applied, "apply")?;
        clean_run(&again, "plan")
    });
    table.attack("a plan after it is empty", || {
        (again.code == Some(0))
            .then_some(())
            .ok_or(again.stdout.clone())
    });
    for args in [
        &["state", "list"][..],
        &["state", "list", "--json"],
        &["state", "show", "i"],
        &["state", "show", "p"],
        &["state", "show", "o"],
        &["state", "show", "h"],
        &["drift"],
        &["drift", "--json"],
        &["refresh", "--yes"],
        &["plan", "--destroy"],
        &[
            "plan",
            "--out",
            "p.plan",
            "--replace",
            "i",
            "--replace",
            "p",
        ],
        &["state", "rm", "p", "--yes"],
    ] {
        table.attack(&args.join(" "), || {
            let ended = project.run(args);
            clean_run(&ended, &args.join(" "))
        });
    }
    table.end();
}

#[test]
fn no_secret_is_kept_but_in_the_names_that_are_asked_for() {
    let made = MADE.replace("q-${var.pin}", "q-plain");
    let project = project(&format!("{HEAD}{made}"));
    let mut table = Table::new("secrets");
    for args in [
        &["plan", "--out", "p.plan"][..],
        &["apply", "--yes"],
        &["refresh", "--yes"],
        &["state", "pull", "--out", "pulled.json"],
        &["destroy", "--yes"],
    ] {
        table.attack(&format!("files after {}", args.join(" ")), || {
            let ended = project.run(args);
            (ended.code == Some(0)).then_some(()).ok_or(ended.stderr)?;
            clean_files(project.dir())
        });
    }
    table.end();
}

/// Mistakes, none of which may say what is secret.
const MISTAKES: &[&str] = &[
    "resources: {q: {type: \"aws:sqs:Queue\", options: {forEach: [\"a\", \"${var.pw}\"]}, properties: {name: \"${each.key}\"}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", options: {forEach: \"${toset([var.pw])}\"}, properties: {name: \"${each.key}\"}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", options: {forEach: {\"${var.pw}\": 1}}, properties: {name: \"${each.key}\"}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", options: {forEach: \"${[var.pw, var.pw]}\"}, properties: {name: \"${each.key}\"}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {delaySeconds: \"${var.pw}\"}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {delaySeconds: \"${sensitive(\\\"S3cr3tValue\\\")}\"}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {delaySeconds: '${sensitive(\"S3cr3tValue\")}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {delaySeconds: '${sensitive(\"S3cr3tValue\"}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {nme: '${sensitive(\"S3cr3tValue\")}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${sensitive({a = \"S3cr3tValue\"}).b}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${sensitive(73914)[0]}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {fifoQueue: '${var.pw}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {policy: '${var.pw}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${var.pw.S3}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${{S3cr3tValu = 1}[var.pw]}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${file(var.pw)}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${jsondecode(var.pw)}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${regex(var.pw, \"x\")}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${cidrhost(var.pw, 1)}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${parseint(var.pw, 10)}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${try(tonumber(var.pw))}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {name: '${format(var.pw, 1, 2)}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", properties: {tags: {\"${var.pw}\": x}}}}",
    "data: {z: {type: \"archive:getFile\", properties: {type: zip, sourceFile: '${var.pw}'}}}",
    "data: {z: {type: \"archive:getFile\", properties: {type: '${var.pw}', sourceDir: '${var.pw}'}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", options: {when: '${var.pw}'}, properties: {name: q}}}",
    "resources: {q: {type: \"aws:sqs:Queue\", options: {protect: '${var.pw}'}, properties: {name: q}}}",
];

#[test]
fn no_mistake_says_a_secret() {
    let mut table = Table::new("secrets");
    for mistake in MISTAKES {
        for args in [&["plan"][..], &["plan", "--json"]] {
            table.attack(&format!("{} of {mistake}", args.join(" ")), || {
                let project = project(&format!("{HEAD}{mistake}\n"));
                let ended = project.run(args);
                (ended.code == Some(3))
                    .then_some(())
                    .ok_or(format!("{ended:?}"))?;
                clean_run(&ended, mistake)
            });
        }
    }
    table.end();
}
