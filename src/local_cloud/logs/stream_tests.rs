use crate::local_cloud::fixture::Fixture;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, OrderBy};

/// The code of a call that must fail.
macro_rules! code {
    ($call:expr) => {
        $call.send().await.unwrap_err().code().unwrap().to_owned()
    };
}

const GROUP: &str = "/aws/lambda/f";

async fn with_stream(streams: &[&str]) -> Fixture {
    let here = Fixture::new().await;
    let logs = here.aws.logs_once();
    let create = logs.create_log_group().log_group_name(GROUP);
    create.send().await.unwrap();
    for stream in streams {
        let create = logs.create_log_stream().log_group_name(GROUP);
        create.log_stream_name(*stream).send().await.unwrap();
    }
    here
}

fn event(timestamp: i64, message: &str) -> InputLogEvent {
    let event = InputLogEvent::builder().timestamp(timestamp);
    event.message(message).build().unwrap()
}

fn now(here: &Fixture) -> i64 {
    i64::try_from(here.cloud.now()).unwrap()
}

async fn put(here: &Fixture, stream: &str, events: Vec<InputLogEvent>) {
    let put = here.aws.logs_once().put_log_events();
    let put = put.log_group_name(GROUP).log_stream_name(stream);
    let reply = put.set_log_events(Some(events)).send().await.unwrap();
    assert!(reply.rejected_log_events_info().is_none());
}

async fn filtered(here: &Fixture, pattern: &str) -> Vec<String> {
    let filter = here.aws.logs().filter_log_events().log_group_name(GROUP);
    let found = filter.filter_pattern(pattern).send().await.unwrap();
    let events = found.events().iter();
    events.map(|it| it.message().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn events_of_streams_are_merged_by_time() {
    let here = with_stream(&["a", "b"]).await;
    let now = now(&here);
    put(
        &here,
        "a",
        vec![event(now, "one"), event(now + 20, "three")],
    )
    .await;
    put(&here, "b", vec![event(now + 10, "two")]).await;
    // A later call with an earlier time.
    put(&here, "b", vec![event(now - 10, "zero")]).await;
    assert_eq!(filtered(&here, "").await, ["zero", "one", "two", "three"]);
    assert_eq!(filtered(&here, "?two ?three").await, ["two", "three"]);
    let logs = here.aws.logs();
    let filter = || logs.filter_log_events().log_group_name(GROUP);
    let found = filter().start_time(now).end_time(now + 10).send().await;
    let found = found.unwrap();
    let ids: Vec<_> = found.events().iter().map(|it| it.event_id()).collect();
    assert_eq!(found.events().len(), 2);
    assert!(ids[0] < ids[1], "{ids:?}");
    assert_eq!(found.events()[1].log_stream_name(), Some("b"));
    let of_b = filter().log_stream_name_prefix("b").send().await.unwrap();
    assert_eq!(of_b.events().len(), 2);
    let of_a = filter().log_stream_names("a").send().await.unwrap();
    assert_eq!(of_a.events().len(), 2);
}

#[tokio::test]
async fn pages_lose_and_repeat_nothing() {
    let here = with_stream(&["a"]).await;
    let now = now(&here);
    let events = (0..25).map(|at| event(now, &format!("m{at}"))).collect();
    put(&here, "a", events).await;
    let logs = here.aws.logs();
    let (mut seen, mut token) = (Vec::new(), None);
    loop {
        let filter = logs.filter_log_events().log_group_name(GROUP).limit(10);
        let page = filter.set_next_token(token).send().await.unwrap();
        seen.extend(
            page.events()
                .iter()
                .map(|it| it.message().unwrap().to_owned()),
        );
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    let all: Vec<String> = (0..25).map(|at| format!("m{at}")).collect();
    assert_eq!(seen, all);
    let get = || {
        let get = logs.get_log_events().log_group_name(GROUP);
        get.log_stream_name("a").limit(10)
    };
    let last = get().send().await.unwrap();
    assert_eq!(last.events()[0].message(), Some("m15"));
    let before = get().next_token(last.next_backward_token().unwrap());
    let before = before.send().await.unwrap();
    assert_eq!(before.events()[0].message(), Some("m5"));
    let first = get().start_from_head(true).send().await.unwrap();
    assert_eq!(first.events()[0].message(), Some("m0"));
    let token = last.next_forward_token().unwrap();
    let end = get().next_token(token).start_from_head(true).send().await;
    let end = end.unwrap();
    assert!(end.events().is_empty());
    assert_eq!(end.next_forward_token(), Some(token));
    put(&here, "a", vec![event(now + 1, "new")]).await;
    let more = get().next_token(token).start_from_head(true).send().await;
    assert_eq!(more.unwrap().events()[0].message(), Some("new"));
    let none = get().start_time(now).end_time(now).send().await.unwrap();
    assert!(none.events().is_empty(), "the end is not included");
}

#[tokio::test]
async fn many_events_are_in_few_keys_and_keep_their_order() {
    let here = with_stream(&["a"]).await;
    let now = now(&here);
    for at in 0..150 {
        put(&here, "a", vec![event(now + at, &format!("m{at}"))]).await;
    }
    let large = "x".repeat(20_000);
    put(&here, "a", vec![event(now + 150, &large)]).await;
    let keys = std::fs::read_to_string(here.dir.path().join("log")).unwrap();
    assert!(!keys.contains(&large), "a large event is in a blob");
    let seen = filtered(&here, "").await;
    assert_eq!(seen.len(), 151);
    assert_eq!((seen[0].as_str(), seen[149].as_str()), ("m0", "m149"));
    let again = Fixture::with(|options| options.dir = here.dir.path().to_owned()).await;
    assert_eq!(filtered(&again, "").await, seen);
    assert!(here.keys().iter().all(|key| !key.starts_with('.')));
}

#[tokio::test]
async fn what_is_too_old_or_too_new_is_rejected_alone() {
    let here = with_stream(&["a"]).await;
    let now = now(&here);
    let day = 86_400_000;
    let send = |events: Vec<InputLogEvent>| {
        let put = here.aws.logs_once().put_log_events();
        let put = put.log_group_name(GROUP).log_stream_name("a");
        put.set_log_events(Some(events))
    };
    let old = send(vec![
        event(now - 14 * day - 60_000, "old"),
        event(now - 14 * day + 60_000, "fits"),
    ]);
    let reply = old.send().await.unwrap();
    let rejected = reply.rejected_log_events_info().unwrap();
    assert_eq!(rejected.too_old_log_event_end_index(), Some(1));
    let new = send(vec![event(now, "fits too"), event(now + day / 2, "new")]);
    let reply = new.send().await.unwrap();
    let rejected = reply.rejected_log_events_info().unwrap();
    assert_eq!(rejected.too_new_log_event_start_index(), Some(1));
    assert_eq!(filtered(&here, "").await, ["fits", "fits too"]);
    let keep = here.aws.logs_once().put_retention_policy();
    let keep = keep.log_group_name(GROUP).retention_in_days(7);
    keep.send().await.unwrap();
    assert_eq!(filtered(&here, "").await, ["fits too"]);
    let expired = send(vec![event(now - 8 * day, "expired")]);
    let reply = expired.send().await.unwrap();
    let rejected = reply.rejected_log_events_info().unwrap();
    assert_eq!(rejected.expired_log_event_end_index(), Some(1));
    for events in [
        vec![event(now, "b"), event(now - 1, "a")],
        vec![event(now - 2 * day, "a"), event(now, "b")],
        vec![event(now, &"x".repeat(1_048_576))],
        vec![event(now, "")],
        vec![],
    ] {
        assert_eq!(code!(send(events)), "InvalidParameterException");
    }
}

#[tokio::test]
async fn time_lets_events_expire() {
    // A day passes in a tenth of a second.
    let here = Fixture::with(|options| options.speed = 864_000.0).await;
    let logs = here.aws.logs_once();
    logs.create_log_group()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap();
    let create = logs.create_log_stream().log_group_name(GROUP);
    create.log_stream_name("a").send().await.unwrap();
    let keep = logs.put_retention_policy().log_group_name(GROUP);
    keep.retention_in_days(30).send().await.unwrap();
    put(&here, "a", vec![event(now(&here), "old")]).await;
    let keep = logs.put_retention_policy().log_group_name(GROUP);
    keep.retention_in_days(1).send().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(filtered(&here, "").await.is_empty());
}

#[tokio::test]
async fn streams_are_listed_and_go_with_their_group() {
    let here = with_stream(&["a/2", "a/1", "b"]).await;
    let logs = here.aws.logs();
    let later = now(&here) + 5;
    put(&here, "a/2", vec![event(later, "x")]).await;
    let list = || logs.describe_log_streams().log_group_name(GROUP);
    let names = |streams: &[aws_sdk_cloudwatchlogs::types::LogStream]| -> Vec<String> {
        let names = streams.iter().map(|it| it.log_stream_name().unwrap());
        names.map(str::to_owned).collect()
    };
    let found = list().log_stream_name_prefix("a/").send().await.unwrap();
    assert_eq!(names(found.log_streams()), ["a/1", "a/2"]);
    assert_eq!(found.log_streams()[1].last_event_timestamp(), Some(later));
    assert_eq!(found.log_streams()[0].last_event_timestamp(), None);
    assert!(
        found.log_streams()[0]
            .arn()
            .unwrap()
            .ends_with(":log-stream:a/1")
    );
    let by_time = list().order_by(OrderBy::LastEventTime).descending(true);
    let by_time = by_time.send().await.unwrap();
    assert_eq!(names(by_time.log_streams())[0], "a/2");
    let first = list().limit(2).send().await.unwrap();
    let rest = list().next_token(first.next_token().unwrap()).send().await;
    assert_eq!(names(rest.unwrap().log_streams()), ["b"]);

    let once = here.aws.logs_once();
    let delete = once.delete_log_stream().log_group_name(GROUP);
    delete.log_stream_name("a/2").send().await.unwrap();
    assert!(filtered(&here, "").await.is_empty());
    put(&here, "b", vec![event(later, "y")]).await;
    once.delete_log_group()
        .log_group_name(GROUP)
        .send()
        .await
        .unwrap();
    let create = once.create_log_group().log_group_name(GROUP);
    create.send().await.unwrap();
    assert!(list().send().await.unwrap().log_streams().is_empty());
    assert!(filtered(&here, "").await.is_empty());
}

#[tokio::test]
async fn what_aws_refuses_of_streams_is_refused() {
    let here = with_stream(&["a"]).await;
    let logs = here.aws.logs_once();
    let create = |group: &str, stream: &str| {
        let create = logs.create_log_stream().log_group_name(group);
        create.log_stream_name(stream)
    };
    assert_eq!(code!(create(GROUP, "a")), "ResourceAlreadyExistsException");
    assert_eq!(code!(create("none", "a")), "ResourceNotFoundException");
    assert_eq!(code!(create(GROUP, "a:b")), "InvalidParameterException");
    let delete = logs.delete_log_stream().log_group_name(GROUP);
    assert_eq!(
        code!(delete.log_stream_name("b")),
        "ResourceNotFoundException"
    );
    let put = logs
        .put_log_events()
        .log_group_name(GROUP)
        .log_stream_name("b");
    let put = put.log_events(event(now(&here), "x"));
    assert_eq!(code!(put), "ResourceNotFoundException");
    let get = logs
        .get_log_events()
        .log_group_name(GROUP)
        .log_stream_name("b");
    assert_eq!(code!(get), "ResourceNotFoundException");
    let filter = || logs.filter_log_events().log_group_name(GROUP);
    assert_eq!(
        code!(filter().log_stream_names("b")),
        "ResourceNotFoundException"
    );
    for wrong in [
        filter().log_stream_names("a").log_stream_name_prefix("a"),
        filter().filter_pattern("a:b"),
        filter().limit(0),
        filter().next_token("x"),
        filter().start_time(2).end_time(1),
        filter().start_time(-1),
        filter().log_group_identifier(GROUP),
    ] {
        assert_eq!(code!(wrong), "InvalidParameterException");
    }
    let both = logs.describe_log_streams().log_group_name(GROUP);
    let both = both.log_stream_name_prefix("a");
    let both = both.order_by(OrderBy::LastEventTime);
    assert_eq!(code!(both), "InvalidParameterException");
}
