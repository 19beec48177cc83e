//! Ctrl-C, SIGTERM, closed terminals and closed pipes, with real processes. `script(1)` gives
//! a command a terminal of its own: what is typed into it is typed there, and when it is
//! killed the terminal is gone.

use super::{SMALL, small};
use crate::support::{Project, census, hearing};
use serde_json::json;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(super) const LATENCY: &str = "STACKCTL_LOCAL_LATENCY";

pub(super) fn signal(id: u32, name: &str) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {id}")])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// How a command ended, and how long that took after `told`.
pub(super) fn end(mut child: Child, told: Instant) -> (Option<i32>, String, String, Duration) {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    if let Some(mut out) = child.stdout.take() {
        out.read_to_string(&mut stdout).unwrap();
    }
    if let Some(mut err) = child.stderr.take() {
        err.read_to_string(&mut stderr).unwrap();
    }
    let code = child.wait().unwrap().code();
    (code, stdout, stderr, told.elapsed())
}

pub(super) fn start(project: &Project, args: &[&str]) -> Child {
    let mut command = hearing(&project.command(args));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The command on a terminal of its own.
pub(super) fn on_terminal(project: &Project, args: &[&str]) -> Child {
    let command = hearing(&project.command(args));
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let mut script = Command::new("script");
    script
        .args(["-qec", &words.join(" "), "/dev/null"])
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(project.dir());
    // The shell that script starts gets the signal first, and must not be deaf to it.
    hearing(&script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("script(1) of util-linux is there")
}

/// Reads what the terminal shows until `text` is there.
pub(super) fn shows(child: &mut Child, text: &str) -> String {
    let out = child.stdout.as_mut().unwrap();
    let mut seen = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&seen).contains(text) {
        assert_eq!(
            out.read(&mut byte).unwrap(),
            1,
            "{}",
            String::from_utf8_lossy(&seen)
        );
        seen.push(byte[0]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// Waits until something is so.
#[track_caller]
pub(super) fn until(what: &str, so: impl Fn() -> bool) {
    let since = Instant::now();
    while !so() {
        assert!(since.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
pub(super) fn finishes(project: &mut Project) {
    project.unset(LATENCY);
    project.apply();
    project.expect_no_changes();
    let counts = census(project);
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    assert_eq!(counts.len(), 3, "{counts:?}");
}

/// Whether the process has taken SIGINT, SIGTERM and SIGHUP into its own hands.
pub(super) fn hears(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    [1, 2, 15]
        .iter()
        .all(|signal| mask.unwrap_or_default() >> (signal - 1) & 1 == 1)
}

#[test]
fn a_signal_while_reading_ends_the_command_at_once() {
    let mut project = small();
    project.apply();
    project.env(LATENCY, "20000");
    let before = project.read("state/small.json");
    for name in ["INT", "TERM", "HUP"] {
        for args in [
            &["plan"][..],
            &["plan", "--json"],
            &["apply", "--yes"],
            &["destroy", "--yes"],
        ] {
            let child = start(&project, args);
            until("signals are heard", || hears(child.id()));
            std::thread::sleep(Duration::from_millis(300));
            let told = Instant::now();
            signal(child.id(), name);
            let (code, stdout, stderr, took) = end(child, told);
            assert_eq!(code, Some(130), "{name} {args:?}: {stdout}{stderr}");
            assert!(took < Duration::from_secs(5), "{took:?}");
            let said = "error: Interrupted.\n  now: No resource was changed.\n";
            assert_eq!(stderr, said);
            assert_eq!(stdout.is_empty(), !args.contains(&"--json"), "{stdout}");
        }
    }
    assert_eq!(project.read("state/small.json"), before);
    finishes(&mut project);
}

#[test]
fn a_terminal_has_colours_unless_it_is_told_otherwise() {
    let colours = |args: &[&str], env: Option<(&str, &str)>| {
        let mut project = small();
        project.env("TERM", "xterm");
        if let Some((name, value)) = env {
            project.env(name, value);
        }
        let (code, shown, ..) = end(on_terminal(&project, args), Instant::now());
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains("to create"), "{shown}");
        shown.contains("\x1b[3")
    };
    assert!(colours(&["plan"], None));
    assert!(colours(&["plan"], Some(("NO_COLOR", ""))));
    assert!(!colours(&["plan"], Some(("NO_COLOR", "1"))));
    assert!(!colours(&["plan"], Some(("TERM", "dumb"))));
    assert!(!colours(&["plan", "--no-color"], None));
}

#[test]
fn at_the_question_ctrl_c_ends_the_command_and_the_end_of_input_declines() {
    let mut project = small();
    project.env("TERM", "xterm");
    for (typed, code, told) in [
        // In colour: the command itself ends, and is not ended by whoever heard the signal.
        ("\x03", 130, "\x1b[0m Interrupted."),
        ("\x04", 1, "Cancelled. No changes were made."),
        ("no\n", 1, "Cancelled. No changes were made."),
    ] {
        let mut child = on_terminal(&project, &["apply"]);
        let mut seen = shows(&mut child, "is accepted: ");
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(typed.as_bytes())
            .unwrap();
        let (ended, rest, ..) = end(child, Instant::now());
        seen.push_str(&rest);
        assert_eq!(ended, Some(code), "{seen}");
        assert!(rest.contains(told), "{rest}");
        assert_eq!(project.cloud(), []);
    }
    let mut child = on_terminal(&project, &["apply"]);
    shows(&mut child, "is accepted: ");
    child.stdin.as_mut().unwrap().write_all(b"yes\n").unwrap();
    let (ended, rest, ..) = end(child, Instant::now());
    assert_eq!(ended, Some(0), "{rest}");
    finishes(&mut project);
}

/// The processes of the project, by what their command line names.
fn running(project: &Project) -> bool {
    let dir = project.dir().as_os_str().as_encoded_bytes();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok())
        .any(|cwd| cwd.as_os_str().as_encoded_bytes() == dir)
}

#[test]
fn a_closed_terminal_is_no_kill() {
    // At the question: nothing is done.
    let mut project = small();
    let mut child = on_terminal(&project, &["apply"]);
    shows(&mut child, "is accepted: ");
    child.kill().unwrap();
    child.wait().unwrap();
    until("it leaves", || !running(&project));
    assert_eq!(project.cloud(), []);
    // In the middle: what runs ends, and is saved.
    project.env(LATENCY, "400");
    let mut child = on_terminal(&project, &["apply", "--yes"]);
    shows(&mut child, "Plan: ");
    let journal = project.dir().join("state/small.journal");
    until("it begins", || journal.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    until("it leaves", || !running(&project));
    assert!(!journal.exists(), "it saves");
    let kept = project.state()["resources"].as_object().unwrap().len();
    // None, where it left between the start of the journal and the first step.
    assert!(kept < 3, "{kept} kept");
    finishes(&mut project);
}

#[test]
fn what_is_started_to_ignore_the_end_of_its_terminal_does() {
    let mut project = small();
    project.env(LATENCY, "300");
    let command = project.command(&["apply", "--yes"]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' HUP INT; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(project.dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = shell.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    signal(child.id(), "HUP");
    signal(child.id(), "INT");
    let (code, stdout, stderr, _) = end(child, Instant::now());
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    finishes(&mut project);
}

#[test]
fn a_reader_that_goes_away_stops_nothing() {
    for (args, reader) in [
        (&["plan"][..], "| head -1"),
        (&["plan", "--json"], "| true"),
        (&["apply", "--yes"], "| true"),
        (&["apply", "--yes", "--json"], "| head -1"),
        (&["apply", "--yes"], "2>&1 | true"),
        (&["apply", "--yes"], ">&- 2>&-"),
        (&["apply", "--yes"], "< /dev/null > /dev/full"),
    ] {
        let mut project = small();
        let command = project.command(args);
        let mut shell = Command::new("bash");
        let line = format!("\"$0\" \"$@\" {reader}; exit ${{PIPESTATUS[0]}}");
        shell
            .args(["-c", &line])
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .current_dir(project.dir());
        let output = shell.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        // Where the plan could not be written nobody has seen it, and nothing is started.
        let full = reader.contains("full");
        let code = if full { 1 } else { 0 };
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?} {reader}: {told}"
        );
        assert!(
            !told.contains("panicked") && !told.contains("defect"),
            "{told}"
        );
        if args[0] == "apply" && !full {
            project.expect_no_changes();
        }
        finishes(&mut project);
        let outputs = project.command(&["outputs", "--json"]);
        let mut shell = Command::new("bash");
        shell
            .args(["-c", "\"$0\" \"$@\" | true; exit ${PIPESTATUS[0]}"])
            .arg(outputs.get_program())
            .args(outputs.get_args())
            .current_dir(project.dir());
        assert_eq!(shell.status().unwrap().code(), Some(0));
    }
}

#[test]
fn signals_at_any_moment_lose_nothing() {
    for at in 0..24 {
        let mut project = small();
        project.write("stacks/small.yaml", SMALL);
        project.env(LATENCY, "40");
        let child = start(&project, &["apply", "--yes"]);
        let id = child.id();
        std::thread::sleep(Duration::from_millis(30 + at * 12));
        let twice = at % 2 == 1;
        let send = |name: &str| {
            let _ = Command::new("sh")
                .args(["-c", &format!("kill -{name} {id}")])
                .stderr(Stdio::null())
                .status();
        };
        send(["INT", "TERM", "HUP"][usize::try_from(at).unwrap() % 3]);
        if twice {
            send("INT");
        }
        let (code, stdout, stderr, _) = end(child, Instant::now());
        // Before it hears signals the system ends it, and nothing is started.
        let killed = code.is_none() && project.cloud().is_empty();
        assert!(
            matches!(code, Some(0 | 130)) || killed,
            "{code:?} {stdout}{stderr}"
        );
        if code == Some(0) {
            project.expect_no_changes();
        }
        if code == Some(130) && !twice {
            assert!(
                !project.dir().join("state/small.journal").exists(),
                "{stderr}"
            );
        }
        finishes(&mut project);
    }
}

#[test]
fn between_the_last_call_and_the_end_of_the_save_nothing_is_lost() {
    for moment in ["store:saving", "store:staged", "store:renamed"] {
        for twice in [false, true] {
            let mut project = small();
            let slow = json!([{"call": moment, "what": {"latency": 6000}}]);
            project.env("STACKCTL_LOCAL_FAULTS", &slow.to_string());
            let child = start(&project, &["apply", "--yes"]);
            let journal = project.dir().join("state/small.journal");
            until("all is done", || {
                let text = std::fs::read_to_string(&journal).unwrap_or_default();
                text.matches("\"done\"").count() == 3
            });
            std::thread::sleep(Duration::from_millis(500));
            let told = Instant::now();
            signal(child.id(), "INT");
            if twice {
                // Two of one kind that wait at the same time are one to the system.
                std::thread::sleep(Duration::from_millis(500));
                signal(child.id(), "INT");
            }
            let (code, stdout, stderr, took) = end(child, told);
            // All was done when the signal came; the second one does not wait for the disk.
            let expected = if twice { 130 } else { 0 };
            assert_eq!(code, Some(expected), "{moment}: {stdout}{stderr}");
            assert!(took < Duration::from_secs(4) || !twice, "{took:?}");
            project.unset("STACKCTL_LOCAL_FAULTS");
            finishes(&mut project);
        }
    }
}
