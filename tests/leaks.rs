//! Plants secrets of many shapes in a stack, lets everything happen to it, and looks for them
//! in all that was printed and kept, as they are and in other codings. The local cloud's own
//! store is the cloud: there they belong.

mod planted;
mod state;

use crate::support::{Ended, Project, in_parallel};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Each with a mark that no other text has.
const PLANTED: [(&str, &str); 5] = [
    ("plain", "qPlain7xkcdSecret"),
    ("odd", "q&Odd<7x>\"kcd' é\\ü/+=%zz"),
    (
        "lines",
        "-----BEGIN qKEY7-----\nqLine7OneAAAA\nqLine7Two&<BBBB\n-----END qKEY7-----",
    ),
    (
        "document",
        r#"{"user": "qUser7xyz", "list": ["qList7xyz"]}"#,
    ),
    ("map", r#"{"entry": "qEntry7xyz", "more": ["qMore7<x>yz"]}"#),
];

const STACK: &str = r#"
name: leaky
variables:
  plain: {type: string, sensitive: true}
  odd: {type: string, sensitive: true}
  lines: {type: string, sensitive: true}
  document: {type: string, sensitive: true}
  map: {type: map, sensitive: true}
  size: {type: number, default: 30}
  short: {type: string, sensitive: true, default: zqj}
providers:
  aws: {region: us-west-2}
locals:
  coded: ${base64encode(var.odd)}
  json: "${jsonencode({token = var.odd, more = var.lines})}"
  each: {a: "${var.plain}", b: "b-${base64encode(var.odd)}"}
data:
  zip: {type: "archive:getFile", properties: {type: zip, sourceDir: src}}
resources:
  password: {type: "random:RandomPassword", properties: {length: 24, special: false}}
  queue:
    type: aws:sqs:Queue
    properties:
      name: orders
      visibilityTimeoutSeconds: ${var.size}
      tags: {Plain: "${var.plain}", Coded: "${local.coded}", Upper: "x ${upper(var.plain)} y"}
      policy:
        Version: "2012-10-17"
        Statement:
          - Sid: One
            Effect: Allow
            Principal: "*"
            Action: sqs:SendMessage
            Resource: "*"
            Condition: {StringEquals: {"aws:UserAgent": ["open", "${var.odd}", "${var.plain}"]}}
  many:
    type: aws:cloudwatch:LogGroup
    options: {forEach: "${local.each}"}
    properties: {name: "/leaky/${each.key}", tags: {Value: "${each.value}"}}
  role:
    type: aws:iam:Role
    properties:
      name: worker
      description: "for ${var.plain}"
      assumeRolePolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]}
  send:
    type: aws:iam:RolePolicy
    properties:
      name: send
      role: ${role.name}
      policy: '${jsonencode({Version = "2012-10-17", Statement = [{Effect = "Allow", Action = "sqs:SendMessage", Resource = "*", Condition = {StringEquals = {"aws:UserAgent" = var.odd}}}]})}'
  bucket: {type: "aws:s3:Bucket", properties: {bucket: leaky-code, forceDestroy: true}}
  code:
    type: aws:s3:BucketObject
    properties: {bucket: "${bucket.id}", key: a.zip, source: "${data.zip.outputPath}"}
  note:
    type: aws:s3:BucketObject
    properties: {bucket: "${bucket.id}", key: note.txt, content: "${local.json}", metadata: {owner: "${var.plain}"}}
  worker:
    type: aws:lambda:Function
    properties:
      name: worker
      role: ${role.arn}
      runtime: python3.13
      handler: a.b
      s3Bucket: ${bucket.id}
      s3Key: ${code.key}
      environment:
        variables:
          PLAIN: ${var.plain}
          ODD: "<${var.odd}>"
          LINES: ${var.lines}
          JSON: ${local.json}
          MAP: ${var.map.entry}
          PASSWORD: "pw-${password.result}"
          DOCUMENT: ${jsondecode(var.document).user}
          SHORT: ${var.short}
  vault:
    type: AWS::SecretsManager::Secret
    properties: {Name: leaky/vault, Description: "of ${var.plain}", SecretString: "${local.json}", Tags: {Coded: "${local.coded}"}}
  parameter:
    type: AWS::SSM::Parameter
    properties: {Name: /leaky/parameter, Type: String, Value: "${var.lines}"}
  machine:
    type: AWS::StepFunctions::StateMachine
    properties:
      RoleArn: ${role.arn}
      DefinitionString: '${jsonencode({StartAt = "A", States = {A = {Type = "Pass", Result = var.odd, End = true}}})}'
outputs:
  plain: {value: "${var.plain}", sensitive: true}
  derived: "${jsonencode({a = var.odd, b = [var.lines]})}"
  coded: ${local.coded}
  map: ${var.map}
  password: ${password.result}
  queue: ${queue.url}
"#;

fn project(passphrase: bool) -> Project {
    let mut project = Project::new();
    project.write("stacks/leaky.yaml", STACK);
    project.write("stacks/src/a.py", "b = 1\n");
    for (name, value) in PLANTED {
        project.env(&format!("STACKCTL_VAR_{name}"), value);
    }
    if passphrase {
        project.env("STACKCTL_STATE_PASSPHRASE", "qPass7 phrase");
    }
    // What the SDK would log, were there a logger, includes bodies of requests.
    project
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    project
}

/// What is looked for: every secret and its parts, in every coding.
struct Hunt {
    needles: BTreeSet<String>,
    places: AtomicUsize,
}

impl Hunt {
    fn new(project: &Project) -> Self {
        let mut words: BTreeSet<String> = BTreeSet::new();
        for (_, value) in PLANTED {
            words.insert(value.to_owned());
            words.extend(value.lines().map(str::to_owned));
            words.insert(value.to_uppercase());
        }
        // Marks: parts that stand in the secrets as they are.
        for mark in [
            "qPlain7",
            "QPLAIN7",
            "q&Odd",
            "q&amp;Odd",
            "q%26Odd",
            "qKEY7",
            "qLine7",
            "qUser7",
            "qList7",
            "qEntry7",
            "qMore7",
            "qPass7",
            "q\\u0026Odd",
        ] {
            words.insert(mark.to_owned());
        }
        // What was drawn is known to the cloud alone.
        for entry in project.cloud() {
            let text = entry.value.to_string();
            if let Some(at) = text.find("pw-") {
                words.insert(text[at + 3..at + 27].to_owned());
            }
        }
        let mut needles = words.clone();
        for word in words {
            let quoted = Value::from(word.as_str()).to_string();
            needles.insert(quoted[1..quoted.len() - 1].to_owned());
            let url: String = form_urlencoded::byte_serialize(word.as_bytes()).collect();
            needles.insert(url.replace('+', "%20"));
            needles.insert(url);
            for before in 0..3 {
                let coded = STANDARD.encode("x".repeat(before) + &word);
                let first = (before * 8usize).div_ceil(6);
                let last = (before + word.len()) * 8 / 6;
                needles.insert(coded[first..last].to_owned());
            }
            needles.insert(hex::encode(&word));
        }
        Self {
            needles,
            places: AtomicUsize::new(0),
        }
    }

    #[track_caller]
    fn clean(&self, text: &[u8], place: &str) {
        self.places.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(text);
        for needle in &self.needles {
            assert!(!text.contains(needle), "{needle} in {place}:\n{text}");
        }
    }

    /// Every file of the project but the stack's own and the cloud.
    #[track_caller]
    fn files(&self, dir: &Path) {
        use std::os::unix::fs::PermissionsExt;
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".stackctl/local") || path.ends_with("stacks") {
                continue;
            }
            if path.is_dir() {
                self.files(&path);
                continue;
            }
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
            let bytes = std::fs::read(&path).unwrap();
            self.clean(&bytes, &path.display().to_string());
        }
    }

    #[track_caller]
    fn look(&self, project: &Project, ended: &Ended) {
        self.clean(ended.stdout.as_bytes(), "stdout");
        self.clean(ended.stderr.as_bytes(), "stderr");
        self.files(project.dir());
    }
}

/// Runs a command with no mask on new files, and looks.
#[track_caller]
fn run(project: &Project, args: &[&str]) -> Ended {
    let mut shell = project.command(args);
    let program = shell.get_program().to_owned();
    let arguments: Vec<_> = shell.get_args().map(ToOwned::to_owned).collect();
    let mut open = std::process::Command::new("sh");
    open.args(["-c", "umask 0; exec \"$0\" \"$@\""])
        .arg(program)
        .args(arguments)
        .env_clear()
        .envs(
            shell
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(project.dir())
        .stdin(std::process::Stdio::null());
    shell = open;
    let output = shell.output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

static SEARCHED: AtomicUsize = AtomicUsize::new(0);
static PLACES: AtomicUsize = AtomicUsize::new(0);

/// Runs each command and looks for what it left; the last word says how much was searched.
#[track_caller]
fn hunt(project: &Project, commands: &[(&[&str], i32)]) {
    for (args, code) in commands {
        let ended = run(project, args);
        let hunt = Hunt::new(project);
        hunt.look(project, &ended);
        assert_eq!(
            ended.code,
            Some(*code),
            "{args:?}\n{}\n{}",
            ended.stdout,
            ended.stderr
        );
        SEARCHED.fetch_max(hunt.needles.len(), Ordering::Relaxed);
        PLACES.fetch_add(hunt.places.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

fn fault(project: &mut Project, call: &str, what: &str) {
    let faults = json!([{"call": call, "what": what}]);
    project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
}

/// The life of the stack: everything that succeeds.
fn life(passphrase: bool) {
    let project = project(passphrase);
    hunt(
        &project,
        &[
            (&["plan"], 0),
            (&["plan", "--json"], 0),
            (&["plan", "--out", "p.plan"], 0),
            (&["apply", "--yes"], 0),
            (&["plan", "--detailed-exitcode"], 0),
            (&["outputs"], 0),
            (&["outputs", "--json"], 0),
            (&["outputs", "--raw", "queue"], 0),
            (&["outputs", "--raw", "plain"], 1),
            (&["plan", "--var", "size=40"], 0),
            (&["plan", "--json", "--var", "size=40"], 0),
            (&["plan", "--out", "q.plan", "--var", "size=40"], 0),
            (&["apply", "--plan", "q.plan", "--yes", "--json"], 0),
            (&["drift"], 0),
            (&["drift", "--json"], 0),
            (&["refresh", "--yes"], 0),
            (&["plan", "--var", "plain=qPlain7other"], 0),
            (
                &["apply", "--yes", "--json", "--var", "plain=qPlain7other"],
                0,
            ),
            (&["apply", "--plan", "p.plan", "--yes"], 5),
            (&["plan", "--destroy"], 0),
            (&["destroy", "--yes", "--json"], 0),
        ],
    );
    assert_eq!(project.cloud(), []);
}

/// Calls that carry secrets, refused with all of the request in the error.
fn echoed(passphrase: bool) {
    for call in [
        "sqs:CreateQueue",
        "sqs:SetQueueAttributes",
        "logs:CreateLogGroup",
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "s3:PutObject",
        "lambda:CreateFunction",
        "lambda:*",
    ] {
        let mut project = project(passphrase);
        for json in [false, true] {
            fault(&mut project, call, "echo");
            let args: &[&str] = match json {
                false => &["apply", "--yes"],
                true => &["apply", "--yes", "--json"],
            };
            let ended = run(&project, args);
            let hunt = Hunt::new(&project);
            hunt.look(&project, &ended);
            if call != "sqs:SetQueueAttributes" {
                assert_eq!(ended.code, Some(1), "{call}: {}", ended.stderr);
                let told = format!("{}{}", ended.stdout, ended.stderr);
                assert!(told.contains("is not valid; it reads"), "{call}: {told}");
                // The body of an object is in chunks, with its length in front.
                assert!(
                    told.contains("(secret)") || call == "s3:PutObject",
                    "{call}: {told}"
                );
            }
            PLACES.fetch_add(hunt.places.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

/// Runs that panic or die in the middle of a call, and the runs after.
fn broken_off(passphrase: bool) {
    for (call, what, code) in [
        ("lambda:CreateFunction", "panic", Some(1)),
        ("sqs:CreateQueue", "panic", Some(1)),
        ("lambda:CreateFunction", "killBefore", None),
        ("lambda:CreateFunction", "killAfter", None),
        ("sqs:CreateQueue", "killAfter", None),
        ("iam:PutRolePolicy", "killBefore", None),
        ("logs:CreateLogGroup", "lostReply", Some(1)),
    ] {
        let mut project = project(passphrase);
        fault(&mut project, call, what);
        let ended = run(&project, &["apply", "--yes"]);
        let hunt = Hunt::new(&project);
        hunt.look(&project, &ended);
        if what != "lostReply" {
            assert_eq!(ended.code, code, "{call} {what}: {}", ended.stderr);
        }
        if what == "panic" {
            assert!(
                ended.stderr.contains("it broke off at src/"),
                "{}",
                ended.stderr
            );
        }
        PLACES.fetch_add(hunt.places.load(Ordering::Relaxed), Ordering::Relaxed);
        project.env("STACKCTL_LOCAL_FAULTS", "[]");
        self::hunt(&project, &[(&["plan"], 0), (&["apply", "--yes"], 0)]);
        project.expect_no_changes();
    }
}

/// Mistakes in the file, whose lines are quoted.
fn mistaken(passphrase: bool) {
    let changes = [
        ("name: orders", "name: \"${var.odd} !\""),
        ("length: 24", "length: \"${var.plain}\""),
        ("name: orders", "name: \"${file(var.plain)}\""),
        ("name: orders", "name: \"${jsondecode(var.lines)}\""),
        ("handler: a.b", "handler: [\"${var.odd}\"]"),
        (
            "default: zqj}",
            "default: qPlain7xkcdSecret, pattern: '^x'}",
        ),
        (
            "runtime: python3.13",
            "runtime: ${sensitive(\"qPlain7here\")} # qPlain7xkcdSecret",
        ),
    ];
    for (from, to) in changes {
        let project = project(passphrase);
        project.write("stacks/leaky.yaml", STACK.replace(from, to));
        for args in [
            &["validate"][..],
            &["validate", "--json"],
            &["plan"],
            &["plan", "--json"],
            &["apply", "--yes", "--json"],
        ] {
            let ended = run(&project, args);
            let hunt = Hunt::new(&project);
            hunt.look(&project, &ended);
            PLACES.fetch_add(hunt.places.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

/// Goes through a scene, with a key of the user's own and with a passphrase.
fn both(scene: fn(bool)) {
    in_parallel(vec![false, true], scene);
    println!(
        "secrets: {} searched, 0 found (forms of them, in {} places so far)",
        SEARCHED.load(Ordering::Relaxed),
        PLACES.load(Ordering::Relaxed)
    );
}

#[test]
fn no_secret_is_printed_or_kept_while_a_stack_lives() {
    both(life);
}

#[test]
fn no_secret_is_printed_or_kept_when_a_run_breaks_off() {
    both(broken_off);
}

#[test]
fn no_secret_is_printed_or_kept_when_a_service_repeats_it() {
    both(echoed);
}

#[test]
fn no_secret_is_printed_or_kept_when_somebody_changes_it() {
    both(state::drifted);
}

#[test]
fn no_secret_is_printed_or_kept_when_a_state_is_repaired() {
    both(state::repaired);
}

#[test]
fn no_secret_is_printed_or_kept_when_the_disk_is_full() {
    both(state::told);
}

/// A mistake ends a command before the state is read: no passphrase matters.
#[test]
fn no_secret_is_printed_or_kept_when_the_file_is_wrong() {
    mistaken(false);
}
