//! The name a resource gets at AWS when the stack file gives none: decided in the plan, so that it
//! is known to what refers to it.

use crate::resource::context::{Cx, Draw};
use crate::resource::error::Error;
use crate::resource::known::Known;
use crate::resource::rules::Rules;
use crate::schema::broken::Broken;
use rand::RngExt;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// How many random characters keep a generated name unique: 36^7 of them.
pub const SUFFIX_LENGTH: usize = 7;
const SUFFIX_CHARACTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// What a type's names may look like.
#[derive(Debug, Clone, Copy)]
pub struct Naming {
    /// The most characters a name may have, its ending included.
    pub longest: usize,
    /// Whether a character may be in a name; others become `-`.
    pub allowed: fn(char) -> bool,
    /// The bool property with which names have an ending, and the ending.
    pub ending: Option<(&'static str, &'static str)>,
}

impl Naming {
    /// The generated name under the key `name`, for [`crate::resource::Resource::decide`].
    /// Nothing where the file gives a name, or a name or prefix that is not known yet (a
    /// null stands for it), or where it is not known whether an ending belongs there.
    pub fn decide(&self, props: &Value, draw: &mut Draw) -> Map<String, Value> {
        let prefix = props.get("namePrefix");
        let ending = self.ending.and_then(|(property, _)| props.get(property));
        let is_open = |value: Option<&Value>| value.is_some_and(Value::is_null);
        if props.get("name").is_some() || is_open(prefix) || is_open(ending) {
            return Map::new();
        }
        let suffix: String = (0..SUFFIX_LENGTH)
            .map(|_| character(draw.rng.random_range(0..SUFFIX_CHARACTERS.len())))
            .collect();
        let name = self.generated(
            prefix.and_then(Value::as_str),
            &draw.address,
            &suffix,
            self.ending(props),
        );
        Map::from_iter([("name".to_owned(), json!(name))])
    }

    /// The name to create the resource under: the one in the file, or the one decided. A name or
    /// prefix that turned out to be empty only when it was evaluated gives one generated from the
    /// operation, so that the same create always gives the same name.
    ///
    /// # Errors
    /// When the properties cannot be written as JSON.
    pub fn name_of(
        &self,
        cx: &Cx,
        props: &impl Serialize,
        decided: &Map<String, Value>,
    ) -> Result<String, Error> {
        let props =
            serde_json::to_value(props).map_err(|error| Error::failed(error.to_string()))?;
        Ok(self.name_in(cx, &props, decided))
    }

    fn name_in(&self, cx: &Cx, props: &Value, decided: &Map<String, Value>) -> String {
        let given = props["name"].as_str().filter(|name| !name.is_empty());
        let decided = decided.get("name").and_then(Value::as_str);
        if let Some(name) = given.or(decided) {
            return name.to_owned();
        }
        let suffix: String = Sha256::digest(cx.owner.operation.as_bytes())
            .iter()
            .take(SUFFIX_LENGTH)
            .map(|byte| character(usize::from(*byte) % SUFFIX_CHARACTERS.len()))
            .collect();
        let prefix = props["namePrefix"].as_str();
        self.generated(prefix, &cx.owner.address, &suffix, self.ending(props))
    }

    /// What a generated name ends with.
    fn ending(&self, props: &Value) -> &'static str {
        let ending = self.ending.filter(|(property, _)| props[property] == true);
        ending.map_or("", |(_, ending)| ending)
    }

    /// The same of properties that may not all be known; none where the name is not.
    pub fn known(&self, cx: &Cx, known: &Known) -> Option<String> {
        if known.is_withheld("name") {
            return None;
        }
        let ending = self.ending.map(|(property, _)| property);
        let mut parts = ["namePrefix"].into_iter().chain(ending);
        let is_open = parts.any(|name| known.is_withheld(name));
        if is_open && known.text("name").or(known.decided("name")).is_none() {
            return None;
        }
        Some(self.name_in(cx, known.inputs(), known.all_decided()))
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
    pub fn beginning(&self, cx: &Cx, known: &Known) -> String {
        let ending = self.ending(known.inputs());
        let room = self.longest - SUFFIX_LENGTH - 1 - ending.len();
        format!("{}-", self.base(&cx.owner.address, room))
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
        ending: Some(("fifo", ".fifo")),
    };

    fn decided(props: &Value, address: &str) -> Option<String> {
        let mut draw = Draw::new(7, address, 0);
        Some(
            NAMING
                .decide(props, &mut draw)
                .get("name")?
                .as_str()?
                .to_owned(),
        )
    }

    #[test]
    fn a_name_is_generated_from_the_address() {
        let name = decided(&json!({}), "queue[\"a.b\"]").unwrap_or_default();
        assert!(name.starts_with("queue-a-b-"), "{name}");
        assert_eq!(name.len(), "queue-a-b-".len() + SUFFIX_LENGTH);
        assert_eq!(decided(&json!({}), "queue[\"a.b\"]"), Some(name));
    }

    #[test]
    fn a_long_address_is_cut_and_the_ending_stays() {
        let name = decided(&json!({"fifo": true}), &"x".repeat(99)).unwrap_or_default();
        assert_eq!(name.len(), 30);
        assert!(name.ends_with(".fifo"));
    }

    #[test]
    fn a_given_or_unknown_name_is_left_alone() {
        assert_eq!(decided(&json!({"name": "mine"}), "a"), None);
        assert_eq!(decided(&json!({"name": null}), "a"), None);
        assert_eq!(decided(&json!({"namePrefix": null}), "a"), None);
        assert_eq!(decided(&json!({"fifo": null}), "a"), None);
        let name = decided(&json!({"namePrefix": "pre.", "fifo": true}), "a").unwrap_or_default();
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
        let given = json!({"namePrefix": "p-"});
        let name = NAMING.name_in(&cx, &given, &Map::new());
        assert!(
            name.starts_with("p-") && name.len() == 2 + SUFFIX_LENGTH,
            "{name}"
        );
        assert_eq!(NAMING.name_in(&cx, &given, &Map::new()), name);
    }
}
