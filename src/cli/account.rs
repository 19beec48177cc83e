//! In which account and region a command works, and may work.

use super::args::{CloudArgs, GlobalArgs};
use super::error::CliError;
use super::output::{self, Stream};
use crate::engine::head::Head;
use crate::engine::world::World;
use crate::lang::stack::Stack;
use crate::report::text::heading;
use crate::resource::aws::Aws;
use crate::resource::endpoint::Endpoint;
use crate::store::Store;
use crate::store::s3::S3Store;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How much longer than the state is read the account is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Reports where a command works that calls AWS only for its state; such a command shows no plan
/// and no drift that would say so.
#[derive(Debug)]
pub(super) struct AccountReport {
    stack: String,
    env: Option<String>,
    head: Head,
    no_color: bool,
    reported: AtomicBool,
}

/// The account that was asked for, or why it is not known, and what is shown beside it.
pub(super) struct Account<'a> {
    account_report: &'a AccountReport,
    region: String,
    account: Result<String, String>,
}

impl AccountReport {
    pub(super) fn new(
        global: &GlobalArgs,
        stack: &Stack,
        cloud: &CloudArgs,
        store: &Store,
    ) -> Self {
        let mut head = head(stack, cloud, store);
        head.endpoints = store
            .as_s3()
            .map_or_else(Vec::new, |s3| endpoints(s3.aws()));
        Self {
            stack: stack.name.clone(),
            env: stack.env.clone(),
            head,
            no_color: global.no_color,
            reported: AtomicBool::new(false),
        }
    }

    /// Reads from the state's place, and reports once where that is. The identity of the caller is
    /// read at the same time.
    pub(super) async fn reading<T>(&self, store: &Store, reading: impl Future<Output = T>) -> T {
        let (read, account) = self.asking(store, reading).await;
        Account::report_some(&account);
        read
    }

    /// The same, but the caller reports the result. None where nothing calls, or it was asked
    /// before.
    pub(super) async fn asking<'a, T>(
        &'a self,
        store: &Store,
        reading: impl Future<Output = T>,
    ) -> (T, Option<Account<'a>>) {
        let Some(aws) = store.as_s3().map(S3Store::aws) else {
            return (reading.await, None);
        };
        if self.reported.swap(true, Ordering::Relaxed) {
            return (reading.await, None);
        }
        let (reading, asked) = (pin!(reading), pin!(aws.identity()));
        let (read, found) = match select(reading, asked).await {
            Either::Left((read, asked)) => (read, tokio::time::timeout(PATIENCE, asked).await),
            Either::Right((found, reading)) => (reading.await, Ok(found)),
        };
        let account = match found {
            Ok(Ok(identity)) => Ok(identity.account.clone()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!(
                "sts:GetCallerIdentity did not return within {} s",
                PATIENCE.as_secs()
            )),
        };
        let account = Account {
            account_report: self,
            region: aws.region().to_owned(),
            account,
        };
        (read, Some(account))
    }
}

impl Account<'_> {
    /// Reports the account, if it was read.
    pub(super) fn report_some(found: &Option<Self>) {
        if let Some(found) = found {
            found.report();
        }
    }

    /// Reports it, in addition to what the command is asked for.
    fn report(&self) {
        let account_report = self.account_report;
        let account = self.account.as_deref().map_err(String::as_str);
        output::message(&heading(
            (&account_report.stack, &account_report.env),
            account,
            &self.region,
            &account_report.head,
            &Stream::Stderr.style(account_report.no_color),
        ));
    }
}

/// What stands above a plan, but for where calls go.
pub(super) fn head(stack: &Stack, cloud: &CloudArgs, store: &Store) -> Head {
    Head {
        file: stack.file.clone(),
        state: store.name(),
        local: cloud.local,
        endpoints: Vec::new(),
    }
}

/// Where the calls of clients go.
pub(super) fn endpoints(aws: &Aws) -> Vec<Endpoint> {
    let endpoints = aws.endpoints().iter().cloned();
    endpoints
        .map(|one| Endpoint {
            url: output::secrets().hide(&one.url),
            ..one
        })
        .collect()
}

/// The account and region of the state's resources.
pub(super) struct Home {
    account: Option<String>,
    region: Option<String>,
    is_empty: bool,
}

pub(super) fn home(world: &World) -> Home {
    Home {
        account: world.state.account.clone(),
        region: world.state.region.clone(),
        is_empty: world.state.is_empty(),
    }
}

/// Refuses to work on the resources of another account or region, or of one that the stack does not
/// allow.
pub(super) fn check_account(
    world: &World,
    allowed: &[String],
    store: &Store,
) -> Result<(), CliError> {
    let Some(identity) = &world.identity else {
        return Ok(());
    };
    let region = world.region.as_deref().unwrap_or_default();
    check_place((&identity.account, region), &home(world), allowed, store)
}

/// The same, of an account and a region.
pub(super) fn check_place(
    (account, region): (&str, &str),
    home: &Home,
    allowed: &[String],
    store: &Store,
) -> Result<(), CliError> {
    if !allowed.is_empty() && !allowed.iter().any(|one| one == account) {
        return Err(CliError::new(format!(
            "The credentials belong to account {account}, and providers.aws.allowedAccountIds does not list it."
        ))
        .now("Nothing was changed.")
        .hint("Use the credentials of an allowed account."));
    }
    let path = store.name();
    let other = |what: &str, was: &Option<String>, is: &str| {
        was.as_deref().filter(|was| *was != is && !home.is_empty).map(|was| {
            CliError::new(format!(
                "{path} holds resources of {what} {was}, and this command would work in {what} {is}."
            ))
            .now("Nothing was changed.")
            .hint("Use --env or --state for a second copy of the stack, or destroy the first one where it is.")
        })
    };
    let wrong =
        other("account", &home.account, account).or_else(|| other("region", &home.region, region));
    wrong.map_or(Ok(()), Err)
}
