//! An example with places to plant in, and which plants it takes, told without a call.

use super::paths;
use super::paths::places;
use super::plant::{Given, MARK, Shape, VAR, filled, shapes};
use super::shapes::{RIVALS, VARIANTS};
use crate::conformance::{Case, cases};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use stackctl::content::Disk;
use stackctl::data::Path;
use stackctl::engine::plan::planned::{Options, Request};
use stackctl::engine::plan::rewrite;
use stackctl::engine::world::World;
use stackctl::lang::diagnostic::{self, Diagnostic, Place};
use stackctl::lang::{check, load};
use stackctl::resource::table::native;
use stackctl::schema::Schema;
use stackctl::severity::Severity;
use stackctl::store::state::State;
use std::collections::{BTreeMap, BTreeSet};

/// An example of a type.
pub(super) struct Bed {
    pub(super) type_name: String,
    /// `resources` or `data`.
    pub(super) section: &'static str,
    pub(super) address: String,
    pub(super) resources: Map<String, Value>,
    pub(super) data: Map<String, Value>,
    pub(super) files: BTreeMap<String, String>,
    /// The properties that it has in turn.
    pub(super) variants: Vec<Value>,
}

/// An example that is no conformance case.
#[derive(Deserialize)]
struct Further {
    #[serde(rename = "type")]
    type_name: String,
    address: String,
    resources: Map<String, Value>,
    #[serde(default)]
    data: Map<String, Value>,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// A place of a type, where its secret is taken, and how.
#[derive(Clone, Debug)]
pub(super) struct Plant {
    pub(super) number: usize,
    pub(super) place: paths::Place,
    pub(super) shape: Shape,
}

pub(super) fn schema(type_name: &str) -> &'static Schema {
    let resource = native()
        .resources()
        .get(type_name)
        .map(|kind| kind.schema());
    let source = || {
        native()
            .data_sources()
            .get(type_name)
            .map(|kind| kind.schema())
    };
    resource.or_else(source).unwrap()
}

/// What may be given instead of a property, not beside it.
pub(super) fn rivals<'s>(schema: &'s Schema, name: &'s str) -> Vec<&'s str> {
    let of = schema.property_names();
    let of = of.filter(|of| schema.prefix_of(of) == Some(name));
    let own = RIVALS
        .iter()
        .filter(|(type_name, of, _)| (*type_name, *of) == (schema.name, name));
    let own = own.flat_map(|(_, _, rivals)| rivals.iter().copied());
    of.chain(schema.prefix_of(name)).chain(own).collect()
}

/// Whether an archive is given as the data source wants it, which only its read tells.
fn is_whole(properties: &Value) -> bool {
    let has = |name: &str| properties.get(name).is_some();
    let sources = ["source", "sourceContent", "sourceDir", "sourceFile"];
    sources.iter().filter(|name| has(name)).count() == 1
        && has("sourceContent") == has("sourceContentFilename")
        && (has("sourceDir") || !has("excludes"))
}

impl Bed {
    /// The properties of a variant with plants in them.
    pub(super) fn properties(&self, variant: usize, plants: &[Plant]) -> Value {
        let schema = schema(&self.type_name);
        let mut properties = self.variants[variant].clone();
        for plant in plants {
            for rival in rivals(schema, plant.place.property()) {
                properties.as_object_mut().unwrap().remove(rival);
            }
            let variable = format!("${{var.p{}}}", plant.number);
            let written = filled(&plant.shape.written, &|text| text.replace(VAR, &variable));
            plant
                .place
                .put(&schema.properties, &mut properties, written);
        }
        properties
    }

    /// What a stack of this example alone finds wrong.
    pub(super) fn mistakes(&self, variant: usize, plants: &[Plant]) -> Vec<Diagnostic> {
        let mut stack = json!({
            "name": "bed",
            "providers": {"aws": {"region": "us-west-2"}},
            "variables": {},
            "resources": self.resources,
            "data": self.data,
        });
        stack[self.section][&self.address]["properties"] = self.properties(variant, plants);
        let mut given = load::Given::default();
        for plant in plants {
            let name = format!("p{}", plant.number);
            let Some(value) = plant.value("zq0plantedmark") else {
                continue;
            };
            stack["variables"][&name] = json!({"type": kind(&value), "sensitive": true});
            given.env_vars.push((name, text(&value)));
        }
        let dir = scratch();
        for (path, text) in &self.files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        for plant in plants {
            plant.write_files(dir.path(), "zq0plantedmark");
        }
        let loaded = load::load(
            ("bed.yaml".to_owned(), stack.to_string().into_bytes()),
            None,
            dir.path().to_owned(),
            &given,
        );
        let mut found = loaded.diagnostics;
        found.extend(check::check(&loaded.stack, native()));
        let mut world = World::new(State::empty("bed", None, String::new()));
        world.is_blind = true;
        let planned = rewrite::plan(&Request {
            types: native(),
            stack: &loaded.stack,
            world: &world,
            options: &Options::default(),
            read_file: &Disk::new(dir.path()),
        });
        diagnostic::add(&mut found, planned.diagnostics);
        if self.section == "data" && !is_whole(&self.properties(variant, plants)) {
            found.push(Diagnostic::error(
                Place::Outside,
                "what is packed is not told once",
            ));
        }
        // The scratch folder is no part of the project that the tests run in.
        found.retain(|it| it.severity == Severity::Error && !it.message.contains("outside of the"));
        found
    }

    /// The path of a place below the whole stack.
    pub(super) fn path(&self, variant: usize, place: &paths::Place) -> Path {
        let base = Path::root().join(self.section).join(&self.address);
        let base = base.join("properties");
        base.concat(&place.path(&self.variants[variant]))
    }
}

fn scratch() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

impl Plant {
    /// What its variable holds for a mark; none where it has no variable.
    pub(super) fn value(&self, mark: &str) -> Option<Value> {
        match &self.shape.given {
            Given::Marked(value) => Some(filled(value, &|text| text.replace(MARK, mark))),
            Given::Closed(value) => Some(value.clone()),
            Given::Number => {
                let digits = mark.bytes().fold(0_u64, |sum, byte| {
                    sum.wrapping_mul(31).wrapping_add(u64::from(byte))
                });
                Some(json!(10_000_000 + digits % 89_999_999))
            }
            Given::Nothing => None,
        }
    }

    /// Writes the file, or the folder, that the secret names.
    pub(super) fn write_files(&self, dir: &std::path::Path, mark: &str) {
        let Some(Value::String(name)) = self.value(mark) else {
            return;
        };
        if let Some(folder) = name.strip_suffix("/folder") {
            std::fs::create_dir_all(dir.join(folder).join("folder")).unwrap();
            std::fs::write(dir.join(folder).join("folder/a.py"), "a = 1\n").unwrap();
        } else if name.starts_with("files/") {
            std::fs::create_dir_all(dir.join("files")).unwrap();
            std::fs::write(dir.join(name), "a = 1\n").unwrap();
        }
    }
}

/// The type of a variable with this value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
        _ => "string",
    }
}

/// The value as an environment variable gives it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The examples of every type, and one for each data source that has properties.
pub(super) fn beds() -> Vec<Bed> {
    let mut all = Vec::new();
    for (type_name, file) in cases() {
        let mut case: Case =
            serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        // Only a bucket with object lock takes an object with a lock.
        if type_name == "aws:s3:BucketObject" {
            let bucket = &mut case.resources["bucket"]["properties"];
            bucket["objectLockEnabled"] = json!(true);
            bucket["forceDestroy"] = json!(true);
        }
        let given = &case.resources[&case.address]["properties"];
        let mut variants = vec![given.clone()];
        let mut now = given.clone();
        for update in case.take_updates() {
            changed(&mut now, &update);
            variants.push(now.clone());
        }
        let own = VARIANTS.iter().filter(|(of, _)| *of == type_name);
        for (_, patch) in own {
            let mut variant = variants[0].clone();
            let patch: Map<String, Value> = serde_json::from_str(patch).unwrap();
            changed(&mut variant, &patch);
            variants.push(variant);
        }
        all.push(Bed {
            type_name,
            section: "resources",
            address: case.address,
            resources: case.resources,
            data: case.data,
            files: case.files,
            variants,
        });
    }
    let further: Vec<Further> = serde_yaml::from_str(include_str!("beds.yaml")).unwrap();
    all.extend(further.into_iter().map(|it| Bed {
        variants: vec![it.resources[&it.address]["properties"].clone()],
        type_name: it.type_name,
        section: "resources",
        address: it.address,
        resources: it.resources,
        data: it.data,
        files: it.files,
    }));
    let names = all.iter().map(|bed| bed.type_name.clone());
    let types: BTreeSet<String> = names.collect();
    assert_eq!(types.len(), native().resources().len());
    for (name, kind) in native().data_sources() {
        let own = VARIANTS.iter().filter(|(of, _)| of == name);
        let variants: Vec<Value> = own
            .map(|(_, text)| serde_json::from_str(text).unwrap())
            .collect();
        let has_places = !places(kind.schema()).is_empty();
        assert_eq!(has_places, !variants.is_empty(), "{name} has no example");
        if variants.is_empty() {
            continue;
        }
        let holder = json!({"bucket": {"type": "aws:s3:Bucket", "properties": {"bucketPrefix": "conformance"}},
            "object": {"type": "aws:s3:BucketObject", "properties": {"bucket": "${bucket.bucket}", "key": "a.zip", "source": "${data.planted.outputPath}"}}});
        let data = json!({"planted": {"type": name, "properties": variants[0]}});
        all.push(Bed {
            type_name: (*name).to_owned(),
            section: "data",
            address: "planted".to_owned(),
            resources: holder.as_object().cloned().unwrap(),
            data: data.as_object().cloned().unwrap(),
            files: [("plain/a.py", "a = 1\n"), ("plain/b.txt", "b\n")]
                .map(|(path, text)| (path.to_owned(), text.to_owned()))
                .into(),
            variants,
        });
    }
    all
}

fn changed(properties: &mut Value, change: &Map<String, Value>) {
    for (name, value) in change {
        match value {
            Value::Null => drop(properties.as_object_mut().unwrap().remove(name)),
            value => properties[name] = value.clone(),
        }
    }
}

/// Which of the examples takes a secret at a place, in which variant, and how: those that have
/// something there come first. None where no example does, with the last reason.
pub(super) fn fit(
    beds: &[&Bed],
    place: &paths::Place,
    number: usize,
) -> Result<(usize, usize, Plant), String> {
    let mut why = "no way to plant".to_owned();
    for wanted in [2, 1, 0] {
        for (index, bed) in beds.iter().enumerate() {
            for (variant, given) in bed.variants.iter().enumerate() {
                let there = place.path(given).get(given);
                let has = given.get(place.property()).is_some();
                if usize::from(has) + usize::from(there.is_some()) != wanted {
                    continue;
                }
                for shape in shapes(schema(&bed.type_name), place, there) {
                    let plant = Plant {
                        number,
                        place: place.clone(),
                        shape,
                    };
                    match bed.mistakes(variant, std::slice::from_ref(&plant)).first() {
                        None => return Ok((index, variant, plant)),
                        Some(first) => why = format!("{} ({:?})", first.message, plant.shape),
                    }
                }
            }
        }
    }
    Err(why)
}
