//! The plan, for scripts.

use crate::engine::after::post_apply::Remaining;
use crate::engine::head::Head;
use crate::engine::plan::{ChangedBy, Plan, Warning};
use crate::report::secrets::Masked;
use crate::report::view::{Output, Resource, Row, resource, view};
use serde_json::{Map, Value, json};

/// The version of the shape below; the first number changes when a script that reads it
/// would have to.
const FORMAT_VERSION: &str = "1.0";

/// The plan as JSON (`plan --json`); secret values are null unless `show_secrets`. Paths are
/// JSON pointers into `before` and `after`. Every resource has its entry, unchanged ones
/// too (`no-op`).
pub fn plan(plan: &Plan, show_secrets: bool) -> Value {
    let view = view(plan, show_secrets);
    let changes: Vec<Value> = view.resources.iter().map(change).collect();
    let outputs = view.outputs.iter();
    let outputs: Map<String, Value> = outputs
        .map(|entry| (entry.name.to_owned(), output(entry)))
        .collect();
    let mut told = json!({
        "format_version": FORMAT_VERSION,
        "stack": plan.stack,
        "env": plan.env,
        "serial": plan.serial,
        "lineage": plan.lineage,
        "account": plan.account,
        "region": plan.region,
        "head": head(&plan.head),
        "changes": changes,
        "outputs": outputs,
        "summary": plan.summary(),
        "scope": plan.scope,
        "warnings": plan.warnings.iter().map(warning).collect::<Vec<_>>(),
    });
    if !plan.files.is_empty() {
        told["files"] = json!(plan.files);
    }
    told
}

/// What a plan was computed from and where its calls go: `{file, state, local, endpoints:
/// [{service, url, set_by}]}`; `service` is null where it is all of them.
pub fn head(head: &Head) -> Value {
    let endpoints = head.endpoints.iter();
    let endpoints = endpoints
        .map(|one| json!({"service": one.service, "url": one.url, "set_by": one.set_by}))
        .collect::<Vec<_>>();
    json!({"file": head.file, "state": head.state, "local": head.local, "endpoints": endpoints})
}

fn warning(warning: &Warning) -> Value {
    json!({"address": warning.address, "message": warning.message, "next": warning.help})
}

fn value<'s>(shown: &'s Option<Masked<'_>>) -> Option<&'s Value> {
    shown.as_ref().map(|shown| &*shown.value)
}

fn change(change: &Resource<'_>) -> Value {
    let drift = change.rows().filter(|row| row.by != ChangedBy::File);
    let drift = drift.map(|row| drifted(row, &row.applied, &row.live));
    let replace_paths = change.rows().filter(|row| row.replaces);
    let replace_paths = replace_paths.map(|row| &row.path);
    let may_replace = change.rows().filter(|row| row.may_replace);
    let may_replace: Vec<_> = may_replace.map(|row| &row.path).collect();
    let unknown = change.after.iter().flat_map(|shown| shown.unknown.keys());
    let mut object = json!({
        "address": change.address,
        "type": change.type_name,
        "id": change.id,
        "actions": change.words,
        "reason": change.reason,
        "before": value(&change.before),
        "after": value(&change.after),
        "unknown": unknown.collect::<Vec<_>>(),
        "sensitive": change.sensitive,
        "replace_paths": replace_paths.collect::<Vec<_>>(),
        "drift": drift.collect::<Vec<_>>(),
    });
    if !may_replace.is_empty() {
        object["may_replace_paths"] = json!(may_replace);
    }
    if let Some(importing) = &change.importing {
        object["importing"] = json!({"id": importing.id});
    }
    if let Some(contents) = &change.holds {
        object["holds"] = json!(contents);
    }
    if let Some(from) = change.moved_from {
        object["previous_address"] = from.into();
    }
    object
}

/// A property that is not as it was last applied.
pub(super) fn drifted(
    row: &Row<'_>,
    applied: &Option<Masked<'_>>,
    live: &Option<Masked<'_>>,
) -> Value {
    let mut told = json!({"path": row.path, "applied": value(applied), "live": value(live)});
    if row.content.is_some() {
        told["content"] = true.into();
    }
    told
}

/// What a plan right after an apply would still do, by property (`path` is empty where it is
/// about the whole resource).
pub fn remaining(remaining: &Remaining, show_secrets: bool) -> Vec<Value> {
    let change = resource(&remaining.change, show_secrets);
    let row = |path: &str, wanted, live| {
        json!({
            "address": remaining.address,
            "path": path,
            "wanted": wanted,
            "live": live,
            "actions": change.action.words(),
        })
    };
    let rows = change.rows();
    let rows = rows.map(|one| row(one.path.as_pointer(), value(&one.desired), value(&one.live)));
    let rows: Vec<Value> = rows.collect();
    match rows.is_empty() {
        true => vec![row("", None, None)],
        false => rows,
    }
}

fn output(output: &Output<'_>) -> Value {
    let after = &output.row.desired;
    let unknown = after.iter().flat_map(|shown| shown.unknown.keys());
    json!({
        "actions": output.action.words(),
        "before": value(&output.row.live),
        "after": value(after),
        "unknown": unknown.collect::<Vec<_>>(),
        "sensitive": output.row.secret,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Data, Path};
    use crate::engine::plan::{Action, Difference, OutputChange};
    use crate::report::fixtures::{change as change_of, differs, plan as plan_of};

    #[test]
    fn the_shape_is_the_documented_one() {
        let mut api = change_of("api", "aws:apigatewayv2:Api", Action::DeleteThenCreate);
        api.id = Some("a1b2".to_owned());
        api.reason = "protocolType changed".to_owned();
        api.before =
            Some(json!({"protocolType": "HTTP", "name": "by hand", "key": "s3cret"}).into());
        let mut after =
            Data::from(json!({"protocolType": "WEBSOCKET", "name": "api", "key": "s3cret"}));
        after.set(&Path::pointer("/role"), Data::unknown("${role.arn}"));
        after.secret.insert(Path::pointer("/key"));
        api.after = Some(after);
        api.differences = vec![
            Difference {
                replaces: true,
                ..differs("protocolType", json!("HTTP"), json!("WEBSOCKET"))
            },
            Difference {
                applied: Some(json!("api")),
                by: ChangedBy::Outside,
                ..differs("name", json!("by hand"), json!("api"))
            },
        ];
        let mut of = plan_of(vec![api, change_of("queue", "aws:sqs:Queue", Action::NoOp)]);
        of.env = Some("dev".to_owned());
        of.outputs.insert(
            "Queue".to_owned(),
            OutputChange {
                before: None,
                after: Some(Data::unknown("${queue.id}")),
                sensitive: false,
            },
        );
        insta::assert_snapshot!(format!("{:#}", plan(&of, false)), @r#"
        {
          "account": "123456789012",
          "changes": [
            {
              "actions": [
                "delete",
                "create"
              ],
              "address": "api",
              "after": {
                "key": null,
                "name": "api",
                "protocolType": "WEBSOCKET",
                "role": null
              },
              "before": {
                "key": null,
                "name": "by hand",
                "protocolType": "HTTP"
              },
              "drift": [
                {
                  "applied": "api",
                  "live": "by hand",
                  "path": "/name"
                }
              ],
              "id": "a1b2",
              "reason": "protocolType changed",
              "replace_paths": [
                "/protocolType"
              ],
              "sensitive": [
                "/key"
              ],
              "type": "aws:apigatewayv2:Api",
              "unknown": [
                "/role"
              ]
            },
            {
              "actions": [
                "no-op"
              ],
              "address": "queue",
              "after": null,
              "before": null,
              "drift": [],
              "id": null,
              "reason": "",
              "replace_paths": [],
              "sensitive": [],
              "type": "aws:sqs:Queue",
              "unknown": []
            }
          ],
          "env": "dev",
          "format_version": "1.0",
          "head": {
            "endpoints": [],
            "file": "",
            "local": false,
            "state": ""
          },
          "lineage": "0b8a",
          "outputs": {
            "Queue": {
              "actions": [
                "create"
              ],
              "after": null,
              "before": null,
              "sensitive": false,
              "unknown": [
                ""
              ]
            }
          },
          "region": "us-west-2",
          "scope": null,
          "serial": 7,
          "stack": "websocket-sqs",
          "summary": {
            "create": 0,
            "delete": 0,
            "read": 0,
            "replace": 1,
            "unchanged": 1,
            "update": 0
          },
          "warnings": []
        }
        "#);
        let shown = plan(&of, true);
        assert_eq!(shown["changes"][0]["after"]["key"], "s3cret");
        assert_eq!(shown["changes"][0]["sensitive"], json!(["/key"]));
    }
}
