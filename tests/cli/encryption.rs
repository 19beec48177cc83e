//! Secrets that the state keeps, encrypted.

use super::secrets::{SECRET, clean, kept, project, silent};
use super::seen;
use crate::support::Project;
use serde_json::{Value, json};

const PASSPHRASE: &str = "STACKCTL_STATE_PASSPHRASE";

/// A key as `age-keygen` writes it, made for this test, and its recipient.
const KEY: &str = "# public key: age1rx5z4cf33pa5fy9ttp23n3rcakac3qnhcl3gqs74y4r00c89aduskclrud
AGE-SECRET-KEY-187PEHN8MSY20RD7ATS22AMVAXNQD2KRTG99VH46Q35288P65FJKQQTAEFW
";

fn encrypted() -> Project {
    let mut project = project();
    project.env(PASSPHRASE, "correct horse battery");
    project
}

/// The password, as `outputs` tells it.
fn password(project: &Project) -> String {
    let args = ["outputs", "--raw", "password", "--show-secrets"];
    project.run(&args).expect(0).stdout
}

/// The password in the local cloud.
fn deployed(project: &Project) -> String {
    let worker = project.cloud().into_iter().find_map(|entry| {
        let text = entry.value.to_string();
        let at = text.find("pw-")? + 3;
        Some(text[at..at + 20].to_owned())
    });
    worker.expect("a function with the password")
}

#[test]
fn with_a_passphrase_secrets_are_kept_and_nowhere_in_clear() {
    let project = encrypted();
    silent(project.run(&["apply", "--yes"]).expect(0));
    kept(&project);
    project.expect_no_changes();
    let secret = password(&project);
    assert_eq!(secret, deployed(&project));
    let state = project.read("state/safe.json");
    clean(&state.replace(&secret, SECRET), "the password is kept");
    let outputs = project
        .run(&["outputs", "--json", "--show-secrets"])
        .expect(0);
    assert_eq!(
        outputs.json(),
        json!({"token": SECRET, "derived": "x-HUNTER2", "password": secret})
    );
    // A second apply that changes something else leaves the ciphertexts as they are.
    let ages = |state: &Value| state.to_string().matches("$age").count();
    let before: Value = project.state();
    assert!(ages(&before) >= 8, "{before:#}");
    silent(
        project
            .run(&["apply", "--yes", "--var", "token=other"])
            .expect(0),
    );
    let after = project.state();
    assert_eq!(after["encryption"], before["encryption"]);
    assert_eq!(after["outputs"]["password"], before["outputs"]["password"]);
    assert_ne!(after["outputs"]["token"], before["outputs"]["token"]);
}

#[test]
fn a_password_that_is_needed_again_comes_from_the_state() {
    let project = encrypted();
    project.apply();
    let secret = password(&project);
    let text = project.read("stacks/safe.yaml");
    let text = text
        .replace("pw-", "new pw-")
        .replace(
            "variables: {TOKEN",
            "variables: {NEW: \"${password.result}\", TOKEN",
        )
        .replace(
            "  password: ${password",
            "  again: \"<${password.result}>\"\n  password: ${password",
        );
    project.write("stacks/safe.yaml", text);
    let applied = silent(project.run(&["apply", "--yes"]).expect(0));
    assert!(
        !applied.stdout.contains("random:RandomPassword"),
        "{}",
        applied.stdout
    );
    assert_eq!(deployed(&project), secret);
    let again = project.run(&["outputs", "--raw", "again", "--show-secrets"]);
    assert_eq!(again.stdout, format!("<{secret}>"));
    project.expect_no_changes();
}

#[test]
fn a_run_that_was_killed_goes_on_with_the_password_it_drew() {
    for what in ["killBefore", "killAfter"] {
        let mut project = encrypted();
        let faults = json!([{"call": "lambda:CreateFunction", "at": 1, "what": what}]);
        project.env("STACKCTL_LOCAL_FAULTS", &faults.to_string());
        assert_eq!(silent(project.run(&["apply", "--yes"])).code, None);
        kept(&project);
        let journal = project.read("state/safe.journal");
        assert!(journal.contains("$age") && journal.contains("\"encrypt\""));
        project.env("STACKCTL_LOCAL_FAULTS", "[]");
        let again = silent(project.run(&["apply", "--yes"]).expect(0));
        assert!(
            !again.stdout.contains("random:RandomPassword"),
            "{}",
            again.stdout
        );
        project.expect_no_changes();
        assert_eq!(password(&project), deployed(&project));
    }
}

#[test]
fn a_state_asks_for_the_key_it_was_encrypted_with() {
    let mut project = encrypted();
    project.apply();
    let calls = project.dir().join(".stackctl/local");
    let before = std::fs::read_dir(&calls).unwrap().count();
    project.env(PASSPHRASE, "wrong");
    insta::assert_snapshot!(seen(&project.run(&["plan"])), @r"
    exit: 1
    --- stdout
    --- stderr
    error: The secrets in state/safe.json cannot be opened: the passphrase is not the one that they are encrypted with.
      now: Nothing was changed.
      next: Set STACKCTL_STATE_PASSPHRASE to the right passphrase.
    ");
    project.env(PASSPHRASE, " ");
    insta::assert_snapshot!(seen(&project.run(&["apply", "--yes"])), @r"
    exit: 1
    --- stdout
    --- stderr
    error: STACKCTL_STATE_PASSPHRASE is set, but it is empty.
      now: Nothing was changed.
      next: Set it to the passphrase, or unset it.
    ");
    project.unset(PASSPHRASE);
    for args in [
        &["plan"][..],
        &["destroy", "--yes"],
        &["outputs", "--show-secrets"],
    ] {
        let refused = project.run(args).expect(1);
        assert!(
            refused.stderr.contains("Set STACKCTL_STATE_PASSPHRASE"),
            "{}",
            refused.stderr
        );
    }
    // What needs no secret needs no key.
    let outputs = silent(project.run(&["outputs", "--json"]).expect(0));
    assert_eq!(outputs.json()["token"], Value::Null);
    project.write("key.txt", KEY);
    let refused = project.run(&["plan", "--state-key", "key.txt"]).expect(1);
    assert!(
        refused.stderr.contains("encrypted with a passphrase"),
        "{}",
        refused.stderr
    );
    assert_eq!(std::fs::read_dir(&calls).unwrap().count(), before);
}

#[test]
fn a_key_file_serves_as_well() {
    let mut project = project();
    project.write("key.txt", KEY);
    for (name, text) in [
        ("none.txt", "# empty\n"),
        ("other.txt", "ssh-ed25519 hunter2\n"),
    ] {
        project.write(name, text);
        let refused = silent(project.run(&["plan", "--state-key", name]).expect(1));
        assert!(refused.stderr.contains("age-keygen"), "{}", refused.stderr);
    }
    silent(
        project
            .run(&["plan", "--state-key", "missing.txt"])
            .expect(1),
    );
    project.env("STACKCTL_STATE_KEY_FILE", "key.txt");
    project.apply();
    project.expect_no_changes();
    let encryption = &project.state()["encryption"];
    let recipients = encryption["recipients"].as_object().unwrap();
    assert_eq!(recipients.keys().collect::<Vec<_>>(), [&KEY[14..76]]);
    assert_ne!(encryption["recipient"], KEY[14..76]);
    assert_eq!(password(&project), deployed(&project));
    project.unset("STACKCTL_STATE_KEY_FILE");
    let refused = project.run(&["plan"]).expect(1);
    assert!(refused.stderr.contains("--state-key"), "{}", refused.stderr);
}

#[test]
fn a_stack_without_secrets_pays_nothing_for_the_passphrase() {
    let mut project = Project::new();
    project.env(PASSPHRASE, "correct horse battery");
    project.write(
        "stacks/a.yaml",
        "name: a\nresources:\n  a: {type: \"random:RandomPet\"}\n",
    );
    project.apply();
    assert_eq!(project.state().get("encryption"), None);
}

#[test]
fn a_value_that_is_no_secret_any_more_does_not_show_what_it_was() {
    let project = encrypted();
    project.apply();
    let text = project.read("stacks/safe.yaml");
    let text = text.replace(
        "\"aws:UserAgent\": \"${var.token}\"",
        "\"aws:UserAgent\": \"open\"",
    );
    let text = text.replace("TOKEN: \"${var.token}\"", "TOKEN: open");
    let text = text.replace("\"${var.token}\", sensitive: true", "\"open\"");
    project.write("stacks/safe.yaml", text);
    silent(project.run(&["plan"]).expect(0));
    silent(project.run(&["plan", "--json"]).expect(0));
    silent(project.run(&["apply", "--yes"]).expect(0));
    project.expect_no_changes();
}

#[test]
fn the_key_can_be_changed() {
    let mut project = encrypted();
    project.write("key.txt", KEY);
    project.apply();
    let secret = password(&project);
    let listed = project.run(&["state", "rekey"]).expect(0);
    assert_eq!(
        listed.stdout,
        "The secrets in state/safe.json are encrypted with a passphrase.\n"
    );
    let refused = project
        .run(&["state", "rekey", "--new-passphrase"])
        .expect(1);
    assert!(
        refused.stderr.contains("STACKCTL_STATE_NEW_PASSPHRASE"),
        "{}",
        refused.stderr
    );
    // Another passphrase.
    project.env("STACKCTL_STATE_NEW_PASSPHRASE", "staple");
    silent(
        project
            .run(&["state", "rekey", "--new-passphrase"])
            .expect(0),
    );
    kept_lines(&project, &secret);
    project.run(&["plan"]).expect(1);
    project.env(PASSPHRASE, "staple");
    project.expect_no_changes();
    assert_eq!(password(&project), secret);
    // A key file.
    silent(
        project
            .run(&["state", "rekey", "--new-key", "key.txt", "--json"])
            .expect(0),
    );
    kept_lines(&project, &secret);
    project.unset(PASSPHRASE);
    project.env("STACKCTL_STATE_KEY_FILE", "key.txt");
    project.expect_no_changes();
    assert_eq!(password(&project), secret);
    // None is no choice any more.
    let refused = project
        .run(&["state", "rekey", "--no-encryption", "--yes"])
        .expect(1);
    assert!(
        refused.stderr.contains("does not exist any more"),
        "{}",
        refused.stderr
    );
}

/// Neither the token nor the password is in the state.
#[track_caller]
fn kept_lines(project: &Project, secret: &str) {
    let state = project.read("state/safe.json");
    clean(&state.replace(secret, SECRET), "the state");
    assert!(state.contains("$age"));
}
