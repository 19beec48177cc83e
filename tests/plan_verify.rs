//! The second look at a plan (`verify`) notices what no plan of stackctl has.

use serde_json::{Value, json};
use stackctl::engine::plan::planned::{Options, Request};
use stackctl::engine::plan::{Op, Plan, StepId, rewrite, verify};
use stackctl::engine::world::World;
use stackctl::lang::load;
use stackctl::resource::table::native;
use std::path::PathBuf;

const POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// A role that is replaced under its name, with what is attached to it by that name.
fn replaced() -> (World, Plan) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]});
    let (role, attachment) = ("aws:iam:Role", "aws:iam:RolePolicyAttachment");
    let attached = json!({"role": "app", "policyArn": POLICY});
    let stack = json!({"name": "s", "resources": {
        "role": {"type": role, "properties": {
            "name": "app", "path": "/svc/", "assumeRolePolicy": trust}},
        "att": {"type": attachment, "properties": attached},
    }});
    let file = ("s.yaml".to_owned(), stack.to_string().into_bytes());
    let loaded = load::load(file, None, PathBuf::from("."), &load::Given::default());
    let id = format!("app/{POLICY}");
    let state = json!({"version": 1, "serial": 1, "lineage": "l", "stack": "s", "resources": {
        "role": {"type": role, "id": "app", "inputs": {"name": "app", "assumeRolePolicy": trust},
            "outputs": {"id": "app", "name": "app", "arn": "arn:aws:iam::1:role/app",
                "uniqueId": "A", "createDate": "d", "assumeRolePolicy": trust}},
        "att": {"type": attachment, "id": id, "inputs": attached,
            "outputs": {"id": id, "role": "app", "policyArn": POLICY}},
    }});
    let world = json!({"seed": 1, "unix_time": 1_700_000_000, "identity": null,
        "region": "us-west-2", "state": state, "live": {}, "files": {}, "data": {},
        "contents": {}, "imports": {}});
    let world: World = serde_json::from_value(world).unwrap();
    let planned = rewrite::plan(&Request {
        types: native(),
        stack: &loaded.stack,
        world: &world,
        options: &Options::default(),
        read_file: &|path: &str| Err(format!("{path}: no file here")),
    });
    assert_eq!(planned.diagnostics, Vec::new());
    (world, planned.plan)
}

/// The step of a resource that creates or deletes.
fn step(plan: &Plan, address: &str, creates: bool) -> StepId {
    let mut steps = plan.steps.iter();
    let found = steps.position(|step| {
        let is_meant = match &step.op {
            Op::Create { .. } => creates,
            Op::Delete { .. } => !creates,
            _ => false,
        };
        step.address == address && is_meant
    });
    found.unwrap()
}

#[test]
fn what_names_a_parent_goes_before_it_and_comes_after_it() {
    let (world, plan) = replaced();
    let faults = |plan: &Plan| verify::faults(plan, &world, native());
    assert_eq!(faults(&plan), Vec::<String>::new());
    for (creates, expected) in [
        (true, "att is created before role, which it names"),
        (false, "role is deleted before att, which names it"),
    ] {
        let mut plan = plan.clone();
        let (role, att) = (step(&plan, "role", creates), step(&plan, "att", creates));
        let (first, second) = if creates { (role, att) } else { (att, role) };
        assert!(plan.steps[second].after.remove(&first), "{expected}");
        assert_eq!(faults(&plan), [expected]);
        // Whatever it is created as: what is attached to another role does not name this one.
        let Op::Create { inputs, .. } = &mut plan.steps[att].op else {
            continue;
        };
        inputs.value["role"] = Value::from("other");
        assert_eq!(faults(&plan), Vec::<String>::new());
    }
}
