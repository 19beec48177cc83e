//! The key of a state: forged seals, heads and saved plans, wrong keys, and what lies in the place
//! of the user's identity.

use super::Table;
use crate::cli::state_key::{OTHER, OTHER_RECIPIENT, STACK, identity, keyed, lose_identity};
use crate::support::{Ended, Project};
use age::x25519::Identity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stackctl::store::key::{Given, StateKey};
use stackctl::store::state::State;
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::{Duration, Instant};

/// A name, and what it does to its subject.
type Row<T> = (&'static str, Box<dyn Fn(&T)>);
type RowMut<T> = (&'static str, Box<dyn Fn(&mut T)>);

const FILE: &str = "state/keyed.json";

/// It ended with an error, told no secret, and changed neither the cloud nor the state.
fn refused(project: &Project, args: &[&str]) -> Result<Ended, String> {
    let file = || std::fs::read(project.dir().join(FILE)).ok();
    let before = (project.cloud(), file());
    let started = Instant::now();
    let ended = project.run(args);
    let printed = format!("{}{}", ended.stdout, ended.stderr);
    let printed = printed.replace("AGE-SECRET-KEY-1…", "");
    if started.elapsed() > Duration::from_secs(20) {
        return Err(format!("it took {:?}", started.elapsed()));
    }
    if !matches!(ended.code, Some(1 | 3 | 5)) {
        return Err(format!("it ended with {:?}: {printed}", ended.code));
    }
    if printed.contains("hunter2") || printed.contains("AGE-SECRET-KEY") {
        return Err(format!("a secret was printed: {printed}"));
    }
    if (project.cloud(), file()) != before {
        return Err(format!("it changed something: {printed}"));
    }
    Ok(ended)
}

fn told(ended: &Ended, what: &str) -> Result<(), String> {
    match ended.stderr.contains(what) {
        true => Ok(()),
        false => Err(format!("{what:?} is not in {}", ended.stderr)),
    }
}

/// The state with this change, and a checksum that fits.
fn forge(project: &Project, change: &dyn Fn(&mut Value)) {
    let mut state = project.state();
    change(&mut state);
    let state = stackctl::store::read_edited(state.to_string().as_bytes()).unwrap();
    project.write(FILE, stackctl::store::to_text(&state).unwrap());
}

fn parsed(project: &Project) -> State {
    stackctl::store::read_edited(project.read(FILE).as_bytes()).unwrap()
}

fn sealed_to(recipient: &str, value: &Value) -> String {
    let recipient = stackctl::store::key::recipient(recipient).unwrap();
    STANDARD.encode(age::encrypt(&recipient, value.to_string().as_bytes()).unwrap())
}

/// What somebody does to a state who can write it, and has no key.
type Change = Box<dyn Fn(&mut Value)>;

fn forged_seals(project: &Project) -> Vec<(&'static str, Change)> {
    let state = project.state();
    let token = state["outputs"]["token"]["value"].clone();
    let password = state["outputs"]["password"]["value"].clone();
    let recipient = state["encryption"]["recipient"].as_str().unwrap();
    let forged = sealed_to(recipient, &json!("chosen by somebody else"));
    let other = sealed_to(OTHER_RECIPIENT, &json!("hunter2"));
    let seal = |hash: &Value, age: &Value| json!({"$sealed": hash, "$age": age});
    let at = |pointer: &'static str, value: Value| -> Change {
        Box::new(move |state| *state.pointer_mut(pointer).unwrap() = value.clone())
    };
    let output = "/outputs/token/value";
    let tag = "/resources/queue/inputs/tags/token";
    let result = "/resources/password/outputs/result";
    let (hash, age) = (&token["$sealed"], &token["$age"]);
    vec![
        (
            "a value of one's own, with the old hash",
            at(output, seal(hash, &json!(forged))),
        ),
        (
            "a value of one's own, in a tag",
            at(tag, seal(hash, &json!(forged))),
        ),
        (
            "a value of one's own, in an output",
            at(result, seal(hash, &json!(forged))),
        ),
        (
            "a value of one's own, without a hash",
            at(tag, seal(&json!(""), &json!(forged))),
        ),
        (
            "a value of one's own, with any hash",
            at(tag, seal(&json!("ab".repeat(32)), &json!(forged))),
        ),
        (
            "the hash of another secret",
            at(output, seal(&password["$sealed"], age)),
        ),
        (
            "the ciphertext of another secret",
            at(tag, seal(hash, &password["$age"])),
        ),
        (
            "a ciphertext to somebody else",
            at(tag, seal(hash, &json!(other))),
        ),
        (
            "a ciphertext that is cut off",
            at(tag, seal(hash, &json!(&age.as_str().unwrap()[..40]))),
        ),
        ("an empty ciphertext", at(tag, seal(hash, &json!("")))),
        (
            "a ciphertext that is not base64",
            at(tag, seal(hash, &json!("(hunter2)"))),
        ),
    ]
}

fn forged_heads(project: &Project) -> Vec<(&'static str, Change)> {
    let state = project.state();
    let own = state["encryption"]["recipients"].as_object().unwrap();
    let own: BTreeMap<String, String> = own
        .iter()
        .map(|(one, place)| (one.clone(), place.as_str().unwrap().to_owned()))
        .collect();
    // Whoever knows the recipient can encrypt an identity of theirs to it.
    let theirs = StateKey::to_recipients(own, &parsed(project));
    let theirs = json!(theirs.encryption().unwrap().unwrap());
    let head = |change: &'static dyn Fn(&mut Value)| -> Change {
        Box::new(move |state| change(&mut state["encryption"]))
    };
    let drop = |name: &'static str| -> Change {
        Box::new(move |state| {
            state["encryption"].as_object_mut().unwrap().remove(name);
        })
    };
    let identity = theirs["identity"].clone();
    let mac = theirs["mac"].clone();
    vec![
        (
            "another key, encrypted to the user",
            Box::new(move |state| state["encryption"] = theirs.clone()),
        ),
        (
            "the identity of another key",
            Box::new(move |state| state["encryption"]["identity"] = identity.clone()),
        ),
        (
            "the code of another head",
            Box::new(move |state| state["encryption"]["mac"] = mac.clone()),
        ),
        (
            "another recipient of the state",
            head(&|head| head["recipient"] = json!(OTHER_RECIPIENT)),
        ),
        (
            "one more who can open it",
            head(&|head| head["recipients"][OTHER_RECIPIENT] = json!("here")),
        ),
        (
            "a recipient that is none",
            head(&|head| head["recipients"]["age1"] = json!("x")),
        ),
        (
            "another place of the identity",
            head(&|head| {
                head["recipients"]
                    .as_object_mut()
                    .unwrap()
                    .values_mut()
                    .for_each(|at| *at = json!("\u{1b}[2J"));
            }),
        ),
        (
            "somebody else who can open it",
            head(&|head| head["recipients"] = json!({OTHER_RECIPIENT: "here"})),
        ),
        ("no code", drop("mac")),
        ("an empty code", head(&|head| head["mac"] = json!(""))),
        ("no recipients, as with a passphrase", drop("recipients")),
        ("no identity, as with a key file", drop("identity")),
        (
            "an identity that is cut off",
            head(&|head| {
                let text = head["identity"].as_str().unwrap()[..80].to_owned();
                head["identity"] = json!(text);
            }),
        ),
        (
            "an identity that is not base64",
            head(&|head| head["identity"] = json!("(AGE)")),
        ),
        (
            "an empty identity",
            head(&|head| head["identity"] = json!("")),
        ),
        (
            "no encryption at all",
            Box::new(|state| {
                state.as_object_mut().unwrap().remove("encryption");
            }),
        ),
    ]
}

#[test]
fn forged_secrets_and_heads_of_a_state() {
    let mut table = Table::new("seals and heads");
    let project = keyed();
    project.apply();
    let good = project.read(FILE);
    let all = forged_seals(&project)
        .into_iter()
        .chain(forged_heads(&project));
    for (name, change) in all {
        project.write(FILE, &good);
        forge(&project, &change);
        for args in [
            &["plan"][..],
            &["apply", "--yes", "--var", "token=secret2"],
            &["state", "rekey", "--add", OTHER_RECIPIENT],
        ] {
            let name = format!("{name}: {}", args.join(" "));
            table.attack(&name, || refused(&project, args).map(|_| ()));
        }
    }
    project.write(FILE, &good);
    table.attack("the state itself is good", || {
        project.expect_no_changes();
        Ok(())
    });
    table.end();
}

/// A seal that is whole and stands elsewhere opens; it is a secret there too.
#[test]
fn moved_seals_are_secret_where_they_are_moved() {
    let mut table = Table::new("moved seals");
    let project = keyed();
    project.apply();
    let good = project.read(FILE);
    let token = project.state()["outputs"]["token"]["value"].clone();
    for pointer in [
        "/outputs/log/value",
        "/resources/log/outputs/arn",
        "/resources/log/inputs/retentionInDays",
        "/resources/log/inputs/name",
        "/resources/queue/outputs/url",
        "/resources/queue/inputs/name",
        "/resources/password/inputs/length",
    ] {
        let token = token.clone();
        project.write(FILE, &good);
        forge(&project, &|state| {
            *state.pointer_mut(pointer).unwrap() = token.clone();
        });
        for args in [
            &["plan"][..],
            &["plan", "--json"],
            &["outputs"],
            &["outputs", "--json"],
            &["outputs", "--raw", "log"],
            &["drift"],
            &["drift", "--json"],
            &["state", "list"],
            &["state", "show", "log"],
            &["state", "pull"],
        ] {
            table.attack(&format!("{pointer}: {}", args.join(" ")), || {
                let ended = project.run(args);
                let printed = format!("{}{}", ended.stdout, ended.stderr);
                match printed.contains("hunter2") || printed.contains("panicked") {
                    true => Err(printed),
                    false => Ok(()),
                }
            });
        }
    }
    table.end();
}

#[test]
fn a_passphrase_state_that_takes_long_to_try() {
    let mut table = Table::new("scrypt");
    let mut project = keyed();
    project.env("STACKCTL_STATE_PASSPHRASE", "correct horse");
    project.apply();
    let good = project.read(FILE);
    for work in ["21", "22", "30", "63", "99", "15000", "-1", "", "015"] {
        project.write(FILE, &good);
        forge(&project, &|state| {
            let identity = state["encryption"]["identity"].as_str().unwrap();
            let file = STANDARD.decode(identity).unwrap();
            let at = file.windows(4).position(|part| part == b" 15\n").unwrap();
            let forged = [&file[..at], b" ", work.as_bytes(), &file[at + 3..]].concat();
            state["encryption"]["identity"] = json!(STANDARD.encode(forged));
        });
        table.attack(&format!("work {work:?}"), || {
            refused(&project, &["plan"]).map(|_| ())
        });
    }
    table.end();
}

#[test]
fn wrong_keys_open_nothing() {
    let mut table = Table::new("wrong keys");
    let mut project = keyed();
    project.apply();
    lose_identity(&project);
    project.write("wrong.txt", OTHER);
    project.write("bad.txt", "hunter2\n");
    let wrong: &[(&str, &str, &str)] = &[
        ("no key", "X", ""),
        ("another key", "STACKCTL_STATE_KEY", OTHER),
        (
            "a key file with another key",
            "STACKCTL_STATE_KEY_FILE",
            "wrong.txt",
        ),
        (
            "a key file that is none",
            "STACKCTL_STATE_KEY_FILE",
            "bad.txt",
        ),
        (
            "a key file that is the state",
            "STACKCTL_STATE_KEY_FILE",
            FILE,
        ),
        ("a passphrase", "STACKCTL_STATE_PASSPHRASE", "correct horse"),
    ];
    for (name, variable, value) in wrong {
        project.env(variable, value);
        for args in [
            &["plan"][..],
            &["plan", "--json"],
            &["plan", "--out", "a.plan"],
            &["apply", "--yes"],
            &["destroy", "--yes"],
            &["drift"],
            &["refresh", "--yes"],
            &["outputs", "--show-secrets"],
            &["outputs", "--raw", "password", "--show-secrets"],
            &["state", "rekey", "--add", OTHER_RECIPIENT],
            &["state", "rekey", "--remove", OTHER_RECIPIENT],
            &["state", "rekey", "--new-key", "wrong.txt"],
            &["state", "rebuild", "--yes"],
        ] {
            let name = format!("{name}: {}", args.join(" "));
            table.attack(&name, || refused(&project, args).map(|_| ()));
        }
        project.unset(variable);
    }
    table.attack("no identity was created meanwhile", || {
        match identity(&project).exists() {
            true => Err("there is one".to_owned()),
            false => Ok(()),
        }
    });
    table.end();
}

#[test]
fn what_lies_in_the_place_of_the_users_identity() {
    let mut table = Table::new("identity files");
    let good = format!("{OTHER}\n");
    let put: Vec<Row<std::path::Path>> = vec![
        (
            "a link to an identity",
            Box::new(|at| {
                let to = at.with_file_name("real.txt");
                std::fs::write(&to, OTHER).unwrap();
                std::fs::set_permissions(&to, PermissionsExt::from_mode(0o600)).unwrap();
                symlink(to, at).unwrap();
            }),
        ),
        (
            "a link to nothing",
            Box::new(|at| symlink(at.with_file_name("none"), at).unwrap()),
        ),
        (
            "a link to /dev/zero",
            Box::new(|at| symlink("/dev/zero", at).unwrap()),
        ),
        ("a link to itself", Box::new(|at| symlink(at, at).unwrap())),
        (
            "a FIFO",
            Box::new(|at| {
                assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
            }),
        ),
        ("a folder", Box::new(|at| std::fs::create_dir(at).unwrap())),
        ("an empty file", Box::new(|at| file(at, "", 0o600))),
        (
            "only remarks",
            Box::new(|at| file(at, "# public key: age1\n", 0o600)),
        ),
        ("another text", Box::new(|at| file(at, "hunter2\n", 0o600))),
        (
            "an identity that is cut off",
            Box::new(|at| file(at, &OTHER[..40], 0o600)),
        ),
        (
            "an ssh key",
            Box::new(|at| file(at, "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n", 0o600)),
        ),
        (
            "bytes that are no text",
            Box::new(|at| {
                std::fs::write(at, [0xff, 0xfe, 0x00]).unwrap();
                std::fs::set_permissions(at, PermissionsExt::from_mode(0o600)).unwrap();
            }),
        ),
        (
            "17 MiB",
            Box::new(|at| file(at, &"#".repeat(17 << 20), 0o600)),
        ),
        (
            "one that all can read",
            Box::new({
                let good = good.clone();
                move |at| file(at, &good, 0o644)
            }),
        ),
        (
            "one that the group can read",
            Box::new({
                let good = good.clone();
                move |at| file(at, &good, 0o640)
            }),
        ),
        (
            "one that all can write",
            Box::new({
                let good = good.clone();
                move |at| file(at, &good, 0o602)
            }),
        ),
    ];
    let other_user = (
        "one of another user",
        Box::new({
            let good = good.clone();
            move |at: &std::path::Path| {
                file(at, &good, 0o600);
                std::os::unix::fs::chown(at, Some(12345), None).unwrap();
            }
        }) as Box<dyn Fn(&std::path::Path)>,
    );
    let is_root = rustix::process::geteuid().is_root();
    for (name, put) in put.into_iter().chain(is_root.then_some(other_user)) {
        let project = keyed();
        let at = identity(&project);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        put(&at);
        let before = std::fs::symlink_metadata(&at).unwrap();
        for args in [&["apply", "--yes"][..], &["plan", "--out", "a.plan"]] {
            table.attack(&format!("{name}: {}", args.join(" ")), || {
                let ended = refused(&project, args)?;
                told(&ended, "identity")?;
                let after = std::fs::symlink_metadata(&at).map_err(|error| error.to_string())?;
                let same =
                    |one: &std::fs::Metadata| (one.len(), one.modified().ok(), one.file_type());
                match same(&after) == same(&before) && project.cloud().is_empty() {
                    true => Ok(()),
                    false => Err("it was changed".to_owned()),
                }
            });
        }
    }
    table.end();
}

fn file(at: &std::path::Path, text: &str, mode: u32) {
    std::fs::write(at, text).unwrap();
    std::fs::set_permissions(at, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn the_identity_is_private_from_the_first_byte() {
    let mut table = Table::new("identity modes");
    for umask in ["000", "022", "077", "777"] {
        for folder in [None, Some(0o755), Some(0o700), Some(0o777)] {
            let project = keyed();
            let at = identity(&project);
            if let Some(mode) = folder {
                std::fs::create_dir_all(at.parent().unwrap()).unwrap();
                std::fs::set_permissions(at.parent().unwrap(), PermissionsExt::from_mode(mode))
                    .unwrap();
            }
            table.attack(&format!("umask {umask}, folder {folder:?}"), || {
                let command = project.command(&["plan", "--out", "a.plan"]);
                let mut shell = Command::new("sh");
                shell
                    .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
                    .arg(command.get_program())
                    .args(command.get_args())
                    .env_clear()
                    .current_dir(project.dir());
                for (name, value) in command.get_envs() {
                    shell.env(name, value.unwrap_or_default());
                }
                let output = shell.output().map_err(|error| error.to_string())?;
                let mode = |path: &std::path::Path| {
                    std::fs::metadata(path).map(|about| about.permissions().mode() & 0o777)
                };
                if !at.exists() {
                    // With umask 777 nothing can be created at all: also fine.
                    return match output.status.success() {
                        true => Err("there is no identity".to_owned()),
                        false => Ok(()),
                    };
                }
                let modes = [
                    mode(&at),
                    mode(at.parent().unwrap()),
                    mode(&project.dir().join("a.plan")),
                ];
                let modes = modes.map(Result::ok);
                let left = std::fs::read_dir(at.parent().unwrap()).unwrap().count();
                // What a umask of 777 leaves is still the user's only.
                let most = [0o600, 0o700, 0o600];
                let mut fit = modes.iter().zip(most);
                match fit.all(|(mode, most)| mode.is_some_and(|mode| mode & !most == 0))
                    && left == 1
                {
                    true => Ok(()),
                    false => Err(format!("{modes:?}, {left} files, {output:?}")),
                }
            });
        }
    }
    table.end();
}

/// The plan file in two parts: its first line and the rest.
struct Plan {
    header: Value,
    body: Value,
}

impl Plan {
    fn of(text: &str) -> Self {
        let (first, rest) = text.split_once('\n').unwrap();
        let first = format!("{}}}", first.trim_end_matches(','));
        Self {
            header: serde_json::from_str(&first).unwrap(),
            body: serde_json::from_str(&format!("{{{rest}")).unwrap(),
        }
    }

    fn rest(&self) -> String {
        let text = format!("{:#}\n", self.body);
        text.strip_prefix("{\n").unwrap().to_owned()
    }

    /// The text, with a checksum that fits.
    fn text(&self) -> String {
        let rest = self.rest();
        let mut header = self.header.clone();
        header["checksum"] = json!(hex::encode(Sha256::digest(rest.as_bytes())));
        // The word by which it is told comes first.
        let mut line = format!(
            "{{\"kind\":{},\"version\":{}",
            header["kind"], header["version"]
        );
        for name in ["checksum", "mac"] {
            if let Some(value) = header.get(name) {
                line.push_str(&format!(",\"{name}\":{value}"));
            }
        }
        format!("{line},\n{rest}")
    }
}

/// The places of all values that are neither an object nor a list.
fn leaves(value: &Value, at: String, found: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                leaves(value, format!("{at}/{}", escaped(key)), found);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for (index, value) in list.iter().enumerate() {
                leaves(value, format!("{at}/{index}"), found);
            }
        }
        _ => found.push(at),
    }
}

fn altered(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_u64().unwrap_or_default() ^ 1),
        Value::String(text) => json!(format!("{text}x")),
        Value::Null => json!("x"),
        Value::Array(_) => json!(["x"]),
        Value::Object(_) => json!({"x": "x"}),
    }
}

const APPLY: &[&str] = &["apply", "--plan", "a.plan"];

#[test]
fn an_altered_plan_is_not_applied() {
    let mut table = Table::new("altered plans");
    for exists in [false, true] {
        let project = keyed();
        if exists {
            project.apply();
        }
        let args = ["plan", "--out", "a.plan", "--var", "days=14"];
        project.run(&args).expect(0);
        let good = Plan::of(&project.read("a.plan"));
        assert_eq!(
            good.text(),
            project.read("a.plan"),
            "it is written as stackctl does"
        );
        let mut places = Vec::new();
        leaves(&good.body, String::new(), &mut places);
        // Of the steps and rows, which are many, some.
        let few = |place: &String| !place.starts_with("/plan/");
        let (few, many): (Vec<String>, Vec<String>) = places.into_iter().partition(few);
        let step = (many.len() / 12).max(1);
        for place in few.iter().chain(many.iter().step_by(step)) {
            table.attack(&format!("state {exists}: {place}"), || {
                let mut plan = Plan::of(&good.text());
                let at = plan.body.pointer_mut(place).unwrap();
                *at = altered(at);
                project.write("a.plan", plan.text());
                refused(&project, APPLY).map(|_| ())
            });
        }
        let heads: Vec<RowMut<Plan>> = vec![
            (
                "no code",
                Box::new(|plan| {
                    plan.header.as_object_mut().unwrap().remove("mac");
                }),
            ),
            (
                "neither code nor key",
                Box::new(|plan| {
                    plan.header.as_object_mut().unwrap().remove("mac");
                    plan.body.as_object_mut().unwrap().remove("key");
                }),
            ),
            (
                "an empty code",
                Box::new(|plan| plan.header["mac"] = json!("")),
            ),
            (
                "the code null",
                Box::new(|plan| plan.header["mac"] = Value::Null),
            ),
            (
                "another code",
                Box::new(|plan| plan.header["mac"] = json!("ab".repeat(32))),
            ),
            (
                "an older format",
                Box::new(|plan| plan.header["version"] = json!(1)),
            ),
            (
                "another endpoint",
                Box::new(|plan| {
                    plan.body["command"]["endpoint_url"] = json!("http://127.0.0.1:9");
                }),
            ),
        ];
        for (name, change) in heads {
            table.attack(&format!("state {exists}: {name}"), || {
                let mut plan = Plan::of(&good.text());
                change(&mut plan);
                project.write("a.plan", plan.text());
                refused(&project, APPLY).map(|_| ())
            });
        }
        table.attack(&format!("state {exists}: the plan itself is good"), || {
            project.write("a.plan", good.text());
            let ended = project.run(APPLY);
            (ended.code == Some(0)).then_some(()).ok_or(ended.stderr)
        });
    }
    table.end();
}

/// Whoever writes a plan again and signs it with a key of theirs, encrypted to the user, whose
/// recipient they know.
#[test]
fn a_plan_signed_by_somebody_else_is_not_applied() {
    let mut table = Table::new("signed plans");
    let project = keyed();
    project.run(&["plan", "--out", "a.plan"]).expect(0);
    let good = Plan::of(&project.read("a.plan"));
    let encryption = &good.body["key"]["encryption"];
    let recipients = encryption["recipients"].as_object().unwrap();
    let recipients: BTreeMap<String, String> = recipients
        .iter()
        .map(|(one, place)| (one.clone(), place.as_str().unwrap().to_owned()))
        .collect();
    let lineage = good.body["state"]["lineage"].as_str().unwrap();
    let empty = State::empty("keyed", None, lineage.to_owned());
    let mine = Identity::generate();
    let mut both = recipients.clone();
    both.insert(mine.to_public().to_string(), "here".to_owned());
    let passphrase = StateKey::unlock(Given::passphrase("p".to_owned()), &empty).unwrap();
    let keys = [
        (
            "their key to the user",
            StateKey::to_recipients(recipients, &empty),
        ),
        (
            "their key to the user and to them",
            StateKey::to_recipients(both, &empty),
        ),
        ("a passphrase of theirs", passphrase),
    ];
    let proofs = [
        good.body["key"]["proof"].clone(),
        json!(""),
        json!("ab".repeat(32)),
    ];
    for (name, key) in &keys {
        let own = json!(key.proof().unwrap());
        for (index, proof) in proofs.iter().chain([&own]).enumerate() {
            table.attack(&format!("{name}, proof {index}"), || {
                let mut plan = Plan::of(&good.text());
                plan.body["key"]["encryption"] = json!(key.encryption().unwrap().unwrap());
                plan.body["key"]["proof"] = proof.clone();
                plan.body["command"]["endpoint_url"] = Value::Null;
                let sum = hex::encode(Sha256::digest(plan.rest().as_bytes()));
                let mac = key.plan_mac(&format!("stackctl-plan 2 {sum}"));
                plan.header["mac"] = json!(mac.unwrap());
                project.write("a.plan", plan.text());
                refused(&project, APPLY).map(|_| ())
            });
        }
    }
    // A plan of one state in the place of another one, and after its key has changed.
    let other = Project::new();
    other.write("stacks/keyed.yaml", STACK);
    other.run(&["plan", "--out", "a.plan"]).expect(0);
    table.attack("a plan of another user", || {
        project.write("a.plan", other.read("a.plan"));
        refused(&project, APPLY).map(|_| ())
    });
    table.attack("a plan of the time before the state", || {
        project.write("b.plan", good.text());
        project.apply();
        let ended = refused(&project, &["apply", "--plan", "b.plan"])?;
        told(&ended, "The plan is stale")
    });
    table.attack("a plan of the time before a new key", || {
        project
            .run(&["plan", "--out", "c.plan", "--var", "days=14"])
            .expect(0);
        let add = ["state", "rekey", "--add", OTHER_RECIPIENT];
        project.run(&add).expect(0);
        let remove = ["state", "rekey", "--remove", OTHER_RECIPIENT];
        project.run(&remove).expect(0);
        refused(&project, &["apply", "--plan", "c.plan"]).map(|_| ())
    });
    table.attack("a plan without secrets, for a state that has a key", || {
        let text = STACK.replace(", sensitive: true", "");
        let text = text.replace(
            "  password: {type: \"random:RandomPassword\", properties: {length: 20}}\n",
            "",
        );
        let open = Project::new();
        open.write(
            "stacks/keyed.yaml",
            text.replace("  password: ${password.result}\n", ""),
        );
        open.run(&["plan", "--out", "a.plan"]).expect(0);
        project.write("d.plan", open.read("a.plan"));
        let ended = refused(&project, &["apply", "--plan", "d.plan"])?;
        told(&ended, "is not authenticated with the state's key")
    });
    table.end();
}

/// With the lineage, which stands in a plan and in a state, nothing in them can be tried.
#[test]
fn no_hash_can_be_tried() {
    let mut table = Table::new("hashes to try");
    let project = keyed();
    project.run(&["plan", "--out", "a.plan"]).expect(0);
    project.run(APPLY).expect(0);
    let lineage = project.state()["lineage"].as_str().unwrap().to_owned();
    let texts = [project.read("a.plan"), project.read(FILE)];
    for secret in ["hunter2", "\"hunter2\""] {
        let mac = {
            use hmac::{Hmac, KeyInit, Mac};
            let mut mac = Hmac::<Sha256>::new_from_slice(lineage.as_bytes()).unwrap();
            mac.update(secret.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        };
        let hashes = [
            ("HMAC with the lineage", mac),
            ("SHA-256", hex::encode(Sha256::digest(secret.as_bytes()))),
            ("SHA-1", hex::encode(sha1::Sha1::digest(secret.as_bytes()))),
            ("MD5", hex::encode(md5::Md5::digest(secret.as_bytes()))),
            ("base64", STANDARD.encode(secret)),
            ("hex", hex::encode(secret)),
        ];
        for (name, hash) in &hashes {
            for (index, text) in texts.iter().enumerate() {
                table.attack(&format!("{name} of {secret} in {index}"), || {
                    let found = text.to_lowercase().contains(&hash.to_lowercase());
                    (!found).then_some(()).ok_or_else(|| hash.clone())
                });
            }
        }
    }
    table.end();
}
