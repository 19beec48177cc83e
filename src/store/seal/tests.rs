use super::*;
use crate::store::key::{Given, KeyError};
use crate::store::state::{Encryption, OutputState};

fn data() -> Data {
    Data {
        value: json!({"a": {"password": "hunter2"}, "b": 1}),
        secret: BTreeSet::from([Path::pointer("/a/password")]),
        ..Data::default()
    }
}

fn state() -> State {
    State::empty("s", None, "lineage".into())
}

fn with_passphrase(state: &State, text: &str) -> Result<Seal, KeyError> {
    let key = StateKey::unlock(Given::passphrase(text.to_owned()), state)?;
    Ok(Seal::new(key))
}

/// A state in which one output was sealed with this seal, as saved and read again.
fn saved(mut state: State, seal: &Seal) -> State {
    let output = OutputState {
        value: seal.seal(&json!("hunter2")),
        sensitive: true,
        description: None,
    };
    state.outputs.insert("o".into(), output);
    let change = seal.key_change(&state).expect("the key can be kept");
    state.change(change.expect("it is told which key"));
    let text = serde_json::to_string(&state).expect("is JSON");
    assert!(!text.contains("hunter2") && !text.contains("AGE-SECRET-KEY"));
    serde_json::from_str(&text).expect("is a state")
}

#[test]
fn without_a_key_nothing_of_a_secret_is_kept() {
    let seal = Seal::new(StateKey::default());
    let sealed = seal.seal_all(&data()).into_owned();
    assert_eq!(sealed, json!({"a": {"password": {SEALED: ""}}, "b": 1}));
    let password = &sealed["a"]["password"];
    assert!(is_sealed(password) && !is_kept(password) && !holds_hash(password));
    assert!(!seal.is_seal_of(password, &json!("hunter2")));
    assert_eq!(seal.opened(&sealed).as_ref(), &sealed);
    assert_eq!(seal.key_change(&state()).expect("none"), None);
}

#[test]
fn with_a_passphrase_a_value_is_kept_under_the_same_ciphertext() {
    let seal = with_passphrase(&state(), "correct horse").expect("a new key");
    assert_eq!(seal.key_change(&state()).expect("unused"), None);
    let state = saved(state(), &seal);
    let kept = &state.outputs["o"].value;
    assert!(is_kept(kept));

    let again = with_passphrase(&state, "correct horse").expect("opens");
    assert_eq!(again.open(kept), Some(json!("hunter2")));
    assert_eq!(again.seal(&json!("hunter2")), *kept, "two states diff well");
    assert_ne!(again.seal(&json!("hunter3")), *kept);
    assert!(again.is_seal_of(kept, &json!("hunter2")));
    assert_eq!(again.key_change(&state).expect("known"), None);
    // What an older version kept is a hash of nothing that is known.
    let hash = crate::store::sealed::hash(b"lineage", "\"hunter2\"");
    let old = json!({ SEALED: hash });
    assert!(holds_hash(&old) && !again.is_seal_of(&old, &json!("hunter2")));
    // A plan has the hash alone, and it is not one that can be tried.
    let compared = again.comparing().seal(&json!("hunter2"));
    assert_eq!(compared, json!({ SEALED: kept[SEALED] }));
    assert_ne!(compared, old);
}

#[test]
fn everyone_can_encrypt_to_a_recipient_but_not_seal() {
    let seal = with_passphrase(&state(), "one").expect("a new key");
    let state = saved(state(), &seal);
    let seal = with_passphrase(&state, "one").expect("opens");
    let recipient = &state.encryption.as_ref().expect("a key").recipient;
    let recipient = crate::store::key::recipient(recipient).expect("a recipient");
    let kept = &state.outputs["o"].value;
    let age = age::encrypt(&recipient, b"\"forged\"").expect("encrypts");
    let age = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, age);
    for hash in [kept[SEALED].clone(), json!(""), json!("00"), json!(null)] {
        assert_eq!(seal.open(&json!({SEALED: hash, AGE: age})), None);
    }
    let mut forged = state.clone();
    let output = forged.outputs.get_mut("o").expect("an output");
    output.value[AGE] = json!(age);
    let opened = with_passphrase(&forged, "one").err();
    assert_eq!(opened, Some(KeyError::Altered("the output o".to_owned())));
}

#[test]
fn who_can_open_a_state_is_authenticated() {
    let [one, two] = [(); 2].map(|()| age::x25519::Identity::generate());
    let given = |identity: &age::x25519::Identity| Given {
        identities: vec![identity.clone()],
        made_in: "here".to_owned(),
        ..Given::default()
    };
    let key = StateKey::unlock(given(&one), &state()).expect("a new key");
    let mut state = saved(state(), &Seal::new(key.clone()));
    assert!(matches!(
        StateKey::unlock(given(&two), &state).err(),
        Some(KeyError::OtherKey { .. })
    ));
    // Somebody adds a name to the list: it opens nothing, and is reported.
    let name = two.to_public().to_string();
    let mut forged = state.clone();
    let encryption = forged.encryption.as_mut().expect("a key");
    encryption.recipients.insert(name.clone(), "there".into());
    for identity in [&one, &two] {
        let opened = StateKey::unlock(given(identity), &forged).err();
        assert!(matches!(opened, Some(KeyError::Damaged(_))), "{opened:?}");
    }
    // Whoever has the key adds it.
    let mut recipients = state.encryption.clone().expect("a key").recipients;
    recipients.insert(name, "there".into());
    state.encryption = key.wrapped_to(recipients).expect("encrypts");
    for identity in [&one, &two] {
        let key = StateKey::unlock(given(identity), &state).expect("opens");
        let opened = Seal::new(key).open(&state.outputs["o"].value);
        assert_eq!(opened, Some(json!("hunter2")));
    }
}

#[test]
fn a_plan_brings_a_key_that_only_who_opens_it_can_have_made() {
    let identity = age::x25519::Identity::generate();
    let given = || Given {
        identities: vec![identity.clone()],
        ..Given::default()
    };
    let key = StateKey::unlock(given(), &state()).expect("a new key");
    let encryption = key.encryption().expect("encrypts").expect("a key");
    let proof = key.proof().expect("a key");
    let again = StateKey::of_plan(given(), (&encryption, &proof), "lineage").expect("opens");
    assert_eq!(again.plan_mac("x"), key.plan_mac("x"));
    assert_ne!(again.plan_mac("x"), again.plan_mac("y"));
    // Somebody else knows the recipient, and encrypts a key of theirs to it.
    let recipients = encryption.recipients.clone();
    let theirs = StateKey::to_recipients(recipients, &state());
    let forged = theirs.encryption().expect("encrypts").expect("a key");
    let opened = StateKey::of_plan(
        given(),
        (&forged, &theirs.proof().expect("a key")),
        "lineage",
    );
    assert!(matches!(opened.err(), Some(KeyError::Damaged(_))));
    let opened = StateKey::of_plan(given(), (&encryption, &proof), "another");
    assert!(matches!(opened.err(), Some(KeyError::Damaged(_))));
}

#[test]
fn a_key_that_does_not_fit_is_reported() {
    let state = saved(
        state(),
        &with_passphrase(&state(), "one").expect("a new key"),
    );
    let told = |given| StateKey::unlock(given, &state).err();
    assert_eq!(told(Given::default()), Some(KeyError::NeedsPassphrase));
    let other = Given::passphrase("two".into());
    assert_eq!(told(other), Some(KeyError::WrongPassphrase));
    let mut damaged = state.clone();
    let mut encryption = damaged.encryption.take().expect("it has a key");
    encryption.recipient.push('x');
    damaged.encryption = Some(encryption);
    let opened = with_passphrase(&damaged, "one").err();
    assert!(matches!(opened, Some(KeyError::Damaged(_))), "{opened:?}");
    for identity in ["", "AAAA", "age"] {
        damaged.encryption = Some(Encryption {
            recipient: String::new(),
            identity: Some(identity.to_owned()),
            recipients: Default::default(),
            mac: None,
        });
        let opened = with_passphrase(&damaged, "one").err();
        assert!(matches!(opened, Some(KeyError::Damaged(_))), "{opened:?}");
    }
}

#[test]
fn a_key_file_opens_what_was_encrypted_to_it() {
    use age::secrecy::ExposeSecret;
    let [one, two] = [(); 2].map(|()| {
        let identity = age::x25519::Identity::generate();
        format!(
            "# made for a test\n{}\n",
            identity.to_string().expose_secret()
        )
    });
    let given = |text: &str| Given::key_file(text).unwrap_or_default();
    let seal = |state: &State, text: &str| StateKey::unlock(given(text), state).map(Seal::new);
    let state = saved(state(), &seal(&state(), &one).expect("a key"));
    let encryption = state.encryption.as_ref().expect("a key");
    assert!(encryption.identity.is_some() && encryption.recipients.len() == 1);
    let kept = &state.outputs["o"].value;
    // Any identity of the file will do.
    let opened = seal(&state, &format!("{two}{one}")).expect("opens");
    assert_eq!(opened.open(kept), Some(json!("hunter2")));
    assert!(matches!(
        seal(&state, &two).err(),
        Some(KeyError::OtherKey { .. })
    ));
    let none = StateKey::unlock(Given::default(), &state).err();
    assert!(matches!(none, Some(KeyError::NeedsKey(_))));
    let passphrase = with_passphrase(&state, "x").err();
    assert!(matches!(passphrase, Some(KeyError::NeedsKey(_))));
    for bad in ["", "# nothing\n", "AGE-SECRET-KEY-1hunter2"] {
        let why = Given::key_file(bad).err().expect("is refused");
        assert!(!why.contains("hunter2"), "{why}");
    }
}

#[test]
fn a_text_in_place_of_what_holds_the_secret_is_sealed_whole() {
    let seal = with_passphrase(&state(), "x").expect("a new key");
    let secret = BTreeSet::from([Path::pointer("/policy/Statement/0/Sid")]);
    let text = json!({"policy": "{\"Statement\": [{\"Sid\": \"hunter2\"}]}", "b": 1});
    let sealed = seal.seal_paths(&text, &secret);
    assert!(is_sealed(&sealed["policy"]) && sealed["b"] == 1);
    for without in [
        json!({"policy": {"Statement": []}}),
        json!({"b": 1}),
        json!(null),
    ] {
        assert_eq!(seal.seal_paths(&without, &secret), without);
    }
}
