//! What a case is: versions of a stack, applied one after the other, each with what goes
//! wrong meanwhile.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use stackctl::lang::stack::Stack;
use stackctl::lang::{check, load};
use stackctl::local_cloud::{Fault, What};
use stackctl::resource::table::native;
use std::path::Path;

/// A whole case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scenario {
    pub versions: Vec<Version>,
}

/// A version of the stack, and what happens while it is applied and afterwards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    /// For each of [`NAMES`] which variant the file has, if any.
    pub blocks: Vec<Option<u8>>,
    /// Whether replacements delete first.
    pub delete_first: bool,
    /// Whether the stack is destroyed instead.
    pub destroy: bool,
    pub trouble: Trouble,
    /// What somebody does outside afterwards.
    pub outside: Option<Outside>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Trouble {
    None,
    /// The process dies at this call: before it, with it in flight, or after it.
    Kill {
        at: u8,
        how: u8,
    },
    /// The process dies at this write of state or journal.
    KillAtWrite {
        moment: u8,
        at: u8,
    },
    /// The disk is full at this write, or from it on.
    DiskFull {
        moment: u8,
        at: u8,
        stays: bool,
    },
    /// One call goes wrong.
    Fault {
        at: u8,
        what: u8,
    },
    /// A tenth of all calls goes wrong.
    Rate {
        seed: u8,
        what: u8,
    },
}

/// What somebody else does to an object of the stack.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Outside {
    pub which: u8,
    pub removes: bool,
}

/// The ways in which a call goes wrong and the process lives on.
const WHATS: [What; 7] = [
    What::Throttle,
    What::Error(500),
    What::Error(503),
    What::LostReply,
    What::Reset,
    What::Malformed,
    What::Silence(60_000),
];

impl Trouble {
    /// As faults of the local cloud.
    pub fn faults(self) -> Vec<Fault> {
        match self {
            Self::None => Vec::new(),
            Self::Kill { at, how } => {
                let kills = [What::KillBefore, What::KillInFlight(1000), What::KillAfter];
                vec![Fault::at("*", at.into(), kills[how as usize % 3])]
            }
            Self::KillAtWrite { moment, at } => {
                let all = stackctl::store::Moment::ALL;
                let name = all[moment as usize % all.len()].name();
                vec![Fault::at(&name, at.into(), What::KillBefore)]
            }
            Self::DiskFull { moment, at, stays } => {
                let all = stackctl::store::Moment::ALL;
                let name = all[moment as usize % all.len()].name();
                let mut fault = Fault::at(&name, at.into(), What::Error(507));
                fault.times = stays.then_some(u64::MAX);
                vec![fault]
            }
            Self::Fault { at, what } => {
                vec![Fault::at(
                    "*",
                    at.into(),
                    WHATS[what as usize % WHATS.len()],
                )]
            }
            Self::Rate { seed, what } => {
                let mut fault = Fault::at("*", 1, WHATS[what as usize % WHATS.len()]);
                (fault.at, fault.rate, fault.seed) = (None, Some(0.1), seed.into());
                vec![fault]
            }
        }
    }
}

/// The blocks a stack may have: each with what it cannot be without.
pub const NAMES: [(&str, &[&str]); 19] = [
    ("random", &[]),
    ("queue", &[]),
    ("fifo", &[]),
    ("queue_policy", &["queue"]),
    ("group", &[]),
    ("role", &[]),
    ("policy", &[]),
    ("attachment", &["role", "policy"]),
    ("inline", &["role"]),
    ("api", &[]),
    ("integration", &["api"]),
    ("twin", &["api"]),
    ("route", &["api", "integration"]),
    ("deployment", &["api", "route"]),
    ("stage", &["api"]),
    ("bucket", &[]),
    ("object", &["bucket"]),
    ("function", &["role", "bucket"]),
    ("mapping", &["function", "queue", "inline"]),
];

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        1 => Just(Trouble::None),
        6 => (1..24_u8, 0..3_u8).prop_map(|(at, how)| Trouble::Kill { at, how }),
        3 => (0..9_u8, 1..4_u8).prop_map(|(moment, at)| Trouble::KillAtWrite { moment, at }),
        2 => (0..9_u8, 1..4_u8, any::<bool>())
            .prop_map(|(moment, at, stays)| Trouble::DiskFull { moment, at, stays }),
        3 => (1..24_u8, 0..7_u8).prop_map(|(at, what)| Trouble::Fault { at, what }),
        1 => (any::<u8>(), 0..7_u8).prop_map(|(seed, what)| Trouble::Rate { seed, what }),
    ]
}

fn version() -> impl Strategy<Value = Version> {
    let outside = (any::<u8>(), any::<bool>());
    (
        prop::collection::vec(prop::option::weighted(0.4, 0..4_u8), NAMES.len()),
        any::<bool>(),
        prop::bool::weighted(0.1),
        trouble(),
        prop::option::weighted(0.3, outside),
    )
        .prop_map(|(mut blocks, delete_first, destroy, trouble, outside)| {
            // A function makes many calls; not every case has to have one.
            if delete_first && let Some(function) = blocks.get_mut(17) {
                *function = None;
            }
            Version {
                blocks,
                delete_first,
                destroy,
                trouble,
                outside: outside.map(|(which, removes)| Outside { which, removes }),
            }
        })
}

/// All cases.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    prop::collection::vec(version(), 1..4).prop_map(|versions| Scenario { versions })
}

impl Version {
    fn variant(&self, name: &str) -> Option<u8> {
        let at = NAMES.iter().position(|(other, _)| *other == name)?;
        let needs = NAMES[at].1;
        let variant = self.blocks.get(at).copied().flatten()?;
        needs
            .iter()
            .all(|need| self.variant(need).is_some())
            .then_some(variant)
    }

    /// The stack file as JSON.
    pub fn document(&self) -> Value {
        let mut resources = Map::new();
        for (name, _) in NAMES {
            if let Some(variant) = self.variant(name) {
                let (type_name, properties, mut options) = self.block(name, variant);
                options["deleteBeforeReplace"] = json!(self.delete_first);
                let block =
                    json!({"type": type_name, "properties": properties, "options": options});
                resources.insert(name.to_owned(), block);
            }
        }
        let mut document = json!({"name": "s", "resources": resources});
        if self.variant("function").is_some() {
            document["data"] = json!({"code": {"type": "archive:getFile", "properties": {
                "type": "zip",
                "source": [{"content": "def handler(e, c):\n    return 1\n", "filename": "app.py"}],
            }}});
        }
        document
    }

    /// Type, properties and options of a block.
    fn block(&self, name: &str, v: u8) -> (&'static str, Value, Value) {
        let has = |name| self.variant(name).is_some();
        let none = || json!({});
        match name {
            "random" => (
                "random:RandomString",
                json!({"length": 6 + v, "special": false}),
                none(),
            ),
            "queue" => {
                let name = if v == 3 { "other" } else { "queue" };
                let tag = if has("random") {
                    "${random.result}"
                } else {
                    "none"
                };
                let properties = json!({"name": name, "delaySeconds": v, "tags": {"random": tag}});
                ("aws:sqs:Queue", properties, none())
            }
            "fifo" => {
                let properties = json!({"fifoQueue": true, "visibilityTimeoutSeconds": 30 + v});
                ("aws:sqs:Queue", properties, none())
            }
            "queue_policy" => {
                let properties = json!({"queueUrl": "${queue.url}", "policy": statement(v, "${queue.arn}", true)});
                ("aws:sqs:QueuePolicy", properties, none())
            }
            "group" => {
                let name = if v == 3 { "/fuzz/other" } else { "/fuzz/group" };
                let days = [1, 3, 7, 14][v as usize % 4];
                let properties = json!({"name": name, "retentionInDays": days});
                ("aws:cloudwatch:LogGroup", properties, none())
            }
            "role" => {
                let properties = json!({
                    "name": if v == 3 { "other" } else { "role" },
                    "description": format!("variant {v}"),
                    "assumeRolePolicy": {"Version": "2012-10-17", "Statement": [{
                        "Effect": "Allow", "Action": "sts:AssumeRole",
                        "Principal": {"Service": "lambda.amazonaws.com"}}]},
                });
                ("aws:iam:Role", properties, none())
            }
            "policy" => {
                let to = if has("queue") { "${queue.arn}" } else { "*" };
                let properties = json!({"name": "policy", "policy": statement(v, to, false)});
                ("aws:iam:Policy", properties, none())
            }
            "attachment" => {
                let properties = json!({"role": "${role.name}", "policyArn": "${policy.arn}"});
                ("aws:iam:RolePolicyAttachment", properties, none())
            }
            "inline" => {
                let properties = json!({"name": "inline", "role": "${role.id}", "policy": statement(v, "*", false)});
                ("aws:iam:RolePolicy", properties, none())
            }
            "bucket" => {
                let name = if v == 3 { "fuzz-other" } else { "fuzz-bucket" };
                let properties =
                    json!({"bucket": name, "forceDestroy": true, "tags": {"v": format!("{v}")}});
                ("aws:s3:Bucket", properties, none())
            }
            "object" => {
                let properties = json!({"bucket": "${bucket.id}", "key": "folder/key", "content": format!("text {v}")});
                ("aws:s3:BucketObject", properties, none())
            }
            "function" => {
                let properties = json!({
                    "name": "handler", "role": "${role.arn}", "runtime": "python3.13",
                    "handler": "app.handler", "filename": "${data.code.outputPath}",
                    "timeout": 3 + v, "environment": {"variables": {"BUCKET": "${bucket.id}"}},
                });
                ("aws:lambda:Function", properties, none())
            }
            "mapping" => {
                let properties = json!({
                    "eventSourceArn": "${queue.arn}", "functionName": "${function.name}",
                    "batchSize": 1 + v,
                });
                let options = json!({"dependsOn": ["inline"]});
                ("aws:lambda:EventSourceMapping", properties, options)
            }
            _ => self.gateway_block(name, v),
        }
    }

    fn gateway_block(&self, name: &str, v: u8) -> (&'static str, Value, Value) {
        match name {
            "api" => {
                let properties = json!({
                    "name": "api", "protocolType": "WEBSOCKET", "description": format!("variant {}", v / 2),
                    "routeSelectionExpression": "$request.body.action",
                });
                // Names of APIs need not be unique: old and new live side by side.
                let options = json!({"replaceOnChanges": ["description"]});
                ("aws:apigatewayv2:Api", properties, options)
            }
            "integration" | "twin" => {
                // The same content on purpose: only their ids differ.
                let properties = json!({"apiId": "${api.id}", "integrationType": "MOCK"});
                ("aws:apigatewayv2:Integration", properties, json!({}))
            }
            "route" => {
                let properties = json!({
                    "apiId": "${api.id}", "routeKey": if v == 3 { "send" } else { "$default" },
                    "operationName": format!("o{v}"), "target": "integrations/${integration.id}",
                });
                ("aws:apigatewayv2:Route", properties, json!({}))
            }
            "deployment" => {
                let properties = json!({
                    "apiId": "${api.id}", "description": "the deployment",
                    "triggers": {"route": format!("{v}")},
                });
                let options = json!({"dependsOn": ["route"]});
                ("aws:apigatewayv2:Deployment", properties, options)
            }
            _ => {
                let mut properties = json!({
                    "apiId": "${api.id}", "name": "production", "description": format!("variant {v}"),
                });
                // A stage lets go of its deployment only for another one, or its own.
                match self.variant("deployment") {
                    Some(_) => properties["deploymentId"] = json!("${deployment.id}"),
                    None => properties["autoDeploy"] = json!(true),
                }
                ("aws:apigatewayv2:Stage", properties, json!({}))
            }
        }
    }

    /// The stack, checked.
    pub fn stack(&self, dir: &Path) -> Stack {
        let text = self.document().to_string().into_bytes();
        let file = ("s.yaml".to_owned(), text);
        let loaded = load::load(file, None, dir.to_owned(), &load::Given::default());
        assert_eq!(loaded.diagnostics, Vec::new(), "{}", self.document());
        assert_eq!(
            check::check(&loaded.stack, native()),
            Vec::new(),
            "{}",
            self.document()
        );
        loaded.stack
    }
}

/// A policy of one statement, of a resource (then it names a principal) or of a role.
fn statement(v: u8, resource: &str, of_resource: bool) -> Value {
    let mut statement = json!({
        "Sid": format!("S{v}"), "Effect": "Allow", "Action": [
            "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        "Resource": resource,
    });
    if of_resource {
        statement["Principal"] = json!({"Service": "lambda.amazonaws.com"});
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}
