//! What a resource holds that is deleted with it.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a resource holds. What is not counted is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Messages of a queue, about: SQS counts roughly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Current objects of a bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// Older versions and delete markers of a bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<u64>,
    /// Bytes of a bucket (all versions) or of a log group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How many entries of a bucket each key has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, u64>,
    /// Whether there is more than was counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Whether the service refuses to delete the resource because of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps: bool,
    /// Why nothing could be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncounted: Option<String>,
}

impl Contents {
    /// Whether nothing is in it, as far as that was counted.
    pub fn is_empty(&self) -> bool {
        let none = |count: Option<u64>| count.unwrap_or(0) == 0;
        none(self.messages)
            && none(self.objects)
            && none(self.versions)
            && none(self.bytes)
            && self.uncounted.is_none()
    }

    /// How many entries a bucket was seen to hold.
    pub fn entries(&self) -> u64 {
        self.objects.unwrap_or(0) + self.versions.unwrap_or(0)
    }

    /// Whether what a bucket was seen to hold is all at these keys.
    pub fn is_all_at(&self, keys: &BTreeSet<&str>) -> bool {
        if self.keys.is_empty() {
            let keys = u64::try_from(keys.len()).unwrap_or(u64::MAX);
            return !self.more && self.entries() <= keys;
        }
        self.keys.keys().all(|key| keys.contains(key.as_str()))
    }

    /// `3 objects, 2 older versions, 4.2 kB`.
    pub fn text(&self) -> String {
        if let Some(why) = &self.uncounted {
            return format!("what could not be counted ({why})");
        }
        let more = if self.more { "+" } else { "" };
        let mut parts = Vec::new();
        let mut count = |count: Option<u64>, one: &str, many: &str| {
            if let Some(count) = count.filter(|count| *count > 0) {
                let word = if count == 1 && !self.more { one } else { many };
                parts.push(format!("{}{more} {word}", grouped(count)));
            }
        };
        count(self.messages, "message", "messages");
        count(self.objects, "object", "objects");
        count(self.versions, "older version", "older versions");
        if let Some(bytes) = self.bytes.filter(|bytes| *bytes > 0) {
            parts.push(format!("{}{more}", size(bytes)));
        }
        parts.join(", ")
    }
}

/// `1,000`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `812 bytes`, `4.2 kB`, `1.3 GB`.
#[expect(
    clippy::cast_precision_loss,
    reason = "one digit behind the point is shown"
)]
fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" });
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_described_in_words() {
        let bucket = Contents {
            objects: Some(3),
            versions: Some(1),
            bytes: Some(4213),
            ..Contents::default()
        };
        assert_eq!(bucket.text(), "3 objects, 1 older version, 4.2 kB");
        let large = Contents {
            objects: Some(1000),
            bytes: Some(999_999),
            more: true,
            ..Contents::default()
        };
        assert_eq!(large.text(), "1,000+ objects, 1.0 MB+");
        let queue = Contents {
            messages: Some(1),
            ..Contents::default()
        };
        assert_eq!(queue.text(), "1 message");
        assert!(!queue.is_empty());
        let empty = Contents {
            messages: Some(0),
            bytes: Some(0),
            ..Contents::default()
        };
        assert!(empty.is_empty());
        assert_eq!(size(1), "1 byte");
    }
}
