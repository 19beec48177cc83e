//! What a saved plan says of where its calls and its state go is checked: this command line, its
//! environment and this folder must say the same, or the user must confirm, by name.

use super::args::{ApplyArgs, GlobalArgs, InputArgs, RunArgs};
use super::error::CliError;
use super::exit::Exit;
use super::{confirm, find, output, place, provider};
use crate::content::Disk;
use crate::engine::head::Head;
use crate::lang::eval::evaluate;
use crate::lang::stack::Stack;
use crate::report::terminal::escape;
use crate::resource::aws::connect::{Settings, connect};
use crate::resource::endpoint::without_password;
use crate::saved::SavedPlan;
use serde_json::Value;
use std::path::PathBuf;

/// Something that the plan says and this command line does not.
struct Claim {
    what: &'static str,
    /// As the plan has it.
    plan: String,
    /// As it would be without the plan.
    here: String,
    /// What to type to say the same.
    say: String,
}

/// Asks for what only the plan says: its stack file, local cloud, endpoint, state, profile and
/// role. `--yes` does not answer this.
///
/// # Errors
/// When the user does not say yes, or cannot be asked.
pub(super) async fn agree(
    global: &GlobalArgs,
    plan: &SavedPlan,
    args: &ApplyArgs,
    run: &RunArgs,
) -> Result<(), CliError> {
    let mut claims = Vec::new();
    if args.stack.name.is_none() {
        claims.extend(other_file(&plan.command.file)?);
    }
    if plan.command.local && !args.run.cloud.local {
        claims.push(Claim {
            what: "cloud",
            plan: "the local cloud".to_owned(),
            here: "AWS".to_owned(),
            say: "--local".to_owned(),
        });
    }
    claims.extend(other_place(plan, args, run).await);
    if claims.is_empty() {
        return Ok(());
    }
    let mut text = "The saved plan says what this command line does not:\n".to_owned();
    for claim in &claims {
        let secrets = output::secrets();
        let (plan, here) = (secrets.hide(&claim.plan), secrets.hide(&claim.here));
        let row = format!("  {}: {plan} (here: {here})", claim.what);
        text.push_str(&format!("{}\n", escape(&row)));
    }
    let question = "Is this where the plan is to be applied? Only \"yes\" is accepted: ";
    if confirm::can_ask(global.json) {
        output::message(&text);
        if confirm::confirm(question, false, false).await? {
            return Ok(());
        }
        output::message("Cancelled. No changes were made.\n");
        return Err(CliError::silent(Exit::Failed));
    }
    let say: Vec<&str> = claims.iter().map(|claim| claim.say.as_str()).collect();
    let mut error = CliError::new(
        "The saved plan says what this command line does not, and nobody can be asked. --yes does not answer this.",
    )
    .now("Nothing was called or changed.")
    .hint(format!("If that is meant, say the same: {}.", say.join(" ")));
    error.chain = claims
        .iter()
        .map(|claim| {
            format!(
                "the {} is {}, and {} here",
                claim.what, claim.plan, claim.here
            )
        })
        .collect();
    Err(error)
}

/// A stack file that is none of this folder's stacks.
fn other_file(file: &str) -> Result<Option<Claim>, CliError> {
    // Whoever opens one that does not exist reports it.
    let Ok(real) = std::fs::canonicalize(file) else {
        return Ok(None);
    };
    let known = find::stacks()?;
    let is_here = |path: &PathBuf| std::fs::canonicalize(path).is_ok_and(|it| it == real);
    if known.iter().any(is_here) {
        return Ok(None);
    }
    Ok(Some(Claim {
        what: "stack file",
        plan: file.to_owned(),
        here: "a stack in stacks/".to_owned(),
        say: file.to_owned(),
    }))
}

/// Where calls and the state go, as far as the stack file says; each none where it cannot be
/// evaluated.
struct Places {
    endpoint: Option<Value>,
    state: Option<Value>,
    profile: Option<Value>,
    role: Option<Value>,
}

/// The stack with such an input, and what it says.
fn places(file: &str, input: &InputArgs, run: &RunArgs) -> Option<Places> {
    let stack = find::load(Some(file), input, &run.cloud).ok()?.stack;
    let reader = Disk::new(&stack.dir);
    let values = provider::values(&stack, &reader);
    let known = |template: &Value| {
        let found = evaluate(template, &values).ok()?;
        found.is_known().then_some(match found.value {
            Value::String(text) if text.is_empty() => Value::Null,
            value => value,
        })
    };
    let setting = |key: &str| stack.aws.get(key).map_or(Some(Value::Null), known);
    let role = match setting("assumeRoleArn") {
        Some(Value::Null) => setting("assumeRole"),
        role => role,
    };
    let endpoint = match &run.cloud.endpoint_url {
        Some(url) => Some(url.clone().into()),
        None => setting("endpointUrl"),
    };
    let (profile, state) = (
        setting("profile"),
        state_of(&stack, known(&stack.state), run),
    );
    Some(Places {
        endpoint,
        state,
        profile,
        role,
    })
}

fn state_of(stack: &Stack, state: Option<Value>, run: &RunArgs) -> Option<Value> {
    match (&run.cloud.state, state) {
        (Some(path), _) => Some(path.display().to_string().into()),
        (None, Some(Value::Null)) => Some(place::usual(stack).name().into()),
        (None, state) => state,
    }
}

/// The endpoint, the state, the profile and the role, where the plan's own variables and flags
/// make them others.
async fn other_place(plan: &SavedPlan, args: &ApplyArgs, run: &RunArgs) -> Vec<Claim> {
    let file = &plan.command.file;
    let own = InputArgs {
        env: plan.command.env.clone(),
        ..args.run.input.clone()
    };
    // What cannot be loaded or evaluated with what the plan says, the run itself reports.
    let (Some(planned), Some(here)) =
        (places(file, &run.input, run), places(file, &own, &args.run))
    else {
        return Vec::new();
    };
    let flags = &run.cloud;
    let endpoint = match &here.endpoint {
        Some(Value::Null) if planned.endpoint != here.endpoint => of_environment(&here).await,
        own => own.clone(),
    };
    let state_flag = flags.state.as_ref();
    let rows = [
        (
            "endpoint",
            (planned.endpoint, endpoint),
            "AWS's own",
            flags.endpoint_url.as_ref().map(|_| "--endpoint-url"),
        ),
        (
            "state",
            (planned.state, here.state),
            "none",
            state_flag.map(|_| "--state"),
        ),
        ("AWS profile", (planned.profile, here.profile), "none", None),
        ("role", (planned.role, here.role), "none", None),
    ];
    let mut claims = Vec::new();
    for (what, (plan, here), none, flag) in rows {
        let is_remote = what != "state";
        if plan.is_none() || plan == here || (is_remote && flags.local && flag.is_none()) {
            continue;
        }
        let shown = |value: Option<Value>| match value {
            None => "not known without the variables of the plan".to_owned(),
            Some(Value::Null) => none.to_owned(),
            Some(Value::String(text)) => without_password(&text),
            Some(other) => other.to_string(),
        };
        let plan = shown(plan);
        claims.push(Claim {
            what,
            here: shown(here),
            say: match flag {
                Some(flag) => format!("{flag} {plan}"),
                None => "the same --var and --var-file".to_owned(),
            },
            plan,
        });
    }
    claims
}

/// The address that all calls go to by the environment or the profile.
async fn of_environment(here: &Places) -> Option<Value> {
    let text = |value: &Option<Value>| value.as_ref()?.as_str().map(str::to_owned);
    let settings = Settings {
        profile: text(&here.profile),
        // Any will do: nothing is called.
        region: Some("us-east-1".to_owned()),
        ..Settings::default()
    };
    let aws = connect(&settings).await.ok()?;
    match aws.endpoints() {
        [one] if one.service.is_none() => Some(one.url.clone().into()),
        [] => Some(Value::Null),
        several => {
            let urls = several.iter().map(|one| one.url.as_str());
            Some(urls.collect::<Vec<_>>().join(", ").into())
        }
    }
}

/// Refuses a plan whose head is not that of this run: it was made where another environment or
/// profile decided, or its head was altered.
///
/// # Errors
/// Names what differs; the exit code is that of a stale plan.
pub(super) fn check_head(plan: &SavedPlan, head: &Head) -> Result<(), CliError> {
    let differences = plan.plan.head.differences(head);
    if differences.is_empty() {
        return Ok(());
    }
    let mut error = CliError::new("The saved plan was made for another place than this run's.")
        .exit(Exit::Stale)
        .now("Nothing was changed.")
        .hint("Make the plan again with plan --out, look at it, and apply that.");
    let told = |(what, was, is): &(&str, String, String)| format!("{what} was {was} and is {is}");
    error.chain = differences.iter().map(told).collect();
    Err(error)
}
