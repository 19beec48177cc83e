//! Keeps secret values out of texts that come from elsewhere: a response of AWS that repeats what
//! it was sent, a reason to wait, an id. They are looked for as they are, line by line, and in the
//! codings of requests and errors; and in the text as it is when folded (see `fold`), where the
//! parts of a secret are looked for too, since who repeats a text cuts it.
//!
//! Where stackctl created the value, its path says that it is secret. One set is shared by the
//! process, so that what a run draws late is hidden from then on. A panic prints its place and not
//! its words.

mod fold;
mod forms;

use crate::data::Data;
use aho_corasick::AhoCorasick;
use fold::{Folded, PART};
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is shown in place of a secret.
pub(crate) const SECRET: &str = "(secret)";

/// Shorter texts are looked for only where they stand alone, in quotes or tags: replacing
/// every `no` in a message would hide nothing and garble all.
const SHORTEST: usize = 4;

/// Shorter lines of a longer text are not looked for.
const SHORTEST_LINE: usize = 6;

/// Of a coded secret a part must be this long, in bytes.
const SHORTEST_CODED: usize = 16;

/// The parts of longer secrets are looked for up to here, in bytes.
const LONGEST_IN_PARTS: usize = 64 * 1024;

/// A computed secret of at most so many bytes is looked for in parts.
const LONGEST_TOKEN: usize = 64;

/// So many automata at most; then they are merged into one.
const MOST_PARTS: usize = 8;

/// The secrets known so far. Clones share them: what one learns, all hide.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Inner>>);

/// Returns a text whose words are public.
type Speaker = Box<dyn FnOnce() -> String + Send>;

#[derive(Default)]
struct Inner {
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
    /// Values whose parts are to be searched for: what is secret from the start. Of what is
    /// computed from it most parts are not secret.
    sources: Vec<String>,
    /// All that is looked for in folded texts.
    folded: BTreeSet<Vec<u8>>,
    folded_automata: Vec<AhoCorasick>,
    /// The parts of secrets, and of their codings.
    parts: HashSet<u64>,
    coded_parts: HashSet<u64>,
    /// The keys of secret maps that were not compared yet with what is said in clear.
    keys: BTreeSet<String>,
    /// The public words, and the function that returns them, until it was called.
    spoken: HashSet<String>,
    speaker: Option<Speaker>,
    /// What is not a secret, and was not compared with the parts yet.
    heard: Vec<String>,
    /// The parts that stand in what is not a secret as well.
    public: HashSet<u64>,
    /// More than can be looked for; then nothing is shown.
    blind: bool,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.lock().texts.len())
    }
}

impl Secrets {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns a secret value: each string and number in it, and the keys of its maps.
    pub fn learn(&self, value: &Value) {
        self.lock().value(value, false);
    }

    /// Learns what was secret from the start, such as a variable: any part of a document in it may
    /// be repeated by itself. (Of one that was computed most parts are not secret.)
    pub fn learn_source(&self, data: &Data) {
        for part in data.secret.iter().filter_map(|at| at.get(&data.value)) {
            self.lock().value(part, true);
            if let Value::String(text) = part
                && let Ok(document @ (Value::Object(_) | Value::Array(_))) =
                    serde_json::from_str(text)
            {
                self.learn(&document);
            }
        }
    }

    /// Whether there is a secret whose parts are looked for.
    pub(crate) fn has_parts(&self) -> bool {
        let known = self.lock();
        !(known.sources.is_empty() && known.parts.is_empty())
    }

    /// Learns what is not secret: parts of a secret that stand in it are not hidden alone.
    pub fn learn_public(&self, text: &str) {
        if text.len() >= PART {
            self.lock().heard.push(text.to_owned());
        }
    }

    /// Learns the function that returns the public words: a key of a secret map that is one of
    /// them, such as in `var.login.username`, is not a secret. It is called when such a key exists.
    pub(crate) fn hear(&self, speaker: impl FnOnce() -> String + Send + 'static) {
        self.lock().speaker = Some(Box::new(speaker));
    }

    /// Asks what is said in clear, where it matters.
    fn listen(&self) {
        let speaker = {
            let mut known = self.lock();
            match known.keys.is_empty() {
                true => None,
                false => known.speaker.take(),
            }
        };
        if let Some(speaker) = speaker {
            // It may look at the secrets itself.
            let text = speaker();
            let words = words(&text).map(str::to_lowercase);
            self.lock().spoken.extend(words);
        }
    }

    /// Learns the secret parts of a value.
    pub fn learn_secret(&self, data: &Data) {
        for part in data.secret.iter().filter_map(|at| at.get(&data.value)) {
            self.learn(part);
        }
    }

    /// The text with each secret in it replaced by `(secret)`.
    pub fn hide(&self, text: &str) -> String {
        self.listen();
        let mut known = self.lock();
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
        known.find_folded(text, &mut found);
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
        let known = self.lock();
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

impl Inner {
    /// Learns each string and number, and the keys; of a `source` each is looked for in parts.
    fn value(&mut self, value: &Value, source: bool) {
        match value {
            Value::String(text) => {
                self.text(text);
                self.sources.extend(source.then(|| text.clone()));
            }
            Value::Number(number) => self.value(&number.to_string().into(), source),
            Value::Array(list) => list.iter().for_each(|value| self.value(value, source)),
            Value::Object(map) => {
                for (key, value) in map {
                    if key.len() >= SHORTEST_LINE {
                        self.keys.insert(key.clone());
                    }
                    self.value(value, source);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Learns the keys of secret maps that are not public words.
    fn ready_keys(&mut self) {
        for key in std::mem::take(&mut self.keys) {
            let is_spoken = words(&key).all(|word| self.spoken.contains(&word.to_lowercase()));
            if !is_spoken {
                self.text(&key);
            }
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
        if may_be_cut(text) {
            self.sources.push(text.to_owned());
        }
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        if lines.len() > 1 {
            let long = lines.into_iter().filter(|line| line.len() >= SHORTEST_LINE);
            long.for_each(|line| self.text(line));
        }
    }

    /// What is found in the text once it is folded.
    fn find_folded(&self, text: &str, found: &mut Vec<(usize, usize)>) {
        if self.folded.is_empty() && self.parts.is_empty() {
            return;
        }
        let folded = Folded::of(text);
        let automata = self.folded_automata.iter();
        let hits = automata.flat_map(|automaton| automaton.find_overlapping_iter(&folded.bytes));
        let hits = hits.filter_map(|hit| {
            let (from, to) = folded.place(hit.start(), hit.end());
            // A short one is not put together from several words.
            let words = text[from..to].contains(char::is_whitespace);
            (hit.len() >= PART || !words).then_some((from, to))
        });
        found.extend(hits);
        let none = HashSet::new();
        found.extend(folded.runs(&self.parts, &self.public, PART));
        found.extend(folded.runs(&self.coded_parts, &none, SHORTEST_CODED));
    }

    /// Makes what is new ready to be found in folded texts.
    fn ready_folded(&mut self, fresh: &[String]) {
        let mut patterns = Vec::new();
        for text in fresh.iter().filter(|text| text.len() >= SHORTEST) {
            let mut whole = vec![text.clone(), text.chars().rev().collect()];
            whole.extend(forms::coded(text));
            for form in whole {
                let bytes = Folded::of(&form).bytes;
                if bytes.len() >= SHORTEST && self.folded.insert(bytes.clone()) {
                    patterns.push(bytes);
                }
            }
        }
        for text in std::mem::take(&mut self.sources) {
            let folded = Folded::of(&text).bytes.len();
            if folded <= LONGEST_IN_PARTS {
                self.parts.extend(Folded::of(&text).parts());
                for form in forms::coded(&text) {
                    self.coded_parts.extend(Folded::of(&form).parts());
                }
            }
        }
        if patterns.is_empty() {
            return;
        }
        let made = if self.folded_automata.len() < MOST_PARTS {
            AhoCorasick::new(&patterns)
        } else {
            self.folded_automata.clear();
            AhoCorasick::new(&self.folded)
        };
        match made {
            Ok(made) => self.folded_automata.push(made),
            Err(_) => self.blind = true,
        }
    }

    /// Puts what is new into an automaton. There are few: secrets that come one by one do
    /// not make each text slower.
    fn ready(&mut self) {
        self.ready_keys();
        let fresh = std::mem::take(&mut self.fresh);
        self.ready_folded(&fresh);
        for text in std::mem::take(&mut self.heard) {
            let parts = Folded::of(&text);
            let public = parts.parts().filter(|part| self.parts.contains(part));
            self.public.extend(public);
        }
        let mut forms: Vec<String> = Vec::new();
        for text in fresh {
            let new = match text.len() < SHORTEST {
                true => forms::alone(&text).collect(),
                false => forms::of(&text),
            };
            forms.extend(
                new.into_iter()
                    .filter(|form| self.forms.insert(form.clone())),
            );
        }
        if forms.is_empty() {
            return;
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

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty())
}

/// Whether a secret that was computed is looked for in parts: it is short enough to be a token,
/// and no form that public texts have in common.
fn may_be_cut(text: &str) -> bool {
    let common = text.starts_with("arn:") || text.contains("://");
    let is_word = !text.contains(|c: char| c.is_whitespace() || matches!(c, '{' | '[' | '<'));
    text.len() <= LONGEST_TOKEN && is_word && !common
}

#[cfg(test)]
pub(crate) mod tests;
