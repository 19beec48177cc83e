//! What is looked for, and the search: thousands of needles in each text that a command prints or
//! keeps, in one pass over its bytes.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use md5::Md5;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::collections::HashMap;

/// Every needle is at least so many bytes long; so many of its first ones are looked up.
const HEAD: usize = 8;

/// Needles, each with the number of the plant that it would give away.
#[derive(Default)]
pub(super) struct Needles {
    by_head: HashMap<[u8; HEAD], Vec<(Vec<u8>, usize)>>,
    /// A bit for each hash of the first four bytes.
    filter: Vec<u64>,
    pub(super) count: usize,
}

const BITS: usize = 1 << 18;

fn bit(bytes: &[u8]) -> usize {
    let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    (word.wrapping_mul(0x9E37_79B1) >> 14) as usize % BITS
}

impl Needles {
    fn insert(&mut self, plant: usize, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        assert!(
            text.len() >= HEAD,
            "{:?} is too short",
            String::from_utf8_lossy(text)
        );
        if self.filter.is_empty() {
            self.filter = vec![0; BITS / 64];
        }
        let bit = bit(text);
        self.filter[bit / 64] |= 1 << (bit % 64);
        let head: [u8; HEAD] = text[..HEAD].try_into().unwrap();
        let list = self.by_head.entry(head).or_default();
        if !list.iter().any(|(known, _)| known == text) {
            list.push((text.to_vec(), plant));
            self.count += 1;
        }
    }

    /// The hashes of a content.
    pub(super) fn hashes(&mut self, plant: usize, bytes: &[u8]) {
        let hashes: [Vec<u8>; 4] = [
            Md5::digest(bytes).to_vec(),
            Sha1::digest(bytes).to_vec(),
            Sha256::digest(bytes).to_vec(),
            Sha512::digest(bytes).to_vec(),
        ];
        for hash in hashes {
            // Names are cut after half of a hash.
            self.insert(plant, &hex::encode(&hash)[..24]);
            self.insert(plant, &hex::encode_upper(&hash)[..24]);
            self.insert(plant, &STANDARD.encode(&hash)[..20]);
            self.insert(plant, &URL_SAFE_NO_PAD.encode(&hash)[..20]);
        }
    }

    /// A mark: any eight characters of it, and all of it coded.
    pub(super) fn mark(&mut self, plant: usize, mark: &str) {
        self.hashes(plant, mark.as_bytes());
        for at in 0..=mark.len() - HEAD {
            self.insert(plant, &mark[at..at + HEAD]);
        }
        self.insert(plant, mark.to_uppercase());
        self.insert(plant, mark.chars().rev().collect::<String>());
        self.insert(plant, hex::encode(mark));
        let percent: String = mark.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.insert(plant, percent);
        for before in 0..3 {
            let coded = STANDARD.encode("x".repeat(before) + mark);
            let first = (before * 8usize).div_ceil(6);
            let last = (before + mark.len()) * 8 / 6;
            self.insert(plant, &coded[first..last]);
        }
    }

    /// A number: its digits, and their hashes.
    pub(super) fn number(&mut self, plant: usize, number: &Value) {
        let digits = number.to_string();
        self.hashes(plant, digits.as_bytes());
        self.insert(plant, digits);
    }

    /// The first needle in a text: the plant, the needle, and what stands around it.
    pub(super) fn find(&self, text: &[u8]) -> Option<(usize, String)> {
        if self.filter.is_empty() || text.len() < HEAD {
            return None;
        }
        for at in 0..=text.len() - HEAD {
            let bit = bit(&text[at..]);
            if self.filter[bit / 64] & (1 << (bit % 64)) == 0 {
                continue;
            }
            let Some(list) = self.by_head.get(&text[at..at + HEAD]) else {
                continue;
            };
            let found = list
                .iter()
                .find(|(needle, _)| text[at..].starts_with(needle));
            if let Some((needle, plant)) = found {
                let from = at.saturating_sub(90);
                let to = (at + needle.len() + 40).min(text.len());
                let around = String::from_utf8_lossy(&text[from..to]);
                let needle = String::from_utf8_lossy(needle);
                return Some((*plant, format!("{needle} in …{around}…")));
            }
        }
        None
    }
}

#[test]
fn a_needle_is_found_in_every_form() {
    let mut needles = Needles::default();
    needles.mark(7, "qz81hd72kx03");
    let forms = [
        "qz81hd72kx03".to_owned(),
        "the mark qz81hd72k...".to_owned(),
        "1hd72kx0".to_owned(),
        "QZ81HD72KX03".to_owned(),
        STANDARD.encode("a qz81hd72kx03 b"),
        hex::encode("qz81hd72kx03"),
        hex::encode(Md5::digest("qz81hd72kx03")),
        STANDARD.encode(Sha256::digest("qz81hd72kx03")),
    ];
    for form in forms {
        let found = needles.find(form.as_bytes()).map(|(plant, _)| plant);
        assert_eq!(found, Some(7), "{form}");
    }
    assert!(needles.find(b"qz81hd7 2kx03 and more").is_none());
}
