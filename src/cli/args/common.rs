//! What can be typed behind several commands.

use crate::lang::load::duration;
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The arguments that the commands share that read live resources.
#[derive(Debug, Clone, Args)]
pub struct ReadArgs {
    /// What goes in from outside.
    #[command(flatten)]
    pub input: InputArgs,
    /// Where it is.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Whether secrets are shown.
    #[command(flatten)]
    pub secrets: SecretsArg,
}

/// Which stack.
#[derive(Debug, Clone, Default, Args)]
pub struct StackArg {
    /// A stack's name under stacks/, or a path; not needed while there is only one.
    #[arg(value_name = "STACK")]
    pub name: Option<String>,
}

/// What goes into the stack from outside.
#[derive(Debug, Clone, Default, Args)]
pub struct InputArgs {
    /// Take variable values from stacks/<STACK>.<ENV>.yaml and keep a state of its own.
    #[arg(help_heading = "Variables", long)]
    pub env: Option<String>,

    /// Set a variable; may be given many times. STACKCTL_VAR_<NAME> does so too.
    #[arg(help_heading = "Variables", long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<Assignment>,

    /// Take variable values from a YAML or JSON file; may be given many times.
    #[arg(help_heading = "Variables", long = "var-file", value_name = "FILE")]
    pub var_files: Vec<PathBuf>,

    /// Variables of a saved plan; the environment's own are stronger.
    #[arg(skip)]
    pub from_plan: Vec<(String, String)>,
}

impl InputArgs {
    /// The values of `STACKCTL_VAR_<NAME>`, by name.
    pub fn environment(&self) -> Vec<(String, String)> {
        let own = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix("STACKCTL_VAR_")?.to_owned();
            Some((name, value.to_string_lossy().into_owned()))
        });
        self.from_plan.iter().cloned().chain(own).collect()
    }
}

/// Where the stack and its state are.
#[derive(Debug, Clone, Default, Args)]
pub struct CloudArgs {
    /// Use the local cloud in this binary; its contents are kept under .stackctl/local/.
    #[arg(
        help_heading = "Cloud and state",
        long,
        conflicts_with = "endpoint_url"
    )]
    pub local: bool,

    /// Send every call to this address, an emulator's for example.
    #[arg(help_heading = "Cloud and state", long, value_name = "URL")]
    pub endpoint_url: Option<String>,

    /// Refuse what leads out of the project: files outside of its folder, an endpoint in the stack
    /// file that is not on this machine, and any that is not encrypted.
    #[arg(help_heading = "Cloud and state", long)]
    pub strict: bool,

    /// The state: a file or s3://bucket/key, in place of state/<STACK>.json.
    #[arg(help_heading = "Cloud and state", long, value_name = "PATH")]
    pub state: Option<PathBuf>,

    /// Open the secrets in the state with the age identity in this file; so do
    /// STACKCTL_STATE_KEY_FILE, STACKCTL_STATE_KEY and STACKCTL_STATE_PASSPHRASE.
    #[arg(help_heading = "Cloud and state", long, value_name = "FILE")]
    pub state_key: Option<PathBuf>,
}

/// What `plan`, `apply` and `destroy` share.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Only this resource and those that must go with it; may be given many times.
    #[arg(long = "target", value_name = "ADDRESS")]
    pub targets: Vec<String>,

    /// Skip this resource and those that depend on it; may be given many times.
    #[arg(long = "exclude", value_name = "ADDRESS")]
    pub excludes: Vec<String>,

    /// Whether to read the live resources; --refresh=false trusts the state.
    #[arg(
        long,
        value_name = "BOOL",
        action = clap::ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub refresh: bool,

    /// How many steps may be in progress at once.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 32,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub parallelism: u16,

    /// Whether secrets are shown.
    #[command(flatten)]
    pub secrets: SecretsArg,
    /// What goes in from outside.
    #[command(flatten)]
    pub input: InputArgs,
    /// Where it is.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// How long to wait.
    #[command(flatten)]
    pub lock: LockArg,
}

/// How long to wait for the state's lock.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct LockArg {
    /// Wait so long for another run to give the state's lock back: 90s, 5m, 1h30m.
    #[arg(
        help_heading = "Cloud and state",
        long,
        value_name = "TIME",
        value_parser = time
    )]
    pub lock_timeout: Option<Duration>,
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "expected a time such as 90s, 5m or 1h30m".to_owned())
}

/// Whether secrets are shown.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct SecretsArg {
    /// Print secret values in clear.
    #[arg(long)]
    pub show_secrets: bool,
}

/// Whether to ask.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ConsentArg {
    /// Do not ask; needed where there is no terminal.
    #[arg(short, long, visible_alias = "auto-approve")]
    pub yes: bool,
}

/// A `--var`: the name and the string behind the first `=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// Its value as typed.
    pub value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err("expected NAME=VALUE".to_owned()),
        }
    }
}
