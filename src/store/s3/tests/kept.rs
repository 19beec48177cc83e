//! What a bucket keeps, and what is said of it.

use super::super::MOST_ENTRIES;
use super::super::bucket::If;
use super::scenes::{Before, begin, done, lock, moved, prepare, put};
use super::wire::{At, Fault, Wire, s3};
use crate::store::{StoreError, history};

/// Who never took the lock writes nothing: no journal, no state, no mark.
#[tokio::test]
async fn without_the_lock_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    let mut state = store.open("s", None).await.unwrap().state;
    let before = s3(&store).bucket.get("s.json").await.unwrap().unwrap();
    let found = [
        store.start(&state).await.map(drop),
        store.save(&mut state).await,
        store.retire(moved()).await,
    ];
    for found in found {
        assert_eq!(
            found.unwrap_err().to_string(),
            "this run has lost its hold on the state s3://states/s.json: it was never locked"
        );
    }
    assert_eq!(state.serial, 1);
    let after = s3(&store).bucket.get("s.json").await.unwrap().unwrap();
    assert_eq!(after.body, before.body);
    let journal = s3(&store).bucket.list("s.json.journal/").await.unwrap();
    assert_eq!(journal, Vec::<String>::new());
}

/// A run stops at the entry that would make its journal longer than what is read of one. A save
/// ends that journal, and the next one begins at its first number.
#[tokio::test]
async fn a_journal_ends_where_the_next_run_could_not_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    lock(&store, "run").await.unwrap();
    let mut state = store.open("s", None).await.unwrap().state;
    s3(&store).observe(|known| known.next = MOST_ENTRIES as u64 - 2);
    let mut journal = store.start(&state).await.unwrap();
    journal.add(&begin(0, "a")).unwrap();
    journal.sync().await.unwrap();
    journal.add(&done(0, "a")).unwrap();
    match journal.sync().await {
        Err(StoreError::Unusable { place, why, next }) => {
            assert_eq!(place, "s3://states/s.json.journal");
            assert_eq!(why, "the journal of one run has at most 50000 entries");
            assert_eq!(next, "Run the command again: it goes on from there.");
        }
        found => panic!("{found:?}"),
    }
    let list = async || s3(&store).bucket.list("s.json.journal/").await.unwrap();
    assert_eq!(
        list().await,
        ["0000000001-049998", "0000000001-049999"].map(|it| format!("s.json.journal/{it}"))
    );
    assert!(store.has_journal(), "the next run looks for it there");
    state.change(put("a"));
    store.save(&mut state).await.unwrap();
    store.start(&state).await.unwrap();
    let last = list().await.pop();
    assert_eq!(last.as_deref(), Some("s.json.journal/0000000002-000000"));
}

/// A version that is damaged, is not a state, or does not exist is named with its serial.
#[tokio::test]
async fn a_version_that_cannot_be_used_is_reported_with_its_serial() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    let name = store.versions().await.unwrap().remove(0);
    let bucket = &s3(&store).bucket;
    let key = s3(&store).version_key(&name);
    for (body, expected) in [
        (Some(b"no archive".to_vec()), "invalid gzip header"),
        (Some(history::pack(b"[]", 0).unwrap()), "it is no state: "),
        (None, "it is gone"),
    ] {
        match body {
            Some(body) => drop(bucket.put(&key, body, If::Always).await.unwrap()),
            None => bucket.delete(std::slice::from_ref(&key)).await.unwrap(),
        }
        match store.version(&name).await {
            Err(StoreError::Unusable { place, why, next }) => {
                assert_eq!(place, "s3://states/s.json (serial 1)");
                assert!(why.starts_with(expected), "{why}");
                assert_eq!(next, "Take another version.");
            }
            found => panic!("{expected}: {found:?}"),
        }
    }
}

/// A state that is missing goes on from its newest version where that is empty, and not where it
/// has a resource.
#[tokio::test]
async fn a_missing_state_goes_on_where_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    let remove = async || {
        let bucket = &s3(&store).bucket;
        bucket.delete(&["s.json".to_owned()]).await.unwrap();
    };
    let before = store.open("s", None).await.unwrap();
    assert!(before.existed);
    remove().await;
    lock(&store, "run").await.unwrap();
    let opened = store.open("s", None).await.unwrap();
    assert!(!opened.existed);
    assert_eq!(opened.state, before.state);
    let mut state = opened.state;
    state.change(put("a"));
    store.save(&mut state).await.unwrap();
    assert_eq!(state.serial, 2);
    remove().await;
    match store.open("s", None).await {
        Err(StoreError::Unusable { why, .. }) => {
            assert_eq!(why, "it is missing, and serial 2 of it was saved here");
        }
        found => panic!("{found:?}"),
    }
}

const DELETE: At = At("POST", "delete", 1);

/// S3 replies 200 to a deletion of which it keeps some: those are errors, and what does not exist is
/// none.
#[tokio::test]
async fn what_s3_does_not_delete_is_reported() {
    const MISSING: &str =
        "<DeleteResult><Error><Key>a</Key><Code>NoSuchKey</Code></Error></DeleteResult>";
    const KEPT: &str = "<DeleteResult><Error><Key>b</Key><Code>NoSuchKey</Code></Error>\
                        <Error><Key>c</Key><Code>AccessDenied</Code><Message>not yours</Message>\
                        </Error></DeleteResult>";
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(true).await;
    let keys = ["a", "b", "c"].map(str::to_owned);
    wire.strike(DELETE, Fault::Reply(200, MISSING));
    s3(&store).bucket.delete(&keys).await.unwrap();
    assert_eq!(wire.struck(), 1);
    wire.strike(DELETE, Fault::Reply(200, KEPT));
    let error = s3(&store).bucket.delete(&keys).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "deleting s3://states/a failed: s3:DeleteObject returned AccessDenied for c: not yours"
    );
}

/// A store that is like S3 and has no call for many objects deletes one after the other.
#[tokio::test]
async fn objects_are_deleted_one_by_one_where_there_is_no_call_for_many() {
    const NO_BATCH: &str = "<Error><Code>NotImplemented</Code><Message>no</Message></Error>";
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(true).await;
    let bucket = &s3(&store).bucket;
    for key in ["old/a", "old/b", "old/kept"] {
        bucket.put(key, b"x".to_vec(), If::New).await.unwrap();
    }
    wire.strike(DELETE, Fault::Reply(501, NO_BATCH));
    let keys = ["old/a", "old/none", "old/b"].map(str::to_owned);
    bucket.delete(&keys).await.unwrap();
    assert_eq!(wire.struck(), 1);
    assert_eq!(bucket.list("old/").await.unwrap(), ["old/kept"]);
}
