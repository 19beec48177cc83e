//! From `providers.aws` and the flags to clients.

use super::args::CloudArgs;
use super::error::CliError;
use super::neighbours::LARGEST;
use super::output;
use crate::data::Path as DataPath;
use crate::engine::plan::values::{ReadFile, Values};
use crate::files;
use crate::lang::diagnostic::Place;
use crate::lang::eval::{Size, evaluate};
use crate::lang::load::assume_role::{fault, seconds};
use crate::lang::locate::locate;
use crate::lang::stack::Stack;
use crate::local_cloud;
use crate::outside::Outside;
use crate::report::terminal::escape;
use crate::resource::aws::Aws;
use crate::resource::aws::connect::{AssumeRole, ConnectError, Local, Settings, connect};
use crate::resource::aws::endpoint::is_region;
use crate::resource::aws::profile::MissingProfile;
use crate::store::Watch;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use tokio::sync::Mutex;

/// What `providers.aws` says, evaluated.
#[derive(Debug, Default)]
pub(super) struct Provider {
    /// The settings of the clients.
    pub(super) settings: Settings,
    /// `state:`, evaluated.
    pub(super) state: Option<String>,
    /// `allowedAccountIds`; empty: any.
    pub(super) allowed_accounts: Vec<String>,
}

/// What is known before anything is read: variables, and the locals that need nothing else.
pub(super) fn values<'a>(stack: &'a Stack, read_file: ReadFile<'a>) -> Values<'a> {
    let mut values = Values::new(stack, read_file);
    for name in stack.references().locals() {
        if let Ok(value) = evaluate(&stack.locals[name], &values)
            && values.budget.keep(Size::of_data(&value)).is_ok()
        {
            values.local.insert(name.to_owned(), value);
        }
    }
    values
}

/// Evaluates `providers.aws`: variables and locals may be used, nothing that has to be read.
pub(super) fn provider(
    stack: &Stack,
    cloud: &CloudArgs,
    read_file: ReadFile<'_>,
) -> Result<Provider, CliError> {
    let values = values(stack, read_file);
    let known = |template: &Value, name: &str| -> Result<Value, CliError> {
        match evaluate(template, &values) {
            Ok(data) if data.is_known() => Ok(data.value),
            _ => Err(
                CliError::new(format!("{name} has no value before AWS is asked."))
                    .exit(super::exit::Exit::Invalid)
                    .hint("Use variables and locals that need no data source and no resource."),
            ),
        }
    };
    let setting = |key: &str| match stack.aws.get(key) {
        None => Ok(Value::Null),
        Some(template) => known(template, &format!("providers.aws.{key}")),
    };
    let state = known(&stack.state, "state")?;
    let text = |key: &str| -> Result<Option<String>, CliError> {
        Ok(setting(key)?
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned))
    };
    let accounts = setting("allowedAccountIds")?;
    let allowed_accounts = allowed(&accounts)?;
    let assume_role = assume_role(text("assumeRoleArn")?, &setting("assumeRole")?)?;
    let url = text("endpointUrl")?;
    // `state:` may hold what is in a file, and not every command makes a plan that says so.
    let where_to = format!("{} {}", stack.state, stack.aws);
    let outside = read_file.leading_out();
    if ["local.", "file"]
        .iter()
        .any(|part| where_to.contains(part))
    {
        outside
            .iter()
            .try_for_each(|found| stranger(cloud, found))?;
    }
    let endpoint_set_by = match &cloud.endpoint_url {
        Some(_) => "--endpoint-url".to_owned(),
        None => setting_at("providers.aws.endpointUrl", Some(stack)),
    };
    Ok(Provider {
        settings: Settings {
            region: text("region")?,
            profile: text("profile")?,
            endpoint_url: cloud.endpoint_url.clone().or(url),
            endpoint_set_by,
            assume_role,
            local: None,
            unpaced: std::env::var_os("STACKCTL_UNPACED").is_some_and(|it| it == "1"),
        },
        state: state.as_str().map(str::to_owned),
        allowed_accounts,
    })
}

/// The ids of the accounts. What is not an id must not count as "any account".
fn allowed(value: &Value) -> Result<Vec<String>, CliError> {
    let id = |id: &Value| match id {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    let ids = match value {
        Value::Null => Some(Vec::new()),
        Value::Array(ids) => ids.iter().map(id).collect(),
        _ => None,
    };
    ids.ok_or_else(|| {
        CliError::new("providers.aws.allowedAccountIds: expected a list of account ids.")
            .exit(super::exit::Exit::Invalid)
            .now("Nothing was called.")
            .hint("Write the 12 digits of each account, in quotes.")
    })
}

/// The role that `assumeRoleArn` or `assumeRole` names; an empty ARN names none.
fn assume_role(short: Option<String>, long: &Value) -> Result<Option<AssumeRole>, CliError> {
    let text = |key: &str| -> Result<Option<String>, CliError> {
        let text = match long.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        // What is written as it is was checked when the file was loaded.
        match fault(key, &text) {
            None => Ok(Some(text)),
            Some(why) => Err(CliError::new(format!(
                "providers.aws.assumeRole.{key} is {text:?}: {why}."
            ))
            .exit(super::exit::Exit::Invalid)
            .now("Nothing was changed.")
            .hint("Correct the value in the stack file.")),
        }
    };
    let Some(role_arn) = short.or(text("roleArn")?) else {
        return Ok(None);
    };
    Ok(Some(AssumeRole {
        role_arn,
        external_id: text("externalId")?,
        session_name: text("sessionName")?,
        duration: text("duration")?.as_deref().and_then(seconds),
    }))
}

/// Reports a file outside of the project's folder that decides where calls or the state go.
fn stranger(cloud: &CloudArgs, found: &Outside) -> Result<(), CliError> {
    if cloud.strict {
        return Err(CliError::new(format!(
            "The stack file says by a file where to go: {found}."
        ))
        .exit(super::exit::Exit::Invalid)
        .now("Nothing was called.")
        .hint("See what the stack reads it for; without --strict this is a warning."));
    }
    message_once(&format!("warning: {found}.\n"));
    Ok(())
}

/// Writes a message, once in this process.
fn message_once(text: &str) {
    static REPORTED: std::sync::Mutex<BTreeSet<String>> = std::sync::Mutex::new(BTreeSet::new());
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    if reported.insert(text.to_owned()) {
        output::message(text);
    }
}

/// Reports the endpoints that are not AWS's own hosts, before the first call.
///
/// # Errors
/// With `--strict`, where others could read what is sent, or a stack file sends it to others.
fn report_endpoints(aws: &Aws, cloud: &CloudArgs) -> Result<(), CliError> {
    for endpoint in aws.endpoints() {
        let (url, set_by) = (escape(&endpoint.url), escape(&endpoint.set_by));
        let of_file = endpoint.set_by.starts_with("providers.aws.") && !endpoint.is_here();
        if cloud.strict && (of_file || endpoint.is_open()) {
            let why = match endpoint.is_open() {
                true => "is not encrypted",
                false => "is another machine's",
            };
            return Err(CliError::new(format!(
                "The endpoint {url} {why} ({set_by}): credentials and the values of the stack would go there."
            ))
            .exit(super::exit::Exit::Invalid)
            .now("Nothing was called.")
            .hint("Take the endpoint out; without --strict this is a warning."));
        }
        let whose = match &endpoint.service {
            Some(service) => format!("Calls of {service} go"),
            None => "All calls go".to_owned(),
        };
        let region = aws.region();
        message_once(&format!(
            "{whose} to {url}, not to AWS ({set_by}; region {region}).\n"
        ));
        if endpoint.is_open() {
            message_once(&format!(
                "warning: {url} is not encrypted: who is on the way can read the credentials and all that is sent.\n"
            ));
        }
    }
    Ok(())
}

/// The clients of this process that call AWS, and with which settings: the stack's and the
/// state's are often the same, and a script or a sign-in should run once.
static SHARED: Mutex<Option<(Settings, Arc<Aws>)>> = Mutex::const_new(None);

/// The clients: of AWS, or of the local cloud, which may then watch the store.
pub(super) async fn clients(
    mut settings: Settings,
    stack: Option<&Stack>,
    cloud: &CloudArgs,
    work_dir: &Path,
) -> Result<(Arc<Aws>, Watch), CliError> {
    let mut watch = Watch::default();
    if cloud.local {
        let (cloud, speed) = local_cloud(work_dir)?;
        settings.endpoint_url = None;
        settings.assume_role = None;
        settings.local = Some(Local {
            http: cloud.http_client(),
            speed,
        });
        watch = Watch::new(move |moment| cloud.moment(&moment.name()));
    }
    if let Some(region) = settings.region.as_deref().filter(|it| !is_region(it)) {
        return Err(CliError::new(format!("{region:?} is not an AWS region."))
            .now("Nothing was called.")
            .hint("Correct providers.aws.region in the stack file: us-west-2, for example."));
    }
    let mut shared = SHARED.lock().await;
    if let Some((by, aws)) = shared.as_ref()
        && by.is_same_way(&settings)
    {
        match &settings.region {
            Some(region) if region == aws.region() => return Ok((Arc::clone(aws), watch)),
            Some(region) => return Ok((Arc::new(aws.in_region(region)), watch)),
            None if by.region.is_none() => return Ok((Arc::clone(aws), watch)),
            None => {}
        }
    }
    let aws = connect(&settings).await.map_err(|error| match error {
        ConnectError::Profile(missing) => {
            let set_by = set_by(&missing, stack);
            super::reads::resource_error(&missing.error(&set_by))
        }
        ConnectError::Other(error) => super::reads::resource_error(&error),
    })?;
    report_endpoints(&aws, cloud)?;
    let aws = Arc::new(aws);
    *shared = Some((settings, Arc::clone(&aws)));
    Ok((aws, watch))
}

/// The local cloud of this folder, as the environment wants it, and how many times faster than real
/// time its clock runs.
pub(super) fn local_cloud(work_dir: &Path) -> Result<(local_cloud::Cloud, f64), CliError> {
    let setting = |name: &str| std::env::var_os(name).map(|it| it.to_string_lossy().into_owned());
    let mut options = local_cloud::Options::from_strings(
        work_dir.join("local"),
        setting("STACKCTL_LOCAL_FAULTS").as_deref(),
        setting("STACKCTL_LOCAL_SPEED").as_deref(),
        setting("STACKCTL_LOCAL_LATENCY").as_deref(),
    )
    .map_err(|error| CliError::new(format!("The local cloud's settings are wrong: {error}.")))?;
    options.struck = setting("STACKCTL_LOCAL_STRUCK").map(PathBuf::from);
    let speed = options.speed;
    let cloud = local_cloud::Cloud::open(options)
        .map_err(|error| CliError::new("The local cloud could not be opened.").caused_by(&error))?;
    Ok((cloud, speed))
}

/// What names a profile: `AWS_PROFILE`, or the setting and its place.
fn set_by(missing: &MissingProfile, stack: Option<&Stack>) -> String {
    const SETTING: &str = "providers.aws.profile";
    if missing.by_variable {
        return "AWS_PROFILE".to_owned();
    }
    setting_at(SETTING, stack)
}

/// A setting and its place in the stack file.
fn setting_at(setting: &str, stack: Option<&Stack>) -> String {
    let path = DataPath::dotted(setting);
    let at = stack.and_then(|stack| {
        let text = files::read_text(Path::new(&stack.file), LARGEST).ok()?;
        let span = locate(&text, &Place::Value(path))?;
        Some(format!("{}:{}:{}", stack.file, span.line, span.column))
    });
    match at {
        Some(at) => format!("{setting}, {at}"),
        None => setting.to_owned(),
    }
}
