//! Every type: its schema unpacks, what is made of it compiles, and takes the values that are made
//! of it. The types that do not are in `every.txt`, each with its reason.

use super::declaration::declared;
use super::instance::instance_of;
use super::kind::RegistryType;
use super::{names, pack};
use crate::data::Data;
use std::fs;
use std::thread;

/// What is wrong with a type.
fn fault(place: usize) -> Option<String> {
    let name = names()[place];
    let Some(schema) = pack::index().unpack(place) else {
        return Some("does not unpack".to_owned());
    };
    if schema["typeName"] != name {
        return Some(format!("is the schema of {}", schema["typeName"]));
    }
    let kind = RegistryType::new(name, schema);
    let declaration = declared(&kind);
    let instance = instance_of(&declaration, 0);
    let broken = declaration.validate(&Data::from(instance));
    let first = broken.into_iter().next()?;
    Some(first.message.chars().take(160).collect())
}

#[test]
fn every_type_takes_what_is_made_of_its_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/registry/every.txt");
    let count = names().len();
    let check = |from: usize, to: usize| -> Vec<String> {
        (from..to)
            .filter_map(|place| Some(format!("{}: {}\n", names()[place], fault(place)?)))
            .collect()
    };
    let found = thread::scope(|scope| {
        let half = scope.spawn(|| check(count / 2, count));
        let mut found = check(0, count / 2);
        found.extend(half.join().unwrap());
        found.concat()
    });
    if std::env::var_os("STACKCTL_BLESS").is_some() {
        fs::write(path, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(path).unwrap());
}
