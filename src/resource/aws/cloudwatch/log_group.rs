//! `aws:cloudwatch:LogGroup`.

use crate::resource::author::*;
use crate::resource::aws::cloudwatch::{self as calls, BUSY, NOT_FOUND};
use aws_sdk_cloudwatchlogs::types::{LogGroup as LiveGroup, LogGroupClass};

/// The class whose groups keep events for one day, whatever is asked for.
const DELIVERY: &str = "DELIVERY";

const NAMING: Naming = Naming {
    longest: 512,
    allowed: |c| c.is_ascii_alphanumeric() || "._-/#".contains(c),
    ending: None,
};

/// A CloudWatch Logs group.
///
/// ```yaml
/// group:
///   type: aws:cloudwatch:LogGroup
///   properties: {name: /app/orders, retentionInDays: 30}
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogGroup {
    /// The group's name; a Lambda function writes to `/aws/lambda/FUNCTION`. If omitted, it is
    /// generated from the address.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[.\-_/#A-Za-z0-9]+$"))]
    #[schemars(extend("createOnly" = true))]
    pub name: Option<String>,
    /// The beginning of a generated name; excludes `name`.
    #[schemars(length(min = 1, max = 505), regex(pattern = r"^[.\-_/#A-Za-z0-9]+$"))]
    #[schemars(extend("createOnly" = true, "prefixOf" = "name", "writeOnly" = true))]
    pub name_prefix: Option<String>,
    /// How many days events are kept; 0 or omitted: for ever. A number that an account policy sets
    /// is not changed.
    #[schemars(extend(
        "enum" = [0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096,
                  1827, 2192, 2557, 2922, 3288, 3653],
        "default" = 0
    ))]
    pub retention_in_days: Option<i32>,
    /// The ARN of the KMS key that encrypts events. Events written before a change keep
    /// their key.
    #[schemars(length(min = 1, max = 256))]
    pub kms_key_id: Option<String>,
    /// The class: what the group's logs can be used for, and at what price.
    #[schemars(extend(
        "enum" = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"],
        "createOnly" = true,
        "default" = "STANDARD"
    ))]
    pub log_group_class: Option<String>,
    /// Whether the group refuses to be deleted.
    #[schemars(extend("default" = false))]
    pub deletion_protection_enabled: Option<bool>,
    /// Whether a delete leaves the group and its events at AWS.
    #[schemars(extend("writeOnly" = true, "default" = false))]
    pub skip_destroy: Option<bool>,
    /// Tags; three more (`stackctl:…`) mark the owner.
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<BTreeMap<String, String>>,
}

/// The outputs of `aws:cloudwatch:LogGroup`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The group's name.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub id: String,
    /// The group's name.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub name: String,
    /// The group's ARN, without `:*` at its end. A policy that allows writing events needs
    /// `${group.arn}:*`.
    #[schemars(extend("from" = ["name", "namePrefix"]))]
    pub arn: String,
}

impl Resource for LogGroup {
    const TYPE: &'static str = "aws:cloudwatch:LogGroup";
    const CALLS: &'static [&'static str] = &[
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DeleteRetentionPolicy",
        "logs:DescribeLogGroups",
        "logs:DisassociateKmsKey",
        "logs:ListTagsForResource",
        "logs:PutLogGroupDeletionProtection",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
    ];
    const IMPORT: Import = Import::Name(
        "the group's name, such as `/aws/lambda/orders`",
        &[':', '*'],
        "a log group's name, such as /app/orders",
    );
    const IDENTITY: &'static [&'static str] = &["name"];
    const KEPT_BY: Option<&'static str> = Some("skipDestroy");
    const NAMING: Option<Naming> = Some(NAMING);
    const TAGGING: Option<Tagging> = Some(Tagging::Plain);
    const LANE: Option<Lane> = Some(Lane("logs", "name"));
    type Outputs = Outputs;

    fn assumed_on_import(_props: &Value, _live: &Attributes) -> &'static [&'static str] {
        &["skipDestroy"]
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let mut broken = Vec::new();
        for property in ["name", "namePrefix"] {
            let text = rules.known(property).and_then(Value::as_str);
            if text.is_some_and(|text| text.starts_with("aws/")) {
                broken.push(
                    Broken::at(
                        property,
                        "Names that begin with \"aws/\" are reserved; \"/aws/…\" is allowed.",
                    )
                    .code("SK0702"),
                );
            }
        }
        let delivery = rules.known("logGroupClass") == Some(&json!(DELIVERY));
        let days = rules.known("retentionInDays").and_then(Value::as_i64);
        if delivery && days.is_some_and(|days| days != 1) {
            broken.push(Broken::at(
                "retentionInDays",
                "A group of the class DELIVERY keeps events for 1 day: take retentionInDays out.",
            ).code("SK0703"));
        }
        broken
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let name = NAMING.name_of(cx, &new.props, &new.decided)?;
        // Read first: nothing is created when the read fails.
        let outputs = outputs(cx, &name).await?;
        let tags: HashMap<String, String> =
            cx.owner.tagged(props.tags.as_ref()).into_iter().collect();
        let call = cx
            .aws
            .logs_once()
            .create_log_group()
            .log_group_name(&name)
            .set_kms_key_id(props.kms_key_id.clone())
            .set_log_group_class(props.log_group_class.as_deref().map(LogGroupClass::from))
            .set_deletion_protection_enabled(props.deletion_protection_enabled)
            .set_tags(Some(tags));
        send!(cx, call, "logs:CreateLogGroup", wait: BUSY).map_err(|error| {
            if error.is(&["ResourceAlreadyExistsException"]) {
                import_id::exists(cx, &format!("a log group named {name}"), &name)
            } else {
                error
            }
        })?;
        cx.made(&name, Attributes::new(json!(outputs)));
        let fixed = props.log_group_class.as_deref() == Some(DELIVERY);
        if let Some(days) = props.retention_in_days.filter(|days| *days > 0 && !fixed) {
            calls::put_retention(cx, &name, days).await?;
        }
        Ok(Made { id: name, outputs })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let (id, attributes) = (&read.id, &read.attributes);
        let outputs = match attributes["arn"].as_str() {
            Some(arn) => Outputs {
                id: id.clone(),
                name: id.clone(),
                arn: arn.trim_end_matches(":*").to_owned(),
            },
            None => outputs(cx, id).await?,
        };
        let tags = calls::read_tags(cx, &outputs.arn);
        let tags = tags::wanted(read, "logs:ListTagsForResource", tags);
        let (group, tags) = tokio::join!(calls::describe(cx, id), tags);
        let Some(group) = group? else {
            return Ok(None);
        };
        let held = Contents {
            bytes: group
                .stored_bytes
                .and_then(|bytes| u64::try_from(bytes).ok()),
            ..Contents::default()
        };
        let props = Self {
            name: Some(id.clone()),
            name_prefix: None,
            retention_in_days: retention(&group, attributes),
            kms_key_id: group.kms_key_id,
            log_group_class: group.log_group_class.map(|class| class.as_str().to_owned()),
            deletion_protection_enabled: group.deletion_protection_enabled,
            skip_destroy: None,
            tags: user_tags(tags?.unwrap_or_default()),
        };
        Ok(Some(Live::new(props, outputs).holding(held)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let outputs: Outputs = outputs_of(&change.live)?;
        let new = &change.new;
        if change.has(&["retentionInDays"]) {
            match new.retention_in_days.filter(|days| *days > 0) {
                Some(days) => calls::put_retention(cx, &change.id, days).await?,
                None => calls::delete_retention(cx, &change.id).await?,
            }
        }
        if change.has(&["kmsKeyId"]) {
            calls::update_key(cx, &change.id, new.kms_key_id.as_deref()).await?;
        }
        if change.has(&["deletionProtectionEnabled"]) {
            let call = cx
                .aws
                .logs()
                .put_log_group_deletion_protection()
                .log_group_identifier(&change.id)
                .deletion_protection_enabled(new.deletion_protection_enabled.unwrap_or(false));
            send!(cx, call, "logs:PutLogGroupDeletionProtection", wait: BUSY)?;
        }
        if change.has(&["tags"]) {
            let (set, remove) = tag_diff(change.old.tags.as_ref(), new.tags.as_ref());
            calls::update_tags(cx, &outputs.arn, set, remove).await?;
        }
        Ok(Made::new(change.id, outputs))
    }

    async fn delete(cx: &Cx, id: &str, attributes: &Attributes) -> Result<(), Error> {
        if attributes["skipDestroy"] == json!(true) {
            return Ok(());
        }
        let call = cx.aws.logs().delete_log_group().log_group_name(id);
        let deleted = send!(cx, call, "logs:DeleteLogGroup", wait: BUSY, gone: NOT_FOUND);
        match deleted {
            Err(error) if attributes["deletionProtectionEnabled"] == json!(true) => {
                Err(Error::with_hint(
                    error.to_string(),
                    "The group is protected: set deletionProtectionEnabled: false and apply, then delete it.",
                ))
            }
            other => other.map(|_| ()),
        }
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(name) = NAMING.known(cx, known) else {
            return Ok(None);
        };
        if calls::describe(cx, &name).await?.is_none() {
            return Ok(None);
        }
        let arn = outputs(cx, &name).await?.arn;
        let tags = match calls::read_tags(cx, &arn).await {
            // A name that was drawn for this create is unique to it.
            Err(error) if tags::is_denied(&error) && known.decided("name").is_some() => {
                return Ok(Some(name));
            }
            Err(error) if tags::is_denied(&error) => {
                let what = format!("A log group named {name}");
                return Err(tags::untold(&what, "logs:ListTagsForResource", &error));
            }
            other => other?.unwrap_or_default(),
        };
        let made = cx.owner.made(&tags);
        Ok(made.then_some(name))
    }

    async fn names(cx: &Cx, _known: &Known, start: &str) -> Result<Vec<String>, Error> {
        calls::names(cx, start).await
    }
}

/// The outputs by formula.
async fn outputs(cx: &Cx, name: &str) -> Result<Outputs, Error> {
    let (partition, region) = (cx.aws.partition(), cx.aws.region());
    let account = cx.aws.account().await?;
    Ok(Outputs {
        id: name.to_owned(),
        name: name.to_owned(),
        arn: format!("arn:{partition}:logs:{region}:{account}:log-group:{name}"),
    })
}

/// The number of days that is the group's own. Where an account policy sets it, what was last
/// applied is used in its place, so that the two do not fight.
fn retention(group: &LiveGroup, attributes: &Attributes) -> Option<i32> {
    if group.retention_policy_name.is_some() {
        let applied = attributes["retentionInDays"].as_i64();
        return applied.and_then(|days| i32::try_from(days).ok());
    }
    group.retention_in_days
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;

    #[test]
    fn an_account_policys_number_is_not_the_groups() {
        let group = LiveGroup::builder()
            .retention_in_days(30)
            .retention_policy_name("account")
            .build();
        let applied = Attributes::new(json!({"retentionInDays": 7}));
        assert_eq!(retention(&group, &applied), Some(7));
        assert_eq!(retention(&group, &Attributes::default()), None);
        let group = LiveGroup::builder().retention_in_days(30).build();
        assert_eq!(retention(&group, &applied), Some(30));
    }

    #[test]
    fn reserved_names_and_fixed_retention_are_refused() {
        for (props, at) in [
            (json!({"name": "aws/x"}), "name"),
            (
                json!({"logGroupClass": "DELIVERY", "retentionInDays": 7}),
                "retentionInDays",
            ),
            (json!({"name": "a", "namePrefix": "b"}), "namePrefix"),
        ] {
            let props = Data::from(props);
            let broken = LogGroup::all_rules(&Rules {
                props: &props,
                peer: &|_| None,
            });
            assert_eq!(broken.len(), 1);
            assert_eq!(broken[0].path.to_string(), at);
        }
    }
}
