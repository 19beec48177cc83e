//! What the random types share: drawing a string from classes of characters.
//!
//! Random values are drawn in the plan, so that names are known; `RandomPassword` is drawn in the
//! apply, so that no plan holds it.

pub mod id;
pub mod password;
pub mod pet;
pub mod string;
pub mod words;

use crate::data::Inputs;
use crate::resource::author::*;
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";

/// A class of characters: its on/off property, its minimum's property, its characters.
const CLASSES: [(&str, &str, &str); 4] = [
    ("upper", "minUpper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("lower", "minLower", "abcdefghijklmnopqrstuvwxyz"),
    ("numeric", "minNumeric", "0123456789"),
    ("special", "minSpecial", SPECIAL),
];

/// The properties that decide on a string that is drawn: all but `keepers`.
pub const DRAWN: &[&str] = &[
    "length",
    "upper",
    "lower",
    "numeric",
    "special",
    "minUpper",
    "minLower",
    "minNumeric",
    "minSpecial",
    "overrideSpecial",
];

/// A struct of properties with those that say what is drawn, which strings and passwords share.
macro_rules! drawn {
    ($(#[$about:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $(#[$about])*
        pub struct $name {
            $($own)*
            /// Whether to draw from A to Z.
            #[schemars(extend("createOnly" = true, "writeOnly" = true, "default" = true))]
            pub upper: Option<bool>,
            /// Whether to draw from a to z.
            #[schemars(extend("createOnly" = true, "writeOnly" = true, "default" = true))]
            pub lower: Option<bool>,
            /// Whether to draw from 0 to 9.
            #[schemars(extend("createOnly" = true, "writeOnly" = true, "default" = true))]
            pub numeric: Option<bool>,
            /// Whether to draw from ``!@#$%&*()-_=+[]{}<>:?``, or from `overrideSpecial`.
            #[schemars(extend("createOnly" = true, "writeOnly" = true, "default" = true))]
            pub special: Option<bool>,
            /// The least number of characters from A to Z.
            #[schemars(range(min = 0, max = 4096), extend("createOnly" = true, "writeOnly" = true, "default" = 0))]
            pub min_upper: Option<u32>,
            /// The least number of characters from a to z.
            #[schemars(range(min = 0, max = 4096), extend("createOnly" = true, "writeOnly" = true, "default" = 0))]
            pub min_lower: Option<u32>,
            /// The least number of digits.
            #[schemars(range(min = 0, max = 4096), extend("createOnly" = true, "writeOnly" = true, "default" = 0))]
            pub min_numeric: Option<u32>,
            /// The least number of special characters.
            #[schemars(range(min = 0, max = 4096), extend("createOnly" = true, "writeOnly" = true, "default" = 0))]
            pub min_special: Option<u32>,
            /// The special characters to draw from, in place of the usual ones.
            #[schemars(extend("createOnly" = true, "writeOnly" = true))]
            pub override_special: Option<String>,
            /// Values that force a new string when one of them changes.
            #[schemars(extend("createOnly" = true, "writeOnly" = true))]
            pub keepers: Option<BTreeMap<String, Value>>,
        }
    };
}
pub(crate) use drawn;

/// What a random string must look like, from the properties that strings and passwords have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    length: usize,
    /// The characters of each class in use, and how many at least are drawn from it.
    classes: Vec<(Vec<char>, usize)>,
}

impl Recipe {
    /// The recipe in the properties; none where one that matters is not known (null).
    pub fn of(props: &Value) -> Option<Self> {
        let count = |name: &str| match props.get(name) {
            None => Some(0),
            Some(value) => value.as_u64().and_then(|count| usize::try_from(count).ok()),
        };
        let length = count("length")?;
        let own = match props.get("overrideSpecial") {
            None => None,
            Some(value) => Some(value.as_str()?).filter(|text| !text.is_empty()),
        };
        let mut classes = Vec::new();
        for (name, minimum, characters) in CLASSES {
            let on = match props.get(name) {
                None => true,
                Some(value) => value.as_bool()?,
            };
            let least = count(minimum)?;
            let characters = own.filter(|_| name == "special").unwrap_or(characters);
            if on {
                classes.push((characters.chars().collect(), least));
            }
        }
        Some(Self { length, classes })
    }

    /// Draws a string: the minimums from each class, the rest from all of them, shuffled.
    pub fn draw(&self, rng: &mut impl Rng) -> String {
        let mut drawn: Vec<char> = Vec::with_capacity(self.length);
        for (characters, least) in &self.classes {
            drawn.extend((0..*least).filter_map(|_| characters.choose(rng)));
        }
        let all: Vec<char> = self
            .classes
            .iter()
            .flat_map(|(characters, _)| characters.iter().copied())
            .collect();
        drawn.extend((drawn.len()..self.length).filter_map(|_| all.choose(rng)));
        drawn.shuffle(rng);
        drawn.into_iter().collect()
    }

    /// Whether this recipe could have drawn a string.
    pub fn fits(&self, text: &str) -> bool {
        let counts = |characters: &[char]| text.chars().filter(|c| characters.contains(c)).count();
        text.chars().count() == self.length
            && text.chars().all(|c| {
                self.classes
                    .iter()
                    .any(|(characters, _)| characters.contains(&c))
            })
            && self
                .classes
                .iter()
                .all(|(characters, least)| counts(characters) >= *least)
    }
}

/// Rules that strings and passwords share: the minimums fit into the length and belong to
/// classes in use, of which there is at least one.
pub fn rules(rules: &Rules<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let off = |name: &str| rules.known(name) == Some(&Value::Bool(false));
    let count = |name: &str| rules.known(name).and_then(Value::as_u64).unwrap_or(0);
    if CLASSES.iter().all(|(name, _, _)| off(name)) {
        broken.push(Broken::at(
            "upper",
            "No characters are left to draw from: leave at least one of upper, lower, numeric and special on.",
        ));
    }
    for (name, minimum, _) in CLASSES {
        if off(name) && count(minimum) > 0 {
            broken.push(Broken::at(
                minimum,
                format!("{minimum} asks for characters that {name}: false leaves out."),
            ));
        }
    }
    let sum = CLASSES
        .iter()
        .map(|(_, minimum, _)| count(minimum))
        .sum::<u64>();
    if let Some(length) = rules.known("length").and_then(Value::as_u64)
        && length < sum
    {
        broken.push(Broken::at(
            "length",
            format!("The length is {length}, but the minimums add up to {sum}."),
        ));
    }
    broken
}

/// The recipe in properties that are all known.
pub fn recipe(props: &impl Serialize) -> Result<Recipe, Error> {
    Inputs::of(props)
        .ok()
        .and_then(|inputs| Recipe::of(&inputs))
        .ok_or_else(|| Error::failed("the properties do not say what to draw"))
}

/// A string that was decided in the plan.
pub fn decided<'d>(decided: &'d Map<String, Value>, name: &str) -> Option<&'d str> {
    decided.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use serde_json::json;

    fn broken(props: Value) -> Vec<String> {
        let props = Data::from(props);
        let found = rules(&Rules {
            props: &props,
            peer: &|_| None,
        });
        found
            .into_iter()
            .map(|broken| broken.path.to_string())
            .collect()
    }

    #[test]
    fn minimums_are_checked() {
        assert_eq!(
            broken(json!({"length": 4, "minUpper": 2, "minLower": 2})),
            [""; 0]
        );
        assert_eq!(
            broken(json!({"length": 3, "minUpper": 2, "minLower": 2})),
            ["length"]
        );
        assert_eq!(
            broken(json!({"length": 3, "upper": false, "minUpper": 1})),
            ["minUpper"]
        );
        let none = json!({"length": 3, "upper": false, "lower": false, "numeric": false, "special": false});
        assert_eq!(broken(none), ["upper"]);
    }

    #[test]
    fn an_unknown_property_gives_no_recipe() {
        assert_eq!(Recipe::of(&json!({"length": 4, "special": null})), None);
        assert_eq!(Recipe::of(&json!({"length": null})), None);
        assert!(Recipe::of(&json!({"length": 4, "keepers": null})).is_some());
    }

    #[test]
    fn an_own_set_of_specials_replaces_the_usual_one() {
        let props = json!({"length": 50, "upper": false, "lower": false, "numeric": false, "overrideSpecial": "._"});
        let text = Recipe::of(&props).map(|recipe| recipe.draw(&mut StdRng::seed_from_u64(1)));
        let text = text.unwrap_or_default();
        assert_eq!(text.len(), 50);
        assert!(text.chars().all(|c| "._".contains(c)), "{text}");
    }

    proptest! {
        #[test]
        fn what_is_drawn_fits(
            seed in any::<u64>(), upper in any::<bool>(), lower in any::<bool>(),
            special in any::<bool>(), minimum in 0..4_u64, more in 0..20_u64,
        ) {
            let mut props = json!({
                "length": 4 * minimum + more, "upper": upper, "lower": lower,
                "special": special, "minNumeric": minimum,
            });
            for (on, name) in [(upper, "minUpper"), (lower, "minLower"), (special, "minSpecial")] {
                if on {
                    props[name] = json!(minimum);
                }
            }
            let recipe = Recipe::of(&props);
            prop_assert!(recipe.is_some());
            if let Some(recipe) = recipe {
                let text = recipe.draw(&mut StdRng::seed_from_u64(seed));
                prop_assert!(recipe.fits(&text), "{text}");
                let longer = text.clone() + "x";
                prop_assert!(!recipe.fits(&longer));
            }
        }
    }
}
