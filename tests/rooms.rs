//! The rooms of the source: which may import which, and that no files import each other in a
//! circle. The order stands here and nowhere else; ARCHITECTURE.md draws it.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// Each room, and the rooms that its files may import; each of these stands above it here. A
/// file belongs to the longest name that its path begins with.
const ROOMS: &[(&str, &[&str])] = &[
    ("data", &[]),
    ("files", &[]),
    ("literal", &[]),
    ("nearest", &[]),
    ("severity", &[]),
    ("visible", &["data"]),
    ("secrets", &["data"]),
    ("outside", &["files"]),
    ("content", &["data", "files", "outside", "severity"]),
    ("schema", &["data", "nearest"]),
    ("registry", &["data", "nearest", "schema"]),
    (
        "lang",
        &["data", "literal", "nearest", "schema", "severity"],
    ),
    (
        "resource",
        &[
            "content", "data", "files", "literal", "nearest", "registry", "schema", "severity",
        ],
    ),
    (
        "lint",
        &[
            "data", "lang", "nearest", "registry", "resource", "schema", "severity",
        ],
    ),
    (
        "editor",
        &["lang", "lint", "registry", "resource", "schema", "severity"],
    ),
    ("local_cloud", &["files", "lang", "registry", "resource"]),
    (
        "store",
        &["content", "data", "files", "lang", "schema", "visible"],
    ),
    ("store/s3", &["data", "files", "lang", "resource", "store"]),
    ("engine/address", &["lang", "store"]),
    ("engine/head", &["resource"]),
    (
        "engine/world",
        &["content", "data", "engine/head", "resource", "store"],
    ),
    (
        "engine/plan",
        &[
            "content",
            "data",
            "engine/address",
            "engine/head",
            "engine/world",
            "files",
            "lang",
            "lint",
            "literal",
            "nearest",
            "outside",
            "resource",
            "schema",
            "severity",
            "store",
        ],
    ),
    (
        "engine/observe",
        &[
            "data",
            "engine/address",
            "engine/plan",
            "engine/world",
            "lang",
            "resource",
            "store",
        ],
    ),
    (
        "engine/apply",
        &[
            "content",
            "data",
            "engine/address",
            "engine/plan",
            "engine/world",
            "lang",
            "resource",
            "schema",
            "secrets",
            "store",
        ],
    ),
    (
        "engine/after",
        &[
            "content",
            "data",
            "engine/address",
            "engine/apply",
            "engine/observe",
            "engine/plan",
            "engine/world",
            "lang",
            "literal",
            "resource",
            "schema",
            "store",
        ],
    ),
    (
        "report",
        &[
            "data",
            "engine/after",
            "engine/apply",
            "engine/head",
            "engine/plan",
            "engine/world",
            "lang",
            "resource",
            "schema",
            "secrets",
            "severity",
            "store",
            "visible",
        ],
    ),
    (
        "saved",
        &[
            "data",
            "engine/plan",
            "files",
            "lang",
            "report",
            "resource",
            "store",
        ],
    ),
    (
        "reference",
        &[
            "lang", "nearest", "registry", "report", "resource", "schema",
        ],
    ),
    (
        "cli",
        &[
            "content",
            "data",
            "editor",
            "engine/address",
            "engine/after",
            "engine/apply",
            "engine/head",
            "engine/observe",
            "engine/plan",
            "engine/world",
            "files",
            "lang",
            "lint",
            "literal",
            "local_cloud",
            "nearest",
            "outside",
            "reference",
            "report",
            "resource",
            "saved",
            "schema",
            "secrets",
            "severity",
            "store",
            "store/s3",
            "visible",
        ],
    ),
];

/// What a store is kept in is one of its rooms: the enum of the two names it.
const BACK: (&str, &str) = ("store", "store/s3");

/// The folders of which no files may import each other in a circle.
const STRAIGHT: &[&str] = &["cli", "engine", "resource", "store", "lang/eval"];

/// A file of the source.
struct Source {
    /// Its path below `src`.
    path: String,
    /// Its module, such as `engine/plan/steps`.
    module: String,
    /// Its text without comments and tests; the lines are those of the file.
    text: String,
}

/// What a file imports.
struct Import {
    line: usize,
    /// The module's path and, behind it, the item's.
    to: Vec<String>,
}

fn regex(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

static COMMENT: LazyLock<Regex> = LazyLock::new(|| regex(r"//[^\n]*"));
static TESTS: LazyLock<Regex> =
    LazyLock::new(|| regex(r"#\[cfg\(test\)\]\s*(#\[[^\]]*\]\s*)*(pub(\([^)]*\))? )?mod \w+ \{"));
static TEST_LINE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"#\[cfg\(test\)\]\s*(?:#\[path = "(\w+)\.rs"\]\s*)?(?:pub(?:\([^)]*\))? )?(?:mod (\w+)|use [^;]*);"#,
    )
});
static USE: LazyLock<Regex> = LazyLock::new(|| regex(r"\buse ([^;]+);"));
static INLINE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b(?:crate|super|self)(?:::\w+)+|\b[a-z]\w*(?:::\w+)+"));

/// Reads the source, tests aside.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut tests) = (Vec::new(), BTreeSet::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let path = path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let module = path.trim_end_matches(".rs");
            let module = module.strip_suffix("/mod").unwrap_or(module).to_owned();
            let text = COMMENT.replace_all(&text, "").into_owned();
            for test in TEST_LINE.captures_iter(&text) {
                let folder = match (test.get(1), path.ends_with("/mod.rs")) {
                    (Some(_), false) => module.rsplit_once('/').map_or("", |(folder, _)| folder),
                    _ => module.as_str(),
                };
                if let Some(name) = test.get(1).or(test.get(2)) {
                    tests.insert(format!("{folder}/{}", name.as_str()));
                }
            }
            let text = TEST_LINE.replace_all(&text, |all: &regex::Captures<'_>| {
                "\n".repeat(all[0].matches('\n').count())
            });
            let end = TESTS.find(&text).map_or(text.len(), |tests| tests.start());
            let text = text[..end].to_owned();
            found.push(Source { path, module, text });
        }
    }
    found.retain(|it| {
        let is_test = |test: &String| is_within(&it.module, test);
        !matches!(it.module.as_str(), "lib" | "main") && !tests.iter().any(is_test)
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Whether a module is this one, or in it.
fn is_within(module: &str, of: &str) -> bool {
    let rest = module.strip_prefix(of);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The paths of a `use`, braces opened.
fn leaves(tree: &str, before: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((path, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        return vec![format!("{before}{path}").replace(char::is_whitespace, "")];
    };
    let before = format!("{before}{path}");
    let rest = format!("{},", rest.trim_end().strip_suffix('}').unwrap_or(rest));
    let (mut depth, mut from, mut all) = (0, 0, Vec::new());
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = rest[from..at].trim();
                if !part.is_empty() {
                    all.extend(leaves(part, &before));
                }
                from = at + 1;
            }
            _ => {}
        }
    }
    all
}

/// What a file imports: its `use` lines, and paths in its code.
fn imports(source: &Source, modules: &BTreeSet<&str>) -> Vec<Import> {
    let mut found = Vec::new();
    let mut add = |at: usize, path: &str| {
        let line = source.text[..at].matches('\n').count() + 1;
        let mut to: Vec<&str> = path.split("::").filter(|part| *part != "self").collect();
        let own: Vec<&str> = source.module.split('/').collect();
        let mut base = match to.first().copied() {
            Some("crate") => {
                to.remove(0);
                Vec::new()
            }
            Some("super") => own.clone(),
            Some(first) if modules.contains(format!("{}/{first}", source.module).as_str()) => {
                own.clone()
            }
            _ => return,
        };
        while to.first() == Some(&"super") {
            to.remove(0);
            base.pop();
        }
        base.extend(to);
        let to = base.into_iter().map(str::to_owned).collect();
        found.push(Import { line, to });
    };
    let mut code = source.text.clone();
    for all in USE.captures_iter(&source.text) {
        for path in leaves(&all[1], "") {
            add(all.get(1).unwrap().start(), &path);
        }
        let range = all.get(0).unwrap().range();
        code.replace_range(range.clone(), &" ".repeat(range.len()));
    }
    for path in INLINE.find_iter(&code) {
        let is_visibility = code[..path.start()].ends_with("pub(in ");
        if !is_visibility {
            add(path.start(), path.as_str());
        }
    }
    found
}

/// The module that a path names something of.
fn module_of<'m>(to: &[String], modules: &BTreeSet<&'m str>) -> Option<&'m str> {
    let names = (1..=to.len()).rev().map(|length| to[..length].join("/"));
    names
        .filter_map(|name| modules.get(name.as_str()).copied())
        .next()
}

fn room(module: &str) -> &'static str {
    let rooms = ROOMS.iter().map(|(room, _)| *room);
    let found = rooms.filter(|room| is_within(module, room));
    found
        .max_by_key(|room| room.len())
        .unwrap_or_else(|| panic!("src/{module} is in no room of the order"))
}

/// Every import of another file: of which source, at which line, of which module and item.
fn edges(sources: &[Source]) -> Vec<(&Source, usize, &str, String)> {
    let modules: BTreeSet<&str> = sources.iter().map(|it| it.module.as_str()).collect();
    let mut all = Vec::new();
    for source in sources {
        for import in imports(source, &modules) {
            if let Some(module) = module_of(&import.to, &modules)
                && module != source.module
            {
                all.push((source, import.line, module, import.to.join("::")));
            }
        }
    }
    all
}

/// What breaks the order.
fn faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, (name, below)) in ROOMS.iter().enumerate() {
        let is_above = |of: &&str| ROOMS[..at].iter().any(|(room, _)| room == of);
        for of in below.iter().filter(|of| !is_above(of)) {
            faults.push(format!("{of} does not stand above {name} in the order"));
        }
    }
    for (source, line, module, item) in edges(sources) {
        let (from, to) = (room(&source.module), room(module));
        let (_, below) = ROOMS.iter().find(|(name, _)| *name == from).unwrap();
        let path = &source.path;
        if from != to && !below.contains(&to) && (from, to) != BACK {
            faults.push(format!("src/{path}:{line}: {from} imports {to} ({item})"));
        }
        // Types are handed in: only the command line says which there are.
        if item == "resource::table::native" && from != "cli" {
            faults.push(format!(
                "src/{path}:{line}: {from} takes the types from {item}"
            ));
        }
    }
    faults
}

/// The imports that close a circle of files in a folder.
fn circles(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    let all = edges(sources);
    for folder in STRAIGHT {
        let inside: Vec<_> = all
            .iter()
            .filter(|(source, _, to, _)| is_within(&source.module, folder) && is_within(to, folder))
            .collect();
        let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (source, _, to, _) in &inside {
            next.entry(&source.module).or_default().insert(to);
        }
        let reaches = |from: &str, goal: &str| {
            let (mut seen, mut left) = (BTreeSet::from([from]), vec![from]);
            while let Some(at) = left.pop() {
                if at == goal {
                    return true;
                }
                let next = next.get(at).into_iter().flatten().copied();
                left.extend(next.filter(|to| seen.insert(to)));
            }
            false
        };
        for (source, line, to, item) in inside {
            if reaches(to, &source.module) {
                let path = &source.path;
                faults.push(format!("src/{path}:{line}: {item} imports {path} back"));
            }
        }
    }
    faults
}

#[test]
fn imports_run_one_way() {
    let sources = sources();
    assert!(edges(&sources).len() > 1000);
    assert_eq!(faults(&sources), Vec::<String>::new());
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    assert_eq!(circles(&sources()), Vec::<String>::new());
}

#[test]
fn an_import_against_the_order_is_found() {
    let source = |path: &str, text: &str| Source {
        path: format!("{path}.rs"),
        module: path.to_owned(),
        text: text.to_owned(),
    };
    let sources = [
        source(
            "lang/check",
            "use std::fmt;\nuse crate::resource::{\n    aws::{Aws, iam},\n    context,\n};\n",
        ),
        source("resource", "fn a() { let b = crate::lang::check::c(); }\n"),
        source("resource/aws", ""),
        source(
            "resource/context",
            "pub(in crate::engine) fn a() {}\nuse super::aws::Aws;\n",
        ),
        source(
            "engine/plan",
            "use crate::resource::table::native;\nuse super::apply::queue::Queue;\n",
        ),
        source(
            "engine/apply/queue",
            "use crate::engine::plan::{self, Plan as P};\n",
        ),
        source(
            "engine/apply/work",
            "use super::queue;\nuse self::inner::a;\n",
        ),
        source("engine/apply/work/inner", "use super::a;\n"),
    ];
    assert_eq!(
        faults(&sources),
        [
            "src/lang/check.rs:2: lang imports resource (resource::aws::Aws)",
            "src/lang/check.rs:2: lang imports resource (resource::aws::iam)",
            "src/lang/check.rs:2: lang imports resource (resource::context)",
            "src/resource.rs:1: resource imports lang (lang::check::c)",
            "src/engine/plan.rs:1: engine/plan takes the types from resource::table::native",
            "src/engine/plan.rs:2: engine/plan imports engine/apply (engine::apply::queue::Queue)",
        ]
    );
    assert_eq!(
        circles(&sources),
        [
            "src/engine/plan.rs:2: engine::apply::queue::Queue imports engine/plan.rs back",
            "src/engine/apply/queue.rs:1: engine::plan imports engine/apply/queue.rs back",
            "src/engine/apply/queue.rs:1: engine::plan::Plan imports engine/apply/queue.rs back",
            "src/engine/apply/work.rs:2: engine::apply::work::inner::a imports engine/apply/work.rs back",
            "src/engine/apply/work/inner.rs:1: engine::apply::work::a imports engine/apply/work/inner.rs back",
        ]
    );
}
