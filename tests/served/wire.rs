//! What the server takes and refuses, byte by byte; and S3, whose requests have the most forms.

use super::queues;
use crate::support::served::Served;
use aws_sdk_s3::primitives::ByteStream;

/// The signature's header, as far as it is read.
fn signed(service: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=test/20261201/us-west-2/{service}/aws4_request\r\n"
    )
}

fn status(reply: &str) -> u16 {
    let code = reply.split(' ').nth(1);
    code.and_then(|code| code.parse().ok())
        .unwrap_or_else(|| panic!("no status in {reply:?}"))
}

#[test]
fn only_programs_of_this_machine_may_ask() {
    let project = queues();
    let served = Served::start(&project);
    let list = |headers: &str| {
        let reply = served.raw(
            format!(
                "POST / HTTP/1.1\r\n{headers}{}x-amz-target: AmazonSQS.ListQueues\r\n\
                 Content-Length: 2\r\nConnection: close\r\n\r\n{{}}",
                signed("sqs")
            )
            .as_bytes(),
        );
        (status(&reply), reply)
    };
    for host in [
        "localhost",
        "localhost:4566",
        "127.0.0.1:1",
        "sqs.localhost",
        "sqs.us-west-2.amazonaws.com",
    ] {
        let (status, reply) = list(&format!("Host: {host}\r\n"));
        assert_eq!(status, 200, "{reply}");
        assert!(reply.contains("ordered.fifo"), "{reply}");
    }
    for headers in [
        "Host: example.com\r\n",
        "Host: localhost.example.com\r\n",
        "Host: 169.254.169.254\r\n",
        "Host: \r\n",
        "Host: localhost\r\nOrigin: https://example.com\r\n",
        "Host: localhost\r\nOrigin: null\r\n",
        "Host: localhost\r\nOrigin: http://localhost:3000\r\n",
        "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n",
    ] {
        let (status, reply) = list(headers);
        assert_eq!(status, 403, "{headers}{reply}");
        assert!(!reply.contains("ordered.fifo"));
    }
    // A page on this machine may call an API of the stack, as at AWS.
    let call = |origin: &str| {
        let request = format!(
            "GET /_api/x/y HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
        );
        served.raw(request.as_bytes()).contains("not for web pages")
    };
    assert!(!call("http://localhost:3000"));
    assert!(call("https://example.com"));
}

#[test]
fn it_listens_on_this_machine_alone() {
    let project = queues();
    let served = Served::start(&project);
    assert!(served.address().ip().is_loopback());
    let port = format!(":{:04X} ", served.address().port());
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines());
    // State 0A: listening.
    let listening: Vec<&str> = lines
        .filter(|line| line.contains(&port) && line.split_whitespace().nth(3) == Some("0A"))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(listening, [format!("0100007F{}", port.trim_end())]);
}

#[test]
fn what_is_not_signed_or_unknown_is_refused() {
    let project = queues();
    let served = Served::start(&project);
    let ask = |headers: &str| {
        let request =
            format!("POST / HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n");
        served.raw(request.as_bytes())
    };
    let reply = ask("");
    assert_eq!(status(&reply), 404);
    assert!(reply.contains("The request is not signed"), "{reply}");
    let reply = ask(&signed("dynamodb"));
    assert_eq!(status(&reply), 404);
    assert!(reply.contains("signing name dynamodb"), "{reply}");
    let reply = ask(&format!(
        "{}x-amz-target: AmazonSQS.Nothing\r\n",
        signed("sqs")
    ));
    assert_eq!(status(&reply), 400);
    assert!(reply.contains("sqs:Nothing"), "{reply}");
    for nonsense in [
        "\r\n\r\n",
        "GET\r\n\r\n",
        "\u{16}\u{3}\u{1} tls",
        "GET / HTTP/9.9\r\n\r\n",
    ] {
        let reply = served.raw(nonsense.as_bytes());
        assert!(reply.is_empty() || status(&reply) == 400, "{reply}");
    }
    assert_eq!(status(&ask("")), 404);
}

#[test]
fn a_body_may_come_in_pieces_and_not_be_too_large() {
    let project = queues();
    let served = Served::start(&project);
    let head = |rest: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{}x-amz-target: AmazonSQS.ListQueues\r\n{rest}\
             Connection: close\r\n",
            signed("sqs")
        )
    };
    let chunked = format!(
        "{}\r\n1\r\n{{\r\n1\r\n}}\r\n0\r\n\r\n",
        head("Transfer-Encoding: chunked\r\n")
    );
    assert_eq!(status(&served.raw(chunked.as_bytes())), 200);
    // The client waits for a word before it sends the body.
    let waiting = format!(
        "{}\r\n",
        head("Content-Length: 2\r\nExpect: 100-continue\r\n")
    );
    assert!(served.raw(waiting.as_bytes()).starts_with("HTTP/1.1 100 "));
    let large = format!(
        "{}\r\n",
        head("Content-Length: 10485761\r\nExpect: 100-continue\r\n")
    );
    let reply = served.raw(large.as_bytes());
    assert_eq!(status(&reply), 413, "{reply}");
    assert!(reply.contains("Request must be smaller than 10485760 bytes."));
    let mut endless = format!("{}\r\n", head("Transfer-Encoding: chunked\r\n")).into_bytes();
    for _ in 0..11 {
        endless.extend_from_slice(b"100000\r\n");
        endless.resize(endless.len() + (1 << 20), b' ');
        endless.extend_from_slice(b"\r\n");
    }
    assert!(!served.raw(&endless).contains("200 OK"));
    // It broke off in the middle of its body, and others go on.
    served.raw(format!("{}\r\n{{", head("Content-Length: 2\r\n")).as_bytes());
    assert_eq!(status(&served.raw(chunked.as_bytes())), 200);
}

#[tokio::test]
async fn objects_go_up_and_down() {
    let project = queues();
    let served = Served::start(&project);
    let aws = served.clients().await;
    let bucket = "files-of-ours";
    let put = aws.s3().put_object().bucket(bucket).key("a/b c+d");
    put.body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    let head = aws.s3().head_object().bucket(bucket).key("a/b c+d");
    assert_eq!(head.send().await.unwrap().content_length(), Some(5));
    let get = aws.s3().get_object().bucket(bucket).key("a/b c+d");
    let body = get.send().await.unwrap().body.collect().await.unwrap();
    assert_eq!(body.into_bytes(), "hello");
    let listed = aws
        .s3()
        .list_objects_v2()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.contents()[0].key(), Some("a/b c+d"));

    // By the bucket's host, and in signed chunks with a trailer.
    let chunked = format!(
        "PUT /chunked HTTP/1.1\r\nHost: {bucket}.localhost:4566\r\n{}\
         x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n\
         Content-Encoding: aws-chunked\r\nx-amz-decoded-content-length: 5\r\n\
         x-amz-trailer: x-amz-checksum-crc32\r\nContent-Length: 48\r\nConnection: close\r\n\r\n\
         5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        signed("s3")
    );
    let sent = chunked.split_once("\r\n\r\n").unwrap().1.len();
    let chunked = chunked.replace("Content-Length: 48", &format!("Content-Length: {sent}"));
    let reply = served.raw(chunked.as_bytes());
    assert_eq!(status(&reply), 200, "{reply}");
    let get = aws.s3().get_object().bucket(bucket).key("chunked");
    let body = get.send().await.unwrap().body.collect().await.unwrap();
    assert_eq!(body.into_bytes(), "hello");

    // A URL that was signed, of both versions.
    for query in [
        "X-Amz-Credential=test%2F20261201%2Fus-west-2%2Fs3%2Faws4_request&X-Amz-Signature=0",
        "AWSAccessKeyId=test&Signature=0&Expires=1",
    ] {
        let request = format!(
            "GET /{bucket}/chunked?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        let reply = served.raw(request.as_bytes());
        assert!(reply.ends_with("\r\n\r\nhello"), "{reply}");
    }
}

/// What `STACKCTL_LOCAL_FAULTS` says happens to other clients, too.
#[tokio::test]
async fn faults_come_over_the_wire() {
    let mut project = queues();
    project.env(
        "STACKCTL_LOCAL_FAULTS",
        r#"[{"call": "sqs:ListQueues", "at": 1, "what": "throttle"},
            {"call": "sqs:ListQueues", "at": 2, "what": "reset"},
            {"call": "sqs:SendMessage", "at": 1, "what": "lostReply"}]"#,
    );
    let served = Served::start(&project);
    let aws = served.clients().await;
    let list = || aws.sqs_once().list_queues();
    let error = list().send().await.unwrap_err();
    assert!(error.raw_response().is_some(), "{error:?}");
    let error = list().send().await.unwrap_err();
    assert!(error.raw_response().is_none(), "{error:?}");
    list().send().await.unwrap();
    let send = aws.sqs_once().send_message().queue_url(super::PLAIN);
    send.message_body("x").send().await.unwrap_err();
    let receive = aws.sqs_once().receive_message().queue_url(super::PLAIN);
    assert_eq!(receive.send().await.unwrap().messages().len(), 1);
}
