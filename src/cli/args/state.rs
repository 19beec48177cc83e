//! What can be typed behind `stackctl state`.

use super::common::{CloudArgs, ConsentArg, InputArgs, LockArg};
use clap::{ArgGroup, Args, Subcommand};
use std::path::PathBuf;

/// Look at the state, and repair it.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
The state is what stackctl knows of the resources it created. These commands change the
state, never the resources. Each save keeps the version before; docs/state.md says what to
do when something is lost.

Examples:
  stackctl state list                     addresses, types and ids
  stackctl state mv queue orders          the resource is called orders in the file now
  stackctl state history                  what was saved, and when
  stackctl state restore 12               serial 12 again, as a new version
  stackctl state migrate --to s3://states/web.json")]
pub struct StateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: StateCommand,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
#[expect(
    missing_docs,
    reason = "a doc comment here would hide the struct's, which is the help text"
)]
pub enum StateCommand {
    List(ListArgs),
    Show(ShowArgs),
    Mv(MvArgs),
    Rm(RmArgs),
    History(HistoryArgs),
    Restore(RestoreArgs),
    Rebuild(RebuildArgs),
    Unlock(UnlockArgs),
    Rekey(RekeyArgs),
    Pull(PullArgs),
    Push(PushArgs),
    Migrate(MigrateArgs),
}

impl StateCommand {
    /// As it is typed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::List(_) => "state list",
            Self::Show(_) => "state show",
            Self::Mv(_) => "state mv",
            Self::Rm(_) => "state rm",
            Self::History(_) => "state history",
            Self::Restore(_) => "state restore",
            Self::Rebuild(_) => "state rebuild",
            Self::Unlock(_) => "state unlock",
            Self::Rekey(_) => "state rekey",
            Self::Pull(_) => "state pull",
            Self::Push(_) => "state push",
            Self::Migrate(_) => "state migrate",
        }
    }
}

/// Where the state is.
#[derive(Debug, Clone, Default, Args)]
pub struct PlaceArgs {
    /// What goes in from outside.
    #[command(flatten)]
    pub input: InputArgs,
    /// Where it is.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// How the state is changed.
#[derive(Debug, Clone, Args)]
pub struct ChangeArgs {
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Whether to ask.
    #[command(flatten)]
    pub consent: ConsentArg,
    /// How long to wait.
    #[command(flatten)]
    pub lock: LockArg,
}

/// List the resources in the state: addresses, types and ids.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// A stack's name under stacks/, or a path; not needed while there is only one.
    #[arg(value_name = "STACK")]
    pub stack: Option<String>,
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Show what the state knows of a resource; secrets are not shown.
#[derive(Debug, Clone, Args)]
#[command(override_usage = "stackctl state show [OPTIONS] [STACK] ADDRESS")]
pub struct ShowArgs {
    /// The resource's address; before it the stack, where there is more than one.
    #[arg(value_name = "ADDRESS", required = true, num_args = 1..=2)]
    pub words: Vec<String>,
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Give a resource another address, as the file calls it now.
#[derive(Debug, Clone, Args)]
#[command(override_usage = "stackctl state mv [OPTIONS] [STACK] FROM TO")]
pub struct MvArgs {
    /// The address in the state and the new one; before them the stack, where there is more
    /// than one.
    #[arg(value_name = "FROM TO", required = true, num_args = 2..=3)]
    pub words: Vec<String>,
    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Forget resources; they stay in AWS.
#[derive(Debug, Clone, Args)]
#[command(override_usage = "stackctl state rm [OPTIONS] [STACK] ADDRESS...")]
pub struct RmArgs {
    /// The addresses; before them the stack, where there is more than one.
    #[arg(value_name = "ADDRESS", required = true, num_args = 1..)]
    pub words: Vec<String>,
    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// List the versions that were saved: serial, time and what changed.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The last 50 versions are kept, or as many as STACKCTL_STATE_VERSIONS says."
)]
pub struct HistoryArgs {
    /// A stack's name under stacks/, or a path; not needed while there is only one.
    #[arg(value_name = "STACK")]
    pub stack: Option<String>,
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Save an older version, or a file, as the newest one.
#[derive(Debug, Clone, Args)]
#[command(
    override_usage = "stackctl state restore [OPTIONS] [STACK] SERIAL|FILE",
    after_help = "\
Shows what would be different, asks, and saves it with a new serial; what is saved now is
kept among the versions. The resources in AWS stay as they are: look at the plan afterwards.

Examples:
  stackctl state restore 12               a version that `stackctl state history` lists
  stackctl state restore state/web.json   the file as a person has edited it"
)]
pub struct RestoreArgs {
    /// The serial of a saved version, or a file; before it the stack, where there is more
    /// than one.
    #[arg(value_name = "SERIAL|FILE", required = true, num_args = 1..=2)]
    pub words: Vec<String>,
    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Find the stack's resources in AWS and import them into the state, when it is lost.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
For each resource of the file that the state does not have, the one that this stack created is
looked for: by the tags that stackctl sets on its resources, by name, or by parent and content.
What is found is shown and, when you agree, imported; a random string is read from the names
that hold it. What only a state holds (passwords) is not found again: restore a saved version
if one exists (`stackctl state history`). Resources that the file no longer has are not
looked for.

Examples:
  stackctl state rebuild
  stackctl state rebuild --id suffix=w4f2 --id queue=https://sqs.…/orders")]
pub struct RebuildArgs {
    /// A stack's name under stacks/, or a path; not needed while there is only one.
    #[arg(value_name = "STACK")]
    pub stack: Option<String>,
    /// A known resource, as `stackctl import` takes it; may be given many times.
    #[arg(long, value_name = "ADDRESS=ID")]
    pub id: Vec<String>,
    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Remove the lock of a dead run.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
A lock is a lease: when its holder is dead the next run takes it over by itself, at once
on the same machine, and from another one when the lease has expired. This is for the rare
rest. A holder that lives is refused; with --force it loses the lock and begins nothing more.")]
pub struct UnlockArgs {
    /// A stack's name under stacks/, or a path; not needed while there is only one.
    #[arg(value_name = "STACK")]
    pub stack: Option<String>,
    /// Also from a run that lives.
    #[arg(long)]
    pub force: bool,
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Whether to ask.
    #[command(flatten)]
    pub consent: ConsentArg,
}

/// The path of a file, when the string is not a serial.
pub fn as_file(text: &str) -> Option<PathBuf> {
    let serial = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (!serial).then(|| PathBuf::from(text))
}

/// Show who can open the secrets in the state, or give them another key.
#[derive(Debug, Clone, Args)]
#[command(
    group(ArgGroup::new("to").args(["new_passphrase", "new_key", "no_encryption", "forget_secrets"])),
    after_help = "\
Without an option it lists the recipients and changes nothing. The key of before comes from the
usual places: STACKCTL_STATE_PASSPHRASE, --state-key, STACKCTL_STATE_KEY_FILE,
STACKCTL_STATE_KEY, or the identity in your configuration folder. Only the state is written.

--add lets one more identity open the key that the state has. --remove and the others give the
state a new key and encrypt every secret again; versions that were saved before keep the old one.

Examples:
  stackctl state rekey
  stackctl state rekey --add age1…            a colleague's or CI's public key
  stackctl state rekey --remove age1…
  STACKCTL_STATE_NEW_PASSPHRASE=… stackctl state rekey --new-passphrase
  stackctl state rekey --new-key key.txt      a file that age-keygen wrote"
)]
pub struct RekeyArgs {
    /// A stack's name under stacks/, or a path; not needed while there is only one.
    #[arg(value_name = "STACK")]
    pub stack: Option<String>,
    /// Let this age recipient open the secrets too; may be given many times.
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "to")]
    pub add: Vec<String>,
    /// Let this recipient open none that is saved from now on; may be given many times.
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "to")]
    pub remove: Vec<String>,
    /// Encrypt with the passphrase in STACKCTL_STATE_NEW_PASSPHRASE.
    #[arg(long)]
    pub new_passphrase: bool,
    /// Encrypt to the age identity in this file, and to no other.
    #[arg(long, value_name = "FILE")]
    pub new_key: Option<PathBuf>,
    /// Of older versions; says that it does not exist any more.
    #[arg(long, hide = true)]
    pub no_encryption: bool,
    /// Give up the secrets in the state, whose key is lost; those in the file are kept again by
    /// the next apply.
    #[arg(long)]
    pub forget_secrets: bool,
    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Print the state as it is kept; its secrets stay encrypted.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Takes no lock. Where a run is in progress, what it did since is not in it.

Examples:
  stackctl state pull > copy.json
  stackctl state pull web --out copy.json     readable by its owner only")]
pub struct PullArgs {
    /// A stack's name under stacks/, or a path; not needed while there is only one.
    #[arg(value_name = "STACK")]
    pub stack: Option<String>,
    /// Write it to this file.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Make a file, as `state pull` wrote it, the current state.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Shows what would be different, and asks. Refused are a file that was edited, one of another
stack, environment, account or region, of another lineage, and one that is not newer than
the existing state, which is kept among the versions.

Examples:
  stackctl state push copy.json
  stackctl state pull --state old.json | stackctl state push - --yes")]
pub struct PushArgs {
    /// The file; - reads the standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A stack's name under stacks/, or a path; not needed while there is only one.
    #[arg(value_name = "STACK")]
    pub stack: Option<String>,
    /// Also over a state of another lineage, or a newer one.
    #[arg(long)]
    pub force: bool,
    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Move the state and its versions to another place.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Both places are locked. The versions are copied, then the state; it is read back, and the
old place says from then on where the state is: every command that still looks there ends
with an error. When it is interrupted the same command goes on. Secrets keep their key.

Examples:
  stackctl state migrate --to s3://states/web.json
  stackctl state migrate --to local           back to state/<STACK>.json")]
pub struct MigrateArgs {
    /// A stack's name under stacks/, or a path; not needed while there is only one.
    #[arg(value_name = "STACK")]
    pub stack: Option<String>,
    /// The new place: s3://bucket/key, a file, or local for state/<STACK>.json.
    #[arg(long, value_name = "PLACE")]
    pub to: String,
    /// Also over a state of another lineage, or a newer one.
    #[arg(long)]
    pub force: bool,
    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}
