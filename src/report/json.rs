//! The plan, for scripts.

use crate::data::{Data, Path};
use crate::engine::after::promise::Unmet;
use crate::engine::head::Head;
use crate::engine::plan::{Change, ChangedBy, OutputChange, Plan, Warning};
use crate::report::secrets::{SecretPaths, Veil, shown_id};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The version of the shape below; the first number changes when a script that reads it
/// would have to.
const FORMAT_VERSION: &str = "1.0";

/// The plan as JSON (`plan --json`); secret values are null unless `show_secrets`. Paths are
/// JSON pointers into `before` and `after`. Every resource has its entry, unchanged ones
/// too (`no-op`).
pub fn plan(plan: &Plan, show_secrets: bool) -> Value {
    let changes: Vec<Value> = plan
        .changes
        .iter()
        .map(|entry| change(entry, show_secrets))
        .collect();
    let outputs: Map<String, Value> = plan
        .outputs
        .iter()
        .map(|(name, entry)| (name.clone(), output(entry, show_secrets)))
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

/// What a plan was made of and where its calls go: `{file, state, local, endpoints: [{service, url,
/// set_by}]}`; `service` is null where it is all of them.
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

fn change(change: &Change, show_secrets: bool) -> Value {
    let paths = SecretPaths::of_change(change);
    let veil = Veil::new(&paths, change.schema.0, show_secrets);
    // What is secret is told even where it is shown.
    let told = Veil::new(&paths, change.schema.0, false);
    let mut sensitive = BTreeSet::new();
    let mut side = |data: &Option<Data>| {
        data.as_ref().map(|data| {
            told.mask(&data.value, &Path::root(), &mut sensitive);
            sensitive.extend(data.secret.iter().cloned());
            veil.mask(&data.value, &Path::root(), &mut BTreeSet::new())
        })
    };
    let (before, after) = (side(&change.before), side(&change.after));
    let drift: Vec<Value> = change
        .differences
        .iter()
        .filter(|difference| difference.by != ChangedBy::File)
        .map(|difference| {
            let veil = veil.at(&difference.path);
            let value = |value: &Option<Value>| {
                value
                    .as_ref()
                    .map(|value| veil.mask(value, &Path::root(), &mut BTreeSet::new()))
            };
            let mut told = json!({
                "path": difference.path,
                "applied": value(&difference.applied),
                "live": value(&difference.live),
            });
            if difference.content.is_some() {
                told["content"] = true.into();
            }
            told
        })
        .collect();
    let replace_paths: Vec<&Path> = change
        .differences
        .iter()
        .filter(|difference| difference.replaces)
        .map(|difference| &difference.path)
        .collect();
    let mut object = json!({
        "address": change.address,
        "type": change.type_name,
        "id": shown_id(change),
        "actions": change.words(),
        "reason": change.reason,
        "before": before,
        "after": after,
        "unknown": change.after.iter().flat_map(|data| data.unknown.keys()).collect::<Vec<_>>(),
        "sensitive": sensitive,
        "replace_paths": replace_paths,
        "drift": drift,
    });
    if let Some(importing) = &change.importing {
        object["importing"] = json!({"id": importing.id});
    }
    if let Some(contents) = &change.holds {
        object["holds"] = json!(contents);
    }
    if let Some(from) = &change.moved_from {
        object["previous_address"] = from.clone().into();
    }
    object
}

/// What a plan right after an apply would still do, by property (`path` is empty where it is
/// about the whole resource).
pub fn unmet(unmet: &Unmet, show_secrets: bool) -> Vec<Value> {
    let change = &unmet.change;
    let paths = SecretPaths::of_change(change);
    let veil = Veil::new(&paths, change.schema.0, show_secrets);
    let mut rows: Vec<Value> = change
        .differences
        .iter()
        .map(|row| {
            let veil = veil.at(&row.path);
            let mask = |value: &Value| veil.mask(value, &Path::root(), &mut BTreeSet::new());
            json!({
                "address": unmet.address,
                "path": row.path,
                "wanted": row.desired.as_ref().map(|data| mask(&data.value)),
                "live": row.live.as_ref().map(mask),
                "actions": change.action.words(),
            })
        })
        .collect();
    if rows.is_empty() {
        rows.push(json!({
            "address": unmet.address,
            "path": "",
            "wanted": null,
            "live": null,
            "actions": change.action.words(),
        }));
    }
    rows
}

fn output(output: &OutputChange, show_secrets: bool) -> Value {
    let mut paths = SecretPaths::of(&output.after);
    if output.sensitive {
        paths = SecretPaths::everything();
    }
    let veil = Veil::new(&paths, None, show_secrets);
    let value = |value: &Value| veil.mask(value, &Path::root(), &mut BTreeSet::new());
    let action = match (&output.before, &output.after) {
        (None, _) => "create",
        (_, None) => "delete",
        _ => "update",
    };
    json!({
        "actions": [action],
        "before": output.before.as_ref().map(value),
        "after": output.after.as_ref().map(|data| value(&data.value)),
        "unknown": output.after.iter().flat_map(|data| data.unknown.keys()).collect::<Vec<_>>(),
        "sensitive": output.sensitive,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{Action, Difference};
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
