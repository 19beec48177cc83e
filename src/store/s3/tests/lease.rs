//! A lease and who stands in it.

use super::super::bucket::If;
use super::scenes::{Before, begin, done, lock, prepare};
use super::wire::{At, Fault, Wire, holder, s3};
use crate::store::lease::{Holder, Patience};
use crate::store::transfer::copy_versions;
use crate::store::{Locked, Store, StoreError};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Who looks at a lease of another machine, and watches whether it beats, says so once.
#[tokio::test]
async fn a_watched_lease_is_reported_once() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    let mut other = holder("another");
    (other.pids_of, other.lease) = ("elsewhere".to_owned(), 1);
    let body = serde_json::to_vec(&other).unwrap();
    let written = s3(&store).bucket.put("s.json.lock", body, If::Always).await;
    written.unwrap();
    let mut told = Vec::new();
    let found = store
        .check_lock(false, &mut |by| told.push(by.id.clone()))
        .await;
    assert!(matches!(found, Ok(Locked::Alive(_))), "{found:?}");
    assert!(told.is_empty(), "{told:?}");
    let found = store
        .check_lock(true, &mut |by| told.push(by.id.clone()))
        .await;
    assert!(matches!(found, Ok(Locked::Dead(_))), "{found:?}");
    assert_eq!(told, ["another"]);
}

/// Versions that came in count among those that are kept.
#[tokio::test]
async fn what_came_in_goes_when_it_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let file = Store::local(dir.path().join("s.json"), dir.path(), true);
    lock(&file, "file").await.unwrap();
    let mut store = wire.store(false).await;
    lock(&store, "run").await.unwrap();
    let mut state = store.open("s", None).await.unwrap().state;
    for _ in 0..3 {
        file.save(&mut state).await.unwrap();
    }
    assert_eq!(copy_versions(&file, &store).await.unwrap(), 3);
    store.keep(2);
    store.save(&mut state).await.unwrap();
    let left = store.versions().await.unwrap();
    let left: Vec<u64> = left.iter().map(|name| name.serial).collect();
    assert_eq!(left, [4, 5]);
}

/// A run died between its state and the version of it: the next save keeps that version.
#[tokio::test]
async fn a_version_that_lacks_is_kept_by_the_next_save() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    let kept = store.versions().await.unwrap();
    let key = s3(&store).version_key(&kept[0]);
    s3(&store).bucket.delete(&[key]).await.unwrap();
    lock(&store, "run").await.unwrap();
    let mut state = store.open("s", None).await.unwrap().state;
    store.save(&mut state).await.unwrap();
    let serials: Vec<u64> = store
        .versions()
        .await
        .unwrap()
        .iter()
        .map(|it| it.serial)
        .collect();
    assert_eq!(serials, [1, 2]);
    assert_eq!(store.version(&kept[0]).await.unwrap().serial, 1);
}

/// Only the holder that was shown loses its lock; and one that is late with its beat, by its own
/// clock, beats before it begins anything.
#[tokio::test]
async fn a_lease_is_of_who_stands_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    wire.another("s.json.lock").await;
    let found = store.unlock(&holder("shown")).await;
    assert!(matches!(found, Err(StoreError::Locked { .. })), "{found:?}");
    let lease = || async {
        let bucket = &s3(&store).bucket;
        let object = bucket.get("s.json.lock").await.unwrap().unwrap();
        serde_json::from_slice::<Value>(&object.body).unwrap()
    };
    assert_eq!(lease().await["id"], "another");
    store.unlock(&holder("another")).await.unwrap();
    assert_eq!(lease().await, serde_json::json!({}));

    let mut short = holder("short");
    short.lease = 1;
    let mut notify = |_: &Holder| {};
    let patience = Patience {
        timeout: Some(Duration::ZERO),
        notify: &mut notify,
    };
    store.lock(&short, patience).await.unwrap();
    let mut state = store.open("s", None).await.unwrap().state;
    let mut journal = store.start(&state).await.unwrap();
    // Its beats do not come: the process slept.
    s3(&store).stop_beating();
    tokio::time::sleep(Duration::from_millis(800)).await;
    let before = lease().await["beat"].as_u64();
    journal.add(&begin(0, "a")).unwrap();
    journal.sync().await.unwrap();
    let beat = lease().await["beat"].as_u64();
    assert!(beat > before, "it did not beat");
    // Once is enough for a while.
    journal.add(&done(0, "a")).unwrap();
    journal.sync().await.unwrap();
    assert_eq!(lease().await["beat"].as_u64(), beat);
    // Taken over meanwhile: it begins nothing, and saves nothing.
    wire.another("s.json.lock").await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    journal.add(&begin(1, "b")).unwrap();
    for found in [journal.sync().await, store.save(&mut state).await] {
        assert!(matches!(found, Err(StoreError::Lost { .. })), "{found:?}");
    }
    store.release().await;
    assert_eq!(lease().await["id"], "another");
}

/// A holder of this machine is known to live at once, and is not watched; one of another machine
/// lives when its lease beats.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_holder_that_lives_is_known_by_its_process_or_its_beat() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    let write = async |holder: &Holder| {
        let body = serde_json::to_vec(holder).unwrap();
        let written = s3(&store).bucket.put("s.json.lock", body, If::Always).await;
        written.unwrap();
    };
    let mut ours = holder("ours");
    ours.started -= 1;
    write(&ours).await;
    let mut never = |by: &Holder| panic!("{by} is watched");
    match store.check_lock(true, &mut never).await {
        Ok(Locked::Alive(by)) => assert_eq!(*by, ours),
        found => panic!("{found:?}"),
    }
    let mut other = holder("another");
    other.pids_of = "elsewhere".to_owned();
    write(&other).await;
    let (told, watched) = tokio::sync::oneshot::channel();
    let mut told = Some(told);
    let mut notify = |by: &Holder| {
        let told = told.take().expect("it is told once");
        told.send(by.beat).expect("somebody waits for it");
    };
    let beat = async {
        other.beat = watched.await.unwrap() + 1;
        write(&other).await;
    };
    let (found, ()) = tokio::join!(store.check_lock(true, &mut notify), beat);
    match found {
        Ok(Locked::Alive(by)) => assert_eq!((by.id.as_str(), by.beat), ("another", 1)),
        found => panic!("{found:?}"),
    }
}

/// A lease beats by itself, again and again, and no more once another run has it.
#[tokio::test]
async fn a_lease_beats_until_another_run_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(false).await;
    let mut short = holder("short");
    short.lease = 1;
    let mut notify = |_: &Holder| {};
    let patience = Patience {
        timeout: Some(Duration::ZERO),
        notify: &mut notify,
    };
    store.lock(&short, patience).await.unwrap();
    let mut state = store.open("s", None).await.unwrap().state;
    let beat = async || {
        let bucket = &s3(&store).bucket;
        let object = bucket.get("s.json.lock").await.unwrap().unwrap();
        let lock: Value = serde_json::from_slice(&object.body).unwrap();
        lock["beat"].as_u64()
    };
    let begun = Instant::now();
    while beat().await < Some(2) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it does not beat"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(s3(&store).beats());
    wire.another("s.json.lock").await;
    let begun = Instant::now();
    while s3(&store).beats() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it beats still");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        store.save(&mut state).await.unwrap_err().to_string(),
        "this run has lost its hold on the state s3://states/s.json: another run has taken its \
         lock over"
    );
}

/// A lock that is another one each time it is written is tried for so often, and no more.
#[tokio::test]
async fn a_lock_that_changes_all_the_time_is_given_up() {
    const CHANGED: &str = "<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>";
    const WRITE: At = At("PUT", "s.json.lock", 1);
    const TOLD: &str = "this run has lost its hold on the state s3://states/s.json: its lock \
                        changes all the time";
    let dir = tempfile::tempdir().unwrap();
    let wire = Wire::open(dir.path());
    prepare(&wire, Before::Saved).await;
    let store = wire.store(true).await;
    wire.strike(WRITE, Fault::Reply(412, CHANGED));
    let error = lock(&store, "run").await.unwrap_err();
    assert_eq!(error.to_string(), TOLD);
    assert_eq!(wire.struck(), 20);
    wire.another("s.json.lock").await;
    wire.strike(WRITE, Fault::Reply(412, CHANGED));
    let error = store.unlock(&holder("another")).await.unwrap_err();
    assert_eq!(error.to_string(), TOLD);
    assert_eq!(wire.struck(), 20);
    store.unlock(&holder("another")).await.unwrap();
}
