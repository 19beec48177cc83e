//! Addresses that calls go to in place of AWS's own hosts.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// An address that calls go to in place of AWS's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The one service whose calls these are, such as `S3`; none: all.
    pub service: Option<String>,
    /// The address, without a name and password in it.
    pub url: String,
    /// What says so: a flag, a variable, a profile, a place in the stack file.
    pub set_by: String,
}

impl Endpoint {
    /// Whether the address is on this machine, so that nobody else can listen.
    pub fn is_here(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether what is sent there can be read on its way.
    pub fn is_open(&self) -> bool {
        !is_encrypted(&self.url) && !self.is_here()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(service) = &self.service {
            write!(f, "of {service} ")?;
        }
        write!(f, "{} ({})", self.url, self.set_by)
    }
}

/// Whether calls to an address go over TLS.
pub fn is_encrypted(url: &str) -> bool {
    url.get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

/// Whether an address is on this machine: `localhost`, and what is on the loopback.
pub fn is_loopback(url: &str) -> bool {
    let Some(uri) = url
        .parse::<http::Uri>()
        .ok()
        .filter(|uri| uri.scheme().is_some())
    else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => {
            let host = host.to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

/// An address without the name and the password that may stand in it.
pub fn without_password(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| start + at);
    match url[start..end].rfind('@') {
        Some(at) => format!("{}***@{}", &url[..start], &url[start + at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_here() {
        for url in [
            "http://localhost:4566",
            "http://127.0.0.1:5000/x",
            "HTTP://LOCALHOST",
            "http://s3.localhost:1",
            "http://[::1]:5000",
            "http://[::ffff:127.0.0.1]",
            "http://127.8.9.1",
            "http://u:p@127.0.0.1",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1@evil.example",
            "http://localhost:1@evil.example:2",
            "http://10.0.0.1",
            "http://0.0.0.0:1",
            "http://169.254.169.254",
            "http://evil.example/127.0.0.1",
            "https://evil.example#localhost",
            "localhost",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
        assert!(is_encrypted("HTTPS://x") && !is_encrypted("http://x") && !is_encrypted("é"));
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (url, shown) in [
            ("http://u:p@h:1/a@b", "http://***@h:1/a@b"),
            ("https://u:p@q@h", "https://***@h"),
            ("http://h/?a=b@c", "http://h/?a=b@c"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
