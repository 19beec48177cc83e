//! Whatever happens to the file of a state is told before anything is done, and there is a
//! way out of it.

use super::{STATE, saved};
use crate::support::Project;
use serde_json::Value;
use std::path::PathBuf;

/// What is done to a project, and what must be told then.
struct Case {
    name: String,
    told: &'static str,
    tamper: Box<dyn Fn(&Project)>,
}

fn case(name: impl Into<String>, told: &'static str, tamper: impl Fn(&Project) + 'static) -> Case {
    Case {
        name: name.into(),
        told,
        tamper: Box::new(tamper),
    }
}

/// The file gets another text.
fn text(name: &str, told: &'static str, change: impl Fn(&str) -> String + 'static) -> Case {
    let what = name.to_owned();
    case(name, told, move |project| {
        let before = project.read(STATE);
        let after = change(&before);
        assert_ne!(before, after, "{what}");
        project.write(STATE, after);
    })
}

const EDITED: &str = "something other than stackctl changed it";

fn versions(project: &Project) -> Vec<PathBuf> {
    let dir = project.dir().join(".stackctl/history/small");
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn unpacked(path: &PathBuf) -> Vec<u8> {
    use std::io::Read;
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut text)
        .unwrap();
    text
}

fn edits() -> Vec<Case> {
    let edit = |name: &str, from: &'static str, to: &'static str| {
        text(name, EDITED, move |text| text.replacen(from, to, 1))
    };
    let mut cases = vec![
        edit("an id", "000000000000/orders", "000000000000/other"),
        edit(
            "a number",
            "\"retentionInDays\": 7",
            "\"retentionInDays\": 8",
        ),
        edit("the serial", "\"serial\": 3", "\"serial\": 9"),
        edit("the stack", "\"stack\": \"small\"", "\"stack\": \"large\""),
        edit("the account", "\"000000000000\"", "\"123456789012\""),
        edit(
            "the region",
            "\"region\": \"us-west-2\"",
            "\"region\": \"us-east-1\"",
        ),
        text("the lineage", EDITED, |text| {
            let at = text.find("\"lineage\": \"").unwrap() + 12;
            format!("{}{}{}", &text[..at], "0".repeat(32), &text[at + 32..])
        }),
        text("a resource is taken out", EDITED, |text| {
            let mut state: Value = serde_json::from_str(text).unwrap();
            state["resources"].as_object_mut().unwrap().remove("log");
            let state = state.to_string();
            let sum = state.find("\"checksum\":").unwrap();
            // The checksum stays the last member, as it is written.
            let end = sum + 11 + 66;
            let rest = format!("{}{}", &state[..sum], &state[end + 1..]);
            format!("{},{}}}", rest.trim_end_matches('}'), &state[sum..end])
        }),
        text("the checksum is taken out", EDITED, |text| {
            text[..text.find(",\n  \"checksum\"").unwrap()].to_owned() + "\n}\n"
        }),
        text("it poses as the old format", "but other content", |text| {
            let text = text.replace("\"version\": 3", "\"version\": 1");
            text[..text.find(",\n  \"checksum\"").unwrap()].to_owned() + "\n}\n"
        }),
        text("a newer format", "and this version reads up to 3", |text| {
            text.replace("\"version\": 3", "\"version\": 99")
        }),
    ];
    for at in 0..24 {
        cases.push(text(&format!("a digit at {at}/24"), "it ", move |text| {
            let mut bytes = text.as_bytes().to_vec();
            let at = (bytes.len() - 2) * at / 24;
            bytes[at] = if bytes[at] == b'7' { b'5' } else { b'7' };
            String::from_utf8(bytes).unwrap()
        }));
    }
    cases
}

fn losses() -> Vec<Case> {
    let mut cases = vec![
        text("emptied", "it is empty", |_| String::new()),
        text("only a line end", "it is empty", |_| "\n".to_owned()),
        text("zeroes after a power cut", "it is no state", |text| {
            "\0".repeat(text.len())
        }),
        text("an empty map", "it is no state", |_| "{}".to_owned()),
        text("another file", "it is no state", |_| "[1, 2]".to_owned()),
        case("the file is gone", "it is missing", |project| {
            std::fs::remove_file(project.dir().join(STATE)).unwrap();
        }),
        case("the folder is gone", "it is missing", |project| {
            std::fs::remove_dir_all(project.dir().join("state")).unwrap();
        }),
    ];
    for part in 1..20 {
        let name = format!("cut off at {part}/20");
        cases.push(text(&name, "it is cut off", move |text| {
            text[..text.len() * part / 20].to_owned()
        }));
    }
    cases
}

fn others() -> Vec<Case> {
    let mut cases = Vec::new();
    for serial in [1, 2] {
        let name = format!("serial {serial} put back");
        cases.push(case(name, "it is an older version", move |project| {
            let older = unpacked(&versions(project)[serial - 1]);
            project.write(STATE, older);
        }));
    }
    cases.push(case("of another run", "another lineage", |project| {
        let other = saved(&[1, 2, 3, 4]);
        project.write(STATE, other.read(STATE));
    }));
    cases.push(case(
        "of a copy of the project",
        "but other content",
        |project| {
            // Serial 3 of the copy, made from the same serial 2.
            let copy = project.fork();
            std::fs::remove_file(&versions(&copy)[2]).unwrap();
            copy.write(STATE, unpacked(&versions(project)[1]));
            copy.run(&["apply", "--yes", "--var", "size=77"]).expect(0);
            project.write(STATE, copy.read(STATE));
        },
    ));
    cases
}

/// Every command that reads the state must tell, and change nothing.
fn told(project: &Project, case: &Case, flags: &[&str]) -> bool {
    let cloud = project.cloud();
    let state = std::fs::read(project.dir().join(STATE)).ok();
    let commands: [&[&str]; 5] = [
        &["plan"],
        &["apply", "--yes", "--var", "size=99"],
        &["destroy", "--yes"],
        &["outputs"],
        &["state", "list"],
    ];
    commands.iter().all(|command| {
        let ended = project.run(&[command, flags].concat());
        let told = ended.code == Some(1)
            && ended.stderr.contains(case.told)
            && ended.stderr.contains("next: ")
            && ended.stdout.is_empty();
        if !told {
            println!("{}: {command:?} gave {ended:?}", case.name);
        }
        told && project.cloud() == cloud && std::fs::read(project.dir().join(STATE)).ok() == state
    })
}

#[test]
fn tampering_is_detected_and_there_is_a_way_out() {
    let whole = saved(&[30, 31, 32]);
    let (mut tried, mut detected) = (0, 0);
    for case in edits().into_iter().chain(losses()).chain(others()) {
        let project = whole.fork();
        (case.tamper)(&project);
        tried += 1;
        detected += usize::from(told(&project, &case, &[]));
        project.run(&["state", "restore", "3", "--yes"]).expect(0);
        let plan = ["plan", "--detailed-exitcode", "--var", "size=32"];
        let ended = project.run(&plan);
        assert_eq!(ended.code, Some(0), "{}:\n{}", case.name, ended.stdout);
        assert!(
            project.state()["serial"].as_u64() > Some(3),
            "{}",
            case.name
        );
    }
    // Under another name.
    for (flags, to) in [
        (&["--env", "dev"][..], "state/small.dev.json"),
        (&["--state", "copy.json"], "copy.json"),
    ] {
        let project = whole.fork();
        project.write("stacks/small.dev.yaml", "{}");
        let project = match to {
            "copy.json" => {
                project.write(
                    "stacks/small.yaml",
                    super::SMALL.replace("name: small", "name: other"),
                );
                project
            }
            _ => project,
        };
        project.write(to, project.read(STATE));
        let case = case(to, "it belongs to the stack \"small\"", |_| {});
        tried += 1;
        detected += usize::from(told(&project, &case, flags));
    }
    println!("tamperings: {tried} tried, {detected} detected");
    assert_eq!(tried, detected);
}

#[test]
fn an_edit_that_was_meant_is_taken() {
    let project = saved(&[30]);
    let edited = project
        .read(STATE)
        .replace("\"retentionInDays\": 7", "\"retentionInDays\": 9");
    project.write(STATE, edited);
    let declined = project.run(&["state", "restore", STATE]).expect(1);
    assert!(
        declined.stderr.contains("~ log: inputs.retentionInDays"),
        "{}",
        declined.stderr
    );
    project.run(&["state", "restore", STATE, "--yes"]).expect(0);
    // What the file, the state and AWS say is compared again: AWS was right all along.
    let state = project.state();
    assert_eq!(state["resources"]["log"]["inputs"]["retentionInDays"], 9);
    project.apply();
    project.expect_no_changes();
}

/// Files of version 1 had no checksum; they open in every later version.
#[test]
fn a_state_of_the_first_format_opens() {
    let project = super::small();
    project.write(STATE, include_str!("v1.json"));
    let list = project.run(&["state", "list", "--json"]).expect(0).json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(
        list[1]["id"],
        "https://sqs.us-west-2.amazonaws.com/000000000000/orders"
    );
    // Its objects are gone from this cloud, so they are made again, and the format is new.
    project.apply();
    let state = project.state();
    assert_eq!(state["version"], 3);
    assert_eq!(state["lineage"], "0123456789abcdef0123456789abcdef");
    assert_eq!(state["serial"], 5);
    assert!(state["checksum"].is_string());
    project.expect_no_changes();
}

#[test]
fn as_many_versions_are_kept_as_the_user_says() {
    let mut project = saved(&[30, 31, 32, 33]);
    assert_eq!(versions(&project).len(), 4);
    project.env("STACKCTL_STATE_VERSIONS", "2");
    project
        .run(&["state", "mv", "log", "logs", "--yes"])
        .expect(0);
    assert_eq!(versions(&project).len(), 2);
    let plan = project.run(&["plan"]).expect(0);
    assert_eq!(
        plan.stderr,
        "Read serial 5 of state/small.json; plan takes no lock.\n"
    );
    project.env("STACKCTL_STATE_VERSIONS", "none");
    let refused = project.run(&["plan"]).expect(1);
    insta::assert_snapshot!(refused.stderr, @r#"error: STACKCTL_STATE_VERSIONS is "none", and must be a number from 1 to 100000."#);
}

#[test]
fn the_last_fifty_versions_are_kept() {
    let project = saved(&[30]);
    for round in 0..30 {
        for (from, to) in [("log", "logs"), ("logs", "log")] {
            project.run(&["state", "mv", from, to, "--yes"]).expect(0);
        }
        let kept = versions(&project).len();
        assert_eq!(kept, (3 + 2 * round).min(50));
    }
    let history = project
        .run(&["state", "history", "--json"])
        .expect(0)
        .json();
    let serials: Vec<u64> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["serial"].as_u64().unwrap())
        .collect();
    assert_eq!(serials, (12..=61).collect::<Vec<u64>>());
    #[cfg(unix)]
    for file in versions(&project) {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
