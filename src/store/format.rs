//! A state in its written form: JSON whose last member is a checksum of all that stands before it,
//! so that a file that was cut off or edited is distinguished from one that was saved.

use super::moved::{Moved, read_mark};
use super::state::{State, VERSION, origin_fault};
use crate::visible;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// A state as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    /// The text, with a line end.
    pub text: Vec<u8>,
    /// The checksum in it, 64 hex digits.
    pub checksum: String,
}

/// A state as it was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReadState {
    /// The state, brought up to this version's format.
    pub state: State,
    /// The checksum of its content, whether or not the text says so.
    pub checksum: String,
}

/// Why a text is not a state, as a clause about "it".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Nothing is in it.
    #[error("it is empty")]
    Empty,
    /// It ends early.
    #[error("it is cut off: its end is missing ({0})")]
    Cut(String),
    /// It is something else.
    #[error("it is no state: {0}")]
    Other(String),
    /// The state is elsewhere; this is what was left in its place.
    #[error("it was {0}")]
    Moved(Box<Moved>),
    /// A newer stackctl wrote it.
    #[error("it has format {0}, and this version reads up to {VERSION}")]
    Newer(u32),
    /// The content is not what was saved.
    #[error("something other than stackctl changed it: its checksum does not fit its content")]
    Edited,
}

const MEMBER: &[u8] = b",\"checksum\":\"";
/// The member, 64 digits, a quote, a brace.
const TAIL: usize = MEMBER.len() + 64 + 2;

/// Formats from this one on have a checksum.
const CHECKED: u32 = 2;

/// Writes a state in its file format.
///
/// # Errors
/// Never for a state that was read or created by this program.
pub(super) fn write(state: &State) -> Result<Written, serde_json::Error> {
    // People look into states.
    let text = serde_json::to_string_pretty(state)?;
    let mut text = match visible::json(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(written) => written,
    }
    .into_bytes();
    let checksum = hex::encode(Sha256::digest(compact(&text)));
    text.truncate(text.len() - "\n}".len());
    text.extend(format!(",\n  \"checksum\": \"{checksum}\"\n}}\n").bytes());
    Ok(Written { text, checksum })
}

/// Reads a text, of this format or an older one.
///
/// # Errors
/// When it is not, or not any more, what was saved.
pub(super) fn read(text: &[u8]) -> Result<ReadState, Fault> {
    let (body, stated) = parts(text)?;
    let checksum = hex::encode(Sha256::digest(&body));
    // Invalid JSON is reported with its place in the file.
    let state = parse(&body).or_else(|fault| {
        syntax::<serde::de::IgnoredAny>(text)?;
        Err(fault)
    })?;
    let fits = match &stated {
        Some(stated) => *stated == checksum,
        None => state.version < CHECKED,
    };
    if !fits {
        return Err(Fault::Edited);
    }
    Ok(ReadState {
        state: State {
            version: VERSION,
            ..state
        },
        checksum,
    })
}

/// Reads a text that a person edited: its checksum is not looked at.
///
/// # Errors
/// When it is not a state.
pub(super) fn read_edited(text: &[u8]) -> Result<State, Fault> {
    let mut value: serde_json::Value = syntax(text)?;
    if let Some(map) = value.as_object_mut() {
        map.remove("checksum");
    }
    let state = parse(value.to_string().as_bytes())?;
    Ok(State {
        version: VERSION,
        ..state
    })
}

/// The content without white space and without the checksum; and the checksum that it states.
fn parts(text: &[u8]) -> Result<(Vec<u8>, Option<String>), Fault> {
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(Fault::Empty),
        Some(b'{') => {}
        // Reported at once: a gigabyte of something else takes time to be looked through.
        Some(_) => {
            syntax::<serde::de::IgnoredAny>(text)?;
        }
    }
    let mut body = compact(text);
    let Some(at) = body.len().checked_sub(TAIL) else {
        return Ok((body, None));
    };
    let tail = &body[at..];
    let (digits, end) = tail[MEMBER.len()..].split_at(64);
    if !tail.starts_with(MEMBER) || end != b"\"}" || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Ok((body, None));
    }
    let stated = String::from_utf8_lossy(digits).into_owned();
    body.truncate(at);
    body.push(b'}');
    Ok((body, Some(stated)))
}

fn syntax<'t, T: Deserialize<'t>>(text: &'t [u8]) -> Result<T, Fault> {
    serde_json::from_slice(text).map_err(|error| {
        // A cut inside a number is not an end of the file to the parser.
        let number = matches!(text.last(), Some(b'.' | b'-' | b'+' | b'e' | b'E'));
        if error.is_eof() || number {
            Fault::Cut(error.to_string())
        } else {
            Fault::Other(error.to_string())
        }
    })
}

fn parse(body: &[u8]) -> Result<State, Fault> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    // The places in the compact text would mislead.
    let fault = |error: serde_json::Error| {
        let text = error.to_string();
        if text.starts_with("unknown field `checksum`") {
            // The checksum exists, but not at the place where it was written.
            return Fault::Edited;
        }
        let end = text.rfind(" at line ").unwrap_or(text.len());
        Fault::Other(text[..end].to_owned())
    };
    if let Some(moved) = read_mark(body) {
        return Err(Fault::Moved(Box::new(moved)));
    }
    // Format 1 is this one without the checksum; of one to come all that counts is its number.
    let state = serde_json::from_slice(body).map_err(fault);
    let version = match &state {
        Ok(State { version, .. }) => *version,
        Err(_) => {
            serde_json::from_slice::<Version>(body)
                .map_err(fault)?
                .version
        }
    };
    if version > VERSION {
        return Err(Fault::Newer(version));
    }
    let state = state?;
    match fault_of(&state) {
        None => Ok(state),
        Some(why) => Err(Fault::Other(why)),
    }
}

/// What stackctl never writes: names that would lead elsewhere once they are part of a path, and
/// numbers that cannot be counted on.
fn fault_of(state: &State) -> Option<String> {
    let is_name = |name: &str| crate::lang::load::is_file_name(name);
    if let Some(env) = state.env.as_deref().filter(|env| !is_name(env)) {
        return Some(format!("{env:?} is no name of an environment"));
    }
    if !is_name(&state.stack) {
        return Some(format!("{:?} is no name of a stack", state.stack));
    }
    origin_fault(&state.lineage, state.serial)
}

/// JSON without the white space between its tokens.
fn compact(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        let (between, string) = rest.split_at(quote);
        squeeze(between, &mut out);
        let end = end_of_string(string);
        out.extend_from_slice(&string[..end]);
        rest = &string[end..];
    }
    squeeze(rest, &mut out);
    out
}

/// Appends what stands between two strings. Of what separates two words, which is in no JSON,
/// a space is left, so that `1 2` is not taken for 12.
fn squeeze(between: &[u8], out: &mut Vec<u8>) {
    let is_word = |byte: u8| !matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"');
    let mut apart = false;
    for byte in between {
        if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            apart = true;
            continue;
        }
        if apart && is_word(*byte) && out.last().copied().is_some_and(is_word) {
            out.push(b' ');
        }
        apart = false;
        out.push(*byte);
    }
}

/// Where the string ends that a text starts with: after its closing quote.
fn end_of_string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = text
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found + 1;
        if text[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Attributes, Inputs};
    use crate::store::resource_state::ResourceState;
    use crate::store::state::StateChange;
    use serde_json::json;

    fn state() -> State {
        let mut state = State::empty("s", Some("e"), "0123456789abcdef".repeat(2));
        let inputs =
            json!({"text": "a \"b\" \\ \n c", "number": 0.123_456_789_012_345_67, "ü": [1.0]});
        let resource = Box::new(ResourceState {
            type_name: "t".into(),
            id: "1".into(),
            outputs: Attributes::new(inputs.clone()),
            inputs: Inputs::new(inputs),
            ..ResourceState::default()
        });
        let address = "a".to_owned();
        state.change(StateChange::Put { address, resource });
        state
    }

    #[test]
    fn a_state_comes_back_as_it_was_however_it_is_laid_out() {
        let written = write(&state()).unwrap();
        let found = read(&written.text).unwrap();
        assert_eq!(found.state.resources["a"].id, "1");
        assert_eq!(found.checksum, written.checksum);
        assert_eq!(read(&compact(&written.text)).unwrap(), found);
        let text = String::from_utf8(written.text).unwrap();
        let windows = text.replace('\n', "\r\n");
        assert_eq!(read(windows.as_bytes()).unwrap(), found);
    }

    #[test]
    fn every_change_of_a_byte_is_reported() {
        let text = write(&state()).unwrap().text;
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] = if other[at] == b'7' { b'8' } else { b'7' };
            // White space between tokens counts for nothing, but a digit in its place does.
            assert!(read(&other).is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_is_no_json_is_reported_with_its_place() {
        let text = String::from_utf8(write(&state()).unwrap().text).unwrap();
        let split = text.replacen("\"version\": 3", "\"version\": 3 3", 1);
        let fault = read(split.as_bytes());
        assert!(
            matches!(&fault, Err(Fault::Other(text)) if text.ends_with("at line 2 column 16")),
            "{fault:?}"
        );
    }

    #[test]
    fn every_cut_is_reported() {
        let text = write(&state()).unwrap().text;
        assert_eq!(read(b" \n"), Err(Fault::Empty));
        for length in 1..text.len() - 1 {
            let fault = read(&text[..length]);
            assert!(matches!(fault, Err(Fault::Cut(_))), "{length}: {fault:?}");
        }
    }

    #[test]
    fn without_its_checksum_a_state_is_an_edited_one() {
        let written = write(&state()).unwrap();
        let (body, _) = parts(&written.text).unwrap();
        assert_eq!(read(&body), Err(Fault::Edited));
        let text = String::from_utf8(body).unwrap();
        let old = text.replace("\"version\":3", "\"version\":1");
        assert_eq!(read(old.as_bytes()).unwrap().state.version, VERSION);
        let new = text.replace("\"version\":3", "\"version\":99");
        assert_eq!(read(new.as_bytes()), Err(Fault::Newer(99)));
        assert_eq!(read_edited(text.as_bytes()).unwrap().serial, 0);
    }

    #[test]
    fn what_stackctl_never_writes_is_no_state() {
        let refused = |change: &dyn Fn(&mut State)| {
            let mut state = state();
            change(&mut state);
            let text = write(&state).unwrap().text;
            assert!(read_edited(&text).is_err());
            read(&text).unwrap_err().to_string()
        };
        for serial in [u64::MAX, (1 << 53) + 1] {
            let why = refused(&|state| state.serial = serial);
            assert!(why.ends_with("is larger than any state has"), "{why}");
        }
        for lineage in ["", "/../../x", "0123456789ABCDEF0123456789ABCDEF", "l"] {
            let why = refused(&|state| state.lineage = lineage.to_owned());
            assert!(why.ends_with("is not 32 hex digits"), "{why}");
        }
        for name in ["", "../s", ".s", "a/b", "a\n"] {
            let why = refused(&|state| state.stack = name.to_owned());
            assert!(why.ends_with("is no name of a stack"), "{why}");
            let why = refused(&|state| state.env = Some(name.to_owned()));
            assert!(why.ends_with("is no name of an environment"), "{why}");
        }
        let mut last = state();
        last.serial = 1 << 53;
        assert_eq!(read(&write(&last).unwrap().text).unwrap().state, last);
    }
}
