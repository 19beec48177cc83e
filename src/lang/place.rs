//! The string that says where a state is kept.

/// A place in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Place {
    /// The bucket.
    pub bucket: String,
    /// The key of the state; the keys of the other S3 objects begin with it.
    pub key: String,
    /// What is said behind the question mark.
    pub options: S3Options,
}

/// How the S3 objects of a place are reached and kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3Options {
    /// The bucket's region, where it is not the stack's.
    pub region: Option<String>,
    /// How S3 encrypts what is put there: `AES256`, `aws:kms` or `aws:kms:dsse`; none: as the
    /// bucket says, without a header.
    pub sse: Option<String>,
    /// The KMS key; none: the account's own for S3.
    pub kms_key_id: Option<String>,
}

const SSE: [&str; 3] = ["AES256", "aws:kms", "aws:kms:dsse"];

impl S3Options {
    fn parse(query: &str) -> Result<Self, &'static str> {
        let mut options = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "region" => &mut options.region,
                "sse" => &mut options.sse,
                "kmsKeyId" => &mut options.kms_key_id,
                _ => {
                    return Err(
                        "behind the question mark only region=…, sse=… and kmsKeyId=… are known",
                    );
                }
            };
            if value.is_empty() {
                return Err("an option behind the question mark has no value");
            }
            if place.replace(value.into_owned()).is_some() {
                return Err("an option behind the question mark is given twice");
            }
        }
        match options.sse.as_deref() {
            Some(sse) if !SSE.contains(&sse) => {
                return Err("sse must be AES256, aws:kms or aws:kms:dsse");
            }
            Some("AES256") if options.kms_key_id.is_some() => {
                return Err("kmsKeyId goes with sse=aws:kms, not with sse=AES256");
            }
            None if options.kms_key_id.is_some() => options.sse = Some("aws:kms".to_owned()),
            _ => {}
        }
        Ok(options)
    }
}

/// Reads `s3://bucket/key` and `s3://bucket/key?region=…&sse=aws:kms&kmsKeyId=…`; none for a string
/// that is not such an address but the path of a file.
pub fn s3(text: &str) -> Option<Result<S3Place, &'static str>> {
    let rest = text.strip_prefix("s3://")?;
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let options = match query {
        Some("") => return Some(Err("nothing follows the question mark")),
        Some(query) => match S3Options::parse(query) {
            Ok(options) => options,
            Err(why) => return Some(Err(why)),
        },
        None => S3Options::default(),
    };
    let is_bucket = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)
        });
    if !is_bucket {
        return Some(Err(
            "a bucket's name is 3 to 63 small letters, digits, dots and hyphens",
        ));
    }
    // The longest ending that is put behind it has some 70 characters; a key may have 1,024.
    if key.is_empty() || key.ends_with('/') || key.len() > 900 {
        return Some(Err(
            "the key is missing, ends in a slash or is longer than 900 bytes",
        ));
    }
    Some(Ok(S3Place {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        options,
    }))
}

/// The beginning of a string that looks like an address of an unknown kind: `s4://` of
/// `s4://bucket/key`. A single letter and a colon may be the drive of a path.
pub fn unknown_scheme(text: &str) -> Option<&str> {
    if text.starts_with("s3://") {
        return None;
    }
    let (scheme, rest) = text.split_once(':')?;
    let slashes = rest.len() - rest.trim_start_matches('/').len();
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let far = slashes > 1 || (slashes == 1 && scheme.len() > 1);
    (is_scheme && far).then(|| &text[..scheme.len() + 1 + slashes])
}

#[cfg(test)]
mod tests {
    use super::{s3, unknown_scheme};

    #[test]
    fn an_address_of_another_kind_is_no_path() {
        for (text, scheme) in [
            ("s4://bucket/key", Some("s4://")),
            ("gs://b/k", Some("gs://")),
            ("https://host/x.json", Some("https://")),
            ("azurerm://x", Some("azurerm://")),
            ("file:///tmp/x.json", Some("file:///")),
            ("S3://bucket/key", Some("S3://")),
            ("s3:/bucket/key", Some("s3:/")),
            ("s3://bucket/key", None),
            ("state/web.json", None),
            ("./s4:/x", None),
            ("C:/states/web.json", None),
            ("a:b.json", None),
        ] {
            assert_eq!(unknown_scheme(text), scheme, "{text}");
        }
    }

    #[test]
    fn a_place_in_s3_is_a_bucket_and_a_key() {
        let place = s3("s3://states/team/web.json?region=eu-west-1")
            .unwrap()
            .unwrap();
        assert_eq!(
            (place.bucket.as_str(), place.key.as_str()),
            ("states", "team/web.json")
        );
        assert_eq!(place.options.region.as_deref(), Some("eu-west-1"));
        assert_eq!(place.options.sse, None);
        assert!(s3("state/web.json").is_none());
        for text in [
            "s3://",
            "s3://states",
            "s3://states/",
            "s3://states/a/",
            "s3://States/a",
            "s3://states/a?x=1",
            "s3://states/a?region=",
            "s3://states/a?",
            "s3://states/a?region=a&region=b",
            "s3://states/a?sse=kms",
            "s3://states/a?sse=AES256&kmsKeyId=k",
        ] {
            assert!(s3(text).unwrap().is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_says_how_s3_encrypts() {
        let options = |query: &str| {
            s3(&format!("s3://states/a?{query}"))
                .unwrap()
                .unwrap()
                .options
        };
        let arn = "arn:aws:kms:eu-west-1:111122223333:key/1-2";
        let found = options(&format!("sse=aws:kms&kmsKeyId={arn}&region=eu-west-1"));
        assert_eq!(found.sse.as_deref(), Some("aws:kms"));
        assert_eq!(found.kms_key_id.as_deref(), Some(arn));
        assert_eq!(found.region.as_deref(), Some("eu-west-1"));
        let found = options("kmsKeyId=alias%2Fstates");
        assert_eq!(found.sse.as_deref(), Some("aws:kms"));
        assert_eq!(found.kms_key_id.as_deref(), Some("alias/states"));
        assert_eq!(options("sse=AES256").sse.as_deref(), Some("AES256"));
    }
}
