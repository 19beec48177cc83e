//! `aws:getCallerIdentity`: whose credentials are in use.

use crate::resource::author::*;

/// The account and identity that the credentials belong to. One call (STS
/// GetCallerIdentity, which no policy can deny), shared with everything else in the run
/// that asks for the account.
///
/// ```yaml
/// caller: {type: "aws:getCallerIdentity"}
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetCallerIdentity {}

/// The outputs of `aws:getCallerIdentity`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The account's 12 digits.
    #[schemars(extend("from" = []))]
    pub account_id: String,
    /// The caller's ARN; for an assumed role that of the session, without the role's path.
    #[schemars(extend("from" = []))]
    pub arn: String,
    /// The caller's unique id.
    #[schemars(extend("from" = []))]
    pub user_id: String,
    /// The same as `accountId`.
    #[schemars(extend("from" = []))]
    pub id: String,
}

impl DataSource for GetCallerIdentity {
    const TYPE: &'static str = "aws:getCallerIdentity";
    type Outputs = Outputs;

    async fn read(cx: &Cx, _args: Self) -> Result<Outputs, Error> {
        let identity = cx.aws.identity().await?.clone();
        Ok(Outputs {
            account_id: identity.account.clone(),
            arn: identity.arn,
            user_id: identity.user_id,
            id: identity.account,
        })
    }
}
