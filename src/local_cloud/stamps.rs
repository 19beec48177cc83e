//! Ids and times as the services write them.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rand::RngExt;

/// A random UUID (version 4), as request ids and mapping ids are.
pub(super) fn uuid() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// A random id: `prefix` and `length` characters out of A-Z and 2-7.
pub(super) fn id(prefix: &str, length: usize) -> String {
    const SYMBOLS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut rng = rand::rng();
    let tail = (0..length).map(|_| char::from(SYMBOLS[rng.random_range(0..SYMBOLS.len())]));
    prefix.chars().chain(tail).collect()
}

/// `2026-11-23T13:41:29Z`, from milliseconds since 1970.
pub(super) fn iso_seconds(millis: u64) -> String {
    format(millis / 1000 * 1000, Format::DateTime)
}

/// `2026-11-23T13:41:29.120Z`, from milliseconds since 1970.
pub(super) fn iso_millis(millis: u64) -> String {
    let seconds = iso_seconds(millis);
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), millis % 1000)
}

/// `Mon, 23 Nov 2026 13:41:29 GMT`, from milliseconds since 1970.
pub(super) fn http_date(millis: u64) -> String {
    format(millis / 1000 * 1000, Format::HttpDate)
}

fn format(millis: u64, format: Format) -> String {
    let time = DateTime::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    // Only years beyond 9999 cannot be written.
    time.fmt(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_aws_does() {
        let time = 1_795_441_289_120;
        assert_eq!(iso_seconds(time), "2026-11-23T13:41:29Z");
        assert_eq!(iso_millis(time), "2026-11-23T13:41:29.120Z");
        assert_eq!(http_date(time), "Mon, 23 Nov 2026 13:41:29 GMT");
        assert_eq!(iso_millis(1_795_441_289_000), "2026-11-23T13:41:29.000Z");
    }

    #[test]
    fn ids_have_their_shape() {
        assert_eq!(uuid().len(), 36);
        assert_ne!(uuid(), uuid());
        let role = id("AROA", 17);
        assert!(role.starts_with("AROA") && role.len() == 21);
    }
}
