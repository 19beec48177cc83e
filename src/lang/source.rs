//! From the bytes of a YAML file to a JSON value.
use super::diagnostic::Diagnostic;
use serde_json::Value;

/// Parses one YAML document.
pub fn parse(_bytes: &[u8]) -> Result<Value, Vec<Diagnostic>> {
    Ok(Value::Null)
}
