//! What is in the place of a lock, of the files beside a state and of stackctl's own folders, and
//! is none of stackctl's: nothing is written over it, and no link is followed to it.

use super::Table;
use super::arena::{fifo, holds, limited, link, queue, refused, same, snapshot};
use crate::support::Project;
use serde_json::json;
use std::path::Path;

/// A file that somebody needs.
const VICTIM: &str = "victim";

fn victim(project: &Project) {
    use std::os::unix::fs::PermissionsExt;
    project.write(VICTIM, "K".repeat(3000));
    let private = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(project.dir().join(VICTIM), private).unwrap();
}

/// What is put into the place of a file of stackctl's.
const KINDS: &[&str] = &[
    "a link to a file",
    "a link to nothing",
    "a link to a folder",
    "a link to /dev/zero",
    "a pipe",
    "a folder",
    "a text",
    "a list",
    "an object of another kind",
    "a megabyte",
];

fn plant(project: &Project, kind: &str, name: &str) {
    let path = project.dir().join(name);
    if path.is_dir() && !path.is_symlink() {
        std::fs::remove_dir_all(&path).unwrap();
    }
    let _ = std::fs::remove_file(&path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    match kind {
        "a link to a file" => link(project.dir().join(VICTIM), &path),
        "a link to nothing" => link(project.dir().join("made-by-a-link"), &path),
        "a link to a folder" => link(project.dir().join("stacks"), &path),
        "a link to /dev/zero" => link("/dev/zero", &path),
        "a pipe" => fifo(&path),
        "a folder" => std::fs::create_dir(&path).unwrap(),
        "a text" => drop(project.write(name, "[[package]]\nname = \"a\"\n")),
        "a list" => drop(project.write(name, "[]\n")),
        "an object of another kind" => drop(project.write(name, "{\"nodes\": {}}\n")),
        "a megabyte" => drop(project.write(name, " ".repeat(1 << 20))),
        other => panic!("{other}"),
    }
}

/// All but stackctl's own, into which a command may write.
fn own(name: &str) -> bool {
    matches!(name, ".stackctl" | "state")
}

/// Whatever stands in the place of the lock is left alone, by each command that takes a lock.
#[test]
fn nothing_is_overwritten_that_is_no_lock() {
    let mut table = Table::new("locks");
    let base = queue();
    victim(&base);
    base.apply();
    let commands: &[&[&str]] = &[
        &["apply", "--yes", "--var", "v=y"],
        &["refresh", "--yes"],
        &["destroy", "--yes"],
        &["state", "rm", "q", "--yes"],
        &["state", "mv", "q", "r", "--yes"],
        &["state", "unlock", "--yes"],
        &["import", "q", "x", "--yes"],
        &["state", "restore", "1", "--yes"],
    ];
    for (at, kind) in KINDS.iter().enumerate() {
        for command in [
            commands[at % commands.len()],
            commands[(at + 3) % commands.len()],
        ] {
            table.attack(
                &format!("{kind} as the lock of {}", command.join(" ")),
                || {
                    let project = base.fork();
                    plant(&project, kind, "state/s.json.lock");
                    let cloud = project.cloud();
                    let before = snapshot(project.dir(), &|name| name == ".stackctl");
                    let ended = limited(&project, command)?;
                    refused(&ended, &["is not a lock of stackctl"])?;
                    let after = snapshot(project.dir(), &|name| name == ".stackctl");
                    same(&before, &after)?;
                    holds(project.cloud() == cloud, || "the cloud changed".to_owned())
                },
            );
        }
    }
    table.end();
}

/// The lock of a state has a name of its own: those of package managers are not its.
#[test]
fn the_lock_of_a_package_manager_stays() {
    let mut table = Table::new("locks");
    for (state, lock) in [
        ("Cargo.json", "Cargo.lock"),
        ("yarn.json", "yarn.lock"),
        ("flake.json", "flake.lock"),
        ("poetry.json", "poetry.lock"),
        ("Gemfile.json", "Gemfile.lock"),
        ("composer.json", "composer.lock"),
    ] {
        for how in ["a file", "a link to a file"] {
            table.attack(&format!("{lock}, {how}, beside --state {state}"), || {
                let project = queue();
                victim(&project);
                match how {
                    "a file" => drop(project.write(lock, "[[package]]\n".repeat(300))),
                    _ => link(project.dir().join(VICTIM), &project.dir().join(lock)),
                }
                let ours = |name: &str| own(name) || name.starts_with(state);
                let before = snapshot(project.dir(), &ours);
                let ended = limited(&project, &["apply", "--yes", "--state", state])?;
                holds(ended.code == Some(0), || ended.stderr.clone())?;
                same(&before, &snapshot(project.dir(), &ours))
            });
        }
    }
    table.end();
}

/// A run of a version that locks under the older name keeps this one out, as one of this version
/// does; a lock that nobody holds keeps nobody out.
#[test]
fn the_lock_of_an_older_version_counts() {
    let mut table = Table::new("locks");
    let base = queue();
    base.apply();
    let holder = json!({
        "id": "other", "command": "apply of s", "host": "far-away", "pid": 1,
        "since": 1_795_441_289, "lease": 3600, "beat": 3, "pids_of": "another boot", "started": 7,
    });
    for name in ["state/s.lock", "state/s.json.lock"] {
        table.attack(&format!("a held {name}"), || {
            let project = base.fork();
            project.write(name, holder.to_string());
            let before = snapshot(&project.dir().join("state"), &|_| false);
            let args = ["destroy", "--yes", "--lock-timeout", "1s"];
            let ended = limited(&project, &args)?;
            holds(ended.code == Some(4), || format!("{ended:?}"))?;
            let after = snapshot(&project.dir().join("state"), &|it| {
                name == "state/s.lock" && it == "s.json.lock"
            });
            let before = before.into_iter();
            let before = before.filter(|(it, _)| name != "state/s.lock" || it != "s.json.lock");
            same(&before.collect(), &after)
        });
        table.attack(&format!("a free {name}"), || {
            let project = base.fork();
            project.write(name, " ".repeat(1023) + "\n");
            let ended = limited(&project, &["destroy", "--yes"])?;
            holds(ended.code == Some(0), || format!("{ended:?}"))
        });
        table.attack(
            &format!("a {name} of zeros, as a power cut leaves it"),
            || {
                let project = base.fork();
                project.write(name, [0; 1024]);
                let ended = limited(&project, &["destroy", "--yes"])?;
                holds(ended.code == Some(0), || format!("{ended:?}"))
            },
        );
    }
    table.end();
}

/// What stands in the place of the journal, of the state or of the local cloud's files.
#[test]
fn the_files_beside_a_state_are_stackctls_own() {
    let mut table = Table::new("locks");
    let base = queue();
    victim(&base);
    base.apply();
    const WHY: &[&str] = &[
        "is not a regular file",
        "is a link",
        "is a folder",
        "does not begin as a journal",
        "is not a lock of stackctl",
        "more than",
        "is not a folder",
        "cannot be read",
        "is no state",
        "is empty",
        "is missing",
    ];
    for place in [
        "state/s.journal",
        ".stackctl/local/lock",
        ".stackctl/local/log",
        "state/s.json",
    ] {
        for kind in KINDS {
            table.attack(&format!("{kind} as {place}"), || {
                let project = base.fork();
                plant(&project, kind, place);
                let watched = |name: &str| matches!(name, ".stackctl" | "state/s.json.lock");
                let before = snapshot(project.dir(), &watched);
                let ended = limited(&project, &["apply", "--yes", "--var", "v=y"])?;
                refused(&ended, WHY)?;
                same(&before, &snapshot(project.dir(), &watched))
            });
        }
    }
    table.end();
}

/// stackctl's own folders are no links: what may be secret would go elsewhere.
#[test]
fn stackctls_own_folders_are_no_links() {
    let mut table = Table::new("locks");
    let base = queue();
    base.write(
        "stacks/s.yaml",
        "name: s\nproviders: {aws: {region: us-west-2}}\n\
         data: {z: {type: \"archive:getFile\", properties: {type: zip, sourceContent: x, sourceContentFilename: a}}}\n\
         resources: {q: {type: \"aws:sqs:Queue\", properties: {name: q}}}\n\
         outputs: {z: \"${data.z.outputPath}\"}\n",
    );
    for folder in [
        ".stackctl",
        ".stackctl/local",
        ".stackctl/history",
        ".stackctl/history/s",
        ".stackctl/archive",
    ] {
        for to in ["elsewhere", "nowhere"] {
            table.attack(&format!("{folder} is a link to {to}"), || {
                let project = base.fork();
                project.write("elsewhere/a", "b");
                std::fs::create_dir_all(project.dir().join("elsewhere/blobs")).unwrap();
                project.write("elsewhere/blobs/mine", "b");
                link(project.dir().join(to), &project.dir().join(folder));
                let before = snapshot(&project.dir().join("elsewhere"), &|_| false);
                let ended = limited(&project, &["apply", "--yes"])?;
                refused(&ended, &["is a link"])?;
                holds(!Path::new(&project.dir().join("nowhere")).exists(), || {
                    "the link was followed".to_owned()
                })?;
                same(
                    &before,
                    &snapshot(&project.dir().join("elsewhere"), &|_| false),
                )
            });
        }
    }
    table.attack("state/ as a link to a folder is a user's wish", || {
        let project = base.fork();
        std::fs::create_dir(project.dir().join("elsewhere")).unwrap();
        link("elsewhere", &project.dir().join("state"));
        let ended = limited(&project, &["apply", "--yes"])?;
        holds(ended.code == Some(0), || format!("{ended:?}"))?;
        holds(project.dir().join("elsewhere/s.json").is_file(), || {
            "the state is not there".to_owned()
        })
    });
    table.end();
}
