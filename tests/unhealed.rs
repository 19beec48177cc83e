//! Faults that do not heal within the run: a call fails for good, with a known effect or an
//! unknown one, and what would find out about it fails too; credentials expire in the middle; the
//! state cannot be written while steps fail. The command after that, without faults, ends with
//! exactly one of everything, and with an empty plan.
//!
//! Each call that changes something, by its name, meets the kind that most depends on and another
//! one in its turn; `STACKCTL_FAULTS=all` has each call meet all of them.

use crate::conformance::{Case, cases, changed};
use crate::faults::CHANGE;
use crate::support::tally::Tally;
use crate::support::{Project, all, census, in_parallel};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A command that changes something, and what it leaves where nothing goes wrong.
struct Scene {
    name: String,
    /// The project before the command.
    before: Project,
    args: Vec<&'static str>,
    /// The calls it makes, by name, in the order of the first of each.
    calls: Vec<String>,
    /// What the cloud holds afterwards.
    census: BTreeMap<String, usize>,
    /// How many resources the state has afterwards.
    resources: usize,
}

const FAULTS: &str = "STACKCTL_LOCAL_FAULTS";
const STRUCK: &str = "STACKCTL_LOCAL_STRUCK";

/// Runs a command with these rules: its exit code and stderr, and the rules that struck with the
/// calls they struck.
fn run(project: &mut Project, args: &[&str], rules: &Value) -> (i32, String, Vec<(usize, String)>) {
    let file = project.home().join("struck");
    let _ = std::fs::remove_file(&file);
    project.env(STRUCK, file.to_str().unwrap());
    project.env(FAULTS, &rules.to_string());
    let ended = project.run(args);
    project.unset(FAULTS).unset(STRUCK);
    let struck = std::fs::read_to_string(&file).unwrap_or_default();
    let struck = struck.lines().map(|line| {
        let (rule, call) = line.split_once(' ').unwrap();
        (rule.parse().unwrap(), call.to_owned())
    });
    let code = ended
        .code
        .unwrap_or_else(|| panic!("{args:?} with {rules} died"));
    (code, ended.stderr, struck.collect())
}

impl Scene {
    /// Runs the command in a copy of the project, which is returned.
    fn of(name: &str, before: Project, args: &[&'static str]) -> (Self, Project) {
        let mut after = before.fork();
        let each = json!([{"call": "*", "what": {"latency": 0}}]);
        let (code, stderr, made) = run(&mut after, args, &each);
        assert_eq!(code, 0, "{name}: {stderr}");
        let mut calls: Vec<String> = Vec::new();
        for (_, call) in made {
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
        let scene = Self {
            name: name.to_owned(),
            before,
            args: args.to_vec(),
            calls,
            census: census(&after),
            resources: after.state()["resources"].as_object().unwrap().len(),
        };
        (scene, after)
    }

    fn writes(&self) -> impl Iterator<Item = &String> {
        self.calls.iter().filter(|call| !is_read(call))
    }
}

fn is_read(call: &str) -> bool {
    let (_, operation) = call.split_once(':').unwrap();
    ["Get", "List", "Head", "Describe"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

/// Rules that have all reads fail, from a call on or from the start.
fn reads_fail(after: Option<&str>, times: Option<u64>) -> Vec<Value> {
    let services = [
        ("apigateway", &["Get"][..]),
        ("iam", &["Get", "List"]),
        ("lambda", &["Get", "List"]),
        ("logs", &["Describe", "List"]),
        ("s3", &["Get", "Head", "List"]),
        ("sqs", &["Get", "List"]),
    ];
    let calls = services
        .into_iter()
        .flat_map(|(service, verbs)| verbs.iter().map(move |verb| format!("{service}:{verb}*")));
    calls
        .map(|call| json!({"call": call, "after": after, "times": times, "what": {"error": 503}}))
        .collect()
}

/// What goes wrong for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The service refuses the call.
    Refused,
    /// The service is away for this call: nothing is done, and the client cannot know.
    Away,
    /// Each reply is lost, and the call takes effect.
    Lost,
    /// One reply is lost, and one look after it fails.
    LostAndOneLook,
    /// One reply is lost, and no look after it comes through.
    LostAndLooks,
    /// The same, in the next run too.
    LostAndNextRun,
    /// One reply is lost, and the credentials expire with it.
    LostAndExpired,
    /// The credentials expire before the call.
    Expired,
    /// The call goes through, and the credentials expire after it.
    ExpiredAfter,
    /// The call is refused, and the state cannot be written from then on.
    Unsaved,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::LostAndLooks,
        Self::Refused,
        Self::ExpiredAfter,
        Self::LostAndExpired,
        Self::LostAndNextRun,
        Self::Away,
        Self::Unsaved,
        Self::Lost,
        Self::Expired,
        Self::LostAndOneLook,
    ];

    fn rules(self, call: &str, turn: usize) -> Vec<Value> {
        let always = |what: Value| vec![json!({"call": call, "what": what})];
        let lost = |more: Vec<Value>| {
            let lost = json!({"call": call, "at": 1, "what": "lostReply"});
            [vec![lost], more].concat()
        };
        let moments = [
            "store:writing",
            "store:synced",
            "store:saving",
            "store:staged",
        ];
        match self {
            Self::Refused => always(json!("refused")),
            Self::Away => always(json!({"error": 503})),
            Self::Lost => always(json!("lostReply")),
            Self::LostAndOneLook => lost(reads_fail(Some(call), Some(1))),
            Self::LostAndLooks | Self::LostAndNextRun => lost(reads_fail(Some(call), None)),
            Self::LostAndExpired => {
                lost(vec![json!({"call": "*", "after": call, "what": "expired"})])
            }
            Self::ExpiredAfter => {
                let mut rules = vec![json!({"call": call, "what": {"latency": 0}})];
                rules.push(json!({"call": "*", "after": call, "what": "expired"}));
                rules
            }
            Self::Expired => {
                let mut rules = always(json!("expired"));
                rules.push(json!({"call": "*", "after": call, "what": "expired"}));
                rules
            }
            Self::Unsaved => {
                let mut rules = always(json!("refused"));
                let moment = moments[turn % moments.len()];
                rules.push(json!({"call": moment, "after": call, "what": {"error": 507}}));
                rules
            }
        }
    }

    /// Whether the run cannot but fail.
    fn fails(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::Away | Self::Expired | Self::Unsaved
        )
    }
}

/// Calls that set what is set already, which the look after them finds out.
const AS_WANTED: &[(&str, Kind)] = &[("s3:PutBucketAcl", Kind::Away)];

/// The kinds that a call meets.
fn kinds(turn: usize) -> Vec<Kind> {
    if all() {
        return Kind::ALL.to_vec();
    }
    let (always, turns) = Kind::ALL.split_at(1);
    [always, &[turns[turn % turns.len()]]].concat()
}

/// What was tried, and how it ended.
struct Count {
    tally: Tally,
    /// Runs that the fault has ended.
    failed: AtomicUsize,
}

impl Count {
    fn case(&self, scene: &Scene, call: &str, kind: Kind, turn: usize) {
        let case = format!("{}, {call}, {kind:?}", scene.name);
        self.tally.offered(&case);
        let mut project = scene.before.fork();
        let rules = json!(kind.rules(call, turn));
        let (code, stderr, struck) = run(&mut project, &scene.args, &rules);
        assert!(
            struck.iter().any(|(rule, _)| *rule == 0),
            "{case} did not strike: {stderr}"
        );
        self.tally.struck(&case);
        let may_succeed = !kind.fails() || AS_WANTED.contains(&(call, kind));
        assert!(code == 1 || code == 0 && may_succeed, "{case}: {stderr}");
        self.failed
            .fetch_add(usize::from(code == 1), Ordering::Relaxed);
        if code == 1 {
            says_what_is_next(&stderr, &case);
        }
        if kind == Kind::LostAndNextRun {
            self.next_run_fails_too(&mut project, scene, code, &case);
        }
        let again = project.run(&scene.args);
        assert_eq!(again.code, Some(0), "{case}, again:\n{}", again.stderr);
        assert_eq!(census(&project), scene.census, "{case}");
        let state = project.state();
        assert_eq!(
            state["resources"].as_object().unwrap().len(),
            scene.resources,
            "{case}"
        );
        assert!(
            state.get("deposed").is_none_or(|it| it == &json!({})),
            "{case}"
        );
        assert!(
            state.get("pending").is_none_or(|it| it == &json!([])),
            "{case}"
        );
        if scene.resources > 0 {
            let plan = [&["plan", "--detailed-exitcode"], &scene.args[2..]].concat();
            let plan = project.run(&plan);
            assert_eq!(plan.code, Some(0), "{case}, plan:\n{}", plan.stdout);
        }
        self.tally.held(&case);
    }

    /// The command after a failed one cannot look either: it changes nothing, and forgets nothing.
    fn next_run_fails_too(&self, project: &mut Project, scene: &Scene, code: i32, case: &str) {
        let before = (census(project), project.state());
        let rules = json!(reads_fail(None, None));
        let (again, stderr, _) = run(project, &scene.args, &rules);
        // A run that had nothing left to do and nothing to read succeeds.
        assert!(again == 1 || code == 0, "{case}, next run: {stderr}");
        if again == 1 && code == 1 {
            says_what_is_next(&stderr, case);
            assert_eq!(
                (census(project), project.state()),
                before,
                "{case}, next run"
            );
        }
    }

    /// Fails unless all struck and all converged, and most of the runs failed.
    fn end(self, tried: usize) {
        let failed = self.failed.into_inner();
        println!("of {tried} runs with a fault that does not heal {failed} failed");
        self.tally.end(tried);
        assert!(failed * 2 > tried, "most of them healed");
    }
}

/// Each error is followed by one next step.
fn says_what_is_next(stderr: &str, case: &str) {
    let (errors, steps) = (
        stderr
            .lines()
            .filter(|line| line.starts_with("error"))
            .count(),
        stderr
            .lines()
            .filter(|line| line.starts_with("  next: "))
            .count(),
    );
    assert!(errors > 0 && errors == steps, "{case}: {stderr}");
}

fn every(scenes: &[Scene]) {
    let count = Count {
        tally: Tally::new("faults that do not heal", "converged"),
        failed: AtomicUsize::new(0),
    };
    let mut met: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut turn = 0;
    let mut tried = Vec::new();
    for scene in scenes {
        // What creates with a call and what updates with it are two things to try.
        let doing = scene.name.split(' ').next().unwrap();
        for call in scene.writes() {
            if met.insert((doing, call)) {
                turn += 1;
                let kinds = kinds(turn).into_iter();
                tried.extend(kinds.map(|kind| (scene, call, kind, turn)));
            }
        }
    }
    let offered = tried.len();
    in_parallel(tried, |(scene, call, kind, turn)| {
        count.case(scene, call, kind, turn);
    });
    count.end(offered);
}

#[test]
fn a_stack_recovers_from_each_call_that_failed_for_good() {
    let apply = ["apply", "--yes"];
    let change = [&apply, CHANGE].concat();
    let (create, applied) = Scene::of("create", Project::websocket(), &apply);
    let (change, _) = Scene::of("change", applied.fork(), &change);
    let (destroy, _) = Scene::of("destroy", applied, &["destroy", "--yes"]);
    every(&[create, change, destroy]);
}

/// What the example of a type does, step by step: its create, and each of its updates.
fn of_type(path: &std::path::Path) -> Vec<Scene> {
    let mut case: Case = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let name = path.file_stem().unwrap().to_string_lossy();
    let mut project = Project::new();
    for (path, text) in &case.files {
        project.write(path, text);
    }
    let write = |project: &Project, case: &Case| {
        let stack = json!({"name": "case", "resources": case.resources, "data": case.data});
        project.write("stacks/case.yaml", stack.to_string());
    };
    write(&project, &case);
    let apply = ["apply", "--yes"];
    let (create, mut applied) = Scene::of(&format!("create {name}"), project, &apply);
    let mut scenes = vec![create];
    for update in case.take_updates() {
        changed(&mut case, update);
        project = applied;
        write(&project, &case);
        let (scene, after) = Scene::of(&format!("update {name}"), project, &apply);
        applied = after;
        scenes.push(scene);
    }
    scenes
}

#[test]
fn every_type_recovers_from_each_call_that_failed_for_good() {
    let remote = cases()
        .into_iter()
        .filter(|(name, _)| name.starts_with("aws:"));
    let scenes = Mutex::new(Vec::new());
    in_parallel(remote.collect(), |(_, path)| {
        scenes.lock().unwrap().extend(of_type(&path));
    });
    let mut scenes = scenes.into_inner().unwrap();
    scenes.sort_by(|one: &Scene, other| one.name.cmp(&other.name));
    every(&scenes);
}
