//! What a stranger's text does on a screen: each character that acts, hides or passes for another
//! one, on each command that shows it.

use super::Table;
use crate::support::{Ended, Project};
use serde_json::Value;

/// Each with a name, and what must not be shown as it is.
const CHARACTERS: &[(&str, char)] = &[
    ("escape", '\u{1b}'),
    ("bell", '\u{7}'),
    ("backspace", '\u{8}'),
    ("carriage return", '\r'),
    ("delete", '\u{7f}'),
    ("control sequence introducer", '\u{9b}'),
    ("operating system command", '\u{9d}'),
    ("next line", '\u{85}'),
    ("no-break space", '\u{a0}'),
    ("soft hyphen", '\u{ad}'),
    ("combining grapheme joiner", '\u{34f}'),
    ("Arabic letter mark", '\u{61c}'),
    ("Hangul choseong filler", '\u{115f}'),
    ("Hangul jungseong filler", '\u{1160}'),
    ("Khmer inherent vowel", '\u{17b4}'),
    ("Mongolian vowel separator", '\u{180e}'),
    ("thin space", '\u{2009}'),
    ("zero width space", '\u{200b}'),
    ("zero width joiner", '\u{200d}'),
    ("right-to-left mark", '\u{200f}'),
    ("line separator", '\u{2028}'),
    ("right-to-left override", '\u{202e}'),
    ("invisible times", '\u{2062}'),
    ("first strong isolate", '\u{2068}'),
    ("Braille blank", '\u{2800}'),
    ("Hangul filler", '\u{3164}'),
    ("variation selector", '\u{fe0f}'),
    ("byte order mark", '\u{feff}'),
    ("halfwidth Hangul filler", '\u{ffa0}'),
    ("interlinear annotation", '\u{fff9}'),
    ("musical begin beam", '\u{1d173}'),
    ("tag", '\u{e0041}'),
    ("variation selector supplement", '\u{e0100}'),
];

/// Words with a letter of another script, and that letter.
const ALIKE: &[(&str, &str, char)] = &[
    ("Cyrillic in Latin", "p\u{430}ypal", '\u{430}'),
    ("Greek in Latin", "\u{3bf}rders", '\u{3bf}'),
    ("Armenian in Latin", "pr\u{585}d", '\u{585}'),
    ("Cherokee in Latin", "\u{13a1}oot", '\u{13a1}'),
    (
        "a Cyrillic word beside a Latin one",
        "db-\u{441}\u{440}\u{435}",
        '\u{441}',
    ),
];

/// What stands as it is.
const FINE: &[&str] = &[
    "очередь",
    "注文キュー",
    "주문-대기열",
    "größe",
    "AWSのキュー",
];

/// A text in double quotes of YAML.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '\r' => "\\r".to_owned(),
            c if c.is_ascii_graphic() || c == ' ' => c.to_string(),
            c => format!("\\U{:08x}", u32::from(c)),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn texts() -> Vec<(String, String, char)> {
    let characters = CHARACTERS.iter().enumerate();
    let characters =
        characters.map(|(index, (name, c))| ((*name).to_owned(), format!("m{index}{c}n"), *c));
    let alike = ALIKE.iter();
    let alike = alike.map(|(name, text, c)| ((*name).to_owned(), (*text).to_owned(), *c));
    characters.chain(alike).collect()
}

/// A stack whose values and keys, on all ways to a screen, are the texts.
fn stack(twist: &str) -> String {
    let mut values = String::new();
    for (index, (_, text, _)) in texts().iter().enumerate() {
        let text = quoted(&format!("{text}{twist}"));
        values.push_str(&format!(
            "        v{index}: {text}\n        {text}: v{index}\n"
        ));
    }
    for (index, text) in FINE.iter().enumerate() {
        values.push_str(&format!("        f{index}: {}\n", quoted(text)));
    }
    format!(
        "name: screens\nlocals:\n  all:\n{}resources:\n  pet:\n    type: random:RandomPet\n    properties:\n      keepers:\n{values}outputs:\n  all: {{value: \"${{local.all}}\", description: {}}}\n",
        values.replace("        ", "    "),
        quoted(
            &texts()
                .iter()
                .map(|row| row.1.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        ),
    )
}

/// What each command showed, by the name of the screen.
fn screens() -> Vec<(&'static str, Ended, bool)> {
    let project = Project::new();
    project.write("stacks/screens.yaml", stack(""));
    let mut seen = Vec::new();
    let mut run = |name, args: &[&str], json| seen.push((name, project.run(args), json));
    run("plan", &["plan"], false);
    run("plan --json", &["plan", "--json"], true);
    run("apply", &["apply", "--yes"], false);
    run("outputs", &["outputs"], false);
    run("outputs --json", &["outputs", "--json"], true);
    run("state show", &["state", "show", "pet"], false);
    run(
        "state show --json",
        &["state", "show", "pet", "--json"],
        true,
    );
    run("state pull", &["state", "pull"], true);
    project.write("stacks/screens.yaml", stack("x"));
    let mut run = |name, args: &[&str], json| seen.push((name, project.run(args), json));
    run("plan of a change", &["plan"], false);
    run("plan --json of a change", &["plan", "--json"], true);
    run("apply --json", &["apply", "--yes", "--json"], true);
    run("destroy", &["destroy", "--yes"], false);
    let state = project.dir().join("state/screens.json");
    let kept = Ended {
        code: Some(0),
        stdout: std::fs::read_to_string(state).unwrap(),
        stderr: String::new(),
    };
    seen.push(("the state's file", kept, true));
    seen
}

/// Mistakes that repeat the texts: names, types, properties, addresses.
fn mistakes() -> Vec<(&'static str, Ended, bool)> {
    let project = Project::new();
    let mut lines = "name: screens\nresources:\n".to_owned();
    for (_, text, _) in texts() {
        let text = quoted(&text);
        lines.push_str(&format!(
            "  {text}: {{type: {text}, properties: {{{text}: 1}}}}\n"
        ));
    }
    project.write("stacks/screens.yaml", lines);
    let mut seen = Vec::new();
    let mut run = |name, args: &[&str], json| seen.push((name, project.run(args), json));
    run("validate of mistakes", &["validate"], false);
    run("validate --json of mistakes", &["validate", "--json"], true);
    run("plan of mistakes", &["plan"], false);
    run("plan --json of mistakes", &["plan", "--json"], true);
    project.write("stacks/screens.yaml", "name: screens\nresources: {}\n");
    let all: Vec<String> = texts().into_iter().map(|row| row.1).collect();
    let all = all.join(" ");
    let mut run = |name, args: &[&str], json| seen.push((name, project.run(args), json));
    run("plan --target", &["plan", "--target", &all], false);
    run(
        "plan --target --json",
        &["plan", "--json", "--target", &all],
        true,
    );
    run("a stack that does not exist", &["plan", &all], false);
    run("plan --env", &["plan", "--env", &all], false);
    seen
}

/// Whether the texts that a screen shows have the character in no form but an escape.
fn check(ended: &Ended, c: char, json: bool) -> Result<(), String> {
    for (stream, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        // The end of a line is the screen's own.
        let lines = text.lines().map(|line| line.trim_end_matches('\r'));
        if (!json || is_unseen(c)) && lines.flat_map(str::chars).any(|found| found == c) {
            return Err(format!("{stream} has U+{:04X}", u32::from(c)));
        }
    }
    if json {
        for line in documents(&ended.stdout) {
            serde_json::from_str::<Value>(&line).map_err(|error| format!("{error} in {line}"))?;
        }
    }
    Ok(())
}

/// Letters stay in JSON, where a program reads them.
fn is_unseen(c: char) -> bool {
    CHARACTERS.iter().any(|(_, other)| *other == c)
}

fn documents(text: &str) -> Vec<String> {
    match serde_json::from_str::<Value>(text) {
        Ok(_) => vec![text.to_owned()],
        Err(_) => text.lines().map(str::to_owned).collect(),
    }
}

#[test]
fn a_text_does_nothing_but_show_itself() {
    let mut table = Table::new("screens");
    for (screen, ended, json) in screens().into_iter().chain(mistakes()) {
        for (name, _, c) in texts() {
            table.attack(&format!("{name} on {screen}"), || check(&ended, c, json));
        }
    }
    table.end();
}

#[test]
fn values_and_what_people_write_stay_as_they_are() {
    let seen = screens();
    let screen = |name: &str| &seen.iter().find(|row| row.0 == name).unwrap().1;
    for name in ["plan", "apply", "outputs", "state show", "destroy"] {
        assert_eq!(
            screen(name).code,
            Some(0),
            "{name}: {}",
            screen(name).stderr
        );
    }
    // Due on these screens, each character has to be there as an escape.
    for name in ["plan", "outputs", "state show", "plan of a change"] {
        let shown = &screen(name).stdout;
        for text in FINE {
            assert!(shown.contains(text), "{text} on {name}: {shown}");
        }
        for (what, _, c) in texts() {
            let code = u32::from(c);
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter();
            let units: String = units.map(|unit| format!("\\u{unit:04x}")).collect();
            let forms = [
                format!("\\u{{{code:x}}}"),
                units,
                format!("\\x{code:02x}"),
                "\\e".to_owned(),
                "\\r".to_owned(),
            ];
            let mut forms = forms.into_iter().take(if code < 0x20 { 5 } else { 3 });
            let lower = shown.to_lowercase();
            let found = forms.any(|form| lower.contains(&form) || shown.contains(&form));
            assert!(found || name == "state show", "{what} on {name}: {shown}");
        }
    }
    let outputs = screen("outputs --json").json();
    let pulled = screen("state pull").json();
    for (index, (_, text, _)) in texts().iter().enumerate() {
        assert_eq!(outputs["all"][format!("v{index}")], **text);
        assert_eq!(outputs["all"][text], format!("v{index}"));
        let keepers = &pulled["resources"]["pet"]["inputs"]["keepers"];
        assert_eq!(keepers[format!("v{index}")], **text);
    }
}
