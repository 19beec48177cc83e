//! Disks that are full, folders that cannot be written or vanish.

use super::{STATE, saved, small};
use crate::support::{Ended, Project};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs a command with the folder `state/` on a disk of its own, of so many KiB, after `setup`
/// (shell, in the project's folder). None where this machine cannot do so.
fn on_own_disk(project: &Project, kib: u32, setup: &str, args: &[&str]) -> Option<Ended> {
    let command = project.command(args);
    let mut script = format!(
        "mkdir -p state && cp -r state .kept && mount -t tmpfs -o size={kib}k tmpfs state && cp -r .kept/. state && {setup} || exit 99; "
    );
    script.push_str("\"$0\" \"$@\"; code=$?; cp state/* .kept/ 2>/dev/null; exit $code");
    let mut wrapped = Command::new("unshare");
    wrapped.args(["--map-root-user", "--mount", "sh", "-c", &script]);
    wrapped.arg(command.get_program()).args(command.get_args());
    wrapped
        .env_clear()
        .current_dir(project.dir())
        .stdin(Stdio::null());
    wrapped.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let output = wrapped.output().ok()?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(99) || stderr.contains("unshare") {
        println!("no disk of its own can be mounted here: {stderr}");
        return None;
    }
    // What the disk held in the end is the project's folder now.
    for entry in std::fs::read_dir(project.dir().join(".kept")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(
            &path,
            project.dir().join("state").join(path.file_name().unwrap()),
        )
        .unwrap();
    }
    Some(Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr,
    })
}

#[test]
fn a_full_disk_stops_before_any_call() {
    let project = small();
    let fill = "head -c 100000 /dev/zero > state/filler 2>/dev/null; true";
    let Some(ended) = on_own_disk(&project, 64, fill, &["apply", "--yes"]) else {
        return;
    };
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("No space left"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Nothing was changed"),
        "{}",
        ended.stderr
    );
    assert_eq!(project.cloud(), []);
}

#[test]
fn a_read_only_disk_stops_before_any_call() {
    let project = small();
    let setup = "mount -o remount,ro state";
    let Some(ended) = on_own_disk(&project, 64, setup, &["apply", "--yes"]) else {
        return;
    };
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Read-only file system"),
        "{}",
        ended.stderr
    );
    assert_eq!(project.cloud(), []);
}

/// The disk has room for so much; whatever it is, nothing is made that is not known.
#[test]
fn a_disk_that_fills_up_under_way_loses_nothing() {
    let mut stopped = 0;
    for kib in [8, 12, 16, 20, 24] {
        let project = small();
        let Some(ended) = on_own_disk(&project, kib, "true", &["apply", "--yes"]) else {
            return;
        };
        if ended.code != Some(0) {
            stopped += 1;
            assert_eq!(ended.code, Some(1), "{kib}: {}", ended.stderr);
            assert!(
                ended.stderr.contains("No space left"),
                "{kib}: {}",
                ended.stderr
            );
        }
        let _ = std::fs::remove_file(project.dir().join("state/filler"));
        project.apply();
        project.expect_no_changes();
        assert_eq!(project.cloud().len(), 2, "{kib}");
    }
    assert!(stopped > 0, "no disk was too small");
}

#[test]
fn a_folder_that_vanishes_under_way_ends_the_run_and_its_facts_are_told() {
    let project = small();
    let child = project
        .command(&["apply", "--yes", "--parallelism", "1"])
        .env("STACKCTL_LOCAL_LATENCY", "1500")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !project.dir().join("state/small.journal").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::remove_dir_all(project.dir().join("state")).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let made = project.cloud();
    assert!(
        made.len() < 2,
        "a step was begun that nobody would know of: {made:?}"
    );
    for entry in made {
        let id = if entry.service == "sqs" {
            "000000000000/orders"
        } else {
            "/app/orders"
        };
        assert!(told.contains("created ") && told.contains(id), "{told}");
    }
}

#[test]
fn a_state_that_another_run_saved_meanwhile_is_not_overwritten() {
    let project = saved(&[30]);
    let other = project.fork();
    other.run(&["apply", "--yes", "--var", "size=31"]).expect(0);
    let theirs = other.read(STATE);
    let child = project
        .command(&["apply", "--yes", "--var", "size=32"])
        .env("STACKCTL_LOCAL_LATENCY", "1200")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !project.dir().join("state/small.journal").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    project.write(STATE, &theirs);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("another run has saved it meanwhile"),
        "{told}"
    );
    assert!(told.contains("updated queue (aws:sqs:Queue)"), "{told}");
    assert_eq!(project.read(STATE), theirs);
}

/// Every file that a run leaves is its owner's only.
#[cfg(unix)]
#[test]
fn what_is_kept_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let project = saved(&[30, 31]);
    let mut looked = 0;
    for folder in ["state", ".stackctl/history/small"] {
        for entry in std::fs::read_dir(project.dir().join(folder)).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.path());
            looked += 1;
        }
    }
    assert!(looked >= 4);
}
