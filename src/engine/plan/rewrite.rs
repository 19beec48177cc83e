//! How a plan is computed: in rounds, in one loop, until no round requires another one. Changes of
//! the state come first: resources get another address (`movedFrom`), resources that exist are
//! imported (`import`). The plan is computed against the resulting state, so that updates,
//! replacements and changes of dependents follow by themselves.
//!
//! The steps `move` and `import` do the same to the state, through `State::change`, before all
//! steps of that address.

use super::planned::{Planned, Request};
use super::rewrites::{Move, Rewrites};
use super::rounds::{Again, Rounds};
use super::{graph, instance, planner, steps};
use crate::engine::world::{Observed, World};
use crate::store::state::StateChange;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Computes the plan.
pub fn plan(request: &Request<'_>) -> Planned {
    let uses = graph::uses(request.stack, request.types);
    let mut rounds = Rounds::default();
    let (mut rewrites, mut forced) = (Rewrites::default(), BTreeMap::new());
    let mut world = Cow::Borrowed(request.world);
    loop {
        let now = Request {
            world: &world,
            ..*request
        };
        let mut planned = planner::round(&now, &uses, &rewrites, &forced);
        if !planned.forced.is_empty() && rounds.again(Again::Along) {
            forced.append(&mut planned.forced);
            continue;
        }
        let next = rewrites.with(&mut planned);
        if next != rewrites && rounds.again(Again::Moves) {
            (rewrites, forced) = (next, BTreeMap::new());
            world = Cow::Owned(rewrites.applied(request.world));
            continue;
        }
        planned.uses = uses;
        order(&mut planned, &now, &rewrites, &mut rounds);
        planner::rows(&mut planned, request.types);
        planned.diagnostics.extend(rounds.fault());
        planned.rounds = rounds;
        return planned;
    }
}

/// Builds the steps. Deletions that would wait in a circle come first.
fn order(planned: &mut Planned, request: &Request<'_>, rewrites: &Rewrites, rounds: &mut Rounds) {
    let mut first = BTreeSet::new();
    loop {
        let state = &request.world.state;
        instance::decide_replacements(&mut planned.instances, state, &first);
        let stuck = steps::build(planned, request, rewrites, &first);
        if stuck.is_empty() || !rounds.again(Again::Order) {
            return;
        }
        first.extend(stuck);
    }
}

impl Rewrites {
    /// These rewrites, and those that a plan computed with them found. Whether something is
    /// imported at an address that a resource moves to is for the next plan to find.
    fn with(&self, planned: &mut Planned) -> Self {
        let new = std::mem::take(&mut planned.rewrites.moves);
        let mut imported = std::mem::take(&mut planned.rewrites.imported);
        imported.retain(|address, _| !new.iter().any(|moved| moved.to == *address));
        let moves = self.moves.iter().cloned().chain(new).collect();
        Self { moves, imported }
    }

    /// The world once they are done.
    fn applied(&self, world: &World) -> World {
        let mut world = world.clone();
        for Move { from, to, .. } in &self.moves {
            world.state.change(StateChange::Move {
                from: from.clone(),
                to: to.clone(),
            });
            if let Some(seen) = world.contents.remove(from) {
                world.contents.insert(to.clone(), seen);
            }
            if let Some(seen) = world.live.remove(from) {
                world.live.insert(to.clone(), seen);
            }
        }
        for (address, imported) in &self.imported {
            let resource = Box::new(imported.resource.clone());
            world.state.change(StateChange::Put {
                address: address.clone(),
                resource,
            });
            let seen = Observed::Present(imported.live.clone());
            world.live.insert(address.clone(), seen);
        }
        world
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Attributes;
    use crate::engine::plan::planned::Options;
    use crate::lang::load::{Given, load};
    use crate::resource::table::native;
    use serde_json::{Map, Value, json};

    fn planned(resources: Value, state: Value, imports: &Value) -> Planned {
        let text = json!({"name": "s", "resources": resources}).to_string();
        let file = ("s.yaml".to_owned(), text.into_bytes());
        let loaded = load(file, None, ".".into(), &Given::default());
        assert_eq!(loaded.diagnostics, []);
        let world = json!({
            "seed": 1, "unix_time": 1, "identity": null, "region": "us-west-2", "live": {},
            "files": {}, "data": {}, "contents": {}, "imports": imports,
            "state": {"version": 1, "serial": 1, "lineage": "l", "stack": "s", "resources": state},
        });
        plan(&Request {
            stack: &loaded.stack,
            types: native(),
            world: &serde_json::from_value(world).unwrap(),
            options: &Options::default(),
            read_file: &|_: &str| Err("no file".to_owned()),
        })
    }

    fn queue(name: &str, more: Value) -> (Value, Value) {
        let inputs = Attributes::new(json!({"name": name})).with(&more);
        let outputs = json!({"id": name, "url": name, "arn": name, "name": name});
        (
            json!({"type": "aws:sqs:Queue", "properties": inputs}),
            json!({"type": "aws:sqs:Queue", "id": name, "inputs": inputs, "outputs": outputs}),
        )
    }

    fn counts(planned: &Planned) -> [usize; 3] {
        [Again::Moves, Again::Along, Again::Order].map(|why| planned.rounds.of(why))
    }

    #[test]
    fn each_reason_for_another_round_is_counted() {
        let (main, known) = queue("main", json!({}));
        let made = planned(json!({"main": main}), json!({"main": known}), &json!({}));
        assert_eq!(counts(&made), [0, 0, 0]);

        let mut new = main.clone();
        new["options"] = json!({"movedFrom": "old"});
        let made = planned(json!({"new": new}), json!({"old": known}), &json!({}));
        assert_eq!(counts(&made), [1, 0, 0]);

        // The user turns to the new block, which waits for the old one's deletion.
        let (user, _) = queue("user", json!({"tags": {"of": "${new.url}"}}));
        let (_, mut used) = queue("user", json!({"tags": {"of": "main"}}));
        used["dependencies"] = json!(["old"]);
        let state = json!({"old": known, "user": used});
        let made = planned(json!({"new": main, "user": user}), state, &json!({}));
        assert_eq!(counts(&made), [0, 0, 1]);

        // What stops the deletion of a role is replaced along with it.
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]});
        let role = |path: &str| json!({"name": "r", "path": path, "assumeRolePolicy": trust});
        let policy = json!({"role": "r", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"});
        let known = |name: &str, id: &str, inputs: &Value| {
            let outputs = Attributes::new(inputs.clone()).with(&json!({"id": id}));
            json!({"type": name, "id": id, "inputs": inputs, "outputs": outputs})
        };
        let (of, at) = ("aws:iam:Role", "aws:iam:RolePolicyAttachment");
        let state = json!({"role": known(of, "r", &role("/a/")), "att": known(at, "r/p", &policy)});
        let file = json!({
            "role": {"type": of, "properties": role("/b/")},
            "att": {"type": at, "properties": policy},
        });
        assert_eq!(counts(&planned(file, state, &json!({}))), [0, 1, 0]);
    }

    #[test]
    fn imports_that_depend_on_each_other_have_an_end() {
        let chain = |length: usize| {
            let (mut file, mut imports) = (Map::new(), Map::new());
            for number in 0..length {
                let id = match number {
                    0 => "abcd".to_owned(),
                    _ => format!("${{r{}.result}}", number - 1),
                };
                let name = format!("r{number}");
                let inputs = json!({"length": 4, "upper": false});
                let block = json!({
                    "type": "random:RandomString", "properties": inputs, "options": {"import": id},
                });
                file.insert(name.clone(), block);
                let found = Attributes::new(inputs).with(&json!({"id": "abcd", "result": "abcd"}));
                imports.insert(name, json!({"id": "abcd", "found": found}));
            }
            planned(file.into(), json!({}), &imports.into())
        };
        let made = chain(16);
        assert_eq!((made.diagnostics.len(), counts(&made)), (0, [16, 0, 0]));
        let made = chain(18);
        let told: Vec<&str> = made
            .diagnostics
            .iter()
            .map(|one| one.message.as_str())
            .collect();
        assert_eq!(
            told,
            [
                "more is moved or imported than one plan can follow: each of 16 depends on the one before"
            ]
        );
    }
}
