//! What there is before a run, the run, and what the next one must find.

use super::super::bucket::If;
use super::wire::{Wire, holder, s3};
use crate::data::Path;
use crate::store::journal::{Entry, Intent};
use crate::store::lease::{Holder, Patience};
use crate::store::state::{ResourceState, State, StateChange};
use crate::store::transfer::{Moved, copy_versions};
use crate::store::{Opened, Store, StoreError};
use serde_json::Map;
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) async fn lock(store: &Store, id: &str) -> Result<(), StoreError> {
    let mut notify = |_: &Holder| {};
    let patience = Patience {
        timeout: Some(Duration::ZERO),
        notify: &mut notify,
    };
    store.lock(&holder(id), patience).await
}

pub(super) fn put(address: &str) -> StateChange {
    let resource = ResourceState {
        type_name: "random:RandomPet".to_owned(),
        id: address.to_owned(),
        ..ResourceState::default()
    };
    StateChange::Put {
        address: address.to_owned(),
        resource: Box::new(resource),
    }
}

pub(super) fn begin(step: usize, address: &str) -> Entry {
    Entry::Begin(Intent {
        step,
        op: "create".to_owned(),
        address: address.to_owned(),
        type_name: "random:RandomPet".to_owned(),
        inputs: Default::default(),
        decided: Map::new(),
        operation: String::new(),
        request: None,
        unfinished: BTreeSet::<Path>::new(),
        resource: None,
    })
}

pub(super) fn done(step: usize, address: &str) -> Entry {
    Entry::Done {
        step,
        changes: vec![put(address)],
    }
}

/// What was reported to a run as durable.
#[derive(Debug, Default)]
pub(super) struct Reported {
    pub(super) begun: Vec<&'static str>,
    pub(super) done: Vec<&'static str>,
    pub(super) saved: bool,
}

/// What there is before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// A state that was saved.
    Saved,
    /// And a run that died with one resource created and another started.
    Crashed,
    /// Content that is not a state.
    Unusable,
    /// A state that was saved, which is moved to a file.
    Leaves,
    /// The same, and versions of a state in a file that come in.
    Comes,
}

const NO_STATE: &[u8] = b"{\"not\": \"a state\"}";

pub(super) async fn prepare(wire: &Wire, before: Before) {
    let aws = wire.aws(false).await;
    let made = aws.s3().create_bucket().bucket("states").send().await;
    made.unwrap();
    let store = wire.store(false).await;
    lock(&store, "first").await.unwrap();
    let mut state = store.open("s", None).await.unwrap().state;
    store.save(&mut state).await.unwrap();
    match before {
        Before::Saved | Before::Leaves | Before::Comes => store.release().await,
        Before::Unusable => {
            store.release().await;
            let bucket = &s3(&store).bucket;
            let written = bucket.put("s.json", NO_STATE.to_vec(), If::Always).await;
            written.unwrap();
        }
        Before::Crashed => {
            let mut journal = store.start(&state).await.unwrap();
            journal.add(&begin(0, "old")).unwrap();
            journal.sync().await.unwrap();
            journal.add(&done(0, "old")).unwrap();
            journal.add(&begin(1, "open")).unwrap();
            journal.sync().await.unwrap();
        }
    }
}

/// A run: two resources, each started and done, the journal written again where that failed, as an
/// apply does, and a save.
pub(super) async fn run(
    store: &Store,
    before: Before,
    told: &mut Reported,
) -> Result<(), StoreError> {
    lock(store, "run").await?;
    let opened = match before {
        Before::Unusable => {
            let inspected = store.inspect().await?;
            let state = inspected.empty_state("s", None, None);
            return save(store, state, told).await;
        }
        _ => store.open("s", None).await?,
    };
    match before {
        Before::Leaves => return leave(store, told).await,
        Before::Comes => return come(store, opened.state, told).await,
        _ => {}
    }
    let mut state = opened.into_state();
    if before == Before::Crashed {
        return save(store, state, told).await;
    }
    let mut journal = store.start(&state).await?;
    let mut failed = None;
    journal.add(&begin(0, "a"))?;
    match journal.sync().await {
        Ok(()) => told.begun.push("a"),
        Err(error) => failed = Some(error),
    }
    if failed.is_none() {
        journal.add(&done(0, "a"))?;
        state.change(put("a"));
        journal.add(&begin(1, "b"))?;
        match journal.sync().await {
            Ok(()) => {
                told.done.push("a");
                told.begun.push("b");
            }
            Err(error) => failed = Some(error),
        }
    }
    // What is done is written once more where that failed; nothing more is started.
    if failed.is_some() && journal.sync().await.is_ok() {
        failed = None;
    }
    if s3(store).renew_lease().await.is_err() {
        s3(store).renew_lease().await?;
    }
    if failed.is_none() {
        journal.add(&done(1, "b"))?;
        state.change(put("b"));
        journal.sync().await?;
        told.done.push("b");
    }
    save(store, state, told).await?;
    failed.map_or(Ok(()), Err)
}

/// The state goes to a file: its versions, then the mark.
async fn leave(store: &Store, told: &mut Reported) -> Result<(), StoreError> {
    let dir = tempfile::tempdir().unwrap();
    let file = Store::local(dir.path().join("s.json"), dir.path(), true);
    lock(&file, "file").await?;
    assert_eq!(copy_versions(store, &file).await?, 1);
    store.retire(moved()).await?;
    told.saved = true;
    Ok(())
}

/// What the mark of the state says when it was moved.
pub(super) fn moved() -> Moved {
    Moved {
        to: "elsewhere.json".to_owned(),
        host: "here".to_owned(),
        at: 0,
        stack: "s".to_owned(),
        env: None,
        lineage: "11111111111111111111111111111111".to_owned(),
        serial: 1,
    }
}

/// Versions of a file come in, then its state.
async fn come(store: &Store, here: State, told: &mut Reported) -> Result<(), StoreError> {
    let dir = tempfile::tempdir().unwrap();
    let file = Store::local(dir.path().join("s.json"), dir.path(), true);
    lock(&file, "file").await?;
    let mut state = here;
    file.save(&mut state).await?;
    assert_eq!(copy_versions(&file, store).await?, 1);
    store.save(&mut state).await?;
    told.saved = true;
    Ok(())
}

async fn save(store: &Store, mut state: State, told: &mut Reported) -> Result<(), StoreError> {
    store.save(&mut state).await?;
    told.saved = true;
    Ok(())
}

/// Whether the next run finds all that was reported to this one as durable.
pub(super) async fn next(wire: &Wire, before: Before, told: &Reported) -> Result<Opened, String> {
    let store = wire.store(false).await;
    lock(&store, "next")
        .await
        .map_err(|it| format!("the next run: {it}"))?;
    let opened = match store.open("s", None).await {
        Ok(_) if before == Before::Leaves && told.saved => {
            return Err("the mark is lost".to_owned());
        }
        Ok(opened) => opened,
        // The mark exists; where that was not reported the same command continues from it.
        Err(StoreError::Unusable { why, .. })
            if before == Before::Leaves && why.contains("moved to elsewhere.json") =>
        {
            return Err("kept".to_owned());
        }
        // The state is still in the file, and the same command goes on.
        Err(StoreError::Unusable { why, .. })
            if before == Before::Comes && !told.saved && why.contains("an older version") =>
        {
            return Err("kept".to_owned());
        }
        Err(_) if before == Before::Unusable && !told.saved => {
            let inspected = store.inspect().await.map_err(|it| it.to_string())?;
            return match inspected.state {
                Err(_) => Err("kept".to_owned()),
                Ok(_) => Err("it opens not, and is a state".to_owned()),
            };
        }
        Err(error) => return Err(format!("the next run: {error}")),
    };
    let has = |address: &str| opened.state.resources.contains_key(address);
    let open = |address: &str| opened.open.iter().any(|one| one.address == address);
    if let Some(address) = told.done.iter().find(|address| !has(address)) {
        return Err(format!("{address} was done, and is lost: {opened:?}"));
    }
    if let Some(address) = told.begun.iter().find(|it| !has(it) && !open(it)) {
        return Err(format!("{address} was begun, and is lost: {opened:?}"));
    }
    if before == Before::Crashed && !(has("old") && (open("open") || !opened.open.is_empty())) {
        return Err(format!("what the run before left is lost: {opened:?}"));
    }
    if told.saved && opened.interrupted {
        return Err("a journal is left of a run that was saved".to_owned());
    }
    Ok(opened)
}
