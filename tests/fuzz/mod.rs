//! Random stacks, changes, faults, kills and drift, against the local cloud in process. Four
//! things hold whatever happens: no orphan (every object is in the state, or is somebody
//! else's), no phantom (what the state has exists), no duplicate, and converged (a run that is
//! let be brings the file about, and the plan after it is empty).
//!
//! `STACKCTL_FUZZ_CASES` says how many cases, `STACKCTL_FUZZ_SEED` draws others. A failure
//! prints its case as JSON, made as small as it fails; `STACKCTL_FUZZ_CASE=…` runs just that.

mod blind;
mod defects;
mod driver;
mod invariants;
mod scenario;

use driver::{Defect, Ended, Place};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use scenario::{Scenario, Version};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cases that a run of the tests goes through by default; `.ci/run` asks for more.
const CASES: usize = 500;

/// Cases that wait for time to pass leave the processor to others.
const WORKERS: usize = 24;

/// What was tried.
#[derive(Default)]
struct Counts {
    runs: AtomicUsize,
    cases: Count,
    kills: Count,
    full: Count,
}

/// What was tried, and what of it held: a kill does where the case that it is in ends right.
#[derive(Default)]
struct Count {
    tried: AtomicUsize,
    held: AtomicUsize,
}

impl Count {
    fn print(&self, kind: &str, verb: &str) {
        let [tried, held] = [&self.tried, &self.held].map(|it| it.load(Ordering::Relaxed));
        println!("reliability: {kind} {tried} tried {held} {verb}");
    }
}

/// Goes through a case.
///
/// # Errors
/// The invariant that does not hold.
fn holds(case: &Scenario, defect: Option<Defect>, counts: &Counts) -> Result<(), String> {
    let mut place = Place::new(defect);
    let mut struck = vec![&counts.cases];
    counts.cases.tried.fetch_add(1, Ordering::Relaxed);
    for (at, version) in case.versions.iter().enumerate() {
        counts.runs.fetch_add(1, Ordering::Relaxed);
        let ended = place
            .run(version, version.destroy, version.trouble.faults())
            .map_err(|why| format!("version {at}: {why}"))?;
        let count = match ended {
            Ended::Killed => Some(&counts.kills),
            Ended::DiskFull => Some(&counts.full),
            Ended::Whole => None,
        };
        if let Some(count) = count {
            count.tried.fetch_add(1, Ordering::Relaxed);
            struck.push(count);
        }
        if let Some(outside) = version.outside {
            outside.happens(&mut place);
        }
    }
    let Some(last) = case.versions.last() else {
        return Ok(());
    };
    converges(&mut place, last, false).map_err(|why| format!("at the end: {why}"))?;
    converges(&mut place, last, true).map_err(|why| format!("destroy: {why}"))?;
    for count in struck {
        count.held.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Lets a version be applied, or destroyed, undisturbed.
fn converges(place: &mut Place, version: &Version, destroy: bool) -> Result<(), String> {
    place.run(version, destroy, Vec::new())?;
    let (state, planned) = place.look(version, destroy)?;
    invariants::at_the_end(place, &state)?;
    let plan = &planned.plan;
    if !plan.is_empty() || !plan.steps.is_empty() {
        return Err(format!("the plan is not empty: {:?}", plan.changes));
    }
    if destroy && !state.is_empty() {
        return Err(format!("objects are left: {:?}", state.resources));
    }
    Ok(())
}

impl scenario::Outside {
    /// Somebody changes or removes one of the stack's objects.
    fn happens(self, place: &mut Place) {
        let cloud = place.cloud(Vec::new());
        let entries = cloud.resources().unwrap().into_iter();
        let ours = entries.filter(|entry| {
            let kind = format!("{} {}", entry.service, entry.kind);
            let kinds = ["sqs queue", "logs group", "s3 object", "apigateway stage"];
            !place.foreign.contains_key(&entry.key) && kinds.contains(&kind.as_str())
        });
        let ours: Vec<_> = ours.collect();
        if ours.is_empty() {
            return;
        }
        let entry = &ours[usize::from(self.which) % ours.len()];
        driver::runtime().block_on(async {
            let aws = driver::clients(&cloud).await;
            match entry.kind.as_str() {
                "queue" if !self.removes => {
                    let url = aws.sqs().get_queue_url().queue_name(&entry.name);
                    let url = url.send().await.unwrap().queue_url.unwrap();
                    let name = aws_sdk_sqs::types::QueueAttributeName::DelaySeconds;
                    let call = aws.sqs().set_queue_attributes().queue_url(url);
                    call.attributes(name, "77").send().await.unwrap();
                }
                "group" if !self.removes => {
                    let call = aws.logs().put_retention_policy().retention_in_days(30);
                    call.log_group_name(&entry.name).send().await.unwrap();
                }
                _ => {
                    cloud.meddle(&entry.key, None).unwrap();
                    place.lost = true;
                }
            }
        });
    }
}

fn number(name: &str) -> Option<usize> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number")),
    )
}

fn runner(seed: &str, cases: usize) -> TestRunner {
    let config = Config {
        cases: cases.try_into().unwrap(),
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    for (byte, of) in bytes.iter_mut().zip(seed.bytes()) {
        *byte = of;
    }
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Draws cases until one does not hold: the smallest like it, and why.
fn search(seed: &str, cases: usize, defect: Option<Defect>, counts: &Counts) -> Option<String> {
    let outcome = runner(seed, cases).run(&scenario::scenario(), |case| {
        // A panic of the engine is a failure like any other, and is made small like one.
        let held = catch_unwind(AssertUnwindSafe(|| holds(&case, defect, counts)));
        let held = held.unwrap_or_else(|_| Err("a panic".to_owned()));
        held.map_err(|why| {
            let json = serde_json::to_string(&case).unwrap();
            TestCaseError::fail(format!("{why}\nSTACKCTL_FUZZ_CASE='{json}'"))
        })
    });
    outcome.err().map(|error| match error {
        TestError::Fail(why, _) => why.to_string(),
        TestError::Abort(why) => why.to_string(),
    })
}

#[test]
fn nothing_is_lost_whatever_happens() {
    if let Ok(text) = std::env::var("STACKCTL_FUZZ_CASE") {
        let case: Scenario = serde_json::from_str(&text).unwrap();
        for version in &case.versions {
            println!("{:#}\n{:?}", version.document(), version.trouble);
        }
        holds(&case, None, &Counts::default()).unwrap();
        return;
    }
    let cases = number("STACKCTL_FUZZ_CASES").unwrap_or(CASES);
    let seed = std::env::var("STACKCTL_FUZZ_SEED").unwrap_or_else(|_| "stackctl".to_owned());
    let counts = Counts::default();
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (seed, counts) = (format!("{worker} {seed}"), &counts);
                scope.spawn(move || search(&seed, cases.div_ceil(WORKERS), None, counts))
            })
            .collect();
        workers
            .into_iter()
            .filter_map(|it| it.join().unwrap())
            .collect()
    });
    assert!(
        failures.is_empty(),
        "seed {seed}:\n{}",
        failures.join("\n\n")
    );
    let tried = counts.cases.tried.load(Ordering::Relaxed);
    assert!(tried >= cases, "only {tried} of {cases} cases were tried");
    counts.cases.print("fuzz cases", "held");
    counts.kills.print("fuzz kills", "converged");
    counts.full.print("fuzz full disks", "converged");
    println!("{} runs", counts.runs.load(Ordering::Relaxed));
}
