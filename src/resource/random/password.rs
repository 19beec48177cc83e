//! `random:RandomPassword`: a secret random string, drawn when it is created.

use crate::resource::author::*;
use crate::resource::random;

random::drawn! {
    /// A secret random string that stays the same until one of its properties changes. It is drawn
    /// when it is created, not in the plan, so that no saved plan holds it.
    ///
    /// ```yaml
    /// password:
    ///   type: random:RandomPassword
    ///   properties: {length: 24}
    /// ```
    #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct RandomPassword {
        /// The number of characters; at least the sum of the minimums.
        #[schemars(range(min = 1, max = 4096), extend("createOnly" = true, "writeOnly" = true))]
        pub length: u32,
    }
}

/// The outputs of `random:RandomPassword`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// Always `none`: an id is shown, a password is not.
    #[schemars(extend("from" = []))]
    pub id: String,
    /// The password.
    #[schemars(extend("sensitive" = true, "from" = random::DRAWN))]
    pub result: Option<String>,
}

const ID: &str = "none";

/// What a user names it by, taken apart.
fn imported(text: &str) -> Result<Imported, String> {
    let mut found = Imported::by(ID);
    found.attrs.insert("result".to_owned(), Value::from(text));
    Ok(found)
}

impl Resource for RandomPassword {
    const TYPE: &'static str = "random:RandomPassword";
    const HOME: crate::resource::Home = crate::resource::Home::State;
    const IMPORT: Import = Import::Other(
        "the password itself; `-` reads it from the standard input",
        imported,
    );
    const IMPORT_IS_SECRET: bool = true;
    type Outputs = Outputs;

    fn import_mismatch(props: &Value, live: &Attributes) -> Option<String> {
        let text = live["result"].as_str()?;
        let recipe = random::Recipe::of(props)?;
        (!recipe.fits(text)).then(|| {
            "the string does not fit the properties: its length, or the characters in it".to_owned()
        })
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        random::rules(rules)
    }

    async fn create(_cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let result = random::recipe(&new.props)?.draw(&mut rand::rng());
        Ok(Made::new(ID.to_owned(), outputs(Some(result))))
    }

    /// The recipe is the file's: nothing outside has it.
    async fn read(_cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let result = read.attributes["result"].as_str().map(str::to_owned);
        Ok(Some(Live::new(Self::default(), outputs(result))))
    }

    async fn delete(_cx: &Cx, _id: &str, _attributes: &Attributes) -> Result<(), Error> {
        Ok(())
    }

    /// Nothing outside holds a password: one whose create left no result was never used.
    async fn find(_cx: &Cx, _known: &Known) -> Result<Option<String>, Error> {
        Ok(None)
    }
}

fn outputs(result: Option<String>) -> Outputs {
    Outputs {
        id: ID.to_owned(),
        result,
    }
}
