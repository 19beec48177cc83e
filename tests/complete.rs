//! No file of the tests is forgotten: each source file is in a module, and each other file is
//! named by a test, a script or a manual, or lies in a folder that a test reads as a whole.

use std::path::{Path, PathBuf};

/// The folders of which every file is a case.
const WHOLE: &[&str] = &[
    "tests/plan",
    "tests/conformance",
    "tests/calls",
    "tests/properties",
    "tests/relations",
    "tests/state/old",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, but for those of a package of its own.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true if path.join("Cargo.toml").exists() => Vec::new(),
        true => below(&path),
        false => vec![path],
    });
    let is_written = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        !path
            .components()
            .any(|part| part.as_os_str() == "__pycache__")
            && !name.ends_with(".pending-snap")
    };
    files.filter(is_written).collect()
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// The files that can declare the module of a source file.
fn parents(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().unwrap();
    if folder == root().join("tests") {
        return vec![folder.join("main.rs")];
    }
    if path.file_name().is_some_and(|name| name == "mod.rs") {
        return parents(folder);
    }
    vec![folder.join("mod.rs"), folder.with_extension("rs")]
}

#[test]
fn each_source_file_is_in_a_module() {
    let main = root().join("tests/main.rs");
    let files = below(&root().join("tests"));
    for path in files
        .iter()
        .filter(|path| is_source(path) && **path != main)
    {
        let is_folder = path.file_name().is_some_and(|name| name == "mod.rs");
        let named = if is_folder {
            path.parent().unwrap()
        } else {
            path
        };
        let name = named.file_stem().unwrap().to_string_lossy();
        let declares = |parent: &PathBuf| {
            let text = std::fs::read_to_string(parent).unwrap_or_default();
            text.lines().any(|line| {
                let line = line.trim();
                line == format!("mod {name};") || line.ends_with(&format!(" mod {name};"))
            })
        };
        let found = parents(path).iter().any(declares);
        assert!(
            found,
            "{} is in no module: add `mod {name};`",
            path.display()
        );
    }
}

#[test]
fn each_other_file_is_read() {
    let tests = below(&root().join("tests"));
    let scripts = below(&root().join(".ci"));
    let readers = tests.iter().chain(&scripts).filter(|path| {
        !WHOLE
            .iter()
            .any(|folder| path.starts_with(root().join(folder)))
    });
    let texts = readers.filter_map(|path| Some((path, std::fs::read_to_string(path).ok()?)));
    let texts: Vec<(&PathBuf, String)> = texts.collect();
    let says = |word: &str, but: &Path| {
        texts
            .iter()
            .any(|(path, text)| *path != but && text.contains(word))
    };
    for folder in WHOLE {
        assert!(
            says(folder, &root().join(file!())),
            "no test reads {folder}"
        );
    }
    for path in tests.iter().filter(|path| !is_source(path)) {
        let is_case = WHOLE
            .iter()
            .any(|folder| path.starts_with(root().join(folder)));
        let name = path.file_name().unwrap().to_string_lossy();
        let is_unittest = name.starts_with("test_") && says("unittest discover", path);
        let is_manual = name == "README.md";
        // A key and its certificate go by one name.
        let stem = format!("\"{}\"", path.file_stem().unwrap().to_string_lossy());
        let is_named = says(&name, path) || says(&stem, path);
        let found = is_case || is_unittest || is_manual || is_named;
        assert!(found, "no test reads {}", path.display());
    }
}
