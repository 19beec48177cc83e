//! The arguments of the commands that work with what a stack runs: `logs`, `invoke`.

use super::common::{CloudArgs, InputArgs, time};
use super::outside::NamesArg;
use clap::Args;
use std::time::Duration;

/// Show what the stack's functions log.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Reads the log groups of the stack's functions, also those that Lambda created, and merges
their lines by time. An address may also be that of a log group of the stack. The first name
may be a stack; every other one is an address. Patterns are those of CloudWatch Logs: ERROR,
\"two words\", ?this ?that, -without, { $.level = \"ERROR\" }.

Examples:
  stackctl logs                       the last 10 minutes of all functions
  stackctl logs responder --follow    one function, until Ctrl-C
  stackctl logs --since 2h --filter ERROR
  stackctl logs --local --json        of the local cloud, one JSON object a line")]
pub struct LogsArgs {
    /// The stack, and the functions.
    #[command(flatten)]
    pub names: NamesArg,

    /// Go on with new lines, until Ctrl-C.
    #[arg(short, long)]
    pub follow: bool,

    /// From how long ago on: 90s, 10m, 1h30m.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time)]
    pub since: Duration,

    /// Only lines that match this filter pattern.
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,

    /// What goes in from outside.
    #[command(flatten)]
    pub input: InputArgs,
    /// Where it is.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Invoke a function of the stack, and print what it returns.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Waits for the result and prints it on stdout. An error of the function is printed as well, and
the exit code is 1. With --local the function runs on this machine, as you and not in a
sandbox: in the process of stackctl local where that runs, else in this one.

Examples:
  stackctl invoke responder --payload '{\"Records\": []}'
  stackctl invoke web responder --payload @event.json --logs
  stackctl invoke responder --local --json")]
pub struct InvokeArgs {
    /// A stack's name or path, and the function's address; each not needed while there is only one.
    #[arg(value_name = "STACK|ADDRESS", num_args = 0..=2)]
    pub names: Vec<String>,

    /// The event: JSON, @FILE, or @- for the standard input; without it {}.
    #[arg(long, value_name = "JSON|@FILE")]
    pub payload: Option<String>,

    /// Print the last lines of the function's log as well.
    #[arg(long)]
    pub logs: bool,

    /// What goes in from outside.
    #[command(flatten)]
    pub input: InputArgs,
    /// Where it is.
    #[command(flatten)]
    pub cloud: CloudArgs,
}
