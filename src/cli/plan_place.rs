//! What a saved plan says of where its calls and its state go is checked: this command line, its
//! environment and this folder must say the same, or the user is asked, by name.

use super::args::{ApplyArgs, GlobalArgs, InputArgs, RunArgs};
use super::error::CliError;
use super::exit::Exit;
use super::provider::{self, Provider};
use super::{confirm, find, output, place, session};
use crate::engine::head::{Head, without_password};
use crate::lang::stack::Stack;
use crate::report::terminal::escape;
use crate::resource::aws::connect::{AssumeRole, Settings};
use crate::saved::SavedPlan;
use std::path::Path;

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
    claims.extend(other_place(plan, args, run).await?);
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
        return Err(CliError::new("The saved plan was not applied.").now("Nothing was changed."));
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
    // One that does not exist is told by whoever opens it.
    let Ok(real) = std::fs::canonicalize(file) else {
        return Ok(None);
    };
    let known = find::stacks()?;
    let is_here =
        |path: &std::path::PathBuf| std::fs::canonicalize(path).is_ok_and(|it| it == real);
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

/// The endpoint, the state, the profile and the role, where the plan's own variables and flags
/// make them others.
async fn other_place(
    plan: &SavedPlan,
    args: &ApplyArgs,
    run: &RunArgs,
) -> Result<Vec<Claim>, CliError> {
    // What cannot be evaluated with what the plan says is told by the run itself.
    let Some((stack, planned)) = settled(&plan.command.file, &run.input, run) else {
        return Ok(Vec::new());
    };
    let own = InputArgs {
        env: plan.command.env.clone(),
        ..args.run.input.clone()
    };
    let here = settled(&plan.command.file, &own, &args.run);
    let known = here.is_some();
    let (here_stack, here) = here.unwrap_or_default();
    let unknown = "not known without the variables of the plan";
    let told = |text: Option<String>, none: &str| match (known, text) {
        (false, None) => unknown.to_owned(),
        (_, text) => text.unwrap_or_else(|| none.to_owned()),
    };
    let mut claims = Vec::new();
    let again = "the same --var and --var-file";
    let (url, own_url) = (&planned.settings.endpoint_url, &here.settings.endpoint_url);
    if !run.cloud.local && url != own_url {
        let own = effective(&here.settings, own_url).await;
        if url.as_ref() != own.as_ref() {
            let flag = run.cloud.endpoint_url.is_some();
            let shown = |url: &Option<String>| url.as_deref().map(without_password);
            let plan = shown(url).unwrap_or_else(|| "AWS's own".to_owned());
            claims.push(Claim {
                what: "endpoint",
                say: match flag {
                    true => format!("--endpoint-url {plan}"),
                    false => again.to_owned(),
                },
                plan,
                here: told(shown(&own), "AWS's own"),
            });
        }
    }
    let state = state_of(&stack, &planned, run);
    let own_state = known.then(|| state_of(&here_stack, &here, &args.run));
    if Some(&state) != own_state.as_ref() {
        claims.push(Claim {
            what: "state",
            say: match &run.cloud.state {
                Some(path) => format!("--state {}", path.display()),
                None => again.to_owned(),
            },
            plan: state,
            here: told(own_state, ""),
        });
    }
    let role = |role: &Option<AssumeRole>| role.as_ref().map(|role| role.role_arn.clone());
    let (is, own) = (&planned.settings, &here.settings);
    for (what, plan, here) in [
        ("AWS profile", is.profile.clone(), own.profile.clone()),
        ("role", role(&is.assume_role), role(&own.assume_role)),
    ] {
        if plan != here && !run.cloud.local {
            claims.push(Claim {
                what,
                plan: plan.unwrap_or_else(|| "none".to_owned()),
                here: told(here, "none"),
                say: again.to_owned(),
            });
        }
    }
    Ok(claims)
}

/// The stack with such an input, and what its clients would be made with.
fn settled(file: &str, input: &InputArgs, run: &RunArgs) -> Option<(Stack, Provider)> {
    let stack = find::load(Some(file), input, &run.cloud).ok()?.stack;
    let provider = provider::provider(&stack, &run.cloud, &session::reader(&stack.dir)).ok()?;
    Some((stack, provider))
}

/// The address that all calls go to: of the settings, else of the environment or the profile.
async fn effective(settings: &Settings, url: &Option<String>) -> Option<String> {
    if url.is_some() {
        return url.clone();
    }
    let aws = crate::resource::aws::connect::connect(settings)
        .await
        .ok()?;
    match aws.endpoints() {
        [one] if one.service.is_none() => Some(one.url.clone()),
        _ => None,
    }
}

fn state_of(stack: &Stack, provider: &Provider, run: &RunArgs) -> String {
    match (&run.cloud.state, &provider.state) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(state)) => state.clone(),
        (None, None) => place::usual(stack).name(),
    }
}

/// Refuses a plan whose head is not that of this run: it was made where another environment or
/// profile decided, or its head was altered.
///
/// # Errors
/// Names what differs; the exit code is that of a stale plan.
pub(super) fn check_head(plan: &SavedPlan, head: &Head) -> Result<(), CliError> {
    let mut differences = plan.plan.head.differences(head);
    if Path::new(&plan.plan.head.file) == Path::new(&head.file) {
        differences.retain(|(what, ..)| *what != "the stack file");
    }
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
