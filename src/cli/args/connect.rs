//! The arguments of `stackctl connect`.

use super::common::{CloudArgs, InputArgs, time};
use clap::Args;
use std::time::Duration;

/// Connect to the stack's WebSocket API, send messages, print the replies.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Finds the stack's WebSocket address by itself: the output whose value begins with wss://, or its
stage. Without --send each line of stdin is a message, until Ctrl-D. With --send it ends with 0
once as many replies came as messages were sent, or one that --expect describes; with 1 when the
time is up. Where the route $connect asks for IAM, the connection is signed with the stack's
credentials.

Examples:
  stackctl connect --local --send '{\"MessageGroupId\": \"test\", \"data\": \"hello world\"}'
  stackctl connect                            a prompt: lines out, replies in
  stackctl connect web chat_URL --send hi --expect '{\"type\": \"welcome\"}'
  stackctl connect wss://a1b2c3d4e5.execute-api.us-west-2.amazonaws.com/live --send hi")]
pub struct ConnectArgs {
    /// The stack, where there are several.
    #[arg(value_name = "STACK|OUTPUT|URL")]
    pub first: Option<String>,
    /// The output with the address, the address of a stage, or the URL itself.
    #[arg(value_name = "OUTPUT|URL")]
    pub second: Option<String>,

    /// Send this message; more than one are sent in this order.
    #[arg(long, value_name = "TEXT")]
    pub send: Vec<String>,

    /// What one of the replies must be: JSON whose members it has, or a regular expression that it
    /// matches.
    #[arg(long, value_name = "PATTERN|JSON", requires = "send")]
    pub expect: Option<String>,

    /// How long to wait for the replies, and for the connection: 10s, 1m.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    pub timeout: Duration,

    /// What goes in from outside.
    #[command(flatten)]
    pub input: InputArgs,
    /// Where it is.
    #[command(flatten)]
    pub cloud: CloudArgs,
}
