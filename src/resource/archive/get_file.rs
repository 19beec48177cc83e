//! `archive:getFile`: a zip file made of files or texts.

use crate::content::{Finding, plain};
use crate::resource::DataSource;
use crate::resource::archive::{files, zip_file};
use crate::resource::context::Cx;
use crate::resource::error::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

/// A zip file, the same to the byte wherever and whenever it is made of the same files:
/// entries in the order of their names' bytes, all dated 1980-01-01, mode 0644 (0755 for
/// files their owner may run), no entries for folders, Deflate at one level. Files are held
/// in memory. A link within `sourceDir` stands for the file or folder it leads to, which must be
/// in `sourceDir` too. Exactly one of `sourceDir`, `sourceFile`, `source` and `sourceContent` is
/// given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetFile {
    /// The kind of archive.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["zip"]))]
    pub kind: String,
    /// A folder; all files below it go in. Paths start from the stack file's folder.
    pub source_dir: Option<String>,
    /// One file; it goes in under its own name.
    pub source_file: Option<String>,
    /// Texts, each with the name it goes in under.
    #[schemars(length(min = 1))]
    pub source: Option<Vec<Source>>,
    /// One text; goes with `sourceContentFilename`.
    pub source_content: Option<String>,
    /// The name that `sourceContent` goes in under.
    pub source_content_filename: Option<String>,
    /// What to leave out of `sourceDir`, as in `.gitignore`: paths below it, with `*`, `?`, `**`,
    /// `[ab]` and `{a,b}`; the last pattern that fits decides, and `!` takes back. Other than
    /// there, a name without a slash is one directly in `sourceDir`: `**/name` is one anywhere. A
    /// folder is left out with all that is in it. A pattern that fits nothing is a warning.
    pub excludes: Option<Vec<String>>,
    /// The mode of every entry as octal digits, such as `0666`, in place of the files' own.
    #[schemars(regex(pattern = r"^0?[0-7]{3}$"))]
    pub output_file_mode: Option<String>,
    /// Where to write the file, from the stack file's folder. By default it is named after
    /// its content in stackctl's own folder, so that its path changes when its content does.
    #[schemars(extend("writesFile" = true))]
    pub output_path: Option<String>,
}

/// A text to put into the archive.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The text.
    pub content: String,
    /// The name it goes in under, with forward slashes.
    #[schemars(length(min = 1))]
    pub filename: String,
}

/// What `archive:getFile` tells.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// The SHA-1 of the file in hex.
    pub id: String,
    /// Where the file is, from the stack file's folder.
    pub output_path: String,
    /// Its size in bytes.
    pub output_size: usize,
    /// Its MD5 in hex: the ETag of an S3 object with this content.
    pub output_md5: String,
    /// Its SHA-1 in hex.
    pub output_sha: String,
    /// Its SHA-256 in hex.
    pub output_sha256: String,
    /// Its SHA-256 in base64: Lambda's `sourceCodeHash`.
    pub output_base64sha256: String,
    /// Its SHA-512 in hex.
    pub output_sha512: String,
    /// Its SHA-512 in base64.
    pub output_base64sha512: String,
}

impl DataSource for GetFile {
    const TYPE: &'static str = "archive:getFile";
    type Outputs = Outputs;

    fn inspect(dir: &Path, args: &Self) -> Vec<Finding> {
        files::findings(dir, args)
    }

    async fn read(cx: &Cx, args: Self) -> Result<Outputs, Error> {
        let entries = files::collect(&cx.stack_dir, &args)?;
        let bytes = zip_file::write(entries)?;
        let sha256 = Sha256::digest(&bytes);
        let output_path = match &args.output_path {
            Some(path) => path.clone(),
            None => own_path(cx, &hex::encode(sha256))?,
        };
        keep(&cx.stack_dir.join(&output_path), &bytes).map_err(|error| {
            Error::with_hint(
                format!("the archive could not be written to {output_path}: {error}"),
                "Make the folder writable, or set outputPath.",
            )
        })?;
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
}

/// The file's place in stackctl's folder, as seen from the stack's folder: relative, so that
/// it is the same in another checkout and a plan there shows no change.
fn own_path(cx: &Cx, hash: &str) -> Result<String, Error> {
    let told = |error: io::Error| Error::failed(format!("the current folder is unknown: {error}"));
    let folder = std::path::absolute(&cx.work_dir).map_err(told)?;
    let base = std::path::absolute(&cx.stack_dir).map_err(told)?;
    let path = relative(&plain(&folder), &plain(&base))
        .join("archive")
        .join(format!("{}.zip", &hash[..32]));
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::with_hint(
            format!("the path {} is no UTF-8", path.display()),
            "Set outputPath.",
        )
    })
}

/// `path` as seen from `base`; both absolute and plain.
fn relative(path: &Path, base: &Path) -> PathBuf {
    let shared = path
        .components()
        .zip(base.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = base.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

/// Writes the file unless it has this content already; never leaves half of it.
fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
#[path = "get_file_test.rs"]
mod tests;
