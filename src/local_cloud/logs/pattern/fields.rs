//! Patterns of events that are fields with spaces between them:
//! `[ip, user, ..., status = 4* || status = 5*, bytes > 1000]`. What stands in quotes or in
//! brackets is one field.

use super::{Condition, Parsed, Reader, wrong};

enum Slot {
    /// A field that meets one of the lists of conditions.
    Field(Vec<Vec<Condition>>),
    /// Any number of fields.
    Rest,
}

/// The fields of a pattern.
pub(in super::super) struct Fields(Vec<Slot>);

impl Fields {
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        let Some(inner) = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) else {
            return wrong("a pattern of fields ends with ]");
        };
        let mut reader = Reader::new(inner);
        let mut slots = Vec::new();
        loop {
            let slot = match reader.take("...") {
                true => Slot::Rest,
                false => Slot::Field(field(&mut reader)?),
            };
            slots.push(slot);
            if reader.take(",") {
                continue;
            }
            reader.blank();
            let rests = slots.iter().filter(|slot| matches!(slot, Slot::Rest));
            return match reader.rest {
                "" if rests.count() > 1 => wrong("it has ... more than once"),
                "" => Ok(Self(slots)),
                rest => wrong(format!("{rest:?} is not expected there")),
            };
        }
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let fields = split(message);
        let rest = self.0.iter().position(|slot| matches!(slot, Slot::Rest));
        let meets = |slot: &Slot, field: &String| match slot {
            Slot::Rest => true,
            Slot::Field(any) => {
                let met = |all: &Vec<Condition>| all.iter().all(|it| it.meets_text(field));
                any.iter().any(met)
            }
        };
        let all = |slots: &[Slot], fields: &[String]| {
            let mut pairs = slots.iter().zip(fields);
            pairs.all(|(slot, field)| meets(slot, field))
        };
        match rest {
            None => fields.len() == self.0.len() && all(&self.0, &fields),
            Some(at) => {
                let (before, after) = (&self.0[..at], &self.0[at + 1..]);
                fields.len() >= before.len() + after.len()
                    && all(before, &fields)
                    && all(after, &fields[fields.len() - after.len()..])
            }
        }
    }
}

/// A field's name and conditions: lists of which one must be met whole.
fn field(reader: &mut Reader<'_>) -> Parsed<Vec<Vec<Condition>>> {
    let mut any = vec![Vec::new()];
    loop {
        reader.blank();
        let name = reader.while_in(|c| c.is_alphanumeric() || "_-".contains(c));
        if name.is_empty() {
            return wrong("a field has a name");
        }
        if let (Some(condition), Some(all)) = (Condition::parse(reader)?, any.last_mut()) {
            all.push(condition);
        }
        if reader.take("||") {
            any.push(Vec::new());
        } else if !reader.take("&&") {
            return Ok(any);
        }
    }
}

/// The fields of an event.
fn split(message: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut rest = message.trim();
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let found = close.and_then(|close| rest[1..].split_once(close));
        let (field, after) = match found {
            Some(found) => found,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        fields.push(field.to_owned());
        rest = after.trim_start();
    }
    fields
}
