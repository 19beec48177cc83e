//! Messages out, replies in.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::interrupt;
use super::super::output::{self, Stream};
use super::dial::{Read, Socket};
use super::expect::Expect;
use super::{explain, message};
use crate::report::terminal::{escape, escape_lines};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// How long the other side may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// A conversation.
pub(super) struct Talk {
    pub(super) socket: Socket,
    pub(super) json: bool,
    /// How long replies are waited for.
    pub(super) timeout: Duration,
    pub(super) received: usize,
}

/// What was read.
enum Heard {
    Reply(String),
    /// Nothing that is shown.
    Nothing,
    Closed(Option<CloseFrame>),
}

impl Talk {
    /// Sends messages, and prints what comes back until it is enough.
    pub(super) async fn exchange(
        &mut self,
        messages: &[String],
        expect: Option<&Expect>,
    ) -> Result<Exit, CliError> {
        let end = Instant::now() + self.timeout;
        for text in messages {
            self.send(text).await?;
        }
        let outcome = loop {
            if expect.is_none() && self.received >= messages.len() {
                break Ok(Exit::Done);
            }
            let Ok(read) = timeout_at(end, self.socket.next()).await else {
                break Err(self.late(messages.len(), expect.is_some()));
            };
            match self.hear(read)? {
                Heard::Reply(reply) if expect.is_some_and(|it| it.is_met(&reply)) => {
                    break Ok(Exit::Done);
                }
                Heard::Reply(_) | Heard::Nothing => {}
                Heard::Closed(frame) => {
                    break Err(CliError::new(explain::closed(frame.as_ref()))
                        .now(self.came(messages.len())));
                }
            }
        };
        self.close().await;
        outcome
    }

    fn came(&self, sent: usize) -> String {
        let replies = match self.received {
            0 => "No reply".to_owned(),
            1 => "1 reply".to_owned(),
            many => format!("{many} replies"),
        };
        let messages = if sent == 1 { "message" } else { "messages" };
        format!("{replies} came to {sent} {messages}.")
    }

    /// The time is up.
    fn late(&self, sent: usize, expected: bool) -> CliError {
        let seconds = self.timeout.as_secs_f64();
        let message = match (expected, self.received) {
            (_, 0) => format!("No reply came within {seconds} s."),
            (true, _) => format!("No reply within {seconds} s is what --expect describes."),
            (false, _) => format!("Too few replies came within {seconds} s."),
        };
        CliError::new(message).now(self.came(sent)).hint(
            "stackctl logs shows what the functions logged. More time: --timeout 1m; an API that \
             sends no reply is talked to without --send.",
        )
    }

    /// Sends the lines of stdin, and prints what comes back, until stdin ends.
    pub(super) async fn prompt(&mut self, url: &str) -> Result<Exit, CliError> {
        let working = interrupt::working()?;
        let mut signals = working.subscribe();
        let is_terminal = std::io::stdin().is_terminal();
        if is_terminal {
            output::message(&format!(
                "Connected to {}. Each line is a message; Ctrl-D ends.\n",
                escape(url)
            ));
        }
        let mut lines = lines()?;
        let mut sent = 0;
        loop {
            tokio::select! {
                line = lines.recv() => match line {
                    Some(Ok(line)) if line.is_empty() => {}
                    Some(Ok(line)) => match message::check(&line) {
                        Ok(()) => {
                            self.send(&line).await?;
                            sent += 1;
                        }
                        Err(error) => output::message(&format!("{}\n", error.message)),
                    },
                    Some(Err(error)) => {
                        return Err(CliError::new("The standard input cannot be read.")
                            .caused_by(&error));
                    }
                    None => break,
                },
                read = self.socket.next() => {
                    if let Heard::Closed(frame) = self.hear(read)? {
                        return Err(CliError::new(explain::closed(frame.as_ref())));
                    }
                }
                _ = signals.wait_for(|count| *count > 0) => break,
            }
        }
        // A script that pipes its messages in waits for their replies.
        if !is_terminal {
            let end = Instant::now() + self.timeout;
            while self.received < sent {
                let Ok(read) = timeout_at(end, self.socket.next()).await else {
                    break;
                };
                if let Heard::Closed(_) = self.hear(read)? {
                    break;
                }
            }
        }
        self.close().await;
        Ok(Exit::Done)
    }

    async fn send(&mut self, text: &str) -> Result<(), CliError> {
        for frame in message::frames(text) {
            let sent = self.socket.send(frame).await;
            sent.map_err(|error| {
                CliError::new("The message could not be sent.").caused_by(&error)
            })?;
        }
        Ok(())
    }

    /// Prints a reply.
    fn hear(&mut self, read: Read) -> Result<Heard, CliError> {
        let text = match read {
            Some(Ok(Message::Text(text))) => text.to_string(),
            Some(Ok(Message::Binary(bytes))) => String::from_utf8_lossy(&bytes).into_owned(),
            Some(Ok(Message::Close(frame))) => return Ok(Heard::Closed(frame)),
            Some(Ok(_)) => return Ok(Heard::Nothing),
            Some(Err(_)) | None => return Ok(Heard::Closed(None)),
        };
        self.received += 1;
        if self.json {
            let read: Option<Value> = serde_json::from_str(&text).ok();
            let line = json!({"type": "reply", "text": text, "json": read});
            output::json(&format!("{line}\n"))?;
        } else if Stream::Stdout.is_terminal() {
            output::result(&format!("{}\n", escape_lines(&text)))?;
        } else {
            output::result(&format!("{text}\n"))?;
        }
        Ok(Heard::Reply(text))
    }

    async fn close(&mut self) {
        let goodbye = async {
            if self.socket.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // Who does not answer is left.
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// The lines of stdin, read by a thread of their own: a read cannot be given up.
fn lines() -> Result<mpsc::Receiver<std::io::Result<String>>, CliError> {
    let (sender, lines) = mpsc::channel(16);
    let read = move || {
        for line in std::io::stdin().lock().lines() {
            let ends = line.is_err();
            if sender.blocking_send(line).is_err() || ends {
                return;
            }
        }
    };
    let started = std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(read);
    started
        .map(|_| lines)
        .map_err(|error| CliError::new("The standard input cannot be read.").caused_by(&error))
}
