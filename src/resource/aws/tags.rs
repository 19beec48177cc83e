//! Tag changes by difference, and the keys that a user's tags must keep clear of.

use crate::data::Path;
use crate::resource::context::OWNER_TAG_PREFIX;
use crate::resource::{Broken, Rules};
use serde_json::Value;
use std::collections::BTreeMap;

/// What turns the `old` user tags into the `new` ones: the tags to set (new or with another
/// value), and the keys to take away. Keys of the owner's tags and of AWS's own are never
/// touched, on whichever side they stand.
pub fn tag_diff(
    old: Option<&BTreeMap<String, String>>,
    new: Option<&BTreeMap<String, String>>,
) -> (BTreeMap<String, String>, Vec<String>) {
    let value = |tags: Option<&BTreeMap<String, String>>, key: &str| {
        tags.and_then(|tags| tags.get(key)).cloned()
    };
    let to_set = new
        .into_iter()
        .flatten()
        .filter(|(key, wanted)| !is_reserved(key) && value(old, key).as_ref() != Some(*wanted))
        .map(|(key, wanted)| (key.clone(), wanted.clone()))
        .collect();
    let to_remove = old
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .filter(|key| !is_reserved(key) && value(new, key).is_none())
        .cloned()
        .collect();
    (to_set, to_remove)
}

/// Refuses keys under `tags` that reads leave out: AWS's own (`aws:`) and the owner's.
pub fn rules(rules: &Rules<'_>) -> Vec<Broken> {
    let Some(Value::Object(tags)) = rules.known("tags") else {
        return Vec::new();
    };
    tags.keys()
        .filter(|key| is_reserved(key))
        .map(|key| Broken::new(
            Path::root().join("tags").join(key),
            format!("The tag key \"{key}\" is reserved: keys must not begin with \"aws:\" or \"{OWNER_TAG_PREFIX}\"."),
        ).on_key())
        .collect()
}

fn is_reserved(key: &str) -> bool {
    key.starts_with("aws:") || key.starts_with(OWNER_TAG_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn only_what_differs_is_sent() {
        let old = tags(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let new = tags(&[("a", "1"), ("b", "2"), ("d", "1")]);
        let (set, remove) = tag_diff(Some(&old), Some(&new));
        assert_eq!(set, tags(&[("b", "2"), ("d", "1")]));
        assert_eq!(remove, ["c"]);
    }

    #[test]
    fn owner_tags_are_never_touched() {
        let old = tags(&[("stackctl:stack", "s"), ("aws:x", "y"), ("a", "1")]);
        let (set, remove) = tag_diff(Some(&old), None);
        assert!(set.is_empty());
        assert_eq!(remove, ["a"]);
        let new = tags(&[("stackctl:stack", "other")]);
        assert_eq!(tag_diff(None, Some(&new)), (BTreeMap::new(), Vec::new()));
    }

    #[test]
    fn reserved_keys_are_refused_in_the_file() {
        let props = crate::data::Data::from(
            serde_json::json!({"tags": {"aws:a": "1", "stackctl:stack": "x", "ok": "1"}}),
        );
        let broken = super::rules(&Rules {
            props: &props,
            peer: &|_| None,
        });
        assert_eq!(broken.len(), 2);
        assert_eq!(broken[0].path.as_pointer(), "/tags/aws:a");
    }
}
