//! What is accepted and what is refused.

mod help;

use super::*;
use clap::CommandFactory;

fn parsed(line: &str) -> Result<Command, String> {
    Cli::try_parse_from(line.split(' '))
        .map(|cli| cli.command)
        .map_err(|error| error.to_string())
}

fn refusal(line: &str) -> String {
    match parsed(line) {
        Ok(command) => panic!("{line} was accepted: {command:?}"),
        Err(text) => text.lines().next().unwrap_or_default().to_owned(),
    }
}

#[test]
fn the_declaration_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn the_version_is_name_and_number() {
    for flag in ["-V", "--version"] {
        let shown = Cli::try_parse_from(["stackctl", flag]).map_err(|error| error.to_string());
        let expected = format!("stackctl {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(shown.err(), Some(expected));
    }
}

/// A lock says which command holds it.
#[test]
fn a_command_is_called_as_it_is_typed() {
    let mut typed = 0;
    for command in Cli::command().get_subcommands() {
        if command.get_name() != "state" {
            continue;
        }
        for below in command
            .get_subcommands()
            .filter(|it| it.get_name() != "help")
        {
            let name = format!("state {}", below.get_name());
            let line = format!("stackctl {name} a b");
            let line = match below.get_name() {
                "list" | "history" | "rebuild" | "unlock" | "rekey" | "pull" => {
                    format!("stackctl {name}")
                }
                "migrate" => format!("stackctl {name} --to s3://bucket/key"),
                "mv" => line,
                _ => format!("stackctl {name} a"),
            };
            let words = line.split(' ').map(OsString::from);
            let Ok(cli) = parse(words) else {
                panic!("{line} is refused");
            };
            assert_eq!(cli.global.command, name);
            typed += 1;
        }
    }
    assert!(typed >= 12, "{typed}");
}

#[test]
fn flags_are_read_as_documented() {
    let Ok(Command::Plan(plan)) = parsed(
        "stackctl preview web --var a=b=c --var e= --var-file v.yaml --env dev --target a \
         --target b --exclude c --replace d --refresh=false --parallelism 4 --local \
         --detailed-exitcode --show-secrets --state s.json",
    ) else {
        panic!("refused");
    };
    assert_eq!(plan.stack.name.as_deref(), Some("web"));
    let pair = |name: &str, value: &str| Assignment {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(plan.run.input.vars, [pair("a", "b=c"), pair("e", "")]);
    assert_eq!(plan.run.targets, ["a", "b"]);
    assert_eq!(plan.replace.addresses, ["d"]);
    assert!(!plan.run.refresh && plan.run.cloud.local && plan.detailed_exitcode);
    assert_eq!(plan.run.parallelism, 4);

    let Ok(Command::Plan(plan)) = parsed("stackctl plan") else {
        panic!("refused");
    };
    assert!(plan.run.refresh && !plan.detailed_exitcode);
    assert_eq!((plan.run.parallelism, plan.stack.name), (32, None));
}

#[test]
fn each_way_to_say_yes_is_one() {
    for flag in ["-y", "--yes", "--auto-approve"] {
        for command in ["apply", "up", "destroy", "down"] {
            let yes = match parsed(&format!("stackctl {command} {flag}")) {
                Ok(Command::Apply(apply)) => apply.consent.yes,
                Ok(Command::Destroy(destroy)) => destroy.consent.yes,
                other => panic!("{other:?}"),
            };
            assert!(yes, "{command} {flag}");
        }
    }
}

#[test]
fn global_flags_stand_anywhere() {
    for line in [
        "stackctl -C x --json plan --no-color",
        "stackctl plan --json -C x --no-color",
    ] {
        let Ok(cli) = Cli::try_parse_from(line.split(' ')) else {
            panic!("{line} was refused");
        };
        assert!(cli.global.json && cli.global.no_color, "{line}");
        assert_eq!(cli.global.directory, Some(PathBuf::from("x")));
    }
}

#[test]
fn mistakes_are_refused() {
    let lines = [
        "stackctl",
        "stackctl plan --parallelism 0",
        "stackctl plan --var x",
        "stackctl plan --var =x",
        "stackctl plan --refresh=maybe",
        "stackctl plan --destroy --replace a",
        "stackctl plan a b",
        "stackctl apply --local --endpoint-url http://x",
        "stackctl destroy --replace a",
        "stackctl outputs --raw a --json",
        "stackctl drive",
    ];
    let refusals: Vec<String> = lines
        .map(|line| format!("{line}\n  {}", refusal(line)))
        .into();
    insta::assert_snapshot!(refusals.join("\n"), @"
    stackctl
      Deploys AWS stacks written in YAML
    stackctl plan --parallelism 0
      error: invalid value '0' for '--parallelism <N>': 0 is not in 1..=65535
    stackctl plan --var x
      error: invalid value 'x' for '--var <NAME=VALUE>': expected NAME=VALUE
    stackctl plan --var =x
      error: invalid value '=x' for '--var <NAME=VALUE>': expected NAME=VALUE
    stackctl plan --refresh=maybe
      error: invalid value 'maybe' for '--refresh[=<BOOL>]'
    stackctl plan --destroy --replace a
      error: the argument '--destroy' cannot be used with '--replace <ADDRESS>'
    stackctl plan a b
      error: unexpected argument 'b' found
    stackctl apply --local --endpoint-url http://x
      error: the argument '--local' cannot be used with '--endpoint-url <URL>'
    stackctl destroy --replace a
      error: unexpected argument '--replace' found
    stackctl outputs --raw a --json
      error: the argument '--raw [<NAME>]' cannot be used with '--json'
    stackctl drive
      error: unrecognized subcommand 'drive'
    ");
}

#[test]
fn outputs_distinguishes_stack_and_output() {
    let request = |line: &str| match parsed(line) {
        Ok(Command::Outputs(outputs)) => outputs
            .request(|name| name == "web")
            .map(|request| (request.stack, request.name, request.raw)),
        other => panic!("{other:?}"),
    };
    let asked = |stack: &str, name: &str, raw| {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok((some(stack), some(name), raw))
    };
    for (line, expected) in [
        ("stackctl outputs", asked("", "", false)),
        ("stackctl outputs web", asked("web", "", false)),
        ("stackctl outputs Queue", asked("", "Queue", false)),
        (
            "stackctl outputs stacks/gone.yaml",
            asked("stacks/gone.yaml", "", false),
        ),
        ("stackctl output web Queue", asked("web", "Queue", false)),
        ("stackctl outputs gone web", asked("gone", "web", false)),
        ("stackctl outputs --raw Queue", asked("", "Queue", true)),
        ("stackctl outputs Queue --raw", asked("", "Queue", true)),
        (
            "stackctl outputs web --raw Queue",
            asked("web", "Queue", true),
        ),
        (
            "stackctl outputs --raw Queue web",
            asked("web", "Queue", true),
        ),
        (
            "stackctl outputs web Queue --raw",
            asked("web", "Queue", true),
        ),
    ] {
        assert_eq!(request(line), expected, "{line}");
    }
    assert!(request("stackctl outputs --raw").is_err());
    assert!(request("stackctl outputs web A --raw B").is_err());
}
