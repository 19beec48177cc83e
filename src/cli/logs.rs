//! `stackctl logs`: what the stack's functions log, merged by time.

use super::args::GlobalArgs;
use super::args::running::LogsArgs;
use super::error::CliError;
use super::exit::Exit;
use super::place::WORK_DIR;
use super::running::{self, Source};
use super::session::Session;
use super::{clock, interrupt, output, provider, reads};
use crate::report::terminal::{columns, escape_lines};
use crate::report::text::Style;
use crate::resource::aws::Aws;
use crate::resource::aws::cloudwatch::events::{LogEvent, events, time};
use futures_util::future::join_all;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often is looked for new lines: AWS takes about a second to show one, and limits how often it
/// may be asked.
const PAUSE: Duration = Duration::from_secs(2);
/// The same for the local cloud.
const LOCAL_PAUSE: Duration = Duration::from_millis(200);
/// How late a line may show, in milliseconds: so far back is looked each time.
const LATE: i64 = 30_000;

/// A log group that is read, and what is known of it.
struct Reading {
    source: Source,
    aws: Arc<Aws>,
    /// Where reading goes on, in milliseconds since 1970.
    since: i64,
    /// The events that were printed since then.
    seen: BTreeMap<i64, BTreeSet<String>>,
}

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &LogsArgs) -> Result<Exit, CliError> {
    let stack = running::read(global, &args.names, &args.input, &args.cloud).await?;
    let sources = stack.named()?;
    let aws = stack.clients(&args.cloud).await?;
    let now = match args.cloud.local {
        // Its clock may run faster.
        true => provider::local_cloud(Path::new(WORK_DIR))?.0.now(),
        false => clock::now().saturating_mul(1000),
    };
    let back = u64::try_from(args.since.as_millis()).unwrap_or(u64::MAX);
    let since = i64::try_from(now.saturating_sub(back)).unwrap_or(i64::MAX);
    let mut groups = BTreeSet::new();
    // Functions may share a group.
    let sources = sources
        .into_iter()
        .filter(|it| groups.insert(it.group.clone()));
    let mut readings: Vec<Reading> = sources
        .map(|source| Reading {
            aws: running::in_region(&aws, &source),
            source,
            since,
            seen: BTreeMap::new(),
        })
        .collect();
    let lines = Lines::new(global, &readings);
    let pattern = args.filter.as_deref();
    if !args.follow {
        let found = look(&mut readings, pattern).await?;
        if found.is_empty() && !global.json {
            output::message(&format!("No lines since {}.\n", time(since)));
        }
        return lines.print(&readings, &found).map(|()| Exit::Done);
    }
    // The first signal ends what follows, and that is how the command is meant to end.
    let working = interrupt::working()?;
    let mut signals = working.subscribe();
    let pause = if args.cloud.local { LOCAL_PAUSE } else { PAUSE };
    let following = async {
        loop {
            let found = look(&mut readings, pattern).await?;
            lines.print(&readings, &found)?;
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        ended = following => ended,
        // The sender lives as long as the process.
        _ = signals.wait_for(|count| *count > 0) => Ok(Exit::Done),
    }
}

/// The new events of all groups by time, each with the place of its group.
async fn look(
    readings: &mut [Reading],
    pattern: Option<&str>,
) -> Result<Vec<(usize, LogEvent)>, CliError> {
    let reads = readings
        .iter()
        .map(|reading| events(&reading.aws, &reading.source.group, reading.since, pattern));
    let found = join_all(reads).await;
    let mut all = Vec::new();
    for (at, (reading, found)) in readings.iter_mut().zip(found).enumerate() {
        let found = found.map_err(|error| reads::resource_error(&error))?;
        // A group that does not exist has no lines yet.
        for event in found.unwrap_or_default() {
            let seen = reading.seen.entry(event.timestamp).or_default();
            if seen.insert(event.id.clone()) {
                all.push((at, event));
            }
        }
        if let Some((last, _)) = reading.seen.last_key_value() {
            reading.since = reading.since.max(last - LATE);
            reading.seen = reading.seen.split_off(&reading.since);
        }
    }
    all.sort_by(|(_, one), (_, other)| (one.timestamp, &one.id).cmp(&(other.timestamp, &other.id)));
    Ok(all)
}

/// How lines are printed.
struct Lines {
    json: bool,
    style: Style,
    /// The width of the addresses; none where there is one alone.
    width: Option<usize>,
}

/// Colours of functions, in turn.
const COLORS: [&str; 6] = ["36", "33", "35", "32", "34", "96"];

impl Lines {
    fn new(global: &GlobalArgs, readings: &[Reading]) -> Self {
        let widths = readings.iter().map(|it| columns(&it.source.address));
        Self {
            json: global.json,
            style: Session::style(global, false),
            width: widths.max().filter(|_| readings.len() > 1),
        }
    }

    fn print(&self, readings: &[Reading], found: &[(usize, LogEvent)]) -> Result<(), CliError> {
        let mut text = String::new();
        for (at, event) in found {
            let source = &readings[*at].source;
            // Writing to a string cannot fail.
            let _ = match self.json {
                true => writeln!(text, "{}", json_line(source, event)),
                false => writeln!(text, "{}", self.line(*at, source, event)),
            };
        }
        match self.json {
            _ if text.is_empty() => Ok(()),
            true => output::json(&text),
            false => output::result(&text),
        }
    }

    fn line(&self, at: usize, source: &Source, event: &LogEvent) -> String {
        let (on, off) = match self.style.color {
            true => (format!("\x1b[{}m", COLORS[at % COLORS.len()]), "\x1b[0m"),
            false => (String::new(), ""),
        };
        let time = time(event.timestamp);
        let start = match self.width {
            None => format!("{on}{time}{off} "),
            Some(width) => {
                let fill = " ".repeat(width.saturating_sub(columns(&source.address)));
                format!("{on}{time} {}{fill}{off} ", escape_lines(&source.address))
            }
        };
        let message = escape_lines(&event.message.trim_end().replace('\t', "  "));
        let indent = match self.width {
            None => time.len() + 1,
            Some(width) => time.len() + width + 2,
        };
        let message = message.replace('\n', &format!("\n{}", " ".repeat(indent)));
        format!("{start}{message}")
    }
}

fn json_line(source: &Source, event: &LogEvent) -> String {
    json!({
        "type": "log",
        "address": source.address,
        "function": source.function,
        "group": source.group,
        "stream": event.stream,
        "time": time(event.timestamp),
        "timestamp": event.timestamp,
        "id": event.id,
        "message": event.message,
    })
    .to_string()
}
