//! The YAML library: the one file that names it. It is archived, and takes what it should refuse
//! (see [`super::source`]), so that nothing is read but through a seed that counts and refuses.

use serde::de::DeserializeSeed;
use serde_json::Value;

pub(crate) use serde_yaml::Error;

/// Reads a document with a seed. All but places are read by [`super::source::parse`].
pub(super) fn read<'t, S: DeserializeSeed<'t>>(seed: S, text: &'t str) -> Result<S::Value, Error> {
    seed.deserialize(serde_yaml::Deserializer::from_str(text))
}

/// A value as a YAML document.
///
/// # Errors
/// When the library refuses, which it does for no value of JSON.
pub(crate) fn write(value: &Value) -> Result<String, Error> {
    serde_yaml::to_string(&tree(value))
}

/// The value as YAML's own: a number of `serde_json` shows its form to no other format.
fn tree(value: &Value) -> serde_yaml::Value {
    match value {
        Value::Null => serde_yaml::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => whole.into(),
            (_, Some(whole), _) => whole.into(),
            (_, _, float) => float.unwrap_or_default().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(list) => list.iter().map(tree).collect::<Vec<_>>().into(),
        Value::Object(map) => {
            let members = map
                .iter()
                .map(|(key, value)| (key.as_str().into(), tree(value)));
            serde_yaml::Value::Mapping(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Calls `look` with each source file below a folder.
    fn each(dir: &Path, look: &mut dyn FnMut(&Path, &str)) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                each(&path, look);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                look(&path, &std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn no_other_file_calls_the_library() {
        let library = concat!("serde_", "yaml::");
        let mut found = Vec::new();
        let mut seen = 0;
        each(Path::new("src"), &mut |path, text| {
            seen += 1;
            if text.contains(library) {
                found.push(path.display().to_string());
            }
        });
        assert!(seen > 100);
        assert_eq!(found, ["src/lang/yaml.rs"]);
    }
}
