//! `aws:lambda:Function`: code that Lambda runs.

use crate::content::Content;
use crate::resource::author::*;
use crate::resource::aws::lambda::function_calls::{
    self as calls, CONFIGURATION, Status, publishes, status_of,
};
use crate::resource::aws::lambda::function_rules::{self, checks};
pub use crate::resource::aws::lambda::function_settings::Function;
use crate::resource::aws::lambda::function_settings::{
    CODE, DeadLetterConfig, DurableConfig, Environment, EphemeralStorage, FileSystemConfig,
    ImageConfig, LoggingConfig, SnapStart, TenancyConfig, TracingConfig, VpcConfig,
};
use crate::resource::aws::lambda::{NOT_FOUND, Tags, busy, exists, invoke_arn, kept, retag};
use crate::resource::aws::listing;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;

/// The outputs of `aws:lambda:Function`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The function's name.
    #[schemars(extend("from" = ["name"]))]
    pub id: String,
    /// Its ARN.
    #[schemars(extend("from" = ["name"]))]
    pub arn: String,
    /// The ARN by which API Gateway calls it.
    #[schemars(extend("from" = ["name"]))]
    pub invoke_arn: String,
    /// The ARN of the version last published, or of `$LATEST`.
    #[schemars(extend("volatile" = calls::all_names(), "from" = ["name"]))]
    pub qualified_arn: String,
    /// The ARN by which API Gateway calls that version.
    #[schemars(extend("volatile" = calls::all_names(), "from" = ["name"]))]
    pub qualified_invoke_arn: String,
    /// The version last published, or `$LATEST`.
    #[schemars(extend("volatile" = calls::all_names(), "from" = []))]
    pub version: String,
    /// When it was last changed.
    #[schemars(extend("volatile" = calls::all_names(), "from" = []))]
    pub last_modified: String,
    /// The SHA-256 of the code, in base64.
    #[schemars(extend("volatile" = CODE, "from" = CODE))]
    pub code_sha256: String,
    /// The size of the code, in bytes.
    #[schemars(extend("volatile" = CODE, "from" = CODE))]
    pub source_code_size: i64,
}

const LIMIT: Duration = Duration::from_secs(600);

/// The outputs. `version` is the one last published: Lambda's own reads, being of `$LATEST`, do not
/// return it.
fn outputs(cx: &Cx, name: &str, status: &Status, version: Option<&str>) -> Outputs {
    let version = version.unwrap_or(&status.version);
    let qualified = format!("{}:{version}", status.arn);
    Outputs {
        id: name.to_owned(),
        invoke_arn: invoke_arn(cx, &status.arn),
        qualified_invoke_arn: invoke_arn(cx, &qualified),
        qualified_arn: qualified,
        version: version.to_owned(),
        last_modified: status.last_modified.clone(),
        code_sha256: status.code_sha256.clone(),
        source_code_size: status.code_size,
        arn: status.arn.clone(),
    }
}

/// The version in the state, where one was published.
fn published(attributes: &Attributes) -> Option<&str> {
    attributes["version"]
        .as_str()
        .filter(|version| *version != "$LATEST")
}

async fn get(cx: &Cx, name: &str) -> Result<Option<GetFunctionOutput>, Error> {
    let call = cx.aws.lambda().get_function().function_name(name);
    send!(call, "lambda:GetFunction", none: NOT_FOUND)
}

async fn code_signing(cx: &Cx, name: &str) -> Result<Option<String>, Error> {
    let call = cx.aws.lambda().get_function_code_signing_config();
    let call = call.function_name(name);
    let reply = send!(call, "lambda:GetFunctionCodeSigningConfig", none: NOT_FOUND)?;
    Ok(reply
        .map(|reply| reply.code_signing_config_arn)
        .filter(|arn| !arn.is_empty()))
}

fn known_variables(attributes: &Attributes) -> Option<Tags> {
    serde_json::from_value(attributes.pointer("/environment/variables")?.clone()).ok()
}

/// The properties in a `GetFunction` reply.
fn props_of(reply: GetFunctionOutput, attributes: &Attributes) -> Function {
    let live = reply.configuration;
    let word = |value: Option<&str>| value.map(str::to_owned);
    let Some(live) = live else {
        return Function::default();
    };
    Function {
        name: live.function_name.unwrap_or_default(),
        role: live.role.unwrap_or_default(),
        runtime: word(live.runtime.as_ref().map(|value| value.as_str())),
        handler: live.handler,
        package_type: word(live.package_type.as_ref().map(|value| value.as_str())),
        image_uri: reply.code.and_then(|code| code.image_uri),
        source_code_hash: live.code_sha256,
        architectures: live
            .architectures
            .map(|list| list.iter().map(|value| value.as_str().to_owned()).collect()),
        description: live.description,
        memory_size: live.memory_size,
        timeout: live.timeout,
        ephemeral_storage: live.ephemeral_storage.map(|storage| EphemeralStorage {
            size: Some(storage.size),
        }),
        environment: live
            .environment
            .map(|live| Environment::from_sdk(live, known_variables(attributes))),
        kms_key_arn: live.kms_key_arn,
        layers: live
            .layers
            .map(|list| list.into_iter().filter_map(|layer| layer.arn).collect()),
        vpc_config: live.vpc_config.and_then(VpcConfig::from_sdk),
        dead_letter_config: live
            .dead_letter_config
            .and_then(|config| config.target_arn)
            .map(|target_arn| DeadLetterConfig { target_arn }),
        tracing_config: live
            .tracing_config
            .and_then(|config| config.mode)
            .map(|mode| TracingConfig {
                mode: mode.as_str().to_owned(),
            }),
        file_system_config: live
            .file_system_configs
            .and_then(FileSystemConfig::from_sdk),
        image_config: live.image_config_response.and_then(ImageConfig::from_sdk),
        logging_config: live.logging_config.map(LoggingConfig::from_sdk),
        snap_start: live
            .snap_start
            .and_then(|config| config.apply_on)
            .map(|apply_on| SnapStart {
                apply_on: apply_on.as_str().to_owned(),
            }),
        reserved_concurrent_executions: reply
            .concurrency
            .and_then(|concurrency| concurrency.reserved_concurrent_executions),
        tenancy_config: live.tenancy_config.map(|config| TenancyConfig {
            tenant_isolation_mode: config.tenant_isolation_mode.as_str().to_owned(),
        }),
        durable_config: live.durable_config.map(|config| DurableConfig {
            execution_timeout: config.execution_timeout,
            retention_period: config.retention_period_in_days,
        }),
        tags: user_tags(reply.tags.unwrap_or_default()),
        ..Function::default()
    }
}

/// The log group that Lambda writes to where none is given; a group's name stays as it is.
fn log_group(name: &str) -> String {
    if name.starts_with('/') {
        name.to_owned()
    } else {
        format!("/aws/lambda/{name}")
    }
}

impl Resource for Function {
    const TYPE: &'static str = "aws:lambda:Function";
    const CALLS: &'static [&'static str] = &[
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:DeleteFunctionCodeSigningConfig",
        "lambda:DeleteFunctionConcurrency",
        "lambda:GetFunction",
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:ListFunctions",
        "lambda:ListTags",
        "lambda:PublishVersion",
        "lambda:PutFunctionCodeSigningConfig",
        "lambda:PutFunctionConcurrency",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
    ];
    const IMPORT: Import = Import::Name(
        "the function's name",
        &['/', ':'],
        "a function's name without qualifier",
    );
    const IDENTITY: &'static [&'static str] = &["name"];
    const PARENTS: &'static [Parent] = &[
        Parent::survives("aws:iam:Role", "role", &["arn"]),
        Parent::survives(
            "aws:cloudwatch:LogGroup",
            "loggingConfig.logGroup",
            &["name"],
        ),
        // Lambda creates a missing log group itself, one that is kept for ever.
        Parent::survives("aws:cloudwatch:LogGroup", "name", &["name"]).keyed(log_group),
        Parent::survives("aws:s3:Bucket", "s3Bucket", &["bucket"]),
        Parent::survives("aws:sns:Topic", "deadLetterConfig.targetArn", &["arn"]),
        Parent::survives("aws:sqs:Queue", "deadLetterConfig.targetArn", &["arn"]),
    ];
    type Outputs = Outputs;

    const CONTENT_HASH: Option<&'static str> = Some("sourceCodeHash");

    /// `CodeSha256` is the SHA-256 of the zip file (Lambda API, FunctionConfiguration).
    fn has_content(attributes: &Attributes, content: &Content) -> Option<bool> {
        let told = ["codeSha256", "sourceCodeHash"];
        let hash = told
            .iter()
            .find_map(|name| attributes.get(name)?.as_str())?;
        (!hash.is_empty()).then(|| hash == content.sha256_base64())
    }

    /// The code in an S3 object, unless a hash or a version says which one is meant.
    fn held_by(props: &Value) -> Option<HeldBy<'_>> {
        let named = |name: &str| props.get(name).filter(|value| !value.is_null());
        if named("sourceCodeHash").is_some() || named("s3ObjectVersion").is_some() {
            return None;
        }
        Some(HeldBy {
            property: "s3Key",
            type_name: "aws:s3:BucketObject",
            names: vec![("bucket", named("s3Bucket")?), ("key", named("s3Key")?)],
        })
    }

    /// The same hash means the same code.
    fn assumed_on_import(props: &Value, live: &Attributes) -> &'static [&'static str] {
        let hash = props.get("sourceCodeHash").filter(|hash| hash.is_string());
        if hash.is_some() && hash == live.get("sourceCodeHash") {
            &["filename", "s3Bucket", "s3Key", "s3ObjectVersion"]
        } else {
            &[]
        }
    }

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        checks(rules)
    }

    fn cautions(rules: &Rules<'_>) -> Vec<Caution> {
        function_rules::cautions(rules)
    }

    fn canonical(props: &mut Cow<'_, Value>) {
        let props = props.to_mut();
        if let Some(reserved) = props.get_mut("reservedConcurrentExecutions")
            && reserved.as_i64() == Some(-1)
        {
            *reserved = Value::Null;
        }
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<Outputs>, Error> {
        let props = &new.props;
        let reply = match send!(
            cx, calls::create(cx, props)?, "lambda:CreateFunction", wait: busy(cx)
        ) {
            Err(error) if exists(&error) => {
                let what = format!("a function named {}", props.name);
                return Err(import_id::exists(cx, &what, &props.name));
            }
            other => other?,
        };
        let mut status = status_of!(&reply);
        let version = status.version.clone();
        let made = serde_json::to_value(outputs(cx, &props.name, &status, Some(&version)));
        cx.made(&props.name, Attributes::new(made.unwrap_or_default()));
        if !status.is_active()? {
            status = calls::wait(cx, &props.name, "state Active", Status::is_active).await?;
        }
        if props
            .reserved_concurrent_executions
            .is_some_and(|count| count >= 0)
        {
            calls::reserve(cx, &props.name, props.reserved_concurrent_executions).await?;
        }
        let outputs = outputs(cx, &props.name, &status, Some(&version));
        Ok(Made::new(props.name.clone(), outputs))
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, Outputs>>, Error> {
        let (id, attributes) = (&read.id, &read.attributes);
        let Some(reply) = get(cx, id).await? else {
            return Ok(None);
        };
        let Some(configuration) = &reply.configuration else {
            return Err(Error::failed(format!(
                "lambda:GetFunction returned nothing for function {id}"
            )));
        };
        if reply.tags_error.is_some() {
            read.denied("tags", "lambda:ListTags");
        }
        let outputs = outputs(cx, id, &status_of!(configuration), published(attributes));
        let mut props = props_of(reply, attributes);
        if read.wants("codeSigningConfigArn") {
            props.code_signing_config_arn = code_signing(cx, id).await?;
        }
        Ok(Some(Live::new(props, outputs)))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<Outputs>, Error> {
        let (name, new) = (&change.id, &change.new);
        let mut version = published(&change.live).map(str::to_owned);
        let mut status = None;
        if change.has(CONFIGURATION) {
            status = Some(calls::configure(cx, &change).await?);
        }
        if change.has(&["codeSigningConfigArn"]) {
            calls::sign(cx, name, new.code_signing_config_arn.as_deref()).await?;
        }
        if change.has(CODE) {
            let (after, published) = calls::put_code(cx, &change).await?;
            status = Some(after);
            version = published.or(version);
        }
        if change.has(&["reservedConcurrentExecutions"]) {
            calls::reserve(cx, name, new.reserved_concurrent_executions).await?;
        }
        if publishes(&change) && !change.has(CODE) {
            version = calls::publish(cx, name).await?;
        }
        let mut outputs = match &status {
            Some(status) => outputs(cx, name, status, version.as_deref()),
            None => kept::<Outputs>(&change.live)?,
        };
        if let Some(version) = version.filter(|_| status.is_none()) {
            outputs.qualified_arn = format!("{}:{version}", outputs.arn);
            outputs.qualified_invoke_arn = invoke_arn(cx, &outputs.qualified_arn);
            outputs.version = version;
        }
        if change.has(&["tags"]) {
            retag(
                cx,
                &outputs.arn,
                change.old.tags.as_ref(),
                new.tags.as_ref(),
            )
            .await?;
        }
        Ok(Made::new(change.id, outputs))
    }

    async fn delete(cx: &Cx, id: &str, _attributes: &Attributes) -> Result<(), Error> {
        let call = cx.aws.lambda().delete_function().function_name(id);
        send!(cx, call, "lambda:DeleteFunction", wait: busy(cx), gone: NOT_FOUND)?;
        cx.until("the function to be deleted", LIMIT, || async move {
            let Some(reply) = get(cx, id).await? else {
                return Ok(());
            };
            let state = reply.configuration.and_then(|live| live.state);
            let seen = state.map_or("still there".to_owned(), |state| state.as_str().to_owned());
            Err(Wait::NotYet(seen))
        })
        .await
    }

    async fn ready(cx: &Cx, id: &str) -> Result<(), Error> {
        let ready = |status: &Status| Ok(status.is_active()? && status.is_updated()?);
        calls::wait(cx, id, "state Active and last update Successful", ready).await?;
        Ok(())
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(name) = known.text("name") else {
            return Ok(None);
        };
        let Some(reply) = get(cx, name).await? else {
            return Ok(None);
        };
        if let Some(error) = reply.tags_error {
            let error = Error::failed(format!("{}: {}", error.error_code, error.message));
            let what = format!("A function named {name}");
            return Err(tags::untold(&what, "lambda:ListTags", &error));
        }
        let tags = reply.tags.unwrap_or_default();
        let ours = cx.owner.made(&tags);
        Ok(ours.then(|| name.to_owned()))
    }

    async fn names(cx: &Cx, _known: &Known, start: &str) -> Result<Vec<String>, Error> {
        listing::all("lambda:ListFunctions", |token| async move {
            let call = cx.aws.lambda().list_functions().set_marker(token);
            let reply = send!(call, "lambda:ListFunctions")?;
            let functions = reply.functions.unwrap_or_default().into_iter();
            let names = functions.filter_map(|function| function.function_name);
            let names = names.filter(|name| name.starts_with(start)).collect();
            Ok((names, reply.next_marker))
        })
        .await
    }
}
