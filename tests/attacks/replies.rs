//! What a hostile endpoint replies: bodies without an end, listings without an end, certificates
//! that nobody trusts. Each must end the call soon, with what was called and why.

use super::Table;
use crate::support::aws::{Asked, read, sts};
use crate::support::{Ended, Project};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server does with a request.
pub(super) enum Reply {
    /// Status and body.
    Whole(u16, String),
    /// Status and a body that need not be UTF-8.
    Bytes(u16, Vec<u8>),
    /// A body that never ends.
    Endless(u16),
    /// The connection is closed.
    Broken,
}

/// A server that answers by what was asked and how many requests there were before.
pub(super) struct Hostile {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Hostile {
    pub(super) fn start(reply: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let reply = Arc::new(reply);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, reply) = (Arc::clone(&log), Arc::clone(&reply));
                // The client hangs up in the middle: that ends the thread.
                thread::spawn(move || serve(stream, &log, &*reply).ok());
            }
        });
        Self { url, asked }
    }

    /// All that was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many requests came, those of STS left out.
    fn count(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| !is_sts(asked)).count()
    }
}

fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<Asked>>,
    reply: &dyn Fn(&Asked, usize) -> Reply,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(asked) = read(&mut reader) {
        let before = {
            let mut log = log.lock().unwrap();
            log.push(asked.clone());
            log.len() - 1
        };
        match reply(&asked, before) {
            Reply::Whole(status, body) => {
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n\r\n{body}"
                )?;
            }
            Reply::Bytes(status, body) => {
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n\r\n"
                )?;
                stream.write_all(&body)?;
            }
            Reply::Endless(status) => {
                write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nTransfer-Encoding: chunked\r\n\r\n"
                )?;
                let piece = [b"100000\r\n".as_slice(), &[b' '; 1 << 20], b"\r\n"].concat();
                loop {
                    stream.write_all(&piece)?;
                }
            }
            Reply::Broken => return Ok(()),
        }
    }
    Ok(())
}

pub(super) fn is_sts(asked: &Asked) -> bool {
    asked.head.contains("/sts/aws4_request")
}

/// A project whose calls go to the server.
pub(super) fn project(url: &str, stack: &str) -> Project {
    let mut project = Project::new();
    project.flags = vec!["--endpoint-url".to_owned(), url.to_owned()];
    project.write(
        "stacks/s.yaml",
        format!("name: s\nproviders: {{aws: {{region: us-west-2}}}}\nresources:\n{stack}"),
    );
    project
        .env("AWS_ACCESS_KEY_ID", "KEY")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("STACKCTL_UNPACED", "1");
    project
}

/// Holds where the command failed and says all of this.
fn failed(ended: &Ended, words: &[&str]) -> Result<(), String> {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    match words.iter().find(|word| !said.contains(**word)) {
        None if ended.code == Some(1) => Ok(()),
        _ => {
            let said: String = said.chars().take(700).collect();
            Err(format!("{:?}: {said}", ended.code))
        }
    }
}

/// A type of each service and what to import of it, with the call that is named.
const IMPORTS: &[(&str, &str, &str)] = &[
    (
        "aws:sqs:Queue, properties: {name: q}",
        "http://127.0.0.1:1/111122223333/q",
        "sqs:",
    ),
    (
        "aws:cloudwatch:LogGroup, properties: {name: g}",
        "g",
        "logs:",
    ),
    (
        "aws:iam:Role, properties: {name: r, assumeRolePolicy: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: 'sts:AssumeRole', Principal: {Service: lambda.amazonaws.com}}]}}",
        "r",
        "iam:GetRole",
    ),
    (
        "aws:iam:Policy, properties: {name: p, policy: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: 'sqs:SendMessage', Resource: '*'}]}}",
        "arn:aws:iam::111122223333:policy/p",
        "iam:GetPolicy",
    ),
    (
        "aws:lambda:Function, properties: {name: f, role: 'arn:aws:iam::111122223333:role/r', handler: a.b, runtime: nodejs22.x, s3Bucket: bucket-1, s3Key: k}",
        "f",
        "lambda:GetFunction",
    ),
    (
        "aws:lambda:EventSourceMapping, properties: {functionName: f, eventSourceArn: 'arn:aws:sqs:us-west-2:111122223333:q'}",
        "91eaeb7e-c976-4939-9430-3a8b3b6a6ee9",
        "lambda:GetEventSourceMapping",
    ),
    (
        "aws:s3:BucketVersioning, properties: {bucket: bucket-1, versioningConfiguration: {status: Enabled}}",
        "bucket-1",
        "s3:",
    ),
    (
        "aws:apigatewayv2:Api, properties: {name: a, protocolType: HTTP}",
        "a1b2c3",
        "apigateway:GET",
    ),
    (
        "aws:apigatewayv2:Stage, properties: {apiId: a1b2c3, name: x}",
        "a1b2c3/x",
        "apigateway:GET",
    ),
    (
        "aws:apigatewayv2:Route, properties: {apiId: a1b2c3, routeKey: GET /x}",
        "a1b2c3/r1",
        "apigateway:GET",
    ),
    (
        "aws:apigatewayv2:Integration, properties: {apiId: a1b2c3, integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: 'https://example.com'}",
        "a1b2c3/i1",
        "apigateway:GET",
    ),
];

#[test]
fn a_reply_without_an_end_is_read_to_a_limit() {
    let mut table = Table::new("replies");
    for status in [200, 403] {
        for (kind, id, call) in IMPORTS {
            table.attack(&format!("{status} without an end for {kind}"), || {
                let server = Hostile::start(move |asked, _| match is_sts(asked) {
                    true => whole(sts(asked)),
                    false => Reply::Endless(status),
                });
                let project = project(&server.url, &format!("  r: {{type: {kind}}}\n"));
                let ended = project.run(&["import", "r", id]);
                failed(&ended, &["larger than 64 MiB", call])?;
                few(server.count(), 6)
            });
        }
    }
    for (name, args) in [
        ("who one is", ["plan", "--refresh=false"].as_slice()),
        (
            "a state in S3",
            &["state", "list", "--state", "s3://bucket-1/k"],
        ),
        (
            "a plan of a state in S3",
            &["plan", "--state", "s3://bucket-1/k"],
        ),
    ] {
        table.attack(&format!("without an end: {name}"), || {
            let listing = name != "who one is";
            let server = Hostile::start(move |asked, _| {
                match (listing, asked.head.contains("list-type=2")) {
                    (true, true) | (false, _) => Reply::Endless(200),
                    _ if is_sts(asked) => whole(sts(asked)),
                    _ => Reply::Whole(404, s3_error("NoSuchKey")),
                }
            });
            let stack = "  q: {type: aws:sqs:Queue, properties: {name: q}}\n";
            let ended = project(&server.url, stack).run(args);
            failed(&ended, &["larger than 64 MiB"])?;
            few(server.count(), 12)
        });
    }
    table.end();
}

fn few(count: usize, most: usize) -> Result<(), String> {
    if count <= most {
        Ok(())
    } else {
        Err(format!("{count} requests were made"))
    }
}

pub(super) fn whole((status, body): (u16, String)) -> Reply {
    Reply::Whole(status, body)
}

pub(super) fn s3_error(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>no</Message></Error>")
}

/// Blocks whose `state rebuild` lists, the listing, and a page of it; `@` is the next token.
const LISTINGS: &[(&str, &str, &str, &str)] = &[
    (
        "aws:sqs:Queue, properties: {namePrefix: x}",
        "sqs:ListQueues",
        "ListQueues",
        r#"{"QueueUrls": [], "NextToken": "@"}"#,
    ),
    (
        "aws:cloudwatch:LogGroup, properties: {name: g}",
        "logs:DescribeLogGroups",
        "DescribeLogGroups",
        r#"{"logGroups": [{"logGroupName": "other"}], "nextToken": "@"}"#,
    ),
    (
        "aws:cloudwatch:LogGroup, properties: {namePrefix: x}",
        "logs:DescribeLogGroups",
        "DescribeLogGroups",
        r#"{"logGroups": [], "nextToken": "@"}"#,
    ),
    (
        "aws:iam:Role, properties: {namePrefix: x, assumeRolePolicy: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: 'sts:AssumeRole', Principal: {Service: lambda.amazonaws.com}}]}}",
        "iam:ListRoles",
        "Action=ListRoles",
        "<ListRolesResponse><ListRolesResult><Roles/><IsTruncated>true</IsTruncated>\
         <Marker>@</Marker></ListRolesResult></ListRolesResponse>",
    ),
    (
        "aws:iam:Policy, properties: {namePrefix: x, policy: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: 'sqs:SendMessage', Resource: '*'}]}}",
        "iam:ListPolicies",
        "Action=ListPolicies",
        "<ListPoliciesResponse><ListPoliciesResult><Policies/><IsTruncated>true</IsTruncated>\
         <Marker>@</Marker></ListPoliciesResult></ListPoliciesResponse>",
    ),
    (
        "aws:lambda:EventSourceMapping, properties: {functionName: f, eventSourceArn: 'arn:aws:sqs:us-west-2:111122223333:q'}",
        "lambda:ListEventSourceMappings",
        "/event-source-mappings",
        r#"{"EventSourceMappings": [], "NextMarker": "@"}"#,
    ),
    (
        "aws:s3:Bucket, properties: {bucketPrefix: x}",
        "s3:ListAllMyBuckets (ListBuckets)",
        "max-buckets",
        "<ListAllMyBucketsResult><Buckets/><ContinuationToken>@</ContinuationToken>\
         </ListAllMyBucketsResult>",
    ),
    (
        "aws:apigatewayv2:Api, properties: {name: a, protocolType: HTTP}",
        "apigateway:GET (GetApis)",
        "/v2/apis?",
        r#"{"items": [], "nextToken": "@"}"#,
    ),
    (
        "aws:apigatewayv2:Route, properties: {apiId: a1b2c3, routeKey: GET /x}",
        "apigateway:GET (GetRoutes)",
        "/routes",
        r#"{"items": [], "nextToken": "@"}"#,
    ),
    (
        "aws:apigatewayv2:Integration, properties: {apiId: a1b2c3, integrationType: HTTP_PROXY, integrationMethod: ANY, integrationUri: 'https://example.com'}",
        "apigateway:GET (GetIntegrations)",
        "/integrations",
        r#"{"items": [], "nextToken": "@"}"#,
    ),
    (
        "aws:apigatewayv2:Deployment, properties: {apiId: a1b2c3}",
        "apigateway:GET (GetDeployments)",
        "/deployments",
        r#"{"items": [], "nextToken": "@"}"#,
    ),
    (
        "aws:apigatewayv2:IntegrationResponse, properties: {apiId: a1b2c3, integrationId: i1, integrationResponseKey: $default}",
        "apigateway:GET (GetIntegrationResponses)",
        "/integrationresponses",
        r#"{"items": [], "nextToken": "@"}"#,
    ),
    (
        "aws:apigatewayv2:RouteResponse, properties: {apiId: a1b2c3, routeId: r1, routeResponseKey: $default}",
        "apigateway:GET (GetRouteResponses)",
        "/routeresponses",
        r#"{"items": [], "nextToken": "@"}"#,
    ),
];

#[test]
fn a_listing_that_comes_back_to_a_page_is_ended() {
    let mut table = Table::new("listings");
    for tokens in [1, 3] {
        for (kind, call, asked_for, page) in LISTINGS {
            table.attack(&format!("{tokens} tokens of {call}"), || {
                let pages = AtomicUsize::new(0);
                let server = Hostile::start(move |asked, _| {
                    if is_sts(asked) {
                        return whole(sts(asked));
                    }
                    if asked.head.contains(asked_for) || asked.body.contains(asked_for) {
                        let at = pages.fetch_add(1, Relaxed) % tokens;
                        return Reply::Whole(200, page.replace('@', &format!("token{at}")));
                    }
                    if asked.head.starts_with("GET /v2/apis/a1b2c3 ") {
                        let api = r#"{"apiId": "a1b2c3", "protocolType": "WEBSOCKET"}"#;
                        return Reply::Whole(200, api.to_owned());
                    }
                    Reply::Whole(404, s3_error("NoSuchEntity"))
                });
                let project = project(&server.url, &format!("  r: {{type: {kind}}}\n"));
                let ended = project.run(&["state", "rebuild", "--yes"]);
                failed(&ended, &[call, "returned the same page token twice"])?;
                few(server.count(), 30)
            });
        }
        table.attack(&format!("{tokens} tokens of a state in S3"), || {
            let server = Hostile::start(move |asked, before| {
                if is_sts(asked) {
                    return whole(sts(asked));
                }
                if !asked.head.contains("list-type=2") {
                    return Reply::Whole(404, s3_error("NoSuchKey"));
                }
                let page = format!(
                    "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>\
                     token{}</NextContinuationToken></ListBucketResult>",
                    before % tokens
                );
                Reply::Whole(200, page)
            });
            let project = project(&server.url, "  q: {type: aws:sqs:Queue}\n");
            let ended = project.run(&["state", "list", "--state", "s3://bucket-1/k"]);
            let words = ["s3:ListBucket (ListObjectsV2)", "the same page token twice"];
            failed(&ended, &words)?;
            few(server.count(), 30)
        });
    }
    table.end();
}

/// A certificate of the tests; see the folder's README.
fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/credentials/tls")
        .join(name)
}

/// A server that counts connections; each speaks TLS with this certificate, or ends as `plain` says.
fn secured(certificate: &str, plain: Option<&'static [u8]>) -> (u16, Arc<AtomicUsize>) {
    let chain = CertificateDer::from_pem_file(tls(&format!("{certificate}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(tls(&format!("{certificate}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let before = counted.fetch_add(1, Relaxed);
            let config = Arc::clone(&config);
            thread::spawn(move || {
                if let Some(plain) = plain
                    && (before < 2 || !plain.is_empty())
                {
                    // Whoever asks is heard first, so that the words are not lost in a reset.
                    let _ = stream.read(&mut [0; 4096]);
                    return stream.write_all(plain);
                }
                let connection = ServerConnection::new(config).unwrap();
                let mut reader = BufReader::new(StreamOwned::new(connection, stream));
                while let Some(asked) = read(&mut reader) {
                    let (status, body) = sts(&asked);
                    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}", body.len());
                    reader
                        .get_mut()
                        .write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
                    reader.get_mut().flush()?;
                }
                Ok(())
            });
        }
    });
    (port, count)
}

#[test]
fn a_certificate_that_is_not_trusted_is_final() {
    let mut table = Table::new("certificates");
    let http = Some(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".as_slice());
    let stack = "  q: {type: aws:sqs:Queue, properties: {name: q}}\n";
    for (name, certificate, plain, host, bundle, reason) in [
        (
            "an unknown issuer",
            "server",
            None,
            "localhost",
            None,
            "UnknownIssuer",
        ),
        (
            "another authority",
            "server",
            None,
            "localhost",
            Some("expired-ca.pem"),
            "UnknownIssuer",
        ),
        (
            "another name",
            "server",
            None,
            "127.0.0.1",
            Some("ca.pem"),
            "not valid for name",
        ),
        (
            "expired",
            "expired",
            None,
            "localhost",
            Some("expired-ca.pem"),
            "expired",
        ),
        (
            "expired and unknown",
            "expired",
            None,
            "localhost",
            Some("ca.pem"),
            "expired",
        ),
        (
            "no TLS at all",
            "server",
            http,
            "localhost",
            Some("ca.pem"),
            "message",
        ),
    ] {
        for args in [
            ["plan"].as_slice(),
            &["apply", "--yes"],
            &["import", "q", "http://x/1/q"],
        ] {
            table.attack(&format!("{name}: {args:?}"), || {
                let (port, count) = secured(certificate, plain);
                let url = format!("https://{host}:{port}");
                let mut project = project(&url, stack);
                if let Some(bundle) = bundle {
                    project.env("AWS_CA_BUNDLE", tls(bundle).to_str().unwrap());
                }
                let ended = project.run(args);
                failed(&ended, &["sts:GetCallerIdentity", reason])?;
                if format!("{}{}", ended.stdout, ended.stderr).contains("the connection broke") {
                    return Err("it is told as a broken connection".to_owned());
                }
                // An import asks who one is and reads at the same time.
                few(count.load(Relaxed), if args[0] == "import" { 2 } else { 1 })
            });
        }
    }
    // The first two connections are closed, which is no fault of the certificate.
    table.attack("a broken connection is retried", || {
        let (port, count) = secured("server", Some(b""));
        let mut project = project(&format!("https://localhost:{port}"), "  p: {type: random:RandomPet}\n");
        project.write(
            "stacks/s.yaml",
            "name: s\nproviders: {aws: {region: us-west-2}}\ndata: {me: {type: 'aws:getCallerIdentity'}}\n\
             outputs: {account: '${data.me.accountId}'}\n",
        );
        project.env("AWS_CA_BUNDLE", tls("ca.pem").to_str().unwrap());
        let ended = project.run(&["plan"]);
        match (ended.code, count.load(Relaxed)) {
            (Some(0), 3..) => Ok(()),
            (code, count) => Err(format!("{code:?} after {count}: {}", ended.stderr)),
        }
    });
    table.attack("a connection that breaks in a reply is retried", || {
        let server = Hostile::start(|asked, before| match before {
            0 | 1 => Reply::Broken,
            _ => whole(sts(asked)),
        });
        let project = project(&server.url, "  p: {type: random:RandomPet}\n");
        project.write(
            "stacks/s.yaml",
            "name: s\nproviders: {aws: {region: us-west-2}}\ndata: {me: {type: 'aws:getCallerIdentity'}}\n\
             outputs: {account: '${data.me.accountId}'}\n",
        );
        match project.run(&["plan"]) {
            ended if ended.code == Some(0) => Ok(()),
            ended => Err(ended.stderr),
        }
    });
    table.end();
}
