//! The address that is connected to.

use super::super::args::connect::ConnectArgs;
use super::super::args::{GlobalArgs, NamesArg};
use super::super::error::CliError;
use super::super::find;
use super::super::running::{self, Running};
use crate::engine::address::is_named;
use crate::nearest::nearest;
use std::net::SocketAddr;

/// An address, and the stack that has it.
pub(super) struct Target {
    pub(super) url: String,
    /// None for a URL without a stack.
    pub(super) stack: Option<Running>,
}

/// An address that the stack has, with what names it.
struct Candidate {
    name: String,
    url: String,
}

impl Target {
    /// Finds it: the URL as it was typed, an output, or a stage.
    pub(super) async fn find(global: &GlobalArgs, args: &ConnectArgs) -> Result<Self, CliError> {
        let names: Vec<String> = [&args.first, &args.second]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        if let [url] = names.as_slice()
            && is_url(url)
        {
            return Ok(Self {
                url: web_socket(url),
                stack: None,
            });
        }
        let names = NamesArg { names };
        let (_, named) = names.split(find::is_stack);
        if let [_, second, ..] = named.as_slice() {
            let message = format!("{second}: one address is connected to, and these are two.");
            return Err(
                CliError::new(message).hint("Name a stack first, or only one output or URL.")
            );
        }
        let stack = running::read(global, &names, &args.input, &args.cloud).await?;
        let url = match named.first() {
            Some(url) if is_url(url) => web_socket(url),
            Some(name) => named_in(&stack, name)?,
            None => only(&stack)?,
        };
        Ok(Self {
            url,
            stack: Some(stack),
        })
    }
}

fn is_url(text: &str) -> bool {
    let schemes = ["ws://", "wss://", "http://", "https://"];
    schemes.iter().any(|scheme| text.starts_with(scheme))
}

/// A stage is reached under `https://` as well, for the API of its connections.
fn web_socket(url: &str) -> String {
    match url.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        _ => url.to_owned(),
    }
}

fn is_web_socket(url: &str) -> bool {
    url.starts_with("wss://") || url.starts_with("ws://")
}

/// The outputs of the stack that are addresses.
fn outputs(stack: &Running) -> Vec<Candidate> {
    let outputs = stack.state.outputs.iter();
    outputs
        .filter_map(|(name, output)| {
            let url = output.value.as_str().filter(|url| is_web_socket(url))?;
            Some(Candidate {
                name: name.clone(),
                url: url.to_owned(),
            })
        })
        .collect()
}

/// The stages of the stack that have such an address.
fn stages(stack: &Running) -> Vec<Candidate> {
    let known = stack.state.resources.iter();
    known
        .filter_map(|(address, known)| {
            let url = known.outputs.get("invokeUrl")?.as_str()?;
            is_web_socket(url).then(|| Candidate {
                name: address.clone(),
                url: url.to_owned(),
            })
        })
        .collect()
}

/// The only address that the stack has.
fn only(stack: &Running) -> Result<String, CliError> {
    let mut found = outputs(stack);
    if found.is_empty() {
        found = stages(stack);
    }
    let first = found.first().map(|it| it.url.clone());
    let same = found.iter().all(|it| Some(&it.url) == first.as_ref());
    match first {
        Some(url) if same => Ok(url),
        Some(_) => {
            let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
            Err(CliError::new(format!(
                "The stack {} has several WebSocket addresses: {}.",
                stack.stack.full_name(),
                names.join(", ")
            ))
            .hint(format!("Name one: stackctl connect {}", names[0])))
        }
        None => Err(CliError::new(format!(
            "The state of {} has no WebSocket address.",
            stack.stack.full_name()
        ))
        .hint(
            "One is an output whose value begins with wss://, or the stage of an API with \
             protocolType WEBSOCKET. A URL can be given as well.",
        )),
    }
}

fn named_in(stack: &Running, name: &str) -> Result<String, CliError> {
    let (outputs, stages) = (outputs(stack), stages(stack));
    let output = outputs.iter().find(|it| it.name == name);
    let found = output.or_else(|| stages.iter().find(|it| is_named(&it.name, name)));
    if let Some(found) = found {
        return Ok(found.url.clone());
    }
    if stack.state.outputs.contains_key(name) {
        let message = format!("The output {name} is no address that begins with wss://.");
        return Err(CliError::new(message).hint("Name another output, a stage or a URL."));
    }
    let known = outputs.iter().chain(&stages).map(|it| it.name.as_str());
    let hint = match nearest(name, known.clone()) {
        Some(near) => format!("Did you mean {near}?"),
        None => format!("Addresses here: {}.", known.collect::<Vec<_>>().join(", ")),
    };
    let message = format!("{name}: no output of the stack, no stage and no stack has this name.");
    Err(CliError::new(message).hint(hint))
}

/// The address of a stage in the local cloud, which is served at `address`.
pub(super) fn local(url: &str, address: SocketAddr) -> Result<String, CliError> {
    let wrong = || {
        CliError::new(format!("{url} is no address of a stage of API Gateway."))
            .now("Nothing was sent.")
            .hint("Such an address is wss://<api>.execute-api.<region>.amazonaws.com/<stage>.")
    };
    let (_, rest) = url.split_once("://").ok_or_else(wrong)?;
    let (host, path) = rest.split_once('/').ok_or_else(wrong)?;
    if host.starts_with("127.0.0.1:") || host.starts_with("localhost:") {
        return Ok(url.to_owned());
    }
    let (api, after) = host.split_once('.').ok_or_else(wrong)?;
    if !after.starts_with("execute-api.") {
        return Err(wrong());
    }
    Ok(format!("ws://{address}/_api/{api}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_has_its_place_in_the_local_cloud() {
        let address = "127.0.0.1:4566".parse().unwrap();
        let local = |url: &str| local(url, address).ok();
        let at_aws = "wss://a1.execute-api.us-west-2.amazonaws.com/live?key=x";
        let here = "ws://127.0.0.1:4566/_api/a1/live?key=x".to_owned();
        assert_eq!(local(at_aws), Some(here.clone()));
        assert_eq!(local(&here), Some(here));
        assert_eq!(local("wss://example.com/live"), None);
        assert_eq!(local("wss://a1.execute-api.us-west-2.amazonaws.com"), None);
    }

    #[test]
    fn https_is_wss() {
        assert_eq!(web_socket("https://a/b"), "wss://a/b");
        assert_eq!(web_socket("http://a/b"), "ws://a/b");
        assert_eq!(web_socket("wss://a/b"), "wss://a/b");
    }
}
