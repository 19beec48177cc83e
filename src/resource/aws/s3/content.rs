//! An object's content: bytes in memory, or a file that is large enough to go up in parts.

use super::object_settings::BucketObject;
use crate::files;
use crate::resource::author::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest, Md5};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// From this size on a file goes up in parts, unless `etag` names its MD5: 16 MiB.
const LARGE: u64 = 16 << 20;

/// The most that one PutObject takes: 5 GiB (S3 User Guide, "Uploading objects").
const LIMIT: u64 = 5 << 30;

/// The size of a part, but for the last one: 8 MiB, or a size that splits a file into 10,000 parts,
/// the most that S3 accepts. A part is kept in memory while it goes up.
const PART: u64 = 8 << 20;

/// The content of an object.
#[derive(Debug)]
pub enum Content {
    /// All of it, for one call.
    Whole(Bytes),
    /// A file for an upload in parts.
    Parts(Source),
}

/// A file that goes up in parts.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
}

impl Content {
    /// How many bytes it is.
    pub fn size(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Parts(source) => source.size,
        }
    }

    /// The ETag that S3 gives it without KMS: the MD5 in hex; for parts the MD5 of their MD5s,
    /// with their number.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn etag(&self) -> Result<String, Error> {
        match self {
            Self::Whole(bytes) => Ok(md5_hex(bytes)),
            Self::Parts(source) => {
                let mut all = Md5::new();
                for number in 1..=source.count() {
                    all.update(Md5::digest(source.part(number).await?));
                }
                Ok(format!(
                    "{}-{}",
                    hex::encode(all.finalize()),
                    source.count()
                ))
            }
        }
    }
}

impl Source {
    fn part_size(&self) -> u64 {
        PART.max(self.size.div_ceil(10_000))
    }

    /// How many parts there are.
    pub fn count(&self) -> u64 {
        self.size.div_ceil(self.part_size())
    }

    /// The bytes of one part, counted from 1.
    ///
    /// # Errors
    /// When the file cannot be read, or is shorter than it was.
    pub async fn part(&self, number: u64) -> Result<Bytes, Error> {
        let (path, start) = (self.path.clone(), (number - 1) * self.part_size());
        let length = self.part_size().min(self.size - start);
        let read = move || -> io::Result<Bytes> {
            let mut file = files::open(&path)?;
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            file.take(length).read_to_end(&mut bytes)?;
            if bytes.len() as u64 != length {
                return Err(io::Error::other("it is shorter than it was"));
            }
            Ok(bytes.into())
        };
        blocking(&self.path, read).await
    }
}

/// The content that the properties name.
///
/// # Errors
/// When the file cannot be read, or is over 5 GiB while `etag` asks for one call; when
/// `contentBase64` is no base64; and when `etag` is given and not the MD5 of the bytes, since
/// no later plan would be empty.
pub async fn content(cx: &Cx, props: &BucketObject) -> Result<Content, Error> {
    let bytes = if let Some(text) = &props.content {
        Bytes::from(text.clone())
    } else if let Some(text) = &props.content_base64 {
        let decoded = STANDARD.decode(text.as_bytes());
        Bytes::from(
            decoded
                .map_err(|error| Error::failed(format!("contentBase64 is not base64: {error}")))?,
        )
    } else if let Some(source) = &props.source {
        let path = cx.stack_dir.join(source);
        let asked = path.clone();
        let size = blocking(&path, move || Ok(files::open(&asked)?.metadata()?.len())).await?;
        let one_call = props.etag.is_some() && !props.is_kms();
        if !one_call && size >= LARGE {
            return Ok(Content::Parts(Source { path, size }));
        }
        if size > LIMIT {
            return Err(Error::with_hint(
                format!("the object's source {source} is over 5 GiB, the most that one call takes"),
                "Use sourceHash instead of etag; the file then goes up in parts.",
            ));
        }
        let asked = path.clone();
        let bytes: Bytes = blocking(&path, move || Ok(files::read(&asked, LIMIT)?))
            .await?
            .into();
        cx.as_planned("source", &path, &crate::content::Content::of(&bytes))?;
        bytes
    } else {
        Bytes::new()
    };
    check_etag(props, &bytes)?;
    Ok(Content::Whole(bytes))
}

fn check_etag(props: &BucketObject, bytes: &[u8]) -> Result<(), Error> {
    let Some(etag) = props.etag.as_deref().filter(|_| !props.is_kms()) else {
        return Ok(());
    };
    let found = md5_hex(bytes);
    if unquoted(etag) == found {
        return Ok(());
    }
    Err(Error::with_hint(
        format!(
            "etag is {etag}, which is not the MD5 of the content of {}/{}",
            props.bucket, props.key,
        ),
        "Set etag to the MD5 of the same content (filemd5, or an archive's outputMd5), or use \
         sourceHash instead.",
    ))
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let result = tokio::task::spawn_blocking(read).await;
    result
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|why| {
            Error::with_hint(
                format!(
                    "the object's source {} could not be read: {why}",
                    path.display()
                ),
                "Check the path; it starts from the stack file's folder.",
            )
        })
}

/// The MD5 of some bytes in hex: the ETag of an object in one part without KMS.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

/// An ETag without its quotes, in lower case.
pub fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_a_plain_md5() {
        assert_eq!(md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(unquoted("\"ABC\""), "abc");
    }

    #[test]
    fn a_file_of_any_size_has_at_most_ten_thousand_parts() {
        let parts = |size| {
            let path = PathBuf::new();
            let source = Source { path, size };
            (source.count(), source.part_size())
        };
        assert_eq!(parts(LARGE), (2, PART));
        assert_eq!(parts(LARGE + 1), (3, PART));
        let (count, size) = parts(5 << 40);
        assert!(count <= 10_000 && size <= LIMIT, "{count} of {size}");
    }
}
