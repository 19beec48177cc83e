//! The key of a state: where it comes from, who shares it, and what goes on without it.

use super::secrets::{SECRET, clean, silent};
use super::seen;
use crate::support::Project;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Secrets in a tag, a drawn password and an output, and resources without any.
pub(crate) const STACK: &str = r#"
name: keyed
variables:
  token: {type: string, sensitive: true, default: hunter2}
  days: {type: number, default: 7}
providers:
  aws: {region: us-west-2}
resources:
  password: {type: "random:RandomPassword", properties: {length: 20}}
  queue: {type: "aws:sqs:Queue", properties: {name: orders, tags: {token: "${var.token}"}}}
  log: {type: "aws:cloudwatch:LogGroup", properties: {name: /app/orders, retentionInDays: "${var.days}"}}
outputs:
  token: {value: "${var.token}", sensitive: true}
  password: ${password.result}
  log: ${log.arn}
"#;

/// An identity as `age-keygen` writes it, made for these tests, and its recipient.
pub(crate) const OTHER: &str =
    "AGE-SECRET-KEY-187PEHN8MSY20RD7ATS22AMVAXNQD2KRTG99VH46Q35288P65FJKQQTAEFW";
pub(crate) const OTHER_RECIPIENT: &str =
    "age1rx5z4cf33pa5fy9ttp23n3rcakac3qnhcl3gqs74y4r00c89aduskclrud";

pub(crate) fn keyed() -> Project {
    let project = Project::new();
    project.write("stacks/keyed.yaml", STACK);
    project
}

pub(crate) fn identity(project: &Project) -> PathBuf {
    project.home().join(".config/stackctl/identity.txt")
}

/// The recipient of the user's own identity.
pub(crate) fn own_recipient(project: &Project) -> String {
    let text = std::fs::read_to_string(identity(project)).unwrap();
    let line = text.lines().find(|line| line.starts_with("# public key: "));
    line.unwrap()["# public key: ".len()..].to_owned()
}

/// Nobody has the user's own identity any more.
pub(crate) fn lose_identity(project: &Project) {
    std::fs::remove_file(identity(project)).unwrap();
}

const SHOW: &[&str] = &["outputs", "--json", "--show-secrets"];

#[test]
fn the_first_secret_creates_the_users_own_key_and_says_so_once() {
    let project = keyed();
    for args in [
        &["validate"][..],
        &["plan"],
        &["plan", "--json"],
        &["state", "list"],
        &["state", "rekey"],
    ] {
        silent(project.run(args));
        assert!(!identity(&project).exists(), "{args:?}");
    }
    let applied = silent(project.apply());
    let recipient = own_recipient(&project);
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(identity(&project)), 0o600);
    assert_eq!(mode(project.home().join(".config/stackctl")), 0o700);
    let told = applied.stderr.replace(&recipient, "age1OWN");
    let told: Vec<&str> = told.lines().take(6).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    The secrets of this state are encrypted with a key that was created for you now:
      identity:  ~/.config/stackctl/identity.txt (readable by you only)
      recipient: age1OWN
    Back this file up: without it the secrets are lost. It serves all your states.
    To share the state, run `stackctl state rekey --add age1…` with the recipient of each person and of CI. CI gives its identity in STACKCTL_STATE_KEY, or in a file with --state-key; with STACKCTL_STATE_PASSPHRASE set from the start, all share a passphrase.
    password: creating
    ");
    clean(&project.read("state/keyed.json"), "the state");
    assert!(!project.read("state/keyed.json").contains("AGE-SECRET-KEY"));
    project.expect_no_changes();
    let shown = project.run(SHOW).expect(0).json();
    assert_eq!(shown["token"], SECRET);
    let again = project.run(&["apply", "--yes", "--var", "token=other"]);
    assert!(!again.expect(0).stderr.contains("Back this file up"));
    assert_eq!(own_recipient(&project), recipient);
    let listed = project.run(&["state", "rekey"]).expect(0).stdout;
    assert!(
        listed.contains(&format!("{recipient}  ~/.config/stackctl/identity.txt on ")),
        "{listed}"
    );
}

#[test]
fn a_stack_without_secrets_needs_no_key() {
    let mut project = Project::new();
    let text = STACK.replace(", sensitive: true", "");
    let text = text.replace(
        "  password: {type: \"random:RandomPassword\", properties: {length: 20}}\n",
        "",
    );
    project.write(
        "stacks/keyed.yaml",
        text.replace("  password: ${password.result}\n", ""),
    );
    project.env("HOME", "");
    project.apply();
    project.expect_no_changes();
    assert_eq!(project.state().get("encryption"), None);
}

#[test]
fn where_no_key_can_be_created_nothing_is_called() {
    let inside = keyed();
    let inside = inside.dir().to_str().unwrap().to_owned();
    for (home, config, why) in [
        ("", "", "neither HOME nor XDG_CONFIG_HOME is set"),
        ("/", "relative", "is not an absolute path"),
        (".", "", "is not an absolute path"),
        ("/dev/null", "", "its folder"),
    ] {
        let mut project = keyed();
        project.env("HOME", home).env("XDG_CONFIG_HOME", config);
        for args in [&["apply", "--yes"][..], &["plan", "--out", "a.plan"]] {
            let refused = silent(project.run(args).expect(1));
            assert!(refused.stderr.contains(why), "{}", refused.stderr);
            for name in ["PASSPHRASE", "KEY_FILE", "KEY"] {
                let name = format!("STACKCTL_STATE_{name}");
                assert!(refused.stderr.contains(&name), "{}", refused.stderr);
            }
            assert_eq!(project.cloud(), []);
        }
        project.run(&["plan"]).expect(0);
    }
    let mut project = keyed();
    let own = project.dir().to_str().unwrap().to_owned();
    let config = project.dir().join("config");
    std::fs::create_dir(&config).unwrap();
    let link = project.home().join("link");
    std::os::unix::fs::symlink(&config, &link).unwrap();
    for place in [&own, config.to_str().unwrap(), link.to_str().unwrap()] {
        project.env("XDG_CONFIG_HOME", place);
        let refused = project.run(&["apply", "--yes"]).expect(1);
        assert!(
            refused.stderr.contains("lies in the project's folder"),
            "{}",
            refused.stderr
        );
        assert_eq!(project.cloud(), []);
    }
    assert!(!config.join("stackctl").exists());
    // Another project's folder is somebody's configuration folder like any other.
    project.env("XDG_CONFIG_HOME", &inside);
    std::fs::create_dir_all(&inside).unwrap();
    project.apply();
}

#[test]
fn without_the_key_what_needs_no_secret_goes_on() {
    let mut project = keyed();
    project.apply();
    let recipient = own_recipient(&project);
    lose_identity(&project);
    let refused = silent(project.run(&["plan"]).expect(1));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let text = seen(&refused).replace(&recipient, "age1OWN");
    insta::assert_snapshot!(text.replace(host.trim(), "HOST"), @r"
    exit: 1
    --- stdout
    --- stderr
    error: The secrets of password and 2 more in state/keyed.json are needed and cannot be opened: they are encrypted to age1OWN (~/.config/stackctl/identity.txt on HOST).
      now: Nothing was changed.
      next: Give that key with --state-key FILE, STACKCTL_STATE_KEY_FILE or STACKCTL_STATE_KEY.
    ");
    let before = project.cloud();
    for args in [
        &["apply", "--yes"][..],
        &["destroy", "--yes"],
        &["plan", "--target", "queue"],
        &["plan", "--exclude", "password"],
        &["drift"],
        &["drift", "queue"],
        &["refresh", "--yes"],
        &["outputs", "--show-secrets"],
        &["outputs", "--raw", "token", "--show-secrets"],
        &["state", "rekey", "--add", OTHER_RECIPIENT],
        &["plan", "--target", "log", "--out", "log.plan"],
    ] {
        let refused = silent(project.run(args).expect(1));
        assert!(refused.stderr.contains(&recipient), "{}", refused.stderr);
        assert_eq!(project.cloud(), before, "{args:?}");
    }
    assert!(!identity(&project).exists() && !project.dir().join("log.plan").exists());
    for args in [
        &["validate"][..],
        &["state", "list"],
        &["state", "show", "password"],
        &["state", "history"],
        &["state", "pull"],
        &["state", "rekey"],
        &["outputs"],
        &["outputs", "--json"],
        &["outputs", "--raw", "log", "--show-secrets"],
        &["drift", "log"],
        &["plan", "--target", "log"],
        &["plan", "--exclude", "password", "--exclude", "queue"],
    ] {
        silent(project.run(args).expect(0));
    }
    // It goes so far that the rest of the stack can be changed.
    let args = ["apply", "--yes", "--target", "log", "--var", "days=14"];
    silent(project.run(&args).expect(0));
    let log = &project.state()["resources"]["log"]["inputs"];
    assert_eq!(log["retentionInDays"], 14);
    assert!(project.state()["outputs"]["token"]["value"]["$age"].is_string());
    // Somebody else's identity does not open it, and is told how it could.
    project.env("STACKCTL_STATE_KEY", OTHER);
    let refused = project.run(&["plan"]).expect(1);
    let hint = format!("`stackctl state rekey --add {OTHER_RECIPIENT}`");
    assert!(refused.stderr.contains(&hint), "{}", refused.stderr);
}

#[test]
fn a_team_and_ci_have_an_identity_each() {
    let mut project = keyed();
    project.apply();
    let (own, before) = (own_recipient(&project), project.state());
    silent(
        project
            .run(&["state", "rekey", "--add", OTHER_RECIPIENT])
            .expect(0),
    );
    let after = project.state();
    assert_eq!(after["resources"], before["resources"]);
    assert_eq!(after["outputs"], before["outputs"]);
    assert_eq!(
        after["encryption"]["recipient"],
        before["encryption"]["recipient"]
    );
    let listed = project.run(&["state", "rekey", "--json"]).expect(0).json();
    let names = |json: &Value| -> Vec<String> {
        json["recipients"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let mut both = vec![own.clone(), OTHER_RECIPIENT.to_owned()];
    both.sort();
    assert_eq!(names(&listed), both);
    // CI, on a machine of its own.
    let mut ci = project.fork();
    lose_identity(&ci);
    ci.env("STACKCTL_STATE_KEY", &format!("{OTHER}\n"));
    assert_eq!(ci.run(SHOW).expect(0).json(), project.run(SHOW).json());
    ci.expect_no_changes();
    ci.run(&["apply", "--yes", "--var", "token=changed"])
        .expect(0);
    // Of who goes, nothing that is saved from then on can be opened.
    let removed = silent(
        project
            .run(&["state", "rekey", "--remove", OTHER_RECIPIENT])
            .expect(0),
    );
    assert!(
        removed
            .stderr
            .contains("Versions that were saved before keep the old key"),
        "{}",
        removed.stderr
    );
    let gone = project.state();
    assert_ne!(
        gone["encryption"]["recipient"],
        before["encryption"]["recipient"]
    );
    assert_ne!(gone["outputs"]["token"], before["outputs"]["token"]);
    project.expect_no_changes();
    project.env("STACKCTL_STATE_KEY", OTHER);
    project.run(&["plan"]).expect(1);
    project.unset("STACKCTL_STATE_KEY");
    for (args, why) in [
        (["--remove", OTHER_RECIPIENT], "is not one of them"),
        (["--remove", &own], "nobody would be left"),
        (["--add", "age1nonsense"], "is not an X25519 age recipient"),
        (["--add", "age1OTHER"], "is not an X25519 age recipient"),
    ] {
        let all: Vec<&str> = ["state", "rekey"].into_iter().chain(args).collect();
        let refused = project.run(&all).expect(1);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert_eq!(project.state(), gone);
    // Both at once: another one takes the place.
    let args = ["state", "rekey", "--add", OTHER_RECIPIENT, "--remove", &own];
    project.run(&args).expect(0);
    project.run(&["plan"]).expect(1);
    project.env("STACKCTL_STATE_KEY", OTHER);
    project.expect_no_changes();
}

#[test]
fn a_passphrase_is_shared_by_all_or_given_up() {
    let mut project = keyed();
    project.env("STACKCTL_STATE_PASSPHRASE", "correct horse");
    project.apply();
    assert!(!identity(&project).exists());
    let refused = project
        .run(&["state", "rekey", "--add", OTHER_RECIPIENT])
        .expect(1);
    assert!(
        refused.stderr.contains("with a passphrase"),
        "{}",
        refused.stderr
    );
    project.write("key.txt", OTHER);
    project
        .run(&["state", "rekey", "--new-key", "key.txt"])
        .expect(0);
    project.env("STACKCTL_STATE_KEY_FILE", "key.txt");
    project.expect_no_changes();
}

#[test]
fn what_is_given_goes_before_the_users_own() {
    let mut project = keyed();
    project.write("key.txt", OTHER);
    project.env("STACKCTL_STATE_PASSPHRASE", "correct horse");
    // The flag is meant for this run.
    let flag = ["apply", "--yes", "--state-key", "key.txt"];
    project.run(&flag).expect(0);
    assert_eq!(
        project.state()["encryption"]["recipients"]
            .as_object()
            .unwrap()
            .len(),
        1
    );
    for (name, value) in [
        ("STACKCTL_STATE_KEY_FILE", "key.txt"),
        ("STACKCTL_STATE_KEY", OTHER),
    ] {
        project.env(name, value);
        project.expect_no_changes();
        project.unset(name);
    }
    // A recipient is kept with where its key was given.
    let mut other = keyed();
    other.env("STACKCTL_STATE_KEY", OTHER);
    other.run(&["apply", "--yes"]).expect(0);
    let known = other.state()["encryption"]["recipients"].clone();
    let known: Vec<String> =
        serde_json::from_value(known.as_object().unwrap().values().cloned().collect()).unwrap();
    assert!(known[0].starts_with("STACKCTL_STATE_KEY on "), "{known:?}");
    for value in ["", " ", "AGE-SECRET-KEY-1hunter2"] {
        project.env("STACKCTL_STATE_KEY", value);
        let refused = silent(project.run(&["plan"]).expect(1));
        assert!(
            refused.stderr.contains("STACKCTL_STATE_KEY"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn a_plan_for_a_new_state_brings_its_key_along() {
    let project = keyed();
    let saved = silent(project.run(&["plan", "--out", "a.plan"]).expect(0));
    assert!(
        saved.stderr.contains("Back this file up"),
        "{}",
        saved.stderr
    );
    let text = project.read("a.plan");
    clean(&text, "the plan");
    assert!(!text.contains("AGE-SECRET-KEY"));
    let (_, rest) = text.split_once('\n').unwrap();
    let plan: Value = serde_json::from_str(&format!("{{{rest}")).unwrap();
    let applied = silent(project.run(&["apply", "--plan", "a.plan"]).expect(0));
    assert!(
        !applied.stderr.contains("Back this file up"),
        "{}",
        applied.stderr
    );
    assert_eq!(project.state()["encryption"], plan["key"]["encryption"]);
    project.expect_no_changes();
    // From then on the state has the key.
    project
        .run(&["plan", "--out", "b.plan", "--var", "token=b"])
        .expect(0);
    assert!(!project.read("b.plan").contains("\"key\":"));
    let again = ["apply", "--plan", "b.plan", "--var", "token=b"];
    project.run(&again).expect(0);
    assert_eq!(project.run(SHOW).expect(0).json()["token"], json!("b"));
}

#[test]
fn where_the_key_is_lost_the_secrets_are_given_up() {
    let project = keyed();
    project.apply();
    lose_identity(&project);
    let forget = ["state", "rekey", "--forget-secrets"];
    let refused = project.run(&forget).expect(1);
    assert!(
        refused.stderr.contains("not confirmed"),
        "{}",
        refused.stderr
    );
    let all = ["state", "rekey", "--forget-secrets", "--yes"];
    silent(project.run(&all).expect(0));
    let state = project.read("state/keyed.json");
    assert!(!state.contains("$age") && !state.contains("encryption"));
    let before = project.cloud();
    silent(project.apply());
    assert_eq!(project.cloud(), before, "what is live is as the file says");
    project.expect_no_changes();
    let shown = project.run(SHOW).expect(0).json();
    assert_eq!(
        (&shown["token"], &shown["password"]),
        (&json!(SECRET), &Value::Null)
    );
    project
        .run(&["apply", "--yes", "--replace", "password"])
        .expect(0);
    assert!(project.run(SHOW).expect(0).json()["password"].is_string());
    project.expect_no_changes();
}
