//! What is read and written on the user's disk: special files, links, names in archives, the file
//! that an archive is written to, modes, and commands that only look.

use super::Table;
use super::arena::{
    fifo, holds, limited, link, open_to_others, queue, refused, same, snapshot, under,
};
use crate::support::Project;
use clap::CommandFactory;
use std::collections::BTreeSet;

/// A secret of the environment that no file must bring onto a screen.
const SECRET: &str = "S3cr3tOfTheEnvironment";

/// Files that are none: they have no end, wait for somebody, or are the system's own.
fn specials() -> (tempfile::TempDir, Vec<(&'static str, String)>) {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    fifo(&pipe);
    let linked = dir.path().join("linked");
    link("/dev/zero", &linked);
    let socket = dir.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let text = |path: &std::path::Path| path.display().to_string();
    let specials = vec![
        ("/dev/zero", "/dev/zero".to_owned()),
        ("a link to /dev/zero", text(&linked)),
        ("a pipe", text(&pipe)),
        ("a socket", text(&socket)),
        ("/proc/self/environ", "/proc/self/environ".to_owned()),
        ("a folder", text(dir.path())),
    ];
    (dir, specials)
}

const NO_FILE: &[&str] = &[
    "not a regular file",
    "is a folder",
    "it is a folder",
    "names no file",
    "cannot be read",
];

fn never(project: &Project, args: &[&str]) -> Result<(), String> {
    let ended = limited(project, args)?;
    let text = format!("{}{}", ended.stdout, ended.stderr);
    holds(!text.contains(SECRET), || format!("it shows {text}"))?;
    refused(&ended, NO_FILE)
}

/// Every file that the command line or the environment names is a regular one.
#[test]
fn no_command_reads_what_is_no_file() {
    let mut table = Table::new("files");
    let mut project = queue();
    project.apply();
    let (_dir, specials) = specials();
    project.env("STACKCTL_TEST", SECRET);
    let project = project;
    for (kind, path) in &specials {
        let places: &[(&str, &[&str])] = &[
            ("validate --var-file", &["validate", "--var-file", path]),
            ("plan --var-file", &["plan", "--var-file", path]),
            ("apply --var-file", &["apply", "--yes", "--var-file", path]),
            ("plan --state", &["plan", "--state", path]),
            ("apply --state", &["apply", "--yes", "--state", path]),
            ("state list --state", &["state", "list", "--state", path]),
            ("plan --state-key", &["plan", "--state-key", path]),
            ("apply --plan", &["apply", "--plan", path]),
            ("state push", &["state", "push", path, "--yes"]),
            ("state restore", &["state", "restore", path, "--yes"]),
        ];
        for (place, args) in places {
            table.attack(&format!("{kind} as {place}"), || {
                if *place == "plan --state-key" {
                    // Only a state that has secrets is opened with it.
                    return never(&secretive(&project), args);
                }
                never(&project, args)
            });
        }
    }
    table.end();
}

/// A stack with a secret, whose state has one; no key is at hand but the one that is named.
fn secretive(project: &Project) -> Project {
    let other = project.fork();
    other.write(
        "stacks/s.yaml",
        "name: s\nvariables: {p: {type: string, sensitive: true, default: S3cr3tValue}}\n\
         resources: {r: {type: \"random:RandomPassword\", properties: {length: 20}}}\n\
         outputs: {p: \"${var.p}\"}\n",
    );
    other
}

/// Every file that a stack names, or that stands in the place of a file of the project.
#[test]
fn no_stack_reads_what_is_no_file() {
    let mut table = Table::new("files");
    let mut project = Project::new();
    let (_dir, specials) = specials();
    project.env("STACKCTL_TEST", SECRET);
    let head = "name: s\nproviders: {aws: {region: us-west-2}}\n";
    for (kind, path) in &specials {
        let bucket = "b: {type: \"aws:s3:Bucket\", properties: {bucket: bucket-of-files}}";
        let stacks = [
            (
                "file()",
                format!("outputs: {{o: \"${{file(\\\"{path}\\\")}}\"}}\n"),
            ),
            (
                "filemd5()",
                format!("outputs: {{o: \"${{filemd5(\\\"{path}\\\")}}\"}}\n"),
            ),
            (
                "filebase64sha256()",
                format!("outputs: {{o: \"${{filebase64sha256(\\\"{path}\\\")}}\"}}\n"),
            ),
            (
                "an object's source",
                format!(
                    "resources: {{{bucket}, o: {{type: \"aws:s3:BucketObject\", properties: {{bucket: \"${{b.id}}\", key: k, source: \"{path}\"}}}}}}\n"
                ),
            ),
            (
                "a function's code",
                format!(
                    "resources: {{f: {{type: \"aws:lambda:Function\", properties: {{name: f, role: \"arn:aws:iam::000000000000:role/r\", runtime: python3.13, handler: a.h, filename: \"{path}\"}}}}}}\n"
                ),
            ),
            (
                "sourceFile",
                format!(
                    "data: {{z: {{type: \"archive:getFile\", properties: {{type: zip, sourceFile: \"{path}\"}}}}}}\n"
                ),
            ),
        ];
        for (place, text) in stacks {
            for command in ["validate", "plan"] {
                table.attack(&format!("{kind} as {place} of a {command}"), || {
                    project.write("stacks/s.yaml", format!("{head}{text}"));
                    never(&project, &[command])
                });
            }
        }
    }
    std::fs::remove_file(project.dir().join("stacks/s.yaml")).unwrap();
    for (kind, path) in &specials {
        table.attack(
            &format!("{kind} as the variables of an environment"),
            || {
                let project = queue();
                link(path, &project.dir().join("stacks/s.dev.yaml"));
                let ended = limited(&project, &["validate", "--env", "dev"])?;
                refused(&ended, &["does not exist", "not a regular file"])
            },
        );
        table.attack(&format!("{kind} as the only stack"), || {
            let project = Project::new();
            link(path, &project.dir().join("stacks/s.yaml"));
            let ended = limited(&project, &["validate"])?;
            refused(&ended, &["No stack file found", "not a regular file"])
        });
    }
    for (kind, path) in &specials {
        for name in [
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_CA_BUNDLE",
        ] {
            if *kind == "a socket" {
                continue;
            }
            table.attack(&format!("{kind} as {name}"), || {
                let mut project = queue();
                project.flags.clear();
                project.env("STACKCTL_TEST", SECRET);
                project.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
                project.env("AWS_SECRET_ACCESS_KEY", "x");
                project.env("AWS_ENDPOINT_URL", "https://127.0.0.1:1");
                project.env(name, path);
                never(&project, &["plan"])
            });
        }
    }
    table.end();
}

/// Commands that only look, with what they are tried with; all others write.
const READING: &[(&str, &[&[&str]])] = &[
    ("validate", &[&["validate"]]),
    (
        "plan",
        &[
            &["plan"],
            &["plan", "--json"],
            &["plan", "--destroy"],
            &["plan", "--var", "v=y"],
            &["plan", "--target", "f"],
            &["plan", "--refresh=false"],
        ],
    ),
    ("outputs", &[&["outputs"], &["outputs", "--json"]]),
    ("drift", &[&["drift"], &["drift", "--json"]]),
    ("state list", &[&["state", "list"]]),
    ("state show", &[&["state", "show", "f"]]),
    ("state history", &[&["state", "history"]]),
    ("state pull", &[&["state", "pull"]]),
    ("logs", &[&["logs"], &["logs", "--json"]]),
    ("types", &[&["types"], &["types", "aws:sqs:Queue"]]),
    ("functions", &[&["functions"]]),
    ("schema", &[&["schema"], &["schema", "--json"]]),
];

/// Commands that are asked to write: the state, or the file that is named.
const WRITING: &[&str] = &[
    "apply",
    "local",
    "connect",
    "invoke",
    "destroy",
    "refresh",
    "import",
    "state mv",
    "state rm",
    "state restore",
    "state rebuild",
    "state unlock",
    "state rekey",
    "state push",
    "state migrate",
];

fn leaves(command: &clap::Command, prefix: &str, found: &mut BTreeSet<String>) {
    for sub in command.get_subcommands() {
        let name = format!("{prefix}{}", sub.get_name());
        match sub.has_subcommands() {
            true => leaves(sub, &format!("{name} "), found),
            false => drop(found.insert(name)),
        }
    }
}

/// A project with an archive that has a place of its own, in a folder of its own that is watched.
fn archive() -> Project {
    let project = Project::new();
    project.write("stacks/src/a.py", "def h(event, context):\n    return 1\n");
    project.write(
        "stacks/s.yaml",
        "name: s\nproviders: {aws: {region: us-west-2}}\n\
         variables: {v: {type: string, default: x}}\n\
         data: {z: {type: \"archive:getFile\", properties: {type: zip, outputPath: ../build/code.zip, source: [{content: \"${var.v}\", filename: a.py}]}}}\n\
         resources:\n\
         \x20 r: {type: \"aws:iam:Role\", properties: {name: r, assumeRolePolicy: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: \"sts:AssumeRole\"}]}}}\n\
         \x20 f: {type: \"aws:lambda:Function\", properties: {name: f, role: \"${r.arn}\", runtime: python3.13, handler: a.h, filename: \"${data.z.outputPath}\", sourceCodeHash: \"${filebase64sha256(data.z.outputPath)}\"}}\n\
         outputs: {path: \"${data.z.outputPath}\"}\n",
    );
    project
}

/// Each command is sorted, and those that look write nothing but under `.stackctl`, before the
/// first apply and after one.
#[test]
fn commands_that_look_write_nothing() {
    let mut table = Table::new("files");
    let mut known = BTreeSet::new();
    leaves(&stackctl::cli::args::Cli::command(), "", &mut known);
    let sorted = READING
        .iter()
        .map(|(name, _)| *name)
        .chain(WRITING.iter().copied());
    let sorted: BTreeSet<String> = sorted.map(str::to_owned).collect();
    assert_eq!(
        known, sorted,
        "a command is neither among those that look nor those that write"
    );
    let fresh = archive();
    let applied = archive();
    applied.apply();
    // A plan after the apply reads the archive, and not what somebody put in its place.
    let changed = applied.fork();
    std::fs::remove_dir_all(changed.dir().join("build")).unwrap();
    for (when, project) in [
        ("before an apply", &fresh),
        ("after one", &applied),
        ("without the file", &changed),
    ] {
        for (name, all) in READING {
            for args in *all {
                table.attack(&format!("{} {when}", args.join(" ")), || {
                    let own = |name: &str| name == ".stackctl";
                    let before = snapshot(project.dir(), &own);
                    let ended = limited(project, args)?;
                    let known = when != "before an apply" || *name == "plan" || *name == "validate";
                    holds(!known || matches!(ended.code, Some(0 | 2)), || {
                        format!("{ended:?}")
                    })?;
                    same(&before, &snapshot(project.dir(), &own))
                });
            }
        }
        table.attack(&format!("plan --out {when}"), || {
            let own = |name: &str| matches!(name, ".stackctl" | "p.plan");
            let before = snapshot(project.dir(), &own);
            limited(project, &["plan", "--out", "p.plan"])?.expect(0);
            let plan = std::fs::remove_file(project.dir().join("p.plan"));
            holds(plan.is_ok(), || "no plan was saved".to_owned())?;
            same(&before, &snapshot(project.dir(), &own))
        });
    }
    table.attack("the plan tells the file, and apply writes it", || {
        let plan = limited(&fresh, &["plan"])?.expect(0).stdout;
        let told = "Files that apply writes:\n  ../build/code.zip for data.z\n";
        holds(plan.contains(told), || plan.clone())?;
        let own = |name: &str| matches!(name, ".stackctl" | "state" | "build");
        let before = snapshot(fresh.dir(), &own);
        limited(&fresh, &["apply", "--yes"])?.expect(0);
        holds(fresh.dir().join("build/code.zip").is_file(), || {
            "no file".to_owned()
        })?;
        fresh.expect_no_changes();
        same(&before, &snapshot(fresh.dir(), &own))
    });
    table.attack("another content is planned before the file has it", || {
        let args = ["plan", "--var", "v=z", "--detailed-exitcode"];
        let ended = limited(&fresh, &args)?;
        holds(ended.code == Some(2), || format!("{ended:?}"))?;
        limited(&fresh, &["apply", "--yes", "--var", "v=z"])?.expect(0);
        limited(&fresh, &args)?.expect(0);
        Ok(())
    });
    table.attack("a saved plan writes the file as it is applied", || {
        let args = ["plan", "--var", "v=w", "--out", "p.plan"];
        limited(&fresh, &args)?.expect(0);
        // It needs no archive of the plan's: they are made again.
        std::fs::remove_dir_all(fresh.dir().join(".stackctl/archive")).unwrap();
        std::fs::remove_dir_all(fresh.dir().join("build")).unwrap();
        limited(&fresh, &["apply", "--plan", "p.plan"])?.expect(0);
        holds(fresh.dir().join("build/code.zip").is_file(), || {
            "no file".to_owned()
        })
    });
    table.end();
}

/// The file that an archive is written to: in the project, over nothing or over an archive.
#[test]
fn an_archive_is_written_over_nothing_of_others() {
    let mut table = Table::new("files");
    let paths: &[(&str, &str)] = &[
        ("up", "../../home/.profile"),
        ("up, a zip", "../../home/code.zip"),
        ("absolute", "/tmp/stackctl-attack/code.zip"),
        ("through a link", "../away/code.zip"),
        ("onto a link", "../link.zip"),
        ("a script", "../bin/tool.py"),
        ("a settings file", "../.envrc"),
        ("a hook", "../.git/hooks/post-commit.zip"),
        ("stackctl's own", "../.stackctl/local/code.zip"),
        (
            "the cache",
            "../.stackctl/archive/0123456789abcdef0123456789abcdef.zip",
        ),
        ("the state", "../state/s.json"),
        ("the stack", "s.yaml"),
        ("somebody's zip", "../theirs.zip"),
        ("a text called zip", "../text.zip"),
        ("an empty file", "../empty.zip"),
        ("a folder", "../folder.zip"),
        ("a pipe", "../pipe.zip"),
        ("a line end", "../a\\nb.zip"),
        ("no name", ".."),
        ("dots", "../x/../../home/code.zip"),
    ];
    let outer = tempfile::tempdir().unwrap();
    std::fs::create_dir(outer.path().join("home")).unwrap();
    let mut project = Project::new();
    project.env("TMPDIR", outer.path().to_str().unwrap());
    std::fs::create_dir_all(project.dir().join("home")).unwrap();
    std::fs::create_dir_all(project.dir().join("p/stacks")).unwrap();
    project
        .write("home/.profile", "export A=1\n")
        .write("home/code.zip", "theirs");
    project
        .write("p/theirs.zip", zip_of_others())
        .write("p/text.zip", "text")
        .write("p/empty.zip", "");
    project
        .write("p/bin/tool.py", "print(1)\n")
        .write("p/.git/config", "x");
    std::fs::create_dir(project.dir().join("p/folder.zip")).unwrap();
    fifo(&project.dir().join("p/pipe.zip"));
    link("../home", &project.dir().join("p/away"));
    link("../home/code.zip", &project.dir().join("p/link.zip"));
    for (kind, path) in paths {
        for command in [
            &["-C", "p", "validate"][..],
            &["-C", "p", "plan"],
            &["-C", "p", "apply", "--yes"],
        ] {
            table.attack(&format!("{} to {kind}", command[2..].join(" ")), || {
                project.write(
                    "p/stacks/s.yaml",
                    format!(
                        "name: s\nproviders: {{aws: {{region: us-west-2}}}}\n\
                         data: {{z: {{type: \"archive:getFile\", properties: {{type: zip, outputPath: \"{path}\", sourceContentFilename: a, sourceContent: b}}}}}}\n\
                         resources: {{q: {{type: \"aws:sqs:Queue\", properties: {{name: \"${{data.z.id}}\"}}}}}}\n"
                    ),
                );
                let own = |name: &str| name == "p/.stackctl" || name == "p/state";
                let before = snapshot(project.dir(), &own);
                let ended = limited(&project, command)?;
                refused(
                    &ended,
                    &[
                        "outside of the project",
                        "does not end in .zip",
                        "of another purpose",
                        "stackctl did not write it",
                        "is a link",
                        "is a folder",
                        "not a regular file",
                    ],
                )?;
                same(&before, &snapshot(project.dir(), &own))
            });
        }
    }
    table.end();
}

fn zip_of_others() -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("mine", options).unwrap();
    zip.write_all(b"mine").unwrap();
    zip.finish().unwrap().into_inner()
}

/// Names in archives, as texts and as files.
#[test]
fn names_in_archives_stay_in_the_archive() {
    let mut table = Table::new("files");
    let project = Project::new();
    for name in [
        "../a",
        "a/../../b",
        "/etc/passwd",
        "//a",
        "a//b",
        "./a",
        "a/.",
        "a/",
        "",
        "..",
        ".",
        "C:a",
        "c:/a",
        "C:\\\\a",
        "a\\\\..\\\\b",
        "\\\\\\\\server\\\\a",
        "a\\nb",
        "0\\necho x\\n#",
        "a\\rb",
        "a\\tb",
        "a\\eb",
        "a\\0b",
        "a\\u0085b",
        "a\\x7fb",
        "CON",
        "nul.txt",
        "a/aux",
        "COM1",
        "lpt9.log",
        "a.",
        "a ",
        "a:stream",
        "a?",
        "a*",
        "<a>",
        "a|b",
    ] {
        table.attack(&format!("a text called {name:?}"), || {
            project.write(
                "stacks/s.yaml",
                format!(
                    "name: s\ndata: {{z: {{type: \"archive:getFile\", properties: {{type: zip, sourceContent: x, sourceContentFilename: \"{name}\"}}}}}}\n\
                     outputs: {{z: \"${{data.z.id}}\"}}\n"
                ),
            );
            let ended = limited(&project, &["plan"])?;
            refused(&ended, &["is no name for a file in an archive", "too short", "is shorter", "at least"])
        });
    }
    for name in ["a\nb", "a\x1b[2J", "a\\b", "C:a", "a\u{85}"] {
        table.attack(&format!("a file called {name:?}"), || {
            let project = Project::new();
            project.write(&format!("stacks/src/{name}"), "x");
            project.write(
                "stacks/s.yaml",
                "name: s\ndata: {z: {type: \"archive:getFile\", properties: {type: zip, sourceDir: src}}}\n",
            );
            let ended = limited(&project, &["validate"])?;
            refused(&ended, &["is no name for a file in an archive"])
        });
    }
    table.end();
}

/// Links in and of the folder that an archive is made of, and files that are too large for it.
#[test]
fn an_archive_holds_what_is_in_its_folder() {
    let mut table = Table::new("files");
    let tried = |name: &str, prepare: &dyn Fn(&Project), table: &mut Table| {
        table.attack(name, || {
            let project = Project::new();
            project.write("p/stacks/src/a", "a").write("home/secret", SECRET);
            project.write(
                "p/stacks/s.yaml",
                "name: s\ndata: {z: {type: \"archive:getFile\", properties: {type: zip, sourceDir: src}}}\n\
                 outputs: {z: \"${data.z.outputSize}\"}\n",
            );
            prepare(&project);
            let ended = limited(&project, &["-C", "p", "plan"])?;
            refused(
                &ended,
                &["leads out of the", "not a regular file", "leads to a f", "cannot be followed", "more than"],
            )
        });
    };
    let whole = |target: &'static str| {
        move |project: &Project| {
            std::fs::remove_dir_all(project.dir().join("p/stacks/src")).unwrap();
            link(target, &project.dir().join("p/stacks/src"));
        }
    };
    let inner = |target: &'static str| {
        move |project: &Project| link(target, &project.dir().join("p/stacks/src/l"))
    };
    tried(
        "the folder is a link out of the project",
        &whole("../../home"),
        &mut table,
    );
    tried("the folder is a link to /", &whole("/etc"), &mut table);
    tried("the folder is a link to /dev", &whole("/dev"), &mut table);
    tried(
        "a link to a file outside",
        &inner("../../../home/secret"),
        &mut table,
    );
    tried(
        "a link to a folder outside",
        &inner("../../../home"),
        &mut table,
    );
    tried("a link to a file beside", &inner("../s.yaml"), &mut table);
    tried("a link to a folder around", &inner(".."), &mut table);
    tried("a link to itself", &inner("l"), &mut table);
    tried("a link to /dev/zero", &inner("/dev/zero"), &mut table);
    tried("a link to /proc", &inner("/proc/self/environ"), &mut table);
    tried("a link to nothing", &inner("nothing"), &mut table);
    tried(
        "a pipe",
        &|project: &Project| fifo(&project.dir().join("p/stacks/src/p")),
        &mut table,
    );
    tried(
        "a file of a terabyte",
        &|project: &Project| {
            let file = std::fs::File::create(project.dir().join("p/stacks/src/large")).unwrap();
            file.set_len(1 << 40).unwrap();
        },
        &mut table,
    );
    table.end();
}

/// Nobody else can look into what stackctl writes, whatever the umask and whatever was there.
#[test]
fn what_stackctl_keeps_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let mut table = Table::new("files");
    for umask in ["000", "002", "022", "077", "0777"] {
        for was in [None, Some(0o755), Some(0o777)] {
            table.attack(&format!("umask {umask}, folders before: {was:?}"), || {
                let project = archive();
                for folder in [
                    ".stackctl",
                    ".stackctl/local",
                    ".stackctl/local/blobs",
                    ".stackctl/history",
                    ".stackctl/archive",
                    "state",
                ] {
                    if let Some(mode) = was {
                        let path = project.dir().join(folder);
                        std::fs::create_dir(&path).unwrap();
                        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
                            .unwrap();
                    }
                }
                if was.is_some() {
                    let lock = project.dir().join(".stackctl/local/lock");
                    std::fs::write(&lock, "").unwrap();
                    std::fs::set_permissions(lock, std::fs::Permissions::from_mode(0o666)).unwrap();
                }
                let umask = format!("umask {umask}");
                let ended = under(&project, &umask, &["plan", "--out", "p.plan"])?;
                holds(ended.code == Some(0), || format!("{ended:?}"))?;
                let ended = under(&project, &umask, &["apply", "--yes"])?;
                holds(ended.code == Some(0), || format!("{ended:?}"))?;
                let open = open_to_others(
                    &project,
                    &["state", ".stackctl", "p.plan", "build/code.zip"],
                );
                holds(open.is_empty(), || format!("{open:?}"))?;
                let closed = snapshot(&project.dir().join(".stackctl"), &|_| false);
                let closed = closed.iter().find(|(_, seen)| seen.1 & 0o600 != 0o600);
                holds(closed.is_none(), || format!("{closed:?}"))
            });
        }
    }
    table.attack("a log and blobs that others could read", || {
        let project = archive();
        project.apply();
        for name in [
            ".stackctl",
            ".stackctl/local",
            ".stackctl/local/blobs",
            ".stackctl/local/log",
            "state",
        ] {
            let path = project.dir().join(name);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
        }
        project.run(&["refresh", "--yes"]).expect(0);
        let open = open_to_others(&project, &["state", ".stackctl"]);
        holds(open.is_empty(), || format!("{open:?}"))
    });
    table.end();
}

/// Archives go with the last state that names them.
#[test]
fn archives_go_with_the_state_that_needs_them() {
    let mut table = Table::new("files");
    let project = Project::new();
    let stack = |name: &str, text: &str| {
        project.write(
            &format!("stacks/{name}.yaml"),
            format!(
                "name: {name}\nproviders: {{aws: {{region: us-west-2}}}}\n\
                 data: {{z: {{type: \"archive:getFile\", properties: {{type: zip, sourceContent: \"{text}\", sourceContentFilename: a}}}}}}\n\
                 resources:\n\
                 \x20 b: {{type: \"aws:s3:Bucket\", properties: {{bucket: bucket-of-{name}, forceDestroy: true}}}}\n\
                 \x20 o: {{type: \"aws:s3:BucketObject\", properties: {{bucket: \"${{b.id}}\", key: k, source: \"${{data.z.outputPath}}\"}}}}\n"
            ),
        );
    };
    let archives = || {
        let entries = std::fs::read_dir(project.dir().join(".stackctl/archive")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".zip")).count()
    };
    let count = |wanted: usize| holds(archives() == wanted, || format!("{} archives", archives()));
    table.attack("another value, the same state", || {
        stack("one", "1");
        project.run(&["apply", "one", "--yes"]).expect(0);
        count(1)?;
        stack("one", "2");
        project.run(&["plan", "one"]).expect(0);
        stack("one", "3");
        project.run(&["apply", "one", "--yes"]).expect(0);
        count(1)
    });
    table.attack("the archive of another state stays", || {
        stack("two", "4");
        project.run(&["apply", "two", "--yes"]).expect(0);
        count(2)?;
        project.run(&["destroy", "one", "--yes"]).expect(0);
        count(1)?;
        project
            .run(&["plan", "two", "--detailed-exitcode"])
            .expect(0);
        count(1)
    });
    table.attack("none is left after the last destroy", || {
        project.run(&["destroy", "two", "--yes"]).expect(0);
        count(0)
    });
    table.end();
}
