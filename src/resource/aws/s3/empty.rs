//! Deletes every version and delete marker of a bucket, or of one key.

use super::{NO_BUCKET, built, takes_single_deletes_only};
use crate::resource::author::*;
use crate::resource::aws::listing::Listing;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{
    Delete, EncodingType, ObjectIdentifier, ObjectLockLegalHold, ObjectLockLegalHoldStatus,
};
use percent_encoding::percent_decode_str;

/// What is to be emptied.
#[derive(Debug, Clone, Copy)]
pub struct Emptying<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// One key; none: all of them.
    pub key: Option<&'a str>,
    /// Lift legal holds and governance retention (compliance retention cannot be lifted).
    pub unlock: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    key: String,
    /// `null` where the bucket was never versioned.
    id: String,
}

/// What a bucket holds, as far as the first 1,000 entries show. A count that fails fails nothing
/// else: it says why.
pub async fn count(cx: &Cx, bucket: &str) -> Contents {
    let call = cx.aws.s3().list_object_versions().bucket(bucket);
    let reply = send!(call, "s3:ListBucketVersions (ListObjectVersions)", none: NO_BUCKET);
    let page = match reply {
        Ok(Some(page)) => page,
        Ok(None) => return Contents::default(),
        Err(error) => {
            return Contents {
                uncounted: Some(error.to_string()),
                ..Contents::default()
            };
        }
    };
    let latest = page.versions().iter();
    let objects = latest.filter(|it| it.is_latest() == Some(true)).count();
    let others = page.versions().len() - objects + page.delete_markers().len();
    let sizes = page.versions().iter().filter_map(|version| version.size());
    let count = |count: usize| u64::try_from(count).ok();
    let mut keys = BTreeMap::new();
    let entries = page.versions().iter().map(|version| version.key());
    for key in entries.chain(page.delete_markers().iter().map(|marker| marker.key())) {
        *keys.entry(key.unwrap_or_default().to_owned()).or_default() += 1;
    }
    Contents {
        keys,
        objects: count(objects),
        versions: count(others),
        bytes: Some(sizes.filter_map(|size| u64::try_from(size).ok()).sum()),
        more: page.is_truncated() == Some(true),
        ..Contents::default()
    }
}

/// The most pages of 1,000 versions that a bucket is emptied of.
const MOST_PAGES: usize = 1_000_000;

/// A version that S3 would not delete, and why.
struct Refused {
    version: Version,
    why: String,
}

impl Emptying<'_> {
    /// Deletes what the bucket holds now. A bucket that does not exist is empty.
    ///
    /// # Errors
    /// When a call fails, or S3 refuses to delete something.
    pub async fn run(self, cx: &Cx) -> Result<(), Error> {
        let mut after: (Option<String>, Option<String>) = (None, None);
        let mut refused = Vec::new();
        // What is listed is deleted, so that a large bucket takes many pages and no memory.
        let call = "s3:ListBucketVersions (ListObjectVersions)";
        let mut listing = Listing::of(call).at_most(MOST_PAGES);
        loop {
            let Some(page) = self.list(cx, after).await? else {
                return Ok(());
            };
            let listed = versions(&page);
            let all = listed.len();
            let wanted: Vec<Version> = listed
                .into_iter()
                .filter(|version| self.key.is_none_or(|key| key == version.key))
                .collect();
            // Keys come in order, so a longer key means that the wanted one is past.
            let past = wanted.len() < all;
            refused.extend(self.delete(cx, wanted).await?);
            if past || page.is_truncated() != Some(true) {
                return report(self.bucket, &refused);
            }
            let place = page.next_version_id_marker();
            let place = format!(
                "{} {}",
                page.next_key_marker().unwrap_or(""),
                place.unwrap_or("")
            );
            listing.next(Some(place))?;
            after = (
                page.next_key_marker().map(|key| key_of(&page, key)),
                page.next_version_id_marker().map(str::to_owned),
            );
        }
    }

    async fn list(
        self,
        cx: &Cx,
        after: (Option<String>, Option<String>),
    ) -> Result<Option<ListObjectVersionsOutput>, Error> {
        let call = cx
            .aws
            .s3()
            .list_object_versions()
            .bucket(self.bucket)
            .set_prefix(self.key.map(str::to_owned))
            .encoding_type(EncodingType::Url)
            .set_key_marker(after.0)
            .set_version_id_marker(after.1);
        send!(call, "s3:ListBucketVersions (ListObjectVersions)", none: NO_BUCKET)
    }

    async fn delete(self, cx: &Cx, versions: Vec<Version>) -> Result<Vec<Refused>, Error> {
        let (plain, odd): (Vec<_>, Vec<_>) = versions
            .into_iter()
            .partition(|version| fits_xml(&version.key));
        let mut refused = Vec::new();
        // A page holds at most 1,000 entries, which is also what one call may delete.
        if !plain.is_empty() {
            refused = self.delete_many(cx, &plain).await?;
        }
        refused.extend(self.delete_singly(cx, &odd).await);
        if !self.unlock {
            return Ok(refused);
        }
        let mut kept = Vec::new();
        for Refused { version, .. } in refused {
            if let Err(error) = self.unlock_one(cx, &version).await {
                let why = error.to_string();
                kept.push(Refused { version, why });
            }
        }
        Ok(kept)
    }

    async fn delete_many(self, cx: &Cx, versions: &[Version]) -> Result<Vec<Refused>, Error> {
        let objects = versions
            .iter()
            .map(|version| {
                ObjectIdentifier::builder()
                    .key(&version.key)
                    .version_id(&version.id)
                    .build()
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| built(&error))?;
        let delete = Delete::builder()
            .set_objects(Some(objects))
            .quiet(true)
            .build()
            .map_err(|error| built(&error))?;
        let call = cx
            .aws
            .s3()
            .delete_objects()
            .bucket(self.bucket)
            .delete(delete)
            .set_bypass_governance_retention(self.unlock.then_some(true));
        let reply = send!(call, "s3:DeleteObjectVersion (DeleteObjects)");
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) if takes_single_deletes_only(&error) => {
                return Ok(self.delete_singly(cx, versions).await);
            }
            Err(error) => return Err(error),
        };
        // A reply of 200 does not mean that all of them went.
        Ok(reply
            .errors()
            .iter()
            .filter(|error| error.code() != Some("NoSuchVersion"))
            .map(|error| Refused {
                version: Version {
                    key: error.key().unwrap_or_default().to_owned(),
                    id: error.version_id().unwrap_or("null").to_owned(),
                },
                why: format!(
                    "{}: {}",
                    error.code().unwrap_or("an error"),
                    error.message().unwrap_or_default()
                ),
            })
            .collect())
    }

    async fn delete_singly(self, cx: &Cx, versions: &[Version]) -> Vec<Refused> {
        let mut refused = Vec::new();
        for version in versions {
            if let Err(error) = self.delete_one(cx, version).await {
                let (version, why) = (version.clone(), error.to_string());
                refused.push(Refused { version, why });
            }
        }
        refused
    }

    async fn delete_one(self, cx: &Cx, version: &Version) -> Result<(), Error> {
        let call = cx
            .aws
            .s3()
            .delete_object()
            .bucket(self.bucket)
            .key(&version.key)
            .version_id(&version.id)
            .set_bypass_governance_retention(self.unlock.then_some(true));
        send!(
            call, "s3:DeleteObjectVersion (DeleteObject)", none: &["NoSuchBucket", "NoSuchVersion"]
        )
        .map(|_| ())
    }

    async fn unlock_one(self, cx: &Cx, version: &Version) -> Result<(), Error> {
        let off = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::Off);
        let call = cx.aws.s3().put_object_legal_hold().bucket(self.bucket);
        let call = call.key(&version.key).version_id(&version.id);
        let call = call.legal_hold(off.build());
        send!(call, "s3:PutObjectLegalHold")?;
        self.delete_one(cx, version).await
    }
}

fn versions(page: &ListObjectVersionsOutput) -> Vec<Version> {
    let named = |key: Option<&str>, id: Option<&str>| Version {
        key: key_of(page, key.unwrap_or_default()),
        id: id.unwrap_or("null").to_owned(),
    };
    // Versions before markers: a marker that goes first would bring a version to light.
    let versions = page
        .versions()
        .iter()
        .map(|v| named(v.key(), v.version_id()));
    let markers = page
        .delete_markers()
        .iter()
        .map(|m| named(m.key(), m.version_id()));
    versions.chain(markers).collect()
}

fn report(bucket: &str, refused: &[Refused]) -> Result<(), Error> {
    let Some(first) = refused.first() else {
        return Ok(());
    };
    Err(Error::with_hint(
        format!(
            "{} object versions of bucket {bucket} could not be deleted; the first is {:?} \
             (version {}): {}",
            refused.len(),
            first.version.key,
            first.version.id,
            first.why
        ),
        "Delete them by hand, or allow it (permissions, object lock), then run the command again.",
    ))
}

/// A key of the page as it is. An emulator may leave keys as they are though it was asked to
/// encode them; then it does not say that it did.
fn key_of(page: &ListObjectVersionsOutput, key: &str) -> String {
    if page.encoding_type() == Some(&EncodingType::Url) {
        decode(key)
    } else {
        key.to_owned()
    }
}

/// Undoes `encoding-type=url`, in which a blank is a plus.
fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// Whether the key survives the XML body of `DeleteObjects`: a control character does not,
/// and a carriage return would be read as a line feed.
fn fits_xml(key: &str) -> bool {
    key.chars()
        .all(|c| c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::types::{DeleteMarkerEntry, ObjectVersion};

    #[test]
    fn keys_are_decoded() {
        assert_eq!(decode("a+b%2Bc/%C3%A9%0D"), "a b+c/é\r");
    }

    #[test]
    fn keys_outside_xml_go_singly() {
        assert!(fits_xml("a/b c&<é>"));
        assert!(!fits_xml("a\u{1}"));
        assert!(!fits_xml("a\r"));
        assert!(!fits_xml("\u{ffff}"));
    }

    #[test]
    fn versions_come_before_markers() {
        let page = ListObjectVersionsOutput::builder()
            .delete_markers(
                DeleteMarkerEntry::builder()
                    .key("a")
                    .version_id("2")
                    .build(),
            )
            .versions(ObjectVersion::builder().key("a").build())
            .build();
        let ids: Vec<String> = versions(&page).into_iter().map(|v| v.id).collect();
        assert_eq!(ids, ["null", "2"]);
    }
}
