//! `stackctl local`: serves the local cloud to other programs, until Ctrl-C.

use super::args::GlobalArgs;
use super::args::local::LocalArgs;
use super::error::CliError;
use super::exit::Exit;
use super::place::WORK_DIR;
use super::{interrupt, output, provider, served};
use crate::local_cloud::live::{Live, Presence, Running};
use crate::local_cloud::{Cloud, Entry};
use crate::report::terminal::escape;
use serde_json::json;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &LocalArgs) -> Result<Exit, CliError> {
    let (cloud, _) = provider::local_cloud(Path::new(WORK_DIR))?;
    let dir = Path::new(WORK_DIR).join("local");
    let unusable =
        |error: io::Error| CliError::new("The local cloud could not be served.").caused_by(&error);
    let mut presence = match Presence::take(&dir).map_err(unusable)? {
        Ok(presence) => presence,
        Err(running) => return Err(served_already(running)),
    };
    // The first signal ends what follows, and that is how the command is meant to end.
    let working = interrupt::working()?;
    let live = Live::start(cloud.clone(), args.port)
        .await
        .map_err(|error| taken(args.port, &error))?;
    presence.tell(live.address()).map_err(unusable)?;
    say(global, &cloud, live.address())?;
    served::say_notes(&live);
    let mut signals = working.subscribe();
    // The sender lives as long as the process.
    let _ = signals.wait_for(|count| *count > 0).await;
    live.stop().await;
    Ok(Exit::Done)
}

fn served_already(running: Option<Running>) -> CliError {
    let place = match running {
        Some(Running { address, pid }) => format!(", at http://{address} by process {pid}"),
        None => String::new(),
    };
    CliError::new(format!(
        "The local cloud of this folder is served already{place}."
    ))
    .now("This one did not start.")
    .hint("Use the one that runs, or end it first.")
}

fn taken(port: u16, error: &io::Error) -> CliError {
    let message = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("Port {port} of 127.0.0.1 is taken by another program.")
        }
        _ => format!("Port {port} of 127.0.0.1 cannot be listened on."),
    };
    CliError::new(message)
        .caused_by(error)
        .now("Nothing is served.")
        .hint("Choose another port: stackctl local --port 4567 (0 takes a free one).")
}

/// Prints where it listens, and what for.
fn say(global: &GlobalArgs, cloud: &Cloud, address: SocketAddr) -> Result<(), CliError> {
    if global.json {
        let line = json!({
            "type": "listening",
            "address": address.to_string(),
            "url": format!("http://{address}"),
            "port": address.port(),
            "pid": std::process::id(),
        });
        return output::json(&format!("{line}\n"));
    }
    let held = cloud.resources().map_err(|error| {
        CliError::new("The local cloud's folder could not be read.").caused_by(&error)
    })?;
    output::result(&text(&held, address))
}

fn text(held: &[Entry], address: SocketAddr) -> String {
    let region = held.iter().find_map(region_of).unwrap_or("us-east-1");
    let mut text = format!(
        "The local cloud is served at http://{address} until Ctrl-C; it holds {}.\n\n\
         Other programs reach it so:\n  \
         export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION={region}\n  \
         aws --endpoint-url http://{address} sqs list-queues\n",
        match held.len() {
            1 => "1 resource".to_owned(),
            many => format!("{many} resources"),
        }
    );
    let stages: Vec<String> = held
        .iter()
        .filter_map(|it| stage(held, it, address))
        .collect();
    if !stages.is_empty() {
        text.push_str("\nAPIs:\n");
        for stage in stages {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {stage}");
        }
    }
    text
}

/// The region in a key: `sqs/us-west-2/queue/name`.
fn region_of(entry: &Entry) -> Option<&str> {
    match entry.service.as_str() {
        "iam" | "s3" => None,
        _ => entry.key.split('/').nth(1),
    }
}

/// The address of an API's stage, with the API's name.
fn stage(held: &[Entry], entry: &Entry, address: SocketAddr) -> Option<String> {
    if entry.service != "apigateway" || entry.kind != "stage" {
        return None;
    }
    let (api, stage) = entry.key.split_once("/stage/")?;
    let id = api.rsplit('/').next()?;
    let value = &held.iter().find(|it| it.key == api)?.value;
    let scheme = match value["protocolType"].as_str()? {
        "WEBSOCKET" => "ws",
        _ => "http",
    };
    let stage = match stage {
        "$default" => String::new(),
        stage => format!("/{stage}"),
    };
    let name = value["name"].as_str().unwrap_or_default();
    Some(format!(
        "{scheme}://{address}/_api/{}{}  {}",
        escape(id),
        escape(&stage),
        escape(name)
    ))
}
