//! The names of buckets: generated ones, and what S3 refuses.

use crate::resource::author::*;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rand::RngExt;

/// The characters that a generated name adds to its prefix: date, 4 digits, 8 hex digits.
const SUFFIX: usize = 26;

/// `prefix` + UTC date and time + 4 digits + 8 hex digits.
pub fn generated(prefix: &str, draw: &mut Draw) -> String {
    let seconds = i64::try_from(draw.unix_time).unwrap_or_default();
    let date: String = DateTime::from_secs(seconds)
        .fmt(Format::DateTime)
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let fraction = draw.rng.random_range(0..10_000);
    let tail: u32 = draw.rng.random();
    format!("{prefix}{date:0<14}{fraction:04}{tail:08x}")
}

/// A name's start, generated from a resource's address: `logs["a b"]` gives `logs-a-b-`.
pub fn prefix_of(address: &str) -> String {
    let mut prefix = String::new();
    for c in address.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            prefix.push(c);
        } else if !prefix.is_empty() && !prefix.ends_with('-') {
            prefix.push('-');
        }
    }
    prefix.truncate(63 - SUFFIX - 1);
    let stem = prefix.trim_end_matches('-');
    if stem.is_empty() {
        "bucket-".to_owned()
    } else {
        format!("{stem}-")
    }
}

/// What is wrong with a name beyond its characters and length (S3 User Guide, "General
/// purpose bucket naming rules").
pub fn name_fault(name: &str) -> Option<String> {
    const STARTS: &[&str] = &["xn--", "sthree-", "amzn-s3-demo-"];
    const ENDS: &[&str] = &["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    if name.contains("..") {
        return Some("a bucket name has no two dots in a row".to_owned());
    }
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some("a bucket name must not have the form of an IP address".to_owned());
    }
    if let Some(start) = STARTS.iter().find(|start| name.starts_with(**start)) {
        return Some(format!("a bucket name does not begin with {start}"));
    }
    let end = ENDS.iter().find(|end| name.ends_with(**end))?;
    Some(format!("a bucket name does not end in {end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_makes_a_legal_prefix() {
        assert_eq!(prefix_of("code"), "code-");
        assert_eq!(prefix_of("Logs[\"a b\"]"), "logs-a-b-");
        assert_eq!(prefix_of("__"), "bucket-");
        let long = prefix_of(&"x".repeat(80));
        assert_eq!(long.len() + SUFFIX, 63);
    }
}
