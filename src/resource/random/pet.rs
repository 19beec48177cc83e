//! `random:RandomPet`: a name of random words, drawn in the plan.

use crate::resource::author::*;
use crate::resource::random::{self, words};
use rand::Rng;
use rand::seq::IndexedRandom;

/// A name of random words, easy to say and remember, such as `brisk-otter`. Not secret, and not
/// unique by far: two words give some 27,000 names.
///
/// ```yaml
/// pet:
///   type: random:RandomPet
///   properties: {}
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomPet {
    /// The number of words: an animal, an adjective before it, adverbs before that.
    #[schemars(range(min = 1, max = 32), extend("createOnly" = true, "writeOnly" = true, "default" = 2))]
    pub length: Option<u32>,
    /// What stands between the words.
    #[schemars(length(max = 1024), extend("createOnly" = true, "writeOnly" = true, "default" = "-"))]
    pub separator: Option<String>,
    /// A string in front of the words, with a separator after it.
    #[schemars(length(max = 1024), extend("createOnly" = true, "writeOnly" = true))]
    pub prefix: Option<String>,
    /// Values that force a new name when one of them changes.
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
    pub keepers: Option<BTreeMap<String, Value>>,
}

/// The outputs of `random:RandomPet`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The name.
    #[schemars(extend("from" = ["length", "prefix", "separator"]))]
    pub id: String,
}

impl Resource for RandomPet {
    const TYPE: &'static str = "random:RandomPet";
    const HOME: crate::resource::Home = crate::resource::Home::State;
    const IMPORT: Import = Import::Id("the name itself");
    type Outputs = Outputs;

    const IMPORT_ID_FROM_OUTPUT: Option<ImportIdFromOutput> =
        Some(|_, value| Some(value.to_owned()));

    fn decide(props: &Value, draw: &mut Draw) -> Map<String, Value> {
        let unknown = |name: &str| props.get(name).is_some_and(Value::is_null);
        if ["length", "separator", "prefix"].into_iter().any(unknown) {
            return Map::new();
        }
        let Ok(pet) = serde_json::from_value::<Self>(props.clone()) else {
            return Map::new();
        };
        Map::from_iter([("id".to_owned(), json!(pet.draw(&mut draw.rng)))])
    }

    async fn create(_cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let id = match random::decided(&new.decided, "id") {
            Some(id) => id.to_owned(),
            None => new.props.draw(&mut rand::rng()),
        };
        Ok(Made::new(id.clone(), Outputs { id }))
    }

    async fn read(_cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let id = read.id.clone();
        Ok(Some(Live::new(Self::default(), Outputs { id })))
    }

    async fn delete(_cx: &Cx, _id: &str, _attributes: &Attributes) -> Result<(), Error> {
        Ok(())
    }

    async fn find(_cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        Ok(known.decided("id").map(str::to_owned))
    }
}

impl RandomPet {
    fn draw(&self, rng: &mut impl Rng) -> String {
        let length = self.length.unwrap_or(2);
        let prefix = self.prefix.as_deref().filter(|prefix| !prefix.is_empty());
        let mut parts: Vec<&str> = prefix.into_iter().collect();
        // Counted from the end: 1 is the animal.
        for place in (1..=length).rev() {
            let list = match place {
                1 => words::ANIMALS,
                2 => words::ADJECTIVES,
                _ => words::ADVERBS,
            };
            parts.extend(list.choose(rng));
        }
        parts.join(self.separator.as_deref().unwrap_or("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn the_words_stand_in_their_order() {
        let mut rng = StdRng::seed_from_u64(1);
        let pet = RandomPet {
            length: Some(4),
            separator: Some("_".to_owned()),
            prefix: Some("my".to_owned()),
            keepers: None,
        };
        let name = pet.draw(&mut rng);
        let parts: Vec<&str> = name.split('_').collect();
        assert_eq!(parts.len(), 5);
        assert_eq!(parts[0], "my");
        assert!(words::ADVERBS.contains(&parts[1]) && words::ADVERBS.contains(&parts[2]));
        assert!(words::ADJECTIVES.contains(&parts[3]) && words::ANIMALS.contains(&parts[4]));
        let plain = RandomPet::default().draw(&mut rng);
        assert_eq!(plain.split('-').count(), 2);
    }
}
