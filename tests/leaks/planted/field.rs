//! A project with the plants of several examples, and all that happens to it.

use super::bed::{Bed, Plant, kind, schema, text};
use super::needles::Needles;
use super::plant::{Given, filled};
use crate::support::{Ended, Project};
use serde_json::{Value, json};
use stackctl::data::Path;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as File;
use std::time::SystemTime;

/// Some plants of one example, which it takes together.
pub(super) struct Garden<'b> {
    pub(super) bed: &'b Bed,
    pub(super) variant: usize,
    pub(super) plants: Vec<Plant>,
}

/// The plants that a search found out, with where.
pub(super) type Leaks = BTreeMap<usize, String>;

pub(super) struct Field<'b> {
    project: Project,
    gardens: Vec<Garden<'b>>,
    needles: Needles,
    seed: String,
    /// When the files that were searched had changed last.
    searched: BTreeMap<std::path::PathBuf, (SystemTime, u64)>,
    /// The addresses whose ids a plan said to be secrets that the state keeps in clear.
    named: BTreeSet<String>,
    /// The same, with the property that it said to be the name.
    named_by: BTreeSet<(String, String)>,
    /// The addresses in whose ids a secret was.
    told: BTreeSet<String>,
    /// How many objects somebody else changed.
    pub(super) changed_outside: usize,
    /// How many requests a refusal repeated.
    pub(super) echoed: usize,
    pub(super) leaks: Leaks,
    /// The plants that a plan showed to be secret, by their path.
    pub(super) hidden: BTreeSet<usize>,
}

/// The address of a garden's resource in the field.
fn prefix(index: usize) -> String {
    format!("g{index}_")
}

/// The mark of a plant in a round: the secret itself.
pub(super) fn mark(seed: &str, number: usize, round: usize) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(format!("{seed} {number} {round}"));
    let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let drawn = hash
        .iter()
        .take(11)
        .map(|byte| letters[usize::from(*byte) % 36] as char);
    std::iter::once('q').chain(drawn).collect()
}

impl<'b> Field<'b> {
    pub(super) fn new(gardens: Vec<Garden<'b>>, seed: &str) -> Self {
        let project = Project::new();
        let mut stack = json!({
            "name": "planted",
            "providers": {"aws": {"region": "us-west-2"}},
            "variables": {}, "resources": {}, "data": {}, "outputs": {},
        });
        let mut needles = Needles::default();
        for (index, garden) in gardens.iter().enumerate() {
            plant(index, garden, &mut stack);
            for (path, text) in &garden.bed.files {
                project.write(&format!("stacks/{path}"), text);
            }
            for plant in &garden.plants {
                for round in 0..3 {
                    let mark = mark(seed, plant.number, round);
                    match (&plant.shape.given, plant.value(&mark)) {
                        (Given::Number, Some(number)) => needles.number(plant.number, &number),
                        (Given::Marked(_), Some(value)) => {
                            needles.mark(plant.number, &mark);
                            if value.is_string() && text(&value) != mark {
                                needles.hashes(plant.number, text(&value).as_bytes());
                            }
                        }
                        _ => {}
                    }
                    plant.write_files(&project.dir().join("stacks"), &mark);
                }
            }
        }
        project.write("stacks/planted.yaml", stack.to_string());
        let mut field = Self {
            project,
            gardens,
            needles,
            seed: seed.to_owned(),
            searched: BTreeMap::new(),
            named: BTreeSet::new(),
            named_by: BTreeSet::new(),
            told: BTreeSet::new(),
            changed_outside: 0,
            echoed: 0,
            leaks: Leaks::new(),
            hidden: BTreeSet::new(),
        };
        field.round(0);
        field
    }

    fn plants(&self) -> impl Iterator<Item = &Plant> {
        self.gardens.iter().flat_map(|garden| &garden.plants)
    }

    /// Gives every plant another secret.
    fn round(&mut self, round: usize) {
        let given: Vec<(String, String)> = self
            .plants()
            .filter_map(|plant| {
                let value = plant.value(&mark(&self.seed, plant.number, round))?;
                Some((format!("STACKCTL_VAR_p{}", plant.number), text(&value)))
            })
            .collect();
        for (name, value) in given {
            self.project.env(&name, &value);
        }
    }

    /// Runs a command, and looks for the secrets in what it printed and left.
    pub(super) fn run(&mut self, args: &[&str]) -> Ended {
        let ended = self.project.run(args);
        self.learn_archives();
        let what = args.join(" ");
        self.named_in(&ended.stderr);
        let is_state = args.starts_with(&["state", "pull"]);
        self.clean(
            ended.stdout.as_bytes(),
            &format!("stdout of {what}"),
            is_state,
        );
        self.clean(ended.stderr.as_bytes(), &format!("stderr of {what}"), false);
        let dir = self.project.dir().to_owned();
        self.files(&dir, &what);
        ended
    }

    /// The plan's warnings of names that come from a secret.
    fn named_in(&mut self, stderr: &str) {
        for line in stderr.lines() {
            let Some((before, _)) = line.split_once(" comes from a secret, and becomes part of")
            else {
                continue;
            };
            let mut words = before.rsplit(' ');
            let block = words.next().unwrap_or_default().to_owned();
            let property = words.nth(1).unwrap_or_default().to_owned();
            self.named.insert(block.clone());
            self.named_by.insert((block, property));
        }
    }

    /// What archives are made of a secret have hashes that tell it.
    fn learn_archives(&mut self) {
        let packed = self.plants_of_data();
        let dir = self.project.dir().join(".stackctl/archive");
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            // Those of the other examples are no secret.
            let has_mark = path.extension().is_some_and(|end| end == "zip")
                && packed.iter().any(|(_, mark)| contains(&bytes, mark));
            if let Some((number, _)) = packed.first().filter(|_| has_mark) {
                self.needles.hashes(*number, &bytes);
            }
        }
    }

    fn plants_of_data(&self) -> Vec<(usize, String)> {
        let gardens = self
            .gardens
            .iter()
            .filter(|garden| garden.bed.section == "data");
        let plants = gardens.flat_map(|garden| &garden.plants);
        let marks = |plant: &Plant| {
            let number = plant.number;
            [0, 1].map(|round| (number, mark(&self.seed, number, round)))
        };
        plants.flat_map(marks).collect()
    }

    fn clean(&mut self, bytes: &[u8], place: &str, is_state: bool) {
        let without = match is_state {
            true => self.without_named_ids(bytes),
            false => bytes.to_vec(),
        };
        if let Some((plant, found)) = self.needles.find(&without) {
            self.leaks
                .entry(plant)
                .or_insert_with(|| format!("{found} ({place})"));
        }
    }

    /// A state, or a journal, without the ids in which a secret is that a plan warned of.
    fn without_named_ids(&mut self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if let Ok(mut state) = serde_json::from_str::<Value>(&text) {
            self.strip(&mut state, "");
            return state.to_string().into_bytes();
        }
        let mut out = Vec::new();
        for line in text.split_inclusive('\n') {
            match serde_json::from_str::<Value>(line) {
                Ok(mut value) => {
                    self.strip(&mut value, "");
                    out.extend(value.to_string().into_bytes());
                }
                Err(_) => out.extend(line.as_bytes()),
            }
        }
        out
    }

    fn strip(&mut self, value: &mut Value, key: &str) {
        match value {
            Value::Object(map) => {
                let address = map.get("address").and_then(Value::as_str).unwrap_or(key);
                let address = address.split(' ').next().unwrap_or_default().to_owned();
                if let Some(Value::String(id)) = map.get("id")
                    && self.needles.find(id.as_bytes()).is_some()
                {
                    self.told.insert(address.clone());
                    if self.named.contains(&address) {
                        map.remove("id");
                    }
                }
                for (name, value) in map.iter_mut() {
                    let key = if name == "result" || name == "step" {
                        key
                    } else {
                        name
                    };
                    self.strip(value, key);
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|item| self.strip(item, key)),
            _ => {}
        }
    }

    /// Every file but the stack's own, the cloud's and what archives hold; their names too.
    fn files(&mut self, dir: &File, what: &str) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".stackctl/local") || path.ends_with("stacks") {
                continue;
            }
            let place = format!("{} after {what}", path.display());
            let name = path.strip_prefix(self.project.dir()).unwrap();
            let name = name.to_string_lossy().into_owned();
            self.clean(name.as_bytes(), &format!("the name {place}"), false);
            if path.is_dir() {
                self.files(&path, what);
                continue;
            }
            let about = std::fs::metadata(&path).unwrap();
            let seen = (about.modified().unwrap(), about.len());
            if path.extension().is_some_and(|end| end == "zip")
                || self.searched.insert(path.clone(), seen) == Some(seen)
            {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let bytes = match path.extension().is_some_and(|end| end == "gz") {
                true => unpacked(&bytes),
                false => bytes,
            };
            self.clean(&bytes, &place, true);
        }
    }

    /// Notes which plants a plan, as JSON, shows to be secret; one that it shows leaks.
    fn masked(&mut self, plan: &Value) {
        let changes = plan["changes"].as_array().unwrap();
        let mut hidden = Vec::new();
        for (index, garden) in self.gardens.iter().enumerate() {
            let address = prefix(index) + &garden.bed.address;
            if garden.bed.section == "data" {
                // What is made of all that it was given.
                let made = &plan["outputs"][format!("data_{address}_outputSize")];
                let is_told = made["sensitive"] == true;
                let plants = garden.plants.iter();
                hidden.extend(plants.map(|plant| (plant.number, is_told, None)));
                continue;
            }
            let Some(change) = changes.iter().find(|it| it["address"] == address) else {
                continue;
            };
            let sensitive = change["sensitive"].as_array().into_iter().flatten();
            let sensitive: Vec<Path> = sensitive
                .filter_map(|path| Some(Path::pointer(path.as_str()?)))
                .collect();
            let properties = garden.bed.properties(garden.variant, &garden.plants);
            for plant in &garden.plants {
                let path = plant.place.path(&properties);
                let is_told = sensitive
                    .iter()
                    .any(|it| path.is_within(it) || it.is_within(&path));
                let value = path.get(&change["after"]);
                hidden.push((plant.number, is_told, shown(value, plant, &self.seed)));
            }
        }
        for (number, is_told, shown) in hidden {
            if let Some(value) = shown {
                let why = format!("the plan as JSON has {value}");
                self.leaks.entry(number).or_insert(why);
            } else if is_told {
                self.hidden.insert(number);
            }
        }
    }

    /// A closed value is one that a search cannot find: it is looked for at its place.
    fn state_is_sealed(&mut self) {
        let pulled = self.run(&["state", "pull"]);
        let Ok(state) = serde_json::from_str::<Value>(&pulled.stdout) else {
            return;
        };
        let mut open = Vec::new();
        for (index, garden) in self.gardens.iter().enumerate() {
            let address = prefix(index) + &garden.bed.address;
            let inputs = &state["resources"][&address]["inputs"];
            let properties = garden.bed.properties(garden.variant, &garden.plants);
            for plant in &garden.plants {
                let path = plant.place.path(&properties);
                if let Some(value) = shown(path.get(inputs), plant, &self.seed) {
                    open.push((
                        plant.number,
                        format!("the state has {value} at {address} {path}"),
                    ));
                }
            }
        }
        for (number, why) in open {
            self.leaks.entry(number).or_insert(why);
        }
    }

    /// Somebody else changes each secret in the cloud into another.
    fn outside(&mut self) -> usize {
        use stackctl::local_cloud::{Cloud, Options};
        let dir = self.project.dir().join(".stackctl/local");
        let options = Options::from_strings(dir, None, Some(crate::support::SPEED), None).unwrap();
        let cloud = Cloud::open(options).unwrap();
        let marks: Vec<(String, String)> = self
            .plants()
            .filter(|plant| matches!(plant.shape.given, Given::Marked(_)))
            .map(|plant| {
                [1, 2]
                    .map(|round| mark(&self.seed, plant.number, round))
                    .into()
            })
            .collect();
        let mut changed = 0;
        for entry in cloud.resources().unwrap() {
            let before = entry.value.to_string();
            let mut after = before.clone();
            for (from, to) in &marks {
                // What the object is called stays.
                if !entry.key.contains(from.as_str()) {
                    after = after.replace(from, to);
                }
            }
            if after != before {
                changed += 1;
                let value = serde_json::from_str(&after).unwrap();
                cloud.meddle(&entry.key, Some(value)).unwrap();
            }
        }
        changed
    }

    /// Plans, and applies while calls are refused with all that was asked in the reason.
    fn echoed(&mut self) -> Result<(), String> {
        self.run(&["plan"]);
        let planned = self.run(&["plan", "--json"]);
        if planned.code != Some(0) {
            return Err(format!("plan: {}{}", planned.stdout, planned.stderr));
        }
        self.masked(&planned.json());
        self.run(&["plan", "--out", "p.plan"]);
        for args in [&["apply", "--yes"][..], &["apply", "--yes", "--json"]] {
            let faults = echoes(&format!("{} {args:?}", self.seed));
            self.project.env("STACKCTL_LOCAL_FAULTS", &faults);
            let ended = self.run(args);
            let told = ended.stdout + &ended.stderr;
            self.echoed += told.matches("is not valid; it reads").count();
        }
        self.project.env("STACKCTL_LOCAL_FAULTS", "[]");
        Ok(())
    }

    /// What happens where the service refuses each of the plants: the addresses that it took.
    pub(super) fn refused(&mut self) -> Result<Vec<usize>, String> {
        self.echoed()?;
        self.run(&["apply", "--yes"]);
        let mut taken = Vec::new();
        // A failure keeps others from being started.
        for index in 0..self.gardens.len() {
            let address = prefix(index) + &self.gardens[index].bed.address;
            let applied = self.run(&["apply", "--yes", "--json", "--target", &address]);
            let events = applied.stdout.lines();
            let mut events = events.filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let is_refused =
                |event: Value| event["status"] == "failed" && event["address"] == address;
            // Once what it refers to is known, the plan may find it wrong as well.
            let is_wrong = applied.code == Some(3) && applied.stdout.contains(&address);
            if !is_wrong && !events.any(is_refused) {
                taken.extend(self.gardens[index].plants.iter().map(|it| it.number));
            }
        }
        self.run(&["state", "pull"]);
        self.run(&["destroy", "--yes", "--json"]);
        Ok(taken)
    }

    /// What happens where the schema refuses each of the plants.
    pub(super) fn mistaken(&mut self) -> Result<(), String> {
        for args in [
            &["validate"][..],
            &["validate", "--json"],
            &["plan"],
            &["plan", "--json"],
            &["apply", "--yes", "--json"],
        ] {
            let ended = self.run(args);
            if ended.code != Some(3) {
                return Err(format!("{args:?}: {}{}", ended.stdout, ended.stderr));
            }
            let told = ended.stdout + &ended.stderr;
            let address = (0..self.gardens.len()).map(prefix);
            let unsaid: Vec<String> = address.filter(|it| !told.contains(it.as_str())).collect();
            // Each of these lines has all of a block; a list that is too long ends early.
            if args.contains(&"--json") && !unsaid.is_empty() && !told.contains("\"omitted\":") {
                return Err(format!(
                    "{args:?} finds nothing wrong in {unsaid:?}: {told}"
                ));
            }
        }
        Ok(())
    }

    /// Everything that a stack goes through.
    pub(super) fn life(&mut self) -> Result<(), String> {
        self.echoed()?;
        let applied = self.run(&["apply", "--yes", "--json"]);
        if applied.code != Some(0) {
            return Err(format!("apply: {}{}", applied.stdout, applied.stderr));
        }
        self.state_is_sealed();
        for args in [
            &["outputs"][..],
            &["outputs", "--json"],
            &["state", "list"],
            &["state", "list", "--json"],
            &["state", "history", "--json"],
            &["drift", "--json"],
        ] {
            self.run(args);
        }
        let addresses: Vec<String> = (0..self.gardens.len())
            .map(|index| prefix(index) + &self.gardens[index].bed.address)
            .collect();
        for (index, address) in addresses.iter().enumerate() {
            if self.gardens[index].bed.section == "resources" {
                let json = ["--json"].into_iter().filter(|_| index % 2 == 0);
                let args = ["state", "show", address];
                self.run(&args.into_iter().chain(json).collect::<Vec<_>>());
            }
        }
        self.round(1);
        let planned = self.run(&["plan", "--json"]);
        if planned.code == Some(0) {
            self.masked(&planned.json());
        }
        self.run(&["plan", "--out", "q.plan"]);
        let applied = self.run(&["apply", "--plan", "q.plan", "--yes"]);
        if applied.code != Some(0) {
            return Err(format!(
                "second apply: {}{}",
                applied.stdout, applied.stderr
            ));
        }
        // Where somebody else changes them, in a copy of the world.
        let mut whole = self.project.fork();
        whole.share_environment(&self.project);
        std::mem::swap(&mut whole, &mut self.project);
        self.changed_outside += self.outside();
        for args in [
            &["drift"][..],
            &["drift", "--json"],
            &["plan"],
            &["plan", "--json"],
            &["refresh", "--yes"],
            &["plan", "--json"],
        ] {
            self.run(args);
        }
        std::mem::swap(&mut whole, &mut self.project);
        self.searched.clear();
        let destroyed = self.run(&["destroy", "--yes", "--json"]);
        if destroyed.code != Some(0) {
            return Err(format!("destroy: {}{}", destroyed.stdout, destroyed.stderr));
        }
        self.run(&["state", "pull"]);
        Ok(())
    }

    /// The ids that are secrets must be those that a plan warned of.
    pub(super) fn ids(&self) -> Result<(), String> {
        let unsaid: Vec<_> = self.told.difference(&self.named).collect();
        let is_told = |(address, property): &&(String, String)| {
            let mut gardens = self.gardens.iter().enumerate();
            let marked = gardens.any(|(index, garden)| {
                let mut plants = garden.plants.iter();
                let is_own = prefix(index) + &garden.bed.address == *address;
                is_own && plants.any(|it| it.place.property() == property && it.shape.is_marked())
            });
            marked && !self.told.contains(address)
        };
        let idle: Vec<_> = self.named_by.iter().filter(is_told).collect();
        match unsaid.is_empty() && idle.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "ids with a secret and no warning: {unsaid:?}; warnings and no secret in the id: {idle:?}"
            )),
        }
    }
}

/// The value of a plant where it is shown; none where something else, or nothing, stands there.
fn shown(value: Option<&Value>, plant: &Plant, seed: &str) -> Option<String> {
    let value = value.filter(|value| !value.is_null())?;
    let rounds = [0, 1].map(|round| plant.value(&mark(seed, plant.number, round)));
    let is_own = rounds
        .iter()
        .flatten()
        .any(|own| own == value || json!(text(own)) == *value);
    is_own.then(|| value.to_string())
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes
        .windows(part.len())
        .any(|window| window == part.as_bytes())
}

/// Echoes for about half of the calls that write something.
fn echoes(seed: &str) -> String {
    let number = seed
        .bytes()
        .fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    let services = ["sqs", "lambda", "iam", "logs", "s3", "apigateway"];
    let verbs = [
        "Create", "Put", "Set", "Update", "Add", "Tag", "Attach", "Import", "Publish",
    ];
    let rules = services.iter().flat_map(|service| {
        verbs.iter().enumerate().map(move |(at, verb)| {
            json!({"call": format!("{service}:{verb}*"), "rate": 0.5, "what": "echo",
                "seed": (number >> 1).wrapping_add(at as u64) % 1_000_000})
        })
    });
    Value::Array(rules.collect()).to_string()
}

/// Puts a garden into a stack, under names of its own.
fn plant(index: usize, garden: &Garden<'_>, stack: &mut Value) {
    let prefix = prefix(index);
    let bed = garden.bed;
    let names: Vec<&String> = bed.resources.keys().chain(bed.data.keys()).collect();
    let own = |text: &str| {
        let mut text = text.replace("conformance", &format!("c{index}f"));
        for name in &names {
            for before in ["${", "(", "data."] {
                text = text.replace(
                    &format!("{before}{name}."),
                    &format!("{before}{prefix}{name}."),
                );
            }
        }
        text
    };
    let mut resources = bed.resources.clone();
    let mut data = bed.data.clone();
    let block = match bed.section {
        "data" => &mut data[&bed.address],
        _ => &mut resources[&bed.address],
    };
    block["properties"] = bed.properties(garden.variant, &garden.plants);
    for (section, blocks, from) in [("resources", resources, ""), ("data", data, "data.")] {
        for (name, block) in blocks {
            let type_name = block["type"].as_str().unwrap().to_owned();
            let mut block = filled(&block, &own);
            let after = block.pointer_mut("/options/dependsOn");
            for name in after.and_then(Value::as_array_mut).into_iter().flatten() {
                *name = json!(format!("{prefix}{}", name.as_str().unwrap()));
            }
            // Whatever a resource tells is an output of the stack too.
            for output in schema(&type_name).output_names() {
                let value = format!("${{try({from}{prefix}{name}.{output}, null)}}");
                stack["outputs"][format!("{section}_{prefix}{name}_{output}")] = json!(value);
            }
            stack[section][format!("{prefix}{name}")] = block;
        }
    }
    for plant in &garden.plants {
        if let Some(value) = plant.value("a") {
            let declared = json!({"type": kind(&value), "sensitive": true});
            stack["variables"][format!("p{}", plant.number)] = declared;
        }
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
