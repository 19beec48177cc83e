//! What goes wrong, and how it is reported.

use super::*;

/// What a function that fails returns, and its log.
async fn failed(source: &str) -> (Value, Vec<String>) {
    let served = Served::new().await;
    let create = served.creation("f", &[("app.py", source)]).timeout(1);
    create.send().await.unwrap();
    served.active().await;
    let (told, failed) = served.invoke("f", &json!({})).await;
    assert!(failed, "{told}");
    let log = served.log("f").await;
    assert!(log[log.len() - 2].starts_with("END"), "{log:#?}");
    // The next one gets a process that works as this one did.
    let again = served.invoke("f", &json!({})).await.0;
    assert_eq!(again["errorType"], told["errorType"]);
    (told, log)
}

fn report(log: &[String]) -> &str {
    log.last().unwrap()
}

#[tokio::test]
async fn an_exception_is_lambdas_json() {
    let source = "def handler(event, context):\n    raise ValueError('wrong: é')\n";
    let (told, log) = failed(source).await;
    assert_eq!(told["errorMessage"], "wrong: é");
    assert_eq!(told["errorType"], "ValueError");
    assert_eq!(told["requestId"].as_str().unwrap().len(), 36);
    let trace = told["stackTrace"].as_array().unwrap();
    assert_eq!(trace.len(), 1, "{trace:?}");
    let frame = trace[0].as_str().unwrap();
    assert!(
        frame.contains("app.py\", line 2, in handler\n    raise ValueError"),
        "{frame}"
    );
    let line = &log[1];
    assert!(
        line.starts_with("[ERROR] ValueError: wrong: é\nTraceback (most recent"),
        "{line:?}"
    );
    assert!(
        report(&log).contains("\tStatus: error\tError Type: ValueError"),
        "{log:?}"
    );
}

#[tokio::test]
async fn a_function_that_hangs_is_killed_at_its_timeout() {
    let source = "import subprocess, time\ndef handler(event, context):\n    print('begins', flush=True)\n    child = subprocess.Popen(['sleep', '77'])\n    print(child.pid, flush=True)\n    time.sleep(60)\n";
    let started = std::time::Instant::now();
    let (told, log) = failed(source).await;
    assert!(started.elapsed() < Duration::from_secs(8));
    assert_eq!(told["errorType"], "Sandbox.Timedout");
    let message = told["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("Error: Task timed out after 1.00 seconds"),
        "{message}"
    );
    assert_eq!(log[1], "begins");
    assert!(
        log[3].ends_with(" Task timed out after 1.00 seconds\n\n"),
        "{log:#?}"
    );
    assert!(
        report(&log).contains("\tDuration: 1000.00 ms\t"),
        "{log:#?}"
    );
    assert!(report(&log).contains("\tStatus: timeout"), "{log:#?}");
    let child = log[2].clone();
    until("what it started has ended, too", || {
        let status = std::fs::read_to_string(format!("/proc/{child}/status"));
        async move { status.is_err() || status.is_ok_and(|it| it.contains("zombie")) }
    })
    .await;
}

#[tokio::test]
async fn a_function_that_exits_is_told_so() {
    for (source, expected) in [
        (
            "import sys\ndef handler(e, c): sys.exit(3)\n",
            "Runtime exited with error: exit status 3",
        ),
        (
            "import os\ndef handler(e, c): os._exit(0)\n",
            "Runtime exited without providing a reason",
        ),
        (
            "import os\ndef handler(e, c): os.kill(os.getpid(), 9)\n",
            "Runtime exited with error: signal: killed",
        ),
    ] {
        let (told, log) = failed(source).await;
        assert_eq!(told["errorType"], "Runtime.ExitError");
        let message = told["errorMessage"].as_str().unwrap();
        assert!(message.ends_with(expected), "{message}");
        assert!(
            report(&log).contains("Error Type: Runtime.ExitError"),
            "{log:#?}"
        );
    }
}

#[tokio::test]
async fn code_that_cannot_start_says_why() {
    for (source, kind, message) in [
        (
            "import none_such\n",
            "Runtime.ImportModuleError",
            "No module named 'none_such'",
        ),
        (
            "x = 1\n",
            "Runtime.HandlerNotFound",
            "Handler 'handler' missing on module 'app'",
        ),
        (
            "def handler(:\n",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'app'",
        ),
        ("raise KeyError('start')\n", "KeyError", "'start'"),
        (
            "def handler(e, c): return {1, 2}\n",
            "Runtime.MarshalError",
            "Object of type set is not",
        ),
        (
            "import time\ntime.sleep(60)\n",
            "Sandbox.Timedout",
            "Task timed out",
        ),
    ] {
        let (told, log) = failed(source).await;
        assert_eq!(told["errorType"], kind, "{told}");
        assert!(
            told["errorMessage"].as_str().unwrap().contains(message),
            "{told}"
        );
        if kind != "Sandbox.Timedout" {
            let all = log.join("\n");
            assert!(all.contains(&format!("[ERROR] {kind}: ")), "{all}");
        }
    }
}

#[tokio::test]
async fn a_missing_boto3_is_explained() {
    // Whatever this machine has: the function's own folder comes first.
    let served = Served::new().await;
    let missing = "raise ModuleNotFoundError(\"No module named 'boto3'\", name='boto3')\n";
    for (name, source) in [
        ("f", "import boto3\n"),
        ("g", "def handler(e, c):\n    import boto3\n"),
    ] {
        let create = served.creation(name, &[("app.py", source), ("boto3.py", missing)]);
        create.send().await.unwrap();
    }
    served.active().await;
    for name in ["f", "g"] {
        let (told, _) = served.invoke(name, &json!({})).await;
        let message = told["errorMessage"].as_str().unwrap();
        assert!(
            message.contains("has no boto3, which Lambda's runtime has: python3"),
            "{message}"
        );
        assert!(message.contains("-m pip install boto3"), "{message}");
    }
}

#[tokio::test]
async fn a_result_beyond_6_mb_is_an_error() {
    let (told, _) = failed("def handler(e, c): return 'x' * 7_000_000\n").await;
    assert_eq!(told["errorType"], "Function.ResponseSizeTooLarge");
}

#[tokio::test]
async fn a_function_that_prints_10_mb_is_kept_whole() {
    let served = Served::new().await;
    let source = "def handler(event, context):\n    for at in range(100_000):\n        print('%06d' % at + 'x' * 94)\n    print('y' * 600_000)\n    return 'done'\n";
    let create = served.creation("f", &[("app.py", source)]).timeout(60);
    create.send().await.unwrap();
    served.active().await;
    let reply = served.call("f", &[("x-amz-log-type", "Tail")], "{}").await;
    assert_eq!(reply.body, "\"done\"");
    let log = served.log("f").await;
    assert_eq!(log.len(), 100_000 + 3 + 3);
    assert_eq!(&log[100_000][..6], "099999");
    assert_eq!(log[100_001].len(), 256 << 10);
    let keys = served
        .here
        .cloud
        .look(|_, store| store.scan(".logs/").len())
        .unwrap();
    assert!(keys < 150, "{keys} keys");
}

#[tokio::test]
async fn what_aws_refuses_of_an_invoke_is_refused() {
    let served = Served::new().await;
    let creation = served.creation("f", &[("app.py", "def handler(e, c): return e\n")]);
    creation.send().await.unwrap();
    let code = |reply: &Reply| {
        header(reply, "x-amzn-errortype")
            .unwrap_or_default()
            .to_owned()
    };
    let early = served.call("f", &[], "{}").await;
    assert_eq!(
        (early.status, code(&early).as_str()),
        (409, "ResourceConflictException")
    );
    served.active().await;
    for (name, headers, body, status, expected) in [
        ("none", vec![], "{}", 404, "ResourceNotFoundException"),
        ("f:9", vec![], "{}", 404, "ResourceNotFoundException"),
        ("f", vec![], "{", 400, "InvalidRequestContentException"),
        (
            "f",
            vec![("x-amz-invocation-type", "Never")],
            "{}",
            400,
            "ValidationException",
        ),
        (
            "f",
            vec![("x-amz-log-type", "Head")],
            "{}",
            400,
            "ValidationException",
        ),
        (
            "f",
            vec![("x-amz-client-context", "%")],
            "{}",
            400,
            "InvalidRequestContentException",
        ),
    ] {
        let reply = served.call(name, &headers, body).await;
        assert_eq!(
            (reply.status, code(&reply).as_str()),
            (status, expected),
            "{name} {headers:?}"
        );
    }
    let large = format!("\"{}\"", "x".repeat(6_291_456));
    let reply = served.call("f", &[], &large).await;
    assert_eq!(
        (reply.status, code(&reply).as_str()),
        (413, "RequestTooLargeException")
    );
    let event = [("x-amz-invocation-type", "Event")];
    let reply = served
        .call("f", &event, &large[large.len() - 1_048_577..])
        .await;
    assert_eq!(
        (reply.status, code(&reply).as_str()),
        (413, "RequestTooLargeException")
    );
    let dry = served
        .call("f", &[("x-amz-invocation-type", "DryRun")], "{}")
        .await;
    assert_eq!((dry.status, dry.body.len()), (204, 0));
    assert_eq!(served.call("f", &[], "").await.body, "{}");
}

#[tokio::test]
async fn reserved_concurrency_throttles() {
    let served = Served::new().await;
    served
        .python("f", "import time\ndef handler(e, c): time.sleep(1)\n")
        .await;
    let reserve = |count: i32| {
        let put = served
            .here
            .aws
            .lambda()
            .put_function_concurrency()
            .function_name("f");
        put.reserved_concurrent_executions(count).send()
    };
    reserve(0).await.unwrap();
    let reply = served.call("f", &[], "{}").await;
    assert_eq!(reply.status, 429);
    assert_eq!(
        header(&reply, "x-amzn-errortype"),
        Some("TooManyRequestsException")
    );
    reserve(1).await.unwrap();
    let (one, other) =
        futures_util::join!(served.call("f", &[], "{}"), served.call("f", &[], "{}"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    assert_eq!(served.call("f", &[], "{}").await.status, 200);
}

#[tokio::test]
async fn runtimes_that_do_not_run_here_are_refused_by_name() {
    let served = Served::new().await;
    let create = served
        .creation("f", &[("app.py", "")])
        .runtime(Runtime::Java21);
    create.send().await.unwrap();
    served.active().await;
    let (told, failed) = served.invoke("f", &json!({})).await;
    assert!(failed);
    let message = told["errorMessage"].as_str().unwrap();
    assert!(
        message.starts_with("The runtime java21 does not run in the local cloud;"),
        "{message}"
    );
    assert!(
        served
            .log("f")
            .await
            .iter()
            .any(|line| line.contains("java21"))
    );
}
