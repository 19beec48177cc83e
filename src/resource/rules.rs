//! What rules between properties, and between resources, read and find.

use crate::data::{Data, Path};
use crate::schema::broken::Broken;
use serde_json::Value;

/// Something that is not wrong in every case.
#[derive(Debug, Clone, PartialEq)]
pub struct Caution {
    /// The message, and the property that it is about.
    pub broken: Broken,
    /// In which case it is an error.
    pub refused: Refused,
}

/// In which case AWS refuses what a [`Caution`] is about. In all others it is a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Where the resource is created, or the property changes: what exists goes on.
    WhenNew,
    /// In a case that only AWS can decide.
    Perhaps,
}

/// What a rule may read: the resource's own properties and, through its references, those of the
/// resources it names.
pub struct Rules<'a> {
    /// The resource's properties; unknown parts are those that AWS will return.
    pub props: &'a Data,
    /// Finds the resource that a property's expression refers to: its type and properties.
    pub peer: &'a dyn Fn(&Path) -> Option<(&'static str, &'a Data)>,
}

impl Rules<'_> {
    /// The known value of a top-level property; none where it is absent or unknown.
    pub fn known(&self, name: &str) -> Option<&Value> {
        // An unknown part is null in the value, and so is all of it where all is unknown.
        self.props.value.get(name).filter(|value| !value.is_null())
    }

    /// Whether the property is written in the file, known or not.
    pub fn given(&self, name: &str) -> bool {
        let path = Path::root().join(name);
        self.props.unknown_at(&path).is_some() || self.known(name).is_some()
    }
}
