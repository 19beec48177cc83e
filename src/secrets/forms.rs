//! How a text looks in requests and errors.

use base64::Engine;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Shorter parts of a base64 text are not looked for.
const SHORTEST_BASE64: usize = 6;

/// A short text where it stands alone.
pub(super) fn alone(text: &str) -> impl Iterator<Item = String> {
    let around = [
        ("\"", "\""),
        ("'", "'"),
        ("\\\"", "\\\""),
        (">", "<"),
        ("`", "`"),
    ];
    let text = text.trim().to_owned();
    let some = !text.is_empty();
    let quoted = around
        .into_iter()
        .map(move |(before, after)| format!("{before}{text}{after}"));
    quoted.filter(move |_| some)
}

/// All forms of a text, itself among them.
pub(super) fn of(text: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([text.to_owned()]);
    let json = json(text);
    let twice = self::json(&json);
    for written in [text, &json, &twice, &ascii(text), &json.replace('/', "\\/")] {
        forms.insert(written.to_owned());
        xml(written, &mut forms);
        url(written, &mut forms);
    }
    for written in [text, &json, &twice] {
        base64(written, &mut forms);
    }
    forms.insert(hex::encode(text));
    forms
}

/// The codings of a text that folding does not undo: as part of a base64 text, in hex, and in
/// base64 twice.
pub(super) fn coded(text: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    for written in [text, &json(text), &ascii(text)] {
        base64(written, &mut forms);
    }
    let once = GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new()).encode(text);
    base64(&once, &mut forms);
    forms.insert(hex::encode(text));
    forms.retain(|form| form.len() >= SHORTEST_CODED);
    forms
}

/// Shorter parts of a coded text are not looked for in small letters.
const SHORTEST_CODED: usize = 8;

/// As in a JSON string, without the quotes.
fn json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As in a JSON string of ASCII letters alone, as some services write it.
fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in json(text).chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// As in XML: quotes and line ends may be written as they are or not.
fn xml(text: &str, forms: &mut BTreeSet<String>) {
    let base = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    for apostrophe in ["'", "&apos;", "&#39;", "&#x27;"] {
        let base = base.replace('\'', apostrophe);
        for quote in ["\"", "&quot;", "&#34;"] {
            let base = base.replace('"', quote);
            forms.insert(base.replace('\n', "&#xA;"));
            forms.insert(base.replace('\n', "&#10;"));
            forms.insert(base);
        }
    }
}

/// As in a URL or a form: what need not be coded may be, a blank is `+` or `%20`, and the
/// digits are large or small.
fn url(text: &str, forms: &mut BTreeSet<String>) {
    for plain in ["-_.~", "-_.*", "-_.!~*'()", "-_.~/", ""] {
        let mut coded = String::new();
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) {
                coded.push(char::from(byte));
            } else {
                let _ = write!(coded, "%{byte:02X}");
            }
        }
        let small = lower_digits(&coded);
        forms.insert(coded.replace("%20", "+"));
        forms.insert(small.replace("%20", "+"));
        // A document in a form is coded once more by whoever logs it.
        forms.insert(coded.replace('%', "%25"));
        forms.insert(coded);
        forms.insert(small);
    }
}

fn lower_digits(coded: &str) -> String {
    let mut out = String::with_capacity(coded.len());
    let mut digits = 0;
    for c in coded.chars() {
        if c == '%' {
            digits = 2;
            out.push(c);
        } else if digits > 0 {
            digits -= 1;
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// As part of a base64 text: three ways to lie across its groups of three bytes. The letters at
/// either end, which depend on what stands beside it, are excluded.
fn base64(text: &str, forms: &mut BTreeSet<String>) {
    let config = GeneralPurposeConfig::new().with_encode_padding(false);
    for alphabet in [&alphabet::STANDARD, &alphabet::URL_SAFE] {
        let engine = GeneralPurpose::new(alphabet, config);
        for before in 0..3 {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(text.as_bytes());
            // Only bits of the text are in the letters from here to there.
            let first = (before * 8).div_ceil(6);
            let last = bytes.len() * 8 / 6;
            let coded = engine.encode(&bytes);
            if let Some(part) = coded.get(first..last)
                && part.len() >= SHORTEST_BASE64
            {
                forms.insert(part.to_owned());
            }
        }
    }
}
