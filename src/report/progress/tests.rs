//! A run as each reporter shows it.

use super::*;
use crate::data::{Data, Path};
use crate::engine::apply::event::Doing;
use crate::engine::plan::{Action, Change};
use crate::report::fixtures::{change, plan as plan_of};
use crate::resource::error::{CallError, Effect, Error};
use indicatif::{ProgressDrawTarget, TermLike};
use serde_json::Value;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Bytes that several may write and the test reads.
#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn started(steps: usize, depth: usize) -> Event {
    Event::Started {
        steps,
        depth,
        destroys: false,
    }
}

fn step_started(address: &str, doing: Doing) -> Event {
    Event::StepStarted {
        address: address.to_owned(),
        doing,
    }
}

fn waiting(address: &str, reason: &str) -> Event {
    Event::Waiting {
        address: address.to_owned(),
        reason: reason.to_owned(),
    }
}

fn done(address: &str, doing: Doing, id: &str) -> Event {
    Event::Done {
        address: address.to_owned(),
        doing,
        id: id.to_owned(),
        took: Duration::from_millis(240),
    }
}

fn stopped(address: &str, doing: Doing) -> Event {
    Event::Stopped {
        address: address.to_owned(),
        doing,
        now: format!("{address} was not created."),
    }
}

fn skipped(address: &str, because: Option<&str>) -> Event {
    Event::Skipped {
        address: address.to_owned(),
        doing: Doing::Creating,
        because: because.map(str::to_owned),
    }
}

fn refused() -> Error {
    Error::Call(Box::new(CallError {
        call: "lambda:CreateFunction",
        code: "InvalidParameterValueException".to_owned(),
        message: "The value hunter2 is not allowed\x1b[2J".to_owned(),
        bucket_region: None,
        request_id: Some("5f2a".to_owned()),
        status: Some(400),
        effect: Effect::None,
    }))
}

/// A run in which something of everything happens.
fn run() -> Vec<Event> {
    use Doing::{Creating, Deleting, Keeping, Reading, Updating};
    vec![
        started(9, 4),
        step_started("role", Creating),
        step_started("queue", Updating),
        step_started("api", Deleting),
        step_started("old", Deleting),
        step_started("caller", Reading),
        step_started("api", Keeping),
        done("api", Keeping, ""),
        done("caller", Reading, "123456789012"),
        done("role", Creating, "websocket-role"),
        waiting("queue", "the queue has no attributes yet"),
        waiting("queue", "the queue has no attributes yet"),
        done("queue", Updating, "https://sqs/q"),
        done("old", Deleting, "o1"),
        done("api", Deleting, "a1"),
        step_started("api", Creating),
        done("api", Creating, "a2"),
        step_started("worker", Creating),
        waiting("worker", "the role cannot be assumed yet"),
        Event::Failed {
            address: "worker".to_owned(),
            doing: Creating,
            error: refused(),
            now: "Nothing was created.".to_owned(),
            created: false,
        },
        skipped("mapping", Some("worker")),
        skipped("alarm", Some("mapping")),
    ]
}

/// The plan's secret, which AWS repeats in its response.
fn secrets() -> Secrets {
    let mut data = Data::from(serde_json::json!({"password": "hunter2"}));
    data.secret.insert(Path::pointer("/password"));
    Secrets::of(&plan_of(vec![Change {
        after: Some(data),
        ..change("worker", "x:y:Z", Action::Create)
    }]))
}

const TOOK: Duration = Duration::from_millis(1234);

#[test]
fn a_pipe_gets_one_line_an_event() {
    let out = Shared::default();
    let mut reporter = plain(Box::new(out.clone()), Style::default(), secrets());
    run().iter().for_each(|event| reporter.event(event));
    let tally = reporter.finish(TOOK);
    insta::assert_snapshot!(out.text(), @r"
    role: creating
    queue: updating
    api: deleting
    old: deleting
    caller: reading
    caller: read in 0.2 s (123456789012)
    role: created in 0.2 s (websocket-role)
    queue: waiting: the queue has no attributes yet
    queue: updated in 0.2 s (https://sqs/q)
    old: deleted in 0.2 s (o1)
    api: deleted in 0.2 s (a1)
    api: creating
    api: created in 0.2 s (a2)
    worker: creating
    worker: waiting: the role cannot be assumed yet
    worker: not created: lambda:CreateFunction returned InvalidParameterValueException
    mapping: skipped: depends on worker, which failed
    alarm: skipped: depends on mapping, which failed

    error: worker was not created
      cause: lambda:CreateFunction returned InvalidParameterValueException: The value (secret) is not allowed\u{1b}[2J (request 5f2a)
      now: Nothing was created.
      next: Fix the cause, then run the command again; what is done stays done.
      skipped: alarm, mapping

    Apply failed: 1 created, 1 updated, 1 replaced, 1 deleted in 1.2 s. 1 failed, 2 skipped.
    ");
    assert_eq!(
        tally,
        Tally {
            imported: 0,
            moved: 0,
            created: 1,
            updated: 1,
            replaced: 1,
            deleted: 1,
            failed: 1,
            skipped: 2,
            interrupted: false,
        }
    );
}

#[test]
fn a_run_without_trouble_ends_in_one_line() {
    let out = Shared::default();
    let mut reporter = plain(Box::new(out.clone()), Style::default(), Secrets::default());
    reporter.event(&done("queue", Doing::Creating, ""));
    reporter.finish(Duration::from_secs(65));
    insta::assert_snapshot!(out.text(), @"
    queue: created in 0.2 s
    Applied: 1 created, 0 updated, 0 replaced, 0 deleted in 1 min 5 s.
    ");
}

#[test]
fn a_long_step_is_named_every_ten_seconds() {
    let out = Shared::default();
    let mut reporter =
        plain::Plain::new(Box::new(out.clone()), Style::default(), Secrets::default());
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    reporter.event_at(&step_started("worker", Doing::Creating), start);
    for second in 0..75 {
        let reason = format!("waiting for state Active (now {second})");
        reporter.event_at(&waiting("worker", &reason), at(second));
        reporter.remind(at(second));
    }
    insta::assert_snapshot!(out.text(), @"
    worker: creating
    worker: waiting for state Active (now 0)
    worker: still creating … 10 s (waiting for state Active (now 10))
    worker: still creating … 20 s (waiting for state Active (now 20))
    worker: still creating … 30 s (waiting for state Active (now 30))
    worker: still creating … 40 s (waiting for state Active (now 40))
    worker: still creating … 50 s (waiting for state Active (now 50))
    worker: still creating … 1 min 0 s (waiting for state Active (now 60))
    worker: still creating … 1 min 10 s (waiting for state Active (now 70))
    ");
}

#[test]
fn an_interruption_says_what_was_left() {
    let out = Shared::default();
    let mut reporter = plain(Box::new(out.clone()), Style::default(), Secrets::default());
    let mut events = vec![
        step_started("a", Doing::Creating),
        step_started("b", Doing::Creating),
        waiting("b", "the role cannot be assumed yet"),
        Event::Interrupted { running: 2 },
        stopped("b", Doing::Creating),
        done("a", Doing::Creating, "a1"),
    ];
    events.insert(0, started(27, 2));
    let names: Vec<String> = (0..25).map(|n| format!("queue[\"{n:02}\"]")).collect();
    events.extend(names.iter().map(|name| skipped(name, None)));
    events.iter().for_each(|event| reporter.event(event));
    assert!(reporter.finish(TOOK).interrupted);
    let text = out.text();
    insta::assert_snapshot!(text, @"
    a: creating
    b: creating
    b: waiting: the role cannot be assumed yet
    Interrupted: waiting for 2 steps in progress. Press Ctrl-C again to leave at once; the next run recovers what was in progress.
    a: created in 0.2 s (a1)
    b: interrupted while it waited: the role cannot be assumed yet
    Interrupted: 1 of 27 done, 1 interrupted while waiting, 25 not started. Run the command again to go on.
    ");
}

#[test]
fn scripts_get_one_object_a_line() {
    let out = Shared::default();
    let mut reporter = json_lines(Box::new(out.clone()), secrets(), serde_json::Value::Null);
    run().iter().for_each(|event| reporter.event(event));
    reporter.event(&step_started("late", Doing::Creating));
    reporter.event(&Event::Interrupted { running: 0 });
    reporter.event(&stopped("late", Doing::Creating));
    reporter.finish(TOOK);
    for line in out.text().lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    insta::assert_snapshot!(out.text(), @r#"
    {"depth":4,"head":null,"steps":9,"type":"started"}
    {"action":"create","address":"role","status":"begun","type":"step"}
    {"action":"update","address":"queue","status":"begun","type":"step"}
    {"action":"delete","address":"api","status":"begun","type":"step"}
    {"action":"delete","address":"old","status":"begun","type":"step"}
    {"action":"read","address":"caller","status":"begun","type":"step"}
    {"action":"read","address":"caller","id":"123456789012","seconds":0.24,"status":"done","type":"step"}
    {"action":"create","address":"role","id":"websocket-role","seconds":0.24,"status":"done","type":"step"}
    {"action":"update","address":"queue","reason":"the queue has no attributes yet","status":"waiting","type":"step"}
    {"action":"update","address":"queue","id":"https://sqs/q","seconds":0.24,"status":"done","type":"step"}
    {"action":"delete","address":"old","id":"o1","seconds":0.24,"status":"done","type":"step"}
    {"action":"delete","address":"api","id":"a1","seconds":0.24,"status":"done","type":"step"}
    {"action":"create","address":"api","status":"begun","type":"step"}
    {"action":"create","address":"api","id":"a2","seconds":0.24,"status":"done","type":"step"}
    {"action":"create","address":"worker","status":"begun","type":"step"}
    {"action":"create","address":"worker","reason":"the role cannot be assumed yet","status":"waiting","type":"step"}
    {"action":"create","address":"worker","error":{"call":"lambda:CreateFunction","code":"InvalidParameterValueException","message":"lambda:CreateFunction returned InvalidParameterValueException: The value (secret) is not allowed\u001b[2J (request 5f2a)","request_id":"5f2a","status":400},"next":"Fix the cause, then run the command again; what is done stays done.","now":"Nothing was created.","status":"failed","type":"step"}
    {"action":"create","address":"mapping","because":"worker","status":"skipped","type":"step"}
    {"action":"create","address":"alarm","because":"mapping","status":"skipped","type":"step"}
    {"action":"create","address":"late","status":"begun","type":"step"}
    {"running":0,"type":"interrupted"}
    {"action":"create","address":"late","now":"late was not created.","status":"interrupted","type":"step"}
    {"created":1,"deleted":1,"failed":1,"interrupted":true,"replaced":1,"seconds":1.234,"skipped":2,"type":"summary","updated":1}
    "#);
}

/// A terminal that keeps what is written to it.
#[derive(Debug, Clone, Default)]
struct Screen(Shared);

impl TermLike for Screen {
    fn width(&self) -> u16 {
        60
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(&format!("{text}\n"))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.clone().write_all(text.as_bytes())
    }
    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\n")
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn on_screen() -> (terminal::Terminal, Screen, Shared) {
    let (screen, out) = (Screen::default(), Shared::default());
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
    let style = Style {
        width: 60,
        ..Style::default()
    };
    let reporter = terminal::Terminal::new(target, Box::new(out.clone()), style, secrets());
    (reporter, screen, out)
}

#[test]
fn a_terminal_shows_what_runs_and_what_is_done() {
    let (mut reporter, screen, out) = on_screen();
    let start = Instant::now();
    reporter.event_at(&started(3, 2), start);
    reporter.event_at(&step_started("queue", Doing::Creating), start);
    reporter.event_at(&step_started("role", Doing::Creating), start);
    let reason = "the role cannot be assumed yet, which takes a while as a rule";
    reporter.event_at(&waiting("role", reason), start);
    reporter.event_at(&done("queue", Doing::Creating, "q1"), start);
    reporter.tick_at(start + Duration::from_secs(3));
    // A finished step is its text and a line end, so that it stays a line when it is copied.
    assert_eq!(out.text(), "queue: created in 0.2 s (q1)\n");
    let text = screen.0.text();
    assert!(
        text.contains("role: creating, 3 s (the role cannot be assumed yet"),
        "{text}"
    );
    assert!(text.contains("1/3 done, 1 running, 3 s"), "{text}");
    // Each live line starts with the spinner and is filled up to the terminal's width.
    let widest = text
        .split(['⠁', '\n'])
        .map(|line| line.chars().count())
        .max();
    assert!(widest <= Some(60), "{text}");
    reporter.event_at(&done("role", Doing::Creating, "r1"), start);
    reporter.finish(TOOK);
    assert!(!screen.0.text().contains("created in"));
    assert_eq!(
        out.text(),
        "queue: created in 0.2 s (q1)\nrole: created in 0.2 s (r1)\n\
         Applied: 2 created, 0 updated, 0 replaced, 0 deleted in 1.2 s.\n"
    );
}

/// The clock of a run is that of the machine.
#[test]
fn a_terminal_draws_at_each_tick() {
    let (mut reporter, screen, _) = on_screen();
    let Some(before) = Instant::now().checked_sub(Duration::from_secs(5)) else {
        return;
    };
    reporter.event_at(&step_started("queue", Doing::Creating), before);
    Reporter::tick(&mut reporter);
    let text = screen.0.text();
    assert!(text.contains("queue: creating, 5 s"), "{text}");
}

/// What a step waits for is said once a step, at the same address too.
#[test]
fn a_second_step_says_again_what_it_waits_for() {
    let out = Shared::default();
    let mut reporter = plain(Box::new(out.clone()), Style::default(), secrets());
    for doing in [Doing::Creating, Doing::Deleting] {
        reporter.event(&step_started("queue", doing));
        reporter.event(&waiting("queue", "the queue is busy (now one)"));
        reporter.event(&waiting("queue", "the queue is busy (now two)"));
        reporter.event(&done("queue", doing, "q1"));
    }
    let text = out.text();
    assert_eq!(
        text.matches("waiting: the queue is busy").count(),
        2,
        "{text}"
    );
}

#[test]
fn the_live_lines_are_few_and_short_steps_have_none() {
    let (mut reporter, screen, _) = on_screen();
    let start = Instant::now();
    for n in 0..50 {
        reporter.event_at(&step_started(&format!("slow{n}"), Doing::Creating), start);
    }
    reporter.tick_at(start + Duration::from_millis(100));
    assert!(!screen.0.text().contains("slow"), "{}", screen.0.text());
    reporter.tick_at(start + Duration::from_secs(1));
    let text = screen.0.text();
    let shown = (0..50)
        .filter(|n| text.contains(&format!("slow{n}: ")))
        .count();
    assert_eq!(shown, 8, "{text}");
    assert!(text.contains("0/0 done, 50 running, 1 s"), "{text}");
}

#[tokio::test]
async fn events_are_followed_to_the_last() {
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    run()
        .into_iter()
        .for_each(|event| sender.send(event).unwrap());
    drop(sender);
    let out = Shared::default();
    let mut reporter = plain(Box::new(out.clone()), Style::default(), Secrets::default());
    follow(&mut events, reporter.as_mut()).await;
    assert_eq!(reporter.finish(TOOK).failed, 1);
}

#[test]
fn the_end_of_a_deletion_says_destroyed() {
    for (failure, expected) in [
        (false, "Destroyed: 2 resources.\n"),
        (
            true,
            "Destroy failed: 2 deleted in 1.2 s. 1 failed, 0 skipped.\n",
        ),
    ] {
        let out = Shared::default();
        let mut reporter = plain(Box::new(out.clone()), Style::default(), Secrets::default());
        reporter.event(&Event::Started {
            steps: 2,
            depth: 1,
            destroys: true,
        });
        reporter.event(&done("a", Doing::Deleting, ""));
        reporter.event(&done("b", Doing::Deleting, ""));
        if failure {
            reporter.event(&Event::Failed {
                address: "c".to_owned(),
                doing: Doing::Deleting,
                error: Error::failed("no"),
                now: "c is still in the state.".to_owned(),
                created: false,
            });
        }
        reporter.finish(TOOK);
        assert!(out.text().ends_with(expected), "{}", out.text());
    }
}
