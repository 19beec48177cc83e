//! What an endpoint, a proxy or a log makes of a secret that it was sent and says again.

use super::Table;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use stackctl::data::{Data, Path};
use stackctl::secrets::Secrets;

/// Secrets with what codings change, of letters alone, and over several lines.
const PLANTED: [(&str, &str); 3] = [
    ("awkward", "Tr0ub4dor&3 O'Brien/é+horse"),
    ("plain", "S3cr3tValueOfThisStack"),
    (
        "lines",
        "first-line-of-it\nsecond\\line\tof \"it\" <and>%the&end",
    ),
];

/// In place of a secret.
const HIDDEN: &str = "(secret)";

fn source(text: &str) -> Secrets {
    let secrets = Secrets::default();
    let mut data = Data::from(json!(text));
    data.secret.insert(Path::root());
    secrets.learn_source(&data);
    secrets
}

fn percent(text: &str) -> String {
    let all: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    all.replace('+', "%20")
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('\'', "&#x27;").replace('"', "&quot;")
}

fn each(text: &str, code: impl Fn(char) -> String) -> String {
    text.chars().map(code).collect()
}

fn quoted(text: &str) -> String {
    json!(text).to_string()
}

fn every(text: &str, count: usize, with: &str) -> String {
    let all: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = all
        .chunks(count)
        .map(|piece| piece.iter().collect())
        .collect();
    pieces.join(with)
}

/// The forms by name.
fn repeated(s: &str) -> Vec<(&'static str, String)> {
    let chars: Vec<char> = s.chars().collect();
    let part = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
    let n = chars.len();
    let base64 = STANDARD.encode(s);
    let bytes = |code: &dyn Fn(u8) -> String| s.bytes().map(code).collect::<String>();
    let ascii = each(&quoted(s), |c| match c.is_ascii() {
        true => c.to_string(),
        false => format!("\\u{:04x}", u32::from(c)),
    });
    vec![
        ("as it is", s.to_owned()),
        ("cut at its end", part(0, n - 1)),
        ("cut in half", part(0, n / 2)),
        ("its end", part(n / 2, n)),
        ("its first eight", part(0, 8)),
        ("its last eight", part(n - 8, n)),
        ("the middle", part(5, n - 5)),
        ("with dots", format!("{}...", part(0, n - 3))),
        ("with an ellipsis", format!("{}…", part(0, n - 3))),
        ("large letters", s.to_uppercase()),
        ("small letters", s.to_lowercase()),
        ("title", each(s, |c| c.to_uppercase().to_string())),
        ("hex", hex::encode(s)),
        ("large hex", hex::encode_upper(s)),
        ("spaced hex", every(&hex::encode(s), 2, " ")),
        ("base64", base64.clone()),
        ("base64 behind one", STANDARD.encode(format!("x{s}yy"))),
        ("base64 in lines", every(&base64, 10, "\n")),
        ("base64 in mail lines", every(&base64, 10, "\r\n")),
        ("base64 for urls", URL_SAFE_NO_PAD.encode(format!("a{s}"))),
        (
            "base64 of json",
            STANDARD.encode(format!("{{\"k\": {}}}", quoted(s))),
        ),
        (
            "base64 of ascii json",
            STANDARD.encode(format!("{{\"k\": {ascii}}}")),
        ),
        ("base64 twice", STANDARD.encode(&base64)),
        ("base64 in a url", percent(&base64)),
        ("base64 cut", base64[..20].to_owned()),
        ("url", percent(s)),
        ("url twice", percent(&percent(s))),
        ("url thrice", percent(&percent(&percent(s)))),
        ("url, small digits", percent(s).to_lowercase()),
        ("url, large", percent(s).to_uppercase()),
        ("url, all coded", bytes(&|b| format!("%{b:02X}"))),
        (
            "form",
            form_urlencoded::byte_serialize(s.as_bytes()).collect(),
        ),
        ("json", quoted(s)),
        ("json twice", quoted(&quoted(s))),
        ("json thrice", quoted(&quoted(&quoted(s)))),
        ("json in ascii", ascii.clone()),
        ("json in ascii, large", ascii.to_uppercase()),
        ("html", html(s)),
        ("html twice", html(&html(s))),
        (
            "html in decimals",
            each(s, |c| format!("&#{};", u32::from(c))),
        ),
        (
            "html in hex",
            each(s, |c| format!("&#x{:x};", u32::from(c))),
        ),
        (
            "unicode escapes",
            each(s, |c| format!("\\u{:04x}", u32::from(c))),
        ),
        (
            "unicode escapes of rust",
            each(s, |c| format!("\\u{{{:x}}}", u32::from(c))),
        ),
        (
            "long unicode escapes",
            each(s, |c| format!("\\U{:08x}", u32::from(c))),
        ),
        ("octal", bytes(&|b| format!("\\{b:03o}"))),
        ("hex escapes", bytes(&|b| format!("\\x{b:02x}"))),
        ("quoted printable", bytes(&|b| format!("={b:02X}"))),
        ("quoted printable in lines", every(s, 6, "=\r\n")),
        ("utf-16 as bytes", each(s, |c| format!("{c}\0"))),
        ("over two lines", every(s, 5, "\n")),
        ("in lines of four", every(s, 4, "\n")),
        ("in lines of four, indented", every(s, 4, "\n    ")),
        ("spaced", every(s, 1, " ")),
        ("in a shell", s.replace('\'', "'\\''")),
        ("in yaml", s.replace('\'', "''")),
        ("debug", format!("{s:?}")),
        ("zero width", every(s, 5, "\u{200b}")),
        ("soft hyphens", every(s, 3, "\u{ad}")),
        ("bidi marks", every(s, 4, "\u{202e}")),
        ("colours", every(s, 4, "\u{1b}[0m")),
        ("control characters", every(s, 4, "\u{7}")),
        ("backwards", chars.iter().rev().collect()),
    ]
}

/// Of a form that was hidden less than a part of the secret is left.
fn attack(secret: &str, form: &str) -> Result<(), String> {
    let (before, after) = ("MSG<<", ">>END");
    let hidden = source(secret).hide(&format!("{before}{form}{after}"));
    let left = hidden.replace(HIDDEN, "");
    let left = left.len().saturating_sub(before.len() + after.len());
    let is_hidden = hidden.contains(HIDDEN) && left < 20;
    is_hidden.then_some(()).ok_or(hidden)
}

#[test]
fn repeated_secrets_are_hidden() {
    let mut table = Table::new("echoes");
    for (kind, secret) in PLANTED {
        for (name, form) in repeated(secret) {
            table.attack(&format!("{kind}, {name}"), || attack(secret, &form));
        }
    }
    table.end();
}

#[test]
fn what_is_no_secret_is_not_garbled() {
    let mut table = Table::new("echoes");
    for (kind, secret) in PLANTED {
        for text in [
            "Value 'orders' at 'queueName' failed to satisfy constraint: [a-zA-Z0-9-_]{1,80}",
            "arn:aws:sqs:us-west-2:000000000000:orders is not authorized to perform: sqs:SendMessage",
            "{\"__type\":\"InvalidParameterValue\",\"message\":\"100% of &lt;tags&gt;\\n\"}",
            "The specified bucket does not exist (NoSuchBucket, request 7F3A0C2E9D)",
        ] {
            table.attack(&format!("{kind}, {text}"), || {
                let shown = source(secret).hide(text);
                (shown == text).then_some(()).ok_or(shown)
            });
        }
    }
    table.end();
}
