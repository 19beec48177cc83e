//! No secret comes out, whatever the plan.

use crate::data::{Data, Path};
use crate::engine::plan::{Action, Change, ChangedBy, Difference, OutputChange, Plan};
use crate::report::fixtures::{change, plan as plan_of};
use crate::report::secrets::Secrets;
use crate::report::text::Style;
use crate::report::{json, text};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Part of every secret and of nothing else.
const MARK: &str = "hunter2";

/// A value whose parts may be secret.
#[derive(Debug, Clone)]
enum Tree {
    Plain(Value),
    Secret(Value),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let secret = prop_oneof![
        "[a-z\n\"]{0,3}".prop_map(|text| json!(format!("{text}{MARK}{text}"))),
        "[a-z]{0,3}".prop_map(|key| json!({key: [MARK, {"k": MARK}]})),
        Just(json!(format!("a\n{MARK}\nb"))),
        Just(json!({MARK: 1}).to_string().into()),
    ];
    let plain = prop_oneof![
        "[a-z\n]{0,6}".prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let leaf = prop_oneof![plain.prop_map(Tree::Plain), secret.prop_map(Tree::Secret)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Tree::List),
            btree_map("([a-z]{1,3}|[0-9]|a/b)", inner, 0..4)
                .prop_map(|map| Tree::Map(map.into_iter().collect())),
        ]
    })
}

/// Properties: an object of trees.
fn properties() -> impl Strategy<Value = Tree> {
    btree_map("[a-d]", tree(), 1..4).prop_map(|map| Tree::Map(map.into_iter().collect()))
}

impl Tree {
    /// The value; `plain` maps the parts that are not secret.
    fn value(&self, plain: &dyn Fn(&Value) -> Value) -> Value {
        match self {
            Self::Plain(value) => plain(value),
            Self::Secret(value) => value.clone(),
            Self::List(list) => list.iter().map(|tree| tree.value(plain)).collect(),
            Self::Map(map) => map
                .iter()
                .map(|(key, tree)| (key.clone(), tree.value(plain)))
                .collect(),
        }
    }

    fn secrets(&self, at: &Path, found: &mut BTreeSet<Path>) {
        match self {
            Self::Plain(_) => {}
            Self::Secret(_) => {
                found.insert(at.clone());
            }
            Self::List(list) => list
                .iter()
                .enumerate()
                .for_each(|(index, tree)| tree.secrets(&at.join(index), found)),
            Self::Map(map) => map
                .iter()
                .for_each(|(key, tree)| tree.secrets(&at.join(key), found)),
        }
    }

    fn data(&self) -> Data {
        let mut data = Data::from(self.value(&Value::clone));
        self.secrets(&Path::root(), &mut data.secret);
        data
    }
}

fn changed(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(format!("{text}x")),
        other => json!([other]),
    }
}

/// One difference for each property: the secrets are marked by `desired`, or only by `after`.
fn update(tree: &Tree, by: ChangedBy, told: bool) -> Change {
    let after = tree.data();
    let live = tree.value(&changed);
    let applied = tree.value(&|value| changed(&changed(value)));
    let mut update = change("updated", "x:y:Z", Action::Update);
    for name in live.as_object().into_iter().flat_map(|map| map.keys()) {
        let path = Path::root().join(name);
        let desired = after.get(&path);
        update.differences.push(Difference {
            applied: path.get(&applied).cloned(),
            live: path.get(&live).cloned(),
            desired: desired.filter(|_| told),
            by,
            replaces: false,
            secret: after.is_secret(&path),
            content: None,
            path,
        });
    }
    update.before = Some(live.into());
    update.after = Some(after);
    update
}

/// Differences that alone know what is secret: the change has no other values.
fn bare(tree: &Tree) -> Change {
    let Tree::Map(map) = tree else {
        return update(tree, ChangedBy::File, true);
    };
    let whole = |tree: &Tree| match tree {
        Tree::Secret(_) => true,
        other => other.data().secret.is_empty(),
    };
    let kept = map
        .iter()
        .filter(|(_, tree)| whole(tree))
        .cloned()
        .collect();
    Change {
        before: None,
        after: None,
        ..update(&Tree::Map(kept), ChangedBy::Both, false)
    }
}

fn plan_with(tree: &Tree) -> Plan {
    let mut created = change("created", "x:y:Z", Action::Create);
    created.after = Some(tree.data());
    let mut deleted = change("deleted", "x:y:Z", Action::Delete);
    deleted.before = Some(tree.data());
    let mut drawn = change("drawn", "random:RandomString", Action::Create);
    drawn.after = Some(tree.data());
    let mut plan = plan_of(vec![
        created,
        deleted,
        drawn,
        update(tree, ChangedBy::File, true),
        update(tree, ChangedBy::Both, true),
        update(tree, ChangedBy::Outside, false),
        bare(tree),
    ]);
    let output = OutputChange {
        before: Some(tree.value(&changed)),
        after: Some(tree.data()),
        sensitive: false,
    };
    let sensitive = OutputChange {
        before: None,
        after: Some(json!(MARK).into()),
        sensitive: true,
    };
    plan.outputs = [("o".to_owned(), output), ("s".to_owned(), sensitive)].into();
    plan
}

proptest! {
    #[test]
    fn no_secret_is_shown(tree in properties()) {
        let plan = plan_with(&tree);
        let shown = text::plan(&plan, &Style::default());
        prop_assert!(!shown.contains(MARK), "{shown}");
        let shown = json::plan(&plan, false).to_string();
        prop_assert!(!shown.contains(MARK), "{shown}");
        let secrets = Secrets::of(&plan);
        let message = format!("refused: {MARK}, {}", json!({"sent": MARK}));
        prop_assert!(!secrets.hide(&message).contains(MARK));
    }

    #[test]
    fn with_the_flag_all_is_shown(tree in properties()) {
        let plan = plan_with(&tree);
        let style = Style { show_secrets: true, ..Style::default() };
        let shown = text::plan(&plan, &style);
        prop_assert!(!shown.contains("(secret"), "{shown}");
        let after = json::plan(&plan, true)["changes"][0]["after"].clone();
        prop_assert_eq!(&after, &tree.value(&Value::clone));
    }
}
