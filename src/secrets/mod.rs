//! Keeps secret values out of texts that come from elsewhere: an answer of AWS that repeats
//! what it was sent, a reason to wait, an id. They are looked for as they are, line by line,
//! and in the codings of requests and errors.

mod forms;

use crate::data::Data;
use aho_corasick::AhoCorasick;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is shown in place of a secret.
pub(crate) const SECRET: &str = "(secret)";

/// Shorter texts are looked for only where they stand alone, in quotes or tags: replacing
/// every `no` in a message would hide nothing and garble all.
const SHORTEST: usize = 4;

/// Shorter lines of a longer text are not looked for.
const SHORTEST_LINE: usize = 6;

/// So many automata at most; then they are made into one.
const MOST_PARTS: usize = 8;

/// The secrets known so far. Clones share them: what one learns, all hide.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// As they are, with the lines of longer ones.
    texts: BTreeSet<String>,
    /// Too short to be looked for anywhere.
    short: BTreeSet<String>,
    /// Those of either kind that are in no automaton yet: most runs say nothing that could
    /// hold a secret, and need none.
    fresh: Vec<String>,
    /// All that is looked for.
    forms: BTreeSet<String>,
    automata: Vec<AhoCorasick>,
    /// More than can be looked for; then nothing is shown.
    blind: bool,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.known().texts.len())
    }
}

impl Secrets {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a secret value: each text and number in it.
    pub fn learn(&self, value: &Value) {
        let mut known = self.known();
        known.value(value);
    }

    /// Takes in what was secret from the start, such as a variable: any part of a document in
    /// it may be repeated by itself. (Of one that was computed most parts are no secret.)
    pub fn learn_source(&self, data: &Data) {
        self.learn_secret(data);
        for part in data.secret.iter().filter_map(|at| at.get(&data.value)) {
            if let Value::String(text) = part
                && let Ok(document @ (Value::Object(_) | Value::Array(_))) =
                    serde_json::from_str(text)
            {
                self.learn(&document);
            }
        }
    }

    /// Takes in what is secret of a value.
    pub fn learn_secret(&self, data: &Data) {
        if data.secret.is_empty() {
            return;
        }
        let mut known = self.known();
        for part in data.secret.iter().filter_map(|at| at.get(&data.value)) {
            known.value(part);
        }
    }

    /// The text with each secret in it replaced by `(secret)`.
    pub fn hide(&self, text: &str) -> String {
        let mut known = self.known();
        known.ready();
        if known.blind {
            return SECRET.to_owned();
        }
        let mut found: Vec<(usize, usize)> = known
            .automata
            .iter()
            .flat_map(|automaton| automaton.find_overlapping_iter(text))
            .map(|hit| (hit.start(), hit.end()))
            .collect();
        if found.is_empty() {
            return text.to_owned();
        }
        found.sort_unstable();
        let mut hidden = String::with_capacity(text.len());
        let mut at = 0;
        for (start, end) in found {
            if start >= at && !(start == at && at > 0) {
                hidden.push_str(&text[at..start]);
                hidden.push_str(SECRET);
            }
            at = at.max(end);
        }
        hidden.push_str(&text[at..]);
        hidden
    }

    /// The text with each secret that stands there as it is made unreadable; no byte moves.
    pub fn blot(&self, text: &mut String) {
        let known = self.known();
        // Longest first, so that a secret within a secret leaves nothing behind.
        let mut texts: Vec<&String> = known.texts.iter().collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        for secret in texts {
            if text.contains(secret) {
                *text = text.replace(secret, &"*".repeat(secret.len()));
            }
        }
    }
}

impl Known {
    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Number(number) => self.text(&number.to_string()),
            Value::Array(list) => list.iter().for_each(|value| self.value(value)),
            Value::Object(map) => map.values().for_each(|value| self.value(value)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn text(&mut self, text: &str) {
        let short = text.len() < SHORTEST;
        let known = match short {
            true => &mut self.short,
            false => &mut self.texts,
        };
        if !known.insert(text.to_owned()) {
            return;
        }
        self.fresh.push(text.to_owned());
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        if lines.len() > 1 {
            let long = lines.into_iter().filter(|line| line.len() >= SHORTEST_LINE);
            long.for_each(|line| self.text(line));
        }
    }

    /// Puts what is new into an automaton. There are few: secrets that come one by one do
    /// not make each text slower.
    fn ready(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let mut forms: Vec<String> = Vec::new();
        for text in std::mem::take(&mut self.fresh) {
            let new = match text.len() < SHORTEST {
                true => forms::alone(&text).collect(),
                false => forms::of(&text),
            };
            forms.extend(
                new.into_iter()
                    .filter(|form| self.forms.insert(form.clone())),
            );
        }
        let made = if self.automata.len() < MOST_PARTS {
            AhoCorasick::new(&forms)
        } else {
            self.automata.clear();
            AhoCorasick::new(&self.forms)
        };
        match made {
            Ok(made) => self.automata.push(made),
            Err(_) => self.blind = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::json;

    fn of(values: &[Value]) -> Secrets {
        let secrets = Secrets::default();
        values.iter().for_each(|value| secrets.learn(value));
        secrets
    }

    #[test]
    fn a_message_loses_the_secrets_in_it() {
        let secrets = of(&[json!("hunter\"22"), json!({"pin": 12345, "flag": "no"})]);
        assert_eq!(
            secrets.hide(r#"no: hunter"22, "hunter\"22" and 12345 are refused, 'no' too"#),
            r#"no: (secret), "(secret)" and (secret) are refused, (secret) too"#
        );
        assert_eq!(secrets.hide("nothing"), "nothing");
    }

    #[test]
    fn secrets_that_overlap_leave_nothing_behind() {
        let secrets = of(&[json!("abcdef"), json!("defghi"), json!("cdef")]);
        assert_eq!(
            secrets.hide("xabcdefghiy abcdefabcdef"),
            "x(secret)y (secret)"
        );
    }

    #[test]
    fn a_secret_is_found_in_every_coding() {
        let text = "a&b <\"é\" ü'/+=\nsecond \\ line>\t!";
        let secrets = of(&[json!(text)]);
        let json = json!({"k": text}).to_string();
        let twice = json!({ "document": json }).to_string();
        let url: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("k", text)
            .finish();
        let percent = url.replace('+', "%20");
        let xml = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;");
        let mut coded = vec![
            json.clone(),
            twice,
            url.clone(),
            percent.to_lowercase(),
            percent,
            xml,
        ];
        for before in ["", "x", "xy"] {
            let whole = format!("{before}{text}{before}");
            coded.push(STANDARD.encode(&whole));
            coded.push(URL_SAFE_NO_PAD.encode(&whole));
        }
        let inner: String = form_urlencoded::byte_serialize(json.as_bytes()).collect();
        coded.push(inner);
        for coded in coded {
            let hidden = secrets.hide(&coded);
            assert!(hidden.contains(SECRET), "{coded}");
            for part in ["second", "a&b", "a&amp;b", "c2Vjb25k", "a%26b"] {
                assert!(!hidden.contains(part), "{part} of {coded}: {hidden}");
            }
        }
        assert_eq!(
            secrets.hide("it said: second \\ line>\t!"),
            "it said: (secret)"
        );
    }

    #[test]
    fn what_is_learnt_late_is_hidden_by_all() {
        let one = Secrets::default();
        let other = one.clone();
        for n in 1000..1100 {
            one.learn(&json!(format!("secret-{n}")));
            assert_eq!(other.hide(&format!("a secret-{n} b")), "a (secret) b");
        }
        assert_eq!(other.hide("secret-1000"), SECRET);
        let mut text = "x secret-1001 y".to_owned();
        other.blot(&mut text);
        assert_eq!(text, "x *********** y");
        other.learn(&json!("secret-1001-more"));
        let mut text = "x secret-1001-more y".to_owned();
        other.blot(&mut text);
        assert_eq!(text, "x **************** y");
    }
}
