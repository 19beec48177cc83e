//! `aws:lambda:Permission`: who may call a function, a statement of the function's policy.

use crate::resource::author::*;
use crate::resource::aws::lambda::statement::{Statement, plain_principal};
use crate::resource::aws::lambda::{FunctionRef, NOT_FOUND, busy, exists, function_name};
use crate::resource::document;
use rand::RngExt;
use tokio::time::Instant;

/// Allows a service, an account or anybody to call a function. Every change replaces it.
/// Id: `function/statementId`, or `function:qualifier/statementId`.
///
/// ```yaml
/// permission:
///   type: aws:lambda:Permission
///   properties:
///     function: ${function.name}
///     action: lambda:InvokeFunction
///     principal: apigateway.amazonaws.com
///     sourceArn: ${api.executionArn}/*/$default
/// ```
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Permission {
    /// The function: its name or ARN; a name and an ARN of the same function are the same.
    #[schemars(length(min = 1, max = 256), extend("createOnly" = true))]
    pub function: String,
    /// The statement's id; generated when omitted.
    #[schemars(length(min = 1, max = 100), regex(pattern = "^[a-zA-Z0-9_-]+$"))]
    #[schemars(extend("createOnly" = true))]
    pub statement_id: Option<String>,
    /// What is allowed, such as `lambda:InvokeFunction`.
    #[schemars(regex(pattern = r"^(lambda:[*]|lambda:[a-zA-Z]+|[*])$"), extend("createOnly" = true))]
    pub action: String,
    /// Who is allowed: a service's name, an account, an ARN, or `*`.
    #[schemars(length(min = 1), extend("createOnly" = true))]
    pub principal: String,
    /// The ARN of what calls; `*` matches any part. For API Gateway
    /// `${api.executionArn}/*/$default`.
    #[schemars(length(min = 12, max = 1024), extend("createOnly" = true))]
    pub source_arn: Option<String>,
    /// The account of what calls.
    #[schemars(regex(pattern = r"^\d{12}$"), extend("createOnly" = true))]
    pub source_account: Option<String>,
    /// The organization that the caller must be in.
    #[schemars(regex(pattern = r"^o-[a-z0-9]{10,32}$"), extend("createOnly" = true))]
    pub principal_org_id: Option<String>,
    /// The token that an Alexa skill must show.
    #[schemars(length(max = 256), extend("createOnly" = true))]
    pub event_source_token: Option<String>,
    /// The kind of authorization of the function's URL: `NONE` or `AWS_IAM`.
    #[schemars(extend("createOnly" = true, "enum" = ["NONE", "AWS_IAM"]))]
    pub function_url_auth_type: Option<String>,
    /// Whether only calls through the function's URL are allowed.
    #[schemars(extend("createOnly" = true, "default" = false))]
    pub invoked_via_function_url: Option<bool>,
    /// The version or alias that may be called; not `$LATEST`.
    #[schemars(length(min = 1, max = 128), regex(pattern = "^[a-zA-Z0-9_-]+$"), extend("createOnly" = true))]
    pub qualifier: Option<String>,
}

/// The outputs of `aws:lambda:Permission`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The statement's id.
    #[schemars(extend("from" = ["statementId"]))]
    pub id: String,
    /// The same as `id`.
    #[schemars(extend("from" = ["statementId"]))]
    pub statement_id: String,
}

const LIMIT: Duration = Duration::from_secs(300);
/// How long a function that cannot be found is assumed to be one that was just created.
const FRESH: Duration = Duration::from_secs(30);

fn outputs(sid: &str) -> Outputs {
    Outputs {
        id: sid.to_owned(),
        statement_id: sid.to_owned(),
    }
}

fn sid_of(new: &New<Permission>) -> Result<String, Error> {
    let decided = new.decided.get("statementId").and_then(Value::as_str);
    let given = new.props.statement_id.as_deref().or(decided);
    given
        .map(str::to_owned)
        .ok_or_else(|| Error::failed("the plan has no statementId for the permission"))
}

/// The function and the statement id in `function/sid`.
fn split(id: &str) -> Result<(FunctionRef, &str), Error> {
    let (function, sid) = id
        .rsplit_once('/')
        .filter(|(function, sid)| !function.is_empty() && !sid.is_empty())
        .ok_or_else(|| {
            Error::with_hint(
                format!("{id:?} is not the id of a permission"),
                "Give it as function/statementId, or function:qualifier/statementId.",
            )
        })?;
    Ok((FunctionRef::parse(function), sid))
}

/// The function with the version or alias that the properties name.
fn target(props: &Permission) -> FunctionRef {
    let mut target = FunctionRef::parse(&props.function);
    target.qualifier = props.qualifier.clone().or(target.qualifier);
    target
}

/// The same of properties that may not all be known.
fn known_target(known: &Known) -> Option<FunctionRef> {
    if known.is_withheld("qualifier") {
        return None;
    }
    let mut target = FunctionRef::parse(known.text("function")?);
    target.qualifier = known
        .text("qualifier")
        .map(str::to_owned)
        .or(target.qualifier);
    Some(target)
}

/// Reads the function's policy; none where the policy, or the function, does not exist.
async fn policy(cx: &Cx, function: &FunctionRef) -> Result<Option<String>, Error> {
    let call = cx.aws.lambda().get_policy().function_name(&function.name);
    let call = call.set_qualifier(function.qualifier.clone());
    let reply = send!(call, "lambda:GetPolicy", none: NOT_FOUND)?;
    let policy = reply.and_then(|reply| reply.policy);
    // What cannot be understood says nothing of what is in it, least of all that it is missing.
    match policy.as_deref().map(document::parsed) {
        None | Some(Some(Value::Object(_))) => Ok(policy),
        Some(_) => Err(Error::with_hint(
            format!(
                "lambda:GetPolicy returned a policy of the function {} that is not a JSON object, \
                 or has a key twice",
                function.name
            ),
            "Look at it with `aws lambda get-policy`.",
        )),
    }
}

/// Adds the statement. A function created a moment ago may not be found yet.
async fn add(cx: &Cx, props: &Permission, sid: &str) -> Result<(), Error> {
    let target = target(props);
    let call = cx
        .aws
        .lambda_once()
        .add_permission()
        .function_name(target.name)
        .set_qualifier(target.qualifier)
        .statement_id(sid)
        .action(&props.action)
        .principal(&props.principal)
        .set_source_arn(props.source_arn.clone())
        .set_source_account(props.source_account.clone())
        .set_principal_org_id(props.principal_org_id.clone())
        .set_event_source_token(props.event_source_token.clone())
        .set_function_url_auth_type(props.function_url_auth_type.as_deref().map(Into::into))
        .set_invoked_via_function_url(props.invoked_via_function_url);
    let started = Instant::now();
    let fresh = |error: &Error| {
        let missing = error.effect() == Effect::None && error.is(NOT_FOUND);
        (missing && started.elapsed() < FRESH)
            .then_some(Reason::created("a new function takes a few seconds"))
    };
    cx.retry(LIMIT, fresh, || async {
        send!(cx, call.clone(), "lambda:AddPermission", wait: busy(cx))
    })
    .await?;
    Ok(())
}

/// How a statement's generated id begins.
fn stem(address: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let chars = address.chars().map(|c| if plain(c) { c } else { '-' });
    chars.take(80).collect()
}

/// What a user names it by, taken apart.
fn imported(text: &str) -> Result<Imported, String> {
    let (function, sid) = split(text).map_err(|_| {
        format!(
            "{text:?} does not match the form FUNCTION/STATEMENT or FUNCTION:QUALIFIER/STATEMENT"
        )
    })?;
    Imported::named(&format!("{}/{sid}", function.short()))
}

impl Resource for Permission {
    const TYPE: &'static str = "aws:lambda:Permission";
    const CALLS: &'static [&'static str] = &[
        "lambda:AddPermission",
        "lambda:GetPolicy",
        "lambda:RemovePermission",
    ];
    const IMPORT: Import = Import::Other(
        "`FUNCTION/STATEMENT` or `FUNCTION:QUALIFIER/STATEMENT`",
        imported,
    );
    const IDENTITY: &'static [&'static str] = &["function", "statementId"];
    const PARENTS: &'static [Parent] =
        &[Parent::dies_with("aws:lambda:Function", "function", &["name"]).keyed(function_name)];
    type Outputs = Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        let latest = |name: &str| {
            let text = rules.known(name).and_then(Value::as_str)?;
            let qualifier = if name == "function" {
                FunctionRef::parse(text).qualifier
            } else {
                Some(text.to_owned())
            };
            (qualifier.as_deref() == Some("$LATEST")).then(|| {
                Broken::at(
                    name,
                    "A permission cannot be for $LATEST; leave the qualifier out.",
                )
                .code("SK0221")
            })
        };
        ["function", "qualifier"]
            .into_iter()
            .filter_map(latest)
            .collect()
    }

    fn decide(props: &Value, draw: &mut Draw) -> Map<String, Value> {
        if props["statementId"]
            .as_str()
            .is_some_and(|sid| !sid.is_empty())
        {
            return Map::new();
        }
        let name = stem(&draw.address);
        let number: u32 = draw.rng.random_range(0..=u32::MAX);
        Map::from_iter([(
            "statementId".to_owned(),
            json!(format!("{name}-{number:08x}")),
        )])
    }

    fn canonical(props: &mut Cow<'_, Value>) {
        let Some(map) = props.to_mut().as_object_mut() else {
            return;
        };
        if let Some(function) = map.get("function").and_then(Value::as_str) {
            let function = FunctionRef::parse(function);
            map.insert("function".to_owned(), json!(function.name));
            if let Some(qualifier) = function.qualifier {
                map.insert("qualifier".to_owned(), json!(qualifier));
            }
        }
        if let Some(principal) = map.get("principal").and_then(Value::as_str) {
            let principal = json!(plain_principal(principal));
            map.insert("principal".to_owned(), principal);
        }
    }

    fn lane(attributes: &Attributes) -> Option<String> {
        let function = FunctionRef::parse(attributes.get("function")?.as_str()?);
        Some(format!("lambda/{}", function.name))
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let sid = sid_of(&new)?;
        let id = format!("{}/{sid}", target(&new.props).short());
        add(cx, &new.props, &sid).await.map_err(|error| {
            if exists(&error) {
                import_id::exists(cx, &format!("a permission {sid} of the function"), &id)
            } else {
                error
            }
        })?;
        Ok(Made {
            id,
            outputs: outputs(&sid),
        })
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let (function, sid) = split(&read.id)?;
        let policy = policy(cx, &function).await?;
        let Some(found) = policy.and_then(|policy| Statement::find(&policy, sid)) else {
            return Ok(None);
        };
        let props = Self {
            function: function.name,
            statement_id: Some(sid.to_owned()),
            action: found.action,
            principal: plain_principal(&found.principal).to_owned(),
            source_arn: found.source_arn,
            source_account: found.source_account,
            principal_org_id: found.principal_org_id,
            event_source_token: found.event_source_token,
            function_url_auth_type: found.function_url_auth_type,
            invoked_via_function_url: found.invoked_via_function_url,
            qualifier: function.qualifier,
        };
        Ok(Some(Live::new(props, outputs(sid))))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let (function, sid) = &split(id)?;
        let call = cx.aws.lambda().remove_permission();
        let call = call.function_name(&function.name);
        let call = call
            .set_qualifier(function.qualifier.clone())
            .statement_id(*sid);
        send!(cx, call, "lambda:RemovePermission", wait: busy(cx), gone: NOT_FOUND)?;
        cx.until("the permission to be removed", LIMIT, || async move {
            match policy(cx, function).await? {
                Some(policy) if Statement::find(&policy, sid).is_some() => {
                    Err(Wait::NotYet("still in the policy".to_owned()))
                }
                _ => Ok(()),
            }
        })
        .await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let given = known.text("statementId");
        let sid = match known.is_withheld("statementId") {
            true => None,
            false => given.or(known.decided("statementId")),
        };
        let (Some(target), Some(sid)) = (known_target(known), sid) else {
            return Ok(None);
        };
        let policy = policy(cx, &target).await?;
        let found = policy.and_then(|policy| Statement::find(&policy, sid));
        // A statement of the same id that says something else is somebody else's.
        let ours = found.filter(|found| {
            let action = known.text("action");
            let principal = known.text("principal").map(plain_principal);
            let decided = given.is_none();
            action.is_none_or(|action| found.action == action)
                && principal.is_none_or(|it| plain_principal(&found.principal) == it)
                && (decided || action.is_some() || principal.is_some())
        });
        Ok(ours.map(|_| format!("{}/{sid}", target.short())))
    }

    fn beginning(cx: &Cx, _known: &Known) -> String {
        format!("{}-", stem(&cx.owner.address))
    }

    async fn names(cx: &Cx, known: &Known, start: &str) -> Result<Vec<String>, Error> {
        let Some(target) = known_target(known) else {
            return Ok(Vec::new());
        };
        let policy = policy(cx, &target).await?.unwrap_or_default();
        let mut ids = Statement::ids(&policy);
        ids.retain(|id| id.starts_with(start));
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_an_arn_of_one_function_are_the_same() {
        let mut a = Cow::Owned(
            json!({"function": "arn:aws:lambda:us-west-2:123456789012:function:f:live",
            "principal": "arn:aws:iam::123456789012:root"}),
        );
        Permission::canonical(&mut a);
        let b = json!({"function": "f", "qualifier": "live", "principal": "123456789012"});
        assert_eq!(*a, b);
    }

    #[test]
    fn an_id_names_function_version_and_statement() {
        let (function, sid) = split("f:live/s").unwrap();
        assert_eq!((function.short().as_str(), sid), ("f:live", "s"));
        assert!(split("f").is_err() && split("/s").is_err());
    }

    #[test]
    fn a_statement_id_is_drawn_once_and_only_when_omitted() {
        let drawn = |seed| {
            let mut draw = Draw::new(seed, "allow[\"a/b\"]", 0);
            Permission::decide(&json!({}), &mut draw)["statementId"].clone()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        let text = drawn(1).as_str().unwrap().to_owned();
        assert!(text.starts_with("allow--a-b--"), "{text}");
        let mut draw = Draw::new(1, "allow", 0);
        assert!(Permission::decide(&json!({"statementId": "mine"}), &mut draw).is_empty());
    }
}
