//! Functions that encode, decode and hash.

use super::call::{Call, Function, function};
use crate::lang::eval::value::LONGEST_TEXT;
use crate::lang::source;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::io::{self, Write};

pub(super) const TABLE: &[Function] = &[
    function("base64decode", 1, Some(1), |call| {
        let bytes = STANDARD
            .decode(call.text(0)?)
            .map_err(|_| "this string is not base64".to_owned())?;
        String::from_utf8(bytes)
            .map(Value::from)
            .map_err(|_| "what it decodes to is not UTF-8".to_owned())
    }),
    function("base64encode", 1, Some(1), |call| {
        let text = call.text(0)?;
        call.room(text.len().div_ceil(3).saturating_mul(4))?;
        Ok(STANDARD.encode(text).into())
    }),
    function("base64sha256", 1, Some(1), |call| {
        Ok(STANDARD.encode(Sha256::digest(hashed(call)?)).into())
    }),
    function("base64sha512", 1, Some(1), |call| {
        Ok(STANDARD.encode(Sha512::digest(hashed(call)?)).into())
    }),
    function("jsondecode", 1, Some(1), |call| {
        serde_json::from_str(source::without_mark(&call.text(0)?)).map_err(|error| {
            format!(
                "this string is not JSON (line {}, column {})",
                error.line(),
                error.column()
            )
        })
    }),
    // With sorted keys. Unlike Terraform's it writes `<`, `>` and `&` themselves: escaped, the text
    // is the same JSON, and breaks what reads it as a string (VTL, log formats).
    function("jsonencode", 1, Some(1), |call| {
        let mut out = Limited::default();
        let fits = serde_json::to_writer(&mut out, call.any(0)).is_ok();
        call.room(if fits { out.0.len() } else { usize::MAX })?;
        Ok(String::from_utf8_lossy(&out.0).into_owned().into())
    }),
    function("md5", 1, Some(1), |call| {
        Ok(hex::encode(Md5::digest(hashed(call)?)).into())
    }),
    function("sha1", 1, Some(1), |call| {
        Ok(hex::encode(Sha1::digest(hashed(call)?)).into())
    }),
    function("sha256", 1, Some(1), |call| {
        Ok(hex::encode(Sha256::digest(hashed(call)?)).into())
    }),
    function("sha512", 1, Some(1), |call| {
        Ok(hex::encode(Sha512::digest(hashed(call)?)).into())
    }),
    function("urlencode", 1, Some(1), |call| {
        let text = call.text(0)?;
        let length = form_urlencoded::byte_serialize(text.as_bytes()).map(str::len);
        call.room(length.sum())?;
        Ok(form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .into())
    }),
    function("yamldecode", 1, Some(1), yamldecode),
];

/// The string to hash, which is more work than a copy.
fn hashed(call: &Call<'_>) -> Result<String, String> {
    let text = call.text(0)?;
    call.work(text.len() / 8)?;
    Ok(text)
}

/// Takes as many bytes as a string may have.
#[derive(Default)]
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST_TEXT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn yamldecode(call: &Call<'_>) -> Result<Value, String> {
    source::parse(call.text(0)?.as_bytes()).map_err(|problems| {
        problems.first().map_or_else(
            || "this string is not YAML".to_owned(),
            |problem| problem.message.clone(),
        )
    })
}
