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
    Ok(Seal::new(&state.lineage, key))
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
fn without_a_key_a_sealed_value_can_be_compared_but_not_read() {
    let seal = Seal::new("lineage", StateKey::default());
    let sealed = seal.seal_all(&data()).into_owned();
    assert!(!sealed.to_string().contains("hunter2"));
    assert_eq!(sealed["b"], 1);
    let password = &sealed["a"]["password"];
    assert!(is_sealed(password) && !is_kept(password) && seal.is_lost(password));
    assert!(seal.is_seal_of(password, &json!("hunter2")));
    assert!(!seal.is_seal_of(password, &json!("hunter3")));
    assert_eq!(seal.opened(&sealed).as_ref(), &sealed);
    let other = Seal::new("other", StateKey::default());
    assert_ne!(other.seal(&json!("x")), seal.seal(&json!("x")));
    assert_eq!(seal.key_change(&state()).expect("none"), None);
}

#[test]
fn with_a_passphrase_a_value_is_kept_under_the_same_ciphertext() {
    let seal = with_passphrase(&state(), "correct horse").expect("a new key");
    assert_eq!(seal.key_change(&state()).expect("unused"), None);
    let state = saved(state(), &seal);
    let kept = &state.outputs["o"].value;
    assert!(is_kept(kept) && !seal.is_lost(kept));

    let again = with_passphrase(&state, "correct horse").expect("opens");
    assert_eq!(again.open(kept), Some(json!("hunter2")));
    assert_eq!(again.seal(&json!("hunter2")), *kept, "two states diff well");
    assert_ne!(again.seal(&json!("hunter3")), *kept);
    assert!(again.is_seal_of(kept, &json!("hunter2")));
    assert_eq!(again.key_change(&state).expect("known"), None);
    // The lineage alone does not tell whether a guess is right.
    let keyless = Seal::new("lineage", StateKey::default());
    assert!(keyless.is_lost(kept) && !keyless.is_seal_of(kept, &json!("hunter2")));
    assert_ne!(kept[SEALED], keyless.hashed(&json!("hunter2"))[SEALED]);
    // What was sealed before there was a key is still compared.
    assert!(again.is_seal_of(&keyless.seal(&json!(7)), &json!(7)));
    assert!(again.is_mark_of(&keyless.mark("m"), "m"));
    assert!(again.is_mark_of(&again.mark("m"), "m") && !again.is_mark_of(&again.mark("m"), "n"));
}

#[test]
fn a_key_that_does_not_fit_is_told() {
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
    let seal = |state: &State, text: &str| {
        StateKey::unlock(given(text), state).map(|key| Seal::new(&state.lineage, key))
    };
    let state = saved(state(), &seal(&state(), &one).expect("a key"));
    assert_eq!(
        state
            .encryption
            .as_ref()
            .and_then(|it| it.identity.as_ref()),
        None
    );
    let kept = &state.outputs["o"].value;
    // Any identity of the file will do.
    let opened = seal(&state, &format!("{two}{one}")).expect("opens");
    assert_eq!(opened.open(kept), Some(json!("hunter2")));
    assert!(matches!(
        seal(&state, &two).err(),
        Some(KeyError::OtherKey(_))
    ));
    let none = StateKey::unlock(Given::default(), &state).err();
    assert!(matches!(none, Some(KeyError::NeedsKeyFile(_))));
    let passphrase = with_passphrase(&state, "x").err();
    assert!(matches!(passphrase, Some(KeyError::NeedsKeyFile(_))));
    for bad in ["", "# nothing\n", "AGE-SECRET-KEY-1hunter2"] {
        let why = Given::key_file(bad).err().expect("is refused");
        assert!(!why.contains("hunter2"), "{why}");
    }
}

#[test]
fn a_text_in_place_of_what_holds_the_secret_is_sealed_whole() {
    let seal = Seal::new("lineage", StateKey::default());
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
