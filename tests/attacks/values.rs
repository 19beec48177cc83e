//! What a service returns as the value of a property: documents nested without an end, numbers that
//! no machine holds, tags by the hundred thousand, letters that are not seen. A command ends soon,
//! and says which resource it is, or shows the difference.

use super::Table;
use super::arena::limited;
use super::replies::{Hostile, Reply, is_sts, project, s3_error, whole};
use crate::support::aws::{Asked, sts};
use crate::support::{Ended, Project};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// What the server puts where a service puts a value.
#[derive(Clone)]
struct Values {
    /// A policy document, of the one that was sent.
    document: fn(&str) -> String,
    /// A description, or the value of a tag or of a variable.
    text: String,
    /// A number, as it stands in JSON.
    number: String,
    /// How many tags there are.
    tags: usize,
    /// What stands before each id and ARN.
    id: &'static str,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            document: str::to_owned,
            text: "text".to_owned(),
            number: "7".to_owned(),
            tags: 1,
            id: "",
        }
    }
}

/// Stands for bytes that are no UTF-8.
const NO_UTF8: char = '\u{e000}';

fn nested(open: &str, close: &str) -> String {
    open.repeat(100_000) + "1" + &close.repeat(100_000)
}

fn with(document: &str, value: &str) -> String {
    let condition =
        format!("\"Condition\": {{\"NumericEquals\": {{\"a:b\": {value}}}}}, \"Effect\"");
    document.replacen("\"Effect\"", &condition, 1)
}

/// Letters that act on a terminal, or are not seen.
const CONTROL: &str = "a\u{1b}[2Jb\u{202e}c\u{200b}d\u{7}e\u{9b}f";

/// How a command takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// As drift: the value was another one.
    Shown,
    /// As an error that names the resource.
    Told,
    /// The same, once the call was retried, since the reply cannot be read.
    Retried,
    /// It is somebody else's: no drift.
    Others,
}

/// The kinds of strange values, by name.
fn kinds() -> Vec<(&'static str, How, Values)> {
    use How::{Others, Retried, Shown, Told};
    let document = |document| Values {
        document,
        ..Values::default()
    };
    let number = |number: &str| Values {
        number: number.to_owned(),
        ..Values::default()
    };
    let text = |text: String| Values {
        text,
        ..Values::default()
    };
    let digits = "1234567890".repeat(4);
    let mut kinds = vec![
        (
            "a list in lists",
            Shown,
            document(|it| with(it, &nested("[", "]"))),
        ),
        (
            "an object in objects",
            Shown,
            document(|it| with(it, &nested("{\"a\":", "}"))),
        ),
        (
            "a list without an end",
            Shown,
            document(|_| "[".repeat(100_000)),
        ),
        (
            "1e400 in a document",
            Shown,
            document(|it| with(it, "1e400")),
        ),
        ("-0 in a document", Shown, document(|it| with(it, "-0"))),
        (
            "40 digits in a document",
            Shown,
            document(|it| with(it, &"1234567890".repeat(4))),
        ),
        (
            "an exponent of 20 digits",
            Shown,
            document(|it| with(it, "1e99999999999999999999")),
        ),
        (
            "keys that repeat",
            Shown,
            document(|it| it.replace("\"Effect\":", "\"Effect\": \"Deny\", \"Effect\":")),
        ),
        (
            "a key of the parser's own",
            Shown,
            document(|it| with(it, "{\"$serde_json::private::Number\": \"1\"}")),
        ),
        (
            "a document that is a number",
            Shown,
            document(|_| "1e400".to_owned()),
        ),
        (
            "a document that is null",
            Shown,
            document(|_| "null".to_owned()),
        ),
        (
            "a template",
            Shown,
            text("${file(\"/etc/passwd\")} %{ for }".to_owned()),
        ),
        ("control and bidi letters", Shown, text(CONTROL.to_owned())),
        ("-0", Told, number("-0")),
        ("1e400", Retried, number("1e400")),
        ("40 digits", Retried, number(&digits)),
        ("a negative number", Retried, number("-9223372036854775809")),
        ("NaN", Retried, number("\"NaN\"")),
        (
            "a list in lists for a number",
            Retried,
            number(&nested("[", "]")),
        ),
        (
            "an object in objects for a number",
            Retried,
            number(&nested("{\"a\":", "}")),
        ),
        ("no UTF-8", Retried, text(NO_UTF8.to_string().repeat(3))),
        ("a zero byte", Retried, text("a\u{0}b".to_owned())),
        (
            "no UTF-8 in a document",
            Retried,
            document(|it| it.replace("Allow", &NO_UTF8.to_string())),
        ),
    ];
    for (name, id) in [
        ("ids that lead up", "../../../"),
        ("ids of control and bidi letters", CONTROL),
    ] {
        // What a service calls a thing is no property of it.
        let values = Values {
            id,
            ..Values::default()
        };
        kinds.push((name, Others, values));
    }
    let tags = Values {
        tags: 100_000,
        ..Values::default()
    };
    kinds.push(("100,000 tags", Others, tags));
    kinds
}

/// Kinds of 10 MB, each of one resource.
fn large() -> Vec<(&'static str, &'static str, Values)> {
    let document = |document| Values {
        document,
        ..Values::default()
    };
    let text = |text: String| Values {
        text,
        ..Values::default()
    };
    vec![
        (
            "10 MB in a document",
            "policy",
            document(|it| it.replace("Allow", &"x".repeat(10 << 20))),
        ),
        (
            "10 MB of lines in a document",
            "role",
            document(|it| with(it, &format!("[{}1]", "1,\n".repeat(3 << 20)))),
        ),
        ("10 MB", "api", text("x".repeat(10 << 20))),
        ("10 MB of lines", "role", text("x\n".repeat(5 << 20))),
    ]
}

const ARN: &str = "arn:aws:iam::111122223333:";
const UUID: &str = "91eaeb7e-c976-4939-9430-3a8b3b6a6ee9";

/// Address, type and properties, and what to import; `@` is the server, `$` a document.
const RESOURCES: &[(&str, &str, &str)] = &[
    (
        "queue",
        "aws:sqs:Queue, properties: {name: q, tags: {k0: text}}",
        "@/111122223333/q",
    ),
    (
        "queuepolicy",
        "aws:sqs:QueuePolicy, properties: {queueUrl: '@/111122223333/q', policy: $}",
        "@/111122223333/q",
    ),
    (
        "group",
        "aws:cloudwatch:LogGroup, properties: {name: g, retentionInDays: 7, tags: {k0: text}}",
        "g",
    ),
    (
        "role",
        "aws:iam:Role, properties: {name: r, description: text, assumeRolePolicy: $, tags: {k0: text}}",
        "r",
    ),
    (
        "policy",
        "aws:iam:Policy, properties: {name: p, policy: $, tags: {k0: text}}",
        "arn:aws:iam::111122223333:policy/p",
    ),
    (
        "function",
        "aws:lambda:Function, properties: {name: f, role: 'arn:aws:iam::111122223333:role/r', handler: a.b, runtime: nodejs22.x, s3Bucket: bucket-1, s3Key: k, description: text, timeout: 7, environment: {variables: {AA: text}}, tags: {k0: text}}",
        "f",
    ),
    (
        "permission",
        "aws:lambda:Permission, properties: {statementId: s, function: f, action: 'lambda:InvokeFunction', principal: events.amazonaws.com}",
        "f/s",
    ),
    (
        "mapping",
        "aws:lambda:EventSourceMapping, properties: {functionName: f, eventSourceArn: 'arn:aws:sqs:us-west-2:111122223333:q', batchSize: 7}",
        UUID,
    ),
    (
        "api",
        "aws:apigatewayv2:Api, properties: {name: a, protocolType: HTTP, description: text, tags: {k0: text}}",
        "a1b2c3",
    ),
    (
        "bucketpolicy",
        "aws:s3:BucketPolicy, properties: {bucket: bucket-1, policy: $}",
        "bucket-1",
    ),
];

/// The policy document that a service had.
const DOCUMENT: &str = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "s", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Principal": {"Service": "events.amazonaws.com"}, "Resource": "arn:aws:lambda:us-west-2:111122223333:function:f"}]}"#;

/// The policy document of a resource.
fn document(address: &str) -> String {
    let resource = ", \"Resource\": \"arn:aws:lambda:us-west-2:111122223333:function:f\"";
    let of = |action: &str, on: &str| {
        let on = format!(", \"Resource\": \"{on}\"");
        let on = if on.ends_with("\"\"") { "" } else { &on };
        DOCUMENT
            .replace(resource, on)
            .replace("lambda:InvokeFunction", action)
    };
    match address {
        "role" => of("sts:AssumeRole", ""),
        "policy" => DOCUMENT.replace(
            "\"Principal\": {\"Service\": \"events.amazonaws.com\"}, ",
            "",
        ),
        "queuepolicy" => of("sqs:SendMessage", "arn:aws:sqs:us-west-2:111122223333:q"),
        "bucketpolicy" => of("s3:GetObject", "arn:aws:s3:::bucket-1/*"),
        _ => DOCUMENT.to_owned(),
    }
}

fn stack(url: &str, wanted: &[&str]) -> String {
    let rows = RESOURCES.iter().filter(|row| wanted.contains(&row.0));
    rows.map(|(address, kind, _)| {
        let kind = kind.replace('@', url).replace('$', &document(address));
        format!("  {address}: {{type: {kind}}}\n")
    })
    .collect()
}

/// What the services return.
fn answer(asked: &Asked, values: &Values) -> Reply {
    if is_sts(asked) {
        return whole(sts(asked));
    }
    let (head, body) = (asked.head.as_str(), asked.body.as_str());
    let line = head.lines().next().unwrap_or_default();
    let has = |part: &str| head.contains(part) || body.contains(part);
    let of = |address: &str| (values.document)(&document(address));
    let tags: serde_json::Map<String, Value> = (0..values.tags)
        .map(|at| (format!("k{at}"), json!(values.text)))
        .collect();
    let list = |key: &str, value: &str| -> String {
        let of = |(name, text): (&String, &Value)| {
            let text = text
                .as_str()
                .unwrap()
                .replace('&', "&amp;")
                .replace('<', "&lt;");
            format!("<member><{key}>{name}</{key}><{value}>{text}</{value}></member>")
        };
        tags.iter().map(of).collect()
    };
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (text, id) = (&values.text, values.id);
    // A raw number is put in afterwards: JSON values hold no such numbers.
    let raw = |value: Value| value.to_string().replace("\"@\"", &values.number);
    let reply = if has("AmazonSQS.GetQueueAttributes") {
        json!({"Attributes": {"QueueArn": format!("{id}arn:aws:sqs:us-west-2:111122223333:q"), "Policy": of("queuepolicy"),
            "VisibilityTimeout": values.number, "MaximumMessageSize": "262144", "DelaySeconds": "0",
            "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true"}}).to_string()
    } else if has("AmazonSQS.ListQueueTags") {
        json!({"Tags": tags}).to_string()
    } else if has("AmazonSQS.GetQueueUrl") {
        json!({"QueueUrl": format!("{id}http://127.0.0.1/111122223333/q")}).to_string()
    } else if has("DescribeLogGroups") {
        raw(
            json!({"logGroups": [{"logGroupName": "g", "arn": format!("{id}arn:aws:logs:us-west-2:111122223333:log-group:g:*"),
            "storedBytes": "@", "creationTime": "@", "retentionInDays": "@", "logGroupClass": "STANDARD"}]}),
        )
    } else if has("ListTagsForResource") {
        json!({"tags": tags}).to_string()
    } else if has("Action=GetRole&") {
        format!(
            "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>r</RoleName><RoleId>AROA</RoleId>\
            <Arn>{id}{ARN}role/r</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><MaxSessionDuration>3600</MaxSessionDuration>\
            <Description>{}</Description><AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument><Tags>{}</Tags></Role></GetRoleResult></GetRoleResponse>",
            text.replace('&', "&amp;").replace('<', "&lt;"),
            encoded(&of("role")),
            list("Key", "Value")
        )
    } else if has("Action=ListRolePolicies") {
        "<ListRolePoliciesResponse><ListRolePoliciesResult><PolicyNames/><IsTruncated>false</IsTruncated></ListRolePoliciesResult></ListRolePoliciesResponse>".to_owned()
    } else if has("Action=ListAttachedRolePolicies") {
        "<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><AttachedPolicies/><IsTruncated>false</IsTruncated></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>".to_owned()
    } else if has("Action=GetPolicyVersion") {
        format!(
            "<GetPolicyVersionResponse><GetPolicyVersionResult><PolicyVersion><Document>{}</Document><VersionId>v1</VersionId>\
            <IsDefaultVersion>true</IsDefaultVersion></PolicyVersion></GetPolicyVersionResult></GetPolicyVersionResponse>",
            encoded(&of("policy"))
        )
    } else if has("Action=GetPolicy&") {
        format!(
            "<GetPolicyResponse><GetPolicyResult><Policy><PolicyName>p</PolicyName><PolicyId>ANPA</PolicyId><Arn>{id}{ARN}policy/p</Arn>\
            <Path>/</Path><DefaultVersionId>v1</DefaultVersionId><Tags>{}</Tags></Policy></GetPolicyResult></GetPolicyResponse>",
            list("Key", "Value")
        )
    } else if line.contains("/functions/f/policy") {
        json!({"Policy": of("permission"), "RevisionId": UUID}).to_string()
    } else if line.contains("/code-signing-config") {
        json!({}).to_string()
    } else if line.contains("/event-source-mappings/") {
        raw(
            json!({"UUID": UUID, "BatchSize": "@", "FunctionArn": format!("{id}arn:aws:lambda:us-west-2:111122223333:function:f"),
            "EventSourceArn": "arn:aws:sqs:us-west-2:111122223333:q", "State": "Enabled", "StateTransitionReason": text}),
        )
    } else if line.contains("/functions/f") {
        raw(
            json!({"Configuration": {"FunctionName": "f", "FunctionArn": format!("{id}arn:aws:lambda:us-west-2:111122223333:function:f"),
            "Role": format!("{ARN}role/r"), "Runtime": "nodejs22.x", "Handler": "a.b", "CodeSha256": "x", "CodeSize": "@", "Timeout": "@",
            "MemorySize": 128, "LastModified": "2026-01-01T00:00:00.000+0000", "Version": "$LATEST", "State": "Active",
            "LastUpdateStatus": "Successful", "PackageType": "Zip", "Architectures": ["x86_64"], "Description": text,
            "Environment": {"Variables": {"AA": text}}}, "Code": {"Location": "https://x"}, "Tags": tags}),
        )
    } else if line.contains("/v2/apis/a1b2c3 ") {
        json!({"apiId": format!("{id}a1b2c3"), "name": "a", "protocolType": "HTTP", "description": text, "tags": tags,
            "apiEndpoint": "https://x", "routeSelectionExpression": "$request.method $request.path",
            "apiKeySelectionExpression": "$request.header.x-api-key", "disableExecuteApiEndpoint": false}).to_string()
    } else if line.contains("?policy") {
        of("bucketpolicy")
    } else {
        return Reply::Whole(404, s3_error("NoSuchEntity"));
    };
    let mut bytes = Vec::with_capacity(reply.len());
    for part in reply.split_inclusive(NO_UTF8) {
        bytes.extend(part.trim_end_matches(NO_UTF8).bytes());
        if part.ends_with(NO_UTF8) {
            bytes.extend([0xff, 0xfe, 0xc0]);
        }
    }
    Reply::Bytes(200, bytes)
}

/// A server whose values are set from case to case, and a state of what it had at first.
struct Arena {
    server: Hostile,
    values: Arc<Mutex<Values>>,
    state: String,
}

impl Arena {
    fn new(wanted: &[&str]) -> Self {
        let values = Arc::new(Mutex::new(Values::default()));
        let told = Arc::clone(&values);
        let server = Hostile::start(move |asked, _| {
            let values = told.lock().unwrap().clone();
            answer(asked, &values)
        });
        let project = project(&server.url, &stack(&server.url, wanted));
        for (address, _, id) in RESOURCES.iter().filter(|row| wanted.contains(&row.0)) {
            let id = id.replace('@', &server.url);
            project.run(&["import", address, &id, "--yes"]).expect(0);
        }
        let state = match wanted {
            [] => String::new(),
            _ => project.read("state/s.json"),
        };
        let arena = Self {
            server,
            values,
            state,
        };
        if !wanted.is_empty() {
            arena.project(wanted).run(&["drift"]).expect(0);
        }
        arena
    }

    fn project(&self, wanted: &[&str]) -> Project {
        let project = project(&self.server.url, &stack(&self.server.url, wanted));
        project.write("state/s.json", &self.state);
        let state: Value = serde_json::from_str(&self.state).unwrap_or_default();
        let known = state["resources"].as_object().into_iter().flatten();
        for (address, _) in known.filter(|(address, _)| !wanted.contains(&address.as_str())) {
            project.run(&["state", "rm", address, "--yes"]).expect(0);
        }
        project
    }

    fn set(&self, values: &Values) {
        *self.values.lock().unwrap() = values.clone();
    }
}

/// Whether a command ended as it should, with nothing on a screen that acts on it.
fn ended(ended: &Ended, code: i32, words: &[&str]) -> Result<(), String> {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    let cut: String = said.chars().take(900).collect();
    if said.contains("panicked") || ended.code != Some(code) {
        return Err(format!("{:?}: {cut}", ended.code));
    }
    if let Some(active) = said
        .chars()
        .find(|c| "\u{1b}\u{202e}\u{7}\u{9b}\u{0}".contains(*c))
    {
        return Err(format!("{active:?} is on the screen: {cut}"));
    }
    match words.iter().find(|word| !said.contains(**word)) {
        None => Ok(()),
        Some(word) => Err(format!("{word:?} is not in {cut}")),
    }
}

/// All that are read by what is sent, and not only looked for in a document.
const MOST: &[&str] = &[
    "queue",
    "queuepolicy",
    "group",
    "role",
    "policy",
    "function",
    "mapping",
    "api",
    "bucketpolicy",
];

/// The resources that a kind is tried with: XML has no control letters, and an error would say no
/// more than that.
fn tried_with(name: &str) -> Vec<&'static str> {
    let mut tried = MOST.to_vec();
    match name {
        "100,000 tags" => tried.truncate(1),
        name if name.ends_with("bidi letters") => {
            tried.retain(|one| !matches!(*one, "role" | "policy"));
        }
        _ => {}
    }
    tried
}

#[test]
fn a_strange_value_is_told_or_shown() {
    let mut table = Table::new("values");
    let arena = Arena::new(MOST);
    let kinds = kinds().into_iter().filter(|kind| kind.1 != How::Retried);
    for (at, (name, how, values)) in kinds.enumerate() {
        arena.set(&values);
        let project = arena.project(&tried_with(name));
        let code = match how {
            How::Shown => 2,
            How::Others => 0,
            How::Told | How::Retried => 1,
        };
        let words: &[&str] = match how {
            How::Told => &["Reading queue: sqs:GetQueueAttributes"],
            _ => &["account 111122223333"],
        };
        table.attack(&format!("{name}: drift"), || {
            ended(&limited(&project, &["drift"])?, code, words)
        });
        let done = i32::from(how == How::Told);
        match at % 3 {
            0 => table.attack(&format!("{name}: refresh, and all is well"), || {
                ended(&limited(&project, &["refresh", "--yes"])?, done, &[])?;
                ended(&limited(&project, &["drift"])?, done, &[])
            }),
            1 => table.attack(&format!("{name}: plan --json"), || {
                let found = limited(&project, &["plan", "--json"])?;
                ended(&found, done, &[])?;
                let json = serde_json::from_str::<Value>(&found.stdout);
                json.map(drop).map_err(|why| why.to_string())
            }),
            _ => table.attack(&format!("{name}: plan"), || {
                ended(&limited(&project, &["plan"])?, done, &[])
            }),
        };
    }
    table.end();
}

#[test]
fn a_large_value_is_shown_in_time() {
    let mut table = Table::new("large values");
    for (name, address, values) in large() {
        let arena = Arena::new(&[address]);
        arena.set(&values);
        let project = arena.project(&[address]);
        let (args, code): (&[&str], i32) = match name {
            "10 MB" => (&["refresh", "--yes"], 0),
            "10 MB in a document" => (&["plan"], 0),
            _ => (&["drift"], 2),
        };
        {
            table.attack(&format!("{name} of {address}: {}", args.join(" ")), || {
                ended(&limited(&project, args)?, code, &[address])
            });
        }
    }
    table.end();
}

/// Nothing is concluded from a reply that cannot be read: the error says of which resource. Such
/// replies are retried, so the cases wait side by side.
#[test]
fn a_reply_that_cannot_be_read_is_told() {
    let mut table = Table::new("values");
    let cases: Vec<_> = kinds()
        .into_iter()
        .filter(|kind| kind.1 == How::Retried)
        .collect();
    let threads: Vec<_> = cases
        .into_iter()
        .enumerate()
        .map(|(at, (name, _, values))| {
            std::thread::spawn(move || {
                let wanted: &[&str] = match name {
                    "no UTF-8 in a document" => &["bucketpolicy"],
                    "no UTF-8" | "a zero byte" => &["role"],
                    _ => &[["group", "function", "mapping"][at % 3]],
                };
                let arena = Arena::new(wanted);
                arena.set(&values);
                let project = arena.project(wanted);
                let args: &[&str] = [&["drift"][..], &["plan"], &["refresh", "--yes"]][at % 3];
                let reading = format!("Reading {}: ", wanted[0]);
                let found = limited(&project, args).and_then(|it| ended(&it, 1, &[&reading]));
                (name, found)
            })
        })
        .collect();
    for thread in threads {
        let (name, found) = thread.join().unwrap();
        table.attack(name, || found);
    }
    table.end();
}

/// A permission is looked for in its function's policy: one that cannot be read says nothing of it.
#[test]
fn a_policy_that_cannot_be_read_is_not_an_empty_one() {
    let mut table = Table::new("values");
    let arena = Arena::new(&["permission"]);
    let project = arena.project(&["permission"]);
    for (name, _, values) in kinds() {
        if !["lists", "objects", "end", "repeat", "own", "null", "number"]
            .iter()
            .any(|word| name.ends_with(word))
        {
            continue;
        }
        arena.set(&values);
        for args in [["plan"], ["drift"]] {
            let text = values.document as usize != Values::default().document as usize;
            if text {
                table.attack(&format!("{name}: {}", args[0]), || {
                    ended(
                        &limited(&project, &args)?,
                        1,
                        &["Reading permission: lambda:GetPolicy"],
                    )
                });
            }
        }
    }
    table.end();
}

/// The same kinds of each type, as they are imported.
#[test]
fn a_strange_value_is_imported_or_told() {
    let mut table = Table::new("values");
    let kinds = kinds();
    let quick = kinds.iter().filter(|kind| kind.1 != How::Retried);
    let mut quick = quick.cycle().skip(3);
    let arena = Arena::new(&[]);
    for (address, _, id) in RESOURCES {
        for _ in 0..2 {
            let Some((name, _, values)) = quick.next() else {
                continue;
            };
            arena.set(values);
            table.attack(&format!("{name} of {address}"), || {
                let project = project(&arena.server.url, &stack(&arena.server.url, &[address]));
                let id = id.replace('@', &arena.server.url);
                let found = limited(&project, &["import", address, &id, "--yes"])?;
                match found.code {
                    Some(0) => {
                        ended(&found, 0, &[address])?;
                        ended(
                            &limited(&project, &["state", "show", address])?,
                            0,
                            &[address],
                        )
                    }
                    _ => ended(&found, 1, &[address]),
                }
            });
        }
    }
    table.end();
}
