//! `state pull`, `state push` and `state migrate`, as they are typed and seen.

use super::{masked, seen, small};
use crate::support::Project;
use serde_json::json;

fn applied() -> Project {
    let project = small();
    project.apply();
    project
}

#[test]
fn a_state_is_pulled_and_pushed() {
    let project = applied();
    let pulled = project.run(&["state", "pull"]).expect(0);
    assert_eq!(pulled.stdout, project.read("state/small.json"));
    assert_eq!(pulled.stderr, "state/small.json has serial 1.\n");
    let out = project.run(&["state", "pull", "small", "--out", "copy.json", "--json"]);
    assert_eq!(
        out.expect(0).json(),
        json!({"serial": 1, "file": "copy.json"})
    );
    assert_eq!(project.read("copy.json"), pulled.stdout);
    let nowhere = project
        .run(&["state", "pull", "--state", "none.json"])
        .expect(1);
    insta::assert_snapshot!(seen(&nowhere), @"
    exit: 1
    --- stdout
    --- stderr
    error: none.json has no state.
      now: Nothing was changed.
      next: The first apply makes one; one that is elsewhere is named with --state.
    ");
    let same = project.run(&["state", "push", "copy.json"]).expect(0);
    insta::assert_snapshot!(seen(&same), @"
    exit: 0
    --- stdout
    --- stderr
    Nothing to do: state/small.json says the same.
    ");
    project
        .run(&["state", "mv", "log", "logs", "--yes"])
        .expect(0);
    let older = project
        .run(&["state", "push", "copy.json", "small", "--yes"])
        .expect(1);
    insta::assert_snapshot!(seen(&older), @"
    exit: 1
    --- stdout
    --- stderr
    error: copy.json cannot be pushed to state/small.json: serial 2 was saved there, and this one has serial 1.
      now: Nothing was changed.
      next: Compare the two with `stackctl state pull`. With --force this one replaces the existing state, which is kept among the versions.
    ");
    let args = ["state", "push", "copy.json", "--force"];
    let unasked = project.run(&args).expect(1);
    insta::assert_snapshot!(seen(&unasked), @"
    exit: 1
    --- stdout
    --- stderr
    + log (aws:cloudwatch:LogGroup), id /app/orders
    - logs (aws:cloudwatch:LogGroup), id /app/orders
    error: The changes were not confirmed: no terminal to ask on was found.
      now: Nothing was changed.
      next: Look at what the command would do, then add --yes, which answers the question.
    ");
    let pushed = project
        .run(&[&args[..], &["--yes", "--json"]].concat())
        .expect(0);
    let expected = json!({"pushed": "copy.json", "serial": 3, "added": 1, "changed": 0, "gone": 1});
    assert_eq!(pushed.json(), expected);
    project.expect_no_changes();
    project.write(
        "copy.json",
        project.read("copy.json").replace("orders", "other"),
    );
    let edited = project.run(&args).expect(1);
    insta::assert_snapshot!(seen(&edited), @"
    exit: 1
    --- stdout
    --- stderr
    error: copy.json cannot be pushed: something other than stackctl changed it: its checksum does not fit its content.
      now: Nothing was changed.
      next: Push a file as `stackctl state pull` wrote it. `stackctl state restore FILE` takes one that was edited on purpose.
    ");
}

#[test]
fn a_pushed_state_comes_from_the_standard_input_too() {
    let project = applied();
    let text = project.read("state/small.json");
    let mut command = project.command(&["state", "push", "-", "--yes", "--state", "new.json"]);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, text.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(project.read("new.json"), text);
}

#[test]
fn a_state_that_moved_says_where_it_is() {
    let project = applied();
    let args = ["state", "migrate", "--to", "team/small.json"];
    let same = project
        .run(&["state", "migrate", "--to", "local"])
        .expect(1);
    insta::assert_snapshot!(seen(&same), @"
    exit: 1
    --- stdout
    --- stderr
    error: state/small.json is where the state is kept already.
      now: Nothing was changed.
      next: Name the place it is to leave with --state, if the stack file has the new one already.
    ");
    let unasked = project.run(&args).expect(1);
    assert!(
        unasked
            .stderr
            .starts_with("state/small.json, serial 1 (resources: 3), goes to team/small.json.\n"),
        "{}",
        unasked.stderr
    );
    project.expect_no_changes();
    let yes = [&args[..], &["--yes"]].concat();
    let moved = project.run(&yes).expect(0);
    insta::assert_snapshot!(seen(&moved), @r#"
    exit: 0
    --- stdout
    state: "team/small.json"
    --- stderr
    state/small.json, serial 1 (resources: 3), goes to team/small.json.
    Serial 1 is in team/small.json now, and state/small.json says so.
    Put this line into the stack file, or pass --state from now on:
    "#);
    let refused = project.run(&["plan"]).expect(1);
    masked(|| {
        insta::assert_snapshot!(seen(&refused), @r#"
        exit: 1
        --- stdout
        --- stderr
        error: The state state/small.json cannot be used: it was moved to team/small.json (from [host], [time]).
          now: Nothing was changed.
          next: Write `state: "team/small.json"` in the stack file, or pass `--state team/small.json`.
        "#);
    });
    for command in [&["apply", "--yes"][..], &["outputs"], &["state", "pull"]] {
        assert_eq!(project.run(command).expect(1).stderr, refused.stderr);
    }
    let again = project.run(&[&args[..], &["--json"]].concat()).expect(0);
    let expected = json!({
        "from": "state/small.json",
        "to": "team/small.json",
        "serial": 1,
        "line": "state: \"team/small.json\"",
    });
    assert_eq!(again.json(), expected);
    let text = project.read("stacks/small.yaml");
    project.write("stacks/small.yaml", format!("{text}{}", moved.stdout));
    project.expect_no_changes();
    let back = project
        .run(&["state", "migrate", "--to", "local", "--yes"])
        .expect(0);
    insta::assert_snapshot!(seen(&back), @"
    exit: 0
    --- stdout
    --- stderr
    team/small.json, serial 1 (resources: 3), goes to state/small.json.
    It was moved away from there before.
    Serial 1 is in state/small.json now, and team/small.json says so.
    Take the line `state:` out of the stack file.
    ");
    project.write("stacks/small.yaml", text);
    project.expect_no_changes();
}

/// Before anything is written the state stays where it is, and that is told.
#[test]
fn a_state_that_cannot_be_moved_stays() {
    let project = applied();
    let kept = project.read("state/small.json");
    let stays = |to: &str| {
        let ended = project.run(&["state", "migrate", "--yes", "--to", to]);
        assert_eq!(project.read("state/small.json"), kept);
        ended.expect(1).stderr
    };
    project.write("other.json", "something else\n");
    let told = stays("other.json");
    let start = "error: The state state/small.json cannot be moved to other.json: the existing \
                 state cannot be used: it is ";
    assert!(told.starts_with(start), "{told}");
    let end = ".\n  now: Nothing was changed.\n  next: `stackctl state history` lists what can be \
               restored there.\n";
    assert!(told.ends_with(end), "{told}");
    assert_eq!(project.read("other.json"), "something else\n");
    // A version that cannot be read does not go along, and without it nothing does.
    let history = project.dir().join(".stackctl/history/small");
    let version = std::fs::read_dir(&history)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let apart = project.dir().join("version");
    std::fs::rename(version.path(), &apart).unwrap();
    std::fs::create_dir(version.path()).unwrap();
    let told = stays("new.json");
    let name = version.file_name().into_string().unwrap();
    let start = format!("error: Reading .stackctl/history/small/{name} failed: ");
    assert!(told.contains(&start), "{told}");
    let end = "\n  now: The state is in state/small.json as before.\n  next: Run the command again; \
               it continues from there.\n";
    assert!(told.ends_with(end), "{told}");
    assert!(!project.dir().join("new.json").exists());
    std::fs::remove_dir(version.path()).unwrap();
    std::fs::rename(&apart, version.path()).unwrap();
    let moved = ["state", "migrate", "--yes", "--to", "new.json"];
    project.run(&moved).expect(0);
    assert_eq!(project.read("new.json"), kept);
}
