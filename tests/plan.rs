//! The planner, case by case: a stack and a world go in, the plan as people read it and its
//! steps come out, or the mistakes as people read them. One file a case in `tests/plan/`, with a test
//! of its name (`cargo test plan::cases::moved`); `STACKCTL_BLESS=1` writes what came out.

use serde_json::{Map, Value, json};
use stackctl::engine::plan::planned::{Options, Request};
use stackctl::engine::plan::rewrite;
use stackctl::engine::plan::verify;
use stackctl::engine::plan::{Op, Plan};
use stackctl::engine::world::World;
use stackctl::lang::diagnostic::{Diagnostic, Place};
use stackctl::lang::locate::locate;
use stackctl::lang::{check, diagnostic, load};
use stackctl::report::diagnostics::diagnostics as mistakes;
use stackctl::report::text::{self, Style};
use stackctl::resource::table::native;
use stackctl::store::key::{Given, StateKey};
use stackctl::store::seal::Seal;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const MARK: &str = "\n--- # expected\n";

mod cases {
    crate::support::cases::cases!(
        "tests/plan",
        super::gives_the_plan_it_expects,
        a_deployment_taken_off_its_stage,
        api_chain_nothing_to_do,
        boundary_of_a_replaced_policy,
        bucket_replaced_under_its_name,
        bucket_with_its_own_object,
        code_of_registry_functions,
        create_only_change_with_a_fixed_name,
        create_only_change_without_a_name,
        create_with_unknown_references,
        data_arguments_changed,
        data_source_read,
        data_source_read_while_applying,
        data_source_that_is_needed,
        default_tags,
        delete_before_replace,
        delete_timeout_changed,
        deployment_holds_what_changes,
        deposed_leftovers,
        destroy_exclude,
        destroy_target,
        destroy_what_goes_with_it,
        destroy_with_a_weak_reference,
        destroyed_and_kept,
        drift_and_the_file,
        drift_from_outside,
        drift_in_every_shape,
        drift_that_agrees_with_the_file,
        each_mistake_once,
        empty_tag_taken_out,
        environment,
        exclude,
        exclude_what_is_used_still,
        exclude_with_leftovers,
        for_each_over_a_list,
        for_each_over_a_map,
        for_each_with_unknown_keys,
        for_each_with_unknown_values,
        gone_outside,
        half_done_and_as_before,
        half_done_and_complete,
        half_done_create,
        half_done_update,
        hashed_password_behind_a_missing_key,
        hashed_password_in_a_document,
        hashed_password_key_added,
        hashed_password_needed,
        hashed_password_nothing_to_do,
        hashed_password_replaced,
        hashed_password_replaced_through_a_local,
        hashed_password_template_changed,
        hashed_password_through_a_local,
        hashed_variable,
        ignore_changes,
        ignore_changes_on_create,
        ignored_key_of_a_map,
        import,
        import_by_what_is_no_string,
        import_each,
        import_needs_a_read,
        import_of_a_secret,
        import_of_what_is_managed,
        import_only,
        import_only_refused,
        import_read_by_another_id,
        import_refused,
        import_then_update,
        imports_of_one_object,
        imports_of_one_text,
        integration_replaced_route_updated,
        keeper_taken_out,
        kept_and_replaced_under_its_name,
        kept_by_a_property,
        kept_on_what_goes,
        kept_password_in_a_document,
        kept_password_key_added,
        kept_password_nothing_to_do,
        kept_password_replaced,
        kept_password_replaced_through_a_local,
        kept_password_template_changed,
        kept_password_through_a_local,
        kept_role_under_another_name,
        locals_with_unknown_parts,
        log_group_of_a_function,
        made_again_under_a_name_that_comes_back,
        map_key_removed,
        map_key_removed_and_gone_already,
        map_that_is_the_files_with_an_extra_live_key,
        map_with_an_extra_live_key,
        mistake_and_what_follows,
        mistakes_between_resources,
        mistakes_of_some_instances,
        moved,
        moved_already,
        moved_and_changed_outside,
        moved_and_imported,
        moved_and_replaced,
        moved_each,
        moved_from_two,
        moved_leftover_and_imported,
        moved_leftover_excluded,
        moved_refused,
        moved_with_its_contents,
        name_of_a_deposed_leftover,
        name_that_depends_on_what_is_not_known,
        names_from_a_secret,
        names_move_along,
        names_what_goes,
        nothing_to_do,
        options_changed,
        orphan_whose_user_is_updated,
        orphans_in_order,
        output_of_an_updated_policy,
        outputs_change,
        policy_as_json_text,
        policy_changed_outside,
        policy_in_another_form,
        policy_with_one_statement_changed,
        property_added_that_is_the_default,
        property_added_that_is_the_default_and_not_read,
        property_removed_from_the_file,
        property_removed_that_is_the_default,
        protected_and_not_targeted,
        protected_and_replaced,
        protected_destroy,
        protected_in_the_file_only,
        protected_orphan,
        protected_replacement,
        protected_with_a_leftover,
        random_text_of_a_name,
        registry_type_that_may_be_replaced,
        registry_types_that_are_not_managed,
        renamed_block_takes_along,
        renamed_block_with_a_user,
        renamed_block_with_the_same_name,
        renamed_noticed,
        renames_that_look_alike,
        replace_of_a_user_too,
        replace_on_changes,
        replace_on_request,
        replace_with_leftovers,
        replace_with_users,
        replaced_along_excluded,
        replaced_along_protected,
        replaced_along_targeted,
        replaced_along_with_its_role,
        replaced_and_kept,
        replaced_on_request_and_kept,
        replaced_on_request_under_its_name,
        replacement_chain_create_first,
        replacement_chain_delete_first,
        rules_of_api_gateway,
        rules_of_iam_logs_and_random,
        rules_of_lambda,
        rules_of_s3,
        rules_of_sns,
        rules_of_sqs,
        secret_in_a_document,
        secret_in_a_document_changed,
        secret_in_a_document_not_read,
        secret_in_the_file_now,
        secret_map_changed,
        sensitive_variable,
        set_in_another_order,
        sets_inside_of_lists,
        siblings_against_the_file,
        siblings_deleted,
        siblings_in_their_order,
        siblings_of_a_parent_not_known,
        sibling_replaced_on_request,
        siblings_tightened,
        target,
        target_and_exclude,
        target_of_what_is_only_named,
        target_with_a_user_in_the_file,
        target_with_leftovers,
        two_blocks_swap_names,
        two_of_one_name,
        two_owners,
        type_changed_under_one_address,
        update_by_the_file,
        weak_reference_nothing_to_do,
        weak_reference_through_a_local,
        when_is_false,
        when_is_false_and_referred_to,
        when_needs_a_read,
        write_only_property_added,
        write_only_property_changed,
        write_only_property_removed,
        write_only_property_unchanged,
    );
}

fn gives_the_plan_it_expects(path: &Path) {
    let source = std::fs::read_to_string(path).unwrap();
    let (case, expected) = source.split_once(MARK).unwrap_or((&source, ""));
    let found = run(case);
    if std::env::var_os("STACKCTL_BLESS").is_some() {
        std::fs::write(path, format!("{case}{MARK}{found}")).unwrap();
    } else if found != expected {
        let diff = similar::TextDiff::from_lines(expected, &found);
        panic!("{}:\n{}", path.display(), diff.unified_diff());
    }
}

/// The stack file of a case: the text below `stack:`.
fn stack_file(case: &str) -> String {
    let from = if case.starts_with("stack:") {
        0
    } else {
        case.find("\nstack:").unwrap() + 1
    };
    let (first, rest) = case[from + "stack:".len()..].split_once('\n').unwrap();
    let lines = rest
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    let lines = lines.map(|line| line.strip_prefix("  ").unwrap_or(line));
    let first = (!first.trim().is_empty()).then_some(first.trim());
    first
        .into_iter()
        .chain(lines)
        .fold(String::new(), |text, line| text + line + "\n")
}

/// The plan of a case: its text, its steps, or its mistakes.
fn run(case: &str) -> String {
    let file = stack_file(case);
    let case: Value = serde_yaml::from_str(case).unwrap();
    let env = case["env"].as_str().map(str::to_owned);
    let loaded = load::load(
        ("stacks/case.yaml".to_owned(), file.into_bytes()),
        None,
        PathBuf::from("stacks"),
        &load::Given {
            env,
            ..load::Given::default()
        },
    );
    let mut diagnostics = loaded.diagnostics;
    diagnostics.extend(check::check(&loaded.stack, native()));
    let world = world(&case);
    let list = |name: &str| -> Vec<String> {
        serde_json::from_value(case["options"][name].clone()).unwrap_or_default()
    };
    let options = Options {
        destroy: case["options"]["destroy"] == true,
        target: list("target"),
        exclude: list("exclude"),
        replace: list("replace"),
        imports: serde_json::from_value(case["options"]["adopt"].clone()).unwrap_or_default(),
    };
    let planned = rewrite::plan(&Request {
        types: native(),
        stack: &loaded.stack,
        world: &world,
        options: &options,
        read_file: &|path: &str| Err(format!("{path}: no file in a case")),
    });
    diagnostic::add(&mut diagnostics, planned.diagnostics);
    let faults = planned.rewrites.faults.into_iter();
    diagnostics.extend(faults.map(|fault| Diagnostic::error(fault.place, fault.message)));
    let style = Style {
        color: false,
        width: 100,
        show_secrets: false,
    };
    let diagnostics = diagnostic::distinct(diagnostics);
    let place = |text: &str, place: &Place| {
        locate(text, place).map(|span| (span.line, span.column, span.bytes))
    };
    let texts = mistakes(&diagnostics, &loaded.sources, &style, &place);
    let is_error = |found: &Diagnostic| found.severity == stackctl::severity::Severity::Error;
    if diagnostics.iter().any(is_error) {
        return texts;
    }
    assert_eq!(
        verify::faults(&planned.plan, &world, native()),
        Vec::<String>::new()
    );
    let needs = planned.needs.iter();
    let needs = needs.map(|need| {
        let secret = if need.is_secret { " (secret)" } else { "" };
        format!("Needs data.{} with {}{secret}\n", need.name, *need.args)
    });
    let imports = planned.imports.iter();
    let imports = imports.map(|need| format!("Needs {} with {}\n", need.address, need.id));
    let needs: String = needs.chain(imports).collect();
    format!(
        "{texts}{}\n{needs}{}{}",
        text::plan(&planned.plan, &style),
        steps(&planned.plan),
        secrets(&planned.plan)
    )
}

/// Where the plan has secrets: JSON and saved plans hide what is there.
fn secrets(plan: &Plan) -> String {
    let mut text = String::new();
    for change in plan.changes.iter().filter(|change| !change.is_nothing()) {
        for (when, side) in [("before", &change.before), ("after", &change.after)] {
            let paths = side.iter().flat_map(|data| &data.secret);
            let paths: Vec<String> = paths.map(ToString::to_string).collect();
            if !paths.is_empty() {
                let _ = writeln!(text, "  {} {when}: {}", change.address, paths.join(", "));
            }
        }
    }
    match text.is_empty() {
        true => text,
        false => format!("Secrets:\n{text}"),
    }
}

fn world(case: &Value) -> World {
    let mut state = json!({
        "version": 1, "serial": 1, "lineage": "lineage", "stack": case["stack"]["name"],
    });
    for (name, value) in case["state"].as_object().unwrap_or(&Map::new()) {
        state[name] = value.clone();
    }
    let world = json!({
        "seed": 1, "unix_time": 1_700_000_000, "identity": null, "region": "us-west-2",
        "state": state,
        "live": case.get("live").cloned().unwrap_or_else(|| json!({})),
        "files": case.get("files").cloned().unwrap_or_else(|| json!({})),
        "data": case.get("data").cloned().unwrap_or_else(|| json!({})),
        "contents": case.get("contents").cloned().unwrap_or_else(|| json!({})),
        "imports": case.get("imports").cloned().unwrap_or_else(|| json!({})),
    });
    let mut world: World = serde_json::from_value(world).unwrap();
    let given = Given::passphrase("of a case".to_owned());
    world.key = StateKey::unlock(given, &world.state).unwrap();
    let seal = world.seal();
    let outputs = world.state.outputs.values_mut();
    outputs.for_each(|output| seal_marked(&seal, &mut output.value));
    for known in world.state.resources.values_mut() {
        seal_marked(&seal, &mut known.inputs);
        seal_marked(&seal, &mut known.outputs);
    }
    world
}

/// `{$secret: value}` in a state is that value, sealed with the state's key.
fn seal_marked(seal: &Seal, value: &mut Value) {
    if let Some(secret) = value.get("$secret") {
        *value = seal.seal(secret);
        return;
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| seal_marked(seal, value)),
        Value::Array(list) => list.iter_mut().for_each(|value| seal_marked(seal, value)),
        _ => {}
    }
}

fn steps(plan: &Plan) -> String {
    let mut text = String::from("Steps:\n");
    for (id, step) in plan.steps.iter().enumerate() {
        let op = match &step.op {
            Op::Create { .. } => "create",
            Op::Update { .. } => "update",
            Op::Depose { .. } => "depose",
            Op::Delete { deposed: None } => "delete",
            Op::Delete { deposed: Some(_) } => "delete deposed",
            Op::Read { .. } => "read",
            Op::Forget { deposed: None } => "forget",
            Op::Forget { deposed: Some(_) } => "forget deposed",
            Op::UpdateState { .. } => "adopt",
            Op::Import { .. } => "import",
            Op::Move { .. } => "move",
        };
        let after: Vec<String> = step.after.iter().map(ToString::to_string).collect();
        let after = if after.is_empty() {
            String::new()
        } else {
            format!(" after {}", after.join(", "))
        };
        let _ = writeln!(text, "  {id} {op} {}{after}", step.address);
    }
    text
}
