//! The flags of `plan` that mean nothing to a command that makes no call: taken, so that one
//! line serves both, and not in the help.

use super::common::time;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Taken, and without an effect.
#[derive(Debug, Clone, Default, Args)]
pub struct OfflineArgs {
    /// See `CloudArgs`.
    #[arg(long, hide = true)]
    pub local: bool,
    /// See `CloudArgs`.
    #[arg(long, hide = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// See `CloudArgs`.
    #[arg(long, hide = true, value_name = "PATH")]
    pub state: Option<PathBuf>,
    /// See `CloudArgs`.
    #[arg(long, hide = true, value_name = "FILE")]
    pub state_key: Option<PathBuf>,
    /// See `RunArgs`.
    #[arg(long = "target", hide = true, value_name = "ADDRESS")]
    pub targets: Vec<String>,
    /// See `RunArgs`.
    #[arg(long = "exclude", hide = true, value_name = "ADDRESS")]
    pub excludes: Vec<String>,
    /// See `ReplaceArg`.
    #[arg(long = "replace", hide = true, value_name = "ADDRESS")]
    pub replace: Vec<String>,
    /// See `RunArgs`.
    #[arg(
        long,
        hide = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub refresh: Option<bool>,
    /// See `RunArgs`.
    #[arg(long, hide = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallelism: Option<u16>,
    /// See `SecretsArg`.
    #[arg(long, hide = true)]
    pub show_secrets: bool,
    /// See `LockArg`.
    #[arg(long, hide = true, value_name = "TIME", value_parser = time)]
    pub lock_timeout: Option<Duration>,
    /// See `PlanArgs`.
    #[arg(long, hide = true)]
    pub detailed_exitcode: bool,
    /// See `PlanArgs`.
    #[arg(long, hide = true, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// See `PlanArgs`.
    #[arg(long, hide = true)]
    pub destroy: bool,
}

#[cfg(test)]
mod tests {
    use crate::cli::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn validate_takes_every_flag_of_plan() {
        let cli = Cli::command();
        let flags = |name: &str| {
            let command = cli.find_subcommand(name).unwrap();
            let flags = command.get_arguments().filter_map(|it| it.get_long());
            flags.map(str::to_owned).collect::<Vec<_>>()
        };
        let taken = flags("validate");
        for flag in flags("plan") {
            assert!(taken.contains(&flag), "--{flag}");
        }
    }
}
