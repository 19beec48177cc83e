//! Secrets in the texts of others.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

fn of(values: &[Value]) -> Secrets {
    let secrets = Secrets::default();
    values.iter().for_each(|value| secrets.learn(value));
    secrets
}

#[test]
fn a_message_loses_the_secrets_in_it() {
    let secrets = of(&[json!("hunter\"22"), json!({"pin": 12345, "flag": "no"})]);
    assert_eq!(
        secrets.hide(r#"no: hunter"22, "hunter\"22" and 12345 are refused, 'no' too"#),
        r#"no: (secret), "(secret)" and (secret) are refused, (secret) too"#
    );
    assert_eq!(secrets.hide("nothing"), "nothing");
}

#[test]
fn the_keys_of_a_secret_map_are_secret_unless_they_are_said_in_clear() {
    let secrets = Secrets::default();
    secrets.learn(&json!({"username": "hunter22", "customer-x17": {"nested key": 1}, "id": 2}));
    secrets.hear(|| "name: ${var.login.username}\nkey: x17".to_owned());
    assert_eq!(
        secrets.hide("{\"username\": 1, \"customer-x17\": {\"nested key\": 1}}"),
        "{\"username\": 1, \"(secret)\": {\"(secret)\": 1}}"
    );
    assert_eq!(secrets.hide("an id, a custom"), "an id, a custom");
}

#[test]
fn secrets_that_overlap_leave_nothing_behind() {
    let secrets = of(&[json!("abcdef"), json!("defghi"), json!("cdef")]);
    assert_eq!(
        secrets.hide("xabcdefghiy abcdefabcdef"),
        "x(secret)y (secret)"
    );
}

#[test]
fn a_secret_is_found_in_every_coding() {
    let text = "a&b <\"é\" ü'/+=\nsecond \\ line>\t!";
    let secrets = of(&[json!(text)]);
    let json = json!({"k": text}).to_string();
    let twice = json!({ "document": json }).to_string();
    let url: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("k", text)
        .finish();
    let percent = url.replace('+', "%20");
    let xml = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    let mut coded = vec![
        json.clone(),
        twice,
        url.clone(),
        percent.to_lowercase(),
        percent,
        xml,
    ];
    for before in ["", "x", "xy"] {
        let whole = format!("{before}{text}{before}");
        coded.push(STANDARD.encode(&whole));
        coded.push(URL_SAFE_NO_PAD.encode(&whole));
    }
    let inner: String = form_urlencoded::byte_serialize(json.as_bytes()).collect();
    coded.push(inner);
    for coded in coded {
        let hidden = secrets.hide(&coded);
        assert!(hidden.contains(SECRET), "{coded}");
        for part in ["second", "a&b", "a&amp;b", "c2Vjb25k", "a%26b"] {
            assert!(!hidden.contains(part), "{part} of {coded}: {hidden}");
        }
    }
    assert_eq!(
        secrets.hide("it said: second \\ line>\t!"),
        "it said: (secret)"
    );
}

#[test]
fn what_is_learnt_late_is_hidden_by_all() {
    let one = Secrets::default();
    let other = one.clone();
    for n in 1000..1100 {
        one.learn(&json!(format!("secret-{n}")));
        assert_eq!(other.hide(&format!("a secret-{n} b")), "a (secret) b");
    }
    assert_eq!(other.hide("secret-1000"), SECRET);
    let mut text = "x secret-1001 y".to_owned();
    other.blot(&mut text);
    assert_eq!(text, "x *********** y");
    other.learn(&json!("secret-1001-more"));
    let mut text = "x secret-1001-more y".to_owned();
    other.blot(&mut text);
    assert_eq!(text, "x **************** y");
}

/// A secret from the start: a variable's value.
pub(crate) fn source(text: &str) -> Secrets {
    let secrets = Secrets::default();
    let mut data = Data::from(json!(text));
    data.secret.insert(crate::data::Path::root());
    secrets.learn_source(&data);
    secrets
}

#[test]
fn usual_messages_stay_as_they_are() {
    let secrets = Secrets::default();
    for text in [
        "prod-orders-S3cr3tValue",
        "correct horse",
        "us-west-2-hunter2hunter2",
    ] {
        let mut data = Data::from(json!(text));
        data.secret.insert(crate::data::Path::root());
        secrets.learn_source(&data);
    }
    secrets.learn(&json!(
        "arn:aws:sqs:us-west-2:000000000000:prod-orders-S3cr3tValue"
    ));
    for public in [
        "prod-orders-dlq",
        "us-west-2",
        "arn:aws:sqs:us-west-2:000000000000:x",
    ] {
        secrets.learn_public(public);
    }
    for text in [
        "The specified queue prod-orders-dlq does not exist in us-west-2.",
        "arn:aws:sqs:us-west-2:000000000000:prod-orders-dlq is not authorized to perform: sqs:SendMessage",
        "retrying: Lambda says \"Rate exceeded\" (TooManyRequestsException), try 2 of 8",
        "Value 'x' at 'name' failed to satisfy constraint: [a-zA-Z0-9-_]+",
        "correct the horses",
        "100% of &lt;tags&gt; \\d+ = 3",
        "",
    ] {
        assert_eq!(secrets.hide(text), text);
    }
    assert_eq!(secrets.hide("a prod-orders-S3cr3tValue b"), "a (secret) b");
    assert_eq!(secrets.hide("to prod-orders-S3cr3tV..."), "to (secret)...");
}

/// Of longer secrets only the whole text is looked for.
#[test]
fn the_longest_secret_that_is_looked_for_in_parts() {
    let text: String = (0..)
        .flat_map(|n: u32| format!("{n:x}-").into_bytes())
        .map(char::from)
        .take(LONGEST_IN_PARTS)
        .collect();
    let cut = &text[40_000..40_030];
    assert_eq!(source(&text).hide(cut), SECRET);
    assert_eq!(source(&format!("{text}x")).hide(cut), cut);
}

/// Also before anything was hidden: what is public has to be learnt then.
#[test]
fn a_secret_from_the_start_has_parts_at_once() {
    assert!(!Secrets::default().has_parts());
    let secrets = source("prod-orders-S3cr3tValue");
    assert!(secrets.has_parts());
    secrets.hide("nothing");
    assert!(secrets.has_parts());
}

#[test]
fn a_long_text_is_searched_in_one_go() {
    let secrets = source("Tr0ub4dor&3 O'Brien/é+horse");
    let long = "the quick brown fox \\n jumps %20 over &amp; the lazy dog ".repeat(4000);
    assert_eq!(secrets.hide(&long), long);
    let nested = format!("{}41", "%25".repeat(20_000));
    assert_eq!(secrets.hide(&nested), nested);
    let slashes = "\\".repeat(100_000);
    assert_eq!(secrets.hide(&slashes), slashes);
}

proptest::proptest! {
    #[test]
    fn folding_keeps_to_the_characters(text in ".{0,60}", secret in ".{8,20}") {
        let secrets = source(&secret);
        // No range splits a character, and whatever stands around is kept.
        let hidden = secrets.hide(&format!("{text}{secret}{text}"));
        if Folded::of(&secret).bytes.len() >= PART {
            proptest::prop_assert!(!hidden.contains(&secret), "{hidden:?}");
        }
    }
}
