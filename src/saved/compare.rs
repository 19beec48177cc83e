//! What has moved since a plan was saved, by name.

use super::{KEYED, SavedPlan, SavedState, SavedVariable, short};
use crate::data::{Attributes, Data, Path};
use crate::engine::plan::{Change, Op, Plan, Step};
use crate::report::secrets::{SECRET, masked};
use crate::store::seal::{is_sealed, sealed_paths};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A difference from the time when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// What, as a clause: `the live value of queue.delaySeconds`.
    pub what: String,
    /// What it was, as people read it.
    pub was: String,
    /// What it is now.
    pub is: String,
}

impl Moved {
    fn new(what: impl Into<String>, was: impl Into<String>, is: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            was: was.into(),
            is: is.into(),
        }
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.was == self.is {
            // Both are secret, or alike as far as they are shown.
            return write!(f, "{} is another one", self.what);
        }
        write!(f, "{} was {} and is {}", self.what, self.was, self.is)
    }
}

/// The current values, as far as they need no call.
pub struct Now<'a> {
    /// The digests of the files.
    pub files: &'a BTreeMap<String, Option<String>>,
    /// The variables, sealed.
    pub variables: &'a BTreeMap<String, SavedVariable>,
    /// The state.
    pub state: &'a SavedState,
}

/// What moved, as far as it can be seen before any call. The files of the plan that were not read
/// so far are left to [`moved_plan`].
pub fn moved_before(saved: &SavedPlan, now: &Now<'_>) -> Vec<Moved> {
    let mut moved = state(&saved.state, now.state);
    moved.extend(moved_files(saved, now.files));
    let names: BTreeSet<&String> = saved.variables.keys().chain(now.variables.keys()).collect();
    for name in names {
        let (was, is) = (saved.variables.get(name), now.variables.get(name));
        let value = |variable: Option<&SavedVariable>| variable.map(|it| it.value.clone());
        let (was, is) = (value(was), value(is));
        if was != is {
            moved.push(Moved::new(
                format!("the variable {name}"),
                display(was.as_ref()),
                display(is.as_ref()),
            ));
        }
    }
    moved
}

fn state(was: &SavedState, is: &SavedState) -> Vec<Moved> {
    let mut moved = Vec::new();
    let described = |state: &SavedState| match state.existed {
        true => format!("present, with serial {}", state.serial),
        false => "missing".to_owned(),
    };
    if was.existed != is.existed {
        moved.push(Moved::new("the state", described(was), described(is)));
    } else if was.lineage != is.lineage {
        moved.push(Moved::new("the state's lineage", &was.lineage, &is.lineage));
    } else if was.serial != is.serial {
        let (was, is) = (was.serial.to_string(), is.serial.to_string());
        moved.push(Moved::new("the state's serial", was, is));
    }
    moved
}

/// The files that were read then and now, and differ.
pub fn moved_files(saved: &SavedPlan, now: &BTreeMap<String, Option<String>>) -> Vec<Moved> {
    files(saved, now, false)
}

/// The files whose content differs; with `all`, those too that only one of the two read.
fn files(saved: &SavedPlan, now: &BTreeMap<String, Option<String>>, all: bool) -> Vec<Moved> {
    let described = |digest: Option<&Option<String>>| match digest {
        Some(Some(digest)) => match digest.strip_prefix(KEYED) {
            Some(code) => format!("code {}", short(code)),
            None => format!("sha256 {}", short(digest)),
        },
        Some(None) => "missing".to_owned(),
        None => "not read".to_owned(),
    };
    let names: BTreeSet<&String> = saved.files.keys().chain(now.keys()).collect();
    names
        .into_iter()
        .map(|name| (name, saved.files.get(name), now.get(name)))
        .filter(|(_, was, is)| was != is && (all || (was.is_some() && is.is_some())))
        .map(|(name, was, is)| {
            let name = match name.strip_prefix(KEYED) {
                Some(code) => format!("a file whose name is secret (code {})", short(code)),
                None => format!("the file {name}"),
            };
            Moved::new(name, described(was), described(is))
        })
        .collect()
}

/// What moved, once everything was read again and the plan made again: `plan` is that plan, sealed,
/// and `data` what the local data sources returned.
pub fn moved_plan(
    saved: &SavedPlan,
    plan: &Plan,
    data: &BTreeMap<String, Value>,
    files_now: &BTreeMap<String, Option<String>>,
) -> Vec<Moved> {
    let mut moved = Vec::new();
    let was = &saved.plan;
    let place = [
        ("the account", &was.account, &plan.account),
        ("the region", &was.region, &plan.region),
    ];
    for (what, was, is) in place {
        if was != is {
            let described =
                |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
            moved.push(Moved::new(what, described(was), described(is)));
        }
    }
    if !moved.is_empty() {
        // Everything else follows from it.
        return moved;
    }
    moved.extend(files(saved, files_now, true));
    let names: BTreeSet<&String> = saved.data.keys().chain(data.keys()).collect();
    for name in names {
        let (was, is) = (saved.data.get(name), data.get(name));
        leaves(&Path::root(), was, is, &mut |path, was, is| {
            moved.push(row(&format!("data.{name}"), None, path, (was, is)));
        });
    }
    let plan = &stored(plan);
    changes(was, plan, &mut moved);
    outputs(was, plan, &mut moved);
    if moved.is_empty() && steps(was) != steps(plan) {
        moved.push(Moved::new("the steps of the plan", "those saved", "others"));
    }
    moved
}

/// The plan as it is after writing and reading: a float may lose its last bit.
fn stored(plan: &Plan) -> Plan {
    serde_json::to_string(plan)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_else(|| plan.clone())
}

fn steps(plan: &Plan) -> Vec<Step> {
    let mut steps = plan.steps.clone();
    for step in &mut steps {
        if let Op::Update { live, .. } = &mut step.op {
            *live = Attributes::default();
        }
    }
    steps
}

fn changes(was: &Plan, is: &Plan, moved: &mut Vec<Moved>) {
    let (old, new) = (was.by_address(), is.by_address());
    let addresses: BTreeSet<&&str> = old.keys().chain(new.keys()).collect();
    for address in addresses {
        match (old.get(address).copied(), new.get(address).copied()) {
            (Some(old), Some(new)) => change(old, new, moved),
            (old, new) => moved.push(Moved::new(
                format!("what is to be done with {address}"),
                todo(old),
                todo(new),
            )),
        }
    }
}

fn todo(change: Option<&Change>) -> String {
    match change {
        None => "nothing".to_owned(),
        Some(change) if change.is_nothing() => "nothing".to_owned(),
        Some(change) if change.reason.is_empty() => change.words().join(", then "),
        Some(change) => format!("{} ({})", change.words().join(", then "), change.reason),
    }
}

fn change(old: &Change, new: &Change, moved: &mut Vec<Moved>) {
    // Nothing was decided on a resource that needs nothing and still needs nothing.
    let decided = |change: &Change| Change {
        holds: None,
        ..change.clone()
    };
    if decided(old) == decided(new) || (old.is_nothing() && new.is_nothing() && old.id == new.id) {
        return;
    }
    let address = &new.address;
    let before = moved.len();
    let presence = |change: &Change| match &change.id {
        Some(id) => format!("present as {id}"),
        None => "missing".to_owned(),
    };
    if old.id != new.id {
        moved.push(Moved::new(address.clone(), presence(old), presence(new)));
    } else {
        compare(
            (address, "the live value"),
            (old.before.as_ref(), new.before.as_ref()),
            moved,
        );
    }
    compare(
        (address, "what the file wants"),
        (old.after.as_ref(), new.after.as_ref()),
        moved,
    );
    if moved.len() == before {
        let what = format!("what is to be done with {address}");
        moved.push(Moved::new(what, todo(Some(old)), todo(Some(new))));
    }
}

fn compare(
    (address, what): (&str, &str),
    (old, new): (Option<&Data>, Option<&Data>),
    moved: &mut Vec<Moved>,
) {
    let (old, new) = (old.map(with_expressions), new.map(with_expressions));
    leaves(
        &Path::root(),
        old.as_ref(),
        new.as_ref(),
        &mut |path, was, is| moved.push(row(address, Some(what), path, (was, is))),
    );
}

/// A value with the expressions of its unknown parts in their place. One that holds a secret was
/// sealed, and is written as a string in the plan.
fn with_expressions(data: &Data) -> Value {
    let mut value = data.value.clone();
    for (path, expression) in &data.unknown {
        let sealed = serde_json::from_str(expression).ok().filter(is_sealed);
        let shown = sealed.unwrap_or_else(|| Value::from(expression.as_str()));
        path.set(&mut value, shown);
    }
    value
}

fn outputs(was: &Plan, is: &Plan, moved: &mut Vec<Moved>) {
    let names: BTreeSet<&String> = was.outputs.keys().chain(is.outputs.keys()).collect();
    for name in names {
        let (was, is) = (was.outputs.get(name), is.outputs.get(name));
        if was != is {
            let value = |output: Option<&crate::engine::plan::OutputChange>| {
                output.and_then(|output| output.after.as_ref().map(with_expressions))
            };
            let (was, is) = (value(was), value(is));
            moved.push(Moved::new(
                format!("the output {name}"),
                display(was.as_ref()),
                display(is.as_ref()),
            ));
        }
    }
}

/// Takes a path, the old value, and the new value.
type Report<'a> = dyn FnMut(&Path, Option<&Value>, Option<&Value>) + 'a;

/// Reports the innermost places at which two values differ.
fn leaves(path: &Path, was: Option<&Value>, is: Option<&Value>, report: &mut Report<'_>) {
    if was == is {
        return;
    }
    match (was, is) {
        (Some(Value::Object(old)), Some(Value::Object(new)))
            if !was.is_some_and(is_sealed) && !is.is_some_and(is_sealed) =>
        {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                leaves(&path.join(key), old.get(key), new.get(key), report);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                leaves(&path.join(index), Some(old), Some(new), report);
            }
        }
        _ => report(path, was, is),
    }
}

fn row(
    address: &str,
    what: Option<&str>,
    path: &Path,
    values: (Option<&Value>, Option<&Value>),
) -> Moved {
    let at = match path.to_string() {
        text if text.is_empty() => address.to_owned(),
        text if text.starts_with('[') => format!("{address}{text}"),
        text => format!("{address}.{text}"),
    };
    let what = match what {
        None => at,
        Some(what) => format!("{what} of {at}"),
    };
    Moved::new(what, display(values.0), display(values.1))
}

/// A value on one line, without its secrets.
fn display(value: Option<&Value>) -> String {
    const LONGEST: usize = 80;
    let Some(value) = value else {
        return "not set".to_owned();
    };
    let text = masked(value, &sealed_paths(value), &SECRET.into())
        .to_string()
        .replace("\"(secret)\"", "(secret)");
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved::Command;
    use crate::store::key::{Given, StateKey};
    use crate::store::seal::Seal;
    use crate::store::state::State;
    use serde_json::json;

    fn saved() -> SavedPlan {
        SavedPlan {
            stackctl: String::new(),
            summary: Plan::default().summary(),
            command: Command::default(),
            files: BTreeMap::new(),
            variables: BTreeMap::new(),
            seed: 1,
            unix_time: 2,
            state: SavedState {
                existed: true,
                lineage: "l".to_owned(),
                serial: 3,
            },
            data: BTreeMap::from([("zip".to_owned(), json!({"hash": "a", "n": 1}))]),
            plan: Plan {
                account: Some("1".to_owned()),
                region: Some("eu-west-1".to_owned()),
                ..Plan::default()
            },
            key: None,
            mark: Default::default(),
        }
    }

    fn messages(moved: &[Moved]) -> Vec<String> {
        moved.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_account_the_region_and_the_lineage() {
        let saved = saved();
        let none = BTreeMap::new();
        let elsewhere = Plan {
            account: Some("2".to_owned()),
            region: None,
            ..Plan::default()
        };
        let moved = moved_plan(&saved, &elsewhere, &BTreeMap::new(), &none);
        assert_eq!(
            messages(&moved),
            [
                "the account was 1 and is 2",
                "the region was eu-west-1 and is none"
            ]
        );
        let state = SavedState {
            lineage: "m".to_owned(),
            ..saved.state.clone()
        };
        let now = Now {
            files: &none,
            variables: &BTreeMap::new(),
            state: &state,
        };
        let moved = moved_before(&saved, &now);
        assert_eq!(messages(&moved), ["the state's lineage was l and is m"]);
    }

    #[test]
    fn the_content_of_an_archive_and_a_file_that_was_not_read_before() {
        let saved = saved();
        let data = BTreeMap::from([("zip".to_owned(), json!({"hash": "b", "n": 1}))]);
        let files = BTreeMap::from([("a.txt".to_owned(), None)]);
        let moved = moved_plan(&saved, &saved.plan, &data, &files);
        assert_eq!(
            messages(&moved),
            [
                "the file a.txt was not read and is missing",
                "data.zip.hash was \"a\" and is \"b\""
            ]
        );
        assert_eq!(
            moved_plan(&saved, &saved.plan, &saved.data, &BTreeMap::new()),
            []
        );
    }

    #[test]
    fn a_secret_is_not_revealed() {
        let given = Given::passphrase("p".to_owned());
        let key = StateKey::unlock(given, &State::empty("s", None, "l".to_owned())).unwrap();
        let seal = Seal::new(key);
        let (was, is) = (seal.seal(&json!("x")), seal.seal(&json!("y")));
        let row = row(
            "db",
            None,
            &Path::root().join("key"),
            (Some(&was), Some(&is)),
        );
        assert_eq!(row.to_string(), "db.key is another one");
        let listed = json!([{"key": was}]);
        assert_eq!(display(Some(&listed)), "[{\"key\":(secret)}]");
    }

    #[test]
    fn a_row_names_its_place() {
        let what = |path: Path| row("a", Some("the live value"), &path, (None, None)).what;
        let root = Path::root();
        assert_eq!(what(root.clone()), "the live value of a");
        let key = root.join("a b").join("c");
        assert_eq!(what(key), "the live value of a[\"a b\"].c");
        assert_eq!(what(root.join("b").join(0)), "the live value of a.b[0]");
    }
}
