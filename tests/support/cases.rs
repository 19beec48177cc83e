//! A test of its own for each file of a folder, so that one that fails is found by its name and
//! runs alone: `cargo test plan::cases::moved`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A test for each name, and one that fails where a file of the folder has none. The name of a
/// file's test is its own in lower case, with `_` for all that is no letter and no digit.
macro_rules! cases {
    ($folder:literal, $run:path, $($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                $run(&$crate::support::cases::file($folder, stringify!($name)));
            }
        )*

        #[test]
        fn each_file_has_a_test() {
            $crate::support::cases::complete($folder, &[$(stringify!($name)),*]);
        }
    };
}
pub(crate) use cases;

/// The files of a folder under `tests/`, in order.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The name of the test of a file.
fn test_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap().to_string_lossy();
    let name = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_lowercase(),
        false => '_',
    };
    stem.chars().map(name).collect()
}

/// The file of a test.
pub fn file(folder: &str, test: &str) -> PathBuf {
    let mut found = files(folder)
        .into_iter()
        .filter(|path| test_of(path) == test);
    let path = found.next();
    assert!(
        found.next().is_none(),
        "two files of {folder} have the test {test}"
    );
    path.unwrap_or_else(|| panic!("{folder} has no file for the test {test}"))
}

/// Fails unless the tests are those of the folder's files.
pub fn complete(folder: &str, tests: &[&str]) {
    let named: BTreeSet<String> = tests.iter().map(|test| (*test).to_owned()).collect();
    let wanted: BTreeSet<String> = files(folder).iter().map(|path| test_of(path)).collect();
    let missing: String = wanted
        .difference(&named)
        .map(|name| format!("    {name},\n"))
        .collect();
    assert!(
        missing.is_empty(),
        "files of {folder} without a test; add to its list:\n{missing}"
    );
    assert_eq!(named, wanted, "tests of {folder} without a file");
}
