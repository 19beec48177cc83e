//! The name a resource gets at AWS when the stack file gives none: settled in the plan, so
//! that it is known to whoever refers to it.

use crate::resource::context::{Cx, Draw};
use crate::resource::{Broken, Known, Rules};
use rand::RngExt;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// How many random characters make a generated name unique: 36^7 of them.
pub const SUFFIX_LENGTH: usize = 7;
const SUFFIX_CHARACTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// What a type's names may look like.
#[derive(Debug, Clone, Copy)]
pub struct Naming {
    /// The most characters a name may have, its ending included.
    pub longest: usize,
    /// Whether a character may be in a name; others become `-`.
    pub allowed: fn(char) -> bool,
}

impl Naming {
    /// The generated name under the key `name`, for [`crate::resource::Resource::decide`].
    /// Nothing where the file gives a name, or a name or prefix that is not known yet (a
    /// null stands for it).
    pub fn decide(&self, props: &Value, draw: &mut Draw, ending: &str) -> Map<String, Value> {
        let prefix = props.get("namePrefix");
        if props.get("name").is_some() || prefix.is_some_and(Value::is_null) {
            return Map::new();
        }
        let suffix: String = (0..SUFFIX_LENGTH)
            .map(|_| character(draw.rng.random_range(0..SUFFIX_CHARACTERS.len())))
            .collect();
        let name = self.generated(
            prefix.and_then(Value::as_str),
            &draw.address,
            &suffix,
            ending,
        );
        Map::from_iter([("name".to_owned(), json!(name))])
    }

    /// The name to create the resource under: the one in the file, or the one decided. A
    /// name or prefix that turned out to be empty only when it was evaluated gives one made
    /// of the operation, so that the same create always gives the same name.
    pub fn name_of(
        &self,
        cx: &Cx,
        given: Given<'_>,
        decided: &Map<String, Value>,
        ending: &str,
    ) -> String {
        let decided = decided.get("name").and_then(Value::as_str);
        if let Some(name) = given.name.filter(|name| !name.is_empty()).or(decided) {
            return name.to_owned();
        }
        let suffix: String = Sha256::digest(cx.owner.operation.as_bytes())
            .iter()
            .take(SUFFIX_LENGTH)
            .map(|byte| character(usize::from(*byte) % SUFFIX_CHARACTERS.len()))
            .collect();
        self.generated(given.prefix, &cx.owner.address, &suffix, ending)
    }

    /// The same of properties that may not all be known; none where the name is not.
    pub fn known(&self, cx: &Cx, known: &Known, ending: &str) -> Option<String> {
        if known.is_withheld("name") {
            return None;
        }
        let given = Given {
            name: known.text("name"),
            prefix: known.text("namePrefix"),
        };
        let open = known.is_withheld("namePrefix") || known.is_withheld("fifoQueue");
        if open && given.name.is_none() && known.decided("name").is_none() {
            return None;
        }
        Some(self.name_of(cx, given, known.all_decided(), ending))
    }

    fn generated(&self, prefix: Option<&str>, address: &str, suffix: &str, ending: &str) -> String {
        if let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) {
            return format!("{prefix}{suffix}{ending}");
        }
        let room = self.longest - suffix.len() - 1 - ending.len();
        format!("{}-{suffix}{ending}", self.base(address, room))
    }

    /// How the names begin that were generated for an address, where neither name nor prefix
    /// is given.
    pub fn beginning(&self, address: &str, ending: &str) -> String {
        let room = self.longest - SUFFIX_LENGTH - 1 - ending.len();
        format!("{}-", self.base(address, room))
    }

    fn base(&self, address: &str, room: usize) -> String {
        let mut base = String::new();
        for c in address.chars() {
            if (self.allowed)(c) {
                base.push(c);
            } else if !base.ends_with('-') {
                base.push('-');
            }
        }
        base.trim_matches('-').chars().take(room).collect()
    }
}

/// The name properties of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// `name`.
    pub name: Option<&'a str>,
    /// `namePrefix`.
    pub prefix: Option<&'a str>,
}

/// Refuses `name` and `namePrefix` side by side.
pub fn rules(rules: &Rules<'_>) -> Vec<Broken> {
    if rules.given("name") && rules.given("namePrefix") {
        return vec![Broken::at(
            "namePrefix",
            "name and namePrefix exclude each other: give one of them.",
        )];
    }
    Vec::new()
}

fn character(index: usize) -> char {
    char::from(SUFFIX_CHARACTERS[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMING: Naming = Naming {
        longest: 30,
        allowed: |c| c.is_ascii_alphanumeric() || c == '-' || c == '_',
    };

    fn decided(props: &Value, address: &str, ending: &str) -> Option<String> {
        let mut draw = Draw::new(7, address, 0);
        Some(
            NAMING
                .decide(props, &mut draw, ending)
                .get("name")?
                .as_str()?
                .to_owned(),
        )
    }

    #[test]
    fn a_name_is_made_of_the_address() {
        let name = decided(&json!({}), "queue[\"a.b\"]", "").unwrap_or_default();
        assert!(name.starts_with("queue-a-b-"), "{name}");
        assert_eq!(name.len(), "queue-a-b-".len() + SUFFIX_LENGTH);
        assert_eq!(decided(&json!({}), "queue[\"a.b\"]", ""), Some(name));
    }

    #[test]
    fn a_long_address_is_cut_and_the_ending_stays() {
        let name = decided(&json!({}), &"x".repeat(99), ".fifo").unwrap_or_default();
        assert_eq!(name.len(), 30);
        assert!(name.ends_with(".fifo"));
    }

    #[test]
    fn a_given_or_unknown_name_is_left_alone() {
        assert_eq!(decided(&json!({"name": "mine"}), "a", ""), None);
        assert_eq!(decided(&json!({"name": null}), "a", ""), None);
        assert_eq!(decided(&json!({"namePrefix": null}), "a", ""), None);
        let name = decided(&json!({"namePrefix": "pre."}), "a", ".fifo").unwrap_or_default();
        assert!(
            name.starts_with("pre.") && name.ends_with(".fifo"),
            "{name}"
        );
    }

    #[test]
    fn a_name_without_a_decision_comes_from_the_operation() {
        let mut cx = Cx::new(std::sync::Arc::new(crate::resource::aws::Aws::offline()));
        cx.owner.address = "q".to_owned();
        cx.owner.operation = "op-1".to_owned();
        let given = Given {
            name: None,
            prefix: Some("p-"),
        };
        let name = NAMING.name_of(&cx, given, &Map::new(), "");
        assert!(
            name.starts_with("p-") && name.len() == 2 + SUFFIX_LENGTH,
            "{name}"
        );
        assert_eq!(NAMING.name_of(&cx, given, &Map::new(), ""), name);
    }
}
