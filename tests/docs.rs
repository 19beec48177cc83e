//! The reference: what is generated from the types is what is checked in. `STACKCTL_BLESS=1`
//! writes what came out.

use std::fmt::Write as _;
use std::path::Path;

const END: &str = "<!-- end -->";

/// Compares the part of a file behind its `<!-- generated …` line with what it should be.
#[track_caller]
fn generated(path: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path).unwrap();
    let mark = text.find("<!-- generated").unwrap();
    let start = mark + text[mark..].find('\n').unwrap() + 1;
    let end = start + text[start..].find(END).unwrap();
    if std::env::var_os("STACKCTL_BLESS").is_some() {
        let new = format!("{}\n{found}\n{}", &text[..start], &text[end..]);
        std::fs::write(&path, new).unwrap();
    } else {
        assert_eq!(text[start..end].trim(), found.trim(), "{}", path.display());
    }
}

/// A section for each: what it is, and its example.
#[test]
fn types() {
    let mut text = String::new();
    let native = stackctl::resource::table::native();
    let resources = native.resources().values().map(|kind| kind.schema());
    let data = native.data_sources().values().map(|kind| kind.schema());
    for schema in resources.chain(data) {
        let example = schema.example.as_deref().unwrap();
        let (name, description) = (schema.name, &schema.description);
        let _ = writeln!(
            text,
            "## `{name}`\n\n{description}\n\n```yaml\n{example}```\n"
        );
    }
    generated("docs/types.md", &text);
}

#[test]
fn import_ids() {
    let mut table = String::from("| type | import id |\n|---|---|\n");
    for (name, kind) in stackctl::resource::table::native().resources() {
        let _ = writeln!(table, "| `{name}` | {} |", kind.import_id());
    }
    generated("docs/import.md", &table);
}
