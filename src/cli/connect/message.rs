//! A message as API Gateway takes it (quotas, "WebSocket message payload size" and "WebSocket frame
//! size").

use super::super::error::CliError;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The most bytes of a message.
const MOST_BYTES: usize = 128 * 1024;
/// The most bytes of a frame.
const MOST_FRAME: usize = 32 * 1024;

/// Refuses a message that API Gateway would close the connection for.
pub(super) fn check(text: &str) -> Result<(), CliError> {
    if text.len() <= MOST_BYTES {
        return Ok(());
    }
    Err(CliError::new(format!(
        "A message has {} bytes, and API Gateway takes 128 KB at most.",
        text.len()
    ))
    .now("Nothing was sent.")
    .hint("Send a shorter one."))
}

/// The message in as many frames as it takes.
pub(super) fn frames(text: &str) -> Vec<Message> {
    if text.len() <= MOST_FRAME {
        return vec![Message::text(text)];
    }
    let parts = text.as_bytes().chunks(MOST_FRAME);
    let last = parts.len() - 1;
    let frame = |(place, part): (usize, &[u8])| {
        let kind = if place == 0 {
            Data::Text
        } else {
            Data::Continue
        };
        let frame = Frame::message(part.to_vec(), OpCode::Data(kind), place == last);
        Message::Frame(frame)
    };
    parts.enumerate().map(frame).collect()
}
