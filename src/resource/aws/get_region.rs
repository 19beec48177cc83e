//! `aws:getRegion`: the region that the stack is deployed to.

use crate::resource::author::*;

/// The region that the stack's resources are in. Makes no call.
///
/// ```yaml
/// region: {type: "aws:getRegion"}
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRegion {}

/// The outputs of `aws:getRegion`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The region's name, such as `us-west-2`.
    #[schemars(extend("from" = []))]
    pub name: String,
    /// The same as `name`.
    #[schemars(extend("from" = []))]
    pub id: String,
}

impl DataSource for GetRegion {
    const TYPE: &'static str = "aws:getRegion";
    type Outputs = Outputs;

    async fn read(cx: &Cx, _args: Self) -> Result<Outputs, Error> {
        let name = cx.aws.region().to_owned();
        Ok(Outputs {
            id: name.clone(),
            name,
        })
    }
}
