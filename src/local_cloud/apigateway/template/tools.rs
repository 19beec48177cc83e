//! `$input` and `$util` (API Gateway developer guide, "Variables for data transformations").

use super::render::Run;
use super::value::{Tool, Value};
use super::{Fault, JsonPath, json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::fmt::Write as _;

impl Run<'_> {
    /// A property of a tool: `$input.body` alone.
    pub(super) fn tool_property(&self, tool: Tool, name: &str) -> Value {
        match (tool, name) {
            (Tool::Input, "body") => Value::from(self.input.body.as_str()),
            _ => Value::Null,
        }
    }

    /// A method of a tool; none where it has no such method.
    pub(super) fn tool_call(
        &mut self,
        tool: Tool,
        name: &str,
        arguments: &[Value],
        at: usize,
    ) -> Result<Option<Value>, Fault> {
        let mut texts = Vec::with_capacity(arguments.len());
        for argument in arguments {
            texts.push(self.text(argument, at)?);
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let missing = matches!(arguments, [Value::Null]);
        Ok(Some(match (tool, name, texts.as_slice()) {
            (Tool::Input, "path", [path]) => self.path(path, at)?,
            (Tool::Input, "json", [path]) => {
                let value = self.path(path, at)?;
                let text = json::write(&value);
                Value::from(text.ok_or_else(|| Fault::new(at, "The JSON is nested too deep."))?)
            }
            (Tool::Input, "params", []) => self.all_parameters(),
            (Tool::Input, "params", [name]) => self.parameter(name),
            (Tool::Util, "escapeJavaScript", [text]) => Value::from(escape(text)),
            (Tool::Util, _, [_]) if missing => Value::Null,
            (Tool::Util, "urlEncode", [text]) => {
                let encoded = form_urlencoded::byte_serialize(text.as_bytes());
                Value::from(encoded.collect::<String>())
            }
            (Tool::Util, "urlDecode", [text]) => Value::from(url_decode(text)),
            (Tool::Util, "base64Encode", [text]) => Value::from(STANDARD.encode(text)),
            (Tool::Util, "base64Decode", [text]) => {
                let bytes = STANDARD.decode(text).map_err(|error| {
                    Fault::new(at, format!("$util.base64Decode: not base64: {error}."))
                })?;
                Value::from(String::from_utf8_lossy(&bytes).into_owned())
            }
            (Tool::Util, "parseJson", [text]) => json::parse(text)
                .map_err(|error| Fault::new(at, format!("$util.parseJson: not JSON: {error}.")))?,
            _ => return Ok(None),
        }))
    }

    /// What a path of the payload leads to; an empty string where it leads nowhere.
    fn path(&self, path: &str, at: usize) -> Result<Value, Fault> {
        let path = JsonPath::parse(path).map_err(|message| Fault::new(at, message))?;
        // Without a payload there is nothing at any path.
        if self.input.body.trim().is_empty() {
            return Ok(Value::from(""));
        }
        Ok(path.of(&self.body(at)?).unwrap_or_else(|| Value::from("")))
    }

    fn all_parameters(&self) -> Value {
        let parameters = &self.input.parameters;
        let map = |pairs: &BTreeMap<String, String>| {
            let pairs = pairs.iter();
            let pairs = pairs.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
            Value::map(pairs.collect())
        };
        Value::map(IndexMap::from([
            ("path".to_owned(), map(&parameters.path)),
            ("querystring".to_owned(), map(&parameters.querystring)),
            ("header".to_owned(), map(&parameters.header)),
        ]))
    }

    /// A parameter: looked for in the path, the query and the headers, in this order.
    fn parameter(&self, name: &str) -> Value {
        let parameters = &self.input.parameters;
        let found = [&parameters.path, &parameters.querystring]
            .into_iter()
            .find_map(|pairs| pairs.get(name));
        let header = || {
            let mut headers = parameters.header.iter();
            let header = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
            header.map(|(_, value)| value)
        };
        let found = found.or_else(header);
        found.map_or(Value::from(""), |value| Value::from(value.as_str()))
    }
}

/// `+` is a blank, and what is no escape stays as it is.
fn url_decode(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text)
        .decode_utf8_lossy()
        .into_owned()
}

/// As Java's `StringEscapeUtils.escapeJavaScript`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match char::from_u32(unit.into()) {
            Some('\'') => out.push_str("\\'"),
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('/') => out.push_str("\\/"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some(c @ ' '..='~') => out.push(c),
            // Writing to a string cannot fail.
            _ => drop(write!(out, "\\u{unit:04X}")),
        }
    }
    out
}
