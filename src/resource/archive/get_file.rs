//! `archive:getFile`: a zip file built from files or strings.

use crate::content::Finding;
pub use crate::resource::archive::arguments::GetFile;
use crate::resource::archive::{cache, files, output, zip_file};
use crate::resource::author::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::path::Path;

/// The properties that decide the archive's bytes.
const PACKED: &[&str] = &[
    "sourceDir",
    "sourceFile",
    "source",
    "sourceContent",
    "sourceContentFilename",
    "excludes",
    "outputFileMode",
];

/// The outputs of `archive:getFile`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The SHA-1 of the file in hex.
    #[schemars(extend("from" = PACKED))]
    pub id: String,
    /// Where the file is, from the stack file's folder.
    #[schemars(extend("from" = true))]
    pub output_path: String,
    /// Its size in bytes.
    #[schemars(extend("from" = PACKED))]
    pub output_size: usize,
    /// Its MD5 in hex: the ETag of an S3 object with this content.
    #[schemars(extend("from" = PACKED))]
    pub output_md5: String,
    /// Its SHA-1 in hex.
    #[schemars(extend("from" = PACKED))]
    pub output_sha: String,
    /// Its SHA-256 in hex.
    #[schemars(extend("from" = PACKED))]
    pub output_sha256: String,
    /// Its SHA-256 in base64: Lambda's `sourceCodeHash`.
    #[schemars(extend("from" = PACKED))]
    pub output_base64sha256: String,
    /// Its SHA-512 in hex.
    #[schemars(extend("from" = PACKED))]
    pub output_sha512: String,
    /// Its SHA-512 in base64.
    #[schemars(extend("from" = PACKED))]
    pub output_base64sha512: String,
}

impl DataSource for GetFile {
    const TYPE: &'static str = "archive:getFile";
    const HOME: crate::resource::Home = crate::resource::Home::State;
    type Outputs = Outputs;

    fn inspect(dir: &Path, args: &Self) -> Vec<Finding> {
        let mut found = files::findings(dir, args);
        found.extend(output::finding(dir, args.output_path.as_deref()));
        found
    }

    async fn read(cx: &Cx, args: Self) -> Result<Outputs, Error> {
        let entries = files::collect(&cx.stack_dir, &args)?;
        let bytes = zip_file::write(entries)?;
        let sha256 = Sha256::digest(&bytes);
        let own = cache::keep(cx, &hex::encode(sha256), &bytes)?;
        let output_path = match &args.output_path {
            Some(path) => path.clone(),
            None => own,
        };
        let sha = hex::encode(Sha1::digest(&bytes));
        let sha512 = Sha512::digest(&bytes);
        Ok(Outputs {
            id: sha.clone(),
            output_path,
            output_size: bytes.len(),
            output_md5: hex::encode(Md5::digest(&bytes)),
            output_sha: sha,
            output_sha256: hex::encode(sha256),
            output_base64sha256: STANDARD.encode(sha256),
            output_sha512: hex::encode(sha512),
            output_base64sha512: STANDARD.encode(sha512),
        })
    }

    fn written(cx: &Cx, args: &Self, outputs: &Attributes) -> Option<WrittenFile> {
        let hash = outputs.get("outputSha256")?.as_str()?;
        Some(WrittenFile {
            path: args.output_path.clone()?,
            content: cache::place(cx, hash).ok()?,
        })
    }

    fn write(cx: &Cx, args: &Self, outputs: &Attributes) -> Result<(), Error> {
        let path = args.output_path.as_deref();
        let hash = outputs.get("outputSha256").and_then(|hash| hash.as_str());
        match path.zip(hash) {
            None => Ok(()),
            Some((path, hash)) => output::write(cx, path, &cache::read(cx, hash)?),
        }
    }
}

#[cfg(test)]
#[path = "get_file_test.rs"]
mod tests;
