//! Addresses: `name`, `name["key"]`, and `address (deposed key)` of a generation before.

use crate::lang::eval::is_identifier;
use crate::store::state::split_deposed;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// A resource of the state: its address, and its key where it is a deposed generation.
pub(crate) type ResourceKey = (String, Option<String>);

/// The name of the block that an address belongs to.
pub(crate) fn block(address: &str) -> &str {
    address.split('[').next().unwrap_or(address)
}

/// The resource that a row is about.
pub(crate) fn resource_key(address: &str) -> ResourceKey {
    let (address, key) = split_deposed(address);
    (address.to_owned(), key.map(str::to_owned))
}

/// The address of an instance: `name` or `name["key"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address<'a> {
    /// The name of its block.
    pub name: &'a str,
    /// Its key, where the block has `forEach`.
    pub key: Option<Cow<'a, str>>,
}

impl<'a> Address<'a> {
    /// The address of the instance with this key, or of the only one.
    pub fn new(name: &'a str, key: Option<&'a str>) -> Self {
        let key = key.map(Cow::Borrowed);
        Self { name, key }
    }

    /// Parses an address; none where the string is not one.
    pub fn parse(text: &'a str) -> Option<Self> {
        let name = block(text);
        let key = match &text[name.len()..] {
            "" => None,
            rest => {
                let key = rest.strip_prefix('[')?.strip_suffix(']')?;
                Some(Cow::Owned(serde_json::from_str(key).ok()?))
            }
        };
        is_identifier(name).then_some(Self { name, key })
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match &self.key {
            Some(key) => write!(f, "[{}]", Value::from(&**key)),
            None => Ok(()),
        }
    }
}

/// Whether an address is the named one, or an instance of the named block.
pub fn is_named(address: &str, name: &str) -> bool {
    address == name || block(address) == name
}

/// Whether an address, or its block, is in the list.
pub(crate) fn is_among(address: &str, list: &[String]) -> bool {
    list.iter().any(|name| is_named(address, name))
}

/// An address as one word of a shell or a YAML value.
pub(crate) fn quoted(address: &str) -> String {
    if address.contains(['[', ' ']) {
        format!("'{address}'")
    } else {
        address.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_name_with_or_without_a_key() {
        for (text, name, key) in [
            ("old", "old", None),
            ("_q-1", "_q-1", None),
            ("old[\"a b\"]", "old", Some("a b")),
            ("old[\"a\\\"]\"]", "old", Some("a\"]")),
        ] {
            let address = Address::new(name, key);
            assert_eq!(Address::parse(text).as_ref(), Some(&address));
            assert_eq!(address.to_string(), text);
        }
        // One address has one form, however it is written.
        let written = Address::parse("old[ \"\\u0061\" ]").map(|it| it.to_string());
        assert_eq!(written.as_deref(), Some("old[\"a\"]"));
        for text in [
            "",
            "1a",
            "a.b",
            "old[a]",
            "old[0]",
            "old[\"a\"",
            "old[\"a\"]x",
            "[\"a\"]",
            "o d",
            "ö",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
