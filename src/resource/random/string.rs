//! `random:RandomString`: a random string, drawn in the plan.

use crate::resource::author::*;
use crate::resource::random::{self, Recipe};

random::drawn! {
    /// A random string that stays the same until one of its properties changes. Not secret: for a
    /// secret one, see `random:RandomPassword`.
    ///
    /// ```yaml
    /// text:
    ///   type: random:RandomString
    ///   properties: {length: 8, special: false}
    /// ```
    #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct RandomString {
        /// The number of characters; at least the sum of the minimums.
        #[schemars(range(min = 1, max = 4096), extend("createOnly" = true))]
        pub length: u32,
    }
}

/// The outputs of `random:RandomString`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The string.
    #[schemars(extend("from" = random::DRAWN))]
    pub id: String,
    /// The string.
    #[schemars(extend("from" = random::DRAWN))]
    pub result: String,
}

impl Resource for RandomString {
    const TYPE: &'static str = "random:RandomString";
    const HOME: crate::resource::Home = crate::resource::Home::State;
    const IMPORT: Import = Import::Other("the string itself", |text| Ok(Imported::by(text)));
    type Outputs = Outputs;

    fn import_mismatch(props: &Value, live: &Attributes) -> Option<String> {
        let text = live["result"].as_str()?;
        let recipe = Recipe::of(props)?;
        (!recipe.fits(text)).then(|| {
            "the string does not fit the properties: its length, or the characters in it".to_owned()
        })
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        random::rules(rules)
    }

    const IMPORT_ID_FROM_OUTPUT: Option<ImportIdFromOutput> =
        Some(|_, value| Some(value.to_owned()));

    fn decide(props: &Value, draw: &mut Draw) -> Map<String, Value> {
        let Some(recipe) = Recipe::of(props) else {
            return Map::new();
        };
        let result = recipe.draw(&mut draw.rng);
        Map::from_iter([
            ("id".to_owned(), json!(result)),
            ("result".to_owned(), json!(result)),
        ])
    }

    async fn create(_cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        // What was not known in the plan is known now.
        let result = match random::decided(&new.decided, "result") {
            Some(result) => result.to_owned(),
            None => random::recipe(&new.props)?.draw(&mut rand::rng()),
        };
        Ok(Made::new(result.clone(), outputs(&result)))
    }

    async fn read(_cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let id = &read.id;
        let props = Self {
            length: u32::try_from(id.chars().count()).unwrap_or(u32::MAX),
            ..Self::default()
        };
        Ok(Some(Live::new(props, outputs(id))))
    }

    async fn delete(_cx: &Cx, _id: &str, _attributes: &Attributes) -> Result<(), Error> {
        Ok(())
    }

    async fn find(_cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        Ok(known.decided("result").map(str::to_owned))
    }
}

fn outputs(result: &str) -> Outputs {
    Outputs {
        id: result.to_owned(),
        result: result.to_owned(),
    }
}
