//! A state kept in S3, with nothing but S3: `key`, `key.lock`, `key.journal/…` and
//! `key.history/…`. Every write that matters is conditional.
//!
//! A number in the journal is taken once (`If-None-Match: *`). A run that takes over from one
//! that seemed dead first takes the next number itself: should the other one wake up, its next
//! entry is refused, and it stops before it calls anything.
//!
//! First entries and fences are kept until their version goes.

mod bucket;
mod lease;
#[cfg(test)]
mod tests;
mod transfer;

use super::error::StoreError;
use super::format;
use super::history::UNUSABLE;
use super::history::{self, Budget, Version, VersionName};
use super::journal::{self as entries, Entry, Leftover};
use super::lease::Locked;
use super::lease::{Holder, Patience};
use super::moment::{Moment, Watch};
use super::opened::Pieces;
use super::opened::{Inspected, Opened};
use super::state::{MOST_SERIAL, State};
use crate::lang::place::S3Place;
use crate::resource::aws::Aws;
use bucket::{Bucket, If, Object};
use futures_util::future::join;
pub use lease::release_all;
use lease::{Lease, LeaseObject};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Where one stack's state is kept.
#[derive(Debug)]
pub struct S3Store {
    bucket: Bucket,
    key: String,
    observed: Mutex<Observed>,
    lease: Mutex<Option<Arc<Lease>>>,
    /// How many versions are kept.
    kept: usize,
    budget: Budget,
}

/// What was seen when the state was opened or saved last.
#[derive(Debug, Default, Clone)]
struct Observed {
    state: Option<Object>,
    names: BTreeSet<VersionName>,
    /// The journal's keys, of all serials.
    journal: Vec<String>,
    /// The next number of the journal.
    next: u64,
    /// The lock was taken from a run that seemed dead.
    took_over: bool,
}

/// The journal of the run in progress.
#[derive(Debug)]
pub(super) struct S3Journal {
    bucket: Bucket,
    lease: Arc<Lease>,
    prefix: String,
    serial: u64,
    next: u64,
    by: String,
    pending: Vec<u8>,
    /// An entry whose write failed. It may have taken place all the same, and then its number is
    /// taken by this run, and not by another one.
    unsure: Vec<u8>,
}

/// The most entries of one run's journal: each takes a call to be read.
const MOST_ENTRIES: usize = 50_000;

/// The numbers of a journal's keys, `…/<serial>-<number>`, as stackctl writes them.
fn numbers(key: &str) -> Option<(u64, u64)> {
    let name = key.rsplit_once('/')?.1;
    let (serial, number) = name.split_once('-')?;
    let small = |text: &str| text.parse().ok().filter(|number| *number <= MOST_SERIAL);
    let numbers = (small(serial)?, small(number)?);
    (name == entry_name(numbers.0, numbers.1)).then_some(numbers)
}

fn entry_name(serial: u64, number: u64) -> String {
    format!("{serial:010}-{number:06}")
}

impl S3Store {
    /// The object of that key and others whose keys begin with it.
    pub fn new(aws: Arc<Aws>, place: &S3Place) -> Self {
        Self {
            bucket: Bucket {
                aws,
                name: place.bucket.clone(),
                options: place.options.clone(),
            },
            key: place.key.clone(),
            observed: Mutex::default(),
            lease: Mutex::default(),
            kept: history::KEPT,
            budget: Budget::default(),
        }
    }

    /// See [`super::Store::keep`].
    pub(super) fn keep_versions(&mut self, kept: usize) {
        self.kept = kept;
    }

    /// The clients that reach it.
    pub fn aws(&self) -> &Arc<Aws> {
        &self.bucket.aws
    }

    pub(super) fn name(&self) -> String {
        format!("s3://{}/{}", self.bucket.name, self.key)
    }

    fn observed(&self) -> Observed {
        let known = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    fn observe(&self, change: impl FnOnce(&mut Observed)) {
        change(&mut self.observed.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn held(&self) -> Option<Arc<Lease>> {
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        lease.clone()
    }

    fn lease_object(&self) -> LeaseObject {
        LeaseObject {
            bucket: self.bucket.clone(),
            key: format!("{}.lock", self.key),
            place: self.name(),
        }
    }

    fn journal_key(&self, serial: u64, number: u64) -> String {
        format!("{}.journal/{}", self.key, entry_name(serial, number))
    }

    fn version_key(&self, name: &VersionName) -> String {
        format!("{}.history/{}", self.key, name.file_name())
    }

    /// See [`super::Store::open`].
    pub(super) async fn open(&self, stack: &str, env: Option<&str>) -> Result<Opened, StoreError> {
        let pieces = self.pieces(false).await?;
        match pieces.open(stack, env) {
            // A save may have come between the reads, which all start at once.
            Err(StoreError::Unusable { .. }) => self.pieces(true).await?.open(stack, env),
            opened => opened,
        }
    }

    /// See [`super::Store::inspect`].
    pub(super) async fn inspect(&self) -> Result<Inspected, StoreError> {
        Ok(self.pieces(true).await?.inspect())
    }

    /// Reads all there is. `in_order`: the versions first, which a save writes last.
    async fn pieces(&self, in_order: bool) -> Result<Pieces, StoreError> {
        let history = format!("{}.history/", self.key);
        let journal = format!("{}.journal/", self.key);
        let rest = async {
            let keys = self.bucket.list(&journal);
            let (state, keys) = join(self.bucket.get(&self.key), keys).await;
            Ok::<_, StoreError>((state?, keys?))
        };
        let (names, (state, keys)) = if in_order {
            let names = self.bucket.list(&history).await?;
            (names, rest.await?)
        } else {
            let (names, rest) = join(self.bucket.list(&history), rest).await;
            (names?, rest?)
        };
        let file = |key: &String| VersionName::parse(key.rsplit('/').next().unwrap_or_default());
        let names: BTreeSet<VersionName> = names.iter().filter_map(file).collect();
        let text = state.as_ref().map(|state| state.body.clone());
        let found = text.as_deref().map(format::read);
        let serial = match &found {
            Some(Ok(found)) => found.state.serial,
            _ => names.last().map_or(0, |newest| newest.serial),
        };
        self.observe(|known| {
            known.state = state;
            known.names.clone_from(&names);
            known.journal.clone_from(&keys);
        });
        let journal = self.leftover(serial, &keys).await?;
        let newest = match (&text, names.last()) {
            (None, Some(newest)) => {
                let object = self.bucket.get(&self.version_key(newest)).await?;
                object.and_then(|object| self.budget.unpack(&object.body).ok())
            }
            _ => None,
        };
        Ok(Pieces {
            place: self.name(),
            journal_place: format!("{}.journal", self.name()),
            text,
            journal,
            names,
            newest: newest.map(|(text, _)| text),
        })
    }

    /// What an interrupted run left. With the lock taken from such a run, its journal is
    /// closed first.
    async fn leftover(
        &self,
        serial: u64,
        keys: &[String],
    ) -> Result<Option<Result<Leftover, String>>, StoreError> {
        // Of a later serial: the state is older than the journal, which is reported.
        let of = keys.iter().filter_map(|key| numbers(key)).map(|(of, _)| of);
        let serial = of.max().map_or(serial, |newest| newest.max(serial));
        let mut keys: Vec<String> = keys
            .iter()
            .filter(|key| numbers(key).is_some_and(|(of, _)| of == serial))
            .cloned()
            .collect();
        if keys.len() > MOST_ENTRIES {
            return Err(StoreError::Unusable {
                place: format!("{}.journal", self.name()),
                why: format!(
                    "it has {} entries, and stackctl writes at most {MOST_ENTRIES}",
                    keys.len()
                ),
                next: "Look who else writes to the bucket, and take away what is not stackctl's."
                    .to_owned(),
            });
        }
        let last = keys.last().and_then(|key| numbers(key));
        let mut next = last.map_or(0, |(_, number)| number + 1);
        if self.held().is_some() && (self.observed().took_over || !keys.is_empty()) {
            let closing = self.line(&Entry::Taken {
                by: self.by().await,
            })?;
            while self
                .bucket
                .put(&self.journal_key(serial, next), closing.clone(), If::New)
                .await?
                .is_none()
            {
                // The other one was faster; what it wrote counts.
                keys.push(self.journal_key(serial, next));
                next += 1;
            }
            next += 1;
            self.observe(|known| known.took_over = false);
        }
        self.observe(|known| known.next = next);
        let mut text = Vec::new();
        for object in self.bucket.get_all(&keys).await? {
            text.extend(object.body);
        }
        let left = entries::read(&String::from_utf8_lossy(&text));
        Ok(match left {
            Ok(left) if left.from.is_none() => None,
            left => Some(left),
        })
    }

    async fn by(&self) -> String {
        match self.held() {
            Some(lease) => lease.id().await,
            None => String::new(),
        }
    }

    fn line(&self, entry: &Entry) -> Result<Vec<u8>, StoreError> {
        let mut line = serde_json::to_vec(entry).map_err(|error| {
            let error = crate::resource::error::Error::failed(error.to_string());
            self.bucket.error("writing", &self.key, error)
        })?;
        line.push(b'\n');
        Ok(line)
    }

    #[cfg(test)]
    fn stop_beating(&self) {
        if let Some(lease) = self.held() {
            lease.stop_beating();
        }
    }

    #[cfg(test)]
    fn beats(&self) -> bool {
        self.held().is_some_and(|lease| lease.beats())
    }

    #[cfg(test)]
    async fn renew_lease(&self) -> Result<(), StoreError> {
        match self.held() {
            Some(lease) => lease.renew().await,
            None => Err(self.lost("it was never locked")),
        }
    }

    /// See [`super::Store::lock`].
    pub(super) async fn lock(
        &self,
        holder: &Holder,
        patience: Patience<'_>,
    ) -> Result<(), StoreError> {
        let (lease, took_over) = self.lease_object().acquire(holder, patience).await?;
        self.observe(|known| known.took_over = took_over);
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
        Ok(())
    }

    /// See [`super::Store::release`].
    pub(super) async fn release(&self) {
        let lease = self
            .lease
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(lease) = lease {
            lease.release().await;
        }
    }

    /// See [`super::Store::check_lock`].
    pub(super) async fn check_lock(
        &self,
        watches: bool,
        notify: &mut (dyn FnMut(&Holder) + Send),
    ) -> Result<Locked, StoreError> {
        self.lease_object().check(watches, notify).await
    }

    /// See [`super::Store::unlock`].
    pub(super) async fn unlock(&self, holder: &Holder) -> Result<(), StoreError> {
        self.lease_object().unlock(holder).await
    }

    /// See [`super::Store::start`].
    pub(super) async fn start(&self, state: &State) -> Result<S3Journal, StoreError> {
        let Some(lease) = self.held() else {
            return Err(self.lost("it was never locked"));
        };
        let mut journal = S3Journal {
            bucket: self.bucket.clone(),
            by: lease.id().await,
            lease,
            prefix: format!("{}.journal", self.key),
            serial: state.serial,
            next: self.observed().next,
            pending: Vec::new(),
            unsure: Vec::new(),
        };
        journal.add(&Entry::Run {
            lineage: state.lineage.clone(),
            serial: state.serial,
        })?;
        journal.sync().await?;
        Ok(journal)
    }

    /// See [`super::Store::has_journal`].
    pub(super) fn has_journal(&self) -> bool {
        true
    }

    /// See [`super::Store::save`].
    pub(super) async fn save(&self, state: &mut State, watch: &Watch) -> Result<(), StoreError> {
        let Some(lease) = self.held() else {
            return Err(self.lost("it was never locked"));
        };
        lease.check().await?;
        state.serial += 1;
        let result = self.write(state, &lease, watch).await;
        if result.is_err() {
            state.serial -= 1;
        }
        result
    }

    async fn write(&self, state: &State, lease: &Lease, watch: &Watch) -> Result<(), StoreError> {
        let failed = |error: String| {
            let error = crate::resource::error::Error::failed(error);
            self.bucket.error("writing", &self.key, error)
        };
        let written = format::write(state).map_err(|error| failed(error.to_string()))?;
        let known = self.observed();
        if let Some(before) = &known.state
            && !before.body.is_empty()
            && format::read(&before.body).is_err()
        {
            let key = format!("{}.{UNUSABLE}", self.key);
            self.bucket
                .put(&key, before.body.clone(), If::Always)
                .await?;
        }
        self.replace(written.text.clone(), lease).await?;
        let name = VersionName::of(state, &written.checksum);
        self.keep(&name, &written.text, &known.names).await?;
        watch
            .at(Moment::Renamed)
            .map_err(|error| failed(error.to_string()))?;
        let mut names = known.names.clone();
        names.insert(name);
        let outdated: Vec<VersionName> = history::outdated(&names, self.kept).cloned().collect();
        // The state is saved; what could not be deleted does no harm, and a later save looks at
        // the versions again.
        if self.sweep(state.serial, &outdated).await.is_ok() {
            names.retain(|name| !outdated.contains(name));
        }
        self.observe(|known| {
            known.names = names;
            known.next = 0;
        });
        Ok(())
    }

    async fn keep(
        &self,
        name: &VersionName,
        text: &[u8],
        names: &BTreeSet<VersionName>,
    ) -> Result<(), StoreError> {
        if names.contains(name) {
            return Ok(());
        }
        let key = self.version_key(name);
        let packed = history::pack(text, crate::store::lease::now()).map_err(|error| {
            let error = crate::resource::error::Error::failed(error.to_string());
            self.bucket.error("writing", &key, error)
        })?;
        self.bucket.put(&key, packed, If::Always).await.map(drop)
    }

    /// Deletes old versions, and the journals before `serial` but for what keeps a run out
    /// that slept through it all: their first entry and those that closed them.
    async fn sweep(&self, serial: u64, outdated: &[VersionName]) -> Result<(), StoreError> {
        let keys = self.bucket.list(&format!("{}.journal/", self.key)).await?;
        let oldest = outdated.last().map_or(0, |name| name.serial);
        let mut gone: Vec<String> = outdated.iter().map(|name| self.version_key(name)).collect();
        let mut looked = Vec::new();
        for key in keys {
            match numbers(&key) {
                Some((of, _)) if of < oldest => gone.push(key),
                Some((of, number)) if of + 1 == serial && number > 0 => looked.push(key),
                _ => {}
            }
        }
        looked.truncate(MOST_ENTRIES);
        let objects = self.bucket.get_all(&looked).await?;
        let closing = |object: &Object| {
            let text = String::from_utf8_lossy(&object.body);
            text.lines().count() == 1 && text.starts_with("{\"taken\"")
        };
        if objects.len() == looked.len() {
            let pairs = looked.into_iter().zip(&objects);
            gone.extend(
                pairs
                    .filter(|(_, object)| !closing(object))
                    .map(|(key, _)| key),
            );
        }
        self.bucket.delete(&gone).await
    }

    fn lost(&self, why: &str) -> StoreError {
        StoreError::Lost {
            place: self.name(),
            why: why.to_owned(),
        }
    }

    /// See [`super::Store::versions`].
    pub(super) async fn versions(&self) -> Result<Vec<VersionName>, StoreError> {
        let keys = self.bucket.list(&format!("{}.history/", self.key)).await?;
        let name = |key: &String| VersionName::parse(key.rsplit('/').next().unwrap_or_default());
        let names: BTreeSet<VersionName> = keys.iter().filter_map(name).collect();
        Ok(names.into_iter().collect())
    }

    /// See [`super::Store::version`].
    pub(super) async fn version(&self, name: &VersionName) -> Result<Version, StoreError> {
        let unusable = |why: String| StoreError::Unusable {
            place: format!("{} (serial {})", self.name(), name.serial),
            why,
            next: "Take another version.".to_owned(),
        };
        let object = self.bucket.get(&self.version_key(name)).await?;
        let object = object.ok_or_else(|| unusable("it is gone".to_owned()))?;
        let unpacked = self.budget.unpack(&object.body);
        let (text, saved) = unpacked.map_err(|error| unusable(error.to_string()))?;
        let found = format::read(&text).map_err(|fault| unusable(fault.to_string()))?;
        Ok(Version {
            serial: name.serial,
            saved,
            state: found.state,
        })
    }
}

impl S3Journal {
    /// See [`super::Journal::add`].
    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), StoreError> {
        serde_json::to_writer(&mut self.pending, entry).map_err(|error| {
            let error = crate::resource::error::Error::failed(error.to_string());
            self.bucket.error("writing", &self.prefix, error)
        })?;
        self.pending.push(b'\n');
        Ok(())
    }

    /// See [`super::Journal::sync`]: one object for all that was added.
    pub(super) async fn sync(&mut self) -> Result<(), StoreError> {
        self.lease.check().await?;
        if !self.unsure.is_empty() {
            self.write().await?;
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        // Whose entry it is makes two runs' entries differ, whatever they say.
        self.unsure = format!("{{\"taken\":{{\"by\":\"{}\"}}}}\n", self.by).into_bytes();
        self.unsure.append(&mut self.pending);
        self.write().await
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        if self.next >= MOST_ENTRIES as u64 {
            // The next run could not read it.
            return Err(StoreError::Unusable {
                place: format!("s3://{}/{}", self.bucket.name, self.prefix),
                why: format!("the journal of one run has at most {MOST_ENTRIES} entries"),
                next: "Run the command again: it goes on from there.".to_owned(),
            });
        }
        let key = format!("{}/{}", self.prefix, entry_name(self.serial, self.next));
        let body = self.unsure.clone();
        match self.bucket.put(&key, body, If::New).await? {
            Some(_) => {
                self.unsure.clear();
                self.next += 1;
                Ok(())
            }
            None => Err(self.lease.lose("another run has closed its journal")),
        }
    }
}
