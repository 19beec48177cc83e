//! Addresses on the command line that name no resource.

use super::error::CliError;
use crate::engine::address::{block, is_named};
use crate::engine::plan::planned::{Options, Planned};
use crate::nearest::nearest;

/// Refuses addresses that name nothing. While data must be read the instances of a block
/// are not known, and only the block's name is looked at.
pub(super) fn check_addresses(
    options: &Options,
    planned: &Planned,
    complete: bool,
) -> Result<(), CliError> {
    let flags = [
        ("--target", &options.target),
        ("--exclude", &options.exclude),
        ("--replace", &options.replace),
    ];
    let complete = complete || planned.needs.is_empty();
    for (flag, name) in flags
        .iter()
        .flat_map(|(flag, names)| names.iter().map(move |name| (flag, name)))
    {
        let wanted = if complete { name } else { block(name) };
        let named = |address: &String| is_named(address, wanted);
        if planned.addresses.iter().any(named) {
            continue;
        }
        let error = CliError::new(format!(
            "{flag} {name}: no resource in the file or the state has this address."
        ))
        .now("Nothing was changed.");
        let addresses = planned.addresses.iter().map(String::as_str);
        return Err(error.hint(no_address(name, addresses)));
    }
    Ok(())
}

/// The most addresses in a hint.
const MOST_ADDRESSES: usize = 10;

/// The next step after an address that does not exist: the instances of its block, the nearest
/// address, or where all of them are.
pub(super) fn no_address<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let block = block(name);
    let of_block: Vec<&str> = known
        .clone()
        .filter(|address| is_named(address, block))
        .collect();
    let more = of_block.len().saturating_sub(MOST_ADDRESSES);
    let list = of_block[..of_block.len() - more].join(", ");
    match (of_block.as_slice(), nearest(name, known)) {
        ([only], _) => format!("Did you mean {only}?"),
        ([], Some(near)) => format!("Did you mean {near}?"),
        ([], None) => "`stackctl plan` and `stackctl state list` show the addresses.".to_owned(),
        _ if more > 0 => format!("The addresses of {block} are {list} and {more} more."),
        _ => format!("The addresses of {block} are {list}."),
    }
}
