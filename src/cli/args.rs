//! What can be typed. The doc comments here are the help text.

#![allow(
    rustdoc::invalid_html_tags,
    reason = "a doc comment of an argument is its help, where <STACK> stands for a value"
)]

pub mod common;
pub mod connect;
mod foreign;
pub mod local;
mod offline;
pub mod outside;
pub mod reference;
pub mod running;
pub mod schema;
pub mod state;

pub use common::{
    Assignment, CloudArgs, ConsentArg, InputArgs, LockArg, ReadArgs, RunArgs, SecretsArg, StackArg,
};
pub use offline::OfflineArgs;
pub use outside::{DriftArgs, ImportArgs, NamesArg, RefreshArgs};

use crate::cli::exit::{self, Exit};
use crate::cli::output;
use clap::builder::Styles;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// Deploys AWS stacks written in YAML.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "stackctl",
    version,
    disable_help_subcommand = true,
    styles = Styles::plain(),
    after_help = format!("{MAIN_NOTES}\n\n{}", exit::HELP),
)]
pub struct Cli {
    /// The flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const MAIN_NOTES: &str = "\
A stack is a file such as stacks/web.yaml; its state is kept as JSON in state/web.json.
Each command has more to say: stackctl apply --help

Examples:
  stackctl apply --local --yes     try it without an account, on the local cloud
  stackctl plan                    the only stack in stacks/
  stackctl apply web --env prod    stacks/web.yaml with the values of stacks/web.prod.yaml
  stackctl outputs --json          the stack's outputs, for a script";

/// The flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct GlobalArgs {
    /// Run as if started in this folder.
    #[arg(
        help_heading = "Flags of every command",
        short = 'C',
        long = "directory",
        value_name = "DIR",
        global = true
    )]
    pub directory: Option<PathBuf>,

    /// Print JSON on stdout, and nothing else there.
    #[arg(help_heading = "Flags of every command", long, global = true)]
    pub json: bool,

    /// No colours; so does NO_COLOR in the environment.
    #[arg(help_heading = "Flags of every command", long, global = true)]
    pub no_color: bool,

    /// The command's name, for a lock to say what its holder does.
    #[arg(skip)]
    pub command: String,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
#[expect(
    missing_docs,
    reason = "a doc comment here would hide the struct's, which is the help text"
)]
pub enum Command {
    Validate(ValidateArgs),
    #[command(visible_alias = "preview")]
    Plan(PlanArgs),
    #[command(visible_alias = "up")]
    Apply(ApplyArgs),
    #[command(visible_alias = "output")]
    Outputs(OutputsArgs),
    #[command(visible_alias = "down")]
    Destroy(DestroyArgs),
    Drift(DriftArgs),
    Refresh(RefreshArgs),
    Import(ImportArgs),
    Connect(connect::ConnectArgs),
    Logs(running::LogsArgs),
    Invoke(running::InvokeArgs),
    Local(local::LocalArgs),
    State(state::StateArgs),
    Types(reference::TypesArgs),
    Functions(reference::FunctionsArgs),
    Schema(schema::SchemaArgs),
}

/// Check the stack file, offline.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Every mistake is reported at once, each with its place in the file. No call is made.")]
pub struct ValidateArgs {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArg,
    /// What goes in from outside.
    #[command(flatten)]
    pub input: InputArgs,
    /// What means nothing offline.
    #[command(flatten)]
    pub unused: OfflineArgs,

    /// Refuse what leads out of the project: files outside of its folder, and an endpoint that is
    /// not on this machine.
    #[arg(long)]
    pub strict: bool,
}

/// Show what apply would change.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Reads the live resources and prints the differences. Nothing is changed.

Examples:
  stackctl plan                        the only stack in stacks/
  stackctl plan web --var size=2       with a variable set
  stackctl plan --json                 for a script
  stackctl plan --out web.plan         save it; apply --plan web.plan does exactly that
  stackctl plan --detailed-exitcode    exit code 2 when there is something to do")]
pub struct PlanArgs {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArg,
    /// How to run.
    #[command(flatten)]
    pub run: RunArgs,
    /// What to recreate.
    #[command(flatten)]
    pub replace: ReplaceArg,

    /// Exit with 2 when there are changes, 0 when there are none.
    #[arg(long)]
    pub detailed_exitcode: bool,

    /// Save the plan in this file, for apply --plan.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Plan the deletion of the stack, as destroy would.
    #[arg(long, conflicts_with = "addresses")]
    pub destroy: bool,
}

/// Plan, ask, and apply the changes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Steps that do not depend on each other run at the same time. When one fails, the
independent ones go on, the state keeps what was done, and the next apply goes on
from there. Ctrl-C starts nothing new and ends what only waits; calls on their way are
waited for. A second one leaves at once.

Examples:
  stackctl apply                      asks before it changes anything
  stackctl apply --yes --local        on the local cloud, without an account
  stackctl apply --replace queue      replace one resource
  stackctl apply --plan web.plan      what plan --out web.plan showed, or exit code 5
  stackctl apply --yes --json         one JSON object a line, for a script")]
pub struct ApplyArgs {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArg,
    /// How to run.
    #[command(flatten)]
    pub run: RunArgs,
    /// What to recreate.
    #[command(flatten)]
    pub replace: ReplaceArg,
    /// Whether to ask.
    #[command(flatten)]
    pub consent: ConsentArg,

    /// Apply the plan that plan --out saved, without a question, if it still holds.
    #[arg(
        long = "plan",
        value_name = "FILE",
        conflicts_with_all = ["targets", "excludes", "addresses"]
    )]
    pub plan: Option<PathBuf>,

    /// Check that a plan right after the apply would be empty: =true reads all resources again,
    /// =false skips the check; without the flag the check uses the results of the apply.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub verify: Option<bool>,
}

/// Print the stack's outputs.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Reads the state only. One name means a stack where there is a stack of that name, and
an output otherwise; of two names the first is the stack and the second the output.

Examples:
  stackctl outputs                    all outputs of the only stack
  stackctl outputs web Queue          one output of stacks/web.yaml
  stackctl outputs --json             one object, name to value
  url=$(stackctl outputs --raw Queue) the bare value, for a shell")]
pub struct OutputsArgs {
    /// A stack's name or path, or else an output's name.
    #[arg(value_name = "STACK|NAME")]
    pub first: Option<String>,
    /// An output's name.
    #[arg(value_name = "NAME")]
    pub second: Option<String>,

    /// Print the bare value of this output: a string without quotes, no line end.
    #[arg(long, value_name = "NAME", num_args = 0..=1, conflicts_with = "json")]
    pub raw: Option<Option<String>>,

    /// What is looked at.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Plan the deletion of the stack, ask, and delete.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Deletes everything the state holds, what others use last. A resource with the option
protect stops it; one with retainOnDelete is left alone.

Examples:
  stackctl destroy                    asks before it deletes anything
  stackctl destroy web --env dev      stacks/web.yaml as deployed with --env dev
  stackctl destroy --target queue     one resource and those that need it")]
pub struct DestroyArgs {
    /// Which stack.
    #[command(flatten)]
    pub stack: StackArg,
    /// How to run.
    #[command(flatten)]
    pub run: RunArgs,
    /// Whether to ask.
    #[command(flatten)]
    pub consent: ConsentArg,
}

/// What is to be recreated.
#[derive(Debug, Clone, Default, Args)]
pub struct ReplaceArg {
    /// Replace this resource though it need not be; may be given many times.
    #[arg(long = "replace", value_name = "ADDRESS")]
    pub addresses: Vec<String>,
}

/// What `outputs` was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputsRequest {
    /// The stack as typed.
    pub stack: Option<String>,
    /// The one output.
    pub name: Option<String>,
    /// Whether it is printed bare.
    pub raw: bool,
}

impl OutputsArgs {
    /// Splits the stack from the output; `is_stack` says whether a name under `stacks/` or a path
    /// exists. The error is a full sentence.
    pub fn request(&self, is_stack: impl Fn(&str) -> bool) -> Result<OutputsRequest, String> {
        let looks_like_path = |text: &str| text.contains('/') || text.ends_with(".yaml");
        let (stack, mut name) = match (&self.first, &self.second) {
            (Some(only), None) if !looks_like_path(only) && !is_stack(only) => {
                (None, Some(only.clone()))
            }
            (first, second) => (first.clone(), second.clone()),
        };
        if let Some(Some(raw)) = &self.raw {
            if let Some(other) = name.filter(|other| other != raw) {
                return Err(format!(
                    "--raw prints one output, but two are named: {raw} and {other}."
                ));
            }
            name = Some(raw.clone());
        }
        if self.raw.is_some() && name.is_none() {
            return Err("--raw needs the name of the output to print.".to_owned());
        }
        Ok(OutputsRequest {
            stack,
            name,
            raw: self.raw.is_some(),
        })
    }
}

/// Reads the arguments. Help and version go to stdout and end with 0; anything wrong goes
/// to stderr and ends with 1.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Exit> {
    let arguments = foreign::meant(arguments);
    let matches = Cli::command().try_get_matches_from(&arguments);
    let matches = matches.map_err(|error| foreign::advised(error, &arguments));
    let parsed = matches.and_then(|matches| {
        let mut cli = Cli::from_arg_matches(&matches)?;
        cli.global.command = match &cli.command {
            Command::State(args) => args.command.name(),
            _ => matches.subcommand_name().unwrap_or_default(),
        }
        .to_owned();
        Ok(cli)
    });
    parsed.map_err(|error| {
        let text = error.render().to_string();
        if error.use_stderr() {
            output::message(&text);
            Exit::Failed
        } else {
            match output::result(&text) {
                Ok(()) => Exit::Done,
                Err(error) => error.exit,
            }
        }
    })
}

#[cfg(test)]
mod tests;
