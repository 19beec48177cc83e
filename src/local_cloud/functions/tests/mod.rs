//! Functions that really run, in a served cloud: Python on this machine.

mod errors;
mod later;
mod mapping;
mod node;
mod work;

use crate::local_cloud::fixture::Fixture;
use crate::local_cloud::live::{self, Live};
use crate::local_cloud::service::{Reply, Request};
use aws_sdk_lambda::operation::create_function::builders::CreateFunctionFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::time::Duration;
use zip::write::{SimpleFileOptions, ZipWriter};

const ROLE: &str = "arn:aws:iam::000000000000:role/R";
const REGION: &str = "us-west-2";

/// A served cloud with the role `R`, which may do everything that is not denied.
struct Served {
    here: Fixture,
    live: Live,
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        let options = SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file(*name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn code(files: &[(&str, &str)]) -> FunctionCode {
    FunctionCode::builder()
        .zip_file(Blob::new(zip(files)))
        .build()
}

impl Served {
    async fn new() -> Self {
        Self::allowing(json!("*")).await
    }

    /// The role may do these actions.
    async fn allowing(actions: Value) -> Self {
        Self::with(actions, 1.0).await
    }

    async fn with(actions: Value, speed: f64) -> Self {
        let here = Fixture::with(|options| options.speed = speed).await;
        let iam = here.aws.iam();
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]});
        let role = iam.create_role().role_name("R");
        let role = role.assume_role_policy_document(trust.to_string());
        role.send().await.unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "*"}]});
        let put = iam.put_role_policy().role_name("R").policy_name("p");
        put.policy_document(policy.to_string())
            .send()
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(250)).await;
        let live = Live::start(here.cloud.clone(), 0).await.unwrap();
        Self { here, live }
    }

    fn creation(&self, name: &str, files: &[(&str, &str)]) -> CreateFunctionFluentBuilder {
        let create = self.here.aws.lambda().create_function().function_name(name);
        let create = create.role(ROLE).runtime(Runtime::Python312);
        create.handler("app.handler").code(code(files))
    }

    /// A Python function whose file is `app.py`, active.
    async fn python(&self, name: &str, source: &str) {
        self.creation(name, &[("app.py", source)])
            .send()
            .await
            .unwrap();
        self.active().await;
    }

    async fn active(&self) {
        tokio::time::sleep(Duration::from_millis(350)).await;
    }

    async fn call(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let request = Request {
            method: "POST".to_owned(),
            path: format!("/2015-03-31/functions/{path}/invocations"),
            query: Vec::new(),
            headers: BTreeMap::from_iter(headers),
            body: body.to_owned().into(),
            region: REGION.to_owned(),
            now: 0,
        };
        live::answer(&self.live, "lambda", request).await
    }

    /// The payload of an invocation, and whether it is an error.
    async fn invoke(&self, name: &str, payload: &Value) -> (Value, bool) {
        let reply = self.call(name, &[], &payload.to_string()).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let failed = header(&reply, "x-amz-function-error").is_some();
        (serde_json::from_slice(&reply.body).unwrap(), failed)
    }

    /// The messages of a function's log.
    async fn log(&self, name: &str) -> Vec<String> {
        let logs = self.here.aws.logs();
        let filter = logs
            .filter_log_events()
            .log_group_name(format!("/aws/lambda/{name}"));
        let mut pages = filter.into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            all.extend(
                page.events()
                    .iter()
                    .map(|it| it.message().unwrap().to_owned()),
            );
        }
        all
    }
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    let mut headers = reply.headers.iter();
    let found = headers.find(|(header, _)| header == name);
    found.map(|(_, value)| value.as_str())
}

/// Waits until something holds.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} does not hold");
}
