//! What a function's result says of a batch (Lambda developer guide, "Implementing partial batch
//! responses").

use serde_json::Value;

/// The ids of a batch that are done; none where the batch failed as a whole.
///
/// Without `ReportBatchItemFailures` (`reports`) every result is a success. With it, nothing and an
/// empty list are a success, and what is malformed or names an unknown message is a failure.
pub(super) fn done<'m>(ids: &[&'m str], result: &[u8], reports: bool) -> Vec<&'m str> {
    if !reports {
        return ids.to_vec();
    }
    let failed = failures(result);
    match failed {
        Some(failed) if failed.iter().all(|id| ids.contains(&id.as_str())) => {
            let is_done = |id: &&&str| !failed.iter().any(|other| other == **id);
            ids.iter().filter(is_done).copied().collect()
        }
        _ => Vec::new(),
    }
}

/// The ids that a result names as failed; none where it is malformed.
fn failures(result: &[u8]) -> Option<Vec<String>> {
    let result: Value = match result {
        [] => Value::Null,
        result => serde_json::from_slice(result).ok()?,
    };
    let list = match &result {
        Value::Null => return Some(Vec::new()),
        Value::Object(map) if map.is_empty() => return Some(Vec::new()),
        Value::Object(map) => map.get("batchItemFailures")?,
        // AWS takes other results as nothing said.
        _ => return Some(Vec::new()),
    };
    let items = match list {
        Value::Null => return Some(Vec::new()),
        list => list.as_array()?,
    };
    let id = |item: &Value| {
        let id = item.get("itemIdentifier")?.as_str()?;
        (!id.is_empty()).then(|| id.to_owned())
    };
    items.iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_says_which_messages_are_done() {
        let ids = ["a", "b"];
        for (result, expected) in [
            ("", vec!["a", "b"]),
            ("null", vec!["a", "b"]),
            ("{}", vec!["a", "b"]),
            ("\"ok\"", vec!["a", "b"]),
            (r#"{"batchItemFailures": null}"#, vec!["a", "b"]),
            (r#"{"batchItemFailures": []}"#, vec!["a", "b"]),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "a"}]}"#,
                vec!["b"],
            ),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "c"}]}"#,
                vec![],
            ),
            (r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, vec![]),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
                vec![],
            ),
            (r#"{"batchItemFailures": [{"id": "a"}]}"#, vec![]),
            (r#"{"batchItemFailures": "a"}"#, vec![]),
            (r#"{"failures": []}"#, vec![]),
            ("not json", vec![]),
        ] {
            assert_eq!(done(&ids, result.as_bytes(), true), expected, "{result}");
            assert_eq!(done(&ids, result.as_bytes(), false), ids, "{result}");
        }
    }
}
