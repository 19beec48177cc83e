//! What users of other tools type: flags with a single dash, other names of commands and flags.
//! Words with the same meaning are accepted; for the rest the error gives the right name.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// The commands that no tip leads to: what a slip of the finger must not suggest.
const NEVER_SUGGESTED: &[&str] = &["destroy", "down"];

/// Other names of commands, and what to type.
const COMMANDS: &[(&[&str], &str)] = &[
    (
        &["test", "check", "lint"],
        "stackctl validate checks the stack file; stackctl plan shows what would change",
    ),
    (
        &["deploy", "update", "create", "sync", "converge"],
        "stackctl apply plans, asks, and applies the changes",
    ),
    (
        &["diff", "synth", "dry-run", "changeset"],
        "stackctl plan shows what apply would change",
    ),
    (
        &[
            "stack",
            "stacks",
            "ls",
            "list",
            "workspace",
            "env",
            "select",
        ],
        "the stacks are the files in stacks/, and --env NAME selects an environment; stackctl \
         state list lists the resources of a stack",
    ),
    (
        &["show", "describe", "get", "resource"],
        "stackctl state show ADDRESS shows a resource; stackctl outputs prints the outputs",
    ),
    (
        &["init", "new", "bootstrap", "get-started"],
        "nothing is to be set up: write stacks/NAME.yaml, then run stackctl plan",
    ),
    (
        &["login", "logout", "auth", "whoami", "configure"],
        "stackctl uses the AWS credentials of the environment: AWS_PROFILE, or the keys",
    ),
    (
        &["config", "set", "var"],
        "variables are set with --var NAME=VALUE, --var-file FILE or --env NAME",
    ),
    (
        &["taint", "replace"],
        "stackctl apply --replace ADDRESS replaces a resource",
    ),
    (
        &["force-unlock", "unlock", "cancel"],
        "stackctl state unlock removes the lock of a run that is dead",
    ),
    (
        &[
            "mv", "rm", "pull", "push", "history", "restore", "rebuild", "rekey", "migrate",
        ],
        "it is a command of stackctl state: stackctl state --help",
    ),
    (
        &["fmt", "format"],
        "stackctl has no formatter: it leaves the layout of a stack file to its author",
    ),
    (
        &["providers", "plugin", "package"],
        "AWS is built in; there are no plugins",
    ),
];

/// Other names of flags, and what to type.
const FLAGS: &[(&[&str], &str)] = &[
    (
        &["dry-run", "what-if", "noop", "preview", "diff"],
        "use stackctl plan, which shows what apply would change",
    ),
    (
        &["region", "aws-region"],
        "set providers.aws.region in the stack file, or AWS_REGION",
    ),
    (
        &["profile", "aws-profile"],
        "set providers.aws.profile in the stack file, or AWS_PROFILE",
    ),
    (
        &["refresh-only"],
        "use stackctl drift, which shows what changed outside, or stackctl refresh, which takes \
         it into the state",
    ),
    (
        &["destroy", "delete"],
        "stackctl plan --destroy shows the deletion of the stack",
    ),
    (
        &["stack", "stack-name", "s", "file", "f", "config-file"],
        "name the stack without a flag: stackctl plan NAME, or a path",
    ),
    (
        &["workspace", "w", "environment", "stage", "e"],
        "use --env NAME",
    ),
    (
        &[
            "force",
            "no-confirm",
            "non-interactive",
            "skip-preview",
            "input",
        ],
        "use --yes, which answers the question",
    ),
    (
        &["lock"],
        "a command that writes always takes the lock; --lock-timeout TIME waits for it",
    ),
    (
        &["backend-config", "backend", "state-out"],
        "use --state PATH or --state s3://bucket/key, or state: in the stack file",
    ),
    (&["chdir", "cwd"], "use -C DIR in front of the command"),
    (&["output", "format", "o"], "use --json"),
    (&["parallel", "concurrency", "p"], "use --parallelism N"),
    (
        &["debug", "verbose", "v"],
        "unknown flag; --json prints every step",
    ),
];

/// The arguments as they are meant: `help plan` is `plan --help`, `version` is `--version`,
/// and `-auto-approve` is `--auto-approve`.
pub(super) fn meant(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let end = arguments.iter().position(|word| word == "--");
    let end = end.unwrap_or(arguments.len());
    for word in arguments[..end].iter_mut().skip(1) {
        if let Some(long) = word.to_str().and_then(long) {
            *word = long.into();
        }
    }
    let Some(at) = command(&arguments[..end]) else {
        return arguments;
    };
    if arguments[at] == "help" {
        arguments.remove(at);
        arguments.insert(end - 1, "--help".into());
    } else if arguments[at] == "version" && end == at + 1 {
        arguments[at] = "--version".into();
    }
    arguments
}

/// Where the name of the command is: the first word that is neither a flag nor the value of one.
fn command(arguments: &[OsString]) -> Option<usize> {
    let mut at = 1;
    loop {
        let word = arguments.get(at)?.to_string_lossy();
        match word.as_ref() {
            "-C" | "--directory" => at += 2,
            flag if flag.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
}

/// A flag of several letters behind a single dash, with two.
fn long(word: &str) -> Option<String> {
    let flag = word
        .strip_prefix('-')
        .filter(|rest| !rest.starts_with('-'))?;
    let name = flag.split('=').next().unwrap_or_default();
    let is_name = name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    // Several flags of one letter each may share a dash.
    let shorts = name.chars().all(|letter| "yh".contains(letter));
    (is_name && !shorts).then(|| format!("-{word}"))
}

/// The message of clap, with our tip in place of its own if one exists.
pub(super) fn advised(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    hide_values(&mut error);
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let suggested = texts(&error, ContextKind::SuggestedSubcommand);
            let word = text(&error, ContextKind::InvalidSubcommand);
            let above = command(arguments).and_then(|at| arguments[at].to_str());
            let known = meaning(COMMANDS, &word).filter(|_| above == Some(word.as_str()));
            known
                .map(str::to_owned)
                .or_else(|| similar("subcommand", &suggested))
        }
        ErrorKind::UnknownArgument => {
            let suggested = text(&error, ContextKind::SuggestedArg);
            let flag = text(&error, ContextKind::InvalidArg);
            let name = flag.trim_start_matches('-');
            let name = name.split(['=', ' ']).next().unwrap_or_default();
            let known = meaning(FLAGS, name).filter(|_| flag.starts_with('-'));
            known
                .map(str::to_owned)
                .or_else(|| match suggested.is_empty() {
                    true => None,
                    false => similar("argument", &[suggested]),
                })
        }
        _ => return error,
    };
    for kind in [
        ContextKind::Suggested,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
    ] {
        error.remove(kind);
    }
    if let Some(tip) = tip {
        let tips = vec![StyledStr::from(tip)];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// Takes values of variables out of the message: they may be secrets.
fn hide_values(error: &mut clap::Error) {
    let argument = text(error, ContextKind::InvalidArg);
    if error.kind() == ErrorKind::ValueValidation && argument.starts_with("--var ") {
        error.insert(
            ContextKind::InvalidValue,
            ContextValue::String("***".to_owned()),
        );
    }
    if error.kind() == ErrorKind::UnknownArgument
        && let Some((name, _)) = argument.split_once('=')
    {
        let shown = ContextValue::String(format!("{name}=***"));
        error.insert(ContextKind::InvalidArg, shown);
    }
}

fn meaning(table: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    let found = table.iter().find(|(names, _)| names.contains(&word));
    found.map(|(_, tip)| *tip)
}

/// `a similar subcommand exists: 'apply'`
fn similar(what: &str, suggested: &[String]) -> Option<String> {
    let mut suggested = suggested.iter().filter(|name| {
        let name = name.trim_start_matches('-');
        !NEVER_SUGGESTED.contains(&name)
    });
    // The last one is the most similar.
    let name = suggested.next_back()?;
    Some(format!("a similar {what} exists: '{name}'"))
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    }
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Every command's name, as it is and as others call it.
    fn words() -> Vec<String> {
        let own = super::super::Cli::command();
        let own = own.get_subcommands().map(|it| it.get_name().to_owned());
        let foreign = COMMANDS.iter().flat_map(|(names, _)| names.iter());
        own.chain(foreign.map(ToString::to_string)).collect()
    }

    fn meant_of(line: &str) -> String {
        let words = std::iter::once("stackctl").chain(line.split_whitespace());
        let meant = meant(words.map(OsString::from));
        let meant: Vec<_> = meant
            .iter()
            .skip(1)
            .map(|it| it.to_string_lossy())
            .collect();
        meant.join(" ")
    }

    #[test]
    fn a_single_dash_and_other_words_are_read_as_they_are_meant() {
        for (typed, meant) in [
            ("apply -auto-approve -out=x", "apply --auto-approve --out=x"),
            ("plan -var a=b -var-file f", "plan --var a=b --var-file f"),
            (
                "plan -target=q -refresh=false",
                "plan --target=q --refresh=false",
            ),
            ("outputs -raw url -json", "outputs --raw url --json"),
            ("apply -y -C dir", "apply -y -C dir"),
            ("-Cdir apply -yh", "-Cdir apply -yh"),
            ("apply -- -var", "apply -- -var"),
            ("help", "--help"),
            ("help plan", "plan --help"),
            ("-C dir help state mv", "-C dir state mv --help"),
            ("version", "--version"),
            ("-version", "--version"),
            ("apply help", "apply help"),
            ("plan -1", "plan -1"),
        ] {
            assert_eq!(meant_of(typed), meant, "{typed}");
        }
    }

    fn message(line: &str) -> String {
        let words: Vec<OsString> = std::iter::once("stackctl")
            .chain(line.split_whitespace())
            .map(OsString::from)
            .collect();
        let words = meant(words);
        let error = super::super::Cli::command()
            .try_get_matches_from(&words)
            .expect_err(line);
        advised(error, &words).render().to_string()
    }

    #[test]
    fn no_slip_of_the_finger_leads_to_a_deletion() {
        let letters = "abcdefghijklmnopqrstuvwxyz";
        let mut slips = vec!["test".to_owned(), "destory".to_owned(), "don".to_owned()];
        for word in ["destroy", "down"] {
            for at in 0..word.len() {
                slips.push(format!("{}{}", &word[..at], &word[at + 1..]));
                for letter in letters.chars() {
                    slips.push(format!("{}{letter}{}", &word[..at], &word[at + 1..]));
                    slips.push(format!("{}{letter}{}", &word[..at], &word[at..]));
                }
            }
        }
        slips.extend(words().iter().map(|word| format!("{word}x")));
        let own = words();
        for slip in slips.iter().filter(|slip| !own.contains(slip)) {
            if ["destroy", "down"].contains(&slip.as_str()) {
                continue;
            }
            let told = message(slip);
            let told = told.replacen(&format!("'{slip}'"), "", 1);
            let bad = told.contains("destroy") || told.contains("'down'");
            assert!(!bad, "{slip}: {told}");
        }
    }

    #[test]
    fn the_names_of_other_tools_lead_to_the_right_ones() {
        for (typed, tip) in [
            ("deploy", "stackctl apply"),
            ("diff", "stackctl plan"),
            ("stack ls", "stackctl state list"),
            ("aply", "'apply'"),
            ("apply --dry-run", "use stackctl plan"),
            (
                "plan --region x",
                "set providers.aws.region in the stack file, or AWS_REGION",
            ),
            ("plan --profile x", "AWS_PROFILE"),
            ("plan -refresh-only", "stackctl drift"),
            ("apply --destroy", "plan --destroy"),
            ("state ls", "'list'"),
            ("plan --locall", "'--local'"),
            ("plan -s x", "name the stack without a flag"),
        ] {
            let told = message(typed);
            assert!(told.contains(tip), "{typed}: {told}");
            assert!(!told.contains("as a value"), "{typed}: {told}");
        }
    }
}
