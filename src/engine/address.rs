//! Addresses: `name`, `name["key"]`, and `address (deposed key)` of a generation before.

use crate::store::state::split_deposed;
use serde_json::Value;

/// An object of the state: its address, and its key where it is a deposed generation.
pub(crate) type Object = (String, Option<String>);

/// The name of the block that an address belongs to.
pub(crate) fn block(address: &str) -> &str {
    address.split('[').next().unwrap_or(address)
}

/// The object that a row is about.
pub(crate) fn object(address: &str) -> Object {
    let (address, key) = split_deposed(address);
    (address.to_owned(), key.map(str::to_owned))
}

/// The address of an instance: `name` or `name["key"]`.
pub fn address(name: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("{name}[{}]", Value::from(key)),
        None => name.to_owned(),
    }
}

/// Whether an address is the named one, or an instance of the named block.
pub fn is_named(address: &str, name: &str) -> bool {
    address == name
        || address
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('['))
}

/// An address as one word of a shell or a YAML value.
pub(crate) fn quoted(address: &str) -> String {
    if address.contains(['[', ' ']) {
        format!("'{address}'")
    } else {
        address.to_owned()
    }
}
