//! Plants a secret at every place of every type's example that takes a string or a number, lets
//! the stack live, and looks for them in all that is printed and kept: as they are, coded, and as
//! hashes, of theirs and of what is made of them.

use crate::conformance::cases;
use crate::support::{Ended, Project, in_parallel};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use md5::Md5;
use serde_json::{Map, Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use stackctl::data::{Data, Path};
use stackctl::resource::{data_sources, resources};
use stackctl::schema::Schema;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A place of an example, and what is planted there.
#[derive(Clone, Debug)]
struct Plant {
    /// `resources` or `data`.
    section: &'static str,
    address: String,
    /// Below `properties`.
    path: Path,
    number: usize,
    is_number: bool,
    /// Around the secret, where it would not be taken alone.
    before: String,
    /// Whether the schema takes it.
    fits: bool,
}

impl Plant {
    /// The secret itself; `round` gives another one for the change.
    fn mark(&self, round: usize) -> String {
        match self.is_number {
            true => format!("{}", 8_040_000 + self.number * 10 + round),
            false => format!("zq{:03}xk{round}qwv", self.number),
        }
    }

    fn value(&self, round: usize) -> String {
        format!("{}{}", self.before, self.mark(round))
    }

    fn variable(&self) -> String {
        format!("p{}", self.number)
    }
}

fn schema(type_name: &str) -> Option<&'static Schema> {
    let resource = resources().get(type_name).map(|kind| kind.schema());
    resource.or_else(|| data_sources().get(type_name).map(|kind| kind.schema()))
}

/// The places of strings and numbers in a value.
fn leaves(value: &Value, at: &Path, found: &mut Vec<Path>) {
    match value {
        Value::String(text) if !text.contains("${") => found.push(at.clone()),
        Value::Number(_) => found.push(at.clone()),
        Value::Array(list) => {
            let items = list.iter().enumerate();
            items.for_each(|(index, item)| leaves(item, &at.join(index), found));
        }
        Value::Object(map) => {
            map.iter()
                .for_each(|(key, item)| leaves(item, &at.join(key), found));
        }
        _ => {}
    }
}

/// Whether a string looks like one that may be any other: none of a service's own words.
fn is_free(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_:*/.-".contains(c);
    let own = text.starts_with("arn:") || text.contains(':') || text.contains(".amazonaws.com");
    !text.is_empty() && !own && !text.chars().all(is_word) && !["Allow", "Deny"].contains(&text)
}

/// Whether the schema takes the value at the path.
fn fits(schema: &Schema, properties: &Value, path: &Path, value: &Value) -> bool {
    let mut properties = properties.clone();
    path.set(&mut properties, value.clone());
    let mut data = Data::from(properties);
    // References are known later.
    let mut all = Vec::new();
    expressions(&data.value, &Path::root(), &mut all);
    for at in all {
        data.set(&at, Data::unknown("${x}"));
    }
    schema.conform(&mut data);
    schema.validate(&data).is_empty()
}

fn expressions(value: &Value, at: &Path, found: &mut Vec<Path>) {
    match value {
        Value::String(text) if text.contains("${") => found.push(at.clone()),
        Value::Array(list) => {
            let items = list.iter().enumerate();
            items.for_each(|(index, item)| expressions(item, &at.join(index), found));
        }
        Value::Object(map) => {
            map.iter()
                .for_each(|(key, item)| expressions(item, &at.join(key), found));
        }
        _ => {}
    }
}

/// The example with its plants.
struct Bed {
    name: String,
    resources: Map<String, Value>,
    data: Map<String, Value>,
    files: Vec<(String, String)>,
    plants: Vec<Plant>,
}

fn beds() -> Vec<Bed> {
    let mut number = 0;
    let mut all = Vec::new();
    for (type_name, file) in cases() {
        let case: crate::conformance::Case =
            serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mut plants = Vec::new();
        let mut places = vec![("resources", case.address.clone(), &case.resources)];
        places.extend(
            case.data
                .keys()
                .map(|name| ("data", name.clone(), &case.data)),
        );
        for (section, address, blocks) in places {
            let block = &blocks[&address];
            let Some(schema) = block["type"].as_str().and_then(schema) else {
                continue;
            };
            let properties = block.get("properties").cloned().unwrap_or_default();
            let mut found = Vec::new();
            leaves(&properties, &Path::root(), &mut found);
            for path in found {
                let there = path.get(&properties).unwrap();
                let mut plant = Plant {
                    section,
                    address: address.clone(),
                    is_number: there.is_number(),
                    path,
                    number,
                    before: String::new(),
                    fits: true,
                };
                number += 1;
                let value = |plant: &Plant| match plant.is_number {
                    true => json!(plant.value(0).parse::<i64>().unwrap()),
                    false => json!(plant.value(0)),
                };
                if !fits(schema, &properties, &plant.path, &value(&plant))
                    && let Some(text) = there.as_str()
                {
                    plant.before = text.to_owned();
                }
                let taken = there.as_str().is_none_or(is_free);
                plant.fits = taken && fits(schema, &properties, &plant.path, &value(&plant));
                if !plant.fits {
                    plant.before.clear();
                }
                plants.push(plant);
            }
        }
        all.push(Bed {
            name: format!(
                "{type_name} {}",
                file.file_stem().unwrap().to_string_lossy()
            ),
            resources: case.resources,
            data: case.data,
            files: case.files.into_iter().collect(),
            plants,
        });
    }
    all
}

/// What is looked for.
#[derive(Default)]
struct Needles(BTreeSet<String>);

impl Needles {
    fn add(&mut self, bytes: &[u8]) {
        let hashes: [Vec<u8>; 4] = [
            Md5::digest(bytes).to_vec(),
            Sha1::digest(bytes).to_vec(),
            Sha256::digest(bytes).to_vec(),
            Sha512::digest(bytes).to_vec(),
        ];
        for hash in hashes {
            // Names are cut after half of a hash.
            self.0.insert(hex::encode(&hash)[..24].to_owned());
            self.0.insert(hex::encode_upper(&hash)[..24].to_owned());
            self.0.insert(STANDARD.encode(&hash)[..20].to_owned());
            self.0
                .insert(URL_SAFE_NO_PAD.encode(&hash)[..20].to_owned());
        }
    }

    /// The text as it is and coded.
    fn add_text(&mut self, text: &str) {
        self.0.insert(text.to_owned());
        self.0.insert(text.to_uppercase());
        self.0.insert(text.chars().rev().collect());
        self.0.insert(hex::encode(text));
        self.0
            .insert(text.bytes().map(|byte| format!("%{byte:02X}")).collect());
        for before in 0..3 {
            let coded = STANDARD.encode("x".repeat(before) + text);
            let first = (before * 8usize).div_ceil(6);
            let last = (before + text.len()) * 8 / 6;
            self.0.insert(coded[first..last].to_owned());
        }
    }
}

/// A project in which some of a bed's plants are set.
struct Garden<'b> {
    project: Project,
    plants: Vec<&'b Plant>,
    needles: Needles,
}

impl<'b> Garden<'b> {
    fn new(bed: &Bed, plants: Vec<&'b Plant>) -> Self {
        let project = Project::new();
        let mut stack = json!({
            "name": "planted",
            "providers": {"aws": {"region": "us-west-2"}},
            "variables": {},
            "resources": bed.resources,
            "data": bed.data,
        });
        let mut needles = Needles::default();
        for plant in &plants {
            let kind = if plant.is_number { "number" } else { "string" };
            stack["variables"][plant.variable()] = json!({"type": kind, "sensitive": true});
            let base = Path::root().join(plant.section).join(&plant.address);
            let at = base.join("properties").concat(&plant.path);
            at.set(&mut stack, json!(format!("${{var.{}}}", plant.variable())));
            for round in [0, 1] {
                needles.add(plant.mark(round).as_bytes());
                needles.add(plant.value(round).as_bytes());
                match plant.is_number {
                    true => drop(needles.0.insert(plant.mark(round))),
                    false => needles.add_text(&plant.mark(round)),
                }
            }
        }
        // Whatever a resource tells is an output of the stack too.
        for (section, blocks, prefix) in [
            ("resources", &bed.resources, ""),
            ("data", &bed.data, "data."),
        ] {
            for (name, block) in blocks {
                let Some(schema) = block["type"].as_str().and_then(schema) else {
                    continue;
                };
                for output in schema.output_names() {
                    let value = format!("${{try({prefix}{name}.{output}, null)}}");
                    stack["outputs"][format!("{section}_{name}_{output}")] = json!(value);
                }
            }
        }
        project.write("stacks/planted.yaml", stack.to_string());
        for (path, text) in &bed.files {
            project.write(&format!("stacks/{path}"), text);
        }
        let mut garden = Self {
            project,
            plants,
            needles,
        };
        garden.round(0);
        garden
    }

    fn round(&mut self, round: usize) {
        for plant in &self.plants {
            let name = format!("STACKCTL_VAR_{}", plant.variable());
            self.project.env(&name, &plant.value(round));
        }
    }

    /// Runs a command, and looks for the secrets in what it printed and left.
    fn run(&mut self, args: &[&str]) -> Result<Ended, String> {
        let ended = self.project.run(args);
        self.learn_archives();
        let what = args.join(" ");
        // The state as it is kept, with its ids.
        let stdout = match args {
            ["state", "pull"] => without_ids(ended.stdout.as_bytes()),
            _ => ended.stdout.as_bytes().to_vec(),
        };
        self.clean(&stdout, &format!("stdout of {what}"))?;
        self.clean(ended.stderr.as_bytes(), &format!("stderr of {what}"))?;
        self.files(self.project.dir(), &what)?;
        Ok(ended)
    }

    /// What archives and objects are made of a secret has hashes that tell it.
    fn learn_archives(&mut self) {
        let dir = self.project.dir().join(".stackctl/archive");
        let made_of_one = self.plants.iter().any(|plant| plant.section == "data");
        for entry in std::fs::read_dir(dir)
            .into_iter()
            .flatten()
            .filter(|_| made_of_one)
        {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "zip") {
                self.needles.add(&std::fs::read(path).unwrap());
            }
        }
    }

    fn clean(&self, bytes: &[u8], place: &str) -> Result<(), String> {
        let text = String::from_utf8_lossy(bytes);
        for needle in &self.needles.0 {
            if let Some(at) = text.find(needle.as_str()) {
                let from = text.floor_char_boundary(at.saturating_sub(80));
                let to = text.ceil_char_boundary((at + needle.len() + 40).min(text.len()));
                return Err(format!("{needle} in {place}: …{}…", &text[from..to]));
            }
        }
        Ok(())
    }

    /// Every file but the stack's own, the cloud's and what archives hold; their names too.
    fn files(&self, dir: &std::path::Path, what: &str) -> Result<(), String> {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let place = format!("{} after {what}", path.display());
            let name = path.strip_prefix(self.project.dir()).unwrap();
            self.clean(
                name.to_string_lossy().as_bytes(),
                &format!("the name {place}"),
            )?;
            if path.ends_with(".stackctl/local") || path.ends_with("stacks") {
                continue;
            }
            if path.is_dir() {
                self.files(&path, what)?;
                continue;
            }
            if path.extension().is_some_and(|end| end == "zip") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let bytes = match path.extension().is_some_and(|end| end == "gz") {
                true => unpacked(&bytes),
                false => bytes,
            };
            self.clean(&without_ids(&bytes), &place)?;
        }
        Ok(())
    }

    /// Everything that a stack goes through. False where it cannot be applied.
    fn life(&mut self) -> Result<bool, String> {
        self.run(&["plan"])?;
        if self.run(&["apply", "--yes"])?.code != Some(0) {
            return Ok(false);
        }
        for args in [
            &["outputs", "--json"][..],
            &["drift", "--json"],
            &["state", "pull"],
        ] {
            self.run(args)?;
        }
        let addresses: BTreeSet<&str> = self.plants.iter().map(|it| it.address.as_str()).collect();
        for address in addresses.into_iter().map(str::to_owned).collect::<Vec<_>>() {
            self.run(&["state", "show", &address])?;
        }
        self.round(1);
        self.run(&["plan", "--out", "p.plan"])?;
        self.run(&["apply", "--yes", "--json"])?;
        self.run(&["destroy", "--yes", "--json"])?;
        Ok(true)
    }
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_end(&mut out)
        .unwrap();
    out
}

/// A state without the ids of its resources: what AWS calls them stands there in clear, and a plan
/// warns of a name that comes from a secret.
fn without_ids(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let text = String::from_utf8_lossy(line);
        let Ok(mut value) = serde_json::from_str::<Value>(&text) else {
            return line.to_vec();
        };
        strip(&mut value);
        value.to_string().into_bytes()
    });
    let text = String::from_utf8_lossy(bytes);
    match serde_json::from_str::<Value>(&text) {
        Ok(mut state) => {
            strip(&mut state);
            state.to_string().into_bytes()
        }
        Err(_) => lines.collect::<Vec<_>>().concat(),
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.contains_key("inputs") && map.contains_key("type") {
                map.remove("id");
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Lets the plants of a bed live, all together; where the service refuses one, in two halves. A
/// refusal is searched as everything else is.
fn live(bed: &Bed, plants: &[&Plant], halves: usize, found: &mut Vec<String>) {
    if plants.is_empty() {
        return;
    }
    match Garden::new(bed, plants.to_vec()).life() {
        Ok(false) if halves > 0 && plants.len() > 1 => {
            let (one, other) = plants.split_at(plants.len() / 2);
            live(bed, one, halves - 1, found);
            live(bed, other, halves - 1, found);
        }
        Ok(_) => {}
        Err(why) => {
            let paths: Vec<String> = plants.iter().map(|it| it.path.to_string()).collect();
            found.push(format!("{}: {why}", paths.join(", ")));
        }
    }
}

#[test]
fn no_planted_secret_is_printed_or_kept() {
    let tried = AtomicUsize::new(0);
    let found = std::sync::Mutex::new(Vec::new());
    in_parallel(beds(), |bed| {
        tried.fetch_add(bed.plants.len(), Ordering::Relaxed);
        let (fit, misfits): (Vec<&Plant>, Vec<&Plant>) =
            bed.plants.iter().partition(|plant| plant.fits);
        let mut leaks = Vec::new();
        live(&bed, &fit, 1, &mut leaks);
        // What the schema refuses: all its mistakes at once.
        if !misfits.is_empty() {
            let mut garden = Garden::new(&bed, misfits);
            for args in [&["plan"][..], &["plan", "--json"]] {
                leaks.extend(garden.run(args).err());
            }
        }
        let leaks = leaks
            .into_iter()
            .map(|leak| format!("{}: {leak}", bed.name));
        found.lock().unwrap().extend(leaks);
    });
    let found = found.into_inner().unwrap();
    let tried = tried.into_inner();
    println!(
        "reliability: planted secrets {tried} tried {} hidden",
        tried - found.len()
    );
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(tried > 150, "only {tried} places");
}
