//! Points in time: written by people in any form of RFC 3339, compared in one.

use crate::resource::error::Error;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// A time as RFC 3339 writes it, with any offset and fraction.
///
/// # Errors
/// When the string is not such a time.
pub fn time(text: &str) -> Result<DateTime, Error> {
    DateTime::from_str(text, Format::DateTimeWithOffset)
        .map_err(|error| Error::failed(format!("{text} is not an RFC 3339 time: {error}")))
}

/// A point in time in the one form that is compared: UTC, with a Z.
pub fn rfc3339(time: &DateTime) -> Option<String> {
    time.fmt(Format::DateTime).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_has_one_form() {
        for text in [
            "2026-01-31T00:00:00Z",
            "2026-01-31T00:00:00.000Z",
            "2026-01-31T02:00:00+02:00",
            "2026-01-30T23:30:00.0-00:30",
        ] {
            let form = rfc3339(&time(text).unwrap());
            assert_eq!(form.as_deref(), Some("2026-01-31T00:00:00Z"), "{text}");
        }
        assert!(time("2026-01-31").is_err());
    }
}
