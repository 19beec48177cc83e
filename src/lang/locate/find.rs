//! The walk to a path.

use crate::data::Path;
use crate::lang::{source, yaml};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

/// What kind of node was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A map or a list.
    Collection,
    /// A string.
    Text(String),
    /// A number, a bool, null.
    Other,
}

/// A node in the text.
#[derive(Debug)]
pub(super) struct Located {
    /// Where it starts, anchor and tag included; an alias's target.
    pub(super) offset: usize,
    pub(super) kind: Kind,
}

/// What a walk returns besides its error.
#[derive(Default)]
struct Trace {
    kind: RefCell<Option<Kind>>,
    /// The depth of a map that has a merge key and not the key that was looked for.
    merge: Cell<Option<usize>>,
}

/// Finds the value, or the key, at a path, in merged maps too.
pub(super) fn find(text: &str, path: &Path, key: bool) -> Option<Located> {
    let segments: Vec<Cow<'_, str>> = path.segments().collect();
    if key && segments.is_empty() {
        return None;
    }
    search(text, segments, key, 4)
}

fn search(text: &str, segments: Vec<Cow<'_, str>>, key: bool, merges: usize) -> Option<Located> {
    let trace = Trace::default();
    let goal = Goal {
        segments: &segments,
        depth: 0,
        key,
        trace: &trace,
    };
    if let Err(error) = yaml::read(goal, text) {
        let kind = trace.kind.take()?;
        return Some(Located {
            offset: source::offset(text, &error)?,
            kind,
        });
    }
    let depth = trace.merge.get().filter(|_| merges > 0)?;
    let through = |inner: &[&str]| {
        let mut longer = segments[..depth].to_vec();
        longer.push(Cow::Borrowed("<<"));
        longer.extend(inner.iter().map(|one| Cow::Owned((*one).to_owned())));
        longer.extend_from_slice(&segments[depth..]);
        search(text, longer, key, merges - 1)
    };
    through(&[]).or_else(|| {
        ["0", "1", "2", "3"]
            .iter()
            .find_map(|index| through(&[index]))
    })
}

#[derive(Clone, Copy)]
struct Goal<'g> {
    segments: &'g [Cow<'g, str>],
    depth: usize,
    key: bool,
    trace: &'g Trace,
}

impl Goal<'_> {
    fn stop<E: Error>(&self, kind: Kind) -> E {
        self.trace.kind.replace(Some(kind));
        E::custom("found")
    }

    fn is_here(&self) -> bool {
        !self.key && self.depth == self.segments.len()
    }

    fn scalar<E: Error>(self, kind: Kind) -> Result<(), E> {
        if self.is_here() {
            Err(self.stop(kind))
        } else {
            Ok(())
        }
    }
}

impl<'de> DeserializeSeed<'de> for Goal<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Goal<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar(Kind::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.scalar(Kind::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.scalar(Kind::Other)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<(), E> {
        self.scalar(Kind::Other)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<(), E> {
        self.scalar(Kind::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar(Kind::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar(Kind::Other)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.scalar(Kind::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.is_here() {
            Err(self.stop(Kind::Text(text.to_owned())))
        } else {
            Ok(())
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        if self.is_here() {
            return Err(self.stop(Kind::Collection));
        }
        let wanted = self
            .segments
            .get(self.depth)
            .and_then(|text| text.parse::<usize>().ok());
        let mut index = 0;
        loop {
            let more = if Some(index) == wanted {
                access
                    .next_element_seed(Goal {
                        depth: self.depth + 1,
                        ..self
                    })?
                    .is_some()
            } else {
                access.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        if self.is_here() {
            return Err(self.stop(Kind::Collection));
        }
        let Some(wanted) = self.segments.get(self.depth) else {
            return Ok(());
        };
        let last = self.key && self.depth + 1 == self.segments.len();
        let mut merge = false;
        while let Some(is_it) = access.next_key_seed(Key {
            wanted,
            fails: last,
            goal: &self,
            merge: &mut merge,
        })? {
            if is_it {
                access.next_value_seed(Goal {
                    depth: self.depth + 1,
                    ..self
                })?;
                // The first one counts; what follows is read to its end.
                while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(());
            }
            access.next_value::<IgnoredAny>()?;
        }
        if merge {
            self.trace.merge.set(Some(self.depth));
        }
        Ok(())
    }
}

/// Whether a key is the wanted one.
struct Key<'k, 'g> {
    wanted: &'k str,
    fails: bool,
    goal: &'k Goal<'g>,
    merge: &'k mut bool,
}

impl Key<'_, '_> {
    fn is<E: Error>(self, text: &str) -> Result<bool, E> {
        *self.merge |= text == "<<";
        if text != self.wanted {
            return Ok(false);
        }
        if self.fails {
            Err(self.goal.stop(Kind::Text(text.to_owned())))
        } else {
            Ok(true)
        }
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        // A key is the text that stands in the file, be it a number.
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        self.is(text)
    }
}
