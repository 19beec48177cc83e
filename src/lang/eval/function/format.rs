//! `format`: a string with verbs, as in Terraform.

use super::call::Call;
use crate::lang::eval::value;
use serde_json::Value;

/// The widest field that a verb may ask for.
const WIDEST: usize = 10_000;

#[derive(Default)]
struct Verb {
    minus: bool,
    plus: bool,
    zero: bool,
    blank: bool,
    sharp: bool,
    width: Option<usize>,
    precision: Option<usize>,
    /// The argument that is named, from 0.
    argument: Option<usize>,
}

type Chars<'t> = std::iter::Peekable<std::str::Chars<'t>>;

fn digits(chars: &mut Chars<'_>) -> Option<usize> {
    let mut text = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    text.parse::<usize>().ok().map(|width| width.min(WIDEST))
}

impl Verb {
    /// Reads what stands between the percent sign and the letter.
    fn read(chars: &mut Chars<'_>) -> Result<Self, String> {
        let mut verb = Self::default();
        while let Some(flag) = chars.next_if(|c| "-+0 #".contains(*c)) {
            match flag {
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                '0' => verb.zero = true,
                ' ' => verb.blank = true,
                _ => verb.sharp = true,
            }
        }
        verb.width = digits(chars);
        if chars.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(chars).unwrap_or(0));
        }
        if chars.next_if_eq(&'[').is_some() {
            let number = digits(chars).filter(|number| *number > 0);
            let (Some(number), Some(_)) = (number, chars.next_if_eq(&']')) else {
                return Err("\"%[\" needs the number of an argument, as in %[1]s".to_owned());
            };
            verb.argument = Some(number - 1);
        }
        Ok(verb)
    }
}

/// `%s %d %f %e %g %v %q %t %x %X %o %b %c %%`, with flags, width, precision and `%[n]s`.
pub(super) fn format(call: &Call<'_>, pattern: &str, args: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut next = 0;
    let mut used = 0;
    let mut explicit = false;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let verb = Verb::read(&mut chars)?;
        if let Some(at) = verb.argument {
            next = at;
            explicit = true;
        }
        let Some(letter) = chars.next() else {
            return Err("the string ends in a \"%\"; write %% for a percent sign".to_owned());
        };
        if letter == '%' {
            out.push('%');
            continue;
        }
        let value = args.get(next).ok_or_else(|| {
            format!(
                "the string has a %{letter} for argument {}, which is missing",
                next + 2
            )
        })?;
        next += 1;
        used = used.max(next);
        let text = pad(&verb, letter, one(&verb, letter, value)?);
        call.room(out.len().saturating_add(text.len()))?;
        out.push_str(&text);
    }
    if used < args.len() && !explicit {
        return Err(format!(
            "{} given, and the string has a place for {used}",
            value::counted(args.len(), "value")
        ));
    }
    Ok(out)
}

fn pad(verb: &Verb, letter: char, text: String) -> String {
    let Some(width) = verb.width else { return text };
    let missing = width.saturating_sub(text.chars().count());
    if verb.minus {
        return text + &" ".repeat(missing);
    }
    if verb.zero && "dfeEgGxXob".contains(letter) {
        let (sign, digits) = match text.strip_prefix(['-', '+', ' ']) {
            Some(digits) => text.split_at(text.len() - digits.len()),
            None => ("", text.as_str()),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    " ".repeat(missing) + &text
}

fn one(verb: &Verb, letter: char, value: &Value) -> Result<String, String> {
    let expected = |what: &str| format!("%{letter}: expected {what}, got {}", value::kind(value));
    let cut = |text: String| match verb.precision {
        Some(length) => text.chars().take(length).collect(),
        None => text,
    };
    match letter {
        's' => value::text(value)
            .map(cut)
            .map_err(|_| expected("a string")),
        'q' => value::text(value)
            .map(|text| Value::String(cut(text)).to_string())
            .map_err(|_| expected("a string")),
        'v' => Ok(match value {
            Value::String(text) if !verb.sharp => text.clone(),
            Value::Number(number) => value::number_text(number),
            other => other.to_string(),
        }),
        't' => value::bool(value)
            .map(|flag| flag.to_string())
            .map_err(|_| expected("a bool")),
        'd' | 'x' | 'X' | 'o' | 'b' | 'c' => {
            whole(verb, letter, value).ok_or_else(|| expected("an integer"))
        }
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
            let number = value::number(value).map_err(|_| expected("a number"))?;
            Ok(signed(verb, float(verb, letter, value::float(&number))))
        }
        other => Err(format!(
            "%{other} is not a verb; write %% for a percent sign"
        )),
    }
}

fn whole(verb: &Verb, letter: char, value: &Value) -> Option<String> {
    if let (Value::String(text), 'x' | 'X') = (value, letter) {
        let hex = hex::encode(text);
        return Some(if letter == 'X' {
            hex.to_uppercase()
        } else {
            hex
        });
    }
    let number = value::number(value).ok()?;
    let number = match value::whole(&number) {
        Some(whole) => whole,
        None => {
            let float = value::float(&number);
            if float.abs() >= 1e30 {
                return None;
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "below 10^30; %d drops the fraction"
            )]
            let whole = float as i128;
            whole
        }
    };
    let sign = if number < 0 { "-" } else { "" };
    let size = number.unsigned_abs();
    Some(signed(
        verb,
        match letter {
            'x' => format!("{sign}{size:x}"),
            'X' => format!("{sign}{size:X}"),
            'o' => format!("{sign}{size:o}"),
            'b' => format!("{sign}{size:b}"),
            'c' => {
                return u32::try_from(number)
                    .ok()
                    .and_then(char::from_u32)
                    .map(String::from);
            }
            _ => number.to_string(),
        },
    ))
}

fn signed(verb: &Verb, text: String) -> String {
    match text.starts_with('-') {
        false if verb.plus => format!("+{text}"),
        false if verb.blank => format!(" {text}"),
        _ => text,
    }
}

fn float(verb: &Verb, letter: char, number: f64) -> String {
    let exponent = |text: String| {
        // Two digits at least, and always a sign, as C's printf writes it.
        let Some((digits, power)) = text.split_once('e') else {
            return text;
        };
        let (sign, power) = match power.strip_prefix('-') {
            Some(power) => ('-', power),
            None => ('+', power),
        };
        format!("{digits}e{sign}{power:0>2}")
    };
    let text = match letter {
        'f' | 'F' => format!("{number:.*}", verb.precision.unwrap_or(6)),
        'e' | 'E' => exponent(format!("{number:.*e}", verb.precision.unwrap_or(6))),
        _ if number != 0.0 && !(1e-4..1e21).contains(&number.abs()) => {
            exponent(format!("{number:e}"))
        }
        _ => number.to_string(),
    };
    if letter.is_ascii_uppercase() {
        text.to_uppercase()
    } else {
        text
    }
}
