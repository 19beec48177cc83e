//! `aws:getPartition`: the partition of AWS that the region is in.

use crate::resource::author::*;

/// The partition of the stack's region, for ARNs and host names that hold outside the
/// commercial regions. Makes no call.
///
/// ```yaml
/// partition: {type: "aws:getPartition"}
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetPartition {}

/// The outputs of `aws:getPartition`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The partition, such as `aws`, `aws-cn` or `aws-us-gov`.
    #[schemars(extend("from" = []))]
    pub partition: String,
    /// The end of its host names, such as `amazonaws.com`.
    #[schemars(extend("from" = []))]
    pub dns_suffix: String,
    /// The same the other way round: `com.amazonaws`.
    #[schemars(extend("from" = []))]
    pub reverse_dns_prefix: String,
    /// The same as `partition`.
    #[schemars(extend("from" = []))]
    pub id: String,
}

impl DataSource for GetPartition {
    const TYPE: &'static str = "aws:getPartition";
    type Outputs = Outputs;

    async fn read(cx: &Cx, _args: Self) -> Result<Outputs, Error> {
        let partition = cx.aws.partition().to_owned();
        let dns_suffix = cx.aws.dns_suffix();
        Ok(Outputs {
            dns_suffix: dns_suffix.to_owned(),
            reverse_dns_prefix: reversed(dns_suffix),
            id: partition.clone(),
            partition,
        })
    }
}

fn reversed(name: &str) -> String {
    let mut labels: Vec<&str> = name.split('.').collect();
    labels.reverse();
    labels.join(".")
}

#[cfg(test)]
mod tests {
    #[test]
    fn labels_are_turned_round() {
        assert_eq!(super::reversed("amazonaws.com.cn"), "cn.com.amazonaws");
    }
}
