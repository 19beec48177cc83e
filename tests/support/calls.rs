//! The calls that commands make, compared with a file of them: a call more or less is seen.

use super::Project;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Does nothing to any call, and notes each.
const NOTE: &str = r#"[{"call": "*", "what": {"latency": 0}}]"#;

/// Reads that are repeated until what was written is in effect, and how the calls that write it
/// begin: how often they are depends on the time.
const REPEATED: &[(&str, &str)] = &[
    ("lambda:GetFunction", "lambda:"),
    ("lambda:GetEventSourceMapping", "lambda:"),
    ("apigateway:GetDeployment", "apigateway:CreateDeployment"),
];

/// How often it is asked depends on which of two integrations of the same content comes first.
const BY_CHANCE: &str = "apigateway:GetIntegrations";

/// The calls of a project's commands, in sections.
pub struct Calls {
    file: PathBuf,
    text: String,
}

impl Calls {
    /// Notes the calls of all commands from now on.
    pub fn record(project: &mut Project) -> Self {
        let file = project.home().join("calls");
        project.env("STACKCTL_LOCAL_FAULTS", NOTE);
        project.env("STACKCTL_LOCAL_STRUCK", file.to_str().unwrap());
        Self {
            file,
            text: String::new(),
        }
    }

    /// Ends a section: the calls since the last one, each with its number, or `+` where that
    /// depends on the time.
    pub fn section(&mut self, title: &str) {
        let noted = std::fs::read_to_string(&self.file).unwrap_or_default();
        let _ = std::fs::remove_file(&self.file);
        let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
        for line in noted.lines() {
            let (_, call) = line.split_once(' ').unwrap();
            *counted.entry(call).or_default() += 1;
        }
        let is_read = |call: &&str| call.contains(":Get") || call.contains(":List");
        let is_written = |start: &str| {
            let mut written = counted.keys().filter(|call| !is_read(call));
            written.any(|call| call.starts_with(start))
        };
        writeln!(self.text, "{title}").unwrap();
        for (call, number) in &counted {
            let mut repeated = REPEATED.iter().filter(|(read, _)| read == call);
            let varies = repeated.any(|(_, write)| is_written(write)) || *call == BY_CHANCE;
            let number = match varies {
                true => "+".to_owned(),
                false => number.to_string(),
            };
            writeln!(self.text, "  {number:>2} {call}").unwrap();
        }
    }

    /// Compares with the file of a case, or writes it.
    pub fn check(self, case: &Path) {
        let path = file_of(case);
        if std::env::var_os("STACKCTL_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &self.text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        compare(&expected, &self.text, &path);
    }
}

/// The file of the calls of a case: `tests/calls/conformance/NAME.txt` of
/// `tests/conformance/NAME.yaml`.
pub fn file_of(case: &Path) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let inside = case.strip_prefix(&tests).unwrap().with_extension("txt");
    tests.join("calls").join(inside)
}

fn compare(expected: &str, found: &str, path: &Path) {
    if expected == found {
        return;
    }
    let diff = similar::TextDiff::from_lines(expected, found);
    let diff = diff.unified_diff().context_radius(2).to_string();
    panic!("other calls than in {}:\n{diff}", path.display());
}
