//! The reference: what is generated from the types is what is checked in. `STACKCTL_BLESS=1`
//! writes what came out.

use crate::support::Project;
use stackctl::reference::{entry::Entry, find, markdown};
use std::collections::BTreeMap;
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

/// A page for each type of stackctl's own, and a list of them.
#[test]
fn types() {
    let native = stackctl::resource::table::native();
    let mut text = String::new();
    let mut pages = BTreeMap::new();
    for row in find::own(native) {
        let entry = Entry::of(native, row.name).unwrap();
        assert!(!entry.example.is_empty(), "{}", row.name);
        let file = format!("{}.md", row.name.replace(':', "-"));
        let summary = entry.summary().replace('\n', " ");
        let _ = writeln!(text, "- [`{}`](types/{file}): {summary}", row.name);
        pages.insert(file, markdown::page(&entry));
    }
    generated("docs/types.md", &text);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/types");
    let bless = std::env::var_os("STACKCTL_BLESS").is_some();
    if bless {
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).unwrap();
        for (file, page) in &pages {
            std::fs::write(folder.join(file), page).unwrap();
        }
    }
    let found: BTreeMap<String, String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let names: Vec<&String> = pages.keys().collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), names);
    for (file, page) in &pages {
        assert_eq!(&found[file], page, "docs/types/{file}");
    }
}

/// What `validate` prints for the file of the page.
#[test]
fn mistakes() {
    let page = include_str!("../docs/mistakes.md");
    let stack = page.split("```yaml\n").nth(1).unwrap();
    let stack = stack.split("```").next().unwrap();
    let project = Project::new();
    project.write("stacks/shop.yaml", stack);
    let screen = project.run(&["validate"]).expect(3).stderr;
    let errors = screen.matches("\nerror").count() + usize::from(screen.starts_with("error"));
    assert!(errors >= 20, "{screen}");
    let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
    generated(
        "docs/mistakes.md",
        &format!("```text\n{}\n```", lines.join("\n")),
    );
}

#[test]
fn import_ids() {
    let mut table = String::from("| type | import id |\n|---|---|\n");
    for (name, kind) in stackctl::resource::table::native().resources() {
        let _ = writeln!(table, "| `{name}` | {} |", kind.import_id());
    }
    generated("docs/import.md", &table);
}

/// The headings of the themes, by the first two digits of the codes.
const THEMES: &[(&str, &str)] = &[
    ("SK01", "Functions"),
    ("SK02", "Event sources and permissions of functions"),
    ("SK03", "Queues"),
    ("SK04", "Topics and subscriptions"),
    ("SK05", "Policies and roles"),
    ("SK06", "Buckets and objects"),
    ("SK07", "Log groups"),
    ("SK08", "APIs"),
    ("SK09", "What ties a stack to one place"),
    ("SK10", "Secrets in plain text"),
];

/// A section for each rule: what, how bad, why, the next step, and two examples.
#[test]
fn lint() {
    use stackctl::severity::Severity;
    let mut text = String::new();
    let rules = stackctl::lint::rules();
    let _ = writeln!(text, "{} rules.\n", rules.len());
    let mut theme = "";
    for rule in rules {
        let start = &rule.code[..4];
        if start != theme {
            theme = start;
            let (_, heading) = THEMES.iter().find(|(start, _)| *start == theme).unwrap();
            let _ = writeln!(text, "## {heading}\n");
        }
        let severity = match (rule.is_refused, rule.severity) {
            (true, _) => "Error; AWS refuses it",
            (false, Severity::Error) => "Error",
            (false, Severity::Warning) => "Warning",
            (false, Severity::Hint) => "Hint",
        };
        let (code, title, why, fix) = (rule.code, rule.title, rule.why, rule.fix);
        let _ = writeln!(text, "### {code}: {title}\n\n{severity}. {why}\n");
        let _ = writeln!(text, "Bad:\n\n```yaml\n{}\n```\n", rule.bad);
        let _ = writeln!(text, "Good:\n\n```yaml\n{}\n```\n", rule.good);
        let _ = writeln!(text, "Next step: {fix}.\n");
    }
    generated("docs/lint.md", &text);
}
