//! Tests of `aws:s3:BucketObject` that need no service.

use super::*;
use crate::data::Data;
use std::borrow::Cow;

fn broken(props: Value) -> Vec<String> {
    let props = Data::from(props);
    let rules = Rules {
        props: &props,
        peer: &|_| None,
    };
    BucketObject::rules(&rules)
        .into_iter()
        .map(|broken| broken.path.to_string())
        .collect()
}

#[test]
fn exactly_one_source_of_content() {
    assert_eq!(broken(json!({})), [""]);
    assert_eq!(broken(json!({"source": "a", "content": "b"})), ["content"]);
    assert!(broken(json!({"content": "b"})).is_empty());
}

#[test]
fn what_s3_would_refuse_or_never_return_is_refused() {
    let with = |more: Value| {
        let mut props = json!({"content": "a"});
        for (key, value) in more.as_object().unwrap() {
            props[key] = value.clone();
        }
        broken(props)
    };
    assert_eq!(with(json!({"etag": "x", "kmsKeyId": "k"})), ["etag"]);
    assert_eq!(
        with(json!({"serverSideEncryption": "AES256", "kmsKeyId": "k"})),
        ["kmsKeyId"]
    );
    assert_eq!(with(json!({"metadata": {"who": "é"}})), ["metadata.who"]);
    assert_eq!(
        with(json!({"objectLockMode": "GOVERNANCE"})),
        ["objectLockMode"]
    );
    assert_eq!(broken(json!({"contentBase64": "%"})), ["contentBase64"]);
}

#[test]
fn forms_that_mean_the_same_become_one() {
    let mut props = Cow::Owned(json!({
        "etag": "\"ABC\"",
        "kmsKeyId": "arn:aws:kms:us-west-2:123456789012:key/1234",
        "objectLockRetainUntilDate": "2030-01-01T01:00:00+01:00"
    }));
    BucketObject::canonical(&mut props);
    assert_eq!(
        *props,
        json!({
            "etag": "abc",
            "kmsKeyId": "1234",
            "objectLockRetainUntilDate": "2030-01-01T00:00:00Z"
        })
    );
}

#[test]
fn an_id_splits_at_its_first_slash() {
    assert_eq!(split("b/a/c").unwrap(), ("b", "a/c"));
    assert_eq!(split("b//c").unwrap(), ("b", "/c"));
    assert!(split("b").is_err());
}

#[test]
fn every_uploaded_property_is_one() {
    let schema = crate::schema::Schema::of::<BucketObject, Outputs>(BucketObject::TYPE);
    for name in UPLOADED {
        assert!(schema.has_property(name), "{name}");
    }
    assert!(schema.is_volatile("etag", ["content"].into_iter()));
    assert!(!schema.is_volatile("etag", ["tags"].into_iter()));
}
