//! Where a stack's state is, who takes its lock, and what to say when it cannot be used.

use super::args::{CloudArgs, GlobalArgs, LockArg};
use super::error::{CliError, capital};
use super::exit::Exit;
use super::{identity, output, provider};
use crate::content::Disk;
use crate::lang::stack::Stack;
use crate::resource::aws::connect::Settings;
use crate::store::lease::{self, Holder, Patience};
use crate::store::s3::S3Store;
use crate::store::{self, Store, StoreError, Watch};
use std::path::{Path, PathBuf};

/// The folder for what stackctl keeps beside the state.
pub(super) const WORK_DIR: &str = ".stackctl";

/// How long a lock outlives the last sign of life of its holder, in seconds.
const LEASE: u64 = 20;

/// The store of a stack's state: where `--state` says, or `state:` of the file, or a file
/// that is called like the stack.
pub(super) async fn store(stack: &Stack, cloud: &CloudArgs) -> Result<Store, CliError> {
    let place = match &cloud.state {
        Some(path) => path.to_string_lossy().into_owned(),
        None if stack.state.is_null() => return keeping(usual(stack)),
        None => {
            let read_file = Disk::new(&stack.dir);
            let provider = provider::provider(stack, cloud, &read_file)?;
            provider.state.unwrap_or_default()
        }
    };
    at(stack, cloud, &place).await
}

/// The store in the place that the stack's name gives.
pub(super) fn usual(stack: &Stack) -> Store {
    let path = PathBuf::from("state").join(format!("{}.json", stack.full_name()));
    Store::local(path, Path::new(WORK_DIR), true)
}

/// The store in a place that is named: a path, or `s3://bucket/key`.
pub(super) async fn at(stack: &Stack, cloud: &CloudArgs, place: &str) -> Result<Store, CliError> {
    let found = match crate::lang::place::s3(place) {
        None => {
            if let Some(scheme) = crate::lang::place::unknown_scheme(place) {
                return Err(CliError::new(format!(
                    "{scheme:?} is no place for a state: a file, or s3://bucket/key"
                ))
                .now("Nothing was changed.")
                .hint("Name the path of a file, or s3://bucket/key."));
            }
            let path = PathBuf::from(place);
            let is_usual = path == Path::new("state").join(format!("{}.json", stack.full_name()));
            return keeping(Store::local(path, Path::new(WORK_DIR), is_usual));
        }
        Some(Err(why)) => {
            return Err(CliError::new(format!("{place} is no place in S3: {why}."))
                .now("Nothing was changed.")
                .hint("Write s3://bucket/key, or s3://bucket/key?region=eu-west-1&sse=aws:kms."));
        }
        Some(Ok(found)) => found,
    };
    let read_file = Disk::new(&stack.dir);
    let mut settings = provider::provider(stack, cloud, &read_file)?.settings;
    settings.region = found.options.region.clone().or(settings.region);
    let (aws, _) = provider::clients(settings, Some(stack), cloud, Path::new(WORK_DIR)).await?;
    keeping(Store::s3(S3Store::new(aws, &found)))
}

/// The store, which keeps as many versions as the user says.
fn keeping(mut store: Store) -> Result<Store, CliError> {
    if let Some(versions) = number("STACKCTL_STATE_VERSIONS", 1, 100_000)? {
        store.keep(usize::try_from(versions).unwrap_or(usize::MAX));
    }
    Ok(store)
}

/// A number that a variable gives.
fn number(name: &str, least: u64, most: u64) -> Result<Option<u64>, CliError> {
    let Some(text) = identity::variable(name) else {
        return Ok(None);
    };
    let parsed = text.parse().ok();
    match parsed.filter(|number| (least..=most).contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(CliError::new(format!(
            "{name} is {text:?}, and must be a number from {least} to {most}."
        ))),
    }
}

/// Who watches the writes of a store: the local cloud, for its faults.
pub(super) async fn watch(cloud: &CloudArgs) -> Result<Watch, CliError> {
    if !cloud.local {
        return Ok(Watch::default());
    }
    let (_, watch) =
        provider::clients(Settings::default(), None, cloud, Path::new(WORK_DIR)).await?;
    Ok(watch)
}

/// Takes the lock, and says so when it has to wait.
pub(super) async fn lock(
    store: &Store,
    stack: &Stack,
    global: &GlobalArgs,
    arg: LockArg,
) -> Result<(), CliError> {
    let name = store.name();
    let mut notify = |holder: &Holder| {
        output::message(&format!("Waiting for the lock of {name}: {holder}.\n"));
    };
    let patience = Patience {
        timeout: arg.lock_timeout,
        notify: &mut notify,
    };
    let holder = holder(stack, global)?;
    store
        .lock(&holder, patience)
        .await
        .map_err(|error| match error {
            StoreError::Locked { .. } if arg.lock_timeout.is_some() => store_error(error)
                .now(format!(
                    "Nothing was changed; the lock was waited for {} s.",
                    arg.lock_timeout.unwrap_or_default().as_secs()
                ))
                .hint("Look whether that run still makes progress, then run the command again."),
            error => store_error(error),
        })
}

/// What a lock says of this run.
fn holder(stack: &Stack, global: &GlobalArgs) -> Result<Holder, CliError> {
    let lease = number("STACKCTL_LEASE_SECONDS", 1, 3600)?.unwrap_or(LEASE);
    let pid = std::process::id();
    let (pids_of, started) = lease::process(pid);
    Ok(Holder {
        id: hex::encode(rand::random::<[u8; 16]>()),
        command: format!("{} of {}", global.command, stack.full_name()),
        host: identity::host(),
        pid,
        since: store::now(),
        lease,
        beat: 0,
        pids_of,
        started: started.unwrap_or_default(),
    })
}

/// An error of the store, before anything was done.
pub(super) fn store_error(error: StoreError) -> CliError {
    let found = CliError::new(format!("{}.", capital(&error.to_string())));
    match error {
        StoreError::Locked { .. } => found
            .exit(Exit::Locked)
            .now("Nothing was changed.")
            .hint("Wait until that run has ended (--lock-timeout 5m does so), then run the command again."),
        StoreError::Unusable { next, .. } => found.now("Nothing was changed.").hint(next),
        StoreError::Cloud { error, .. } => {
            let hint = match error.code.as_str() {
                "NoSuchBucket" => Some("Make the bucket first: stackctl keeps its state there, and does not make it.".to_owned()),
                _ => error.hint,
            };
            let hint = hint.unwrap_or_else(|| "Run the command again when S3 can be reached.".to_owned());
            found.now("Nothing was changed.").hint(hint)
        }
        StoreError::Key(_) => found.hint(format!(
            "Set {}, then run the command again.",
            identity::VARIABLES
        )),
        StoreError::Io { .. } => found
            .now("Nothing was changed.")
            .hint("Make the file system usable, then run the command again."),
        StoreError::Lost { .. } => found
            .now("Nothing was changed by this run.")
            .hint("See with `stackctl plan` how things stand, then run the command again."),
    }
}
