//! Finds types by what people type: a name in any spelling, or words.

use super::entry::{Entry, Origin, described, first_sentence};
use crate::nearest;
use crate::registry;
use crate::resource::types::Types;

/// What was found.
pub enum Found {
    /// The one type that is meant.
    One(Box<Entry>),
    /// The types that contain every word; there may be none.
    Several(Vec<Row>),
}

/// One type in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name in a stack file.
    pub name: &'static str,
    /// Where it comes from.
    pub origin: Origin,
    /// The first sentence of its description.
    pub summary: String,
}

/// From how many types on a list says nothing of those of the registry: each has to be unpacked.
const MOST_SUMMARIES: usize = 60;

/// The type that a name in any spelling means (`aws:sqs:Queue`, `AWS::SQS::Queue`,
/// `aws_sqs_queue`, `aws:sqs/queue:Queue`), else those that contain the words. A word may also
/// stand in the description of a type of stackctl's own.
pub fn find(types: &Types, text: &str) -> Found {
    let exact = [Some(text), own_spelled(types, text)]
        .into_iter()
        .flatten()
        .find_map(|name| Entry::of(types, name));
    let exact = exact.or_else(|| match registry::spelled(text) {
        [only] => Entry::of(types, only),
        _ => None,
    });
    if let Some(entry) = exact {
        return Found::One(Box::new(entry));
    }
    let mut rows = own_with(types, text);
    rows.extend(of_registry(&registry::search(text)));
    match rows.as_slice() {
        [only] => match Entry::of(types, only.name) {
            Some(entry) => Found::One(Box::new(entry)),
            None => Found::Several(rows),
        },
        _ => Found::Several(rows),
    }
}

/// All types of stackctl's own.
pub fn own(types: &Types) -> Vec<Row> {
    own_with(types, "")
}

/// All types of the registry, without their summaries: each would have to be unpacked.
pub fn registered() -> Vec<Row> {
    let row = |name: &&'static str| Row {
        name,
        origin: Origin::Registry,
        summary: String::new(),
    };
    registry::names().iter().map(row).collect()
}

/// The names that one may mean which is none, best first.
pub fn like(types: &Types, text: &str) -> Vec<&'static str> {
    let own = names(types).collect::<Vec<_>>();
    let near = nearest::nearest(text, own.iter().copied());
    let near = near.and_then(|near| own.iter().find(|name| **name == near));
    near.copied()
        .into_iter()
        .chain(registry::nearest(text))
        .collect()
}

fn names(types: &Types) -> impl Iterator<Item = &'static str> {
    let resources = types.resources().keys().copied();
    resources.chain(types.data_sources().keys().copied())
}

/// The type of our own that the name is another spelling of.
fn own_spelled(types: &Types, text: &str) -> Option<&'static str> {
    let wanted = registry::squeezed_name(text)?;
    names(types).find(|name| registry::squeezed_name(name).as_ref() == Some(&wanted))
}

/// The types of our own that have each word in the name or in the description.
fn own_with(types: &Types, text: &str) -> Vec<Row> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let resources = types.resources().values();
    let resources = resources.map(|kind| (kind.schema(), Origin::Native));
    let data = types.data_sources().values();
    let data = data.map(|kind| (kind.schema(), Origin::DataSource));
    let all = resources.chain(data);
    let has = |name: &str, description: &str| {
        let (name, description) = (name.to_lowercase(), description.to_lowercase());
        let has = |word: &String| name.contains(word.as_str()) || has_word(&description, word);
        words.iter().all(has)
    };
    all.filter(|(schema, _)| has(schema.name, &schema.description))
        .map(|(schema, origin)| Row {
            name: schema.name,
            origin,
            summary: first_sentence(&schema.description).replace('\n', " "),
        })
        .collect()
}

/// Whether a word of the text begins with this one.
fn has_word(text: &str, word: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|found| found.starts_with(word))
}

fn of_registry(names: &[&'static str]) -> Vec<Row> {
    let summary = |name: &str| match names.len() > MOST_SUMMARIES {
        true => String::new(),
        false => registry::registry_type(name)
            .map(|kind| first_sentence(described(kind)).replace('\n', " "))
            .unwrap_or_default(),
    };
    let row = |name: &&'static str| Row {
        name,
        origin: Origin::Registry,
        summary: summary(name),
    };
    names.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::table;

    fn one(text: &str) -> String {
        match find(types(), text) {
            Found::One(entry) => entry.name.to_owned(),
            Found::Several(rows) => format!("{} types", rows.len()),
        }
    }

    fn types() -> &'static Types {
        table::native()
    }

    #[test]
    fn every_spelling_of_a_name_finds_the_type() {
        for text in [
            "aws:sqs:Queue",
            "aws_sqs_queue",
            "aws:sqs/queue:Queue",
            "AWS:SQS:queue",
        ] {
            assert_eq!(one(text), "aws:sqs:Queue", "{text}");
        }
        assert_eq!(one("AWS::SQS::Queue"), "AWS::SQS::Queue");
        for text in [
            "AWS::DynamoDB::Table",
            "aws:dynamodb:Table",
            "aws_dynamodb_table",
            "aws:dynamodb/table:Table",
            "dynamodb table",
        ] {
            assert_eq!(one(text), "AWS::DynamoDB::Table", "{text}");
        }
        assert_eq!(one("aws:getRegion"), "aws:getRegion");
    }

    #[test]
    fn words_find_names_and_descriptions_of_our_own() {
        let Found::Several(rows) = find(types(), "fifo") else {
            panic!("more than one");
        };
        assert!(rows.iter().any(|row| row.name == "aws:sqs:Queue"));
        let Found::Several(rows) = find(types(), "queue policy") else {
            panic!("more than one");
        };
        let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
        assert!(names.contains(&"aws:sqs:QueuePolicy"), "{names:?}");
        assert!(names.contains(&"AWS::SQS::QueuePolicy"), "{names:?}");
        assert_eq!(one("zzz nothing"), "0 types");
        assert_eq!(like(types(), "aws:sqs:Qeue")[0], "aws:sqs:Queue");
        assert_eq!(own(types()).len(), 35);
    }
}
