//! The structured properties of a function and their SDK forms.

use super::Tags;
use crate::resource::author::*;
use aws_sdk_lambda::types;

/// The properties that `UpdateFunctionCode` changes.
pub(crate) const CODE: &[&str] = &[
    "architectures",
    "filename",
    "imageUri",
    "s3Bucket",
    "s3Key",
    "s3ObjectStorageMode",
    "s3ObjectVersion",
    "sourceCodeHash",
];

/// A Lambda function. Its code comes from exactly one of `s3Bucket` with `s3Key`,
/// `filename`, or `imageUri`. Id: the function's name.
///
/// `filename` stands for the content of the file, which is compared with the code that runs; so do
/// `s3Bucket` and `s3Key` where an S3 object of the same stack is meant and neither
/// `sourceCodeHash` nor `s3ObjectVersion` is given. New code under the key of any other S3 object
/// is only seen through these two. Deleting a function leaves its log group.
///
/// ```yaml
/// function:
///   type: aws:lambda:Function
///   properties:
///     name: orders
///     role: ${role.arn}
///     runtime: python3.13
///     handler: app.handler
///     filename: ${data.code.outputPath}
/// ```
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Function {
    /// Its name.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[a-zA-Z0-9_-]+$"))]
    #[schemars(extend("createOnly" = true))]
    pub name: String,
    /// The ARN of the role it runs as.
    #[schemars(regex(pattern = r"^arn:aws[a-zA-Z-]*:iam::\d{12}:role/.+$"))]
    pub role: String,
    /// The runtime, such as `python3.13`. Needed for `Zip`.
    pub runtime: Option<String>,
    /// What is called, such as `app.lambda_handler`. Needed for `Zip`.
    #[schemars(length(max = 128), regex(pattern = r"^\S+$"))]
    pub handler: Option<String>,
    /// `Zip`, or `Image` for a container image.
    #[schemars(extend("createOnly" = true, "default" = "Zip", "enum" = ["Zip", "Image"]))]
    pub package_type: Option<String>,
    /// A zip file, from the stack file's folder; at most 50 MB. Never returned by a read.
    #[schemars(extend("writeOnly" = true, "localFile" = true))]
    pub filename: Option<String>,
    /// The bucket of the zip file, in the function's region. Never returned by a read.
    #[schemars(length(min = 3, max = 63), extend("writeOnly" = true))]
    pub s3_bucket: Option<String>,
    /// The key of the zip file. Never returned by a read.
    #[schemars(length(min = 1, max = 1024), extend("writeOnly" = true))]
    pub s3_key: Option<String>,
    /// The version of the zip file. Never returned by a read.
    #[schemars(length(min = 1, max = 1024), extend("writeOnly" = true))]
    pub s3_object_version: Option<String>,
    /// `COPY`, or `REFERENCE` to run the S3 object in place. Never returned by a read.
    #[schemars(extend("writeOnly" = true, "default" = "COPY", "enum" = ["COPY", "REFERENCE"]))]
    pub s3_object_storage_mode: Option<String>,
    /// The container image. Needed for `Image`.
    pub image_uri: Option<String>,
    /// The code's SHA-256 in base64. Reads give what Lambda has, so new code and code that
    /// somebody else put there are both seen.
    #[schemars(extend("from" = CODE))]
    pub source_code_hash: Option<String>,
    /// `x86_64` or `arm64`, one of them.
    #[schemars(
        length(min = 1, max = 1),
        extend("default" = ["x86_64"], "items" = {"type": "string", "enum": ["x86_64", "arm64"]})
    )]
    pub architectures: Option<Vec<String>>,
    /// A description.
    #[schemars(length(max = 256))]
    pub description: Option<String>,
    /// Memory in MB: at most 10240, on Lambda Managed Instances 32768.
    #[schemars(range(min = 128, max = 32768), extend("default" = 128))]
    pub memory_size: Option<i32>,
    /// How many seconds a run may take: at most 1800, on Lambda Managed Instances 5400.
    #[schemars(range(min = 1, max = 5400), extend("default" = 3))]
    pub timeout: Option<i32>,
    /// The size of `/tmp`.
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// The environment variables.
    pub environment: Option<Environment>,
    /// The KMS key for the environment variables; AWS's own where none is given.
    pub kms_key_arn: Option<String>,
    /// The ARNs of layer versions, in order.
    #[schemars(length(max = 5))]
    pub layers: Option<Vec<String>>,
    /// The network that the function can reach.
    pub vpc_config: Option<VpcConfig>,
    /// Where events go that the function failed on.
    pub dead_letter_config: Option<DeadLetterConfig>,
    /// X-Ray tracing.
    pub tracing_config: Option<TracingConfig>,
    /// A file system.
    pub file_system_config: Option<FileSystemConfig>,
    /// What overrides the image's own settings.
    pub image_config: Option<ImageConfig>,
    /// How the function logs.
    pub logging_config: Option<LoggingConfig>,
    /// Start from snapshots.
    pub snap_start: Option<SnapStart>,
    /// Runs at the same time that are kept for it: 0 stops it, -1 (or none) keeps none.
    #[schemars(range(min = -1))]
    pub reserved_concurrent_executions: Option<i32>,
    /// The code signing configuration.
    pub code_signing_config_arn: Option<String>,
    /// Whether each change of code or configuration publishes a version.
    #[schemars(extend("writeOnly" = true, "default" = false))]
    pub publish: Option<bool>,
    /// Isolation of tenants.
    #[schemars(extend("createOnly" = true))]
    pub tenancy_config: Option<TenancyConfig>,
    /// Executions that last. It can be changed, but not removed.
    pub durable_config: Option<DurableConfig>,
    /// Tags.
    #[schemars(extend("maxProperties" = 47, "othersKeys" = "kept"))]
    pub tags: Option<Tags>,
}

/// The environment variables.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// Values by name; at most 4 KB in all.
    pub variables: Option<Tags>,
}

/// The size of `/tmp`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EphemeralStorage {
    /// In MB: at most 10240, with accelerators 32768.
    #[schemars(range(min = 512, max = 32768), extend("default" = 512))]
    pub size: Option<i32>,
}

/// The network that the function can reach.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VpcConfig {
    /// Its subnets.
    #[schemars(length(max = 16), extend("set" = true))]
    pub subnet_ids: Vec<String>,
    /// Its security groups.
    #[schemars(length(max = 5), extend("set" = true))]
    pub security_group_ids: Vec<String>,
    /// Whether outbound IPv6 is allowed.
    #[schemars(extend("default" = false))]
    pub ipv6_allowed_for_dual_stack: Option<bool>,
}

/// Where events go that the function failed on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadLetterConfig {
    /// The ARN of a queue or a topic.
    pub target_arn: String,
}

/// X-Ray tracing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TracingConfig {
    /// `Active`, or `PassThrough` to trace what the caller traces.
    #[schemars(extend("enum" = ["Active", "PassThrough"], "default" = "PassThrough"))]
    pub mode: String,
}

/// A file system.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileSystemConfig {
    /// The ARN of an EFS access point.
    pub arn: String,
    /// Where it is mounted.
    #[schemars(length(max = 160), regex(pattern = "^/mnt/[a-zA-Z0-9_.-]+$"))]
    pub local_mount_path: String,
}

/// What overrides a container image's own settings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageConfig {
    /// The parameters of the entry point.
    pub commands: Option<Vec<String>>,
    /// The entry point.
    pub entry_points: Option<Vec<String>>,
    /// The working directory.
    pub working_directory: Option<String>,
}

/// How the function logs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoggingConfig {
    /// `Text` or `JSON`.
    #[schemars(extend("default" = "Text", "enum" = ["Text", "JSON"]))]
    pub log_format: Option<String>,
    /// The log group; if omitted, `/aws/lambda/` and the function's name.
    #[schemars(length(min = 1, max = 512))]
    pub log_group: Option<String>,
    /// The least level of the code's own logs; needs `JSON`.
    #[schemars(extend("default" = "INFO", "enum" = [
        "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"
    ]))]
    pub application_log_level: Option<String>,
    /// The least level of Lambda's logs; needs `JSON`.
    #[schemars(extend("default" = "INFO", "enum" = ["DEBUG", "INFO", "WARN"]))]
    pub system_log_level: Option<String>,
}

/// Start from snapshots.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapStart {
    /// `None` or `PublishedVersions`.
    #[schemars(extend("enum" = ["None", "PublishedVersions"], "default" = "None"))]
    pub apply_on: String,
}

/// Isolation of tenants.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenancyConfig {
    /// `PER_TENANT`.
    #[schemars(extend("enum" = ["PER_TENANT"]))]
    pub tenant_isolation_mode: String,
}

/// Executions that last.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DurableConfig {
    /// The longest time of an execution, in seconds.
    #[schemars(range(min = 1, max = 31_622_400))]
    pub execution_timeout: Option<i32>,
    /// How many days an execution's history is kept.
    #[schemars(range(min = 1, max = 90), extend("default" = 14))]
    pub retention_period: Option<i32>,
}

fn incomplete(error: impl std::fmt::Display) -> Error {
    Error::failed(format!("a setting of the function is incomplete: {error}"))
}

impl Environment {
    pub(crate) fn to_sdk(&self) -> types::Environment {
        let variables = self.variables.clone().unwrap_or_default();
        types::Environment::builder()
            .set_variables(Some(variables.into_iter().collect()))
            .build()
    }

    /// From a reply. When Lambda could not decrypt the variables it gives none: `known`,
    /// what was last applied, is then the best there is, and no drift is seen.
    pub(crate) fn from_sdk(live: types::EnvironmentResponse, known: Option<Tags>) -> Self {
        let variables = live.variables.map(|map| map.into_iter().collect());
        let variables = if live.error.is_some() {
            variables.or(known)
        } else {
            variables
        };
        Self { variables }
    }
}

impl EphemeralStorage {
    pub(crate) fn to_sdk(size: i32) -> Result<types::EphemeralStorage, Error> {
        types::EphemeralStorage::builder()
            .size(size)
            .build()
            .map_err(incomplete)
    }
}

impl VpcConfig {
    pub(crate) fn to_sdk(&self) -> types::VpcConfig {
        types::VpcConfig::builder()
            .set_subnet_ids(Some(self.subnet_ids.clone()))
            .set_security_group_ids(Some(self.security_group_ids.clone()))
            .set_ipv6_allowed_for_dual_stack(self.ipv6_allowed_for_dual_stack)
            .build()
    }

    /// From a reply; lists with nothing in them are how Lambda says "no VPC".
    pub(crate) fn from_sdk(live: types::VpcConfigResponse) -> Option<Self> {
        let subnet_ids = live.subnet_ids.unwrap_or_default();
        let security_group_ids = live.security_group_ids.unwrap_or_default();
        let some = !subnet_ids.is_empty() || !security_group_ids.is_empty();
        some.then_some(Self {
            subnet_ids,
            security_group_ids,
            ipv6_allowed_for_dual_stack: live.ipv6_allowed_for_dual_stack,
        })
    }
}

pub(crate) fn dead_letters(target: &str) -> types::DeadLetterConfig {
    types::DeadLetterConfig::builder()
        .target_arn(target)
        .build()
}

pub(crate) fn tracing(mode: &str) -> types::TracingConfig {
    types::TracingConfig::builder().mode(mode.into()).build()
}

pub(crate) fn snap_start(apply_on: &str) -> types::SnapStart {
    types::SnapStart::builder()
        .apply_on(apply_on.into())
        .build()
}

impl FileSystemConfig {
    pub(crate) fn to_sdk(&self) -> Result<types::FileSystemConfig, Error> {
        types::FileSystemConfig::builder()
            .arn(&self.arn)
            .local_mount_path(&self.local_mount_path)
            .build()
            .map_err(incomplete)
    }

    /// From a reply; the type has one file system.
    pub(crate) fn from_sdk(live: Vec<types::FileSystemConfig>) -> Option<Self> {
        live.into_iter().next().map(|one| Self {
            arn: one.arn,
            local_mount_path: one.local_mount_path,
        })
    }
}

impl ImageConfig {
    pub(crate) fn to_sdk(&self) -> types::ImageConfig {
        types::ImageConfig::builder()
            .set_command(self.commands.clone())
            .set_entry_point(self.entry_points.clone())
            .set_working_directory(self.working_directory.clone())
            .build()
    }

    pub(crate) fn from_sdk(live: types::ImageConfigResponse) -> Option<Self> {
        let live = live.image_config?;
        Some(Self {
            commands: live.command,
            entry_points: live.entry_point,
            working_directory: live.working_directory,
        })
    }
}

impl LoggingConfig {
    pub(crate) fn to_sdk(&self) -> types::LoggingConfig {
        types::LoggingConfig::builder()
            .set_log_format(self.log_format.as_deref().map(Into::into))
            .set_log_group(self.log_group.clone())
            .set_application_log_level(self.application_log_level.as_deref().map(Into::into))
            .set_system_log_level(self.system_log_level.as_deref().map(Into::into))
            .build()
    }

    /// These settings with Lambda's defaults for what is omitted, as an update sends them. Levels
    /// exist with `JSON` only.
    pub(crate) fn complete(&self, function: &str) -> Self {
        let json = self.log_format.as_deref() == Some("JSON");
        let level =
            |level: &Option<String>| level.clone().or_else(|| json.then(|| "INFO".to_owned()));
        Self {
            log_format: Some(self.log_format.clone().unwrap_or_else(|| "Text".to_owned())),
            log_group: Some(
                self.log_group
                    .clone()
                    .unwrap_or_else(|| format!("/aws/lambda/{function}")),
            ),
            application_log_level: level(&self.application_log_level),
            system_log_level: level(&self.system_log_level),
        }
    }

    pub(crate) fn from_sdk(live: types::LoggingConfig) -> Self {
        Self {
            log_format: live.log_format.map(|value| value.as_str().to_owned()),
            log_group: live.log_group,
            application_log_level: live
                .application_log_level
                .map(|value| value.as_str().to_owned()),
            system_log_level: live.system_log_level.map(|value| value.as_str().to_owned()),
        }
    }
}

impl TenancyConfig {
    pub(crate) fn to_sdk(&self) -> Result<types::TenancyConfig, Error> {
        types::TenancyConfig::builder()
            .tenant_isolation_mode(self.tenant_isolation_mode.as_str().into())
            .build()
            .map_err(incomplete)
    }
}

impl DurableConfig {
    pub(crate) fn to_sdk(&self) -> types::DurableConfig {
        types::DurableConfig::builder()
            .set_execution_timeout(self.execution_timeout)
            .retention_period_in_days(self.retention_period.unwrap_or(14))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_lambda_could_not_decrypt_are_no_drift() {
        let known = Tags::from([("a".to_owned(), "1".to_owned())]);
        let error = types::EnvironmentError::builder()
            .error_code("AccessDenied")
            .build();
        let live = types::EnvironmentResponse::builder().error(error).build();
        let read = Environment::from_sdk(live, Some(known.clone()));
        assert_eq!(read.variables, Some(known.clone()));
        let live = types::EnvironmentResponse::builder().build();
        assert_eq!(Environment::from_sdk(live, Some(known)).variables, None);
    }

    #[test]
    fn levels_are_sent_with_json_only() {
        let text = LoggingConfig::default().complete("f");
        assert_eq!(text.log_format.as_deref(), Some("Text"));
        assert_eq!(text.log_group.as_deref(), Some("/aws/lambda/f"));
        assert_eq!(text.system_log_level, None);
        let json = LoggingConfig {
            log_format: Some("JSON".to_owned()),
            ..Default::default()
        };
        let json = json.complete("f");
        assert_eq!(json.system_log_level.as_deref(), Some("INFO"));
        assert_eq!(json.application_log_level.as_deref(), Some("INFO"));
        assert_eq!(json.log_format.as_deref(), Some("JSON"));
    }
}
