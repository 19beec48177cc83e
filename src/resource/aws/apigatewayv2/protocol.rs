//! The protocol of an API, which decides what its children look like, kept once seen.
//!
//! A stage's URL begins with `wss` or `https` after the protocol of its API, yet no reply about a
//! stage returns it. The API is read or created in the same run before its stage is created, so the
//! protocol of that reply is kept here, and the stage costs no call for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What an API speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `WEBSOCKET`.
    WebSocket,
    /// `HTTP`.
    Http,
}

impl Protocol {
    /// From the API's own word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "WEBSOCKET" => Some(Self::WebSocket),
            "HTTP" => Some(Self::Http),
            _ => None,
        }
    }

    /// The scheme of the API's URLs.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::WebSocket => "wss",
            Self::Http => "https",
        }
    }

    /// As people write it.
    pub fn words(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::Http => "HTTP",
        }
    }

    /// The timeout of an integration that names none, in milliseconds.
    pub fn default_timeout(self) -> i32 {
        match self {
            Self::WebSocket => 29_000,
            Self::Http => 30_000,
        }
    }
}

/// The protocols seen so far, by API id.
#[derive(Debug, Default)]
pub struct Protocols(Mutex<BTreeMap<String, Protocol>>);

impl Protocols {
    /// Keeps what a reply returned.
    pub fn note(&self, api_id: &str, word: &str) {
        if let Some(protocol) = Protocol::parse(word) {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(api_id.to_owned(), protocol);
        }
    }

    /// What was kept.
    pub fn get(&self, api_id: &str) -> Option<Protocol> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(api_id).copied()
    }
}
