//! The help texts.

use super::*;

fn help(command: &str) -> String {
    let mut all = Cli::command().term_width(100);
    all.build();
    match command {
        "" => all.render_help().to_string(),
        name => match all.find_subcommand_mut(name) {
            Some(found) => found.render_help().to_string(),
            None => panic!("{name} is no command"),
        },
    }
}

#[test]
fn the_help_of_stackctl() {
    insta::assert_snapshot!(help(""), @"
    Deploys AWS stacks written in YAML

    Usage: stackctl [OPTIONS] <COMMAND>

    Commands:
      validate   Check the stack file, offline
      plan       Show what apply would change [alias: preview]
      apply      Plan, ask, and apply the changes [alias: up]
      outputs    Print the stack's outputs [alias: output]
      destroy    Plan the deletion of the stack, ask, and delete [alias: down]
      drift      Show what changed outside: what was last applied against what is live
      refresh    Record what is live in the state, and change nothing else
      import     Import existing resources, without a change to them
      connect    Connect to the stack's WebSocket API, send messages, print the replies
      logs       Show what the stack's functions log
      invoke     Invoke a function of the stack, and print what it returns
      local      Serve the local cloud to other programs, until Ctrl-C
      state      Look at the state, and repair it
      types      Show what types there are, and what one of them takes
      functions  Show the functions of expressions, and what else they may have in them
      schema     Write the JSON Schema of stack files, for editors

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    A stack is a file such as stacks/web.yaml; its state is kept as JSON in state/web.json.
    Each command has more to say: stackctl apply --help

    Examples:
      stackctl apply --local --yes     try it without an account, on the local cloud
      stackctl plan                    the only stack in stacks/
      stackctl apply web --env prod    stacks/web.yaml with the values of stacks/web.prod.yaml
      stackctl outputs --json          the stack's outputs, for a script

    Exit codes:
      0    done
      1    failed, declined, or a bad flag
      2    there are changes (with --detailed-exitcode), or drift
      3    the stack file is wrong
      4    another run holds the state's lock
      5    the saved plan is stale: what it was decided on has changed
      130  interrupted
    ");
}

#[test]
fn the_help_of_validate() {
    insta::assert_snapshot!(help("validate"), @"
    Check the stack file, offline

    Usage: stackctl validate [OPTIONS] [STACK]

    Arguments:
      [STACK]  A stack's name under stacks/, or a path; not needed while there is only one

    Options:
          --strict  Refuse what leads out of the project: files outside of its folder, and an endpoint
                    that is not on this machine
      -h, --help    Print help

    Variables:
          --env <ENV>         Take variable values from stacks/<STACK>.<ENV>.yaml and keep a state of
                              its own
          --var <NAME=VALUE>  Set a variable; may be given many times. STACKCTL_VAR_<NAME> does so too
          --var-file <FILE>   Take variable values from a YAML or JSON file; may be given many times

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    Every mistake is reported at once, each with its place in the file. No call is made.
    ");
}

#[test]
fn the_help_of_local() {
    insta::assert_snapshot!(help("local"), @"
    Serve the local cloud to other programs, until Ctrl-C

    Usage: stackctl local [OPTIONS]

    Options:
          --port <PORT>  The port to listen on; 0 takes a free one [default: 4566]
      -h, --help         Print help

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    Serves what apply --local keeps in .stackctl/local, on 127.0.0.1 only: the AWS API of its
    services, for the AWS CLI and the SDKs (--endpoint-url http://127.0.0.1:4566, keys test and
    test), and the APIs of the stacks. While it runs, other commands with --local go on working.

    Examples:
      stackctl local
      stackctl local --port 0    on any free port
      stackctl local --json      one line of JSON once it listens, for a script
    ");
}

#[test]
fn the_help_of_schema() {
    insta::assert_snapshot!(help("schema"), @"
    Write the JSON Schema of stack files, for editors

    Usage: stackctl schema [OPTIONS] [TYPE]...

    Arguments:
      [TYPE]...  Types of the registry whose properties are included too

    Options:
      -h, --help  Print help

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    Writes .stackctl/schema.json in the project's folder. An editor with the YAML language
    server (VS Code, Neovim, Zed and others) then completes, explains and checks a stack
    file whose first line is:

      # yaml-language-server: $schema=../.stackctl/schema.json

    All types complete. Properties are completed and checked for the native types, and for
    the types of the registry that the files in stacks/ use or that are named here; run the
    command again after a stack begins to use another one. No call is made.

    Examples:
      stackctl schema
      stackctl schema AWS::DynamoDB::Table    with the properties of a type not used yet
      stackctl schema --json                  print the schema, write no file
    ");
}

#[test]
fn the_help_of_plan() {
    insta::assert_snapshot!(help("plan"), @"
    Show what apply would change

    Usage: stackctl plan [OPTIONS] [STACK]

    Arguments:
      [STACK]  A stack's name under stacks/, or a path; not needed while there is only one

    Options:
          --target <ADDRESS>   Only this resource and those that must go with it; may be given many
                               times
          --exclude <ADDRESS>  Skip this resource and those that depend on it; may be given many times
          --refresh[=<BOOL>]   Whether to read the live resources; --refresh=false trusts the state
                               [default: true]
          --parallelism <N>    How many steps may be in progress at once [default: 32]
          --show-secrets       Print secret values in clear
          --replace <ADDRESS>  Replace this resource though it need not be; may be given many times
          --detailed-exitcode  Exit with 2 when there are changes, 0 when there are none
          --out <FILE>         Save the plan in this file, for apply --plan
          --destroy            Plan the deletion of the stack, as destroy would
      -h, --help               Print help

    Variables:
          --env <ENV>         Take variable values from stacks/<STACK>.<ENV>.yaml and keep a state of
                              its own
          --var <NAME=VALUE>  Set a variable; may be given many times. STACKCTL_VAR_<NAME> does so too
          --var-file <FILE>   Take variable values from a YAML or JSON file; may be given many times

    Cloud and state:
          --local                Use the local cloud in this binary; its contents are kept under
                                 .stackctl/local/
          --endpoint-url <URL>   Send every call to this address, an emulator's for example
          --strict               Refuse what leads out of the project: files outside of its folder, an
                                 endpoint in the stack file that is not on this machine, and any that is
                                 not encrypted
          --state <PATH>         The state: a file or s3://bucket/key, in place of state/<STACK>.json
          --state-key <FILE>     Open the secrets in the state with the age identity in this file; so do
                                 STACKCTL_STATE_KEY_FILE, STACKCTL_STATE_KEY and
                                 STACKCTL_STATE_PASSPHRASE
          --lock-timeout <TIME>  Wait so long for another run to give the state's lock back: 90s, 5m,
                                 1h30m

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    Reads the live resources and prints the differences. Nothing is changed.

    Examples:
      stackctl plan                        the only stack in stacks/
      stackctl plan web --var size=2       with a variable set
      stackctl plan --json                 for a script
      stackctl plan --out web.plan         save it; apply --plan web.plan does exactly that
      stackctl plan --detailed-exitcode    exit code 2 when there is something to do
    ");
}

#[test]
fn the_help_of_apply() {
    insta::assert_snapshot!(help("apply"), @"
    Plan, ask, and apply the changes

    Usage: stackctl apply [OPTIONS] [STACK]

    Arguments:
      [STACK]  A stack's name under stacks/, or a path; not needed while there is only one

    Options:
          --target <ADDRESS>   Only this resource and those that must go with it; may be given many
                               times
          --exclude <ADDRESS>  Skip this resource and those that depend on it; may be given many times
          --refresh[=<BOOL>]   Whether to read the live resources; --refresh=false trusts the state
                               [default: true]
          --parallelism <N>    How many steps may be in progress at once [default: 32]
          --show-secrets       Print secret values in clear
          --replace <ADDRESS>  Replace this resource though it need not be; may be given many times
      -y, --yes                Do not ask; needed where there is no terminal [alias: --auto-approve]
          --plan <FILE>        Apply the plan that plan --out saved, without a question, if it still
                               holds
          --verify[=<BOOL>]    Check that a plan right after the apply would be empty: =true reads all
                               resources again, =false skips the check; without the flag the check uses
                               the results of the apply
      -h, --help               Print help

    Variables:
          --env <ENV>         Take variable values from stacks/<STACK>.<ENV>.yaml and keep a state of
                              its own
          --var <NAME=VALUE>  Set a variable; may be given many times. STACKCTL_VAR_<NAME> does so too
          --var-file <FILE>   Take variable values from a YAML or JSON file; may be given many times

    Cloud and state:
          --local                Use the local cloud in this binary; its contents are kept under
                                 .stackctl/local/
          --endpoint-url <URL>   Send every call to this address, an emulator's for example
          --strict               Refuse what leads out of the project: files outside of its folder, an
                                 endpoint in the stack file that is not on this machine, and any that is
                                 not encrypted
          --state <PATH>         The state: a file or s3://bucket/key, in place of state/<STACK>.json
          --state-key <FILE>     Open the secrets in the state with the age identity in this file; so do
                                 STACKCTL_STATE_KEY_FILE, STACKCTL_STATE_KEY and
                                 STACKCTL_STATE_PASSPHRASE
          --lock-timeout <TIME>  Wait so long for another run to give the state's lock back: 90s, 5m,
                                 1h30m

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    Steps that do not depend on each other run at the same time. When one fails, the
    independent ones go on, the state keeps what was done, and the next apply goes on
    from there. Ctrl-C starts nothing new and ends what only waits; calls on their way are
    waited for. A second one leaves at once.

    Examples:
      stackctl apply                      asks before it changes anything
      stackctl apply --yes --local        on the local cloud, without an account
      stackctl apply --replace queue      replace one resource
      stackctl apply --plan web.plan      what plan --out web.plan showed, or exit code 5
      stackctl apply --yes --json         one JSON object a line, for a script
    ");
}

#[test]
fn the_help_of_outputs() {
    insta::assert_snapshot!(help("outputs"), @"
    Print the stack's outputs

    Usage: stackctl outputs [OPTIONS] [STACK|NAME] [NAME]

    Arguments:
      [STACK|NAME]  A stack's name or path, or else an output's name
      [NAME]        An output's name

    Options:
          --raw [<NAME>]  Print the bare value of this output: a string without quotes, no line end
          --show-secrets  Print secret values in clear
      -h, --help          Print help

    Variables:
          --env <ENV>         Take variable values from stacks/<STACK>.<ENV>.yaml and keep a state of
                              its own
          --var <NAME=VALUE>  Set a variable; may be given many times. STACKCTL_VAR_<NAME> does so too
          --var-file <FILE>   Take variable values from a YAML or JSON file; may be given many times

    Cloud and state:
          --local               Use the local cloud in this binary; its contents are kept under
                                .stackctl/local/
          --endpoint-url <URL>  Send every call to this address, an emulator's for example
          --strict              Refuse what leads out of the project: files outside of its folder, an
                                endpoint in the stack file that is not on this machine, and any that is
                                not encrypted
          --state <PATH>        The state: a file or s3://bucket/key, in place of state/<STACK>.json
          --state-key <FILE>    Open the secrets in the state with the age identity in this file; so do
                                STACKCTL_STATE_KEY_FILE, STACKCTL_STATE_KEY and
                                STACKCTL_STATE_PASSPHRASE

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    Reads the state only. One name means a stack where there is a stack of that name, and
    an output otherwise; of two names the first is the stack and the second the output.

    Examples:
      stackctl outputs                    all outputs of the only stack
      stackctl outputs web Queue          one output of stacks/web.yaml
      stackctl outputs --json             one object, name to value
      url=$(stackctl outputs --raw Queue) the bare value, for a shell
    ");
}

#[test]
fn the_help_of_destroy() {
    insta::assert_snapshot!(help("destroy"), @"
    Plan the deletion of the stack, ask, and delete

    Usage: stackctl destroy [OPTIONS] [STACK]

    Arguments:
      [STACK]  A stack's name under stacks/, or a path; not needed while there is only one

    Options:
          --target <ADDRESS>   Only this resource and those that must go with it; may be given many
                               times
          --exclude <ADDRESS>  Skip this resource and those that depend on it; may be given many times
          --refresh[=<BOOL>]   Whether to read the live resources; --refresh=false trusts the state
                               [default: true]
          --parallelism <N>    How many steps may be in progress at once [default: 32]
          --show-secrets       Print secret values in clear
      -y, --yes                Do not ask; needed where there is no terminal [alias: --auto-approve]
      -h, --help               Print help

    Variables:
          --env <ENV>         Take variable values from stacks/<STACK>.<ENV>.yaml and keep a state of
                              its own
          --var <NAME=VALUE>  Set a variable; may be given many times. STACKCTL_VAR_<NAME> does so too
          --var-file <FILE>   Take variable values from a YAML or JSON file; may be given many times

    Cloud and state:
          --local                Use the local cloud in this binary; its contents are kept under
                                 .stackctl/local/
          --endpoint-url <URL>   Send every call to this address, an emulator's for example
          --strict               Refuse what leads out of the project: files outside of its folder, an
                                 endpoint in the stack file that is not on this machine, and any that is
                                 not encrypted
          --state <PATH>         The state: a file or s3://bucket/key, in place of state/<STACK>.json
          --state-key <FILE>     Open the secrets in the state with the age identity in this file; so do
                                 STACKCTL_STATE_KEY_FILE, STACKCTL_STATE_KEY and
                                 STACKCTL_STATE_PASSPHRASE
          --lock-timeout <TIME>  Wait so long for another run to give the state's lock back: 90s, 5m,
                                 1h30m

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    Deletes everything the state holds, what others use last. A resource with the option
    protect stops it; one with retainOnDelete is left alone.

    Examples:
      stackctl destroy                    asks before it deletes anything
      stackctl destroy web --env dev      stacks/web.yaml as deployed with --env dev
      stackctl destroy --target queue     one resource and those that need it
    ");
}

#[test]
fn the_help_of_logs() {
    insta::assert_snapshot!(help("logs"), @r#"
    Show what the stack's functions log

    Usage: stackctl logs [OPTIONS] [STACK|ADDRESS]...

    Arguments:
      [STACK|ADDRESS]...  A stack's name or path, then addresses; no address means all

    Options:
      -f, --follow            Go on with new lines, until Ctrl-C
          --since <TIME>      From how long ago on: 90s, 10m, 1h30m [default: 10m]
          --filter <PATTERN>  Only lines that match this filter pattern
      -h, --help              Print help

    Variables:
          --env <ENV>         Take variable values from stacks/<STACK>.<ENV>.yaml and keep a state of
                              its own
          --var <NAME=VALUE>  Set a variable; may be given many times. STACKCTL_VAR_<NAME> does so too
          --var-file <FILE>   Take variable values from a YAML or JSON file; may be given many times

    Cloud and state:
          --local               Use the local cloud in this binary; its contents are kept under
                                .stackctl/local/
          --endpoint-url <URL>  Send every call to this address, an emulator's for example
          --strict              Refuse what leads out of the project: files outside of its folder, an
                                endpoint in the stack file that is not on this machine, and any that is
                                not encrypted
          --state <PATH>        The state: a file or s3://bucket/key, in place of state/<STACK>.json
          --state-key <FILE>    Open the secrets in the state with the age identity in this file; so do
                                STACKCTL_STATE_KEY_FILE, STACKCTL_STATE_KEY and
                                STACKCTL_STATE_PASSPHRASE

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    Reads the log groups of the stack's functions, also those that Lambda created, and merges
    their lines by time. An address may also be that of a log group of the stack. The first name
    may be a stack; every other one is an address. Patterns are those of CloudWatch Logs: ERROR,
    "two words", ?this ?that, -without, { $.level = "ERROR" }.

    Examples:
      stackctl logs                       the last 10 minutes of all functions
      stackctl logs responder --follow    one function, until Ctrl-C
      stackctl logs --since 2h --filter ERROR
      stackctl logs --local --json        of the local cloud, one JSON object a line
    "#);
}

#[test]
fn the_help_of_invoke() {
    insta::assert_snapshot!(help("invoke"), @r#"
    Invoke a function of the stack, and print what it returns

    Usage: stackctl invoke [OPTIONS] [STACK|ADDRESS]...

    Arguments:
      [STACK|ADDRESS]...  A stack's name or path, and the function's address; each not needed while
                          there is only one

    Options:
          --payload <JSON|@FILE>  The event: JSON, @FILE, or @- for the standard input; without it {}
          --logs                  Print the last lines of the function's log as well
      -h, --help                  Print help

    Variables:
          --env <ENV>         Take variable values from stacks/<STACK>.<ENV>.yaml and keep a state of
                              its own
          --var <NAME=VALUE>  Set a variable; may be given many times. STACKCTL_VAR_<NAME> does so too
          --var-file <FILE>   Take variable values from a YAML or JSON file; may be given many times

    Cloud and state:
          --local               Use the local cloud in this binary; its contents are kept under
                                .stackctl/local/
          --endpoint-url <URL>  Send every call to this address, an emulator's for example
          --strict              Refuse what leads out of the project: files outside of its folder, an
                                endpoint in the stack file that is not on this machine, and any that is
                                not encrypted
          --state <PATH>        The state: a file or s3://bucket/key, in place of state/<STACK>.json
          --state-key <FILE>    Open the secrets in the state with the age identity in this file; so do
                                STACKCTL_STATE_KEY_FILE, STACKCTL_STATE_KEY and
                                STACKCTL_STATE_PASSPHRASE

    Flags of every command:
      -C, --directory <DIR>  Run as if started in this folder
          --json             Print JSON on stdout, and nothing else there
          --no-color         No colours; so does NO_COLOR in the environment

    Waits for the result and prints it on stdout. An error of the function is printed as well, and
    the exit code is 1. With --local the function runs on this machine, as you and not in a
    sandbox: in the process of stackctl local where that runs, else in this one.

    Examples:
      stackctl invoke responder --payload '{"Records": []}'
      stackctl invoke web responder --payload @event.json --logs
      stackctl invoke responder --local --json
    "#);
}
