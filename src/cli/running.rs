//! What a stack runs, as its state knows it: its functions and log groups, and the clients that
//! reach them.

use super::account::AccountReport;
use super::addresses::no_address;
use super::args::{CloudArgs, GlobalArgs, InputArgs, NamesArg};
use super::error::CliError;
use super::place::WORK_DIR;
use super::{find, mistakes, neighbours, place, provider};
use crate::content::Disk;
use crate::engine::address::is_named;
use crate::lang::stack::Stack;
use crate::resource::aws::Aws;
use crate::resource::aws::connect::Settings;
use crate::store::state::ResourceState;
use crate::store::state::State;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// A stack that was applied.
pub(super) struct Running {
    pub(super) stack: Stack,
    pub(super) state: State,
    /// The addresses that were named.
    pub(super) addresses: Vec<String>,
}

/// A function or a log group of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) address: String,
    /// The function's name; none for a log group by itself.
    pub(super) function: Option<String>,
    /// The log group's name.
    pub(super) group: String,
    /// Where it is; none: where the stack is.
    pub(super) region: Option<String>,
}

/// Reads the stack and its state.
pub(super) async fn read(
    global: &GlobalArgs,
    names: &NamesArg,
    input: &InputArgs,
    cloud: &CloudArgs,
) -> Result<Running, CliError> {
    let (stack, addresses) = names.split(find::is_stack);
    let loaded = find::load(stack.name.as_deref(), input, cloud)?;
    let stack = mistakes::load_named(global, loaded)?;
    let store = place::store(&stack, cloud).await?;
    let account_report = AccountReport::new(global, &stack, cloud, &store);
    let opening = store.open(&stack.name, stack.env.as_deref());
    let opened = account_report.reading(&store, opening).await;
    let opened = opened.map_err(place::store_error)?;
    if !opened.existed && !opened.interrupted {
        let message = neighbours::never_applied(&stack, &store.name());
        return Err(CliError::new(message).hint("Run apply first."));
    }
    Ok(Running {
        stack,
        state: opened.state,
        addresses,
    })
}

/// The function or log group that a resource is.
fn source(address: &str, known: &ResourceState) -> Option<Source> {
    let value = |path: &[&str]| {
        let look = |from: &Value| {
            let found = path.iter().try_fold(from, |value, part| value.get(part))?;
            found.as_str().map(str::to_owned)
        };
        look(&known.outputs).or_else(|| look(&known.inputs))
    };
    let is =
        |native: &str, registry: &str| known.type_name == native || known.type_name == registry;
    let (function, group) = if is("aws:lambda:Function", "AWS::Lambda::Function") {
        let group = value(&["loggingConfig", "logGroup"]);
        let group = group.or_else(|| value(&["LoggingConfig", "LogGroup"]));
        let group = group.unwrap_or_else(|| format!("/aws/lambda/{}", known.id));
        (Some(known.id.clone()), group)
    } else if is("aws:cloudwatch:LogGroup", "AWS::Logs::LogGroup") {
        (None, known.id.clone())
    } else {
        return None;
    };
    Some(Source {
        address: address.to_owned(),
        function,
        group,
        region: value(&["region"]),
    })
}

impl Running {
    /// All functions and log groups.
    fn sources(&self) -> Vec<Source> {
        let known = self.state.resources.iter();
        known
            .filter_map(|(address, known)| source(address, known))
            .collect()
    }

    /// The functions that are named, and the log groups; all functions where nothing is.
    pub(super) fn named(&self) -> Result<Vec<Source>, CliError> {
        let all = self.sources();
        if self.addresses.is_empty() {
            let functions: Vec<Source> =
                all.into_iter().filter(|it| it.function.is_some()).collect();
            return match functions.is_empty() {
                true => Err(self.no_function()),
                false => Ok(functions),
            };
        }
        let mut found: Vec<Source> = Vec::new();
        for name in &self.addresses {
            let named = all.iter().filter(|it| is_named(&it.address, name));
            let before = found.len();
            for source in named {
                if !found.contains(source) {
                    found.push(source.clone());
                }
            }
            if found.len() == before && !found.iter().any(|it| is_named(&it.address, name)) {
                return Err(self.unknown(name, &all));
            }
        }
        Ok(found)
    }

    /// The one function that is named; where none is, the only one.
    pub(super) fn function(&self) -> Result<(String, Source), CliError> {
        let mut named = self.named()?;
        named.retain(|it| it.function.is_some());
        let list = || {
            let addresses: Vec<&str> = named.iter().map(|it| it.address.as_str()).collect();
            addresses.join(", ")
        };
        match named.as_slice() {
            [one] => {
                let name = one.function.clone().unwrap_or_default();
                Ok((name, one.clone()))
            }
            [] => Err(self.no_function()),
            _ => Err(CliError::new(format!(
                "One function is invoked, but these are several: {}.",
                list()
            ))
            .now("Nothing was invoked.")
            .hint("Name one of them.")),
        }
    }

    fn no_function(&self) -> CliError {
        CliError::new(format!(
            "The state of {} has no function.",
            self.stack.full_name()
        ))
        .hint("Functions have the type aws:lambda:Function; run apply where the file has one.")
    }

    fn unknown(&self, name: &str, all: &[Source]) -> CliError {
        let in_state = self.state.resources.keys().find(|it| is_named(it, name));
        if let Some(address) = in_state {
            return CliError::new(format!("{address} is not a function and not a log group."))
                .hint(format!("Functions here: {}.", functions(all)));
        }
        let known = all.iter().map(|it| it.address.as_str());
        CliError::new(format!(
            "{name}: no function in the state has this address, and no stack this name."
        ))
        .hint(no_address(name, known))
    }

    /// The settings that the stack's clients have.
    pub(super) fn settings(&self, cloud: &CloudArgs) -> Result<Settings, CliError> {
        let provider = provider::provider(&self.stack, cloud, &Disk::new(&self.stack.dir))?;
        let mut settings = provider.settings;
        settings.region = settings.region.or_else(|| self.state.region.clone());
        Ok(settings)
    }

    /// The stack's clients.
    pub(super) async fn clients(&self, cloud: &CloudArgs) -> Result<Arc<Aws>, CliError> {
        let settings = self.settings(cloud)?;
        let work_dir = Path::new(WORK_DIR);
        let clients = provider::clients(settings, Some(&self.stack), cloud, work_dir);
        Ok(clients.await?.0)
    }
}

fn functions(all: &[Source]) -> String {
    let functions = all.iter().filter(|it| it.function.is_some());
    let addresses: Vec<&str> = functions.map(|it| it.address.as_str()).collect();
    match addresses.is_empty() {
        true => "none".to_owned(),
        false => addresses.join(", "),
    }
}

/// The clients for a source, in its region.
pub(super) fn in_region(aws: &Arc<Aws>, source: &Source) -> Arc<Aws> {
    match &source.region {
        Some(region) if region != aws.region() => Arc::new(aws.in_region(region)),
        _ => Arc::clone(aws),
    }
}
