//! A state in files, and what other processes do to its lock and to the state meanwhile.

use super::lock::{self, Attempt};
use crate::store::lease::tests::holder;
use crate::store::lease::{Holder, Locked, Patience, Vigil, moment};
use crate::store::transfer::Moved;
use crate::store::{Store, StoreError};
use std::fs::File;
use std::path::Path;
use std::time::Duration;

const PLACE: &str = "s.json";

fn write(path: &Path, holder: &Holder) {
    std::fs::write(path, serde_json::to_vec(holder).expect("a text")).expect("writes");
}

fn nobody(by: &Holder) {
    panic!("{by} is watched");
}

/// Between the system's lock and what is written there a holder is not known yet.
#[tokio::test]
async fn a_holder_that_has_not_written_yet_has_just_started() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("s.json.lock");
    let file = File::create(&path).expect("creates");
    file.try_lock().expect("is free");
    let attempt = lock::attempt(&path, PLACE, &holder("ours"), &mut Vigil::default());
    let Ok(Attempt::Held(held, true)) = attempt else {
        panic!("it is locked, which is certain");
    };
    let Ok(Locked::Alive(looked)) = lock::check(&path, PLACE, true, &mut nobody).await else {
        panic!("it is locked");
    };
    for by in [held, looked] {
        let since = moment(by.since);
        let error = StoreError::Locked {
            place: PLACE.to_owned(),
            holder: by.clone(),
        };
        assert_eq!(
            error.to_string(),
            format!(
                "the state s.json is locked by another run (a run that has just started on this \
                 machine, since {since})"
            )
        );
        assert_eq!((by.beat, by.lease, by.started), (0, 1, 0));
    }
    drop(file);
    let found = lock::check(&path, PLACE, true, &mut nobody).await;
    assert!(matches!(found, Ok(Locked::Free)), "{found:?}");
}

/// A holder of this machine is dead where the system gives its lock away; one of another machine
/// lives when it beats, and is dead when it stands still for as long as its lease.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_dead_are_distinguished_from_the_living() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("s.json.lock");
    write(&path, &holder("ours"));
    match lock::check(&path, PLACE, true, &mut nobody).await {
        Ok(Locked::Dead(by)) => assert_eq!(by.id, "ours"),
        found => panic!("{found:?}"),
    }
    let mut theirs = holder("theirs");
    (theirs.pids_of, theirs.lease) = ("another boot".to_owned(), 3600);
    write(&path, &theirs);
    match lock::check(&path, PLACE, false, &mut nobody).await {
        Ok(Locked::Alive(by)) => assert_eq!(by.beat, 0),
        found => panic!("{found:?}"),
    }
    let mut told = 0;
    let mut beat = |by: &Holder| {
        told += 1;
        let mut by = by.clone();
        by.beat += 1;
        write(&path, &by);
    };
    match lock::check(&path, PLACE, true, &mut beat).await {
        Ok(Locked::Alive(by)) => assert_eq!(by.beat, 1),
        found => panic!("{found:?}"),
    }
    assert_eq!(told, 1);
    theirs.lease = 1;
    write(&path, &theirs);
    let mut told = 0;
    match lock::check(&path, PLACE, true, &mut |_| told += 1).await {
        Ok(Locked::Dead(by)) => assert_eq!(by.id, "theirs"),
        found => panic!("{found:?}"),
    }
    assert_eq!(told, 1);
}

/// A state that was removed or created by others since it was read is not overwritten.
#[tokio::test]
async fn a_state_that_is_another_one_meanwhile_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(PLACE);
    let store = Store::local(path.clone(), dir.path(), false);
    let mut notify = |_: &Holder| {};
    let patience = Patience {
        timeout: Some(Duration::ZERO),
        notify: &mut notify,
    };
    store.lock(&holder("ours"), patience).await.expect("locks");
    let mut state = store.open("s", None).await.expect("opens").state;
    let moved = || Moved {
        to: "elsewhere.json".to_owned(),
        host: "here".to_owned(),
        at: 0,
        stack: "s".to_owned(),
        env: None,
        lineage: "1".repeat(32),
        serial: 1,
    };
    let lost = |why: &str| {
        let path = path.display();
        format!("this run has lost its hold on the state {path}: {why}")
    };
    std::fs::write(&path, "theirs").expect("writes");
    for found in [store.save(&mut state).await, store.retire(moved()).await] {
        let told = found.expect_err("is refused").to_string();
        assert_eq!(told, lost("another run has saved it meanwhile"));
    }
    assert_eq!(std::fs::read(&path).expect("reads"), b"theirs");
    std::fs::remove_file(&path).expect("removes");
    store.save(&mut state).await.expect("saves");
    std::fs::remove_file(&path).expect("removes");
    for found in [store.save(&mut state).await, store.retire(moved()).await] {
        let told = found.expect_err("is refused").to_string();
        assert_eq!(told, lost("it was taken away meanwhile"));
    }
    assert_eq!(state.serial, 1);
    assert!(!path.exists());
}
