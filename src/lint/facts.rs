//! What checks read: the resources of a stack as they are evaluated.

use super::policies::{self, Document};
use super::spelling::{self, Spelling};
use crate::data::{Data, Path};
use crate::lang::stack::Stack;
use crate::schema::broken::Broken;
use serde_json::Value;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Finds the number of the resource that a property of another one refers to, by that one's number
/// and the property's path in the file.
pub type PeerOf<'a> = dyn Fn(usize, &Path) -> Option<usize> + 'a;

/// Says whether the archive that a data source builds has one of these files; none where that is
/// not known.
pub type ArchiveHas<'a> = dyn Fn(&str, &[String]) -> Option<bool> + 'a;

/// A stack with its resources.
pub struct Facts<'a> {
    /// The stack as written.
    pub stack: &'a Stack,
    /// The resources; a number of one is its place here.
    pub resources: Vec<Resource<'a>>,
    /// Seconds since 1970; 0 where the time is not known.
    pub unix_time: u64,
    /// The region; none where it is not known.
    pub region: Option<String>,
    /// See [`PeerOf`].
    pub peer_of: &'a PeerOf<'a>,
    /// See [`ArchiveHas`].
    pub archive_has: &'a ArchiveHas<'a>,
    by_type: BTreeMap<&'a str, Vec<usize>>,
    named: RefCell<BTreeMap<(&'static str, &'static str), Rc<Named>>>,
    function_names: OnceCell<Option<BTreeSet<String>>>,
}

/// One resource.
#[derive(Debug)]
pub struct Resource<'a> {
    /// Its number.
    pub at: usize,
    /// The name of its block.
    pub block: &'a str,
    /// Its type, under stackctl's own name where the two name the same thing.
    pub type_name: &'a str,
    /// Its type as the file names it.
    pub written_type: &'a str,
    /// Its properties under the names of that type; unknown parts are those that AWS will return.
    pub props: Cow<'a, Data>,
    /// Its properties as the file has them, with expressions, under their names in the file.
    pub written: &'a Value,
    /// Its policy documents.
    pub documents: Vec<Document>,
    /// Whether nothing was wrong with it so far: what follows from a mistake is none.
    pub is_sound: bool,
    spelling: Option<Spelling>,
}

impl<'a> Resource<'a> {
    /// A resource of the file.
    pub fn new(
        at: usize,
        block: &'a str,
        type_name: &'a str,
        (props, written): (&'a Data, &'a Value),
        is_sound: bool,
    ) -> Self {
        let written_type = type_name;
        let (type_name, props, spelling) = match spelling::of(type_name, props) {
            Some((twin, spelling)) => (twin, Cow::Owned(spelling.props.clone()), Some(spelling)),
            None => (type_name, Cow::Borrowed(props), None),
        };
        let documents = policies::of(type_name, &props);
        Self {
            at,
            block,
            type_name,
            written_type,
            props,
            written,
            documents,
            is_sound,
            spelling,
        }
    }

    /// Whether the file writes it under the name of a CloudFormation type.
    pub fn is_twin(&self) -> bool {
        self.spelling.is_some()
    }

    /// The path of a property in the file, and what is said of it in the file's own names.
    pub fn in_file(&self, mut broken: Broken) -> Broken {
        if let Some(spelling) = &self.spelling {
            broken.path = spelling.path(&broken.path);
            broken.message = spelling.words(&broken.message);
            broken.help = broken.help.map(|help| spelling.words(&help));
        }
        broken
    }

    /// The known value at a dotted path; none where it is absent or unknown.
    pub fn known(&self, path: &str) -> Option<&Value> {
        let path = Path::dotted(path);
        if self.props.unknown_at(&path).is_some() {
            return None;
        }
        path.get(&self.props.value).filter(|value| !value.is_null())
    }

    /// The known string at a dotted path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.known(path)?.as_str()
    }

    /// The known bool at a dotted path.
    pub fn flag(&self, path: &str) -> Option<bool> {
        self.known(path)?.as_bool()
    }

    /// The known number at a dotted path; `default` where it is absent, none where it is unknown.
    pub fn number(&self, path: &str, default: i64) -> Option<i64> {
        match self.known(path) {
            Some(value) => value.as_i64(),
            None if self.given(path) => None,
            None => Some(default),
        }
    }

    /// The expression at a dotted path whose value is not known yet.
    pub fn unknown(&self, path: &str) -> Option<&str> {
        self.props.unknown_at(&Path::dotted(path))
    }

    /// Whether the file gives the property, known or not.
    pub fn given(&self, path: &str) -> bool {
        self.unknown(path).is_some() || self.known(path).is_some()
    }

    /// The strings of the list (or the one string) at a dotted path that are known.
    pub fn texts(&self, path: &str) -> Vec<(Path, &str)> {
        let at = Path::dotted(path);
        match self.known(path) {
            Some(Value::String(text)) => vec![(at, text)],
            Some(Value::Array(list)) => {
                let all = list.iter().enumerate();
                all.filter_map(|(index, item)| Some((at.join(index), item.as_str()?)))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

impl<'a> Facts<'a> {
    /// Facts about these resources, whose numbers are their places.
    pub fn new(
        stack: &'a Stack,
        resources: Vec<Resource<'a>>,
        (unix_time, region): (u64, Option<String>),
        peer_of: &'a PeerOf<'a>,
        archive_has: &'a ArchiveHas<'a>,
    ) -> Self {
        let mut by_type: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for resource in &resources {
            by_type
                .entry(resource.type_name)
                .or_default()
                .push(resource.at);
        }
        Self {
            stack,
            resources,
            unix_time,
            region,
            peer_of,
            archive_has,
            by_type,
            named: RefCell::default(),
            function_names: OnceCell::new(),
        }
    }

    /// The resources of a type.
    pub fn of(&self, type_name: &str) -> impl Iterator<Item = &Resource<'a>> {
        let numbers = self.by_type.get(type_name).into_iter().flatten();
        numbers.filter_map(|at| self.resources.get(*at))
    }

    /// The resource that the expression of a property refers to.
    pub fn peer(&self, resource: &Resource<'_>, path: &Path) -> Option<&Resource<'a>> {
        let path = match &resource.spelling {
            Some(spelling) => spelling.path(path),
            None => path.clone(),
        };
        let at = (self.peer_of)(resource.at, &path)?;
        self.resources.get(at).filter(|peer| peer.is_sound)
    }

    /// The same, where it has this type.
    pub fn peer_of_type(
        &self,
        resource: &Resource<'_>,
        path: &str,
        type_name: &str,
    ) -> Option<&Resource<'a>> {
        let peer = self.peer(resource, &Path::dotted(path))?;
        (peer.type_name == type_name).then_some(peer)
    }

    /// Which resources of a type refer to which by a property; found out once.
    fn named(&self, type_name: &'static str, path: &'static str) -> Rc<Named> {
        if let Some(known) = self.named.borrow().get(&(type_name, path)) {
            return Rc::clone(known);
        }
        let at = Path::dotted(path);
        let mut found = Named::default();
        for one in self.of(type_name) {
            match self.peer(one, &at) {
                Some(peer) => found.by.entry(peer.at).or_default().push(one.at),
                None => found.loose.push(one.at),
            }
        }
        let found = Rc::new(found);
        let mut named = self.named.borrow_mut();
        named.insert((type_name, path), Rc::clone(&found));
        found
    }

    /// The resources of a type whose property refers to this one.
    pub fn naming(
        &self,
        type_name: &'static str,
        path: &'static str,
        named: &Resource<'_>,
    ) -> Vec<&Resource<'a>> {
        let all = self.named(type_name, path);
        let numbers = all.by.get(&named.at).into_iter().flatten();
        numbers.filter_map(|at| self.resources.get(*at)).collect()
    }

    /// The resources of a type of which it cannot be told to what a property refers: it is written
    /// out, or comes through what is no plain reference.
    pub fn loose(&self, type_name: &'static str, path: &'static str) -> Vec<&Resource<'a>> {
        let all = self.named(type_name, path);
        let numbers = all.loose.iter();
        numbers.filter_map(|at| self.resources.get(*at)).collect()
    }

    /// Whether a resource of a type may be about `named`: its property refers to it, or says
    /// something that cannot be told from it.
    pub fn may_name(
        &self,
        type_name: &'static str,
        path: &'static str,
        named: &Resource<'_>,
    ) -> bool {
        let all = self.named(type_name, path);
        !all.loose.is_empty() || all.by.contains_key(&named.at)
    }

    /// The names of the stack's functions; none where one is not known, or writes its logs to a
    /// group of another name.
    pub(super) fn function_names(&self) -> Option<&BTreeSet<String>> {
        let names = self.function_names.get_or_init(|| {
            let functions = self.of("aws:lambda:Function");
            functions
                .map(|function| match function.given("loggingConfig.logGroup") {
                    true => None,
                    false => function.text("name").map(str::to_owned),
                })
                .collect()
        });
        names.as_ref()
    }
}

/// Which resources refer to which.
#[derive(Debug, Default)]
struct Named {
    /// By the number of the one that is referred to.
    by: BTreeMap<usize, Vec<usize>>,
    /// Those of which that cannot be told.
    loose: Vec<usize>,
}
