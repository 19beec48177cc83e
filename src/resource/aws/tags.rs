//! Tag changes by difference, and the keys that a user's tags must keep clear of.

use crate::data::Path;
use crate::resource::context::OWNER_TAG_PREFIX;
use crate::resource::error::{Effect, Error};
use crate::resource::read::Read;
use crate::resource::rules::Rules;
use crate::schema::broken::Broken;
use serde_json::Value;
use std::collections::BTreeMap;

/// What turns the `old` user tags into the `new` ones: the tags to set (new or with another value),
/// and the keys to remove. Keys of the owner's tags and of AWS's own are never touched, on
/// whichever side they stand.
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

/// Tags as a read was given them. Those that the caller may not read are recorded as denied
/// ([`Read::denied`]) and count as last known: no difference, and no false "does not exist".
///
/// # Errors
/// All others of the call.
pub(crate) fn read<T>(
    asked: &Read,
    action: &'static str,
    result: Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    match result {
        Err(error) if is_denied(&error) => {
            asked.denied("tags", action);
            Ok(None)
        }
        other => other,
    }
}

/// [`read`] of tags that the file or the state has; they are not asked for otherwise.
///
/// # Errors
/// As there.
pub(crate) async fn wanted<T>(
    asked: &Read,
    action: &'static str,
    call: impl Future<Output = Result<Option<T>, Error>>,
) -> Result<Option<T>, Error> {
    match asked.wants("tags") {
        true => read(asked, action, call.await),
        false => Ok(None),
    }
}

/// Whether the caller may not do what was called.
pub(crate) fn is_denied(error: &Error) -> bool {
    error.effect() == Effect::None
        && error.is(&[
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "UnauthorizedOperation",
        ])
}

/// The error where a resource exists and its tags, which say who created it, may not be read.
pub(crate) fn untold(what: &str, action: &str, error: &Error) -> Error {
    Error::with_hint(
        format!(
            "{what} exists, and its tags, which show whether this stack created it, cannot be read: {error}"
        ),
        format!("Allow {action} for the identity in use, then run the command again."),
    )
}

/// What a service wants of tags beside what all services want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagging {
    /// Nothing more.
    Plain,
    /// IAM: two keys that differ in case only are the same key (IAM User Guide, "Rules for
    /// tagging in IAM and AWS STS").
    IgnoresCase,
    /// API Gateway: a value has at least one character (service model,
    /// `StringWithLengthBetween1And1600`).
    NoEmptyValue,
}

/// The longest key and value of a tag, in characters (AWS General Reference, "Tagging AWS
/// resources").
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// Whether a tag's key or value may hold the character: `\p{L}\p{Z}\p{N}` and `_.:/=+-@`
/// (service models of IAM, Lambda and CloudWatch Logs; the other services document the same).
pub(crate) fn is_tag_character(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

/// Refuses what AWS refuses under `tags`, and the keys that reads exclude: AWS's own (`aws:`, in
/// any case) and the owner's. The schema limits the number of tags.
pub fn rules(rules: &Rules<'_>, tagging: Tagging) -> Vec<Broken> {
    rules_of(rules, "tags", tagging)
}

/// The same under another name.
pub(crate) fn rules_of(rules: &Rules<'_>, property: &str, tagging: Tagging) -> Vec<Broken> {
    let Some(Value::Object(tags)) = rules.known(property) else {
        return Vec::new();
    };
    let base = Path::root().join(property);
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut broken = Vec::new();
    for (key, value) in tags {
        let path = base.join(key);
        let twin = (tagging == Tagging::IgnoresCase)
            .then(|| seen.insert(key.to_ascii_lowercase(), key))
            .flatten();
        let known = rules.props.unknown_at(&path).is_none();
        let value = value.as_str().filter(|_| known);
        let twin = twin.map(|twin| {
            format!(
                "The tag keys {twin:?} and {key:?} differ in case only, and IAM takes them for \
                 the same key: keep one of them."
            )
        });
        let of_key = key_fault(key).into_iter().chain(twin);
        broken.extend(of_key.map(|message| Broken::new(path.clone(), message).on_key()));
        let of_value = value.and_then(|value| value_fault(key, value, tagging));
        broken.extend(of_value.map(|message| Broken::new(path, message)));
    }
    broken
}

fn key_fault(key: &str) -> Option<String> {
    let length = key.chars().count();
    if key.is_empty() {
        return Some("A tag key must not be empty.".to_owned());
    }
    if starts_with_ignoring_case(key, "aws:") || starts_with_ignoring_case(key, OWNER_TAG_PREFIX) {
        return Some(format!(
            "The tag key {key:?} is reserved: keys must not begin with \"aws:\" or \
             \"{OWNER_TAG_PREFIX}\", in upper or lower case."
        ));
    }
    if length > LONGEST_KEY {
        return Some(format!(
            "A tag key may have at most {LONGEST_KEY} characters, and this one has {length}."
        ));
    }
    let c = key.chars().find(|c| !is_tag_character(*c))?;
    Some(format!(
        "The tag key {key:?} holds {c:?}: keys may hold letters, digits, spaces and _.:/=+-@ only."
    ))
}

/// Says nothing of the value itself, which may be secret.
fn value_fault(key: &str, value: &str, tagging: Tagging) -> Option<String> {
    let length = value.chars().count();
    if value.is_empty() && tagging == Tagging::NoEmptyValue {
        return Some("API Gateway refuses a tag with an empty value.".to_owned());
    }
    if length > LONGEST_VALUE {
        return Some(format!(
            "The value of the tag {key:?} may have at most {LONGEST_VALUE} characters, and it has {length}."
        ));
    }
    (!value.chars().all(is_tag_character)).then(|| {
        format!("The value of the tag {key:?} may hold letters, digits, spaces and _.:/=+-@ only.")
    })
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
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

    /// The paths and messages of what is wrong with these tags.
    fn broken(tags: Value, tagging: Tagging) -> Vec<(String, String)> {
        let props = crate::data::Data::from(serde_json::json!({"tags": tags}));
        let rules = Rules {
            props: &props,
            peer: &|_| None,
        };
        let broken = super::rules(&rules, tagging).into_iter();
        broken
            .map(|broken| (broken.path.as_pointer().to_owned(), broken.message))
            .collect()
    }

    #[test]
    fn reserved_keys_are_refused_in_any_case() {
        let tags = serde_json::json!({
            "aws:a": "1", "AWS:b": "1", "Aws:": "1", "stackctl:stack": "x", "StackCtl:x": "1",
            "ok": "1", "aws": "1", "awsome:x": "1",
        });
        let found = broken(tags, Tagging::Plain);
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/tags/AWS:b",
                "/tags/Aws:",
                "/tags/StackCtl:x",
                "/tags/aws:a",
                "/tags/stackctl:stack"
            ]
        );
        assert!(
            found
                .iter()
                .all(|(_, message)| message.contains("reserved"))
        );
    }

    #[test]
    fn keys_and_values_that_aws_refuses_are_refused() {
        let long = |length: usize| "x".repeat(length);
        let fine = serde_json::json!({
            "a b_.:/=+-@ä": "", "k": long(256), (long(128)): "v", "Team": "a", "team": "b",
        });
        assert_eq!(broken(fine, Tagging::Plain), []);
        for (tags, words) in [
            (serde_json::json!({"": "v"}), "must not be empty"),
            (serde_json::json!({(long(129)): "v"}), "at most 128"),
            (serde_json::json!({"a*": "v"}), "holds '*'"),
            (serde_json::json!({"a\tb": "v"}), "holds '\\t'"),
            (serde_json::json!({"k": long(257)}), "at most 256"),
            (serde_json::json!({"k": "a\nb"}), "value of the tag \"k\""),
            (serde_json::json!({"k": "#"}), "value of the tag \"k\""),
        ] {
            let found = broken(tags, Tagging::Plain);
            assert_eq!(found.len(), 1, "{words}: {found:?}");
            assert!(found[0].1.contains(words), "{found:?}");
        }
    }

    #[test]
    fn what_one_service_refuses_is_refused_there() {
        let case = serde_json::json!({"Team": "a", "team": "b", "other": ""});
        let found = broken(case.clone(), Tagging::IgnoresCase);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "/tags/team");
        assert!(found[0].1.contains("\"Team\" and \"team\""));
        let found = broken(case, Tagging::NoEmptyValue);
        assert_eq!(found[0].0, "/tags/other");
        assert_eq!(found.len(), 1);
    }
}
