//! A function's code: taken from the request or from S3, and measured.

use super::super::s3::{CodeObject, code_object};
use super::super::service::{Refusal, Store};
use super::invalid;
use super::members::Members;
use super::model::Function;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::json;
use sha2::{Digest, Sha256};

/// The largest zip that comes with a request, in bytes.
const DIRECT_QUOTA: usize = 50 * 1024 * 1024;

/// Where code comes from, loaded.
pub(super) enum Code {
    /// A zip file.
    Zip(Bytes),
    /// A container image's URI.
    Image(String),
}

/// Loads what `Code` of CreateFunction, or UpdateFunctionCode itself, names: exactly one
/// source.
pub(super) fn load(store: &dyn Store, region: &str, source: &Members) -> Result<Code, Refusal> {
    let zip = source.text("ZipFile")?;
    let bucket = source.text("S3Bucket")?;
    let key = source.text("S3Key")?;
    let version = source.text("S3ObjectVersion")?;
    source.choice("S3ObjectStorageMode", &["COPY", "REFERENCE"])?;
    let from_s3 = bucket.is_some() || key.is_some() || version.is_some();
    match (zip, from_s3, source.text("ImageUri")?) {
        (Some(zip), false, None) => from_request(zip),
        (None, true, None) => {
            let (Some(bucket), Some(key)) = (bucket, key) else {
                return Err(invalid("S3Bucket and S3Key must be provided together."));
            };
            let object = CodeObject {
                region,
                bucket,
                key,
                version,
            };
            let bytes = code_object(store, &object).map_err(|refusal| {
                invalid(format!(
                    "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
                    refusal.code, refusal.message
                ))
            })?;
            Ok(Code::Zip(check_zip(bytes)?))
        }
        (None, false, Some(uri)) => {
            if !uri.contains(".dkr.ecr.") {
                return Err(invalid(format!(
                    "Source image {uri} is not valid. Provide a valid source image."
                )));
            }
            Ok(Code::Image(uri.to_owned()))
        }
        (None, false, None) => Err(invalid("Please provide a source for function code.")),
        (Some(_), _, _) => Err(invalid(
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        )),
        (None, true, Some(_)) => Err(invalid(
            "Please do not provide other FunctionCode parameters when providing an ImageUri.",
        )),
    }
}

fn from_request(zip: &str) -> Result<Code, Refusal> {
    let bytes = BASE64_STANDARD
        .decode(zip)
        .map_err(|_| Refusal::new(400, "SerializationException", "ZipFile is not valid base64"))?;
    if bytes.len() > DIRECT_QUOTA {
        let message =
            "Request must be smaller than 70167211 bytes for the CreateFunction operation";
        return Err(Refusal::new(413, "RequestEntityTooLargeException", message));
    }
    Ok(Code::Zip(check_zip(bytes.into())?))
}

fn check_zip(bytes: Bytes) -> Result<Bytes, Refusal> {
    if bytes.starts_with(b"PK\x05\x06") {
        return Err(invalid("Uploaded file must be a non-empty zip"));
    }
    if !bytes.starts_with(b"PK") {
        return Err(invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ));
    }
    Ok(bytes)
}

/// The base64 of the SHA-256, as `CodeSha256` has it.
fn digest(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(bytes))
}

/// Gives a function its code. The kind of package stays what it is.
pub(super) fn put(
    function: &mut Function,
    store: &mut dyn Store,
    code: Code,
) -> Result<(), Refusal> {
    let is_image = function.text("PackageType") == "Image";
    let (size, sha) = match code {
        Code::Zip(bytes) if !is_image => {
            function.blob = store.put_blob(&bytes);
            (bytes.len(), digest(&bytes))
        }
        Code::Image(uri) if is_image => {
            let sha = hex::encode(Sha256::digest(uri.as_bytes()));
            function.image = Some(uri);
            (0, sha)
        }
        Code::Zip(_) => {
            return Err(invalid(
                "Please don't provide a zip when packageType is Image.",
            ));
        }
        Code::Image(_) => {
            return Err(invalid(
                "Please don't provide ImageUri when packageType is Zip.",
            ));
        }
    };
    function.config.insert("CodeSize".to_owned(), json!(size));
    function.config.insert("CodeSha256".to_owned(), json!(sha));
    Ok(())
}
