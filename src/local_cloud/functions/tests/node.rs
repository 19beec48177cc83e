//! Node functions. Ignored where no `node` is: it is no part of a machine that builds stackctl.

use super::*;

async fn node(files: &[(&str, &str)], handler: &str) -> Served {
    let served = Served::new().await;
    let create = served.creation("f", files).runtime(Runtime::Nodejs22x);
    create.handler(handler).timeout(2).send().await.unwrap();
    served.active().await;
    served
}

#[tokio::test]
#[ignore = "needs Node.js; see CONTRIBUTING.md"]
async fn handlers_of_every_form_run() {
    let event = json!({"n": 1});
    for (file, source) in [
        (
            "index.mjs",
            "export const handler = async (event, context) => ({ n: event.n, id: context.awsRequestId, left: context.getRemainingTimeInMillis() > 0 });",
        ),
        (
            "index.js",
            "exports.handler = async (event, context) => ({ n: event.n, id: context.awsRequestId, left: true });",
        ),
        (
            "index.cjs",
            "exports.handler = (event, context, callback) => setTimeout(() => callback(null, { n: event.n, id: context.awsRequestId, left: true }), 5);",
        ),
    ] {
        let served = node(&[(file, source)], "index.handler").await;
        for _ in 0..2 {
            let (told, failed) = served.invoke("f", &event).await;
            assert!(!failed, "{file}: {told}");
            assert_eq!(
                (&told["n"], &told["left"]),
                (&json!(1), &json!(true)),
                "{file}"
            );
            assert_eq!(told["id"].as_str().unwrap().len(), 36);
        }
    }
}

#[tokio::test]
#[ignore = "needs Node.js; see CONTRIBUTING.md"]
async fn what_node_prints_is_logged() {
    let source = "exports.handler = async () => {\n  console.log('one', { a: 1 }, '\\ntwo');\n  console.error('bad');\n  process.stdout.write('raw\\n');\n};";
    let served = node(&[("index.js", source)], "index.handler").await;
    assert_eq!(served.invoke("f", &json!({})).await, (Value::Null, false));
    let log = served.log("f").await;
    assert!(log[1].ends_with("\tINFO\tone { a: 1 } \ntwo"), "{log:#?}");
    assert!(log[2].ends_with("\tERROR\tbad"), "{log:#?}");
    assert_eq!(log[3], "raw");
    assert_eq!(log.len(), 6);
}

#[tokio::test]
#[ignore = "needs Node.js; see CONTRIBUTING.md"]
async fn errors_of_node_are_lambdas_json() {
    for (source, handler, kind, message) in [
        (
            "exports.handler = async () => { throw new TypeError('wrong'); };",
            "index.handler",
            "TypeError",
            "wrong",
        ),
        (
            "exports.handler = async () => { throw 'text'; };",
            "index.handler",
            "string",
            "text",
        ),
        (
            "exports.handler = (e, c, done) => done(new Error('called'));",
            "index.handler",
            "Error",
            "called",
        ),
        (
            "exports.other = 1;",
            "index.handler",
            "Runtime.HandlerNotFound",
            "index.handler is undefined or not exported",
        ),
        (
            "require('none-such');",
            "index.handler",
            "Runtime.ImportModuleError",
            "Cannot find module 'none-such'",
        ),
        (
            "exports.handler = async () => 1;",
            "absent.handler",
            "Runtime.ImportModuleError",
            "Cannot find module 'absent'",
        ),
        (
            "exports.handler = (;",
            "index.handler",
            "Runtime.UserCodeSyntaxError",
            "SyntaxError",
        ),
        (
            "exports.handler = async () => { process.exit(7); };",
            "index.handler",
            "Runtime.ExitError",
            "exit status 7",
        ),
        (
            "exports.handler = () => new Promise(() => setTimeout(() => {}, 60000));",
            "index.handler",
            "Sandbox.Timedout",
            "2.00 seconds",
        ),
        (
            "exports.handler = () => new Promise(() => { Promise.reject(new Error('lost')); });",
            "index.handler",
            "Runtime.UnhandledPromiseRejection",
            "lost",
        ),
    ] {
        let served = node(&[("index.js", source)], handler).await;
        let (told, failed) = served.invoke("f", &json!({})).await;
        assert!(failed, "{source}: {told}");
        assert_eq!(told["errorType"], kind, "{source}: {told}");
        assert!(
            told["errorMessage"].as_str().unwrap().contains(message),
            "{source}: {told}"
        );
    }
}

#[tokio::test]
#[ignore = "needs Node.js; see CONTRIBUTING.md"]
async fn a_promise_that_nothing_settles_is_null() {
    let source = "exports.handler = () => new Promise(() => {});";
    let served = node(&[("index.js", source)], "index.handler").await;
    for _ in 0..2 {
        assert_eq!(served.invoke("f", &json!({})).await, (Value::Null, false));
    }
}
