use crate::local_cloud::fixture::Fixture;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use std::collections::HashMap;

type Pairs<'p> = &'p [(&'p str, &'p str)];

fn attributes(pairs: Pairs<'_>) -> Option<HashMap<Name, String>> {
    let pair = |(name, value): &(&str, &str)| (Name::from(*name), (*value).to_owned());
    Some(pairs.iter().map(pair).collect())
}

/// Creates a queue; its URL, or the error's code.
async fn create(here: &Fixture, name: &str, pairs: Pairs<'_>) -> Result<String, String> {
    let reply = here
        .aws
        .sqs_once()
        .create_queue()
        .queue_name(name)
        .set_attributes(attributes(pairs))
        .send()
        .await;
    match reply {
        Ok(reply) => Ok(reply.queue_url.unwrap()),
        Err(error) => Err(error.code().unwrap().to_owned()),
    }
}

async fn set(here: &Fixture, url: &str, pairs: Pairs<'_>) -> Result<(), String> {
    let reply = here
        .aws
        .sqs_once()
        .set_queue_attributes()
        .queue_url(url)
        .set_attributes(attributes(pairs))
        .send()
        .await;
    reply
        .map(|_| ())
        .map_err(|error| error.code().unwrap().to_owned())
}

async fn all(here: &Fixture, url: &str) -> HashMap<String, String> {
    let reply = here
        .aws
        .sqs()
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(Name::All)
        .send()
        .await
        .unwrap();
    reply
        .attributes
        .unwrap()
        .into_iter()
        .map(|(name, value)| (name.as_str().to_owned(), value))
        .collect()
}

#[tokio::test]
async fn a_fifo_queue_has_what_aws_fills_in() {
    let here = Fixture::new().await;
    let url = create(&here, "q.fifo", &[("FifoQueue", "true")])
        .await
        .unwrap();
    assert_eq!(
        url,
        "https://sqs.us-west-2.amazonaws.com/000000000000/q.fifo"
    );
    let all = all(&here, &url).await;
    for (name, value) in [
        ("QueueArn", "arn:aws:sqs:us-west-2:000000000000:q.fifo"),
        ("FifoQueue", "true"),
        ("ContentBasedDeduplication", "false"),
        ("DeduplicationScope", "queue"),
        ("FifoThroughputLimit", "perQueue"),
        ("MaximumMessageSize", "1048576"),
        ("MessageRetentionPeriod", "345600"),
        ("VisibilityTimeout", "30"),
        ("DelaySeconds", "0"),
        ("ReceiveMessageWaitTimeSeconds", "0"),
        ("SqsManagedSseEnabled", "true"),
        ("ApproximateNumberOfMessages", "0"),
    ] {
        assert_eq!(all[name], value, "{name}");
    }
    assert!(!all.contains_key("KmsDataKeyReusePeriodSeconds"));
    let standard = create(&here, "q", &[]).await.unwrap();
    let all = super::tests::all(&here, &standard).await;
    assert!(!all.contains_key("FifoQueue") && !all.contains_key("DeduplicationScope"));
}

#[tokio::test]
async fn what_aws_refuses_at_creation_is_refused() {
    let here = Fixture::new().await;
    const FIFO: (&str, &str) = ("FifoQueue", "true");
    let cases: &[(&str, Pairs<'_>, &str)] = &[
        ("q.fifo", &[], "InvalidParameterValue"),
        ("q", &[FIFO], "InvalidParameterValue"),
        ("a b", &[], "InvalidParameterValue"),
        ("q", &[("FifoQueue", "false")], "InvalidAttributeName"),
        (
            "q",
            &[("ContentBasedDeduplication", "true")],
            "InvalidAttributeName",
        ),
        ("q", &[("Nothing", "1")], "InvalidAttributeName"),
        ("q", &[("QueueArn", "arn")], "InvalidAttributeName"),
        (
            "q",
            &[("VisibilityTimeout", "43201")],
            "InvalidAttributeValue",
        ),
        ("q", &[("DelaySeconds", "901")], "InvalidAttributeValue"),
        ("q", &[("DelaySeconds", "many")], "InvalidAttributeValue"),
        (
            "q",
            &[("MaximumMessageSize", "1023")],
            "InvalidAttributeValue",
        ),
        (
            "q",
            &[("MessageRetentionPeriod", "59")],
            "InvalidAttributeValue",
        ),
        (
            "q",
            &[("ReceiveMessageWaitTimeSeconds", "21")],
            "InvalidAttributeValue",
        ),
        (
            "q",
            &[("SqsManagedSseEnabled", "yes")],
            "InvalidAttributeValue",
        ),
        ("q", &[("Policy", "{")], "InvalidAttributeValue"),
        (
            "q",
            &[("Policy", "{\"Statement\": []}")],
            "InvalidAttributeValue",
        ),
        (
            "q",
            &[("KmsMasterKeyId", "k"), ("SqsManagedSseEnabled", "true")],
            "InvalidAttributeValue",
        ),
        ("q", &[("RedrivePolicy", "{}")], "InvalidParameterValue"),
        (
            "q",
            &[("RedriveAllowPolicy", "{\"redrivePermission\": \"all\"}")],
            "InvalidParameterValue",
        ),
        (
            "q.fifo",
            &[FIFO, ("FifoThroughputLimit", "perMessageGroupId")],
            "InvalidAttributeValue",
        ),
        (
            "q.fifo",
            &[FIFO, ("DeduplicationScope", "group")],
            "InvalidAttributeValue",
        ),
    ];
    for (name, pairs, code) in cases {
        assert_eq!(
            create(&here, name, pairs).await,
            Err((*code).to_owned()),
            "{name} {pairs:?}"
        );
    }
    let long = "x".repeat(81);
    assert!(create(&here, &long, &[]).await.is_err());
    assert_eq!(here.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn a_second_create_returns_the_queue_unless_something_sent_differs() {
    let here = Fixture::new().await;
    let policy = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*"}]}"#;
    let first: Pairs<'_> = &[("DelaySeconds", "5"), ("Policy", policy)];
    let url = create(&here, "q", first).await.unwrap();
    let spaced = policy.replace(' ', "  ");
    for pairs in [
        first,
        &[],
        &[("Policy", &spaced)],
        &[("VisibilityTimeout", "30")],
    ] {
        assert_eq!(create(&here, "q", pairs).await.as_ref(), Ok(&url));
    }
    let other = create(&here, "q", &[("DelaySeconds", "6")]).await;
    assert_eq!(other, Err("QueueAlreadyExists".to_owned()));
    let tagged = here
        .aws
        .sqs_once()
        .create_queue()
        .queue_name("q")
        .tags("a", "b");
    let refused = tagged.send().await.unwrap_err();
    assert_eq!(refused.code(), Some("QueueAlreadyExists"));
    let tags = here
        .aws
        .sqs()
        .list_queue_tags()
        .queue_url(&url)
        .send()
        .await
        .unwrap();
    assert_eq!(tags.tags, None);
}

#[tokio::test]
async fn attributes_change_and_are_cleared() {
    let here = Fixture::new().await;
    let policy = r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "sqs:*"}}"#;
    let url = create(&here, "q", &[("Policy", policy)]).await.unwrap();
    set(
        &here,
        &url,
        &[("KmsMasterKeyId", "alias/aws/sqs"), ("DelaySeconds", "9")],
    )
    .await
    .unwrap();
    let now = all(&here, &url).await;
    assert_eq!(now["SqsManagedSseEnabled"], "false");
    assert_eq!(now["KmsDataKeyReusePeriodSeconds"], "300");
    assert_eq!(now["DelaySeconds"], "9");
    assert_eq!(now["Policy"], policy);
    set(&here, &url, &[("KmsMasterKeyId", ""), ("Policy", "")])
        .await
        .unwrap();
    let now = all(&here, &url).await;
    assert_eq!(now["SqsManagedSseEnabled"], "true");
    assert!(!now.contains_key("Policy") && !now.contains_key("KmsDataKeyReusePeriodSeconds"));
    for (pairs, code) in [
        (&[("FifoQueue", "true")], "InvalidAttributeValue"),
        (&[("DelaySeconds", "")], "InvalidAttributeValue"),
        (&[("CreatedTimestamp", "1")], "InvalidAttributeName"),
    ] {
        assert_eq!(
            set(&here, &url, pairs).await,
            Err(code.to_owned()),
            "{pairs:?}"
        );
    }
}

#[tokio::test]
async fn a_dead_letter_queue_must_exist_and_fit() {
    let here = Fixture::new().await;
    let allow = r#"{"redrivePermission": "denyAll"}"#;
    let _ = create(&here, "dead", &[]).await.unwrap();
    let closed = create(&here, "closed", &[("RedriveAllowPolicy", allow)])
        .await
        .unwrap();
    let _ = create(&here, "dead.fifo", &[("FifoQueue", "true")])
        .await
        .unwrap();
    let redrive = |name: &str| {
        format!(
            r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-west-2:000000000000:{name}","maxReceiveCount":"4"}}"#
        )
    };
    let url = create(&here, "q", &[("RedrivePolicy", &redrive("dead"))])
        .await
        .unwrap();
    assert_eq!(
        all(&here, &url).await["RedrivePolicy"],
        redrive("dead").replace("\"4\"", "4")
    );
    for name in ["none", "dead.fifo", "closed"] {
        let refused = set(&here, &url, &[("RedrivePolicy", &redrive(name))]).await;
        assert_eq!(refused, Err("InvalidParameterValue".to_owned()), "{name}");
    }
    let by_queue = r#"{"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-west-2:000000000000:q"]}"#;
    set(&here, &closed, &[("RedriveAllowPolicy", by_queue)])
        .await
        .unwrap();
    set(&here, &url, &[("RedrivePolicy", &redrive("closed"))])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_deleted_queues_name_rests_for_a_minute() {
    let here = Fixture::with(|options| options.speed = 30.0).await;
    let url = create(&here, "q", &[]).await.unwrap();
    let deleted = here.cloud.now();
    here.aws
        .sqs()
        .delete_queue()
        .queue_url(&url)
        .send()
        .await
        .unwrap();
    assert_eq!(
        create(&here, "q", &[]).await,
        Err("AWS.SimpleQueueService.QueueDeletedRecently".to_owned())
    );
    let gone = here
        .aws
        .sqs()
        .get_queue_url()
        .queue_name("q")
        .send()
        .await
        .unwrap_err();
    assert!(gone.as_service_error().unwrap().is_queue_does_not_exist());
    assert_eq!(gone.code(), Some("AWS.SimpleQueueService.NonExistentQueue"));
    assert_eq!(here.keys(), Vec::<String>::new());
    while let Err(code) = create(&here, "q", &[]).await {
        assert_eq!(code, "AWS.SimpleQueueService.QueueDeletedRecently");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let rested = here.cloud.now() - deleted;
    assert!(rested >= 60_000, "{rested} ms");
}

#[tokio::test]
async fn tags_come_and_go() {
    let here = Fixture::new().await;
    let sqs = here.aws.sqs_once();
    let made = sqs
        .create_queue()
        .queue_name("q")
        .tags("a", "1")
        .tags("b", "")
        .send()
        .await;
    let url = made.unwrap().queue_url.unwrap();
    sqs.tag_queue()
        .queue_url(&url)
        .tags("c", "3")
        .send()
        .await
        .unwrap();
    sqs.untag_queue()
        .queue_url(&url)
        .tag_keys("a")
        .send()
        .await
        .unwrap();
    let tags = sqs
        .list_queue_tags()
        .queue_url(&url)
        .send()
        .await
        .unwrap()
        .tags
        .unwrap();
    assert_eq!(
        tags,
        HashMap::from([("b".into(), String::new()), ("c".into(), "3".into())])
    );
    let reserved = sqs
        .tag_queue()
        .queue_url(&url)
        .tags("aws:x", "1")
        .send()
        .await;
    assert_eq!(reserved.unwrap_err().code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn queues_are_listed_by_prefix_and_page() {
    let here = Fixture::new().await;
    for name in ["a1", "a2", "a3", "b"] {
        create(&here, name, &[]).await.unwrap();
    }
    let sqs = here.aws.sqs();
    let first = sqs
        .list_queues()
        .queue_name_prefix("a")
        .max_results(2)
        .send()
        .await
        .unwrap();
    assert_eq!(first.queue_urls().len(), 2);
    let token = first.next_token.unwrap();
    let second = sqs
        .list_queues()
        .queue_name_prefix("a")
        .max_results(2)
        .next_token(token);
    let second = second.send().await.unwrap();
    assert!(second.queue_urls()[0].ends_with("/a3") && second.next_token.is_none());
    assert_eq!(
        sqs.list_queues().send().await.unwrap().queue_urls().len(),
        4
    );
    let bad = sqs
        .list_queues()
        .max_results(1001)
        .send()
        .await
        .unwrap_err();
    assert_eq!(bad.code(), Some("InvalidParameterValue"));
}
