//! What works.

use super::*;

const CONTEXT: &str = r#"
import os
def handler(event, context):
    print("hello", event["name"])
    return {
        "id": context.aws_request_id, "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb, "left": context.get_remaining_time_in_millis(),
        "group": context.log_group_name, "stream": context.log_stream_name,
        "version": context.function_version, "name": context.function_name,
        "client": context.client_context and context.client_context.custom,
        "env": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid(),
    }
"#;

#[tokio::test]
async fn a_function_gets_its_event_and_its_context() {
    let served = Served::new().await;
    let create = served.creation("f", &[("app.py", CONTEXT)]);
    let variables = aws_sdk_lambda::types::Environment::builder().variables("Mine", "x");
    let create = create
        .environment(variables.build())
        .memory_size(256)
        .timeout(7);
    create.send().await.unwrap();
    served.active().await;
    let context = "eyJjdXN0b20iOiB7ImEiOiAxfX0=";
    let reply = served
        .call(
            "f",
            &[
                ("x-amz-log-type", "Tail"),
                ("x-amz-client-context", context),
            ],
            r#"{"name": "é"}"#,
        )
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(header(&reply, "x-amz-function-error"), None);
    assert_eq!(header(&reply, "x-amz-executed-version"), Some("$LATEST"));
    let told: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(told["id"], header(&reply, "x-amzn-requestid").unwrap());
    assert_eq!(
        told["arn"],
        "arn:aws:lambda:us-west-2:000000000000:function:f"
    );
    assert_eq!(told["memory"], "256");
    assert_eq!(told["client"], json!({"a": 1}));
    assert_eq!(told["group"], "/aws/lambda/f");
    let left = told["left"].as_u64().unwrap();
    assert!((6000..=7000).contains(&left), "{left}");
    let env = &told["env"];
    for (name, value) in [
        ("_HANDLER", "app.handler"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("TZ", ":UTC"),
        ("Mine", "x"),
    ] {
        assert_eq!(env[name], value, "{name}");
    }
    assert_eq!(env["LAMBDA_TASK_ROOT"], told["cwd"]);
    assert_eq!(
        env["AWS_ENDPOINT_URL"],
        format!("http://{}", served.live.address())
    );
    for name in ["CARGO_MANIFEST_DIR", "RUST_BACKTRACE", "PWD", "AWS_PROFILE"] {
        assert!(env.get(name).is_none(), "{name} is the user's");
    }
    let key = env["AWS_ACCESS_KEY_ID"].as_str().unwrap();
    let cloud = served.here.cloud.clone();
    let kept = cloud
        .look(|_, store| store.get(&format!(".sts/key/{key}")))
        .unwrap();
    assert_eq!(kept, Some(json!({"role": ROLE, "function": "f"})));
    let log = served.log("f").await;
    let id = told["id"].as_str().unwrap();
    assert_eq!(log[0], format!("START RequestId: {id} Version: $LATEST\n"));
    assert_eq!(log[1], "hello é");
    assert_eq!(log[2], format!("END RequestId: {id}\n"));
    assert!(
        log[3].starts_with(&format!("REPORT RequestId: {id}\tDuration: ")),
        "{}",
        log[3]
    );
    assert!(
        log[3].contains("\tMemory Size: 256 MB\tMax Memory Used: "),
        "{}",
        log[3]
    );
    assert!(log[3].contains("\tInit Duration: "), "{}", log[3]);
    #[cfg(target_os = "linux")]
    assert!(!log[3].contains("Used: 0 MB"), "{}", log[3]);
    use base64::Engine;
    let tail = header(&reply, "x-amz-log-result").unwrap();
    let tail = base64::prelude::BASE64_STANDARD.decode(tail).unwrap();
    let tail = String::from_utf8(tail).unwrap();
    assert!(
        tail.starts_with("START") && tail.contains("hello é\nEND"),
        "{tail}"
    );
}

#[tokio::test]
async fn a_process_is_kept_warm_until_the_function_changes() {
    let served = Served::new().await;
    let source = |word: &str| {
        format!(
            "import os\ncount = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return [os.getpid(), count, '{word}']\n"
        )
    };
    served.python("f", &source("old")).await;
    let first = served.invoke("f", &json!({})).await.0;
    let second = served.invoke("f", &json!({})).await.0;
    assert_eq!(first[0], second[0]);
    assert_eq!((&first[1], &second[1]), (&json!(1), &json!(2)));
    let log = served.log("f").await;
    assert_eq!(
        log.iter()
            .filter(|line| line.contains("Init Duration"))
            .count(),
        1
    );
    let update = served
        .here
        .aws
        .lambda()
        .update_function_code()
        .function_name("f");
    let update = update.zip_file(Blob::new(zip(&[("app.py", &source("new"))])));
    update.send().await.unwrap();
    let third = served.invoke("f", &json!({})).await.0;
    assert_eq!((&third[1], &third[2]), (&json!(1), &json!("new")));
    let pid = first[0].as_i64().unwrap();
    until("the old process has ended", || async move {
        !std::path::Path::new(&format!("/proc/{pid}")).exists()
    })
    .await;
    served.live.stop().await;
    let pid = third[0].as_i64().unwrap();
    until("no process stays", || async move {
        !std::path::Path::new(&format!("/proc/{pid}")).exists()
    })
    .await;
}

#[tokio::test]
async fn two_invocations_run_at_once_in_two_processes() {
    let served = Served::new().await;
    let source = "import os, time\ndef handler(event, context):\n    time.sleep(1)\n    return os.getpid()\n";
    for name in ["f", "g"] {
        served.python(name, source).await;
    }
    let started = std::time::Instant::now();
    let event = json!({});
    let (a, b, c) = futures_util::join!(
        served.invoke("f", &event),
        served.invoke("f", &event),
        served.invoke("g", &event),
    );
    assert!(
        started.elapsed() < Duration::from_millis(2500),
        "{:?}",
        started.elapsed()
    );
    assert!(a.0 != b.0 && b.0 != c.0 && a.0 != c.0);
}

#[tokio::test]
async fn a_published_version_runs_its_own_code() {
    let served = Served::new().await;
    served
        .python("f", "def handler(e, c): return [1, c.function_version]\n")
        .await;
    let lambda = served.here.aws.lambda();
    lambda
        .publish_version()
        .function_name("f")
        .send()
        .await
        .unwrap();
    let update = lambda.update_function_code().function_name("f");
    let source = "def handler(e, c): return [2, c.function_version]\n";
    update
        .zip_file(Blob::new(zip(&[("app.py", source)])))
        .send()
        .await
        .unwrap();
    assert_eq!(served.invoke("f:1", &json!({})).await.0, json!([1, "1"]));
    assert_eq!(
        served.invoke("f", &json!({})).await.0,
        json!([2, "$LATEST"])
    );
    assert_eq!(served.call("f:2", &[], "{}").await.status, 404);
}

#[tokio::test]
async fn log_lines_are_as_lambda_writes_them() {
    let served = Served::new().await;
    let source = r#"
import logging, sys
logger = logging.getLogger()
logger.setLevel(logging.INFO)
def handler(event, context):
    logger.info("one\ntwo")
    logger.debug("no")
    print("out"); print("err", file=sys.stderr)
    try:
        1 / 0
    except Exception:
        logger.exception("caught")
    sys.stdout.write("no end")
"#;
    served.python("f", source).await;
    assert_eq!(served.invoke("f", &json!({})).await, (Value::Null, false));
    let log = served.log("f").await;
    assert_eq!(log.len(), 8, "{log:#?}");
    let line = &log[1];
    assert!(
        line.starts_with("[INFO]\t20") && line.ends_with("\tone\ntwo"),
        "{line:?}"
    );
    assert_eq!(line.split('\t').nth(2).unwrap().len(), 36, "{line:?}");
    assert_eq!((&*log[2], &*log[3]), ("out", "err"));
    assert!(
        log[4].contains("\tcaught\nTraceback (most recent call last):\n"),
        "{:?}",
        log[4]
    );
    assert!(
        log[4].ends_with("ZeroDivisionError: division by zero"),
        "{:?}",
        log[4]
    );
    assert_eq!(log[5], "no end");
}

#[tokio::test]
async fn logs_in_json_are_documents() {
    let served = Served::new().await;
    let source = "import logging\ndef handler(e, c): logging.getLogger('x').warning('careful')\n";
    let create = served.creation("f", &[("app.py", source)]);
    let logging = aws_sdk_lambda::types::LoggingConfig::builder();
    let logging = logging.log_format(aws_sdk_lambda::types::LogFormat::Json);
    create.logging_config(logging.build()).send().await.unwrap();
    served.active().await;
    served.invoke("f", &json!({})).await;
    let log = served.log("f").await;
    let log: Vec<Value> = log
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(log[0]["type"], "platform.start");
    assert_eq!(
        (&log[1]["level"], &log[1]["message"]),
        (&json!("WARNING"), &json!("careful"))
    );
    assert_eq!(log[1]["requestId"], log[0]["record"]["requestId"]);
    assert_eq!(log[2]["type"], "platform.report");
    assert_eq!(log[2]["record"]["status"], "success");
    assert_eq!(log.len(), 3);
}

#[tokio::test]
async fn a_role_that_may_not_write_logs_writes_none() {
    let served = Served::allowing(json!(["logs:CreateLogStream", "logs:PutLogEvents"])).await;
    let source = "def handler(event, context): print('hello')\n";
    served.python("f", source).await;
    assert!(!served.invoke("f", &json!({})).await.1);
    let groups = served
        .here
        .aws
        .logs()
        .describe_log_groups()
        .send()
        .await
        .unwrap();
    assert!(
        groups.log_groups().is_empty(),
        "the role may not create the group"
    );
    let create = served.here.aws.logs().create_log_group();
    create.log_group_name("/aws/lambda/f").send().await.unwrap();
    served.invoke("f", &json!({})).await;
    assert_eq!(served.log("f").await.len(), 4);

    let silent = Served::allowing(json!("sqs:*")).await;
    silent.python("f", source).await;
    let create = silent.here.aws.logs().create_log_group();
    create.log_group_name("/aws/lambda/f").send().await.unwrap();
    assert!(!silent.invoke("f", &json!({})).await.1);
    assert!(silent.log("f").await.is_empty());
}

#[tokio::test]
async fn a_bootstrap_of_the_zip_runs() {
    let served = Served::new().await;
    let bootstrap = r#"#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  head=$(mktemp)
  event=$(curl -sS -D "$head" "$api/invocation/next") || exit 1
  id=$(tr -d '\r' < "$head" | sed -n 's/^lambda-runtime-aws-request-id: //Ip')
  echo "shell got $event"
  curl -sS -o /dev/null -X POST "$api/invocation/$id/response" -d "{\"got\": $event}"
done
"#;
    let create = served.creation("f", &[("bootstrap", bootstrap)]);
    let architecture = match std::env::consts::ARCH {
        "aarch64" => aws_sdk_lambda::types::Architecture::Arm64,
        _ => aws_sdk_lambda::types::Architecture::X8664,
    };
    let create = create
        .runtime(Runtime::Providedal2023)
        .handler("any")
        .timeout(10);
    create.architectures(architecture).send().await.unwrap();
    served.active().await;
    for event in [json!(1), json!({"a": "b"})] {
        let (result, failed) = served.invoke("f", &event).await;
        assert_eq!((result, failed), (json!({"got": event}), false));
    }
    assert!(served.log("f").await.contains(&"shell got 1".to_owned()));
}
