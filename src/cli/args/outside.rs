//! What can be typed behind the commands that read live resources: `import`, `drift`, `refresh`.

use super::common::{ConsentArg, LockArg, ReadArgs, StackArg};
use clap::Args;
use std::path::PathBuf;

/// Import existing resources, without a change to them.
#[derive(Debug, Clone, Args)]
#[command(
    override_usage = "stackctl import [OPTIONS] [STACK] ADDRESS ID\n       \
                      stackctl import [OPTIONS] [STACK] --file FILE",
    after_help = "\
The resource must be in the stack file. The live resource is read, shown, and imported into the
state; where it differs from the file, the next plan says so. Several resources are
imported together or not at all. docs/import.md lists the id of every type.

Examples:
  stackctl import bucket my-bucket                  a bucket, by its name
  stackctl import 'queue[\"a\"]' https://sqs.us-west-2.amazonaws.com/123456789012/a
  stackctl import --file list.yaml                  lines of ADDRESS: ID
  stackctl import password - < secret.txt           the id from the standard input"
)]
pub struct ImportArgs {
    /// A stack's name or path (not needed while there is only one), the address, and the
    /// resource's id.
    #[arg(value_name = "STACK|ADDRESS|ID", num_args = 0..=3)]
    pub names: Vec<String>,

    /// Take addresses and ids from a YAML file: a map, or a list with address: and id:.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Import the others where some cannot be; the exit code is 1 then.
    #[arg(long)]
    pub skip_failed: bool,

    /// What is looked at.
    #[command(flatten)]
    pub read: ReadArgs,
    /// How long to wait.
    #[command(flatten)]
    pub lock: LockArg,
    /// Whether to ask.
    #[command(flatten)]
    pub consent: ConsentArg,
}

/// Show what changed outside: what was last applied against what is live.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Reads only, whatever the stack file says by now. Ends with 2 when there is drift. The
first name may be a stack; every other one is an address.

Examples:
  stackctl drift                      everything in the state
  stackctl drift queue                one resource
  stackctl drift --accept queue       shows how the stack file would say so, and asks
  stackctl drift --json               for a script")]
pub struct DriftArgs {
    /// The stack, and the addresses to look at.
    #[command(flatten)]
    pub names: NamesArg,

    /// Write the live values of this resource into the stack file; may be given many times.
    #[arg(long, value_name = "ADDRESS")]
    pub accept: Vec<String>,

    /// Whether to ask.
    #[command(flatten)]
    pub consent: ConsentArg,
    /// What is looked at.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Record what is live in the state, and change nothing else.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Afterwards a plan shows each difference as a change of the file. Resources that no longer
exist are dropped from the state.

Examples:
  stackctl refresh                    shows what drifted, and asks
  stackctl refresh --yes queue        one resource")]
pub struct RefreshArgs {
    /// The stack, and the addresses to refresh.
    #[command(flatten)]
    pub names: NamesArg,
    /// What is looked at.
    #[command(flatten)]
    pub read: ReadArgs,
    /// How long to wait.
    #[command(flatten)]
    pub lock: LockArg,
    /// Whether to ask.
    #[command(flatten)]
    pub consent: ConsentArg,
}

/// A stack, then addresses.
#[derive(Debug, Clone, Default, Args)]
pub struct NamesArg {
    /// A stack's name or path, then addresses; no address means all.
    #[arg(value_name = "STACK|ADDRESS")]
    pub names: Vec<String>,
}

impl NamesArg {
    /// Splits the stack from the addresses; `is_stack` says whether a name under `stacks/` or a
    /// path exists.
    pub fn split(&self, is_stack: impl Fn(&str) -> bool) -> (StackArg, Vec<String>) {
        let looks_like_path = |text: &str| text.ends_with(".yaml") || text.ends_with(".yml");
        match self.names.split_first() {
            Some((first, rest)) if looks_like_path(first) || is_stack(first) => {
                let name = Some(first.clone());
                (StackArg { name }, rest.to_vec())
            }
            _ => (StackArg::default(), self.names.clone()),
        }
    }
}
