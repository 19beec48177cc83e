//! Mistakes that a plan finds in the stack file.

use crate::data::Path;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::schema::broken::{Broken, Part};
use std::collections::HashMap;

/// The mistakes of a block's instances: each once, with the instances that have it.
#[derive(Default)]
pub(super) struct Mistakes {
    list: Vec<(Diagnostic, Vec<String>)>,
    at: HashMap<String, usize>,
}

impl Mistakes {
    pub(super) fn add(&mut self, address: &str, new: Vec<Diagnostic>) {
        for one in new {
            let key = format!("{:?} {}", one.place, one.message);
            let at = *self.at.entry(key).or_insert(self.list.len());
            match self.list.get_mut(at) {
                Some((_, addresses)) => addresses.push(address.to_owned()),
                None => self.list.push((one, vec![address.to_owned()])),
            }
        }
    }

    /// The mistakes; one that not all of the `count` instances have names those that do.
    pub(super) fn diagnostics(self, count: usize) -> impl Iterator<Item = Diagnostic> {
        const MOST_NAMED: usize = 3;
        self.list.into_iter().map(move |(mut one, addresses)| {
            if addresses.len() < count || count == 1 {
                let some = addresses[..addresses.len().min(MOST_NAMED)].join(", ");
                let more = match addresses.len().saturating_sub(MOST_NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                one.message = format!("{} (in {some}{more})", one.message);
            }
            one
        })
    }
}

/// A rule broken by the properties at `base`, as a mistake in the file.
pub(super) fn violation(base: &Path, broken: Broken) -> Diagnostic {
    let path = base.concat(&broken.path);
    let place = match broken.part {
        Part::Key => Place::Key(path),
        Part::Value => Place::Value(path),
    };
    Diagnostic {
        help: broken.help,
        code: broken.code,
        ..Diagnostic::error(place, broken.message)
    }
}
