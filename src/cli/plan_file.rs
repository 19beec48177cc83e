//! `plan --out` and `apply --plan`: between the command line and a saved plan.

use super::args::{ApplyArgs, Assignment, RunArgs, StackArg};
use super::error::CliError;
use super::exit::Exit;
use super::files::{Digests, Files};
use super::mistakes::{self, Evaluate};
use super::session::Session;
use super::state_key;
use crate::data;
use crate::engine::plan::planned::{Options, Planned};
use crate::engine::plan::{Action, Change, Plan};
use crate::engine::world::World;
use crate::lang::load::Loaded;
use crate::lang::stack::{Origin, Sources, Stack};
use crate::report::secrets::SecretPaths;
use crate::resource::table::native;
use crate::saved::{
    self, Command, FileError, KEYED, Mark, Moved, Now, PlanKey, SavedPlan, SavedState,
    SavedVariable,
};
use crate::schema::Schema;
use crate::store::key::StateKey;
use crate::store::seal::Seal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Refuses early to save a plan where it could not be saved.
pub(super) fn check_target(path: &Path) -> Result<(), CliError> {
    saved::check_target(path).map_err(|why| {
        CliError::new(format!("--out {}: {why}.", path.display()))
            .now("Nothing was read or changed.")
            .hint("Name a new file, or one that plan --out wrote.")
    })
}

/// Saves the plan of a session.
pub(super) fn save(
    path: &Path,
    session: &Session,
    run: &RunArgs,
    options: Options,
) -> Result<(), CliError> {
    let Session {
        stack,
        sources,
        world,
        planned,
        read,
        files,
        ..
    } = session;
    let place = session.store.name();
    let what = format!("{} (to save the plan)", stack.full_name());
    state_key::need(&world.key, &place, &[what])?;
    let seal = world.seal().comparing();
    let plan = saved::sealed(&planned.plan, native(), &seal);
    let mut saved = SavedPlan {
        stackctl: env!("CARGO_PKG_VERSION").to_owned(),
        summary: plan.summary(),
        command: command(stack, sources, run, options),
        files: BTreeMap::new(),
        variables: variables(stack, sources, &seal),
        seed: world.seed,
        unix_time: world.unix_time,
        state: read.clone(),
        data: local_data(stack, planned, &seal),
        plan,
        key: None,
        mark: Mark::default(),
    };
    let has_secrets = world.key.is_used() || keeps_secrets(&planned.plan);
    let is_new = world.state.encryption.is_none();
    if is_new && has_secrets {
        saved.key = Some(new_key(&world.key)?);
    }
    let is_keyed = has_secrets || !is_new;
    let names = secret_names(&planned.plan, stack);
    saved.files = digests(files, &world.key, is_keyed.then_some(&names));
    let mac = |text: &str| match is_keyed {
        true => world.key.plan_mac(text),
        false => None,
    };
    saved::write(path, &saved, &mac).map_err(|error| {
        CliError::new(format!(
            "The plan could not be saved in {}.",
            path.display()
        ))
        .caused_by(&error)
        .now("Nothing was changed.")
        .hint("Make the folder writable, or name another file.")
    })
}

/// The digests of the files that were read. A file may hold a secret: where a plan has a code,
/// its digests are keyed as well, and so are the names that are secrets (`keyed`), so that nobody
/// can try guesses.
fn digests(files: &Files, key: &StateKey, keyed: Option<&BTreeSet<String>>) -> Digests {
    let digests = files.digests();
    let Some(secret) = keyed else {
        return digests;
    };
    let code = |text: &str, plain: String| match key.plan_mac(text) {
        Some(code) => format!("{KEYED}{code}"),
        None => plain,
    };
    let each = digests.into_iter().map(|(name, digest)| {
        let digest = digest.map(|digest| code(&format!("file {digest}"), digest));
        match secret.contains(&name) {
            true => (code(&format!("file named {name}"), name), digest),
            false => (name, digest),
        }
    });
    each.collect()
}

/// The files that properties name with a secret, as they are noted when they are read.
fn secret_names(plan: &Plan, stack: &Stack) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for change in &plan.changes {
        let Some(schema) = change
            .schema
            .0
            .filter(|schema| schema.has_keyword("localFile"))
        else {
            continue;
        };
        let paths = SecretPaths::of_change(change);
        for name in schema.property_names() {
            if !paths.covers(name) || !schema.flag(&data::Path::root().join(name), "localFile") {
                continue;
            }
            let sides = change.before.iter().chain(&change.after);
            let values = sides.filter_map(|data| data.value.get(name)?.as_str());
            found.extend(values.map(|path| stack.dir.join(path).display().to_string()));
        }
    }
    found
}

/// The key that the plan brings along for a state that has none yet.
fn new_key(key: &StateKey) -> Result<PlanKey, CliError> {
    state_key::ready(key)?;
    let encryption = key.encryption().ok().flatten();
    let proof = key.proof();
    encryption
        .zip(proof)
        .map(|(encryption, proof)| PlanKey { encryption, proof })
        .ok_or_else(|| CliError::new("The plan has secrets, but no key to open them was found."))
}

/// Whether a plan leads to secrets in the state, as far as is known before it is applied.
pub(super) fn keeps_secrets(plan: &Plan) -> bool {
    let outputs = plan.outputs.values();
    let mut outputs = outputs.filter(|output| output.sensitive && output.after.is_some());
    let makes = |change: &&Change| match change.action {
        Action::Create | Action::Update => true,
        action => action.is_replace() || change.importing.is_some(),
    };
    outputs.next().is_some()
        || plan.changes.iter().filter(makes).any(|change| {
            let secret = change.after.iter().any(|after| !after.secret.is_empty());
            let schema = native().schema(&change.type_name);
            secret || schema.is_some_and(Schema::has_secret_outputs)
        })
}

/// Refuses a plan that was not written by one who has the state's key. `key` is that of the state
/// that the plan is applied to, or the one that the plan brings along.
///
/// # Errors
/// When the plan was altered, or has no code and must have one.
pub(super) fn check_mark(plan: &SavedPlan, key: &StateKey, place: &str) -> Result<(), CliError> {
    let refused = |why: &str| {
        Err(
            CliError::new(format!("The saved plan cannot be applied: {why}."))
                .now("Nothing was changed.")
                .hint("Make the plan again with plan --out, where the state's key is."),
        )
    };
    let what = "the saved plan, which is authenticated with the key".to_owned();
    state_key::need(key, place, &[what])?;
    let Some(mac) = &plan.mark.mac else {
        return match key.is_open() {
            true => refused(
                "it is not authenticated with the state's key, so that anyone may have written it",
            ),
            false => Ok(()),
        };
    };
    match key.is_plan_mac(mac, &plan.mark.text) {
        Some(true) => Ok(()),
        Some(false) => {
            refused("it was altered after it was made, or made with the key of another state")
        }
        None => refused("it was made with a key that the state does not have"),
    }
}

/// The parts of the command that decide the plan; sensitive values are excluded.
fn command(stack: &Stack, sources: &Sources, run: &RunArgs, options: Options) -> Command {
    let open = |name: &str| {
        let variable = stack.variables.get(name);
        variable.is_some_and(|value| value.secret.is_empty())
    };
    let vars = run.input.vars.iter();
    let from_env = |name: &String| sources.origins.get(name) == Some(&Origin::Environment);
    let env_vars = run.input.environment().into_iter();
    Command {
        file: sources
            .files
            .first()
            .map(|file| file.0.clone())
            .unwrap_or_default(),
        env: run.input.env.clone(),
        vars: vars
            .filter(|var| open(&var.name))
            .map(|var| (var.name.clone(), var.value.clone()))
            .collect(),
        env_vars: env_vars
            .filter(|(name, _)| open(name) && from_env(name))
            .collect(),
        var_files: run
            .input
            .var_files
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
        local: run.cloud.local,
        endpoint_url: run.cloud.endpoint_url.clone(),
        state: run
            .cloud
            .state
            .as_ref()
            .map(|path| path.display().to_string()),
        refresh: run.refresh,
        options,
    }
}

/// The variables, sensitive ones sealed.
pub(super) fn variables(
    stack: &Stack,
    sources: &Sources,
    seal: &Seal,
) -> BTreeMap<String, SavedVariable> {
    let variables = stack.variables.iter().map(|(name, value)| {
        let origin = sources.origins.get(name).copied();
        let variable = SavedVariable {
            value: seal.seal_all(value).into_owned(),
            sensitive: !value.secret.is_empty(),
            origin: origin.unwrap_or(Origin::Default),
        };
        (name.clone(), variable)
    });
    variables.collect()
}

/// What data sources on this machine returned: the content of an archive matters even where the
/// plan only names its file.
fn local_data(stack: &Stack, planned: &Planned, seal: &Seal) -> BTreeMap<String, Value> {
    let data = planned.data.iter();
    data.filter(|(name, _)| {
        let block = stack.data.get(*name);
        block.is_some_and(|block| !native().is_remote(&block.type_name))
    })
    .map(|(name, data)| (name.clone(), seal.seal_all(data).into_owned()))
    .collect()
}

/// Reads the file of `apply --plan`.
pub(super) fn read(path: &Path) -> Result<SavedPlan, CliError> {
    saved::read(path).map_err(|error| {
        let name = path.display();
        let told = CliError::new(format!("{name} cannot be applied: {error}."))
            .now("Nothing was changed.");
        match error {
            FileError::Io(_) | FileError::Foreign(_) => {
                told.hint("Name a file that plan --out wrote.")
            }
            FileError::Damaged(_) => told.hint("Make the plan again with plan --out."),
            FileError::Version { .. } => {
                told.hint("Use the version of stackctl that made it, or make the plan again.")
            }
        }
    })
}

/// The arguments of a run that repeats a saved plan: those of the plan, and from the command
/// line what may differ. What contradicts the plan is refused.
pub(super) fn restore(plan: &SavedPlan, args: &ApplyArgs) -> Result<(StackArg, RunArgs), CliError> {
    let command = &plan.command;
    contradictions(command, args)?;
    let mut run = args.run.clone();
    run.targets.clone_from(&command.options.target);
    run.excludes.clone_from(&command.options.exclude);
    run.refresh = command.refresh;
    run.cloud.local = command.local;
    run.cloud.endpoint_url.clone_from(&command.endpoint_url);
    run.cloud.state = command.state.as_ref().map(PathBuf::from);
    run.input.env.clone_from(&command.env);
    let var_files = command.var_files.iter().map(PathBuf::from);
    run.input.var_files = var_files.chain(run.input.var_files).collect();
    let vars = command.vars.iter().map(|(name, value)| Assignment {
        name: name.clone(),
        value: value.clone(),
    });
    run.input.vars = vars.chain(run.input.vars).collect();
    run.input.from_plan.clone_from(&command.env_vars);
    given_again(plan, &run)?;
    let stack = StackArg {
        name: Some(command.file.clone()),
    };
    Ok((stack, run))
}

/// Refuses flags that ask for something else than the plan.
fn contradictions(command: &Command, args: &ApplyArgs) -> Result<(), CliError> {
    let cloud = &args.run.cloud;
    let state = cloud.state.as_ref().map(|path| path.display().to_string());
    let stack = args.stack.name.as_ref();
    let other_stack = match stack {
        Some(name) => {
            let file = super::find::stack_file(Some(name))?;
            file.display().to_string() != command.file
        }
        None => false,
    };
    let differs =
        |given: &Option<String>, planned: &Option<String>| given.is_some() && given != planned;
    let flags = [
        (other_stack, "STACK"),
        (differs(&args.run.input.env, &command.env), "--env"),
        (cloud.local && !command.local, "--local"),
        (
            differs(&cloud.endpoint_url, &command.endpoint_url),
            "--endpoint-url",
        ),
        (differs(&state, &command.state), "--state"),
        (!args.run.refresh && command.refresh, "--refresh=false"),
    ];
    match flags.iter().find(|(wrong, _)| *wrong) {
        None => Ok(()),
        Some((_, flag)) => Err(CliError::new(format!(
            "{flag} contradicts the saved plan, which was made for {} without it.",
            command.file
        ))
        .now("Nothing was changed.")
        .hint("Leave it out, or make another plan with it.")),
    }
}

/// Refuses where a sensitive variable that was given for the plan is not given again.
fn given_again(plan: &SavedPlan, run: &RunArgs) -> Result<(), CliError> {
    let environment = run.input.environment();
    let given = |name: &String| {
        let flags = &run.input.vars;
        flags.iter().any(|var| var.name == *name) || environment.iter().any(|var| var.0 == *name)
    };
    let missing: Vec<&str> = plan
        .variables
        .iter()
        .filter(|(name, variable)| {
            let outside = matches!(variable.origin, Origin::Flag | Origin::Environment);
            variable.sensitive && outside && !given(name)
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let Some(first) = missing.first() else {
        return Ok(());
    };
    Err(CliError::new(format!(
        "The plan was made with a value of {}, which is sensitive and therefore not in the file.",
        missing.join(" and of ")
    ))
    .now("Nothing was changed.")
    .hint(format!(
        "Give the same value again, with STACKCTL_VAR_{first} or --var {first}=…"
    )))
}

/// Puts the plan's seed and time into the world, and its lineage where no state exists yet.
pub(super) fn resume(plan: &SavedPlan, mut read: SavedState, world: &mut World) -> SavedState {
    world.seed = plan.seed;
    world.unix_time = plan.unix_time;
    if !read.existed && !plan.state.existed {
        world.state.lineage.clone_from(&plan.state.lineage);
        read.lineage.clone_from(&plan.state.lineage);
    }
    read
}

/// Refuses a plan whose stack has mistakes by now: its mistakes are not what whoever applies the
/// plan asked for. Other changes are reported later, all together.
pub(super) fn check_texts(plan: &SavedPlan, loaded: &Loaded) -> Result<(), CliError> {
    let mut loaded = loaded.clone();
    mistakes::check(&mut loaded, Evaluate::WhereWrong);
    if !mistakes::are_wrong(&loaded.diagnostics) {
        return Ok(());
    }
    if plan.mark.mac.is_some() {
        // Its digests are keyed, and without the state there is no key yet: the mistakes are
        // reported.
        return Ok(());
    }
    let files = Files::noting(&loaded.sources).digests();
    stale(&saved::moved_files(plan, &files))
}

/// Refuses a plan that has become stale in what needs no call to see.
pub(super) fn check_before(
    plan: &SavedPlan,
    (files, key): (&Files, &StateKey),
    variables: &BTreeMap<String, SavedVariable>,
    read: &SavedState,
) -> Result<(), CliError> {
    stale(&saved::moved_before(
        plan,
        &Now {
            // The names that are secrets are compared with the plan.
            files: &digests(
                files,
                key,
                plan.mark.mac.is_some().then_some(&BTreeSet::new()),
            ),
            variables,
            state: read,
        },
    ))
}

/// Refuses a plan that would not come out again.
pub(super) fn check_plan(
    plan: &SavedPlan,
    (files, key): (&Files, &StateKey),
    stack: &Stack,
    (planned, seal): (&Planned, &Seal),
) -> Result<(), CliError> {
    let names = secret_names(&planned.plan, stack);
    stale(&saved::moved_plan(
        plan,
        &saved::sealed(&planned.plan, native(), seal),
        &local_data(stack, planned, seal),
        &digests(files, key, plan.mark.mac.is_some().then_some(&names)),
    ))
}

fn stale(moved: &[Moved]) -> Result<(), CliError> {
    if moved.is_empty() {
        return Ok(());
    }
    let mut error = CliError::new("The plan is stale: since it was made, things have moved.")
        .exit(Exit::Stale)
        .now("Nothing was changed.")
        .hint("Make the plan again with plan --out, look at it, and apply that.");
    error.chain = moved.iter().map(ToString::to_string).collect();
    Err(error)
}
