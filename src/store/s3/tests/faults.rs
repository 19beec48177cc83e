//! Each call that a state in a bucket takes meets each fault: a reply that is lost, a conflict, a
//! condition that another run's write broke or one's own, a bucket that is away for a moment or for
//! good. What heals heals, what does not is an error, and nothing that was acknowledged is lost.

use super::scenes::{Before, Reported, next, prepare, run};
use super::wire::{At, Fault, Wire, s3};
use crate::store::StoreError;

/// How it must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Failed,
    /// It failed, and says that another run is at work.
    Lost,
}

const READ: &[Fault] = &[Fault::Away(false), Fault::Away(true), Fault::LostReply];
const WRITE: &[Fault] = &[
    Fault::LostReply,
    Fault::Unknown,
    Fault::Conflict(false),
    Fault::Conflict(true),
    Fault::Away(false),
    Fault::Away(true),
    Fault::Another,
];

/// The calls, by what they are for: what there is before, the call, and its faults.
const CALLS: &[(&str, Before, At, &[Fault])] = &[
    (
        "the lease is read",
        Before::Saved,
        At("GET", "s.json.lock", 1),
        READ,
    ),
    (
        "the lease is taken",
        Before::Saved,
        At("PUT", "s.json.lock", 1),
        WRITE,
    ),
    (
        "the lease is renewed",
        Before::Saved,
        At("PUT", "s.json.lock", 2),
        WRITE,
    ),
    (
        "the lease is given back",
        Before::Saved,
        At("PUT", "s.json.lock", 3),
        WRITE,
    ),
    (
        "the state is read",
        Before::Saved,
        At("GET", "s.json?", 1),
        READ,
    ),
    (
        "the versions are listed",
        Before::Saved,
        At("GET", "prefix=s.json.history", 1),
        READ,
    ),
    (
        "the journal is listed",
        Before::Saved,
        At("GET", "prefix=s.json.journal", 1),
        READ,
    ),
    (
        "the journal is started",
        Before::Saved,
        At("PUT", "journal/0000000001-000000", 1),
        WRITE,
    ),
    (
        "an entry is written",
        Before::Saved,
        At("PUT", "journal/0000000001-000001", 1),
        WRITE,
    ),
    (
        "a later entry is written",
        Before::Saved,
        At("PUT", "journal/0000000001-000002", 1),
        WRITE,
    ),
    (
        "the state is saved",
        Before::Saved,
        At("PUT", "s.json?", 1),
        WRITE,
    ),
    (
        "a version is kept",
        Before::Saved,
        At("PUT", "s.json.history/0000000002", 1),
        WRITE,
    ),
    (
        "the old journal is listed",
        Before::Saved,
        At("GET", "prefix=s.json.journal", 2),
        READ,
    ),
    (
        "the old journal is looked at",
        Before::Saved,
        At("GET", "journal/0000000001-000001", 1),
        READ,
    ),
    (
        "the old journal is deleted",
        Before::Saved,
        At("POST", "delete", 1),
        READ,
    ),
    (
        "an entry is read",
        Before::Crashed,
        At("GET", "journal/0000000001-000001", 1),
        READ,
    ),
    (
        "a journal is closed",
        Before::Crashed,
        At("PUT", "journal/0000000001-000003", 1),
        WRITE,
    ),
    (
        "what is no state is copied",
        Before::Unusable,
        At("PUT", "s.json.unusable", 1),
        WRITE,
    ),
    (
        "the versions to copy are listed",
        Before::Leaves,
        At("GET", "prefix=s.json.history", 2),
        READ,
    ),
    (
        "a version is read",
        Before::Leaves,
        At("GET", "s.json.history/0000000001", 1),
        READ,
    ),
    (
        "the mark is written",
        Before::Leaves,
        At("PUT", "s.json?", 1),
        WRITE,
    ),
    (
        "a version comes in",
        Before::Comes,
        At("PUT", "s.json.history/0000000002", 1),
        WRITE,
    ),
    (
        "a version that came in is read back",
        Before::Comes,
        At("GET", "s.json.history/0000000002", 1),
        READ,
    ),
];

/// How a fault of a call must end.
fn end(name: &str, fault: Fault) -> End {
    match (name, fault) {
        // The reply of an unconditional write matters to nobody.
        (_, Fault::LostReply | Fault::Conflict(false) | Fault::Away(false)) => End::Done,
        // Where that fails the lease runs out, and the next save deletes what is old.
        ("the lease is given back" | "the old journal is listed", _) => End::Done,
        ("the old journal is looked at" | "the old journal is deleted", _) => End::Done,
        // It is written once more.
        (
            "the lease is renewed" | "an entry is written" | "a later entry is written",
            Fault::Unknown,
        ) => End::Done,
        // Another run's copy or version of the same name has the same content.
        (
            "a version is kept" | "what is no state is copied" | "a version comes in",
            Fault::Another,
        ) => End::Done,
        // The number is taken; the next one closes it.
        ("a journal is closed", Fault::Another) => End::Done,
        ("the lease is taken", Fault::Another) => End::Failed,
        (_, Fault::Another) => End::Lost,
        _ => End::Failed,
    }
}

async fn meets(name: &str, before: Before, at: At, fault: Fault) -> Result<usize, String> {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, before).await;
    let store = wire.store(true).await;
    wire.strike(at, fault);
    let mut told = Reported::default();
    let ended = run(&store, before, &mut told).await;
    store.release().await;
    let struck = wire.struck();
    let wanted = end(name, fault);
    let fits = match (&ended, wanted) {
        (Ok(()), End::Done) => told.saved,
        (Err(StoreError::Lost { .. }), End::Lost) => true,
        (Err(StoreError::Lost { .. }), _) => false,
        (Err(_), End::Failed) => true,
        _ => false,
    };
    if !fits {
        return Err(format!("expected {wanted:?}, and it ended with {ended:?}"));
    }
    if fault == Fault::Another
        && !matches!(
            name,
            "a version is kept" | "what is no state is copied" | "a version comes in"
        )
    {
        let key = at.1.trim_end_matches('?');
        let key = match key.strip_prefix("journal") {
            Some(number) => format!("s.json.journal{number}"),
            None => key.to_owned(),
        };
        let bucket = &s3(&wire.store(false).await).bucket.clone();
        let there = bucket.get(&key).await.map_err(|it| it.to_string())?;
        let text = there.map_or_else(Vec::new, |object| object.body);
        return match String::from_utf8_lossy(&text).contains("another") {
            true => Ok(struck),
            false => Err(format!("what the other run wrote is overwritten in {key}")),
        };
    }
    match next(&wire, before, &told).await {
        Err(why) if why == "kept" => Ok(struck),
        found => found.map(|_| struck),
    }
}

#[test]
fn each_call_of_a_state_in_a_bucket_meets_each_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let offered: usize = CALLS.iter().map(|call| call.3.len()).sum();
    let cases = CALLS.iter().flat_map(|(name, before, at, faults)| {
        faults.iter().map(move |fault| async move {
            let met = meets(name, *before, *at, *fault).await;
            (format!("{name}, {fault:?}"), met)
        })
    });
    // They wait more than they do.
    let met = runtime.block_on(futures_util::future::join_all(cases));
    let (mut struck, mut failed) = (0, Vec::new());
    for (name, met) in met {
        match met {
            Ok(0) => failed.push(format!("{name}: it did not happen")),
            Ok(_) => struck += 1,
            Err(why) => failed.push(format!("{name}: {why}")),
        }
    }
    let held = offered - failed.len();
    println!("reliability: faults of a state in a bucket {offered} tried {held} held");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(struck, offered);
}
