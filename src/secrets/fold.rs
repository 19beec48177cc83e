//! Texts folded to what is left of a secret when others repeat it: small letters, without white
//! space, quotes, backslashes, and characters that nobody sees; what was coded is decoded.

use std::collections::HashSet;

/// How many codings may lie over each other; each round undoes one.
const ROUNDS: usize = 5;

/// How many bytes of a folded text make a part.
pub(super) const PART: usize = 8;

/// A text as folded, with the place that each byte of it has in the text.
pub(super) struct Folded {
    pub(super) bytes: Vec<u8>,
    places: Vec<(usize, usize)>,
}

/// A byte, and where it comes from in the text.
type Unit = (u8, (usize, usize));

impl Folded {
    pub(super) fn of(text: &str) -> Self {
        let mut units = Vec::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            let place = (at, at + c.len_utf8());
            units.extend(
                text.as_bytes()[place.0..place.1]
                    .iter()
                    .map(|b| (*b, place)),
            );
        }
        for _ in 0..ROUNDS {
            let coded = |unit: &Unit| matches!(unit.0, b'\\' | b'%' | b'&' | b'=');
            if !units.iter().any(coded) {
                break;
            }
            let (next, changed) = decoded(&units);
            units = next;
            if !changed {
                break;
            }
        }
        Self::kept(&units)
    }

    /// What is left of the characters.
    fn kept(units: &[Unit]) -> Self {
        let all: Vec<u8> = units.iter().map(|unit| unit.0).collect();
        let mut out = Self {
            bytes: Vec::with_capacity(all.len()),
            places: Vec::with_capacity(all.len()),
        };
        let mut at = 0;
        for chunk in all.utf8_chunks() {
            let mut chars = chunk.valid().char_indices().peekable();
            while let Some((from, c)) = chars.next() {
                if c == '\u{1b}' && chars.next_if(|(_, c)| *c == '[').is_some() {
                    // A colour: up to its letter.
                    while chars.next_if(|(_, c)| !c.is_ascii_alphabetic()).is_some() {}
                    chars.next();
                    continue;
                }
                if is_skipped(c) {
                    continue;
                }
                let place = (
                    units[at + from].1.0,
                    units[at + from + c.len_utf8() - 1].1.1,
                );
                for small in c.to_lowercase() {
                    out.push(small.encode_utf8(&mut [0; 4]).as_bytes(), place);
                }
            }
            at += chunk.valid().len();
            for byte in chunk.invalid() {
                out.push(&[*byte], units[at].1);
                at += 1;
            }
        }
        out
    }

    fn push(&mut self, bytes: &[u8], place: (usize, usize)) {
        self.bytes.extend_from_slice(bytes);
        self.places.extend(bytes.iter().map(|_| place));
    }

    /// The place in the text of a range of the folded bytes, which is not empty.
    pub(super) fn place(&self, from: usize, to: usize) -> (usize, usize) {
        let end = self.places[from..to].iter().map(|place| place.1).max();
        (self.places[from].0, end.unwrap_or_default())
    }

    /// The parts, one from each byte on.
    pub(super) fn parts(&self) -> impl Iterator<Item = u64> {
        let parts = self.bytes.windows(PART);
        parts.map(|part| {
            part.iter()
                .fold(0, |all, byte| (all << 8) | u64::from(*byte))
        })
    }

    /// The places of the longest runs of parts that `known` has, each of `least` bytes at least
    /// and with a part that is not `public`.
    pub(super) fn runs(
        &self,
        known: &HashSet<u64>,
        public: &HashSet<u64>,
        least: usize,
    ) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let (mut start, mut secret) = (None, false);
        let parts = self.parts().map(Some).chain([None]).enumerate();
        for (at, part) in parts {
            if let Some(part) = part.filter(|part| known.contains(part)) {
                start.get_or_insert(at);
                secret |= !public.contains(&part);
                continue;
            }
            if let Some(from) = start.take() {
                let to = at + PART - 1;
                if secret && to - from >= least {
                    found.push(self.place(from, to));
                }
            }
            secret = false;
        }
        found
    }
}

/// Characters that whoever repeats a text may omit or insert.
fn is_skipped(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\\' | '"' | '\'' | '`' | '+'
                | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
                | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fffd}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// One round: what is coded is decoded once. Whether there was anything.
fn decoded(units: &[Unit]) -> (Vec<Unit>, bool) {
    let mut out = Vec::with_capacity(units.len());
    let mut at = 0;
    let mut changed = false;
    while let Some(unit) = units.get(at) {
        let rest = &units[at..];
        let code = match unit.0 {
            b'%' => percent(rest),
            b'=' => quoted_printable(rest),
            b'&' => entity(rest),
            b'\\' => escape(rest),
            _ => None,
        };
        let Some(code) = code else {
            out.push(*unit);
            at += 1;
            continue;
        };
        changed = true;
        let end = units[at + code.length - 1].1.1;
        let place = (unit.1.0, end);
        out.extend(code.bytes.iter().map(|byte| (*byte, place)));
        at += code.length;
    }
    (out, changed)
}

/// Some bytes, and of how many they are the code.
struct Code {
    bytes: Vec<u8>,
    length: usize,
}

impl Code {
    fn of(bytes: Vec<u8>, length: usize) -> Option<Self> {
        Some(Self { bytes, length })
    }

    fn char(code: u32, length: usize) -> Option<Self> {
        let c = char::from_u32(code)?;
        Self::of(c.to_string().into_bytes(), length)
    }
}

fn byte(units: &[Unit], at: usize) -> Option<u8> {
    units.get(at).map(|unit| unit.0)
}

/// The number in `count` digits from `at` on.
fn digits(units: &[Unit], at: usize, count: usize, radix: u32) -> Option<u32> {
    let digits = units.get(at..at + count)?;
    digits.iter().try_fold(0, |number: u32, unit| {
        let digit = char::from(unit.0).to_digit(radix)?;
        number.checked_mul(radix)?.checked_add(digit)
    })
}

/// The number in all digits from `at` on, up to `end`; and where it ends.
fn number(units: &[Unit], at: usize, radix: u32, end: u8) -> Option<(u32, usize)> {
    const LONGEST: usize = 8;
    let within = units.get(at..)?.iter().take(LONGEST + 1);
    let count = within.map(|unit| unit.0).position(|byte| byte == end)?;
    let number = digits(units, at, count, radix).filter(|_| count > 0)?;
    Some((number, at + count + 1))
}

/// `%41`.
fn percent(units: &[Unit]) -> Option<Code> {
    let byte = u8::try_from(digits(units, 1, 2, 16)?).ok()?;
    Code::of(vec![byte], 3)
}

/// `=C3`, and a line that goes on below.
fn quoted_printable(units: &[Unit]) -> Option<Code> {
    match (byte(units, 1), byte(units, 2)) {
        (Some(b'\n'), _) => Code::of(Vec::new(), 2),
        (Some(b'\r'), Some(b'\n')) => Code::of(Vec::new(), 3),
        (Some(one), Some(other)) if !one.is_ascii_lowercase() && !other.is_ascii_lowercase() => {
            percent(units)
        }
        _ => None,
    }
}

/// `&amp;`, `&#38;`, `&#x26;`.
fn entity(units: &[Unit]) -> Option<Code> {
    if byte(units, 1) == Some(b'#') {
        let (code, length) = match byte(units, 2) {
            Some(b'x' | b'X') => number(units, 3, 16, b';')?,
            _ => number(units, 2, 10, b';')?,
        };
        return Code::char(code, length);
    }
    let names = [
        ("amp;", "&"),
        ("lt;", "<"),
        ("gt;", ">"),
        ("quot;", "\""),
        ("apos;", "'"),
        ("nbsp;", " "),
    ];
    names.into_iter().find_map(|(name, c)| {
        let given = units.get(1..=name.len())?.iter().map(|unit| unit.0);
        let is_it = given.map(|b| b.to_ascii_lowercase()).eq(name.bytes());
        is_it.then(|| Code::of(c.as_bytes().to_vec(), name.len() + 1))?
    })
}

/// `\u0041`, `\U00000041`, `\u{41}`, `\x41`, `\101`, `\n`, with any number of backslashes.
fn escape(units: &[Unit]) -> Option<Code> {
    let slashes = units.iter().take_while(|unit| unit.0 == b'\\').count();
    let from = slashes + 1;
    let coded = match byte(units, slashes) {
        Some(b'u' | b'U') => unicode(units, from),
        Some(b'x' | b'X') => {
            let byte = digits(units, from, 2, 16).and_then(|byte| u8::try_from(byte).ok());
            byte.and_then(|byte| Code::of(vec![byte], from + 2))
        }
        Some(b'0'..=b'3') => {
            let byte = digits(units, slashes, 3, 8).and_then(|byte| u8::try_from(byte).ok());
            byte.and_then(|byte| Code::of(vec![byte], slashes + 3))
        }
        Some(b'n' | b'r' | b't' | b'b' | b'f') => Code::of(Vec::new(), from),
        _ => None,
    };
    coded.or_else(|| Code::of(Vec::new(), slashes))
}

/// The character of which `from` is behind the `u`.
fn unicode(units: &[Unit], from: usize) -> Option<Code> {
    if byte(units, from) == Some(b'{') {
        let (code, length) = number(units, from + 1, 16, b'}')?;
        return Code::char(code, length);
    }
    if let Some(code) = digits(units, from, 8, 16).filter(|code| *code < 0x11_0000)
        && let Some(found) = Code::char(code, from + 8)
    {
        return Some(found);
    }
    let high = digits(units, from, 4, 16)?;
    if !(0xd800..0xdc00).contains(&high) {
        return Code::char(high, from + 4);
    }
    let slashes = units.get(from + 4..)?;
    let slashes = slashes.iter().take_while(|unit| unit.0 == b'\\').count();
    let at = from + 4 + slashes + 1;
    let low = digits(units, at, 4, 16).filter(|low| (0xdc00..0xe000).contains(low))?;
    Code::char(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00), at + 4)
}

#[cfg(test)]
mod tests;
