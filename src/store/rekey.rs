//! Another key for the secrets of a state: each is opened with the old key and sealed with the
//! new one.
//!
//! A state of an older version is upgraded when it is saved ([`upgrade`]). Until then the old key
//! serves, in the run's journal too, so that a crash leaves old state and old journal together.

use super::intent::Intent;
use super::key::StateKey;
use super::resource_state::ResourceState;
use super::seal::Seal;
use super::sealed::{is_kept, is_sealed, unknown};
use super::state::{Resealed, State, StateChange};
use serde_json::Value;

/// The change that gives the state's secrets another key. What was not kept stays so.
///
/// # Errors
/// A clause that names what the old key does not open, or why the new one cannot be kept.
pub fn rekey(state: &State, old: &StateKey, new: &StateKey) -> Result<StateChange, String> {
    let (old, seal) = (Seal::new(old.clone()), Seal::new(new.clone()));
    let mut reseal = |value: &mut Value| {
        let opened = old.open(value).ok_or(())?;
        *value = seal.seal(&opened);
        Ok(())
    };
    let mut resealed = Resealed {
        encryption: new.encryption()?,
        resources: state.resources.clone(),
        deposed: state.deposed.clone(),
        outputs: state.outputs.clone(),
        pending: state.pending.clone(),
    };
    resealed.each_kept(&mut reseal)?;
    Ok(StateChange::Reseal(Box::new(resealed)))
}

/// Brings a state that is about to be saved up to what this version keeps: values that are
/// encrypted to the identity of a key file get the state's own, and of a secret of which an older
/// version kept a hash, which can be tried, the hash goes.
///
/// # Errors
/// A clause that names what cannot be opened.
pub fn upgrade(state: &mut State, key: &StateKey) -> Result<(), String> {
    if key.is_direct()
        && state.encryption.is_some()
        && let Some(own) = key.own()
    {
        let change = rekey(state, key, &own)?;
        state.change(change);
        key.replace(&own);
    }
    let deposed = state.deposed.values_mut().flat_map(|all| all.values_mut());
    for known in state.resources.values_mut().chain(deposed) {
        forget_hashes(&mut known.inputs);
        forget_hashes(&mut known.outputs);
    }
    for output in state.outputs.values_mut() {
        forget_hashes(&mut output.value);
    }
    for intent in &mut state.pending {
        forget_hashes(&mut intent.inputs);
        if let Some(known) = &mut intent.resource {
            forget_hashes(&mut known.inputs);
            forget_hashes(&mut known.outputs);
        }
    }
    Ok(())
}

/// The change that gives up every secret, and the key: what the key opened is not known any more.
pub fn forget(state: &State) -> StateChange {
    let mut resealed = Resealed {
        encryption: None,
        resources: state.resources.clone(),
        deposed: state.deposed.clone(),
        outputs: state.outputs.clone(),
        pending: state.pending.clone(),
    };
    let forgotten = resealed.each_kept(&mut |value| {
        *value = unknown();
        Ok(())
    });
    assert!(forgotten.is_ok(), "nothing is opened");
    StateChange::Reseal(Box::new(resealed))
}

fn forget_hashes(value: &mut Value) {
    match value {
        kept if is_kept(kept) => {}
        hash if is_sealed(hash) => *hash = unknown(),
        Value::Object(map) => map.values_mut().for_each(forget_hashes),
        Value::Array(list) => list.iter_mut().for_each(forget_hashes),
        _ => {}
    }
}

fn lost(what: &str) -> String {
    format!("a secret of {what} cannot be opened with the key; it is damaged")
}

type Each<'a> = &'a mut dyn FnMut(&mut Value) -> Result<(), ()>;

impl Resealed {
    /// Calls `each` with every sealed value that is kept.
    fn each_kept(&mut self, each: Each<'_>) -> Result<(), String> {
        for (address, known) in &mut self.resources {
            of_resource(known, each).map_err(|()| lost(address))?;
        }
        for (address, generations) in &mut self.deposed {
            for known in generations.values_mut() {
                of_resource(known, each).map_err(|()| lost(address))?;
            }
        }
        for (name, output) in &mut self.outputs {
            of_value(&mut output.value, each).map_err(|()| lost(&format!("the output {name}")))?;
        }
        for intent in &mut self.pending {
            of_intent(intent, each).map_err(|()| lost(&intent.address))?;
        }
        Ok(())
    }
}

fn of_resource(known: &mut ResourceState, each: Each<'_>) -> Result<(), ()> {
    of_value(&mut known.inputs, each)?;
    of_value(&mut known.outputs, each)?;
    let mut files = known.sealed_files.values_mut();
    files.try_for_each(|file| of_value(file, each))
}

fn of_intent(intent: &mut Intent, each: Each<'_>) -> Result<(), ()> {
    of_value(&mut intent.inputs, each)?;
    let mut decided = intent.decided.values_mut();
    decided.try_for_each(|value| of_value(value, each))?;
    match &mut intent.resource {
        Some(resource) => of_resource(resource, each),
        None => Ok(()),
    }
}

fn of_value(value: &mut Value, each: Each<'_>) -> Result<(), ()> {
    match value {
        kept if is_kept(kept) => each(kept),
        Value::Object(map) => map.values_mut().try_for_each(|value| of_value(value, each)),
        Value::Array(list) => list.iter_mut().try_for_each(|value| of_value(value, each)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Attributes, Inputs};
    use crate::store::key::{Given, KeyError};
    use crate::store::state::{Encryption, OutputState};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn given(text: &str) -> Given {
        Given::passphrase(text.into())
    }

    /// A state with a secret in each of its places, sealed with what was given.
    fn state(given: Given) -> State {
        let mut state = State::empty("s", None, "l".into());
        let key = StateKey::unlock(given, &state).expect("a key");
        let seal = Seal::new(key);
        let sealed = || seal.seal(&json!("hunter2"));
        let resource = ResourceState {
            inputs: Inputs::new(json!({"list": [{"deep": sealed()}], "old": {"$sealed": "abcd"}})),
            outputs: Attributes::new(json!({"result": sealed()})),
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
            inputs: Inputs::new(json!({ "a": sealed() })),
            decided: serde_json::Map::new(),
            operation: String::new(),
            request: None,
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
        let mut state = state(given("one"));
        assert_eq!(ages(&state), 8);
        let old = StateKey::unlock(given("one"), &state).expect("opens");
        let new = StateKey::renew(given("two"), &state);
        let before = state.clone();
        state.change(rekey(&state, &old, &new).expect("is sealed again"));
        assert_eq!(ages(&state), 8);
        assert_ne!(state.encryption, before.encryption);
        let wrong = StateKey::unlock(given("one"), &state).err();
        assert_eq!(wrong, Some(KeyError::WrongPassphrase));
        let key = StateKey::unlock(given("two"), &state).expect("opens");
        let seal = Seal::new(key);
        assert_eq!(
            seal.opened(&state.outputs["o"].value).into_owned(),
            "hunter2"
        );
        assert_eq!(seal.open(&before.outputs["o"].value), None);
    }

    #[test]
    fn a_state_that_is_encrypted_to_a_key_file_gets_a_key_of_its_own() {
        let identity = age::x25519::Identity::generate();
        let name = identity.to_public().to_string();
        let given = || Given {
            identities: vec![identity.clone()],
            made_in: "here".to_owned(),
            ..Given::default()
        };
        // As it was: the values are encrypted to the identity itself.
        let direct = Encryption {
            recipient: name.clone(),
            identity: None,
            recipients: BTreeMap::new(),
            mac: None,
        };
        let mut state = State::empty("s", None, "l".into());
        state.encryption = Some(direct);
        let key = StateKey::unlock(given(), &state).expect("opens");
        let seal = Seal::new(key.clone());
        let output = |value| OutputState {
            value,
            sensitive: true,
            description: None,
        };
        let sealed = seal.seal(&json!("hunter2"));
        state.outputs.insert("o".into(), output(sealed.clone()));
        let hash = json!({"$sealed": "abcd"});
        state.outputs.insert("hash".into(), output(hash.clone()));
        let inside = ResourceState {
            inputs: Inputs::new(json!({"list": [{"deep": hash}], "size": 1})),
            ..ResourceState::default()
        };
        state.resources.insert("r".into(), inside);
        upgrade(&mut state, &key).expect("is sealed again");
        let encryption = state.encryption.clone().expect("has a key");
        assert_ne!(encryption.recipient, name);
        let recipients = BTreeMap::from([(name, "here".to_owned())]);
        assert_eq!(encryption.recipients, recipients);
        assert_ne!(state.outputs["o"].value, sealed);
        assert_eq!(state.outputs["hash"].value, json!({"$sealed": ""}));
        assert_eq!(
            *state.resources["r"].inputs,
            json!({"list": [{"deep": {"$sealed": ""}}], "size": 1})
        );
        let again = StateKey::unlock(given(), &state).expect("opens");
        for seal in [Seal::new(again), seal] {
            assert_eq!(seal.open(&state.outputs["o"].value), Some(json!("hunter2")));
        }
    }

    #[test]
    fn a_damaged_secret_is_named() {
        let mut state = state(given("one"));
        let old = StateKey::unlock(given("one"), &state).expect("opens");
        let output = state.outputs.get_mut("o").expect("an output");
        output.value["$age"] = json!("AAAA");
        let new = StateKey::renew(given("two"), &state);
        let why = rekey(&state, &old, &new).err();
        assert!(why.is_some_and(|why| why.contains("the output o")));
        let why = StateKey::unlock(given("one"), &state).err();
        assert_eq!(why, Some(KeyError::Altered("the output o".to_owned())));
    }
}
