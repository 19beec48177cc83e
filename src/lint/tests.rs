//! Every rule has a bad and a good example: the bad one breaks it, the good one breaks nothing. What
//! a check of this room finds, it finds under the names of the CloudFormation type too.

use super::spelling::to_cloudformation;
use super::{Check, Facts, Resource, Rule, findings, rules};
use crate::content::Disk;
use crate::data::{Data, Path};
use crate::engine::plan::planned::{Options, Request};
use crate::engine::plan::rewrite;
use crate::engine::world::World;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::load::{Given, load};
use crate::lang::source::parse;
use crate::lang::stack::Stack;
use crate::lang::{check, diagnostic};
use crate::resource::table::native;
use crate::severity::Severity;
use crate::store::state::State;
use serde_json::Value;
use std::collections::BTreeSet;

/// What every example may name: see docs/lint.md.
const AROUND: &str = r#"
name: s
variables:
  account: {type: string, default: "123456789012"}
  region: {type: string, default: eu-central-1}
  rule: {type: string, default: "arn:aws:events:eu-central-1:123456789012:rule/nightly"}
  stream: {type: string, default: "arn:aws:kinesis:eu-central-1:123456789012:stream/orders"}
data:
  caller: {type: "aws:getCallerIdentity"}
  partition: {type: "aws:getPartition"}
resources:
  role:
    type: aws:iam:Role
    properties:
      assumeRolePolicy:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
"#;

/// The stack of an example, as a file.
fn file(example: &str) -> String {
    let mut stack: Value = parse(AROUND.as_bytes()).unwrap();
    let example: Value = parse(example.as_bytes()).unwrap();
    let parts = match example
        .get("resources")
        .is_some_and(|all| all.get("type").is_none())
    {
        true => example,
        false => serde_json::json!({ "resources": example }),
    };
    for (block, entries) in parts.as_object().unwrap() {
        for (name, entry) in entries.as_object().unwrap() {
            stack[block][name] = entry.clone();
        }
    }
    stack.to_string()
}

fn stack(example: &str) -> Stack {
    let file = ("s.yaml".to_owned(), file(example).into_bytes());
    let loaded = load(file, None, ".".into(), &Given::default());
    assert_eq!(loaded.diagnostics, [], "{example}");
    loaded.stack
}

/// What `validate` says of an example.
fn said(example: &str) -> Vec<Diagnostic> {
    let stack = stack(example);
    let mut found = check::check(&stack, native());
    let mut world = World::new(State::empty("s", None, String::new()));
    world.is_blind = true;
    let planned = rewrite::plan(&Request {
        types: native(),
        stack: &stack,
        world: &world,
        options: &Options::default(),
        read_file: &Disk::new(&stack.dir),
    });
    diagnostic::add(&mut found, planned.diagnostics);
    found
}

fn codes(found: &[Diagnostic]) -> BTreeSet<&str> {
    found.iter().filter_map(|one| one.code).collect()
}

#[test]
fn every_rule_is_told_in_full() {
    let mut seen = BTreeSet::new();
    for rule in rules() {
        let Rule {
            code,
            title,
            why,
            fix,
            ..
        } = rule;
        assert!(seen.insert(code), "duplicate code {code}");
        let is_code = code.len() == 6 && code.starts_with("SK");
        assert!(
            is_code && code[2..].bytes().all(|b| b.is_ascii_digit()),
            "{code}"
        );
        assert!(title.len() > 10 && !title.ends_with('.'), "{code}: {title}");
        assert!(why.len() > 20 && why.ends_with('.'), "{code}: {why}");
        assert!(fix.len() > 8 && !fix.ends_with('.'), "{code}: {fix}");
        assert!(
            rule.is_refused <= (rule.severity == Severity::Error),
            "{code}"
        );
    }
    assert!(seen.len() >= 60, "{} rules", seen.len());
}

#[test]
fn every_rule_has_an_example_that_breaks_it_and_one_that_does_not() {
    let mut wrong = Vec::new();
    for rule in rules() {
        let code = rule.code;
        let (bad, good) = (said(rule.bad), said(rule.good));
        let told = bad.iter().find(|one| one.code == Some(code));
        match told {
            None => wrong.push(format!(
                "{code}: the bad example does not break it: {bad:?}"
            )),
            // What AWS refuses of new resources alone is a warning until it is created.
            Some(one) if one.severity != rule.severity => {
                wrong.push(format!("{code}: it is {:?}", one.severity));
            }
            Some(one) if one.place.path().is_none() => {
                wrong.push(format!("{code}: it has no place"));
            }
            Some(_) => {}
        }
        if !good.is_empty() {
            wrong.push(format!("{code}: the good example breaks {good:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_finding_has_its_next_step() {
    // A schema's message stands for itself.
    let checked = rules()
        .iter()
        .filter(|rule| !matches!(rule.check, Check::Declared) && rule.code != "SK0701");
    for rule in checked {
        let found = said(rule.bad);
        let own = found.iter().find(|one| one.code == Some(rule.code));
        let help = own.and_then(|one| one.help.as_deref());
        assert!(help.is_some_and(|help| !help.is_empty()), "{}", rule.code);
    }
}

/// A property as it is before anything is applied: what has an expression in it is unknown.
fn data(value: &Value) -> Data {
    fn see(value: &Value, at: &Path, data: &mut Data) {
        match value {
            Value::String(text) if text.contains("${") && !text.contains("${aws:") => {
                data.set(at, Data::unknown(text.clone()));
            }
            Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    see(item, &at.join(index), data);
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    see(item, &at.join(key), data);
                }
            }
            _ => {}
        }
    }
    let mut data = Data::from(value.clone());
    see(value, &Path::root(), &mut data);
    data
}

/// The codes that the checks of this room find where each resource that has a CloudFormation type is
/// written in its names.
fn codes_of_twins(example: &str) -> (bool, BTreeSet<&'static str>) {
    let stack = stack(example);
    let mut has_twin = false;
    let written: Vec<(String, String, Value)> = stack
        .resources
        .iter()
        .map(|(name, block)| {
            let twin = to_cloudformation(&block.type_name, &block.properties);
            has_twin |= twin.is_some();
            match twin {
                Some((kind, props)) => (name.clone(), kind.to_owned(), props),
                None => (
                    name.clone(),
                    block.type_name.clone(),
                    block.properties.clone(),
                ),
            }
        })
        .collect();
    let known = |props: &Value| {
        let variables = stack.variables.iter();
        let text = variables.fold(props.to_string(), |text, (name, value)| {
            let value = value.value.as_str().unwrap();
            text.replace(&format!("${{var.{name}}}"), value)
        });
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let all: Vec<Data> = written
        .iter()
        .map(|(_, _, props)| data(&known(props)))
        .collect();
    let resources = written.iter().zip(&all).enumerate();
    let resources = resources.map(|(at, ((name, kind, written), props))| {
        Resource::new(at, name, kind, (props, written), true)
    });
    let peer_of = |at: usize, path: &Path| {
        let text = all[at].unknown_at(path)?;
        let inside = text.split_once("${")?.1;
        let name = inside.split(['.', '}']).next()?;
        written.iter().position(|(other, ..)| other == name)
    };
    let archive_has = |_: &str, _: &[String]| Some(false);
    let region = stack.aws.get("region").and_then(Value::as_str);
    let facts = Facts::new(
        &stack,
        resources.collect(),
        (0, region.map(str::to_owned)),
        &peer_of,
        &archive_has,
    );
    let found = findings(&facts);
    (has_twin, found.iter().map(|one| one.rule.code).collect())
}

#[test]
fn what_a_check_finds_it_finds_under_the_names_of_cloudformation() {
    // What a CloudFormation type has no need of, or says in another way.
    let others = ["SK0116", "SK0547"];
    let (mut wrong, mut counted) = (Vec::new(), 0);
    for rule in rules() {
        if matches!(rule.check, Check::Declared) || others.contains(&rule.code) {
            continue;
        }
        let (has_twin, bad) = codes_of_twins(rule.bad);
        counted += usize::from(has_twin);
        if has_twin && !bad.contains(rule.code) {
            wrong.push(format!("{}: not found, but {bad:?}", rule.code));
        }
        if codes_of_twins(rule.good).1.contains(rule.code) && rule.code != "SK0121" {
            wrong.push(format!("{}: found in the good example", rule.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counted > 40, "{counted}");
}

#[test]
fn the_switch_changes_what_is_told() {
    let example = "g: {type: \"aws:cloudwatch:LogGroup\", properties: {name: /app/orders}}";
    let level = |lint: &str| {
        let text = format!("name: s\nlint: {lint}\nresources:\n  {example}\n");
        let loaded = load(
            ("s.yaml".to_owned(), text.into_bytes()),
            None,
            ".".into(),
            &Given::default(),
        );
        let planned = rewrite::plan(&Request {
            types: native(),
            stack: &loaded.stack,
            world: &World::new(State::empty("s", None, String::new())),
            options: &Options::default(),
            read_file: &Disk::new(&loaded.stack.dir),
        });
        let found = planned.diagnostics.into_iter();
        let found: Vec<_> = found.map(|one| (one.code, one.severity)).collect();
        found
    };
    assert_eq!(level("{}"), [(Some("SK0704"), Severity::Warning)]);
    assert_eq!(
        level("{SK0704: error}"),
        [(Some("SK0704"), Severity::Error)]
    );
    assert_eq!(level("{SK0704: off}"), []);
}

#[test]
fn codes_of_the_source_are_in_the_table() {
    let known: BTreeSet<&str> = rules().iter().map(|rule| rule.code).collect();
    let mut declared = BTreeSet::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resource")];
    let pattern = regex::Regex::new(r#""(SK\d{4})""#).unwrap();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            declared.extend(pattern.captures_iter(&text).map(|one| one[1].to_owned()));
        }
    }
    let unknown: Vec<_> = declared
        .iter()
        .filter(|code| !known.contains(code.as_str()))
        .collect();
    assert_eq!(unknown, [""; 0]);
    let found = said("g: {type: \"aws:cloudwatch:LogGroup\", properties: {retentionInDays: 10}}");
    assert_eq!(codes(&found), BTreeSet::from(["SK0701"]));
}
