//! In which account and region a command may work.

use super::error::CliError;
use crate::engine::world::World;
use crate::store::Store;

/// Where the state's objects are.
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

/// Refuses to work on the objects of another account or region, or of one that the stack
/// does not allow.
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
                "{path} holds objects of {what} {was}, and this command would work in {what} {is}."
            ))
            .now("Nothing was changed.")
            .hint("Use --env or --state for a second copy of the stack, or destroy the first one where it is.")
        })
    };
    let wrong =
        other("account", &home.account, account).or_else(|| other("region", &home.region, region));
    wrong.map_or(Ok(()), Err)
}
