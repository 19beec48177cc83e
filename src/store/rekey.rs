//! Another key for the secrets of a state: each is opened with the old key and sealed with
//! the new one, or without a key replaced by its hash.

use super::journal::Intent;
use super::key::StateKey;
use super::seal::{Seal, is_kept};
use super::state::{Resealed, ResourceState, State, StateChange};
use serde_json::Value;

/// The change that gives the state's secrets another key. What was not kept stays so.
///
/// # Errors
/// A clause that names what the old key does not open, or why the new one cannot be kept.
pub fn rekey(state: &State, old: &StateKey, new: &StateKey) -> Result<StateChange, String> {
    let work = Work {
        old: Seal::new(&state.lineage, old.clone()),
        new: Seal::new(&state.lineage, new.clone()),
    };
    let mut resealed = Resealed {
        encryption: new.encryption()?,
        resources: state.resources.clone(),
        deposed: state.deposed.clone(),
        outputs: state.outputs.clone(),
        pending: state.pending.clone(),
    };
    for (address, known) in &mut resealed.resources {
        work.resource(known).map_err(|()| lost(address))?;
    }
    for (address, generations) in &mut resealed.deposed {
        for known in generations.values_mut() {
            work.resource(known).map_err(|()| lost(address))?;
        }
    }
    for (name, output) in &mut resealed.outputs {
        work.value(&mut output.value)
            .map_err(|()| lost(&format!("the output {name}")))?;
    }
    for intent in &mut resealed.pending {
        work.intent(intent).map_err(|()| lost(&intent.address))?;
    }
    Ok(StateChange::Reseal(Box::new(resealed)))
}

fn lost(what: &str) -> String {
    format!("a secret of {what} cannot be opened with the key; it is damaged")
}

struct Work {
    old: Seal,
    new: Seal,
}

impl Work {
    fn resource(&self, known: &mut ResourceState) -> Result<(), ()> {
        self.value(&mut known.inputs)?;
        self.value(&mut known.outputs)?;
        // A mark of the old key tells nothing any more. Without one, an expression counts as
        // unchanged until it is applied again.
        known.origins.retain(|_, mark| !Seal::is_keyed(mark));
        Ok(())
    }

    fn intent(&self, intent: &mut Intent) -> Result<(), ()> {
        self.value(&mut intent.inputs)?;
        match &mut intent.resource {
            Some(resource) => self.resource(resource),
            None => Ok(()),
        }
    }

    fn value(&self, value: &mut Value) -> Result<(), ()> {
        match value {
            kept if is_kept(kept) => {
                let opened = self.old.open(kept).ok_or(())?;
                *kept = self.new.seal(&opened);
                Ok(())
            }
            Value::Object(map) => map.values_mut().try_for_each(|value| self.value(value)),
            Value::Array(list) => list.iter_mut().try_for_each(|value| self.value(value)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::key::{Given, KeyError};
    use crate::store::state::OutputState;
    use serde_json::json;
    use std::collections::{BTreeMap, BTreeSet};

    fn given(text: Option<&str>) -> Given {
        text.map_or_else(Given::default, |text| Given::passphrase(text.into()))
    }

    /// A state with a secret in each of its places, sealed with this passphrase or none.
    fn state(passphrase: Option<&str>) -> State {
        let mut state = State::empty("s", None, "l".into());
        let key = StateKey::unlock(given(passphrase), &state).expect("a key");
        let seal = Seal::new("l", key);
        let sealed = || seal.seal(&json!("hunter2"));
        let resource = ResourceState {
            inputs: json!({"list": [{"deep": sealed()}]}),
            outputs: json!({"result": sealed()}),
            origins: BTreeMap::from([(crate::data::Path::pointer("/list"), seal.mark("x"))]),
            sensitive: BTreeSet::new(),
            ..ResourceState::default()
        };
        state.resources.insert("r".into(), resource.clone());
        let generations = BTreeMap::from([("k".to_owned(), resource.clone())]);
        state.deposed.insert("r".into(), generations);
        let output = OutputState {
            value: sealed(),
            sensitive: true,
            description: None,
        };
        state.outputs.insert("o".into(), output);
        state.pending.push(Intent {
            step: 1,
            op: "create".into(),
            address: "p".into(),
            type_name: "t".into(),
            inputs: json!({ "a": sealed() }),
            decided: serde_json::Map::new(),
            operation: String::new(),
            unfinished: Default::default(),
            resource: Some(Box::new(resource)),
        });
        if let Some(change) = seal.key_change(&state).expect("a key") {
            state.change(change);
        }
        state
    }

    fn ages(state: &State) -> usize {
        let text = serde_json::to_string(state).expect("is JSON");
        assert!(!text.contains("hunter2"));
        text.matches("\"$age\"").count()
    }

    #[test]
    fn every_secret_gets_the_new_key() {
        let mut state = state(Some("one"));
        assert_eq!(ages(&state), 8);
        let old = StateKey::unlock(given(Some("one")), &state).expect("opens");
        let new = StateKey::renew(given(Some("two")), &state).expect("a key");
        let before = state.clone();
        state.change(rekey(&state, &old, &new).expect("is sealed anew"));
        assert_eq!(ages(&state), 8);
        assert_ne!(state.encryption, before.encryption);
        let wrong = StateKey::unlock(given(Some("one")), &state).err();
        assert_eq!(wrong, Some(KeyError::WrongPassphrase));
        let seal = |passphrase| {
            let key = StateKey::unlock(given(Some(passphrase)), &state).expect("opens");
            Seal::new("l", key)
        };
        let opened = seal("two").opened(&state.outputs["o"].value).into_owned();
        assert_eq!(opened, "hunter2");
        assert_eq!(seal("two").open(&before.outputs["o"].value), None);
        assert!(state.resources["r"].origins.is_empty());
    }

    #[test]
    fn encryption_can_be_turned_off_and_on() {
        let mut state = state(Some("one"));
        let old = StateKey::unlock(given(Some("one")), &state).expect("opens");
        state.change(rekey(&state, &old, &StateKey::default()).expect("is sealed anew"));
        assert_eq!((ages(&state), &state.encryption), (0, &None));
        let plain = Seal::new("l", StateKey::default());
        assert!(plain.is_seal_of(&state.outputs["o"].value, &json!("hunter2")));
        let new = StateKey::renew(given(Some("two")), &state).expect("a key");
        state.change(rekey(&state, &StateKey::default(), &new).expect("is named"));
        assert!(state.encryption.is_some() && ages(&state) == 0);
    }

    #[test]
    fn a_damaged_secret_is_told() {
        let mut state = state(Some("one"));
        let old = StateKey::unlock(given(Some("one")), &state).expect("opens");
        let output = state.outputs.get_mut("o").expect("an output");
        output.value["$age"] = json!("AAAA");
        let told = rekey(&state, &old, &StateKey::default()).err();
        assert!(told.is_some_and(|told| told.contains("the output o")));
    }
}
