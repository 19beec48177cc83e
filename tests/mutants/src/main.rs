//! The mutation run: small defects behind a run-time switch, all built at once, each met by the
//! tests that reach it. See CONTRIBUTING.md.

mod areas;
mod compile;
mod draw;
mod edit;
mod equivalent;
mod hunt;
mod places;
mod process;
mod table;
mod trace;
mod tree;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Parser;
use draw::Mutant;
use equivalent::Equivalents;
use hunt::{Hits, Hunt, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use table::Row;
use trace::{Stage, Trace};
use tree::Tree;

/// Draws small defects, builds all of them behind a run-time switch, and counts those that no test
/// notices.
#[derive(Parser)]
struct Args {
    /// Which mutants are drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many, over all areas; each gets the same share.
    #[arg(long, default_value_t = 300)]
    count: usize,
    /// Only areas whose name has this in it.
    #[arg(long)]
    area: Vec<String>,
    /// Only files whose path has this in it.
    #[arg(long)]
    only: Vec<String>,
    /// How many mutants are tried at a time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// How many seconds of tests one mutant may cost.
    #[arg(long, default_value_t = 300)]
    budget: u64,
    /// A test that takes longer is left out, in seconds.
    #[arg(long, default_value_t = 150)]
    slow: u64,
    /// Goes on with the run that was interrupted: same mutants, same build.
    #[arg(long)]
    resume: bool,
    /// Goes on with the tests as they are now: what survived is tried again, and new tests are
    /// traced. Tests beside a mutant, in its own file, stay as they were.
    #[arg(long, requires = "resume")]
    renew: bool,
    /// Prints the mutants that would be tried, and ends.
    #[arg(long)]
    list: bool,
    /// Prints the places that no test reaches, and ends.
    #[arg(long)]
    unreached: bool,
    /// Writes the table into docs/reliability.md.
    #[arg(long)]
    write: bool,
    /// Where the copy, the build and the results are kept.
    #[arg(long, default_value = "target/mutants")]
    scratch: PathBuf,
}

impl Args {
    fn wants(&self, area: &str) -> bool {
        self.area.is_empty() || self.area.iter().any(|part| area.contains(part.as_str()))
    }
}

/// What a run needs to go on.
#[derive(Serialize, Deserialize)]
struct Begun {
    mutants: Vec<Mutant>,
    tests: Vec<PathBuf>,
    program: PathBuf,
    /// None where the run was interrupted before the tests were traced.
    trace: Option<Trace>,
}

/// A run whose tests are traced.
struct Run {
    mutants: Vec<Mutant>,
    tests: Vec<PathBuf>,
    program: PathBuf,
    trace: Trace,
}

/// One line of the results.
#[derive(Serialize, Deserialize)]
struct Line {
    number: usize,
    verdict: Verdict,
}

/// Seconds of the first look at every mutant: most are caught in them.
const FIRST_LOOK: u64 = 8;
const PAGE: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- mutants -->\n";
const END: &str = "<!-- end of mutants -->\n";

fn main() -> Result<()> {
    let args = Args::parse();
    let project = std::env::current_dir()?;
    fs::create_dir_all(&args.scratch)?;
    let scratch = args.scratch.canonicalize()?;
    let kept = scratch.join("begun.json");
    let mut begun = if args.resume {
        let text = fs::read_to_string(&kept)
            .context("no run to go on with: run without --resume first")?;
        let mut begun: Begun = serde_json::from_str(&text)?;
        if args.renew {
            renew(&project, &scratch, &mut begun)?;
            fs::write(&kept, serde_json::to_string(&begun)?)?;
        }
        begun
    } else {
        let Some(begun) = begin(&args, &project, &scratch)? else {
            return Ok(());
        };
        learn(&scratch)?;
        fs::write(&kept, serde_json::to_string(&begun)?)?;
        let _ = fs::remove_file(scratch.join("results.jsonl"));
        let _ = fs::remove_file(scratch.join("trace.jsonl"));
        begun
    };
    let trace = match begun.trace.take() {
        Some(trace) => trace,
        None => {
            let trace = traced(&args, &scratch, &begun)?;
            begun.trace = Some(trace);
            fs::write(&kept, serde_json::to_string(&begun)?)?;
            begun.trace.take().unwrap_or_default()
        }
    };
    let begun = Run {
        mutants: begun.mutants,
        tests: begun.tests,
        program: begun.program,
        trace,
    };
    for left_out in &begun.trace.left_out {
        eprintln!("left out: {left_out}");
    }
    if args.unreached {
        unreached(&begun);
        return Ok(());
    }
    let verdicts = hunt_all(&args, &project, &scratch, &begun)?;
    let rows = rows(&begun, &verdicts);
    let table = table::table(&rows);
    println!("{table}");
    let left_out = begun.trace.left_out.len();
    println!(
        "{} tests; {left_out} left out. Survivors: {}/survivors-*.md",
        begun.trace.tests.len(),
        scratch.display()
    );
    if args.write {
        write(&args, &project, &table)?;
    }
    Ok(())
}

/// Draws, builds and traces; nothing where only the list was asked for.
fn begin(args: &Args, project: &Path, scratch: &Path) -> Result<Option<Begun>> {
    eprintln!("copying the work tree");
    let tree = Tree::copy(project, scratch.join("tree"), &args.only)?;
    // Many are no Rust: twice as many, and the first of them that are.
    let mut drawn = draw::draw(&tree.sources, args.seed, args.count * 2);
    drawn.retain(|area, _| args.wants(area));
    ensure!(
        !drawn.is_empty(),
        "no area of that name has a place for a mutant"
    );
    let share = args.count.div_ceil(drawn.len());
    let candidates: Vec<Mutant> = drawn
        .into_values()
        .flat_map(|of_area| of_area.into_iter().take(share * 2))
        .collect();
    if args.list {
        for mutant in &candidates {
            println!(
                "{}:{} {}: {} -> {}",
                mutant.file, mutant.line, mutant.operator, mutant.before, mutant.after
            );
        }
        return Ok(None);
    }
    let target = scratch.join("target");
    eprintln!("checking {} mutants", candidates.len());
    let compiling = compile::check(&tree, candidates, &target)?;
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut mutants = compiling;
    mutants.retain(|mutant| {
        let of_area = taken.entry(mutant.area.clone()).or_default();
        *of_area += 1;
        *of_area <= share
    });
    mutants.truncate(args.count);
    eprintln!("building {} mutants", mutants.len());
    let (mutants, built) = compile::build(&tree, mutants, &target)?;
    Ok(Some(Begun {
        mutants,
        tests: built.tests,
        program: built.program,
        trace: None,
    }))
}

/// Builds the tests as they are now. Those that are new are traced next.
fn renew(project: &Path, scratch: &Path, begun: &mut Begun) -> Result<()> {
    eprintln!("building the tests");
    let tree = scratch.join("tree");
    tree::renew_tests(project, &tree, &begun.mutants)?;
    let built = compile::rebuild(&tree, &scratch.join("target"))?;
    (begun.tests, begun.program) = (built.tests, built.program);
    begun.trace = None;
    Ok(())
}

fn traced(args: &Args, scratch: &Path, begun: &Begun) -> Result<Trace> {
    let built = compile::Built {
        tests: begun.tests.clone(),
        program: begun.program.clone(),
    };
    let stage = stage(&scratch.join("tree"), built)?;
    eprintln!("tracing the tests");
    let trace = trace::trace(
        &stage,
        Duration::from_secs(args.slow),
        &scratch.join("trace.jsonl"),
    )?;
    let _ = fs::remove_dir_all(&stage.scratch);
    ensure!(!trace.tests.is_empty(), "no test passes without a mutant");
    Ok(trace)
}

fn stage(tree: &Path, built: compile::Built) -> Result<Stage> {
    let name = format!("stackctl-mutants-{}", std::process::id());
    let scratch = std::env::temp_dir().join(name);
    fs::create_dir_all(&scratch)?;
    Ok(Stage {
        tree: tree.to_owned(),
        built,
        scratch,
    })
}

/// Prints each place once: several mutants may stand in it.
fn unreached(begun: &Run) {
    let tests = &begun.trace.tests;
    let reached = |number: usize| tests.iter().any(|test| test.reaches.contains(&number));
    let places: BTreeSet<(&str, usize)> = begun
        .mutants
        .iter()
        .enumerate()
        .filter(|(number, _)| !reached(*number))
        .map(|(_, mutant)| (mutant.file.as_str(), mutant.line))
        .collect();
    for (file, line) in &places {
        println!("{file}:{line}");
    }
    let all = begun.mutants.len();
    println!(
        "{} places of {all} mutants are reached by none of {} tests",
        places.len(),
        tests.len()
    );
}

/// What an earlier run caught, by [`Mutant::key`], and the test that did: it is asked first.
type Killers = BTreeMap<String, String>;

/// Adds what the last run caught to what is known from earlier ones.
fn learn(scratch: &Path) -> Result<()> {
    let Ok(begun) = fs::read_to_string(scratch.join("begun.json")) else {
        return Ok(());
    };
    let begun: Begun = serde_json::from_str(&begun)?;
    let mut killers = killers(scratch)?;
    for line in fs::read_to_string(scratch.join("results.jsonl"))
        .unwrap_or_default()
        .lines()
    {
        let Line { number, verdict } = serde_json::from_str(line)?;
        if let Verdict::Caught { by, .. } = verdict {
            killers.insert(begun.mutants[number].key(), by);
        }
    }
    fs::write(
        scratch.join("killers.json"),
        serde_json::to_string(&killers)?,
    )?;
    Ok(())
}

fn killers(scratch: &Path) -> Result<Killers> {
    match fs::read_to_string(scratch.join("killers.json")) {
        Ok(text) => Ok(serde_json::from_str(&text)?),
        Err(_) => Ok(Killers::new()),
    }
}

fn hunt_all(
    args: &Args,
    project: &Path,
    scratch: &Path,
    begun: &Run,
) -> Result<BTreeMap<usize, Verdict>> {
    let areas = areas::names().filter(|area| args.wants(area)).count();
    let share = args.count.div_ceil(areas.max(1));
    let mut nth: BTreeMap<&str, usize> = BTreeMap::new();
    let drawn: Vec<usize> = (0..begun.mutants.len())
        .filter(|number| {
            let nth = nth.entry(&begun.mutants[*number].area).or_default();
            *nth += 1;
            *nth <= share
        })
        .collect();
    let equivalents = Equivalents::read(&project.join("tests/mutants/equivalent.toml"))?;
    let path = scratch.join("results.jsonl");
    let mut verdicts = BTreeMap::new();
    for line in fs::read_to_string(&path).unwrap_or_default().lines() {
        let line: Line = serde_json::from_str(line)?;
        // What was not settled is tried again: there may be more time now.
        let settled = match line.verdict {
            Verdict::Caught { .. } => true,
            Verdict::Survived => !args.renew,
            _ => false,
        };
        if settled {
            verdicts.insert(line.number, line.verdict);
        }
    }
    verdicts.retain(|number, _| drawn.contains(number));
    for number in &drawn {
        if let Some(reason) = equivalents.reason(&begun.mutants[*number]) {
            let reason = reason.to_owned();
            verdicts.insert(*number, Verdict::Equivalent { reason });
        }
    }
    let built = compile::Built {
        tests: begun.tests.clone(),
        program: begun.program.clone(),
    };
    let stage = stage(&scratch.join("tree"), built)?;
    let breadth = trace::breadth(&begun.trace);
    let killers = killers(scratch)?;
    let mut hunts: Vec<Hunt> = drawn
        .into_iter()
        .filter(|number| !verdicts.contains_key(number))
        .filter(|number| args.wants(&begun.mutants[*number].area))
        .map(|number| {
            let killer = killers.get(&begun.mutants[number].key());
            Hunt::new(number, &begun.mutants[number].file, &begun.trace).first(&begun.trace, killer)
        })
        .collect();
    // One of each area in turn, so that every area is known about early.
    let mut nth: BTreeMap<&str, usize> = BTreeMap::new();
    hunts.sort_by_cached_key(|hunt| {
        let nth = nth.entry(&begun.mutants[hunt.number].area).or_default();
        *nth += 1;
        *nth
    });
    let results = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)?;
    let shared = Mutex::new(Shared {
        verdicts,
        results,
        hits: Hits::new(),
    });
    for seconds in [FIRST_LOOK.min(args.budget), args.budget] {
        eprintln!("{} mutants, up to {seconds} s each", hunts.len());
        hunts.reverse();
        let waiting = Mutex::new(std::mem::take(&mut hunts));
        let left = Mutex::new(Vec::new());
        let work = || -> Result<()> {
            let next = || waiting.lock().ok()?.pop();
            while let Some(mut hunt) = next() {
                let hits = lock(&shared)?.hits.clone();
                let budget = Duration::from_secs(seconds);
                let verdict = hunt.run(&stage, &begun.trace, &breadth, &hits, budget)?;
                let settled = lock(&shared)?.note(scratch, begun, hunt.number, verdict)?;
                if !settled {
                    lock(&left)?.push(hunt);
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| -> Result<()> {
            let started: Vec<_> = (0..args.jobs.max(1)).map(|_| scope.spawn(work)).collect();
            for thread in started {
                thread
                    .join()
                    .map_err(|_| anyhow!("a thread of the run failed"))??;
            }
            Ok(())
        })?;
        hunts = left
            .into_inner()
            .map_err(|_| anyhow!("a thread of the run failed"))?;
    }
    let _ = fs::remove_dir_all(&stage.scratch);
    let shared = shared.into_inner();
    Ok(shared
        .map_err(|_| anyhow!("a thread of the run failed"))?
        .verdicts)
}

fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>> {
    mutex
        .lock()
        .map_err(|_| anyhow!("a thread of the run failed"))
}

/// What the threads of a run know together.
struct Shared {
    verdicts: BTreeMap<usize, Verdict>,
    results: fs::File,
    hits: Hits,
}

impl Shared {
    /// Keeps a verdict, and says whether it is one.
    fn note(
        &mut self,
        scratch: &Path,
        begun: &Run,
        number: usize,
        verdict: Verdict,
    ) -> Result<bool> {
        let settled = !matches!(verdict, Verdict::Unsettled { .. });
        if settled {
            let mutant = &begun.mutants[number];
            eprintln!(
                "  {}:{} {}: {verdict:?}",
                mutant.file, mutant.line, mutant.operator
            );
            let line = Line {
                number,
                verdict: verdict.clone(),
            };
            writeln!(self.results, "{}", serde_json::to_string(&line)?)?;
        }
        if let Verdict::Caught { by, .. } = &verdict {
            let test = begun.trace.tests.iter().position(|test| test.name == *by);
            *self.hits.entry(test.unwrap_or(0)).or_default() += 1;
        }
        self.verdicts.insert(number, verdict);
        report(scratch, begun, &self.verdicts)?;
        Ok(settled)
    }
}

fn rows<'a>(begun: &'a Run, verdicts: &'a BTreeMap<usize, Verdict>) -> Vec<Row<'a>> {
    verdicts
        .iter()
        .map(|(number, verdict)| Row {
            mutant: &begun.mutants[*number],
            verdict,
            reaching: Hunt::new(*number, "", &begun.trace).reaching,
        })
        .collect()
}

/// Writes the survivors of each area, and the table, into the scratch folder.
fn report(scratch: &Path, begun: &Run, verdicts: &BTreeMap<usize, Verdict>) -> Result<()> {
    let rows = rows(begun, verdicts);
    for area in areas::names() {
        let name: String = area
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .collect();
        let name = name.replace("--", "-").to_lowercase();
        let text = table::survivors(&rows, &begun.trace, area);
        fs::write(scratch.join(format!("survivors-{name}.md")), text)?;
    }
    fs::write(scratch.join("table.md"), table::table(&rows))?;
    Ok(())
}

/// Puts the table into the page, with the day, the commit and how to get the same mutants again.
fn write(args: &Args, project: &Path, table: &str) -> Result<()> {
    let said = |program: &str, args: &[&str]| -> Result<String> {
        let output = Command::new(program)
            .args(args)
            .current_dir(project)
            .output()?;
        ensure!(output.status.success(), "{program} failed");
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let commit = said("git", &["rev-parse", "--short", "HEAD"])?;
    let day = said("date", &["-u", "+%F"])?;
    let path = project.join(PAGE);
    let page = fs::read_to_string(&path)?;
    let (before, rest) = page
        .split_once(BEGIN)
        .context("the page has no place for the table")?;
    let (_, after) = rest
        .split_once(END)
        .context("the place for the table has no end")?;
    let head = format!(
        "{day}, commit {commit}: `.ci/mutants --seed {} --count {}`\n\n",
        args.seed, args.count
    );
    fs::write(&path, format!("{before}{BEGIN}{head}{table}{END}{after}"))?;
    Ok(())
}
