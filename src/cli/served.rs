//! The local cloud while a command needs it served: the one that runs already, or one in this
//! process for as long as the command takes.

use super::error::CliError;
use super::place::WORK_DIR;
use super::{output, provider};
use crate::local_cloud::live::{Live, Presence, running};
use crate::resource::aws::Aws;
use crate::resource::aws::connect::{Local, Settings, connect, on_this_machine};
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// A local cloud that is served.
pub(super) struct Served {
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// The one in this process, and the right to serve it.
    own: Option<(Live, Presence)>,
    speed: f64,
}

impl Served {
    /// Finds the one that runs, or starts one.
    pub(super) async fn start() -> Result<Self, CliError> {
        let dir = Path::new(WORK_DIR).join("local");
        let (cloud, speed) = provider::local_cloud(Path::new(WORK_DIR))?;
        let unusable = |error: io::Error| {
            CliError::new("The local cloud could not be served.").caused_by(&error)
        };
        let mut presence = match Presence::take(&dir).map_err(unusable)? {
            Ok(presence) => presence,
            Err(found) => {
                let address = found.map(|it| it.address).or_else(|| running(&dir));
                let Some(address) = address else {
                    return Err(CliError::new(
                        "The local cloud of this folder is served by a process that does not say where.",
                    )
                    .hint("End that process, or wait until it listens."));
                };
                return Ok(Self {
                    address,
                    own: None,
                    speed,
                });
            }
        };
        let live = Live::start(cloud, 0).await.map_err(unusable)?;
        presence.tell(live.address()).map_err(unusable)?;
        say_notes(&live);
        Ok(Self {
            address: live.address(),
            own: Some((live, presence)),
            speed,
        })
    }

    /// Clients that reach it.
    pub(super) async fn clients(&self, mut settings: Settings) -> Result<Aws, CliError> {
        let http = on_this_machine().map_err(|error| super::reads::resource_error(&error))?;
        settings.endpoint_url = Some(format!("http://{}", self.address));
        settings.assume_role = None;
        settings.local = Some(Local {
            http,
            speed: self.speed,
        });
        connect(&settings).await.map_err(|error| {
            CliError::new("The local cloud could not be reached.").caused_by(&error)
        })
    }

    /// Ends the one in this process.
    pub(super) async fn stop(self) {
        if let Some((live, _presence)) = self.own {
            live.stop().await;
        }
    }
}

/// Prints what a served cloud has to say to its user.
pub(super) fn say_notes(live: &Live) {
    if let Some(mut notes) = live.notes() {
        tokio::spawn(async move {
            while let Some(note) = notes.recv().await {
                output::message(&format!("note: {note}\n"));
            }
        });
    }
}
