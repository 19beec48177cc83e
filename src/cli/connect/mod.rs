//! `stackctl connect`: a WebSocket API of the stack, talked to.

mod dial;
mod expect;
mod explain;
mod message;
mod talk;
mod target;

use super::args::GlobalArgs;
use super::args::connect::ConnectArgs;
use super::error::CliError;
use super::exit::Exit;
use super::served::Served;
use dial::Dial;
use expect::Expect;
use talk::Talk;
use target::Target;

/// Runs the command.
pub(super) async fn run(global: &GlobalArgs, args: &ConnectArgs) -> Result<Exit, CliError> {
    let expect = args.expect.as_deref().map(Expect::parse).transpose()?;
    for text in &args.send {
        message::check(text)?;
    }
    let target = Target::find(global, args).await?;
    let served = match args.cloud.local {
        true => Some(Served::start().await?),
        false => None,
    };
    let done = talk(global, args, &target, served.as_ref(), expect).await;
    if let Some(served) = served {
        served.stop().await;
    }
    done
}

async fn talk(
    global: &GlobalArgs,
    args: &ConnectArgs,
    target: &Target,
    served: Option<&Served>,
    expect: Option<Expect>,
) -> Result<Exit, CliError> {
    let url = match served {
        Some(served) => target::local(&target.url, served.address)?,
        None => target.url.clone(),
    };
    let dial = Dial {
        url: &url,
        target,
        args,
    };
    let socket = dial.open().await?;
    let mut talk = Talk {
        socket,
        json: global.json,
        timeout: args.timeout,
        received: 0,
    };
    match args.send.is_empty() {
        true => talk.prompt(&url).await,
        false => talk.exchange(&args.send, expect.as_ref()).await,
    }
}
