//! A lease and who stands in it.

use super::super::bucket::If;
use super::scenes::{Before, begin, done, lock, prepare};
use super::wire::{Wire, holder, s3};
use crate::store::lease::{Holder, Patience};
use crate::store::transfer::copy_versions;
use crate::store::{Locked, Store, StoreError};
use serde_json::Value;
use std::time::Duration;

/// Who looks at a lease of another machine, and watches whether it beats, says so once.
#[tokio::test]
async fn a_watched_lease_is_told_once() {
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
    let found = store.look(false, &mut |by| told.push(by.id.clone())).await;
    assert!(matches!(found, Ok(Locked::Alive(_))), "{found:?}");
    assert!(told.is_empty(), "{told:?}");
    let found = store.look(true, &mut |by| told.push(by.id.clone())).await;
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
    let mut tell = |_: &Holder| {};
    let patience = Patience {
        timeout: Some(Duration::ZERO),
        tell: &mut tell,
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
