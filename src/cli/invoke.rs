//! `stackctl invoke`: a function of the stack, called with an event.

use super::args::running::InvokeArgs;
use super::args::{GlobalArgs, NamesArg};
use super::error::CliError;
use super::exit::Exit;
use super::served::Served;
use super::{output, reads, running};
use crate::files;
use crate::report::terminal::escape_lines;
use crate::resource::aws::lambda::invoke::{Invoked, invoke};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// The largest event (Lambda quotas), in bytes.
const LARGEST: u64 = 6 << 20;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &InvokeArgs) -> Result<Exit, CliError> {
    let event = event(args.payload.as_deref())?;
    let names = NamesArg {
        names: args.names.clone(),
    };
    let stack = running::read(global, &names, &args.input, &args.cloud).await?;
    let (name, source) = stack.function()?;
    let served = match args.cloud.local {
        true => Some(Served::start().await?),
        false => None,
    };
    let aws = match &served {
        Some(served) => Arc::new(served.clients(stack.settings(&args.cloud)?).await?),
        None => stack.clients(&args.cloud).await?,
    };
    let aws = running::in_region(&aws, &source);
    let invoked = invoke(&aws, &name, event, args.logs).await;
    if let Some(served) = served {
        served.stop().await;
    }
    let invoked = invoked.map_err(|error| reads::resource_error(&error))?;
    show(global, &source.address, &invoked)
}

/// The event that is sent: JSON as it was given.
fn event(payload: Option<&str>) -> Result<Vec<u8>, CliError> {
    let Some(payload) = payload else {
        return Ok(b"{}".to_vec());
    };
    let (text, what) = match payload.strip_prefix('@') {
        None => (payload.as_bytes().to_vec(), "--payload".to_owned()),
        Some(name) => {
            let what = match name {
                "-" => "the standard input".to_owned(),
                name => name.to_owned(),
            };
            let failed = |why: files::Unreadable| {
                let error = std::io::Error::from(why);
                CliError::new(format!("{what} cannot be read.")).caused_by(&error)
            };
            let text = match name {
                "-" => {
                    let mut text = Vec::new();
                    files::read_to_limit(std::io::stdin().lock(), LARGEST, &mut text).map(|()| text)
                }
                name => files::read(Path::new(name), LARGEST),
            };
            (text.map_err(failed)?, what)
        }
    };
    match serde_json::from_slice::<Value>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(CliError::new(format!("The event in {what} is not JSON."))
            .caused_by(&error)
            .now("Nothing was invoked.")
            .hint("Write JSON, such as '{\"name\": \"value\"}', or @FILE.")),
    }
}

/// Prints what came back.
fn show(global: &GlobalArgs, address: &str, invoked: &Invoked) -> Result<Exit, CliError> {
    let payload: Option<Value> = serde_json::from_slice(&invoked.payload).ok();
    let text = String::from_utf8_lossy(&invoked.payload);
    if global.json {
        let told = json!({
            "function": address,
            "version": invoked.version,
            "error": invoked.error,
            "payload": payload.unwrap_or_else(|| json!(text)),
            "logs": invoked.log.as_ref().map(|log| log.lines().collect::<Vec<_>>()),
        });
        output::json(&format!("{told:#}\n"))?;
    } else {
        if let Some(log) = &invoked.log {
            output::message(&format!("{}\n", escape_lines(&log.replace('\t', "  "))));
        }
        let shown = payload.map_or_else(|| text.into_owned(), |value| format!("{value:#}"));
        output::result(&format!("{}\n", escape_lines(&shown)))?;
    }
    match &invoked.error {
        None => Ok(Exit::Done),
        Some(_) if global.json => Ok(Exit::Failed),
        Some(_) => Err(CliError::new(format!("The function {address} failed."))
            .hint("What it returned is above; stackctl logs shows what it logged.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_json() {
        assert_eq!(event(None).unwrap(), b"{}");
        assert_eq!(event(Some("{\"a\": 1.0}")).unwrap(), b"{\"a\": 1.0}");
        let wrong = event(Some("{a: 1}")).unwrap_err();
        assert!(
            wrong.message.contains("--payload is not JSON"),
            "{}",
            wrong.message
        );
        let missing = event(Some("@/none/such")).unwrap_err();
        assert!(
            missing.message.contains("/none/such cannot be read"),
            "{}",
            missing.message
        );
    }
}
