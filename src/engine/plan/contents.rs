//! The contents that properties stand for, and how they differ.

use crate::content::Content;
use crate::data::{Attributes, Data, Path};
use crate::lang::stack::ResourceBlock;
use crate::resource::ResourceType;
use crate::schema::Schema;
use crate::store::seal::Seal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The content that a property stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// What to call it: the file's path, or where it comes from.
    pub label: String,
    /// The content; none where it changes and is known only while applying.
    pub content: Option<Content>,
    /// Whether it contains a secret: then every hash of it is secret too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// The properties that stand for a content that contains a secret.
pub(crate) fn secret(files: &BTreeMap<Path, Named>) -> impl Iterator<Item = &Path> {
    let secret = files.iter().filter(|(_, named)| named.secret);
    secret.map(|(path, _)| path)
}

/// The contents as the state stores them: what contains a secret is sealed.
pub(crate) fn kept(
    files: &BTreeMap<Path, Named>,
    seal: &Seal,
) -> (BTreeMap<Path, Content>, BTreeMap<Path, Value>) {
    let (mut open, mut sealed) = (BTreeMap::new(), BTreeMap::new());
    for (path, named) in files {
        let Some(content) = &named.content else {
            continue;
        };
        if named.secret {
            sealed.insert(path.clone(), seal.seal(&content.to_value()));
        } else {
            open.insert(path.clone(), content.clone());
        }
    }
    (open, sealed)
}

/// The contents of a resource's properties, to be compared.
pub struct Contents<'a> {
    /// As last applied, as far as the state has them.
    pub applied: &'a BTreeMap<Path, Content>,
    /// As the file wants them.
    pub wanted: &'a BTreeMap<Path, Named>,
    /// Whether the live resource has this content; none where the service does not report it.
    pub live: &'a dyn Fn(&Content) -> Option<bool>,
}

/// How a content differs.
pub(super) struct Differs {
    /// By the file.
    pub(super) by_file: bool,
    /// From outside.
    pub(super) outside: bool,
}

impl Contents<'_> {
    /// How the content at `path` differs, where it does; the path of the file is the same as the
    /// one last applied where `same_path`. Nothing where the property stands for no content.
    pub(super) fn difference(&self, path: &Path, same_path: bool) -> Option<Option<Differs>> {
        let named = self.wanted.get(path)?;
        let Some(content) = &named.content else {
            let (by_file, outside) = (true, false);
            return Some(Some(Differs { by_file, outside }));
        };
        let was = self.applied.get(path);
        let live = (self.live)(content);
        let by_file = match (was, live) {
            (Some(was), _) => was.sha256 != content.sha256,
            // A state of a version that did not keep it.
            (None, Some(same)) => !same,
            (None, None) => !same_path,
        };
        let outside = was.is_some_and(|was| (self.live)(was) == Some(false));
        let differs = live.map_or(by_file, |same| !same);
        Some(differs.then_some(Differs { by_file, outside }))
    }
}

/// The places under `ignoreChanges`.
pub(super) fn ignored(block: &ResourceBlock) -> Vec<Path> {
    let paths = block.options.ignore_changes.iter();
    paths.map(|text| Path::dotted(text)).collect()
}

/// Whether what is live is of this content, where that is compared at all: not where the
/// service's own hash is left to others.
pub(crate) fn live_content(
    kind: &dyn ResourceType,
    ignored: &[Path],
    live: &Attributes,
    content: &Content,
) -> Option<bool> {
    let hash = kind.content_hash()?;
    let left = ignored.iter().any(|path| *path == Path::root().join(hash));
    (!left).then(|| kind.has_content(live, content)).flatten()
}

/// The paths of the files that an apply writes for a data source with these arguments, as they are
/// shown.
pub(super) fn files_written(schema: &Schema, args: &Data) -> impl Iterator<Item = String> {
    let names = schema.property_names().map(|name| Path::root().join(name));
    let written = names.filter(|path| schema.flag(path, "writesFile"));
    written.filter_map(|path| match args.is_secret(&path) {
        true => path.get(&args.value).map(|_| "a secret path".to_owned()),
        false => path.get(&args.value)?.as_str().map(str::to_owned),
    })
}
