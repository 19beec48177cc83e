//! The arguments of `stackctl local`.

use clap::Args;

/// Serve the local cloud to other programs, until Ctrl-C.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Serves what apply --local keeps in .stackctl/local, on 127.0.0.1 only: the AWS API of its
services, for the AWS CLI and the SDKs (--endpoint-url http://127.0.0.1:4566, keys test and
test), and the APIs of the stacks. While it runs, other commands with --local go on working.

Examples:
  stackctl local
  stackctl local --port 0    on any free port
  stackctl local --json      one line of JSON once it listens, for a script")]
pub struct LocalArgs {
    /// The port to listen on; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    pub port: u16,
}
