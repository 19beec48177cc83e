//! What a run tells as created is durable before it is told: `apply` is killed (SIGKILL) at
//! random moments, and all that it printed is in the state after the next command, with the
//! same id. The stacks of local types run without a region, credentials or a cloud, before the
//! kill and after it.
//!
//! `STACKCTL_TOLD_KILLS=2000` kills more often, `STACKCTL_SEED=n` at other moments.

use crate::support::{Project, all, in_parallel};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Resources in a stack of local types.
const RESOURCES: usize = 300;

/// How many kills: of stacks of local types, and of AWS types on the local cloud.
fn kills() -> (usize, usize) {
    let wanted = std::env::var("STACKCTL_TOLD_KILLS").ok();
    let local = wanted
        .and_then(|text| text.parse().ok())
        .unwrap_or(if all() { 200 } else { 60 });
    (local, local / 5)
}

fn seed() -> u64 {
    let seed = std::env::var("STACKCTL_SEED").ok();
    seed.and_then(|text| text.parse().ok()).unwrap_or(11)
}

/// Three hundred strings, a third of which wait for another third.
fn local() -> Project {
    let mut project = Project::new();
    project.flags.clear();
    let third: Vec<String> = (0..RESOURCES / 3).map(|n| format!("k{n:03}")).collect();
    let string = |properties: Value| {
        json!({
            "type": "random:RandomString",
            "options": {"forEach": third},
            "properties": properties,
        })
    };
    let stack = json!({
        "name": "told",
        "resources": {
            "first": string(json!({"length": 16})),
            "second": string(json!({"length": 12, "keepers": {"of": "${first[each.key].id}"}})),
            "third": string(json!({"length": 20})),
        },
    });
    project.write("stacks/told.yaml", stack.to_string());
    project
}

/// Objects on the local cloud, some of them with names that are drawn.
fn remote() -> Project {
    let project = Project::new();
    let keys: Vec<String> = (0..8).map(|n| format!("k{n}")).collect();
    let each = |type_name: &str, properties: Value| json!({"type": type_name, "options": {"forEach": keys}, "properties": properties});
    let stack = json!({
        "name": "told",
        "providers": {"aws": {"region": "us-west-2"}},
        "resources": {
            "suffix": each("random:RandomString", json!({"length": 6, "special": false, "upper": false})),
            "queue": each("aws:sqs:Queue", json!({"name": "q-${suffix[each.key].result}"})),
            "log": each("aws:cloudwatch:LogGroup", json!({"retentionInDays": 7})),
            "bucket": each("aws:s3:Bucket", json!({"forceDestroy": true})),
            "object": each("aws:s3:BucketObject", json!({
                "bucket": "${bucket[each.key].bucket}", "key": "a", "content": "${queue[each.key].arn}",
            })),
        },
    });
    project.write("stacks/told.yaml", stack.to_string());
    project
}

/// When a run is killed.
#[derive(Debug)]
enum Moment {
    /// So long after its start.
    After(Duration),
    /// Once it has printed so many lines.
    Lines(usize),
}

/// Runs an apply that is killed, and returns the ids of what it said it created.
fn killed(project: &Project, moment: &Moment) -> BTreeMap<String, String> {
    let mut child = project
        .command(&["apply", "--yes", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = Vec::new();
    std::thread::scope(|scope| {
        let (tell, told) = std::sync::mpsc::channel();
        scope.spawn(move || {
            for line in out.lines() {
                // The last line may be cut off in the middle of a character.
                let Ok(line) = line else { break };
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        let started = Instant::now();
        match moment {
            Moment::After(pause) => std::thread::sleep(*pause),
            Moment::Lines(count) => {
                while lines.len() < *count && started.elapsed() < Duration::from_secs(60) {
                    let Ok(line) = told.recv() else { break };
                    lines.push(line);
                }
            }
        }
        // A run that has ended by now had told all of it.
        let _ = child.kill();
        child.wait().unwrap();
        lines.extend(told);
    });
    let events = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let created = events.filter(|event| event["status"] == "done" && event["action"] == "create");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    created
        .map(|event| (text(&event["address"]), text(&event["id"])))
        .collect()
}

#[derive(Default)]
struct Count {
    tried: AtomicUsize,
    kept: AtomicUsize,
    told: AtomicUsize,
    told_and_kept: AtomicUsize,
}

impl Count {
    /// One kill, and the command after it.
    fn case(&self, project: &Project, moment: &Moment, plan_first: bool) {
        let told = killed(project, moment);
        self.tried.fetch_add(1, Ordering::Relaxed);
        self.told.fetch_add(told.len(), Ordering::Relaxed);
        if plan_first {
            project.run(&["plan"]).expect(0);
        }
        project.run(&["apply", "--yes"]).expect(0);
        let state = project.state();
        let is_kept = |(address, id): &(&String, &String)| {
            state["resources"][address.as_str()]["id"] == id.as_str()
        };
        let kept = told.iter().filter(is_kept).count();
        self.told_and_kept.fetch_add(kept, Ordering::Relaxed);
        let lost: Vec<_> = told.iter().filter(|one| !is_kept(one)).collect();
        assert!(
            lost.is_empty(),
            "{moment:?}: {} of {} lost, {lost:?}",
            lost.len(),
            told.len()
        );
        self.kept.fetch_add(1, Ordering::Relaxed);
    }

    fn print(&self) {
        let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        println!(
            "reliability: kills of what was told {} tried {} kept",
            of(&self.tried),
            of(&self.kept)
        );
        // How many these are depends on the machine's speed, so they are no count of the page.
        println!(
            "resources told as created before a kill: {}, kept: {}",
            of(&self.told),
            of(&self.told_and_kept)
        );
    }
}

/// Kills so many runs of new copies of a project.
fn kill(new: fn() -> Project, kills: usize, seed: u64) {
    let whole = new();
    let started = Instant::now();
    let ended = whole.run(&["apply", "--yes", "--json"]).expect(0);
    let (took, printed) = (started.elapsed(), ended.stdout.lines().count());
    let mut random = StdRng::seed_from_u64(seed);
    let moments = (0..kills).map(|number| {
        let moment = match number % 3 {
            0 => Moment::After(took.mul_f64(random.random_range(0.0..1.0))),
            _ => Moment::Lines(random.random_range(1..=printed)),
        };
        (number, moment)
    });
    let count = Count::default();
    let all = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        in_parallel(moments.collect(), |(number, moment)| {
            count.case(&new(), &moment, number % 4 == 0);
        });
    }));
    count.print();
    if let Err(panic) = all {
        std::panic::resume_unwind(panic);
    }
    assert!(
        count.told.into_inner() > kills * 5,
        "too little was told before the kills"
    );
}

#[test]
fn what_local_types_told_is_kept_without_aws() {
    kill(local, kills().0, seed());
}

#[test]
fn what_was_told_on_the_local_cloud_is_kept() {
    kill(remote, kills().1, seed() + 1);
}

/// Every command works after a kill in the middle of a stack of local types, with no region,
/// no credentials and no network.
#[test]
fn a_stack_of_local_types_never_needs_aws() {
    for command in [
        &["plan"][..],
        &["drift"],
        &["refresh", "--yes"],
        &["state", "list"],
        &["state", "rebuild", "--yes"],
        &["outputs"],
        &["apply", "--yes"],
        &["destroy", "--yes"],
    ] {
        let mut open = false;
        let all = all();
        let moments = [40, 2, 160, 250].into_iter();
        for lines in moments.take(if all { 4 } else { 1 }) {
            let mut project = local();
            // Whoever called would fail.
            project.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
            killed(&project, &Moment::Lines(lines));
            open |= project.dir().join("state/told.journal").exists();
            let ended = project.run(command);
            assert_eq!(ended.code, Some(0), "{command:?}:\n{}", ended.stderr);
            project.run(&["apply", "--yes"]).expect(0);
            project.expect_no_changes();
        }
        assert!(open, "no kill left a journal");
    }
}

#[test]
fn steps_of_local_types_are_recovered_before_a_stack_needs_aws() {
    let mut project = local();
    let mut stack: Value = serde_json::from_str(&project.read("stacks/told.yaml")).unwrap();
    stack["providers"] = json!({"aws": {"region": "us-west-2"}});
    stack["resources"]["queue"] = json!({
        "type": "aws:sqs:Queue",
        "options": {"dependsOn": ["first", "second", "third"]},
        "properties": {"name": "q"},
    });
    project.write("stacks/told.yaml", stack.to_string());
    project.flags.push("--local".to_owned());
    let told = killed(&project, &Moment::Lines(60));
    let journal = project.dir().join("state/told.journal");
    assert!(journal.exists() && !told.is_empty());
    // Without credentials the stack cannot be planned, and what was created is kept all the same.
    project.flags.clear();
    let ended = project.run(&["apply", "--yes"]).expect(1);
    assert!(ended.stderr.contains("credentials"), "{}", ended.stderr);
    assert!(!journal.exists(), "nothing was recovered");
    let state = project.state();
    for (address, id) in &told {
        assert_eq!(state["resources"][address]["id"], id.as_str(), "{address}");
    }
    project.flags.push("--local".to_owned());
    project.run(&["apply", "--yes"]).expect(0);
    project.expect_no_changes();
}
