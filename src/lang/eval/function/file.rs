//! Functions on files and their names. Relative paths start at the stack's folder.

use super::call::{Call, Function, function};
use crate::lang::source;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

pub(super) const TABLE: &[Function] = &[
    function("basename", 1, Some(1), |call| {
        let path = call.text(0)?;
        Ok(split(&path).1.into())
    }),
    function("dirname", 1, Some(1), |call| {
        let path = call.text(0)?;
        Ok(split(&path).0.into())
    }),
    function("file", 1, Some(1), |call| {
        let bytes = read(call)?;
        call.room(bytes.len())?;
        String::from_utf8(bytes)
            .map(|text| Value::from(source::without_mark(&text)))
            .map_err(|_| "the file is not UTF-8; filebase64 reads any file".to_owned())
    }),
    function("filebase64", 1, Some(1), |call| {
        let bytes = read(call)?;
        call.room(bytes.len().div_ceil(3).saturating_mul(4))?;
        Ok(STANDARD.encode(bytes).into())
    }),
    function("filebase64sha256", 1, Some(1), |call| {
        Ok(STANDARD.encode(Sha256::digest(read(call)?)).into())
    }),
    function("filebase64sha512", 1, Some(1), |call| {
        Ok(STANDARD.encode(Sha512::digest(read(call)?)).into())
    }),
    function("fileexists", 1, Some(1), |call| {
        Ok(call.scope.file(&call.text(0)?).is_ok().into())
    }),
    function("filemd5", 1, Some(1), |call| {
        Ok(hex::encode(Md5::digest(read(call)?)).into())
    }),
    function("filesha1", 1, Some(1), |call| {
        Ok(hex::encode(Sha1::digest(read(call)?)).into())
    }),
    function("filesha256", 1, Some(1), |call| {
        Ok(hex::encode(Sha256::digest(read(call)?)).into())
    }),
    function("filesha512", 1, Some(1), |call| {
        Ok(hex::encode(Sha512::digest(read(call)?)).into())
    }),
];

fn read(call: &Call<'_>) -> Result<Vec<u8>, String> {
    let path = call.text(0)?;
    call.scope
        .file(&path)
        .map_err(|reason| format!("{path:?} cannot be read: {reason}"))
}

/// The folder and the last part of a path, as `dirname` and `basename` give them.
fn split(path: &str) -> (String, String) {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        let only = if path.is_empty() { "." } else { "/" };
        return (only.to_owned(), only.to_owned());
    }
    match trimmed.rsplit_once('/') {
        None => (".".to_owned(), trimmed.to_owned()),
        Some((folder, last)) => {
            let folder = folder.trim_end_matches('/');
            (
                if folder.is_empty() {
                    "/".to_owned()
                } else {
                    folder.to_owned()
                },
                last.to_owned(),
            )
        }
    }
}
