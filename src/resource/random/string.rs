//! `random:RandomString`: a random text, drawn when the plan is made.

use crate::resource::context::{Cx, Draw};
use crate::resource::error::Error;
use crate::resource::{Live, Made, New, Resource};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A random text that stays the same until one of its properties changes. Not secret.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RandomString {
    /// The number of characters.
    #[schemars(range(min = 1, max = 4096), extend("createOnly" = true))]
    pub length: usize,
    /// Values that make a new text when one of them changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("createOnly" = true, "writeOnly" = true))]
    pub keepers: Option<BTreeMap<String, Value>>,
}

/// The outputs of `random:RandomString`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The text.
    pub result: String,
}

impl Resource for RandomString {
    const TYPE: &'static str = "random:RandomString";
    type Outputs = Outputs;

    fn decide(props: &Value, draw: &mut Draw) -> Map<String, Value> {
        let length = props["length"].as_u64().unwrap_or(0) as usize;
        let result: String =
            (0..length).map(|_| char::from(draw.rng.random_range(b'a'..=b'z'))).collect();
        Map::from_iter([("result".to_owned(), json!(result))])
    }

    async fn create(_cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let result = new.decided["result"].as_str().unwrap_or_default().to_owned();
        Ok(Made { id: result.clone(), outputs: Outputs { result } })
    }

    async fn read(_cx: &Cx, id: &str, attrs: &Value) -> Result<Option<Live<Self, Outputs>>, Error> {
        let props = serde_json::from_value(json!({"length": attrs["length"]}))
            .map_err(|error| Error::failed(error.to_string()))?;
        Ok(Some(Live { props, outputs: Outputs { result: id.to_owned() } }))
    }

    async fn delete(_cx: &Cx, _id: &str, _attrs: &Value) -> Result<(), Error> {
        Ok(())
    }

    async fn find(_cx: &Cx, new: &New<Self>) -> Result<Option<String>, Error> {
        Ok(new.decided.get("result").and_then(Value::as_str).map(str::to_owned))
    }
}
