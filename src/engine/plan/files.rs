//! The contents of the local files that resources name. A property that names one stands for the
//! file's content when the plan is computed, wherever the file is; so does a property by which a
//! resource takes the content of another one of the stack (a function's code in an S3 object).
//!
//! The hashes come from the edge (`content::LocalFiles`, asked by path like `file()`), and go into
//! the world once the plan is computed; the state keeps those that were applied. A type declares
//! how its service reports a content (`has_content`), so the live content takes part in the
//! comparison. What a step reads later is compared with the plan's hash before, or while, it is
//! sent. Code that a function runs from an S3 object counts as that object's content; the hashes of
//! such contents are sealed in the state (`sealed_files`), since they are compared.

use super::contents::{Named, ignored};
use super::instance::Instance;
use super::planned::FAULTY;
use super::planner::Planner;
use crate::content::{FROM_THE_STACK_FILE, Finding};
use crate::data::{Data, Inputs, Path};
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::eval::{Root, lone_reference};
use crate::lang::stack::ResourceBlock;
use crate::resource::{DataSourceType, ResourceType};
use crate::schema::Schema;
use serde_json::Value;
use std::collections::BTreeMap;

impl Planner<'_> {
    /// Reports the mistakes in the local files that a data source reads.
    pub(super) fn inspect(&mut self, base: &Path, kind: &dyn DataSourceType, args: &Data) {
        let look = |dir: &std::path::Path| kind.inspect(dir, Inputs::new(args.value.clone()));
        let name = kind.name();
        for finding in self.request.read_file.inspect(name, &args.value, &look) {
            let Finding {
                path,
                severity,
                message,
                help,
            } = finding;
            let mut diagnostic = Diagnostic::error(Place::Value(base.concat(&path)), message);
            diagnostic.severity = severity;
            diagnostic.help = help;
            self.out.diagnostics.push(diagnostic);
        }
        self.inspected_outside(base, &args.value);
    }

    /// What the resource's properties stand for. A file that does not exist is a mistake.
    pub(super) fn files(
        &mut self,
        name: &str,
        block: &ResourceBlock,
        kind: &dyn ResourceType,
        desired: &Data,
    ) -> BTreeMap<Path, Named> {
        let schema = kind.schema();
        let mut found = BTreeMap::new();
        let ignored = ignored(block);
        let is_ignored = |path: &Path| ignored.iter().any(|at| path.is_within(at));
        if schema.has_keyword("localFile") {
            let paths = schema.property_names().map(|name| Path::root().join(name));
            let paths = paths.filter(|path| schema.flag(path, "localFile") && !is_ignored(path));
            for path in paths.collect::<Vec<_>>() {
                if let Some(named) = self.file(name, block, &path, desired) {
                    found.insert(path, named);
                }
            }
        }
        if let Some((path, named)) = self.held(kind, desired)
            && !is_ignored(&path)
        {
            found.insert(path, named);
        }
        found
    }

    /// The file that a property names.
    fn file(
        &mut self,
        name: &str,
        block: &ResourceBlock,
        path: &Path,
        desired: &Data,
    ) -> Option<Named> {
        if desired.unknown_at(path).is_some() {
            return None;
        }
        let text = path.get(&desired.value)?.as_str()?;
        if self.is_written_later(text) {
            return None;
        }
        let known = self.request.world.files.get(text).cloned();
        let found = known.map_or_else(|| self.request.read_file.content(text), Ok);
        let at = Path::pointer("/resources").join(name).join("properties");
        self.named_outside(&at.concat(path));
        match found {
            Ok(content) => Some(Named {
                label: self.label(block, path, text, desired),
                content: Some(content),
                secret: desired.is_secret(path),
            }),
            Err(message) => {
                let base = Path::pointer("/resources").join(name).join("properties");
                let message = match desired.is_secret(path) {
                    true => format!("the file that {path} names cannot be read"),
                    false => message,
                };
                let place = Place::Value(base.concat(path));
                let mut diagnostic = Diagnostic::error(place, message);
                diagnostic.help = Some(FROM_THE_STACK_FILE.to_owned());
                self.out.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// What to call a file: a data source's by the block's name, since its path says nothing.
    fn label(&self, block: &ResourceBlock, path: &Path, text: &str, desired: &Data) -> String {
        if desired.is_secret(path) {
            return "the file".to_owned();
        }
        let template = path.get(&block.properties).and_then(Value::as_str);
        match template.and_then(lone_reference) {
            Some(found) if found.root == Root::Data => format!("data.{}", found.name),
            _ => text.to_owned(),
        }
    }

    /// Has the paths of files be unknown whose content is to be read first, so that no function
    /// reads what stands there now.
    pub(super) fn hide_files(&self, name: &str, schema: &Schema, value: &mut Data) {
        for property in schema.property_names() {
            let path = Path::root().join(property);
            if schema.flag(&path, "writesFile") && path.get(&value.value).is_some() {
                let unknown = Data::unknown(format!("${{data.{name}.{property}}}"));
                value.set(&path, unknown);
            }
        }
    }

    /// Whether a data source is still to be read that writes the file.
    fn is_written_later(&self, path: &str) -> bool {
        let plain = |path: &str| {
            let path = self.request.stack.dir.join(path);
            crate::files::plain(&path)
        };
        let wanted = plain(path);
        self.request.stack.data.iter().any(|(name, block)| {
            let Some(kind) = self.request.types.data_source(&block.type_name) else {
                return false;
            };
            let schema = kind.schema();
            let read = self.request.world.data.contains_key(name);
            let mut written = schema.property_names().filter(|property| {
                let path = Path::root().join(property);
                schema.flag(&path, "writesFile")
            });
            !read
                && written.any(|property| {
                    let template = block.properties.get(property);
                    let value = template.map(|it| crate::lang::eval::evaluate(it, &self.values));
                    let text = value.and_then(Result::ok);
                    let text = text.as_ref().and_then(|data| data.value.as_str());
                    text.is_some_and(|text| plain(text) == wanted)
                })
        })
    }

    /// What another resource of the file holds for this one, by the property that names it.
    fn held(&self, kind: &dyn ResourceType, desired: &Data) -> Option<(Path, Named)> {
        let wanted = kind.held_by(&desired.value)?;
        let path = Path::root().join(wanted.property);
        let instances = self.out.instances.iter();
        let mut instances = instances.filter(|found| {
            found.change.type_name == wanted.type_name
                && found.change.after.as_ref().is_some_and(|after| {
                    let same =
                        |(name, value): &(&str, &Value)| after.value.get(name) == Some(value);
                    wanted.names.iter().all(same)
                })
        });
        let holder = instances.next()?;
        let label = |what: Option<&str>| match what {
            Some(what) => format!("{what} ({})", holder.change.address),
            None => holder.change.address.clone(),
        };
        if let Some(named) = holder.files.values().next() {
            let label = label(Some(&named.label));
            let named = Named {
                label,
                ..named.clone()
            };
            return Some((path, named));
        }
        let after = holder.change.after.as_ref()?;
        if after.unknown_at(&Path::root()) == Some(FAULTY) {
            return None;
        }
        let content = holder.kind.holds(after);
        let changes = !holder.change.is_nothing() && content.is_none() && uploads(holder);
        let mut made_of = holder.kind.content_properties().iter();
        let secret = made_of.any(|name| {
            let path = Path::root().join(*name);
            after.secret.iter().any(|at| at.is_within(&path)) || after.is_secret(&path)
        });
        (content.is_some() || changes).then(|| {
            let named = Named {
                label: label(None),
                content,
                secret,
            };
            (path, named)
        })
    }
}

/// Whether the plan gives a resource another content, as far as that is known.
fn uploads(holder: &Instance) -> bool {
    let rows = holder.change.differences.iter();
    let mut rows = rows.filter_map(|row| row.path.first());
    !matches!(holder.change.action, crate::engine::plan::Action::Update)
        || rows.any(|name| holder.kind.content_properties().contains(&name.as_ref()))
}
