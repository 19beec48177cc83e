//! The reference as pages of the documentation.

use super::entry::{Entry, Origin};
use super::property::Property;
use std::fmt::Write as _;

/// The page of one type.
pub fn page(entry: &Entry) -> String {
    let kind = match entry.origin {
        Origin::DataSource => " (data source)",
        _ => "",
    };
    let mut out = format!("# `{}`{kind}\n\n{}\n", entry.name, entry.description);
    if !entry.example.is_empty() {
        let _ = write!(out, "\n```yaml\n{}```\n", entry.example);
    }
    for (heading, properties) in [
        ("Properties", &entry.properties),
        ("Outputs", &entry.outputs),
    ] {
        if !properties.is_empty() {
            let _ = writeln!(out, "\n## {heading}\n");
            bullets(&mut out, properties, 0);
        }
    }
    if let Some(id) = &entry.import_id {
        let _ = writeln!(out, "\n## Import\n\nThe import id is {id}.");
    }
    if !entry.actions.is_empty() {
        let _ = writeln!(out, "\n## IAM actions\n");
        for (action, when) in &entry.actions {
            let when = when
                .as_deref()
                .map_or_else(String::new, |when| format!(" {when}"));
            let _ = writeln!(out, "- `{action}`{when}");
        }
    }
    out
}

fn bullets(out: &mut String, properties: &[Property], indent: usize) {
    for property in properties {
        let required = if property.is_required {
            ", **required**"
        } else {
            ""
        };
        let _ = write!(
            out,
            "{:indent$}- `{}`: {}{required}",
            "", property.name, property.shape
        );
        for fact in &property.facts {
            let _ = match fact.strip_prefix("matches ") {
                Some(pattern) => write!(out, ", matches `{pattern}`"),
                None => write!(out, ", {fact}"),
            };
        }
        let description = property.description.replace('\n', " ");
        let _ = match description.is_empty() {
            true => writeln!(out, "."),
            false => writeln!(out, ". {description}"),
        };
        bullets(out, &property.properties, indent + 2);
    }
}
