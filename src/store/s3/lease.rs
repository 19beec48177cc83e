//! The lock as an object: written only if it is as it was last read, so that of two runs one
//! wins. Its holder writes it again and again; see [`crate::store::lease`].

use super::bucket::{Bucket, If};
use crate::store::error::StoreError;
use crate::store::lease::Locked;
use crate::store::lease::{Holder, Patience, Vigil};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often a lease that others hold is looked at.
const POLL: Duration = Duration::from_millis(500);

/// No lock has more bytes.
const LARGEST: u64 = 64 << 10;

/// How often a write of the lock is refused because of another one, one after the other.
const TRIES: usize = 20;

/// What the object holds when nobody has the lease.
const FREE: &[u8] = b"{}\n";

/// The leases of this process, for the end of it: giving one back takes a call, which a drop
/// cannot make.
static HELD: Mutex<Vec<Arc<Lease>>> = Mutex::new(Vec::new());

/// Gives all leases back.
pub async fn release_all() {
    let held = std::mem::take(&mut *HELD.lock().unwrap_or_else(PoisonError::into_inner));
    for lease in held {
        lease.release().await;
    }
}

/// A lease that is held.
#[derive(Debug)]
pub(super) struct Lease {
    object: LeaseObject,
    /// One renewal at a time.
    held: tokio::sync::Mutex<Held>,
    lost: Mutex<Option<String>>,
    renewed: Mutex<Instant>,
    beating: Mutex<Option<JoinHandle<()>>>,
    length: Duration,
}

#[derive(Debug)]
struct Held {
    holder: Holder,
    etag: String,
}

/// Where the lease is.
#[derive(Debug, Clone)]
pub(super) struct LeaseObject {
    pub(super) bucket: Bucket,
    pub(super) key: String,
    /// The state's place, as people call it.
    pub(super) place: String,
}

/// The lease as read.
struct Seen {
    /// None: free.
    holder: Option<Box<Holder>>,
    /// None: the object does not exist.
    etag: Option<String>,
}

impl LeaseObject {
    async fn read(&self) -> Result<Seen, StoreError> {
        let Some(object) = self.bucket.get_small(&self.key, LARGEST).await? else {
            return Ok(Seen {
                holder: None,
                etag: None,
            });
        };
        let is_free = |body: &[u8]| {
            let body = body.trim_ascii();
            body.is_empty() || body == FREE.trim_ascii()
        };
        let holder = match serde_json::from_slice(&object.body) {
            Ok(holder) => Some(Box::new(holder)),
            Err(_) if is_free(&object.body) => None,
            Err(_) => {
                let place = format!("s3://{}/{}", self.bucket.name, self.key);
                return Err(StoreError::Unusable {
                    place: self.place.clone(),
                    why: format!("{place} is not a lock of stackctl: something else is in it"),
                    next: format!(
                        "Look at {place}, which was left alone. Move it away, or name another \
                         place with --state."
                    ),
                });
            }
        };
        Ok(Seen {
            holder,
            etag: Some(object.etag),
        })
    }

    async fn write(&self, body: Vec<u8>, etag: Option<&str>) -> Result<Option<String>, StoreError> {
        let condition = etag.map_or(If::New, If::Match);
        self.bucket.put(&self.key, body, condition).await
    }

    /// Takes the lease. Also returns whether a dead holder had it.
    pub(super) async fn acquire(
        &self,
        holder: &Holder,
        patience: Patience<'_>,
    ) -> Result<(Arc<Lease>, bool), StoreError> {
        let begun = Instant::now();
        let mut vigil = Vigil::default();
        let mut told: Option<Instant> = None;
        let mut refused = 0;
        loop {
            let seen = self.read().await?;
            let gone = seen.holder.as_ref().map(|by| is_dead(by, &mut vigil));
            if gone != Some(false) {
                let sent = Instant::now();
                let taken = self.write(text(holder), seen.etag.as_deref()).await?;
                if let Some(etag) = taken {
                    let lease = Lease::start(self.clone(), holder.clone(), etag, sent);
                    return Ok((lease, gone.is_some()));
                }
                // Another run was faster: look who.
                refused += 1;
                if refused == TRIES {
                    return Err(self.changes_all_the_time());
                }
                continue;
            }
            if let Some(by) = seen.holder {
                let certain = vigil.alive() || by.is_of_this_machine();
                if patience.is_over(begun.elapsed(), certain) {
                    let place = self.place.clone();
                    return Err(StoreError::Locked { place, holder: by });
                }
                if told.is_none_or(|told| told.elapsed() > Duration::from_secs(10)) {
                    told = Some(Instant::now());
                    (patience.notify)(&by);
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Whether the lease is held, without taking it.
    pub(super) async fn check(
        &self,
        watches: bool,
        notify: &mut (dyn FnMut(&Holder) + Send),
    ) -> Result<Locked, StoreError> {
        let mut vigil = Vigil::default();
        let mut told = false;
        loop {
            let Some(by) = self.read().await?.holder else {
                return Ok(Locked::Free);
            };
            if is_dead(&by, &mut vigil) {
                return Ok(Locked::Dead(by));
            }
            if vigil.alive() || by.is_of_this_machine() {
                return Ok(Locked::Alive(by));
            }
            if !watches {
                return Ok(Locked::Alive(by));
            }
            if !told {
                told = true;
                notify(&by);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Takes the lease away from this holder, whatever it does.
    pub(super) async fn unlock(&self, holder: &Holder) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let seen = self.read().await?;
            let Some(by) = seen.holder else {
                return Ok(());
            };
            if by.id != holder.id {
                let place = self.place.clone();
                return Err(StoreError::Locked { place, holder: by });
            }
            // A beat may come in between.
            let written = self.write(FREE.to_vec(), seen.etag.as_deref()).await?;
            if written.is_some() {
                return Ok(());
            }
        }
        Err(self.changes_all_the_time())
    }

    fn changes_all_the_time(&self) -> StoreError {
        StoreError::Lost {
            place: self.place.clone(),
            why: "its lock changes all the time".to_owned(),
        }
    }
}

fn is_dead(by: &Holder, vigil: &mut Vigil) -> bool {
    by.is_proven_dead() || vigil.expired(by)
}

fn text(holder: &Holder) -> Vec<u8> {
    serde_json::to_vec(holder).unwrap_or_default()
}

impl Lease {
    fn start(object: LeaseObject, holder: Holder, etag: String, sent: Instant) -> Arc<Self> {
        let (length, pace) = (holder.lease(), holder.pace());
        let lease = Arc::new(Self {
            object,
            held: tokio::sync::Mutex::new(Held { holder, etag }),
            lost: Mutex::default(),
            renewed: Mutex::new(sent),
            beating: Mutex::default(),
            length,
        });
        let weak = Arc::downgrade(&lease);
        let beating = tokio::spawn(async move {
            loop {
                tokio::time::sleep(pace).await;
                let Some(lease) = weak.upgrade() else { return };
                // A failure is reported by the check before the next step; the next beat may do.
                let _ = lease.renew().await;
                if lease.lost().is_some() {
                    return;
                }
            }
        });
        *lease.beating.lock().unwrap_or_else(PoisonError::into_inner) = Some(beating);
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.push(Arc::clone(&lease));
        lease
    }

    fn lost(&self) -> Option<String> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.clone()
    }

    /// Has this run stop: something proves that another one has taken over.
    pub(super) fn lose(&self, why: &str) -> StoreError {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let why = lost.get_or_insert_with(|| why.to_owned()).clone();
        let place = self.object.place.clone();
        StoreError::Lost { place, why }
    }

    /// Beats once more.
    ///
    /// # Errors
    /// [`StoreError::Lost`] when another run has the lease; when S3 cannot be reached.
    pub(super) async fn renew(&self) -> Result<(), StoreError> {
        let mut held = self.held.lock().await;
        let sent = Instant::now();
        held.holder.beat += 1;
        let body = text(&held.holder);
        self.write(&mut held, body).await?;
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = sent;
        Ok(())
    }

    /// Writes the object of the lease that is held. A refusal may come of a write of this run's own
    /// whose reply was lost: the content of the object shows whose it is.
    async fn write(&self, held: &mut Held, body: Vec<u8>) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let written = self.object.write(body.clone(), Some(&held.etag)).await?;
            if let Some(etag) = written {
                held.etag = etag;
                return Ok(());
            }
            let seen = self.object.read().await?;
            match (seen.holder, seen.etag) {
                (Some(by), Some(etag)) if by.id == held.holder.id => held.etag = etag,
                _ => break,
            }
        }
        Err(self.lose("another run has taken its lock over"))
    }

    /// What must hold before anything is started: the lease is this run's, and has not run out
    /// by this run's own clock.
    ///
    /// # Errors
    /// [`StoreError::Lost`] when it is not; when it cannot be renewed.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        if let Some(why) = self.lost() {
            return Err(self.lose(&why));
        }
        let renewed = *self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed.elapsed() < self.length * 3 / 4 {
            return Ok(());
        }
        self.renew().await
    }

    /// The id of the run that holds it.
    pub(super) async fn id(&self) -> String {
        self.held.lock().await.holder.id.clone()
    }

    /// From here on it does not beat by itself.
    pub(super) fn stop_beating(&self) {
        let beating = self
            .beating
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(beating) = beating {
            beating.abort();
        }
    }

    /// Whether it beats by itself.
    #[cfg(test)]
    pub(super) fn beats(&self) -> bool {
        let beating = self.beating.lock().unwrap_or_else(PoisonError::into_inner);
        beating.as_ref().is_some_and(|task| !task.is_finished())
    }

    /// Gives the lease back.
    pub(super) async fn release(&self) {
        self.stop_beating();
        if self.lost().is_none() {
            let mut held = self.held.lock().await;
            // Where that fails, the lease runs out.
            let _ = self.write(&mut held, FREE.to_vec()).await;
            drop(self.lose("it was given back"));
        }
    }
}
