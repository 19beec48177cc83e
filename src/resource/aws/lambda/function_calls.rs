//! The calls that create and update a function, and the waits between them.
//!
//! Two updates without a wait are refused, so each is followed by one until
//! `LastUpdateStatus` is `Successful`. The configuration goes first, then the code.

use super::function_settings::{
    CODE, DurableConfig, Environment, EphemeralStorage, FileSystemConfig, Function, ImageConfig,
    LoggingConfig, TenancyConfig, VpcConfig, dead_letters, snap_start, tracing,
};
use super::{NOT_FOUND, busy};
use crate::content::Content;
use crate::files;
use crate::resource::author::*;
use aws_sdk_lambda::operation::create_function::builders::CreateFunctionFluentBuilder;
use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types;

/// The properties that `UpdateFunctionConfiguration` changes.
pub(crate) const CONFIGURATION: &[&str] = &[
    "deadLetterConfig",
    "description",
    "durableConfig",
    "environment",
    "ephemeralStorage",
    "fileSystemConfig",
    "handler",
    "imageConfig",
    "kmsKeyArn",
    "layers",
    "loggingConfig",
    "memorySize",
    "role",
    "runtime",
    "snapStart",
    "timeout",
    "tracingConfig",
    "vpcConfig",
];

/// The properties of which a change may publish a version: all of the above, and `publish`.
pub(crate) fn all_names() -> Vec<&'static str> {
    let names = CODE.iter().chain(CONFIGURATION).copied();
    names.chain(["publish"]).collect()
}

const LIMIT: Duration = Duration::from_secs(600);

/// What replies about a function return beside its properties.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    /// The ARN without a version.
    pub(crate) arn: String,
    pub(crate) version: String,
    pub(crate) code_sha256: String,
    pub(crate) code_size: i64,
    pub(crate) last_modified: String,
    /// `State`, and why.
    pub(crate) state: (Option<String>, String),
    /// `LastUpdateStatus`, and why.
    pub(crate) update: (Option<String>, String),
    /// Whether versions start from snapshots.
    pub(crate) snapshots: bool,
}

/// Takes a [`Status`] out of a reply: four calls return the same members in types of their own.
macro_rules! status_of {
    ($reply:expr) => {{
        let reply = $reply;
        let reason = |code: Option<&str>, text: &Option<String>| {
            let text = text.as_deref().unwrap_or("no reason given");
            code.map_or_else(|| text.to_owned(), |code| format!("{code}: {text}"))
        };
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let arn = text(&reply.function_arn);
        $crate::resource::aws::lambda::function_calls::Status {
            arn: arn.split(':').take(7).collect::<Vec<_>>().join(":"),
            version: reply
                .version
                .clone()
                .unwrap_or_else(|| "$LATEST".to_owned()),
            code_sha256: text(&reply.code_sha256),
            code_size: reply.code_size,
            last_modified: text(&reply.last_modified),
            state: (
                reply.state.as_ref().map(|state| state.as_str().to_owned()),
                reason(
                    reply.state_reason_code.as_ref().map(|code| code.as_str()),
                    &reply.state_reason,
                ),
            ),
            update: (
                reply
                    .last_update_status
                    .as_ref()
                    .map(|state| state.as_str().to_owned()),
                reason(
                    reply
                        .last_update_status_reason_code
                        .as_ref()
                        .map(|code| code.as_str()),
                    &reply.last_update_status_reason,
                ),
            ),
            snapshots: reply.snap_start.as_ref().is_some_and(|config| {
                config
                    .apply_on
                    .as_ref()
                    .is_some_and(|on| on.as_str() == "PublishedVersions")
            }),
        }
    }};
}

pub(crate) use status_of;

impl Status {
    /// Whether the function can be used; `Failed` is an error.
    pub(crate) fn is_active(&self) -> Result<bool, Error> {
        match self.state.0.as_deref() {
            Some("Failed") => Err(Error::with_hint(
                format!("Lambda could not make the function: {}", self.state.1),
                "Mend what it names, then run apply again.",
            )),
            Some("Pending" | "Deleting") => Ok(false),
            _ => Ok(true),
        }
    }

    /// Whether the last update is done; `Failed` is an error. Lambda leaves the status out
    /// for a while where versions start from snapshots.
    pub(crate) fn is_updated(&self) -> Result<bool, Error> {
        match self.update.0.as_deref() {
            Some("Failed") => Err(Error::with_hint(
                format!("Lambda could not update the function: {}", self.update.1),
                "Mend what it names, then run apply again.",
            )),
            Some("InProgress") => Ok(false),
            None => Ok(!self.snapshots),
            _ => Ok(true),
        }
    }

    fn words(&self) -> String {
        let state = self.state.0.as_deref().unwrap_or("unknown");
        match &self.update.0 {
            Some(update) => format!("{state}, last update {update}"),
            None => state.to_owned(),
        }
    }
}

/// Reads the function until `check` says that it is so.
pub(crate) async fn wait(
    cx: &Cx,
    name: &str,
    waited_for: &str,
    check: fn(&Status) -> Result<bool, Error>,
) -> Result<Status, Error> {
    cx.until(waited_for, LIMIT, || async move {
        let call = cx.aws.lambda().get_function().function_name(name);
        let reply = send!(call, "lambda:GetFunction", none: NOT_FOUND)?;
        let Some(live) = reply.and_then(|reply| reply.configuration) else {
            return Err(Wait::NotYet("not found".to_owned()));
        };
        let status = status_of!(&live);
        if check(&status)? {
            return Ok(status);
        }
        Err(Wait::NotYet(status.words()))
    })
    .await
}

async fn wait_updated(cx: &Cx, name: &str, status: Status) -> Result<Status, Error> {
    if status.is_updated()? {
        return Ok(status);
    }
    wait(cx, name, "last update Successful", Status::is_updated).await
}

/// No code is read beyond this many bytes; Lambda takes far less in one call.
const LARGEST: u64 = 1 << 30;

/// The bytes of `filename`, which is relative to the stack file.
fn zip_of(cx: &Cx, props: &Function) -> Result<Option<Blob>, Error> {
    let Some(filename) = &props.filename else {
        return Ok(None);
    };
    let path = cx.stack_dir.join(filename);
    let bytes = files::read(&path, LARGEST).map_err(|why| {
        Error::with_hint(
            format!(
                "the function's code cannot be read: {}",
                why.describe(&path)
            ),
            "Check filename; it is relative to the stack file.",
        )
    })?;
    cx.as_planned("filename", &path, &Content::of(&bytes))?;
    Ok(Some(Blob::new(bytes)))
}

fn architectures(props: &Function) -> Option<Vec<types::Architecture>> {
    let list = props.architectures.as_ref()?;
    Some(list.iter().map(|name| name.as_str().into()).collect())
}

/// The create call.
pub(crate) fn create(cx: &Cx, props: &Function) -> Result<CreateFunctionFluentBuilder, Error> {
    let code = types::FunctionCode::builder()
        .set_zip_file(zip_of(cx, props)?)
        .set_s3_bucket(props.s3_bucket.clone())
        .set_s3_key(props.s3_key.clone())
        .set_s3_object_version(props.s3_object_version.clone())
        .set_s3_object_storage_mode(props.s3_object_storage_mode.as_deref().map(Into::into))
        .set_image_uri(props.image_uri.clone())
        .build();
    let storage = props
        .ephemeral_storage
        .as_ref()
        .and_then(|storage| storage.size);
    let files = props
        .file_system_config
        .as_ref()
        .map(FileSystemConfig::to_sdk)
        .transpose()?;
    let call = cx
        .aws
        .lambda_once()
        .create_function()
        .function_name(&props.name)
        .role(&props.role)
        .code(code)
        .set_runtime(props.runtime.as_deref().map(Into::into))
        .set_handler(props.handler.clone())
        .set_package_type(props.package_type.as_deref().map(Into::into))
        .set_architectures(architectures(props))
        .set_description(props.description.clone())
        .set_memory_size(props.memory_size)
        .set_timeout(props.timeout)
        .set_ephemeral_storage(storage.map(EphemeralStorage::to_sdk).transpose()?)
        .set_environment(props.environment.as_ref().map(Environment::to_sdk))
        .set_kms_key_arn(props.kms_key_arn.clone())
        .set_layers(props.layers.clone());
    Ok(call
        .set_vpc_config(props.vpc_config.as_ref().map(VpcConfig::to_sdk))
        .set_dead_letter_config(
            props
                .dead_letter_config
                .as_ref()
                .map(|config| dead_letters(&config.target_arn)),
        )
        .set_tracing_config(
            props
                .tracing_config
                .as_ref()
                .map(|config| tracing(&config.mode)),
        )
        .set_file_system_configs(files.map(|one| vec![one]))
        .set_image_config(props.image_config.as_ref().map(ImageConfig::to_sdk))
        .set_logging_config(props.logging_config.as_ref().map(LoggingConfig::to_sdk))
        .set_snap_start(
            props
                .snap_start
                .as_ref()
                .map(|config| snap_start(&config.apply_on)),
        )
        .set_code_signing_config_arn(props.code_signing_config_arn.clone())
        .set_publish(props.publish)
        .set_tenancy_config(
            props
                .tenancy_config
                .as_ref()
                .map(TenancyConfig::to_sdk)
                .transpose()?,
        )
        .set_durable_config(props.durable_config.as_ref().map(DurableConfig::to_sdk))
        .set_tags(Some(
            cx.owner.tagged(props.tags.as_ref()).into_iter().collect(),
        )))
}

/// The configuration that an update sends; what was removed from the file goes back to the default.
fn patch(
    call: UpdateFunctionConfigurationFluentBuilder,
    change: &Change<Function>,
) -> Result<UpdateFunctionConfigurationFluentBuilder, Error> {
    let new = &change.new;
    let has = |name: &str| change.has(&[name]);
    let storage = new
        .ephemeral_storage
        .as_ref()
        .and_then(|storage| storage.size);
    let files = new
        .file_system_config
        .as_ref()
        .map(FileSystemConfig::to_sdk)
        .transpose()?;
    if has("durableConfig") && new.durable_config.is_none() {
        return Err(Error::with_hint(
            format!(
                "durableConfig cannot be taken away from function {}",
                change.id
            ),
            "Replace the function: apply --replace with its address.",
        ));
    }
    // A new key only takes hold together with what it encrypts: variables that the file does not
    // name at all stay as they are.
    let environment = if has("environment") {
        Some(new.environment.clone().unwrap_or_default())
    } else {
        let live = change.old.environment.clone();
        live.filter(|live| has("kmsKeyArn") && live.variables.is_some())
    };
    let size = storage.unwrap_or(512);
    let call = call
        .set_role(change.text("role", Some(&new.role), ""))
        .set_runtime(
            new.runtime
                .as_deref()
                .filter(|_| has("runtime"))
                .map(Into::into),
        )
        .set_handler(new.handler.clone().filter(|_| has("handler")))
        .set_description(change.text("description", new.description.as_ref(), ""))
        .set_memory_size(change.sent("memorySize", new.memory_size.as_ref(), 128))
        .set_timeout(change.sent("timeout", new.timeout.as_ref(), 3))
        .set_ephemeral_storage(
            has("ephemeralStorage")
                .then(|| EphemeralStorage::to_sdk(size))
                .transpose()?,
        )
        .set_environment(environment.as_ref().map(Environment::to_sdk))
        .set_kms_key_arn(change.text("kmsKeyArn", new.kms_key_arn.as_ref(), ""))
        .set_layers(change.sent("layers", new.layers.as_ref(), Vec::new()));
    let vpc = new.vpc_config.clone().unwrap_or_default();
    let vpc = VpcConfig {
        ipv6_allowed_for_dual_stack: vpc.ipv6_allowed_for_dual_stack.or(Some(false)),
        ..vpc
    };
    let target = new
        .dead_letter_config
        .as_ref()
        .map_or("", |config| &config.target_arn);
    let mode = new
        .tracing_config
        .as_ref()
        .map_or("PassThrough", |config| &config.mode);
    let on = new
        .snap_start
        .as_ref()
        .map_or("None", |config| &config.apply_on);
    let image = new.image_config.as_ref().map_or_else(
        || types::ImageConfig::builder().build(),
        ImageConfig::to_sdk,
    );
    let logging = new
        .logging_config
        .clone()
        .unwrap_or_default()
        .complete(&change.id);
    Ok(call
        .set_vpc_config(has("vpcConfig").then(|| vpc.to_sdk()))
        .set_dead_letter_config(has("deadLetterConfig").then(|| dead_letters(target)))
        .set_tracing_config(has("tracingConfig").then(|| tracing(mode)))
        .set_file_system_configs(has("fileSystemConfig").then(|| files.into_iter().collect()))
        .set_image_config(has("imageConfig").then_some(image))
        .set_logging_config(has("loggingConfig").then(|| logging.to_sdk()))
        .set_snap_start(has("snapStart").then(|| snap_start(on)))
        .set_durable_config(
            new.durable_config
                .as_ref()
                .filter(|_| has("durableConfig"))
                .map(DurableConfig::to_sdk),
        ))
}

/// Changes the configuration and waits until that is done.
pub(crate) async fn configure(cx: &Cx, change: &Change<Function>) -> Result<Status, Error> {
    let call = cx.aws.lambda().update_function_configuration();
    let call = patch(call, change)?.function_name(&change.id);
    let reply = send!(cx, call, "lambda:UpdateFunctionConfiguration", wait: busy(cx))?;
    wait_updated(cx, &change.id, status_of!(&reply)).await
}

/// Whether an update publishes a version.
pub(crate) fn publishes(change: &Change<Function>) -> bool {
    change.new.publish == Some(true)
        && (change.has(CODE) || change.has(CONFIGURATION) || change.has(&["publish"]))
}

/// Puts the code, with the architecture, which is the code's; gives the version where one was
/// published. The call is not retried blindly: each one may publish.
pub(crate) async fn put_code(
    cx: &Cx,
    change: &Change<Function>,
) -> Result<(Status, Option<String>), Error> {
    let new = &change.new;
    let architectures = change
        .has(&["architectures"])
        .then(|| architectures(new).unwrap_or_else(|| vec![types::Architecture::X8664]));
    let call = cx
        .aws
        .lambda_once()
        .update_function_code()
        .function_name(&change.id)
        .set_zip_file(zip_of(cx, new)?)
        .set_s3_bucket(new.s3_bucket.clone())
        .set_s3_key(new.s3_key.clone())
        .set_s3_object_version(new.s3_object_version.clone())
        .set_s3_object_storage_mode(new.s3_object_storage_mode.as_deref().map(Into::into))
        .set_image_uri(new.image_uri.clone())
        .set_architectures(architectures)
        .publish(publishes(change));
    let reply = send!(cx, call, "lambda:UpdateFunctionCode", wait: busy(cx))?;
    let status = status_of!(&reply);
    let version = publishes(change).then(|| status.version.clone());
    Ok((wait_updated(cx, &change.id, status).await?, version))
}

/// Sets how many runs at the same time are kept for the function; -1 and none: none.
pub(crate) async fn reserve(cx: &Cx, name: &str, count: Option<i32>) -> Result<(), Error> {
    let client = cx.aws.lambda();
    if let Some(count) = count.filter(|count| *count >= 0) {
        let call = client.put_function_concurrency().function_name(name);
        let call = call.reserved_concurrent_executions(count);
        send!(cx, call, "lambda:PutFunctionConcurrency", wait: busy(cx))?;
        return Ok(());
    }
    let call = client.delete_function_concurrency().function_name(name);
    send!(cx, call, "lambda:DeleteFunctionConcurrency", wait: busy(cx), gone: NOT_FOUND)
}

/// Sets or removes the code signing configuration.
pub(crate) async fn sign(cx: &Cx, name: &str, arn: Option<&str>) -> Result<(), Error> {
    let client = cx.aws.lambda();
    if let Some(arn) = arn {
        let call = client
            .put_function_code_signing_config()
            .function_name(name);
        let call = call.code_signing_config_arn(arn);
        send!(cx, call, "lambda:PutFunctionCodeSigningConfig", wait: busy(cx))?;
        return Ok(());
    }
    let call = client
        .delete_function_code_signing_config()
        .function_name(name);
    send!(cx, call, "lambda:DeleteFunctionCodeSigningConfig", wait: busy(cx), gone: NOT_FOUND)
}

/// Publishes what the function is now, and gives the version. Nothing new: the last one.
pub(crate) async fn publish(cx: &Cx, name: &str) -> Result<Option<String>, Error> {
    let call = cx.aws.lambda().publish_version().function_name(name);
    Ok(send!(cx, call, "lambda:PublishVersion", wait: busy(cx))?.version)
}
