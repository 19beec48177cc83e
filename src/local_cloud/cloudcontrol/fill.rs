//! What a service fills in: names, ids, ARNs, other read-only properties, defaults, and its own
//! order of what has none.

use super::Refusal;
use super::check::faults;
use super::model::{identifier, is_foreseen, remove, steps};
use super::pattern;
use crate::local_cloud::service::ACCOUNT;
use crate::local_cloud::stamps;
use crate::registry::{self, RegistryType};
use crate::resource::aws::partition_of;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Where and when something is created.
pub(super) struct Place<'p> {
    pub(super) region: &'p str,
    /// In milliseconds since 1970.
    pub(super) now: u64,
    /// The writes so far: makes ids and names differ.
    pub(super) count: u64,
}

/// The model of a resource that is as a request asks for.
pub(super) fn model(
    kind: &RegistryType,
    sent: &Value,
    place: &Place<'_>,
) -> Result<Value, Refusal> {
    let mut model = with_defaults(kind, sent)?;
    for path in kind.write_only() {
        remove(&mut model, &steps(path));
    }
    let filler = Filler { kind, place };
    filler.name(&mut model);
    let of_identifier = kind.primary_identifier().iter();
    for path in of_identifier.chain(kind.read_only()) {
        let before = model.clone();
        filler.fill((&before, path), kind.schema(), &mut model, &steps(path));
    }
    reorder(kind, kind.schema(), &mut model);
    Ok(model)
}

/// The given properties with the schema's defaults, unless that would be no valid model.
fn with_defaults(kind: &RegistryType, sent: &Value) -> Result<Value, Refusal> {
    let mut model = sent.clone();
    add_defaults(kind, kind.schema(), &mut model);
    let valid = faults(kind, &model)?.is_empty();
    Ok(if valid { model } else { sent.clone() })
}

fn add_defaults(kind: &RegistryType, schema: &Value, value: &mut Value) {
    let schema = kind.resolve(schema);
    match value {
        Value::Object(map) => {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                match map.get_mut(name) {
                    Some(value) => add_defaults(kind, property, value),
                    None => {
                        let found = property.get("default");
                        let found = found.or_else(|| kind.resolve(property).get("default"));
                        if let Some(default) = found {
                            map.insert(name.clone(), default.clone());
                        }
                    }
                }
            }
        }
        Value::Array(list) => {
            for item in list {
                add_defaults(kind, &schema["items"], item);
            }
        }
        _ => {}
    }
}

/// Puts lists without an order, and tags, into one that follows from what they hold.
fn reorder(kind: &RegistryType, schema: &Value, value: &mut Value) {
    let schema = kind.resolve(schema);
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                let property = &schema["properties"][name];
                reorder(kind, property, value);
                let free = property["insertionOrder"] == false
                    || kind.resolve(property)["insertionOrder"] == false
                    || name == "Tags";
                if let Some(list) = value.as_array_mut().filter(|_| free) {
                    list.sort_by_cached_key(|item| Sha256::digest(item.to_string()).to_vec());
                }
            }
        }
        Value::Array(list) => {
            for item in list {
                reorder(kind, &schema["items"], item);
            }
        }
        _ => {}
    }
}

/// Fills in the read-only properties of one resource.
struct Filler<'f> {
    kind: &'f RegistryType,
    place: &'f Place<'f>,
}

impl Filler<'_> {
    /// Gives the resource the name that its ARN contains, where that is a property of its.
    fn name(&self, model: &mut Value) {
        let template = registry::arn_template(self.kind.name()).unwrap_or_default();
        for (name, property) in self.kind.properties() {
            let is_part = template.contains(&format!("${{{name}}}"));
            if is_part && model.get(name).is_none() && name.ends_with("Name") {
                let value = self.value(model, property, name);
                model[name] = value;
            }
        }
    }

    /// Fills in a property where it is missing and what holds it is there. `whole` is the model as
    /// it was before, and the property's whole path.
    fn fill(&self, whole: (&Value, &str), schema: &Value, value: &mut Value, path: &[&str]) {
        let schema = self.kind.resolve(schema);
        let Some((step, rest)) = path.split_first() else {
            return;
        };
        match (value, *step) {
            (Value::Array(list), "*") => {
                for item in list {
                    self.fill(whole, &schema["items"], item, rest);
                }
            }
            (Value::Object(map), step) => {
                let property = &schema["properties"][step];
                match map.get_mut(step) {
                    Some(below) => self.fill(whole, property, below, rest),
                    None if rest.is_empty() => {
                        let (model, path) = whole;
                        map.insert(step.to_owned(), self.value(model, property, path));
                    }
                    None => {}
                }
            }
            _ => {}
        }
    }

    /// A plausible value of the property at a path.
    fn value(&self, model: &Value, schema: &Value, path: &str) -> Value {
        let schema = self.kind.resolve(schema);
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        let of = schema["type"].as_str().or(schema["type"][0].as_str());
        match of {
            Some("string") => json!(self.text(model, schema, path)),
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(0)),
            Some("boolean") => json!(false),
            Some("array") => match schema["minItems"].as_u64() {
                None | Some(0) => json!([]),
                Some(_) => json!([self.value(model, &schema["items"], &format!("{path}/*"))]),
            },
            _ => {
                let branch = schema["oneOf"].get(0).or(schema["anyOf"].get(0));
                if let Some(branch) = branch.filter(|_| schema.get("required").is_none()) {
                    return self.value(model, branch, path);
                }
                let names = schema["required"].as_array().into_iter().flatten();
                let names = names.filter_map(Value::as_str);
                let map: Map<_, _> = names
                    .map(|name| {
                        let property = &schema["properties"][name];
                        let path = format!("{path}/{name}");
                        (name.to_owned(), self.value(model, property, &path))
                    })
                    .collect();
                Value::Object(map)
            }
        }
    }

    fn text(&self, model: &Value, schema: &Value, path: &str) -> String {
        let mut steps = path.rsplit('/');
        let name = steps.find(|step| *step != "*").unwrap_or_default();
        let Place { region, now, count } = *self.place;
        let last = self.last().to_lowercase();
        let pattern = schema["pattern"].as_str();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        let found = if ends(&["Arn", "ARN"]) {
            self.arn(model)
        } else if ends(&["OwnerId", "AccountId"]) {
            ACCOUNT.to_owned()
        } else if ends(&["Id"]) {
            match self.kind.name().starts_with("AWS::EC2::") {
                true => format!("{}-{count:017x}", prefix(name, &last)),
                false => format!("{last}-{count:x}"),
            }
        } else if ends(&["Time", "Timestamp", "Date", "At"]) || schema["format"] == "date-time" {
            stamps::iso_millis(now)
        } else if ends(&["Url", "URL", "Uri", "URI"]) {
            let (_, suffix) = partition_of(region);
            let own = self.named(model);
            format!("https://{last}.{region}.{suffix}/{ACCOUNT}/{own}")
        } else if name == "Name" {
            self.named(model)
        } else if name.ends_with("Name") {
            format!("{last}-{count:x}")
        } else {
            format!("{last}-{}-{count:x}", name.to_lowercase())
        };
        let mut text = found;
        if let Some(pattern) = pattern.filter(|pattern| !pattern::fits(pattern, &text)) {
            let seed = format!("{}/{path}/{count}", self.kind.name());
            let sample = || registry::sample(self.kind, path, count);
            text = pattern::example(pattern, &seed)
                .or_else(|| Some(sample().as_str()?.to_owned()))
                .unwrap_or(text);
        }
        let size = |keyword: &str| -> Option<usize> {
            let size = schema[keyword].as_u64()?;
            size.try_into().ok()
        };
        if let Some(most) = size("maxLength").filter(|most| *most < text.len()) {
            // The end is what differs.
            text.drain(..text.len() - most);
        }
        while size("minLength").is_some_and(|least| text.len() < least) {
            text.push('0');
        }
        text
    }

    /// The type's own name: `Table`.
    fn last(&self) -> &str {
        let name = self.kind.name();
        name.rsplit_once("::").map_or(name, |(_, last)| last)
    }

    /// What tells the resource from others: its name or identifier, or else a new one.
    fn named(&self, model: &Value) -> String {
        let names = [format!("{}Name", self.last()), "Name".to_owned()];
        let found = names.iter().find_map(|name| model[name].as_str());
        if let Some(name) = found.filter(|name| name.len() > 1) {
            return name.to_owned();
        }
        match is_foreseen(self.kind, model) {
            true => identifier(self.kind, model),
            false => format!("{}-{:x}", self.last().to_lowercase(), self.place.count),
        }
    }

    /// The ARN, by AWS's template where it publishes one.
    fn arn(&self, model: &Value) -> String {
        let region = self.place.region;
        let (partition, _) = partition_of(region);
        let name = self.named(model);
        let Some(template) = registry::arn_template(self.kind.name()) else {
            let mut parts = self.kind.name().split("::").skip(1);
            let mut part = || parts.next().unwrap_or_default().to_lowercase();
            let (service, last) = (part(), part());
            return format!("arn:{partition}:{service}:{region}:{ACCOUNT}:{last}/{name}");
        };
        let mut arn = String::new();
        for (at, piece) in template.split("${").enumerate() {
            let Some((place, rest)) = piece.split_once('}').filter(|_| at > 0) else {
                arn.push_str(piece);
                continue;
            };
            arn.push_str(match place {
                "Partition" => partition,
                "Region" => region,
                "Account" => ACCOUNT,
                place => model[place].as_str().unwrap_or(&name),
            });
            arn.push_str(rest);
        }
        arn
    }
}

/// How the ids of EC2 begin: by the property's name, or else the type's.
fn prefix(property: &str, last: &str) -> String {
    let of = property.trim_end_matches("Id").to_lowercase();
    let of = match of.as_str() {
        "" => last,
        of => of,
    };
    let short = match of {
        "securitygroup" | "group" => "sg",
        "internetgateway" => "igw",
        "natgateway" => "nat",
        "routetable" => "rtb",
        "networkinterface" => "eni",
        "networkacl" => "acl",
        "instance" => "i",
        "volume" => "vol",
        "allocation" => "eipalloc",
        "vpcendpoint" => "vpce",
        "transitgateway" => "tgw",
        "launchtemplate" => "lt",
        "dhcpoptions" => "dopt",
        of => of,
    };
    short.to_owned()
}
