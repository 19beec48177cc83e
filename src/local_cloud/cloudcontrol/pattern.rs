//! Strings that a pattern of a schema allows.

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};
use sha2::{Digest, Sha256};

/// How long a part becomes that has no length of its own.
const USUAL: u32 = 8;

/// Whether a pattern allows a string. One that cannot be read allows none.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    Regex::new(&translated(pattern)).is_ok_and(|regex| regex.is_match(text))
}

/// A string that the pattern allows, another one for another seed; none for patterns with what no
/// regular language has.
pub(super) fn example(pattern: &str, seed: &str) -> Option<String> {
    let hir = regex_syntax::parse(&translated(pattern)).ok()?;
    let mut made = String::new();
    let mut draws = Draws {
        seed: Sha256::digest(seed).to_vec(),
        at: 0,
    };
    draws.write(&hir, &mut made);
    fits(pattern, &made).then_some(made)
}

fn translated(pattern: &str) -> String {
    pattern.replace("\\Z", "$")
}

/// Numbers that follow from a seed.
struct Draws {
    seed: Vec<u8>,
    at: usize,
}

impl Draws {
    fn below(&mut self, most: usize) -> usize {
        if self.at == self.seed.len() {
            (self.seed, self.at) = (Sha256::digest(&self.seed).to_vec(), 0);
        }
        self.at += 1;
        usize::from(self.seed[self.at - 1]) % most.max(1)
    }

    fn write(&mut self, hir: &Hir, made: &mut String) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => made.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(class) => made.push(self.character(class)),
            HirKind::Capture(capture) => self.write(&capture.sub, made),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.write(part, made)),
            // A single fixed name would tell no two resources apart.
            HirKind::Alternation(options) => {
                let freedom = |option: &&Hir| {
                    let lengths = option.properties();
                    let (least, most) = (lengths.minimum_len(), lengths.maximum_len());
                    (least != most, least)
                };
                if let Some(option) = options.iter().max_by_key(freedom) {
                    self.write(option, made);
                }
            }
            HirKind::Repetition(repetition) => {
                let is_class = matches!(repetition.sub.kind(), HirKind::Class(_));
                let usual = if is_class { USUAL } else { 0 };
                let most = repetition.max.unwrap_or(u32::MAX);
                for _ in 0..usual.clamp(repetition.min, most.max(repetition.min)) {
                    self.write(&repetition.sub, made);
                }
            }
        }
    }

    /// A digit or small letter where the class has one.
    fn character(&mut self, class: &Class) -> char {
        let allowed = |c: &char| match class {
            Class::Unicode(class) => {
                let mut ranges = class.iter();
                ranges.any(|range| (range.start()..=range.end()).contains(c))
            }
            Class::Bytes(class) => {
                let mut ranges = class.iter();
                ranges.any(|range| (range.start()..=range.end()).contains(&(*c as u8)))
            }
        };
        let usual: Vec<char> = ('a'..='z').chain('0'..='9').filter(allowed).collect();
        let all = || ('!'..='~').filter(allowed).collect();
        let from: Vec<char> = if usual.is_empty() { all() } else { usual };
        let at = self.below(from.len());
        from.get(at).copied().unwrap_or(' ')
    }
}
