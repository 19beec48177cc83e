//! Strings that a schema takes: of a pattern, the shortest that it has.

use regex_syntax::Parser;
use regex_syntax::hir::{Class, Hir, HirKind};

/// What a schema says of a string.
pub(super) struct Wanted<'a> {
    /// What the string must match somewhere.
    pub(super) pattern: Option<&'a str>,
    /// The fewest characters.
    pub(super) shortest: usize,
    /// The most characters.
    pub(super) longest: usize,
}

impl Wanted<'_> {
    /// A string, other ones for other seeds and choices; `plain` where any will do, cut and
    /// filled to fit. None where the pattern cannot be read, or none of its strings that are tried
    /// fits.
    pub(super) fn string(&self, plain: &str, seed: u64, choice: usize) -> Option<String> {
        let Some(pattern) = self.pattern else {
            return Some(self.fitted(plain));
        };
        let plain_pattern = without_looks(pattern);
        let hir = Parser::new().parse(&plain_pattern.text).ok()?;
        let ways = choice..choice + CHOICES;
        let mut tried = ways.filter_map(|choice| self.drawn(&hir, seed, choice));
        if !plain_pattern.lost
            && let Some(text) = tried.next()
        {
            return Some(text);
        }
        let is_match = matcher(pattern)?;
        let known = KNOWN.iter().map(|text| (*text).to_owned());
        let mut all = tried.chain(known);
        all.find(|text| self.fits(text) && is_match(text))
    }

    fn fits(&self, text: &str) -> bool {
        (self.shortest..=self.longest).contains(&text.chars().count())
    }

    fn fitted(&self, plain: &str) -> String {
        let mut text: String = plain.chars().take(self.longest).collect();
        let count = text.chars().count();
        text.extend(std::iter::repeat_n(
            'x',
            self.shortest.saturating_sub(count),
        ));
        text
    }

    /// The shortest string, made longer where a repetition allows it until it is long enough.
    fn drawn(&self, hir: &Hir, seed: u64, choice: usize) -> Option<String> {
        let mut needed = 0;
        for _ in 0..3 {
            let mut draw = Draw {
                state: seed,
                choice,
                needed,
                text: String::new(),
            };
            draw.add(hir)?;
            let count = draw.text.chars().count();
            // An empty string says nothing, where another is as good.
            let shortest = self.shortest.max(1).min(self.longest);
            if count >= shortest || needed > 0 {
                return self.fits(&draw.text).then_some(draw.text);
            }
            needed = shortest - count;
        }
        None
    }
}

/// How many ways through a pattern are tried.
const CHOICES: usize = 6;

/// Strings that many patterns take of which the generator cannot see all.
const KNOWN: [&str; 14] = [
    "example",
    "Example1",
    "example.com",
    "https://example.com",
    "user@example.com",
    "123456789012",
    "arn:aws:iam::123456789012:role/example",
    "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "arn:aws:s3:::example",
    "s3://example/key",
    "us-east-1",
    "10.0.0.0/16",
    "2030-01-01T00:00:00Z",
    "/example",
];

type Matcher = Box<dyn Fn(&str) -> bool>;

/// The judgement of the validator on a string.
fn matcher(pattern: &str) -> Option<Matcher> {
    let schema = serde_json::json!({"pattern": pattern});
    let validator = jsonschema::validator_for(&schema).ok()?;
    Some(Box::new(move |text| validator.is_valid(&text.into())))
}

struct Plain {
    text: String,
    /// Whether something was taken out that strings must satisfy.
    lost: bool,
}

/// The pattern without what looks around, in the notation of `regex`: there `[` and doubled signs
/// mean something in a class.
fn without_looks(pattern: &str) -> Plain {
    let letters: Vec<char> = pattern.chars().collect();
    let mut plain = Plain {
        text: String::new(),
        lost: false,
    };
    let (mut at, mut in_class, mut class_start) = (0, false, 0);
    while let Some(&letter) = letters.get(at) {
        let rest: String = letters[at..].iter().take(4).collect();
        let looks = ["(?=", "(?!", "(?<=", "(?<!"]
            .iter()
            .any(|look| rest.starts_with(look));
        if letter == '\\' {
            let next = letters.get(at + 1).copied().unwrap_or('\\');
            match next {
                'Z' => plain.text.push_str("\\z"),
                'b' | 'B' if !in_class => plain.lost = true,
                '0'..='9' => plain.lost = true,
                _ => plain.text.extend(['\\', next]),
            }
            at += 2;
            continue;
        }
        if !in_class && looks {
            plain.lost = true;
            at = group_end(&letters, at);
            continue;
        }
        match letter {
            '[' if in_class => plain.text.push_str("\\["),
            '&' | '~' | '-' if in_class && letters.get(at + 1) == Some(&letter) => {
                plain.text.extend(['\\', letter]);
            }
            '[' => {
                in_class = true;
                class_start = at;
                plain.text.push('[');
            }
            ']' if in_class && at > class_start + 1 => {
                in_class = false;
                plain.text.push(']');
            }
            _ => plain.text.push(letter),
        }
        at += 1;
    }
    plain
}

/// The place after the group that begins here.
fn group_end(letters: &[char], start: usize) -> usize {
    let (mut depth, mut in_class, mut at) = (0, false, start);
    while let Some(&letter) = letters.get(at) {
        match letter {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    letters.len()
}

/// One way through a pattern.
struct Draw {
    state: u64,
    choice: usize,
    /// How many characters more than the fewest are wanted.
    needed: usize,
    text: String,
}

impl Draw {
    fn add(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.text.push_str(std::str::from_utf8(&literal.0).ok()?),
            HirKind::Class(class) => {
                let letter = self.letter(class)?;
                self.text.push(letter);
            }
            HirKind::Capture(capture) => self.add(&capture.sub)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.add(part))?,
            HirKind::Alternation(ways) => self.add(ways.get(self.choice % ways.len())?)?,
            HirKind::Repetition(repetition) => {
                let mut count = 0;
                let most = repetition.max.unwrap_or(u32::MAX);
                while count < repetition.min || (self.needed > 0 && count < most) {
                    let before = self.text.chars().count();
                    self.add(&repetition.sub)?;
                    let added = self.text.chars().count() - before;
                    if count >= repetition.min {
                        if added == 0 {
                            break;
                        }
                        self.needed = self.needed.saturating_sub(added);
                    }
                    count += 1;
                }
            }
        }
        Some(())
    }

    /// A character of a class: a small letter or digit where it has some.
    fn letter(&mut self, class: &Class) -> Option<char> {
        const FIRST: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
        const THEN: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_./: ";
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => class.iter().map(|it| (it.start(), it.end())).collect(),
            Class::Bytes(class) => class
                .iter()
                .map(|it| (char::from(it.start()), char::from(it.end())))
                .collect(),
        };
        let has = |letter: &char| {
            ranges
                .iter()
                .any(|(from, to)| (*from..=*to).contains(letter))
        };
        for letters in [FIRST, THEN] {
            let fitting: Vec<char> = letters.chars().filter(has).collect();
            if !fitting.is_empty() {
                let count = fitting.len() as u64;
                let drawn = self.state % count;
                self.state = self.state / count + (self.state % 3) * 7;
                return fitting.get(usize::try_from(drawn).ok()?).copied();
            }
        }
        let printable = ranges.iter().flat_map(|(from, to)| [*from, *to]);
        printable
            .into_iter()
            .find(|letter| !letter.is_control())
            .or(Some(ranges.first()?.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn a_string_matches_its_pattern() {
        for (pattern, shortest, longest) in [
            ("^[a-z0-9]{8}$", 0, 99),
            (
                "^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/)?[a-f0-9-]{36}$",
                1,
                200,
            ),
            ("^[a-zA-Z][a-zA-Z0-9_-]*$", 20, 30),
            ("^$|^x+$", 3, 5),
            (r"^[\w+=,.@-]{1,64}$", 5, 64),
            (r"[^/]+/\d{3}", 0, 10),
        ] {
            let wanted = Wanted {
                pattern: Some(pattern),
                shortest,
                longest,
            };
            for seed in [0, 7, 123_456] {
                let text = wanted.string("example", seed, 0).unwrap();
                assert!(
                    Regex::new(pattern).unwrap().is_match(&text),
                    "{pattern}: {text}"
                );
                assert!(wanted.fits(&text), "{pattern}: {text}");
            }
        }
    }

    #[test]
    fn what_looks_around_is_tried() {
        let wanted = Wanted {
            pattern: Some(r"^(?!aws:)[a-z:\[\]]{4,}\Z"),
            shortest: 4,
            longest: 10,
        };
        assert!(wanted.string("example", 3, 0).is_some());
        assert_eq!(without_looks("^(?!a(b)[)])[[&&x]$").text, r"^[\[\&&x]$");
    }

    #[test]
    fn without_a_pattern_the_length_is_fitted() {
        let wanted = |shortest, longest| Wanted {
            pattern: None,
            shortest,
            longest,
        };
        assert_eq!(
            wanted(0, 4).string("example", 0, 0).as_deref(),
            Some("exam")
        );
        assert_eq!(
            wanted(9, 40).string("example", 0, 0).as_deref(),
            Some("examplexx")
        );
    }
}
