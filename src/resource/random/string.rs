//! `random:RandomString`: a random text, drawn when the plan is made.

use crate::resource::author::*;
use crate::resource::random::{self, Recipe};

/// A random text that stays the same until one of its properties changes. Not secret: for
/// a secret one, see `random:RandomPassword`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomString {
    /// The number of characters; at least the sum of the minimums.
    #[schemars(range(min = 1, max = 4096), extend("createOnly" = true))]
    pub length: u32,
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
    /// Values that make a new text when one of them changes.
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
    pub keepers: Option<BTreeMap<String, Value>>,
}

/// The outputs of `random:RandomString`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The text.
    #[schemars(extend("from" = random::DRAWN))]
    pub id: String,
    /// The text.
    #[schemars(extend("from" = random::DRAWN))]
    pub result: String,
}

impl Resource for RandomString {
    const TYPE: &'static str = "random:RandomString";
    const HOME: crate::resource::Home = crate::resource::Home::State;
    const IMPORT: Import = Import::Other("the text itself", |text| Ok(Imported::by(text)));
    type Outputs = Outputs;

    fn unfit(props: &Value, attrs: &Value) -> Option<String> {
        let text = attrs["result"].as_str()?;
        let recipe = Recipe::of(props)?;
        (!recipe.fits(text)).then(|| {
            "the text does not fit the properties: its length, or the characters in it".to_owned()
        })
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        random::rules(rules)
    }

    const TOLD: Option<Told> = Some(|_, value| Some(value.to_owned()));

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
        Ok(Made {
            id: result.clone(),
            outputs: outputs(&result),
        })
    }

    async fn read(
        _cx: &Cx,
        id: &str,
        _attrs: &Value,
    ) -> Result<Option<Live<Self, Outputs>>, Error> {
        let props = Self {
            length: u32::try_from(id.chars().count()).unwrap_or(u32::MAX),
            ..Self::default()
        };
        Ok(Some(Live::new(props, outputs(id))))
    }

    async fn delete(_cx: &Cx, _id: &str, _attrs: &Value) -> Result<(), Error> {
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
